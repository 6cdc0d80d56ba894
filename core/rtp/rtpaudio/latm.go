package rtpaudio

import (
	"encoding/hex"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtpaac"
	"github.com/tstrans/tstrans/core/tsterr"
)

// LATMConfig is what a session description says about AAC in LATM.
type LATMConfig struct {
	// InBand says that the packets bear the configuration themselves; the rest is
	// not known then.
	InBand    bool
	AAC       rtpaac.Config
	SubFrames int // of an AudioMuxElement
}

// ParseLATM reads the parameters of an fmtp line, with keys in lower case
// (RFC 6416 §7.3). config is a StreamMuxConfig (ISO/IEC 14496-3 §1.7.3).
func ParseLATM(fmtp map[string]string) (c LATMConfig, err error) {
	if fmtp["cpresent"] != "0" {
		return LATMConfig{InBand: true}, nil
	}
	b, err := hex.DecodeString(fmtp["config"])
	if err != nil {
		return c, tsterr.New(tsterr.RTPBroken, "config=%q is not hexadecimal", fmtp["config"])
	}
	r := bits.NewReader(b)
	version, same := r.Flag(), r.Flag()
	c.SubFrames = int(r.U(6)) + 1
	programs, layers := r.U(4), r.U(3)
	object, rate := int(r.U(5)), int(r.U(4))
	channels := int(r.U(4))
	if object == 5 || object == 29 { // SBR and PS: the core's follows
		r.U(4)
		object = int(r.U(5))
	}
	switch {
	case r.Failed():
		return c, tsterr.New(tsterr.RTPBroken, "config=%q is no StreamMuxConfig", fmtp["config"])
	case version || !same || programs != 0 || layers != 0:
		return c, tsterr.New(tsterr.NotSupported, "LATM of several programs or layers")
	}
	c.AAC = rtpaac.Config{ObjectType: object, RateIndex: rate, Channels: channels}
	if !c.AAC.Valid() {
		return c, tsterr.New(tsterr.NotSupported, "AAC of object type %d, rate index %d", object, rate)
	}
	return c, nil
}

// LATM gives AAC frames with ADTS header or, where the configuration is in
// band, whole elements in LOAS.
type LATM struct {
	rtp.Assembler

	cfg   LATMConfig
	buf   []byte
	units []rtp.Unit
	out   int
}

// NewLATM makes a depacketizer.
func NewLATM(cfg LATMConfig) *LATM {
	d := &LATM{cfg: cfg}
	d.MaxUnit = maxUnit
	return d
}

// Push takes the next packet of the stream: an AudioMuxElement, or a part of
// one; the last has the marker.
func (d *LATM) Push(p *rtp.Packet) {
	if use, _ := d.Begin(p); use {
		d.AppendBytes(p.Payload)
		d.End(p.Marker)
	}
}

// Unit gives a frame, valid until the next Push.
func (d *LATM) Unit() (rtp.Unit, bool) {
	for d.out == len(d.units) {
		u, ok := d.Assembler.Unit()
		if !ok {
			return u, false
		}
		d.buf, d.units, d.out = d.buf[:0], d.units[:0], 0
		if d.cfg.InBand {
			d.loas(&u)
		} else {
			d.frames(&u)
		}
	}
	d.out++
	return d.units[d.out-1], true
}

// maxLOAS is what the length of LOAS can say, in bytes.
const maxLOAS = 1<<13 - 1

// loas puts an element behind the sync word of an AudioSyncStream (ISO/IEC
// 14496-3 §1.7.2).
func (d *LATM) loas(u *rtp.Unit) {
	n := len(u.Data)
	if n > maxLOAS {
		d.Stats.Oversize++
		return
	}
	d.buf = append(append(d.buf, 0x56, 0xE0|byte(n>>8), byte(n)), u.Data...) //nolint:gosec // thirteen bits
	u.Data, u.Key = d.buf, true
	d.units = append(d.units, *u)
}

// frames cuts an element (ISO/IEC 14496-3 §1.7.3.2): before each frame its
// length in bytes, as a sum that a byte below 255 ends.
func (d *LATM) frames(u *rtp.Unit) {
	b, ts := u.Data, u.Timestamp
	for range d.cfg.SubFrames {
		n, more := 0, true
		for more && len(b) > 0 {
			n += int(b[0])
			more = b[0] == 0xFF
			b = b[1:]
		}
		if n == 0 || n > len(b) || n > rtpaac.MaxFrame {
			d.Stats.PacketsDiscarded++
			return
		}
		from := len(d.buf)
		d.buf = append(d.cfg.AAC.AppendADTS(d.buf, n), b[:n]...)
		out := *u
		out.Data, out.Timestamp, out.Key = d.buf[from:len(d.buf):len(d.buf)], ts, true
		d.units = append(d.units, out)
		u.NewSource, u.Gap = false, false
		b = b[n:]
		ts += rtpaac.FrameSamples
	}
}
