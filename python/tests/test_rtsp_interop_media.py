"""RTSP with other programs, further: H.265 and AAC, split metadata, publishers, groups, credentials, TLS."""

from __future__ import annotations

import array
import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from test_rtsp import KEY, await_, check_pictures, connect, kind, pictures, program, pumping, start
from test_rtsp_interop import (
    GST_SERVER,
    MEDIAMTX,
    META,
    PATIENCE,
    SILENCE,
    SYSTEM_PYTHON,
    first_line,
    free_pair,
    gather,
    gst_player,
    gst_server,
    have_gst_server,
    playable,
    playing,
    running,
    size,
    slices,
)
from tstrans.exceptions import RtspError, RtspErrorKind
from tstrans.io import parse_file
from tstrans.mpegts import (
    AudioCodec,
    DemuxEvent,
    MuxerProgramConfig,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)
from tstrans.rtp import (
    BasicAuth,
    DigestAlgorithm,
    DigestAuth,
    MountHandle,
    PublishShape,
    RtspClient,
    RtspClientConfig,
    RtspServer,
    RtspServerConfig,
    TransportPref,
)

needs_gstreamer = pytest.mark.skipif(not shutil.which("gst-launch-1.0"), reason="GStreamer is not installed")
needs_gst_server = pytest.mark.skipif(not have_gst_server(), reason="gst-rtsp-server is not installed")


