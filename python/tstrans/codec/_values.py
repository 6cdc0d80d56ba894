"""Small values: fractions, colour, units of an access unit, MISP time stamps."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from .._value import public_module
from ._enums import (
    MATRIX,
    MISP_KIND,
    PRIMARIES,
    TRANSFER,
    Code,
    ColourPrimaries,
    MatrixCoefficients,
    MispTimeKind,
    TransferCharacteristics,
    variant_of,
)

__all__ = ["ColorInfo", "MispTimestamp", "NalUnit", "Obu", "ObuExtension", "Rational"]

#: What the functions of this module take as bytes.
BytesLike = bytes | bytearray | memoryview

_T = TypeVar("_T")
_new = object.__new__


class Sealed:
    """Base of the result objects: read-only, equal only to themselves, not to be pickled."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        cls.__module__ = public_module(cls.__module__)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError(f"cannot pickle {self.__class__.__name__!r} object")


class NoConstructor(Sealed):
    """Base of what only the parsers make."""

    __slots__ = ()

    def __new__(cls: type[_T], *_: object, **__: object) -> _T:
        raise TypeError(f"No constructor defined for {cls.__name__}")


def whole(name: str, value: object, bits: int) -> int:
    """An unsigned integer of so many bits, else TypeError or OverflowError."""
    v = operator.index(value)  # type: ignore[arg-type]
    if v < 0 or v >> bits:
        raise OverflowError(f"{name}: {v} does not fit {bits} unsigned bits")
    return v


def member(name: str, value: object, cls: type[Code]) -> Any:
    if not isinstance(value, cls):
        raise TypeError(f"{name}: a {cls.__name__} is wanted, not {type(value).__name__}")
    return value


def as_bytes(data: object) -> bytes:
    """The bytes of a buffer; bytes themselves are not copied."""
    if type(data) is bytes:
        return data
    return bytes(memoryview(data))  # type: ignore[arg-type]


def payload_bytes(data: object) -> bytes:
    """The bytes of a buffer or of a sequence of integers."""
    if type(data) is bytes:
        return data
    if isinstance(data, (str, int)) or data is None:
        raise TypeError(f"payload: a bytes-like object is wanted, not {type(data).__name__}")
    try:
        return bytes(data)  # type: ignore[call-overload,no-any-return]
    except ValueError as e:
        raise OverflowError(f"payload: {e}") from None


def as_array(data: bytes) -> Any:
    """A read-only array of uint8 over the bytes."""
    try:
        import numpy as np
    except ImportError as e:
        raise ImportError("NumPy is needed for the *_np properties: pip install 'tstrans[pandas]'") from e
    return np.frombuffer(data, dtype=np.uint8)


class Rational(Sealed):
    """An unsigned fraction as the bitstream gives it, not reduced.

    >>> Rational(30000, 1001)
    Rational(num=30000, den=1001)
    """

    __slots__ = ("_den", "_num")

    def __init__(self, num: int, den: int) -> None:
        self._num = whole("num", num, 32)
        self._den = whole("den", den, 32)

    @property
    def num(self) -> int:
        """The numerator."""
        return self._num

    @property
    def den(self) -> int:
        """The denominator."""
        return self._den

    def as_float(self) -> float:
        """The quotient; infinity for a denominator of 0."""
        return self._num / self._den if self._den else float("inf")

    def __repr__(self) -> str:
        return f"Rational(num={self._num}, den={self._den})"


