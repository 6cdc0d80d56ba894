"""Asyncio RTP: voice and video over plain RTP and RTCP.

``import tstrans.aio as aiortp`` is the whole migration from aiortp.
"""

from __future__ import annotations

from .audio import AudioFrame
from .clock import MediaClock
from .cn import NoiseGenerator, build_cn_payload, measure_level, parse_cn_payload
from .codecs import Codec, PayloadType, get_codec, register_codec
from .dtmf import DtmfEvent, DtmfReceiver, DtmfSender
from .h264 import H264Depacketizer, H264Packetizer, is_keyframe_nal
from .jitterbuffer import JitterBuffer, JitterFrame
from .pacer import PacedSender
from .packet import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket, RtpPacket, is_rtcp
from .playout import AdaptivePlayout
from .plc import PcmConcealer
from .port_allocator import PortAllocator
from .session import RTPSession
from .stats import NackGenerator, StreamStatistics
from .transport import RtpTransport
from .video_session import SUPPORTED_VIDEO_CODECS, VideoRTPSession
from .vp8 import VP8Depacketizer, VP8Packetizer, is_keyframe_vp8
from .vp9 import VP9Depacketizer, VP9Packetizer, is_keyframe_vp9

#: The release of aiortp whose surface this is.
__version__ = "0.8.0"

__all__ = [
    "SUPPORTED_VIDEO_CODECS",
    "AdaptivePlayout",
    "AudioFrame",
    "Codec",
    "DtmfEvent",
    "DtmfReceiver",
    "DtmfSender",
    "H264Depacketizer",
    "H264Packetizer",
    "JitterBuffer",
    "JitterFrame",
    "MediaClock",
    "NackGenerator",
    "NoiseGenerator",
    "PacedSender",
    "PayloadType",
    "PcmConcealer",
    "PortAllocator",
    "RTPSession",
    "RtcpByePacket",
    "RtcpPacket",
    "RtcpRrPacket",
    "RtcpSdesPacket",
    "RtcpSrPacket",
    "RtpPacket",
    "RtpTransport",
    "StreamStatistics",
    "VP8Depacketizer",
    "VP8Packetizer",
    "VP9Depacketizer",
    "VP9Packetizer",
    "VideoRTPSession",
    "__version__",
    "build_cn_payload",
    "get_codec",
    "is_keyframe_nal",
    "is_keyframe_vp8",
    "is_keyframe_vp9",
    "is_rtcp",
    "measure_level",
    "parse_cn_payload",
    "register_codec",
]
