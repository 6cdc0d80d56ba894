package pipeline

import (
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Framing of a transport stream in messages (ISO/IEC 13818-1 §2.4.3.2).
const (
	packetSize = 188
	syncByte   = 0x47
	// BundlePackets is how many packets a message carries: what fits an Ethernet frame.
	BundlePackets = 7
	bundleSize    = BundlePackets * packetSize
	// lockPackets is how many packet starts in a row a writer wants to see before it sends.
	lockPackets = 3
	// MaxUnsynced is how many bytes without packet starts a writer scans before it says so.
	MaxUnsynced = 18800
)

// TSWriter cuts a byte stream into messages of seven whole packets. What does not
// fill one stays until more comes or Flush. Bytes between packets are dropped.
type TSWriter struct {
	w       transport.Writer
	buf     []byte // complete packets of a message begun, then at most one cut packet
	ready   bool   // buf's packets are to go out before anything else
	synced  bool
	scanned int
	spans   [64]transport.Span
}

// NewTSWriter writes to w, which it does not close.
func NewTSWriter(w transport.Writer) *TSWriter {
	return &TSWriter{w: w, buf: make([]byte, 0, 2*bundleSize)}
}

// Write takes data over and sends the messages it completes, waiting up to
// timeout for room. It returns how many bytes were taken: on an error the rest
// may be written again. More than MaxUnsynced bytes without packets are
// SRTInputMalformed; they are dropped and the scan goes on.
func (t *TSWriter) Write(data []byte, timeout time.Duration) (int, error) {
	end := deadlineOf(timeout)
	at := 0
	for {
		if t.ready {
			if err := t.sendBuffered(left(end, timeout)); err != nil {
				return at, err
			}
		}
		rest := data[at:]
		switch {
		case len(rest) == 0:
			return at, nil
		case !t.synced:
			n, err := t.sync(rest)
			at += n
			if err != nil {
				return at, err
			}
		case len(t.buf) > 0:
			at += t.complete(rest)
		default:
			n, err := t.direct(rest, left(end, timeout))
			at += n
			if err != nil {
				return at, err
			}
		}
	}
}

// direct sends whole messages from where they lie; what is shorter is kept.
func (t *TSWriter) direct(data []byte, timeout time.Duration) (int, error) {
	packets := 0
	for (packets+1)*packetSize <= len(data) && packets < BundlePackets*len(t.spans) && data[packets*packetSize] == syncByte {
		packets++
	}
	if k := packets / BundlePackets; k > 0 {
		for i := range k {
			t.spans[i] = transport.Span{Off: uint32(i * bundleSize), Len: bundleSize} //nolint:gosec // small
		}
		n, err := t.w.WriteBatch(data, t.spans[:k], timeout)
		return n * bundleSize, err
	}
	at := packets * packetSize
	if at < len(data) && data[at] != syncByte {
		t.buf = append(t.buf, data[:at]...)
		t.synced, t.ready = false, at > 0
		return at, nil
	}
	t.buf = append(t.buf, data...)
	return len(data), nil
}

// complete adds to the message begun until it is full or data ends.
func (t *TSWriter) complete(data []byte) int {
	n := min(len(data), bundleSize-len(t.buf))
	from := len(t.buf)
	t.buf = append(t.buf, data[:n]...)
	for at := (from + packetSize - 1) / packetSize * packetSize; at < len(t.buf); at += packetSize {
		if t.buf[at] != syncByte {
			// Sync is lost here: what came before goes out, the search goes on from here.
			t.buf = t.buf[:at]
			t.synced, t.ready = false, at > 0
			return at - from
		}
	}
	t.ready = len(t.buf) == bundleSize
	return n
}

// sync looks for packet starts. It takes over what it has looked at.
func (t *TSWriter) sync(data []byte) (int, error) {
	const window = lockPackets * packetSize
	n := min(len(data), window-len(t.buf))
	t.buf = append(t.buf, data[:n]...)
	drop := 0
	for drop < len(t.buf) && !plausible(t.buf[drop:]) {
		drop++
	}
	t.scanned += drop
	t.buf = append(t.buf[:0], t.buf[drop:]...)
	if len(t.buf) == window {
		t.synced, t.scanned = true, 0
	}
	if t.scanned > MaxUnsynced {
		t.scanned = 0
		return n, tsterr.New(tsterr.SRTInputMalformed,
			"no packet start in more than %d bytes: this is no transport stream", MaxUnsynced)
	}
	return n, nil
}

// plausible reports whether b may begin with a packet as far as it goes.
func plausible(b []byte) bool {
	for i := 0; i < len(b) && i < lockPackets*packetSize; i += packetSize {
		if b[i] != syncByte {
			return false
		}
	}
	return true
}

// sendBuffered sends the whole packets that are held as one message.
func (t *TSWriter) sendBuffered(timeout time.Duration) error {
	whole := min(len(t.buf)/packetSize*packetSize, bundleSize)
	if whole > 0 {
		t.spans[0] = transport.Span{Len: uint32(whole)} //nolint:gosec // small
		if _, err := t.w.WriteBatch(t.buf, t.spans[:1], timeout); err != nil {
			return err
		}
		t.buf = append(t.buf[:0], t.buf[whole:]...)
	}
	t.ready = len(t.buf) >= bundleSize
	return nil
}

// Whole reports whether the next byte begins a message: packets were found, and none waits.
func (t *TSWriter) Whole() bool { return t.synced && !t.ready && len(t.buf) == 0 }

// Flush sends the whole packets that are held as one shorter message. A cut packet stays.
func (t *TSWriter) Flush(timeout time.Duration) error {
	if !t.synced && !t.ready {
		return nil
	}
	if len(t.buf) < packetSize {
		return nil
	}
	t.ready = true
	return t.sendBuffered(timeout)
}

func deadlineOf(timeout time.Duration) time.Time {
	if timeout <= 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}

func left(end time.Time, timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return timeout
	}
	return max(0, time.Until(end))
}
