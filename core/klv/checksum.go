package klv

import (
	"encoding/binary"
	"math/bits"
)

// RunningSum is the 16-bit checksum of MISB ST 0601 item 1 and ST 0903 item 1:
// bytes at even offsets are added to the upper half, odd ones to the lower.
func RunningSum(b []byte) uint16 {
	const lanes = 0x00ff00ff00ff00ff
	var hi, lo uint32
	for len(b) >= 8 {
		// Four 16-bit lanes each; 255*256 still fits a lane, so fold every 256 words.
		var h, l uint64
		for i := 0; i < 256 && len(b) >= 8; i++ {
			x := binary.BigEndian.Uint64(b)
			h += x >> 8 & lanes
			l += x & lanes
			b = b[8:]
		}
		hi += uint32(h&0xffff) + uint32(h>>16&0xffff) + uint32(h>>32&0xffff) + uint32(h>>48)
		lo += uint32(l&0xffff) + uint32(l>>16&0xffff) + uint32(l>>32&0xffff) + uint32(l>>48)
	}
	for i, c := range b {
		if i&1 == 0 {
			hi += uint32(c)
		} else {
			lo += uint32(c)
		}
	}
	return uint16(hi<<8 + lo)
}

// CRC32MPEG2 is the checksum of MISB ST 0806 item 1: polynomial 0x04c11db7,
// initial value all ones, not reflected, no final exclusive or.
func CRC32MPEG2(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			crc = crc<<1 ^ 0x04c11db7&-(crc>>31)
		}
	}
	return crc
}

// CRC16CCITT is the checksum of MISB ST 1002 item 21 and ST 1108 item 11:
// polynomial 0x1021, register all ones with sixteen zero bits appended.
func CRC16CCITT(b []byte) uint16 {
	crc := uint16(0x1d0f)
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			crc = crc<<1 ^ 0x1021&-(crc>>15)
		}
	}
	return crc
}

// minBytes tells in how few bytes v fits; at least one.
func minBytes(v uint64) int {
	if v == 0 {
		return 1
	}
	return (bits.Len64(v) + 7) / 8
}
