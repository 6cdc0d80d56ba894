"""Candidates as descriptions have them."""

from __future__ import annotations

from .rtcicetransport import RTCIceCandidate

__all__ = ["candidate_from_sdp", "candidate_to_sdp"]


def candidate_from_sdp(sdp: str) -> RTCIceCandidate:
    """Read the value of a candidate attribute; ValueError for what is none.

    >>> candidate_from_sdp("1 1 udp 2130706431 192.0.2.7 4000 typ host").ip
    '192.0.2.7'
    """
    words = sdp.split()
    if len(words) < 8:
        raise ValueError(f"no candidate: {sdp!r}")
    candidate = RTCIceCandidate(
        component=int(words[1]),
        foundation=words[0],
        ip=words[4],
        port=int(words[5]),
        priority=int(words[3]),
        protocol=words[2],
        type=words[7],
    )
    for key, value in zip(words[8::2], words[9::2], strict=False):
        if key == "raddr":
            candidate.relatedAddress = value
        elif key == "rport":
            candidate.relatedPort = int(value)
        elif key == "tcptype":
            candidate.tcpType = value
    return candidate


def candidate_to_sdp(candidate: RTCIceCandidate) -> str:
    """The value of the attribute."""
    c = candidate
    sdp = f"{c.foundation} {c.component} {c.protocol} {c.priority} {c.ip} {c.port} typ {c.type}"
    if c.relatedAddress is not None:
        sdp += f" raddr {c.relatedAddress}"
    if c.relatedPort is not None:
        sdp += f" rport {c.relatedPort}"
    if c.tcpType is not None:
        sdp += f" tcptype {c.tcpType}"
    return sdp
