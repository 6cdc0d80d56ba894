"""``tstrans watch``: the events of a live stream as they come."""

from __future__ import annotations

import argparse
import json

from .._native.mpegts_lib import Feeder
from . import COMMANDS
from ._common import Columns
from ._endpoints import SCHEMES, open_source
from ._event_text import HEADER, RIGHT, event_json, event_name, event_row
from ._scan import NAMES

__all__ = ["add_parser", "run"]

#: Of packets kept of streams that no table has named yet, in bytes.
_HOLD = 4 << 20


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "watch",
        help=COMMANDS["watch"],
        description="List the events of a live transport stream as they come, until Ctrl-C.",
        epilog=SCHEMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("source", metavar="URL", help="where the stream comes from")
    p.add_argument("-n", "--limit", type=int, metavar="N", help="stop after N events")
    p.add_argument(
        "--event", choices=NAMES[1:], action="append", help="only this kind of event; may be repeated"
    )
    p.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Watch."""
    columns = Columns(HEADER, RIGHT, indent="", drop=False)
    source = open_source(args.source)
    feeder = Feeder(None, hold=_HOLD)
    number = shown = 0
    with source.held:
        try:
            while args.limit is None or shown < args.limit:
                data, fresh = source.read()
                if fresh:
                    feeder.close()
                    feeder = Feeder(None, hold=_HOLD)
                    print(
                        json.dumps({"event": "reconnect_discontinuity"}) if args.json else "--- a new link",
                        flush=True,
                    )
                if data:
                    feeder.feed(data)
                elif not fresh:
                    feeder.flush()
                while feeder.pending and (batch := feeder.read()) is not None:
                    for event in batch.events():
                        if (args.event is None or event_name(event) in args.event) and shown != args.limit:
                            shown += 1
                            text = (
                                json.dumps({"schema": "tstrans.event/1", **event_json(number, event, False)})
                                if args.json
                                else columns.lines([event_row(number, event)])
                            )
                            print(text, flush=True)
                        number += 1
                if not data and not fresh:
                    break
        except KeyboardInterrupt:
            pass
        finally:
            feeder.close()
    return 0
