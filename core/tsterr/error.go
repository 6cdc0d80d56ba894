package tsterr

import (
	"errors"
	"fmt"
	"strings"
)

// NoOffset is the Offset of an error that does not point into an input.
const NoOffset = -1

// Attr is one further number of an error, such as the PID of a mux error or
// needed_bits of a codec error. Names are those of the Python attribute.
type Attr struct {
	Name  string
	Value int64
}

// Error is what the packages of core return for bad input and bad use.
// Offset is in bytes from the start of the caller's buffer, or NoOffset.
type Error struct {
	Kind   Kind
	Msg    string
	Field  string
	Offset int64
	Attrs  []Attr
	Err    error
}

// New makes an error that points to no input.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Offset: NoOffset}
}

// At makes an error that names a field and a byte offset.
func At(k Kind, field string, offset int64, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Field: field, Offset: offset}
}

// Wrap makes an error of kind k around a cause.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Offset: NoOffset, Err: err}
}

// With adds an attribute and returns e.
func (e *Error) With(name string, v int64) *Error {
	e.Attrs = append(e.Attrs, Attr{name, v})
	return e
}

// Error renders the message alone where there is one: Python shows it as is.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Msg)
	if e.Err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if b.Len() == 0 {
		b.WriteString(e.Kind.String())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches another *Error of the same kind, so that errors.Is works with a
// bare &Error{Kind: k}.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // errors.Is calls this once per link of the chain
	return ok && t.Kind == e.Kind
}

// KindOf tells the kind of any error: OK for nil, Internal for a foreign one.
func KindOf(err error) Kind {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
