"""Glue of tstrans/codec.h: fields of headers, records of units and frames."""

from __future__ import annotations

import ctypes
import os
from struct import Struct
from typing import Any

from . import codec_abi as abi
from ._lib import check, room

__all__ = ["misp_extract", "parse", "parse_slice", "split", "split_adts", "split_mpeg_audio"]

_UNIT = Struct("=QQBBBB4x")  # tst_unit
_RECORD = 24  # bytes of a tst_unit, tst_adts_frame and tst_mpeg_audio_frame

_COUNTS = {
    abi.TST_PS_H264_SPS: abi.TST_H264_SPS_COUNT,
    abi.TST_PS_H264_PPS: abi.TST_H264_PPS_COUNT,
    abi.TST_PS_H265_VPS: abi.TST_H265_VPS_COUNT,
    abi.TST_PS_H265_SPS: abi.TST_H265_SPS_COUNT,
    abi.TST_PS_H265_PPS: abi.TST_H265_PPS_COUNT,
    abi.TST_PS_H266_VPS: abi.TST_H266_VPS_COUNT,
    abi.TST_PS_H266_SPS: abi.TST_H266_SPS_COUNT,
    abi.TST_PS_H266_PPS: abi.TST_H266_PPS_COUNT,
    abi.TST_PS_AV1_SEQUENCE: abi.TST_AV1_SEQUENCE_COUNT,
    abi.TST_PS_H264_SLICE: abi.TST_H264_SLICE_COUNT,
    abi.TST_PS_H265_SLICE: abi.TST_H265_SLICE_COUNT,
    abi.TST_PS_H266_SLICE: abi.TST_H266_SLICE_COUNT,
    abi.TST_PS_AV1_FRAME: abi.TST_AV1_FRAME_COUNT,
}
_FIELDS = {kind: Struct(f"={n}q") for kind, n in _COUNTS.items()}


class _Scratch:
    """Buffers of one call: taken from a list and put back, so that two threads never share one."""

    __slots__ = (
        "count",
        "count_at",
        "fields",
        "fields_at",
        "info",
        "info_at",
        "records",
        "records_at",
        "room",
        "view",
    )

    def __init__(self) -> None:
        self.fields = (ctypes.c_int64 * abi.TST_PS_FIELDS_MAX)()
        self.fields_at = ctypes.addressof(self.fields)
        self.info = abi.tst_split_info()
        self.info_at = ctypes.addressof(self.info)
        self.count = ctypes.c_uint64()
        self.count_at = ctypes.addressof(self.count)
        self.grow(64)

    def grow(self, room: int) -> None:
        self.records = bytearray(room * _RECORD)
        self.records_at = ctypes.addressof(ctypes.c_char.from_buffer(self.records))
        self.view = memoryview(self.records)
        self.room = room


# More records than this are not kept for the next call.
_KEPT_RECORDS = 4096

_spare: list[_Scratch] = []
_api: Any = None


def _forget() -> None:
    global _api
    _api = None


os.register_at_fork(after_in_child=_forget)


def _bound() -> Any:
    global _api
    _api = room("codec")
    return _api


def parse(kind: int, data: bytes) -> tuple[int, ...]:
    """The fields of a parameter set."""
    s = _spare.pop() if _spare else _Scratch()
    status = (_api or _bound()).tst_codec_parse(s.fields_at, abi.TST_PS_FIELDS_MAX, kind, data, len(data))
    if status:
        _spare.append(s)
        check(status)
    out = _FIELDS[kind].unpack_from(s.fields)
    _spare.append(s)
    return out


def pack(fields: tuple[int, ...]) -> bytes:
    """The fields of a parameter set as parse_slice takes them."""
    return _SETS[len(fields)].pack(*fields)


_SETS = {n: Struct(f"={n}q") for n in set(_COUNTS.values())}


def parse_slice(kind: int, nal_type: int, sps: bytes | None, sps_n: int, data: bytes) -> tuple[int, ...]:
    """The fields of a slice or frame header; sps is its parameter set, packed, of sps_n fields."""
    s = _spare.pop() if _spare else _Scratch()
    status = (_api or _bound()).tst_codec_parse_slice(
        s.fields_at, abi.TST_PS_FIELDS_MAX, kind, nal_type, sps, sps_n, data, len(data)
    )
    if status:
        _spare.append(s)
        check(status)
    out = _FIELDS[kind].unpack_from(s.fields)
    _spare.append(s)
    return out


def split(data: bytes, codec: int, carriage: int) -> tuple[Any, bytes, bool]:
    """(records, the bytes they point into, AV1 without its framing) of an access unit."""
    s = _spare.pop() if _spare else _Scratch()
    n = len(data)
    arena, arena_n = None, 0
    if codec == _AV1 and carriage == _BINDING:
        arena_n = max(n, 1)
        arena = ctypes.create_string_buffer(arena_n)
    call = (_api or _bound()).tst_codec_split
    while True:
        status = call(s.records_at, s.room, s.info_at, arena, arena_n, codec, carriage, data, n)
        if status:
            _spare.append(s)
            check(status)
        count = s.info.count
        if count <= s.room:
            break
        s.grow(count)
    records = list(_UNIT.iter_unpack(s.view[: count * _RECORD]))
    if arena is not None and s.info.in_arena:
        data = arena.raw[: s.info.arena_bytes]
    unframed = bool(s.info.unframed)
    _put_back(s)
    return records, data, unframed


_AV1, _BINDING = 4, 0  # TST_CODEC_AV1, TST_AV1_MPEG2_TS_BINDING


def _put_back(s: _Scratch) -> None:
    if s.room > _KEPT_RECORDS:
        s.grow(64)
    _spare.append(s)


def _frames(call: Any, data: bytes, resync: int) -> tuple[int, bytes]:
    s = _spare.pop() if _spare else _Scratch()
    while True:
        status = call(s.records_at, s.room, s.count_at, resync, data, len(data))
        if status:
            _put_back(s)
            check(status)
        count = s.count.value
        if count <= s.room:
            break
        s.grow(count)
    records = bytes(s.view[: count * _RECORD])
    if s.room > _KEPT_RECORDS:
        s.grow(64)
    _spare.append(s)
    return count, records


def split_adts(data: bytes, resync: int) -> tuple[int, bytes]:
    """How many ADTS frames there are, and their records."""
    return _frames((_api or _bound()).tst_codec_split_adts, data, resync)


def split_mpeg_audio(data: bytes, resync: int) -> tuple[int, bytes]:
    """How many MPEG audio frames there are, and their records."""
    return _frames((_api or _bound()).tst_codec_split_mpeg_audio, data, resync)


def misp_extract(data: bytes, codec: int) -> tuple[int, int, int]:
    """(kind, status, value) of the MISP time stamp of an access unit."""
    t = abi.tst_misp_time()
    check((_api or _bound()).tst_codec_misp_extract(ctypes.byref(t), codec, data, len(data)))
    return t.kind, t.status, t.value
