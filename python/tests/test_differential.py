"""The same answers as the published wheel: events of one PID at a time, whole and in random pieces.

Runs where TSTRANS_PEER_PYTHON names an interpreter that has tstrans 0.8.0 (``pip install tstrans==0.8.0`` in
an environment of its own); it is asked as a black box, through event_dump.py.

Where we differ on purpose, none of which the inputs below contain:

- A duplicate packet whose only difference is a re-coded PCR is left out (ISO/IEC 13818-1 2.4.3.3).
- PES_packet_length 0 is accepted on every video stream_type, not on those of known codecs alone (2.4.3.7).
- The video PID in a metadata_descriptor is read behind the parsed descriptor, not from its last two bytes,
  so that a service id is never taken for a PID (Table 2-89).
- stream_ids 0xF3 to 0xF7, 0xF9 to 0xFB and 0xFE have the optional PES header (2.4.3.6, Table 2-21).
- PID 0x1FFF never carries a stream, whatever a PMT says (2.4.3.3).
- Records of 192, 204 and 208 bytes are read (EN 300 429; BDAV).
- What follows a loss of sync in the same feed is delivered with it, and a decision on sync waits for the
  bytes it needs: the events do not depend on how the input was cut.
- Sections of one PAT that name different last_section_numbers are reported, not always at the same section
  (2.4.4.5).
- In full strict mode, the PES that begins in the packet that ends a malformed one is delivered: that packet's
  payload_unit_start_indicator says where it begins, whatever came before (2.4.3.3). The peer loses it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import random_streams

HERE = Path(__file__).parent
PEER = os.environ.get("TSTRANS_PEER_PYTHON", "")
SHARED = HERE.parents[2] / "shared" / "testdata" / "ts"
OWN = HERE.parents[1] / "testdata"

Events = dict[str, list[str]]


def dump(python: str, files: list[Path], *options: str) -> dict[str, Events]:
    """The events of each file by PID (the order of PIDs at a flush is nobody's promise)."""
    environment = dict(os.environ)
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    command = [python, str(HERE / "event_dump.py"), *options, *map(str, files)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    out: dict[str, Events] = {}
    for text in run.stdout.splitlines():
        line = json.loads(text)
        if line["t"] == "file":
            current = out[line["file"]] = defaultdict(list)
        elif line["t"] == "error" and line["kind"] in ("MALFORMED_PES", "BAD_PES"):
            current["malformed"].append("")
        elif line["t"] not in ("flush", "error"):
            current[str(line.get("pid", "map"))].append(text)
    return out


def compare(files: list[Path], *options: str, ours: tuple[str, ...] = (), peer: str = PEER) -> None:
    a = dump(sys.executable, files, *options, *ours)
    b = dump(peer, files, *options)
    differing = []
    alike = [name for name in a if "malformed" not in a[name]]
    assert len(alike) > len(a) / 3
    for name in alike:
        for pid in sorted(a[name].keys() | b[name].keys()):
            x, y = a[name][pid], b[name][pid]
            if x != y:
                at = next(
                    (i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), min(len(x), len(y))
                )
                differing.append((Path(name).name, pid, at, x[at : at + 1], y[at : at + 1]))
    assert not differing


@pytest.fixture(scope="module")
def captures() -> list[Path]:
    return sorted([*SHARED.glob("*.ts"), *OWN.glob("*.ts")])


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    where = tmp_path_factory.mktemp("generated")
    out = []
    for seed in range(120):
        path = where / f"{seed}.ts"
        path.write_bytes(random_streams.stream(seed))
        out.append(path)
    return out


peer = pytest.mark.skipif(
    not PEER, reason="TSTRANS_PEER_PYTHON names no interpreter with the published wheel"
)


@peer
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_captures(captures: list[Path], seed: int) -> None:
    assert captures
    compare(captures, ours=("--seed", str(seed)))


@peer
def test_captures_as_the_first_release(captures: list[Path]) -> None:
    """0.2.0, which `make peers` installs beside 0.8.0."""
    first = Path(PEER.replace("wheel08", "wheel02"))
    if first == Path(PEER) or not first.exists():
        pytest.skip("0.2.0 is not installed beside 0.8.0")
    compare(captures, peer=str(first))


@peer
@pytest.mark.parametrize(
    "options",
    [(), ("--unwrap",), *(("--strict", mode) for mode in ("TIMING_ONLY", "PSI_ONLY", "FULL"))],
)
def test_generated(generated: list[Path], options: tuple[str, ...]) -> None:
    compare(generated, *options)


def test_any_pieces(generated: list[Path], captures: list[Path]) -> None:
    """Our own events do not depend on the pieces; this part needs no other library."""
    files = [*generated[:40], *captures]
    assert dump(sys.executable, files) == dump(sys.executable, files, "--seed", "7")
