"""The DTLS side of a connection's transport."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .events import AsyncIOEventEmitter
from .rtcicetransport import RTCIceTransport
from .stats import RTCStatsReport, RTCTransportStats

if TYPE_CHECKING:
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["RTCCertificate", "RTCDtlsFingerprint", "RTCDtlsParameters", "RTCDtlsTransport"]


@dataclass
class RTCDtlsFingerprint:
    """A digest of a certificate."""

    algorithm: str
    value: str


@dataclass
class RTCDtlsParameters:
    """What a side is known by; `role` is "auto", "client" or "server"."""

    fingerprints: list[RTCDtlsFingerprint] = field(default_factory=list)
    role: str = "auto"


class RTCCertificate:
    """The certificate of a connection: each has one of its own, valid for 30 days."""

    def __init__(self, fingerprints: list[RTCDtlsFingerprint], expires: datetime.datetime) -> None:
        self._fingerprints = fingerprints
        self._expires = expires

    @property
    def expires(self) -> datetime.datetime:
        """When it is no longer valid, in UTC."""
        return self._expires

    def getFingerprints(self) -> list[RTCDtlsFingerprint]:
        """Its digests."""
        return list(self._fingerprints)


class RTCDtlsTransport(AsyncIOEventEmitter):
    """Encryption between the two sides."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        super().__init__()
        self._pc = pc
        self._ice = RTCIceTransport(pc)

    @property
    def state(self) -> str:
        """ "new", "connecting", "connected", "failed" or "closed"."""
        return self._pc.connectionState

    @property
    def transport(self) -> RTCIceTransport:
        """What carries the records."""
        return self._ice

    def getLocalParameters(self) -> RTCDtlsParameters:
        """What this side is known by."""
        return RTCDtlsParameters(fingerprints=self._pc._fingerprints())

    def _stats_id(self) -> str:
        return f"transport_{id(self)}"

    def _get_stats(self) -> RTCStatsReport:
        report = RTCStatsReport()
        info = self._pc._peer.info()
        report.add(
            RTCTransportStats(
                timestamp=datetime.datetime.now(datetime.timezone.utc),
                type="transport",
                id=self._stats_id(),
                packetsSent=info.packets_sent,
                packetsReceived=info.packets_received,
                bytesSent=info.bytes_sent,
                bytesReceived=info.bytes_received,
                iceRole="controlling" if info.controlling else "controlled",
                dtlsState=self.state,
            )
        )
        return report
