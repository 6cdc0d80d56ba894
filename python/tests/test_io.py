"""tstrans.io: whole files."""

from __future__ import annotations

import errno
import inspect
import io as std_io
import os
import pathlib
import pickle
import threading
from typing import Any

import pytest
from tsbuild import KLV, KLVA, UAS, VIDEO, Writer, cell, klv, small, sync_klv
from tstrans import io
from tstrans.exceptions import DemuxError, DemuxErrorKind, KlvError, KlvErrorKind
from tstrans.mpegts import (
    AudioCodec,
    DemuxerConfig,
    DemuxEvent,
    Pts90khz,
    StrictMode,
    VideoCodec,
)

HERE = pathlib.Path(__file__).resolve()
MEDIA = HERE.parents[2] / "testdata"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    p = tmp_path / "small.ts"
    p.write_bytes(small())
    return p


class TestParseFile:
    def test_sources(self, path: pathlib.Path) -> None:
        wanted = list(io.parse_file(path))
        assert len(wanted) == 8
        data = path.read_bytes()
        for source in (str(path), data, bytearray(data), memoryview(data), std_io.BytesIO(data)):
            assert list(io.parse_file(source)) == wanted
        with path.open("rb") as f:
            assert list(io.parse_file(f)) == wanted

    def test_nothing_is_opened_before_the_first_event(self, tmp_path: pathlib.Path) -> None:
        assert inspect.isgeneratorfunction(io.parse_file)
        missing = io.parse_file(tmp_path / "missing.ts")
        with pytest.raises(FileNotFoundError) as caught:
            next(missing)
        assert caught.value.filename == str(tmp_path / "missing.ts")
        with pytest.raises(IsADirectoryError):
            next(io.parse_file(tmp_path))
        for wrong in (5, None):
            with pytest.raises(TypeError):
                next(io.parse_file(wrong))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="null"):
            next(io.parse_file("a\0b"))

    def test_other_failures_of_the_system(self, path: pathlib.Path) -> None:
        with pytest.raises(NotADirectoryError) as caught:
            next(io.parse_file(path / "below"))
        assert caught.value.errno == errno.ENOTDIR

    def test_odd_names(self, tmp_path: pathlib.Path) -> None:
        for name in ("mit Leerzeichen äöü.ts", os.fsdecode(b"not-utf8-\xff.ts"), "-"):
            p = tmp_path / name
            p.write_bytes(small())
            assert len(list(io.parse_file(p))) == 8

    def test_config(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "untimed.ts"
        p.write_bytes(Writer().tables().video(None).video(1).bytes())
        assert len(list(io.parse_file(p))) == 4
        # The events of the piece of input that raised are not delivered.
        for strict in (io.parse_file(p, DemuxerConfig(StrictMode.FULL)), io.parse_file(p, config=FULL)):
            with pytest.raises(DemuxError) as caught:
                next(strict)
            assert caught.value.kind is DemuxErrorKind.STRICT_REJECTION
        with pytest.raises(AttributeError):
            next(io.parse_file(p, 5))  # type: ignore[arg-type]

    @pytest.mark.parametrize("junk", [0, 1, 187, 6016])
    def test_short_junk_is_silent(self, tmp_path: pathlib.Path, junk: int) -> None:
        p = tmp_path / "junk.ts"
        p.write_bytes(bytes(junk))
        assert list(io.parse_file(p)) == []

    def test_long_junk(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "junk.ts"
        p.write_bytes(bytes(6017))
        for attempt in (lambda: list(io.parse_file(p)), lambda: list(io.parse_file(bytes(6017)))):
            with pytest.raises(DemuxError) as caught:
                attempt()
            assert caught.value.kind is DemuxErrorKind.INTERNAL
        with pytest.raises(DemuxError):
            io.probe(p)

    def test_cut_packet_at_the_end(self, path: pathlib.Path) -> None:
        wanted = list(io.parse_file(path))
        path.write_bytes(path.read_bytes() + b"\x47" + bytes(100))
        assert list(io.parse_file(path)) == wanted

    def test_leaving_early_closes_the_file(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "long.ts"
        p.write_bytes(small() * 2000)
        before = len(os.listdir("/proc/self/fd"))
        for event in io.parse_file(p):
            assert event is not None
            assert len(os.listdir("/proc/self/fd")) == before + 1
            break
        assert len(os.listdir("/proc/self/fd")) == before
        events = io.parse_file(p)
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert len(os.listdir("/proc/self/fd")) == before

    def test_fifo_delivers_as_data_arrive(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "fifo"
        os.mkfifo(p)
        go_on = threading.Event()
        failed = []

        def write() -> None:
            with p.open("wb", buffering=0) as f:
                f.write(Writer().tables().bytes())
                if not go_on.wait(60):
                    failed.append("the map was not delivered before the rest came")
                f.write(Writer().video(1).video(2).bytes())

        writer = threading.Thread(target=write)
        writer.start()
        events = io.parse_file(p)
        assert isinstance(next(events), DemuxEvent.ProgramMap)
        go_on.set()
        assert [type(e) for e in events] == [DemuxEvent.Video, DemuxEvent.Video]
        writer.join()
        assert not failed

    def test_slow_consumer_of_large_input(self, tmp_path: pathlib.Path) -> None:
        """Payloads taken late, from chunks long left behind, are right."""
        w = Writer().tables()
        for i in range(400):
            w.video(i * 3000, b"\0\0\0\1\x65" + i.to_bytes(4, "big") * 2500)
        p = tmp_path / "large.ts"
        p.write_bytes(w.bytes())
        kept = [e for e in io.parse_file(p) if isinstance(e, DemuxEvent.Video)]
        for i, event in reversed(list(enumerate(kept))):
            assert event.raw == b"\0\0\0\1\x65" + i.to_bytes(4, "big") * 2500


FULL = DemuxerConfig(StrictMode.FULL)


class TestProbe:
    def test_result(self, path: pathlib.Path) -> None:
        r = io.probe(path)
        assert (r.size_bytes, r.packet_count) == (path.stat().st_size, path.stat().st_size // 188)
        assert r.pids == (0x101, 0x102, 0x103)
        assert (r.video_codecs, r.audio_codecs, r.subtitle_codecs) == (
            (VideoCodec.H264,),
            (AudioCodec.AAC,),
            (),
        )
        assert r.has_klv
        assert [p.program_number for p in r.programs] == [1]
        assert hash(r) == hash(io.probe(path, config=DemuxerConfig()))
        assert pickle.loads(pickle.dumps(r)) == r
        with pytest.raises(AttributeError):
            r.pids = ()
        with pytest.raises(TypeError):
            io.probe(path, None)  # type: ignore[misc]

    def test_empty_and_missing(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "empty.ts"
        p.touch()
        assert io.probe(p) == io.ProbeResult(0, (), (), (), (), (), False, 0)
        with pytest.raises(FileNotFoundError):
            io.probe(tmp_path / "missing.ts")

    def test_a_new_version_is_listed_again(self) -> None:
        w = Writer().tables([(VIDEO, 0x1B, b"")])
        w.tables([(VIDEO, 0x24, b""), (KLV, 6, KLVA)], version=1)
        r = io.probe(w.bytes())
        assert len(r.programs) == 2
        assert r.pids == (VIDEO, KLV)
        assert r.video_codecs == (VideoCodec.H264, VideoCodec.H265)

    def test_five_mebibytes_are_enough(self, tmp_path: pathlib.Path) -> None:
        p = tmp_path / "large.ts"
        null = b"\x47\x1f\xff\x10" + bytes(184)
        p.write_bytes(null * 40_000)
        r = io.probe(p)
        assert r.size_bytes == 40_000 * 188
        assert r.packet_count == 5 * 1024 * 1024 // 188

    def test_html(self, path: pathlib.Path) -> None:
        text = io.probe(path)._repr_html_()
        assert text.count("<tr>") == 4
        for word in ("0x0101", "H264", "KLV_ASYNC", "AAC"):
            assert word in text


class TestExtractKlv:
    def test_raw(self, path: pathlib.Path) -> None:
        assert list(io.extract_klv(path)) == [klv()] * 3
        timed = list(io.extract_klv(path, with_pts=True))
        assert timed == [(Pts90khz(90100 + 3000 * i), klv()) for i in range(3)]

    def test_raw_yields_whatever_was_carried(self) -> None:
        two = klv(b"a") + klv(b"b")
        data = Writer().tables().klv(1, two).klv(None, klv(b"c")).bytes()
        for flags in ({}, {"skip_unknown": False, "skip_malformed": True}):
            assert list(io.extract_klv(data, with_pts=True, **flags)) == [  # type: ignore[call-overload]
                (Pts90khz(1), two),
                (Pts90khz(0), klv(b"c")),
            ]

    def test_keyword_only(self, path: pathlib.Path) -> None:
        call: Any = io.extract_klv
        with pytest.raises(TypeError):
            call(path, True)
        with pytest.raises(TypeError):
            call(path, strict=True)
        with pytest.raises(FileNotFoundError):
            next(io.extract_klv("/nonexistent/file.ts"))


def pack_0601(microseconds: int, checksum_off: int = 0) -> bytes:
    """The smallest ST 0601 packet: tag 2 and the checksum of MISB ST 0601 (running 16-bit sum)."""
    head = UAS + bytes([14]) + bytes([2, 8]) + microseconds.to_bytes(8, "big") + bytes([1, 2])
    total = sum(b << (8 if i % 2 == 0 else 0) for i, b in enumerate(head)) + checksum_off
    return head + (total & 0xFFFF).to_bytes(2, "big")


def stream_of(*records: bytes) -> bytes:
    w = Writer().tables()
    for i, r in enumerate(records):
        w.klv(90 * i, r)
    return w.bytes()


class TestTypedKlv:
    def test_parsed(self) -> None:
        data = stream_of(pack_0601(5), UNKNOWN_UNIT, pack_0601(6) + pack_0601(7))
        got = list(io.extract_klv(data, parsed=True))
        assert [(type(r).__name__, r.timestamp_us) for r in got] == [
            ("UasDatalinkLs", 5),
            ("UasDatalinkLs", 6),
        ]
        timed = list(io.extract_klv(data, parsed=True, with_pts=True, skip_unknown=False))
        assert [p.raw for p, _ in timed] == [0, 90, 180]
        assert timed[1][1] is None

    def test_malformed(self) -> None:
        data = stream_of(pack_0601(5), pack_0601(6, checksum_off=1), pack_0601(7))
        records = io.extract_klv(data, parsed=True)
        assert next(records).timestamp_us == 5
        with pytest.raises(KlvError) as caught:
            next(records)
        assert caught.value.kind is KlvErrorKind.CHECKSUM_MISMATCH
        assert list(records) == []
        skipped = io.extract_klv(data, parsed=True, skip_malformed=True)
        assert [r.timestamp_us for r in skipped] == [5, 7]

    def test_uas_datalink(self) -> None:
        data = stream_of(pack_0601(5), UNKNOWN_UNIT, pack_0601(6))
        got = [(p.raw, i, r.timestamp_us) for p, i, r in io.iter_uas_datalink(data)]
        assert got == [(0, 0, 5), (180, 2, 6)]
        for strict in (False, True):
            with pytest.raises(KlvError) as caught:
                list(io.iter_uas_datalink(stream_of(pack_0601(5, checksum_off=1)), strict=strict))
            assert caught.value.kind is KlvErrorKind.CHECKSUM_MISMATCH
        short = sync_klv(cell(0, 3, UAS[:10]))
        with pytest.raises(KlvError) as caught:
            list(io.iter_uas_datalink(short))
        assert caught.value.kind is KlvErrorKind.BAD_UNIVERSAL_LABEL

    def test_event_parse(self) -> None:
        event = next(e for e in io.parse_file(stream_of(pack_0601(5))) if isinstance(e, DemuxEvent.Klv))
        record: Any = event.parse()
        assert record.timestamp_us == 5
        assert record == event.parse(strict=True)
        unknown = next(e for e in io.parse_file(stream_of(UNKNOWN_UNIT)) if isinstance(e, DemuxEvent.Klv))
        assert unknown.parse() is None


#: Another registered set (a label under 06 0E 2B 34 that no decoder of ours knows).
UNKNOWN_UNIT = bytes.fromhex("060e2b34020b01010e01030199000000") + b"\x02ab"


def test_event_parse_of_pictures_and_sound() -> None:
    data = Writer().tables().video(0, b"\0\0\0\1\x09\xf0\0\0\1\x65\x88").video(1).bytes()
    video = next(e for e in io.parse_file(data) if isinstance(e, DemuxEvent.Video))
    assert [u.nal_type for u in video.parse()] == [9, 5]
    assert [u.nal_type for u in video.parse(strict=True)] == [9, 5]
    for name in ("demo.ts",):
        audio = next(e for e in io.parse_file(MEDIA / name) if isinstance(e, DemuxEvent.Audio))
        frames = audio.parse()
        assert frames
        assert len(frames) == len(audio.parse(strict=True))


@pytest.mark.parametrize("name", sorted(p.name for p in MEDIA.glob("*.*ts")))
def test_kept_captures(name: str) -> None:
    """Files that other muxers wrote: what the tables announce is what arrives."""
    result = io.probe(MEDIA / name)
    assert result.programs
    seen = {e.stream.pid for e in io.parse_file(MEDIA / name) if hasattr(e, "byte_len")}  # type: ignore[attr-defined]
    assert seen <= set(result.pids)
    assert seen
