"""Audio that no browser takes, as Opus: with PyAV, once for all viewers."""

from __future__ import annotations

import fractions
from typing import Any

from . import _av
from ._codecs import OpusEncoder

__all__ = ["AudioToOpus"]

_BASE = fractions.Fraction(1, 90000)


class AudioToOpus:
    """Decodes packets of one codec and encodes them anew; MissingExtraError without PyAV.

    :param codec: the name of the codec, as PyAV has it.
    """

    def __init__(self, codec: str) -> None:
        av = _av.load()
        self._decoder: Any = av.CodecContext.create(codec, "r")
        self._encoder = OpusEncoder()
        self._errors: tuple[type[Exception], ...] = (av.error.FFmpegError, ValueError)
        #: Packets that could not be decoded.
        self.broken = 0

    def push(self, data: bytes, pts: int) -> list[tuple[bytes, int]]:
        """Opus packets and their times in ticks of 1/48000 s for what came at `pts`, in 1/90000 s.

        A payload of a transport stream may hold several frames, and parts of them.
        """
        out: list[tuple[bytes, int]] = []
        at = fractions.Fraction(pts)
        for packet in self._decoder.parse(data):
            try:
                frames = self._decoder.decode(packet)
            except self._errors:
                self.broken += 1
                continue
            for frame in frames:
                frame.pts, frame.time_base = int(at), _BASE
                at += fractions.Fraction(frame.samples * 90000, frame.sample_rate)
                out += self._encoder.encode(frame)
        return out
