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

// FileSink writes what a muxer makes to a file in large blocks. While it is
// open, pushes that go through it build their packets in the block itself.
type FileSink struct {
	m   *Muxer
	f   *os.File
	buf []byte
	err error // the first write error

	ahead prealloc.File
	size  int64 // of a regular file that is written at its end
}

// NewFileSink writes to f, which stays the caller's to close, from where it
// stands. What waits in the muxer comes first.
func NewFileSink(m *Muxer, f *os.File) *FileSink {
	s := &FileSink{m: m, f: f, buf: make([]byte, 0, sinkBlock+sinkBlock/4)}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		if at, err := f.Seek(0, io.SeekCurrent); err == nil && at == st.Size() {
			s.size, s.ahead = at, prealloc.New(f)
		}
	}
	s.takePending(m)
	return s
}

// Close gives back blocks that were asked for ahead. It writes nothing and
// leaves the file open.
func (s *FileSink) Close() { s.ahead.End(s.size) }

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

// pushed counts a push and writes once a block is full.
func (s *FileSink) pushed() error {
	if len(s.buf) < sinkBlock {
		return nil
	}
	return s.write()
}

// write writes the block. What the file took before an error stays in it.
func (s *FileSink) write() error {
	if s.err != nil {
		return s.err
	}
	if len(s.buf) == 0 {
		return nil
	}
	s.ahead.Before(s.size, int64(len(s.buf)))
	n, err := s.f.Write(s.buf)
	s.size += int64(n)
	if err != nil {
		rest := copy(s.buf, s.buf[n:])
		s.buf = s.buf[:rest]
		s.err = tsterr.IOError(err, "cannot write")
		return s.err
	}
	s.buf = s.buf[:0]
	return nil
}

// Flush writes everything that was pushed, also past the sink.
func (s *FileSink) Flush() error {
	if s.err == nil {
		s.takePending(s.m)
	}
	return s.write()
}
