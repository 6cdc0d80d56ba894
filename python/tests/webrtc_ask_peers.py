# ruff: noqa: B023
"""Questions of connections and data channels."""

import asyncio
import contextlib
import dataclasses
import itertools
import re
import time

from webrtc_ask import (
    Logged,
    Noise,
    Small,
    ask,
    atell,
    clean,
    joined,
    negotiate,
    plain,
    raised,
    rtc,
    shut,
    tell,
    until,
)


@ask
async def a_new_connection():
    L = Logged()
    p = L.pc
    out = [
        L.states(),
        p.localDescription,
        p.remoteDescription,
        p.sctp,
        p.getSenders(),
        p.getReceivers(),
        p.getTransceivers(),
        [type(s).__name__ for s in (await p.getStats()).values()],
        tell(rtc.RTCPeerConnection, 1, 2),
        tell(rtc.RTCPeerConnection, foo=1),
        [tell(setattr, p, n, 1) for n in ("connectionState", "localDescription", "sctp")],
    ]
    await shut(p)
    return [*out, L.states(), L.log, plain(p.event_names())]


@ask
async def orders_of_events():
    out = {}
    for name in ("audio", "video", "both", "data", "all", "nothing answered"):
        a, b = Logged(), Logged()
        if name in ("audio", "both", "all"):
            a.pc.addTrack(Noise())
            if name == "both":
                b.pc.addTrack(Noise())
        if name in ("video", "both", "all"):
            a.pc.addTrack(Small())
        if name in ("data", "all"):
            a.pc.createDataChannel("x")
        if name == "nothing answered":
            a.pc.addTransceiver("audio", "sendonly")
        await joined(a, b)
        if name in ("data", "all"):
            await until(lambda: b.channels)
        before = [a.transceivers(), b.transceivers()]
        await a.pc.close()
        await until(lambda: b.pc.connectionState == "closed")
        await b.pc.close()

        # Which of datachannel and the states of its side comes first is a race.
        def keep(log):
            return [e for e in log if e[0] != "datachannel"]

        out[name] = [keep(a.log), keep(b.log), before, a.transceivers(), b.transceivers()]
    return out


@ask
async def offers():
    out = {}
    cases = {
        "nothing": lambda p: None,
        "audio": lambda p: p.addTrack(rtc.AudioStreamTrack()),
        "video": lambda p: p.addTrack(rtc.VideoStreamTrack()),
        "recvonly": lambda p: p.addTransceiver("video", direction="recvonly"),
        "sendonly": lambda p: p.addTransceiver(rtc.AudioStreamTrack(), direction="sendonly"),
        "inactive": lambda p: p.addTransceiver("audio", direction="inactive"),
        "kind only": lambda p: p.addTransceiver("audio"),
        "two videos": lambda p: [p.addTransceiver("video") for _ in range(2)],
        "video then audio": lambda p: (p.addTransceiver("video"), p.addTrack(rtc.AudioStreamTrack())),
        "data": lambda p: p.createDataChannel("x"),
        "data then audio": lambda p: (p.createDataChannel("x"), p.addTrack(rtc.AudioStreamTrack())),
        "vp8": lambda p: prefer(p, "video", "VP8"),
        "vp8 rtx": lambda p: prefer(p, "video", "VP8", "rtx"),
        "h264 only": lambda p: prefer(p, "video", "H264"),
        "rtx first": lambda p: prefer(p, "video", "rtx", "H264", "VP8"),
        "pcmu": lambda p: prefer(p, "audio", "PCMU", "opus"),
        "empty": lambda p: p.addTransceiver("audio").setCodecPreferences([]),
    }
    for name, make in cases.items():
        p = rtc.RTCPeerConnection()
        make(p)
        o = await p.createOffer()
        again = await p.createOffer()
        out[name] = [
            clean(o.sdp),
            clean(again.sdp) == clean(o.sdp),
            o.type,
            [t.mid for t in p.getTransceivers()],
        ]
        await p.setLocalDescription(o)
        out[name] += [
            clean(p.localDescription.sdp),
            p.localDescription.type,
            [t.mid for t in p.getTransceivers()],
            p.signalingState,
            p.sctp.mid if p.sctp else None,
        ]
        await shut(p)
    for policy in rtc.RTCBundlePolicy:
        p = rtc.RTCPeerConnection(rtc.RTCConfiguration(bundlePolicy=policy))
        p.addTrack(rtc.AudioStreamTrack())
        p.addTrack(rtc.VideoStreamTrack())
        p.createDataChannel("x")
        out[str(policy)] = clean((await p.createOffer()).sdp)
        await shut(p)
    for always in (False, True):
        p = rtc.RTCPeerConnection(rtc.RTCConfiguration(alwaysNegotiateDataChannels=always))
        p.addTrack(rtc.AudioStreamTrack())
        out[f"always {always}"] = clean((await p.createOffer()).sdp)
        await shut(p)
    return out


