"""More questions of aio_answers.py: what doubles see, what may be set and copied, texts of errors."""

from __future__ import annotations

import asyncio
import copy
import pickle
import warnings
from collections.abc import Iterator
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock

from aio_answers import Answer, part, say, section
from aio_session_answers import HOST, extra, opened, pair, rtp


def calls(double: mock.Mock) -> list[Any]:
    """What was called on a mock, and how: by place or by name."""
    return [[name, say(args), say(kw)] for name, args, kw in double.mock_calls]


def text(f: Any, *args: Any, **kw: Any) -> Any:
    """What a call gives, or what it raises and says."""
    try:
        return say(f(*args, **kw))
    except Exception as e:
        return f"{type(e).__name__}: {e}"


@section
def doubles(m: ModuleType, r: Random) -> Iterator[Answer]:
    wire = mock.MagicMock()
    t = m.RtpTransport(mock.MagicMock(), mock.MagicMock())
    t.connection_made(wire)
    t.send(b"1", ("1.2.3.4", 5))
    t.send(b"2")
    t.close()
    yield "transport", calls(wire)
    on_rtp, on_rtcp = mock.MagicMock(), mock.MagicMock()
    t = m.RtpTransport(on_rtp, on_rtcp)
    t.connection_made(mock.MagicMock())
    for b in (b"", b"\x80", rtp(1, 2, b"x"), b"\x80\xc8\0\0", b"\x80\xdf\0\0", bytearray(rtp(1, 2, b"y"))):
        t.datagram_received(b, ("1.2.3.4", 5))
    yield "receivers", [calls(on_rtp), calls(on_rtcp)]
    wire = mock.MagicMock()
    s = part(m, "sender").RtpSender(wire, 0, ssrc=1)
    s.send_frame(b"a", 5)
    s.send_frame(b"b", 6, 1, ("h", 1))
    s.send_raw(101, b"c", 7, addr=("h", 2))
    s.send_frame_auto(b"d")
    s.retransmit([(s.sequence_number - 1) % (1 << 16)], ("h", 3))
    yield "sender", [[n, len(a), sorted(k), a[1:], say(k)] for n, a, k in wire.mock_calls]
    line = mock.MagicMock()
    m.DtmfSender(line, 101).send_digit("5", 60, 7, 1000, ("h", 1))
    m.DtmfSender(line).send_digit("*")
    yield "digits", calls(line)
    line = mock.MagicMock(current_timestamp=77)
    p = m.PacedSender(line, lambda: ("h", 1), cn_payload_type=13) if hasattr(m, "NoiseGenerator") else None
    for x in (b"a", b"b"):
        p.enqueue(x)
    for _ in range(4):
        p.tick()
    p.enqueue(b"c")
    p.tick()
    yield "pacer", calls(line)
    on_dtmf = mock.MagicMock()
    rx = m.DtmfReceiver(on_dtmf)
    for end in (False, True, True):
        e = m.DtmfEvent(5, end, 10, 800).serialize()
        rx.handle_packet(mock.MagicMock(payload=e, timestamp=9, sequence_number=1))
    yield "receiver", calls(on_dtmf)
    stats = m.StreamStatistics(8000)
    stats.add(mock.MagicMock(sequence_number=3, timestamp=4))
    yield "statistics", [stats.packets_received, stats.max_seq]
    n = m.NackGenerator()
    yield "nack", [n.add(mock.MagicMock(sequence_number=i)) for i in (1, 2, 5)]
    j = m.JitterBuffer(16)
    yield (
        "jitter",
        [
            say(j.add(mock.MagicMock(sequence_number=i, timestamp=i, payload=b"x", marker=0)))
            for i in range(3)
        ],
    )


