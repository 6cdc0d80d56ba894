"""Flights as GeoParquet, CSV and Cursor on Target."""

from __future__ import annotations

import csv
import io as stdio
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import shapely
from test_geo import OPEN, SECRET, T0, full, over_fiji, square, table
from tstrans import geo, io, klv
from tstrans.pandas import read_klv_table

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

DEMO = Path(__file__).resolve().parents[2] / "testdata" / "demo.ts"


def written(source: Any, tmp_path: Path, **options: Any) -> Any:
    path = tmp_path / "flight.parquet"
    assert geo.write_geoparquet(source, path, **options) == pq.read_metadata(path).num_rows
    return pq.read_table(path)


def metadata(t: Any) -> Any:
    return json.loads(t.schema.metadata[b"geo"])


def check_geoparquet(t: Any) -> None:
    """GeoParquet 1.1.0: what the metadata says is what is in the columns."""
    about = metadata(t)
    assert about["version"] == "1.1.0"
    assert about["primary_column"] in about["columns"]
    for name, entry in about["columns"].items():
        assert entry["encoding"] == "WKB"
        shapes = [None if b is None else shapely.from_wkb(b) for b in t[name].to_pylist()]
        there = [s for s in shapes if s is not None]
        assert {s.geom_type for s in there} == set(entry["geometry_types"])
        assert all(s.is_valid for s in there)
        if entry.get("orientation") == "counterclockwise":
            rings = [g.exterior for s in there for g in getattr(s, "geoms", [s])]
            assert all(r.is_ccw for r in rings)
        where = entry["covering"]["bbox"]
        assert where == {k: [f"{name}_bbox", k] for k in ("xmin", "ymin", "xmax", "ymax")}
        for s, box in zip(shapes, t[f"{name}_bbox"].to_pylist(), strict=True):
            assert (None if s is None else s.bounds) == (None if box is None else tuple(box.values()))
        if there:
            assert tuple(entry["bbox"]) == shapely.total_bounds(there).tolist() or entry[
                "bbox"
            ] == pytest.approx(shapely.total_bounds(there).tolist())


def test_demo(tmp_path: Path) -> None:
    t = written(DEMO, tmp_path)
    check_geoparquet(t)
    assert len(t) == 40
    assert [str(f.type) for f in t.schema if f.name.startswith("time_")] == [
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
    ]
    assert t["time_utc"].null_count == 40
    assert t.schema.field("sensor_alt_m").metadata == {
        b"unit": b"m",
        b"datum": b"mean sea level",
        b"item": b"MISB ST 0601 item 15",
    }
    assert t.schema.field("sensor_lat_deg").metadata[b"datum"] == b"WGS 84"
    assert json.loads(t.schema.metadata[b"tstrans"])["time_scale"] == "MISP"
    want = [(r.sensor_lon_deg, r.sensor_lat_deg) for _, _, r in io.iter_uas_datalink(DEMO)]
    assert [shapely.from_wkb(b).coords[0] for b in t["sensor"].to_pylist()] == want


def test_over_the_antimeridian_and_the_pole(tmp_path: Path) -> None:
    pole = full((85.0, 0.0), (86.0, 90.0), (87.0, -170.0), (85.0, -90.0))
    rows = table(*over_fiji(), {}, pole, square(0, 0), square(1, 180.0))
    t = written(rows, tmp_path, geometry="footprint")
    check_geoparquet(t)
    assert metadata(t)["primary_column"] == "footprint"
    shapes = [None if b is None else shapely.from_wkb(b).geom_type for b in t["footprint"].to_pylist()]
    assert shapes == ["MultiPolygon"] * 5 + ["Polygon", None, "Polygon", "Polygon", "MultiPolygon"]
    geojson = geo.footprints(rows)
    for a, b in zip(t["footprint"].to_pylist(), geojson, strict=True):
        if a is not None:
            assert shapely.equals_exact(shapely.from_wkb(a), shapely.geometry.shape(b), tolerance=1e-6)


def test_marking_and_time_travel(tmp_path: Path) -> None:
    rows = table(
        {"timestamp_us": T0, "security_local_set": SECRET, "leap_seconds": 29},
        {"timestamp_us": T0 + 1, "security_local_set": OPEN},
        {"timestamp_us": T0 + 40_000_000},
    )
    t = written(rows, tmp_path)
    assert t["security_classification"].to_pylist() == ["SECRET", "UNCLASSIFIED", None]
    assert "security_local_set" not in t.schema.names
    about = json.loads(t.schema.metadata[b"tstrans"])
    assert about["security_classification"] == "SECRET"
    assert about["unmarked_records"] == 1
    misp, utc = t["time_misp"].to_pylist(), t["time_utc"].to_pylist()
    assert misp[0].isoformat() == "2023-11-14T22:13:20"
    assert [None if v is None else v.isoformat() for v in utc] == [
        "2023-11-14T22:12:51+00:00",
        "2023-11-14T22:12:51.000001+00:00",
        None,
    ]


def test_fields_and_values(tmp_path: Path) -> None:
    record = klv.UasDatalinkLs(
        timestamp_us=(1 << 64) - 1,
        platform_status=klv.PlatformStatus.ACTIVE,
        miis_core_id=b"\1\2",
        country_codes=klv.CountryCodes(14, "USA"),
        mission_id="é",
        leap_seconds=29,
    )
    t = written([record, klv.UasDatalinkLs()], tmp_path)
    row = t.slice(0, 1).to_pylist()[0]
    assert row["timestamp_us"] == (1 << 64) - 1
    assert row["time_misp"] is None
    assert row["platform_status"] == "ACTIVE"
    assert row["miis_core_id"] == b"\1\2"
    assert json.loads(row["country_codes"])["overflight"] == "USA"
    few = written([record], tmp_path, fields=["mission_id"])
    assert [n for n in few.schema.names if n in ("mission_id", "leap_seconds")] == ["mission_id"]


