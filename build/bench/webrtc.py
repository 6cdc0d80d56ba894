"""What sending over WebRTC costs beside a peer package, in CPU time a viewer.

    python webrtc.py PEER_PYTHON OUR_PYTHON [--cases pass,opus,vp8,h264] [--viewers 1,5] [--seconds 6]
                     [--rounds 3]

One process sends with the package that is measured (`aiortc` under the first interpreter, `tstrans.webrtc`
under the second), another receives with ours and decodes nothing. `pass` sends an H.264 file to all viewers
as it is; the others encode raw frames anew for each viewer. Printed are each side's milliseconds of CPU for a
viewer and second, and their ratio: below 1 ours is cheaper. What the encoders chose to send is beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

PACKAGES = ("aiortc", "tstrans.webrtc")
CODECS = {
    "opus": ("audio", "opus"),
    "vp8": ("video", "VP8"),
    "h264": ("video", "H264"),
    "pass": ("video", "H264"),
}


def clip(path: str, seconds: float) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
         "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-b:v", "5M", "-maxrate", "5M",
         "-bufsize", "5M", "-g", "60", "-bf", "0", "-f", "mpegts", path],
        check=True,
    )  # fmt: skip


def source(mod: Any, case: str) -> Any:
    import av

    class Source(mod.MediaStreamTrack):  # type: ignore[misc]
        kind = CODECS[case][0]

        def __init__(self) -> None:
            super().__init__()
            self.n = 0
            self.start = time.monotonic()
            size = 3840 if self.kind == "audio" else 640 * 480
            # Eight pieces that differ: what is the same each time would cost an encoder nothing.
            self.data = [bytes((i * 7 + (i >> 5) * k) & 0xFF for i in range(size)) for k in range(8)]

        async def recv(self) -> Any:
            step, rate = (960, 48000) if self.kind == "audio" else (3000, 90000)
            await asyncio.sleep(max(0.0, self.start + self.n * step / rate - time.monotonic()))
            if self.kind == "audio":
                frame: Any = av.AudioFrame(format="s16", layout="stereo", samples=960)
                frame.sample_rate = 48000
            else:
                frame = av.VideoFrame(640, 480, "yuv420p")
                for plane in frame.planes[1:]:
                    plane.update(b"\x80" * plane.buffer_size)
            frame.planes[0].update(self.data[self.n % 8])
            frame.pts, frame.time_base = self.n * step, fractions.Fraction(1, rate)
            self.n += 1
            return frame

    return Source()


async def line() -> Any:
    return json.loads(await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline))


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


async def connected(pc: Any) -> None:
    done = asyncio.get_running_loop().create_future()
    pc.on("connectionstatechange", lambda: pc.connectionState == "connected" and done.set_result(None))
    if pc.connectionState != "connected":
        await asyncio.wait_for(done, 30)


async def sender(package: str, case: str, viewers: int, seconds: float, file: str) -> None:
    mod = importlib.import_module(package)
    media = importlib.import_module(package + ".contrib.media")
    player = media.MediaPlayer(file, decode=False) if case == "pass" else None
    relay, pcs = media.MediaRelay(), []
    kind, codec = CODECS[case]
    for _ in range(viewers):
        pc = mod.RTCPeerConnection(mod.RTCConfiguration(iceServers=[]))
        pc.addTrack(relay.subscribe(player.video) if player is not None else source(mod, case))
        known = mod.RTCRtpSender.getCapabilities(kind).codecs
        pc.getTransceivers()[0].setCodecPreferences([c for c in known if c.name == codec])
        await pc.setLocalDescription(await pc.createOffer())
        say(sdp=pc.localDescription.sdp)
        answer = await line()
        waiting = asyncio.ensure_future(connected(pc))
        await pc.setRemoteDescription(mod.RTCSessionDescription(answer["sdp"], "answer"))
        await waiting
        pcs.append(pc)

    async def sent() -> int:
        reports = [(await pc.getStats()).values() for pc in pcs]
        return sum(s.bytesSent for r in reports for s in r if s.type == "outbound-rtp")

    await asyncio.sleep(1)
    before, cpu, begin = await sent(), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    wall = time.monotonic() - begin
    ms = (time.process_time() - cpu) * 1000 / wall / viewers
    say(ms=ms, mbit=(await sent() - before) * 8e-6 / wall / viewers)
    os._exit(0)  # closing is not measured


async def receiver(viewers: int) -> None:
    mod = importlib.import_module("tstrans.webrtc")

    async def read(track: Any) -> None:
        while True:
            await track.recv()

    def take(track: Any) -> None:
        track.encoded = True
        tasks.append(asyncio.ensure_future(read(track)))

    pcs, tasks = [], []
    for _ in range(viewers):
        pc = mod.RTCPeerConnection()
        pc.on("track", take)
        await pc.setRemoteDescription(mod.RTCSessionDescription((await line())["sdp"], "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        say(sdp=pc.localDescription.sdp)
        pcs.append(pc)
    await asyncio.Event().wait()


def measure(
    python: str, package: str, ours: str, case: str, a: argparse.Namespace, viewers: int, file: str
) -> Any:
    env = {k: v for k, v in os.environ.items() if python == ours or k != "PYTHONPATH"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    me = os.path.abspath(__file__)
    one = [python, me, "--side", "send", package, case, str(viewers), str(a.seconds), file]
    two = [ours, me, "--side", "receive", str(viewers)]
    processes: list[Any] = [subprocess.Popen(one, env=env, **pipes), subprocess.Popen(two, **pipes)]  # type: ignore[call-overload]
    s, r = processes
    try:
        for _ in range(viewers):
            for x, y in ((s, r), (r, s)):
                y.stdin.write(x.stdout.readline())
                y.stdin.flush()
        return json.loads(s.stdout.readline())
    finally:
        for p in processes:
            p.kill()
            p.wait()


def main() -> None:
    if sys.argv[1] == "--side":
        side, *rest = sys.argv[2:]
        if side == "receive":
            asyncio.run(receiver(int(rest[0])))
            return
        package, case, viewers, seconds, file = rest
        asyncio.run(sender(package, case, int(viewers), float(seconds), file))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer")
    parser.add_argument("ours")
    parser.add_argument("--cases", default="pass,opus,vp8,h264")
    parser.add_argument("--viewers", default="1,5")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "pass.ts")
        clip(file, a.seconds + 12)
        print("case   viewers   peer ms   ours ms ours/peer         pairs          Mb/s")
        for case in a.cases.split(","):
            for viewers in map(int, a.viewers.split(",")):
                pairs = [
                    [
                        measure(py, pkg, a.ours, case, a, viewers, file)
                        for py, pkg in zip((a.peer, a.ours), PACKAGES, strict=True)
                    ]
                    for _ in range(a.rounds)
                ]
                ms = [statistics.median(p[i]["ms"] for p in pairs) for i in (0, 1)]
                rates = "/".join(f"{statistics.median(p[i]['mbit'] for p in pairs):.2f}" for i in (0, 1))
                ratios = sorted(p[1]["ms"] / p[0]["ms"] for p in pairs)
                print(
                    f"{case:6} {viewers:7} {ms[0]:9.2f} {ms[1]:9.2f} {statistics.median(ratios):9.2f} "
                    f"{ratios[0]:6.2f}-{ratios[-1]:.2f} {rates:>13}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
