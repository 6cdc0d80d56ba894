package mpegts

import "bytes"

// labelPrefix starts every SMPTE universal label (SMPTE ST 298).
var labelPrefix = [4]byte{0x06, 0x0E, 0x2B, 0x34}

// sample turns an assembled PES into an event.
func (d *Demuxer) sample(s *pidState, info *pesInfo) {
	var r Record
	off, n := info.body, info.size
	switch s.id.Kind {
	case KindVideo:
		r = d.record(EventVideo, s.id, s.stream)
		d.timestamps(s, &r, info)
		if s.pesRAI {
			r.Flags |= FlagRandomAccess
		}
		r.Detail = None
		if s.id.Codec == CodecAV1 {
			r.Detail = uint8(d.cfg.AV1Carriage)
			if d.cfg.AV1Carriage == AV1MPEG2TSBinding && info.streamID != StreamIDPrivate1 {
				d.finding(s.id, s.stream, NCAV1WrongStreamID,
					"AV1 on PID 0x%04X in PES of stream_id 0x%02X, not 0xBD", s.pid, info.streamID)
			}
		}
	case KindAudio:
		r = d.record(EventAudio, s.id, s.stream)
		d.timestamps(s, &r, info)
		r.Flags &^= FlagHasDTS
		r.DTS = 0
		if s.id.Codec == CodecAACLATM {
			// LOAS: 11 bits 0x2B7 (ISO/IEC 14496-3 §1.7.2).
			if p := s.peek(d, d.hdr[:], off, min(n, 2)); len(p) < 2 || p[0] != 0x56 || p[1]>>5 != 0x7 {
				if !d.finding(s.id, s.stream, NCLATMFraming, "LATM without LOAS sync on PID 0x%04X", s.pid) {
					return
				}
			}
		}
	case KindSubtitle:
		r = d.record(EventSubtitle, s.id, s.stream)
		d.timestamps(s, &r, info)
		r.Flags &^= FlagHasDTS
		r.DTS = 0
		if !s.subtitleSeen {
			s.subtitleSeen = true
			d.stats.SubtitleStreamsSeen++
		}
		dvb := s.id.Codec == CodecDVBSubtitling
		if (dvb || s.id.Codec == CodecDVBTeletext) && !info.aligned {
			if !d.finding(s.id, s.stream, NCSubtitleAlignmentMissing,
				"subtitle PES without data_alignment_indicator on PID 0x%04X", s.pid) {
				return
			}
		}
		if dvb {
			off, n = d.dvbSubtitle(s, off, n)
		}
	case KindKLVSync, KindKLVAsync:
		d.klvSample(s, info)
		return
	case KindUnknown:
		r = d.record(EventUnknownSample, s.id, s.stream)
		d.timestamps(s, &r, info)
		r.StreamType = s.streamType
	}
	d.deliver(s, &r, info, off, n)
}

// dvbSubtitle finds the segments in a DVB subtitle PES: behind two bytes, before
// the end marker (EN 300 743 §7.1).
func (d *Demuxer) dvbSubtitle(s *pidState, off, n int) (int, int) {
	if p := s.peek(d, d.hdr[:], off, min(n, 1)); len(p) == 1 && p[0] != 0x20 {
		d.finding(s.id, s.stream, NCDVBSubDataIdentifier, "DVB subtitle data_identifier 0x%02X on PID 0x%04X, not 0x20", p[0], s.pid)
	}
	lead := min(n, 2)
	off, n = off+lead, n-lead
	if n > 0 {
		if p := s.peek(d, d.hdr[:], off+n-1, 1); len(p) == 1 && p[0] == 0xFF {
			n--
		}
	}
	return off, n
}

// deliver queues a sample of which n bytes from off on are the payload.
func (d *Demuxer) deliver(s *pidState, r *Record, info *pesInfo, off, n int) {
	if s.pesHeld {
		r.Flags |= FlagHeld
	}
	if info.aligned {
		r.Flags |= FlagAligned
	}
	b := d.cur
	r.PayloadLen = uint32(n)
	if n <= PayloadInlineMax {
		r.Payload = uint32(len(b.arena))
		b.arena = grow(b.arena, n)
		gather(b.arena[r.Payload:], d.buf, s.prefix(), s.segs, off)
		b.push(r)
		return
	}
	r.Flags |= FlagLazy
	r.Payload = d.chunk.add(payload{prefix: s.spill, prefixLen: uint32(s.spillLen), skip: uint32(off), size: uint32(n)}, s.segs)
	s.closePES(d) // the chunk owns the prefix now
	b.push(r)
}

// deliverBytes queues a sample whose payload lies elsewhere.
func (d *Demuxer) deliverBytes(s *pidState, r *Record, info *pesInfo, p []byte) {
	if s.pesHeld {
		r.Flags |= FlagHeld
	}
	if info.aligned {
		r.Flags |= FlagAligned
	}
	b := d.cur
	r.PayloadLen = uint32(len(p))
	if len(p) <= PayloadInlineMax {
		r.Payload = uint32(len(b.arena))
		b.arena = append(b.arena, p...)
		b.push(r)
		return
	}
	block := d.pool.Get(len(p))
	copy(block.Bytes(), p)
	r.Flags |= FlagLazy
	r.Payload = d.chunk.add(payload{prefix: block, prefixLen: uint32(len(p)), size: uint32(len(p))}, nil)
	b.push(r)
}

// grow lengthens b by n bytes of any content.
func grow(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}

func startsWithLabel(p []byte) bool { return bytes.HasPrefix(p, labelPrefix[:]) }
