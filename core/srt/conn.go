package srt

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haivision/srtgo"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Conn is one connection, read and written at will by either side.
type Conn struct {
	id     sock
	eid    eventID          // tells that a message waits
	own    *srtgo.SrtSocket // keeps srtgo's finalizer from closing a dialled socket
	life   *transport.Life
	cfg    Config
	local  netip.AddrPort
	peer   netip.AddrPort
	stream string
	linger int
	max    int // the longest message in bytes, 0 for no limit
	count  transport.Counters
	fast   *transport.Shared // nil with an idle timeout, whose end only Go sees
	gone   atomic.Bool       // the loss of the link was reported

	rmu      sync.Mutex // one reader; guards lastData
	lastData time.Time
	ending   time.Time // when the link was seen lost while data still waited for its time
	delay    time.Duration
	wmu      sync.Mutex // one writer

	track tracker
	once  sync.Once
	fd    readiness

	asking  atomic.Bool // somebody asks libsrt for its counters
	details atomic.Pointer[Stats]
}

func newConn(id sock, own *srtgo.SrtSocket, cfg Config) (*Conn, error) {
	if no := prepare(id); no != 0 {
		return nil, libError(no, tsterr.SRTIO, "socket options")
	}
	c := &Conn{
		id: id, eid: watchSocket(id), own: own, life: transport.NewLife(), cfg: cfg, stream: streamID(id), linger: cfg.Linger,
		lastData: time.Now(),
	}
	if c.linger < 0 {
		c.linger = closeLinger
	}
	c.local, _ = sockName(id, false)
	c.peer, _ = sockName(id, true)
	c.track.latency = latencyOf(id, true)
	c.delay = latencyOf(id, false)
	c.max = payloadSize(id)
	c.track.progress = time.Now()
	if cfg.IdleTimeout == 0 {
		if err := c.share(); err != nil {
			unwatch(c.eid)
			return nil, tsterr.Wrap(tsterr.SRTIO, err, "memory")
		}
	}
	return c, nil
}

// Shared is what C code does for the connection's user.
func (c *Conn) Shared() *transport.Shared { return c.fast }

// LocalAddr and PeerAddr are the two ends. StreamID is what the caller sent.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// PeerAddr returns the other side's address.
func (c *Conn) PeerAddr() netip.AddrPort { return c.peer }

// StreamID returns the stream id the caller sent, "" for none.
func (c *Conn) StreamID() string { return c.stream }

// Config returns what the connection was made with.
func (c *Conn) Config() Config { return c.cfg }

// ReadBatch implements transport.Reader. The arena needs ReadArena bytes. The
// first report of a lost link is SRTBroken, every later one SRTClosed.
func (c *Conn) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if len(arena) < ReadArena || len(spans) == 0 {
		return 0, tsterr.New(tsterr.BufferTooSmall, "an SRT read needs %d bytes", ReadArena).With("needed", ReadArena)
	}
	c.count.RecvCall()
	begun := time.Now()
	for {
		if err := c.life.Err("SRT receive"); err != nil {
			return 0, err
		}
		if c.gone.Load() {
			return 0, tsterr.New(tsterr.SRTClosed, "the connection is lost")
		}
		wait := waitSlice
		if timeout >= 0 {
			wait = max(0, min(wait, timeout-time.Since(begun)))
		}
		n, no := readSome(c.id, c.eid, arena, spans, wait)
		if n > 0 {
			c.lastData = time.Now()
			bytes := 0
			for _, s := range spans[:n] {
				bytes += int(s.Len)
			}
			c.count.Received(n, bytes)
			c.fd.drained()
			return n, nil
		}
		err := libError(no, tsterr.SRTIO, "receive")
		if !transport.IsTimeout(err) {
			if c.draining() {
				if timeout >= 0 && time.Since(begun) >= timeout {
					return 0, transport.Timeout("SRT receive")
				}
				time.Sleep(time.Millisecond)
				continue
			}
			return 0, c.lost(err, c.count.RecvError)
		}
		if qerr := c.quiet(); qerr != nil {
			return 0, qerr
		}
		if timeout >= 0 && time.Since(begun) >= timeout {
			return 0, err
		}
	}
}

// draining reports whether data that came before the end of the link still waits
// for the time it is due: libsrt gives it out then, link or no link.
func (c *Conn) draining() bool {
	if c.life.Cancelled() || waitingData(c.id) == 0 {
		return false
	}
	if c.ending.IsZero() {
		c.ending = time.Now()
	}
	return time.Since(c.ending) < c.delay+drainLimit
}

// quiet ends a link that was silent for longer than the idle timeout.
func (c *Conn) quiet() error {
	if c.cfg.IdleTimeout == 0 || time.Since(c.lastData) <= c.cfg.IdleTimeout {
		return nil
	}
	return c.lost(tsterr.New(tsterr.SRTBroken, "the peer was silent for %v", c.cfg.IdleTimeout), c.count.RecvError)
}

