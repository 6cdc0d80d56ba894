"""Where an event of the library keeps what it is: records of 64 bytes in batches (``tst_record`` of
``tstrans/mpegts.h``), the tables of their numbers, and the base of all events.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat
from operator import add
from struct import Struct

from .._value import frozen_error, public_module
from ._enums import (
    AudioCodec,
    Av1CarriageMode,
    CellFragmentIndication,
    DiscontinuityKindTag,
    LinkSource,
    MetadataKindTag,
    MultiCellAuReason,
    NonConformantKind,
    StreamKindTag,
    SubtitleCodec,
    VideoCodec,
)
from ._values import Pts90khz, StreamId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from ._events import DemuxEvent
    from ._values import Codec

__all__ = ["CLASSES", "Batch", "Streams"]

#: Event classes by tst_record.type; ``_events`` fills it.
CLASSES: list[type[DemuxEvent]] = []

# The numbers of records, in the order of tstrans/mpegts.h.
_KINDS = (
    StreamKindTag.UNKNOWN,
    StreamKindTag.VIDEO,
    StreamKindTag.AUDIO,
    StreamKindTag.SUBTITLE,
    StreamKindTag.KLV_SYNC,
    StreamKindTag.KLV_ASYNC,
)
_CODECS: tuple[Codec, ...] = (
    *(None, VideoCodec.H264, VideoCodec.H265, VideoCodec.H266, VideoCodec.AV1),
    *(None,) * 11,
    *(AudioCodec.MP2, AudioCodec.AAC, AudioCodec.AAC_LATM, AudioCodec.AC3),
    *(None,) * 12,
    *(SubtitleCodec.DVB_SUBTITLING, SubtitleCodec.DVB_TELETEXT),
    *(SubtitleCodec.CEA708_STANDALONE, SubtitleCodec.WEBVTT_IN_TS),
)
_METADATA = (MetadataKindTag.UNKNOWN, MetadataKindTag.KLV_SYNC_AU_CELL, MetadataKindTag.KLV_ASYNC)
_CARRIAGE = {0: Av1CarriageMode.MPEG2_TS_BINDING, 1: Av1CarriageMode.INTEROP_RAW_OBU}
_DISCONTINUITIES: tuple[Any, ...] = (
    None,
    DiscontinuityKindTag.CONTINUITY_JUMP,
    DiscontinuityKindTag.ADAPTATION_FIELD_FLAG,
    DiscontinuityKindTag.PES_OVERSIZE,
    DiscontinuityKindTag.PES_TOTAL_OVERSIZE,
)
_FINDINGS = dict(
    enumerate(
        (
            NonConformantKind.PCR_ANOMALY,
            NonConformantKind.PSI_CHECKSUM_MISMATCH,
            NonConformantKind.MALFORMED_PES,
            NonConformantKind.TRANSPORT_ERROR_PACKET,
            NonConformantKind.STREAM_TYPE_MISMATCH,
            NonConformantKind.PID_REUSED_ACROSS_PROGRAMS,
            NonConformantKind.PUSI_MID_PES,
            NonConformantKind.NAL_HEADER,
            NonConformantKind.AV1_OBU_HEADER,
            NonConformantKind.AV1_REGISTRATION_MALFORMED,
            NonConformantKind.PES_HEADER_MALFORMED,
            NonConformantKind.PTS_ANOMALY,
            NonConformantKind.MISSING_REQUIRED_PTS,
            NonConformantKind.PCR_MALFORMED,
            NonConformantKind.SUBTITLE_ALIGNMENT_MISSING,
            NonConformantKind.SUBTITLE_MISSING_DESCRIPTOR,
            NonConformantKind.MULTI_CELL_AU,
            NonConformantKind.CFI_TOLERATED,
            NonConformantKind.PSI_MULTI_SECTION_UNSUPPORTED,
            NonConformantKind.PSI_CC_DISCONTINUITY,
            NonConformantKind.PSI_OVERLONG_SECTION,
            NonConformantKind.DVB_SUB_DATA_IDENTIFIER,
            NonConformantKind.LATM_FRAMING,
            NonConformantKind.AC3_SYNC_MISSING,
            NonConformantKind.AV1_WRONG_STREAM_ID,
            NonConformantKind.AV1_MISSING_TS_OBU_FRAMING,
            NonConformantKind.AV1_OBU_MISSING_SIZE_FIELD,
            NonConformantKind.AV1_TILE_LIST_NOT_ALLOWED,
            NonConformantKind.MISSING_METADATA_DESCRIPTOR,
            NonConformantKind.SUBTITLE_DESCRIPTOR_AMBIGUOUS,
            NonConformantKind.SUBTITLE_DESCRIPTOR_MALFORMED,
            NonConformantKind.PMT_PROGRAM_NUMBER_MISMATCH,
            NonConformantKind.UNSUPPORTED_SCRAMBLING,
            NonConformantKind.ADAPTATION_FIELD_MALFORMED,
            NonConformantKind.ZERO_LENGTH_PES_NON_VIDEO,
            NonConformantKind.PSI_SYNTAX,
        ),
        1,
    )
)
_REASONS = dict(enumerate(getattr(MultiCellAuReason, n) for n in MultiCellAuReason.__annotations__))
_CFIS = dict(enumerate(getattr(CellFragmentIndication, n) for n in CellFragmentIndication.__annotations__))
_LINKS = (None, LinkSource.DECLARED, LinkSource.INFERRED, LinkSource.OVERRIDE)

_F_LAZY = 1
_F_HAS_DTS = 4
_F_RANDOM_ACCESS = 8
_F_WAS_REASSEMBLED = 16

_new = object.__new__
_set_raw = Pts90khz.__dict__["raw"].__set__

_KEY = Struct("<q")
_KEY_FIELDS = Struct("<HHBBH")


class Streams(dict[int, StreamId]):
    """The stream identities of one demuxer, by bytes 24 to 31 of a record: one object an identity."""

    def __missing__(self, key: int) -> StreamId:
        pid, program, kind, codec, _ = _KEY_FIELDS.unpack(_KEY.pack(key))
        made = self[key] = StreamId(pid, _KINDS[kind], _CODECS[codec], program)
        return made


class Batch:
    """The records of one read, what they point to, and the chunk of input behind the large payloads.

    ``byte``, ``half``, ``word`` and ``quad`` view the records as numbers of 1, 2, 4 and 8 bytes.
    """

    __slots__ = ("arena", "byte", "chunk", "half", "plain", "quad", "records", "small", "streams", "word")
    records: bytes
    arena: bytes
    byte: memoryview[int]
    half: memoryview[int]
    word: memoryview[int]
    quad: memoryview[int]
    streams: Streams
    chunk: Any
    plain: Batch | None
    small: list[bytes] | None

    def __init__(self, records: bytes, arena: bytes, streams: Streams, chunk: Any) -> None:
        self.records = records
        self.arena = arena
        self.streams = streams
        self.chunk = chunk
        self.plain = None
        self.small = None

    def __getattr__(self, name: str) -> memoryview[int]:
        # Made at first use: who counts events or skips a batch needs none of them.
        if name not in ("byte", "half", "word", "quad"):
            raise AttributeError(name)
        self.byte = view = memoryview(self.records)
        self.half = view.cast("H")
        self.word = view.cast("I")
        self.quad = view.cast("q")
        return getattr(self, name)  # type: ignore[no-any-return]

    def payload_of(self, event: _Record, at: int) -> bytes:
        """Fetch a payload for its event."""
        word = self.word
        chunk = self.chunk
        if chunk is None:
            # All at once: one by one in Python costs three times as much.
            starts = word[4::16].tolist()
            ends = map(add, starts, word[5::16].tolist())
            self.small = list(map(self.arena.__getitem__, map(slice, starts, ends)))
            return self.small[at >> 3]
        start = word[2 * at + 4]
        size = word[2 * at + 5]
        if not self.half[4 * at + 17] & _F_LAZY:
            inline = self.arena[start : start + size]
            _set_state(event, (at, self, inline))
            return inline
        got: bytes = chunk.gather(start, size)
        # The event keeps the payload and from here on no longer needs the chunk.
        plain = self.plain
        if plain is None:
            plain = self.plain = Batch(self.records, self.arena, self.streams, None)
        _set_state(event, (at, plain, got))
        return got

    def events(self) -> Iterator[DemuxEvent]:
        """The events, each made when it is asked for."""
        set_state = _set_state
        for event, state in self.pairs():
            set_state(event, state)
            yield event

    def all(self) -> list[DemuxEvent]:
        """All events at once, made without a loop in Python."""
        if len(self.records) == 64:
            event = _new(CLASSES[self.records[32]])
            _set_state(event, (0, self, None))
            return [event]
        kinds = self.records[32::64]
        made = list(map(_new, map(CLASSES.__getitem__, kinds)))
        deque(map(_set_state, made, zip(range(0, 8 * len(kinds), 8), repeat(self), repeat(None))), 0)
        return made

    def pairs(self) -> Iterator[tuple[DemuxEvent, tuple[int, Batch, None]]]:
        """Each event, still blank, and the state it is to be given."""
        kinds = self.records[32::64]
        blank = map(_new, map(CLASSES.__getitem__, kinds))
        return zip(blank, zip(range(0, 8 * len(kinds), 8), repeat(self), repeat(None)))  # noqa: B905

    def text(self, at: int) -> bytes:
        """An issue text, or a program map."""
        start = self.word[2 * at + 9]
        return self.arena[start : start + self.word[2 * at + 10]]


class _Record:
    """Common to events and samples: one slot of state, and value semantics.

    The state is (place, batch, payload or None) with the place counted in 8-byte words, or (None, values,
    None) for an object a program built.
    """

    __slots__ = ("_state",)
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _label: ClassVar[str] = ""
    _state: tuple[Any, Any, Any]

    def __init_subclass__(cls) -> None:
        cls.__module__ = public_module(cls.__module__)

    def _values(self) -> tuple[Any, ...]:
        at, source, _ = self._state
        return source if at is None else tuple([getattr(self, n) for n in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        inner = ", ".join([f"{n}={v!r}" for n, v in zip(self.__match_args__, self._values(), strict=True)])
        return f"{self._label or self.__class__.__qualname__}({inner})"

    def __setattr__(self, name: str, value: object) -> None:
        raise frozen_error("assign to", name)

    def __delattr__(self, name: str) -> None:
        raise frozen_error("delete", name)

    def __reduce__(self) -> tuple[object, ...]:
        return _built, (self.__class__, *self._values())


_set_state = _Record.__dict__["_state"].__set__


def _built(cls: type[_Record], *values: object) -> _Record:
    made = _new(cls)
    _set_state(made, (None, values, None))
    return made


class _Stream(_Record):
    __slots__ = ()

    @property
    def stream(self) -> StreamId:
        """The elementary stream this belongs to."""
        at, source, _ = self._state
        return source[0] if at is None else source.streams[source.quad[at + 3]]  # type: ignore[no-any-return]


class _Timed(_Stream):
    __slots__ = ()

    @property
    def pts(self) -> Pts90khz:
        """Presentation time; 0 where the PES carried none."""
        at, source, _ = self._state
        if at is None:
            return source[1]  # type: ignore[no-any-return]
        pts = _new(Pts90khz)
        _set_raw(pts, source.quad[at])
        return pts


class _Decoded(_Timed):
    __slots__ = ()

    @property
    def dts(self) -> Pts90khz | None:
        """Decoding time, where the PES carried one apart from the PTS."""
        at, source, _ = self._state
        if at is None:
            return source[2]  # type: ignore[no-any-return]
        if not source.half[4 * at + 17] & _F_HAS_DTS:
            return None
        dts = _new(Pts90khz)
        _set_raw(dts, source.quad[at + 1])
        return dts


class _Payload(_Record):
    __slots__ = ()

    @property
    def payload(self) -> bytes:
        """The bytes that were carried, fetched at first use and kept."""
        at, source, got = self._state
        if got is None:
            if at is None:
                return source[4]  # type: ignore[no-any-return]
            small = source.small
            if small is None:
                return source.payload_of(self, at)  # type: ignore[no-any-return]
            return small[at >> 3]  # type: ignore[no-any-return]
        return got  # type: ignore[no-any-return]

    @property
    def byte_len(self) -> int:
        """Length of the payload in bytes, without fetching it."""
        at, source, _ = self._state
        return len(source[4]) if at is None else source.word[2 * at + 5]
