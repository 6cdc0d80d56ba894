"""Senders of access units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._live_push import Pushing, muxer_of
from .._native import srt_lib as lib
from ._base import Cancelling, Managed, limit, parameters
from ._stats import SocketStats, socket_level

if TYPE_CHECKING:
    from .._live_policy import ManagedTransportStats, ReconnectPolicy
    from .._native.transport_lib import Link
    from ..mpegts import Muxer, MuxerProgramConfig, MuxerStats

__all__ = ["ManagedMuxSender", "MuxSender"]


class _Pushing(Pushing, Cancelling):
    __slots__ = ()

    def _counters(self) -> SocketStats:
        return socket_level(lib.details(self._link))

    def stats(self) -> tuple[SocketStats, MuxerStats]:
        """The counters of the connection and of the muxer; waits for nothing."""
        counters: tuple[SocketStats, MuxerStats] = self._both()
        return counters


class MuxSender(_Pushing):
    """Sends access units over one connection.

    The packets of a push leave at once, in messages of up to seven; tables come before the first and are
    repeated as the muxer's configuration says.
    """

    __slots__ = ()

    def __init__(self, url: str, program_config: MuxerProgramConfig, *, pkt_size: int = 1316) -> None:
        raise TypeError("MuxSender is made by MuxSender.from_url() or Socket.into_mux_sender()")

    @classmethod
    def _of(cls, link: Link, muxer: Muxer, send_ms: int | None) -> MuxSender:
        self = object.__new__(cls)
        self._begin(link, muxer, send_ms)
        return self

    @staticmethod
    def from_url(url: str, program_config: MuxerProgramConfig) -> MuxSender:
        """Connect as a caller. Raises as `Sender.from_url`."""
        muxer = muxer_of(program_config)
        values = parameters(url)
        config = lib.check_config(values)
        return MuxSender._of(lib.dial(values), muxer, limit(config.send_ms))


class ManagedMuxSender(_Pushing, Managed):
    """Sends access units over a connection that is replaced when it breaks."""

    __slots__ = ()

    @staticmethod
    def from_url(
        url: str, program_config: MuxerProgramConfig, *, policy: ReconnectPolicy | None = None
    ) -> ManagedMuxSender:
        """Connect as a caller, once; later connections follow the policy."""
        muxer = muxer_of(program_config)
        values = parameters(url, policy, managed=True)
        config = lib.check_config(values)
        self = object.__new__(ManagedMuxSender)
        self._begin(lib.managed_send(values, lib.FIRST), muxer, limit(config.send_ms))
        self._last = None
        return self

    def reconnect_attempts(self) -> int:
        """Connections tried after the first, failed ones too."""
        return int(self._reconnects().attempts)

    def reconnect_stats(self) -> ManagedTransportStats:
        """The counters of the reconnecting."""
        return self._transport_stats()

    def __repr__(self) -> str:
        state = "closed" if self._link.closed else "open"
        return f"ManagedMuxSender({state}, reconnect_attempts={self.reconnect_attempts()})"
