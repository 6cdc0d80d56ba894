"""The sending half of a transceiver."""

from __future__ import annotations

import asyncio
import datetime
import warnings
from typing import TYPE_CHECKING, Any

from .._native import webrtc_abi as abi
from . import _capabilities, _codecs
from ._packet import EncodedPacket
from .exceptions import OperationError
from .mediastreams import MediaStreamError, MediaStreamTrack
from .rtcrtpparameters import RTCRtpCapabilities
from .stats import RTCOutboundRtpStreamStats, RTCRemoteInboundRtpStreamStats, RTCStatsReport

if TYPE_CHECKING:
    from .rtcdtlstransport import RTCDtlsTransport
    from .rtcpeerconnection import RTCPeerConnection

__all__ = ["RTCRtpSender"]

_INLINE = {_codecs.PCMU, _codecs.PCMA, _codecs.G722}


class _Seen:
    """What there is to know of an encoded packet: many senders may send the same one after the other."""

    __slots__ = ("base", "codec", "data", "payload", "pts")

    def __init__(self, data: Any) -> None:
        self.data = data
        self.payload: bytes | None = None
        self.codec = self.pts = 0
        self.base = (1, 1)
        if data is None or hasattr(data, "format"):
            return  # a frame
        self.payload = data.data if isinstance(data, EncodedPacket) else bytes(data)
        self.codec = _codecs.codec_of(data)
        self.pts = data.pts
        base = data.time_base
        self.base = (base.numerator, base.denominator)

    def at(self, clock: int) -> int:
        """Its time in ticks of a clock, toward zero."""
        n, d = self.pts * self.base[0] * clock, self.base[1]
        return n // d if n >= 0 else -(-n // d)


_seen = _Seen(None)


def _look(data: Any) -> _Seen:
    global _seen
    _seen = _Seen(data)
    return _seen


def utc(micros: int) -> datetime.datetime:
    """A UTC time from microseconds since 1970."""
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.timezone.utc)


