"""Glue of tstrans/mediafile.h: the pictures of a file."""

from __future__ import annotations

import os
from ctypes import byref, c_size_t, c_uint64, create_string_buffer, sizeof, string_at

from . import base_abi
from . import mediafile_abi as abi
from . import mpegts_abi as mux_abi
from ._lib import Config, Handle, check, failure, room
from .mux_lib import Pusher

__all__ = ["MediaFile"]

_EOS = base_abi.TST_E_EOS
_CODECS = {mux_abi.TST_CODEC_H264: "h264", mux_abi.TST_CODEC_H265: "h265"}


class MediaFile(Handle):
    """The access units of an MP4 file or a raw stream, in decoding order."""

    _room = "mediafile"
    _close_name = "tst_mediafile_close"
    __slots__ = ("_buffer", "_unit")

    def __init__(self, path: str, fps: tuple[int, int] | None = None) -> None:
        api = room("mediafile")
        out = c_uint64()
        name = os.fsencode(path)
        with Config({"fps_num": fps[0], "fps_den": fps[1]} if fps else {}) as c:
            check(api.tst_mediafile_open(byref(out), c, name, len(name)), filename=path)
        self._own(api, out.value)
        self._unit = abi.tst_mediafile_unit(struct_size=sizeof(abi.tst_mediafile_unit))
        self._buffer = create_string_buffer(1 << 16)

    def info(self) -> abi.tst_mediafile_info:
        """Codec, number of access units, frame rate."""
        out = abi.tst_mediafile_info(struct_size=sizeof(abi.tst_mediafile_info))
        check(self._api.tst_mediafile_get_info(byref(out), self._id))
        return out

    def peek(self) -> tuple[int, int] | None:
        """(pts, dts) of the next access unit in 90 kHz ticks, or None at the end."""
        status = self._api.tst_mediafile_peek(byref(self._unit), self._id)
        if status == _EOS:
            return None
        check(status)
        return self._unit.pts_90k, self._unit.dts_90k

    def codec(self) -> str:
        """ "h264" or "h265"."""
        return _CODECS[self.info().codec]

    def read(self) -> tuple[bytes, int, int, bool] | None:
        """(access unit, pts, dts, whether decoding starts there), times in 90 kHz ticks; None at the end."""
        if self.peek() is None:
            return None
        n = c_size_t()
        status = self._api.tst_mediafile_read(byref(n), self._id, self._buffer, len(self._buffer))
        if status == base_abi.TST_E_BUFFER_TOO_SMALL:
            self._buffer = create_string_buffer(n.value + n.value // 4)
            status = self._api.tst_mediafile_read(byref(n), self._id, self._buffer, len(self._buffer))
        check(status)
        unit = self._unit
        return string_at(self._buffer, n.value), unit.pts_90k, unit.dts_90k, bool(unit.key_frame)

    def push(self, target: Pusher, stream: int, shift: int) -> None:
        """Push the next access unit, its times moved by `shift` ticks."""
        status = self._api.tst_mediafile_push(self._id, target._id, stream, shift)
        if status:
            raise failure(status)
