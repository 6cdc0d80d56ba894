"""VP8 over RTP (RFC 7741)."""

from __future__ import annotations

from .._native import rtpflow_lib as _lib

__all__ = ["VP8Depacketizer", "VP8Packetizer", "is_keyframe_vp8"]


def is_keyframe_vp8(payload: bytes) -> bool:
    """Whether a payload, descriptor included, begins a key frame."""
    return _lib.is_key(_lib.VP8, payload)


class VP8Packetizer:
    """Payloads with a descriptor of one byte."""

    @staticmethod
    def packetize(frame: bytes, mtu: int = 1400, keyframe: bool = False) -> list[tuple[bytes, bool]]:
        """(payload, whether it is the last) of a frame; `mtu` of at least 3 bytes."""
        return _lib.packetize(_lib.VP8, frame, mtu, keyframe)


class VP8Depacketizer:
    """Puts frames together; optional parts of the descriptor are skipped."""

    def __init__(self) -> None:
        self._native = _lib.Depacketizer(_lib.VP8)

    def feed(self, payload: bytes, marker: bool) -> list[tuple[bytes, bool]]:
        """(frame, whether it is a key frame), once its last payload came."""
        return self._native.feed(payload, marker)

    def reset(self) -> None:
        """Forget a frame that is incomplete."""
        self._native.reset()
