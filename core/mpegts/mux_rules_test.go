package mpegts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/asticode/go-astits"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/mpegts"
)

// analyser checks a stream against ETSI TR 101 290 priority 1 and 2 as far as
// a file can tell (no clock of arrival: the stream's own clock stands for it).
type analyser struct {
	t         *testing.T
	packets   int
	counters  map[uint16]uint8
	pmtPIDs   map[uint16]bool
	streams   map[uint16]bool
	pcrPID    uint16
	pcr       int64 // last, 27 MHz
	hasPCR    bool
	pat, pmt  int64 // PCR time of the last table
	pts       map[uint16]int64
	worstPCR  int64 // longest interval seen, 27 MHz
	worstPTS  int64
	worstPSI  int64
	wraps     int
	pcrJitter int64 // largest difference of a PCR from the PTS it was written with
}

func newAnalyser(t *testing.T) *analyser {
	return &analyser{
		t: t, counters: map[uint16]uint8{}, pmtPIDs: map[uint16]bool{}, streams: map[uint16]bool{},
		pts: map[uint16]int64{}, pat: -1, pmt: -1,
	}
}

// feed takes whole packets, and the time of the picture they were made for.
func (a *analyser) feed(b []byte, now int64) {
	for ; len(b) > 0; b = b[mpegts.PacketSize:] {
		a.packet(b[:mpegts.PacketSize], now)
		a.packets++
	}
}

func (a *analyser) packet(b []byte, now int64) {
	t := a.t
	var h mpegts.Header
	if _, err := h.Unmarshal(b); err != nil { // 1.2 Sync_byte_error
		t.Fatalf("packet %d: %v", a.packets, err)
	}
	if h.TransportErrorIndicator { // 2.1 Transport_error
		t.Fatalf("packet %d: transport error indicator", a.packets)
	}
	// 1.4 Continuity_count_error: payload counts, a packet without repeats.
	if last, seen := a.counters[h.PID]; seen {
		want := last
		if h.HasPayload {
			want = (last + 1) & 15
		}
		if h.ContinuityCounter != want {
			t.Fatalf("packet %d, PID %#x: counter %d, want %d", a.packets, h.PID, h.ContinuityCounter, want)
		}
	}
	a.counters[h.PID] = h.ContinuityCounter
	at := 4
	if h.HasAdaptationField {
		var af mpegts.AdaptationField
		n, err := af.Unmarshal(b[4:])
		if err != nil {
			t.Fatalf("packet %d: %v", a.packets, err)
		}
		at += n
		if af.HasPCR {
			a.clock(h.PID, af.PCRBase*300+int64(af.PCRExtension), now)
		}
		if af.RandomAccessIndicator && h.PID == a.pcrPID && !af.HasPCR {
			t.Fatalf("packet %d: a random access point of the PCR PID without a PCR", a.packets)
		}
	}
	switch {
	case !h.HasPayload:
	case h.PID == mpegts.PIDPAT:
		a.table(b[at:], &a.pat, func(s []byte) {
			var pat mpegts.PAT
			if _, err := pat.Unmarshal(s); err != nil {
				t.Fatal(err)
			}
			for _, p := range pat.Programs {
				a.pmtPIDs[p.PID] = true
			}
		})
	case a.pmtPIDs[h.PID]:
		a.table(b[at:], &a.pmt, func(s []byte) {
			var pmt mpegts.PMT
			if _, err := pmt.Unmarshal(s); err != nil {
				t.Fatal(err)
			}
			a.pcrPID = pmt.PCRPID
			for _, st := range pmt.Streams {
				a.streams[st.PID] = true
			}
		})
	case !a.streams[h.PID]: // 3.4 Unreferenced_PID
		t.Fatalf("packet %d: PID %#x is in no table", a.packets, h.PID)
	case h.PayloadUnitStartIndicator:
		a.stamp(h.PID, b[at:])
	}
}

// table checks 1.3.a PAT_error_2, 1.5.a PMT_error_2 and 2.2 CRC_error.
func (a *analyser) table(payload []byte, last *int64, read func([]byte)) {
	section := payload[1+int(payload[0]):]
	n := 3 + (int(section[1]&0x0F)<<8 | int(section[2]))
	if mpegts.CRC32(section[:n]) != 0 {
		a.t.Fatalf("packet %d: CRC of a table", a.packets)
	}
	read(section[:n])
	if *last >= 0 && a.hasPCR {
		step := clock.DiffPCR(*last, a.pcr)
		a.worstPSI = max(a.worstPSI, step)
	}
	if a.hasPCR {
		*last = a.pcr
	}
}

// clock checks 2.3 PCR_repetition_error and PCR_discontinuity, and 2.4
// PCR_accuracy against what was written.
func (a *analyser) clock(pid uint16, pcr, now int64) {
	if pid != a.pcrPID {
		a.t.Fatalf("packet %d: a PCR on PID %#x", a.packets, pid)
	}
	if a.hasPCR {
		step := clock.DiffPCR(a.pcr, pcr)
		if step < 0 {
			a.t.Fatalf("packet %d: the PCR goes back by %d", a.packets, -step)
		}
		if pcr < a.pcr {
			a.wraps++
		}
		a.worstPCR = max(a.worstPCR, step)
	}
	off := clock.DiffPCR(now%clock.PTSModulus*300, pcr)
	a.pcrJitter = max(a.pcrJitter, off, -off)
	a.pcr, a.hasPCR = pcr, true
}

