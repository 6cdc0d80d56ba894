"""Questions of players, recorders and relays."""

import asyncio
import fractions
import io
import os
import tempfile
import time
import warnings

import av
import numpy as np
from webrtc_ask import Noise, ask, atell, media, raised, rtc, tell, until

# Media.


def clip(
    path,
    video="libx264",
    audio="aac",
    seconds=1.0,
    rate=48000,
    layout="stereo",
    fmt=None,
    size=(64, 48),
    bframes=0,
    fps=30,
):
    with av.open(path, "w", format=fmt) as c:
        v = a = None
        if video:
            v = c.add_stream(video, rate=fps)
            v.width, v.height, v.pix_fmt = *size, "yuv420p" if video != "png" else "rgb24"
            v.options = {"bf": str(bframes), "g": "15"} if video in ("libx264", "libx265") else {}
        if audio:
            a = c.add_stream(audio, rate=rate)
            a.layout = layout
        frames = []
        for n in range(int(seconds * fps) if v else 0):
            f = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), (n * 8) % 256, np.uint8), "rgb24")
            f.pts, f.time_base = n, fractions.Fraction(1, fps)
            frames.append((n / fps, v, f))
        step = (a.codec_context.frame_size or 1024) if a else 1024
        channels = {"mono": 1, "stereo": 2}[layout]
        for n in range(int(seconds * rate / step) if a else 0):
            x = (
                (np.sin((np.arange(step * channels) + n * step * channels) * 0.05) * 8000)
                .astype(np.int16)
                .reshape(1, -1)
            )
            f = av.AudioFrame.from_ndarray(x, "s16", layout)
            f.sample_rate, f.pts, f.time_base = rate, n * step, fractions.Fraction(1, rate)
            frames.append((n * step / rate, a, f))
        for _, s, f in sorted(frames, key=lambda t: t[0]):
            c.mux(s.encode(f))
        for s in (v, a):
            if s:
                c.mux(s.encode(None))
    return path


def describe(x):
    if isinstance(x, av.AudioFrame):
        return ["A", x.pts, str(x.time_base), x.samples, x.sample_rate, x.format.name, x.layout.name]
    if isinstance(x, av.VideoFrame):
        return ["V", x.pts, str(x.time_base), x.width, x.height, x.format.name]
    # The times of decoding are left as the container has them by theirs, and moved with the others by ours.
    return ["P", x.pts, str(x.time_base), bool(x.is_keyframe)]


async def everything(track, limit=400):
    out = []
    try:
        while len(out) < limit:
            out.append(describe(await asyncio.wait_for(track.recv(), 10)))
    except rtc.MediaStreamError:
        out.append("end")
    except Exception as e:
        out.append(raised(e))
    return out


