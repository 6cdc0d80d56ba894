"""NTP time, and a clock that ticks at a fixed rate on an event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

__all__ = [
    "NTP_EPOCH",
    "MediaClock",
    "current_datetime",
    "current_ntp_time",
    "datetime_from_ntp",
    "datetime_to_ntp",
]

logger = logging.getLogger(__name__)

NTP_EPOCH = datetime(1900, 1, 1, tzinfo=timezone.utc)


def current_datetime() -> datetime:
    """Now, in UTC."""
    return datetime.now(timezone.utc)


def current_ntp_time() -> int:
    """Now, as a 64-bit NTP time (RFC 5905 §6)."""
    return datetime_to_ntp(current_datetime())


def datetime_from_ntp(ntp: int) -> datetime:
    """The time of a 64-bit NTP time, to the microsecond."""
    seconds, fraction = divmod(ntp, 1 << 32)
    return NTP_EPOCH + timedelta(seconds=seconds, microseconds=fraction * 1_000_000 / (1 << 32))


def datetime_to_ntp(dt: datetime) -> int:
    """The 64-bit NTP time of a time."""
    delta = dt - NTP_EPOCH
    seconds = delta.days * 86400 + delta.seconds
    return seconds * (1 << 32) + delta.microseconds * (1 << 32) // 1_000_000


class MediaClock:
    """Calls `on_tick` each `interval` seconds, by deadlines that do not drift. What it raises is logged."""

    def __init__(self, interval: float, on_tick: Callable[[], None]) -> None:
        self._interval = interval
        self._on_tick = on_tick
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running loop; a second call does nothing."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; returns once no tick can come any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                if not task.cancelled():
                    raise

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._interval
            now = loop.time()
            if now - due > 1:  # the machine slept: no burst of missed ticks
                due = now
            await asyncio.sleep(max(0.0, due - now))
            try:
                self._on_tick()
            except Exception:
                logger.exception("a tick of the media clock failed")
