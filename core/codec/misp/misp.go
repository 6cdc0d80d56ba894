// Package misp reads and writes MISP time stamps in compressed video: the
// Precision Time Stamp (microseconds) and the Nano Precision Time Stamp of MISB
// ST 0603, carried as MISB ST 0604 tells for MPEG-2, H.264 and H.265.
package misp

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/bits"
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// unregistered is the SEI payload type user_data_unregistered (H.264 §D.1.7).
	unregistered = 5
	idSize       = 16
	// stampSize is the identifier, a status byte, and eight bytes of time with a
	// guard of 0xff after each of the first three pairs (ST 0604 §7).
	stampSize = idSize + 12
	guard     = 0xff
	// userDataStart is the start code value of user data in MPEG-2 video.
	userDataStart = 0xb2
	// maxSEIMessage bounds the payload size that is read; the sum of 0xff bytes
	// in front of a size has no limit of its own.
	maxSEIMessage = 1 << 24
)

// The identifiers of ST 0604: ASCII for MPEG-2 and H.264, UUIDs for H.265.
const (
	idMicro     = "MISPmicrosectime"
	idMicroH265 = "\xa8\x68\x7d\xd4\xd7\x59\x37\x58\xa5\xce\xf0\x33\x8b\x65\x45\xf1"
	idNano      = "\xcf\x84\x82\x78\xee\x23\x30\x6c\x92\x65\xe8\xfe\xf2\x2f\xb8\xb8"
)

// Time is a time stamp since 1970-01-01T00:00:00 of MISP time, which has no
// leap seconds.
type Time struct {
	Nano   bool   // Value counts nanoseconds, else microseconds
	Status uint8  // the Time Status byte of ST 0603
	Value  uint64 // in the unit that Nano tells
}

func malformed(msg string) error { return tsterr.New(tsterr.InvalidArg, "%s", msg) }

// Extract finds the first time stamp of an access unit: an Annex B stream for
// H.264 and H.265, a picture with its headers for MPEG-2. Other codecs carry
// none. A stamp that is cut or broken is an error.
func Extract(c codec.Video, au []byte) (t Time, ok bool, err error) {
	if c != codec.H264 && c != codec.H265 && c != codec.MPEG2 {
		return Time{}, false, nil
	}
	for nals := codec.NewNALs(au); nals.Next(); {
		switch u := nals.Unit; {
		case c == codec.MPEG2:
			if u[0] != userDataStart {
				continue
			}
			// User data is not escaped, and ends at the next start code.
			r := bits.NewReader(u[1:])
			t, ok, err = parse(&r, len(u)-1)
		case c == codec.H264 && h264.ParseHeader(u[0]).Type == h264.NALSEI:
			t, ok, err = parseSEI(u[h264.HeaderSize:])
		case c == codec.H265 && isSEI265(u):
			t, ok, err = parseSEI(u[h265.HeaderSize:])
		}
		if ok || err != nil {
			return t, ok, err
		}
	}
	return Time{}, false, nil
}

func isSEI265(u []byte) bool {
	if len(u) < h265.HeaderSize {
		return false
	}
	t := h265.ParseHeader(u[0], u[1]).Type
	return t == h265.NALPrefixSEI || t == h265.NALSuffixSEI
}

// parseSEI reads the messages of a SEI RBSP (H.264 §7.3.2.3).
func parseSEI(rbsp []byte) (t Time, ok bool, err error) {
	r := bits.NewRBSP(rbsp)
	for {
		kind, size := readFF(&r), readFF(&r)
		if r.Failed() || size > maxSEIMessage {
			return Time{}, false, nil
		}
		if kind == unregistered && size >= idSize {
			if t, ok, err = parse(&r, size); ok || err != nil {
				return t, ok, err
			}
			size -= idSize
		}
		r.Skip(8 * size)
	}
}

