"""tstrans.udp and tstrans.tcp: against plain sockets and themselves."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tstrans import tcp, udp
from tstrans._native.transport_lib import Messages
from tstrans.exceptions import TcpError, TcpErrorKind, TstError, UdpError, UdpErrorKind


def udp_kind(call: Callable[[], object]) -> UdpErrorKind:
    with pytest.raises(UdpError) as caught:
        call()
    return caught.value.kind


def tcp_kind(call: Callable[[], object]) -> TcpErrorKind:
    with pytest.raises(TcpError) as caught:
        call()
    return caught.value.kind


def receiver(query: str = "") -> udp.RecvTransport:
    return udp.RecvTransport.builder().bind_url(f"udp://127.0.0.1:0{query}").build()


def sender(port: int, query: str = "") -> udp.Transport:
    return udp.Transport.builder().url(f"udp://127.0.0.1:{port}{query}").build()


def parked(call: Callable[[], object], end: Callable[[], object]) -> BaseException | None:
    """What a call that waits ends with when another thread ends it."""
    box: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as e:
            box.append(e)

    t = threading.Thread(target=run, daemon=True)
    t.start()
    time.sleep(0.05)
    end()
    t.join(20)
    assert not t.is_alive()
    return box[0] if box else None


# ---- UDP


def numbered(sizes: list[int]) -> list[bytes]:
    return [(b"%05d" % i * (n // 5 + 1))[:n] for i, n in enumerate(sizes)]


@pytest.mark.parametrize(
    "sizes",
    [
        [1316] * 20,
        [1316] * 5 + [188] * 3 + [1316] * 5,
        [0, 1, 2031, 2032, 2033, 2048, 2049, 1316, 9000, 1316, 0, 30000, 7],
        [65507],
    ],
)
def test_datagrams_of_every_size_arrive_together(sizes: list[int]) -> None:
    with receiver() as rx, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tx:
        tx.connect(("127.0.0.1", rx.local_addr_port()))
        for round_ in range(3):  # what came before settles where the system puts them
            sent = numbered(sizes if round_ % 2 == 0 else sizes[::-1])
            for data in sent:
                tx.send(data)
            assert [rx.recv(timeout_ms=5000)[0] for _ in sent] == sent
        stats = rx.stats()
        assert (stats.datagrams_received, stats.bytes_received) == (3 * len(sizes), 3 * sum(sizes))
        assert udp_kind(lambda: rx.recv(timeout_ms=0)) == UdpErrorKind.IO


def test_datagrams_wait_for_a_reader_with_room() -> None:
    with receiver() as rx, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tx:
        tx.connect(("127.0.0.1", rx.local_addr_port()))
        small, middle, large = (Messages(rx._link, arena=size) for size in (10_000, 40_000, 100_000))
        sent = numbered([15_000, 15_000, 15_000, 100])
        for data in sent:
            tx.send(data)
        with pytest.raises(TstError, match="15000 bytes"):  # nothing is lost by it
            small.get(5000)
        assert middle.get(5000) == sent[0]
        got = [*middle.queue]
        middle.drop()
        while len(got) < len(sent) - 1:
            got.append(large.get(0))
        assert got == sent[1:]


def test_datagrams_stay_whole_and_in_order() -> None:
    with receiver() as rx, sender(rx.local_addr_port(), "?pkt_size=65507") as tx:
        sent = [
            b"",
            b"a",
            bytearray(b"b" * 1316),
            memoryview(b"c" * 65507),
            *[bytes([i]) * i for i in range(100)],
        ]
        for m in sent:
            tx.send(m)
        assert [rx.recv(timeout_ms=10_000) for _ in sent] == [(bytes(m), "") for m in sent]
        s, r = tx.stats(), rx.stats()
        assert (s.datagrams_sent, s.bytes_sent) == (r.datagrams_received, r.bytes_received)
        assert s.datagrams_sent == len(sent)


def test_received_counts_what_was_handed_out() -> None:
    with receiver() as rx, sender(rx.local_addr_port()) as tx:
        for _ in range(5):
            tx.send(b"1234")
        rx.recv(timeout_ms=10_000)
        r = rx.stats()
        assert (r.datagrams_received, r.bytes_received) == (1, 4)
        assert rx.dropped() == 0


def test_against_a_plain_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain, receiver() as rx:
        plain.bind(("127.0.0.1", 0))
        plain.settimeout(10)
        plain.sendto(b"to us", ("127.0.0.1", rx.local_addr_port()))
        assert rx.recv(timeout_ms=10_000) == (b"to us", "")
        with sender(plain.getsockname()[1]) as tx:
            tx.send(b"from us")
        assert plain.recv(100) == b"from us"


def test_udp_limits() -> None:
    with receiver() as rx, sender(rx.local_addr_port(), "?pkt_size=100") as tx:
        assert udp_kind(lambda: tx.send(bytes(101))) is UdpErrorKind.PAYLOAD_TOO_LARGE
        assert tx.stats().send_errors == 1
        with pytest.raises(TypeError):
            tx.send("text")
        for ms in (0, 10):
            assert udp_kind(lambda ms=ms: rx.recv(timeout_ms=ms)) is UdpErrorKind.IO
        with pytest.raises(OverflowError):
            rx.recv(timeout_ms=-1)
        big = udp.Transport.builder().url(f"udp://127.0.0.1:{rx.local_addr_port()}").pkt_size(70_000).build()
        assert udp_kind(lambda: big.send(bytes(65508))) is UdpErrorKind.IO
        big.close()
        port = rx.local_addr_port()
    gone = sender(port)
    for _ in range(50):  # nobody listens: UDP does not mind
        gone.send(b"x")
    gone.close()


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_udp_ends(how: str) -> None:
    rx = receiver()
    handle = rx.cancel_handle()
    error = parked(rx.recv, handle.cancel if how == "cancel" else rx.close)
    assert isinstance(error, UdpError)
    assert error.kind is UdpErrorKind.CLOSED
    assert handle.is_cancelled()
    assert udp_kind(rx.recv) is UdpErrorKind.CLOSED
    rx.close()
    rx.close()
    for call in (rx.recv, rx.stats, rx.local_addr_port):
        assert udp_kind(call) is UdpErrorKind.CLOSED
    # A thread that asks for the handle a moment too late is told so by the handle.
    assert rx.cancel_handle().is_cancelled()
    assert "closed" in repr(rx)


def test_udp_builders() -> None:
    for name, value in (("ttl", 256), ("tos", -1), ("sndbuf", -1), ("pkt_size", -1)):
        with pytest.raises(OverflowError):
            getattr(udp.Transport.builder(), name)(value)
    with pytest.raises(ValueError):
        udp.Transport.builder().build()
    with pytest.raises(ValueError):
        udp.RecvTransport.builder().build()
    for cls in (udp.Transport, udp.RecvTransport, udp.TransportBuilder, udp.SocketStats):
        with pytest.raises(TypeError):
            cls()
    b = udp.Transport.builder().url("udp://127.0.0.1:9?pkt_size=100").pkt_size(200)
    with b.build() as one, b.build() as two:
        one.send(bytes(150))
        two.send(bytes(200))
    for url in ("udp://u@127.0.0.1:9", "UDP://127.0.0.1:9", "udp://127.0.0.1", "udp://127.0.0.1:9?ttl=256"):
        assert udp_kind(udp.Transport.builder().url(url).build) is UdpErrorKind.URL
    with receiver() as rx:
        url = f"udp://@127.0.0.1:{rx.local_addr_port()}"
        assert udp_kind(udp.RecvTransport.builder().bind_url(url).build) is UdpErrorKind.IO


# ---- TCP


def tcp_pair(**client: Any) -> tuple[tcp.Transport, tcp.Transport]:
    with tcp.Listener.builder().bind("127.0.0.1:0").build() as listener:
        b = tcp.Transport.builder().url(f"tcp://127.0.0.1:{listener.local_port()}")
        for name, value in client.items():
            getattr(b, name)(value)
        return b.build(), listener.accept_blocking()


def drain(t: tcp.Transport, n: int) -> bytes:
    buf, got = bytearray(50_000), b""
    while len(got) < n:
        got += buf[: t.recv(buf)]
    return got


def test_stream_both_ways() -> None:
    a, b = tcp_pair()
    with a, b:
        data = bytes(range(256)) * 4096
        for x, y in ((a, b), (b, a)):
            got: list[bytes] = []
            reading = threading.Thread(target=lambda y=y, got=got: got.append(drain(y, len(data))))
            reading.start()
            for at in range(0, len(data), 65536):
                x.send(data[at : at + 65536])
            reading.join(30)
            assert got == [data]
        x_stats = a.stats()
        assert (x_stats.bytes_sent, x_stats.bytes_received) == (len(data), len(data))
        assert a.peer_addr().startswith("127.0.0.1:")
    assert a.peer_addr() == ""


def test_tcp_limits() -> None:
    a, b = tcp_pair(pkt_size=10)
    with a, b:
        a.send(b"")
        assert tcp_kind(lambda: a.send(bytes(11))) is TcpErrorKind.PAYLOAD_TOO_LARGE
        for wrong in (b"bytes", memoryview(bytearray(5))):
            with pytest.raises(TypeError):
                b.recv(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError):
            b.recv(bytearray())
        a.send(b"last words")
        a.close()
        buf = bytearray(4)
        assert [bytes(buf[: b.recv(buf)]) for _ in range(3)] == [b"last", b" wor", b"ds"]
        for _ in range(2):
            assert tcp_kind(lambda: b.recv(buf)) is TcpErrorKind.IO


def test_stalled_reader_is_not_a_hang() -> None:
    a, b = tcp_pair(idle_timeout_ms=200, sndbuf=4096)
    with a, b:

        def flood() -> None:
            while True:
                a.send(bytes(65536))

        assert tcp_kind(flood) is TcpErrorKind.IO


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_tcp_ends(how: str) -> None:
    a, b = tcp_pair()
    with a, b:
        end = a.cancel_handle().cancel if how == "cancel" else a.close
        error = parked(lambda: a.recv(bytearray(10)), end)
        assert isinstance(error, TcpError)
        assert error.kind is TcpErrorKind.CLOSED
    listener = tcp.Listener.builder().bind("127.0.0.1:0").build()
    end = listener.cancel_handle().cancel if how == "cancel" else listener.close
    error = parked(listener.accept_blocking, end)
    assert isinstance(error, TcpError)
    assert error.kind is TcpErrorKind.CLOSED
    listener.close()
    assert listener.cancel_handle().is_cancelled()
    assert a.cancel_handle().is_cancelled()


def test_tcp_builders() -> None:
    with pytest.raises(TypeError):
        tcp.Transport.builder().nodelay(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        tcp.Transport.builder().build()
    with pytest.raises(ValueError):
        tcp.Listener.builder().build()
    url = tcp.Transport.builder().url
    assert tcp_kind(url("tcp://127.0.0.1:1?keepalive=0").build) is TcpErrorKind.IO
    assert tcp_kind(url("tcp://127.0.0.1:1").keepalive_ms(999).build) is TcpErrorKind.IO
    assert tcp_kind(url("tcp://127.0.0.1:1").connect_timeout_ms(0).build) is TcpErrorKind.IO
    assert tcp_kind(url("udp://127.0.0.1:1").build) is TcpErrorKind.URL
    assert tcp_kind(tcp.Listener.builder().bind("localhost:0").build) is TcpErrorKind.URL
    assert "redacted" in repr(tcp.ClientCert(b"c", b"secret"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=t"
    names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        f"{folder}/key.pem",
        "-out",
        f"{folder}/cert.pem",
    ]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return folder


def test_tls(certificate: Path) -> None:
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    pem = cert.read_bytes()
    builder = tcp.Listener.builder().bind("127.0.0.1:0").tls(str(cert), str(key)).client_ca(pem)
    with builder.build() as listener:
        url = f"tcps://127.0.0.1:{listener.local_port()}"
        served: list[bytes] = []

        def serve() -> None:
            for _ in range(3):
                with listener.accept_blocking() as t:
                    buf = bytearray(100)
                    try:
                        served.append(bytes(buf[: t.recv(buf)]))
                    except TcpError as e:
                        served.append(e.kind.name.encode())

        serving = threading.Thread(target=serve)
        serving.start()
        assert tcp_kind(tcp.Transport.builder().url(url).build) is TcpErrorKind.TLS  # unknown authority
        with tcp.Transport.builder().url(url).tls(tcp.TlsConfig(pem)).build() as t:  # shows no certificate
            assert tcp_kind(lambda: t.recv(bytearray(10))) is TcpErrorKind.IO
        mine = tcp.ClientCert(pem, key.read_bytes())
        with tcp.Transport.builder().url(url).tls(tcp.TlsConfig(pem, client_cert=mine)).build() as t:
            t.send(b"both know each other")
            serving.join(20)
        assert served == [b"IO", b"IO", b"both know each other"]
