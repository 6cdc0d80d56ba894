package mpegts

import (
	"sync"

	"github.com/tstrans/tstrans/core/internal/offheap"
)

// aheadSlots is how many chunks of a file are being read or wait to be parsed.
const aheadSlots = 3

// readAhead reads a regular file with a goroutine beside the one that parses.
// Copying from the page cache costs several times what parsing does, so both
// take turns: who needs a chunk that is not there reads the first that nobody
// has begun.
type readAhead struct {
	pool  *chunkPool
	fd    int
	start int64 // offset in the file of input offset 0
	limit int64 // input offset at which reading ends; 0 for none

	wg   sync.WaitGroup
	mu   sync.Mutex
	wake *sync.Cond // a slot or stop has changed
	from int64      // input offset that nobody has begun
	slot [aheadSlots]aheadSlot
	stop bool
}

// aheadSlot is one chunk; the slot of an input offset is told by the offset.
type aheadSlot struct {
	busy  bool // being read, or waiting to be taken
	done  bool
	at    int64
	block *offheap.Block
	n     int
	err   error
}

func newReadAhead(pool *chunkPool, fd int, start, from, limit int64) *readAhead {
	a := &readAhead{pool: pool, fd: fd, start: start, limit: limit, from: from}
	a.wake = sync.NewCond(&a.mu)
	a.wg.Add(1)
	go a.run()
	return a
}

// run reads chunks until close.
func (a *readAhead) run() {
	defer a.wg.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.stop {
		if !a.readOne() {
			a.wake.Wait()
		}
	}
}

// readOne reads the first chunk that nobody has begun; false when there is no
// free slot for it or the file has ended. Called and left with the lock held.
func (a *readAhead) readOne() bool {
	s := &a.slot[a.from/chunkInput%aheadSlots]
	if s.busy || a.limit > 0 && a.from >= a.limit {
		return false
	}
	n := int64(chunkInput)
	if a.limit > 0 {
		n = min(n, a.limit-a.from)
	}
	*s = aheadSlot{busy: true, at: a.from}
	a.from += chunkInput
	a.mu.Unlock()
	block := a.pool.Get(chunkSize)
	k, err := preadFD(a.fd, block.Bytes()[chunkFront:chunkFront+int(n)], a.start+s.at)
	a.mu.Lock()
	s.block, s.n, s.err, s.done = block, k, err, true
	if k < int(n) || err != nil {
		a.limit = max(1, min(s.at+int64(k), a.from)) // nothing to gain beyond
	}
	a.wake.Broadcast()
	return true
}

// next gives the chunk of input offset at: a block whose input starts at
// chunkFront, and its length, 0 at the end. The caller owns the block.
func (a *readAhead) next(at int64) (*offheap.Block, int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.slot[at/chunkInput%aheadSlots]
	for at%chunkInput == 0 {
		if s.busy && s.done && s.at == at {
			block, n, err := s.block, s.n, s.err
			full := !a.slot[a.from/chunkInput%aheadSlots].busy
			*s = aheadSlot{}
			if !full {
				a.wake.Broadcast() // the goroutine waits for a free slot
			}
			return block, n, err
		}
		if !s.busy && a.from > at {
			break // the file grew behind what was its end
		}
		if !a.readOne() {
			if !s.busy {
				break
			}
			a.wake.Wait()
		}
	}
	block := a.pool.Get(chunkSize)
	n, err := preadFD(a.fd, block.Bytes()[chunkFront:chunkSize], a.start+at)
	return block, n, err
}

// close ends the goroutine and gives the blocks back.
func (a *readAhead) close() {
	a.mu.Lock()
	a.stop = true
	a.wake.Broadcast()
	a.mu.Unlock()
	a.wg.Wait()
	for i := range a.slot {
		a.pool.Put(a.slot[i].block)
		a.slot[i].block = nil
	}
}
