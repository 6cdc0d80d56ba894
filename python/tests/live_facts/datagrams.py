"""Facts of UDP, and what UDP, TCP and RIST have in common."""

from __future__ import annotations

import time
from typing import Any

from tstrans import rist, tcp, udp

from live_facts.common import Parked, fact, free_port, outcome, tcp_pair, udp_in, udp_out

for _name, _url in {
    "UDP-2 a name": "udp://localhost:9",
    "UDP-2 no such name": "udp://no-such-host.invalid:9",
    "UDP-2 empty host": "udp://:9",
    "UDP-2 IPv6": "udp://[::1]:9",
    "UDP-3 at": "udp://@127.0.0.1:9",
    "UDP-3 user": "udp://u:p@127.0.0.1:9",
    "COM-4 capitals": "UDP://127.0.0.1:9",
    "COM-4 no port": "udp://127.0.0.1",
    "COM-4 port too large": "udp://127.0.0.1:65536",
    "COM-4 a path": "udp://127.0.0.1:9/x/y",
    "COM-4 unknown key": "udp://127.0.0.1:9?nonsense=1&latency=x",
    "UDP-4 ttl=0": "udp://127.0.0.1:9?ttl=0",
    "UDP-4 ttl=255": "udp://127.0.0.1:9?ttl=255",
    "UDP-4 ttl=256": "udp://127.0.0.1:9?ttl=256",
    "UDP-4 ttl=x": "udp://127.0.0.1:9?ttl=x",
    "UDP-4 ttl empty": "udp://127.0.0.1:9?ttl=",
    "UDP-4 tos=0xb8": "udp://127.0.0.1:9?tos=0xb8",
    "UDP-4 tos=184": "udp://127.0.0.1:9?tos=184",
    "UDP-4 tos=256": "udp://127.0.0.1:9?tos=256",
    "UDP-4 tos=0x100": "udp://127.0.0.1:9?tos=0x100",
    "UDP-4 sndbuf=64K": "udp://127.0.0.1:9?sndbuf=64K",
    "UDP-4 sndbuf=1M": "udp://127.0.0.1:9?sndbuf=1M",
    "UDP-4 sndbuf=1m": "udp://127.0.0.1:9?sndbuf=1m",
    "UDP-4 sndbuf=1k": "udp://127.0.0.1:9?sndbuf=1k",
    "UDP-4 sndbuf=1G": "udp://127.0.0.1:9?sndbuf=1G",
    "UDP-4 sndbuf=-1": "udp://127.0.0.1:9?sndbuf=-1",
    "UDP-4 pkt_size=188": "udp://127.0.0.1:9?pkt_size=188",
    "UDP-4 pkt_size=x": "udp://127.0.0.1:9?pkt_size=x",
    "UDP-4 iface unicast": "udp://127.0.0.1:9?iface=nonsense",
    "UDP-7 broadcast": "udp://255.255.255.255:9",
    "UDP-7 multicast": "udp://239.1.2.3:9",
    "UDP-8 port 0": "udp://127.0.0.1:0",
}.items():

    def _udp(url: str = _url) -> str:
        return outcome(lambda: udp_out(url).build())

    fact(_name)(_udp)

for _name, _url in {
    "UDP-12 at": "udp://@127.0.0.1:0",
    "UDP-12 plain": "udp://127.0.0.1:0",
    "UDP-12 empty host": "udp://:0",
    "UDP-12 at, empty host": "udp://@:0",
    "UDP-12 user": "udp://u@127.0.0.1:0",
    "UDP-12 a name": "udp://localhost:0",
    "UDP-12 no such name": "udp://no-such-host.invalid:0",
    "UDP-12 any": "udp://0.0.0.0:0",
    "UDP-12 IPv6": "udp://[::1]:0",
    "UDP-12 group": "udp://@239.1.2.4:0",
    "UDP-13 rcvbuf=1M": "udp://127.0.0.1:0?rcvbuf=1M",
    "UDP-13 rcvbuf=x": "udp://127.0.0.1:0?rcvbuf=x",
    "UDP-13 pkt_size=1316": "udp://127.0.0.1:0?pkt_size=1316",
    "UDP-14 group with iface": "udp://@239.1.2.5:0?iface=127.0.0.1",
    "UDP-14 group with iface name": "udp://@239.1.2.5:0?iface=lo",
    "UDP-14 unicast with iface name": "udp://127.0.0.1:0?iface=lo",
    "UDP-15 not local": "udp://192.0.2.1:0",
    "COM-4 receiver capitals": "UDP://127.0.0.1:0",
    "COM-4 receiver no port": "udp://127.0.0.1",
}.items():

    def _udpr(url: str = _url) -> str:
        return outcome(lambda: udp_in(url).build())

    fact(_name)(_udpr)


