"""tstrans.mpegts: timestamps, enumerations, stream descriptions, configurations."""

from __future__ import annotations

import copy
import dataclasses
import enum
import inspect
import math
import pickle
from typing import Any

import pytest
from tstrans import mpegts
from tstrans.mpegts import (
    AudioCodec,
    AudioStreamSpec,
    Av1CarriageMode,
    Cea708StandaloneConfig,
    CellFragmentIndication,
    DataStreamSpec,
    DemuxerConfig,
    DvbSubtitlingConfig,
    DvbTeletextConfig,
    KlvLink,
    KlvStreamSpec,
    KlvStreamType,
    LinkSource,
    MultiCellAuReason,
    ProgramMap,
    Pts90khz,
    RawDescriptor,
    StreamId,
    StreamInfo,
    StreamKindTag,
    StreamSpec,
    StrictMode,
    SubtitleCodec,
    SubtitleStreamSpec,
    VideoCodec,
    VideoStreamSpec,
    WebVttInTsConfig,
)

SID = StreamId(0x101, StreamKindTag.VIDEO, VideoCodec.H264, 1)


class TestPts:
    def test_construction(self) -> None:
        assert Pts90khz(5) == Pts90khz(raw=5)
        assert hash(Pts90khz(5)) == hash(Pts90khz(5))
        assert Pts90khz(5) != Pts90khz(6)
        assert Pts90khz(5) != 5
        with pytest.raises(TypeError):
            sorted([Pts90khz(5), Pts90khz(6)])  # type: ignore[type-var]

    def test_window(self) -> None:
        assert Pts90khz(-(1 << 63)).raw == -(1 << 63)
        assert Pts90khz((1 << 63) - 1).raw == (1 << 63) - 1
        for outside in (1 << 63, -(1 << 63) - 1):
            with pytest.raises(ValueError, match=str(outside)):
                Pts90khz(outside)

    def test_no_coercion(self) -> None:
        odd: Any = 1.5
        assert Pts90khz(odd).raw == 1.5
        with pytest.raises(TypeError):
            Pts90khz("x")  # type: ignore[arg-type]

    @pytest.mark.parametrize(("given", "raw"), [("5", 5), (1.9, 1), (7, 7)])
    def test_from_raw(self, given: Any, raw: int) -> None:
        assert Pts90khz.from_raw(given).raw == raw

    def test_from_ms_and_seconds(self) -> None:
        assert Pts90khz.from_ms(40).raw == 3600
        assert Pts90khz.from_seconds(0.1).raw == 9000
        assert Pts90khz.from_seconds(1e-5).raw == 0
        assert Pts90khz.from_seconds(-1.99999999).raw == -179999
        with pytest.raises(ValueError):
            Pts90khz.from_seconds(math.nan)

    @pytest.mark.parametrize(
        ("raw", "ms"),
        [(0, 0), (89, 0), (90, 1), (-1, 0), (-90, -1), (-91, -1), ((1 << 62) + 89, (1 << 62) // 90 + 1)],
    )
    def test_ms(self, raw: int, ms: int) -> None:
        assert Pts90khz(raw).ms == ms

    def test_seconds_and_repr(self) -> None:
        assert Pts90khz(135000).seconds == 1.5
        assert repr(Pts90khz(135000)) == "Pts90khz(raw=135000, ms=1500)"


LOWER_CASE = [
    "VideoCodec",
    "AudioCodec",
    "SubtitleCodec",
    "KlvStreamType",
    "Av1CarriageMode",
    "StreamKindTag",
    "MetadataKindTag",
    "DiscontinuityKindTag",
    "NonConformantKind",
    "StrictMode",
    "LinkSource",
]


@pytest.mark.parametrize("name", LOWER_CASE)
def test_enum_values(name: str) -> None:
    cls = getattr(mpegts, name)
    assert issubclass(cls, enum.Enum)
    assert not issubclass(cls, (int, str))
    for member in cls:
        wanted = "malformed_au_cell_cfi_tolerated" if member.name == "CFI_TOLERATED" else member.name.lower()
        assert member.value == wanted
        assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (MultiCellAuReason, "ORPHAN SEQUENCE_GAP CONCURRENT_FIRST OVERFLOW OVERFLOW_TOTAL TOO_MANY_PIDS"),
        (CellFragmentIndication, "MIDDLE LAST FIRST COMPLETE"),
    ],
)
def test_wire_codes(cls: Any, names: str) -> None:
    for code, name in enumerate(names.split()):
        member = getattr(cls, name)
        assert isinstance(member, cls)
        assert not isinstance(member, enum.Enum)
        assert int(member) == code
        assert member == code
        assert member != code + 1
        assert repr(member) == f"{cls.__name__}.{name}"
        assert copy.deepcopy(member) is member
        assert pickle.loads(pickle.dumps(member)) is member
        with pytest.raises(TypeError):
            hash(member)
        with pytest.raises(AttributeError):
            member.anything = 1
    assert MultiCellAuReason.ORPHAN != CellFragmentIndication.MIDDLE


