"""RTP and RTSP: cameras in, streams out.

>>> from tstrans.mpegts import DemuxEvent, MuxerProgramConfigBuilder, Pts90khz, VideoCodec
>>> from tstrans.rtp import RtspClient, RtspClientConfig, RtspServer, RtspServerConfig
>>> program = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
>>> with RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0")) as server:
...     mount = server.add_unicast_mount("/live", program)
...     with RtspClient.connect(RtspClientConfig(f"rtsp://{server.local_addr()}/live")) as session:
...         events = session.into_demux_receiver()
...         for i in range(3):
...             mount.push_video(b"\\0\\0\\0\\1\\x65picture", pts=Pts90khz.from_ms(40 * i), key_frame=True)
...         next(e.payload for e in events if isinstance(e, DemuxEvent.Video))
b'\\x00\\x00\\x00\\x01epicture'

Faults of the media are ``RtpError``, those of requests and servers ``RtspError``. Calls that wait end within
100 ms of Ctrl-C, and when another thread closes or cancels the object.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._client import BasicAuth as BasicAuth
    from ._client import DigestAuth as DigestAuth
    from ._client import RtspCancelHandle as RtspCancelHandle
    from ._client import RtspClient as RtspClient
    from ._client import RtspClientConfig as RtspClientConfig
    from ._client import RtspSession as RtspSession
    from ._h264 import H264AccessUnit as H264AccessUnit
    from ._h264 import H264DepayConfig as H264DepayConfig
    from ._h264 import H264Receiver as H264Receiver
    from ._media import DemuxReceiver as DemuxReceiver
    from ._media import MuxSender as MuxSender
    from ._plain import CancelHandle as CancelHandle
    from ._plain import Receiver as Receiver
    from ._plain import Sender as Sender
    from ._server import MountHandle as MountHandle
    from ._server import PublishMount as PublishMount
    from ._server import RtspServer as RtspServer
    from ._server import RtspServerCancelHandle as RtspServerCancelHandle
    from ._server import RtspServerConfig as RtspServerConfig
    from ._stats import ClockAlignment as ClockAlignment
    from ._stats import DigestAlgorithm as DigestAlgorithm
    from ._stats import H264DepayStats as H264DepayStats
    from ._stats import MountStats as MountStats
    from ._stats import ParameterSetInjection as ParameterSetInjection
    from ._stats import PublisherInfo as PublisherInfo
    from ._stats import PublishMountStats as PublishMountStats
    from ._stats import PublishShape as PublishShape
    from ._stats import RtpStats as RtpStats
    from ._stats import RtspStats as RtspStats
    from ._stats import RtspVersion as RtspVersion
    from ._stats import ServerStats as ServerStats
    from ._stats import SocketStats as SocketStats
    from ._stats import StreamEndReason as StreamEndReason
    from ._stats import TransportPref as TransportPref

_NAMES = {
    "._client": (
        *("BasicAuth", "DigestAuth", "RtspCancelHandle", "RtspClient", "RtspClientConfig", "RtspSession"),
    ),
    "._h264": ("H264AccessUnit", "H264DepayConfig", "H264Receiver"),
    "._media": ("DemuxReceiver", "MuxSender"),
    "._plain": ("CancelHandle", "Receiver", "Sender"),
    "._server": ("MountHandle", "PublishMount", "RtspServer", "RtspServerCancelHandle", "RtspServerConfig"),
    "._stats": (
        *("ClockAlignment", "DigestAlgorithm", "H264DepayStats", "MountStats", "ParameterSetInjection"),
        *("PublishMountStats", "PublishShape", "PublisherInfo", "RtpStats", "RtspStats", "RtspVersion"),
        *("ServerStats", "SocketStats", "StreamEndReason", "TransportPref"),
    ),
}
_HOME_OF = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "BasicAuth",
    "CancelHandle",
    "ClockAlignment",
    "DemuxReceiver",
    "DigestAlgorithm",
    "DigestAuth",
    "H264AccessUnit",
    "H264DepayConfig",
    "H264DepayStats",
    "H264Receiver",
    "MountHandle",
    "MountStats",
    "MuxSender",
    "ParameterSetInjection",
    "PublishMount",
    "PublishMountStats",
    "PublishShape",
    "PublisherInfo",
    "Receiver",
    "RtpStats",
    "RtspCancelHandle",
    "RtspClient",
    "RtspClientConfig",
    "RtspServer",
    "RtspServerCancelHandle",
    "RtspServerConfig",
    "RtspSession",
    "RtspStats",
    "RtspVersion",
    "Sender",
    "ServerStats",
    "SocketStats",
    "StreamEndReason",
    "TransportPref",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
