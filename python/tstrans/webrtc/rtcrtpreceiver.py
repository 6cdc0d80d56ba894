"""The receiving half of a transceiver."""

from __future__ import annotations

import asyncio
import datetime
import fractions
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._native import webrtc_abi as abi
from . import _capabilities, _codecs
from ._packet import EncodedPacket
from .mediastreams import Media, MediaStreamError, MediaStreamTrack
from .rtcrtpparameters import RTCRtpCapabilities
from .rtcrtpsender import utc
from .stats import RTCInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats, RTCStatsReport

if TYPE_CHECKING:
    from .rtcdtlstransport import RTCDtlsTransport
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["RTCRtpContributingSource", "RTCRtpReceiver", "RTCRtpSynchronizationSource", "RemoteStreamTrack"]

# What waits for a reader that does not read: then audio loses its oldest, video all up to the next key frame.
_MAX_AUDIO = 500
_MAX_VIDEO = 600
_MAX_BYTES = 32 << 20

_SOURCE_LIFE = 10.0  # seconds


@dataclass
class RTCRtpContributingSource:
    """A source that was mixed into what arrives."""

    timestamp: datetime.datetime
    source: int


@dataclass
class RTCRtpSynchronizationSource:
    """The source that was heard last."""

    timestamp: datetime.datetime
    source: int


