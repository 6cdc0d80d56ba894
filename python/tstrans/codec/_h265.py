"""H.265: video, sequence and picture parameter sets, slice segment headers."""

from __future__ import annotations

from .._native import codec_abi as abi
from ._enums import CHROMA, H265_SLICE, ChromaFormat, H265SliceType, name_of
from ._sets import (
    ParameterSet,
    SliceHeader,
    color_at,
    flag_text,
    known_sets,
    rate_at,
    remembered,
    sets_of,
    slice_of,
)
from ._values import BytesLike, ColorInfo, NalUnit, NoConstructor, Rational, as_bytes

__all__ = [
    "H265ParameterSets",
    "H265Pps",
    "H265ProfileTierLevel",
    "H265SliceHeaderLight",
    "H265Sps",
    "H265Vps",
    "parse_h265_parameter_sets",
    "parse_h265_pps",
    "parse_h265_slice_header_light",
    "parse_h265_sps",
    "parse_h265_vps",
]

_VPS_NAL, _SPS_NAL, _PPS_NAL = 32, 33, 34
_new = object.__new__
_vps_known = known_sets(abi.TST_PS_H265_VPS)
_sps_known = known_sets(abi.TST_PS_H265_SPS)
_pps_known = known_sets(abi.TST_PS_H265_PPS)


class H265ProfileTierLevel(NoConstructor):
    """profile_tier_level of a VPS or SPS, its general part."""

    __slots__ = ("_f",)
    _f: tuple[int, ...]  # in the order of the fields of a VPS, from PROFILE_SPACE on

    @property
    def general_profile_space(self) -> int:
        """general_profile_space."""
        return self._f[0]

    @property
    def general_profile_idc(self) -> int:
        """general_profile_idc."""
        return self._f[2]

    @property
    def general_tier_flag(self) -> bool:
        """Whether the high tier applies."""
        return self._f[1] != 0

    @property
    def general_level_idc(self) -> int:
        """The level times 30."""
        return self._f[3]

    @property
    def general_profile_compatibility_flags(self) -> int:
        """32 flags, flag 0 in the top bit."""
        return self._f[4]

    @property
    def general_progressive_source_flag(self) -> bool:
        """general_progressive_source_flag."""
        return self._f[5] != 0

    @property
    def general_interlaced_source_flag(self) -> bool:
        """general_interlaced_source_flag."""
        return self._f[6] != 0

    @property
    def general_non_packed_constraint_flag(self) -> bool:
        """general_non_packed_constraint_flag."""
        return self._f[7] != 0

    @property
    def general_frame_only_constraint_flag(self) -> bool:
        """general_frame_only_constraint_flag."""
        return self._f[8] != 0

    def __repr__(self) -> str:
        return (
            f"H265ProfileTierLevel(profile_idc={self.general_profile_idc}, "
            f"tier={flag_text(self.general_tier_flag)}, level_idc={self.general_level_idc})"
        )


def _profile_tier_level(fields: tuple[int, ...], at: int) -> H265ProfileTierLevel:
    out = object.__new__(H265ProfileTierLevel)
    out._f = fields[at : at + 9]
    return out