def prefer(p, kind, *names):
    known = rtc.RTCRtpSender.getCapabilities(kind).codecs
    p.addTransceiver(kind).setCodecPreferences([c for n in names for c in known if c.name == n])


@ask
async def answers():
    out = {}
    adds = {
        "nothing": lambda p: None,
        "audio": lambda p: p.addTrack(Noise()),
        "video": lambda p: p.addTrack(Small()),
        "both": lambda p: (p.addTrack(Noise()), p.addTrack(Small())),
        "transceivers": lambda p: (
            p.addTransceiver("audio", "sendonly"),
            p.addTransceiver("video", "recvonly"),
        ),
        "data": lambda p: p.createDataChannel("x"),
        "pcmu": lambda p: prefer(p, "audio", "PCMU"),
        "vp8": lambda p: prefer(p, "video", "VP8", "rtx"),
        "h264": lambda p: prefer(p, "video", "H264"),
    }
    offers = {
        "av": lambda p: (p.addTrack(Noise()), p.addTrack(Small())),
        "avd": lambda p: (p.addTrack(Noise()), p.addTrack(Small()), p.createDataChannel("x")),
        "recv": lambda p: (p.addTransceiver("audio", "recvonly"), p.addTransceiver("video", "recvonly")),
        "idle": lambda p: (p.addTransceiver("audio", "inactive"), p.addTransceiver("video", "sendonly")),
        "d": lambda p: p.createDataChannel("x"),
        "none": lambda p: None,
    }
    for o, offer in offers.items():
        for k, add in adds.items():
            if o in ("d", "none") and k not in ("nothing", "data"):
                continue  # theirs fails where more is there than was offered
            a, b = Logged(), Logged()
            offer(a.pc)
            add(b.pc)
            await a.pc.setLocalDescription(await a.pc.createOffer())
            out[f"{o} {k}"] = r = [
                await atell(b.pc.setRemoteDescription(a.pc.localDescription)),
                b.transceivers(),
                b.log[:],
            ]
            try:
                answer = await b.pc.createAnswer()
                r += [clean(answer.sdp), answer.type]
                await b.pc.setLocalDescription(answer)
                r += [clean(b.pc.localDescription.sdp), b.transceivers()]
                await a.pc.setRemoteDescription(b.pc.localDescription)
                r += [a.transceivers(), clean(a.pc.remoteDescription.sdp), a.pc.remoteDescription.type]
            except Exception as e:
                r.append(raised(e))
            await shut(a.pc, b.pc)
    return out


@ask
async def calls_in_wrong_states():
    out = {}
    d = rtc.RTCSessionDescription
    for step, (at, kind, remote) in itertools.product(
        range(5), itertools.product((0, 1), ("offer", "answer", ""), (False, True))
    ):
        p, q = rtc.RTCPeerConnection(), rtc.RTCPeerConnection()
        p.addTrack(Noise())
        offer = await p.createOffer()
        if step >= 1:
            await p.setLocalDescription(offer)
        if step >= 2:
            await q.setRemoteDescription(p.localDescription)
        if step >= 3:
            await q.setLocalDescription(await q.createAnswer())
        if step >= 4:
            await p.setRemoteDescription(q.localDescription)
        x = (p, q)[at]
        answer = offer.sdp.replace("actpass", "active")
        if not kind:
            r = await atell(x.createAnswer()) if x.signalingState != "have-remote-offer" else None
        elif remote:
            r = await atell(x.setRemoteDescription(d(offer.sdp if kind == "offer" else answer, kind)))
        elif kind == "answer":
            r = await atell(x.setLocalDescription(d(answer, kind)))
        else:
            r = await atell(x.setLocalDescription()) if x.signalingState != "stable" else None
        out[f"{step} {'pq'[at]} {kind} {remote}"] = [r, x.signalingState]
        await shut(p, q)
    return out


