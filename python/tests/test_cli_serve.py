"""`python -m tstrans serve`, and rtp:// and rtsp:// in `relay`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from test_rtsp import picture
from tstrans.io import parse_file
from tstrans.mpegts import (
    DemuxEvent,
    Muxer,
    MuxerConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)
from tstrans.rtp import DigestAuth, RtspClient, RtspClientConfig


def recording(path: Path, pictures: int) -> None:
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x101, VideoCodec.H264).build()
    muxer = Muxer(MuxerConfig.builder().add_program(program).build())
    with muxer.write_file(path) as out:
        for i in range(pictures):
            out.push_video(picture(i), pts=Pts90khz.from_ms(20 * i), key_frame=True)


def test_serve_a_file_and_relay_it(tmp_path: Path) -> None:
    recording(tmp_path / "in.ts", 25)
    serve = [sys.executable, "-m", "tstrans", "serve", str(tmp_path / "in.ts"), "--bind", "127.0.0.1:0", "-q"]
    server = subprocess.Popen([*serve, "--user", "me:secret"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        assert url.startswith("rtsp://127.0.0.1:")
        auth = DigestAuth("me", "secret")
        with RtspClient.connect(RtspClientConfig(url, auth=auth)) as session:
            seen = set()
            for e in session.into_demux_receiver():
                if isinstance(e, DemuxEvent.Video):
                    seen.add(e.payload)
                if len(seen) == 25:  # more than one turn of the file
                    break
            assert seen == {picture(i) for i in range(25)}
        source = url.replace("rtsp://", "rtsp://me:secret@")
        relay = [
            sys.executable,
            "-m",
            "tstrans",
            "relay",
            source,
            str(tmp_path / "out.ts"),
            "--duration",
            "1",
            "-q",
        ]
        subprocess.run(relay, check=True, timeout=60)
        got = [e.payload for e in parse_file(tmp_path / "out.ts") if isinstance(e, DemuxEvent.Video)]
        assert len(got) > 10
        assert set(got[:-1]) <= {picture(i) for i in range(25)}
    finally:
        server.terminate()
        server.wait(10)


def test_serve_once_ends_with_the_file(tmp_path: Path) -> None:
    recording(tmp_path / "in.ts", 5)
    serve = [
        sys.executable,
        "-m",
        "tstrans",
        "serve",
        str(tmp_path / "in.ts"),
        "--bind",
        "127.0.0.1:0",
        "--once",
    ]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=True)
    assert "serving rtsp://127.0.0.1:" in done.stderr


def test_serve_nothing(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "tstrans", "serve", str(tmp_path / "none.ts"), "--bind", "127.0.0.1:0"]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "none.ts" in done.stderr
