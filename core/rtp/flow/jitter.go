package flow

import "github.com/tstrans/tstrans/core/tsterr"

// Bounds of a jitter buffer.
const (
	MaxCapacity = 1 << 14 // packets
	maxMisorder = 100     // a number that far behind begins a new stream
)

type slotState uint8

const (
	slotEmpty slotState = iota
	slotMedia
	slotOther // a packet that is no media holds its number
)

type slot struct {
	state  slotState
	marker bool
	ts     uint32
	data   []byte
}

// Frame is what a jitter buffer gives: the payloads of one timestamp. Data is valid until the next call.
type Frame struct {
	Data      []byte
	Timestamp uint32
	Lost      int   // packets missing right before it
	Packets   []int // length of each payload in Data
}

// JitterConfig says how a jitter buffer works.
type JitterConfig struct {
	Capacity int  // in packets, a power of two
	Prefetch int  // complete frames held back
	Video    bool // a frame ends at the marker bit
	// SkipGaps lets audio go on over a gap once a packet of a later frame is there.
	SkipGaps bool
	// KeepHeld gives frames that overflow pushes out instead of dropping them with the gap behind them: see Spilled.
	KeepHeld bool
	// WaitForLost keeps an incomplete video frame until Expire gives it up, so that a retransmission can mend it.
	WaitForLost bool
}

// JitterBuffer puts packets in order and joins them into frames.
type JitterBuffer struct {
	cfg    JitterConfig
	slots  []slot
	origin uint16
	begun  bool
	frame  Frame
	buf    []byte
	lens   []int
	// skipped tells that an incomplete video frame was dropped.
	skipped bool
	spill   []Frame // copies, of KeepHeld
	lost    int     // packets that were missing when the origin went over them, not yet told
}

// NewJitterBuffer makes a buffer.
func NewJitterBuffer(cfg JitterConfig) (*JitterBuffer, error) {
	if cfg.Capacity <= 0 || cfg.Capacity > MaxCapacity || cfg.Capacity&(cfg.Capacity-1) != 0 {
		return nil, tsterr.At(tsterr.InvalidArg, "capacity", tsterr.NoOffset, "capacity must be a power of 2, up to %d packets", MaxCapacity)
	}
	return &JitterBuffer{cfg: cfg, slots: make([]slot, cfg.Capacity)}, nil
}

func (j *JitterBuffer) at(offset int) *slot {
	return &j.slots[(int(j.origin)+offset)&(len(j.slots)-1)]
}

// Reset forgets everything.
func (j *JitterBuffer) Reset() {
	j.begun, j.lost, j.skipped = false, 0, false
	for i := range j.slots {
		j.slots[i].state = slotEmpty
	}
}

// Held tells how many packets wait.
func (j *JitterBuffer) Held() int {
	n := 0
	for i := range j.slots {
		if j.slots[i].state == slotMedia {
			n++
		}
	}
	return n
}

// Remove drops the first count numbers.
func (j *JitterBuffer) Remove(count int) {
	for range min(max(count, 0), len(j.slots)) {
		j.at(0).state = slotEmpty
		j.origin++
	}
}

// SmartRemove drops at least count numbers, and goes on to the end of the frame it stopped in; true: all was dropped.
func (j *JitterBuffer) SmartRemove(count int) bool {
	var ts uint32
	seen := false
	for i := range j.slots {
		if s := j.at(0); s.state == slotMedia {
			if i >= count && (!seen || s.ts != ts) {
				return false
			}
			ts, seen = s.ts, true
		}
		j.at(0).state = slotEmpty
		j.origin++
	}
	return true
}

