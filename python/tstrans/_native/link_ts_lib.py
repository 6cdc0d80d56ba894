"""Glue of the framed reads and writes of tstrans/transport.h: links that carry a transport stream."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint64, string_at
from functools import cache
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING

from . import base_abi as base
from .transport_abi import TST_LINK_TS_ARENA
from .transport_lib import DISCONTINUITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .mpegts_lib import Feeder
    from .mux_lib import Pusher
    from .transport_lib import Link

__all__ = ["Packets", "demux", "mux", "packets_of"]

#: A tuple of many packets at a time costs less a packet than a tuple each.
_BLOCK = 64
_blocks = Struct("188s" * _BLOCK).iter_unpack


@cache
def _tail(n: int) -> Callable[[bytes, int], tuple[bytes, ...]]:
    return Struct("188s" * n).unpack_from


def packets_of(data: bytes) -> Iterator[bytes]:
    """The packets of a whole number of them."""
    whole = len(data) // (188 * _BLOCK) * (188 * _BLOCK)
    tail = _tail((len(data) - whole) // 188)(data, whole)
    return chain(chain.from_iterable(_blocks(memoryview(data)[:whole])), tail) if whole else iter(tail)


class Packets:
    """Reads a link in batches of whole packets."""

    __slots__ = ("_arena", "_len", "_link")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._arena = (ctypes.c_char * (4 * TST_LINK_TS_ARENA))()
        self._len = c_size_t()

    def more(self, timeout_ms: int | None) -> Iterator[bytes]:
        """The packets of a read, at least one."""
        while not (data := self.read(timeout_ms)[0]):
            pass
        return packets_of(data)

    def read(self, timeout_ms: int | None) -> tuple[bytes, bool]:
        """Whole packets, and whether they are the first of a new link."""
        link = self._link
        read = link._api.tst_link_read_ts
        status = link.repeat(
            lambda ms: read(byref(self._len), self._arena, len(self._arena), link._id, ms), timeout_ms
        )
        if status not in (base.TST_OK, DISCONTINUITY):
            raise link.domain.error(status)
        return string_at(self._arena, self._len.value), status == DISCONTINUITY


def demux(link: Link, feeder: Feeder, timeout_ms: int | None) -> bool:
    """Move what the link has into a demuxer; False when the link was replaced, and nothing was moved yet."""
    pending = c_uint64(feeder.pending)
    step = link._api.tst_link_demux
    status = link.repeat(lambda ms: step(byref(pending), link._id, feeder._id, ms), timeout_ms)
    if status in (base.TST_OK, DISCONTINUITY):
        feeder.pending = pending.value
        return status == base.TST_OK
    error = link.domain.error(status)
    feeder.pending = pending.value
    raise error


def mux(link: Link, muxer: Pusher, timeout_ms: int | None) -> None:
    """Send the packets that wait in a muxer."""
    step = link._api.tst_link_mux
    status = link.repeat(lambda ms: step(link._id, muxer._id, ms), timeout_ms)
    if status:
        raise link.domain.error(status)
