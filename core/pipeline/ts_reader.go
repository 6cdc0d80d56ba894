package pipeline

import (
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// readLock is how many packet starts in a row a reader wants before it delivers.
	readLock = 4
	// ReadArena is the least buffer a TSReader reads into, in bytes.
	ReadArena = readLock*packetSize + 64<<10
)

// TSReader turns messages back into whole packets, whatever the messages' borders
// are. Until four packets in a row are found it delivers nothing, and then all of them.
type TSReader struct {
	r       transport.Reader
	carry   []byte // bytes that make no whole packet yet
	locked  bool
	spans   [transport.MaxBatch]transport.Span
	dropped uint64
}

// NewTSReader reads from r, which it does not close.
func NewTSReader(r transport.Reader) *TSReader {
	return &TSReader{r: r, carry: make([]byte, 0, 2*readLock*packetSize)}
}

// Dropped is the number of bytes that lay between packets.
func (t *TSReader) Dropped() uint64 { return t.dropped }

// Read fills arena, of at least ReadArena bytes, with whole packets and returns
// how many bytes they are. tsterr.Discontinuity comes with data: it is the first
// of a new link.
func (t *TSReader) Read(arena []byte, timeout time.Duration) (int, error) {
	if len(arena) < ReadArena {
		return 0, tsterr.New(tsterr.BufferTooSmall, "a read needs %d bytes", ReadArena).With("needed", ReadArena)
	}
	end := deadlineOf(timeout)
	fresh := false
	for {
		held := copy(arena, t.carry)
		n, err := t.r.ReadBatch(arena[held:], t.spans[:], left(end, timeout))
		switch {
		case tsterr.KindOf(err) == tsterr.Discontinuity:
			// The rest of the old link's last packet will not come any more.
			t.dropped += uint64(held)
			fresh, t.locked, t.carry = true, false, t.carry[:0]
			copy(arena, arena[held:held+used(t.spans[:n])])
			held = 0
		case n == 0:
			return 0, err
		}
		if out := t.align(arena, held+used(t.spans[:n])); out > 0 || fresh {
			if fresh {
				return out, tsterr.New(tsterr.Discontinuity, "the link was replaced")
			}
			return out, nil
		}
		if timeout == 0 {
			return 0, transport.Timeout("receive")
		}
	}
}

func used(spans []transport.Span) int {
	if len(spans) == 0 {
		return 0
	}
	last := spans[len(spans)-1]
	return int(last.Off + last.Len)
}

// align moves the whole packets of arena[:size] to its front and keeps the rest.
func (t *TSReader) align(arena []byte, size int) int {
	in, out := 0, 0
	for {
		if !t.locked {
			need := readLock * packetSize
			for in < size && !starts(arena[in:size]) {
				in++
				t.dropped++
			}
			if size-in < need {
				break
			}
			t.locked = true
		}
		for in+packetSize <= size && arena[in] == syncByte {
			if in != out {
				copy(arena[out:], arena[in:in+packetSize])
			}
			in += packetSize
			out += packetSize
		}
		if in == size || arena[in] == syncByte {
			break
		}
		t.locked = false
	}
	t.carry = append(t.carry[:0], arena[in:size]...)
	return out
}

// starts reports whether b may begin with readLock packets as far as it goes.
func starts(b []byte) bool {
	for i := 0; i < len(b) && i < readLock*packetSize; i += packetSize {
		if b[i] != syncByte {
			return false
		}
	}
	return true
}
