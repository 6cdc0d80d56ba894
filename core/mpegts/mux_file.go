package mpegts

import (
	"io"
	"os"

	"github.com/tstrans/tstrans/core/internal/prealloc"
	"github.com/tstrans/tstrans/core/tsterr"
)

// sinkBlock is the length of a write to a file: shorter ones cost more than
// the muxing (a file takes 1 MiB in the time of thirty small calls).
const sinkBlock = 1 << 20

// sinkRoom is a block with room for the last push that goes into it.
const sinkRoom = sinkBlock + sinkBlock/4

// FileSink writes what a muxer makes to a file in large blocks. While it is
// open, pushes that go through it build their packets in the block itself; the
// block before may still be on its way to the file, written by a goroutine.
type FileSink struct {
	m   *Muxer
	f   *os.File
	buf []byte
	err error // the first write error

	// written tells how the block on its way ended; nil while none is. The
	// goroutine that writes it owns spare, ahead and size until then.
	written chan error
	spare   []byte
	ahead   prealloc.File
	size    int64 // of a regular file that is written at its end
}

// NewFileSink writes to f, which stays the caller's to close, from where it
// stands. What waits in the muxer comes first.
func NewFileSink(m *Muxer, f *os.File) *FileSink {
	s := &FileSink{m: m, f: f, buf: make([]byte, 0, sinkRoom)}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		if at, err := f.Seek(0, io.SeekCurrent); err == nil && at == st.Size() {
			s.size, s.ahead = at, prealloc.New(f)
		}
	}
	s.takePending(m)
	return s
}

// Close waits for the block on its way and gives back disk space that was asked
// for ahead. It writes nothing and leaves the file open.
func (s *FileSink) Close() {
	_ = s.wait() // the caller flushed, or does not care
	s.ahead.End(s.size)
}

// Enter sends the pushes until Leave to the file; what waits in the muxer
// goes before them.
func (s *FileSink) Enter() error {
	if s.err != nil {
		return s.err
	}
	s.m.sink = s
	return nil
}

// Leave ends Enter.
func (s *FileSink) Leave() { s.m.sink = nil }

// room gives the memory for n packets behind what waits.
func (s *FileSink) room(m *Muxer, n int) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.takePending(m)
	at, size := len(s.buf), n*PacketSize
	if at+size > cap(s.buf) {
		grown := make([]byte, at, at+size+sinkBlock/4)
		copy(grown, s.buf)
		s.buf = grown
	}
	s.buf = s.buf[:at+size]
	return s.buf[at:], nil
}

func (s *FileSink) takePending(m *Muxer) {
	if wait := m.Pending(); len(wait) > 0 {
		s.buf = append(s.buf, wait...)
		m.Discard(len(wait))
	}
}

// pushed hands the block over once it is full. A push tells of the failure of
// the block before.
func (s *FileSink) pushed() error {
	if len(s.buf) < sinkBlock {
		if len(s.written) > 0 {
			return s.wait()
		}
		return nil
	}
	if err := s.wait(); err != nil {
		return err
	}
	if s.spare == nil {
		s.spare = make([]byte, 0, sinkRoom)
	}
	s.buf, s.spare = s.spare[:0], s.buf
	done := make(chan error, 1)
	s.written = done
	go func() { done <- s.write(s.spare) }()
	return nil
}

// wait waits for the block on its way.
func (s *FileSink) wait() error {
	if s.written != nil {
		if err := <-s.written; s.err == nil {
			s.err = err
		}
		s.written = nil
	}
	return s.err
}

// write writes a block. What the file took before an error stays in it.
func (s *FileSink) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s.ahead.Before(s.size, int64(len(b)))
	n, err := s.f.Write(b)
	s.size += int64(n)
	if err != nil {
		return tsterr.IOError(err, "cannot write")
	}
	return nil
}

// Flush writes everything that was pushed, also past the sink.
func (s *FileSink) Flush() error {
	if err := s.wait(); err != nil {
		return err
	}
	s.takePending(s.m)
	if s.err = s.write(s.buf); s.err == nil {
		s.buf = s.buf[:0]
	}
	return s.err
}
