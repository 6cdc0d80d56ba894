"""One pass over an input, counted by stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..mpegts._enums import StreamKindTag
from ..mpegts._events import DemuxEvent
from ..mpegts._values import ProgramMap, StreamId, StreamInfo

if TYPE_CHECKING:
    from ..mpegts._events import Batch

__all__ = ["KLV_SETS", "NAMES", "Scan", "StreamScan", "language", "set_name"]

#: Names of the event types in tables and JSON, by tst_record.type.
NAMES = (
    "",
    "program_map",
    "video",
    "audio",
    "subtitle",
    "klv",
    "unknown_sample",
    "discontinuity",
    "non_conformant",
    "reconnect_discontinuity",
)

#: Universal labels (MISB ST 0807) and what stands behind them; the byte of the registry version is masked.
KLV_SETS = {
    "060e2b34020b01010e01030101000000": "ST 0601 UAS datalink",
    "060e2b34020301010e01030302000000": "ST 0102 security",
    "060e2b34020b01010e01030306000000": "ST 0903 VMTI",
    "060e2b34020501010e01010311000000": "ST 0605 time stamp",
    "060e2b34020b01010e01030102000000": "ST 0806 RVT",
}

_F_HAS_PTS = 2
_F_RANDOM_ACCESS = 8


def set_name(label: bytes) -> str:
    """The name of a KLV set by its label, or the label."""
    return KLV_SETS.get(label.hex(), label.hex()) if len(label) == 16 else "malformed"


def language(stream: StreamInfo) -> str:
    """The language that a descriptor of the stream names (ISO 639-2), or ""."""
    for d in stream.raw_descriptors:
        if d.tag in (0x0A, 0x59, 0x56) and len(d.data) >= 3 and d.data[:3].isalpha():
            return d.data[:3].decode("ascii")
    return ""


class StreamScan:
    """What one elementary stream delivered."""

    __slots__ = ("bytes", "first", "keys", "labels", "last", "timed", "units")

    def __init__(self) -> None:
        self.units = 0
        self.bytes = 0
        self.timed = 0
        self.first: int | None = None
        self.last: int | None = None
        self.keys = 0
        self.labels: Counter[bytes] = Counter()

    @property
    def span(self) -> int | None:
        """Ticks from the smallest PTS to the largest."""
        return None if self.first is None or self.last is None else self.last - self.first


class Scan:
    """Counts of a whole input; feed it batches."""

    def __init__(self, first_events: int) -> None:
        self.streams: dict[StreamId, StreamScan] = {}
        self.programs: dict[int, ProgramMap] = {}
        self.versions: Counter[int] = Counter()
        self.maps: list[ProgramMap] = []
        self.types: Counter[int] = Counter()
        self.discontinuities: Counter[tuple[int, str]] = Counter()
        self.findings: Counter[tuple[int, str]] = Counter()
        self.first_events: list[tuple[int, DemuxEvent]] = []
        self._want = first_events

    def run(self, batches: Iterator[Batch]) -> None:
        """Take the whole input."""
        for batch in batches:
            self.batch(batch)

    def batch(self, batch: Batch) -> None:
        """Take one batch."""
        half, word, quad = batch.half, batch.word, batch.quad
        types = batch.records[32::64]
        self.types.update(types)
        if len(self.first_events) < self._want:
            for event in batch.all()[: self._want - len(self.first_events)]:
                self.first_events.append((len(self.first_events), event))
        for i, kind in enumerate(types):
            at = 8 * i
            if 2 <= kind <= 6:
                stream = self.streams.get(sid := batch.streams[quad[at + 3]])
                if stream is None:
                    stream = self.streams[sid] = StreamScan()
                stream.units += 1
                stream.bytes += word[2 * at + 5]
                flags = half[4 * at + 17]
                if flags & _F_HAS_PTS:
                    pts = quad[at]
                    stream.timed += 1
                    if stream.first is None or pts < stream.first:
                        stream.first = pts
                    if stream.last is None or pts > stream.last:
                        stream.last = pts
                if flags & _F_RANDOM_ACCESS:
                    stream.keys += 1
                if kind == 5 and not flags & 1:
                    start = word[2 * at + 4]
                    stream.labels[batch.arena[start : start + min(16, word[2 * at + 5])]] += 1
        if types.translate(None, b"\2\3\4\5\6"):
            self._others(batch)

    def _others(self, batch: Batch) -> None:
        for event in batch.all():
            if isinstance(event, DemuxEvent.ProgramMap):
                for program in event.programs:
                    self.maps.append(program)
                    self.programs[program.program_number] = program
                    self.versions[program.program_number] += 1
            elif isinstance(event, DemuxEvent.Discontinuity):
                self.discontinuities[event.stream.pid, event.kind.value] += 1
            elif isinstance(event, DemuxEvent.NonConformant):
                self.findings[event.stream.pid, event.kind.value] += 1

    def stream(self, info: StreamInfo) -> StreamScan:
        """What the stream of a PMT entry delivered."""
        sid = StreamId(info.pid, info.kind, info.codec, info.program_number)
        return self.streams.get(sid) or StreamScan()

    def span(self, program: ProgramMap) -> int | None:
        """Ticks from the first to the last PTS of a program's pictures and sound, or of anything it has."""
        for kinds in ((StreamKindTag.VIDEO, StreamKindTag.AUDIO), tuple(StreamKindTag)):
            found = [self.stream(s) for s in program.streams if s.kind in kinds]
            firsts = [s.first for s in found if s.first is not None]
            lasts = [s.last for s in found if s.last is not None]
            if firsts and lasts:
                return max(lasts) - min(firsts)
        return None
