// Package st0903 is the video moving target indicator metadata (MISB ST
// 0903.6): the VMTI local set, its target packs, and the sets nested in those.
package st0903

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// required are the items a compliant set must have (ST 0903.6 §7).
var required = []uint64{4, 6}

// Decode decodes a VMTI set's body (as ST 0601 item 74 holds it). Strict
// refuses repeated items, field errors anywhere, and a set without items 4, 6.
func Decode(w *klv.Tree, body []byte, strict bool) error {
	w.InnerErrors, w.InnerDup, w.InnerFrames = 0, 0, 0
	rep, err := VMTI.Decode(w, body)
	switch {
	case err != nil:
		return err
	case !strict:
		return nil
	case rep.HasDup:
		return tsterr.New(tsterr.KLVDuplicateTag, "tag %d appears twice", rep.Duplicate).With("tag", int64(rep.Duplicate))
	case w.InnerDup > 0:
		return tsterr.New(tsterr.KLVMalformedBytes, "an item appears twice in a target")
	case len(rep.Errors) > 0:
		e := &rep.Errors[0]
		kind := tsterr.KLVMalformedBytes
		if e.Kind == klv.TruncatedField && (e.Tag == 0 || w.InnerFrames > 0) {
			kind = tsterr.KLVTruncatedSet
		}
		return tsterr.New(kind, "%s", e.Message()).With("tag", int64(e.Tag))
	case w.InnerErrors > 0:
		return tsterr.New(tsterr.KLVMalformedBytes, "an item of a target cannot be read")
	}
	for _, tag := range required {
		if !rep.Has(VMTI.Item(tag)) {
			return tsterr.New(tsterr.KLVMissingRequiredTag, "tag %d is missing", tag).With("tag", int64(tag))
		}
	}
	return nil
}

// Options tells how to encode.
type Options struct {
	Compliance bool // what the standard demands must be there
	Standalone bool // with universal label, length and checksum
}

// Append appends a VMTI set.
func Append(dst []byte, v klv.Value, opt Options) ([]byte, error) {
	if opt.Compliance {
		if err := comply(v, opt.Standalone); err != nil {
			return dst, err
		}
	}
	if !opt.Standalone {
		out, err := VMTI.AppendTree(dst, v, false, 0)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
	start := len(dst)
	at := start + len(klv.VMTIUL)
	out, err := VMTI.AppendTree(append(append(dst, klv.VMTIUL[:]...), 0), v, false, 0)
	if err != nil {
		return dst, err
	}
	out = append(out, 1, 2, 0, 0)
	out = klv.InsertLength(out, at, len(out)-at-1)
	end := len(out) - 2
	binary.BigEndian.PutUint16(out[end:], klv.RunningSum(out[start:end]))
	return out, nil
}

// comply checks the rules a table cannot say.
func comply(v klv.Value, standalone bool) *tsterr.Error {
	must := required
	if standalone {
		must = append(must[:len(must):len(must)], 2, 11, 12, 13)
	}
	if err := klv.RequireTags(VMTI, v, must); err != nil {
		return err
	}
	seen := map[int64]bool{}
	for _, p := range v.Tuple()[VMTI.Item(101).Index()].Tuple() {
		if err := complyTarget(p, seen, standalone); err != nil {
			return err
		}
	}
	return nil
}

func complyTarget(p klv.Value, seen map[int64]bool, standalone bool) *tsterr.Error {
	f := p.Tuple()
	if len(f) != len(VTarget.Items)+3 {
		return tsterr.New(tsterr.InvalidArg, "not a target pack")
	}
	id := f[0].Int
	if seen[id] {
		return tsterr.New(tsterr.KLVEncDuplicateTargetID, "target %d appears twice", id).With("tag", id)
	}
	seen[id] = true
	empty := f[len(VTarget.Items)+1].Len == 0
	for _, it := range VTarget.Ordered() {
		if f[1+it.Index()].None() {
			continue
		}
		empty = false
		// Offsets count from the frame centre of an enclosing ST 0601 set.
		if standalone && (it.Tag == 10 || it.Tag == 11 || it.Tag >= 13 && it.Tag <= 16) {
			return tsterr.New(tsterr.KLVEncForbiddenStandaloneOffset, "target %d: %s needs an enclosing ST 0601 set", id, it.Name).With("tag", int64(it.Tag))
		}
	}
	if empty {
		return tsterr.New(tsterr.KLVEncVTargetPackEmpty, "target %d has no items", id).With("tag", id)
	}
	return nil
}