// readFF reads a number coded as a run of 0xff and a last byte.
func readFF(r *bits.Reader) (n int) {
	for !r.Failed() && n < maxSEIMessage {
		b := int(r.U(8))
		n += b
		if b != 0xff {
			break
		}
	}
	return n
}

// parse reads identifier and time of a message of size bytes. Without a known
// identifier it has read these 16 bytes and is not ok.
func parse(r *bits.Reader, size int) (t Time, ok bool, err error) {
	if size < idSize {
		return Time{}, false, nil
	}
	var id [idSize]byte
	for i := range id {
		id[i] = byte(r.U(8))
	}
	switch string(id[:]) {
	case idMicro, idMicroH265:
	case idNano:
		t.Nano = true
	default:
		return Time{}, false, nil
	}
	t.Status = uint8(r.U(8))
	guarded := true
	for i := range 4 {
		t.Value = t.Value<<16 | uint64(r.U(16))
		if i < 3 {
			guarded = r.U(8) == guard && guarded
		}
	}
	r.Skip(8 * (size - stampSize))
	switch {
	case size < stampSize || r.Failed():
		return Time{}, false, malformed("MISP time stamp is truncated (28 bytes needed)")
	case !guarded:
		return Time{}, false, malformed("a guard byte of the MISP time stamp is not 0xFF")
	}
	return t, true, nil
}

// appendStamp appends the 28 bytes of a time stamp.
func appendStamp(dst []byte, c codec.Video, t Time) []byte {
	id := idMicro
	switch {
	case t.Nano:
		id = idNano
	case c == codec.H265:
		id = idMicroH265
	}
	dst = append(dst, id...)
	v := binary.BigEndian.AppendUint64(nil, t.Value)
	return append(dst, t.Status, v[0], v[1], guard, v[2], v[3], guard, v[4], v[5], guard, v[6], v[7])
}

// AppendSEI appends a SEI NAL unit, behind a start code of three bytes, with
// the time t. H.264 carries microseconds only, H.265 both units.
func AppendSEI(dst []byte, c codec.Video, t Time) ([]byte, error) {
	var header []byte
	switch {
	case c == codec.H264 && !t.Nano:
		header = []byte{byte(h264.NALSEI)}
	case c == codec.H265:
		header = []byte{byte(h265.NALPrefixSEI) << 1, 1}
	default:
		return dst, tsterr.New(tsterr.MuxMISPTime, "this codec does not carry such a MISP time stamp")
	}
	dst = append(dst, 0, 0, 1)
	dst = append(dst, header...)
	body := make([]byte, 0, stampSize+3)
	body = append(body, unregistered, stampSize)
	body = append(appendStamp(body, c, t), 0x80)
	return bits.AppendEscaped(dst, body), nil
}

// Insert appends the access unit au to dst with a SEI NAL unit of the time t in
// front of its first slice; without a slice it is an error.
func Insert(dst []byte, c codec.Video, au []byte, t Time) ([]byte, error) {
	at := FirstSlice(c, au)
	if at < 0 {
		return dst, tsterr.New(tsterr.MuxMISPTime, "the access unit has no slice to put the MISP time stamp before")
	}
	dst = append(dst, au[:at]...)
	dst, err := AppendSEI(dst, c, t)
	if err != nil {
		return dst, err
	}
	return append(dst, au[at:]...), nil
}

// FirstSlice tells where the start code of the first slice begins, -1 without
// one: a time stamp goes there.
func FirstSlice(c codec.Video, au []byte) int {
	for nals := codec.NewNALs(au); nals.Next(); {
		u := nals.Unit
		slice := c == codec.H264 && h264.ParseHeader(u[0]).Type.IsSlice() ||
			c == codec.H265 && len(u) >= h265.HeaderSize && h265.ParseHeader(u[0], u[1]).Type.IsSlice()
		if !slice {
			continue
		}
		at := nals.Offset - 3
		if at > 0 && au[at-1] == 0 {
			at--
		}
		return at
	}
	return -1
}
