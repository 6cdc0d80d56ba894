"""Pictures made in Python: a rolling chessboard with random events, and a loop that keeps a rate.

Needs NumPy.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Event", "chessboard_generator", "rate_limited_loop"]

_log = logging.getLogger("tstrans.hls.input")


def rate_limited_loop(fps: float) -> Iterator[float]:
    """Yield the seconds since the start, `fps` times a second.

    Deadlines are fixed: a turn that takes long is made up for. Waiting is sleep, it takes no processor time.
    Being late is logged once.
    """
    if not fps > 0 or math.isinf(fps):
        raise ValueError(f"fps must be above 0 and finite, not {fps}")
    start = time.perf_counter()
    turn = 0
    warned = False
    while True:
        now = time.perf_counter() - start
        yield now
        turn += 1
        wait = turn / fps - (time.perf_counter() - start)
        if wait > 0:
            time.sleep(wait)
        elif wait < -1 / fps and not warned and fps < 1000:
            warned = True
            _log.warning("the loop is late by %.3f s at %g turns a second", -wait, fps)


@dataclass
class Event:
    """Something that happens from `at` until `until`, both Unix time in seconds."""

    at: float
    until: float
    name: str

    @staticmethod
    def create_random(lambd: float = 20.0, dur: float = 2.0) -> Event:
        """An event of `dur` seconds after an exponentially distributed wait, `lambd` seconds on average."""
        at = time.time() + random.expovariate(1 / lambd)
        return Event(at, at + dur, time.strftime("%H:%M:%S", time.localtime(at)))


#: The colour of the first square while an event lasts.
_CYAN = (0, 255, 255)


def _board(shape: tuple[int, int], block: int, noise_std: float) -> NDArray[np.uint8]:
    import numpy as np

    rows, columns = np.ogrid[: shape[0], : shape[1]]
    board = ((rows // block + columns // block) % 2).astype(np.float64)
    if noise_std:
        board += np.random.default_rng().normal(0.0, noise_std, board.shape)
    plane = np.where(board < 1, 0, 255).astype(np.uint8)
    return np.repeat(plane[:, :, None], 3, axis=2)


def chessboard_generator(
    shape: tuple[int, int],
    roll: int,
    block_size: int = 100,
    fps: float = 10000,
    noise_std: float = 0.0,
) -> Iterator[tuple[float, NDArray[np.uint8], bool]]:
    """Yield (seconds since the start, RGB picture, whether an event lasts), `fps` times a second.

    `shape` is (height, width). The board moves right by `roll` pixels a picture; its first square is cyan
    while an event lasts. A picture belongs to its receiver: it is not changed later.
    """
    if block_size < 1:
        raise ValueError(f"block_size must be above 0, not {block_size}")
    import numpy as np

    board = _board(shape, block_size, noise_std)
    event = Event.create_random()
    active = False
    for number, stamp in enumerate(rate_limited_loop(fps)):
        now = time.time()
        if not active and event.at <= now < event.until:
            active = True
            board[:block_size, :block_size] = _CYAN
        elif now >= event.until:
            if active:
                board[:block_size, :block_size] = 0
            active = False
            event = Event.create_random()
        yield stamp, np.roll(board, number * roll, axis=1), active