@section
def attributes(m: ModuleType, r: Random) -> Iterator[Answer]:
    p = m.RtpPacket(payload=b"1")
    p.arrived = 5
    yield (
        "packet",
        [p.arrived, repr(copy.copy(p)), repr(copy.deepcopy(p)), repr(pickle.loads(pickle.dumps(p)))],
    )
    p.extensions.mid = "a"
    q = copy.deepcopy(p)
    q.extensions.mid = "b"
    yield "extensions", [p.extensions.mid, q.extensions.mid, p == copy.copy(p)]
    f = m.JitterFrame(b"12", 3)
    f.note = 1
    yield "frame", [say(f.data), f.timestamp, f.lost, f.note, f == m.JitterFrame(b"12", 3)]
    play = m.AdaptivePlayout(m.get_codec(0), now=lambda: 0.0)
    for name in ("concealed_frames", "late_dropped", "expansions", "accelerations", "underrun_suspensions"):
        setattr(play, name, 7)
        yield name, [getattr(play, name), play.stats()[name]]
    play.put(0, bytes(160))
    play.put(160, bytes(160))
    play.tick()
    play.tick()
    play.tick()
    yield "counted on", play.concealed_frames
    n = m.NackGenerator()
    n.add(m.RtpPacket(sequence_number=10))
    n.missing.add(9)
    n.missing.discard(3)
    yield "missing", [say(n.missing), n.add(m.RtpPacket(sequence_number=12)), say(n.missing)]
    n.missing.clear()
    n.max_seq = 20
    yield "missing", [n.add(m.RtpPacket(sequence_number=22)), say(n.missing), n.max_seq]
    n.missing = {30, 31}
    n.max_seq = 40
    n.truncate()
    yield "missing", say(n.missing)
    n.max_seq = 200
    n.truncate()
    yield "missing", say(n.missing)
    s = m.StreamStatistics(8000)
    s.add(m.RtpPacket(sequence_number=10, timestamp=1))
    s.packets_received = 5
    s.max_seq = 20
    s.cycles = 65536
    yield "statistics", [s.packets_received, s.packets_expected, s.packets_lost, s.max_seq, s.cycles]
    s.base_seq = 12
    s.add(m.RtpPacket(sequence_number=21, timestamp=1))
    yield "statistics", [s.packets_received, s.packets_expected, s.packets_lost, s.max_seq, s.base_seq]
    yield "noise", m.NoiseGenerator(60).level
    e = m.DtmfEvent(1, False, 10, 160)
    e.end = True
    yield "event", [repr(e), e == m.DtmfEvent(1, True, 10, 160), e != m.DtmfEvent(2, True, 10, 160)]
    yield "modules", [part(m, "packet").RtpPacket is m.RtpPacket, part(m, "codecs").get_codec is m.get_codec]


@section
def texts(m: ModuleType, r: Random) -> Iterator[Answer]:
    packet, rtcp = m.RtpPacket.parse, m.RtcpPacket.parse
    head = bytes.fromhex("800000010000000200000003")
    for b in (
        b"",
        head[:11],
        b"\x40" + head[1:],
        b"\x82" + head[1:] + bytes(7),
        b"\x90" + head[1:] + bytes(3),
        b"\x90" + head[1:] + b"\xbe\xde\0\1\0\0",
        b"\xa0" + head[1:] + b"\0",
        b"\xa0" + head[1:] + b"\2",
    ):
        yield b.hex(), text(packet, b)
    report = bytes(24)
    for b in (
        b"",
        b"\x80\xc8\0",
        b"\x40\xc8\0\0",
        b"\x80\xc8\0\1",
        b"\xa0\xc9\0\0",
        b"\xa0\xc9\0\1\0\0\0\0",
        b"\xa0\xc9\0\1\0\0\0\x09",
        b"\x80\xc8\0\5" + bytes(20),
        b"\x81\xc8\0\6" + report,
        b"\x81\xc9\0\1" + bytes(4),
        b"\x80\xc9\0\6" + report,
        b"\x81\xca\0\0",
        b"\x81\xca\0\2\0\0\0\1\1\x09ab",
        b"\x81\xcb\0\0",
        b"\x82\xcb\0\1" + bytes(4),
        b"\x81\xcd\0\1" + bytes(4),
        b"\x81\xce\0\1" + bytes(4),
    ):
        yield b.hex(), text(rtcp, b)
    p = part(m, "packet")
    for cls, size in (
        (p.RtcpSrPacket, 23),
        (p.RtcpRrPacket, 3),
        (p.RtcpRtpfbPacket, 7),
        (p.RtcpPsfbPacket, 7),
    ):
        yield cls.__name__, text(cls.parse, bytes(size), 1)
    for profile, value in ((0xBEDE, b"\x15\0"), (0x1000, b"\1"), (0x1000, b"\1\4\0")):
        yield value.hex(), text(p.unpack_header_extensions, profile, value)
    yield "event", text(m.DtmfEvent.parse, b"123")
    yield "digit", text(m.DtmfSender(mock.MagicMock()).send_digit, "X")
    yield "codec", text(m.get_codec, 77)
    yield "capacity", text(m.JitterBuffer, 3)
    for f in (
        lambda: m.RTPSession(0, playout=True),
        lambda: m.RTPSession(0, jitter_capacity=3),
        lambda: m.RTPSession(0).send_audio_pcm(b"", 0),
        lambda: m.RTPSession(0).send_audio_pcm_auto(b""),
        lambda: m.RTPSession(0, m.get_codec(0), paced=True).send_audio(b"", 0),
        lambda: m.RTPSession(0, m.get_codec(0), paced=True).send_audio_pcm(b"", 0),
        lambda: m.VideoRTPSession(codec="av1"),
        lambda: asyncio.run(m.RTPSession.create((HOST, 0), (HOST, 9), 77)),
        lambda: asyncio.run(m.PortAllocator((0, 0)).allocate()),
    ):
        yield "session", text(f)


