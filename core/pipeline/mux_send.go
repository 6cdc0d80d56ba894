package pipeline

import (
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
)

// bundler is a writer whose messages take more or fewer packets than seven.
type bundler interface {
	// BundleSize is the most of a message in bytes, a multiple of 188. With 0
	// nothing can be sent at all.
	BundleSize() int
}

// SendPending sends every packet that waits in a muxer, in messages of at most
// seven or as many as the writer says. What cannot be sent in time stays in the
// muxer.
func SendPending(w transport.Writer, m *mpegts.Muxer, timeout time.Duration) error {
	end := deadlineOf(timeout)
	var spans [64]transport.Span
	size := bundleSize
	if b, ok := w.(bundler); ok {
		if size = b.BundleSize(); size <= 0 {
			m.Discard(len(m.Pending()))
			return nil
		}
	}
	for {
		data := m.Pending()
		if len(data) == 0 {
			return nil
		}
		n := 0
		for at := 0; at < len(data) && n < len(spans); at += size {
			spans[n] = transport.Span{Off: uint32(at), Len: uint32(min(size, len(data)-at))} //nolint:gosec // small
			n++
		}
		k, err := w.WriteBatch(data, spans[:n], left(end, timeout))
		sent := 0
		for _, s := range spans[:k] {
			sent += int(s.Len)
		}
		m.Discard(sent)
		if err != nil {
			return err
		}
	}
}
