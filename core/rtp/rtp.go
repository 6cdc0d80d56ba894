// Package rtp carries MPEG-TS and elementary media in RTP: packets, the state
// of one arriving stream (losses, order, jitter), RTCP reports, and senders and
// receivers over UDP.
//
// Specifications: RFC 3550 (RTP and RTCP), RFC 3551 (payload type 33), RFC 2250
// §2 (MPEG-TS). The payload formats of elementary media have packages of their
// own: rtph264, rtph265, rtpaac, rtpaudio, rtpklv.
package rtp

import "time"

const (
	// HeaderSize is the size of a header without contributing sources and
	// extension, in bytes (RFC 3550 §5.1).
	HeaderSize = 12
	// PayloadTypeMP2T is the static payload type of MPEG-TS (RFC 3551 §6).
	PayloadTypeMP2T = 33
	// ClockRate is the rate of MPEG-TS and video time stamps, in Hz.
	ClockRate = 90_000
	// TSPacketSize is the size of an MPEG-TS packet in bytes.
	TSPacketSize = 188
	// DefaultPacketSize is the longest datagram sent, header included, in bytes.
	DefaultPacketSize = 1316
	// MaxPacketSize is what an IPv4 datagram carries at most, in bytes.
	MaxPacketSize = 65507
	// ReportInterval is the time between two RTCP reports (RFC 3550 §6.2: the
	// recommended minimum).
	ReportInterval = 5 * time.Second
)
