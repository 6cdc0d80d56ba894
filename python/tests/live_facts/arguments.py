"""Facts of arguments: what every setter, call and value takes, and what the values are like."""

from __future__ import annotations

import array
import copy
from collections.abc import Callable
from typing import Any

from tstrans import exceptions, rist, srt, tcp, udp

from live_facts.common import (
    fact,
    free_port,
    listener,
    outcome,
    pair,
    rist_in,
    rist_out,
    tcp_pair,
    udp_in,
    udp_out,
)

NUMBERS = (
    *(0, 1, -1, 255, 256, 65535, 65536, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, 1 << 64),
    *(True, None, "5", 1.0, ()),
)
TEXTS = ("x", "", None, 5, b"x", ())
TRUTHS = (True, False, 0, 1, None, "x")
BUILDERS: dict[str, tuple[Callable[[], Any], dict[str, tuple[Any, ...]]]] = {
    "UDP-5 sender": (
        udp.Transport.builder,
        {"tos": NUMBERS, "ttl": NUMBERS, "sndbuf": NUMBERS, "pkt_size": NUMBERS, "url": TEXTS},
    ),
    "UDP-13 receiver": (
        udp.RecvTransport.builder,
        {"rcvbuf": NUMBERS, "iface": TEXTS, "bind_url": TEXTS},
    ),
    "TCP-4 transport": (
        tcp.Transport.builder,
        {
            **dict.fromkeys(("keepalive_ms", "rcvbuf", "sndbuf", "pkt_size", "connect_timeout_ms"), NUMBERS),
            "nodelay": TRUTHS,
            "url": TEXTS,
        },
    ),
    "TCP-14 listener": (
        tcp.Listener.builder,
        {"rcvbuf": NUMBERS, "sndbuf": NUMBERS, "pkt_size": NUMBERS, "nodelay": TRUTHS, "bind": TEXTS},
    ),
    "RIST-6 sender": (
        rist.Transport.builder,
        {
            **dict.fromkeys(("bandwidth_kbps", "buffer_ms", "recovery_maxbitrate_kbps", "pkt_size"), NUMBERS),
            "profile": (rist.RistProfile.MAIN, 1, None, "main"),
            "cname": TEXTS,
            "encryption": (rist.EncryptionKey.aes128("x"), None, "x"),
            "compression": TRUTHS,
            "url": TEXTS,
        },
    ),
    "RIST-6 receiver": (
        rist.RecvTransport.builder,
        {
            "buffer_ms": NUMBERS,
            "session_timeout_ms": NUMBERS,
            "profile": (rist.RistProfile.MAIN, 1),
            "cname": TEXTS,
            "bind_url": TEXTS,
        },
    ),
    "SRT-31 builder": (
        lambda: srt.Builder("srt://127.0.0.1:9"),
        {
            **dict.fromkeys(
                ("latency_ms", "connect_timeout_ms", "recv_timeout_ms", "send_timeout_ms"), NUMBERS
            ),
            **dict.fromkeys(("peer_latency_ms", "recv_latency_ms", "max_bandwidth_bps"), NUMBERS),
            **dict.fromkeys(("mss", "payload_size"), NUMBERS),
            "passphrase": ("x" * 10, "x" * 9, "x" * 79, "x" * 80, "é" * 10, *TEXTS),
            "stream_id": ("s" * 512, "s" * 513, *TEXTS),
            "congestion": ("live", "file", *TEXTS),
        },
    ),
}


def _setter(name: str, make: Callable[[], Any], values: tuple[Any, ...]) -> list[str]:
    out = []
    for v in values:
        b = make()
        out.append(outcome(lambda b=b, v=v: getattr(b, name)(v)))
    return out


for _group, (_make, _setters) in BUILDERS.items():
    for _name, _values in _setters.items():

        def _ask(
            name: str = _name, make: Callable[[], Any] = _make, values: tuple[Any, ...] = _values
        ) -> list[str]:
            return _setter(name, make, values)

        fact(f"{_group}: {_name}")(_ask)


def payloads() -> dict[str, Any]:
    """Things that are bytes, nearly, or not at all."""
    return {
        "bytes": b"x",
        "bytearray": bytearray(b"y"),
        "memoryview": memoryview(b"z"),
        "array": array.array("H", [1, 2]),
        "list": [1, 2],
        "list of too much": [300],
        "list of less than nothing": [-1],
        "tuple": (1, 2),
        "generator": (i for i in (1, 2)),
        "range": range(3),
        "set": {1},
        "every second": memoryview(b"abcd")[::2],
        "two dimensions": memoryview(bytes(4)).cast("B", (2, 2)),
        "str": "s",
        "int": 5,
        "float": 1.5,
        "None": None,
    }


