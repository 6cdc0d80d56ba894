package pipeline

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// wire is a link in memory: messages written can be read.
type wire struct {
	messages [][]byte
	full     int // this many writes time out
	fresh    int // before which message the link is new; -1: never
}

func (w *wire) WriteBatch(data []byte, spans []transport.Span, _ time.Duration) (int, error) {
	for i, s := range spans {
		if w.full > 0 {
			w.full--
			return i, transport.Timeout("send")
		}
		w.messages = append(w.messages, bytes.Clone(data[s.Off:s.Off+s.Len]))
	}
	return len(spans), nil
}

func (w *wire) ReadBatch(arena []byte, spans []transport.Span, _ time.Duration) (int, error) {
	if len(w.messages) == 0 {
		return 0, tsterr.New(tsterr.EOS, "end")
	}
	spans[0] = transport.Span{Len: uint32(copy(arena, w.messages[0]))}
	w.messages = w.messages[1:]
	if w.fresh == 0 {
		w.fresh = -1
		return 1, tsterr.New(tsterr.Discontinuity, "new")
	}
	w.fresh--
	return 1, nil
}
func (*wire) Stats() transport.Stats { return transport.Stats{} }
func (*wire) Cancel()                {}
func (*wire) Close() error           { return nil }

func packets(from, n int) []byte {
	var out []byte
	for i := from; i < from+n; i++ {
		p := bytes.Repeat([]byte{0xAA}, packetSize)
		p[0] = syncByte
		binary.BigEndian.PutUint32(p[4:], uint32(i))
		out = append(out, p...)
	}
	return out
}

func writeAll(t *testing.T, w *TSWriter, data []byte) {
	t.Helper()
	for at := 0; at < len(data); {
		n, err := w.Write(data[at:], 0)
		if err != nil && !transport.IsTimeout(err) {
			t.Fatal(err)
		}
		at += n
	}
}

func sizes(w *wire) (n []int) {
	for _, m := range w.messages {
		n = append(n, len(m)/packetSize)
	}
	return n
}

func TestWriterBundles(t *testing.T) {
	w := &wire{}
	ts := NewTSWriter(w)
	writeAll(t, ts, packets(0, 2))
	if err := ts.Flush(0); err != nil || len(w.messages) != 0 {
		t.Error("two packets are not enough to be sure:", err, sizes(w))
	}
	writeAll(t, ts, packets(2, 6))
	if got := sizes(w); len(got) != 1 || got[0] != 7 {
		t.Error(got)
	}
	if err := ts.Flush(0); err != nil {
		t.Fatal(err)
	}
	writeAll(t, ts, packets(8, 92)[:92*packetSize-10])
	_ = ts.Flush(0)
	_ = ts.Flush(0)
	if got := sizes(w); len(got) != 15 || got[1] != 1 || got[14] != 0 && got[14] > 7 {
		t.Error(got)
	}
	if all := bytes.Join(w.messages, nil); !bytes.Equal(all, packets(0, 99)) {
		t.Errorf("%d bytes", len(all))
	}
}

func TestWriterRefusesWhatIsNoTransportStream(t *testing.T) {
	w := &wire{}
	ts := NewTSWriter(w)
	junk := make([]byte, 40000)
	n, err := ts.Write(junk, 0)
	if tsterr.KindOf(err) != tsterr.SRTInputMalformed || n <= MaxUnsynced || n > MaxUnsynced+bundleSize {
		t.Fatal(n, err)
	}
	writeAll(t, ts, packets(0, 7)) // and goes on
	if got := sizes(w); len(got) != 1 || got[0] != 7 {
		t.Error(got)
	}
}

// Whatever the pieces, junk and stalls are: what goes in comes out once, in order.
func TestFramingRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := &wire{fresh: -1}
		ts := NewTSWriter(w)
		var want []byte
		stream := bytes.Repeat([]byte{1}, r.IntN(400))
		for i, n := 0, 0; n < 5; n++ {
			k := 4 + r.IntN(60)
			want = append(want, packets(i, k)...)
			stream = append(stream, packets(i, k)...)
			i += k
			stream = append(stream, bytes.Repeat([]byte{2}, r.IntN(2)*r.IntN(300))...)
		}
		for at := 0; at < len(stream); {
			n := min(len(stream)-at, 1+r.IntN(5000))
			w.full = r.IntN(3)
			writeAll(t, ts, stream[at:at+n])
			at += n
		}
		w.full = 0
		if err := ts.Flush(0); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Join(w.messages, nil); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %d bytes out, %d wanted", seed, len(got), len(want))
		}
		// Cut the same bytes in other messages and read them back.
		all := bytes.Join(w.messages, nil)
		w.messages = nil
		for at := 0; at < len(all); {
			n := min(len(all)-at, 1+r.IntN(2000))
			w.messages = append(w.messages, all[at:at+n])
			at += n
		}
		rd := NewTSReader(w)
		var got []byte
		arena := make([]byte, ReadArena)
		for {
			n, err := rd.Read(arena, transport.Forever)
			got = append(got, arena[:n]...)
			if err != nil {
				break
			}
			if n%packetSize != 0 {
				t.Fatal(n)
			}
		}
		if !bytes.Equal(got, want) || rd.Dropped() != 0 {
			t.Fatalf("seed %d: %d bytes read, %d wanted, %d dropped", seed, len(got), len(want), rd.Dropped())
		}
	}
}

func TestReaderStartsAnewOnANewLink(t *testing.T) {
	w := &wire{messages: [][]byte{packets(0, 7), packets(7, 1)[:100], packets(20, 7)}, fresh: 2}
	rd := NewTSReader(w)
	arena := make([]byte, ReadArena)
	if n, err := rd.Read(arena, 0); n != 7*packetSize || err != nil {
		t.Fatal(n, err)
	}
	n, err := rd.Read(arena, transport.Forever)
	if tsterr.KindOf(err) != tsterr.Discontinuity || !bytes.Equal(arena[:n], packets(20, 7)) || rd.Dropped() != 100 {
		t.Fatal(n, err, rd.Dropped())
	}
	if _, err := rd.Read(arena[:100], 0); tsterr.KindOf(err) != tsterr.BufferTooSmall {
		t.Error(err)
	}
}

func FuzzTSReader(f *testing.F) {
	f.Add(packets(0, 9), 100)
	f.Add(append([]byte{1, 2, 3}, packets(0, 9)...), 1316)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		w := &wire{fresh: -1}
		if cut < 1 || cut > 2000 {
			return
		}
		for at := 0; at < len(b); at += cut {
			w.messages = append(w.messages, b[at:min(len(b), at+cut)])
		}
		rd, arena, total := NewTSReader(w), make([]byte, ReadArena), uint64(0)
		for {
			n, err := rd.Read(arena, transport.Forever)
			if n%packetSize != 0 {
				t.Fatal(n)
			}
			for i := 0; i < n; i += packetSize {
				if arena[i] != syncByte {
					t.Fatal("no packet")
				}
			}
			total += uint64(n)
			if err != nil {
				break
			}
		}
		if total+rd.Dropped()+uint64(len(rd.carry)) != uint64(len(b)) {
			t.Fatalf("%d of %d bytes accounted for", total+rd.Dropped(), len(b))
		}
	})
}

func BenchmarkTSWriter(b *testing.B) {
	ts := NewTSWriter(&discard{})
	data := packets(0, 70)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ts.Write(data, transport.Forever); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{ wire }

func (*discard) WriteBatch(_ []byte, s []transport.Span, _ time.Duration) (int, error) {
	return len(s), nil
}
