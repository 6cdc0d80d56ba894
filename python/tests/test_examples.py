"""The examples that are promised to users run as they stand."""

from __future__ import annotations

import doctest
import importlib
import os
import pathlib

import pytest
from tsbuild import small

INSPECT = """\
from tstrans.io import parse_file, probe
from tstrans.mpegts import DemuxEvent
# Quick summary
r = probe("capture.ts")
print(r.video_codecs, r.audio_codecs, r.has_klv)
# Full event stream
for event in parse_file("capture.ts"):
    match event:
        case DemuxEvent.Video(pts=p, codec=c, payload=b):
            print(f"Video {c.name} pts={p.ms}ms len={len(b)}")
        case DemuxEvent.Klv(pts=p, payload=b):
            print(f"KLV pts={p.ms}ms len={len(b)}")
"""

PRINTED = """\
(<VideoCodec.H264: 'h264'>,) (<AudioCodec.AAC: 'aac'>,) True
KLV pts=1001ms len=20
Video H264 pts=1000ms len=305
KLV pts=1034ms len=20
Video H264 pts=1033ms len=305
KLV pts=1067ms len=20
Video H264 pts=1066ms len=305
"""


def test_file_inspection(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pathlib.Path("capture.ts").write_bytes(small())
    exec(compile(INSPECT, "example", "exec"), {})
    assert capsys.readouterr().out == PRINTED


PAGE = pathlib.Path(__file__).resolve().parents[3] / "shared" / "seeds" / "tstrans.txt"


if PAGE.exists():  # it lies beside the repository only where this is developed

    def test_the_example_is_the_one_of_the_page() -> None:
        wanted = [line.strip() for line in INSPECT.splitlines()]
        page = [line.strip() for line in PAGE.read_text().splitlines()]
        assert "\n".join(wanted) in "\n".join(page)


@pytest.mark.parametrize("name", ["tstrans", "tstrans.pipeline"])
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_docstrings_of_classes() -> None:
    """Classes that name their public module are passed over by testmod."""
    from tstrans import mpegts

    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for cls in (mpegts.Pts90khz, mpegts.Demuxer, mpegts.DemuxEvent):
        (test,) = finder.find(cls, cls.__name__, module=False, globs={cls.__name__: cls})
        assert test.examples, cls
        assert runner.run(test).failed == 0, os.linesep
