package mpegts

// CRC32Size is the length of the CRC at the end of a section, in bytes.
const CRC32Size = 4

// crcPoly is the generator of ISO/IEC 13818-1 Annex A.
const crcPoly = 0x04C11DB7

// crcTables are the eight tables of the slicing-by-8 method; constant after start.
var crcTables = makeCRCTables()

func makeCRCTables() *[8][256]uint32 {
	var t [8][256]uint32
	for i := range 256 {
		c := uint32(i) << 24
		for range 8 {
			if c&0x80000000 != 0 {
				c = c<<1 ^ crcPoly
			} else {
				c <<= 1
			}
		}
		t[0][i] = c
	}
	for k := 1; k < 8; k++ {
		for i := range 256 {
			p := t[k-1][i]
			t[k][i] = p<<8 ^ t[0][p>>24]
		}
	}
	return &t
}

// CRC32 is the checksum of a section: start 0xFFFFFFFF, no reflection, no final
// inversion (ISO/IEC 13818-1 Annex A). Over a whole section with its CRC it is 0.
func CRC32(b []byte) uint32 {
	t := crcTables
	c := uint32(0xFFFFFFFF)
	for len(b) >= 8 {
		x := c ^ (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
		c = t[7][x>>24] ^ t[6][x>>16&0xFF] ^ t[5][x>>8&0xFF] ^ t[4][x&0xFF] ^
			t[3][b[4]] ^ t[2][b[5]] ^ t[1][b[6]] ^ t[0][b[7]]
		b = b[8:]
	}
	for _, v := range b {
		c = c<<8 ^ t[0][byte(c>>24)^v]
	}
	return c
}
