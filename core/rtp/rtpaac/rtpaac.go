// Package rtpaac carries AAC in RTP: the AU headers of RFC 3640 §3.2, as the
// modes AAC-hbr and AAC-lbr use them, without interleaving. Outside, frames
// bear an ADTS header (ISO/IEC 14496-3 §1.A.2.2).
package rtpaac

import (
	"encoding/hex"
	"strconv"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	adtsHeader = 7
	// MaxFrame is the longest frame, in bytes: what the 13 bits of an ADTS header
	// can say.
	MaxFrame = 1<<13 - 1 - adtsHeader
	// FrameSamples is the length of a frame in samples.
	FrameSamples = 1024
)

// rates are the sampling frequencies by index (ISO/IEC 14496-3 Table 1.18).
// rateCount is the number of rates with an index.
const rateCount = 13

func rates() [rateCount]int {
	return [13]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
}

// Config is what an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) and the AU
// header lengths of the session description say.
type Config struct {
	ObjectType int // 2: AAC LC
	RateIndex  int
	Channels   int // channel configuration
	// SizeLength, IndexLength and IndexDeltaLength are the widths of the fields
	// of an AU header, in bits.
	SizeLength, IndexLength, IndexDeltaLength int
}

// Rate is the sampling frequency in Hz.
func (c Config) Rate() int { return rates()[c.RateIndex] }

// SpecificConfig is the AudioSpecificConfig of c.
func (c Config) SpecificConfig() []byte {
	v := c.ObjectType<<11 | c.RateIndex<<7 | c.Channels<<3
	return []byte{byte(v >> 8), byte(v)} //nolint:gosec // sixteen bits
}

// Valid tells whether the frames of c can bear an ADTS header.
func (c Config) Valid() bool {
	return c.RateIndex >= 0 && c.RateIndex < rateCount && c.ObjectType > 0 && c.ObjectType < 31
}

// AppendADTS appends the ADTS header of a frame of n bytes, at most MaxFrame.
func (c Config) AppendADTS(dst []byte, n int) []byte {
	n += adtsHeader
	return append(dst, 0xFF, 0xF1, byte((c.ObjectType-1)<<6|c.RateIndex<<2|c.Channels>>2), //nolint:gosec // bytes
		byte(c.Channels<<6|n>>11), byte(n>>3), byte(n<<5)|0x1F, 0xFC) //nolint:gosec // bytes
}

