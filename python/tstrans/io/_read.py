"""Events of a whole input."""

from __future__ import annotations

import os

from .._native.mpegts_lib import Feeder, Reader
from ..mpegts._config import DemuxerConfig
from ..mpegts._events import DemuxEvent
from ..mpegts._record import Batch, _set_state

__all__ = ["HOLD_BYTES", "batches", "event_batches", "parse_file"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol, TypeAlias

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes | None: ...

    #: What can be read: a path, an object with ``read``, or the bytes themselves.
    Source: TypeAlias = str | os.PathLike[str] | _Readable | bytes | bytearray | memoryview

#: Bytes of PES kept that come before their PMT, unless the configuration says otherwise.
HOLD_BYTES = 4 << 20

_PIECE = 64 << 10


def parse_file(path: Source, config: DemuxerConfig | None = None) -> Iterator[DemuxEvent]:
    """The events of a transport stream, in order, one at a time.

    Nothing is opened before the first event is asked for; leaving the loop closes the file. Memory stays
    bounded whatever the size of the input. A FIFO or a device is read as its data arrives.

    Args:
        path: a path, a binary file object, or the bytes themselves.
        config: limits and tolerances; PES before their PMT are held unless it says otherwise.

    Raises:
        OSError: the file cannot be opened or read.
        DemuxError: no sync, or a finding that the strict mode rejects; what the same 64 KiB of input held is
            not delivered.
    """
    set_state = _set_state
    for batch in event_batches(path, config):
        for event, state in batch.pairs():
            set_state(event, state)
            yield event


def event_batches(path: Source, config: DemuxerConfig | None) -> Iterator[Batch]:
    """The batches whose events :func:`parse_file` gives."""
    return batches(path, config, unmapped=True)


def batches(
    source: Source | None,
    config: DemuxerConfig | None,
    limit: int = 0,
    stats: list[Any] | None = None,
    descriptor: int = -1,
    unmapped: bool = False,
) -> Iterator[Batch]:
    """The batches of records of an input: of ``source``, or of an open ``descriptor`` where that is given.

    At most ``limit`` bytes are read, in whole pieces of 64 KiB. The counters at the end go into ``stats``.
    With ``unmapped``, PES of a damaged recording that no program map names come last, as unknown samples of
    program 0.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        from io import BytesIO

        source = BytesIO(source)
    if hasattr(source, "read"):
        yield from _fed(source, config, limit, stats, unmapped)  # type: ignore[arg-type]
        return
    where = descriptor if descriptor >= 0 else os.fspath(source)  # type: ignore[arg-type]
    reader = Reader(where, config, hold=HOLD_BYTES, limit=limit, unmapped=unmapped)
    try:
        yield from reader
        if stats is not None:
            stats.append(reader.stats())
    finally:
        reader.close()


def _fed(
    file: _Readable, config: DemuxerConfig | None, limit: int, stats: list[Any] | None, unmapped: bool
) -> Iterator[Batch]:
    feeder = Feeder(config, hold=HOLD_BYTES, unmapped=unmapped)
    taken = 0
    try:
        while piece := file.read(_PIECE):
            feeder.feed(piece)
            while batch := feeder.read():
                yield batch
            taken += len(piece)
            if limit and taken >= limit:
                break
        feeder.flush()
        while batch := feeder.read():
            yield batch
        if stats is not None:
            stats.append(feeder.stats())
    finally:
        feeder.close()