def test_numbers_that_are_absent_are_not_zero(tmp_path: Path) -> None:
    records = [
        klv.UasDatalinkLs(timestamp_us=T0, leap_seconds=29, sensor_lat_deg=1.0),
        klv.UasDatalinkLs(navsats_in_view=3),
    ]
    for source in (records, read_klv_table([klv.encode_uas_datalink(r) for r in records])):
        t = written(source, tmp_path, fields=["leap_seconds", "navsats_in_view", "timestamp_us"])
        assert t["leap_seconds"].to_pylist() == [29, None]
        assert t["navsats_in_view"].to_pylist() == [None, 3]
        out = stdio.StringIO()
        geo.write_csv(source, out)
        assert [r["leap_seconds"] for r in read_csv(out.getvalue())] == ["29", ""]
        assert [r["timestamp_us"] for r in read_csv(out.getvalue())] == [str(T0), ""]
        got = geo.to_geojson(source, properties=["navsats_in_view"])["features"]
        assert all(f["properties"]["navsats_in_view"] is None for f in got)


def test_empty(tmp_path: Path) -> None:
    t = written({}, tmp_path)
    check_geoparquet(t)
    assert len(t) == 0
    with pytest.raises(ValueError, match="geometry must be"):
        geo.geo_table({}, geometry="track")


# ---- CSV ---------------------------------------------------------------------------


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(stdio.StringIO(text)))


def test_csv_of_demo(tmp_path: Path) -> None:
    path = tmp_path / "flight.csv"
    assert geo.write_csv(DEMO, path) == 40
    rows = read_csv(path.read_text(encoding="utf-8"))
    records = [r for _, _, r in io.iter_uas_datalink(DEMO)]
    assert [float(r["sensor_lat_deg"]) for r in rows] == pytest.approx(
        [r.sensor_lat_deg for r in records], abs=1e-9
    )
    assert [int(r["timestamp_us"]) for r in rows] == [r.timestamp_us for r in records]
    first = rows[0]
    assert first["time_misp"] == "2026-01-01T00:00:00.000000"
    assert first["time_utc"] == first["security_classification"] == ""
    assert first["horizontal_datum"] == "WGS 84"
    assert first["sensor_altitude_datum"] == "mean sea level"
    assert "sensor_height_m" not in first, "there is no height above the ellipsoid in this flight"


def test_csv_quotes_and_marks() -> None:
    out = stdio.StringIO()
    row = {"timestamp_us": T0, "mission_id": 'a,"b"\nc', "security_local_set": SECRET, "leap_seconds": 29}
    geo.write_csv(table(row, {"sensor_ellipsoid_height_m": 5.5}), out)
    first, second = read_csv(out.getvalue())
    assert first["mission_id"] == row["mission_id"]
    assert (first["security_classification"], first["security_caveats"]) == ("SECRET", "FOUO")
    assert first["time_utc"] == "2023-11-14T22:12:51.000000Z"
    assert second["sensor_height_m"] == "5.5"
    assert second["sensor_height_datum"] == "WGS 84 ellipsoid"


def test_csv_of_chosen_fields() -> None:
    out = stdio.StringIO()
    geo.write_csv(DEMO, out, fields=["sensor_lat_deg", "wind_speed"])
    assert "sensor_lat_deg,wind_speed" in out.getvalue().splitlines()[0]
    assert "sensor_lon_deg" not in out.getvalue().splitlines()[0]


# ---- Cursor on Target ------------------------------------------------------------------


def cot_record(us: int, **more: Any) -> klv.UasDatalinkLs:
    return klv.UasDatalinkLs(
        timestamp_us=us,
        mission_id="M<1>",
        platform_designation="P",
        image_source_sensor="EO",
        sensor_lat_deg=1.0,
        sensor_lon_deg=2.0,
        sensor_ellipsoid_height_m=3.0,
        **more,
    )


SPOT = {"frame_center_lat_deg": 1.1, "frame_center_lon_deg": 2.1, "frame_center_ellipsoid_height_m": 9.0}


def test_cot() -> None:
    records = [cot_record(T0 + i * 1_000_000, **SPOT) for i in range(12)]
    events = [ET.fromstring(x) for x in geo.cot_events(records, generated_us=T0)]
    # Every 5 s of the records' time, one of each kind.
    assert [e.get("type") for e in events] == ["a-f-A-M-F", "b-m-p-s-p-i"] * 3
    assert [e.get("time", "")[:19] for e in events[::2]] == [
        "2023-11-14T22:13:20",
        "2023-11-14T22:13:25",
        "2023-11-14T22:13:30",
    ]
    assert events[0].get("uid") == "P_M<1>"
    alone = list(geo.cot_events(records, generated_us=T0, points=False, interval_s=0))
    assert len(alone) == 12


def test_cot_needs_its_items() -> None:
    records = [cot_record(T0), klv.UasDatalinkLs(timestamp_us=T0 + 1), klv.UasDatalinkLs(sensor_lat_deg=1.0)]
    events = list(geo.cot_events(records, generated_us=T0))
    assert len(events) == 1, "no frame centre: the platform only"


def test_cot_starts_anew_when_time_runs_back() -> None:
    records = [cot_record(T0 + 10_000_000), cot_record(T0), cot_record(T0 + 1)]
    assert len(list(geo.cot_events(records, generated_us=T0))) == 2
