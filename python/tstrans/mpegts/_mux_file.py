"""Muxing into files: whatever is pushed is written at once, or in large blocks."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, Protocol

from .._native import mux_lib as lib
from .._native.mux_lib import failure
from ._mux_push import BytesLike, _Pushes

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ._mux import Muxer
    from ._values import Pts90khz

__all__ = ["MuxerDrainProxy", "MuxerFileSink"]


class _Writable(Protocol):
    def write(self, data: Any, /) -> Any: ...


#: KLV packets of up to _SMALL bytes wait, at most _GATHER of them, where _ROOM packets fit the queue: more
#: than one such packet, 17 tables and a clock need.
_SMALL, _GATHER, _ROOM = 4096, 256, 64

#: What a drain proxy writes at once, in bytes: whole packets, about 1 MiB.
_BLOCK = 188 * 5578


_P = ParamSpec("_P")


def _drained(push: Callable[Concatenate[Any, _P], None]) -> Callable[Concatenate[MuxerDrainProxy, _P], None]:
    """A push of the muxer, and what it made written."""
    name = push.__name__

    def drained(self: MuxerDrainProxy, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        getattr(self._muxer, name)(*args, **kwargs)
        self._drain()

    update_wrapper(drained, push)
    drained.__doc__ = f"As `Muxer.{name}`, and write."
    drained.__qualname__ = f"MuxerDrainProxy.{name}"
    return drained


class MuxerDrainProxy:
    """A muxer whose packets go to `fh.write` after each push.

    Everything else passes through to the muxer. `with muxer.write_file(...)` gives one that writes to its
    file in blocks of 1 MiB.
    """

    __module__ = "tstrans.mpegts"
    _muxer: Muxer
    _fh: Any

    def __init__(self, muxer: Muxer, fh: _Writable) -> None:
        self._muxer = muxer
        self._fh = fh

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_muxer"], name)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("cannot pickle 'MuxerDrainProxy' object")

    def _drain(self) -> None:
        muxer, write = self._muxer, self._fh.write
        out = bytearray(min(muxer.pending_packets() * 188, _BLOCK))
        while n := muxer.pull(out):
            view = memoryview(out)[:n]
            while view:
                took = write(view)
                # A raw file may take a part; a buffered one takes all, and some return None.
                view = view[took:] if isinstance(took, int) else view[:0]

    push_video = _drained(_Pushes.push_video)
    push_video_to = _drained(_Pushes.push_video_to)
    push_video_to_with_dts = _drained(_Pushes.push_video_to_with_dts)
    push_video_wire_to = _drained(_Pushes.push_video_wire_to)
    push_video_misp_to = _drained(_Pushes.push_video_misp_to)
    push_audio = _drained(_Pushes.push_audio)
    push_audio_to = _drained(_Pushes.push_audio_to)
    push_klv = _drained(_Pushes.push_klv)
    push_klv_to = _drained(_Pushes.push_klv_to)
    push_subtitle = _drained(_Pushes.push_subtitle)
    push_subtitle_to = _drained(_Pushes.push_subtitle_to)
    push_data = _drained(_Pushes.push_data)
    push_data_to = _drained(_Pushes.push_data_to)


class _FileProxy(_Pushes, MuxerDrainProxy):
    """The drain proxy of a real file: packets are built in the block that the library writes next.

    Small KLV packets are handed over some hundred at a time, because a call of the library costs more than
    they do. Whatever else is called, on this object or on its muxer, asks for `_id` and so hands them over
    before it.
    """

    _filename: str

    def __init__(self, muxer: Muxer, fh: Any, filename: str) -> None:
        MuxerDrainProxy.__init__(self, muxer, fh)
        self._filename = filename
        self._number = 0
        self._records: list[bytes] = []
        self._times = array("q")
        self._add_record, self._add_time = self._records.append, self._times.append
        lib.open_sink(self, muxer, fh.fileno())
        # What cannot fail but for the file may wait: one KLV stream, and a queue that takes any small packet.
        # Two files at once on one muxer take turns push by push.
        other = muxer._follower
        self._gathers = other is None and len(muxer.klv_handles()) == 1 and muxer.capacity_packets() >= _ROOM
        if other is not None:
            other._gathers = False
        else:
            muxer._follower = self

    if not TYPE_CHECKING:

        @property
        def _id(self) -> int:
            if self._records:
                self._hand_over()
            return self._number

        @_id.setter
        def _id(self, number: int) -> None:
            self._number = number

    def _push_chunk(self, stream: int, chunk: Any, payload: int, pts: int, dts: int, flags: int) -> None:
        """A picture of a demuxer's chunk, without its bytes coming over here."""
        status = self._api.tst_muxer_push_video_chunk(self._id, stream, chunk._id, payload, pts, dts, flags)
        if status:
            self._fail(status)

    def _hand_over(self) -> None:
        records, times = self._records, self._times
        self._records, self._times = [], array("q")
        self._add_record, self._add_time = self._records.append, self._times.append
        status = lib.push_klv_many(self, self._number, records, times)
        if status:
            self._fail(status)

    def _hand_over_before_muxer(self) -> None:
        if self._records:
            self._hand_over()

    def _gather(self, klv: bytes, ticks: int) -> bool:
        """Let a small packet wait, if it may."""
        if len(klv) > _SMALL or not self._gathers:
            return False
        self._add_time(ticks)
        self._add_record(klv)
        if len(self._records) >= _GATHER:
            self._hand_over()
        return True

    def push_klv(self, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0) -> None:
        """As `Muxer.push_klv`."""
        if type(klv) is bytes and len(klv) <= _SMALL and not metadata_service_id and self._gathers:
            self._add_time(pts.raw)
            self._add_record(klv)
            if len(self._records) >= _GATHER:
                self._hand_over()
        else:
            super().push_klv(klv, pts, metadata_service_id)

    def _fail(self, status: int) -> NoReturn:
        if not self._number:
            raise ValueError("push to a file that is closed")
        raise failure(status, self._filename)

    def _end(self) -> None:
        """Write everything and end; called once."""
        self._gathers = False
        if self._muxer._follower is self:
            self._muxer._follower = None
        lib.finish_sink(self, self._filename)


