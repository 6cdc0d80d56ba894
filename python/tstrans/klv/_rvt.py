"""The remote video terminal local set (MISB ST 0806)."""

from __future__ import annotations

from enum import Enum

from .._native import klv_lib as lib
from .._value import Value
from ._input import octets
from ._layout import unknown_items
from ._packs import plain
from ._values import KlvFieldError, field_errors, made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer, Self

_put = object.__setattr__
_SET = 19
_STANDALONE = 256
_ENCODE_STANDALONE = 4

__all__ = [
    "RvtAoi",
    "RvtAoiType",
    "RvtLs",
    "RvtPoi",
    "RvtPoiType",
    "RvtUserData",
    "RvtUserDataType",
    "decode_rvt",
    "decode_rvt_standalone",
    "encode_rvt",
    "encode_rvt_standalone",
]


class RvtPoiType(Enum):
    """Type of a point of interest."""

    FRIENDLY = 1
    HOSTILE = 2
    TARGET = 3
    UNKNOWN = 4


class RvtAoiType(Enum):
    """Type of an area of interest."""

    FRIENDLY = 1
    HOSTILE = 2
    RESERVED = 3
    UNKNOWN = 4


class RvtUserDataType(Enum):
    """Type of user defined data."""

    STRINGS = 0
    INT = 1
    UINT = 2
    EXPERIMENTAL = 3


for _e in (RvtPoiType, RvtAoiType, RvtUserDataType):
    _e.__module__ = "tstrans.klv"
del _e


class RvtUserData(Value):
    """User defined data: a type in the two high bits of the id, a number in the others.."""

    __slots__ = ("numeric_id_raw", "data")
    numeric_id_raw: int
    data: bytes

    def __init__(self, numeric_id_raw: int, data: bytes = b"") -> None:
        _put(self, "numeric_id_raw", numeric_id_raw)
        _put(self, "data", data)

    @property
    def data_type(self) -> RvtUserDataType:
        """What the data is."""
        return RvtUserDataType(self.numeric_id_raw >> 6 & 3)

    @property
    def numeric_id(self) -> int:
        """The id without the type."""
        return self.numeric_id_raw & 0x3F


