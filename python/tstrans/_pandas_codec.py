"""Codec units and audio frames as pandas data frames; `tstrans.pandas` makes these functions public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import AdtsFrame, Mpeg2AudioFrame, NalUnit, Obu
from .codec._enums import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["audio_frames_to_dataframe", "nals_to_dataframe", "obus_to_dataframe"]

_H264 = {
    0: "UNSPEC",
    1: "NON_IDR_SLICE",
    2: "SLICE_A",
    3: "SLICE_B",
    4: "SLICE_C",
    5: "IDR_SLICE",
    6: "SEI",
    7: "SPS",
    8: "PPS",
    9: "AUD",
    10: "END_OF_SEQUENCE",
    11: "END_OF_STREAM",
    12: "FILLER",
    13: "SPS_EXT",
    14: "PREFIX_NAL_UNIT",
    15: "SUBSET_SPS",
    16: "DEPTH_PARAMETER_SET",
    19: "AUX_SLICE_NO_PART",
    20: "SLICE_EXT",
    21: "SLICE_EXT_DEPTH",
}
_H265 = dict(
    enumerate(
        "TRAIL_N TRAIL_R TSA_N TSA_R STSA_N STSA_R RADL_N RADL_R RASL_N RASL_R".split()  # noqa: SIM905
    )
) | {
    16: "BLA_W_LP",
    17: "BLA_W_RADL",
    18: "BLA_N_LP",
    19: "IDR_W_RADL",
    20: "IDR_N_LP",
    21: "CRA_NUT",
    22: "RSV_IRAP_VCL22",
    23: "RSV_IRAP_VCL23",
    32: "VPS_NUT",
    33: "SPS_NUT",
    34: "PPS_NUT",
    35: "AUD_NUT",
    36: "EOS_NUT",
    37: "EOB_NUT",
    38: "FD_NUT",
    39: "PREFIX_SEI_NUT",
    40: "SUFFIX_SEI_NUT",
}
_H266 = {
    0: "TRAIL_NUT",
    1: "STSA_NUT",
    2: "RADL_NUT",
    3: "RASL_NUT",
    4: "RSV_VCL_4",
    5: "RSV_VCL_5",
    6: "RSV_VCL_6",
    7: "IDR_W_RADL",
    8: "IDR_N_LP",
    9: "CRA_NUT",
    10: "GDR_NUT",
    11: "RSV_IRAP_11",
    14: "VPS_NUT",
    15: "SPS_NUT",
    16: "PPS_NUT",
    17: "PREFIX_APS_NUT",
    18: "SUFFIX_APS_NUT",
    19: "PH_NUT",
    20: "AUD_NUT",
    21: "EOS_NUT",
    22: "EOB_NUT",
    23: "PREFIX_SEI_NUT",
    24: "SUFFIX_SEI_NUT",
    25: "FD_NUT",
    26: "RSV_NVCL_26",
    27: "RSV_NVCL_27",
}
_NAL_NAMES = {"H264": _H264, "H265": _H265, "H266": _H266}
_OBU_NAMES = {
    1: "SEQUENCE_HEADER",
    2: "TEMPORAL_DELIMITER",
    3: "FRAME_HEADER",
    4: "TILE_GROUP",
    5: "METADATA",
    6: "FRAME",
    7: "REDUNDANT_FRAME_HEADER",
    8: "TILE_LIST",
    15: "PADDING",
}
_NAL_COLUMNS = (
    "kind",
    "nal_type",
    "nal_type_name",
    "ref_idc",
    "layer_id",
    "temporal_id_plus1",
    "payload_len",
)
_OBU_COLUMNS = ("obu_type", "obu_type_name", "temporal_id", "spatial_id", "payload_len")
_AAC_COLUMNS = (
    "profile",
    "sample_rate_hz",
    "channel_configuration",
    "channel_layout",
    "frame_length_bytes",
    "samples_per_frame",
    "num_raw_data_blocks",
    "has_crc",
    "mpeg_version",
    "raw_header_len",
    "payload_len",
    "byte_offset",
)
_MPEG_COLUMNS = (
    "layer",
    "version",
    "bitrate_kbps",
    "sample_rate_hz",
    "channel_mode",
    "channels",
    "frame_length_bytes",
    "samples_per_frame",
    "has_crc",
    "payload_len",
    "byte_offset",
)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as e:
        raise ImportError("pandas is needed for this: pip install 'tstrans[pandas]'") from e
    return pandas


def _frame(columns: tuple[str, ...], rows: list[tuple[Any, ...]], pts: float | None) -> pd.DataFrame:
    pandas = _pandas()
    frame = pandas.DataFrame(rows, columns=list(columns))
    if pts is not None:
        frame["pts_ms"] = pandas.Series(
            pts if rows else [], index=frame.index, dtype=None if rows else "float64"
        )
    return frame  # type: ignore[no-any-return]


def _items(items: Iterable[Any], what: str, cls: type) -> list[Any]:
    out = list(items)
    for item in out:
        if not isinstance(item, cls):
            # The kind of error that reading the attributes of a unit from it would give.
            raise AttributeError(f"{what}: a {cls.__name__} is wanted, not {type(item).__name__}")
    return out


def nals_to_dataframe(nals: Iterable[Any], pts: float | None = None) -> pd.DataFrame:
    """One row a NAL unit; pts, in milliseconds, fills the column pts_ms of all rows."""
    _pandas()
    rows = []
    for nal in _items(nals, "nals", NalUnit):
        kind, nal_type = nal.kind, nal.nal_type
        name = _NAL_NAMES[kind].get(nal_type) or f"unknown_{nal_type}"
        rows.append((kind, nal_type, name, nal.ref_idc, nal.layer_id, nal.temporal_id_plus1, nal._u[1]))
    return _frame(_NAL_COLUMNS, rows, pts)


def obus_to_dataframe(obus: Iterable[Any], pts: float | None = None) -> pd.DataFrame:
    """One row an OBU; pts, in milliseconds, fills the column pts_ms of all rows."""
    _pandas()
    rows = []
    for obu in _items(obus, "obus", Obu):
        ext = obu.extension
        levels = (None, None) if ext is None else (ext.temporal_id, ext.spatial_id)
        name = _OBU_NAMES.get(obu.obu_type) or f"unknown_{obu.obu_type}"
        rows.append((obu.obu_type, name, *levels, obu._u[1]))
    return _frame(_OBU_COLUMNS, rows, pts)


def audio_frames_to_dataframe(frames: Iterable[Any]) -> pd.DataFrame:
    """One row an audio frame. byte_offset counts the bytes of the frames before it, from 0.

    All frames must be of one class; no frames give the columns of AAC.
    """
    _pandas()
    items = list(frames)
    classes = {type(f) for f in items}
    if len(classes) > 1:
        raise TypeError(f"frames of several classes: {', '.join(sorted(c.__name__ for c in classes))}")
    cls = classes.pop() if classes else AdtsFrame
    rows: list[tuple[Any, ...]] = []
    at = 0
    if cls is AdtsFrame:
        for f in items:
            n = f.frame_length_bytes
            rows.append(
                (
                    name_of(f.profile),
                    f.sample_rate_hz,
                    f.channel_configuration,
                    repr(f.channel_layout),
                    n,
                    f.samples_per_frame,
                    f.num_raw_data_blocks,
                    f.has_crc,
                    name_of(f.mpeg_version),
                    len(f.raw_header),
                    n,
                    at,
                )
            )
            at += n
        return _frame(_AAC_COLUMNS, rows, None)
    if cls is not Mpeg2AudioFrame:
        raise TypeError(f"frames: AdtsFrame or Mpeg2AudioFrame is wanted, not {cls.__name__}")
    for f in items:
        n = f.frame_length_bytes
        rows.append(
            (
                name_of(f.layer),
                name_of(f.version),
                f.bitrate_kbps,
                f.sample_rate_hz,
                name_of(f.channel_mode),
                f.channels,
                n,
                f.samples_per_frame,
                f.has_crc,
                n,
                at,
            )
        )
        at += n
    return _frame(_MPEG_COLUMNS, rows, None)
