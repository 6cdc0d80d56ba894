package main

/*
#include "detail.h"
*/
import "C"

import (
	"encoding/binary"
	"sync"
	"unsafe"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/sets"
	"github.com/tstrans/tstrans/core/klv/st0601"
	"github.com/tstrans/tstrans/core/klv/st0805"
	"github.com/tstrans/tstrans/core/klv/st0902"
	"github.com/tstrans/tstrans/core/klv/st1204"
	"github.com/tstrans/tstrans/core/tsterr"
)

// klvHeader is TST_KLV_HEADER: the size and four zero bytes before an output.
const klvHeader = 8

// klvDecoders spares clearing a decoder's arrays for each record.
var klvDecoders = sync.Pool{New: func() any { return new(st0601.Decoder) }}

// klvOut views the caller's buffer as an empty slice of that capacity.
func klvOut(out *C.uint8_t, cap_ C.size_t) ([]byte, error) {
	b, err := output(out, cap_)
	return b[:0:len(b)], err
}

// klvDone settles an output: where append moved it out of the caller's buffer
// that was too small, and the caller learns the size.
func klvDone(out *C.uint8_t, cap_ C.size_t, got []byte) C.tst_status {
	if len(got) <= int(cap_) {
		return C.TST_OK
	}
	if cap_ >= 4 {
		binary.LittleEndian.PutUint32(unsafe.Slice((*byte)(unsafe.Pointer(out)), 4), uint32(len(got)))
	}
	return C.TST_E_BUFFER_TOO_SMALL
}

// klvFramed runs f behind the header and writes the size into it.
func klvFramed(out *C.uint8_t, cap_ C.size_t, f func(dst []byte) ([]byte, error)) C.tst_status {
	dst, err := klvOut(out, cap_)
	if err != nil {
		return status(err)
	}
	got, err := f(append(dst, make([]byte, klvHeader)...))
	if err != nil {
		return status(err)
	}
	binary.LittleEndian.PutUint32(got, uint32(len(got)))
	return klvDone(out, cap_, got)
}

func klvMode(mode C.uint32_t) st0601.Mode { return st0601.Mode(mode & 3) }

//export tst_klv_uas_decode
func tst_klv_uas_decode(out *C.uint8_t, cap_ C.size_t, record *C.tst_cu8, n C.size_t, mode C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	dst, err := klvOut(out, cap_)
	if err != nil {
		return status(err)
	}
	b, err := input(record, n)
	if err != nil {
		return status(err)
	}
	d := klvDecoders.Get().(*st0601.Decoder)
	got, err := d.Decode(dst, b, klvMode(mode))
	klvDecoders.Put(d)
	if err != nil {
		return status(err)
	}
	return klvDone(out, cap_, got)
}

func klvOptions(flags C.uint32_t) st0601.Options {
	return st0601.Options{Compliance: flags&C.TST_KLV_ENCODE_COMPLIANCE != 0, Mark: flags&C.TST_KLV_ENCODE_MARK != 0}
}

//export tst_klv_uas_encode
func tst_klv_uas_encode(out *C.uint8_t, cap_ C.size_t, block *C.tst_cu8, n C.size_t, flags C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(block, n)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) { return st0601.Encode(dst, b, klvOptions(flags)) })
}

//export tst_klv_uas_patch
func tst_klv_uas_patch(out *C.uint8_t, cap_ C.size_t, record *C.tst_cu8, n C.size_t, block *C.tst_cu8, blockLen C.size_t, flags C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	rec, err := input(record, n)
	if err != nil {
		return status(err)
	}
	b, err := input(block, blockLen)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		return st0601.Patch(dst, rec, b, klvOptions(flags).Mark)
	})
}

// klvRecords views n records of the caller's data.
func klvRecords(data *C.tst_cu8, dataLen C.size_t, offsets, lengths *C.tst_cu64, n C.size_t) (b []byte, off, lens []uint64, err error) {
	if b, err = input(data, dataLen); err != nil || n == 0 {
		return b, nil, nil, err
	}
	if err = need(offsets, "offsets"); err == nil {
		err = need(lengths, "lengths")
	}
	if err == nil && n > maxInput/8 {
		err = tsterr.New(tsterr.InvalidArg, "%d records are impossible", uint64(n))
	}
	if err != nil {
		return nil, nil, nil, err
	}
	off = unsafe.Slice((*uint64)(unsafe.Pointer(offsets)), int(n))
	lens = unsafe.Slice((*uint64)(unsafe.Pointer(lengths)), int(n))
	for i := range off {
		if off[i] > uint64(len(b)) || lens[i] > uint64(len(b))-off[i] {
			return nil, nil, nil, tsterr.New(tsterr.InvalidArg, "record %d lies outside the data", i)
		}
	}
	return b, off, lens, nil
}

//export tst_klv_uas_decode_many
func tst_klv_uas_decode_many(out *C.uint8_t, cap_ C.size_t, data *C.tst_cu8, dataLen C.size_t, offsets, lengths *C.tst_cu64, n C.size_t, mode C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, off, lens, err := klvRecords(data, dataLen, offsets, lengths, n)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		d := klvDecoders.Get().(*st0601.Decoder)
		defer klvDecoders.Put(d)
		dst = append(dst, make([]byte, 8*len(off))...)
		for i := range off {
			at := len(dst)
			var err error
			dst, err = d.Decode(dst, b[off[i]:off[i]+lens[i]], klvMode(mode))
			entry := dst[klvHeader+8*i:]
			if err != nil {
				dst, at = dst[:at], 0
				binary.LittleEndian.PutUint32(entry[4:], uint32(tsterr.KindOf(err)))
			}
			binary.LittleEndian.PutUint32(entry, uint32(at))
			for len(dst)%8 != 0 {
				dst = append(dst, 0)
			}
		}
		return dst, nil
	})
}

