"""What the questions to packages of aiortc's surface share: see webrtc_answers.py."""

import asyncio
import contextlib
import enum
import fractions
import importlib
import re
import sys
import tempfile
import time

import av

ROOT = sys.argv[1]
rtc = importlib.import_module(ROOT)


def module(name):
    return importlib.import_module(f"{ROOT}.{name}")


media = module("contrib.media")
streams = module("mediastreams")
sdp = module("sdp")
exceptions = module("exceptions")
stats = module("stats")
parameters = module("rtcrtpparameters")

QUESTIONS = {}


def ask(f):
    QUESTIONS[f.__name__] = f
    return f


def clean(text):
    text = str(text).replace(ROOT + ".", "PKG.").replace(ROOT, "PKG")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\{[0-9a-f-]{36}\}", "UUID", text)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/\w+", "DIR", text)
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    text = re.sub(r"^o=- \d+ \d+", "o=- N N", text, flags=re.M)
    text = re.sub(r"ssrc:\d+", "ssrc:N", text)
    text = re.sub(r"FID \d+ \d+", "FID N N", text)
    text = re.sub(r"a=ice-(ufrag|pwd):\S+", r"a=ice-\1:X", text)
    text = re.sub(r"(sha-\d+) [0-9A-F:]{20,}", r"\1 X", text)
    text = re.sub(r"a=candidate:\S+ (\d) udp \d+ \S+ \d+ typ (\w+)", r"a=candidate: \1 udp \2", text)
    text = re.sub(r"\r\n", "\n", text)
    # How many addresses there are is the machine's.
    text = re.sub(r"(a=candidate: 1 udp host\n)+", "a=candidate: 1 udp host\n", text)
    text = re.sub(r"^m=(\w+) (?!9 |0 )\d+", r"m=\1 P", text, flags=re.M)
    text = re.sub(r"^c=IN IP[46] (?!0\.0\.0\.0)\S+", "c=IN A", text, flags=re.M)
    return re.sub(r"^a=rtcp:(?!9 )\d+ IN IP[46] \S+", "a=rtcp:P", text, flags=re.M)


def plain(x):
    if isinstance(x, (type(None), bool, int)):
        return x
    if isinstance(x, float):
        return round(x, 6)
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, (list, tuple)):
        return [plain(i) for i in x]
    if isinstance(x, (set, frozenset)):
        return sorted(plain(i) for i in x)
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, enum.Enum):
        return f"{type(x).__name__}.{x.name}={x.value}"
    if isinstance(x, fractions.Fraction):
        return str(x)
    return clean(x)


def raised(e):
    kinds = [
        c.__name__
        for c in type(e).__mro__
        if c.__module__.split(".")[0] in (ROOT.split(".")[0], "builtins", "av")
    ]
    return ["raises", next(k for k in kinds if k not in ("TstError", "EventError")), clean(e)]


def tell(f, *args, **kwargs):
    """What a call gives or raises."""
    try:
        return plain(f(*args, **kwargs))
    except Exception as e:
        return raised(e)


async def atell(f, limit=20):
    try:
        return plain(await asyncio.wait_for(f, limit))
    except Exception as e:
        return raised(e)


EVENTS = (
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
)


class Logged:
    """A connection whose events are written down."""

    def __init__(self, configuration=None, **kw):
        self.pc = rtc.RTCPeerConnection(configuration, **kw)
        self.log = []
        self.tracks = []
        self.channels = []
        for e in EVENTS:
            self.pc.on(e, lambda e=e: self.log.append([e[:-11], *self.states()]))
        self.pc.on("track", self.track)
        self.pc.on("datachannel", self.channel)

    def states(self):
        p = self.pc
        return [p.signalingState, p.iceGatheringState, p.iceConnectionState, p.connectionState]

    def track(self, t):
        self.tracks.append(t)
        self.log.append(["track", t.kind, t.readyState, self.pc.signalingState])

    def channel(self, c):
        self.channels.append(c)
        self.log.append(["datachannel", c.label, c.readyState])

    def transceivers(self):
        return [
            [
                t.kind,
                t.direction,
                t.currentDirection,
                t.mid,
                t.stopped,
                t.sender.track is not None,
                t.receiver.track.kind if t.receiver.track else None,
            ]
            for t in self.pc.getTransceivers()
        ]


async def until(condition, limit=30.0):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("not within the time given")
        await asyncio.sleep(0.005)


async def negotiate(p, q):
    await p.setLocalDescription(await p.createOffer())
    await q.setRemoteDescription(p.localDescription)
    await q.setLocalDescription(await q.createAnswer())
    await p.setRemoteDescription(q.localDescription)


async def joined(a, b):
    await negotiate(a.pc, b.pc)
    await until(lambda: a.pc.connectionState == b.pc.connectionState == "connected")


async def shut(*pcs):
    for p in pcs:
        with contextlib.suppress(AttributeError):  # a connection that a broken description left half made
            await asyncio.wait_for(p.close(), 10)


class Noise(rtc.MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.n = 0

    async def recv(self):
        if self.readyState != "live":
            raise rtc.MediaStreamError
        await asyncio.sleep(0.02)
        f = av.AudioFrame(format="s16", layout="stereo", samples=960)
        f.planes[0].update(bytes(3840))
        f.pts, f.sample_rate, f.time_base = self.n * 960, 48000, fractions.Fraction(1, 48000)
        self.n += 1
        return f


class Small(rtc.VideoStreamTrack):
    async def recv(self):
        pts, base = await self.next_timestamp()
        f = av.VideoFrame(64, 48, "yuv420p")
        for p in f.planes:
            p.update(bytes(p.buffer_size))
        f.pts, f.time_base = pts, base
        return f
