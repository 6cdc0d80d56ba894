"""Run a notebook and keep its last picture: flight_track.ipynb gives flight_track.png.

usage: python render.py [NOTEBOOK]      needs nbclient, nbformat, ipykernel
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def executed(path: Path) -> Any:
    """The notebook with the outputs of a run in its own folder. The file stays as it is."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    return notebook


def pictures(notebook: Any) -> list[bytes]:
    """The PNG outputs of its cells, in order."""
    data = [o.get("data", {}) for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return [base64.b64decode(d["image/png"]) for d in data if "image/png" in d]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "flight_track.ipynb"
    path.with_suffix(".png").write_bytes(pictures(executed(path))[-1])


if __name__ == "__main__":
    main()
