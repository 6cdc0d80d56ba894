"""The ``tstrans`` command: one module a subcommand, loaded only when it is the one that runs.

A module has ``add_parser(subparsers)`` and ``run(args) -> int``. Exit codes: 0 fine, 1 a problem with the
input, 2 wrong usage, 130 interrupted, 141 the reader of our output went away.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__

__all__ = ["COMMANDS", "main"]

#: Subcommand, and its line in the overview. The module has the same name.
COMMANDS = {
    "probe": "what is in a transport stream: programs, streams, codecs, durations, KLV",
    "events": "list what the demuxer finds, event by event",
    "klv": "the ST 0601 records: as a table, JSON, CSV, GeoParquet, GeoJSON or Cursor on Target",
    "mux": "video and a file of telemetry into one transport stream (STANAG 4609)",
    "transmux": "rewrite a transport stream, with kinds of streams left out",
    "relay": "move a stream from any transport or file to any other, statistics live",
    "serve": "put a file or a live stream behind rtsp://",
    "view": "show a file or a live stream in the browser, with markers, telemetry and map",
    "watch": "list the events of a live stream as they come",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="tstrans", description="MPEG transport streams, KLV metadata and live transports."
    )
    parser.add_argument("--version", action="version", version=f"tstrans {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, line in COMMANDS.items():
        if name == wanted:
            import_module(f"{__name__}.{name}").add_parser(commands)
        else:
            commands.add_parser(name, help=line, add_help=False)
    try:
        args = parser.parse_args(arguments)
        code: int = import_module(f"{__name__}.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 2 if e.code else 0
    except BrokenPipeError:
        # Whoever read us has seen enough. What is still buffered must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except KeyboardInterrupt:
        return 130
    except Exception as e:
        from ..exceptions import TstError

        if not isinstance(e, (TstError, OSError)):
            raise
        print(f"tstrans: error: {e}", file=sys.stderr)
        return 1