def test_wire_codes_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        MultiCellAuReason()


VALUES: list[tuple[Any, tuple[str, ...], str]] = [
    (Pts90khz(1), ("raw",), "Pts90khz(raw=1, ms=0)"),
    (
        SID,
        ("pid", "kind", "codec", "program_number"),
        "StreamId(pid=257, kind=<StreamKindTag.VIDEO: 'video'>, codec=<VideoCodec.H264: 'h264'>, "
        "program_number=1)",
    ),
    (RawDescriptor(5, b"KLVA"), ("tag", "data"), "RawDescriptor(tag=5, data=b'KLVA')"),
    (
        StreamInfo(1, 2, StreamKindTag.UNKNOWN, None, 3),
        ("pid", "stream_type", "kind", "codec", "program_number", "raw_descriptors"),
        "StreamInfo(pid=1, stream_type=2, kind=<StreamKindTag.UNKNOWN: 'unknown'>, codec=None, "
        "program_number=3, raw_descriptors=())",
    ),
    (
        KlvLink(1, 2, LinkSource.DECLARED),
        ("klv_pid", "video_pid", "source"),
        "KlvLink(klv_pid=1, video_pid=2, source=<LinkSource.DECLARED: 'declared'>)",
    ),
    (
        ProgramMap(1, 2, 3, (), ()),
        ("program_number", "pcr_pid", "pmt_pid", "streams", "klv_links"),
        "ProgramMap(program_number=1, pcr_pid=2, pmt_pid=3, streams=(), klv_links=())",
    ),
    (StreamSpec(1), ("pid",), "StreamSpec(pid=1)"),
    (
        VideoStreamSpec(1, VideoCodec.AV1),
        ("pid", "codec"),
        "VideoStreamSpec(pid=1, codec=<VideoCodec.AV1: 'av1'>)",
    ),
    (
        KlvStreamSpec(1, KlvStreamType.PRIVATE_DATA, True),
        ("pid", "stream_type", "carries_pts"),
        "KlvStreamSpec(pid=1, stream_type=<KlvStreamType.PRIVATE_DATA: 'private_data'>, carries_pts=True)",
    ),
    (
        AudioStreamSpec(1, AudioCodec.AAC),
        ("pid", "codec", "language"),
        "AudioStreamSpec(pid=1, codec=<AudioCodec.AAC: 'aac'>, language=None)",
    ),
    (
        SubtitleStreamSpec(1, SubtitleCodec.WEBVTT_IN_TS),
        ("pid", "codec"),
        "SubtitleStreamSpec(pid=1, codec=<SubtitleCodec.WEBVTT_IN_TS: 'webvtt_in_ts'>)",
    ),
    (
        DataStreamSpec(1, 6, False),
        ("pid", "stream_type", "carries_pts"),
        "DataStreamSpec(pid=1, stream_type=6, carries_pts=False)",
    ),
    (
        DvbSubtitlingConfig(b"eng", 16, 1, 2),
        ("language", "subtitling_type", "composition_page_id", "ancillary_page_id"),
        "DvbSubtitlingConfig(language=b'eng', subtitling_type=16, composition_page_id=1, "
        "ancillary_page_id=2)",
    ),
    (
        DvbTeletextConfig(b"eng", 2, 1, 0x99),
        ("language", "teletext_type", "magazine_number", "page_number"),
        "DvbTeletextConfig(language=b'eng', teletext_type=2, magazine_number=1, page_number=153)",
    ),
    (Cea708StandaloneConfig(), (), "Cea708StandaloneConfig()"),
    (WebVttInTsConfig(), (), "WebVttInTsConfig()"),
]


