"""Flights as GeoJSON: what is in it, and that other eyes find it valid."""

from __future__ import annotations

import io as stdio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, shape
from shapely.geometry.polygon import orient
from tstrans import geo, io, klv
from tstrans.geo._flight import Flight, highest
from tstrans.pandas import klv_to_dataframe, read_klv, read_klv_table

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "testdata" / "demo.ts"
GOLDEN = Path(__file__).with_name("golden")

T0 = 1_700_000_000_000_000
SECRET = klv.encode_security(
    klv.SecurityLs(
        security_classification=klv.SecurityClassification.SECRET, classifying_country="//US", caveats="FOUO"
    )
)
OPEN = klv.encode_security(klv.SecurityLs(security_classification=klv.SecurityClassification.UNCLASSIFIED))


def square(lat: float, lon: float, half: float = 0.05) -> dict[str, float]:
    """A frame centre with offset corners, clockwise from the upper left as cameras have them."""
    got = {"frame_center_lat_deg": lat, "frame_center_lon_deg": lon}
    for k, (north, east) in enumerate(((1, -1), (1, 1), (-1, 1), (-1, -1)), 1):
        got[f"corner_lat_offset_p{k}_deg"] = north * half
        got[f"corner_lon_offset_p{k}_deg"] = east * half
    return got


def full(*corners: tuple[float, float]) -> dict[str, float]:
    """Full corners as (latitude, longitude)."""
    return {
        f"corner_{n}_p{k}_deg": v[i] for k, v in enumerate(corners, 1) for i, n in enumerate(("lat", "lon"))
    }


