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
		if !d.audioFraming(s, info) {
			return
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
			var ok bool
			if off, n, ok = d.dvbSubtitle(s, off, n); !ok {
				return
			}
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

// audioFraming checks the start of an audio payload; false when the strict mode
// leaves the sample out.
func (d *Demuxer) audioFraming(s *pidState, info *pesInfo) bool {
	switch s.id.Codec {
	case CodecAACLATM:
		// LOAS: 11 bits 0x2B7, 13 bits audioMuxLengthBytes (ISO/IEC 14496-3 §1.7.2).
		p := s.peek(d, d.hdr[:], info.body, min(info.size, 3))
		var why string
		switch {
		case len(p) < 3:
			why = "payload shorter than a LOAS header"
		case p[0] != 0x56 || p[1]>>5 != 0x7:
			why = "no LOAS sync at the start of the payload"
		case 3+(int(p[1]&0x1F)<<8|int(p[2])) > info.size:
			why = "audioMuxLengthBytes is beyond the payload"
		default:
			return true
		}
		return d.finding(s.id, s.stream, NCLATMFraming, "LATM framing on PID 0x%04X: %s", s.pid, why)
	case CodecAC3:
		// Aligned means that the payload starts with the sync word (ATSC A/52 Annex A).
		if p := s.peek(d, d.hdr[:], info.body, min(info.size, 2)); info.aligned && (len(p) < 2 || p[0] != 0x0B || p[1] != 0x77) {
			return d.finding(s.id, s.stream, NCAC3SyncMissing, "AC-3 on PID 0x%04X: aligned payload without sync word 0x0B77", s.pid)
		}
	}
	return true
}

// dvbSubtitle finds the segments in a DVB subtitle PES: behind data_identifier
// and subtitle_stream_id 0, before the end marker 0xFF (EN 300 743 §7.1). A
// payload of another shape is left as it is; ok is false when the strict mode
// leaves the sample out.
func (d *Demuxer) dvbSubtitle(s *pidState, off, n int) (at, size int, ok bool) {
	const head = 2
	if n <= head {
		return off, n, true
	}
	p := s.peek(d, d.hdr[:], off, head)
	id, stream := p[0], p[1]
	if !dvbDataIdentifier(id) || stream != 0 {
		return off, n, true
	}
	if p = s.peek(d, d.hdr[:], off+n-1, 1); p[0] != 0xFF {
		return off, n, true
	}
	ok = id == 0x20 || d.finding(s.id, s.stream, NCDVBSubDataIdentifier,
		"DVB subtitle data_identifier 0x%02X on PID 0x%04X, not 0x20", id, s.pid)
	return off + head, n - head - 1, ok
}

// dvbDataIdentifier tells the values that EN 301 775 Table 2 gives to DVB data in
// PES packets: 0x20 is subtitling.
func dvbDataIdentifier(id byte) bool { return id >= 0x20 && id <= 0x3F || id >= 0x70 && id <= 0x7F }

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

// labelSize is the length of a universal label in bytes.
const labelSize = 16

func startsWithLabel(p []byte) bool { return len(p) >= labelSize && bytes.HasPrefix(p, labelPrefix[:]) }
