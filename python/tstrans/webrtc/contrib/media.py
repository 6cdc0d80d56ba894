"""Tracks from files and devices, recordings, one source for many readers.

`MediaPlayer` and `MediaRecorder` read and write with PyAV; `MediaRelay` and `MediaBlackhole` need nothing.
"""

from __future__ import annotations

import asyncio
import fractions
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator
from typing import Any

from .. import _av
from ..mediastreams import AUDIO_PTIME, Media, MediaStreamError, MediaStreamTrack

__all__ = ["REAL_TIME_FORMATS", "MediaBlackhole", "MediaPlayer", "MediaRecorder", "MediaRelay"]

#: Inputs that come at their own pace: their frames are not paced again.
REAL_TIME_FORMATS = [
    "alsa",
    "android_camera",
    "avfoundation",
    "bktr",
    "decklink",
    "dshow",
    "fbdev",
    "gdigrab",
    "iec61883",
    "jack",
    "kmsgrab",
    "openal",
    "oss",
    "pulse",
    "rtsp",
    "sndio",
    "v4l2",
    "vfwcap",
    "x11grab",
]

# How far the worker of a player reads ahead, in seconds of media, and the packets it then holds at most. It
# sleeps until so little is left, and hands over so many at once: changing threads costs more than a packet.
_AHEAD = 1.0
_AHEAD_AGAIN = 0.5
_MAX_QUEUED = 2048
_BURST = 16
# Frames of a live input that wait for their reader; what comes meanwhile waits in the device.
_MAX_LIVE = 64

# Frames a buffered proxy holds for a reader that does not read; the oldest goes when it is full.
_MAX_RELAYED = 512

_ENCODED_AUDIO = {"opus", "pcm_alaw", "pcm_mulaw"}
_ENCODED_VIDEO = {"h264", "hevc", "vp8"}


def _seconds(data: Any) -> float | None:
    """When a frame or packet is due."""
    pts, base = data.pts, data.time_base
    return None if pts is None or base is None else float(pts * base.numerator / base.denominator)


#: A frame or packet and its time in the input, in seconds; None at the end.
_Queued = tuple[Media, float | None] | None


