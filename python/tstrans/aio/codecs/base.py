"""What a codec is."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Codec"]


class Codec(ABC):
    """Turns PCM (signed 16-bit little-endian) into payloads and back; one belongs to one stream."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The encoding's name."""

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """In Hz."""

    @property
    @abstractmethod
    def samples_per_frame(self) -> int:
        """Samples of a channel in a frame."""

    @abstractmethod
    def encode(self, pcm: bytes) -> bytes:
        """The payload of a frame."""

    @abstractmethod
    def decode(self, payload: bytes) -> bytes:
        """The PCM of a payload."""

    def conceal(self, num_samples: int) -> bytes | None:
        """What stands for lost samples, or None where the codec has no way of its own."""
        return None
