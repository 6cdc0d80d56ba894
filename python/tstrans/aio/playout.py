"""Clocked delivery from a buffer that follows the jitter of the network."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .._native import rtpflow_lib as _lib
from .cn import NoiseGenerator
from .codecs.base import Codec
from .plc import PcmConcealer

__all__ = ["AdaptivePlayout"]

logger = logging.getLogger(__name__)

PRIME_FRAMES = 2
ADJUST_PERSIST_TICKS = 25
ADJUST_MIN_INTERVAL = 1.0
DEFAULT_MAX_CONCEAL_MS = 120
MAX_CN_MS = 30000


_COUNTERS = (
    "concealed_frames",
    "late_dropped",
    "expansions",
    "accelerations",
    "underrun_suspensions",
    "cn_frames",
)


class _Counter:
    """A counter of the library's that can be set: what it was set to is where counting goes on from."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, playout: AdaptivePlayout, owner: type) -> int:
        n: int = getattr(playout._native.stats(), self._name)
        return n + playout._shift.get(self._name, 0)

    def __set__(self, playout: AdaptivePlayout, value: int) -> None:
        playout._shift[self._name] = value - getattr(playout._native.stats(), self._name)


class AdaptivePlayout:
    """One frame a tick, decoded, concealed or comfort noise.

    :param max_delay_ms: the deepest the buffer aims at.
    :param max_conceal_ms: of concealment in a row.
    :param now: a clock in seconds.
    :param clock_rate: of the timestamps, in Hz; by default the codec's sample rate.
    :param wait_for_late: a frame that misses its tick while the buffer is empty may come before the next one:
        then the frame that was concealed in its place counts as an expansion. Sessions do so.
    """

    def __init__(
        self,
        codec: Codec,
        max_delay_ms: int = 200,
        max_conceal_ms: int = DEFAULT_MAX_CONCEAL_MS,
        now: Callable[[], float] = time.monotonic,
        clock_rate: int | None = None,
        *,
        wait_for_late: bool = False,
    ) -> None:
        self._codec = codec
        self._now = now
        self._concealer = PcmConcealer(codec.sample_rate)
        self._noise: tuple[int, NoiseGenerator] | None = None
        self._shift: dict[str, int] = {}
        self._native = _lib.Playout(
            {
                "sample_rate": codec.sample_rate,
                "frame_samples": codec.samples_per_frame,
                "clock_rate": clock_rate,
                "max_delay_ms": max_delay_ms,
                "max_conceal_ms": max_conceal_ms,
                "wait_late": int(wait_for_late),
            },
            now(),
        )

    def put(self, timestamp: int, payload: bytes) -> None:
        """Take a frame that arrived now."""
        self._native.put(self._now(), timestamp, payload)

    def tick(self) -> tuple[bytes, int] | None:
        """(PCM, timestamp) of the frame that is due, or None while nothing is delivered."""
        action, ts, payload, level = self._native.tick(self._now())
        if action == _lib.NONE:
            return None
        if action == _lib.DECODE:
            try:
                pcm = self._codec.decode(payload)
            except Exception:
                logger.warning("a frame cannot be decoded", exc_info=True)
                self.concealed_frames += 1
                return self._conceal(), ts
            self._concealer.update(pcm)
            return pcm, ts
        if action == _lib.NOISE:
            if self._noise is None or self._noise[0] != level:
                self._noise = level, NoiseGenerator(level)
            return self._noise[1].generate(self._codec.samples_per_frame), ts
        return self._conceal(), ts

    def _conceal(self) -> bytes:
        n = self._codec.samples_per_frame
        own = self._codec.conceal(n)
        return self._concealer.conceal(n) if own is None else own

    def set_cn(self, level: int, timestamp: int) -> None:
        """The sender fell silent at `timestamp`, with noise of a level in -dBov."""
        self._native.noise(level, timestamp)

    def reset(self) -> None:
        """Begin anew: another source."""
        self._native.reset()

    def suppress(self) -> None:
        """Drop what is held: a digit takes the place of audio. Nothing is counted."""
        self._native.suppress()

    @property
    def ptime(self) -> float:
        """Seconds of a frame."""
        ms: float = self._native.stats().ptime_ms
        return ms / 1000

    @property
    def target_frames(self) -> int:
        n: int = self._native.stats().target_frames
        return n

    @property
    def target_ms(self) -> float:
        s = self._native.stats()
        ms: float = s.target_frames * s.ptime_ms
        return ms

    @property
    def depth_ms(self) -> float:
        s = self._native.stats()
        ms: float = s.depth_frames * s.ptime_ms
        return ms

    concealed_frames = _Counter()
    late_dropped = _Counter()
    expansions = _Counter()
    accelerations = _Counter()
    underrun_suspensions = _Counter()
    cn_frames = _Counter()

    def stats(self) -> dict[str, float | int]:
        """The counters, and depth and target of the buffer in ms."""
        s = self._native.stats()
        out: dict[str, float | int] = {n: getattr(s, n) + self._shift.get(n, 0) for n in _COUNTERS}
        out["playout_delay_ms"] = s.depth_frames * s.ptime_ms
        out["playout_target_ms"] = s.target_frames * s.ptime_ms
        return out
