"""``tstrans relay`` and ``tstrans watch`` over real sockets."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tstrans.mpegts import Muxer, MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

NAL = b"\0\0\0\1\x67\x42\x00\x1e\x8d\x68\x50\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65" + b"\x88" * 8000


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of pictures."""
    program = (
        MuxerProgramConfigBuilder(program_number=1, pmt_pid=0x100).add_video(0x101, VideoCodec.H264).build()
    )
    muxer = Muxer(MuxerConfig.builder().add_program(program).build())
    out = bytearray()
    part = bytearray(1 << 20)
    for i in range(50):
        muxer.push_video(NAL, pts=Pts90khz.from_ms(40 * i), key_frame=True)
        out += part[: muxer.pull(part)]
    path = tmp_path_factory.mktemp("live") / "in.ts"
    path.write_bytes(out)
    return path


def cli(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tstrans", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def relayed(media: Path, tmp_path: Path, source: str, sink: str, ends: bool) -> None:
    out = tmp_path / "out.ts"
    receiver = cli("relay", source, str(out))
    try:
        time.sleep(1.0)  # until the receiver is bound nothing tells from outside
        sender = cli("relay", "--rate", "20", str(media), sink)
        _, text = sender.communicate(timeout=60)
        assert sender.returncode == 0, text
        assert "Mbit/s" in text
        want = media.stat().st_size
        end = time.monotonic() + 20
        while (not out.exists() or out.stat().st_size < want - 131072) and time.monotonic() < end:
            time.sleep(0.05)
        if not ends:
            time.sleep(0.3)
            receiver.send_signal(2)
        _, text = receiver.communicate(timeout=30)
        assert receiver.returncode == 0, text
    finally:
        receiver.kill()
        receiver.wait()
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(media.read_bytes()).digest()


def test_relay_over_srt(media: Path, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    relayed(
        media,
        tmp_path,
        f"srt://:{port}?mode=listener&latency=50",
        f"srt://127.0.0.1:{port}?latency=50",
        False,
    )


def test_relay_over_udp(media: Path, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    relayed(media, tmp_path, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}", False)


def test_relay_over_tcp(media: Path, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    relayed(media, tmp_path, f"tcp-listen://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}", True)


def test_watch(media: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    watching = cli("watch", "--json", "-n", "20", f"srt://:{port}?mode=listener&latency=50")
    try:
        time.sleep(1.0)
        sending = cli("relay", "-q", "--rate", "20", str(media), f"srt://127.0.0.1:{port}?latency=50")
        out, err = watching.communicate(timeout=60)
    finally:
        watching.kill()
        sending.kill()  # it would wait for the next receiver
        sending.wait()
    assert watching.returncode == 0, err
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events == ["program_map", *["video"] * 19]


def test_wrong_addresses(media: Path) -> None:
    for arguments in (
        ["relay", "ftp://x:1", "-"],
        ["relay", str(media), "srt://nowhere"],
        ["watch", "/does/not/exist"],
    ):
        p = cli(*arguments)
        _, err = p.communicate(timeout=60)
        assert p.returncode in (1, 2)
        assert "error" in err
        assert "Traceback" not in err