class H265Vps(ParameterSet):
    """A video parameter set of H.265."""

    __slots__ = ()

    @property
    def vps_video_parameter_set_id(self) -> int:
        """vps_video_parameter_set_id, 0 to 15."""
        return self._f[abi.TST_H265_VPS_ID]

    @property
    def max_layers_minus1(self) -> int:
        """vps_max_layers_minus1."""
        return self._f[abi.TST_H265_VPS_MAX_LAYERS_MINUS1]

    @property
    def max_sub_layers_minus1(self) -> int:
        """vps_max_sub_layers_minus1."""
        return self._f[abi.TST_H265_VPS_MAX_SUB_LAYERS_MINUS1]

    @property
    def temporal_id_nesting_flag(self) -> bool:
        """vps_temporal_id_nesting_flag."""
        return self._f[abi.TST_H265_VPS_TEMPORAL_ID_NESTING] != 0

    @property
    def general_profile_idc(self) -> int:
        """general_profile_idc."""
        return self._f[abi.TST_H265_VPS_PROFILE_IDC]

    @property
    def general_tier_flag(self) -> bool:
        """Whether the high tier applies."""
        return self._f[abi.TST_H265_VPS_TIER] != 0

    @property
    def general_level_idc(self) -> int:
        """The level times 30."""
        return self._f[abi.TST_H265_VPS_LEVEL_IDC]

    @property
    def general_profile_compatibility_flags(self) -> int:
        """32 flags, flag 0 in the top bit."""
        return self._f[abi.TST_H265_VPS_COMPATIBILITY_FLAGS]

    @property
    def general_progressive_source_flag(self) -> bool:
        """general_progressive_source_flag."""
        return self._f[abi.TST_H265_VPS_PROGRESSIVE_SOURCE] != 0

    @property
    def general_interlaced_source_flag(self) -> bool:
        """general_interlaced_source_flag."""
        return self._f[abi.TST_H265_VPS_INTERLACED_SOURCE] != 0

    @property
    def general_non_packed_constraint_flag(self) -> bool:
        """general_non_packed_constraint_flag."""
        return self._f[abi.TST_H265_VPS_NON_PACKED_CONSTRAINT] != 0

    @property
    def general_frame_only_constraint_flag(self) -> bool:
        """general_frame_only_constraint_flag."""
        return self._f[abi.TST_H265_VPS_FRAME_ONLY_CONSTRAINT] != 0

    def profile_tier_level(self) -> H265ProfileTierLevel:
        """All of profile_tier_level."""
        return _profile_tier_level(self._f, abi.TST_H265_VPS_PROFILE_SPACE)

    def __repr__(self) -> str:
        return (
            f"H265Vps(vps_id={self.vps_video_parameter_set_id}, "
            f"profile={self.general_profile_idc}, level={self.general_level_idc})"
        )


