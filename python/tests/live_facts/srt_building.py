"""Facts of SRT builders, listeners and sockets."""

from __future__ import annotations

import time
from typing import Any

from tstrans import srt

from live_facts.common import BUNDLE, Parked, ends, fact, free_port, fresh_program, listener, outcome, pair


@fact("SRT-4 not constructible")
def _() -> list[str]:
    names = [
        "Sender",
        "Receiver",
        "SocketStats",
        "SrtStats",
        "CancelHandle",
        "Socket",
        "Listener",
        "MuxSender",
        "DemuxReceiver",
        "BackoffStrategy",
        "OverflowPolicy",
        "ManagedSender",
        "ManagedReceiver",
        "ManagedMuxSender",
        "ManagedDemuxReceiver",
    ]
    return [outcome(getattr(srt, n)) for n in names]


@fact("SRT-5 kinds of bytes")
def _() -> list[str]:
    with ends() as (tx, _):
        return [
            outcome(lambda x=x: tx.send_bytes(x))
            for x in (b"", bytearray(b"a"), memoryview(b"b"), [1, 2], (3,), "text", 5, None, [300], object())
        ]


@fact("SRT-6 frozen statistics")
def _() -> list[Any]:
    with ends() as (tx, _):
        a, b = tx.socket_stats(), tx.socket_stats()
        return [
            outcome(lambda: setattr(a, "rtt_us", 1)),
            a == b,
            a == a,
            outcome(lambda: setattr(srt.ReconnectPolicy(), "max_attempts", 1)),
            srt.ReconnectPolicy() == srt.ReconnectPolicy(),
        ]


@fact("SRT-30 construction")
def _() -> list[str]:
    return [
        outcome(srt.Builder),
        outcome(lambda: srt.Builder("http://x")),
        outcome(lambda: srt.Builder(5)),
        outcome(lambda: srt.Builder("srt://x:1", 5)),
        outcome(lambda: srt.Builder("http://x").connect()),
        outcome(lambda: srt.Builder("http://x").listen()),
        outcome(lambda: srt.Builder("srt://x:1", latency_ms=None, passphrase=None, stream_id=None)),
    ]


@fact("SRT-31 setters chain")
def _() -> bool:
    b = srt.Builder("srt://127.0.0.1:9")
    calls = [
        ("caller",),
        ("listener",),
        ("rendezvous",),
        ("latency_ms", 1),
        ("passphrase", "0123456789"),
        ("stream_id", "x"),
        ("congestion", "live"),
        ("connect_timeout_ms", 1),
        ("recv_timeout_ms", 1),
        ("send_timeout_ms", 1),
        ("peer_latency_ms", 1),
        ("recv_latency_ms", 1),
        ("max_bandwidth_bps", 1),
        ("mss", 1500),
        ("payload_size", 1316),
    ]
    return all(getattr(b, n)(*a) is b for n, *a in calls)


@fact("SRT-32 eager checks")
def _() -> list[str]:
    url = "srt://127.0.0.1:9"
    b = srt.Builder(url)
    return [
        *(
            outcome(lambda kw=kw: srt.Builder(url, **kw))
            for kw in (
                {"passphrase": "short"},
                {"passphrase": "x" * 80},
                {"passphrase": "café-0123456789"},
                {"congestion": "Live"},
                {"stream_id": "x" * 513},
                {"stream_id": "é"},
                {"stream_id": ""},
                {"passphrase": ""},
                {"congestion": ""},
            )
        ),
        *(
            outcome(c)
            for c in (
                lambda: b.passphrase("short"),
                lambda: b.congestion("x"),
                lambda: b.stream_id("x" * 513),
                lambda: b.stream_id("é"),
                lambda: b.passphrase(5),
                lambda: b.stream_id(None),
            )
        ),
    ]


@fact("SRT-33 integers out of range")
def _() -> list[str]:
    url = "srt://127.0.0.1:9"
    b = srt.Builder(url)
    calls = [
        ("latency_ms", -1),
        ("latency_ms", 1 << 32),
        ("latency_ms", (1 << 32) - 1),
        ("connect_timeout_ms", -1),
        ("recv_timeout_ms", -1),
        ("send_timeout_ms", 1 << 32),
        ("peer_latency_ms", -1),
        ("recv_latency_ms", 1 << 32),
        ("max_bandwidth_bps", -1),
        ("max_bandwidth_bps", 1 << 63),
        ("mss", 65536),
        ("mss", -1),
        ("payload_size", -1),
        ("payload_size", 2000),
        ("latency_ms", 1.5),
        ("latency_ms", "1"),
        ("latency_ms", True),
        ("max_bandwidth_bps", 1 << 64),
    ]
    return [outcome(lambda n=n, v=v: getattr(b, n)(v)) for n, v in calls] + [
        outcome(lambda: srt.Builder(url, latency_ms=-1)),
        outcome(lambda: srt.Builder(url, recv_timeout_ms=1 << 32)),
    ]


