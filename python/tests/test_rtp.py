"""tstrans.rtp without RTSP: senders, receivers, pictures; against plain sockets and themselves."""

from __future__ import annotations

import copy
import os
import pickle
import socket
import struct
import threading
from collections.abc import Callable

import pytest
from tstrans import rtp
from tstrans._native.mpegts_lib import Feeder
from tstrans._native.rtp_lib import rtp_stats
from tstrans.exceptions import MuxError, RtpError, RtpErrorKind
from tstrans.mpegts import (
    DemuxEvent,
    KlvStreamType,
    MuxerProgramConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)

TS = b"\x47" + bytes(187)
SPS, PPS = bytes.fromhex("6742001e8d6850"), bytes.fromhex("68ce3880")
START = b"\0\0\0\1"
KEY = bytes.fromhex("060e2b34020b01010e01030101000000")


def kind(call: Callable[[], object]) -> RtpErrorKind:
    with pytest.raises(RtpError) as caught:
        call()
    return caught.value.kind


def packet(seq: int, payload: bytes, first: int = 0x80, payload_type: int = 33, ssrc: int = 7) -> bytes:
    return struct.pack(">BBHII", first, payload_type, seq & 0xFFFF, seq * 90, ssrc) + payload


def test_packets_of_every_form_arrive_in_order_and_are_counted() -> None:
    with rtp.Receiver("rtp://127.0.0.1:0") as rx, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tx:
        host, port = rx.local_addr().rsplit(":", 1)
        tx.connect((host, int(port)))
        body = [b"%04d" % i + TS[4:] for i in range(12)]
        sent = [
            *(packet(i, body[i]) for i in range(3)),
            b"no RTP",
            packet(3, body[3] + b"\0\0\3", first=0xA0),  # padding
            packet(4, b"\0\0\0\1" + body[4], first=0x81),  # a contributing source
            packet(5, b"\xbe\xde\0\1\x10\0\0\0" + body[5], first=0x90),  # an extension
            packet(90, b"another type", payload_type=96),
            packet(6, body[6], payload_type=33 | 0x80),  # a marker
            packet(7, body[7] * 50),
            *(packet(i, body[i]) for i in (8, 9, 11)),
        ]
        for round_ in range(2):
            for data in sent:
                tx.send(data)
            want = [*body[:7], body[7] * 50, body[8], body[9], body[11]]
            assert [rx.recv(5000) for _ in want] == want
            stats = rtp_stats(rx._link)
            assert stats.packets_received == (round_ + 1) * 11
            assert stats.packets_malformed == (round_ + 1) * 2
        assert stats.packets_lost == 1
        assert stats.packets_duplicate == 11
        assert kind(lambda: rx.recv(0)) == RtpErrorKind.BACKPRESSURE


def test_many_packets_are_counted_though_nobody_looks() -> None:
    with rtp.Receiver("rtp://127.0.0.1:0") as rx, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tx:
        host, port = rx.local_addr().rsplit(":", 1)
        tx.connect((host, int(port)))
        numbers = [i for i in range(66_000, 72_000) if i % 1000]  # every thousandth is missing
        for at in range(0, len(numbers), 50):
            for i in numbers[at : at + 50]:
                tx.send(packet(i, TS))
            for _ in numbers[at : at + 50]:
                assert rx.recv(5000) == TS
        stats = rtp_stats(rx._link)
        assert (stats.packets_received, stats.packets_lost) == (len(numbers), 5)
        assert stats.bytes_received == len(numbers) * (12 + len(TS))


def program() -> MuxerProgramConfig:
    return (
        MuxerProgramConfigBuilder(1, 0x100)
        .add_video(0x101, VideoCodec.H264)
        .add_klv(0x102, KlvStreamType.PRIVATE_DATA, carries_pts=True)
        .build()
    )


def klv_of(i: int) -> bytes:
    text = b"klv %d" % i
    return KEY + bytes([len(text)]) + text


def picture(i: int, size: int = 500) -> bytes:
    return START + SPS + START + PPS + START + b"\x65" + b"picture %d " % i + b"\x88" * size


