"""Records that came from the library, back to the blocks they are made of: columns without a look at a field.

A block (include/tstrans/klv.h) lists its fields, holds the numbers in 8-byte slots and the rest behind them.
Blocks with one list of fields are a table already: the slots of many are read as one array. What is not a
number changes seldom from record to record, so each distinct rest is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ._klv_fields import FieldInfo, fields
from ._pandas_common import choices, gapped, need_pandas, none_column, pts_index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["uas_frame"]

_HEADER = 32
_CHUNK = 4096
#: Distinct rests that are remembered; beyond, some may be read again.
_REMEMBERED = 4096
#: Frames with at least so many cells without any value let their empty columns share memory.
_SHARE_FROM = 1 << 16
#: Empty columns that are one piece.
_WIDTH = 8

_count_of = itemgetter(slice(4, 6))
_label_of = itemgetter(slice(16, _HEADER))


class _Numbers(NamedTuple):
    """One column of numbers, and where it has values."""

    values: NDArray[Any]
    known: NDArray[np.bool_]


class Blocks:
    """The columns of blocks. Those of floats that stand side by side in a record are rows of one array."""

    def __init__(self, blocks: Sequence[bytes]) -> None:
        self._np = np = need_pandas()[1]
        self.size = len(blocks)
        self.numbers: dict[str, _Numbers] = {}
        #: Everything that is not a number, once for each distinct rest, and which one each record has.
        self.rests: list[dict[str, Any]] = []
        self.rest_of = np.zeros(self.size, np.int64)
        self._seen: dict[bytes, dict[bytes, int]] = {}
        groups = _by_signature(blocks)
        infos = list(fields().values())
        self._allocate({infos[i].name for signature in groups for i in signature})
        for signature, rows in groups.items():
            columns = [infos[i] for i in signature]
            for k in range(0, len(rows), _CHUNK):
                self._take(columns, blocks, rows[k : k + _CHUNK])

    def _allocate(self, present: set[str]) -> None:
        np = self._np
        run: list[str] = []
        for name in [*_record_names(), ""]:
            info = fields().get(name)
            if info is not None and info.kind == 0 and name in present:
                run.append(name)
                continue
            if run:
                block = np.full((len(run), self.size), np.nan)
                for row, n in zip(block, run, strict=True):
                    self.numbers[n] = _Numbers(row, np.zeros(self.size, bool))
                run = []
            if info is not None and info.kind in (1, 2) and name in present:
                kind = np.uint64 if info.kind == 1 else np.int64
                self.numbers[name] = _Numbers(np.zeros(self.size, kind), np.zeros(self.size, bool))

    def _take(self, columns: list[FieldInfo], blocks: Sequence[bytes], rows: Sequence[int]) -> None:
        np = self._np
        numbers = [c for c in columns if c.kind < 3]
        begin = _HEADER + (len(columns) + 7) // 8 * 8
        end = begin + 8 * len(numbers)
        where: Any
        if rows[-1] - rows[0] + 1 == len(rows):
            where, chosen = slice(rows[0], rows[-1] + 1), blocks[rows[0] : rows[-1] + 1]
        else:
            where, chosen = np.array(rows), [blocks[i] for i in rows]
        slots = b"".join(map(itemgetter(slice(begin, end)), chosen))
        table = np.frombuffer(slots, np.uint64).reshape(len(rows), len(numbers))
        for k, info in enumerate(numbers):
            values, known = self.numbers[info.name]
            values[where] = table[:, k].view(values.dtype)
            known[where] = True
        self.rest_of[where] = self._rests(end, chosen)

    def _rests(self, begin: int, blocks: Sequence[bytes]) -> list[int]:
        """Which rest each block has. What lies behind a block's end are zeros."""
        from .klv._layout import fields_of

        out: list[int] = []
        signature = blocks[0][4:6] + blocks[0][_HEADER:begin]
        rest_of = itemgetter(slice(begin, None))
        for label, same in groupby(blocks, _label_of):
            run = list(same)
            seen = self._seen.setdefault(label + signature[: 2 + run[0][4]], {})
            if len(seen) > _REMEMBERED:
                seen.clear()
            keys = list(map(rest_of, run))
            for key, block in dict(zip(keys, run, strict=True)).items():
                if key not in seen:
                    seen[key] = len(self.rests)
                    made = fields_of(block)
                    self.rests.append({n: v for n, v in made.items() if n not in _numeric_names()})
            out += map(seen.__getitem__, keys)
        return out

    def column(self, name: str) -> Any:
        """A column as pandas takes it; None where no record has a value."""
        numbers = self.numbers.get(name)
        if numbers is not None:
            info = fields()[name]
            values, known = numbers
            if info.enum is not None:
                return _enumerated(info.enum, numbers)
            if info.kind == 0:
                return values
            if info.kind == 1 and not (values >> 63).any():
                values = values.view(self._np.int64)
            return gapped(values, known)
        if name in _numeric_names():
            return None
        rests: list[Any] = [r[name] for r in self.rests]
        if name == "field_errors":
            from ._pandas_klv import errors_text

            rests = list(map(errors_text, rests))
        if all(v is None for v in rests):
            return None
        return distinct(rests, self.rest_of)


