"""DataFrames of records, events and codec units. pandas and NumPy are imported at the first call, not before.

>>> from tstrans.pandas import read_klv                                  # doctest: +SKIP
>>> df = read_klv("flight.ts")                                           # doctest: +SKIP
>>> df[["sensor_lat_deg", "sensor_lon_deg"]].plot()                      # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "events_to_dataframe",
]


def events_to_dataframe(events: Iterable[Any]) -> DataFrame:
    """A row an event; always the same 13 columns, payloads never among them.

    ``kind``, ``pts_raw`` (90 kHz), ``pts_ms``, ``dts_ms``, ``pid``, ``stream_type``, ``codec``, ``payload_len``
    (bytes), ``nal_count`` and ``random_access`` (video), ``has_codec_parse_error`` (always None), ``issue`` and
    ``issue_kind`` (non-conformities).

    Args:
        events: what ``parse_file``, a demuxer or a receiver gives; other objects become rows with their
            class's name as ``kind``.
    """
    from ._pandas_events import events_frame

    return events_frame(events)
