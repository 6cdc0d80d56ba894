"""A piece of decoded audio."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AudioFrame"]


@dataclass
class AudioFrame:
    """PCM with where it belongs: `timestamp` in its units, `sample_rate` in Hz, `samples` of a channel."""

    data: bytes
    timestamp: int
    sample_rate: int = 8000
    samples: int = 160
