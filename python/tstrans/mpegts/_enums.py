"""The enumerations of the transport-stream module. Values are the lower-cased names, bar one."""

from __future__ import annotations

import enum

from .._value import public_module

__all__ = [
    "AudioCodec",
    "Av1CarriageMode",
    "CellFragmentIndication",
    "DiscontinuityKindTag",
    "KlvStreamType",
    "LinkSource",
    "MetadataKindTag",
    "MultiCellAuReason",
    "NonConformantKind",
    "StreamKindTag",
    "StrictMode",
    "SubtitleCodec",
    "VideoCodec",
]


class VideoCodec(enum.Enum):
    """A video coding that the PMT announces."""

    H264 = "h264"
    H265 = "h265"
    H266 = "h266"
    AV1 = "av1"


class AudioCodec(enum.Enum):
    """An audio coding that the PMT announces. MP2 stands for all layers of MPEG-1 and MPEG-2 audio."""

    MP2 = "mp2"
    AAC = "aac"
    AAC_LATM = "aac_latm"
    AC3 = "ac3"


class SubtitleCodec(enum.Enum):
    """A subtitle or caption format that the PMT announces."""

    DVB_SUBTITLING = "dvb_subtitling"
    DVB_TELETEXT = "dvb_teletext"
    CEA708_STANDALONE = "cea708_standalone"
    WEBVTT_IN_TS = "webvtt_in_ts"


class KlvStreamType(enum.Enum):
    """How KLV rides: asynchronous private data (stream_type 0x06) or synchronous metadata (0x15)."""

    PRIVATE_DATA = "private_data"
    SYNCHRONOUS_METADATA = "synchronous_metadata"


class Av1CarriageMode(enum.Enum):
    """How AV1 units are framed in a PES: start-code framing of the MPEG-2 TS binding, or raw OBUs."""

    MPEG2_TS_BINDING = "mpeg2_ts_binding"
    INTEROP_RAW_OBU = "interop_raw_obu"


class StreamKindTag(enum.Enum):
    """What an elementary stream carries."""

    VIDEO = "video"
    AUDIO = "audio"
    KLV_SYNC = "klv_sync"
    KLV_ASYNC = "klv_async"
    SUBTITLE = "subtitle"
    UNKNOWN = "unknown"


class MetadataKindTag(enum.Enum):
    """How one metadata unit was carried: in a metadata AU cell, or as a bare KLV record."""

    KLV_SYNC_AU_CELL = "klv_sync_au_cell"
    KLV_ASYNC = "klv_async"
    UNKNOWN = "unknown"


class DiscontinuityKindTag(enum.Enum):
    """Why a stream's bytes are known to be interrupted."""

    CONTINUITY_JUMP = "continuity_jump"
    ADAPTATION_FIELD_FLAG = "adaptation_field_flag"
    PES_OVERSIZE = "pes_oversize"
    PES_TOTAL_OVERSIZE = "pes_total_oversize"