# It is a MuxerDrainProxy to those who look.
_FileProxy.__name__ = _FileProxy.__qualname__ = "MuxerDrainProxy"


class MuxerFileSink:
    """Writes what a muxer makes to a file; see `Muxer.write_file`."""

    __module__ = "tstrans.mpegts"
    __slots__ = ("_atomic", "_fh", "_muxer", "_path", "_proxy", "_temp")

    def __init__(self, muxer: Muxer, path: str | Path, *, atomic: bool = False) -> None:
        name = os.fspath(path)
        if not isinstance(name, str):
            raise TypeError(f"path must be str or an os.PathLike of str; got {type(path).__name__}")
        self._muxer = muxer
        self._path = name
        self._atomic = bool(atomic)
        self._fh: Any = None
        self._temp: str | None = None
        self._proxy: _FileProxy | None = None

    def __enter__(self) -> MuxerDrainProxy:
        if self._atomic:
            import tempfile

            fd, self._temp = tempfile.mkstemp(suffix=".partial", dir=os.path.dirname(self._path) or ".")
            self._fh = os.fdopen(fd, "wb", buffering=0)
        else:
            self._fh = open(self._path, "wb", buffering=0)
        try:
            self._proxy = _FileProxy(self._muxer, self._fh, self._path)
        except BaseException:
            self._give_up()
            raise
        return self._proxy

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        proxy, self._proxy = self._proxy, None
        if proxy is None:
            raise AttributeError("the block was not entered")
        try:
            proxy._end()
        except BaseException:
            self._give_up()
            if exc is None:
                raise
            return
        temp, fh = self._temp, self._fh
        if exc is not None and temp is not None:
            self._give_up()
            return
        self._fh = self._temp = None
        fh.close()
        if temp is not None:
            os.replace(temp, self._path)

    def _give_up(self) -> None:
        temp, fh = self._temp, self._fh
        self._fh = self._temp = None
        fh.close()
        if temp is not None:
            os.unlink(temp)
