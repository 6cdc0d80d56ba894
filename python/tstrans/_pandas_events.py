"""Events as a DataFrame.

Events that the library delivered go back to the 64-byte records of their batches, a column at a time; only
what a record does not say (the units of a picture, an issue's text) is asked of the event itself. Events that
a program built are read by their attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ._pandas_common import choices, gapped, need_pandas
from .mpegts._events import _CODECS, _FINDINGS, _KINDS, DemuxEvent, _Record
from .mpegts._enums import NonConformantKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "events_frame", "record_dtype"]

COLUMNS = (
    "kind",
    "pts_raw",
    "pts_ms",
    "dts_ms",
    "pid",
    "stream_type",
    "codec",
    "payload_len",
    "nal_count",
    "random_access",
    "has_codec_parse_error",
    "issue",
    "issue_kind",
)

#: The ``kind`` column, by tst_record.type.
_NAMES = (
    "DemuxEvent",
    "ProgramMap",
    "Sample",
    "Sample",
    "Sample",
    "Metadata",
    "unknown_sample",
    "Discontinuity",
    "NonConformant",
    "ReconnectDiscontinuity",
)
_PROGRAM_MAP, _VIDEO, _AUDIO, _SUBTITLE, _KLV, _UNKNOWN, _DISCONTINUITY, _FINDING = range(1, 9)
_F_HAS_DTS, _F_RANDOM_ACCESS = 4, 8


@cache
def record_dtype() -> np.dtype[Any]:
    """``tst_record`` as NumPy sees it."""
    _, np = need_pandas()
    return np.dtype(  # type: ignore[no-any-return]
        {
            "names": [
                *("pts", "dts", "payload", "payload_len", "pid", "program", "stream_kind", "codec", "type"),
                *("detail", "flags", "position", "stream_type"),
            ],
            "formats": ["<i8", "<i8", "<u4", "<u4", "<u2", "<u2", "u1", "u1", "u1", "u1", "<u2", "<u8", "u1"],
            "offsets": [0, 8, 16, 20, 24, 26, 28, 29, 32, 33, 34, 48, 56],
            "itemsize": 64,
        }
    )


def events_frame(events: Iterable[Any]) -> Any:
    """See :func:`tstrans.pandas.events_to_dataframe`."""
    pd, _ = need_pandas()
    rows = list(events)
    got = _records_of(rows)
    if got is not None:
        return pd.DataFrame(_from_records(rows, got), columns=list(COLUMNS), copy=False)
    values: dict[str, list[Any]] = {n: [] for n in COLUMNS}
    for e in rows:
        for column, v in zip(values.values(), _row(e), strict=True):
            column.append(v)
    return pd.DataFrame(values, columns=list(COLUMNS))


_get_state = _Record.__dict__["_state"].__get__


def _records_of(rows: Sequence[Any]) -> NDArray[Any] | None:
    """The records of events, if the library delivered all of them."""
    _, np = need_pandas()
    if not rows:
        return None
    kinds = set(map(type, rows))
    if not all(issubclass(k, DemuxEvent) for k in kinds):
        return None
    at, batches, _ = zip(*map(_get_state, rows), strict=True)
    if None in at:
        return None
    place = np.fromiter(at, np.int64, len(rows)) >> 3
    # Runs of events from one batch; usually each batch is one.
    ids = np.fromiter(map(id, batches), np.uint64, len(rows))
    begin = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1, [len(rows)])).tolist()
    pieces = []
    dtype = record_dtype()
    for a, b in zip(begin, begin[1:], strict=False):
        pieces.append(np.frombuffer(batches[a].byte, dtype)[place[a:b]])
    return np.concatenate(pieces)  # type: ignore[no-any-return]


def _from_records(rows: Sequence[Any], r: NDArray[Any]) -> dict[str, Any]:
    _, np = need_pandas()
    kind = r["type"]
    timed = (kind >= _VIDEO) & (kind <= _UNKNOWN)
    streamed = timed | (kind == _DISCONTINUITY) | (kind == _FINDING)
    pts = r["pts"]
    decoded = timed & (kind != _KLV) & (r["flags"] & _F_HAS_DTS != 0)
    video = np.flatnonzero(kind == _VIDEO)
    found = np.flatnonzero(kind == _FINDING)
    nals, random_access = np.zeros(len(r), np.int64), None
    for i in video.tolist():
        nals[i] = len(rows[i].parse())
    is_video = kind == _VIDEO
    key = (r["flags"] & _F_RANDOM_ACCESS) != 0
    random_access = choices([False, True], np.where(is_video, key.astype(np.int8), -1))
    # Stream kinds by name, and behind them the stream_type numbers of unknown samples.
    types: list[object] = [*(k.name for k in _KINDS), *range(256)]
    type_codes = np.where(kind == _UNKNOWN, len(_KINDS) + r["stream_type"].astype(np.int16), r["stream_kind"])
    codecs = [c.name if c is not None else "" for c in _CODECS]
    has_codec = streamed & np.array([c is not None for c in _CODECS])[np.minimum(r["codec"], len(_CODECS) - 1)]
    issue = np.empty(len(r), object)
    for i in found.tolist():
        issue[i] = rows[i].issue
    kinds = [NonConformantKind.OTHER.name] * 256
    for number, k in _FINDINGS.items():
        kinds[number] = k.name
    return {
        "kind": choices(_NAMES, kind),
        "pts_raw": gapped(pts, timed),
        "pts_ms": gapped(_ms(pts), timed),
        "dts_ms": gapped(_ms(r["dts"]), decoded),
        "pid": gapped(r["pid"].astype(np.int64), streamed),
        "stream_type": choices(types, np.where(streamed, type_codes, -1)),
        "codec": choices(codecs, np.where(has_codec, r["codec"].astype(np.int16), -1)),
        "payload_len": gapped(r["payload_len"].astype(np.int64), timed),
        "nal_count": gapped(nals, is_video),
        "random_access": random_access,
        "has_codec_parse_error": np.empty(len(r), object),
        "issue": issue,
        "issue_kind": choices(kinds, np.where(kind == _FINDING, r["detail"].astype(np.int16), -1)),
    }


def _ms(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole milliseconds, truncated toward zero."""
    _, np = need_pandas()
    return np.where(ticks >= 0, ticks // 90, -(-ticks // 90))  # type: ignore[no-any-return]


_LABELS = {
    DemuxEvent.Video: "Sample",
    DemuxEvent.Audio: "Sample",
    DemuxEvent.Subtitle: "Sample",
    DemuxEvent.Klv: "Metadata",
    DemuxEvent.UnknownSample: "unknown_sample",
    DemuxEvent.ProgramMap: "ProgramMap",
    DemuxEvent.Discontinuity: "Discontinuity",
    DemuxEvent.NonConformant: "NonConformant",
    DemuxEvent.ReconnectDiscontinuity: "ReconnectDiscontinuity",
}


def _row(e: Any) -> tuple[Any, ...]:
    """One event by its attributes."""
    cls = type(e)
    label = _LABELS.get(cls)
    if label is None:
        return (cls.__name__.lstrip("_"), *(None,) * (len(COLUMNS) - 1))
    pts, dts, stream = (getattr(e, n, None) for n in ("pts", "dts", "stream"))
    codec = getattr(e, "codec", None) or (stream and stream.codec)
    unknown = cls is DemuxEvent.UnknownSample
    video = cls is DemuxEvent.Video
    finding = cls is DemuxEvent.NonConformant
    return (
        label,
        pts and pts.raw,
        pts and pts.ms,
        dts and dts.ms,
        stream and stream.pid,
        e.stream_type if unknown else stream and stream.kind.name,
        codec and codec.name,
        getattr(e, "byte_len", None),
        len(e.parse()) if video else None,
        e.random_access_indicator if video else None,
        None,
        e.issue if finding else None,
        e.kind.name if finding else None,
    )
