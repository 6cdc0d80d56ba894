"""Glue of tstrans/klv.h, tables: packets in, columns out."""

from __future__ import annotations

import ctypes
import marshal
from ctypes import byref, c_uint64
from typing import Any

from . import base_abi, klv_abi
from ._lib import Handle, check, pin, room

__all__ = ["Table", "field_table"]

_FIRST_TRY = 4096


def _framed(call: Any, *args: Any) -> Any:
    """What a function that fills (out, cap) came to, as Python values."""
    size = _FIRST_TRY
    while True:
        out = ctypes.create_string_buffer(size)
        status: int = call(out, size, *args)
        need = int.from_bytes(memoryview(out)[:4], "little")
        if status == base_abi.TST_E_BUFFER_TOO_SMALL and need > size:
            size = need
            continue
        check(status)
        # Made by the library a moment ago, not read from anywhere.
        return marshal.loads(memoryview(out)[klv_abi.TST_KLV_HEADER : need])


def field_table() -> tuple[tuple[Any, ...], ...]:
    """The fields of ST 0601, as tst_klv_fields describes them."""
    got: tuple[tuple[Any, ...], ...] = _framed(room("klv").tst_klv_fields, klv_abi.TST_KLV_SET_UAS_DATALINK)
    return got


class Table(Handle):
    """Records of ST 0601 as columns, in the library."""

    _room = "klv"
    _close_name = "tst_klv_table_close"
    __slots__ = ()

    def __init__(self) -> None:
        api = room(self._room)
        out = c_uint64()
        check(api.tst_klv_table_new(byref(out)))
        self._own(api, out.value)

    def add(self, data: object, offsets: int, lengths: int, count: int, taken: int, mode: int) -> None:
        """Decode packets of ``data``. The numbers are addresses of two arrays of uint64 and one of bytes."""
        at, size, _kept = pin(data)
        check(self._api.tst_klv_table_add(taken, self._id, at, size, offsets, lengths, count, mode))

    def info(self) -> tuple[int, int, tuple[tuple[int, int], ...]]:
        """(rows, skipped packets, ((field, values), ...))."""
        got: tuple[int, int, tuple[tuple[int, int], ...]] = _framed(self._api.tst_klv_table_info, self._id)
        return got

    def column(self, field: int, values: int, valid: int, rows: int) -> None:
        """Fill arrays of 8 bytes and of one byte a row, given by address."""
        check(self._api.tst_klv_table_column(values, valid, self._id, field, rows))

    def dictionary(self, field: int) -> tuple[Any, ...]:
        """The distinct values of a column that is not numbers."""
        got: tuple[Any, ...] = _framed(self._api.tst_klv_table_dictionary, self._id, field)
        return got

    def extras(self) -> tuple[tuple[tuple[int, Any], ...], tuple[bytes, ...], bytes]:
        """((row, (unknown, errors, sentinel tags, specials)), ...), labels, label of each row as int32."""
        got: tuple[tuple[tuple[int, Any], ...], tuple[bytes, ...], bytes] = _framed(
            self._api.tst_klv_table_extras, self._id
        )
        return got