// lost sorts a failure: the object's own end first, then the first report of a
// lost link, then the later ones.
func (c *Conn) lost(err *tsterr.Error, count func()) error {
	if lerr := c.life.Err("SRT"); lerr != nil {
		return lerr
	}
	count()
	if err.Kind != tsterr.SRTBroken {
		return err
	}
	if !c.gone.CompareAndSwap(false, true) {
		return tsterr.New(tsterr.SRTClosed, "the connection is lost")
	}
	c.fast.Stop()
	c.shut()
	return err
}

// WriteBatch implements transport.Writer. Messages are at most the payload size.
func (c *Conn) WriteBatch(data []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.count.SendCall()
	begun, done := time.Now(), 0
	for {
		if err := c.life.Err("SRT send"); err != nil {
			return done, err
		}
		if c.gone.Load() {
			return done, tsterr.New(tsterr.SRTClosed, "the connection is lost")
		}
		if err := c.watch(); err != nil {
			return done, c.lost(err, c.count.SendError)
		}
		if done == len(spans) {
			return done, nil
		}
		if size := int(spans[done].Len); c.max > 0 && size > c.max {
			return done, tsterr.New(tsterr.SRTTooLarge, "a message of %d bytes is longer than the payload size of %d", size, c.max)
		}
		left := timeout - time.Since(begun)
		if timeout >= 0 && left < waitSlice && readable(c.id)&(eventOut|eventErr) == 0 {
			if left <= 0 {
				return done, transport.Timeout("SRT send")
			}
			time.Sleep(min(left, pollStep))
			continue
		}
		n, no := writeSome(c.id, data, spans[done:])
		bytes := 0
		for _, s := range spans[done : done+n] {
			bytes += int(s.Len)
		}
		done += n
		c.count.Sent(n, bytes)
		c.track.sent.Add(uint64(n)) //nolint:gosec // not negative
		if no != 0 {
			if err := libError(no, tsterr.SRTIO, "send"); !transport.IsTimeout(err) {
				return done, c.lost(err, c.count.SendError)
			}
		}
	}
}

// watch keeps track of what the peer acknowledged, and ends a link on which it
// has not acknowledged anything for longer than the idle timeout.
func (c *Conn) watch() *tsterr.Error {
	waiting, since := c.track.poll(c.id)
	c.fast.VisitAfter(trackStep)
	if c.cfg.IdleTimeout > 0 && waiting && since > c.cfg.IdleTimeout {
		return tsterr.New(tsterr.SRTBroken, "the peer acknowledged nothing for %v", c.cfg.IdleTimeout)
	}
	return nil
}

// Silence implements transport.Silent.
func (c *Conn) Silence() time.Duration {
	waiting, since := c.track.poll(c.id)
	if !waiting {
		return 0
	}
	return since
}

// Unacked implements transport.Unacked.
func (c *Conn) Unacked() int {
	c.track.poll(c.id)
	return c.track.unacked()
}

// Undelivered implements transport.Unacked.
func (c *Conn) Undelivered() int { return c.track.undelivered() }

// Alive reports whether the link has not been reported lost, nor closed.
func (c *Conn) Alive() bool { return !c.gone.Load() && !c.life.Closed() }

// Stats implements transport.Object. Messages dropped are those that came too
// late on either side.
func (c *Conn) Stats() transport.Stats {
	s := c.count.Snapshot()
	d := c.Details()
	s.MessagesDropped = d.PacketsDroppedRecv + d.PacketsDroppedSend
	return s
}

// Details returns libsrt's counters; zeros once the link is gone. While libsrt frees other
// sockets, and for that holds what it needs to find any, they are those of the last time.
func (c *Conn) Details() Stats {
	if c.asking.CompareAndSwap(false, true) {
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			s, _ := statistics(c.id)
			c.details.Store(&s)
			c.asking.Store(false)
		}()
		limit := statsLimit
		if c.details.Load() == nil {
			limit = firstStatsLimit
		}
		t := time.NewTimer(limit)
		defer t.Stop()
		select {
		case <-asked:
		case <-t.C:
		}
	}
	if s := c.details.Load(); s != nil {
		return *s
	}
	return Stats{}
}

// Cancel implements transport.Object.
func (c *Conn) Cancel() {
	c.life.Cancel()
	c.fast.Stop()
}

// Cancelled reports whether Cancel or Close was called.
func (c *Conn) Cancelled() bool { return c.life.Cancelled() }

// Close implements transport.Object. It waits shortly for the acknowledgement of
// what was sent; what remains leaves in the background within the linger time.
func (c *Conn) Close() error {
	if !c.life.Close() {
		return nil
	}
	c.fast.Stop()
	c.shut()
	c.fd.close()
	return nil
}

// shut frees the socket, once.
func (c *Conn) shut() {
	c.once.Do(func() {
		linger := c.linger
		if c.gone.Load() {
			linger = 0
		}
		soon(func() {
			if linger > 0 && c.track.total() > 0 {
				for end := time.Now().Add(drainLimit); time.Now().Before(end); time.Sleep(time.Millisecond) {
					if n, ok := sendBuffer(c.id); !ok || n == 0 {
						break
					}
				}
			}
			closeSocket(c.id, linger)
			unwatch(c.eid)
			if c.own != nil {
				c.own.Close() // so that its finalizer does not
			}
		})
	})
}