class PlayerStreamTrack(MediaStreamTrack):
    """A track of a player: the worker thread fills its queue, `recv` empties it on time."""

    def __init__(self, player: MediaPlayer, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._player: MediaPlayer | None = player
        self._queue: deque[_Queued] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._start: float | None = None
        # Times in the input: of what was handed out last, and at which the worker has to go on.
        self._read: float | None = None
        self._low = 0.0

    async def recv(self) -> Media:
        """The next frame, or packet; MediaStreamError at the end of the input."""
        if self.readyState != "live" or self._player is None:
            raise MediaStreamError
        player = self._player
        player._begin(self)
        while not self._queue:
            waiter = player._await(self)
            if waiter is None:
                continue
            try:
                await waiter
            finally:
                self._waiter = None
        item = self._queue.popleft()
        if item is None:
            self.stop()
        if item is None or self._player is None:
            raise MediaStreamError
        data, at = item
        if at is not None:
            self._read = at
            if at >= self._low or not self._queue:
                player._wake()
            if player._paced:
                if self._start is None:
                    self._start = time.monotonic() - at
                wait = self._start + at - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
        return data

    def stop(self) -> None:
        """End the track; the player's worker ends with its last track."""
        super().stop()
        player, self._player = self._player, None
        if player is not None:
            player._end(self)

    # In the loop's thread.
    def _put(self, item: _Queued) -> None:
        self._queue.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class MediaPlayer:
    """Audio and video of a file, a device or an address, as tracks.

    Decoded audio comes as frames of 960 samples at 48 kHz: what the end of the input leaves of a frame is
    not handed out. Decoded pictures count from 0.

    :param file: what PyAV opens: a path, a URL, a file object.
    :param format: the container's format; by default found out.
    :param options: options of FFmpeg.
    :param timeout: seconds for opening and each read; by default none.
    :param loop: start again at the end. Needs an input whose duration is known.
    :param decode: False hands out encoded packets, of H.264, H.265 and VP8, Opus and G.711; H.264 and H.265
        as Annex B whatever the container holds. Other streams then give no track.

    Raises a FileNotFoundError for a missing file, MissingExtraError without PyAV.
    """

    def __init__(
        self,
        file: Any,
        format: str | None = None,
        options: dict[str, str] | None = None,
        timeout: int | None = None,
        loop: bool = False,
        decode: bool = True,
    ) -> None:
        av = _av.load()
        self._container = av.open(file, format=format, mode="r", options=options or {}, timeout=timeout)
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._quit = False
        self._started: set[PlayerStreamTrack] = set()
        self._burst: list[tuple[PlayerStreamTrack, _Queued]] = []  # read, and not yet in the tracks' queues
        self._decode = decode
        self._loop = loop
        self._streams: dict[PlayerStreamTrack, Any] = {}
        self._audio: PlayerStreamTrack | None = None
        self._video: PlayerStreamTrack | None = None
        for stream in self._container.streams:
            name = stream.codec_context.name if stream.codec_context else ""
            known = {name, name.removeprefix("lib")}
            if stream.type == "audio" and self._audio is None:
                if decode or known & _ENCODED_AUDIO:
                    self._audio = PlayerStreamTrack(self, "audio")
                    self._streams[self._audio] = stream
            elif stream.type == "video" and self._video is None and (decode or known & _ENCODED_VIDEO):
                self._video = PlayerStreamTrack(self, "video")
                self._streams[self._video] = stream
                if not decode and stream.codec_context.has_b_frames:
                    warnings.warn(
                        "the pictures are reordered (B-frames): receivers of WebRTC do not put them "
                        "into order",
                        RuntimeWarning,
                        stacklevel=2,
                    )
        names = set(self._container.format.name.split(","))
        self._paced = not names.intersection(REAL_TIME_FORMATS)
        if loop:
            assert self._container.duration is not None, "The `loop` argument requires a seekable file"

    @property
    def audio(self) -> MediaStreamTrack | None:
        """The track of the first audio stream; None without one."""
        return self._audio

    @property
    def video(self) -> MediaStreamTrack | None:
        """The track of the first video stream; None without one."""
        return self._video

    def _begin(self, track: PlayerStreamTrack) -> None:
        with self._lock:
            self._started.add(track)
            if self._thread is None:
                self._thread = threading.Thread(
                    name="media-player", target=self._work, args=(asyncio.get_running_loop(),), daemon=True
                )
                self._thread.start()

    def _end(self, track: PlayerStreamTrack) -> None:
        with self._lock:
            self._started.discard(track)
            self._streams.pop(track, None)
            if self._started or (self._thread is None and self._streams):
                self._lock.notify_all()
                return
            self._quit = True
            self._lock.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._container.close()

    def _wake(self) -> None:
        with self._lock:
            self._lock.notify_all()

    # In the loop's thread.
    def _collect(self) -> None:
        """Put what the worker read into the queues of its tracks."""
        with self._lock:
            burst, self._burst = self._burst, []
        for track, item in burst:
            track._put(item)

    def _await(self, track: PlayerStreamTrack) -> asyncio.Future[None] | None:
        """What tells that the worker read something for the track; None where it has already."""
        with self._lock:
            if not self._burst:
                track._waiter = asyncio.get_running_loop().create_future()
                return track._waiter
        self._collect()
        return None

    # In the worker's thread.
    def _room(self, track: PlayerStreamTrack, at: float, loop: asyncio.AbstractEventLoop) -> bool:
        """Wait until a frame of this time is under a second ahead of its reader; False: the player ends.

        What was read before is handed over first, where there is something to wait for.
        """
        with self._lock:
            if track._read is None:
                track._read = at
            ahead = _AHEAD
            while not self._quit and track in self._started:
                waiting = len(track._queue)
                if waiting < _MAX_QUEUED and (
                    at - track._read < ahead if self._paced else waiting < _MAX_LIVE
                ):
                    break
                if waiting < _MAX_QUEUED and any(t is not track and not t._queue for t in self._started):
                    break  # another track waits for what comes later in the input
                if self._burst:
                    loop.call_soon_threadsafe(self._collect)
                if self._paced:
                    ahead = _AHEAD_AGAIN
                    track._low = at - ahead
                self._lock.wait(1.0)
            track._low = float("inf")
            return not self._quit

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        tracks = dict(self._streams)
        try:
            source = self._frames(tracks) if self._decode else self._packets(tracks)
            for track, data in source:
                at = _seconds(data)
                if not self._room(track, 0.0 if at is None else at, loop):
                    return
                with self._lock:
                    self._burst.append((track, (data, at)))
                    full = len(self._burst) >= _BURST or not self._paced
                    if full or any(t._waiter is not None for t in tracks):
                        loop.call_soon_threadsafe(self._collect)
        except Exception as e:  # a broken input ends the tracks, and says why
            if not self._quit:
                warnings.warn(f"reading ended: {e}", RuntimeWarning, stacklevel=1)
        finally:
            with self._lock:
                self._burst += [(track, None) for track in tracks]
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._collect)

    def _demux(self, tracks: dict[PlayerStreamTrack, Any]) -> Iterator[tuple[PlayerStreamTrack | None, Any]]:
        """The packets of the input, over and over if so asked; (None, None) at the end of each pass."""
        av = _av.load()
        by_index = {s.index: t for t, s in tracks.items()}
        start = self._container.start_time or 0
        while not self._quit:
            try:
                for packet in self._container.demux(*tracks.values()):
                    if self._quit:
                        return
                    if packet.size and packet.dts is not None:
                        yield by_index[packet.stream.index], packet
            except (av.EOFError, av.error.InvalidDataError):
                pass
            yield None, None
            if not self._loop:
                return
            self._container.seek(min(start, 0) if start < 0 else start)

    def _frames(self, tracks: dict[PlayerStreamTrack, Any]) -> Iterator[tuple[PlayerStreamTrack, Any]]:
        av = _av.load()
        resampler = None
        samples = 0
        first: dict[PlayerStreamTrack, int] = {}
        shift: dict[PlayerStreamTrack, int] = {}
        last: dict[PlayerStreamTrack, tuple[int, int]] = {}

        def make() -> Any:
            return av.AudioResampler(
                format="s16", layout="stereo", rate=48000, frame_size=int(48000 * AUDIO_PTIME)
            )

        def out(track: PlayerStreamTrack, frame: Any) -> Iterator[tuple[PlayerStreamTrack, Any]]:
            nonlocal samples, resampler
            if track.kind == "audio":
                resampler = resampler or make()
                for piece in resampler.resample(frame):
                    piece.pts = samples
                    piece.time_base = fractions.Fraction(1, 48000)
                    samples += piece.samples
                    yield track, piece
            elif frame.pts is not None:
                base = first.setdefault(track, frame.pts)
                pts = frame.pts - base + shift.get(track, 0)
                before, step = last.get(track, (-1, 0))
                last[track] = (pts, pts - before if before >= 0 else step)
                frame.pts = pts
                yield track, frame

        for track, packet in self._demux(tracks):
            if track is not None:
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    continue  # a broken picture; the next may be whole
                for frame in frames:
                    yield from out(track, frame)
                continue
            for t, stream in tracks.items():
                for frame in stream.codec_context.decode(None):
                    yield from out(t, frame)
                stream.codec_context.flush_buffers()
                if t in last:
                    at, step = last[t]
                    shift[t] = at + (step or int(1 / (stream.time_base * 30)))
                    first.pop(t, None)

    def _packets(self, tracks: dict[PlayerStreamTrack, Any]) -> Iterator[tuple[PlayerStreamTrack, Any]]:
        av = _av.load()
        filters = {}
        for t, stream in tracks.items():
            name, extra = stream.codec_context.name, stream.codec_context.extradata
            # Samples of an MP4 file have lengths where Annex B has start codes; a packetizer wants these.
            if name in ("h264", "hevc") and extra and extra[0] == 1:
                filters[t] = av.BitStreamFilterContext(f"{name}_mp4toannexb", stream)
        shift: dict[PlayerStreamTrack, int] = {}
        first: dict[PlayerStreamTrack, int] = {}
        last: dict[PlayerStreamTrack, int] = {}
        for track, packet in self._demux(tracks):
            if track is None:
                for t, end in last.items():
                    shift[t] = end - first[t]
                for f in filters.values():
                    f.flush()
                continue
            if track not in first:
                first[track] = packet.pts
                if track.kind == "video":
                    shift[track] = -packet.pts  # pictures count from 0, as decoded ones do
            by = shift.get(track, 0)
            length = packet.duration or int(1 / (packet.time_base * 30))
            if by:
                packet.pts, packet.dts = packet.pts + by, packet.dts + by
            last[track] = max(last.get(track, 0), packet.pts + length)
            if track in filters:
                for p in filters[track].filter(packet):
                    p.stream = tracks[track]
                    yield track, p
            else:
                yield track, packet


