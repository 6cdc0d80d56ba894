"""CSV and Cursor on Target of a flight."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, TextIO

from .._klv_fields import plain
from ._flight import ELLIPSOID, MARKING, MSL, Flight

if TYPE_CHECKING:
    from ..klv import CotConfig, UasDatalinkLs
    from ._shape import Floats

#: Some rows of a column, as what is written.
Cells = Callable[[slice], Iterable[Any]]

__all__ = ["cot_events", "csv_columns", "dump_csv"]

#: Rows that are turned into Python values at once.
_ROWS = 4096

_SKIPPED = frozenset({"security_local_set", "universal_label", "unknown", "field_errors"})


def _text(v: Any) -> Any:
    if v is None or type(v) in (float, int, str):
        return v
    v = plain(v)
    if isinstance(v, (dict, list)):
        import json

        return json.dumps(v, ensure_ascii=False, separators=(",", ":")) if v else None
    return v


def _height(v: float) -> float | None:
    return None if v != v else round(v, 4)


def _where(values: Floats, text: str) -> Cells:
    """The text where there is a number."""
    return lambda rows: [None if v != v else text for v in values[rows].tolist()]


def csv_columns(flight: Flight, fields: Sequence[str] | None = None) -> dict[str, Cells]:
    """The columns by name: each a function that gives the cells of some rows.

    Times come first (MISP, then UTC where it is known), then the fields that have a value, then the datums
    of the sensor's height and altitude, then the marking.
    """
    c = flight.columns
    misp, utc = flight.times("misp"), flight.times("utc")
    out: dict[str, Cells] = {
        "time_misp": misp.__getitem__,
        "time_utc": utc.__getitem__,
    }

    def cells(name: str) -> Cells:
        return lambda rows: map(_text, c.objects(name, rows, 9))

    for name in c.names if fields is None else fields:
        if fields is not None or (name not in _SKIPPED and c.filled(name)):
            out[name] = cells(name)
    height, altitude = flight.height, flight.altitude
    if fields is not None or (height == height).any():
        out["sensor_height_m"] = lambda rows: map(_height, height[rows].tolist())
        out["sensor_height_datum"] = lambda rows: (
            None if v != v else ELLIPSOID for v in height[rows].tolist()
        )
    if fields is not None or (altitude == altitude).any():
        out["sensor_altitude_datum"] = _where(altitude, MSL)
    out["horizontal_datum"] = lambda rows: repeat("WGS 84", len(height[rows]))
    for name in MARKING.values():
        marks = flight.marking[name]
        if fields is not None or name == "security_classification" or any(marks):
            out[name] = marks.__getitem__
    return out


def dump_csv(flight: Flight, out: TextIO, fields: Sequence[str] | None = None) -> int:
    """Write CSV (RFC 4180 with plain line feeds); gives the number of rows."""
    columns = csv_columns(flight, fields)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for k in range(0, flight.size, _ROWS):
        rows = slice(k, k + _ROWS)
        writer.writerows(zip(*(cells(rows) for cells in columns.values()), strict=True))
    return flight.size


def cot_events(
    records: Iterable[UasDatalinkLs],
    *,
    config: CotConfig | None = None,
    generated_us: int,
    points: bool,
    interval_s: float,
) -> Iterator[str]:
    """Cursor on Target events, at most one of a kind within ``interval_s`` of the records' own time."""
    from ..klv import platform_position_xml, sensor_point_of_interest_xml

    makers = [platform_position_xml, sensor_point_of_interest_xml] if points else [platform_position_xml]
    due: list[int | None] = [None] * len(makers)
    for r in records:
        at = r.timestamp_us
        if at is None:
            continue
        for k, make in enumerate(makers):
            last = due[k]
            if last is not None and last <= at < last + interval_s * 1e6:
                continue
            try:
                event = make(r, config=config, generated_us=generated_us)
            except ValueError:  # an item that the event cannot do without is not in this record
                continue
            due[k] = at
            yield event
