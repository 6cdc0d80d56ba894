"""Links that are replaced, over TCP, UDP and RIST; SRT's are in test_srt.py and test_live_kills.py."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from live_kills import message
from tstrans import rist, srt, tcp, udp
from tstrans.exceptions import TcpError, TcpErrorKind, UdpError, UdpErrorKind
from tstrans.mpegts import DemuxEvent, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

NAL = (
    b"\0\0\0\1\x67\x42\x00\x1e\x8d\x68\x50\x1e\xd0\x0f\x08\x84\x6a\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65"
    + b"\x88" * 800
)


def quick(**more: Any) -> srt.ReconnectPolicy:
    return srt.ReconnectPolicy(backoff=srt.BackoffStrategy.constant(20), max_attempts=None, **more)


def free_port(kind: socket.SocketKind) -> int:
    while True:
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.1", 0))
            port: int = s.getsockname()[1]
            if kind == socket.SOCK_STREAM or port % 2 == 0:  # RIST uses the next one too
                return port


def later(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    box: list[Any] = []

    def run() -> None:
        box.append(call())

    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t, box


def test_a_tcp_sender_finds_the_next_peer() -> None:
    port = free_port(socket.SOCK_STREAM)
    url = f"tcp://127.0.0.1:{port}"
    with socket.create_server(("127.0.0.1", port)) as server:
        tx = tcp.ManagedSender.from_url(url, policy=quick())
        a = server.accept()[0]
    tx.send_bytes(message(0))
    assert len(a.recv(4000)) == 1316
    a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    a.close()
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(20)
        t, _ = later(lambda: [tx.send_bytes(message(i)) for i in range(1, 40)])
        b = server.accept()[0]
        got = b""
        while len(got) < 1316 * 10:
            got += b.recv(65536)
        t.join(20)
        b.close()
    s = tx.reconnect_stats()
    assert s.reconnect_successes == 1
    assert s.link_bytes_lost % 1316 == 0
    assert tx.is_alive()
    assert tx.stats().bytes_sent >= 1316 * 10
    tx.close()
    with pytest.raises(TcpError) as caught:
        tx.send_bytes(message(0))
    assert caught.value.kind is TcpErrorKind.CLOSED


def test_what_a_stalled_tcp_peer_did_not_acknowledge_is_counted_to_the_byte() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}?idle_timeout=200&sndbuf=65536"
        tx = tcp.ManagedSender.from_url(url, policy=quick(mode=srt.ReconnectMode.BACKGROUND))
        a = server.accept()[0]
        i = 0
        end = time.monotonic() + 20
        while not tx.reconnect_stats().link_bytes_lost and time.monotonic() < end:
            tx.send_bytes(message(i % 1000))
            i += 1
        lost = tx.reconnect_stats().link_bytes_lost
        sent = tx.stats().bytes_sent
        held = 0
        a.settimeout(0.3)
        try:  # what the peer's system took is all that can still be read
            while data := a.recv(65536):
                held += len(data)
        except OSError:
            pass
        a.close()
        tx.close()
    assert 0 < lost < sent + 1316
    assert held > 0


def test_tcp_receivers_go_on_with_the_next_sender() -> None:
    port = free_port(socket.SOCK_STREAM)
    url = f"tcp://127.0.0.1:{port}"
    _, box = later(lambda: tcp.ManagedReceiver.from_url(url, policy=quick(), listen=True))
    program = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    firsts = []
    for n in range(2):
        end = time.monotonic() + 20
        while True:
            try:
                peer = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.01)
        with peer:
            peer.sendall(message(n) * 2)
            while not box:
                time.sleep(0.005)
            firsts += [box[0].recv_batch()]
            peer.shutdown(socket.SHUT_WR)
    rx = box[0]
    assert [fresh for _, fresh in firsts] == [False, True]
    assert firsts[1][0].startswith(message(1)[:188])
    assert rx.reconnect_attempts() == 1
    handle = rx.cancel_handle()

    def ended() -> None:
        with pytest.raises(TcpError):
            rx.recv_bytes()

    t, _ = later(ended)
    handle.cancel()
    t.join(10)
    assert not t.is_alive()
    rx.close()
    # And events, over a sender of access units.
    _, box = later(lambda: tcp.ManagedDemuxReceiver.from_url(url, policy=quick(), listen=True))
    names: list[str] = []
    for n in range(2):
        end = time.monotonic() + 20
        while True:
            try:
                tx = tcp.ManagedMuxSender.from_url(url, program, policy=quick())
                break
            except TcpError:
                assert time.monotonic() < end
                time.sleep(0.01)
        with tx:
            for i in range(5):
                tx.push_video(NAL, pts=Pts90khz.from_raw(3000 * i), key_frame=True)
            while not box:
                time.sleep(0.005)
            while names.count("ProgramMap") <= n:
                event = next(box[0])
                kinds = (DemuxEvent.ProgramMap, DemuxEvent.ReconnectDiscontinuity, DemuxEvent.Video)
                names += [k.__name__.strip("_").removesuffix("Event") for k in kinds if isinstance(event, k)]
    box[0].close()
    assert box[0].end_reason() is srt.RecvEndReason.CANCELLED
    assert names.count("ReconnectDiscontinuity") == 1
    assert names.index("ReconnectDiscontinuity") == len(names) - 2


def test_a_silent_udp_receiver_binds_anew() -> None:
    port = free_port(socket.SOCK_DGRAM)
    rx = udp.ManagedReceiver.from_url(f"udp://127.0.0.1:{port}?idle_timeout=100", policy=quick())
    tx = udp.ManagedSender.from_url(f"udp://127.0.0.1:{port}", policy=quick())
    with rx, tx:
        tx.send_bytes(message(0))
        assert rx.recv_batch() == (message(0), False)
        t, box = later(rx.recv_batch)
        end = time.monotonic() + 20
        while not rx.reconnect_stats().reconnect_successes and time.monotonic() < end:
            time.sleep(0.01)
        while t.is_alive() and time.monotonic() < end:
            tx.send_bytes(message(1))
            t.join(0.02)
        data, fresh = box[0]
        assert fresh
        assert data[:1316] == message(1)
        assert rx.stats().messages_received >= 2
        rx.cancel_handle().cancel()
        with pytest.raises(UdpError) as caught:
            while True:
                rx.recv_bytes()
        assert caught.value.kind is UdpErrorKind.CLOSED


def test_rist_over_reconnecting_objects() -> None:
    port = free_port(socket.SOCK_DGRAM)
    rx = rist.ManagedReceiver.from_url(f"rist://@127.0.0.1:{port}?buffer=60", policy=quick())
    tx = rist.ManagedSender.from_url(f"rist://127.0.0.1:{port}?buffer=60", policy=quick())
    with rx, tx:
        t, box = later(rx.recv_bytes)
        end = time.monotonic() + 20
        i = 0
        while t.is_alive() and time.monotonic() < end:
            tx.send_bytes(message(i))
            i += 1
            t.join(0.01)
        assert len(box[0]) == 188
        assert tx.reconnect_stats().reconnect_attempts == 0


def test_who_shares_what() -> None:
    for module in (tcp, udp, rist):
        for name in ("ManagedSender", "ManagedReceiver", "ManagedMuxSender", "ManagedDemuxReceiver"):
            cls = getattr(module, name)
            assert cls.__module__ == module.__name__
            with pytest.raises(TypeError):
                cls()
    with pytest.raises(TypeError):
        tcp.ManagedSender.from_url("tcp://127.0.0.1:1", policy=5)  # type: ignore[arg-type]
