"""What each kind of media can be sent and received with."""

from __future__ import annotations

from .rtcrtpparameters import RTCRtpCapabilities, RTCRtpCodecCapability, RTCRtpHeaderExtensionCapability

__all__ = ["KINDS", "line_of", "of"]

KINDS = {"audio": 0, "video": 1}

_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_EXTENSIONS = {
    "audio": (_MID, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "video": (_MID, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
}


def of(kind: str) -> RTCRtpCapabilities:
    """The capabilities of a kind; ValueError for one that is none."""
    from .._native import webrtc_lib

    if kind not in KINDS:
        raise ValueError(f"cannot get capabilities for unknown media {kind}")
    codecs = []
    for line in webrtc_lib.capabilities(KINDS[kind]).splitlines():
        mime, clock, channels, listed = line.split(" ", 3)
        parameters: dict[str, int | str | None] = {}
        for part in listed.split(";"):
            name, found, value = part.partition("=")
            if found:
                parameters[name] = value
        codecs.append(
            RTCRtpCodecCapability(
                mimeType=mime,
                clockRate=int(clock),
                channels=int(channels) or None,
                parameters=parameters,
            )
        )
    return RTCRtpCapabilities(
        codecs=codecs, headerExtensions=[RTCRtpHeaderExtensionCapability(uri=u) for u in _EXTENSIONS[kind]]
    )


def line_of(c: RTCRtpCodecCapability) -> str:
    """A capability as the library lists it."""
    parameters = ";".join(f"{k}={v}" for k, v in c.parameters.items())
    return f"{c.mimeType} {c.clockRate} {c.channels or 0} {parameters}"
