"""tstrans.srt: against itself on the loopback, with the examples of the published documentation."""

from __future__ import annotations

import _thread
import contextlib
import io
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tstrans import exceptions as exc
from tstrans import srt
from tstrans.exceptions import MuxError, SrtError, SrtErrorKind
from tstrans.mpegts import (
    DemuxEvent,
    KlvStreamType,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)

BUNDLE = b"".join(b"\x47\x1f\xff\x10" + bytes([k]) * 184 for k in range(7))
NAL = (
    b"\0\0\0\1\x67\x42\x00\x1e\x8d\x68\x50\x1e\xd0\x0f\x08\x84\x6a\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65"
    + b"\x88" * 800
)
KLV = bytes.fromhex("060E2B34020B01010E01030101000000") + b"\x05\x01\x03abc"


def program() -> Any:
    return (
        MuxerProgramConfigBuilder(program_number=1, pmt_pid=0x100)
        .add_video(0x101, VideoCodec.H264)
        .add_klv(0x102, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
        .build()
    )


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def kind_of(call: Callable[[], object]) -> SrtErrorKind:
    with pytest.raises(SrtError) as caught:
        call()
    return caught.value.kind


@contextlib.contextmanager
def pair(
    query: str = "&latency=20", listener_query: str | None = None
) -> Iterator[tuple[srt.Socket, srt.Socket]]:
    extra = query if listener_query is None else listener_query
    with srt.Builder(f"srt://127.0.0.1:0?mode=listener{extra}").listen() as listener:
        a = srt.Builder(f"srt://127.0.0.1:{listener.local_addr()[1]}?mode=caller{query}").connect()
        b = listener.accept(timeout_ms=10_000)
    with a, b:
        yield a, b


class Thread(threading.Thread):
    """A thread whose result, or exception, join gives."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.call()
        except BaseException as e:
            self.error = e

    def wait(self) -> Any:
        self.join(30)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


# ---- the examples of the published documentation, verbatim but for ports and output


def example(source: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    names["print"] = lambda *a: print(*a, file=out)
    exec(compile(source, "example", "exec"), names)
    return out.getvalue()


def test_example_hello_world() -> None:
    port = free_port()
    names: dict[str, Any] = {}
    out = io.StringIO()
    names["print"] = lambda *a: print(*a, file=out)
    source = f"""
import threading
import tstrans.srt
# Listener side (run on one host / thread):
def listen_side() -> None:
    with tstrans.srt.Receiver.from_url("srt://0.0.0.0:{port}?mode=listener") as rx:
        chunk = rx.recv_bytes(max_len=1500)
        print(f"received {{len(chunk)}} bytes; sync byte = {{chunk[0]:#04x}}")
side = threading.Thread(target=listen_side, daemon=True)
side.start()
# Caller side (the other host / thread):
with tstrans.srt.Sender.from_url("srt://127.0.0.1:{port}?mode=caller") as tx:
    payload = (b"\\x47" + b"\\x00" * 187) * 7 # one 1316-byte TS bundle
    tx.send_bytes(payload)
"""
    exec(compile(source, "example", "exec"), names)
    names["side"].join(20)
    assert out.getvalue() == "received 188 bytes; sync byte = 0x47\n"


def test_example_mux_and_demux() -> None:
    port = free_port()
    out = io.StringIO()
    names: dict[str, Any] = {
        "nal_bytes": NAL,
        "klv_ls_bytes": KLV,
        "print": lambda *a: print(*a, file=out),
    }
    source = f"""
import threading
import tstrans.srt
from tstrans.mpegts import (
    DemuxEvent, KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec,
)
program = (
    MuxerProgramConfigBuilder(program_number=1, pmt_pid=0x100)
    .add_video(0x101, VideoCodec.H264)
    .add_klv(0x102, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
    .build()
)
def consumer() -> None:
    with tstrans.srt.DemuxReceiver.from_url("srt://:{port}?mode=listener") as rx:
        for event in rx:
            if isinstance(event, DemuxEvent.Video):
                print(f"video pts={{event.pts.ms}}ms nals={{len(event.payload)}}")
            elif isinstance(event, DemuxEvent.Klv):
                print(f"klv pts={{event.pts.ms}}ms len={{event.byte_len}}")
side = threading.Thread(target=consumer, daemon=True)
side.start()
with tstrans.srt.MuxSender.from_url(
    "srt://127.0.0.1:{port}?mode=caller", program
) as tx:
    # tx.push_video / tx.push_klv handle bundling, PSI emission, and
    # ts-packet framing transparently.
    tx.push_video(nal_bytes, pts=Pts90khz.from_raw(0), key_frame=True)
    tx.push_klv(klv_ls_bytes, pts=Pts90khz.from_raw(0))
"""
    hook, threading.excepthook = threading.excepthook, lambda args: None  # the BROKEN at the end of the link
    try:
        exec(compile(source, "example", "exec"), names)
        names["side"].join(20)
    finally:
        threading.excepthook = hook
    klv, video = sorted(out.getvalue().splitlines())
    assert klv == f"klv pts=0ms len={len(KLV)}"
    assert video.startswith("video pts=0ms nals=")


def test_example_builder() -> None:
    url = "srt://127.0.0.1:0?mode=listener&passphrase=hunter-too-long-thanks!!"
    with srt.Builder(url).listen() as listener:
        port = listener.local_addr()[1]
        example(
            f"""
import tstrans.srt
# Caller side with encryption + a custom SRT latency.
sock = (
    tstrans.srt.Builder("srt://127.0.0.1:{port}?mode=caller")
    .passphrase("hunter-too-long-thanks!!") # >= 10 chars
    .latency_ms(200)
    .stream_id("cam-01")
    .caller()
    .connect()
)
sender = sock.into_sender() # consumes the Socket
sender.send_bytes(b"...")
sender.close()
""",
            {},
        )
    # The caller is gone again so fast that the listener may never have shown it.
    with pair("&streamid=cam-01", "") as (_, b):
        assert b.stream_id() == "cam-01"


def test_example_managed_receiver() -> None:
    port = free_port()
    out: list[str] = []
    names: dict[str, Any] = {"print": out.append}
    source = f"""
import tstrans.srt
from tstrans.srt import BackoffStrategy, ReconnectPolicy
policy = ReconnectPolicy(
    max_attempts=5,
    backoff=BackoffStrategy.exponential(base_ms=100, max_ms=10_000),
)
with tstrans.srt.ManagedReceiver.from_url(
    "srt://:{port}?mode=listener", policy=policy
) as rx:
    while True:
        try:
            chunk = rx.recv_bytes(max_len=1500)
            print(f"received {{len(chunk)}} bytes; "
                  f"reconnects so far = {{rx.reconnect_attempts()}}")
        except KeyboardInterrupt:
            break
"""

    def feed() -> None:
        for n in (1, 2):
            with srt.Sender.from_url(f"srt://127.0.0.1:{port}") as tx:
                tx.send_bytes(BUNDLE)
                while len(out) < 7 * n:
                    time.sleep(0.01)
        _thread.interrupt_main()

    side = Thread(feed)
    exec(compile(source, "example", "exec"), names)
    side.wait()
    assert (
        out
        == ["received 188 bytes; reconnects so far = 0"] * 7
        + ["received 188 bytes; reconnects so far = 1"] * 7
    )


# ---- bytes


@pytest.mark.parametrize("query", ["&latency=20", "&latency=20&passphrase=correct-horse&pbkeylen=32"])
def test_both_directions_and_every_kind_of_buffer(query: str) -> None:
    data = BUNDLE * 30
    with pair(query) as (a, b):
        for x, y in ((a, b),):
            tx, rx = x.into_sender(), y.into_receiver()
            for piece in (data[:1000], bytearray(data[1000:5000]), memoryview(data)[5000:], list(BUNDLE)):
                tx.send_bytes(piece)
            tx.send_bytes(b"")
            tx.flush()
            each = len(data) // 188 // 4 + 1
            got = b"".join(rx.recv_bytes(n) for n in [0, 10, 188, 1500] for _ in range(each))
            assert got == (data + BUNDLE)[: len(got)]
            with pytest.raises(TypeError):
                tx.send_bytes("text")
            with pytest.raises(OverflowError):
                rx.recv_bytes(-1)
            s = tx.socket_stats()
            assert s.packets_sent >= 30
            assert s.bytes_sent >= 30 * 1360
            assert rx.srt_stats().packets_received >= 30


def test_messages_are_seven_packets_until_flush() -> None:
    with pair() as (a, b), a.into_sender() as tx, b.into_receiver() as rx:
        tx.send_bytes(BUNDLE + BUNDLE[:188])
        for _ in range(7):
            rx.recv_bytes()
        assert tx.socket_stats().packets_sent == 1
        tx.flush()
        assert len(rx.recv_bytes()) == 188
        assert tx.socket_stats().packets_sent == 2


def test_what_is_no_transport_stream_is_refused() -> None:
    with pair() as (a, _), a.into_sender() as tx:
        tx.send_bytes(bytes(18_000))
        assert kind_of(lambda: tx.send_bytes(bytes(1000))) is SrtErrorKind.INPUT_MALFORMED
        tx.send_bytes(BUNDLE)


def test_a_message_longer_than_the_payload_size() -> None:
    with pair("&payloadsize=1000", "") as (a, _), a.into_sender() as tx:
        assert kind_of(lambda: tx.send_bytes(BUNDLE)) is SrtErrorKind.CONFIG_INVALID


def test_peer_loss() -> None:
    with pair() as (a, b):
        tx, rx = a.into_sender(), b.into_receiver()
        tx.send_bytes(BUNDLE * 3)
        tx.close()
        assert sum(len(rx.recv_bytes()) for _ in range(21)) == 21 * 188
        assert kind_of(rx.recv_bytes) is SrtErrorKind.BROKEN
        assert kind_of(rx.recv_bytes) is SrtErrorKind.CLOSED
        assert not rx.is_alive()
        assert rx.socket_stats().packets_received == 0
        assert kind_of(rx.srt_stats) is SrtErrorKind.CLOSED


def test_timeouts() -> None:
    with pair("&x-recvtimeout=30") as (_, b), b.into_receiver() as rx:
        for _ in range(2):
            assert kind_of(rx.recv_bytes) is SrtErrorKind.WOULD_BLOCK
        assert rx.is_alive()
    with srt.Builder("srt://127.0.0.1:0?mode=listener").listen() as listener:
        for ms in (0, 20):
            assert kind_of(lambda ms=ms: listener.accept(timeout_ms=ms)) is SrtErrorKind.TIMEOUT
        with pytest.raises(OverflowError):
            listener.accept(timeout_ms=-1)


# ---- ends


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_parked_receive_ends(how: str) -> None:
    with pair() as (_, b):
        rx = b.into_receiver()
        handle = rx.cancel_handle()
        parked = Thread(rx.recv_bytes)
        time.sleep(0.05)
        assert rx.socket_stats().packets_received == 0  # does not wait for the parked call
        assert not handle.is_cancelled()
        (handle.cancel if how == "cancel" else rx.close)()
        assert kind_of(parked.wait) is SrtErrorKind.CLOSED
        assert kind_of(rx.recv_bytes) is SrtErrorKind.CLOSED
        assert rx.cancel_handle().is_cancelled()
        assert rx.is_alive() is (how == "cancel")
        rx.close()
        for call in (rx.recv_bytes, rx.socket_stats, rx.srt_stats):
            assert kind_of(call) is SrtErrorKind.CLOSED
        assert rx.__enter__() is rx


def test_listener_ends() -> None:
    listener = srt.Builder("srt://127.0.0.1:0?mode=listener").listen()
    parked = Thread(lambda: list(listener))
    time.sleep(0.05)
    listener.cancel_handle().cancel()
    assert parked.wait() == []
    assert kind_of(listener.accept) is SrtErrorKind.ACCEPT_FAILED
    assert listener.is_alive()
    listener.close()
    listener.close()
    assert kind_of(listener.accept) is SrtErrorKind.CLOSED
    assert kind_of(listener.local_addr) is SrtErrorKind.CLOSED
    assert "closed" in repr(listener)
    assert listener.cancel_handle().is_cancelled()
    listener = srt.Builder("srt://127.0.0.1:0?mode=listener").listen()
    parked = Thread(listener.accept)
    time.sleep(0.05)
    listener.close()
    assert kind_of(parked.wait) is SrtErrorKind.CLOSED


def test_ctrl_c_ends_a_wait() -> None:
    with srt.Builder("srt://127.0.0.1:0?mode=listener").listen() as listener:
        threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,)).start()
        with pytest.raises(KeyboardInterrupt):
            listener.accept()
        assert listener.is_alive()


def test_socket_is_consumed() -> None:
    with pair("&streamid=x") as (a, b):
        assert b.stream_id() == "x"
        assert a.peer_addr() == b.local_addr()
        sender = a.into_sender()
        assert not a.is_alive()
        assert "closed" in repr(a)
        assert a.stream_id() is None
        for call in (a.into_sender, a.into_receiver, a.local_addr, a.peer_addr):
            assert kind_of(call) is SrtErrorKind.CLOSED
        a.close()
        assert sender.is_alive()
        with pytest.raises(TypeError):
            b.into_demux_receiver(None)  # type: ignore[misc]


# ---- addresses and options


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "SRT://127.0.0.1:1",
        "srt://127.0.0.1",
        "srt://127.0.0.1:70000",
        "srt://:1",
        "srt://u:p@127.0.0.1:1",
        "srt://127.0.0.1:1#x",
        "srt://127.0.0.1:1?mode=rendezvous",
        "srt://127.0.0.1:1?mode=listener",
        "srt://127.0.0.1:1?LATENCY=1",
        "srt://127.0.0.1:1?timeout=1",
        "srt://127.0.0.1:1?latency=-1",
        "srt://127.0.0.1:1?payloadsize=1457",
        "srt://127.0.0.1:1?fc=1",
        "srt://no-such-host.invalid:1",
    ],
)
def test_bad_urls(url: str) -> None:
    assert kind_of(lambda: srt.Sender.from_url(url)) is SrtErrorKind.CONFIG_INVALID


def test_no_url_and_no_program() -> None:
    makers = (srt.Sender, srt.Receiver, srt.DemuxReceiver, srt.ManagedSender, srt.ManagedReceiver)
    for cls in makers:
        assert kind_of(lambda cls=cls: cls.from_url("")) is SrtErrorKind.CONFIG_INVALID
    for mux in (srt.MuxSender, srt.ManagedMuxSender):
        with pytest.raises(TypeError):
            mux.from_url("", "no program")  # type: ignore[attr-defined]


def test_builder_checks() -> None:
    url = "srt://127.0.0.1:1"
    srt.Builder("http://x")
    for bad in ({"passphrase": "short"}, {"congestion": "Live"}, {"stream_id": "x" * 513}):
        assert kind_of(lambda bad=bad: srt.Builder(url, **bad)) is SrtErrorKind.CONFIG_INVALID
    for name, value in (
        ("latency_ms", -1),
        ("mss", 65536),
        ("max_bandwidth_bps", -1),
        ("recv_timeout_ms", 1 << 32),
    ):
        with pytest.raises(OverflowError):
            getattr(srt.Builder(url), name)(value)
    with pytest.raises(TypeError):
        srt.Builder()  # type: ignore[call-arg]
    b = srt.Builder(url, passphrase="correct-horse")
    assert b.caller() is b
    assert "correct" not in repr(b)
    for build in (
        lambda: srt.Builder(url).payload_size(2000).connect(),
        lambda: srt.Builder(url).listen(),
        lambda: srt.Builder(url).listener().listen(),
        lambda: srt.Builder(url).listener().connect(),
        lambda: srt.Builder(url).rendezvous().connect(),
        lambda: srt.Builder(url + "?mode=listener").caller().listen(),
    ):
        assert kind_of(build) is SrtErrorKind.CONFIG_INVALID


def test_refusals() -> None:
    with srt.Builder("srt://127.0.0.1:0?mode=listener&passphrase=correct-horse").listen() as listener:
        url = f"srt://127.0.0.1:{listener.local_addr()[1]}?"
        for query in ("passphrase=wrong--horse", ""):
            assert kind_of(lambda q=query: srt.Sender.from_url(url + q)) is SrtErrorKind.CONNECT_FAILED
        assert kind_of(lambda: listener.accept(timeout_ms=0)) is SrtErrorKind.TIMEOUT
        port = listener.local_addr()[1]
        in_use = f"srt://127.0.0.1:{port}?mode=listener"
        assert kind_of(srt.Builder(in_use).listen) is SrtErrorKind.CONNECT_FAILED
        assert kind_of(lambda: srt.Receiver.from_url(in_use)) is SrtErrorKind.CONNECT_FAILED
        assert kind_of(lambda: srt.ManagedReceiver.from_url(in_use)) is SrtErrorKind.BROKEN
    gone = f"srt://127.0.0.1:{free_port()}?conntimeo=100"
    assert kind_of(lambda: srt.Sender.from_url(gone)) is SrtErrorKind.CONNECT_FAILED
    assert kind_of(lambda: srt.ManagedSender.from_url(gone)) is SrtErrorKind.BROKEN
    assert kind_of(lambda: srt.ManagedDemuxReceiver.from_url(gone)) is SrtErrorKind.CONNECT_FAILED


# ---- values


def test_policy_values() -> None:
    p = srt.ReconnectPolicy()
    assert (p.max_attempts, p.gap_buffer_capacity, p.backoff.kind) == (10, 256, "exponential")
    assert p.overflow_policy == srt.OverflowPolicy.DROP_OLDEST == 0
    assert p.mode == srt.ReconnectMode.BLOCKING
    assert srt.ReconnectMode.BACKGROUND == 1
    assert int(srt.OverflowPolicy.REJECT) == 1
    assert srt.BackoffStrategy.constant(ms=0).max_ms == 0
    assert pickle.loads(pickle.dumps(srt.OverflowPolicy.REJECT)) == srt.OverflowPolicy.REJECT
    one = srt.BackoffStrategy.constant(5)
    assert one != srt.BackoffStrategy.constant(5)
    assert hash(one)
    for bad in ({"gap_buffer_capacity": 0}, {}):
        with pytest.raises(ValueError):
            srt.ReconnectPolicy(**bad) if bad else srt.BackoffStrategy.exponential(base_ms=2, max_ms=1)
    for name in ("max_attempts", "gap_buffer_capacity"):
        with pytest.raises(OverflowError):
            srt.ReconnectPolicy(**{name: -1})
    with pytest.raises(TypeError):
        srt.ReconnectPolicy(backoff=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        hash(srt.OverflowPolicy.REJECT)
    with pytest.raises(AttributeError):
        p.mode = srt.ReconnectMode.BACKGROUND  # type: ignore[misc]
    for cls in (
        srt.Sender,
        srt.SocketStats,
        srt.CancelHandle,
        srt.BackoffStrategy,
        srt.OverflowPolicy,
        srt.Socket,
    ):
        with pytest.raises(TypeError):
            cls()  # type: ignore[call-arg]


def test_stats_are_frozen() -> None:
    with pair() as (a, _), a.into_sender() as tx:
        s = tx.socket_stats()
        assert s != tx.socket_stats()
        with pytest.raises(AttributeError):
            s.rtt_us = 1  # type: ignore[misc]
        assert isinstance(tx.srt_stats().mbps_estimated_bandwidth, float)


# ---- events


def test_mux_to_demux() -> None:
    with pair() as (a, b):
        rx = b.into_demux_receiver()
        packets: list[bytes] = []
        rx.add_byte_sink(packets.append)
        with a.into_mux_sender(program()) as tx:
            assert tx.video_handle() is not None
            assert tx.audio_handle() is None
            for i in range(10):
                tx.push_video(NAL, pts=Pts90khz.from_ms(40 * i), key_frame=True)
                tx.send_klv(KLV, pts=Pts90khz.from_ms(40 * i))
            with pytest.raises(AttributeError):
                tx.push_video(NAL, pts=5)  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                tx.push_video(NAL, Pts90khz.from_ms(0))  # type: ignore[misc]
            with pytest.raises(MuxError):
                tx.push_audio(b"x", pts=Pts90khz.from_ms(0))
            sent = tx.stats()[1]
            tx.finish()
            tx.finish()
            assert tx.stats()[1].ts_bytes_emitted == sent.ts_bytes_emitted
            assert kind_of(lambda: tx.push_klv(KLV, pts=Pts90khz.from_ms(0))) is SrtErrorKind.CLOSED
        assert kind_of(tx.stats) is SrtErrorKind.CLOSED
        assert tx.video_handle() is None
        events = []
        with pytest.raises(SrtError) as caught:
            for event in rx:
                events.append(event)
        assert caught.value.kind is SrtErrorKind.BROKEN
        assert list(rx) == []
        assert isinstance(events[0], DemuxEvent.ProgramMap)
        assert [e.pts.ms for e in events if isinstance(e, DemuxEvent.Video)] == [40 * i for i in range(10)]
        assert sum(isinstance(e, DemuxEvent.Klv) for e in events) == 10
        assert sum(map(len, packets)) == sent.ts_bytes_emitted == rx.stats()[0].bytes_received
        assert rx.last_seen_micros(0x101) and rx.last_seen_micros(0x1FFE) is None
        rx.close()
        assert kind_of(lambda: next(rx)) is SrtErrorKind.CLOSED
        assert kind_of(lambda: rx.add_byte_sink(print)) is SrtErrorKind.CLOSED


def test_a_raising_byte_sink() -> None:
    with pair() as (a, b), a.into_mux_sender(program()) as tx, b.into_demux_receiver() as rx:

        def sink(_: bytes) -> None:
            raise LookupError("sink")

        rx.add_byte_sink(sink)
        tx.push_video(NAL, pts=Pts90khz.from_ms(0), key_frame=True)
        with pytest.raises(LookupError):
            next(rx)


def test_managed_demux_receiver_marks_each_new_link() -> None:
    port = free_port()
    got: list[str] = []
    policy = srt.ReconnectPolicy(max_attempts=None, backoff=srt.BackoffStrategy.constant(10))
    box: dict[str, srt.ManagedDemuxReceiver] = {}

    def receive() -> None:
        with srt.ManagedDemuxReceiver.from_url(
            f"srt://127.0.0.1:{port}?mode=listener&latency=20", policy=policy
        ) as rx:
            box["rx"] = rx
            for event in rx:
                got.append(type(event).__name__.strip("_"))

    side = Thread(receive)
    for n in (1, 2):
        with srt.MuxSender.from_url(f"srt://127.0.0.1:{port}?latency=20", program()) as tx:
            for i in range(5):
                tx.push_video(NAL, pts=Pts90khz.from_ms(40 * i), key_frame=True)
            end = time.monotonic() + 20
            while got.count("VideoEvent") < 4 * n and time.monotonic() < end:
                time.sleep(0.01)
    rx = box["rx"]
    assert rx.end_reason() is None
    rx.cancel_handle().cancel()
    assert kind_of(side.wait) is SrtErrorKind.CLOSED
    assert (
        got
        == ["ProgramMapEvent", *["VideoEvent"] * 4, "ReconnectDiscontinuityEvent", "ProgramMapEvent"]
        + ["VideoEvent"] * 4
    )
    assert rx.end_reason() is srt.RecvEndReason.CANCELLED
    assert rx.reconnect_attempts() >= 1


def test_managed_demux_receiver_gives_up() -> None:
    with srt.Builder("srt://127.0.0.1:0?mode=listener&latency=20").listen() as listener:
        policy = srt.ReconnectPolicy(max_attempts=1, backoff=srt.BackoffStrategy.constant(1))
        url = f"srt://127.0.0.1:{listener.local_addr()[1]}?latency=20&conntimeo=1000"
        opening = Thread(lambda: srt.ManagedDemuxReceiver.from_url(url, policy=policy))
        tx = listener.accept(timeout_ms=10_000).into_mux_sender(program())
        rx = opening.wait()
    tx.push_video(NAL, pts=Pts90khz.from_ms(0), key_frame=True)
    time.sleep(0.1)
    tx.close()
    names = [type(e).__name__ for e in rx]
    assert names == ["_ProgramMapEvent", "_VideoEvent"]
    assert rx.end_reason() is srt.RecvEndReason.RECONNECT_EXHAUSTED
    assert list(rx) == []
    assert kind_of(rx.srt_stats) if rx._link.closed else rx.srt_stats().packets_received == 0
    rx.close()


def test_managed_sender_blocks_and_delivers() -> None:
    port = free_port()
    url = f"srt://127.0.0.1:{port}?latency=20"

    def receiver(n: int) -> Any:
        with srt.Receiver.from_url(url + "&mode=listener") as rx:
            return [rx.recv_bytes() for _ in range(n)]

    first = Thread(lambda: receiver(7))
    policy = srt.ReconnectPolicy(max_attempts=None, backoff=srt.BackoffStrategy.constant(10))
    with srt.ManagedSender.from_url(url, policy=policy) as tx:
        assert kind_of(tx.srt_stats) is SrtErrorKind.IO
        tx.send_bytes(BUNDLE)
        assert b"".join(first.wait()) == BUNDLE
        second = Thread(lambda: receiver(7))
        while second.is_alive():
            tx.send_bytes(BUNDLE)
            time.sleep(0.01)
        assert b"".join(second.wait()) == BUNDLE
        stats = tx.reconnect_stats()
        assert stats.reconnect_successes >= 1
        assert stats.gap_messages_dropped == 0
        assert tx.is_alive()
    assert kind_of(tx.reconnect_stats) is SrtErrorKind.CLOSED


def test_managed_sender_gives_up_and_starts_over() -> None:
    with srt.Builder("srt://127.0.0.1:0?mode=listener&latency=20").listen() as listener:
        url = f"srt://127.0.0.1:{listener.local_addr()[1]}?latency=20&conntimeo=100"
        policy = srt.ReconnectPolicy(max_attempts=1, backoff=srt.BackoffStrategy.constant(1))
        tx = srt.ManagedSender.from_url(url, policy=policy)
        listener.accept(timeout_ms=10_000).close()
    with tx:

        def send() -> None:
            while True:
                tx.send_bytes(BUNDLE)
                time.sleep(0.01)

        assert kind_of(send) is SrtErrorKind.BROKEN
        assert not tx.is_alive()
        assert kind_of(lambda: tx.send_bytes(BUNDLE)) is SrtErrorKind.BROKEN


def test_error_kinds_serve_both_vocabularies() -> None:
    assert exc.SrtErrorKind.BACKPRESSURE is exc.SrtErrorKind.WOULD_BLOCK
