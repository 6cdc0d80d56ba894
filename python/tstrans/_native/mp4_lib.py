"""Glue of tstrans/mp4.h: the writer, and its failures."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_uint64, sizeof
from typing import Any

from . import _lib, base_abi
from . import mp4_abi as abi
from ._lib import Config, Detail, Handle, check, pin, room

__all__ = ["NO_TIME", "Failure", "Writer", "status_name"]

NO_TIME = abi.TST_MP4_NO_TIME
FINISHED = base_abi.TST_E_MP4_FINISHED
NOTHING_USABLE = base_abi.TST_E_MP4_NOTHING_USABLE

status_name = _lib.status_name


class Failure:
    """What a failed call of this thread said."""

    __slots__ = ("errno", "kind", "message", "status")

    def __init__(self, status: int) -> None:
        self.status = status
        self.kind = status_name(status).rpartition(".")[2]
        detail = ctypes.cast(_lib.library().base.tst_last_error() or 0, ctypes.POINTER(base_abi.tst_error))
        d = Detail(detail.contents)
        self.errno: int | None = d.attrs.get("errno")
        self.message = d.message


class Writer(Handle):
    """A writer of one file."""

    _room = "mp4"
    _close_name = "tst_mp4_close"
    __slots__ = ()

    def open(self, path: str | bytes, codec: int, fps_num: int, fps_den: int) -> Failure | None:
        api = room("mp4")
        out = c_uint64()
        name = os.fsencode(path)
        with Config({"codec": codec, "fps_num": fps_num, "fps_den": fps_den}) as c:
            status = api.tst_mp4_open(byref(out), c, name, len(name))
            if status:
                return Failure(status)
        self._own(api, out.value)
        # A file that nobody finished is finished when the interpreter ends, too.
        self._finalizer.atexit = True
        return None

    def push(self, data: Any, pts_ns: int, dts_ns: int, duration_ns: int) -> Failure | None:
        at, n, _kept = pin(data)
        status = self._api.tst_mp4_push(self._id, at, n, pts_ns, dts_ns, duration_ns)
        return Failure(status) if status else None

    def finish(self) -> Failure | None:
        status = self._api.tst_mp4_finish(self._id)
        return Failure(status) if status else None

    def counters(self) -> abi.tst_mp4_stats:
        out = abi.tst_mp4_stats(struct_size=sizeof(abi.tst_mp4_stats))
        check(self._api.tst_mp4_get_stats(byref(out), self._id))
        return out
