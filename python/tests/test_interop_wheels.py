"""The live transports against the published wheels, each at the other end of a link, in both directions.

Half a second of stream with the newest; with TSTRANS_SOAK=1 a minute of 20 Mb/s with each. What arrives
has to be what was sent, byte by byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_interop_live import COUNT, MBIT, MESSAGE, SECONDS, digest, free_port

PEERS = Path(__file__).parent.parent.parent / "build" / "interop" / "env"
WHEELS = ("wheel08", "wheel02") if os.environ.get("TSTRANS_SOAK") else ("wheel08",)
SECRET = "correct-horse-battery"
CASES = ("srt", "srt encrypted", "udp", "tcp", "rist", "rist encrypted")

#: One end of a link, run by either package: argv is send or receive, the case, the port, messages and Mb/s.
END = r"""
import hashlib, sys, threading, time
from tstrans import rist, srt, tcp, udp

role, case, port, count, mbit = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
kind = case.split()[0]
secret = "SECRET" if "encrypted" in case else ""
option = "&passphrase=" + secret if secret else ""
SIZE = 1316


def message(i):
    return b"".join(
        b"\x47\x1f\xff" + bytes([0x10 | (7 * i + k) % 16]) + (7 * i + k).to_bytes(8, "big") + b"\xff" * 176
        for k in range(7)
    )


def rist_builder(b):
    b = b.profile(rist.RistProfile.MAIN if secret else rist.RistProfile.SIMPLE).buffer_ms(1000)
    return b.encryption(rist.EncryptionKey.aes256(secret)) if secret else b


def receive():
    if kind == "srt":
        print("ready", flush=True)
        rx = srt.Receiver.from_url(f"srt://127.0.0.1:{port}?mode=listener&latency=200&x-recvtimeout=8000{option}")
        get = rx.recv_bytes
    elif kind == "udp":
        rx = udp.RecvTransport.builder().bind_url(f"udp://127.0.0.1:{port}").rcvbuf(4 << 20).build()
        get = lambda: rx.recv(timeout_ms=8000)[0]
    elif kind == "rist":
        rx = rist_builder(rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{port}")).build()
        get = lambda: rx.recv(timeout_ms=8000)
    else:
        li = tcp.Listener.builder().bind(f"127.0.0.1:{port}").build()
        buf = bytearray(1 << 16)
        print("ready", flush=True)
        rx = li.accept_blocking()
        get = lambda: bytes(memoryview(buf)[: rx.recv(buf)])
    if kind in ("udp", "rist"):
        print("ready", flush=True)
    h, n = hashlib.sha256(), 0
    error = ""
    try:
        while n < count * SIZE:
            data = get()
            if data[:5] == b"hello":
                continue
            h.update(data)
            n += len(data)
    except Exception as e:
        error = str(e)
    print(n, h.hexdigest(), error, flush=True)


def send():
    if kind == "srt":
        tx = srt.Sender.from_url(f"srt://127.0.0.1:{port}?latency=200{option}")
        put = tx.send_bytes
    elif kind == "udp":
        tx = udp.Transport.builder().url(f"udp://127.0.0.1:{port}").build()
        put = tx.send
    elif kind == "rist":
        tx = rist_builder(rist.Transport.builder().url(f"rist://127.0.0.1:{port}")).build()
        put = tx.send
        for _ in range(30):  # what is sent before the two have met may be lost
            put(b"hello")
            time.sleep(0.1)
    else:
        tx = tcp.Transport.builder().url(f"tcp://127.0.0.1:{port}").build()
        put = tx.send
    begun = time.monotonic()
    for i in range(count):
        ahead = i * SIZE * 8 / (mbit * 1e6) - (time.monotonic() - begun)
        if ahead > 0:
            time.sleep(ahead)
        put(message(i))
    if kind in ("srt", "rist"):  # what waits for its acknowledgement, or to be asked for again
        time.sleep(1)
    tx.close()


receive() if role == "receive" else send()
""".replace("SECRET", SECRET)


@contextlib.contextmanager
def end(python: str, role: str, case: str, port: int) -> Iterator[subprocess.Popen[str]]:
    p = subprocess.Popen(
        [python, "-c", END, role, case, str(port), str(COUNT), str(MBIT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={} if python != sys.executable else None,
    )
    try:
        yield p
    finally:
        p.kill()
        p.communicate()


def peer(wheel: str) -> str:
    python = PEERS / wheel / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{wheel} is not installed")
    return str(python)


@pytest.mark.parametrize("wheel", WHEELS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ours", ["send", "receive"])
def test_a_published_wheel(wheel: str, case: str, ours: str) -> None:
    if case == "rist encrypted" and wheel == "wheel02":
        pytest.skip("that release was built without encryption")
    theirs = peer(wheel)
    sender, receiver = (sys.executable, theirs) if ours == "send" else (theirs, sys.executable)
    port = free_port(socket.SOCK_STREAM) if case == "tcp" else free_port(even=True)
    with end(receiver, "receive", case, port) as rx:
        assert rx.stdout is not None
        assert rx.stdout.readline() == "ready\n", rx.communicate()[1]
        with end(sender, "send", case, port) as tx:
            box: list[Any] = []
            reader = threading.Thread(target=lambda: box.extend(rx.communicate()), daemon=True)
            reader.start()
            reader.join(SECONDS + 60)
            assert box, f"no end; the sender: {tx.poll()}"
    size, *rest = box[0].split()
    assert (int(size), rest[0]) == (COUNT * MESSAGE, digest()), (box, hashlib.sha256().name)


@pytest.mark.parametrize("wheel", WHEELS)
@pytest.mark.parametrize("ours", ["send", "receive"])
def test_a_wrong_passphrase(wheel: str, ours: str) -> None:
    """Nothing of what is sent with another passphrase is delivered, and the caller hears of it at once."""
    theirs = peer(wheel)
    sender, receiver = (sys.executable, theirs) if ours == "send" else (theirs, sys.executable)
    port = free_port()
    with end(receiver, "receive", "srt encrypted", port) as rx:
        assert rx.stdout is not None
        assert rx.stdout.readline() == "ready\n", rx.communicate()[1]
        wrong = END.replace(SECRET, "another-horse-battery")
        run = subprocess.run(
            [sender, "-c", wrong, "send", "srt encrypted", str(port), "10", "1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={} if sender != sys.executable else None,
        )
        assert run.returncode != 0
        assert "SrtError" in run.stderr
        assert rx.poll() is None  # still waiting for somebody who knows it
