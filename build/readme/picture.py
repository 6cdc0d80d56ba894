"""Draw what a command prints as an SVG for the README.

    python build/readme/picture.py OUT.svg WIDTH COMMAND [ARG ...]

The command runs as python -m tstrans COMMAND ARG ...
"""

from __future__ import annotations

import io
import re
import subprocess
import sys

from rich.console import Console
from rich.text import Text


def main() -> None:
    out, width, *command = sys.argv[1:]
    shown = subprocess.run(
        [sys.executable, "-m", "tstrans", *command], capture_output=True, text=True, check=True
    ).stdout
    console = Console(record=True, width=int(width), file=io.StringIO())
    console.print(Text("$ python -m tstrans " + " ".join(command), style="bold green"))
    console.print(Text(shown.rstrip()))
    svg = console.export_svg(title="tstrans", unique_id="tstrans")
    # The picture stands alone: no font from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S).replace("Fira Code, monospace", "monospace")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


if __name__ == "__main__":
    main()
