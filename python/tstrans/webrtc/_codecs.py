"""Encoders and decoders of the codecs that are negotiated, on top of PyAV.

An encoder takes frames and gives (payload, time in ticks of the codec's clock); a decoder takes payloads and
gives frames. Both are used by one thread at a time.
"""

from __future__ import annotations

import fractions
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from . import _av
from .codecs import h264, vpx
from .exceptions import OperationError
from .mediastreams import convert_timebase

__all__ = ["CLOCKS", "NAMES", "Decoder", "Encoder", "codec_of", "decoder", "encoder"]

# Numbers of the library's codecs: include/tstrans/webrtc.h.
OPUS, G722, PCMU, PCMA, VP8, H264, H265 = range(1, 8)
#: Opus as a transport stream has it; sent as Opus.
OPUS_TS = 9

NAMES = {OPUS: "opus", G722: "g722", PCMU: "pcmu", PCMA: "pcma", VP8: "vp8", H264: "h264", H265: "h265"}
CLOCKS = {
    OPUS: 48000,
    OPUS_TS: 48000,
    G722: 8000,
    PCMU: 8000,
    PCMA: 8000,
    VP8: 90000,
    H264: 90000,
    H265: 90000,
}

_BY_NAME = {
    **{v: k for k, v in NAMES.items()},
    "libopus": OPUS,
    "opus_ts": OPUS_TS,
    "pcm_mulaw": PCMU,
    "pcm_alaw": PCMA,
    "adpcm_g722": G722,
    "libvpx": VP8,
    "libvpx-vp8": VP8,
    "hevc": H265,
    "libx264": H264,
}

Encoded = tuple[bytes, int]


class Encoder(Protocol):
    """Frames in, payloads out; `target_bitrate` in bits a second."""

    target_bitrate: int

    def encode(self, frame: Any, force_keyframe: bool = False) -> list[Encoded]: ...


class Decoder(Protocol):
    """Payloads in, frames out."""

    def decode(self, data: bytes, timestamp: int) -> list[Any]: ...


def codec_of(packet: Any) -> int:
    """The codec of an encoded packet, 0 where it does not say."""
    name = getattr(packet, "codec", None)
    if name is None:
        stream = getattr(packet, "stream", None)
        context = getattr(stream, "codec_context", None)
        name = context.name if context is not None else None
    return _BY_NAME.get(name or "", 0)


