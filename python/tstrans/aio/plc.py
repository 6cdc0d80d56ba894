"""Concealment of lost frames."""

from __future__ import annotations

from .._native import audio_lib as _lib

__all__ = ["DEFAULT_FADE_MS", "PcmConcealer"]

DEFAULT_FADE_MS = 60


class PcmConcealer:
    """Repeats the last frame in a cycle while a linear ramp takes it to silence within `fade_ms`."""

    def __init__(self, sample_rate: int, fade_ms: int = DEFAULT_FADE_MS) -> None:
        self._native = _lib.Concealer(sample_rate, fade_ms)

    @property
    def frame_samples(self) -> int:
        """Samples of the frame that is repeated, 0 before the first."""
        return self._native.frame_samples

    def update(self, pcm: bytes) -> None:
        """Take a real frame: the ramp begins again."""
        if len(pcm) % 2:
            raise ValueError(f"{len(pcm)} bytes are no whole number of 16-bit samples")
        self._native.update(pcm)

    def conceal(self, num_samples: int) -> bytes:
        """PCM that stands for lost samples: zeros before the first frame and behind the ramp."""
        return self._native.conceal(num_samples)
