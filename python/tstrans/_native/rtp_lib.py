"""Glue of tstrans/rtp.h and tstrans/rtsp.h: links of RTP, pictures, sessions, servers and mounts."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_size_t, c_uint32, c_uint64, sizeof, string_at
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

from ..exceptions import MountPushError, MuxError, RtpError, RtpErrorKind, RtspError, RtspErrorKind
from ..mpegts._mux_push import _Pushes
from . import base_abi as base
from . import rtp_abi, rtsp_abi
from ._lib import Config, Handle, failure, room
from .mux_lib import mux_parameters, streams
from .transport_abi import TST_LINK_LOCAL
from .transport_lib import SLICE_MS, TIMEOUT, Domain, Link, Parameters, open_link

if TYPE_CHECKING:
    from ..mpegts import MuxerConfig

__all__ = [
    "RTP",
    "RTP_H264",
    "RTSP",
    "Mount",
    "Pictures",
    "Server",
    "Session",
    "end_detail",
    "receive",
    "rtp_stats",
    "send",
]

_P = RtpErrorKind
_S = RtspErrorKind

#: The objects that 0.2 had report faults of addresses and of the system as TRANSPORT, as it did.
RTP = Domain(
    RtpError,
    closed=_P.CANCELLED,
    timeout=_P.BACKPRESSURE,
    ended=_P.END_OF_STREAM,
    swap=dict.fromkeys(
        (_P.URL, _P.HOST_NOT_LITERAL, _P.IO, _P.IFACE_UNSUPPORTED, _P.PAYLOAD_TYPE_PARAM), _P.TRANSPORT
    ),
)

RTP_H264 = Domain(RtpError, closed=_P.CLOSED, timeout=_P.BACKPRESSURE, ended=_P.END_OF_STREAM)

RTSP = Domain(RtspError, closed=_S.PROTOCOL, timeout=_S.TIMEOUT, ended=_S.CLOSED)

_SERVER = Domain(RtspError, closed=_S.SERVER, timeout=_S.TIMEOUT)


def send(values: Parameters) -> Link:
    """A sending link."""
    return open_link(RTP, room("rtp").tst_rtp_send, values)


def receive(values: Parameters) -> Link:
    """A receiving link."""
    return open_link(RTP, room("rtp").tst_rtp_receive, values)


def rtp_stats(link: Link) -> rtp_abi.tst_rtp_stats:
    """The counters of a link's packets."""
    out = rtp_abi.tst_rtp_stats(struct_size=sizeof(rtp_abi.tst_rtp_stats))
    status = room("rtp").tst_rtp_get_stats(byref(out), link._id)
    if status:
        raise link.domain.error(status)
    return out


def end_detail(link: Link) -> str | None:
    """Details of a link's end, None where there are none."""
    try:
        return link.text(rtp_abi.TST_LINK_END_DETAIL) or None
    except RtpError:  # cancelled: there is nothing to tell
        return None


def _text(call: Callable[..., int], domain: Domain, *arguments: int) -> str:
    out = (ctypes.c_uint8 * 2048)()
    n = c_size_t()
    status = call(out, 2048, byref(n), *arguments)
    if status:
        raise domain.error(status)
    return bytes(out[: n.value]).decode("utf-8", "replace")


def _repeat(call: Callable[[int], int], timeout_ms: int | None) -> int:
    """A call in slices, so that Ctrl-C is seen; the status."""
    if timeout_ms is None:
        while (status := call(SLICE_MS)) == TIMEOUT:
            pass
        return status
    end = monotonic() + timeout_ms / 1000
    left = timeout_ms
    while True:
        status = call(min(left, SLICE_MS))
        if status != TIMEOUT:
            return status
        left = int((end - monotonic()) * 1000 + 0.999)
        if left <= 0:
            return status


