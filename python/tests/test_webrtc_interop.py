# ruff: noqa: E501
"""WebRTC with other implementations: aiortc in both roles, a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
AIORTC = pathlib.Path(os.environ.get("TSTRANS_AIORTC_PYTHON", ROOT / "build/interop/env/aiortc/bin/python"))
OTHER = str(HERE / "webrtc_other.py")


async def start(python, package, role, *more):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    if package != "tstrans.webrtc":
        env.pop("PYTHONPATH")
    return await asyncio.create_subprocess_exec(
        python,
        OTHER,
        package,
        role,
        *more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=env,
        limit=1 << 22,
    )


async def exchange(offerer, answerer):
    """Carry the descriptions; what both saw."""

    async def line(p):
        return await asyncio.wait_for(p.stdout.readline(), 80)

    answerer.stdin.write(await line(offerer))
    offerer.stdin.write(await line(answerer))
    seen = [json.loads(await line(p)) for p in (offerer, answerer)]
    for p in (offerer, answerer):
        p.stdin.write(b"end\n")
    for p in (offerer, answerer):
        await asyncio.wait_for(p.wait(), 20)
    return seen


async def pair(first, second, *more):
    processes = []
    try:
        processes.append(await start(*first, "offer", *more))
        processes.append(await start(*second, "answer", *more))
        return await exchange(*processes)
    finally:
        for p in processes:
            if p.returncode is None:
                p.kill()
                await p.wait()


needs_aiortc = pytest.mark.skipif(
    not AIORTC.exists(), reason="aiortc is not installed: build/interop/setup.sh"
)
OURS = (sys.executable, "tstrans.webrtc")
THEIRS = (str(AIORTC), "aiortc")


@needs_aiortc
@pytest.mark.parametrize(("first", "second"), [(OURS, THEIRS), (THEIRS, OURS)], ids=["offering", "answering"])
def test_aiortc(first, second):
    a, b = asyncio.run(pair(first, second))
    hello = "hello from " + first[1]
    assert b["messages"] == [hello] and a["messages"] == ["echo " + hello]
    for side, other in ((a, b), (b, a)):
        assert side["audio"] > 50 and side["video"] > 25, side
        assert side["size"] == [640, 480]
        assert side["states"][:2] == ["connecting", "connected"]
        for kind in ("audio", "video"):
            got, lost = side["stats"][f"in-{kind}"]
            sent, _ = other["stats"][f"out-{kind}"]
            # The two are read at times of their own.
            assert lost == 0 and got > 25 and sent > 25, (side["stats"], other["stats"])
            assert side["stats"][f"remote-in-{kind}"][1] == 0


WEBRTCBIN = str(HERE / "webrtcbin_peer.py")


def has_webrtcbin():
    return (
        subprocess.run(
            ["/usr/bin/python3", "-c", "import gi; gi.require_version('GstWebRTC', '1.0')"],
            check=False,
            stderr=subprocess.DEVNULL,
        ).returncode
        == 0
        and shutil.which("gst-inspect-1.0") is not None
        and subprocess.run(
            ["gst-inspect-1.0", "--exists", "webrtcbin"], check=False, stdout=subprocess.DEVNULL
        ).returncode
        == 0
    )


@pytest.mark.skipif(not has_webrtcbin(), reason="webrtcbin of GStreamer is not installed")
@pytest.mark.parametrize(
    ("role", "codec"), [("offer", "vp8"), ("answer", "vp8"), ("offer", "h264"), ("answer", "h264")]
)
def test_webrtcbin(role, codec):
    """GStreamer's webrtcbin in both roles: audio and pictures both ways, messages and their echo."""

    async def main():
        theirs = await asyncio.create_subprocess_exec(
            "/usr/bin/python3",
            WEBRTCBIN,
            role,
            codec,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 22,
        )
        ours = None
        try:
            other = "answer" if role == "offer" else "offer"
            ours = await start(*OURS, other, "2", f"av:{codec.upper()}")
            seen = await exchange(*((theirs, ours) if role == "offer" else (ours, theirs)))
            return seen if role == "offer" else seen[::-1]
        finally:
            for p in (theirs, ours):
                if p is not None and p.returncode is None:
                    p.kill()
                    await p.wait()

    theirs, ours = asyncio.run(main())
    assert "error" not in theirs, theirs
    hello = "hello from " + ("webrtcbin" if role == "offer" else "tstrans.webrtc")
    said, echoed = (ours, theirs) if role == "offer" else (theirs, ours)
    assert said["messages"] == [hello] and echoed["messages"] == ["echo " + hello]
    for side in (theirs, ours):
        assert side["states"][:2] == ["connecting", "connected"]
        assert side["audio"] > 50, side
    assert theirs["video"] > 25 and theirs["size"] == [640, 480], theirs
    # Answering, webrtcbin 1.22 holds its encoder's profile against the offered one letter for letter, and
    # where they differ it only receives.
    if (role, codec) != ("answer", "h264"):
        assert ours["video"] > 25 and ours["size"] == [320, 240], ours
    assert ours["stats"]["in-audio"][1] == 0


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


