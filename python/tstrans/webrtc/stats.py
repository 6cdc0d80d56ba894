"""Statistics of a connection."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

__all__ = [
    "RTCInboundRtpStreamStats",
    "RTCOutboundRtpStreamStats",
    "RTCReceivedRtpStreamStats",
    "RTCRemoteInboundRtpStreamStats",
    "RTCRemoteOutboundRtpStreamStats",
    "RTCRtpStreamStats",
    "RTCSentRtpStreamStats",
    "RTCStats",
    "RTCStatsReport",
    "RTCTransportStats",
]


@dataclass
class RTCStats:
    """What all entries share; `timestamp` is in UTC, `id` the type and an object number."""

    timestamp: datetime.datetime
    type: str
    id: str


@dataclass
class RTCRtpStreamStats(RTCStats):
    """Which stream an entry is of."""

    ssrc: int
    kind: str
    transportId: str


@dataclass
class RTCReceivedRtpStreamStats(RTCRtpStreamStats):
    """Counted where the stream arrives; `jitter` in ticks of the codec's clock."""

    packetsReceived: int
    packetsLost: int
    jitter: int


@dataclass
class RTCSentRtpStreamStats(RTCRtpStreamStats):
    """Counted where the stream leaves; bytes of payload."""

    packetsSent: int
    bytesSent: int


@dataclass
class RTCInboundRtpStreamStats(RTCReceivedRtpStreamStats):
    """A stream that arrives here."""


@dataclass
class RTCRemoteInboundRtpStreamStats(RTCReceivedRtpStreamStats):
    """The other side of a stream of ours; `roundTripTime` in seconds, or None; `fractionLost` of 256."""

    roundTripTime: float | None
    fractionLost: float


@dataclass
class RTCOutboundRtpStreamStats(RTCSentRtpStreamStats):
    """A stream that leaves here."""

    trackId: str


@dataclass
class RTCRemoteOutboundRtpStreamStats(RTCSentRtpStreamStats):
    """What the other side says of a stream of its own."""

    remoteTimestamp: datetime.datetime | None = None


@dataclass
class RTCTransportStats(RTCStats):
    """A transport; bytes with everything that DTLS and SRTP add."""

    packetsSent: int
    packetsReceived: int
    bytesSent: int
    bytesReceived: int
    iceRole: str
    dtlsState: str


class RTCStatsReport(dict[str, RTCStats]):
    """Entries by their id."""

    def add(self, stats: RTCStats) -> None:
        """Add an entry under its id."""
        self[stats.id] = stats
