"""``tstrans transmux``: rewrite a transport stream, with kinds of streams left out."""

from __future__ import annotations

import argparse
import os
import sys

from . import COMMANDS

__all__ = ["add_parser", "run"]

_KINDS = ("video", "audio", "klv", "subtitle", "unknown")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "transmux",
        help=COMMANDS["transmux"],
        description="Rewrite a transport stream: payloads, times and descriptors stay, packets are new.",
    )
    p.add_argument("file", metavar="FILE", help="the transport stream to read")
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the transport stream to write")
    p.add_argument(
        "--drop",
        action="append",
        default=[],
        choices=_KINDS,
        help="a kind of stream to leave out; may be repeated",
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite the output")
    p.add_argument("-q", "--quiet", action="store_true", help="say nothing")


def run(args: argparse.Namespace) -> int:
    """Rewrite the file."""
    from ..io import transmux
    from ..mpegts import StreamKindTag

    if os.path.exists(args.output) and not args.force:
        print(f"tstrans: {args.output} exists; --force overwrites it", file=sys.stderr)
        return 2
    if os.path.realpath(args.file) == os.path.realpath(args.output):
        print("tstrans: the output is the input", file=sys.stderr)
        return 2
    drop = []
    for kind in args.drop:
        if kind == "klv":
            drop += [StreamKindTag.KLV_SYNC, StreamKindTag.KLV_ASYNC]
        else:
            drop.append(StreamKindTag(kind))
    events = 0
    try:
        with transmux(args.file, args.output, drop=drop, atomic=True) as tx:
            for event in tx:
                tx.write(event)
                events += 1
    except ValueError as e:
        print(f"tstrans: error: {e}", file=sys.stderr)
        return 1
    if not os.path.exists(args.output):
        print(f"tstrans: error: {args.file} has no program", file=sys.stderr)
        return 1
    if not args.quiet:
        print(f"{args.output}: {events} events")
    return 0
