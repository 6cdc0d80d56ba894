"""What the SRT objects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._live import CancelHandle as _CancelHandle
from .._live import Live, limit, text
from .._native import srt_lib as lib
from .._native.link_ts_lib import Packets
from .._native.transport_lib import unsigned
from ._stats import ManagedTransportStats, SocketStats, SrtStats, socket_level, srt_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._native.transport_lib import Link
    from ._policy import ReconnectPolicy

__all__ = [
    "CancelHandle",
    "Cancelling",
    "Counting",
    "Live",
    "Managed",
    "PacketByPacket",
    "Plain",
    "limit",
    "parameters",
]


class CancelHandle(_CancelHandle):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ()


def parameters(url: str, policy: ReconnectPolicy | None = None, managed: bool = False) -> dict[str, Any]:
    """A URL and a policy as the library takes them."""
    from ._policy import ReconnectPolicy

    values: dict[str, Any] = {"url": text(url)}
    if managed:
        if policy is None:
            policy = ReconnectPolicy()
        elif not isinstance(policy, ReconnectPolicy):
            raise TypeError(f"policy must be a ReconnectPolicy, not {type(policy).__name__!r}")
        values.update(policy._parameters())
    return values


class Cancelling(Live):
    """An object with calls that wait."""

    __slots__ = ()
    _domain = lib.DOMAIN

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class Counting(Cancelling):
    """An object over a connection that counts."""

    __slots__ = ()

    def socket_stats(self) -> SocketStats:
        """The counters of the connection, all zero once it is lost; waits for nothing."""
        self._check_not_closed()
        return socket_level(lib.details(self._link))


class Plain(Counting):
    """An object over one connection that stays lost once it is."""

    __slots__ = ()

    def srt_stats(self) -> SrtStats:
        """The counters of the connection with their side named.

        Raises:
            SrtError: the object is closed or its link lost (``CLOSED``).
        """
        self._check_not_closed()
        if not self._link.alive:
            raise self._domain.closed(type(self).__name__)
        return srt_level(lib.details(self._link))


class PacketByPacket(Counting):
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
        if max_len.__class__ is not int or max_len < 0:
            unsigned("max_len", max_len, 64)
        for packet in self._rest:
            return packet
        if self._flag.set:
            raise self._link.domain.closed(type(self).__name__)
        self._rest = rest = self._packets.more(self._recv_ms)
        return next(rest)


class Managed(Cancelling):
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
