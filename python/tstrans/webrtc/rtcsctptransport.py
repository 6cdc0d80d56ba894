"""What carries the data channels of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .events import AsyncIOEventEmitter

if TYPE_CHECKING:
    from .rtcdtlstransport import RTCDtlsTransport
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["RTCSctpCapabilities", "RTCSctpTransport"]

_MAX_MESSAGE = 262144
_MAX_CHANNELS = 65535
_PORT = 5000


@dataclass
class RTCSctpCapabilities:
    """`maxMessageSize` in bytes."""

    maxMessageSize: int


class RTCSctpTransport(AsyncIOEventEmitter):
    """SCTP over DTLS."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        super().__init__()
        self._pc = pc
        self._up = False

    @classmethod
    def getCapabilities(cls) -> RTCSctpCapabilities:
        """What this side takes."""
        return RTCSctpCapabilities(maxMessageSize=_MAX_MESSAGE)

    @property
    def state(self) -> str:
        """ "new", "connecting", "connected" or "closed"."""
        state = self._pc.connectionState
        if state == "connected":
            return "connected" if self._up else "connecting"
        return {"failed": "closed"}.get(state, state)

    @property
    def port(self) -> int:
        """The SCTP port."""
        return _PORT

    @property
    def maxChannels(self) -> int | None:
        """How many channels there may be, once connected."""
        return _MAX_CHANNELS if self.state == "connected" else None

    @property
    def is_server(self) -> bool:
        """Whether this side waits for the other's first packet; the controlling side does."""
        return self.transport.transport.role == "controlling"

    @property
    def mid(self) -> str | None:
        """The name of the section."""
        return self._pc._data_mid()

    @property
    def transport(self) -> RTCDtlsTransport:
        """What carries the packets."""
        return self._pc._transport
