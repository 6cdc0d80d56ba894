package klv

import "encoding/binary"

// BlockBuilder makes a block from values: the way of Go callers that have no
// record of the library's to start from.
type BlockBuilder struct {
	set    *Set
	nums   []uint64
	numID  []byte
	datID  []byte
	data   []span
	arena  []byte
	extras []byte
}

// Reset begins a record of a set.
func (b *BlockBuilder) Reset(s *Set) { *b = BlockBuilder{set: s} }

// Number adds a number: a double's bits, or an integer, as the item's class asks.
func (b *BlockBuilder) Number(it *Item, bits uint64) {
	b.nums, b.numID = append(b.nums, bits), append(b.numID, it.index)
}

// Data adds text, bytes, or an encoded value tree.
func (b *BlockBuilder) Data(it *Item, v []byte) {
	at := len(b.arena)
	b.arena = append(b.arena, v...)
	b.data, b.datID = append(b.data, span{int32(at), int32(at + len(v))}), append(b.datID, it.index)
}

// Extras sets the tuple (unknown, field errors, sentinel tags, specials).
func (b *BlockBuilder) Extras(tree []byte) { b.extras = tree }

// Append appends the block.
func (b *BlockBuilder) Append(dst, ul []byte) []byte {
	base := len(dst)
	n := len(b.nums) + len(b.data)
	head := blockHeader + pad8(n)
	dst = append(dst, make([]byte, head)...)
	h := dst[base:]
	binary.LittleEndian.PutUint16(h[4:], uint16(n))
	binary.LittleEndian.PutUint16(h[6:], uint16(len(b.data)))
	copy(h[blockULStart:blockHeader], ul)
	copy(h[blockHeader:], b.numID)
	copy(h[blockHeader+len(b.nums):], b.datID)
	for _, v := range b.nums {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	at := uint32(head + 8*n)
	for _, s := range b.data {
		dst = binary.LittleEndian.AppendUint32(dst, at+uint32(s.from))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(s.to-s.from))
	}
	dst = append(dst, b.arena...)
	if len(b.extras) > 0 {
		binary.LittleEndian.PutUint32(dst[base+blockExtras:], uint32(len(dst)-base))
		dst = append(dst, b.extras...)
	}
	binary.LittleEndian.PutUint32(dst[base:], uint32(len(dst)-base))
	return dst
}
