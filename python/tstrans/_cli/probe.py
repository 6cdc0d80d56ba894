"""``tstrans probe``: what is in a transport stream."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from ..mpegts._config import DemuxerConfig
from ..mpegts._enums import StreamKindTag
from ..mpegts._values import ProgramMap, StreamInfo
from . import COMMANDS
from ._common import add_input, add_output, bold, input_batches, seconds, size, table
from ._event_text import HEADER, RIGHT, event_json, event_row
from ._scan import NAMES, Scan, StreamScan, language, set_name

__all__ = ["add_parser", "run"]


_HEADER = (
    *("PID", "type", "kind", "codec", "lang", "units", "bytes", "bit/s", "per s", "start", "duration"),
    "",
)
_RIGHT = ("units", "bytes", "bit/s", "per s", "start", "duration")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "probe",
        help=COMMANDS["probe"],
        description="Read a transport stream to its end and say what is in it.",
    )
    add_input(p)
    p.add_argument(
        "--first-events",
        type=int,
        default=5,
        metavar="N",
        help="list the first N events; default: %(default)s",
    )
    add_output(p)


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    scan = Scan(max(args.first_events, 0))
    stats: list[Any] = []
    # Unwrapped, so that a duration does not depend on where the clock stood.
    scan.run(input_batches(args.file, DemuxerConfig(unwrap_timestamps=True), quiet=args.quiet, stats=stats))
    counters = stats[0]
    length = os.stat(args.file).st_size if args.file != "-" else counters.bytes_total
    if args.format != "table":
        print(
            json.dumps(
                _document(args.file, scan, counters, length), indent=2 if args.format == "json" else None
            )
        )
    else:
        _print(args.file, scan, counters, length)
    if not scan.programs:
        if not args.quiet:
            sys.stdout.flush()
            print(f"tstrans: {args.file}: no program map found", file=sys.stderr)
        return 1
    return 0


def _rate(stream: StreamScan) -> float | None:
    return (stream.timed - 1) * 90000 / stream.span if stream.timed > 1 and stream.span else None


def _bits(stream: StreamScan) -> float | None:
    return stream.bytes * 8 * 90000 / stream.span if stream.timed > 1 and stream.span else None


def _print(file: str, scan: Scan, counters: Any, length: int) -> None:
    spans = [t for p in scan.programs.values() if (t := scan.span(p)) is not None]
    facts = [
        size(length),
        f"{counters.packets_total:,} packets",
        f"{len(scan.programs)} program{'' if len(scan.programs) == 1 else 's'}",
    ]
    if spans:
        facts.append(seconds(max(spans)))
    print(f"{bold('standard input' if file == '-' else file)}: {', '.join(facts)}")
    for program in scan.programs.values():
        _print_program(scan, program)
    counted = ", ".join(f"{scan.types[t]:,} {NAMES[t]}" for t in range(1, 10) if scan.types[t])
    print(f"\n{bold('Events')}: {scan.types.total():,}" + (f" ({counted})" if counted else ""))
    for title, found in (("Discontinuities", scan.discontinuities), ("Findings", scan.findings)):
        if found:
            print(f"\n{bold(title)}")
            rows = [(f"{n:,}", f"{pid:#06x}", what) for (pid, what), n in sorted(found.items())]
            print(table(("count", "PID", "what"), rows, ("count",)))
    if scan.first_events:
        print(f"\n{bold('First events')}")
        print(table(HEADER, [event_row(n, e) for n, e in scan.first_events], RIGHT))


def _print_program(scan: Scan, program: ProgramMap) -> None:
    versions = scan.versions[program.program_number]
    changed = f", {versions} versions of its map" if versions > 1 else ""
    print(
        f"\n{bold(f'Program {program.program_number}')} (PMT {program.pmt_pid:#06x}, "
        f"clock {program.pcr_pid:#06x}{changed})"
    )
    rows = []
    for info in program.streams:
        stream = scan.stream(info)
        rate, bits = _rate(stream), _bits(stream)
        rows.append(
            (
                f"{info.pid:#06x}",
                f"{info.stream_type:#04x}",
                info.kind.value,
                info.codec.name if info.codec else "",
                language(info),
                f"{stream.units:,}",
                size(stream.bytes),
                size(bits, "b") if bits else "",
                f"{rate:.2f}" if rate else "",
                seconds(stream.first),
                seconds(stream.span),
                _notes(program, info, stream),
            )
        )
    if rows:
        print(table(_HEADER, rows, _RIGHT))
    else:
        print("  no streams")


def _notes(program: ProgramMap, info: StreamInfo, stream: StreamScan) -> str:
    notes = []
    if info.kind is StreamKindTag.VIDEO and stream.keys:
        notes.append(f"{stream.keys:,} random access point{'' if stream.keys == 1 else 's'}")
    for label, n in stream.labels.most_common(3):
        notes.append(f"{n:,} x {set_name(label)}")
    for link in program.klv_links:
        if link.klv_pid == info.pid:
            notes.append(f"describes {link.video_pid:#06x} ({link.source.value})")
    return ", ".join(notes)


def _document(file: str, scan: Scan, counters: Any, length: int) -> dict[str, Any]:
    """The object of schema tstrans.probe/1. Fields are only ever added within a version."""
    return {
        "schema": "tstrans.probe/1",
        "file": file,
        "size_bytes": length,
        "bytes_read": counters.bytes_total,
        "packets": counters.packets_total,
        "programs": [_program_json(scan, p) for p in scan.programs.values()],
        "events": {NAMES[t]: scan.types[t] for t in range(1, 10)},
        "discontinuities": [
            {"pid": pid, "kind": kind, "count": n} for (pid, kind), n in sorted(scan.discontinuities.items())
        ],
        "non_conformant": [
            {"pid": pid, "kind": kind, "count": n} for (pid, kind), n in sorted(scan.findings.items())
        ],
        "first_events": [event_json(n, e) for n, e in scan.first_events],
    }


def _program_json(scan: Scan, program: ProgramMap) -> dict[str, Any]:
    return {
        "program_number": program.program_number,
        "pmt_pid": program.pmt_pid,
        "pcr_pid": program.pcr_pid,
        "map_versions": scan.versions[program.program_number],
        "duration_s": _in_seconds(scan.span(program)),
        "streams": [_stream_json(info, scan.stream(info)) for info in program.streams],
        "klv_links": [
            {"klv_pid": link.klv_pid, "video_pid": link.video_pid, "source": link.source.value}
            for link in program.klv_links
        ],
    }


def _stream_json(info: StreamInfo, stream: StreamScan) -> dict[str, Any]:
    rate, bits = _rate(stream), _bits(stream)
    return {
        "pid": info.pid,
        "stream_type": info.stream_type,
        "kind": info.kind.value,
        "codec": info.codec.value if info.codec else None,
        "language": language(info) or None,
        "descriptors": [{"tag": d.tag, "data": d.data.hex()} for d in info.raw_descriptors],
        "units": stream.units,
        "bytes": stream.bytes,
        "bits_per_s": None if bits is None else round(bits),
        "units_per_s": None if rate is None else round(rate, 3),
        "first_pts_90k": stream.first,
        "last_pts_90k": stream.last,
        "duration_s": _in_seconds(stream.span),
        "random_access_points": stream.keys,
        "klv_sets": {label.hex(): n for label, n in stream.labels.items()},
    }


def _in_seconds(ticks: int | None) -> float | None:
    return None if ticks is None else round(ticks / 90000, 6)
