"""The live transports against other programs: srt-live-transmit, ffmpeg, GStreamer, librist's tools.

Half a second of stream each; with TSTRANS_SOAK=1 a minute of it. What arrives has to be what was sent, byte
by byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tstrans import rist, srt, tcp, udp
from tstrans.exceptions import TstError

SOAK = bool(os.environ.get("TSTRANS_SOAK"))
MBIT = 20 if SOAK else 5
SECONDS = 60 if SOAK else 0.5
MESSAGE = 7 * 188
COUNT = int(MBIT * 1e6 * SECONDS / 8 / MESSAGE)


def message(i: int) -> bytes:
    """Seven null packets that carry a number and count on."""
    return b"".join(
        b"\x47\x1f\xff" + bytes([0x10 | (7 * i + k) % 16]) + (7 * i + k).to_bytes(8, "big") + b"\xff" * 176
        for k in range(7)
    )


def digest() -> str:
    h = hashlib.sha256()
    for i in range(COUNT):
        h.update(message(i))
    return h.hexdigest()


def pace(send: Callable[[bytes], Any]) -> None:
    begun = time.monotonic()
    for i in range(COUNT):
        ahead = i * MESSAGE * 8 / (MBIT * 1e6) - (time.monotonic() - begun)
        if ahead > 0:
            time.sleep(ahead)
        send(message(i))


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM, even: bool = False) -> int:
    while True:
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.1", 0))
            port: int = s.getsockname()[1]
        if not even or (port % 2 == 0 and port < 65000):
            return port


@contextlib.contextmanager
def program(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    p = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield p
    finally:
        p.terminate()
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


class Collector(threading.Thread):
    """Receives until everything came, or nothing for ten seconds."""

    def __init__(self, get: Callable[[], bytes]) -> None:
        super().__init__(daemon=True)
        self.get = get
        self.hash = hashlib.sha256()
        self.size = 0
        self.error = ""
        self.start()

    def run(self) -> None:
        try:
            while self.size < COUNT * MESSAGE:
                data = self.get()
                self.hash.update(data)
                self.size += len(data)
        except TstError as e:
            self.error = str(e)

    def check(self) -> None:
        self.join(SECONDS + 40)
        assert not self.is_alive(), f"{self.size} of {COUNT * MESSAGE} bytes"
        assert (self.size, self.error) == (COUNT * MESSAGE, "")
        assert self.hash.hexdigest() == digest()


def connect(open_: Callable[[], Any]) -> Any:
    """Open once the other program listens."""
    end = time.monotonic() + 20
    while True:
        try:
            return open_()
        except TstError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def through_srt(other: Callable[[int, int], tuple[str, ...]], query: str = "") -> None:
    """Ours sends SRT to a program that passes it on to ours by SRT."""
    there, back = free_port(), free_port()
    box: dict[str, Any] = {}

    def receive() -> bytes:
        if "rx" not in box:
            url = f"srt://127.0.0.1:{back}?mode=listener&latency=120&x-recvtimeout=10000{query}"
            box["rx"] = srt.Receiver.from_url(url)
        got: bytes = box["rx"].recv_bytes()
        return got

    collector = Collector(receive)
    with program(*other(there, back)):
        url = f"srt://127.0.0.1:{there}?latency=120&conntimeo=500{query}"
        with connect(lambda: srt.Sender.from_url(url)) as tx:
            time.sleep(0.5)  # until the program has also connected back
            pace(tx.send_bytes)
            collector.check()


@pytest.mark.parametrize("query", ["", "&passphrase=correct-horse&pbkeylen=32"], ids=["clear", "encrypted"])
def test_srt_live_transmit(query: str) -> None:
    def command(there: int, back: int) -> tuple[str, ...]:
        return (
            "srt-live-transmit",
            f"srt://127.0.0.1:{there}?mode=listener&latency=120{query}",
            f"srt://127.0.0.1:{back}?mode=caller&latency=120{query}",
        )

    through_srt(command, query)


def test_gstreamer_srt() -> None:
    def command(there: int, back: int) -> tuple[str, ...]:
        return (
            *(
                "gst-launch-1.0",
                "-q",
                "srtsrc",
                f"uri=srt://127.0.0.1:{there}?mode=listener",
                "latency=120",
                "!",
            ),
            *("srtsink", f"uri=srt://127.0.0.1:{back}?mode=caller", "latency=120", "sync=false"),
        )

    through_srt(command)


GREETING = message((1 << 60) // 7)


class Passed:
    """Bytes that a program passed on, with greetings among them: sent until it listens, and after the end to
    make it let go of what it keeps back."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.count = 0
        self.greetings = 0
        self.rest = b""

    def feed(self, data: bytes) -> None:
        data = self.rest + data
        whole = len(data) // 188 * 188
        self.rest = data[whole:]
        for at in range(0, whole, 188):
            if data[at + 4 : at + 12] >= b"\x0f":
                self.greetings += 1
            elif self.count < COUNT * 7:
                self.count += 1
                self.hash.update(data[at : at + 188])


