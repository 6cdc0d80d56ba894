// Package offheap gives blocks of bytes that the garbage collector does not
// count: large payloads kept in them change neither the pace of collections nor
// the memory held after they were given back.
package offheap

import (
	"math/bits"
	"runtime"
	"sync"
)

// minBlock is the smallest block in bytes.
const minBlock = 16 << 10

// Block is a run of bytes outside the Go heap. It must stay referenced while
// its bytes are in use: an unreachable block gives its memory back by itself.
type Block struct {
	mem     []byte
	cleanup runtime.Cleanup
}

// Bytes are the whole block.
func (b *Block) Bytes() []byte { return b.mem }

// Cap is the size of the block in bytes.
func (b *Block) Cap() int { return len(b.mem) }

func newBlock(n int) *Block {
	mem := allocate(n)
	b := &Block{mem: mem}
	b.cleanup = runtime.AddCleanup(b, release, mem)
	return b
}

// Pool keeps blocks for reuse, up to a bound. It may be used by several threads.
type Pool struct {
	// MaxIdle is the most bytes that wait for reuse.
	MaxIdle int

	mu   sync.Mutex
	free [64][]*Block // by the power of two of their size
	idle int
}

// Get gives a block of at least n bytes. Its content is arbitrary.
func (p *Pool) Get(n int) *Block {
	class := bits.Len(uint(max(n, minBlock) - 1))
	p.mu.Lock()
	if k := len(p.free[class]); k > 0 {
		b := p.free[class][k-1]
		p.free[class][k-1] = nil
		p.free[class] = p.free[class][:k-1]
		p.idle -= b.Cap()
		p.mu.Unlock()
		return b
	}
	p.mu.Unlock()
	return newBlock(1 << class)
}

// Put takes a block back; nobody may use its bytes any more. nil is fine.
func (p *Pool) Put(b *Block) {
	if b == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle+b.Cap() > p.MaxIdle {
		b.cleanup.Stop()
		release(b.mem)
		b.mem = nil
		return
	}
	class := bits.Len(uint(b.Cap() - 1))
	p.free[class] = append(p.free[class], b)
	p.idle += b.Cap()
}

// Close gives idle blocks back at once; blocks in use go back when they are put.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.MaxIdle = 0
	for class := range p.free {
		for _, b := range p.free[class] {
			b.cleanup.Stop()
			release(b.mem)
			b.mem = nil
		}
		p.free[class] = nil
	}
	p.idle = 0
}
