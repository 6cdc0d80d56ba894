// Package st0102 is the security metadata local set (MISB ST 0102.12).
package st0102

import (
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Set is the table of ST 0102.12 §6; rows in the order of the record's fields.
var Set = klv.NewSet(klv.Set{
	Name: "SecurityLs", Standard: "MISB ST 0102.12", Key: klv.SecurityUL,
	Items: []klv.Item{
		{Tag: 1, Name: "security_classification", Type: klv.TUint, Len: 1, Enum: "SecurityClassification"},
		{Tag: 2, Name: "classifying_country_coding_method", Type: klv.TUint, Len: 1, Enum: "ClassifyingCountryCodingMethod"},
		{Tag: 3, Name: "classifying_country", Type: klv.TText},
		{Tag: 12, Name: "object_country_coding_method", Type: klv.TUint, Len: 1, Enum: "ObjectCountryCodingMethod"},
		{Tag: 13, Name: "object_country_codes", Type: klv.TText16},
		{Tag: 22, Name: "version", Type: klv.TUint, Len: 2},
		{Tag: 4, Name: "sci_shi_info", Type: klv.TText},
		{Tag: 5, Name: "caveats", Type: klv.TText},
		{Tag: 6, Name: "releasing_instructions", Type: klv.TText},
		{Tag: 7, Name: "classified_by", Type: klv.TText},
		{Tag: 8, Name: "derived_from", Type: klv.TText},
		{Tag: 9, Name: "classification_reason", Type: klv.TText},
		{Tag: 10, Name: "declassification_date", Type: klv.TText},
		{Tag: 11, Name: "classification_marking_system", Type: klv.TText},
		{Tag: 14, Name: "classification_comments", Type: klv.TText},
		{Tag: 23, Name: "classifying_country_coding_method_version_date", Type: klv.TText},
		{Tag: 24, Name: "object_country_coding_method_version_date", Type: klv.TText},
	},
})

// required are the items a compliant set must have, ascending (ST 0102.12 §6.1).
var required = []uint64{1, 2, 3, 12, 13, 22}

// codes are the values that a strict reader takes; omitted ones are left out.
var codes = map[uint64][]uint8{
	1:  {1, 2, 3, 4, 5},
	2:  {1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16},
	12: {1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 64},
}

// lengths are the sizes in bytes that a strict reader asks of dates.
var lengths = map[uint64]int{10: 8, 23: 10, 24: 10}

// Decode decodes a set's body. Unless strict, unknown codes pass as integers
// and missing items are fine; broken text and integers of a wrong size are an
// error in either mode, only the UTF-16 of item 13 may be left out.
func Decode(w *klv.Tree, body []byte, strict bool) error {
	rep, err := Set.Decode(w, body)
	if err != nil {
		return err
	}
	if strict && rep.HasDup {
		return tsterr.New(tsterr.KLVDuplicateTag, "tag %d appears twice", rep.Duplicate).With("tag", int64(rep.Duplicate))
	}
	for i := range rep.Errors {
		if e := &rep.Errors[i]; strict || e.Kind != klv.InvalidUTF16 {
			return tsterr.New(tsterr.KLVMalformedBytes, "%s", e.Message()).With("tag", int64(e.Tag))
		}
	}
	if !strict {
		return nil
	}
	if e := values(body); e != nil {
		return e
	}
	for _, tag := range required {
		if !rep.Has(Set.Item(tag)) {
			return tsterr.New(tsterr.KLVMissingRequiredTag, "tag %d is missing", tag).With("tag", int64(tag))
		}
	}
	return nil
}

// values checks codes and date lengths.
func values(body []byte) *tsterr.Error {
	for off := 0; off < len(body); {
		t, next, _ := klv.Next(body, off)
		off = next
		if known, ok := codes[t.Tag]; ok && !contains(known, t.Value[0]) {
			return tsterr.New(tsterr.KLVMalformedBytes, "tag %d: unknown code 0x%02x", t.Tag, t.Value[0]).With("tag", int64(t.Tag))
		}
		if n, ok := lengths[t.Tag]; ok && len(t.Value) != n {
			return tsterr.New(tsterr.KLVMalformedBytes, "tag %d: expected %d value bytes, got %d", t.Tag, n, len(t.Value)).With("tag", int64(t.Tag))
		}
	}
	return nil
}

func contains(known []uint8, c byte) bool {
	for _, k := range known {
		if k == c {
			return true
		}
	}
	return false
}

// Append appends a set's body. compliant asks for the required items.
func Append(dst []byte, v klv.Value, compliant bool) ([]byte, error) {
	if compliant {
		if err := klv.RequireTags(Set, v, required); err != nil {
			return dst, err
		}
	}
	out, err := Set.AppendTree(dst, v, false, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}
