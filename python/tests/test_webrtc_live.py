# ruff: noqa: RUF007
"""Streams into the browser without re-encoding: WHEP, WHIP, KLV beside the picture."""

from __future__ import annotations

import asyncio
import subprocess
import time
from fractions import Fraction

import pytest
from tstrans.io import parse_file
from tstrans.mpegts import (
    DemuxEvent,
    KlvStreamType,
    Muxer,
    MuxerConfigBuilder,
    MuxerProgramConfigBuilder,
    VideoCodec,
)
from tstrans.webrtc import EncodedPacket, MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from tstrans.webrtc.live import ReorderedPicturesError, TransportStream
from tstrans.webrtc.mediastreams import MediaStreamError
from tstrans.webrtc.rtcrtptransceiver import H265
from tstrans.webrtc.whip import WebRTCServer


def run(coroutine, limit: float = 30.0):
    async def bounded():
        return await asyncio.wait_for(coroutine, limit)

    return asyncio.run(bounded())


async def until(condition, limit=30.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "not within the time given"
        await asyncio.sleep(0.01)


async def http(address, method, path, body=""):
    reader, writer = await asyncio.open_connection(*address)
    data = body.encode()
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
    )
    head, _, rest = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    return int(head.split()[1]), fields, rest


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    at = tmp_path_factory.mktemp("clips")
    base = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=192x108:r=30:d=1",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "15",
    ]
    subprocess.run(
        [*base, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", str(at / "plain.ts")],
        check=True,
        timeout=60,
    )
    subprocess.run([*base, "-c:v", "libx264", "-bf", "3", str(at / "b.ts")], check=True, timeout=60)
    hevc = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "bframes=0:log-level=none",
        str(at / "hevc.ts"),
    ]
    subprocess.run([*base, *hevc], check=True, timeout=60)
    return at


def pulled(muxer):
    out, piece = b"", bytearray(1 << 16)
    while n := muxer.pull(piece):
        out += bytes(piece[:n])
    return out


def with_klv(path, target):
    """The stream once more, with a KLV unit for every picture that holds the picture's number."""
    program = (
        MuxerProgramConfigBuilder(1, 0x1000)
        .add_video(0x100, VideoCodec.H264)
        .add_klv(0x101, KlvStreamType.PRIVATE_DATA, carries_pts=True)
        .build()
    )
    muxer = Muxer(MuxerConfigBuilder().add_program(program).build())
    with open(target, "wb") as out:
        for n, event in enumerate(e for e in parse_file(str(path)) if isinstance(e, DemuxEvent.Video)):
            muxer.push_video(event.payload, pts=event.pts, key_frame=bool(event.random_access_indicator))
            key = bytes.fromhex("060e2b34020b01010e01030101000000")
            muxer.push_klv(key + bytes([4]) + n.to_bytes(4, "big"), pts=event.pts)
            out.write(pulled(muxer))


def reader(path):
    f = open(path, "rb")  # noqa: SIM115 - until the test ends
    return lambda: f.read(65536)


async def view(address, *, h265=False, klv=None):
    pc = RTCPeerConnection()
    tracks = []
    pc.on("track", lambda t: (setattr(t, "encoded", True), tracks.append(t)))
    t = pc.addTransceiver("video", direction="recvonly")
    if h265:
        t.setCodecPreferences([H265])
    if klv is not None:
        pc.createDataChannel("klv").on("message", klv.append)
    await pc.setLocalDescription(await pc.createOffer())
    status, fields, sdp = await http(address, "POST", "/whep", pc.localDescription.sdp)
    if status != 201:
        await pc.close()
        return status, sdp, None, None
    await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
    return status, fields["Location"], pc, tracks


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_pictures_pass_unchanged(clips, codec):
    path = str(clips / ("plain.ts" if codec == "h264" else "hevc.ts"))
    sent = [bytes(e.payload) for e in parse_file(path) if isinstance(e, DemuxEvent.Video)]

    def nals(au):
        out = [x.rstrip(b"\0") for x in au.split(b"\0\0\1")]
        delimiter = 9 if codec == "h264" else 35
        kind = (lambda x: x[0] & 0x1F) if codec == "h264" else (lambda x: x[0] >> 1 & 0x3F)
        return [x for x in out if x and kind(x) != delimiter]

    async def main():
        stream = TransportStream(reader(path), paced=True, again=lambda: reader(path))
        server = WebRTCServer(stream)
        address = await server.start()
        status, location, pc, tracks = await view(address, h265=codec == "h265")
        assert status == 201 and location.startswith("/whep/")
        got = [await tracks[0].recv() for _ in range(12)]
        assert got[0].is_keyframe and {p.codec for p in got} == {codec}
        assert [p.pts - got[0].pts for p in got] == [3000 * i for i in range(12)]
        known = [nals(s) for s in sent]
        at = known.index(nals(got[0].data))
        for i, p in enumerate(got[: len(known) - at]):
            assert nals(p.data) == known[at + i], i
        assert server.connections == 1
        assert (await http(address, "DELETE", location))[0] == 200
        await until(lambda: pc.connectionState == "closed")
        assert server.connections == 0
        await server.close()
        await stream.close()

    run(main())


