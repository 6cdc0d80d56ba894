"""tstrans.pipeline: configuration, and pairs through the whole stack. The policy has its tests in Go."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from datetime import timedelta
from typing import Any

import pytest
from tsbuild import AUDIO, KLV, VIDEO, Writer, klv
from tstrans.exceptions import DemuxError
from tstrans.mpegts import (
    DemuxerConfig,
    DemuxEvent,
    MetadataKindTag,
    Pts90khz,
    StreamId,
    StreamKindTag,
    VideoCodec,
)
from tstrans.pipeline import (
    KlvSample,
    Pairer,
    PairerConfig,
    PairerMode,
    PairerOutput,
    PairingDemuxerConfig,
    VideoSample,
)

MS = 90


def ms(n: float) -> timedelta:
    return timedelta(milliseconds=n)


def config(mode: Any = PairerMode.Realtime, tolerance: float = 300, **more: int) -> PairingDemuxerConfig:
    return PairingDemuxerConfig(PairerConfig(mode, ms(tolerance), **more))


class TestConfig:
    def test_modes(self) -> None:
        assert repr(PairerMode.Realtime) == "_RealtimeMode()"
        assert isinstance(PairerMode.Realtime, PairerMode)
        waiting = PairerMode.Buffered(ms(5))
        assert waiting == PairerMode.Buffered(max_lag=ms(5))
        assert repr(waiting) == "_BufferedMode(max_lag=datetime.timedelta(microseconds=5000))"
        assert pickle.loads(pickle.dumps(waiting)) == waiting
        assert pickle.loads(pickle.dumps(PairerMode.Realtime)) == PairerMode.Realtime
        assert PairerMode.Buffered.__match_args__ == ("max_lag",)
        with pytest.raises(TypeError):
            PairerMode.Buffered(5)  # type: ignore[arg-type]
        with pytest.raises(ValueError):
            PairerMode.Buffered(ms(-1))
        with pytest.raises(dataclasses.FrozenInstanceError):
            waiting.max_lag = ms(1)

    def test_defaults(self) -> None:
        c = PairerConfig()
        assert (c.mode, c.tolerance, c.max_buffered_klv, c.max_buffered_video) == (
            PairerMode.Realtime,
            ms(300),
            32,
            32,
        )
        assert c.link_klv_to_video is True
        whole = PairingDemuxerConfig()
        assert (whole.pairer, whole.demuxer) == (c, None)
        for value in (c, whole, PairerMode.Realtime):
            assert dataclasses.is_dataclass(value)
            assert hash(copy.copy(value)) == hash(value)
        assert dataclasses.replace(c, max_buffered_klv=5).max_buffered_klv == 5

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"mode": 1}, TypeError),
            ({"mode": PairerMode.Buffered}, TypeError),
            ({"tolerance": 0.3}, TypeError),
            ({"max_buffered_klv": True}, TypeError),
            ({"max_buffered_klv": 1.0}, TypeError),
            ({"max_buffered_video": "1"}, TypeError),
            ({"max_buffered_klv": 0}, ValueError),
            ({"mode": PairerMode.Buffered(ms(1)), "max_buffered_video": 0}, ValueError),
        ],
        ids=str,
    )
    def test_rules(self, wrong: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            PairerConfig(**wrong)

    def test_rules_that_wait(self) -> None:
        PairerConfig(max_buffered_video=0)
        negative = PairerConfig(tolerance=ms(-1))
        with pytest.raises(ValueError):
            Pairer(1, 2, PairingDemuxerConfig(negative))

    def test_pairer_arguments(self) -> None:
        Pairer(video_pid=5, klv_pid=5, config=None)
        for pids in ((70000, 1), (1, -1)):
            with pytest.raises(OverflowError):
                Pairer(*pids)
        with pytest.raises(TypeError):
            Pairer(1)  # type: ignore[call-arg]
        with pytest.raises(AttributeError):
            Pairer(1, 2, PairerConfig())  # type: ignore[arg-type]
        with pytest.raises(OverflowError):
            Pairer(1, 2, PairingDemuxerConfig(demuxer=DemuxerConfig(pes_cap_total=1 << 70)))


SID = StreamId(VIDEO, StreamKindTag.VIDEO, VideoCodec.H264, 1)


def test_samples() -> None:
    common: dict[str, Any] = {"stream": SID, "pts": Pts90khz(1), "dts": None, "codec": VideoCodec.H264}
    video = VideoSample(**common, raw=b"ab", random_access_indicator=True)
    assert repr(video).startswith("VideoSample(stream=StreamId(pid=257, ")
    assert video == VideoSample(**common, raw=b"ab", random_access_indicator=True, av1_carriage=None)
    assert hash(video) == hash(copy.deepcopy(video))
    assert video.raw is video.payload
    assert VideoSample.__match_args__ == DemuxEvent.Video.__match_args__
    with pytest.raises(TypeError):
        VideoSample(SID)  # type: ignore[misc, call-arg]
    with pytest.raises(AttributeError, match="cannot assign to field 'raw'"):
        video.raw = b""  # type: ignore[misc]
    record = KlvSample(SID, Pts90khz(1), MetadataKindTag.KLV_ASYNC, b"ab")
    assert dataclasses.replace(record, payload=b"c").payload == b"c"
    assert pickle.loads(pickle.dumps(record)) == record
    assert record.byte_len == 2
    for cls in (PairerOutput.Paired, PairerOutput.UnpairedVideo, PairerOutput.UnpairedKlv):
        assert issubclass(cls, PairerOutput)
    assert repr(PairerOutput.UnpairedKlv(record)).startswith("_UnpairedKlv(klv=KlvSample(")
    assert PairerOutput.Paired.__match_args__ == ("video", "klv")
    assert PairerOutput.PassThrough.__match_args__ == ("event",)


def said(outputs: list[PairerOutput]) -> str:
    words = []
    for o in outputs:
        match o:
            case PairerOutput.Paired(video, record):
                words.append(f"v{video.pts.raw}+k{record.pts.raw}")
            case PairerOutput.UnpairedVideo(video):
                words.append(f"v{video.pts.raw}")
            case PairerOutput.UnpairedKlv(record):
                words.append(f"k{record.pts.raw}")
            case PairerOutput.PassThrough(event):
                words.append(type(event).__name__.removeprefix("_").removesuffix("Event"))
    return " ".join(words)


def stream(script: str) -> bytes:
    """ "v0 k10 a5" as a transport stream. Pictures are bounded here, so each completes at once."""
    w = Writer().tables()
    for word in script.split():
        t = int(word[1:])
        if word[0] == "v":
            w.video(t)
        elif word[0] == "k":
            w.klv(t, klv(word.encode()))
        else:
            w.audio(t)
    return w.bytes()


def test_a_picture_is_told_when_the_next_begins() -> None:
    p = Pairer(VIDEO, KLV, config(tolerance=0.4))
    assert said(p.feed(stream("v0 k10 v40 k45 v80"))) == "ProgramMap v0+k10 v40+k45"
    assert said(p.flush()) == "v80+k45"
    assert p.flush() == []
    assert p.stats() == {"paired": 3, "unpaired_video": 0, "unpaired_klv": 0, "pass_through": 1}


def test_what_is_not_ours_passes() -> None:
    p = Pairer(VIDEO, 0x1FF)
    out = p.feed(stream("v0 k10 a5 v40")) + p.flush()
    assert said(out) == "ProgramMap Klv Audio v0 v40"
    passed = [o.event for o in out if isinstance(o, PairerOutput.PassThrough)]
    assert [e.stream.pid for e in passed if isinstance(e, DemuxEvent.Audio)] == [AUDIO]
    assert p.demuxer_stats()["program_maps_seen"] == 1
    p.reset_stats()
    assert set(p.stats().values()) == {0}
    assert p.demuxer_stats()["program_maps_seen"] == 1


def test_buffered_across_feeds() -> None:
    p = Pairer(VIDEO, KLV, config(PairerMode.Buffered(ms(1000)), 1, max_buffered_video=2))
    data = stream("v100 v20000 v40000 v60000 k40050 k200000")
    told = []
    for i in range(0, len(data), 100):
        told += p.feed(data[i : i + 100])
    assert said(told) == "ProgramMap v100 v20000 v40000+k40050"
    assert said(p.flush()) == "v60000 k200000"
    pair = next(o for o in told if isinstance(o, PairerOutput.Paired))
    assert pair.video.raw == b"\0\0\0\1\x65abc"
    assert pair.klv.payload == klv(b"k40050")
    assert pair.klv.kind is MetadataKindTag.KLV_ASYNC


def test_eviction_and_reuse() -> None:
    p = Pairer(VIDEO, KLV, config(tolerance=0.2, max_buffered_klv=2))
    assert said(p.feed(stream("k1 k2 v2 v3 k1000 k2000 k3000")) + p.flush()) == (
        "ProgramMap v2+k2 k1 k1000 v3 k2000 k3000"
    )


@pytest.mark.parametrize(("us", "paired"), [(499, 44), (500, 45), (999, 89), (1000, 90)])
def test_tolerance_is_inclusive_and_exact(us: int, paired: int) -> None:
    c = PairingDemuxerConfig(PairerConfig(tolerance=timedelta(microseconds=us)))
    for distance in (paired, paired + 1):
        p = Pairer(VIDEO, KLV, c)
        out = said(p.feed(stream(f"k1000 v{1000 + distance}")) + p.flush())
        assert ("+" in out) is (distance == paired)


def test_input_and_errors() -> None:
    assert Pairer(VIDEO, KLV).feed(3) == []
    p = Pairer(VIDEO, KLV)
    assert said(p.feed(bytearray(stream("v1")))) == "ProgramMap"
    for wrong in ("x", None):
        with pytest.raises(TypeError):
            p.feed(wrong)
    with pytest.raises(DemuxError):
        Pairer(VIDEO, KLV).feed(6017)


def test_memory_of_held_samples_is_bounded() -> None:
    p = Pairer(VIDEO, KLV, config(max_buffered_klv=4))
    p.feed(Writer().tables().bytes())
    w = Writer()
    for i in range(1000):
        w.klv(i)
    p.feed(w.bytes())
    assert len(p._held) == 4
    p.flush()
    assert not p._held
