"""More questions of aio_answers.py's kind: sessions that a bare socket sends to.

Behind each datagram goes a report about the session, which it tells: then all before it was worked on. So
nothing is left to time.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any

from aio_answers import Answer, part, say, section

HOST = "127.0.0.1"


def pair() -> tuple[socket.socket, socket.socket]:
    """Two UDP sockets on ports in a row."""
    for _ in range(100):
        a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        a.bind((HOST, 0))
        try:
            b.bind((HOST, a.getsockname()[1] + 1))
        except OSError:
            a.close()
            b.close()
            continue
        return a, b
    raise OSError("no two ports in a row")


def rtp(seq: int, ts: int, payload: bytes, pt: int = 0, marker: int = 0, ssrc: int = 9) -> bytes:
    return struct.pack("!BBHII", 0x80, marker << 7 | pt, seq % (1 << 16), ts % (1 << 32), ssrc) + payload


async def opened(make: Callable[[Any, Any], Awaitable[Any]], remote: Any) -> tuple[Any, Any]:
    """A session and its address; another process may take the ports that were free a moment ago."""
    for _ in range(20):
        a, b = pair()
        local = a.getsockname()
        a.close()
        b.close()
        with contextlib.suppress(OSError):
            return await make(local, remote), local
    raise OSError("no free ports")


async def drive(m: ModuleType, make: Any, stream: list[Any], callbacks: tuple[str, ...]) -> list[Any]:
    """What a session tells of a stream, and the kinds of RTCP packets it sends back."""
    p, log = part(m, "packet"), []
    media, control = pair()
    session, local = await opened(make, media.getsockname())
    for name in callbacks:
        setattr(session, name, lambda *a, name=name: log.append([name, say(a)]))
    told = asyncio.Event()
    session.on_receiver_report = lambda _: told.set()
    fence = bytes(p.RtcpRrPacket(1, [p.RtcpReceiverInfo(session.stats["ssrc"], 0, 0, 0, 0, 0, 0)]))

    def counters() -> dict[str, Any]:
        return {k: v for k, v in session.stats.items() if k not in ("jitter", "ssrc") and "remote" not in k}

    for x in stream:
        if callable(x):
            x(session)
            continue
        told.clear()
        media.sendto(x, local)
        media.sendto(fence, local)
        await asyncio.wait_for(told.wait(), 10)
        if len(log) % 16 == 0:
            log.append(counters())
    log.append(counters())
    await session.close()
    control.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            log.append([control.recv(2048)[i] for i in (0, 1)])
    media.close()
    control.close()
    return log


def event(code: int, end: bool, duration: int) -> bytes:
    return bytes([code, 0x8A if end else 0x0A]) + struct.pack("!H", duration)


def extra(m: ModuleType) -> dict[str, Any]:
    """We do as aiortp does where that is a fault only when asked to."""
    return {} if m.__name__ == "aiortp" else {"as_reference": True}


@section
def voice(m: ModuleType, r: Random) -> Iterator[Answer]:
    for case in range(50):
        kw = r.choice(
            (
                {},
                {"skip_audio_gaps": True},
                {"skip_audio_gaps": True, "jitter_prefetch": 0},
                {"jitter_prefetch": 2, "jitter_capacity": 8},
                {"skip_audio_gaps": True, "plc": False, "jitter_capacity": 32},
            )
        )
        seq, ts, ssrc, stream = r.choice((0, 65500, r.randrange(1 << 16))), r.randrange(1 << 32), 9, []
        loss, swap, again = r.choice((0, 0.1, 0.2)), r.choice((0, 0.1)), r.choice((0, 0.05))
        for i in range(60):
            what = r.random()
            if what < 0.02:  # another source
                ssrc, seq = ssrc + 1, r.randrange(1 << 16)
            if r.random() >= loss:
                stream.append(rtp(seq, ts, bytes([i]) * 160, ssrc=ssrc))
            if r.random() < again and stream:
                stream.append(stream[-1])
            if what > 0.97:
                for k in range(3):
                    seq += 1
                    stream.append(rtp(seq, ts, event(i % 16, k > 0, 800), 101, ssrc=ssrc))
            elif what > 0.95:
                seq += 1
                stream.append(rtp(seq, ts, bytes([50]), 13, ssrc=ssrc))
            elif what > 0.94:
                stream.append(r.randbytes(r.randrange(1, 60)))
            elif what > 0.93:
                stream.append(rtp(seq, ts, b""))
            seq += 1
            ts += 160
        for i in range(len(stream) - 1):
            if r.random() < swap:
                stream[i], stream[i + 1] = stream[i + 1], stream[i]

        def make(local: Any, remote: Any, kw: Any = kw) -> Any:
            return m.RTPSession.create(local, remote, payload_type=0, **kw, **extra(m))

        yield f"{case} {kw}", asyncio.run(drive(m, make, stream, ("on_audio", "on_dtmf", "on_cn")))


def picture(m: ModuleType, codec: str, key: bool, i: int, size: int) -> list[bytes]:
    """The payloads of one picture."""
    body = bytes([i]) * size
    if codec == "h264":
        units = [*([b"\x67abc", b"\x68de"] if key else []), bytes([0x65 if key else 0x41]) + body]
        return [p for u in units for p, _ in m.H264Packetizer().packetize(u)]
    if codec == "vp8":
        return [p for p, _ in m.VP8Packetizer().packetize((b"\x10" if key else b"\x11") + body, 1400, key)]
    head = b"\x82\x49\x83\x42" if key else b"\x86"
    return [p for p, _ in m.VP9Packetizer().packetize(head + body, 1400, key)]


@section
def pictures(m: ModuleType, r: Random) -> Iterator[Answer]:
    p = part(m, "packet")
    for case in range(36):
        codec, loss, ssrc = r.choice(("h264", "vp8", "vp9")), r.choice((0, 0, 0.05)), 9
        # There a number that wraps within a picture spoils it, and what comes first behind a gap is dropped,
        # which shows where the gate is open or that is a key frame.
        seq, ts, stream = r.randrange(60000), r.randrange(1 << 32), []
        for i in range(30):
            payloads = picture(m, codec, i % 10 == 0, i, r.choice((20, 1500, 3000)))
            lost = False
            for k, payload in enumerate(payloads):
                lost = lost or (i % 10 < 9 and r.random() < loss)  # and with it what follows in the picture
                if not lost:
                    stream.append(rtp(seq, ts, payload, 96, k == len(payloads) - 1, ssrc))
                seq += 1
            what = r.random()
            if what < 0.03:
                ssrc += 1
            elif what < 0.06 and not loss:
                stream.append(lambda s: s.set_passthrough(True))
            elif what < 0.09:
                stream.append(lambda s: s.set_passthrough(False))
            elif what < 0.14:
                stream.append(lambda s: s.request_keyframe())
            elif what < 0.19 and i % 10 < 9 and loss:
                stream.append(rtp(seq, ts, b"xx", 97, 0, ssrc))
                seq += 1
            elif what < 0.24:
                stream.append(bytes(p.RtcpPsfbPacket(r.choice((1, 4)), 1, 2, b"")))
            ts += 3000

        def make(local: Any, remote: Any, codec: str = codec) -> Any:
            return m.VideoRTPSession.create(local, remote, codec=codec, **extra(m))

        yield f"{case} {codec}", asyncio.run(drive(m, make, stream, ("on_frame", "on_keyframe_needed")))
