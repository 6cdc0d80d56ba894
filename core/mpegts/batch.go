package mpegts

// batch holds the events that end in one chunk, until they are read.
type batch struct {
	chunk *Chunk
	recs  []Record
	ends  []uint32 // arena length behind each record
	arena []byte
	read  int // records taken
}

// arenaRead is how much of the arena belongs to records that were taken.
func (b *batch) arenaRead() uint32 {
	if b.read == 0 {
		return 0
	}
	return b.ends[b.read-1]
}

// rewind empties the batch for reuse.
func (b *batch) rewind() {
	b.recs, b.ends, b.arena, b.read = b.recs[:0], b.ends[:0], b.arena[:0], 0
}

// truncate drops the records from n on.
func (b *batch) truncate(n int) {
	if n >= len(b.recs) {
		return
	}
	b.recs, b.ends = b.recs[:n], b.ends[:n]
	if n == 0 {
		b.arena = b.arena[:0]
		return
	}
	b.arena = b.arena[:b.ends[n-1]]
}

// push finishes a record whose bytes are in the arena already.
func (b *batch) push(r *Record) {
	b.recs = append(b.recs, *r)
	b.ends = append(b.ends, uint32(len(b.arena)))
}

// take copies records and their part of the arena out. It returns how many of
// each, whether one of the records is lazy, and, where not even one fits, the
// arena that the next record needs.
func (b *batch) take(recs []Record, arena []byte) (n, used int, lazy bool, need int) {
	base := b.arenaRead()
	for b.read+n < len(b.recs) && n < len(recs) && int(b.ends[b.read+n]-base) <= len(arena) {
		n++
	}
	if n == 0 {
		if b.read < len(b.recs) && len(recs) > 0 {
			need = int(b.ends[b.read] - base)
		}
		return 0, 0, false, need
	}
	copy(recs, b.recs[b.read:b.read+n])
	used = int(b.ends[b.read+n-1] - base)
	copy(arena, b.arena[base:int(base)+used])
	for i := range recs[:n] {
		r := &recs[i]
		if r.Flags&FlagLazy != 0 {
			lazy = true
		} else if r.PayloadLen > 0 {
			r.Payload -= base
		}
		if r.TextLen > 0 {
			r.Text -= base
		}
	}
	b.read += n
	return n, used, lazy, 0
}
