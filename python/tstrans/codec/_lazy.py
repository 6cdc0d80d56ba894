"""A list whose items are made when one of them is looked at: its length is known at once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

__all__ = ["LazyList", "lazy_list"]

T = TypeVar("T")
_lock = Lock()


class LazyList(list[T]):
    """A list in every respect, filled by the first use that needs its items."""

    __slots__ = ("_count", "_make")

    _count: int
    _make: tuple[Callable[..., list[T]], tuple[Any, ...]] | None

    def _fill(self) -> None:
        with _lock:
            if self._make is not None:
                make, args = self._make
                list.extend(self, make(*args))
                self._make = None

    def __len__(self) -> int:
        return self._count if self._make is not None else list.__len__(self)

    def __reduce_ex__(self, _: object) -> tuple[object, ...]:
        return list, (list(self),)

    def __radd__(self, other: list[T]) -> list[T]:
        if not isinstance(other, list):
            return NotImplemented
        if self._make is not None:
            self._fill()
        return list.__add__(other, list(self))


def lazy_list(count: int, make: Callable[..., list[T]], *args: Any) -> list[T]:
    """A list of so many items that make(*args) will give."""
    out: LazyList[T] = LazyList.__new__(LazyList)
    out._count, out._make = count, (make, args)
    return out


def _filled(name: str) -> Callable[..., Any]:
    plain = getattr(list, name)

    def method(self: LazyList[Any], *args: Any, **kwargs: Any) -> Any:
        if self._make is not None:
            self._fill()
        return plain(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = plain.__doc__
    return method


_COMPARE = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "index", "count")
_READ = ("__iter__", "__getitem__", "__reversed__", "__repr__", "__add__", "__mul__", "__rmul__", "copy")
_CHANGE = (
    "__setitem__",
    "__delitem__",
    "__iadd__",
    "__imul__",
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
)
for _name in (*_COMPARE, *_READ, *_CHANGE, "clear", "sort", "reverse"):
    setattr(LazyList, _name, _filled(_name))
LazyList.__hash__ = None
