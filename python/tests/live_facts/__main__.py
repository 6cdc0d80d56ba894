"""Print the outcomes of the facts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from live_facts import FACTS


def main() -> None:
    """Print every outcome, or those whose name contains an argument."""
    wanted = sys.argv[1:]
    names = [n for n in FACTS if not wanted or any(w in n for w in wanted)]
    out: dict[str, Any] = {}
    for name in names:
        box: list[Any] = []

        def run(name: str = name, box: list[Any] = box) -> None:
            try:
                box.append(FACTS[name]())
            except BaseException as e:
                box.append(f"raised {type(e).__name__}: {e}")

        t = threading.Thread(target=run, daemon=True)
        begun = time.monotonic()
        t.start()
        t.join(20)
        out[name] = json.loads(json.dumps(box[0], default=str)) if box else "hangs"
        if os.environ.get("FACTS_TIMES"):
            print(f"{time.monotonic() - begun:6.2f} {name}", file=sys.stderr, flush=True)
    print(json.dumps(out))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
