package mpegts_test

import (
	"bytes"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
)

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
	long := make([]mpegts.PMTStream, 0, 41)
	long = append(long, h264())
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
		{
			"checksum",
			mpegts.DemuxerConfig{},
			join(section(0, 0, flip(pat(0, entry), 5, 4)), p0, section(pmtPID, 0, flip(pm, 20, 1)), section(pmtPID, 1, pm)),
			[]string{"PsiChecksumMismatch", "PsiChecksumMismatch", "map"},
		},
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
		{
			"longer than any section",
			mpegts.DemuxerConfig{},
			join(p0, section(pmtPID, 0, append([]byte{2, 0xBF, 0xFF}, make([]byte, 600)...))),
			[]string{"PsiOverlongSection"},
		},
		{"longer than a PMT may be", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, append([]byte{2, 0xB3, 0xFE}, make([]byte, 1022)...))), nil},
		{"no streams", mpegts.DemuxerConfig{}, join(p0, section(pmtPID, 0, pmt(1, 0, 0x1FFF))), []string{"map"}},
		{"PID of another program", mpegts.DemuxerConfig{}, join(
			section(0, 0, pat(0, entry, mpegts.PATEntry{ProgramNumber: 2, PID: 0x200})), section(pmtPID, 0, pm),
			section(0x200, 0, pmt(2, 0, videoPID, h264()))), []string{"map", "PidReusedAcrossPrograms", "map"}},
		{
			"kind changes",
			mpegts.DemuxerConfig{},
			join(p0, section(pmtPID, 0, pm), picture(0, 9, 1),
				section(pmtPID, 1, pmt(1, 1, videoPID, mpegts.PMTStream{StreamType: 0x24, PID: videoPID})), picture(7, 10, 1, 2)),
			[]string{"map", "map", "video 10 2"},
		},
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
		{
			"declared out of range",
			[]mpegts.PMTStream{h264(), {StreamType: 0x15, PID: otherPID, Descriptors: meta(0x20, 0)}},
			[]byte{2, 1, 1, 1, mpegts.LinkInferred, 0},
			false,
		},
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
