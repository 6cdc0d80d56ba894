"""An MP4 file, or a raw H.264 or HEVC stream, as tracks that need no re-encoding."""

from __future__ import annotations

import contextlib
import fractions
import os
from collections.abc import Callable, Iterator
from typing import Any

from .._native.mediafile_lib import MediaFile
from . import _av
from ._codecs import OpusEncoder
from .live import REORDERED, LiveStream, ReorderedPicturesError
from .mediastreams import convert_timebase

__all__ = ["FileStream", "is_media_file"]

_BASE = fractions.Fraction(1, 90000)
_AUDIO_BASE = fractions.Fraction(1, 48000)
_ANNEX_B = (b"\0\0\1", b"\0\0\0\1")
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof", b"sidx"}


def is_media_file(path: str) -> bool:
    """Whether `FileStream` reads such a file, and not a transport stream."""
    with open(path, "rb") as f:
        head = f.read(8)
    return head[4:8] in _BOXES or head.startswith(_ANNEX_B)


class FileStream(LiveStream):
    """The video of a file, at its own pace, and its audio: Opus as it is, other codecs through PyAV.

    :param path: an MP4 file, plain or fragmented, or a raw H.264 or HEVC stream.
    :param loop: begin again at the end.

    Reading the audio of an MP4 file needs PyAV (the extra ``webrtc``); without it there is none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        loop: bool = False,
        on_key_frame_request: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(paced=True, on_key_frame_request=on_key_frame_request)
        self._path = os.fspath(path)
        self._again = loop
        self._av: Any = None

    def _run(self) -> None:
        shift = 0
        self._av = self._or_silent("the audio of the file, if there is any,", _av.load)
        while not self._quit.is_set():
            with contextlib.closing(MediaFile(self._path)) as file:
                last, step = self._once(file, shift)
            if not self._again or last is None:
                return
            shift = last + step

    def _once(self, file: MediaFile, shift: int) -> tuple[int | None, int]:
        """Read the file once; the time of its last picture, and the distance to the one before."""
        head = file.peek()
        if head is None:
            return None, 0
        first, delay = head[0], head[0] - head[1]
        codec, sound = file.codec(), self._sound(shift - first)
        heard = next(sound, None)
        last, step = shift, 3000
        while not self._quit.is_set() and (unit := file.read()) is not None:
            payload, pts, dts, key = unit
            if pts - dts != delay:
                raise ReorderedPicturesError(REORDERED)
            at = pts - first + shift
            while heard is not None and heard[1] * 15 // 8 <= at:
                self._audio(*heard)
                heard = next(sound, None)
            self._picture(payload, at, codec, key)
            if at > last:
                last, step = at, at - last
        return last, step

    def _sound(self, shift: int) -> Iterator[tuple[bytes, int]]:
        """Opus packets of the file's first audio, and their times in ticks of 1/48000 s."""
        av = self._av
        if av is None:
            return
        with av.open(self._path) as container:
            if not container.streams.audio:
                return
            stream = container.streams.audio[0]
            name = stream.codec_context.name.removeprefix("lib")
            self._call(setattr, self, "audio_codec", name)
            encoder = OpusEncoder()
            for packet in container.demux(stream):
                if name == "opus" and packet.size and packet.pts is not None:
                    at = convert_timebase(packet.pts, packet.time_base, _AUDIO_BASE) + shift * 8 // 15
                    yield bytes(packet), at
                elif name != "opus":
                    for frame in packet.decode():
                        if frame.pts is not None:
                            frame.pts += convert_timebase(shift, _BASE, frame.time_base)
                        yield from encoder.encode(frame)
