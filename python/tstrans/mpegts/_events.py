"""What comes out of a demuxer.

An event that the library delivers keeps its place in a batch of 64-byte records (``tst_record`` of
``tstrans/mpegts.h``) and reads its attributes from there when they are asked for; a payload is fetched at
its first use and kept. An event that a program builds holds its values. Both are the same class and compare
equal.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat
from operator import add
from struct import Struct

from .._value import _Description, frozen_error, public_module
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
from ._values import KlvLink, ProgramMap, Pts90khz, RawDescriptor, StreamId, StreamInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar, TypeAlias

    from ..klv import PrecisionTimeStampPack, SecurityLs, UasDatalinkLs, VmtiLs
    from ._values import Codec

__all__ = ["CLASSES", "Batch", "DemuxEvent", "Streams"]

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

_HEAD = Struct("<HHHHHBB")
_STREAM = Struct("<HBBBBH")
_LINK = Struct("<HHBB")
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


def _need_bytes(name: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes, not {type(value).__name__!r}")


class _VideoFields(_Decoded, _Payload):
    """What a video event and a video sample have in common."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "dts", "codec", "raw", "random_access_indicator", "av1_carriage")

    def __init__(
        self,
        *,
        stream: StreamId,
        pts: Pts90khz,
        dts: Pts90khz | None,
        codec: VideoCodec,
        raw: bytes,
        random_access_indicator: bool,
        av1_carriage: Av1CarriageMode | None = None,
    ) -> None:
        _need_bytes("raw", raw)
        values = (stream, pts, dts, codec, raw, random_access_indicator, av1_carriage)
        _set_state(self, (None, values, None))

    @property
    def codec(self) -> VideoCodec:
        """The video coding."""
        at, source, _ = self._state
        return source[3] if at is None else _CODECS[source.byte[8 * at + 29]]  # type: ignore[no-any-return]

    @property
    def raw(self) -> bytes:
        """The access unit as carried: Annex B, or for AV1 the framing of ``av1_carriage``."""
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
    def random_access_indicator(self) -> bool:
        """The adaptation field's random_access_indicator of the packet that began the PES."""
        at, source, _ = self._state
        return source[5] if at is None else source.half[4 * at + 17] & _F_RANDOM_ACCESS != 0  # type: ignore[no-any-return]

    @property
    def av1_carriage(self) -> Av1CarriageMode | None:
        """The configured AV1 framing; None for other codecs."""
        at, source, _ = self._state
        return source[6] if at is None else _CARRIAGE.get(source.byte[8 * at + 33])

    def parse(self, *, strict: bool = False) -> list[Any]:
        """Split into ``NalUnit`` or ``Obu`` objects.

        Raises:
            ValueError: with ``strict``, at the first malformed unit.
        """
        from ..codec import split_units

        if strict:
            return split_units(self.raw, self.codec, strict=True, carriage=self.av1_carriage)
        return split_units(self.raw, self.codec, carriage=self.av1_carriage)[0]


