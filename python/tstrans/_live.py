"""What the live transports share: frozen statistics, cancel handles, closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, TypeVar

from ._value import public_module

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from ._native.transport_lib import Domain, Link

__all__ = [
    "CancelHandle",
    "Choice",
    "Closing",
    "ConnectionCounters",
    "Final",
    "Frozen",
    "Live",
    "Snapshot",
    "limit",
    "text",
]

_S = TypeVar("_S", bound="Snapshot")
_O = TypeVar("_O", bound="Choice")
_H = TypeVar("_H", bound="CancelHandle")
_C = TypeVar("_C", bound="Closing")


def text(s: object) -> str:
    """A str argument: TypeError for what is none."""
    if not isinstance(s, str):
        raise TypeError(f"a str is required, not {type(s).__name__!r}")
    return s


class Final:
    """Base of classes that only this package makes."""

    __slots__ = ()

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError(f"cannot create {type(self).__name__!r} instances")

    def __init_subclass__(cls) -> None:
        cls.__module__ = public_module(cls.__module__)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy of what holds a link would have the same one, and closing it would close the other's.
        raise TypeError(f"cannot copy or pickle {type(self).__name__!r} objects")


class Frozen(Final):
    """Base of objects whose attributes cannot be assigned."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")


class Choice(Frozen):
    """One of a few named numbers. Equal to its number, and to nothing else that has a name."""

    __slots__ = ("_name", "_number")
    _name: str
    _number: int

    @classmethod
    def _of(cls: type[_O], name: str, number: int) -> _O:
        self = object.__new__(cls)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_number", number)
        return self

    def __int__(self) -> int:
        return self._number

    def __index__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Choice):
            return type(other) is type(self) and other._number == self._number
        if isinstance(other, int):
            return other == self._number
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (type(self), self._name)


class Snapshot(Frozen):
    """Counters at one moment. Frozen; two of them are equal only when they are the same object."""

    __slots__: tuple[str, ...] = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._fields = (*cls._fields, *cls.__slots__)

    @classmethod
    def _of(cls: type[_S], values: Iterable[Any]) -> _S:
        self = object.__new__(cls)
        for name, value in zip(cls._fields, values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def __repr__(self) -> str:
        values = ((n, getattr(self, n)) for n in self._fields)
        inner = ", ".join(f"{n}={getattr(v, 'name', v)}" for n, v in values)
        return f"{type(self).__name__}({inner})"


class ConnectionCounters(Snapshot):
    """What SRT and RTP count of a connection; rates are bit/s."""

    __slots__ = (
        "bytes_sent",
        "packets_sent",
        "bytes_received",
        "packets_received",
        "rtt_us",
        "send_bandwidth_bps",
        "recv_bandwidth_bps",
        "link_bandwidth_bps",
        "bytes_lost_recv",
        "packets_lost_recv",
        "packets_lost_send",
        "packets_retransmitted",
        "packets_dropped_send",
        "packets_dropped_recv",
        "send_buffer_packets",
        "recv_buffer_packets",
    )
    bytes_sent: int
    packets_sent: int
    bytes_received: int
    packets_received: int
    rtt_us: int
    send_bandwidth_bps: int
    recv_bandwidth_bps: int
    link_bandwidth_bps: int
    bytes_lost_recv: int
    packets_lost_recv: int
    packets_lost_send: int
    packets_retransmitted: int
    packets_dropped_send: int
    packets_dropped_recv: int
    send_buffer_packets: int
    recv_buffer_packets: int


class _Flag:
    """Whether an object was cancelled or closed, and how to do it."""

    __slots__ = ("end", "link", "set")

    def __init__(self, link: Any) -> None:
        self.link = link
        self.set = False
        self.end: Any = None  # called when it is set

    def raise_(self) -> None:
        self.set = True
        if self.end is not None:
            self.end()

    def cancel(self) -> None:
        self.raise_()
        self.link.cancel()


class CancelHandle(Final):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ("_flag",)
    _flag: _Flag

    @classmethod
    def _of(cls: type[_H], flag: _Flag) -> _H:
        self = object.__new__(cls)
        self._flag = flag
        return self

    def cancel(self) -> None:
        """Cancel; repeating it does nothing more."""
        self._flag.cancel()

    def is_cancelled(self) -> bool:
        """Whether the object was cancelled or closed."""
        return self._flag.set

    def __repr__(self) -> str:
        return f"{type(self).__name__}(cancelled={str(self._flag.set).lower()})"


class Closing(Final):
    """Base of the objects that hold a link: cancelled and closed from any thread, context managers."""

    __slots__ = ("__weakref__", "_flag", "_link")
    _link: Any
    _flag: _Flag

    def _hold(self, link: Any) -> None:
        self._link = link
        self._flag = _Flag(link)

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        self._flag.raise_()
        self._link.close()

    def __enter__(self: _C) -> _C:
        return self

    def __exit__(
        self,
        _exc_type: type[BaseException] | None,
        _exc_value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> Literal[False]:
        self.close()
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'closed' if self._link.closed else 'open'})"


def limit(ms: int) -> int | None:
    """A timeout of the library as Python has it."""
    return None if ms < 0 else ms


class Live(Closing):
    """An object over one link, with the limits its URL gives to a receive and a send in ms."""

    __slots__ = ("_last", "_recv_ms", "_send_ms")
    _domain: ClassVar[Domain]
    _link: Link
    _last: Any  # a reconnecting object's counters: they stay readable after its close
    _recv_ms: int | None
    _send_ms: int | None

    def _start(self, link: Link, recv_ms: int | None, send_ms: int | None) -> None:
        self._hold(link)
        self._recv_ms = recv_ms
        self._send_ms = send_ms

    def _check_open(self) -> None:
        if self._flag.set or self._link.closed:
            raise self._domain.closed(type(self).__name__)

    def _check_not_closed(self) -> None:
        if self._link.closed:
            raise self._domain.closed(type(self).__name__)

    def is_alive(self) -> bool:
        """Whether the object is open and its link was not seen lost."""
        return self._link.alive
