"""H.264: sequence and picture parameter sets, slice headers."""

from __future__ import annotations

from .._native import codec_abi as abi
from ._enums import CHROMA, ENTROPY, H264_SLICE, ChromaFormat, EntropyCodingMode, H264SliceType, name_of
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
    "H264ParameterSets",
    "H264Pps",
    "H264SliceHeaderLight",
    "H264Sps",
    "parse_h264_parameter_sets",
    "parse_h264_pps",
    "parse_h264_slice_header_light",
    "parse_h264_sps",
]

_SPS_NAL, _PPS_NAL = 7, 8
_new = object.__new__
_sps_known = known_sets(abi.TST_PS_H264_SPS)
_pps_known = known_sets(abi.TST_PS_H264_PPS)


class H264Sps(ParameterSet):
    """A sequence parameter set of H.264."""

    __slots__ = ()

    @property
    def seq_parameter_set_id(self) -> int:
        """seq_parameter_set_id, 0 to 31."""
        return self._f[abi.TST_H264_SPS_ID]

    @property
    def profile_idc(self) -> int:
        """profile_idc."""
        return self._f[abi.TST_H264_SPS_PROFILE_IDC]

    @property
    def level_idc(self) -> int:
        """The level times 10."""
        return self._f[abi.TST_H264_SPS_LEVEL_IDC]

    @property
    def constraint_set_flags(self) -> int:
        """The byte of constraint flags, constraint_set0_flag in the top bit."""
        return self._f[abi.TST_H264_SPS_CONSTRAINT_FLAGS]

    @property
    def chroma_format(self) -> ChromaFormat:
        """The chroma format."""
        return CHROMA[self._f[abi.TST_H264_SPS_CHROMA]]

    @property
    def bit_depth_luma(self) -> int:
        """Bits of a luma sample."""
        return self._f[abi.TST_H264_SPS_BIT_DEPTH_LUMA]

    @property
    def bit_depth_chroma(self) -> int:
        """Bits of a chroma sample."""
        return self._f[abi.TST_H264_SPS_BIT_DEPTH_CHROMA]

    @property
    def width(self) -> int:
        """Luma samples of a row, after cropping."""
        return self._f[abi.TST_H264_SPS_WIDTH]

    @property
    def height(self) -> int:
        """Luma rows of a frame, after cropping."""
        return self._f[abi.TST_H264_SPS_HEIGHT]

    @property
    def crop_left(self) -> int:
        """Luma samples cropped at the left."""
        return self._f[abi.TST_H264_SPS_CROP_LEFT]

    @property
    def crop_right(self) -> int:
        """Luma samples cropped at the right."""
        return self._f[abi.TST_H264_SPS_CROP_RIGHT]

    @property
    def crop_top(self) -> int:
        """Luma rows cropped at the top."""
        return self._f[abi.TST_H264_SPS_CROP_TOP]

    @property
    def crop_bottom(self) -> int:
        """Luma rows cropped at the bottom."""
        return self._f[abi.TST_H264_SPS_CROP_BOTTOM]

    @property
    def frame_rate(self) -> Rational | None:
        """Frames a second; None when the stream does not tell."""
        return rate_at(self._f, abi.TST_H264_SPS_HAS_RATE)

    @property
    def color(self) -> ColorInfo | None:
        """How samples are to be shown; None when the stream does not tell."""
        return color_at(self._f, abi.TST_H264_SPS_HAS_COLOR)

    @property
    def fixed_frame_rate(self) -> bool:
        """fixed_frame_rate_flag."""
        return self._f[abi.TST_H264_SPS_FIXED_FRAME_RATE] != 0

    @property
    def has_b_frames(self) -> bool:
        """Whether pictures may be shown in another order than they are coded."""
        return self._f[abi.TST_H264_SPS_HAS_B_FRAMES] != 0

    @property
    def frame_mbs_only(self) -> bool:
        """Whether there are no fields."""
        return self._f[abi.TST_H264_SPS_FRAME_MBS_ONLY] != 0

    @property
    def log2_max_frame_num_minus4(self) -> int:
        """log2_max_frame_num_minus4."""
        return self._f[abi.TST_H264_SPS_LOG2_MAX_FRAME_NUM_MINUS4]

    def coded_width(self) -> int:
        """Luma samples of a row, before cropping."""
        return self._f[abi.TST_H264_SPS_CODED_WIDTH]

    def coded_height(self) -> int:
        """Luma rows of a frame, before cropping."""
        return self._f[abi.TST_H264_SPS_CODED_HEIGHT]

    def __repr__(self) -> str:
        return (
            f"H264Sps(profile={self.profile_idc}, level={self.level_idc}, "
            f"{self.width}x{self.height}, sps_id={self.seq_parameter_set_id})"
        )