// stamp checks 2.5 PTS_error: at least every 700 ms.
func (a *analyser) stamp(pid uint16, payload []byte) {
	var h mpegts.PESHeader
	if _, err := h.Unmarshal(payload); err != nil {
		a.t.Fatalf("packet %d: %v", a.packets, err)
	}
	if !h.HasPTS {
		return
	}
	if last, seen := a.pts[pid]; seen {
		a.worstPTS = max(a.worstPTS, clock.DiffPTS(last, h.PTS))
	}
	a.pts[pid] = h.PTS
}

// TestStreamRules analyses ten minutes of stream with pictures, two audio
// streams and both kinds of KLV, across the wrap of the 33-bit clock.
func TestStreamRules(t *testing.T) {
	for _, c := range []struct {
		name       string
		start      int64
		psi, pcr   int
		frameTicks int64
		wraps      int
	}{
		{"defaults, across the wrap", clock.PTSModulus - 300*clock.TicksPerSecond, 100, 40, 3000, 1},
		{"25 Hz, short intervals", 0, 40, 20, 3600, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := mpegts.NewMuxConfig(program(
				video(0x101, mpegts.CodecH264), audio(0x102, mpegts.CodecAAC), audio(0x103, mpegts.CodecMP2),
				klvStream(0x104, true, true), klvStream(0x105, false, false),
			))
			cfg.PSIIntervalMs, cfg.PCRIntervalMs = c.psi, c.pcr
			m, err := mpegts.NewMuxer(cfg)
			if err != nil {
				t.Fatal(err)
			}
			a := newAnalyser(t)
			au := append([]byte{0, 0, 0, 1, 0x09, 0xF0, 0, 0, 0, 1, 0x41}, bytes.Repeat([]byte{0x55}, 700)...)
			for i := range 600 * clock.TicksPerSecond / c.frameTicks {
				pts := c.start + i*c.frameTicks
				push := func(err error) {
					if err != nil {
						t.Fatal(err)
					}
					a.feed(m.Pending(), pts)
					m.Discard(len(m.Pending()))
				}
				push(m.PushVideo(au[:100+i%600], mpegts.VideoPush{PTS: pts, KeyFrame: i%50 == 0}))
				push(m.PushAudioTo(0, au[:200], pts))
				push(m.PushAudioTo(1, au[:300], pts))
				push(m.PushKLVTo(0, au[:200], pts, 0))
				push(m.PushKLVTo(1, au[:50], pts, 0))
			}
			frame := c.frameTicks * 300
			limit := func(ms int) int64 { return int64(ms)*27_000 + frame }
			if a.worstPCR > limit(c.pcr) || a.worstPCR > 100*27_000 {
				t.Errorf("PCR interval %d us", a.worstPCR/27)
			}
			if a.worstPSI > limit(c.psi) {
				t.Errorf("table interval %d us", a.worstPSI/27)
			}
			if a.worstPTS > 700*90 {
				t.Errorf("PTS interval %d ticks", a.worstPTS)
			}
			if a.pcrJitter != 0 {
				t.Errorf("a PCR is %d ticks off", a.pcrJitter)
			}
			if a.wraps != c.wraps || a.packets < 100_000 {
				t.Errorf("%d wraps in %d packets", a.wraps, a.packets)
			}
		})
	}
}