@pytest.mark.parametrize(("value", "fields", "text"), VALUES, ids=lambda v: type(v).__name__)
def test_value_semantics(value: Any, fields: tuple[str, ...], text: str) -> None:
    cls = type(value)
    assert cls.__match_args__ == fields
    assert tuple(inspect.signature(cls).parameters) == fields
    assert cls.__module__ == "tstrans.mpegts"
    assert repr(value) == text
    given = {n: getattr(value, n) for n in fields}
    again = cls(**given)
    assert again == value
    assert hash(again) == hash(value)
    assert not hasattr(value, "__dict__")
    for other in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert other == value
        assert type(other) is cls
    assert dataclasses.is_dataclass(value)
    assert tuple(f.name for f in dataclasses.fields(cls)) == fields
    assert dataclasses.replace(value) == value
    for name in (*fields, "nothing"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(value, name, 1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, name)


def test_values_of_other_classes_differ() -> None:
    assert VideoStreamSpec(1, VideoCodec.H264) != SubtitleStreamSpec(1, SubtitleCodec.WEBVTT_IN_TS)
    assert Cea708StandaloneConfig() != WebVttInTsConfig()
    assert isinstance(AudioStreamSpec(1, AudioCodec.AAC), StreamSpec)
    assert dataclasses.asdict(KlvLink(1, 2, LinkSource.DECLARED)) == {
        "klv_pid": 1,
        "video_pid": 2,
        "source": LinkSource.DECLARED,
    }


def test_pattern_by_position() -> None:
    match KlvLink(1, 2, LinkSource.INFERRED):
        case KlvLink(1, video, LinkSource.INFERRED):
            assert video == 2
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("eng", 1, 2, 3), ValueError),
        ((bytearray(b"eng"), 1, 2, 3), ValueError),
        ((b"engl", 1, 2, 3), ValueError),
        ((b"eng", True, 2, 3), TypeError),
        ((b"eng", 1.0, 2, 3), TypeError),
        ((b"eng", 256, 2, 3), ValueError),
        ((b"eng", 1, 65536, 3), ValueError),
        ((b"eng", 1, 2, -1), ValueError),
    ],
)
def test_dvb_subtitling_rules(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        DvbSubtitlingConfig(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("eng", 1, 2, 3), ValueError),
        ((b"eng", 32, 2, 3), ValueError),
        ((b"eng", 1, 8, 3), ValueError),
        ((b"eng", 1, 2, 0x9A), ValueError),
        ((b"eng", 1, 2, 0x1A), ValueError),
        ((b"eng", False, 2, 3), TypeError),
    ],
)
def test_dvb_teletext_rules(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        DvbTeletextConfig(*arguments)


def test_unions() -> None:
    assert VideoCodec in mpegts.Codec.__args__
    assert isinstance(None, mpegts.Codec)
    assert isinstance(WebVttInTsConfig(), mpegts.SubtitleCodecConfig)
    assert not isinstance(SID, mpegts.SubtitleCodecConfig)


class TestDemuxerConfig:
    def test_defaults(self) -> None:
        c = DemuxerConfig()
        assert (c.strict_mode, c.pes_cap_per_pid, c.pes_cap_total) == (StrictMode.OFF, 4194304, 67108864)
        assert (c.cfi_tolerance, c.av1_carriage, c.au_cell_cap_per_pid) == (True, None, None)
        assert (c.lenient_psi_reassembly, c.sync_buf_cap, c.unwrap_timestamps) == (False, 4194304, False)
        assert c == DemuxerConfig()
        assert hash(c) == hash(DemuxerConfig())
        assert pickle.loads(pickle.dumps(c)) == c
        assert (
            DemuxerConfig(StrictMode.FULL, 1, 2, False, Av1CarriageMode.INTEROP_RAW_OBU, 3, True, 4, True)
            != c
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"strict_mode": 1},
            {"strict_mode": "off"},
            {"pes_cap_per_pid": True},
            {"pes_cap_total": 1.5},
            {"au_cell_cap_per_pid": "1"},
            {"sync_buf_cap": None},
            {"cfi_tolerance": 0},
            {"lenient_psi_reassembly": 1},
            {"unwrap_timestamps": None},
            {"av1_carriage": "mpeg2_ts_binding"},
            {"hold_before_pmt_bytes": True},
            {"nonsense": 1},
        ],
        ids=str,
    )
    def test_wrong_types(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(TypeError):
            DemuxerConfig(**wrong)

    @pytest.mark.parametrize(
        "name", ["pes_cap_per_pid", "pes_cap_total", "au_cell_cap_per_pid", "sync_buf_cap"]
    )
    @pytest.mark.parametrize("value", [0, -1])
    def test_caps_are_positive(self, name: str, value: int) -> None:
        with pytest.raises(ValueError, match=name):
            DemuxerConfig(**{name: value})  # type: ignore[arg-type]

    def test_holding(self) -> None:
        assert DemuxerConfig(hold_before_pmt_bytes=0).hold_before_pmt_bytes == 0
        with pytest.raises(ValueError):
            DemuxerConfig(hold_before_pmt_bytes=-1)

    def test_no_upper_bound_here(self) -> None:
        assert DemuxerConfig(pes_cap_per_pid=1 << 70).pes_cap_per_pid == 1 << 70
