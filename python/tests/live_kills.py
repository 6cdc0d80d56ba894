"""Kills of the other end of a reconnecting link, and what is to be counted about them.

Every message is seven TS packets that carry its number. The process at the other end writes the numbers it
was handed to a pipe, so that what was delivered, twice or in disorder is counted, not inferred.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

MESSAGE = 1316

#: Programs of the other end: argv[1] is a URL. They write each number received, or sent, as 8 bytes.
RECEIVER = """
import sys, os
from tstrans import {module} as m
out = sys.stdout.buffer
{open}
while True:
    data = get()
    out.write(b"".join(data[i + 4 : i + 12] for i in range(0, len(data) - 187, 188)))
    out.flush()
"""
SRT_RECEIVER = RECEIVER.format(module="srt", open="get = m.Receiver.from_url(sys.argv[1]).recv_bytes")
TCP_RECEIVER = RECEIVER.format(
    module="tcp",
    open="""
t = m.Listener.builder().bind(sys.argv[1]).build().accept_blocking()
held = bytearray()
buf = bytearray(65536)
def get():
    held.extend(memoryview(buf)[: t.recv(buf)])
    n = len(held) // 188 * 188
    data = bytes(held[:n])
    del held[:n]
    return data
""",
)
RIST_RECEIVER = RECEIVER.format(
    module="rist", open="get = m.RecvTransport.builder().bind_url(sys.argv[1]).build().recv"
)
SENDER = """
import sys, time
from tstrans import {module} as m
url, first, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
end = time.monotonic() + 20
while True:
    try:
        put = {put}
        break
    except Exception:
        if time.monotonic() > end:
            raise
        time.sleep(0.02)
begun = time.monotonic()
i = first
while True:
    ahead = begun + (i - first) / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
    numbers = ((7 * i + k).to_bytes(8, "big") for k in range(7))
    put(b"".join(b"\\x47\\x01\\x00\\x10" + n + bytes(176) for n in numbers))
    i += 1
"""
SENDERS = {
    "srt": SENDER.format(module="srt", put="m.Sender.from_url(url).send_bytes"),
    **{
        m: SENDER.format(module=m, put="m.Transport.builder().url(url).build().send")
        for m in ("tcp", "rist", "udp")
    },
}
#: The same with access units: argv are a module and a URL.
UNITS_SENDER = """
import importlib, sys, time
from tstrans import srt
from tstrans.mpegts import MuxerProgramConfigBuilder, Pts90khz, VideoCodec
module, url = importlib.import_module("tstrans." + sys.argv[1]), sys.argv[2]
program = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
nal = bytes.fromhex("000000016742001e8d68501ed00f08846a0000000168ce388000000001" + "65" + "88" * 800)
end = time.monotonic() + 20
while True:
    try:
        tx = module.ManagedMuxSender.from_url(url, program)
        break
    except Exception:
        if time.monotonic() > end:
            raise
        time.sleep(0.02)
i = 0
while True:
    tx.push_video(nal, pts=Pts90khz.from_raw(3000 * i), key_frame=True)
    time.sleep(0.01)
    i += 1
"""


def message(i: int) -> bytes:
    """Seven packets numbered 7 i to 7 i + 6."""
    return b"".join(b"\x47\x01\x00\x10" + (7 * i + k).to_bytes(8, "big") + bytes(176) for k in range(7))


class Child:
    """The other end in a process of its own, and the numbers it wrote."""

    def __init__(self, program: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.numbers: list[int] = []
        self.first = 0.0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        rest = b""
        while data := os.read(fd, 1 << 16):
            if not self.first:
                self.first = time.monotonic()
            rest += data
            n = len(rest) // 8 * 8
            self.numbers += [int.from_bytes(rest[at : at + 8], "big") for at in range(0, n, 8)]
            rest = rest[n:]

    def kill(self) -> None:
        """SIGKILL: no goodbye. What it had written before is read to the end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.thread.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass
class Outcome:
    """What a series of kills came to; packets are TS packets."""

    kills: int = 0
    sent: int = 0
    numbers: list[int] = field(default_factory=list)
    #: Seconds from the moment the new process was started until it had something.
    recovered_s: list[float] = field(default_factory=list)
    stats: Any = None

    def missing(self) -> int:
        return self.sent * 7 - len({n for n in self.numbers if n < self.sent * 7})

    def twice(self) -> int:
        return len(self.numbers) - len(set(self.numbers))

    def counted(self) -> int:
        s = self.stats
        return (s.link_bytes_lost + s.gap_bytes_dropped) // 188


def kill_receivers(
    sender: Any,
    child: Child,
    program: str,
    arguments: list[str],
    kills: int,
    rate: float,
    settle: float = 0.7,
) -> Outcome:
    """Send at `rate` messages a second to a process that is killed and replaced `kills` times."""
    out = Outcome(kills)
    stop = threading.Event()

    def send() -> None:
        begun = time.monotonic()
        while not stop.is_set():
            ahead = begun + out.sent / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            sender.send_bytes(message(out.sent))
            out.sent += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        time.sleep(1)
        for _ in range(kills):
            child.kill()
            out.numbers += child.numbers
            started = time.monotonic()
            child = Child(program, *arguments)
            end = started + 20
            while not child.first and time.monotonic() < end:
                time.sleep(0.005)
            out.recovered_s.append(child.first - started if child.first else float("inf"))
            time.sleep(settle)
        time.sleep(1)
    finally:
        stop.set()
        thread.join(20)
    time.sleep(1)
    out.stats = sender.reconnect_stats()
    sender.close()
    child.kill()
    out.numbers += child.numbers
    return out