// TestAstitsReadsIt has go-astits read every kind of stream back.
func TestAstitsReadsIt(t *testing.T) {
	m := newMuxer(t, program(
		video(0x101, mpegts.CodecH264), video(0x102, mpegts.CodecH265), audio(0x103, mpegts.CodecAAC), audio(0x104, mpegts.CodecAC3),
		klvStream(0x105, true, true), klvStream(0x106, false, true), subtitle(0x107, mpegts.CodecDVBSubtitling),
		dataStream(0x108, 0xF0, true),
	))
	want := map[uint16][]string{}
	stream := make([]byte, 0, 1<<20)
	for i := range 30 {
		pts, dts := int64(90000+3000*i), int64(87000+3000*i)
		au := append([]byte{0, 0, 0, 1, 0x65}, bytes.Repeat([]byte{byte(i + 1)}, i*123)...)
		note := func(pid uint16, pts, dts int64, data []byte) {
			want[pid] = append(want[pid], fmt.Sprintf("%d %d %x", pts, dts, data))
		}
		for _, err := range []error{
			m.PushVideoTo(0, au, mpegts.VideoPush{PTS: pts, DTS: dts, HasDTS: true, KeyFrame: i == 0}),
			m.PushVideoTo(1, au, mpegts.VideoPush{PTS: pts}),
			m.PushAudioTo(0, au, pts), m.PushAudioTo(1, au, pts),
			m.PushKLVTo(0, au, pts, 3), m.PushKLVTo(1, au, pts, 0),
			m.PushSubtitle(au, pts), m.PushData(au, pts),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		note(0x101, pts, dts, au)
		note(0x102, pts, -1, au)
		note(0x103, pts, -1, au)
		note(0x104, pts, -1, au)
		note(0x105, pts, -1, append([]byte{3, byte(i), 0xDF, byte(len(au) >> 8), byte(len(au))}, au...))
		note(0x106, pts, -1, au)
		note(0x107, pts, -1, append(append([]byte{0x20, 0}, au...), 0xFF))
		note(0x108, pts, -1, au)
		stream = append(stream, m.Pending()...)
		m.Discard(len(m.Pending()))
	}
	got := map[uint16][]string{}
	var types []string
	d := astits.NewDemuxer(context.Background(), bytes.NewReader(stream))
	for {
		data, err := d.NextData()
		if errors.Is(err, astits.ErrNoMorePackets) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if data.PMT != nil && types == nil {
			for _, s := range data.PMT.ElementaryStreams {
				types = append(types, fmt.Sprintf("%x:%x", s.ElementaryPID, uint8(s.StreamType)))
			}
		}
		if data.PES != nil {
			pts, dts := int64(-1), int64(-1)
			if o := data.PES.Header.OptionalHeader; o != nil {
				if o.PTS != nil {
					pts = o.PTS.Base
				}
				if o.DTS != nil {
					dts = o.DTS.Base
				}
			}
			got[data.PID] = append(got[data.PID], fmt.Sprintf("%d %d %x", pts, dts, data.PES.Data))
		}
	}
	if want := "[101:1b 102:24 103:f 104:81 105:15 106:6 107:6 108:f0]"; fmt.Sprint(types) != want {
		t.Errorf("streams %v, want %s", types, want)
	}
	for pid, list := range want {
		if fmt.Sprint(got[pid]) != fmt.Sprint(list) {
			t.Errorf("PID %x: %d PES, want %d, or they differ", pid, len(got[pid]), len(list))
		}
	}
}

// FuzzMuxerPush pushes anything to every kind of stream: what is refused
// changes nothing, and the stream stays readable.
func FuzzMuxerPush(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x65, 0x88}, int64(90000), uint8(0), uint8(0))
	f.Add([]byte{0x12, 0, 0x0A, 3, 1, 2, 3}, int64(1)<<33-5, uint8(2), uint8(3))
	f.Add([]byte{0, 0, 1, 0x26, 1, 0xAF}, int64(-7), uint8(1), uint8(0x1F))
	f.Add([]byte{0x10, 2, 0x2C}, int64(5), uint8(8), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, pts int64, stream, flags uint8) {
		cfg := mpegts.NewMuxConfig(program(
			video(0x101, mpegts.CodecH264), video(0x102, mpegts.CodecH265), video(0x103, mpegts.CodecAV1), video(0x10A, mpegts.CodecH266),
			audio(0x104, mpegts.CodecAAC), audio(0x105, mpegts.CodecMP2), klvStream(0x106, true, true), klvStream(0x107, false, false),
			subtitle(0x108, mpegts.CodecDVBTeletext), dataStream(0x109, 6, true),
		))
		cfg.BufferPackets = 30
		m, err := mpegts.NewMuxer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		next := map[uint16]uint8{}
		for i := range int64(3) {
			before := m.PendingPackets()
			v := mpegts.VideoPush{PTS: pts + i*3000, DTS: pts, HasDTS: flags&1 != 0, KeyFrame: flags&2 != 0, Wire: flags&4 != 0}
			if flags&8 != 0 {
				v.MISP = &mpegts.MISPTime{Nano: flags&16 != 0, Status: flags, Value: uint64(pts)}
			}
			var err error
			switch stream % 10 {
			case 0, 1, 2, 3:
				err = m.PushVideoTo(mpegts.Handle(stream%10), b, v)
			case 4, 5:
				err = m.PushAudioTo(mpegts.Handle(stream%10-4), b, pts)
			case 6, 7:
				err = m.PushKLVTo(mpegts.Handle(stream%10-6), b, pts, flags)
			case 8:
				err = m.PushSubtitle(b, pts)
			default:
				err = m.PushData(b, pts)
			}
			if err != nil && m.PendingPackets() != before {
				t.Fatalf("a refused push queued packets: %v", err)
			}
			if flags&32 != 0 {
				continue
			}
			for _, p := range pullAll(t, m) {
				if p.HasPayload {
					if want, seen := next[p.PID]; seen && p.ContinuityCounter != want {
						t.Fatalf("PID %x: counter %d, want %d", p.PID, p.ContinuityCounter, want)
					}
					next[p.PID] = (p.ContinuityCounter + 1) & 15
				}
				if p.PayloadUnitStartIndicator && p.PID > 0x100 {
					var h mpegts.PESHeader
					if _, err := h.Unmarshal(p.payload); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
