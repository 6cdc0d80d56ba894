// Package st0605 is the precision time stamp pack (MISB ST 0605.9, with the
// time status byte of ST 0603.5).
package st0605

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Size is that of a whole pack: label, length, status, microseconds.
const Size = klv.ULSize + 1 + bodySize

const bodySize = 9

// Pack is a time stamp on the MISP time scale.
type Pack struct {
	Status byte
	Micros uint64 // since 1970-01-01, MISP time: no leap seconds
}

// Unmarshal reads a whole pack; bytes behind it are ignored.
func Unmarshal(b []byte) (p Pack, err error) {
	if len(b) < klv.ULSize {
		return p, tsterr.At(tsterr.KLVTruncatedSet, "universal_label", int64(len(b)), "%d bytes are shorter than a universal label", len(b))
	}
	if klv.UL(b[:klv.ULSize]) != klv.PrecisionTimeUL {
		return p, tsterr.At(tsterr.KLVBadUniversalLabel, "universal_label", 0, "not the universal label of ST 0605")
	}
	n, used, ok := klv.ReadLength(b[klv.ULSize:])
	if !ok {
		return p, tsterr.At(tsterr.KLVTruncatedSet, "length", klv.ULSize, "the length is missing or malformed")
	}
	at := klv.ULSize + used
	if n != bodySize {
		return p, tsterr.At(tsterr.KLVMalformedBytes, "length", klv.ULSize, "the body has %d bytes, must have %d", n, bodySize)
	}
	if len(b)-at < bodySize {
		return p, tsterr.At(tsterr.KLVTruncatedSet, "length", klv.ULSize, "the pack declares %d bytes, %d are there", n, len(b)-at)
	}
	return Pack{b[at], binary.BigEndian.Uint64(b[at+1:])}, nil
}

// Append appends a whole pack.
func (p Pack) Append(dst []byte) []byte {
	dst = append(dst, klv.PrecisionTimeUL[:]...)
	dst = append(dst, bodySize, p.Status)
	return binary.BigEndian.AppendUint64(dst, p.Micros)
}
