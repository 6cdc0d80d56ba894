"""tstrans.hls: one test or more for each fact of the publisher of 0.8.0, and what goes beyond it."""

from __future__ import annotations

import base64
import gzip
import http.client
import inspect
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tstrans import exceptions, hls
from tstrans.exceptions import HlsError, HlsErrorKind, MuxError, MuxErrorKind
from tstrans.hls import (
    HlsMode,
    HlsPublisher,
    HlsPublisherBuilder,
    HlsServerHandle,
    HlsStats,
    MuxPublisher,
    MuxPublisherStats,
    Publisher,
    PublisherStats,
)
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

PEER = os.environ.get("TSTRANS_PEER_PYTHON", "")
PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184
IDR = b"\x00\x00\x00\x01\x65" + bytes(range(1, 251)) * 4
INTER = b"\x00\x00\x00\x01\x41" + bytes(range(1, 251))
KLV = b"\x06\x0e\x2b\x34" + bytes(12) + b"\x04abcd"
HEAD = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n"


@pytest.fixture
def make(tmp_path: Path) -> Any:
    made: list[HlsPublisher] = []

    def build(**options: Any) -> HlsPublisher:
        b = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(str(tmp_path / "out"))
        for name, value in options.items():
            b = getattr(b, name)(*value) if isinstance(value, tuple) else getattr(b, name)(value)
        made.append(b.build())
        return made[-1]

    yield build
    for p in made:
        p.close()


def get(
    port: int | HlsPublisher, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    if not isinstance(port, int):
        port = port.local_port()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.putrequest(method, path, skip_accept_encoding=True)
    for k, v in headers.items():
        c.putheader(k.replace("_", "-"), v)
    c.endheaders()
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, body


def refused(kind: HlsErrorKind, call: Any, *args: Any) -> None:
    with pytest.raises(HlsError) as e:
        call(*args)
    assert e.value.kind == kind


def program(klv: KlvStreamType = KlvStreamType.PRIVATE_DATA) -> Any:
    b = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264)
    return b.add_klv(0x102, klv, carries_pts=True).pcr_pid(0x100).build()


def pids(data: bytes) -> list[int]:
    return [(data[i + 1] << 8 | data[i + 2]) & 0x1FFF for i in range(0, len(data), 188)]


# 1. Surface


def test_names() -> None:  # HLS-1, HLS-2
    assert set(hls.__all__) == {
        "Publisher", "PublisherStats", "HlsPublisher", "HlsPublisherBuilder", "HlsServerHandle",
        "MuxPublisher",
        "MuxPublisherStats", "HlsMode", "HlsStats", "HlsError", "HlsErrorKind",
    }  # fmt: skip
    assert hls.HlsError is exceptions.HlsError and hls.HlsErrorKind is exceptions.HlsErrorKind
    for name in hls.__all__:
        assert getattr(hls, name).__module__ in ("tstrans.hls", "tstrans.exceptions")
    assert set(hls.__all__) <= set(dir(hls))


def test_mode() -> None:  # HLS-3
    assert [int(m) for m in (HlsMode.LIVE, HlsMode.EVENT, HlsMode.VOD)] == [0, 1, 2]
    assert (
        HlsMode.LIVE == 0
        and HlsMode.VOD == HlsMode.VOD
        and HlsMode.LIVE != HlsMode.VOD
        and HlsMode.LIVE != "x"
    )
    with pytest.raises(TypeError, match="unhashable"):
        hash(HlsMode.LIVE)
    for args in ((), (1,)):
        with pytest.raises(TypeError):
            HlsMode(*args)
    assert repr(HlsMode.EVENT) == "HlsMode.EVENT"


def test_publisher_is_abstract() -> None:  # HLS-4
    with pytest.raises(TypeError):
        Publisher()  # type: ignore[abstract]

    class Half(Publisher):
        def push_ts(self, ts_bytes: Any) -> None: ...

    with pytest.raises(TypeError):
        Half()  # type: ignore[abstract]

    class Whole(Half):
        cuts = 0

        def cut_segment(self) -> None:
            self.cuts += 1

        def finish(self) -> None: ...

        def stats(self) -> PublisherStats:
            return PublisherStats(0, 0)

    w = Whole()
    w.cut_segment_with_duration(5)
    assert w.cuts == 1
    assert issubclass(HlsPublisher, Publisher) and Publisher not in HlsPublisher.__mro__
    assert Publisher.__abstractmethods__ == {"push_ts", "cut_segment", "finish", "stats"}


