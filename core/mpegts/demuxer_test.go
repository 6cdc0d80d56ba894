package mpegts_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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
		{"transport error drops the packet and its counter", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 1, 0x80), picture(1, 93000)),
			[]string{"map", "TransportErrorPacket", "video 90000 3", "video 93000 0"}},
		{"scrambled", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 3, 0x80)),
			[]string{"map", "UnsupportedScrambling", "video 90000 3"}},
		{"reserved adaptation_field_control", join(v1, flip(packet(videoPID, 1, false, nil, make([]byte, 184)), 3, 0x10)),
			[]string{"map", "AdaptationFieldMalformed", "video 90000 3"}},
		{"adaptation field longer than the packet", join(v1, func() []byte {
			p := packet(videoPID, 1, false, nil, make([]byte, 100))
			p[4] = 200
			return p
		}()), []string{"map", "AdaptationFieldMalformed", "video 90000 3"}},
		{"adaptation-only packet takes no part in the counter", join(v1, packet(videoPID, 9, false, []byte{0}, nil), picture(1, 93000)),
			[]string{"map", "video 90000 3", "video 93000 0"}},
		{"gap keeps both sides", join(v1, packet(videoPID, 5, false, nil, make([]byte, 184)), picture(6, 93000)),
			[]string{"map", "disc1", "video 90000 187", "video 93000 0"}},
		{"discontinuity_indicator instead of the gap", join(v1, packet(videoPID, 5, false, []byte{0x80}, make([]byte, 100)), picture(6, 93000)),
			[]string{"map", "disc2", "video 90000 103", "video 93000 0"}},
		{"one duplicate is left out", join(v1, v1, picture(1, 93000)), []string{"map", "video 90000 3", "video 93000 0"}},
		{"a third copy is a jump", join(v1, v1, v1, picture(1, 93000)),
			[]string{"map", "disc1", "video 90000 3", "video 90000 3", "video 93000 0"}},
		{"same counter, other bytes", join(v1, picture(0, 93000)), []string{"map", "disc1", "video 90000 3", "video 93000 0"}},
		{"duplicate with a re-coded PCR", join(carry(videoPID, 0, pcrField(0, 0x10), pesPacket(0xE0, 5, 0, []byte{1})),
			carry(videoPID, 0, pcrField(300, 0x10), pesPacket(0xE0, 5, 0, []byte{1}))), []string{"map", "video 5 1"}},
		{"PCR step of exactly 1 s", join(packet(videoPID, 0, false, pcrField(0, 0x10), nil), packet(videoPID, 0, false, pcrField(27_000_000, 0x10), nil)),
			[]string{"map"}},
		{"PCR step above 1 s", join(packet(videoPID, 0, false, pcrField(0, 0x10), nil), packet(videoPID, 0, false, pcrField(27_000_300, 0x10), nil)),
			[]string{"map", "PcrAnomaly"}},
		{"PCR wrap", join(packet(videoPID, 0, false, pcrField(300<<33-300, 0x10), nil), packet(videoPID, 0, false, pcrField(300, 0x10), nil)),
			[]string{"map"}},
		{"PCR extension above 299", packet(videoPID, 0, false, []byte{0x10, 0, 0, 0, 0, 0x7F, 0xFF}, nil), []string{"map", "PcrMalformed"}},
		{"PCR flag without room keeps the payload", join(v1, packet(videoPID, 1, false, []byte{0x10}, make([]byte, 182)), picture(2, 93000)),
			[]string{"map", "AdaptationFieldMalformed", "video 90000 185", "video 93000 0"}},
		{"unknown and null PIDs", join(v1, packet(0x333, 0, true, nil, make([]byte, 184)), packet(0x1FFF, 0, true, nil, make([]byte, 184))),
			[]string{"map", "video 90000 3"}},
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
		{"bytes beyond the length", aac(), join(carry(otherPID, 0, nil, pesPacket(0xC0, 9, 8+1, []byte{1, 2, 3})), packet(otherPID, 1, false, nil, make([]byte, 9))),
			[]string{"audio 9 1"}},
		{"truncated bounded", aac(), join(carry(otherPID, 0, nil, pesPacket(0xC0, 9, 500, []byte{1, 2, 3})), carry(otherPID, 1, nil, pesPacket(0xC0, 10, -1, nil))),
			[]string{"audio 9 3", "audio 10 0"}},
		{"length 0 outside video", aac(), carry(otherPID, 0, nil, pesPacket(0xC0, 9, 0, []byte{1})), []string{"ZeroLengthPesNonVideo"}},
		{"length 0 of MPEG-2 video", mpegts.PMTStream{StreamType: 2, PID: otherPID}, carry(otherPID, 0, nil, pesPacket(0xE0, 9, 0, []byte{1})),
			[]string{"unknown 0x02 1"}},
		{"continuation without a start", h264(), join(packet(videoPID, 0, false, nil, make([]byte, 184)), picture(1, 9)), []string{"video 9 0"}},
		{"no start code at the end", h264(), packet(videoPID, 0, true, nil, bytes.Repeat([]byte{0xFF}, 184)), nil},
		{"flags without marker", h264(), header(func(p []byte) { p[6] = 0 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{"PTS marker bit", h264(), header(func(p []byte) { p[9] &^= 1 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{"PTS prefix", h264(), header(func(p []byte) { p[9] |= 0x10 }), []string{"PesHeaderMalformed", "video 90000 3", "video 93000 0"}},
		{"PTS_DTS_flags 01", h264(), header(func(p []byte) { p[7] = 0x40 }),
			[]string{"PesHeaderMalformed", "MissingRequiredPts", "video 0 3", "video 93000 0"}},
		{"header longer than the PES", h264(), header(func(p []byte) { p[8] = 200 }), []string{"MalformedPes", "video 93000 0"}},
		{"header too short for the PTS leaks it", h264(), header(func(p []byte) { p[8] = 0 }), []string{"video 90000 8", "video 93000 0"}},
		{"missing PTS of other kinds", mpegts.PMTStream{StreamType: 0x80, PID: otherPID}, carry(otherPID, 0, nil, pesPacket(0xBD, -1, -1, []byte{1})),
			[]string{"unknown 0x80 1"}},
		{"private_stream_2 has no optional header", aac(), carry(otherPID, 0, nil, []byte{0, 0, 1, 0xBF, 0, 2, 7, 8}),
			[]string{"MissingRequiredPts", "audio 0 2"}},
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

func TestPSI(t *testing.T) {
	entry := mpegts.PATEntry{ProgramNumber: 1, PID: pmtPID}
	p0 := section(0, 0, pat(0, entry))
	pm := pmt(1, 0, videoPID, h264())
	broken := func(s []byte, at int, v byte) []byte {
		s = append([]byte{}, s...)
		s[at] = v
		mpegts.PutSectionCRC(s)
		return s
	}
	long := []mpegts.PMTStream{h264()}
	for i := range 40 {
		long = append(long, mpegts.PMTStream{StreamType: 0x80, PID: 0x300 + uint16(i), Descriptors: []byte{0x52, 1, byte(i)}})
	}
	lp := section(pmtPID, 0, pmt(1, 0, videoPID, long...))
	gap := append([]byte{}, lp...)
	gap[188+3] = 0x19
	for _, c := range []struct {
		name string
		cfg  mpegts.DemuxerConfig
		data []byte
		want []string
	}{
		{"same version is ignored", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pm), section(pmtPID, 1, pmt(1, 0, 5))), []string{"map"}},
		{"new version", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pm), section(pmtPID, 1, pmt(1, 1, videoPID, h264()))), []string{"map", "map"}},
		{"checksum", mpegts.DemuxerConfig{}, join(section(0, 0, flip(pat(0, entry), 5, 4)), p0, section(pmtPID, 0, flip(pm, 20, 1)), section(pmtPID, 1, pm)),
			[]string{"PsiChecksumMismatch", "PsiChecksumMismatch", "map"}},
		{"program number", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pmt(7, 0, videoPID))), []string{"PmtProgramNumberMismatch"}},
		{"section_syntax_indicator 0 is used", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, broken(pm, 1, pm[1]&0x7F))), []string{"PsiSyntax", "map"}},
		{"next tables wait", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, broken(pm, 5, 0xC0))), nil},
		{"PMT of several sections", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, broken(pm, 7, 1))), []string{"PsiMultiSectionUnsupported"}},
		{"other table_id", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, broken(pm, 0, 5))), nil},
		{"descriptor loop overruns", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, broken(pm, 16, 9))), nil},
		{"over several packets", mpegts.DemuxerConfig{}, join(p0, lp), []string{"map"}},
		{"over several packets, duplicated", mpegts.DemuxerConfig{}, join(p0, lp[:188], lp[:188], lp[188:], lp[188:]), []string{"map"}},
		{"gap within", mpegts.DemuxerConfig{}, join(p0, gap), []string{"PsiCcDiscontinuity"}},
		{"gap within, lenient", mpegts.DemuxerConfig{LenientPSIReassembly: true}, join(p0, gap), []string{"map"}},
		{"longer than any section", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, append([]byte{2, 0xBF, 0xFF}, make([]byte, 600)...))),
			[]string{"PsiOverlongSection"}},
		{"longer than a PMT may be", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, append([]byte{2, 0xB3, 0xFE}, make([]byte, 1022)...))), nil},
		{"no streams", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pmt(1, 0, 0x1FFF))), []string{"map"}},
		{"PID of another program", mpegts.DemuxerConfig{}, join(
			section(0, 0, pat(0, entry, mpegts.PATEntry{ProgramNumber: 2, PID: 0x200})), section(pmtPID, 0, pm),
			section(0x200, 0, pmt(2, 0, videoPID, h264()))), []string{"map", "PidReusedAcrossPrograms", "map"}},
		{"kind changes", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pm), picture(0, 9, 1),
			section(pmtPID, 1, pmt(1, 1, videoPID, mpegts.PMTStream{StreamType: 0x24, PID: videoPID})), picture(7, 10, 1, 2)),
			[]string{"map", "map", "video 10 2"}},
		{"program vanishes", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pm), picture(0, 9, 1), section(0, 1, pat(1)), picture(1, 10)), []string{"map"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, demux(t, c.cfg, c.data), c.want...)
		})
	}
}

