"""Glue of the framed reads and writes of tstrans/transport.h: links that carry a transport stream."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint64, string_at
from operator import itemgetter
from struct import Struct
from typing import TYPE_CHECKING

from . import base_abi as base
from .transport_abi import TST_LINK_TS_ARENA
from .transport_lib import DISCONTINUITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mpegts_lib import Feeder
    from .mux_lib import Pusher
    from .transport_lib import Link

__all__ = ["Packets", "demux", "mux"]

_packet = itemgetter(0)
_cut = Struct("188s").iter_unpack


class Packets:
    """Reads a link in batches of whole packets and hands them out one at a time."""

    __slots__ = ("_arena", "_len", "_link", "rest")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._arena = (ctypes.c_char * (4 * TST_LINK_TS_ARENA))()
        self._len = c_size_t()
        #: What was read and not handed out yet. Whoever wants the next packet looks here first: at some
        #: hundred thousand packets a second a further call would cost more than everything else.
        self.rest: Iterator[bytes] = iter(())

    def more(self, timeout_ms: int | None) -> bytes:
        """The next packet once `rest` is used up."""
        while not (data := self.read(timeout_ms)[0]):
            pass
        self.rest = rest = map(_packet, _cut(data))
        first: bytes = next(rest)
        return first

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

    def drop(self) -> None:
        """Forget what waits."""
        self.rest = iter(())


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
