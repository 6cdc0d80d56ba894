package main

/*
#include "detail.h"
*/
import "C"

import (
	"fmt"
	"math"
	"sort"

	"github.com/tstrans/tstrans/core/tsterr"
)

// config is a bag of named parameters; constructors read it with a configReader.
type config struct {
	values map[string]any // int64, float64, string or []byte
}

// maxConfigKeys bounds a configuration that a caller fills in a loop.
const maxConfigKeys = 4096

//export tst_config_new
func tst_config_new(out *C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return add(out, &config{values: map[string]any{}})
}

func configSet(id C.tst_config, key *C.tst_cchar, value any, err error) C.tst_status {
	if err != nil {
		return status(err)
	}
	k, err := name(key)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*config](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if len(c.values) >= maxConfigKeys {
		return fail(tsterr.InvalidArg, "more than %d parameters", maxConfigKeys)
	}
	c.values[k] = value
	return C.TST_OK
}

//export tst_config_set_int
func tst_config_set_int(id C.tst_config, key *C.tst_cchar, value C.int64_t) (st C.tst_status) {
	defer guard(&st)
	return configSet(id, key, int64(value), nil)
}

//export tst_config_set_double
func tst_config_set_double(id C.tst_config, key *C.tst_cchar, value C.double) (st C.tst_status) {
	defer guard(&st)
	return configSet(id, key, float64(value), nil)
}

//export tst_config_set_text
func tst_config_set_text(id C.tst_config, key, value *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	s, err := text(value, n)
	return configSet(id, key, s, err)
}

//export tst_config_set_bytes
func tst_config_set_bytes(id C.tst_config, key *C.tst_cchar, value *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(value, n)
	return configSet(id, key, append([]byte{}, b...), err)
}

//export tst_config_close
func tst_config_close(id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*config](id))
}

//export tst_handle_count
func tst_handle_count() C.uint64_t { return C.uint64_t(handles.open.Load()) }

// configReader takes parameters out of a configuration: each getter leaves its
// target alone where the key is absent, and the first fault wins. done reports
// it, or a key nobody asked for.
type configReader struct {
	values map[string]any
	asked  map[string]bool
	kind   tsterr.Kind // of the errors
	err    error
}

// readConfig opens a configuration for a constructor; id 0 means all defaults.
// Faults are reported with kind k, the domain's own "configuration invalid".
func readConfig(id C.tst_config, k tsterr.Kind) *configReader {
	r := &configReader{asked: map[string]bool{}, kind: k}
	if id == 0 {
		return r
	}
	c, e, err := enter[*config](id)
	if err != nil {
		r.err = err
		return r
	}
	defer e.leave()
	r.values = make(map[string]any, len(c.values))
	for key, v := range c.values {
		r.values[key] = v
	}
	return r
}

func (r *configReader) fault(key, format string, args ...any) {
	if r.err == nil {
		r.err = &tsterr.Error{Kind: r.kind, Msg: key + ": " + fmt.Sprintf(format, args...), Field: key, Offset: tsterr.NoOffset}
	}
}

func lookup[T any](r *configReader, key string) (v T, ok bool) {
	r.asked[key] = true
	raw, present := r.values[key]
	if !present {
		return v, false
	}
	v, ok = raw.(T)
	if !ok {
		r.fault(key, "has the wrong type (%T)", raw)
	}
	return v, ok
}

// integer reads a whole number of [lo, hi]; unit is for the message.
func integer[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32](
	r *configReader, key string, to *T, lo, hi int64, unit string,
) {
	v, ok := lookup[int64](r, key)
	if !ok {
		return
	}
	if v < lo || v > hi {
		r.fault(key, "%d is outside %d to %d %s", v, lo, hi, unit)
		return
	}
	*to = T(v)
}

func (r *configReader) boolean(key string, to *bool) {
	if v, ok := lookup[int64](r, key); ok {
		*to = v != 0
	}
}

func (r *configReader) number(key string, to *float64, lo, hi float64, unit string) {
	v, ok := lookup[float64](r, key)
	if !ok {
		return
	}
	if math.IsNaN(v) || v < lo || v > hi {
		r.fault(key, "%v is outside %v to %v %s", v, lo, hi, unit)
		return
	}
	*to = v
}

// has tells whether a parameter was given.
func (r *configReader) has(key string) bool {
	_, ok := r.values[key]
	return ok
}

func (r *configReader) text(key string, to *string) {
	if v, ok := lookup[string](r, key); ok {
		*to = v
	}
}

func (r *configReader) bytes(key string, to *[]byte) {
	if v, ok := lookup[[]byte](r, key); ok {
		*to = v
	}
}

// done gives the first fault. A parameter nobody asked for is one: a setter
// that is accepted and ignored is worse than an error.
func (r *configReader) done() error {
	if r.err != nil {
		return r.err
	}
	var unknown []string
	for key := range r.values {
		if !r.asked[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return &tsterr.Error{Kind: tsterr.InvalidArg, Msg: fmt.Sprintf("unknown parameters %v", unknown), Field: unknown[0], Offset: tsterr.NoOffset}
	}
	return nil
}