func TestPATOfSeveralSections(t *testing.T) {
	one := func(n byte, e mpegts.PATEntry) []byte {
		p := mpegts.PAT{TransportStreamID: 1, CurrentNextIndicator: true, SectionNumber: n, LastSectionNumber: 1, Programs: []mpegts.PATEntry{e}}
		b := make([]byte, p.MarshalSize())
		if _, err := p.MarshalTo(b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	d := newDemuxer(t, mpegts.DemuxerConfig{})
	if err := d.Feed(join(section(0, 0, one(1, mpegts.PATEntry{ProgramNumber: 2, PID: 0x200})), section(0, 1, one(0, mpegts.PATEntry{ProgramNumber: 1, PID: pmtPID})),
		section(pmtPID, 0, pmt(1, 0, 5)), section(0x200, 0, pmt(2, 0, 5)))); err != nil {
		t.Fatal(err)
	}
	expect(t, drain(t, d), "map", "map")
	if n := d.Stats().ProgramsSeen; n != 2 {
		t.Fatal(n)
	}
}

func TestClassification(t *testing.T) {
	reg := func(s string) []byte { return append([]byte{5, byte(len(s))}, s...) }
	sub, tele := []byte{0x59, 0}, []byte{0x56, 0}
	for _, c := range []struct {
		streamType uint8
		loop       []byte
		kind       mpegts.StreamKind
		codec      mpegts.Codec
	}{
		{0x1B, reg("KLVA"), mpegts.KindVideo, mpegts.CodecH264},
		{0x24, nil, mpegts.KindVideo, mpegts.CodecH265},
		{0x33, nil, mpegts.KindVideo, mpegts.CodecH266},
		{0x03, nil, mpegts.KindAudio, mpegts.CodecMP2},
		{0x04, nil, mpegts.KindAudio, mpegts.CodecMP2},
		{0x0F, nil, mpegts.KindAudio, mpegts.CodecAAC},
		{0x11, nil, mpegts.KindAudio, mpegts.CodecAACLATM},
		{0x81, nil, mpegts.KindAudio, mpegts.CodecAC3},
		{0x15, nil, mpegts.KindKLVSync, mpegts.CodecNone},
		{0x02, nil, mpegts.KindUnknown, mpegts.CodecNone},
		{0x06, nil, mpegts.KindUnknown, mpegts.CodecNone},
		{0x06, reg("KLVA"), mpegts.KindKLVAsync, mpegts.CodecNone},
		{0x06, reg("KLVAxyz"), mpegts.KindKLVAsync, mpegts.CodecNone},
		{0x06, join(reg("KLVA"), reg("AV01")), mpegts.KindVideo, mpegts.CodecAV1},
		{0x06, join(tele, sub), mpegts.KindSubtitle, mpegts.CodecDVBSubtitling},
		{0x06, []byte{0x46, 0}, mpegts.KindSubtitle, mpegts.CodecDVBTeletext},
		{0x06, reg("VTTC"), mpegts.KindSubtitle, mpegts.CodecWebVTTInTS},
		{0x06, reg("GA94"), mpegts.KindSubtitle, mpegts.CodecCEA708Standalone},
		{0x06, reg("AC-3"), mpegts.KindUnknown, mpegts.CodecNone},
		{0x06, []byte{0x26, 9, 1, 0, 0xFF, 'K', 'L', 'V', 'A', 0, 0x0F}, mpegts.KindUnknown, mpegts.CodecNone},
		{0x06, reg("AV0"), mpegts.KindUnknown, mpegts.CodecNone},
	} {
		if k, codec := mpegts.Classify(c.streamType, c.loop); k != c.kind || codec != c.codec {
			t.Errorf("0x%02X %x: %v %v", c.streamType, c.loop, k, codec)
		}
	}
	for loop, want := range map[string]string{
		string(join(sub, tele)): "SubtitleDescriptorAmbiguous",
		string(reg("AV0")):      "Av1RegistrationMalformed",
	} {
		data := tables(0, mpegts.PMTStream{StreamType: 6, PID: videoPID, Descriptors: []byte(loop)})
		expect(t, demux(t, mpegts.DemuxerConfig{}, data), want, "map")
	}
}

func TestKLVLinks(t *testing.T) {
	meta := func(tail ...byte) []byte {
		return append([]byte{0x26, byte(9 + len(tail)), 1, 0, 0xFF, 'K', 'L', 'V', 'A', 0, 0x0F}, tail...)
	}
	for _, c := range []struct {
		name    string
		streams []mpegts.PMTStream
		links   []byte // the tail of the map: KLV PID, video PID, source
		finding bool
	}{
		{"inferred", []mpegts.PMTStream{h264(), syncKLV()}, []byte{2, 1, 1, 1, mpegts.LinkInferred, 0}, false},
		{"declared", []mpegts.PMTStream{h264(), {StreamType: 0x15, PID: otherPID, Descriptors: meta(2, 3)}}, []byte{2, 1, 3, 2, mpegts.LinkDeclared, 0}, false},
		{"declared out of range", []mpegts.PMTStream{h264(), {StreamType: 0x15, PID: otherPID, Descriptors: meta(0x20, 0)}},
			[]byte{2, 1, 1, 1, mpegts.LinkInferred, 0}, false},
		{"no video", []mpegts.PMTStream{asyncKLV()}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := demux(t, mpegts.DemuxerConfig{}, tables(0, c.streams...))
			if c.finding {
				expect(t, events, "MissingMetadataDescriptor", "map")
				if events[0].StreamKind != mpegts.KindKLVSync {
					t.Fatal(events[0].StreamKind)
				}
				return
			}
			expect(t, events, "map")
			if m := events[0].payload; !bytes.HasSuffix(m, c.links) || m[8] != 1 {
				t.Fatalf("%x", m)
			}
		})
	}
}

func record(n int) []byte {
	b := append([]byte{0x06, 0x0E, 0x2B, 0x34}, make([]byte, 12)...)
	return append(append(b, byte(n)), make([]byte, n)...)
}

func cell(seq byte, cfi mpegts.CellFragmentIndication, data []byte) []byte {
	c := mpegts.AUCell{SequenceNumber: seq, FragmentIndication: cfi, DataLength: uint16(len(data))}
	b := make([]byte, c.MarshalSize(), c.MarshalSize()+len(data))
	if _, err := c.MarshalTo(b); err != nil {
		panic(err)
	}
	return append(b, data...)
}

func TestKLV(t *testing.T) {
	const first, middle, last, complete = mpegts.CellFirst, mpegts.CellMiddle, mpegts.CellLast, mpegts.CellComplete
	r := record(5)
	for _, c := range []struct {
		name string
		cfg  mpegts.DemuxerConfig
		es   mpegts.PMTStream
		pes  [][]byte
		want []string
	}{
		{"cells of one PES", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{join(cell(0, complete, r), cell(1, complete, nil))}, []string{"klv1 22 x1", "klv1 0 x1"}},
		{"joined over PES", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(255, first, r[:4]), join(cell(0, middle, r[4:9]), cell(1, last, r[9:]))},
			[]string{"klv1 22 x3"}},
		{"sequence gap", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, first, r), cell(2, last, r[:3])}, []string{"MultiCellAu 1"}},
		{"concurrent first", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, first, r), cell(1, first, r[:4]), cell(2, last, r[4:])},
			[]string{"MultiCellAu 2", "klv1 22 x2"}},
		{"complete within", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, first, r), cell(1, complete, r)}, []string{"MultiCellAu 2", "klv1 22 x1"}},
		{"orphan", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, last, r[:20])}, []string{"MultiCellAu 0"}},
		{"orphan taken whole", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, middle, r)}, []string{"klv1 22 x1", "MalformedAuCellCfiTolerated"}},
		{"orphan, intolerant", mpegts.DemuxerConfig{NoCFITolerance: true}, syncKLV(), [][]byte{cell(0, middle, r)}, []string{"MultiCellAu 0"}},
		{"exactly the cap", mpegts.DemuxerConfig{AUCellCapPerPID: 22}, syncKLV(), [][]byte{cell(0, first, r[:9]), cell(1, last, r[9:])}, []string{"klv1 22 x2"}},
		{"over the cap", mpegts.DemuxerConfig{AUCellCapPerPID: 21}, syncKLV(), [][]byte{cell(0, first, r[:9]), cell(1, last, r[9:])}, []string{"MultiCellAu 3"}},
		{"first never completed", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, first, r)}, nil},
		{"bare record on a cell stream", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{r, r}, []string{"StreamTypeMismatch", "klv2 22 x1", "klv2 22 x1"}},
		{"neither", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{{1, 2, 3}, nil}, []string{"unknown 0x15 3", "unknown 0x15 0"}},
		{"two records in one PES", mpegts.DemuxerConfig{}, asyncKLV(), [][]byte{join(r, r)}, []string{"klv2 44 x1"}},
		{"cell on a record stream", mpegts.DemuxerConfig{}, asyncKLV(), [][]byte{cell(0, complete, r), cell(1, complete, r)},
			[]string{"StreamTypeMismatch", "klv1 22 x1", "klv1 22 x1"}},
		{"neither on a record stream", mpegts.DemuxerConfig{}, asyncKLV(), [][]byte{{9}}, []string{"unknown 0x15 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := tables(0, h264(), c.es)
			for i, p := range c.pes {
				data = append(data, carry(otherPID, i, nil, pesPacket(0xFC, int64(i), -1, p))...)
			}
			events := demux(t, c.cfg, data)
			expect(t, events, append([]string{"map"}, c.want...)...)
			for _, e := range events {
				if e.Flags&mpegts.FlagWasReassembled != 0 && (!bytes.Equal(e.payload, r) || e.PTS == 0) {
					t.Errorf("joined %x at %d", e.payload, e.PTS)
				}
			}
		})
	}
}