def pass_on(send: Callable[[bytes], Any], get: Callable[[], bytes]) -> None:
    """Send through a program until everything came out of it."""
    passed, done = Passed(), threading.Event()
    errors: list[str] = []

    def receive() -> None:
        try:
            while passed.count < COUNT * 7 and not done.is_set():
                passed.feed(get())
        except TstError as e:
            errors.append(str(e))

    reader = threading.Thread(target=receive, daemon=True)
    reader.start()
    end = time.monotonic() + 30
    while not passed.greetings and not errors:
        assert time.monotonic() < end, "nothing came through"
        send(GREETING)
        time.sleep(0.05)
    pace(send)
    end = time.monotonic() + 30
    while reader.is_alive() and time.monotonic() < end:
        send(GREETING)
        reader.join(0.05)
    done.set()
    assert (passed.count, errors) == (COUNT * 7, [])
    assert passed.hash.hexdigest() == digest()


def test_ffmpeg_srt_to_udp() -> None:
    there = free_port()
    rx = udp.RecvTransport.builder().bind_url("udp://127.0.0.1:0").rcvbuf(4 << 20).build()
    copy = ("ffmpeg", "-loglevel", "error", "-f", "data", "-i", f"srt://127.0.0.1:{there}?mode=listener")
    to = ("-map", "0", "-c", "copy", "-f", "data", f"udp://127.0.0.1:{rx.local_addr_port()}?pkt_size=1316")
    url = f"srt://127.0.0.1:{there}?conntimeo=500"
    with rx, program(*copy, *to), connect(lambda: srt.Sender.from_url(url)) as tx:
        pass_on(tx.send_bytes, lambda: rx.recv(timeout_ms=10_000)[0])


def test_ffmpeg_tcp_to_srt() -> None:
    there, back = free_port(socket.SOCK_STREAM), free_port()
    copy = ("ffmpeg", "-loglevel", "error", "-f", "data", "-i", f"tcp://127.0.0.1:{there}?listen=1")
    to = ("-map", "0", "-c", "copy", "-f", "data", f"srt://127.0.0.1:{back}?mode=caller&pkt_size=1316")
    box: dict[str, Any] = {}

    def receive() -> bytes:
        if "rx" not in box:
            url = f"srt://127.0.0.1:{back}?mode=listener&latency=120&x-recvtimeout=10000"
            box["rx"] = srt.Receiver.from_url(url)
        got: bytes = box["rx"].recv_bytes()
        return got

    with (
        program(*copy, *to),
        connect(lambda: tcp.Transport.builder().url(f"tcp://127.0.0.1:{there}").build()) as tx,
    ):
        pass_on(tx.send, receive)


def test_ffmpeg_udp_to_tcp() -> None:
    there = free_port()
    with tcp.Listener.builder().bind("127.0.0.1:0").build() as listener:
        box: dict[str, Any] = {}
        buffer = bytearray(1 << 16)

        def receive() -> bytes:
            if "t" not in box:
                box["t"] = listener.accept_blocking()
            return bytes(memoryview(buffer)[: box["t"].recv(buffer)])

        read = ("ffmpeg", "-loglevel", "error", "-f", "data", "-i")
        fifo = f"udp://127.0.0.1:{there}?fifo_size=1000000"
        to = ("-map", "0", "-c", "copy", "-f", "data", f"tcp://127.0.0.1:{listener.local_port()}")
        with program(*read, fifo, *to), udp.Transport.builder().url(f"udp://127.0.0.1:{there}").build() as tx:
            pass_on(tx.send, receive)
            box["t"].close()


