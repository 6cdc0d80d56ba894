package flow

import (
	"testing"
)

func TestStatisticsAcrossTheWrap(t *testing.T) {
	s := NewStatistics(8000)
	for i := range 10 {
		if i == 4 {
			continue
		}
		s.Add(float64(i)*0.02, uint16(65530+i), uint32(160*i))
	}
	if s.Expected() != 10 || s.Lost() != 1 || s.Received != 9 || s.Cycles != 65536 || s.Highest() != 65536+3 {
		t.Fatalf("%+v expected %d lost %d highest %d", s, s.Expected(), s.Lost(), s.Highest())
	}
	if s.Jitter() != 0 {
		t.Error("jitter", s.Jitter())
	}
	if f := s.FractionLost(); f != 25 { // 1 of 10, of 256
		t.Error("fraction", f)
	}
	if f := s.FractionLost(); f != 0 {
		t.Error("second fraction", f)
	}
}

func TestMissing(t *testing.T) {
	var m Missing
	for _, c := range []struct {
		seq  uint16
		gap  bool
		list []uint16
	}{
		{65534, false, nil},
		{1, true, []uint16{65535, 0}},
		{0, false, []uint16{65535}},
		{2, false, []uint16{65535}},
		{200, true, nil},
	} {
		if got := m.Add(c.seq); got != c.gap {
			t.Fatalf("%d: gap %v", c.seq, got)
		}
		if c.list != nil && !equal(m.List(), c.list) {
			t.Fatalf("%d: %v want %v", c.seq, m.List(), c.list)
		}
	}
	if len(m.List()) > History || m.List()[0] != 72 {
		t.Fatal(len(m.List()), m.List()[0])
	}
}

func equal(a, b []uint16) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestVideoWaitsThenGivesUp(t *testing.T) {
	j, err := NewJitterBuffer(JitterConfig{Capacity: 16, Video: true, WaitForLost: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, f := j.Add(0, 0, true, []byte{1}); f == nil {
		t.Fatal("the first frame is complete")
	}
	if pli, f := j.Add(2, 3000, true, []byte{3}); pli || f != nil || !j.Blocked() {
		t.Fatal("frame 2 waits for packet 1")
	}
	if pli, f := j.Add(3, 6000, true, []byte{4}); pli || f != nil {
		t.Fatal("and so does frame 3")
	}
	pli, f := j.Expire()
	// What lies right behind the gap may be whole or not: it is given with the wish for a key frame.
	if !pli || f == nil || f.Timestamp != 3000 || j.Blocked() {
		t.Fatal(pli, f)
	}
	if f = j.Next(); f == nil || f.Timestamp != 6000 {
		t.Fatal(f)
	}
}

func TestDrainGivesEverything(t *testing.T) {
	j, err := NewJitterBuffer(JitterConfig{Capacity: 16, Prefetch: 4, SkipGaps: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []uint16{0, 1, 3} {
		j.Add(s, uint32(s)*160, false, []byte{byte(s)})
	}
	var got []int
	for f := j.Drain(); f != nil; f = j.Drain() {
		got = append(got, int(f.Timestamp)/160, f.Lost)
	}
	if len(got) != 6 || got[0] != 0 || got[2] != 1 || got[4] != 3 || got[5] != 1 {
		t.Fatal(got)
	}
}

func TestPresses(t *testing.T) {
	list, err := Events("5", 160, 10, 8000)
	if err != nil || len(list) != 10 || list[6].Duration != 1120 || list[7].Duration != 1280 || !list[7].End {
		t.Fatal(list, err)
	}
	var r EventReceiver
	told := 0
	for range 2 { // every packet twice
		for _, e := range list {
			if got, ok := r.Add(7, e.Append(nil)); ok {
				told++
				if got.Digit() != "5" || got.Duration != 1280 {
					t.Fatal(got)
				}
			}
		}
	}
	if told != 1 {
		t.Fatal(told)
	}
	if _, err := Events("x", 160, 10, 8000); err == nil {
		t.Fatal("x is no digit")
	}
}

func FuzzJitterBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 0, 2, 2, 3, 9}, uint8(2), uint8(1))
	f.Add([]byte{255, 1, 254, 2, 0, 1, 7, 7}, uint8(4), uint8(7))
	f.Fuzz(func(t *testing.T, ops []byte, size, flags uint8) {
		capacity := 1 << (size % 8)
		j, err := NewJitterBuffer(JitterConfig{
			Capacity: capacity, Prefetch: int(size >> 4), Video: flags&1 != 0, SkipGaps: flags&2 != 0, KeepHeld: flags&4 != 0,
			WaitForLost: flags&8 != 0,
		})
		if err != nil {
			t.Fatal(err)
		}
		in, out := 0, 0
		count := func(f *Frame) {
			if f != nil {
				out += len(f.Packets)
			}
		}
		seq := uint16(65000)
		for i := 0; i+1 < len(ops); i += 2 {
			seq += uint16(int8(ops[i]))
			switch ops[i+1] % 8 {
			case 0:
				count(j.MarkOther(seq))
			case 1:
				_, f := j.Expire()
				count(f)
			default:
				in++
				_, f := j.Add(seq, uint32(seq/2)*160, ops[i+1]&64 != 0, []byte{1})
				count(f)
				for _, s := range j.Spilled() {
					out += len(s.Data)
				}
			}
			if j.Held() > capacity {
				t.Fatal("held", j.Held())
			}
		}
		for f := j.Drain(); f != nil; f = j.Drain() {
			count(f)
		}
		if j.Held() != 0 || out > in {
			t.Fatalf("held %d, in %d, out %d", j.Held(), in, out)
		}
	})
}

func FuzzPlayout(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 1, 0, 0, 0, 0, 9, 0})
	f.Add([]byte{131, 6, 6, 0, 0, 0, 6, 0, 6, 0, 0, 0, 6})
	f.Fuzz(func(t *testing.T, ops []byte) {
		wait := len(ops) > 0 && ops[0] >= 128
		p, err := NewPlayout(PlayoutConfig{SampleRate: 8000, FrameSamples: 160, WaitLate: wait}, 0)
		if err != nil {
			t.Fatal(err)
		}
		now, ts := 0.0, uint32(1<<32-800)
		for _, o := range ops {
			now += 0.02
			switch o % 5 {
			case 0:
				p.Tick(now)
			case 1:
				ts += 160 * uint32(o/5)
				p.Put(now, ts, []byte{o})
			case 2:
				p.Put(now, ts-uint32(o)*37, []byte{o})
			case 3:
				p.Suppress()
			case 4:
				p.SetNoise(int(o), ts)
			}
			if p.Depth() > maxPlayoutLen {
				t.Fatal("depth", p.Depth())
			}
			if p.Concealed > uint64(len(ops)) { // it is taken back where a frame was late
				t.Fatal("concealed", p.Concealed)
			}
		}
	})
}