@fact("COM-2 builders")
def _() -> list[Any]:
    out = []
    for make in (
        udp.Transport.builder,
        udp.RecvTransport.builder,
        tcp.Transport.builder,
        tcp.Listener.builder,
        rist.Transport.builder,
        rist.RecvTransport.builder,
    ):
        out.append(outcome(make().build))
    b = udp.RecvTransport.builder()
    out += [b.bind_url("udp://127.0.0.1:0") is b, b.rcvbuf(1000) is b, b.iface("127.0.0.1") is b]
    with b.build() as one, b.build() as two:
        out.append(one.local_addr_port() != two.local_addr_port())
    return out


@fact("COM-3 integers")
def _() -> list[str]:
    b, t, r = udp.Transport.builder(), tcp.Transport.builder(), rist.Transport.builder()
    return [
        outcome(c)
        for c in (
            lambda: b.ttl(256),
            lambda: b.ttl(-1),
            lambda: b.tos(256),
            lambda: b.sndbuf(-1),
            lambda: b.pkt_size(-1),
            lambda: b.ttl("1"),
            lambda: b.ttl(1.5),
            lambda: b.ttl(True),
            lambda: b.url(5),
            lambda: t.nodelay(1),
            lambda: t.nodelay(True),
            lambda: t.keepalive_ms(-1),
            lambda: t.rcvbuf(-1),
            lambda: t.pkt_size(True),
            lambda: r.profile(1),
            lambda: r.buffer_ms(-1),
            lambda: r.bandwidth_kbps(-1),
            lambda: r.bandwidth_kbps(1 << 32),
            lambda: r.compression(1),
            lambda: r.compression(True),
            lambda: r.pkt_size(-1),
            lambda: r.encryption(5),
            lambda: r.buffer_ms(1 << 32),
            lambda: r.cname(5),
            lambda: udp.RecvTransport.builder().rcvbuf(-1),
            lambda: rist.RecvTransport.builder().session_timeout_ms(-1),
        )
    ]


@fact("UDP-5 zeros")
def _() -> list[str]:
    url = "udp://127.0.0.1:9"
    return [
        outcome(udp_out(url).ttl(0).build),
        outcome(udp_out(url).pkt_size(0).build),
        outcome(udp_out(url).sndbuf(0).build),
    ]


@fact("UDP-9 one datagram each, UDP-16, UDP-18")
def _() -> list[Any]:
    with (
        udp_in().build() as rx,
        udp_out(f"udp://127.0.0.1:{rx.local_addr_port()}?pkt_size=65507").build() as tx,
    ):
        out = []
        for m in (b"", b"x", bytearray(b"abc"), memoryview(b"de"), b"z" * 65507):
            tx.send(m)
            got = rx.recv(timeout_ms=5000)
            out += [type(got).__name__, len(got[0]), got[0] == bytes(m), got[1]]
        return [*out, outcome(lambda: tx.send("text")), outcome(lambda: tx.send(5))]


@fact("UDP-9 too long, UDP-10")
def _() -> list[Any]:
    with udp_in().build() as rx:
        url = f"udp://127.0.0.1:{rx.local_addr_port()}"
        with udp_out(url).build() as tx:
            out = [
                outcome(lambda: tx.send(bytes(1317))),
                outcome(lambda: tx.send(bytes(1316))),
                tx.stats().send_errors,
                tx.stats().datagrams_sent,
                tx.stats().bytes_sent,
            ]
        with udp_out(url).pkt_size(70_000).build() as tx:
            return [*out, outcome(lambda: tx.send(bytes(65508))), outcome(lambda: tx.send(bytes(65507)))]