class ColorInfo(Sealed):
    """How the samples of a picture are to be shown."""

    __slots__ = ("_full_range", "_matrix", "_primaries", "_transfer")

    def __init__(
        self,
        primaries: ColourPrimaries,
        transfer: TransferCharacteristics,
        matrix: MatrixCoefficients,
        full_range: bool,
    ) -> None:
        self._primaries: ColourPrimaries = member("primaries", primaries, ColourPrimaries)
        self._transfer: TransferCharacteristics = member("transfer", transfer, TransferCharacteristics)
        self._matrix: MatrixCoefficients = member("matrix", matrix, MatrixCoefficients)
        if not isinstance(full_range, bool):
            raise TypeError(f"full_range: a bool is wanted, not {type(full_range).__name__}")
        self._full_range = full_range

    @property
    def primaries(self) -> ColourPrimaries:
        """Colour primaries."""
        return self._primaries

    @property
    def transfer(self) -> TransferCharacteristics:
        """Transfer characteristics."""
        return self._transfer

    @property
    def matrix(self) -> MatrixCoefficients:
        """Matrix coefficients."""
        return self._matrix

    @property
    def full_range(self) -> bool:
        """Whether samples use the full range of their bit depth."""
        return self._full_range

    def __repr__(self) -> str:
        full = "true" if self._full_range else "false"
        return (
            f"ColorInfo(primaries={variant_of(self._primaries)}, transfer={variant_of(self._transfer)}, "
            f"matrix={variant_of(self._matrix)}, full_range={full})"
        )


def color_of(primaries: int, transfer: int, matrix: int, full_range: int) -> ColorInfo:
    """A colour description from the code points of ITU-T H.273."""
    c = _new(ColorInfo)
    c._primaries = PRIMARIES[primaries]
    c._transfer = TRANSFER[transfer]
    c._matrix = MATRIX[matrix]
    c._full_range = bool(full_range)
    return c


# A unit is (offset, length, type, a, b, flags), the fields of tst_unit, and the bytes it lies in.
UnitFields = tuple[int, int, int, int, int, int]
H264, H265, H266 = "H264", "H265", "H266"


class NalUnit(NoConstructor):
    """A NAL unit of H.264, H.265 or H.266, made by `h264`, `h265`, `h266` or `split_units`."""

    __slots__ = ("_kind", "_src", "_u")
    _kind: str
    _src: bytes
    _u: UnitFields

    @staticmethod
    def h264(nal_type: int, ref_idc: int, payload: BytesLike | Sequence[int]) -> NalUnit:
        """A unit of H.264; payload is what follows the header, a buffer or a sequence of integers."""
        return _nal(H264, nal_type, whole("ref_idc", ref_idc, 8), 0, payload)

    @staticmethod
    def h265(
        nal_type: int, layer_id: int, temporal_id_plus1: int, payload: BytesLike | Sequence[int]
    ) -> NalUnit:
        """A unit of H.265; payload is what follows the header, a buffer or a sequence of integers."""
        layer, temporal = whole("layer_id", layer_id, 8), whole("temporal_id_plus1", temporal_id_plus1, 8)
        return _nal(H265, nal_type, layer, temporal, payload)

    @staticmethod
    def h266(
        nal_type: int, layer_id: int, temporal_id_plus1: int, payload: BytesLike | Sequence[int]
    ) -> NalUnit:
        """A unit of H.266; payload is what follows the header, a buffer or a sequence of integers."""
        layer, temporal = whole("layer_id", layer_id, 8), whole("temporal_id_plus1", temporal_id_plus1, 8)
        return _nal(H266, nal_type, layer, temporal, payload)

    @property
    def kind(self) -> str:
        """ "H264", "H265" or "H266"."""
        return self._kind

    @property
    def nal_type(self) -> int:
        """nal_unit_type."""
        return self._u[2]

    @property
    def ref_idc(self) -> int | None:
        """nal_ref_idc of H.264, else None."""
        return self._u[3] if self._kind is H264 else None

    @property
    def layer_id(self) -> int | None:
        """nuh_layer_id, None for H.264."""
        return None if self._kind is H264 else self._u[3]

    @property
    def temporal_id_plus1(self) -> int | None:
        """nuh_temporal_id_plus1, None for H.264."""
        return None if self._kind is H264 else self._u[4]

    @property
    def payload(self) -> bytes:
        """The bytes after the header, emulation prevention bytes included."""
        at, n, *_ = self._u
        return self._src[at : at + n]

    @property
    def payload_np(self) -> Any:
        """`payload` as a read-only NumPy array."""
        return as_array(self.payload)

    def __repr__(self) -> str:
        return f"NalUnit(kind={self._kind!r}, nal_type={self._u[2]}, payload_len={self._u[1]})"