# H.265 and AAC


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of H.265 and AAC."""
    out = tmp_path_factory.mktemp("film") / "film.ts"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=2"]
    command += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2", "-c:v", "libx265"]
    command += ["-preset", "ultrafast", "-x265-params", "log-level=none:keyint=10:bframes=0", "-c:a", "aac"]
    subprocess.run([*command, out], check=True, timeout=PATIENCE)
    return out


def nals265(stream: bytes) -> list[bytes]:
    """The slices of an H.265 byte stream."""
    nals = (n.rstrip(b"\0") for n in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1"))
    return [n for n in nals if n and n[0] >> 1 & 0x3F < 32]


def frames(audio: bytes) -> list[bytes]:
    """The raw AAC frames behind ADTS headers."""
    out = []
    while audio:
        n = (audio[3] & 3) << 11 | audio[4] << 3 | audio[5] >> 5
        out.append(audio[7 if audio[1] & 1 else 9 : n])
        audio = audio[n:]
    return out


def media_of(source: Path) -> tuple[list[bytes], list[bytes]]:
    events = list(parse_file(source))
    return (
        [e.payload for e in events if isinstance(e, DemuxEvent.Video)],
        [e.payload for e in events if isinstance(e, DemuxEvent.Audio)],
    )


def film_program() -> MuxerProgramConfig:
    b = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H265)
    return b.add_audio(0x102, AudioCodec.AAC).build()


@contextmanager
def screening(mount: MountHandle, film: Path) -> Iterator[None]:
    """Push the film at about its pace, again and again."""
    video, audio = media_of(film)
    stop = threading.Event()

    def run() -> None:
        at, v, a = 0, 0, 0
        while not stop.wait(0.01):
            at += 900
            if at >= v * 3600:
                mount.push_video(video[v % len(video)], pts=Pts90khz.from_ms(40 * v), key_frame=v % 10 == 0)
                v += 1
            while at >= a * 1920:
                pack = audio[a % len(audio)]
                mount.push_audio(pack, pts=Pts90khz(a * 1920))
                a += len(frames(pack))

    t = threading.Thread(target=run, daemon=True)
    t.start()
    try:
        yield
    finally:
        stop.set()
        t.join(10)


def check_film(video: list[bytes], audio: list[bytes], film: Path) -> None:
    """What came is what was sent, slice by slice and frame by frame."""
    sent_video, sent_audio = media_of(film)
    known = {n for u in sent_video for n in nals265(u)}
    got = [n for u in video for n in nals265(u)]
    assert len(got) > 10
    assert sum(n in known for n in got) >= len(got) - 1  # the last may be cut
    heard = {f for p in sent_audio for f in frames(p)}
    came = [f for p in audio for f in frames(p)]
    assert len(came) > 10
    assert all(f in heard for f in came)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ffmpeg_plays_h265_and_aac(transport: str, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    with start() as server:
        mount = server.add_unicast_mount("/film", film_program(), elementary=True)
        with screening(mount, film):
            command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", transport]
            command += [
                "-i",
                f"rtsp://{server.local_addr()}/film",
                "-t",
                "1.5",
                "-map",
                "0",
                "-c",
                "copy",
                out,
            ]
            subprocess.run(command, check=True, timeout=PATIENCE)
    check_film(*media_of(out), film)


@needs_gstreamer
@pytest.mark.parametrize("protocols", ["udp", "tcp"])
def test_gstreamer_plays_h265_and_aac(protocols: str, film: Path, tmp_path: Path) -> None:
    video, audio = tmp_path / "out.265", tmp_path / "out.aac"
    with start() as server:
        mount = server.add_unicast_mount("/film", film_program(), elementary=True)
        player = gst_player(
            f"rtspsrc location=rtsp://{server.local_addr()}/film protocols={protocols} latency=50",
            video="rtph265depay ! video/x-h265,stream-format=byte-stream"
            f" ! filesink buffer-mode=2 async=false location={video}",
            audio="rtpmp4gdepay ! aacparse ! audio/mpeg,stream-format=adts"
            f" ! filesink buffer-mode=2 async=false location={audio}",
        )
        with screening(mount, film), running(player):
            await_(lambda: size(video) > 30_000 and size(audio) > 4_000, f"both by {protocols}")
    whole = audio.read_bytes()
    end = 0
    while end + 7 <= len(whole):
        n = (whole[end + 3] & 3) << 11 | whole[end + 4] << 3 | whole[end + 5] >> 5
        if end + n > len(whole):
            break
        end += n
    check_film([video.read_bytes()], [whole[:end]], film)


@pytest.mark.skipif(not MEDIAMTX.exists(), reason="MediaMTX is not installed")
@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
def test_h265_and_aac_of_mediamtx(pref: TransportPref, film: Path, tmp_path: Path) -> None:
    """FFmpeg publishes the film to MediaMTX, our client plays it there."""
    control, media = free_pair(), free_pair()
    (tmp_path / "m.yml").write_text(
        f"""{{logLevel: warn, rtmp: no, hls: no, webrtc: no, srt: no, rtsp: yes,
        rtspAddress: "127.0.0.1:{control}",
        rtpAddress: "127.0.0.1:{media}", rtcpAddress: "127.0.0.1:{media + 1}",
        paths: {{film: {{}}}}}}"""
    )
    url = f"rtsp://127.0.0.1:{control}/film"
    boxed = str(tmp_path / "film.mp4")  # FFmpeg publishes no AAC out of MPEG-TS
    remux = ["ffmpeg", "-v", "error", "-i", str(film), "-c", "copy", boxed]
    subprocess.run(remux, check=True, timeout=PATIENCE)
    push = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", boxed, "-c", "copy", "-f", "rtsp"]
    push += ["-rtsp_transport", "tcp", url]
    with running([str(MEDIAMTX), str(tmp_path / "m.yml")]), contextlib.ExitStack() as stack:

        def listening() -> bool:
            try:
                RtspClient.connect(RtspClientConfig(url)).close()
            except RtspError as e:
                return e.kind is RtspErrorKind.NOT_FOUND
            return True

        await_(listening, "MediaMTX")
        stack.enter_context(running(push))

        await_(lambda: playable(url), "the publisher")
        with playing(url, pref) as events:
            video, audio = gather(events, DemuxEvent.Audio, 12)
    check_film(video, audio, film)


# Metadata longer than a packet (RFC 6597 section 4.2)


@needs_gstreamer
@pytest.mark.parametrize("protocols", ["udp", "tcp"])
def test_gstreamer_joins_split_metadata(protocols: str, tmp_path: Path) -> None:
    out = tmp_path / "out.klv"
    records = [KEY + b"\x82\x0b\xb8" + bytes([i]) + bytes(range(250)) * 11 + bytes(249) for i in range(250)]
    with start() as server:
        mount = server.add_unicast_mount("/es", program(), elementary=True)
        player = gst_player(
            f"rtspsrc location=rtsp://{server.local_addr()}/es protocols={protocols} latency=20",
            application=f"rtpklvdepay ! filesink buffer-mode=2 async=false location={out}",
        )
        stop = threading.Event()

        def push() -> None:
            i = 0
            while not stop.wait(0.01):
                mount.push_klv(records[i % 250], pts=Pts90khz.from_ms(10 * i))
                i += 1

        t = threading.Thread(target=push, daemon=True)
        with pumping(mount, klv=False), running(player):
            t.start()
            await_(lambda: size(out) > 20_000, f"metadata by {protocols}")
            stop.set()
            t.join(10)
    data = out.read_bytes()
    n = len(records[0])
    first = data[len(KEY) + 3]
    for i in range(len(data) // n):
        assert data[i * n : (i + 1) * n] == records[(first + i) % 250]


# Publishers

GST_PUBLISHER = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst
Gst.init(None)
pipeline = Gst.parse_launch(sys.argv[1])
source = pipeline.get_by_name("meta")
if source:
    record = open(sys.argv[2], "rb").read()
    def push():
        source.emit("push-buffer", Gst.Buffer.new_wrapped(record))
        return True
    GLib.timeout_add(20, push)
pipeline.set_state(Gst.State.PLAYING)
GLib.MainLoop().run()
"""


