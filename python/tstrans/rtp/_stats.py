"""Counters and enumerations of RTP and RTSP."""

from __future__ import annotations

import enum
from typing import ClassVar

from .._live import Choice, ConnectionCounters, Snapshot
from .._value import public_module

__all__ = [
    "ClockAlignment",
    "DigestAlgorithm",
    "H264DepayStats",
    "MountStats",
    "ParameterSetInjection",
    "PublishMountStats",
    "PublishShape",
    "PublisherInfo",
    "RtpStats",
    "RtspStats",
    "RtspVersion",
    "ServerStats",
    "SocketStats",
    "StreamEndReason",
    "TransportPref",
]


class TransportPref(Choice):
    """How RTSP media comes: by UDP with TCP where that is refused, by UDP, or inside the RTSP connection."""

    __slots__ = ()
    AUTO: ClassVar[TransportPref]
    UDP: ClassVar[TransportPref]
    TCP: ClassVar[TransportPref]


TransportPref.AUTO = TransportPref._of("AUTO", 0)
TransportPref.UDP = TransportPref._of("UDP", 1)
TransportPref.TCP = TransportPref._of("TCP", 2)


class RtspVersion(Choice):
    """The version asked for. Both speak RTSP 1.0, which is what servers understand."""

    __slots__ = ()
    V1_0: ClassVar[RtspVersion]
    V2_0: ClassVar[RtspVersion]


RtspVersion.V1_0 = RtspVersion._of("V1_0", 0)
RtspVersion.V2_0 = RtspVersion._of("V2_0", 1)


class DigestAlgorithm(Choice):
    """The hash of Digest authentication (RFC 7616)."""

    __slots__ = ()
    MD5: ClassVar[DigestAlgorithm]
    SHA256: ClassVar[DigestAlgorithm]


DigestAlgorithm.MD5 = DigestAlgorithm._of("MD5", 0)
DigestAlgorithm.SHA256 = DigestAlgorithm._of("SHA256", 1)


class ParameterSetInjection(Choice):
    """Where known SPS and PPS are put in: nowhere, or before IDR pictures that lack them."""

    __slots__ = ()
    NONE: ClassVar[ParameterSetInjection]
    BEFORE_IDR: ClassVar[ParameterSetInjection]


ParameterSetInjection.NONE = ParameterSetInjection._of("NONE", 0)
ParameterSetInjection.BEFORE_IDR = ParameterSetInjection._of("BEFORE_IDR", 1)


class StreamEndReason(enum.IntEnum):
    """Why a stream ended."""

    CLEAN_TEARDOWN = 1
    SESSION_EXPIRED = 2
    KEEPALIVE_FAILED = 3
    TRANSPORT_FAILED = 4
    PROTOCOL_ERROR = 5
    CANCELLED = 6


class PublishShape(enum.IntEnum):
    """What a publisher sends: MPEG-TS, or elementary H.264 with or without KLV."""

    MP2T = 0
    ELEMENTARY = 1


class ClockAlignment(enum.IntEnum):
    """How the clocks of a publisher's media are related.

    By arrival until two seconds brought no sender reports (``PROVISIONAL``), by its sender reports from then.
    """

    NOT_APPLICABLE = 0
    PENDING = 1
    PROVISIONAL = 2
    SENDER_REPORT = 3


class SocketStats(ConnectionCounters):
    """Counters of one object. Bytes include the RTP header; what RTP does not know is 0."""

    __slots__ = ()

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={getattr(self, n)}" for n in self._fields[:5])
        return f"SocketStats({inner})"

    @classmethod
    def _make(
        cls,
        sent: tuple[int, int] = (0, 0),
        received: tuple[int, int] = (0, 0),
        lost: int = 0,
        dropped: int = 0,
    ) -> SocketStats:
        """From (bytes, packets) sent and received, and packets that never came or were dropped here."""
        size = received[0] // received[1] if received[1] else 0
        return cls._of(
            (*sent, *received, 0, 0, 0, 0, lost * size, lost, 0, 0, 0, dropped, 0, 0),
        )


