"""From the making of a picture to its showing, by a counter burnt into it, on one machine.

The sender draws the number of each picture into it, as black and white squares, and notes when it did;
whoever shows the picture reads the number back. The clock of the system is the same on both sides.
"""

from __future__ import annotations

import asyncio
import fractions
import statistics
import time

import numpy as np
import pytest
import tstrans.webrtc as rtc
from test_webrtc_interop import FLAGS, chromium
from test_webrtc_peer import connected, negotiate, run

BITS = 16
SIDE = 40  # pixels of a square
WIDTH, HEIGHT = BITS * SIDE, 480

PAGE = """<!doctype html><video id=v autoplay muted playsinline></video><script>
const BITS = 16, SIDE = 40;
const pc = new RTCPeerConnection();
window.shown = [];
const c = new OffscreenCanvas(BITS * SIDE, 8), g = c.getContext('2d', {willReadFrequently: true});
function look() {
  const at = performance.timeOrigin + performance.now();
  g.drawImage(v, 0, SIDE / 2 - 4, BITS * SIDE, 8, 0, 0, BITS * SIDE, 8);
  const d = g.getImageData(0, 0, BITS * SIDE, 8).data;
  let n = 0;
  for (let i = 0; i < BITS; i++) n = n * 2 + (d[4 * (4 * BITS * SIDE + i * SIDE + SIDE / 2)] > 128 ? 1 : 0);
  shown.push([n, at / 1000]);
  v.requestVideoFrameCallback(look);
}
pc.ontrack = e => { v.srcObject = new MediaStream([e.track]); v.requestVideoFrameCallback(look); };
async function answer(sdp) {
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  if (pc.iceGatheringState != 'complete')
    await new Promise(r => pc.onicegatheringstatechange = () => pc.iceGatheringState == 'complete' && r());
  return pc.localDescription.sdp;
}
</script>"""


class Counter(rtc.VideoStreamTrack):
    """30 pictures a second, each with its number."""

    def __init__(self):
        super().__init__()
        self.made = []
        y = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        y[:HEIGHT] = 40
        self.picture = y

    async def recv(self):
        pts, base = await self.next_timestamp()
        n = len(self.made)
        self.made.append(time.time())
        for i in range(BITS):
            self.picture[:SIDE, i * SIDE : (i + 1) * SIDE] = 235 if n >> (BITS - 1 - i) & 1 else 16
        self.picture[200:300, (n * 8) % 500 : (n * 8) % 500 + 100] = (n * 5) % 200
        frame = rtc.VideoFrame.from_ndarray(self.picture, format="yuv420p")
        frame.pts, frame.time_base = pts, fractions.Fraction(base)
        return frame


def judge(track, shown, who, codec):
    """The delays in ms; what was shown must be what was made, in order, and after it was made."""
    numbers = [n for n, _ in shown]
    assert len(set(numbers)) > 40, "hardly a picture was shown"
    assert numbers == sorted(numbers), "pictures out of order: the counter is misread"
    assert numbers[0] >= 0 and numbers[-1] < len(track.made)
    delays = [(at - track.made[n]) * 1000 for n, at in shown[20:]]
    assert min(delays) > 0, "shown before it was made: the clocks do not agree"
    middle, worst = statistics.median(delays), sorted(delays)[int(len(delays) * 0.95)]
    print(f"\nlatency {who} {codec}: median {middle:.1f} ms, 95 % {worst:.1f} ms, {len(delays)} pictures")
    assert middle < 1500, "far beyond what a busy machine explains"


def prefer(pc, codec):
    pc.getTransceivers()[0].setCodecPreferences(
        [c for c in rtc.RTCRtpSender.getCapabilities("video").codecs if c.name in (codec, "rtx")]
    )


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_our_receiver(codec):
    async def main():
        track = Counter()
        p, q = rtc.RTCPeerConnection(), rtc.RTCPeerConnection()
        p.addTrack(track)
        prefer(p, codec)
        tracks, shown = [], []
        q.on("track", tracks.append)
        await negotiate(p, q)
        await connected(p, q)
        while len(shown) < 100:
            frame = await asyncio.wait_for(tracks[0].recv(), 10)
            at = time.time()
            plane = frame.to_ndarray()
            n = 0
            for i in range(BITS):
                n = n * 2 + int(plane[SIDE // 2, i * SIDE + SIDE // 2] > 128)
            shown.append((n, at))
        judge(track, shown, "ours", codec)
        await p.close()
        await q.close()

    run(main(), 60)


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_chromium(codec):
    api = pytest.importorskip("playwright.async_api")

    async def main():
        async with api.async_playwright() as w:
            browser = await w.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
            try:
                page = await browser.new_page()
                await page.set_content(PAGE)
                track = Counter()
                pc = rtc.RTCPeerConnection()
                pc.addTrack(track)
                prefer(pc, codec)
                await pc.setLocalDescription(await pc.createOffer())
                sdp = await page.evaluate("sdp => answer(sdp)", pc.localDescription.sdp)
                await pc.setRemoteDescription(rtc.RTCSessionDescription(sdp, "answer"))
                end = time.monotonic() + 40
                while await page.evaluate("shown.length") < 100:
                    assert time.monotonic() < end, "no pictures"
                    await asyncio.sleep(0.2)
                shown = await page.evaluate("shown")
                judge(track, [(int(n), at) for n, at in shown], "Chromium", codec)
                await pc.close()
            finally:
                await browser.close()

    run(main(), 80)
