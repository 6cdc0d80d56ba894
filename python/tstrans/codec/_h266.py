"""H.266: video, sequence and picture parameter sets, slice headers."""

from __future__ import annotations

from .._native import codec_abi as abi
from ._enums import CHROMA, H266_SLICE, ChromaFormat, H266SliceType, name_of
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
    "H266ParameterSets",
    "H266Pps",
    "H266ProfileTierLevel",
    "H266SliceHeaderLight",
    "H266Sps",
    "H266Vps",
    "parse_h266_parameter_sets",
    "parse_h266_pps",
    "parse_h266_slice_header_light",
    "parse_h266_sps",
    "parse_h266_vps",
]

_VPS_NAL, _SPS_NAL, _PPS_NAL = 14, 15, 16
_new = object.__new__
_vps_known = known_sets(abi.TST_PS_H266_VPS)
_sps_known = known_sets(abi.TST_PS_H266_SPS)
_pps_known = known_sets(abi.TST_PS_H266_PPS)


class H266ProfileTierLevel(NoConstructor):
    """profile_tier_level of a SPS, its general part."""

    __slots__ = ("_level", "_profile", "_tier")
    _profile: int
    _tier: bool
    _level: int

    @property
    def general_profile_idc(self) -> int:
        """general_profile_idc."""
        return self._profile

    @property
    def general_tier_flag(self) -> bool:
        """Whether the high tier applies."""
        return self._tier

    @property
    def general_level_idc(self) -> int:
        """general_level_idc: 16 times the level, plus 3 for each minor step."""
        return self._level

    def __repr__(self) -> str:
        return (
            f"H266ProfileTierLevel(profile_idc={self._profile}, "
            f"tier={flag_text(self._tier)}, level_idc={self._level})"
        )


class H266Vps(ParameterSet):
    """A video parameter set of H.266."""

    __slots__ = ()

    @property
    def vps_id(self) -> int:
        """vps_video_parameter_set_id, 0 to 15."""
        return self._f[abi.TST_H266_VPS_ID]

    @property
    def max_layers(self) -> int:
        """The most layers, 1 to 64."""
        return self._f[abi.TST_H266_VPS_MAX_LAYERS]

    @property
    def max_sub_layers(self) -> int:
        """The most sub-layers, 1 to 8."""
        return self._f[abi.TST_H266_VPS_MAX_SUB_LAYERS]

    def __repr__(self) -> str:
        return (
            f"H266Vps(vps_id={self.vps_id}, max_layers={self.max_layers}, "
            f"max_sub_layers={self.max_sub_layers})"
        )


class H266Sps(ParameterSet):
    """A sequence parameter set of H.266."""

    __slots__ = ()

    @property
    def sps_id(self) -> int:
        """sps_seq_parameter_set_id, 0 to 15."""
        return self._f[abi.TST_H266_SPS_ID]

    @property
    def vps_id(self) -> int:
        """The VPS it refers to, 0 for none."""
        return self._f[abi.TST_H266_SPS_VPS_ID]

    @property
    def general_profile_idc(self) -> int:
        """general_profile_idc."""
        return self._f[abi.TST_H266_SPS_PROFILE_IDC]

    @property
    def general_tier_flag(self) -> bool:
        """Whether the high tier applies."""
        return self._f[abi.TST_H266_SPS_TIER] != 0

    @property
    def general_level_idc(self) -> int:
        """general_level_idc: 16 times the level, plus 3 for each minor step."""
        return self._f[abi.TST_H266_SPS_LEVEL_IDC]

    @property
    def chroma_format(self) -> ChromaFormat:
        """The chroma format."""
        return CHROMA[self._f[abi.TST_H266_SPS_CHROMA]]

    @property
    def bit_depth_luma(self) -> int:
        """Bits of a luma sample."""
        return self._f[abi.TST_H266_SPS_BIT_DEPTH]

    @property
    def bit_depth_chroma(self) -> int:
        """Bits of a chroma sample."""
        return self._f[abi.TST_H266_SPS_BIT_DEPTH]

    @property
    def width(self) -> int:
        """Luma samples of a row, after cropping."""
        return self._f[abi.TST_H266_SPS_WIDTH]

    @property
    def height(self) -> int:
        """Luma rows of a frame, after cropping."""
        return self._f[abi.TST_H266_SPS_HEIGHT]

    @property
    def crop_left(self) -> int:
        """Luma samples cropped at the left."""
        return self._f[abi.TST_H266_SPS_CROP_LEFT]

    @property
    def crop_right(self) -> int:
        """Luma samples cropped at the right."""
        return self._f[abi.TST_H266_SPS_CROP_RIGHT]

    @property
    def crop_top(self) -> int:
        """Luma rows cropped at the top."""
        return self._f[abi.TST_H266_SPS_CROP_TOP]

    @property
    def crop_bottom(self) -> int:
        """Luma rows cropped at the bottom."""
        return self._f[abi.TST_H266_SPS_CROP_BOTTOM]

    @property
    def frame_rate(self) -> Rational | None:
        """Frames a second; None when the stream does not tell."""
        return rate_at(self._f, abi.TST_H266_SPS_HAS_RATE)

    @property
    def color(self) -> ColorInfo | None:
        """How samples are to be shown; None when the stream does not tell."""
        return color_at(self._f, abi.TST_H266_SPS_HAS_COLOR)

    def coded_width(self) -> int:
        """Luma samples of a row, before cropping."""
        return self._f[abi.TST_H266_SPS_CODED_WIDTH]

    def coded_height(self) -> int:
        """Luma rows of a frame, before cropping."""
        return self._f[abi.TST_H266_SPS_CODED_HEIGHT]

    def profile_tier_level(self) -> H266ProfileTierLevel:
        """All of profile_tier_level."""
        out = object.__new__(H266ProfileTierLevel)
        out._profile, out._tier, out._level = (
            self.general_profile_idc,
            self.general_tier_flag,
            self.general_level_idc,
        )
        return out

    def __repr__(self) -> str:
        return (
            f"H266Sps(profile={self.general_profile_idc}, level={self.general_level_idc}, "
            f"{self.width}x{self.height}, sps_id={self.sps_id})"
        )