class RtpStats(Snapshot):
    """Datagrams not taken: no RTP, another payload type; or from an address that is not the pinned one."""

    __slots__ = ("malformed_packets", "source_rejected")
    malformed_packets: int
    source_rejected: int


class H264DepayStats(Snapshot):
    """What became of the packets and pictures of an H.264 stream."""

    __slots__ = (
        "aus_emitted",
        "aus_dropped",
        "aus_dropped_oversize",
        "packets_discarded",
        "nalus_discarded",
        "seq_gaps",
        "duplicate_packets",
        "parameter_set_updates",
        "ssrc_changes",
    )
    aus_emitted: int
    aus_dropped: int
    aus_dropped_oversize: int
    packets_discarded: int
    nalus_discarded: int
    seq_gaps: int
    duplicate_packets: int
    parameter_set_updates: int
    ssrc_changes: int


class RtspStats(Snapshot):
    """The RTCP figures of a session; jitter in microseconds, the fraction lost in 1/256."""

    __slots__ = (
        "rr_packets_received",
        "sr_packets_received",
        "rr_packets_sent",
        "sr_packets_sent",
        "interarrival_jitter_us",
        "fraction_lost_q8",
    )
    rr_packets_received: int
    sr_packets_received: int
    rr_packets_sent: int
    sr_packets_sent: int
    interarrival_jitter_us: int
    fraction_lost_q8: int


class MountStats(Snapshot):
    """Counters of a mount: bytes of media, RTP packets made, players, packets that slow players lost."""

    __slots__ = ("bytes_pushed", "packets_pushed", "peer_count", "frames_dropped_total")
    bytes_pushed: int
    packets_pushed: int
    peer_count: int
    frames_dropped_total: int


class ServerStats(Snapshot):
    """Counters of a server. Bytes include the RTP header; sessions are connections."""

    __slots__ = (
        "active_sessions",
        "mounts",
        "total_rtp_packets_sent",
        "total_rtp_bytes_sent",
        "active_publishers",
        "total_rtp_packets_received",
        "total_rtp_bytes_received",
    )
    active_sessions: int
    mounts: int
    total_rtp_packets_sent: int
    total_rtp_bytes_sent: int
    active_publishers: int
    total_rtp_packets_received: int
    total_rtp_bytes_received: int


class PublisherInfo(Snapshot):
    """Who publishes to a mount, since when (ms since 1970), and what."""

    __slots__ = ("peer", "shape", "klv", "since_unix_ms", "generation")
    peer: str
    shape: PublishShape
    klv: bool
    since_unix_ms: int
    generation: int


class PublishMountStats(Snapshot):
    """Counters of a publish mount, over all publishers; bytes are RTP payload."""

    __slots__ = (
        "rtp_packets_received",
        "bytes_received",
        "malformed_packets",
        "source_rejected",
        "frames_emitted",
        "frames_dropped_app",
        "frames_dropped_readers",
        "aus_emitted",
        "aus_dropped",
        "aus_reordered",
        "klv_units_emitted",
        "klv_units_dropped",
        "alignment",
        "alignment_steps",
        "ssrc_changes",
        "generation",
        "peer_count",
    )
    rtp_packets_received: int
    bytes_received: int
    malformed_packets: int
    source_rejected: int
    frames_emitted: int
    frames_dropped_app: int
    frames_dropped_readers: int
    aus_emitted: int
    aus_dropped: int
    aus_reordered: int
    klv_units_emitted: int
    klv_units_dropped: int
    alignment: ClockAlignment
    alignment_steps: int
    ssrc_changes: int
    generation: int
    peer_count: int


for _enum in (StreamEndReason, PublishShape, ClockAlignment):
    _enum.__module__ = public_module(_enum.__module__)