def parked(call: Callable[[], object], end: Callable[[], object]) -> BaseException | None:
    """What a call that waits ends with when another thread ends it."""
    box: list[BaseException] = []
    begun = threading.Event()

    def run() -> None:
        begun.set()
        try:
            call()
        except BaseException as e:
            box.append(e)

    t = threading.Thread(target=run, daemon=True)
    t.start()
    assert begun.wait(10)
    end()
    t.join(10)
    assert not t.is_alive()
    return box[0] if box else None


def test_sender_on_the_wire() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        url = f"RTP://user@127.0.0.1:{s.getsockname()[1]}/path?pkt_size=1504"
        with rtp.Sender(url, ssrc=0x01020304) as tx:
            numbers = []
            for payload in (TS * 6, b"", b"abc", bytearray(TS), memoryview(TS)):
                tx.send(payload)
                got = s.recv(2000)
                first, second, number, _time, ssrc = struct.unpack(">BBHII", got[:12])
                assert (first, second, ssrc) == (0x80, 33, 0x01020304)
                assert got[12:] == bytes(payload)
                numbers.append(number)
            assert [(n - numbers[0]) & 0xFFFF for n in numbers] == list(range(5))
            assert kind(lambda: tx.send(bytes(1305))) is RtpErrorKind.MALFORMED_PACKET
            assert kind(lambda: tx.send(bytes(1305))) is RtpErrorKind.TOO_LARGE
            tx.send(bytes(1304))
            assert tx.stats().packets_sent == 6
            assert tx.stats().bytes_sent == 6 * 12 + 6 * 188 + 3 + 2 * 188 + 1304
            assert tx.stats().packets_received == tx.stats().rtt_us == 0
        with rtp.Sender(url + "&ssrc=0xFF", ssrc=1) as tx:
            tx.send(b"")
            s.recv(2000)
            assert s.recv(2000)[8:12] == b"\0\0\0\x01"
        with rtp.Sender(url + "&ssrc=0xFF") as tx:
            tx.send(b"")
            assert s.recv(2000)[8:12] == b"\0\0\0\xff"


def test_sender_arguments() -> None:
    with pytest.raises(OverflowError):
        rtp.Sender("rtp://127.0.0.1:5004", ssrc=1 << 32)
    with pytest.raises(TypeError):
        rtp.Sender(b"rtp://127.0.0.1:5004")  # type: ignore[arg-type]
    with rtp.Sender("rtp://127.0.0.1:5004", pkt_size=0) as tx:
        assert kind(lambda: tx.send(b"")) is RtpErrorKind.TOO_LARGE
    for url in (
        "rtp://localhost:5004",
        "rtp://127.0.0.1",
        "udp://127.0.0.1:5004",
        "rtp://127.0.0.1:5004?x=1",
        "rtp://127.0.0.1:5004?ttl=0",
        "rtp://127.0.0.1:5004?pkt_size=100",
        "rtp://127.0.0.1:5004?pt=96",
    ):
        assert kind(lambda url=url: rtp.Sender(url)) is RtpErrorKind.TRANSPORT  # type: ignore[misc]
        assert kind(lambda url=url: rtp.Receiver(url)) is RtpErrorKind.TRANSPORT  # type: ignore[misc]


def test_sender_closed_and_cancelled() -> None:
    tx = rtp.Sender("rtp://127.0.0.1:5004")
    handle = tx.cancel_handle()
    assert not handle.is_cancelled()
    handle.cancel()
    assert handle.is_cancelled()
    assert kind(lambda: tx.send(TS)) is RtpErrorKind.CANCELLED
    tx.close()
    tx.close()
    assert kind(lambda: tx.send(TS)) is RtpErrorKind.TRANSPORT
    assert kind(tx.stats) is RtpErrorKind.TRANSPORT
    assert tx.cancel_handle().is_cancelled()


