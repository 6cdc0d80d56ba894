"""The codecs, and the table from payload types to them."""

from __future__ import annotations

from enum import IntEnum

from .base import Codec
from .g711 import PcmaCodec, PcmuCodec
from .g722 import G722Codec
from .opus import OpusCodec
from .pcm import L16Codec

__all__ = [
    "Codec",
    "G722Codec",
    "L16Codec",
    "OpusCodec",
    "PayloadType",
    "PcmaCodec",
    "PcmuCodec",
    "get_codec",
    "register_codec",
]


class PayloadType(IntEnum):
    """Payload types (RFC 3551 §6); those of video are the dynamic ones used here."""

    PCMU = 0
    PCMA = 8
    G722 = 9
    L16 = 11
    H264 = 96
    VP8 = 97
    VP9 = 98


_registry: dict[int, type[Codec]] = {
    PayloadType.PCMU: PcmuCodec,
    PayloadType.PCMA: PcmaCodec,
    PayloadType.G722: G722Codec,
    PayloadType.L16: L16Codec,
    111: OpusCodec,
}


def get_codec(pt: int) -> Codec:
    """A new codec for a payload type.

    :raises ValueError: where none is registered.

    >>> get_codec(PayloadType.PCMU).name
    'PCMU'
    """
    try:
        cls = _registry[pt]
    except KeyError:
        raise ValueError(f"No codec registered for payload type {pt}") from None
    return cls()


def register_codec(pt: int, cls: type[Codec]) -> None:
    """Register a class for a payload type; it replaces the one before."""
    _registry[pt] = cls