class RvtPoi(Value):
    """A point of interest: degrees, metres.."""

    __slots__ = (
        "number",
        "lat_deg",
        "lon_deg",
        "alt_m",
        "poi_type",
        "text",
        "source_icon",
        "source_id",
        "label",
        "operation_id",
        "sentinel_tags",
        "unknown",
        "field_errors",
    )
    number: int | None
    lat_deg: float | None
    lon_deg: float | None
    alt_m: float | None
    poi_type: RvtPoiType | int | None
    text: str | None
    source_icon: str | None
    source_id: str | None
    label: str | None
    operation_id: str | None
    sentinel_tags: tuple[int, ...]
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        number: int | None = None,
        lat_deg: float | None = None,
        lon_deg: float | None = None,
        alt_m: float | None = None,
        poi_type: RvtPoiType | int | None = None,
        text: str | None = None,
        source_icon: str | None = None,
        source_id: str | None = None,
        label: str | None = None,
        operation_id: str | None = None,
        sentinel_tags: tuple[int, ...] = (),
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "number", number)
        _put(self, "lat_deg", lat_deg)
        _put(self, "lon_deg", lon_deg)
        _put(self, "alt_m", alt_m)
        _put(self, "poi_type", poi_type)
        _put(self, "text", text)
        _put(self, "source_icon", source_icon)
        _put(self, "source_id", source_id)
        _put(self, "label", label)
        _put(self, "operation_id", operation_id)
        _put(self, "sentinel_tags", sentinel_tags)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class RvtAoi(Value):
    """An area of interest by two opposite corners, in degrees.."""

    __slots__ = (
        "number",
        "corner_lat_p1_deg",
        "corner_lon_p1_deg",
        "corner_lat_p3_deg",
        "corner_lon_p3_deg",
        "aoi_type",
        "text",
        "source_id",
        "label",
        "operation_id",
        "sentinel_tags",
        "unknown",
        "field_errors",
    )
    number: int | None
    corner_lat_p1_deg: float | None
    corner_lon_p1_deg: float | None
    corner_lat_p3_deg: float | None
    corner_lon_p3_deg: float | None
    aoi_type: RvtAoiType | int | None
    text: str | None
    source_id: str | None
    label: str | None
    operation_id: str | None
    sentinel_tags: tuple[int, ...]
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        number: int | None = None,
        corner_lat_p1_deg: float | None = None,
        corner_lon_p1_deg: float | None = None,
        corner_lat_p3_deg: float | None = None,
        corner_lon_p3_deg: float | None = None,
        aoi_type: RvtAoiType | int | None = None,
        text: str | None = None,
        source_id: str | None = None,
        label: str | None = None,
        operation_id: str | None = None,
        sentinel_tags: tuple[int, ...] = (),
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "number", number)
        _put(self, "corner_lat_p1_deg", corner_lat_p1_deg)
        _put(self, "corner_lon_p1_deg", corner_lon_p1_deg)
        _put(self, "corner_lat_p3_deg", corner_lat_p3_deg)
        _put(self, "corner_lon_p3_deg", corner_lon_p3_deg)
        _put(self, "aoi_type", aoi_type)
        _put(self, "text", text)
        _put(self, "source_id", source_id)
        _put(self, "label", label)
        _put(self, "operation_id", operation_id)
        _put(self, "sentinel_tags", sentinel_tags)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class RvtLs(Value):
    """One ST 0806 set. Speeds in m/s, distances in metres, data rate in bit/s.."""

    __slots__ = (
        "crc32",
        "timestamp_us",
        "platform_true_airspeed",
        "platform_indicated_airspeed",
        "telemetry_accuracy_indicator",
        "frag_circle_radius_m",
        "frame_code",
        "rvt_ls_version",
        "video_data_rate",
        "digital_video_file_format",
        "user_defined",
        "points_of_interest",
        "areas_of_interest",
        "aircraft_mgrs_zone",
        "aircraft_mgrs_band_grid",
        "aircraft_mgrs_easting_m",
        "aircraft_mgrs_northing_m",
        "frame_center_mgrs_zone",
        "frame_center_mgrs_band_grid",
        "frame_center_mgrs_easting_m",
        "frame_center_mgrs_northing_m",
        "unknown",
        "field_errors",
    )
    crc32: int | None
    timestamp_us: int | None
    platform_true_airspeed: int | None
    platform_indicated_airspeed: int | None
    telemetry_accuracy_indicator: int | None
    frag_circle_radius_m: int | None
    frame_code: int | None
    rvt_ls_version: int | None
    video_data_rate: int | None
    digital_video_file_format: str | None
    user_defined: tuple[RvtUserData, ...]
    points_of_interest: tuple[RvtPoi, ...]
    areas_of_interest: tuple[RvtAoi, ...]
    aircraft_mgrs_zone: int | None
    aircraft_mgrs_band_grid: str | None
    aircraft_mgrs_easting_m: int | None
    aircraft_mgrs_northing_m: int | None
    frame_center_mgrs_zone: int | None
    frame_center_mgrs_band_grid: str | None
    frame_center_mgrs_easting_m: int | None
    frame_center_mgrs_northing_m: int | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        crc32: int | None = None,
        timestamp_us: int | None = None,
        platform_true_airspeed: int | None = None,
        platform_indicated_airspeed: int | None = None,
        telemetry_accuracy_indicator: int | None = None,
        frag_circle_radius_m: int | None = None,
        frame_code: int | None = None,
        rvt_ls_version: int | None = None,
        video_data_rate: int | None = None,
        digital_video_file_format: str | None = None,
        user_defined: tuple[RvtUserData, ...] = (),
        points_of_interest: tuple[RvtPoi, ...] = (),
        areas_of_interest: tuple[RvtAoi, ...] = (),
        aircraft_mgrs_zone: int | None = None,
        aircraft_mgrs_band_grid: str | None = None,
        aircraft_mgrs_easting_m: int | None = None,
        aircraft_mgrs_northing_m: int | None = None,
        frame_center_mgrs_zone: int | None = None,
        frame_center_mgrs_band_grid: str | None = None,
        frame_center_mgrs_easting_m: int | None = None,
        frame_center_mgrs_northing_m: int | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "crc32", crc32)
        _put(self, "timestamp_us", timestamp_us)
        _put(self, "platform_true_airspeed", platform_true_airspeed)
        _put(self, "platform_indicated_airspeed", platform_indicated_airspeed)
        _put(self, "telemetry_accuracy_indicator", telemetry_accuracy_indicator)
        _put(self, "frag_circle_radius_m", frag_circle_radius_m)
        _put(self, "frame_code", frame_code)
        _put(self, "rvt_ls_version", rvt_ls_version)
        _put(self, "video_data_rate", video_data_rate)
        _put(self, "digital_video_file_format", digital_video_file_format)
        _put(self, "user_defined", user_defined)
        _put(self, "points_of_interest", points_of_interest)
        _put(self, "areas_of_interest", areas_of_interest)
        _put(self, "aircraft_mgrs_zone", aircraft_mgrs_zone)
        _put(self, "aircraft_mgrs_band_grid", aircraft_mgrs_band_grid)
        _put(self, "aircraft_mgrs_easting_m", aircraft_mgrs_easting_m)
        _put(self, "aircraft_mgrs_northing_m", aircraft_mgrs_northing_m)
        _put(self, "frame_center_mgrs_zone", frame_center_mgrs_zone)
        _put(self, "frame_center_mgrs_band_grid", frame_center_mgrs_band_grid)
        _put(self, "frame_center_mgrs_easting_m", frame_center_mgrs_easting_m)
        _put(self, "frame_center_mgrs_northing_m", frame_center_mgrs_northing_m)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)

    @property
    def aircraft_mgrs(self) -> str | None:
        """The aircraft's position in MGRS, None when a part of it is missing."""
        return _mgrs(
            self.aircraft_mgrs_zone,
            self.aircraft_mgrs_band_grid,
            self.aircraft_mgrs_easting_m,
            self.aircraft_mgrs_northing_m,
        )

    @property
    def frame_center_mgrs(self) -> str | None:
        """The frame centre in MGRS, None when a part of it is missing."""
        return _mgrs(
            self.frame_center_mgrs_zone,
            self.frame_center_mgrs_band_grid,
            self.frame_center_mgrs_easting_m,
            self.frame_center_mgrs_northing_m,
        )

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**dict(zip(self.__match_args__, self._values(), strict=True)), **changes})


