"""The enumerations of codec headers: singletons that equal their numbers, as the reproduced surface has them.

They compare with ``==`` to members and to int, convert with ``int()``, and are not hashable.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from .._value import public_module

__all__ = [
    "AacProfile",
    "ChannelMode",
    "ChromaFormat",
    "ColourPrimaries",
    "EntropyCodingMode",
    "H264SliceType",
    "H265SliceType",
    "H266SliceType",
    "Layer",
    "MatrixCoefficients",
    "MispTimeKind",
    "MpegVersion",
    "TransferCharacteristics",
    "Version",
]

_C = TypeVar("_C", bound="Code")


class Code:
    """Base of the enumerations; `members` makes the members of a class."""

    __slots__ = ("_name", "_value", "_variant")
    _name: str
    _value: int
    _variant: str
    _all: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.__module__ = public_module(cls.__module__)

    def __new__(cls: type[_C], *_: object, **__: object) -> _C:
        raise TypeError(f"No constructor defined for {cls.__name__}")

    def __int__(self) -> int:
        return self._value

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, int):
            return self._value == other
        return False if other.__class__ is self.__class__ else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}.{self._name}"

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError(f"cannot pickle {self.__class__.__name__!r} object")


def members(cls: type[_C], *names: str) -> tuple[_C, ...]:
    """Make the members of a class, numbered from 0: "NAME", or "NAME Variant" for the form in other reprs."""
    made = []
    for value, spec in enumerate(names):
        name, _, variant = spec.partition(" ")
        m = object.__new__(cls)
        m._name, m._value, m._variant = name, value, variant or name
        setattr(cls, name, m)
        made.append(m)
    cls._all = tuple(made)
    return tuple(made)


def name_of(code: Code) -> str:
    """The short name of a member, such as "LC"."""
    return code._name


def variant_of(code: Code) -> str:
    """The name of a member as it stands inside other reprs, such as "Lc"."""
    return code._variant


class ChromaFormat(Code):
    """How chroma samples relate to luma samples."""

    __slots__ = ()
    MONOCHROME: ClassVar[ChromaFormat]
    YUV420: ClassVar[ChromaFormat]
    YUV422: ClassVar[ChromaFormat]
    YUV444: ClassVar[ChromaFormat]
    INVALID: ClassVar[ChromaFormat]


class ColourPrimaries(Code):
    """Colour primaries. The numbers count the members, they are not code points of ITU-T H.273."""

    __slots__ = ()
    BT709: ClassVar[ColourPrimaries]
    UNSPECIFIED: ClassVar[ColourPrimaries]
    BT470M: ClassVar[ColourPrimaries]
    BT470BG: ClassVar[ColourPrimaries]
    SMPTE170M: ClassVar[ColourPrimaries]
    SMPTE240M: ClassVar[ColourPrimaries]
    FILM: ClassVar[ColourPrimaries]
    BT2020: ClassVar[ColourPrimaries]
    SMPTE_ST428: ClassVar[ColourPrimaries]
    SMPTE_RP431_2: ClassVar[ColourPrimaries]
    SMPTE_EG432_1: ClassVar[ColourPrimaries]
    EBU3213E: ClassVar[ColourPrimaries]
    RESERVED: ClassVar[ColourPrimaries]


class TransferCharacteristics(Code):
    """Transfer characteristics. The numbers count the members, they are not code points of ITU-T H.273."""

    __slots__ = ()
    BT709: ClassVar[TransferCharacteristics]
    UNSPECIFIED: ClassVar[TransferCharacteristics]
    GAMMA22: ClassVar[TransferCharacteristics]
    GAMMA28: ClassVar[TransferCharacteristics]
    SMPTE170M: ClassVar[TransferCharacteristics]
    SMPTE240M: ClassVar[TransferCharacteristics]
    LINEAR: ClassVar[TransferCharacteristics]
    LOG100: ClassVar[TransferCharacteristics]
    LOG_SQRT: ClassVar[TransferCharacteristics]
    IEC61966_2_4: ClassVar[TransferCharacteristics]
    BT1361E: ClassVar[TransferCharacteristics]
    IEC61966_2_1: ClassVar[TransferCharacteristics]
    BT2020_BITS10: ClassVar[TransferCharacteristics]
    BT2020_BITS12: ClassVar[TransferCharacteristics]
    SMPTE_ST2084: ClassVar[TransferCharacteristics]
    SMPTE_ST428: ClassVar[TransferCharacteristics]
    ARIB_STD_B67: ClassVar[TransferCharacteristics]
    RESERVED: ClassVar[TransferCharacteristics]


class MatrixCoefficients(Code):
    """Matrix coefficients. The numbers count the members, they are not code points of ITU-T H.273."""

    __slots__ = ()
    IDENTITY: ClassVar[MatrixCoefficients]
    BT709: ClassVar[MatrixCoefficients]
    UNSPECIFIED: ClassVar[MatrixCoefficients]
    FCC_MC: ClassVar[MatrixCoefficients]
    BT470BG: ClassVar[MatrixCoefficients]
    SMPTE170M: ClassVar[MatrixCoefficients]
    SMPTE240M: ClassVar[MatrixCoefficients]
    YCGCO: ClassVar[MatrixCoefficients]
    BT2020_NON_CONSTANT: ClassVar[MatrixCoefficients]
    BT2020_CONSTANT: ClassVar[MatrixCoefficients]
    SMPTE_ST2085: ClassVar[MatrixCoefficients]
    CHROMA_DERIVED_NON_CONSTANT: ClassVar[MatrixCoefficients]
    CHROMA_DERIVED_CONSTANT: ClassVar[MatrixCoefficients]
    ICTCP: ClassVar[MatrixCoefficients]
    IPT_C2: ClassVar[MatrixCoefficients]
    YCGCO_RE: ClassVar[MatrixCoefficients]
    YCGCO_RO: ClassVar[MatrixCoefficients]
    RESERVED: ClassVar[MatrixCoefficients]


class EntropyCodingMode(Code):
    """How H.264 codes residual data."""

    __slots__ = ()
    CAVLC: ClassVar[EntropyCodingMode]
    CABAC: ClassVar[EntropyCodingMode]


class H264SliceType(Code):
    """slice_type of H.264, modulo 5."""

    __slots__ = ()
    P: ClassVar[H264SliceType]
    B: ClassVar[H264SliceType]
    I: ClassVar[H264SliceType]  # noqa: E741
    Sp: ClassVar[H264SliceType]
    Si: ClassVar[H264SliceType]
    Unknown: ClassVar[H264SliceType]


class H265SliceType(Code):
    """slice_type of H.265."""

    __slots__ = ()
    B: ClassVar[H265SliceType]
    P: ClassVar[H265SliceType]
    I: ClassVar[H265SliceType]  # noqa: E741
    Unknown: ClassVar[H265SliceType]


class H266SliceType(Code):
    """sh_slice_type of H.266."""

    __slots__ = ()
    B: ClassVar[H266SliceType]
    P: ClassVar[H266SliceType]
    I: ClassVar[H266SliceType]  # noqa: E741
    Unknown: ClassVar[H266SliceType]


class AacProfile(Code):
    """profile of an ADTS header."""

    __slots__ = ()
    MAIN: ClassVar[AacProfile]
    LC: ClassVar[AacProfile]
    SSR: ClassVar[AacProfile]
    LTP: ClassVar[AacProfile]


class MpegVersion(Code):
    """Which AAC an ADTS header announces."""

    __slots__ = ()
    MPEG2: ClassVar[MpegVersion]
    MPEG4: ClassVar[MpegVersion]


class Layer(Code):
    """The layer of MPEG audio."""

    __slots__ = ()
    I: ClassVar[Layer]  # noqa: E741
    II: ClassVar[Layer]
    III: ClassVar[Layer]


class Version(Code):
    """The version of MPEG audio."""

    __slots__ = ()
    MPEG1: ClassVar[Version]
    MPEG2: ClassVar[Version]
    MPEG2_5: ClassVar[Version]


class ChannelMode(Code):
    """The channel mode of MPEG audio."""

    __slots__ = ()
    STEREO: ClassVar[ChannelMode]
    JOINT_STEREO: ClassVar[ChannelMode]
    DUAL_CHANNEL: ClassVar[ChannelMode]
    MONO: ClassVar[ChannelMode]


class MispTimeKind(Code):
    """The unit of a MISP time stamp."""

    __slots__ = ()
    MICRO: ClassVar[MispTimeKind]
    NANO: ClassVar[MispTimeKind]


CHROMA = members(ChromaFormat, "MONOCHROME", "YUV420", "YUV422", "YUV444", "INVALID")
_primaries = members(
    ColourPrimaries,
    "BT709 Bt709",
    "UNSPECIFIED Unspecified",
    "BT470M Bt470M",
    "BT470BG Bt470Bg",
    "SMPTE170M Smpte170M",
    "SMPTE240M Smpte240M",
    "FILM Film",
    "BT2020 Bt2020",
    "SMPTE_ST428 SmpteSt428",
    "SMPTE_RP431_2 SmpteRp431_2",
    "SMPTE_EG432_1 SmpteEg432_1",
    "EBU3213E Ebu3213E",
    "RESERVED Reserved",
)
_transfer = members(
    TransferCharacteristics,
    "BT709 Bt709",
    "UNSPECIFIED Unspecified",
    "GAMMA22 Gamma22",
    "GAMMA28 Gamma28",
    "SMPTE170M Smpte170M",
    "SMPTE240M Smpte240M",
    "LINEAR Linear",
    "LOG100 Log100",
    "LOG_SQRT LogSqrt",
    "IEC61966_2_4 Iec61966_2_4",
    "BT1361E Bt1361E",
    "IEC61966_2_1 Iec61966_2_1",
    "BT2020_BITS10 Bt2020Bits10",
    "BT2020_BITS12 Bt2020Bits12",
    "SMPTE_ST2084 SmpteSt2084",
    "SMPTE_ST428 SmpteSt428",
    "ARIB_STD_B67 AribStdB67",
    "RESERVED Reserved",
)
_matrix = members(
    MatrixCoefficients,
    "IDENTITY Identity",
    "BT709 Bt709",
    "UNSPECIFIED Unspecified",
    "FCC_MC FccMc",
    "BT470BG Bt470Bg",
    "SMPTE170M Smpte170M",
    "SMPTE240M Smpte240M",
    "YCGCO YCgCo",
    "BT2020_NON_CONSTANT Bt2020NonConstant",
    "BT2020_CONSTANT Bt2020Constant",
    "SMPTE_ST2085 SmpteSt2085",
    "CHROMA_DERIVED_NON_CONSTANT ChromaDerivedNonConstant",
    "CHROMA_DERIVED_CONSTANT ChromaDerivedConstant",
    "ICTCP IctCp",
    "IPT_C2 IptC2",
    "YCGCO_RE YCgCoRe",
    "YCGCO_RO YCgCoRo",
    "RESERVED Reserved",
)
ENTROPY = members(EntropyCodingMode, "CAVLC", "CABAC")
H264_SLICE = members(H264SliceType, "P", "B", "I", "Sp", "Si", "Unknown")
H265_SLICE = members(H265SliceType, "B", "P", "I", "Unknown")
H266_SLICE = members(H266SliceType, "B", "P", "I", "Unknown")
AAC_PROFILE = members(AacProfile, "MAIN Main", "LC Lc", "SSR Ssr", "LTP LongTermPrediction")
MPEG_VERSION = members(MpegVersion, "MPEG2", "MPEG4")
LAYER = members(Layer, "I", "II", "III")
VERSION = members(Version, "MPEG1 Mpeg1", "MPEG2 Mpeg2", "MPEG2_5 Mpeg2_5")
CHANNEL_MODE = members(
    ChannelMode, "STEREO Stereo", "JOINT_STEREO JointStereo", "DUAL_CHANNEL DualChannel", "MONO Mono"
)
MISP_KIND = members(MispTimeKind, "MICRO", "NANO")


def _by_code_point(made: tuple[_C, ...], codes: dict[int, int]) -> tuple[_C, ...]:
    """A table of 256 members by the code point of ITU-T H.273; what it does not know is the last member."""
    return tuple([made[codes.get(i, -1)] for i in range(256)])


PRIMARIES = _by_code_point(
    _primaries, {1: 0, 2: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7, 10: 8, 11: 9, 12: 10, 22: 11}
)
TRANSFER = _by_code_point(_transfer, {1: 0, 2: 1} | {i: i - 2 for i in range(4, 19)})
MATRIX = _by_code_point(_matrix, {0: 0, 1: 1, 2: 2} | {i: i - 1 for i in range(4, 18)})
