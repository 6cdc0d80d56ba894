"""RTSP: client and server with each other, and the examples of the published package."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tstrans.codec import MispTimestamp
from tstrans.exceptions import MuxError, RtpError, RtpErrorKind, RtspError, RtspErrorKind
from tstrans.mpegts import (
    AudioCodec,
    DemuxEvent,
    KlvStreamType,
    MuxerProgramConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)
from tstrans.rtp import (
    BasicAuth,
    ClockAlignment,
    DemuxReceiver,
    DigestAlgorithm,
    DigestAuth,
    MountHandle,
    PublishShape,
    RtspClient,
    RtspClientConfig,
    RtspServer,
    RtspServerConfig,
    RtspSession,
    RtspVersion,
    StreamEndReason,
    TransportPref,
)

START = b"\0\0\0\1"
KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
SPS, PPS = bytes.fromhex("6742001e8d6850"), bytes.fromhex("68ce3880")
ALL = [TransportPref.AUTO, TransportPref.UDP, TransportPref.TCP]


def kind(call: Callable[[], object]) -> RtspErrorKind:
    with pytest.raises(RtspError) as caught:
        call()
    return caught.value.kind


def program(klv: bool = True) -> MuxerProgramConfig:
    b = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264)
    if klv:
        b.add_klv(0x102, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    return b.build()


def klv_of(i: int) -> bytes:
    text = b"klv %d" % i
    return KEY + bytes([len(text)]) + text


def picture(i: int, size: int = 500) -> bytes:
    return START + SPS + START + PPS + START + b"\x65" + b"picture %d " % i + b"\x88" * size


def start(**more: object) -> RtspServer:
    return RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0", **more))  # type: ignore[arg-type]


def connect(server: RtspServer, path: str = "/live", **more: object) -> RtspSession:
    return RtspClient.connect(RtspClientConfig(f"rtsp://{server.local_addr()}{path}", **more))  # type: ignore[arg-type]


def await_(ok: Callable[[], bool], what: str = "condition") -> None:
    end = time.monotonic() + 30
    while not ok():
        assert time.monotonic() < end, what
        time.sleep(0.002)


@contextmanager
def pumping(mount: MountHandle, klv: bool = True, units: Sequence[bytes] | None = None) -> Iterator[None]:
    """Pictures and metadata, pushed until the block ends."""
    stop = threading.Event()

    def run() -> None:
        i = 0
        while not stop.wait(0.01):
            unit = units[i % len(units)] if units else picture(i)
            mount.push_video(unit, pts=Pts90khz.from_ms(10 * i), key_frame=True)
            if klv:
                mount.push_klv(klv_of(i), pts=Pts90khz.from_ms(10 * i))
            i += 1

    t = threading.Thread(target=run, daemon=True)
    t.start()
    try:
        yield
    finally:
        stop.set()
        t.join(10)


def pictures(events: Iterable[DemuxEvent], n: int) -> list[bytes]:
    out: list[bytes] = []
    for e in events:
        if isinstance(e, DemuxEvent.Video):
            out.append(e.payload)
            if len(out) == n:
                break
    return out


def check_pictures(got: list[bytes]) -> None:
    first = int(got[0][len(START + SPS + START + PPS + START) + 1 :].split()[1])
    assert got == [picture(first + i) for i in range(len(got))]


@pytest.mark.parametrize("pref", ALL)
def test_play(pref: TransportPref) -> None:
    with start() as server:
        mount = server.add_unicast_mount("/live", program())
        assert (mount.mount_path(), mount.mount_kind(), mount.peer_count()) == ("/live", "unicast", 0)
        with pumping(mount), connect(server, transport_pref=pref) as session:
            events = session.into_demux_receiver()
            check_pictures(pictures(events, 5))
            assert any(isinstance(e, DemuxEvent.Klv) for e, _ in zip(events, range(5), strict=False))
            assert mount.peer_count() == 1
            assert kind(session.into_demux_receiver) is RtspErrorKind.PROTOCOL
            session.pause()
            await_(lambda: mount.peer_count() == 0, "the pause")
            session.play()
            pictures(events, 3)
            assert events.stats()[0].packets_lost_recv == 0
            assert events.end_reason() is None
            assert not session.is_torn_down()
            session.teardown()
            session.teardown()
            assert session.is_torn_down()
            assert kind(session.play) is RtspErrorKind.PROTOCOL
            for _ in events:
                pass
            assert events.end_reason() is StreamEndReason.CLEAN_TEARDOWN
        await_(lambda: mount.peer_count() == 0)
        assert mount.stats().packets_pushed > 0
        assert server.stats().total_rtp_packets_sent > 0
        assert server.stats().mounts == 1
        mount.reset_stats()


@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
def test_elementary_media(pref: TransportPref) -> None:
    with start() as server:
        mount = server.add_unicast_mount("/es", program(), elementary=True)
        with pumping(mount):
            with connect(server, "/es", transport_pref=pref) as session:
                events = session.into_demux_receiver()
                check_pictures(pictures(events, 5))
                klv = next(e for e in events if isinstance(e, DemuxEvent.Klv))
                assert klv.payload.startswith(KEY)
                await_(lambda: session.clock_alignment() is ClockAlignment.SENDER_REPORT, "sender reports")
                await_(lambda: session.stats().sr_packets_received > 0)
                clock = session.sender_clock()
                assert clock is not None
                assert clock[2] == 90_000
                assert abs((clock[0] >> 32) - 2_208_988_800 - time.time()) < 3600
            config = RtspClientConfig(f"rtsp://{server.local_addr()}/es", transport_pref=pref)
            with RtspClient.connect_h264(config) as session:
                assert kind(session.into_demux_receiver) is RtspErrorKind.PROTOCOL
                receiver = session.into_h264_receiver()
                assert (receiver.local_addr() is None) == (pref == TransportPref.TCP)
                aus = [a for a, _ in zip(receiver, range(5), strict=False)]
                check_pictures([a.annexb for a in aus])
                assert aus[0].pts == 0
                assert aus[0].key_frame
                assert kind(session.into_h264_receiver) is RtspErrorKind.CLOSED
                session.teardown()
                assert list(receiver)[-1:] == [] or receiver.recv_au() is None
                assert receiver.end_reason() is StreamEndReason.CLEAN_TEARDOWN
    with start() as server:
        server.add_unicast_mount("/ts", program())
        config = RtspClientConfig(f"rtsp://{server.local_addr()}/ts")
        assert kind(lambda: RtspClient.connect_h264(config)) is RtspErrorKind.NOT_FOUND


def test_multicast_mount() -> None:
    with start() as server:
        add = server.add_multicast_mount
        group = f"239.255.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # of this process alone
        mount = add("/mc", group, 25100, ttl=1, iface="127.0.0.1", program_config=program(False))
        assert mount.mount_kind() == "multicast"
        assert "multicast" in repr(mount)
        with pumping(mount, klv=False), connect(server, "/mc") as session:
            check_pictures(pictures(session.into_demux_receiver(), 5)[1:])
        p = program()
        assert kind(lambda: add("/x", "10.0.0.1", 1, program_config=p)) is RtspErrorKind.MOUNT
        assert kind(lambda: add("/x", "239.1.1.1", 1, ttl=0, program_config=p)) is RtspErrorKind.MOUNT
        with pytest.raises(OverflowError):
            add("/x", "239.1.1.1", 1, ttl=300, program_config=p)


def test_sixteen_pushes() -> None:
    b = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264)
    b.add_audio(0x102, AudioCodec.AAC).add_klv(0x103, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    b.add_data(0x104, 0x06, carries_pts=True)
    with start() as server:
        mount = server.add_unicast_mount("/live", b.build())
        video, audio, klv, data = (
            mount.video_handle(),
            mount.audio_handle(),
            mount.klv_handle(),
            mount.data_handle(),
        )
        assert video and audio and klv and data
        assert mount.subtitle_handle() is None
        assert len(mount.video_handles()) == len(mount.audio_handles()) == 1
        assert len(mount.klv_handles()) == len(mount.data_handles()) == 1
        assert mount.subtitle_handles() == []
        adts = bytes.fromhex("fff14c80017ffc") + bytes(4)
        misp = MispTimestamp.micros(1_700_000_000_000_000, 0)
        at = [0]

        def pts() -> Pts90khz:
            at[0] += 40
            return Pts90khz.from_ms(at[0])

        with connect(server, transport_pref=TransportPref.TCP) as session:
            await_(lambda: mount.peer_count() == 1)
            for prefix in ("push", "send"):

                def do(name: str, *a: object, prefix: str = prefix, **k: object) -> None:
                    getattr(mount, f"{prefix}_{name}")(*a, pts=pts(), **k)

                do("video", picture(0), key_frame=True)
                do("video_to", video, picture(1))
                do("video_with_dts", picture(2), dts=Pts90khz.from_ms(at[0]))
                do("video_to_with_dts", video, picture(3), dts=Pts90khz.from_ms(at[0]))
                do("video_wire", b"as it is")
                do("video_wire_to", video, b"as it is")
                do("video_misp", picture(4), misp=misp)
                do("video_misp_to", video, picture(5), misp=misp)
                do("klv", klv_of(1), metadata_service_id=3)
                do("klv_to", klv, klv_of(2))
                do("audio", adts)
                do("audio_to", audio, adts)
                do("data", b"data 1")
                do("data_to", data, b"data 2")
                with pytest.raises(MuxError):
                    do("subtitle", b"nowhere")
            mount.flush()
            mount.push_video(picture(9), pts=pts())
            mount.push_video(picture(9), pts=pts())
            got: dict[str, list[Any]] = {"v": [], "a": [], "k": [], "u": []}
            for e in session.into_demux_receiver():
                if isinstance(e, DemuxEvent.Video):
                    got["v"].append((e.payload, e.dts))
                elif isinstance(e, DemuxEvent.Audio):
                    got["a"].append(e.payload)
                elif isinstance(e, DemuxEvent.Klv):
                    got["k"].append(e.payload)
                elif isinstance(e, DemuxEvent.UnknownSample):
                    got["u"].append(e.payload)
                if len(got["v"]) == 17:
                    break
            assert got["a"] == [adts] * 4
            # What carries no descriptor of KLV is private data like it: both come as they were pushed.
            assert sorted(got["k"] + got["u"]) == sorted([klv_of(1), klv_of(2), b"data 1", b"data 2"] * 2)
            videos = [p for p, _ in got["v"]]
            assert videos[:4] == [picture(i) for i in range(4)]
            assert videos[4] == b"as it is"
            assert b"MISPmicrosectime" in videos[6]
            assert [d is not None for _, d in got["v"]][:4] == [False, False, True, True]


@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
def test_credentials(pref: TransportPref) -> None:
    for auth in (
        BasicAuth("user", "secret", "home"),
        DigestAuth("user", "secret", realm="home"),
        DigestAuth("user", "secret", DigestAlgorithm.SHA256, "home"),
    ):
        with start(auth=auth) as server:
            server.add_unicast_mount("/live", program())
            for good in (BasicAuth("user", "secret"), DigestAuth("user", "secret")):
                with connect(server, auth=good, transport_pref=pref) as session:
                    session.pause()
            with RtspClient.connect(RtspClientConfig(f"rtsp://user:secret@{server.local_addr()}/live")):
                pass
            for bad in (None, BasicAuth("user", "wrong"), DigestAuth("other", "secret")):
                assert kind(lambda bad=bad: connect(server, auth=bad)) is RtspErrorKind.AUTH_FAILED  # type: ignore[misc]


def test_trust_anchors_are_no_number() -> None:
    for number in (0, 5, 1 << 40):
        with pytest.raises(TypeError):
            RtspClientConfig("rtsp://127.0.0.1/x", tls_root_certs_pem=number)  # type: ignore[arg-type]


def test_no_secrets_shown() -> None:
    config = RtspClientConfig("rtsp://user:secret@camera/live", auth=DigestAuth("user", "secret"))
    for shown in (repr(config), repr(config.auth), repr(BasicAuth("user", "secret"))):
        assert "secret" not in shown
    assert not hasattr(config.auth, "password")
    assert (config.url, config.rtcp, config.keepalive) == ("rtsp://user:secret@camera/live", True, True)
    assert (config.transport_pref, config.rtsp_version) == (TransportPref.AUTO, RtspVersion.V1_0)
    assert [int(x) for x in (TransportPref.TCP, RtspVersion.V2_0, DigestAlgorithm.SHA256)] == [2, 1, 1]


def test_faults_of_connecting() -> None:
    with start() as server:
        server.add_unicast_mount("/live", program())
        address = server.local_addr()
        for url, want in (
            (f"rtsp://{address}/none", RtspErrorKind.NOT_FOUND),
            (f"rtsp://{address}/live?recv_timeout=x", RtspErrorKind.PROTOCOL),
            (f"http://{address}/live", RtspErrorKind.PROTOCOL),
            ("rtsp://127.0.0.1:1/live", RtspErrorKind.IO),
            ("rtsp://no-such-host.invalid/live", RtspErrorKind.IO),
            (f"rtsps://{address}/live", RtspErrorKind.TLS),
        ):
            assert kind(lambda url=url: RtspClient.connect(RtspClientConfig(url))) is want, url  # type: ignore[misc]
        with pytest.raises(TypeError):
            RtspClientConfig(5)  # type: ignore[arg-type]


def test_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(make, check=True, capture_output=True)
    for tls in (
        {"tls_cert": str(cert), "tls_key": str(key)},
        {"tls_cert_pem": cert.read_bytes(), "tls_key_pem": key.read_bytes()},
    ):
        with start(**tls) as server:
            mount = server.add_unicast_mount("/live", program())
            url = f"rtsps://{server.local_addr()}/live"
            config = RtspClientConfig(url, tls_root_certs_pem=cert.read_bytes())
            with pumping(mount), RtspClient.connect(config) as session:
                check_pictures(pictures(session.into_demux_receiver(), 3))
            assert kind(lambda url=url: RtspClient.connect(RtspClientConfig(url))) is RtspErrorKind.TLS  # type: ignore[misc]
    assert kind(lambda: start(tls_cert="/none", tls_key="/none")) is RtspErrorKind.TLS
    bare = RtspServerConfig(bind_addr="rtsps://127.0.0.1:0")
    assert kind(lambda: RtspServer.start(bare)) is RtspErrorKind.TLS


def test_server_rules() -> None:
    for bad in (
        {"max_sessions": 0},
        {"session_timeout_secs": 0},
        {"fanout_capacity": 0},
        {"graceful_shutdown_drain_ms": -1},
        {"tls_cert": "x"},
        {"tls_key_pem": b"x"},
    ):
        with pytest.raises(ValueError):
            RtspServerConfig(**bad)
    with pytest.raises(TypeError):
        RtspServerConfig(accept_unregistered_publishers=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        start(auth=("user", "password"))
    with pytest.raises(ValueError, match="realm"):
        start(auth=BasicAuth("user", "password"))
    with pytest.raises(TypeError):
        RtspServer()
    assert kind(lambda: RtspServer.start(RtspServerConfig(bind_addr="localhost:0"))) is RtspErrorKind.PROTOCOL
    assert kind(lambda: RtspServer.start(RtspServerConfig(bind_addr="192.0.2.1:0"))) is RtspErrorKind.IO
    server = start()
    server.add_unicast_mount("/live", program())
    for path in ("live", "/live", "/a?b"):
        assert kind(lambda path=path: server.add_unicast_mount(path, program())) is RtspErrorKind.MOUNT  # type: ignore[misc]
    address = server.local_addr()
    assert address is not None
    taken = RtspServerConfig(bind_addr=address)
    assert kind(lambda: RtspServer.start(taken)) is RtspErrorKind.IO
    handle = server.cancel_handle()
    assert not handle.is_cancelled()
    server.stop(drain_ms=0)
    server.stop()
    assert not handle.is_cancelled()
    assert server.local_addr() == address
    assert kind(lambda: server.add_unicast_mount("/late", program())) is RtspErrorKind.SERVER
    assert kind(server.next_publisher) is RtspErrorKind.SERVER
    with pytest.raises(ValueError):
        server.next_publisher(-1)


@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
@pytest.mark.parametrize("how", ["stop", "cancel", "drop"])
def test_end_of_the_server(pref: TransportPref, how: str) -> None:
    server = start()
    mount = server.add_unicast_mount("/live", program())
    with pumping(mount), connect(server, transport_pref=pref) as session:
        events = session.into_demux_receiver()
        pictures(events, 2)
        if how == "stop":
            server.stop(drain_ms=0)
        elif how == "cancel":
            server.cancel_handle().cancel()
        else:
            server.close()
        for _ in events:
            pass
        want = StreamEndReason.TRANSPORT_FAILED if how == "cancel" else StreamEndReason.CLEAN_TEARDOWN
        assert events.end_reason() is want
        assert (events.end_detail() is not None) == (how == "cancel")
        mount.push_klv(klv_of(0), pts=Pts90khz.from_ms(0))  # pushes go on
    server.close()


def test_cancel() -> None:
    with start() as server:
        mount = server.add_unicast_mount("/live", program())
        with connect(server) as session:
            handle = session.cancel_handle()
            assert not handle.is_canceled()
            events = session.into_demux_receiver()
            ended: list[object] = []
            t = threading.Thread(target=lambda: ended.append(list(events)), daemon=True)
            t.start()
            handle.cancel()
            t.join(10)
            assert ended == [[]]
            assert handle.is_canceled()
            assert handle.is_cancelled()
            assert events.end_reason() is StreamEndReason.CANCELLED
            assert kind(session.pause) is RtspErrorKind.PROTOCOL
            assert mount.peer_count() == 1
        await_(lambda: mount.peer_count() == 0, "the goodbye")


def test_dropping_ends_the_session() -> None:
    with start() as server:
        mount = server.add_unicast_mount("/live", program())
        events: DemuxReceiver | None = connect(server).into_demux_receiver()  # the session is nobody's else
        with pumping(mount):
            assert events is not None
            check_pictures(pictures(events, 3))
        assert mount.peer_count() == 1
        events = None
        await_(lambda: mount.peer_count() == 0, "the end of a dropped session")


def test_receive_timeout() -> None:
    with start() as server:
        server.add_unicast_mount("/live", program())
        with connect(server, "/live?recv_timeout=20") as session:
            events = session.into_demux_receiver()
            for _ in range(2):
                with pytest.raises(RtpError) as caught:
                    next(events)
                assert caught.value.kind is RtpErrorKind.BACKPRESSURE


def publish(source: Path, url: str, transport: str) -> subprocess.Popen[bytes]:
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(source), "-c", "copy"]
    return subprocess.Popen(
        [*command, "-f", "rtsp", "-rtsp_transport", transport, url], stderr=subprocess.DEVNULL
    )


def test_publishers(tmp_path: Path) -> None:
    source = tmp_path / "in.ts"
    encode = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=4"]
    subprocess.run([*encode, "-c:v", "libx264", "-preset", "ultrafast", "-g", "5", source], check=True)
    with start(accept_unregistered_publishers=True) as server:
        mount = server.add_publish_mount("/in")
        assert mount.mount_path() == "/in"
        assert mount.publisher() is None
        assert mount.stats().alignment is ClockAlignment.NOT_APPLICABLE
        events = mount.into_demux_receiver()
        assert kind(mount.into_demux_receiver) is RtspErrorKind.CLOSED
        for generation, transport in enumerate(("tcp", "udp")):
            p = publish(source, f"rtsp://{server.local_addr()}/in", transport)
            try:
                assert len(pictures(events, 10)) == 10
                info = mount.publisher()
                assert info is not None
                assert (info.shape, info.klv, info.generation) == (PublishShape.ELEMENTARY, False, generation)
                assert info.peer.startswith("127.0.0.1:")
                with connect(server, "/in", transport_pref=TransportPref.TCP) as reader:
                    assert len(pictures(reader.into_demux_receiver(), 3)) == 3
            finally:
                p.kill()
                p.wait()
            await_(lambda n=generation: mount.generation() == n + 1, "the publisher's end")  # type: ignore[misc]
        s = mount.stats()
        assert s.rtp_packets_received > 0
        assert s.aus_emitted >= 20
        assert server.stats().total_rtp_packets_received > 0
        p = publish(source, f"rtsp://{server.local_addr()}/unasked", "tcp")
        try:
            new = server.next_publisher(30)
            assert new is not None
            assert new.mount_path() == "/unasked"
        finally:
            p.kill()
            p.wait()
        assert server.next_publisher(0) is None
        server.remove_mount("/in")
        assert list(events)[-1:] is not None
        assert events.end_reason() is StreamEndReason.CLEAN_TEARDOWN
        assert kind(lambda: server.remove_mount("/in")) is RtspErrorKind.MOUNT


def test_example_camera() -> None:
    """The published example "Connect to a camera and iterate demuxed events", its address replaced."""
    got: list[bytes] = []
    with start() as camera:
        mount = camera.add_unicast_mount("/live", program())
        url = f"rtsp://{camera.local_addr()}/live"

        def handle(payload: bytes) -> None:
            got.append(payload)
            if len(got) == 3:
                camera.stop(drain_ms=0)

        with pumping(mount):
            cfg = RtspClientConfig(url=url)
            with RtspClient.connect(cfg) as session:
                demux = session.into_demux_receiver()
                for event in demux:
                    if isinstance(event, DemuxEvent.Video):
                        handle(event.payload)
    check_pictures(got)


def test_example_server() -> None:
    """The published example "Publish a stream from your own RTSP server", its address replaced."""
    nal_bytes = picture(0)
    program = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    with RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0")) as server:
        mount = server.add_unicast_mount("/live", program)
        mount.push_video(nal_bytes, pts=Pts90khz.from_raw(0), key_frame=True)
        assert mount.stats().packets_pushed == 1
