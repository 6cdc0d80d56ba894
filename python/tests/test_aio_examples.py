"""The examples of aiortp's users, with the import changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import tstrans.aio as aiortp


def test_quick_start_audio() -> None:
    from tstrans.aio import PayloadType, RTPSession

    got: list[tuple[int, int]] = []

    async def main() -> None:
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
            got.append((len(data), timestamp))

        session_b.on_audio = on_audio
        # Send with auto-incrementing timestamps (160 samples/frame for PCMU)
        pcm = b"\x00" * 320  # 160 samples of silence (20ms at 8kHz)
        for _i in range(10):
            session_a.send_audio_pcm_auto(pcm)
        await asyncio.sleep(1)
        await session_a.close()
        await session_b.close()

    asyncio.run(main())
    assert len(got) == 10 and {n for n, _ in got} == {320}


def test_quick_start_video() -> None:
    from tstrans.aio import VideoRTPSession

    got: list[tuple[bytes, bool]] = []
    sps = bytes([0x67, 0x42, 0x00, 0x1E])
    pps = bytes([0x68, 0xCE, 0x38, 0x80])
    idr = bytes([0x65]) + b"\x00" * 100

    async def main() -> None:
        sender = await VideoRTPSession.create(
            local_addr=("127.0.0.1", 20000),
            remote_addr=("127.0.0.1", 20002),
            codec="h264",  # also "vp8" or "vp9"
            fps=30,
        )
        receiver = await VideoRTPSession.create(
            local_addr=("127.0.0.1", 20002),
            remote_addr=("127.0.0.1", 20000),
            codec="h264",
        )

        def on_frame(data: bytes, timestamp: int, is_keyframe: bool) -> None:
            got.append((data, is_keyframe))

        receiver.on_frame = on_frame
        # Send H.264 NAL units with auto-incrementing timestamps
        sender.send_frame_auto([sps, pps, idr], keyframe=True)
        await asyncio.sleep(0.3)

        # Request a keyframe from the remote sender; get notified
        needed: list[int] = []

        def on_keyframe_needed() -> None:
            needed.append(1)

        sender.on_keyframe_needed = on_keyframe_needed
        receiver.request_keyframe()
        await asyncio.sleep(0.3)
        assert needed == [1]
        await sender.close()
        await receiver.close()

    asyncio.run(main())
    assert got == [(sps, True), (pps, True), (idr, True)]


def test_dtmf() -> None:
    pressed: list[tuple[str, int]] = []

    async def main() -> None:
        session = await aiortp.RTPSession.create(("127.0.0.1", 10010), ("127.0.0.1", 10012), payload_type=0)
        other = await aiortp.RTPSession.create(("127.0.0.1", 10012), ("127.0.0.1", 10010), payload_type=0)

        def on_dtmf(digit: str, duration: int) -> None:
            pressed.append((digit, duration))

        other.on_dtmf = on_dtmf
        session.send_dtmf("1", duration_ms=160, timestamp=0)
        for i, digit in enumerate("0123456789*#abcd"):
            session.send_dtmf(digit, timestamp=2000 * (i + 1))
        await asyncio.sleep(0.3)
        await session.close()
        await other.close()

    asyncio.run(main())
    assert "".join(d for d, _ in pressed) == "10123456789*#ABCD"
    assert {n for _, n in pressed} == {1280}


def test_clocked_playout_and_paced_sending() -> None:
    heard: list[int] = []

    async def main() -> None:
        kw: dict[str, Any] = {"payload_type": 0, "playout": True, "paced": True}
        session = await aiortp.RTPSession.create(("127.0.0.1", 10020), ("127.0.0.1", 10022), **kw)
        other = await aiortp.RTPSession.create(("127.0.0.1", 10022), ("127.0.0.1", 10020), **kw)
        other.on_audio = lambda pcm, ts: heard.append(ts)
        for _ in range(15):
            session.send_audio_pcm_auto(bytes(320))
        await session.drain()
        await asyncio.sleep(0.4)
        assert session.stats["paced_sent"] == 15
        assert {"playout_delay_ms", "playout_target_ms", "late_dropped", "expansions"} <= set(other.stats)
        await session.close()
        await other.close()

    asyncio.run(main())
    assert len(heard) >= 15


def test_loss_concealment_and_ports() -> None:
    from tstrans.aio import PortAllocator, RTPSession

    async def main() -> None:
        allocator = PortAllocator(port_range=(10100, 10200))
        session = await RTPSession.create(
            local_addr=("0.0.0.0", 0),
            remote_addr=("127.0.0.1", 10000),
            payload_type=0,
            port_allocator=allocator,
            skip_audio_gaps=True,
            plc=True,
        )
        assert session.stats["concealed_frames"] == 0
        await session.close()

    asyncio.run(main())


def test_registry_packets_depacketizers() -> None:
    from tstrans.aio import (
        H264Depacketizer,
        PayloadType,
        RtcpPacket,
        RtpPacket,
        VP8Depacketizer,
        VP9Depacketizer,
        get_codec,
        is_rtcp,
    )

    codec = get_codec(PayloadType.PCMU)
    encoded = codec.encode(bytes(320))
    assert len(codec.decode(encoded)) == 320

    packet = RtpPacket(
        payload_type=0, sequence_number=1000, timestamp=8000, ssrc=0xDEADBEEF, payload=b"\x80" * 160
    )
    data = packet.serialize()
    parsed = RtpPacket.parse(data)
    assert (parsed.sequence_number, parsed.timestamp, parsed.payload_type) == (1000, 8000, 0)
    assert not is_rtcp(data)
    bye = bytes.fromhex("81cb0001deadbeef")
    assert is_rtcp(bye) and RtcpPacket.parse(bye)[0].sources == [0xDEADBEEF]  # type: ignore[union-attr]

    assert H264Depacketizer().feed(b"\x65abc", marker=True) == [b"\x65abc"]
    makers: list[tuple[Callable[[], Any], bytes]] = [
        (VP8Depacketizer, b"\x10\x10ab"),
        (VP9Depacketizer, b"\x0c\x82ab"),
    ]
    for make, payload in makers:
        ((frame, key),) = make().feed(payload, marker=True)
        assert frame == payload[1:] and key
