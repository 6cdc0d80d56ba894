"""Sender and receiver of transport-stream bytes whose link is replaced when it breaks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from .._native import srt_lib as lib
from ..exceptions import SrtError, SrtErrorKind, TstError
from ._base import Counting, Managed, PacketByPacket, limit, parameters

if TYPE_CHECKING:
    from .._live_policy import ManagedTransportStats, ReconnectPolicy
    from ._stats import SrtStats

__all__ = ["ManagedReceiver", "ManagedSender"]


class _Raw(Managed, Counting):
    __slots__ = ()

    def _no_srt_stats(self) -> NoReturn:
        self._check_not_closed()
        raise SrtError(
            kind=SrtErrorKind.IO,
            message="a reconnecting object has no srt_stats: socket_stats shows its present connection",
        )


class ManagedSender(_Raw):
    """Sends a transport stream like `Sender`, over a connection that is replaced when it breaks.

    Messages that the lost link never acknowledged, as far as the gap buffer holds them, go out again first.
    """

    __slots__ = ()

    @staticmethod
    def from_url(url: str, *, policy: ReconnectPolicy | None = None) -> ManagedSender:
        """Connect as a caller, once; later connections follow the policy.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the URL, ``BROKEN`` when the first connection
                fails.
        """
        values = parameters(url, policy, managed=True)
        config = lib.check_config(values)
        self = object.__new__(ManagedSender)
        self._start(lib.managed_send(values), limit(config.recv_ms), limit(config.send_ms))
        self._last = None
        return self

    def send_bytes(self, data: Any) -> None:
        """Take a piece of a transport stream over and send the messages it completes.

        Raises:
            SrtError: ``BROKEN`` when the attempts are used up (the next call starts over); ``WOULD_BLOCK``
                when the gap buffer is full and refuses.
        """
        self._link.send_ts(data, self._send_ms)

    def flush(self) -> None:
        """Send the whole packets that wait, as one shorter message."""
        self._link.flush_ts(self._send_ms)

    def srt_stats(self) -> SrtStats:
        """Not kept across connections: raises ``SrtError`` of kind ``IO``."""
        self._no_srt_stats()

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()

    def close(self) -> None:
        """Flush as far as that goes at once, end parked calls, free everything; repeating it does nothing."""
        if not self._flag.set and not self._link.closed:
            with suppress(TstError):
                self._link.flush_ts(0)
        super().close()


class ManagedReceiver(PacketByPacket, _Raw):
    """Receives a transport stream like `Receiver`, from one sender after the other.

    It keeps its port all the time; a sender that comes back is taken at once.
    """

    __slots__ = ()

    @staticmethod
    def from_url(url: str, *, policy: ReconnectPolicy | None = None) -> ManagedReceiver:
        """Bind and wait for the first caller; the URL needs ``mode=listener``.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the URL, ``BROKEN`` when the address cannot be
                bound.
        """
        values = parameters(url, policy, managed=True)
        config = lib.check_config(values)
        if config.mode != 1:
            raise SrtError(kind=SrtErrorKind.CONFIG_INVALID, message="the URL needs mode=listener")
        self = object.__new__(ManagedReceiver)
        self._read_from(lib.managed_receive(values), limit(config.recv_ms), limit(config.send_ms))
        self._last = None
        return self

    def recv_bytes(self, max_len: int = 1500) -> bytes:
        """The next packet: 188 bytes, whatever ``max_len`` is, from whichever sender.

        Raises:
            SrtError: ``BROKEN`` when the attempts are used up, ``CLOSED`` when closed or cancelled.
        """
        # As `_next`, for the common case: at some hundred thousand packets a second a further call would cost
        # more than everything else.
        if max_len.__class__ is int and max_len >= 0:
            for packet in self._rest:
                return packet
        return self._next(max_len)

    def recv_batch(self) -> tuple[bytes, bool]:
        """As many packets as are ready, and whether they are the first of a new sender."""
        if self._flag.set:
            raise lib.MANAGED.closed("ManagedReceiver")
        return self._packets.read(self._recv_ms)

    def reconnect_attempts(self) -> int:
        """How often a sender was replaced by the next."""
        return int(self._reconnects().successes)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()

    def srt_stats(self) -> SrtStats:
        """Not kept across connections: raises ``SrtError`` of kind ``IO``."""
        self._no_srt_stats()
