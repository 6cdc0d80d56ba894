"""Candidates, and the ICE side of a connection's transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .events import AsyncIOEventEmitter

if TYPE_CHECKING:
    from .rtcconfiguration import RTCIceServer
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["RTCIceCandidate", "RTCIceGatherer", "RTCIceParameters", "RTCIceTransport"]


@dataclass
class RTCIceCandidate:
    """An address at which a side can be reached."""

    component: int
    foundation: str
    ip: str
    port: int
    priority: int
    protocol: str
    type: str
    relatedAddress: str | None = None
    relatedPort: int | None = None
    sdpMid: str | None = None
    sdpMLineIndex: int | None = None
    tcpType: str | None = None


@dataclass
class RTCIceParameters:
    """What a side is known by in checks."""

    usernameFragment: str | None = None
    password: str | None = None
    iceLite: bool = False


class RTCIceGatherer(AsyncIOEventEmitter):
    """Finds the candidates of this side."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        super().__init__()
        self._pc = pc

    @classmethod
    def getDefaultIceServers(cls) -> list[RTCIceServer]:
        """A public STUN server, for configurations that want one: none is used unless it is named there."""
        from .rtcconfiguration import RTCIceServer

        return [RTCIceServer(urls="stun:stun.l.google.com:19302")]

    @property
    def state(self) -> str:
        """ "new", "gathering" or "completed"."""
        return {"complete": "completed"}.get(self._pc.iceGatheringState, self._pc.iceGatheringState)

    def getLocalCandidates(self) -> list[RTCIceCandidate]:
        """The candidates found so far."""
        return self._pc._candidates(local=True)

    def getLocalParameters(self) -> RTCIceParameters:
        """What this side is known by."""
        return self._pc._ice_parameters()


class RTCIceTransport(AsyncIOEventEmitter):
    """The path between the two sides."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        super().__init__()
        self._pc = pc
        self._gatherer = RTCIceGatherer(pc)

    @property
    def iceGatherer(self) -> RTCIceGatherer:
        """The finder of candidates."""
        return self._gatherer

    @property
    def role(self) -> str:
        """ "controlling" or "controlled"."""
        return "controlling" if self._pc._peer.info().controlling else "controlled"

    @property
    def state(self) -> str:
        """ "new", "checking", "completed", "failed" or "closed"."""
        return self._pc.iceConnectionState

    def getRemoteCandidates(self) -> list[RTCIceCandidate]:
        """The candidates of the other side's description."""
        return self._pc._candidates(local=False)
