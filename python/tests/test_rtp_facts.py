"""The facts of tstrans.rtp: a kept table of what each probe of `rtp_facts` gives, here and elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / "build/interop/env"
#: Probe: what it gives here, in 0.2.0 and in 0.8.0; one value where all three agree.
TABLE: dict[str, list[Any]] = json.loads((HERE / "rtp_facts.json").read_text())

#: Where this package is to differ from both releases, and why.
DELIBERATE = {
    "rtp50_close": "a receiver that another thread closes wakes, as in 0.8.0, with the kinds of 0.2.0",
    "rtp61_names": "the pushes have the names of both releases",
    "rtsp6_transport": "transport_pref is heeded; theirs asks for UDP first whatever it says",
    "rtsp7_fallback": "a refused transport has its own kind, and UDP that is forced is not replaced by TCP",
    "rtsp55_mount": "what a mount refuses is a MuxError too",
    "rtsp81_challenges": "whoever failed may try again; theirs hang up at the fourth request",
    "rtsp71_without_session": "RFC 2326 11.3.7: there is no such session",
}


def table(column: int) -> dict[str, Any]:
    return {k: v[column if len(v) == 3 else 0] for k, v in TABLE.items()}


def asked(python: str, path: str) -> dict[str, Any]:
    run = subprocess.run(
        [python, HERE / "rtp_facts"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        cwd="/",
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
    )
    return dict(json.loads(line) for line in run.stdout.splitlines())


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return asked(sys.executable, str(HERE.parent))


def test_the_table_is_complete(ours: dict[str, Any]) -> None:
    assert list(ours) == list(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_fact(ours: dict[str, Any], name: str) -> None:
    assert ours[name] == table(0)[name]


def test_every_difference_is_meant() -> None:
    alone = {k for k, v in TABLE.items() if len(v) == 3 and v[0] not in v[1:]}
    assert alone == set(DELIBERATE)


@pytest.mark.skipif(not os.environ.get("TSTRANS_SOAK"), reason="asks other implementations for a minute")
@pytest.mark.parametrize("column", [1, 2])
def test_the_published_releases(column: int) -> None:
    python = PEERS / ("wheel02" if column == 1 else "wheel08") / "bin/python"
    if not python.exists():
        pytest.skip("the published wheel is not installed")
    assert asked(str(python), "") == table(column)
