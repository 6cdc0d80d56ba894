"""The structured items of ST 0601 (revision 19), one record each."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from .._value import Value
from ._enums import PayloadType

_put = object.__setattr__
_bytes = bytes  # the name of a field below

__all__ = [
    "READ",
    "AirbaseLocations",
    "ControlCommand",
    "CountryCodes",
    "ImageHorizonPixels",
    "Location",
    "MetadataSubstreamId",
    "PayloadList",
    "PayloadRecord",
    "SdccFlpField",
    "SensorFrameRate",
    "ViewDomain",
    "ViewDomainPair",
    "WavelengthRecord",
    "Waypoint",
    "WeaponsStore",
    "plain",
]


class ImageHorizonPixels(Value):
    """Item 81: where the horizon enters and leaves the picture, in percent of its size, and the positions
    seen there..
    """

    __slots__ = (
        "x0_pct",
        "y0_pct",
        "x1_pct",
        "y1_pct",
        "start_lat_deg",
        "start_lon_deg",
        "end_lat_deg",
        "end_lon_deg",
    )
    x0_pct: int
    y0_pct: int
    x1_pct: int
    y1_pct: int
    start_lat_deg: float | None
    start_lon_deg: float | None
    end_lat_deg: float | None
    end_lon_deg: float | None

    def __init__(
        self,
        x0_pct: int,
        y0_pct: int,
        x1_pct: int,
        y1_pct: int,
        start_lat_deg: float | None = None,
        start_lon_deg: float | None = None,
        end_lat_deg: float | None = None,
        end_lon_deg: float | None = None,
    ) -> None:
        _put(self, "x0_pct", x0_pct)
        _put(self, "y0_pct", y0_pct)
        _put(self, "x1_pct", x1_pct)
        _put(self, "y1_pct", y1_pct)
        _put(self, "start_lat_deg", start_lat_deg)
        _put(self, "start_lon_deg", start_lon_deg)
        _put(self, "end_lat_deg", end_lat_deg)
        _put(self, "end_lon_deg", end_lon_deg)


class ControlCommand(Value):
    """Item 115: a command to the sensor; time_us on the MISP scale.."""

    __slots__ = ("id", "command", "time_us")
    id: int
    command: str
    time_us: int | None

    def __init__(self, id: int, command: str, time_us: int | None = None) -> None:
        _put(self, "id", id)
        _put(self, "command", command)
        _put(self, "time_us", time_us)


class SensorFrameRate(Value):
    """Item 127: pictures a second, as a fraction.."""

    __slots__ = ("numerator", "denominator")
    numerator: int
    denominator: int

    def __init__(self, numerator: int, denominator: int) -> None:
        _put(self, "numerator", numerator)
        _put(self, "denominator", denominator)

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self.numerator / self.denominator


class MetadataSubstreamId(Value):
    """Item 143: the part of the stream that a record describes.."""

    __slots__ = ("local_id", "uuid")
    local_id: int
    uuid: bytes | None

    def __init__(self, local_id: int, uuid: bytes | None = None) -> None:
        if uuid is not None and len(uuid) != 16:
            raise ValueError(f"MetadataSubstreamId.uuid must be 16 bytes; got {len(uuid)}")
        _put(self, "local_id", local_id)
        _put(self, "uuid", uuid)


class CountryCodes(Value):
    """Item 122: countries of the flight; coding_method as in ST 0102 item 2.."""

    __slots__ = ("coding_method", "overflight", "operator", "manufacture")
    coding_method: int
    overflight: str | None
    operator: str | None
    manufacture: str | None

    def __init__(
        self,
        coding_method: int,
        overflight: str | None = None,
        operator: str | None = None,
        manufacture: str | None = None,
    ) -> None:
        _put(self, "coding_method", coding_method)
        _put(self, "overflight", overflight)
        _put(self, "operator", operator)
        _put(self, "manufacture", manufacture)


class WavelengthRecord(Value):
    """A band of item 128, in nanometres.."""

    __slots__ = ("id", "min_nm", "max_nm", "name")
    id: int
    min_nm: float
    max_nm: float
    name: str

    def __init__(self, id: int, min_nm: float, max_nm: float, name: str) -> None:
        _put(self, "id", id)
        _put(self, "min_nm", min_nm)
        _put(self, "max_nm", max_nm)
        _put(self, "name", name)


class Location(Value):
    """A position in items 130 and 141: degrees, metres above the ellipsoid.."""

    __slots__ = ("lat_deg", "lon_deg", "hae_m")
    lat_deg: float | None
    lon_deg: float | None
    hae_m: float | None

    def __init__(
        self,
        lat_deg: float | None = None,
        lon_deg: float | None = None,
        hae_m: float | None = None,
    ) -> None:
        _put(self, "lat_deg", lat_deg)
        _put(self, "lon_deg", lon_deg)
        _put(self, "hae_m", hae_m)


class AirbaseLocations(Value):
    """Item 130: where the platform took off and will land.."""

    __slots__ = ("take_off", "recovery")
    take_off: Location | None
    recovery: Location | None

    def __init__(self, take_off: Location | None = None, recovery: Location | None = None) -> None:
        _put(self, "take_off", take_off)
        _put(self, "recovery", recovery)


class PayloadRecord(Value):
    """A payload of item 138.."""

    __slots__ = ("id", "payload_type", "name")
    id: int
    payload_type: PayloadType | int
    name: str

    def __init__(self, id: int, payload_type: PayloadType | int, name: str) -> None:
        _put(self, "id", id)
        _put(self, "payload_type", payload_type)
        _put(self, "name", name)


class PayloadList(Value):
    """Item 138: how many payloads are aboard, and those described here.."""

    __slots__ = ("count", "records")
    count: int
    records: tuple[PayloadRecord, ...]

    def __init__(self, count: int, records: tuple[PayloadRecord, ...] = ()) -> None:
        _put(self, "count", count)
        _put(self, "records", records)


class WeaponsStore(Value):
    """A weapon of item 140.."""

    __slots__ = ("station_id", "hardpoint_id", "carriage_id", "store_id", "status_raw", "weapon_type")
    station_id: int
    hardpoint_id: int
    carriage_id: int
    store_id: int
    status_raw: int
    weapon_type: str

    def __init__(
        self,
        station_id: int,
        hardpoint_id: int,
        carriage_id: int,
        store_id: int,
        status_raw: int,
        weapon_type: str,
    ) -> None:
        _put(self, "station_id", station_id)
        _put(self, "hardpoint_id", hardpoint_id)
        _put(self, "carriage_id", carriage_id)
        _put(self, "store_id", store_id)
        _put(self, "status_raw", status_raw)
        _put(self, "weapon_type", weapon_type)

    @property
    def general_status(self) -> int:
        """The low eight bits of the status."""
        return self.status_raw & 0xFF

    @property
    def fuze_enabled(self) -> bool:
        """Bit 8 of the status."""
        return bool(self.status_raw & 0x100)

    @property
    def laser_enabled(self) -> bool:
        """Bit 9 of the status."""
        return bool(self.status_raw & 0x200)

    @property
    def target_enabled(self) -> bool:
        """Bit 10 of the status."""
        return bool(self.status_raw & 0x400)

    @property
    def weapon_armed(self) -> bool:
        """Bit 11 of the status."""
        return bool(self.status_raw & 0x800)


class Waypoint(Value):
    """A waypoint of item 141: order 0 is the current one, above it planned, below it past, 32767
    cancelled..
    """

    __slots__ = ("id", "prosecution_order", "info", "location")
    id: int
    prosecution_order: int
    info: int | None
    location: Location | None

    def __init__(
        self,
        id: int,
        prosecution_order: int,
        info: int | None = None,
        location: Location | None = None,
    ) -> None:
        _put(self, "id", id)
        _put(self, "prosecution_order", prosecution_order)
        _put(self, "info", info)
        _put(self, "location", location)


class ViewDomainPair(Value):
    """A range of angles: start and extent in degrees.."""

    __slots__ = ("start_deg", "range_deg")
    start_deg: float
    range_deg: float

    def __init__(self, start_deg: float, range_deg: float) -> None:
        _put(self, "start_deg", start_deg)
        _put(self, "range_deg", range_deg)


class ViewDomain(Value):
    """Item 142: where the sensor can look.."""

    __slots__ = ("azimuth", "elevation", "roll")
    azimuth: ViewDomainPair | None
    elevation: ViewDomainPair | None
    roll: ViewDomainPair | None

    def __init__(
        self,
        azimuth: ViewDomainPair | None = None,
        elevation: ViewDomainPair | None = None,
        roll: ViewDomainPair | None = None,
    ) -> None:
        _put(self, "azimuth", azimuth)
        _put(self, "elevation", elevation)
        _put(self, "roll", roll)


class SdccFlpField(Value):
    """Item 102: an ST 1010 matrix, and the tags it is about.."""

    __slots__ = ("preceding_tags", "bytes")
    preceding_tags: tuple[int, ...]
    bytes: _bytes

    def __init__(self, preceding_tags: tuple[int, ...], bytes: _bytes) -> None:
        _put(self, "preceding_tags", preceding_tags)
        _put(self, "bytes", bytes)


def _location(v: Any) -> Location | None:
    return None if v is None else Location(*v)


def _payload(v: Any) -> PayloadRecord:
    return PayloadRecord(v[0], _payload_types().get(v[1], v[1]), v[2])


def _payload_types() -> dict[int, PayloadType]:
    return {m.value: m for m in PayloadType}


def _pair(v: Any) -> ViewDomainPair | None:
    return None if v is None else ViewDomainPair(*v)


def _same(v: Any) -> Any:
    return v


#: How the value tree of each structured field becomes its record.
READ: dict[str, Callable[[Any], Any]] = {
    "image_horizon": lambda v: ImageHorizonPixels(*v),
    "control_commands": lambda v: tuple([ControlCommand(*e[:3]) for e in v]),
    "control_command_verification": _same,
    "active_wavelengths": _same,
    "sensor_frame_rate": lambda v: SensorFrameRate(*v),
    "metadata_substream_id": lambda v: MetadataSubstreamId(*v),
    "country_codes": lambda v: CountryCodes(*v),
    "wavelengths_list": lambda v: tuple([WavelengthRecord(*e) for e in v]),
    "airbase_locations": lambda v: AirbaseLocations(_location(v[0]), _location(v[1])),
    "payload_list": lambda v: PayloadList(v[0], tuple([_payload(e) for e in v[1]])),
    "weapons_stores": lambda v: tuple([WeaponsStore(*e) for e in v]),
    "waypoint_list": lambda v: tuple([Waypoint(e[0], e[1], e[2], _location(e[3])) for e in v]),
    "view_domain": lambda v: ViewDomain(*[_pair(e) for e in v]),
    "sdcc_flps": lambda v: tuple([SdccFlpField(*e) for e in v]),
}


_CROSSING = frozenset({type(None), bool, int, float, str, bytes})


def plain(value: Any) -> Any:
    """A record as nested tuples of plain values, which is what crosses the boundary."""
    if isinstance(value, Value):
        return tuple([plain(getattr(value, n)) for n in value.__match_args__])
    if isinstance(value, (list, tuple)):
        return tuple([plain(v) for v in value])
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if type(value) in _CROSSING or hasattr(value, "__len__"):
        return value
    # Numbers of other libraries. As objects with a buffer they would cross as bytes.
    for special, kind in (("__index__", int), ("__float__", float)):
        if hasattr(value, special):
            return kind(value)
    return value
