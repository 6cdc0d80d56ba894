"""Events as a DataFrame.

Events that the library delivered go back to the 64-byte records of their batches, a column at a time; only
what a record does not say (the units of a picture, an issue's text) is asked of the event itself. Events that
a program built are read by their attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from inspect import GEN_CREATED, getgeneratorstate
from itertools import islice
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple

from ._pandas_common import choices, gapped, need_pandas
from .io._read import event_batches, parse_file
from .mpegts._enums import NonConformantKind
from .mpegts._events import DemuxEvent
from .mpegts._record import _CODECS, _FINDINGS, _KINDS, CLASSES, Batch, _Record, _set_state

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
_F_LAZY, _F_HAS_DTS, _F_RANDOM_ACCESS = 1, 4, 8


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


#: Events looked at together. Few enough that the garbage collector does not take them for lasting.
_CHUNK = 512


def events_frame(events: Iterable[Any]) -> Any:
    """See :func:`tstrans.pandas.events_to_dataframe`."""
    pd, np = need_pandas()
    # What each chunk came to: records with what they do not say, or rows by attributes.
    parts: list[_Part | list[tuple[Any, ...]]] = []
    batches = _not_begun(events)
    if batches is not None:
        parts += map(_part_of_batch, batches)
    else:
        given = iter(events)
        while rows := list(islice(given, _CHUNK)):
            got = _records_of(rows)
            parts.append([_row(e) for e in rows] if got is None else _part(got, rows.__getitem__))
    names = list(COLUMNS)
    records = [p for p in parts if isinstance(p, _Part)]
    if len(records) < len(parts):
        lists: list[tuple[Any, ...]] = []
        for p in parts:
            lists += _rows(p) if isinstance(p, _Part) else p
        columns = [list(c) for c in zip(*lists, strict=True)]
        return pd.DataFrame(dict(zip(names, columns, strict=True)), columns=names)
    if not records:
        return pd.DataFrame(columns=names, dtype=object)
    whole = _Part(
        np.concatenate([p.words for p in records]),
        np.concatenate([p.nals for p in records]),
        np.concatenate([p.issues for p in records]),
    )
    return pd.DataFrame(_columns(whole), columns=names, copy=False)


def _not_begun(events: Any) -> Iterator[Batch] | None:
    """The batches behind a ``parse_file`` loop that nobody has begun: no event need be made of them."""
    if type(events) is not GeneratorType or events.gi_code is not parse_file.__code__:
        return None
    frame = events.gi_frame
    if frame is None or getgeneratorstate(events) != GEN_CREATED:
        return None
    path, config = frame.f_locals["path"], frame.f_locals["config"]
    events.close()
    return event_batches(path, config)


_get_state = _Record.__dict__["_state"].__get__
_EVENTS = frozenset(CLASSES)


class _Part(NamedTuple):
    """Events as records of 8 words each, and the two things that records do not say."""

    words: NDArray[np.int64]
    nals: NDArray[np.int64]
    issues: NDArray[Any]


def _records_of(rows: Sequence[Any]) -> NDArray[Any] | None:
    """The records of events, if the library delivered all of them."""
    _, np = need_pandas()
    if not _EVENTS.issuperset(map(type, rows)):
        return None
    at, batches, _ = zip(*map(_get_state, rows), strict=True)
    # A record is 8 words; whole rows of words are quicker to pick than structures.
    size = len(rows)
    try:
        place = np.fromiter(at, np.int64, size) >> 3
    except TypeError:  # None: a program made one of them
        return None
    out = np.empty((size, 8), np.int64)
    begin = 0
    while begin < size:
        batch = batches[begin]
        end = begin + batches.count(batch)
        if end > size or batches[begin:end].count(batch) != end - begin:  # not one run: take the first
            end = next((i for i in range(begin, size) if batches[i] is not batch), size)
        words = np.frombuffer(batch.byte, np.int64).reshape(-1, 8)
        words.take(place[begin:end], 0, out[begin:end], "clip")
        begin = end
    return out  # type: ignore[no-any-return]


def _part_of_batch(batch: Batch) -> _Part:
    """A whole batch."""
    _, np = need_pandas()

    def event(i: int) -> Any:
        made = object.__new__(CLASSES[batch.byte[64 * i + 32]])
        _set_state(made, (8 * i, batch, None))
        return made

    return _part(np.frombuffer(batch.byte, np.int64).reshape(-1, 8), event)


def _part(words: NDArray[np.int64], event: Callable[[int], Any]) -> _Part:
    """Records, and the events they are of."""
    _, np = need_pandas()
    nals, issues = np.zeros(len(words), np.int64), np.empty(len(words), object)
    kinds = words.view(record_dtype()).ravel()["type"]
    for i in np.flatnonzero(kinds == _VIDEO).tolist():
        nals[i] = _units(event(i))
    for i in np.flatnonzero(kinds == _FINDING).tolist():
        issues[i] = event(i).issue
    return _Part(words, nals, issues)


def _units(event: Any) -> int:
    """How many units a picture has."""
    at, batch, got = _get_state(event)
    if got is None and not batch.half[4 * at + 17] & _F_LAZY:
        # Not by the event, which would fetch all payloads of its batch.
        start = batch.word[2 * at + 4]
        raw = batch.arena[start : start + batch.word[2 * at + 5]]
        return len(_split()(raw, event.codec, carriage=event.av1_carriage)[0])
    return len(event.parse())


@cache
def _split() -> Any:
    from .codec import split_units

    return split_units


def _rows(part: _Part) -> Iterator[tuple[Any, ...]]:
    """Records as rows of Python values."""
    columns = [[None if v != v else v for v in c] for c in _columns(part).values()]
    return zip(*columns, strict=True)


def _columns(part: _Part) -> dict[str, Any]:
    _, np = need_pandas()
    words, nals, issues = part
    r = words.view(record_dtype()).ravel()
    kind, flags = r["type"], r["flags"]
    timed = (kind >= _VIDEO) & (kind <= _UNKNOWN)
    streamed = timed | (kind == _DISCONTINUITY) | (kind == _FINDING)
    decoded = timed & (kind != _KLV) & (flags & _F_HAS_DTS != 0)
    is_video = kind == _VIDEO
    key = np.where(is_video, (flags & _F_RANDOM_ACCESS != 0).astype(np.int8), -1)
    # Stream kinds by name, and behind them the stream_type numbers of unknown samples.
    types: list[object] = [*(k.name for k in _KINDS), *range(256)]
    type_codes = np.where(kind == _UNKNOWN, len(_KINDS) + r["stream_type"].astype(np.int16), r["stream_kind"])
    codecs = [c.name if c is not None else "" for c in _CODECS]
    coded = np.array([c is not None for c in _CODECS])[np.minimum(r["codec"], len(_CODECS) - 1)]
    kinds = [NonConformantKind.OTHER.name] * 256
    for number, k in _FINDINGS.items():
        kinds[number] = k.name
    pts = r["pts"]
    return {
        "kind": choices(_NAMES, kind),
        "pts_raw": gapped(pts, timed),
        "pts_ms": gapped(_ms(pts), timed),
        "dts_ms": gapped(_ms(r["dts"]), decoded) if decoded.any() else np.empty(len(r), object),
        "pid": gapped(r["pid"].astype(np.int64), streamed),
        "stream_type": choices(types, np.where(streamed, type_codes, -1)),
        "codec": choices(codecs, np.where(streamed & coded, r["codec"].astype(np.int16), -1)),
        "payload_len": gapped(r["payload_len"].astype(np.int64), timed),
        "nal_count": gapped(nals, is_video),
        "random_access": choices([False, True], key),
        "has_codec_parse_error": np.empty(len(r), object),
        "issue": issues,
        "issue_kind": choices(kinds, np.where(kind == _FINDING, r["detail"].astype(np.int16), -1)),
    }


def _ms(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole milliseconds, truncated toward zero."""
    _, np = need_pandas()
    if not len(ticks) or ticks.min() >= 0:
        return ticks // 90
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
