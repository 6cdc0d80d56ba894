"""RIST: messages over a network that loses packets, with recovery and, in the main profile, encryption.

>>> builder = RecvTransport.builder().bind_url("rist://@127.0.0.1:15000").buffer_ms(100)
>>> with builder.profile(RistProfile.MAIN).encryption(EncryptionKey.aes256("a secret")).build() as rx:
...     rx.stats().packets_received
0

Calls that wait end with ``RistError`` of kind ``CLOSED`` when another thread closes or cancels the object.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from ._live import CancelHandle as _CancelHandle
from ._live import Closing, Final, Snapshot, text
from ._native.rist_lib import DOMAIN, details, receiving, sending
from ._native.transport_lib import Messages, unsigned
from .exceptions import RistError, RistErrorKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._live_rist import ManagedDemuxReceiver as ManagedDemuxReceiver
    from ._live_rist import ManagedMuxSender as ManagedMuxSender
    from ._live_rist import ManagedReceiver as ManagedReceiver
    from ._live_rist import ManagedSender as ManagedSender

__all__ = [
    "CancelHandle",
    "EncryptionKey",
    "ManagedDemuxReceiver",
    "ManagedMuxSender",
    "ManagedReceiver",
    "ManagedSender",
    "RecvTransport",
    "RecvTransportBuilder",
    "RistError",
    "RistErrorKind",
    "RistProfile",
    "RistStats",
    "Transport",
    "TransportBuilder",
]

_MOST_MS = (1 << 31) - 1
_MOST = (1 << 31) - 1


class CancelHandle(_CancelHandle):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ()


class RistProfile(Final):
    """The profiles of RIST: ``SIMPLE`` (VSF TR-06-1, two ports) and ``MAIN`` (TR-06-2, one port)."""

    __slots__ = ("_name", "_number")
    _name: str
    _number: int
    SIMPLE: ClassVar[RistProfile]
    MAIN: ClassVar[RistProfile]

    @classmethod
    def _of(cls, name: str, number: int) -> RistProfile:
        self = object.__new__(cls)
        self._name = name
        self._number = number
        return self

    def __int__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RistProfile) and other._number == self._number

    def __hash__(self) -> int:
        return hash((RistProfile, self._number))

    def __repr__(self) -> str:
        return f"RistProfile.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (RistProfile, self._name)


RistProfile.SIMPLE = RistProfile._of("SIMPLE", 0)
RistProfile.MAIN = RistProfile._of("MAIN", 1)


class EncryptionKey(Final):
    """A shared secret and the AES key length made of it; both ends need the same."""

    __slots__ = ("_bits", "_secret")
    _bits: int
    _secret: bytes

    @classmethod
    def _of(cls, bits: int, secret: bytes | str) -> EncryptionKey:
        if isinstance(secret, str):
            secret = secret.encode()
        elif not isinstance(secret, bytes):
            raise TypeError(f"a secret is bytes or str, not {type(secret).__name__!r}")
        self = object.__new__(cls)
        self._bits = bits
        self._secret = secret
        return self

    @staticmethod
    def aes128(secret: bytes | str) -> EncryptionKey:
        """AES with 128 bits."""
        return EncryptionKey._of(128, secret)

    @staticmethod
    def aes192(secret: bytes | str) -> EncryptionKey:
        """AES with 192 bits."""
        return EncryptionKey._of(192, secret)

    @staticmethod
    def aes256(secret: bytes | str) -> EncryptionKey:
        """AES with 256 bits."""
        return EncryptionKey._of(256, secret)

    def __repr__(self) -> str:
        return f"EncryptionKey(aes{self._bits}-bit, [redacted])"


class RistStats(Snapshot):
    """librist's counters, brought up to date several times a second; 0 for the other direction."""

    __slots__ = (
        "packets_sent",
        "packets_retransmitted",
        "packets_dropped",
        "packets_received",
        "packets_missing",
        "recovered_packets",
        "current_bandwidth_kbps",
        "rtt_us",
    )
    packets_sent: int
    packets_retransmitted: int
    packets_dropped: int
    packets_received: int
    packets_missing: int
    recovered_packets: int
    current_bandwidth_kbps: int
    rtt_us: int


