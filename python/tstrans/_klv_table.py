"""ST 0601 records as columns: from a file to NumPy without an object a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._klv_fields import FieldInfo, fields, notes, plain
from ._pandas_common import choices, gapped, need_numpy, need_pandas, need_pyarrow, none_column, pts_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: Values, and which of them are there.
    Column = tuple[NDArray[Any], NDArray[np.bool_]]

__all__ = ["KlvTable"]

#: Fields of which a record may have several: without any they are empty rather than None.
_TUPLES = frozenset({"control_commands", "sdcc_flps"})


class KlvTable(Mapping[str, Any]):
    """Records of MISB ST 0601 as NumPy columns: the fields that any record has, in the records' order.

    Numbers are float64 (NaN where absent), int64 or uint64 (0 where absent, see :meth:`valid`); text, bytes,
    enumerations (by name) and structured values are objects, None where absent. Behind the records' fields
    come ``stream_pid``, ``stream_pts_90k`` (90 kHz; absent where the PES had none, as with asynchronous KLV)
    and ``stream_synchronous``, if the records came out of a transport stream.

    A table is read by pandas (:meth:`to_pandas`), by pyarrow (:meth:`to_arrow`) and by whatever takes
    ``__arrow_c_stream__``: polars, DuckDB, GeoPandas. ``attrs`` says units, datums and items.
    """

    __slots__ = ("_columns", "_fields", "_names", "_parts", "_raw", "_stream", "rows", "skipped")

    def __init__(
        self,
        rows: int,
        skipped: int,
        raw: dict[str, Column],
        dictionaries: dict[str, Sequence[Any]],
        stream: dict[str, Column],
    ) -> None:
        #: Number of records.
        self.rows = rows
        #: Packets that could not be decoded and were left out.
        self.skipped = skipped
        self._fields = {n: info for n, info in fields().items() if n in raw}
        self._raw = raw
        self._parts = dictionaries
        self._stream = stream
        self._names = (*self._fields, *stream)
        self._columns: dict[str, Any] = {}

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
        column, valid = self._raw[name]
        if info.kind >= 3:
            column = _take(self.dictionary(name), column, () if name in _TUPLES else None)
        elif info.enum:
            column = _enum_names(info.enum, column, valid)
        self._columns[name] = column
        return column

    def raw(self, name: str) -> NDArray[Any]:
        """A field as the library fills it: numbers, or places in :meth:`dictionary`, -1 where absent."""
        return self._raw[name][0]

    def dictionary(self, name: str) -> Sequence[Any]:
        """The distinct values of a field of text, bytes or structures."""
        return _typed(self._fields[name], self._parts[name])

    def valid(self, name: str) -> NDArray[np.bool_]:
        """Which records have the field."""
        return (self._stream[name] if name in self._stream else self._raw[name])[1]

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


def _typed(info: FieldInfo, values: Sequence[Any]) -> Sequence[Any]:
    """Values of a dictionary as records have them."""
    if info.kind < 5:
        return values
    from .klv._packs import READ

    return list(map(READ[info.name], values))
