"""Sends and waits that do not enter Go: bursts stay whole and in order, and ends are seen from any thread."""

from __future__ import annotations

import hashlib
import socket
import struct
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tstrans import rtp, tcp, udp
from tstrans.exceptions import TstError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 20.0


def datagram_socket() -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind(("127.0.0.1", 0))
    s.settimeout(LIMIT_S)
    return s


def udp_sender(s: socket.socket) -> udp.Transport:
    return udp.Transport.builder().url(f"udp://127.0.0.1:{s.getsockname()[1]}").build()


def pair() -> tuple[tcp.Transport, tcp.Transport]:
    with tcp.Listener.builder().bind("127.0.0.1:0").build() as listener:
        client = tcp.Transport.builder().url(f"tcp://127.0.0.1:{listener.local_port()}").build()
        return client, listener.accept_blocking()


def numbered(i: int) -> bytes:
    """A datagram whose length changes now and then: a burst is cut into equal ones."""
    return struct.pack(">I", i) + b"\x47" * (1312 if i % 7 else 100 + i % 900)


def test_datagrams_of_a_burst_stay_whole_and_in_order() -> None:
    with datagram_socket() as s, udp_sender(s) as tx:
        sent = 0
        for begin in range(0, 2000, 100):
            batch = [numbered(i) for i in range(begin, begin + 100)]
            if begin % 300 == 0:
                batch.append(b"")
            for b in batch:
                tx.send(b)
            # Nothing is closed or flushed: what the burst holds back arrives by itself.
            assert [s.recv(2048) for _ in batch] == batch
            sent += len(batch)
        stats = tx.stats()
        assert stats.datagrams_sent == sent
        assert stats.send_errors == 0


def test_close_sends_what_a_burst_holds_back() -> None:
    with datagram_socket() as s:
        for _ in range(20):
            with udp_sender(s) as tx:
                for i in range(50):
                    tx.send(numbered(i))
            assert [s.recv(2048) for _ in range(50)] == [numbered(i) for i in range(50)]


