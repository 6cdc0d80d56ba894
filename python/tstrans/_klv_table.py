"""ST 0601 records as columns: from a file to NumPy without an object a record."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._klv_fields import FieldInfo, fields, notes, plain
from ._native import klv_abi
from ._native.klv_lib import Table
from ._pandas_common import choices, gapped, need_numpy, need_pandas, need_pyarrow, none_column, pts_index
from .exceptions import KlvError, KlvErrorKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .io._read import Source
    from .mpegts import DemuxerConfig
    from .mpegts._events import Batch

__all__ = [
    "KlvTable",
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

#: Fields of which a record may have several: without any they are empty rather than None.
_TUPLES = frozenset({"control_commands", "sdcc_flps"})

#: Columns of the transport, behind those of the records.
STREAM_COLUMNS = ("stream_pid", "stream_pts_90k", "stream_synchronous")


class KlvTable(Mapping[str, Any]):
    """Records of MISB ST 0601 as NumPy columns: the fields that any record has, in the records' order.

    Numbers are float64 (NaN where absent), int64 or uint64 (0 where absent, see :meth:`valid`); text, bytes,
    enumerations (by name) and structured values are objects, None where absent. Behind the records' fields
    come ``stream_pid``, ``stream_pts_90k`` (90 kHz; absent where the PES had none, as with asynchronous KLV)
    and ``stream_synchronous``, if the records came out of a transport stream.

    A table is read by pandas (:meth:`to_pandas`), by pyarrow (:meth:`to_arrow`) and by whatever takes
    ``__arrow_c_stream__``: polars, DuckDB, GeoPandas. ``attrs`` says units, datums and items.
    """

    __slots__ = ("_columns", "_fields", "_names", "_stream", "_table", "_valid", "rows", "skipped")

    def __init__(self, table: Table, stream: dict[str, tuple[NDArray[Any], NDArray[np.bool_]]]) -> None:
        self._table = table
        #: Number of records.
        self.rows: int
        #: Packets that could not be decoded and were left out.
        self.skipped: int
        self.rows, self.skipped, present = table.info()
        by_index = list(fields().values())
        self._fields = {by_index[i].name: by_index[i] for i, _ in present}
        self._stream = stream
        self._names = (*self._fields, *stream)
        self._columns: dict[str, Any] = {}
        self._valid: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._fields or name in self._stream

    def __repr__(self) -> str:
        return f"<KlvTable of {self.rows} records, {len(self)} columns>"

    def __getitem__(self, name: str) -> Any:
        column = self._columns.get(name)
        if column is not None:
            return column
        if name in self._stream:
            return self._stream[name][0]
        info = self._fields[name]
        raw = self.raw(name)
        if info.kind >= 3:
            column = _take(self.dictionary(name), raw, () if name in _TUPLES else None)
        elif info.enum:
            column = _enum_names(info.enum, raw, self._valid[name])
        else:
            column = raw
        self._columns[name] = column
        return column

    def raw(self, name: str) -> NDArray[Any]:
        """A field as the library fills it: numbers, or places in :meth:`dictionary`, -1 where absent."""
        np = need_numpy()
        info = self._fields[name]
        kind = (np.float64, np.uint64, np.int64)[info.kind] if info.kind < 3 else np.int64
        out, valid = np.empty(self.rows, kind), np.empty(self.rows, np.uint8)
        if self.rows:
            self._table.column(info.number, out, valid, self.rows)
        self._valid[name] = valid.view(bool)
        if info.kind == 1 and not (out >> np.uint64(63)).any():
            out = out.view(np.int64)
        return out  # type: ignore[no-any-return]

    def dictionary(self, name: str) -> Sequence[Any]:
        """The distinct values of a field of text, bytes or structures."""
        got: tuple[Any, ...] = self._table.dictionary(self._fields[name].number)
        return _typed(self._fields[name], got)

    def valid(self, name: str) -> NDArray[np.bool_]:
        """Which records have the field."""
        if name in self._stream:
            return self._stream[name][1]
        if name not in self._valid:
            self.raw(name)
        return self._valid[name]  # type: ignore[no-any-return]

    def info(self, name: str) -> FieldInfo | None:
        """Item, unit and datum of a column; None for those of the stream."""
        return self._fields.get(name)

    @property
    def attrs(self) -> dict[str, Any]:
        """What goes into ``DataFrame.attrs``: each column's item, unit and datum; the time scale."""
        return frame_attrs(self._fields, self.skipped)

    def to_pandas(self, columns: Sequence[str] | None = None) -> Any:
        """A DataFrame indexed as ``klv_to_dataframe`` does, of these columns or all that have a value."""
        need_pandas()
        names = self._names if columns is None else columns
        data = {}
        for name in names:
            if name in self:
                data[name] = self._for_pandas(name)
            elif name in fields():
                data[name] = none_column(self.rows)
            else:
                raise KeyError(f"no field {name!r} in ST 0601 records")
        index = None
        if "timestamp_us" in self._fields:
            index = pts_index(self["timestamp_us"], self.valid("timestamp_us"))
        frame = _frame(data, index, self.rows)
        frame.attrs = self.attrs
        return frame

    def _for_pandas(self, name: str) -> Any:
        if name in self._stream:
            return gapped(*self._stream[name])
        info = self._fields[name]
        if info.kind == 3:
            return choices(list(self.dictionary(name)), self.raw(name))
        column = self[name]
        if info.kind in (1, 2) and not info.enum:
            return gapped(column, self.valid(name))
        if info.kind == 0:
            return column
        return column

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``; item, unit and datum are in the fields' metadata, structures are JSON text."""
        pa = need_pyarrow()
        made = []
        for name in self._names:
            column = self._for_arrow(pa, name)
            made.append((pa.field(name, column.type, metadata=notes(self._fields.get(name))), column))
        schema = pa.schema([f for f, _ in made], metadata={"tstrans": json.dumps(self.attrs["tstrans"])})
        return pa.Table.from_arrays([c for _, c in made], schema=schema)

    def _for_arrow(self, pa: Any, name: str) -> Any:
        if name in self._stream:
            values, valid = self._stream[name]
            return pa.array(values, mask=~valid)
        info = self._fields[name]
        if info.kind < 3:
            if info.enum:
                return pa.array(self[name], pa.string())
            return pa.array(self[name], mask=~self.valid(name))
        codes = self.raw(name)
        few: Sequence[Any] = self.dictionary(name)
        if info.kind == 5:
            few = [json.dumps(plain(v)) for v in few]
        column = pa.array(few, pa.binary() if info.kind == 4 else pa.string())
        return column.take(pa.array(codes, mask=codes < 0))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def _frame(data: dict[str, Any], index: Any, rows: int) -> Any:
    """A DataFrame that holds the arrays as they are."""
    pd, _ = need_pandas()
    return pd.DataFrame(data, index=pd.RangeIndex(rows) if index is None else index, copy=False)


