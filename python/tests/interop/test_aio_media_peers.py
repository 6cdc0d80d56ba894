"""Sessions of tstrans.aio between GStreamer's and FFmpeg's payloaders, encoders and decoders, and sipp."""

from __future__ import annotations

import asyncio
import math
import pathlib
import shutil
import struct
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import tstrans.aio as aiortp
from test_aio_peers import HOST, free_pair, needs_ffmpeg, needs_gst, tone, until

#: payload type: samples a frame, Hz, what GStreamer sends and what it hears with; the RTP clock of its caps.
AUDIO = {
    0: (160, 8000, "mulawenc ! rtppcmupay", "rtppcmudepay ! mulawdec", "PCMU", 8000),
    8: (160, 8000, "alawenc ! rtppcmapay", "rtppcmadepay ! alawdec", "PCMA", 8000),
    9: (320, 16000, "avenc_g722 ! rtpg722pay", "rtpg722depay ! avdec_g722", "G722", 8000),
    97: (160, 8000, "audioconvert ! rtpL16pay", "rtpL16depay ! audioconvert", "L16", 8000),
    111: (960, 48000, "opusenc ! rtpopuspay", "rtpopusdepay ! opusdec", "OPUS", 48000),
}
CODEC = {97: 11}  # 11 means 44,100 Hz to everybody else


def run(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 90))


async def launch(*line: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )


async def ended(peer: asyncio.subprocess.Process, timeout: float = 40) -> None:
    try:
        _, err = await asyncio.wait_for(peer.communicate(), timeout)
        assert peer.returncode == 0, err.decode()
    finally:
        if peer.returncode is None:
            peer.kill()


