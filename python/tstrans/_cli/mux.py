"""``tstrans mux``: video and telemetry into one transport stream (STANAG 4609)."""

from __future__ import annotations

import argparse
import json
import os
import sys

from . import COMMANDS

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "mux",
        help=COMMANDS["mux"],
        description="Make a transport stream with KLV metadata (STANAG 4609) of video and telemetry.",
        epilog="Known columns: ArcGIS Full Motion Video, DJI flight logs (AirData, log converters), names "
        "of ST 0601 items, fields of UasDatalinkLs.",
    )
    p.add_argument("--video", required=True, metavar="FILE", help=".ts, .mp4, .mov, .h264 or .h265")
    p.add_argument("--klv", required=True, metavar="FILE", help="telemetry: .csv, .json or .klv")
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the transport stream to write")
    p.add_argument(
        "--carriage",
        choices=("sync", "async"),
        default="sync",
        help="metadata access units with a PTS, or private data without; default: %(default)s",
    )
    p.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=FIELD",
        help="a column of the table and the UasDatalinkLs field it is; may be repeated",
    )
    p.add_argument(
        "--start",
        metavar="TIME",
        help="time of the first picture: a date, or Unix seconds; default: where the log says that the "
        "camera recorded, else the first record",
    )
    p.add_argument(
        "--offset", type=float, default=0.0, metavar="S", help="seconds added to the time of each record"
    )
    p.add_argument(
        "--klv-pid", type=lambda v: int(v, 0), metavar="PID", help="default: the first that is free"
    )
    p.add_argument("--fps", metavar="N[/D]", help="frame rate of a raw stream that does not tell it")
    p.add_argument("-f", "--force", action="store_true", help="overwrite the output")
    p.add_argument("--json", action="store_true", help="say what was done as JSON")
    p.add_argument("-q", "--quiet", action="store_true", help="say nothing")


def _rate(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    num, _, den = text.partition("/")
    return int(num), int(den or 1)


def run(args: argparse.Namespace) -> int:
    """Make the file."""
    from ..telemetry import add_klv, read_records
    from ..telemetry._columns import date_us, scaled

    if os.path.exists(args.output) and not args.force:
        print(f"tstrans: {args.output} exists; --force overwrites it", file=sys.stderr)
        return 2
    columns = {}
    for pair in args.column:
        name, eq, field = pair.partition("=")
        if not eq:
            print(f"tstrans: --column wants NAME=FIELD, not {pair!r}", file=sys.stderr)
            return 2
        columns[name] = field
    start = None
    try:
        rate = _rate(args.fps)
        if args.start is not None:
            try:
                start = scaled(float(args.start))
            except ValueError:
                start = date_us(args.start)
        report = add_klv(
            args.video,
            read_records(args.klv, columns or None),
            args.output,
            synchronous=args.carriage == "sync",
            start_us=start,
            offset_us=round(args.offset * 1_000_000),
            klv_pid=args.klv_pid,
            fps=rate,
        )
    except ValueError as e:
        print(f"tstrans: error: {e}", file=sys.stderr)
        return 1
    if args.json:
        json.dump(
            {
                "schema": 1,
                "output": args.output,
                "pictures": report.pictures,
                "records": report.records,
                "records_outside": report.records_outside,
                "start_us": report.start_us,
                "bytes": report.bytes_written,
            },
            sys.stdout,
        )
        print()
    elif not args.quiet:
        left = f", {report.records_outside} outside the video left out" if report.records_outside else ""
        print(f"{args.output}: {report.pictures} pictures, {report.records} records{left}")
    return 0
