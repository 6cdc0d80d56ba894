# ruff: noqa: B023
"""Questions of values, tracks and events."""

import asyncio
import dataclasses
import fractions
import importlib
import inspect
import time

import av
from webrtc_ask import ask, atell, exceptions, module, plain, rtc, streams, tell

# Values.


@ask
async def exports():
    ours = ("AudioFrame", "VideoFrame", "EncodedPacket", "MissingExtraError")
    names = [n for n in dir(rtc) if not n.startswith("_") and isinstance(getattr(rtc, n), type)]
    names = [n for n in names if n not in ours]
    return {
        "version": isinstance(rtc.__version__, str),
        "modules": {n: getattr(rtc, n).__module__ for n in names},
        "errors": {
            n: [b.__name__ for b in getattr(exceptions, n).__mro__]
            for n in ("InternalError", "InvalidAccessError", "InvalidStateError", "OperationError")
        },
        "stream error": [b.__name__ for b in rtc.MediaStreamError.__mro__],
    }


@ask
async def dataclass_values():
    d, c = rtc.RTCSessionDescription, rtc.RTCIceCandidate
    one = c(1, "f", "1.2.3.4", 5, 6, "udp", "host")
    out = {
        "repr": [
            repr(d("x", "offer")),
            repr(d(type="answer", sdp="y")),
            repr(one),
            repr(rtc.RTCConfiguration()),
            repr(rtc.RTCIceServer("stun:a")),
            repr(rtc.RTCIceServer(urls=["turn:a", "turn:b"], username="u", credential="c")),
            repr(
                rtc.RTCConfiguration(
                    [rtc.RTCIceServer("stun:a")], bundlePolicy=rtc.RTCBundlePolicy.MAX_BUNDLE
                )
            ),
            repr(rtc.RTCConfiguration(iceServers=[], iceTransportPolicy=rtc.RTCIceTransportPolicy.RELAY)),
            repr(rtc.RTCRtpCodecCapability("video/VP8", 90000)),
            repr(rtc.RTCRtpHeaderExtensionCapability("urn:x")),
            repr(rtc.RTCRtpCapabilities()),
            repr(rtc.RTCRtpCodecParameters("audio/opus", 48000, 2, 111)),
            repr(rtc.RTCRtpParameters()),
            repr(rtc.RTCRtcpParameters()),
            repr(rtc.RTCRtpHeaderExtensionParameters(1, "u")),
            repr(rtc.RTCDtlsFingerprint("sha-256", "AA")),
            repr(rtc.RTCDtlsParameters()),
            repr(rtc.RTCIceParameters()),
            repr(rtc.RTCSctpCapabilities(65536)),
            repr(rtc.RTCDataChannelParameters()),
            repr(rtc.RTCStatsReport()),
        ],
        "str": [
            str(rtc.RTCRtpCodecParameters(f"audio/{n}", r, k))
            for n, r, k in (("opus", 48000, 2), ("PCMU", 8000, 1), ("G722", 8000, None), ("x", 1, 6))
        ],
        "name": [
            rtc.RTCRtpCodecCapability("video/VP8", 90000).name,
            rtc.RTCRtpCodecParameters("video/rtx", 90000).name,
        ],
        "eq": [
            one == c(1, "f", "1.2.3.4", 5, 6, "udp", "host"),
            one == c(2, "f", "1.2.3.4", 5, 6, "udp", "host"),
            d("a", "offer") == d("a", "offer"),
            d("a", "offer") == d("a", "answer"),
            d("a", "offer") == ("a", "offer"),
        ],
        "hash": [tell(hash, one), tell(hash, d("a", "offer")), tell(hash, rtc.RTCIceServer("x"))],
        "bad": [
            tell(d, "x", "promise"),
            tell(d, "x"),
            tell(d),
            tell(d, sdp="x", type="Offer"),
            tell(d, "x", None),
            tell(c),
            tell(c, 1),
            tell(rtc.RTCIceServer),
            tell(rtc.RTCConfiguration, foo=1),
            tell(rtc.RTCConfiguration, [], foo=1),
            tell(rtc.RTCRtpCodecCapability, "video/VP8"),
        ],
        "types": [tell(d, "x", t) for t in ("offer", "pranswer", "answer", "rollback")],
        "set": [],
        "enums": [
            plain(list(rtc.RTCBundlePolicy)),
            plain(list(rtc.RTCIceTransportPolicy)),
            tell(rtc.RTCBundlePolicy, "balanced"),
            tell(rtc.RTCBundlePolicy, "x"),
            tell(rtc.RTCIceTransportPolicy, "relay"),
        ],
        "asdict": plain(dataclasses.asdict(one)),
    }
    one.sdpMid, one.sdpMLineIndex = "0", 0
    out["set"] = repr(one)
    v = d("a", "offer")
    v.sdp, v.type = "b", "nonsense"
    out["assign"] = repr(v)
    return out


