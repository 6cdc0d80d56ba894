"""Glue of tstrans/srt.h, and of the framed reads and writes of tstrans/transport.h that its objects use."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint64, string_at
from operator import itemgetter
from struct import Struct
from typing import TYPE_CHECKING, Any

from ..exceptions import SrtError, SrtErrorKind
from . import base_abi as base
from . import srt_abi as abi
from ._lib import Config, room
from .transport_abi import TST_LINK_TS_ARENA
from .transport_lib import DISCONTINUITY, Domain, Link, Parameters, open_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .mpegts_lib import Feeder
    from .mux_lib import Pusher

__all__ = [
    "DISCONTINUITY",
    "DOMAIN",
    "FIRST",
    "MANAGED",
    "Packets",
    "adopt",
    "check_config",
    "check_option",
    "demux",
    "details",
    "dial",
    "library_version",
    "listen",
    "managed_receive",
    "managed_send",
    "mux",
    "receive",
]

_K = SrtErrorKind

DOMAIN = Domain(
    SrtError,
    closed=_K.CLOSED,
    timeout=_K.WOULD_BLOCK,
    swap={_K.TIMEOUT: _K.CONNECT_FAILED, _K.TOO_LARGE: _K.CONFIG_INVALID, _K.END_OF_STREAM: _K.CLOSED},
)

_ACCEPT = Domain(SrtError, closed=_K.CLOSED, timeout=_K.TIMEOUT)

MANAGED = Domain(
    SrtError,
    closed=_K.CLOSED,
    timeout=_K.WOULD_BLOCK,
    full=_K.WOULD_BLOCK,
    ended=_K.BROKEN,
    swap={
        **dict.fromkeys((_K.TIMEOUT, _K.CONNECT_FAILED, _K.ACCEPT_FAILED, _K.IO), _K.BROKEN),
        _K.TOO_LARGE: _K.CONFIG_INVALID,
    },
)

#: How a first connection that fails is told, where it is not as a lost link.
FIRST = dict.fromkeys((_K.TIMEOUT, _K.CONNECT_FAILED, _K.BROKEN), _K.CONNECT_FAILED)


def check_option(key: str, value: str) -> None:
    """Raise for an option that is not well formed."""
    data = value.encode("utf-8", "surrogatepass")
    status = room("srt").tst_srt_option_check(key.encode(), data, len(data))
    if status:
        raise DOMAIN.error(status)


def check_config(parameters: Parameters) -> abi.tst_srt_timeouts:
    """Raise for a configuration that is not well formed; its timeouts and mode."""
    out = abi.tst_srt_timeouts(struct_size=ctypes.sizeof(abi.tst_srt_timeouts))
    with Config(dict(parameters)) as config:
        status = room("srt").tst_srt_config_check(byref(out), config)
        if status:
            raise DOMAIN.error(status)
    return out


def _up(link: Link, swap: Mapping[Any, Any] | None = None) -> Link:
    link.wait(swap)
    return link


def dial(parameters: Parameters) -> Link:
    """A connected link."""
    return _up(open_link(DOMAIN, room("srt").tst_srt_dial, parameters))


def listen(parameters: Parameters) -> Link:
    """A listening link."""
    return open_link(_ACCEPT, room("srt").tst_srt_listen, parameters)


def receive(parameters: Parameters) -> Link:
    """The link of the first caller."""
    return _up(open_link(DOMAIN, room("srt").tst_srt_receive, parameters))


def managed_send(parameters: Parameters, swap: Mapping[Any, Any] | None = None) -> Link:
    """A reconnecting sender, connected."""
    return _up(open_link(MANAGED, room("srt").tst_srt_managed_send, parameters), swap)


def managed_receive(parameters: Parameters, swap: Mapping[Any, Any] | None = None) -> Link:
    """A reconnecting receiver with its first link."""
    return _up(open_link(MANAGED, room("srt").tst_srt_managed_receive, parameters), swap)


def adopt(handle: int) -> Link:
    """The link of an accepted connection."""
    return Link(handle, DOMAIN)


def details(link: Link) -> abi.tst_srt_stats:
    """The counters of the link's connection."""
    out = abi.tst_srt_stats(struct_size=ctypes.sizeof(abi.tst_srt_stats))
    status = room("srt").tst_srt_get_stats(byref(out), link._id)
    if status:
        raise link.domain.error(status)
    return out


def library_version() -> str:
    """The version of libsrt."""
    version: bytes = string_at(room("srt").tst_srt_version())
    return version.decode()


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
