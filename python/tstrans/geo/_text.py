"""CSV and Cursor on Target of a flight."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from .._klv_fields import plain
from ._flight import ELLIPSOID, MARKING, MSL, Flight

if TYPE_CHECKING:
    from ..klv import CotConfig, UasDatalinkLs

__all__ = ["cot_events", "csv_rows", "dump_csv"]

_SKIPPED = frozenset({"security_local_set", "universal_label", "unknown", "field_errors"})


def _text(v: Any) -> Any:
    v = plain(v)
    if isinstance(v, (dict, list)):
        import json

        return json.dumps(v, ensure_ascii=False, separators=(",", ":")) if v else None
    return v


def csv_rows(
    flight: Flight, fields: Sequence[str] | None = None
) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The names of the columns, and the rows.

    Times come first (MISP, then UTC where it is known), then the fields that have a value, then the datums
    of the sensor's height and altitude, then the marking.
    """
    c = flight.columns
    chosen: dict[str, list[Any]] = {
        "time_misp": flight.times("misp").tolist(),
        "time_utc": flight.times("utc").tolist(),
    }
    for name in c.names if fields is None else fields:
        values = [_text(v) for v in c.objects(name)]
        if fields is not None or (name not in _SKIPPED and any(v is not None for v in values)):
            chosen[name] = values
    chosen["sensor_height_m"] = [None if v != v else round(v, 4) for v in flight.height.tolist()]
    chosen["sensor_height_datum"] = [None if v is None else ELLIPSOID for v in chosen["sensor_height_m"]]
    chosen["sensor_altitude_datum"] = [None if v != v else MSL for v in flight.altitude.tolist()]
    chosen["horizontal_datum"] = ["WGS 84"] * flight.size
    chosen.update((n, flight.marking[n].tolist()) for n in MARKING.values())
    if fields is None:
        always = ("time_misp", "time_utc", "security_classification")
        chosen = {k: v for k, v in chosen.items() if k in always or any(x is not None for x in v)}
    return list(chosen), zip(*chosen.values(), strict=True)


def dump_csv(flight: Flight, out: TextIO, fields: Sequence[str] | None = None) -> int:
    """Write CSV (RFC 4180 with plain line feeds); gives the number of rows."""
    names, rows = csv_rows(flight, fields)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
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
