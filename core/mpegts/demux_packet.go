package mpegts

import (
	"bytes"

	"github.com/tstrans/tstrans/core/clock"
)

// packet processes one packet, at offset off of the chunk; off < 0 for a packet
// that was held elsewhere.
func (d *Demuxer) packet(h uint32, off int, pk []byte, s *pidState) {
	pid := uint16(h >> 8 & PIDMask)
	start, flags := HeaderSize, byte(0)
	if h&hdrAF != 0 {
		start += 1 + int(pk[4])
		if start > PacketSize {
			d.badAdaptation(s, pid, pk[4])
			return
		}
		if pk[4] > 0 {
			flags = pk[5]
		}
	}
	if h&hdrTEI != 0 {
		d.packetFinding(s, pid, NCTransportErrorPacket, "transport_error_indicator is set on PID 0x%04X", pid)
		return
	}
	if c := h & hdrScrambling; c != 0 {
		d.packetFinding(s, pid, NCUnsupportedScrambling, "transport_scrambling_control %d on PID 0x%04X, payload left out", c>>6, pid)
		return
	}
	switch h & (hdrAF | hdrPayload) {
	case 0:
		d.packetFinding(s, pid, NCAdaptationFieldMalformed,
			"adaptation field malformed on PID 0x%04X: adaptation_field_control 00 is reserved", pid)
		return
	case hdrAF:
		if start != PacketSize {
			d.badAdaptation(s, pid, pk[4])
			if flags&afPCR != 0 && pk[4] > pcrSize {
				d.clockReference(pid, pk, s)
			}
			return
		}
	case hdrAF | hdrPayload:
		if start == PacketSize {
			d.badAdaptation(s, pid, pk[4])
		}
	}
	if flags&afPCR != 0 {
		d.clockReference(pid, pk, s)
	}
	if h&hdrPayload == 0 {
		return
	}
	if s == nil || s.psi == nil && !s.listed {
		d.seen[pid] = uint8(h&hdrCC) + 1
		if d.hold.active && off >= 0 {
			d.keep(pid, pk)
		}
		return
	}
	cc := int8(h & hdrCC)
	if s.psi != nil {
		if start == PacketSize {
			return
		}
		d.psiPacket(s, h, off, pk, start, flags)
		return
	}
	jump := s.cc >= 0 && cc != (s.cc+1)&hdrCC
	if flags&afDiscontinuity != 0 {
		d.discontinuity(s, DiscontinuityAdaptationFlag)
		jump = false
	}
	if jump {
		if cc == s.cc && !s.dropped && duplicate(s.lastPacket(d), pk) {
			s.dropped = true
			return
		}
		d.discontinuity(s, DiscontinuityContinuityJump)
	}
	s.dropped = s.dropped && cc == s.cc
	s.cc = cc
	s.remember(off, pk)
	d.pesPacket(s, h, off, pk, start, flags)
}

func (d *Demuxer) badAdaptation(s *pidState, pid uint16, length byte) {
	d.packetFinding(s, pid, NCAdaptationFieldMalformed,
		"adaptation field malformed on PID 0x%04X: adaptation_field_length %d", pid, length)
}

// remember notes the last packet with payload, for telling duplicates.
func (s *pidState) remember(off int, pk []byte) {
	s.last, s.copied = off, false
	if off < 0 {
		if s.copyOf == nil {
			s.copyOf = new([PacketSize]byte)
		}
		copy(s.copyOf[:], pk)
		s.copied = true
	}
}

// duplicate tells whether two packets are the same but for a re-coded PCR
// (ISO/IEC 13818-1 §2.4.3.3).
func duplicate(a, b []byte) bool {
	if a == nil || !bytes.Equal(a[:6], b[:6]) {
		return false
	}
	from := 6
	if b[3]&0x20 != 0 && b[4] >= 1+pcrSize && b[5]&afPCR != 0 {
		from += pcrSize
	}
	return bytes.Equal(a[from:], b[from:])
}

// clockReference checks a PCR field and follows the clock of its program.
func (d *Demuxer) clockReference(pid uint16, pk []byte, s *pidState) {
	if pk[4] < 1+pcrSize {
		d.packetFinding(s, pid, NCAdaptationFieldMalformed,
			"adaptation field malformed on PID 0x%04X: PCR_flag is set but the field has %d bytes", pid, pk[4])
		return
	}
	f := pk[6 : 6+pcrSize]
	base, ext := ReadPCR(f)
	switch {
	case f[4]&0x7E != 0x7E:
		d.packetFinding(s, pid, NCPCRMalformed, "PCR reserved bits are not all 1 on PID 0x%04X", pid)
		return
	case ext > 299:
		d.packetFinding(s, pid, NCPCRMalformed, "program_clock_reference_extension %d above 299 on PID 0x%04X", ext, pid)
		return
	}
	if s == nil || s.pcr == nil {
		return
	}
	pcr := base*300 + int64(ext)
	if s.pcrSeen {
		if delta := clock.DiffPCR(s.pcrLast, pcr); delta > clock.PCRRate || delta < -clock.PCRRate {
			id, stream := d.identity(s, pid)
			d.finding(id, stream, NCPCRAnomaly, "PCR anomaly on PID 0x%04X: delta=%d", pid, delta)
		}
	}
	s.pcrSeen, s.pcrLast = true, pcr
}
