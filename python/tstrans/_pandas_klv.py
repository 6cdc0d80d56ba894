"""Records of KLV as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from ._pandas_common import need_pandas, pts_index

__all__ = ["klv_frame"]


def klv_frame(records: Iterable[Any], targets: bool) -> Any:
    """See :func:`tstrans.pandas.klv_to_dataframe`."""
    pd, _ = need_pandas()
    rows = list(records)
    if not rows:
        return pd.DataFrame()
    classes = set(map(type, rows))
    if len(classes) > 1:
        names = sorted(c.__name__ for c in classes)
        raise TypeError(f"klv_to_dataframe requires homogeneous record types; got mixed {names}")
    from . import klv

    (cls,) = classes
    if cls is klv.UasDatalinkLs:
        return _uas(rows)
    if cls is klv.SecurityLs:
        return pd.DataFrame(_columns(cls, rows, _named))
    if cls is klv.PrecisionTimeStampPack:
        return _times(rows)
    if cls is klv.VmtiLs:
        return _targets(rows) if targets else _vmti(rows)
    raise TypeError(f"unsupported KLV record type: {cls.__name__}")


def _columns(cls: type, rows: Sequence[Any], convert: Any = None) -> dict[str, list[Any]]:
    """All fields of records by attributes."""
    out: dict[str, list[Any]] = {}
    for name in cls.__match_args__:  # type: ignore[attr-defined]
        values = map(attrgetter(name), rows)
        if name == "field_errors":
            values = map(errors_text, values)
        elif convert is not None:
            values = map(convert, values)
        out[name] = list(values)
    return out


def _named(v: Any) -> Any:
    return getattr(v, "name", v)


def errors_text(errors: Iterable[Any]) -> str:
    """Field errors as one line of text."""
    return " | ".join([f"tag{e.tag}:{e.kind.value}:{e.message}" for e in errors])


def _index(us: Sequence[int | None]) -> Any:
    _, np = need_pandas()
    known = np.fromiter((v is not None for v in us), bool, len(us))
    return pts_index(np.fromiter((v or 0 for v in us), np.uint64, len(us)), known)


_get_block = attrgetter("_block")


def _uas(rows: Sequence[Any]) -> Any:
    pd, _ = need_pandas()
    try:
        blocks = list(map(_get_block, rows))
    except AttributeError:
        pass  # a program made at least one of them
    else:
        from ._klv_blocks import uas_frame

        return uas_frame(blocks)
    columns = _columns(type(rows[0]), rows)
    return pd.DataFrame(columns, index=_index(columns["timestamp_us"]))


def _times(rows: Sequence[Any]) -> Any:
    pd, np = need_pandas()
    us = [r.timestamp_us for r in rows]
    raw = np.fromiter((r.time_status.raw for r in rows), np.int64, len(rows))
    return pd.DataFrame(
        {
            "timestamp_us": us,
            "is_locked": raw & 0x80 == 0,
            "has_discontinuity": raw & 0x40 != 0,
            "is_reverse_jump": raw & 0x20 != 0,
            "reserved_bits_valid": raw & 0x1F == 0x1F,
            "time_status_raw": raw,
        },
        index=_index(us),
    )


def _vmti(rows: Sequence[Any]) -> Any:
    pd, _ = need_pandas()
    columns = {}
    for name, values in _columns(type(rows[0]), rows).items():
        if name == "targets":
            columns["num_targets"] = list(map(len, values))
        else:
            columns[name] = values
    return pd.DataFrame(columns, index=_index(columns["precision_time_stamp"]))


def _targets(rows: Sequence[Any]) -> Any:
    pd, np = need_pandas()
    packs = [(r.precision_time_stamp, t) for r in rows for t in r.targets]
    if not packs:
        return pd.DataFrame()
    columns = _columns(type(packs[0][1]), [t for _, t in packs])
    ids = columns.pop("target_id")
    times = _index([us for us, _ in packs])
    if times is None:
        times = pd.DatetimeIndex(np.full(len(packs), np.datetime64("NaT", "us")), tz="UTC")
    index = pd.MultiIndex.from_arrays([times, ids], names=["pts", "target_id"])
    return pd.DataFrame(columns, index=index)
