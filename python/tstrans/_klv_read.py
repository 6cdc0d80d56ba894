"""ST 0601 records out of streams and packets, into tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._klv_fields import FieldInfo, fields
from ._klv_table import KlvTable
from ._native import klv_abi
from ._native.klv_lib import Table
from ._pandas_common import need_numpy
from .exceptions import KlvError, KlvErrorKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._klv_table import Column
    from .io._read import Source
    from .mpegts import DemuxerConfig
    from .mpegts._events import Batch

__all__ = [
    "bare_klv",
    "bare_klv_file",
    "split_packets",
    "table_of_batches",
    "table_of_file",
    "table_of_packets",
]

_PREFIX = bytes.fromhex("060e2b34020b01010e01030101")
_LABEL_SIZE = 16
_KLV = 5
_F_LAZY, _F_HAS_PTS = 1, 2
_SYNC = 1

#: Rows that the library holds before they are fetched: bounds what lies there beside the columns here.
_PIECE = 1 << 15


class _Filler:
    """Columns while they are filled, a piece at a time."""

    def __init__(self, strict: bool, skip: bool) -> None:
        self._table = Table()
        self._mode = klv_abi.TST_KLV_STRICT if strict else klv_abi.TST_KLV_LENIENT
        self._skip = skip
        self._skipped = 0
        self._in_table = 0
        self._pieces: list[tuple[int, dict[str, Column]]] = []
        # The distinct values of each field that is not a number, and their places.
        self._places: dict[str, dict[Any, int]] = {}

    def add(
        self, data: object, offsets: NDArray[np.uint64], lengths: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Decode packets; which of them became rows."""
        np = need_numpy()
        offsets, lengths = np.ascontiguousarray(offsets), np.ascontiguousarray(lengths)
        taken = np.zeros(len(offsets), np.uint8)
        if len(offsets):
            self._table.add(data, offsets, lengths, len(offsets), self._mode, self._skip, taken)
            self._in_table += len(offsets)
            if self._in_table >= _PIECE:
                self._fetch()
                self._table = Table()
        return taken.view(bool)  # type: ignore[no-any-return]

    def too_short(self, size: int) -> None:
        """A unit without a whole label."""
        if not self._skip:
            raise KlvError(
                kind=KlvErrorKind.BAD_UNIVERSAL_LABEL,
                message=f"a KLV unit has {size} bytes, a universal label has 16",
            )
        self._skipped += 1

    def _fetch(self) -> None:
        """Take what is in the library's table, and close it."""
        np = need_numpy()
        rows, skipped, present = self._table.info()
        infos = list(fields().values())
        columns: dict[str, Column] = {}
        for number, _ in present:
            info = infos[number]
            values, valid = np.empty(rows, _kind(info)), np.empty(rows, np.uint8)
            self._table.column(number, values, valid, rows)
            if info.kind >= 3:
                places = self._places.setdefault(info.name, {})
                table = [places.setdefault(v, len(places)) for v in self._table.dictionary(number)]
                values = np.array([*table, -1])[values]
            columns[info.name] = values, valid.view(bool)
        self._table.close()
        self._pieces.append((rows, columns))
        self._skipped += skipped
        self._in_table = 0

    def done(self, stream: dict[str, Column]) -> KlvTable:
        """The table of all pieces."""
        np = need_numpy()
        self._fetch()
        total = sum(rows for rows, _ in self._pieces)
        present = {n for _, columns in self._pieces for n in columns}
        raw: dict[str, Column] = {}
        for info in fields().values():
            if info.name in present:
                raw[info.name] = self._joined(info, total)
        parts: dict[str, Sequence[Any]] = {n: list(places) for n, places in self._places.items()}
        for name, (values, valid) in raw.items():
            if values.dtype == np.uint64 and not (values >> np.uint64(63)).any():
                raw[name] = values.view(np.int64), valid
        return KlvTable(total, self._skipped, raw, parts, stream)

    def _joined(self, info: FieldInfo, total: int) -> Column:
        """One column of all pieces, which give theirs away."""
        np = need_numpy()
        if len(self._pieces) == 1:
            return self._pieces[0][1].pop(info.name)
        none = np.nan if info.kind == 0 else 0 if info.kind < 3 else -1
        values, valid = np.full(total, none, _kind(info)), np.zeros(total, bool)
        at = 0
        for rows, columns in self._pieces:
            piece = columns.pop(info.name, None)
            if piece is not None:
                values[at : at + rows], valid[at : at + rows] = piece
            at += rows
        return values, valid


def _kind(info: FieldInfo) -> Any:
    np = need_numpy()
    return (np.float64, np.uint64, np.int64)[info.kind] if info.kind < 3 else np.int64


