"""Facts of SRT objects whose link is replaced."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from tstrans import srt

from live_facts.common import (
    BUNDLE,
    NAL,
    Parked,
    ends,
    fact,
    free_port,
    fresh_program,
    listener,
    outcome,
    pts,
    push,
)


@fact("SRT-140 backoff")
def _() -> list[Any]:
    b = srt.BackoffStrategy
    c, e = b.constant(5), b.exponential(base_ms=1, max_ms=9)
    return [
        c.kind,
        c.base_ms,
        c.max_ms,
        e.kind,
        e.base_ms,
        e.max_ms,
        outcome(lambda: b.constant(0)),
        outcome(lambda: b.constant(ms=3)),
        outcome(lambda: b.constant(-1)),
        outcome(lambda: b.exponential(1, 2)),
        outcome(lambda: b.exponential(base_ms=1)),
        outcome(lambda: b.exponential(base_ms=2, max_ms=1)),
        outcome(lambda: b.exponential(base_ms=0, max_ms=0)),
        c == b.constant(5),
        isinstance(hash(c), int),
        outcome(lambda: setattr(c, "base_ms", 1)),
    ]


@fact("SRT-142 choices")
def _() -> list[Any]:
    o = srt.OverflowPolicy
    return [
        int(o.DROP_OLDEST),
        int(o.REJECT),
        o.REJECT == 1,
        o.REJECT == o.DROP_OLDEST,
        outcome(lambda: hash(o.REJECT)),
        outcome(lambda: iter(o)),
        outcome(lambda: o(1)),
        outcome(lambda: o.REJECT()),
        "REJECT" in repr(o.REJECT),
    ]


@fact("SRT-143 policy")
def _() -> list[Any]:
    p = srt.ReconnectPolicy
    d = p()
    return [
        d.max_attempts,
        d.backoff.kind,
        d.backoff.base_ms,
        d.backoff.max_ms,
        d.gap_buffer_capacity,
        int(d.overflow_policy),
        p(max_attempts=None).max_attempts,
        p(max_attempts=0).max_attempts,
        outcome(lambda: p(5)),
        outcome(lambda: p(max_attempts=-1)),
        outcome(lambda: p(gap_buffer_capacity=0)),
        outcome(lambda: p(gap_buffer_capacity=-1)),
        outcome(lambda: p(backoff=None)),
        outcome(lambda: p(backoff=5)),
        outcome(lambda: p(overflow_policy=5)),
        outcome(lambda: p(overflow_policy=None)),
        outcome(lambda: p(max_attempts="1")),
    ]


def quick(**more: Any) -> Any:
    return srt.ReconnectPolicy(backoff=srt.BackoffStrategy.constant(20), **more)


@fact("SRT-146 exhausted, SRT-149, SRT-150")
def _() -> list[Any]:
    with listener() as li:
        url = f"srt://127.0.0.1:{li.local_addr()[1]}?latency=20&conntimeo=300"
        tx = srt.ManagedSender.from_url(url, policy=quick(max_attempts=1))
        rx = li.accept(timeout_ms=10_000).into_receiver()
    out: list[Any] = [outcome(tx.srt_stats), outcome(tx.socket_stats), tx.is_alive()]
    tx.send_bytes(BUNDLE)
    rx.recv_bytes()
    rx.close()
    end = time.monotonic() + 15
    while (r := outcome(lambda: tx.send_bytes(BUNDLE))) == "ok NoneType" and time.monotonic() < end:
        time.sleep(0.01)
    out += [r, tx.is_alive(), outcome(lambda: tx.send_bytes(BUNDLE)), outcome(tx.socket_stats)]
    tx.close()
    tx.close()
    return [
        *out,
        outcome(tx.srt_stats),
        outcome(tx.socket_stats),
        outcome(lambda: tx.send_bytes(BUNDLE)),
        tx.is_alive(),
    ]


@fact("SRT-146 the call that met the dead link")
def _() -> list[Any]:
    port = free_port()

    def accept() -> Any:
        with srt.Builder(
            f"srt://127.0.0.1:{port}?mode=listener&latency=20&x-recvtimeout=1000"
        ).listen() as li:
            return li.accept(timeout_ms=10_000).into_receiver()

    box: list[Any] = []
    t = threading.Thread(target=lambda: box.append(accept()))
    t.start()
    time.sleep(0.2)
    tx = srt.ManagedSender.from_url(
        f"srt://127.0.0.1:{port}?latency=20&conntimeo=1000", policy=quick(max_attempts=20)
    )
    t.join(10)
    tx.send_bytes(BUNDLE)
    box[0].recv_bytes()
    box.pop().close()
    t = threading.Thread(target=lambda: box.append(accept()))
    t.start()
    last = b""
    for i in range(500):
        last = bytes([0x47, 1, 0, 0x10]) + i.to_bytes(4, "big") + bytes(180)
        r = outcome(lambda last=last: tx.send_bytes(last * 7))
        if r != "ok NoneType" or box:
            break
        time.sleep(0.02)
    t.join(10)
    tx.send_bytes(BUNDLE * 3)
    got = []
    with contextlib.suppress(Exception):
        while last not in got:
            got.append(box[0].recv_bytes())
    tx.close()
    box[0].close()
    return [r, last in got]


@fact("SRT-151 receiver takes the next peer")
def _() -> list[Any]:
    port = free_port()
    box: list[Any] = []
    url = f"srt://127.0.0.1:{port}?mode=listener&latency=20"
    t = threading.Thread(
        target=lambda: box.append(srt.ManagedReceiver.from_url(url, policy=quick(max_attempts=None)))
    )
    t.start()
    time.sleep(0.3)
    out: list[Any] = []
    for n in range(2):
        with srt.Sender.from_url(f"srt://127.0.0.1:{port}?latency=20") as tx:
            t.join(10)
            rx = box[0]
            time.sleep(0.05)
            for _ in range(30):
                tx.send_bytes(BUNDLE)
                time.sleep(0.005)
            out.append(len(rx.recv_bytes()))
            out.append(rx.reconnect_attempts())
            h = rx.cancel_handle()
            if n == 0:
                tx.close()
                p = Parked(lambda rx=rx: [rx.recv_bytes() for _ in range(29 * 7 + 6 + 7)], 0.3)
        if n == 0:
            continue
        out.append(p.end())
    out += [outcome(rx.srt_stats), outcome(rx.socket_stats), rx.is_alive()]
    h.cancel()
    rx.close()
    return [*out, outcome(rx.recv_bytes), rx.is_alive()]


@fact("SRT-153, SRT-154, SRT-155, SRT-157 events over two links")
def _() -> list[Any]:
    port = free_port()
    box: list[Any] = []
    url = f"srt://127.0.0.1:{port}?mode=listener&latency=20"
    t = threading.Thread(
        target=lambda: box.append(srt.ManagedDemuxReceiver.from_url(url, policy=quick(max_attempts=None)))
    )
    t.start()
    time.sleep(0.3)
    names: list[str] = []
    attempts: list[int] = []
    stop = threading.Event()

    def read() -> None:
        try:
            for e in box[0]:
                names.append(type(e).__name__)
        except Exception as e:
            names.append(f"{type(e).__name__}/{e.kind.name}")  # type: ignore[attr-defined]
        stop.set()

    reader = threading.Thread(target=read, daemon=True)
    for n in range(2):
        with srt.MuxSender.from_url(f"srt://127.0.0.1:{port}?latency=20", fresh_program()) as tx:
            t.join(10)
            if n == 0:
                reader.start()
            time.sleep(0.2)
            for i in range(40):
                push(tx, "video", NAL, pts=pts(3000 * i), key_frame=True)
                time.sleep(0.01)
            time.sleep(0.2)
            attempts.append(box[0].reconnect_attempts())
    rx = box[0]
    marks = [i for i, x in enumerate(names) if "Discontinuity" in x]
    after = names[marks[0] + 1] if marks and marks[0] + 1 < len(names) else None
    reason = getattr(rx, "end_reason", lambda: None)()
    shown = "reconnect_attempts=" in repr(rx)
    rx.cancel_handle().cancel()
    stop.wait(5)
    rx.close()
    return [len(marks), after, attempts[0], attempts[1] >= 1, reason, rx.reconnect_attempts() >= 1, shown]


@fact("SRT-156 cancel of a parked re-accept")
def _() -> list[Any]:
    port = free_port()
    box: list[Any] = []
    url = f"srt://127.0.0.1:{port}?mode=listener&latency=20"
    t = threading.Thread(
        target=lambda: box.append(srt.ManagedDemuxReceiver.from_url(url, policy=quick(max_attempts=None)))
    )
    t.start()
    time.sleep(0.3)
    with srt.MuxSender.from_url(f"srt://127.0.0.1:{port}?latency=20", fresh_program()) as tx:
        t.join(10)
        push(tx, "video", NAL, pts=pts(0), key_frame=True)
        next(box[0])
    rx = box[0]
    p = Parked(lambda: list(rx), 0.5)
    rx.cancel_handle().cancel()
    r = [p.end(3), getattr(rx, "end_reason", lambda: 3)() == 3]
    rx.close()
    return [*r, getattr(rx, "end_reason", lambda: 3)() == 3]


@fact("SRT-152 receiver exhausted")
def _() -> list[Any]:
    with listener() as li:
        url = f"srt://127.0.0.1:{li.local_addr()[1]}?latency=20&conntimeo=300"
        box: list[Any] = []
        t = threading.Thread(
            target=lambda: box.append(srt.ManagedDemuxReceiver.from_url(url, policy=quick(max_attempts=1)))
        )
        t.start()
        tx = li.accept(timeout_ms=10_000).into_mux_sender(fresh_program())
        t.join(10)
    time.sleep(0.2)
    for i in range(2):
        push(tx, "video", NAL, pts=pts(3000 * i), key_frame=True)
        time.sleep(0.05)
    time.sleep(0.2)
    tx.close()
    rx = box[0]
    names = []
    for _ in range(20):
        try:
            names.append(type(next(rx)).__name__)
        except StopIteration:
            names.append("end")
            break
        except Exception as e:
            names.append(outcome(lambda e=e: (_ for _ in ()).throw(e)))
    reason = getattr(rx, "end_reason", lambda: 2)()
    out = [names, int(reason or 0), outcome(lambda: next(rx)), rx.is_alive()]
    rx.close()
    return out


@fact("SRT-173 error class")
def _() -> list[Any]:
    from tstrans.exceptions import SrtError, SrtErrorKind, TstError

    e = SrtError(kind=SrtErrorKind.IO, message="m")
    return [
        e.kind.name,
        e.message,
        e.args[0],
        isinstance(e, TstError),
        outcome(lambda: SrtError(SrtErrorKind.IO, "m")),
        [
            int(getattr(SrtErrorKind, n))
            for n in (
                "CONNECT_FAILED",
                "ACCEPT_FAILED",
                "TIMEOUT",
                "CLOSED",
                "BROKEN",
                "CONFIG_INVALID",
                "IO",
            )
        ],
    ]


@fact("SRT-182 file congestion")
def _() -> bool:
    with ends("&congestion=file", "&congestion=file") as (tx, rx):
        tx.send_bytes(BUNDLE * 4)
        return b"".join(rx.recv_bytes() for _ in range(21)) == BUNDLE * 3
