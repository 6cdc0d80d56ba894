"""Run the cases under two interpreters, A B A B ..., and print ratios.

    python compare.py PYTHON_A PYTHON_B INPUTDIR [CASE ...]     A/B above 1: B is faster

Each case runs in a fresh process. The smallest time of each side is quoted; whole-process wall time for
`import`. The machine's noise is in the spread of the pairs, which is printed beside the ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from cases import CASES

ROUNDS = 5
HERE = os.path.dirname(os.path.abspath(__file__))


def run(python: str, case: str, inputs: str) -> dict[str, float] | str:
    env = {k: v for k, v in os.environ.items() if python == sys.argv[2] or k != "PYTHONPATH"}
    t0 = time.perf_counter()
    r = subprocess.run(
        [python, os.path.join(HERE, "cases.py"), case, inputs], capture_output=True, text=True, env=env
    )
    wall = time.perf_counter() - t0
    if r.returncode:
        return (r.stderr.strip().splitlines() or ["failed"])[-1]
    out: dict[str, float] = json.loads(r.stdout)
    if case == "import":
        out["seconds"] = wall
    return out


def main() -> None:
    a, b, inputs, *chosen = sys.argv[1:]
    print(f"{'case':24} {'A ms':>10} {'B ms':>10} {'A/B':>7} {'pairs':>15} {'A MB':>7} {'B MB':>7}")
    for case in chosen or CASES:
        left, right, pairs = [], [], []
        problem = ""
        for _ in range(ROUNDS):
            x, y = run(a, case, inputs), run(b, case, inputs)
            if isinstance(x, str) or isinstance(y, str):
                problem = f"A: {x}  B: {y}"
                break
            left.append(x)
            right.append(y)
            pairs.append(x["seconds"] / y["seconds"])
        if problem:
            print(f"{case:24} {problem}")
            continue
        p = min(left, key=lambda r: r["seconds"])
        q = min(right, key=lambda r: r["seconds"])
        times = f"{p['seconds'] * 1e3:10.2f} {q['seconds'] * 1e3:10.2f} {p['seconds'] / q['seconds']:7.2f}"
        spread = f"{min(pairs):6.2f}..{max(pairs):<7.2f}"
        print(f"{case:24} {times} {spread} {p['rss_mb']:7.1f} {q['rss_mb']:7.1f}", flush=True)


if __name__ == "__main__":
    main()