@pytest.mark.parametrize("query", ["", "?reorder=50"])
def test_receiver_takes_its_stream(query: str) -> None:
    with rtp.Receiver("rtp://127.0.0.1:0" + query, pkt_size=1316) as rx:
        host, port = rx.local_addr().split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((host, int(port)))
            head = struct.pack(">BBHII", 0x80, 33, 1, 5, 7)
            s.send(b"short")
            s.send(struct.pack(">BBHII", 0x40, 33, 1, 5, 7) + TS)
            s.send(struct.pack(">BBHII", 0x80, 96, 1, 5, 7) + TS)
            s.send(head + TS * 7)
            # Two contributing sources, an extension of one word, three bytes of padding.
            ext = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 2, 33, 2, 5, 7)
            s.send(ext + bytes(8) + b"\xbe\xde\0\1" + bytes(4) + TS + b"\0\0\3")
            s.send(struct.pack(">BBHII", 0x80, 33, 3, 5, 7) + os.urandom(60_000))
            assert rx.recv(10_000) == TS * 7
            assert rx.recv(timeout_ms=10_000) == TS
            assert len(rx.recv(10_000)) == 60_000
            assert kind(lambda: rx.recv(0)) is RtpErrorKind.BACKPRESSURE
            assert rx.stats().packets_received == 3
            assert rx.stats().bytes_received == 12 + 7 * 188 + 12 + 8 + 8 + 188 + 3 + 12 + 60_000
            with pytest.raises(OverflowError):
                rx.recv(-1)
            assert rx.end_reason() is None
    assert rx.end_reason() is rtp.StreamEndReason.CANCELLED
    assert rx.end_detail() is None
    assert kind(rx.recv) is RtpErrorKind.TRANSPORT
    assert kind(rx.stats) is RtpErrorKind.TRANSPORT


