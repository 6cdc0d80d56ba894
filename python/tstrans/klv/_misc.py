"""Core identifiers (ST 1204), SDCC matrices (ST 1010), minimum metadata (ST 0902), Cursor on Target (ST
0805).
"""

from __future__ import annotations

from enum import Enum

from .._native import klv_lib as lib
from .._value import Value
from ._input import octets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer, Self

    from ._uas import UasDatalinkLs

_put = object.__setattr__
_CORE_ID, _SDCC = 20, 21
_PLATFORM, _SENSOR_POINT, _PLATFORM_UID, _SENSOR_UID = 1, 2, 3, 4

__all__ = [
    "CoreId",
    "CotConfig",
    "IdType",
    "MismmsViolation",
    "SdccFlp",
    "core_id_text",
    "decode_core_id",
    "decode_sdcc_flp",
    "encode_core_id",
    "encode_sdcc_flp_mode2",
    "platform_position_xml",
    "platform_uid",
    "sensor_point_of_interest_xml",
    "spi_uid",
    "validate_mismms",
]


class IdType(Enum):
    """How an identifier came about."""

    MANAGED = "managed"
    PHYSICAL = "physical"
    VIRTUAL = "virtual"


IdType.__module__ = "tstrans.klv"


class CoreId(Value):
    """A MIIS core identifier: up to four UUIDs of 16 bytes.."""

    __slots__ = ("version", "sensor", "platform", "window", "minor")
    version: int
    sensor: tuple[IdType, bytes] | None
    platform: tuple[IdType, bytes] | None
    window: bytes | None
    minor: bytes | None

    def __init__(
        self,
        version: int,
        sensor: tuple[IdType, bytes] | None = None,
        platform: tuple[IdType, bytes] | None = None,
        window: bytes | None = None,
        minor: bytes | None = None,
    ) -> None:
        _put(self, "version", version)
        _put(self, "sensor", sensor)
        _put(self, "platform", platform)
        _put(self, "window", window)
        _put(self, "minor", minor)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**dict(zip(self.__match_args__, self._values(), strict=True)), **changes})


_KINDS = (IdType.MANAGED, IdType.VIRTUAL, IdType.PHYSICAL)
_KIND_NUMBERS = {IdType.MANAGED: 1, IdType.VIRTUAL: 2, IdType.PHYSICAL: 3}


def _core_tree(c: CoreId) -> tuple[Any, ...]:
    def pair(v: tuple[IdType, bytes] | None) -> tuple[int, bytes] | None:
        return None if v is None else (_KIND_NUMBERS[v[0]], bytes(v[1]))

    return c.version, pair(c.sensor), pair(c.platform), c.window, c.minor


def decode_core_id(buf: Buffer) -> CoreId:
    """The binary form, as ST 0601 item 94 and ST 0903 item 13 carry it."""
    version, sensor, platform, window, minor = lib.decode_set(_CORE_ID, octets(buf))
    return CoreId(
        version,
        None if sensor is None else (_KINDS[sensor[0] - 1], sensor[1]),
        None if platform is None else (_KINDS[platform[0] - 1], platform[1]),
        window,
        minor,
    )


def _check_core(c: CoreId) -> None:
    for v in (c.sensor and c.sensor[1], c.platform and c.platform[1], c.window, c.minor):
        if v is not None and len(v) != 16:
            raise ValueError(f"identifiers have 16 bytes; got {len(v)}")


def encode_core_id(core_id: CoreId) -> bytes:
    """The binary form."""
    _check_core(core_id)
    return lib.encode_set(_CORE_ID, _core_tree(core_id))


def core_id_text(core_id: CoreId) -> str:
    """The text form with its check value.

    >>> from tstrans import klv
    >>> klv.core_id_text(klv.CoreId(1, minor=bytes(range(16))))
    '0102:0001-0203-0405-0607-0809-0A0B-0C0D-0E0F:19'
    """
    _check_core(core_id)
    return lib.core_id_text(_core_tree(core_id))


