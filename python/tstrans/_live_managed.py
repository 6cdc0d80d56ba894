"""Objects whose link is replaced when it breaks, whatever the transport."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ._live import Live, Snapshot
from ._live_events import Events
from ._live_policy import ManagedTransportStats, RecvEndReason
from ._live_push import Pushing, muxer_of
from ._native.link_ts_lib import Packets
from ._native.transport_lib import unsigned
from .exceptions import TstError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._native.transport_lib import Link
    from .mpegts import DemuxerConfig, DemuxEvent, MuxerProgramConfig, MuxerStats

__all__ = [
    "LinkStats",
    "Managed",
    "ManagedBytesReceiver",
    "ManagedBytesSender",
    "ManagedEventsReceiver",
    "ManagedUnitsSender",
    "PacketByPacket",
]


class PacketByPacket(Live):
    """A receiver that hands out packets one at a time."""

    __slots__ = ("_packets", "_rest")
    _packets: Packets
    #: What was read and not handed out yet.
    _rest: Iterator[bytes]

    def _read_from(self, link: Link, recv_ms: int | None, send_ms: int | None) -> None:
        self._start(link, recv_ms, send_ms)
        self._packets = Packets(link)
        self._forget()
        self._flag.end = self._forget

    def _forget(self) -> None:
        self._rest = iter(())

    def _next(self, max_len: int) -> bytes:
        if max_len.__class__ is not int or not 0 <= max_len < 1 << 64:
            unsigned("max_len", max_len, 64)
        for packet in self._rest:
            return packet
        if self._flag.set:
            raise self._link.domain.closed(type(self).__name__)
        self._rest = rest = self._packets.more(self._recv_ms)
        return next(rest)


class Managed(Live):
    """An object whose link is replaced."""

    __slots__ = ()

    def _reconnects(self) -> Any:
        if not self._link.closed:
            self._last = self._link.reconnect_stats()
        return self._last

    def _transport_stats(self) -> ManagedTransportStats:
        self._check_not_closed()
        s = self._reconnects()
        return ManagedTransportStats._of(
            (
                *(s.attempts, s.successes, s.gap_len, s.gap_messages_dropped, s.gap_bytes_dropped),
                *(bool(s.reconnecting), s.link_messages_lost, s.link_bytes_lost, s.messages_resent),
            )
        )

    def close(self) -> None:
        """End parked calls, also a reconnect under way, and free everything; repeating it does nothing."""
        if not self._link.closed:
            self._reconnects()
        super().close()


class LinkStats(Snapshot):
    """Counters over all links of an object; bytes are payload bytes."""

    __slots__ = (
        "messages_sent",
        "bytes_sent",
        "messages_received",
        "bytes_received",
        "messages_dropped",
        "send_errors",
        "recv_errors",
    )
    messages_sent: int
    bytes_sent: int
    messages_received: int
    bytes_received: int
    messages_dropped: int
    send_errors: int
    recv_errors: int


def link_stats(link: Link) -> LinkStats:
    """From the library's counters."""
    s = link.stats()
    return LinkStats._of(getattr(s, name) for name in LinkStats._fields)


class ManagedBytesSender(Managed):
    """Sends a transport stream, given in pieces of any length, in messages of seven packets."""

    __slots__ = ()

    def _begin(self, link: Link) -> None:
        self._start(link, None, None)
        self._last = None

    def send_bytes(self, data: Any) -> None:
        """Take a piece of a transport stream over and send the messages it completes.

        Raises:
            TstError: the module's own, of kind ``BROKEN`` when the attempts are used up (the next call starts
                over), ``BACKPRESSURE`` when the gap buffer is full and refuses.
        """
        self._link.send_ts(data)

    def flush(self) -> None:
        """Send the whole packets that wait, as one shorter message."""
        self._link.flush_ts()

    def stats(self) -> LinkStats:
        """The counters over all links; waits for nothing."""
        self._check_not_closed()
        return link_stats(self._link)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()

    def close(self) -> None:
        """Flush as far as that goes at once, end parked calls, free everything; repeating it does nothing."""
        if not self._flag.set and not self._link.closed:
            with suppress(TstError):
                self._link.flush_ts(0)
        super().close()


class ManagedBytesReceiver(PacketByPacket, Managed):
    """Receives a transport stream packet by packet, over one link after the other."""

    __slots__ = ()

    def _begin(self, link: Link) -> None:
        self._read_from(link, None, None)
        self._last = None

    def recv_bytes(self, max_len: int = 1500) -> bytes:
        """The next packet: 188 bytes, whatever ``max_len`` is, from whichever link.

        Raises:
            TstError: the module's own, of kind ``BROKEN`` when the attempts are used up, ``CLOSED`` when
                closed or cancelled.
        """
        return self._next(max_len)

    def recv_batch(self) -> tuple[bytes, bool]:
        """As many packets as are ready, and whether they are the first of a new link."""
        if self._flag.set:
            raise self._domain.closed(type(self).__name__)
        return self._packets.read(self._recv_ms)

    def reconnect_attempts(self) -> int:
        """How often a link was replaced."""
        return int(self._reconnects().successes)

    def stats(self) -> LinkStats:
        """The counters over all links; waits for nothing."""
        self._check_not_closed()
        return link_stats(self._link)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()


class ManagedUnitsSender(Pushing, Managed):
    """Muxes what is pushed and sends it at once, over one link after the other."""

    __slots__ = ()

    def _open(self, program_config: MuxerProgramConfig, link: Callable[[], Link]) -> None:
        muxer = muxer_of(program_config)
        self._begin(link(), muxer, None)
        self._last = None

    def _counters(self) -> LinkStats:
        return link_stats(self._link)

    def stats(self) -> tuple[LinkStats, MuxerStats]:
        """The counters over all links, and of the muxer; waits for nothing."""
        counters: tuple[LinkStats, MuxerStats] = self._both()
        return counters

    def reconnect_attempts(self) -> int:
        """Links tried after the first, failed ones too."""
        return int(self._reconnects().attempts)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()


class ManagedEventsReceiver(Managed):
    """Receives events over one link after the other; it is its own iterator.

    The access unit that a break cut is dropped. The iteration ends when the policy's attempts are used up.
    """

    __slots__ = ("_events",)
    _events: Events

    def _open(self, demux_config: DemuxerConfig | None, link: Callable[[], Link]) -> None:
        events = Events(demux_config)
        self._start(link(), None, None)
        self._events = events
        self._last = None

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> DemuxEvent:
        if self._flag.set:
            raise self._domain.closed(type(self).__name__)
        try:
            event = self._events.next(self._link, None)
        except TstError:
            if self._flag.set or self.end_reason() is None:
                raise
            self._events.finish()
            event = self._events.next(self._link, None)
        if event is None:
            raise StopIteration
        return event

    def last_seen_micros(self, pid: int) -> int | None:
        """When the newest event of this PID came, in microseconds since 1970; None without one."""
        return self._events.seen.get(pid)

    def reconnect_attempts(self) -> int:
        """Links tried after the first: failed ones too."""
        return int(self._reconnects().attempts)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()

    def end_reason(self) -> RecvEndReason | None:
        """Why the stream ended, None while it has not; the first reason stays, also after `close`."""
        number = self._reconnects().end_reason
        if not number and self._flag.set:
            return RecvEndReason.CANCELLED
        return RecvEndReason(number) if number else None

    def stats(self) -> LinkStats:
        """The counters over all links; waits for nothing."""
        self._check_not_closed()
        return link_stats(self._link)

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        if not self._link.closed:
            super().close()
            self._events.close()
