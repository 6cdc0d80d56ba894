"""Sessions of tstrans.aio over loopback, with bare sockets as peers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import resource
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import tstrans.aio as aiortp
from tstrans.aio import PayloadType, PortAllocator, RTPSession, VideoRTPSession
from tstrans.aio.packet import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)

HOST = "127.0.0.1"
ULAW = b"\xff" * 160


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test runs on the loop of asyncio and on uvloop."""
    if request.param == "uvloop":
        asyncio.set_event_loop_policy(pytest.importorskip("uvloop").EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)


def run(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 30))


class Peer:
    """A pair of UDP sockets, RTP on an even port and RTCP on the next."""

    def __init__(self) -> None:
        for _ in range(200):
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind((HOST, 0))
            self.addr = self.rtp.getsockname()
            self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.rtcp.bind((HOST, self.addr[1] + 1))
            except OSError:
                self.rtp.close()
                self.rtcp.close()
                continue
            self.rtp.setblocking(False)
            self.rtcp.setblocking(False)
            return
        raise OSError("no two ports in a row")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.rtp.close()
        self.rtcp.close()

    def send(
        self,
        session: Any,
        seq: int,
        ts: int,
        payload: bytes = ULAW,
        pt: int = 0,
        marker: int = 0,
        ssrc: int = 9,
    ) -> None:
        head = struct.pack("!BBHII", 0x80, marker << 7 | pt, seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc)
        self.rtp.sendto(head + payload, session.local_addr)

    def control(self, session: Any, *packets: Any) -> None:
        self.rtcp.sendto(b"".join(map(bytes, packets)), session.local_rtcp_addr)

    async def recv(self, sock: socket.socket, timeout: float = 5.0) -> bytes:
        data: bytes = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 65536), timeout)
        return data

    async def all(self, sock: socket.socket, quiet: float = 0.1) -> list[bytes]:
        out = []
        with contextlib.suppress(asyncio.TimeoutError):
            while True:
                out.append(await self.recv(sock, quiet))
        return out


async def until(condition: Callable[[], Any], timeout: float = 20.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.005)


async def pair(**kw: Any) -> tuple[RTPSession, RTPSession]:
    a = await RTPSession.create((HOST, 0), (HOST, 9), kw.pop("payload_type", 0), **kw)
    assert a.local_addr
    b = await RTPSession.create((HOST, 0), a.local_addr, a._payload_type, **kw)
    assert b.local_addr
    a.update_remote(b.local_addr)
    return a, b


def test_prefetch_then_tail() -> None:
    async def main() -> None:
        a, b = await pair()
        got: list[int] = []
        b.on_audio = lambda data, ts: got.append(ts)
        first = a.send_audio_pcm_auto(bytes(320))
        for _ in range(9):
            a.send_audio_pcm_auto(bytes(320))
        await until(lambda: len(got) >= 6)
        # The sender has gone quiet: what was held back comes too.
        await until(lambda: len(got) == 10)
        assert got == [(first + 160 * i) % (1 << 32) for i in range(10)]
        await a.close()
        await b.close()

    run(main)


def test_reference_keeps_the_tail() -> None:
    async def main() -> None:
        a, b = await pair(as_reference=True)
        got: list[int] = []
        b.on_audio = lambda data, ts: got.append(ts)
        for i in range(10):
            a.send_audio(ULAW, 160 * i)
        await asyncio.sleep(1.0)
        assert len(got) == 6
        await a.close()
        await b.close()

    run(main)


def test_overflow_keeps_what_is_held() -> None:
    async def main() -> None:
        for reference, want in ((False, [0, 1, 2, 3, 4, 6]), (True, [0, 6])):
            with Peer() as peer:
                s = await RTPSession.create((HOST, 0), peer.addr, 0, as_reference=reference)
                got: list[int] = []
                s.on_audio = lambda data, ts, got=got: got.append(ts // 160)  # type: ignore[misc]
                for i in [*range(5), *range(6, 21)]:
                    peer.send(s, i, 160 * i)
                await until(lambda got=got, want=want: len(got) >= len(want))
                assert got[: len(want)] == want
                await s.close()

    run(main)


def test_concealment_of_two() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, skip_audio_gaps=True, jitter_prefetch=0)
            got: list[tuple[int, int]] = []
            s.on_audio = lambda data, ts: got.append((len(data), ts))
            for i in (0, 1, 4, 5):
                peer.send(s, i, 160 * i)
            await until(lambda: len(got) >= 4)
            assert got == [(320, 0), (320, 160), (640, 320), (320, 640)]
            assert s.stats["concealed_frames"] == 2
            await s.close()

    run(main)


