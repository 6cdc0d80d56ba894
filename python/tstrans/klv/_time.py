"""The precision time stamp pack (MISB ST 0605)."""

from __future__ import annotations

from .._native import klv_lib as lib
from .._value import Value
from ._input import octets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer, Self

_put = object.__setattr__
_SET = 3
_U64 = 1 << 64

__all__ = [
    "PrecisionTimeStampPack",
    "TimeStatus",
    "decode_precision_timestamp",
    "encode_precision_timestamp",
]


class TimeStatus(Value):
    """The time status byte of ST 0603.."""

    __slots__ = ("raw",)
    raw: int

    def __init__(self, raw: int) -> None:
        if not 0 <= raw <= 255:
            raise ValueError(f"TimeStatus.raw must be 0..255; got {raw}")
        _put(self, "raw", raw)

    @property
    def is_locked(self) -> bool:
        """The clock is locked to absolute time: bit 7 is clear."""
        return not self.raw & 0x80

    @property
    def has_discontinuity(self) -> bool:
        """Time jumped since the last stamp."""
        return bool(self.raw & 0x40)

    @property
    def is_reverse_jump(self) -> bool:
        """The jump went back."""
        return bool(self.raw & 0x20)

    @property
    def reserved_bits_valid(self) -> bool:
        """The low five bits are all ones, as the standard wants them."""
        return self.raw & 0x1F == 0x1F


class PrecisionTimeStampPack(Value):
    """A time stamp in microseconds of the MISP scale (no leap seconds), with its status.."""

    __slots__ = ("time_status", "timestamp_us")
    time_status: TimeStatus
    timestamp_us: int

    def __init__(self, time_status: TimeStatus, timestamp_us: int) -> None:
        _put(self, "time_status", time_status)
        _put(self, "timestamp_us", timestamp_us)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{"time_status": self.time_status, "timestamp_us": self.timestamp_us, **changes})


def decode_precision_timestamp(buf: Buffer) -> PrecisionTimeStampPack:
    """The pack at the start of `buf`: label, length, status, microseconds."""
    status, us = lib.decode_set(_SET, octets(buf))
    return PrecisionTimeStampPack(TimeStatus(status), us)


def encode_precision_timestamp(pack: PrecisionTimeStampPack) -> bytes:
    """The 26 bytes of a pack."""
    status = pack.time_status.raw
    us = pack.timestamp_us
    if not 0 <= us < _U64:
        raise OverflowError(f"timestamp_us {us} does not fit 64 bits")
    return lib.encode_set(_SET, (status, us))
