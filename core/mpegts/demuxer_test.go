package mpegts_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// brief renders events for comparison: type, and what tells it apart.
func brief(events []event) []string {
	var out []string
	for _, e := range events {
		switch e.Type {
		case mpegts.EventProgramMap:
			out = append(out, "map")
		case mpegts.EventVideo:
			out = append(out, fmt.Sprintf("video %d %d", e.PTS, len(e.payload)))
		case mpegts.EventAudio:
			out = append(out, fmt.Sprintf("audio %d %d", e.PTS, len(e.payload)))
		case mpegts.EventSubtitle:
			out = append(out, fmt.Sprintf("subtitle %x", e.payload))
		case mpegts.EventKLV:
			out = append(out, fmt.Sprintf("klv%d %d x%d", e.Detail, len(e.payload), e.CellCount))
		case mpegts.EventUnknownSample:
			out = append(out, fmt.Sprintf("unknown 0x%02X %d", e.StreamType, len(e.payload)))
		case mpegts.EventDiscontinuity:
			out = append(out, fmt.Sprintf("disc%d", e.Detail))
		case mpegts.EventNonConformant:
			s := mpegts.NonConformantKind(e.Detail).String()
			if e.Reason != mpegts.None {
				s += fmt.Sprint(" ", e.Reason)
			}
			out = append(out, s)
		}
	}
	return out
}

func expect(t *testing.T, events []event, want ...string) {
	t.Helper()
	if got := brief(events); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

func flip(p []byte, at int, mask byte) []byte {
	p = append([]byte{}, p...)
	p[at] ^= mask
	return p
}

func TestPacketLayer(t *testing.T) {
	tab := tables(0, h264())
	v1 := picture(0, 90000, 1, 2, 3)
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"plain", join(v1, picture(1, 93000, 4)), []string{"map", "video 90000 3", "video 93000 1"}},
		{
			"transport error drops the packet and its counter", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 1, 0x80), picture(1, 93000)),
			[]string{"map", "TransportErrorPacket", "video 90000 3", "video 93000 0"},
		},
		{
			"scrambled", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 3, 0x80)),
			[]string{"map", "UnsupportedScrambling", "video 90000 3"},
		},
		{
			"reserved adaptation_field_control", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 3, 0x10)),
			[]string{"map", "AdaptationFieldMalformed", "video 90000 3"},
		},
		{"adaptation field longer than the packet", join(v1, func() []byte {
			p := packet(videoPID, 1, false, nil, make([]byte, 100))
			p[4] = 200
			return p
		}()), []string{"map", "AdaptationFieldMalformed", "video 90000 3"}},
		{
			"adaptation-only packet takes no part in the counter", join(v1, packet(videoPID, 9, false, []byte{0}, nil), picture(1, 93000)),
			[]string{"map", "video 90000 3", "video 93000 0"},
		},
		{
			"gap keeps both sides", join(v1, packet(videoPID, 5, false, nil, make([]byte, 184)), picture(6, 93000)),
			[]string{"map", "disc1", "video 90000 187", "video 93000 0"},
		},
		{
			"discontinuity_indicator instead of the gap", join(v1, packet(videoPID, 5, false, []byte{0x80}, make([]byte, 100)), picture(6, 93000)),
			[]string{"map", "disc2", "video 90000 103", "video 93000 0"},
		},
		{"one duplicate is left out", join(v1, v1, picture(1, 93000)), []string{"map", "video 90000 3", "video 93000 0"}},
		{
			"a third copy is a jump", join(v1, v1, v1, picture(1, 93000)),
			[]string{"map", "disc1", "video 90000 3", "video 90000 3", "video 93000 0"},
		},
		{"same counter, other bytes", join(v1, picture(0, 93000)), []string{"map", "disc1", "video 90000 3", "video 93000 0"}},
		{"duplicate with a re-coded PCR", join(carry(videoPID, 0, pcrField(0, 0x10), pesPacket(0xE0, 5, 0, []byte{1})),
			carry(videoPID, 0, pcrField(300, 0x10), pesPacket(0xE0, 5, 0, []byte{1}))), []string{"map", "video 5 1"}},
		{
			"PCR step of exactly 1 s", join(packet(videoPID, 0, false, pcrField(0, 0x10), nil), packet(videoPID, 0, false, pcrField(27_000_000, 0x10), nil)),
			[]string{"map"},
		},
		{
			"PCR step above 1 s", join(packet(videoPID, 0, false, pcrField(0, 0x10), nil), packet(videoPID, 0, false, pcrField(27_000_300, 0x10), nil)),
			[]string{"map", "PcrAnomaly"},
		},
		{
			"PCR wrap", join(packet(videoPID, 0, false, pcrField(300<<33-300, 0x10), nil), packet(videoPID, 0, false, pcrField(300, 0x10), nil)),
			[]string{"map"},
		},
		{"PCR extension above 299", packet(videoPID, 0, false, []byte{0x10, 0, 0, 0, 0, 0x7F, 0xFF}, nil), []string{"map", "PcrMalformed"}},
		{
			"PCR flag without room keeps the payload", join(v1, packet(videoPID, 1, false, []byte{0x10}, make([]byte, 182)), picture(2, 93000)),
			[]string{"map", "AdaptationFieldMalformed", "video 90000 185", "video 93000 0"},
		},
		{
			"unknown and null PIDs", join(v1, packet(0x333, 0, true, nil, make([]byte, 184)), packet(0x1FFF, 0, true, nil, make([]byte, 184))),
			[]string{"map", "video 90000 3"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, demux(t, mpegts.DemuxerConfig{}, tab, c.data), c.want...)
		})
	}
}

