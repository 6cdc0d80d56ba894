"""What the SRT objects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._live import CancelHandle as _CancelHandle
from .._live import Live, limit, text
from .._live_managed import Managed as _Managed
from .._live_managed import PacketByPacket as _PacketByPacket
from .._live_policy import policy_parameters
from .._native import srt_lib as lib
from ..exceptions import SrtError, SrtErrorKind
from ._stats import SocketStats, SrtStats, socket_level, srt_level

if TYPE_CHECKING:
    from .._live_policy import ReconnectPolicy

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
    values: dict[str, Any] = {"url": text(url)}
    if not url:
        raise SrtError(kind=SrtErrorKind.CONFIG_INVALID, message="the URL is empty")
    if managed:
        values.update(policy_parameters(policy))
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


class PacketByPacket(_PacketByPacket, Counting):
    """A receiver that hands out packets one at a time."""

    __slots__ = ()


class Managed(_Managed, Cancelling):
    """An object whose link is replaced."""

    __slots__ = ()
