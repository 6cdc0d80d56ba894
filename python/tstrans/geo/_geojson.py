"""GeoJSON (RFC 7946) of a flight: where the sensor went, where it was, what it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._klv_fields import plain
from .._pandas_common import need_numpy
from ._flight import ELLIPSOID, MARKING, Flight
from ._shape import DEGREES, cut_line

if TYPE_CHECKING:
    from ._shape import Flags, Floats, Ring

__all__ = ["PARTS", "PROPERTIES", "collection_head", "features", "footprint_geometry", "track_geometry"]

#: The kinds of features, in the order in which they are written.
PARTS = ("track", "sensor", "frame_center", "footprint")

#: Fields that the features of a record carry unless others are asked for, where the records have them.
PROPERTIES = (
    "platform_designation",
    "platform_heading_deg",
    "platform_pitch_deg",
    "platform_roll_deg",
    "image_source_sensor",
    "sensor_hfov_deg",
    "sensor_vfov_deg",
    "sensor_rel_az_deg",
    "sensor_rel_el_deg",
    "sensor_rel_roll_deg",
    "slant_range_m",
    "target_width_m",
)

_METRES = 2


def _position(lon: float, lat: float, height: float) -> list[float]:
    """A position; the third number is a height above the ellipsoid (§3.1.1), or is not there."""
    at = [round(lon, DEGREES), round(lat, DEGREES)]
    if height == height:
        at.append(round(height, _METRES))
    return at


def _polygon(rings: list[Ring]) -> dict[str, Any]:
    closed = [[[list(p) for p in (*r, r[0])]] for r in rings]
    if len(closed) == 1:
        return {"type": "Polygon", "coordinates": closed[0]}
    return {"type": "MultiPolygon", "coordinates": closed}


def footprint_geometry(flight: Flight) -> list[dict[str, Any] | None]:
    """A Polygon, or a MultiPolygon where the antimeridian or a pole is in it, or None, for each record."""
    np = need_numpy()
    f = flight.footprints
    rings = np.stack((f.lon, f.lat), axis=2)
    rings = np.concatenate((rings, rings[:, :1]), axis=1)
    plain = f.valid & ~f.crossing
    out: list[dict[str, Any] | None] = [None] * flight.size
    for i, ring in zip(np.flatnonzero(plain).tolist(), rings[plain].tolist(), strict=True):
        out[i] = {"type": "Polygon", "coordinates": [ring]}
    for i, parts in f.cut.items():
        out[i] = _polygon(parts)
    return out


def _runs(flight: Flight, max_gap_s: float | None) -> list[Any]:
    """Rows with a position, apart where more than ``max_gap_s`` went by without one."""
    np = need_numpy()
    rows = np.flatnonzero(flight.placed)
    if max_gap_s is None or len(rows) < 2:
        return [rows] if len(rows) else []
    t, known = flight.misp[rows], flight.timed[rows]
    gap = known[1:] & known[:-1] & (np.abs(np.diff(t)) > max_gap_s * 1e6)
    return [r for r in np.split(rows, np.flatnonzero(gap) + 1) if len(r)]


def track_geometry(flight: Flight, max_gap_s: float | None = None) -> tuple[dict[str, Any] | None, list[Any]]:
    """The way of the sensor as LineString or MultiLineString, and the rows that its lines go through.

    A line needs two different points; a record alone between two gaps is not on it.
    """
    np = need_numpy()
    lines: list[list[list[float]]] = []
    through: list[Any] = []
    for rows in _runs(flight, max_gap_s):
        lon, lat, height = flight.lon[rows], flight.lat[rows], flight.height[rows]
        flat = bool(np.isnan(height).any())  # all of a line's positions have heights, or none
        for x, y, first, last in cut_line(lon, lat):
            if len(x) < 2 or ((x == x[0]).all() and (y == y[0]).all()):
                continue
            if flat:
                xy = np.round(np.stack((x, y), axis=1), DEGREES)
            else:
                z = np.interp(_places(len(x), x[0] != lon[first], first, last), np.arange(len(rows)), height)
                xy = np.column_stack((np.round(x, DEGREES), np.round(y, DEGREES), np.round(z, _METRES)))
            lines.append(xy.tolist())
            through.append(rows[first : last + 1])
    if not lines:
        return None, through
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}, through
    return {"type": "MultiLineString", "coordinates": lines}, through


def _places(count: int, leads: bool, first: int, last: int) -> Floats:
    """The place of each of a piece's points among the vertices; cuts take the nearest vertex's."""
    np = need_numpy()
    at = np.arange(first, last + 1, dtype=float)
    if leads:
        at = np.concatenate(([first], at))
    return np.concatenate((at, np.full(count - len(at), float(last))))  # type: ignore[no-any-return]


def _scalars(flight: Flight, names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns as lists of what JSON can hold; those without any value are left out."""
    out = {}
    for name in names:
        values = flight.columns.objects(name)
        shown = [plain(v) for v in values]
        if any(v is not None for v in shown):
            out[name] = shown
    return out


