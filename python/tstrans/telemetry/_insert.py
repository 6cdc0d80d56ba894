"""Telemetry into a live stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..klv import UasDatalinkLs, encode_uas_datalink
from ._columns import VERSION
from ._mux import free_pid, klv_stream

if TYPE_CHECKING:
    from ..mpegts import DemuxEvent, MuxerDrainProxy, MuxerProgramConfigBuilder, Pts90khz

__all__ = ["KlvInserter"]


class KlvInserter:
    """Puts telemetry into a transport stream while both come in.

    Feed chunks of a stream without telemetry, give records as they happen, and send what `feed` returns. A
    record goes in with the time of the newest picture, or with a time of its own.

    Args:
        synchronous: metadata AU cells with a PTS, else private data without.
        klv_pid: PID of the KLV stream; by default the first that is free.

    >>> inserter = KlvInserter()
    >>> inserter.feed(b"")
    b''
    """

    def __init__(self, *, synchronous: bool = True, klv_pid: int | None = None) -> None:
        from ..mpegts import Demuxer

        self._demuxer = Demuxer()
        self._synchronous = synchronous
        self._klv_pid = klv_pid
        self._muxer: Any = None
        self._tx: Any = None
        self._handle: Any = None
        self._now = 0
        self._waiting: list[tuple[bytes, int | None]] = []
        self.records_inserted = 0

    def record(self, record: bytes | UasDatalinkLs | Mapping[str, Any], pts: Pts90khz | None = None) -> None:
        """Take a record: a KLV packet, a typed record, or the fields of one.

        Args:
            record: what to insert.
            pts: its time in the stream; by default that of the newest picture when it goes in.
        """
        if isinstance(record, UasDatalinkLs):
            data = encode_uas_datalink(record)
        elif isinstance(record, Mapping):
            data = encode_uas_datalink(UasDatalinkLs(**({"uas_ls_version": VERSION} | dict(record))))
        else:
            data = bytes(record)
        self._waiting.append((data, None if pts is None else pts.raw))

    def feed(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Take a chunk of the stream and give the packets that it and the waiting records make."""
        self._demuxer.feed(chunk)
        return self._drain()

    def flush(self) -> bytes:
        """Give what is left at the end of the stream."""
        self._demuxer.flush()
        out = self._drain()
        if self._tx is not None:
            self._insert()
            out += self._take()
        return out

    def _drain(self) -> bytes:
        out = bytearray()
        for event in self._demuxer:
            self._event(event)
            # A chunk may hold more than the queue of the muxer does.
            if self._muxer is not None and self._muxer.pending_packets() > _HIGH_WATER:
                out += self._take()
        if self._muxer is not None:
            out += self._take()
        return bytes(out)

    def _event(self, event: DemuxEvent) -> None:
        from ..mpegts import DemuxEvent

        if isinstance(event, DemuxEvent.ProgramMap) and self._tx is None:
            self._start(event)
        if self._tx is None:
            return
        if isinstance(event, DemuxEvent.Video):
            self._now = event.pts.raw
            self._tx.write(event)
            self._insert()
            return
        try:
            self._tx.write(event)
        except RuntimeError:
            return  # another program's sample

    def _start(self, event: Any) -> None:
        from ..io._transmux import Transmuxer

        inserter = self

        class Live(Transmuxer):
            def _extend(self, b: MuxerProgramConfigBuilder, taken: set[int]) -> None:
                klv_stream(b, free_pid(taken, inserter._klv_pid), inserter._synchronous)

            def _open(self, muxer: Any) -> MuxerDrainProxy:
                inserter._muxer = muxer
                return muxer  # type: ignore[no-any-return]

        self._tx = Live("", "")
        self._tx._take_map(event.programs[0])
        self._handle = self._muxer.klv_handles()[-1]

    def _insert(self) -> None:
        from ..mpegts import Pts90khz

        waiting, self._waiting = self._waiting, []
        for data, at in waiting:
            self._muxer.push_klv_to(self._handle, data, Pts90khz(self._now if at is None else at))
            self.records_inserted += 1

    def _take(self) -> bytes:
        out = bytearray(self._muxer.pending_packets() * 188)
        self._muxer.pull(out)
        return bytes(out)


_HIGH_WATER = 4096