func TestLateEndsOfPresses(t *testing.T) {
	var r EventReceiver
	end := func(ts uint32, code uint8) bool {
		_, ok := r.Add(ts, Event{Code: code, End: true, Duration: 800}.Append(nil))
		return ok
	}
	for i, c := range []struct {
		ts   uint32
		code uint8
		told bool
	}{
		{1000, 1, true}, {1000, 1, false}, {2000, 2, true}, {1000, 1, false}, // an end of the first came late
		{500, 3, true}, {2000, 2, false}, // the sender's timestamps need not grow
	} {
		if told := end(c.ts, c.code); told != c.told {
			t.Errorf("%d: told %v", i, told)
		}
	}
}

func TestLateFrameIsAnInsertion(t *testing.T) {
	type step struct {
		put  int // frame before the tick, -1: none
		want Action
		ts   uint32
	}
	for name, c := range map[string]struct {
		steps []step
		stats PlayoutStats
	}{
		"late": {
			[]step{{1, ActDecode, 0}, {-1, ActDecode, 160}, {-1, ActConceal, 320}, {2, ActDecode, 320}, {3, ActDecode, 480}},
			PlayoutStats{Expansions: 1},
		},
		"lost": {
			[]step{{1, ActDecode, 0}, {-1, ActDecode, 160}, {-1, ActConceal, 320}, {3, ActDecode, 480}, {4, ActDecode, 640}},
			PlayoutStats{Concealed: 1},
		},
		"too late": {
			[]step{{1, ActDecode, 0}, {-1, ActDecode, 160}, {-1, ActConceal, 320}, {-1, ActConceal, 480}, {2, ActConceal, 640}},
			PlayoutStats{Concealed: 3, LateDropped: 1},
		},
		"held behind it": { // then it is lost, as far as anybody can tell
			[]step{{1, ActDecode, 0}, {3, ActDecode, 160}, {-1, ActConceal, 320}, {2, ActDecode, 480}},
			PlayoutStats{Concealed: 1, LateDropped: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPlayout(PlayoutConfig{SampleRate: 8000, FrameSamples: 160, WaitLate: true}, 0)
			if err != nil {
				t.Fatal(err)
			}
			p.Put(0, 0, []byte{0})
			for i, s := range c.steps {
				now := 0.02 * float64(i+1)
				if s.put >= 0 {
					p.Put(now, 160*uint32(s.put), []byte{1}) //nolint:gosec // small
				}
				if k := p.Tick(now); k.Action != s.want || k.Timestamp != s.ts {
					t.Fatalf("tick %d: %+v", i, k)
				}
			}
			if p.PlayoutStats != c.stats {
				t.Fatalf("%+v", p.PlayoutStats)
			}
		})
	}
}

func TestNoiseBetweenTalkspurts(t *testing.T) {
	p, err := NewPlayout(PlayoutConfig{SampleRate: 8000, FrameSamples: 160}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(4) {
		p.Put(0.02*float64(i), 1000+160*i, []byte{byte(i)})
	}
	p.SetNoise(50, 1000+160*4)
	p.Put(0.2, 1000+160*8, []byte{8})
	p.Put(0.2, 1000+160*9, []byte{9})
	want := []Action{ActDecode, ActDecode, ActDecode, ActDecode, ActNoise, ActNoise, ActNoise, ActNoise, ActDecode, ActDecode, ActConceal}
	for i, a := range want {
		if k := p.Tick(0.3 + 0.02*float64(i)); k.Action != a || k.Timestamp != 1000+160*uint32(i) {
			t.Fatalf("tick %d: %+v", i, k)
		}
	}
	if p.Noise != 4 || p.Concealed != 1 || p.LateDropped != 0 {
		t.Fatalf("%+v", p.PlayoutStats)
	}
	// Noise before anything was heard is delivered, too.
	p.Reset()
	p.SetNoise(50, 5000)
	if k := p.Tick(1); k.Action != ActNoise || k.Timestamp != 5160 {
		t.Fatalf("%+v", k)
	}
}
