"""Media tracks: the base class, silence, a green picture, and the clock that paces them.

A track hands out PyAV frames, or encoded packets: whatever has `pts`, `time_base` and the buffer protocol.
"""

from __future__ import annotations

import asyncio
import fractions
import time
import uuid
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any, Union

from . import _av
from .events import AsyncIOEventEmitter

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame
    from av.frame import Frame
    from av.packet import Packet

    from ._packet import EncodedPacket

__all__ = [
    "AUDIO_PTIME",
    "VIDEO_CLOCK_RATE",
    "VIDEO_PTIME",
    "VIDEO_TIME_BASE",
    "AudioStreamTrack",
    "MediaStreamError",
    "MediaStreamTrack",
    "VideoStreamTrack",
    "convert_timebase",
]

#: Seconds of an audio frame.
AUDIO_PTIME = 0.020
#: Ticks a second of video timestamps.
VIDEO_CLOCK_RATE = 90000
#: Seconds of a picture.
VIDEO_PTIME = 1 / 30
VIDEO_TIME_BASE = fractions.Fraction(1, VIDEO_CLOCK_RATE)

_SILENCE_RATE = 8000


def __getattr__(name: str) -> object:
    """The types of frames and packets, which are PyAV's."""
    if name in ("AudioFrame", "VideoFrame", "Packet"):
        return getattr(_av.load(), name)
    if name == "Frame":
        return _av.load().frame.Frame
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


Media = Union["Frame", "Packet[Any]", "EncodedPacket"]


def convert_timebase(pts: int, from_base: fractions.Fraction, to_base: fractions.Fraction) -> int:
    """Rescale a time, toward zero.

    >>> convert_timebase(3000, fractions.Fraction(1, 90000), fractions.Fraction(1, 1000))
    33
    """
    if from_base == to_base:
        return pts
    return int(pts * from_base / to_base)


class MediaStreamError(Exception):
    """The track has ended, or its source failed."""


class MediaStreamTrack(AsyncIOEventEmitter, metaclass=ABCMeta):
    """A source of audio or video. Emits "ended", without arguments, once."""

    kind = "unknown"

    def __init__(self) -> None:
        super().__init__()
        self.__ended = False
        self._id = str(uuid.uuid4())

    @property
    def id(self) -> str:
        """A UUID of this track's own."""
        return self._id

    @property
    def readyState(self) -> str:
        """ "live" or "ended"."""
        return "ended" if self.__ended else "live"

    @abstractmethod
    async def recv(self) -> Media:
        """The next frame or encoded packet; MediaStreamError once the track has ended."""

    def stop(self) -> None:
        """End the track; further calls do nothing."""
        if not self.__ended:
            self.__ended = True
            self.emit("ended")
            self.remove_all_listeners()


class _Paced(MediaStreamTrack):
    """A track whose frames fall due at fixed distances from its first one."""

    # These two exist from the first frame on, and not before: subclasses that keep a clock of their own ask
    # with hasattr() whether they have begun. `_start` is a time of day, which no waiting depends on.
    _start: float
    _timestamp: int
    __begin: float | None = None

    async def _due(self, step: int, rate: int) -> int:
        """The timestamp of the next frame, once its time has come; who is late does not wait."""
        if self.readyState != "live":
            raise MediaStreamError
        if self.__begin is None:
            self.__begin = time.monotonic()
            self._start = time.time()
            self._timestamp = 0
            return 0
        self._timestamp += step
        wait = self.__begin + self._timestamp / rate - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        return self._timestamp


class AudioStreamTrack(_Paced):
    """An audio track; on its own it is silence: s16, mono, 8000 Hz, 20 ms a frame."""

    kind = "audio"

    async def next_timestamp(self) -> tuple[int, fractions.Fraction]:
        """The time of the next frame of 20 ms, once it is due, in ticks of ``self.sample_rate`` (8000).

        Raises MediaStreamError once the track has ended.
        """
        rate = int(getattr(self, "sample_rate", _SILENCE_RATE))
        return await self._due(int(rate * AUDIO_PTIME), rate), fractions.Fraction(1, rate)

    async def recv(self) -> AudioFrame:
        """The next 160 samples of silence, on time."""
        samples = int(_SILENCE_RATE * AUDIO_PTIME)
        pts = await self._due(samples, _SILENCE_RATE)
        frame: AudioFrame = _av.load().AudioFrame(format="s16", layout="mono", samples=samples)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = pts
        frame.sample_rate = _SILENCE_RATE
        frame.time_base = fractions.Fraction(1, _SILENCE_RATE)
        return frame


class VideoStreamTrack(_Paced):
    """A video track; on its own it is green: 640x480, yuv420p, 30 pictures a second."""

    kind = "video"

    async def next_timestamp(self) -> tuple[int, fractions.Fraction]:
        """The time of the next picture, waiting until it is due, in ticks of 1/90000 s.

        Raises MediaStreamError once the track has ended.
        """
        return await self._due(int(VIDEO_PTIME * VIDEO_CLOCK_RATE), VIDEO_CLOCK_RATE), VIDEO_TIME_BASE

    async def recv(self) -> VideoFrame:
        """The next green picture, on time."""
        pts, time_base = await self.next_timestamp()
        frame: VideoFrame = _av.load().VideoFrame(width=640, height=480)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = pts
        frame.time_base = time_base
        return frame