class NonConformantKind(enum.Enum):
    """A deviation from the standard that was seen and survived."""

    PCR_ANOMALY = "pcr_anomaly"
    PSI_CHECKSUM_MISMATCH = "psi_checksum_mismatch"
    PUSI_MID_PES = "pusi_mid_pes"
    MALFORMED_PES = "malformed_pes"
    TRANSPORT_ERROR_PACKET = "transport_error_packet"
    STREAM_TYPE_MISMATCH = "stream_type_mismatch"
    PID_REUSED_ACROSS_PROGRAMS = "pid_reused_across_programs"
    NAL_HEADER = "nal_header"
    AV1_OBU_HEADER = "av1_obu_header"
    AV1_REGISTRATION_MALFORMED = "av1_registration_malformed"
    PES_HEADER_MALFORMED = "pes_header_malformed"
    PTS_ANOMALY = "pts_anomaly"
    MISSING_REQUIRED_PTS = "missing_required_pts"
    PCR_MALFORMED = "pcr_malformed"
    SUBTITLE_ALIGNMENT_MISSING = "subtitle_alignment_missing"
    SUBTITLE_MISSING_DESCRIPTOR = "subtitle_missing_descriptor"
    MULTI_CELL_AU = "multi_cell_au"
    CFI_TOLERATED = "malformed_au_cell_cfi_tolerated"
    PSI_MULTI_SECTION_UNSUPPORTED = "psi_multi_section_unsupported"
    PSI_CC_DISCONTINUITY = "psi_cc_discontinuity"
    PSI_OVERLONG_SECTION = "psi_overlong_section"
    DVB_SUB_DATA_IDENTIFIER = "dvb_sub_data_identifier"
    LATM_FRAMING = "latm_framing"
    AC3_SYNC_MISSING = "ac3_sync_missing"
    AV1_MISSING_TS_OBU_FRAMING = "av1_missing_ts_obu_framing"
    AV1_OBU_MISSING_SIZE_FIELD = "av1_obu_missing_size_field"
    AV1_TILE_LIST_NOT_ALLOWED = "av1_tile_list_not_allowed"
    AV1_WRONG_STREAM_ID = "av1_wrong_stream_id"
    MISSING_METADATA_DESCRIPTOR = "missing_metadata_descriptor"
    SUBTITLE_DESCRIPTOR_AMBIGUOUS = "subtitle_descriptor_ambiguous"
    SUBTITLE_DESCRIPTOR_MALFORMED = "subtitle_descriptor_malformed"
    PMT_PROGRAM_NUMBER_MISMATCH = "pmt_program_number_mismatch"
    UNSUPPORTED_SCRAMBLING = "unsupported_scrambling"
    ADAPTATION_FIELD_MALFORMED = "adaptation_field_malformed"
    ZERO_LENGTH_PES_NON_VIDEO = "zero_length_pes_non_video"
    PSI_SYNTAX = "psi_syntax"
    OTHER = "other"


class StrictMode(enum.Enum):
    """Which findings become a :class:`~tstrans.exceptions.DemuxError`."""

    OFF = "off"
    TIMING_ONLY = "timing_only"
    PSI_ONLY = "psi_only"
    FULL = "full"


class LinkSource(enum.Enum):
    """How a KLV stream was tied to a video stream."""

    DECLARED = "declared"
    INFERRED = "inferred"
    OVERRIDE = "override"


class _WireCode:
    """A named small integer: equal to ints, convertible by ``int()``, not hashable."""

    __slots__ = ("_code", "_name")
    _code: int
    _name: str
    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} has fixed members; take one by name")

    @classmethod
    def _make(cls, code: int, name: str) -> None:
        member = cls.__new__(cls)
        object.__setattr__(member, "_code", code)
        object.__setattr__(member, "_name", name)
        setattr(cls, name, member)

    def __int__(self) -> int:
        return self._code

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, type(self)):
            return self._code == other._code
        if isinstance(other, int):
            return self._code == other
        return NotImplemented

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name}"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self!r} cannot be changed")

    def __reduce__(self) -> tuple[object, ...]:
        return getattr, (type(self), self._name)

    def __deepcopy__(self, memo: object) -> _WireCode:
        return self


class MultiCellAuReason(_WireCode):
    """Why fragments of a metadata access unit were dropped."""

    __slots__ = ()
    ORPHAN: MultiCellAuReason
    SEQUENCE_GAP: MultiCellAuReason
    CONCURRENT_FIRST: MultiCellAuReason
    OVERFLOW: MultiCellAuReason
    OVERFLOW_TOTAL: MultiCellAuReason
    TOO_MANY_PIDS: MultiCellAuReason


class CellFragmentIndication(_WireCode):
    """Which part of an access unit a metadata cell holds; the codes are the wire's two bits
    (ITU-T H.222.0 §2.12.4)."""

    __slots__ = ()
    MIDDLE: CellFragmentIndication
    LAST: CellFragmentIndication
    FIRST: CellFragmentIndication
    COMPLETE: CellFragmentIndication


for _cls in (MultiCellAuReason, CellFragmentIndication):
    for _code, _name in enumerate(_cls.__annotations__):
        _cls._make(_code, _name)
for _name in __all__:
    globals()[_name].__module__ = public_module(__name__)
