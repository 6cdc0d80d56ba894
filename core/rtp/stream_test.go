package rtp

import (
	"math/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func epoch() time.Time     { return time.Unix(1_700_000_000, 0) }
func zeroAddr() netip.Addr { return netip.Addr{} }

func packet(seq uint16, ts, ssrc uint32) []byte {
	b := make([]byte, HeaderSize+2)
	p := Packet{PayloadType: 33, Sequence: seq, Timestamp: ts, SSRC: ssrc}
	p.PutHeader(b)
	b[HeaderSize], b[HeaderSize+1] = byte(seq>>8), byte(seq)
	return b
}

func TestSequenceCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		in               []uint16
		lost, dups, late uint64
		last             Arrival
	}{
		{"in order over the wrap", []uint16{65534, 65535, 0, 1}, 0, 0, 0, Next},
		{"gap over the wrap", []uint16{65534, 1}, 2, 0, 0, Gap},
		{"late one takes its loss back", []uint16{10, 13, 11}, 1, 0, 1, Late},
		{"repeats", []uint16{10, 10, 11, 10}, 0, 2, 0, Duplicate},
		{"late twice", []uint16{10, 12, 11, 11}, 0, 1, 1, Duplicate},
		{"before the first one", []uint16{10, 9}, 0, 0, 1, Late},
		{"one stray number", []uint16{10, 40000, 11}, 0, 0, 0, Next},
		{"a sender that began anew", []uint16{10, 12, 40000, 40001, 40002}, 1, 0, 0, Next},
	} {
		var s Sequence
		var a Arrival
		for _, q := range c.in {
			a = s.Add(q)
		}
		if s.Lost() != c.lost || s.dups != c.dups || s.late != c.late || a != c.last {
			t.Errorf("%s: lost %d dups %d late %d last %d", c.name, s.Lost(), s.dups, s.late, a)
		}
	}
}

// faults drops, repeats and moves packets of a stream, and says what it did.
func faults(r *rand.Rand, n int, loss, dup, reorder float64) (out []uint16, lost, dups int) {
	type item struct {
		at  int
		seq uint16
	}
	var items []item
	for i := range n {
		seq := uint16(60000 + i) //nolint:gosec // the wrap is the point
		if r.Float64() < loss && i > 0 && i < n-1 {
			lost++
			continue
		}
		at := i
		if r.Float64() < reorder {
			at += 1 + r.Intn(8)
		}
		items = append(items, item{at, seq})
		if r.Float64() < dup {
			dups++
			items = append(items, item{at + 1 + r.Intn(3), seq})
		}
	}
	for at := 0; at < n+20; at++ {
		for _, it := range items {
			if it.at == at {
				out = append(out, it.seq)
			}
		}
	}
	return out, lost, dups
}

func TestLossesAreCountedExactly(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(1))
	seqs, lost, dups := faults(r, 5000, 0.05, 0.01, 0.02)
	for _, hold := range []time.Duration{0, DefaultHold} {
		in := NewInbound(InboundConfig{PayloadType: 33, Hold: hold})
		now, last, first := epoch(), uint16(0), true
		out, ooo := 0, 0
		seen := map[uint16]bool{}
		take := func() {
			for p, ok := in.Pop(now); ok; p, ok = in.Pop(now) {
				if p.Payload[0] != byte(p.Sequence>>8) || p.Payload[1] != byte(p.Sequence) {
					t.Fatal("payload of another packet")
				}
				if !first && int16(p.Sequence-last) <= 0 { //nolint:gosec // the wrap is the point
					ooo++
				}
				last, first = p.Sequence, false
				seen[p.Sequence] = true
				out++
			}
		}
		for i, q := range seqs {
			now = now.Add(time.Millisecond)
			in.Push(packet(q, uint32(i), 7), zeroAddr(), now) //nolint:gosec // small
			take()
		}
		now = now.Add(time.Second)
		take()
		s := in.Stats()
		if s.Lost != uint64(lost) || s.Duplicates != uint64(dups) { //nolint:gosec // not negative
			t.Errorf("hold %v: lost %d of %d, repeats %d of %d", hold, s.Lost, lost, s.Duplicates, dups)
		}
		if hold > 0 && (ooo != 0 || out != len(seen) || len(seen) != 5000-lost) {
			t.Errorf("hold %v: %d out of order, %d delivered, %d different", hold, ooo, out, len(seen))
		}
		if hold == 0 && (out != len(seqs) || ooo == 0) {
			t.Errorf("without order: %d of %d delivered, %d out of order", out, len(seqs), ooo)
		}
	}
}

func TestReorderHoldsNoLongerThanAsked(t *testing.T) {
	t.Parallel()
	in := NewInbound(InboundConfig{PayloadType: 33, Hold: 20 * time.Millisecond})
	now := epoch()
	in.Push(packet(1, 0, 7), zeroAddr(), now)
	if _, ok := in.Pop(now); !ok || in.Wait(now) >= 0 {
		t.Fatal("a packet in order waits")
	}
	in.Push(packet(3, 0, 7), zeroAddr(), now)
	if _, ok := in.Pop(now); ok || in.Wait(now) != 20*time.Millisecond {
		t.Fatal("a gap is not waited for")
	}
	now = now.Add(20 * time.Millisecond)
	if p, ok := in.Pop(now); !ok || p.Sequence != 3 {
		t.Fatal("held too long")
	}
	// A new source and a long gap deliver what is held, in order, at once.
	for _, next := range [][]byte{packet(5, 0, 7), packet(900, 0, 7), packet(6, 0, 8)} {
		in.Push(next, zeroAddr(), now)
		for _, ok := in.Pop(now); ok; _, ok = in.Pop(now) {
			continue
		}
	}
	if s := in.Stats(); s.Packets != 5 || s.SSRCChanges != 1 {
		t.Errorf("%+v", s)
	}
	in.Push(packet(7, 0, 8), zeroAddr(), now)
	if p, ok := in.Pop(now); !ok || p.SSRC != 8 {
		t.Fatal("the new source is stuck")
	}
}

