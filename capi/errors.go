package main

/*
#include "detail.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/tstrans/tstrans/core/tsterr"
)

// status maps an error of core to its code and leaves the detail in the
// caller's thread. nil is TST_OK and touches nothing.
func status(err error) C.tst_status {
	if err == nil {
		return C.TST_OK
	}
	var e *tsterr.Error
	if !errors.As(err, &e) {
		e = &tsterr.Error{Kind: tsterr.Internal, Offset: tsterr.NoOffset}
	}
	msg := err.Error()
	C.tsti_error_set(C.tst_status(e.Kind), C.int64_t(e.Offset), strPtr(msg), C.size_t(len(msg)),
		strPtr(e.Field), C.size_t(len(e.Field)))
	for _, a := range e.Attrs {
		C.tsti_error_attr(strPtr(a.Name), C.size_t(len(a.Name)), C.int64_t(a.Value))
	}
	return C.tst_status(e.Kind)
}

// fail is status for an error made on the spot.
func fail(k tsterr.Kind, format string, args ...any) C.tst_status {
	return status(tsterr.New(k, format, args...))
}

// guard turns a panic into TST_E_INTERNAL: unrecovered it would abort the host
// process. Every export that returns a status defers it first.
func guard(st *C.tst_status) {
	if r := recover(); r != nil {
		*st = fail(tsterr.Internal, "panic: %v\n%s", r, debug.Stack())
	}
}

// strPtr lends a Go string to C for the length of one call.
func strPtr(s string) *C.tst_cchar {
	return (*C.tst_cchar)(unsafe.Pointer(unsafe.StringData(s)))
}

// maxInput is the largest length taken for one input: beyond it a length is a lie.
const maxInput = 1 << 46

// input views the caller's bytes for the length of one call. A NULL pointer
// with a length, or an impossible length, is an error.
func input(p *C.tst_cu8, n C.size_t) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if p == nil {
		return nil, tsterr.New(tsterr.InvalidArg, "NULL data with length %d", uint64(n))
	}
	if n > maxInput {
		return nil, tsterr.New(tsterr.InvalidArg, "length %d is impossible", uint64(n))
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)), nil
}

// taking is input for a call that tells how much of it was taken: nothing yet.
func taking(taken *C.size_t, p *C.tst_cu8, n C.size_t) ([]byte, error) {
	if err := need(taken, "taken"); err != nil {
		return nil, err
	}
	*taken = 0
	return input(p, n)
}

// output is input for a buffer the library fills.
func output(p *C.uint8_t, n C.size_t) ([]byte, error) {
	return input((*C.tst_cu8)(unsafe.Pointer(p)), n)
}

// text copies a text the caller passes with its length.
func text(p *C.tst_cchar, n C.size_t) (string, error) {
	b, err := input((*C.tst_cu8)(unsafe.Pointer(p)), n)
	return string(b), err
}

// maxName bounds a NUL-terminated name, so that an unterminated one is noticed.
const maxName = 256

// name copies a NUL-terminated name.
func name(p *C.tst_cchar) (string, error) {
	if p == nil {
		return "", tsterr.New(tsterr.InvalidArg, "NULL name")
	}
	for i := 0; i < maxName; i++ {
		if *(*byte)(unsafe.Add(unsafe.Pointer(p), i)) == 0 {
			return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), i)), nil
		}
	}
	return "", tsterr.New(tsterr.InvalidArg, "a name longer than %d bytes", maxName)
}

// need reports a NULL out-parameter.
func need[T any](p *T, what string) error {
	if p == nil {
		return &tsterr.Error{Kind: tsterr.InvalidArg, Msg: fmt.Sprintf("%s is NULL", what), Field: what, Offset: tsterr.NoOffset}
	}
	return nil
}

// needSized checks an out-parameter that begins with its struct_size, which the
// caller has set: a caller of an older header has a shorter one.
func needSized[T any](p *T) error {
	if err := need(p, "out"); err != nil {
		return err
	}
	if n := *(*uint32)(unsafe.Pointer(p)); uintptr(n) < unsafe.Sizeof(*p) {
		return tsterr.New(tsterr.InvalidArg, "struct_size %d, needs %d", n, unsafe.Sizeof(*p))
	}
	return nil
}
