"""Lines and rings on the globe, cut where RFC 7946 wants them cut: at the antimeridian (§3.1.9).

Longitudes are unwrapped first, so that a step over 180 degrees is a short step and not one around the world;
coordinates are (longitude, latitude) in degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = [
    "DEGREES",
    "Point",
    "Ring",
    "crosses_itself",
    "cut_line",
    "cut_ring",
    "signed_area",
    "sound_rings",
    "unwrap",
    "wrap",
]

Point = tuple[float, float]
Ring = list[Point]

#: Decimals of exported coordinates: 1e-7 degrees are 11 mm on the ground, and the items of four bytes resolve
#: 5 to 9 mm. Shapes are judged after rounding, as it can make a narrow one touch itself.
DEGREES = 7

#: A corner this near to the line through an edge, in degrees, counts as on it: far above what the arithmetic
#: loses, far below the grid of the coordinates.
_TOUCH = 5e-10


def wrap(lon: Any) -> Any:
    """Longitude within -180 to 180; 180 itself stays."""
    return (
        lon
        - 360.0 * ((lon > 180.0) * 1 + (lon > 540.0) * 1)
        + 360.0 * ((lon < -180.0) * 1 + (lon < -540.0) * 1)
    )


def unwrap(lon: Floats) -> Floats:
    """Longitudes along the last axis without jumps, beginning within -180 to 180."""
    import numpy as np

    step = np.diff(lon, axis=-1)
    step = (step + 180.0) % 360.0 - 180.0
    out = np.empty_like(lon)
    out[..., 0] = lon[..., 0]
    out[..., 1:] = lon[..., :1] + np.cumsum(step, axis=-1)
    return out


def signed_area(x: Floats, y: Floats) -> Floats:
    """Twice the signed area of rings given as rows of vertices; positive is counterclockwise."""
    import numpy as np

    return (x * np.roll(y, -1, axis=-1) - np.roll(x, -1, axis=-1) * y).sum(axis=-1)  # type: ignore[no-any-return]


def _sides(ax: Floats, ay: Floats, bx: Floats, by: Floats, cx: Floats, cy: Floats) -> Floats:
    """Which side of the line from a to b the point c is on: 1 left, -1 right, 0 on it (or next to it)."""
    import numpy as np

    dx, dy = bx - ax, by - ay
    side = dx * (cy - ay) - dy * (cx - ax)
    return np.where(np.abs(side) <= _TOUCH * np.hypot(dx, dy), 0.0, np.sign(side))


def _meet(px: Any, py: Any, qx: Any, qy: Any, rx: Any, ry: Any, sx: Any, sy: Any) -> Flags:
    """Whether the edges p-q and r-s have a point in common."""
    apart = _sides(px, py, qx, qy, rx, ry) * _sides(px, py, qx, qy, sx, sy)
    other = _sides(rx, ry, sx, sy, px, py) * _sides(rx, ry, sx, sy, qx, qy)
    return (apart <= 0) & (other <= 0)


def crosses_itself(x: Floats, y: Floats) -> Flags:
    """Whether opposite edges of four-cornered rings meet."""
    hit = None
    for a in (0, 1):
        p, q, r, s = ((a + k) % 4 for k in range(4))
        meet = _meet(x[:, p], y[:, p], x[:, q], y[:, q], x[:, r], y[:, r], x[:, s], y[:, s])
        hit = meet if hit is None else hit | meet
    assert hit is not None
    return hit


def sound_rings(rings: list[Ring]) -> list[Ring] | None:
    """Rings as they are exported: rounded, without repeated points, and without those that have no area left.

    None where one of them meets itself.
    """
    import numpy as np

    out = []
    for r in rings:
        points = [(round(x, DEGREES), round(y, DEGREES)) for x, y in r]
        points = [p for i, p in enumerate(points) if p != points[i - 1]]
        if len(points) < 3:
            continue
        x, y = np.array(points).T
        x = x - x[0]  # a large longitude costs the area its digits
        if abs(signed_area(x, y)) <= _TOUCH * np.hypot(np.ptp(x), np.ptp(y)):
            continue
        first, second = np.triu_indices(len(points), 2)
        apart = (first != 0) | (second != len(points) - 1)  # neighbours share a corner
        a, b = first[apart], second[apart]
        c, d = (a + 1) % len(points), (b + 1) % len(points)
        if _meet(x[a], y[a], x[c], y[c], x[b], y[b], x[d], y[d]).any():
            return None
        out.append(points)
    return out


def cut_line(lon: Floats, lat: Floats) -> list[tuple[Floats, Floats, int, int]]:
    """A line as pieces that stay within -180 to 180.

    Each piece is (longitudes, latitudes, first, last): the vertices ``first`` to ``last`` of the line, with
    the points on the antimeridian where it was cut before and behind them.
    """
    import numpy as np

    if len(lon) == 0:
        return []
    step = np.diff(lon)
    cuts = np.flatnonzero(np.abs(step) > 180.0)
    pieces = []
    begin, lead = 0, None
    for i in cuts.tolist():
        east = step[i] < 0  # leaves over +180 and comes back at -180
        edge = 180.0 if east else -180.0
        there = lon[i + 1] + (360.0 if east else -360.0)
        run = there - lon[i]
        y = lat[i] + (lat[i + 1] - lat[i]) * ((edge - lon[i]) / run if run else 0.0)
        pieces.append(_piece(lon, lat, begin, i, lead, (edge, y)))
        begin, lead = i + 1, (-edge, y)
    pieces.append(_piece(lon, lat, begin, len(lon) - 1, lead, None))
    return pieces


def _piece(
    lon: Floats, lat: Floats, first: int, last: int, lead: Point | None, tail: Point | None
) -> tuple[Floats, Floats, int, int]:
    import numpy as np

    x, y = lon[first : last + 1], lat[first : last + 1]
    if lead is not None and lead != (x[0], y[0]):
        x, y = np.concatenate(([lead[0]], x)), np.concatenate(([lead[1]], y))
    if tail is not None and tail != (x[-1], y[-1]):
        x, y = np.concatenate((x, [tail[0]])), np.concatenate((y, [tail[1]]))
    return x, y, first, last


def cut_ring(lon: list[float], lat: list[float]) -> list[Ring]:
    """A simple ring of unwrapped vertices (not repeated at the end) as rings within -180 to 180.

    A ring around a pole, whose longitudes do not come back to where they began, is closed over that pole.
    """
    ring = list(zip(lon, lat, strict=True))
    turn = ring[0][0] - ring[-1][0]
    turn = (turn + 180.0) % 360.0 - 180.0
    around = ring[-1][0] + turn - ring[0][0]
    if abs(around) > 180.0:
        ring = _over_pole(ring, 360.0 if around > 0 else -360.0)
    out: list[Ring] = []
    low, high = min(p[0] for p in ring), max(p[0] for p in ring)
    k = -2
    while k <= 2:
        west, east = -180.0 + 360.0 * k, 180.0 + 360.0 * k
        if high > west and low < east:
            parts = [ring] if low >= west else _half(ring, west, True)
            if high > east:
                parts = [q for p in parts for q in _half(p, east, False)]
            out += [[(x - 360.0 * k, y) for x, y in p] for p in parts]
        k += 1
    return out


def _over_pole(ring: Ring, turn: float) -> Ring:
    """Close a ring that goes once around the world over the nearer pole, its seam on the antimeridian."""
    pole = 90.0 if sum(y for _, y in ring) >= 0 else -90.0
    n = len(ring)
    for k in range(n):
        (ax, ay), (bx, by) = ring[k], ring[k + 1] if k + 1 < n else (ring[0][0] + turn, ring[0][1])
        # The odd multiple of 180 between the two, if any.
        edge = 360.0 * ((min(ax, bx) + 180.0) // 360.0) + 180.0
        if min(ax, bx) <= edge <= max(ax, bx) and ax != bx:
            y = ay + (by - ay) * ((edge - ax) / (bx - ax))
            tail = [(x + turn, lat) for x, lat in ring[: k + 1]]
            return [(edge, y), *ring[k + 1 :], *tail, (edge + turn, y), (edge + turn, pole), (edge, pole)]
    return ring


def _half(ring: Ring, at: float, east: bool) -> list[Ring]:
    """The parts of a simple ring on one side of the meridian ``at``.

    The ring falls into chains on that side; their ends lie on the meridian. Along it, inside and outside
    alternate: the ends, sorted by latitude, belong together in pairs. Of two ends in one place, the one whose
    chain comes from the south is the first.
    """
    sign = 1.0 if east else -1.0
    inside = [sign * (x - at) > 0 for x, _ in ring]
    n = len(ring)
    if all(inside):
        return [ring]
    if not any(inside):
        return []
    chains: list[Ring] = []
    start = inside.index(False)
    chain: Ring | None = None
    for k in range(start, start + n):
        (ax, ay), (bx, by) = ring[k % n], ring[(k + 1) % n]
        if inside[k % n] != inside[(k + 1) % n]:
            y = ay + (by - ay) * ((at - ax) / (bx - ax))
            if chain is None:
                chain = [(at, y)]
            else:
                chain.append((at, y))
                chains.append(chain)
                chain = None
        if inside[(k + 1) % n] and chain is not None:
            chain.append((bx, by))
    ends = sorted(
        [(c[0][1], c[-1][1], i, 0) for i, c in enumerate(chains)]
        + [(c[-1][1], c[0][1], i, 1) for i, c in enumerate(chains)]
    )
    mate: dict[tuple[int, int], tuple[int, int]] = {}
    for a, b in zip(ends[::2], ends[1::2], strict=True):
        mate[a[2:]], mate[b[2:]] = b[2:], a[2:]
    out: list[Ring] = []
    left = set(range(len(chains)))
    while left:
        first = min(left)
        made: Ring = []
        i, forward = first, True
        while i in left:
            left.discard(i)
            made += chains[i] if forward else chains[i][::-1]
            i, end = mate[i, 1 if forward else 0]
            forward = end == 0
        out.append([p for j, p in enumerate(made) if p != made[j - 1]])
    return [r for r in out if len(r) >= 3]