def test_value_types() -> None:  # HLS-5
    s = PublisherStats(1, 2)
    assert (s.segments_written, s.bytes_written, s.current_segment_age_us, s.last_segment_duration_us) == (
        1,
        2,
        None,
        None,
    )
    assert (
        PublisherStats(1, 2, current_segment_age_us=3, last_segment_duration_us=4).last_segment_duration_us
        == 4
    )
    assert HlsStats(1, 2, 3, 4).forced_cuts == 4
    with pytest.raises(AttributeError):
        s.bytes_written = 3
    with pytest.raises(OverflowError):
        PublisherStats(-1, 2)
    assert isinstance(HlsPublisherBuilder(), HlsPublisherBuilder)
    for cls in (HlsPublisher, HlsServerHandle, MuxPublisher, MuxPublisherStats):
        with pytest.raises(TypeError):
            cls()
    assert list(inspect.signature(MuxPublisher.send_klv).parameters) == ["self", "klv", "pts", "stream_index"]


# 2. Builder


def test_setters_return_the_builder() -> None:  # HLS-10
    b = HlsPublisher.builder()
    assert b.bind("127.0.0.1:0") is b and b.mode(HlsMode.VOD) is b and b.segment_duration_ms(1) is b
    assert b.max_segment_duration_ms(1) is b and b.playlist_window(1) is b and b.basic_auth("a", "b") is b
    assert b.enable_tls("a", "b") is b and b.output_dir("x") is b and b.from_url("hls://127.0.0.1:0") is b


