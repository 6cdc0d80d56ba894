"""What a file holds, from its tables."""

from __future__ import annotations

import os

from .._value import Value
from ..mpegts._config import DemuxerConfig
from ..mpegts._enums import AudioCodec, StreamKindTag, SubtitleCodec, VideoCodec
from ..mpegts._values import ProgramMap
from ._read import batches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._read import Source

__all__ = ["ProbeResult", "probe"]

_set = object.__setattr__

#: How much of a file is read to find its tables.
PROBE_BYTES = 5 << 20

_PROGRAM_MAP = 1


class ProbeResult(Value):
    """A summary of a transport stream.

    Attributes:
        size_bytes: size of the file, read or not.
        programs: one entry a program map; a PMT that changes version is listed again.
        pids: elementary PIDs of the program maps, ascending.
        video_codecs, audio_codecs, subtitle_codecs: each codec once, by name.
        has_klv: whether a program map announces KLV.
        packet_count: packets in the part that was read.
    """

    __slots__ = (
        "size_bytes",
        "programs",
        "pids",
        "video_codecs",
        "audio_codecs",
        "subtitle_codecs",
        "has_klv",
        "packet_count",
    )
    size_bytes: int
    programs: tuple[ProgramMap, ...]
    pids: tuple[int, ...]
    video_codecs: tuple[VideoCodec, ...]
    audio_codecs: tuple[AudioCodec, ...]
    subtitle_codecs: tuple[SubtitleCodec, ...]
    has_klv: bool
    packet_count: int

    def __init__(
        self,
        size_bytes: int,
        programs: tuple[ProgramMap, ...],
        pids: tuple[int, ...],
        video_codecs: tuple[VideoCodec, ...],
        audio_codecs: tuple[AudioCodec, ...],
        subtitle_codecs: tuple[SubtitleCodec, ...],
        has_klv: bool,
        packet_count: int,
    ) -> None:
        _set(self, "size_bytes", size_bytes)
        _set(self, "programs", programs)
        _set(self, "pids", pids)
        _set(self, "video_codecs", video_codecs)
        _set(self, "audio_codecs", audio_codecs)
        _set(self, "subtitle_codecs", subtitle_codecs)
        _set(self, "has_klv", has_klv)
        _set(self, "packet_count", packet_count)

    def _repr_html_(self) -> str:
        from ._html import probe_html

        return probe_html(self)


def probe(path: Source, *, config: DemuxerConfig | None = None) -> ProbeResult:
    """Read the tables in the first 5 MiB of a transport stream.

    Args:
        path: a path, a binary file object, or the bytes themselves.
        config: as for ``parse_file``.

    Raises:
        OSError: the file cannot be opened or read.
        DemuxError: as from ``parse_file``.
    """
    programs: list[ProgramMap] = []
    stats: list[Any] = []
    for batch in batches(path, config, PROBE_BYTES, stats):
        if _PROGRAM_MAP in batch.records[32::64]:
            for event in batch.all():
                programs += getattr(event, "programs", ())
    return summary(programs, _size(path), stats[0].bytes_total // 188)


def summary(programs: list[ProgramMap], size: int, packets: int) -> ProbeResult:
    """A result from the program maps that were seen."""
    streams = [s for p in programs for s in p.streams]
    codecs = sorted({s.codec for s in streams if s.codec is not None}, key=lambda c: c.name)
    return ProbeResult(
        size_bytes=size,
        programs=tuple(programs),
        pids=tuple(sorted({s.pid for s in streams})),
        video_codecs=tuple(c for c in codecs if isinstance(c, VideoCodec)),
        audio_codecs=tuple(c for c in codecs if isinstance(c, AudioCodec)),
        subtitle_codecs=tuple(c for c in codecs if isinstance(c, SubtitleCodec)),
        has_klv=any(s.kind in (StreamKindTag.KLV_SYNC, StreamKindTag.KLV_ASYNC) for s in streams),
        packet_count=packets,
    )


def _size(source: Source) -> int:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return len(source)
    if hasattr(source, "read"):
        try:
            return os.fstat(source.fileno()).st_size  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):
            return 0
    return os.stat(source).st_size
