"""Raw UDP: unicast, multicast and broadcast datagrams.

>>> with RecvTransport.builder().bind_url("udp://127.0.0.1:0").build() as rx:
...     with Transport.builder().url(f"udp://127.0.0.1:{rx.local_addr_port()}").build() as tx:
...         tx.send(b"one datagram")
...     rx.recv(timeout_ms=5000)
(b'one datagram', '')

Calls that wait end with ``UdpError`` of kind ``CLOSED`` when another thread closes or cancels the object.
"""

from __future__ import annotations

from collections import deque

from ._live import CancelHandle as _CancelHandle
from ._live import Closing, Final, Snapshot, text
from ._native.transport_abi import TST_LINK_LOCAL
from ._native.transport_lib import Messages, unsigned
from ._native.udp_lib import DOMAIN, receiving, sending
from .exceptions import UdpError, UdpErrorKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._live_udp import ManagedDemuxReceiver as ManagedDemuxReceiver
    from ._live_udp import ManagedMuxSender as ManagedMuxSender
    from ._live_udp import ManagedReceiver as ManagedReceiver
    from ._live_udp import ManagedSender as ManagedSender

__all__ = [
    "CancelHandle",
    "ManagedDemuxReceiver",
    "ManagedMuxSender",
    "ManagedReceiver",
    "ManagedSender",
    "RecvTransport",
    "RecvTransportBuilder",
    "SocketStats",
    "Transport",
    "TransportBuilder",
    "UdpError",
    "UdpErrorKind",
]


class CancelHandle(_CancelHandle):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ()


class SocketStats(Snapshot):
    """Counters of one object; bytes are payload bytes, and running out of time is no error."""

    __slots__ = (
        "datagrams_sent",
        "bytes_sent",
        "datagrams_received",
        "bytes_received",
        "send_errors",
        "recv_errors",
    )
    datagrams_sent: int
    bytes_sent: int
    datagrams_received: int
    bytes_received: int
    send_errors: int
    recv_errors: int


class Transport(Closing):
    """Sends datagrams to one address. Make it with ``Transport.builder()``."""

    __slots__ = ()

    @staticmethod
    def builder() -> TransportBuilder:
        """A new builder."""
        return TransportBuilder._new()

    @classmethod
    def _of(cls, values: dict[str, int | str]) -> Transport:
        self = object.__new__(cls)
        self._hold(sending(values))
        return self

    def send(self, payload: object) -> None:
        """Send one datagram, which may be empty. In a burst it may leave up to a millisecond later.

        Raises:
            UdpError: longer than ``pkt_size`` (``PAYLOAD_TOO_LARGE``, nothing is sent), a fault of the system
                (``IO``), or the object is closed or cancelled (``CLOSED``).
        """
        self._link.send(payload)

    def stats(self) -> SocketStats:
        """The counters; waits for nothing."""
        s = self._link.stats()
        return SocketStats._of((s.messages_sent, s.bytes_sent, 0, 0, s.send_errors, s.recv_errors))

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class TransportBuilder(Final):
    """Collects the options of a sender. Setters win over the URL, and a builder may be used again."""

    __slots__ = ("_values",)
    _values: dict[str, int | str]

    @classmethod
    def _new(cls) -> TransportBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def url(self, s: str) -> TransportBuilder:
        """``udp://host:port?ttl=&tos=&sndbuf=&pkt_size=&iface=``; other keys are ignored."""
        self._values["url"] = text(s)
        return self

    def tos(self, v: int) -> TransportBuilder:
        """The type-of-service byte, 0 to 255."""
        self._values["tos"] = unsigned("tos", v, 8)
        return self

    def ttl(self, v: int) -> TransportBuilder:
        """The time to live in hops, 0 to 255."""
        self._values["ttl"] = unsigned("ttl", v, 8)
        return self

    def sndbuf(self, v: int) -> TransportBuilder:
        """The socket's send buffer in bytes; 0 leaves the system's."""
        self._values["sndbuf"] = min(unsigned("sndbuf", v, 64), _MOST_BUFFER)
        return self

    def pkt_size(self, v: int) -> TransportBuilder:
        """The longest payload in bytes; 1316 unless set."""
        self._values["pkt_size"] = min(unsigned("pkt_size", v, 64), _MOST)
        return self

    def build(self) -> Transport:
        """The sender.

        Raises:
            ValueError: no ``url``.
            UdpError: a URL or an address that is not one (``URL``), or a fault of the system (``IO``).
        """
        if "url" not in self._values:
            raise ValueError("url(...) is required before build()")
        return Transport._of(dict(self._values))

    def __repr__(self) -> str:
        return f"TransportBuilder(url={self._values.get('url')!r})"


