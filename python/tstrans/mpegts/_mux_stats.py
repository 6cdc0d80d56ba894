"""Handles of a muxer's streams, and its counters."""

from __future__ import annotations

from operator import index
from typing import Any, TypeVar

from .._value import Value
from ..exceptions import MuxError, MuxErrorKind
from ._mux_config import _NoConstructor

__all__ = [
    "AudioStreamCodecStats",
    "AudioStreamHandle",
    "DataStreamHandle",
    "KlvStreamCodecStats",
    "KlvStreamHandle",
    "MuxerStats",
    "StreamCodecStats",
    "SubtitleStreamHandle",
    "VideoStreamCodecStats",
    "VideoStreamHandle",
]

_set = object.__setattr__
_H = TypeVar("_H", bound="_StreamHandle")


class _StreamHandle(_NoConstructor):
    """Names a stream by position: 16 times the index of its program plus its index in its class."""

    __slots__ = ("_raw",)
    _raw: int

    @classmethod
    def _of(cls: type[_H], raw: int) -> _H:
        made = object.__new__(cls)
        made._raw = raw
        return made

    @property
    def raw(self) -> int:
        """The number."""
        return self._raw

    def unpack(self) -> tuple[int, int]:
        """(program index, stream index), both from 0."""
        return self._raw >> 4, self._raw & 15

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._raw == other._raw

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._raw))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw={self._raw})"


def _checked(kind: str, raw: Any) -> int:
    n = index(raw)
    if not 0 <= n < 1 << 32:
        raise OverflowError(f"raw: {n} does not fit 32 bits without a sign")
    if n > 255:
        raise MuxError(
            f"invalid {kind} stream handle (index {n}): not a configured stream",
            kind=MuxErrorKind.INVALID_USAGE,
        )
    return n


class VideoStreamHandle(_StreamHandle):
    """Names a video stream of a muxer."""

    __slots__ = ()

    @staticmethod
    def from_raw(raw: int) -> VideoStreamHandle:
        """The handle of a number of 0 to 255, whether or not a muxer has that stream."""
        return VideoStreamHandle._of(_checked("video", raw))


class AudioStreamHandle(_StreamHandle):
    """Names an audio stream of a muxer."""

    __slots__ = ()

    @staticmethod
    def from_raw(raw: int) -> AudioStreamHandle:
        """The handle of a number of 0 to 255, whether or not a muxer has that stream."""
        return AudioStreamHandle._of(_checked("audio", raw))


class KlvStreamHandle(_StreamHandle):
    """Names a KLV stream of a muxer."""

    __slots__ = ()

    @staticmethod
    def from_raw(raw: int) -> KlvStreamHandle:
        """The handle of a number of 0 to 255, whether or not a muxer has that stream."""
        return KlvStreamHandle._of(_checked("klv", raw))


class SubtitleStreamHandle(_StreamHandle):
    """Names a subtitle stream of a muxer."""

    __slots__ = ()

    @staticmethod
    def from_raw(raw: int) -> SubtitleStreamHandle:
        """The handle of a number of 0 to 255, whether or not a muxer has that stream."""
        return SubtitleStreamHandle._of(_checked("subtitle", raw))


class DataStreamHandle(_StreamHandle):
    """Names a data stream of a muxer."""

    __slots__ = ()

    @staticmethod
    def from_raw(raw: int) -> DataStreamHandle:
        """The handle of a number of 0 to 255, whether or not a muxer has that stream."""
        return DataStreamHandle._of(_checked("data", raw))


class MuxerStats(_NoConstructor):
    """A snapshot of a muxer's counters. Packets count once they are pulled, or given to a file."""

    __slots__ = ("_values",)
    _values: tuple[int, int, int, int]

    @classmethod
    def _of(cls, *values: int) -> MuxerStats:
        made = object.__new__(cls)
        made._values = values  # type: ignore[assignment]
        return made

    @property
    def ts_packets_emitted(self) -> int:
        """Packets of 188 bytes that left the muxer."""
        return self._values[0]

    @property
    def ts_bytes_emitted(self) -> int:
        """The same in bytes."""
        return self._values[1]

    @property
    def programs_configured(self) -> int:
        """Programs of the configuration."""
        return self._values[2]

    @property
    def subtitle_streams_configured(self) -> int:
        """Subtitle streams of the configuration."""
        return self._values[3]

    def __repr__(self) -> str:
        p, b, n, s = self._values
        return (
            f"MuxerStats(ts_packets_emitted={p}, ts_bytes_emitted={b}, programs_configured={n}, "
            f"subtitle_streams_configured={s})"
        )


class StreamCodecStats(Value):
    """Counters of one pushed stream; its subclasses say of which kind."""

    __slots__ = ()


class VideoStreamCodecStats(StreamCodecStats):
    """Counters of a video stream: NAL units or OBUs, and pushes with ``key_frame=True``."""

    __slots__ = ("nals_or_obus", "random_access_aus")
    nals_or_obus: int
    random_access_aus: int

    def __init__(self, nals_or_obus: int, random_access_aus: int) -> None:
        _set(self, "nals_or_obus", nals_or_obus)
        _set(self, "random_access_aus", random_access_aus)


class AudioStreamCodecStats(StreamCodecStats):
    """Counters of an audio stream: ADTS or MPEG audio frames inside the payloads."""

    __slots__ = ("frames",)
    frames: int

    def __init__(self, frames: int) -> None:
        _set(self, "frames", frames)


class KlvStreamCodecStats(StreamCodecStats):
    """Counters of a KLV stream: pushes."""

    __slots__ = ("records",)
    records: int

    def __init__(self, records: int) -> None:
        _set(self, "records", records)
