package mpegts

import (
	"sync"
	"sync/atomic"

	"github.com/tstrans/tstrans/core/internal/offheap"
	"github.com/tstrans/tstrans/core/tsterr"
)

// chunkInput is the input kept together, in bytes: large enough that a call a
// chunk costs nothing, small enough to stay in the second-level cache.
const chunkInput = 256 << 10

// chunkFront is the room before it for what the chunk before left over: less
// than a packet, or the packets in which a start is being confirmed.
const chunkFront = 8 * StrideATSC

// chunkSize is the size of a chunk in bytes.
const chunkSize = chunkFront + chunkInput

// maxIdleBlocks bounds the memory that waits for reuse, in bytes.
const maxIdleBlocks = 4 << 20

// segment is a run of packets of one PID whose payloads follow each other: all
// begin at the same offset in their packet and reach to its end.
type segment struct {
	off    uint32 // of the first packet in the chunk
	count  uint16 // packets
	start  uint8  // of the payload in each packet
	stride uint8  // from packet to packet
}

func (s segment) size() int { return int(s.count) * (PacketSize - int(s.start)) }

// payload is where the bytes of one event are: a prefix that was gathered
// earlier, then segments; skip bytes of the whole are left out at the front.
type payload struct {
	prefix    *offheap.Block // owned by the chunk; nil for none
	prefixLen uint32
	seg, segN uint32
	skip      uint32
	size      uint32
}

// chunkPool keeps blocks and what describes chunks for reuse.
type chunkPool struct {
	offheap.Pool

	mu   sync.Mutex
	idle []*Chunk
}

// Memory is a pool of chunks that several demuxers share. NewMemory makes one;
// it needs no closing, and keeps at most a few MiB.
type Memory struct{ pool chunkPool }

// maxIdleShared bounds what a Memory keeps for the next demuxer, in bytes: the
// blocks of one reader that reads ahead.
const maxIdleShared = 2 << 20

// NewMemory makes a pool that demuxers may share.
func NewMemory() *Memory {
	return &Memory{pool: chunkPool{Pool: offheap.Pool{MaxIdle: maxIdleShared}}}
}

// maxIdleChunks bounds the descriptions that wait for reuse.
const maxIdleChunks = 8

// chunk makes a chunk of a block, held once.
func (p *chunkPool) chunk(block *offheap.Block) *Chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c *Chunk
	if n := len(p.idle); n > 0 {
		c = p.idle[n-1]
		p.idle = p.idle[:n-1]
	} else {
		c = &Chunk{pool: p}
	}
	c.block = block
	c.refs.Store(1)
	return c
}

// Chunk is a piece of input together with the payloads that end in it. It lives
// as long as someone holds it.
type Chunk struct {
	pool *chunkPool
	refs atomic.Int32

	mu       sync.Mutex // guards what follows; the demuxer appends while others gather
	block    *offheap.Block
	payloads []payload
	segs     []segment
}

// Retain adds a holder.
func (c *Chunk) Retain() { c.refs.Add(1) }

// Release drops a holder; the last one gives the memory back.
func (c *Chunk) Release() {
	if c.refs.Add(-1) != 0 {
		return
	}
	c.mu.Lock()
	for i := range c.payloads {
		c.pool.Put(c.payloads[i].prefix)
		c.payloads[i].prefix = nil
	}
	c.payloads, c.segs = c.payloads[:0], c.segs[:0]
	c.pool.Put(c.block)
	c.block = nil
	c.mu.Unlock()
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	if len(c.pool.idle) < maxIdleChunks {
		c.pool.idle = append(c.pool.idle, c)
	}
}

// Close is Release, for owners that close what they hold.
func (c *Chunk) Close() error {
	c.Release()
	return nil
}

// PayloadLen is the size of a lazy payload in bytes; -1 where there is none of
// that number.
func (c *Chunk) PayloadLen(id uint32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(id) >= len(c.payloads) {
		return -1
	}
	return int(c.payloads[id].size)
}

// Gather copies a lazy payload into dst and returns its size. Several threads
// may gather at once, also beside the Release of another holder.
func (c *Chunk) Gather(dst []byte, id uint32) (int, error) {
	p, segs, err := c.hold(id)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	if len(dst) < int(p.size) {
		return int(p.size), tsterr.New(tsterr.BufferTooSmall, "payload of %d bytes", p.size)
	}
	gather(dst[:p.size], c.block.Bytes(), p.gathered(), segs, int(p.skip))
	return int(p.size), nil
}

// hold finds a lazy payload and retains the chunk, which the caller releases.
func (c *Chunk) hold(id uint32) (p payload, segs []segment, err error) {
	for {
		r := c.refs.Load()
		if r <= 0 {
			return p, nil, tsterr.New(tsterr.Closed, "the chunk was given back")
		}
		if c.refs.CompareAndSwap(r, r+1) {
			break
		}
	}
	c.mu.Lock()
	known := int(id) < len(c.payloads)
	if known {
		p = c.payloads[id]
		segs = c.segs[p.seg : p.seg+p.segN]
	}
	c.mu.Unlock() // bytes and segments that exist never change
	if !known {
		c.Release()
		return p, nil, tsterr.New(tsterr.InvalidArg, "the chunk has no payload %d", id)
	}
	return p, segs, nil
}

// gathered is what came before the chunk.
func (p *payload) gathered() []byte {
	if p.prefix == nil {
		return nil
	}
	return p.prefix.Bytes()[:p.prefixLen]
}

// appendPieces appends the parts of a lazy payload, which are never joined:
// what was gathered before, then a part a packet. They are valid while the
// chunk is held.
func (c *Chunk) appendPieces(dst [][]byte, id uint32) ([][]byte, error) {
	p, segs, err := c.hold(id)
	if err != nil {
		return dst, err
	}
	defer c.Release()
	buf, skip, left := c.block.Bytes(), int(p.skip), int(p.size)
	add := func(b []byte) {
		if skip >= len(b) {
			skip -= len(b)
			return
		}
		b = b[skip:]
		b = b[:min(left, len(b))]
		skip, left = 0, left-len(b)
		if len(b) > 0 {
			dst = append(dst, b)
		}
	}
	add(p.gathered())
	for _, s := range segs {
		off := int(s.off)
		for range s.count {
			add(buf[off+int(s.start) : off+PacketSize])
			off += int(s.stride)
		}
	}
	return dst, nil
}

// gather fills dst from prefix and segments of buf, leaving out skip bytes at
// the front. It returns how much it could fill.
func gather(dst, buf, prefix []byte, segs []segment, skip int) int {
	n := 0
	if skip < len(prefix) {
		n = copy(dst, prefix[skip:])
		skip = 0
	} else {
		skip -= len(prefix)
	}
	for _, s := range segs {
		if n == len(dst) {
			break
		}
		off := int(s.off)
		if size := s.size(); skip >= size {
			skip -= size
			continue
		}
		start, stride := int(s.start), int(s.stride)
		for range s.count {
			from := buf[off+start : off+PacketSize]
			off += stride
			if skip > 0 {
				if skip >= len(from) {
					skip -= len(from)
					continue
				}
				from = from[skip:]
				skip = 0
			}
			n += copy(dst[n:], from)
		}
	}
	return n
}

// add registers a lazy payload. The segments are copied.
func (c *Chunk) add(p payload, segs []segment) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.seg, p.segN = uint32(len(c.segs)), uint32(len(segs))
	c.segs = append(c.segs, segs...)
	c.payloads = append(c.payloads, p)
	return uint32(len(c.payloads) - 1)
}