class MediaBlackhole:
    """Reads tracks and keeps nothing, so that whoever sends is not held up."""

    def __init__(self) -> None:
        self.__tracks: dict[MediaStreamTrack, asyncio.Task[None] | None] = {}

    def addTrack(self, track: MediaStreamTrack) -> None:
        """Read this track too, from the next `start` on."""
        self.__tracks.setdefault(track, None)

    async def start(self) -> None:
        """Begin to read."""
        for track, task in self.__tracks.items():
            if task is None:
                self.__tracks[track] = asyncio.ensure_future(_consume(track))

    async def stop(self) -> None:
        """End reading; the tracks stay as they are."""
        for task in self.__tracks.values():
            if task is not None:
                task.cancel()
        self.__tracks = {}


async def _consume(track: MediaStreamTrack) -> None:
    while True:
        try:
            await track.recv()
        except MediaStreamError:
            return


class _Recorded:
    __slots__ = ("last", "started", "stream", "task")

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.started = False
        self.task: asyncio.Task[None] | None = None
        self.last: int | None = None


_AUDIO_ENCODERS = {"wav": "pcm_s16le", "alsa": "pcm_s16le", "mp3": "mp3", "ogg": "libopus", "webm": "libopus"}


class MediaRecorder:
    """Writes tracks into a file.

    :param file: what PyAV opens for writing: a path, a URL, a file object.
    :param format: the container's format; by default that of the file's name.
    :param options: options of FFmpeg.

    Frames only: a track that gives encoded packets ends the recording of that track, and `stop` raises
    TypeError.
    """

    def __init__(self, file: Any, format: str | None = None, options: dict[str, str] | None = None) -> None:
        self.__container: Any = _av.load().open(file, format=format, mode="w", options=options or {})
        self.__tracks: dict[MediaStreamTrack, _Recorded] = {}
        self.__pending: list[Any] = []

    def addTrack(self, track: MediaStreamTrack) -> None:
        """Record this track too; its encoder follows the container's format."""
        container = self.__container
        name = container.format.name
        if track.kind == "audio":
            stream = container.add_stream(_AUDIO_ENCODERS.get(name, "aac"), rate=48000)
        elif name == "image2":
            stream = container.add_stream("png", rate=30)
            stream.pix_fmt = "rgb24"
        else:
            stream = container.add_stream("libvpx" if name == "webm" else "libx264", rate=30)
            stream.pix_fmt = "yuv420p"
            if name == "webm":
                # The encoder's default takes longer than the pictures last.
                stream.options = {"deadline": "realtime", "cpu-used": "5"}
                stream.bit_rate = 2_000_000
        self.__tracks[track] = _Recorded(stream)

    async def start(self) -> None:
        """Begin to record."""
        for track, context in self.__tracks.items():
            if context.task is None:
                context.task = asyncio.ensure_future(self.__run(track, context))

    async def stop(self) -> None:
        """Finish the file; further calls do nothing."""
        container = self.__container
        if container is None:
            return
        tracks, self.__tracks = self.__tracks, {}
        tasks = [c.task for c in tracks.values() if c.task is not None]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        if self.__container is None:
            return  # another call was quicker
        self.__container = None
        error = next((r for r in results if isinstance(r, Exception)), None)
        for context in tracks.values():
            if context.started:
                self.__pending.extend(context.stream.encode(None))
        for packet in self.__pending:
            container.mux(packet)
        self.__pending = []
        container.close()
        if error is not None:
            raise error

    async def __encode(self, context: _Recorded, frame: Any) -> None:
        """Encode in a worker: a slow encoder on the loop would let nothing else run, not even `stop`."""
        made = asyncio.get_running_loop().run_in_executor(None, context.stream.encode, frame)
        try:
            packets = await asyncio.shield(made)
        except asyncio.CancelledError:
            self.__pending.extend(await made)  # whoever flushes the encoder must be alone with it
            raise
        self.__pending.extend(packets)

    async def __run(self, track: MediaStreamTrack, context: _Recorded) -> None:
        av = _av.load()
        stream = context.stream
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if not isinstance(frame, (av.AudioFrame, av.VideoFrame)):
                raise TypeError(f"frames are recorded, not {type(frame).__name__}")
            if not context.started:
                if isinstance(frame, av.VideoFrame):
                    stream.width, stream.height = frame.width, frame.height
                    stream.codec_context.time_base = fractions.Fraction(1, 30)
                context.started = True
            if isinstance(frame, av.VideoFrame) and frame.pts is not None and frame.time_base:
                # One picture a tick of the encoder: two in one tick is an error of its.
                tick = round(frame.pts * frame.time_base * 30)
                if context.last is not None and tick <= context.last:
                    continue
                context.last = tick
            await self.__encode(context, frame)
            # The file's head is written with the first packet, so it has to wait for the pictures' size.
            sizes = all(c.started or c.stream.type == "audio" for c in self.__tracks.values())
            if sizes or len(self.__pending) > _MAX_QUEUED:
                for packet in self.__pending:
                    self.__container.mux(packet)
                self.__pending = []