@ask
async def after_close():
    L = Logged()
    p = L.pc
    p.addTrack(Noise())
    offer = await p.createOffer()
    t = p.getTransceivers()[0]
    await p.close()
    return [
        tell(p.addTrack, Noise()),
        tell(p.addTransceiver, "audio"),
        tell(p.createDataChannel, "x"),
        await atell(p.createOffer()),
        await atell(p.createAnswer()),
        await atell(p.setLocalDescription(offer)),
        await atell(p.setLocalDescription()),
        await atell(p.setRemoteDescription(offer)),
        await atell(p.addIceCandidate(None)),
        L.states(),
        len(p.getSenders()),
        len(p.getTransceivers()),
        p.localDescription,
        p.sctp,
        await atell(p.close()),
        L.log,
        t.stopped,
        t.direction,
        t.currentDirection,
        t.sender.track is None,
        sorted({s.type for s in (await p.getStats()).values()}),
        tell(t.sender.replaceTrack, None),
        tell(setattr, t, "direction", "inactive"),
        await atell(t.stop()),
        await atell(t.sender.stop()),
    ]


@ask
async def errors_of_adding():
    p = rtc.RTCPeerConnection()

    class Odd(Noise):
        kind = "smell"

    t = Noise()
    out = [
        tell(p.addTrack, Odd()),
        tell(p.addTransceiver, "smell"),
        tell(p.addTransceiver, "audio", "sideways"),
        tell(p.addTransceiver, "audio", direction=None),
        tell(p.addTransceiver, Odd()),
        tell(p.addTrack, None),
        tell(p.addTransceiver, None),
    ]
    s = p.addTrack(t)
    out += [tell(p.addTrack, t), tell(p.addTransceiver, t), s.track is t, s.kind]
    out += [tell(p.createDataChannel, "x", maxPacketLifeTime=1, maxRetransmits=1)]
    out += [
        tell(lambda i=i: p.createDataChannel("x", negotiated=True, id=i).id)
        for i in (None, -1, 65535, 65534, 0)
    ]
    out += [tell(lambda: p.createDataChannel("x", negotiated=True, id=0).id)]
    x = p.getTransceivers()[0]
    out += [
        tell(x.setCodecPreferences, [rtc.RTCRtpCodecCapability("audio/none", 8000)]),
        tell(setattr, x, "direction", "sideways"),
        x.direction,
        tell(x.setCodecPreferences, rtc.RTCRtpSender.getCapabilities("video").codecs),
        tell(x.setCodecPreferences, rtc.RTCRtpSender.getCapabilities("audio").codecs),
        tell(setattr, x, "mid", "7"),
        tell(setattr, x, "stopped", True),
        tell(s.replaceTrack, Small()),
        tell(s.replaceTrack, None),
        s.track,
    ]
    for c in (
        rtc.RTCIceCandidate(1, "1", "127.0.0.1", 9, 1, "udp", "host"),
        None,
        rtc.RTCIceCandidate(1, "1", "127.0.0.1", 9, 1, "udp", "host", sdpMid="0"),
        rtc.RTCIceCandidate(1, "1", "127.0.0.1", 9, 1, "udp", "host", sdpMLineIndex=0),
        rtc.RTCIceCandidate(1, "1", "127.0.0.1", 9, 1, "udp", "host", sdpMid="9"),
    ):
        out.append(await atell(p.addIceCandidate(c)))
    await shut(p)
    return out


