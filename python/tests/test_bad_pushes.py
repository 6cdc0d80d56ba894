"""Wrong pushes: what they raise, that the stream is as if they had never been, and the same of the peers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import bad_pushes
import pytest
from tstrans.mpegts import Demuxer, DemuxEvent

HERE = Path(__file__).resolve().parent
TABLE = [(said, name) for said, cases in bad_pushes.CASES.items() for name in cases]

#: What 0.2.0 calls the kinds that 0.8.0 split off.
OLDER = {
    "KLV_TOO_LARGE": "INPUT_MALFORMED",
    "INVALID_NAL": "INPUT_MALFORMED",
    "INVALID_AV1_OBU": "INPUT_MALFORMED",
}

#: Where we differ on purpose.
DEVIATIONS = {
    "AV1: forbidden bit": "obu_forbidden_bit must be 0 (AV1 5.3.2); they send it on",
    "AV1: half a header": "they drop the unit and say nothing",
    "AV1: empty unit without a size": "they take it and drop it",
}


@pytest.mark.parametrize(("said", "name"), TABLE, ids=[name for _, name in TABLE])
def test_wrong_push(said: str, name: str) -> None:
    got, data = bad_pushes.run(bad_pushes.CASES[said][name])
    assert got == said
    _, clean = bad_pushes.run(lambda m: None)
    if said != "taken":
        assert data == clean
    d = Demuxer()
    d.feed(data)
    d.flush()
    events = list(d)
    assert not [e for e in events if isinstance(e, DemuxEvent.Discontinuity)]
    # Whatever was pushed before and after comes out: those of all streams, twice.
    pids = [e.stream.pid for e in events if hasattr(e, "pts")]
    assert all(
        pids.count(pid) >= 2 for pid in (0x101, 0x102, 0x103, 0x104, 0x110, 0x111, 0x120, 0x121, 0x122)
    )


def test_closed_file() -> None:
    for name in ("push_data", "push_subtitle"):
        assert bad_pushes.closed(lambda m, n=name: getattr(m, n)(b"x", pts=bad_pushes.P)) == "ValueError"  # type: ignore[misc]


@pytest.mark.parametrize("peer", ["wheel02", "wheel08"])
def test_same_of_the_peers(peer: str) -> None:
    python = HERE.parents[1] / "build" / "interop" / "env" / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{peer} is not installed: make peers")
    answers = []
    for interpreter in (sys.executable, str(python)):
        env = dict(os.environ)
        if interpreter != sys.executable:
            env.pop("PYTHONPATH", None)
        command = [interpreter, str(HERE / "bad_pushes.py")]
        run = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
        assert run.returncode == 0, run.stderr[-2000:]
        answers.append([json.loads(line) for line in run.stdout.splitlines()])
    ours, theirs = answers
    assert len(ours) == len(theirs) == len(TABLE) + 2
    for a, b in zip(ours, theirs, strict=True):
        if a["case"] in DEVIATIONS:
            assert a != b, f"{a['case']}: no longer a deviation"
            continue
        if peer == "wheel02":
            kind = a["said"].partition(" ")[2]
            a["said"] = a["said"].replace(kind, OLDER.get(kind, kind)) if kind else a["said"]
            if a["case"] == "time goes back a lot":  # 0.2.0 counts packets of the clock alone (MPEGTS-168)
                a["digest"] = b["digest"]
        assert a == b
