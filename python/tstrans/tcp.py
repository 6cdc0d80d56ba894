"""Raw TCP and TLS: plain byte streams, without framing.

>>> import threading
>>> with Listener.builder().bind("127.0.0.1:0").build() as listener:
...     url = f"tcp://127.0.0.1:{listener.local_port()}"
...     with Transport.builder().url(url).build() as client, listener.accept_blocking() as server:
...         client.send(b"hello")
...         buf = bytearray(64)
...         n = server.recv(buf)
...         bytes(buf[:n])
b'hello'

Calls that wait end with ``TcpError`` of kind ``CLOSED`` when another thread closes or cancels the object.
"""

from __future__ import annotations

import os

from ._live import CancelHandle as _CancelHandle
from ._live import Closing, Final, Snapshot, text
from ._native.tcp_lib import adopt, dial, listen
from ._native.transport_abi import TST_LINK_LOCAL, TST_LINK_PEER
from ._native.transport_lib import Link, unsigned
from .exceptions import TcpError, TcpErrorKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from ._live_tcp import ManagedDemuxReceiver as ManagedDemuxReceiver
    from ._live_tcp import ManagedMuxSender as ManagedMuxSender
    from ._live_tcp import ManagedReceiver as ManagedReceiver
    from ._live_tcp import ManagedSender as ManagedSender

    _T = TypeVar("_T")

__all__ = [
    "CancelHandle",
    "ClientCert",
    "Listener",
    "ListenerBuilder",
    "ManagedDemuxReceiver",
    "ManagedMuxSender",
    "ManagedReceiver",
    "ManagedSender",
    "SocketStats",
    "TcpError",
    "TcpErrorKind",
    "TlsConfig",
    "Transport",
    "TransportBuilder",
]

#: Longer data is sent in pieces.
_WHOLE = 60000
_MOST_BUFFER = 1 << 30
_MOST = (1 << 31) - 1
_MOST_MS = (1 << 32) - 1


class CancelHandle(_CancelHandle):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ()


class SocketStats(Snapshot):
    """Counters of one connection; calls count empty ones too."""

    __slots__ = ("bytes_sent", "bytes_received", "send_calls", "recv_calls", "send_errors", "recv_errors")
    bytes_sent: int
    bytes_received: int
    send_calls: int
    recv_calls: int
    send_errors: int
    recv_errors: int


def _exactly(kind: type[_T], name: str, value: _T) -> _T:
    """An argument that is taken as it is: a TypeError for what is no `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__!r}")
    return value


class ClientCert:
    """A certificate chain and its key, both PEM, for a client that shows who it is."""

    __slots__ = ("_cert_pem", "_key_pem")

    def __init__(self, cert_pem: bytes, key_pem: bytes) -> None:
        self._cert_pem = _exactly(bytes, "cert_pem", cert_pem)
        self._key_pem = _exactly(bytes, "key_pem", key_pem)

    @property
    def cert_pem(self) -> bytes:
        """The certificate chain."""
        return self._cert_pem

    @property
    def key_pem(self) -> bytes:
        """The private key."""
        return self._key_pem

    def __repr__(self) -> str:
        return f"ClientCert(cert_pem=<{len(self._cert_pem)} bytes>, key_pem=<redacted {len(self._key_pem)}>)"


class TlsConfig:
    """How a client checks the server, and what it shows of itself. ``TransportBuilder.tls`` takes it."""

    __slots__ = ("_ca_pem", "_client_cert", "_verify_hostname")

    def __init__(
        self,
        ca_pem: bytes | None = None,
        *,
        verify_hostname: bool = True,
        client_cert: ClientCert | None = None,
    ) -> None:
        self._ca_pem = b"" if ca_pem is None else _exactly(bytes, "ca_pem", ca_pem)
        self._verify_hostname = _exactly(bool, "verify_hostname", verify_hostname)
        self._client_cert = None if client_cert is None else _exactly(ClientCert, "client_cert", client_cert)

    @property
    def ca_pem(self) -> bytes:
        """Roots that replace the system's; empty keeps those."""
        return self._ca_pem

    @property
    def verify_hostname(self) -> bool:
        """Whether the certificate has to name the host that is dialled."""
        return self._verify_hostname

    @property
    def client_cert(self) -> ClientCert | None:
        """The certificate shown to the server."""
        return self._client_cert

    def __repr__(self) -> str:
        return (
            f"TlsConfig(ca_pem=<{len(self._ca_pem)} bytes>, "
            f"verify_hostname={str(self._verify_hostname).lower()})"
        )


