package mpegts_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

func video(pid uint16, c mpegts.Codec) mpegts.MuxStream {
	return mpegts.MuxStream{PID: pid, Class: mpegts.MuxVideo, Codec: c}
}

func audio(pid uint16, c mpegts.Codec) mpegts.MuxStream {
	return mpegts.MuxStream{PID: pid, Class: mpegts.MuxAudio, Codec: c}
}

func klvStream(pid uint16, sync, pts bool) mpegts.MuxStream {
	return mpegts.MuxStream{PID: pid, Class: mpegts.MuxKLV, KLVSync: sync, CarriesPTS: pts}
}

func dataStream(pid uint16, streamType uint8, pts bool) mpegts.MuxStream {
	return mpegts.MuxStream{PID: pid, Class: mpegts.MuxData, StreamType: streamType, CarriesPTS: pts}
}

func subtitle(pid uint16, c mpegts.Codec) mpegts.MuxStream {
	return mpegts.MuxStream{
		PID: pid, Class: mpegts.MuxSubtitle, Codec: c, Language: [3]byte([]byte("eng")),
		SubtitlingType: 0x10, CompositionPage: 1, AncillaryPage: 2, TeletextType: 2, Magazine: 1, Page: 0x12,
	}
}

func program(streams ...mpegts.MuxStream) mpegts.MuxProgram {
	return mpegts.MuxProgram{Number: 1, PMTPID: 0x100, Streams: streams}
}

