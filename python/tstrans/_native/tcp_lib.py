"""Glue of tstrans/tcp.h."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t
from typing import TYPE_CHECKING, ClassVar

from ..exceptions import TcpError, TcpErrorKind
from . import base_abi as base
from ._lib import LONGEST, pin, room
from .transport_lib import SLICE_MS, Domain, Link, Parameters, open_link, opened

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DOMAIN",
    "MANAGED",
    "TcpLink",
    "adopt",
    "dial",
    "listen",
    "managed_receiving",
    "managed_sending",
]

DOMAIN = Domain(
    TcpError,
    closed=TcpErrorKind.CLOSED,
    timeout=TcpErrorKind.IO,
    swap={TcpErrorKind.BROKEN: TcpErrorKind.IO},
)


class TcpLink(Link):
    """A connection."""

    _plain: ClassVar[dict[str, str]] = {**Link._plain, "_take": "tst_tcp_receive"}
    __slots__ = ("_take", "_tcp")

    _take: Callable[..., int]

    def __init__(self, handle: int, domain: Domain) -> None:
        self._tcp = room("tcp")
        super().__init__(handle, domain)

    def send_all(self, data: object) -> None:
        """Send all of data, in pieces that Ctrl-C can come between."""
        at, size, _kept = pin(data)
        taken = c_size_t()
        status = self._tcp.tst_tcp_send(byref(taken), self._id, at, size, SLICE_MS)
        if status:
            self.take_rest(self._tcp.tst_tcp_send, status, at, size, taken, None)

    def receive(self, buffer: bytearray) -> int:
        """Fill a buffer with what arrived: the number of bytes."""
        got = c_size_t()
        size = len(buffer)
        if size > LONGEST:
            raise ValueError(f"a buffer of {size} bytes is longer than {LONGEST}")
        # The view keeps the buffer from being resized meanwhile.
        view = (ctypes.c_char * size).from_buffer(buffer)
        status = self._take(byref(got), view, size, self.key, SLICE_MS)
        while status == base.TST_E_TIMEOUT:
            status = self._take(byref(got), view, size, self.key, SLICE_MS)
        if status:
            raise self.error(status)
        return got.value

    def _forget(self) -> None:
        super()._forget()
        self._tcp = self._api


def dial(parameters: Parameters) -> TcpLink:
    """A connected link."""
    link = TcpLink(opened(DOMAIN, room("tcp").tst_tcp_dial, parameters), DOMAIN)
    link.wait()
    return link


def listen(parameters: Parameters) -> Link:
    """A listening link."""
    return open_link(DOMAIN, room("tcp").tst_tcp_listen, parameters)


def adopt(handle: int) -> TcpLink:
    """The link of an accepted connection."""
    return TcpLink(handle, DOMAIN)


MANAGED = Domain(
    TcpError,
    closed=TcpErrorKind.CLOSED,
    timeout=TcpErrorKind.BACKPRESSURE,
    full=TcpErrorKind.BACKPRESSURE,
    ended=TcpErrorKind.BROKEN,
)


def managed_sending(parameters: Parameters) -> Link:
    """A reconnecting sender with its first link."""
    link = open_link(MANAGED, room("tcp").tst_tcp_managed_send, parameters)
    link.wait()
    return link


def managed_receiving(parameters: Parameters) -> Link:
    """A reconnecting receiver with its first link."""
    link = open_link(MANAGED, room("tcp").tst_tcp_managed_receive, parameters)
    link.wait()
    return link