def test_dtmf_on_the_wire_and_back() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0)
            pressed: list[tuple[str, int]] = []
            s.on_dtmf = lambda digit, duration: pressed.append((digit, duration))
            s.send_dtmf("5", timestamp=4711)
            packets = [aiortp.RtpPacket.parse(p) for p in await peer.all(peer.rtp)]
            events = [aiortp.DtmfEvent.parse(p.payload) for p in packets]
            assert [e.duration for e in events] == [160 * i for i in range(1, 8)] + [1280] * 3
            assert [e.end for e in events] == [False] * 7 + [True] * 3
            assert [p.marker for p in packets] == [0] * 7 + [1, 0, 0]
            assert {p.timestamp for p in packets} == {4711}
            assert [(p.sequence_number - packets[0].sequence_number) % 65536 for p in packets] == list(
                range(10)
            )
            for p in packets:
                peer.rtp.sendto(p.serialize(), s.local_addr)
            # Another digit behind them tells that the repeated ends were heard, and not told.
            for i in range(3):
                end = aiortp.DtmfEvent(event=6, end=True, volume=10, duration=800).serialize()
                peer.send(s, packets[-1].sequence_number + 1 + i, 9000, end, pt=101, ssrc=packets[0].ssrc)
            await until(lambda: len(pressed) == 2)
            assert pressed == [("5", 1280), ("6", 800)]
            with pytest.raises(ValueError, match="Invalid DTMF digit: x"):
                s.send_dtmf("x")
            await s.close()

    run(main)


def test_dtmf_counts_as_received() -> None:
    async def main() -> None:
        a, b = await pair(jitter_prefetch=0)
        for i in range(3):
            a.send_audio(ULAW, 160 * i)
        a.send_dtmf("1", timestamp=480)
        for i in range(3):
            a.send_audio(ULAW, 1760 + 160 * i)
        await until(lambda: b.stats.get("packets_received") == 16)
        assert b.stats["packets_lost"] == 0
        await a.close()
        await b.close()

    run(main)


def test_reports() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, rtcp_interval=0.05, cname="alice")
            infos: list[RtcpReceiverInfo] = []
            s.on_receiver_report = infos.append
            assert await peer.all(peer.rtcp, 0.15) == []  # nothing to tell yet
            peer.send(s, 1, 0, ssrc=0x1234)
            peer.send(s, 2, 160, ssrc=0x1234)
            rr, sdes = RtcpPacket.parse(await peer.recv(peer.rtcp))
            assert isinstance(rr, RtcpRrPacket) and isinstance(sdes, RtcpSdesPacket)
            assert rr.reports[0].ssrc == 0x1234 and rr.reports[0].lsr == 0 and rr.reports[0].dlsr == 0
            assert sdes.chunks[0].items == [(1, b"alice")]
            s.send_audio(ULAW, 99)
            ntp = 0x0123456789ABCDEF
            ours = s.stats["ssrc"]
            report = RtcpReceiverInfo(ours, 3, -5, 70000, 12, 0, 0)
            peer.control(s, RtcpSrPacket(0x1234, RtcpSenderInfo(ntp, 5, 1, 160), [report]))
            await until(lambda: infos)
            assert infos[0] == report
            stats = s.stats
            assert (stats["remote_fraction_lost"], stats["remote_packets_lost"], stats["remote_jitter"]) == (
                3,
                -5,
                12,
            )
            while True:
                first = RtcpPacket.parse(await peer.recv(peer.rtcp))[0]
                if isinstance(first, RtcpSrPacket) and first.reports[0].lsr:
                    break
            assert first.sender_info.rtp_timestamp == 99
            assert (first.sender_info.packet_count, first.sender_info.octet_count) == (1, 160)
            assert first.reports[0].lsr == ntp >> 16 & 0xFFFFFFFF
            assert 0 <= first.reports[0].dlsr < 5 * 65536
            assert first.reports[0].highest_sequence == 2
            await peer.all(peer.rtcp, 0.01)
            await s.close()
            last = (await peer.all(peer.rtcp))[-1]
            assert RtcpPacket.parse(last) == [RtcpByePacket([ours])]

    run(main)


