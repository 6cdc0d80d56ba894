"""Codecs, header extensions and encodings, as they are negotiated."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "RTCRtcpFeedback",
    "RTCRtcpParameters",
    "RTCRtpCapabilities",
    "RTCRtpCodecCapability",
    "RTCRtpCodecParameters",
    "RTCRtpCodingParameters",
    "RTCRtpDecodingParameters",
    "RTCRtpEncodingParameters",
    "RTCRtpHeaderExtensionCapability",
    "RTCRtpHeaderExtensionParameters",
    "RTCRtpParameters",
    "RTCRtpReceiveParameters",
    "RTCRtpRtxParameters",
    "RTCRtpSendParameters",
]

Parameters = dict[str, "int | str | None"]


@dataclass
class RTCRtpCodecCapability:
    """A codec that can be sent or received; `clockRate` in Hz."""

    mimeType: str
    clockRate: int
    channels: int | None = None
    parameters: dict[str, int | str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ "VP8" of "video/VP8"."""
        return self.mimeType.split("/")[1]


@dataclass
class RTCRtpHeaderExtensionCapability:
    """A header extension that can be used."""

    uri: str


@dataclass
class RTCRtpCapabilities:
    """What a kind of media can be sent or received with."""

    codecs: list[RTCRtpCodecCapability] = field(default_factory=list)
    headerExtensions: list[RTCRtpHeaderExtensionCapability] = field(default_factory=list)


@dataclass
class RTCRtcpFeedback:
    """A kind of feedback, such as ("nack", "pli")."""

    type: str
    parameter: str | None = None


@dataclass
class RTCRtpCodecParameters:
    """A negotiated codec."""

    mimeType: str
    clockRate: int
    channels: int | None = None
    payloadType: int | None = None
    rtcpFeedback: list[RTCRtcpFeedback] = field(default_factory=list)
    parameters: dict[str, int | str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ "VP8" of "video/VP8"."""
        return self.mimeType.split("/")[1]

    def __str__(self) -> str:
        """As descriptions have it: "opus/48000/2"."""
        channels = "/2" if self.channels == 2 else ""
        return f"{self.name}/{self.clockRate}{channels}"


@dataclass
class RTCRtpRtxParameters:
    """The stream of repairs."""

    ssrc: int


@dataclass
class RTCRtpCodingParameters:
    """An encoding."""

    ssrc: int
    payloadType: int
    rtx: RTCRtpRtxParameters | None = None


class RTCRtpDecodingParameters(RTCRtpCodingParameters):
    """An encoding that is received."""


class RTCRtpEncodingParameters(RTCRtpCodingParameters):
    """An encoding that is sent."""


@dataclass
class RTCRtpHeaderExtensionParameters:
    """A negotiated header extension."""

    id: int
    uri: str


@dataclass
class RTCRtcpParameters:
    """RTCP of a stream."""

    cname: str | None = None
    mux: bool = False
    ssrc: int | None = None


@dataclass
class RTCRtpParameters:
    """What both directions share."""

    codecs: list[RTCRtpCodecParameters] = field(default_factory=list)
    headerExtensions: list[RTCRtpHeaderExtensionParameters] = field(default_factory=list)
    muxId: str = ""
    rtcp: RTCRtcpParameters = field(default_factory=RTCRtcpParameters)


@dataclass
class RTCRtpReceiveParameters(RTCRtpParameters):
    """What a receiver was set up with."""

    encodings: list[RTCRtpDecodingParameters] = field(default_factory=list)


@dataclass
class RTCRtpSendParameters(RTCRtpParameters):
    """What a sender was set up with."""

    encodings: list[RTCRtpEncodingParameters] = field(default_factory=list)
