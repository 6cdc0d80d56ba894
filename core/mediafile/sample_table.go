package mediafile

import "math"

// full gives the entries of a table box behind its version, flags and count,
// each size bytes long; n is bounded by what the box holds.
func full(b []byte, size int) (entries []byte, n int, version byte) {
	if len(b) < 8 {
		return nil, 0, 0
	}
	n = int(min(uint64(u32(b[4:])), uint64((len(b)-8)/size)))
	return b[8 : 8+n*size], n, b[0]
}

// table reads the sample tables of a plain file (ISO/IEC 14496-12 §8.6, §8.7).
// A fragmented one has empty tables.
func (t *track) table(stbl []byte, fileSize int64) error {
	stsz := find(stbl, "stsz")
	if len(stsz) < 12 {
		return nil
	}
	count := int(u32(stsz[8:]))
	uniform := u32(stsz[4:])
	if uniform == 0 {
		count = min(count, (len(stsz)-12)/4)
	}
	if count > maxSamples || uniform > 0 && int64(count)*int64(uniform) > fileSize {
		return malformed("%d samples of %d bytes", count, uniform)
	}
	t.samples = make([]sample, count)
	for i := range t.samples {
		t.samples[i].size = uniform
		if uniform == 0 {
			t.samples[i].size = u32(stsz[12+4*i:])
		}
	}
	if err := t.place(stbl, fileSize); err != nil {
		return err
	}
	t.timeSamples(stbl)
	if stss := find(stbl, "stss"); stss != nil {
		entries, n, _ := full(stss, 4)
		for i := range n {
			if k := int(u32(entries[4*i:])); k >= 1 && k <= count {
				t.samples[k-1].key = true
			}
		}
	} else {
		for i := range t.samples {
			t.samples[i].key = true
		}
	}
	return nil
}

// place gives each sample its offset, by stsc and stco or co64.
func (t *track) place(stbl []byte, fileSize int64) error {
	width := 4
	chunks, n, _ := full(find(stbl, "stco"), 4)
	if n == 0 {
		width = 8
		chunks, n, _ = full(find(stbl, "co64"), 8)
	}
	runs, runCount, _ := full(find(stbl, "stsc"), 12)
	next, run := 0, 0
	for c := 0; c < n && next < len(t.samples); c++ {
		for run+1 < runCount && int(u32(runs[12*(run+1):])) <= c+1 {
			run++
		}
		if run >= runCount {
			break
		}
		var offset uint64
		if width == 4 {
			offset = uint64(u32(chunks[4*c:]))
		} else {
			offset = u64(chunks[8*c:])
		}
		for range u32(runs[12*run+4:]) {
			if next == len(t.samples) {
				break
			}
			s := &t.samples[next]
			if offset > uint64(fileSize) || uint64(s.size) > uint64(fileSize)-offset || s.size > maxUnit {
				return malformed("sample %d of %d bytes lies outside the file", next, s.size)
			}
			s.offset = int64(offset)
			offset += uint64(s.size)
			next++
		}
	}
	if next < len(t.samples) {
		return malformed("%d of %d samples have a place in the file", next, len(t.samples))
	}
	return nil
}

// timeSamples applies stts and ctts.
func (t *track) timeSamples(stbl []byte) {
	entries, n, _ := full(find(stbl, "stts"), 8)
	i, at := 0, int64(0)
	for k := range n {
		delta := u32(entries[8*k+4:])
		for range u32(entries[8*k:]) {
			if i == len(t.samples) {
				break
			}
			t.samples[i].dts, t.samples[i].duration = at, delta
			at += int64(delta)
			i++
		}
	}
	for ; i < len(t.samples); i++ {
		t.samples[i].dts = at
	}
	t.dts = at
	entries, n, _ = full(find(stbl, "ctts"), 8)
	i = 0
	for k := range n {
		for range u32(entries[8*k:]) {
			if i == len(t.samples) {
				break
			}
			t.samples[i].cts = int32(u32(entries[8*k+4:]))
			i++
		}
	}
}