@pytest.mark.parametrize("on", [True, False])
def test_nack_resends_the_same_bytes(on: bool) -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, nack_retransmit=on)
            for i in range(4):
                s.send_audio(bytes([i]) * 20, i)
            sent = await peer.all(peer.rtp)
            assert len(sent) == 4
            seq = struct.unpack("!H", sent[1][2:4])[0]
            peer.control(
                s, RtcpRtpfbPacket(1, 1, s.stats["ssrc"], [seq, (seq + 1) % 65536, (seq + 1000) % 65536])
            )
            assert await peer.all(peer.rtp) == (sent[1:3] if on else [])
            assert s.stats["packets_sent"] == 4
            await s.close()

    run(main)


def test_duplicates_go_behind_the_next_packet() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, duplicate_tx=True)
            for i in range(3):
                s.send_audio(ULAW, i)
            seqs = [struct.unpack("!H", p[2:4])[0] for p in await peer.all(peer.rtp)]
            assert [(q - seqs[0]) % 65536 for q in seqs] == [0, 1, 0, 2, 1]
            assert s.stats["packets_sent"] == 3
            await s.close()

    run(main)


def test_paced_and_drain() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, paced=True)
            begun = time.monotonic()
            for _ in range(10):
                assert s.send_audio_pcm_auto(bytes(320)) == 0
            assert s.stats["queue_depth"] >= 9
            await s.drain()
            assert 0.17 < time.monotonic() - begun < 1
            packets = [aiortp.RtpPacket.parse(p) for p in await peer.all(peer.rtp)]
            assert [(p.timestamp - packets[0].timestamp) % (1 << 32) for p in packets] == [
                160 * i for i in range(10)
            ]
            assert s.stats["paced_sent"] == 10
            await until(lambda: s.stats["empty_ticks"] >= 5)
            s.send_audio_pcm_auto(bytes(320))
            late = aiortp.RtpPacket.parse(await peer.recv(peer.rtp))
            assert (late.timestamp - packets[-1].timestamp) % 160 == 0 and late.marker == 1
            assert (late.timestamp - packets[-1].timestamp) % (1 << 32) >= 6 * 160
            with pytest.raises(RuntimeError, match="paced mode owns timestamps; use send_audio_auto"):
                s.send_audio(ULAW, 1)
            for _ in range(50):
                s.send_audio_pcm_auto(bytes(320))
            waiting = asyncio.ensure_future(s.drain())
            given_up = asyncio.ensure_future(s.drain())
            await asyncio.sleep(0)  # both wait now
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
            assert not waiting.done()
            await s.close()
            await asyncio.wait_for(waiting, 5)

    run(main)


def test_playout_clock() -> None:
    async def main() -> None:
        a, b = await pair(playout=True)
        got: list[tuple[int, float]] = []
        b.on_audio = lambda data, ts: got.append((ts, time.monotonic()))
        assert a.stats["playout_delay_ms"] == 0.0 and a.stats["playout_target_ms"] == 20.0
        for i in range(10):
            a.send_audio(ULAW, 160 * i)
        await until(lambda: len(got) >= 10)
        assert [ts for ts, _ in got[:10]] == [160 * i for i in range(10)]
        assert got[9][1] - got[0][1] > 0.12
        await until(lambda: b.stats["underrun_suspensions"] == 1)
        assert b.stats["concealed_frames"] == 6
        await a.close()
        await b.close()

    run(main)


def test_source_change_begins_anew() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, jitter_prefetch=0)
            for i in range(5):
                peer.send(s, i, 160 * i, ssrc=1)
            await until(lambda: s.stats.get("packets_received") == 5)
            peer.send(s, 900, 0, ssrc=2)
            await until(lambda: s.stats["packets_received"] == 1)
            assert s.faults["source_changes"] == 1
            await s.close()

    run(main)


