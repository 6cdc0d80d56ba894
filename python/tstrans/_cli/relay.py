"""``tstrans relay``: any transport or file to any other."""

from __future__ import annotations

import argparse
import sys
from time import monotonic, sleep

from . import COMMANDS
from ._common import size
from ._endpoints import SCHEMES, Sink, Source, open_sink, open_source

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "relay",
        help=COMMANDS["relay"],
        description="Move a transport stream from one address to another. Broken SRT links are replaced.",
        epilog=SCHEMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("source", metavar="FROM", help="where the stream comes from")
    p.add_argument("sink", metavar="TO", help="where it goes")
    p.add_argument(
        "--rate", type=float, metavar="MBIT", help="send at most so many Mbit/s, for files to live links"
    )
    p.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    p.add_argument("-q", "--quiet", action="store_true", help="no statistics")


def run(args: argparse.Namespace) -> int:
    """Relay until the source ends, or Ctrl-C."""
    # The sink first: a source that is there already would have nowhere to go.
    sink = open_sink(args.sink)
    with sink.held:
        source = open_source(args.source)
        with source.held:
            _relay(args, source, sink)
    return 0


def _relay(args: argparse.Namespace, source: Source, sink: Sink) -> None:
    shows = not args.quiet
    begun = shown = monotonic()
    total = last = 0
    try:
        while True:
            data, fresh = source.read()
            if not data and not fresh:
                break
            sink.write(data)
            total += len(data)
            now = monotonic()
            if args.rate:
                ahead = total * 8 / (args.rate * 1e6) - (now - begun)
                if ahead > 0:
                    sleep(ahead)
            if shows and now - shown >= 1:
                _show(
                    source,
                    sink,
                    total,
                    (total - last) * 8 / (now - shown) / 1e6,
                    end="\r" if _live() else "\n",
                )
                shown, last = now, total
            if args.duration is not None and now - begun >= args.duration:
                break
    except KeyboardInterrupt:
        pass
    finally:
        if shows:
            _show(source, sink, total, total * 8 / max(monotonic() - begun, 1e-9) / 1e6, end="\n")


def _live() -> bool:
    return sys.stderr.isatty()


def _show(source: Source, sink: Sink, total: int, rate: float, end: str) -> None:
    notes = [n for n in (source.note(), sink.note()) if n]
    line = ", ".join([size(total), f"{rate:.2f} Mbit/s", *notes])
    print(f"{line:<78}" if _live() else line, end=end, file=sys.stderr, flush=True)
