"""The muxer: access units in, packets out, to a buffer or a file.

Each push is one call of the library with a pointer to the caller's bytes: nothing is copied on this side.
"""

from __future__ import annotations

import os
from array import array
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from .._native import mux_lib as lib
from .._native.mux_lib import (
    DTS,
    KEY_FRAME,
    MISP_MICRO,
    MISP_NANO,
    ONLY,
    WIRE,
    ArgumentError,
    Pusher,
    failure,
    pin,
)
from ._mux_config import MuxerConfig, width
from ._mux_stats import (
    AudioStreamCodecStats,
    AudioStreamHandle,
    DataStreamHandle,
    KlvStreamCodecStats,
    KlvStreamHandle,
    MuxerStats,
    StreamCodecStats,
    SubtitleStreamHandle,
    VideoStreamCodecStats,
    VideoStreamHandle,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..codec import MispTimestamp
    from ._values import Pts90khz

__all__ = ["Muxer", "MuxerDrainProxy", "MuxerFileSink"]

#: Anything `bytes()` takes; what has the buffer protocol is read in place.
BytesLike = bytes | bytearray | memoryview

_H = TypeVar("_H")
_VIDEO, _AUDIO, _KLV, _SUBTITLE, _DATA = range(5)
_FLAGS = {False: 0, True: KEY_FRAME}


def _wrong(name: str, wanted: type, got: object) -> TypeError:
    return TypeError(f"{name} must be {wanted.__name__}; got {type(got).__name__}")


class _Pushes(Pusher):
    """The pushes, of a muxer itself or through a sink of one.

    Every push takes its time by name or by position. `pts` and `dts` are `Pts90khz`, taken modulo 2^33. A
    push that raises changes nothing.
    """

    __slots__ = ()

    def _fail(self, status: int) -> NoReturn:
        raise failure(status)

    def push_video(self, nal: BytesLike, pts: Pts90khz, key_frame: bool = False) -> None:
        """Queue a picture on the only video stream.

        Args:
            nal: an Annex B access unit, or the OBUs of an AV1 temporal unit.
            pts: when it is shown.
            key_frame: whether decoding can start here.

        Raises:
            MuxError: INVALID_NAL or INVALID_AV1_OBU for what is none, BACKPRESSURE where the packets do not
                fit, INVALID_USAGE where there is not exactly one video stream.
        """
        if type(key_frame) is not bool:
            raise _wrong("key_frame", bool, key_frame)
        if type(nal) is bytes:
            try:
                status = self._api.tst_muxer_push_video(self._id, ONLY, nal, len(nal), pts.raw, 0, key_frame)
            except ArgumentError as e:
                raise TypeError(str(e)) from None
            if status:
                self._fail(status)
        else:
            self._video(ONLY, nal, pts, None, _FLAGS[key_frame])

    def push_video_to(
        self, handle: VideoStreamHandle, nal: BytesLike, pts: Pts90khz, key_frame: bool = False
    ) -> None:
        """Queue a picture on a video stream."""
        self._video_to(handle, nal, pts, None, key_frame, 0)

    def push_video_to_with_dts(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Queue a picture with its decode time, which streams with B-frames need."""
        self._video_to(handle, nal, pts, dts, key_frame, 0)

    def push_video_wire_to(
        self,
        handle: VideoStreamHandle,
        wire: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Queue the payload of a PES as it was on the wire; it is not looked at."""
        self._video_to(handle, wire, pts, dts, key_frame, WIRE)

    def push_video_misp_to(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
        *,
        misp: MispTimestamp,
    ) -> None:
        """Queue a picture with a MISP time stamp (MISB ST 0604) before its first slice.

        Raises:
            MuxError: MISP_TIME where the codec has no place for it (nanoseconds in H.264, any in H.266).
        """
        from ..codec import MispTimeKind, MispTimestamp

        if not isinstance(misp, MispTimestamp):
            raise _wrong("misp", MispTimestamp, misp)
        unit = MISP_NANO if misp.kind == MispTimeKind.NANO else MISP_MICRO
        self._video_to(handle, nal, pts, dts, key_frame, unit, (misp.time_status, misp.value))

    def _video_to(
        self,
        handle: VideoStreamHandle,
        data: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None,
        key_frame: bool,
        flags: int,
        misp: tuple[int, int] | None = None,
    ) -> None:
        if type(handle) is not VideoStreamHandle:
            raise _wrong("handle", VideoStreamHandle, handle)
        if type(key_frame) is not bool:
            raise _wrong("key_frame", bool, key_frame)
        self._video(handle._raw, data, pts, dts, flags | _FLAGS[key_frame], misp)

    def _video(
        self,
        stream: int,
        data: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None,
        flags: int,
        misp: tuple[int, int] | None = None,
    ) -> None:
        ticks = 0
        if dts is not None:
            flags, ticks = flags | DTS, dts.raw
        at, n, _kept = pin(data)
        try:
            if misp is None:
                status = self._api.tst_muxer_push_video(self._id, stream, at, n, pts.raw, ticks, flags)
            else:
                status = self._api.tst_muxer_push_video_misp(
                    self._id, stream, at, n, pts.raw, ticks, flags, *misp
                )
        except ArgumentError as e:
            raise TypeError(str(e)) from None
        if status:
            self._fail(status)

    def push_audio(self, frames: BytesLike, pts: Pts90khz) -> None:
        """Queue whole audio frames on the only audio stream; `pts` is that of the first."""
        self._plain(self._api.tst_muxer_push_audio, ONLY, frames, pts)

    def push_audio_to(self, handle: AudioStreamHandle, frames: BytesLike, pts: Pts90khz) -> None:
        """Queue whole audio frames on an audio stream."""
        if type(handle) is not AudioStreamHandle:
            raise _wrong("handle", AudioStreamHandle, handle)
        self._plain(self._api.tst_muxer_push_audio, handle._raw, frames, pts)

    def push_klv(self, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0) -> None:
        """Queue one KLV packet on the only KLV stream.

        Args:
            klv: the packet, key included.
            pts: its time; it drives tables and clock also where the stream carries no PTS.
            metadata_service_id: of the metadata AU cell, 0 to 255; without effect on private KLV.

        Raises:
            MuxError: KLV_TOO_LARGE, BACKPRESSURE, INVALID_USAGE.
        """
        if metadata_service_id:
            metadata_service_id = width("metadata_service_id", metadata_service_id, 8)
        if type(klv) is bytes:
            try:
                status = self._api.tst_muxer_push_klv(
                    self._id, ONLY, klv, len(klv), pts.raw, metadata_service_id
                )
            except ArgumentError as e:
                raise TypeError(str(e)) from None
            if status:
                self._fail(status)
        else:
            self._klv(ONLY, klv, pts, metadata_service_id)

    def push_klv_to(
        self, handle: KlvStreamHandle, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0
    ) -> None:
        """Queue one KLV packet on a KLV stream."""
        if type(handle) is not KlvStreamHandle:
            raise _wrong("handle", KlvStreamHandle, handle)
        self._klv(handle._raw, klv, pts, width("metadata_service_id", metadata_service_id, 8))

    def _klv(self, stream: int, klv: BytesLike, pts: Pts90khz, service_id: int) -> None:
        at, n, _kept = pin(klv)
        try:
            status = self._api.tst_muxer_push_klv(self._id, stream, at, n, pts.raw, service_id)
        except ArgumentError as e:
            raise TypeError(str(e)) from None
        if status:
            self._fail(status)

    def push_subtitle(self, payload: BytesLike, pts: Pts90khz) -> None:
        """Queue a subtitle unit on the only subtitle stream."""
        self._plain(self._api.tst_muxer_push_subtitle, ONLY, payload, pts)

    def push_subtitle_to(self, handle: SubtitleStreamHandle, payload: BytesLike, pts: Pts90khz) -> None:
        """Queue a subtitle unit: segments of DVB subtitling, data units of teletext, or text as it is."""
        if type(handle) is not SubtitleStreamHandle:
            raise _wrong("handle", SubtitleStreamHandle, handle)
        self._plain(self._api.tst_muxer_push_subtitle, handle._raw, payload, pts)

    def push_data(self, data: BytesLike, pts: Pts90khz) -> None:
        """Queue private data on the only data stream."""
        self._plain(self._api.tst_muxer_push_data, ONLY, data, pts)

    def push_data_to(self, handle: DataStreamHandle, data: BytesLike, pts: Pts90khz) -> None:
        """Queue private data on a data stream."""
        if type(handle) is not DataStreamHandle:
            raise _wrong("handle", DataStreamHandle, handle)
        self._plain(self._api.tst_muxer_push_data, handle._raw, data, pts)

    def _data_with_dts(self, stream: int, data: BytesLike, pts: Pts90khz, dts: Pts90khz) -> None:
        at, n, _kept = pin(data)
        status = self._api.tst_muxer_push_data_dts(self._id, stream, at, n, pts.raw, dts.raw)
        if status:
            self._fail(status)

    def _plain(self, call: Any, stream: int, data: BytesLike, pts: Pts90khz) -> None:
        at, n, _kept = pin(data)
        try:
            status = call(self._id, stream, at, n, pts.raw)
        except ArgumentError as e:
            raise TypeError(str(e)) from None
        if status:
            self._fail(status)


class Muxer(_Pushes):
    """Makes a transport stream from what is pushed; its output depends on nothing else.

    Packets wait, at most `buffer_packets` of them, until `pull` takes them; inside `write_file` they go to a
    file instead. One thread at a time.

    >>> from tstrans.mpegts import MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec
    >>> prog = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    >>> m = Muxer(MuxerConfig.builder().add_program(prog).build())
    >>> m.push_video(b"\\x00\\x00\\x00\\x01\\x09\\xf0", pts=Pts90khz.from_ms(0))
    >>> m.pull(bytearray(188 * 100)) // 188
    3
    """

    __slots__ = ("_follower", "_number")
    _follower: _FileProxy | None

    def __init__(self, config: MuxerConfig) -> None:
        if not isinstance(config, MuxerConfig):
            raise _wrong("config", MuxerConfig, config)
        self._follower = None
        lib.open_muxer(self, config)

    if not TYPE_CHECKING:

        @property
        def _id(self) -> int:
            # What waits in the drain proxy of this muxer was pushed before.
            follower = self._follower
            if follower is not None:
                follower._hand_over_before_muxer()
            return self._number

        @_id.setter
        def _id(self, number: int) -> None:
            self._number = number

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("cannot pickle 'Muxer' object")

    def pull(self, out: bytearray) -> int:
        """Move waiting packets into `out`; the number of bytes, a multiple of 188."""
        if not isinstance(out, bytearray):
            raise _wrong("out", bytearray, out)
        return lib.pull_into(self, out)

    def pending_packets(self) -> int:
        """How many packets wait to be pulled."""
        return lib.counters(self).packets_pending  # type: ignore[no-any-return]

    def capacity_packets(self) -> int:
        """The most packets that can wait."""
        return lib.counters(self).packets_capacity  # type: ignore[no-any-return]

    def stats(self) -> MuxerStats:
        """A snapshot of the counters."""
        c = lib.counters(self)
        return MuxerStats._of(c.packets_pulled_total, c.bytes_pulled_total, c.programs, c.subtitle_streams)

    def reset_stats(self) -> None:
        """Zero what was counted of packets and of all streams."""
        status = self._api.tst_muxer_reset_stats(self._id)
        if status:
            self._fail(status)

    def stream_codec_stats(self, pid: int) -> StreamCodecStats | None:
        """Counters of a video, audio or KLV PID; None until something was recognised on it."""
        got = lib.stream_counters(self, width("pid", pid, 16))
        if got is None:
            return None
        kind, units, random_access = got
        if kind == _VIDEO:
            return VideoStreamCodecStats(units, random_access)
        return AudioStreamCodecStats(units) if kind == _AUDIO else KlvStreamCodecStats(units)

    def video_handles(self) -> list[VideoStreamHandle]:
        """All video streams, in program then add order."""
        return [VideoStreamHandle._of(n) for n in lib.streams(self, _VIDEO)]

    def audio_handles(self) -> list[AudioStreamHandle]:
        """All audio streams, in program then add order."""
        return [AudioStreamHandle._of(n) for n in lib.streams(self, _AUDIO)]

    def klv_handles(self) -> list[KlvStreamHandle]:
        """All KLV streams, in program then add order."""
        return [KlvStreamHandle._of(n) for n in lib.streams(self, _KLV)]

    def subtitle_handles(self) -> list[SubtitleStreamHandle]:
        """All subtitle streams, in program then add order."""
        return [SubtitleStreamHandle._of(n) for n in lib.streams(self, _SUBTITLE)]

    def data_handles(self) -> list[DataStreamHandle]:
        """All data streams, in program then add order."""
        return [DataStreamHandle._of(n) for n in lib.streams(self, _DATA)]

    def _of_program(self, stream_class: int, program_number: int) -> list[int]:
        number = width("program_number", program_number, 16)
        if number == 0:
            from ..exceptions import MuxError, MuxErrorKind

            raise MuxError("program 0 not found", kind=MuxErrorKind.INVALID_USAGE)
        return lib.streams(self, stream_class, number)

    def video_handles_for_program(self, program_number: int) -> list[VideoStreamHandle]:
        """The video streams of a program; INVALID_USAGE for an unknown one."""
        return [VideoStreamHandle._of(n) for n in self._of_program(_VIDEO, program_number)]

    def audio_handles_for_program(self, program_number: int) -> list[AudioStreamHandle]:
        """The audio streams of a program; INVALID_USAGE for an unknown one."""
        return [AudioStreamHandle._of(n) for n in self._of_program(_AUDIO, program_number)]

    def klv_handles_for_program(self, program_number: int) -> list[KlvStreamHandle]:
        """The KLV streams of a program; INVALID_USAGE for an unknown one."""
        return [KlvStreamHandle._of(n) for n in self._of_program(_KLV, program_number)]

    def subtitle_handles_for_program(self, program_number: int) -> list[SubtitleStreamHandle]:
        """The subtitle streams of a program; INVALID_USAGE for an unknown one."""
        return [SubtitleStreamHandle._of(n) for n in self._of_program(_SUBTITLE, program_number)]

    def data_handles_for_program(self, program_number: int) -> list[DataStreamHandle]:
        """The data streams of a program; INVALID_USAGE for an unknown one."""
        return [DataStreamHandle._of(n) for n in self._of_program(_DATA, program_number)]

    def video_stream_handle(self, index: int) -> VideoStreamHandle | None:
        """The video stream of an index over all programs, or None."""
        return _at(self.video_handles(), index)

    def klv_stream_handle(self, index: int) -> KlvStreamHandle | None:
        """The KLV stream of an index over all programs, or None."""
        return _at(self.klv_handles(), index)

    def data_stream_handle(self, index: int) -> DataStreamHandle | None:
        """The data stream of an index over all programs, or None."""
        return _at(self.data_handles(), index)

    def write_file(self, path: str | Path, *, atomic: bool = False) -> MuxerFileSink:
        """A context manager that writes what is pushed on the object it gives to a file.

        Args:
            path: the file; it is opened, and emptied, when the block begins.
            atomic: write to a file beside it that takes its place when the block ends well.
        """
        return MuxerFileSink(self, path, atomic=atomic)


def _at(handles: list[_H], i: int) -> _H | None:
    n = width("index", index(i), 64)
    return handles[n] if n < len(handles) else None


class _Writable(Protocol):
    def write(self, data: Any, /) -> Any: ...


#: KLV packets of up to _SMALL bytes wait, at most _GATHER of them, where _ROOM packets fit the queue: more
#: than one such packet, 17 tables and a clock need.
_SMALL, _GATHER, _ROOM = 4096, 256, 64

#: What a drain proxy writes at once, in bytes: whole packets, about 1 MiB.
_BLOCK = 188 * 5578


class MuxerDrainProxy:
    """A muxer whose packets go to `fh.write` after each push.

    Everything else passes through to the muxer. `with muxer.write_file(...)` gives one that writes to its
    file in blocks of 1 MiB.
    """

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

    def push_video(self, nal: BytesLike, pts: Pts90khz, key_frame: bool = False) -> None:
        """As `Muxer.push_video`, and write."""
        self._muxer.push_video(nal, pts, key_frame)
        self._drain()

    def push_video_to(
        self, handle: VideoStreamHandle, nal: BytesLike, pts: Pts90khz, key_frame: bool = False
    ) -> None:
        """As `Muxer.push_video_to`, and write."""
        self._muxer.push_video_to(handle, nal, pts, key_frame)
        self._drain()

    def push_video_to_with_dts(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """As `Muxer.push_video_to_with_dts`, and write."""
        self._muxer.push_video_to_with_dts(handle, nal, pts, dts, key_frame)
        self._drain()

    def push_video_wire_to(
        self,
        handle: VideoStreamHandle,
        wire: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """As `Muxer.push_video_wire_to`, and write."""
        self._muxer.push_video_wire_to(handle, wire, pts, dts, key_frame)
        self._drain()

    def push_video_misp_to(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
        *,
        misp: MispTimestamp,
    ) -> None:
        """As `Muxer.push_video_misp_to`, and write."""
        self._muxer.push_video_misp_to(handle, nal, pts, dts, key_frame, misp=misp)
        self._drain()

    def push_audio(self, frames: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_audio`, and write."""
        self._muxer.push_audio(frames, pts)
        self._drain()

    def push_audio_to(self, handle: AudioStreamHandle, frames: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_audio_to`, and write."""
        self._muxer.push_audio_to(handle, frames, pts)
        self._drain()

    def push_klv(self, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0) -> None:
        """As `Muxer.push_klv`, and write."""
        self._muxer.push_klv(klv, pts, metadata_service_id)
        self._drain()

    def push_klv_to(
        self, handle: KlvStreamHandle, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0
    ) -> None:
        """As `Muxer.push_klv_to`, and write."""
        self._muxer.push_klv_to(handle, klv, pts, metadata_service_id)
        self._drain()

    def push_subtitle(self, payload: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_subtitle`, and write."""
        self._muxer.push_subtitle(payload, pts)
        self._drain()

    def push_subtitle_to(self, handle: SubtitleStreamHandle, payload: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_subtitle_to`, and write."""
        self._muxer.push_subtitle_to(handle, payload, pts)
        self._drain()

    def push_data(self, data: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_data`, and write."""
        self._muxer.push_data(data, pts)
        self._drain()

    def push_data_to(self, handle: DataStreamHandle, data: BytesLike, pts: Pts90khz) -> None:
        """As `Muxer.push_data_to`, and write."""
        self._muxer.push_data_to(handle, data, pts)
        self._drain()


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