def _by_signature(blocks: Sequence[bytes]) -> dict[bytes, Sequence[int]]:
    """The rows of each list of fields."""
    size = blocks[0][4]
    if len(set(map(_count_of, blocks))) == 1:
        signatures = set(map(itemgetter(slice(_HEADER, _HEADER + size)), blocks))
        if len(signatures) == 1:
            return {signatures.pop(): range(len(blocks))}
    rows: dict[bytes, Sequence[int]] = {}
    for i, b in enumerate(blocks):
        signature = b[_HEADER : _HEADER + b[4]]
        at = rows.get(signature)
        if at is None:
            rows[signature] = [i]
        else:
            at.append(i)  # type: ignore[attr-defined]
    return rows


@cache
def _record_names() -> tuple[str, ...]:
    from .klv import UasDatalinkLs

    return UasDatalinkLs.__match_args__


@cache
def _numeric_names() -> frozenset[str]:
    return frozenset(i.name for i in fields().values() if i.kind < 3)


def distinct(values: list[Any], codes: NDArray[np.int64]) -> Any:
    """A column of values that repeat. Equal text becomes one; other values stay the objects they are."""
    _, np = need_pandas()
    kinds = {type(v) for v in values}
    if kinds <= {str, type(None)}:
        numbers: dict[str, int] = {}
        code = [-1 if v is None else numbers.setdefault(v, len(numbers)) for v in values]
        return choices(list(numbers), np.array(code)[codes])
    if kinds == {int}:
        return np.array(values)[codes]
    table = np.empty(len(values), object)
    for i, v in enumerate(values):
        table[i] = v
    return table[codes]


def _enumerated(enum: str, numbers: _Numbers) -> Any:
    """A column of enumeration members; numbers without a member stay numbers."""
    _, np = need_pandas()
    from . import klv

    members = {m.value: m for m in getattr(klv, enum)}
    found, codes = np.unique(numbers.values, return_inverse=True)
    table = np.empty(len(found), object)
    for i, v in enumerate(found.tolist()):
        table[i] = members.get(v, v)
    out = table[codes]
    out[~numbers.known] = None
    return out


def uas_frame(blocks: Sequence[bytes]) -> Any:
    """The frame of ``klv_to_dataframe`` for the blocks of ``UasDatalinkLs`` records."""
    pd, _ = need_pandas()
    got = Blocks(blocks)
    index = None
    times = got.numbers.get("timestamp_us")
    if times is not None:
        index = pts_index(*times)
    if index is None:
        index = pd.RangeIndex(got.size)
    return assemble({name: got.column(name) for name in _record_names()}, index)


def assemble(columns: dict[str, Any], index: Any) -> Any:
    """A DataFrame of columns, where None stands for a column without values.

    Most columns are empty. In a large frame these share one piece of memory: since pandas 3 a piece
    that something else refers to is copied before it is written to, so nobody sees the difference.
    """
    pd, np = need_pandas()
    size = len(index)
    empty = sum(c is None for c in columns.values())
    if int(pd.__version__.partition(".")[0]) < 3 or size * empty < _SHARE_FROM:
        whole = {n: none_column(size) if c is None else c for n, c in columns.items()}
        return pd.DataFrame(whole, index=index)
    nothing = pd.DataFrame(none_column((_WIDTH, size)).T, index=index, copy=False)
    parts: list[Any] = []
    for kind, same in groupby(columns, lambda n: _kind(columns[n])):
        names = list(same)
        if kind == "none":
            for k in range(0, len(names), _WIDTH):
                few = names[k : k + _WIDTH]
                parts.append(nothing.iloc[:, : len(few)].set_axis(few, axis=1))
        elif kind == "float":
            # Rows of one array, unless the record class orders its fields otherwise than they were filled.
            whole_run = columns[names[0]].base
            if whole_run is None or whole_run.shape != (len(names), size):
                whole_run = np.stack([columns[n] for n in names])
            parts.append(pd.DataFrame(whole_run.T, index=index, columns=names, copy=False))
        else:
            parts.append(pd.DataFrame({n: columns[n] for n in names}, index=index, copy=False))
    return pd.concat(parts, axis=1)


def _kind(column: Any) -> str:
    if column is None:
        return "none"
    base = getattr(column, "base", None)
    return "float" if column.dtype == "float64" and base is not None and base.ndim == 2 else "other"
