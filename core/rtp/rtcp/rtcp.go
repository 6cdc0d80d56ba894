// Package rtcp reads and writes RTCP packets: sender and receiver reports, source description, goodbye (RFC 3550
// §6), transport and payload-specific feedback (RFC 4585 §6).
package rtcp

import (
	"bytes"
	"encoding/binary"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Packet types.
const (
	SR    = 200
	RR    = 201
	SDES  = 202
	BYE   = 203
	RTPFB = 205
	PSFB  = 206
)

// Formats of feedback.
const (
	FmtNACK = 1 // of RTPFB: generic NACK
	FmtPLI  = 1 // of PSFB: picture loss
	FmtFIR  = 4 // of PSFB: full intra request (RFC 5104 §4.3.1)
)

// ItemCNAME is the source description item that names a participant.
const ItemCNAME = 1

const (
	headerSize = 4
	reportSize = 24
	senderSize = 20
)

// Report is one report block.
type Report struct {
	SSRC         uint32
	FractionLost uint8  // of 256
	Lost         int32  // packets, 24 bits with sign
	Highest      uint32 // extended sequence number
	Jitter       uint32 // in timestamp units
	LSR          uint32 // middle 32 bits of the NTP time of the last sender report
	DLSR         uint32 // since then, in 1/65536 s
}

// Item is one item of a source description.
type Item struct {
	Type uint8
	Text []byte
}

// Chunk describes one source.
type Chunk struct {
	SSRC  uint32
	Items []Item
}

// Packet is one packet of a compound; which fields count depends on Type.
type Packet struct {
	Type    uint8
	Format  uint8 // of feedback
	SSRC    uint32
	Media   uint32 // feedback: the source it is about
	NTP     uint64 // sender report
	RTP     uint32
	Packets uint32
	Octets  uint32
	Reports []Report
	Chunks  []Chunk
	Sources []uint32 // goodbye
	Lost    []uint16 // RTPFB
	FCI     []byte   // PSFB
}

// bad is a parse error. The texts of these are those that users of aiortp and aiortc match on.
func bad(field string, at int, text string) error {
	return tsterr.At(tsterr.InvalidArg, field, int64(at), "%s", text)
}

// Is tells RTCP from RTP by the second byte, where both share a port.
func Is(b []byte) bool { return len(b) >= 2 && b[1] >= 192 && b[1] <= 208 }

// Unmarshal reads a compound packet and appends its packets to out; types it does not know are left out. Slices
// alias the input. Offsets in errors count from the start of b.
func Unmarshal(out []Packet, b []byte) ([]Packet, error) {
	for at := 0; at < len(b); {
		if len(b)-at < headerSize {
			return out, bad("header", at, "RTCP packet length is less than 4 bytes")
		}
		if b[at]>>6 != 2 {
			return out, bad("version", at, "RTCP packet has invalid version")
		}
		count, kind := int(b[at]&0x1F), b[at+1]
		end := at + headerSize + 4*int(binary.BigEndian.Uint16(b[at+2:]))
		if end > len(b) {
			return out, bad("length", at+2, "RTCP packet is truncated")
		}
		body := b[at+headerSize : end]
		if b[at]&0x20 != 0 {
			if len(body) == 0 || body[len(body)-1] == 0 || int(body[len(body)-1]) > len(body) {
				return out, bad("padding", end-1, "RTCP packet padding length is invalid")
			}
			body = body[:len(body)-int(body[len(body)-1])]
		}
		p := Packet{Type: kind}
		var err error
		known := true
		switch kind {
		case SR, RR:
			err = p.report(body, count, at)
		case SDES:
			err = p.description(body, count, at)
		case BYE:
			if len(body) < 4*count {
				err = bad("bye", at, "RTCP bye length is invalid")
				break
			}
			for i := range count {
				p.Sources = append(p.Sources, binary.BigEndian.Uint32(body[4*i:]))
			}
		case RTPFB, PSFB:
			p.Format = uint8(count) //nolint:gosec // five bits
			err = p.feedback(body, at)
		default:
			known = false
		}
		if err != nil {
			return out, err
		}
		if known {
			out = append(out, p)
		}
		at = end
	}
	return out, nil
}

func (p *Packet) report(b []byte, count, at int) error {
	head, name := 4, "RTCP receiver report"
	if p.Type == SR {
		head += senderSize
		name = "RTCP sender report"
	}
	if len(b) != head+reportSize*count {
		return bad("report", at, name+" length is invalid")
	}
	p.SSRC = binary.BigEndian.Uint32(b)
	if p.Type == SR {
		p.NTP = binary.BigEndian.Uint64(b[4:])
		p.RTP = binary.BigEndian.Uint32(b[12:])
		p.Packets = binary.BigEndian.Uint32(b[16:])
		p.Octets = binary.BigEndian.Uint32(b[20:])
	}
	for b = b[head:]; len(b) >= reportSize; b = b[reportSize:] {
		p.Reports = append(p.Reports, ParseReport(b))
	}
	return nil
}

// ParseReport reads the 24 bytes of a report block.
func ParseReport(b []byte) Report {
	_ = b[reportSize-1]
	return Report{
		SSRC:         binary.BigEndian.Uint32(b),
		FractionLost: b[4],
		Lost:         int32(binary.BigEndian.Uint32(b[4:])<<8) >> 8, //nolint:gosec // sign extension
		Highest:      binary.BigEndian.Uint32(b[8:]),
		Jitter:       binary.BigEndian.Uint32(b[12:]),
		LSR:          binary.BigEndian.Uint32(b[16:]),
		DLSR:         binary.BigEndian.Uint32(b[20:]),
	}
}

// description reads chunks: each is a source, items, and zero bytes up to a multiple of four (RFC 3550 §6.5). There
// are writers, Marshal among them, that end each chunk with two zero bytes and fill up the last one only: what does not
// fit the one layout is read by the other.
func (p *Packet) description(b []byte, count, at int) error {
	err := p.chunks(b, count, at, true)
	if count < 2 || err == nil {
		return err
	}
	p.Chunks = nil
	return p.chunks(b, count, at, false)
}

// chunks reads chunks in one of the two layouts. Of several that are aligned, all that fills up must be zero.
func (p *Packet) chunks(b []byte, count, at int, aligned bool) error {
	pos := 0
	for range count {
		if pos+4 > len(b) {
			return bad("sdes", at+headerSize+pos, "RTCP SDES source is truncated")
		}
		c := Chunk{SSRC: binary.BigEndian.Uint32(b[pos:])}
		pos += 4
		for pos < len(b) {
			kind := b[pos]
			pos++
			if kind == 0 {
				break
			}
			if pos >= len(b) || pos+1+int(b[pos]) > len(b) {
				return bad("sdes", at+headerSize+pos, "RTCP SDES item is truncated")
			}
			n := int(b[pos])
			c.Items = append(c.Items, Item{kind, b[pos+1 : pos+1+n]})
			pos += 1 + n
		}
		p.Chunks = append(p.Chunks, c)
		if !aligned {
			pos++ // the second zero byte
			continue
		}
		for ; pos%4 != 0; pos++ {
			if count > 1 && pos < len(b) && b[pos] != 0 {
				return bad("sdes", at+headerSize+pos, "padding that is not zero")
			}
		}
	}
	if aligned && count > 1 && len(bytes.TrimLeft(b[min(pos, len(b)):], "\x00")) > 0 {
		return bad("sdes", at+headerSize+pos, "there is something behind the last chunk")
	}
	return nil
}

func (p *Packet) feedback(b []byte, at int) error {
	if len(b) < 8 || p.Type == RTPFB && len(b)%4 != 0 {
		if p.Type == PSFB {
			return bad("feedback", at, "RTCP payload-specific feedback length is invalid")
		}
		return bad("feedback", at, "RTCP RTP feedback length is invalid")
	}
	p.SSRC, p.Media = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if p.Type == PSFB {
		p.FCI = b[8:]
		return nil
	}
	for b = b[8:]; len(b) >= 4; b = b[4:] {
		pid, blp := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.Lost = append(p.Lost, pid)
		for d := range uint16(16) {
			if blp>>d&1 != 0 {
				p.Lost = append(p.Lost, pid+d+1)
			}
		}
	}
	return nil
}

// Append appends one packet of a type, with a count or format, around a body of whole words.
func Append(dst []byte, kind, count uint8, body []byte) ([]byte, error) {
	if len(body)%4 != 0 || len(body) > 4*0xFFFF || count > 31 {
		return dst, tsterr.New(tsterr.InvalidArg, "RTCP body of %d bytes, count %d", len(body), count)
	}
	dst = append(dst, 0x80|count, kind)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)/4))
	return append(dst, body...), nil
}

