"""More questions of aio_answers.py's kind: buffers, senders, events, statistics, video payloads, codecs."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock

from aio_answers import Answer, ask, part, say, section


@section
def jitter(m: ModuleType, r: Random) -> Iterator[Answer]:
    for case in range(900):
        video = r.random() < 0.5
        capacity, prefetch, skip = r.choice((4, 8, 16, 64)), r.choice((0, 0, 1, 2, 4)), r.random() < 0.5
        j = ask(lambda: None) or m.JitterBuffer(
            capacity, prefetch=prefetch, is_video=video, skip_audio_gaps=skip
        )
        seq, ts = r.choice((0, 65530, r.randrange(1 << 16))), r.randrange(1 << 32)
        stream = []
        for _ in range(60):
            n = r.choice((1, 1, 1, 2, 3)) if video or (not skip and r.random() < 0.2) else 1
            for k in range(n):
                stream.append(
                    (seq % (1 << 16), ts % (1 << 32), int(k == n - 1) if video else 0, bytes([seq % 251]))
                )
                seq += 1
            ts += 160
            if r.random() < 0.01:
                seq += r.choice((20, 200, 40000))
        loss, swap = r.choice((0, 0, 0.05, 0.2)), r.choice((0, 0, 0.1))
        if video and loss:
            swap = 0
        kept, gone = [], None
        for x in stream:
            # The rest of a picture that lost a packet is lost, too: the tail of one is no frame for us.
            if r.random() < loss or (video and gone == x[1]):
                gone = x[1]
            else:
                kept.append(x)
        stream = kept
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
            if what < 0.023 and not (video and swap):
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
def playout(m: ModuleType, r: Random) -> Iterator[Answer]:
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
                ts += step * r.choice((3, 10, 100))
            if r.random() < 0.004:
                ts += 37
            if r.random() >= loss:
                arrivals.append(
                    (at + i * 0.02 + r.random() * jit, ts % (1 << 32), r.randbytes(160 if pt != 11 else 320))
                )
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
            log.append(
                None if got is None else [got[1], len(got[0]), say(got[0])[:24] if not p.cn_frames else ""]
            )
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
        out.append(
            [b0, b1, (seq - first) % (1 << 16), (ts - base) % (1 << 32), ssrc, data[12:].hex(), say(addr)]
        )
    return out


@section
def sender(m: ModuleType, r: Random) -> Iterator[Answer]:
    S = part(m, "sender").RtpSender
    for case in range(300):
        w = Wire()
        history, double = r.random() < 0.5, r.random() < 0.3
        s = S(
            w,
            r.choice((0, 96)),
            ssrc=r.choice((7, 0, (1 << 32) - 1)),
            enable_history=history,
            duplicate_tx=double,
        )
        first, base = s.sequence_number, s.current_timestamp
        log: list[Any] = [
            s.ssrc,
            s.packets_sent,
            s.octets_sent,
            s.last_rtp_timestamp,
            s.timestamp_increment,
            first == s.sequence_number,
        ]
        s.timestamp_increment = r.choice((160, 320, 1 << 31))
        for _ in range(r.choice((5, 20, 200))):
            k = r.randrange(5)
            addr = r.choice((None, ("1.2.3.4", 5)))
            payload = r.randbytes(r.randrange(30))
            if k == 0:
                stamp = (base + r.randrange(1 << 32)) % (1 << 32)
                log.append(ask(s.send_raw, r.choice((13, 101)), payload, stamp, r.randrange(2), addr))
            elif k == 1:
                log.append(
                    ask(
                        s.send_frame,
                        payload,
                        (base + r.randrange(1 << 32)) % (1 << 32),
                        marker=r.randrange(2),
                        addr=addr,
                    )
                )
            elif k == 2:
                log.append((s.send_frame_auto(payload, addr=addr) - base) % (1 << 32))
            elif k == 3:
                log.append(ask(s.advance_timestamp))
            else:
                lost = [(s.sequence_number - r.randrange(1, 160)) % (1 << 16) for _ in range(3)]
                log.append(ask(s.retransmit, lost, addr))
            log.append(
                [
                    (s.sequence_number - first) % (1 << 16),
                    (s.current_timestamp - base) % (1 << 32),
                    s.packets_sent,
                    s.octets_sent,
                ]
            )
        yield f"{case} {history} {double}", [log, seen(w, first, base)]


@section
def pacer(m: ModuleType, r: Random) -> Iterator[Answer]:
    S, P = part(m, "sender").RtpSender, m.PacedSender
    for case in range(200):
        w = Wire()
        s = S(w, 0, ssrc=7)
        s.timestamp_increment = 160
        cn = r.choice((None, None, 13))
        level = r.choice((None, lambda: 55))
        p = (
            P(s, lambda: r.choice((None, ("1.2.3.4", 5))) if False else ("1.2.3.4", 5), cn, level)
            if r.random() < 0.9
            else P(s, lambda: None)
        )
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
            log.append(
                [
                    p.queue_depth,
                    p.paced_sent,
                    p.empty_ticks,
                    say(p.stats()),
                    (s.current_timestamp - base) % (1 << 32),
                ]
            )

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
def dtmf(m: ModuleType, r: Random) -> Iterator[Answer]:
    d = part(m, "dtmf")
    yield "events", say(d.DTMF_EVENTS)
    yield "digits", say(d.EVENT_TO_DIGIT)
    for _ in range(1000):
        b = r.randbytes(r.choice((0, 1, 3, 4, 4, 4, 5, 8)))
        yield b.hex(), ask(d.DtmfEvent.parse, b)
        e = d.DtmfEvent(
            r.choice((0, 9, 15, 16, 255, 256, -1)),
            r.random() < 0.5,
            r.choice((0, 10, 63, 64, 127, 255)),
            r.choice((0, 1280, 65535, 65536, -1)),
        )
        yield repr(e), ask(e.serialize)
        yield f"digit {e.event}", ask(lambda e=e: e.digit)
    S = part(m, "sender").RtpSender
    for digit in [*"0123456789*#ABCDabcd", "E", "", "12", "x", " "]:
        for ms in (160, 0, 1, 20, 40, 50, 100, 1000):
            for rate in (8000, 16000, 48000):
                w = Wire()
                s = S(w, 0, ssrc=7)
                first = s.sequence_number
                got = ask(
                    m.DtmfSender(s, 101, rate).send_digit, digit, ms, r.choice((10, 0, 63)), 1234, ("h", 1)
                )
                yield f"send {digit!r} {ms} {rate}", [got, seen(w, first, 0)]
    for case in range(300):
        heard: list[Any] = []
        rx = m.DtmfReceiver(lambda *a, h=heard: h.append(a))
        ts, log = 1000, []
        for _ in range(40):
            if r.random() < 0.2:
                ts += r.choice((160, 1600))
            e = d.DtmfEvent(r.choice((1, 1, 2, 17)), r.random() < 0.4, 10, r.randrange(2000))
            body = e.serialize() if r.random() < 0.95 else r.randbytes(r.randrange(4))
            log.append(
                ask(
                    rx.handle_packet,
                    m.RtpPacket(payload_type=101, timestamp=ts, payload=body, sequence_number=r.randrange(9)),
                )
            )
        yield f"receive {case}", [log, say(heard)]


@section
def statistics(m: ModuleType, r: Random) -> Iterator[Answer]:
    now = [0.0]
    clocks = [mock.patch(f"time.{name}", lambda: now[0]) for name in ("time", "monotonic", "perf_counter")]
    for case in range(200):
        s = m.StreamStatistics(r.choice((8000, 90000, 48000)))
        t, seq, ts, log = 1.7e9, r.choice((0, 65500, r.randrange(1 << 16))), r.randrange(1 << 32), []
        for c in clocks:
            c.start()
        log.append([s.base_seq, s.max_seq, s.cycles, s.packets_received, ask(lambda s=s: s.jitter)])
        for _ in range(200):
            k = r.random()
            if k < 0.05:
                seq += r.choice((2, 5, 100, 3000, 40000))
            n = seq - (r.randrange(1, 30) if k > 0.93 else 0)
            now[0] = t
            s.add(m.RtpPacket(sequence_number=n % (1 << 16), timestamp=ts % (1 << 32)))
            log.append(
                [
                    s.base_seq,
                    s.max_seq,
                    s.cycles,
                    s.packets_received,
                    s.packets_expected,
                    s.packets_lost,
                    s.jitter,
                ]
            )
            if r.random() < 0.1:
                log.append(s.fraction_lost)
            seq += 1
            if r.random() < 0.8:
                ts += 160
            t += r.choice((0.02, 0.02, 0.001, 0.06))
        for c in clocks:
            c.stop()
        yield str(case), log


@section
def nack(m: ModuleType, r: Random) -> Iterator[Answer]:
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


def any_payload(kind: str, r: Random) -> bytes:
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
        body[0] = r.choice((0x10, 0x00, 0x10, 0x00, 0x90, 0x80, 0x30, r.randrange(256)))
        if body[0] & 0x10:
            body[0] &= 0xF0  # a later partition begins no frame for us, and a reserved bit means nothing
        if len(body) > 1 and body[0] & 0x80:
            body[1] = r.choice((0x80, 0x40, 0x20, 0x10, 0xF0, 0x00, r.randrange(256)))
    else:
        body[0] = r.choice(
            (
                0x08,
                0x04,
                0x0C,
                0x48,
                0x44,
                0x4C,
                0x00,
                0x40,
                0x88,
                0x80,
                0xA8,
                0x98,
                0xB8,
                0x0A,
                0x02,
                0x1A,
                r.randrange(256),
            )
        )
        if body[0] & 0x40:
            body[0] &= 0xEF  # references of flexible mode: their last bit is told by the wrong end there
    return bytes(body)


@section
def depacketize(m: ModuleType, r: Random) -> Iterator[Answer]:
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
def packetize(m: ModuleType, r: Random) -> Iterator[Answer]:
    for size in [*range(12), 1398, 1399, 1400, 1401, 1402, 2797, 2798, 2799, 2800, 9000]:
        b = r.randbytes(size)
        for mtu in (1400, 100, 10):
            yield f"h264 {size} {mtu}", ask(m.H264Packetizer().packetize, b, mtu)
            for key in (False, True):
                yield f"vp8 {size} {mtu} {key}", ask(m.VP8Packetizer().packetize, b, mtu, key)
                yield f"vp9 {size} {mtu} {key}", ask(m.VP9Packetizer().packetize, b, mtu, key)


# --- audio


@section
def g711(m: ModuleType, r: Random) -> Iterator[Answer]:
    every = struct.pack("<65536h", *range(-32768, 32768))
    for pt in (0,):  # A-law: its polarity is not that of ITU-T G.711 there
        c = m.get_codec(pt)
        yield f"{pt}", [c.name, c.sample_rate, c.samples_per_frame, say(c.conceal(10))]
        yield f"{pt} decode", ask(c.decode, bytes(range(256)))
        yield f"{pt} encode", ask(c.encode, every)
        for n in (0, 1, 2, 3, 5):
            yield f"{pt} {n}", [ask(c.encode, bytes(n)), ask(c.decode, bytes(n))]


@section
def other_codecs(m: ModuleType, r: Random) -> Iterator[Answer]:
    for pt in (9, 11):
        c = m.get_codec(pt)
        yield f"{pt}", [c.name, c.sample_rate, c.samples_per_frame, say(c.conceal(10))]
        for n in (0, 4, 320, 640, 644) if pt == 9 else (0, 1, 2, 3, 4, 5, 7, 320):
            b = r.randbytes(n)
            yield f"{pt} encode {n} {b.hex()[:20]}", ask(c.encode, b)
        for n in (0, 1, 2, 3, 160, 161):
            b = r.randbytes(n)
            yield f"{pt} decode {n} {b.hex()[:20]}", ask(c.decode, b)
    opus = part(m, "codecs.opus").OpusCodec
    for rate in (8000, 16000, 24000, 48000, 44100):
        for ch in (1, 2, 3):
            for ms in (10, 20, 40, 7):

                def make(rate: int = rate, ch: int = ch, ms: int = ms) -> Any:
                    c = opus(rate, ch, ms)
                    frame = bytes(2 * ch * c.samples_per_frame)
                    packet = c.encode(frame)
                    return [
                        c.name,
                        c.sample_rate,
                        c.samples_per_frame,
                        len(c.decode(packet)),
                        len(c.conceal(c.samples_per_frame)),
                        len(c.conceal(1)),
                        len(c.conceal(c.samples_per_frame * 3 + 1)),
                        c.dtx,
                    ]

                yield f"opus {rate} {ch} {ms}", ask(make)
    c = opus()
    for b in (b"", b"\xff", b"\x00", r.randbytes(10)):
        yield f"opus decode {b.hex()}", ask(lambda b=b: len(c.decode(b)))
    for n in (2, 100, 1920, 1921, 1922, 3840):
        yield f"opus encode {n}", ask(lambda n=n: len(c.encode(bytes(n))) > 0)


@section
def conceal(m: ModuleType, r: Random) -> Iterator[Answer]:
    for case in range(200):
        c, log = m.PcmConcealer(r.choice((8000, 16000, 48000)), fade_ms=r.choice((60, 60, 20, 0, 1))), []
        for _ in range(12):
            if r.random() < 0.4:
                n = r.choice((0, 1, 2, 160, 320, 7))
                log.append(
                    ["update", ask(c.update, r.randbytes(2 * n + (r.random() < 0.1))), c.frame_samples]
                )
            else:
                n = r.choice((0, 1, 80, 160, 320, 1000, -1))
                log.append([n, ask(c.conceal, n)])
        yield str(case), log


@section
def noise(m: ModuleType, r: Random) -> Iterator[Answer]:
    for level in (-5, 0, 1, 40, 70, 126, 127, 128, 200, 300):
        yield f"build {level}", ask(m.build_cn_payload, level)

        def made(level: int = level) -> Any:
            got = m.NoiseGenerator(level).generate(16000)
            return [
                len(got),
                abs(m.measure_level(got) - max(1, min(level, 90))) <= 2 if 3 < level < 80 else None,
            ]

        yield f"noise {level}", ask(made)
    for b in (b"", b"\0", b"\x46", b"\x7f", b"\x80", b"\xff", b"\x46\1\2\3"):
        yield f"parse {b.hex()}", ask(m.parse_cn_payload, b)
    for n in (0, 1, 2, 3, 5, 320):
        for top in (1, 5, 50, 1000, 32767):
            pcm = struct.pack(f"<{n // 2}h", *[r.randint(-top, top) for _ in range(n // 2)]) + bytes(n % 2)
            yield f"level {n} {top} {pcm.hex()[:20]}", ask(m.measure_level, pcm)
    for n in (0, -1, 1, 160):
        yield f"generate {n}", ask(lambda n=n: len(m.NoiseGenerator(40).generate(n)))
