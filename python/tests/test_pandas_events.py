"""Frames of events: the facts, and that events of the library and events a program made come out alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tstrans import io
from tstrans.mpegts import (
    AudioCodec,
    DemuxEvent,
    MetadataKindTag,
    NonConformantKind,
    Pts90khz,
    StreamId,
    StreamKindTag,
    SubtitleCodec,
    VideoCodec,
)
from tstrans.mpegts import DiscontinuityKindTag as Lost
from tstrans.pandas import events_to_dataframe

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "testdata" / "ts"

COLUMNS = [
    *("kind", "pts_raw", "pts_ms", "dts_ms", "pid", "stream_type", "codec", "payload_len", "nal_count"),
    *("random_access", "has_codec_parse_error", "issue", "issue_kind"),
]

VIDEO = StreamId(0x101, StreamKindTag.VIDEO, VideoCodec.H264, 1)
AUDIO = StreamId(0x103, StreamKindTag.AUDIO, AudioCodec.AAC, 1)
SUBTITLE = StreamId(0x104, StreamKindTag.SUBTITLE, SubtitleCodec.DVB_SUBTITLING, 1)
KLV = StreamId(0x102, StreamKindTag.KLV_SYNC, None, 1)
OTHER = StreamId(0x105, StreamKindTag.UNKNOWN, None, 1)
T = Pts90khz(-91)

UNITS = b"\0\0\0\1\x09\x10" + b"\0\0\0\1\x65\x88\x84"

MADE: list[Any] = [
    DemuxEvent.ProgramMap(()),
    DemuxEvent.Video(
        stream=VIDEO, pts=T, dts=Pts90khz(900), codec=VideoCodec.H264, raw=UNITS, random_access_indicator=True
    ),
    DemuxEvent.Audio(stream=AUDIO, pts=T, dts=None, codec=AudioCodec.AAC, raw=b"12345"),
    DemuxEvent.Subtitle(SUBTITLE, T, None, SubtitleCodec.DVB_SUBTITLING, b""),
    DemuxEvent.Klv(KLV, T, MetadataKindTag.KLV_SYNC_AU_CELL, b"123"),
    DemuxEvent.UnknownSample(OTHER, T, None, 240, b"1234"),
    DemuxEvent.Discontinuity(VIDEO, Lost.CONTINUITY_JUMP),
    DemuxEvent.NonConformant(VIDEO, "odd", NonConformantKind.PTS_ANOMALY),
    DemuxEvent.ReconnectDiscontinuity(),
    b"no event",
    type("_Own", (), {})(),
]

N = None
ROWS = [
    ("ProgramMap", N, N, N, N, N, N, N, N, N, N, N, N),
    ("Sample", -91, -1, 10, 0x101, "VIDEO", "H264", 13, 2, True, N, N, N),
    ("Sample", -91, -1, N, 0x103, "AUDIO", "AAC", 5, N, N, N, N, N),
    ("Sample", -91, -1, N, 0x104, "SUBTITLE", "DVB_SUBTITLING", 0, N, N, N, N, N),
    ("Metadata", -91, -1, N, 0x102, "KLV_SYNC", N, 3, N, N, N, N, N),
    ("unknown_sample", -91, -1, N, 0x105, 240, N, 4, N, N, N, N, N),
    ("Discontinuity", N, N, N, 0x101, "VIDEO", "H264", N, N, N, N, N, N),
    ("NonConformant", N, N, N, 0x101, "VIDEO", "H264", N, N, N, N, "odd", "PTS_ANOMALY"),
    ("ReconnectDiscontinuity", N, N, N, N, N, N, N, N, N, N, N, N),
    ("bytes", N, N, N, N, N, N, N, N, N, N, N, N),
    ("Own", N, N, N, N, N, N, N, N, N, N, N, N),
]


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    columns = ([None if v != v else v for v in frame[c]] for c in frame)
    return list(zip(*columns, strict=True))


def test_made_events() -> None:
    got = events_to_dataframe(e for e in MADE)
    assert list(got.columns) == COLUMNS
    assert isinstance(got.index, pd.RangeIndex)
    assert rows(got) == ROWS
    assert {
        c: got[c].dtype.kind for c in ("pts_raw", "pts_ms", "dts_ms", "pid", "payload_len", "nal_count")
    } == (dict.fromkeys(("pts_raw", "pts_ms", "dts_ms", "pid", "payload_len", "nal_count"), "f"))
    assert all(got[c].dtype == object for c in ("stream_type", "random_access", "has_codec_parse_error"))


def test_empty_keeps_the_columns() -> None:
    got = events_to_dataframe([])
    assert list(got.columns) == COLUMNS
    assert len(got) == 0
    assert set(got.dtypes.astype(str)) == {"object"}


def files() -> list[Path]:
    names = ("kitware-h264_klv.ts", "tsduck-test-143.ts", "tsduck-test-012.ts", "androidx-sample_scte35.ts")
    own = [ROOT / "testdata" / n for n in ("demo.ts", "gst_klv.ts", "gst_mixed.ts", "two_programs.ts")]
    return own + [SHARED / n for n in names if (SHARED / n).exists()]


def rebuilt(e: Any) -> Any:
    """The same event as a program would make it."""
    values = {n: getattr(e, n) for n in e.__match_args__}
    return type(e)(**values)


@pytest.mark.parametrize("path", files(), ids=lambda p: p.name)
def test_events_of_the_library_and_made_events_agree(path: Path) -> None:
    events = list(io.parse_file(path))
    want = events_to_dataframe([rebuilt(e) for e in events])
    assert len(want) == len(events) > 0
    pd.testing.assert_frame_equal(events_to_dataframe(io.parse_file(path)), want)
    pd.testing.assert_frame_equal(events_to_dataframe(events), want)
    # Fetched payloads, another order, and some that a program made in between.
    assert all(e.byte_len == len(e.payload) for e in events if hasattr(e, "byte_len"))
    backward = events[::-1]
    pd.testing.assert_frame_equal(events_to_dataframe(backward), want[::-1].reset_index(drop=True))
    mixed = [rebuilt(e) if i % 7 == 3 else e for i, e in enumerate(events)]
    pd.testing.assert_frame_equal(events_to_dataframe(mixed), want)


def test_events_of_two_files_interleaved() -> None:
    a, b = (list(io.parse_file(ROOT / "testdata" / n)) for n in ("demo.ts", "gst_klv.ts"))
    n = min(len(a), len(b))
    both = [e for pair in zip(a[:n], b[:n], strict=True) for e in pair]
    want = rows(events_to_dataframe([rebuilt(e) for e in both]))
    assert rows(events_to_dataframe(both)) == want


def test_payloads_stay_out() -> None:
    got = events_to_dataframe(io.parse_file(ROOT / "testdata" / "demo.ts"))
    assert not any(isinstance(v, (bytes, bytearray, memoryview)) for c in got for v in got[c])


def test_errors_of_the_source_pass() -> None:
    def broken() -> Iterator[Any]:
        yield MADE[0]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        events_to_dataframe(broken())
