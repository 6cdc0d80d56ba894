"""An encoded access unit or audio packet, for tracks that have no PyAV."""

from __future__ import annotations

import fractions

__all__ = ["EncodedPacket"]


class EncodedPacket:
    """One encoded picture or audio packet.

    `data` is an Annex B access unit of H.264 or H.265, a VP8 frame, or an Opus, G.711 or G.722 packet; `pts`
    counts `time_base`; `codec` names it ("h264", "h265", "vp8", "opus", "pcmu", "pcma", "g722").
    """

    __slots__ = ("codec", "data", "is_keyframe", "pts", "time_base")

    def __init__(
        self,
        data: bytes,
        pts: int,
        time_base: fractions.Fraction,
        *,
        codec: str = "",
        is_keyframe: bool = False,
    ) -> None:
        self.data = data
        self.pts = pts
        self.time_base = time_base
        self.codec = codec
        self.is_keyframe = is_keyframe

    @property
    def dts(self) -> int:
        """The time at which it is decoded; there is no reordering on the wire."""
        return self.pts

    @property
    def size(self) -> int:
        """Bytes of `data`."""
        return len(self.data)

    @property
    def time(self) -> float:
        """`pts` in seconds."""
        return float(self.pts * self.time_base)

    def __bytes__(self) -> bytes:
        return self.data

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        key = " key" if self.is_keyframe else ""
        return f"<EncodedPacket {self.codec}{key} pts={self.pts} {len(self.data)} bytes>"