def _bbox(flight: Flight) -> list[float] | None:
    """West, south, east, north; west is the larger of the two where the antimeridian lies between (§5.2)."""
    np = need_numpy()
    f = flight.footprints
    lon = np.concatenate(
        (flight.lon[flight.placed], flight.center_lon[flight.centered], f.lon[f.valid].ravel())
    )
    lat = np.concatenate(
        (flight.lat[flight.placed], flight.center_lat[flight.centered], f.lat[f.valid].ravel())
    )
    if not len(lon):
        return None
    south, north = lat.min(), lat.max()
    polar = f.valid & (np.ptp(f.lon, axis=1) > 180.0) if len(f.lon) else f.valid
    if polar.any():
        near = f.lat[polar].mean(axis=1)
        north, south = (90.0 if (near >= 0).any() else north), (-90.0 if (near < 0).any() else south)
        west, east = -180.0, 180.0
    else:
        here = (lon + 180.0) % 360.0 - 180.0
        there = lon % 360.0
        west, east = here.min(), here.max()
        if np.ptp(there) < east - west:
            west, east = there.min(), there.max()
            west, east = (west - 360.0 if west > 180.0 else west), (east - 360.0 if east > 180.0 else east)
    return [round(float(v), DEGREES) for v in (west, south, east, north)]


def collection_head(flight: Flight) -> dict[str, Any]:
    """All members of the FeatureCollection but its features."""
    head: dict[str, Any] = {"type": "FeatureCollection"}
    box = _bbox(flight)
    if box is not None:
        head["bbox"] = box
    # A foreign member (§6.1): what goes for all features.
    head["tstrans"] = {**flight.summary(), "footprints_left_out": flight.footprints.skipped}
    return head


def features(
    flight: Flight,
    parts: Sequence[str] = PARTS,
    *,
    every: int = 1,
    properties: Sequence[str] = PROPERTIES,
    max_gap_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """The features, one after the other."""
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}; there are {', '.join(PARTS)}")
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every}")
    if "track" in parts:
        yield from _track(flight, max_gap_s)
    if set(parts) == {"track"}:
        return
    shared = {"time_misp": flight.times("misp").tolist(), "time_utc": flight.times("utc").tolist()}
    shared |= {k: v for k, v in ((n, flight.marking[n].tolist()) for n in MARKING.values()) if any(v)}
    shared |= _scalars(flight, [n for n in properties if n not in shared])
    names, rows = list(shared), list(zip(*shared.values(), strict=True))
    if "sensor" in parts:
        extra = [
            {
                "height_m": None if h != h else round(h, _METRES),
                "altitude_msl_m": None if a != a else round(a, _METRES),
            }
            for h, a in zip(flight.height.tolist(), flight.altitude.tolist(), strict=True)
        ]
        points = _points(flight.lon, flight.lat, flight.height, flight.placed)
        yield from _records("sensor", points, names, rows, every, extra)
    if "frame_center" in parts:
        points = _points(flight.center_lon, flight.center_lat, flight.center_height, flight.centered)
        yield from _records("frame_center", points, names, rows, every, None)
    if "footprint" in parts:
        corners = [{"corners": "full" if v else "offset"} for v in flight.footprints.full.tolist()]
        yield from _records("footprint", footprint_geometry(flight), names, rows, every, corners)


def _points(lon: Floats, lat: Floats, height: Floats, there: Flags) -> list[dict[str, Any] | None]:
    return [
        {"type": "Point", "coordinates": _position(x, y, z)} if ok else None
        for x, y, z, ok in zip(lon.tolist(), lat.tolist(), height.tolist(), there.tolist(), strict=True)
    ]


def _records(
    kind: str,
    geometries: list[dict[str, Any] | None],
    names: list[str],
    rows: list[tuple[Any, ...]],
    every: int,
    extra: list[dict[str, Any]] | None,
) -> Iterator[dict[str, Any]]:
    for i in range(0, len(geometries), every):
        geometry = geometries[i]
        if geometry is None:
            continue
        properties: dict[str, Any] = {"kind": kind, "record": i}
        properties.update(zip(names, rows[i], strict=True))
        if extra is not None:
            properties.update(extra[i])
        yield {"type": "Feature", "geometry": geometry, "properties": properties}


def _track(flight: Flight, max_gap_s: float | None) -> Iterator[dict[str, Any]]:
    geometry, through = track_geometry(flight, max_gap_s)
    if geometry is None:
        return
    c = flight.columns
    properties: dict[str, Any] = {"kind": "track"}
    for name in ("mission_id", "platform_designation", "platform_tail_number", "platform_call_sign"):
        seen = [v for v in dict.fromkeys(c.objects(name)) if v is not None]
        if len(seen) == 1:
            properties[name] = seen[0]
    for scale in ("misp", "utc"):
        known = [v for v in flight.times(scale).tolist() if v is not None]
        if known:
            properties[f"begin_{scale}"], properties[f"end_{scale}"] = min(known), max(known)
    summary = flight.summary()
    if summary["security_classification"] is not None:
        properties["security_classification"] = summary["security_classification"]
    first = geometry["coordinates"][0]
    has_height = len(first if geometry["type"] == "LineString" else first[0]) == 3
    properties["height_datum"] = ELLIPSOID if has_height else None
    properties["records"] = int(sum(len(r) for r in through))
    if not has_height:
        low, high = _range(flight.altitude[flight.placed])
        if low is not None:
            properties["altitude_msl_min_m"], properties["altitude_msl_max_m"] = low, high
    yield {"type": "Feature", "geometry": geometry, "properties": properties}


def _range(values: Floats) -> tuple[float | None, float | None]:
    np = need_numpy()
    there = values[~np.isnan(values)]
    if not len(there):
        return None, None
    return round(float(there.min()), _METRES), round(float(there.max()), _METRES)


def dump(head: dict[str, Any], items: Iterator[dict[str, Any]], write: Any) -> int:
    """Write a collection feature by feature, one a line; gives the number of features."""
    write(json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1] + ',"features":[')
    n = 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    for n, feature in enumerate(items, 1):
        write(("\n" if n == 1 else ",\n") + encode(feature))
    write("\n]}\n")
    return n