@needs_gst
@pytest.mark.parametrize("pt", AUDIO)
def test_gstreamer_sends_audio(pt: int) -> None:
    _, rate, pay, _, _, _ = AUDIO[pt]

    async def main() -> None:
        codec = aiortp.get_codec(CODEC.get(pt, pt))
        s = await aiortp.RTPSession.create((HOST, 0), (HOST, 9), pt, codec=codec, jitter_prefetch=0)
        assert s.local_addr
        heard: list[bytes] = []
        s.on_audio = lambda data, ts: heard.append(data)
        peer = await launch(
            "gst-launch-1.0", "-q",
            *f"audiotestsrc num-buffers=50 samplesperbuffer={rate // 50} volume=0.25 is-live=true !"
            f" audio/x-raw,rate={rate},channels=1,format=S16LE ! {pay} pt={pt} ! "
            f"udpsink host={HOST} port={s.local_addr[1]}".split(),
        )  # fmt: skip
        await ended(peer)
        await until(lambda: len(b"".join(heard)) >= 2 * rate * 0.9)
        pcm = b"".join(heard)
        # A sine of a quarter of the scale: 12 dB, and 3 dB of a sine.
        assert abs(aiortp.measure_level(pcm[len(pcm) // 4 * 2 :]) - 15) <= 2
        assert s.stats["packets_lost"] == 0 and s.faults["decode_errors"] == 0 == s.faults["malformed"]
        await s.close()

    run(main)


@needs_gst
@pytest.mark.parametrize("pt", AUDIO)
def test_gstreamer_hears_audio(pt: int, tmp_path: pathlib.Path) -> None:
    samples, rate, _, depay, name, clock = AUDIO[pt]

    async def main() -> None:
        port, out = free_pair(), tmp_path / "out.raw"
        channels = ",channels=1" if pt == 97 else ""
        peer = await launch(
            "gst-launch-1.0", "-q",
            *f"udpsrc address={HOST} port={port} num-buffers=60 ! "
            f"application/x-rtp,media=audio,clock-rate={clock},encoding-name={name},payload={pt}{channels} ! "
            f"{depay} ! audioconvert ! audio/x-raw,format=S16LE ! filesink location={out}".split(),
        )  # fmt: skip
        codec = aiortp.get_codec(CODEC.get(pt, pt))
        s = await aiortp.RTPSession.create((HOST, 0), (HOST, port), pt, codec=codec, paced=True)
        pcm = tone(samples * 50, rate)
        for _ in range(30):  # until the peer, which ends by itself, has heard enough
            if peer.returncode is not None:
                break
            for i in range(50):
                s.send_audio_pcm_auto(pcm[2 * samples * i : 2 * samples * (i + 1)])
            await s.drain()
        await ended(peer, 1)
        await s.close()
        got = out.read_bytes()
        assert len(got) >= 2 * samples * 40
        level = aiortp.measure_level(got[len(got) // 8 * 2 :])
        assert abs(level - aiortp.measure_level(pcm)) <= 2

    run(main)


ENCODERS = {
    "h264": (
        "x264enc tune=zerolatency key-int-max=10 speed-preset=ultrafast",
        "rtph264pay config-interval=1",
    ),
    "vp8": ("vp8enc deadline=1 keyframe-max-dist=10", "rtpvp8pay"),
    "vp9": ("vp9enc deadline=1 keyframe-max-dist=10 cpu-used=8", "rtpvp9pay"),
}
DECODERS = {
    "h264": ("H264", "rtph264depay ! avdec_h264"),
    "vp8": ("VP8", "rtpvp8depay ! vp8dec"),
    "vp9": ("VP9", "rtpvp9depay ! vp9dec"),
}
PICTURES = 30


async def record(codec: str, sender: Callable[[int], list[str]]) -> list[list[bytes]]:
    """The units of each picture that a peer sends to a session."""
    s = await aiortp.VideoRTPSession.create((HOST, 0), (HOST, 9), 96, codec=codec)
    assert s.local_addr
    pictures: dict[int, list[bytes]] = {}
    s.on_frame = lambda data, ts, key: pictures.setdefault(ts, []).append(data)
    await ended(await launch(*sender(s.local_addr[1])))
    await until(lambda: len(pictures) == PICTURES)
    assert s.stats["packets_lost"] == 0 and s.faults["malformed"] == 0
    await s.close()
    return list(pictures.values())


async def replay(codec: str, port: int, pictures: list[list[bytes]], peer: Any) -> None:
    """Send pictures, at a pace a receiver keeps up with, until it ends by itself."""
    s = await aiortp.VideoRTPSession.create((HOST, 0), (HOST, port), 96, codec=codec)
    for _ in range(20):
        for units in pictures:
            s.send_frame_auto(units, keyframe=units is pictures[0])
            await asyncio.sleep(0.01)
        if peer.returncode is not None:
            break
    await s.close()


@needs_gst
@pytest.mark.parametrize("codec", ENCODERS)
def test_gstreamer_video_there_and_back(codec: str, tmp_path: pathlib.Path) -> None:
    encoder, payloader = ENCODERS[codec]
    name, decoder = DECODERS[codec]

    def sender(port: int) -> list[str]:
        return [
            "gst-launch-1.0", "-q",
            *f"videotestsrc num-buffers={PICTURES} is-live=true ! "
            f"video/x-raw,width=320,height=240,framerate=30/1,format=I420 ! {encoder} ! "
            f"{payloader} pt=96 ! udpsink host={HOST} port={port}".split(),
        ]  # fmt: skip

    async def main() -> None:
        pictures = await record(codec, sender)
        port, out = free_pair(), tmp_path / "out.raw"
        packets = sum((len(u) + 1399) // 1400 for units in pictures for u in units)
        peer = await launch(
            "gst-launch-1.0", "-q",
            *f"udpsrc address={HOST} port={port} num-buffers={2 * packets} ! "
            f"application/x-rtp,media=video,clock-rate=90000,encoding-name={name},payload=96 ! "
            f"{decoder} ! videoconvert ! video/x-raw,format=I420 ! filesink location={out}".split(),
        )  # fmt: skip
        await replay(codec, port, pictures, peer)
        await ended(peer, 10)
        assert out.stat().st_size >= PICTURES * 320 * 240 * 3 // 2

    run(main)


@needs_ffmpeg
@pytest.mark.parametrize("codec", ["h264", "vp8", "vp9"])
def test_ffmpeg_video_there_and_back(codec: str, tmp_path: pathlib.Path) -> None:
    encoder = {
        "h264": ["libx264", "-preset", "ultrafast", "-tune", "zerolatency"],
        "vp8": ["libvpx", "-deadline", "realtime", "-lag-in-frames", "0"],
        "vp9": ["libvpx-vp9", "-deadline", "realtime", "-lag-in-frames", "0", "-cpu-used", "8"],
    }[codec]

    def sender(port: int) -> list[str]:
        return [
            "ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=30",
            "-frames:v", str(PICTURES), "-pix_fmt", "yuv420p", "-c:v", *encoder, "-g", "10",
            "-strict", "experimental",
            "-f", "rtp", "-payload_type", "96", f"rtp://{HOST}:{port}",
        ]  # fmt: skip

    async def main() -> None:
        pictures = await record(codec, sender)
        port, out, sdp = free_pair(), tmp_path / "out.raw", tmp_path / "s.sdp"
        sdp.write_text(
            f"v=0\no=- 0 0 IN IP4 {HOST}\ns=t\nc=IN IP4 {HOST}\nt=0 0\n"
            f"m=video {port} RTP/AVP 96\na=rtpmap:96 {codec.upper()}/90000\n"
        )
        peer = await launch(
            "ffmpeg", "-v", "fatal", "-y", "-protocol_whitelist", "file,udp,rtp",
            "-analyzeduration", "500000", "-i", str(sdp),
            "-frames:v", "20", "-pix_fmt", "yuv420p", "-f", "rawvideo", str(out),
        )  # fmt: skip
        await replay(codec, port, pictures, peer)
        await ended(peer, 10)
        assert out.stat().st_size == 20 * 320 * 240 * 3 // 2

    run(main)


@needs_ffmpeg
def test_g722_decodes_as_ffmpeg_does(tmp_path: pathlib.Path) -> None:
    """Loud signals saturate, bit for bit."""
    r = [int(32767 * math.copysign(1, math.sin(0.157 * i + 0.01 * math.sin(i)))) for i in range(32000)]
    pcm = struct.pack("<32000h", *r)
    encoded = aiortp.get_codec(9).encode(pcm)
    (tmp_path / "a.g722").write_bytes(encoded)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "g722", "-i", "a.g722", "-f", "s16le", "a.raw"],
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    want = (tmp_path / "a.raw").read_bytes()
    assert aiortp.get_codec(9).decode(encoded)[: len(want)] == want and len(want) > 60000
    assert max(struct.unpack(f"<{len(want) // 2}h", want)) == 32767


def pcap(packets: list[bytes]) -> bytes:
    """A capture of UDP datagrams 20 ms apart, over Ethernet and IPv4."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for i, p in enumerate(packets):
        udp = struct.pack("!HHHH", 4000, 4002, 8 + len(p), 0) + p
        ip = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
        )
        frame = bytes(12) + b"\x08\0" + ip + udp
        out += struct.pack("<IIII", i // 50, i % 50 * 20000, len(frame), len(frame)) + frame
    return out


SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="play">
<send retrans="500"><![CDATA[
INVITE sip:a@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: s <sip:s@[local_ip]:[local_port]>;tag=[call_number]
To: a <sip:a@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: sip:s@[local_ip]:[local_port]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=s 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="200"></recv>
<nop><action><exec play_pcap_audio="call.pcap"/></action></nop>
<pause milliseconds="1500"/>
</scenario>
"""


class Callee(asyncio.DatagramProtocol):
    """Accepts every call, with the media address given."""

    def __init__(self, media: int) -> None:
        self.media = media

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        lines = data.decode().split("\r\n")
        if not lines[0].startswith("INVITE"):
            return
        sdp = (
            f"v=0\r\no=a 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {self.media} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )
        kept = [x for x in lines if x.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        head = ["SIP/2.0 200 OK", *kept, f"Contact: <sip:a@{HOST}>", "Content-Type: application/sdp"]
        self.transport.sendto("\r\n".join([*head, f"Content-Length: {len(sdp)}", "", sdp]).encode(), addr)


@pytest.mark.skipif(shutil.which("sipp") is None, reason="needs sipp")
def test_sipp_plays_a_call(tmp_path: pathlib.Path) -> None:
    codec = aiortp.get_codec(0)
    pcm = tone(160 * 50, 8000)
    frames = [codec.encode(pcm[320 * i : 320 * (i + 1)]) for i in range(50)]
    packets = [
        aiortp.RtpPacket(sequence_number=100 + i, timestamp=160 * i, ssrc=77, payload=f).serialize()
        for i, f in enumerate(frames)
    ]
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    (tmp_path / "call.xml").write_text(SCENARIO)

    async def main() -> None:
        s = await aiortp.RTPSession.create((HOST, free_pair()), (HOST, 9), 0)
        assert s.local_addr
        heard: list[tuple[bytes, int]] = []
        s.on_audio = lambda data, ts: heard.append((data, ts))
        sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Callee(s.local_addr[1]),  # type: ignore[index]
            local_addr=(HOST, 0),
        )
        port = sip.get_extra_info("sockname")[1]
        peer = await asyncio.create_subprocess_exec(
            "sipp", f"{HOST}:{port}", "-sf", "call.xml", "-m", "1", "-i", HOST, "-p", str(free_pair()),
            "-mp", str(free_pair()), "-timeout", "20", "-nostdin",
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await until(lambda: len(heard) == 50, 30)
        finally:
            if peer.returncode is None:
                peer.kill()
            await peer.wait()
        assert b"".join(d for d, _ in heard) == b"".join(map(codec.decode, frames))
        assert [ts for _, ts in heard] == [160 * i for i in range(50)]
        assert s.stats["packets_received"] == 50 and s.stats["packets_lost"] == 0
        sip.close()
        await s.close()

    run(main)