class _Audio:
    """Resamples to what the codec takes, 20 ms a packet, and keeps time across frames."""

    target_bitrate = 0

    def __init__(self, rate: int, layout: str, clock: int) -> None:
        av = _av.load()
        self._resampler = av.AudioResampler(format="s16", layout=layout, rate=rate, frame_size=rate // 50)
        self._shape: Any = None
        self._step = clock // 50
        self._clock = clock
        #: What was encoded last, for the level that is sent with it.
        self.level_samples = b""
        self._next: int | None = None
        self._expected: int | None = None
        self._rate = rate
        self._layout = layout

    def pieces(self, frame: Any) -> list[tuple[Any, int]]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._shape not in (None, shape):
            self._resampler = _av.load().AudioResampler(
                format="s16", layout=self._layout, rate=self._rate, frame_size=self._rate // 50
            )
        self._shape = shape
        if frame.pts is not None and frame.time_base:
            at = convert_timebase(frame.pts, frame.time_base, fractions.Fraction(1, self._clock))
            if self._next is None or (
                self._expected is not None and abs(at - self._expected) > 2 * self._step
            ):
                self._next = at
            self._expected = at + frame.samples * self._clock // frame.sample_rate
        elif self._next is None:
            self._next = 0
        out = []
        for piece in self._resampler.resample(frame):
            self.level_samples = bytes(piece.planes[0])
            assert self._next is not None
            out.append((piece, self._next))
            self._next += self._step
        return out


class OpusEncoder(_Audio):
    """Opus, stereo, 96 kbit/s, for speech and music over lossy networks."""

    def __init__(self) -> None:
        super().__init__(48000, "stereo", 48000)
        av = _av.load()
        c = av.CodecContext.create("libopus", "w")
        c.bit_rate = 96000
        c.format = "s16"
        c.layout = "stereo"
        c.sample_rate = 48000
        c.options = {"application": "voip"}
        c.time_base = fractions.Fraction(1, 48000)
        self._context = c
        self._times: list[int] = []

    def encode(self, frame: Any, force_keyframe: bool = False) -> list[Encoded]:
        out = []
        for piece, at in self.pieces(frame):
            piece.pts, piece.time_base = at, fractions.Fraction(1, 48000)
            self._times.append(at)
            for packet in self._context.encode(piece):
                out.append((bytes(packet), self._times.pop(0)))
        return out


class _Simple(_Audio):
    def __init__(self, codec: str, rate: int) -> None:
        super().__init__(rate, "mono", 8000)
        c = _av.load().CodecContext.create(codec, "w")
        c.format = "s16"
        c.layout = "mono"
        c.sample_rate = rate
        c.time_base = fractions.Fraction(1, rate)
        self._context = c

    def encode(self, frame: Any, force_keyframe: bool = False) -> list[Encoded]:
        out = []
        for piece, at in self.pieces(frame):
            data = b"".join(bytes(p) for p in self._context.encode(piece))
            if data:
                out.append((data, at))
        return out


class _Video:
    """What the two video encoders share: they begin anew when the size changes."""

    def __init__(self, rates: ModuleType) -> None:
        self._low: int = rates.MIN_BITRATE
        self._high: int = rates.MAX_BITRATE
        self._target = self._used = int(rates.DEFAULT_BITRATE)
        self._context: Any = None
        self._frames = 0

    @property
    def target_bitrate(self) -> int:
        """Bits a second, within the codec's bounds."""
        return self._target

    @target_bitrate.setter
    def target_bitrate(self, value: int) -> None:
        self._target = max(self._low, min(self._high, value))

    def _open(self, frame: Any) -> Any:
        raise NotImplementedError

    def _adapt(self) -> bool:
        """Follow the target; True where that needs a new encoder."""
        raise NotImplementedError

    def encode(self, frame: Any, force_keyframe: bool = False) -> list[Encoded]:
        av = _av.load()
        if frame.format.name != "yuv420p":
            frame = _keep_time(frame, frame.reformat(format="yuv420p"))
        c = self._context
        if c is not None and (c.width != frame.width or c.height != frame.height or self._adapt()):
            c = None
        if c is None:
            c = self._context = self._open(frame)
            self._used = self._target
        if frame.pts is None or not frame.time_base:
            at = self._frames * 3000
        else:
            at = convert_timebase(frame.pts, frame.time_base, fractions.Fraction(1, 90000))
        self._frames += 1
        kind = av.video.frame.PictureType
        own = _copy(frame)  # encoding changes the times of a frame, which other senders may share
        own.pict_type = kind.I if force_keyframe else kind.NONE
        own.pts, own.time_base = self._frames, fractions.Fraction(1, 30)
        data = b"".join(bytes(p) for p in c.encode(own))
        return [(data, at)] if data else []


def _copy(frame: Any) -> Any:
    video = _av.load().VideoFrame
    own = video(frame.width, frame.height, frame.format.name)
    pairs = list(zip(own.planes, frame.planes, strict=True))
    if all(a.line_size == b.line_size for a, b in pairs):
        for a, b in pairs:
            a.update(b)
        return own
    return video.from_ndarray(frame.to_ndarray(), format=frame.format.name)


def _keep_time(frame: Any, other: Any) -> Any:
    other.pts = frame.pts
    if frame.time_base is not None:
        other.time_base = frame.time_base
    return other


class H264Encoder(_Video):
    """H.264, constrained baseline, without delay; by default 500 to 3000 kbit/s."""

    def __init__(self) -> None:
        super().__init__(h264)

    def _open(self, frame: Any) -> Any:
        c = _av.load().CodecContext.create("libx264", "w")
        c.width, c.height = frame.width, frame.height
        c.pix_fmt = "yuv420p"
        c.bit_rate = self._target
        c.framerate = fractions.Fraction(30, 1)
        c.time_base = fractions.Fraction(1, 30)
        c.gop_size = 3000
        c.max_b_frames = 0
        c.thread_count = 1
        c.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"}
        if frame.width * frame.height <= 1280 * 720:
            c.options = {**c.options, "level": "31"}
        return c

    def _adapt(self) -> bool:
        if self._used != self._target:
            self._context.bit_rate = self._used = self._target  # the encoder takes it with the next frame
        return False


class Vp8Encoder(_Video):
    """VP8 in real time; by default 250 to 1500 kbit/s."""

    def __init__(self) -> None:
        super().__init__(vpx)

    def _open(self, frame: Any) -> Any:
        c = _av.load().CodecContext.create("libvpx", "w")
        c.width, c.height = frame.width, frame.height
        c.pix_fmt = "yuv420p"
        c.bit_rate = self._target
        c.framerate = fractions.Fraction(30, 1)
        c.time_base = fractions.Fraction(1, 30)
        c.gop_size = 3000
        c.thread_count = 1
        c.options = {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "error-resilient": "default",
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "bufsize": str(self._target),
            "minrate": "0",
            "maxrate": str(self._target),
            "qmin": "2",
            "qmax": "56",
            "static-thresh": "1",
            "max-intra-rate": "500",
        }
        self._since = self._frames
        return c

    _since = 0

    def _adapt(self) -> bool:
        # This encoder takes no new rate: a new one begins with a key frame, so not often and not for little.
        changed = abs(self._target - self._used) > 0.25 * self._used
        return changed and self._frames - self._since > 90


class _VideoDecoder:
    def __init__(self, codec: str) -> None:
        c = _av.load().CodecContext.create(codec, "r")
        c.thread_count = 1  # a thread more is a frame more of delay
        c.flags |= getattr(type(c.flags), "low_delay", 0) if not isinstance(c.flags, int) else 1 << 19
        self._context = c

    def decode(self, data: bytes, timestamp: int) -> list[Any]:
        packet = _av.load().Packet(data)
        packet.pts = timestamp
        packet.time_base = fractions.Fraction(1, 90000)
        out = []
        for frame in self._context.decode(packet):
            if frame.format.name != "yuv420p":
                frame = _keep_time(frame, frame.reformat(format="yuv420p"))
            if frame.pts is None:
                frame.pts = timestamp
            frame.time_base = fractions.Fraction(1, 90000)
            out.append(frame)
        return out


class _AudioDecoder:
    def __init__(self, codec: str, rate: int, layout: str, clock: int) -> None:
        c = _av.load().CodecContext.create(codec, "r")
        c.format = "s16"
        c.layout = layout
        c.sample_rate = rate
        self._context = c
        self._base = fractions.Fraction(1, rate)
        self._factor = rate // clock
        self._rate = rate

    def decode(self, data: bytes, timestamp: int) -> list[Any]:
        packet = _av.load().Packet(data)
        pts = timestamp * self._factor
        packet.pts = pts
        packet.time_base = self._base
        out = []
        for frame in self._context.decode(packet):
            frame.pts = pts
            frame.sample_rate = self._rate
            frame.time_base = self._base
            pts += frame.samples
            out.append(frame)
        return out


_ENCODERS: dict[int, Callable[[], Encoder]] = {
    OPUS: OpusEncoder,
    G722: lambda: _Simple("g722", 16000),
    PCMU: lambda: _Simple("pcm_mulaw", 8000),
    PCMA: lambda: _Simple("pcm_alaw", 8000),
    VP8: Vp8Encoder,
    H264: H264Encoder,
}

_DECODERS: dict[int, Callable[[], Decoder]] = {
    OPUS: lambda: _AudioDecoder("libopus", 48000, "stereo", 48000),
    G722: lambda: _AudioDecoder("g722", 16000, "mono", 8000),
    PCMU: lambda: _AudioDecoder("pcm_mulaw", 8000, "mono", 8000),
    PCMA: lambda: _AudioDecoder("pcm_alaw", 8000, "mono", 8000),
    VP8: lambda: _VideoDecoder("vp8"),
    H264: lambda: _VideoDecoder("h264"),
    H265: lambda: _VideoDecoder("hevc"),
}


def encoder(codec: int) -> Encoder:
    """A new encoder; OperationError where there is none, as for H.265."""
    make = _ENCODERS.get(codec)
    if make is None:
        raise OperationError(f"{NAMES.get(codec, codec)} is sent as encoded packets only")
    return make()


def decoder(codec: int) -> Decoder:
    """A new decoder."""
    return _DECODERS[codec]()