def tone(m: ModuleType, log: list[Any], rate: int, samples: int, own: bool, bad: bool) -> Any:
    """A codec that writes down how it is used. own: it conceals; bad: it cannot read some payloads."""

    class Codec(m.Codec):  # type: ignore[name-defined, misc]
        name = "tone"
        sample_rate = rate
        samples_per_frame = samples

        def encode(self, pcm: bytes) -> bytes:
            log.append(["encode", len(pcm)])
            return pcm[:4]

        def decode(self, payload: bytes) -> bytes:
            log.append(["decode", payload.hex()])
            if bad and payload[:1] == b"\5":
                raise ValueError("no frame")
            return payload[:1] * (2 * samples)

        def conceal(self, n: int) -> bytes | None:
            log.append(["conceal", n])
            return b"\x77" * (2 * n) if own else None

    return Codec


@section
def codec_doubles(m: ModuleType, r: Random) -> Iterator[Answer]:
    for case in range(60):
        log: list[Any] = []
        rate, samples = r.choice(((8000, 160), (16000, 320), (48000, 960), (8000, 240)))
        codec = tone(m, log, rate, samples, r.random() < 0.5, r.random() < 0.5)()
        clock = [10.0]
        play = m.AdaptivePlayout(codec, now=lambda c=clock: c[0])
        for i in range(40):
            clock[0] += samples / rate
            if r.random() > 0.15:
                play.put(i * samples, bytes([i % 8, i]))
            got = play.tick()
            log.append(None if got is None else [got[1], say(got[0])[:20], len(got[0])])
        yield f"{case} {rate} {samples}", [log, say(play.stats())]


@section
def session_doubles(m: ModuleType, r: Random) -> Iterator[Answer]:
    """A session with a codec of the user's, in both directions."""

    async def run(kw: dict[str, Any], own: bool, lost: set[int]) -> Any:
        log: list[Any] = []
        heard: list[Any] = []
        media, control = pair()
        codec = tone(m, log, 8000, 160, own, True)()
        session, local = await opened(
            lambda local, remote: m.RTPSession.create(
                local, remote, payload_type=0, codec=codec, **kw, **extra(m)
            ),
            media.getsockname(),
        )
        session.on_audio = lambda pcm, ts: heard.append([ts, len(pcm), say(pcm)[:12]])
        told = asyncio.Event()
        session.on_receiver_report = lambda _: told.set()
        p = part(m, "packet")
        fence = bytes(p.RtcpRrPacket(1, [p.RtcpReceiverInfo(session.stats["ssrc"], 0, 0, 0, 0, 0, 0)]))
        for i in range(30):
            if i in lost:
                continue
            told.clear()
            media.sendto(rtp(i, 160 * i, bytes([i % 8, i])), local)
            media.sendto(fence, local)
            await asyncio.wait_for(told.wait(), 10)
        media.settimeout(10)
        sent = []
        first = session.send_audio_pcm_auto(bytes(320))
        second = session.send_audio_pcm_auto(b"\1\2\3\4" + bytes(316))
        session.send_audio_pcm(bytes(8), 12345)
        session.send_audio(b"raw", 99)
        for _ in range(4):
            data = await asyncio.to_thread(media.recv, 2048)
            sent.append([data[1], data[12:].hex()])
        concealed = session.stats["concealed_frames"]
        await session.close()
        media.close()
        control.close()
        return [sorted(log), heard, sent, (second - first) % (1 << 32), concealed, session.codec is codec]

    for kw in ({}, {"skip_audio_gaps": True}, {"skip_audio_gaps": True, "plc": False}):
        for own in (False, True):
            yield f"{kw} {own}", asyncio.run(run(kw, own, {2, 9, 10, 17}))

    class Voice(m.RTPSession):  # type: ignore[name-defined, misc]
        pass

    class Camera(m.VideoRTPSession):  # type: ignore[name-defined, misc]
        pass

    async def kinds() -> Any:
        a = await Voice.create((HOST, 0), (HOST, 9), 0)
        b = await Camera.create((HOST, 0), (HOST, 9))
        out = [type(a).__name__, type(b).__name__, sorted(a.stats), sorted(b.stats)]
        await a.close()
        await b.close()
        out += [
            sorted(a.stats),
            sorted(b.stats),
            text(a.request_keyframe) if hasattr(a, "request_keyframe") else None,
        ]
        return out

    yield "subclasses", asyncio.run(kinds())

    async def registered() -> Any:
        m.register_codec(119, tone(m, [], 8000, 160, False, False))
        a = await m.RTPSession.create((HOST, 0), (HOST, 9), 119)
        out = [type(a.codec).__name__, a.codec is not m.get_codec(119)]
        await a.close()
        return out

    yield "registered", asyncio.run(registered())


