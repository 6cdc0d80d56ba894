"""Access units out, events in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._live import text
from .._live_events import Events
from .._live_push import Pushing, muxer_of
from .._native import rtp_lib as lib
from .._native.transport_lib import unsigned
from ..exceptions import RtpError, RtpErrorKind
from ..mpegts import DemuxEvent, MuxerStats
from ._plain import CancelHandle, Ending, closed, packet_size, received
from ._stats import SocketStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._native.transport_lib import Link
    from ..mpegts import DemuxerConfig, MuxerProgramConfig

__all__ = ["DemuxReceiver", "MuxSender"]


class MuxSender(Pushing):
    """Muxes what is pushed and sends it in RTP packets at once.

    Args:
        url: as for `Sender`.
        program_config: the program to send.
        pkt_size: the longest datagram in bytes; a packet carries as many TS packets as fit behind its header
            of 12 bytes, and none with less than 200.

    Raises:
        RtpError: as for `Sender`.
        MuxError: a program that cannot be muxed.
    """

    __slots__ = ()

    def __new__(cls, url: str, program_config: MuxerProgramConfig, *, pkt_size: int = 1316) -> MuxSender:
        values: dict[str, int | str] = {"url": text(url), "pkt_size": packet_size(pkt_size)}
        muxer = muxer_of(program_config)
        self = object.__new__(cls)
        self._begin(lib.send(values), muxer, None)
        return self

    def __init__(self, url: str, program_config: MuxerProgramConfig, *, pkt_size: int = 1316) -> None:
        pass

    def _check_open(self) -> None:
        if self._link.closed and self._summary is None:
            raise closed("the sender")
        if self._flag.set:
            raise lib.RTP.closed("the sender")

    def _check_not_closed(self) -> None:
        if self._link.closed:
            raise closed("the sender")

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)

    def _counters(self) -> SocketStats:
        s = self._link.stats()
        return SocketStats._make(sent=(s.bytes_sent, s.messages_sent))

    def stats(self) -> tuple[SocketStats, MuxerStats]:
        """The counters of the packets and of the muxer; waits for nothing."""
        counters: tuple[SocketStats, MuxerStats] = self._both()
        return counters


class DemuxReceiver(Ending):
    """Receives events; it is its own iterator.

    Args:
        url: as for `Receiver`.
        demux_config: how to demultiplex.

    Raises:
        RtpError: as for `Receiver`.
    """

    __slots__ = ("_events", "_keep", "_recv_ms")
    _events: Events
    _keep: object
    _recv_ms: int | None

    def __new__(cls, url: str, *, demux_config: DemuxerConfig | None = None) -> DemuxReceiver:
        return cls._of(lib.receive({"url": text(url)}), Events(demux_config), None)

    def __init__(self, url: str, *, demux_config: DemuxerConfig | None = None) -> None:
        pass

    @classmethod
    def _of(cls, link: Link, events: Events, keep: object) -> DemuxReceiver:
        self = object.__new__(cls)
        self._hold(link)
        self._end = (None, None)
        self._events = events
        self._keep = keep  # a session ends when nobody holds it any more
        ms = lib.rtp_stats(link).recv_timeout_ms
        self._recv_ms = None if ms < 0 else ms
        return self

    def __iter__(self) -> Iterator[DemuxEvent]:
        return self

    def __next__(self) -> DemuxEvent:
        """The next event.

        The iteration ends when the stream does: when the server ends it or is lost, or the session is torn
        down; `end_reason` tells which.

        Raises:
            RtpError: nothing came within the URL's ``recv_timeout`` (``BACKPRESSURE``; iterate again to go
                on), closed by another thread (``CANCELLED``), closed before (``TRANSPORT``).
            DemuxError: what the configuration rejects.
        """
        if self._link.closed:
            raise closed("the receiver")
        try:
            event = self._events.next(self._link, self._recv_ms)
        except RtpError as e:
            if e.kind is not RtpErrorKind.END_OF_STREAM:
                raise
            self._events.finish()
            event = self._events.next(self._link, self._recv_ms)
        if event is None:
            raise StopIteration
        return event

    def add_byte_sink(self, callback: Callable[[bytes], None]) -> None:
        """Have every TS packet of 188 bytes passed to a callback before it is demultiplexed.

        What the callback raises comes out of the iteration.
        """
        if self._link.closed:
            raise closed("the receiver")
        self._events.sinks.append(callback)

    def stats(self) -> tuple[SocketStats, MuxerStats]:
        """The counters of the packets, and of the TS packets demultiplexed as a muxer would count them."""
        if self._link.closed:
            raise closed("the receiver")
        n = self._events.packets()
        return received(self._link), MuxerStats._of(n, 188 * n, min(n, 1), 0)

    def last_seen_micros(self, pid: int) -> int | None:
        """When the newest event of this PID came, in microseconds since 1970; None without one."""
        return self._events.seen.get(unsigned("pid", pid, 16))

    def local_addr(self) -> str | None:
        """The bound "ip:port"; None for a stream inside an RTSP connection."""
        if self._link.closed:
            raise closed("the receiver")
        return self._link.text(0) or None

    def close(self) -> None:
        """End a parked iteration and free everything; repeating it does nothing."""
        if not self._link.closed:
            super().close()
            self._events.close()
            self._keep = None
