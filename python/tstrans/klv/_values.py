"""Small values that several sets share."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, cast

from .._value import Value

_put = object.__setattr__
T = TypeVar("T")


def made(cls: Callable[..., T], *parts: Any) -> T:
    """A record of its parts in order, as value trees hold them."""
    return cls(*parts)


__all__ = [
    "Attitude",
    "Corners",
    "FieldOfView",
    "GeoPoint",
    "KlvFieldError",
    "KlvFieldErrorKind",
    "field_error",
    "field_errors",
    "made",
]


class KlvFieldErrorKind(Enum):
    """What is wrong with one item of a set that is otherwise readable."""

    INVALID_CODEPOINT = "invalid_codepoint"
    INVALID_IMAPB_PARAMS = "invalid_imapb_params"
    INVALID_LENGTH = "invalid_length"
    INVALID_SENTINEL = "invalid_sentinel"
    INVALID_UTF16 = "invalid_utf16"
    INVALID_UTF8 = "invalid_utf8"
    OUT_OF_RANGE = "out_of_range"
    TRUNCATED_FIELD = "truncated_field"
    UNSUPPORTED_IMAPB_LENGTH = "unsupported_imapb_length"


KlvFieldErrorKind.__module__ = "tstrans.klv"


class KlvFieldError(Value):
    """Why an item was left out of a decoded set: kind, tag, and a message for people.."""

    __slots__ = ("kind", "tag", "message")
    kind: KlvFieldErrorKind
    tag: int
    message: str

    def __init__(self, kind: KlvFieldErrorKind, tag: int, message: str) -> None:
        _put(self, "kind", kind)
        _put(self, "tag", tag)
        _put(self, "message", message)


#: The kinds by the library's numbers.
_KINDS = (
    None,
    KlvFieldErrorKind.OUT_OF_RANGE,
    KlvFieldErrorKind.INVALID_UTF8,
    KlvFieldErrorKind.INVALID_UTF16,
    KlvFieldErrorKind.INVALID_LENGTH,
    KlvFieldErrorKind.INVALID_SENTINEL,
    KlvFieldErrorKind.INVALID_CODEPOINT,
    KlvFieldErrorKind.TRUNCATED_FIELD,
    KlvFieldErrorKind.UNSUPPORTED_IMAPB_LENGTH,
    KlvFieldErrorKind.INVALID_IMAPB_PARAMS,
)


def field_error(e: tuple[int, int, str]) -> KlvFieldError:
    """The field error of its tree form."""
    return KlvFieldError(cast("KlvFieldErrorKind", _KINDS[e[0]]), e[1], e[2])


def field_errors(errors: tuple[tuple[int, int, str], ...]) -> tuple[KlvFieldError, ...]:
    """Field errors of their tree form."""
    return tuple([field_error(e) for e in errors])


class GeoPoint(Value):
    """A position: degrees, and metres above what the source item says.."""

    __slots__ = ("lat_deg", "lon_deg", "alt_m")
    lat_deg: float
    lon_deg: float
    alt_m: float

    def __init__(self, lat_deg: float, lon_deg: float, alt_m: float) -> None:
        _put(self, "lat_deg", lat_deg)
        _put(self, "lon_deg", lon_deg)
        _put(self, "alt_m", alt_m)


class Attitude(Value):
    """Heading, pitch and roll in degrees.."""

    __slots__ = ("heading_deg", "pitch_deg", "roll_deg")
    heading_deg: float
    pitch_deg: float
    roll_deg: float

    def __init__(self, heading_deg: float, pitch_deg: float, roll_deg: float) -> None:
        _put(self, "heading_deg", heading_deg)
        _put(self, "pitch_deg", pitch_deg)
        _put(self, "roll_deg", roll_deg)


class FieldOfView(Value):
    """Horizontal and vertical angle in degrees.."""

    __slots__ = ("horizontal_deg", "vertical_deg")
    horizontal_deg: float
    vertical_deg: float

    def __init__(self, horizontal_deg: float, vertical_deg: float) -> None:
        _put(self, "horizontal_deg", horizontal_deg)
        _put(self, "vertical_deg", vertical_deg)


class Corners(Value):
    """Four corners as (latitude, longitude) in degrees, clockwise from the upper left.."""

    __slots__ = ("p1", "p2", "p3", "p4")
    p1: tuple[float, float]
    p2: tuple[float, float]
    p3: tuple[float, float]
    p4: tuple[float, float]

    def __init__(
        self,
        p1: tuple[float, float],
        p2: tuple[float, float],
        p3: tuple[float, float],
        p4: tuple[float, float],
    ) -> None:
        _put(self, "p1", p1)
        _put(self, "p2", p2)
        _put(self, "p3", p3)
        _put(self, "p4", p4)