def test_symmetric_latches_after_a_parse() -> None:
    async def main() -> None:
        with Peer() as peer, Peer() as other:
            s = await RTPSession.create((HOST, 0), other.addr, 0, symmetric_rtp=True)
            peer.rtp.sendto(b"\x00garbage garbage", s.local_addr)
            s.send_audio(ULAW, 1)
            assert len(await other.all(other.rtp)) == 1
            peer.send(s, 1, 0)
            await until(lambda: s.stats.get("packets_received"))
            s.send_audio(ULAW, 2)
            assert len(await peer.all(peer.rtp)) == 1 and await other.all(other.rtp, 0.02) == []
            assert s.faults["malformed"] == 1
            await s.close()
            assert len(await other.all(other.rtcp)) == 1  # RTCP latches by itself

    run(main)


def test_stun_is_answered() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0)
            request = bytes.fromhex("000100002112a442") + bytes(range(12))
            peer.rtp.sendto(request, s.local_addr)
            answer = await peer.recv(peer.rtp)
            assert answer[:2] == b"\x01\x01" and answer[4:20] == request[4:20]
            xport, xaddr = struct.unpack("!HI", answer[26:32])
            assert xport ^ 0x2112 == peer.addr[1]
            assert xaddr ^ 0x2112A442 == 0x7F000001
            peer.rtp.sendto(b"\x01\x01" + request[2:], s.local_addr)
            assert await peer.all(peer.rtp, 0.05) == []
            assert "packets_received" not in s.stats
            await s.close()

    run(main)


def test_muxed_rtcp_is_understood() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0)
            info = RtcpReceiverInfo(s.stats["ssrc"], 1, 2, 3, 4, 0, 0)
            peer.rtp.sendto(bytes(RtcpRrPacket(7, [info])), s.local_addr)
            await until(lambda: s.stats.get("remote_packets_lost") == 2)
            await s.close()

    run(main)


def test_a_callback_that_raises() -> None:
    async def main() -> None:
        a, b = await pair(jitter_prefetch=0)
        seen: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["exception"]))
        n = 0

        def fail(data: bytes, ts: int) -> None:
            nonlocal n
            n += 1
            raise RuntimeError("boom")

        b.on_audio = fail
        for i in range(4):
            a.send_audio(ULAW, 160 * i)
        await until(lambda: n == 3)
        assert [str(e) for e in seen] == ["boom"] * 3
        await a.close()
        await b.close()

    run(main)


def test_a_tick_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        a, b = await pair(playout=True)
        n = 0

        def fail(data: bytes, ts: int) -> None:
            nonlocal n
            n += 1
            raise RuntimeError("boom")

        b.on_audio = fail
        for i in range(6):
            a.send_audio(ULAW, 160 * i)
        await until(lambda: n >= 6)
        await a.close()
        await b.close()

    with caplog.at_level(logging.ERROR, logger="tstrans.aio"):
        run(main)
    assert "boom" in caplog.text


def test_after_close() -> None:
    async def main() -> None:
        a, b = await pair()
        a.send_audio(ULAW, 1)
        await a.close()
        await a.close()
        a.send_audio(ULAW, 2)
        assert a.send_audio_auto(ULAW) == 0
        a.send_dtmf("1")
        a.update_remote((HOST, 9))
        assert a.stats["packets_sent"] == 1
        await a.drain()
        port = a.local_addr
        assert port is not None
        c = await RTPSession.create(port, (HOST, 9), 0)  # the port is free again
        await c.close()
        await b.close()

    run(main)