@needs_gst_server
@pytest.mark.parametrize("protocols", ["udp", "tcp"])
@pytest.mark.parametrize("klv", [False, True])
def test_gstreamer_publishes(protocols: str, klv: bool, tmp_path: Path) -> None:
    record = KEY + b"\x82\x0b\xb8" + bytes(range(250)) * 12  # 3000 bytes: several packets
    (tmp_path / "klv.bin").write_bytes(record)
    with start() as server:
        mount = server.add_publish_mount("/in")
        events = mount.into_demux_receiver()
        launch = (
            f"rtspclientsink name=s location=rtsp://{server.local_addr()}/in protocols={protocols} latency=0"
        )
        launch += " videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
        launch += " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! h264parse ! s."
        if klv:
            launch += f" {META} ! s."
        with running([SYSTEM_PYTHON, "-c", GST_PUBLISHER, launch, str(tmp_path / "klv.bin")]):
            ended = threading.Timer(PATIENCE, mount.cancel)
            ended.start()
            video: list[bytes] = []
            metadata: list[bytes] = []
            for e in events:
                if isinstance(e, DemuxEvent.Video):
                    video.append(e.payload)
                elif isinstance(e, DemuxEvent.Klv):
                    metadata.append(e.payload)
                if len(video) > 10 and (len(metadata) > 3 or not klv):
                    break
            ended.cancel()
            info = mount.publisher()
            assert info is not None
            assert (info.shape, info.klv) == (PublishShape.ELEMENTARY, klv)
            assert set(metadata) == ({record} if klv else set())
            assert all(slices(v) for v in video)
            with connect(server, "/in", transport_pref=TransportPref.TCP) as reader:
                assert len(pictures(reader.into_demux_receiver(), 5)) == 5


# Groups


def free_group() -> tuple[str, int]:
    port = free_pair()
    return f"239.255.{port >> 8}.{port & 255}", port


def routed() -> bool:
    """Whether groups have a way out: FFmpeg joins them there, whatever it is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return s.connect_ex(("239.255.0.1", 9)) == 0


@pytest.mark.skipif(not routed(), reason="no route to multicast groups")
def test_ffmpeg_joins_a_group(tmp_path: Path) -> None:
    group, port = free_group()
    out = tmp_path / "out.ts"
    with RtspServer.start(RtspServerConfig(bind_addr="0.0.0.0:0")) as server:
        mount = server.add_multicast_mount("/mc", group, port, program_config=program())
        url = f"rtsp://127.0.0.1:{(server.local_addr() or '').rpartition(':')[2]}/mc"
        command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", "udp_multicast", "-i", url]
        command += ["-map", "0:v", "-c", "copy", "-f", "mpegts", "-flush_packets", "1", str(out)]
        with pumping(mount), running(command):
            await_(lambda: size(out) > 60_000, "FFmpeg")
    got = [e.payload for e in parse_file(out) if isinstance(e, DemuxEvent.Video)][:-1]
    assert len(got) > 5
    numbers = [int(re.findall(rb"picture (\d+) ", v)[0]) for v in got]  # it puts delimiters in front
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@needs_gstreamer
def test_gstreamer_joins_a_group(tmp_path: Path) -> None:
    group, port = free_group()
    out = tmp_path / "out.ts"
    with start() as server:
        mount = server.add_multicast_mount("/mc", group, port, iface="127.0.0.1", program_config=program())
        launch = f"rtspsrc location=rtsp://{server.local_addr()}/mc protocols=udp-mcast multicast-iface=lo"
        launch += f" latency=20 ! rtpmp2tdepay ! filesink buffer-mode=2 location={out}"
        with pumping(mount), running(["gst-launch-1.0", "-q", *launch.split()]):
            await_(lambda: size(out) > 60_000, "GStreamer")
    check_pictures([e.payload for e in parse_file(out) if isinstance(e, DemuxEvent.Video)][:-1])


GST_MORE = GST_SERVER.replace(
    "factory.set_shared(True)",
    """factory.set_shared(True)
