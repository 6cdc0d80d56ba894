"""The muxer as Python programs use it: builders, pushes, pulls, files, and what others read in them."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import threading
from pathlib import Path
from typing import Any

import media
import mux_random
import pytest
from tstrans import codec, mpegts
from tstrans.exceptions import MuxError, MuxErrorKind
from tstrans.io import parse_file
from tstrans.mpegts import (
    AudioCodec,
    AudioStreamHandle,
    Cea708StandaloneConfig,
    Demuxer,
    DemuxEvent,
    DvbSubtitlingConfig,
    DvbTeletextConfig,
    KlvStreamType,
    Muxer,
    MuxerConfig,
    MuxerConfigBuilder,
    MuxerDrainProxy,
    MuxerProgramConfig,
    MuxerProgramConfigBuilder,
    ProgramMap,
    Pts90khz,
    RawDescriptor,
    StreamInfo,
    StreamKindTag,
    SubtitleCodec,
    VideoCodec,
    VideoStreamHandle,
    WebVttInTsConfig,
)

SHARED = Path(__file__).resolve().parents[3] / "shared"
SYNC, PRIVATE = KlvStreamType.SYNCHRONOUS_METADATA, KlvStreamType.PRIVATE_DATA
P = Pts90khz(90000)
NAL = b"\0\0\0\1\x65" + bytes(range(1, 200))


def program() -> MuxerProgramConfigBuilder:
    return MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264)


def muxer(b: MuxerProgramConfigBuilder | None = None, **config: Any) -> Muxer:
    c = MuxerConfig.builder().add_program((b or program()).build())
    for name, value in config.items():
        getattr(c, name)(value)
    return Muxer(c.build())


def full() -> MuxerProgramConfigBuilder:
    """One stream of every kind."""
    b = program().add_video(0x102, VideoCodec.H265).add_video(0x103, VideoCodec.AV1)
    b.add_audio(0x110, AudioCodec.MP2).add_audio_with_language(0x111, AudioCodec.AAC, language=b"deu")
    b.add_audio(0x112, AudioCodec.AC3).add_klv(0x120, SYNC, carries_pts=True)
    b.add_klv(0x121, PRIVATE, carries_pts=True).add_data(0x140, 0xF0, carries_pts=True)
    return b


def pull(m: Muxer) -> bytes:
    out = bytearray(m.pending_packets() * 188)
    assert m.pull(out) == len(out)
    return bytes(out)


def test_same_bytes_as_another_muxer() -> None:
    """Seeded pushes of every kind: errors and packets of the published wheel, as it made them."""
    for line in (Path(__file__).parent / "data" / "mux_random.txt").read_text().splitlines():
        seed, _, want = line.partition(" ")
        assert mux_random.result(int(seed)) == want, f"seed {seed}"


def test_documented_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file-building example of the project page, word for word."""
    page = SHARED / "seeds" / "tstrans.txt"
    if not page.exists():
        pytest.skip("the page is not here")
    text = page.read_text()
    start = text.index("from tstrans.mpegts import (\nMuxer,")
    end = text.index("Pts90khz.from_raw(900_000))") + len("Pts90khz.from_raw(900_000))")
    code = text[start:end].replace("\nproxy.push", "\n    proxy.push")  # the page lost its indentation
    monkeypatch.chdir(tmp_path)
    exec(code, {"nal_bytes": NAL})
    (video,) = [e for e in parse_file("out.ts") if isinstance(e, DemuxEvent.Video)]
    assert (video.raw, video.pts.raw) == (NAL, 900_000)