class RecvTransport(Closing):
    """Receives datagrams on one address. Make it with ``RecvTransport.builder()``."""

    __slots__ = ("_messages", "_queue")
    _messages: Messages
    _queue: deque[bytes]

    @staticmethod
    def builder() -> RecvTransportBuilder:
        """A new builder."""
        return RecvTransportBuilder._new()

    @classmethod
    def _of(cls, values: dict[str, int | str]) -> RecvTransport:
        self = object.__new__(cls)
        self._hold(receiving(values))
        self._messages = Messages(self._link)
        self._queue = self._messages.queue
        return self

    def recv(self, timeout_ms: int | None = None) -> tuple[bytes, str]:
        """The next datagram, whole, and an empty string. ``None`` waits for ever, 0 does not wait.

        Raises:
            UdpError: nothing within the time given (``IO``, the object stays usable), or the object is closed
                or cancelled (``CLOSED``).
        """
        flag = self._flag
        if flag.set:
            raise DOMAIN.closed("the transport")
        queue = self._queue
        if queue and (timeout_ms is None or (timeout_ms.__class__ is int and 0 <= timeout_ms <= _MOST)):
            try:
                return queue.popleft(), ""
            except IndexError:  # another thread was faster
                pass
        return self._messages.get(None if timeout_ms is None else unsigned("timeout_ms", timeout_ms, 64)), ""

    def local_addr_port(self) -> int:
        """The bound port."""
        return int(self._link.address(TST_LINK_LOCAL)[1])

    def fileno(self) -> int:
        """A descriptor that is readable when a datagram waits: read with ``timeout_ms=0`` until it raises."""
        return int(self._link.fileno())

    def stats(self) -> SocketStats:
        """The counters; waits for nothing."""
        s = self._link.stats()
        held, held_bytes = self._messages.waiting()
        return SocketStats._of(
            (0, 0, s.messages_received - held, s.bytes_received - held_bytes, s.send_errors, s.recv_errors)
        )

    def dropped(self) -> int:
        """How many datagrams found the socket's buffer full and were lost."""
        return int(self._link.stats().messages_dropped)

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        super().close()
        self._messages.drop()


class RecvTransportBuilder(Final):
    """Collects the options of a receiver. Setters win over the URL, and a builder may be used again."""

    __slots__ = ("_values",)
    _values: dict[str, int | str]

    @classmethod
    def _new(cls) -> RecvTransportBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def bind_url(self, s: str) -> RecvTransportBuilder:
        """``udp://[@]addr:port?rcvbuf=&iface=&idle_timeout=``: binds, and joins when addr is a group."""
        self._values["url"] = text(s)
        return self

    def rcvbuf(self, v: int) -> RecvTransportBuilder:
        """The socket's receive buffer in bytes; 0 leaves the system's."""
        self._values["rcvbuf"] = min(unsigned("rcvbuf", v, 64), _MOST_BUFFER)
        return self

    def iface(self, s: str) -> RecvTransportBuilder:
        """Where a group is joined: an address for IPv4, a name for IPv6. Not looked at for unicast."""
        self._values["iface"] = text(s)
        return self

    def pkt_size(self, v: int) -> RecvTransportBuilder:
        """Accepted for older programs: datagrams are received whole, whatever their size."""
        unsigned("pkt_size", v, 64)
        return self

    def build(self) -> RecvTransport:
        """The receiver, bound.

        Raises:
            ValueError: no ``bind_url``.
            UdpError: a URL or an address that is not one (``URL``), or the system refuses (``IO``).
        """
        if "url" not in self._values:
            raise ValueError("bind_url(...) is required before build()")
        return RecvTransport._of(dict(self._values))

    def __repr__(self) -> str:
        return f"RecvTransportBuilder(url={self._values.get('url')!r})"


_MOST_BUFFER = 1 << 30
_MOST = (1 << 31) - 1


def __getattr__(name: str) -> object:
    if name in ("ManagedDemuxReceiver", "ManagedMuxSender", "ManagedReceiver", "ManagedSender"):
        from . import _live_udp

        value = globals()[name] = getattr(_live_udp, name)
        value.__module__ = __name__
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
