"""Cutting at the antimeridian and at the poles, held against shapely."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box, shape
from tstrans import geo
from tstrans.geo._shape import crosses_itself, cut_line, cut_ring, signed_area, unwrap, wrap

GLOBE = box(-180, -90, 180, 90)


def unrolled(lon: list[float], lat: list[float]) -> Polygon:
    """The ring as shapely sees it, with longitudes beyond 180 left alone."""
    return Polygon(zip(lon, lat, strict=True))


def expected(ring: Polygon) -> shapely.Geometry:
    """The ring cut by shapely: its parts in each copy of the world, shifted into one."""
    parts = [
        affinity.translate(shapely.intersection(ring, box(-180 + 360 * k, -90, 180 + 360 * k, 90)), -360 * k)
        for k in (-2, -1, 0, 1, 2)
    ]
    return shapely.union_all(parts)


def pieces(rings: list[list[tuple[float, float]]]) -> MultiPolygon:
    return MultiPolygon([Polygon(r) for r in rings])


degrees = st.floats(-179.9, 179.9)
around = st.lists(st.tuples(st.floats(0, 2 * math.pi), st.floats(0.2, 60)), min_size=4, max_size=4)


@given(
    lon=st.one_of(degrees, st.sampled_from([-180.0, 180.0, 179.0, -179.5])),
    lat=st.floats(-20, 20),
    ring=around,
)
def test_cut_ring(lon: float, lat: float, ring: list[tuple[float, float]]) -> None:
    # Corners by angle around a point: a simple ring, convex or not.
    corners = [(lon + r * math.cos(a), lat + r * math.sin(a)) for a, r in sorted(ring)]
    x, y = [c[0] for c in corners], [c[1] for c in corners]
    shift = 360 * math.floor((x[0] + 180) / 360)
    x = [v - shift for v in x]
    whole = unrolled(x, y)
    assume(whole.is_valid and whole.area > 1e-3 and max(x) - min(x) < 170)
    got = pieces(cut_ring(x, y))
    assert got.is_valid, shapely.is_valid_reason(got)
    assert all(-180 <= a <= 180 for r in got.geoms for a, _ in r.exterior.coords)
    assert got.area == pytest.approx(whole.area, rel=1e-9)
    assert got.symmetric_difference(expected(whole)).area < 1e-6 * whole.area


def test_a_ring_that_only_touches_stays_whole() -> None:
    assert cut_ring([170.0, 180.0, 180.0, 170.0], [0.0, 0.0, 5.0, 5.0]) == [
        [(170.0, 0.0), (180.0, 0.0), (180.0, 5.0), (170.0, 5.0)]
    ]


def test_a_ring_with_two_parts_beyond() -> None:
    # A chevron: its two tips lie over the antimeridian, the notch does not.
    x, y = [175.0, 185.0, 178.0, 185.0], [0.0, -5.0, 0.0, 5.0]
    rings = cut_ring(x, y)
    assert len(rings) == 3
    got = pieces(rings)
    assert got.is_valid
    assert got.area == pytest.approx(unrolled(x, y).area)


@pytest.mark.parametrize("south", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("start", range(0, 360, 45))
def test_around_a_pole(south: bool, backward: bool, start: int) -> None:
    lon = [(start + d + 180) % 360 - 180 for d in (0, 80, 170, 265)]
    lat = [85.0, 86.0, 87.0, 85.5]
    if backward:
        lon, lat = lon[::-1], lat[::-1]
    if south:
        lat = [-v for v in lat]
    (ring,) = cut_ring(unwrap(np.array(lon, float)).tolist(), lat)
    got = Polygon(ring)
    assert got.is_valid
    pole = -90.0 if south else 90.0
    # Every meridian runs from the ring's edge to the pole.
    for m in range(-179, 180, 17):
        inside = got.intersection(shapely.LineString([(m, 0), (m, pole)]))
        assert 2.5 < inside.length < 5.5
    assert got.area == pytest.approx(
        sum(_strip(lon, lat, m, pole) for m in range(-1800, 1800)) / 10, rel=1e-3
    )


def _strip(lon: list[float], lat: list[float], tenth: int, pole: float) -> float:
    """Degrees from the ring to the pole along the meridian in the middle of a tenth of a degree."""
    m = tenth / 10 + 0.05
    for k in range(4):
        a, b = lon[k], lon[(k + 1) % 4]
        run = (b - a + 180) % 360 - 180
        at = (m - a + 180) % 360 - 180
        t = at / run
        if 0 <= t < 1:
            return abs(pole - (lat[k] + t * (lat[(k + 1) % 4] - lat[k])))
    raise AssertionError("the ring does not go around")


@given(
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=12),
)
def test_cut_line(points: list[tuple[float, float]]) -> None:
    lon, lat = (np.array(v, float) for v in zip(*points, strict=True))
    got = cut_line(lon, lat)
    # All vertices, once each and in order.
    assert [i for _, _, a, b in got for i in range(a, b + 1)] == list(range(len(points)))
    length = 0.0
    for x, y, _, _ in got:
        assert np.abs(x).max() <= 180
        assert (np.abs(np.diff(x)) <= 180 + 1e-9).all()
        length += np.hypot(np.diff(x), np.diff(y)).sum()
    # Together as long as the line with short steps. Exactly half the world is short either way.
    step = (np.diff(lon) + 180) % 360 - 180
    assert length == pytest.approx(np.hypot(step, np.diff(lat)).sum(), rel=1e-9, abs=1e-9)


def test_cut_line_gives_the_latitude_of_the_crossing() -> None:
    (x1, y1, *_), (x2, y2, *_) = cut_line(np.array([179.0, -178.0]), np.array([0.0, 3.0]))
    assert (x1.tolist(), y1.tolist()) == ([179.0, 180.0], [0.0, 1.0])
    assert (x2.tolist(), y2.tolist()) == ([-180.0, -178.0], [1.0, 3.0])


def test_unwrap_and_wrap() -> None:
    assert unwrap(np.array([170.0, -170.0, 170.0])).tolist() == [170.0, 190.0, 170.0]
    assert unwrap(np.array([[-170.0, 170.0], [0.0, 10.0]])).tolist() == [[-170.0, -190.0], [0.0, 10.0]]
    assert wrap(np.array([180.0, -180.0, 181.0, -540.0, 540.0, 600.0])).tolist() == [
        180,
        -180,
        -179,
        -180,
        180,
        -120,
    ]


def test_orientation_and_crossing() -> None:
    x = np.array([[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    y = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]])
    assert np.sign(signed_area(x, y)).tolist() == [1.0, 0.0, -1.0]
    assert crosses_itself(x, y).tolist() == [False, True, False]


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=4, max_size=4, unique=True))
def test_crossing_is_what_shapely_calls_invalid(points: list[tuple[float, float]]) -> None:
    ring = Polygon(points)
    x, y = (np.array([v], float) for v in zip(*points, strict=True))
    assume(abs(ring.area) > 1e-6 and abs(float(signed_area(x, y)[0])) > 1e-6)
    # What touches or nearly touches may be called either way.
    assume(not ring.is_valid or ring.minimum_clearance > 1e-9)
    if not ring.is_valid:
        assert crosses_itself(x, y)[0]
    elif ring.minimum_clearance > 1e-6:
        assert not crosses_itself(x, y)[0]


def corners(points: list[tuple[float, float]]) -> dict[str, list[float]]:
    return {
        f"corner_{c}_p{k}_deg": [p[i]] for c, i in (("lat", 1), ("lon", 0)) for k, p in enumerate(points, 1)
    }


@pytest.mark.parametrize(
    ("points", "why"),
    [
        # The last corner comes to lie on the first edge when it is rounded.
        ([(-89.99, 0), (-89.99, -89.99), (0, 0), (-89.99 + 3e-8, -89.9275)], "crosses_itself"),
        ([(0, 0), (1, 0), (1, 4e-8), (0, 4e-8)], "no_area"),
        ([(0, 0), (2, 0), (1, 1), (1, 1e-8)], "crosses_itself"),
        ([(179.9999999, 0), (-179.99999996, 0), (-179.99999997, 1e-8), (179.9999999, 2e-8)], "no_area"),
    ],
)
def test_what_rounding_makes_invalid_is_left_out(points: list[tuple[float, float]], why: str) -> None:
    got = geo.to_geojson(corners(points), parts=["footprint"])
    assert got["features"] == []
    assert got["tstrans"]["footprints_left_out"][why] == 1


def test_a_corner_on_the_antimeridian_between_two_parts() -> None:
    """Two parts that meet in one point stay two."""
    (got,) = geo.to_geojson(corners([(170, 10), (-170, 0), (180, 10), (-170, 20)]), parts=["footprint"])[
        "features"
    ]
    s = shape(got["geometry"])
    assert s.is_valid, s.wkt
    assert sum(p.bounds[0] < 0 for p in s.geoms) == 2
