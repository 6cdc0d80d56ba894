"""Arrow tables and GeoParquet 1.1 of a flight: WKB, covering boxes, units and marking beside them."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._klv_fields import describe, plain
from .._pandas_common import need_numpy, need_pyarrow
from ._flight import ELLIPSOID, Flight

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._shape import Flags, Floats, Ring

__all__ = ["GEOMETRIES", "arrow_table"]

#: The geometry columns.
GEOMETRIES = ("sensor", "frame_center", "footprint")


def _binary(pieces: NDArray[np.uint8], lengths: NDArray[np.int64], there: Flags) -> Any:
    """An Arrow binary array of values that lie one behind the other; absent ones have length 0."""
    np, pa = need_numpy(), need_pyarrow()
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    bits = np.packbits(there, bitorder="little")
    buffers = [pa.py_buffer(bits), pa.py_buffer(offsets), pa.py_buffer(pieces)]
    large = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(there), buffers, int((~there).sum()))
    # 32-bit offsets are what every reader of GeoParquet takes.
    return large.cast(pa.binary())


def _points(lon: Floats, lat: Floats, there: Flags) -> Any:
    """WKB points."""
    np = need_numpy()
    wkb = np.zeros(int(there.sum()), np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")]))
    wkb["order"], wkb["type"], wkb["x"], wkb["y"] = 1, 1, lon[there], lat[there]
    return _binary(wkb.view(np.uint8), np.where(there, wkb.itemsize, 0), there)


def _polygons(flight: Flight) -> tuple[Any, Floats, list[str]]:
    """WKB polygons, the box around each, and which types there are."""
    np = need_numpy()
    f = flight.footprints
    whole = f.valid & ~f.crossing
    ring = np.dtype(
        [("order", "u1"), ("type", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("xy", "<f8", (5, 2))]
    )
    wkb = np.zeros(int(whole.sum()), ring)
    wkb["order"], wkb["type"], wkb["rings"], wkb["points"] = 1, 3, 1, 5
    xy = np.stack((f.lon[whole], f.lat[whole]), axis=2)
    wkb["xy"][:, :4], wkb["xy"][:, 4] = xy, xy[:, 0]
    box = np.full((flight.size, 4), np.nan)
    box[whole] = np.concatenate((xy.min(axis=1), xy.max(axis=1)), axis=1)
    lengths = np.where(whole, ring.itemsize, 0)
    if not f.crossing.any():
        return _binary(wkb.view(np.uint8), lengths, f.valid), box, ["Polygon"] if whole.any() else []
    several = 0
    pieces: list[bytes] = []
    data, at = wkb.tobytes(), 0
    before = np.cumsum(whole)
    for i, rings in f.cut.items():
        upto = int(before[i]) * ring.itemsize
        made = _multi(rings) if len(rings) != 1 else _one(rings[0])
        several += len(rings) != 1
        pieces += [data[at:upto], made]
        at, lengths[i] = upto, len(made)
        flat = [p for r in rings for p in r]
        box[i] = [*np.min(flat, axis=0), *np.max(flat, axis=0)]
    pieces.append(data[at:])
    types = [*(["MultiPolygon"] if several else []), *(["Polygon"] if several < f.valid.sum() else [])]
    return _binary(np.frombuffer(b"".join(pieces), np.uint8), lengths, f.valid), box, types


def _one(ring: Ring) -> bytes:
    closed = [*ring, ring[0]]
    head = struct.pack("<BIII", 1, 3, 1, len(closed))
    return head + struct.pack(f"<{2 * len(closed)}d", *(v for p in closed for v in p))


def _multi(rings: list[Ring]) -> bytes:
    return struct.pack("<BII", 1, 6, len(rings)) + b"".join(map(_one, rings))


def _boxes(box: Floats, there: Flags) -> Any:
    """A covering: one struct of four numbers a row."""
    pa = need_pyarrow()
    names = ("xmin", "ymin", "xmax", "ymax")
    columns = [pa.array(box[:, k], mask=~there) for k in range(4)]
    return pa.StructArray.from_arrays(columns, names=list(names), mask=pa.array(~there))


def _column(flight: Flight, name: str) -> Any:
    """A column of the source as Arrow."""
    np, pa = need_numpy(), need_pyarrow()
    values = flight.columns.objects(name)
    there = [v for v in values if v is not None]
    if not there:
        return None
    kinds = {type(v) for v in there}
    if all(isinstance(v, (bool, np.bool_)) for v in there):
        return pa.array(values, pa.bool_())
    if kinds <= {int} or all(isinstance(v, (int, np.integer)) and not hasattr(v, "name") for v in there):
        wide = max(there) > (1 << 63) - 1
        return pa.array(values, pa.uint64() if wide else pa.int64())
    if all(isinstance(v, (int, float, np.number)) and not hasattr(v, "name") for v in there):
        return pa.array(flight.columns.floats(name), mask=np.isnan(flight.columns.floats(name)))
    if kinds == {bytes}:
        return pa.array(values, pa.binary())
    if kinds != {str}:
        # Enumerations by name, structured values as JSON text.
        shown = [plain(v) or None for v in values]
        return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in shown], pa.string())
    return pa.array(values, pa.string())


#: Columns that the table says in its own way, or not at all.
_OWN = frozenset(
    {"security_local_set", "universal_label", "unknown", "field_errors", "sentinel_tags", "imapb_specials"}
)


def arrow_table(flight: Flight, geometry: str = "sensor", fields: Sequence[str] | None = None) -> Any:
    """A pyarrow Table whose schema is that of a GeoParquet 1.1 file.

    Args:
        flight: what to write.
        geometry: the primary geometry column: ``sensor``, ``frame_center`` or ``footprint``.
        fields: fields to take from the source; else all that have a value.
    """
    np, pa = need_numpy(), need_pyarrow()
    if geometry not in GEOMETRIES:
        raise ValueError(f"geometry must be one of {', '.join(GEOMETRIES)}, not {geometry!r}")
    made: list[tuple[Any, Any]] = []

    def add(name: str, values: Any, **notes: str | None) -> None:
        kept = {k: v for k, v in notes.items() if v}
        made.append((pa.field(name, values.type, metadata=kept or None), values))

    add(
        "time_misp",
        _times(flight.misp, flight.timed, None),
        unit="us",
        time_scale="MISP",
        item="MISB ST 0601 item 2",
    )
    add("time_utc", _times(flight.utc, flight.utc_known, "UTC"), unit="us", time_scale="UTC")
    for name, column in flight.marking.items():
        add(name, pa.array(column, pa.string()), item="MISB ST 0102")
    add(
        "sensor_height_m",
        pa.array(flight.height, mask=np.isnan(flight.height)),
        unit="m",
        datum=ELLIPSOID,
        item="MISB ST 0601 item 104, else 75",
    )
    taken = {f.name for f, _ in made} | _OWN
    for name in flight.columns.names if fields is None else fields:
        if name in taken:
            continue
        column = _column(flight, name)
        if column is None:
            continue
        info = describe(name)
        add(
            name,
            column,
            **({} if info is None else {"unit": info.unit, "datum": info.datum, "item": info.item}),
        )
    metadata: dict[str, Any] = {}
    for name in GEOMETRIES:
        if name == "footprint":
            there = flight.footprints.valid
            wkb, box, types = _polygons(flight)
        else:
            x, y, there = (
                (flight.lon, flight.lat, flight.placed)
                if name == "sensor"
                else (flight.center_lon, flight.center_lat, flight.centered)
            )
            wkb, box, types = _points(x, y, there), np.stack((x, y, x, y), axis=1), ["Point"]
        made.append((pa.field(name, wkb.type), wkb))
        boxes = _boxes(box, there)
        made.append((pa.field(f"{name}_bbox", boxes.type), boxes))
        entry: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": types if there.any() else [],
            # No "crs": that is OGC:CRS84, longitude and latitude on WGS 84.
            "edges": "planar",
            "covering": {"bbox": {k: [f"{name}_bbox", k] for k in ("xmin", "ymin", "xmax", "ymax")}},
        }
        if name == "footprint":
            entry["orientation"] = "counterclockwise"
        if there.any():
            entry["bbox"] = [
                float(box[there][:, 0].min()),
                float(box[there][:, 1].min()),
                float(box[there][:, 2].max()),
                float(box[there][:, 3].max()),
            ]
        metadata[name] = entry
    geo = {"version": "1.1.0", "primary_column": geometry, "columns": metadata}
    about = {**flight.summary(), "footprints_left_out": flight.footprints.skipped}
    schema = pa.schema(
        [f for f, _ in made],
        metadata={"geo": json.dumps(geo), "tstrans": json.dumps(about, ensure_ascii=False)},
    )
    return pa.Table.from_arrays([v for _, v in made], schema=schema)


def _times(us: NDArray[np.int64], known: Flags, zone: str | None) -> Any:
    pa = need_pyarrow()
    return pa.array(us, mask=~known).cast(pa.timestamp("us", zone))
