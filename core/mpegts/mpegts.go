// Package mpegts reads and writes MPEG-2 transport streams.
//
// Specifications:
//   - ISO/IEC 13818-1 | ITU-T H.222.0 (2021): packets, PSI, PES, metadata AU cells
//   - ETSI EN 300 468, EN 300 743, EN 300 472: DVB descriptors, subtitling, teletext
//   - SMPTE RP 217, MISB ST 1402: KLV in transport streams
//   - AOM "Carriage of AV1 in MPEG-2 TS" 1.0
package mpegts

// Sizes and reserved PIDs of ISO/IEC 13818-1 §2.4.3.
const (
	// PacketSize is the length of a transport packet in bytes.
	PacketSize = 188
	// SyncByte starts every transport packet.
	SyncByte = 0x47
	// HeaderSize is the length of the fixed packet header in bytes.
	HeaderSize = 4
	// MaxPayload is the most payload that one packet carries, in bytes.
	MaxPayload = PacketSize - HeaderSize
	// PIDPAT carries the program association table.
	PIDPAT = 0x0000
	// PIDNull is the PID of stuffing packets.
	PIDNull = 0x1FFF
	// PIDMask keeps the 13 bits of a PID.
	PIDMask = 0x1FFF
	// MaxPSISectionLength is the largest section_length of a PAT or PMT (§2.4.4.4).
	MaxPSISectionLength = 1021
	// MaxSectionSize is the largest whole section, private ones included, in bytes.
	MaxSectionSize = 4096
)

// Record sizes other than 188 in which packets are stored.
const (
	// StrideM2TS is a packet behind a 4-byte arrival time stamp (Blu-ray, AVCHD).
	StrideM2TS = 192
	// StrideRS is a packet followed by 16 Reed-Solomon bytes (EN 300 429).
	StrideRS = 204
	// StrideATSC is a packet followed by 20 Reed-Solomon bytes.
	StrideATSC = 208
)
