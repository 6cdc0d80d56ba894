package rtsp

import (
	"testing"

	"github.com/tstrans/tstrans/core/transport"
)

// A ring that a stall let grow is small again some time after.
func TestQueueShrinks(t *testing.T) {
	q := newQueue()
	m := make([]byte, 1316)
	for q.used+len(m) <= q.limit {
		q.put(m, nil, nil)
	}
	if len(q.buf) < QueueBytes {
		t.Fatalf("%d bytes", len(q.buf))
	}
	arena, spans := make([]byte, 1<<17), make([]transport.Span, 64)
	for q.used > 0 {
		if _, err := q.ReadBatch(arena, spans, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 * calmPuts {
		m[0] = byte(i)
		q.put(m, nil, nil)
		if n, err := q.ReadBatch(arena, spans, 0); err != nil || n != 1 || arena[0] != byte(i) {
			t.Fatal(n, err)
		}
	}
	if len(q.buf) > queueStart {
		t.Errorf("%d bytes are held", len(q.buf))
	}
	if s := q.Stats(); s.MessagesDropped != 0 {
		t.Errorf("%+v", s)
	}
}
