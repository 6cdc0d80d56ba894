"""Facts of SRT senders of access units and receivers of events."""

from __future__ import annotations

import time
from typing import Any

from tstrans import srt

from live_facts.common import (
    KLV,
    NAL,
    P_FRAME,
    fact,
    fresh_program,
    listener,
    media,
    outcome,
    pts,
    push,
    until,
)


@fact("SRT-122 pts")
def _() -> list[str]:
    with media() as (tx, _):
        return [
            outcome(lambda: push(tx, "video", NAL, pts(0))),
            outcome(lambda: push(tx, "video", NAL, pts=5)),
            outcome(lambda: push(tx, "video", NAL)),
            outcome(lambda: push(tx, "klv", KLV, pts=None)),
            outcome(lambda: push(tx, "video", NAL, pts=pts(0), key_frame=True)),
        ]


@fact("SRT-123 handles")
def _() -> list[Any]:
    with media() as (tx, _):
        names = ("video_handle", "klv_handle", "audio_handle", "subtitle_handle", "data_handle")
        before = [type(getattr(tx, n)()).__name__ for n in names]
        push(tx, "video_to", tx.video_handle(), NAL, pts=pts(0), key_frame=True)
        push(tx, "klv_to", tx.klv_handle(), KLV, pts=pts(0))
        tx.close()
        return [before, [type(getattr(tx, n)()).__name__ for n in names]]


@fact("SRT-124 refused pushes")
def _() -> list[Any]:
    with media() as (tx, _):
        return [
            outcome(lambda: push(tx, "audio", b"x", pts=pts(0))),
            outcome(lambda: push(tx, "data", b"x", pts=pts(0))),
            outcome(lambda: push(tx, "subtitle", b"x", pts=pts(0))),
            outcome(lambda: push(tx, "video", b"no annex b", pts=pts(0))),
            outcome(lambda: push(tx, "video", b"", pts=pts(0))),
            outcome(lambda: push(tx, "klv", b"", pts=pts(0))),
            outcome(lambda: push(tx, "klv", bytes(70_000), pts=pts(0))),
            outcome(lambda: push(tx, "video", NAL, pts=pts(0), key_frame=True)),
            tx.is_alive(),
        ]


@fact("SRT-125 messages of a push, SRT-126 statistics")
def _() -> list[Any]:
    with media() as (tx, _):
        for i in range(10):
            push(tx, "video", NAL if i == 0 else P_FRAME, pts=pts(3000 * i), key_frame=i == 0)
        until(lambda: tx.stats()[0].packets_sent == 10)
        s, m = tx.stats()
        return [type(s).__name__, type(m).__name__, s.packets_sent, m.ts_bytes_emitted]


@fact("SRT-127 closed mux sender")
def _() -> list[Any]:
    with media() as (tx, _):
        tx.close()
        tx.close()
        return [
            outcome(lambda: push(tx, "video", NAL, pts=pts(0))),
            outcome(tx.stats),
            tx.is_alive(),
            hasattr(tx, "flush"),
            "closed" in repr(tx).lower(),
        ]


@fact("SRT-128 finish")
def _() -> list[Any]:
    with media() as (tx, _):
        push(tx, "video", NAL, pts=pts(0), key_frame=True)
        a = outcome(tx.finish)
        b = [
            outcome(tx.finish),
            outcome(lambda: push(tx, "video", NAL, pts=pts(0))),
            tx.is_alive(),
            outcome(tx.stats),
        ]
        tx.close()
        return [a, *b, outcome(tx.stats), outcome(tx.finish)]


@fact("SRT-130 events, SRT-131, SRT-133")
def _() -> list[Any]:
    with media() as (tx, rx):
        push(tx, "video", NAL, pts=pts(0), key_frame=True)
        push(tx, "klv", KLV, pts=pts(0))
        push(tx, "video", P_FRAME, pts=pts(3000))
        time.sleep(0.3)
        tx.close()
        names, last = [], ""
        for _ in range(20):
            try:
                e = next(rx)
                names.append({"Klv": "Metadata"}.get(type(e).__name__, type(e).__name__))
            except StopIteration:
                last = "end"
                break
            except Exception as e:
                names.append(f"{type(e).__name__}/{e.kind.name}")  # type: ignore[attr-defined]
        return [iter(rx) is rx, names, last, outcome(lambda: next(rx))]


@fact("SRT-132 receive timeout in a loop")
def _() -> list[Any]:
    with listener("&x-recvtimeout=100") as li:
        a = srt.Builder(f"srt://127.0.0.1:{li.local_addr()[1]}").connect()
        rx = li.accept(timeout_ms=10_000).into_demux_receiver()
    first = outcome(lambda: next(rx))
    tx = a.into_mux_sender(fresh_program())
    push(tx, "video", NAL, pts=pts(0), key_frame=True)
    end = time.monotonic() + 5
    while (r := outcome(lambda: next(rx))).startswith("SrtError") and time.monotonic() < end:
        pass
    tx.close()
    rx.close()
    return [first, "ProgramMap" in r]


@fact("SRT-134 closed demux receiver")
def _() -> list[Any]:
    with media() as (_, rx):
        rx.close()
        rx.close()
        return [
            outcome(lambda: next(rx)),
            outcome(rx.stats),
            outcome(rx.socket_stats),
            outcome(lambda: rx.add_byte_sink(print)),
            rx.is_alive(),
            "closed" in repr(rx).lower(),
        ]


@fact("SRT-135 byte sinks")
def _() -> list[Any]:
    with media() as (tx, rx):
        seen: list[tuple[str, int, str]] = []
        rx.add_byte_sink(lambda p: seen.append(("a", len(p), type(p).__name__)))
        rx.add_byte_sink(lambda p: seen.append(("b", len(p), type(p).__name__)))
        push(tx, "video", NAL, pts=pts(0), key_frame=True)
        next(rx)

        def bad(_: bytes) -> None:
            raise ZeroDivisionError

        rx.add_byte_sink(bad)
        push(tx, "video", P_FRAME, pts=pts(3000))
        r = ""
        for _ in range(10):
            r = outcome(lambda: next(rx))
            if r == "ZeroDivisionError":
                break
        with media() as (_, other):
            unchecked = outcome(lambda: other.add_byte_sink(5))
        return [seen[:2], r, unchecked]


@fact("SRT-136 statistics in packets")
def _() -> list[Any]:
    with media() as (tx, rx):
        for i in range(5):
            push(tx, "video", NAL if i == 0 else P_FRAME, pts=pts(3000 * i), key_frame=i == 0)
        for _ in range(5):
            next(rx)
        s, m = rx.stats()
        return [
            type(s).__name__,
            type(m).__name__,
            s.bytes_received % 188,
            s.bytes_received == 188 * s.packets_received,
            rx.socket_stats().bytes_received > s.bytes_received,
        ]


@fact("SRT-137 last seen")
def _() -> list[Any]:
    with media() as (tx, rx):
        before = rx.last_seen_micros(0x102)
        push(tx, "klv", KLV, pts=pts(0))
        while "ProgramMap" in type(next(rx)).__name__:
            pass
        at = rx.last_seen_micros(0x102)
        return [before, abs(at / 1e6 - time.time()) < 5, rx.last_seen_micros(0x1FFF)]
