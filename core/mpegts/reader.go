package mpegts

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// readStep is the unit of input in which a Reader fails, in bytes: the events of
// a step that raised an error are dropped, those before were delivered.
const readStep = 64 << 10

// waitSlice bounds how long a cancellation goes unnoticed.
const waitSlice = 50 * time.Millisecond

// Reader reads a transport stream from a file, FIFO, pipe or device and turns it
// into events. One goroutine at a time, but for Cancel.
type Reader struct {
	d         *Demuxer
	fd        int
	owned     *os.File // nil where the descriptor is the caller's
	regular   bool
	start     int64 // offset in a regular file at which reading began
	taken     int64 // input bytes read
	ahead     *readAhead
	err       error // why it ended; sticky
	eof       bool
	cancelled atomic.Bool
}

// OpenReader opens a file by its path.
func OpenReader(path string, cfg DemuxerConfig) (*Reader, error) {
	// A FIFO without a writer must not block here: waiting is Read's business.
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, ioError(err, "open")
	}
	r, err := newReader(int(f.Fd()), cfg)
	if err != nil {
		_ = f.Close() // the first error is the one to report
		return nil, err
	}
	r.owned = f
	return r, nil
}

// NewReader reads from a descriptor that stays the caller's, from where it
// stands. The offset of a regular file is left as it is.
func NewReader(fd int, cfg DemuxerConfig) (*Reader, error) { return newReader(fd, cfg) }

func newReader(fd int, cfg DemuxerConfig) (*Reader, error) {
	regular, dir, err := describe(fd)
	switch {
	case err != nil:
		return nil, ioError(err, "stat")
	case dir:
		return nil, ioError(syscall.EISDIR, "open")
	}
	d, err := NewDemuxer(cfg)
	if err != nil {
		return nil, err
	}
	r := &Reader{d: d, fd: fd, regular: regular}
	if regular {
		r.start = position(fd)
	}
	return r, nil
}

// ioError keeps the errno for callers in other languages.
func ioError(err error, what string) error {
	e := tsterr.Wrap(tsterr.IO, err, "%s", what)
	var no syscall.Errno
	if errors.As(err, &no) {
		return e.With("errno", int64(no))
	}
	return e
}

// Demuxer gives the demuxer behind the reader, for its counters.
func (r *Reader) Demuxer() *Demuxer { return r.d }

// Cancel ends a Read that waits, and all later ones. Any goroutine.
func (r *Reader) Cancel() { r.cancelled.Store(true) }

// Close gives everything back but the chunks handed out.
func (r *Reader) Close() error {
	r.Cancel()
	if r.ahead != nil {
		r.ahead.close()
	}
	err := r.d.Close()
	if r.owned != nil {
		f := r.owned
		r.owned = nil
		err = errors.Join(err, f.Close())
	}
	return err
}

// Read is Demuxer.Read over the input. It waits up to timeout (below 0: without
// end) for a FIFO, pipe or device to give more. Its error is of kind Timeout,
// Cancelled, EOS, IO, or a fault of the stream, which ends the reader.
func (r *Reader) Read(recs []Record, arena []byte, timeout time.Duration) (n, used int, chunk *Chunk, need int, err error) {
	var deadline time.Time
	for {
		if r.cancelled.Load() {
			return 0, 0, nil, 0, errCancelled
		}
		if n, used, chunk, need = r.d.Read(recs, arena); n > 0 || need > 0 {
			return n, used, chunk, need, nil
		}
		if r.err != nil {
			return 0, 0, nil, 0, r.err
		}
		if r.eof {
			r.d.Flush()
			r.err = errEOS
			continue
		}
		wait := waitSlice
		switch {
		case timeout == 0:
			wait = 0
		case timeout > 0:
			if deadline.IsZero() {
				deadline = time.Now().Add(timeout)
			}
			wait = max(0, min(wait, time.Until(deadline)))
		}
		more, err := r.fill(wait)
		if err != nil {
			r.err = err
			continue
		}
		if !more && !r.eof && timeout >= 0 && (timeout == 0 || !time.Now().Before(deadline)) {
			return 0, 0, nil, 0, errTimeout
		}
	}
}

// The outcomes a caller expects; without detail, so that they can be shared.
var (
	errCancelled = &tsterr.Error{Kind: tsterr.Cancelled, Msg: "reading was cancelled", Offset: tsterr.NoOffset}
	errTimeout   = &tsterr.Error{Kind: tsterr.Timeout, Msg: "no input in the time given", Offset: tsterr.NoOffset}
	errEOS       = &tsterr.Error{Kind: tsterr.EOS, Msg: "the input has ended", Offset: tsterr.NoOffset}
)

// fill reads more input and parses it. It tells whether there was some.
func (r *Reader) fill(wait time.Duration) (bool, error) {
	if !r.regular {
		if ready, err := waitReadable(r.fd, wait); err != nil {
			return false, ioError(err, "poll")
		} else if !ready {
			return false, nil
		}
	}
	n := chunkInput
	if r.d.chunk != nil && r.d.end < len(r.d.buf) {
		n = len(r.d.buf) - r.d.end
	}
	if limit := r.limit(); limit > 0 {
		n = int(min(int64(n), limit-r.taken))
	}
	if n == 0 {
		r.eof = true
		return false, nil
	}
	k, err := r.read(n)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false, nil
	case err != nil:
		return false, ioError(err, "read")
	case k == 0:
		r.eof = true
		return false, nil
	}
	r.taken += int64(k)
	return true, r.d.steps(k)
}

// limit is the input offset at which reading ends; 0 for none.
func (r *Reader) limit() int64 { return (r.d.cfg.ReadLimit + readStep - 1) / readStep * readStep }

// read puts up to n bytes behind the input that is there.
func (r *Reader) read(n int) (int, error) {
	if !r.regular {
		return readFD(r.fd, r.d.room()[:n])
	}
	if r.ahead == nil && r.taken >= chunkInput {
		r.ahead = newReadAhead(r.d.pool, r.fd, r.start, r.taken, r.limit())
	}
	if r.ahead != nil && r.d.end == len(r.d.buf) {
		block, k, err := r.ahead.next(r.taken)
		if k <= 0 || err != nil {
			r.d.pool.Put(block)
			return 0, err
		}
		r.d.startChunk(block)
		return k, nil
	}
	return preadFD(r.fd, r.d.room()[:n], r.start+r.taken)
}

// steps parses n bytes that were read into the chunk, one readStep of the input
// after the other.
func (d *Demuxer) steps(n int) error {
	stop := d.end + n
	d.stats.BytesTotal += uint64(n)
	for d.end < stop {
		next := min(stop, d.end+readStep-int((d.base+uint64(d.end))%readStep))
		if int64(next-d.pos) > d.cfg.SyncBufCap {
			return tsterr.New(tsterr.DemuxSyncBufExhausted,
				"%d bytes with %d left over exceed the %d bytes that may wait", next-d.end, d.end-d.pos, d.cfg.SyncBufCap)
		}
		d.end = next
		mark := len(d.cur.recs)
		if err := d.parse(next); err != nil {
			d.cur.truncate(mark)
			return err
		}
	}
	return nil
}
