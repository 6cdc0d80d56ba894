"""Glue of tstrans/mediafile.h: the pictures of a file."""

from __future__ import annotations

import os
from ctypes import byref, c_uint64, sizeof

from . import base_abi
from . import mediafile_abi as abi
from ._lib import Config, Handle, check, failure, room
from .mux_lib import Pusher

__all__ = ["MediaFile"]

_EOS = base_abi.TST_E_EOS


class MediaFile(Handle):
    """The access units of an MP4 file or a raw stream, in decoding order."""

    _room = "mediafile"
    _close_name = "tst_mediafile_close"
    __slots__ = ("_unit",)

    def __init__(self, path: str, fps: tuple[int, int] | None = None) -> None:
        api = room("mediafile")
        out = c_uint64()
        name = os.fsencode(path)
        with Config({"fps_num": fps[0], "fps_den": fps[1]} if fps else {}) as c:
            check(api.tst_mediafile_open(byref(out), c, name, len(name)), filename=path)
        self._own(api, out.value)
        self._unit = abi.tst_mediafile_unit(struct_size=sizeof(abi.tst_mediafile_unit))

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

    def push(self, target: Pusher, stream: int, shift: int) -> None:
        """Push the next access unit, its times moved by `shift` ticks."""
        status = self._api.tst_mediafile_push(self._id, target._id, stream, shift)
        if status:
            raise failure(status)
