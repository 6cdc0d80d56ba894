"""transmux: what passes, what is dropped, and what happens to files on the way."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tsbuild import KLV, KLVA, VIDEO, Writer, descriptor, klv, small
from tstrans.exceptions import MuxError
from tstrans.io import Transmuxer, parse_file, transmux
from tstrans.mpegts import DemuxEvent, Pts90khz, StreamId, StreamKindTag

SHARED = Path(__file__).resolve().parents[3] / "shared"
SAMPLES = (DemuxEvent.Video, DemuxEvent.Audio, DemuxEvent.Klv, DemuxEvent.Subtitle, DemuxEvent.UnknownSample)


def rewrite(src: Path, dst: Path, **kw: Any) -> int:
    n = 0
    with transmux(src, dst, **kw) as tx:
        for event in tx:
            tx.write(event)
            n += 1
    return n


def by_pid(path: Path) -> tuple[Any, dict[int, list[Any]]]:
    """The program map, and per PID (pts, dts, payload)."""
    program, got = None, defaultdict(list)
    for e in parse_file(path):
        if isinstance(e, DemuxEvent.ProgramMap):
            program = e.programs[0]
        elif isinstance(e, SAMPLES):
            data = e.raw if isinstance(e, (DemuxEvent.Video, DemuxEvent.Audio)) else e.payload
            got[e.stream.pid].append((e.pts, getattr(e, "dts", None), data))
    return program, got


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.ts"
    path.write_bytes(small() if isinstance(small(), bytes) else small().bytes())
    return path


def test_events_are_kept(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    assert rewrite(source, out) > 7
    assert by_pid(out) == by_pid(source)


@pytest.mark.parametrize("path", sorted((SHARED / "testdata" / "ts").glob("*.ts")), ids=lambda p: p.stem)
def test_shared_captures(path: Path, tmp_path: Path) -> None:
    """Real captures: everything that the muxer can make comes through unchanged."""
    out = tmp_path / "out.ts"
    drop: list[StreamKindTag] = []
    kinds = {
        s.kind
        for e in parse_file(path)
        if isinstance(e, DemuxEvent.ProgramMap)
        for s in e.programs[0].streams
    }
    if StreamKindTag.SUBTITLE in kinds:
        drop = [StreamKindTag.SUBTITLE]  # a PMT does not say how to make DVB subtitles again
    try:
        rewrite(path, out, drop=drop)
    except MuxError as e:
        # Programs without H.26x video or known audio (MPEG-2 video and data alone) have no PCR for the muxer.
        assert "video or audio" in str(e) or "PMT" in str(e), e
        assert not out.exists()
        return
    except ValueError as e:
        assert "differs" in str(e)
        return
    if not out.exists():
        assert not kinds
        return
    (want_map, want), (got_map, got) = by_pid(path), by_pid(out)
    dropped = {s.pid for s in want_map.streams if s.kind in drop}
    if got_map is None:  # tables come with the first sample
        assert set(want) <= dropped
        return
    assert [s for s in want_map.streams if s.pid not in dropped] == list(got_map.streams)
    for pid, samples in want.items():
        if pid not in dropped:
            assert got[pid] == samples, f"PID {pid:#x}"


def test_drop(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    rewrite(source, out, drop=[StreamKindTag.KLV_ASYNC])
    program, got = by_pid(out)
    assert KLV not in got
    assert KLV not in [s.pid for s in program.streams]


def test_new_klv(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    with transmux(source, out) as tx:
        for e in tx:
            if isinstance(e, DemuxEvent.Klv):
                tx.write_klv(e, bytearray(klv(b"new")))
                with pytest.raises(TypeError):
                    tx.write_klv(e, "text")  # type: ignore[arg-type]
            else:
                tx.write(e)
                with pytest.raises(TypeError, match=r"DemuxEvent\.Klv"):
                    tx.write_klv(e, b"")  # type: ignore[arg-type]
    assert {data for _, _, data in by_pid(out)[1][KLV]} == {klv(b"new")}


def test_events_a_program_builds(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    stream = StreamId(VIDEO, StreamKindTag.VIDEO, None, 1)
    with transmux(source, out) as tx:
        for e in tx:
            tx.write(e)
        made = DemuxEvent.Video(
            stream=stream,
            pts=Pts90khz(1),
            dts=None,
            codec=None,  # type: ignore[arg-type]
            raw=b"\0\0\1\x09",
            random_access_indicator=True,
        )
        tx.write(made)
    assert by_pid(out)[1][VIDEO][-1] == (Pts90khz(1), None, b"\0\0\1\x09")


def test_use_out_of_turn(source: Path, tmp_path: Path) -> None:
    events = list(parse_file(source))
    sample = next(e for e in events if isinstance(e, DemuxEvent.Klv))
    tx = Transmuxer(source, tmp_path / "x.ts")
    assert not (tmp_path / "x.ts").exists()
    with tx:
        tx.write(DemuxEvent.ReconnectDiscontinuity())
        with pytest.raises(RuntimeError, match="program map"):
            tx.write(sample)
        with pytest.raises(TypeError):
            tx.write(b"bytes")  # type: ignore[arg-type]
        assert iter(tx) is iter(tx)
        next(iter(tx))
        foreign = DemuxEvent.Klv(
            StreamId(0x1234, StreamKindTag.KLV_ASYNC, None, 1), Pts90khz(0), sample.kind, b""
        )
        with pytest.raises(RuntimeError, match="0x1234"):
            tx.write(foreign)
    with pytest.raises(RuntimeError):
        tx.write(sample)
    with pytest.raises(RuntimeError), tx:
        pass
    never = Transmuxer(source, tmp_path / "y.ts")
    with never:
        pass
    with pytest.raises(RuntimeError):
        iter(never)
    assert not (tmp_path / "y.ts").exists()


def test_failures_on_the_way(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    with pytest.raises(FileNotFoundError):
        rewrite(tmp_path / "none.ts", out)
    assert not out.exists()
    with pytest.raises(KeyError), transmux(source, out, atomic=True) as tx:
        for e in tx:
            tx.write(e)
            if isinstance(e, DemuxEvent.Video):
                raise KeyError
    assert [p.name for p in tmp_path.iterdir()] == ["in.ts"]
    changed = Writer().tables().klv(90000).tables([(VIDEO, 0x1B, b"")], version=1).video(90000)
    source.write_bytes(changed.bytes())
    with pytest.raises(ValueError, match="differs"):
        rewrite(source, out)
    subtitles = [(VIDEO, 0x1B, b""), (0x130, 6, descriptor(0x56, b"eng\x10\x00"))]
    source.write_bytes(Writer().tables(subtitles).video(90000).bytes())
    out.unlink()
    with pytest.raises(MuxError):
        rewrite(source, out)
    assert not out.exists()
    rewrite(source, out, drop=[StreamKindTag.SUBTITLE])
    assert [s.pid for s in by_pid(out)[0].streams] == [VIDEO]
    assert KLVA
