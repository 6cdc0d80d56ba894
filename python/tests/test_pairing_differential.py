"""The same pairs as the published wheel over random streams and configurations.

Collected where TSTRANS_PEER_PYTHON names an interpreter that has it (see test_differential.py); it is asked
as a black box, through pairing_dump.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PEER = os.environ.get("TSTRANS_PEER_PYTHON", "")


def dump(python: str, count: int) -> list[Any]:
    environment = dict(os.environ)
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    run = subprocess.run(
        [python, str(HERE / "pairing_dump.py"), "0", str(count)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(text) for text in run.stdout.splitlines()]


if PEER:

    def test_same_pairs() -> None:
        for ours, theirs in zip(dump(sys.executable, 300), dump(PEER, 300), strict=True):
            assert ours == theirs
