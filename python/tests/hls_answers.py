"""What a publisher does, as JSON: run by both wheels, whose answers are compared."""

from __future__ import annotations

import copy
import hashlib
import http.client
import json
import os
import pickle
import sys
import tempfile
from typing import Any

from tstrans.exceptions import HlsError, MuxError
from tstrans.hls import HlsMode, HlsPublisher, HlsStats, MuxPublisher, PublisherStats
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184
IDR = b"\x00\x00\x00\x01\x65" + bytes(range(1, 251)) * 4
INTER = b"\x00\x00\x00\x01\x41" + bytes(range(1, 251))
KLV = b"\x06\x0e\x2b\x34" + bytes(12) + b"\x04abcd"


def builder(**options: Any) -> Any:
    b = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(tempfile.mkdtemp(dir=sys.argv[1]))
    for name, value in options.items():
        b = getattr(b, name)(*value) if isinstance(value, tuple) else getattr(b, name)(value)
    return b


def get(port: int, path: str, method: str = "GET", **headers: str) -> Any:
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.putrequest(method, path, skip_accept_encoding=True)
    for k, v in headers.items():
        c.putheader(k, v)
    c.endheaders()
    r = c.getresponse()
    body = r.read()
    c.close()
    kept = {k.lower(): v for k, v in r.getheaders() if k.lower() != "date"}
    return [r.status, kept, hashlib.sha256(body).hexdigest()]


def kind(call: Any, *args: Any) -> Any:
    try:
        call(*args)
    except (HlsError, MuxError) as e:
        return [type(e).__name__, e.kind.name]
    except Exception as e:
        return type(e).__name__
    return "fine"


def files(folder: str) -> dict[str, str]:
    return {
        n: hashlib.sha256(open(os.path.join(folder, n), "rb").read()).hexdigest()
        for n in sorted(os.listdir(folder))
    }


def plain(mode: Any) -> Any:
    folder = tempfile.mkdtemp(dir=sys.argv[1])
    for stale in ("segment_99999.ts", "segment_x.ts", "playlist.m3u8", "other.txt"):
        open(os.path.join(folder, stale), "w").close()
    p = builder(segment_duration_ms=1000, playlist_window=3, mode=mode).output_dir(folder).build()
    out: list[Any] = [sorted(os.listdir(folder)), p.render_playlist()]
    for i in range(20):
        p.push_ts(PACKET * (i + 1))
        p.cut_segment_with_duration(333_333 if i < 10 else 987_654)
        out.append(p.render_playlist())
    out.append(p.render_playlist(True))
    port = p.local_port()
    for path in (
        "/playlist.m3u8", "/playlist.m3u8?x=1", "/segment_00019.ts", "/segment_00020.ts", "/segment_19.ts",
        "/",
        "//playlist.m3u8", "/../playlist.m3u8", "/%70laylist.m3u8", "/playlist.m3u8/", "/segment_00019%2ets",
        "/segment_00019.ts?a=b", "/SEGMENT_00019.ts", "/segment_-0001.ts", "/..%2f..%2fetc/passwd",
    ):  # fmt: skip
        out.append([path, get(port, path)])
    for method in ("HEAD", "POST", "OPTIONS", "PUT", "DELETE"):
        out.append([method, get(port, "/playlist.m3u8", method)])
    out.append(get(port, "/segment_00019.ts", Range="bytes=0-9"))
    out.append(kind(p.push_ts, b"x"))
    s, h = p.stats(), p.hls_stats()
    out.append([s.segments_written, s.bytes_written, s.current_segment_age_us, s.last_segment_duration_us])
    out.append([h.segments_written, h.bytes_pushed_total, h.open_segment_bytes, h.forced_cuts])
    server = p.finish_serving()
    out.append(get(server.local_port(), "/playlist.m3u8"))
    server.shutdown()
    out.append(kind(server.local_addr))
    out.append(files(folder))
    return out


def mux(sync: bool) -> Any:
    kind_of = KlvStreamType.SYNCHRONOUS_METADATA if sync else KlvStreamType.PRIVATE_DATA
    program = (
        MuxerProgramConfigBuilder(1, 0x1000)
        .add_video(0x100, VideoCodec.H264)
        .add_klv(0x102, kind_of, carries_pts=True)
        .pcr_pid(0x100)
        .build()
    )
    folder = tempfile.mkdtemp(dir=sys.argv[1])
    p = builder(segment_duration_ms=1000, mode=HlsMode.EVENT).output_dir(folder).build()
    m = MuxPublisher.with_config_hls(p, program)
    out: list[Any] = [kind(p.stats), kind(p.finish)]
    for i in range(24):
        m.send_video(INTER if i % 4 else IDR, pts=Pts90khz(90_000 + i * 7500), key_frame=i % 4 == 0)
        m.send_klv(KLV, pts=Pts90khz(90_000 + i * 7500), stream_index=i % 3)
        if i == 13:
            m.cut_segment()
    for call in (
        lambda: m.send_video(b"xx", pts=Pts90khz(0)),
        lambda: m.send_audio(b"xx", pts=Pts90khz(0)),
        lambda: m.send_subtitle(b"xx", pts=Pts90khz(0)),
        lambda: m.send_klv(KLV, pts=Pts90khz(0), stream_index=-1),
    ):
        out.append(kind(call))
    s = m.stats()
    out.append([s.bytes_pushed, s.drain_calls, s.cut_calls])
    t = m.publisher_stats()
    out.append([t.segments_written, t.bytes_written, t.last_segment_duration_us])
    q = m.finish_into_publisher()
    out.append([kind(m.finish_into_publisher), kind(m.stats), kind(m.cut_segment), q.render_playlist()])
    q.close()
    out.append({n: h for n, h in files(folder).items() if n.endswith(".ts")})
    return out


