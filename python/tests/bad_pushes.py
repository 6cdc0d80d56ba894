"""Pushes that are wrong: run under any `tstrans` to see what each raises and what stream is left.

`python bad_pushes.py` prints one JSON line a case: its name, what it raised, and the digest of the packets of
a good stream with the wrong push in its middle.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from typing import Any

from tstrans.mpegts import (
    AudioCodec,
    AudioStreamHandle,
    DataStreamHandle,
    DvbSubtitlingConfig,
    KlvStreamHandle,
    KlvStreamType,
    Muxer,
    MuxerConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
    VideoStreamHandle,
)

NAL = b"\0\0\0\1\x65" + bytes(range(1, 200))
OBUS = bytes.fromhex("12000a030102033204") + bytes(4)
P = Pts90khz(93_000)


def muxer(packets: int = 2000) -> Any:
    b = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264)
    b.add_video(0x102, VideoCodec.H265).add_video(0x103, VideoCodec.AV1).add_video(0x104, VideoCodec.H266)
    b.add_audio(0x110, AudioCodec.AAC).add_audio(0x111, AudioCodec.AC3)
    b.add_klv(0x120, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
    b.add_klv(0x121, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    b.add_klv(0x122, KlvStreamType.PRIVATE_DATA, carries_pts=False)
    b.add_subtitle(0x130, DvbSubtitlingConfig(b"eng", 16, 1, 2))
    b.add_data(0x140, 0xF0, carries_pts=True)
    return Muxer(MuxerConfig.builder().buffer_packets(packets).add_program(b.build()).build())


def video(i: int, data: bytes, **more: Any) -> Callable[[Any], None]:
    return lambda m: m.push_video_to(m.video_handles()[i], data, **{"pts": P, **more})


def klv(i: int, size: int, **more: Any) -> Callable[[Any], None]:
    return lambda m: m.push_klv_to(m.klv_handles()[i], bytes(size), **{"pts": P, **more})


#: What a wrong push raises, under the names of 0.8.0, and the pushes. What is taken is odd but allowed.
CASES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "MuxError INVALID_USAGE": {
        "video of no stream": lambda m: m.push_video_to(VideoStreamHandle.from_raw(9), NAL, pts=P),
        "video of no program": lambda m: m.push_video_to(VideoStreamHandle.from_raw(16), NAL, pts=P),
        "audio of no stream": lambda m: m.push_audio_to(AudioStreamHandle.from_raw(2), b"x", pts=P),
        "KLV of no stream": lambda m: m.push_klv_to(KlvStreamHandle.from_raw(15), b"x", pts=P),
        "data of no stream": lambda m: m.push_data_to(DataStreamHandle.from_raw(1), b"x", pts=P),
        "a number above all handles": lambda m: VideoStreamHandle.from_raw(256),
        "no handle of four videos": lambda m: m.push_video(NAL, pts=P),
        "no handle of two sounds": lambda m: m.push_audio(b"x", pts=P),
        "no handle of three KLV": lambda m: m.push_klv(b"x", pts=P),
        "unknown program": lambda m: m.video_handles_for_program(7),
    },
    "MuxError KLV_TOO_LARGE": {
        "synchronous KLV, larger": klv(0, 65523),
        "KLV with times, larger": klv(1, 65528),
        "KLV without times, larger": klv(2, 65533),
    },
    "MuxError INPUT_MALFORMED": {
        "sound, larger": lambda m: m.push_audio_to(m.audio_handles()[0], bytes(65528), pts=P),
        "AC-3, larger": lambda m: m.push_audio_to(m.audio_handles()[1], bytes(65528), pts=P),
        "subtitles, larger": lambda m: m.push_subtitle(bytes(65525), pts=P),
        "data, larger": lambda m: m.push_data(bytes(65528), pts=P),
    },
    "MuxError BACKPRESSURE": {
        "a picture past the buffer": video(0, NAL + bytes(188 * 3000)),
    },
    "MuxError INVALID_NAL": {
        "H.264: nothing": video(0, b""),
        "H.264: a start code alone": video(0, b"\0\0\1"),
        "H.264: a long start code alone": video(0, b"\0\0\0\1"),
        "H.264: a byte before": video(0, b"\xff" + NAL),
        "H.264: four zeros before": video(0, b"\0\0\0\0\1\x65\x88"),
        "H.264: length prefixed": video(0, b"\0\0\0\5\x65\x88\x84\0\1"),
        "H.264: garbage": video(0, bytes(range(200))),
        "H.265: garbage": video(1, b"no video"),
        "H.266: nothing": video(3, b""),
        "H.266: garbage": video(3, b"no video"),
    },
    "MuxError INVALID_AV1_OBU": {
        "AV1: forbidden bit": video(2, b"\x92\0" + OBUS),
        "AV1: past the end": video(2, b"\x32\x7f\0"),
        "AV1: size without an end": video(2, b"\x32" + b"\xff" * 9),
        "AV1: Annex B": video(2, NAL),
        "AV1: half a header": video(2, b"\x36"),
    },
    "OverflowError": {
        "a number below all handles": lambda m: VideoStreamHandle.from_raw(-1),
        "service 256": klv(0, 1, metadata_service_id=256),
        "service -1": klv(0, 1, metadata_service_id=-1),
    },
    "TypeError": {
        "a handle of another kind": lambda m: m.push_video_to(m.audio_handles()[0], NAL, pts=P),
        "a number for a handle": lambda m: m.push_audio_to(0, b"x", pts=P),
        "None for a handle": lambda m: m.push_klv_to(None, b"x", pts=P),
        "no time": lambda m: m.push_data(b"x"),
        "text for bytes": lambda m: m.push_data("text", pts=P),
        "None for bytes": lambda m: m.push_data(None, pts=P),
        "a float for bytes": lambda m: m.push_data(1.5, pts=P),
        "pull into bytes": lambda m: m.pull(bytes(188)),
        "unknown keyword": lambda m: m.push_data(b"x", pts=P, dts=P),
    },
    "AttributeError": {
        "a number for a time": lambda m: m.push_data(b"x", pts=1),
        "None for a time": lambda m: m.push_data(b"x", pts=None),
    },
    "taken": {
        "synchronous KLV, largest": klv(0, 65522),
        "KLV with times, largest": klv(1, 65527),
        "KLV without times, largest": klv(2, 65532),
        "sound, largest": lambda m: m.push_audio_to(m.audio_handles()[0], bytes(65527), pts=P),
        "subtitles, largest": lambda m: m.push_subtitle(bytes(65524), pts=P),
        "data, largest": lambda m: m.push_data(bytes(65527), pts=P),
        "H.264: forbidden bit": video(0, b"\0\0\0\1\xe5\x88"),
        "H.265: one byte of header": video(1, b"\0\0\1\x40"),
        "AV1: nothing": video(2, b""),
        "AV1: empty unit without a size": video(2, b"\x10"),
        "KLV: nothing": klv(1, 0),
        "sound: nothing": lambda m: m.push_audio_to(m.audio_handles()[0], b"", pts=P),
        "data: nothing": lambda m: m.push_data(b"", pts=P),
        "subtitles: nothing": lambda m: m.push_subtitle(b"", pts=P),
        "time goes back": video(0, NAL, pts=Pts90khz(3)),
        "time goes back a lot": lambda m: m.push_data(b"x", pts=Pts90khz(90_000 - (1 << 32))),
        "time below zero": lambda m: m.push_data(b"x", pts=Pts90khz(-1)),
        "time past 33 bits": lambda m: m.push_data(b"x", pts=Pts90khz((1 << 33) + 90_000)),
        "decode time after the picture": lambda m: m.push_video_to_with_dts(
            m.video_handles()[0], NAL, pts=P, dts=Pts90khz(P.raw + 9000)
        ),
        "pull into too little": lambda m: m.pull(bytearray(187)),
        "pull into nothing": lambda m: m.pull(bytearray()),
    },
}


def good(m: Any, n: int) -> None:
    """One unit for each stream."""
    at = Pts90khz(90_000 + 3000 * n)
    for i, data in enumerate((NAL, NAL, OBUS, NAL)):
        m.push_video_to(m.video_handles()[i], data, pts=at, key_frame=n == 0)
    for h in m.audio_handles():
        m.push_audio_to(h, b"\xff\xf1" + bytes(50), pts=at)
    for h in m.klv_handles():
        m.push_klv_to(h, b"klv" * n, pts=at)
    m.push_subtitle(b"\x0f\x80\0\1\0\0", pts=at)
    m.push_data(b"data", pts=at)


def pull(m: Any) -> bytes:
    out = bytearray(188 * 4000)
    return bytes(out[: m.pull(out)])


def attempt(work: Callable[[], Any]) -> str:
    try:
        work()
    except Exception as e:
        kind = getattr(e, "kind", None)
        return type(e).__name__ + (f" {kind.name}" if kind is not None else "")
    return "taken"


def run(bad: Callable[[Any], Any]) -> tuple[str, bytes]:
    """What the wrong push raises, and the stream around it."""
    m = muxer()
    good(m, 0)
    data = pull(m)
    said = attempt(lambda: bad(m))
    good(m, 1)
    return said, data + pull(m)


def closed(use: Callable[[Any], Any]) -> str:
    """What a push on the proxy says after its block."""
    m = muxer()
    with tempfile.NamedTemporaryFile() as f:
        with m.write_file(f.name) as proxy:
            good(proxy, 0)
        said = attempt(lambda: use(proxy))
        with m.write_file(f.name) as again:
            good(again, 1)
    return said


if __name__ == "__main__":
    for cases in CASES.values():
        for name, bad in cases.items():
            said, data = run(bad)
            digest = hashlib.md5(data).hexdigest()
            print(json.dumps({"case": name, "said": said, "digest": digest}))
    for name in ("push_data", "push_subtitle"):
        said = closed(lambda m, n=name: getattr(m, n)(b"x", pts=P))
        print(json.dumps({"case": f"closed: {name}", "said": said, "digest": ""}))