func newMuxer(t testing.TB, programs ...mpegts.MuxProgram) *mpegts.Muxer {
	t.Helper()
	m, err := mpegts.NewMuxer(mpegts.NewMuxConfig(programs...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tsPacket is one packet as the tests look at it.
type tsPacket struct {
	mpegts.Header
	af      []byte // with its length byte
	payload []byte
}

func split(t testing.TB, b []byte) []tsPacket {
	t.Helper()
	if len(b)%mpegts.PacketSize != 0 {
		t.Fatalf("%d bytes are no whole packets", len(b))
	}
	var out []tsPacket
	for ; len(b) > 0; b = b[mpegts.PacketSize:] {
		var p tsPacket
		if _, err := p.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		at := 4
		if p.HasAdaptationField {
			n := 5 + int(b[4])
			p.af, at = b[4:n], n
		}
		if p.HasPayload {
			p.payload = b[at:mpegts.PacketSize]
		}
		out = append(out, p)
	}
	return out
}

func pullAll(t testing.TB, m *mpegts.Muxer) []tsPacket {
	t.Helper()
	b := make([]byte, m.PendingPackets()*mpegts.PacketSize)
	if n := m.Pull(b); n != len(b) {
		t.Fatalf("pulled %d of %d", n, len(b))
	}
	return split(t, b)
}

// pes joins the payload of a PID.
func pes(packets []tsPacket, pid uint16) []byte {
	var b []byte
	for _, p := range packets {
		if p.PID == pid {
			b = append(b, p.payload...)
		}
	}
	return b
}

func TestMuxTablesGolden(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs []mpegts.MuxProgram
		pid      uint16
		want     string
	}{
		{"pat", []mpegts.MuxProgram{program(video(0x101, mpegts.CodecH264))}, 0, "00b00d0001c100000001e100e8f95e7d"},
		{"h264", []mpegts.MuxProgram{program(video(0x101, mpegts.CodecH264))}, 0x100, "02b0120001c10000e101f0001be101f0004fc43d1b"},
		{"av1", []mpegts.MuxProgram{program(video(0x101, mpegts.CodecAV1))}, 0x100, "02b0180001c10000e101f00006e101f0060504415630319f5e1192"},
		{
			"h264 and aac",
			[]mpegts.MuxProgram{program(video(0x101, mpegts.CodecH264), audio(0x102, mpegts.CodecAAC))},
			0x100, "02b0170001c10000e101f0001be101f0000fe102f0009e28c6dd",
		},
		{
			"h264 and h265",
			[]mpegts.MuxProgram{program(video(0x101, mpegts.CodecH264), video(0x102, mpegts.CodecH265))},
			0x100, "02b0170001c10000e101f0001be101f00024e102f00007b368e3",
		},
		{"two programs", []mpegts.MuxProgram{
			program(video(0x101, mpegts.CodecH264)),
			{Number: 2, PMTPID: 0x200, Streams: []mpegts.MuxStream{video(0x201, mpegts.CodecH264)}},
		}, 0, "00b0110001c100000001e1000002e2003989a5a9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMuxer(t, c.programs...)
			h := m.Handles(mpegts.MuxVideo)
			if err := m.PushVideoTo(h[0], []byte{0, 0, 1, 9}, mpegts.VideoPush{Wire: true}); err != nil {
				t.Fatal(err)
			}
			got := pes(pullAll(t, m), c.pid)
			want := unhex(t, c.want)
			if got[0] != 0 || !bytes.Equal(got[1:1+len(want)], want) {
				t.Fatalf("got  %x\nwant 00%x", got[:1+len(want)], want)
			}
			if rest := got[1+len(want):]; !bytes.Equal(rest, bytes.Repeat([]byte{0xFF}, len(rest))) {
				t.Error("the packet is not filled with FF")
			}
		})
	}
}

// TestMuxDescriptorsGolden covers the automatic descriptors of every kind, and
// what suppresses them.
func TestMuxDescriptorsGolden(t *testing.T) {
	const klva, av01, ga94, vttc = "05044b4c5641", "050441563031", "050447413934", "050456545443"
	const meta, std = "26090100ff4b4c5641000f", "2709c00000c00000c00000"
	foreign := unhex(t, "0504 58595a57")
	with := func(s mpegts.MuxStream, d ...[]byte) mpegts.MuxStream {
		s.Descriptors = d
		return s
	}
	lang := audio(0x102, mpegts.CodecMP2)
	lang.Language, lang.HasLanguage = [3]byte([]byte("deu")), true
	for _, c := range []struct {
		name   string
		stream mpegts.MuxStream
		typ    uint8
		want   string
	}{
		{"klv private", klvStream(0x102, false, true), 6, klva},
		{"klv sync", klvStream(0x102, true, true), 0x15, klva + meta + std},
		{"klv sync, own registration", with(klvStream(0x102, true, true), foreign), 0x15, meta + std + "050458595a57"},
		{"klv sync, own 26", with(klvStream(0x102, true, true), unhex(t, "2600")), 0x15, klva + std + "2600"},
		{"klv sync, own 27", with(klvStream(0x102, true, true), unhex(t, "2700")), 0x15, klva + meta + "2700"},
		{"language", lang, 3, "0a0464657500"},
		{"language, own", with(lang, unhex(t, "0a00")), 3, "0a00"},
		{"ac3", audio(0x102, mpegts.CodecAC3), 0x81, "050441432d338103e8c813"},
		{"ac3, own registration", with(audio(0x102, mpegts.CodecAC3), unhex(t, "050441432d33")), 0x81, "8103e8c813050441432d33"},
		{"ac3, own 81", with(audio(0x102, mpegts.CodecAC3), unhex(t, "8100")), 0x81, "050441432d338100"},
		{"ac3, foreign", with(audio(0x102, mpegts.CodecAC3), foreign), 0x81, "050441432d338103e8c813050458595a57"},
		{"av1, own", with(video(0x102, mpegts.CodecAV1), unhex(t, av01)), 6, av01},
		{"av1, foreign", with(video(0x102, mpegts.CodecAV1), foreign), 6, av01 + "050458595a57"},
		{"h266", video(0x102, mpegts.CodecH266), 0x33, ""},
		{"latm", audio(0x102, mpegts.CodecAACLATM), 0x11, ""},
		{"dvb subtitling", subtitle(0x102, mpegts.CodecDVBSubtitling), 6, "5908656e671000010002"},
		{"teletext", subtitle(0x102, mpegts.CodecDVBTeletext), 6, "5605656e671112"},
		{"cea-708", subtitle(0x102, mpegts.CodecCEA708Standalone), 6, ga94},
		{"webvtt", subtitle(0x102, mpegts.CodecWebVTTInTS), 6, vttc},
		{"webvtt as teletext", with(subtitle(0x102, mpegts.CodecWebVTTInTS), unhex(t, "5600")), 6, "5600"},
		{"webvtt, foreign", with(subtitle(0x102, mpegts.CodecWebVTTInTS), foreign), 6, vttc + "050458595a57"},
		{"data", dataStream(0x102, 0xF0, true), 0xF0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMuxer(t, program(video(0x101, mpegts.CodecH264), c.stream))
			if err := m.PushVideoTo(0, []byte{0, 0, 1, 9}, mpegts.VideoPush{}); err != nil {
				t.Fatal(err)
			}
			var pmt mpegts.PMT
			if _, err := pmt.Unmarshal(pes(pullAll(t, m), 0x100)[1:]); err != nil {
				t.Fatal(err)
			}
			s := pmt.Streams[1]
			if got := hex.EncodeToString(s.Descriptors); got != c.want || s.StreamType != c.typ {
				t.Errorf("stream type %02x descriptors %s, want %02x %s", s.StreamType, got, c.typ, c.want)
			}
		})
	}
}

