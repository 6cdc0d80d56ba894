"""The facts of `live_facts`: what they are to be, and whether other implementations agree."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import live_facts
import pytest

HERE = Path(__file__).parent
WANTED: dict[str, Any] = json.loads((HERE / "live_facts.json").read_text())
PEERS = HERE.parent.parent / "build" / "interop" / "env"

#: Where this package is to differ from both published releases, and why.
DELIBERATE = {
    "SRT-107 cancel of a parked receive, SRT-108": "one flag an object, and a receiver is cancelled for good",
    "SRT-109 statistics while parked": "theirs raise, or wait for the parked call",
    "SRT-130 events, SRT-131, SRT-133": "the event classes of 0.2.0 in the order of 0.8.0",
    "RIST-10 empty": "the kind of 0.8.0 under its name of 0.2.0: the sender lives on",
    "kinds of errors": "the names of both",
}


def asked(name: str) -> Any:
    return json.loads(json.dumps(live_facts.FACTS[name](), default=str))


def test_the_table_is_complete() -> None:
    assert list(WANTED) == list(live_facts.FACTS)


@pytest.mark.parametrize("name", live_facts.FACTS)
def test_fact(name: str) -> None:
    assert asked(name) == WANTED[name]


#: Kinds that have another name in 0.8.0.
RENAMED = {
    "TOO_LARGE": "PAYLOAD_TOO_LARGE",
    "RECV_TIMEOUT": "BACKPRESSURE",
}


def plain(value: Any) -> str:
    text = json.dumps(value)
    for old, new in RENAMED.items():
        text = text.replace(f"/{old}", f"/{new}")
    return text


@pytest.mark.skipif(not os.environ.get("TSTRANS_SOAK"), reason="asks other implementations for two minutes")
def test_every_fact_is_that_of_a_published_release() -> None:
    pythons = [p for n in ("wheel02", "wheel08") if (p := PEERS / n / "bin" / "python").exists()]
    if len(pythons) < 2:
        pytest.skip("the published wheels are not installed")
    answers = []
    for python in pythons:
        run = subprocess.run(
            [python, HERE / "live_facts"], capture_output=True, timeout=600, check=True, cwd="/", env={}
        )
        answers.append(json.loads(run.stdout))
    alone = {
        n: (w, *(a.get(n) for a in answers))
        for n, w in WANTED.items()
        if n not in DELIBERATE and plain(w) not in {plain(a.get(n)) for a in answers}
    }
    assert not alone
