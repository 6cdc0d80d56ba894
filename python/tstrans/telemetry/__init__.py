"""Telemetry into video: tables of flight data become ST 0601 records, and records become a KLV stream.

`read_records` reads CSV, JSON and KLV files; column names of ArcGIS Full Motion Video, of DJI flight logs (as
AirData and the log converters export them) and of `UasDatalinkLs` itself are known. `add_klv` makes a file of
video and telemetry; `KlvInserter` does it live, fed by chunks of a stream and by records.
"""

from __future__ import annotations

from ._columns import ColumnMap, fields_of_row
from ._insert import KlvInserter
from ._mux import MuxReport, add_klv
from ._records import Record, read_records

__all__ = ["ColumnMap", "KlvInserter", "MuxReport", "Record", "add_klv", "fields_of_row", "read_records"]

for _c in (KlvInserter, MuxReport, Record):
    _c.__module__ = __name__
