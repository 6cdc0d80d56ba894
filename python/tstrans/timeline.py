"""What lies on a live stream's time axis: markers, clocks, telemetry.

>>> with Timeline() as timeline:
...     marker = timeline.add(95.5, "landing")
...     [(m.time, m.text) for m in timeline.markers(after=90)]
[(95.5, 'landing')]

Three clocks meet on a stream, all in seconds: GEN, the capture time of the pictures; HLS, the stream's own
time, 0 at the first picture; CLIENT, a player's time, 0 at the start of the playlist it loaded first.
:class:`ClockMap` relates the first two, :class:`PlaylistOffset` the last two.

>>> PlaylistOffset(sequence=40, target=2.0).client(95.5)
15.5
"""

from __future__ import annotations

import enum
import json
import operator
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

from ._native import timeline_lib as lib
from ._value import Value
from .exceptions import TstError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "ClockMap",
    "Marker",
    "PlaylistOffset",
    "Reading",
    "TelemetryTrack",
    "Timeline",
    "TimelineError",
    "TimelineErrorKind",
    "TrackStats",
]

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class TimelineErrorKind(enum.IntEnum):
    """Why markers could not be kept or read."""

    INVALID = 0  #: a time, text or data that is none
    TOO_LARGE = 1  #: text of more than 4096 bytes, data of more than 16384
    FULL = 2  #: the disk is full, or an epoch holds a million markers
    STORE = 3  #: the database refused
    URL = 4  #: no database is meant
    CLOSED = 5
    TIMEOUT = 6


class TimelineError(TstError):
    """Markers could not be kept or read: see :attr:`kind`; :attr:`field` names what was wrong, or is ""."""

    def __init__(self, *, kind: TimelineErrorKind, message: str, field: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.field = field

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.kind, self.message, self.field)


def _rebuilt(kind: TimelineErrorKind, message: str, field: str) -> TimelineError:
    return TimelineError(kind=kind, message=message, field=field)


class Marker(Value):
    """A named moment of a stream. `time` is on the HLS clock, in seconds; `created_us` Unix time."""

    __slots__ = ("id", "epoch", "time", "text", "data", "created_us")

    id: int
    epoch: int
    time: float
    text: str
    data: JSON
    created_us: int

    def __init__(
        self, id: int, epoch: int, time: float, text: str, data: JSON = None, created_us: int = 0
    ) -> None:
        put = object.__setattr__
        put(self, "id", id)
        put(self, "epoch", epoch)
        put(self, "time", time)
        put(self, "text", text)
        put(self, "data", data)
        put(self, "created_us", created_us)


class _Closing:
    """`with`, and close."""

    __slots__ = ("_h",)
    _h: lib.Handle

    def close(self) -> None:
        """Give it back; repeating it does nothing."""
        self._h.close()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Timeline(_Closing):
    """The markers of one stream, in a database.

    `url` is a path or `sqlite:///path` for SQLite, `postgres://…` for PostgreSQL, "" for memory that ends
    with this object. Several processes may open one database, and one database serves several streams, by
    name. A stream that begins anew calls :meth:`begin`: markers of earlier epochs stay under theirs.

    Raises :class:`TimelineError`: URL, STORE.
    """

    __slots__ = ()
    _h: lib.Markers

    def __init__(self, url: str | os.PathLike[str] = "", *, stream: str = "live") -> None:
        with _translated():
            self._h = lib.Markers({"url": os.fspath(url), "stream": stream})

    def __enter__(self) -> Timeline:
        return self

    def begin(self) -> int:
        """Start a new epoch; its number."""
        with _translated():
            return self._h.begin()

    @property
    def epoch(self) -> int:
        """The current epoch as last seen."""
        with _translated():
            return self._h.state()[0]

    def add(self, time: SupportsFloat, text: str, data: JSON = None) -> Marker:
        """Set a marker at a stream time, in seconds; it is durable when this returns.

        `text` has at most 4096 bytes of UTF-8, `data` at most 16384 bytes as JSON. Raises
        :class:`TimelineError`: INVALID, TOO_LARGE, FULL, STORE.
        """
        at = float(time)
        body = None if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        with _translated():
            id, epoch, created = self._h.add(at, text, body)
        return Marker(id, epoch, at, text, data, created)

    def replace(self, markers: list[tuple[float, str]]) -> int:
        """Start a new epoch that holds these (time, text), in one step; its number."""
        with _translated():
            return self._h.replace(markers)

    def markers(
        self,
        *,
        after: float | None = None,
        since: float | None = None,
        until: float | None = None,
        after_id: int | None = None,
        epoch: int | None = None,
        limit: int | None = None,
    ) -> list[Marker]:
        """Markers in order of time.

        Later than `after`; not earlier than `since`, not later than `until` (seconds); with ids above
        `after_id`, then in order of ids. `epoch` None is the current one, -1 all. At most `limit`, or
        100,000.
        """
        query = {
            "after_s": None if after is None else float(after),
            "from_s": None if since is None else float(since),
            "until_s": None if until is None else float(until),
            "after_id": after_id,
            "epoch": epoch,
            "limit": limit,
        }
        with _translated():
            rows = self._h.query(query)
        return [
            Marker(i, e, t, text, None if data is None else json.loads(data), made)
            for i, e, t, text, data, made in rows
        ]

    def follow(self, after_id: int | None = None, timeout: float | None = None) -> Iterator[Marker]:
        """New markers of the stream as they come, from whatever process.

        Begins behind `after_id`, or with the next one. Ends when none came for `timeout` seconds.
        """
        with _translated():
            epoch, last = self._h.state()
        at = last if after_id is None else after_id
        while True:
            for m in self.markers(after_id=at, epoch=-1, limit=1000) if at < last else ():
                at = m.id
                yield m
            at = max(at, last)
            with _translated():
                news = self._h.wait(epoch, last, timeout)
            if news is None:
                return
            epoch, last = news