def test_the_end_of_the_process_sends_it_too() -> None:
    with datagram_socket() as s:
        code = (
            "from tstrans import udp\n"
            f"t = udp.Transport.builder().url('udp://127.0.0.1:{s.getsockname()[1]}').build()\n"
            "for i in range(200): t.send(b'%d' % i)\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=LIMIT_S)
        assert [s.recv(2048) for _ in range(200)] == [b"%d" % i for i in range(200)]


def test_a_burst_to_nobody_is_no_error() -> None:
    s = datagram_socket()
    with udp_sender(s) as tx:
        s.close()
        for i in range(500):
            tx.send(numbered(i))
        assert tx.stats().datagrams_sent == 500


def test_what_is_too_long_is_refused_within_a_burst() -> None:
    with datagram_socket() as s, udp_sender(s) as tx:
        for i in range(64):
            tx.send(numbered(i))
        with pytest.raises(udp.UdpError) as caught:
            tx.send(bytes(1317))
        assert caught.value.kind is udp.UdpErrorKind.PAYLOAD_TOO_LARGE
        tx.send(b"after it")
        assert [s.recv(2048) for _ in range(65)] == [*(numbered(i) for i in range(64)), b"after it"]


def test_rtp_packets_are_numbered_through() -> None:
    with datagram_socket() as s:
        url = f"rtp://127.0.0.1:{s.getsockname()[1]}?ssrc=77"
        with rtp.Sender(url, pkt_size=1400) as tx:
            for i in range(1000):
                tx.send(numbered(i))
                if i % 100 == 0:
                    with pytest.raises(TstError):
                        tx.send(bytes(1400))
            stats = tx.stats()
        packets = [s.recv(2048) for _ in range(1000)]
    assert [p[12:] for p in packets] == [numbered(i) for i in range(1000)]
    heads = [struct.unpack(">BBHII", p[:12]) for p in packets]
    assert {(h[0], h[1], h[4]) for h in heads} == {(0x80, 33, 77)}
    first = heads[0][2]
    assert [(h[2] - first) & 0xFFFF for h in heads] == list(range(1000))
    steps = [(b[3] - a[3]) & 0xFFFFFFFF for a, b in pairwise(heads)]
    assert max(steps) < 90_000 * LIMIT_S
    assert stats.packets_sent == 1000
    assert stats.bytes_sent == sum(map(len, packets))


def test_a_stream_closed_before_its_reader_took_it_loses_nothing() -> None:
    data = bytes(range(256)) * 5 + b"tail"  # 1284 bytes
    client, server = pair()
    want = hashlib.sha256()
    stop = threading.Event()
    total = 0

    def send() -> None:
        nonlocal total
        while not stop.is_set():
            client.send(data)
            want.update(data)
            total += len(data)

    t = threading.Thread(target=send)
    t.start()
    # Until the system's buffers are full and the sender is parked.
    seen, since, end = 0, time.monotonic(), time.monotonic() + LIMIT_S
    while time.monotonic() < end and time.monotonic() - since < 0.3:
        time.sleep(0.01)
        if total != seen:
            seen, since = total, time.monotonic()
    stop.set()
    got = hashlib.sha256()
    n = 0
    buf = bytearray(64 << 10)

    def read_until(size: int) -> None:
        nonlocal n
        while n < size:
            k = server.recv(buf)
            got.update(buf[:k])
            n += k

    read_until(seen // 2)  # room for what is parked, and no more is sent
    t.join(LIMIT_S)
    assert not t.is_alive()
    client.close()
    read_until(total)
    with pytest.raises(tcp.TcpError):
        server.recv(buf)
    server.close()
    assert got.digest() == want.digest()
    assert n == total


def test_a_short_answer_is_not_held_back() -> None:
    client, server = pair()
    buf = bytearray(1024)
    with client, server:
        begun = time.monotonic()
        for _ in range(300):
            client.send(b"ping")
            assert server.recv(buf) == 4
            server.send(b"pong!")
            assert client.recv(buf) == 5
        assert time.monotonic() - begun < 5


def test_sends_of_several_threads_stay_whole() -> None:
    client, server = pair()
    done = []

    def send(k: int) -> None:
        for i in range(2000):
            client.send(struct.pack(">HHI", 0xABCD, k, i) + bytes([k]) * 92)
        done.append(k)

    threads = [threading.Thread(target=send, args=(k,)) for k in range(4)]
    with client, server:
        for t in threads:
            t.start()
        data = bytearray()
        buf = bytearray(64 << 10)
        while len(data) < 4 * 2000 * 100:
            data += buf[: server.recv(buf)]
        for t in threads:
            t.join(LIMIT_S)
    assert sorted(done) == [0, 1, 2, 3]
    following = [0, 0, 0, 0]
    for at in range(0, len(data), 100):
        mark, k, i = struct.unpack_from(">HHI", data, at)
        assert (mark, i) == (0xABCD, following[k])
        assert data[at + 8 : at + 100] == bytes([k]) * 92
        following[k] += 1


def _receivers() -> dict[str, Callable[[], tuple[Any, Callable[[], object]]]]:
    def of_udp() -> tuple[Any, Callable[[], object]]:
        r = udp.RecvTransport.builder().bind_url("udp://127.0.0.1:0").build()
        return r, r.recv

    def of_rtp() -> tuple[Any, Callable[[], object]]:
        r = rtp.Receiver("rtp://127.0.0.1:0")
        return r, r.recv

    def of_tcp() -> tuple[Any, Callable[[], object]]:
        client, server = pair()
        kept.append(server)
        return client, lambda: client.recv(bytearray(100))

    kept: list[object] = []
    return {"udp": of_udp, "rtp": of_rtp, "tcp": of_tcp}


@pytest.mark.parametrize("how", ["cancel", "close"])
@pytest.mark.parametrize("name", ["udp", "rtp", "tcp"])
def test_a_parked_receive_sees_its_end(name: str, how: str) -> None:
    for _ in range(10):
        r, receive = _receivers()[name]()
        ended = threading.Event()

        def park(receive: Callable[[], object] = receive, ended: threading.Event = ended) -> None:
            with pytest.raises(TstError):
                receive()
            ended.set()

        t = threading.Thread(target=park)
        t.start()
        time.sleep(0.01)
        begun = time.monotonic()
        if how == "cancel":
            r.cancel_handle().cancel()
        else:
            r.close()
        assert time.monotonic() - begun < 1  # 50 ms on a machine that does nothing else
        assert ended.wait(LIMIT_S)
        t.join(LIMIT_S)
        r.close()


@pytest.mark.parametrize("name", ["udp", "rtp", "tcp"])
def test_a_close_beside_sends_is_safe(name: str) -> None:
    with datagram_socket() as s:
        for _ in range(20):
            kept: list[Any] = []
            tx: Any
            if name == "udp":
                tx = udp_sender(s)
            elif name == "rtp":
                tx = rtp.Sender(f"rtp://127.0.0.1:{s.getsockname()[1]}")
            else:
                tx, server = pair()
                kept.append(server)
            kinds = []

            def send(tx: Any = tx, kinds: list[str] = kinds) -> None:
                try:
                    while True:
                        tx.send(b"x" * 188)
                except TstError as e:
                    kinds.append(type(e).__name__)

            threads = [threading.Thread(target=send) for _ in range(3)]
            for t in threads:
                t.start()
            time.sleep(0.005)
            tx.close()
            for k in kept:
                k.close()
            for t in threads:
                t.join(LIMIT_S)
                assert not t.is_alive()
            assert len(kinds) == 3
