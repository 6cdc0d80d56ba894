"""What a muxer is to make: programs, their streams, and how often tables and clock come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .._value import public_module
from ..exceptions import MuxError, MuxErrorKind
from ._enums import AudioCodec, Av1CarriageMode, KlvStreamType, StreamKindTag, SubtitleCodec, VideoCodec
from ._values import (
    AudioStreamSpec,
    Cea708StandaloneConfig,
    DataStreamSpec,
    DvbSubtitlingConfig,
    DvbTeletextConfig,
    KlvStreamSpec,
    StreamSpec,
    SubtitleStreamSpec,
    VideoStreamSpec,
    WebVttInTsConfig,
)

if TYPE_CHECKING:
    from ._values import ProgramMap, StreamInfo, SubtitleCodecConfig

__all__ = ["MuxerConfig", "MuxerConfigBuilder", "MuxerProgramConfig", "MuxerProgramConfigBuilder"]

#: Anything `bytes()` takes.
BytesLike = bytes | bytearray | memoryview

# TST_MUX_ of tstrans/mux.h.
_VIDEO, _AUDIO, _KLV, _SUBTITLE, _DATA = range(5)
_E = TypeVar("_E", VideoCodec, AudioCodec, KlvStreamType, Av1CarriageMode)


def width(name: str, value: Any, bits: int) -> int:
    """An unsigned integer of so many bits; OverflowError where it does not fit."""
    n = index(value)
    if not 0 <= n < 1 << bits:
        raise OverflowError(f"{name}: {n} does not fit {bits} bits without a sign")
    return n


def _member(cls: type[_E], value: Any) -> _E:
    if isinstance(value, cls):
        return value
    raise ValueError(f"unknown {cls.__name__}: {value.value}")


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be bool; got {type(value).__name__}")
    return value


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    return bytes(value)


def _list_of_bytes(descs: Iterable[Any]) -> tuple[bytes, ...]:
    if isinstance(descs, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"a list of descriptors is required, not {type(descs).__name__!r}")
    made = []
    for d in descs:
        if hasattr(d, "__index__") and not hasattr(d, "__len__"):
            # bytes(3) would be a descriptor of three zeros.
            raise TypeError(f"a descriptor is bytes, not {type(d).__name__!r}")
        made.append(_bytes(d))
    return tuple(made)


class _NoConstructor:
    """Objects that only builders and the library make."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        cls.__module__ = public_module(cls.__module__)

    if not TYPE_CHECKING:

        def __new__(cls, *args: object, **kwargs: object) -> NoReturn:
            raise TypeError(f"No constructor defined for {cls.__name__}")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class MuxerProgramConfig(_NoConstructor):
    """One program as `MuxerProgramConfigBuilder` made it."""

    __slots__ = (
        "_descriptors",
        "_details",
        "_number",
        "_pcr_pid",
        "_pmt_pid",
        "_program_descriptors",
        "_streams",
    )
    _number: int
    _pmt_pid: int
    _pcr_pid: int | None
    _streams: tuple[StreamSpec, ...]
    _program_descriptors: tuple[bytes, ...]
    _descriptors: tuple[tuple[bytes, ...], ...]
    # What the library is told of each stream beside PID and descriptors.
    _details: tuple[dict[str, int | bytes], ...]

    @property
    def program_number(self) -> int:
        """The program's number."""
        return self._number

    @property
    def pmt_pid(self) -> int:
        """The PID of the program map."""
        return self._pmt_pid

    @property
    def pcr_pid(self) -> int | None:
        """The PID that shall carry the clock; None for the first video, else the first audio stream."""
        return self._pcr_pid

    @property
    def streams(self) -> tuple[StreamSpec, ...]:
        """The streams, in the order they were added."""
        return self._streams

    @property
    def program_descriptors(self) -> tuple[bytes, ...]:
        """Descriptors of the program, tag and length included."""
        return self._program_descriptors

    @property
    def stream_descriptors(self) -> tuple[tuple[bytes, ...], ...]:
        """Descriptors of each stream, parallel to `streams`."""
        return self._descriptors


