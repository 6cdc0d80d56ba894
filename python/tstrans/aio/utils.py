"""Random identifiers, and numbers that wrap as on the wire."""

from __future__ import annotations

import secrets

__all__ = [
    "random16",
    "random32",
    "uint16_add",
    "uint16_gt",
    "uint16_gte",
    "uint32_add",
    "uint32_gt",
    "uint32_gte",
]


def random16() -> int:
    """A random 16-bit number."""
    return secrets.randbelow(1 << 16)


def random32() -> int:
    """A random 32-bit number."""
    return secrets.randbelow(1 << 32)


def uint16_add(a: int, b: int) -> int:
    """The sum, wrapped at 16 bits."""
    return (a + b) % (1 << 16)


def uint16_gt(a: int, b: int) -> bool:
    """Whether a comes after b on the circle of 16-bit numbers; neither does at half its length."""
    return 0 < (a - b) % (1 << 16) < 1 << 15


def uint16_gte(a: int, b: int) -> bool:
    """Whether a is b or comes after it."""
    return a == b or uint16_gt(a, b)


def uint32_add(a: int, b: int) -> int:
    """The sum, wrapped at 32 bits."""
    return (a + b) % (1 << 32)


def uint32_gt(a: int, b: int) -> bool:
    """Whether a comes after b on the circle of 32-bit numbers; neither does at half its length."""
    return 0 < (a - b) % (1 << 32) < 1 << 31


def uint32_gte(a: int, b: int) -> bool:
    """Whether a is b or comes after it."""
    return a == b or uint32_gt(a, b)
