"""Frames beside those of another implementation of the same surface, column by column.

TSTRANS_PEER_PYTHON names an interpreter that has it, with pandas; else there is nothing to compare with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "testdata" / "ts"
PEER = os.environ.get("TSTRANS_PEER_PYTHON", "")
WORKER = Path(__file__).with_name("peer_frames.py")

FILES = [
    p
    for p in (
        ROOT / "testdata" / "demo.ts",
        ROOT / "testdata" / "gst_klv.ts",
        SHARED / "kitware-h264_klv.ts",
        SHARED / "eyevinn-obs_hevc_aac.ts",
        SHARED / "tsduck-test-064.ts",
    )
    if p.exists()
]

# What an issue says in words is nobody's contract.
FREE = {"issue"}


def frames(python: str, out: Path) -> Any:
    env = dict(os.environ)
    if python != sys.executable:
        env.pop("PYTHONPATH", None)
    subprocess.run([python, str(WORKER), str(out), *map(str, FILES)], check=True, env=env)
    return json.loads(out.read_text())


@pytest.mark.skipif(not PEER, reason="TSTRANS_PEER_PYTHON names no interpreter")
def test_frames_are_those_of_the_peer(tmp_path: Path) -> None:
    theirs, ours = frames(PEER, tmp_path / "peer.json"), frames(sys.executable, tmp_path / "own.json")
    different = []
    for path, kinds in theirs.items():
        for kind, columns in kinds.items():
            have = ours[path][kind]
            # An older peer has fewer fields; those it has stand in the same order.
            assert [c for c in have if c in columns] == list(columns), (path, kind)
            for name, (dtype, values) in columns.items():
                if name in FREE:
                    continue
                got_type, got = have[name]
                if (dtype, values) != (got_type, got):
                    first = next(((a, b) for a, b in zip(values, got, strict=False) if a != b), None)
                    different.append((Path(path).name, kind, name, dtype, got_type, first))
    assert different == []
