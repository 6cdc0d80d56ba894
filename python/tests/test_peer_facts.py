"""The answers to `peer_facts`: what they are to be, and whether the published releases give the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import peer_facts
import pytest

HERE = Path(__file__).parent
WANTED: dict[str, str] = json.loads((HERE / "peer_facts.json").read_text())
PEERS = HERE.parent.parent / "build" / "interop" / "env"

#: Where this package is to differ from both published releases (patterns of names), and why.
DELIBERATE = {
    "values: (Video|Audio), copies": "events can be copied and pickled",
    "values: .*ErrorKind by number": "the names of both, those of 0.2.0 first",
    "mux: push_.* of np": "a scalar of NumPy is its bytes, not as many zeros as its number says",
    "mux: equal PIDs": "the error names the PID",
    "klv: VTargetPack .*=\\(1, 2\\)": "a tuple of numbers is no bytes",
    "klv: VTargetPack algorithm_id=": "an integer beyond its item is an encoder's error with its tag",
    "klv: item 1 of": "of several checksums the last one counts",
    "klv: item .* of b'.x80": "a reserved value is a field error (0.2.0) and in sentinel_tags (0.8.0)",
    "klv: target's item 1[0-6] of": "IMAPB values do not leave the range of their item",
    "klv: strict is no number": "any value that is true will do",
    "codec: split_units of 'a'": "the codec is looked at first",
}


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    return peer_facts.answers()


def test_the_questions_are_those_of_the_table(ours: dict[str, str]) -> None:
    assert list(ours) == list(WANTED)


@pytest.mark.parametrize("module", ["values", "mux", "files", "klv", "codec", "frames"])
def test_answers(ours: dict[str, str], module: str) -> None:
    of = {q for q in WANTED if q.startswith(module + ": ")}
    assert len(of) > 80
    differing = [q for q in of if ours[q] != WANTED[q]]
    assert {q: ours[q] for q in differing} == {q: WANTED[q] for q in differing}


def asked(python: Path) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONWARNINGS": "ignore"}
    command = [str(python), "-m", "peer_facts"]
    run = subprocess.run(command, env=environment, cwd="/", capture_output=True, timeout=300, check=True)
    return dict(json.loads(run.stdout))


@pytest.mark.skipif(not os.environ.get("TSTRANS_SOAK"), reason="asks other implementations")
def test_every_answer_is_that_of_a_published_release() -> None:
    pythons = [p for n in ("wheel02", "wheel08") if (p := PEERS / n / "bin" / "python").exists()]
    if len(pythons) < 2:
        pytest.skip("the published wheels are not installed")
    releases = [asked(p) for p in pythons]
    differing = [q for q, answer in WANTED.items() if answer not in {r[q] for r in releases}]
    assert [q for q in differing if not any(re.match(d, q) for d in DELIBERATE)] == []
    assert [d for d in DELIBERATE if not any(re.match(d, q) for q in differing)] == []
