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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import live_flight as flight

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


def test_a_live_stream_over_udp(tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with (
        view(tmp_path, f"udp://127.0.0.1:{port}", "--segment", "1") as url,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s,
    ):

        def send(data: bytes) -> None:
            for at in range(0, len(data), 1316):
                s.sendto(data[at : at + 1316], ("127.0.0.1", port))
                time.sleep(0.0005)  # a burst would overflow the socket

        source = flight.Flight(90, send)
        source.push(90)
        end = time.monotonic() + 40
        while "segment_00002.ts" not in get(url, "playlist.m3u8"):
            assert time.monotonic() < end
            time.sleep(0.05)
        playlist = get(url, "playlist.m3u8")
        assert "#EXT-X-PART:" in playlist and "#EXT-X-ENDLIST" not in playlist
        got = get(url, f"telemetry?pts={flight.FIRST_PTS + 30 * 6000}&ticks=1")["records"]
        assert got[0]["fields"]["mission_id"] == "MISSION 30"
        assert get(url, "page.json")["lowLatency"] is True
