"""ST 0601 records as rows of a table and as JSON objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._klv_fields import describe, plain
from ..exceptions import KlvError
from ._common import seconds

if TYPE_CHECKING:
    from ..klv import UasDatalinkLs
    from ..mpegts._events import Batch

__all__ = ["FIELDS", "Unit", "header", "read_records", "record_json", "record_row", "units_of_batches"]

#: Columns of the table unless others are asked for.
FIELDS = (
    "timestamp_us",
    "platform_designation",
    "platform_heading_deg",
    "sensor_lat_deg",
    "sensor_lon_deg",
    "sensor_alt_m",
    "frame_center_lat_deg",
    "frame_center_lon_deg",
    "slant_range_m",
)

_KLV = 5
_F_HAS_PTS = 2
_SYNC = 1


class Unit(NamedTuple):
    """One KLV unit of the input. What a source without a transport stream does not have is None."""

    number: int
    pid: int | None
    pts: int | None
    synchronous: bool | None
    payload: bytes


def units_of_batches(batches: Iterable[Batch], pids: Sequence[int] | None) -> Iterator[Unit]:
    """The KLV units in batches of events, numbered as they come."""
    index = 0
    for batch in batches:
        if _KLV not in batch.byte[32::64]:
            continue
        for kind, event in zip(batch.byte[32::64], batch.events(), strict=True):
            if kind != _KLV:
                continue
            e: Any = event
            at = e._state[0]
            if pids is None or e.stream.pid in pids:
                pts = batch.quad[at] if batch.half[4 * at + 17] & _F_HAS_PTS else None
                yield Unit(index, e.stream.pid, pts, batch.byte[8 * at + 33] == _SYNC, e.payload)
            index += 1


def read_records(
    units: Iterable[Unit], strict: bool, malformed: list[str]
) -> Iterator[tuple[Unit, UasDatalinkLs]]:
    """The ST 0601 records of units. What cannot be decoded is noted in ``malformed``."""
    from ..klv import decode_uas_datalink, is_st0601_family

    for unit in units:
        try:
            if len(unit.payload) >= 16 and not is_st0601_family(unit.payload):
                continue
            yield unit, decode_uas_datalink(unit.payload, strict=strict)
        except KlvError as e:
            malformed.append(f"KLV unit {unit.number}: {e}")


def header(fields: Sequence[str]) -> tuple[str, ...]:
    """The heads of the columns of :func:`record_row`."""
    return ("#", "pts", *fields)


def record_row(unit: Unit, record: UasDatalinkLs, fields: Sequence[str]) -> tuple[str, ...]:
    """Cells under :func:`header`."""
    return (str(unit.number), seconds(unit.pts, False), *(_cell(n, getattr(record, n)) for n in fields))


def _cell(name: str, v: Any) -> str:
    if v is None:
        return ""
    if isinstance(v, float):
        info = describe(name)
        return f"{v:.7f}" if info is not None and info.datum == "WGS 84" else f"{v:.3f}"
    v = plain(v)
    return v if isinstance(v, str) else "" if v == [] else str(v)


def record_json(
    unit: Unit, record: UasDatalinkLs, fields: Sequence[str] | None, digits: int = 9
) -> dict[str, Any]:
    """The object of schema tstrans.klv/1, without the schema's name. PTS is in 90 kHz ticks."""
    out: dict[str, Any] = {"index": unit.number}
    if unit.pid is not None:
        out |= {"pid": unit.pid, "pts_90k": unit.pts, "synchronous": unit.synchronous}
    names = record.__match_args__ if fields is None else fields
    values = {n: getattr(record, n) for n in names}
    out["fields"] = {n: plain(v) for n, v in values.items() if v is not None and v != ()}
    return out
