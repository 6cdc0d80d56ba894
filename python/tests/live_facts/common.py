"""The table of experiments, and what they are made with."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tstrans import rist, srt, tcp, udp
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

FACTS: dict[str, Callable[[], Any]] = {}
BUNDLE = b"".join(b"\x47\x01\x00" + bytes([0x10 | k]) + bytes([k]) * 184 for k in range(7))
NAL = (
    b"\0\0\0\1\x67\x42\x00\x1e\x8d\x68\x50\x1e\xd0\x0f\x08\x84\x6a\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65"
    + b"\x88" * 800
)
KLV = bytes.fromhex("060E2B34020B01010E01030101000000") + b"\x05\x01\x03abc"
P_FRAME = b"\0\0\0\1\x41" + b"\x9a" * 200


def fact(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a function into the table."""

    def enter(f: Callable[[], Any]) -> Callable[[], Any]:
        assert name not in FACTS, name
        FACTS[name] = f
        return f

    return enter


def outcome(call: Callable[[], Any]) -> str:
    """What a call ends with: a kind, or the type of its result."""
    try:
        r = call()
    except Exception as e:
        kind = getattr(e, "kind", None)
        return f"{type(e).__name__}/{kind.name}" if kind is not None else type(e).__name__
    if hasattr(r, "close"):
        r.close()
    return "ok " + type(r).__name__


def free_port(even: bool = False) -> int:
    """A UDP port nobody has."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port: int = s.getsockname()[1]
        if not even or (port % 2 == 0 and port < 65000):
            return port


def until(ready: Callable[[], object], limit: float = 10) -> bool:
    """Wait until something holds."""
    end = time.monotonic() + limit
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class Parked:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], Any], wait: float = 0.1) -> None:
        self.outcome: str | None = None
        self.thread = threading.Thread(target=self.run, args=(call,), daemon=True)
        self.thread.start()
        time.sleep(wait)

    def run(self, call: Callable[[], Any]) -> None:
        self.outcome = outcome(call)

    def end(self, limit: float = 10) -> str:
        self.thread.join(limit)
        return self.outcome or "still parked"


def fresh_program() -> Any:
    return (
        MuxerProgramConfigBuilder(program_number=1, pmt_pid=0x100)
        .add_video(0x101, VideoCodec.H264)
        .add_klv(0x102, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
        .build()
    )


def listener(query: str = "") -> srt.Listener:
    return srt.Builder(f"srt://127.0.0.1:0?mode=listener&latency=20{query}").listen()


@contextlib.contextmanager
def pair(query: str = "", accepted: str = "") -> Iterator[tuple[srt.Socket, srt.Socket]]:
    """(caller, accepted)."""
    with listener(accepted) as li:
        a = srt.Builder(f"srt://127.0.0.1:{li.local_addr()[1]}?latency=20{query}").connect()
        b = li.accept(timeout_ms=10_000)
    try:
        yield a, b
    finally:
        a.close()
        b.close()


@contextlib.contextmanager
def ends(query: str = "", accepted: str = "") -> Iterator[tuple[Any, Any]]:
    """(sender, receiver)."""
    with pair(query, accepted) as (a, b):
        tx, rx = a.into_sender(), b.into_receiver()
        time.sleep(0.05)
        try:
            yield tx, rx
        finally:
            tx.close()
            rx.close()


def push(tx: Any, what: str, *args: Any, **named: Any) -> None:
    """push_* of 0.2.0, send_* of 0.8.0."""
    f = getattr(tx, "push_" + what, None) or getattr(tx, "send_" + what)
    f(*args, **named)


@contextlib.contextmanager
def media() -> Iterator[tuple[Any, Any]]:
    with pair() as (a, b):
        tx, rx = a.into_mux_sender(fresh_program()), b.into_demux_receiver()
        time.sleep(0.05)
        try:
            yield tx, rx
        finally:
            tx.close()
            rx.close()


def pts(n: int) -> Any:
    return Pts90khz.from_raw(n)


def tcp_pair(
    listen: Callable[[Any], Any] = lambda b: b, dial: Callable[[Any], Any] = lambda b: b
) -> tuple[Any, Any]:
    with listen(tcp.Listener.builder().bind("127.0.0.1:0")).build() as li:
        a = dial(tcp_out(f"tcp://127.0.0.1:{li.local_port()}")).build()
        return a, li.accept_blocking()


def tcp_out(url: str) -> Any:
    return tcp.Transport.builder().url(url)


def udp_out(url: str) -> Any:
    return udp.Transport.builder().url(url)


def udp_in(url: str = "udp://127.0.0.1:0") -> Any:
    return udp.RecvTransport.builder().bind_url(url)


def rist_out(url: str) -> Any:
    return rist.Transport.builder().url(url)


def rist_in(url: str) -> Any:
    return rist.RecvTransport.builder().bind_url(url)
