"""One transport stream into another: every event passes through the caller's hands on its way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._native.mux_lib import DTS, KEY_FRAME
from ..mpegts._config import DemuxerConfig
from ..mpegts._enums import StreamKindTag
from ..mpegts._events import DemuxEvent
from ..mpegts._mux import Muxer
from ..mpegts._mux_config import MuxerConfig, MuxerConfigBuilder, MuxerProgramConfigBuilder
from ..mpegts._mux_file import MuxerDrainProxy, MuxerFileSink
from ..mpegts._mux_stats import DataStreamHandle
from ..mpegts._values import (
    AudioStreamSpec,
    KlvStreamSpec,
    ProgramMap,
    SubtitleStreamSpec,
    VideoStreamSpec,
)
from ._read import batches

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Transmuxer", "transmux"]

BytesLike = bytes | bytearray | memoryview

#: Packets that a picture may have: the demuxer's largest, 4 MiB, and then some.
_ROOM = 1 << 16

_Klv, _Video = DemuxEvent.Klv, DemuxEvent.Video
_PROGRAM_MAP = 1  # TST_EV_PROGRAM_MAP
_LAZY = 1  # TST_F_LAZY; TST_F_HAS_DTS is 4, TST_F_RANDOM_ACCESS 8

_SAMPLES = (DemuxEvent.Video, DemuxEvent.Audio, DemuxEvent.Klv, DemuxEvent.Subtitle, DemuxEvent.UnknownSample)
_REMARKS = (
    DemuxEvent.ProgramMap,
    DemuxEvent.Discontinuity,
    DemuxEvent.NonConformant,
    DemuxEvent.ReconnectDiscontinuity,
)


def transmux(
    src: str | Path,
    dst: str | Path,
    *,
    drop: Sequence[StreamKindTag] = (),
    atomic: bool = False,
    config: DemuxerConfig | None = None,
) -> Transmuxer:
    """Rewrite a transport stream, event by event; see `Transmuxer`.

    >>> with transmux("in.ts", "out.ts", drop=[StreamKindTag.AUDIO]) as tx:  # doctest: +SKIP
    ...     for event in tx:
    ...         tx.write(event)
    """
    return Transmuxer(src, dst, drop=drop, atomic=atomic, config=config)


class Transmuxer:
    """Reads one file and writes another with the same program, streams, descriptors and times.

    Payloads, times, stream order and descriptors are kept. Made anew are the packets: continuity counters,
    stuffing, when tables and clock come, versions of tables, and of metadata AU cells the service id and
    sequence number. Program descriptors, and samples without a PTS, which get 0, are not kept.

    Args:
        src: the file to read; nothing is opened before the first event is asked for.
        dst: the file to write; it is opened with the first program map.
        drop: kinds of streams to leave out.
        atomic: write to a file beside `dst` that takes its place when the block ends well.
        config: limits and tolerances of the demuxer.
    """

    __module__ = "tstrans.io"

    def __init__(
        self,
        src: str | Path,
        dst: str | Path,
        *,
        drop: Sequence[StreamKindTag] = (),
        atomic: bool = False,
        config: DemuxerConfig | None = None,
    ) -> None:
        self._src = src
        self._dst = os.fspath(dst)
        self._drop = drop
        self._atomic = atomic
        self._config = config
        self._events: Iterator[DemuxEvent] | None = None
        self._map: ProgramMap | None = None
        self._sink: MuxerFileSink | None = None
        self._proxy: Any = None
        self._exited = False
        self._dropped: set[int] = set()
        # Stream keys of records (see Batch): of those whose payloads go to the only KLV stream, and of
        # pictures with the handle they go to.
        self._klv_key: int | None = None
        self._video_keys: dict[int, int] = {}
        # PID to what pushes its samples.
        self._pushes: dict[int, Callable[[Any, BytesLike | None], None]] = {}

    def __enter__(self) -> Transmuxer:
        if self._exited:
            raise RuntimeError("this Transmuxer has been exited: make a new one")
        return self

    def __iter__(self) -> Iterator[DemuxEvent]:
        if self._events is None:
            if self._exited:
                raise RuntimeError("this Transmuxer has been exited: make a new one")
            self._events = self._read()
        return self._events

    def _read(self) -> Iterator[DemuxEvent]:
        for batch in batches(self._src, self._config):
            events = batch.all()
            if _PROGRAM_MAP in batch.byte[32::64].tolist():
                for event in events:
                    if isinstance(event, DemuxEvent.ProgramMap):
                        self._take_map(event.programs[0])
                    yield event
            else:
                yield from events

    def _take_map(self, program: ProgramMap) -> None:
        if self._map is not None:
            if program != self._map:
                raise ValueError(
                    f"program {program.program_number} differs from program {self._map.program_number} at "
                    "the start: a second program or a change of streams cannot be rewritten"
                )
            return
        carriage = self._config.av1_carriage if self._config is not None else None
        drop = list(self._drop)
        made = MuxerConfig.from_program_map(program, drop=drop, av1_carriage=carriage)
        builder = MuxerProgramConfigBuilder._from(made.programs[0])
        self._extend(builder, {s.pid for s in program.streams} | {program.pmt_pid})
        b = MuxerConfigBuilder().av1_carriage(made.av1_carriage).buffer_packets(_ROOM)
        made = b.add_program(builder.build()).build()
        muxer = Muxer(made)
        self._proxy = self._open(muxer)
        self._map = program
        self._dropped = {s.pid for s in program.streams if s.kind in drop}
        self._route(muxer, made)

    def _extend(self, b: MuxerProgramConfigBuilder, taken: set[int]) -> None:
        """Add streams that the source has not; for subclasses."""

    def _open(self, muxer: Muxer) -> MuxerDrainProxy:
        self._sink = MuxerFileSink(muxer, self._dst, atomic=self._atomic)
        try:
            return self._sink.__enter__()
        except BaseException:
            self._sink = None
            raise

    def _route(self, muxer: Muxer, config: MuxerConfig) -> None:
        proxy = self._proxy
        handles: dict[type, Iterator[Any]] = {
            VideoStreamSpec: iter(muxer.video_handles()),
            AudioStreamSpec: iter(muxer.audio_handles()),
            KlvStreamSpec: iter(muxer.klv_handles()),
            SubtitleStreamSpec: iter(muxer.subtitle_handles()),
        }
        data = iter(muxer.data_handles())
        pushes: dict[type, Any] = {
            VideoStreamSpec: None,
            AudioStreamSpec: proxy.push_audio_to,
            KlvStreamSpec: proxy.push_klv_to,
            SubtitleStreamSpec: proxy.push_subtitle_to,
        }
        for spec in config.programs[0].streams:
            handle = next(handles.get(type(spec), data))
            # A PID that is listed twice in the PMT feeds its first entry.
            self._pushes.setdefault(
                spec.pid, _route(proxy, handle, pushes.get(type(spec), proxy.push_data_to))
            )

    def write(self, ev: DemuxEvent) -> None:
        """Write an event of this stream, or one like it.

        Samples of dropped kinds, and events that carry no sample, are passed over.

        Raises:
            TypeError: not an event.
            RuntimeError: before the first program map, after the end, or a PID that the program has not.
            MuxError: the muxer refuses the payload.
        """
        # The quick ways of what comes as the demuxer gave it: small KLV packets, which are handed over many
        # at a time, and pictures, whose bytes stay in the library.
        kind = type(ev)
        if kind is _Klv:
            at, batch, got = ev._state
            if at is not None and batch.quad[at + 3] == self._klv_key:
                if got is None:
                    small = batch.small
                    got = batch.payload_of(ev, at) if small is None else small[at >> 3]
                if self._proxy._gather(got, batch.quad[at]):
                    return
        elif kind is _Video:
            at, batch, got = ev._state
            if got is None and at is not None and batch.chunk is not None:
                number = self._video_keys.get(batch.quad[at + 3])
                flags = batch.half[4 * at + 17]
                if number is not None and flags & _LAZY:
                    _push_lazy(self._proxy, number, batch, at, flags)
                    return
        self._write(ev, None)

    def write_klv(self, ev: DemuxEvent.Klv, new_bytes: BytesLike) -> None:
        """Write a KLV event with another payload."""
        if not isinstance(ev, DemuxEvent.Klv):
            raise TypeError(
                f"write_klv takes a DemuxEvent.Metadata (DemuxEvent.Klv); got {type(ev).__name__}"
            )
        if isinstance(new_bytes, str) or new_bytes is None:
            raise TypeError(f"new_bytes must be bytes-like; got {type(new_bytes).__name__}")
        self._write(ev, new_bytes)

    def _write(self, ev: Any, data: BytesLike | None) -> None:
        if not isinstance(ev, _SAMPLES):
            if isinstance(ev, _REMARKS):
                return
            raise TypeError(f"write takes a DemuxEvent; got {type(ev).__name__}")
        if self._exited:
            raise RuntimeError("this Transmuxer has been exited")
        if self._proxy is None:
            raise RuntimeError("no program map was read yet: iterate before writing")
        pid = ev.stream.pid
        push = self._pushes.get(pid)
        if push is not None:
            push(ev, data)
            self._learn(ev, push)
        elif pid not in self._dropped:
            raise RuntimeError(f"PID {pid:#06x} is not in the program that was read first")

    def _learn(self, ev: Any, push: Any) -> None:
        """After the first sample of a stream the others may go the quick way."""
        if type(ev) is _Klv:
            if getattr(self._proxy, "_gathers", False) and ev._state[0] is not None:
                self._klv_key = ev._state[1].quad[ev._state[0] + 3]
        elif type(ev) is _Video and ev._state[0] is not None:
            number = getattr(push, "lazy_to", None)
            if number is not None:
                self._video_keys[ev._state[1].quad[ev._state[0] + 3]] = number

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._exited = True
        self._klv_key = None
        self._video_keys.clear()
        close = getattr(self._events, "close", None)
        if close is not None:
            close()
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.__exit__(exc_type, exc, tb)


def _push_lazy(proxy: Any, number: int, batch: Any, at: int, flags: int) -> None:
    """A picture of the demuxer's, without its bytes coming over here."""
    pts, dts = batch.quad[at : at + 2]
    how = flags >> 3 & KEY_FRAME | flags >> 1 & DTS
    proxy._push_chunk(number, batch.chunk, batch.word[2 * at + 4], pts, dts, how)


