"""The demuxer that is fed."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from .._native.mpegts_lib import Feeder
from .._value import public_module
from ._config import DemuxerConfig
from ._events import DemuxEvent

__all__ = ["Demuxer", "stats_dict"]


def stats_dict(feeder: Feeder) -> dict[str, int]:
    """The counters under their public names."""
    s = feeder.stats()
    return {
        "program_maps_seen": s.program_maps_seen,
        "pmt_versions_seen": s.pmt_versions_seen,
        "discontinuities": s.discontinuities,
        "nonconformant": s.nonconformant,
        "programs_seen": s.programs_seen,
        "subtitle_streams_seen": s.subtitle_streams_seen,
    }


class Demuxer:
    """Turns transport-stream bytes into events.

    Any split of the input gives the same events. One thread at a time: a second one gets
    ``RuntimeError("Already borrowed")``.

    >>> d = Demuxer()
    >>> d.feed(bytes([0x47, 0x1F, 0xFF, 0x10]) + bytes(184))
    >>> d.flush()
    >>> list(d)
    []
    """

    __slots__ = ("__weakref__", "_feeder", "_queue")

    def __init__(self, config: DemuxerConfig | None = None) -> None:
        self._feeder = Feeder(config)
        self._queue: deque[DemuxEvent] = deque()

    def feed(self, bytes: object) -> None:
        """Parse input: whatever ``bytes()`` accepts; what has a buffer is read in place.

        Raises:
            DemuxError: no sync, more input than ``sync_buf_cap``, or a finding that the strict mode rejects.
                The events found before stay readable, and the demuxer usable.
        """
        queue = self._queue
        if queue:
            # Events wait already: the library keeps what comes, as compact as it is.
            self._feeder.feed(bytes)
            return
        batch = self._feeder.feed_read(bytes)
        if batch is not None:
            queue.extend(batch.all())

    def flush(self) -> None:
        """Deliver what is still open; feeding may go on afterwards."""
        self._feeder.flush()

    def next_event(self) -> DemuxEvent | None:
        """The next event, or None when all input so far is used up."""
        queue = self._queue
        while True:
            if queue:
                try:
                    return queue.popleft()
                except IndexError:
                    pass  # another thread was faster
            if not self._feeder.pending:
                return None
            batch = self._feeder.read()
            if batch is None:
                return None
            # In place and in one step: another thread may be taking events at the same time.
            queue.extend(batch.all())

    def __iter__(self) -> Demuxer:
        return self

    def __next__(self) -> DemuxEvent:
        event = self.next_event()
        if event is None:
            raise StopIteration
        return event

    def stats(self) -> dict[str, int]:
        """Counters since the start or the last reset; ``programs_seen`` is the current number of programs."""
        return stats_dict(self._feeder)

    def reset_stats(self) -> None:
        """All counters but ``programs_seen`` go to zero."""
        self._feeder.reset_stats()

    def close(self) -> None:
        """Give the native demuxer back now rather than when this object goes away."""
        self._feeder.close()

    def __enter__(self) -> Demuxer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise TypeError("a Demuxer cannot be pickled or copied")


Demuxer.__module__ = public_module(Demuxer.__module__)
