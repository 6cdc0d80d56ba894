"""Receivers of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._live_events import Events
from .._live_policy import RecvEndReason
from .._native import srt_lib as lib
from ..exceptions import SrtError, SrtErrorKind
from ..mpegts import MuxerStats
from ._base import Counting, Managed, limit, parameters
from ._stats import SocketStats, packet_level, socket_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._live_policy import ReconnectPolicy
    from .._native.transport_lib import Link
    from ..mpegts import DemuxerConfig, DemuxEvent

__all__ = ["DemuxReceiver", "ManagedDemuxReceiver"]


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
