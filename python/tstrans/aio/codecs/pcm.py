"""L16: linear PCM in network byte order (RFC 3551 §4.5.11)."""

from __future__ import annotations

from ..._native import audio_lib as _lib
from .base import Codec

__all__ = ["L16Codec"]


class L16Codec(Codec):
    """L16 at 8,000 Hz. Half a sample is a ValueError."""

    def __init__(self) -> None:
        self._native = _lib.AudioCodec(_lib.L16)

    @property
    def name(self) -> str:
        return "L16"

    @property
    def sample_rate(self) -> int:
        return 8000

    @property
    def samples_per_frame(self) -> int:
        return 160

    def encode(self, pcm: bytes) -> bytes:
        """The samples in network byte order."""
        return self._native.encode(pcm, len(pcm))

    def decode(self, payload: bytes) -> bytes:
        """The samples in little-endian order."""
        return self._native.decode(payload, len(payload))