def _mgrs(zone: int | None, grid: str | None, easting: int | None, northing: int | None) -> str | None:
    if zone is None or grid is None or easting is None or northing is None:
        return None
    return f"{zone:02d}{grid}{easting:05d}{northing:05d}"


def _coded(kind: type[Enum], v: Any) -> Any:
    try:
        return kind(v)
    except ValueError:
        return v


def _poi(v: Any) -> RvtPoi:
    return made(RvtPoi, *v[:4], _coded(RvtPoiType, v[4]), *v[5:-1], field_errors(v[-1]))


def _aoi(v: Any) -> RvtAoi:
    return made(RvtAoi, *v[:5], _coded(RvtAoiType, v[5]), *v[6:-1], field_errors(v[-1]))


_USER, _POI, _AOI = 10, 11, 12


def _record(v: Any) -> RvtLs:
    f = list(v)
    f[_USER] = tuple([RvtUserData(i, data or b"") for i, data in f[_USER]])
    f[_POI] = tuple([_poi(e) for e in f[_POI]])
    f[_AOI] = tuple([_aoi(e) for e in f[_AOI]])
    f[-1] = field_errors(f[-1])
    return made(RvtLs, *f)


def _nested(v: Any) -> tuple[Any, ...]:
    f = list(plain(v))
    f[-2:] = unknown_items(f[-2]), ()
    return tuple(f)


def _tree(r: RvtLs) -> tuple[Any, ...]:
    f = [getattr(r, n) for n in r.__match_args__]
    f[_USER] = plain(f[_USER])
    f[_POI] = tuple([_nested(e) for e in f[_POI]])
    f[_AOI] = tuple([_nested(e) for e in f[_AOI]])
    f[-2:] = unknown_items(f[-2]), ()
    return tuple(f)


def decode_rvt(buf: Buffer) -> RvtLs:
    """A set's body, without label and length. The CRC is not verified."""
    return _record(lib.decode_set(_SET, octets(buf)))


def decode_rvt_standalone(buf: Buffer) -> RvtLs:
    """A set with its label; the CRC is verified where there is one."""
    return _record(lib.decode_set(_SET, octets(buf), _STANDALONE))


def encode_rvt(record: RvtLs) -> bytes:
    """The body of a set, without CRC."""
    return lib.encode_set(_SET, _tree(record))


def encode_rvt_standalone(record: RvtLs) -> bytes:
    """A whole set with label, length and CRC; item 2 is mandatory."""
    return lib.encode_set(_SET, _tree(record), _ENCODE_STANDALONE)