@ask
async def capabilities():
    out = {}
    for side in (rtc.RTCRtpSender, rtc.RTCRtpReceiver):
        for kind in ("audio", "video", "bogus", "", None, "AUDIO"):
            out[f"{side.__name__} {kind}"] = tell(lambda s=side, k=kind: repr(s.getCapabilities(k)))
    first, second = (rtc.RTCRtpSender.getCapabilities("video") for _ in range(2))
    out["same"] = [first is second, first == second, first.codecs is second.codecs]
    out["sctp"] = repr(rtc.RTCSctpTransport.getCapabilities())
    out["stun"] = repr(rtc.RTCIceGatherer.getDefaultIceServers())
    return out


@ask
async def timebases():
    F = fractions.Fraction
    return [
        tell(streams.convert_timebase, *a)
        for a in (
            (3000, F(1, 90000), F(1, 1000)),
            (1, F(1, 3), F(1, 3)),
            (-5, F(1, 90000), F(1, 1000)),
            (7, F(1, 48000), F(1, 90000)),
            (2.5, F(1, 8000), F(1, 8000)),
            (1, F(1, 8000), F(0)),
            (None, F(1, 8000), F(1, 90000)),
            (10**15, F(1, 90000), F(1, 48000)),
        )
    ] + [repr((streams.AUDIO_PTIME, streams.VIDEO_CLOCK_RATE, streams.VIDEO_PTIME, streams.VIDEO_TIME_BASE))]


# Tracks.


@ask
async def abstract_track():
    class Half(rtc.MediaStreamTrack):
        kind = "audio"

    class Whole(rtc.MediaStreamTrack):
        async def recv(self):
            return 1

    class Instance(Whole):
        def __init__(self):
            super().__init__()
            self.kind = "video"

    class Lazy(Whole):
        def __init__(self):
            pass

    w = Whole()
    return [
        tell(rtc.MediaStreamTrack),
        tell(Half),
        w.kind,
        Instance().kind,
        w.readyState,
        len(w.id),
        await w.recv(),
        tell(Whole, 1),
        rtc.MediaStreamTrack.kind,
        tell(setattr, w, "id", "x"),
        tell(setattr, w, "readyState", "x"),
        rtc.AudioStreamTrack.kind,
        rtc.VideoStreamTrack.kind,
        tell(lambda: Lazy().id),
        tell(lambda: Lazy().readyState),
        tell(lambda: Lazy().stop()),
        inspect.isabstract(rtc.MediaStreamTrack),
        sorted(rtc.MediaStreamTrack.__abstractmethods__),
    ]


@ask
async def stopping_a_track():
    out = []
    for t in (rtc.AudioStreamTrack(), rtc.VideoStreamTrack()):
        log = []

        @t.on("ended")
        def ended(*a, log=log, t=t):
            log.append((a, t.readyState, len(t.listeners("ended"))))

        t.once("ended", lambda: log.append("once"))
        t.on("other", lambda: None)
        out += [
            callable(ended),
            t.readyState,
            tell(t.stop),
            t.readyState,
            list(log),
            tell(t.stop),
            list(log),
            plain(t.event_names()),
        ]
        t.on("ended", lambda: log.append("late"))
        out += [tell(t.stop), list(log), await atell(t.recv())]
        try:
            await t.recv()
        except rtc.MediaStreamError as e:
            out += [e.args, str(e)]
        if t.kind == "video":
            out.append(await atell(t.next_timestamp()))
    return out