def test_own_demuxer_reads_everything_back() -> None:
    m = muxer(full())
    pushed: list[tuple[int, int, bytes]] = []

    def note(pid: int, i: int, data: bytes) -> Pts90khz:
        pushed.append((pid, 90000 + 3000 * i, data))
        return Pts90khz(90000 + 3000 * i)

    obus = bytes.fromhex("12000a03010203")
    for i in range(20):
        nal = NAL + bytes([i + 1]) * (i * 97)
        v, a, k = m.video_handles(), m.audio_handles(), m.klv_handles()
        m.push_video_to(v[0], nal, pts=note(0x101, i, nal), key_frame=i == 0)
        m.push_video_to_with_dts(v[1], nal, note(0x102, i, nal), Pts90khz(90000 + 3000 * i - 90))
        m.push_video_to(v[2], obus, note(0x103, i, b"\0\0\1\x12\0\0\0\1\x0a\x03\1\2\3"))
        for pid, handle in zip((0x110, 0x111, 0x112), a, strict=True):
            m.push_audio_to(handle, b"\x0b\x77" * (i + 1), note(pid, i, b"\x0b\x77" * (i + 1)))
        record = bytes.fromhex("060e2b34020b01010e01030101000000") + bytes([i]) + bytes(i)
        for pid, klv in zip((0x120, 0x121), k, strict=True):
            m.push_klv_to(klv, record, note(pid, i, record))
        m.push_data(b"data%d" % i, note(0x140, i, b"data%d" % i))
    d = Demuxer()
    d.feed(pull(m))
    d.flush()
    got, maps = [], []
    for e in d:
        if isinstance(e, DemuxEvent.ProgramMap):
            maps.append(e.programs[0])
        elif isinstance(e, DemuxEvent.NonConformant):
            # Three videos: nobody can tell which of them the KLV describes.
            assert e.kind is mpegts.NonConformantKind.MISSING_METADATA_DESCRIPTOR
        else:
            assert not isinstance(e, DemuxEvent.Discontinuity), e
            data = e.raw if isinstance(e, (DemuxEvent.Video, DemuxEvent.Audio)) else e.payload
            got.append((e.stream.pid, e.pts.raw, data))
            if e.stream.pid == 0x102:
                assert e.dts.raw == e.pts.raw - 90
    assert sorted(got) == sorted(pushed)
    (pm,) = maps
    assert [s.pid for s in pm.streams] == [0x101, 0x102, 0x103, 0x110, 0x111, 0x112, 0x120, 0x121, 0x140]
    assert pm.streams[4].raw_descriptors == (RawDescriptor(0x0A, b"deu\0"),)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (DvbSubtitlingConfig(b"eng", 16, 1, 2), SubtitleCodec.DVB_SUBTITLING),
        (DvbTeletextConfig(b"eng", 2, 1, 0x12), SubtitleCodec.DVB_TELETEXT),
        (Cea708StandaloneConfig(), SubtitleCodec.CEA708_STANDALONE),
        (WebVttInTsConfig(), SubtitleCodec.WEBVTT_IN_TS),
    ],
)
def test_subtitles_read_back(config: Any, kind: SubtitleCodec) -> None:
    m = muxer(program().add_subtitle(0x130, config))
    m.push_subtitle(b"cue", P)
    d = Demuxer()
    d.feed(pull(m))
    (s,) = [e for e in d if isinstance(e, DemuxEvent.Subtitle)]
    assert s.codec is kind
    assert s.payload.startswith(b"\x10cue" if kind is SubtitleCodec.DVB_TELETEXT else b"cue")


def test_pushes_by_position_and_of_any_buffer() -> None:
    a, b = muxer(full()), muxer(full())
    for m, wrap in ((a, bytes), (b, bytearray)):
        h, k, s = m.video_handles()[0], m.klv_handles()[0], m.audio_handles()[0]
        m.push_video_to(h, wrap(NAL), P, True)
        m.push_video_wire_to(h, memoryview(wrap(NAL))[:50], P, P, False)
        m.push_klv_to(k, wrap(b"klv"), P, 7)
        m.push_audio_to(s, wrap(b"frame"), P)
        m.push_data(wrap(b"x"), P)
    assert pull(a) == pull(b)
    m = muxer(program().add_klv(0x120, SYNC, carries_pts=True))
    m.push_video(NAL, P, True)
    m.push_klv(b"klv", P, 7)
    m.push_klv([1, 2], P)  # type: ignore[arg-type]
    assert m.stream_codec_stats(0x120) == mpegts.KlvStreamCodecStats(2)


