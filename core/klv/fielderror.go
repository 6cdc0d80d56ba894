package klv

import "fmt"

// FieldErrorKind says what is wrong with one item of a set that is otherwise
// readable. The numbers are pinned: they travel through the C ABI.
type FieldErrorKind uint8

// The kinds of field error.
const (
	NoFieldError           FieldErrorKind = 0
	OutOfRange             FieldErrorKind = 1
	InvalidUTF8            FieldErrorKind = 2
	InvalidUTF16           FieldErrorKind = 3
	InvalidLength          FieldErrorKind = 4
	InvalidSentinel        FieldErrorKind = 5 // the reserved most negative value stands for "no value"
	InvalidCodepoint       FieldErrorKind = 6
	TruncatedField         FieldErrorKind = 7
	UnsupportedIMAPBLength FieldErrorKind = 8
	InvalidIMAPBParams     FieldErrorKind = 9
)

var fieldErrorNames = [...]string{
	"", "out_of_range", "invalid_utf8", "invalid_utf16", "invalid_length", "invalid_sentinel",
	"invalid_codepoint", "truncated_field", "unsupported_imapb_length", "invalid_imapb_params",
}

// String names the kind as Python's KlvFieldErrorKind does.
func (k FieldErrorKind) String() string { return fieldErrorNames[k] }

// FieldError tells why an item was left out of a decoded set. It is a value:
// making one allocates nothing, its message is built when asked for.
type FieldError struct {
	Kind      FieldErrorKind
	Tag       uint64
	Want, Got int     // InvalidLength: bytes
	Value     float64 // OutOfRange
	Min, Max  float64 // OutOfRange
}

// Message renders the error for people.
func (e *FieldError) Message() string {
	switch e.Kind {
	case OutOfRange:
		return fmt.Sprintf("tag %d: value %v out of declared range [%v, %v]", e.Tag, e.Value, e.Min, e.Max)
	case InvalidUTF8:
		return fmt.Sprintf("tag %d: invalid UTF-8 in string field", e.Tag)
	case InvalidUTF16:
		return fmt.Sprintf("tag %d: invalid UTF-16 in string field", e.Tag)
	case InvalidLength:
		return fmt.Sprintf("tag %d: expected %d value bytes, got %d", e.Tag, e.Want, e.Got)
	case InvalidSentinel:
		return fmt.Sprintf("tag %d: the reserved value stands for no value", e.Tag)
	case InvalidCodepoint:
		return fmt.Sprintf("tag %d: unknown code", e.Tag)
	case UnsupportedIMAPBLength:
		return fmt.Sprintf("tag %d: unsupported IMAPB length %d", e.Tag, e.Got)
	}
	return fmt.Sprintf("tag %d: truncated value bytes", e.Tag)
}