def test_context_manager_and_errors() -> None:
    async def main() -> None:
        async with await RTPSession.create((HOST, 0), (HOST, 9), PayloadType.PCMA) as s:
            assert s.codec is not None and s.codec.name == "PCMA"
            assert s.local_addr
            with pytest.raises(OSError):
                await RTPSession.create(s.local_addr, (HOST, 9), 0)
        with pytest.raises(ValueError, match="No codec registered for payload type 77"):
            await RTPSession.create((HOST, 0), (HOST, 9), 77)
        with pytest.raises(RuntimeError, match="playout and paced modes require a codec"):
            RTPSession(0, playout=True)
        with pytest.raises(
            ValueError, match=r"Unsupported video codec 'x', must be one of \['h264', 'vp8', 'vp9'\]"
        ):
            VideoRTPSession(codec="x")
        plain = RTPSession(0)
        with pytest.raises(RuntimeError, match="No codec configured for PCM encoding"):
            plain.send_audio_pcm(bytes(320), 0)
        assert plain.send_audio_auto(ULAW) == 0
        plain.send_dtmf("1")
        await plain.close()

    run(main)


def test_ports_come_and_go() -> None:
    async def main() -> None:
        # Where the system gives ports from, so that there are free ones; others may take them, too.
        with Peer() as peer:
            base = min(peer.addr[1], 65000) // 2 * 2
        allocator = PortAllocator(port_range=(base + 1, base + 400))
        a = await RTPSession.create((HOST, 0), (HOST, 9), 0, port_allocator=allocator)
        assert a.local_addr and a.local_rtcp_addr
        assert a.local_addr[1] % 2 == 0 and a.local_rtcp_addr[1] == a.local_addr[1] + 1
        port = a.local_addr[1]
        await a.close()
        b = await RTPSession.create((HOST, 0), (HOST, 9), 0, port_allocator=allocator)
        assert b.local_addr and b.local_addr[1] <= port
        await b.close()
        with pytest.raises(RuntimeError, match="No available port pair in range"):
            await PortAllocator(port_range=(base, base)).allocate()

    run(main)


def test_a_codec_of_the_user() -> None:
    class Upside(aiortp.Codec):
        name = "UPSIDE"  # type: ignore[assignment]
        sample_rate = 8000  # type: ignore[assignment]
        samples_per_frame = 160  # type: ignore[assignment]

        def encode(self, pcm: bytes) -> bytes:
            return pcm[::-1]

        def decode(self, payload: bytes) -> bytes:
            return payload[::-1]

    async def main() -> None:
        aiortp.register_codec(120, Upside)
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 120, skip_audio_gaps=True, jitter_prefetch=0)
            got: list[tuple[bytes, int]] = []
            s.on_audio = lambda data, ts: got.append((data, ts))
            pcm = bytes(range(160)) * 2
            s.send_audio_pcm(pcm, 1)
            assert (await peer.recv(peer.rtp))[12:] == pcm[::-1]
            for i in (0, 1, 3, 4):
                peer.send(s, i, 160 * i, pcm[::-1], pt=120)
            await until(lambda: len(got) == 4)
            assert [ts for _, ts in got] == [0, 160, 320, 480]
            assert got[0][0] == got[3][0] == pcm and len(got[2][0]) == 320 and got[2][0] != pcm
            assert s.stats["concealed_frames"] == 1
            await s.close()

    run(main)


@pytest.mark.parametrize(
    ("pt", "samples", "rate"),
    [(0, 160, 8000), (8, 160, 8000), (9, 320, 16000), (11, 160, 8000), (111, 960, 48000)],
)
def test_every_codec_through_a_pair(pt: int, samples: int, rate: int) -> None:
    import math

    async def main() -> None:
        a, b = await pair(payload_type=pt, jitter_prefetch=0, clock_rate=rate)
        got: list[bytes] = []
        b.on_audio = lambda data, ts: got.append(data)
        wave = struct.pack(
            f"<{samples * 20}h",
            *(int(9000 * math.sin(2 * math.pi * 400 * i / rate)) for i in range(samples * 20)),
        )
        first = a.send_audio_pcm_auto(wave[: 2 * samples])
        second = a.send_audio_pcm_auto(wave[2 * samples : 4 * samples])
        assert (second - first) % (1 << 32) == samples
        for i in range(2, 20):
            a.send_audio_pcm_auto(wave[2 * samples * i : 2 * samples * (i + 1)])
        await until(lambda: len(got) >= 19)
        assert {len(g) for g in got} == {2 * samples}
        assert abs(aiortp.measure_level(b"".join(got[5:])) - aiortp.measure_level(wave)) <= 2
        await a.close()
        await b.close()

    run(main)


