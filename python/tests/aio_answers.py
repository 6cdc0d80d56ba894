"""Asks a package with the surface of aiortp some thousands of questions and writes down what it answers.

usage: python aio_answers.py PACKAGE OUT.json [SECTION ...]

Questions come from a seeded generator, clocks are given or set by hand: two packages that behave alike write the
same file.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from unittest import mock

Answer = tuple[str, Any]

SECTIONS: dict[str, Callable[[ModuleType, random.Random], Iterator[Answer]]] = {}


def section(f: Any) -> Any:
    SECTIONS[f.__name__] = f
    return f


def say(value: Any) -> Any:
    """A value as JSON that tells types apart."""
    if isinstance(value, (bytes, bytearray)):
        return "x" + bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(say, value)]
    if isinstance(value, set):
        return ["set", *sorted(value)]
    if isinstance(value, dict):
        return {str(k): say(v) for k, v in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "lost") and hasattr(value, "timestamp"):
        return [say(value.data), value.timestamp, value.lost]
    return repr(value)


def ask(f: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    """What a call gives, or the type it raises."""
    try:
        return say(f(*args, **kw))
    except Exception as e:
        kinds = [c.__name__ for c in type(e).__mro__]
        builtin = next(k for k in kinds if k in dir(__builtins__) or k in ("error",))
        return f"raises {builtin}"


def part(package: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.{name}")


# --- packets


def any_packet(r: random.Random) -> bytes:
    """A datagram that is an RTP packet, or nearly one."""
    if r.random() < 0.08:
        return r.randbytes(r.randrange(40))
    csrc = r.choice((0, 0, 0, 1, 2, 15))
    extended, padded = r.random() < 0.4, r.random() < 0.25
    out = bytearray(
        struct.pack(
            "!BBHII",
            2 << 6 | padded << 5 | extended << 4 | csrc,
            r.randrange(256),
            r.randrange(1 << 16),
            r.randrange(1 << 32),
            r.randrange(1 << 32),
        )
    )
    out += r.randbytes(4 * csrc)
    if extended:
        body = b""
        for _ in range(r.randrange(4)):
            n = r.randrange(1, 17)
            body += bytes([r.randrange(0, 16) << 4 | n - 1]) + r.randbytes(n)
            body += bytes(r.randrange(3))
        profile = 0xBEDE
        if r.random() < 0.4:
            profile, body = 0x1000, b""
            for _ in range(r.randrange(4)):
                n = r.randrange(20)
                body += bytes([r.randrange(1, 256), n]) + r.randbytes(n)
        elif r.random() < 0.1:
            profile = r.randrange(1 << 16)
        body += bytes(-len(body) % 4)
        out += struct.pack("!HH", profile, len(body) // 4) + body
    out += r.randbytes(r.choice((0, 1, 4, 20, 160)))
    if padded:
        n = r.randrange(1, 20)
        out += bytes(n - 1) + bytes([n])
    if r.random() < 0.3:
        del out[r.randrange(len(out)) :]
    if r.random() < 0.3 and out:
        out[r.randrange(len(out))] = r.randrange(256)
    return bytes(out)


URIS = (
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "urn:ietf:params:rtp-hdrext:toffset",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:x-unknown",
)


def fields(p: Any) -> list[Any]:
    return [
        p.version,
        p.marker,
        p.payload_type,
        p.sequence_number,
        p.timestamp,
        p.ssrc,
        p.csrc,
        p.padding_size,
        p.payload,
        repr(p.extensions),
        repr(p),
    ]


@section
def rtp_parse(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    maps = [m_ for m_ in (part(m, "packet").HeaderExtensionsMap() for _ in range(3))]
    maps[1].configure([(i + 1, u) for i, u in enumerate(URIS)])
    maps[2].configure([(2 * i + 1, u) for i, u in enumerate(URIS)])
    for _ in range(6000):
        b = any_packet(r)
        for k, known in enumerate(maps):
            yield f"{k} {b.hex()}", ask(lambda b=b, known=known: fields(m.RtpPacket.parse(b, known)))

            def again(b: bytes = b, known: Any = known) -> Any:
                p = m.RtpPacket.parse(b, known)
                out = p.serialize(known)
                return out[: len(out) - p.padding_size]

            yield f"{k} again {b.hex()}", ask(again)


@section
def rtp_build(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    P = m.RtpPacket
    number = lambda *v: r.choice(v)  # noqa: E731
    for _ in range(3000):
        kw = dict(
            payload_type=number(0, 1, 96, 127, 128, 255, 256, -1, r.randrange(128)),
            marker=number(0, 1, 1, 2, True, False),
            sequence_number=number(0, 65535, 65536, -1, r.randrange(65536)),
            timestamp=number(0, (1 << 32) - 1, 1 << 32, -1, r.randrange(1 << 32)),
            ssrc=number(0, (1 << 32) - 1, 1 << 32, r.randrange(1 << 32)),
            payload=number(b"", b"\0", r.randbytes(r.randrange(200))),
        )
        csrc = number([], [], [], [1], [1, 2, 3], list(range(15)), list(range(16)), [1 << 32])
        padding = number(0, 0, 0, 1, 4, 255, 256)

        def build(kw: Any = kw, csrc: Any = csrc, padding: int = padding) -> Any:
            p = P(**kw)
            p.csrc, p.padding_size = csrc, padding
            b = p.serialize()
            return [repr(p), b[: len(b) - padding], b[-1] if padding else 0, len(b)]

        yield repr((kw, csrc, padding)), ask(build)


@section
def extensions(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    p = part(m, "packet")
    for _ in range(2000):
        pairs = [
            (r.choice((0, 1, 2, 14, 15, 16, 255, 256)), r.randbytes(r.choice((0, 1, 2, 3, 16, 17, 255, 256))))
            for _ in range(r.randrange(4))
        ]
        yield repr(pairs), ask(p.pack_header_extensions, pairs)
        profile, body = r.choice((0xBEDE, 0x1000, 0x1001, 7)), r.randbytes(r.choice((0, 1, 2, 3, 4, 8, 20)))
        yield f"{profile} {body.hex()}", ask(p.unpack_header_extensions, profile, body)
        known = p.HeaderExtensionsMap()
        ids = r.sample(range(1, 20), len(URIS))
        known.configure(list(zip(ids, URIS, strict=True)))
        values = p.HeaderExtensions(
            abs_send_time=r.choice((None, 0, (1 << 24) - 1, 1 << 24)),
            audio_level=r.choice((None, (False, 0), (True, 127), (True, 128))),
            mid=r.choice((None, "0", "audio", "a" * 20, "")),
            repaired_rtp_stream_id=r.choice((None, "r1")),
            rtp_stream_id=r.choice((None, "r0", "\xe9")),
            transmission_offset=None if r.random() < 0.8 else r.choice((0, -1, (1 << 23) - 1, 1 << 23)),
            transport_sequence_number=r.choice((None, 0, 65535, 65536)),
        )
        yield f"set {ids} {values!r}", ask(known.set, values)
        profile, body = r.choice((0xBEDE, 0x1000)), r.randbytes(r.choice((0, 4, 8, 12)))
        yield f"get {ids} {profile} {body.hex()}", ask(known.get, profile, body)


@section
def packet_helpers(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    p = part(m, "packet")
    for n in (0, 1, -1, (1 << 23) - 1, 1 << 23, -(1 << 23), -(1 << 23) - 1, 1 << 40):
        yield f"clamp {n}", ask(p.clamp_packets_lost, n)
        yield f"pack {n}", ask(p.pack_packets_lost, n)
    for b in [b"", b"\1", b"\1\2", b"\xff\xff\xff", b"\x7f\xff\xff", b"\x80\0\0", b"\1\2\3\4"]:
        yield f"unpack {b.hex()}", ask(p.unpack_packets_lost, b)
        yield f"is_rtcp {b.hex()}", ask(p.is_rtcp, b)
    for i in range(256):
        yield f"is_rtcp {i}", ask(p.is_rtcp, bytes([0x80, i]))
    for n in range(9):
        yield f"padl {n}", ask(p.padl, n)
        yield f"rtcp {n}", ask(p.pack_rtcp_packet, 200 + n, n, bytes(n))
    for count in (0, 31, 32, 255, -1):
        yield f"count {count}", ask(p.pack_rtcp_packet, 200, count, bytes(4))
    for name in dir(p):
        if name.isupper() and not name.startswith("_"):
            yield name, say(getattr(p, name)) if not isinstance(getattr(p, name), range) else repr(getattr(p, name))


def any_report(p: Any, r: random.Random, odd: bool) -> Any:
    wide = 1 << 32 if odd and r.random() < 0.1 else (1 << 32) - 1
    return p.RtcpReceiverInfo(
        r.randrange(1 << 32),
        r.choice((0, 255, 256 if odd else 7)),
        r.choice((0, 5, -5, (1 << 23) - 1, -(1 << 23), 1 << 23 if odd else 0)),
        r.randrange(1 << 32),
        r.choice((0, wide)),
        r.randrange(1 << 32),
        r.randrange(1 << 32),
    )


def any_control(p: Any, r: random.Random, odd: bool = False) -> Any:
    n = lambda: r.choice((0, 1, (1 << 32) - 1, r.randrange(1 << 32), 1 << 32 if odd else 3))  # noqa: E731
    reports = [any_report(p, r, odd) for _ in range(r.choice((0, 0, 1, 2, 31)))]
    kind = r.randrange(6)
    if kind == 0:
        return p.RtcpSrPacket(n(), p.RtcpSenderInfo(r.randrange(1 << 64), n(), n(), n()), reports)
    if kind == 1:
        return p.RtcpRrPacket(n(), reports)
    if kind == 2:
        return p.RtcpSdesPacket(
            [
                p.RtcpSourceInfo(
                    n(), [(r.choice((1, 2, 8, 255)), r.randbytes(r.choice((0, 1, 2, 3, 20, 255)))) for _ in range(r.randrange(4))]
                )
                for _ in range(r.randrange(4))
            ]
        )
    if kind == 3:
        return p.RtcpByePacket([n() for _ in range(r.choice((0, 1, 2, 31)))])
    if kind == 4:
        at = r.randrange(1 << 16)
        lost = [(at + d) % (1 << 16) for d in sorted(r.sample(range(60), r.randrange(12)))]
        if r.random() < 0.3:
            r.shuffle(lost)
        return p.RtcpRtpfbPacket(r.choice((1, 1, 15, 31)), n(), n(), lost)
    return p.RtcpPsfbPacket(r.choice((1, 2, 3, 4, 15)), n(), n(), r.randbytes(4 * r.randrange(4)) + bytes(odd and r.random() < 0.1))


@section
def rtcp_build(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    p = part(m, "packet")
    for _ in range(3000):
        c = any_control(p, r, odd=True)
        yield repr(c), ask(bytes, c)
    for _ in range(200):
        report = any_report(p, r, False)
        yield repr(report), ask(bytes, report)
        yield f"again {report!r}", ask(p.RtcpReceiverInfo.parse, bytes(report))
        info = p.RtcpSenderInfo(r.randrange(1 << 64), 1, 2, r.randrange(1 << 32))
        yield repr(info), ask(bytes, info)
        yield f"again {info!r}", ask(p.RtcpSenderInfo.parse, bytes(info))


@section
def rtcp_parse(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    p = part(m, "packet")
    # The questions are made by bytes alone, so that both sides are asked the same.
    for _ in range(8000):
        parts = []
        for _ in range(r.choice((1, 1, 2, 3))):
            kind, count = r.choice((200, 201, 202, 203, 204, 205, 206, 207, 192)), r.randrange(4)
            if kind in (205, 206):
                count = r.choice((1, 4, 15))
            body = {
                200: lambda c=count: r.randbytes(24 + 24 * c),
                201: lambda c=count: r.randbytes(4 + 24 * c),
                202: lambda c=count: b"".join(
                    r.randbytes(4) + b"".join(
                        bytes([r.randrange(1, 9), n]) + r.randbytes(n) for n in r.choices(range(9), k=r.randrange(3))
                    ) + b"\0\0"
                    for _ in range(c)
                ),
                203: lambda c=count: r.randbytes(4 * c),
            }.get(kind, lambda: r.randbytes(r.choice((4, 8, 12, 20))))()
            if r.random() < 0.15:
                body = body[: r.randrange(len(body) + 1)]
            if r.random() < 0.1:
                body += r.randbytes(4)
            body += bytes(-len(body) % 4)
            padded = r.random() < 0.15
            if padded:
                n = r.choice((0, 4, 8, 1, 200))
                body += bytes(max(0, min(n, 8) - 1)) + bytes([n])
                body += bytes(-len(body) % 4)
            parts.append(struct.pack("!BBH", 2 << 6 | padded << 5 | count, kind, len(body) // 4) + body)
        b = bytearray(b"".join(parts))
        if r.random() < 0.2:
            del b[r.randrange(len(b)) :]
        if r.random() < 0.2 and b:
            b[r.randrange(len(b))] = r.randrange(256)
        yield bytes(b).hex(), ask(m.RtcpPacket.parse, bytes(b))
    for cls, size in ((p.RtcpSrPacket, 24), (p.RtcpRrPacket, 4), (p.RtcpSdesPacket, 0), (p.RtcpByePacket, 0), (p.RtcpRtpfbPacket, 8), (p.RtcpPsfbPacket, 8)):
        for _ in range(200):
            b, count = r.randbytes(max(0, size + r.choice((-1, 0, 0, 4, 24, 48)))), r.randrange(3)
            yield f"{cls.__name__} {count} {b.hex()}", ask(cls.parse, b, count)


# --- buffers


@section
def jitter(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for case in range(900):
        video = r.random() < 0.5
        capacity, prefetch, skip = r.choice((4, 8, 16, 64)), r.choice((0, 0, 1, 2, 4)), r.random() < 0.5
        j = ask(lambda: None) or m.JitterBuffer(capacity, prefetch=prefetch, is_video=video, skip_audio_gaps=skip)
        seq, ts = r.choice((0, 65530, r.randrange(1 << 16))), r.randrange(1 << 32)
        stream = []
        for _ in range(60):
            n = r.choice((1, 1, 1, 2, 3)) if video or not skip and r.random() < 0.2 else 1
            for k in range(n):
                stream.append((seq % (1 << 16), ts % (1 << 32), int(k == n - 1) if video else 0, bytes([seq % 251])))
                seq += 1
            ts += 160
            if r.random() < 0.01:
                seq += r.choice((20, 200, 40000))
        loss, swap = r.choice((0, 0, 0.05, 0.2)), r.choice((0, 0, 0.1))
        stream = [x for x in stream if r.random() >= loss]
        for i in range(len(stream) - 3):
            if r.random() < swap:
                k = i + r.randrange(1, 4)
                stream[i], stream[k] = stream[k], stream[i]
        log: list[Any] = []
        for k, x in enumerate(stream):
            what = r.random() if k else 0.5
            if what < 0.02 and not video:
                log.append(["mark", ask(j.mark_non_media, x[0])])
                continue
            if what < 0.023:
                log.append(["reset", ask(j.reset)])
            if what > 0.995:
                log.append(["remove", ask(j.remove, r.randrange(capacity + 2))])
            if what > 0.99 and what < 0.995:
                log.append(["smart", ask(j.smart_remove, r.randrange(capacity))])
            p = m.RtpPacket(sequence_number=x[0], timestamp=x[1], marker=x[2], payload=x[3])
            log.append([*x[:3], ask(j.add, p)])
            if r.random() < 0.03:
                log.append(["again", ask(j.add, p)])
        yield f"{case} capacity={capacity} prefetch={prefetch} video={video} skip={skip}", log
    for capacity in (0, 1, 2, 3, 5, 6, 100, 128, -1, -2):
        yield f"capacity {capacity}", ask(lambda c=capacity: m.JitterBuffer(c).capacity)


@section
def playout(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for case in range(250):
        pt = r.choice((0, 0, 11))
        clock = [100.0]
        codec = m.get_codec(pt)
        p = m.AdaptivePlayout(
            codec,
            max_delay_ms=r.choice((200, 200, 100, 60, 20, 400)),
            max_conceal_ms=r.choice((120, 120, 60, 0)),
            now=lambda c=clock: c[0],
        )
        ts, at = r.randrange(1 << 32), 100.0
        jit, loss = r.choice((0, 0, 0.005, 0.02, 0.06)), r.choice((0, 0, 0.02, 0.1))
        arrivals = []
        step = 160 if r.random() < 0.9 else r.choice((80, 320))
        for i in range(r.choice((60, 250))):
            if r.random() < 0.01:
                ts += step * r.choice((3, 10, 100, 3000))
            if r.random() < 0.004:
                ts += 37
            if r.random() >= loss:
                arrivals.append((at + i * 0.02 + r.random() * jit, ts % (1 << 32), r.randbytes(160 if pt != 11 else 320)))
            ts += step
        arrivals.sort(key=lambda a: a[0])
        log: list[Any] = [p.ptime, p.target_frames, p.target_ms, p.depth_ms]
        due = at + 0.02 + r.random() * 0.02
        drift = r.choice((0, 0, 1e-4, -5e-3, 5e-3))
        end = arrivals[-1][0] + 0.3 if arrivals else at + 1
        while due < end:
            while arrivals and arrivals[0][0] <= due:
                t, stamp, payload = arrivals.pop(0)
                clock[0] = t
                p.put(stamp, payload)
                what = r.random()
                if what < 0.004:
                    p.suppress()
                elif what < 0.006:
                    p.reset()
                elif what < 0.012:
                    p.set_cn(r.randrange(128), (stamp + 160) % (1 << 32))
            clock[0] = due
            got = p.tick()
            log.append(None if got is None else [got[1], len(got[0]), say(got[0])[:24] if not p.cn_frames else ""])
            if r.random() < 0.05:
                log.append([p.target_frames, round(p.depth_ms, 6), round(p.target_ms, 6)])
            due += 0.02 * (1 + drift)
        log.append(say(p.stats()))
        yield f"{case} pt={pt}", log


class Wire:
    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def send(self, data: bytes, addr: Any = None) -> None:
        self.sent.append((data, addr))


def seen(wire: Wire, first: int, base: int) -> list[Any]:
    out = []
    for data, addr in wire.sent:
        b0, b1, seq, ts, ssrc = struct.unpack_from("!BBHII", data)
        out.append([b0, b1, (seq - first) % (1 << 16), (ts - base) % (1 << 32), ssrc, data[12:].hex(), say(addr)])
    return out


@section
def sender(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    S = part(m, "sender").RtpSender
    for case in range(300):
        w = Wire()
        history, double = r.random() < 0.5, r.random() < 0.3
        s = S(w, r.choice((0, 96)), ssrc=r.choice((7, 0, (1 << 32) - 1)), enable_history=history, duplicate_tx=double)
        first, base = s.sequence_number, s.current_timestamp
        log: list[Any] = [s.ssrc, s.packets_sent, s.octets_sent, s.last_rtp_timestamp, s.timestamp_increment, first == s.sequence_number]
        s.timestamp_increment = r.choice((160, 320, 1 << 31))
        for _ in range(r.choice((5, 20, 200))):
            k = r.randrange(5)
            addr = r.choice((None, ("1.2.3.4", 5)))
            payload = r.randbytes(r.randrange(30))
            if k == 0:
                stamp = (base + r.randrange(1 << 32)) % (1 << 32)
                log.append(ask(s.send_raw, r.choice((13, 101)), payload, stamp, r.randrange(2), addr))
            elif k == 1:
                log.append(ask(s.send_frame, payload, (base + r.randrange(1 << 32)) % (1 << 32), marker=r.randrange(2), addr=addr))
            elif k == 2:
                log.append((s.send_frame_auto(payload, addr=addr) - base) % (1 << 32))
            elif k == 3:
                log.append(ask(s.advance_timestamp))
            else:
                lost = [(s.sequence_number - r.randrange(1, 160)) % (1 << 16) for _ in range(3)]
                log.append(ask(s.retransmit, lost, addr))
            log.append([(s.sequence_number - first) % (1 << 16), (s.current_timestamp - base) % (1 << 32), s.packets_sent, s.octets_sent])
        yield f"{case} {history} {double}", [log, seen(w, first, base)]


@section
def pacer(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    S, P = part(m, "sender").RtpSender, m.PacedSender
    for case in range(200):
        w = Wire()
        s = S(w, 0, ssrc=7)
        s.timestamp_increment = 160
        cn = r.choice((None, None, 13))
        level = r.choice((None, lambda: 55))
        p = P(s, lambda: r.choice((None, ("1.2.3.4", 5))) if False else ("1.2.3.4", 5), cn, level) if r.random() < 0.9 else P(s, lambda: None)
        first, base = s.sequence_number, s.current_timestamp
        log: list[Any] = []
        for _ in range(r.choice((20, 400))):
            k = r.random()
            if k < 0.3:
                p.enqueue(r.randbytes(r.randrange(1, 20)))
            elif k < 0.31:
                p.discard()
            elif k < 0.32:
                log.append(["silence"])
                for _ in range(r.choice((10, 160, 320))):
                    p.tick()
            else:
                p.tick()
            log.append([p.queue_depth, p.paced_sent, p.empty_ticks, say(p.stats()), (s.current_timestamp - base) % (1 << 32)])

        async def drained(p: Any = p) -> bool:
            try:
                await asyncio.wait_for(p.drain(), 0.001)
            except asyncio.TimeoutError:
                return False
            return True

        log.append(asyncio.run(drained()))
        yield f"{case} cn={cn}", [log, seen(w, first, base)]


# --- events, statistics


@section
def dtmf(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    d = part(m, "dtmf")
    yield "events", say(d.DTMF_EVENTS)
    yield "digits", say(d.EVENT_TO_DIGIT)
    for _ in range(1000):
        b = r.randbytes(r.choice((0, 1, 3, 4, 4, 4, 5, 8)))
        yield b.hex(), ask(d.DtmfEvent.parse, b)
        e = d.DtmfEvent(r.choice((0, 9, 15, 16, 255, 256, -1)), r.random() < 0.5, r.choice((0, 10, 63, 64, 127, 255)), r.choice((0, 1280, 65535, 65536, -1)))
        yield repr(e), ask(e.serialize)
        yield f"digit {e.event}", ask(lambda e=e: e.digit)
    S = part(m, "sender").RtpSender
    for digit in [*"0123456789*#ABCDabcd", "E", "", "12", "x", " "]:
        for ms in (160, 0, 1, 20, 40, 50, 100, 1000, 8000, 9000, -5):
            for rate in (8000, 16000, 48000):
                w = Wire()
                s = S(w, 0, ssrc=7)
                first = s.sequence_number
                got = ask(m.DtmfSender(s, 101, rate).send_digit, digit, ms, r.choice((10, 0, 63)), 1234, ("h", 1))
                yield f"send {digit!r} {ms} {rate}", [got, seen(w, first, 0)]
    for case in range(300):
        heard: list[Any] = []
        rx = m.DtmfReceiver(lambda *a, h=heard: h.append(a))
        ts, log = 1000, []
        for _ in range(40):
            if r.random() < 0.2:
                ts += r.choice((160, 1600, -160))
            e = d.DtmfEvent(r.choice((1, 1, 2, 17)), r.random() < 0.4, 10, r.randrange(2000))
            body = e.serialize() if r.random() < 0.95 else r.randbytes(r.randrange(4))
            log.append(ask(rx.handle_packet, m.RtpPacket(payload_type=101, timestamp=ts, payload=body, sequence_number=r.randrange(9))))
        yield f"receive {case}", [log, say(heard)]


@section
def statistics(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for case in range(300):
        s = m.StreamStatistics(r.choice((8000, 90000, 48000)))
        t, seq, ts, log = 1.7e9, r.choice((0, 65500, r.randrange(1 << 16))), r.randrange(1 << 32), []
        log.append([s.base_seq, s.max_seq, s.cycles, s.packets_received, ask(lambda s=s: s.jitter)])
        for _ in range(200):
            k = r.random()
            if k < 0.05:
                seq += r.choice((2, 5, 100, 3000, 40000))
            n = seq - (r.randrange(1, 30) if k > 0.93 else 0)
            with mock.patch("time.time", return_value=t), mock.patch("time.monotonic", return_value=t), mock.patch("time.perf_counter", return_value=t):
                s.add(m.RtpPacket(sequence_number=n % (1 << 16), timestamp=ts % (1 << 32)))
            log.append([s.base_seq, s.max_seq, s.cycles, s.packets_received, s.packets_expected, s.packets_lost, s.jitter])
            if r.random() < 0.1:
                log.append(s.fraction_lost)
            seq += 1
            if r.random() < 0.8:
                ts += 160
            t += r.choice((0.02, 0.02, 0.001, 0.06))
        yield str(case), log


@section
def nack(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for case in range(300):
        n, log = m.NackGenerator(), []
        log.append([n.max_seq, say(n.missing)])
        seq = r.choice((0, 65500, r.randrange(1 << 16)))
        for _ in range(120):
            k = r.random()
            if k < 0.1:
                seq += r.choice((2, 5, 100, 130, 300, 40000))
            x = seq - (r.randrange(1, 150) if k > 0.9 else 0)
            log.append([n.add(m.RtpPacket(sequence_number=x % (1 << 16))), n.max_seq, say(n.missing)])
            if k < 0.02:
                log.append(ask(n.truncate))
            seq += 1
        yield str(case), log


# --- video


def any_payload(kind: str, r: random.Random) -> bytes:
    n = r.choice((0, 1, 2, 3, 4, 8, 30))
    body = bytearray(r.randbytes(n))
    if not body:
        return b""
    if kind == "h264":
        what = r.choice((1, 5, 7, 8, 9, 24, 24, 25, 26, 28, 28, 28, 29, 0, 30, 31))
        body[0] = r.choice((0, 0x60, 0x20, 0x80)) | what
        if what == 24:
            body = body[:1]
            for _ in range(r.randrange(4)):
                k = r.randrange(6)
                body += struct.pack("!H", k if r.random() < 0.9 else r.randrange(1 << 16)) + r.randbytes(k)
        if what == 28 and len(body) > 1:
            body[1] = r.choice((0x85, 0x05, 0x45, 0x81, 0x01, 0x41, 0xC5, 0x25, 0x87, 0x47))
    elif kind == "vp8":
        body[0] = r.choice((0x10, 0x00, 0x10, 0x00, 0x90, 0x80, 0x11, 0x30, r.randrange(256)))
        if len(body) > 1 and body[0] & 0x80:
            body[1] = r.choice((0x80, 0x40, 0x20, 0x10, 0xF0, 0x00, r.randrange(256)))
    else:
        body[0] = r.choice((0x08, 0x04, 0x0C, 0x48, 0x44, 0x4C, 0x00, 0x40, 0x88, 0x80, 0xA8, 0x98, 0xB8, 0x0A, 0x02, 0x1A, r.randrange(256)))
    return bytes(body)


@section
def depacketize(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for kind, cls, key in (
        ("h264", m.H264Depacketizer, m.is_keyframe_nal),
        ("vp8", m.VP8Depacketizer, m.is_keyframe_vp8),
        ("vp9", m.VP9Depacketizer, m.is_keyframe_vp9),
    ):
        for case in range(2500):
            d, log = cls(), []
            for _ in range(r.choice((1, 3, 12))):
                p, marker = any_payload(kind, r), r.random() < 0.4
                log.append([p.hex(), marker, ask(key, p), ask(d.feed, p, marker)])
                if r.random() < 0.03:
                    log.append(ask(d.reset))
            yield f"{kind} {case}", log


@section
def packetize(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for size in [*range(0, 12), 1398, 1399, 1400, 1401, 1402, 2797, 2798, 2799, 2800, 9000]:
        b = r.randbytes(size)
        for mtu in (1400, 100, 10):
            yield f"h264 {size} {mtu}", ask(m.H264Packetizer().packetize, b, mtu)
            for key in (False, True):
                yield f"vp8 {size} {mtu} {key}", ask(m.VP8Packetizer().packetize, b, mtu, key)
                yield f"vp9 {size} {mtu} {key}", ask(m.VP9Packetizer().packetize, b, mtu, key)


# --- audio


@section
def g711(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    every = struct.pack("<65536h", *range(-32768, 32768))
    for pt in (0, 8):
        c = m.get_codec(pt)
        yield f"{pt}", [c.name, c.sample_rate, c.samples_per_frame, say(c.conceal(10))]
        yield f"{pt} decode", ask(c.decode, bytes(range(256)))
        yield f"{pt} encode", ask(c.encode, every)
        for n in (0, 1, 2, 3, 5):
            yield f"{pt} {n}", [ask(c.encode, bytes(n)), ask(c.decode, bytes(n))]


@section
def other_codecs(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for pt in (9, 11):
        c = m.get_codec(pt)
        yield f"{pt}", [c.name, c.sample_rate, c.samples_per_frame, say(c.conceal(10))]
        for n in (0, 1, 2, 3, 4, 5, 7, 320, 640, 642):
            b = r.randbytes(n)
            yield f"{pt} encode {n} {b.hex()[:20]}", ask(c.encode, b)
        for n in (0, 1, 2, 3, 160, 161):
            b = r.randbytes(n)
            yield f"{pt} decode {n} {b.hex()[:20]}", ask(c.decode, b)
    O = part(m, "codecs.opus").OpusCodec
    for rate in (8000, 16000, 24000, 48000, 44100):
        for ch in (1, 2, 3):
            for ms in (10, 20, 40, 7):
                def make(rate: int = rate, ch: int = ch, ms: int = ms) -> Any:
                    c = O(rate, ch, ms)
                    frame = bytes(2 * ch * c.samples_per_frame)
                    packet = c.encode(frame)
                    return [c.name, c.sample_rate, c.samples_per_frame, len(c.decode(packet)), len(c.conceal(c.samples_per_frame)),
                            len(c.conceal(1)), len(c.conceal(c.samples_per_frame * 3 + 1)), c.dtx]
                yield f"opus {rate} {ch} {ms}", ask(make)
    c = O()
    for b in (b"", b"\xff", b"\x00", r.randbytes(10)):
        yield f"opus decode {b.hex()}", ask(lambda b=b: len(c.decode(b)))
    for n in (0, 2, 100, 1920, 1921, 1922, 3840):
        yield f"opus encode {n}", ask(lambda n=n: len(c.encode(bytes(n))) > 0)


@section
def conceal(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for case in range(200):
        c, log = m.PcmConcealer(r.choice((8000, 16000, 48000)), fade_ms=r.choice((60, 60, 20, 0, 1))), []
        for _ in range(12):
            if r.random() < 0.4:
                n = r.choice((0, 1, 2, 160, 320, 7))
                log.append(["update", ask(c.update, r.randbytes(2 * n + (r.random() < 0.1))), c.frame_samples])
            else:
                n = r.choice((0, 1, 80, 160, 320, 1000, -1))
                log.append([n, ask(c.conceal, n)])
        yield str(case), log


@section
def noise(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    for level in (-5, 0, 1, 40, 70, 126, 127, 128, 200, 300):
        yield f"build {level}", ask(m.build_cn_payload, level)

        def made(level: int = level) -> Any:
            got = m.NoiseGenerator(level).generate(16000)
            return [len(got), abs(m.measure_level(got) - max(1, min(level, 90))) <= 2 if 3 < level < 80 else None]

        yield f"noise {level}", ask(made)
    for b in (b"", b"\0", b"\x46", b"\x7f", b"\x80", b"\xff", b"\x46\1\2\3"):
        yield f"parse {b.hex()}", ask(m.parse_cn_payload, b)
    for n in (0, 1, 2, 3, 5, 320):
        for top in (1, 5, 50, 1000, 32767):
            pcm = struct.pack(f"<{n // 2}h", *[r.randint(-top, top) for _ in range(n // 2)]) + bytes(n % 2)
            yield f"level {n} {top} {pcm.hex()[:20]}", ask(m.measure_level, pcm)
    for n in (0, -1, 1, 160):
        yield f"generate {n}", ask(lambda n=n: len(m.NoiseGenerator(40).generate(n)))


# --- the rest


@section
def numbers(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    u, c = part(m, "utils"), part(m, "clock")
    for _ in range(1000):
        for bits in (16, 32):
            a = r.choice((0, 1, (1 << bits) - 1, 1 << bits - 1, r.randrange(1 << bits)))
            b = (a + r.choice((0, 1, -1, 1 << bits - 1, (1 << bits - 1) - 1, (1 << bits - 1) + 1, r.randrange(1 << bits)))) % (1 << bits)
            for f in ("add", "gt", "gte"):
                yield f"{f}{bits} {a} {b}", ask(getattr(u, f"uint{bits}_{f}"), a, b)
        t = r.randrange(1 << 64)
        yield f"ntp {t}", ask(lambda t=t: c.datetime_from_ntp(t).isoformat())
        yield f"ntp {t} again", ask(lambda t=t: c.datetime_to_ntp(c.datetime_from_ntp(t)))


@section
def names(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    yield "registry", [ask(lambda pt=pt: m.get_codec(pt).name) for pt in range(128)]
    yield "types", say({t.name: int(t) for t in m.PayloadType})
    p = part(m, "packet")
    for make in (
        lambda: p.RtcpSenderInfo(1, 2, 3, 4),
        lambda: p.RtcpReceiverInfo(1, 2, 3, 4, 5, 6, 7),
        lambda: p.RtcpSdesPacket(),
        lambda: p.RtcpRrPacket(5),
        lambda: m.DtmfEvent(1, True, 10, 160),
        lambda: m.AudioFrame(b"", 1),
        lambda: p.HeaderExtensions(),
        lambda: m.RtpPacket(),
        lambda: p.RtcpByePacket([1]),
    ):
        x, y = make(), make()
        yield repr(x), [x == y, hash(type(x)) is not None, ask(lambda x=x: isinstance(hash(x), int))]
    for f in (
        lambda: m.RTPSession(0, playout=True),
        lambda: m.RTPSession(0, paced=True),
        lambda: m.RTPSession(0, cn=True),
        lambda: m.RTPSession(0, jitter_capacity=5),
        lambda: m.VideoRTPSession(codec="h265"),
        lambda: m.VideoRTPSession(jitter_capacity=100),
        lambda: m.RTPSession(0).stats.keys() - {"ssrc"},
        lambda: m.RTPSession(0).send_audio_auto(b"1"),
        lambda: m.RTPSession(0).send_audio(b"1", 2),
        lambda: m.RTPSession(0).send_audio_pcm(b"1", 2),
        lambda: m.RTPSession(0).send_dtmf("x"),
        lambda: m.RTPSession(0).send_dtmf("1"),
        lambda: m.RTPSession(0).update_remote(("127.0.0.1", 5)),
        lambda: asyncio.run(m.RTPSession(0).drain()),
        lambda: asyncio.run(m.RTPSession(0).close()),
        lambda: m.VideoRTPSession().send_frame_auto([b"1"]),
        lambda: m.VideoRTPSession().send_frame([b"1"], 0),
        lambda: m.VideoRTPSession().request_keyframe(),
        lambda: m.VideoRTPSession().set_passthrough(),
        lambda: m.get_codec(50),
        lambda: m.Codec(),
    ):
        try:
            yield "call", say(f())
        except Exception as e:
            yield "call", f"{type(e).__name__}: {e}"


@section
def stun(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    class Socket:
        def __init__(self) -> None:
            self.sent: list[Any] = []

        def sendto(self, data: bytes, addr: Any = None) -> None:
            self.sent.append([say(data), say(addr)])

        def is_closing(self) -> bool:
            return False

        def close(self) -> None:
            self.sent.append("close")

    for _ in range(1500):
        rtp: list[Any] = []
        rtcp: list[Any] = []
        t = m.RtpTransport(lambda d, a, o=rtp: o.append([say(d), say(a)]), lambda d, a, o=rtcp: o.append([say(d), say(a)]))
        s = Socket()
        t.connection_made(s)
        kind = r.choice((1, 1, 1, 0x101, 0x111, 0x11, 3, 2))
        body = r.randbytes(r.choice((0, 0, 4, 8)))
        b = struct.pack("!HHI", kind, len(body), 0x2112A442) + r.randbytes(12) + body
        if r.random() < 0.3:
            b = bytes([r.randrange(256)]) + b[1:]
        if r.random() < 0.2:
            b = b[: r.randrange(len(b))]
        if r.random() < 0.2:
            b = any_packet(r)
        addr = r.choice((("1.2.3.4", 5678), ("::1", 5, 0, 0), ("fe80::1%lo", 6, 0, 2), ("255.255.255.255", 65535)))
        yield f"{b.hex()} {addr}", [ask(t.datagram_received, b, addr), rtp, rtcp, s.sent]
    t = m.RtpTransport(print, print)
    yield "unbound", [ask(t.send, b"1", ("1.2.3.4", 5)), ask(t.close), ask(t.error_received, OSError("x")), ask(t.connection_lost, None)]


def main() -> None:
    logging.disable(logging.CRITICAL)
    package = importlib.import_module(sys.argv[1])
    out = {}
    for name in sys.argv[3:] or SECTIONS:
        t = time.monotonic()
        out[name] = [[q, a] for q, a in SECTIONS[name](package, random.Random(f"aio {name}"))]
        print(f"{name}: {len(out[name])} answers in {time.monotonic() - t:.2f} s", file=sys.stderr)
    with open(sys.argv[2], "w") as f:
        json.dump(out, f)


if __name__ == "__main__":
    main()