@section
def callbacks(m: ModuleType, r: Random) -> Iterator[Answer]:
    """What becomes of callbacks that raise, of coroutine functions, and of callbacks that change."""

    async def run(kind: str) -> Any:
        heard: list[Any] = []
        problems: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, c: problems.append(type(c.get("exception")).__name__)
        )
        media, control = pair()
        session, local = await opened(
            lambda local, remote: m.RTPSession.create(
                local, remote, payload_type=0, jitter_prefetch=0, **extra(m)
            ),
            media.getsockname(),
        )
        told = asyncio.Event()
        session.on_receiver_report = lambda _: told.set()

        async def later(pcm: bytes, ts: int) -> None:
            heard.append(ts)

        def wrong(pcm: bytes, ts: int) -> None:
            heard.append(ts)
            raise KeyError(ts)

        class Callable:
            def __call__(self, pcm: bytes, ts: int) -> None:
                heard.append(ts)

        session.on_audio = {"async": later, "raises": wrong, "object": Callable()}.get(kind, wrong)
        if kind == "changes":
            session.on_audio = lambda pcm, ts: (heard.append(ts), setattr(session, "on_audio", None))
        p = part(m, "packet")
        fence = bytes(p.RtcpRrPacket(1, [p.RtcpReceiverInfo(session.stats["ssrc"], 0, 0, 0, 0, 0, 0)]))
        for i in range(6):
            told.clear()
            media.sendto(rtp(i, 160 * i, bytes(160)), local)
            media.sendto(fence, local)
            await asyncio.wait_for(told.wait(), 10)
        await session.close()
        await asyncio.sleep(0)
        media.close()
        control.close()
        return [heard, bool(problems)]

    for kind in ("async", "raises", "object", "changes"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield kind, asyncio.run(run(kind))


@section
def clocks(m: ModuleType, r: Random) -> Iterator[Answer]:
    async def run() -> Any:
        log: list[Any] = []
        ticks = asyncio.Event()

        def tick() -> None:
            log.append(len(log))
            if len(log) == 2:
                raise KeyError("x")
            if len(log) >= 5:
                ticks.set()

        c = m.MediaClock(0.005, tick)
        await c.stop()
        c.start()
        await asyncio.wait_for(ticks.wait(), 10)
        await c.stop()
        n = len(log)
        await asyncio.sleep(0.03)
        out = [n == len(log)]
        ticks.clear()
        c.start()
        await asyncio.wait_for(ticks.wait(), 10)
        await c.stop()
        await c.stop()
        return [*out, len(log) > n]

    yield "clock", asyncio.run(run())


@section
def ports(m: ModuleType, r: Random) -> Iterator[Answer]:
    async def run() -> Any:
        media, control = pair()
        low = media.getsockname()[1]
        low += low % 2
        media.close()
        control.close()
        a = m.PortAllocator(port_range=(low - 1, low + 7))
        got = await asyncio.gather(*(a.allocate() for _ in range(3)), return_exceptions=True)
        out = [[x[0] % 2, x[1] - x[0]] if isinstance(x, tuple) else str(x) for x in got]
        again = None
        if isinstance(got[0], tuple):
            await a.release(got[0][0])
            await a.release(got[0][0])
            await a.release(1)
            again = (await a.allocate()) == got[0]
        return [out, again, got == sorted(got) if all(isinstance(x, tuple) for x in got) else None]

    # Another process may take a port in between: then all of it is done again, elsewhere.
    for _ in range(50):
        answer = asyncio.run(run())
        if "No available" not in str(answer) and answer[1]:
            break
    yield "ports", answer
