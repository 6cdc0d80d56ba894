"""Demuxer: the fed demuxer as Python sees it. What the core finds is tested in Go; here its way to Python."""

from __future__ import annotations

import array
import copy
import gc
import pickle
import random
import weakref
from typing import Any

import pytest
from tsbuild import AUDIO, KLV, PMT, VIDEO, Writer, cell, klv, pat, pmt, small, sync_klv
from tstrans import TstError
from tstrans.exceptions import DemuxError, DemuxErrorKind
from tstrans.mpegts import (
    AudioCodec,
    CellFragmentIndication,
    Demuxer,
    DemuxerConfig,
    DemuxEvent,
    KlvLink,
    LinkSource,
    MetadataKindTag,
    MultiCellAuReason,
    NonConformantKind,
    ProgramMap,
    Pts90khz,
    RawDescriptor,
    StreamId,
    StreamInfo,
    StreamKindTag,
    StrictMode,
    VideoCodec,
)


def demux(data: bytes, config: DemuxerConfig | None = None) -> list[Any]:
    d = Demuxer(config)
    d.feed(data)
    events = list(d)
    d.flush()
    return events + list(d)


def in_order(events: list[Any]) -> list[Any]:
    """Sorted by PID, for what a flush delivers."""
    return sorted(events, key=lambda e: e.stream.pid if hasattr(e, "stream") else 0)


def test_everything_of_a_small_stream() -> None:
    events = demux(small())
    video = StreamId(VIDEO, StreamKindTag.VIDEO, VideoCodec.H264, 1)
    records = StreamId(KLV, StreamKindTag.KLV_ASYNC, None, 1)
    wanted = [
        DemuxEvent.ProgramMap(
            (
                ProgramMap(
                    1,
                    VIDEO,
                    PMT,
                    (
                        StreamInfo(VIDEO, 0x1B, StreamKindTag.VIDEO, VideoCodec.H264, 1),
                        StreamInfo(KLV, 6, StreamKindTag.KLV_ASYNC, None, 1, (RawDescriptor(5, b"KLVA"),)),
                        StreamInfo(AUDIO, 15, StreamKindTag.AUDIO, AudioCodec.AAC, 1),
                    ),
                    (KlvLink(KLV, VIDEO, LinkSource.INFERRED),),
                ),
            )
        )
    ]
    for i in range(3):
        wanted.append(DemuxEvent.Klv(records, Pts90khz(90100 + 3000 * i), MetadataKindTag.KLV_ASYNC, klv()))
        wanted.append(
            DemuxEvent.Video(
                stream=video,
                pts=Pts90khz(90000 + 3000 * i),
                dts=Pts90khz(90000 + 3000 * i - 10),
                codec=VideoCodec.H264,
                raw=b"\0\0\0\1\x65" + bytes([i]) * 300,
                random_access_indicator=i == 0,
            )
        )
    wanted.append(
        DemuxEvent.Audio(
            stream=StreamId(AUDIO, StreamKindTag.AUDIO, AudioCodec.AAC, 1),
            pts=Pts90khz(90000),
            dts=None,
            codec=AudioCodec.AAC,
            raw=b"\xff\xf1" + bytes(30),
        )
    )
    assert in_order(events) == in_order(wanted)
    assert [hash(e) for e in in_order(events)] == [hash(e) for e in in_order(wanted)]
    assert [repr(e) for e in in_order(events)] == [repr(e) for e in in_order(wanted)]
    for event in events:
        for again in (pickle.loads(pickle.dumps(event)), copy.copy(event), copy.deepcopy(event)):
            assert again == event
            assert type(again) is type(event)


def test_payloads_are_kept() -> None:
    big = b"\0\0\0\1\x65" + bytes(random.Random(1).randbytes(100_000))
    events = demux(Writer().tables().video(0, big).klv(0).bytes())
    video = next(e for e in events if isinstance(e, DemuxEvent.Video))
    assert video.byte_len == len(big)
    assert video.raw == big
    assert video.raw is video.raw
    assert video.payload is video.raw
    record = next(e for e in events if isinstance(e, DemuxEvent.Klv))
    assert record.payload is record.payload
    with pytest.raises(AttributeError):
        video.raw = b""  # type: ignore[misc]


def test_a_payload_outlives_everything() -> None:
    big = b"\0\0\0\1\x65" + bytes(50_000)
    d = Demuxer()
    d.feed(Writer().tables().video(0, big).bytes())
    d.flush()
    video = list(d)[-1]
    d.close()
    del d
    gc.collect()
    assert isinstance(video, DemuxEvent.Video)
    assert video.raw == big


def test_interned_streams() -> None:
    events = [e for e in demux(small()) if isinstance(e, DemuxEvent.Video)]
    assert events[0].stream is events[1].stream


