package mp4

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"
)

// entry is what the final tables keep of a sample: 12 bytes each. A sample is
// under 2 GiB, so that the top bit of its size can mark the sync samples.
type entry struct {
	sizeAndSync uint32
	duration    uint32 // ticks
	offset      int32  // PTS - DTS, ticks
}

const syncBit = 1 << 31

func (e entry) size() uint32 { return e.sizeAndSync &^ syncBit }
func (e entry) sync() bool   { return e.sizeAndSync&syncBit != 0 }

// chunk is one run of samples in the file.
type chunk struct {
	offset  int64
	samples uint32
}

// table collects the samples of the whole file for the final movie box.
type table struct {
	entries   []entry
	chunks    []chunk
	frame     uint32
	total     int64 // ticks of all samples
	mediaTime int64 // where presentation starts
	end       int64 // where it ends
}

func (t *table) samples() int         { return len(t.entries) }
func (t *table) fragments() uint32    { return uint32(len(t.chunks)) + 1 }
func (t *table) newest(n int) []entry { return t.entries[len(t.entries)-n:] }

// begin sets where presentation starts: the earliest picture of the first
// fragment.
func (t *table) begin(first []sample, c *clock) {
	earliest := first[0].pts
	for i := range first {
		if first[i].pts-earliest < 0 {
			earliest = first[i].pts
		}
	}
	t.mediaTime = max(0, c.ticks(earliest))
}

// addFragment appends the first n samples of frag. The duration of a sample
// is the step to the next decode time; the last one of the file takes the
// duration it was given, or one frame. It returns what dropFragment needs.
func (t *table) addFragment(frag []sample, n int, c *clock) (undo table) {
	undo = *t
	for i := range frag[:n] {
		s := &frag[i]
		dts, pts := c.ticks(s.dts), c.ticks(s.pts)
		e := entry{sizeAndSync: s.size, offset: int32(pts - dts)}
		switch {
		case i+1 < len(frag):
			e.duration = uint32(c.ticks(frag[i+1].dts) - dts)
		case s.duration != NoTime:
			e.duration = uint32(mulDiv(s.duration, uint64(c.scale), 1e9))
		default:
			e.duration = t.frame
		}
		if s.sync {
			e.sizeAndSync |= syncBit
		}
		t.entries = append(t.entries, e)
		t.total += int64(e.duration)
		t.end = max(t.end, pts+int64(e.duration))
	}
	return undo
}

func (t *table) dropFragment(undo table) { *t = undo }

// decodeTime is that of the first of the newest n samples.
func (t *table) decodeTime(n int) uint64 {
	d := t.total
	for _, e := range t.newest(n) {
		d -= int64(e.duration)
	}
	return uint64(d)
}

// Sample flags of ISO/IEC 14496-12 §8.8.3.1.
const (
	flagsSync    = 0x02000000 // sample_depends_on 2: on no other
	flagsNonSync = 0x01010000 // sample_depends_on 1, sample_is_non_sync_sample
)

// Box sizes of one fragment: moof, mfhd, traf, tfhd, tfdt, trun, mdat header.
const (
	moofFixed     = 8 + 16 + 8 + 16 + 20 + 20
	maxMdatHeader = 16
	maxMoof       = moofFixed + 16*(fragmentSamples+1) + 8
)

// appendMoof writes a movie fragment with one run, and the header of the
// media data box behind it (ISO/IEC 14496-12 §8.8.4 to §8.8.12, §8.1.1). It
// is written by hand because it stands in the path of every fragment and so
// allocates nothing.
func appendMoof(b []byte, sequence uint32, decodeTime uint64, es []entry, payload int) []byte {
	be := binary.BigEndian
	size := moofFixed + 16*len(es)
	b = append(be.AppendUint32(b, uint32(size)), "moof"...)
	b = append(be.AppendUint32(b, 16), "mfhd\x00\x00\x00\x00"...)
	b = be.AppendUint32(b, sequence)
	b = append(be.AppendUint32(b, uint32(size-24)), "traf"...)
	b = append(be.AppendUint32(b, 16), "tfhd\x00\x02\x00\x00"...) // default-base-is-moof
	b = be.AppendUint32(b, 1)
	b = append(be.AppendUint32(b, 20), "tfdt\x01\x00\x00\x00"...)
	b = be.AppendUint64(b, decodeTime)
	// version 1 (signed offsets), data-offset, duration, size, flags, composition offset
	b = append(be.AppendUint32(b, uint32(20+16*len(es))), "trun\x01\x00\x0f\x01"...)
	b = be.AppendUint32(b, uint32(len(es)))
	b = be.AppendUint32(b, uint32(size+8))
	for i := range es {
		e := &es[i]
		b = be.AppendUint32(b, e.duration)
		b = be.AppendUint32(b, e.size())
		f := uint32(flagsNonSync)
		if e.sync() {
			f = flagsSync
		}
		b = be.AppendUint32(b, f)
		b = be.AppendUint32(b, uint32(e.offset))
	}
	return append(be.AppendUint32(b, uint32(payload+8)), "mdat"...)
}

func ftypBox() mp4.Box {
	return mp4.NewFtyp("isom", 0x200, []string{"isom", "iso5", "iso6", "mp41"})
}

// encodeBox renders a box to bytes.
func encodeBox(b mp4.Box) []byte {
	var w bytes.Buffer
	w.Grow(int(b.Size()))
	// Boxes of this package are complete, and a Buffer does not fail.
	_ = b.Encode(&w)
	return w.Bytes()
}