@fact("SRT-34 payload size at the end")
def _() -> list[str]:
    return [
        outcome(lambda: srt.Builder("srt://127.0.0.1:9").payload_size(2000).connect()),
        outcome(lambda: srt.Builder("srt://127.0.0.1:0?mode=listener").payload_size(2000).listen()),
    ]


@fact("SRT-35 the URL wins")
def _() -> list[Any]:
    with listener() as li:
        url = f"srt://127.0.0.1:{li.local_addr()[1]}?streamid=of-url"
        with srt.Builder(url).stream_id("of-setter").connect() as a, li.accept(timeout_ms=10_000) as b:
            return [a.stream_id(), b.stream_id()]


@fact("SRT-36 mode overrides")
def _() -> list[str]:
    caller, ls = "srt://127.0.0.1:9", "srt://127.0.0.1:0?mode=listener"
    return [
        outcome(c)
        for c in (
            lambda: srt.Builder(ls).connect(),
            lambda: srt.Builder(caller).listener().connect(),
            lambda: srt.Builder(caller).rendezvous().connect(),
            lambda: srt.Builder(caller).listen(),
            lambda: srt.Builder(caller).listener().listen(),
            lambda: srt.Builder(ls).caller().listen(),
            lambda: srt.Builder(ls).rendezvous().listen(),
            lambda: srt.Builder(ls).listener().listen(),
            lambda: srt.Builder(ls).caller().listener().listen(),
        )
    ]


@fact("SRT-37 reusable")
def _() -> list[Any]:
    b = srt.Builder("srt://127.0.0.1:0?mode=listener")
    with b.listen() as one, b.listen() as two:
        return [one.local_addr()[1] != two.local_addr()[1], hasattr(b, "__enter__")]


@fact("SRT-38 repr")
def _() -> list[bool]:
    b = srt.Builder("srt://127.0.0.1:9")
    plain = repr(b)
    b.passphrase("secret-0123456789").listener()
    return [
        "srt://127.0.0.1:9" in plain,
        "None" in plain,
        "url" in plain,
        "secret" in repr(b),
        "redacted" in repr(b),
        "istener" in repr(b),
    ]


@fact("SRT-45 sub-second connect timeout, SRT-46 no answer")
def _() -> list[Any]:
    begun = time.monotonic()
    r = outcome(lambda: srt.Builder(f"srt://127.0.0.1:{free_port()}?conntimeo=300").connect())
    return [r, time.monotonic() - begun < 2]


@fact("SRT-46 from_url")
def _() -> list[Any]:
    url = f"srt://127.0.0.1:{free_port()}?conntimeo=200"
    return [
        outcome(lambda: srt.Sender.from_url(url)),
        outcome(lambda: srt.MuxSender.from_url(url, fresh_program())),
        outcome(lambda: srt.ManagedSender.from_url(url)),
        outcome(lambda: srt.ManagedMuxSender.from_url(url, fresh_program())),
        outcome(lambda: srt.ManagedDemuxReceiver.from_url(url)),
    ]


def _refused(name: str, ours: str, theirs: str) -> None:
    @fact(f"SRT-47 {name}")
    def _() -> list[Any]:
        with listener(ours) as li:
            url = f"srt://127.0.0.1:{li.local_addr()[1]}?{theirs.lstrip('&')}"
            begun = time.monotonic()
            r = outcome(lambda: srt.Builder(url).connect())
            return [r, time.monotonic() - begun < 1.5, outcome(lambda: li.accept(timeout_ms=50))]


_refused("wrong passphrase", "&passphrase=0123456789", "&passphrase=9876543210")
_refused("caller in the clear", "&passphrase=0123456789", "&latency=1")
_refused("listener in the clear", "", "&passphrase=0123456789")
_refused("congestion", "&congestion=file", "&congestion=live")


@fact("SRT-48 key lengths")
def _() -> list[str]:
    out = []
    for ours, theirs in (
        ("&passphrase=0123456789&pbkeylen=16", "&passphrase=0123456789&pbkeylen=32"),
        ("", "&pbkeylen=32"),
        ("&passphrase=0123456789", "&passphrase=0123456789"),
    ):
        with listener(ours) as li:
            port = li.local_addr()[1]
            out.append(
                outcome(lambda p=port, t=theirs: srt.Builder(f"srt://127.0.0.1:{p}?{t[1:]}").connect())
            )
    return out


@fact("SRT-49 encrypted")
def _() -> list[Any]:
    out = []
    for n in (16, 24, 32):
        q = f"&passphrase=0123456789&pbkeylen={n}"
        with ends(q, q) as (tx, rx):
            tx.send_bytes(BUNDLE)
            out.append(b"".join(rx.recv_bytes() for _ in range(7)) == BUNDLE)
    return out


@fact("SRT-50 accept timeouts")
def _() -> list[Any]:
    with listener() as li:
        out: list[Any] = [outcome(lambda ms=ms: li.accept(timeout_ms=ms)) for ms in (0, 20)]
        out += [outcome(lambda: li.accept(timeout_ms=-1)), outcome(lambda: li.accept(timeout_ms="1"))]
        a = srt.Builder(f"srt://127.0.0.1:{li.local_addr()[1]}").connect()
        out += [outcome(lambda: li.accept(10_000))]
        a.close()
        return out


