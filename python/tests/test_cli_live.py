"""``tstrans relay`` and ``tstrans watch`` over real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import test_interop_live as interop
from tstrans import rist, srt, tcp, udp
from tstrans.mpegts import Muxer, MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

SOAK = bool(os.environ.get("TSTRANS_SOAK"))
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


def sockets(port: int) -> list[int]:
    """The bytes that wait in each socket bound to a port and not connected, as the system lists them."""
    waiting = []
    for table in ("udp", "udp6", "tcp", "tcp6"):
        path = Path("/proc/net", table)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, remote, _, queues, *_ = line.split()
            if int(local.rpartition(":")[2], 16) == port and remote.endswith(":0000"):
                waiting.append(int(queues.rpartition(":")[2], 16))
    return waiting


def await_bound(process: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + 30
    while not sockets(port):
        assert process.poll() is None and time.monotonic() < end, "nothing is bound"
        time.sleep(0.01)


def relayed(media: Path, tmp_path: Path, port: int, source: str, sink: str, ends: bool) -> None:
    out = tmp_path / "out.ts"
    receiver = cli("relay", source, str(out))
    try:
        await_bound(receiver, port)
        sender = cli("relay", "--rate", "20", str(media), sink)
        _, text = sender.communicate(timeout=60)
        assert sender.returncode == 0, text
        assert "Mbit/s" in text
        want = media.stat().st_size
        end = time.monotonic() + 20
        while (not out.exists() or out.stat().st_size < want - 131072) and time.monotonic() < end:
            time.sleep(0.05)
        if not ends:
            while any(sockets(port)) and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(0.3)  # what left the socket is still in the relay
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
        port,
        f"srt://:{port}?mode=listener&latency=50",
        f"srt://127.0.0.1:{port}?latency=50",
        False,
    )


def test_relay_over_udp(media: Path, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    relayed(media, tmp_path, port, f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}", False)


def test_relay_over_tcp(media: Path, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    relayed(media, tmp_path, port, f"tcp-listen://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}", True)


def test_watch(media: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    watching = cli("watch", "--json", "-n", "20", f"srt://:{port}?mode=listener&latency=50")
    try:
        await_bound(watching, port)
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


KINDS = ("udp", "tcp", "srt", "rist")
PAIRS = [(a, b) for a in KINDS for b in KINDS]
#: Each transport once on each side; the rest with TSTRANS_SOAK=1.
FEW = [("udp", "srt"), ("srt", "rist"), ("rist", "tcp"), ("tcp", "udp")]


@pytest.mark.parametrize(("source", "sink"), PAIRS if SOAK else FEW)
def test_relay_between(source: str, sink: str) -> None:
    """Bytes through one relay, equal on the other side; interrupted, it ends well and says what it moved."""

    def port(kind: str) -> int:
        return interop.free_port(socket.SOCK_STREAM) if kind == "tcp" else interop.free_port(even=True)

    there, back = port(source), port(sink)
    listener: Any = None  # the relay dials its sink first
    if sink == "tcp":
        listener = tcp.Listener.builder().bind(f"127.0.0.1:{back}").build()
    elif sink == "srt":
        options = "mode=listener&latency=50&x-recvtimeout=20000"
        listener = srt.Builder(f"srt://127.0.0.1:{back}?{options}").listen()
    box: dict[str, Any] = {}
    buffer = bytearray(1 << 16)

    def receive() -> bytes:
        if sink == "udp":
            return bytes(box["rx"].recv(timeout_ms=20_000)[0])
        if sink == "rist":
            return bytes(box["rx"].recv(timeout_ms=20_000))
        if "rx" not in box:
            box["rx"] = listener.accept_blocking() if sink == "tcp" else listener.accept().into_receiver()
        if sink == "tcp":
            return bytes(memoryview(buffer)[: box["rx"].recv(buffer)])
        return bytes(box["rx"].recv_bytes())

    if sink == "udp":
        box["rx"] = udp.RecvTransport.builder().bind_url(f"udp://127.0.0.1:{back}").rcvbuf(4 << 20).build()
    elif sink == "rist":
        box["rx"] = rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{back}").build()
    at = {"udp": "udp://", "tcp": "tcp-listen://", "srt": "srt://", "rist": "rist://@"}[source]
    listening = "?mode=listener&latency=50" if source == "srt" else ""
    running = cli("relay", f"{at}127.0.0.1:{there}{listening}", f"{sink}://127.0.0.1:{back}")

    def open_() -> Any:
        if source == "udp":
            return udp.Transport.builder().url(f"udp://127.0.0.1:{there}").build()
        if source == "tcp":
            return tcp.Transport.builder().url(f"tcp://127.0.0.1:{there}").build()
        if source == "srt":
            return srt.Sender.from_url(f"srt://127.0.0.1:{there}?latency=50&conntimeo=500")
        return rist.Transport.builder().url(f"rist://127.0.0.1:{there}").build()

    try:
        tx = interop.connect(open_)
        interop.pass_on(tx.send_bytes if source == "srt" else tx.send, receive)
        running.send_signal(signal.SIGINT)
        _, text = running.communicate(timeout=30)
        assert running.returncode == 0, text
        assert "Mbit/s" in text
        tx.close()
        box["rx"].close()
    finally:
        running.kill()
        running.communicate()
        if listener is not None:
            listener.close()