def test_comfort_noise_both_ways() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await RTPSession.create((HOST, 0), peer.addr, 0, paced=True, cn=True)
            levels: list[int] = []
            s.on_cn = levels.append
            for _ in range(3):
                s.send_audio_pcm_auto(b"\x01\x00" * 160)
            types = []
            while 13 not in types:
                types.append((await peer.recv(peer.rtp))[1] & 127)
            assert types == [0, 0, 0, 13]
            peer.send(s, 1, 0, b"\x40", pt=13)
            await until(lambda: levels == [64])
            assert s.stats["cn_sent"] >= 1
            await s.close()

    run(main)


def test_video_gap_nack_pli_and_gate() -> None:
    async def main() -> None:
        for reference in (False, True):
            with Peer() as peer:
                s = await VideoRTPSession.create((HOST, 0), peer.addr, as_reference=reference)
                got: list[tuple[bytes, int, bool]] = []
                s.on_frame = lambda data, ts, key, got=got: got.append((data, ts, key))  # type: ignore[misc]
                peer.send(s, 0, 0, b"\x67a", 96)
                peer.send(s, 1, 0, b"\x65a", 96, 1)
                peer.send(s, 2, 3000, b"\x41b", 96, 1)
                peer.send(s, 4, 6000, b"\x41c", 96, 1)
                peer.send(s, 5, 9000, b"\x41d", 96, 1)
                (nack,) = RtcpPacket.parse(await peer.recv(peer.rtcp))
                assert isinstance(nack, RtcpRtpfbPacket) and nack.lost == [3] and nack.media_ssrc == 9
                (pli,) = RtcpPacket.parse(await peer.recv(peer.rtcp))
                assert isinstance(pli, RtcpPsfbPacket) and pli.fmt == 1 and pli.media_ssrc == 9
                peer.send(s, 6, 12000, b"\x41e", 96, 1)
                peer.send(s, 7, 15000, b"\x65f", 96, 1)
                await until(lambda got=got: got and got[-1][1] == 15000)
                assert [g[1:] for g in got] == [(0, True), (0, True), (3000, False), (15000, True)]
                await s.close()

    run(main)


def test_video_retransmission_mends() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await VideoRTPSession.create((HOST, 0), peer.addr)
            got: list[int] = []
            s.on_frame = lambda data, ts, key: got.append(ts)
            peer.send(s, 0, 0, b"\x65a", 96, 1)
            peer.send(s, 2, 3000, b"\x41c", 96, 1)
            await peer.recv(peer.rtcp)  # the NACK
            peer.send(s, 1, 3000, b"\x41b", 96, 0)
            await until(lambda: len(got) == 3)
            assert got == [0, 3000, 3000]
            await s.close()

    run(main)


@pytest.mark.parametrize("codec", ["h264", "vp8", "vp9"])
def test_video_through_a_pair(codec: str) -> None:
    async def main() -> None:
        a = await VideoRTPSession.create((HOST, 0), (HOST, 9), codec=codec, fps=25)
        assert a.local_addr
        b = await VideoRTPSession.create((HOST, 0), a.local_addr, codec=codec)
        assert b.local_addr
        a.update_remote(b.local_addr)
        got: list[tuple[bytes, int, bool]] = []
        b.on_frame = lambda data, ts, key: got.append((data, ts, key))
        key = (b"\x65" if codec == "h264" else b"\x10") + bytes(range(256)) * 20
        inter = (b"\x41" if codec == "h264" else b"\x11") + bytes(3000)
        first = a.send_frame_auto([key], keyframe=True)
        second = a.send_frame_auto([inter])
        assert (second - first) % (1 << 32) == 3600
        await until(lambda: len(got) == 2)
        assert got == [(key, first, True), (inter, second, False)]
        await a.close()
        await b.close()

    run(main)


def test_keyframe_request_reaches_the_sender() -> None:
    async def main() -> None:
        with Peer() as peer:
            s = await VideoRTPSession.create((HOST, 0), peer.addr)
            asked: list[int] = []
            s.on_keyframe_needed = lambda: asked.append(1)
            peer.control(s, RtcpPsfbPacket(1, 9, s.stats["ssrc"]))
            peer.control(s, RtcpPsfbPacket(4, 9, 0, bytes(8)))
            await until(lambda: len(asked) == 2)
            await s.close()

    run(main)


