"""Every kind of stream that the muxer makes: what is pushed, and what is then in the packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import media
from tstrans.mpegts import (
    AudioCodec,
    Av1CarriageMode,
    Cea708StandaloneConfig,
    DvbSubtitlingConfig,
    DvbTeletextConfig,
    KlvStreamType,
    Muxer,
    MuxerConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
    WebVttInTsConfig,
)

#: Units of a stream; the first is at _BASE ticks.
COUNT = 10
_BASE = 90_000
_FRAME = 3000

#: (pts, dts or None, key, bytes) of what is pushed; ticks.
Pushed = tuple[int, int | None, bool, bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of stream.

    Args:
        add: puts it into a program, at a PID.
        units: what is pushed.
        wire: what is then the payload of the PES, of the n-th unit pushed.
        stream_type: of its PMT entry.
        descriptors: of its PMT entry, (tag, body).
        has_pts: whether its packets carry times.
        carriage: of AV1.
    """

    name: str
    push: str
    add: Callable[[MuxerProgramConfigBuilder, int], Any]
    units: Callable[[], list[Pushed]]
    stream_type: int
    descriptors: tuple[tuple[int, bytes], ...] = ()
    wire: Callable[[int, bytes], bytes] = lambda _, data: data
    has_pts: bool = True
    language: str = ""
    carriage: Av1CarriageMode = Av1CarriageMode.MPEG2_TS_BINDING
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def clocked(self) -> bool:
        """Whether a program may consist of it alone."""
        return self.push in ("video", "audio")


def _ticks(ns: int) -> int:
    return (ns * 9 + 50_000) // 100_000


def _pictures(codec: str) -> Callable[[], list[Pushed]]:
    def units() -> list[Pushed]:
        extra = "-bf 2" if codec != "av1" else ""
        return [
            (_BASE + _ticks(u.pts), _BASE + _ticks(u.dts) if extra else None, u.key, u.data)
            for u in media.encode(codec, COUNT, size="64x64", extra=extra)
        ]

    return units


@lru_cache(maxsize=8)
def _frames(encoder: str, ending: str) -> tuple[bytes, ...]:
    media.need("ffmpeg", "ffprobe")
    with TemporaryDirectory() as d:
        path = Path(d) / f"x.{ending}"
        tone = "-f lavfi -i sine=frequency=440:sample_rate=48000 -ac 2 -t 0.6"
        media.run(*f"ffmpeg -nostdin -v error {tone} -c:a {encoder} {path}".split())
        data, out, at = path.read_bytes(), [], 0
        for p in media.packets(path):
            n = int(p["size"])
            out.append(data[at : at + n])
            at += n
    return tuple(out[:COUNT])


