"""A stream as tracks that need no re-encoding, and its KLV beside them.

One thread reads the source, whatever it is; every viewer gets the same packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import heapq
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from ..exceptions import TstError
from ._packet import EncodedPacket
from .exceptions import MissingExtraError
from .mediastreams import Media, MediaStreamError, MediaStreamTrack
from .rtcdatachannel import RTCDataChannel
from .rtcrtpparameters import RTCRtpCodecCapability

__all__ = ["LiveStream", "ReorderedPicturesError", "TransportStream"]

_BASE = fractions.Fraction(1, 90000)
_AUDIO_BASE = fractions.Fraction(1, 48000)

# Pictures a viewer may be behind before it is cut off up to the next key frame; audio packets before it
# loses the oldest.
_MAX_BEHIND = 120
_MAX_AUDIO = 250
# How long the source may take to show what is in it, in seconds.
_START = 20.0
# KLV is not sent to a viewer who has more than this waiting, in bytes.
_MAX_WAITING = 1 << 20
_WRAP = 1 << 33
# How far apart, in ticks of 1/90000 s, audio and pictures of one time may stand in a file.
_INTERLEAVE = 90000
# Sources are asked for a key frame this often at most, in seconds.
_KEY_INTERVAL = 0.5

#: What is wrong with a stream that has B-frames.
REORDERED = "the pictures have B-frames, which WebRTC does not carry: encode without (-bf 0)"


class ReorderedPicturesError(TstError):
    """Pictures coded in another order than shown (B-frames): no receiver of WebRTC puts them into order."""


class _Viewer(MediaStreamTrack):
    """What one viewer gets: from a key frame on, as it comes."""

    kind = "video"
    #: Sender reports relate the times of this track to those of the stream's other one.
    shared_clock = True

    def __init__(self, stream: LiveStream) -> None:
        super().__init__()
        self._stream = stream
        self._queue: deque[EncodedPacket | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._wait_key = True
        #: Pictures not handed out because the viewer came too late for them.
        self.dropped = 0

    def _put(self, packet: EncodedPacket | None) -> None:
        if packet is not None and not self._room(packet):
            return
        self._queue.append(packet)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _room(self, packet: EncodedPacket) -> bool:
        if len(self._queue) >= _MAX_BEHIND:
            self.dropped += len(self._queue)
            self._queue.clear()
            self._wait_key = True
            self.request_keyframe()
        if self._wait_key and not packet.is_keyframe:
            self.dropped += 1
            return False
        self._wait_key = False
        return True

    def request_keyframe(self) -> None:
        """Ask the source for a picture that needs no other: where it can, it makes one for all viewers."""
        self._stream.request_keyframe()

    async def recv(self) -> Media:
        """The next picture; MediaStreamError at the end of the source."""
        while not self._queue:
            if self.readyState != "live":
                raise MediaStreamError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        packet = self._queue.popleft()
        if packet is None:
            self.stop()
            raise MediaStreamError
        return packet

    def stop(self) -> None:
        """Leave the stream."""
        super().stop()
        self._stream._leave(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Listener(_Viewer):
    """The audio that one viewer gets."""

    kind = "audio"

    def _room(self, packet: EncodedPacket) -> bool:
        if len(self._queue) >= _MAX_AUDIO:
            self._queue.popleft()
            self.dropped += 1
        return True


class LiveStream(ABC):
    """Video, audio and KLV of one source, for any number of viewers.

    `ready` tells once the stream is known. Audio goes out as Opus: Opus as it is, other codecs through PyAV
    where it is installed (the extra ``webrtc``), else not at all, with a warning.

    :param paced: hand everything out at its own time, as for a file. Live sources come at theirs.
    :param on_key_frame_request: called in the event loop when a viewer needs a picture that needs no other,
        every half a second at most: for sources that can make one.
    """

    def __init__(
        self, *, paced: bool = False, on_key_frame_request: Callable[[], object] | None = None
    ) -> None:
        self._paced = paced
        self._on_key_frame_request = on_key_frame_request
        self._key_asked = float("-inf")
        self._viewers: set[_Viewer] = set()
        self._channels: set[RTCDataChannel] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: asyncio.Future[None] | None = None
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        #: "h264" or "h265" once ready.
        self.codec = ""
        #: The source's audio codec once it is known, "" without audio that can be sent.
        self.audio_codec = ""
        #: Pictures, packets of audio, and KLV units, seen so far.
        self.pictures = 0
        self.audio_packets = 0
        self.klv_units = 0
        #: How often viewers asked for a key frame.
        self.key_frame_requests = 0
        # In the thread's hands: when the stream began here, at which of its times; what waits for its time.
        self._begun: tuple[float, int] | None = None
        self._last = 0
        self._heap: list[tuple[int, int, Callable[..., None], Any]] = []
        self._count = 0

    async def ready(self) -> None:
        """Begin to read, if that did not happen yet, and wait until the video's codec is known.

        Raises `ReorderedPicturesError` for a stream with B-frames, TstError without video.
        """
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._known = self._loop.create_future()
            self._thread = threading.Thread(name="live-stream", target=self._work, daemon=True)
            self._thread.start()
        assert self._known is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._known), _START)
        except asyncio.TimeoutError:
            raise TstError("no H.264 or H.265 video within 20 s") from None
        if self._error is not None:
            raise self._error

    def subscribe(self) -> MediaStreamTrack:
        """A video track for one viewer: it begins with the next key frame."""
        track = _Viewer(self)
        self._viewers.add(track)
        return track

    def subscribe_audio(self) -> MediaStreamTrack | None:
        """An audio track for one viewer; None where the stream has none."""
        if not self.audio_codec:
            return None
        track = _Listener(self)
        self._viewers.add(track)
        return track

    def attach(self, channel: RTCDataChannel) -> None:
        """Send the KLV on a data channel, each unit when the picture of its time goes out.

        A message is the time in ticks of 1/90000 s, eight bytes, big-endian, and the KLV after it.
        """
        self._channels.add(channel)
        channel.on("close", lambda: self._channels.discard(channel))

    def preferences(self) -> list[RTCRtpCodecCapability]:
        """What to negotiate for `subscribe`: the codec of the stream alone, and repairs."""
        from .rtcrtpsender import RTCRtpSender
        from .rtcrtptransceiver import H265

        known = RTCRtpSender.getCapabilities("video").codecs
        if self.codec == "h265":
            return [H265, *(c for c in known if c.name == "rtx")]
        return [c for c in known if c.name in ("H264", "rtx")]

    def request_keyframe(self) -> None:
        """Ask the source for a picture that needs no other; counted, and nothing more where it cannot."""
        self.key_frame_requests += 1
        now = time.monotonic()
        if self._on_key_frame_request is not None and now - self._key_asked >= _KEY_INTERVAL:
            self._key_asked = now
            self._on_key_frame_request()

    async def close(self) -> None:
        """Stop reading. The source is whoever's who opened it."""
        self._quit.set()
        for track in list(self._viewers):
            track.stop()

    def _leave(self, track: _Viewer) -> None:
        self._viewers.discard(track)

    # In the thread.
    @abstractmethod
    def _run(self) -> None:
        """Read the source to its end, calling `_picture`, `_audio` and `_klv`."""

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            self._run()
            self._flush()
        except Exception as e:
            error = e
        self._call(self._over, error)

    def _call(self, f: Callable[..., None], *args: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(f, *args)

    def _picture(self, payload: bytes, pts: int, codec: str, key: bool) -> None:
        """`pts` in ticks of 1/90000 s since the stream began."""
        self._last = max(self._last, pts)
        packet = EncodedPacket(payload, pts, _BASE, codec=codec, is_keyframe=key)
        self._hand_over(pts, self._deliver, packet)

    def _audio(self, payload: bytes, pts: int, codec: str = "opus") -> None:
        """`pts` in ticks of 1/48000 s since the stream began."""
        packet = EncodedPacket(payload, pts, _AUDIO_BASE, codec=codec, is_keyframe=True)
        self._hand_over(pts * 15 // 8, self._deliver_audio, packet)

    def _klv(self, payload: bytes, pts: int) -> None:
        """`pts` as of a picture."""
        self._hand_over(pts, self._deliver_klv, max(0, pts).to_bytes(8, "big") + payload)

    def _or_silent(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` makes with PyAV; None, and a warning, without it."""
        try:
            return make()
        except MissingExtraError as e:
            warnings.warn(f"{what} is left out: {e}", RuntimeWarning, stacklevel=1)
            return None

    def _hand_over(self, at: int, f: Callable[..., None], what: Any) -> None:
        """Deliver at once, or in the order of times where they have to be waited for."""
        if not self._paced:
            self._call(f, what)
            return
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, f, what))
        while self._heap and self._heap[0][0] <= at - _INTERLEAVE and not self._quit.is_set():
            self._next()

    def _flush(self) -> None:
        while self._heap and not self._quit.is_set():
            self._next()

    def _next(self) -> None:
        at, _, f, what = heapq.heappop(self._heap)
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, at)
        wait = self._begun[0] + (at - self._begun[1]) / 90000 - now
        if wait > 0:
            self._quit.wait(wait)
        self._call(f, what)

    # In the loop.
    def _deliver(self, packet: EncodedPacket) -> None:
        self.codec = packet.codec
        self.pictures += 1
        if self._known is not None and not self._known.done() and self.pictures > 3:
            self._known.set_result(None)
        for viewer in list(self._viewers):
            if viewer.kind == "video":
                viewer._put(packet)

    def _deliver_audio(self, packet: EncodedPacket) -> None:
        self.audio_packets += 1
        for viewer in list(self._viewers):
            if viewer.kind == "audio":
                viewer._put(packet)

    def _deliver_klv(self, message: bytes) -> None:
        self.klv_units += 1
        for channel in list(self._channels):
            if channel.readyState == "open" and channel.bufferedAmount < _MAX_WAITING:
                channel.send(message)

    def _over(self, error: BaseException | None) -> None:
        self._error = error
        if error is None and not self.codec:
            self._error = TstError("no H.264 or H.265 video in the stream")
        if self._known is not None and not self._known.done():
            self._known.set_result(None)
        for viewer in list(self._viewers):
            viewer._put(None)


class TransportStream(LiveStream):
    """The first H.264 or H.265 video of a transport stream, its first audio, and its KLV.

    :param read: gives bytes of the stream, b"" at its end; called in a thread of its own.
    :param again: opens the source anew at its end, for a file that is to be repeated.
    """

    def __init__(
        self,
        read: Callable[[], bytes],
        *,
        paced: bool = False,
        again: Callable[[], Callable[[], bytes]] | None = None,
        on_key_frame_request: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(paced=paced, on_key_frame_request=on_key_frame_request)
        self._read = read
        self._again = again
        self._shift = 0
        self._delay: int | None = None
        # The stream whose audio is sent, and what makes Opus of it; None for Opus itself.
        self._sounding: Any = None
        self._transcoder: Any = None
        self._opus: set[tuple[int, int]] = set()

    def _run(self) -> None:
        while self._pass() and self._again is not None and not self._quit.is_set():
            self._shift = self._last + 3003
            self._read = self._again()

    def _pass(self) -> bool:
        """Read the source once; whether anything was in it."""
        from ..mpegts import Demuxer, DemuxEvent

        first: int | None = None
        chosen: Any = None
        self._sounding = None
        with Demuxer() as demuxer:
            while not self._quit.is_set():
                data = self._read()
                if data:
                    demuxer.feed(data)
                else:
                    demuxer.flush()
                while (event := demuxer.next_event()) is not None:
                    if isinstance(event, DemuxEvent.Video) and event.codec.value in ("h264", "h265"):
                        if chosen is None:
                            chosen = event.stream
                            first = (event.dts or event.pts).raw
                        if event.stream == chosen:
                            self._video_event(event, first or 0)
                    elif isinstance(event, DemuxEvent.ProgramMap):
                        self._programs(event.programs)
                    elif first is None:
                        continue
                    elif isinstance(event, DemuxEvent.Klv):
                        pts = self._since(event.pts.raw, first) if event.pts is not None else self._last
                        self._klv(event.payload, pts)
                    elif isinstance(event, (DemuxEvent.Audio, DemuxEvent.UnknownSample)):
                        self._audio_event(event, first)
                if not data:
                    break
        return first is not None

    def _programs(self, programs: Any) -> None:
        for program in programs:
            for stream in program.streams:
                # Opus has no stream type of its own; its registration names it.
                if any(d.tag == 5 and d.data[:4] == b"Opus" for d in stream.raw_descriptors):
                    self._opus.add((program.program_number, stream.pid))

    def _since(self, raw: int, first: int) -> int:
        """A time of the stream from its first picture on, across wraps of the 33 bits."""
        d = (raw - first) % _WRAP
        return (d - _WRAP if d > _WRAP // 2 else d) + self._shift

    def _video_event(self, event: Any, first: int) -> None:
        pts = self._since(event.pts.raw, first)
        if event.dts is not None and event.dts.raw != event.pts.raw:
            # A delay that is always the same is none of order; one that varies is.
            delay = event.pts.raw - event.dts.raw
            if self._delay is None:
                self._delay = delay
            if delay != self._delay:
                raise ReorderedPicturesError(REORDERED)
        elif event.dts is None and self._delay is not None:
            raise ReorderedPicturesError(REORDERED)
        key = bool(event.random_access_indicator) or _is_key(event.codec.value, event.payload)
        self._picture(event.payload, pts, event.codec.value, key)

    def _audio_event(self, event: Any, first: int) -> None:
        stream = event.stream
        opus = (stream.program_number, stream.pid) in self._opus
        if event.pts is None or not (opus or hasattr(event, "codec")):
            return
        if self._sounding is None:
            self._sounding = stream
            if opus:
                self._call(setattr, self, "audio_codec", "opus")
            elif self._transcoder is None:
                self._transcoder = self._make_transcoder(event)
        if stream != self._sounding:
            return
        pts = self._since(event.pts.raw, first)
        if opus:
            self._audio(event.payload, pts * 8 // 15, "opus_ts")
        elif self._transcoder is not None:
            for packet, at in self._transcoder.push(event.payload, pts):
                self._audio(packet, at)

    def _make_transcoder(self, event: Any) -> Any:
        from ..codec import Layer, parse_audio
        from ._transcode import AudioToOpus

        name = event.codec.value
        if name == "mp2":  # all layers of MPEG audio; each has a decoder of its own
            frames = parse_audio(event.payload, event.codec)
            if frames and frames[0].layer == Layer.III:
                name = "mp3"
        made = self._or_silent(f"the audio ({name})", lambda: AudioToOpus(name))
        if made is not None:
            self._call(setattr, self, "audio_codec", name)
        return made


def _is_key(codec: str, unit: bytes) -> bool:
    """Whether a picture needs no other: an IDR (H.264) or IRAP (H.265) slice among its first NAL units."""
    at = unit.find(b"\0\0\1")
    for _ in range(16):
        if at < 0 or at + 3 >= len(unit):
            return False
        head = unit[at + 3]
        if codec == "h264":
            t = head & 0x1F
            if t in (1, 5):
                return t == 5
        else:
            t = head >> 1 & 0x3F
            if t < 32:
                return 16 <= t <= 23
        at = unit.find(b"\0\0\1", at + 3)
    return False