FLAGS = [
    "--headless",
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PAGE = """
<video id=v autoplay muted playsinline></video><script>
const pc = new RTCPeerConnection();
window.got = []; window.states = [];
pc.onconnectionstatechange = () => states.push(pc.connectionState);
pc.ontrack = e => { document.getElementById('v').srcObject = e.streams[0] || new MediaStream([e.track]); };
async function gathered() {
  if (pc.iceGatheringState != 'complete')
    await new Promise(r => pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState == 'complete' && r()));
}
async function answer(sdp) {
  pc.ondatachannel = e => { const c = e.channel; c.onmessage = m => { got.push(m.data); c.send('echo ' + m.data); }; };
  await pc.setRemoteDescription({type: 'offer', sdp});
  const s = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  for (const t of s.getTracks()) pc.addTrack(t, s);
  await pc.setLocalDescription(await pc.createAnswer());
  await gathered();
  return pc.localDescription.sdp;
}
async function offer() {
  const s = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  for (const t of s.getTracks()) pc.addTrack(t, s);
  window.channel = pc.createDataChannel('page');
  channel.onopen = () => channel.send('hello');
  channel.onmessage = m => got.push(m.data);
  await pc.setLocalDescription(await pc.createOffer());
  await gathered();
  return pc.localDescription.sdp;
}
async function accept(sdp) { await pc.setRemoteDescription({type: 'answer', sdp}); }
async function stats() {
  const out = {};
  (await pc.getStats()).forEach(s => {
    if (s.type == 'inbound-rtp') out['in-' + s.kind] = [s.packetsReceived, s.packetsLost, s.framesDecoded || 0, s.frameWidth || 0, s.keyFramesDecoded || 0];
    if (s.type == 'outbound-rtp') out['out-' + s.kind] = [s.packetsSent, s.framesSent || 0, s.nackCount || 0];
  });
  return out;
}
</script>
"""


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
@pytest.mark.parametrize("role", ["offering", "answering"])
@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_browser(role, codec):
    sync = pytest.importorskip("playwright.async_api")
    import time

    import tstrans.webrtc as rtc

    async def serve(reader, writer):
        while (await reader.readline()).strip():
            pass
        body = PAGE.encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with sync.async_playwright() as w:
            browser = await w.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
            try:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{port}/")
                await talk(page)
            finally:
                await browser.close()
                server.close()

    async def talk(page):
        pc = rtc.RTCPeerConnection()
        counts = {"audio": 0, "video": 0}
        got, tasks, sizes = [], [], set()

        async def read(track):
            try:
                while True:
                    f = await track.recv()
                    counts[track.kind] += 1
                    if track.kind == "video":
                        sizes.add((f.width, f.height))
            except rtc.MediaStreamError:
                pass

        pc.on("track", lambda t: tasks.append(asyncio.ensure_future(read(t))))
        prefer = [c for c in rtc.RTCRtpSender.getCapabilities("video").codecs if c.name == codec]
        if role == "offering":
            pc.addTrack(rtc.AudioStreamTrack())
            pc.addTrack(rtc.VideoStreamTrack())
            pc.getTransceivers()[1].setCodecPreferences(prefer)
            channel = pc.createDataChannel("ours")
            channel.on("open", lambda: channel.send("hello"))
            channel.on("message", got.append)
            await pc.setLocalDescription(await pc.createOffer())
            sdp = await page.evaluate("sdp => answer(sdp)", pc.localDescription.sdp)
            await pc.setRemoteDescription(rtc.RTCSessionDescription(sdp, "answer"))
        else:
            pc.on("datachannel", lambda c: c.on("message", lambda m: (got.append(m), c.send("echo " + m))))
            sdp = await page.evaluate("offer()")
            for kind in ("audio", "video"):
                pc.addTrack(rtc.AudioStreamTrack() if kind == "audio" else rtc.VideoStreamTrack())
            pc.getTransceivers()[1].setCodecPreferences(prefer)
            await pc.setRemoteDescription(rtc.RTCSessionDescription(sdp, "offer"))
            await pc.setLocalDescription(await pc.createAnswer())
            await page.evaluate("sdp => accept(sdp)", pc.localDescription.sdp)
        end = time.monotonic() + 25
        while time.monotonic() < end:
            await asyncio.sleep(0.2)
            s = await page.evaluate("stats()")
            if (
                min(counts.values()) > 20
                and s.get("in-video", [0, 0, 0])[2] > 20
                and s.get("in-audio", [0])[0] > 20
                and got
            ):
                break
        ours = {
            f"{r.type}-{r.kind}": r for r in (await pc.getStats()).values() if r.type.endswith("bound-rtp")
        }
        theirs = await page.evaluate("stats()")
        messages = await page.evaluate("got")
        await pc.close()
        assert min(counts.values()) > 20, (counts, theirs)
        assert theirs["in-video"][2] > 20 and theirs["in-video"][3] == 640, theirs
        assert theirs["in-audio"][0] > 20 and theirs["in-video"][1] == 0, theirs
        assert (messages, got) == (
            (["hello"], ["echo hello"]) if role == "offering" else (["echo hello"], ["hello"])
        )
        assert sizes and all(w / h == pytest.approx(4 / 3, abs=0.05) for w, h in sizes), sizes
        # The two sides count the same packets, but for what was under way between the two looks.
        for kind in ("audio", "video"):
            assert abs(ours[f"outbound-rtp-{kind}"].packetsSent - theirs[f"in-{kind}"][0]) < 60
            assert abs(ours[f"inbound-rtp-{kind}"].packetsReceived - theirs[f"out-{kind}"][0]) < 60
            assert ours[f"inbound-rtp-{kind}"].packetsLost == 0

    asyncio.run(asyncio.wait_for(main(), 80))


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
def test_view_in_a_browser(tmp_path):
    """``tstrans view --webrtc``: the page plays what the file holds, without anything being encoded."""
    sync = pytest.importorskip("playwright.async_api")
    import subprocess
    import time

    clip = str(tmp_path / "clip.ts")
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30:d=4"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "30", "-pix_fmt", "yuv420p", clip]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *coded], check=True, timeout=60)

    async def main():
        server = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "tstrans",
                "view",
                "--webrtc",
                clip,
                "--bind",
                "127.0.0.1:0",
                "--duration",
                "60",
            ),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        )
        try:
            line = (await asyncio.wait_for(server.stderr.readline(), 30)).decode()
            address = next(w for w in line.split() if w.startswith("http://"))
            async with sync.async_playwright() as w:
                browser = await w.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
                try:
                    page = await browser.new_page()
                    await page.goto(address)
                    end = time.monotonic() + 25
                    decoded, size = 0, None
                    while time.monotonic() < end and decoded < 45:
                        await asyncio.sleep(0.2)
                        decoded, size = await page.evaluate(
                            """async () => { let n = 0; (await pc.getStats()).forEach(
                                s => { if (s.type == 'inbound-rtp') n = s.framesDecoded; }); return [n, v.videoWidth]; }"""
                        )
                    assert decoded >= 45 and size == 320
                finally:
                    await browser.close()
        finally:
            server.terminate()
            await server.wait()

    asyncio.run(asyncio.wait_for(main(), 90))
