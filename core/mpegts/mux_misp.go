package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// MISPTime is a precision time stamp for a picture (MISB ST 0604).
type MISPTime struct {
	Nano   bool  // the unit of Value: nanoseconds, else microseconds
	Status uint8 // time status of MISB ST 0603
	Value  uint64
}

// Identifiers of user_data_unregistered SEI messages (MISB ST 0604 §11, §12).
var (
	mispMicroH264 = [16]byte([]byte("MISPmicrosectime"))
	mispMicroH265 = [16]byte{0xA8, 0x68, 0x7D, 0xD4, 0xD7, 0x59, 0x37, 0x58, 0xA5, 0xCE, 0xF0, 0x33, 0x8B, 0x65, 0x45, 0xF1}
	mispNanoH265  = [16]byte{0xCF, 0x84, 0x82, 0x78, 0xEE, 0x23, 0x30, 0x6C, 0x92, 0x65, 0xE8, 0xFE, 0xF2, 0x2F, 0xB8, 0xB8}
)

// insertMISP cuts an access unit before its first slice and makes the SEI NAL
// unit that goes there. sei is valid until the next push.
func (m *Muxer) insertMISP(c Codec, au []byte, t *MISPTime) (before, sei, after []byte, err error) {
	id := &mispMicroH264
	head := []byte{0, 0, 1, 0x06}
	switch {
	case c == CodecH264 && t.Nano:
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "nanoseconds have no place in H.264 (MISB ST 0604 §12.2)")
	case c == CodecH265:
		id = &mispMicroH265
		if t.Nano {
			id = &mispNanoH265
		}
		head = []byte{0, 0, 1, 0x4E, 0x01}
	case c != CodecH264:
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "MISB ST 0604 has no time stamp for %v", c)
	}
	at := firstSlice(c, au)
	if at < 0 {
		return nil, nil, nil, tsterr.New(tsterr.MuxMISPTime, "the access unit has no slice to put the time stamp before")
	}
	// payload type 5, size 28: identifier, status, the time with a guard
	// byte behind each pair, so that no start code can arise.
	var body [30]byte
	body[0], body[1] = 5, 28
	n := 2 + copy(body[2:], id[:])
	body[n] = t.Status
	n++
	for i := range 8 {
		body[n] = byte(t.Value >> (56 - 8*i))
		n++
		if i&1 == 1 && i < 7 {
			body[n] = 0xFF
			n++
		}
	}
	m.scratch = append(m.scratch[:0], head...)
	m.scratch = appendEscaped(m.scratch, body[:n])
	m.scratch = append(m.scratch, 0x80)
	return au[:at], m.scratch, au[at:], nil
}

// appendEscaped appends b with emulation prevention bytes (ITU-T H.264 §7.4.1).
func appendEscaped(dst, b []byte) []byte {
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c <= 3 {
			dst = append(dst, 3)
			zeros = 0
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		dst = append(dst, c)
	}
	return dst
}

// WithMISPTime returns a copy of an access unit of H.264 or H.265 with a time
// stamp before its first slice.
func (m *Muxer) WithMISPTime(c Codec, au []byte, t MISPTime) ([]byte, error) {
	before, sei, after, err := m.insertMISP(c, au, &t)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(au)+len(sei))
	return append(append(append(out, before...), sei...), after...), nil
}