class _Translated:
    """Turns the errors of a call into those of this module."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: object) -> None:
        if value is None or not isinstance(value, Exception):
            return
        error = lib.timeline_error(value)
        if error is not None:
            name, message, field = error
            raise TimelineError(kind=TimelineErrorKind[name], message=message, field=field) from None


def _translated() -> _Translated:
    return _Translated()


class PlaylistOffset(Value):
    """Maps between HLS and CLIENT for segments of constant length, numbered from 0.

    `sequence` is the media sequence of the playlist that the player loaded first, `target` the length of a
    segment in seconds.
    """

    __slots__ = ("sequence", "target")

    sequence: int
    target: float

    def __init__(self, sequence: int, target: float) -> None:
        object.__setattr__(self, "sequence", sequence)
        object.__setattr__(self, "target", target)

    @property
    def seconds(self) -> float:
        """The distance of the two clocks."""
        return self.sequence * self.target

    def stream(self, client: float) -> float:
        """The HLS time of a CLIENT time."""
        return client + self.seconds

    def client(self, stream: float) -> float:
        """The CLIENT time of an HLS time."""
        return stream - self.seconds


class ClockMap(_Closing):
    """Relates the capture time of pictures (GEN) to the stream's time (HLS).

    An encoder takes pictures as equally spaced: whoever feeds it notes both times of each.

    >>> with ClockMap() as clocks:
    ...     for picture in range(100):  # one a second, shown at 25 a second
    ...         clocks.add(1000 + picture, picture / 25)
    ...     round(clocks.hls(1050), 6)
    2.0
    """

    __slots__ = ()
    _h: lib.Clock

    def __init__(self) -> None:
        self._h = lib.Clock()

    def __enter__(self) -> ClockMap:
        return self

    def add(self, gen: SupportsFloat, hls: SupportsFloat) -> None:
        """The picture captured at `gen` is shown at `hls`; both grow, else TimelineError: INVALID."""
        with _translated():
            self._h.add(float(gen), float(hls))

    def hls(self, gen: SupportsFloat) -> float | None:
        """The stream time of a capture time; None before the first picture was added."""
        with _translated():
            return self._h.hls(float(gen))

    def gen(self, hls: SupportsFloat) -> float | None:
        """The capture time of a stream time; None before the first picture was added."""
        with _translated():
            return self._h.gen(float(hls))


class Reading(Value):
    """One record of telemetry: 90 kHz ticks modulo 2^33, its bytes, and whether its time is the picture's."""

    __slots__ = ("pts", "data", "is_async")

    pts: int
    data: bytes
    is_async: bool

    def __init__(self, pts: int, data: bytes, is_async: bool = False) -> None:
        object.__setattr__(self, "pts", pts)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "is_async", is_async)


class TrackStats(Value):
    """Counters of a :class:`TelemetryTrack`."""

    __slots__ = ("records", "records_kept", "bytes_kept", "records_dropped", "records_refused", "faults")

    records: int
    records_kept: int
    bytes_kept: int
    records_dropped: int
    records_refused: int
    faults: int

    def __init__(
        self,
        records: int,
        records_kept: int,
        bytes_kept: int,
        records_dropped: int,
        records_refused: int,
        faults: int,
    ) -> None:
        put = object.__setattr__
        put(self, "records", records)
        put(self, "records_kept", records_kept)
        put(self, "bytes_kept", bytes_kept)
        put(self, "records_dropped", records_dropped)
        put(self, "records_refused", records_refused)
        put(self, "faults", faults)


class TelemetryTrack(_Closing):
    """Keeps the UAS Datalink records (MISB ST 0601) of a transport stream by presentation time.

    At most `max_bytes` of them; the oldest leave.
    """

    __slots__ = ()
    _h: lib.Records

    def __init__(self, max_bytes: SupportsIndex = 64 << 20) -> None:
        self._h = lib.Records({"max_bytes": operator.index(max_bytes)})

    def __enter__(self) -> TelemetryTrack:
        return self

    def push_ts(self, data: bytes | bytearray | memoryview) -> None:
        """Take a piece of the stream, of any length. Its faults are counted."""
        self._h.push_ts(data)

    def flush(self) -> None:
        """Take what a stream that ended left open."""
        self._h.flush()

    def range(self, pts: SupportsIndex, ticks: SupportsIndex, limit: SupportsIndex = 5000) -> list[Reading]:
        """The records from `pts` on for `ticks`, both in 1/90000 s, oldest first, at most `limit`."""
        rows = self._h.range(operator.index(pts), operator.index(ticks), operator.index(limit))
        return [Reading(*row) for row in rows]

    def stats(self) -> TrackStats:
        """The counters."""
        s = self._h.stats()
        return TrackStats(
            s.records_total,
            s.records_kept,
            s.bytes_kept,
            s.records_dropped_total,
            s.records_refused_total,
            s.faults_total,
        )