class RelayStreamTrack(MediaStreamTrack):
    """A proxy of a source: many may read one source, each at its own pace."""

    def __init__(self, relay: MediaRelay, source: MediaStreamTrack, buffered: bool) -> None:
        super().__init__()
        self.kind = source.kind
        self._relay = relay
        self._source: MediaStreamTrack | None = source
        self._buffered = buffered
        self._frames: deque[Media] = deque(maxlen=_MAX_RELAYED if buffered else 1)
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        #: Frames this proxy's reader came too late for.
        self.dropped = 0

    def _put(self, frame: Media) -> None:
        if len(self._frames) == self._frames.maxlen:
            self.dropped += 1
        self._frames.append(frame)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _finish(self) -> None:
        self._over = True
        if not self._buffered:
            self._frames.clear()  # the newest is that there are no more
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def request_keyframe(self) -> None:
        """Ask the source for a picture that needs no other, where it can make one."""
        ask = getattr(self._source, "request_keyframe", None)
        if ask is not None:
            ask()

    async def recv(self) -> Media:
        """The next frame of the source, the same object every proxy gets."""
        if self.readyState != "live":
            raise MediaStreamError
        self._relay._start(self)
        frames = self._frames
        while not frames:
            if self._over or self._source is None:
                self.stop()
                raise MediaStreamError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return frames.popleft()

    def stop(self) -> None:
        """End this proxy; the source stays live."""
        super().stop()
        if self._source is not None:
            source, self._source = self._source, None
            self._relay._stop(self, source)
            self._finish()


