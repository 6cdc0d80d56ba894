"""The notebooks run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")

from render import executed, pictures  # noqa: E402

#: What the outputs of each must hold.
SAYS = {
    "flight_track": ["LineString", "mean sea level"],
    "live_link": ["of them KLV", "platform_heading_deg"],
    "stream_health": ["Discontinuity", "missing units: 1", "'mean': 200.0", "15.00"],
}

NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda p: p.name)
def run(request: pytest.FixtureRequest) -> tuple[Path, Any]:
    return request.param, executed(request.param)


def outputs(notebook: Any) -> list[Any]:
    return [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]


def test_it_runs(run: tuple[Path, Any]) -> None:
    path, notebook = run
    assert not [o for o in outputs(notebook) if o.output_type == "error"]
    assert not [o.text for o in outputs(notebook) if o.get("name") == "stderr"]
    text = "".join(o.get("data", {}).get("text/plain", "") + o.get("text", "") for o in outputs(notebook))
    for said in SAYS[path.stem]:
        assert said in text


def test_its_picture(run: tuple[Path, Any]) -> None:
    path, notebook = run
    (picture,) = pictures(notebook)
    kept = path.with_suffix(".png").read_bytes()
    # Fonts differ from machine to machine: the size in pixels tells whether the kept picture is out of date.
    sizes = [struct.unpack_from(">II", p, 16) for p in (picture, kept)]
    assert all(abs(a - b) < 40 for a, b in zip(*sizes, strict=True))
    assert len(kept) < 150_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_it_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not outputs(notebook)
    assert not [c for c in notebook.cells if c.cell_type == "code" and c.execution_count is not None]