def test_wrong_arguments() -> None:
    m = muxer(full())
    h = m.video_handles()[0]
    for bad in (
        lambda: m.push_audio_to(h, b"", pts=P),
        lambda: m.push_video_to(None, b"", pts=P),
        lambda: m.push_data("text", pts=P),
        lambda: m.push_data(None, pts=P),
        lambda: m.push_video_to(h, NAL, pts=P, key_frame=1),
        lambda: m.push_data(b"", pts=Pts90khz(1.5)),  # type: ignore[arg-type]
        lambda: m.push_data(b""),
        lambda: m.pull(bytes(188)),
        lambda: m.pull(memoryview(bytearray(188))),
        lambda: Muxer(None),
        lambda: m.write_file(3),
        lambda: m.write_file(b"x"),
        lambda: m.write_file("x", True),
        lambda: pickle.dumps(m),
        lambda: MuxerConfig(),
        lambda: VideoStreamHandle(),
        lambda: m.push_video_misp_to(h, NAL, pts=P, misp=None),
    ):
        with pytest.raises(TypeError):
            bad()  # type: ignore[no-untyped-call]
    for bad in (lambda: m.push_data(b"", pts=1), lambda: m.push_data(b"", pts=None)):
        with pytest.raises(AttributeError):
            bad()
    for bad in (
        lambda: m.push_klv_to(m.klv_handles()[0], b"", pts=P, metadata_service_id=256),
        lambda: m.push_klv_to(m.klv_handles()[0], b"", pts=P, metadata_service_id=-1),
        lambda: m.video_stream_handle(-1),
        lambda: VideoStreamHandle.from_raw(-1),
        lambda: VideoStreamHandle.from_raw(1 << 32),
        lambda: m.stream_codec_stats(70000),
        lambda: MuxerProgramConfigBuilder(70000, 1),
        lambda: program().add_video(70000, VideoCodec.H264),
        lambda: MuxerConfigBuilder().pcr_interval_ms(-1),
        lambda: program().stream_descriptors_for_video(-1, []),
    ):
        with pytest.raises(OverflowError):
            bad()
    assert m.pending_packets() == 0


def kind_of(call: Any) -> MuxErrorKind:
    with pytest.raises(MuxError) as e:
        call()
    return e.value.kind  # type: ignore[no-any-return]


def test_refused_pushes() -> None:
    m = muxer(full(), buffer_packets=100)
    h = m.video_handles()
    assert kind_of(lambda: m.push_video(NAL, P)) is MuxErrorKind.INVALID_USAGE
    assert kind_of(lambda: m.push_subtitle(b"", P)) is MuxErrorKind.INVALID_USAGE
    assert (
        kind_of(lambda: m.push_video_to(VideoStreamHandle.from_raw(9), NAL, P)) is MuxErrorKind.INVALID_USAGE
    )
    assert kind_of(lambda: AudioStreamHandle.from_raw(256)) is MuxErrorKind.INVALID_USAGE
    assert kind_of(lambda: m.video_handles_for_program(7)) is MuxErrorKind.INVALID_USAGE
    assert kind_of(lambda: m.push_video_to(h[0], b"no", P)) is MuxErrorKind.INVALID_NAL
    assert kind_of(lambda: m.push_video_to(h[2], b"\x32\x05", P)) is MuxErrorKind.INVALID_AV1_OBU
    assert kind_of(lambda: m.push_klv_to(m.klv_handles()[0], bytes(65523), P)) is MuxErrorKind.KLV_TOO_LARGE
    assert kind_of(lambda: m.push_data(bytes(65528), P)) is MuxErrorKind.INPUT_MALFORMED
    assert kind_of(lambda: m.push_video_to(h[0], NAL + bytes(20000), P)) is MuxErrorKind.BACKPRESSURE
    nano = codec.MispTimestamp.nanos(1, 0)
    assert kind_of(lambda: m.push_video_misp_to(h[0], NAL, P, misp=nano)) is MuxErrorKind.MISP_TIME
    assert m.pending_packets() == 0
    m.push_video_to(h[0], NAL, P)
    assert m.pending_packets() == 4


