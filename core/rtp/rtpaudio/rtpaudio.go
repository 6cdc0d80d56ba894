// Package rtpaudio takes audio out of RTP where rtpaac does not: MPEG audio
// (RFC 2250 §3.5), AAC in LATM (RFC 6416 §6), Opus (RFC 7587) and codecs whose
// packets are units as they are, such as G.711 (RFC 3551 §4.5.14).
package rtpaudio

import (
	"github.com/tstrans/tstrans/core/codec/mpegaudio"
	"github.com/tstrans/tstrans/core/rtp"
)

// maxUnit bounds what is put together from packets: more than any unit of
// audio has, in bytes.
const maxUnit = 64 << 10

// Plain gives the payload of each packet.
type Plain struct{ rtp.Assembler }

// NewPlain makes a depacketizer.
func NewPlain() *Plain { return &Plain{} }

// Push takes the next packet of the stream.
func (d *Plain) Push(p *rtp.Packet) {
	if use, _ := d.Begin(p); use {
		d.AppendBytes(p.Payload)
		d.End(true)
	}
}

// Opus gives Opus packets behind a control header, as MPEG-TS carries them
// (Opus in MPEG-TS, draft of the Xiph.Org Foundation, §2: opus_access_unit).
type Opus struct{ rtp.Assembler }

// NewOpus makes a depacketizer.
func NewOpus() *Opus { return &Opus{} }

// Push takes the next packet of the stream.
func (d *Opus) Push(p *rtp.Packet) {
	use, _ := d.Begin(p)
	if !use {
		return
	}
	if n := len(p.Payload); n > 0 {
		d.Append(0x7F, 0xE0) // the prefix; no trim, no extension
		for ; n >= 0xFF; n -= 0xFF {
			d.Append(0xFF)
		}
		d.Append(byte(n)) //nolint:gosec // below 255
		d.AppendBytes(p.Payload)
	}
	d.End(true)
}

// mpegHeader is the header in front of MPEG audio, in bytes (RFC 2250 §3.5).
const mpegHeader = 4

// MPEG gives the frames of MPEG audio of any layer: those of a packet, or one
// that several packets carry.
type MPEG struct{ rtp.Assembler }

// NewMPEG makes a depacketizer.
func NewMPEG() *MPEG {
	d := &MPEG{}
	d.MaxUnit = maxUnit
	return d
}

// Push takes the next packet of the stream.
func (d *MPEG) Push(p *rtp.Packet) {
	use, fresh := d.Begin(p)
	switch {
	case !use:
		return
	case len(p.Payload) < mpegHeader:
		d.Stats.PacketsDiscarded++
		return
	}
	at := int(p.Payload[2])<<8 | int(p.Payload[3])
	if fresh != (at == 0) || at != len(d.Open()) { // a piece without the one before it
		d.Stats.PacketsDiscarded++
		d.Abandon()
		return
	}
	d.AppendBytes(p.Payload[mpegHeader:])
	d.End(d.whole())
}

// whole tells whether the open unit ends with a frame.
func (d *MPEG) whole() bool {
	for b := d.Open(); len(b) > 0; {
		n, ok := mpegaudio.FrameLength(b)
		if !ok { // free format, or no audio: nothing tells where it ends
			return true
		}
		if n > len(b) {
			return false
		}
		b = b[n:]
	}
	return true
}