@ask
async def transceivers_live():
    a, b = Logged(), Logged()
    out = []
    t = a.pc.addTransceiver("video")
    out += [
        t.sender.track,
        t.receiver.track is not None,
        tell(lambda: t.receiver.track.kind),
        tell(lambda: t.receiver.track.readyState),
        t.sender.kind,
        tell(lambda: t.sender.transport.state if t.sender.transport else None),
    ]
    s = a.pc.addTrack(Small())
    out += [s is t.sender, a.transceivers()]
    s2 = a.pc.addTrack(Small())
    out += [s2 is s, a.transceivers()]
    r = a.pc.addTransceiver("audio", direction="recvonly")
    s3 = a.pc.addTrack(Noise())
    out += [s3 is r.sender, a.transceivers()]
    await joined(a, b)
    out += [
        a.transceivers(),
        b.transceivers(),
        [x.kind for x in b.tracks],
        [x.id == y.track.id for x, y in zip(b.tracks, a.pc.getSenders(), strict=True)],
    ]
    out += [
        t.sender.transport.state,
        t.sender.transport.transport.state,
        t.sender.transport.transport.role in ("controlling", "controlled"),
        t.sender.transport is t.receiver.transport,
        t.sender.transport.transport.iceGatherer.state,
        len(t.sender.transport.transport.getRemoteCandidates()) > 0,
        len(t.sender.transport.transport.iceGatherer.getLocalCandidates()) > 0,
        type(t.sender.transport.getLocalParameters()).__name__,
        t.sender.transport.getLocalParameters().role,
        [f.algorithm for f in t.sender.transport.getLocalParameters().fingerprints],
        len({id(x.sender.transport) for x in a.pc.getTransceivers()}),
    ]
    out += [
        a.pc.getTransceivers()[0].sender.transport.transport.role,
        b.pc.getTransceivers()[0].sender.transport.transport.role,
    ]
    await shut(a.pc, b.pc)
    out += [
        t.sender.transport.state,
        t.sender.transport.transport.state,
        t.sender.track,
        a.transceivers(),
        b.transceivers(),
    ]
    return out


@ask
async def renegotiation():
    a, b = Logged(), Logged()
    a.pc.addTrack(Noise())
    await joined(a, b)
    a.log.clear(), b.log.clear()
    a.pc.addTrack(Small())
    out = [a.transceivers()]
    await negotiate(a.pc, b.pc)
    out += [
        clean(a.pc.localDescription.sdp),
        clean(b.pc.localDescription.sdp),
        a.transceivers(),
        b.transceivers(),
        list(a.log),
        list(b.log),
    ]
    b.pc.createDataChannel("late")
    await negotiate(b.pc, a.pc)
    await until(lambda: a.channels)
    out += [
        clean(b.pc.localDescription.sdp),
        clean(a.pc.localDescription.sdp),
        a.transceivers(),
        b.transceivers(),
    ]
    a.pc.getTransceivers()[0].direction = "inactive"
    await negotiate(a.pc, b.pc)
    out += [
        clean(a.pc.localDescription.sdp),
        clean(b.pc.localDescription.sdp),
        a.transceivers(),
        b.transceivers(),
        [t.readyState for t in b.tracks],
    ]
    a.pc.getTransceivers()[0].direction = "sendrecv"
    await negotiate(a.pc, b.pc)
    out += [a.transceivers(), b.transceivers(), [t.kind for t in b.tracks], len({t.id for t in b.tracks})]
    await a.pc.getTransceivers()[1].stop()
    out += [a.transceivers()]
    await shut(a.pc, b.pc)
    return out


@ask
async def replaced_track():
    a, b = Logged(), Logged()
    first, second = Noise(), Noise()
    s = a.pc.addTrack(first)
    await joined(a, b)
    await b.tracks[0].recv()
    s.replaceTrack(second)
    out = [s.track is second, first.readyState, second.readyState]
    await until(lambda: second.n > 2)
    f = await b.tracks[0].recv()
    out += [f.format.name, f.samples, f.sample_rate, f.layout.name, str(f.time_base)]
    s.replaceTrack(None)
    out += [s.track, second.readyState, s.transport.state]
    s.replaceTrack(first)
    n = first.n
    await until(lambda: first.n > n)
    await shut(a.pc)
    out += [first.readyState, second.readyState]
    await shut(b.pc)
    return out


