"""What the fields of ST 0601 records mean: item, unit, datum. From the library's own table."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

__all__ = ["FieldInfo", "describe", "fields", "notes", "plain"]

_WGS84 = "WGS 84"
_ELLIPSOID = "WGS 84 ellipsoid"
_MSL = "mean sea level"

#: Heights that MISB ST 0601.19 gives above mean sea level; those above the ellipsoid say so in their names.
_ABOVE_SEA = frozenset(
    {
        "sensor_alt_m",
        "frame_center_elev_m",
        "target_location_elev_m",
        "alternate_platform_alt_m",
        "airfield_elevation_m",
    }
)


class FieldInfo(NamedTuple):
    """One field of a record."""

    name: str
    #: Place in the library's table of the set.
    number: int
    tag: int
    #: 0 float, 1 unsigned, 2 signed, 3 text, 4 bytes, 5 structured.
    kind: int
    unit: str | None
    #: Name of the enumeration, if the number is one's.
    enum: str | None
    #: Name of the record of a structured value.
    record: str | None

    @property
    def item(self) -> str:
        """The standard and item."""
        return f"MISB ST 0601 item {self.tag}"

    @property
    def datum(self) -> str | None:
        """The datum of a position or height."""
        if "ellipsoid_height" in self.name:
            return _ELLIPSOID
        if self.name in _ABOVE_SEA:
            return _MSL
        if "lat_deg" in self.name or "lon_deg" in self.name or "_lat_p" in self.name or "_lon_p" in self.name:
            return _WGS84
        if "_lat_offset_" in self.name or "_lon_offset_" in self.name:
            return _WGS84
        return None


@cache
def fields() -> dict[str, FieldInfo]:
    """The fields of an ST 0601 record by name, in the order of the library's table."""
    from .klv._uas_fields import FIELDS

    return {
        name: FieldInfo(name, i, tag, kind, unit or None, enum or None, record or None)
        for i, (name, tag, kind, _, unit, enum, record) in enumerate(FIELDS)
    }


def describe(name: str) -> FieldInfo | None:
    """What a column of that name holds, if it is a field of ST 0601."""
    return fields().get(name)


def notes(info: FieldInfo | None) -> dict[str, str] | None:
    """Item, unit and datum, as they stand in metadata."""
    if info is None:
        return None
    found = {"item": info.item, "unit": info.unit, "datum": info.datum}
    return {k: v for k, v in found.items() if v}


def plain(v: Any) -> Any:
    """A value as JSON has it: bytes in hex, enumerations by name, structures as objects."""
    if v is None or isinstance(v, (bool, int, str)):
        return v
    if isinstance(v, float):
        return round(v, 9) if abs(v) < float("inf") else None
    if isinstance(v, (bytes, bytearray, memoryview)):
        return bytes(v).hex()
    if hasattr(v, "name"):
        return v.name
    if hasattr(v, "item"):
        return plain(v.item())
    if hasattr(v, "__match_args__"):
        return {n: plain(getattr(v, n)) for n in v.__match_args__}
    if isinstance(v, (tuple, list)):
        return [plain(x) for x in v]
    return str(v)
