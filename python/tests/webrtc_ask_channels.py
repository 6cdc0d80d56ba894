# ruff: noqa: B023
"""Questions of data channels."""

import asyncio

from webrtc_ask import Logged, ask, joined, plain, shut, tell, until


@ask
async def channel_properties():
    a, b = Logged(), Logged()
    p = a.pc
    made = [
        p.createDataChannel("a"),
        p.createDataChannel("b", ordered=False, protocol="p"),
        p.createDataChannel("c", maxRetransmits=0),
        p.createDataChannel("d", maxPacketLifeTime=500, ordered=False),
        p.createDataChannel("e", protocol="f"),
        p.createDataChannel("g"),
        p.createDataChannel("n", negotiated=True, id=100),
        p.createDataChannel("i", id=50),
    ]

    def show(c):
        return [
            c.label,
            c.id,
            c.ordered,
            c.protocol,
            c.negotiated,
            c.maxRetransmits,
            c.maxPacketLifeTime,
            c.readyState,
            c.bufferedAmount,
            c.bufferedAmountLowThreshold,
        ]

    out = [
        [show(c) for c in made],
        type(made[0].transport).__name__,
        made[0].transport is p.sctp,
        p.sctp.state,
        p.sctp.port,
        p.sctp.mid,
        p.sctp.maxChannels,
        tell(lambda: p.sctp.transport.state),
    ]
    out += [
        tell(made[0].send, "early"),
        tell(setattr, made[0], "bufferedAmountLowThreshold", -1),
        tell(setattr, made[0], "bufferedAmountLowThreshold", 4294967296),
        tell(setattr, made[0], "bufferedAmountLowThreshold", 4294967295),
        made[0].bufferedAmountLowThreshold,
        [tell(setattr, made[0], n, 1) for n in ("label", "id", "readyState", "bufferedAmount")],
    ]
    await joined(a, b)
    n = b.pc.createDataChannel("n2", negotiated=True, id=100)
    await until(lambda: all(c.readyState == "open" for c in made) and len(b.channels) == 7)
    await until(lambda: n.readyState == "open")
    out += [[show(c) for c in made], sorted((show(c) for c in b.channels), key=lambda s: s[1]), show(n)]
    out += [p.sctp.state, p.sctp.maxChannels, b.pc.sctp.state, p.sctp.mid, b.pc.sctp.mid, b.pc.sctp.port]
    out += [tell(made[0].send, x) for x in (None, 1, bytearray(b"x"), memoryview(b"x"), ["x"])]
    late = p.createDataChannel("late")
    out += [late.readyState, late.id]
    opened = []
    late.on("open", lambda: opened.append(late.readyState))
    await until(lambda: opened)
    back = b.pc.createDataChannel("back")
    await until(lambda: a.channels and back.readyState == "open")
    out += [opened, late.id, back.id, a.channels[0].id, a.channels[0].label]
    await shut(p, b.pc)
    out += [
        [c.readyState for c in made],
        [c.readyState for c in b.channels],
        tell(made[0].send, "x"),
        tell(made[0].close),
        p.sctp.state,
        b.pc.sctp.state,
        plain(made[0].event_names()),
    ]
    return out


@ask
async def channel_messages():
    a, b = Logged(), Logged()
    c = a.pc.createDataChannel("chat")
    got, back, events = [], [], []
    for e in ("open", "close", "message", "bufferedamountlow"):
        c.on(e, lambda *x, e=e: events.append(e))

    def serve(d):
        @d.on("message")
        def message(m):
            got.append(m)
            d.send(m)

    b.pc.on("datachannel", serve)
    c.on("message", back.append)
    await joined(a, b)
    await until(lambda: c.readyState == "open")
    sent = ["hello", b"bytes", "", b"", "ü€😀", b"\x00\xff", "x" * 70000, b"y" * 200000, "null\0in"]
    for m in sent:
        c.send(m)
    await until(lambda: len(back) == len(sent))
    out = [
        [type(m).__name__ + str(len(m)) for m in got],
        got == sent,
        back == sent,
        [type(m).__name__ for m in back] == [type(m).__name__ for m in sent],
        events.count("message"),
    ]
    await until(lambda: c.bufferedAmount == 0 and "bufferedamountlow" in events)
    c.bufferedAmountLowThreshold = 1000
    events.clear()
    n = len(back)
    c.send(b"z" * 100000)
    # How much is left right after it, and whether an earlier event is still under way, is a race.
    await until(lambda: c.bufferedAmount == 0 and len(back) > n and "bufferedamountlow" in events)
    closes = []
    d = b.channels[0]
    d.on("close", lambda: closes.append("remote " + d.readyState))
    c.on("close", lambda: closes.append("local " + c.readyState))
    c.close()
    out += [c.readyState, tell(c.send, "x"), tell(c.close)]
    await until(lambda: len(closes) == 2)
    out += [
        sorted(closes),
        c.readyState,
        d.readyState,
        tell(c.close),
        a.pc.connectionState,
        c.id,
        plain(c.event_names()),
    ]
    again = a.pc.createDataChannel("again")
    await until(lambda: again.readyState == "open")
    out += [again.id]
    await shut(a.pc, b.pc)
    return out


@ask
async def channel_before_connection():
    a, b = Logged(), Logged()
    c, d = a.pc.createDataChannel("c"), a.pc.createDataChannel("d")
    closes = []
    d.on("close", lambda: closes.append(d.readyState))
    d.close()
    out = [d.readyState, closes[:]]
    await joined(a, b)
    await until(lambda: b.channels and c.readyState == "open")
    await asyncio.sleep(0.2)
    out += [[x.label for x in b.channels], d.readyState, c.id, closes]
    await shut(a.pc, b.pc)
    return out


@ask
async def channel_sides():
    """Who offers has which ids."""
    out = []
    for offerer_makes in (True, False):
        a, b = Logged(), Logged()
        x = a.pc.createDataChannel("x")
        await joined(a, b)
        await until(lambda: b.channels)
        y = (a if offerer_makes else b).pc.createDataChannel("y")
        await until(lambda: y.readyState == "open")
        out += [x.id, y.id]
        await shut(a.pc, b.pc)
    return out