// place brings the origin to where seq fits; ok is false where the number is too late to matter.
func (j *JitterBuffer) place(seq uint16) (pli, ok bool) {
	if !j.begun {
		j.begun, j.origin = true, seq
		return false, true
	}
	delta, behind := int(seq-j.origin), int(j.origin-seq)
	if behind < delta {
		if behind < maxMisorder {
			return false, false
		}
		j.Remove(len(j.slots))
		j.origin = seq
		return j.cfg.Video, true
	}
	if delta >= len(j.slots) {
		if j.cfg.KeepHeld {
			j.spillHeld(delta - len(j.slots) + 1)
		}
		if j.SmartRemove(delta - len(j.slots) + 1) {
			j.origin = seq
			return j.cfg.Video, true
		}
		return j.cfg.Video, true
	}
	return false, true
}

// spillHeld copies the whole frames at the front that overflow is about to push out.
func (j *JitterBuffer) spillHeld(count int) {
	for i := 0; i < min(count, len(j.slots)); i++ {
		s := j.at(i)
		if s.state != slotMedia {
			continue
		}
		if n := len(j.spill); n > 0 && j.spill[n-1].Timestamp == s.ts {
			j.spill[n-1].Data = append(j.spill[n-1].Data, s.data...)
			continue
		}
		if len(j.spill) < MaxCapacity {
			j.spill = append(j.spill, Frame{Data: append([]byte(nil), s.data...), Timestamp: s.ts})
		}
	}
}

// Spilled gives, once, the frames that the last Add pushed out (KeepHeld); they come before the frame it returned.
func (j *JitterBuffer) Spilled() []Frame {
	out := j.spill
	j.spill = nil
	return out
}

// Add takes a packet: pli asks for a key frame, frame is the one that can be delivered now, or nil.
func (j *JitterBuffer) Add(seq uint16, ts uint32, marker bool, payload []byte) (pli bool, frame *Frame) {
	pli, ok := j.place(seq)
	if !ok {
		return pli, nil
	}
	s := &j.slots[int(seq)&(len(j.slots)-1)]
	s.state, s.ts, s.marker = slotMedia, ts, marker
	s.data = append(s.data[:0], payload...)
	frame = j.Next()
	if j.skipped {
		j.skipped, pli = false, true
	}
	return pli, frame
}

// MarkOther takes the number of a packet that is no media: it is not missing, and ends the frame before it.
func (j *JitterBuffer) MarkOther(seq uint16) *Frame {
	if _, ok := j.place(seq); !ok {
		return nil
	}
	j.slots[int(seq)&(len(j.slots)-1)].state = slotOther
	return j.Next()
}

// Next gives a frame that is complete already, or nil.
func (j *JitterBuffer) Next() *Frame {
	if j.cfg.Video {
		return j.nextVideo()
	}
	return j.nextAudio()
}

// take joins the payloads of the media slots in [from, to) and drops everything before to.
func (j *JitterBuffer) take(from, to, lost int) *Frame {
	j.buf, j.lens = j.buf[:0], j.lens[:0]
	f := &j.frame
	for i := from; i < to; i++ {
		if s := j.at(i); s.state == slotMedia {
			f.Timestamp = s.ts
			j.buf = append(j.buf, s.data...)
			j.lens = append(j.lens, len(s.data))
		}
	}
	f.Data, f.Packets, f.Lost = j.buf, j.lens, lost
	j.Remove(to)
	return f
}

// laterHeld tells whether a media packet of another timestamp than ts (any, where have is false) lies behind offset.
func (j *JitterBuffer) laterHeld(offset int, ts uint32, have bool) bool {
	for i := offset + 1; i < len(j.slots); i++ {
		if s := j.at(i); s.state == slotOther || s.state == slotMedia && (!have || s.ts != ts) {
			return true
		}
	}
	return false
}

// sameBehind tells whether the next packet held behind offset belongs to timestamp ts.
func (j *JitterBuffer) sameBehind(offset int, ts uint32) bool {
	for i := offset + 1; i < len(j.slots); i++ {
		if s := j.at(i); s.state != slotEmpty {
			return s.state == slotMedia && s.ts == ts
		}
	}
	return false
}

