"""KLV records in whatever form they come, read as NumPy columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._pandas_common import need_numpy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["Columns", "columns", "need_numpy"]

#: What ST 0601 lets a receiver assume: an item that did not change is repeated within this time, in us.
REFRESH_US = 30_000_000


class Columns:
    """The columns of a table of ST 0601 records, by field name; what is missing is None or NaN.

    ``table`` is anything that gives a column for a name: a DataFrame, a :class:`tstrans.pandas.KlvTable`, a
    dict of arrays. Its length counts.
    """

    __slots__ = ("_np", "_seen", "_table", "names", "size")

    def __init__(self, table: Any, names: Iterable[str], size: int) -> None:
        self._np = need_numpy()
        self._table = table
        self._seen: dict[str, Any] = {}
        #: Field names, in the table's order.
        self.names = [str(n) for n in names]
        #: Rows.
        self.size = size

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def objects(self, name: str, rows: slice = slice(None), digits: int | None = None) -> NDArray[Any]:
        """A column as Python objects, None where there is no value; floats rounded to ``digits``."""
        np = self._np
        if name not in self.names:
            return np.full(len(range(self.size)[rows]), None, object)  # type: ignore[no-any-return]
        column = self._table[name]
        got = (column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column))[rows]
        if got.dtype.kind == "f":
            gone = np.isnan(got)
            if digits is not None:  # numbers beyond 1e15 have no digits to round
                got = np.where(np.abs(got) < 1e15, np.round(np.clip(got, -1e15, 1e15), digits), got)
            out = got.astype(object)
        elif got.dtype != object:
            valid = self._valid(name)
            out, gone = got.astype(object), np.zeros(len(got), bool) if valid is None else ~valid[rows]
        else:
            out = got.copy()
            gone = np.fromiter((v is None or v != v for v in out), bool, len(out))
        if gone.any():
            out[gone] = None
        return out  # type: ignore[no-any-return]

    def filled(self, name: str) -> bool:
        """Whether any record has a value other than an empty structure."""
        np = self._np
        if name not in self.names:
            return False
        if isinstance(self._table, Mapping) and self._valid(name) is not None:
            return bool(self._valid(name).any())  # type: ignore[union-attr]
        got = np.asarray(self._table[name])
        if got.dtype.kind == "f":
            return not bool(np.isnan(got).all())
        return len(got) > 0 if got.dtype != object else any(v is not None and v == v and v != () for v in got)

    def floats(self, name: str) -> Floats:
        """A column of numbers, NaN where there is none. What is infinite is none, too."""
        np = self._np
        if name in self._seen:
            return self._seen[name]  # type: ignore[no-any-return]
        if name not in self.names:
            got = np.full(self.size, np.nan)
        else:
            column = self._table[name]
            if hasattr(column, "to_numpy") and getattr(column.dtype, "na_value", None) is not None:
                got = column.to_numpy(dtype=np.float64, na_value=np.nan)
            else:
                got = np.asarray(column)
                if got.dtype == object:
                    got = np.fromiter((np.nan if v is None else v for v in got), np.float64, len(got))
                got = got.astype(np.float64, copy=False)
            valid = self._valid(name)
            if valid is not None:
                got = np.where(valid, got, np.nan)
        if np.isinf(got).any():
            got = np.where(np.isinf(got), np.nan, got)
        self._seen[name] = got
        return got  # type: ignore[no-any-return]

    def integers(self, name: str) -> tuple[NDArray[np.int64], Flags]:
        """A column of integers and where it has values. Those beyond 63 bits count as absent."""
        np = self._np
        zero = np.zeros(self.size, np.int64)
        if name not in self.names:
            return zero, np.zeros(self.size, bool)
        column = self._table[name]
        got = np.asarray(column)
        kind = got.dtype.kind
        if kind in "iu":
            valid = self._valid(name)
            known = np.ones(self.size, bool) if valid is None else valid.copy()
            if kind == "u":
                known &= got < 1 << 63
                got = np.where(known, got, 0)
            return got.astype(np.int64), known
        if kind == "f":
            known = np.abs(got) < 2.0**63  # also drops NaN
            return np.where(known, got, 0).astype(np.int64), known
        flat = [
            v if isinstance(v, (int, float)) and v == v and abs(v) < 1 << 63 else None
            for v in self.objects(name)
        ]
        known = np.fromiter((v is not None for v in flat), bool, self.size)
        return np.fromiter((0 if v is None else int(v) for v in flat), np.int64, self.size), known

    def _valid(self, name: str) -> Flags | None:
        valid = getattr(self._table, "valid", None)
        return None if not callable(valid) else valid(name)

    def held(self, known: Flags, time_us: NDArray[np.int64], timed: Flags) -> NDArray[np.int64]:
        """For each row, the row that its value of a report-on-change item comes from, -1 for none.

        An item that stays as it is may be left out for up to 30 s (MISB ST 0601.19 §6); a value that was not
        repeated for longer no longer counts. Rows without a time hold whatever came last.
        """
        np = self._np
        rows = np.arange(self.size)
        last = np.maximum.accumulate(np.where(known, rows, -1)) if self.size else rows
        source = np.maximum(last, 0)
        age = time_us - time_us[source] if self.size else time_us
        late = timed & timed[source] & ((age > REFRESH_US) | (age < 0)) if self.size else timed
        return np.where(late, -1, last)  # type: ignore[no-any-return]


def _from_records(records: Iterable[Any]) -> Columns:
    from ..klv import UasDatalinkLs

    rows = list(records)
    for r in rows:
        if not isinstance(r, UasDatalinkLs):
            raise TypeError(f"expected UasDatalinkLs records, got {type(r).__name__}")
    table = {n: [getattr(r, n) for r in rows] for n in UasDatalinkLs.__match_args__}
    np = need_numpy()
    made: dict[str, Any] = {}
    for name, values in table.items():
        if any(v is not None for v in values):
            column = np.empty(len(rows), object)
            column[:] = values
            made[name] = column
    return Columns(made, made, len(rows))


def columns(source: Any) -> Columns:
    """A source of records as columns.

    Takes a path, the bytes of a transport stream or a binary file; a :class:`tstrans.pandas.KlvTable`; a
    DataFrame of ``klv_to_dataframe`` or ``read_klv``; anything with ``__arrow_c_stream__`` (polars, DuckDB,
    pyarrow); a dict of equally long columns; or an iterable of ``UasDatalinkLs``.
    """
    need_numpy()
    if isinstance(source, Columns):
        return source
    if isinstance(source, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(source, "read"):
        from ..pandas import read_klv_table

        source = read_klv_table(source)
    if hasattr(source, "columns") and hasattr(source, "dtypes"):  # pandas, and polars up to its own arrays
        if len(source.columns) == len(set(source.columns)):
            return Columns(source, source.columns, len(source))
        raise ValueError("the DataFrame has columns of the same name")
    if isinstance(source, Mapping) or hasattr(source, "valid"):
        names = list(source)
        sizes = {len(source[n]) for n in names}
        if len(sizes) > 1:
            raise ValueError(f"columns of different lengths: {sorted(sizes)}")
        return Columns(source, names, sizes.pop() if sizes else 0)
    if hasattr(source, "__arrow_c_stream__"):
        import pyarrow

        table = pyarrow.table(source)
        return Columns(
            {n: table[n].to_numpy(zero_copy_only=False) for n in table.column_names},
            table.column_names,
            len(table),
        )
    return _from_records(source)