// AppendCNAME appends the description of one source by its canonical name, of at most 255 bytes, laid out as RFC 3550
// §6.5 says. Marshal may end it four bytes later, which strict readers refuse.
func AppendCNAME(dst []byte, ssrc uint32, name string) ([]byte, error) {
	if len(name) > 255 {
		return dst, tsterr.New(tsterr.InvalidArg, "a canonical name of %d bytes: at most 255", len(name))
	}
	body := binary.BigEndian.AppendUint32(nil, ssrc)
	body = append(append(body, ItemCNAME, byte(len(name))), name...)
	body = append(body, make([]byte, 4-len(body)%4)...)
	return Append(dst, SDES, 1, body)
}

// AppendReport appends the 24 bytes of a report block; Lost is brought into its 24 bits.
func AppendReport(dst []byte, r *Report) []byte {
	dst = binary.BigEndian.AppendUint32(dst, r.SSRC)
	lost := min(max(r.Lost, -1<<23), 1<<23-1)
	dst = binary.BigEndian.AppendUint32(dst, uint32(lost)&0xFFFFFF|uint32(r.FractionLost)<<24) //nolint:gosec // two's complement
	dst = binary.BigEndian.AppendUint32(dst, r.Highest)
	dst = binary.BigEndian.AppendUint32(dst, r.Jitter)
	dst = binary.BigEndian.AppendUint32(dst, r.LSR)
	return binary.BigEndian.AppendUint32(dst, r.DLSR)
}

