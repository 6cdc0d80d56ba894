package main

/*
#include "detail.h"
*/
import "C"

import (
	"unsafe"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0601"
	"github.com/tstrans/tstrans/core/tsterr"
)

// klvTable is an open table and what it left out.
type klvTable struct {
	t       *st0601.Table
	skipped int
}

//export tst_klv_table_new
func tst_klv_table_new(out *C.tst_klv_table) (st C.tst_status) {
	defer guard(&st)
	return add(out, &klvTable{t: st0601.NewTable()})
}

//export tst_klv_table_add
func tst_klv_table_add(rows *C.uint8_t, id C.tst_klv_table, data *C.tst_cu8, dataLen C.size_t, offsets, lengths *C.tst_cu64, n C.size_t, mode C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	t, e, err := enter[*klvTable](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	b, off, lens, err := klvRecords(data, dataLen, offsets, lengths, n)
	if err != nil {
		return status(err)
	}
	var flags []byte
	if rows != nil {
		if flags, err = output(rows, n); err != nil {
			return status(err)
		}
		clear(flags)
	}
	for i := range off {
		if err := t.t.Add(b[off[i]:off[i]+lens[i]], klvMode(mode)); err != nil {
			if mode&C.TST_KLV_TABLE_SKIP == 0 {
				return status(err)
			}
			t.skipped++
			continue
		}
		if flags != nil {
			flags[i] = 1
		}
	}
	return C.TST_OK
}

//export tst_klv_table_info
func tst_klv_table_info(out *C.uint8_t, cap_ C.size_t, id C.tst_klv_table) (st C.tst_status) {
	defer guard(&st)
	t, e, err := enter[*klvTable](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		c := t.t.Columns()
		w := klv.Tree{B: dst}
		var present []int
		for i := range c.Set.Items {
			if c.Present(i) > 0 {
				present = append(present, i)
			}
		}
		w.Tuple(3)
		w.Uint(uint64(c.Rows()))
		w.Uint(uint64(t.skipped))
		w.Tuple(len(present))
		for _, i := range present {
			w.Tuple(2)
			w.Uint(uint64(i))
			w.Uint(uint64(c.Present(i)))
		}
		return w.B, nil
	})
}

//export tst_klv_table_column
func tst_klv_table_column(values unsafe.Pointer, valid *C.uint8_t, id C.tst_klv_table, field C.uint32_t, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	t, e, err := enter[*klvTable](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	c := t.t.Columns()
	if int(field) >= len(c.Set.Items) || int(n) != c.Rows() {
		return fail(tsterr.InvalidArg, "field %d, %d rows: the table has %d fields, %d rows", uint32(field), uint64(n), len(c.Set.Items), c.Rows())
	}
	v, err := output((*C.uint8_t)(values), 8*n)
	if err != nil {
		return status(err)
	}
	var ok []byte
	if valid != nil {
		if ok, err = output(valid, n); err != nil {
			return status(err)
		}
	}
	c.Column(int(field), v, ok)
	return C.TST_OK
}

//export tst_klv_table_dictionary
func tst_klv_table_dictionary(out *C.uint8_t, cap_ C.size_t, id C.tst_klv_table, field C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	t, e, err := enter[*klvTable](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	c := t.t.Columns()
	if int(field) >= len(c.Set.Items) || c.Set.Items[field].Class() <= klv.ClassInt {
		return fail(tsterr.InvalidArg, "field %d has no dictionary", uint32(field))
	}
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		w := klv.Tree{B: dst}
		c.Dictionary(&w, int(field))
		return w.B, nil
	})
}

//export tst_klv_table_extras
func tst_klv_table_extras(out *C.uint8_t, cap_ C.size_t, id C.tst_klv_table) (st C.tst_status) {
	defer guard(&st)
	t, e, err := enter[*klvTable](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	return klvFramed(out, cap_, func(dst []byte) ([]byte, error) {
		w := klv.Tree{B: dst}
		t.t.Columns().Extras(&w)
		return w.B, nil
	})
}

//export tst_klv_table_close
func tst_klv_table_close(id C.tst_klv_table) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*klvTable](id))
}
