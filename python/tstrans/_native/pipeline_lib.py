"""Glue of tstrans/pipeline.h."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref, c_size_t, c_uint64, string_at
from struct import Struct

from ..mpegts._events import Batch
from . import pipeline_abi as abi
from ._lib import Config, Handle, check, room

__all__ = ["PairerHandle"]

_PAIRING = Struct("<QQII")


class PairerHandle(Handle):
    """Decides about numbered records; what a number stands for is the caller's to keep."""

    _room = "pipeline"
    _close_name = "tst_pairer_close"
    __slots__ = ("_next",)

    def __init__(self, parameters: dict[str, int]) -> None:
        api = room(self._room)
        out = c_uint64()
        with Config(dict(parameters)) as id:
            check(api.tst_pairer_new(byref(out), id))
        self._next = 0
        self._own(api, out.value)

    def push(self, batch: Batch) -> tuple[int, Iterator[tuple[int, int, int, int]]]:
        """The number of the first record, and the verdicts: video, klv, verdict, 0."""
        count = len(batch.quad) >> 3
        first = self._next
        held = c_size_t()
        check(self._api.tst_pairer_held(byref(held), self._id))
        room_for = count + held.value
        out = (ctypes.c_char * (room_for * _PAIRING.size))()
        n = c_size_t()
        check(self._api.tst_pairer_push(out, room_for, byref(n), self._id, batch.byte.obj, count, first))
        self._next = first + count
        return first, _PAIRING.iter_unpack(string_at(out, n.value * _PAIRING.size))

    def flush(self) -> Iterator[tuple[int, int, int, int]]:
        """The verdicts on all that is held."""
        n = c_size_t()
        check(self._api.tst_pairer_held(byref(n), self._id))
        room_for = n.value
        out = (ctypes.c_char * (room_for * _PAIRING.size))()
        check(self._api.tst_pairer_flush(out, room_for, byref(n), self._id))
        return _PAIRING.iter_unpack(string_at(out, n.value * _PAIRING.size))

    def stats(self) -> abi.tst_pairer_stats:
        """The counters."""
        out = abi.tst_pairer_stats()
        out.struct_size = ctypes.sizeof(out)
        check(self._api.tst_pairer_get_stats(byref(out), self._id))
        return out

    def reset_stats(self) -> None:
        """All counters go to zero."""
        check(self._api.tst_pairer_reset_stats(self._id))