@ask
async def ended_tracks():
    """A source that ends, a stop of the remote track, and closes."""
    out = []
    a, b = Logged(), Logged()
    t = Noise()
    a.pc.addTrack(t)
    await joined(a, b)
    r = b.tracks[0]
    await r.recv()
    ends = []
    r.on("ended", lambda: ends.append(r.readyState))
    t.stop()
    out += [t.readyState, r.readyState]
    r.stop()
    out += [list(ends), r.readyState, await atell(r.recv()), b.pc.connectionState]
    await shut(a.pc, b.pc)
    a, b = Logged(), Logged()
    a.pc.addTrack(Noise())
    await joined(a, b)
    r = b.tracks[0]
    await r.recv()
    ends = []
    r.on("ended", lambda: ends.append(r.readyState))
    await a.pc.close()
    await until(lambda: b.pc.connectionState == "closed")
    state = r.readyState
    try:
        while True:
            await asyncio.wait_for(r.recv(), 5)
    except Exception as e:
        out += [state, raised(e), r.readyState, list(ends)]
    await shut(b.pc)
    return out


@ask
async def statistics():
    a, b = Logged(), Logged()
    a.pc.addTrack(Noise())
    a.pc.addTrack(Small())
    await joined(a, b)
    for t in b.tracks:
        media_sink.append(asyncio.ensure_future(drain(t)))

    async def types(p):
        return sorted(s.type for s in (await p.getStats()).values())

    end = time.monotonic() + 12
    while time.monotonic() < end:
        x, y = await types(a.pc), await types(b.pc)
        if (
            x.count("remote-inbound-rtp") == 2
            and y.count("remote-outbound-rtp") == 2
            and y.count("inbound-rtp") == 2
        ):
            break
        await asyncio.sleep(0.05)
    out = [x, y]
    for p in (a.pc, b.pc):
        report = await p.getStats()
        out.append(type(report).__name__)
        out.append(isinstance(report, dict))
        for k, s in sorted(report.items(), key=lambda kv: (kv[1].type, getattr(kv[1], "kind", ""))):
            assert k == s.id
            fields = {f.name: type(getattr(s, f.name)).__name__ for f in dataclasses.fields(s)}
            fields.pop("roundTripTime", None)  # unknown until a report was answered
            out.append(
                [
                    type(s).__name__,
                    s.type,
                    re.sub(r"\d+", "N", s.id),
                    getattr(s, "kind", None),
                    fields,
                    str(s.timestamp.tzinfo),
                    getattr(s, "transportId", "") in (*report, ""),
                ]
            )
            out.append([getattr(s, n, None) for n in ("dtlsState", "iceRole")])
    s, r = a.pc.getSenders()[0], b.pc.getReceivers()[0]
    out += [
        sorted(x.type for x in (await s.getStats()).values()),
        sorted(x.type for x in (await r.getStats()).values()),
    ]
    src = r.getSynchronizationSources()
    out += [len(src), type(src[0]).__name__, type(src[0].source).__name__, str(src[0].timestamp.tzinfo)]
    await shut(a.pc, b.pc)
    out += [await types(a.pc), await types(b.pc)]
    return out


media_sink = []


async def drain(t):
    with contextlib.suppress(Exception):
        while True:
            await t.recv()


@ask
async def received_frames():
    out = {}
    for kind, codec in (
        ("audio", "opus"),
        ("audio", "PCMU"),
        ("audio", "PCMA"),
        ("audio", "G722"),
        ("video", "VP8"),
        ("video", "H264"),
    ):
        a, b = Logged(), Logged()
        a.pc.addTrack(Noise() if kind == "audio" else Small())
        known = rtc.RTCRtpSender.getCapabilities(kind).codecs
        a.pc.getTransceivers()[0].setCodecPreferences([c for c in known if c.name == codec])
        await joined(a, b)
        t = b.tracks[0]
        f, g = await asyncio.wait_for(t.recv(), 10), await asyncio.wait_for(t.recv(), 10)
        out[codec] = [
            type(f).__name__,
            f.pts,
            str(f.time_base),
            f.format.name,
            t.kind,
            (f.samples, f.sample_rate, f.layout.name, g.pts - f.pts)
            if kind == "audio"
            else (f.width, f.height),
        ]
        await shut(a.pc, b.pc)
    return out


# Data channels.