class H265Sps(ParameterSet):
    """A sequence parameter set of H.265."""

    __slots__ = ()

    @property
    def sps_seq_parameter_set_id(self) -> int:
        """sps_seq_parameter_set_id, 0 to 15."""
        return self._f[abi.TST_H265_SPS_ID]

    @property
    def sps_video_parameter_set_id(self) -> int:
        """The VPS it refers to."""
        return self._f[abi.TST_H265_SPS_VPS_ID]

    @property
    def max_sub_layers_minus1(self) -> int:
        """sps_max_sub_layers_minus1."""
        return self._f[abi.TST_H265_SPS_MAX_SUB_LAYERS_MINUS1]

    @property
    def general_profile_idc(self) -> int:
        """general_profile_idc."""
        return self._f[abi.TST_H265_SPS_PROFILE_IDC]

    @property
    def general_tier_flag(self) -> bool:
        """Whether the high tier applies."""
        return self._f[abi.TST_H265_SPS_TIER] != 0

    @property
    def general_level_idc(self) -> int:
        """The level times 30."""
        return self._f[abi.TST_H265_SPS_LEVEL_IDC]

    @property
    def general_profile_compatibility_flags(self) -> int:
        """32 flags, flag 0 in the top bit."""
        return self._f[abi.TST_H265_SPS_COMPATIBILITY_FLAGS]

    @property
    def general_progressive_source_flag(self) -> bool:
        """general_progressive_source_flag."""
        return self._f[abi.TST_H265_SPS_PROGRESSIVE_SOURCE] != 0

    @property
    def general_interlaced_source_flag(self) -> bool:
        """general_interlaced_source_flag."""
        return self._f[abi.TST_H265_SPS_INTERLACED_SOURCE] != 0

    @property
    def general_non_packed_constraint_flag(self) -> bool:
        """general_non_packed_constraint_flag."""
        return self._f[abi.TST_H265_SPS_NON_PACKED_CONSTRAINT] != 0

    @property
    def general_frame_only_constraint_flag(self) -> bool:
        """general_frame_only_constraint_flag."""
        return self._f[abi.TST_H265_SPS_FRAME_ONLY_CONSTRAINT] != 0

    @property
    def chroma_format(self) -> ChromaFormat:
        """The chroma format."""
        return CHROMA[self._f[abi.TST_H265_SPS_CHROMA]]

    @property
    def bit_depth_luma(self) -> int:
        """Bits of a luma sample."""
        return self._f[abi.TST_H265_SPS_BIT_DEPTH_LUMA]

    @property
    def bit_depth_chroma(self) -> int:
        """Bits of a chroma sample."""
        return self._f[abi.TST_H265_SPS_BIT_DEPTH_CHROMA]

    @property
    def width(self) -> int:
        """Luma samples of a row, after cropping."""
        return self._f[abi.TST_H265_SPS_WIDTH]

    @property
    def height(self) -> int:
        """Luma rows of a frame, after cropping."""
        return self._f[abi.TST_H265_SPS_HEIGHT]

    @property
    def crop_left(self) -> int:
        """Luma samples cropped at the left."""
        return self._f[abi.TST_H265_SPS_CROP_LEFT]

    @property
    def crop_right(self) -> int:
        """Luma samples cropped at the right."""
        return self._f[abi.TST_H265_SPS_CROP_RIGHT]

    @property
    def crop_top(self) -> int:
        """Luma rows cropped at the top."""
        return self._f[abi.TST_H265_SPS_CROP_TOP]

    @property
    def crop_bottom(self) -> int:
        """Luma rows cropped at the bottom."""
        return self._f[abi.TST_H265_SPS_CROP_BOTTOM]

    @property
    def frame_rate(self) -> Rational | None:
        """Frames a second; None when the stream does not tell."""
        return rate_at(self._f, abi.TST_H265_SPS_HAS_RATE)

    @property
    def color(self) -> ColorInfo | None:
        """How samples are to be shown; None when the stream does not tell."""
        return color_at(self._f, abi.TST_H265_SPS_HAS_COLOR)

    @property
    def log2_max_pic_order_cnt_lsb_minus4(self) -> int:
        """log2_max_pic_order_cnt_lsb_minus4."""
        return self._f[abi.TST_H265_SPS_LOG2_MAX_POC_LSB_MINUS4]

    def coded_width(self) -> int:
        """Luma samples of a row, before cropping."""
        return self._f[abi.TST_H265_SPS_CODED_WIDTH]

    def coded_height(self) -> int:
        """Luma rows of a frame, before cropping."""
        return self._f[abi.TST_H265_SPS_CODED_HEIGHT]

    def profile_tier_level(self) -> H265ProfileTierLevel:
        """All of profile_tier_level."""
        return _profile_tier_level(self._f, abi.TST_H265_SPS_PROFILE_SPACE)

    def __repr__(self) -> str:
        return (
            f"H265Sps(profile={self.general_profile_idc}, level={self.general_level_idc}, "
            f"{self.width}x{self.height}, sps_id={self.sps_seq_parameter_set_id})"
        )


class H265Pps(ParameterSet):
    """A picture parameter set of H.265."""

    __slots__ = ()

    @property
    def pps_pic_parameter_set_id(self) -> int:
        """pps_pic_parameter_set_id, 0 to 63."""
        return self._f[abi.TST_H265_PPS_ID]

    @property
    def pps_seq_parameter_set_id(self) -> int:
        """The SPS it refers to."""
        return self._f[abi.TST_H265_PPS_SPS_ID]

    def __repr__(self) -> str:
        return f"H265Pps(pps_id={self.pps_pic_parameter_set_id}, sps_id={self.pps_seq_parameter_set_id})"