// Flags of tfhd and trun (§8.8.7, §8.8.8).
const (
	tfhdBase, tfhdDescription, tfhdDuration, tfhdSize, tfhdFlags        = 0x1, 0x2, 0x8, 0x10, 0x20
	trunOffset, trunFirstFlags                                          = 0x1, 0x4
	trunDuration, trunSize, trunFlags, trunComposition                  = 0x100, 0x200, 0x400, 0x800
	sampleIsNonSync                                              uint32 = 0x10000
)

// fields takes 32-bit fields off a buffer; ok turns false once it is short.
type fields struct {
	b  []byte
	ok bool
}

func (f *fields) u32() uint32 {
	if len(f.b) < 4 {
		f.ok = false
		return 0
	}
	v := u32(f.b)
	f.b = f.b[4:]
	return v
}

func (f *fields) u64() uint64 {
	hi := f.u32()
	return uint64(hi)<<32 | uint64(f.u32())
}

// fragment adds the samples of one movie fragment.
func (t *track) fragment(moof []byte, at, fileSize int64) error {
	for _, c := range children(moof) {
		if c.name != "traf" {
			continue
		}
		tfhd := find(c.body, "tfhd")
		if len(tfhd) < 8 || u32(tfhd[4:]) != t.id {
			continue
		}
		flags := u32(tfhd) & 0xFFFFFF
		f := fields{tfhd[8:], true}
		base, def := at, t.trex
		if flags&tfhdBase != 0 {
			base = int64(f.u64() & math.MaxInt64)
		}
		if flags&tfhdDescription != 0 {
			f.u32()
		}
		if flags&tfhdDuration != 0 {
			def.duration = f.u32()
		}
		if flags&tfhdSize != 0 {
			def.size = f.u32()
		}
		if flags&tfhdFlags != 0 {
			def.flags = f.u32()
		}
		if tfdt := find(c.body, "tfdt"); len(tfdt) >= 8 {
			t.dts = int64(u32(tfdt[4:]))
			if tfdt[0] == 1 && len(tfdt) >= 12 {
				t.dts = int64(u64(tfdt[4:]) & math.MaxInt64 >> 1)
			}
		}
		offset := base
		for _, run := range children(c.body) {
			if run.name != "trun" {
				continue
			}
			var err error
			if offset, err = t.run(run.body, base, offset, def, fileSize); err != nil {
				return err
			}
		}
	}
	return nil
}

// run adds the samples of one track run and returns where their data end.
func (t *track) run(trun []byte, base, offset int64, def struct{ duration, size, flags uint32 }, fileSize int64) (int64, error) {
	f := fields{trun, true}
	flags := f.u32() & 0xFFFFFF
	count := f.u32()
	if flags&trunOffset != 0 {
		offset = base + int64(int32(f.u32()))
	}
	first, hasFirst := uint32(0), flags&trunFirstFlags != 0
	if hasFirst {
		first = f.u32()
	}
	for i := range count {
		s := sample{duration: def.duration, size: def.size, dts: t.dts}
		sampleFlags := def.flags
		if flags&trunDuration != 0 {
			s.duration = f.u32()
		}
		if flags&trunSize != 0 {
			s.size = f.u32()
		}
		if flags&trunFlags != 0 {
			sampleFlags = f.u32()
		}
		if i == 0 && hasFirst {
			sampleFlags = first
		}
		if flags&trunComposition != 0 {
			s.cts = int32(f.u32())
		}
		if !f.ok || len(t.samples) >= maxSamples {
			return offset, malformed("a track run with %d of %d samples", i, count)
		}
		if offset < 0 || s.size > maxUnit || s.size == 0 {
			return offset, malformed("a sample of %d bytes at %d", s.size, offset)
		}
		if offset+int64(s.size) > fileSize {
			return offset, nil // the file was cut off here
		}
		s.offset, s.key = offset, sampleFlags&sampleIsNonSync == 0
		t.samples = append(t.samples, s)
		offset += int64(s.size)
		t.dts += int64(s.duration)
	}
	return offset, nil
}
