package mediafile

import (
	"io"
	"slices"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Window sizes of the scan.
const (
	scanWindow = 1 << 20
	// headBytes of a NAL unit are looked at: enough for a slice header's
	// first fields, and most parameter sets.
	headBytes = 512
)

// picture is an access unit while a raw stream is indexed.
type picture struct {
	offset   int64
	sequence int // counts coded video sequences
	order    int64
	key      bool
}

// rawIndex finds the access units of a raw stream.
type rawIndex struct {
	codec    codec.Video
	known    bool // the first NAL unit has told the codec
	pictures []picture
	start    int64 // where the access unit began that is being read
	vcl      bool  // it has a slice already

	sps264   [32]*h264.SPS
	pps264   [256]uint8 // PPS to SPS
	sps265   [16]*h265.SPS
	pps265   [64]*h265.PPS
	rate     codec.Rational
	sequence int

	prevLsb, prevMsb int64
}

// indexRaw scans a raw stream once and gives each access unit its times: the
// decode times by the frame rate, the presentation times by the picture order.
func (r *Reader) indexRaw(size int64, cfg Config) error {
	x := &rawIndex{start: -1}
	if err := x.scan(r.f, size); err != nil {
		return err
	}
	if len(x.pictures) == 0 {
		return tsterr.New(tsterr.MP4InputMalformed, "no picture of H.264 or HEVC in the stream")
	}
	r.codec = x.codec
	rate := codec.Rational{Num: cfg.FPSNum, Den: max(cfg.FPSDen, 1)}
	if rate.Num == 0 {
		rate = x.rate
	}
	if rate.Num == 0 || rate.Den == 0 {
		rate = codec.Rational{Num: 30, Den: 1}
	}
	r.fps = rate
	r.units = x.units(size, rate)
	for _, u := range r.units {
		if u.size > maxUnit {
			return malformed("an access unit of %d bytes", u.size)
		}
	}
	return nil
}

// scan calls nal for every NAL unit with the bytes it begins with.
func (x *rawIndex) scan(f io.ReaderAt, size int64) error {
	buf := make([]byte, scanWindow)
	from := 0
	for at := int64(0); at < size; {
		n, err := f.ReadAt(buf, at)
		if err != nil && err != io.EOF { //nolint:errorlint // ReadAt returns it bare
			return ioError(err)
		}
		b := buf[:n]
		last := at+int64(n) >= size
		end := n
		if !last {
			end = n - headBytes // what begins later is seen whole in the next window
		}
		for {
			sc := codec.IndexStartCode(b, from)
			if sc < 0 || sc >= end {
				break
			}
			head := b[sc+3 : min(sc+3+headBytes, n)]
			if next := codec.IndexStartCode(head, 0); next >= 0 {
				head = head[:next]
			}
			begin := sc
			if sc > 0 && b[sc-1] == 0 {
				begin-- // a start code of four bytes
			}
			if len(head) > 2 {
				x.nal(at+int64(begin), head)
			}
			from = sc + 3
		}
		if last {
			return nil
		}
		// One byte back, so that a start code keeps its leading zero.
		at += int64(end - 1)
		from = 1
	}
	return nil
}

func (x *rawIndex) nal(offset int64, b []byte) {
	if !x.known {
		x.known = true
		x.guess(b)
	}
	if x.codec == codec.H265 {
		x.nal265(offset, b)
	} else {
		x.nal264(offset, b)
	}
}

// guess tells the codecs apart by the first NAL unit: an HEVC stream
// begins with a VPS (40 01), SPS (42 01) or delimiter (46 01), which as H.264
// would be NAL units that forbid themselves.
func (x *rawIndex) guess(b []byte) {
	if t := b[0] >> 1 & 0x3F; b[0]&0x81 == 0 && b[1] == 1 && (t >= 32 && t <= 35 || t == 39) {
		x.codec = codec.H265
		return
	}
	x.codec = codec.H264
}

// open notes where an access unit begins, if this NAL unit begins one.
func (x *rawIndex) open(offset int64, starts bool) {
	if x.start < 0 || starts && x.vcl {
		x.start, x.vcl = offset, false
	}
}

func (x *rawIndex) nal264(offset int64, b []byte) {
	t, ref := b[0]&0x1F, b[0]>>5&3
	slice := t == 1 || t == 2 || t == 5
	firstInPicture := slice && b[1]&0x80 != 0 // first_mb_in_slice is 0
	x.open(offset, firstInPicture || t >= 6 && t <= 9 || t >= 14 && t <= 18)
	switch {
	case t == 7:
		s := new(h264.SPS)
		if s.Unmarshal(b[1:]) == nil && int(s.ID) < len(x.sps264) {
			x.sps264[s.ID] = s
			if rate, ok := s.VUI.FrameRate(); ok && s.HasVUI {
				x.rate = rate
			}
		}
	case t == 8:
		var p h264.PPS
		if p.Unmarshal(b[1:]) == nil {
			x.pps264[p.ID] = p.SPSID
		}
	case slice && !x.vcl:
		x.vcl = true
		var h h264.SliceHeader
		if h.Unmarshal(b[1:], nil) != nil {
			return
		}
		s := x.sps264[x.pps264[h.PPSID]&31]
		order := int64(len(x.pictures))
		if t == 5 {
			x.sequence++
			x.prevLsb, x.prevMsb = 0, 0
		}
		if s != nil && s.PicOrderCntType == 0 {
			if lsb, ok := pocLsb264(b, s); ok {
				order = x.poc(int64(lsb), 1<<(s.Log2MaxPicOrderCntLsbMinus4+4), ref != 0)
			}
		}
		x.pictures = append(x.pictures, picture{x.start, x.sequence, order, t == 5})
	}
}

// pocLsb264 reads a slice header up to pic_order_cnt_lsb (H.264 §7.3.3).
func pocLsb264(b []byte, s *h264.SPS) (uint32, bool) {
	r := bits.NewRBSP(b[1:])
	r.UE()
	r.UE()
	r.UE()
	if s.SeparateColourPlane {
		r.U(2)
	}
	r.U(int(s.Log2MaxFrameNumMinus4) + 4)
	if !s.FrameMbsOnly && r.Flag() {
		r.Flag()
	}
	if b[0]&0x1F == 5 {
		r.UE()
	}
	lsb := r.U(int(s.Log2MaxPicOrderCntLsbMinus4) + 4)
	return lsb, r.Err() == nil
}

// poc extends the low bits of the picture order count (H.264 §8.2.1.1, H.265
// §8.3.1).
func (x *rawIndex) poc(lsb, modulus int64, reference bool) int64 {
	msb := x.prevMsb
	switch {
	case lsb < x.prevLsb && x.prevLsb-lsb >= modulus/2:
		msb += modulus
	case lsb > x.prevLsb && lsb-x.prevLsb > modulus/2:
		msb -= modulus
	}
	if reference {
		x.prevLsb, x.prevMsb = lsb, msb
	}
	return msb + lsb
}

func (x *rawIndex) nal265(offset int64, b []byte) {
	t := b[0] >> 1 & 0x3F
	firstInPicture := t < 32 && b[2]&0x80 != 0
	x.open(offset, firstInPicture || t >= 32 && t <= 35 || t == 39 || t >= 41 && t <= 44 || t >= 48 && t <= 55)
	switch {
	case t == 33:
		s := new(h265.SPS)
		if s.Unmarshal(b[2:]) == nil && int(s.ID) < len(x.sps265) {
			x.sps265[s.ID] = s
			if rate, ok := s.VUI.FrameRate(); ok && s.HasVUI {
				x.rate = rate
			}
		}
	case t == 34:
		p := new(h265.PPS)
		if p.Unmarshal(b[2:]) == nil && int(p.ID) < len(x.pps265) {
			x.pps265[p.ID] = p
		}
	case t < 32 && !x.vcl:
		x.vcl = true
		var h h265.SliceHeader
		if h.Unmarshal(b[2:], h265.NALType(t), nil, nil) != nil {
			return
		}
		p := x.pps265[h.PPSID&63]
		order := int64(len(x.pictures))
		idr := t == 19 || t == 20
		if idr || len(x.pictures) == 0 {
			x.sequence++
			x.prevLsb, x.prevMsb = 0, 0
		}
		if p != nil && x.sps265[p.SPSID&15] != nil {
			s := x.sps265[p.SPSID&15]
			if h.Unmarshal(b[2:], h265.NALType(t), s, p) == nil && h.HasPoc {
				// prevTid0Pic: temporal id 0 and neither leading nor
				// sub-layer non-reference.
				base := b[1]&7 == 1 && (t >= 16 || t&1 == 1 && t < 6)
				order = x.poc(int64(h.PocLsb), 1<<(s.Log2MaxPocLsbMinus4+4), base)
			}
		}
		x.pictures = append(x.pictures, picture{x.start, x.sequence, order, t >= 16 && t <= 23})
	}
}

// units gives the pictures their sizes and times. Within a coded video
// sequence pictures are shown in the order of their counts; decode times run
// ahead by as many frames as that needs.
func (x *rawIndex) units(size int64, rate codec.Rational) []unit {
	n := len(x.pictures)
	shown := make([]int, n) // position in output order
	for from := 0; from < n; {
		to := from
		for to < n && x.pictures[to].sequence == x.pictures[from].sequence {
			to++
		}
		rank := make([]int, to-from)
		for i := range rank {
			rank[i] = from + i
		}
		slices.SortStableFunc(rank, func(a, b int) int {
			switch d := x.pictures[a].order - x.pictures[b].order; {
			case d < 0:
				return -1
			case d > 0:
				return 1
			}
			return 0
		})
		for i, k := range rank {
			shown[k] = from + i
		}
		from = to
	}
	delay := 0
	for i, s := range shown {
		delay = max(delay, i-s)
	}
	ticks := func(frame int) int64 { return rescale(int64(frame)*int64(rate.Den), rate.Num) }
	out := make([]unit, n)
	for i, p := range x.pictures {
		end := size
		if i+1 < n {
			end = x.pictures[i+1].offset
		}
		out[i] = unit{
			offset: p.offset, size: uint32(min(end-p.offset, 1<<31)), key: p.key,
			pts: ticks(shown[i]), dts: ticks(i - delay),
		}
	}
	return out
}
