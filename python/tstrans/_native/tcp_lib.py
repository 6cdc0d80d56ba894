"""Glue of tstrans/tcp.h."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t

from ..exceptions import TcpError, TcpErrorKind
from . import base_abi as base
from ._lib import Pin, pin, plain, room
from .transport_lib import LONGEST, SLICE_MS, Domain, Link, Parameters, open_link

__all__ = [
    "DOMAIN",
    "MANAGED",
    "adopt",
    "dial",
    "listen",
    "managed_receiving",
    "managed_sending",
    "receive",
    "send",
]

DOMAIN = Domain(
    TcpError,
    closed=TcpErrorKind.CLOSED,
    timeout=TcpErrorKind.IO,
    swap={TcpErrorKind.BROKEN: TcpErrorKind.IO},
)


def dial(parameters: Parameters) -> Link:
    """A connected link."""
    link = open_link(DOMAIN, room("tcp").tst_tcp_dial, parameters)
    link.wait()
    return link


def listen(parameters: Parameters) -> Link:
    """A listening link."""
    return open_link(DOMAIN, room("tcp").tst_tcp_listen, parameters)


def adopt(handle: int) -> Link:
    """The link of an accepted connection."""
    return Link(handle, DOMAIN)


def send(link: Link, data: object) -> None:
    """Send all of data."""
    taken = c_size_t()
    if data.__class__ is bytes and len(data) <= LONGEST:  # type: ignore[arg-type]
        status = plain("tst_tcp_send")(byref(taken), link.key, data, len(data), SLICE_MS)  # type: ignore[arg-type]
        if not status:
            return
        at, size, kept = pin(data)
        write = room("tcp").tst_tcp_send
    else:
        at, size, kept = pin(data)
        write = room("tcp").tst_tcp_send
        status = write(byref(taken), link._id, at, size, SLICE_MS)
    if status != base.TST_E_TIMEOUT:
        if status:
            raise link.error(status)
        return
    if isinstance(at, bytes):
        kept = at
        at = ctypes.cast(ctypes.c_char_p(at), ctypes.c_void_p).value
    done = taken.value

    def more(ms: int) -> int:
        nonlocal done
        got: int = write(byref(taken), link._id, at + done, size - done, ms)
        done += taken.value
        return got

    status = link.repeat(more, None)
    del kept
    if status:
        raise DOMAIN.error(status)


def receive(link: Link, buffer: bytearray) -> int:
    """Fill a buffer with what arrived: the number of bytes."""
    got = c_size_t()
    if buffer.__class__ is bytearray and 0 < len(buffer) <= LONGEST:
        into = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        read = plain("tst_tcp_receive")
        what = byref(got), into, len(buffer), link.key
        status = read(*what, SLICE_MS)
        if status == base.TST_E_TIMEOUT:
            status = link.repeat(lambda ms: read(*what, ms), None)
        if status:
            raise link.error(status)
        return got.value
    read = room("tcp").tst_tcp_receive
    with_room = Pin(buffer, writable=True)
    try:
        at, size = with_room.address, with_room.length
        status = link.repeat(lambda ms: read(byref(got), at, size, link._id, ms), None)
    finally:
        with_room.release()
    if status:
        raise DOMAIN.error(status)
    return got.value


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
