package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// Flags of the adaptation field (ISO/IEC 13818-1 §2.4.3.4).
const (
	afDiscontinuity = 0x80
	afRandomAccess  = 0x40
	afESPriority    = 0x20
	afPCR           = 0x10
	afOPCR          = 0x08
	afSplice        = 0x04
	afPrivateData   = 0x02
	afExtension     = 0x01
)

// AdaptationField is the optional field between header and payload.
//
//	length:8 | flags:8 | PCR:48? OPCR:48? splice_countdown:8? private(length:8 ...)? extension(length:8 ...)? stuffing
type AdaptationField struct {
	// Length is adaptation_field_length: the bytes behind the length byte.
	// MarshalTo fills the field up to it with stuffing. 0 is the one-byte field.
	Length                            int
	DiscontinuityIndicator            bool
	RandomAccessIndicator             bool
	ElementaryStreamPriorityIndicator bool
	HasPCR                            bool
	PCRBase                           int64 // 90 kHz ticks
	PCRExtension                      uint16
	HasOPCR                           bool
	OPCRBase                          int64 // 90 kHz ticks
	OPCRExtension                     uint16
	HasSplicingPoint                  bool
	SpliceCountdown                   int8
	PrivateData                       []byte // nil: absent; aliases the input of Unmarshal
	Extension                         []byte // nil: absent; body without its length byte; aliases the input
}

// Unmarshal reads the field, length byte first. The result aliases buf.
func (a *AdaptationField) Unmarshal(buf []byte) (int, error) {
	if len(buf) < 1 || int(buf[0])+1 > len(buf) {
		return 0, tsterr.At(tsterr.InvalidArg, "adaptation_field_length", 0, "adaptation field is cut")
	}
	*a = AdaptationField{Length: int(buf[0])}
	if a.Length == 0 {
		return 1, nil
	}
	end, pos := a.Length+1, 2
	f := buf[1]
	a.DiscontinuityIndicator = f&afDiscontinuity != 0
	a.RandomAccessIndicator = f&afRandomAccess != 0
	a.ElementaryStreamPriorityIndicator = f&afESPriority != 0
	a.HasPCR = f&afPCR != 0
	a.HasOPCR = f&afOPCR != 0
	a.HasSplicingPoint = f&afSplice != 0
	cut := func(field string) (int, error) {
		return 0, tsterr.At(tsterr.InvalidArg, field, int64(pos), "adaptation field has no room for %s", field)
	}
	if a.HasPCR {
		if pos+pcrSize > end {
			return cut("program_clock_reference")
		}
		a.PCRBase, a.PCRExtension = ReadPCR(buf[pos:])
		pos += pcrSize
	}
	if a.HasOPCR {
		if pos+pcrSize > end {
			return cut("original_program_clock_reference")
		}
		a.OPCRBase, a.OPCRExtension = ReadPCR(buf[pos:])
		pos += pcrSize
	}
	if a.HasSplicingPoint {
		if pos >= end {
			return cut("splice_countdown")
		}
		a.SpliceCountdown = int8(buf[pos])
		pos++
	}
	for _, p := range []struct {
		on   bool
		to   *[]byte
		name string
	}{{f&afPrivateData != 0, &a.PrivateData, "transport_private_data"}, {f&afExtension != 0, &a.Extension, "adaptation_field_extension"}} {
		if !p.on {
			continue
		}
		if pos >= end || pos+1+int(buf[pos]) > end {
			return cut(p.name)
		}
		n := int(buf[pos])
		*p.to = buf[pos+1 : pos+1+n : pos+1+n]
		pos += 1 + n
	}
	return end, nil
}

// minLength is the least adaptation_field_length that holds what is set; 0
// when nothing is.
func (a *AdaptationField) minLength() int {
	n := 1
	if a.HasPCR {
		n += pcrSize
	}
	if a.HasOPCR {
		n += pcrSize
	}
	if a.HasSplicingPoint {
		n++
	}
	if a.PrivateData != nil {
		n += 1 + len(a.PrivateData)
	}
	if a.Extension != nil {
		n += 1 + len(a.Extension)
	}
	if n == 1 && !a.DiscontinuityIndicator && !a.RandomAccessIndicator && !a.ElementaryStreamPriorityIndicator {
		return 0
	}
	return n
}

// MarshalSize is the length of the field in bytes, its length byte included:
// Length + 1, or what the set parts need where that is more.
func (a *AdaptationField) MarshalSize() int { return 1 + max(a.Length, a.minLength()) }

// MarshalTo writes the field, stuffed with 0xFF up to MarshalSize.
func (a *AdaptationField) MarshalTo(buf []byte) (int, error) {
	n := a.MarshalSize()
	if n > MaxPayload {
		return 0, tsterr.At(tsterr.InvalidArg, "adaptation_field_length", 0, "adaptation field of %d bytes does not fit a packet", n)
	}
	if len(buf) < n {
		return 0, tsterr.New(tsterr.BufferTooSmall, "adaptation field needs %d bytes", n)
	}
	buf[0] = byte(n - 1)
	if n == 1 {
		return 1, nil
	}
	var f byte
	for _, p := range []struct {
		on  bool
		bit byte
	}{
		{a.DiscontinuityIndicator, afDiscontinuity},
		{a.RandomAccessIndicator, afRandomAccess},
		{a.ElementaryStreamPriorityIndicator, afESPriority},
		{a.HasPCR, afPCR},
		{a.HasOPCR, afOPCR},
		{a.HasSplicingPoint, afSplice},
		{a.PrivateData != nil, afPrivateData},
		{a.Extension != nil, afExtension},
	} {
		if p.on {
			f |= p.bit
		}
	}
	buf[1] = f
	pos := 2
	if a.HasPCR {
		PutPCR(buf[pos:], a.PCRBase, a.PCRExtension)
		pos += pcrSize
	}
	if a.HasOPCR {
		PutPCR(buf[pos:], a.OPCRBase, a.OPCRExtension)
		pos += pcrSize
	}
	if a.HasSplicingPoint {
		buf[pos] = byte(a.SpliceCountdown)
		pos++
	}
	for _, p := range [][]byte{a.PrivateData, a.Extension} {
		if p != nil {
			buf[pos] = byte(len(p))
			pos += 1 + copy(buf[pos+1:], p)
		}
	}
	for ; pos < n; pos++ {
		buf[pos] = 0xFF
	}
	return n, nil
}
