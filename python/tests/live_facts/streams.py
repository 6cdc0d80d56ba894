"""Facts of TCP."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

from tstrans import tcp

from live_facts.common import Parked, fact, outcome, tcp_out, tcp_pair


@contextlib.contextmanager
def tcp_listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield f"127.0.0.1:{s.getsockname()[1]}"


def _tcp_url(name: str, rest: str, scheme: str = "tcp", host: str = "") -> None:
    @fact(name)
    def _() -> str:
        with tcp_listening() as at:
            where = host.replace("PORT", at.rsplit(":", 1)[1]) if host else at
            return outcome(lambda: tcp_out(f"{scheme}://{where}{rest}").connect_timeout_ms(2000).build())


for _name, _args in {
    "TCP-2 plain": ("",),
    "TCP-2 a name": ("", "tcp", "localhost:PORT"),
    "TCP-2 no such name": ("", "tcp", "no-such-host.invalid:PORT"),
    "TCP-2 user": ("", "tcp", "u:p@127.0.0.1:PORT"),
    "TCP-2 empty host": ("", "tcp", ":PORT"),
    "TCP-2 no port": ("", "tcp", "127.0.0.1"),
    "TCP-2 capitals": ("", "TCP"),
    "TCP-2 another scheme": ("", "udp"),
    "TCP-3 nodelay=0": ("?nodelay=0",),
    "TCP-3 nodelay=false": ("?nodelay=false",),
    "TCP-3 nodelay=2": ("?nodelay=2",),
    "TCP-3 nodelay empty": ("?nodelay=",),
    "TCP-3 keepalive=5": ("?keepalive=5",),
    "TCP-3 keepalive=0": ("?keepalive=0",),
    "TCP-3 keepalive=x": ("?keepalive=x",),
    "TCP-3 rcvbuf=64K": ("?rcvbuf=64K",),
    "TCP-3 sndbuf=1M": ("?sndbuf=1M",),
    "TCP-3 sndbuf=1G": ("?sndbuf=1G",),
    "TCP-3 connect_timeout=0": ("?connect_timeout=0",),
    "TCP-3 connect_timeout=5": ("?connect_timeout=5",),
    "TCP-3 listen": ("?listen=1",),
    "TCP-3 unknown": ("/path?nonsense=1",),
    "TCP-3 ca missing": ("?ca=/nonexistent.pem", "tcps"),
}.items():
    _tcp_url(_name, *_args)


@fact("TCP-4 setters")
def _() -> list[str]:
    with tcp_listening() as at:
        url = f"tcp://{at}"
        return (
            [outcome(tcp_out(url).keepalive_ms(n).build) for n in (0, 1, 999, 1000)]
            + [outcome(tcp_out(url).connect_timeout_ms(n).build) for n in (0, 1000)]
            + [outcome(tcp_out(url).nodelay(False).rcvbuf(4096).sndbuf(4096).pkt_size(10).build)]
        )


@fact("TCP-6 refused")
def _() -> str:
    with tcp_listening() as at:
        pass
    return outcome(tcp_out(f"tcp://{at}").build)


@fact("TCP-6 no answer")
def _() -> list[Any]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        at = s.getsockname()[1]
        fill = []
        for _ in range(4):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(("127.0.0.1", at))
            fill.append(c)
        time.sleep(0.1)
        begun = time.monotonic()
        r = outcome(tcp_out(f"tcp://127.0.0.1:{at}").connect_timeout_ms(300).build)
        took = time.monotonic() - begun
        for c in fill:
            c.close()
        return [r, 0.2 < took < 1.5]


@fact("TCP-7 both ways, TCP-8 no framing")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a, b:
        a.send(b"one")
        a.send(b"two")
        time.sleep(0.05)
        buf = bytearray(4)
        n = b.recv(buf)
        m = b.recv(bytearray(10))
        b.send(b"back")
        k = a.recv(bytearray(100))
        peer = a.peer_addr()
    return [n, buf.decode(), m, k, peer.startswith("127.0.0.1:"), a.peer_addr()]


@fact("TCP-9 sends")
def _() -> list[Any]:
    a, b = tcp_pair(dial=lambda x: x.pkt_size(10))
    with a, b:
        out: list[Any] = [
            outcome(lambda x=x: a.send(x))
            for x in (b"", b"1234567890", b"12345678901", bytearray(b"x"), memoryview(b"y"), "text", 5)
        ]
        s = a.stats()
        return [*out, s.send_calls, s.bytes_sent, s.send_errors]


@fact("TCP-9 default size")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a, b:
        return [outcome(lambda: a.send(bytes(65536))), outcome(lambda: a.send(bytes(65537)))]


@fact("TCP-10 buffers")
def _() -> list[str]:
    a, b = tcp_pair()
    with a, b:
        return [
            outcome(lambda: b.recv(b"abc")),
            outcome(lambda: b.recv(memoryview(bytearray(3)))),
            outcome(lambda: b.recv(5)),
            outcome(lambda: b.recv(bytearray())),
        ]


@fact("TCP-11 peer close")
def _() -> list[Any]:
    a, b = tcp_pair()
    with b:
        a.send(b"last")
        a.close()
        buf = bytearray(3)
        return [
            b.recv(buf),
            b.recv(buf),
            outcome(lambda: b.recv(buf)),
            outcome(lambda: b.recv(buf)),
            b.stats().recv_errors >= 0,
        ]


@fact("TCP-12 write to a closed peer")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a:
        b.close()
        end = time.monotonic() + 5
        while (r := outcome(lambda: a.send(b"x"))) == "ok NoneType" and time.monotonic() < end:
            time.sleep(0.01)
        return [r, outcome(lambda: a.send(b"x"))]


for _name, _at in {
    "TCP-14 literal": "127.0.0.1:0",
    "TCP-14 IPv6": "[::1]:0",
    "TCP-14 a name": "localhost:0",
    "TCP-14 empty host": ":0",
    "TCP-14 scheme": "tcp://127.0.0.1:0",
    "TCP-14 no port": "127.0.0.1",
    "TCP-14 port too large": "127.0.0.1:65536",
    "TCP-14 not local": "192.0.2.1:0",
}.items():

    def _tcpl(at: str = _at) -> str:
        return outcome(tcp.Listener.builder().bind(at).build)

    fact(_name)(_tcpl)


@fact("TCP-14 in use")
def _() -> str:
    with tcp_listening() as at:
        return outcome(tcp.Listener.builder().bind(at).build)


@fact("TCP-14 setters hold for accepted")
def _() -> list[Any]:
    a, b = tcp_pair(listen=lambda x: x.pkt_size(4).nodelay(True).rcvbuf(8192).sndbuf(8192))
    with a, b:
        return [outcome(lambda: b.send(b"12345")), outcome(lambda: b.send(b"1234"))]


@fact("TCP-16 statistics")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a, b:
        a.send(b"abc")
        a.send(b"")
        b.recv(bytearray(10))
        names = ("bytes_sent", "bytes_received", "send_calls", "recv_calls", "send_errors", "recv_errors")
        return [[getattr(a.stats(), n) for n in names], [getattr(b.stats(), n) for n in names]]


@fact("TCP-17 TLS classes")
def _() -> list[Any]:
    c = tcp.ClientCert(b"cert", b"secret")
    t = tcp.TlsConfig(b"ca", client_cert=c)
    d = tcp.TlsConfig()
    return [
        c.cert_pem.decode(),
        c.key_pem.decode(),
        "secret" in repr(c),
        t.ca_pem.decode(),
        t.verify_hostname,
        t.client_cert.key_pem.decode(),
        len(d.ca_pem or b""),
        d.client_cert,
        d.verify_hostname,
        outcome(lambda: tcp.TlsConfig(b"", True)),
        outcome(lambda: setattr(c, "cert_pem", b"")),
    ]


@fact("COM-6 closed tcp")
def _() -> list[Any]:
    a, b = tcp_pair()
    li = tcp.Listener.builder().bind("127.0.0.1:0").build()
    for x in (a, b, li):
        x.close()
        x.close()
    return [
        outcome(lambda: a.send(b"x")),
        outcome(lambda: a.recv(bytearray(1))),
        outcome(a.stats),
        a.peer_addr(),
        outcome(li.accept_blocking),
        outcome(li.local_port),
        "closed" in repr(a).lower(),
        "closed" in repr(li).lower(),
        outcome(lambda: a.send(b"")),
    ]


@fact("COM-7 cancel tcp")
def _() -> list[Any]:
    a, b = tcp_pair()
    with a, b:
        h = a.cancel_handle()
        p = Parked(lambda: a.recv(bytearray(5)))
        h.cancel()
        out = [
            p.end(),
            outcome(lambda: a.recv(bytearray(5))),
            outcome(lambda: a.send(b"x")),
            h.is_cancelled(),
            outcome(a.stats),
        ]
    with tcp.Listener.builder().bind("127.0.0.1:0").build() as li:
        h = li.cancel_handle()
        p = Parked(li.accept_blocking)
        h.cancel()
        return [*out, p.end(), outcome(li.accept_blocking), outcome(li.local_port)]
