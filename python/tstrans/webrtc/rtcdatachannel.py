"""Messages between the two sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .events import AsyncIOEventEmitter
from .exceptions import InvalidStateError

if TYPE_CHECKING:
    from .rtcpeerconnection import RTCPeerConnection
    from .rtcsctptransport import RTCSctpTransport

__all__ = ["RTCDataChannel", "RTCDataChannelParameters"]


@dataclass
class RTCDataChannelParameters:
    """How a channel carries messages; `maxPacketLifeTime` in ms."""

    label: str = ""
    maxPacketLifeTime: int | None = None
    maxRetransmits: int | None = None
    ordered: bool = True
    protocol: str = ""
    negotiated: bool = False
    id: int | None = None


class RTCDataChannel(AsyncIOEventEmitter):
    """A channel. Emits "open", "message" (str or bytes), "close" and "bufferedamountlow"."""

    def __init__(self, pc: RTCPeerConnection, number: int, parameters: RTCDataChannelParameters) -> None:
        super().__init__()
        self._pc = pc
        self._number = number
        self._parameters = parameters
        self._id = parameters.id
        self._state = "connecting"
        self._low = 0

    @property
    def label(self) -> str:
        """The name the opener gave it."""
        return self._parameters.label

    @property
    def id(self) -> int | None:
        """Its stream; None until one was chosen."""
        return self._id

    @property
    def ordered(self) -> bool:
        """Whether messages arrive in the order in which they were sent."""
        return self._parameters.ordered

    @property
    def protocol(self) -> str:
        """What the messages are, as the opener says."""
        return self._parameters.protocol

    @property
    def negotiated(self) -> bool:
        """Whether both sides opened it by agreement."""
        return self._parameters.negotiated

    @property
    def maxRetransmits(self) -> int | None:
        """How often a message is sent again; None without a bound."""
        return self._parameters.maxRetransmits

    @property
    def maxPacketLifeTime(self) -> int | None:
        """How long, in ms, a message is sent again; None without a bound."""
        return self._parameters.maxPacketLifeTime

    @property
    def readyState(self) -> str:
        """ "connecting", "open", "closing" or "closed"."""
        return self._state

    @property
    def bufferedAmount(self) -> int:
        """Bytes that wait to be sent or acknowledged."""
        if self._state in ("closed", "connecting"):
            return 0
        try:
            return int(self._pc._peer.channel(self._number).buffered_bytes)
        except InvalidStateError:
            return 0

    @property
    def bufferedAmountLowThreshold(self) -> int:
        """`bufferedAmount` at or below which "bufferedamountlow" comes, in bytes; default 0."""
        return self._low

    @bufferedAmountLowThreshold.setter
    def bufferedAmountLowThreshold(self, value: int) -> None:
        if value < 0 or value > 4294967295:
            raise ValueError("bufferedAmountLowThreshold must be in range 0 - 4294967295")
        self._low = value
        if self._state != "closed":
            self._pc._peer.channel_low(self._number, value)

    @property
    def transport(self) -> RTCSctpTransport:
        """What carries the channel."""
        sctp = self._pc.sctp
        assert sctp is not None
        return sctp

    def send(self, data: str | bytes) -> None:
        """Send a message: str arrives as str, bytes as bytes.

        InvalidStateError unless open, ValueError for other types and for more than the other side takes,
        OperationError while more than 64 MiB wait.
        """
        if self._state != "open":
            raise InvalidStateError
        if isinstance(data, str):
            self._pc._peer.channel_send(self._number, data.encode(), True)
        elif isinstance(data, bytes):
            self._pc._peer.channel_send(self._number, data, False)
        else:
            raise ValueError(f"Cannot send unsupported data type: {type(data)}")

    def close(self) -> None:
        """Close the channel; "close" tells when both sides have, at once where it was never open."""
        if self._state in ("closing", "closed"):
            return
        opened = self._state == "open"
        self._state = "closing"
        self._pc._peer.channel_close(self._number)
        if not opened:
            self._closed()

    def _opened(self) -> None:
        if self._state == "connecting":
            self._state = "open"
            self.emit("open")

    def _closed(self) -> None:
        if self._state != "closed":
            self._state = "closed"
            self.emit("close")
            self.remove_all_listeners()