@ask
async def players(names=None):
    out = {}
    with tempfile.TemporaryDirectory() as d:
        clips = {
            "a.wav": {"video": None, "audio": "pcm_s16le", "rate": 8000, "layout": "mono"},
            "b.mp4": {},
            "c.ts": {},
            "d.mkv": {"audio": "libopus"},
            "e.webm": {"video": "libvpx", "audio": "libopus"},
            "f.ogg": {"video": None, "audio": "libopus"},
            "g.mp3": {"video": None, "audio": "mp3", "rate": 44100},
            "h.mp4": {"audio": None, "fps": 25},
            "i.wav": {"video": None, "audio": "pcm_alaw", "rate": 8000, "layout": "mono"},
            "j.ts": {"bframes": 2, "audio": None},
            "k.wav": {"video": None, "audio": "pcm_mulaw", "rate": 8000, "layout": "mono"},
        }

        async def play(name, path, decode):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                p = media.MediaPlayer(path, decode=decode)
            tracks = [t for t in (p.audio, p.video) if t]
            r = out[f"{name} {decode}"] = [[t.kind, type(t).__name__, t.readyState] for t in tracks]
            r += await asyncio.gather(*map(everything, tracks))
            r += [(t.readyState, await atell(t.recv())) for t in tracks]

        paths = {n: clip(os.path.join(d, n), **{"seconds": 0.6, **kw}) for n, kw in clips.items()}
        await asyncio.gather(*(play(n, p, decode) for n, p in paths.items() for decode in (True, False)))
        out["missing"] = tell(media.MediaPlayer, os.path.join(d, "none.mp4"))
        out["subclass"] = isinstance(
            await kept(media.MediaPlayer, os.path.join(d, "none.mp4")), FileNotFoundError
        )
        out["folder"] = tell(media.MediaPlayer, d)
        with open(os.path.join(d, "junk.mp4"), "wb") as f:
            f.write(b"junk" * 1000)
        out["junk"] = tell(media.MediaPlayer, os.path.join(d, "junk.mp4"))
        out["bad format"] = tell(media.MediaPlayer, os.path.join(d, "a.wav"), format="nonesuch")
        out["args"] = [tell(media.MediaPlayer), tell(media.MediaPlayer, "x", "y", {}, 1, False, True, 3)]
        with open(os.path.join(d, "a.wav"), "rb") as f:
            p = media.MediaPlayer(io.BytesIO(f.read()))
        out["file object"] = (await everything(p.audio))[:3]
        p = media.MediaPlayer(
            os.path.join(d, "a.wav"), format="wav", options={"ignore_length": "1"}, timeout=5
        )
        out["options"] = (await everything(p.audio))[-2:]
        p = media.MediaPlayer("testsrc=size=32x16:rate=30:duration=0.2", format="lavfi")
        out["lavfi"] = await everything(p.video)
        p = media.MediaPlayer("sine=frequency=440:duration=0.1", format="lavfi")
        out["lavfi audio"] = await everything(p.audio)
    return out