def test_bytes_like() -> None:
    data = small()
    double = bytes(b for pair in zip(data, data, strict=True) for b in pair)
    wanted = demux(data)
    for form in (
        bytearray(data),
        memoryview(data),
        memoryview(double)[::2],
        array.array("B", data),
        list(data),
    ):
        d = Demuxer()
        d.feed(form)
        got = list(d)
        d.flush()
        assert got + list(d) == wanted, type(form)
    d = Demuxer()
    d.feed(5)  # five zero bytes
    d.feed(bytes=data)
    for wrong in ("x", None, 1.5):
        with pytest.raises(TypeError):
            d.feed(wrong)


def test_queue_and_iteration() -> None:
    d = Demuxer()
    assert d.next_event() is None
    assert iter(d) is d
    assert list(d) == []
    assert d.feed(small()) is None  # type: ignore[func-returns-value]
    first = d.next_event()
    assert isinstance(first, DemuxEvent.ProgramMap)
    rest = list(d)
    assert list(d) == []
    assert d.flush() is None  # type: ignore[func-returns-value]
    flushed = list(d)
    d.flush()
    assert list(d) == []
    d.feed(Writer().video(99000).video(99001).bytes())
    assert [type(e) for e in d if not isinstance(e, DemuxEvent.Discontinuity)] == [DemuxEvent.Video]
    assert len(rest) + len(flushed) == 7


@pytest.mark.parametrize("seed", range(20))
def test_chunking_changes_nothing(seed: int) -> None:
    data = small()
    wanted = demux(data)
    pick = random.Random(seed)
    d = Demuxer()
    got = []
    at = 0
    while at < len(data):
        n = 1 if seed == 0 else pick.randrange(1, 400)
        d.feed(data[at : at + n])
        at += n
        got += d if pick.random() < 0.5 else []
    got += d
    d.flush()
    assert got + list(d) == wanted


def test_stats() -> None:
    d = Demuxer()
    names = [
        *("program_maps_seen", "pmt_versions_seen", "discontinuities", "nonconformant"),
        *("programs_seen", "subtitle_streams_seen"),
    ]
    assert d.stats() == dict.fromkeys(names, 0)
    w = Writer().tables()
    w.video(0)
    w.counters[VIDEO] += 3
    w.video(1)
    w.out += b"\x47\x81\x01\x10" + bytes(184)  # transport_error_indicator
    d.feed(w.bytes())
    wanted = dict.fromkeys(names, 1) | {"subtitle_streams_seen": 0}
    assert d.stats() == wanted
    assert all(type(v) is int for v in d.stats().values())
    d.reset_stats()
    assert d.stats() == dict.fromkeys(names, 0) | {"programs_seen": 1}


def test_no_pickle() -> None:
    for fail in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            fail(Demuxer())


def test_wrong_config() -> None:
    for wrong in (5, "x", object()):
        with pytest.raises(AttributeError):
            Demuxer(wrong)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        Demuxer(DemuxerConfig(pes_cap_per_pid=1 << 70))
    Demuxer(DemuxerConfig(pes_cap_per_pid=(1 << 64) - 1, sync_buf_cap=1 << 63))


def test_every_parameter_arrives() -> None:
    w = Writer().tables()
    w.video(0, bytes(3000)).video(1, bytes(10))
    capped = demux(w.bytes(), DemuxerConfig(pes_cap_per_pid=1000))
    assert [e.kind.name for e in capped if isinstance(e, DemuxEvent.Discontinuity)] == ["PES_OVERSIZE"]
    total = demux(w.bytes(), DemuxerConfig(pes_cap_total=1000))
    assert [e.kind.name for e in total if isinstance(e, DemuxEvent.Discontinuity)] == ["PES_TOTAL_OVERSIZE"]
    with pytest.raises(DemuxError) as caught:
        Demuxer(DemuxerConfig(sync_buf_cap=1000)).feed(bytes(1001))
    assert caught.value.kind is DemuxErrorKind.SYNC_BUF_EXHAUSTED


def test_unwrapping() -> None:
    w = Writer().tables()
    stamps = [(1 << 33) - 10, 20, (1 << 33) - 5, 100]
    for t in stamps:
        w.video(t)
    for config, wanted in (
        (None, stamps),
        (DemuxerConfig(unwrap_timestamps=True), [8589934582, 8589934612, 8589934587, 8589934692]),
    ):
        got = [e.pts.raw for e in demux(w.bytes(), config) if isinstance(e, DemuxEvent.Video)]
        assert got == wanted


def test_holding_what_precedes_the_map() -> None:
    late = Writer()
    late.video(1).video(2).tables().video(3)
    for config, wanted in ((None, [3]), (DemuxerConfig(hold_before_pmt_bytes=1 << 20), [1, 2, 3])):
        events = demux(late.bytes(), config)
        assert isinstance(events[0], DemuxEvent.ProgramMap)
        assert [e.pts.raw for e in events if isinstance(e, DemuxEvent.Video)] == wanted


def test_metadata_cells() -> None:
    whole = klv(bytes(100))
    events = demux(sync_klv(cell(0, 2, whole[:30]), cell(1, 0, whole[30:60]), cell(2, 1, whole[60:])))
    got = events[-1]
    assert isinstance(got, DemuxEvent.Klv)
    assert (got.kind, got.payload) == (MetadataKindTag.KLV_SYNC_AU_CELL, whole)
    assert (got.was_reassembled, got.cell_count) == (True, 3)


