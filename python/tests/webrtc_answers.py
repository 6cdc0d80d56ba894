"""Questions to a package of aiortc's surface; the answers go to a file, as JSON.

    python webrtc_answers.py PACKAGE OUT [NAME...]

Each question is a coroutine; what it returns, or raises, is the answer. What differs from run to run (ids,
ports, keys) is taken out of the answers.
"""

import asyncio
import importlib
import json
import sys
import time

from webrtc_ask import QUESTIONS, atell, plain

for part in ("values", "peers", "channels", "sdp", "media"):
    importlib.import_module(f"webrtc_ask_{part}")


async def part(names, out):
    for name in names:
        t0 = time.monotonic()
        out[name] = plain(await atell(QUESTIONS[name](), 120))
        print(name, round(time.monotonic() - t0, 2), file=sys.stderr)


async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    out, parts = {}, {}
    for name in sys.argv[3:] or list(QUESTIONS):
        parts.setdefault(QUESTIONS[name].__module__, []).append(name)
    await asyncio.gather(*(part(names, out) for names in parts.values()))
    with open(sys.argv[2], "w") as f:
        json.dump(out, f, indent=1, sort_keys=True)


if __name__ == "__main__":
    asyncio.run(main())
