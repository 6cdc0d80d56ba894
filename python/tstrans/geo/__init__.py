"""Flights on maps: the records of MISB ST 0601 as GeoJSON, GeoParquet, CSV and Cursor on Target.

A source is a path or the bytes of a transport stream, a :class:`tstrans.pandas.KlvTable`, a DataFrame of
``klv_to_dataframe`` or ``read_klv``, anything with ``__arrow_c_stream__``, a dict of columns, or an iterable
of ``UasDatalinkLs`` records.

What is settled here, once, for all formats:

* **Position** is WGS 84, degrees. Heights in geometries are metres above the WGS 84 ellipsoid (items 104,
  then 75). An altitude above mean sea level (item 15) is never written as such a height: it stays a column.
* **Footprint**: the full corners (items 82 to 89) where all eight are there, else frame centre and offsets
  (26 to 33). Corners that enclose nothing or cross are left out and counted.
* **Antimeridian**: lines and polygons are cut there (RFC 7946 §3.1.9).
* **Time**: item 2 is MISP time, which is not UTC. It is written without a zone as ``time_misp``;
  ``time_utc`` is there where item 136 (leap seconds) is, or ``leap_seconds`` is given; item 137 is applied.
* **Marking** (ST 0102, item 48) travels with every record and every file. A record without one takes the last
  that is at most 30 s old; nothing is made up.

Needs NumPy (``pip install 'tstrans[pandas]'``); GeoParquet needs pyarrow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from .._pandas_common import need_pyarrow
from . import _geojson, _text
from ._flight import Flight
from ._geojson import PARTS, PROPERTIES
from ._parquet import arrow_table

if TYPE_CHECKING:
    from ..klv import CotConfig, UasDatalinkLs

__all__ = [
    "cot_events",
    "footprints",
    "geo_table",
    "to_geojson",
    "track",
    "write_csv",
    "write_geojson",
    "write_geoparquet",
]


def track(source: Any, *, max_gap_s: float | None = None) -> dict[str, Any] | None:
    """The way of the sensor: a LineString, or a MultiLineString where it was cut, or None.

    Args:
        source: see the module.
        max_gap_s: cut also where more than this many seconds lie between two positions.
    """
    return _geojson.track_geometry(Flight(source), max_gap_s)[0]


def footprints(source: Any) -> list[dict[str, Any] | None]:
    """The outline of the picture on the ground for each record: Polygon, MultiPolygon or None.

    >>> at = {"frame_center_lat_deg": [0.0], "frame_center_lon_deg": [180.0]}
    >>> for k, (north, east) in enumerate([(1, -1), (1, 1), (-1, 1), (-1, -1)], 1):
    ...     at[f"corner_lat_offset_p{k}_deg"] = [north * 0.05]
    ...     at[f"corner_lon_offset_p{k}_deg"] = [east * 0.05]
    >>> footprints(at)[0]["type"]
    'MultiPolygon'
    """
    return _geojson.footprint_geometry(Flight(source))


def to_geojson(
    source: Any,
    *,
    parts: Sequence[str] = PARTS,
    every: int = 1,
    properties: Sequence[str] = PROPERTIES,
    max_gap_s: float | None = None,
    leap_seconds: int | None = None,
) -> dict[str, Any]:
    """A FeatureCollection (RFC 7946) as Python objects.

    Args:
        source: see the module.
        parts: which features: ``track`` (one), ``sensor``, ``frame_center``, ``footprint`` (one a record).
        every: take one record of so many; the track is made of all.
        properties: fields that become properties of the features, where the records have them.
        max_gap_s: cut the track where more than this many seconds lie between two positions.
        leap_seconds: what item 136 would say, for streams that do not carry it.
    """
    flight = Flight(source, leap_seconds=leap_seconds)
    items = _geojson.features(flight, parts, every=every, properties=properties, max_gap_s=max_gap_s)
    return {**_geojson.collection_head(flight), "features": list(items)}


def write_geojson(
    source: Any,
    out: str | os.PathLike[str] | TextIO,
    *,
    parts: Sequence[str] = PARTS,
    every: int = 1,
    properties: Sequence[str] = PROPERTIES,
    max_gap_s: float | None = None,
    leap_seconds: int | None = None,
) -> int:
    """Write what :func:`to_geojson` gives, a feature a line; gives the number of features."""
    flight = Flight(source, leap_seconds=leap_seconds)
    items = _geojson.features(flight, parts, every=every, properties=properties, max_gap_s=max_gap_s)
    head = _geojson.collection_head(flight)
    if not isinstance(out, (str, os.PathLike)):
        return _geojson.dump(head, items, out.write)
    with open(out, "w", encoding="utf-8") as f:
        return _geojson.dump(head, items, f.write)


def geo_table(
    source: Any,
    *,
    geometry: str = "sensor",
    fields: Sequence[str] | None = None,
    leap_seconds: int | None = None,
) -> Any:
    """A ``pyarrow.Table`` with WKB geometries and the metadata of GeoParquet 1.1.

    Columns: the times, the marking, the fields that have a value (unit, datum and item in the field's
    metadata), and the geometries ``sensor``, ``frame_center`` and ``footprint``, each with its covering box.

    Args:
        source: see the module.
        geometry: which of the geometries is the primary one.
        fields: fields to take; else all that have a value.
        leap_seconds: what item 136 would say, for streams that do not carry it.
    """
    return arrow_table(Flight(source, leap_seconds=leap_seconds), geometry, fields)


def write_geoparquet(
    source: Any,
    out: Any,
    *,
    geometry: str = "sensor",
    fields: Sequence[str] | None = None,
    leap_seconds: int | None = None,
    compression: str = "zstd",
) -> int:
    """Write a GeoParquet 1.1 file; gives the number of rows. Parameters as for :func:`geo_table`.

    ``out`` is a path or a binary file.
    """
    need_pyarrow()
    import pyarrow.parquet as parquet

    table = geo_table(source, geometry=geometry, fields=fields, leap_seconds=leap_seconds)
    parquet.write_table(
        table, os.fspath(out) if isinstance(out, os.PathLike) else out, compression=compression
    )
    return len(table)


def write_csv(
    source: Any,
    out: str | os.PathLike[str] | TextIO,
    *,
    fields: Sequence[str] | None = None,
    leap_seconds: int | None = None,
) -> int:
    """Write CSV, a record a row; gives the number of rows. Datums and marking are columns.

    Args:
        source: see the module.
        out: a path or a text file.
        fields: fields to write; else all that have a value.
        leap_seconds: what item 136 would say, for streams that do not carry it.
    """
    flight = Flight(source, leap_seconds=leap_seconds)
    if not isinstance(out, (str, os.PathLike)):
        return _text.dump_csv(flight, out, fields)
    with open(out, "w", encoding="utf-8", newline="") as f:
        return _text.dump_csv(flight, f, fields)


def cot_events(
    records: Iterable[UasDatalinkLs],
    *,
    config: CotConfig | None = None,
    generated_us: int | None = None,
    points: bool = True,
    interval_s: float | None = None,
) -> Iterator[str]:
    """Cursor on Target events (MISB ST 0805) of records: the platform and the point it looks at.

    Records that lack an item which an event needs give no event. Times in the events are those of the
    records, as :func:`tstrans.klv.platform_position_xml` writes them.

    Args:
        records: ST 0601 records.
        config: as for :func:`tstrans.klv.platform_position_xml`.
        generated_us: when the events were made, us since 1970; else now.
        points: also the sensor point of interest.
        interval_s: least time between two events of a kind, in seconds; else ``config.update_interval_us``.
    """
    import time

    from ..klv import CotConfig

    if interval_s is None:
        interval_s = (CotConfig() if config is None else config).update_interval_us / 1e6
    now = time.time_ns() // 1000 if generated_us is None else generated_us
    return _text.cot_events(records, config=config, generated_us=now, points=points, interval_s=interval_s)