def is_malformed(datagram: bytes) -> bool:
    try:
        (RtcpPacket if aiortp.is_rtcp(datagram) else aiortp.RtpPacket).parse(datagram)
    except ValueError:
        return True
    return False


async def flood(s: Any, peer: Peer, datagrams: list[bytes]) -> None:
    """Send datagrams no faster than the session takes them: a report behind every few tells that it did."""
    told = asyncio.Event()
    s.on_receiver_report = lambda _: told.set()
    fence = bytes(RtcpRrPacket(1, [RtcpReceiverInfo(s.stats["ssrc"], 0, 0, 0, 0, 0, 0)]))
    room = 0
    for i, datagram in enumerate(datagrams):
        peer.rtp.sendto(datagram, s.local_addr)
        room += len(datagram) + 1000  # what the kernel counts for it, about
        if room > 60_000 or i == len(datagrams) - 1:
            told.clear()
            peer.rtp.sendto(fence, s.local_addr)
            await asyncio.wait_for(told.wait(), 20)
            room = 0


@pytest.mark.parametrize("video", [False, True])
def test_floods_are_counted(video: bool) -> None:
    rng = random.Random(4)

    def spoofed(ssrc: int) -> bytes:
        return struct.pack("!BBHII", 0x80, 96 if video else 0, rng.getrandbits(16), 7, ssrc) + ULAW

    garbage = [rng.randbytes(rng.randint(1, 1400)) for _ in range(600)]
    # The top bits of a STUN request would have them answered rather than parsed.
    garbage = [b for b in garbage if b[4:8] != b"\x21\x12\xa4\x42"]
    large = [spoofed(1) + bytes(60_000), bytes([0x80]) + bytes(65_000), bytes(65_507)]
    sources = [spoofed(rng.getrandbits(32)) for _ in range(600)]

    async def main() -> None:
        with Peer() as peer:
            s: Any
            if video:
                s = await VideoRTPSession.create((HOST, 0), peer.addr)
                s.on_frame = lambda data, ts, key: None
            else:
                s = await RTPSession.create((HOST, 0), peer.addr, 0, jitter_prefetch=0)
                s.on_audio = lambda data, ts: None
            await flood(s, peer, garbage)
            assert s.faults["malformed"] == sum(map(is_malformed, garbage)) > 400
            await flood(s, peer, large)
            assert s.faults["malformed"] == sum(map(is_malformed, garbage + large))
            before, held = s.faults["source_changes"], resident()
            for _ in range(3):
                await flood(s, peer, sources + large)
            changed = s.faults["source_changes"] - before
            assert changed >= 3 * (len(sources) - 1), changed
            assert resident() - held < 16_000_000
            # It still works.
            got: list[int] = []
            s.on_frame = s.on_audio = lambda data, ts, *_: got.append(ts)
            unit = b"\x65" + bytes(50)
            for i in range(10):
                peer.send(s, 100 + i, 160 * i, unit, 96 if video else 0, 1, ssrc=5)
            await until(lambda: len(got) >= 9)
            assert s.faults["records_dropped"] == 0
            await s.close()

    run(main)


def resident() -> int:
    """Bytes of memory that this process has."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def test_cancelled_within() -> None:
    async def main() -> None:
        sessions: list[RTPSession] = []

        async def talk() -> None:
            async with await RTPSession.create((HOST, 0), (HOST, 9), 0) as s:
                sessions.append(s)
                await asyncio.sleep(60)

        task = asyncio.ensure_future(talk())
        await until(lambda: sessions)
        address = sessions[0].local_addr
        assert address
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        again = await RTPSession.create(address, (HOST, 9), 0)  # its port is free
        await again.close()

    run(main)


def test_two_loops_one_after_the_other_and_a_loop_left_behind() -> None:
    async def leave() -> None:
        s = await RTPSession.create((HOST, 0), (HOST, 9), 0)
        s.send_audio(ULAW, 1)

    asyncio.run(leave())
    test_prefetch_then_tail()