def table_of_batches(
    batches: Iterable[Batch],
    *,
    pids: Collection[int] | None = None,
    strict: bool = False,
    skip_malformed: bool = False,
) -> KlvTable:
    """The ST 0601 records in batches of events."""
    from ._pandas_events import record_dtype

    np = need_numpy()
    prefix = np.frombuffer(_PREFIX, np.uint8)
    filler = _Filler(strict, skip_malformed)
    kept: list[Any] = []
    for batch in batches:
        records = np.frombuffer(batch.byte, record_dtype())
        chosen = records["type"] == _KLV
        if pids is not None:
            chosen &= np.isin(records["pid"], list(pids))
        records = records[chosen]
        if not len(records):
            continue
        data: Any = batch.arena
        lazy = records["flags"] & _F_LAZY != 0
        offsets = records["payload"].astype(np.uint64)
        if lazy.any():
            # Large units stayed behind in the chunk of input.
            data, offsets = _gathered(batch, records, lazy)
        lengths = records["payload_len"].astype(np.uint64)
        whole = lengths >= _LABEL_SIZE
        if not whole.all():
            for size in lengths[~whole].tolist():
                filler.too_short(size)
            records, offsets, lengths = records[whole], offsets[whole], lengths[whole]
        labels = np.frombuffer(data, np.uint8)[offsets[:, None].astype(np.int64) + np.arange(_LABEL_SIZE)]
        family = (labels[:, : len(prefix)] == prefix).all(axis=1) & (labels[:, 15] == 0)
        if not family.all():
            records, offsets, lengths = records[family], offsets[family], lengths[family]
        taken = filler.add(data, offsets, lengths)
        kept.append(records if taken.all() else records[taken])
    all_kept = np.concatenate(kept) if kept else np.empty(0, record_dtype())
    timed = all_kept["flags"] & _F_HAS_PTS != 0
    there = np.ones(len(all_kept), bool)
    return filler.done(
        {
            "stream_pid": (all_kept["pid"].astype(np.int64), there),
            "stream_pts_90k": (np.where(timed, all_kept["pts"], 0), timed),
            "stream_synchronous": (all_kept["detail"] == _SYNC, there),
        }
    )


def _gathered(
    batch: Batch, records: NDArray[Any], lazy: NDArray[np.bool_]
) -> tuple[bytes, NDArray[np.uint64]]:
    """The payloads of records one behind the other, and where each begins."""
    np = need_numpy()
    pieces = []
    for at, size, behind in zip(
        records["payload"].tolist(), records["payload_len"].tolist(), lazy.tolist(), strict=True
    ):
        pieces.append(batch.chunk.gather(at, size) if behind else batch.arena[at : at + size])
    offsets = np.cumsum([0, *map(len, pieces)][:-1], dtype=np.uint64)
    return b"".join(pieces), offsets


def table_of_packets(
    packets: Iterable[Any], *, strict: bool = False, skip_malformed: bool = False
) -> KlvTable:
    """ST 0601 packets, each with its universal label; other sets are passed over."""
    np = need_numpy()
    filler = _Filler(strict, skip_malformed)
    some: list[bytes] = []

    def flush() -> None:
        lengths = np.fromiter(map(len, some), np.uint64, len(some))
        filler.add(b"".join(some), np.cumsum(lengths) - lengths, lengths)
        some.clear()

    for p in packets:
        packet = p if type(p) is bytes else bytes(memoryview(p))
        if len(packet) < _LABEL_SIZE:
            flush()  # what came before is told of first
            filler.too_short(len(packet))
        elif packet.startswith(_PREFIX) and packet[15] == 0:
            some.append(packet)
            if len(some) == 1024:
                flush()
    flush()
    return filler.done({})


def split_packets(data: bytes, *, skip_malformed: bool = False) -> Iterator[bytes]:
    """The packets of KLV without a transport around it: label, BER length and value, one behind the other."""
    at = 0
    while at < len(data):
        head = at + _LABEL_SIZE
        size = data[head] if head < len(data) else -1
        body = head + 1
        if size >= 0x80:
            body += size & 0x7F
            size = int.from_bytes(data[head + 1 : body], "big") if head + 1 < body <= len(data) else -1
        end = body + size
        if size < 0 or end > len(data):
            if not skip_malformed:
                raise KlvError(
                    kind=KlvErrorKind.TRUNCATED_SET, message=f"the packet at byte {at} reaches beyond the end"
                )
            return
        yield data[at:end]
        at = end


def table_of_file(
    source: Source,
    *,
    pid: int | None = None,
    strict: bool = False,
    skip_malformed: bool = False,
    config: DemuxerConfig | None = None,
) -> KlvTable:
    """The records of a transport stream, or of KLV without one (told by its first bytes)."""
    from .io._read import batches

    bare = bare_klv(source)
    if isinstance(bare, _Rest):
        source, bare = bare, None
    if bare is not None:
        packets = split_packets(bare, skip_malformed=skip_malformed)
        return table_of_packets(packets, strict=strict, skip_malformed=skip_malformed)
    pids = None if pid is None else (pid,)
    return table_of_batches(batches(source, config), pids=pids, strict=strict, skip_malformed=skip_malformed)


class _Rest:
    """A file whose first bytes were looked at."""

    def __init__(self, head: bytes, file: Any) -> None:
        self._head = head
        self._file = file

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or self._file.read(size)


def bare_klv(source: Any) -> bytes | _Rest | None:
    """The bytes of a source that begins with a KLV label; paths to FIFOs and devices are not looked into.

    Of a file object that holds something else, what stands for it from here on.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        head = bytes(source[:4])
        return bytes(source) if head == _PREFIX[:4] else None
    if hasattr(source, "read"):
        head = b""
        while len(head) < 4 and (more := source.read(4 - len(head))):
            head += more
        return head + source.read() if head == _PREFIX[:4] else _Rest(head, source)
    return bare_klv_file(source)


def bare_klv_file(path: str | os.PathLike[str]) -> bytes | None:
    """The bytes of a regular file that begins with a KLV label."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as f:
        head = f.read(4)
        return head + f.read() if head == _PREFIX[:4] else None