// movie builds the movie box: the start of a fragmented file without a table,
// or the whole of a plain one, with shift added to every chunk offset.
func (m *Muxer) movie(t *table, shift int64) mp4.Box {
	w, h := m.track.size()
	var presented, total uint64
	if t != nil {
		presented, total = uint64(max(0, t.end-t.mediaTime)), uint64(t.total)
	}
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.Duration, mvhd.NextTrackID = m.scale, presented, 2
	tkhd := mp4.CreateTkhd()
	tkhd.Flags, tkhd.TrackID, tkhd.Duration = 7, 1, presented
	tkhd.Volume = 0
	tkhd.Width, tkhd.Height = mp4.Fixed32(w)<<16, mp4.Fixed32(h)<<16
	mdhd := &mp4.MdhdBox{Timescale: m.scale, Duration: total}
	mdhd.SetLanguage("und")
	elst := &mp4.ElstBox{Entries: []mp4.ElstEntry{{
		SegmentDuration: presented, MediaTime: m.table.mediaTime, MediaRateInteger: 1,
	}}}
	if presented > math.MaxUint32 || m.table.mediaTime > math.MaxInt32 {
		mvhd.Version, tkhd.Version, elst.Version = 1, 1, 1
	}
	if total > math.MaxUint32 {
		mdhd.Version = 1
	}

	stbl := mp4.NewStblBox()
	stsd := mp4.NewStsdBox()
	stsd.AddChild(m.track.entry())
	stbl.AddChild(stsd)
	if t == nil {
		t = &table{}
	}
	t.fill(stbl, shift)

	minf := mp4.NewMinfBox()
	minf.AddChild(&mp4.VmhdBox{Flags: 1})
	dinf := &mp4.DinfBox{}
	dref := &mp4.DrefBox{}
	dref.AddChild(mp4.CreateURLBox())
	dinf.AddChild(dref)
	minf.AddChild(dinf)
	minf.AddChild(stbl)

	mdia := mp4.NewMdiaBox()
	mdia.AddChild(mdhd)
	mdia.AddChild(&mp4.HdlrBox{HandlerType: "vide", Name: "VideoHandler"})
	mdia.AddChild(minf)

	edts := &mp4.EdtsBox{}
	edts.AddChild(elst)
	trak := mp4.NewTrakBox()
	trak.AddChild(tkhd)
	trak.AddChild(edts)
	trak.AddChild(mdia)

	moov := mp4.NewMoovBox()
	moov.AddChild(mvhd)
	moov.AddChild(trak)
	if t.samples() == 0 {
		mvex := mp4.NewMvexBox()
		mvex.AddChild(mp4.CreateTrex(1))
		moov.AddChild(mvex)
	}
	return moov
}

// fill writes the sample tables (ISO/IEC 14496-12 §8.6, §8.7).
func (t *table) fill(stbl *mp4.StblBox, shift int64) {
	stts, stsz, stsc := &mp4.SttsBox{}, &mp4.StszBox{SampleNumber: uint32(len(t.entries))}, &mp4.StscBox{}
	var counts []uint32
	var offsets []int32
	var sync []uint32
	negative, reordered, uniform := false, false, true
	for i, e := range t.entries {
		if n := len(stts.SampleCount); n > 0 && stts.SampleTimeDelta[n-1] == e.duration {
			stts.SampleCount[n-1]++
		} else {
			stts.SampleCount = append(stts.SampleCount, 1)
			stts.SampleTimeDelta = append(stts.SampleTimeDelta, e.duration)
		}
		if n := len(counts); n > 0 && offsets[n-1] == e.offset {
			counts[n-1]++
		} else {
			counts, offsets = append(counts, 1), append(offsets, e.offset)
		}
		negative = negative || e.offset < 0
		reordered = reordered || e.offset != 0
		uniform = uniform && e.size() == t.entries[0].size()
		if e.sync() {
			sync = append(sync, uint32(i+1))
		}
	}
	if uniform && len(t.entries) > 0 {
		stsz.SampleUniformSize = t.entries[0].size()
	} else {
		stsz.SampleSize = make([]uint32, len(t.entries))
		for i, e := range t.entries {
			stsz.SampleSize[i] = e.size()
		}
	}
	stbl.AddChild(stts)
	if reordered {
		ctts := &mp4.CttsBox{}
		if negative {
			ctts.Version = 1
		}
		// The two lists are of one length, the only thing it checks.
		_ = ctts.AddSampleCountsAndOffset(counts, offsets)
		stbl.AddChild(ctts)
	}
	if len(sync) < len(t.entries) {
		stbl.AddChild(&mp4.StssBox{SampleNumber: sync})
	}
	large := false
	var last uint32
	for i, c := range t.chunks {
		if c.samples != last {
			_ = stsc.AddEntry(uint32(i+1), c.samples, 1)
			last = c.samples
		}
		large = large || c.offset+shift > math.MaxUint32
	}
	stbl.AddChild(stsc)
	stbl.AddChild(stsz)
	if large {
		co := &mp4.Co64Box{ChunkOffset: make([]uint64, len(t.chunks))}
		for i, c := range t.chunks {
			co.ChunkOffset[i] = uint64(c.offset + shift)
		}
		stbl.AddChild(co)
		return
	}
	co := &mp4.StcoBox{ChunkOffset: make([]uint32, len(t.chunks))}
	for i, c := range t.chunks {
		co.ChunkOffset[i] = uint32(c.offset + shift)
	}
	stbl.AddChild(co)
}
