package mpegts

// Sizes of coded clock values in bytes.
const (
	pcrSize       = 6
	timestampSize = 5
)

// The 4-bit prefixes of coded time stamps (ISO/IEC 13818-1 §2.4.3.6).
const (
	PrefixPTSOnly = 0b0010
	PrefixPTS     = 0b0011
	PrefixDTS     = 0b0001
)

// ReadPCR reads the six bytes of a program clock reference: the base in 90 kHz
// ticks and the extension in 27 MHz ticks (ISO/IEC 13818-1 §2.4.3.5). The
// extension is returned as coded, also beyond its limit of 299.
func ReadPCR(b []byte) (base int64, ext uint16) {
	_ = b[5]
	base = int64(b[0])<<25 | int64(b[1])<<17 | int64(b[2])<<9 | int64(b[3])<<1 | int64(b[4])>>7
	return base, uint16(b[4]&1)<<8 | uint16(b[5])
}

// PutPCR writes the six bytes of a program clock reference, reserved bits set.
func PutPCR(b []byte, base int64, ext uint16) {
	_ = b[5]
	b[0] = byte(base >> 25)
	b[1] = byte(base >> 17)
	b[2] = byte(base >> 9)
	b[3] = byte(base >> 1)
	b[4] = byte(base)<<7 | 0x7E | byte(ext>>8)&1
	b[5] = byte(ext)
}

// ReadTimestamp reads the five bytes of a PTS or DTS in 90 kHz ticks, whatever
// their prefix and marker bits; markers tells whether all three were 1.
func ReadTimestamp(b []byte) (ts int64, prefix uint8, markers bool) {
	_ = b[4]
	ts = int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
	return ts, b[0] >> 4, b[0]&b[2]&b[4]&1 == 1
}

// PutTimestamp writes the five bytes of a PTS or DTS, modulo 2^33.
func PutTimestamp(b []byte, prefix uint8, ts int64) {
	_ = b[4]
	b[0] = prefix<<4 | byte(ts>>30)&7<<1 | 1
	b[1] = byte(ts >> 22)
	b[2] = byte(ts>>15)<<1 | 1
	b[3] = byte(ts >> 7)
	b[4] = byte(ts)<<1 | 1
}