class Pictures(Handle):
    """A tst_h264."""

    _room = "rtp"
    _close_name = "tst_h264_close"
    __slots__ = ("_au", "_buf", "_cap")

    def __init__(self, handle: int) -> None:
        self._au = rtp_abi.tst_h264_au(struct_size=sizeof(rtp_abi.tst_h264_au))
        self._resize(256 << 10)
        self._own(room("rtp"), handle)

    def _resize(self, size: int) -> None:
        self._cap = size
        self._buf = (ctypes.c_char * size)()

    @classmethod
    def listen(cls, values: Parameters) -> Pictures:
        """Bind a receiver."""
        out = c_uint64()
        with Config(dict(values)) as config:
            status = room("rtp").tst_h264_listen(byref(out), config)
            if status:
                raise RTP_H264.error(status)
        return cls(out.value)

    def read(self, timeout_ms: int | None) -> tuple[bytes, int, bool, int] | None:
        """(bytes, pts, key frame, RTP time stamp) of the next picture, None at the end."""
        read = self._api.tst_h264_read
        au = self._au
        while True:
            status = _repeat(lambda ms: read(byref(au), self._buf, self._cap, self._id, ms), timeout_ms)
            if status == base.TST_OK:
                return string_at(self._buf, au.len), au.pts_90k, bool(au.key_frame), au.rtp_timestamp
            if status == base.TST_E_BUFFER_TOO_SMALL:
                self._resize(2 * au.len)
            elif status in (base.TST_E_EOS, base.TST_E_CANCELLED):
                return None
            else:
                raise RTP_H264.error(status)

    def stats(self) -> rtp_abi.tst_h264_stats:
        """The counters of the depacketizing."""
        out = rtp_abi.tst_h264_stats(struct_size=sizeof(rtp_abi.tst_h264_stats))
        status = self._api.tst_h264_get_stats(byref(out), self._id)
        if status:
            raise RTP_H264.error(status)
        return out

    def rtp_stats(self) -> rtp_abi.tst_rtp_stats:
        """The counters of the packets."""
        out = rtp_abi.tst_rtp_stats(struct_size=sizeof(rtp_abi.tst_rtp_stats))
        status = self._api.tst_h264_get_rtp_stats(byref(out), self._id)
        if status:
            raise RTP_H264.error(status)
        return out

    def local_addr(self) -> str | None:
        """The bound "ip:port", None without one."""
        return _text(self._api.tst_h264_text, RTP_H264, self._id, TST_LINK_LOCAL) or None

    def end_detail(self) -> str | None:
        """Details of the end, None where there are none."""
        return _text(self._api.tst_h264_text, RTP_H264, self._id, rtp_abi.TST_LINK_END_DETAIL) or None

    def cancel(self) -> None:
        """End parked and later reads."""
        if self._id:
            self._api.tst_h264_cancel(self._id)


class Session(Handle):
    """A tst_rtsp_session."""

    _room = "rtsp"
    _close_name = "tst_rtsp_close"
    __slots__ = ()

    PLAY = rtsp_abi.TST_RTSP_PLAY
    PAUSE = rtsp_abi.TST_RTSP_PAUSE
    TEARDOWN = rtsp_abi.TST_RTSP_TEARDOWN

    def __init__(self, values: Parameters) -> None:
        """Connect and play, open to Ctrl-C."""
        api = room("rtsp")
        out = c_uint64()
        with Config(dict(values)) as config:
            status = api.tst_rtsp_connect(byref(out), config)
            if status:
                raise RTSP.error(status)
        self._own(api, out.value)
        try:
            status = _repeat(lambda ms: api.tst_rtsp_wait(self._id, ms), None)
            if status:
                raise RTSP.error(status)
        except BaseException:
            self.close()
            raise

    def control(self, call: int) -> None:
        """Make a control call, open to Ctrl-C."""
        status = _repeat(lambda ms: self._api.tst_rtsp_control(self._id, call, ms), None)
        if status:
            raise RTSP.error(status)

    def stats(self) -> rtsp_abi.tst_rtsp_stats:
        """The session's figures."""
        out = rtsp_abi.tst_rtsp_stats(struct_size=sizeof(rtsp_abi.tst_rtsp_stats))
        status = self._api.tst_rtsp_get_stats(byref(out), self._id)
        if status:
            raise RTSP.error(status)
        return out

    def clock(self, media: int) -> tuple[int, int, int]:
        """(NTP time, RTP time stamp, rate) of the last sender report of a media; rate 0 without one."""
        ntp, ts, rate = c_uint64(), c_uint32(), c_uint32()
        status = self._api.tst_rtsp_clock(byref(ntp), byref(ts), byref(rate), self._id, media)
        if status:
            raise RTSP.error(status)
        return ntp.value, ts.value, rate.value

    def take(self) -> Link:
        """The stream."""
        out = c_uint64()
        status = self._api.tst_rtsp_take(byref(out), self._id)
        if status:
            raise RTSP.error(status, {_S.CLOSED: _S.PROTOCOL})
        return Link(out.value, RTP)

    def take_pictures(self) -> Pictures:
        """The stream, as pictures."""
        out = c_uint64()
        status = self._api.tst_rtsp_take_h264(byref(out), self._id)
        if status:
            raise RTSP.error(status)
        return Pictures(out.value)

    def cancel(self) -> None:
        """End control calls and the stream."""
        if self._id:
            self._api.tst_rtsp_cancel(self._id)


