"""Counters of SRT connections."""

from __future__ import annotations

from typing import Any

from .._live import ConnectionCounters, Snapshot

__all__ = ["SocketStats", "SrtStats", "packet_level", "socket_level", "srt_level"]


class SocketStats(ConnectionCounters):
    """Counters of a connection. Bytes include the 44 bytes of headers a packet has; rates are bit/s."""

    __slots__ = ()


class SrtStats(Snapshot):
    """The same with the side named, and the estimated capacity of the link in Mbit/s."""

    __slots__ = (
        "bytes_sent",
        "packets_sent",
        "bytes_received",
        "packets_received",
        "rtt_us",
        "mbps_estimated_bandwidth",
        "send_bandwidth_bps",
        "recv_bandwidth_bps",
        "bytes_lost_recv_side",
        "bytes_lost_send_side",
        "packets_lost_recv_side",
        "packets_lost_send_side",
        "packets_retransmitted",
        "packets_dropped_send_side",
        "packets_dropped_recv_side",
        "send_buffer_packets",
        "recv_buffer_packets",
    )
    bytes_sent: int
    packets_sent: int
    bytes_received: int
    packets_received: int
    rtt_us: int
    mbps_estimated_bandwidth: float
    send_bandwidth_bps: int
    recv_bandwidth_bps: int
    bytes_lost_recv_side: int
    bytes_lost_send_side: int
    packets_lost_recv_side: int
    packets_lost_send_side: int
    packets_retransmitted: int
    packets_dropped_send_side: int
    packets_dropped_recv_side: int
    send_buffer_packets: int
    recv_buffer_packets: int


def socket_level(s: Any) -> SocketStats:
    """From the library's counters."""
    return SocketStats._of(
        (
            *(s.bytes_sent, s.packets_sent, s.bytes_received, s.packets_received, s.rtt_us),
            *(s.send_rate_bps, s.recv_rate_bps, int(s.link_bandwidth_mbps * 1e6)),
            *(s.bytes_lost_recv, s.packets_lost_recv, s.packets_lost_send, s.packets_retransmitted),
            *(s.packets_dropped_send, s.packets_dropped_recv, s.send_buffer_packets, s.recv_buffer_packets),
        )
    )


def packet_level(count: int) -> SocketStats:
    """Of a receiver, in TS packets."""
    return SocketStats._of((0, 0, count * 188, count, *(0,) * 12))


def srt_level(s: Any) -> SrtStats:
    """From the library's counters."""
    return SrtStats._of(
        (
            *(s.bytes_sent, s.packets_sent, s.bytes_received, s.packets_received, s.rtt_us),
            *(s.link_bandwidth_mbps, s.send_rate_bps, s.recv_rate_bps, s.bytes_lost_recv, 0),
            *(s.packets_lost_recv, s.packets_lost_send, s.packets_retransmitted),
            *(s.packets_dropped_send, s.packets_dropped_recv, s.send_buffer_packets, s.recv_buffer_packets),
        )
    )
