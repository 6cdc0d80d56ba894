"""Asyncio RTP: voice and video over plain RTP and RTCP.

``import tstrans.aio as aiortp`` is the whole migration from aiortp 0.5 to 0.8. Sockets, codecs, jitter
buffers, pacing and RTCP run in the library, in one loop for all sessions of the process; the asyncio loop
(uvloop, too) is woken once a batch. What is sent goes out within 4 ms, what arrives is delivered within
the same.

>>> codec = get_codec(PayloadType.PCMU)
>>> len(codec.decode(codec.encode(bytes(320))))
320

Where aiortp does what nobody can want, sessions do otherwise by default. ``as_reference=True`` brings the
first five back:

- The frames held back by `jitter_prefetch` are delivered once the sender has been quiet for 0.6 s; aiortp
  keeps them for ever.
- Without `skip_audio_gaps`, the frames before a gap are delivered when the buffer overflows; aiortp drops
  them.
- A video frame with a gap waits 100 ms for a retransmission, or until a key frame begins; aiortp drops
  it, and asks for a key frame, before its own NACK can be answered.
- Frames that become complete together are delivered together; aiortp delivers one a packet.
- With `playout`, a frame that comes within a frame's time after its tick is inserted, and counted as an
  expansion; aiortp drops it and runs dry, once in 200 s where the sender's clock is 100 ppm slow. (The class
  :class:`AdaptivePlayout` does as aiortp does, without ``wait_for_late=True``.)
- A-law has the polarity of ITU-T G.711; that of aiortp is reversed.
- A frame of video with a gap is dropped whole; aiortp's jitter buffer delivers what lies behind the gap.
- Several packets of audio with one timestamp and a gap among them do not stop a buffer with
  `skip_audio_gaps`.
- Payloads of under 3 bytes are a ValueError for the packetizers; those of aiortp never return.
- A picture that comes first behind a gap, or whose sequence numbers wrap, is delivered whole.
- RFC 7741 and RFC 9628 are followed where aiortp has VP8's later partitions begin a frame, and the list of
  references of VP9 end at the wrong bit.
- A NACK list wraps behind 65535, the transmission offset takes three bytes, header extensions of a wrong size
  are a ValueError, source descriptions of several chunks are read as RFC 3550 lays them out, too.
- A late end packet of a digit that was told is not told again; a digit too long for 16 bits is a ValueError
  before anything is sent.
- Timestamps that users count beyond 32 bits wrap; aiortp raises struct.error.
- A loss is concealed also where the frame behind it cannot be decoded.
- Only STUN binding requests are answered; aiortp answers responses, too.
- The paced queue holds 30,000 frames; what is beyond is counted in :attr:`RTPSession.faults`, as are
  malformed datagrams and whatever else went wrong. A NACK brings 128 packets at most.

A process that was forked cannot use sessions from before the fork: they raise, and new ones work.
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
