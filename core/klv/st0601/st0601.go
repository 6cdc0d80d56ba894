// Package st0601 is the UAS Datalink Local Set (MISB ST 0601.19): the table of
// its items, and the parts of the standard that a table cannot say: the
// checksum, the order of the mandatory items, and editing in place.
package st0601

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Tags that the codec itself must know.
const (
	tagChecksum  = 1
	tagTimestamp = 2
	tagVersion   = 65
)

// Mode says how much of the standard a record must obey to be decoded.
type Mode uint8

const (
	// Lenient accepts any universal label.
	Lenient Mode = 0
	// Strict asks for a key of the ST 0601 family.
	Strict Mode = 1
	// Compliance asks, besides, that item 2 comes first, item 1 last, and
	// item 65 is there (MISB ST 0601.19 §6).
	Compliance Mode = 2
)

// Decoder decodes records. It holds nothing between calls; one goroutine at a
// time.
type Decoder struct{ block klv.BlockDecoder }

// Decode checks a whole record (universal label, length, body with item 1) and
// appends its block to dst. Bytes behind the record are ignored.
func (d *Decoder) Decode(dst, record []byte, mode Mode) ([]byte, error) {
	body, err := walk(&d.block, record, mode)
	if err != nil {
		return dst, err
	}
	return d.block.Append(dst, record[:klv.ULSize], body), nil
}

// walk verifies what a record must obey as a whole and returns its body, with
// d holding its items.
func walk(d *klv.BlockDecoder, record []byte, mode Mode) ([]byte, *tsterr.Error) {
	body, start, _, err := klv.Envelope(record)
	if err != nil {
		return nil, err
	}
	if mode != Lenient && !klv.IsUASDatalink(record) {
		return nil, tsterr.At(tsterr.KLVBadUniversalLabel, "universal_label", 0, "not a universal label of ST 0601: %x", record[:klv.ULSize])
	}
	f, err := d.Walk(Set, body)
	if err != nil {
		err.Offset += int64(start)
		return nil, err
	}
	if mode == Compliance {
		if err = compliant(f, body); err != nil {
			return nil, err
		}
	}
	return body, checksum(f, record, start)
}

func missing(tag int64, msg string) *tsterr.Error {
	return tsterr.New(tsterr.KLVMissingRequiredTag, "%s", msg).With("tag", tag)
}

// compliant checks that no item is there twice, but for those that may be, and
// the order that MISB ST 0601.19 §6 demands.
func compliant(f *klv.Frame, body []byte) *tsterr.Error {
	versioned := false
	met := map[uint64]bool{}
	for off := 0; off < len(body); {
		t, next, _ := klv.Next(body, off)
		if it := Set.Item(t.Tag); t.Tag == tagChecksum || it != nil && !it.Multi {
			if met[t.Tag] {
				return tsterr.New(tsterr.KLVDuplicateTag, "item %d is there twice", t.Tag).With("tag", int64(t.Tag))
			}
			met[t.Tag] = true
		}
		versioned = versioned || t.Tag == tagVersion
		off = next
	}
	switch {
	case f.First != tagTimestamp:
		return missing(tagTimestamp, "item 2 (precision time stamp) must come first")
	case f.Last != tagChecksum:
		return missing(tagChecksum, "item 1 (checksum) must come last")
	case !versioned:
		return missing(tagVersion, "item 65 (version) is missing")
	}
	return nil
}

// checksum compares item 1 with the running sum over everything up to its
// value (MISB ST 0601.19 §8.1). Of several, the last counts.
func checksum(f *klv.Frame, record []byte, start int) *tsterr.Error {
	if f.Reserved == 0 {
		return tsterr.At(tsterr.KLVTruncatedSet, "checksum", int64(len(record)), "the record has no item 1 (checksum)")
	}
	at := start + f.Reserved
	if f.ReservedLen != 2 {
		return tsterr.At(tsterr.KLVTruncatedSet, "checksum", int64(at), "item 1 (checksum) has %d bytes, not 2", f.ReservedLen)
	}
	declared := binary.BigEndian.Uint16(record[at:])
	if computed := klv.RunningSum(record[:at]); computed != declared {
		return tsterr.At(tsterr.KLVChecksumMismatch, "checksum", int64(at), "checksum mismatch: declared 0x%04x, computed 0x%04x", declared, computed)
	}
	return nil
}

// Options tells how to encode.
type Options struct {
	Compliance bool          // item 2 must be there
	Mark       klv.Indicator // write the standard's mark for values out of range
}

// Encode appends a whole record made from a block: universal label, length,
// items, checksum.
func Encode(dst, block []byte, opt Options) ([]byte, error) {
	if opt.Compliance {
		r, err := klv.ParseRecord(Set, block)
		if err != nil {
			return dst, err
		}
		if _, ok := r.Find("timestamp_us"); !ok {
			return dst, tsterr.New(tsterr.KLVEncMissingMandatoryItem, "item 2 (timestamp_us) is mandatory").With("tag", tagTimestamp)
		}
	}
	at := len(dst)
	// The length is written once it is known; three bytes hold it in all but
	// giant records.
	dst = append(dst, klv.UASDatalinkUL[:]...)
	body := len(dst) + 1
	dst = append(dst, 0)
	dst, err := Set.EncodeBlock(dst, block, klv.EncodeOptions{Mark: opt.Mark, Defaults: true})
	if err != nil {
		return dst[:at], err
	}
	dst = append(dst, tagChecksum, 2, 0, 0)
	dst = klv.InsertLength(dst, body-1, len(dst)-body)
	end := len(dst) - 2
	binary.BigEndian.PutUint16(dst[end:], klv.RunningSum(dst[at:end]))
	return dst, nil
}
