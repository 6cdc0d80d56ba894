package mpegts

import "github.com/tstrans/tstrans/core/internal/offheap"

// pidState is what the demuxer knows about one PID.
type pidState struct {
	pid uint16

	// Roles. A PID may have several; PSI goes first.
	psi     *sectionBuffer // PAT or PMT PID
	program *program       // of a PMT PID
	listed  bool           // an elementary stream of a PMT
	pcr     *program       // the PCR_PID of this program (the first one that names it)

	// The elementary stream.
	id         StreamID
	stream     uint16 // number of id
	streamType uint8
	guessed    bool // no table names the stream, see deliverUnmapped

	// Continuity.
	cc      int8 // of the last packet with payload; -1 for none
	dropped bool // the last packet was a duplicate and left out
	last    int  // offset of the last packet with payload in the chunk; -1: see lastCopy
	copied  bool // lastCopy is that packet
	copyOf  *[PacketSize]byte

	// Clock.
	pcrSeen bool
	pcrLast int64 // 27 MHz ticks
	ptsSeen bool
	ptsLast int64 // 90 kHz ticks, raw
	unwrap  int64 // the last unwrapped PTS
	wrapped bool  // unwrap is valid

	// The PES being assembled.
	expect   uint32 // header word of the packet that simply goes on; 0: none
	room     int    // packets of 184 bytes that may simply be added
	isOpen   bool
	pesRAI   bool
	pesHeld  bool
	pesAt    uint64 // input offset of its first packet
	have     int64  // bytes so far, header included
	need     int64  // bytes when complete; 0: not known or not bounded
	known    bool   // the length field was read
	segs     []segment
	spill    *offheap.Block // bytes from earlier chunks
	spillLen int

	// Findings reported once, and access units being joined.
	mismatch     bool // STREAM_TYPE_MISMATCH was reported for this PMT version
	subtitleSeen bool
	au           *auAssembler
}

// active tells whether the PID is used by any table.
func (s *pidState) active() bool { return s.psi != nil || s.listed || s.pcr != nil }

// at finds or makes the state of a PID.
func (d *Demuxer) pid(pid uint16) *pidState {
	s := d.pids[pid]
	if s == nil {
		s = &pidState{pid: pid, cc: -1, last: -1}
		d.pids[pid] = s
	}
	return s
}

// identity is the stream that packet-level events name.
func (d *Demuxer) identity(s *pidState, pid uint16) (StreamID, uint16) {
	switch {
	case s != nil && s.listed:
		return s.id, s.stream
	case s != nil && s.pcr != nil:
		id := StreamID{PID: pid, ProgramNumber: s.pcr.number}
		return id, d.stream(id)
	}
	id := StreamID{PID: pid}
	return id, d.stream(id)
}

// resetPES forgets the PES being assembled and the continuity of the stream.
func (s *pidState) reset(d *Demuxer) {
	s.dropPES(d)
	s.cc, s.last, s.copied, s.dropped = -1, -1, false, false
	s.ptsSeen, s.wrapped, s.mismatch = false, false, false
	s.dropAU(d)
}

// openPES begins a PES packet.
func (s *pidState) openPES(d *Demuxer, rai, held bool) {
	s.isOpen, s.pesRAI, s.pesHeld, s.pesAt = true, rai, held, d.at
	s.have, s.need, s.known = 0, 0, false
	d.open = append(d.open, s)
}

// dropPES forgets the PES packet being assembled, if any.
func (s *pidState) dropPES(d *Demuxer) {
	if !s.isOpen {
		return
	}
	d.pool.Put(s.spill)
	s.spill = nil
	s.closePES(d)
}

// closePES ends the PES packet; its spilled bytes have found an owner.
func (s *pidState) closePES(d *Demuxer) {
	s.isOpen, s.expect, s.room = false, 0, 0
	d.total -= s.have
	s.segs, s.spill, s.spillLen = s.segs[:0], nil, 0
	for i, o := range d.open {
		if o == s {
			d.open = append(d.open[:i], d.open[i+1:]...)
			break
		}
	}
}

// extend adds k whole packets of 184 bytes at an offset of the chunk.
func (s *pidState) extend(d *Demuxer, at, k, stride int) {
	bytes := int64(k) * MaxPayload
	s.have += bytes
	d.total += bytes
	s.room -= k
	s.cc = int8((int(s.cc) + k) & hdrCC)
	s.last, s.copied, s.dropped = at+(k-1)*stride, false, false
	if n := len(s.segs); n > 0 {
		l := &s.segs[n-1]
		if l.start == HeaderSize && int(l.stride) == stride && int(l.off)+int(l.count)*stride == at {
			l.count += uint16(k)
			return
		}
	}
	s.segs = append(s.segs, segment{off: uint32(at), count: uint16(k), start: HeaderSize, stride: uint8(stride)})
}

// spillPES gathers the bytes that are in the chunk behind those gathered before.
func (s *pidState) spillPES(d *Demuxer) {
	n := int(s.have) - s.spillLen
	if n == 0 {
		return
	}
	gather(s.grow(d, n), d.buf, nil, s.segs, 0)
	s.spillLen += n
	s.segs = s.segs[:0]
}

// grow makes room for n more spilled bytes and returns it.
func (s *pidState) grow(d *Demuxer, n int) []byte {
	want := s.spillLen + n
	if s.spill == nil || s.spill.Cap() < want {
		b := d.pool.Get(max(want, 2*s.spillLen))
		if s.spill != nil {
			copy(b.Bytes(), s.spill.Bytes()[:s.spillLen])
			d.pool.Put(s.spill)
		}
		s.spill = b
	}
	return s.spill.Bytes()[s.spillLen:want]
}

// prefix is the part of the PES gathered from earlier chunks.
func (s *pidState) prefix() []byte {
	if s.spill == nil {
		return nil
	}
	return s.spill.Bytes()[:s.spillLen]
}

// peek views n bytes of the PES from off on, in place where they lie together,
// else gathered into dst. Fewer where the PES is shorter.
func (s *pidState) peek(d *Demuxer, dst []byte, off, n int) []byte {
	n = min(n, int(s.have)-off)
	if n <= 0 {
		return nil
	}
	if off+n <= s.spillLen {
		return s.spill.Bytes()[off : off+n]
	}
	if o := off - s.spillLen; o >= 0 && len(s.segs) > 0 {
		g := s.segs[0]
		if o+n <= PacketSize-int(g.start) {
			at := int(g.off) + int(g.start) + o
			return d.buf[at : at+n]
		}
	}
	return dst[:gather(dst[:n], d.buf, s.prefix(), s.segs, off)]
}

// saveLast keeps a copy of the last packet, before its chunk goes away.
func (s *pidState) saveLast(d *Demuxer) {
	if s.last < 0 {
		return
	}
	if s.copyOf == nil {
		s.copyOf = new([PacketSize]byte)
	}
	copy(s.copyOf[:], d.buf[s.last:s.last+PacketSize])
	s.last, s.copied = -1, true
}

// lastPacket is the last packet with payload; nil when it is not known.
func (s *pidState) lastPacket(d *Demuxer) []byte {
	switch {
	case s.last >= 0:
		return d.buf[s.last : s.last+PacketSize]
	case s.copied:
		return s.copyOf[:]
	}
	return nil
}
