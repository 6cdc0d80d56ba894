package pipeline

import (
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
)

// SendPending sends every packet that waits in a muxer, in messages of at most
// seven. What cannot be sent in time stays in the muxer.
func SendPending(w transport.Writer, m *mpegts.Muxer, timeout time.Duration) error {
	end := deadlineOf(timeout)
	var spans [64]transport.Span
	for {
		data := m.Pending()
		if len(data) == 0 {
			return nil
		}
		n := 0
		for at := 0; at < len(data) && n < len(spans); at += bundleSize {
			spans[n] = transport.Span{Off: uint32(at), Len: uint32(min(bundleSize, len(data)-at))} //nolint:gosec // small
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
