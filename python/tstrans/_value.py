"""Frozen, slotted value classes without the import cost of ``dataclasses``.

Each decorated frozen dataclass adds 0.3 to 0.8 ms to the import of its module, and ``dataclasses`` itself
about 5 ms. :class:`Value` gives the same behaviour from plain methods: equality, hash and repr by field,
:class:`dataclasses.FrozenInstanceError` on assignment, pattern matching, pickling. ``dataclasses``
(``fields``, ``replace``, ``asdict``, ``is_dataclass``) works on these classes too: the description it looks
for is made when it is first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = ["Value", "frozen_error", "public_module"]


def public_module(name: str) -> str:
    """The module users import a class from: ``tstrans.mpegts._values`` is an address of ours, not theirs."""
    head, _, tail = name.rpartition(".")
    return head if tail.startswith("_") else name


def frozen_error(verb: str, name: str) -> AttributeError:
    """What assigning to or deleting a field of a frozen object raises."""
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(f"cannot {verb} field {name!r}")


class _Description:
    """Makes ``__dataclass_fields__`` or ``__dataclass_params__`` of a class when somebody looks."""

    __slots__ = ("_name",)
    _made: ClassVar[dict[type, type]] = {}

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[Value]) -> Any:
        model = self._made.get(owner)
        if model is None:
            import dataclasses
            import inspect

            params = inspect.signature(owner).parameters
            fields = [
                (n, p.annotation if p.annotation is not p.empty else object)
                if p.default is p.empty
                else (n, p.annotation, dataclasses.field(default=p.default))
                for n, p in ((n, params[n]) for n in owner.__match_args__)
            ]
            model = self._made[owner] = dataclasses.make_dataclass(owner.__name__, fields, frozen=True)
        return getattr(model, self._name)


class Value:
    """Base of the frozen value classes.

    A subclass lists its own fields in ``__slots__``, in the order of its constructor's parameters, and sets
    them with ``object.__setattr__``.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    if not TYPE_CHECKING:
        __dataclass_fields__ = _Description()
        __dataclass_params__ = _Description()

    def __init_subclass__(cls) -> None:
        own = tuple(n for n in cls.__dict__.get("__slots__", ()) if n[0] != "_")
        cls.__match_args__ = cls.__match_args__ + own  # type: ignore[misc]
        cls.__module__ = public_module(cls.__module__)

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, n) for n in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        inner = ", ".join([f"{n}={getattr(self, n)!r}" for n in self.__match_args__])
        return f"{self.__class__.__qualname__}({inner})"

    def __setattr__(self, name: str, value: object) -> None:
        raise frozen_error("assign to", name)

    def __delattr__(self, name: str) -> None:
        raise frozen_error("delete", name)

    def __reduce__(self) -> tuple[object, ...]:
        return self.__class__, self._values()