func TestAUCellLimits(t *testing.T) {
	var streams []mpegts.PMTStream
	for i := range uint16(65) {
		streams = append(streams, mpegts.PMTStream{StreamType: 0x15, PID: 0x200 + i})
	}
	data := tables(0, append([]mpegts.PMTStream{h264()}, streams...)...)
	for _, s := range streams {
		data = append(data, carry(s.PID, 0, nil, pesPacket(0xFC, 1, -1, cell(0, mpegts.CellFirst, []byte{1})))...)
	}
	expect(t, demux(t, mpegts.DemuxerConfig{}, data), "map", "MultiCellAu 5")
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

func TestSync(t *testing.T) {
	stream := func(n int) []byte {
		data := tables(0, h264())
		for i := range n {
			data = append(data, carry(videoPID, i, nil, pesPacket(0xE0, int64(i), -1, []byte{byte(i)}))...)
		}
		return data
	}
	count := func(t *testing.T, data []byte) int {
		t.Helper()
		d := newDemuxer(t, mpegts.DemuxerConfig{})
		err := d.Feed(data)
		if err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
			t.Fatal(err)
		}
		d.Flush()
		return len(drain(t, d))
	}
	t.Run("five packets confirm a start", func(t *testing.T) {
		if n := count(t, join(make([]byte, 10), stream(2))); n != 0 {
			t.Error(n)
		}
		if n := count(t, join(make([]byte, 10), stream(3))); n != 4 {
			t.Error(n)
		}
	})
	t.Run("garbage of any length", func(t *testing.T) {
		for _, n := range []int{1, 3, 37, 187, 188, 189, 1000, 6016, 6017, 70000} {
			if got := count(t, join(make([]byte, n), stream(20))); got != 21 {
				t.Errorf("%d bytes: %d events", n, got)
			}
		}
	})
	t.Run("lost for good", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{})
		if err := d.Feed(make([]byte, 6016)); err != nil {
			t.Error(err)
		}
		if err := d.Feed(make([]byte, 1)); tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
			t.Error(err)
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		s := stream(20)
		if n := count(t, join(s[:5*188], make([]byte, 37), s[5*188:])); n != 21 {
			t.Error(n)
		}
		cut := join(s[:5*188], s[5*188+50:])
		expect(t, demux(t, mpegts.DemuxerConfig{}, cut)[:5], "map", "video 0 1", "video 1 1", "video 2 1", "disc1")
	})
	t.Run("record sizes", func(t *testing.T) {
		s := stream(20)
		for stride, front := range map[int]int{192: 4, 204: 0, 208: 0} {
			rnd := rand.New(rand.NewPCG(1, 2))
			var data []byte
			for i := 0; i < len(s); i += 188 {
				extra := make([]byte, stride-188)
				for k := range extra {
					extra[k] = byte(rnd.IntN(0x47))
				}
				data = join(data, extra[:front], s[i:i+188], extra[front:])
			}
			for _, cut := range []int{0, 1, 3, 5, 100} {
				d := newDemuxer(t, mpegts.DemuxerConfig{})
				for rest := data[cut:]; len(rest) > 0; {
					n := min(len(rest), 1+rnd.IntN(300))
					if err := d.Feed(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				d.Flush()
				want := 21
				if cut > front {
					want = 0 // the PAT is cut, there is but one
				}
				if got := len(drain(t, d)); got != want {
					t.Errorf("stride %d cut %d: %d events, want %d", stride, cut, got, want)
				}
			}
		}
	})
	t.Run("ceiling", func(t *testing.T) {
		d := newDemuxer(t, mpegts.DemuxerConfig{SyncBufCap: 1000})
		if err := d.Feed(stream(20)); tsterr.KindOf(err) != tsterr.DemuxSyncBufExhausted {
			t.Error(err)
		}
		if err := d.Feed(stream(3)); err != nil {
			t.Error(err)
		}
		expect(t, drain(t, d), "map", "video 0 1", "video 1 1", "video 2 1")
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

// corpus is generated streams, and the shared captures where they are present.
func corpus(t testing.TB) map[string][]byte {
	out := map[string][]byte{"tables": tables(0, h264(), syncKLV())}
	rnd := rand.New(rand.NewPCG(3, 4))
	data := tables(0, h264(), aac())
	for i := range 30 {
		p := make([]byte, rnd.IntN(60000))
		for k := range p {
			p[k] = byte(rnd.Uint32())
		}
		data = append(data, carry(videoPID, len(data)/188, nil, pesPacket(0xE0, int64(i)*3600, 0, p))...)
		data = append(data, carry(otherPID, i, nil, pesPacket(0xC0, int64(i)*3600, -1, p[:min(len(p), 100)]))...)
	}
	out["generated"] = data
	files, err := filepath.Glob("../../../shared/testdata/ts/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("../../testdata/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, own...) {
		if b, err := os.ReadFile(f); err == nil {
			out[filepath.Base(f)] = b[:min(len(b), 800<<10)]
		}
	}
	return out
}

// same compares events; positions and payloads too.
func same(a, b []event) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d events, %d events", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		x.Record.Payload, y.Record.Payload, x.Record.Text, y.Record.Text = 0, 0, 0, 0
		if x.Record != y.Record || x.text != y.text || !bytes.Equal(x.payload, y.payload) {
			return fmt.Sprintf("event %d: %+v %q, %+v %q", i, x.Record, x.text, y.Record, y.text)
		}
	}
	return ""
}

// The same bytes give the same events however they are cut.
func TestChunking(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for name, data := range corpus(t) {
		for _, garbage := range []int{0, 1, 500, 7000} {
			data := append(bytes.Repeat([]byte{0x47, 1, 2}, garbage/3+1)[:garbage], data...)
			for _, cfg := range []mpegts.DemuxerConfig{{}, {HoldBeforePMT: 4 << 20}} {
				run := func(cut func() int) []event {
					d := newDemuxer(t, cfg)
					var out []event
					for rest := data; len(rest) > 0; {
						n := min(len(rest), cut())
						if err := d.Feed(rest[:n]); err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
							t.Fatal(name, err)
						}
						if rnd.IntN(2) == 0 {
							out = append(out, drain(t, d)...)
						}
						rest = rest[n:]
					}
					d.Flush()
					return append(out, drain(t, d)...)
				}
				whole := run(func() int { return 1 << 20 })
				sizes := []int{1, 100, 187, 188, 189, 1316, 4000, 65536}
				if diff := same(whole, run(func() int { return sizes[rnd.IntN(len(sizes))] })); diff != "" {
					t.Errorf("%s behind %d bytes: %s", name, garbage, diff)
				}
			}
		}
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