def _route(proxy: Any, handle: Any, push: Any) -> Callable[[Any, BytesLike | None], None]:
    if push is None:
        wire = proxy.push_video_wire_to

        def video(ev: Any, data: BytesLike | None) -> None:
            if isinstance(ev, DemuxEvent.Video):
                wire(handle, ev.raw, ev.pts, ev.dts, ev.random_access_indicator)
            else:
                wire(handle, ev.payload, ev.pts, ev.dts)

        if hasattr(proxy, "_push_chunk"):
            video.lazy_to = handle.raw  # type: ignore[attr-defined]
        return video

    if isinstance(handle, DataStreamHandle):
        stream = handle.raw
        with_dts: Any = getattr(proxy, "_data_with_dts", None)

        def unknown(ev: Any, data: BytesLike | None) -> None:
            # A video of a codec that the muxer does not know keeps its decode times.
            dts = ev.dts if with_dts is not None and isinstance(ev, DemuxEvent.UnknownSample) else None
            if dts is not None:
                with_dts(stream, ev.payload, ev.pts, dts)
            else:
                push(handle, ev.payload if data is None else data, ev.pts)

        return unknown

    def plain(ev: Any, data: BytesLike | None) -> None:
        push(handle, ev.payload if data is None else data, ev.pts)

    return plain
