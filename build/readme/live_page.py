"""Make python/examples/live_page.png and live_page_phone.png: the page of a made-up flight, in Chromium.

Run from the repository's root with the environment of the tests:
`build/venv/bin/python build/readme/live_page.py`.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "tests"))

import live_flight as flight  # noqa: E402
import test_hls_page as page  # noqa: E402

flight.WIDTH, flight.HEIGHT = 640, 360
MARKERS = ((8, "take-off"), (24, "vehicle stops at the gate"), (41, "second vehicle"), (63, "turn to base"))


def smooth(size: int, seed: int) -> np.ndarray:
    """Hills: noise of several scales, from 0 to 1."""
    rng = np.random.default_rng(seed)
    out = np.zeros((size, size))
    for step, weight in ((160, 1.0), (64, 0.5), (24, 0.25), (8, 0.1)):
        coarse = rng.random((size // step + 3, size // step + 3))
        at = np.arange(size) / step
        i, f = at.astype(int), at % 1
        f = f * f * (3 - 2 * f)
        rows = coarse[i] * (1 - f)[:, None] + coarse[i + 1] * f[:, None]
        out += weight * (rows[:, i] * (1 - f) + rows[:, i + 1] * f)
    return (out - out.min()) / np.ptp(out)


LAND = smooth(1400, 7)
COLOURS = np.array([(58, 92, 60), (96, 122, 70), (150, 146, 96), (176, 160, 126), (206, 198, 180)], float)


def look(n: int) -> np.ndarray:
    """The picture of a camera that circles above hills with a road."""
    x, y = int(300 + 2 * n) % 700, int(500 + 180 * np.sin(n / 90))
    h = LAND[y : y + flight.HEIGHT, x : x + flight.WIDTH]
    slope = np.clip(1 + 6 * (h - np.roll(h, (2, 2), (0, 1))), 0.6, 1.4)
    at = h * (len(COLOURS) - 1.001)
    i, f = at.astype(int), (at % 1)[..., None]
    out = (COLOURS[i] * (1 - f) + COLOURS[i + 1] * f) * slope[..., None]
    road = np.abs(
        (np.arange(flight.HEIGHT)[:, None] + y) - (780 + 60 * np.sin((np.arange(flight.WIDTH) + x) / 120))
    )
    out[road < 5] = (120, 118, 116)
    cy, cx = flight.HEIGHT // 2, flight.WIDTH // 2
    out[cy - 1 : cy + 1, cx - 40 : cx - 10] = out[cy - 1 : cy + 1, cx + 10 : cx + 40] = 250
    out[cy - 40 : cy - 10, cx - 1 : cx + 1] = out[cy + 10 : cy + 40, cx - 1 : cx + 1] = 250
    return np.clip(out, 0, 255).astype(np.uint8)


flight.blocks = look


def main() -> None:
    folder = pathlib.Path(tempfile.mkdtemp())
    with page.live(True, folder, "Survey flight 7") as (url, timeline, *_), page.browser() as browser:
        for at, text in MARKERS:
            timeline.add(at, text)
        for name, width, height, scheme in (
            ("live_page", 1280, 860, "light"),
            ("live_page_phone", 390, 844, "dark"),
        ):
            view = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            tab = view.new_page()
            tab.goto(url)
            page.await_js(tab, "window.tstransPage?.picture.record")
            time.sleep(1)
            tab.screenshot(path=str(ROOT / "python" / "examples" / f"{name}.png"))
            view.close()


if __name__ == "__main__":
    main()
