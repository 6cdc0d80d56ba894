"""The muxer: access units in, packets out, to a buffer or a file."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .._native import mux_lib as lib
from ._mux_config import MuxerConfig, width
from ._mux_push import _Pushes, _wrong
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

    from ._mux_file import MuxerFileSink, _FileProxy

__all__ = ["Muxer"]

_H = TypeVar("_H")
_VIDEO, _AUDIO, _KLV, _SUBTITLE, _DATA = range(5)


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

    __module__ = "tstrans.mpegts"
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
        from ._mux_file import MuxerFileSink

        return MuxerFileSink(self, path, atomic=atomic)


def _at(handles: list[_H], i: int) -> _H | None:
    n = width("index", index(i), 64)
    return handles[n] if n < len(handles) else None
