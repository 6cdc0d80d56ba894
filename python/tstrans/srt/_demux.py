"""Receivers of events."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING

from .._native import srt_lib as lib
from .._native.mpegts_lib import Feeder
from ..exceptions import SrtError, SrtErrorKind
from ..mpegts import DemuxEvent, MuxerStats
from ._base import Counting, Managed, limit, parameters
from ._policy import RecvEndReason
from ._stats import SocketStats, packet_level, socket_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._native.transport_lib import Link
    from ..mpegts import DemuxerConfig
    from ..mpegts._events import Batch
    from ._policy import ReconnectPolicy

__all__ = ["DemuxReceiver", "Events", "ManagedDemuxReceiver"]

#: Packets kept of streams that no table has named yet, in bytes: nothing is lost at the start of a link.
_HOLD = 4 << 20


class Events:
    """A link's packets turned into events. Bytes move inside the library, unless a sink wants to see them."""

    __slots__ = ("_config", "_counted", "_feeder", "_lock", "_packets", "_queue", "ended", "seen", "sinks")

    def __init__(self, config: DemuxerConfig | None) -> None:
        self._config = config
        self._feeder = Feeder(config)
        self._lock = Lock()
        self._queue: deque[DemuxEvent] = deque()
        self._packets: lib.Packets | None = None
        self._counted = 0
        self.seen: dict[int, int] = {}
        self.sinks: list[Callable[[bytes], None]] = []
        self.ended = False

    def packets(self) -> int:
        """Packets demuxed so far."""
        feeder = self._feeder
        return self._counted + (0 if feeder.closed else feeder.stats().packets_total)

    def close(self) -> None:
        """Free the demuxer."""
        if self._lock.acquire(timeout=1):
            try:
                self._counted = self.packets()
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
        elif not lib.demux(link, self._feeder, recv_ms):
            self._renew()

    def _renew(self) -> None:
        """Start over for a new link: what the old one left incomplete is dropped."""
        self._counted += self._feeder.stats().packets_total
        self._feeder.close()
        self._feeder = Feeder(self._config, hold=_HOLD)
        self._queue.append(DemuxEvent.ReconnectDiscontinuity())

    def _step_in_python(self, link: Link, recv_ms: int | None) -> None:
        if self._packets is None:
            self._packets = lib.Packets(link)
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


class _Receiving(Counting):
    __slots__ = ("_events",)
    _events: Events

    def _begin(self, link: Link, events: Events, recv_ms: int | None) -> None:
        self._start(link, recv_ms, None)
        self._events = events

    def last_seen_micros(self, pid: int) -> int | None:
        """When the newest event of this PID came, in microseconds since 1970; None without one."""
        return self._events.seen.get(pid)

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        if not self._link.closed:
            super().close()
            self._events.close()


class DemuxReceiver(_Receiving):
    """Receives events over one connection; it is its own iterator.

    At the end of the link come the last pictures, then one ``SrtError`` of kind ``BROKEN``, then the end of
    the iteration.
    """

    __slots__ = ("_broken",)
    _broken: SrtError | None

    def __init__(self, url: str, *, demux_config: DemuxerConfig | None = None) -> None:
        raise TypeError("DemuxReceiver is made by DemuxReceiver.from_url() or Socket.into_demux_receiver()")

    @classmethod
    def _of(cls, link: Link, events: Events, recv_ms: int | None) -> DemuxReceiver:
        self = object.__new__(cls)
        self._begin(link, events, recv_ms)
        self._broken = None
        return self

    @staticmethod
    def from_url(url: str, *, demux_config: DemuxerConfig | None = None) -> DemuxReceiver:
        """Bind and wait for one caller; the URL needs ``mode=listener``. Raises as `Receiver.from_url`."""
        values = parameters(url)
        config = lib.check_config(values)
        events = Events(demux_config)
        return DemuxReceiver._of(lib.receive(values), events, limit(config.recv_ms))

    def __iter__(self) -> DemuxReceiver:
        return self

    def __next__(self) -> DemuxEvent:
        if self._flag.set:
            raise lib.DOMAIN.closed("DemuxReceiver")
        try:
            event = self._events.next(self._link, self._recv_ms)
        except SrtError as e:
            if e.kind is not SrtErrorKind.BROKEN:
                raise
            self._broken = e
            self._events.finish()
            event = self._events.next(self._link, self._recv_ms)
        if event is not None:
            return event
        broken, self._broken = self._broken, None
        if broken is not None:
            raise broken
        raise StopIteration

    def add_byte_sink(self, callback: Callable[[bytes], None]) -> None:
        """Have every packet of 188 bytes passed to a callback before it is demuxed.

        What the callback raises comes out of the iteration.
        """
        self._check_open()
        self._events.sinks.append(callback)

    def stats(self) -> tuple[SocketStats, MuxerStats]:
        """The counters in TS packets: what was received, and the same as a muxer would count it."""
        self._check_not_closed()
        n = self._events.packets()
        return packet_level(n), MuxerStats._of(n, 188 * n, 1, 0)


class ManagedDemuxReceiver(_Receiving, Managed):
    """Receives events over a connection that is replaced when it breaks; it is its own iterator.

    Each new link begins with ``DemuxEvent.ReconnectDiscontinuity`` and a program map; the access unit that
    was cut is dropped. The iteration ends when the policy's attempts are used up.
    """

    __slots__ = ()

    @staticmethod
    def from_url(
        url: str, *, demux_config: DemuxerConfig | None = None, policy: ReconnectPolicy | None = None
    ) -> ManagedDemuxReceiver:
        """Connect, or bind and wait for the first caller; later links follow the policy."""
        values = parameters(url, policy, managed=True)
        config = lib.check_config(values)
        events = Events(demux_config)
        self = object.__new__(ManagedDemuxReceiver)
        self._begin(lib.managed_receive(values, lib.FIRST), events, limit(config.recv_ms))
        self._last = None
        return self

    def __iter__(self) -> ManagedDemuxReceiver:
        return self

    def __next__(self) -> DemuxEvent:
        if self._flag.set:
            raise lib.DOMAIN.closed("ManagedDemuxReceiver")
        try:
            event = self._events.next(self._link, self._recv_ms)
        except SrtError as e:
            if e.kind is not SrtErrorKind.BROKEN or self.end_reason() is None:
                raise
            self._events.finish()
            event = self._events.next(self._link, self._recv_ms)
        if event is None:
            raise StopIteration
        return event

    def reconnect_attempts(self) -> int:
        """Links tried after the first: failed ones too, and one that still waits for a caller."""
        return int(self._reconnects().attempts)

    def end_reason(self) -> RecvEndReason | None:
        """Why the stream ended, None while it has not; the first reason stays, also after `close`."""
        number = self._reconnects().end_reason
        if not number and self._flag.set:
            return RecvEndReason.CANCELLED
        return RecvEndReason(number) if number else None

    def srt_stats(self) -> SocketStats:
        """The counters of the present connection."""
        self._check_not_closed()
        return socket_level(lib.details(self._link))

    def __repr__(self) -> str:
        state = "closed" if self._link.closed else "open"
        return f"ManagedDemuxReceiver({state}, reconnect_attempts={self.reconnect_attempts()})"
