"""RTSP with FFmpeg, GStreamer and, where there is one, another wheel of this name: equal payloads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_rtsp import KEY, await_, check_pictures, klv_of, pictures, program, pumping, start
from tstrans.exceptions import RtspError
from tstrans.io import parse_file
from tstrans.mpegts import DemuxEvent, Pts90khz
from tstrans.rtp import MuxSender, RtspClient, RtspClientConfig, TransportPref

ROOT = Path(__file__).resolve().parents[2]
ENV = ROOT / "build/interop/env"
PEERS = [p for p in (ENV / "wheel02/bin/python", ENV / "wheel08/bin/python") if p.is_file()]
SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE = 30  # seconds that any one thing is waited for
SILENCE = 10_000  # ms without a packet after which our client gives up


@contextmanager
def running(command: list[str], **more: object) -> Iterator[subprocess.Popen[str]]:
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)  # type: ignore[call-overload]
    try:
        yield p
    finally:
        p.send_signal(signal.SIGINT)
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def encoded(folder: Path) -> list[bytes]:
    """The access units of a second of real video."""
    source = folder / "in.ts"
    encode = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=1"]
    subprocess.run(
        [*encode, "-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-bf", "0", source],
        check=True,
        timeout=PATIENCE,
    )
    return [e.payload for e in parse_file(source) if isinstance(e, DemuxEvent.Video)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("elementary", [False, True])
def test_ffprobe_and_ffmpeg(transport: str, elementary: bool, tmp_path: Path) -> None:
    units = encoded(tmp_path)
    with start() as server:
        mount = server.add_unicast_mount("/live", program(), elementary=elementary)
        url = f"rtsp://{server.local_addr()}/live"
        with pumping(mount, units=units):
            command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", transport, "-i", url, "-t", "1"]
            out = tmp_path / "out.264"
            subprocess.run(
                [*command, "-map", "0:v", "-c", "copy", "-f", "h264", out], check=True, timeout=PATIENCE
            )
            probe = [
                "ffprobe",
                "-v",
                "error",
                "-rtsp_transport",
                transport,
                "-show_streams",
                "-of",
                "json",
                url,
            ]
            streams = json.loads(
                subprocess.run(probe, capture_output=True, timeout=PATIENCE, check=True).stdout
            )
    video = next(s for s in streams["streams"] if s["codec_type"] == "video")
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", 160, 120)
    # Slice by slice, what FFmpeg wrote is what was pushed.
    sent = {n for u in units for n in slices(u)}
    got = slices(out.read_bytes())
    assert len(got) > 5
    assert all(n in sent for n in got[:-1])


def playable(url: str) -> bool:
    """Whether a client can connect to the media there by now."""
    try:
        RtspClient.connect(RtspClientConfig(url)).close()
    except RtspError:
        return False
    return True


def gather(
    events: Iterable[DemuxEvent], other: type[DemuxEvent.Audio | DemuxEvent.Klv], more_than: int
) -> tuple[list[bytes], list[bytes]]:
    """The pictures and another kind of unit, until there are more than so many of each."""
    pictures: list[bytes] = []
    units: list[bytes] = []
    for e in events:
        if isinstance(e, DemuxEvent.Video):
            pictures.append(e.payload)
        elif isinstance(e, other):
            units.append(e.payload)
        if len(pictures) > more_than and len(units) > more_than:
            break
    return pictures, units


def slices(stream: bytes) -> list[bytes]:
    nals = (n.rstrip(b"\0") for n in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1"))
    return [n for n in nals if n and n[0] & 0x1F in (1, 5)]


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


# Plays argv[1], an rtspsrc; argv[2:] are media and the chain of elements for each. What is not named goes to
# a sink of its own. (A launch line links each stream in a thread of its own: now and then one is not in
# time, and the source ends.)
GST_PLAYER = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst
Gst.init(None)
pipeline = Gst.Pipeline()
source = Gst.parse_launch(sys.argv[1])
pipeline.add(source)
chains = dict(zip(sys.argv[2::2], sys.argv[3::2]))
def link(_, pad):
    media = pad.query_caps(None).get_structure(0).get_string("media")
    chain = Gst.parse_bin_from_description(chains.get(media, "fakesink"), True)
    pipeline.add(chain)
    chain.sync_state_with_parent()
    pad.link(chain.get_static_pad("sink"))
source.connect("pad-added", link)
pipeline.set_state(Gst.State.PLAYING)
loop = GLib.MainLoop()
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, 2, loop.quit)
loop.run()
pipeline.set_state(Gst.State.NULL)
"""


