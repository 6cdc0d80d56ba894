"""DataFrames of records, events and codec units. pandas and NumPy are imported at the first call, not before.

>>> from tstrans.pandas import read_klv  # doctest: +SKIP
>>> df = read_klv("flight.ts")  # doctest: +SKIP
>>> df.plot(x="sensor_lon_deg", y="sensor_lat_deg")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from ._klv_table import KlvTable as KlvTable
    from .io._read import Source
    from .mpegts import DemuxerConfig

__all__ = [
    "KlvTable",
    "audio_frames_to_dataframe",
    "events_to_dataframe",
    "klv_to_dataframe",
    "nals_to_dataframe",
    "obus_to_dataframe",
    "read_klv",
    "read_klv_table",
]


def __getattr__(name: str) -> object:
    if name == "KlvTable":
        from ._klv_table import KlvTable

        return KlvTable
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def klv_to_dataframe(records: Iterable[Any], *, mode: str = "summary") -> DataFrame:
    """A row a record: ``UasDatalinkLs``, ``SecurityLs``, ``PrecisionTimeStampPack`` or ``VmtiLs``.

    All fields are columns, in order; ``field_errors`` is text, enumerations of ``SecurityLs`` are names.
    Where records have a time, it is the index ``pts``; what a timestamp cannot hold is NaT. It is MISP
    time, which runs ahead of UTC by the leap seconds; pandas has no other zone to say so with.

    Args:
        records: records of one class.
        mode: for ``VmtiLs``: ``summary``, a row a record, or ``targets``, a row a target.

    Raises:
        ValueError: another mode.
        TypeError: records of several classes, or of one that is not supported.
    """
    if mode not in ("summary", "targets"):
        raise ValueError(f"mode must be 'summary' or 'targets'; got {mode!r}")
    from ._pandas_klv import klv_frame

    return klv_frame(records, mode == "targets")  # type: ignore[no-any-return]


def read_klv(
    source: Source | Iterable[bytes],
    *,
    columns: Sequence[str] | None = None,
    pid: int | None = None,
    strict: bool = False,
    skip_malformed: bool = False,
    config: DemuxerConfig | None = None,
) -> DataFrame:
    """The ST 0601 records of a stream as a DataFrame, without an object a record.

    Index and columns are those of :func:`klv_to_dataframe`, for the fields that any record has, except that
    enumerations are names. Behind them come ``stream_pid``, ``stream_pts_90k`` (missing where the PES had
    no PTS, as with asynchronous KLV) and ``stream_synchronous``. ``attrs["tstrans"]`` gives item, unit and
    datum of each column.

    Args:
        source: a path, a binary file or the bytes of a transport stream or of bare KLV; or packets.
        columns: these fields only, whether they have values or not.
        pid: records of this PID only.
        strict: decode strictly.
        skip_malformed: leave out, and count in ``attrs``, what cannot be decoded; else it ends the call.
        config: as for ``parse_file``.

    Raises:
        KlvError: a malformed record.
        OSError: the file cannot be read.
    """
    table = read_klv_table(source, pid=pid, strict=strict, skip_malformed=skip_malformed, config=config)
    return table.to_pandas(columns)  # type: ignore[no-any-return]


def read_klv_table(
    source: Source | Iterable[bytes],
    *,
    pid: int | None = None,
    strict: bool = False,
    skip_malformed: bool = False,
    config: DemuxerConfig | None = None,
) -> KlvTable:
    """As :func:`read_klv`, as NumPy columns: needs NumPy only, and gives Arrow to whoever takes it."""
    from ._klv_read import table_of_file, table_of_packets

    plain = isinstance(source, (str, bytes, bytearray, memoryview))
    if not plain and not hasattr(source, "read") and not hasattr(source, "__fspath__"):
        return table_of_packets(source, strict=strict, skip_malformed=skip_malformed)  # type: ignore[arg-type]
    return table_of_file(source, pid=pid, strict=strict, skip_malformed=skip_malformed, config=config)  # type: ignore[arg-type]


def events_to_dataframe(events: Iterable[Any]) -> DataFrame:
    """A row an event; always the same 13 columns, payloads never among them.

    ``kind``, ``pts_raw`` (90 kHz), ``pts_ms``, ``dts_ms``, ``pid``, ``stream_type``, ``codec``,
    ``payload_len`` (bytes), ``nal_count`` and ``random_access`` (video), ``has_codec_parse_error`` (always
    None), ``issue`` and ``issue_kind`` (non-conformities).

    Args:
        events: what ``parse_file``, a demuxer or a receiver gives; other objects become rows with their
            class's name as ``kind``.
    """
    from ._pandas_events import events_frame

    return events_frame(events)  # type: ignore[no-any-return]


def nals_to_dataframe(nals: Iterable[Any], pts: float | None = None) -> DataFrame:
    """A row a NAL unit of H.264, H.265 or H.266: its header, the name of its type, the payload's length.

    Args:
        nals: ``NalUnit`` objects, as ``event.parse()`` gives.
        pts: a time in ms for the column ``pts_ms``, which is there only then.
    """
    from ._pandas_codec import nals_to_dataframe as build

    return build(nals, pts)


def obus_to_dataframe(obus: Iterable[Any], pts: float | None = None) -> DataFrame:
    """A row an AV1 OBU: its header, the name of its type, the payload's length.

    Args:
        obus: ``Obu`` objects, as ``event.parse()`` gives.
        pts: a time in ms for the column ``pts_ms``, which is there only then.
    """
    from ._pandas_codec import obus_to_dataframe as build

    return build(obus, pts)


def audio_frames_to_dataframe(frames: Iterable[Any]) -> DataFrame:
    """A row an audio frame: AAC (ADTS) or MPEG audio, lengths in bytes, rates in Hz.

    Args:
        frames: ``AdtsFrame`` or ``Mpeg2AudioFrame`` objects of one class.

    Raises:
        TypeError: frames of both classes, or other objects.
    """
    from ._pandas_codec import audio_frames_to_dataframe as build

    return build(frames)