class Transport(Closing):
    """One connection, both ways. Make it with ``Transport.builder()`` or take it from a listener."""

    __slots__ = ()

    @staticmethod
    def builder() -> TransportBuilder:
        """A new builder."""
        return TransportBuilder._new()

    @classmethod
    def _of(cls, link: Link) -> Transport:
        self = object.__new__(cls)
        self._hold(link)
        return self

    def send(self, payload: object) -> None:
        """Send all of payload; nothing happens when it is empty. In a burst short ones may leave up to a
        millisecond later, together.

        Raises:
            TcpError: longer than ``pkt_size`` (``PAYLOAD_TOO_LARGE``), the peer is gone (``IO``), or the
                object is closed or cancelled (``CLOSED``).
        """
        if payload.__class__ is bytes and 0 < len(payload) <= _WHOLE:
            self._link.send(payload)
        else:
            self._link.send_all(payload)

    def recv(self, buf: bytearray) -> int:
        """Fill ``buf`` with what arrived and tell how many bytes that is, at least one.

        Raises:
            TcpError: the peer closed, or is lost (``IO``), or the object is closed or cancelled (``CLOSED``).
            ValueError: ``buf`` is empty.
        """
        if not isinstance(buf, bytearray):
            raise TypeError(f"recv() fills a bytearray, not {type(buf).__name__!r}")
        if not buf:
            raise ValueError("recv() needs a buffer with room")
        return int(self._link.receive(buf))

    def peer_addr(self) -> str:
        """``ip:port`` of the other side, empty once this one is closed."""
        return "" if self._link.closed else str(self._link.text(TST_LINK_PEER))

    def fileno(self) -> int:
        """A descriptor that is readable when bytes wait."""
        return int(self._link.fileno())

    def stats(self) -> SocketStats:
        """The counters; waits for nothing."""
        s = self._link.stats()
        return SocketStats._of(
            (s.bytes_sent, s.bytes_received, s.send_calls, s.recv_calls, s.send_errors, s.recv_errors)
        )

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)

    def __repr__(self) -> str:
        return "Transport(closed)" if self._link.closed else f"Transport(peer={self.peer_addr()})"


class TransportBuilder(Final):
    """Collects the options of a connection. Setters win over the URL, and a builder may be used again."""

    __slots__ = ("_values",)
    _values: dict[str, int | str | bytes | None]

    @classmethod
    def _new(cls) -> TransportBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def url(self, s: str) -> TransportBuilder:
        """``tcp://host:port`` or ``tcps://host:port`` with nodelay, keepalive (s), connect_timeout (s),
        idle_timeout (ms), rcvbuf, sndbuf, ca, cert, key; other keys are ignored."""
        self._values["url"] = text(s)
        return self

    def nodelay(self, v: bool) -> TransportBuilder:
        """Whether short sends leave at once; true unless set."""
        self._values["nodelay"] = _flag(v)
        return self

    def keepalive_ms(self, v: int) -> TransportBuilder:
        """The time between probes of an idle connection in ms, from 1000; off unless set."""
        self._values["keepalive_ms"] = min(unsigned("keepalive_ms", v, 64), _MOST_MS)
        return self

    def rcvbuf(self, v: int) -> TransportBuilder:
        """The socket's receive buffer in bytes."""
        self._values["rcvbuf"] = min(unsigned("rcvbuf", v, 64), _MOST_BUFFER)
        return self

    def sndbuf(self, v: int) -> TransportBuilder:
        """The socket's send buffer in bytes."""
        self._values["sndbuf"] = min(unsigned("sndbuf", v, 64), _MOST_BUFFER)
        return self

    def pkt_size(self, v: int) -> TransportBuilder:
        """The longest single send in bytes; 65536 unless set."""
        self._values["pkt_size"] = min(unsigned("pkt_size", v, 64), _MOST)
        return self

    def connect_timeout_ms(self, v: int) -> TransportBuilder:
        """The time connecting and the TLS handshake may take in ms; 10000 unless set."""
        self._values["connect_timeout_ms"] = min(unsigned("connect_timeout_ms", v, 64), _MOST_MS)
        return self

    def idle_timeout_ms(self, v: int) -> TransportBuilder:
        """After so long without a byte from the peer, or taken by it, it counts as lost; never unless set."""
        self._values["idle_timeout_ms"] = min(unsigned("idle_timeout_ms", v, 64), _MOST)
        return self

    def tls(self, config: TlsConfig) -> TransportBuilder:
        """How a ``tcps://`` connection checks the server and shows who it is."""
        if not isinstance(config, TlsConfig):
            raise TypeError(f"a TlsConfig is required, not {type(config).__name__!r}")
        cert = config.client_cert
        self._values["ca_pem"] = config.ca_pem or None
        self._values["verify_hostname"] = int(config.verify_hostname)
        self._values["cert_pem"] = cert.cert_pem if cert else None
        self._values["key_pem"] = cert.key_pem if cert else None
        return self

    def build(self) -> Transport:
        """Connect.

        Raises:
            ValueError: no ``url``.
            TcpError: ``URL``; ``CONNECT_TIMEOUT`` without an answer; ``TLS`` when a certificate is refused;
                ``IO`` for every other fault.
        """
        if "url" not in self._values:
            raise ValueError("url(...) is required before build()")
        return Transport._of(dial(self._values))

    def __repr__(self) -> str:
        return f"TransportBuilder(url={self._values.get('url')!r})"


