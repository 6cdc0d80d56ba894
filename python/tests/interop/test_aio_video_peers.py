"""Video sessions of tstrans.aio with aiortp as the peer, which sends, receives, and asks for key frames."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import tstrans.aio as aiortp
from test_aio_peers import AIORTP, HOST, free_pair, needs_aiortp, until

# What the other process runs: it sends back each unit that it hears, and does as it is told on its input.
ECHO = """
import asyncio, hashlib, json, sys
import aiortp
async def main():
    mine, theirs, codec = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    s = await aiortp.VideoRTPSession.create(("127.0.0.1", mine), ("127.0.0.1", theirs), codec=codec,
                                            rtcp_interval=0.2)
    digest, out = hashlib.sha256(), {"units": 0, "keys": 0, "asked": 0, "reports": 0}
    def on_frame(data, ts, key):
        out["units"] += 1
        out["keys"] += key
        digest.update(data + ts.to_bytes(4, "big"))
        s.send_frame([data], ts, keyframe=key)
    def on_keyframe_needed():
        out["asked"] += 1
        print("asked", flush=True)
    def on_report(info):
        out["reports"] += 1
    s.on_frame, s.on_keyframe_needed, s.on_receiver_report = on_frame, on_keyframe_needed, on_report
    print("ready", flush=True)
    read = asyncio.get_running_loop().run_in_executor
    while (line := await read(None, sys.stdin.readline)).strip() != "end":
        if line.strip() == "ask":
            s.request_keyframe()
        elif line.startswith("send"):
            _, ts, size, key = line.split()
            unit = bytes([0x65 if int(key) else 0x41]) + bytes(int(size))
            s.send_frame([unit], int(ts), keyframe=bool(int(key)))
        elif not line:
            return
    out["digest"] = digest.hexdigest()
    out["stats"] = s.stats
    await s.close()
    print(json.dumps(out), flush=True)
asyncio.run(asyncio.wait_for(main(), 50))
"""


class Echo:
    """The other process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    async def line(self) -> str:
        assert self._process.stdout
        read = self._process.stdout.readline
        return (await asyncio.get_running_loop().run_in_executor(None, read)).strip()

    def tell(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()


@contextlib.asynccontextmanager
async def peer(mine: int, theirs: int, codec: str) -> AsyncIterator[Echo]:
    with subprocess.Popen(
        [AIORTP, "-c", ECHO, str(theirs), str(mine), codec],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    ) as process:
        try:
            echo = Echo(process)
            assert await echo.line() == "ready"
            yield echo
        finally:
            process.kill()


def picture(codec: str, key: bool, r: random.Random) -> list[bytes]:
    """The NAL units, or the frame, of one picture."""
    body = r.randbytes(r.choice((20, 1400, 9000, 20_000)))
    if codec == "h264":
        return [*([b"\x67abc", b"\x68de"] if key else []), (b"\x65" if key else b"\x41") + body]
    if codec == "vp8":
        return [(b"\x10" if key else b"\x11") + body]
    return [(b"\x82\x49\x83\x42" if key else b"\x86") + body]


@needs_aiortp
@pytest.mark.parametrize("codec", ["h264", "vp8", "vp9"])
def test_pictures_there_and_back(codec: str) -> None:
    async def main() -> None:
        mine, theirs = free_pair(), free_pair()
        async with peer(mine, theirs, codec) as echo:
            s = await aiortp.VideoRTPSession.create(
                (HOST, mine), (HOST, theirs), codec=codec, rtcp_interval=0.2
            )
            back: list[tuple[bytes, int, bool]] = []
            asked: list[int] = []
            reports: list[Any] = []
            s.on_frame = lambda data, ts, key: back.append((data, ts, key))
            s.on_keyframe_needed = lambda: asked.append(1)
            s.on_receiver_report = reports.append
            r = random.Random(codec)
            sent: list[tuple[bytes, int, bool]] = []
            for i in range(40):
                key = i % 10 == 0
                units = picture(codec, key, r)
                ts = s.send_frame_auto(units, keyframe=key)
                sent.extend((u, ts, key) for u in units)
                # The next one once this one is back, so that no queue on the way runs over.
                await until(lambda sent=sent: len(back) == len(sent))
            assert back == sent
            s.request_keyframe()
            assert await echo.line() == "asked"
            echo.tell("ask")
            await until(lambda: asked)
            await until(lambda: len(reports) >= 2)
            echo.tell("end")
            out = json.loads(await echo.line())
            assert out["units"] == len(sent) and out["keys"] == sum(k for _, _, k in sent)
            assert out["asked"] == 1 and out["reports"] > 0
            assert out["digest"] == digest(sent)
            assert out["stats"]["packets_lost"] == s.stats["packets_lost"] == 0
            assert out["stats"]["packets_received"] == s.stats["packets_sent"]
            assert out["stats"]["packets_sent"] == s.stats["packets_received"]
            await s.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def digest(sent: list[tuple[bytes, int, bool]]) -> str:
    return hashlib.sha256(b"".join(data + ts.to_bytes(4, "big") for data, ts, _ in sent)).hexdigest()


class Relay(asyncio.DatagramProtocol):
    """Passes datagrams on to where they go, but for those that `drops` picks."""

    def __init__(self, to: tuple[str, int], drops: Callable[[bytes], bool]) -> None:
        self._to, self._drops = to, drops
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._drops(data):
            self.dropped += 1
        else:
            self._transport.sendto(data, self._to)


@needs_aiortp
def test_aiortp_sends_again_what_was_lost() -> None:
    """aiortp answers our NACKs, and the picture that lacked packets is delivered whole."""

    async def main() -> None:
        mine, theirs = free_pair(), free_pair()
        between = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        between.bind((HOST, 0))
        seen: set[int] = set()

        def drops(data: bytes) -> bool:
            # Each fifth packet is lost when it comes first; RTCP goes another way.
            seq = int.from_bytes(data[2:4], "big")
            again = seq in seen
            seen.add(seq)
            return not again and len(seen) % 5 == 3

        loop = asyncio.get_running_loop()
        transport, relay = await loop.create_datagram_endpoint(
            lambda: Relay((HOST, mine), drops), sock=between
        )
        async with peer(between.getsockname()[1], theirs, "h264") as echo:
            s = await aiortp.VideoRTPSession.create((HOST, mine), (HOST, theirs), rtcp_interval=60)
            got: list[tuple[bytes, int, bool]] = []
            s.on_frame = lambda data, ts, key: got.append((data, ts, key))
            # What is asked for must be back within 100 ms, which a busy machine may not manage: then
            # the rest of the group is lost, rightly, and the next one is tried.
            for group in range(10):
                base = 100 * group
                want = [
                    ((b"\x65" if i == 0 else b"\x41") + bytes(9000 + i), 3000 * (base + i), i == 0)
                    for i in range(20)
                ]
                for data, ts, key in want:
                    echo.tell(f"send {ts} {len(data) - 1} {int(key)}")
                # The last packet of all may be lost, which nothing behind it tells.
                with contextlib.suppress(AssertionError):
                    await until(lambda want=want: [x for x in got if x in want][:19] == want[:19], 2)
                    break
            else:
                raise AssertionError(f"{len(got)} pictures of 10 groups")
            assert relay.dropped >= 20
            await s.close()
        transport.close()

    asyncio.run(asyncio.wait_for(main(), 60))
