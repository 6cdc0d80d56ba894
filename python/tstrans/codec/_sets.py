"""What the parameter sets and slice headers of the H.26x modules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .._native import codec_lib as lib
from ..exceptions import CodecError, CodecErrorKind
from ._values import (
    BytesLike,
    ColorInfo,
    NalUnit,
    NoConstructor,
    Rational,
    as_array,
    as_bytes,
    color_of,
    whole,
)

__all__ = ["Header", "ParameterSet", "SliceHeader"]

_new = object.__new__

# Parameter sets repeat: a live stream sends the same ones again with every random access point. The fields of
# those seen last are kept, at most so many of a kind, each of at most so many bytes.
_KEPT_SETS = 64
_KEPT_BYTES = 1024


class Header(NoConstructor):
    """Fields as the library gave them, and the bytes they were read from."""

    __slots__ = ("_f", "_packed", "_raw")
    _f: tuple[int, ...]
    _packed: bytes  # _f as slice headers hand it to the library, made at the first one
    _raw: bytes


class ParameterSet(Header):
    """A parameter set or slice header of H.26x."""

    __slots__ = ()

    @property
    def raw_rbsp(self) -> bytes:
        """The bytes it was read from, emulation prevention bytes included."""
        return self._raw

    @property
    def raw_rbsp_np(self) -> Any:
        """`raw_rbsp` as a read-only NumPy array."""
        return as_array(self._raw)


class SliceHeader(ParameterSet):
    """A slice header of H.26x."""

    __slots__ = ()


_H = TypeVar("_H", bound=Header)
_known: dict[int, dict[bytes, tuple[int, ...]]] = {}


def known_sets(kind: int) -> dict[bytes, tuple[int, ...]]:
    """The sets of a kind seen last, filled by `remembered`."""
    return _known.setdefault(kind, {})


def remembered(kind: int, data: bytes) -> tuple[int, ...]:
    """The fields of a parameter set, parsed at most once while it keeps coming."""
    known = known_sets(kind)
    fields = known.get(data)
    if fields is None:
        fields = lib.parse(kind, data)
        if len(data) <= _KEPT_BYTES:
            if len(known) >= _KEPT_SETS:
                known.clear()
            known[data] = fields
    return fields


def slice_of(
    cls: type[_H], kind: int, rbsp: BytesLike, sps: Header | None, wanted: type[Header], nal_type: int
) -> _H:
    """Read a slice header of this kind; sps is a parameter set of the class wanted, or None."""
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    packed, n = None, 0
    if sps is not None:
        if not isinstance(sps, wanted):
            raise TypeError(f"sps: a {wanted.__name__} is wanted, not {type(sps).__name__}")
        try:
            packed = sps._packed
        except AttributeError:
            packed = sps._packed = lib.pack(sps._f)
        n = len(sps._f)
    if nal_type.__class__ is not int or nal_type >> 8:
        nal_type = whole("nal_unit_type", nal_type, 8)
    out = _new(cls)
    out._f, out._raw = lib.parse_slice(kind, nal_type, packed, n, data), data
    return out


def sets_of(nals: Any, kind: str, readers: Mapping[int, Callable[[bytes], Any]]) -> list[Any]:
    """What readers make of the units of their types; an error when there are such units and all fail."""
    if not hasattr(nals, "__len__"):
        raise TypeError(f"nals: a sequence is wanted, not {type(nals).__name__}")
    made: list[Any] = []
    failed = False
    for nal in nals:
        if not isinstance(nal, NalUnit):
            raise TypeError(f"nals: a NalUnit is wanted, not {type(nal).__name__}")
        read = readers.get(nal._u[2])
        if read is None or nal._kind != kind:
            continue
        try:
            made.append(read(nal.payload))
        except CodecError:
            failed = True
    if failed and not made:
        raise CodecError(
            CodecErrorKind.ENGINE_ERROR, kind.lower(), "none of the parameter sets could be read"
        )
    return made


def flag_text(v: bool) -> str:
    return "true" if v else "false"


def rate_at(fields: tuple[int, ...], at: int) -> Rational | None:
    """The frame rate whose HAS_RATE field has this index."""
    if not fields[at]:
        return None
    out = _new(Rational)
    out._num, out._den = fields[at + 1], fields[at + 2]
    return out


# The few descriptions that streams have; more of them than this are not kept.
_KEPT_COLORS = 64
_colors: dict[tuple[int, ...], ColorInfo] = {}


def color_at(fields: tuple[int, ...], at: int) -> ColorInfo | None:
    """The colour description whose HAS_COLOR field has this index."""
    key = fields[at : at + 5]
    made = _colors.get(key)
    if made is None and fields[at]:
        if len(_colors) >= _KEPT_COLORS:
            _colors.clear()
        made = _colors[key] = color_of(*key[1:])
    return made
