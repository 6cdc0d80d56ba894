"""Facts of RIST."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from tstrans import rist, tcp, udp

from live_facts.common import Parked, fact, free_port, outcome, rist_in, rist_out

for _name, _url in {
    "RIST-3 sender": "rist://127.0.0.1:5000",
    "RIST-3 sender at": "rist://@127.0.0.1:5000",
    "RIST-3 sender user": "rist://u:p@127.0.0.1:5000",
    "RIST-3 sender name": "rist://localhost:5000",
    "RIST-3 sender empty host": "rist://:5000",
    "RIST-3 sender capitals": "RIST://127.0.0.1:5000",
    "RIST-3 sender no port": "rist://127.0.0.1",
    "RIST-3 sender IPv6": "rist://[::1]:5000",
    "RIST-4 profile=main": "rist://127.0.0.1:5000?profile=main",
    "RIST-4 profile=simple": "rist://127.0.0.1:5000?profile=simple",
    "RIST-4 profile=x": "rist://127.0.0.1:5000?profile=x",
    "RIST-4 profile=MAIN": "rist://127.0.0.1:5000?profile=MAIN",
    "RIST-4 buffer": "rist://127.0.0.1:5000?buffer=100",
    "RIST-4 buffer=x": "rist://127.0.0.1:5000?buffer=x",
    "RIST-4 bandwidth": "rist://127.0.0.1:5000?bandwidth=1000",
    "RIST-4 bandwidth=-1": "rist://127.0.0.1:5000?bandwidth=-1",
    "RIST-4 two equal": "rist://127.0.0.1:5000?bandwidth=1000&recovery_maxbitrate=1000",
    "RIST-4 two unequal": "rist://127.0.0.1:5000?bandwidth=1000&recovery_maxbitrate=2000",
    "RIST-4 compression=yes": "rist://127.0.0.1:5000?compression=yes",
    "RIST-4 compression=2": "rist://127.0.0.1:5000?compression=2",
    "RIST-4 unknown": "rist://127.0.0.1:5000?nonsense=1",
    "RIST-4 session_timeout": "rist://127.0.0.1:5000?session_timeout=2000",
    "RIST-4 cname": "rist://127.0.0.1:5000?cname=me",
    "RIST-5 aes alone": "rist://127.0.0.1:5000?aes-type=128",
    "RIST-5 aes-type=100": "rist://127.0.0.1:5000?aes-type=100&secret=x",
    "RIST-5 both": "rist://127.0.0.1:5000?aes-type=128&secret=x",
    "RIST-5 secret alone": "rist://127.0.0.1:5000?secret=x",
}.items():

    def _rist(url: str = _url) -> str:
        return outcome(rist_out(url).build)

    fact(_name)(_rist)

for _name, _url in {
    "RIST-3 receiver": "rist://@127.0.0.1:PORT",
    "RIST-3 receiver without at": "rist://127.0.0.1:PORT",
    "RIST-3 receiver user": "rist://u@127.0.0.1:PORT",
    "RIST-3 receiver name": "rist://@localhost:PORT",
    "RIST-3 receiver empty host": "rist://@:PORT",
    "RIST-9 not local": "rist://@192.0.2.1:PORT",
}.items():

    def _ristr(url: str = _url) -> str:
        return outcome(rist_in(url.replace("PORT", str(free_port(even=True)))).build)

    fact(_name)(_ristr)


@fact("RIST-2 profiles")
def _() -> list[Any]:
    p = rist.RistProfile
    return [p.SIMPLE == p.SIMPLE, p.SIMPLE == p.MAIN, outcome(p), "SIMPLE" in repr(p.SIMPLE)]


@fact("RIST-7 keys")
def _() -> list[Any]:
    k = rist.EncryptionKey
    u = "rist://127.0.0.1:5000"
    return [
        outcome(k),
        outcome(lambda: k.aes128("x")),
        outcome(lambda: k.aes192(b"x")),
        outcome(lambda: k.aes256("")),
        outcome(lambda: k.aes128(5)),
        "hidden" in repr(k.aes128("hidden")),
        "128" in repr(k.aes128("hidden")),
        outcome(rist_out(u).encryption(k.aes128("x" * 128)).build),
    ]


@fact("RIST-9 address in use")
def _() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", free_port(even=True)))
        return outcome(rist_in(f"rist://@127.0.0.1:{s.getsockname()[1]}").build)


@fact("RIST-9 unreachable")
def _() -> str:
    return outcome(rist_out("rist://127.0.0.1:5998").build)


@fact("RIST-10 lengths")
def _() -> list[str]:
    with rist_out("rist://127.0.0.1:5000").build() as tx:
        return [
            outcome(lambda x=x: tx.send(x))
            for x in (bytes(1317), bytes(1316), bytearray(5), memoryview(b"x"), "text")
        ]


@fact("RIST-10 empty")
def _() -> str:
    with rist_out("rist://127.0.0.1:5000").build() as tx:
        return outcome(lambda: tx.send(b""))


@fact("RIST-11 timeouts")
def _() -> list[Any]:
    with rist_in(f"rist://@127.0.0.1:{free_port(even=True)}").build() as rx:
        return [outcome(lambda ms=ms: rx.recv(timeout_ms=ms)) for ms in (0, 50)] + [
            outcome(lambda: rx.recv(-1)),
            outcome(lambda: rx.recv("1")),
        ]


def _rist_pair(key: Any = None, profile: Any = None) -> tuple[Any, Any]:
    port = free_port(even=True)
    r, s = (
        rist_in(f"rist://@127.0.0.1:{port}").buffer_ms(80),
        rist_out(f"rist://127.0.0.1:{port}").buffer_ms(80),
    )
    if key is not None:
        r, s = r.encryption(key), s.encryption(key)
    if profile is not None:
        r, s = r.profile(profile), s.profile(profile)
    rx = r.build()
    return s.build(), rx


def _rist_delivers(key: Any, profile: Any) -> list[Any]:
    tx, rx = _rist_pair(key, profile)
    with tx, rx:
        stop = threading.Event()

        def send() -> None:
            i = 0
            while not stop.is_set():
                tx.send(i.to_bytes(4, "big") * (1 + i % 300))
                i += 1
                time.sleep(0.01)

        t = threading.Thread(target=send)
        t.start()
        got = []
        end = time.monotonic() + 10
        while len(got) < 50 and time.monotonic() < end:
            with contextlib.suppress(Exception):
                got.append(rx.recv(timeout_ms=500))
        stop.set()
        t.join()
        ids = [int.from_bytes(m[:4], "big") for m in got]
        return [
            len(got),
            ids == sorted(ids),
            all(len(m) == 4 * (1 + i % 300) for m, i in zip(got, ids, strict=True)),
            type(got[0]).__name__,
        ]


@fact("RIST-11 simple delivers in order, whole")
def _() -> list[Any]:
    return _rist_delivers(None, rist.RistProfile.SIMPLE)


@fact("RIST-11 main delivers in order, whole")
def _() -> list[Any]:
    return _rist_delivers(None, rist.RistProfile.MAIN)


@fact("RIST-13 statistics")
def _() -> list[Any]:
    with rist_out("rist://127.0.0.1:5000").build() as tx:
        s = tx.stats()
        return [
            outcome(lambda: setattr(s, "rtt_us", 1)),
            [getattr(s, n) for n in ("packets_received", "packets_missing", "recovered_packets")],
        ]


@fact("COM-6 closed rist")
def _() -> list[Any]:
    tx, rx = _rist_pair()
    for x in (tx, rx):
        x.close()
        x.close()
    return [
        outcome(lambda: tx.send(b"x")),
        outcome(tx.stats),
        outcome(rx.recv),
        outcome(rx.stats),
        "closed" in repr(tx).lower(),
        "closed" in repr(rx).lower(),
    ]


@fact("COM-7 cancel rist")
def _() -> list[Any]:
    tx, rx = _rist_pair()
    with tx, rx:
        h = rx.cancel_handle()
        p = Parked(rx.recv)
        h.cancel()
        return [p.end(), outcome(rx.recv), h.is_cancelled(), outcome(rx.stats)]


@fact("kinds of errors")
def _() -> list[Any]:
    return [
        {m: int(v) for m, v in e.__members__.items()}
        for e in (udp.UdpErrorKind, tcp.TcpErrorKind, rist.RistErrorKind)
    ]


@fact("errors")
def _() -> list[Any]:
    out = []
    for cls, kind in (
        (udp.UdpError, udp.UdpErrorKind.IO),
        (tcp.TcpError, tcp.TcpErrorKind.IO),
        (rist.RistError, rist.RistErrorKind.FFI),
    ):
        e = cls(kind=kind, message="m")  # type: ignore[arg-type]
        out += [e.kind.name, e.message, e.args[0], outcome(lambda cls=cls, kind=kind: cls(kind, "m"))]
    return out
