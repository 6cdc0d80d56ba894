"""Comfort noise (RFC 3389): levels in -dBov, 0 loudest to 127 silence."""

from __future__ import annotations

from .._native import audio_lib as _lib

__all__ = ["DEFAULT_CN_LEVEL", "NoiseGenerator", "build_cn_payload", "measure_level", "parse_cn_payload"]

DEFAULT_CN_LEVEL = 70


class NoiseGenerator:
    """White noise of one level."""

    def __init__(self, level: int) -> None:
        self._native = _lib.Noise(level)
        self.level = level

    def generate(self, num_samples: int) -> bytes:
        """PCM of `num_samples` samples."""
        return self._native.generate(max(0, num_samples))


def measure_level(pcm: bytes) -> int:
    """The level of PCM: its RMS; 127 for silence and for nothing."""
    return _lib.noise_level(pcm)


def build_cn_payload(level: int) -> bytes:
    """The payload for a level, which is brought into 0 to 127.

    >>> build_cn_payload(70)
    b'F'
    """
    return bytes([max(0, min(level, 127))])


def parse_cn_payload(payload: bytes) -> int:
    """The level in a payload: 127 where it is empty; spectral parts are not read."""
    return payload[0] % 128 if payload else 127
