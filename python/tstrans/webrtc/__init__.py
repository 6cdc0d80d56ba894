"""WebRTC: media tracks, connections, data channels, and streams into a browser without re-encoding.

``import tstrans.webrtc as aiortc`` is the way for programs of media streams. Raw frames are PyAV's and need
the extra ``webrtc``; encoded packets (`EncodedPacket`) need nothing.

Specifications: W3C WebRTC 1.0; RFC 8829 (SDP), 8445 (ICE), 6347 and 5764 (DTLS-SRTP), 3550, 4585, 4588
(RTP, feedback, repairs), 8831 and 8832 (data channels), 6184, 7741, 7587, 7798 (payloads), 9725 (WHIP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import AudioFrame as AudioFrame
    from av import VideoFrame as VideoFrame

    from ._packet import EncodedPacket as EncodedPacket
    from .exceptions import InvalidAccessError as InvalidAccessError
    from .exceptions import InvalidStateError as InvalidStateError
    from .exceptions import MissingExtraError as MissingExtraError
    from .mediastreams import AudioStreamTrack as AudioStreamTrack
    from .mediastreams import MediaStreamError as MediaStreamError
    from .mediastreams import MediaStreamTrack as MediaStreamTrack
    from .mediastreams import VideoStreamTrack as VideoStreamTrack
    from .rtcconfiguration import RTCBundlePolicy as RTCBundlePolicy
    from .rtcconfiguration import RTCConfiguration as RTCConfiguration
    from .rtcconfiguration import RTCIceServer as RTCIceServer
    from .rtcconfiguration import RTCIceTransportPolicy as RTCIceTransportPolicy
    from .rtcdatachannel import RTCDataChannel as RTCDataChannel
    from .rtcdatachannel import RTCDataChannelParameters as RTCDataChannelParameters
    from .rtcdtlstransport import RTCCertificate as RTCCertificate
    from .rtcdtlstransport import RTCDtlsFingerprint as RTCDtlsFingerprint
    from .rtcdtlstransport import RTCDtlsParameters as RTCDtlsParameters
    from .rtcdtlstransport import RTCDtlsTransport as RTCDtlsTransport
    from .rtcicetransport import RTCIceCandidate as RTCIceCandidate
    from .rtcicetransport import RTCIceGatherer as RTCIceGatherer
    from .rtcicetransport import RTCIceParameters as RTCIceParameters
    from .rtcicetransport import RTCIceTransport as RTCIceTransport
    from .rtcpeerconnection import RTCPeerConnection as RTCPeerConnection
    from .rtcrtpparameters import RTCRtcpParameters as RTCRtcpParameters
    from .rtcrtpparameters import RTCRtpCapabilities as RTCRtpCapabilities
    from .rtcrtpparameters import RTCRtpCodecCapability as RTCRtpCodecCapability
    from .rtcrtpparameters import RTCRtpCodecParameters as RTCRtpCodecParameters
    from .rtcrtpparameters import RTCRtpHeaderExtensionCapability as RTCRtpHeaderExtensionCapability
    from .rtcrtpparameters import RTCRtpHeaderExtensionParameters as RTCRtpHeaderExtensionParameters
    from .rtcrtpparameters import RTCRtpParameters as RTCRtpParameters
    from .rtcrtpreceiver import RTCRtpContributingSource as RTCRtpContributingSource
    from .rtcrtpreceiver import RTCRtpReceiver as RTCRtpReceiver
    from .rtcrtpreceiver import RTCRtpSynchronizationSource as RTCRtpSynchronizationSource
    from .rtcrtpsender import RTCRtpSender as RTCRtpSender
    from .rtcrtptransceiver import RTCRtpTransceiver as RTCRtpTransceiver
    from .rtcsctptransport import RTCSctpCapabilities as RTCSctpCapabilities
    from .rtcsctptransport import RTCSctpTransport as RTCSctpTransport
    from .rtcsessiondescription import RTCSessionDescription as RTCSessionDescription
    from .stats import RTCInboundRtpStreamStats as RTCInboundRtpStreamStats
    from .stats import RTCOutboundRtpStreamStats as RTCOutboundRtpStreamStats
    from .stats import RTCRemoteInboundRtpStreamStats as RTCRemoteInboundRtpStreamStats
    from .stats import RTCRemoteOutboundRtpStreamStats as RTCRemoteOutboundRtpStreamStats
    from .stats import RTCStatsReport as RTCStatsReport
    from .stats import RTCTransportStats as RTCTransportStats

_HOMES = {
    "_packet": ("EncodedPacket",),
    "exceptions": ("InvalidAccessError", "InvalidStateError", "MissingExtraError"),
    "mediastreams": ("AudioStreamTrack", "MediaStreamError", "MediaStreamTrack", "VideoStreamTrack"),
    "rtcconfiguration": ("RTCBundlePolicy", "RTCConfiguration", "RTCIceServer", "RTCIceTransportPolicy"),
    "rtcdatachannel": ("RTCDataChannel", "RTCDataChannelParameters"),
    "rtcdtlstransport": ("RTCCertificate", "RTCDtlsFingerprint", "RTCDtlsParameters", "RTCDtlsTransport"),
    "rtcicetransport": ("RTCIceCandidate", "RTCIceGatherer", "RTCIceParameters", "RTCIceTransport"),
    "rtcpeerconnection": ("RTCPeerConnection",),
    "rtcrtpparameters": (
        "RTCRtcpParameters",
        "RTCRtpCapabilities",
        "RTCRtpCodecCapability",
        "RTCRtpCodecParameters",
        "RTCRtpHeaderExtensionCapability",
        "RTCRtpHeaderExtensionParameters",
        "RTCRtpParameters",
    ),
    "rtcrtpreceiver": ("RTCRtpContributingSource", "RTCRtpReceiver", "RTCRtpSynchronizationSource"),
    "rtcrtpsender": ("RTCRtpSender",),
    "rtcrtptransceiver": ("RTCRtpTransceiver",),
    "rtcsctptransport": ("RTCSctpCapabilities", "RTCSctpTransport"),
    "rtcsessiondescription": ("RTCSessionDescription",),
    "stats": (
        "RTCInboundRtpStreamStats",
        "RTCOutboundRtpStreamStats",
        "RTCRemoteInboundRtpStreamStats",
        "RTCRemoteOutboundRtpStreamStats",
        "RTCStatsReport",
        "RTCTransportStats",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_SUBMODULES = (*(h for h in _HOMES if h[0] != "_"), "codecs", "contrib", "events", "sdp")

#: The frames are left out: `from tstrans.webrtc import *` needs no extra.
__all__ = [
    *sorted(_HOME_OF),
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = _HOME_OF.get(name)
    if home is not None:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    elif name in ("AudioFrame", "VideoFrame"):
        from . import _av

        value = getattr(_av.load(), name)
    elif name == "__version__":
        from .. import __version__ as value
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *_SUBMODULES, "AudioFrame", "VideoFrame"})
