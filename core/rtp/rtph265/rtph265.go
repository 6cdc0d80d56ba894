// Package rtph265 carries H.265 in RTP: single NAL units, aggregation packets
// and fragmentation units, without decoding order numbers (RFC 7798). Access
// units are byte streams with four-byte start codes (ITU-T H.265 Annex B).
package rtph265

import (
	"bytes"

	"github.com/tstrans/tstrans/core/rtp"
)

// NAL unit types (ITU-T H.265 Table 7-1) and packet types (RFC 7798 §4.4).
const (
	nalIRAPFirst = 16
	nalIRAPLast  = 23
	nalVPS       = 32
	nalPPS       = 34
	nalAUD       = 35
	typeAP       = 48
	typeFU       = 49
	headerSize   = 2
)

func nalType(b []byte) byte { return b[0] >> 1 & 0x3F }

// Depacketizer takes H.265 out of RTP packets. Parameter sets that a random
// access picture lacks are put before it.
type Depacketizer struct {
	rtp.Assembler
	sets [3][]byte // VPS, SPS, PPS
	have [3]bool   // in the open unit
	inFU bool
}

// NewDepacketizer makes a depacketizer; sets are parameter sets known from
// elsewhere, without start codes.
func NewDepacketizer(sets ...[]byte) *Depacketizer {
	d := &Depacketizer{}
	for _, s := range sets {
		d.remember(s)
	}
	d.Stats.ParameterSets = 0 // what was given is no update
	return d
}

// Push takes the next packet of the stream.
func (d *Depacketizer) Push(p *rtp.Packet) {
	use, fresh := d.Begin(p)
	if !use {
		return
	}
	if fresh {
		d.inFU, d.have = false, [3]bool{}
	}
	d.payload(p.Payload)
	d.End(p.Marker)
}

func (d *Depacketizer) payload(b []byte) {
	if len(b) <= headerSize {
		d.Stats.PacketsDiscarded++
		return
	}
	switch t := nalType(b); {
	case t < typeAP:
		d.inFU = false
		d.nal(b)
	case t == typeAP:
		d.inFU = false
		for b = b[headerSize:]; len(b) > 2; {
			n := int(b[0])<<8 | int(b[1])
			if b = b[2:]; n > len(b) {
				d.Stats.NALsDiscarded++
				return
			}
			d.nal(b[:n])
			b = b[n:]
		}
	case t == typeFU:
		d.fragment(b)
	default:
		d.inFU = false
		d.Stats.PacketsDiscarded++
	}
}

// fragment takes a fragmentation unit (RFC 7798 §4.4.3):
//
//	payload header (2 bytes, type 49) |S|E| type | piece of the NAL unit
func (d *Depacketizer) fragment(b []byte) {
	if len(b) < headerSize+2 {
		d.Stats.NALsDiscarded++
		return
	}
	start, end, t := b[2]&0x80 != 0, b[2]&0x40 != 0, b[2]&0x3F
	switch {
	case start:
		d.inFU = true
		if t >= nalIRAPFirst && t <= nalIRAPLast {
			d.beforeIRAP()
		}
		d.Append(0, 0, 0, 1, b[0]&0x81|t<<1, b[1])
	case !d.inFU:
		d.Stats.NALsDiscarded++
		return
	}
	d.AppendBytes(b[3:])
	if end {
		d.inFU = false
	}
}

func (d *Depacketizer) nal(b []byte) {
	if len(b) <= headerSize || b[0]&0x80 != 0 { // forbidden_zero_bit
		d.Stats.NALsDiscarded++
		return
	}
	switch t := nalType(b); {
	case t >= nalVPS && t <= nalPPS:
		d.have[t-nalVPS] = true
		d.remember(b)
	case t >= nalIRAPFirst && t <= nalIRAPLast:
		d.beforeIRAP()
	}
	d.Append(0, 0, 0, 1)
	d.AppendBytes(b)
}

// maxParameterSet bounds what is kept of one parameter set.
const maxParameterSet = 64 << 10

func (d *Depacketizer) remember(b []byte) {
	if len(b) <= headerSize || len(b) > maxParameterSet {
		return
	}
	t := nalType(b)
	if t < nalVPS || t > nalPPS {
		return
	}
	if to := &d.sets[t-nalVPS]; !bytes.Equal(*to, b) {
		*to = append((*to)[:0], b...)
		d.Stats.ParameterSets++
	}
}

func (d *Depacketizer) beforeIRAP() {
	d.Key()
	for i, s := range d.sets {
		if !d.have[i] && len(s) > 0 {
			d.Append(0, 0, 0, 1)
			d.AppendBytes(s)
			d.have[i] = true
		}
	}
}

// ParameterSets gives the VPS, SPS and PPS seen last; nil where none was.
func (d *Depacketizer) ParameterSets() (vps, sps, pps []byte) {
	return d.sets[0], d.sets[1], d.sets[2]
}

// Packetize appends the payloads of an access unit to out: small NAL units in a
// packet each, larger ones in fragmentation units (RFC 7798 §4.4.1, §4.4.3).
// Access unit delimiters are left out: the marker bit does their work.
// maxPayload is in bytes and at least 16.
func Packetize(out *rtp.Payloads, au []byte, maxPayload int) {
	maxPayload = max(maxPayload, 16)
	rtp.NALs(au, func(nal []byte) {
		if len(nal) <= headerSize || nalType(nal) == nalAUD {
			return
		}
		if len(nal) <= maxPayload {
			out.Data = append(out.Data, nal...)
			out.Close()
			return
		}
		t := nalType(nal)
		first := byte(0x80)
		for rest := nal[headerSize:]; len(rest) > 0; first = 0 {
			n := min(len(rest), maxPayload-headerSize-1)
			last := byte(0)
			if n == len(rest) {
				last = 0x40
			}
			out.Data = append(append(out.Data, nal[0]&0x81|typeFU<<1, nal[1], first|last|t), rest[:n]...)
			out.Close()
			rest = rest[n:]
		}
	})
}
