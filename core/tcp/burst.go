package tcp

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A burst of short sends costs the kernel a segment and a wake-up of the receiver
// each. Above burstRate they are marked as having more behind them, which fills
// segments, and pushed out every burstTick: none waits longer than that.
const (
	burstProbe = 64                   // sends between two looks at the clock
	burstSpan  = 2 * time.Millisecond // so many within this are a burst
	burstTick  = time.Millisecond
	burstLeast = 16      // sends in a tick below which the burst is over
	burstBelow = 8 << 10 // longer sends fill segments by themselves
)

// burst belongs to the writer, but for hot and count, which its goroutine reads.
type burst struct {
	fd     int
	hot    atomic.Bool
	count  atomic.Uint32
	probed time.Time
	done   sync.WaitGroup
}

// more tells whether a send of n bytes should wait for others to fill its segment.
func (b *burst) more(n int) bool {
	c := b.count.Add(1)
	if c%burstProbe == 0 {
		now := time.Now()
		if !b.hot.Load() && now.Sub(b.probed) < burstSpan {
			b.done.Wait() // the goroutine of the burst before has nothing left to do
			b.hot.Store(true)
			b.done.Add(1)
			go b.push()
		}
		b.probed = now
	}
	return n < burstBelow && b.hot.Load()
}

// push sends what is held back, every tick until the burst is over.
func (b *burst) push() {
	defer b.done.Done()
	for last := b.count.Load(); ; {
		time.Sleep(burstTick)
		now := b.count.Load()
		over := now-last < burstLeast
		if over {
			b.hot.Store(false)
		}
		_ = unix.SetsockoptInt(b.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // pushes what is held
		if over {
			if b.count.Load() != now { // one that still saw hot may have come in between
				time.Sleep(burstTick)
				_ = unix.SetsockoptInt(b.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			}
			return
		}
		last = now
	}
}