def test_klv_in_step(clips, tmp_path):
    path = str(tmp_path / "klv.ts")
    with_klv(clips / "plain.ts", path)

    async def main():
        stream = TransportStream(reader(path), paced=True, again=lambda: reader(path))
        server = WebRTCServer(stream)
        address = await server.start()
        units = []
        _, _, pc, tracks = await view(address, klv=units)
        await until(lambda: len(units) > 5)
        first = None
        for _ in range(20):
            p = await tracks[0].recv()
            first = p.pts if first is None else first
        numbers = [int.from_bytes(u[-4:], "big") for u in units]
        times = [int.from_bytes(u[:8], "big") for u in units]
        # A pass of the file has 30 pictures, and the next begins a picture (of 29.97 a second) later.
        assert all(t - t // 90003 * 90003 == 3000 * n for t, n in zip(times, numbers, strict=True)), times
        assert [b - a for a, b in zip(numbers, numbers[1:], strict=False)][:3] == [1, 1, 1]
        await server.close()
        await pc.close()
        await stream.close()

    run(main())


def test_b_frames_are_named(clips):
    async def main():
        stream = TransportStream(reader(clips / "b.ts"))
        with pytest.raises(ReorderedPicturesError, match="B-frames"):
            await stream.ready()
        await stream.close()

    run(main())


def test_no_video_is_told(tmp_path):
    async def main():
        stream = TransportStream(lambda: b"")
        server = WebRTCServer(stream)
        status, text, _, _ = await view(await server.start())
        assert status == 503 and "no H.264 or H.265" in text
        with pytest.raises(Exception, match=r"no H\.264 or H\.265"):
            await stream.ready()
        await server.close()

    run(main())


def test_whip_takes_a_stream():
    class Camera(MediaStreamTrack):
        kind = "video"
        n = 0

        async def recv(self):
            await asyncio.sleep(0.01)
            au = (
                b"\0\0\0\1\x67\x42\xc0\x1f\xaa\0\0\0\1\x68\xce\x3c\x80\0\0\0\1\x65"
                + bytes([0x80 | self.n & 0x7F]) * 500
            )
            self.n += 1
            return EncodedPacket(au, self.n * 3000, Fraction(1, 90000), codec="h264", is_keyframe=True)

    async def main():
        got = []

        async def publish(pc, track):
            try:
                while True:
                    got.append(await track.recv())
            except MediaStreamError:
                got.append(None)

        server = WebRTCServer(on_publish=publish)
        address = await server.start()
        assert (await http(address, "GET", "/"))[0] == 404
        assert (await http(address, "POST", "/whip", "nonsense"))[0] == 400
        assert (await http(address, "PUT", "/whip", ""))[0] == 405
        assert (await http(address, "DELETE", "/whip/none"))[0] == 404
        assert (await http(address, "OPTIONS", "/whip"))[0] == 204
        pc = RTCPeerConnection()
        pc.addTransceiver(Camera(), direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        status, fields, sdp = await http(address, "POST", "/whip", pc.localDescription.sdp)
        assert status == 201
        await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await until(lambda: len(got) > 10)
        assert all(p.codec == "h264" and p.is_keyframe for p in got[:10])
        candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
        assert (await http(address, "PATCH", fields["Location"], candidate))[0] == 204
        await pc.close()
        await until(lambda: got[-1] is None)
        await until(lambda: server.connections == 0)
        await server.close()

    run(main())
