package klv

import "github.com/tstrans/tstrans/core/tsterr"

// DecodeBare decodes the value of a pack or series that stands without tag and
// length; s is a table of that one item.
func DecodeBare(w *Tree, s *Set, b []byte) error {
	fe := s.Items[0].tree(w, b, 0)
	if fe.Kind == NoFieldError {
		return nil
	}
	kind := tsterr.KLVMalformedBytes
	if fe.Kind == TruncatedField {
		kind = tsterr.KLVTruncatedSet
	}
	return tsterr.New(kind, "%s: %s", s.Name, fe.Message())
}

// AppendBare is the inverse of DecodeBare.
func AppendBare(dst []byte, s *Set, v Value) ([]byte, error) {
	out, err := s.Items[0].appendTree(dst, v, false, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}
