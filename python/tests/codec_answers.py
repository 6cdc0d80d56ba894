"""What the tstrans of this interpreter says to parameter sets: run by the comparison of test_codec_sets.py.

    python codec_answers.py CASES.json

CASES is a list of (name of the set, hex bytes); the answers go to standard output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tstrans import codec
from tstrans.exceptions import CodecError


def answers(cases: list[tuple[str, str]]) -> list[Any]:
    """All fields of each set, or all there is to know of the error."""
    out: list[Any] = []
    for kind, data in cases:
        try:
            made = getattr(codec, f"parse_{kind}")(bytes.fromhex(data))
        except CodecError as e:
            out.append([e.kind.name, e.message, e.offset_bits, e.needed_bits, e.field, e.value])
            continue
        fields = {}
        for name in sorted(n for n in dir(made) if n[0] != "_" and not n.endswith("_np") and n[:3] != "raw"):
            v = getattr(made, name)
            fields[name] = repr(v() if name in ("coded_width", "coded_height", "profile_tier_level") else v)
        out.append(fields)
    return out


if __name__ == "__main__":
    json.dump(answers([tuple(c) for c in json.loads(Path(sys.argv[1]).read_text())]), sys.stdout)
