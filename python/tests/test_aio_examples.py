"""The examples of aiortp's page, word for word but for the import; their ports are mapped to free ones."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import textwrap
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tstrans.aio

HOST = "127.0.0.1"

QUICK_START_AUDIO = """
import asyncio
from aiortp import RTPSession, PayloadType
async def main():
    session_a = await RTPSession.create(
        local_addr=("127.0.0.1", 10000),
        remote_addr=("127.0.0.1", 10002),
        payload_type=PayloadType.PCMU,
    )
    session_b = await RTPSession.create(
        local_addr=("127.0.0.1", 10002),
        remote_addr=("127.0.0.1", 10000),
        payload_type=PayloadType.PCMU,
    )
    def on_audio(data: bytes, timestamp: int) -> None:
        print(f"Received {len(data)} bytes, ts={timestamp}")
    session_b.on_audio = on_audio
    # Send with auto-incrementing timestamps (160 samples/frame for PCMU)
    pcm = b"\\x00" * 320 # 160 samples of silence (20ms at 8kHz)
    for i in range(10):
        session_a.send_audio_pcm_auto(pcm)
    await asyncio.sleep(1)
    await session_a.close()
    await session_b.close()
asyncio.run(main())
"""

QUICK_START_VIDEO = """
import asyncio
from aiortp import VideoRTPSession
async def main():
    sender = await VideoRTPSession.create(
        local_addr=("127.0.0.1", 20000),
        remote_addr=("127.0.0.1", 20002),
        codec="h264", # also "vp8" or "vp9"
        fps=30,
    )
    receiver = await VideoRTPSession.create(
        local_addr=("127.0.0.1", 20002),
        remote_addr=("127.0.0.1", 20000),
        codec="h264",
    )
    def on_frame(data: bytes, timestamp: int, is_keyframe: bool) -> None:
        print(f"Frame: {len(data)} bytes, keyframe={is_keyframe}")
    receiver.on_frame = on_frame
    # Send H.264 NAL units with auto-incrementing timestamps
    sps = bytes([0x67, 0x42, 0x00, 0x1E])
    pps = bytes([0x68, 0xCE, 0x38, 0x80])
    idr = bytes([0x65]) + b"\\x00" * 100
    sender.send_frame_auto([sps, pps, idr], keyframe=True)
    await asyncio.sleep(1)
    await sender.close()
    await receiver.close()
asyncio.run(main())
"""

DTMF_SEND = """
session.send_dtmf("1", duration_ms=160, timestamp=0)
"""

DTMF_RECEIVE = """
def on_dtmf(digit: str, duration: int) -> None:
    print(f"Got DTMF: {digit}")
session.on_dtmf = on_dtmf
"""

CONCEALMENT = """
session = await RTPSession.create(
    local_addr=("0.0.0.0", 10000),
    remote_addr=("10.0.0.1", 10000),
    payload_type=PayloadType.PCMU,
    skip_audio_gaps=True, # required: loss is confirmed by the jitter buffer
    plc=True, # default — set False to skip lost audio silently
)
print(session.stats["concealed_frames"]) # packets replaced by concealment
"""

PLAYOUT_AND_PACING = """
session = await RTPSession.create(
    local_addr=("0.0.0.0", 10000),
    remote_addr=("10.0.0.1", 10000),
    payload_type=PayloadType.PCMU,
    playout=True, # clocked receive: on_audio every 20 ms
    paced=True, # clocked send: one frame per 20 ms
)
session.on_audio = lambda pcm, ts: sink.write(pcm)
for frame in pcm_frames: # any rate — even all at once
    session.send_audio_pcm_auto(frame)
await session.drain() # wait until everything is on the wire
print(session.stats["playout_delay_ms"], session.stats["playout_target_ms"])
"""

FEEDBACK = """
# Request a keyframe from the remote sender
receiver.request_keyframe()
# Get notified when the remote side requests a keyframe
def on_keyframe_needed() -> None:
    print("Remote requested a keyframe")