def frame_attrs(used: Iterable[str], skipped: int = 0) -> dict[str, Any]:
    """The ``attrs`` of a frame of records: plain values only, so that they survive Parquet."""
    table = fields()
    about = {}
    for name in used:
        info = table.get(name)
        if info is not None:
            about[name] = notes(info)
    return {"tstrans": {"schema_version": 1, "time_scale": "MISP", "skipped": skipped, "columns": about}}


def _take(values: Sequence[Any], codes: NDArray[Any], absent: Any) -> NDArray[Any]:
    np = need_numpy()
    table = np.empty(len(values) + 1, object)
    table[-1] = absent  # what -1 picks
    for i, v in enumerate(values):
        table[i] = v
    return table[codes]  # type: ignore[no-any-return]


def _enum_names(enum: str, numbers: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[Any]:
    """Enumerations by name; numbers that the standard does not name as text."""
    np = need_numpy()
    from . import klv

    names = {int(m.value): m.name for m in getattr(klv, enum)}
    distinct, code = np.unique(numbers, return_inverse=True)
    table = np.array([names.get(v, str(v)) for v in distinct.tolist()], object)
    out = table[code]
    out[~valid] = None
    return out  # type: ignore[no-any-return]


def _typed(info: FieldInfo, values: tuple[Any, ...]) -> Sequence[Any]:
    """Values of a dictionary as records have them."""
    if info.kind < 5:
        return values
    from .klv._packs import READ

    return list(map(READ[info.name], values))


# ---- filling ---------------------------------------------------------------


class _Filler:
    """A table while it is filled, and the transport's columns beside it."""

    def __init__(self, strict: bool, skip: bool) -> None:
        self.table = Table()
        self._mode = klv_abi.TST_KLV_STRICT if strict else klv_abi.TST_KLV_LENIENT
        self._skip = skip
        self.short = 0

    def add(
        self, data: object, offsets: NDArray[np.uint64], lengths: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Decode packets; which of them became rows."""
        np = need_numpy()
        offsets, lengths = np.ascontiguousarray(offsets), np.ascontiguousarray(lengths)
        taken = np.zeros(len(offsets), np.uint8)
        if len(offsets):
            self.table.add(data, offsets, lengths, len(offsets), self._mode, self._skip, taken)
        return taken.view(bool)  # type: ignore[no-any-return]

    def too_short(self, size: int) -> None:
        """A unit without a whole label."""
        if not self._skip:
            raise KlvError(
                kind=KlvErrorKind.BAD_UNIVERSAL_LABEL,
                message=f"a KLV unit has {size} bytes, a universal label has 16",
            )
        self.short += 1

    def done(self, stream: dict[str, tuple[Any, Any]]) -> KlvTable:
        made = KlvTable(self.table, stream)
        made.skipped += self.short
        return made


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
