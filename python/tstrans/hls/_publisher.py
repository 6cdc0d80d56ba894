"""Publishers of transport packets, and the server one can leave behind."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from .._native import hls_lib as lib
from .._native.hls_lib import LONGEST, failure, pin
from .._native.transport_lib import unsigned
from .._value import public_module
from ..exceptions import HlsError, HlsErrorKind
from ._values import HlsStats, PublisherStats, Sealed, boolean

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from types import TracebackType

    from ._builder import HlsPublisherBuilder

__all__ = ["BytesLike", "HlsPublisher", "HlsServerHandle", "Publisher"]

#: Anything `bytes()` takes; what has the buffer protocol is read in place.
BytesLike = bytes | bytearray | memoryview


class Publisher(abc.ABC):
    """What a publisher of transport packets does. :class:`HlsPublisher` counts as one."""

    @abc.abstractmethod
    def push_ts(self, ts_bytes: bytes | bytearray | memoryview) -> None:
        """Append whole transport packets."""

    @abc.abstractmethod
    def cut_segment(self) -> None:
        """End the open segment."""

    def cut_segment_with_duration(self, media_duration_us: int) -> None:
        """End the open segment, whose media lasts so many microseconds."""
        self.cut_segment()

    @abc.abstractmethod
    def finish(self) -> None:
        """End the last segment and the presentation."""

    @abc.abstractmethod
    def stats(self) -> PublisherStats:
        """The counters."""


def finished(message: str = "HlsPublisher finished") -> HlsError:
    return HlsError(kind=HlsErrorKind.FINISHED, message=message)


def port_of(addr: str) -> int:
    return int(addr.rpartition(":")[2] or 0)


def publisher_stats(s: Any) -> PublisherStats:
    return PublisherStats._of(
        s.segments_total,
        s.bytes_pushed_total,
        s.open_segment_age_us if s.is_open else None,
        s.last_segment_duration_us if s.last_segment_duration_us >= 0 else None,
    )


def date_range_arguments(
    range_id: str,
    start: datetime,
    duration: timedelta | None,
    class_name: str,
    attributes: dict[str, str] | None,
) -> tuple[Any, ...]:
    """The arguments of tst_hls_add_date_range behind the handle."""
    from datetime import datetime, timedelta, timezone

    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    us = (start - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
    span = lib.NO_DURATION if duration is None else duration // timedelta(microseconds=1)
    if duration is not None and span < 0:
        raise ValueError("duration must not be negative")
    name, cls = range_id.encode(), class_name.encode()
    for key, value in (attributes or {}).items():
        if "\n" in key + value or "=" in key:
            raise ValueError(f"attribute {key!r} cannot hold line ends")
    lines = "\n".join(f"{k}={v}" for k, v in (attributes or {}).items()).encode()
    return name, len(name), cls, len(cls), us, span, lines, len(lines)


class HlsPublisher(Sealed):
    """Cuts transport packets into segments, lists them and serves them. Any thread may use it.

    Without a call of ``cut_segment`` segments are cut by the wall clock; after the first one only those
    older than ``max_segment_duration_ms`` are. Dropping the object stops the server; files stay.
    """

    __slots__ = ("__weakref__", "_handle")
    _handle: lib.PublisherHandle | None

    @classmethod
    def _of(cls, handle: lib.PublisherHandle) -> HlsPublisher:
        self = object.__new__(cls)
        self._handle = handle
        return self

    @staticmethod
    def builder() -> HlsPublisherBuilder:
        """A new builder."""
        from ._builder import HlsPublisherBuilder

        return HlsPublisherBuilder()

    def _open(self) -> lib.PublisherHandle:
        if self._handle is None:
            raise finished()
        return self._handle

    def push_ts(self, ts_bytes: BytesLike) -> None:
        """Append whole transport packets; the first opens a segment. Nothing happens when there are none.

        Raises:
            HlsError: no multiple of 188 bytes (``UNALIGNED_PUSH_TS``); the disk took nothing (``IO``): the
                same packets may be pushed again; or the publisher has finished (``FINISHED``).
        """
        h = self._handle
        if h is None:
            raise finished()
        if ts_bytes.__class__ is bytes and len(ts_bytes) <= LONGEST:
            status = h.put(h.key, ts_bytes, len(ts_bytes))
        else:
            at, n, _kept = pin(ts_bytes)
            status = h._api.tst_hls_push_ts(h._id, at, n)
        if status:
            raise failure(status)

    def play_ts(self, ts_bytes: BytesLike) -> None:
        """Append packets of a recording when its clock references (PCR) say that they are due.

        It returns once all were taken: a recording then looks like a live stream. One thread at a time.

        Raises:
            HlsError: as :meth:`push_ts`.
        """
        h = self._open()
        at, n, _kept = pin(ts_bytes)
        lib.play(h, at, n)

    def cut_segment(self) -> None:
        """End the open segment with the duration it took by the wall clock; without one do nothing."""
        h = self._open()
        lib.check(h._api.tst_hls_cut(h._id, 0))

    def cut_segment_with_duration(self, media_duration_us: SupportsIndex) -> None:
        """End the open segment, whose media lasts so many microseconds (0: by the wall clock)."""
        h = self._open()
        lib.check(h._api.tst_hls_cut(h._id, unsigned("media_duration_us", media_duration_us, 64)))

    def stats(self) -> PublisherStats:
        """The counters of any publisher."""
        h = self._open()
        return publisher_stats(lib.publisher_counters(h._api.tst_hls_get_stats, h._id))

    def hls_stats(self) -> HlsStats:
        """Further counters."""
        h = self._open()
        s = lib.publisher_counters(h._api.tst_hls_get_stats, h._id)
        return HlsStats._of(s.segments_total, s.bytes_pushed_total, s.open_segment_bytes, s.forced_cuts_total)

    def server_stats(self) -> dict[str, int]:
        """What the server counts: clients, refused clients, requests, bytes sent; and the bytes that were
        skipped before the first key frame."""
        h = self._open()
        s = lib.publisher_counters(h._api.tst_hls_get_stats, h._id)
        return {
            "clients": s.clients_total,
            "clients_refused": s.clients_refused_total,
            "requests": s.requests_total,
            "bytes_sent": s.bytes_sent_total,
            "bytes_skipped": s.bytes_skipped_total,
        }

    def local_addr(self) -> str | None:
        """``ip:port`` of the server, None without one."""
        h = self._open()
        return lib.text_of(h._api.tst_hls_addr, h._id) or None

    def local_port(self) -> int:
        """The port of the server, 0 without one."""
        return port_of(self.local_addr() or "")

    def render_playlist(self, is_event: bool = False) -> str:
        """The playlist now; with ``is_event`` as it will end, where the mode has an end tag."""
        h = self._open()
        return lib.text_of(h._api.tst_hls_playlist, h._id, int(boolean("is_event", is_event)))

    def add_date_range(
        self,
        range_id: str,
        start: datetime,
        duration: timedelta | None = None,
        *,
        class_name: str = "",
        attributes: dict[str, str] | None = None,
    ) -> None:
        """List a marker (EXT-X-DATERANGE) from the next playlist on.

        Args:
            range_id: unique in the presentation; the same one again adds what the range did not have.
            start: when it begins, with a time zone, on the clock of ``program_date_time``.
            duration: how long it lasts, None where that is not known.
            class_name: groups ranges of one meaning.
            attributes: texts by names that begin with ``X-``.

        Raises:
            HlsError: a text that cannot be listed, another value than before, too many ranges, or segments
                without dates (``INVALID_CONFIG``).
        """
        h = self._open()
        args = date_range_arguments(range_id, start, duration, class_name, attributes)
        lib.check(h._api.tst_hls_add_date_range(h._id, *args))

    def finish(self) -> None:
        """End the open segment, write the final playlist and stop the server.

        Raises:
            HlsError: it was finished before (``FINISHED``), or a file could not be written (``IO``).
        """
        h, self._handle = self._handle, None
        if h is None:
            raise finished("HlsPublisher already finished")
        try:
            lib.check(h._api.tst_hls_finish(h._id))
        finally:
            h.close()

    def finish_serving(self) -> HlsServerHandle:
        """Finish, and keep serving."""
        h, self._handle = self._handle, None
        if h is None:
            raise finished("HlsPublisher already finished")
        try:
            return HlsServerHandle._of(lib.finish_serving(h))
        finally:
            h.close()

    def close(self) -> None:
        """Finish without ever raising; repeating it does nothing."""
        h, self._handle = self._handle, None
        if h is not None:
            try:
                h._api.tst_hls_finish(h._id)
            except Exception:  # a handle from before a fork: there is nothing to finish here
                return
            h.close()

    def __repr__(self) -> str:
        return f"HlsPublisher({'finished' if self._handle is None else 'open'})"


HlsPublisher.__module__ = public_module(HlsPublisher.__module__)
Publisher.__module__ = public_module(Publisher.__module__)
Publisher.register(HlsPublisher)


class HlsServerHandle(Sealed):
    """A server that goes on after its publisher finished. Dropping it stops it."""

    __slots__ = ("__weakref__", "_handle")
    _handle: lib.ServerHandle | None

    @classmethod
    def _of(cls, handle: lib.ServerHandle) -> HlsServerHandle:
        self = object.__new__(cls)
        self._handle = handle
        return self

    def local_addr(self) -> str:
        """``ip:port`` it listens on.

        Raises:
            HlsError: it was shut down (``FINISHED``).
        """
        if self._handle is None:
            raise finished("HlsServerHandle shut down")
        return lib.text_of(self._handle._api.tst_hls_server_addr, self._handle._id)

    def local_port(self) -> int:
        """The port it listens on."""
        return port_of(self.local_addr())

    def shutdown(self) -> None:
        """Stop serving; repeating it does nothing."""
        h, self._handle = self._handle, None
        if h is not None:
            h.close()

    def close(self) -> None:
        """The same as :meth:`shutdown`."""
        self.shutdown()

    def __enter__(self) -> HlsServerHandle:
        return self

    def __exit__(
        self,
        _exc_type: type[BaseException] | None = None,
        _exc_value: BaseException | None = None,
        _traceback: TracebackType | None = None,
    ) -> Literal[False]:
        self.shutdown()
        return False

    def __repr__(self) -> str:
        return f"HlsServerHandle({'shutdown' if self._handle is None else 'serving'})"
