// Package sets names every set and pack by a pinned number and decodes or
// encodes them by it: what the C ABI and other languages call.
package sets

import (
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0102"
	"github.com/tstrans/tstrans/core/klv/st0601"
	"github.com/tstrans/tstrans/core/klv/st0605"
	"github.com/tstrans/tstrans/core/klv/st0806"
	"github.com/tstrans/tstrans/core/klv/st0903"
	"github.com/tstrans/tstrans/core/klv/st1010"
	"github.com/tstrans/tstrans/core/klv/st1204"
	"github.com/tstrans/tstrans/core/tsterr"
)

// ID is the number of a set; pinned (include/tstrans/klv.h).
type ID uint32

// The sets.
const (
	UASDatalink     ID = 1
	Security        ID = 2
	PrecisionTime   ID = 3
	VMTI            ID = 4
	VTarget         ID = 5
	VMask           ID = 6
	VObject         ID = 7
	VFeature        ID = 8
	VTracker        ID = 9
	VChip           ID = 10
	Algorithm       ID = 11
	Ontology        ID = 12
	Location        ID = 13
	VChipSeries     ID = 14
	VObjectSeries   ID = 15
	AlgorithmSeries ID = 16
	OntologySeries  ID = 17
	LocationSeries  ID = 18
	RVT             ID = 19
	CoreID          ID = 20
	SDCC            ID = 21
	RVTPOI          ID = 22
	RVTAOI          ID = 23
	RVTUserData     ID = 24
)

// Mode tells how to decode.
type Mode struct {
	Strict     bool
	Standalone bool // universal label and length come first
	Exact      bool // bytes behind a standalone set are an error
}

// Options tells how to encode.
type Options struct{ Compliance, Standalone bool }

// Table gives a set's table, nil for packs that have none.
func Table(id ID) *klv.Set {
	switch id {
	case UASDatalink:
		return st0601.Set
	case Security:
		return st0102.Set
	case VMTI:
		return st0903.VMTI
	case VTarget:
		return st0903.VTarget
	case VMask:
		return st0903.Mask
	case VObject:
		return st0903.Object
	case VFeature:
		return st0903.Feature
	case VTracker:
		return st0903.Tracker
	case VChip:
		return st0903.Chip
	case Algorithm:
		return st0903.Algorithm
	case Ontology:
		return st0903.Ontology
	case RVT:
		return st0806.Set
	case RVTPOI:
		return st0806.POI
	case RVTAOI:
		return st0806.AOI
	case RVTUserData:
		return st0806.UserData
	}
	return nil
}

// bare gives the table of a pack or series that is one value without a tag.
func bare(id ID) *klv.Set {
	switch id {
	case Location:
		return st0903.Location
	case LocationSeries:
		return st0903.Locations
	case VChipSeries:
		return st0903.Chips
	case VObjectSeries:
		return st0903.Objects
	case AlgorithmSeries:
		return st0903.Algorithms
	case OntologySeries:
		return st0903.Ontologies
	}
	return nil
}

func unknown(id ID) error {
	return tsterr.New(tsterr.InvalidArg, "no set has the number %d", id)
}

// Decode decodes a set to a tree.
func Decode(w *klv.Tree, id ID, b []byte, m Mode) error {
	switch id {
	case PrecisionTime:
		p, err := st0605.Unmarshal(b)
		if err != nil {
			return err
		}
		w.Tuple(2)
		w.Uint(uint64(p.Status))
		w.Uint(p.Micros)
		return nil
	case CoreID:
		c, err := st1204.Decode(b)
		if err != nil {
			return err
		}
		c.Tree(w)
		return nil
	case SDCC:
		return decodeSDCC(w, b)
	case RVT:
		if m.Standalone {
			return st0806.DecodeStandalone(w, b)
		}
		return st0806.Decode(w, b)
	}
	if s := bare(id); s != nil {
		return klv.DecodeBare(w, s, b)
	}
	s := Table(id)
	if s == nil || id == UASDatalink {
		return unknown(id)
	}
	if m.Standalone {
		body, err := peel(s, b, m.Exact)
		if err != nil {
			return err
		}
		b = body
	}
	switch id {
	case Security:
		return st0102.Decode(w, b, m.Strict)
	case VMTI:
		return st0903.Decode(w, b, m.Strict)
	}
	if _, err := s.Decode(w, b); err != nil {
		return err
	}
	return nil
}

// peel takes universal label and length off.
func peel(s *klv.Set, b []byte, exact bool) ([]byte, error) {
	if len(b) >= klv.ULSize && klv.UL(b[:klv.ULSize]) != s.Key {
		return nil, tsterr.At(tsterr.KLVBadUniversalLabel, "universal_label", 0, "not the universal label of %s", s.Name)
	}
	body, _, end, err := klv.Envelope(b)
	if err != nil {
		return nil, err
	}
	if exact && end != len(b) {
		return nil, tsterr.At(tsterr.KLVMalformedBytes, "length", int64(end), "%d bytes follow the set", len(b)-end)
	}
	return body, nil
}

func decodeSDCC(w *klv.Tree, b []byte) error {
	m, err := st1010.Decode(b)
	if err != nil {
		return err
	}
	w.Tuple(4)
	w.Uint(uint64(m.Size))
	for _, list := range [][]float64{m.StdDevs, m.Correlations} {
		w.Tuple(len(list))
		for _, x := range list {
			w.Float(x)
		}
	}
	w.Tuple(len(m.Present))
	for _, p := range m.Present {
		w.Bool(p)
	}
	return nil
}

// Append encodes a tree of Decode's shape.
func Append(dst []byte, id ID, v klv.Value, o Options) ([]byte, error) {
	switch id {
	case PrecisionTime:
		p := v.Tuple()
		if len(p) != 2 || p[0].Form != 'i' || p[1].Form != 'i' || p[0].Int < 0 || p[0].Int > 255 {
			return dst, tsterr.New(tsterr.InvalidArg, "not a precision time stamp")
		}
		if p[1].Int < 0 && !p[1].Wide {
			return dst, tsterr.New(tsterr.Overflow, "microseconds must not be negative")
		}
		return st0605.Pack{Status: byte(p[0].Int), Micros: uint64(p[1].Int)}.Append(dst), nil
	case CoreID:
		c, err := st1204.FromTree(v)
		if err != nil {
			return dst, err
		}
		return c.Append(dst)
	case SDCC:
		return appendSDCC(dst, v)
	case RVT:
		return st0806.Append(dst, v, o.Standalone)
	case Security:
		return st0102.Append(dst, v, o.Compliance)
	case VMTI:
		return st0903.Append(dst, v, st0903.Options(o))
	}
	if s := bare(id); s != nil {
		return klv.AppendBare(dst, s, v)
	}
	s := Table(id)
	if s == nil || id == UASDatalink {
		return dst, unknown(id)
	}
	out, err := s.AppendTree(dst, v, false, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func appendSDCC(dst []byte, v klv.Value) ([]byte, error) {
	bad := tsterr.New(tsterr.InvalidArg, "not (standard deviations, correlations, length)")
	p := v.Tuple()
	if len(p) != 3 || p[0].Form != '(' || p[1].Form != '(' || p[2].Form != 'i' {
		return dst, bad
	}
	var lists [2][]float64
	for i := range lists {
		for _, e := range p[i].Tuple() {
			x, ok := e.Float()
			if !ok {
				return dst, bad
			}
			lists[i] = append(lists[i], x)
		}
	}
	return st1010.AppendMode2(dst, lists[0], lists[1], int(max(-1, min(p[2].Int, 1<<20))))
}