class H266Pps(ParameterSet):
    """A picture parameter set of H.266."""

    __slots__ = ()

    @property
    def pps_id(self) -> int:
        """pps_pic_parameter_set_id, 0 to 63."""
        return self._f[abi.TST_H266_PPS_ID]

    @property
    def sps_id(self) -> int:
        """The SPS it refers to."""
        return self._f[abi.TST_H266_PPS_SPS_ID]

    def __repr__(self) -> str:
        return f"H266Pps(pps_id={self.pps_id}, sps_id={self.sps_id})"


class H266SliceHeaderLight(SliceHeader):
    """The head of a slice header of H.266."""

    __slots__ = ()

    @property
    def first_in_pic(self) -> bool:
        """Whether the slice header holds the picture header."""
        return self._f[abi.TST_H266_SLICE_FIRST] != 0

    @property
    def slice_type(self) -> H266SliceType:
        """The slice type."""
        return H266_SLICE[self._f[abi.TST_H266_SLICE_TYPE]]

    @property
    def pps_id(self) -> int:
        """The picture parameter set it refers to."""
        return self._f[abi.TST_H266_SLICE_PPS_ID]

    @property
    def idr(self) -> bool:
        """Whether the picture is an IDR picture."""
        return self._f[abi.TST_H266_SLICE_IDR] != 0

    @property
    def pic_order_cnt_lsb(self) -> int | None:
        """ph_pic_order_cnt_lsb; None when the header does not tell or was read without its SPS."""
        v = self._f[abi.TST_H266_SLICE_POC_LSB]
        return None if v < 0 else v

    def __repr__(self) -> str:
        return (
            f"H266SliceHeaderLight(first={flag_text(self.first_in_pic)}, "
            f"slice_type={name_of(self.slice_type)}, idr={flag_text(self.idr)})"
        )


class H266ParameterSets(NoConstructor):
    """The parameter sets found in a list of NAL units, in their order."""

    __slots__ = ("_pps", "_sps", "_vps")
    _vps: list[H266Vps]
    _sps: list[H266Sps]
    _pps: list[H266Pps]

    @property
    def vpses(self) -> list[H266Vps]:
        """All VPS; a new list at each access."""
        return list(self._vps)

    @property
    def spses(self) -> list[H266Sps]:
        """All SPS; a new list at each access."""
        return list(self._sps)

    @property
    def ppses(self) -> list[H266Pps]:
        """All PPS; a new list at each access."""
        return list(self._pps)

    def __repr__(self) -> str:
        return f"H266ParameterSets(n_vps={len(self._vps)}, n_sps={len(self._sps)}, n_pps={len(self._pps)})"


def parse_h266_vps(rbsp: BytesLike) -> H266Vps:
    """Read the head of a VPS from the bytes after its NAL unit header."""
    # The usual case, a set seen before, is kept free of calls.
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H266Vps)
    try:
        out._f = _vps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H266_VPS, data)
    out._raw = data
    return out


def parse_h266_sps(rbsp: BytesLike) -> H266Sps:
    """Read a SPS from the bytes after its NAL unit header.

    CodecError when they are not one; of kind UNSUPPORTED_PROFILE for subpictures and explicit scaling lists.
    """
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H266Sps)
    try:
        out._f = _sps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H266_SPS, data)
    out._raw = data
    return out


def parse_h266_pps(rbsp: BytesLike) -> H266Pps:
    """Read the ids of a PPS from the bytes after its NAL unit header."""
    data = rbsp if type(rbsp) is bytes else as_bytes(rbsp)
    out = _new(H266Pps)
    try:
        out._f = _pps_known[data]
    except KeyError:
        out._f = remembered(abi.TST_PS_H266_PPS, data)
    out._raw = data
    return out


def parse_h266_slice_header_light(
    rbsp: BytesLike, sps: H266Sps | None, nal_unit_type: int
) -> H266SliceHeaderLight:
    """Read the head of a slice header from the bytes after its NAL unit header.

    The type of a slice is Unknown where the picture may have others than I slices: it stands behind fields
    whose presence the PPS tells.
    """
    return slice_of(H266SliceHeaderLight, abi.TST_PS_H266_SLICE, rbsp, sps, H266Sps, nal_unit_type)


def parse_h266_parameter_sets(nals: list[NalUnit]) -> H266ParameterSets:
    """Collect the parameter sets of a list of NAL units.

    Those that cannot be read are left out, unless that leaves none: CodecError of kind ENGINE_ERROR.
    """
    out = object.__new__(H266ParameterSets)
    out._vps, out._sps, out._pps = [], [], []
    readers = {_VPS_NAL: parse_h266_vps, _SPS_NAL: parse_h266_sps, _PPS_NAL: parse_h266_pps}
    for made in sets_of(nals, "H266", readers):
        if isinstance(made, H266Vps):
            out._vps.append(made)
        elif isinstance(made, H266Sps):
            out._sps.append(made)
        else:
            out._pps.append(made)
    return out
