"""What the columns of telemetry tables mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from math import isnan
from typing import Any

from ..klv import UasDatalinkLs
from ..klv._layout import INTEGERS

__all__ = ["VERSION", "ColumnMap", "Table", "date_us", "fields_of_row", "scaled"]

#: Column name (see `_bare`) to field of `UasDatalinkLs`.
ColumnMap = Mapping[str, str]

#: The revision of ST 0601 that records name.
VERSION = 19


def _bare(column: str) -> tuple[str, str]:
    """(name without spaces, signs and case; unit) of a column such as `OSD.height [ft]`."""
    name, unit = column.strip(), ""
    m = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", name)
    if m:
        name, unit = m.group(1), m.group(2).strip().lower()
    return re.sub(r"[^a-z0-9]", "", name.lower()), unit


# What ArcGIS and others call the items of ST 0601, beside the item's own name and the field's.
_ITEMS = {
    "precisiontimestamp": "timestamp_us",
    "unixtimestamp": "timestamp_us",
    "timestamp": "timestamp_us",
    "ldsver": "uas_ls_version",
    "uasldsversionnumber": "uas_ls_version",
    "uasdatalinklsversionnumber": "uas_ls_version",
    "missionid": "mission_id",
    "platformtailnumber": "platform_tail_number",
    "platformheadingangle": "platform_heading_deg",
    "platformheading": "platform_heading_deg",
    "platformpitchangle": "platform_pitch_deg",
    "platformpitch": "platform_pitch_deg",
    "platformrollangle": "platform_roll_deg",
    "platformroll": "platform_roll_deg",
    "platformpitchanglefull": "platform_pitch_full_deg",
    "platformrollanglefull": "platform_roll_full_deg",
    "platformtrueairspeed": "platform_true_airspeed",
    "platformindicatedairspeed": "platform_indicated_airspeed",
    "platformgroundspeed": "platform_ground_speed",
    "platformangleofattack": "platform_angle_of_attack_deg",
    "platformsideslipangle": "platform_sideslip_deg",
    "outsideairtemperature": "outside_air_temp_c",
    "eventstarttimeutc": "event_start_time_us",
    "platformdesignation": "platform_designation",
    "platformcallsign": "platform_call_sign",
    "imagesourcesensor": "image_source_sensor",
    "imagecoordinatesystem": "image_coordinate_system",
    "sensorlatitude": "sensor_lat_deg",
    "sensorlongitude": "sensor_lon_deg",
    "sensortruealtitude": "sensor_alt_m",
    "sensoraltitude": "sensor_alt_m",
    "sensorellipsoidheight": "sensor_ellipsoid_height_m",
    "sensorellipsoidheightextended": "sensor_ellipsoid_height_extended_m",
    "sensorhorizontalfieldofview": "sensor_hfov_deg",
    "horizontalfov": "sensor_hfov_deg",
    "sensorverticalfieldofview": "sensor_vfov_deg",
    "verticalfov": "sensor_vfov_deg",
    "sensorrelativeazimuthangle": "sensor_rel_az_deg",
    "sensorrelativeazimuth": "sensor_rel_az_deg",
    "sensorrelativeelevationangle": "sensor_rel_el_deg",
    "sensorrelativeelevation": "sensor_rel_el_deg",
    "sensorrelativerollangle": "sensor_rel_roll_deg",
    "sensorrelativeroll": "sensor_rel_roll_deg",
    "slantrange": "slant_range_m",
    "targetwidth": "target_width_m",
    "groundrange": "ground_range_m",
    "framecenterlatitude": "frame_center_lat_deg",
    "framecenterlongitude": "frame_center_lon_deg",
    "framecenterelevation": "frame_center_elev_m",
    "targetlocationlatitude": "target_location_lat_deg",
    "targetlocationlongitude": "target_location_lon_deg",
    "targetlocationelevation": "target_location_elev_m",
    **{
        name: field.format(p)
        for p in (1, 2, 3, 4)
        for name, field in (
            (f"cornerlatitudepoint{p}full", "corner_lat_p{}_deg"),
            (f"cornerlongitudepoint{p}full", "corner_lon_p{}_deg"),
            (f"cornerlatitudepoint{p}", "corner_lat_p{}_deg"),
            (f"cornerlongitudepoint{p}", "corner_lon_p{}_deg"),
            (f"offsetcornerlatitudepoint{p}", "corner_lat_offset_p{}_deg"),
            (f"offsetcornerlongitudepoint{p}", "corner_lon_offset_p{}_deg"),
        )
    },
}

# DJI flight logs: AirData's export, and that of the log converters. `_gimbal_` columns are angles to the
# horizon and to north; `_fields` makes them relative to the aircraft.
_DJI = {
    "latitude": "sensor_lat_deg",
    "longitude": "sensor_lon_deg",
    "altitudeabovesealevel": "sensor_alt_m",
    "altitude": "sensor_alt_m",
    "heightabovetakeoff": "altitude_agl_m",
    "heightabovegroundatdronelocation": "altitude_agl_m",
    "speed": "platform_ground_speed",
    "satellites": "navsats_in_view",
    "compassheading": "platform_heading_deg",
    "pitch": "platform_pitch_full_deg",
    "roll": "platform_roll_full_deg",
    "gimbalheading": "_gimbal_heading",
    "gimbalpitch": "_gimbal_pitch",
    "gimbalroll": "_gimbal_roll",
    "osdlatitude": "sensor_lat_deg",
    "osdlongitude": "sensor_lon_deg",
    "osdaltitude": "sensor_alt_m",
    "osdheight": "altitude_agl_m",
    "osdhspeed": "platform_ground_speed",
    "osdgpsnum": "navsats_in_view",
    "osdyaw": "platform_heading_deg",
    "osdpitch": "platform_pitch_full_deg",
    "osdroll": "platform_roll_full_deg",
    "gimbalyaw": "_gimbal_heading",
}

# Times: column, and how many microseconds one is where it is no date.
_ELAPSED = {"timemillisecond": 1000, "time": 0, "elapsedtime": 0, "osdflytime": 0, "offsettime": 0}
_DATES = ("datetimeutc", "datetime", "customupdatetime", "date", "utc", "gpstime")
#: The day, where the time of day stands in a column of its own.
_DAYS = ("customdate",)
_FILMING = ("isvideo", "customisvideo", "cameraisvideo")

_UNITS: dict[str, float] = {
    "ft": 0.3048,
    "feet": 0.3048,
    "mph": 0.44704,
    "km/h": 1 / 3.6,
    "kph": 1 / 3.6,
    "kn": 0.514444,
    "knots": 0.514444,
    "km": 1000.0,
    "rad": 57.29577951308232,
    "radians": 57.29577951308232,
}
_TEXT = {
    "mission_id",
    "platform_tail_number",
    "platform_designation",
    "platform_call_sign",
    "image_source_sensor",
    "image_coordinate_system",
}


def _known_fields() -> dict[str, str]:
    """The fields by their names, with and without the unit at the end."""
    out: dict[str, str] = {}
    for n in UasDatalinkLs.__match_args__:
        bare = re.sub(r"_(deg|m|mbar|pct|kg|km|px|us|s|rpm|dps|mhz|gb)$", "", n)
        out.setdefault(bare.replace("_", ""), n)
        out[n.replace("_", "")] = n
    return out


class Table:
    """What the columns of one table mean."""

    def __init__(self, columns: Iterable[str], given: ColumnMap | None) -> None:
        #: Column, field, factor; 0 for what is text, None for a whole number.
        self.columns: list[tuple[str, str, float | None]] = []
        self.date: str | None = None
        self.day: str | None = None
        self.elapsed: tuple[str, float] | None = None
        self.filming: str | None = None
        fields = _known_fields()
        wanted = {_bare(k)[0]: v for k, v in (given or {}).items()}
        for v in wanted.values():
            if v not in UasDatalinkLs.__match_args__ and not v.startswith("_"):
                raise ValueError(f"column map: {v!r} is no field of UasDatalinkLs")
        taken = set()
        for column in columns:
            name, unit = _bare(column)
            joined = name + re.sub(r"[^a-z0-9]", "", unit)
            field = (
                wanted.get(name)
                or _ITEMS.get(name)
                or fields.get(name)
                or fields.get(joined)
                or _DJI.get(name)
            )
            if name in _FILMING:
                self.filming = column
            elif name in _DAYS:
                self.day = column
            elif joined in _DATES or name in _DATES:
                self.date = self.date or column
            elif joined in _ELAPSED or (name in _ELAPSED and field is None):
                per = _ELAPSED.get(joined, 0) or (
                    1000 if unit in ("ms", "millisecond", "milliseconds") else 1_000_000
                )
                # A log that has the time twice has it once as text, without a unit.
                if self.elapsed is None or (unit and not _bare(self.elapsed[0])[1]):
                    self.elapsed = column, per
            elif field is not None and field not in taken:
                taken.add(field)
                factor = 0.0 if field in _TEXT else None if field in INTEGERS else _UNITS.get(unit, 1.0)
                self.columns.append((column, field, factor))
        if not self.columns:
            raise ValueError("no column of the table is known: name them with a column map")

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one row; empty cells and those that are no numbers are left out."""
        out: dict[str, Any] = {}
        for column, field, factor in self.columns:
            raw = row.get(column)
            if raw is None or raw == "":
                continue
            if factor == 0:
                out[field] = str(raw)
                continue
            if not isinstance(raw, (int, float, str)):
                out[field] = raw
                continue
            try:
                number = float(raw)
                if factor is not None:
                    if not isnan(number):
                        out[field] = number * factor
                elif number.is_integer():
                    # A count of nanoseconds has more digits than a float.
                    whole = isinstance(raw, int) or (isinstance(raw, str) and raw.strip().isdecimal())
                    out[field] = int(raw) if whole else int(number)
                elif not isnan(number):
                    # Of a time, the fraction may be all below a second.
                    out[field] = number if field == "timestamp_us" else round(number)
            except ValueError:
                if field == "timestamp_us":
                    out[field] = date_us(str(raw))
        return out

    def date_of(self, row: Mapping[str, Any]) -> str | None:
        """The date of a row, as it stands there."""
        date = row.get(self.date) if self.date else None
        day = row.get(self.day) if self.day else None
        return f"{day or ''} {date or ''}".strip() or None


