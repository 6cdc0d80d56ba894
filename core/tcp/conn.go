package tcp

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Conn is one full-duplex connection. A read and a write may run at the same time.
type Conn struct {
	life  *transport.Life
	plain *direct      // nil with TLS
	tcp   *net.TCPConn // nil without TLS
	sec   *tlsLink     // nil without TLS
	max   int
	idle  time.Duration
	peer  string
	count transport.Counters
	fast  *transport.Shared // nil with TLS, an idle timeout, or delayed sends
	gone  atomic.Bool       // the peer's end was reported
	freed bool              // guarded by park

	rmu      sync.Mutex // one reader; guards lastData
	lastData time.Time
	wmu      sync.Mutex // one writer; guards what follows
	taken    time.Time  // when the peer took the last bytes, zero while nothing waits
	cut      bool       // a write told that the peer is gone

	park sync.Mutex // orders a wait's deadline, or a wake-up, against Cancel and Close
}

// newConn takes over tc, and the TLS session over it where there is one.
func newConn(tc *net.TCPConn, sec *tls.Conn, cfg Config) (*Conn, error) {
	c := &Conn{
		life: transport.NewLife(), max: cfg.packetSize(), idle: cfg.IdleTimeout,
		peer: tc.RemoteAddr().String(), lastData: time.Now(),
	}
	if sec != nil {
		c.tcp, c.sec = tc, newTLSLink(sec)
		return c, nil
	}
	fd, err := transport.Detach(tc)
	if err != nil {
		return nil, ioError(err, "socket")
	}
	wait, err := transport.NewWaiter()
	if err != nil {
		_ = unix.Close(fd)
		return nil, ioError(err, "eventfd")
	}
	c.plain = &direct{fd: fd, wait: wait, life: c.life}
	if !cfg.DelaySends {
		c.plain.burst = &burst{fd: fd}
	}
	if cfg.DelaySends || c.idle > 0 {
		return c, nil
	}
	if c.fast, err = transport.NewShared(c, transport.SharedStream|transport.SharedPoll, fd, wait, c.max); err != nil {
		_ = c.Close()
		return nil, ioError(err, "memory")
	}
	c.count.Share(c.fast)
	return c, nil
}

// Shared is what C code does for the connection's user.
func (c *Conn) Shared() *transport.Shared { return c.fast }

// PeerAddr returns "ip:port" of the other side.
func (c *Conn) PeerAddr() string { return c.peer }

// Read fills buf with what arrived, at least one byte, waiting up to timeout.
func (c *Conn) Read(buf []byte, timeout time.Duration) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if err := c.life.Err("TCP receive"); err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		return 0, tsterr.New(tsterr.InvalidArg, "an empty buffer receives nothing")
	}
	c.count.RecvCall()
	limit := timeout
	if c.idle > 0 {
		if left := max(0, c.idle-time.Since(c.lastData)); limit < 0 || limit > left {
			limit = left
		}
	}
	n, err := c.read(buf, limit)
	if n > 0 {
		if c.idle > 0 {
			c.lastData = time.Now()
		}
		c.count.Received(1, n)
		return n, nil
	}
	if err == nil {
		return 0, transport.Timeout("TCP receive")
	}
	return 0, c.failed(err, c.lastData, "receive", c.count.RecvError)
}

func (c *Conn) read(buf []byte, limit time.Duration) (int, error) {
	if c.plain != nil {
		return c.plain.read(buf, limit)
	}
	if err := c.sec.ready(limit, c.life); err != nil {
		return 0, err
	}
	if err := c.arm(limit); err != nil {
		return 0, err
	}
	return c.sec.conn.Read(buf) //nolint:wrapcheck // failed sorts it
}

// Write sends p and returns how much of it was taken over within timeout. Over
// TLS what was taken may still be on its way inside; the next call waits for it.
func (c *Conn) Write(p []byte, timeout time.Duration) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.life.Err("TCP send"); err != nil {
		return 0, err
	}
	if c.cut {
		return 0, tsterr.New(tsterr.TCPClosed, "the connection is lost")
	}
	if len(p) > c.max {
		c.count.SendError()
		return 0, tsterr.New(tsterr.TCPPayloadTooLarge, "%d bytes are more than the packet size of %d", len(p), c.max)
	}
	c.count.SendCall()
	if len(p) == 0 {
		return 0, nil
	}
	c.fast.Lock()
	defer c.fast.Unlock()
	if err := c.fast.TakeError(); err != nil {
		return 0, c.sendFailed(err, time.Time{})
	}
	if c.plain != nil && c.idle == 0 {
		// The common case asks no clock.
		n, err := c.plain.write(p, timeout)
		c.count.Sent(0, n)
		if err == nil {
			c.count.Sent(1, 0)
			return n, nil
		}
		return n, c.sendFailed(err, time.Time{})
	}
	start, done := time.Now(), 0
	if c.taken.IsZero() {
		c.taken = start
	}
	for {
		limit := left(timeout, start)
		if c.idle > 0 {
			if idle := max(0, c.idle-time.Since(c.taken)); limit < 0 || limit > idle {
				limit = idle
			}
		}
		n, err := c.write(p[done:], limit)
		if n > 0 {
			done += n
			c.taken = time.Now()
			c.count.Sent(0, n)
		}
		if err == nil {
			c.taken = time.Time{}
			c.count.Sent(1, 0)
			return done, nil
		}
		err = c.sendFailed(err, c.taken)
		if !transport.IsTimeout(err) || timeout >= 0 && time.Since(start) >= timeout {
			return done, err
		}
	}
}