func (j *JitterBuffer) nextAudio() *Frame {
	frames, first, end := 0, -1, -1
	var ts uint32
	have := false // a frame is open
	lost, firstLost := 0, 0
	start := 0
	for i := range j.slots {
		s := j.at(i)
		switch {
		case s.state == slotMedia && (!have || s.ts == ts):
			if !have {
				have, ts, start = true, s.ts, i
			}
			continue
		case s.state == slotEmpty:
			if !j.cfg.SkipGaps || !j.laterHeld(i, ts, have) {
				return nil
			}
			if !have {
				lost++
				continue
			}
			if j.sameBehind(i, ts) {
				continue
			}
		case s.state == slotOther && !have:
			continue
		}
		// A frame ends here.
		if first < 0 {
			first, end, firstLost = start, i, lost
		}
		if frames++; frames >= j.cfg.Prefetch {
			return j.take(first, end, firstLost)
		}
		lost, have = 0, false
		switch s.state {
		case slotMedia:
			have, ts, start = true, s.ts, i
		case slotEmpty:
			lost++
		case slotOther:
		}
	}
	return nil
}

func (j *JitterBuffer) nextVideo() *Frame {
	for i := 0; i < len(j.slots); i++ {
		s := j.at(i)
		switch s.state {
		case slotMedia:
			if s.marker {
				return j.take(0, i+1, 0)
			}
		case slotOther:
		case slotEmpty:
			if j.cfg.WaitForLost {
				return nil
			}
			if !j.dropIncomplete(i) {
				return nil
			}
			i = -1
		}
	}
	return nil
}

// dropIncomplete drops what is held before a gap at offset where a newer frame lies behind it.
func (j *JitterBuffer) dropIncomplete(offset int) bool {
	var ts uint32
	have := false
	for i := range offset {
		if s := j.at(i); s.state == slotMedia {
			ts, have = s.ts, true
			break
		}
	}
	for i := offset + 1; i < len(j.slots); i++ {
		s := j.at(i)
		if s.state != slotMedia || have && int32(s.ts-ts) <= 0 { //nolint:gosec // the sign tells the order
			continue
		}
		// What shares the lost packet's frame may lie behind the gap, too: go on at the newer frame.
		j.Remove(i)
		j.skipped = true
		return true
	}
	return false
}

// Expire gives up on what is missing at the front (WaitForLost): the incomplete frame is dropped and the frame that
// can be delivered then is returned; pli asks for a key frame.
func (j *JitterBuffer) Expire() (pli bool, frame *Frame) {
	wait := j.cfg.WaitForLost
	j.cfg.WaitForLost = false
	frame = j.nextVideo()
	j.cfg.WaitForLost = wait
	pli, j.skipped = j.skipped, false
	return pli, frame
}

// Drain gives, one a call, the frames that are held back though nothing is missing before them, and then those
// behind gaps, whatever the prefetch; nil once empty.
func (j *JitterBuffer) Drain() *Frame {
	start, lost := -1, 0
	for i := range j.slots {
		s := j.at(i)
		switch {
		case start < 0 && s.state == slotMedia:
			start = i
		case start < 0 && s.state == slotEmpty:
			lost++
		case start >= 0 && (s.state != slotMedia || s.ts != j.at(start).ts):
			if !j.cfg.SkipGaps {
				lost = 0
			}
			return j.take(start, i, lost)
		}
	}
	if start < 0 {
		return nil
	}
	if !j.cfg.SkipGaps {
		lost = 0
	}
	return j.take(start, len(j.slots), lost)
}

// Blocked tells whether packets wait behind a gap.
func (j *JitterBuffer) Blocked() bool {
	gap := false
	for i := range j.slots {
		switch j.at(i).state {
		case slotEmpty:
			gap = true
		case slotMedia, slotOther:
			if gap {
				return true
			}
		}
	}
	return false
}
