package mpegts

import (
	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/tsterr"
)

// ptsBackstep is how far the PTS of a PID may step back without a finding, in ticks.
const ptsBackstep = clock.TicksPerSecond

// pesPacket takes the payload of one packet of an elementary stream.
func (d *Demuxer) pesPacket(s *pidState, h uint32, off int, pk []byte, start int, flags byte) {
	if h&hdrPUSI != 0 {
		if s.isOpen {
			d.finishPES(s)
		}
		s.openPES(d, flags&afRandomAccess != 0, off < 0)
	} else if !s.isOpen {
		return
	}
	n := PacketSize - start
	if n == 0 {
		return // a faulty packet: payload announced, none there
	}
	if off >= 0 {
		s.segs = append(s.segs, segment{off: uint32(off), count: 1, start: uint8(start), stride: PacketSize})
	} else {
		copy(s.grow(d, n), pk[start:])
		s.spillLen += n
	}
	s.have += int64(n)
	d.total += int64(n)
	if !s.known && s.have >= pesPrefixSize {
		s.known = true
		p := s.peek(d, d.hdr[:], 0, pesPrefixSize)
		if length := int64(p[4])<<8 | int64(p[5]); length > 0 {
			s.need = pesPrefixSize + length
		} else if !mayBeUnbounded(s, p[3]) {
			d.finding(s.id, s.stream, NCZeroLengthPESNonVideo,
				"PES_packet_length 0 on PID 0x%04X, stream_id 0x%02X: only video may leave it open, packet dropped", s.pid, p[3])
			s.dropPES(d)
			return
		}
	}
	size := s.have
	if s.need > 0 {
		size = min(size, s.need)
	}
	switch {
	case size > d.cfg.PESCapPerPID:
		d.discontinuity(s, DiscontinuityPESOversize)
		s.dropPES(d)
		return
	case d.total > d.cfg.PESCapTotal:
		d.discontinuity(s, DiscontinuityPESTotalOversize)
		for len(d.open) > 0 {
			d.open[0].dropPES(d)
		}
		return
	case s.need > 0 && s.have >= s.need:
		d.finishPES(s)
		return
	}
	room := d.cfg.PESCapPerPID - s.have
	if s.need > 0 {
		room = min(room, s.need-s.have-1)
	}
	s.room = int(min(room/MaxPayload, 1<<16-1))
	s.expect = 0
	if s.room > 0 && s.known {
		s.expect = h&^(hdrPUSI|hdrAF|hdrCC) | (h+1)&hdrCC
	}
}

// mayBeUnbounded tells whether a stream may have PES_packet_length 0: video only
// (ISO/IEC 13818-1 §2.4.3.7), of whatever coding.
func mayBeUnbounded(s *pidState, streamID byte) bool {
	if s.id.Kind == KindVideo {
		return true
	}
	if s.guessed {
		return streamID&0xF0 == StreamIDVideo
	}
	switch s.streamType {
	case 0x01, 0x02, // MPEG-1 and MPEG-2 video
		0x10,                                           // MPEG-4 part 2
		0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x25, 0x26, // auxiliary, SVC, MVC, JPEG 2000, stereo, HEVC temporal subset, MVCD
		0x28, 0x29, 0x2A, 0x2B, 0x32, 0x34, 0x35, // HEVC enhancements, JPEG XS, VVC temporal subset, EVC
		0x42, 0xD1, 0xD2, 0xD4, 0xEA: // AVS, Dirac, AVS2, AVS3, VC-1
		return true
	}
	return false
}

// pesInfo is what the header of a finished PES says.
type pesInfo struct {
	body     int // where the payload begins
	size     int // of the payload in bytes
	streamID uint8
	aligned  bool
	hasPTS   bool
	hasDTS   bool
	pts, dts int64
}

// finishPES delivers the PES that s has assembled, as far as it came.
func (d *Demuxer) finishPES(s *pidState) {
	if s.have < pesPrefixSize {
		s.dropPES(d) // too little to call it a PES
		return
	}
	at := d.at
	d.at = s.pesAt
	if info, ok := d.pesHeader(s); ok {
		d.sample(s, &info)
	}
	d.at = at
	if s.isOpen { // the sample did not take the bytes over
		s.dropPES(d)
	}
}

// malformedPES reports a PES without a usable header. In full strict mode that
// is an error of its own kind and no event.
func (d *Demuxer) malformedPES(s *pidState, why string) {
	if d.flushing {
		return // cut by the end of the input, as likely as not
	}
	if d.cfg.StrictMode == StrictFull {
		if d.fault == nil {
			d.fault = tsterr.At(tsterr.DemuxMalformedPES, "PES_header", int64(d.at),
				"malformed PES header at PID 0x%04X: %s", s.pid, why).With("pid", int64(s.pid))
		}
		return
	}
	d.finding(s.id, s.stream, NCMalformedPES, "malformed PES on PID 0x%04X: %s", s.pid, why)
}

