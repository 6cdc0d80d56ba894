package klv

import "fmt"

// Describe appends the table of a set as a tuple of (name, tag, class, type,
// min, max, bytes, most bytes, unit, enum, record, citation, resolution,
// meaning of the reserved value): what documentation and bindings are made of.
func (s *Set) Describe(w *Tree) {
	w.Tuple(len(s.Items))
	for i := range s.Items {
		it := &s.Items[i]
		w.Tuple(14)
		w.Text(it.Name)
		w.Uint(uint64(it.Tag))
		w.Uint(uint64(it.Class()))
		w.Text(it.Type.String())
		w.Float(it.Min)
		w.Float(it.Max)
		w.Uint(uint64(it.Len))
		w.Uint(uint64(it.MaxLen))
		w.Text(it.Unit)
		w.Text(it.Enum)
		w.Text(it.Record)
		w.Text(it.Cite(s))
		w.Float(it.Resolution())
		w.Text(it.Sentinel.String())
	}
}

// Cite names the standard and item.
func (it *Item) Cite(s *Set) string { return fmt.Sprintf("%s item %d", s.Standard, it.Tag) }

var typeNames = [...]string{
	"", "uint", "int", "var_uint", "var_int", "linear", "signed_linear", "imapb", "text", "text16", "bytes",
	"oid", "oids", "pack", "series", "set", "ber_length", "sdcc",
}

// String names the type.
func (t Type) String() string { return typeNames[t] }
