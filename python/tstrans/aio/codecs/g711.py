"""G.711 (ITU-T G.711), mu-law and A-law."""

from __future__ import annotations

from ..._native import audio_lib as _lib
from .base import Codec

__all__ = ["PcmaCodec", "PcmuCodec"]


class _Law(Codec):
    _law: int
    _name: str

    @property
    def name(self) -> str:
        return self._name

    @property
    def sample_rate(self) -> int:
        return 8000

    @property
    def samples_per_frame(self) -> int:
        return 160

    def encode(self, pcm: bytes) -> bytes:
        """One byte a sample; a last odd byte is left out."""
        return _lib.g711_encode(pcm, self._law)

    def decode(self, payload: bytes) -> bytes:
        """Two bytes of PCM a byte."""
        return _lib.g711_decode(payload, self._law)


class PcmuCodec(_Law):
    """Mu-law.

    >>> PcmuCodec().encode(bytes(4))
    b'\\xff\\xff'
    """

    _law = _lib.ULAW
    _name = "PCMU"


class PcmaCodec(_Law):
    """A-law.

    >>> PcmaCodec().encode(bytes(4)).hex()
    'd5d5'
    """

    _law = _lib.ALAW
    _name = "PCMA"