def test_findings_with_codes() -> None:
    dropped = demux(sync_klv(cell(0, 1, b"not a record")))[-1]
    assert isinstance(dropped, DemuxEvent.NonConformant)
    assert (dropped.kind, dropped.multi_cell_au_reason) == (
        NonConformantKind.MULTI_CELL_AU,
        MultiCellAuReason.ORPHAN,
    )
    assert dropped.issue
    tolerated = demux(sync_klv(cell(0, 1, klv())))[-1]
    assert isinstance(tolerated, DemuxEvent.NonConformant)
    assert (tolerated.kind, tolerated.observed_cfi, tolerated.treated_as) == (
        NonConformantKind.CFI_TOLERATED,
        CellFragmentIndication.LAST,
        CellFragmentIndication.COMPLETE,
    )
    strict = demux(sync_klv(cell(0, 1, klv())), DemuxerConfig(cfi_tolerance=False))[-1]
    assert isinstance(strict, DemuxEvent.NonConformant)
    assert strict.kind is NonConformantKind.MULTI_CELL_AU


class TestErrors:
    def test_no_sync(self) -> None:
        Demuxer().feed(6016)
        d = Demuxer()
        with pytest.raises(DemuxError, match="6017") as caught:
            d.feed(6017)
        assert caught.value.kind is DemuxErrorKind.INTERNAL
        assert caught.value.kind is DemuxErrorKind.UNRECOVERABLE
        d.feed(small())
        assert any(isinstance(e, DemuxEvent.ProgramMap) for e in d)

    def test_ceiling(self) -> None:
        d = Demuxer()
        with pytest.raises(DemuxError, match="4194304") as caught:
            d.feed(4194305)
        assert caught.value.kind is DemuxErrorKind.SYNC_LOSS
        d.feed(small())
        assert isinstance(d.next_event(), DemuxEvent.ProgramMap)

    def test_strict_rejection_keeps_the_finding_and_the_rest(self) -> None:
        d = Demuxer(DemuxerConfig(StrictMode.TIMING_ONLY))
        w = Writer().tables()
        w.video(None).video(5).video(6)
        with pytest.raises(DemuxError, match="strict-mode rejection") as caught:
            d.feed(w.bytes())
        assert caught.value.kind is DemuxErrorKind.STRICT_REJECTION
        kinds = [getattr(e, "kind", None) for e in d]
        assert NonConformantKind.MISSING_REQUIRED_PTS in kinds
        d.feed(b"")
        d.flush()
        assert [e.pts.raw for e in d if isinstance(e, DemuxEvent.Video)][-1] == 6

    def test_after_close(self) -> None:
        d = Demuxer()
        d.close()
        d.close()
        for use in (lambda: d.feed(b""), d.flush, d.stats, d.reset_stats):
            with pytest.raises(TstError):
                use()
        with Demuxer() as inside:
            inside.feed(small())
        with pytest.raises(TstError):
            inside.feed(b"")


def test_nothing_is_left_behind() -> None:
    from tstrans._native._lib import library

    gc.collect()
    before = library().base.tst_handle_count()
    for _ in range(50):
        d = Demuxer()
        d.feed(Writer().tables().video(0, bytes(30_000)).video(1).bytes())
        events = list(d)
        assert len(events) == 2
    gone = weakref.ref(d)
    del d, events
    assert gone() is None, "no cycle may keep a demuxer"
    assert library().base.tst_handle_count() == before


def test_multi_program() -> None:
    w = Writer().psi(0, pat({1: 0x100, 2: 0x200}))
    w.psi(0x100, pmt([(0x101, 0x1B, b"")], 1)).psi(0x200, pmt([(0x201, 0x24, b"")], 2, 0x201))
    maps = [e for e in demux(w.bytes()) if isinstance(e, DemuxEvent.ProgramMap)]
    assert [(e.programs[0].program_number, e.programs[0].streams[0].codec) for e in maps] == [
        (1, VideoCodec.H264),
        (2, VideoCodec.H265),
    ]


@pytest.mark.parametrize("size", [1, 188, 1000, 65536, 1 << 20])
def test_reading_at_once_or_later_gives_the_same(size: int) -> None:
    """Events that are fetched after each piece, after several and after all of them."""
    w = Writer().tables()
    for i in range(600):
        w.klv(i)
        if i % 50 == 0:
            w.video(i, bytes(20_000))
    data = w.bytes()
    pieces = [data[i : i + size] for i in range(0, len(data), size)][:4000]
    got = []
    for every in (1, 7, len(pieces) + 1):
        d = Demuxer()
        events = []
        for i, piece in enumerate(pieces, 1):
            d.feed(piece)
            if i % every == 0:
                events += list(d)
        d.flush()
        got.append([*events, *d])
    assert got[0] == got[1] == got[2]
