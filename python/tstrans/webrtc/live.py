"""A transport stream as tracks that need no re-encoding, and its KLV beside them.

One thread reads the source, whatever it is; every viewer gets the same packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ..exceptions import TstError
from ._packet import EncodedPacket
from .mediastreams import Media, MediaStreamError, MediaStreamTrack
from .rtcdatachannel import RTCDataChannel
from .rtcrtpparameters import RTCRtpCodecCapability

__all__ = ["ReorderedPicturesError", "TransportStream"]

_BASE = fractions.Fraction(1, 90000)

# Pictures a viewer may be behind before it is cut off up to the next key frame.
_MAX_BEHIND = 120
# How long the source may take to show what is in it, in seconds.
_START = 20.0
# KLV is not sent to a viewer who has more than this waiting, in bytes.
_MAX_WAITING = 1 << 20
_WRAP = 1 << 33


class ReorderedPicturesError(TstError):
    """Pictures coded in another order than shown (B-frames): no receiver of WebRTC puts them into order."""


class _Viewer(MediaStreamTrack):
    """What one viewer gets: from a key frame on, as it comes."""

    kind = "video"

    def __init__(self, stream: TransportStream) -> None:
        super().__init__()
        self._stream = stream
        self._queue: deque[EncodedPacket | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._wait_key = True
        #: Pictures not handed out because the viewer came too late for them.
        self.dropped = 0

    def _put(self, packet: EncodedPacket | None) -> None:
        if packet is not None:
            if len(self._queue) >= _MAX_BEHIND:
                self.dropped += len(self._queue)
                self._queue.clear()
                self._wait_key = True
            if self._wait_key and not packet.is_keyframe:
                self.dropped += 1
                return
            self._wait_key = False
        self._queue.append(packet)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

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
        self._stream._viewers.discard(self)


class TransportStream:
    """The first H.264 or H.265 video of a transport stream, and its KLV, for any number of viewers.

    :param read: gives bytes of the stream, b"" at its end; called in a thread of its own.
    :param paced: hand pictures out at their own times, as for a file. Live sources come at theirs.
    :param again: opens the source anew at its end, for a file that is to be repeated.

    `ready` tells once the stream is known, and raises `ReorderedPicturesError` for one with B-frames.
    """

    def __init__(
        self,
        read: Callable[[], bytes],
        *,
        paced: bool = False,
        again: Callable[[], Callable[[], bytes]] | None = None,
    ) -> None:
        self._read = read
        self._paced = paced
        self._again = again
        self._viewers: set[_Viewer] = set()
        self._channels: set[RTCDataChannel] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: asyncio.Future[None] | None = None
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        #: "h264" or "h265" once ready.
        self.codec = ""
        #: Pictures, and KLV units, seen so far.
        self.pictures = 0
        self.klv_units = 0
        # In the thread's hands: when the stream began here, at which of its times.
        self._begun: tuple[float, int] | None = None
        self._last = 0
        self._shift = 0
        self._reordered: str | None = None

    async def ready(self) -> None:
        """Begin to read, if that did not happen yet, and wait until the video's codec is known."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._known = self._loop.create_future()
            self._thread = threading.Thread(name="transport-stream", target=self._work, daemon=True)
            self._thread.start()
        assert self._known is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._known), _START)
        except asyncio.TimeoutError:
            raise TstError("no H.264 or H.265 video within 20 s") from None
        if self._error is not None:
            raise self._error

    def subscribe(self) -> MediaStreamTrack:
        """A track for one viewer: it begins with the next key frame."""
        track = _Viewer(self)
        self._viewers.add(track)
        return track

    def attach(self, channel: RTCDataChannel) -> None:
        """Send the KLV on a data channel, each unit when the picture of its time goes out.

        A message is the time in ticks of 1/90000 s, eight bytes, big-endian, and the KLV after it.
        """
        self._channels.add(channel)
        channel.on("close", lambda: self._channels.discard(channel))

    def preferences(self) -> list[RTCRtpCodecCapability]:
        """What to negotiate for `subscribe`: the codec of the stream alone."""
        from .rtcrtpsender import RTCRtpSender
        from .rtcrtptransceiver import H265

        if self.codec == "h265":
            return [H265, *(c for c in RTCRtpSender.getCapabilities("video").codecs if c.name == "rtx")]
        return [c for c in RTCRtpSender.getCapabilities("video").codecs if c.name in ("H264", "rtx")]

    async def close(self) -> None:
        """Stop reading. The source is whoever's who opened it."""
        self._quit.set()
        for track in list(self._viewers):
            track.stop()

    # In the thread.
    def _work(self) -> None:
        error: BaseException | None = None
        try:
            while self._pass() and self._again is not None and not self._quit.is_set():
                self._shift = self._last + 3003
                self._read = self._again()
        except Exception as e:
            error = e
        self._call(self._over, error)

    def _call(self, f: Callable[..., None], *args: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(f, *args)

    def _pass(self) -> bool:
        """Read the source once; whether anything was in it."""
        from ..mpegts import Demuxer, DemuxEvent

        some = False
        first: int | None = None
        chosen: Any = None
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
                        if event.stream != chosen:
                            continue
                        some = True
                        self._picture(event, first or 0)
                    elif isinstance(event, DemuxEvent.Klv) and first is not None:
                        self._klv(event, first)
                if not data:
                    break
        return some

    def _since(self, raw: int, first: int) -> int:
        """A time of the stream from its first picture on, across wraps of the 33 bits."""
        d = (raw - first) % _WRAP
        return (d - _WRAP if d > _WRAP // 2 else d) + self._shift

    def _wait(self, at: int) -> None:
        if not self._paced:
            return
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, at)
        wait = self._begun[0] + (at - self._begun[1]) / 90000 - now
        if wait > 0:
            self._quit.wait(wait)

    def _picture(self, event: Any, first: int) -> None:
        pts = self._since(event.pts.raw, first)
        if event.dts is not None and event.dts.raw != event.pts.raw and self._reordered is None:
            # A delay that is always the same is none of order; one that varies is.
            delay = event.pts.raw - event.dts.raw
            self._delay = getattr(self, "_delay", delay)
            if delay != self._delay:
                self._reordered = (
                    "the pictures have B-frames, which WebRTC does not carry: encode without (-bf 0)"
                )
                raise ReorderedPicturesError(self._reordered)
        elif event.dts is None and hasattr(self, "_delay"):
            raise ReorderedPicturesError(
                "the pictures have B-frames, which WebRTC does not carry: encode without (-bf 0)"
            )
        self._last = max(self._last, pts)
        key = bool(event.random_access_indicator) or _is_key(event.codec.value, event.payload)
        packet = EncodedPacket(event.payload, pts, _BASE, codec=event.codec.value, is_keyframe=key)
        self._wait(pts)
        self._call(self._deliver, packet)

    def _klv(self, event: Any, first: int) -> None:
        pts = self._since(event.pts.raw, first) if event.pts is not None else self._last
        if pts > self._last:
            self._wait(pts)
        self._call(self._deliver_klv, max(0, pts).to_bytes(8, "big") + event.payload)

    # In the loop.
    def _deliver(self, packet: EncodedPacket) -> None:
        self.codec = packet.codec
        self.pictures += 1
        if self._known is not None and not self._known.done() and self.pictures > 3:
            self._known.set_result(None)
        for viewer in list(self._viewers):
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