options = dict(a.split("=", 1) for a in sys.argv[2:])
if "auth" in options or "cert" in options:
    from gi.repository import Gio, GstRtsp
    auth = GstRtspServer.RTSPAuth()
    if "cert" in options:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(options["cert"], options["key"]))
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)
    if "auth" not in options:
        auth.set_default_token(token)
    else:
        if options["auth"] == "basic":
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic("me", "secret"), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest("me", "secret", token)
    server.set_auth(auth)
sys.argv = sys.argv[:2]""",
)
H264 = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
H264 += " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! rtph264pay name=pay0 pt=96"


@contextmanager
def gst_serving(**options: object) -> Iterator[str]:
    more = [f"{k}={v}" for k, v in options.items()]
    with running([SYSTEM_PYTHON, "-c", GST_MORE, f"( {H264} )", *more]) as p:
        yield f"rtsp://127.0.0.1:{int(first_line(p))}/cam"


# Credentials and TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    at = tmp_path_factory.mktemp("tls")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(at / "key.pem"), "-out", str(at / "cert.pem")]
    subprocess.run([*make, *files], check=True, capture_output=True, timeout=PATIENCE)
    return at / "cert.pem", at / "key.pem"


@pytest.mark.parametrize(
    "auth",
    [BasicAuth("me", "secret", "here"), DigestAuth("me", "secret", DigestAlgorithm.MD5, "here")],
    ids=["basic", "digest"],
)
def test_credentials_of_other_clients(auth: BasicAuth | DigestAuth, tmp_path: Path) -> None:
    with start(auth=auth) as server:
        mount = server.add_unicast_mount("/live", program())
        for password, good in (("secret", True), ("wrong", False)):
            url = f"rtsp://me:{password}@{server.local_addr()}/live"
            command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-t", "0.3"]
            with pumping(mount):
                done = subprocess.run(
                    [*command, "-map", "0:v", "-c", "copy", tmp_path / "o.ts"],
                    capture_output=True,
                    timeout=PATIENCE,
                    check=False,
                )
            assert (done.returncode == 0) == good
            assert (b"401" in done.stderr) == (not good)
            if shutil.which("gst-launch-1.0"):
                out = tmp_path / f"{password}.ts"
                launch = f"rtspsrc location={url} protocols=tcp ! rtpmp2tdepay"
                launch += f" ! filesink buffer-mode=2 location={out}"
                with pumping(mount), running(["gst-launch-1.0", "-q", *launch.split()]) as p:
                    if good:
                        await_(lambda out=out: size(out) > 5000, "GStreamer")  # type: ignore[misc]
                    else:
                        assert p.wait(PATIENCE) != 0
                        assert size(out) == 0


@needs_gst_server
@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_credentials_at_gstreamers_server(scheme: str) -> None:
    with gst_serving(auth=scheme) as url:
        for pref in (TransportPref.UDP, TransportPref.TCP):
            with playing(url.replace("//", "//me:secret@"), pref) as events:
                assert len(pictures(events, 3)) == 3
        for config in (
            RtspClientConfig(url),
            RtspClientConfig(url, auth=BasicAuth("me", "wrong")),
            RtspClientConfig(url, auth=DigestAuth("you", "secret")),
        ):
            assert kind(lambda config=config: RtspClient.connect(config)) is RtspErrorKind.AUTH_FAILED  # type: ignore[misc]


def test_other_clients_by_tls(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = certificate
    with start(tls_cert=str(cert), tls_key=str(key)) as server:
        mount = server.add_unicast_mount("/live", program())
        url = f"rtsps://{server.local_addr()}/live"
        with pumping(mount):
            command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-t", "0.3"]
            subprocess.run(
                [*command, "-map", "0:v", "-c", "copy", tmp_path / "o.ts"], check=True, timeout=PATIENCE
            )
            if shutil.which("gst-launch-1.0"):
                out = tmp_path / "gst.ts"
                launch = f"rtspsrc location={url} protocols=tcp tls-validation-flags=0 ! rtpmp2tdepay"
                launch += f" ! filesink buffer-mode=2 location={out}"
                with running(["gst-launch-1.0", "-q", *launch.split()]):
                    await_(lambda: size(out) > 20_000, "GStreamer")
                got = [e.payload for e in parse_file(out) if isinstance(e, DemuxEvent.Video)]
                check_pictures(got[:-1])


@needs_gst_server
def test_gstreamers_server_by_tls(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    with gst_serving(cert=cert, key=key) as url:
        secure = url.replace("rtsp://", "rtsps://")
        config = RtspClientConfig(secure, tls_root_certs_pem=cert.read_bytes())
        end = time.monotonic() + PATIENCE
        with RtspClient.connect(config) as session:
            for n, e in enumerate(session.into_demux_receiver()):
                assert time.monotonic() < end
                if n > 5 and isinstance(e, DemuxEvent.Video):
                    break
        assert kind(lambda: RtspClient.connect(RtspClientConfig(secure))) is RtspErrorKind.TLS


# Five tracks of sound, each a tone of its own; MPEG-TS has names for the first four.
TONES = {
    "mp2": (500, "twolamemp2enc bitrate=64 ! mpegaudioparse ! rtpmpapay"),
    "aac": (700, "voaacenc ! aacparse ! rtpmp4gpay"),
    "aac in LATM": (900, "voaacenc ! aacparse ! rtpmp4apay"),
    "opus": (1100, "opusenc ! rtpopuspay"),
    "pcm_alaw": (1300, "alawenc ! rtppcmapay"),
}


def heard(command: list[str | Path], data: bytes = b"") -> bytes:
    """What another program makes of it."""
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=PATIENCE).stdout


def frequency(pcm: bytes) -> float:
    """How often mono sound of 8000 16-bit samples a second changes its sign, a second, halved."""
    samples = array.array("h", pcm)[2000:-400]  # past what encoders and decoders swing in and out with
    changes = sum((a < 0) != (b < 0) for a, b in pairwise(samples))
    return changes / 2 / (len(samples) / 8000)


@needs_gst_server
@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
def test_sound_of_gstreamer(pref: TransportPref, tmp_path: Path) -> None:
    """What FFmpeg hears in our MPEG-TS is what GStreamer played."""
    tracks = [
        f"audiotestsrc is-live=true freq={tone} ! audio/x-raw,channels=1,"
        f"rate={8000 if 'pcm' in name else 48000} ! {chain} name=pay{i} pt={96 + i}"
        for i, (name, (tone, chain)) in enumerate(TONES.items())
    ]
    alaw: list[bytes] = []
    with (
        gst_server("( " + " ".join(tracks) + " )") as url,
        RtspClient.connect(RtspClientConfig(f"{url}?recv_timeout={SILENCE}", transport_pref=pref)) as session,
        (tmp_path / "in.ts").open("wb") as file,
    ):
        events = session.into_demux_receiver()
        events.add_byte_sink(file.write)
        times: dict[object, list[int]] = {}
        for e in events:
            if isinstance(e, (DemuxEvent.Audio, DemuxEvent.UnknownSample)) and e.pts is not None:
                times.setdefault(e.stream.pid, []).append(e.pts.raw)
            if isinstance(e, DemuxEvent.UnknownSample) and e.stream_type == 0x90:
                alaw.append(e.payload)
            if len(times) == 5 and all(t[-1] - t[0] > 90_000 for t in times.values()):
                break
    ts = tmp_path / "in.ts"
    probe = ["ffprobe", "-v", "error", "-show_streams", "-select_streams", "a", "-of", "json", ts]
    streams = json.loads(heard(probe))["streams"]
    assert [s["codec_name"] for s in streams] == ["mp2", "aac", "aac", "opus"]
    ffmpeg, pcm16 = ["ffmpeg", "-v", "error"], ["-ar", "8000", "-ac", "1", "-f", "s16le", "-"]
    sounds = [heard([*ffmpeg, "-i", ts, "-map", f"0:a:{i}", *pcm16]) for i in range(4)]
    sounds.append(
        heard([*ffmpeg, "-f", "alaw", "-ar", "8000", "-ac", "1", "-i", "-", *pcm16], b"".join(alaw))
    )
    for (name, (tone, _)), pcm in zip(TONES.items(), sounds, strict=True):
        assert len(pcm) > 2 * 8000 * 0.7, name
        assert abs(frequency(pcm) - tone) < 0.03 * tone, name