// sendFailed sorts what a write said. Once it told that the peer is gone, no further write is tried.
func (c *Conn) sendFailed(err error, since time.Time) error {
	err = c.failed(err, since, "send", c.count.SendError)
	if c.cut = tsterr.KindOf(err) == tsterr.TCPBroken; c.cut {
		c.fast.Stop()
	}
	return err
}

func (c *Conn) write(p []byte, limit time.Duration) (int, error) {
	if c.plain != nil {
		return c.plain.write(p, limit)
	}
	return c.sec.write(p, limit, c.life)
}

// pollGrace is the deadline of a call that should not wait: the attempt itself must fit before it.
const pollGrace = time.Millisecond

// arm sets the deadline of a TLS read unless a cancel came first: one set later would undo its wake-up.
func (c *Conn) arm(limit time.Duration) error {
	c.park.Lock()
	defer c.park.Unlock()
	if err := c.life.Err("TCP"); err != nil {
		return err
	}
	var t time.Time
	if limit >= 0 {
		t = time.Now().Add(max(limit, pollGrace))
	}
	if err := c.tcp.SetReadDeadline(t); err != nil {
		return ioError(err, "deadline")
	}
	return nil
}

// failed sorts what a read or write said: timeout, own end, peer's end, fault.
func (c *Conn) failed(err error, since time.Time, what string, count func()) error {
	if lerr := c.life.Err("TCP " + what); lerr != nil {
		return lerr
	}
	var own *tsterr.Error
	if errors.As(err, &own) && own.Kind != tsterr.Timeout {
		count()
		return own
	}
	if isTimeout(err) || own != nil {
		if c.idle > 0 && !since.IsZero() && time.Since(since) >= c.idle {
			count()
			return tsterr.New(tsterr.TCPBroken, "%s: the peer was silent for %v", what, c.idle)
		}
		return transport.Timeout("TCP " + what)
	}
	count()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the peer closed the connection")
	}
	first := c.gone.CompareAndSwap(false, true)
	e := systemError(tsterr.TCPBroken, err, what)
	if !first {
		e = e.With("repeated", 1)
	}
	return e
}

// ReadBatch implements transport.Reader: one message a call.
func (c *Conn) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	if len(spans) == 0 {
		return 0, nil
	}
	n, err := c.Read(arena, timeout)
	if n > 0 {
		spans[0] = transport.Span{Len: uint32(n)} //nolint:gosec // an arena is smaller than 4 GiB
		return 1, nil
	}
	return 0, err
}

// WriteBatch implements transport.Writer. A message is taken whole or, when the
// link breaks in its middle, lost with the link; a timeout leaves none half sent
// that a later call would repeat: once begun it is finished.
func (c *Conn) WriteBatch(data []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	for i, s := range spans {
		m := data[s.Off : s.Off+s.Len]
		for begun := false; len(m) > 0; begun = true {
			wait := timeout
			if begun {
				wait = transport.Forever
			}
			n, err := c.Write(m, wait)
			m = m[n:]
			if err != nil && (n == 0 || !transport.IsTimeout(err)) {
				return i, err
			}
		}
	}
	return len(spans), nil
}

// FD returns the descriptor that turns readable when bytes wait. Bytes inside
// the TLS layer do not show there: read until tsterr.Timeout first.
func (c *Conn) FD() (uintptr, error) {
	if err := c.life.Err("TCP descriptor"); err != nil {
		return 0, err
	}
	if c.plain != nil {
		return uintptr(c.plain.fd), nil //nolint:gosec // a descriptor
	}
	return descriptor(c.tcp)
}

// Stats implements transport.Object.
func (c *Conn) Stats() transport.Stats { return c.count.Snapshot() }

// Cancel implements transport.Object.
func (c *Conn) Cancel() {
	c.life.Cancel()
	c.fast.Stop()
	c.wakeUp()
}

// Cancelled reports whether Cancel or Close was called.
func (c *Conn) Cancelled() bool { return c.life.Cancelled() }

// wakeUp ends the waits of parked calls.
func (c *Conn) wakeUp() {
	c.park.Lock()
	defer c.park.Unlock()
	switch {
	case c.freed:
	case c.plain != nil:
		c.plain.wait.Wake()
	default:
		_ = c.tcp.SetDeadline(time.Unix(1, 0))
	}
}

// Close implements transport.Object. What was sent before still goes out.
func (c *Conn) Close() error {
	if !c.life.Close() {
		return nil
	}
	if c.sec != nil {
		c.sec.close()
	}
	c.fast.Stop()
	c.wakeUp()
	if c.sec != nil {
		err := c.tcp.Close()
		c.sec.wait()
		if err != nil {
			return ioError(err, "close")
		}
		return nil
	}
	c.rmu.Lock() // the parked calls have left
	defer c.rmu.Unlock()
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.plain.burst != nil {
		c.plain.burst.done.Wait()
	}
	c.park.Lock()
	defer c.park.Unlock()
	c.freed = true
	c.plain.wait.Close()
	if err := unix.Close(c.plain.fd); err != nil {
		return ioError(err, "close")
	}
	return nil
}
