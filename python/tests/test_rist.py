"""tstrans.rist against itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
from tstrans import rist
from tstrans.exceptions import RistError, RistErrorKind


def even_port() -> int:
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port: int = s.getsockname()[1]
        if port % 2 == 0 and port < 65000:
            return port
    raise AssertionError("no even port")


def kind_of(call: Callable[[], object]) -> RistErrorKind:
    with pytest.raises(RistError) as caught:
        call()
    return caught.value.kind


def pair(key: rist.EncryptionKey | None = None) -> tuple[rist.Transport, rist.RecvTransport]:
    port = even_port()
    r = rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{port}").buffer_ms(60)
    s = rist.Transport.builder().url(f"rist://127.0.0.1:{port}").buffer_ms(60)
    if key is not None:
        r, s = r.encryption(key), s.encryption(key)
    return s.build(), r.build()


def meet(tx: rist.Transport, rx: rist.RecvTransport) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        tx.send(b"hello")
        try:
            rx.recv(timeout_ms=100)
            break
        except RistError:
            pass
    else:
        raise AssertionError("the two never met")
    try:
        while True:
            rx.recv(timeout_ms=300)
    except RistError:
        pass


@pytest.mark.parametrize(
    "key", [None, rist.EncryptionKey.aes128("correct horse")], ids=["clear", "encrypted"]
)
def test_messages_stay_whole_and_in_order(key: rist.EncryptionKey | None) -> None:
    tx, rx = pair(key)
    with tx, rx:
        meet(tx, rx)
        sent = [bytes([i % 256]) * (1 + 13 * i % 1316) for i in range(200)]
        for m in sent:
            tx.send(m)
            time.sleep(0.0005)
        assert [rx.recv(timeout_ms=10_000) for _ in sent] == sent
        end = time.monotonic() + 10
        while rx.stats().packets_received < 200 and time.monotonic() < end:
            time.sleep(0.05)
        assert rx.stats().packets_received >= 200
        assert rx.stats().packets_sent == 0


def test_limits_and_ends() -> None:
    tx, rx = pair()
    with tx, rx:
        for bad in (b"", bytes(1317)):
            assert kind_of(lambda bad=bad: tx.send(bad)) is RistErrorKind.PAYLOAD_TOO_LARGE
        assert kind_of(lambda: rx.recv(timeout_ms=0)) is RistErrorKind.RECV_TIMEOUT
        box: list[BaseException] = []

        def park() -> None:
            try:
                rx.recv()
            except RistError as e:
                box.append(e)

        t = threading.Thread(target=park)
        t.start()
        time.sleep(0.05)
        rx.stats()
        rx.cancel_handle().cancel()
        t.join(20)
        assert [e.kind for e in box] == [RistErrorKind.CLOSED]  # type: ignore[attr-defined]
        assert kind_of(rx.recv) is RistErrorKind.CLOSED
    for call in (rx.recv, rx.stats, tx.stats, lambda: tx.send(b"x")):
        assert kind_of(call) is RistErrorKind.CLOSED
    assert rx.cancel_handle().is_cancelled()
    assert tx.cancel_handle().is_cancelled()
    assert "closed" in repr(rx)


def test_builders() -> None:
    url = rist.Transport.builder().url
    bind = rist.RecvTransport.builder().bind_url
    for build in (url("rist://@127.0.0.1:5000").build, bind("rist://127.0.0.1:5000").build):
        assert kind_of(build) is RistErrorKind.INVALID_CONFIG
    for build in (
        url("rist://localhost:5000").build,
        url("RIST://127.0.0.1:5000").build,
        url("rist://127.0.0.1:5000?aes-type=128").build,
    ):
        assert kind_of(build) is RistErrorKind.URL
    long = url("rist://127.0.0.1:5000").encryption(rist.EncryptionKey.aes256("x" * 128))
    assert kind_of(long.build) is RistErrorKind.INVALID_CONFIG
    for build in (rist.Transport.builder().build, rist.RecvTransport.builder().build):
        with pytest.raises(ValueError):
            build()
    with pytest.raises(OverflowError):
        rist.Transport.builder().buffer_ms(-1)
    for wrong in (lambda: rist.Transport.builder().profile(1), lambda: rist.EncryptionKey.aes128(5)):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            wrong()
    assert repr(rist.EncryptionKey.aes192("x")) == "EncryptionKey(aes192-bit, [redacted])"
    assert rist.RistProfile.MAIN != 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", even_port()))
        port = taken.getsockname()[1]
        assert kind_of(bind(f"rist://@127.0.0.1:{port}").build) is RistErrorKind.PEER_CREATE_FAILED
