"""Opus (RFC 6716) over libopus."""

from __future__ import annotations

from ..._native import audio_lib as _lib
from .base import Codec

__all__ = ["OpusCodec"]


class OpusCodec(Codec):
    """Opus for speech.

    :param sample_rate: 8000, 12000, 16000, 24000 or 48000 Hz.
    :param channels: 1 or 2, interleaved.
    :param frame_ms: 5, 10, 20, 40 or 60.
    :param dtx: send next to nothing in silence.
    :raises ImportError: without libopus.
    :raises ValueError: for what Opus does not have.
    """

    def __init__(
        self, sample_rate: int = 48000, channels: int = 1, frame_ms: int = 20, dtx: bool = False
    ) -> None:
        self._sample_rate = sample_rate
        self._channels = channels
        self._samples = sample_rate * frame_ms // 1000
        self._dtx = dtx
        self._native = _lib.AudioCodec(
            _lib.OPUS,
            {"sample_rate": sample_rate, "channels": channels, "frame_ms": frame_ms, "dtx": int(dtx)},
        )

    @property
    def name(self) -> str:
        return "opus"

    @property
    def sample_rate(self) -> int:
        return self._sample_rate

    @property
    def samples_per_frame(self) -> int:
        return self._samples

    @property
    def dtx(self) -> bool:
        """Whether silence is not sent."""
        return self._dtx

    def encode(self, pcm: bytes) -> bytes:
        """The packet of one frame; a frame cut short is filled with silence."""
        return self._native.encode(pcm, 4000)

    def decode(self, payload: bytes) -> bytes:
        """The PCM of a packet; an empty one stands for a lost packet."""
        return self._native.decode(payload, self._sample_rate * 120 // 1000 * 2 * self._channels)

    def conceal(self, num_samples: int) -> bytes:
        """The decoder's own idea of lost samples, in whole frames, at least one."""
        return self._native.conceal(
            num_samples, 2 * self._channels * (max(num_samples, 0) + 2 * self._samples)
        )
