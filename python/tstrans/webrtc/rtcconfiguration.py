"""How a connection is set up."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["RTCBundlePolicy", "RTCConfiguration", "RTCIceServer", "RTCIceTransportPolicy"]


@dataclass
class RTCIceServer:
    """A STUN or TURN server: ``stun:host:port``, ``turn:host:port?transport=udp``, one or a list of them."""

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None
    credentialType: str = "password"


class RTCIceTransportPolicy(enum.Enum):
    """Which candidates may be used."""

    ALL = "all"
    RELAY = "relay"


class RTCBundlePolicy(enum.Enum):
    """How media share transports. Here they always share one where the other side agrees."""

    BALANCED = "balanced"
    MAX_COMPAT = "max-compat"
    MAX_BUNDLE = "max-bundle"


@dataclass
class RTCConfiguration:
    """Settings of an RTCPeerConnection.

    `iceServers` None means no server: candidates of this machine alone.
    """

    iceServers: list[RTCIceServer] | None = None
    iceTransportPolicy: RTCIceTransportPolicy = RTCIceTransportPolicy.ALL
    bundlePolicy: RTCBundlePolicy = RTCBundlePolicy.BALANCED
    alwaysNegotiateDataChannels: bool = False