class RemoteStreamTrack(MediaStreamTrack):
    """A track of the other side.

    `recv` decodes, in a worker thread, what arrived. With `encoded` set before the first `recv` it hands out
    `EncodedPacket` objects instead, and no PyAV is needed.
    """

    def __init__(self, kind: str, id: str | None = None) -> None:
        super().__init__()
        self.kind = kind
        if id:
            self._id = id
        #: Hand out what arrives as it is.
        self.encoded = False
        #: Frames dropped because nobody read.
        self.dropped = 0
        self._queue: deque[tuple[int, int, int, bytes, int] | None] = deque()
        self._bytes = 0
        self._skip = False
        self._waiter: asyncio.Future[None] | None = None
        self._decoded: deque[Any] = deque()
        self._decoder: _codecs.Decoder | None = None
        self._decoder_codec = 0
        self._lock: asyncio.Lock | None = None
        self._receiver: RTCRtpReceiver | None = None

    def _push(self, codec: int, timestamp: int, clock: int, flags: int, data: bytes) -> None:
        queue = self._queue
        if self.readyState != "live":
            return
        if self._skip:
            if not flags & abi.TST_RTC_FLAG_KEY:
                self.dropped += 1
                return
            self._skip = False
        if self.kind == "audio":
            if len(queue) >= _MAX_AUDIO:
                self._bytes -= len((queue.popleft() or (0, 0, 0, b"", 0))[3])
                self.dropped += 1
        elif len(queue) >= _MAX_VIDEO or self._bytes + len(data) > _MAX_BYTES:
            self.dropped += len(queue) + 1
            queue.clear()
            self._bytes = 0
            if not flags & abi.TST_RTC_FLAG_KEY:
                self._skip = True
                self.request_keyframe()
                return
        queue.append((codec, timestamp, clock, data, flags))
        self._bytes += len(data)
        self._wake()

    def stop(self) -> None:
        """End the track; what was not read is let go."""
        super().stop()
        self._decoder = None
        self._queue.clear()
        self._decoded.clear()
        self._bytes = 0
        self._wake()

    def _finish(self) -> None:
        self._queue.append(None)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def request_keyframe(self) -> None:
        """Ask the other side for a picture that needs no other."""
        if self._receiver is not None:
            self._receiver._ask_key_frame()

    @property
    def audio_level(self) -> int | None:
        """How loud the other side says it is: from 0, the loudest, to 127, silence (RFC 6464)."""
        if self._receiver is None:
            return None
        level = self._receiver._stats().audio_level
        return level if level >= 0 else None

    async def _next(self) -> tuple[int, int, int, bytes, int] | None:
        while not self._queue:
            if self.readyState != "live":
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        item = self._queue.popleft()
        if item is not None:
            self._bytes -= len(item[3])
        return item

    async def recv(self) -> Media:
        """The next frame; MediaStreamError once the other side has ended and all was read."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            while True:
                if self._decoded:
                    frame: Media = self._decoded.popleft()
                    return frame
                if self.readyState != "live":
                    raise MediaStreamError
                item = await self._next()
                if item is None:
                    self.stop()
                    raise MediaStreamError
                codec, timestamp, clock, data, flags = item
                if self.encoded:
                    return EncodedPacket(
                        data,
                        timestamp,
                        fractions.Fraction(1, clock),
                        codec=_codecs.NAMES.get(codec, ""),
                        is_keyframe=bool(flags & abi.TST_RTC_FLAG_KEY),
                    )
                if self._decoder is None or codec != self._decoder_codec:
                    self._decoder = _codecs.decoder(codec)
                    self._decoder_codec = codec
                await self._decode(self._decoder, data, timestamp)

    async def _decode(self, decoder: _codecs.Decoder, data: bytes, timestamp: int) -> None:
        try:
            if self.kind == "audio":  # shorter than the way to a thread and back
                self._decoded.extend(decoder.decode(data, timestamp))
            else:
                loop = asyncio.get_running_loop()
                self._decoded.extend(await loop.run_in_executor(None, decoder.decode, data, timestamp))
        except (ValueError, OSError):  # PyAV's errors of broken data; the decoder goes on
            self.request_keyframe()


class RTCRtpReceiver:
    """Receives a track of the other side."""

    def __init__(self, pc: RTCPeerConnection, number: int, kind: str) -> None:
        self._pc = pc
        self._number = number
        self._kind = kind
        self._track: RemoteStreamTrack | None = None
        self._ended = False

    @property
    def track(self) -> MediaStreamTrack | None:
        """The other side's track; None before a description named it."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport:
        """What carries the stream."""
        return self._pc._transport

    @classmethod
    def getCapabilities(cls, kind: str) -> RTCRtpCapabilities:
        """What a kind can be received with; ValueError for an unknown kind."""
        return _capabilities.of(kind)

    @property
    def key_frame_requests(self) -> int:
        """How often the other side was asked for a picture that needs no other."""
        return int(self._stats().key_frames_asked)

    def _stats(self) -> abi.tst_rtc_stream_stats:
        return self._pc._peer.stream_stats(self._number, abi.TST_RTC_RECEIVED)

    async def getStats(self) -> RTCStatsReport:
        """Counters of the stream, and what the other side reports of it."""
        return self._get_stats()

    def _get_stats(self) -> RTCStatsReport:
        report = RTCStatsReport()
        s = self._stats()
        transport = self.transport
        if s.has_remote:
            report.add(
                RTCRemoteOutboundRtpStreamStats(
                    timestamp=utc(s.reported_unix_us),
                    type="remote-outbound-rtp",
                    id=f"remote-outbound-rtp_{id(self)}",
                    ssrc=s.ssrc,
                    kind=self._kind,
                    transportId=transport._stats_id(),
                    packetsSent=s.remote_packets,
                    bytesSent=s.remote_bytes,
                    remoteTimestamp=utc(s.remote_unix_us),
                )
            )
        if s.packets:
            report.add(
                RTCInboundRtpStreamStats(
                    timestamp=datetime.datetime.now(datetime.timezone.utc),
                    type="inbound-rtp",
                    id=f"inbound-rtp_{id(self)}",
                    ssrc=s.ssrc,
                    kind=self._kind,
                    transportId=transport._stats_id(),
                    packetsReceived=s.packets,
                    packetsLost=max(0, s.packets_lost),
                    jitter=s.jitter,
                )
            )
        report.update(transport._get_stats())
        return report

    def getSynchronizationSources(self) -> list[RTCRtpSynchronizationSource]:
        """The source heard within the last ten seconds."""
        s = self._stats()
        now = datetime.datetime.now(datetime.timezone.utc)
        if not s.last_heard_unix_us:
            return []
        heard = utc(s.last_heard_unix_us)
        if (now - heard).total_seconds() > _SOURCE_LIFE:
            return []
        return [RTCRtpSynchronizationSource(timestamp=heard, source=s.ssrc)]

    async def stop(self) -> None:
        """Stop receiving: the track ends once what is queued was read."""
        if not self._pc._closed:
            self._pc._peer.set(self._number, abi.TST_RTC_SET_STOP_RECEIVE)
        self._finish()

    def _ask_key_frame(self) -> None:
        if not self._pc._closed:
            self._pc._peer.set(self._number, abi.TST_RTC_SET_KEY_FRAME)

    def _make_track(self, id: str | None) -> RemoteStreamTrack:
        track = self._track
        if track is None or self._ended:
            track = self._track = RemoteStreamTrack(self._kind, id)
            track._receiver = self
            self._ended = False
        elif id:
            track._id = id
        return track

    def _finish(self) -> None:
        if self._track is not None and not self._ended:
            self._ended = True
            self._track._finish()
