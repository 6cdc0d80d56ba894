"""Facts of SRT senders and receivers of bytes."""

from __future__ import annotations

import time
from typing import Any

from tstrans import srt

from live_facts.common import BUNDLE, Parked, ends, fact, outcome, pair, until


@fact("SRT-71 messages of seven")
def _() -> list[int]:
    out = []
    for n in (8, 100):
        with ends() as (tx, rx):
            tx.send_bytes(BUNDLE[:188] * n)
            until(lambda tx=tx, n=n: tx.socket_stats().packets_sent == n // 7)
            time.sleep(0.02)
            before = tx.socket_stats().packets_sent
            tx.flush()
            until(lambda tx=tx, b=before: tx.socket_stats().packets_sent > b)
            out += [before, tx.socket_stats().packets_sent]
            out.append(sum(len(rx.recv_bytes()) for _ in range(n)) // 188)
    return out


@fact("SRT-72 sync needs three starts")
def _() -> list[int]:
    out = []
    for n in (2, 3):
        with ends() as (tx, _):
            tx.send_bytes(BUNDLE[: 188 * n])
            tx.flush()
            time.sleep(0.05)
            out.append(tx.socket_stats().packets_sent)
    return out


@fact("SRT-73 junk in front")
def _() -> bool:
    with ends() as (tx, rx):
        tx.send_bytes(b"xx" + BUNDLE[:188] * 20)
        tx.flush()
        return b"".join(rx.recv_bytes() for _ in range(20)) == BUNDLE[:188] * 20


@fact("SRT-74 trailing piece")
def _() -> list[Any]:
    with ends() as (tx, rx):
        tx.send_bytes(BUNDLE + BUNDLE[:100])
        tx.flush()
        until(lambda: tx.socket_stats().packets_sent)
        time.sleep(0.02)
        n = tx.socket_stats().packets_sent
        tx.send_bytes(BUNDLE[100:188])
        tx.flush()
        return [n, b"".join(rx.recv_bytes() for _ in range(8)) == BUNDLE + BUNDLE[:188]]


@fact("SRT-75 no transport stream")
def _() -> list[str]:
    with ends() as (tx, _):
        return [outcome(lambda n=n: tx.send_bytes(bytes(n))) for n in (18_800, 1, 1, 40_000)]


@fact("SRT-77 payload size too small")
def _() -> list[Any]:
    with ends("&payloadsize=1000") as (tx, _):
        r = outcome(lambda: tx.send_bytes(BUNDLE))
        return [r, tx.socket_stats().packets_sent, tx.is_alive()]


@fact("SRT-79 closed sender")
def _() -> list[Any]:
    with ends() as (tx, _):
        tx.close()
        tx.close()
        return [
            outcome(lambda: tx.send_bytes(BUNDLE)),
            outcome(tx.flush),
            outcome(tx.socket_stats),
            outcome(tx.srt_stats),
            tx.is_alive(),
            outcome(tx.cancel_handle),
            "closed" in repr(tx).lower(),
            outcome(lambda: tx.send_bytes(b"")),
        ]


@fact("SRT-80 peer gone")
def _() -> list[Any]:
    with ends() as (tx, rx):
        tx.send_bytes(BUNDLE)
        rx.recv_bytes()
        rx.close()
        last = ""
        end = time.monotonic() + 8
        while time.monotonic() < end:
            last = outcome(lambda: tx.send_bytes(BUNDLE))
            if last != "ok NoneType":
                break
            time.sleep(0.01)
        return [
            last,
            outcome(lambda: tx.send_bytes(BUNDLE)),
            outcome(tx.flush),
            tx.is_alive(),
            tx.socket_stats().packets_sent,
            tx.socket_stats().rtt_us,
        ]


@fact("SRT-82 bytes with headers, SRT-170, SRT-171, SRT-172")
def _() -> list[Any]:
    with ends() as (tx, rx):
        early = tx.socket_stats().rtt_us in range(100_001)
        tx.send_bytes(BUNDLE)
        rx.recv_bytes()
        s, r, x = tx.socket_stats(), rx.socket_stats(), tx.srt_stats()
        return [
            early,
            s.bytes_sent,
            r.bytes_received,
            s.packets_sent,
            r.packets_received,
            x.bytes_sent,
            x.bytes_lost_send_side,
            type(x.mbps_estimated_bandwidth).__name__,
            hasattr(x, "link_bandwidth_bps"),
        ]


@fact("SRT-92 one packet a call")
def _() -> list[Any]:
    with ends() as (tx, rx):
        tx.send_bytes(BUNDLE * 2)
        return (
            [len(rx.recv_bytes(n)) for n in (0, 10, 188, 1500)]
            + [len(rx.recv_bytes(max_len=5))]
            + [outcome(lambda: rx.recv_bytes(-1)), outcome(lambda: rx.recv_bytes("1")), len(rx.recv_bytes())]
        )


@fact("SRT-93 a short session")
def _() -> list[Any]:
    out = []
    for n in (3, 7):
        with ends() as (tx, rx):
            tx.send_bytes(BUNDLE[: 188 * n])
            tx.flush()
            time.sleep(0.15)
            tx.close()
            got = 0
            while True:
                r = outcome(rx.recv_bytes)
                if r != "ok bytes":
                    break
                got += 1
            out += [got, r]
    return out


@fact("SRT-94 receive delay")
def _() -> bool:
    with srt.Builder("srt://127.0.0.1:0?mode=listener").listen() as li:  # noqa: SIM117
        with srt.Builder(f"srt://127.0.0.1:{li.local_addr()[1]}").connect() as a, li.accept(10_000) as b:
            tx, rx = a.into_sender(), b.into_receiver()
            begun = time.monotonic()
            tx.send_bytes(BUNDLE)
            rx.recv_bytes()
            waited = time.monotonic() - begun
            tx.close()
            rx.close()
            return 0.1 < waited < 0.6


@fact("SRT-95 receive timeout")
def _() -> list[Any]:
    with ends("", "&x-recvtimeout=50") as (tx, rx):
        out: list[Any] = [outcome(rx.recv_bytes), outcome(rx.recv_bytes), rx.is_alive()]
        tx.send_bytes(BUNDLE)
        end = time.monotonic() + 5
        while (r := outcome(rx.recv_bytes)) != "ok bytes" and time.monotonic() < end:
            pass
        return [*out, r]


@fact("SRT-96 peer close")
def _() -> list[Any]:
    with ends() as (tx, rx):
        tx.send_bytes(BUNDLE * 3)
        time.sleep(0.1)
        tx.close()
        n = 0
        while (r := outcome(rx.recv_bytes)) == "ok bytes":
            n += 1
        return [
            n,
            r,
            outcome(rx.recv_bytes),
            outcome(rx.recv_bytes),
            rx.is_alive(),
            rx.socket_stats().packets_received,
            outcome(rx.srt_stats),
        ]


@fact("SRT-97 closed receiver")
def _() -> list[Any]:
    with ends() as (_, rx):
        rx.close()
        rx.close()
        return [
            outcome(rx.recv_bytes),
            outcome(rx.socket_stats),
            outcome(rx.srt_stats),
            rx.__enter__() is rx,
            rx.is_alive(),
            "closed" in repr(rx).lower(),
            outcome(rx.cancel_handle),
            hasattr(rx, "__iter__"),
        ]


@fact("SRT-105 who has a cancel handle")
def _() -> list[bool]:
    return [
        hasattr(getattr(srt, n), "cancel_handle")
        for n in (
            "Sender",
            "Receiver",
            "Listener",
            "DemuxReceiver",
            "ManagedSender",
            "ManagedReceiver",
            "ManagedDemuxReceiver",
            "MuxSender",
            "ManagedMuxSender",
            "Socket",
        )
    ]


@fact("SRT-107 cancel of a parked receive, SRT-108")
def _() -> list[Any]:
    with ends() as (_, rx):
        h, g = rx.cancel_handle(), rx.cancel_handle()
        p = Parked(rx.recv_bytes)
        begun = time.monotonic()
        h.cancel()
        h.cancel()
        first = p.end()
        return [
            first,
            time.monotonic() - begun < 0.5,
            outcome(rx.recv_bytes),
            h.is_cancelled(),
            g.is_cancelled(),
            rx.is_alive(),
            "true" in repr(h).lower(),
        ]


@fact("SRT-107 cancel of a parked iteration")
def _() -> list[Any]:
    with pair() as (_, b):
        rx = b.into_demux_receiver()
        h = rx.cancel_handle()
        p = Parked(lambda: next(rx))
        h.cancel()
        out = [p.end(), outcome(lambda: next(rx))]
        rx.close()
        return out


@fact("SRT-109 close while parked")
def _() -> list[Any]:
    out = []
    for which in ("receiver", "demux"):
        with pair() as (_, b):
            rx: Any = b.into_receiver() if which == "receiver" else b.into_demux_receiver()
            p = Parked(rx.recv_bytes if which == "receiver" else lambda rx=rx: next(rx))
            begun = time.monotonic()
            c = outcome(rx.close)
            out += [c, p.end(), time.monotonic() - begun < 1]
    return out


@fact("SRT-109 statistics while parked")
def _() -> list[Any]:
    with ends() as (_, rx):
        p = Parked(rx.recv_bytes)
        begun = time.monotonic()
        r = [outcome(rx.socket_stats), outcome(rx.srt_stats), time.monotonic() - begun < 0.2]
        rx.cancel_handle().cancel()
        p.end()
        return r
