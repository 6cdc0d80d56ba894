"""The units of an access unit, and the MISP time stamp in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .._native import codec_abi as abi
from .._native import codec_lib as lib
from .._native import mpegts_abi as ts
from ._enums import MISP_KIND
from ._values import H264, H265, H266, BytesLike, MispTimestamp, NalUnit, Obu, as_bytes

if TYPE_CHECKING:
    from ..mpegts import Av1CarriageMode, VideoCodec

__all__ = ["extract_misp_timestamp", "split_units"]

_new = object.__new__
_CODES = {
    "H264": ts.TST_CODEC_H264,
    "H265": ts.TST_CODEC_H265,
    "H266": ts.TST_CODEC_H266,
    "AV1": ts.TST_CODEC_AV1,
}
_KINDS = {ts.TST_CODEC_H264: H264, ts.TST_CODEC_H265: H265, ts.TST_CODEC_H266: H266}
_CARRIAGES = {
    "MPEG2_TS_BINDING": ts.TST_AV1_MPEG2_TS_BINDING,
    "INTEROP_RAW_OBU": ts.TST_AV1_INTEROP_RAW_OBU,
}
_FINDINGS = (
    abi.TST_UNIT_FORBIDDEN
    | abi.TST_UNIT_TEMPORAL_ZERO
    | abi.TST_UNIT_RESERVED
    | abi.TST_UNIT_EXT_RESERVED
    | abi.TST_UNIT_NO_SIZE
    | abi.TST_UNIT_TILE_LIST
)
# Members of VideoCodec by id(): they live as long as the process, and their own hash is a Python function.
_seen: dict[int, int] = {}


def _code_of(codec: Any) -> int:
    """The number of a VideoCodec member; AttributeError for no enumeration, ValueError for another one."""
    code = _CODES.get(codec.name)
    if code is None:
        raise ValueError(f"unrecognised VideoCodec name: {codec.name!r}")
    from ..mpegts import VideoCodec

    if type(codec) is VideoCodec:
        _seen[id(codec)] = code
    return code


@overload
def split_units(
    raw: BytesLike,
    codec: VideoCodec,
    *,
    strict: Literal[False] = False,
    carriage: Av1CarriageMode | None = None,
) -> tuple[list[Any], list[str]]: ...
@overload
def split_units(
    raw: BytesLike, codec: VideoCodec, *, strict: Literal[True], carriage: Av1CarriageMode | None = None
) -> list[Any]: ...
def split_units(
    raw: BytesLike, codec: VideoCodec, *, strict: bool = False, carriage: Av1CarriageMode | None = None
) -> tuple[list[Any], list[str]] | list[Any]:
    """Split an access unit into NalUnit or Obu objects.

    raw is what a video event carries, codec its VideoCodec; carriage is the Av1CarriageMode, None standing
    for MPEG2_TS_BINDING. Gives (units, issues); with strict units alone, and ValueError at the first issue.
    """
    code = _seen.get(id(codec)) or _code_of(codec)
    way = 0 if carriage is None else _CARRIAGES[carriage.name]
    src = raw if type(raw) is bytes else as_bytes(raw)
    records, data, unframed = lib.split(src, code, way)
    units: list[Any] = []
    issues: list[str] | None = None
    if code == ts.TST_CODEC_AV1:
        if unframed:
            issues = [_UNFRAMED]
        for u in records:
            if u[5] & _FINDINGS:
                issues = (issues or []) + _obu_issues(u)
                if u[5] & abi.TST_UNIT_DROPPED:
                    continue
            obu = _new(Obu)
            obu._src, obu._u, obu._extension = data, u, None
            units.append(obu)
    else:
        kind = _KINDS[code]
        for u in records:
            if u[5]:
                issues = (issues or []) + _nal_issues(kind, u)
                if u[5] & abi.TST_UNIT_DROPPED:
                    continue
            nal = _new(NalUnit)
            nal._src, nal._u, nal._kind = data, u, kind
            units.append(nal)
    if strict:
        if issues:
            raise ValueError(issues[0])
        return units
    return units, issues or []


_UNFRAMED = (
    "AV1 PES on PID 0x0000 missing ts_open_bitstream_unit start code "
    "(AV1-in-MPEG-2-TS binding §3.2 mandates 0x00 0x00 0x01 prefix)"
)


def _nal_issues(kind: str, u: tuple[int, ...]) -> list[str]:
    flags = u[5]
    out = []
    if flags & abi.TST_UNIT_FORBIDDEN:
        out.append(f"{kind} NAL header forbidden_zero_bit set (spec mandates =0)")
    if flags & abi.TST_UNIT_TEMPORAL_ZERO:
        out.append(f"{kind} NAL header nuh_temporal_id_plus1 = 0 (spec mandates !=0)")
    if flags & abi.TST_UNIT_RESERVED:
        out.append(f"{kind} NAL header reserved bit set (spec mandates =0)")
    if flags & abi.TST_UNIT_LAYER_RANGE:
        out.append(f"{kind} NAL header nuh_layer_id={u[3]} out of range (spec allows 0..=55)")
    return out


def _obu_issues(u: tuple[int, ...]) -> list[str]:
    flags, kind = u[5], u[2]
    out = []
    if flags & abi.TST_UNIT_FORBIDDEN:
        out.append("AV1 OBU header obu_forbidden_bit set on PID 0x0000 (spec mandates =0)")
    if flags & abi.TST_UNIT_RESERVED:
        out.append("AV1 OBU header obu_reserved_1bit set on PID 0x0000 (spec mandates =0)")
    if flags & abi.TST_UNIT_EXT_RESERVED:
        out.append("AV1 OBU extension header reserved bits set on PID 0x0000 (spec mandates =0)")
    if flags & abi.TST_UNIT_NO_SIZE:
        out.append(f"AV1 OBU type 0x{kind:02X} missing size field on PID 0x0000")
    if flags & abi.TST_UNIT_TILE_LIST:
        out.append("AV1 Tile List OBU forbidden on PID 0x0000")
    return out


def extract_misp_timestamp(au: BytesLike, codec: VideoCodec) -> MispTimestamp | None:
    """The first MISP time stamp of an access unit of H.264 or H.265 (MISB ST 0604), None without one.

    ValueError when a stamp is there but cut or broken.
    """
    code = _seen.get(id(codec)) or _code_of(codec)
    kind, status, value = lib.misp_extract(as_bytes(au), code)
    if kind == abi.TST_MISP_NONE:
        return None
    return MispTimestamp(MISP_KIND[kind - 1], status, value)
