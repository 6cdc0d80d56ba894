"""What the live transports share: frozen statistics, cancel handles, closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from ._value import public_module

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = ["CancelHandle", "Closing", "Final", "Snapshot", "text"]

_S = TypeVar("_S", bound="Snapshot")
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


class Snapshot(Final):
    """Counters at one moment. Frozen; two of them are equal only when they are the same object."""

    __slots__: tuple[str, ...] = ()

    @classmethod
    def _of(cls: type[_S], values: Iterable[Any]) -> _S:
        self = object.__new__(cls)
        for name, value in zip(cls.__slots__, values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={getattr(self, n)}" for n in self.__slots__)
        return f"{type(self).__name__}({inner})"


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
        return f"CancelHandle(cancelled={str(self._flag.set).lower()})"


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