def gst_player(source: str, **chains: str) -> list[str]:
    """The command that plays with rtspsrc, chains by media."""
    return [SYSTEM_PYTHON, "-c", GST_PLAYER, source, *(w for pair in chains.items() for w in pair)]


@pytest.mark.skipif(not shutil.which("gst-launch-1.0"), reason="GStreamer is not installed")
@pytest.mark.parametrize("protocols", ["udp", "tcp"])
def test_gstreamer_plays(protocols: str, tmp_path: Path) -> None:
    with start() as server:
        ts = server.add_unicast_mount("/ts", program())
        es = server.add_unicast_mount("/es", program(), elementary=True)
        base = f"rtsp://{server.local_addr()}"
        for path, mount, media, chain, out, least in (
            ("/ts", ts, "video", "rtpmp2tdepay", tmp_path / "out.ts", 20_000),
            ("/es", es, "application", "rtpklvdepay", tmp_path / "out.klv", 500),
        ):
            src = f"rtspsrc location={base}{path} protocols={protocols} latency=20"
            sink = f"filesink buffer-mode=2 async=false location={out}"
            with pumping(mount), running(gst_player(src, **{media: f"{chain} ! {sink}"})):
                await_(lambda out=out, least=least: size(out) > least, f"{chain} by {protocols}")  # type: ignore[misc]
        got = [e.payload for e in parse_file(tmp_path / "out.ts") if isinstance(e, DemuxEvent.Video)]
        check_pictures(got[:-1])
        data = (tmp_path / "out.klv").read_bytes()
        found = re.match(rb"klv (\d+)", data[len(KEY) + 1 :])
        assert found is not None
        first = int(found[1])
        want = b"".join(klv_of(first + i) for i in range(10))
        assert data.startswith(want)


# A media factory of the launch line argv[1]. Where argv[2] names a file, it is pushed into the element called
# "meta" 50 times a second. (A file source in a live pipeline is no good: what it makes before the pipeline
# has its base time is stamped with the time since boot, and the sink then waits for half an hour.)
GST_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(sys.argv[1])
factory.set_shared(True)

def configure(_, media):
    source = media.get_element().get_by_name("meta")
    def push():
        source.emit("push-buffer", Gst.Buffer.new_wrapped(record))
        return True
    GLib.timeout_add(20, push)

if len(sys.argv) > 2:
    record = open(sys.argv[2], "rb").read()
    factory.connect("media-configure", configure)
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
META = (
    "appsrc name=meta is-live=true format=time do-timestamp=true max-bytes=100000 leaky-type=downstream"
    " caps=meta/x-klv,parsed=true"
)


def first_line(p: subprocess.Popen[str]) -> str:
    assert p.stdout is not None
    with selectors.DefaultSelector() as ready:
        ready.register(p.stdout, selectors.EVENT_READ)
        assert ready.select(PATIENCE), "the other program says nothing"
    return p.stdout.readline().strip()


@contextmanager
def gst_server(*arguments: object) -> Iterator[str]:
    with running([SYSTEM_PYTHON, "-c", GST_SERVER, *map(str, arguments)]) as p:
        yield f"rtsp://127.0.0.1:{int(first_line(p))}/cam"