async def kept(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return e


@ask
async def player_loops():
    out = {}
    with tempfile.TemporaryDirectory() as d:
        audio = {"video": None, "rate": 8000, "layout": "mono", "seconds": 0.3}
        clips = {
            "a.wav": {**audio, "audio": "pcm_s16le"},
            "c.ts": {"audio": None, "seconds": 0.5},
            "b.mp4": {"audio": None, "seconds": 0.5},
            "o.ogg": {"video": None, "audio": "libopus", "seconds": 0.3},
            "i.wav": {**audio, "audio": "pcm_alaw"},
        }

        async def play(name, path, decode):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                p = media.MediaPlayer(path, loop=True, decode=decode)
            t = p.audio or p.video
            got = await everything(t, 24)
            # Theirs begin anew with each pass, ours go on: what is paced by its time has to.
            out[f"{name} {decode}"] = [x[:1] + x[2:4] if isinstance(x, list) else x for x in got]
            t.stop()

        paths = {n: clip(os.path.join(d, n), **kw) for n, kw in clips.items()}
        plays = [(n, p, decode) for n, p in paths.items() for decode in (True, False)]
        for x in plays:
            if x[0] != "a.wav" or x[2]:
                await play(*x)
        out["no duration"] = [
            tell(media.MediaPlayer, "testsrc=size=32x16:rate=30", format="lavfi", loop=True)
        ]
    return out


@ask
async def player_stops():
    out = []
    with tempfile.TemporaryDirectory() as d:
        path = clip(os.path.join(d, "b.mp4"), seconds=2)
        p = media.MediaPlayer(path)
        await p.audio.recv()
        ends = []
        p.audio.on("ended", lambda: ends.append("audio"))
        p.audio.stop()
        out += [p.audio.readyState, p.video.readyState, ends[:], await atell(p.audio.recv())]
        p.video.stop()
        out += [p.video.readyState, await atell(p.video.recv()), p.video is not None]
        # Paced: a second and a half of media takes that long.
        p = media.MediaPlayer(path)
        t0 = time.monotonic()
        for _ in range(31):
            f = await p.video.recv()
        out += [f.pts * f.time_base == 1, time.monotonic() - t0 > 0.9]
        p.video.stop()
        p.audio.stop()
    return out


@ask
async def recorders():
    out = {}

    class Limited(Noise):
        def __init__(self, frames, rate=48000, layout="stereo", fmt="s16"):
            super().__init__()
            self.left, self.rate, self.layout, self.fmt = frames, rate, layout, fmt

        async def recv(self):
            if self.left == 0:
                self.stop()
                raise rtc.MediaStreamError
            self.left -= 1
            f = av.AudioFrame(format=self.fmt, layout=self.layout, samples=self.rate // 50)
            for p in f.planes:
                p.update(bytes(p.buffer_size))
            f.pts, f.sample_rate, f.time_base = (
                self.n * self.rate // 50,
                self.rate,
                fractions.Fraction(1, self.rate),
            )
            self.n += 1
            return f

    class Pictures(rtc.MediaStreamTrack):
        kind = "video"

        def __init__(self, frames, size=(64, 48), fmt="yuv420p"):
            super().__init__()
            self.left, self.n, self.size, self.fmt = frames, 0, size, fmt

        async def recv(self):
            if self.left == 0:
                self.stop()
                raise rtc.MediaStreamError
            self.left -= 1
            f = av.VideoFrame(*self.size, self.fmt)
            for p in f.planes:
                p.update(bytes(p.buffer_size))
            f.pts, f.time_base = self.n * 3000, fractions.Fraction(1, 90000)
            self.n += 1
            return f

    cases = {
        "a.wav": lambda: [Limited(25)],
        "b.mp3": lambda: [Limited(25)],
        "c.ogg": lambda: [Limited(25)],
        "d.mp4": lambda: [Pictures(15), Limited(25)],
        "e.webm": lambda: [Pictures(15)],
        "f.mkv": lambda: [Pictures(15), Limited(25)],
        "g-%02d.png": lambda: [Pictures(3)],
        "h.mp4": lambda: [Limited(25, 8000, "mono")],
        "i.ts": lambda: [Pictures(15)],
        "j.mp4": lambda: [Pictures(15, (128, 96), "rgb24")],
        "k.wav": lambda: [Limited(25, 8000, "mono")],
        "l.m4a": lambda: [Limited(25)],
        "m.mov": lambda: [Pictures(10)],
        "n.avi": lambda: [Pictures(10)],
        "p.aac": lambda: [Limited(25)],
        "q.webm": lambda: [Limited(25)],
    }
    with tempfile.TemporaryDirectory() as d:

        async def record(name, make):
            path = os.path.join(d, name)
            r = out[name] = []
            try:
                rec = media.MediaRecorder(path)
                tracks = make()
                for t in tracks:
                    r.append(tell(rec.addTrack, t))
                r.append(await atell(rec.start()))
                await until(lambda: all(t.readyState == "ended" for t in tracks))
                await asyncio.sleep(0.8)  # for what was read last to be encoded
                r.append(await atell(rec.stop()))
                r.append(await atell(rec.stop()))
                if "%" in name:
                    r.append(sorted(os.listdir(d)))
                    r[-1] = [n for n in r[-1] if n.startswith("g-")]
                    path = os.path.join(d, r[-1][0])
                with av.open(path) as c:
                    for s in c.streams:
                        n = size = 0
                        for f in c.decode(s):
                            n += 1
                            size += getattr(f, "samples", 0)
                        c.seek(0)
                        cc = s.codec_context
                        r.append(
                            [s.type, cc.name, n, size]
                            + (
                                [cc.sample_rate, cc.layout.name, cc.format.name]
                                if s.type == "audio"
                                else [cc.width, cc.height, cc.pix_fmt, str(s.average_rate)]
                            )
                        )
            except Exception as e:
                r.append(raised(e))

        await asyncio.gather(*(record(*x) for x in cases.items()))
        out["bad folder"] = tell(media.MediaRecorder, os.path.join(d, "none", "x.mp4"))
        out["bad name"] = tell(media.MediaRecorder, os.path.join(d, "x.nonesuch"))
        out["bad format"] = tell(media.MediaRecorder, os.path.join(d, "x.mp4"), format="nonesuch")
        buf = io.BytesIO()
        rec = media.MediaRecorder(buf, format="wav")
        t = Limited(10)
        rec.addTrack(t)
        await rec.start()
        await until(lambda: t.readyState == "ended")
        await asyncio.sleep(0.1)
        await rec.stop()
        out["buffer"] = len(buf.getvalue())
        out["twice"] = []
        rec = media.MediaRecorder(os.path.join(d, "t.wav"))
        t = Limited(10)
        rec.addTrack(t)
        out["twice"] += [tell(rec.addTrack, t)] if False else []
        out["twice"] += [await atell(rec.start()), await atell(rec.start())]
        await until(lambda: t.readyState == "ended")
        out["twice"] += [await atell(rec.stop()), tell(rec.addTrack, Limited(1)), await atell(rec.start())]
        rec = media.MediaRecorder(os.path.join(d, "u.wav"))
        out["never started"] = [await atell(rec.stop()), os.path.exists(os.path.join(d, "u.wav"))]
        rec = media.MediaRecorder(os.path.join(d, "v.wav"))
        t = Limited(-1)
        rec.addTrack(t)
        out["not ended"] = [await atell(rec.stop()), t.readyState]
    return out


@ask
async def blackholes():
    out = []
    h = media.MediaBlackhole()
    t, u = Noise(), Noise()
    out += [tell(h.addTrack, t), tell(h.addTrack, t), await atell(h.start()), await atell(h.start())]
    h.addTrack(u)
    await until(lambda: t.n > 2)
    out += [u.n, await atell(h.start())]
    await until(lambda: u.n > 1)
    out += [await atell(h.stop()), t.readyState, u.readyState]
    n = t.n
    await asyncio.sleep(0.1)
    out += [t.n <= n + 1, await atell(h.stop()), tell(media.MediaBlackhole, 1)]
    h = media.MediaBlackhole()
    t = Noise()
    h.addTrack(t)
    await h.start()
    t.stop()
    await asyncio.sleep(0.05)
    out += [await atell(h.stop())]
    return out


@ask
async def relays():
    class Counted(rtc.MediaStreamTrack):
        kind = "video"
        n = 0

        def __init__(self, last):
            super().__init__()
            self.last = last
            self.gate = asyncio.Semaphore(0)

        async def recv(self):
            await self.gate.acquire()
            if self.n == self.last:
                self.stop()
                raise rtc.MediaStreamError
            self.n += 1
            f = av.VideoFrame(16, 16, "rgb24")
            f.pts, f.time_base = self.n, fractions.Fraction(1, 30)
            return f

    out = []
    src = Counted(5)
    relay = media.MediaRelay()
    one, two, three = relay.subscribe(src), relay.subscribe(src), relay.subscribe(src, buffered=False)
    out += [
        one.kind,
        one.id != src.id,
        one.id != two.id,
        type(one).__name__,
        one.readyState,
        src.n,
        isinstance(one, rtc.MediaStreamTrack),
    ]
    src.gate.release()
    r1 = asyncio.ensure_future(one.recv())
    r2 = asyncio.ensure_future(two.recv())
    r3 = asyncio.ensure_future(three.recv())
    a, b, c = await r1, await r2, await r3
    out += [a is b, a is c, a.pts]
    for _ in range(3):
        src.gate.release()
        n = src.n
        await until(lambda n=n: src.n == n + 1)
        await asyncio.sleep(0.01)
    out += [
        (await one.recv()).pts,
        (await one.recv()).pts,
        (await one.recv()).pts,
        (await three.recv()).pts if False else None,
    ]
    ends = []
    for name, t in (("one", one), ("two", two), ("three", three)):
        t.on("ended", lambda name=name: ends.append(name))
    one.stop()
    out += [ends[:], one.readyState, src.readyState, await atell(one.recv())]
    src.gate.release()
    await until(lambda: src.n == 5)
    src.gate.release()
    await until(lambda: src.readyState == "ended")
    await asyncio.sleep(0.01)
    out += [two.readyState, three.readyState]
    got = []
    try:
        while True:
            got.append((await asyncio.wait_for(two.recv(), 3)).pts)
    except rtc.MediaStreamError:
        got.append("end")
    out += [got, two.readyState]
    late = relay.subscribe(src)
    out += [late.readyState, await atell(late.recv(), 2), late.readyState]
    out += [tell(relay.subscribe), tell(media.MediaRelay, 1)]
    return out