def whole_and_in_order(
    send: Callable[[bytes], Any], get: Callable[[], bytes], close: Callable[[], None]
) -> None:
    """GStreamer's RIST drops what comes late on a busy machine: what passes is whole and in order."""
    got: list[int] = []
    wrong: list[int] = []

    def receive() -> None:
        with contextlib.suppress(TstError):
            while True:
                data = get()
                for at in range(0, len(data), 188):
                    number = int.from_bytes(data[at + 4 : at + 12], "big")
                    got.append(number)
                    if data[at : at + 188] != message(number // 7)[number % 7 * 188 :][:188]:
                        wrong.append(number)

    reader = threading.Thread(target=receive)
    reader.start()
    end = time.monotonic() + 30
    while not got and time.monotonic() < end:
        send(GREETING)
        time.sleep(0.05)
    greeted = bool(got)
    pace(send)
    end = time.monotonic() + 10
    while 7 * COUNT - 1 not in got[-7:] and time.monotonic() < end:
        time.sleep(0.05)
    close()
    reader.join()
    numbers = [n for n in got if n < 7 * COUNT]
    assert greeted
    assert not wrong
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 7 * COUNT // 4


def test_gstreamer_rist_to_ours() -> None:
    there, back = free_port(), free_port(even=True)
    rx = rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{back}").buffer_ms(200).build()
    tx = udp.Transport.builder().url(f"udp://127.0.0.1:{there}").build()
    source = (
        "gst-launch-1.0",
        "-q",
        "udpsrc",
        "address=127.0.0.1",
        f"port={there}",
        "buffer-size=4000000",
        "!",
    )
    pay = ("video/mpegts,systemstream=true,packetsize=188", "!", "rtpmp2tpay", "!")
    sink = ("ristsink", "address=127.0.0.1", f"port={back}", "sender-buffer=1000")
    with rx, tx, program(*source, *pay, *sink):
        whole_and_in_order(tx.send, lambda: rx.recv(timeout_ms=10_000), rx.close)


def test_ours_to_gstreamer_rist() -> None:
    there = free_port(even=True)
    rx = udp.RecvTransport.builder().bind_url("udp://127.0.0.1:0").rcvbuf(4 << 20).build()
    tx = rist.Transport.builder().url(f"rist://127.0.0.1:{there}").buffer_ms(200).build()
    at = ("ristsrc", "address=127.0.0.1", f"port={there}", "receiver-buffer=1000", "!")
    sink = ("rtpmp2tdepay", "!", "udpsink", "sync=false", "host=127.0.0.1", f"port={rx.local_addr_port()}")
    with rx, tx, program("gst-launch-1.0", "-q", *at, *sink):
        whole_and_in_order(tx.send, lambda: rx.recv(timeout_ms=10_000)[0], rx.close)


@pytest.mark.parametrize(
    ("profile", "secret"), [(0, ""), (1, ""), (1, "correct-horse")], ids=["simple", "main", "encrypted"]
)
def test_librist_tools(profile: int, secret: str) -> None:
    there, back = free_port(even=True), free_port(even=True)
    kind = (rist.RistProfile.SIMPLE, rist.RistProfile.MAIN)[profile]
    passed = free_port()
    options = f"?secret={secret}&aes-type=256" if secret else ""
    bind = rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{back}").profile(kind).buffer_ms(200)
    send = rist.Transport.builder().url(f"rist://127.0.0.1:{there}").profile(kind).buffer_ms(200)
    if secret:
        key = rist.EncryptionKey.aes256(secret)
        bind, send = bind.encryption(key), send.encryption(key)
    received: list[bytes] = []
    receiver = (
        *("ristreceiver", "-p", str(profile), "-b", "200", "-i", f"rist://@127.0.0.1:{there}{options}"),
        *("-o", f"udp://127.0.0.1:{passed}"),
    )
    sender = (
        *("ristsender", "-p", str(profile), "-b", "200", "-i", f"udp://@127.0.0.1:{passed}"),
        *("-o", f"rist://127.0.0.1:{back}{options}"),
    )
    with bind.build() as rx, program(*receiver), program(*sender), send.build() as tx:
        # What is sent before all three pairs have met is lost: greet until something comes through.
        end = time.monotonic() + 30
        while time.monotonic() < end:
            tx.send(b"hello")
            try:
                rx.recv(timeout_ms=100)
                break
            except TstError:
                continue
        else:
            raise AssertionError("nothing came through")
        with contextlib.suppress(TstError):
            while True:
                rx.recv(timeout_ms=800)
        sending = threading.Thread(target=pace, args=(tx.send,))
        sending.start()
        with contextlib.suppress(TstError):
            while len(received) < COUNT:
                received.append(rx.recv(timeout_ms=5000))
        sending.join()
    assert len(received) == COUNT
    assert hashlib.sha256(b"".join(received)).hexdigest() == digest()
