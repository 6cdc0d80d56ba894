"""Telemetry files as KLV packets with times."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..exceptions import KlvEncodeError, KlvError
from ..klv import decode_uas_datalink
from ..klv._codec import encode_uas_fields
from ._columns import VERSION, ColumnMap, Table, date_us, fields_of_row, scaled

__all__ = ["Record", "read_records"]


@dataclass(frozen=True, slots=True)
class Record:
    """One KLV packet and its time.

    Args:
        time_us: microseconds; since 1970 where `absolute`, else since the video began.
        data: the packet, key included.
        absolute: whether the time is a date.
        filming: whether the source says that the camera recorded; None where it says nothing.
    """

    time_us: int
    data: bytes
    absolute: bool = True
    filming: bool | None = None


def _rows_of_csv(path: str) -> Iterator[dict[str, Any]]:
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as f:
        sample = f.read(1 << 16)
        f.seek(0)
        if sample.startswith("sep="):
            f.readline()
        counts = {d: sample.split("\n", 2)[-2 if sample.startswith("sep=") else 0].count(d) for d in ",;\t"}
        delimiter = max(counts, key=counts.__getitem__)
        yield from csv.DictReader(f, delimiter=delimiter)


def _rows_of_json(path: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8") as f:
        start = f.read(1)
        while start and start.isspace():
            start = f.read(1)
        f.seek(0)
        if start == "[":
            rows = json.load(f)
        else:
            rows = (json.loads(line) for line in f if line.strip())
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError("JSON telemetry is a list of objects, or one object a line")
            yield row


def _packets(data: bytes) -> Iterator[bytes]:
    """KLV packets that stand behind each other (SMPTE ST 336 §4.2: key, BER length, value)."""
    at = 0
    while at < len(data):
        if at + 17 > len(data):
            raise ValueError(f"KLV file: {len(data) - at} bytes at the end are no packet")
        n, value = data[at + 16], at + 17
        if n & 0x80:
            value += n & 0x7F
            n = int.from_bytes(data[at + 17 : value], "big")
        if value + n > len(data):
            raise ValueError(f"KLV file: the packet at byte {at} runs past the end")
        yield data[at : value + n]
        at = value + n


def _read_klv(path: str) -> Iterator[Record]:
    with open(path, "rb") as f:
        data = f.read()
    last = 0
    for packet in _packets(data):
        try:
            stamp = decode_uas_datalink(packet).timestamp_us
        except KlvError:
            stamp = None
        # Packets of other sets belong to the time of the one before.
        last = stamp or last
        yield Record(last, packet)


def read_records(path: str | os.PathLike[str], columns: ColumnMap | None = None) -> Iterator[Record]:
    """The telemetry of a file, as KLV packets with times.

    Args:
        path: `.csv` or `.tsv` with a header line, `.json` (a list of objects, or one a line), or `.klv`
            (packets behind each other, taken as they are).
        columns: names of columns and the field of `UasDatalinkLs` each goes to, beside those that are known.

    Raises:
        ValueError: nothing in the file is known, or it is cut off.
        KlvEncodeError: a value that its item cannot carry.
    """
    name = os.fspath(path)
    kind = os.path.splitext(name)[1].lower()
    if kind in (".klv", ".bin"):
        return _read_klv(name)
    rows = _rows_of_json(name) if kind in (".json", ".jsonl", ".ndjson") else _rows_of_csv(name)
    return _records_of_rows(rows, columns)


def _records_of_rows(rows: Iterator[dict[str, Any]], columns: ColumnMap | None) -> Iterator[Record]:
    table: Table | None = None
    epoch: int | None = None
    elapsed_at_epoch = 0.0
    for row in rows:
        if table is None:
            table = Table([c for c in row if c], columns)
        values = fields_of_row(table.values(row))
        stamp = values.get("timestamp_us")
        absolute = True
        if stamp is not None:
            stamp = scaled(float(stamp)) if stamp < 1e14 or stamp >= 1e17 else int(stamp)
        else:
            passed = _number(row.get(table.elapsed[0])) if table.elapsed else None
            date = table.date_of(row)
            if passed is not None and table.elapsed is not None:
                passed *= table.elapsed[1]
                if epoch is None and date:
                    epoch, elapsed_at_epoch = date_us(date), passed
                stamp = int((epoch or 0) + passed - elapsed_at_epoch)
                absolute = epoch is not None
            elif date:
                stamp = date_us(date)
            else:
                raise ValueError("a row without a time: the table has no column for it that is known")
        if len(values) == 0:
            continue
        values["timestamp_us"] = stamp
        values.setdefault("uas_ls_version", VERSION)
        filming = None
        if table.filming is not None:
            filming = str(row.get(table.filming) or "").strip().lower() in ("1", "true", "yes", "recording")
        try:
            yield Record(stamp, encode_uas_fields(values), absolute, filming)
        except KlvEncodeError as e:
            e.args = (f"record at {stamp} us: {e}",)
            raise


def _number(raw: Any) -> float | None:
    try:
        return float(raw)
    except (TypeError, ValueError):
        return None