sender.on_keyframe_needed = on_keyframe_needed
"""

PORTS = """
from aiortp import PortAllocator, RTPSession
allocator = PortAllocator(port_range=(10000, 20000))
# Session will use an even/odd port pair from the allocator
session = await RTPSession.create(
    local_addr=("0.0.0.0", 0),
    remote_addr=("10.0.0.1", 10000),
    payload_type=0,
    port_allocator=allocator,
)
# Ports are released automatically on close
"""

REGISTRY = """
from aiortp import get_codec, PayloadType
codec = get_codec(PayloadType.PCMU) # or PCMA, L16, G722
encoded = codec.encode(pcm_bytes)
decoded = codec.decode(encoded)
"""

PACKETS = """
from aiortp import RtpPacket, RtcpPacket, is_rtcp
# Parse
packet = RtpPacket.parse(data)
print(packet.sequence_number, packet.timestamp, packet.payload_type)
# Build
packet = RtpPacket(
    payload_type=0,
    sequence_number=1000,
    timestamp=8000,
    ssrc=0xDEADBEEF,
    payload=b"\\x80" * 160,
)
data = packet.serialize()
# Demux RTP vs RTCP
if is_rtcp(data):
    rtcp_packets = RtcpPacket.parse(data)
"""

DEPACKETIZERS = """
from aiortp import H264Depacketizer, VP8Depacketizer, VP9Depacketizer
# H.264: feed RTP payloads, get NAL units
depkt = H264Depacketizer()
nals = depkt.feed(rtp_payload, marker=is_last_packet)
# VP8/VP9: feed RTP payloads, get (frame_data, is_keyframe) tuples
depkt = VP8Depacketizer()
frames = depkt.feed(rtp_payload, marker=is_last_packet)
"""


def run(example: str, **names: Any) -> dict[str, Any]:
    """The names that an example leaves behind."""
    exec(re.sub(r"\bfrom aiortp import", "from tstrans.aio import", example), names)
    return names


async def arun(example: str, **names: Any) -> dict[str, Any]:
    """The same for one that awaits at its outermost level."""
    body = textwrap.indent(example.strip(), "    ")
    found = run(f"async def example():\n{body}\n    return dict(locals())\n", **names)
    left: dict[str, Any] = await found["example"]()
    return left


def free_pair() -> int:
    for _ in range(100):
        with socket.socket(type=socket.SOCK_DGRAM) as a, socket.socket(type=socket.SOCK_DGRAM) as b:
            a.bind((HOST, 0))
            port = int(a.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                b.bind((HOST, port + 1))
                return port
    raise OSError("no two ports in a row")


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], tuple[str, int]]:
    """Sessions are made on loopback, each address of an example on a port of its own."""
    taken: dict[tuple[str, int], tuple[str, int]] = {}

    def place(host: str, port: int) -> tuple[str, int]:
        return taken.setdefault((host, port), (HOST, free_pair() if port else 0))

    for cls in (tstrans.aio.RTPSession, tstrans.aio.VideoRTPSession):
        original = cls.create

        async def create(
            local_addr: Any, remote_addr: Any, *args: Any, original: Any = original, **kw: Any
        ) -> Any:
            return await original(place(*local_addr), place(*remote_addr), *args, **kw)

        monkeypatch.setattr(cls, "create", create)
    return place


def test_quick_start_audio(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(QUICK_START_AUDIO)
    # aiortp keeps the last four, which wait for others: here they come once the sender has gone quiet.
    lines = capsys.readouterr().out.splitlines()
    stamps = [int(re.fullmatch(r"Received 320 bytes, ts=(\d+)", x)[1]) for x in lines]  # type: ignore[index]
    assert [(t - stamps[0]) % (1 << 32) for t in stamps] == [160 * i for i in range(10)]


def test_quick_start_video(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(QUICK_START_VIDEO)
    assert capsys.readouterr().out.splitlines() == [f"Frame: {n} bytes, keyframe=True" for n in (4, 4, 101)]


async def until(condition: Callable[[], Any], timeout: float = 30.0) -> None:
    end = asyncio.get_running_loop().time() + timeout
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it did not happen in time"
        await asyncio.sleep(0.005)


async def sessions(cls: Any, **kw: Any) -> tuple[Any, Any]:
    a, b = ("10.0.0.2", 10000), ("10.0.0.1", 10000)
    return await cls.create(a, b, **kw), await cls.create(b, a, **kw)


def test_dtmf(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        mine, other = await sessions(tstrans.aio.RTPSession, payload_type=0)
        run(DTMF_RECEIVE, session=other)
        run(DTMF_SEND, session=mine)
        heard: list[str] = []
        await until(lambda: heard.append(capsys.readouterr().out) or "Got DTMF: 1\n" in "".join(heard))
        await mine.close()
        await other.close()
        assert "".join(heard) + capsys.readouterr().out == "Got DTMF: 1\n"

    asyncio.run(main())


def test_concealment(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        left = await arun(CONCEALMENT, **vars(tstrans.aio))
        await left["session"].close()

    asyncio.run(main())
    assert capsys.readouterr().out == "0\n"


def test_playout_and_pacing(places: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The sender of the example against one that plays what it hears into a file, as aiortp's own do."""

    codec = tstrans.aio.get_codec(0)
    frames = [bytes([0, 4 * i + 4]) * 160 for i in range(15)]
    sent = [codec.decode(codec.encode(x)) for x in frames]

    async def main() -> None:
        other = await tstrans.aio.RTPSession.create(
            ("10.0.0.1", 10000), ("0.0.0.0", 10000), 0, playout=True, paced=True
        )
        with wave.open(str(tmp_path / "heard.wav"), "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(8000)
            pieces: list[bytes] = []

            def on_audio(pcm: bytes, ts: int) -> None:
                w.writeframes(pcm)
                pieces.append(pcm)

            def accounted() -> bool:
                """Each was heard, or on a busy machine too late, or left out; the last waits for another."""
                s = other.stats
                # After a pause of the machine one alone does not begin to play, either.
                held = round(s["playout_delay_ms"] / 20)
                played = sum(x in sent for x in pieces)
                return held <= 1 and played + s["late_dropped"] + s["accelerations"] + held == 14

            other.on_audio = on_audio
            with (tmp_path / "sink").open("wb") as sink:
                left = await arun(PLAYOUT_AND_PACING, **vars(tstrans.aio), sink=sink, pcm_frames=frames)
                assert left["session"].stats["paced_sent"] == 15
                await until(accounted)
                await left["session"].close()
                await other.close()

    asyncio.run(main())
    assert re.fullmatch(r"\d+\.\d+ \d+\.\d+\n", capsys.readouterr().out)
    with wave.open(str(tmp_path / "heard.wav")) as w:
        heard = [w.readframes(160) for _ in range(w.getnframes() // 160)]
    # Concealment may come between them.
    order = [sent.index(x) for x in heard if x in sent]
    assert order and order == sorted(set(order))


def test_feedback(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        sender, receiver = await sessions(tstrans.aio.VideoRTPSession)
        got: list[bytes] = []
        receiver.on_frame = lambda data, ts, key: got.append(data)
        sender.send_frame_auto([b"\x65abc"], keyframe=True)
        await until(lambda: got)  # a request needs a source to ask
        run(FEEDBACK, sender=sender, receiver=receiver)
        heard: list[str] = []
        await until(lambda: heard.append(capsys.readouterr().out) or "Remote requested" in "".join(heard))
        await sender.close()
        await receiver.close()

    asyncio.run(main())


def test_ports(places: Any) -> None:
    async def main() -> None:
        left = await arun(PORTS)
        session, allocator = left["session"], left["allocator"]
        (media, control) = session.local_addr[1], session.local_rtcp_addr[1]
        assert media % 2 == 0 and control == media + 1 and 10000 <= media < 20000
        taken = await allocator.allocate()
        assert taken[0] != media
        await session.close()
        # The pair is free again: the lowest one that can be bound, as at first.
        assert (await allocator.allocate())[0] <= max(media, taken[0] + 2)

    asyncio.run(main())


def test_registry() -> None:
    pcm = bytes(range(0, 240, 2)) * 2
    left = run(REGISTRY, pcm_bytes=pcm)
    assert len(left["encoded"]) == len(pcm) // 2 and len(left["decoded"]) == len(pcm)


def test_packets(capsys: pytest.CaptureFixture[str]) -> None:
    given = bytes.fromhex("800003e800001f40deadbeef") + b"\x80" * 160
    left = run(PACKETS, data=given)
    assert capsys.readouterr().out == "1000 8000 0\n"
    assert left["data"] == given and "rtcp_packets" not in left
    bye = bytes.fromhex("81cb0001deadbeef")
    assert tstrans.aio.is_rtcp(bye) and tstrans.aio.RtcpPacket.parse(bye)[0].sources == [0xDEADBEEF]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("payload", "nals", "frames"),
    [
        (b"\x65abc", [b"\x65abc"], []),
        (b"\x10\x10ab", [b"\x10\x10ab"], [(b"\x10ab", True)]),
    ],
)
def test_depacketizers(payload: bytes, nals: list[bytes], frames: list[Any]) -> None:
    left = run(DEPACKETIZERS, rtp_payload=payload, is_last_packet=True)
    assert left["nals"] == nals and left["frames"] == frames
    assert left["VP9Depacketizer"]().feed(b"\x0c\x82ab", marker=True) == [(b"\x82ab", True)]