// pesHeader reads the header of an assembled PES, tolerating what can be.
func (d *Demuxer) pesHeader(s *pidState) (info pesInfo, ok bool) {
	size := int(s.have)
	if s.need > 0 {
		size = min(size, int(s.need))
	}
	p := s.peek(d, d.hdr[:], 0, min(size, maxPESHeader))
	if len(p) < pesPrefixSize || p[0] != 0 || p[1] != 0 || p[2] != 1 {
		d.malformedPES(s, "it does not start with 00 00 01")
		return info, false
	}
	info.streamID = p[3]
	if p[3] < StreamIDProgramStreamMap || !HasOptionalHeader(p[3]) {
		info.body, info.size = pesPrefixSize, size-pesPrefixSize
		return info, true
	}
	if len(p) < pesFixedSize {
		d.malformedPES(s, "it is too short for the optional header")
		return info, false
	}
	info.body = pesFixedSize + int(p[8])
	if info.body > size {
		d.malformedPES(s, "PES_header_data_length is beyond its end")
		return info, false
	}
	switch which := p[7] >> 6; {
	case which&0b10 != 0 && len(p) < pesFixedSize+timestampSize:
		d.malformedPES(s, "it is too short for the PTS")
		return info, false
	case which == 0b11 && len(p) < pesFixedSize+2*timestampSize:
		d.malformedPES(s, "it is too short for the DTS")
		return info, false
	}
	info.size = size - info.body
	info.aligned = p[6]&0x04 != 0
	if p[6]>>6 != 0b10 {
		d.headerFinding(s, "flags do not start with '10'")
	}
	d.pesTimestamps(s, p, &info)
	return info, true
}

// pesTimestamps reads PTS and DTS from their fixed places, also where
// PES_header_data_length left no room for them: encoders with that fault exist.
func (d *Demuxer) pesTimestamps(s *pidState, p []byte, info *pesInfo) {
	which := p[7] >> 6
	if which == 0b01 {
		d.headerFinding(s, "PTS_DTS_flags 01 is forbidden")
	}
	if which&0b10 == 0 {
		return
	}
	var prefix uint8
	var markers bool
	want := uint8(PrefixPTSOnly)
	if which == 0b11 {
		want = PrefixPTS
	}
	info.hasPTS = true
	if info.pts, prefix, markers = ReadTimestamp(p[pesFixedSize:]); prefix != want {
		d.headerFinding(s, "PTS prefix is wrong")
	}
	if !markers {
		d.headerFinding(s, "PTS marker bit is 0")
	}
	if which != 0b11 {
		return
	}
	info.hasDTS = true
	if info.dts, prefix, markers = ReadTimestamp(p[pesFixedSize+timestampSize:]); prefix != PrefixDTS {
		d.headerFinding(s, "DTS prefix is wrong")
	}
	if !markers {
		d.headerFinding(s, "DTS marker bit is 0")
	}
}

func (d *Demuxer) headerFinding(s *pidState, why string) {
	d.finding(s.id, s.stream, NCPESHeaderMalformed, "PES header malformed on PID 0x%04X: %s", s.pid, why)
}

// timestamps fills the time stamps of a record, after the checks they need.
func (d *Demuxer) timestamps(s *pidState, r *Record, info *pesInfo) {
	if !info.hasPTS {
		if s.id.Kind == KindVideo || s.id.Kind == KindAudio {
			d.finding(s.id, s.stream, NCMissingRequiredPTS, "PES without the required PTS on PID 0x%04X", s.pid)
		}
		return
	}
	jumped := false
	if s.ptsSeen {
		if delta := clock.DiffPTS(s.ptsLast, info.pts); delta < -ptsBackstep {
			jumped = true
			d.finding(s.id, s.stream, NCPTSAnomaly, "PTS anomaly on PID 0x%04X: delta=%d", s.pid, delta)
		}
	}
	s.ptsSeen, s.ptsLast = true, info.pts
	r.Flags |= FlagHasPTS
	r.PTS = info.pts
	if d.cfg.UnwrapTimestamps {
		r.PTS = d.unwrapPTS(s, info.pts, jumped)
	}
	if info.hasDTS {
		r.Flags |= FlagHasDTS
		r.DTS = info.dts
		if d.cfg.UnwrapTimestamps {
			r.DTS = r.PTS + clock.DiffPTS(info.pts, info.dts)
		}
	}
}

// unwrapPTS continues the time line of a PID; its first sample, and one behind a
// jump, join the running clock of the program.
func (d *Demuxer) unwrapPTS(s *pidState, pts int64, jumped bool) int64 {
	from, known := s.unwrap, s.wrapped
	p := d.psi.program(s.id.ProgramNumber)
	if (!known || jumped) && p != nil && p.anchored {
		from, known = p.anchor, true
	}
	if known {
		pts = from + clock.DiffPTS(from, pts)
	}
	s.unwrap, s.wrapped = pts, true
	if p != nil {
		p.anchor, p.anchored = pts, true
	}
	return pts
}
