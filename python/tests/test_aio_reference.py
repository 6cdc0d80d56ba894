"""tstrans.aio answers as aiortp 0.8 does, where that is no fault: see aio_answers.py for the questions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "build/interop/env/aiortp/bin/python"

#: Answers of a section that may differ: pictures of which parts came late, frames that begin with an empty
#: payload, a description item that has no length, chunks that RFC 3550 would have read otherwise. What else
#: differs by intention is not asked, with the reason beside.
SPARED = {"jitter": 4, "depacketize": 4, "rtcp_parse": 1, "rtcp_build": 20}


def alike(question: str, theirs: Any, ours: Any) -> bool:
    if theirs == ours:
        return True
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return all(alike(question, a, b) for a, b in zip(theirs, ours, strict=True))
    if ours == "raises ValueError":
        # A malformed header extension is no struct.error for us, and libopus's refusals are of the same kind.
        return theirs in ("raises error", "raises Exception", "raises UnicodeDecodeError")
    if theirs == "raises ValueError" and "SdesPacket" in str(ours):
        return True  # what lies behind the end of a chunk is not read as an item
    # A NACK goes on behind 65535 with 0.
    return isinstance(theirs, str) and re.sub(
        r"lost=\[.*?\]", lambda x: str([int(n) % 65536 for n in re.findall(r"\d+", x[0])]), theirs
    ) == re.sub(r"lost=\[.*?\]", lambda x: str([int(n) for n in re.findall(r"\d+", x[0])]), str(ours))


@pytest.mark.skipif(not REFERENCE.exists(), reason="aiortp is not installed")
def test_answers(tmp_path: Path) -> None:
    runs = []
    for python, package in ((str(REFERENCE), "aiortp"), (sys.executable, "tstrans.aio")):
        path = tmp_path / f"{package}.json"
        env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        # A package that loops must not take the machine with it.
        command = f'ulimit -v 6000000; exec "{python}" "{HERE / "aio_answers.py"}" {package} "{path}"'
        runs.append((path, subprocess.Popen(["bash", "-c", command], env=env, stderr=subprocess.PIPE)))
    for _, run in runs:
        try:
            _, err = run.communicate(timeout=500)
        except subprocess.TimeoutExpired:
            run.kill()
            raise
        assert run.returncode == 0, err.decode()[-2000:]
    theirs, ours = (json.loads(path.read_text()) for path, _ in runs)
    assert theirs.keys() == ours.keys()
    for section, answers in theirs.items():
        assert [q for q, _ in answers] == [q for q, _ in ours[section]], section
        wrong = [
            (q, a, b) for (q, a), (_, b) in zip(answers, ours[section], strict=True) if not alike(q, a, b)
        ]
        assert len(wrong) <= SPARED.get(section, 0), (section, len(wrong), wrong[:3])
