"""Frames in, key/value server, web server: the facts of a stream made of NumPy pictures, by number."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import importlib.util
import itertools
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import live_flight as flight
import numpy as np
import pytest
import tstrans.hls as hlsstream
from tstrans.exceptions import TstError
from tstrans.hls.page import Site
from tstrans.hls.stream import EncoderError, EncoderErrorKind, EncoderNotFoundError, HLSEncoder, HLSPresets
from tstrans.timeline import PlaylistOffset, Timeline

SHAPE = (90, 160)


def until(what: object, timeout: float = 20.0) -> object:
    """Wait for a callable to give something true."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        got = what()  # type: ignore[operator]
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


# -- 2.1 generator ------------------------------------------------------


def test_facts_1_2_board_and_roll() -> None:
    frames = hlsstream.input.chessboard_generator((40, 60), 3, block_size=20)
    first = next(frames)[1]
    assert first.shape == (40, 60, 3) and first.dtype == np.uint8
    for y, x in itertools.product(range(0, 40, 20), range(0, 60, 20)):
        square = first[y : y + 20, x : x + 20]
        assert (square == (0 if (x + y) // 20 % 2 == 0 else 255)).all()
    for n in range(1, 5):
        assert (next(frames)[1] == np.roll(first, 3 * n, axis=1)).all()
    cut = next(hlsstream.input.chessboard_generator((30, 50), 1, block_size=100))[1]
    assert cut.shape == (30, 50, 3) and not cut.any()
    noisy = next(hlsstream.input.chessboard_generator((60, 60), 0, block_size=20, noise_std=0.2))[1]
    assert set(np.unique(noisy)) <= {0, 255} and (noisy[..., 0] == noisy[..., 1]).all()


def test_fact_3_event_colours_the_first_square(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(hlsstream.input.time, "time", lambda: now[0])
    events = iter([hlsstream.input.Event(1005, 1007, "a"), hlsstream.input.Event(1020, 1022, "b")])
    monkeypatch.setattr(
        hlsstream.input.Event, "create_random", staticmethod(lambda lambd=20.0, dur=2.0: next(events))
    )
    frames = hlsstream.input.chessboard_generator((40, 60), 1, block_size=20)
    for at, active in (
        (1000, False),
        (1005, True),
        (1006.9, True),
        (1007, False),
        (1019, False),
        (1020, True),
    ):
        now[0] = at
        _, picture, flag = next(frames)
        n = {1000: 0, 1005: 1, 1006.9: 2, 1007: 3, 1019: 4, 1020: 5}[at]
        square = np.roll(picture, -n, axis=1)[:20, :20]
        assert flag is active
        assert (square == ((0, 255, 255) if active else 0)).all()


def test_fact_3_random_events() -> None:
    waits = []
    for _ in range(2000):
        before = time.time()
        event = hlsstream.input.Event.create_random()
        waits.append(event.at - before)
        assert event.until - event.at == pytest.approx(2.0)
        assert re.fullmatch(r"\d\d:\d\d:\d\d", event.name)
        assert event.name == time.strftime("%H:%M:%S", time.localtime(event.at))
    assert 17 < np.mean(waits) < 23  # six standard deviations


def test_fact_4_the_loop_keeps_its_rate(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By a clock of ours: deadlines are fixed, a late turn is made up for, and being late is told once."""
    now, slept = [100.0], []

    class Clock:
        @staticmethod
        def perf_counter() -> float:
            return now[0]

        @staticmethod
        def sleep(seconds: float) -> None:
            slept.append(seconds)
            now[0] += seconds

    monkeypatch.setattr(hlsstream.input, "time", Clock)
    loop = hlsstream.input.rate_limited_loop(10)
    stamps = []
    for turn in range(8):
        stamps.append(next(loop))
        now[0] += 0.25 if turn in (2, 5) else 0.03  # what a turn takes
    want = [0, 0.1, 0.2, 0.45, 0.48, 0.51, 0.76, 0.79]
    assert stamps == pytest.approx(want)
    assert slept == pytest.approx([0.07, 0.07])
    assert len([r for r in caplog.records if "late" in r.message]) == 1
    with pytest.raises(ValueError, match="fps"):
        next(hlsstream.input.rate_limited_loop(0))


def test_fact_4_the_loop_waits_asleep() -> None:
    cpu, start = time.thread_time(), time.perf_counter()
    stamps = list(itertools.islice(hlsstream.input.rate_limited_loop(30), 31))
    assert time.perf_counter() - start >= 0.95
    assert stamps == sorted(stamps) and stamps[-1] >= 0.95
    assert time.thread_time() - cpu < 0.2


# -- 2.2 encoder --------------------------------------------------------


def picture(n: int = 0) -> np.ndarray:
    return np.full((*SHAPE, 3), n % 256, np.uint8)


def test_facts_5_6_settings() -> None:
    enc = HLSEncoder("x/y.m3u8")
    assert enc.shape == (1080, 1920) and enc.out_path == "x/y.m3u8" and enc.proc is None
    assert enc.inp_settings["pix_fmt"] == "rgb24" and enc.inp_settings["s"] == "1920x1080"
    want = {
        "format": "hls", "pix_fmt": "yuv420p", "hls_time": 2, "hls_list_size": 60,
        "hls_flags": "delete_segments", "start_number": 0, "vcodec": "libx264",
        "preset": "veryfast", "video_bitrate": "6M", "maxrate": "6M",
        "bufsize": "6M", "g": 60, "keyint_min": 60,
    }  # fmt: skip
    assert enc.enc_settings == want
    other = HLSEncoder("x", input_fps=25, hls_time=4, preset=HLSPresets.DEFAULT_GPU, hls_list_size=5)
    assert other.enc_settings["g"] == other.enc_settings["keyint_min"] == 100
    assert other.enc_settings["vcodec"] == "h264_nvenc" and other.enc_settings["tune"] == "ll"
    assert other.enc_settings["hls_list_size"] == 5
    wall = HLSEncoder("x", use_wallclock_pts=True)
    assert wall.inp_settings["use_wallclock_as_timestamps"] == 1
    for bad in ({"shape": (0, 5)}, {"input_fps": 0}):
        with pytest.raises(ValueError):
            HLSEncoder("x", **bad)


def probe(path: pathlib.Path, *what: str) -> list[str]:
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "csv=p=0", *what, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert out.returncode == 0, out.stderr
    return out.stdout.split()


def test_facts_7_to_14_a_stream(tmp_path: pathlib.Path) -> None:
    """100 segments of 2 s at 5 pictures a second: the window and what is on the disk."""
    out = tmp_path / "video" / "board.m3u8"  # fact 34: the folder need not exist
    with HLSEncoder(out, shape=SHAPE, input_fps=5) as enc:
        for n in range(1000):
            assert enc(picture(n)) == n / 5
            assert enc.time == (n + 1) / 5
    assert enc.wait(60) == 0
    text = out.read_text()
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:40\n")
    assert text.count("#EXTINF:2.000000,") == 60 and text.endswith("#EXT-X-ENDLIST\n")
    assert "DISCONTINUITY" not in text and "PROGRAM-DATE" not in text and "PLAYLIST-TYPE" not in text
    names = sorted(p.name for p in out.parent.glob("*.ts"))
    assert names == sorted(f"board{n}.ts" for n in range(39, 100))
    one = out.parent / "board50.ts"
    frames = probe(one, "-show_entries", "frame=key_frame,width,height")
    assert len(frames) == 10 and frames[0].startswith("1,160,90")
    pts = [float(p.strip(",")) for p in probe(one, "-show_entries", "packet=pts_time")]
    assert max(pts) - min(pts) == pytest.approx(1.8, abs=0.01)
    assert "High" in probe(one, "-show_entries", "stream=profile")[0]
    # The first picture of all: 1.4 s of mux delay and the reordering. Its own segment has gone from the disk.
    assert min(pts) - 100 == pytest.approx(1.47, abs=0.6)


def test_fact_7_time_code_is_burnt_in(tmp_path: pathlib.Path) -> None:
    shape = (200, 320)
    with HLSEncoder(tmp_path / "t.m3u8", shape=shape, input_fps=10) as enc:
        for _ in range(20):
            enc(np.full((*shape, 3), 128, np.uint8))
    assert enc.wait(60) == 0
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(tmp_path / "t0.ts"), "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True, timeout=60,
    ).stdout  # fmt: skip
    frames = np.frombuffer(raw, np.uint8).reshape(-1, *shape).astype(int)
    assert len(frames) == 20
    rows = np.where((abs(frames[0] - 128) > 60).any(axis=1))[0]
    columns = np.where((abs(frames[0] - 128) > 60).any(axis=0))[0]
    assert rows.min() >= 0.75 * 200 and rows.max() <= 0.95 * 200  # at 80 % of the height
    assert 12 <= rows.max() - rows.min() <= 40  # a tenth of the height, and the box
    assert abs((columns.min() + columns.max()) / 2 - 160) < 12  # centred
    assert (frames[0][rows.min() : rows.max()] > 200).any()  # white letters
    assert (abs(frames[0] - frames[1]) > 60).any()  # it counts
    assert (abs(frames[0] - frames[9]) > 60).any()


def test_fact_8_leaving_does_not_wait_and_output_is_overwritten(tmp_path: pathlib.Path) -> None:
    out = tmp_path / "a.m3u8"
    out.write_text("old")
    with HLSEncoder(out, shape=SHAPE) as enc:
        enc(picture())
    assert enc.proc is not None and enc.proc.stdin is not None and enc.proc.stdin.closed
    assert enc.wait(30) == 0
    assert "old" not in out.read_text()


def test_fact_9_wall_clock(tmp_path: pathlib.Path) -> None:
    with HLSEncoder(tmp_path / "a.m3u8", shape=SHAPE, use_wallclock_pts=True) as enc:
        for _ in range(3):
            assert abs(enc(picture()) - time.time()) < 5
    assert enc.wait(30) == 0


def test_a_dead_encoder_is_a_typed_error(tmp_path: pathlib.Path) -> None:
    with HLSEncoder(tmp_path / "a.m3u8", shape=SHAPE) as enc:
        enc(picture())
        assert enc.proc is not None
        enc.proc.kill()
        with pytest.raises(EncoderError) as e:
            for _ in range(10000):
                enc(picture())
    assert isinstance(e.value, BrokenPipeError) and isinstance(e.value, TstError)
    assert e.value.kind is EncoderErrorKind.DIED and e.value.returncode == -signal.SIGKILL
    with (
        HLSEncoder(tmp_path / "b.m3u8", shape=SHAPE, vcodec="no_such_codec") as enc,
        pytest.raises(EncoderError, match="no_such_codec"),
    ):
        for _ in range(10000):
            enc(picture())
    with pytest.raises(EncoderError) as e:
        enc(picture())
    assert e.value.kind is EncoderErrorKind.CLOSED


def test_a_stalled_encoder_is_a_typed_error(tmp_path: pathlib.Path) -> None:
    with HLSEncoder(tmp_path / "a.m3u8", shape=(1080, 1920)) as enc:
        assert enc.proc is not None
        enc.proc.send_signal(signal.SIGSTOP)
        enc.stall_timeout = 0.3
        try:
            with pytest.raises(EncoderError) as e:
                for _ in range(10):
                    enc(np.zeros((1080, 1920, 3), np.uint8))
            assert e.value.kind is EncoderErrorKind.STALLED
        finally:
            enc.proc.kill()


def test_no_encoder_is_a_typed_error(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(HLSEncoder, "backends", ("ffmpeg",))
    with pytest.raises(EncoderNotFoundError) as e, HLSEncoder(tmp_path / "a.m3u8"):
        pass
    assert isinstance(e.value, FileNotFoundError) and isinstance(e.value, TstError)
    monkeypatch.setattr(HLSEncoder, "backends", ("gstreamer",))
    with pytest.raises(ValueError, match="gstreamer"):
        HLSEncoder(tmp_path / "a.m3u8").command()


def test_pyav_encodes_where_there_is_no_program(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    out = tmp_path / "video" / "board.m3u8"
    with monkeypatch.context() as m:
        m.setenv("PATH", str(tmp_path))
        with HLSEncoder(out, shape=(200, 320), input_fps=5, hls_list_size=3, vcodec="libx264") as enc:
            assert enc.proc is not None and "tstrans.hls._pyav_encoder" in enc.proc.args
            for n in range(50):
                assert enc(np.full((200, 320, 3), 128, np.uint8)) == n / 5
    assert enc.wait(60) == 0
    text = out.read_text()
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2\n")
    assert text.count("#EXTINF:2.000000,") == 3 and text.endswith("#EXT-X-ENDLIST\n")
    frames = probe(out.parent / "board3.ts", "-show_entries", "frame=key_frame,width,height")
    assert len(frames) == 10 and frames[0].startswith("1,320,200")
    one = str(out.parent / "board3.ts")
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", one, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True, timeout=60,
    ).stdout  # fmt: skip
    shown = np.frombuffer(raw, np.uint8).reshape(-1, 200, 320).astype(int)
    rows = np.where((abs(shown[0] - 128) > 60).any(axis=1))[0]
    assert rows.min() >= 0.75 * 200 and rows.max() <= 0.95 * 200
    assert (abs(shown[0] - shown[1]) > 60).any()  # it counts
    # The first that is there is taken, whichever comes first.
    monkeypatch.setattr(HLSEncoder, "backends", ("pyav", "ffmpeg"))
    assert "-m" in HLSEncoder(out).command()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert HLSEncoder(out).command()[0].endswith("ffmpeg")


def test_a_pyav_encoder_that_fails_is_a_typed_error(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    monkeypatch.setattr(HLSEncoder, "backends", ("pyav",))
    with (
        HLSEncoder(tmp_path / "b.m3u8", shape=SHAPE, vcodec="no_such_codec") as enc,
        pytest.raises(EncoderError, match="no_such_codec") as e,
    ):
        for _ in range(10000):
            enc(picture())
    assert e.value.kind is EncoderErrorKind.DIED and e.value.returncode == 1
    with HLSEncoder(tmp_path / "w.m3u8", shape=SHAPE, use_wallclock_pts=True) as enc:
        for _ in range(3):
            assert abs(enc(picture()) - time.time()) < 5
    assert enc.wait(60) == 0 and "w0.ts" in (tmp_path / "w.m3u8").read_text()


def test_pictures_of_the_wrong_kind(tmp_path: pathlib.Path) -> None:
    with HLSEncoder(tmp_path / "a.m3u8", shape=SHAPE) as enc:
        for bad in (np.zeros((90, 160), np.uint8), np.zeros((160, 90, 3), np.uint8), np.zeros((90, 160, 3))):
            with pytest.raises(ValueError, match="uint8"):
                enc(bad)
        enc(picture()[:, ::-1])  # not contiguous: copied


# -- key/value server ---------------------------------------------------


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def sync_server(port: int, folder: pathlib.Path) -> Iterator[subprocess.Popen[bytes]]:
    code = f"from tstrans.hls import sync; sync.SYNC_PORT = {port}; sync.main()"
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(hlsstream.__file__).parents[2])}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=env)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def connect() -> object:
    try:
        return hlsstream.sync.Cache()
    except ConnectionRefusedError:
        return None


def test_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (hlsstream.sync.SYNC_ADDR, hlsstream.sync.SYNC_PORT) == ("127.0.0.1", 5001)
    assert hlsstream.sync.SYNC_PWD == b"password"
    port = free_port()
    monkeypatch.setattr(hlsstream.sync, "SYNC_PORT", port)
    with pytest.raises(ConnectionRefusedError):
        hlsstream.sync.Cache().get("x")
    with sync_server(port, tmp_path):
        cache = until(connect)
        other = hlsstream.sync.Cache()
        assert cache.get("x") is None and cache.get("x", 5) == 5
        other.set("x", {"a": [1, 2.5, None]})
        assert cache.get("x") == {"a": [1, 2.5, None]}
        seen = []
        waiter = threading.Thread(target=lambda: seen.append(hlsstream.sync.Cache().wait("x", 1, 10)))
        waiter.start()
        cache.set("x", 2)
        waiter.join(15)
        assert seen == [(2, 2)]
        monkeypatch.setattr(hlsstream.sync, "SYNC_PWD", b"wrong")
        with pytest.raises(multiprocessing.AuthenticationError):
            hlsstream.sync.Cache()
        monkeypatch.setattr(hlsstream.sync, "SYNC_PWD", b"password")
    with pytest.raises(ConnectionRefusedError):
        cache.get("x")
    with sync_server(port, tmp_path):  # started anew: found again
        until(connect)
        assert cache.get("x") is None
        cache.set("x", 1)
        assert cache.get("x") == 1


# -- web server ---------------------------------------------------------


@pytest.fixture
def web(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hlsstream.sync, "SYNC_PORT", free_port())
    with hlsstream.api.serve("127.0.0.1:0") as server:
        yield server


def ask(
    server: object, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.address, timeout=20)  # type: ignore[attr-defined]
    connection.putrequest(method, target, skip_accept_encoding=True)
    for k, v in (headers or {}).items():
        connection.putheader(k, v)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content


def test_facts_19_20_files(web: object, tmp_path: pathlib.Path) -> None:
    assert ask(web, "GET", "/video/chessboard.m3u8")[0] == 404  # no folder yet
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "link.ts").symlink_to(tmp_path / "secret")
    (tmp_path / "video" / "sub").mkdir()
    playlist = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2.0,\nchessboard0.ts\n"
    (tmp_path / "video" / "chessboard.m3u8").write_bytes(playlist)
    (tmp_path / "video" / "chessboard0.ts").write_bytes(bytes(range(256)) * 4)
    status, head, body = ask(web, "GET", "/video/chessboard.m3u8")
    assert status == 200 and body == playlist
    assert head["content-type"] == "application/vnd.apple.mpegurl"
    assert head["content-disposition"].startswith("attachment") and head["content-length"] == str(
        len(playlist)
    )
    assert head["etag"] and head["last-modified"]
    status, head, body = ask(web, "GET", "/video/chessboard0.ts")
    assert status == 200 and head["content-type"] == "video/mp2t" and len(body) == 1024
    status, head, body = ask(web, "HEAD", "/video/chessboard0.ts")
    assert status == 200 and head["content-length"] == "1024" and not body
    status, head, body = ask(web, "GET", "/video/chessboard0.ts", {"Range": "bytes=10-13"})
    assert status == 206 and body == b"\x0a\x0b\x0c\x0d" and head["content-range"] == "bytes 10-13/1024"
    assert ask(web, "GET", "/video/chessboard0.ts", {"Range": "bytes=2000-"})[0] == 416
    for bad in (
        "/video/none.ts", "/video/", "/video", "/video/sub", "/video/sub/x.ts", "/video/..%2Fsecret",
        "/video/../secret", "/video/%2e%2e/secret", "/video/..%5Csecret", "/video/link.ts", "/video/.hidden",
        "/secret", "/..%2Fsecret", "/%00", "/index.html%00.ts", "/nothing", "//video//..//secret",
    ):  # fmt: skip
        status, _, body = ask(web, "GET", bad)
        assert status in (301, 307, 400, 404), (bad, status)
        assert b"secret" not in body or status != 200
    for method in ("PUT", "DELETE", "POST"):
        assert ask(web, method, "/video/chessboard0.ts")[0] in (404, 405)


def test_a_playlist_that_is_being_written_is_read_again(web: object, tmp_path: pathlib.Path) -> None:
    (tmp_path / "video").mkdir()
    path = tmp_path / "video" / "chessboard.m3u8"
    whole = b"#EXTM3U\n#EXTINF:2.0,\na.ts\n"
    path.write_bytes(whole[:20])
    timer = threading.Timer(0.03, path.write_bytes, (whole,))
    timer.start()
    assert ask(web, "GET", "/video/chessboard.m3u8")[2] == whole
    timer.join()


def test_routes_page_and_cors(web: object) -> None:
    status, head, body = ask(web, "GET", "/")
    assert status == 200 and head["content-type"].startswith("text/html") and b"<" in body
    assert ask(web, "GET", "/index.html")[2] == body
    status, head, packed = ask(web, "GET", "/", {"Accept-Encoding": "gzip"})
    assert head["content-encoding"] == "gzip" and len(packed) < len(body) + 64
    assert ask(web, "GET", "/", {"If-None-Match": head["etag"]})[0] == 304
    config = json.loads(ask(web, "GET", "/page.json")[2])
    assert config["playlist"] == "/video/chessboard.m3u8" and config["target"] == 2
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert ask(web, "GET", path)[0] == 200
    assert "/markers" in json.loads(ask(web, "GET", "/openapi.json")[2])["paths"]
    preflight = {"Origin": "http://else.where", "Access-Control-Request-Method": "GET",
                 "Access-Control-Request-Headers": "x-a"}  # fmt: skip
    status, head, _ = ask(web, "OPTIONS", "/markers", preflight)
    assert status == 200 and head["access-control-allow-origin"] == "http://else.where"
    assert head["access-control-allow-credentials"] == "true" and head["access-control-max-age"] == "600"
    assert "PUT" in head["access-control-allow-methods"] and head["access-control-allow-headers"] == "x-a"
    status, head, _ = ask(web, "GET", "/markers", {"Origin": "http://else.where"})
    assert head["access-control-allow-origin"] == "http://else.where"


def read_markers(answer: tuple[int, dict[str, str], bytes]) -> list[dict[str, object]]:
    status, head, body = answer
    assert status == 200 and head["content-type"] == "application/json"
    return json.loads(json.loads(body))["markers"]  # type: ignore[no-any-return]


def test_facts_15_to_18_markers(web: object) -> None:
    assert ask(web, "GET", "/markers")[2] == b'"{\\"markers\\": []}"'
    for at, text in ((2.5, "b"), (1.0, "a"), (2.5, "c")):
        status, _, body = ask(web, "POST", "/markers", body=json.dumps({"time": at, "text": text}).encode())
        assert status == 201 and json.loads(body)["time"] == at
    assert read_markers(ask(web, "GET", "/markers")) == [
        {"time": 1.0, "text": "a"}, {"time": 2.5, "text": "b"}, {"time": 2.5, "text": "c"},
    ]  # fmt: skip
    assert [m["text"] for m in read_markers(ask(web, "GET", "/markers?ts_start=1.0"))] == ["b", "c"]
    assert read_markers(ask(web, "GET", "/markers?ts_start=2.5")) == []
    status, _, body = ask(web, "GET", "/markers?ts_start=soon")
    assert status == 422 and json.loads(body)["detail"][0]["loc"] == ["query", "ts_start"]


def test_facts_15_35_36_markers_of_the_key_value_server(
    web: object, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web server ran first; the list comes as soon as there is one, and a new stream is a new epoch."""
    with sync_server(hlsstream.sync.SYNC_PORT, tmp_path):
        cache = until(connect)
        listed = [{"time": 1.5, "text": "Marker 1"}]
        cache.set("markers", listed)
        assert until(lambda: read_markers(ask(web, "GET", "/markers"))) == listed
        first = json.loads(ask(web, "GET", "/timeline")[2])["epoch"]
        listed = [*listed, {"time": 7.0, "text": "Marker 2"}]
        cache.set("markers", listed)
        until(lambda: read_markers(ask(web, "GET", "/markers")) == listed)
        assert json.loads(ask(web, "GET", "/timeline")[2])["epoch"] == first
        cache.set("markers", [])
        until(lambda: read_markers(ask(web, "GET", "/markers")) == [])
        assert json.loads(ask(web, "GET", "/timeline")[2])["epoch"] > first
        old = json.loads(ask(web, "GET", f"/timeline?epoch={first}")[2])["markers"]
        assert [m["text"] for m in old] == ["Marker 1", "Marker 2"]


def test_markers_survive_a_restart_of_the_web_server(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hlsstream.sync, "SYNC_PORT", free_port())
    with hlsstream.api.serve("127.0.0.1:0") as server:
        ask(server, "POST", "/markers", body=b'{"time": 3, "text": "kept"}')
    with hlsstream.api.serve("127.0.0.1:0") as server:
        assert read_markers(ask(server, "GET", "/markers")) == [{"time": 3.0, "text": "kept"}]
    assert (tmp_path / "markers.db").exists()


def asgi(
    method: str,
    path: str,
    query: bytes = b"",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """One request of an ASGI server."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query, "headers": headers or [], "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(hlsstream.api.app(scope, receive, send), 30))
    head = {k.decode(): v.decode() for k, v in sent[0]["headers"]}  # type: ignore[attr-defined]
    return int(sent[0]["status"]), head, b"".join(m["body"] for m in sent[1:])  # type: ignore[misc,call-overload]


def test_asgi_application(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hlsstream.sync, "SYNC_PORT", free_port())
    monkeypatch.setattr(hlsstream.api, "app", type(hlsstream.api.app)())
    assert asgi("GET", "/markers")[2] == b'"{\\"markers\\": []}"'
    assert asgi("GET", "/markers", b"ts_start=x")[0] == 422
    assert asgi("GET", "/video/chessboard.m3u8")[0] == 404
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "a0.ts").write_bytes(b"x" * 376)
    status, head, body = asgi("GET", "/video/a0.ts")
    assert status == 200 and head["content-type"] == "video/mp2t" and len(body) == 376
    assert asgi("HEAD", "/video/a0.ts")[::2] == (200, b"")
    assert asgi("GET", "/video/a0.ts", headers=[(b"range", b"bytes=0-1")])[0] == 206
    assert asgi("GET", "/")[1]["content-type"].startswith("text/html")
    assert asgi("POST", "/markers", body=b'{"time": 1, "text": "m"}')[0] == 201
    assert asgi("POST", "/markers", body=b"x" * 70000)[0] == 413
    with sync_server(hlsstream.sync.SYNC_PORT, tmp_path):
        cache = until(connect)
        cache.set("markers", [{"time": 1.0, "text": "m"}, {"time": 5.0, "text": "n"}])
        until(lambda: len(read_markers(asgi("GET", "/markers"))) == 2)
        assert read_markers(asgi("GET", "/markers", b"ts_start=1")) == [{"time": 5.0, "text": "n"}]


def test_asgi_feed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Server-sent events of an ASGI server: what is new, what a client missed, its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hlsstream.sync, "SYNC_PORT", free_port())
    monkeypatch.setattr(hlsstream.api, "app", type(hlsstream.api.app)())

    def follow(
        headers: list[tuple[bytes, bytes]], wanted: int
    ) -> tuple[dict[str, str], list[tuple[str, ...]]]:
        """The feed's events until so many markers came, one set after the feed began."""
        sent: list[dict[str, object]] = []
        text = ""

        async def run() -> None:
            enough = asyncio.Event()

            async def receive() -> dict[str, object]:
                await enough.wait()
                return {"type": "http.disconnect"}

            async def send(message: dict[str, object]) -> None:
                nonlocal text
                sent.append(message)
                if "body" in message:
                    text += message["body"].decode()  # type: ignore[attr-defined]
                if text.count("event: marker") >= wanted:
                    enough.set()

            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
                "path": "/timeline/events", "raw_path": b"/timeline/events", "query_string": b"",
                "headers": headers, "scheme": "http", "server": ("127.0.0.1", 80), "root_path": "",
            }  # fmt: skip
            feed = asyncio.ensure_future(hlsstream.api.app(scope, receive, send))
            while not sent:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(hlsstream.api.app.timeline.add, len(text) + 1, "now")
            await asyncio.wait_for(feed, 30)

        asyncio.run(run())
        assert sent[0]["status"] == 200 and sent[-1] == {"type": "http.response.body", "body": b""}
        head = {k.decode(): v.decode() for k, v in sent[0]["headers"]}  # type: ignore[attr-defined]
        events = [tuple(e.split("\n")) for e in text.strip().split("\n\n")]
        return head, events

    assert asgi("POST", "/markers", body=b'{"time": 1, "text": "before"}')[0] == 201
    head, events = follow([(b"origin", b"http://other")], 1)
    assert (
        head["content-type"] == "text/event-stream" and head["access-control-allow-origin"] == "http://other"
    )
    assert events[0][0] == "event: epoch" and [e[0] for e in events[1:]] == ["event: marker"]
    first = json.loads(events[1][2].removeprefix("data: "))
    assert first["text"] == "now" and events[1][1] == f"id: {first['id']}"
    # Who comes back with the id it saw gets what it missed.
    _, events = follow([(b"last-event-id", str(first["id"] - 1).encode())], 2)
    ids = [int(e[1].removeprefix("id: ")) for e in events if e[0] == "event: marker"]
    assert ids == [first["id"], first["id"] + 1]


# -- clocks -------------------------------------------------------------


def test_facts_30_to_33_clocks() -> None:
    assert PlaylistOffset(40, 2).client(95.5) == 15.5
    assert PlaylistOffset(40, 2).stream(15.5) == 95.5
    assert PlaylistOffset(0, 2).client(95.5) == 95.5


# -- all together -------------------------------------------------------


def test_facts_34_37_all_parts_in_an_empty_folder(tmp_path: pathlib.Path) -> None:
    """Started together where nothing is; one part that dies is noticed, and the rest ends with it."""
    sync, api = free_port(), free_port()
    (tmp_path / "sitecustomize.py").write_text(
        f"import tstrans.hls.sync as s, tstrans.hls.api as a\ns.SYNC_PORT = {sync}\n"
        f"a.API_ADDR, a.API_PORT = '127.0.0.1', {api}\n"
    )
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{pathlib.Path(hlsstream.__file__).parents[2]}"}
    # As under `-m`, the module would be loaded twice: what was set is set in the one that runs.
    code = "import sys; from tstrans.hls import __main__ as m; sys.exit(m.main())"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, stderr=subprocess.PIPE)
    try:

        class There:
            address = f"127.0.0.1:{api}"

        def live() -> bool:
            try:
                return ask(There, "GET", "/video/chessboard.m3u8")[0] == 200
            except OSError:
                return False

        until(live, 40)
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(parent.pid)], capture_output=True, text=True, timeout=20
        ).stdout
        stream = next(int(line.split()[0]) for line in listed.splitlines() if "tstrans.hls.stream" in line)
        os.kill(stream, signal.SIGKILL)
        assert parent.wait(30) == 1
        assert b"stream ended" in parent.stderr.read()  # type: ignore[union-attr]
        with pytest.raises(OSError):
            ask(There, "GET", "/")
    finally:
        parent.terminate()
        parent.wait(20)


# -- the player of the reference page -----------------------------------

VIDEO_JS = pathlib.Path(__file__).parents[2] / "build/interop/env/videojs/node_modules/video.js/dist"

PAGE = """<!doctype html><meta charset="utf-8"><title>markers</title>
<link rel="stylesheet" href="video-js.css"><script src="video.min.js"></script>
<video id="v" class="video-js" width="320" height="180" muted autoplay></video>
<script>
const player = videojs('v', {
  liveui: true, muted: true, autoplay: true, html5: { vhs: { overrideNative: true } },
  sources: [{ src: '/video/chessboard.m3u8', type: 'application/x-mpegURL' }],
});
let offset;  // fixed when the first segment is appended
const timer = setInterval(() => {
  const media = player.tech(true)?.vhs?.playlists?.media();
  if (offset === undefined && media && player.buffered().length) {
    offset = media.mediaSequence * media.targetDuration;
    clearInterval(timer);
  }
}, 20);
const asked = (from) => fetch('/markers?ts_start=' + from).then((r) => r.json());
const markers = (from) => asked(from).then((text) => JSON.parse(text).markers);
// Facts 25 and 28: what is newer than the last known one; what the list left behind is dropped, also when
// nothing new came, and its time stays known.
const heard = [];
let listed = [];
let last = -1;
async function poll() {
  const more = await markers(last);
  if (more.length) last = more[more.length - 1].time;
  heard.push(...more);
  listed.push(...more);
  const seekable = player.seekable();
  if (offset !== undefined && seekable.length) {
    listed = listed.filter((m) => m.time - offset >= seekable.start(0));
  }
}
const again = () => setTimeout(() => poll().then(again, again), 200);
again();
</script>"""


@pytest.mark.skipif(not VIDEO_JS.is_dir(), reason="video.js is not installed: build/interop/setup.sh")
def test_facts_23_to_33_video_js_plays_it_and_finds_markers(tmp_path: pathlib.Path) -> None:
    """video.js 7.18.1 with its own HLS engine: the routes, the body parsed twice, the clocks."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text(PAGE)
    for name in ("video.min.js", "video-js.css"):
        shutil.copy(VIDEO_JS / name, static)
    fps = flight.FPS
    stop = threading.Event()
    encoder = HLSEncoder(
        tmp_path / "video" / "chessboard.m3u8",
        shape=(flight.HEIGHT, flight.WIDTH), input_fps=fps, hls_list_size=10, preset=HLSPresets.DEFAULT_CPU,
    )  # fmt: skip

    def feed() -> None:
        """34 seconds, of which 32 can be listed: a list that went on would move the player's clock and leave
        the marker behind."""
        for n in range(34 * fps):
            if stop.is_set():
                return
            encoder(flight.blocks(n))

    with Timeline() as timeline, encoder:
        thread = threading.Thread(target=feed)
        thread.start()
        try:
            site = Site(timeline=timeline, video=tmp_path / "video", static=static, cors=True)
            with site, site.listen("127.0.0.1:0") as server, playwright.sync_playwright() as p:
                n = 25 * fps - 7
                timeline.add((n + 1) / fps, "Marker 1")  # as the stream's program counts
                playlist = tmp_path / "video" / "chessboard.m3u8"
                end = time.monotonic() + 60
                while not playlist.exists() or "chessboard15.ts" not in playlist.read_text():
                    assert time.monotonic() < end
                    time.sleep(0.05)
                browser = p.chromium.launch(
                    executable_path=chromium,
                    args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
                )
                page = browser.new_page()
                page.goto(server.url)
                page.wait_for_function("offset !== undefined && player.currentTime() > 0.5", timeout=40_000)
                assert page.evaluate("offset") >= 8  # sequence 4 or later, two seconds each
                got = page.evaluate("markers(-1)")
                assert got == [{"time": pytest.approx((n + 1) / fps), "text": "Marker 1"}]
                assert page.evaluate(f"markers({(n + 1) / fps!r})") == []
                timeline.add(30.5, "Marker 2")
                timeline.add(1.0, "too late")  # before what the page asks from
                page.wait_for_function("heard.length === 2", timeout=40_000)
                timeline.add(31.5, "Marker 3")
                page.wait_for_function("heard.length === 3", timeout=40_000)
                assert page.evaluate("listed.map((m) => m.text)") == [f"Marker {i}" for i in (1, 2, 3)]
                assert page.evaluate("heard.map((m) => m.time)") == [pytest.approx((n + 1) / fps), 30.5, 31.5]
                shown = page.evaluate(
                    f"""() => new Promise((done) => {{
                      player.pause();
                      const video = document.querySelector('video');
                      const draw = {flight.DRAW};
                      const target = {(n + 1) / fps!r} - offset + 0.005;
                      const end = performance.now() + 20000;
                      const seek = () => {{
                        const asked = performance.now();
                        player.currentTime(target);
                        const look = () => {{
                          const now = performance.now();
                          const there = !video.seeking && video.readyState >= 2;  // it has a picture
                          const n = there ? draw(video).n : -1;
                          if (Math.abs(n - {n + 1}) <= 1 || now > end) return done(n);
                          // Where it had to load first, this player stays at the key frame: once more.
                          if (there && now > asked + 1000) seek();
                          else setTimeout(look, 50);
                        }};
                        look();
                      }};
                      seek();
                    }})"""
                )
                assert abs(shown - (n + 1)) <= 1
                browser.close()
        finally:
            stop.set()
            thread.join(30)
    encoder.wait(60)
