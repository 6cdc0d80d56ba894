"""A description of one side of a session."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RTCSessionDescription"]


@dataclass
class RTCSessionDescription:
    """SDP text and what it is: offer, pranswer, answer or rollback; ValueError for another type."""

    sdp: str
    type: str

    def __post_init__(self) -> None:
        known = ["offer", "pranswer", "answer", "rollback"]
        if self.type not in known:
            raise ValueError(f"'type' must be in {known} (got '{self.type}')")
