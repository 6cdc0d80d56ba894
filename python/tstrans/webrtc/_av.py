"""PyAV, where it is installed: frames, packets, encoders and decoders are its own."""

from __future__ import annotations

from typing import Any

from .exceptions import MissingExtraError

__all__ = ["load"]

_av: Any = None


def load() -> Any:
    """The module av; MissingExtraError where it is not installed."""
    global _av
    if _av is None:
        try:
            import av
        except ImportError as e:
            raise MissingExtraError(
                'raw audio and video frames need PyAV: pip install "tstrans-go[webrtc]" '
                "(encoded packets do not)"
            ) from e
        _av = av
    return _av