//export tst_klv_fields
func tst_klv_fields(out *C.uint8_t, cap_ C.size_t, set C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	s := sets.Table(sets.ID(set))
	if s == nil {
		return fail(tsterr.InvalidArg, "no set has the number %d", uint32(set))
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		w := klv.Tree{B: dst}
		s.Describe(&w)
		return w.B, nil
	})
}

//export tst_klv_set_decode
func tst_klv_set_decode(out *C.uint8_t, cap_ C.size_t, set C.uint32_t, data *C.tst_cu8, n C.size_t, mode C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(data, n)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		w := klv.Tree{B: dst}
		err := sets.Decode(&w, sets.ID(set), b, sets.Mode{
			Strict: mode&3 != 0, Standalone: mode&C.TST_KLV_STANDALONE != 0, Exact: mode&C.TST_KLV_EXACT != 0,
		})
		return w.B, err
	})
}

// klvTree reads the caller's tree.
func klvTree(p *C.tst_cu8, n C.size_t) (v klv.Value, err error) {
	b, err := input(p, n)
	if err != nil {
		return v, err
	}
	v, _, terr := klv.ReadTree(b)
	if terr != nil {
		return v, terr
	}
	return v, nil
}

//export tst_klv_set_encode
func tst_klv_set_encode(out *C.uint8_t, cap_ C.size_t, set C.uint32_t, tree *C.tst_cu8, n C.size_t, flags C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	v, err := klvTree(tree, n)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		return sets.Append(dst, sets.ID(set), v, sets.Options{
			Compliance: flags&C.TST_KLV_ENCODE_COMPLIANCE != 0, Standalone: flags&C.TST_KLV_ENCODE_STANDALONE != 0,
		})
	})
}

//export tst_klv_core_id_text
func tst_klv_core_id_text(out *C.uint8_t, cap_ C.size_t, tree *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	v, err := klvTree(tree, n)
	if err != nil {
		return status(err)
	}
	id, err := st1204.FromTree(v)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		s, err := id.Text()
		return append(dst, s...), err
	})
}

//export tst_klv_mismms
func tst_klv_mismms(out *C.uint8_t, cap_ C.size_t, block *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(block, n)
	if err != nil {
		return status(err)
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		list, err := st0902.FromBlock(b)
		w := klv.Tree{B: dst}
		w.Tuple(len(list))
		for _, v := range list {
			w.Tuple(4)
			w.Text(v.Kind)
			w.Uint(v.Tag)
			if v.Name == "" {
				w.None()
			} else {
				w.Text(v.Name)
			}
			if v.TagB == 0 {
				w.None()
			} else {
				w.Uint(v.TagB)
			}
		}
		return w.B, err
	})
}

// klvCotConfig reads (platform type, update interval, producer, undulation or
// nothing, how, generated time).
func klvCotConfig(v klv.Value) (c st0805.Config, err error) {
	p := v.Tuple()
	if len(p) != 6 || p[0].Form != 'u' || p[1].Form != 'i' || p[2].Form != 'u' || p[4].Form != 'u' || p[5].Form != 'i' {
		return c, tsterr.New(tsterr.InvalidArg, "not a Cursor on Target configuration")
	}
	if p[1].Int < 0 && !p[1].Wide || p[5].Int < 0 && !p[5].Wide {
		return c, tsterr.New(tsterr.Overflow, "times must not be negative")
	}
	c = st0805.Config{
		PlatformType: string(p[0].Data), UpdateIntervalUS: uint64(p[1].Int), Producer: string(p[2].Data),
		How: string(p[4].Data), GeneratedUS: uint64(p[5].Int),
	}
	if c.UndulationM, c.HasUndulation = p[3].Float(); !c.HasUndulation && !p[3].None() {
		return c, tsterr.New(tsterr.InvalidArg, "the geoid undulation must be a number")
	}
	return c, nil
}

//export tst_klv_cot
func tst_klv_cot(out *C.uint8_t, cap_ C.size_t, what C.uint32_t, block *C.tst_cu8, n C.size_t, config *C.tst_cu8, configLen C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(block, n)
	if err != nil {
		return status(err)
	}
	r, perr := klv.ParseRecord(st0601.Set, b)
	if perr != nil {
		return status(perr)
	}
	var c st0805.Config
	if what == C.TST_KLV_COT_PLATFORM || what == C.TST_KLV_COT_SENSOR_POINT {
		v, err := klvTree(config, configLen)
		if err == nil {
			c, err = klvCotConfig(v)
		}
		if err != nil {
			return status(err)
		}
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		var s string
		var err error
		switch what {
		case C.TST_KLV_COT_PLATFORM:
			s, err = st0805.Platform(&r, c)
		case C.TST_KLV_COT_SENSOR_POINT:
			s, err = st0805.SensorPoint(&r, c)
		case C.TST_KLV_COT_PLATFORM_UID:
			s, err = st0805.PlatformUID(&r)
		case C.TST_KLV_COT_SENSOR_UID:
			s, err = st0805.SensorUID(&r)
		default:
			err = tsterr.New(tsterr.InvalidArg, "no event has the number %d", uint32(what))
		}
		return append(dst, s...), err
	})
}
