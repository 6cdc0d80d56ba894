"""A sender and a receiver that share a section of the descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._native import webrtc_abi as abi
from . import _capabilities
from .rtcrtpparameters import RTCRtpCodecCapability
from .rtcrtpreceiver import RTCRtpReceiver
from .rtcrtpsender import RTCRtpSender

if TYPE_CHECKING:
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["DIRECTIONS", "RTCRtpTransceiver"]

DIRECTIONS = ["inactive", "sendonly", "recvonly", "sendrecv"]

#: What is negotiated only where preferences name it: it is sent as encoded packets.
H265 = RTCRtpCodecCapability(mimeType="video/H265", clockRate=90000)


class RTCRtpTransceiver:
    """Both directions of one kind of media."""

    def __init__(
        self, pc: RTCPeerConnection, number: int, sender: RTCRtpSender, receiver: RTCRtpReceiver
    ) -> None:
        self._pc = pc
        self._number = number
        self._sender = sender
        self._receiver = receiver

    @property
    def kind(self) -> str:
        """ "audio" or "video"."""
        return self._sender.kind

    @property
    def currentDirection(self) -> str | None:
        """What was negotiated; None before."""
        current = self._pc._peer.transceiver(self._number).current
        return None if current == abi.TST_RTC_NO_DIRECTION else DIRECTIONS[int(current)]

    @property
    def direction(self) -> str:
        """What the next description asks for: sendrecv, sendonly, recvonly, inactive."""
        return DIRECTIONS[int(self._pc._peer.transceiver(self._number).direction)]

    @direction.setter
    def direction(self, direction: str) -> None:
        assert direction in DIRECTIONS
        self._pc._peer.set(self._number, abi.TST_RTC_SET_DIRECTION, DIRECTIONS.index(direction))

    @property
    def mid(self) -> str | None:
        """The name of the section; None before there is one."""
        if not self._pc._peer.transceiver(self._number).has_mid:
            return None
        return self._pc._peer.mid(self._number)

    @property
    def receiver(self) -> RTCRtpReceiver:
        """The receiving half."""
        return self._receiver

    @property
    def sender(self) -> RTCRtpSender:
        """The sending half."""
        return self._sender

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, or the connection was closed."""
        return self._pc._closed or bool(self._pc._peer.transceiver(self._number).stopped)

    def setCodecPreferences(self, codecs: list[RTCRtpCodecCapability]) -> None:
        """Offer and answer these codecs alone, in this order; an empty list takes all again.

        Besides the capabilities, video/H265 is taken. ValueError for what is no capability.
        """
        known = [*_capabilities.of(self.kind).codecs, *([H265] if self.kind == "video" else [])]
        for codec in codecs:
            if codec not in known:
                raise ValueError("Codec is not in capabilities")
        lines = "\n".join(_capabilities.line_of(c) for c in codecs)
        self._pc._peer.set_preferences(self._number, lines)

    async def stop(self) -> None:
        """Stop both directions for good."""
        await self._receiver.stop()
        await self._sender.stop()
        self._pc._peer.set(self._number, abi.TST_RTC_SET_STOP)