class Listener(Closing):
    """Accepts connections. Make it with ``Listener.builder()``."""

    __slots__ = ()

    @staticmethod
    def builder() -> ListenerBuilder:
        """A new builder."""
        return ListenerBuilder._new()

    @classmethod
    def _of(cls, link: Link) -> Listener:
        self = object.__new__(cls)
        self._hold(link)
        return self

    def accept_blocking(self) -> Transport:
        """Wait for a connection. A TLS handshake goes on in the background; the first send or recv waits for
        it.

        Raises:
            TcpError: the listener is closed or cancelled (``CLOSED``), or a fault of the system (``IO``).
        """
        return Transport._of(adopt(self._link.accept(None)))

    def local_port(self) -> int:
        """The bound port."""
        return int(self._link.address(TST_LINK_LOCAL)[1])

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class ListenerBuilder(Final):
    """Collects the options of a listener; they hold for what it accepts. It may be used again."""

    __slots__ = ("_values",)
    _values: dict[str, int | str | bytes | None]

    @classmethod
    def _new(cls) -> ListenerBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def bind(self, s: str) -> ListenerBuilder:
        """``ip:port``, the ip a literal; port 0 picks a free one."""
        self._values["bind"] = text(s)
        return self

    def nodelay(self, v: bool) -> ListenerBuilder:
        """Whether short sends leave at once; true unless set."""
        self._values["nodelay"] = _flag(v)
        return self

    def rcvbuf(self, v: int) -> ListenerBuilder:
        """The sockets' receive buffer in bytes."""
        self._values["rcvbuf"] = min(unsigned("rcvbuf", v, 64), _MOST_BUFFER)
        return self

    def sndbuf(self, v: int) -> ListenerBuilder:
        """The sockets' send buffer in bytes."""
        self._values["sndbuf"] = min(unsigned("sndbuf", v, 64), _MOST_BUFFER)
        return self

    def pkt_size(self, v: int) -> ListenerBuilder:
        """The longest single send in bytes; 65536 unless set."""
        self._values["pkt_size"] = min(unsigned("pkt_size", v, 64), _MOST)
        return self

    def idle_timeout_ms(self, v: int) -> ListenerBuilder:
        """After so long without a byte from the peer, or taken by it, it counts as lost; never unless set."""
        self._values["idle_timeout_ms"] = min(unsigned("idle_timeout_ms", v, 64), _MOST)
        return self

    def tls(self, cert: str | os.PathLike[str], key: str | os.PathLike[str]) -> ListenerBuilder:
        """Accept TLS only, with the certificate chain and key of these PEM files."""
        self._values["cert_path"] = os.fspath(cert)
        self._values["key_path"] = os.fspath(key)
        return self

    def client_ca(self, ca_pem: bytes) -> ListenerBuilder:
        """Clients must show a certificate signed by one of these (PEM); needs ``tls``."""
        self._values["client_ca_pem"] = bytes(ca_pem)
        return self

    def build(self) -> Listener:
        """The listener, bound.

        Raises:
            ValueError: no ``bind``.
            TcpError: ``URL``, ``TLS``, or ``IO`` when the system refuses or a file cannot be read.
        """
        if "bind" not in self._values:
            raise ValueError("bind(...) is required before build()")
        return Listener._of(listen(self._values))

    def __repr__(self) -> str:
        return f"ListenerBuilder(bind={self._values.get('bind')!r})"


def _flag(v: object) -> bool:
    if not isinstance(v, bool):
        raise TypeError(f"a bool is required, not {type(v).__name__!r}")
    return v


def __getattr__(name: str) -> object:
    if name in ("ManagedDemuxReceiver", "ManagedMuxSender", "ManagedReceiver", "ManagedSender"):
        from . import _live_tcp

        value = globals()[name] = getattr(_live_tcp, name)
        value.__module__ = __name__
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