@fact("SRT-51 many peers, outliving the listener")
def _() -> list[Any]:
    with listener() as li:
        port = li.local_addr()[1]
        a = [srt.Builder(f"srt://127.0.0.1:{port}?streamid=n{i}").connect() for i in range(3)]
        b = [li.accept(timeout_ms=10_000) for _ in a]
    out = [sorted(str(x.stream_id()) for x in b), [x.is_alive() for x in b]]
    for x in (*a, *b):
        x.close()
    return out


@fact("SRT-52 iterating")
def _() -> list[Any]:
    with listener() as li:
        h = li.cancel_handle()
        p = Parked(lambda: list(li))
        h.cancel()
        first = p.end()
        return [
            iter(li) is li,
            first,
            outcome(li.accept),
            li.is_alive(),
            h.is_cancelled(),
            outcome(lambda: next(li)),
        ]


@fact("SRT-52 cancel of accept")
def _() -> list[Any]:
    with listener() as li:
        h = li.cancel_handle()
        p = Parked(li.accept)
        h.cancel()
        return [p.end(), outcome(li.accept), outcome(lambda: li.accept(timeout_ms=10)), li.is_alive()]


@fact("SRT-53 closed listener")
def _() -> list[Any]:
    li = listener()
    li.close()
    li.close()
    return [
        outcome(li.accept),
        outcome(li.local_addr),
        li.is_alive(),
        "closed" in repr(li).lower(),
        outcome(li.cancel_handle),
        outcome(lambda: next(li)),
        outcome(li.__enter__),
    ]


@fact("SRT-54 close of a parked listener")
def _() -> list[Any]:
    li = listener()
    p = Parked(li.accept)
    begun = time.monotonic()
    c = outcome(li.close)
    return [c, p.end(), time.monotonic() - begun < 1]


@fact("SRT-55 addresses")
def _() -> list[Any]:
    with listener() as li:
        host, port = li.local_addr()
        with srt.Builder(f"srt://127.0.0.1:{port}").connect() as a, li.accept(timeout_ms=10_000) as b:
            return [
                host,
                type(li.local_addr()).__name__,
                port > 0,
                a.peer_addr() == (host, port),
                b.local_addr() == (host, port),
                b.peer_addr()[1] == a.local_addr()[1],
                a.local_addr()[0],
                b.peer_addr()[0],
            ]


@fact("SRT-61 consumed")
def _() -> list[Any]:
    with pair() as (a, b):
        s = a.into_sender()
        out = [
            a.is_alive(),
            "closed" in repr(a).lower(),
            outcome(a.into_sender),
            outcome(a.into_receiver),
            outcome(a.local_addr),
            outcome(a.peer_addr),
            a.stream_id(),
            outcome(a.close),
            s.is_alive(),
            outcome(lambda: a.into_mux_sender(fresh_program())),
            outcome(a.into_demux_receiver),
        ]
        b.close()
        return [
            *out,
            b.is_alive(),
            "closed" in repr(b).lower(),
            outcome(b.into_receiver),
            b.stream_id(),
            outcome(b.peer_addr),
            outcome(b.close),
        ]


@fact("SRT-60 keyword only")
def _() -> list[str]:
    with pair() as (a, b):
        return [
            outcome(lambda: b.into_demux_receiver(None)),
            outcome(lambda: a.into_mux_sender(None)),
            outcome(a.into_mux_sender),
        ]


@fact("SRT-62 stream ids")
def _() -> list[Any]:
    out = []
    for sid in ("ab", "abc", "abcd", "abcde", "#!::r=x,m=publish", "s" * 512):
        with listener() as li:
            b = srt.Builder(f"srt://127.0.0.1:{li.local_addr()[1]}").stream_id(sid)
            with b.connect() as a, li.accept(timeout_ms=10_000) as c:
                out.append(a.stream_id() == sid == c.stream_id())
    with pair() as (a, b):
        return [*out, a.stream_id(), b.stream_id()]


@fact("SRT-63 the accepted side sends")
def _() -> bool:
    with pair() as (a, b):
        rx, tx = a.into_receiver(), b.into_sender()
        time.sleep(0.2)
        for _ in range(5):
            tx.send_bytes(BUNDLE)
            time.sleep(0.01)
        got = b"".join(rx.recv_bytes() for _ in range(28))
        tx.close()
        rx.close()
        return got == BUNDLE * 4


@fact("SRT-64 context managers")
def _() -> list[Any]:
    with pair() as (a, b):
        tx, rx = a.into_sender(), b.into_receiver()
        return (
            [x.__enter__() is x for x in (tx, rx)]
            + [x.__exit__(None, None, None) for x in (tx, rx)]
            + [tx.is_alive(), rx.is_alive()]
        )
