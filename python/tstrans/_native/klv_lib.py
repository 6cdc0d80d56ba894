"""Glue of tstrans/klv.h: bytes and trees in, bytes, record blocks and trees out."""

from __future__ import annotations

import ctypes
import marshal
import os
from typing import Any

from . import _lib, base_abi
from . import klv_abi as abi
from ._lib import Handle, check, pin, room

__all__ = [
    "Table",
    "core_id_text",
    "decode_block",
    "decode_many",
    "decode_set",
    "encode_block",
    "encode_set",
    "fields",
    "patch_block",
    "text_of_block",
    "tree",
]

_SMALL = base_abi.TST_E_BUFFER_TOO_SMALL
_INVALID = base_abi.TST_E_INVALID_ARG
_HEADER = abi.TST_KLV_HEADER

# Beyond this, sizes go through converted arguments: ctypes passes a bare int as 32 bits.
_BARE_MAX = 1 << 28


def _encode_failure(status: int) -> BaseException:
    """The exception of a failed encoder: a value of a wrong type is a TypeError, as for any Python
    function.
    """
    if status != _INVALID:
        return _lib.failure(status)
    p: Any = _lib.library().base.tst_last_error()
    detail = _lib.Detail(ctypes.cast(p, ctypes.POINTER(base_abi.tst_error)).contents)
    if detail.field in ("unknown", "imapb_specials"):
        return ValueError(detail.message)
    return TypeError(detail.message)


def _size(out: bytes) -> int:
    return int.from_bytes(out[:4], "little")


def _framed(call: Any, cap: int, *args: Any) -> bytes:
    """The bytes that a call writes behind its header, with a second try when the first guess was small.

    The output goes straight into a bytes object that nobody else has seen yet: one allocation, no copy.
    """
    out = bytes(cap)
    status = call(out, cap, *args)
    if status == _SMALL:
        cap = _size(out)
        out = bytes(cap)
        status = call(out, cap, *args)
    if status:
        raise _encode_failure(status) if call.__name__ in _ENCODERS else _lib.failure(status)
    return out[_HEADER : _size(out)]


_ENCODERS = ("tst_klv_uas_encode", "tst_klv_uas_patch", "tst_klv_set_encode")


def _bind(name: str) -> Any:
    """A function of the loaded library without argument converters: 0.3 us less a call."""
    f = _lib.library()._held[name]
    f.restype = ctypes.c_int32
    return f


def _first_decode(*args: Any) -> int:
    global _decode
    _decode = _bind("tst_klv_uas_decode")
    return _decode(*args)  # type: ignore[no-any-return]


def _first_encode(*args: Any) -> int:
    global _encode
    _encode = _bind("tst_klv_uas_encode")
    return _encode(*args)  # type: ignore[no-any-return]


def _first_patch(*args: Any) -> int:
    global _patch
    _patch = _bind("tst_klv_uas_patch")
    return _patch(*args)  # type: ignore[no-any-return]


_decode: Any = _first_decode
_encode: Any = _first_encode
_patch: Any = _first_patch


def _unbind() -> None:
    """A forked child loads a library of its own at its first use."""
    global _decode, _encode, _patch
    _decode, _encode, _patch = _first_decode, _first_encode, _first_patch


os.register_at_fork(after_in_child=_unbind)


def decode_block(record: bytes, mode: int) -> bytes:
    """An ST 0601 record as a block; a little longer than the block may be."""
    n = len(record)
    cap = 2 * n + 160
    out = bytes(cap)
    if n > _BARE_MAX:
        return _decode_large(record, mode)
    status = _decode(out, cap, record, n, mode)
    if status:
        if status != _SMALL:
            raise _lib.failure(status)
        return _decode_large(record, mode)
    return out


def _decode_large(record: bytes, mode: int) -> bytes:
    call = room("klv").tst_klv_uas_decode
    out = bytes(2 * len(record) + 160)
    status = call(out, len(out), record, len(record), mode)
    if status == _SMALL:
        out = bytes(_size(out))
        status = call(out, len(out), record, len(record), mode)
    if status:
        raise _lib.failure(status)
    return out


def encode_block(block: bytes, flags: int) -> bytes:
    """The ST 0601 record of a block."""
    n = len(block)
    if n <= _BARE_MAX:
        cap = n + 64
        out = bytes(cap)
        status = _encode(out, cap, block, n, flags)
        if not status:
            return out[_HEADER : out[0] | out[1] << 8 | out[2] << 16 | out[3] << 24]
        if status != _SMALL:
            raise _encode_failure(status)
    return _framed(room("klv").tst_klv_uas_encode, 2 * n + 64, block, n, flags)


