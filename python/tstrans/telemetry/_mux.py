"""A video file and telemetry into one transport stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._records import Record

if TYPE_CHECKING:
    from ..mpegts import MuxerProgramConfigBuilder

__all__ = ["MuxReport", "add_klv", "free_pid", "klv_stream"]


@dataclass(frozen=True, slots=True)
class MuxReport:
    """What `add_klv` did."""

    pictures: int
    records: int
    records_outside: int
    start_us: int
    bytes_written: int


def _first(records: list[Record], start_us: int | None) -> int:
    """The time of the first picture: given, where the camera began to record, or the first record's."""
    if start_us is not None:
        return start_us
    for r in records:
        if r.filming:
            return r.time_us
    return records[0].time_us


def add_klv(
    video: str | os.PathLike[str],
    records: Iterable[Record],
    out: str | os.PathLike[str],
    *,
    synchronous: bool = True,
    start_us: int | None = None,
    offset_us: int = 0,
    klv_pid: int | None = None,
    fps: tuple[int, int] | None = None,
    atomic: bool = True,
) -> MuxReport:
    """Make a transport stream of a video and its telemetry (STANAG 4609).

    Args:
        video: `.ts`, `.mp4`, `.mov`, or a raw H.264 or HEVC stream.
        records: what `read_records` gives, in the order of time.
        out: the file to write.
        synchronous: metadata AU cells with a PTS, else private data without.
        start_us: the time of the first picture, as the records count it. By default that of the first record
            during which the camera recorded, else of the first record.
        offset_us: added to the time of each record.
        klv_pid: PID of the KLV stream; by default the first that is free.
        fps: frame rate of a raw stream that does not tell it.
        atomic: write to a file beside `out` that takes its place when all is done.

    Records from before the first picture or after the last are left out and counted.
    """
    source = os.fspath(video)
    if os.path.realpath(source) == os.path.realpath(os.fspath(out)):
        raise ValueError("the output is the input")
    rows = sorted(records, key=lambda r: r.time_us)
    if not rows:
        raise ValueError("no telemetry records")
    start = _first(rows, start_us)
    timed = [(r.time_us + offset_us - start, r.data) for r in rows]
    with open(source, "rb") as f:
        head = f.read(189)
    if head[:1] == b"\x47" and (len(head) < 189 or head[188] == 0x47):
        pictures, pushed, size = _into_ts(source, timed, out, synchronous, klv_pid, atomic)
    else:
        pictures, pushed, size = _into_file(source, timed, out, synchronous, klv_pid, fps, atomic)
    return MuxReport(pictures, pushed, len(timed) - pushed, start, size)


def _ticks(us: int) -> int:
    return us * 9 // 100


class _Feeder:
    """Hands records to a push in step with the pictures."""

    def __init__(self, timed: list[tuple[int, bytes]], push: Callable[[bytes, int], None]) -> None:
        self._timed = timed
        self._push = push
        self._next = 0
        self.pushed = 0
        while self._next < len(timed) and timed[self._next][0] < 0:
            self._next += 1

    def up_to(self, ticks: int, base: int) -> None:
        """Push what belongs before `ticks`, where the first picture is at `base`."""
        timed, i = self._timed, self._next
        while i < len(timed):
            at = base + _ticks(timed[i][0])
            if at > ticks:
                break
            self._push(timed[i][1], at)
            self.pushed += 1
            i += 1
        self._next = i


#: Where a new stream begins, in ticks: room for decode times before the first picture.
_BASE = 90_000
_PIDS = (0x1000, 0x100, 0x101)


def klv_stream(b: MuxerProgramConfigBuilder, pid: int, synchronous: bool) -> None:
    from ..mpegts import KlvStreamType

    kind = KlvStreamType.SYNCHRONOUS_METADATA if synchronous else KlvStreamType.PRIVATE_DATA
    b.add_klv(pid, kind, carries_pts=synchronous)


def _into_file(
    source: str,
    timed: list[tuple[int, bytes]],
    out: str | os.PathLike[str],
    synchronous: bool,
    klv_pid: int | None,
    fps: tuple[int, int] | None,
    atomic: bool,
) -> tuple[int, int, int]:
    from .._native.mediafile_lib import MediaFile
    from ..mpegts import Muxer, MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

    with _closing(MediaFile(source, fps)) as file:
        info = file.info()
        codec = VideoCodec.H264 if info.codec == 1 else VideoCodec.H265
        pmt, video, free = _PIDS
        b = MuxerProgramConfigBuilder(1, pmt).add_video(video, codec)
        klv_stream(b, klv_pid or free, synchronous)
        muxer = Muxer(MuxerConfig.builder().buffer_packets(1 << 19).add_program(b.build()).build())
        first = file.peek()
        if first is None:
            raise ValueError(f"{source}: no pictures")
        # The presentation of the first picture in decoding order is the zero of the records.
        shift = _BASE - min(first[0], first[1])
        base = first[0] + shift
        pictures = 0
        last = base
        with muxer.write_file(os.fspath(out), atomic=atomic) as proxy:
            feed = _Feeder(timed, lambda data, at: proxy.push_klv(data, Pts90khz(at)))
            while (times := file.peek()) is not None:
                feed.up_to(times[1] + shift, base)
                file.push(proxy, 0, shift)
                last = max(last, times[0] + shift)
                pictures += 1
            feed.up_to(last, base)
        return pictures, feed.pushed, muxer.stats().ts_bytes_emitted


class _closing:
    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __enter__(self) -> Any:
        return self.thing

    def __exit__(self, *_: object) -> None:
        self.thing.close()


def free_pid(taken: set[int], wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    pid = max((p for p in taken if p < 0x1F00), default=0x100) + 1
    while pid in taken:
        pid += 1
    return pid


def _into_ts(
    source: str,
    timed: list[tuple[int, bytes]],
    out: str | os.PathLike[str],
    synchronous: bool,
    klv_pid: int | None,
    atomic: bool,
) -> tuple[int, int, int]:
    from ..io._transmux import Transmuxer
    from ..mpegts import DemuxEvent, KlvStreamHandle, Pts90khz

    class Inserting(Transmuxer):
        handle: KlvStreamHandle

        def _extend(self, b: MuxerProgramConfigBuilder, taken: set[int]) -> None:
            klv_stream(b, free_pid(taken, klv_pid), synchronous)

        def _route(self, muxer: Any, config: Any) -> None:
            super()._route(muxer, config)
            self.handle = muxer.klv_handles()[-1]
            self.muxer = muxer

    feed: _Feeder | None = None
    base = last = 0
    pictures = 0
    tx = Inserting(source, os.fspath(out), atomic=atomic)

    def push(data: bytes, at: int) -> None:
        tx._proxy.push_klv_to(tx.handle, data, Pts90khz(at))

    with tx:
        for event in tx:
            if isinstance(event, DemuxEvent.Video):
                pts, dts = event.pts.raw, (event.dts or event.pts).raw
                if feed is None:
                    feed = _Feeder(timed, push)
                    base = last = pts
                # 33 bits wrap: follow the nearest way round.
                last += ((pts - last + (1 << 32)) & ((1 << 33) - 1)) - (1 << 32)
                feed.up_to(last - (pts - dts), base)
                pictures += 1
            tx.write(event)
        if feed is None:
            raise ValueError(f"{source}: no pictures")
        feed.up_to(last, base)
    return pictures, feed.pushed, tx.muxer.stats().ts_bytes_emitted
