"""What the parameter sets and slice headers of the H.26x modules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .._native import codec_lib as lib
from ..exceptions import CodecError, CodecErrorKind
from ._values import ColorInfo, NalUnit, NoConstructor, Rational, as_array, as_bytes, color_of, whole

__all__ = ["Header", "ParameterSet", "SliceHeader"]

_new = object.__new__

# Parameter sets repeat: a live stream sends the same ones again with every random access point. The fields of
# those seen last are kept, at most so many of a kind, each of at most so many bytes.
_KEPT_SETS = 64
_KEPT_BYTES = 1024


class Header(NoConstructor):
    """Fields as the library gave them, and the bytes they were read from."""

    __slots__ = ("_f", "_raw")
    _f: tuple[int, ...]
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


def remembered(kind: int, data: bytes) -> tuple[int, ...]:
    """The fields of a parameter set, parsed at most once while it keeps coming."""
    known = _known.get(kind)
    if known is None:
        known = _known[kind] = {}
    fields = known.get(data)
    if fields is None:
        fields = lib.parse(kind, data)
        if len(data) <= _KEPT_BYTES:
            if len(known) >= _KEPT_SETS:
                known.clear()
            known[data] = fields
    return fields


def parsed(cls: type[_H], kind: int, rbsp: object) -> _H:
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(cls)
    out._raw = data
    try:
        out._f = _known[kind][data]
    except KeyError:
        out._f = remembered(kind, data)
    return out


def nal_type_of(nal_unit_type: int) -> int:
    return whole("nal_unit_type", nal_unit_type, 8)


def slice_of(
    cls: type[_H], kind: int, rbsp: object, sps: Header | None, wanted: type[Header], nal_type: int
) -> _H:
    if sps is not None and not isinstance(sps, wanted):
        raise TypeError(f"sps: a {wanted.__name__} is wanted, not {type(sps).__name__}")
    data = as_bytes(rbsp)
    out = _new(cls)
    out._f, out._raw = lib.parse_slice(kind, nal_type, None if sps is None else sps._f, data), data
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
        read = readers.get(nal.nal_type)
        if read is None or nal.kind != kind:
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


def color_at(fields: tuple[int, ...], at: int) -> ColorInfo | None:
    """The colour description whose HAS_COLOR field has this index."""
    return color_of(*fields[at + 1 : at + 5]) if fields[at] else None
