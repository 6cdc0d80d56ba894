"""One frame a tick."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .cn import DEFAULT_CN_LEVEL, build_cn_payload
from .sender import RtpSender

__all__ = ["PacedSender"]

_CN_REFRESH_TICKS = 150


class PacedSender:
    """Queues frames and sends one a tick; a tick without a frame lets the timestamp go on.

    :param get_addr: where to send, asked each time.
    :param cn_payload_type: send comfort noise of that type when silence begins, and every 150 ticks.
    :param get_cn_level: its level in -dBov.
    """

    def __init__(
        self,
        sender: RtpSender,
        get_addr: Callable[[], tuple[str, int] | None],
        cn_payload_type: int | None = None,
        get_cn_level: Callable[[], int] | None = None,
    ) -> None:
        self._sender = sender
        self._get_addr = get_addr
        self._cn_payload_type = cn_payload_type
        self._get_cn_level = get_cn_level
        self._queue: deque[bytes] = deque()
        self._empty = asyncio.Event()
        self._empty.set()
        self._silence = 0
        self._talking = False
        self.paced_sent = 0
        self.empty_ticks = 0
        self.cn_sent = 0

    @property
    def queue_depth(self) -> int:
        """Frames that wait."""
        return len(self._queue)

    def enqueue(self, payload: bytes) -> None:
        """Add a frame."""
        self._queue.append(payload)
        self._empty.clear()

    async def drain(self) -> None:
        """Wait until nothing is queued."""
        await self._empty.wait()

    def discard(self) -> None:
        """Drop what is queued and let :meth:`drain` return."""
        self._queue.clear()
        self._empty.set()

    def tick(self) -> None:
        """Send the next frame, or let one pass."""
        if self._queue:
            payload = self._queue.popleft()
            # A talkspurt behind a silence begins with the marker (RFC 3551 §4.1).
            marker = 1 if self._talking and self._silence else 0
            self._silence = 0
            self._talking = True
            self._sender.send_frame_auto(payload, marker=marker, addr=self._get_addr())
            self.paced_sent += 1
            if not self._queue:
                self._empty.set()
            return
        self.empty_ticks += 1
        if self._cn_payload_type is not None and self._talking and self._silence % _CN_REFRESH_TICKS == 0:
            level = self._get_cn_level() if self._get_cn_level is not None else DEFAULT_CN_LEVEL
            self._sender.send_raw(
                self._cn_payload_type,
                build_cn_payload(level),
                self._sender.current_timestamp,
                addr=self._get_addr(),
            )
            self.cn_sent += 1
        self._silence += 1
        self._sender.advance_timestamp()

    def stats(self) -> dict[str, int]:
        """The counters."""
        return {
            "queue_depth": len(self._queue),
            "paced_sent": self.paced_sent,
            "empty_ticks": self.empty_ticks,
            "cn_sent": self.cn_sent,
        }