class H264Pps(ParameterSet):
    """A picture parameter set of H.264."""

    __slots__ = ()

    @property
    def pic_parameter_set_id(self) -> int:
        """pic_parameter_set_id, 0 to 255."""
        return self._f[abi.TST_H264_PPS_ID]

    @property
    def seq_parameter_set_id(self) -> int:
        """The SPS it refers to."""
        return self._f[abi.TST_H264_PPS_SPS_ID]

    @property
    def entropy_coding_mode(self) -> EntropyCodingMode:
        """How residual data is coded."""
        return ENTROPY[self._f[abi.TST_H264_PPS_CABAC]]

    def __repr__(self) -> str:
        return f"H264Pps(pps_id={self.pic_parameter_set_id}, sps_id={self.seq_parameter_set_id})"


class H264SliceHeaderLight(SliceHeader):
    """The head of a slice header of H.264."""

    __slots__ = ()

    @property
    def first_in_pic(self) -> bool:
        """Whether it begins its picture (first_mb_in_slice is 0)."""
        return self._f[abi.TST_H264_SLICE_FIRST] != 0

    @property
    def slice_type(self) -> H264SliceType:
        """The slice type."""
        return H264_SLICE[self._f[abi.TST_H264_SLICE_TYPE]]

    @property
    def pps_id(self) -> int:
        """The picture parameter set it refers to."""
        return self._f[abi.TST_H264_SLICE_PPS_ID]

    @property
    def idr(self) -> bool:
        """Whether the picture is an IDR picture."""
        return self._f[abi.TST_H264_SLICE_IDR] != 0

    @property
    def frame_num(self) -> int | None:
        """frame_num; None when the header was read without its SPS."""
        v = self._f[abi.TST_H264_SLICE_FRAME_NUM]
        return None if v < 0 else v

    def __repr__(self) -> str:
        return (
            f"H264SliceHeaderLight(first={flag_text(self.first_in_pic)}, "
            f"slice_type={name_of(self.slice_type)}, idr={flag_text(self.idr)})"
        )


class H264ParameterSets(NoConstructor):
    """The parameter sets found in a list of NAL units, by their ids."""

    __slots__ = ("_sps", "_pps")
    _sps: dict[int, H264Sps]
    _pps: dict[int, H264Pps]

    @property
    def sps_by_id(self) -> dict[int, H264Sps]:
        """SPS by id; a new dict at each access."""
        return dict(self._sps)

    @property
    def pps_by_id(self) -> dict[int, H264Pps]:
        """PPS by id; a new dict at each access."""
        return dict(self._pps)

    def __repr__(self) -> str:
        return f"H264ParameterSets(n_sps={len(self._sps)}, n_pps={len(self._pps)})"


def parse_h264_sps(rbsp: BytesLike) -> H264Sps:
    """Read a SPS from the bytes after its NAL unit header. CodecError when they are not one."""
    # The usual case, a set seen before, is kept free of calls.
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H264Sps)
    try:
        out._f = _sps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H264_SPS, data)
    out._raw = data
    return out


def parse_h264_pps(rbsp: BytesLike) -> H264Pps:
    """Read a PPS from the bytes after its NAL unit header, as far as the entropy coding mode."""
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H264Pps)
    try:
        out._f = _pps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H264_PPS, data)
    out._raw = data
    return out


def parse_h264_slice_header_light(
    rbsp: BytesLike, sps: H264Sps | None, nal_unit_type: int
) -> H264SliceHeaderLight:
    """Read the head of a slice header from the bytes after its NAL unit header."""
    return slice_of(H264SliceHeaderLight, abi.TST_PS_H264_SLICE, rbsp, sps, H264Sps, nal_unit_type)


def parse_h264_parameter_sets(nals: list[NalUnit]) -> H264ParameterSets:
    """Collect the parameter sets of a list of NAL units; later ones replace earlier ones of the same id.

    Those that cannot be read are left out, unless that leaves none: CodecError of kind ENGINE_ERROR.
    """
    out = object.__new__(H264ParameterSets)
    out._sps, out._pps = {}, {}
    for made in sets_of(nals, "H264", {_SPS_NAL: parse_h264_sps, _PPS_NAL: parse_h264_pps}):
        if isinstance(made, H264Sps):
            out._sps[made.seq_parameter_set_id] = made
        else:
            out._pps[made.pic_parameter_set_id] = made
    return out