def test_misp_time() -> None:
    m = muxer()
    stamp = codec.MispTimestamp.micros(1_700_000_000_000_000, 0x1F)
    m.push_video_misp_to(m.video_handles()[0], NAL, P, misp=stamp)
    d = Demuxer()
    d.feed(pull(m))
    d.flush()
    (v,) = [e for e in d if isinstance(e, DemuxEvent.Video)]
    assert codec.extract_misp_timestamp(v.raw, VideoCodec.H264) == stamp


def test_configuration_is_readable() -> None:
    b = program().add_audio_with_language(0x102, AudioCodec.AAC, language=bytearray(b"eng"))
    b.program_descriptors([b"\x05\x04ABCD"]).stream_descriptors_for_audio(0, [b"\x0a\x00"])
    first, second = b.build(), b.build()
    assert first != second
    assert isinstance(first, MuxerProgramConfig)
    assert first.streams == (
        mpegts.VideoStreamSpec(0x101, VideoCodec.H264),
        mpegts.AudioStreamSpec(0x102, AudioCodec.AAC, b"eng"),
    )
    assert (first.pcr_pid, first.program_descriptors) == (None, (b"\x05\x04ABCD",))
    assert first.stream_descriptors == ((), (b"\x0a\x00",))
    c = MuxerConfigBuilder().add_program(first).build()
    assert (c.pcr_interval_ms, c.psi_interval_ms, c.buffer_packets) == (40, 100, 10_000)
    assert c.av1_carriage is mpegts.Av1CarriageMode.MPEG2_TS_BINDING
    with pytest.raises(AttributeError):
        c.pcr_interval_ms = 3  # type: ignore[misc]
    assert kind_of(MuxerConfigBuilder().build) is MuxErrorKind.CONFIG_INVALID
    assert kind_of(lambda: muxer(program().pcr_pid(0))) is MuxErrorKind.CONFIG_INVALID
    assert kind_of(lambda: program().stream_descriptors_for_video(1, [])) is MuxErrorKind.INVALID_USAGE
    with pytest.raises(ValueError, match="3 bytes"):
        program().add_audio_with_language(0x102, AudioCodec.AAC, language=b"en")
    with pytest.raises(ValueError, match="stream_type"):
        program().add_data(0x102, 256, carries_pts=True)
    with pytest.raises(AttributeError):
        program().add_video(0x102, "h264")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        program().add_subtitle(0x102, SubtitleCodec.DVB_TELETEXT)  # type: ignore[arg-type]


def test_from_program_map() -> None:
    streams = (
        StreamInfo(0x101, 0x1B, StreamKindTag.VIDEO, VideoCodec.H264, 1),
        StreamInfo(0x102, 0x15, StreamKindTag.KLV_SYNC, None, 1, (RawDescriptor(5, b"KLVA"),)),
        StreamInfo(0x103, 6, StreamKindTag.SUBTITLE, SubtitleCodec.DVB_TELETEXT, 1),
        StreamInfo(0x104, 0xF0, StreamKindTag.UNKNOWN, None, 1),
    )
    pm = ProgramMap(1, 0x101, 0x100, streams, ())
    assert kind_of(lambda: MuxerConfig.from_program_map(pm)) is MuxErrorKind.CONFIG_INVALID
    p = MuxerConfig.from_program_map(pm, drop=[StreamKindTag.SUBTITLE]).programs[0]
    assert [s.pid for s in p.streams] == [0x101, 0x102, 0x104]
    assert (p.pcr_pid, p.stream_descriptors) == (0x101, ((), (b"\x05\x04KLVA",), ()))
    for bad in (["x"], "SUBTITLE"):
        with pytest.raises(ValueError, match="StreamKindTag"):
            MuxerConfig.from_program_map(pm, drop=bad)  # type: ignore[arg-type]


