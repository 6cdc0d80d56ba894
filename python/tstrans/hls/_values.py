"""Modes and counters."""

from __future__ import annotations

import operator
from typing import Any, ClassVar, NoReturn, SupportsIndex, TypeVar

from .._live import Final

__all__ = ["HlsMode", "HlsStats", "MuxPublisherStats", "PublisherStats", "Sealed", "boolean"]

_T = TypeVar("_T", bound="_Frozen")


def boolean(name: str, value: object) -> bool:
    """A bool argument: TypeError for anything else, NumPy's own kind excepted."""
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise TypeError(f"argument {name!r}: a bool is required, not {type(value).__name__!r}")


class Sealed(Final):
    """Base of classes that nobody derives from, and whose objects are neither copied nor pickled."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if not cls.__module__.startswith("tstrans."):
            raise TypeError(f"type 'tstrans.hls.{cls.__bases__[0].__name__}' is not an acceptable base type")
        super().__init_subclass__()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle 'tstrans.hls.{type(self).__name__}' object")


class HlsMode(Sealed):
    """How a playlist grows: ``LIVE`` lists the newest segments, ``EVENT`` and ``VOD`` all of them.

    A mode equals its number (0, 1, 2); it has no hash.
    """

    __slots__ = ("_number",)
    _number: int
    LIVE: ClassVar[HlsMode]
    EVENT: ClassVar[HlsMode]
    VOD: ClassVar[HlsMode]

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("No constructor defined for HlsMode")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HlsMode):
            return self._number == other._number
        return isinstance(other, int) and self._number == other

    __hash__ = None  # type: ignore[assignment]

    def __int__(self) -> int:
        return self._number

    def __repr__(self) -> str:
        return f"HlsMode.{_MODES[self._number]}"


_MODES = ("LIVE", "EVENT", "VOD")
for _n, _name in enumerate(_MODES):
    _mode = object.__new__(HlsMode)
    object.__setattr__(_mode, "_number", _n)
    setattr(HlsMode, _name, _mode)


class _Frozen(Sealed):
    """Counters at one moment; two of them are equal only when they are the same object."""

    __slots__: tuple[str, ...] = ()

    @classmethod
    def _of(cls: type[_T], *values: int | None) -> _T:
        self = object.__new__(cls)
        for name, value in zip(cls.__slots__, values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute {name!r} of {type(self).__name__!r} objects is not writable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"attribute {name!r} of {type(self).__name__!r} objects is not writable")

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={getattr(self, n)}" for n in self.__slots__)
        return f"{type(self).__name__}({inner})"


def _count(name: str, value: SupportsIndex) -> int:
    n = operator.index(value)
    if not 0 <= n < 1 << 64:
        raise OverflowError(f"{name}: {n} is outside 0 to 2**64 - 1")
    return n


def _maybe(name: str, value: SupportsIndex | None) -> int | None:
    return None if value is None else _count(name, value)


def _fill(self: Any, values: dict[str, int | None]) -> None:
    for name, value in values.items():
        object.__setattr__(self, name, value)


class PublisherStats(_Frozen):
    """What any publisher counts; the open segment counts as one written. Times are in microseconds.

    ``current_segment_age_us`` is None while no segment is open, ``last_segment_duration_us`` before the
    first cut.
    """

    __slots__ = ("segments_written", "bytes_written", "current_segment_age_us", "last_segment_duration_us")
    segments_written: int
    bytes_written: int
    current_segment_age_us: int | None
    last_segment_duration_us: int | None

    def __init__(
        self,
        segments_written: int,
        bytes_written: int,
        current_segment_age_us: int | None = None,
        last_segment_duration_us: int | None = None,
    ) -> None:
        _fill(
            self,
            {
                "segments_written": _count("segments_written", segments_written),
                "bytes_written": _count("bytes_written", bytes_written),
                "current_segment_age_us": _maybe("current_segment_age_us", current_segment_age_us),
                "last_segment_duration_us": _maybe("last_segment_duration_us", last_segment_duration_us),
            },
        )


class HlsStats(_Frozen):
    """What an HLS publisher counts besides: ``forced_cuts`` are those because no key frame came in time."""

    __slots__ = ("segments_written", "bytes_pushed_total", "open_segment_bytes", "forced_cuts")
    segments_written: int
    bytes_pushed_total: int
    open_segment_bytes: int
    forced_cuts: int

    def __init__(
        self, segments_written: int, bytes_pushed_total: int, open_segment_bytes: int, forced_cuts: int
    ) -> None:
        _fill(
            self,
            {
                "segments_written": _count("segments_written", segments_written),
                "bytes_pushed_total": _count("bytes_pushed_total", bytes_pushed_total),
                "open_segment_bytes": _count("open_segment_bytes", open_segment_bytes),
                "forced_cuts": _count("forced_cuts", forced_cuts),
            },
        )


class MuxPublisherStats(_Frozen):
    """What a :class:`MuxPublisher` counts: bytes muxed, sends, and cuts, explicit and automatic."""

    __slots__ = ("bytes_pushed", "drain_calls", "cut_calls")
    bytes_pushed: int
    drain_calls: int
    cut_calls: int

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("No constructor defined for MuxPublisherStats")
