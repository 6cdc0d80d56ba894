package transport

// gapBuffer is a ring of messages in sending order. The first sent of them went
// out on the present link and wait for its acknowledgement, the rest are still
// to be sent. Slots keep their memory, so a steady stream allocates nothing.
type gapBuffer struct {
	slots []([]byte)
	head  int
	n     int
	sent  int
	bytes int
}

func newGapBuffer(capacity int) *gapBuffer {
	return &gapBuffer{slots: make([][]byte, min(capacity, MaxGapBytes/16))}
}

func (g *gapBuffer) at(i int) []byte { return g.slots[(g.head+i)%len(g.slots)] }

func (g *gapBuffer) full(size int) bool {
	return g.n == len(g.slots) || g.bytes+size > MaxGapBytes
}

// push appends a copy of m; the caller made room.
func (g *gapBuffer) push(m []byte) {
	i := (g.head + g.n) % len(g.slots)
	g.slots[i] = append(g.slots[i][:0], m...)
	g.n++
	g.bytes += len(m)
}

// pop drops the oldest message and returns its size.
func (g *gapBuffer) pop() int {
	size := len(g.slots[g.head])
	if cap(g.slots[g.head]) > 4*size {
		g.slots[g.head] = nil // one huge message must not pin its memory
	}
	g.head = (g.head + 1) % len(g.slots)
	g.n--
	g.bytes -= size
	if g.sent > 0 {
		g.sent--
	}
	return size
}

// queued is the number of messages not yet sent on the present link.
func (g *gapBuffer) queued() int { return g.n - g.sent }

// keepUnacked drops the sent messages that the peer has acknowledged.
func (g *gapBuffer) keepUnacked(unacked int) {
	for g.sent > unacked {
		g.pop()
	}
}

// pushSent remembers a message that just went out; the oldest sent ones make room.
// It reports false when there is none to make room with.
func (g *gapBuffer) pushSent(m []byte) bool {
	for g.full(len(m)) {
		if g.sent == 0 {
			return false
		}
		g.pop()
	}
	g.push(m)
	g.sent++
	return true
}