// Order of what one packet triggers.
func TestEventOrder(t *testing.T) {
	data := join(tables(0, h264()), carry(videoPID, 0, pcrField(0, 0x10), pesPacket(0xE0, 90000, -1, []byte{1})),
		carry(videoPID, 5, pcrField(5*27_000_000, 0x90), pesPacket(0xE0, -1, -1, []byte{2})))
	expect(t, demux(t, mpegts.DemuxerConfig{}, data), "map", "video 90000 1", "PcrAnomaly", "disc2", "MissingRequiredPts", "video 0 1")
}

func TestPES(t *testing.T) {
	header := func(change func(p []byte)) []byte {
		p := pesPacket(0xE0, 90000, 0, []byte{1, 2, 3})
		change(p)
		return join(carry(videoPID, 0, nil, p), picture(1, 93000))
	}
	for _, c := range []struct {
		name string
		es   mpegts.PMTStream
		data []byte
		want []string
	}{
		{"bounded is delivered at once", aac(), carry(otherPID, 0, nil, pesPacket(0xC0, 9, -1, []byte{1, 2})), []string{"audio 9 2"}},
		{
			"bytes beyond the length", aac(), join(carry(otherPID, 0, nil, pesPacket(0xC0, 9, 8+1, []byte{1, 2, 3})), packet(otherPID, 1, false, nil, make([]byte, 9))),
			[]string{"audio 9 1"},
		},
		{
			"truncated bounded", aac(), join(carry(otherPID, 0, nil, pesPacket(0xC0, 9, 500, []byte{1, 2, 3})), carry(otherPID, 1, nil, pesPacket(0xC0, 10, -1, nil))),
			[]string{"audio 9 3", "audio 10 0"},
		},
		{"length 0 outside video", aac(), carry(otherPID, 0, nil, pesPacket(0xC0, 9, 0, []byte{1})), []string{"ZeroLengthPesNonVideo"}},
		{
			"length 0 of MPEG-2 video",
			mpegts.PMTStream{StreamType: 2, PID: otherPID},
			carry(otherPID, 0, nil, pesPacket(0xE0, 9, 0, []byte{1})),
			[]string{"unknown 0x02 1"},
		},
		{"continuation without a start", h264(), join(packet(videoPID, 0, false, nil, make([]byte, 184)), picture(1, 9)), []string{"video 9 0"}},
		{"no start code at the end", h264(), packet(videoPID, 0, true, nil, bytes.Repeat([]byte{0xFF}, 184)), nil},
		{"flags without marker", h264(), header(func(p []byte) { p[6] = 0 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{"PTS marker bit", h264(), header(func(p []byte) { p[9] &^= 1 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{"PTS prefix", h264(), header(func(p []byte) { p[9] |= 0x10 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{
			"PTS_DTS_flags 01", h264(), header(func(p []byte) { p[7] = 0x40 }),
			[]string{"PesHeaderMalformed", "MissingRequiredPts", "video 0 3", "video 93000 0"},
		},
		{"header longer than the PES", h264(), header(func(p []byte) { p[8] = 200 }), []string{"MalformedPes", "video 93000 0"}},
		{"header too short for the PTS leaks it", h264(), header(func(p []byte) { p[8] = 0 }), []string{"video 90000 8", "video 93000 0"}},
		{
			"missing PTS of other kinds",
			mpegts.PMTStream{StreamType: 0x80, PID: otherPID},
			carry(otherPID, 0, nil, pesPacket(0xBD, -1, -1, []byte{1})),
			[]string{"unknown 0x80 1"},
		},
		{
			"private_stream_2 has no optional header", aac(), carry(otherPID, 0, nil, []byte{0, 0, 1, 0xBF, 0, 2, 7, 8}),
			[]string{"MissingRequiredPts", "audio 0 2"},
		},
		{"PTS back by exactly 1 s", h264(), join(picture(0, 90000), picture(1, 0), picture(2, 0)), []string{"video 90000 0", "video 0 0", "video 0 0"}},
		{"PTS back by more", h264(), join(picture(0, 90001), picture(1, 0)), []string{"video 90001 0", "PtsAnomaly", "video 0 0"}},
		{"PTS wrap", h264(), join(picture(0, 1<<33-1), picture(1, 5)), []string{"video 8589934591 0", "video 5 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, demux(t, mpegts.DemuxerConfig{}, tables(0, c.es), c.data), append([]string{"map"}, c.want...)...)
		})
	}
}

// A header may be spread over packets in any way.
func TestPESHeaderSplit(t *testing.T) {
	p := pesPacket(0xE0, 90000, 0, []byte{1, 2, 3})
	for n := 1; n < len(p); n++ {
		data := join(tables(0, h264()), packet(videoPID, 0, true, nil, p[:n]), packet(videoPID, 1, false, nil, p[n:]))
		expect(t, demux(t, mpegts.DemuxerConfig{}, data), "map", "video 90000 3")
	}
}

func TestCaps(t *testing.T) {
	two := tables(0, h264(), aac())
	t.Run("per PID, header included", func(t *testing.T) {
		for n, want := range map[int][]string{
			986: {"map", "video 9 986", "video 10 0"}, 987: {"map", "disc3", "video 10 0"},
		} {
			data := join(two, carry(videoPID, 0, nil, pesPacket(0xE0, 9, 0, make([]byte, n))), picture(6, 10))
			expect(t, demux(t, mpegts.DemuxerConfig{PESCapPerPID: 1000}, data), want...)
		}
	})
	t.Run("total drops all that is open", func(t *testing.T) {
		data := join(two, carry(videoPID, 0, nil, pesPacket(0xE0, 9, 0, make([]byte, 600))), carry(otherPID, 0, nil, pesPacket(0xC0, 9, -1, make([]byte, 800))), picture(4, 10))
		expect(t, demux(t, mpegts.DemuxerConfig{PESCapTotal: 1000}, data), "map", "disc4", "video 10 0")
	})
}

func TestSubtitlesAndAudio(t *testing.T) {
	align := func(p []byte) []byte { p[6] |= 4; return p }
	dvb := mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: []byte{0x59, 0}}
	tele := mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: []byte{0x56, 0}}
	vtt := mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: []byte{5, 4, 'V', 'T', 'T', 'C'}}
	latm := mpegts.PMTStream{StreamType: 0x11, PID: otherPID}
	ac3 := mpegts.PMTStream{StreamType: 0x81, PID: otherPID}
	av1 := mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: []byte{5, 4, 'A', 'V', '0', '1'}}
	for _, c := range []struct {
		name string
		es   mpegts.PMTStream
		pes  []byte
		want []string
	}{
		{"dvb", dvb, align(pesPacket(0xBD, 1, -1, []byte{0x20, 0, 7, 8, 0xFF})), []string{"subtitle 0708"}},
		{"dvb unaligned", dvb, pesPacket(0xBD, 1, -1, []byte{0x20, 0, 7, 8, 0xFF}), []string{"SubtitleAlignmentMissing", "subtitle 0708"}},
		{"dvb identifier", dvb, align(pesPacket(0xBD, 1, -1, []byte{0x21, 0, 7, 0xFF})), []string{"DvbSubDataIdentifier", "subtitle 07"}},
		{"dvb of another shape", dvb, align(pesPacket(0xBD, 1, -1, []byte{0x20, 0, 7})), []string{"subtitle 200007"}},
		{"teletext", tele, align(pesPacket(0xBD, 1, -1, []byte{0x10, 7, 0xFF})), []string{"subtitle 1007ff"}},
		{"webvtt", vtt, pesPacket(0xBD, 1, -1, []byte{0x20, 0, 0xFF}), []string{"subtitle 2000ff"}},
		{"latm", latm, pesPacket(0xC0, 1, -1, []byte{0x56, 0xE0, 1, 0}), []string{"audio 1 4"}},
		{"latm without sync", latm, pesPacket(0xC0, 1, -1, []byte{1, 2, 3, 4}), []string{"LatmFraming", "audio 1 4"}},
		{"ac3 unaligned", ac3, pesPacket(0xBD, 1, -1, []byte{1, 2}), []string{"audio 1 2"}},
		{"ac3 aligned without sync", ac3, align(pesPacket(0xBD, 1, -1, []byte{1, 2})), []string{"Ac3SyncMissing", "audio 1 2"}},
		{"av1", av1, pesPacket(0xBD, 1, -1, []byte{1}), []string{"video 1 1"}},
		{"av1 in a video PES", av1, pesPacket(0xE0, 1, -1, []byte{1}), []string{"Av1WrongStreamId", "video 1 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, demux(t, mpegts.DemuxerConfig{}, tables(0, h264(), c.es), carry(otherPID, 0, nil, c.pes)), append([]string{"map"}, c.want...)...)
		})
	}
}

func TestTimestampsOfKinds(t *testing.T) {
	h := mpegts.PESHeader{StreamID: 0xC0, HasPTS: true, PTS: 9, HasDTS: true, DTS: 8}
	b := make([]byte, h.MarshalSize())
	h.PacketLength = len(b) - 6
	if _, err := h.MarshalTo(b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		streamType uint8
		dts        bool
	}{{0x1B, true}, {0x0F, false}, {0x80, true}} {
		events := demux(t, mpegts.DemuxerConfig{}, tables(0, mpegts.PMTStream{StreamType: c.streamType, PID: otherPID}), carry(otherPID, 0, nil, b))
		e := events[len(events)-1]
		if e.PTS != 9 || e.Flags&mpegts.FlagHasPTS == 0 || (e.Flags&mpegts.FlagHasDTS != 0) != c.dts || c.dts && e.DTS != 8 {
			t.Errorf("0x%02X: %+v", c.streamType, e.Record)
		}
	}
	e := demux(t, mpegts.DemuxerConfig{}, tables(0, h264()), carry(videoPID, 0, []byte{0x40}, pesPacket(0xE0, 9, 0, []byte{1})))[1]
	if e.Flags&mpegts.FlagRandomAccess == 0 || e.Position != 2*188 {
		t.Errorf("%+v", e.Record)
	}
}

func TestUnwrap(t *testing.T) {
	const m = int64(1) << 33
	type step struct {
		pid uint16
		pts int64
	}
	for _, c := range []struct {
		steps []step
		want  []int64
	}{
		{[]step{{videoPID, m - 10}, {videoPID, 20}, {videoPID, m - 5}, {videoPID, 100}}, []int64{m - 10, m + 20, m - 5, m + 100}},
		{[]step{{videoPID, 5}, {videoPID, m - 5}}, []int64{5, -5}},
		{[]step{{videoPID, m - 10}, {videoPID, 20}, {otherPID, m - 100}, {otherPID, 50}}, []int64{m - 10, m + 20, m - 100, m + 50}},
		{[]step{{videoPID, 100}, {videoPID, 1<<32 + 100}, {videoPID, 100}}, []int64{100, 1<<32 + 100, m + 100}},
		{[]step{{videoPID, 7}, {videoPID, -1}, {videoPID, 9}}, []int64{7, 0, 9}},
	} {
		data := tables(0, h264(), aac())
		cc := map[uint16]int{}
		for _, s := range c.steps {
			data = append(data, carry(s.pid, cc[s.pid], nil, pesPacket(0xE0, s.pts, -1, []byte{1}))...)
			cc[s.pid]++
		}
		var got []int64
		for _, e := range demux(t, mpegts.DemuxerConfig{UnwrapTimestamps: true}, data) {
			if e.Type == mpegts.EventVideo || e.Type == mpegts.EventAudio {
				got = append(got, e.PTS)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("got %d want %d", got, c.want)
		}
	}
}

func TestStrict(t *testing.T) {
	tab := tables(0, h264(), aac())
	bad := flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 1, 0x80)
	t.Run("the rest waits", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{StrictMode: mpegts.StrictFull})
		err := d.Feed(join(tab, picture(0, 9, 1), bad, picture(1, 10, 2)))
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Kind != tsterr.DemuxStrictRejection || !strings.HasPrefix(e.Msg, "strict-mode rejection: TransportErrorPacket") {
			t.Fatal(err)
		}
		expect(t, drain(t, d), "map", "TransportErrorPacket")
		if err := d.Feed(nil); err != nil {
			t.Fatal(err)
		}
		expect(t, drain(t, d), "video 9 1")
	})
	t.Run("samples that survive", func(t *testing.T) {
		for _, c := range []struct {
			mode mpegts.StrictMode
			data []byte
			err  tsterr.Kind
			want []string
		}{
			{mpegts.StrictTimingOnly, carry(videoPID, 0, nil, pesPacket(0xE0, -1, -1, []byte{1})), tsterr.DemuxStrictRejection, []string{"map", "MissingRequiredPts", "video 0 1"}},
			{mpegts.StrictPSIOnly, carry(videoPID, 0, nil, pesPacket(0xE0, -1, -1, []byte{1})), tsterr.OK, []string{"map", "MissingRequiredPts", "video 0 1"}},
			{mpegts.StrictFull, carry(otherPID, 0, nil, pesPacket(0xC0, 9, 0, []byte{1})), tsterr.DemuxStrictRejection, []string{"map", "ZeroLengthPesNonVideo"}},
			{mpegts.StrictFull, join(carry(videoPID, 0, nil, append(pesPacket(0xE0, 9, 0, nil)[:8], 200)), picture(1, 10)), tsterr.DemuxMalformedPES, []string{"map"}},
			{mpegts.StrictFull, join(picture(0, 9), picture(5, 10)), tsterr.OK, []string{"map", "disc1", "video 9 0"}},
		} {
			d := newDemuxer(t, mpegts.DemuxerConfig{StrictMode: c.mode})
			if err := d.Feed(join(tab, c.data)); tsterr.KindOf(err) != c.err {
				t.Error(err)
			}
			expect(t, drain(t, d), c.want...)
		}
	})
	t.Run("many errors in one feed take no longer than their bytes", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{StrictMode: mpegts.StrictFull})
		data := join(tab, bytes.Repeat(bad, 20000))
		n := 0
		for err := d.Feed(data); err != nil; err = d.Feed(nil) {
			n++
		}
		if n != 20000 {
			t.Fatal(n)
		}
	})
}

func TestHoldBeforePMT(t *testing.T) {
	first := join(carry(otherPID, 0, nil, pesPacket(0xC0, 1, -1, make([]byte, 300))), carry(videoPID, 0, nil, pesPacket(0xE0, 2, 0, make([]byte, 500))),
		carry(otherPID, 2, nil, pesPacket(0xC0, 3, -1, []byte{1})))
	rest := join(packet(videoPID, 3, false, nil, make([]byte, 184)), picture(4, 5), carry(otherPID, 3, nil, pesPacket(0xC0, 4, -1, []byte{2})))
	tab := tables(0, h264(), aac())
	t.Run("off", func(t *testing.T) {
		expect(t, demux(t, mpegts.DemuxerConfig{}, first, tab, rest), "map", "audio 4 1", "video 5 0")
	})
	want := []string{"map", "audio 1 300", "audio 3 1", "video 2 684", "audio 4 1", "video 5 0"}
	t.Run("on", func(t *testing.T) {
		expect(t, demux(t, mpegts.DemuxerConfig{HoldBeforePMT: 1 << 20}, first, tab, rest), want...)
	})
	t.Run("PMT before the PAT", func(t *testing.T) {
		expect(t, demux(t, mpegts.DemuxerConfig{HoldBeforePMT: 1 << 20}, first, tab[188:], tab[:188], rest), want...)
	})
	t.Run("bounded: the oldest go", func(t *testing.T) {
		got := demux(t, mpegts.DemuxerConfig{HoldBeforePMT: 188}, first, tab, rest)
		expect(t, got, "map", "audio 3 1", "audio 4 1", "video 5 0")
	})
	t.Run("never named", func(t *testing.T) {
		cfg := mpegts.DemuxerConfig{HoldBeforePMT: 1 << 20, DeliverUnmapped: true}
		expect(t, demux(t, cfg, first, rest), "unknown 0x00 300", "unknown 0x00 1", "unknown 0x00 684", "unknown 0x00 1", "unknown 0x00 0")
		cfg.DeliverUnmapped = false
		expect(t, demux(t, cfg, first, rest))
		d := newDemuxer(t, mpegts.DemuxerConfig{HoldBeforePMT: 1 << 20, DeliverUnmapped: true})
		if err := d.Feed(first); err != nil {
			t.Fatal(err)
		}
		d.Flush()
		if err := d.Feed(join(tab, rest)); err != nil {
			t.Fatal(err)
		}
		d.Flush()
		expect(t, drain(t, d)[3:], "map", "audio 4 1", "video 5 0") // a table may still claim the PIDs
	})
	t.Run("marked", func(t *testing.T) {
		for _, e := range demux(t, mpegts.DemuxerConfig{HoldBeforePMT: 1 << 20}, first, tab, rest)[1:] {
			if held := e.Flags&mpegts.FlagHeld != 0; held != (e.PTS < 4) {
				t.Errorf("%+v", e.Record)
			}
		}
	})
}

func TestStats(t *testing.T) {
	d := newDemuxer(t, mpegts.DemuxerConfig{})
	sub := mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: []byte{0x59, 0}}
	data := join(tables(0, h264(), sub), picture(0, 9), picture(5, 10), carry(otherPID, 0, nil, pesPacket(0xBD, 1, -1, []byte{1})))
	if err := d.Feed(data); err != nil {
		t.Fatal(err)
	}
	want := mpegts.DemuxerStats{
		ProgramMapsSeen: 1, PMTVersionsSeen: 1, Discontinuities: 1, NonConformant: 1, ProgramsSeen: 1,
		SubtitleStreamsSeen: 1, BytesTotal: uint64(len(data)), PacketsTotal: uint64(len(data) / 188),
	}
	if got := d.Stats(); got != want {
		t.Errorf("%+v", got)
	}
	d.ResetStats()
	if got := d.Stats(); got != (mpegts.DemuxerStats{ProgramsSeen: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestConfig(t *testing.T) {
	for field, cfg := range map[string]mpegts.DemuxerConfig{
		"strict_mode": {StrictMode: 4}, "av1_carriage": {AV1Carriage: 2}, "pes_cap_per_pid": {PESCapPerPID: -1},
		"hold_before_pmt_bytes": {HoldBeforePMT: -1},
	} {
		_, err := mpegts.NewDemuxer(cfg)
		var e *tsterr.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