class DemuxEvent(_Record):
    """Base of all events; the kinds are its attributes: ``DemuxEvent.Video``, ``DemuxEvent.Klv`` and so on.

    >>> from tstrans.mpegts import Pts90khz, StreamId, StreamKindTag, MetadataKindTag
    >>> sid = StreamId(0x102, StreamKindTag.KLV_ASYNC, None, 1)
    >>> ev = DemuxEvent.Klv(sid, Pts90khz.from_ms(40), MetadataKindTag.KLV_ASYNC, b"...")
    >>> match ev:
    ...     case DemuxEvent.Klv(pts=p, payload=b):
    ...         print(p.ms, len(b))
    40 3
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Aliases, so that they serve as types, in patterns and as constructors alike.
        ProgramMap: TypeAlias = "_ProgramMapEvent"
        Video: TypeAlias = "_VideoEvent"
        Audio: TypeAlias = "_AudioEvent"
        Subtitle: TypeAlias = "_SubtitleEvent"
        Klv: TypeAlias = "_KlvEvent"
        Metadata: TypeAlias = "_KlvEvent"
        UnknownSample: TypeAlias = "_UnknownSampleEvent"
        Discontinuity: TypeAlias = "_DiscontinuityEvent"
        NonConformant: TypeAlias = "_NonConformantEvent"
        ReconnectDiscontinuity: TypeAlias = "_ReconnectDiscontinuityEvent"

    def __init__(self) -> None:
        _set_state(self, (None, (), None))


class _Dataclass(DemuxEvent):
    """The kinds that :mod:`dataclasses` shall take for frozen dataclasses."""

    __slots__ = ()
    if not TYPE_CHECKING:
        __dataclass_fields__ = _Description()
        __dataclass_params__ = _Description()


class _ProgramMapEvent(_Dataclass):
    """A program map of a new version was accepted; ``programs`` holds that one program."""

    __slots__ = ()
    __match_args__ = ("programs",)

    def __init__(self, programs: tuple[ProgramMap, ...]) -> None:
        _set_state(self, (None, (programs,), None))

    @property
    def programs(self) -> tuple[ProgramMap, ...]:
        """The accepted program."""
        at, source, got = self._state
        if at is None:
            return source[0]  # type: ignore[no-any-return]
        if got is None:
            got = (_program_map(source.text(at)),)
            _set_state(self, (at, source, got))
        return got  # type: ignore[no-any-return]


def _program_map(blob: bytes) -> ProgramMap:
    number, pcr_pid, pmt_pid, stream_count, link_count, _, _ = _HEAD.unpack_from(blob)
    at = _HEAD.size
    streams = []
    for _ in range(stream_count):
        pid, stream_type, kind, codec, _, size = _STREAM.unpack_from(blob, at)
        at += _STREAM.size
        descriptors = tuple(_descriptors(blob, at, at + size))
        streams.append(StreamInfo(pid, stream_type, _KINDS[kind], _CODECS[codec], number, descriptors))
        at += size
    links = []
    for klv_pid, video_pid, link, _ in _LINK.iter_unpack(blob[at : at + link_count * _LINK.size]):
        links.append(KlvLink(klv_pid, video_pid, _LINKS[link]))  # type: ignore[arg-type]
    return ProgramMap(number, pcr_pid, pmt_pid, tuple(streams), tuple(links))


def _descriptors(blob: bytes, at: int, end: int) -> Iterator[RawDescriptor]:
    while at + 2 <= end:
        body = at + 2 + blob[at + 1]
        yield RawDescriptor(blob[at], blob[at + 2 : body])
        at = body


class _VideoEvent(_VideoFields, DemuxEvent):
    """One coded picture (or field pair): the payload of one PES."""

    __slots__ = ()
    _label = "DemuxEvent.Video"


class _AudioEvent(_Decoded, _Payload, DemuxEvent):
    """One audio PES, of one or more frames. ``dts`` is always None."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "dts", "codec", "raw")
    _label = "DemuxEvent.Audio"

    def __init__(
        self, *, stream: StreamId, pts: Pts90khz, dts: Pts90khz | None, codec: AudioCodec, raw: bytes
    ) -> None:
        _need_bytes("raw", raw)
        _set_state(self, (None, (stream, pts, dts, codec, raw), None))

    @property
    def codec(self) -> AudioCodec:
        """The audio coding."""
        at, source, _ = self._state
        return source[3] if at is None else _CODECS[source.byte[8 * at + 29]]  # type: ignore[no-any-return]

    @property
    def raw(self) -> bytes:
        """The frames as carried."""
        at, source, got = self._state
        if got is None:
            if at is None:
                return source[4]  # type: ignore[no-any-return]
            small = source.small
            if small is None:
                return source.payload_of(self, at)  # type: ignore[no-any-return]
            return small[at >> 3]  # type: ignore[no-any-return]
        return got  # type: ignore[no-any-return]

    def parse(self, *, strict: bool = False) -> list[Any]:
        """Typed frames for AAC (ADTS) and MPEG audio; an empty list for the other codecs.

        Raises:
            CodecError: with ``strict``, at the first malformed frame.
        """
        from ..codec import parse_audio

        return parse_audio(self.raw, self.codec, strict=strict)


