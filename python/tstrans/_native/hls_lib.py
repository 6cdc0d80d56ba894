"""Glue of tstrans/hls.h: publishers, servers, muxers."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint64, sizeof
from typing import TYPE_CHECKING, Any, ClassVar

from . import base_abi as base
from . import hls_abi as abi
from ._lib import LONGEST, Config, Handle, PlainHandle, check, failure, pin, room
from .transport_lib import SLICE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..mpegts import MuxerProgramConfig

__all__ = [
    "DTS",
    "KEY_FRAME",
    "LONGEST",
    "NO_DURATION",
    "ArgumentError",
    "MuxHandle",
    "PublisherHandle",
    "ServerHandle",
    "check",
    "check_url",
    "failure",
    "mux_parameters_of",
    "open_mux",
    "open_publisher",
    "pin",
    "publisher_counters",
    "text_of",
]

KEY_FRAME = abi.TST_HLS_KEY_FRAME
DTS = abi.TST_HLS_DTS
NO_DURATION = abi.TST_HLS_NO_DURATION
ArgumentError = ctypes.ArgumentError

Values = dict[str, "int | float | bool | str | bytes | None"]


class PublisherHandle(PlainHandle):
    """A publisher, with its server."""

    _room = "hls"
    _close_name = "tst_hls_close"
    _plain: ClassVar[dict[str, str]] = {"put": "tst_hls_push_ts"}
    __slots__ = ("put",)

    #: Of bytes up to LONGEST.
    put: Callable[[c_uint64, bytes, int], int]


class ServerHandle(Handle):
    """A server whose publisher has finished."""

    _room = "hls"
    _close_name = "tst_hls_server_close"
    __slots__ = ()


class MuxHandle(Handle):
    """A publisher behind a muxer."""

    _room = "hls"
    _close_name = "tst_hls_mux_close"
    __slots__ = ()


def check_url(url: str) -> None:
    """Raise HlsError(URL) for what is no publisher's URL."""
    b = url.encode()
    check(room("hls").tst_hls_url_check(b, len(b)))


def open_publisher(values: Values) -> PublisherHandle:
    """A publisher that serves."""
    api = room("hls")
    out = c_uint64()
    with Config(values) as c:
        check(api.tst_hls_open(byref(out), c))
    handle = PublisherHandle()
    handle._own(api, out.value)
    return handle


def mux_parameters_of(program: MuxerProgramConfig) -> Values:
    """One program as the library takes it; its rules are checked there."""
    from ..mpegts._mux_config import MuxerConfig
    from .mux_lib import mux_parameters

    builder = MuxerConfig.builder()
    made = object.__new__(MuxerConfig)
    made._programs = (program,)
    made._pcr_ms, made._psi_ms = builder._pcr_ms, builder._psi_ms
    made._buffer_packets, made._av1_carriage = builder._buffer_packets, builder._av1_carriage
    return mux_parameters(made)


def open_mux(publisher: PublisherHandle, values: Values) -> MuxHandle:
    """Move a publisher behind a muxer: its handle is closed, also where this fails."""
    api = publisher._api
    out = c_uint64()
    with Config(values) as c:
        status = api.tst_hls_mux_open(byref(out), publisher._id, c)
    error = failure(status) if status else None
    publisher.close()
    if error is not None:
        raise error
    handle = MuxHandle()
    handle._own(api, out.value)
    return handle


def release(mux: MuxHandle) -> tuple[PublisherHandle | None, BaseException | None]:
    """Take a publisher back from its muxer; both may be there where the last bytes could not be written."""
    out = c_uint64()
    status = mux._api.tst_hls_mux_release(byref(out), mux._id)
    error = failure(status) if status else None
    if not out.value:
        return None, error
    handle = PublisherHandle()
    handle._own(mux._api, out.value)
    mux.close()
    return handle, error


def finish_serving(publisher: PublisherHandle) -> ServerHandle:
    """Finish a publisher and keep its server."""
    out = c_uint64()
    check(publisher._api.tst_hls_finish_serving(byref(out), publisher._id))
    handle = ServerHandle()
    handle._own(publisher._api, out.value)
    return handle


def play(publisher: PublisherHandle, data: Any, size: int) -> None:
    """Append packets of a recording when they are due, open to Ctrl-C."""
    at = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value if isinstance(data, bytes) else data
    done, taken = 0, c_size_t()
    while done < size:
        status = publisher._api.tst_hls_play_ts(
            byref(taken), publisher._id, (at or 0) + done, size - done, SLICE_MS
        )
        done += taken.value
        if status not in (base.TST_OK, base.TST_E_TIMEOUT):
            raise failure(status)


def text_of(call: Callable[..., int], *args: Any) -> str:
    """What a function copies into a buffer, of whatever size."""
    size = 4096
    n = c_size_t()
    while True:
        out = ctypes.create_string_buffer(size)
        status = call(out, size, byref(n), *args)
        if status != base.TST_E_BUFFER_TOO_SMALL:
            check(status)
            return out.raw[: n.value].decode()
        size = n.value + 1024  # it may grow meanwhile


def publisher_counters(call: Callable[..., int], handle: int) -> abi.tst_hls_stats:
    """The counters of a publisher."""
    out = abi.tst_hls_stats(struct_size=sizeof(abi.tst_hls_stats))
    check(call(byref(out), handle))
    return out


def mux_counters(handle: MuxHandle) -> tuple[int, int, int]:
    """Bytes, sends and cuts of a muxer."""
    out = abi.tst_hls_mux_stats(struct_size=sizeof(abi.tst_hls_mux_stats))
    check(handle._api.tst_hls_mux_get_stats(byref(out), handle._id))
    return out.bytes_pushed_total, out.sends_total, out.cuts_total
