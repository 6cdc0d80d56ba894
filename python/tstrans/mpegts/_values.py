"""Timestamps, stream descriptions and the other plain values of the transport-stream module."""

from __future__ import annotations

from .._value import Value
from ._enums import AudioCodec, LinkSource, StreamKindTag, SubtitleCodec, VideoCodec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._enums import KlvStreamType

__all__ = [
    "AudioStreamSpec",
    "Cea708StandaloneConfig",
    "Codec",
    "DataStreamSpec",
    "DvbSubtitlingConfig",
    "DvbTeletextConfig",
    "KlvLink",
    "KlvStreamSpec",
    "ProgramMap",
    "Pts90khz",
    "RawDescriptor",
    "StreamId",
    "StreamInfo",
    "StreamSpec",
    "SubtitleCodecConfig",
    "SubtitleStreamSpec",
    "VideoStreamSpec",
    "WebVttInTsConfig",
]

_set = object.__setattr__

#: What a stream may be coded in; None for KLV and unknown streams.
Codec = VideoCodec | AudioCodec | SubtitleCodec | None


class Pts90khz(Value):
    """A timestamp in ticks of 1/90000 s, as the wire has it.

    >>> Pts90khz.from_seconds(1.5)
    Pts90khz(raw=135000, ms=1500)
    """

    __slots__ = ("raw",)
    raw: int

    def __init__(self, raw: int) -> None:
        if not -(1 << 63) <= raw < 1 << 63:
            raise ValueError(f"Pts90khz.raw must fit a signed 64-bit integer; got {raw}")
        _set(self, "raw", raw)

    @classmethod
    def from_raw(cls, ticks: int) -> Pts90khz:
        """From ticks of 1/90000 s, by ``int(ticks)``."""
        return cls(int(ticks))

    @classmethod
    def from_ms(cls, ms: int) -> Pts90khz:
        """From whole milliseconds."""
        return cls(int(ms) * 90)

    @classmethod
    def from_seconds(cls, seconds: float) -> Pts90khz:
        """From seconds; a part of a tick is dropped, toward zero."""
        return cls(int(seconds * 90000))

    @property
    def ms(self) -> int:
        """Whole milliseconds, truncated toward zero."""
        raw = self.raw
        return raw // 90 if raw >= 0 else -(-raw // 90)

    @property
    def seconds(self) -> float:
        """Seconds."""
        return self.raw / 90000.0

    # Written out rather than inherited: these run once an event in many programs.
    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.raw == other.raw

    def __hash__(self) -> int:
        return hash((self.raw,))

    def __repr__(self) -> str:
        return f"Pts90khz(raw={self.raw}, ms={self.ms})"


class StreamId(Value):
    """Which elementary stream an event belongs to. ``codec`` is None for KLV and unknown streams."""

    __slots__ = ("pid", "kind", "codec", "program_number")
    pid: int
    kind: StreamKindTag
    codec: Codec
    program_number: int

    def __init__(self, pid: int, kind: StreamKindTag, codec: Codec, program_number: int) -> None:
        _set(self, "pid", pid)
        _set(self, "kind", kind)
        _set(self, "codec", codec)
        _set(self, "program_number", program_number)


class RawDescriptor(Value):
    """One descriptor of a PMT: ``data`` is its body, without the tag and length bytes."""

    __slots__ = ("tag", "data")
    tag: int
    data: bytes

    def __init__(self, tag: int, data: bytes) -> None:
        _set(self, "tag", tag)
        _set(self, "data", data)


class StreamInfo(Value):
    """One elementary stream as its PMT announces it, descriptors in PMT order."""

    __slots__ = ("pid", "stream_type", "kind", "codec", "program_number", "raw_descriptors")
    pid: int
    stream_type: int
    kind: StreamKindTag
    codec: Codec
    program_number: int
    raw_descriptors: tuple[RawDescriptor, ...]

    def __init__(
        self,
        pid: int,
        stream_type: int,
        kind: StreamKindTag,
        codec: Codec,
        program_number: int,
        raw_descriptors: tuple[RawDescriptor, ...] = (),
    ) -> None:
        _set(self, "pid", pid)
        _set(self, "stream_type", stream_type)
        _set(self, "kind", kind)
        _set(self, "codec", codec)
        _set(self, "program_number", program_number)
        _set(self, "raw_descriptors", raw_descriptors)


class KlvLink(Value):
    """Which video stream a KLV stream describes, and how that is known."""

    __slots__ = ("klv_pid", "video_pid", "source")
    klv_pid: int
    video_pid: int
    source: LinkSource

    def __init__(self, klv_pid: int, video_pid: int, source: LinkSource) -> None:
        _set(self, "klv_pid", klv_pid)
        _set(self, "video_pid", video_pid)
        _set(self, "source", source)


class ProgramMap(Value):
    """One program: its streams in PMT order, and which KLV belongs to which video."""

    __slots__ = ("program_number", "pcr_pid", "pmt_pid", "streams", "klv_links")
    program_number: int
    pcr_pid: int
    pmt_pid: int
    streams: tuple[StreamInfo, ...]
    klv_links: tuple[KlvLink, ...]

    def __init__(
        self,
        program_number: int,
        pcr_pid: int,
        pmt_pid: int,
        streams: tuple[StreamInfo, ...],
        klv_links: tuple[KlvLink, ...],
    ) -> None:
        _set(self, "program_number", program_number)
        _set(self, "pcr_pid", pcr_pid)
        _set(self, "pmt_pid", pmt_pid)
        _set(self, "streams", streams)
        _set(self, "klv_links", klv_links)