class _Base(Closing):
    __slots__ = ("_where",)
    _where: str

    def _at(self, values: dict[str, Any]) -> None:
        self._where = values["url"].partition("?")[0]

    def _shown(self, role: str) -> str:
        state = "closed" if self._link.closed else f'{role}="{self._where}"'
        return f"{type(self).__name__}({state})"

    def stats(self) -> RistStats:
        """The counters; waits for nothing. ``packets_dropped`` are those that never came."""
        s = details(self._link)
        return RistStats._of(
            (
                *(s.packets_sent, s.packets_retransmitted, s.packets_lost, s.packets_received),
                *(s.packets_missing, s.packets_recovered, s.bandwidth_bps // 1000, s.rtt_us),
            )
        )

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class Transport(_Base):
    """Sends messages to one receiver. Make it with ``Transport.builder()``.

    What is sent in its first 2 s is held until the two have met (at most 4096 messages and 8 MiB). What
    is sent later to nobody is lost.
    """

    __slots__ = ()

    @staticmethod
    def builder() -> TransportBuilder:
        """A new builder."""
        return TransportBuilder._new()

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Transport:
        self = object.__new__(cls)
        self._hold(sending(values))
        self._at(values)
        return self

    def send(self, payload: bytes | bytearray | memoryview) -> None:
        """Send one message of 1 to ``pkt_size`` bytes.

        Raises:
            RistError: empty or longer (``PAYLOAD_TOO_LARGE``), or the object is closed or cancelled
                (``CLOSED``).
        """
        self._link.send(payload)

    def __repr__(self) -> str:
        return self._shown("peer")


class RecvTransport(_Base):
    """Receives the messages of whoever sends to its address, in order. Make it with ``builder()``."""

    __slots__ = ("_messages", "_queue")
    _messages: Messages
    _queue: deque[bytes]

    @staticmethod
    def builder() -> RecvTransportBuilder:
        """A new builder."""
        return RecvTransportBuilder._new()

    @classmethod
    def _of(cls, values: dict[str, Any]) -> RecvTransport:
        self = object.__new__(cls)
        self._hold(receiving(values))
        self._at(values)
        self._messages = Messages(self._link)
        self._queue = self._messages.queue
        self._flag.end = self._messages.drop
        return self

    def recv(self, timeout_ms: int | None = None) -> bytes:
        """The next message. ``None`` waits for ever, 0 does not wait.

        Raises:
            RistError: nothing within the time given (``RECV_TIMEOUT``, the object stays usable), or the
                object is closed or cancelled (``CLOSED``).
        """
        if self._flag.set:
            raise DOMAIN.closed("the transport")
        queue = self._queue
        if queue and (timeout_ms is None or (timeout_ms.__class__ is int and 0 <= timeout_ms <= _MOST)):
            try:
                return queue.popleft()
            except IndexError:  # another thread was faster
                pass
        return self._messages.get(None if timeout_ms is None else unsigned("timeout_ms", timeout_ms, 64))

    def __repr__(self) -> str:
        return self._shown("bind")


class _Builder(Final):
    __slots__ = ("_values",)
    _values: dict[str, Any]

    def _missing(self, setter: str) -> None:
        if "url" not in self._values:
            raise ValueError(f"{setter}(...) is required before build()")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._values.get('url')!r})"