@contextmanager
def playing(url: str, pref: TransportPref) -> Iterator[Iterator[DemuxEvent]]:
    """The events of a stream; a silent or endless one fails."""
    with RtspClient.connect(
        RtspClientConfig(f"{url}?recv_timeout={SILENCE}", transport_pref=pref)
    ) as session:

        def events() -> Iterator[DemuxEvent]:
            end = time.monotonic() + PATIENCE
            for e in session.into_demux_receiver():
                assert time.monotonic() < end, "what was waited for did not come"
                yield e

        yield events()


def have_gst_server() -> bool:
    code = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if not os.path.exists(SYSTEM_PYTHON):
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not have_gst_server(), reason="gst-rtsp-server is not installed")
@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
def test_gstreamer_serves(pref: TransportPref, tmp_path: Path) -> None:
    record = KEY + b"\x82\x0b\xb8" + bytes(range(250)) * 12  # 3000 bytes: several packets
    (tmp_path / "klv.bin").write_bytes(record)
    h264 = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
    h264 += " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5"
    both = f"( {h264} ! rtph264pay name=pay0 pt=96 {META} ! rtpklvpay name=pay1 pt=97 )"
    with gst_server(both, tmp_path / "klv.bin") as url, playing(url, pref) as events:
        video, metadata = [], []
        for e in events:
            if isinstance(e, DemuxEvent.Video):
                video.append(e.payload)
            elif isinstance(e, DemuxEvent.Klv):
                metadata.append(e.payload)
            if len(video) > 10 and len(metadata) > 3:
                break
        assert set(metadata) == {record}
        assert sum(b"\0\0\1\x65" in v for v in video) >= 1
    ts = f"( {h264} ! h264parse ! mpegtsmux alignment=7 ! rtpmp2tpay name=pay0 )"
    with gst_server(ts) as url, playing(url, pref) as events:
        assert len(pictures(events, 10)) == 10


MEDIAMTX = ENV / "mediamtx/mediamtx"


def free_pair() -> int:
    """An even TCP and UDP port that nobody has, nor the next."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as a:
            port: int = a.getsockname()[1] & ~1
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for n in (port, port + 1):
                held.enter_context(socket.create_server(("127.0.0.1", n)))
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", n))
            return port


@pytest.mark.skipif(not MEDIAMTX.exists(), reason="MediaMTX is not installed")
@pytest.mark.parametrize("pref", [TransportPref.UDP, TransportPref.TCP])
@pytest.mark.parametrize("elementary", [False, True])
def test_through_mediamtx(pref: TransportPref, elementary: bool, tmp_path: Path) -> None:
    """Our server, MediaMTX as its client and as a server, our client."""
    control, media = free_pair(), free_pair()
    name = "udp" if pref == TransportPref.UDP else "tcp"
    with start() as server:
        mount = server.add_unicast_mount("/live", program(), elementary=elementary)
        (tmp_path / "m.yml").write_text(
            f"""{{logLevel: warn, rtmp: no, hls: no, webrtc: no, srt: no, rtsp: yes,
            rtspAddress: "127.0.0.1:{control}",
            rtpAddress: "127.0.0.1:{media}", rtcpAddress: "127.0.0.1:{media + 1}",
            paths: {{cam: {{source: "rtsp://{server.local_addr()}/live", rtspTransport: {name}}}}}}}
            """
        )
        with pumping(mount), running([str(MEDIAMTX), str(tmp_path / "m.yml")]):
            url = f"rtsp://127.0.0.1:{control}/cam"

            await_(lambda: playable(url), "MediaMTX")
            with playing(url, pref) as events:
                video, metadata = gather(events, DemuxEvent.Klv, 10)
    check_pictures(video)
    first = int(metadata[0][len(KEY) + 1 :].split()[1])
    assert metadata == [klv_of(first + i) for i in range(len(metadata))]


@pytest.mark.skipif(not shutil.which("cvlc"), reason="VLC is not installed")
def test_vlc_receives_rtp(tmp_path: Path) -> None:
    """Debian's VLC speaks RTP; it is built without an RTSP client."""
    units = encoded(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    command = ["cvlc", "-I", "dummy", "-q", f"rtp://127.0.0.1:{(port := free_pair())}"]
    command += ["--sout", f"#std{{access=file,mux=ts,dst={out}/vlc.ts}}"]
    if os.geteuid() == 0:  # which VLC refuses to run as
        for d in [out, *out.parents][:4]:
            d.chmod(d.stat().st_mode | 0o777 if d == out else d.stat().st_mode | 0o111)
        command = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "env",
            f"HOME={out}",
            *command,
        ]
    with MuxSender(f"rtp://127.0.0.1:{port}", program(False), pkt_size=1328) as tx, running(command):
        n = iter(range(10**9))

        def enough() -> bool:
            i = next(n)
            tx.push_video(units[i % len(units)], pts=Pts90khz.from_ms(40 * i), key_frame=i % 5 == 0)
            time.sleep(0.01)
            return size(out / "vlc.ts") > 50_000

        await_(enough, "VLC")
    got = [
        n for e in parse_file(out / "vlc.ts") if isinstance(e, DemuxEvent.Video) for n in slices(e.payload)
    ]
    sent = {n for u in units for n in slices(u)}
    assert len(got) > 5
    assert all(n in sent for n in got[:-1])


