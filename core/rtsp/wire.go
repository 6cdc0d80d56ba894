package rtsp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// wire reads messages and interleaved frames from a connection (RFC 2326 §4,
// §10.12) and writes them. One thread reads, any may write.
type wire struct {
	nc      net.Conn
	limit   time.Duration // for a message, from its first byte to its last
	br      *bufio.Reader
	discard int
	frame   []byte

	now *offerer // nil: writes have to wait

	wmu  sync.Mutex // guards what follows
	wbuf []byte
	rest []byte // of an offer: goes out before anything else
}

// frameHeader is how long the header of an interleaved frame is, in bytes.
const frameHeader = 4

// message is one of the three things that arrive.
type message struct {
	req     *base.Request
	res     *base.Response
	isFrame bool
	channel byte
	frame   []byte // valid until the next read
}

func newWire(nc net.Conn, buffer int) *wire {
	return &wire{nc: nc, limit: requestTimeout, br: bufio.NewReaderSize(nc, buffer), now: newOfferer(nc)}
}

// errSyntax marks what cannot be read on: the connection has to end.
var errSyntax = errors.New("malformed message")

// errIdle says that no message began in time.
var errIdle = errors.New("idle")

// read waits until idle (zero: for ever) for a message to begin and a bounded
// time for it to be complete.
func (w *wire) read(idle time.Time) (m message, err error) {
	if w.discard > 0 {
		_, _ = w.br.Discard(w.discard) // it is buffered
		w.discard = 0
	}
	if w.br.Buffered() == 0 {
		_ = w.nc.SetReadDeadline(idle)
	}
	first, err := w.br.Peek(1)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = errIdle
		}
		return m, err //nolint:wrapcheck // the caller says what it means
	}
	if w.br.Buffered() < 4 || first[0] != base.InterleavedFrameMagicByte {
		_ = w.nc.SetReadDeadline(time.Now().Add(w.limit))
	}
	if first[0] == base.InterleavedFrameMagicByte {
		return w.readFrame()
	}
	head, err := w.br.Peek(5)
	if err != nil {
		return m, err //nolint:wrapcheck // see above
	}
	if string(head) == "RTSP/" {
		m.res = &base.Response{}
		err = m.res.Unmarshal(w.br)
	} else {
		m.req = &base.Request{}
		err = m.req.Unmarshal(w.br)
	}
	var ne net.Error
	if err != nil && !errors.As(err, &ne) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.Join(errSyntax, err)
	}
	return m, err
}

func (w *wire) readFrame() (m message, err error) {
	head, err := w.br.Peek(4)
	if err != nil {
		return m, err //nolint:wrapcheck // the caller says what it means
	}
	m.isFrame, m.channel = true, head[1]
	n := int(binary.BigEndian.Uint16(head[2:]))
	if w.br.Buffered() < 4+n {
		_ = w.nc.SetReadDeadline(time.Now().Add(w.limit))
	}
	if 4+n <= w.br.Size() {
		b, peekErr := w.br.Peek(4 + n)
		if peekErr != nil {
			return m, peekErr //nolint:wrapcheck // see above
		}
		m.frame, w.discard = b[4:], 4+n
		return m, nil
	}
	_, _ = w.br.Discard(4) // it is buffered
	if cap(w.frame) < n {
		w.frame = make([]byte, 1<<16)
	}
	m.frame = w.frame[:n]
	_, err = io.ReadFull(w.br, m.frame)
	return m, err //nolint:wrapcheck // see above
}

// write sends bytes as they are, within a time.
func (w *wire) write(b []byte, within time.Duration) error {
	w.wmu.Lock()
	defer w.wmu.Unlock()
	return w.writeLocked(b, within)
}

// writeLocked sends what an offer left over, and b.
func (w *wire) writeLocked(b []byte, within time.Duration) error {
	_ = w.nc.SetWriteDeadline(time.Now().Add(within))
	if len(w.rest) > 0 {
		n, err := w.nc.Write(w.rest)
		w.rest = w.rest[n:]
		if err != nil {
			return err //nolint:wrapcheck // the caller says what it means
		}
		w.rest = nil
	}
	if len(b) > 0 {
		if _, err := w.nc.Write(b); err != nil {
			return err //nolint:wrapcheck // see above
		}
	}
	if w.now != nil { // a deadline that passes meanwhile would fail the next offer
		_ = w.nc.SetWriteDeadline(time.Time{})
	}
	return nil
}

// claim lets the caller offer something, unless somebody writes or something is
// left over: then it reports false.
func (w *wire) claim() bool {
	if w.now == nil || !w.wmu.TryLock() {
		return false
	}
	if len(w.rest) > 0 {
		w.wmu.Unlock()
		return false
	}
	return true
}

// release ends a claim.
func (w *wire) release() { w.wmu.Unlock() }

// offer writes what the connection takes without waiting and keeps the rest,
// which the next write sends. The caller has a claim.
func (w *wire) offer(b []byte) (rest bool, err error) {
	n, err := w.now.write(b)
	if err == nil && n < len(b) {
		w.rest = append([]byte(nil), b[n:]...)
	}
	return n < len(b), err
}

// send sends a request or an answer.
func (w *wire) send(m interface{ Marshal() ([]byte, error) }, within time.Duration) error {
	b, err := m.Marshal()
	if err != nil {
		return err //nolint:wrapcheck // see above
	}
	return w.write(b, within)
}

// sendFrame sends an interleaved frame.
func (w *wire) sendFrame(channel byte, b []byte, within time.Duration) error {
	w.wmu.Lock()
	defer w.wmu.Unlock()
	w.wbuf = appendFrame(w.wbuf[:0], channel, b, nil)
	return w.writeLocked(w.wbuf, within)
}

// appendFrame appends an interleaved frame of two parts.
func appendFrame(to []byte, channel byte, a, b []byte) []byte {
	n := len(a) + len(b)
	to = append(to, base.InterleavedFrameMagicByte, channel, byte(n>>8), byte(n)) //nolint:gosec // sixteen bits
	return append(append(to, a...), b...)
}