func TestSourcePinAndPayloadType(t *testing.T) {
	t.Parallel()
	me, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	in := NewInbound(InboundConfig{PayloadType: 33, Source: me})
	now := epoch()
	in.Push(packet(1, 0, 7), other, now)
	in.Push([]byte("garbage"), me, now)
	b := packet(1, 0, 7)
	b[1] = 96
	in.Push(b, me, now)
	if _, ok := in.Pop(now); ok {
		t.Fatal("something was taken")
	}
	if s := in.Stats(); s.Rejected != 1 || s.Malformed != 2 || s.Packets != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReportsReadByPion(t *testing.T) {
	t.Parallel()
	now := epoch()
	out := NewOutbound(33, nil, ClockRate, 1000, now)
	in := NewInbound(InboundConfig{PayloadType: 33})
	var h [HeaderSize]byte
	for i := range 100 {
		now = now.Add(10 * time.Millisecond)
		out.Next(h[:], out.Now(now), false, 0)
		if i == 50 { // one is lost
			continue
		}
		in.Push(h[:], zeroAddr(), now)
	}
	in.Control(out.Report("me", now, out.Now(now)), zeroAddr(), now)
	m := in.Clock()
	if at, ok := m.Time(out.Now(now.Add(time.Second))); !ok || at.Sub(now.Add(time.Second)).Abs() > 20*time.Microsecond {
		t.Errorf("mapped to %v, wanted %v", at, now.Add(time.Second))
	}
	if ts, ok := m.TimestampAt(now.Add(-time.Second)); !ok || ts-out.Now(now.Add(-time.Second))+1 > 2 {
		t.Errorf("mapped back to %d", ts)
	}
	now = now.Add(500 * time.Millisecond)
	ps, err := rtcp.Unmarshal(in.Report(9, "me", now))
	if err != nil {
		t.Fatal(err)
	}
	rr := ps[0].(*rtcp.ReceiverReport) //nolint:forcetypeassert // what was just written
	r := rr.Reports[0]
	if rr.SSRC != 9 || r.SSRC != out.SSRC || r.TotalLost != 1 || r.FractionLost != 2 || r.Delay != 32768 {
		t.Errorf("%+v", rr)
	}
	if uint16(r.LastSequenceNumber) != out.Sequence()-1 { //nolint:gosec // its low half
		t.Errorf("highest sequence %d, wanted %d", r.LastSequenceNumber, out.Sequence()-1)
	}
	// RFC 3550 A.8: evenly spaced packets of a matching clock have no jitter to speak of.
	if r.Jitter > 2 {
		t.Errorf("jitter %d ticks", r.Jitter)
	}
	in.Control(out.Bye("me", now, 0), zeroAddr(), now)
	if s := in.Stats(); !s.Bye || s.SRReceived != 2 || s.RRSent != 1 {
		t.Errorf("%+v", s)
	}
	in.Control([]byte{1, 2, 3}, zeroAddr(), now)
	if in.Stats().Malformed != 1 {
		t.Error("a damaged report was not counted")
	}
}

func TestNTPTime(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		epoch(), time.Unix(0, 0), time.Date(2036, 2, 7, 6, 28, 16, 500, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 999_999_999, time.UTC),
	} {
		if d := NTPTime(NTP(at)).Sub(at).Abs(); d > time.Nanosecond {
			t.Errorf("%v came back %v off", at, d)
		}
	}
	// RFC 5905 figure 4: 1 January 1970 is 2,208,988,800 s into the prime epoch.
	if NTP(time.Unix(0, 0)) != 2_208_988_800<<32 {
		t.Error("epoch")
	}
}

func TestTimelineUnwraps(t *testing.T) {
	t.Parallel()
	var l Timeline
	for i, ts := range []uint32{0xFFFFFF00, 0x100, 0xFFFFFF80, 0x80000000} {
		want := []int64{0, 0x200, 0x80, 0x80 + 0x80000000 - 0xFFFFFF80}[i]
		if got := l.Extend(ts); got != want {
			t.Errorf("%d: %d, wanted %d", i, got, want)
		}
	}
}

func BenchmarkInbound(b *testing.B) {
	for _, hold := range []time.Duration{0, DefaultHold} {
		b.Run(hold.String(), func(b *testing.B) {
			in := NewInbound(InboundConfig{PayloadType: 33, Hold: hold})
			p := make([]byte, HeaderSize+1316)
			now := epoch()
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for i := range b.N {
				h := Packet{PayloadType: 33, Sequence: uint16(i), Timestamp: uint32(i), SSRC: 7} //nolint:gosec // they wrap
				h.PutHeader(p)
				in.Push(p, zeroAddr(), now)
				if _, ok := in.Pop(now); !ok {
					b.Fatal("nothing")
				}
			}
		})
	}
}