func TestMuxPESGolden(t *testing.T) {
	data := bytes.Repeat([]byte{0xAB}, 20)
	dataHex := strings.Repeat("ab", 20)
	const ts = "210005bf21"
	stuffing := func(n int) string { return "ff" + fmt.Sprintf("%02x", n-2) + strings.Repeat("00", n-2) }
	klv2 := program(video(0x101, mpegts.CodecH264), klvStream(0x102, true, true))
	h264 := program(video(0x101, mpegts.CodecH264))
	obus := unhex(t, "12 00 0a 03 01 02 03 32 04 09 09 09 09")
	for _, c := range []struct {
		name    string
		program mpegts.MuxProgram
		carry   mpegts.AV1Carriage
		push    func(m *mpegts.Muxer) error
		pid     uint16
		want    string
	}{
		{"video", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "0000000165888400"), mpegts.VideoPush{PTS: 90000, KeyFrame: true})
		}, 0x101, "000001e00000808005" + ts + "0000000165888400"},
		{"video with dts", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "0000000165888400"), mpegts.VideoPush{PTS: 93000, DTS: 90000, HasDTS: true})
		}, 0x101, "000001e0000080c00a310005d691110005bf210000000165888400"},
		{"video with equal dts", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "0000000165"), mpegts.VideoPush{PTS: 90000, DTS: 90000, HasDTS: true})
		}, 0x101, "000001e0000080c00a310005bf21110005bf210000000165"},
		{"pts modulo 2^33", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "0000000165"), mpegts.VideoPush{PTS: 90000 - 3<<33})
		}, 0x101, "000001e00000808005" + ts + "0000000165"},
		{
			"sync klv", klv2, 0, func(m *mpegts.Muxer) error { return m.PushKLV(data, 90000, 7) },
			0x102, "000001fc0021848005" + ts + "0700df0014" + dataHex,
		},
		{"sync klv, second", klv2, 0, func(m *mpegts.Muxer) error {
			if err := m.PushKLV(nil, 90000, 0); err != nil {
				return err
			}
			m.Discard(m.PendingPackets() * mpegts.PacketSize)
			return m.PushKLV(data, 90000, 0)
		}, 0x102, "000001fc0021848005" + ts + "0001df0014" + dataHex},
		{
			"private klv without pts", program(video(0x101, mpegts.CodecH264), klvStream(0x102, false, false)), 0,
			func(m *mpegts.Muxer) error { return m.PushKLV(data, 90000, 7) }, 0x102, "000001bd0017840000" + dataHex,
		},
		{
			"private klv", program(video(0x101, mpegts.CodecH264), klvStream(0x102, false, true)), 0,
			func(m *mpegts.Muxer) error { return m.PushKLV(data, 90000, 7) }, 0x102, "000001bd001c848005" + ts + dataHex,
		},
		{
			"data", program(video(0x101, mpegts.CodecH264), dataStream(0x102, 0xF0, true)), 0,
			func(m *mpegts.Muxer) error { return m.PushData(data, 90000) }, 0x102, "000001bd001c848005" + ts + dataHex,
		},
		{
			"data without pts", program(video(0x101, mpegts.CodecH264), dataStream(0x102, 0xF0, false)), 0,
			func(m *mpegts.Muxer) error { return m.PushData(data, 90000) }, 0x102, "000001bd0017840000" + dataHex,
		},
		{
			"second aac", program(audio(0x101, mpegts.CodecAAC), audio(0x102, mpegts.CodecAAC)), 0,
			func(m *mpegts.Muxer) error { return m.PushAudioTo(1, data, 90000) }, 0x102, "000001c1001c808005" + ts + dataHex,
		},
		{
			"ac3", program(audio(0x101, mpegts.CodecAC3)), 0,
			func(m *mpegts.Muxer) error { return m.PushAudio(data, 90000) }, 0x101, "000001bd001c848005" + ts + dataHex,
		},
		{
			"dvb subtitle", program(video(0x101, mpegts.CodecH264), subtitle(0x102, mpegts.CodecDVBSubtitling)), 0,
			func(m *mpegts.Muxer) error { return m.PushSubtitle(data, 90000) },
			0x102, "000001bd001f848005" + ts + "2000" + dataHex + "ff",
		},
		{
			"teletext", program(video(0x101, mpegts.CodecH264), subtitle(0x102, mpegts.CodecDVBTeletext)), 0,
			func(m *mpegts.Muxer) error { return m.PushSubtitle(data, 90000) }, 0x102,
			"000001bd00b2848024" + ts + strings.Repeat("ff", 31) + "10" + dataHex + stuffing(46) + stuffing(46) + stuffing(26),
		},
		{
			"teletext with identifier", program(video(0x101, mpegts.CodecH264), subtitle(0x102, mpegts.CodecDVBTeletext)), 0,
			func(m *mpegts.Muxer) error { return m.PushSubtitle(append([]byte{0x10}, data[:19]...), 90000) }, 0x102,
			"000001bd00b2848024" + ts + strings.Repeat("ff", 31) + "10" + dataHex[2:] + stuffing(46) + stuffing(46) + stuffing(27),
		},
		{
			"webvtt", program(video(0x101, mpegts.CodecH264), subtitle(0x102, mpegts.CodecWebVTTInTS)), 0,
			func(m *mpegts.Muxer) error { return m.PushSubtitle(data, 90000) }, 0x102, "000001bd001c848005" + ts + dataHex,
		},
		{
			"av1 binding", program(video(0x101, mpegts.CodecAV1)), mpegts.AV1MPEG2TSBinding,
			func(m *mpegts.Muxer) error { return m.PushVideo(obus, mpegts.VideoPush{PTS: 90000}) }, 0x101,
			"000001bd0000848005" + ts + "00000112000000010a0301020300000132040909" + "0909",
		},
		{
			"av1 interop", program(video(0x101, mpegts.CodecAV1)), mpegts.AV1InteropRawOBU,
			func(m *mpegts.Muxer) error { return m.PushVideo(obus, mpegts.VideoPush{PTS: 90000}) }, 0x101,
			"000001e00000848005" + ts + hex.EncodeToString(obus),
		},
		{
			"av1 binding, escaped", program(video(0x101, mpegts.CodecAV1)), mpegts.AV1MPEG2TSBinding,
			func(m *mpegts.Muxer) error {
				return m.PushVideo(unhex(t, "0a0400000300"), mpegts.VideoPush{PTS: 90000})
			}, 0x101,
			"000001bd0000848005" + ts + "0000010a04000003" + "0300",
		},
		{"misp in h264", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "0000000109f00000000165888400"), mpegts.VideoPush{
				PTS: 90000, MISP: &misp.Time{Status: 0x1F, Value: 1700000000000000},
			})
		}, 0x101, "000001e00000808005" + ts +
			"0000000109f0000001" + "06051c4d4953506d6963726f73656374696d651f0006ff0a24ff181eff400080" + "0000000165888400"},
		{"misp escaped", h264, 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "00000165"), mpegts.VideoPush{PTS: 90000, MISP: &misp.Time{}})
		}, 0x101, "000001e00000808005" + ts +
			"000001" + "06051c4d4953506d6963726f73656374696d650000030" + "0ff0000ff0000ff000080" + "00000165"},
		{"misp nanoseconds in h265", program(video(0x101, mpegts.CodecH265)), 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "000000014001aa0000000126018840"), mpegts.VideoPush{
				PTS: 90000, MISP: &misp.Time{Nano: true, Status: 0x1F, Value: 1700000000000000000},
			})
		}, 0x101, "000001e00000808005" + ts +
			"000000014001aa000001" + "4e01051ccf848278ee23306c9265e8fef22fb8b81f1797ff9cfeff362aff000080" + "0000000126018840"},
		{"misp microseconds in h265", program(video(0x101, mpegts.CodecH265)), 0, func(m *mpegts.Muxer) error {
			return m.PushVideo(unhex(t, "000001200100"), mpegts.VideoPush{
				PTS: 90000, MISP: &misp.Time{Status: 0x1F, Value: 1700000000000000},
			})
		}, 0x101, "000001e00000808005" + ts +
			"0000014e01051ca8687dd4d7593758a5cef0338b6545f11f0006ff0a24ff181eff400080" + "000001200100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := mpegts.NewMuxConfig(c.program)
			cfg.AV1Carriage = c.carry
			m, err := mpegts.NewMuxer(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.push(m); err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(pes(pullAll(t, m), c.pid)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestMuxPacketEdges pins the stuffing around one packet.
func TestMuxPacketEdges(t *testing.T) {
	for _, c := range []struct{ size, packets, field int }{{168, 1, 1}, {169, 1, 0}, {170, 1, -1}, {171, 2, -1}} {
		m := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
		for range 2 { // the second push is without clock
			m.Discard(m.PendingPackets() * mpegts.PacketSize)
			if err := m.PushVideo(make([]byte, c.size), mpegts.VideoPush{Wire: true, PTS: 5}); err != nil {
				t.Fatal(err)
			}
		}
		ps := pullAll(t, m)
		field := -1
		if ps[0].af != nil {
			field = int(ps[0].af[0])
		}
		if len(ps) != c.packets || field != c.field {
			t.Errorf("%d bytes: %d packets, field %d, want %d and %d", c.size, len(ps), field, c.packets, c.field)
		}
	}
	m := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
	if err := m.PushVideo(unhex(t, "0000000165888400"), mpegts.VideoPush{PTS: 90000, KeyFrame: true}); err != nil {
		t.Fatal(err)
	}
	p := pullAll(t, m)[2]
	if p.af[0] != 161 || p.af[1] != 0x50 || hex.EncodeToString(p.af[2:8]) != "0000afc87e00" {
		t.Errorf("adaptation field %x", p.af[:8])
	}
}

func TestMuxCadence(t *testing.T) {
	m := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
	var pcr, psi []int
	for i := range 21 {
		if err := m.PushVideo([]byte{0, 0, 1, 9}, mpegts.VideoPush{PTS: 90000 + int64(i)*900}); err != nil {
			t.Fatal(err)
		}
		for _, p := range pullAll(t, m) {
			if p.PID == 0 {
				psi = append(psi, i*10)
			}
			if p.PID == 0x101 && p.af[1]&0x10 != 0 {
				pcr = append(pcr, i*10)
			}
		}
	}
	if fmt.Sprint(pcr) != "[0 40 80 120 160 200]" || fmt.Sprint(psi) != "[0 100 200]" {
		t.Errorf("PCR at %v, PSI at %v", pcr, psi)
	}
}

// TestMuxClockOfOtherStreams: an adaptation-only packet carries the clock when
// another stream is pushed, and repeats the counter of the packet before it.
func TestMuxClockOfOtherStreams(t *testing.T) {
	m := newMuxer(t, program(video(0x101, mpegts.CodecH264), klvStream(0x102, false, false)))
	var got []string
	for i := range 3 {
		if err := m.PushKLV([]byte("abcd"), 90000+int64(i)*3600, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.PushVideo([]byte{0, 0, 1, 9}, mpegts.VideoPush{PTS: 90000 + 3*3600}); err != nil {
		t.Fatal(err)
	}
	if err := m.PushKLV([]byte("abcd"), 90000+4*3600, 0); err != nil {
		t.Fatal(err)
	}
	for _, p := range pullAll(t, m) {
		if p.PID == 0x101 {
			got = append(got, fmt.Sprintf("%v cc%d", p.HasPayload, p.ContinuityCounter))
		}
	}
	if want := "false cc15, false cc15, false cc15, true cc0, false cc0"; strings.Join(got, ", ") != want {
		t.Errorf("clock packets %v, want %s", got, want)
	}
}

func TestMuxBackpressureKeepsState(t *testing.T) {
	cfg := mpegts.NewMuxConfig(program(video(0x101, mpegts.CodecH264)))
	cfg.BufferPackets = 10
	m, err := mpegts.NewMuxer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	au := append([]byte{0, 0, 1, 9}, make([]byte, 1000)...)
	push := func() error { return m.PushVideo(au, mpegts.VideoPush{PTS: 90000}) }
	if err := push(); err != nil { // 2 tables, 6 packets
		t.Fatal(err)
	}
	if err := push(); tsterr.KindOf(err) != tsterr.MuxBackpressure || !strings.Contains(err.Error(), "proxy") {
		t.Fatalf("full: %v", err)
	}
	if m.PendingPackets() != 8 {
		t.Fatalf("%d packets wait", m.PendingPackets())
	}
	all := pullAll(t, m)
	if err := push(); err != nil {
		t.Fatal(err)
	}
	all = append(all, pullAll(t, m)...)
	next := map[uint16]uint8{}
	for _, p := range all {
		if p.ContinuityCounter != next[p.PID] {
			t.Errorf("PID %x: counter %d, want %d", p.PID, p.ContinuityCounter, next[p.PID])
		}
		next[p.PID] = (p.ContinuityCounter + 1) & 15
	}
	au = make([]byte, 3000)
	if err := m.PushVideo(au, mpegts.VideoPush{Wire: true}); tsterr.KindOf(err) != tsterr.MuxBackpressure {
		t.Errorf("larger than the buffer: %v", err)
	}
}

func TestMuxRefusals(t *testing.T) {
	m := newMuxer(t, program(
		video(0x101, mpegts.CodecH264), video(0x102, mpegts.CodecAV1), audio(0x103, mpegts.CodecAAC),
		klvStream(0x104, false, true), klvStream(0x105, true, true), klvStream(0x106, false, false),
		subtitle(0x107, mpegts.CodecDVBSubtitling), dataStream(0x108, 0xF0, true), dataStream(0x109, 0xF0, false),
		video(0x10A, mpegts.CodecH266),
	))
	big := make([]byte, 1<<16)
	v := func(h mpegts.Handle, hexAU string, p mpegts.VideoPush) error {
		return m.PushVideoTo(h, unhex(t, hexAU), p)
	}
	micro := &misp.Time{Value: 1}
	for name, c := range map[string]struct {
		err  error
		want tsterr.Kind
	}{
		"nal empty":              {v(0, "", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal start code alone":   {v(0, "000001", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal later":              {v(0, "6500000165", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal five bytes":         {v(0, "000000000165", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal empty at the end":   {v(0, "0000000165000001", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal empty first":        {v(0, "00000100000109", mpegts.VideoPush{}), tsterr.MuxInvalidNAL},
		"nal of zero":            {v(0, "00000100", mpegts.VideoPush{}), tsterr.OK},
		"nal on the wire":        {v(0, "6500000165", mpegts.VideoPush{Wire: true}), tsterr.OK},
		"av1 empty":              {v(1, "", mpegts.VideoPush{}), tsterr.OK},
		"av1 without size":       {v(1, "10", mpegts.VideoPush{}), tsterr.OK},
		"av1 cut":                {v(1, "3205", mpegts.VideoPush{}), tsterr.MuxInvalidAV1OBU},
		"av1 size endless":       {v(1, "0affffffffffffffffff", mpegts.VideoPush{}), tsterr.MuxInvalidAV1OBU},
		"av1 forbidden bit":      {v(1, "9200", mpegts.VideoPush{}), tsterr.MuxInvalidAV1OBU},
		"av1 on the wire":        {v(1, "3205", mpegts.VideoPush{Wire: true}), tsterr.OK},
		"misp nano in h264":      {v(0, "00000165", mpegts.VideoPush{MISP: &misp.Time{Nano: true}}), tsterr.MuxMISPTime},
		"misp in h266":           {v(2, "00000100", mpegts.VideoPush{MISP: micro}), tsterr.MuxMISPTime},
		"misp in av1":            {v(1, "1200", mpegts.VideoPush{MISP: micro}), tsterr.MuxInvalidNAL},
		"misp without slice":     {v(0, "00000109f0", mpegts.VideoPush{MISP: micro}), tsterr.MuxMISPTime},
		"misp no annex b":        {v(0, "65", mpegts.VideoPush{MISP: micro}), tsterr.MuxInvalidNAL},
		"video without handle":   {m.PushVideo(nil, mpegts.VideoPush{}), tsterr.MuxInvalidUsage},
		"klv without handle":     {m.PushKLV(nil, 0, 0), tsterr.MuxInvalidUsage},
		"bad handle":             {m.PushAudioTo(1, nil, 0), tsterr.MuxInvalidUsage},
		"bad program":            {m.PushAudioTo(16, nil, 0), tsterr.MuxInvalidUsage},
		"audio at the limit":     {m.PushAudio(big[:65527], 0), tsterr.OK},
		"audio above":            {m.PushAudio(big[:65528], 0), tsterr.MuxInputMalformed},
		"klv at the limit":       {m.PushKLVTo(0, big[:65527], 0, 0), tsterr.OK},
		"klv above":              {m.PushKLVTo(0, big[:65528], 0, 0), tsterr.MuxKLVTooLarge},
		"cell at the limit":      {m.PushKLVTo(1, big[:65522], 0, 0), tsterr.OK},
		"cell above":             {m.PushKLVTo(1, big[:65523], 0, 0), tsterr.MuxKLVTooLarge},
		"klv, no pts, at limit":  {m.PushKLVTo(2, big[:65532], 0, 0), tsterr.OK},
		"klv, no pts, above":     {m.PushKLVTo(2, big[:65533], 0, 0), tsterr.MuxKLVTooLarge},
		"subtitle at the limit":  {m.PushSubtitle(big[:65524], 0), tsterr.OK},
		"subtitle above":         {m.PushSubtitle(big[:65525], 0), tsterr.MuxInputMalformed},
		"data at the limit":      {m.PushDataTo(0, big[:65527], 0), tsterr.OK},
		"data above":             {m.PushDataTo(0, big[:65528], 0), tsterr.MuxInputMalformed},
		"data, no pts, at limit": {m.PushDataTo(1, big[:65532], 0), tsterr.OK},
		"data, no pts, above":    {m.PushDataTo(1, big[:65533], 0), tsterr.MuxInputMalformed},
		"empty klv":              {m.PushKLVTo(0, nil, 0, 0), tsterr.OK},
	} {
		if tsterr.KindOf(c.err) != c.want {
			t.Errorf("%s: %v (%v), want %v", name, c.err, tsterr.KindOf(c.err), c.want)
		}
	}
}

func TestMuxConfigRules(t *testing.T) {
	h264 := video(0x101, mpegts.CodecH264)
	many := func(n int, f func(i int) mpegts.MuxStream) []mpegts.MuxStream {
		s := append(make([]mpegts.MuxStream, 0, 1+n), audio(0x50, mpegts.CodecAAC))
		for i := range n {
			s = append(s, f(i))
		}
		return s
	}
	with := func(d string) mpegts.MuxStream {
		s := h264
		s.Descriptors = [][]byte{unhex(t, d)}
		return s
	}
	badLanguage := subtitle(0x102, mpegts.CodecDVBSubtitling)
	badLanguage.Language = [3]byte([]byte("en1"))
	programs := func(n int) []mpegts.MuxProgram {
		out := make([]mpegts.MuxProgram, 0, n)
		for i := range uint16(n) {
			out = append(out, mpegts.MuxProgram{
				Number: i + 1, PMTPID: 0x100 + i, Streams: []mpegts.MuxStream{video(0x200+i, mpegts.CodecH264)},
			})
		}
		return out
	}
	set := func(f func(*mpegts.MuxConfig)) mpegts.MuxConfig {
		c := mpegts.NewMuxConfig(program(h264))
		f(&c)
		return c
	}
	of := mpegts.NewMuxConfig
	for _, c := range []struct {
		name string
		cfg  mpegts.MuxConfig
		ok   bool
	}{
		{"no program", of(), false},
		{"16 programs", of(programs(16)...), true},
		{"17 programs", of(programs(17)...), false},
		{"no stream", of(program()), false},
		{"klv alone", of(program(klvStream(0x102, true, true))), false},
		{"16 klv", of(program(many(16, func(i int) mpegts.MuxStream {
			s := klvStream(0x60+uint16(i), false, true)
			s.Descriptors = [][]byte{{5, 0}}
			return s
		})...)), true},
		{"17 klv", of(program(many(17, func(i int) mpegts.MuxStream {
			s := klvStream(0x60+uint16(i), false, true)
			s.Descriptors = [][]byte{{5, 0}}
			return s
		})...)), false},
		{"PMT too long", of(program(many(16, func(i int) mpegts.MuxStream { return klvStream(0x60+uint16(i), false, true) })...)), false},
		{"PID 0x0F", of(program(video(0x0F, mpegts.CodecH264))), false},
		{"PID 0x10", of(program(video(0x10, mpegts.CodecH264))), true},
		{"PID 0x1FFF", of(program(video(0x1FFF, mpegts.CodecH264))), false},
		{"PID of the PMT", of(program(video(0x100, mpegts.CodecH264))), false},
		{"PID twice", of(program(h264, audio(0x101, mpegts.CodecAAC))), false},
		{"program 0", of(mpegts.MuxProgram{PMTPID: 0x100, Streams: []mpegts.MuxStream{h264}}), false},
		{"program twice", of(program(h264), mpegts.MuxProgram{Number: 1, PMTPID: 0x200, Streams: []mpegts.MuxStream{video(0x201, 1)}}), false},
		{"PMT PID twice", of(program(h264), mpegts.MuxProgram{Number: 2, PMTPID: 0x100, Streams: []mpegts.MuxStream{video(0x201, 1)}}), false},
		{"sync klv without pts", of(program(h264, klvStream(0x102, true, false))), false},
		{"pcr of klv", of(mpegts.MuxProgram{Number: 1, PMTPID: 0x100, PCRPID: 0x102, Streams: []mpegts.MuxStream{h264, klvStream(0x102, true, true)}}), false},
		{"pcr unknown", of(mpegts.MuxProgram{Number: 1, PMTPID: 0x100, PCRPID: 0x103, Streams: []mpegts.MuxStream{h264}}), false},
		{"pcr of audio", of(mpegts.MuxProgram{Number: 1, PMTPID: 0x100, PCRPID: 0x102, Streams: []mpegts.MuxStream{h264, audio(0x102, mpegts.CodecAAC)}}), true},
		{"pcr 0 ms", set(func(c *mpegts.MuxConfig) { c.PCRIntervalMs = 0 }), false},
		{"pcr 100 ms", set(func(c *mpegts.MuxConfig) { c.PCRIntervalMs = 100 }), true},
		{"pcr 101 ms", set(func(c *mpegts.MuxConfig) { c.PCRIntervalMs = 101 }), false},
		{"psi 9 ms", set(func(c *mpegts.MuxConfig) { c.PSIIntervalMs = 9 }), false},
		{"psi 10 s", set(func(c *mpegts.MuxConfig) { c.PSIIntervalMs = 10000 }), true},
		{"buffer 9", set(func(c *mpegts.MuxConfig) { c.BufferPackets = 9 }), false},
		{"buffer 10", set(func(c *mpegts.MuxConfig) { c.BufferPackets = 10 }), true},
		{"descriptor of one byte", of(program(with("05"))), false},
		{"descriptor cut", of(program(with("050401"))), false},
		{"descriptor", of(program(with("050401020304"))), true},
		{"language with digit", of(program(h264, badLanguage)), false},
		{"data as h264", of(program(h264, dataStream(0x102, 0x1B, true))), false},
		{"data as sync klv", of(program(h264, dataStream(0x102, 0x15, true))), false},
		{"data 06", of(program(h264, dataStream(0x102, 6, true))), true},
		{"data 06 as klv", of(program(h264, mpegts.MuxStream{
			PID: 0x102, Class: mpegts.MuxData, StreamType: 6, Descriptors: [][]byte{unhex(t, "05044b4c5641")},
		})), false},
		{"audio codec as video", of(program(video(0x101, mpegts.CodecAAC))), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mpegts.NewMuxer(c.cfg)
			if (err == nil) != c.ok || err != nil && tsterr.KindOf(err) != tsterr.MuxConfigInvalid {
				t.Errorf("%v, want ok=%v", err, c.ok)
			}
		})
	}
}

func TestMuxStatsAndHandles(t *testing.T) {
	m := newMuxer(t, program(video(0x101, mpegts.CodecH264), audio(0x102, mpegts.CodecAAC), klvStream(0x103, false, true)),
		mpegts.MuxProgram{Number: 2, PMTPID: 0x200, Streams: []mpegts.MuxStream{video(0x201, mpegts.CodecH265), video(0x202, mpegts.CodecH264)}})
	if got := fmt.Sprint(m.Handles(mpegts.MuxVideo)); got != "[0 16 17]" {
		t.Errorf("handles %v", got)
	}
	if _, err := m.ProgramHandles(mpegts.MuxVideo, 7); tsterr.KindOf(err) != tsterr.MuxInvalidUsage {
		t.Errorf("program 7: %v", err)
	}
	if _, _, ok := m.CodecStats(0x101); ok {
		t.Error("counters before the first push")
	}
	adts := unhex(t, "fff14c8001 1ffc 00")
	for _, err := range []error{
		m.PushVideoTo(0, unhex(t, "0000000109f00000000165"), mpegts.VideoPush{KeyFrame: true}),
		m.PushAudioTo(0, []byte("none"), 0),
		m.PushKLV([]byte{1}, 0, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, _, ok := m.CodecStats(0x102); ok {
		t.Error("counters of audio without a frame")
	}
	if err := m.PushAudioTo(0, append(adts[:8:8], adts...), 0); err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[uint16]string{0x101: "{2 1 true} video", 0x102: "{2 0 true} audio", 0x103: "{1 0 true} klv"} {
		c, class, ok := m.CodecStats(pid)
		if got := fmt.Sprint(c, class); !ok || got != want {
			t.Errorf("PID %x: %v, want %v", pid, got, want)
		}
	}
	if s := m.Stats(); s.TSPacketsEmitted != 0 || s.ProgramsConfigured != 2 {
		t.Errorf("before pull: %+v", s)
	}
	n := len(pullAll(t, m))
	if s := m.Stats(); s.TSPacketsEmitted != uint64(n) || s.TSBytesEmitted != uint64(n)*188 {
		t.Errorf("after pull: %+v", s)
	}
	m.ResetStats()
	if _, _, ok := m.CodecStats(0x101); ok || m.Stats().TSPacketsEmitted != 0 {
		t.Error("reset leaves counters")
	}
}

func TestFileSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ts")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	a := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
	b := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
	sink := mpegts.NewFileSink(a, f)
	want := make([]byte, 0, 5<<20)
	au := append([]byte{0, 0, 1, 9}, make([]byte, 200_000)...)
	for i := range 20 {
		if i%3 != 0 { // others go past the sink and are written in order all the same
			if err = sink.Enter(); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []*mpegts.Muxer{a, b} {
			if err = m.PushVideo(au, mpegts.VideoPush{PTS: int64(i) * 3000}); err != nil {
				t.Fatal(err)
			}
		}
		sink.Leave()
		want = append(want, b.Pending()...)
		b.Discard(len(b.Pending()))
	}
	if err = sink.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the file has %d bytes, want %d", len(got), len(want))
	}
	if s := a.Stats(); s.TSBytesEmitted != uint64(len(want)) {
		t.Errorf("%d bytes counted, %d written", s.TSBytesEmitted, len(want))
	}
}

func TestFileSinkFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /dev/full here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	m := newMuxer(t, program(video(0x101, mpegts.CodecH264)))
	sink := mpegts.NewFileSink(m, f)
	if err := sink.Enter(); err != nil {
		t.Fatal(err)
	}
	au := append([]byte{0, 0, 1, 9}, make([]byte, 600_000)...)
	var got error
	for range 5 { // the block that fails is on its way while the next one fills
		if got = m.PushVideo(au, mpegts.VideoPush{}); got != nil {
			break
		}
	}
	var e *tsterr.Error
	if !errors.As(got, &e) || e.Kind != tsterr.IO || len(e.Attrs) == 0 || e.Attrs[0].Name != "errno" {
		t.Errorf("full disk: %v", got)
	}
	if err := m.PushVideo(au, mpegts.VideoPush{}); tsterr.KindOf(err) != tsterr.IO {
		t.Errorf("push after a failed write: %v", err)
	}
}

func BenchmarkMuxPicture(b *testing.B) {
	m := newMuxer(b, program(video(0x101, mpegts.CodecH264)))
	au := make([]byte, 83_000)
	for i := range au {
		au[i] = byte(1 + i%250)
	}
	copy(au, []byte{0, 0, 0, 1, 0x65})
	out := make([]byte, 188*4096)
	b.SetBytes(int64(len(au)))
	b.ReportAllocs()
	var pts int64
	for b.Loop() {
		if err := m.PushVideo(au, mpegts.VideoPush{PTS: pts}); err != nil {
			b.Fatal(err)
		}
		pts += 3000
		m.Pull(out)
	}
}

func BenchmarkMuxKLV(b *testing.B) {
	m := newMuxer(b, program(video(0x101, mpegts.CodecH264), klvStream(0x102, true, true)))
	record := make([]byte, 240)
	b.ReportAllocs()
	var pts int64
	for b.Loop() {
		if err := m.PushKLV(record, pts, 0); err != nil {
			b.Fatal(err)
		}
		pts += 3000
		m.Discard(m.PendingPackets() * mpegts.PacketSize)
	}
}
