"""``tstrans klv``: the ST 0601 records of a stream, as text or as a file for maps and tables."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..mpegts._config import DemuxerConfig
from . import COMMANDS
from ._common import Columns, add_input, input_batches

if TYPE_CHECKING:
    from .._klv_table import KlvTable
    from ._klv_text import Unit

__all__ = ["FORMATS", "add_parser", "run"]

FORMATS = ("table", "json", "jsonl", "csv", "parquet", "geojson", "cot")
_PARTS = ("track", "sensor", "frame_center", "footprint")

#: Rows gathered before the first are shown; they set the widths of the columns.
_BLOCK = 1000
#: Broken records that are named one by one.
_NAMED = 5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "klv",
        help=COMMANDS.get("klv"),
        description="The UAS datalink records (MISB ST 0601) of a transport stream or of bare KLV. "
        "csv, geojson and parquet need NumPy, parquet also pyarrow. A record that cannot be decoded is left "
        "out, named on stderr, and makes the exit code 1.",
    )
    add_input(p)
    p.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
    p.add_argument(
        "--json", dest="format", action="store_const", const="json", help="the same as --format json"
    )
    p.add_argument(
        "-o", "--output", metavar="OUT", default="-", help="a file; - (the default) is standard output"
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite OUT")
    p.add_argument(
        "--pid",
        type=lambda s: int(s, 0),
        action="append",
        metavar="PID",
        help="only this PID (0x101 or 257); may be repeated",
    )
    p.add_argument("--fields", metavar="A,B,...", help="only these fields, by name: sensor_lat_deg,...")
    p.add_argument(
        "-n", "--limit", type=int, metavar="N", help="table, json, jsonl, cot: stop after N records"
    )
    p.add_argument("--strict", action="store_true", help="take records only that obey the standard")
    p.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no remarks on stderr")
    maps = p.add_argument_group("maps")
    maps.add_argument(
        "--parts",
        metavar="A,B,...",
        default=",".join(_PARTS),
        help="geojson: which features; default: %(default)s",
    )
    maps.add_argument(
        "--every", type=int, default=1, metavar="N", help="geojson: one record of N; default: 1"
    )
    maps.add_argument(
        "--geometry",
        choices=_PARTS[1:],
        default="sensor",
        help="parquet: the primary geometry; default: %(default)s",
    )
    maps.add_argument(
        "--leap-seconds",
        type=int,
        metavar="S",
        help="MISP time is this much ahead of UTC, where the stream itself (item 136) does not say so",
    )
    maps.add_argument(
        "--interval",
        type=float,
        metavar="S",
        help="cot: least time between two events of a kind; default: 5 s",
    )


def run(args: argparse.Namespace) -> int:
    """Write the records in the form asked for."""
    from .._klv_fields import fields

    args.chosen = None if args.fields is None else [n.strip() for n in args.fields.split(",") if n.strip()]
    unknown = [n for n in args.chosen or () if n not in fields()]
    args.kinds = [n.strip() for n in args.parts.split(",") if n.strip()]
    if unknown:
        return _wrong(f"no field of ST 0601 has the name {', '.join(unknown)}")
    if not set(args.kinds) <= set(_PARTS):
        return _wrong(f"--parts takes {', '.join(_PARTS)}")
    if args.every < 1:
        return _wrong("--every must be at least 1")
    malformed: list[str] = []
    try:
        if args.format in ("csv", "geojson", "parquet"):
            _from_table(args, malformed)
        else:
            _from_records(args, malformed)
    except ImportError as e:
        print(f"tstrans klv: error: {e}", file=sys.stderr)
        return 1
    if malformed and not args.quiet:
        for line in malformed[:_NAMED]:
            print(f"tstrans klv: {line}", file=sys.stderr)
        if len(malformed) > _NAMED:
            print(f"tstrans klv: and {len(malformed) - _NAMED} more", file=sys.stderr)
    return 1 if malformed else 0


def _wrong(message: str) -> int:
    print(f"tstrans klv: error: {message}", file=sys.stderr)
    return 2


@contextmanager
def _output(args: argparse.Namespace, binary: bool = False) -> Iterator[Any]:
    """Where the result goes. A file appears under its name only when it is complete."""
    if args.output == "-":
        if binary and sys.stdout.isatty():
            raise OSError("parquet is not for terminals: give -o FILE")
        yield sys.stdout.buffer if binary else sys.stdout
        return
    if not args.force and os.path.exists(args.output):
        raise FileExistsError(f"{args.output} exists; --force overwrites it")
    part = f"{args.output}.part"
    try:
        with open(
            part,
            "wb" if binary else "w",
            encoding=None if binary else "utf-8",
            newline=None if binary else "",
        ) as f:
            yield f
        os.replace(part, args.output)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


# ---- record by record --------------------------------------------------------


def _units(args: argparse.Namespace) -> Iterator[Unit]:
    from .._klv_read import bare_klv_file, split_packets
    from ._klv_text import Unit, units_of_batches

    bare = None if args.file == "-" else bare_klv_file(args.file)
    if bare is not None:
        return (Unit(i, None, None, None, p) for i, p in enumerate(split_packets(bare)))
    quiet = args.quiet or (args.output == "-" and sys.stdout.isatty())
    return units_of_batches(input_batches(args.file, DemuxerConfig(), quiet=quiet), args.pid)


def _from_records(args: argparse.Namespace, malformed: list[str]) -> None:
    from ._klv_text import FIELDS, header, read_records, record_json, record_row

    records = read_records(_units(args), args.strict, malformed)
    if args.limit is not None:
        records = islice(records, max(args.limit, 0))
    with _output(args) as out:
        if args.format == "table":
            names = FIELDS if args.chosen is None else args.chosen
            numbers = [n for n in names if n != "platform_designation"]
            columns = Columns(header(names), ("#", "pts", *numbers), indent="", drop=args.chosen is None)
            while rows := [record_row(u, r, names) for u, r in islice(records, _BLOCK)]:
                out.write(columns.lines(rows) + "\n")
        elif args.format == "jsonl":
            for unit, record in records:
                about = {"schema": "tstrans.klv/1", **record_json(unit, record, args.chosen)}
                out.write(json.dumps(about, ensure_ascii=False) + "\n")
        elif args.format == "json":
            # Written piece by piece: the list may be longer than memory.
            out.write(f'{{"schema": "tstrans.klv_records/1", "file": {json.dumps(args.file)}, ')
            out.write('"time_scale": "MISP", "records": [')
            comma = "\n"
            for unit, record in records:
                out.write(comma + json.dumps(record_json(unit, record, args.chosen), ensure_ascii=False))
                comma = ",\n"
            out.write("\n]}\n")
        else:
            from ..geo import cot_events

            for event in cot_events((r for _, r in records), interval_s=args.interval):
                out.write(event + "\n")


# ---- whole tables --------------------------------------------------------------


def _read_table(args: argparse.Namespace, malformed: list[str]) -> KlvTable:
    from .._klv_read import bare_klv_file, split_packets, table_of_batches, table_of_packets

    bare = None if args.file == "-" else bare_klv_file(args.file)
    if bare is not None:
        table = table_of_packets(split_packets(bare), strict=args.strict, skip_malformed=True)
    else:
        batches = input_batches(args.file, DemuxerConfig(), quiet=args.quiet)
        table = table_of_batches(batches, pids=args.pid, strict=args.strict, skip_malformed=True)
    if table.skipped:
        malformed.append(f"{table.skipped} KLV units could not be decoded")
    return table


def _from_table(args: argparse.Namespace, malformed: list[str]) -> None:
    from .. import geo

    if args.format == "parquet":
        from .._pandas_common import need_pyarrow

        need_pyarrow()
    with _output(args, args.format == "parquet") as out:
        table = _read_table(args, malformed)
        if args.format == "csv":
            geo.write_csv(table, out, fields=args.chosen, leap_seconds=args.leap_seconds)
        elif args.format == "geojson":
            more = {} if args.chosen is None else {"properties": args.chosen}
            geo.write_geojson(
                table, out, parts=args.kinds, every=args.every, leap_seconds=args.leap_seconds, **more
            )
        else:
            geo.write_geoparquet(
                table, out, geometry=args.geometry, fields=args.chosen, leap_seconds=args.leap_seconds
            )
