// Package st0902 checks a record against the motion imagery sensor minimum
// metadata set (MISB ST 0902.8).
package st0902

import (
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0102"
	"github.com/tstrans/tstrans/core/klv/st0601"
)

// Violation is one rule that a record breaks. Kind is "missing",
// "missing_security", "zero_length" or "alternation_conflict".
type Violation struct {
	Kind string
	Tag  uint64
	Name string // of the item, "" where the kind says it all
	TagB uint64 // the other tag of a conflict, 0 otherwise
}

// groups lists the mandatory items ascending; one tag of a group suffices
// (ST 0902.8 table 1, with its alternations).
var groups = []struct {
	name string
	tags []uint64
}{
	{"Precision Time Stamp", []uint64{2}},
	{"Mission ID", []uint64{3}},
	{"Platform Heading Angle", []uint64{5}},
	{"Platform Pitch Angle", []uint64{6, 90}},
	{"Platform Roll Angle", []uint64{7, 91}},
	{"Platform Designation", []uint64{10}},
	{"Image Source Sensor", []uint64{11}},
	{"Image Coordinate System", []uint64{12}},
	{"Sensor Latitude", []uint64{13}},
	{"Sensor Longitude", []uint64{14}},
	{"Sensor Altitude / Ellipsoid Height", []uint64{15, 75, 104}},
	{"Sensor Horizontal FoV", []uint64{16}},
	{"Sensor Vertical FoV", []uint64{17}},
	{"Sensor Relative Azimuth Angle", []uint64{18}},
	{"Sensor Relative Elevation Angle", []uint64{19}},
	{"Sensor Relative Roll Angle", []uint64{20}},
	{"Slant Range", []uint64{21}},
	{"Target Width", []uint64{22, 96}},
	{"Frame Center Latitude", []uint64{23}},
	{"Frame Center Longitude", []uint64{24}},
	{"Frame Center Elevation / Height Above Ellipsoid", []uint64{25, 78}},
	{"Security Local Set", []uint64{48}},
	{"MIIS Core Identifier", []uint64{94}},
}

// security lists the ST 0102 items that item 48 must hold.
var security = []uint64{1, 2, 3, 4, 5, 6, 12, 13, 22}

// The items that the rules treat on their own.
const (
	tagSecurity = 48
	tagHAE      = 75
	tagHAEExt   = 104
)

// Validate lists what a record lacks: an empty security item, the missing items
// ascending by tag, conflicts, then what the security item lacks. Text of
// length 0 counts as present.
func Validate(r *klv.Record) []Violation {
	present := map[uint64]uint64{}
	for i := range r.Len() {
		it, slot := r.Slot(i)
		present[uint64(it.Tag)] = slot
	}
	var out []Violation
	slot, hasSecurity := present[tagSecurity]
	if hasSecurity && len(r.Data(slot)) == 0 {
		out = append(out, Violation{Kind: "zero_length", Tag: tagSecurity})
		hasSecurity = false
		delete(present, tagSecurity)
	}
	for _, g := range groups {
		found := false
		for _, tag := range g.tags {
			_, ok := present[tag]
			found = found || ok
		}
		if !found {
			out = append(out, Violation{Kind: "missing", Tag: g.tags[0], Name: g.name})
		}
	}
	_, a := present[tagHAE]
	_, b := present[tagHAEExt]
	if a && b {
		out = append(out, Violation{Kind: "alternation_conflict", Tag: tagHAE, TagB: tagHAEExt})
	}
	if hasSecurity {
		out = append(out, checkSecurity(r.Data(slot))...)
	}
	return out
}

func checkSecurity(body []byte) []Violation {
	missing := []Violation{{Kind: "missing", Tag: tagSecurity, Name: "Security Local Set"}}
	var w klv.Tree
	if err := st0102.Decode(&w, body, false); err != nil {
		return missing
	}
	v, _, err := klv.ReadTree(w.B)
	if err != nil {
		return missing
	}
	fields := v.Tuple()
	var out []Violation
	for _, tag := range security {
		if it := st0102.Set.Item(tag); fields[it.Index()].None() {
			out = append(out, Violation{Kind: "missing_security", Tag: tag, Name: it.Name})
		}
	}
	return out
}

// FromBlock validates a block.
func FromBlock(block []byte) ([]Violation, error) {
	r, err := klv.ParseRecord(st0601.Set, block)
	if err != nil {
		return nil, err
	}
	return Validate(&r), nil
}