// Marshal appends the packet to dst.
func (p *Packet) Marshal(dst []byte) ([]byte, error) {
	var b []byte
	var count int
	switch p.Type {
	case SR, RR:
		b = binary.BigEndian.AppendUint32(b, p.SSRC)
		if p.Type == SR {
			b = binary.BigEndian.AppendUint64(b, p.NTP)
			b = binary.BigEndian.AppendUint32(b, p.RTP)
			b = binary.BigEndian.AppendUint32(b, p.Packets)
			b = binary.BigEndian.AppendUint32(b, p.Octets)
		}
		for i := range p.Reports {
			b = AppendReport(b, &p.Reports[i])
		}
		count = len(p.Reports)
	case SDES:
		for _, c := range p.Chunks {
			b = binary.BigEndian.AppendUint32(b, c.SSRC)
			for _, it := range c.Items {
				if len(it.Text) > 255 {
					return dst, tsterr.New(tsterr.InvalidArg, "a source description item of %d bytes: at most 255", len(it.Text))
				}
				b = append(append(b, it.Type, byte(len(it.Text))), it.Text...)
			}
			b = append(b, 0, 0)
		}
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		count = len(p.Chunks)
	case BYE:
		for _, s := range p.Sources {
			b = binary.BigEndian.AppendUint32(b, s)
		}
		count = len(p.Sources)
	case RTPFB, PSFB:
		b = binary.BigEndian.AppendUint32(b, p.SSRC)
		b = binary.BigEndian.AppendUint32(b, p.Media)
		if p.Type == RTPFB {
			b = appendLost(b, p.Lost)
		} else {
			b = append(b, p.FCI...)
		}
		count = int(p.Format)
	default:
		return dst, tsterr.New(tsterr.InvalidArg, "RTCP packet type %d", p.Type)
	}
	if count > 31 {
		return dst, tsterr.New(tsterr.InvalidArg, "%d in one RTCP packet: at most 31", count)
	}
	return Append(dst, p.Type, uint8(count), b)
}

// appendLost packs numbers, in their order, into pairs of a number and a mask of the 16 that follow it.
func appendLost(b []byte, lost []uint16) []byte {
	for i := 0; i < len(lost); {
		pid, blp := lost[i], uint16(0)
		for i++; i < len(lost); i++ {
			d := lost[i] - pid - 1
			if d >= 16 {
				break
			}
			blp |= 1 << d
		}
		b = binary.BigEndian.AppendUint16(b, pid)
		b = binary.BigEndian.AppendUint16(b, blp)
	}
	return b
}