def test_defaults(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # HLS-11
    p = make()
    assert p.render_playlist() == HEAD.format(4, 0)
    for _ in range(8):
        p.push_ts(PACKET)
        p.cut_segment_with_duration(4_000_000)
    assert p.render_playlist().count("EXTINF") == 6


def test_bind_addresses() -> None:  # HLS-12
    for addr in ("127.0.0.1", "localhost:0", "x", "127.0.0.1:-1", "127.0.0.1:70000", "::1:0", ":0", ""):
        with pytest.raises(ValueError, match="invalid bind address"):
            HlsPublisher.builder().bind(addr).build()


@pytest.mark.parametrize(
    "options, good",
    [
        ({"segment_duration_ms": 0}, False),
        ({"playlist_window": 0}, False),
        ({"playlist_window": 2}, False),
        ({"playlist_window": 3}, True),
        ({"playlist_window": 3, "segment_duration_ms": 1500}, False),
        ({"playlist_window": 4, "segment_duration_ms": 1500}, True),
        ({"max_segment_duration_ms": 3999}, False),
        ({"max_segment_duration_ms": 0}, True),
        ({"playlist_window": 0, "mode": HlsMode.VOD}, True),
        ({"playlist_window": 0, "mode": HlsMode.EVENT}, True),
    ],
)
def test_validation(make: Any, options: dict[str, Any], good: bool) -> None:  # HLS-13
    if good:
        make(**options)
    else:
        refused(HlsErrorKind.INVALID_CONFIG, lambda: make(**options))


def test_argument_types() -> None:  # HLS-14
    b = HlsPublisher.builder()
    for call in (b.segment_duration_ms, b.max_segment_duration_ms, b.playlist_window):
        with pytest.raises(OverflowError):
            call(-1)
        with pytest.raises(TypeError):
            call(2.5)  # type: ignore[arg-type]
    for wrong in (5, "live"):
        with pytest.raises(TypeError):
            b.mode(wrong)  # type: ignore[arg-type]


def test_build_failures(make: Any, tmp_path: Path) -> None:  # HLS-15
    p = make()
    refused(HlsErrorKind.BIND_FAILED, lambda: make(bind=p.local_addr()))
    refused(HlsErrorKind.IO, lambda: make(output_dir="/dev/null/x"))
    refused(HlsErrorKind.IO, lambda: make(enable_tls=("/nope", "/nope")))
    b = HlsPublisher.builder().bind("127.0.0.1:0").segment_duration_ms(0)
    refused(HlsErrorKind.INVALID_CONFIG, b.build)
    with pytest.raises(RuntimeError):
        b.build()


def test_from_url(tmp_path: Path) -> None:  # HLS-16
    url = f"hls://127.0.0.1:0?output_dir={tmp_path}&segment_duration=2&playlist_window=5&mode=event&foo=1"
    p = HlsPublisher.builder().from_url(url).build()
    assert p.render_playlist() == HEAD.format(2, 0) + "#EXT-X-PLAYLIST-TYPE:EVENT\n"
    p.close()
    for bad in (
        "http://127.0.0.1:0",
        "hls://127.0.0.1:0?segment_duration=1.5",
        "hls://127.0.0.1:0?mode=LIVE",
        "x",
    ):
        refused(HlsErrorKind.URL, HlsPublisher.builder().from_url, bad)
    refused(HlsErrorKind.INVALID_CONFIG, HlsPublisher.builder().from_url("hlss://127.0.0.1:0").build)
    # Half a pair of credentials is taken, and protects: it does not open the door.
    p = HlsPublisher.builder().from_url(f"hls://127.0.0.1:0?auth_user=a&output_dir={tmp_path}").build()
    assert get(p, "/playlist.m3u8")[0] == 401
    p.close()


def test_stale_segments_go(make: Any, tmp_path: Path) -> None:  # HLS-17
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("segment_00007.ts", "segment_x.ts", "keep.txt"):
        (folder / name).write_text("old")
    make()
    assert [f.name for f in folder.iterdir()] == ["keep.txt"]


# 3. HlsPublisher


def test_push_ts(make: Any, tmp_path: Path) -> None:  # HLS-20, HLS-21
    p = make(mode=HlsMode.EVENT)
    for bad in (b"x", bytes(187), bytes(189)):
        refused(HlsErrorKind.UNALIGNED_PUSH_TS, p.push_ts, bad)
    p.cut_segment()
    p.push_ts(b"")
    assert p.stats().segments_written == 0
    for data in (bytes(188), bytearray(188), memoryview(bytes(376))):
        p.push_ts(data)
    assert (tmp_path / "out" / "segment_00000.ts").stat().st_size == 4 * 188
    p.cut_segment()
    p.push_ts(PACKET)
    p.cut_segment_with_duration(1_234_567)
    p.cut_segment_with_duration(5)
    text = p.render_playlist()
    assert text.count("EXTINF") == 2 and "#EXTINF:1.235,\nsegment_00001.ts\n" in text
    with pytest.raises(OverflowError):
        p.cut_segment_with_duration(-1)


def push_for(p: HlsPublisher, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        p.push_ts(PACKET)
        time.sleep(0.01)


def test_wall_clock_cuts(make: Any) -> None:  # HLS-22, HLS-23
    p = make(segment_duration_ms=500)
    push_for(p, 1.2)
    cuts = p.render_playlist().count("EXTINF")
    assert 1 <= cuts <= 2 and p.hls_stats().forced_cuts == 0
    p.cut_segment()
    push_for(p, 1.3)
    assert p.hls_stats().forced_cuts == 1
    assert "#EXTINF:1." in p.render_playlist()


def test_one_key_frame_is_never_cut(make: Any) -> None:  # HLS-24
    m = MuxPublisher.with_config_hls(make(segment_duration_ms=10_000, mode=HlsMode.EVENT), program())
    for i in range(300):
        m.send_video(INTER if i else IDR, pts=Pts90khz(i * 9000), key_frame=i == 0)
    assert m.publisher_stats().segments_written == 1
    m.finish_into_publisher().close()


def test_stats(make: Any) -> None:  # HLS-25, HLS-26
    p = make()
    s = p.stats()
    assert (s.segments_written, s.bytes_written, s.current_segment_age_us, s.last_segment_duration_us) == (
        0,
        0,
        None,
        None,
    )
    p.push_ts(PACKET * 2)
    s = p.stats()
    assert s.segments_written == 1 and s.bytes_written == 376 and s.current_segment_age_us is not None
    h = p.hls_stats()
    assert (h.segments_written, h.bytes_pushed_total, h.open_segment_bytes, h.forced_cuts) == (1, 376, 376, 0)
    p.cut_segment_with_duration(7)
    s = p.stats()
    assert s.current_segment_age_us is None and s.last_segment_duration_us == 7
    assert p.local_addr() == f"127.0.0.1:{p.local_port()}"


def test_render_playlist(make: Any) -> None:  # HLS-27, HLS-55, HLS-56, HLS-57
    for mode, extra in ((HlsMode.LIVE, ""), (HlsMode.EVENT, "EVENT"), (HlsMode.VOD, "VOD")):
        p = make(mode=mode, segment_duration_ms=1500)
        p.push_ts(PACKET)
        p.cut_segment_with_duration(9_876_543)
        p.push_ts(PACKET)
        want = HEAD.format(2, 0) + (f"#EXT-X-PLAYLIST-TYPE:{extra}\n" if extra else "")
        want += "#EXTINF:9.877,\nsegment_00000.ts\n"
        assert p.render_playlist() == want
        assert p.render_playlist(is_event=True) == want + ("#EXT-X-ENDLIST\n" if extra else "")
        p.close()


def test_finish(make: Any, tmp_path: Path) -> None:  # HLS-28, HLS-58, HLS-73
    for mode in (HlsMode.LIVE, HlsMode.EVENT, HlsMode.VOD):
        p = make(mode=mode)
        port = p.local_port()
        p.push_ts(PACKET)
        p.finish()
        text = (tmp_path / "out" / "playlist.m3u8").read_text()
        assert "segment_00000.ts" in text
        assert text.endswith("#EXT-X-ENDLIST\n") == (mode != HlsMode.LIVE)
        with pytest.raises(ConnectionRefusedError):
            get(port, "/playlist.m3u8")
        for call in (
            p.finish, p.finish_serving, p.stats, p.hls_stats, p.local_addr, p.local_port, p.render_playlist,
            p.cut_segment, lambda p=p: p.push_ts(b""), lambda p=p: p.cut_segment_with_duration(1),
        ):  # fmt: skip
            refused(HlsErrorKind.FINISHED, call)
        p.close()
        p.close()
    make().finish()
    assert (tmp_path / "out" / "playlist.m3u8").read_text() == HEAD.format(4, 0)


def test_dropping_stops_the_server(make: Any, tmp_path: Path) -> None:  # HLS-30
    assert not hasattr(HlsPublisher, "__enter__")
    p = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(str(tmp_path)).build()
    p.push_ts(PACKET)
    port = p.local_port()
    del p
    with pytest.raises(ConnectionRefusedError):
        get(port, "/playlist.m3u8")
    assert (tmp_path / "segment_00000.ts").exists()


# 4. HlsServerHandle


def test_finish_serving(make: Any) -> None:  # HLS-29, HLS-35
    p = make(mode=HlsMode.VOD)
    p.push_ts(PACKET)
    with p.finish_serving() as server:
        refused(HlsErrorKind.FINISHED, p.stats)
        assert get(server.local_port(), "/playlist.m3u8")[2].endswith(b"#EXT-X-ENDLIST\n")
        assert get(server.local_port(), "/segment_00000.ts")[2] == PACKET
        assert server.local_addr() == f"127.0.0.1:{server.local_port()}"
        port = server.local_port()
    server.shutdown()
    server.close()
    refused(HlsErrorKind.FINISHED, server.local_addr)
    refused(HlsErrorKind.FINISHED, server.local_port)
    with pytest.raises(ConnectionRefusedError):
        get(port, "/playlist.m3u8")


# 5. MuxPublisher


def test_mux_consumes_the_publisher(make: Any) -> None:  # HLS-40
    p = make()
    for args in ((5, program()), (p, 5)):
        with pytest.raises(TypeError):
            MuxPublisher.with_config_hls(*args)
    p.stats()
    m = MuxPublisher.with_config_hls(p, program())
    refused(HlsErrorKind.FINISHED, p.stats)
    refused(HlsErrorKind.FINISHED, MuxPublisher.with_config_hls, p, program())
    m.finish_into_publisher().close()
    bad = (
        MuxerProgramConfigBuilder(1, 0x1000)
        .add_klv(0x102, KlvStreamType.PRIVATE_DATA, carries_pts=True)
        .build()
    )
    p = make()
    refused(HlsErrorKind.INVALID_CONFIG, MuxPublisher.with_config_hls, p, bad)
    refused(HlsErrorKind.FINISHED, p.stats)


def test_mux_sends(make: Any) -> None:  # HLS-41, HLS-42, HLS-46, HLS-47
    m = MuxPublisher.with_config_hls(make(), program())
    m.send_video(IDR, pts=Pts90khz(90_000), key_frame=True)
    for index in (0, 5, 255):
        m.send_klv(KLV, pts=Pts90khz(90_000), stream_index=index)
    for index in (-1, 256):
        with pytest.raises(OverflowError):
            m.send_klv(KLV, pts=Pts90khz(90_000), stream_index=index)
    for call, kind in (
        (lambda: m.send_video(b"xx", pts=Pts90khz(0)), MuxErrorKind.INVALID_NAL),
        (lambda: m.send_audio(b"xx", pts=Pts90khz(0)), MuxErrorKind.INVALID_USAGE),
        (lambda: m.send_subtitle(b"xx", pts=Pts90khz(0)), MuxErrorKind.INVALID_USAGE),
    ):
        with pytest.raises(MuxError) as e:
            call()
        assert e.value.kind == kind
    s = m.stats()
    assert (s.drain_calls, s.cut_calls) == (4, 0)
    assert s.bytes_pushed == m.publisher_stats().bytes_written > 0
    m.cut_segment()
    m.cut_segment()
    assert m.stats().cut_calls == 2
    p = m.finish_into_publisher()
    assert p.stats().segments_written == 1
    for call in (
        m.finish_into_publisher,
        m.stats,
        m.publisher_stats,
        m.cut_segment,
        lambda: m.send_video(IDR, pts=Pts90khz(0)),
    ):
        refused(HlsErrorKind.CLOSED, call)
    p.close()


def test_mux_cuts_at_every_key_frame(make: Any, tmp_path: Path) -> None:  # HLS-43, HLS-44, HLS-45
    m = MuxPublisher.with_config_hls(make(segment_duration_ms=1000, mode=HlsMode.EVENT), program())
    for i in range(12):
        m.send_video(
            INTER if i % 4 else IDR, pts=Pts90khz((1 << 33) - 30_000 + i * 7500), key_frame=i % 4 == 0
        )
        m.send_klv(KLV, pts=Pts90khz((1 << 33) - 30_000 + i * 7500))
    assert m.stats().cut_calls == 2
    m.finish_into_publisher().finish()
    text = (tmp_path / "out" / "playlist.m3u8").read_text()
    durations = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF")]
    # Across the wrap of 33 bits, too; the last one took what the clock on the wall says.
    assert durations[:2] == [0.333, 0.333] and len(durations) == 3 and durations[2] < 30
    for i in range(3):
        assert pids((tmp_path / "out" / f"segment_{i:05d}.ts").read_bytes())[:3] == [0, 0x1000, 0x100]


@pytest.mark.parametrize(
    "klv, stream_type", [(KlvStreamType.PRIVATE_DATA, 0x06), (KlvStreamType.SYNCHRONOUS_METADATA, 0x15)]
)
def test_mux_klv_carriage(make: Any, tmp_path: Path, klv: KlvStreamType, stream_type: int) -> None:  # HLS-48
    m = MuxPublisher.with_config_hls(make(), program(klv))
    m.send_video(IDR, pts=Pts90khz(90_000), key_frame=True)
    m.send_klv(KLV, pts=Pts90khz(90_000))
    m.finish_into_publisher().finish()
    data = (tmp_path / "out" / "segment_00000.ts").read_bytes()
    at = data.index(b"\x02\xb0", 188)
    assert bytes([stream_type, 0xE1, 0x02]) in data[at : at + 60]
    body = data[data.index(b"\x00\x00\x01" + (b"\xfc" if stream_type == 0x15 else b"\xbd")) :]
    assert (KLV in body) and (body.index(KLV) == (14 + 5 if stream_type == 0x15 else 14))


# 6. Playlist


def test_live_window(make: Any) -> None:  # HLS-59
    p = make(segment_duration_ms=1000, playlist_window=3)
    for _ in range(14):
        p.push_ts(PACKET)
        p.cut_segment_with_duration(333_333)
    assert p.render_playlist().startswith(HEAD.format(1, 4)) and p.render_playlist().count("EXTINF") == 10
    p = make(segment_duration_ms=1000, mode=HlsMode.EVENT)
    for _ in range(14):
        p.push_ts(PACKET)
        p.cut_segment_with_duration(1_000_000)
    assert p.render_playlist().count("EXTINF") == 14


def test_files_are_removed_late(make: Any, tmp_path: Path) -> None:  # HLS-60
    p = make(segment_duration_ms=100, playlist_window=30)
    for _ in range(40):
        p.push_ts(PACKET)
        p.cut_segment_with_duration(100_000)
    first = tmp_path / "out" / "segment_00000.ts"
    assert "segment_00000.ts" not in p.render_playlist() and first.exists()
    assert get(p, "/segment_00000.ts")[0] == 200
    end = time.monotonic() + 20
    while first.exists() and time.monotonic() < end:
        time.sleep(0.2)
        p.push_ts(PACKET)
        p.cut_segment_with_duration(100_000)
    assert not first.exists() and get(p, "/segment_00000.ts")[0] == 404


def test_the_file_is_replaced_whole(make: Any, tmp_path: Path) -> None:  # HLS-61
    p = make(mode=HlsMode.EVENT)
    file = tmp_path / "out" / "playlist.m3u8"
    assert not file.exists() and get(p, "/playlist.m3u8")[2].decode() == p.render_playlist()
    stop = threading.Event()
    broken: list[str] = []

    def read() -> None:
        while not stop.is_set():
            if file.exists():
                text = file.read_text()
                if not text.startswith("#EXTM3U\n") or not text.endswith(".ts\n"):
                    broken.append(text)

    t = threading.Thread(target=read)
    t.start()
    for _ in range(300):
        p.push_ts(PACKET)
        p.cut_segment_with_duration(1_000_000)
    stop.set()
    t.join()
    assert not broken


# 7. Server


def test_routes(make: Any) -> None:  # HLS-70
    p = make()
    p.push_ts(PACKET)
    assert get(p, "/segment_00000.ts")[0] == 404
    p.cut_segment()
    status, headers, body = get(p, "/playlist.m3u8?x=1")
    assert status == 200 and headers["content-type"] == "application/vnd.apple.mpegurl"
    assert headers["content-length"] == str(len(body))
    status, headers, body = get(p, "/segment_00000.ts", Range="bytes=0-9")
    assert (status, headers["content-type"], body) == (200, "video/mp2t", PACKET)
    assert not {"access-control-allow-origin", "cache-control", "accept-ranges"} & set(headers)
    for path in (
        "/",
        "/x",
        "//playlist.m3u8",
        "/../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/segment_00000.ts/..",
        "/segment_0.ts",
    ):
        assert get(p, path)[0] == 404
    for method in ("HEAD", "POST", "OPTIONS", "PUT"):
        assert get(p, "/playlist.m3u8", method)[0] == 404


def test_basic_auth(make: Any) -> None:  # HLS-71
    p = make(basic_auth=("user", "secret"))
    p.push_ts(PACKET)
    p.cut_segment()
    good = "Basic " + base64.b64encode(b"user:secret").decode()
    bad = "Basic " + base64.b64encode(b"user:wrong").decode()
    for path in ("/playlist.m3u8", "/segment_00000.ts"):
        for headers in ({}, {"Authorization": bad}, {"Authorization": "Bearer x"}):
            status, answer, _ = get(p, path, **headers)
            assert status == 401 and answer["www-authenticate"].startswith('Basic realm="')
        assert get(p, path, Authorization=good)[0] == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days",
         "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_tls(make: Any, certificate: tuple[str, str], tmp_path: Path) -> None:  # HLS-72
    p = make(enable_tls=certificate)
    p.push_ts(PACKET * 500)
    p.cut_segment()
    c = http.client.HTTPSConnection(
        "127.0.0.1", p.local_port(), timeout=20, context=ssl.create_default_context(cafile=certificate[0])
    )
    c.request("GET", "/segment_00000.ts")
    assert c.getresponse().read() == PACKET * 500
    c.close()
    (tmp_path / "bad.pem").write_text("no certificate")
    refused(HlsErrorKind.TLS, lambda: make(enable_tls=(str(tmp_path / "bad.pem"), certificate[1])))


# What goes beyond 0.8.0


@pytest.mark.skipif(not PEER, reason="TSTRANS_PEER_PYTHON names no interpreter with the published wheel")
def test_same_answers_as_the_published_wheel(tmp_path: Path) -> None:
    script = str(Path(__file__).with_name("hls_answers.py"))
    answers = []
    for python in (PEER, sys.executable):
        env = dict(os.environ)
        if python == PEER:
            env.pop("PYTHONPATH", None)
        out = subprocess.run(
            [python, script, str(tmp_path)], capture_output=True, text=True, timeout=120, env=env
        )
        assert out.returncode == 0, out.stderr
        answers.append(json.loads(out.stdout))
    for part in answers[0]:
        assert answers[1][part] == answers[0][part], part


def test_web_options(make: Any) -> None:
    p = make(cors="*", gzip=True, byte_ranges=True, cache_control=True)
    p.push_ts(PACKET * 10)
    p.cut_segment_with_duration(4_000_000)
    status, headers, body = get(p, "/playlist.m3u8", Accept_Encoding="gzip")
    assert status == 200 and headers["content-encoding"] == "gzip" and headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(body).decode() == p.render_playlist()
    assert headers["access-control-allow-origin"] == "*" and headers["cache-control"] == "max-age=2"
    assert "content-encoding" not in get(p, "/playlist.m3u8", Accept_Encoding="gzip;q=0, br")[1]
    status, headers, body = get(p, "/segment_00000.ts", "HEAD")
    assert (status, headers["content-length"], body) == (200, "1880", b"")
    for spec, want, where in (
        ("bytes=0-3", b"\x47\x1f\xff\x10", "bytes 0-3/1880"),
        ("bytes=188-", PACKET * 9, "bytes 188-1879/1880"),
        ("bytes=-188", PACKET, "bytes 1692-1879/1880"),
        ("bytes=1879-9999", b"\xff", "bytes 1879-1879/1880"),
    ):
        status, headers, body = get(p, "/segment_00000.ts", Range=spec)
        assert (status, headers["content-range"], body) == (206, where, want)
    status, headers, _ = get(p, "/segment_00000.ts", Range="bytes=1880-")
    assert status == 416 and headers["content-range"] == "bytes */1880"
    assert get(p, "/segment_00000.ts", Range="bytes=x")[0] == 200
    status, headers, _ = get(p, "/playlist.m3u8", "OPTIONS", Origin="http://x")
    assert status == 204 and "Range" in headers["access-control-allow-headers"]


def test_memory_and_no_server(make: Any, tmp_path: Path) -> None:
    p = make(memory=True, end_live=True)
    p.push_ts(PACKET)
    p.cut_segment_with_duration(4_000_000)
    assert get(p, "/segment_00000.ts")[2] == PACKET
    assert not (tmp_path / "out").exists()
    with p.finish_serving() as server:
        assert get(server.local_port(), "/playlist.m3u8")[2].endswith(b"#EXT-X-ENDLIST\n")
    p = make(serve=False)
    assert p.local_addr() is None and p.local_port() == 0
    p.push_ts(PACKET)
    p.finish()
    assert (tmp_path / "out" / "playlist.m3u8").exists()


def test_markers(make: Any) -> None:
    p = make(program_date_time="wall", mode=HlsMode.EVENT, cut_on_key_frames=True)
    m = MuxPublisher.with_config_hls(p, program())
    before = datetime.now(timezone.utc)
    for i in range(60):
        m.send_video(IDR if i % 25 == 0 else INTER, pts=Pts90khz(i * 9000), key_frame=i % 25 == 0)
    at = before + timedelta(seconds=1)
    m.add_date_range("one", at, timedelta(seconds=1.5), class_name="marker", attributes={"X-TEXT": "hé"})
    text = m.render_playlist()
    line = next(x for x in text.splitlines() if x.startswith("#EXT-X-DATERANGE"))
    assert 'ID="one",CLASS="marker",START-DATE="' in line and line.endswith(',DURATION=1.5,X-TEXT="hé"')
    date = next(x for x in text.splitlines() if x.startswith("#EXT-X-PROGRAM-DATE-TIME:"))
    assert abs(datetime.fromisoformat(date[25:].replace("Z", "+00:00")) - before) < timedelta(seconds=20)
    with pytest.raises(ValueError, match="time zone"):
        m.add_date_range("two", datetime(2026, 1, 1))
    for wrong in ({"bad": "x"}, {"X-A": 'qu"ote'}):
        refused(
            HlsErrorKind.INVALID_CONFIG, lambda wrong=wrong: m.add_date_range("two", at, attributes=wrong)
        )
    refused(HlsErrorKind.INVALID_CONFIG, lambda: m.add_date_range("one", at + timedelta(seconds=1)))
    m.finish_into_publisher().close()
    with pytest.raises(ValueError, match="none of"):
        HlsPublisher.builder().program_date_time("sun")


def test_low_latency(make: Any) -> None:
    p = make(low_latency=200, segment_duration_ms=1000, playlist_window=3, memory=True)
    m = MuxPublisher.with_config_hls(p, program())
    port = m.local_port()
    got: list[tuple[int, dict[str, str], bytes]] = []
    t = threading.Thread(target=lambda: got.append(get(port, "/playlist.m3u8?_HLS_msn=0&_HLS_part=1")))
    t.start()
    for i in range(12):
        m.send_video(IDR if i == 0 else INTER, pts=Pts90khz(i * 3600), key_frame=i == 0)
    t.join(20)
    status, _, body = got[0]
    assert status == 200 and b'#EXT-X-PART:DURATION=0.20000,URI="part_00000_0.ts",INDEPENDENT=YES\n' in body
    assert b"part_00000_1.ts" in body and b"EXT-X-PRELOAD-HINT" in body
    m.finish_into_publisher().close()


def test_threads_share_a_publisher(make: Any) -> None:
    p = make(mode=HlsMode.EVENT)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                p.push_ts(PACKET * 3)
                p.cut_segment_with_duration(1_000_000)
                p.stats()
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not errors and p.stats().bytes_written == 4 * 200 * 3 * 188
    p.finish()


def test_no_handle_is_left(make: Any) -> None:
    from tstrans._native import _lib

    count = _lib.library().base.tst_handle_count
    make().close()
    before = count()
    p = make()
    m = MuxPublisher.with_config_hls(p, program())
    m.finish_into_publisher().finish_serving().close()
    del p, m
    assert count() == before


FULL_DISK = """
import resource, signal, sys
from tstrans.exceptions import HlsError, HlsErrorKind
from tstrans.hls import HlsMode, HlsPublisher

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
p = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(sys.argv[1]).mode(HlsMode.EVENT).build()
packet = lambda i: b"\\x47\\x1f\\xff\\x10" + i.to_bytes(4, "big") * 46
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
done = failed = 0
for limit in (1000, 188 * 50 + 7, 188 * 400 + 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    for _ in range(1000):
        try:
            p.push_ts(packet(done) * 3)
        except HlsError as e:
            assert e.kind == HlsErrorKind.IO, e
            failed += 1
            break
        done += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
p.push_ts(packet(done) * 3)
p.finish()
print(done + 1, failed)
"""


def test_full_disk(tmp_path: Path) -> None:
    out = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert out.returncode == 0, out.stderr
    pushes, failed = map(int, out.stdout.split())
    assert failed == 3
    data = (tmp_path / "segment_00000.ts").read_bytes()
    want = b"".join((b"\x47\x1f\xff\x10" + i.to_bytes(4, "big") * 46) * 3 for i in range(pushes))
    assert data == want and "segment_00000.ts" in (tmp_path / "playlist.m3u8").read_text()


def test_packets_as_they_come(make: Any, tmp_path: Path) -> None:
    data = (Path(__file__).parents[2] / "testdata" / "demo.ts").read_bytes()
    for options in ({"cut_on_key_frames": True}, {"container": "fmp4"}):
        p = make(mode=HlsMode.VOD, segment_duration_ms=1000, program_date_time="sensor", **options)
        for i in range(0, len(data), 188 * 40):
            p.push_ts(data[i : i + 188 * 40])
        text = p.render_playlist()
        p.finish()
        assert "#EXTINF" in text and "#EXT-X-PROGRAM-DATE-TIME:20" in text
        assert ("#EXT-X-MAP" in text) == ("container" in options)
