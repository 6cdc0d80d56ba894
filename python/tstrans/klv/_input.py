"""Arguments that every codec takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["octet", "octets"]


def octets(buf: Any) -> bytes:
    """The bytes of any object with the buffer protocol."""
    if type(buf) is bytes:
        return buf
    if isinstance(buf, str) or buf is None or isinstance(buf, int):
        raise TypeError(f"a bytes-like object is required, not {type(buf).__name__!r}")
    return bytes(memoryview(buf))


def expect(v: object, cls: type, first: str) -> None:
    """A record of a class, or the error that reading its first attribute from `v` would give."""
    if not isinstance(v, cls):
        raise AttributeError(f"{type(v).__name__!r} object has no attribute {first!r}")


def octet(v: Any, name: str) -> int:
    """A code of one byte, given as int or enumeration member."""
    v = getattr(v, "value", v)
    if not isinstance(v, int):
        v = getattr(v, "__index__", lambda: v)()
    if not isinstance(v, int):
        raise TypeError(f"{name} must be an integer, not {type(v).__name__}")
    if not 0 <= v <= 255:
        raise OverflowError(f"{name}: {v} does not fit a byte")
    return v