class MuxerProgramConfigBuilder:
    """Collects the streams of one program.

    Args:
        program_number: 1 to 65535.
        pmt_pid: PID of the program map, 0x0010 to 0x1FFE.

    >>> from tstrans.mpegts import VideoCodec
    >>> prog = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    >>> [s.pid for s in prog.streams]
    [257]
    """

    __module__ = "tstrans.mpegts"
    __slots__ = (
        "_classes",
        "_descriptors",
        "_details",
        "_number",
        "_pcr_pid",
        "_pmt_pid",
        "_program",
        "_streams",
    )

    def __init__(self, program_number: int, pmt_pid: int) -> None:
        self._number = width("program_number", program_number, 16)
        self._pmt_pid = width("pmt_pid", pmt_pid, 16)
        self._pcr_pid: int | None = None
        self._program: tuple[bytes, ...] = ()
        self._streams: list[StreamSpec] = []
        self._classes: list[int] = []
        self._details: list[dict[str, int | bytes]] = []
        self._descriptors: list[tuple[bytes, ...]] = []

    @classmethod
    def _from(cls, program: MuxerProgramConfig) -> MuxerProgramConfigBuilder:
        """A builder that goes on where a program was built."""
        b = cls(program._number, program._pmt_pid)
        b._pcr_pid, b._program = program._pcr_pid, program._program_descriptors
        b._streams, b._descriptors = list(program._streams), list(program._descriptors)
        b._details = [dict(d) for d in program._details]
        b._classes = [int(d["class"]) for d in program._details]
        return b

    def _add(self, spec: StreamSpec, stream_class: int, **detail: int | bytes) -> MuxerProgramConfigBuilder:
        self._streams.append(spec)
        self._classes.append(stream_class)
        self._details.append({"class": stream_class, **detail})
        self._descriptors.append(())
        return self

    def add_video(self, pid: int, codec: VideoCodec) -> MuxerProgramConfigBuilder:
        """Add a video stream."""
        pid, codec = width("pid", pid, 16), _member(VideoCodec, codec)
        return self._add(VideoStreamSpec(pid, codec), _VIDEO, codec=_number_of(codec))

    def add_audio(self, pid: int, codec: AudioCodec) -> MuxerProgramConfigBuilder:
        """Add an audio stream without a language."""
        pid, codec = width("pid", pid, 16), _member(AudioCodec, codec)
        return self._add(AudioStreamSpec(pid, codec), _AUDIO, codec=_number_of(codec))

    def add_audio_with_language(
        self, pid: int, codec: AudioCodec, *, language: BytesLike
    ) -> MuxerProgramConfigBuilder:
        """Add an audio stream with an ISO 639-2 language of three bytes."""
        pid, codec, lang = width("pid", pid, 16), _member(AudioCodec, codec), _bytes(language)
        if len(lang) != 3:
            raise ValueError(f"language must be 3 bytes (ISO 639-2), got {len(lang)}")
        return self._add(AudioStreamSpec(pid, codec, lang), _AUDIO, codec=_number_of(codec), language=lang)

    def add_klv(
        self, pid: int, stream_type: KlvStreamType, *, carries_pts: bool
    ) -> MuxerProgramConfigBuilder:
        """Add a KLV stream: private data, or metadata AU cells, which need `carries_pts`."""
        pid, kind, pts = (
            width("pid", pid, 16),
            _member(KlvStreamType, stream_type),
            _flag("carries_pts", carries_pts),
        )
        sync = kind is KlvStreamType.SYNCHRONOUS_METADATA
        return self._add(KlvStreamSpec(pid, kind, pts), _KLV, klv_sync=sync, carries_pts=pts)

    def add_subtitle(self, pid: int, codec_config: SubtitleCodecConfig) -> MuxerProgramConfigBuilder:
        """Add a subtitle stream; the configuration object says which kind."""
        pid, c = width("pid", pid, 16), codec_config
        detail: dict[str, int | bytes]
        if isinstance(c, DvbSubtitlingConfig):
            codec = SubtitleCodec.DVB_SUBTITLING
            detail = {
                "language": c.language,
                "subtitling_type": c.subtitling_type,
                "composition_page": c.composition_page_id,
                "ancillary_page": c.ancillary_page_id,
            }
        elif isinstance(c, DvbTeletextConfig):
            codec = SubtitleCodec.DVB_TELETEXT
            detail = {
                "language": c.language,
                "teletext_type": c.teletext_type,
                "magazine": c.magazine_number,
                "page": c.page_number,
            }
        elif isinstance(c, Cea708StandaloneConfig):
            codec, detail = SubtitleCodec.CEA708_STANDALONE, {}
        elif isinstance(c, WebVttInTsConfig):
            codec, detail = SubtitleCodec.WEBVTT_IN_TS, {}
        else:
            raise TypeError(
                "expected one of (DvbSubtitlingConfig, DvbTeletextConfig, Cea708StandaloneConfig, "
                f"WebVttInTsConfig); got {type(c).__name__}"
            )
        return self._add(SubtitleStreamSpec(pid, codec), _SUBTITLE, codec=_number_of(codec), **detail)

    def add_data(self, pid: int, stream_type: int, *, carries_pts: bool) -> MuxerProgramConfigBuilder:
        """Add a private data stream with the stream_type that its PMT entry shall have."""
        pid, kind, pts = width("pid", pid, 16), index(stream_type), _flag("carries_pts", carries_pts)
        if not -(1 << 63) <= kind < 1 << 63:
            raise OverflowError(f"stream_type {kind} does not fit 64 bits")
        if not 0 <= kind <= 255:
            raise ValueError(f"stream_type must be in 0..=255, got {kind}")
        return self._add(DataStreamSpec(pid, kind, pts), _DATA, stream_type=kind, carries_pts=pts)

    def pcr_pid(self, pid: int) -> MuxerProgramConfigBuilder:
        """Choose the video or audio PID that carries the clock."""
        self._pcr_pid = width("pid", pid, 16)
        return self

    def program_descriptors(self, descs: Sequence[BytesLike]) -> MuxerProgramConfigBuilder:
        """Set the descriptors of the program, tag and length included. They are not looked into."""
        self._program = _list_of_bytes(descs)
        return self

    def _describe(
        self, name: str, stream_class: int, i: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        i, made = width(f"{name}_idx", i, 64), _list_of_bytes(descs)
        of_class = [k for k, c in enumerate(self._classes) if c == stream_class]
        if i >= len(of_class):
            raise MuxError(
                f"descriptor index {i} out of range for {name} streams in program {self._number} "
                f"(call after the corresponding add_{name})",
                kind=MuxErrorKind.INVALID_USAGE,
            )
        self._descriptors[of_class[i]] = made
        return self

    def stream_descriptors_for_video(
        self, video_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of a video stream, counted in the order of adding."""
        return self._describe("video", _VIDEO, video_idx, descs)

    def stream_descriptors_for_audio(
        self, audio_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of an audio stream, counted in the order of adding."""
        return self._describe("audio", _AUDIO, audio_idx, descs)

    def stream_descriptors_for_klv(
        self, klv_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of a KLV stream, counted in the order of adding."""
        return self._describe("klv", _KLV, klv_idx, descs)

    def stream_descriptors_for_subtitle(
        self, subtitle_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of a subtitle stream, counted in the order of adding."""
        return self._describe("subtitle", _SUBTITLE, subtitle_idx, descs)

    def stream_descriptors_for_data(
        self, data_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of a data stream, counted in the order of adding."""
        return self._describe("data", _DATA, data_idx, descs)

    def stream_descriptors_for_stream(
        self, abs_idx: int, descs: Sequence[BytesLike]
    ) -> MuxerProgramConfigBuilder:
        """Set the descriptors of a stream, counted over all classes in the order of adding."""
        i, made = width("abs_idx", abs_idx, 64), _list_of_bytes(descs)
        if i >= len(self._streams):
            raise MuxError(
                f"abs_idx {i} out of range for program {self._number} (has {len(self._streams)} streams)",
                kind=MuxErrorKind.INVALID_USAGE,
            )
        self._descriptors[i] = made
        return self

    def build(self) -> MuxerProgramConfig:
        """The program so far. It may be called again; rules are checked when a `MuxerConfig` is built."""
        made = object.__new__(MuxerProgramConfig)
        made._number, made._pmt_pid, made._pcr_pid = self._number, self._pmt_pid, self._pcr_pid
        made._streams, made._program_descriptors = tuple(self._streams), self._program
        made._descriptors = tuple(self._descriptors)
        made._details = tuple([dict(d) for d in self._details])
        return made


def _number_of(codec: Any) -> int:
    from .._native.mux_lib import codec_number

    return codec_number(codec)


class MuxerConfig(_NoConstructor):
    """A checked configuration of a muxer, made by `MuxerConfig.builder()`."""

    __slots__ = ("_av1_carriage", "_buffer_packets", "_pcr_ms", "_programs", "_psi_ms")
    _programs: tuple[MuxerProgramConfig, ...]
    _pcr_ms: int
    _psi_ms: int
    _buffer_packets: int
    _av1_carriage: Av1CarriageMode

    @property
    def programs(self) -> tuple[MuxerProgramConfig, ...]:
        """The programs."""
        return self._programs

    @property
    def pcr_interval_ms(self) -> int:
        """The most stream time between two clock references, in ms."""
        return self._pcr_ms

    @property
    def psi_interval_ms(self) -> int:
        """The stream time between two sets of tables, in ms."""
        return self._psi_ms

    @property
    def buffer_packets(self) -> int:
        """The most packets of 188 bytes that may wait."""
        return self._buffer_packets

    @property
    def av1_carriage(self) -> Av1CarriageMode:
        """How AV1 goes into PES packets."""
        return self._av1_carriage

    @staticmethod
    def builder() -> MuxerConfigBuilder:
        """A builder with the defaults."""
        return MuxerConfigBuilder()

    @staticmethod
    def from_program_map(
        pm: ProgramMap,
        drop: Sequence[StreamKindTag] | None = None,
        av1_carriage: Av1CarriageMode | None = None,
    ) -> MuxerConfig:
        """The configuration that makes the streams of a demuxed program again.

        Args:
            pm: the program.
            drop: kinds of streams to leave out.
            av1_carriage: how AV1 goes into PES packets; None means `MPEG2_TS_BINDING`.

        Raises:
            MuxError: CONFIG_INVALID where a stream cannot be made from what its PMT says (DVB subtitling and
                teletext), or nothing is left.
        """
        dropped = set()
        for tag in () if drop is None else drop:
            if not isinstance(tag, StreamKindTag):
                raise ValueError(f"expected a StreamKindTag member; got {tag!r}")
            dropped.add(tag)
        b = MuxerProgramConfigBuilder(pm.program_number, pm.pmt_pid)
        unmade = []
        for s in pm.streams:
            if s.kind in dropped:
                continue
            if s.kind is StreamKindTag.SUBTITLE and s.codec in (
                SubtitleCodec.DVB_SUBTITLING,
                SubtitleCodec.DVB_TELETEXT,
            ):
                unmade.append(f"pid {s.pid:#06x} ({s.codec.name})")
                continue
            _add_from_map(b, s)
            b.stream_descriptors_for_stream(
                len(b._streams) - 1, [bytes((d.tag, len(d.data))) + d.data for d in s.raw_descriptors]
            )
        if unmade:
            raise MuxError(
                f"from_program_map: a PMT does not say how to make {', '.join(unmade)} again; "
                "pass their kinds in `drop` to leave them out",
                kind=MuxErrorKind.CONFIG_INVALID,
            )
        if any(s.pid == pm.pcr_pid and isinstance(s, (VideoStreamSpec, AudioStreamSpec)) for s in b._streams):
            b.pcr_pid(pm.pcr_pid)
        made = MuxerConfigBuilder().add_program(b.build())
        if av1_carriage is not None:
            made.av1_carriage(av1_carriage)
        return made.build()


def _add_from_map(b: MuxerProgramConfigBuilder, s: StreamInfo) -> None:
    wanted: dict[StreamKindTag, type] = {
        StreamKindTag.VIDEO: VideoCodec,
        StreamKindTag.AUDIO: AudioCodec,
        StreamKindTag.SUBTITLE: SubtitleCodec,
    }
    cls = wanted.get(s.kind)
    if cls is not None and not isinstance(s.codec, cls):
        raise ValueError(
            f"stream pid {s.pid:#06x}: kind {s.kind.name} needs a {cls.__name__}; got {s.codec!r}"
        )
    if isinstance(s.codec, VideoCodec):
        b.add_video(s.pid, s.codec)
    elif isinstance(s.codec, AudioCodec):
        b.add_audio(s.pid, s.codec)
    elif isinstance(s.codec, SubtitleCodec):
        b.add_subtitle(
            s.pid, WebVttInTsConfig() if s.codec is SubtitleCodec.WEBVTT_IN_TS else Cea708StandaloneConfig()
        )
    elif s.kind is StreamKindTag.KLV_SYNC:
        b.add_klv(s.pid, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
    elif s.kind is StreamKindTag.KLV_ASYNC:
        b.add_klv(s.pid, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    else:
        b.add_data(s.pid, s.stream_type, carries_pts=True)


class MuxerConfigBuilder:
    """Collects programs and intervals; `build` checks every rule.

    >>> from tstrans.mpegts import VideoCodec
    >>> prog = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    >>> MuxerConfigBuilder().add_program(prog).pcr_interval_ms(20).build().pcr_interval_ms
    20
    """

    __module__ = "tstrans.mpegts"
    __slots__ = ("_av1_carriage", "_buffer_packets", "_pcr_ms", "_programs", "_psi_ms")

    def __init__(self) -> None:
        self._programs: list[MuxerProgramConfig] = []
        self._pcr_ms = 40
        self._psi_ms = 100
        self._buffer_packets = 10_000
        self._av1_carriage = Av1CarriageMode.MPEG2_TS_BINDING

    def add_program(self, prog: MuxerProgramConfig) -> MuxerConfigBuilder:
        """Add a program; programs appear in the PAT in this order."""
        if not isinstance(prog, MuxerProgramConfig):
            raise TypeError(f"prog must be a MuxerProgramConfig; got {type(prog).__name__}")
        self._programs.append(prog)
        return self

    def pcr_interval_ms(self, ms: int) -> MuxerConfigBuilder:
        """The most stream time between two clock references: 1 to 100 ms, 40 by default."""
        self._pcr_ms = width("ms", ms, 32)
        return self

    def psi_interval_ms(self, ms: int) -> MuxerConfigBuilder:
        """The stream time between two sets of tables: 10 ms or more, 100 by default."""
        self._psi_ms = width("ms", ms, 32)
        return self

    def buffer_packets(self, n: int) -> MuxerConfigBuilder:
        """The most packets that may wait to be pulled: 10 or more, 10000 by default."""
        self._buffer_packets = width("n", n, 64)
        return self

    def av1_carriage(self, mode: Av1CarriageMode) -> MuxerConfigBuilder:
        """How AV1 goes into PES packets."""
        self._av1_carriage = _member(Av1CarriageMode, mode)
        return self

    def build(self) -> MuxerConfig:
        """The checked configuration.

        Raises:
            MuxError: CONFIG_INVALID for a rule that is broken.
        """
        made = object.__new__(MuxerConfig)
        made._programs = tuple(self._programs)
        made._pcr_ms, made._psi_ms = self._pcr_ms, self._psi_ms
        made._buffer_packets, made._av1_carriage = self._buffer_packets, self._av1_carriage
        from .._native.mux_lib import check_config

        check_config(made)
        return made