@fact("UDP-11 nobody there")
def _() -> list[str]:
    with udp_in().build() as rx:
        port = rx.local_addr_port()
    with udp_out(f"udp://127.0.0.1:{port}").build() as tx:
        out = []
        for _ in range(4):
            out.append(outcome(lambda: tx.send(b"x")))
            time.sleep(0.02)
        return sorted(set(out))


@fact("UDP-15 address in use")
def _() -> str:
    with udp_in().build() as rx:
        return outcome(udp_in(f"udp://127.0.0.1:{rx.local_addr_port()}").build)


@fact("UDP-17 timeouts")
def _() -> list[Any]:
    with udp_in().build() as rx:
        out: list[Any] = [outcome(lambda ms=ms: rx.recv(timeout_ms=ms)) for ms in (20, 0)]
        out += [
            outcome(lambda: rx.recv(timeout_ms=-1)),
            outcome(lambda: rx.recv(timeout_ms="1")),
            outcome(lambda: rx.recv(10)),
            rx.stats().recv_errors,
        ]
        with udp_out(f"udp://127.0.0.1:{rx.local_addr_port()}").build() as tx:
            tx.send(b"still usable")
            return [*out, rx.recv(timeout_ms=5000)[0] == b"still usable"]


@fact("UDP-19 statistics")
def _() -> list[Any]:
    with udp_in().build() as rx, udp_out(f"udp://127.0.0.1:{rx.local_addr_port()}").build() as tx:
        for _ in range(3):
            tx.send(b"1234")
        for _ in range(2):
            rx.recv(timeout_ms=5000)
        s, r = tx.stats(), rx.stats()
        names = (
            "datagrams_sent",
            "bytes_sent",
            "datagrams_received",
            "bytes_received",
            "send_errors",
            "recv_errors",
        )
        return [
            [getattr(s, n) for n in names],
            [getattr(r, n) for n in names],
            outcome(lambda: setattr(s, "bytes_sent", 1)),
            s == tx.stats(),
        ]


@fact("COM-6 closed udp")
def _() -> list[Any]:
    rx, tx = udp_in().build(), udp_out("udp://127.0.0.1:9").build()
    out = ["open" in repr(x).lower() for x in (rx, tx)]
    for x in (rx, tx):
        x.close()
        x.close()
    return [
        *out,
        outcome(rx.recv),
        outcome(rx.stats),
        outcome(rx.local_addr_port),
        outcome(lambda: tx.send(b"x")),
        outcome(tx.stats),
        "closed" in repr(rx).lower(),
        "closed" in repr(tx).lower(),
        rx.__enter__() is rx,
    ]


@fact("COM-7 cancel udp")
def _() -> list[Any]:
    with udp_in().build() as rx:
        h = rx.cancel_handle()
        p = Parked(rx.recv)
        before = h.is_cancelled()
        h.cancel()
        first = p.end()
        out = [before, first, outcome(rx.recv), rx.cancel_handle().is_cancelled(), outcome(rx.stats)]
    return [*out, h.is_cancelled()]


@fact("COM-8 close while parked")
def _() -> list[Any]:
    out = []
    with udp_in().build() as rx:
        p = Parked(rx.recv)
        out += [outcome(rx.close), p.end()]
    port = free_port(even=True)
    with rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{port}").build() as rr:
        p = Parked(rr.recv)
        out += [outcome(rr.close), p.end()]
    a, b = tcp_pair()
    p = Parked(lambda: a.recv(bytearray(5)))
    out += [outcome(a.close), p.end()]
    b.close()
    li = tcp.Listener.builder().bind("127.0.0.1:0").build()
    p = Parked(li.accept_blocking)
    return [*out, outcome(li.close), p.end()]


@fact("UDP-7 multicast delivers")
def _() -> Any:
    with udp_in("udp://@239.5.6.7:0?iface=127.0.0.1").build() as rx:  # noqa: SIM117
        with udp_out(f"udp://239.5.6.7:{rx.local_addr_port()}?iface=127.0.0.1&ttl=0").build() as tx:
            try:
                tx.send(b"group")
            except Exception as e:
                return outcome(lambda e=e: (_ for _ in ()).throw(e))
            return outcome(lambda: rx.recv(timeout_ms=2000))