def date_us(text: str) -> int:
    """A date as microseconds since 1970; UTC where it names no zone."""
    t = text.strip().replace("/", "-")
    try:
        d = datetime.fromisoformat(t.replace("Z", "+00:00"))
    except ValueError:
        for form in (
            "%Y-%m-%d %H:%M:%S.%f",
            "%m-%d-%Y %H:%M:%S",
            "%m-%d-%Y %I:%M:%S %p",
            "%m-%d-%Y %I:%M:%S.%f %p",
            "%Y-%m-%d %I:%M:%S.%f %p",
            "%Y-%m-%d %I:%M:%S %p",
            "%m-%d-%Y %H:%M:%S.%f",
            "%d-%m-%Y %H:%M:%S",
        ):
            try:
                d = datetime.strptime(t, form)
                break
            except ValueError:
                continue
        else:
            raise ValueError(f"no date: {text!r}") from None
    if d.tzinfo is None:
        d = d.replace(tzinfo=timezone.utc)
    return round(d.timestamp() * 1_000_000)


def scaled(stamp: float) -> int:
    """A Unix time in seconds, milliseconds, microseconds or nanoseconds as microseconds."""
    if stamp >= 1e17:
        return int(stamp) // 1000
    if stamp >= 1e14:
        return int(stamp)
    if stamp >= 1e11:
        return int(stamp * 1000)
    return int(stamp * 1_000_000)


def _turn(degrees: float) -> float:
    return degrees % 360.0


def fields_of_row(values: dict[str, Any]) -> dict[str, Any]:
    """Fields of `UasDatalinkLs` from those of a row: a gimbal's angles become relative to the aircraft.

    A gimbal reports its heading to north and its pitch and roll to the horizon; ST 0601 wants them relative
    to the platform. Heading is exact; pitch and roll are differences, exact for a level aircraft.
    """
    heading, pitch, roll = (values.pop(k, None) for k in ("_gimbal_heading", "_gimbal_pitch", "_gimbal_roll"))
    own = values.get("platform_heading_deg")
    if own is not None:
        values["platform_heading_deg"] = _turn(own)
    if heading is not None and own is not None:
        values["sensor_rel_az_deg"] = _turn(heading - own)
    if pitch is not None:
        values["sensor_rel_el_deg"] = pitch - values.get("platform_pitch_full_deg", 0.0)
    if roll is not None:
        values["sensor_rel_roll_deg"] = _turn(roll - values.get("platform_roll_full_deg", 0.0))
    agl = values.get("altitude_agl_m")
    if agl is not None and agl < -900:
        del values["altitude_agl_m"]
    return values
