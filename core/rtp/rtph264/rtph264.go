// Package rtph264 carries H.264 in RTP: single NAL units, STAP-A and FU-A
// (RFC 6184, packetization modes 0 and 1). Access units are byte streams with
// four-byte start codes (ITU-T H.264 Annex B).
package rtph264

import (
	"bytes"

	"github.com/tstrans/tstrans/core/rtp"
)

// NAL unit types (ITU-T H.264 Table 7-1) and packet types (RFC 6184 Table 1).
const (
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalAUD   = 9
	typeSTAP = 24
	typeFUA  = 28
)

// Injection says where parameter sets that the stream left out are put in.
type Injection int

// Where parameter sets are put in; the numbers are those of the Python enumeration.
const (
	InjectNone Injection = iota
	InjectBeforeIDR
)

// Config says how to put pictures together.
type Config struct {
	// Injection of known parameter sets into pictures that lack them.
	Injection Injection
	// ParameterSets are known from elsewhere, such as the session description:
	// NAL units, with or without start code.
	ParameterSets [][]byte
	// MaxUnit bounds an access unit in bytes. It defaults to 8 MiB.
	MaxUnit int
}

// Depacketizer takes H.264 out of RTP packets.
type Depacketizer struct {
	rtp.Assembler
	inject Injection
	sps    []byte
	pps    []byte
	inFU   bool
	hasSPS bool // in the open unit
	hasPPS bool
}

// NewDepacketizer makes a depacketizer.
func NewDepacketizer(cfg Config) *Depacketizer {
	d := &Depacketizer{inject: cfg.Injection}
	d.MaxUnit = cfg.MaxUnit
	for _, ps := range cfg.ParameterSets {
		d.remember(trimStartCode(ps))
	}
	d.Stats.ParameterSets = 0 // what was given is no update
	return d
}

func trimStartCode(b []byte) []byte {
	t := bytes.TrimLeft(b, "\x00")
	if len(t) > 0 && len(b)-len(t) >= 2 && t[0] == 1 {
		return t[1:]
	}
	return b
}

// Push takes the next packet of the stream.
func (d *Depacketizer) Push(p *rtp.Packet) {
	use, fresh := d.Begin(p)
	if !use {
		return
	}
	if fresh {
		d.inFU, d.hasSPS, d.hasPPS = false, false, false
	}
	d.payload(p.Payload)
	d.End(p.Marker)
}

func (d *Depacketizer) payload(b []byte) {
	if len(b) == 0 {
		d.Stats.PacketsDiscarded++
		return
	}
	switch t := b[0] & 0x1F; {
	case t >= 1 && t <= 23:
		d.inFU = false
		d.nal(b)
	case t == typeSTAP:
		d.inFU = false
		for b = b[1:]; len(b) > 2; {
			n := int(b[0])<<8 | int(b[1])
			if b = b[2:]; n > len(b) {
				d.Stats.NALsDiscarded++
				return
			}
			d.nal(b[:n])
			b = b[n:]
		}
	case t == typeFUA:
		d.fragment(b)
	default:
		d.inFU = false
		d.Stats.PacketsDiscarded++
	}
}

// fragment takes an FU-A (RFC 6184 §5.8):
//
//	|F|NRI| 28 | |S|E|R| type | piece of the NAL unit
func (d *Depacketizer) fragment(b []byte) {
	if len(b) < 3 {
		d.Stats.NALsDiscarded++
		return
	}
	start, end, t := b[1]&0x80 != 0, b[1]&0x40 != 0, b[1]&0x1F
	switch {
	case start:
		d.inFU = true
		if t == nalIDR {
			d.beforeIDR()
		}
		d.Append(0, 0, 0, 1, b[0]&0xE0|t)
	case !d.inFU:
		d.Stats.NALsDiscarded++
		return
	}
	d.AppendBytes(b[2:])
	if end {
		d.inFU = false
	}
}

func (d *Depacketizer) nal(b []byte) {
	if len(b) == 0 || b[0]&0x80 != 0 { // forbidden_zero_bit
		d.Stats.NALsDiscarded++
		return
	}
	switch b[0] & 0x1F {
	case nalSPS:
		d.hasSPS = true
		d.remember(b)
	case nalPPS:
		d.hasPPS = true
		d.remember(b)
	case nalIDR:
		d.beforeIDR()
	}
	d.Append(0, 0, 0, 1)
	d.AppendBytes(b)
}

// maxParameterSet bounds what is kept of one parameter set.
const maxParameterSet = 64 << 10

func (d *Depacketizer) remember(b []byte) {
	if len(b) == 0 || len(b) > maxParameterSet {
		return
	}
	to := &d.sps
	switch b[0] & 0x1F {
	case nalSPS:
	case nalPPS:
		to = &d.pps
	default:
		return
	}
	if !bytes.Equal(*to, b) {
		*to = append((*to)[:0], b...)
		d.Stats.ParameterSets++
	}
}

func (d *Depacketizer) beforeIDR() {
	d.Key()
	if d.inject != InjectBeforeIDR {
		return
	}
	for _, ps := range [2]struct {
		b    []byte
		have *bool
	}{{d.sps, &d.hasSPS}, {d.pps, &d.hasPPS}} {
		if !*ps.have && len(ps.b) > 0 {
			d.Append(0, 0, 0, 1)
			d.AppendBytes(ps.b)
			*ps.have = true
		}
	}
}

// ParameterSets gives the SPS and PPS seen last; nil where none was.
func (d *Depacketizer) ParameterSets() (sps, pps []byte) { return d.sps, d.pps }
