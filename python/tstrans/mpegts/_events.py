"""What comes out of a demuxer.

An event that the library delivers keeps its place in a batch of records and reads its attributes from there
when they are asked for; a payload is fetched at its first use and kept. An event that a program builds holds
its values. Both are the same class and compare equal.
"""

from __future__ import annotations

from struct import Struct

from .._value import _Description
from ._enums import (
    AudioCodec,
    Av1CarriageMode,
    CellFragmentIndication,
    DiscontinuityKindTag,
    MetadataKindTag,
    MultiCellAuReason,
    NonConformantKind,
    SubtitleCodec,
    VideoCodec,
)
from ._record import (
    _CARRIAGE,
    _CFIS,
    _CODECS,
    _DISCONTINUITIES,
    _F_RANDOM_ACCESS,
    _F_WAS_REASSEMBLED,
    _FINDINGS,
    _KINDS,
    _LINKS,
    _METADATA,
    _REASONS,
    CLASSES,
    Batch,
    Streams,
    _Decoded,
    _Payload,
    _Record,
    _set_state,
    _Stream,
    _Timed,
)
from ._values import KlvLink, ProgramMap, Pts90khz, RawDescriptor, StreamId, StreamInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from ..klv import PrecisionTimeStampPack, SecurityLs, UasDatalinkLs, VmtiLs

__all__ = ["CLASSES", "Batch", "DemuxEvent", "Streams"]

_HEAD = Struct("<HHHHHBB")
_STREAM = Struct("<HBBBBH")
_LINK = Struct("<HHBB")


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

CLASSES[:] = (
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