def patch_block(record: bytes, block: bytes, flags: int) -> bytes:
    """A record with the items of a block in place of its own."""
    n, m = len(record), len(block)
    cap = n + m + 64
    if cap <= _BARE_MAX:
        out = bytes(cap)
        status = _patch(out, cap, record, n, block, m, flags)
        if not status:
            return out[_HEADER : out[0] | out[1] << 8 | out[2] << 16 | out[3] << 24]
        if status != _SMALL:
            raise _encode_failure(status)
    return _framed(room("klv").tst_klv_uas_patch, cap, record, n, block, m, flags)


def decode_many(
    data: object, offsets: object, lengths: object, n: int, mode: int
) -> tuple[bytes, memoryview]:
    """n records at once: all blocks in one piece, and (offset, status) of each as pairs of 32-bit integers.

    `offsets` and `lengths` are buffers of n unsigned 64-bit integers.
    """
    call = room("klv").tst_klv_uas_decode_many
    p, size, keep = pin(data)
    op, _, ok = pin(offsets)
    lp, _, lk = pin(lengths)
    cap = 3 * size + 256 * n + 64
    out = bytes(cap)
    status = call(out, cap, p, size, op, lp, n, mode)
    if status == _SMALL:
        cap = _size(out)
        out = bytes(cap)
        status = call(out, cap, p, size, op, lp, n, mode)
    check(status)
    del keep, ok, lk
    return out, memoryview(out)[_HEADER : _HEADER + 8 * n].cast("i")


def tree(value: Any) -> bytes:
    """A value as a tree of the ABI."""
    try:
        return marshal.dumps(value, 2)
    except ValueError:
        raise TypeError(f"a value of a wrong type in {value!r:.200}") from None


def fields(which: int) -> Any:
    """The table of a set: what tst_klv_fields describes."""
    return marshal.loads(_framed(room("klv").tst_klv_fields, 32768, which))


def decode_set(which: int, data: bytes, mode: int = 0) -> Any:
    """A set or pack as nested tuples."""
    return marshal.loads(
        _framed(room("klv").tst_klv_set_decode, 4 * len(data) + 1024, which, data, len(data), mode)
    )


def encode_set(which: int, value: object, flags: int = 0) -> bytes:
    """The bytes of a set or pack given as nested tuples."""
    t = tree(value)
    return _framed(room("klv").tst_klv_set_encode, len(t) + 256, which, t, len(t), flags)


def core_id_text(value: object) -> str:
    """The text form of a core identifier."""
    t = tree(value)
    return _framed(room("klv").tst_klv_core_id_text, 256, t, len(t)).decode()


def mismms(block: bytes) -> Any:
    """What a record lacks of the minimum metadata set."""
    return marshal.loads(_framed(room("klv").tst_klv_mismms, 4096, block, len(block)))


def text_of_block(what: int, block: bytes, config: object = None) -> str:
    """A Cursor on Target event or uid of a record."""
    t = tree(config)
    return _framed(room("klv").tst_klv_cot, 4096, what, block, len(block), t, len(t)).decode()


class Table(Handle):
    """ST 0601 records collected as columns."""

    _room = "klv"
    _close_name = "tst_klv_table_close"
    __slots__ = ()

    def __init__(self) -> None:
        api = room("klv")
        out = ctypes.c_uint64()
        check(api.tst_klv_table_new(ctypes.byref(out)))
        self._own(api, out.value)

    def add(
        self,
        data: object,
        offsets: object,
        lengths: object,
        n: int,
        mode: int,
        skip: bool,
        rows: object = None,
    ) -> None:
        """Add n records; with `skip`, those that cannot be decoded are left out and `rows` (n bytes) says
        so.
        """
        p, size, keep = pin(data)
        op, _, ok = pin(offsets)
        lp, _, lk = pin(lengths)
        flags = _lib.Pin(rows, True) if rows is not None else None
        check(
            self._api.tst_klv_table_add(
                flags.address if flags else None, self._id, p, size, op, lp, n,
                mode | (abi.TST_KLV_TABLE_SKIP if skip else 0),
            )
        )  # fmt: skip
        del keep, ok, lk, flags

    def info(self) -> Any:
        """(rows, skipped, ((field index, values present), ...))."""
        return marshal.loads(_framed(self._api.tst_klv_table_info, 8192, self._id))

    def column(self, field: int, values: object, valid: object, n: int) -> None:
        """Fill writable buffers of n x 8 bytes and, unless None, n bytes."""
        v = _lib.Pin(values, True)
        ok = _lib.Pin(valid, True) if valid is not None else None
        check(self._api.tst_klv_table_column(v.address, ok.address if ok else None, self._id, field, n))
        del v, ok

    def dictionary(self, field: int) -> Any:
        """The distinct values of a text, bytes or structured column."""
        return marshal.loads(_framed(self._api.tst_klv_table_dictionary, 4096, self._id, field))

    def extras(self) -> Any:
        """(((row, extras), ...), distinct universal labels, label index a row as int32)."""
        return marshal.loads(_framed(self._api.tst_klv_table_extras, 65536, self._id))