class RTCRtpSender:
    """Sends a track: frames are encoded in worker threads, encoded packets go out as they are."""

    def __init__(self, pc: RTCPeerConnection, number: int, kind: str, track: MediaStreamTrack | None) -> None:
        self._pc = pc
        self._number = number
        self._kind = kind
        self._track = track
        self._stopped = False
        self._codec = 0
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._encoder: _codecs.Encoder | None = None
        self._encoder_codec = 0
        self._key = False
        self._bitrate: int | None = None
        self._last: tuple[MediaStreamTrack, int] | None = None
        self._origin = 0

    @property
    def kind(self) -> str:
        """ "audio" or "video"."""
        return self._kind

    @property
    def track(self) -> MediaStreamTrack | None:
        """What is sent."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport:
        """What carries the stream."""
        return self._pc._transport

    @property
    def key_frame_requests(self) -> int:
        """How often the other side asked for a picture that needs no other (PLI, FIR)."""
        return int(self._pc._peer.stream_stats(self._number, abi.TST_RTC_SENT).key_frames_asked)

    @property
    def bitrate_asked(self) -> int | None:
        """Bits a second that the other side takes, as it said last (REMB); None before."""
        return self._bitrate

    @classmethod
    def getCapabilities(cls, kind: str) -> RTCRtpCapabilities:
        """What a kind can be sent with; ValueError for an unknown kind."""
        return _capabilities.of(kind)

    async def getStats(self) -> RTCStatsReport:
        """Counters of the stream, and what the other side reports of it."""
        return self._get_stats()

    def _get_stats(self) -> RTCStatsReport:
        report = RTCStatsReport()
        s = self._pc._peer.stream_stats(self._number, abi.TST_RTC_SENT)
        transport = self.transport
        if s.has_remote:
            report.add(
                RTCRemoteInboundRtpStreamStats(
                    timestamp=utc(s.reported_unix_us),
                    type="remote-inbound-rtp",
                    id=f"remote-inbound-rtp_{id(self)}",
                    ssrc=s.ssrc,
                    kind=self._kind,
                    transportId=transport._stats_id(),
                    packetsReceived=s.remote_packets,
                    packetsLost=s.remote_packets_lost,
                    jitter=s.remote_jitter,
                    roundTripTime=s.round_trip_us / 1e6 if s.has_round_trip else None,
                    fractionLost=s.remote_fraction_lost_q8,
                )
            )
        report.add(
            RTCOutboundRtpStreamStats(
                timestamp=datetime.datetime.now(datetime.timezone.utc),
                type="outbound-rtp",
                id=f"outbound-rtp_{id(self)}",
                ssrc=s.ssrc,
                kind=self._kind,
                transportId=transport._stats_id(),
                packetsSent=s.packets,
                bytesSent=s.bytes,
                trackId=str(id(self._track)),
            )
        )
        report.update(transport._get_stats())
        return report

    def replaceTrack(self, track: MediaStreamTrack | None) -> None:
        """Send another track of the same kind from now on, or none."""
        self._track = track
        self._pc._has_track(self._number, track is not None)
        self._changed.set()
        self._ensure()

    async def stop(self) -> None:
        """Stop sending; the other side is told."""
        self._halt(stop_track=True)
        if not self._pc._closed:
            self._pc._peer.set(self._number, abi.TST_RTC_SET_STOP_SEND)

    def _halt(self, stop_track: bool) -> None:
        self._stopped = True
        task, self._task = self._task, None
        self._encoder = None  # now, and not when its cycle of references is found: it holds megabytes
        if task is not None:
            task.cancel()
            if stop_track and self._track is not None:
                self._track.stop()
                self._track = None

    # Events of the connection.
    def _negotiated(self, codec: int) -> None:
        self._codec = codec
        self._changed.set()
        self._ensure()

    def _key_frame(self) -> None:
        self._key = True
        ask = getattr(self._track, "request_keyframe", None)
        if ask is not None:
            ask()

    def _take_bitrate(self, bits: int) -> None:
        self._bitrate = bits
        if self._encoder is not None:
            self._encoder.target_bitrate = bits

    def _ensure(self) -> None:
        if self._codec and self._task is None and self._track is not None and not self._stopped:
            self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            while True:
                self._changed.clear()
                track = self._track
                if track is None:
                    await self._changed.wait()
                    continue
                try:
                    await self._send(track)
                except MediaStreamError:
                    if self._track is track:
                        await self._changed.wait()
        except asyncio.CancelledError:
            pass
        except OperationError as e:
            warnings.warn(f"sending ended: {e}", RuntimeWarning, stacklevel=1)

    async def _send(self, track: MediaStreamTrack) -> None:
        peer, number = self._pc._peer, self._number
        recv = track.recv
        clocks = _codecs.CLOCKS
        peer.set(number, abi.TST_RTC_SET_SHARED_CLOCK, int(getattr(track, "shared_clock", False)))
        while self._track is track:
            data: Any = await recv()
            codec = self._codec
            if not codec or self._track is not track:
                continue  # paused: frames are let go
            packet = _seen if _seen.data is data else _look(data)
            if packet.payload is not None:
                codec = packet.codec or codec
                peer.send(
                    number,
                    codec,
                    self._continue(track, packet.at(clocks[codec]), clocks[codec]),
                    packet.payload,
                )
                continue
            if self._encoder is None or self._encoder_codec != codec:
                self._encoder = _codecs.encoder(codec)
                self._encoder_codec = codec
                if self._bitrate is not None:
                    self._encoder.target_bitrate = self._bitrate
            force, self._key = self._key, False
            if codec in _INLINE:
                made = self._encoder.encode(data)
            else:
                made = await asyncio.get_running_loop().run_in_executor(
                    None, self._encoder.encode, data, force
                )
            if made and self._kind == "audio":
                peer.audio_level(number, self._encoder.level_samples)  # type: ignore[attr-defined]
            for payload, at in made:
                peer.send(number, codec, self._continue(track, at, clocks[codec]), payload)

    def _continue(self, track: MediaStreamTrack, at: int, clock: int) -> int:
        """The time on the wire: it goes on where another track left off."""
        if self._last is None or self._last[0] is not track:
            self._origin = 0 if self._last is None else self._last[1] + clock // 30 - at
        self._last = (track, at + self._origin)
        return at + self._origin
