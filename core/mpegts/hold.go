package mpegts

// holdState keeps packets of PIDs that no table has named yet.
type holdState struct {
	limit   int  // bytes
	active  bool // some table is still missing
	dirty   bool // a table has named a PID of which packets are kept
	buf     []byte
	at      []uint64 // input offset of each packet
	count   map[uint16]int
	dropped int // packets at the front that are gone
}

// keep stores a packet; the oldest go when the limit is reached.
func (d *Demuxer) keep(pid uint16, pk []byte) {
	h := &d.hold
	if pid == PIDNull || h.limit < PacketSize {
		return
	}
	if h.count == nil {
		h.count = map[uint16]int{}
	}
	for len(h.buf)-h.dropped*PacketSize+PacketSize > h.limit {
		old := h.buf[h.dropped*PacketSize:]
		h.count[uint16(old[1]&0x1F)<<8|uint16(old[2])]--
		h.dropped++
	}
	if h.dropped*PacketSize*2 > len(h.buf) {
		h.compact(func(int) bool { return true })
	}
	h.buf = append(h.buf, pk...)
	h.at = append(h.at, d.at)
	h.count[pid]++
}

// compact removes the packets at the front that are gone, and those that stay
// refuses.
func (h *holdState) compact(stays func(i int) bool) {
	n := 0
	for i := h.dropped; i < len(h.at); i++ {
		if stays(i) {
			copy(h.buf[n*PacketSize:], h.buf[i*PacketSize:(i+1)*PacketSize])
			h.at[n] = h.at[i]
			n++
		}
	}
	h.buf, h.at, h.dropped = h.buf[:n*PacketSize], h.at[:n], 0
}

// tables looks again after a table came into force: whether any is missing, and
// whether one names a PID of which packets are kept.
func (h *holdState) tables(d *Demuxer) {
	h.active = h.limit > 0 && (!d.psi.havePAT || d.psi.pending > 0)
	for pid, n := range h.count {
		if n > 0 && d.pids[pid] != nil && d.pids[pid].active() {
			h.dirty = true
			return
		}
	}
	if !h.active {
		h.free()
	}
}

func (h *holdState) free() {
	h.buf, h.at, h.count, h.dropped = nil, nil, nil, 0
}

// replay processes the kept packets of PIDs that a table has named, in order.
// Doing so may bring further tables into force.
func (d *Demuxer) replay() {
	h := &d.hold
	at := d.at
	for h.dirty {
		h.dirty = false
		i := h.dropped
		for ; i < len(h.at) && !h.dirty; i++ {
			pk := h.buf[i*PacketSize : (i+1)*PacketSize : (i+1)*PacketSize]
			w := be32(pk)
			s := d.pids[w>>8&PIDMask]
			if s == nil || !s.active() || pk[0] != SyncByte {
				continue
			}
			h.count[s.pid]--
			pk[0] = 0 // taken
			d.at = h.at[i]
			d.packet(w, -1, pk, s)
		}
		h.compact(func(i int) bool { return h.buf[i*PacketSize] == SyncByte })
	}
	d.at = at
	if !h.active {
		h.free()
	}
}

// deliverUnmapped processes what is kept of PIDs that no table has named by the
// end of the input, where it looks like PES. It returns their states.
func (d *Demuxer) deliverUnmapped() []*pidState {
	h := &d.hold
	if !d.cfg.DeliverUnmapped || !h.active {
		return nil
	}
	var guessed []*pidState
	for i := h.dropped; i < len(h.at); i++ {
		pk := h.buf[i*PacketSize : (i+1)*PacketSize]
		pid := uint16(pk[1]&0x1F)<<8 | uint16(pk[2])
		s := d.pid(pid)
		if s.active() || pk[1]&0x40 == 0 {
			continue
		}
		start := HeaderSize
		if pk[3]&0x20 != 0 {
			start += 1 + int(pk[4])
		}
		if start+4 > PacketSize || pk[start] != 0 || pk[start+1] != 0 || pk[start+2] != 1 || pk[start+3] < StreamIDProgramStreamMap {
			continue
		}
		s.reset(d)
		s.listed, s.guessed, s.id = true, true, StreamID{PID: pid}
		s.stream = d.stream(s.id)
		guessed = append(guessed, s)
		h.dirty = true
	}
	d.replay()
	return guessed
}