class SdccFlp(Value):
    """Standard deviations, and correlations as the upper triangle by rows (0.0 where absent).."""

    __slots__ = ("matrix_size", "std_devs", "correlations", "correlation_present")
    matrix_size: int
    std_devs: tuple[float, ...]
    correlations: tuple[float, ...]
    correlation_present: tuple[bool, ...]

    def __init__(
        self,
        matrix_size: int,
        std_devs: tuple[float, ...] = (),
        correlations: tuple[float, ...] = (),
        correlation_present: tuple[bool, ...] = (),
    ) -> None:
        _put(self, "matrix_size", matrix_size)
        _put(self, "std_devs", std_devs)
        _put(self, "correlations", correlations)
        _put(self, "correlation_present", correlation_present)

    def correlation(self, i: int, j: int) -> float:
        """The correlation of elements i and j; the standard deviation where they are the same."""
        n = self.matrix_size
        if not (0 <= i < n and 0 <= j < n):
            raise IndexError(f"({i}, {j}) is outside a matrix of size {n}")
        if i == j:
            return self.std_devs[i]
        if i > j:
            i, j = j, i
        return self.correlations[i * n - i * (i + 1) // 2 + j - i - 1]


def decode_sdcc_flp(buf: Buffer) -> SdccFlp:
    """An SDCC-FLP as ST 0601 item 102 carries it."""
    return SdccFlp(*lib.decode_set(_SDCC, octets(buf)))


def encode_sdcc_flp_mode2(std_devs: list[float], correlations: list[float], clen: int) -> bytes:
    """An SDCC-FLP in mode 2: float32 standard deviations, correlations as IMAPB of `clen` bytes."""
    return lib.encode_set(_SDCC, (tuple(map(float, std_devs)), tuple(map(float, correlations)), clen))


class MismmsViolation(Value):
    """A rule of the minimum metadata set that a record breaks.."""

    __slots__ = ("kind", "tag", "name", "tag_b")
    kind: str
    tag: int
    name: str | None
    tag_b: int | None

    def __init__(self, kind: str, tag: int, name: str | None = None, tag_b: int | None = None) -> None:
        _put(self, "kind", kind)
        _put(self, "tag", tag)
        _put(self, "name", name)
        _put(self, "tag_b", tag_b)


def validate_mismms(record: UasDatalinkLs) -> list[MismmsViolation]:
    """What a record lacks of the motion imagery sensor minimum metadata set (ST 0902)."""
    return [MismmsViolation(*v) for v in lib.mismms(record._as_block())]


class CotConfig(Value):
    """What Cursor on Target events say besides the record; times in microseconds, undulation in metres.."""

    __slots__ = ("platform_type", "update_interval_us", "producer", "geoid_undulation_m", "how")
    platform_type: str
    update_interval_us: int
    producer: str
    geoid_undulation_m: float | None
    how: str

    def __init__(
        self,
        platform_type: str = "a-f-A-M-F",
        update_interval_us: int = 5000000,
        producer: str = "ST0601CoT",
        geoid_undulation_m: float | None = None,
        how: str = "m-p",
    ) -> None:
        _put(self, "platform_type", platform_type)
        _put(self, "update_interval_us", update_interval_us)
        _put(self, "producer", producer)
        _put(self, "geoid_undulation_m", geoid_undulation_m)
        _put(self, "how", how)


def _event(what: int, record: UasDatalinkLs, config: CotConfig | None, generated_us: int) -> str:
    c = config or CotConfig()
    t = generated_us.__index__()
    if not 0 <= t < 1 << 64:
        raise OverflowError(f"generated_us {t} does not fit 64 bits")
    u = c.geoid_undulation_m
    tree = (c.platform_type, c.update_interval_us, c.producer, u if u is None else float(u), c.how, t)
    return lib.text_of_block(what, record._as_block(), tree)


def platform_position_xml(
    record: UasDatalinkLs, *, config: CotConfig | None = None, generated_us: int
) -> str:
    """The platform's position as a Cursor on Target event (ST 0805)."""
    return _event(_PLATFORM, record, config, generated_us)


def sensor_point_of_interest_xml(
    record: UasDatalinkLs, *, config: CotConfig | None = None, generated_us: int
) -> str:
    """The sensor's point of interest as a Cursor on Target event (ST 0805)."""
    return _event(_SENSOR_POINT, record, config, generated_us)


def platform_uid(record: UasDatalinkLs) -> str:
    """The uid of a platform's events: items 10 and 3."""
    return lib.text_of_block(_PLATFORM_UID, record._as_block())


def spi_uid(record: UasDatalinkLs) -> str:
    """The uid of a sensor's point of interest: items 10, 3 and 11."""
    return lib.text_of_block(_SENSOR_UID, record._as_block())
