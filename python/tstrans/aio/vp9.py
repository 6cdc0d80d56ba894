"""VP9 over RTP (RFC 9628)."""

from __future__ import annotations

from .._native import rtpflow_lib as _lib

__all__ = ["VP9Depacketizer", "VP9Packetizer", "is_keyframe_vp9"]


def is_keyframe_vp9(payload: bytes) -> bool:
    """Whether a payload, descriptor included, begins a key frame."""
    return _lib.is_key(_lib.VP9, payload)


class VP9Packetizer:
    """Payloads with a descriptor of one byte."""

    @staticmethod
    def packetize(frame: bytes, mtu: int = 1400, keyframe: bool = False) -> list[tuple[bytes, bool]]:
        """(payload, whether it is the last) of a frame; `mtu` of at least 3 bytes."""
        return _lib.packetize(_lib.VP9, frame, mtu, keyframe)


class VP9Depacketizer:
    """Puts frames together; optional parts of the descriptor are skipped."""

    def __init__(self) -> None:
        self._native = _lib.Depacketizer(_lib.VP9)

    def feed(self, payload: bytes, marker: bool) -> list[tuple[bytes, bool]]:
        """(frame, whether it is a key frame), once its last payload came."""
        return self._native.feed(payload, marker)

    def reset(self) -> None:
        """Forget a frame that is incomplete."""
        self._native.reset()
