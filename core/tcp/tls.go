package tcp

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// handshakeTimeout bounds a handshake the accepted side waits for.
	handshakeTimeout = 10 * time.Second
	// closeNotify bounds the wait for the closing alert to leave.
	closeNotify = 20 * time.Millisecond
)

// tlsLink lets TLS calls wait in slices: a TLS write that met a deadline breaks
// the session for good, so writes happen in one goroutine and callers wait for it.
type tlsLink struct {
	conn  *tls.Conn
	shook chan struct{} // closed once the handshake ended
	hsErr error

	jobs chan []byte   // at most one piece
	free chan struct{} // a token: nothing is being written
	buf  []byte        // the piece being written
	quit chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu  sync.Mutex
	err error // of the last write
}

func newTLSLink(conn *tls.Conn) *tlsLink {
	l := &tlsLink{
		conn: conn, shook: make(chan struct{}), jobs: make(chan []byte, 1), free: make(chan struct{}, 1),
		quit: make(chan struct{}),
	}
	l.free <- struct{}{}
	l.done.Add(1)
	go l.run()
	return l
}

func (l *tlsLink) run() {
	defer l.done.Done()
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	l.hsErr = l.conn.HandshakeContext(ctx) // at once when the dialler did it already
	cancel()
	close(l.shook)
	if l.hsErr != nil {
		_ = l.conn.NetConn().Close() // the peer is told now, not when its user closes
	}
	for {
		select {
		case p := <-l.jobs:
			_, err := l.conn.Write(p)
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			l.free <- struct{}{}
		case <-l.quit:
			return
		}
	}
}

// ready waits for the end of the handshake.
func (l *tlsLink) ready(limit time.Duration, life *transport.Life) error {
	select {
	case <-l.shook:
		return l.handshake()
	default:
	}
	if err := wait(l.shook, limit, life); err != nil {
		return err
	}
	return l.handshake()
}

func (l *tlsLink) handshake() error {
	if l.hsErr != nil {
		return tsterr.Wrap(tsterr.TCPBroken, l.hsErr, "TLS handshake")
	}
	return nil
}

// write hands p to the goroutine once it is free and waits for it up to limit.
func (l *tlsLink) write(p []byte, limit time.Duration, life *transport.Life) (int, error) {
	start := time.Now()
	if err := l.ready(limit, life); err != nil {
		return 0, err
	}
	if err := wait(l.free, left(limit, start), life); err != nil {
		return 0, err
	}
	l.mu.Lock()
	err := l.err
	l.mu.Unlock()
	if err != nil {
		l.free <- struct{}{}
		return 0, err
	}
	l.buf = append(l.buf[:0], p...)
	l.jobs <- l.buf
	if wait(l.free, left(limit, start), life) == nil {
		l.mu.Lock()
		err = l.err
		l.mu.Unlock()
		l.free <- struct{}{}
		if err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func left(limit time.Duration, start time.Time) time.Duration {
	if limit <= 0 {
		return limit
	}
	return max(0, limit-time.Since(start))
}

func wait(c <-chan struct{}, limit time.Duration, life *transport.Life) error {
	var timeout <-chan time.Time
	if limit >= 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-c:
		return nil
	case <-life.Done():
		return life.Err("TLS")
	case <-timeout:
		select {
		case <-c:
			return nil
		default:
			return transport.Timeout("TLS")
		}
	}
}

// close lets a piece under way leave, says goodbye, and tells the goroutine to end.
func (l *tlsLink) close() {
	select {
	case <-l.shook:
		if l.hsErr == nil {
			t := time.NewTimer(closeNotify)
			select {
			case <-l.free:
				_ = l.conn.NetConn().SetDeadline(time.Now().Add(closeNotify))
				_ = l.conn.CloseWrite()
			case <-t.C:
			}
			t.Stop()
		}
	default:
	}
	l.once.Do(func() { close(l.quit) })
}

// wait returns once the goroutine has ended; the connection under it is closed.
func (l *tlsLink) wait() {
	select {
	case <-l.free: // makes room for the token of a write that just failed
	default:
	}
	l.done.Wait()
}