// ParseFMTP reads the parameters of a description's fmtp line, with keys in
// lower case.
func ParseFMTP(fmtp map[string]string) (Config, error) {
	c := Config{SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	asc, err := hex.DecodeString(fmtp["config"])
	if err != nil || len(asc) < 2 {
		return c, tsterr.New(tsterr.RTPBroken, "config=%q is no AudioSpecificConfig", fmtp["config"])
	}
	v := int(asc[0])<<8 | int(asc[1])
	c.ObjectType, c.RateIndex, c.Channels = v>>11, v>>7&0xF, v>>3&0xF
	if !c.Valid() {
		return c, tsterr.New(tsterr.NotSupported, "AudioSpecificConfig %x is of a kind not supported", asc)
	}
	if c.ObjectType == 5 || c.ObjectType == 29 { // SBR and PS: the ADTS header shows the core, which is LC
		c.ObjectType = 2
	}
	for key, to := range map[string]*int{
		"sizelength": &c.SizeLength, "indexlength": &c.IndexLength, "indexdeltalength": &c.IndexDeltaLength,
	} {
		if s, ok := fmtp[key]; ok {
			if *to, err = strconv.Atoi(s); err != nil || *to < 0 || *to > 16 {
				return c, tsterr.New(tsterr.RTPBroken, "%s=%s is not a width of 0 to 16 bits", key, s)
			}
		}
	}
	if c.SizeLength == 0 {
		return c, tsterr.New(tsterr.NotSupported, "AU headers without a size")
	}
	return c, nil
}

// ParseADTS reads the configuration out of a frame's ADTS header.
func ParseADTS(b []byte) (Config, bool) {
	c := Config{SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	if len(b) < adtsHeader || b[0] != 0xFF || b[1]&0xF6 != 0xF0 {
		return c, false
	}
	c.ObjectType = int(b[2]>>6) + 1
	c.RateIndex = int(b[2] >> 2 & 0xF)
	c.Channels = int(b[2]&1)<<2 | int(b[3]>>6)
	return c, c.RateIndex < rateCount
}

// Depacketizer takes AAC frames out of RTP packets.
type Depacketizer struct {
	Stats rtp.AssemblyStats

	cfg     Config
	started bool
	ssrc    uint32
	next    uint16
	frag    []byte // of a frame in several packets
	fragTS  uint32
	open    bool
	whole   bool // each packet so far said the size of its own piece
	source  bool
	gap     bool
	buf     []byte
	units   []rtp.Unit
	out     int
}

// NewDepacketizer makes a depacketizer.
func NewDepacketizer(cfg Config) *Depacketizer { return &Depacketizer{cfg: cfg} }

// Push takes the next packet of the stream.
func (d *Depacketizer) Push(p *rtp.Packet) {
	d.units, d.out, d.buf = d.units[:0], 0, d.buf[:0]
	if !d.started {
		d.started, d.ssrc, d.next = true, p.SSRC, p.Sequence
	}
	if p.SSRC != d.ssrc {
		d.Stats.SSRCChanges++
		d.ssrc, d.next, d.source = p.SSRC, p.Sequence, true
		d.lose()
	}
	switch k := p.Sequence - d.next; {
	case k == 0:
	case k == 0xFFFF:
		d.Stats.Duplicates++
		return
	case k >= 1<<15 && -k < 3000:
		d.Stats.PacketsDiscarded++
		return
	default:
		d.Stats.Gaps++
		d.gap = true
		d.lose()
	}
	d.next = p.Sequence + 1
	if !d.payload(p) {
		d.Stats.PacketsDiscarded++
	}
}

func (d *Depacketizer) lose() {
	if d.open {
		d.Stats.Dropped++
		d.open = false
	}
}

// payload reads the AU headers section and the frames after it.
func (d *Depacketizer) payload(p *rtp.Packet) bool {
	b := p.Payload
	if len(b) < 2 {
		return false
	}
	headBits := int(b[0])<<8 | int(b[1])
	headBytes := (headBits + 7) / 8
	if len(b) < 2+headBytes {
		return false
	}
	heads, data := b[2:2+headBytes], b[2+headBytes:]
	bit, ts := 0, p.Timestamp
	for i := 0; bit < headBits; i++ {
		index := d.cfg.IndexDeltaLength
		if i == 0 {
			index = d.cfg.IndexLength
		}
		if bit+d.cfg.SizeLength+index > headBits {
			return false
		}
		size := bits(heads, bit, d.cfg.SizeLength)
		bit += d.cfg.SizeLength + index
		if size == 0 || size > MaxFrame {
			return false
		}
		// A frame in several packets is alone in each; the last has the marker.
		alone := i == 0 && bit >= headBits
		if alone && (size > len(data) || !p.Marker || (d.open && d.fragTS == ts)) {
			return d.piece(data, size, p)
		}
		if size > len(data) {
			return false
		}
		d.finish()
		d.emit(data[:size], ts)
		data = data[size:]
		ts += FrameSamples
	}
	return true
}

// piece takes a part of a frame. Its size should be the frame's (RFC 3640
// §3.2.1); gortsplib says the piece's.
func (d *Depacketizer) piece(data []byte, size int, p *rtp.Packet) bool {
	if d.open && d.fragTS != p.Timestamp {
		d.finish()
	}
	if !d.open {
		d.open, d.whole, d.fragTS, d.frag = true, true, p.Timestamp, d.frag[:0]
	}
	d.whole = d.whole && size == len(data)
	if len(d.frag)+len(data) > MaxFrame {
		d.lose()
		return false
	}
	d.frag = append(d.frag, data...)
	if p.Marker || (!d.whole && len(d.frag) == size) {
		d.open = false
		d.emit(d.frag, d.fragTS)
	}
	return true
}

// finish ends an open frame: one of a sender that sets no markers is whole.
func (d *Depacketizer) finish() {
	if d.open && d.whole {
		d.open = false
		d.emit(d.frag, d.fragTS)
	}
	d.lose()
}

func bits(b []byte, at, n int) int {
	v := 0
	for i := at; i < at+n; i++ {
		v = v<<1 | int(b[i/8]>>(7-i%8)&1)
	}
	return v
}

// Assembly reads the counters.
func (d *Depacketizer) Assembly() rtp.AssemblyStats { return d.Stats }

func (d *Depacketizer) emit(frame []byte, ts uint32) {
	from := len(d.buf)
	d.buf = append(d.cfg.AppendADTS(d.buf, len(frame)), frame...)
	d.Stats.Units++
	d.units = append(d.units, rtp.Unit{
		Data: d.buf[from:len(d.buf):len(d.buf)], Timestamp: ts, Key: true, NewSource: d.source, Gap: d.gap,
	})
	d.source, d.gap = false, false
}

// Unit gives a complete frame with its ADTS header, valid until the next Push.
func (d *Depacketizer) Unit() (rtp.Unit, bool) {
	if d.out == len(d.units) {
		return rtp.Unit{}, false
	}
	d.out++
	return d.units[d.out-1], true
}

// Frames cuts ADTS data into frames and calls f with each one's header and
// data. It reports false when it met something else.
func Frames(b []byte, f func(cfg Config, frame []byte)) bool {
	for len(b) > 0 {
		cfg, ok := ParseADTS(b)
		if !ok {
			return false
		}
		n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5)
		head := adtsHeader
		if b[1]&1 == 0 {
			head += 2 // a checksum
		}
		if n < head || n > len(b) {
			return false
		}
		f(cfg, b[head:n])
		b = b[n:]
	}
	return true
}

// Packetize appends the payloads of one frame without ADTS header to out, in
// AAC-hbr: whole, or in pieces that all bear its size (RFC 3640 §3.2.3).
// maxPayload is in bytes and at least 16.
func Packetize(out *rtp.Payloads, frame []byte, maxPayload int) {
	maxPayload = max(maxPayload, 16)
	size := len(frame)
	for rest := frame; len(rest) > 0; {
		n := min(len(rest), maxPayload-4)
		out.Data = append(out.Data, 0, 16, byte(size>>5), byte(size<<3)) //nolint:gosec // sixteen bits
		out.Data = append(out.Data, rest[:n]...)
		out.Close()
		rest = rest[n:]
	}
}
