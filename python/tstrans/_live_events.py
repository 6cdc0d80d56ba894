"""A live link's packets as events: what every receiver of a transport stream is built on."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING

from ._native.link_ts_lib import Packets, demux
from ._native.mpegts_lib import Feeder
from .mpegts import DemuxEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._native.transport_lib import Link
    from .mpegts import DemuxerConfig
    from .mpegts._events import Batch

__all__ = ["Events"]

#: Packets kept of streams that no table has named yet, in bytes: nothing is lost at the start of a link.
_HOLD = 4 << 20


class Events:
    """A link's packets turned into events. Bytes move inside the library, unless a sink wants to see them."""

    __slots__ = (
        "_config",
        "_counted",
        "_feeder",
        "_known",
        "_lock",
        "_packets",
        "_queue",
        "_watched",
        "ended",
        "seen",
        "sinks",
    )

    def __init__(self, config: DemuxerConfig | None) -> None:
        self._config = config
        self._feeder = Feeder(config)
        self._lock = Lock()
        self._queue: deque[DemuxEvent] = deque()
        self._packets: Packets | None = None
        self._counted = self._known = 0
        self._watched = False
        self.seen: dict[int, int] = {}
        self.sinks: list[Callable[[bytes], None]] = []
        self.ended = False

    def packets(self) -> int:
        """Packets demuxed so far. While another thread is inside the demuxer, what it had counted before."""
        if not self._lock.acquire(False):
            self._watched = True
            return self._known
        try:
            return self._count()
        finally:
            self._lock.release()

    def _count(self) -> int:
        """Ask the demuxer, which only the holder of the lock may."""
        feeder = self._feeder
        self._known = self._counted + (0 if feeder.closed else feeder.stats().packets_total)
        return self._known

    def close(self) -> None:
        """Free the demuxer."""
        if self._lock.acquire(timeout=1):
            try:
                self._counted = self._count()
                self._feeder.close()
                self._queue.clear()
            finally:
                self._lock.release()

    def next(self, link: Link, recv_ms: int | None) -> DemuxEvent | None:
        """The next event, None at the end of a stream that ended well. Faults come after what they follow."""
        while True:
            try:
                return self._queue.popleft()
            except IndexError:
                pass
            with self._lock:
                if self._queue:
                    continue
                if self._feeder.pending:
                    self._take(self._feeder.read())
                elif self.ended:
                    return None
                else:
                    self._step(link, recv_ms)
                    if self._watched or self.sinks:
                        self._count()

    def _take(self, batch: Batch | None) -> None:
        if batch is None:
            return
        now = time_ns() // 1000
        for key in set(batch.quad[3::8].tolist()):
            self.seen[key & 0xFFFF] = now
        self._queue.extend(batch.all())

    def _step(self, link: Link, recv_ms: int | None) -> None:
        if self.sinks:
            self._step_in_python(link, recv_ms)
        elif not demux(link, self._feeder, recv_ms):
            self._renew()

    def _renew(self) -> None:
        """Start over for a new link: what the old one left incomplete is dropped."""
        self._counted += self._feeder.stats().packets_total
        self._feeder.close()
        self._feeder = Feeder(self._config, hold=_HOLD)
        self._queue.append(DemuxEvent.ReconnectDiscontinuity())

    def _step_in_python(self, link: Link, recv_ms: int | None) -> None:
        if self._packets is None:
            self._packets = Packets(link)
        data, fresh = self._packets.read(recv_ms)
        if fresh:
            self._renew()
        for at in range(0, len(data), 188):
            packet = data[at : at + 188]
            for sink in self.sinks:
                sink(packet)
        self._feeder.feed(data)

    def finish(self) -> None:
        """The end of the stream: deliver what is still open."""
        with self._lock:
            if not self.ended:
                self.ended = True
                self._feeder.flush()