class H265SliceHeaderLight(SliceHeader):
    """The head of a slice header of H.265."""

    __slots__ = ()

    @property
    def first_in_pic(self) -> bool:
        """first_slice_segment_in_pic_flag."""
        return self._f[abi.TST_H265_SLICE_FIRST] != 0

    @property
    def slice_type(self) -> H265SliceType:
        """The slice type."""
        return H265_SLICE[self._f[abi.TST_H265_SLICE_TYPE]]

    @property
    def pps_id(self) -> int:
        """The picture parameter set it refers to."""
        return self._f[abi.TST_H265_SLICE_PPS_ID]

    @property
    def idr(self) -> bool:
        """Whether the picture is an IDR picture."""
        return self._f[abi.TST_H265_SLICE_IDR] != 0

    @property
    def pic_order_cnt_lsb(self) -> int | None:
        """slice_pic_order_cnt_lsb, 0 for an IDR picture; None when the header was read without its SPS."""
        v = self._f[abi.TST_H265_SLICE_POC_LSB]
        return None if v < 0 else v

    def __repr__(self) -> str:
        return (
            f"H265SliceHeaderLight(first={flag_text(self.first_in_pic)}, "
            f"slice_type={name_of(self.slice_type)}, idr={flag_text(self.idr)})"
        )


class H265ParameterSets(NoConstructor):
    """The parameter sets found in a list of NAL units, by their ids."""

    __slots__ = ("_vps", "_sps", "_pps")
    _vps: dict[int, H265Vps]
    _sps: dict[int, H265Sps]
    _pps: dict[int, H265Pps]

    @property
    def vps_by_id(self) -> dict[int, H265Vps]:
        """VPS by id; a new dict at each access."""
        return dict(self._vps)

    @property
    def sps_by_id(self) -> dict[int, H265Sps]:
        """SPS by id; a new dict at each access."""
        return dict(self._sps)

    @property
    def pps_by_id(self) -> dict[int, H265Pps]:
        """PPS by id; a new dict at each access."""
        return dict(self._pps)

    def __repr__(self) -> str:
        return f"H265ParameterSets(n_vps={len(self._vps)}, n_sps={len(self._sps)}, n_pps={len(self._pps)})"


def parse_h265_vps(rbsp: BytesLike) -> H265Vps:
    """Read a VPS from the bytes after its NAL unit header. CodecError when they are not one."""
    # The usual case, a set seen before, is kept free of calls.
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H265Vps)
    try:
        out._f = _vps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H265_VPS, data)
    out._raw = data
    return out


def parse_h265_sps(rbsp: BytesLike) -> H265Sps:
    """Read a SPS from the bytes after its NAL unit header. CodecError when they are not one."""
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H265Sps)
    try:
        out._f = _sps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H265_SPS, data)
    out._raw = data
    return out


def parse_h265_pps(rbsp: BytesLike) -> H265Pps:
    """Read the ids of a PPS from the bytes after its NAL unit header."""
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H265Pps)
    try:
        out._f = _pps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H265_PPS, data)
    out._raw = data
    return out


def parse_h265_slice_header_light(
    rbsp: BytesLike, sps: H265Sps | None, nal_unit_type: int
) -> H265SliceHeaderLight:
    """Read the head of a slice segment header from the bytes after its NAL unit header.

    A later segment of a picture is read as common encoders write it, without dependent segments and extra
    header bits, which only the PPS tells; without the SPS its type is Unknown.
    """
    return slice_of(H265SliceHeaderLight, abi.TST_PS_H265_SLICE, rbsp, sps, H265Sps, nal_unit_type)


def parse_h265_parameter_sets(nals: list[NalUnit]) -> H265ParameterSets:
    """Collect the parameter sets of a list of NAL units; later ones replace earlier ones of the same id.

    Those that cannot be read are left out, unless that leaves none: CodecError of kind ENGINE_ERROR.
    """
    out = object.__new__(H265ParameterSets)
    out._vps, out._sps, out._pps = {}, {}, {}
    readers = {_VPS_NAL: parse_h265_vps, _SPS_NAL: parse_h265_sps, _PPS_NAL: parse_h265_pps}
    for made in sets_of(nals, "H265", readers):
        if isinstance(made, H265Vps):
            out._vps[made.vps_video_parameter_set_id] = made
        elif isinstance(made, H265Sps):
            out._sps[made.sps_seq_parameter_set_id] = made
        else:
            out._pps[made.pps_pic_parameter_set_id] = made
    return out