def _sound(encoder: str, ending: str, samples: int) -> Callable[[], list[Pushed]]:
    return lambda: [
        (_BASE + i * samples * 90 // 48, None, False, f) for i, f in enumerate(_frames(encoder, ending))
    ]


def _each(make: Callable[[int], bytes]) -> Callable[[], list[Pushed]]:
    return lambda: [(_BASE + i * _FRAME, None, False, make(i)) for i in range(COUNT)]


def _klv(i: int) -> bytes:
    body = bytes([i]) * (i * 20)
    return bytes.fromhex("060e2b34020b01010e01030101000000") + b"\x82" + len(body).to_bytes(2, "big") + body


def _teletext(i: int) -> bytes:
    return b"".join(b"\x02\x2c\xe7\xe4" + bytes([i + k]) * 42 for k in range(1 + i % 4))


def _teletext_wire(_: int, data: bytes) -> bytes:
    """EN 300 472: data_identifier, the units, and stuffing units up to the end of a packet."""
    out = b"\x10" + data
    left = -(45 + len(out)) % 184
    while left:
        n = min(left, 46)
        out += b"\xff" + bytes([n - 2]) + bytes(n - 2) if n > 1 else b"\xff"
        left -= n
    return out


def _binding(_: int, unit: bytes) -> bytes:
    """The start codes and emulation prevention of AV1 in MPEG-2 TS."""
    out, at = b"", 0
    while at < len(unit):
        n = at + 1 + (unit[at] >> 2 & 1)
        size = shift = 0
        while True:
            size |= (unit[n] & 0x7F) << shift
            shift += 7
            n += 1
            if not unit[n - 1] & 0x80:
                break
        zeros = 0
        out += b"\0\0\1"
        for b in unit[at : n + size]:
            if zeros >= 2 and b <= 3:
                out += b"\3"
                zeros = 0
            zeros = 0 if b else zeros + 1
            out += bytes([b])
        at = n + size
    return out


_KLVA = (5, b"KLVA")
_SYNC, _PRIVATE = KlvStreamType.SYNCHRONOUS_METADATA, KlvStreamType.PRIVATE_DATA
_SYNC_DESCRIPTORS = (
    _KLVA,
    (0x26, b"\x01\x00\xffKLVA\x00\x0f"),
    (0x27, bytes.fromhex("c00000c00000c00000")),
)

KINDS = (
    Kind("h264", "video", lambda b, p: b.add_video(p, VideoCodec.H264), _pictures("h264"), 0x1B),
    Kind("h265", "video", lambda b, p: b.add_video(p, VideoCodec.H265), _pictures("hevc"), 0x24),
    Kind(
        "h266",
        "video",
        lambda b, p: b.add_video(p, VideoCodec.H266),
        _each(lambda i: b"\0\0\0\1\0\x49" + bytes([i + 1]) * (i * 99 + 1)),
        0x33,
    ),
    Kind(
        "av1",
        "video",
        lambda b, p: b.add_video(p, VideoCodec.AV1),
        _pictures("av1"),
        6,
        ((5, b"AV01"),),
        _binding,
    ),
    Kind(
        "av1 raw",
        "video",
        lambda b, p: b.add_video(p, VideoCodec.AV1),
        _pictures("av1"),
        6,
        ((5, b"AV01"),),
        carriage=Av1CarriageMode.INTEROP_RAW_OBU,
    ),
    Kind("mp2", "audio", lambda b, p: b.add_audio(p, AudioCodec.MP2), _sound("mp2", "mp2", 1152), 3),
    Kind("aac", "audio", lambda b, p: b.add_audio(p, AudioCodec.AAC), _sound("aac", "aac", 1024), 0x0F),
    Kind(
        "aac deu",
        "audio",
        lambda b, p: b.add_audio_with_language(p, AudioCodec.AAC, language=b"deu"),
        _sound("aac", "aac", 1024),
        0x0F,
        ((0x0A, b"deu\0"),),
        language="deu",
    ),
    Kind(
        "latm", "audio", lambda b, p: b.add_audio(p, AudioCodec.AAC_LATM), _sound("aac", "latm", 1024), 0x11
    ),
    Kind(
        "ac3",
        "audio",
        lambda b, p: b.add_audio(p, AudioCodec.AC3),
        _sound("ac3", "ac3", 1536),
        0x81,
        ((5, b"AC-3"), (0x81, b"\xe8\xc8\x13")),
    ),
    Kind(
        "klv sync",
        "klv",
        lambda b, p: b.add_klv(p, _SYNC, carries_pts=True),
        _each(_klv),
        0x15,
        _SYNC_DESCRIPTORS,
        lambda i, data: bytes([7, i, 0xDF]) + len(data).to_bytes(2, "big") + data,
        arguments={"metadata_service_id": 7},
    ),
    Kind("klv", "klv", lambda b, p: b.add_klv(p, _PRIVATE, carries_pts=True), _each(_klv), 6, (_KLVA,)),
    Kind(
        "klv untimed",
        "klv",
        lambda b, p: b.add_klv(p, _PRIVATE, carries_pts=False),
        _each(_klv),
        6,
        (_KLVA,),
        has_pts=False,
    ),
    Kind(
        "dvb subtitles",
        "subtitle",
        lambda b, p: b.add_subtitle(p, DvbSubtitlingConfig(b"fra", 0x10, 1, 2)),
        _each(lambda i: bytes.fromhex("0f100001000205") + bytes([i << 4]) + bytes.fromhex("0f8000010000")),
        6,
        ((0x59, b"fra\x10\0\1\0\2"),),
        lambda _, data: b"\x20\0" + data + b"\xff",
        language="fra",
    ),
    Kind(
        "teletext",
        "subtitle",
        lambda b, p: b.add_subtitle(p, DvbTeletextConfig(b"ita", 2, 1, 0x12)),
        _each(_teletext),
        6,
        ((0x56, b"ita\x11\x12"),),
        _teletext_wire,
        language="ita",
    ),
    Kind(
        "cea708",
        "subtitle",
        lambda b, p: b.add_subtitle(p, Cea708StandaloneConfig()),
        _each(lambda i: b"\xff\x02" + bytes([i]) * 5),
        6,
        ((5, b"GA94"),),
    ),
    Kind(
        "webvtt",
        "subtitle",
        lambda b, p: b.add_subtitle(p, WebVttInTsConfig()),
        _each(lambda i: b"WEBVTT\n\n00:%02d.000 --> 00:%02d.500\ncue\n" % (i, i)),
        6,
        ((5, b"VTTC"),),
    ),
    Kind(
        "data",
        "data",
        lambda b, p: b.add_data(p, 0xF0, carries_pts=True),
        _each(lambda i: b"d" * (i + 1)),
        0xF0,
    ),
    Kind(
        "data untimed",
        "data",
        lambda b, p: b.add_data(p, 0x06, carries_pts=False),
        _each(lambda i: b"u%d" % i),
        6,
        has_pts=False,
    ),
)

#: Two streams of a file; the second PID carries the clock where the kinds cannot.
FIRST, CLOCK = 0x101, 0x1F0


def streams(kinds: tuple[Kind, ...]) -> dict[int, Kind]:
    """PID to kind of a file of these kinds."""
    out = {FIRST + i: k for i, k in enumerate(kinds)}
    if not any(k.clocked for k in kinds):
        out[CLOCK] = KINDS[0]
    return out


def write(path: Path, kinds: tuple[Kind, ...]) -> None:
    """A file with one stream of each of the kinds."""
    b = MuxerProgramConfigBuilder(1, 0x100)
    handles: dict[int, int] = {}
    count = dict.fromkeys(("video", "audio", "klv", "subtitle", "data"), 0)
    wanted = streams(kinds)
    for pid, k in wanted.items():
        k.add(b, pid)
        handles[pid], count[k.push] = count[k.push], count[k.push] + 1
    config = MuxerConfig.builder().add_program(b.build())
    m = Muxer(
        config.av1_carriage(next((k.carriage for k in kinds if "av1" in k.name), kinds[0].carriage)).build()
    )
    pushes = [(u[1] or u[0], pid, u) for pid, k in wanted.items() for u in k.units()]
    with m.write_file(path) as proxy:
        for _, pid, (pts, dts, key, data) in sorted(pushes, key=lambda p: p[0]):
            k = wanted[pid]
            handle = getattr(m, f"{k.push}_handles")()[handles[pid]]
            if k.push == "video":
                proxy.push_video_to_with_dts(
                    handle, data, pts=Pts90khz(pts), dts=None if dts is None else Pts90khz(dts), key_frame=key
                )
            else:
                getattr(proxy, f"push_{k.push}_to")(handle, data, pts=Pts90khz(pts), **k.arguments)