class StreamSpec(Value):
    """One stream of a muxer's program; its subclasses say of which kind."""

    __slots__ = ("pid",)
    pid: int

    def __init__(self, pid: int) -> None:
        _set(self, "pid", pid)


class VideoStreamSpec(StreamSpec):
    """A video stream of a muxer's program."""

    __slots__ = ("codec",)
    codec: VideoCodec

    def __init__(self, pid: int, codec: VideoCodec) -> None:
        _set(self, "pid", pid)
        _set(self, "codec", codec)


class KlvStreamSpec(StreamSpec):
    """A KLV stream of a muxer's program."""

    __slots__ = ("stream_type", "carries_pts")
    stream_type: KlvStreamType
    carries_pts: bool

    def __init__(self, pid: int, stream_type: KlvStreamType, carries_pts: bool) -> None:
        _set(self, "pid", pid)
        _set(self, "stream_type", stream_type)
        _set(self, "carries_pts", carries_pts)


class AudioStreamSpec(StreamSpec):
    """An audio stream of a muxer's program; ``language`` is three ISO 639-2 bytes or None."""

    __slots__ = ("codec", "language")
    codec: AudioCodec
    language: bytes | None

    def __init__(self, pid: int, codec: AudioCodec, language: bytes | None = None) -> None:
        _set(self, "pid", pid)
        _set(self, "codec", codec)
        _set(self, "language", language)


class SubtitleStreamSpec(StreamSpec):
    """A subtitle stream of a muxer's program."""

    __slots__ = ("codec",)
    codec: SubtitleCodec

    def __init__(self, pid: int, codec: SubtitleCodec) -> None:
        _set(self, "pid", pid)
        _set(self, "codec", codec)


class DataStreamSpec(StreamSpec):
    """A private data stream of a muxer's program, with the stream_type its PMT shall name."""

    __slots__ = ("stream_type", "carries_pts")
    stream_type: int
    carries_pts: bool

    def __init__(self, pid: int, stream_type: int, carries_pts: bool) -> None:
        _set(self, "pid", pid)
        _set(self, "stream_type", stream_type)
        _set(self, "carries_pts", carries_pts)


def _check_language(language: object) -> None:
    if type(language) is not bytes or len(language) != 3:
        raise ValueError(f"language must be 3 bytes (ISO 639-2), got {language!r}")


def _check_int(name: str, value: object, limit: int | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be int; got {type(value).__name__}")
    if limit is not None and not 0 <= value <= limit:
        raise ValueError(f"{name} must be in 0..={limit}; got {value}")


class DvbSubtitlingConfig(Value):
    """What the DVB subtitling descriptor says (ETSI EN 300 468 §6.2.41)."""

    __slots__ = ("language", "subtitling_type", "composition_page_id", "ancillary_page_id")
    language: bytes
    subtitling_type: int
    composition_page_id: int
    ancillary_page_id: int

    def __init__(
        self, language: bytes, subtitling_type: int, composition_page_id: int, ancillary_page_id: int
    ) -> None:
        _check_language(language)
        _check_int("subtitling_type", subtitling_type, 0xFF)
        _check_int("composition_page_id", composition_page_id, 0xFFFF)
        _check_int("ancillary_page_id", ancillary_page_id, 0xFFFF)
        _set(self, "language", language)
        _set(self, "subtitling_type", subtitling_type)
        _set(self, "composition_page_id", composition_page_id)
        _set(self, "ancillary_page_id", ancillary_page_id)


class DvbTeletextConfig(Value):
    """What the DVB teletext descriptor says (ETSI EN 300 468 §6.2.43); ``page_number`` is two BCD digits."""

    __slots__ = ("language", "teletext_type", "magazine_number", "page_number")
    language: bytes
    teletext_type: int
    magazine_number: int
    page_number: int

    def __init__(self, language: bytes, teletext_type: int, magazine_number: int, page_number: int) -> None:
        _check_language(language)
        _check_int("teletext_type", teletext_type, 31)
        _check_int("magazine_number", magazine_number, 7)
        _check_int("page_number", page_number, None)
        if not 0 <= page_number <= 0x99 or page_number & 0x0F > 9:
            raise ValueError(f"page_number must be two BCD digits, 0x00..=0x99; got {page_number:#04x}")
        _set(self, "language", language)
        _set(self, "teletext_type", teletext_type)
        _set(self, "magazine_number", magazine_number)
        _set(self, "page_number", page_number)


class Cea708StandaloneConfig(Value):
    """CEA-708 captions in a stream of their own; nothing to configure."""

    __slots__ = ()


class WebVttInTsConfig(Value):
    """WebVTT cues in a stream of their own; nothing to configure."""

    __slots__ = ()


#: What ``add_subtitle`` takes.
SubtitleCodecConfig = DvbSubtitlingConfig | DvbTeletextConfig | Cea708StandaloneConfig | WebVttInTsConfig