def table(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    names = list(dict.fromkeys(n for r in rows for n in r))
    return {n: [r.get(n) for r in rows] for n in names}


def over_fiji(n: int = 6) -> list[dict[str, Any]]:
    """A flight east over the antimeridian."""
    return [
        {
            "timestamp_us": T0 + i * 1_000_000,
            "sensor_lat_deg": -17.0 + 0.01 * i,
            "sensor_lon_deg": (179.97 + 0.01 * i + 180) % 360 - 180,
            "sensor_ellipsoid_height_m": 1000.0 + i,
            **square(-17.1, (179.98 + 0.01 * i + 180) % 360 - 180, 0.03),
        }
        for i in range(n)
    ]


def of_kind(collection: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [f for f in collection["features"] if f["properties"]["kind"] == kind]


def check_collection(got: dict[str, Any]) -> None:
    """RFC 7946, by shapely and by hand."""
    json.dumps(got, allow_nan=False)
    assert got["type"] == "FeatureCollection"
    for f in got["features"]:
        assert f["type"] == "Feature"
        s = shape(f["geometry"])
        assert s.is_valid, s.wkt
        west, south, east, north = s.bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
        for part in getattr(s, "geoms", [s]):
            if part.geom_type == "Polygon":
                assert orient(part).equals_exact(part), "exterior rings are counterclockwise (§3.1.6)"


# ---- demo.ts: the flight whose numbers are known -----------------------------


def test_demo_against_the_golden_file() -> None:
    got = geo.to_geojson(DEMO, every=8)
    assert got == json.loads((GOLDEN / "demo.geojson").read_text())
    check_collection(got)


def test_demo_is_the_orbit_it_was_made_as() -> None:
    got = geo.to_geojson(DEMO)
    check_collection(got)
    assert [len(of_kind(got, k)) for k in ("track", "sensor", "frame_center", "footprint")] == [1, 40, 40, 40]
    (track,) = of_kind(got, "track")
    assert track["geometry"]["type"] == "LineString"
    assert len(track["geometry"]["coordinates"]) == 40
    assert track["properties"]["begin_misp"] == "2026-01-01T00:00:00.000000"
    assert track["properties"]["mission_id"] == "DEMO-01"
    # Only an altitude above mean sea level is there: no height may stand in a position.
    assert all(len(p) == 2 for p in track["geometry"]["coordinates"])
    assert track["properties"]["height_datum"] is None
    sensor = of_kind(got, "sensor")[0]["properties"]
    assert sensor["height_m"] is None
    assert sensor["altitude_msl_m"] == pytest.approx(1608, abs=0.2)
    for f in of_kind(got, "footprint"):
        assert shape(f["geometry"]).contains(Point(8.5417, 47.3769))
        assert f["properties"]["corners"] == "offset"


@pytest.mark.parametrize(
    "form", ["path", "str", "bytes", "file", "table", "frame", "read_klv", "records", "arrow", "dict"]
)
def test_sources_agree(form: str) -> None:
    pa = pytest.importorskip("pyarrow")
    records = [r for _, _, r in io.iter_uas_datalink(DEMO)]
    source: Any = {
        "path": lambda: DEMO,
        "str": lambda: str(DEMO),
        "bytes": DEMO.read_bytes,
        "file": lambda: stdio.BytesIO(DEMO.read_bytes()),
        "table": lambda: read_klv_table(DEMO),
        "frame": lambda: klv_to_dataframe(records),
        "read_klv": lambda: read_klv(DEMO),
        "records": lambda: iter(records),
        "arrow": lambda: pa.table(read_klv_table(DEMO)),
        "dict": lambda: {n: read_klv_table(DEMO)[n] for n in read_klv_table(DEMO)},
    }[form]()
    assert geo.to_geojson(source) == geo.to_geojson(DEMO)


# ---- geometry -------------------------------------------------------------------


def test_over_the_antimeridian() -> None:
    got = geo.to_geojson(table(*over_fiji()))
    check_collection(got)
    (track,) = of_kind(got, "track")
    lines = track["geometry"]["coordinates"]
    assert track["geometry"]["type"] == "MultiLineString"
    assert [line[0][0] for line in lines] == [179.97, -180.0]
    assert lines[0][-1][0] == 180.0
    assert all(len(p) == 3 for line in lines for p in line)
    kinds = [f["geometry"]["type"] for f in of_kind(got, "footprint")]
    assert kinds == ["MultiPolygon"] * 5 + ["Polygon"]
    assert all(shape(f["geometry"]).area == pytest.approx(0.06**2) for f in of_kind(got, "footprint"))
    west, _, east, _ = got["bbox"]
    assert west > 0 > east, "west is the larger number where the box lies over the antimeridian (§5.2)"


def test_full_corners_win_where_all_are_there() -> None:
    corners = ((1.0, 2.0), (1.0, 3.0), (0.0, 3.0), (0.0, 2.0))
    partial = full(*corners)
    del partial["corner_lon_p3_deg"]
    rows = table({**square(10, 10), **full(*corners)}, {**square(10, 10), **partial}, full(*corners), partial)
    got = geo.footprints(rows)
    assert [None if g is None else shape(g).bounds for g in got] == [
        (2.0, 0.0, 3.0, 1.0),
        pytest.approx((9.95, 9.95, 10.05, 10.05)),
        (2.0, 0.0, 3.0, 1.0),
        None,
    ]


def test_corners_that_are_no_footprint_are_counted() -> None:
    flat = full(*[(1.0, 1.0)] * 4)
    bow_tie = full((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 3.0))
    beyond = square(89.99, 0.0)
    nan = full((float("nan"), 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    got = geo.to_geojson(table(flat, bow_tie, beyond, nan, square(0, 0)))
    assert got["tstrans"]["footprints_left_out"] == {"off_the_globe": 1, "no_area": 1, "crosses_itself": 1}
    assert [f["properties"]["record"] for f in of_kind(got, "footprint")] == [4]


def test_a_footprint_around_the_pole() -> None:
    ring = full((85.0, 0.0), (86.0, 90.0), (87.0, -170.0), (85.0, -90.0))
    got = geo.to_geojson(table(ring, {n: -v if "lat" in n else v for n, v in ring.items()}))
    check_collection(got)
    assert got["bbox"] == [-180.0, -90.0, 180.0, 90.0]
    assert [shape(f["geometry"]).bounds for f in of_kind(got, "footprint")] == [
        (-180.0, 85.0, 180.0, 90.0),
        (-180.0, -90.0, 180.0, -85.0),
    ]


def test_heights_above_the_ellipsoid_come_first() -> None:
    rows = table(
        {"sensor_alt_m": 1.0, "sensor_ellipsoid_height_m": 2.0, "sensor_ellipsoid_height_extended_m": 3.0},
        {"sensor_alt_m": 1.0, "sensor_ellipsoid_height_m": 2.0},
        {"sensor_alt_m": 1.0},
    )
    rows |= {"sensor_lat_deg": [0.0, 0.1, 0.2], "sensor_lon_deg": [0.0] * 3}
    got = geo.to_geojson(rows)
    assert [f["geometry"]["coordinates"][2:] for f in of_kind(got, "sensor")] == [[3.0], [2.0], []]
    assert [f["properties"]["altitude_msl_m"] for f in of_kind(got, "sensor")] == [1.0] * 3
    # A line has heights at all its points or at none.
    assert {len(p) for p in of_kind(got, "track")[0]["geometry"]["coordinates"]} == {2}


def test_gaps_and_single_points() -> None:
    rows = [
        {"timestamp_us": T0 + t * 1_000_000, "sensor_lat_deg": t / 100, "sensor_lon_deg": 0.0}
        for t in (0, 1, 60, 120, 121)
    ]
    assert geo.track(table(*rows))["type"] == "LineString"  # type: ignore[index]
    cut = geo.track(table(*rows), max_gap_s=10)
    assert cut is not None
    assert [len(c) for c in cut["coordinates"]] == [2, 2], "the lone record in the middle is no line"
    assert geo.track(table(rows[0])) is None
    assert geo.track(table(rows[0], rows[0])) is None


def test_positions_that_are_none() -> None:
    rows = table(
        {"sensor_lat_deg": 91.0, "sensor_lon_deg": 0.0},
        {"sensor_lat_deg": float("nan"), "sensor_lon_deg": 0.0},
        {"sensor_lat_deg": float("inf"), "sensor_lon_deg": 0.0},
        {"sensor_lat_deg": None, "sensor_lon_deg": 0.0},
    )
    got = geo.to_geojson(rows)
    assert got["features"] == []
    assert "bbox" not in got


@pytest.mark.parametrize("empty", [[], {}, pd.DataFrame(), b""])
def test_nothing(empty: Any) -> None:
    got = geo.to_geojson(empty)
    assert got["features"] == []
    assert got["tstrans"]["records"] == 0
    assert geo.track(empty) is None
    assert geo.footprints(empty) == []
    assert geo.write_csv(empty, stdio.StringIO()) == 0


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="unknown parts"):
        geo.to_geojson({}, parts=["tracks"])
    with pytest.raises(ValueError, match="every"):
        geo.to_geojson({}, every=0)
    with pytest.raises(TypeError, match="UasDatalinkLs"):
        geo.to_geojson([1])
    with pytest.raises(ValueError, match="different lengths"):
        geo.to_geojson({"sensor_lat_deg": [1.0], "sensor_lon_deg": []})


def test_every_and_parts() -> None:
    got = geo.to_geojson(DEMO, every=15, parts=["sensor"])
    assert [f["properties"]["record"] for f in got["features"]] == [0, 15, 30]
    assert geo.to_geojson(DEMO, parts=["track"])["features"] == of_kind(geo.to_geojson(DEMO), "track")


def test_written_is_what_is_returned(tmp_path: Path) -> None:
    out = stdio.StringIO()
    n = geo.write_geojson(DEMO, out)
    assert json.loads(out.getvalue()) == geo.to_geojson(DEMO)
    assert n == 121
    assert geo.write_geojson({}, tmp_path / "empty.geojson") == 0
    assert json.loads((tmp_path / "empty.geojson").read_text())["features"] == []


def test_a_large_flight(tmp_path: Path) -> None:
    n = 50_000
    i = np.arange(n)
    rows: dict[str, Any] = {
        "timestamp_us": T0 + i * 100_000,
        "sensor_lat_deg": np.sin(i / 9000),
        "sensor_lon_deg": (i * 0.01 + 180.005) % 360 - 180,
    }
    got = geo.track(rows)
    assert got is not None
    assert len(got["coordinates"]) == 2
    assert sum(map(len, got["coordinates"])) == n + 2
    with (tmp_path / "large.geojson").open("w") as f:
        assert geo.write_geojson(rows, f, every=1000) == 51


# ---- time and marking ----------------------------------------------------------------


def test_misp_time_is_not_utc() -> None:
    rows = table(
        {"timestamp_us": T0},
        {"timestamp_us": T0 + 1_000_000, "leap_seconds": 29, "correction_offset_us": 500_000},
        {"timestamp_us": T0 + 2_000_000},
        {"timestamp_us": T0 + 40_000_000},
        {},
        {"timestamp_us": T0 + 41_000_000, "leap_seconds": -29},
    )
    f = Flight(rows)
    assert f.times("misp").tolist() == [
        "2023-11-14T22:13:20.000000",
        "2023-11-14T22:13:21.000000",
        "2023-11-14T22:13:22.000000",
        "2023-11-14T22:14:00.000000",
        None,
        "2023-11-14T22:14:01.000000",
    ]
    # Before the first leap seconds, and more than 30 s after they were last repeated, UTC is not known.
    assert f.times("utc").tolist() == [
        None,
        "2023-11-14T22:12:52.500000Z",
        "2023-11-14T22:12:53.500000Z",
        None,
        None,
        "2023-11-14T22:13:32.000000Z",
    ]
    given = Flight(table({"timestamp_us": T0}), leap_seconds=29)
    assert given.times("utc").tolist() == ["2023-11-14T22:12:51.000000Z"]
    assert given.summary()["utc_known"]


@pytest.mark.parametrize("us", [(1 << 64) - 1, (1 << 63) - 1, 253_402_300_800_000_000])
def test_wild_times_are_left_out(us: int) -> None:
    f = Flight([klv.UasDatalinkLs(timestamp_us=us, leap_seconds=29, sensor_lat_deg=1.0, sensor_lon_deg=1.0)])
    assert f.times("misp").tolist() == [None]
    assert f.times("utc").tolist() in ([None], ["9999-12-31T23:59:31.000000Z"])


def test_marking_is_held_and_runs_out() -> None:
    rows = table(
        {"timestamp_us": T0, "security_local_set": SECRET},
        {"timestamp_us": T0 + 29_000_000},
        {"timestamp_us": T0 + 31_000_000},
        {"timestamp_us": T0 + 32_000_000, "security_local_set": OPEN},
        {"timestamp_us": T0 + 33_000_000, "security_local_set": b"\1\2\3"},
        {"timestamp_us": T0 + 34_000_000, "security_local_set": b""},
    )
    f = Flight(rows)
    assert f.marking["security_classification"].tolist() == [
        *("SECRET", "SECRET", None, "UNCLASSIFIED", "UNREADABLE", None),
    ]
    assert f.marking["security_caveats"].tolist() == ["FOUO", "FOUO", None, None, None, None]
    about = f.summary()
    assert about["security_classification"] == "UNREADABLE"
    assert about["unmarked_records"] == 2
    assert {"security_classification": "UNCLASSIFIED"} in about["security_markings"]


def test_highest_classification() -> None:
    assert highest([None, "SECRET", "UNCLASSIFIED"]) == "SECRET"
    assert highest(["TOP_SECRET", "9"]) == "9"
    assert highest([None]) is None


def test_marking_is_on_every_feature() -> None:
    rows = [dict(r, security_local_set=SECRET) for r in over_fiji(3)]
    got = geo.to_geojson(table(*rows))
    assert {f["properties"]["security_classification"] for f in got["features"]} == {"SECRET"}
    assert got["tstrans"]["security_classification"] == "SECRET"


def test_enumerations_and_structures_are_properties() -> None:
    record = klv.decode_uas_datalink(
        klv.encode_uas_datalink(
            klv.UasDatalinkLs(
                sensor_lat_deg=1.0,
                sensor_lon_deg=1.0,
                platform_status=klv.PlatformStatus.ACTIVE,
                country_codes=klv.CountryCodes(14, "USA"),
                miis_core_id=b"\1\2",
            )
        )
    )
    names = ["platform_status", "country_codes", "miis_core_id", "wind_speed"]
    (f,) = geo.to_geojson([record], parts=["sensor"], properties=names)["features"]
    assert f["properties"]["platform_status"] == "ACTIVE"
    assert f["properties"]["country_codes"]["overflight"] == "USA"
    assert f["properties"]["miis_core_id"] == "0102"
    assert "wind_speed" not in f["properties"]


# ---- whatever comes in ---------------------------------------------------------------

wild = st.one_of(
    st.none(),
    st.floats(-200, 200),
    st.sampled_from([0.0, 90.0, -90.0, 180.0, -180.0, 179.9999999, float("nan"), float("inf"), -1e300]),
)
near = st.builds(
    lambda a, b: a + b, st.sampled_from([0.0, 89.99, -89.99, 179.99, -179.99]), st.floats(-0.1, 0.1)
)


@st.composite
def flights(draw: st.DrawFn) -> dict[str, list[Any]]:
    n = draw(st.integers(1, 4))
    names = [
        "sensor_lat_deg",
        "sensor_lon_deg",
        "frame_center_lat_deg",
        "frame_center_lon_deg",
        "sensor_alt_m",
    ]
    names += [
        f"corner_{c}{o}_p{k}_deg" for c in ("lat", "lon") for o in ("", "_offset") for k in (1, 2, 3, 4)
    ]
    kind = draw(st.sampled_from([wild, near]))
    rows = {m: draw(st.lists(kind, min_size=n, max_size=n)) for m in names}
    rows["timestamp_us"] = draw(st.lists(st.integers(0, (1 << 64) - 1), min_size=n, max_size=n))
    rows["leap_seconds"] = draw(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=n, max_size=n))
    rows["correction_offset_us"] = draw(
        st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=n, max_size=n)
    )
    rows["security_local_set"] = draw(
        st.lists(st.one_of(st.none(), st.binary(max_size=9)), min_size=n, max_size=n)
    )
    return rows


@settings(max_examples=300, deadline=None)
@given(flights())
def test_whatever_comes_in_valid_geojson_comes_out(rows: dict[str, list[Any]]) -> None:
    got = geo.to_geojson(rows)
    json.dumps(got, allow_nan=False)
    for f in got["features"]:
        s = shape(f["geometry"])
        assert s.is_valid or f["properties"]["kind"] == "track", s.wkt
        west, south, east, north = s.bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
    out = stdio.StringIO()
    assert geo.write_csv(rows, out) == len(rows["sensor_lat_deg"])