def _nal(kind: str, nal_type: int, a: int, b: int, payload: object) -> NalUnit:
    n = _new(NalUnit)
    n._src = src = payload_bytes(payload)
    n._u = (0, len(src), whole("nal_type", nal_type, 8), a, b, 0)
    n._kind = kind
    return n


class ObuExtension(Sealed):
    """The extension header of an OBU."""

    __slots__ = ("_spatial_id", "_temporal_id")

    def __init__(self, temporal_id: int, spatial_id: int) -> None:
        self._temporal_id = whole("temporal_id", temporal_id, 8)
        self._spatial_id = whole("spatial_id", spatial_id, 8)

    @property
    def temporal_id(self) -> int:
        """The temporal level, 0 to 7."""
        return self._temporal_id

    @property
    def spatial_id(self) -> int:
        """The spatial level, 0 to 3."""
        return self._spatial_id

    def __repr__(self) -> str:
        return f"ObuExtension(temporal_id={self._temporal_id}, spatial_id={self._spatial_id})"


_HAS_EXTENSION = 64  # TST_UNIT_HAS_EXTENSION


class Obu(Sealed):
    """An open bitstream unit of AV1."""

    __slots__ = ("_extension", "_src", "_u")
    _extension: ObuExtension | None
    _src: bytes
    _u: UnitFields

    def __init__(
        self, obu_type: int, extension: ObuExtension | None, payload: BytesLike | Sequence[int]
    ) -> None:
        if extension is not None and not isinstance(extension, ObuExtension):
            raise TypeError(f"extension: an ObuExtension is wanted, not {type(extension).__name__}")
        self._src = src = payload_bytes(payload)
        self._u = (0, len(src), whole("obu_type", obu_type, 8), 0, 0, 0)
        self._extension = extension

    @property
    def obu_type(self) -> int:
        """obu_type."""
        return self._u[2]

    @property
    def extension(self) -> ObuExtension | None:
        """The extension header, None without one."""
        if self._extension is None and self._u[5] & _HAS_EXTENSION:
            self._extension = ObuExtension(self._u[3], self._u[4])
        return self._extension

    @property
    def payload(self) -> bytes:
        """The bytes after header and size, without emulation prevention."""
        at, n, *_ = self._u
        return self._src[at : at + n]

    @property
    def payload_np(self) -> Any:
        """`payload` as a read-only NumPy array."""
        return as_array(self.payload)

    def __repr__(self) -> str:
        return f"Obu(obu_type={self._u[2]}, payload_len={self._u[1]})"


class MispTimestamp(Sealed):
    """A MISP time stamp (MISB ST 0603): microseconds or nanoseconds since 1970, without leap seconds."""

    __slots__ = ("_kind", "_time_status", "_value")

    def __init__(self, kind: MispTimeKind, time_status: int, value: int) -> None:
        self._kind: MispTimeKind = member("kind", kind, MispTimeKind)
        self._time_status = whole("time_status", time_status, 8)
        self._value = whole("value", value, 64)

    @staticmethod
    def micros(value_us: int, time_status: int) -> MispTimestamp:
        """A Precision Time Stamp."""
        return MispTimestamp(MISP_KIND[0], time_status, value_us)

    @staticmethod
    def nanos(value_ns: int, time_status: int) -> MispTimestamp:
        """A Nano Precision Time Stamp."""
        return MispTimestamp(MISP_KIND[1], time_status, value_ns)

    @property
    def kind(self) -> MispTimeKind:
        """The unit of `value`."""
        return self._kind

    @property
    def time_status(self) -> int:
        """The Time Status byte."""
        return self._time_status

    @property
    def value(self) -> int:
        """The time, in the unit that `kind` tells."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MispTimestamp):
            return NotImplemented
        return (
            self._kind is other._kind
            and self._time_status == other._time_status
            and self._value == other._value
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"MispTimestamp(kind={self._kind!r}, time_status=0x{self._time_status:02X}, value={self._value})"
        )
