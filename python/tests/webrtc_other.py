"""A peer of another package, or of this one, driven over stdin and stdout by JSON lines.

    python webrtc_other.py PACKAGE offer|answer [SECONDS] [KINDS[:VIDEO CODEC]]

It sends a tone and a moving picture, echoes data messages and counts what it receives; the last line it
prints is what it saw.
"""

import asyncio
import fractions
import importlib
import json
import sys
import time

#: What is received before a side has seen enough: a second of each.
ENOUGH = {"audio": 50, "video": 25}


async def main():
    package, role = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
    kinds, _, codec = (sys.argv[4] if len(sys.argv) > 4 else "av").partition(":")
    mod = importlib.import_module(package)
    import av

    class Tone(mod.MediaStreamTrack):
        kind = "audio"
        n = 0

        async def recv(self):
            if self.n == 0:
                self.start = time.monotonic()
            await asyncio.sleep(max(0, self.start + self.n * 0.02 - time.monotonic()))
            f = av.AudioFrame(format="s16", layout="stereo", samples=960)
            f.planes[0].update(bytes((i * 7) & 0x1F for i in range(3840)))
            f.sample_rate, f.pts, f.time_base = 48000, self.n * 960, fractions.Fraction(1, 48000)
            self.n += 1
            return f

    loop = asyncio.get_running_loop()
    pc = mod.RTCPeerConnection()
    seen = {"audio": 0, "video": 0, "messages": [], "states": [], "size": None}
    tasks = []

    async def read(track):
        try:
            while True:
                f = await track.recv()
                seen[track.kind] += 1
                if track.kind == "video":
                    seen["size"] = [f.width, f.height]
        except mod.MediaStreamError:
            pass

    heard = set()

    @pc.on("track")
    def taken(track):
        heard.add(track.kind)
        tasks.append(asyncio.ensure_future(read(track)))

    pc.on("connectionstatechange", lambda: seen["states"].append(pc.connectionState))

    def serve(channel):
        def message(m):
            seen["messages"].append(m if isinstance(m, str) else list(m))
            if not (isinstance(m, str) and m.startswith("echo ")):
                channel.send("echo " + m if isinstance(m, str) else m)

        channel.on("message", message)

    pc.on("datachannel", serve)
    if "a" in kinds:
        pc.addTrack(Tone())
    if "v" in kinds:
        pc.addTrack(mod.VideoStreamTrack())
        if codec:
            known = mod.RTCRtpSender.getCapabilities("video").codecs
            pc.getTransceivers()[-1].setCodecPreferences([c for c in known if c.name in (codec, "rtx")])
    if role == "offer":
        channel = pc.createDataChannel("chat")
        serve(channel)
        channel.on("open", lambda: channel.send("hello from " + package))

    async def line():
        return json.loads(await loop.run_in_executor(None, sys.stdin.readline))

    def say():
        d = pc.localDescription
        print(json.dumps({"sdp": d.sdp, "type": d.type}), flush=True)

    async def take():
        d = await line()
        await pc.setRemoteDescription(mod.RTCSessionDescription(d["sdp"], d["type"]))

    if role == "offer":
        await pc.setLocalDescription(await pc.createOffer())
        say()
        await take()
    else:
        await take()
        await pc.setLocalDescription(await pc.createAnswer())
        say()
    end = time.monotonic() + 20
    while pc.connectionState not in ("connected", "failed", "closed") and time.monotonic() < end:
        await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)
    # On a busy machine, longer: until what is asserted has had its time.
    end = time.monotonic() + 25
    while time.monotonic() < end:
        reported = {s.kind for s in (await pc.getStats()).values() if s.type == "remote-inbound-rtp"}
        if all(seen[k] > ENOUGH[k] for k in heard) and seen["messages"] and heard <= reported:
            break
        await asyncio.sleep(0.05)
    stats = {}
    for s in (await pc.getStats()).values():
        if s.type == "inbound-rtp":
            stats[f"in-{s.kind}"] = [s.packetsReceived, s.packetsLost]
        elif s.type == "outbound-rtp":
            stats[f"out-{s.kind}"] = [s.packetsSent, s.bytesSent]
        elif s.type == "remote-inbound-rtp":
            stats[f"remote-in-{s.kind}"] = [s.packetsReceived, s.packetsLost]
    seen["stats"] = stats
    print(json.dumps(seen), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    await pc.close()


asyncio.run(main())
