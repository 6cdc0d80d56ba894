"""Sessions of tstrans.aio beside aiortp, FFmpeg and GStreamer."""

from __future__ import annotations

import asyncio
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time
from typing import Any

import pytest
import tstrans.aio as aiortp

HOST = "127.0.0.1"
ROOT = pathlib.Path(__file__).resolve().parents[3]
AIORTP = ROOT / "build/interop/env/aiortp/bin/python"

needs_aiortp = pytest.mark.skipif(not AIORTP.exists(), reason="aiortp is not installed: make peers")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
needs_gst = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="needs GStreamer")

#: payload type, samples a frame, Hz.
CODECS = [(0, 160, 8000), (8, 160, 8000), (9, 320, 16000), (11, 160, 8000), (111, 960, 48000)]


def tone(samples: int, rate: int) -> bytes:
    return struct.pack(
        f"<{samples}h", *(int(9000 * math.sin(2 * math.pi * 440 * i / rate)) for i in range(samples))
    )


def free_pair() -> int:
    import socket

    for _ in range(100):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as a,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as b,
        ):
            a.bind((HOST, 0))
            port = int(a.getsockname()[1])
            if port % 2:
                continue
            try:
                b.bind((HOST, port + 1))
            except OSError:
                continue
            return port
    raise OSError("no two ports in a row")


# What the other process runs: it echoes what it hears, digits too, and tells what it counted.
ECHO = """
import asyncio, json, sys
import aiortp
async def main():
    mine, theirs, pt = map(int, sys.argv[1:4])
    s = await aiortp.RTPSession.create(("127.0.0.1", mine), ("127.0.0.1", theirs), pt,
                                       jitter_prefetch=0, rtcp_interval=0.2)
    out = {"pcm": "", "digits": "", "reports": 0}
    def on_audio(data, ts):
        out["pcm"] += data.hex()
        s.send_audio_pcm_auto(data)
    def on_dtmf(digit, duration):
        out["digits"] += digit
        s.send_dtmf(digit, timestamp=5000 * len(out["digits"]))
    def on_report(info):
        out["reports"] += 1
        out["lost"] = info.packets_lost
    s.on_audio, s.on_dtmf, s.on_receiver_report = on_audio, on_dtmf, on_report
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    out["stats"] = s.stats
    await s.close()
    print(json.dumps(out), flush=True)
asyncio.run(asyncio.wait_for(main(), 40))
"""