@fact("COM-10 bytes of udp")
def _() -> list[Any]:
    out: list[Any] = []
    with udp_in().build() as rx, udp_out(f"udp://127.0.0.1:{rx.local_addr_port()}").build() as tx:
        for what, data in payloads().items():
            sent = outcome(lambda data=data: tx.send(data))
            out.append([what, sent, rx.recv(timeout_ms=5000)[0].hex() if sent.startswith("ok") else ""])
    return out


@fact("COM-10 bytes of tcp")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a, b:
        return [[what, outcome(lambda data=data: a.send(data))] for what, data in payloads().items()]


@fact("COM-10 bytes of rist")
def _() -> list[Any]:
    with rist_out("rist://127.0.0.1:5000").build() as tx:
        return [[what, outcome(lambda data=data: tx.send(data))] for what, data in payloads().items()]


@fact("SRT-5 bytes of srt")
def _() -> list[Any]:
    with pair() as (a, _b), a.into_sender() as tx:
        return [[what, outcome(lambda data=data: tx.send_bytes(data))] for what, data in payloads().items()]


WAITS = (-1, 1 << 64, 1.5, "1", b"1")


@fact("COM-3 waits")
def _() -> list[Any]:
    at = f"rist://@127.0.0.1:{free_port(even=True)}"
    with udp_in().build() as u, rist_in(at).build() as r, listener() as li:
        return [
            [outcome(lambda w=w, f=f: f(timeout_ms=w)) for w in WAITS] for f in (u.recv, r.recv, li.accept)
        ]


@fact("SRT-92 lengths")
def _() -> list[Any]:
    with pair() as (_a, b), b.into_receiver() as rx:
        return [outcome(lambda w=w: rx.recv_bytes(w)) for w in WAITS]


@fact("SRT-143 numbers of a policy")
def _() -> list[Any]:
    names = ("max_attempts", "gap_buffer_capacity")
    return [
        *([outcome(lambda n=n, v=v: srt.ReconnectPolicy(**{n: v})) for v in NUMBERS] for n in names),
        [outcome(lambda v=v: srt.BackoffStrategy.constant(v)) for v in NUMBERS],
        [outcome(lambda v=v: srt.ReconnectPolicy(overflow_policy=v)) for v in (1, None, "REJECT")],
    ]


@fact("RIST-1 what the two say of themselves")
def _() -> list[str]:
    port = free_port(even=True)
    tx = rist_out("rist://127.0.0.1:5000?profile=main&buffer=100").build()
    rx = rist_in(f"rist://@127.0.0.1:{port}?buffer=100").build()
    out = [repr(tx), repr(rx).replace(str(port), "PORT")]
    tx.close()
    rx.close()
    return [*out, repr(tx), repr(rx)]


@fact("TCP-17 arguments")
def _() -> list[Any]:
    cert, key = b"cert", b"key"
    return [
        *(outcome(lambda v=v: tcp.ClientCert(v, key)) for v in payloads().values()),
        *(outcome(lambda v=v: tcp.TlsConfig(v)) for v in payloads().values()),
        *(outcome(lambda v=v: tcp.TlsConfig(verify_hostname=v)) for v in TRUTHS),
        *(outcome(lambda v=v: tcp.TlsConfig(client_cert=v)) for v in (tcp.ClientCert(cert, key), None, 5)),
        tcp.TlsConfig(None).ca_pem.decode(),
        repr(tcp.TlsConfig(b"abc")),
        repr(tcp.ClientCert(cert, key)),
    ]


@fact("COM-11 kinds are numbers")
def _() -> list[Any]:
    out: list[Any] = []
    for name in ("SrtErrorKind", "UdpErrorKind", "TcpErrorKind", "RistErrorKind"):
        kind = getattr(exceptions, name)
        out.append(
            [
                *(outcome(lambda v=v, kind=kind: kind(v)) for v in (0, 99, "CLOSED", None)),
                *(outcome(lambda v=v, kind=kind: kind[v]) for v in ("CLOSED", "closed", 0)),
                *(f"{kind(0)}", f"{kind(0):d}", kind(0) == 0, kind(0) < 1, hash(kind(0)) == hash(0)),
                copy.copy(kind(0)) is kind(0),
            ]
        )
    return out


@fact("COM-11 errors are made with a kind and a message")
def _() -> list[Any]:
    out: list[Any] = []
    for name in ("SrtError", "UdpError", "TcpError", "RistError"):
        error, kind = getattr(exceptions, name), getattr(exceptions, name + "Kind")
        out.append(
            [
                *(outcome(lambda error=error: error()), outcome(lambda error=error: error("m"))),
                *(
                    outcome(lambda error=error: error(message="m")),
                    outcome(lambda error=error, kind=kind: error(kind=kind(0))),
                ),
                outcome(lambda error=error, kind=kind: error(kind=kind(0), message="m", more=1)),
                error(kind=kind(0), message="m") == error(kind=kind(0), message="m"),
                str(error(kind=kind(0), message="m")),
                issubclass(error, exceptions.TstError),
            ]
        )
    return out
