"""What the DataFrame adapters share: the lazy import, and columns the way pandas infers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["choices", "gapped", "need_numpy", "need_pandas", "need_pyarrow", "none_column", "pts_index"]

_ADVICE = "require the [pandas] extra. Install: pip install 'tstrans[pandas]'"


def need_pandas() -> tuple[Any, Any]:
    """(pandas, numpy), or the ImportError that names the extra."""
    try:
        import numpy
        import pandas
    except ImportError as e:
        raise ImportError(f"tstrans pandas adapters {_ADVICE}") from e
    return pandas, numpy


def need_numpy() -> Any:
    """NumPy, or the ImportError that names the extra that brings it."""
    try:
        import numpy
    except ImportError as e:
        raise ImportError(f"tstrans columns {_ADVICE}") from e
    return numpy


def need_pyarrow() -> Any:
    """pyarrow, or an ImportError that says what it is for."""
    try:
        import pyarrow
    except ImportError as e:
        raise ImportError("Parquet and Arrow need pyarrow. Install: pip install pyarrow") from e
    return pyarrow


def none_column(size: int | tuple[int, int]) -> NDArray[Any]:
    """A column, or several, without any value."""
    _, np = need_pandas()
    return np.empty(size, object)  # type: ignore[no-any-return]  # NumPy fills objects with None


def gapped(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Numbers as pandas infers a list with None in it: as they are, or float64 with NaN, or object."""
    _, np = need_pandas()
    if known.all():
        return values
    if not known.any():
        return none_column(len(values))
    out = values.astype(np.float64)
    out[~known] = np.nan
    return out


def choices(names: Sequence[object], codes: NDArray[np.integer[Any]]) -> Any:
    """A column of few distinct values: ``names[code]``, missing for -1, in the dtype that pandas infers.

    Converting each distinct value once is what makes text columns cheap.
    """
    pd, np = need_pandas()
    shifted = codes.astype(np.intp) + 1
    counts = np.bincount(shifted, minlength=len(names) + 1)
    used = np.flatnonzero(counts) - 1
    if not len(used) or used[-1] < 0:
        return none_column(len(codes))
    gaps = bool(used[0] < 0)
    kinds = {type(names[i]) for i in used.tolist() if i >= 0}
    if kinds == {str}:
        few = pd.Series([names[i] if i >= 0 else None for i in used.tolist()])
        if few.dtype != object:
            # From code + 1 to the place among the used ones.
            return few.array.take((np.cumsum(counts != 0) - 1)[shifted])
    if not gaps and (kinds == {int} or kinds == {bool}):
        # Names of another kind, which no code means here, would make text of all.
        (kind,) = kinds
        return np.array([n if isinstance(n, kind) else kind() for n in names])[codes]
    table = np.empty(len(names) + 1, object)  # the last place stays None, for -1
    table[:-1] = names
    return table[codes]


def pts_index(us: NDArray[Any], known: NDArray[np.bool_]) -> Any:
    """The index of a frame of records: their own time in us, in UTC as pandas has no other zone to offer.

    None where no record has a time. What a datetime64 cannot hold is NaT.
    """
    pd, np = need_pandas()
    if not known.any():
        return None
    known = known & (us < 1 << 62)
    stamps = np.where(known, us, 0).astype(np.int64).view("M8[us]")
    stamps[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps, name="pts").tz_localize("UTC")