class TransportBuilder(_Builder):
    """Collects the options of a sender. Setters win over the URL, and a builder may be used again."""

    __slots__ = ()

    @classmethod
    def _new(cls) -> TransportBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def url(self, s: str) -> TransportBuilder:
        """``rist://ip:port?profile=&buffer=&bandwidth=&aes-type=&secret=&cname=&compression=``."""
        self._values["url"] = text(s)
        return self

    def profile(self, p: RistProfile) -> TransportBuilder:
        """The profile; simple unless set, main with encryption."""
        self._values["profile"] = _profile(p)
        return self

    def bandwidth_kbps(self, v: int) -> TransportBuilder:
        """The most that recovery may use, kbit/s."""
        self._values["bandwidth_kbps"] = unsigned("bandwidth_kbps", v)
        return self

    def recovery_maxbitrate_kbps(self, v: int) -> TransportBuilder:
        """The same as `bandwidth_kbps`."""
        self._values["bandwidth_kbps"] = unsigned("recovery_maxbitrate_kbps", v)
        return self

    def buffer_ms(self, ms: int) -> TransportBuilder:
        """The recovery buffer in ms; 1000 unless set."""
        self._values["buffer_ms"] = min(unsigned("buffer_ms", ms, 64), _MOST_MS)
        return self

    def cname(self, s: str) -> TransportBuilder:
        """The name of this side."""
        self._values["cname"] = text(s)
        return self

    def encryption(self, key: EncryptionKey) -> TransportBuilder:
        """Encrypt, in the main profile."""
        self._values.update(_key(key))
        return self

    def pkt_size(self, v: int) -> TransportBuilder:
        """The longest message in bytes; 1316 unless set."""
        self._values["pkt_size"] = min(unsigned("pkt_size", v, 64), _MOST)
        return self

    def compression(self, v: bool) -> TransportBuilder:
        """Whether to compress with LZ4."""
        if not isinstance(v, bool):
            raise TypeError(f"a bool is required, not {type(v).__name__!r}")
        self._values["compression"] = v
        return self

    def build(self) -> Transport:
        """The sender. An absent receiver is no error.

        Raises:
            ValueError: no ``url``.
            RistError: ``URL``, ``INVALID_CONFIG``, ``CONTEXT_CREATE_FAILED``, ``PEER_CREATE_FAILED``, or
                ``FFI`` without librist.
        """
        self._missing("url")
        return Transport._of(self._values)


class RecvTransportBuilder(_Builder):
    """Collects the options of a receiver. Setters win over the URL, and a builder may be used again."""

    __slots__ = ()

    @classmethod
    def _new(cls) -> RecvTransportBuilder:
        self = object.__new__(cls)
        self._values = {}
        return self

    def bind_url(self, s: str) -> RecvTransportBuilder:
        """``rist://@ip:port?profile=&buffer=&aes-type=&secret=&cname=&session_timeout=&idle_timeout=``."""
        self._values["url"] = text(s)
        return self

    def profile(self, p: RistProfile) -> RecvTransportBuilder:
        """The profile; simple unless set, main with encryption."""
        self._values["profile"] = _profile(p)
        return self

    def buffer_ms(self, ms: int) -> RecvTransportBuilder:
        """The recovery buffer in ms: so late messages are delivered; 1000 unless set."""
        self._values["buffer_ms"] = min(unsigned("buffer_ms", ms, 64), _MOST_MS)
        return self

    def cname(self, s: str) -> RecvTransportBuilder:
        """The name of this side."""
        self._values["cname"] = text(s)
        return self

    def encryption(self, key: EncryptionKey) -> RecvTransportBuilder:
        """Accept only what is encrypted with this key."""
        self._values.update(_key(key))
        return self

    def session_timeout_ms(self, ms: int) -> RecvTransportBuilder:
        """After so long a silent sender is forgotten; 2000 unless set."""
        self._values["session_timeout_ms"] = min(unsigned("session_timeout_ms", ms, 64), _MOST_MS)
        return self

    def pkt_size(self, v: int) -> RecvTransportBuilder:
        """Accepted for older programs: messages are received whole, whatever their size."""
        unsigned("pkt_size", v, 64)
        return self

    def build(self) -> RecvTransport:
        """The receiver, bound.

        Raises:
            ValueError: no ``bind_url``.
            RistError: ``URL``, ``INVALID_CONFIG``, ``PEER_CREATE_FAILED`` for an address that is taken, or
                ``FFI`` without librist.
        """
        self._missing("bind_url")
        return RecvTransport._of(self._values)


def _profile(p: object) -> int:
    if not isinstance(p, RistProfile):
        raise TypeError(f"a RistProfile is required, not {type(p).__name__!r}")
    return int(p)


def _key(key: object) -> dict[str, int | bytes]:
    if not isinstance(key, EncryptionKey):
        raise TypeError(f"an EncryptionKey is required, not {type(key).__name__!r}")
    return {"key_size": key._bits, "secret": key._secret}


def __getattr__(name: str) -> object:
    if name in ("ManagedDemuxReceiver", "ManagedMuxSender", "ManagedReceiver", "ManagedSender"):
        from . import _live_rist

        value = globals()[name] = getattr(_live_rist, name)
        value.__module__ = __name__
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
