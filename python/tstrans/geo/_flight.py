"""Where the sensor was, what it looked at, when, and under which marking: one reading of the columns for all
formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._pandas_common import need_numpy
from ._shape import DEGREES, crosses_itself, cut_ring, signed_area, sound_rings, unwrap, wrap
from ._source import Columns, columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._shape import Flags, Floats, Ring

__all__ = ["ELLIPSOID", "MARKING", "MSL", "Flight", "Footprints", "utc_us"]

#: Vertical datums, as they are named in every export.
ELLIPSOID = "WGS 84 ellipsoid"
MSL = "mean sea level"

#: Columns of the security marking, by field of ``SecurityLs``.
MARKING = {
    "security_classification": "security_classification",
    "classifying_country": "security_classifying_country",
    "object_country_codes": "security_object_country_codes",
    "caveats": "security_caveats",
    "sci_shi_info": "security_sci_shi_info",
    "releasing_instructions": "security_releasing_instructions",
}

_SENSOR_HEIGHTS = ("sensor_ellipsoid_height_extended_m", "sensor_ellipsoid_height_m")


def utc_us(
    misp_us: NDArray[np.int64],
    known: Flags,
    leap_seconds: NDArray[np.int64],
    leap_known: Flags,
    correction_us: NDArray[np.int64],
) -> tuple[NDArray[np.int64], Flags]:
    """MISP time to UTC, in us since 1970, and where that is possible.

    MISP time counts SI seconds from 1970 without leap seconds and has been ahead of UTC ever since, by 29 s
    from 2017 on (MISB ST 0603). Item 136 of ST 0601 carries the difference and is to be added, so it is
    negative by the letter; what devices send is the positive count. Either sign means the same here. Item 137
    corrects item 2 and is added.
    """
    np = need_numpy()
    sane = leap_known & (np.abs(leap_seconds) < 3600)
    good = known & sane & (np.abs(correction_us) < 1 << 61) & (np.abs(misp_us) < 1 << 61)
    got = misp_us + correction_us - np.abs(leap_seconds) * 1_000_000
    return np.where(good, got, 0), good


class Footprints:
    """Four corners a row, in the order of the image's corners, and which rows have usable ones."""

    __slots__ = ("crossing", "cut", "full", "lat", "lon", "skipped", "valid")

    def __init__(self, c: Columns) -> None:
        np = need_numpy()
        shape = (c.size, 4)
        full_lat, full_lon, lat, lon = (np.empty(shape) for _ in range(4))
        center_lat, center_lon = c.floats("frame_center_lat_deg"), c.floats("frame_center_lon_deg")
        for k in range(4):
            full_lat[:, k] = c.floats(f"corner_lat_p{k + 1}_deg")
            full_lon[:, k] = c.floats(f"corner_lon_p{k + 1}_deg")
            lat[:, k] = center_lat + c.floats(f"corner_lat_offset_p{k + 1}_deg")
            lon[:, k] = wrap(center_lon + c.floats(f"corner_lon_offset_p{k + 1}_deg"))
        #: Rows whose corners are items 82 to 89; where all eight are there, they win over the offsets.
        self.full: Flags = ~(np.isnan(full_lat) | np.isnan(full_lon)).any(axis=1)
        lat[self.full], lon[self.full] = full_lat[self.full], full_lon[self.full]
        there = ~(np.isnan(lat) | np.isnan(lon)).any(axis=1)
        beyond = there & ((np.abs(lat) > 90.0) | (np.abs(lon) > 180.0)).any(axis=1)
        there &= ~beyond
        lat = np.round(np.where(there[:, None], lat, 0.0), DEGREES)
        self.lat: Floats = lat
        x = np.round(unwrap(np.round(np.where(there[:, None], lon, 0.0), DEGREES)), DEGREES)
        # A ring around a pole does not close on itself: its area and its edges mean nothing on this plane.
        ends = (x[:, 0] - x[:, 3] + 180.0) % 360.0 - 180.0
        around = x[:, 3] + ends - x[:, 0]
        polar = np.abs(around) > 180.0
        area = signed_area(x - x[:, :1], lat)
        flat = there & ~polar & ~(np.abs(area) > 0.0)
        twisted = there & ~polar & ~flat & crosses_itself(x - x[:, :1], lat)
        # Around a pole, a ring that turns back on its way, or goes around twice, is not what a camera sees.
        steps = np.column_stack((np.diff(x, axis=1), ends))
        once = ((steps > 0).all(axis=1) | (steps < 0).all(axis=1)) & (np.abs(around) < 540.0)
        twisted |= there & polar & ~once
        self.valid: Flags = there & ~flat & ~twisted
        # Exterior rings are counterclockwise (RFC 7946 §3.1.6); the image's corners usually are not.
        clockwise = self.valid & np.where(polar, (around < 0) == (lat.sum(axis=1) >= 0), area < 0)
        x[clockwise] = np.round(unwrap(wrap(x[clockwise][:, ::-1])), DEGREES)
        lat[clockwise] = lat[clockwise][:, ::-1]
        self.lon: Floats = x
        #: Rows whose ring has to be cut.
        self.crossing: Flags = self.valid & (polar | (x.max(axis=1) > 180.0) | (x.min(axis=1) < -180.0))
        #: Their parts, by row.
        self.cut: dict[int, list[Ring]] = {}
        for i in np.flatnonzero(self.crossing).tolist():
            rings = sound_rings(cut_ring(x[i].tolist(), lat[i].tolist()))
            if rings:
                self.cut[i] = rings
                continue
            self.valid[i] = self.crossing[i] = False
            (twisted if rings is None else flat)[i] = True
        #: What was left out, and why.
        self.skipped = {
            "off_the_globe": int(beyond.sum()),
            "no_area": int(flat.sum()),
            "crosses_itself": int(twisted.sum()),
        }


