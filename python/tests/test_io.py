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
from tsbuild import KLV, KLVA, VIDEO, Writer, klv, small
from tstrans import io
from tstrans.exceptions import DemuxError, DemuxErrorKind
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


@pytest.mark.parametrize("name", sorted(p.name for p in MEDIA.glob("*.*ts")))
def test_kept_captures(name: str) -> None:
    """Files that other muxers wrote: what the tables announce is what arrives."""
    result = io.probe(MEDIA / name)
    assert result.programs
    seen = {e.stream.pid for e in io.parse_file(MEDIA / name) if hasattr(e, "byte_len")}  # type: ignore[attr-defined]
    assert seen <= set(result.pids)
    assert seen
