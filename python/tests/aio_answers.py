"""Asks a package with the surface of aiortp many questions and writes down what it answers.

usage: python aio_answers.py PACKAGE OUT.json [SECTION ...]

Questions come from a seeded generator, clocks are given or set by hand: two packages that behave alike write
the same file.
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
        known = next(c.__name__ for c in type(e).__mro__ if c.__module__ in ("builtins", "struct"))
        return f"raises {known}"


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
    maps = [part(m, "packet").HeaderExtensionsMap() for _ in range(3)]
    # The transmission offset is written with two bytes there, which it cannot read.
    uris = [u for u in URIS if "toffset" not in u]
    maps[1].configure([(i + 1, u) for i, u in enumerate(uris)])
    maps[2].configure([(2 * i + 1, u) for i, u in enumerate(uris)])
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

    def number(*v: Any) -> Any:
        return r.choice(v)

    for _ in range(3000):
        kw = {
            "payload_type": number(0, 1, 96, 127, r.randrange(128)),
            "marker": number(0, 1, 1, True, False),
            "sequence_number": number(0, 65535, r.randrange(65536)),
            "timestamp": number(0, (1 << 32) - 1, r.randrange(1 << 32)),
            "ssrc": number(0, (1 << 32) - 1, r.randrange(1 << 32)),
            "payload": number(b"", b"\0", r.randbytes(r.randrange(200))),
        }
        csrc = number([], [], [], [1], [1, 2, 3], list(range(15)))
        padding = number(0, 0, 0, 1, 4, 255)
        # One field at most does not fit: which is told first is nobody's business.
        odd = r.randrange(24)
        if odd == 0:
            kw["payload_type"] = number(128, 255, 256, -1)
        elif odd == 1:
            kw["marker"] = 2
        elif odd == 2:
            kw["sequence_number"] = number(65536, -1)
        elif odd == 3:
            kw["timestamp"] = number(1 << 32, -1)
        elif odd == 4:
            kw["ssrc"] = 1 << 32
        elif odd == 5:
            csrc = [1 << 32]
        elif odd == 6:
            padding = 256

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
            transmission_offset=None,  # see rtp_parse
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
    for b in [b"\1", b"\1\2", b"\xff\xff\xff", b"\x7f\xff\xff", b"\x80\0\0", b"\1\2\3\4"]:
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
            yield (
                name,
                say(getattr(p, name)) if not isinstance(getattr(p, name), range) else repr(getattr(p, name)),
            )


def any_report(p: Any, r: random.Random, odd: bool) -> Any:
    wide = 1 << 32 if odd and r.random() < 0.1 else (1 << 32) - 1
    return p.RtcpReceiverInfo(
        r.randrange(1 << 32),
        r.choice((0, 255, 256 if odd else 7)),
        r.choice((0, 5, -5, (1 << 23) - 1, -(1 << 23))),
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
                    n(),
                    [
                        (r.choice((1, 2, 8, 255)), r.randbytes(r.choice((0, 1, 2, 3, 20, 255))))
                        for _ in range(r.randrange(4))
                    ],
                )
                for _ in range(r.randrange(4))
            ]
        )
    if kind == 3:
        return p.RtcpByePacket([n() for _ in range(r.choice((0, 1, 2, 31)))])
    if kind == 4:
        at = r.randrange((1 << 16) - 60)
        lost = [at + d for d in sorted(r.sample(range(60), r.randrange(12)))]
        return p.RtcpRtpfbPacket(r.choice((1, 1, 15, 31)), n(), n(), lost)
    return p.RtcpPsfbPacket(r.choice((1, 2, 3, 4, 15)), n(), n(), r.randbytes(4 * r.randrange(4)))


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
            if kind == 202:  # RFC 3550 has several chunks begin at multiples of four, which is not so there
                count = min(count, 1)
            if kind in (205, 206):
                count = r.choice((1, 4, 15))
            body = {
                200: lambda c=count: r.randbytes(24 + 24 * c),
                201: lambda c=count: r.randbytes(4 + 24 * c),
                202: lambda c=count: b"".join(
                    r.randbytes(4)
                    + b"".join(
                        bytes([r.randrange(1, 9), n]) + r.randbytes(n)
                        for n in r.choices(range(9), k=r.randrange(3))
                    )
                    + b"\0\0"
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
    for cls, size in (
        (p.RtcpSrPacket, 24),
        (p.RtcpRrPacket, 4),
        (p.RtcpSdesPacket, 0),
        (p.RtcpByePacket, 0),
        (p.RtcpRtpfbPacket, 8),
        (p.RtcpPsfbPacket, 8),
    ):
        for _ in range(200):
            b, count = r.randbytes(max(0, size + r.choice((-1, 0, 0, 4, 24, 48)))), r.randrange(3)
            count = min(count, 1) if cls is p.RtcpSdesPacket else count
            yield f"{cls.__name__} {count} {b.hex()}", ask(cls.parse, b, count)


# --- the rest


@section
def numbers(m: ModuleType, r: random.Random) -> Iterator[Answer]:
    u, c = part(m, "utils"), part(m, "clock")
    for _ in range(1000):
        for bits in (16, 32):
            a = r.choice((0, 1, (1 << bits) - 1, 1 << bits - 1, r.randrange(1 << bits)))
            b = (
                a
                + r.choice(
                    (
                        0,
                        1,
                        -1,
                        1 << bits - 1,
                        (1 << bits - 1) - 1,
                        (1 << bits - 1) + 1,
                        r.randrange(1 << bits),
                    )
                )
            ) % (1 << bits)
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
        t = m.RtpTransport(
            lambda d, a, o=rtp: o.append([say(d), say(a)]), lambda d, a, o=rtcp: o.append([say(d), say(a)])
        )
        s = Socket()
        t.connection_made(s)
        kind = r.choice((1, 1, 1, 0x111, 0x11, 3, 2))
        body = r.randbytes(r.choice((0, 0, 4, 8)))
        b = struct.pack("!HHI", kind, len(body), 0x2112A442) + r.randbytes(12) + body
        if r.random() < 0.3:
            b = bytes([r.choice((0x40, 0x80, 0xC0, 0xFF))]) + b[1:]
        if r.random() < 0.2:
            b = b[: r.randrange(len(b))]
        if r.random() < 0.2:
            b = any_packet(r)
        addr = r.choice(
            (("1.2.3.4", 5678), ("::1", 5, 0, 0), ("fe80::1%lo", 6, 0, 2), ("255.255.255.255", 65535))
        )
        yield f"{b.hex()} {addr}", [ask(t.datagram_received, b, addr), rtp, rtcp, s.sent]
    t = m.RtpTransport(print, print)
    yield (
        "unbound",
        [
            ask(t.send, b"1", ("1.2.3.4", 5)),
            ask(t.close),
            ask(t.error_received, OSError("x")),
            ask(t.connection_lost, None),
        ],
    )


def main() -> None:
    for name in ("aio_media_answers", "aio_session_answers", "aio_double_answers"):
        importlib.import_module(name)
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
    importlib.import_module("aio_answers").main()  # by the name that the other module imports it by
