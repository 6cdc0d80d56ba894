"""H.264 over RTP (RFC 6184)."""

from __future__ import annotations

from .._native import rtpflow_lib as _lib

__all__ = ["H264Depacketizer", "H264Packetizer", "is_keyframe_nal"]


def is_keyframe_nal(nal_unit: bytes) -> bool:
    """Whether a NAL unit is an IDR slice or a parameter set."""
    return _lib.is_key(_lib.H264, nal_unit)


class H264Packetizer:
    """Single NAL units and FU-A."""

    @staticmethod
    def packetize(nal_unit: bytes, mtu: int = 1400) -> list[tuple[bytes, bool]]:
        """(payload, whether it is the last) of a NAL unit without start code; `mtu` of at least 3 bytes.

        >>> [len(p) for p, _ in H264Packetizer.packetize(bytes([0x65]) + bytes(3000))]
        [1400, 1400, 206]
        """
        return _lib.packetize(_lib.H264, nal_unit, mtu, False)


class H264Depacketizer:
    """Puts NAL units together from single NAL units, STAP-A and FU-A."""

    def __init__(self) -> None:
        self._native = _lib.Depacketizer(_lib.H264)

    def feed(self, payload: bytes, marker: bool) -> list[bytes]:
        """The NAL units, without start codes, that a payload completes."""
        return [unit for unit, _ in self._native.feed(payload, marker)]

    def reset(self) -> None:
        """Forget a unit that is incomplete."""
        self._native.reset()
