"""Forks, floods and memory of processes with live sessions."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import tstrans.aio as aiortp
from tstrans import TstError

HOST = "127.0.0.1"
ULAW = b"\xff" * 160


async def until(condition: Callable[[], Any], timeout: float = 30.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.005)


async def exchange(frames: int = 20) -> None:
    """Two sessions of this process talk."""
    b = await aiortp.RTPSession.create((HOST, 0), (HOST, 9), 0, jitter_prefetch=0)
    assert b.local_addr
    a = await aiortp.RTPSession.create((HOST, 0), b.local_addr, 0)
    got: list[int] = []
    b.on_audio = lambda data, ts: got.append(ts)
    for i in range(frames):
        a.send_audio_pcm(bytes(320), 160 * i)
    await until(lambda: len(got) >= frames - 1)
    await a.close()
    await b.close()


def test_fork_with_live_sessions() -> None:
    """The child can neither hang nor send what is the parent's, and has sessions of its own."""
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.setblocking(False)

        def child(session: aiortp.RTPSession) -> None:
            for call in (
                lambda: session.send_audio(ULAW, 1),
                lambda: session.send_audio_pcm(bytes(320), 1),
                lambda: session.send_audio_pcm_auto(bytes(320)),
                lambda: session.send_dtmf("1"),
                lambda: session.update_remote((HOST, 9)),
            ):
                with pytest.raises(TstError, match="fork"):
                    call()
            asyncio.set_event_loop(None)
            asyncio._set_running_loop(None)
            asyncio.run(asyncio.wait_for(exchange(), 20))

        async def main() -> None:
            loop = asyncio.get_running_loop()
            s = await aiortp.RTPSession.create((HOST, 0), peer.getsockname(), 0)
            heard: list[int] = []
            s.on_audio = lambda data, ts: heard.append(ts)
            s.send_audio_pcm(bytes(320), 0)
            assert await asyncio.wait_for(loop.sock_recv(peer, 2048), 10)
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    signal.alarm(30)
                    child(s)
                    code = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(code)
            _, status = await loop.run_in_executor(None, os.waitpid, pid, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            for i in range(1, 6):
                s.send_audio_pcm(bytes(320), 160 * i)
            stamps = [
                aiortp.RtpPacket.parse(await asyncio.wait_for(loop.sock_recv(peer, 2048), 10)).timestamp
                for _ in range(5)
            ]
            assert stamps == [160 * i for i in range(1, 6)] and s.stats["packets_sent"] == 6
            with pytest.raises(BlockingIOError):
                peer.recv(1)
            # What comes in still wakes the parent's loop.
            for i in range(8):
                packet = aiortp.RtpPacket(sequence_number=i, timestamp=160 * i, payload=ULAW)
                peer.sendto(packet.serialize(), s.local_addr)
            await until(lambda: heard)
            await s.close()

        asyncio.run(asyncio.wait_for(main(), 60))


def rss() -> int:
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_floods_leave_others_alone() -> None:
    """Garbage, sources made up, datagrams as large as can be: counted, bounded; another call goes on."""

    async def main() -> None:
        r = random.Random(5)
        s = await aiortp.RTPSession.create((HOST, 0), (HOST, 9), 0, jitter_capacity=1024)
        other = await aiortp.RTPSession.create((HOST, 0), (HOST, 9), 0, jitter_prefetch=0)
        video = await aiortp.VideoRTPSession.create((HOST, 0), (HOST, 9), codec="vp8")
        assert s.local_addr and other.local_addr and video.local_addr
        heard: list[int] = []
        other.on_audio = lambda data, ts: heard.append(ts)
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            before = rss()
            for i in range(1500):
                peer.sendto(r.randbytes(r.randrange(1, 100)), s.local_addr)
                spoofed = aiortp.RtpPacket(
                    sequence_number=r.randrange(1 << 16),
                    ssrc=r.randrange(1 << 32),
                    payload=bytes(r.randrange(400)),
                )
                peer.sendto(spoofed.serialize(), s.local_addr)
                if i % 10 == 0:
                    large = aiortp.RtpPacket(sequence_number=i, timestamp=i, ssrc=1, payload=bytes(65000))
                    peer.sendto(large.serialize(), s.local_addr)
                    # A frame that never ends.
                    begin = b"\x10" if i == 0 else b"\x00"
                    endless = aiortp.RtpPacket(
                        payload_type=96,
                        sequence_number=i // 10,
                        timestamp=7,
                        ssrc=1,
                        payload=begin + bytes(60000),
                    )
                    peer.sendto(endless.serialize(), video.local_addr)
                    call = aiortp.RtpPacket(sequence_number=i // 10, timestamp=16 * i, ssrc=3, payload=ULAW)
                    peer.sendto(call.serialize(), other.local_addr)
                    await asyncio.sleep(0.002)
            await until(lambda: len(heard) >= 140)
            # What a full socket buffer dropped was never seen: nearly all was.
            assert s.faults["malformed"] > 300 and s.faults["source_changes"] > 300
            assert rss() - before < 200 << 20
        for x in (s, other, video):
            await x.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_memory_of_a_session() -> None:
    """Sessions cost tens of kilobytes each, and give them back."""

    async def main() -> None:
        async def some(n: int) -> list[aiortp.RTPSession]:
            return [await aiortp.RTPSession.create((HOST, 0), (HOST, 9), 0) for _ in range(n)]

        for s in await some(50):  # what is there once
            await s.close()
        gc.collect()
        before = rss()
        sessions = await some(200)
        each = (rss() - before) / 200
        print(f"{each / 1024:.1f} KiB a session")
        assert each < 100 << 10
        for s in sessions:
            await s.close()

        async def rounds(n: int) -> None:
            for _ in range(n):
                for s in await some(200):
                    await s.close()
            gc.collect()

        await rounds(4)  # the heap has its size then
        after = rss()
        await rounds(6)
        assert rss() - after < 1200 * 8 << 10

    asyncio.run(asyncio.wait_for(main(), 60))
