package klv

import (
	"encoding/hex"

	"github.com/tstrans/tstrans/core/tsterr"
)

// ULSize is the size of a universal label in bytes (SMPTE ST 298).
const ULSize = 16

// UL is a SMPTE universal label.
type UL [ULSize]byte

// String gives the label in hexadecimal.
func (u UL) String() string { return hex.EncodeToString(u[:]) }

// The keys of the sets this module types (MISB ST 0807).
var (
	UASDatalinkUL   = UL{6, 0x0e, 0x2b, 0x34, 2, 0x0b, 1, 1, 0x0e, 1, 3, 1, 1, 0, 0, 0} // ST 0601
	SecurityUL      = UL{6, 0x0e, 0x2b, 0x34, 2, 3, 1, 1, 0x0e, 1, 3, 3, 2, 0, 0, 0}    // ST 0102
	PrecisionTimeUL = UL{6, 0x0e, 0x2b, 0x34, 2, 5, 1, 1, 0x0e, 1, 1, 3, 0x11, 0, 0, 0} // ST 0605
	RVTUL           = UL{6, 0x0e, 0x2b, 0x34, 2, 0x0b, 1, 1, 0x0e, 1, 3, 1, 2, 0, 0, 0} // ST 0806
	VMTIUL          = UL{6, 0x0e, 0x2b, 0x34, 2, 0x0b, 1, 1, 0x0e, 1, 3, 3, 6, 0, 0, 0} // ST 0903
	VTrackUL        = UL{6, 0x0e, 0x2b, 0x34, 2, 3, 1, 1, 0x0e, 1, 3, 3, 0x1e, 0, 0, 0} // ST 0903 VTrack
	SecurityUnivUL  = UL{6, 0x0e, 0x2b, 0x34, 2, 1, 1, 1, 2, 8, 2, 0, 0, 0, 0, 0}       // ST 0102 universal set
)

// IsUASDatalink reports whether b starts with a key of the ST 0601 family:
// bytes 13 and 14 carried a version in early editions and are free.
func IsUASDatalink(b []byte) bool {
	return len(b) >= ULSize && [13]byte(b[:13]) == [13]byte(UASDatalinkUL[:13]) && b[15] == 0
}

// Envelope splits a record into the body behind its universal label and BER
// length. end is the offset of the first byte behind the record.
func Envelope(b []byte) (body []byte, start, end int, err *tsterr.Error) {
	if len(b) < ULSize {
		return nil, 0, 0, tsterr.At(tsterr.KLVTruncatedSet, "universal_label", int64(len(b)),
			"record of %d bytes is shorter than a universal label of %d", len(b), ULSize)
	}
	n, used, ok := ReadLength(b[ULSize:])
	if !ok {
		return nil, 0, 0, tsterr.At(tsterr.KLVTruncatedSet, "length", ULSize, "the record's BER length is missing or malformed")
	}
	start = ULSize + used
	if n > uint64(len(b)-start) {
		return nil, 0, 0, tsterr.At(tsterr.KLVTruncatedSet, "length", ULSize,
			"the record declares %d bytes, %d are there", n, len(b)-start)
	}
	end = start + int(n)
	return b[start:end], start, end, nil
}