PEER_CLIENT = """
import sys
from tstrans.mpegts import DemuxEvent
from tstrans.rtp import RtspClient, RtspClientConfig, TransportPref
config = RtspClientConfig(sys.argv[1], transport_pref=getattr(TransportPref, sys.argv[2]))
n = 0
with RtspClient.connect(config) as session:
    for e in session.into_demux_receiver():
        if isinstance(e, DemuxEvent.Video):
            print(bytes(e.raw).hex(), flush=True)
            n += 1
            if n == 10:
                break
"""

PEER_SERVER = """
import sys, time
from tstrans.mpegts import MuxerProgramConfigBuilder, Pts90khz, VideoCodec
from tstrans.rtp import RtspServer, RtspServerConfig
b = MuxerProgramConfigBuilder(1, 0x100)
b.add_video(0x101, VideoCodec.H264)
server = RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0"))
mount = server.add_unicast_mount("/live", b.build())
print(server.local_addr(), flush=True)
i = 0
while True:
    nal = bytes.fromhex(sys.argv[1]) + b"picture %d " % i + b"\\x88" * 500
    mount.push_video(nal, pts=Pts90khz.from_ms(10 * i), key_frame=True)
    i += 1
    time.sleep(0.01)
"""


def peer_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TSTRANS_LIBRARY")}


@pytest.mark.skipif(not PEERS, reason="no other wheel is installed")
@pytest.mark.parametrize("pref", ["UDP", "TCP"])
@pytest.mark.parametrize("peer", PEERS, ids=lambda p: p.parents[1].name)
def test_another_wheel(peer: Path, pref: str) -> None:
    with start() as server:
        mount = server.add_unicast_mount("/live", program(False))
        with pumping(mount, klv=False):
            url = f"rtsp://{server.local_addr()}/live"
            command = [str(peer), "-c", PEER_CLIENT, url, pref]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE, env=peer_environment(), check=False
            )
            assert done.returncode == 0, done.stderr[-1500:]
            check_pictures([bytes.fromhex(line) for line in done.stdout.split()])
    head = (
        b"\0\0\0\1" + bytes.fromhex("6742001e8d6850") + b"\0\0\0\1" + bytes.fromhex("68ce3880") + b"\0\0\0\1e"
    ).hex()
    with running([str(peer), "-c", PEER_SERVER, head], env=peer_environment()) as p:
        url = f"rtsp://{first_line(p)}/live"
        with playing(url, getattr(TransportPref, pref)) as events:
            check_pictures(pictures(events, 10))