@ask
async def silence_and_green():
    out = []
    for t in (rtc.AudioStreamTrack(), rtc.VideoStreamTrack()):
        out.append(sorted(k for k in vars(t) if k in ("_start", "_timestamp")))
        for _ in range(3):
            f = await t.recv()
            out.append(
                [
                    f.pts,
                    str(f.time_base),
                    f.time,
                    type(f).__name__,
                    f.format.name,
                    f.is_corrupt,
                    [len(bytes(p)) for p in f.planes],
                    [any(bytes(p)) for p in f.planes],
                ]
            )
            if t.kind == "audio":
                out.append([f.samples, f.sample_rate, f.layout.name])
            else:
                out.append([f.width, f.height, f.to_ndarray(format="rgb24")[7, 9].tolist()])
        out.append([t._timestamp, abs(t._start - time.time()) < 5])
    return out


@ask
async def own_timestamps():
    """Programs that copy the idiom of a clock into their subclass."""

    class Own(rtc.VideoStreamTrack):
        async def next_timestamp(self):
            if hasattr(self, "_timestamp"):
                self._timestamp += 3000
                await asyncio.sleep(self._start + self._timestamp / 90000 - time.time())
            else:
                self._start = time.time()
                self._timestamp = 0
            return self._timestamp, fractions.Fraction(1, 90000)

    class Audio(rtc.AudioStreamTrack):
        async def recv(self):
            if hasattr(self, "_timestamp"):
                self._timestamp += 160
            else:
                self._start = time.time()
                self._timestamp = 0
            f = av.AudioFrame(format="s16", layout="mono", samples=160)
            f.pts, f.sample_rate, f.time_base = self._timestamp, 8000, fractions.Fraction(1, 8000)
            return f

    t, a = Own(), Audio()
    return [(await t.recv()).pts for _ in range(3)], [(await a.recv()).pts for _ in range(3)]


@ask
async def pts_of_next_timestamp():
    class Sub(rtc.VideoStreamTrack):
        async def recv(self):
            pts, base = await self.next_timestamp()
            f = av.VideoFrame(16, 16, "rgb24")
            f.pts, f.time_base = pts, base
            return f

    t = Sub()
    out = [plain(await t.next_timestamp()) for _ in range(2)]
    out += [(await t.recv()).pts, t.kind, t.readyState]
    return out


@ask
async def emitter():
    E = (
        module("events").AsyncIOEventEmitter
        if hasattr(module("events"), "AsyncIOEventEmitter")
        else importlib.import_module("pyee.asyncio").AsyncIOEventEmitter
    )
    e, log = E(), []
    out = [
        tell(e.emit, "x"),
        tell(e.emit, "error", ValueError("v")),
        tell(e.emit, "error"),
        tell(e.emit, "error", 3),
    ]

    @e.on("a")
    def one(*args, **kw):
        log.append(("one", args, kw))

    @e.once("a")
    def two(*args):
        log.append(("two", args))

    out += [
        one.__name__,
        two.__name__,
        e.emit("a", 1, k=2) if False else e.emit("a", 1),
        e.emit("a", 2, k=3),
        list(log),
    ]
    out += [
        tell(e.remove_listener, "a", two),
        tell(e.remove_listener, "b", one),
        tell(e.remove_listener, "a", one),
        plain(e.event_names()),
    ]
    e.on("b", one)
    e.on("b", one)
    out += [
        len(e.listeners("b")),
        e.add_listener("c", one) is one,
        plain(e.event_names()),
        len(e.listeners("none")),
    ]

    def bad():
        raise KeyError("k")

    e.on("d", bad)
    e.on("d", lambda: log.append("after"))
    out += [tell(e.emit, "d"), log[-1]]
    errors = []
    e.on("error", lambda x: errors.append(repr(x)))
    out += [tell(e.emit, "d"), list(errors)]

    async def slow(n):
        await asyncio.sleep(0)
        log.append(("slow", n))

    async def fails():
        raise ValueError("async")

    e.on("f", slow)
    e.on("g", fails)
    out += [e.emit("f", 5), log[-1] == ("slow", 5)]
    await asyncio.sleep(0.01)
    out += [log[-1], e.emit("g"), list(errors)]
    await asyncio.sleep(0.01)
    out += [list(errors)]
    e.remove_all_listeners("f")
    out += [e.emit("f", 6), plain(e.event_names())]
    e.remove_all_listeners()
    out += [plain(e.event_names()), tell(e.remove_all_listeners, "nothing")]
    return plain(out)