def test_receiver_counts_losses_and_restores_order() -> None:
    order = [0, 1, 4, 3, 3, 2, 7, 8, 6, 6, 9]  # 5 is lost
    for query, want in (("", order), ("?reorder=20", [0, 1, 2, 3, 4, 6, 7, 8, 9])):
        with rtp.Receiver("rtp://127.0.0.1:0?source=127.0.0.1&" + query.lstrip("?")) as rx:
            host, port = rx.local_addr().split(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect((host, int(port)))
                for i in order:
                    s.send(struct.pack(">BBHII", 0x80, 33, (65533 + i) & 0xFFFF, 0, 7) + bytes([i]))
                assert [rx.recv(10_000)[0] for _ in want] == want
            assert rx.stats().packets_lost_recv == 1


def test_receiver_timeouts_cancel_close() -> None:
    rx = rtp.Receiver("rtp://127.0.0.1:0?recv_timeout=20")
    assert kind(rx.recv) is RtpErrorKind.BACKPRESSURE
    assert kind(lambda: rx.recv(10)) is RtpErrorKind.BACKPRESSURE
    rx.close()
    for end in ("cancel", "close"):
        rx = rtp.Receiver("rtp://127.0.0.1:0")
        ended = parked(rx.recv, rx.cancel_handle().cancel if end == "cancel" else rx.close)
        assert isinstance(ended, RtpError)
        assert ended.kind in (RtpErrorKind.CANCELLED, RtpErrorKind.TRANSPORT)
        rx.close()


def test_unbindable() -> None:
    assert kind(lambda: rtp.Receiver("rtp://192.0.2.1:5004")) is RtpErrorKind.TRANSPORT
    assert kind(lambda: rtp.Receiver("rtp://239.1.2.3:0?iface=lo")) is RtpErrorKind.TRANSPORT


def test_multicast() -> None:
    group = f"239.255.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # of this process alone
    with rtp.Receiver(f"rtp://{group}:0?iface=127.0.0.1") as rx:
        port = rx.local_addr().split(":")[1]
        with rtp.Sender(f"rtp://{group}:{port}?iface=127.0.0.1&ttl=1") as tx:
            tx.send(TS)
            assert rx.recv(10_000) == TS


@pytest.mark.parametrize(("size", "most"), [(1316, 1128), (1328, 1316), (400, 376)])
def test_mux_to_demux(size: int, most: int) -> None:
    with rtp.DemuxReceiver("rtp://127.0.0.1:0?recv_timeout=10000") as rx:
        packets: list[bytes] = []
        rx.add_byte_sink(packets.append)
        with rtp.MuxSender(f"rtp://{rx.local_addr()}", program(), pkt_size=size) as tx:
            for i in range(4):
                tx.push_video(picture(i, 5000), pts=Pts90khz.from_ms(40 * i), key_frame=True)
                tx.send_klv(klv_of(i), pts=Pts90khz.from_ms(40 * i))
            video, klv = [], []
            for e in rx:
                if isinstance(e, DemuxEvent.Video):
                    video.append((e.payload, e.pts.ms))
                elif isinstance(e, DemuxEvent.Klv):
                    klv.append(e.payload)
                if len(video) == 3 and len(klv) == 3:
                    break
            assert video == [(picture(i, 5000), 40 * i) for i in range(3)]
            assert klv == [klv_of(i) for i in range(3)]
            socket_stats, mux_stats = tx.stats()
            assert socket_stats.bytes_sent - 12 * socket_stats.packets_sent == mux_stats.ts_bytes_emitted
            assert socket_stats.packets_sent >= mux_stats.ts_bytes_emitted / most
            assert tx.video_handle() is not None
            assert tx.data_handle() is None
            with pytest.raises(MuxError):
                tx.push_video(b"no start code", pts=Pts90khz.from_ms(0))
            tx.finish()
        assert all(len(p) == 188 and p[0] == 0x47 for p in packets)
        assert rx.last_seen_micros(0x101) is not None
        assert rx.stats()[0].packets_received > 0
    assert rx.end_reason() is rtp.StreamEndReason.CANCELLED
    assert kind(lambda: next(rx)) is RtpErrorKind.TRANSPORT
    assert kind(rx.stats) is RtpErrorKind.TRANSPORT
    assert kind(lambda: tx.push_klv(b"x", pts=Pts90khz.from_ms(0))) is RtpErrorKind.TRANSPORT
    assert tx.video_handle() is None


def test_demux_receiver_timeout_and_close() -> None:
    with rtp.DemuxReceiver("rtp://127.0.0.1:0?recv_timeout=20") as rx:
        for _ in range(2):
            assert kind(lambda: next(rx)) is RtpErrorKind.BACKPRESSURE
    rx = rtp.DemuxReceiver("rtp://127.0.0.1:0")
    ended = parked(lambda: next(rx), rx.close)
    assert isinstance(ended, RtpError)


def test_counters_of_a_receiver_another_thread_waits_on() -> None:
    with rtp.DemuxReceiver("rtp://127.0.0.1:0") as rx:
        begun, got = threading.Event(), []

        def run() -> None:
            begun.set()
            got.extend(type(e) for e, _ in zip(rx, range(40), strict=False))

        t = threading.Thread(target=run, daemon=True)
        t.start()
        assert begun.wait(10)
        assert rx.stats()[0].packets_received == 0
        assert rx.last_seen_micros(0x101) is None
        assert rx.end_reason() is None
        with rtp.MuxSender(f"rtp://{rx.local_addr()}", program()) as tx:
            for i in range(200):
                tx.push_video(picture(i), pts=Pts90khz.from_ms(40 * i), key_frame=True)
                if rx.stats()[1].ts_packets_emitted > 0:
                    break
                t.join(0.01)
            assert rx.stats()[1].ts_packets_emitted > 0
            for i in range(200, 300):
                tx.push_video(picture(i), pts=Pts90khz.from_ms(40 * i), key_frame=True)
        t.join(10)
        assert not t.is_alive()
        assert len(got) == 40


def test_counters_and_reads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that met the counters inside the demuxer raised: only who holds the lock is inside."""
    asked: list[bool] = []
    plain = Feeder.stats

    with rtp.DemuxReceiver("rtp://127.0.0.1:0") as rx:

        def stats(feeder: Feeder) -> object:
            asked.append(rx._events._lock.locked())
            return plain(feeder)

        monkeypatch.setattr(Feeder, "stats", stats)
        assert rx.stats()[1].ts_packets_emitted == 0
        with rtp.MuxSender(f"rtp://{rx.local_addr()}", program()) as tx:
            for i in range(3):
                tx.push_video(picture(i), pts=Pts90khz.from_ms(40 * i), key_frame=True)
        next(rx)
        assert rx.stats()[1].ts_packets_emitted > 0
    assert asked and all(asked)


def test_mux_sender_too_small_sends_nothing() -> None:
    with rtp.MuxSender("rtp://127.0.0.1:5004", program(), pkt_size=188) as tx:
        tx.push_video(picture(0), pts=Pts90khz.from_ms(0), key_frame=True)
        assert tx.stats()[0].packets_sent == 0


def rtp_packet(seq: int, ts: int, payload: bytes, marker: bool = True, ssrc: int = 1, pt: int = 96) -> bytes:
    return struct.pack(">BBHII", 0x80, pt | (0x80 if marker else 0), seq & 0xFFFF, ts, ssrc) + payload


def test_h264_receiver() -> None:
    config = rtp.H264DepayConfig(initial_parameter_sets=[SPS, START + PPS])
    assert repr(config.parameter_set_injection) == "ParameterSetInjection.BEFORE_IDR"
    assert (config.payload_type, config.max_au_bytes, config.initial_parameter_sets[0]) == (96, 8 << 20, SPS)
    with rtp.H264Receiver.listen("rtp://127.0.0.1:0?pt=96", config) as rx:
        address = rx.local_addr()
        assert address is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", int(address.split(":")[1])))
            s.send(b"garbage")
            s.send(rtp_packet(1, 1000, b"\x65idr"))
            s.send(rtp_packet(2, 4000, b"\x18\0\4\x41one\0\4\x41two"))  # STAP-A
            s.send(rtp_packet(3, 7000, b"\x7c\x85fu-", marker=False))
            s.send(rtp_packet(4, 7000, b"\x7c\x45a"))
            s.send(rtp_packet(4, 7000, b"\x7c\x45a"))
            s.send(rtp_packet(5, 10000, b"\x41no marker", marker=False))
            s.send(rtp_packet(6, 13000, b"\x41first part", marker=False))
            s.send(rtp_packet(8, 13000, b"\x41last part"))
            s.send(rtp_packet(9, 5000, b"\x41other", ssrc=2))
            got = [rx.recv_au(10_000) for _ in range(5)]
            sets = START + SPS + START + PPS
            assert [a and (a.annexb, a.pts, a.key_frame, a.rtp_timestamp) for a in got] == [
                (sets + START + b"\x65idr", 0, True, 1000),
                (START + b"\x41one" + START + b"\x41two", 3000, False, 4000),
                (sets + START + b"\x65fu-a", 6000, True, 7000),
                (START + b"\x41no marker", 9000, False, 10000),
                (START + b"\x41other", 9000 + 3003, False, 5000),
            ]
        assert kind(lambda: rx.recv_au(0)) is RtpErrorKind.BACKPRESSURE
        d = rx.depay_stats()
        assert (d.aus_emitted, d.aus_dropped, d.seq_gaps, d.duplicate_packets, d.ssrc_changes) == (
            5,
            1,
            1,
            1,
            1,
        )
        assert rx.rtp_stats().malformed_packets == 1
        assert rx.socket_stats().packets_received == 9
        assert rx.end_reason() is None
        rx.cancel_handle().cancel()
        assert rx.recv_au() is None
        assert list(rx) == []
    assert rx.end_reason() is rtp.StreamEndReason.CANCELLED
    for call in (rx.recv_au, rx.depay_stats, rx.rtp_stats, rx.local_addr):
        assert kind(call) is RtpErrorKind.CLOSED


def test_h264_receiver_arguments() -> None:
    listen = rtp.H264Receiver.listen
    assert kind(lambda: listen("rtp://127.0.0.1:0")) is RtpErrorKind.MISSING_PAYLOAD_TYPE_PARAM
    assert kind(lambda: listen("rtp://127.0.0.1:0?pt=33")) is RtpErrorKind.URL
    assert kind(lambda: listen("rtp://localhost:0?pt=96")) is RtpErrorKind.HOST_NOT_LITERAL
    with pytest.raises(ValueError, match="max_au_bytes"):
        rtp.H264DepayConfig(max_au_bytes=0)
    with pytest.raises(TypeError):
        rtp.H264AccessUnit()


def test_no_copies() -> None:
    """A copy of what holds a socket would be the same socket; names of choices come back as themselves."""
    with rtp.Receiver("rtp://127.0.0.1:0") as rx:
        for live in (rx, rx.cancel_handle(), rx.stats()):
            for fail in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError):
                    fail(live)
    tcp = rtp.TransportPref.TCP
    assert copy.deepcopy(tcp) is tcp
    assert pickle.loads(pickle.dumps(tcp)) is tcp