class Server(Handle):
    """A tst_rtsp_server."""

    _room = "rtsp"
    _close_name = "tst_rtsp_server_close"
    __slots__ = ()

    def __init__(self, values: Parameters) -> None:
        api = room("rtsp")
        out = c_uint64()
        with Config(dict(values)) as config:
            status = api.tst_rtsp_server_start(byref(out), config)
            if status:
                raise _SERVER.error(status)
        self._own(api, out.value)

    def addr(self) -> str:
        """The bound "ip:port"."""
        return _text(self._api.tst_rtsp_server_addr, _SERVER, self._id)

    def stop(self, drain_ms: int) -> None:
        """Tell the clients and end everything, open to Ctrl-C."""
        status = _repeat(lambda ms: self._api.tst_rtsp_server_stop(self._id, drain_ms, ms), None)
        if status:
            raise _SERVER.error(status)

    def cancel(self) -> None:
        """End everything at once."""
        if self._id:
            self._api.tst_rtsp_server_cancel(self._id)

    def stats(self) -> rtsp_abi.tst_rtsp_server_stats:
        """The counters."""
        out = rtsp_abi.tst_rtsp_server_stats(struct_size=sizeof(rtsp_abi.tst_rtsp_server_stats))
        status = self._api.tst_rtsp_server_get_stats(byref(out), self._id)
        if status:
            raise _SERVER.error(status)
        return out

    def add(self, path: str, config: MuxerConfig, more: Mapping[str, int | bool | str | None]) -> Mount:
        """A mount with a muxer."""
        values = {**mux_parameters(config), **more}
        out = c_uint64()
        data = path.encode("utf-8", "surrogatepass")
        with Config(values) as c:
            status = self._api.tst_rtsp_mount_add(byref(out), self._id, data, len(data), c)
            if status:
                raise _SERVER.error(status)
        return Mount(out.value)

    def add_publish(self, path: str) -> Mount:
        """A mount that a publisher may fill."""
        out = c_uint64()
        data = path.encode("utf-8", "surrogatepass")
        status = self._api.tst_rtsp_mount_publish(byref(out), self._id, data, len(data))
        if status:
            raise _SERVER.error(status)
        return Mount(out.value)

    def remove(self, path: str) -> None:
        """Take a mount away."""
        data = path.encode("utf-8", "surrogatepass")
        status = self._api.tst_rtsp_mount_remove(self._id, data, len(data))
        if status:
            raise _SERVER.error(status)

    def next_publisher(self, timeout_ms: int | None) -> Mount | None:
        """The next mount that was made for a publisher, None when none came in time."""
        out = c_uint64()
        status = _repeat(lambda ms: self._api.tst_rtsp_next_publisher(byref(out), self._id, ms), timeout_ms)
        if status == TIMEOUT:
            return None
        if status:
            raise _SERVER.error(status)
        return Mount(out.value)


class Mount(_Pushes):
    """A tst_rtsp_mount, which takes the pushes of a muxer."""

    __slots__ = ("_rtsp",)

    def __init__(self, handle: int) -> None:
        self._rtsp = room("rtsp")
        self._own(room("mux"), handle)

    def _fail(self, status: int) -> NoReturn:
        cause = failure(status)
        if not isinstance(cause, MuxError):
            raise cause
        raise MountPushError(cause.message, pid=cause.pid) from cause

    def handles(self, stream_class: int) -> Sequence[int]:
        """The stream numbers of a class."""
        return streams(self, stream_class)

    def path(self) -> str:
        """The mount's path."""
        return _text(self._rtsp.tst_rtsp_mount_text, _SERVER, self._id, rtsp_abi.TST_MOUNT_PATH)

    def publisher(self) -> str:
        """Who publishes now."""
        return _text(self._rtsp.tst_rtsp_mount_text, _SERVER, self._id, rtsp_abi.TST_MOUNT_PUBLISHER)

    def stats(self) -> rtsp_abi.tst_rtsp_mount_stats:
        """The counters."""
        out = rtsp_abi.tst_rtsp_mount_stats(struct_size=sizeof(rtsp_abi.tst_rtsp_mount_stats))
        status = self._rtsp.tst_rtsp_mount_get_stats(byref(out), self._id)
        if status:
            raise _SERVER.error(status)
        return out

    def reset_stats(self) -> None:
        """Zero the counters."""
        status = self._rtsp.tst_rtsp_mount_reset_stats(self._id)
        if status:
            raise _SERVER.error(status)

    def send_ts(self, data: bytes | bytearray) -> None:
        """Send whole TS packets as they are."""
        status = self._rtsp.tst_rtsp_mount_send_ts(self._id, bytes(data), len(data))
        if status:
            raise _SERVER.error(status)

    def play_ts(self, data: bytes) -> None:
        """Send whole TS packets of a recording when they are due, open to Ctrl-C."""
        kept = ctypes.create_string_buffer(data, len(data))
        at, done = ctypes.addressof(kept), 0
        taken = c_size_t()
        play = self._rtsp.tst_rtsp_mount_play_ts
        while done < len(data):
            status = play(byref(taken), self._id, at + done, len(data) - done, SLICE_MS)
            done += taken.value
            if status not in (base.TST_OK, TIMEOUT):
                raise _SERVER.error(status)

    def publish_stats(self) -> rtsp_abi.tst_rtsp_publish_stats:
        """The counters of a publish mount."""
        out = rtsp_abi.tst_rtsp_publish_stats(struct_size=sizeof(rtsp_abi.tst_rtsp_publish_stats))
        status = self._rtsp.tst_rtsp_publish_get_stats(byref(out), self._id)
        if status:
            raise _SERVER.error(status)
        return out

    def take(self) -> Link:
        """What publishers send."""
        out = c_uint64()
        status = self._rtsp.tst_rtsp_publish_take(byref(out), self._id)
        if status:
            raise _SERVER.error(status)
        return Link(out.value, RTP)

    def cancel(self) -> None:
        """End a publish mount's stream."""
        status = self._rtsp.tst_rtsp_publish_cancel(self._id)
        if status:
            raise _SERVER.error(status)
