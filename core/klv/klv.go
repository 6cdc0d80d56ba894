// Package klv holds what the MISB metadata standards share: BER lengths and
// BER-OID tags (MISB ST 0107), universal labels (SMPTE ST 336), the linear and
// IMAPB number maps (MISB ST 0601, ST 1201), checksums, and the engine that
// turns tables of items into decoders and encoders. Each standard is a folder
// of its own below this one; an item there is a row of data, never a function.
//
// Specifications: SMPTE ST 336, MISB ST 0107.4, ST 0601.19, ST 0807, ST 1201.5.
package klv

// Limits on what a packet may ask for. Every buffer that decoding makes is
// bounded by the input's size; these only bound recursion and table sizes.
const (
	// MaxDepth is how deep nested sets, packs and series are followed.
	MaxDepth = 8
	// MaxFields is the largest number of items in one set's table: a field
	// index travels as one byte.
	MaxFields = 255
)
