"""Glue of tstrans/srt.h."""

from __future__ import annotations

import ctypes
from ctypes import byref, string_at
from typing import TYPE_CHECKING, Any

from ..exceptions import SrtError, SrtErrorKind
from . import srt_abi as abi
from ._lib import Config, room
from .transport_lib import Domain, Link, Parameters, open_link

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DOMAIN",
    "FIRST",
    "MANAGED",
    "adopt",
    "check_config",
    "check_option",
    "details",
    "dial",
    "library_version",
    "listen",
    "managed_receive",
    "managed_send",
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