class MediaRelay:
    """Lets many read one track: one task reads the source, from the first proxy's first `recv` on."""

    def __init__(self) -> None:
        self.__proxies: dict[MediaStreamTrack, set[RelayStreamTrack]] = {}
        self.__tasks: dict[MediaStreamTrack, asyncio.Task[None]] = {}

    def subscribe(self, track: MediaStreamTrack, buffered: bool = True) -> MediaStreamTrack:
        """A new proxy. Unbuffered it gives the newest frame alone, whatever its reader missed."""
        return RelayStreamTrack(self, track, buffered)

    def _start(self, proxy: RelayStreamTrack) -> None:
        source = proxy._source
        if source is None:
            return
        proxies = self.__proxies.setdefault(source, set())
        if proxy in proxies:
            return
        proxies.add(proxy)
        if source not in self.__tasks:
            self.__tasks[source] = asyncio.ensure_future(self.__run(source))

    def _stop(self, proxy: RelayStreamTrack, source: MediaStreamTrack) -> None:
        proxies = self.__proxies.get(source)
        if proxies is None:
            return
        proxies.discard(proxy)
        if not proxies:
            del self.__proxies[source]
            task = self.__tasks.pop(source, None)
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def __run(self, source: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await source.recv()
                for proxy in list(self.__proxies.get(source, ())):
                    proxy._put(frame)
        except MediaStreamError:
            pass
        finally:
            if self.__tasks.get(source) is asyncio.current_task():
                del self.__tasks[source]
                for proxy in self.__proxies.pop(source, set()):
                    proxy._finish()
