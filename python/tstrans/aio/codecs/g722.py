"""G.722 (ITU-T G.722) at 64 kbit/s."""

from __future__ import annotations

from ..._native import audio_lib as _lib
from .base import Codec

__all__ = ["G722Codec"]


class G722Codec(Codec):
    """G.722: 320 samples at 16,000 Hz are 160 bytes. Encoder and decoder keep state."""

    def __init__(self) -> None:
        self._native = _lib.AudioCodec(_lib.G722)

    @property
    def name(self) -> str:
        return "G722"

    @property
    def sample_rate(self) -> int:
        return 16000

    @property
    def samples_per_frame(self) -> int:
        return 320

    def encode(self, pcm: bytes) -> bytes:
        """One byte for two samples."""
        return self._native.encode(pcm, len(pcm) // 2 + 16)

    def decode(self, payload: bytes) -> bytes:
        """Two samples a byte."""
        return self._native.decode(payload, 4 * len(payload) + 16)