class _SubtitleEvent(_Decoded, _Payload, _Dataclass):
    """One subtitle PES. Of DVB subtitles the two header bytes and the end marker are taken off."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "dts", "codec", "payload")

    def __init__(
        self, stream: StreamId, pts: Pts90khz, dts: Pts90khz | None, codec: SubtitleCodec, payload: bytes
    ) -> None:
        _set_state(self, (None, (stream, pts, dts, codec, payload), None))

    @property
    def codec(self) -> SubtitleCodec:
        """The subtitle format."""
        at, source, _ = self._state
        return source[3] if at is None else _CODECS[source.byte[8 * at + 29]]  # type: ignore[no-any-return]


class _KlvFields(_Timed):
    __slots__ = ()

    @property
    def kind(self) -> MetadataKindTag:
        """How the unit was carried."""
        at, source, _ = self._state
        return source[2] if at is None else _METADATA[source.byte[8 * at + 33]]

    @property
    def payload(self) -> bytes:
        """The KLV bytes, fetched at first use and kept."""
        at, source, got = self._state
        if got is None:
            if at is None:
                return source[3]  # type: ignore[no-any-return]
            small = source.small
            if small is None:
                return source.payload_of(self, at)  # type: ignore[no-any-return]
            return small[at >> 3]  # type: ignore[no-any-return]
        return got  # type: ignore[no-any-return]

    @property
    def byte_len(self) -> int:
        """Length of the payload in bytes, without fetching it."""
        at, source, _ = self._state
        return len(source[3]) if at is None else source.word[2 * at + 5]


class _KlvEvent(_KlvFields, _Dataclass):
    """One metadata unit: a whole access unit cell (joined from fragments where needed) or one bare PES."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "kind", "payload", "was_reassembled", "cell_count")

    def __init__(
        self,
        stream: StreamId,
        pts: Pts90khz,
        kind: MetadataKindTag,
        payload: bytes,
        was_reassembled: bool = False,
        cell_count: int = 1,
    ) -> None:
        _set_state(self, (None, (stream, pts, kind, payload, was_reassembled, cell_count), None))

    @property
    def was_reassembled(self) -> bool:
        """Whether the unit was joined from several cells."""
        at, source, _ = self._state
        return source[4] if at is None else source.half[4 * at + 17] & _F_WAS_REASSEMBLED != 0  # type: ignore[no-any-return]

    @property
    def cell_count(self) -> int:
        """How many cells the unit came in."""
        at, source, _ = self._state
        return source[5] if at is None else source.word[2 * at + 11]  # type: ignore[no-any-return]

    def parse(
        self, *, strict: bool = False
    ) -> UasDatalinkLs | SecurityLs | PrecisionTimeStampPack | VmtiLs | None:
        """The typed record, or None for a universal label that is not known.

        Raises:
            KlvError: the payload is shorter than a label, or a known set is malformed.
        """
        from ..klv import parse_klv_universal

        return parse_klv_universal(self.payload, strict=strict)


class _UnknownSampleEvent(_Decoded, _Payload, _Dataclass):
    """One PES of a stream that is not classified, or whose content is not what its PMT announces."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "dts", "stream_type", "payload")

    def __init__(
        self, stream: StreamId, pts: Pts90khz, dts: Pts90khz | None, stream_type: int, payload: bytes
    ) -> None:
        _set_state(self, (None, (stream, pts, dts, stream_type, payload), None))

    @property
    def stream_type(self) -> int:
        """The PMT's stream_type; 0x15 for any KLV stream."""
        at, source, _ = self._state
        return source[3] if at is None else source.byte[8 * at + 56]  # type: ignore[no-any-return]