async def until(condition: Any, timeout: float = 15.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


@needs_aiortp
@pytest.mark.parametrize(("pt", "samples", "rate"), CODECS)
def test_aiortp_hears_and_answers(pt: int, samples: int, rate: int) -> None:
    async def main() -> None:
        mine, theirs = free_pair(), free_pair()
        with subprocess.Popen(
            [AIORTP, "-c", ECHO, str(theirs), str(mine), str(pt)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
        ) as peer:
            try:
                assert peer.stdin and peer.stdout
                loop = asyncio.get_running_loop()
                assert (await loop.run_in_executor(None, peer.stdout.readline)).strip() == "ready"
                s = await aiortp.RTPSession.create(
                    (HOST, mine), (HOST, theirs), pt, jitter_prefetch=0, rtcp_interval=0.2
                )
                heard: list[bytes] = []
                digits: list[str] = []
                reports: list[Any] = []
                s.on_audio = lambda data, ts: heard.append(data)
                s.on_dtmf = lambda digit, duration: digits.append(digit)
                s.on_receiver_report = reports.append
                frames = 50
                pcm = tone(samples * frames, rate)
                for i in range(frames):
                    s.send_audio_pcm_auto(pcm[2 * samples * i : 2 * samples * (i + 1)])
                    await asyncio.sleep(0.002)
                await until(lambda: len(heard) >= frames - 2)
                for i, digit in enumerate("159#"):
                    s.send_dtmf(digit, timestamp=9000 * (i + 1))
                await until(lambda: len(digits) == 4)
                await until(lambda: len(reports) >= 3)
                peer.stdin.write("\n")
                peer.stdin.flush()
                out = json.loads(await loop.run_in_executor(None, peer.stdout.readline))
                assert out["digits"] == "159#" == "".join(digits)
                assert out["reports"] > 0
                # aiortp 0.8 counts digits, 0.5 does not.
                assert out["stats"]["packets_received"] in (frames, frames + 40)
                assert s.stats["packets_sent"] == frames + 40 and s.stats["remote_packets_lost"] == 0
                level = aiortp.measure_level(pcm)
                # A-law of aiortp has the polarity reversed, which no ear hears.
                assert abs(aiortp.measure_level(bytes.fromhex(out["pcm"])) - level) <= 2
                assert abs(aiortp.measure_level(b"".join(heard)) - level) <= 3
                if pt == 0:
                    codec = aiortp.get_codec(0)
                    want = codec.decode(codec.encode(pcm))
                    assert want.startswith(bytes.fromhex(out["pcm"]))
                    assert want.startswith(b"".join(heard))
                await s.close()
            finally:
                peer.kill()

    asyncio.run(asyncio.wait_for(main(), 60))


SEND = {
    0: ["-c:a", "pcm_mulaw", "-ar", "8000"],
    8: ["-c:a", "pcm_alaw", "-ar", "8000"],
    9: ["-c:a", "g722", "-ar", "16000"],
    11: ["-c:a", "pcm_s16be", "-ar", "44100"],
    111: ["-c:a", "libopus", "-ar", "48000", "-payload_type", "111"],
}


@needs_ffmpeg
@pytest.mark.parametrize("pt", [0, 8, 9, 11, 111])
def test_ffmpeg_sends(pt: int) -> None:
    async def main() -> None:
        s = await aiortp.RTPSession.create((HOST, 0), (HOST, 9), pt, jitter_prefetch=0)
        assert s.local_addr
        heard: list[bytes] = []
        s.on_audio = lambda data, ts: heard.append(data)
        peer = await asyncio.create_subprocess_exec(
            "ffmpeg",
            "-v",
            "error",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine=440:d=1.5",
            "-ac",
            "1",
            *SEND[pt],
            "-f",
            "rtp",
            f"rtp://{HOST}:{s.local_addr[1]}",
            stdout=subprocess.DEVNULL,
        )
        try:
            await asyncio.wait_for(peer.wait(), 30)
            await asyncio.sleep(0.8)
            pcm = b"".join(heard)
            assert (
                abs(aiortp.measure_level(pcm[len(pcm) // 4 * 2 :]) - 21) <= 2
            )  # FFmpeg's sine has an amplitude of 1/8
            assert (
                s.stats["packets_lost"] == 0 and s.faults["decode_errors"] == 0 and s.faults["malformed"] == 0
            )
        finally:
            if peer.returncode is None:
                peer.kill()
        await s.close()

    asyncio.run(asyncio.wait_for(main(), 60))


NAMES = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 11: "L16/8000", 111: "opus/48000/2"}


@needs_ffmpeg
@pytest.mark.parametrize(("pt", "samples", "rate"), CODECS)
def test_ffmpeg_hears(pt: int, samples: int, rate: int, tmp_path: pathlib.Path) -> None:
    async def main() -> None:
        port = free_pair()
        # A dynamic number for L16, as 11 means 44,100 Hz to everybody else.
        number = 97 if pt == 11 else pt
        sdp = tmp_path / "s.sdp"
        sdp.write_text(
            f"v=0\no=- 0 0 IN IP4 {HOST}\ns=t\nc=IN IP4 {HOST}\nt=0 0\n"
            f"m=audio {port} RTP/AVP {number}\na=rtpmap:{number} {NAMES[pt]}\n"
        )
        out = tmp_path / "out.raw"
        peer = await asyncio.create_subprocess_exec(
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-protocol_whitelist",
            "file,udp,rtp",
            "-fflags",
            "nobuffer",
            "-analyzeduration",
            "200000",
            "-i",
            str(sdp),
            "-t",
            "1",
            "-ac",
            "1",
            "-f",
            "s16le",
            str(out),
        )
        codec = aiortp.get_codec(pt)
        s = await aiortp.RTPSession.create((HOST, 0), (HOST, port), number, codec=codec, paced=True)
        pcm = tone(samples * 50, rate)
        try:
            end = time.monotonic() + 30
            while peer.returncode is None and time.monotonic() < end:
                if s.stats["queue_depth"] < 10:
                    for i in range(50):
                        s.send_audio_pcm_auto(pcm[2 * samples * i : 2 * samples * (i + 1)])
                await asyncio.sleep(0.05)
            assert peer.returncode == 0
        finally:
            if peer.returncode is None:
                peer.kill()
            await s.close()
        got = out.read_bytes()
        assert len(got) > 8000
        assert abs(aiortp.measure_level(got[len(got) // 8 * 2 :]) - aiortp.measure_level(pcm)) <= 2

    asyncio.run(asyncio.wait_for(main(), 60))


VIDEO = {
    "h264": [
        "x264enc tune=zerolatency key-int-max=10 speed-preset=ultrafast",
        "rtph264pay config-interval=1",
        "96",
    ],
    "vp8": ["vp8enc deadline=1 keyframe-max-dist=10", "rtpvp8pay", "96"],
    "vp9": ["vp9enc deadline=1 keyframe-max-dist=10 cpu-used=8", "rtpvp9pay", "96"],
}


@needs_gst
@pytest.mark.parametrize("codec", ["h264", "vp8", "vp9"])
def test_gstreamer_sends_video(codec: str) -> None:
    async def main() -> None:
        encoder, payloader, pt = VIDEO[codec]
        s = await aiortp.VideoRTPSession.create((HOST, 0), (HOST, 9), int(pt), codec=codec)
        assert s.local_addr
        got: list[tuple[int, bool]] = []
        s.on_frame = lambda data, ts, key: got.append((ts, key))
        line = (
            f"videotestsrc num-buffers=30 is-live=true ! "
            f"video/x-raw,width=160,height=120,framerate=30/1 ! {encoder} ! "
            f"{payloader} pt={pt} ! udpsink host={HOST} port={s.local_addr[1]}"
        )
        peer = await asyncio.create_subprocess_exec(
            "gst-launch-1.0", "-q", *line.split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _, err = await asyncio.wait_for(peer.communicate(), 40)
            if b"no element" in err:
                pytest.skip(err.decode())
            await asyncio.sleep(0.3)
            assert len({ts for ts, _ in got}) == 30 and any(k for ts, k in got if ts == got[0][0])
            assert sum(k for _, k in got) >= 3
            assert s.stats["packets_lost"] == 0
        finally:
            if peer.returncode is None:
                peer.kill()
        await s.close()

    asyncio.run(asyncio.wait_for(main(), 60))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
