"""What the subcommands share: options, input, tables, numbers, progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..mpegts import DemuxerConfig
    from ..mpegts._events import Batch

__all__ = [
    "Columns",
    "add_input",
    "add_output",
    "bold",
    "input_batches",
    "positive",
    "seconds",
    "size",
    "table",
    "with_progress",
]

#: Inputs below this are done before a progress bar could be drawn.
_PROGRESS_FROM = 256 << 20


def add_input(parser: argparse.ArgumentParser) -> None:
    """FILE."""
    parser.add_argument("file", metavar="FILE", help="a transport stream; - for standard input")


def add_output(parser: argparse.ArgumentParser, formats: Sequence[str] = ("table", "json", "jsonl")) -> None:
    """--format, --json, --quiet."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--format", choices=formats, default=formats[0], help="default: %(default)s")
    group.add_argument(
        "--json", dest="format", action="store_const", const="json", help="the same as --format json"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no remarks on stderr")


def input_batches(
    file: str, config: DemuxerConfig, *, quiet: bool, stats: list[Any] | None = None
) -> Iterator[Batch]:
    """The batches of FILE, with a progress bar where one helps."""
    from ..io._read import batches

    if file == "-":
        return batches(None, config, stats=stats, descriptor=0)
    total = os.stat(file).st_size
    got = batches(file, config, stats=stats)
    if quiet or total < _PROGRESS_FROM or not sys.stderr.isatty():
        return got
    return with_progress(got, total)


def with_progress(batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """Count the input bytes of batches on a bar on stderr, where tqdm is installed."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield from batches
        return
    done = 0
    with tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, leave=False, file=sys.stderr) as bar:
        for batch in batches:
            yield batch
            at = batch.quad[-2]  # position of the last record
            if at > done:
                bar.update(at - done)
                done = at


def positive(text: str) -> float:
    """An option that is a number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def seconds(ticks: int | None, unit: bool = True) -> str:
    """90 kHz ticks as "1.400 s"; longer times as "1:02:03.400"."""
    if ticks is None:
        return ""
    s = abs(ticks) / 90000
    sign = "-" if ticks < 0 else ""
    if s < 120:
        return f"{sign}{s:.3f}{' s' if unit else ''}"
    minutes, s = divmod(s, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{sign}{hours}:{minutes:02}:{s:06.3f}"


def size(n: float, unit: str = "B") -> str:
    """12345678 as "12.3 MB"."""
    if n < 1000:
        return f"{n:.0f} {unit}"
    for prefix in "kMGTP":
        n /= 1000
        if n < 999.5:
            return f"{n:.3g} {prefix}{unit}"
    return f"{n:.0f} E{unit}"


def bold(text: str) -> str:
    """Emphasised on a terminal, unless NO_COLOR is set."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\033[1m{text}\033[0m"
    return text


class Columns:
    """Columns lined up by the first rows that are shown; a wider cell later pushes its own row only.

    Columns in ``right`` are flush right. With ``drop``, columns that are empty in all of the first rows go.
    """

    def __init__(
        self, header: Sequence[str], right: Sequence[str] = (), indent: str = "  ", drop: bool = True
    ) -> None:
        self._header = header
        self._right = right
        self._indent = indent
        self._drop = drop
        self._widths: dict[int, int] = {}

    def lines(self, rows: Sequence[Sequence[str]]) -> str:
        """The rows as text, below the header when they are the first."""
        out = []
        if not self._widths:
            for i, name in enumerate(self._header):
                if not self._drop or any(r[i] for r in rows):
                    self._widths[i] = max(len(name), *(len(r[i]) for r in rows))
            out.append(bold(self._line(self._header)))
        out += [self._line(r) for r in rows]
        return "\n".join(out)

    def _line(self, row: Sequence[str]) -> str:
        cells = [
            row[i].rjust(width) if self._header[i] in self._right else row[i].ljust(width)
            for i, width in self._widths.items()
        ]
        return (self._indent + "  ".join(cells)).rstrip()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """A whole table, indented."""
    return Columns(header, right).lines(rows)
