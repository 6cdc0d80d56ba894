package mpegts_test

import (
	"bytes"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
)

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
		{
			"joined over PES",
			mpegts.DemuxerConfig{},
			syncKLV(),
			[][]byte{cell(255, first, r[:4]), join(cell(0, middle, r[4:9]), cell(1, last, r[9:]))},
			[]string{"klv1 22 x3"},
		},
		{"sequence gap", mpegts.DemuxerConfig{}, syncKLV(), [][]byte{cell(0, first, r), cell(2, last, r[:3])}, []string{"MultiCellAu 1"}},
		{
			"concurrent first",
			mpegts.DemuxerConfig{},
			syncKLV(),
			[][]byte{cell(0, first, r), cell(1, first, r[:4]), cell(2, last, r[4:])},
			[]string{"MultiCellAu 2", "klv1 22 x2"},
		},
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
		{
			"cell on a record stream",
			mpegts.DemuxerConfig{},
			asyncKLV(),
			[][]byte{cell(0, complete, r), cell(1, complete, r)},
			[]string{"StreamTypeMismatch", "klv1 22 x1", "klv1 22 x1"},
		},
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
	streams := make([]mpegts.PMTStream, 0, 65)
	for i := range uint16(65) {
		streams = append(streams, mpegts.PMTStream{StreamType: 0x15, PID: 0x200 + i})
	}
	data := tables(0, append([]mpegts.PMTStream{h264()}, streams...)...)
	for _, s := range streams {
		data = append(data, carry(s.PID, 0, nil, pesPacket(0xFC, 1, -1, cell(0, mpegts.CellFirst, []byte{1})))...)
	}
	expect(t, demux(t, mpegts.DemuxerConfig{}, data), "map", "MultiCellAu 5")
}