class Flight:
    """One reading of a table of records."""

    def __init__(self, source: Any, *, leap_seconds: int | None = None) -> None:
        np = need_numpy()
        self.columns = c = columns(source)
        self.size = c.size
        #: Time of item 2 and where it is there, us of MISP time.
        self.misp, self.timed = c.integers("timestamp_us")
        leap, known = c.integers("leap_seconds")
        held = c.held(known, self.misp, self.timed)
        leap, known = leap[held] if self.size else leap, held >= 0
        if leap_seconds is not None:
            leap, known = np.where(known, leap, leap_seconds), np.ones(self.size, bool)
        shift, shifted = c.integers("correction_offset_us")
        held = c.held(shifted, self.misp, self.timed)
        shift = np.where(held >= 0, shift[held] if self.size else shift, 0)
        #: UTC in us and where it is known.
        self.utc, self.utc_known = utc_us(self.misp, self.timed, leap, known, shift)
        self.lat, self.lon = c.floats("sensor_lat_deg"), c.floats("sensor_lon_deg")
        #: Rows with a position of the sensor.
        self.placed: Flags = (np.abs(self.lat) <= 90.0) & (np.abs(self.lon) <= 180.0)
        height, msl = np.full(self.size, np.nan), c.floats("sensor_alt_m")
        for name in _SENSOR_HEIGHTS:
            height = np.where(np.isnan(height), c.floats(name), height)
        #: Height of the sensor in m above the WGS 84 ellipsoid (items 104, then 75), NaN where only the
        #: altitude above mean sea level is there, or none.
        self.height: Floats = height
        #: Altitude of the sensor above mean sea level in m (item 15).
        self.altitude: Floats = msl
        self.center_lat, self.center_lon = c.floats("frame_center_lat_deg"), c.floats("frame_center_lon_deg")
        self.centered: Flags = (np.abs(self.center_lat) <= 90.0) & (np.abs(self.center_lon) <= 180.0)
        self.center_height = c.floats("frame_center_ellipsoid_height_m")
        self._marking: dict[str, NDArray[Any]] | None = None
        self._footprints: Footprints | None = None

    @property
    def footprints(self) -> Footprints:
        """The outlines of the pictures on the ground."""
        if self._footprints is None:
            self._footprints = Footprints(self.columns)
        return self._footprints

    def times(self, scale: str) -> NDArray[Any]:
        """Times as ISO 8601 text, None where unknown: with Z for ``utc``, without for ``misp``."""
        np = need_numpy()
        us, known = (self.utc, self.utc_known) if scale == "utc" else (self.misp, self.timed)
        # Four-digit years only: beyond, the text would not be ISO 8601.
        known = known & (us >= 0) & (us < 253_402_300_800_000_000)
        text = np.datetime_as_string(np.where(known, us, 0).astype("datetime64[us]"), unit="us").astype(
            object
        )
        if scale == "utc":
            text = text + "Z"
        text[~known] = None
        return text  # type: ignore[no-any-return]

    @property
    def marking(self) -> dict[str, NDArray[Any]]:
        """Columns of the security marking (ST 0102, item 48), held for up to 30 s as item 48 may be left out.

        None where none was sent. Bytes that cannot be read are marked ``UNREADABLE``, not passed over.
        """
        if self._marking is None:
            self._marking = self._read_marking()
        return self._marking

    def _read_marking(self) -> dict[str, NDArray[Any]]:
        np = need_numpy()
        raw = self.columns.objects("security_local_set")
        known = np.fromiter((v is not None for v in raw), bool, self.size)
        out = {n: np.full(self.size, None, object) for n in MARKING.values()}
        if not known.any():
            return out
        numbers: dict[bytes, int] = {}
        code = np.fromiter(
            (-1 if v is None else numbers.setdefault(bytes(v), len(numbers)) for v in raw), int, self.size
        )
        held = self.columns.held(known, self.misp, self.timed)
        code = np.where(held >= 0, code[held], -1)
        # The last place stands for rows without a marking: code -1.
        rows = [_marking_of(v) for v in numbers] + [{}]
        for name in out:
            values = np.empty(len(rows), object)
            values[:] = [r.get(name) for r in rows]
            out[name] = values[code]
        return out

    def summary(self) -> dict[str, Any]:
        """What every export says about itself: time scale, datums, marking."""
        rows = list(zip(*(v.tolist() for v in self.marking.values()), strict=True))
        shown = [
            {k: v for k, v in zip(self.marking, row, strict=True) if v is not None}
            for row in sorted(set(rows), key=lambda r: tuple("" if v is None else str(v) for v in r))
        ]
        shown = [m for m in shown if m]
        return {
            "schema_version": 1,
            "records": self.size,
            "horizontal_datum": "WGS 84",
            "coordinate_height_datum": ELLIPSOID,
            "time_scale": "MISP",
            "utc_known": bool(self.size) and bool(self.utc_known.any()),
            "security_classification": highest([r.get("security_classification") for r in shown]),
            "security_markings": shown,
            "unmarked_records": sum(1 for r in rows if not any(r)),
        }


_LEVELS = ("UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET")


def highest(levels: list[str | None]) -> str | None:
    """The highest of the classifications; what is not one of the standard's counts as higher still."""
    there = [v for v in levels if v is not None]
    rank = {v: i for i, v in enumerate(_LEVELS)}
    return max(there, key=lambda v: rank.get(v, len(_LEVELS)), default=None)


def _marking_of(raw: bytes) -> dict[str, str]:
    if not raw:
        return {}
    from ..exceptions import KlvError
    from ..klv import decode_security

    try:
        s = decode_security(raw)
    except KlvError:
        return {"security_classification": "UNREADABLE"}
    out = {}
    for field, name in MARKING.items():
        v = getattr(s, field)
        if v is not None:
            out[name] = str(getattr(v, "name", v))
    return out