def test_handles_and_stats() -> None:
    m = muxer(full())
    h = m.video_handles()[1]
    assert (h.raw, h.unpack(), repr(h)) == (1, (0, 1), "VideoStreamHandle(raw=1)")
    assert h == VideoStreamHandle.from_raw(1)
    assert hash(h) == hash(VideoStreamHandle.from_raw(1))
    assert h != AudioStreamHandle.from_raw(1)
    assert m.video_stream_handle(3) is None
    assert m.stream_codec_stats(0x101) is None
    m.push_video_to(m.video_handles()[0], NAL, P, True)
    assert m.stream_codec_stats(0x101) == mpegts.VideoStreamCodecStats(1, 1)
    n = len(pull(m))
    assert repr(m.stats()) == (
        f"MuxerStats(ts_packets_emitted={n // 188}, ts_bytes_emitted={n}, programs_configured=1, "
        "subtitle_streams_configured=0)"
    )
    m.reset_stats()
    assert m.stats().ts_packets_emitted == 0


def klv_muxer() -> Muxer:
    return muxer(program().add_klv(0x120, SYNC, carries_pts=True))


def feed(m: Any, n: int = 300) -> None:
    """Many small KLV packets between pictures: the way that gathers."""
    for i in range(n):
        if i % 50 == 0:
            m.push_video(NAL, pts=Pts90khz(90000 + 300 * i), key_frame=True)
        m.push_klv(b"%d" % i, pts=Pts90khz(90000 + 300 * i))


def test_files_hold_what_is_pulled(tmp_path: Path) -> None:
    reference = klv_muxer()
    feed(reference)
    want = pull(reference)
    plain, atomic = tmp_path / "a.ts", tmp_path / "b.ts"
    with klv_muxer().write_file(plain) as proxy:
        feed(proxy)
    with klv_muxer().write_file(str(atomic), atomic=True) as proxy:
        feed(proxy)
        assert not atomic.exists()
    assert plain.read_bytes() == atomic.read_bytes() == want
    sink = io.BytesIO()
    feed(MuxerDrainProxy(klv_muxer(), sink))
    assert sink.getvalue() == want


def test_pushes_past_the_proxy_keep_their_order(tmp_path: Path) -> None:
    reference, m = klv_muxer(), klv_muxer()
    with m.write_file(tmp_path / "x.ts") as proxy:
        for i in range(40):
            at = Pts90khz(90000 + 3000 * i)
            for k in range(i % 5):
                reference.push_klv(b"k%d" % k, pts=at)
                proxy.push_klv(b"k%d" % k, pts=at)
            target = m if i % 2 else proxy
            reference.push_video(NAL, pts=at)
            target.push_video(NAL, pts=at)
        assert m.stream_codec_stats(0x120) == reference.stream_codec_stats(0x120)
        assert proxy.pending_packets() == m.pending_packets()
        with pytest.raises(AttributeError):
            proxy.nothing  # noqa: B018
    assert (tmp_path / "x.ts").read_bytes() == pull(reference)
    with pytest.raises(ValueError, match="closed"):
        proxy.push_klv(b"", pts=P)
    with pytest.raises(ValueError, match="closed"):
        proxy.push_video(NAL, pts=P)
    m.push_video(NAL, pts=P)
    assert m.pending_packets() > 0
    with m.write_file(tmp_path / "y.ts"):
        pass
    assert len((tmp_path / "y.ts").read_bytes()) >= 188


