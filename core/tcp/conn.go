package tcp

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
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
	tcp   *net.TCPConn
	rw    net.Conn // tcp, or TLS over it
	sec   *tlsLink // nil without TLS
	in    *direct  // nil with TLS, and guarded by rmu
	out   *direct  // nil with TLS, and guarded by wmu
	max   int
	idle  time.Duration
	peer  string
	count transport.Counters
	gone  atomic.Bool // the peer's end was reported

	rmu      sync.Mutex // one reader; guards lastData
	lastData time.Time
	wmu      sync.Mutex // one writer; guards lastTaken
	taken    time.Time  // when the peer took the last bytes, zero while nothing waits

	park sync.Mutex // orders a wait's deadline against Cancel's
}

func newConn(tc *net.TCPConn, rw net.Conn, cfg Config) *Conn {
	c := &Conn{
		life: transport.NewLife(), tcp: tc, rw: rw, max: cfg.packetSize(), idle: cfg.IdleTimeout,
		peer: tc.RemoteAddr().String(), lastData: time.Now(),
	}
	if sec, ok := rw.(*tls.Conn); ok {
		c.sec = newTLSLink(sec)
	} else if raw, err := tc.SyscallConn(); err == nil {
		c.in, c.out = newDirect(raw, unix.Read), newDirect(raw, unix.Write)
	}
	return c
}

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
	if c.sec != nil {
		if err := c.sec.ready(limit, c.life); err != nil {
			return 0, c.failed(err, c.lastData, "receive", c.count.RecvError)
		}
	}
	n, err := c.read(buf, limit)
	if n > 0 {
		c.lastData = time.Now()
		c.count.Received(1, n)
		return n, nil
	}
	if err == nil {
		return 0, transport.Timeout("TCP receive")
	}
	return 0, c.failed(err, c.lastData, "receive", c.count.RecvError)
}

func (c *Conn) read(buf []byte, limit time.Duration) (int, error) {
	if c.in != nil {
		n, err := c.in.try(buf, c.in.raw.Read, c.forget(c.tcp.SetReadDeadline))
		if limit == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		c.in.armed = limit >= 0
	}
	if err := c.arm(limit, c.tcp.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.rw.Read(buf) //nolint:wrapcheck // failed sorts it
}

// forget clears a deadline unless a cancel came first.
func (c *Conn) forget(set func(time.Time) error) func(time.Time) error {
	return func(time.Time) error { return c.arm(transport.Forever, set) }
}

// Write sends p and returns how much of it was taken over within timeout. Over
// TLS what was taken may still be on its way inside; the next call waits for it.
func (c *Conn) Write(p []byte, timeout time.Duration) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.life.Err("TCP send"); err != nil {
		return 0, err
	}
	c.count.SendCall()
	if len(p) > c.max {
		return 0, tsterr.New(tsterr.TCPPayloadTooLarge, "%d bytes are more than the packet size of %d", len(p), c.max)
	}
	if len(p) == 0 {
		return 0, nil
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
		err = c.failed(err, c.taken, "send", c.count.SendError)
		if !transport.IsTimeout(err) || timeout >= 0 && time.Since(start) >= timeout {
			return done, err
		}
	}
}

func (c *Conn) write(p []byte, limit time.Duration) (int, error) {
	if c.sec != nil {
		return c.sec.write(p, limit, c.life)
	}
	if c.out == nil {
		return 0, os.ErrClosed
	}
	n, err := c.out.try(p, c.out.raw.Write, c.forget(c.tcp.SetWriteDeadline))
	if err != nil && (limit == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) || n == len(p) {
		return n, err
	}
	c.out.armed = limit >= 0
	if err := c.arm(limit, c.tcp.SetWriteDeadline); err != nil {
		return n, err
	}
	m, err := c.tcp.Write(p[n:])
	return n + m, err //nolint:wrapcheck // failed sorts it
}

// pollGrace is the deadline of a call that should not wait: the attempt itself must fit before it.
const pollGrace = time.Millisecond

// arm sets the deadline of a wait unless a cancel came first: one set later would undo its wake-up.
func (c *Conn) arm(limit time.Duration, set func(time.Time) error) error {
	c.park.Lock()
	defer c.park.Unlock()
	if err := c.life.Err("TCP"); err != nil {
		return err
	}
	var t time.Time
	if limit >= 0 {
		t = time.Now().Add(max(limit, pollGrace))
	}
	if err := set(t); err != nil {
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
func (c *Conn) FD() (uintptr, error) { return descriptor(c.tcp) }

// Stats implements transport.Object.
func (c *Conn) Stats() transport.Stats { return c.count.Snapshot() }

// Cancel implements transport.Object.
func (c *Conn) Cancel() {
	c.park.Lock()
	defer c.park.Unlock()
	c.life.Cancel()
	_ = c.tcp.SetDeadline(time.Unix(1, 0))
}

// Cancelled reports whether Cancel or Close was called.
func (c *Conn) Cancelled() bool { return c.life.Cancelled() }

// Close implements transport.Object. What was sent before still goes out.
func (c *Conn) Close() error {
	if !c.life.Close() {
		return nil
	}
	if c.sec != nil {
		c.sec.close()
	}
	c.park.Lock()
	_ = c.tcp.SetDeadline(time.Unix(1, 0))
	c.park.Unlock()
	if err := c.tcp.Close(); err != nil {
		return ioError(err, "close")
	}
	if c.sec != nil {
		c.sec.wait()
	}
	return nil
}
