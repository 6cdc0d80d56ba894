"""Print what a Pairer makes of random streams as JSON lines, through whichever `tstrans` is imported.

usage: python pairing_dump.py FIRST_SEED COUNT
"""

from __future__ import annotations

import json
import random
import sys
from datetime import timedelta
from typing import Any

from tsbuild import KLV, VIDEO, Writer, klv
from tstrans import pipeline


def stream(pick: random.Random) -> bytes:
    w = Writer().tables()
    clock = 90_000
    for i in range(pick.randrange(5, 60)):
        clock += pick.choice((0, 1, 10, 900, 3000, 3003, 30_000))
        t = max(clock + pick.randrange(-4000, 4000), 0)
        kind = pick.random()
        if kind < 0.45:
            w.video(t, b"\0\0\0\1\x65" + bytes([i]) * pick.randrange(1, 400))
        elif kind < 0.9:
            w.klv(t, klv(bytes([i]) * pick.randrange(1, 100)))
        else:
            w.audio(t)
    return w.bytes()


def config(pick: random.Random) -> Any:
    if pick.random() < 0.5:
        mode: Any = pipeline.PairerMode.Realtime
    else:
        mode = pipeline.PairerMode.Buffered(timedelta(microseconds=pick.choice((0, 500, 40_000, 400_000))))
    return pipeline.PairingDemuxerConfig(
        pipeline.PairerConfig(
            mode=mode,
            tolerance=timedelta(microseconds=pick.choice((0, 11, 500, 20_000, 33_333, 300_000))),
            max_buffered_klv=pick.choice((1, 2, 5, 32)),
            max_buffered_video=pick.choice((1, 2, 5, 32)),
        )
    )


def sample(s: Any) -> list[Any]:
    payload = s.raw if hasattr(s, "raw") else s.payload
    return [s.stream.pid, s.pts.raw, payload.hex()[:80], len(payload)]


def line(out: Any) -> list[Any]:
    kind = type(out).__name__
    if kind == "_PassThrough":
        return [kind, type(out.event).__name__]
    return [kind, *(sample(getattr(out, n)) for n in ("video", "klv") if hasattr(out, n))]


def main() -> None:
    first, count = map(int, sys.argv[1:])
    for seed in range(first, first + count):
        pick = random.Random(seed)
        data = stream(pick)
        pairer = pipeline.Pairer(VIDEO, KLV, config(pick))
        told = []
        at = 0
        while at < len(data):
            n = pick.randrange(1, 3000)
            told += [line(o) for o in pairer.feed(data[at : at + n])]
            at += n
        told += [line(o) for o in pairer.flush()]
        print(json.dumps([seed, pairer.stats(), told]))


if __name__ == "__main__":
    main()
