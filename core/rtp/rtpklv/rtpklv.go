// Package rtpklv carries KLV metadata in RTP (RFC 6597): the data of one
// instant is a KLV unit, in one packet or in several of one time stamp, the
// last with the marker bit.
package rtpklv

import "github.com/tstrans/tstrans/core/rtp"

// MaxUnit bounds a KLV unit in bytes.
const MaxUnit = 1 << 20

// universal is how every SMPTE universal label begins (SMPTE ST 298).
const universal = "\x06\x0e\x2b\x34"

// Depacketizer takes KLV units out of RTP packets.
type Depacketizer struct {
	rtp.Assembler
}

// NewDepacketizer makes a depacketizer.
func NewDepacketizer() *Depacketizer {
	d := &Depacketizer{}
	d.MaxUnit = MaxUnit
	return d
}

// Push takes the next packet of the stream.
func (d *Depacketizer) Push(p *rtp.Packet) {
	use, _ := d.Begin(p)
	if !use {
		return
	}
	d.AppendBytes(p.Payload)
	d.End(p.Marker)
}

// Unit gives a complete unit. One that follows a loss and does not begin with a
// universal label has lost its beginning and is dropped (RFC 6597 §6.2.1).
func (d *Depacketizer) Unit() (rtp.Unit, bool) {
	for {
		u, ok := d.Assembler.Unit()
		if !ok {
			return u, false
		}
		if u.Gap && (len(u.Data) < len(universal) || string(u.Data[:len(universal)]) != universal) {
			d.Stats.Units--
			d.Stats.Dropped++
			continue
		}
		u.Key = true
		return u, true
	}
}

// Packetize appends the payloads of a KLV unit to out. maxPayload is in bytes
// and at least 1.
func Packetize(out *rtp.Payloads, unit []byte, maxPayload int) {
	maxPayload = max(maxPayload, 1)
	for len(unit) > 0 {
		n := min(len(unit), maxPayload)
		out.Data = append(out.Data, unit[:n]...)
		out.Close()
		unit = unit[n:]
	}
}
