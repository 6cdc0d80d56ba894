"""``tstrans events``: what the demuxer finds, event by event."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..mpegts._config import DemuxerConfig
from ..mpegts._events import DemuxEvent
from . import COMMANDS
from ._common import Columns, add_input, add_output, input_batches
from ._event_text import HEADER, RIGHT, event_json, event_name, event_row
from ._scan import NAMES

__all__ = ["add_parser", "run"]

#: Rows gathered before the first are shown; they set the widths of the columns.
_BLOCK = 1000


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "events",
        help=COMMANDS["events"],
        description="List the events of a transport stream, in order. JSON times are ticks of 1/90000 s.",
    )
    add_input(p)
    p.add_argument("-n", "--limit", type=int, metavar="N", help="stop after N events")
    p.add_argument(
        "--pid",
        type=lambda s: int(s, 0),
        action="append",
        metavar="PID",
        help="only this PID (0x101 or 257); may be repeated",
    )
    p.add_argument(
        "--event", choices=NAMES[1:], action="append", help="only this kind of event; may be repeated"
    )
    p.add_argument("--unwrap", action="store_true", help="let timestamps run on across the 33-bit wrap")
    p.add_argument("--digest", action="store_true", help="JSON: SHA-256 of each payload")
    add_output(p)


def run(args: argparse.Namespace) -> int:
    """List the events."""
    chosen = _chosen(args)
    if args.limit is not None:
        chosen = islice(chosen, max(args.limit, 0))
    if args.format == "table":
        _tables(chosen)
    elif args.format == "jsonl":
        for number, event in chosen:
            print(json.dumps({"schema": "tstrans.event/1", **event_json(number, event, args.digest)}))
    else:
        _document(args, chosen)
    return 0


def _chosen(args: argparse.Namespace) -> Iterator[tuple[int, DemuxEvent]]:
    number = 0
    for batch in input_batches(
        args.file, DemuxerConfig(unwrap_timestamps=args.unwrap), quiet=args.quiet or sys.stdout.isatty()
    ):
        for event in batch.events():
            stream: Any = getattr(event, "stream", None)
            if (args.pid is None or (stream is not None and stream.pid in args.pid)) and (
                args.event is None or event_name(event) in args.event
            ):
                yield number, event
            number += 1


def _tables(chosen: Iterator[tuple[int, DemuxEvent]]) -> None:
    columns = Columns(HEADER, RIGHT, indent="", drop=False)
    while rows := [event_row(n, e) for n, e in islice(chosen, _BLOCK)]:
        print(columns.lines(rows))


def _document(args: argparse.Namespace, chosen: Iterator[tuple[int, DemuxEvent]]) -> None:
    # Written piece by piece: the list may be longer than memory.
    out = sys.stdout
    out.write(f'{{"schema": "tstrans.events/1", "file": {json.dumps(args.file)}, "events": [')
    comma = "\n"
    for number, event in chosen:
        out.write(comma + json.dumps(event_json(number, event, args.digest)))
        comma = ",\n"
    out.write("\n]}\n")