def faults() -> Any:
    modes = {"live": HlsMode.LIVE, "event": HlsMode.EVENT, "vod": HlsMode.VOD}
    out = {}
    for options in (
        {"segment_duration_ms": 0}, {"playlist_window": 0}, {"playlist_window": 2},
        {"max_segment_duration_ms": 3999},
        {"max_segment_duration_ms": 0}, {"playlist_window": 3, "segment_duration_ms": 1500},
        {"playlist_window": 4, "segment_duration_ms": 1500}, {"playlist_window": 3}, {"playlist_window": -1},
        {"segment_duration_ms": -1}, {"segment_duration_ms": 2.5}, {"output_dir": "/dev/null/x"},
        {"bind": "x"},
        {"bind": "localhost:0"}, {"bind": "1.2.3.4:0"}, {"enable_tls": ("/nope", "/nope")},
        {"basic_auth": ("a", "b")},
        {"mode": 5}, {"playlist_window": 0, "mode": modes["vod"]}, {"playlist_window": 0,
        "mode": modes["event"]},
    ):  # fmt: skip
        made: list[Any] = []
        out[repr({k: str(v) for k, v in options.items()})] = kind(
            lambda options=options, made=made: made.append(builder(**options).build())
        )
        for p in made:
            p.close()
    for url in (
        "hls://127.0.0.1:0", "hls://localhost:0", "hls://127.0.0.1", "hls://[::1]:0", "http://127.0.0.1:0",
        "HLS://127.0.0.1:0", "hlss://127.0.0.1:0", "hls://127.0.0.1:0?segment_duration=1.5", "", "hls:",
        "hls://127.0.0.1:0?mode=LIVE", "hls://127.0.0.1:0?mode=vod&foo=1", "hls://127.0.0.1:0?auth_user=a",
        "hls://127.0.0.1:0?segment_duration=0", "hls://127.0.0.1:0?playlist_window=x",
        "hls://127.0.0.1:70000",
        "hlss://127.0.0.1:0?cert=/nope&key=/nope", "hlss://127.0.0.1:0?cert=/nope",
        "hls://127.0.0.1:0/path?mode=event",
    ):  # fmt: skip
        made = []

        def build(url: str = url, made: list[Any] = made) -> None:
            b = HlsPublisher.builder().from_url(url)
            made.append(b.output_dir(tempfile.mkdtemp(dir=sys.argv[1])).build())

        out[url] = [kind(build), [p.render_playlist() for p in made]]
        for p in made:
            p.close()
    b = builder()
    p = b.build()
    out["twice"] = [kind(b.build), kind(builder().bind(p.local_addr()).build)]
    out["end"] = [
        kind(p.finish),
        kind(p.finish),
        kind(p.close),
        kind(p.stats),
        kind(p.push_ts, b""),
        kind(p.local_port),
    ]
    return out


def values() -> Any:
    out = []
    made: list[Any] = [HlsMode.LIVE, HlsStats(1, 2, 3, 4), PublisherStats(1, 2), HlsPublisher.builder()]
    for x in made:
        out.append([kind(call, x) for call in (copy.copy, copy.deepcopy, pickle.dumps, hash, list, len)])
        out.append(kind(lambda x=x: type("Sub", (type(x),), {})))
        out.append([kind(setattr, x, name, 1) for name in ("segments_written", "unknown")])
    for args in (
        (-1, 2),
        (1.5, 2),
        ("1", 2),
        (None, 2),
        (1,),
        (1, 2, 3, 4, 5),
        (2**64, 2),
        (2**64 - 1, 2),
        (True, 2),
    ):
        out.append(kind(PublisherStats, *args))
    p = builder(segment_duration_ms=60_000).build()
    for data in (
        b"", PACKET, bytearray(PACKET), memoryview(PACKET), memoryview(PACKET * 2)[::2], "x", None, 1,
        [0] * 188, (0,) * 188, PACKET[:187], PACKET + b"x", bytes(188), range(188), [300] * 188,
    ):  # fmt: skip
        out.append([kind(p.push_ts, data), p.stats().bytes_written])
    for us in (-1, 0, 1, 999, 2**63, 2**64 - 1, 2**64, 1.5, "1", None, True):
        out.append(kind(p.cut_segment_with_duration, us))
    for event in (True, False, 1, "x", None):
        out.append(kind(p.render_playlist, event))
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264).pcr_pid(0x100).build()
    out.append([kind(MuxPublisher.with_config_hls, 1, program), kind(MuxPublisher.with_config_hls, p, 1)])
    m = MuxPublisher.with_config_hls(p, program)
    pts = Pts90khz(90_000)
    for call in (
        lambda: m.send_video(IDR, pts=pts, key_frame=True), lambda: m.send_video(IDR, pts=90_000),
        lambda: m.send_video(IDR), lambda: m.send_video(IDR, pts), lambda: m.send_video(b"", pts=pts),
        lambda: m.send_video("x", pts=pts), lambda: m.send_video(IDR, pts=pts, key_frame=1),
        lambda: m.send_video(IDR, pts=pts, key_frame=None), lambda: m.send_klv(KLV, pts=pts),
        lambda: m.send_klv(KLV, pts=pts, stream_index=256),
        lambda: m.send_klv(KLV, pts=pts, stream_index="x"),
    ):  # fmt: skip
        out.append([kind(call), repr(m.stats())])
    m.finish_into_publisher().close()
    return out


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "live": plain(HlsMode.LIVE),
                "event": plain(HlsMode.EVENT),
                "vod": plain(HlsMode.VOD),
                "mux": mux(False),
                "mux_sync": mux(True),
                "faults": faults(),
                "values": values(),
            },
            indent=1,
        )
    )
