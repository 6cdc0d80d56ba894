"""`python -m tstrans view`: a file and a live stream behind the page."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import live_flight as flight
import pytest
from tstrans import srt
from tstrans.mpegts import MuxerProgramConfigBuilder, VideoCodec
from tstrans.rtp import RtspServer, RtspServerConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]


@contextmanager
def view(tmp: pathlib.Path, *arguments: str) -> Iterator[str]:
    """The address that the command prints."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "XDG_STATE_HOME": str(tmp / "state")}
    command = [sys.executable, "-m", "tstrans", "view", "--bind", "127.0.0.1:0", "-q", "--duration", "100"]
    child = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        child.wait(20)


def get(url: str, path: str, data: bytes | None = None) -> Any:
    with urllib.request.urlopen(url + path, data, timeout=30) as answer:
        body = answer.read()
    return json.loads(body) if "json" in answer.headers["Content-Type"] else body.decode()


def test_a_file_is_there_as_a_whole_and_its_markers_are_kept(tmp_path: pathlib.Path) -> None:
    demo = str(ROOT / "testdata" / "demo.ts")
    for turn in range(2):
        with view(tmp_path, demo) as url:
            end = time.monotonic() + 40
            while "#EXT-X-ENDLIST" not in get(url, "playlist.m3u8"):
                assert time.monotonic() < end
                time.sleep(0.05)
            page = get(url, "page.json")
            assert page["title"] == "demo.ts" and page["telemetry"] and len(page["anchors"]) == 1
            assert get(url, "telemetry/track?points=5")["points"]
            assert "<video" in get(url, "")
            kept = get(url, "timeline")["markers"]
            assert [m["text"] for m in kept] == ["here"] * turn
            if not turn:
                get(url, "markers", b'{"time": 2.5, "text": "here"}')


def wait(url: str, path: str, good: Callable[[Any], bool]) -> Any:
    """An answer once it is good."""
    end = time.monotonic() + 40
    while not good(got := get(url, path)):
        assert time.monotonic() < end, got
        time.sleep(0.05)
    return got


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def shown(url: str) -> None:
    """The flight is there, live, with its telemetry."""
    playlist = wait(url, "playlist.m3u8", lambda text: "segment_00002.ts" in text)
    assert "#EXT-X-PART:" in playlist and "#EXT-X-ENDLIST" not in playlist
    got = get(url, f"telemetry?pts={flight.FIRST_PTS + 30 * 6000}&ticks=1")["records"]
    assert got[0]["fields"]["mission_id"] == "MISSION 30"
    assert get(url, "page.json")["lowLatency"] is True


def fly(url: str, send: Callable[[bytes], None]) -> None:
    """Send the flight, each second of it once the one before has come: a burst would overflow a socket."""
    source = flight.Flight(send)
    for second in range(6):
        source.push((second + 1) * flight.FPS)
        pts = flight.FIRST_PTS + (second * flight.FPS + 10) * 6000
        wait(url, f"telemetry?pts={pts}&ticks=1", lambda got: got["records"])


def test_a_live_stream_over_udp(tmp_path: pathlib.Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with (
        view(tmp_path, f"udp://127.0.0.1:{port}", "--segment", "1") as url,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s,
    ):

        def send(data: bytes) -> None:
            for at in range(0, len(data), 1316):
                s.sendto(data[at : at + 1316], ("127.0.0.1", port))

        fly(url, send)
        shown(url)


def test_a_live_stream_over_srt(tmp_path: pathlib.Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with (
        view(tmp_path, f"srt://127.0.0.1:{port}?mode=listener", "--segment", "1") as url,
        srt.Builder(f"srt://127.0.0.1:{port}").connect_timeout_ms(20_000).connect().into_sender() as link,
    ):
        assert "#EXTM3U" in get(url, "playlist.m3u8")  # the page is there before its stream

        def send(data: bytes) -> None:
            for at in range(0, len(data), 1316):
                link.send_bytes(data[at : at + 1316])

        flight.Flight(send).push(90)
        shown(url)


def test_a_live_stream_over_rtsp(tmp_path: pathlib.Path) -> None:
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264).build()
    with RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0")) as server:
        mount = server.add_unicast_mount("/live", program)
        with view(tmp_path, f"rtsp://{server.local_addr()}/live", "--segment", "1") as url:
            end = time.monotonic() + 40
            while not mount.peer_count():
                assert time.monotonic() < end
                time.sleep(0.02)

            fly(url, mount._mount.send_ts)
            shown(url)


def test_a_file_played_as_a_live_stream_and_its_end(tmp_path: pathlib.Path) -> None:
    demo = str(ROOT / "testdata" / "demo.ts")
    begun = time.monotonic()
    with view(tmp_path, demo, "--live", "--segment", "1") as url:
        first = get(url, "playlist.m3u8")
        assert "#EXT-X-PLAYLIST-TYPE" not in first and get(url, "page.json")["lowLatency"] is True
        text = wait(url, "playlist.m3u8", lambda text: "segment_00001.ts" in text)
        assert "#EXT-X-ENDLIST" not in text or time.monotonic() - begun > 7.5
        wait(url, "playlist.m3u8", lambda text: "#EXT-X-ENDLIST" in text)
        assert time.monotonic() - begun > 7.5  # the recording has eight seconds
        assert get(url, "telemetry/track?points=5")["points"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.ts"], "nothing.ts: there was nothing to read"),
        (["noise.ts"], "noise.ts: no picture and no sound to begin with in 49.8 kB: `tstrans probe`"),
        (["film.mp4"], "tstrans mux --video film.mp4"),
        (["missing.ts"], "missing.ts"),
        (["http://127.0.0.1/x"], "http:// is no address to read from"),
        (["noise.ts", "--bind", "here"], "--bind: invalid bind address 'here'"),
        (["noise.ts", "--segment", "0"], "0 is not above 0"),
        (["noise.ts", "--window", "nan"], "nan is not above 0"),
        (["noise.ts", "--markers", "/dev/null/x.db"], "markers"),
    ],
)
def test_what_cannot_be_shown_is_told(tmp_path: pathlib.Path, arguments: list[str], told: str) -> None:
    (tmp_path / "nothing.ts").touch()
    (tmp_path / "noise.ts").write_bytes(bytes(range(250)) * 200)
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(400))
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "tstrans", "view", "--bind", "127.0.0.1:0", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)
    assert done.returncode in (1, 2) and told in done.stderr and "Traceback" not in done.stderr, done.stderr
