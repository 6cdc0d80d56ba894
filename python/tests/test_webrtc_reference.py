"""tstrans.webrtc answers as aiortc 1.16 does, where that is no fault: webrtc_ask_*.py have the questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REFERENCE = Path(
    os.environ.get("TSTRANS_AIORTC_PYTHON", HERE.parents[1] / "build/interop/env/aiortc/bin/python")
)

#: Where ours answers otherwise, on purpose: the place of the answer, or what it begins with, and why.
SPARED: dict[str, str | dict[str, str]] = {
    "/after_close/2": "create* raises once the connection is closed",
    "/after_close/13": "so there is no transport of data either",
    "/descriptions_of_a_browser": {
        "broken candidate": "candidates of other kinds than ours are passed over",
        "empty": "refused",
        "no bundle": "what was not offered as a bundle is not answered as one",
        "partial bundle": "the same",
        "no codecs": "OperationError",
        "no direction": "sendrecv (RFC 8866 6.7)",
        "no fingerprint": "refused",
        "no level": "42001f, as the capabilities have it first",
        "no msid": "the track is named by the lines of its SSRC too",
        "no setup": "an offer without one is actpass (RFC 5763 5)",
        "no mid": "sections are told apart by their place",
        "same mid": "the same",
        "old data": "answered in today's form",
        "other version": "refused",
        "rtp avp": "refused, as it is not encrypted",
        "static pcmu without rtpmap": "is PCMU (RFC 3551)",
        "unknown kind": "refused in the answer",
    },
    "/hostile_answers": {"no finger": "refused"},
    "/parsed_descriptions": {"broken fmtp": "passed over", "no codecs": "passed over"},
    "/players": {"j.ts True/1": "the pictures that the decoder still holds at the end are handed out too"},
    "/renegotiation/5": "states do not fall back to new when a section is added",
    "/renegotiation/6": "the same",
    "/renegotiation/18": "a track that is sent again is a new event",
}


def spared(place: str) -> bool:
    for s, why in SPARED.items():
        if place == s or place.startswith(s + "/"):
            rest = place[len(s) + 1 :]
            if isinstance(why, str) or any(rest.startswith(w) for w in why):
                return True
    return False


def alike(theirs: Any, ours: Any) -> bool:
    """Errors of one kind are alike though their words differ, but for those that programs see most."""
    if theirs == ours:
        return True
    if not (isinstance(theirs, list) and isinstance(ours, list) and theirs[:1] == ours[:1] == ["raises"]):
        return False
    return theirs[1] == ours[1] == "ValueError" or (ours[1] == "ValueError" and theirs[1] in FAULTS)


#: What broken input makes theirs raise by chance.
FAULTS = ("AssertionError", "KeyError", "AttributeError", "RuntimeError", "StopIteration")


def differences(theirs: Any, ours: Any, place: str) -> list[tuple[str, Any, Any]]:
    if alike(theirs, ours) or spared(place):
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict) and theirs.keys() == ours.keys():
        return [d for k in theirs for d in differences(theirs[k], ours[k], f"{place}/{k}")]
    whole = (
        "raises" in (*theirs[:1], *ours[:1]) if isinstance(theirs, list) and isinstance(ours, list) else True
    )
    if not whole and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}/{i}")]
    return [(place, theirs, ours)]


@pytest.mark.skipif(not REFERENCE.exists(), reason="aiortc is not installed")
def test_answers(tmp_path: Path) -> None:
    runs = []
    for python, package in ((str(REFERENCE), "aiortc"), (sys.executable, "tstrans.webrtc")):
        path = tmp_path / f"{package}.json"
        env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        command = [python, str(HERE / "webrtc_answers.py"), package, str(path)]
        runs.append((path, subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)))
    try:
        for _, run in runs:
            assert run.wait(timeout=240) == 0
    finally:
        for _, run in runs:
            run.kill()
    theirs, ours = (json.loads(path.read_text()) for path, _ in runs)
    wrong = differences(theirs, ours, "")
    assert not wrong, (len(wrong), wrong[:5])