def test_exceptions_in_the_block(tmp_path: Path) -> None:
    with pytest.raises(KeyError), klv_muxer().write_file(tmp_path / "a.ts") as proxy:
        feed(proxy, 10)
        raise KeyError
    assert len([e for e in parse_file(tmp_path / "a.ts") if isinstance(e, DemuxEvent.Klv)]) == 10
    (tmp_path / "b.ts").write_bytes(b"old")
    with pytest.raises(KeyError), klv_muxer().write_file(tmp_path / "b.ts", atomic=True) as proxy:
        feed(proxy, 10)
        raise KeyError
    assert (tmp_path / "b.ts").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ts", "b.ts"]
    sink = klv_muxer().write_file(tmp_path / "none" / "x.ts")
    with pytest.raises(FileNotFoundError):
        sink.__enter__()
    with pytest.raises(IsADirectoryError):
        klv_muxer().write_file(tmp_path).__enter__()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_disk() -> None:
    with pytest.raises(OSError, match="No space left") as e, muxer().write_file("/dev/full") as proxy:
        for i in range(100):
            proxy.push_video(NAL + bytes(100_000), pts=Pts90khz(3000 * i))
    assert (e.value.errno, e.value.filename) == (28, "/dev/full")
    with pytest.raises(OSError, match="No space left"), muxer().write_file("/dev/full") as proxy:
        proxy.push_video(NAL, pts=P)  # small: the end of the block tells


def test_broken_pipe_and_vanished_directory(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # The reader goes away as soon as the writer is there.
    reader = threading.Thread(target=lambda: os.close(os.open(fifo, os.O_RDONLY)))
    reader.start()
    with pytest.raises(BrokenPipeError), muxer().write_file(fifo) as proxy:
        reader.join()
        for i in range(100):
            proxy.push_video(NAL + bytes(100_000), pts=Pts90khz(3000 * i))
    gone = tmp_path / "gone"
    gone.mkdir()
    with pytest.raises(FileNotFoundError), muxer().write_file(gone / "x.ts", atomic=True) as proxy:
        proxy.push_video(NAL, pts=P)
        for p in gone.iterdir():
            p.unlink()
        gone.rmdir()


def test_two_threads_do_not_mix() -> None:
    m = muxer(buffer_packets=1 << 20)
    losses = []

    def work() -> None:
        for i in range(300):
            try:
                m.push_video(NAL + bytes(50_000), pts=Pts90khz(i))
            except RuntimeError as e:
                losses.append(str(e))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(losses) <= {"Already borrowed"}
    stats = m.stream_codec_stats(0x101)
    assert isinstance(stats, mpegts.VideoStreamCodecStats)
    assert stats.nals_or_obus + len(losses) == 1200


@pytest.mark.parametrize(("name", "kind"), [("h264", VideoCodec.H264), ("hevc", VideoCodec.H265)])
def test_players_decode_it(tmp_path: Path, name: str, kind: VideoCodec) -> None:
    units = media.encode(name, 60, extra="-bf 2")
    m = muxer(
        MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, kind).add_klv(0x120, SYNC, carries_pts=True)
    )
    path = tmp_path / "x.ts"
    h = m.video_handles()[0]
    shift = 90000
    with m.write_file(path) as proxy:
        for u in units:
            pts, dts = Pts90khz(shift + u.pts * 9 // 100_000), Pts90khz(shift + u.dts * 9 // 100_000)
            proxy.push_video_to_with_dts(h, u.data, pts=pts, dts=dts, key_frame=u.key)
            proxy.push_klv(b"\x06\x0e\x2b\x34" + bytes(13), pts=pts)
    assert len(media.decode(path)) == 60
    got = [p for p in media.packets(path) if p["codec_type"] == "video"]
    assert [int(p["pts"]) for p in got] == [shift + u.pts * 9 // 100_000 for u in units]
    assert [int(p["dts"]) for p in got] == [shift + u.dts * 9 // 100_000 for u in units]
    media.need("gst-launch-1.0")
    parse = {"h264": "h264parse", "hevc": "h265parse"}[name]
    args = ["gst-launch-1.0", "-v", "filesrc", f"location={path}", "!", "tsdemux", "!", parse, "!"]
    args += ["fakesink", "silent=false", "sync=false"]
    out = subprocess.run(args, capture_output=True, text=True, timeout=60, check=True).stdout
    assert out.count("chain   ") >= 60