class _DiscontinuityEvent(_Stream, _Dataclass):
    """Bytes of a stream are missing, or its source said so."""

    __slots__ = ()
    __match_args__ = ("stream", "kind")

    def __init__(self, stream: StreamId, kind: DiscontinuityKindTag) -> None:
        _set_state(self, (None, (stream, kind), None))

    @property
    def kind(self) -> DiscontinuityKindTag:
        """Why."""
        at, source, _ = self._state
        return source[1] if at is None else _DISCONTINUITIES[source.byte[8 * at + 33]]  # type: ignore[no-any-return]


class _NonConformantEvent(_Stream, _Dataclass):
    """A deviation from the standard that was survived. The wording of ``issue`` is not a contract."""

    __slots__ = ()
    __match_args__ = ("stream", "issue", "kind", "multi_cell_au_reason", "observed_cfi", "treated_as")

    def __init__(
        self,
        stream: StreamId,
        issue: str,
        kind: NonConformantKind,
        multi_cell_au_reason: MultiCellAuReason | None = None,
        observed_cfi: CellFragmentIndication | None = None,
        treated_as: CellFragmentIndication | None = None,
    ) -> None:
        values = (stream, issue, kind, multi_cell_au_reason, observed_cfi, treated_as)
        _set_state(self, (None, values, None))

    @property
    def issue(self) -> str:
        """What was found, in words."""
        at, source, _ = self._state
        return source[1] if at is None else str(source.text(at), "utf-8", "replace")

    @property
    def kind(self) -> NonConformantKind:
        """What was found."""
        at, source, _ = self._state
        if at is None:
            return source[2]  # type: ignore[no-any-return]
        return _FINDINGS.get(source.byte[8 * at + 33], NonConformantKind.OTHER)

    @property
    def multi_cell_au_reason(self) -> MultiCellAuReason | None:
        """Why metadata fragments were dropped; only with ``MULTI_CELL_AU``."""
        at, source, _ = self._state
        return source[3] if at is None else _REASONS.get(source.byte[8 * at + 57])

    @property
    def observed_cfi(self) -> CellFragmentIndication | None:
        """The indication on the wire; only with ``CFI_TOLERATED``."""
        at, source, _ = self._state
        return source[4] if at is None else _CFIS.get(source.byte[8 * at + 58])

    @property
    def treated_as(self) -> CellFragmentIndication | None:
        """What the cell was taken for; only with ``CFI_TOLERATED``."""
        at, source, _ = self._state
        return source[5] if at is None else _CFIS.get(source.byte[8 * at + 59])


class _ReconnectDiscontinuityEvent(_Dataclass):
    """A managed transport connected anew; everything before and after may be unrelated."""

    __slots__ = ()

    def __init__(self) -> None:
        _set_state(self, (None, (), None))


_MetadataEvent = _KlvEvent
if not TYPE_CHECKING:
    DemuxEvent.ProgramMap = _ProgramMapEvent
    DemuxEvent.Video = _VideoEvent
    DemuxEvent.Audio = _AudioEvent
    DemuxEvent.Subtitle = _SubtitleEvent
    DemuxEvent.Klv = DemuxEvent.Metadata = _KlvEvent
    DemuxEvent.UnknownSample = _UnknownSampleEvent
    DemuxEvent.Discontinuity = _DiscontinuityEvent
    DemuxEvent.NonConformant = _NonConformantEvent
    DemuxEvent.ReconnectDiscontinuity = _ReconnectDiscontinuityEvent

#: Event classes by tst_record.type.
CLASSES: tuple[type[DemuxEvent], ...] = (
    DemuxEvent,
    _ProgramMapEvent,
    _VideoEvent,
    _AudioEvent,
    _SubtitleEvent,
    _KlvEvent,
    _UnknownSampleEvent,
    _DiscontinuityEvent,
    _NonConformantEvent,
    _ReconnectDiscontinuityEvent,
)
