"""tstrans.codec against FFmpeg: streams of many encoders and settings, compared field by field.

Two independent readers tell the truth: the bitstream filter ``trace_headers`` prints every syntax element as
it is coded, ``ffprobe`` what a decoder makes of them. The expected values are computed from the syntax
elements here, after the standards. A run takes every eighth stream; TSTRANS_SOAK=1 takes all.

FFmpeg has no encoder for MPEG audio layer I and AAC SSR, and version 5.1 neither encodes nor decodes H.266:
for these the golden vectors of the other tests stand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tstrans import codec
from tstrans.mpegts import AudioCodec, Av1CarriageMode, VideoCodec

SOAK = os.environ.get("TSTRANS_SOAK") == "1"
STEP = 1 if SOAK else 8


@dataclass
class Stream:
    """A stream to make: the encoder with its options, and where the pictures or samples come from."""

    kind: str
    encoder: str
    options: list[str] = field(default_factory=list)
    size: str = "64x64"
    rate: str = "25"
    pixels: str = "yuv420p"
    frames: int = 3
    filters: str = ""

    def __str__(self) -> str:
        short = " ".join(self.options).replace("-x264-params ", "").replace("-x265-params ", "")
        return f"{self.encoder} {self.size} {self.pixels} {self.rate} {short}"[:100]


def x264(params: str = "", *options: str, **kw: Any) -> Stream:
    extra = ["-x264-params", params] if params else []
    return Stream("h264", "libx264", ["-preset", "ultrafast", *extra, *options], **kw)


def x265(params: str = "", *options: str, **kw: Any) -> Stream:
    base = "log-level=none:pools=1:frame-threads=1"
    full = f"{base}:{params}" if params else base
    return Stream("hevc", "libx265", ["-preset", "ultrafast", "-x265-params", full, *options], **kw)


def av1(*options: str, **kw: Any) -> Stream:
    return Stream("obu", "libaom-av1", ["-cpu-used", "8", "-usage", "realtime", "-crf", "50", *options], **kw)


def h264_streams() -> list[Stream]:
    out = [x264(size=s) for s in ("16x16", "18x34", "50x66", "130x98", "176x144", "322x242")]
    for profile in ("baseline", "main", "high"):
        out.append(x264("", "-profile:v", profile))
    for pixels, profile in (
        ("yuv420p10le", "high10"),
        ("yuv422p", "high422"),
        ("yuv422p10le", "high422"),
        ("yuv444p", "high444"),
        ("yuv444p10le", "high444"),
        ("gray", "high"),
        ("gray10le", "high10"),
        ("nv12", "high"),
    ):
        out.append(x264("", "-profile:v", profile, pixels=pixels))
        out.append(x264("bframes=2", "-profile:v", profile, pixels=pixels, size="34x50", frames=5))
    out += [x264("", pixels="yuv444p", size=s) for s in ("65x49", "33x17")]
    out += [x264("", pixels="yuv422p", size=s) for s in ("66x49", "34x17")]
    for i in ("tff=1", "bff=1", "fake-interlaced=1", "tff=1:cabac=0", "tff=1:slices=2", "tff=1:bframes=2"):
        out.append(x264(i, size="64x52"))
        out.append(x264(i, size="48x96", pixels="yuv422p"))
    for n in (2, 3, 4):
        out.append(x264(f"slices={n}", size="64x128"))
    out += [x264("slice-max-size=200", size="128x128"), x264("slices-max=4:slices=2", size="64x160")]
    for rate in ("24", "30000/1001", "50", "60000/1001", "12.5", "120", "1", "1001/100"):
        out.append(x264(rate=rate))
    for p in (
        "force-cfr=1",
        "nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500",
        "nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500:bitrate=500",
        "colorprim=bt709:transfer=bt709:colormatrix=bt709",
        "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
        "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc",
        "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m",
        "colorprim=bt470bg:transfer=bt470bg:colormatrix=bt470bg",
        "colorprim=bt470m:transfer=bt470m:colormatrix=fcc",
        "colorprim=film:transfer=linear:colormatrix=smpte240m",
        "colorprim=smpte432:transfer=iec61966-2-1:colormatrix=bt709",
        "colorprim=smpte428:transfer=log100:colormatrix=YCgCo",
        "range=pc",
        "range=tv",
        "videoformat=pal",
        "overscan=show",
        "overscan=crop:colorprim=bt709",
        "chromaloc=2",
        "sar=4/3",
        "sar=12/11",
        "sar=7/5",
        "bframes=3:b-pyramid=normal",
        "bframes=1:b-pyramid=none:ref=4",
        "cabac=0",
        "aud=1",
        "intra-refresh=1",
        "keyint=1",
        "cqm=jvt",
        "cqm=jvt:8x8dct=1:cabac=1",
        "sps-id=5",
        "sps-id=31",
        "stitchable=1",
        "pic-struct=1",
        "frame-packing=3",
        "open-gop=1:keyint=3:bframes=2",
        "level=41",
        "level=1b",
        "level=62",
        "bluray-compat=1:vbv-maxrate=9000:vbv-bufsize=9000",
        "weightp=2:ref=3",
        "qp=0",
    ):
        out.append(x264(p, frames=6 if "bframes" in p or "ref" in p else 3))
    return out


def h265_streams() -> list[Stream]:
    out = [x265(size=s) for s in ("64x64", "66x34", "72x50", "130x98", "176x144", "322x242")]
    for pixels in (
        "yuv420p10le",
        "yuv420p12le",
        "yuv422p",
        "yuv422p10le",
        "yuv422p12le",
        "yuv444p",
        "yuv444p10le",
        "yuv444p12le",
        "gray",
        "gray10le",
    ):
        out += [x265(pixels=pixels), x265(pixels=pixels, size="70x42")]
    hdr = (
        "hdr10=1:hdr10-opt=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    )
    out.append(x265(hdr, pixels="yuv420p10le"))
    out.append(x265("uhd-bd=1:vbv-maxrate=9000:vbv-bufsize=9000", pixels="yuv420p10le"))
    for rate in ("24", "30000/1001", "50", "60000/1001", "12.5", "120"):
        out.append(x265(rate=rate))
    for p in (
        "keyint=1",
        "colorprim=bt709:transfer=bt709:colormatrix=bt709",
        "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc",
        "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:range=full",
        "colorprim=smpte432:transfer=iec61966-2-1",
        "range=full",
        "videoformat=pal",
        "overscan=show",
        "overscan=crop",
        "chromaloc=1",
        "chromaloc=3:range=limited",
        "sar=2",
        "sar=3",
        "display-window=2,4,6,8",
        "hrd=1:vbv-maxrate=500:vbv-bufsize=500",
        "hrd=1:vbv-maxrate=500:vbv-bufsize=500:bitrate=500:strict-cbr=1",
        "interlace=tff",
        "interlace=bff",
        "aud=1",
        "repeat-headers=1:keyint=2",
        "ctu=16",
        "ctu=32:min-cu-size=16",
        "ctu=64:min-cu-size=8",
        "bframes=3:b-pyramid=1",
        "bframes=4:b-adapt=0:ref=3",
        "bframes=0",
        "open-gop=1:keyint=3:bframes=2",
        "open-gop=0:keyint=3:bframes=2",
        "temporal-layers=2:bframes=2",
        "level-idc=41",
        "level-idc=5:high-tier=1:vbv-maxrate=30000:vbv-bufsize=30000",
        "scaling-list=default",
        "lossless=1",
        "cu-lossless=1",
        "wpp=1",
        "wpp=0",
        "sao=0:deblock=0",
        "log2-max-poc-lsb=4",
        "log2-max-poc-lsb=12",
        "vui-hrd-info=0",
        "opt-ref-list-length-pps=1:opt-qp-pps=1",
        "multi-pass-opt-rps=1",
        "hash=1",
        "info=0",
        "tskip=1:rect=1:amp=1",
        "weightb=1:weightp=1",
    ):
        out.append(x265(p, frames=6 if "bframes" in p or "keyint" in p else 3))
    for n in (2, 3, 4):
        out.append(x265(f"slices={n}", size="128x256"))
        out.append(x265(f"slices={n}:ctu=16:bframes=2", size="64x130", frames=5))
    out.append(x265("", "-profile:v", "mainstillpicture", frames=1))
    return out


def av1_streams() -> list[Stream]:
    out = [av1(size=s) for s in ("64x64", "66x34", "176x144", "16x16")]
    for pixels in (
        "yuv420p10le",
        "yuv420p12le",
        "yuv422p",
        "yuv422p10le",
        "yuv444p",
        "yuv444p10le",
        "yuv444p12le",
        "gray",
        "gray10le",
        "gbrp",
    ):
        out.append(av1(pixels=pixels))
    for prim, transfer, matrix in (
        ("bt709", "bt709", "bt709"),
        ("bt2020", "smpte2084", "bt2020nc"),
        ("bt2020", "arib-std-b67", "bt2020nc"),
        ("smpte170m", "smpte170m", "smpte170m"),
    ):
        color = ["-color_primaries", prim, "-color_trc", transfer, "-colorspace", matrix]
        out.append(av1(*color))
        out.append(av1(*color, "-color_range", "pc", pixels="yuv420p10le"))
    out += [av1("-still-picture", "1", frames=1), av1("-tiles", "2x1", size="256x128")]
    out += [av1("-lag-in-frames", "3", "-usage", "good", frames=6), av1("-error-resilience", "1")]
    out += [av1("-g", "2", frames=5), av1("-still-picture", "1", frames=1, pixels="yuv444p")]
    for pixels in ("yuv420p", "yuv420p10le"):
        options = ["-preset", "12", "-svtav1-params", "lp=1", "-g", "2"]
        out.append(Stream("obu", "libsvtav1", options, pixels=pixels, size="128x96", frames=4))
    return out


def audio_streams() -> list[Stream]:
    out = []
    for rate in (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350):
        for channels in (1, 2):
            out.append(Stream("adts", "aac", ["-ar", str(rate), "-ac", str(channels)]))
    for layout in ("2.1", "3.0", "4.0", "5.0", "5.1", "7.1"):
        out.append(
            Stream(
                "adts", "aac", ["-channel_layout", layout, "-filter:a", f"aformat=channel_layouts={layout}"]
            )
        )
    for profile in ("mpeg2_aac_low", "aac_main", "aac_ltp", "aac_low"):
        out.append(Stream("adts", "aac", ["-profile:a", profile, "-ar", "48000"]))
    out.append(Stream("adts", "aac", ["-write_mpeg2", "1", "-ar", "44100"]))
    for rate in (48000, 44100, 32000, 24000, 22050, 16000):
        for bits, channels in (("64k", 1), ("128k", 2)):
            out.append(Stream("mp2", "mp2", ["-ar", str(rate), "-ac", str(channels), "-b:a", bits]))
    out.append(
        Stream("mp2", "libtwolame", ["-ac", "2", "-ar", "48000", "-mode", "joint_stereo", "-b:a", "192k"])
    )
    out.append(
        Stream("mp2", "libtwolame", ["-ac", "2", "-ar", "44100", "-mode", "dual_channel", "-b:a", "384k"])
    )
    out.append(
        Stream("mp2", "libtwolame", ["-ac", "2", "-ar", "44100", "-error_protection", "1", "-b:a", "256k"])
    )
    for rate in (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000):
        bits = "64k" if rate > 12000 else "32k"
        out.append(
            Stream(
                "mp3",
                "libmp3lame",
                ["-ar", str(rate), "-b:a", bits, "-write_xing", "0", "-id3v2_version", "0"],
            )
        )
    out.append(Stream("mp3", "libmp3lame", ["-q:a", "4", "-write_xing", "0", "-id3v2_version", "0"]))
    out.append(Stream("mp3", "libmp3lame", ["-joint_stereo", "0", "-write_xing", "0", "-id3v2_version", "0"]))
    return out


VIDEO = [*h264_streams(), *h265_streams(), *av1_streams()]
AUDIO = audio_streams()


def run(*args: str) -> subprocess.CompletedProcess[str]:
    r = subprocess.run(args, capture_output=True, text=True, errors="replace", timeout=120)
    assert r.returncode == 0, f"{' '.join(args)}\n{r.stderr[-2000:]}"
    return r


def probe(path: Path, *more: str) -> dict[str, Any]:
    out = run("ffprobe", "-v", "error", "-show_streams", *more, "-of", "json", str(path)).stdout
    return json.loads(out)  # type: ignore[no-any-return]


@dataclass
class Traced:
    """A unit as trace_headers prints it."""

    title: str
    fields: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.fields[name]

    def get(self, name: str, default: int = 0) -> int:
        return self.fields.get(name, default)


_LINE = re.compile(r"^\[trace_headers @ [^\]]*\] (.*)$")
_ELEMENT = re.compile(r"^\d+\s+(\S+)\s+[01]*\s*= (-?\d+)$")


def traced(log: str) -> list[Traced]:
    units: list[Traced] = []
    for line in log.splitlines():
        m = _LINE.match(line)
        if not m:
            continue
        e = _ELEMENT.match(m.group(1))
        if e is None:
            units.append(Traced(m.group(1).strip()))
        elif units:
            units[-1].fields.setdefault(e.group(1), int(e.group(2)))
    return units


def make_video(s: Stream, path: Path) -> list[Traced]:
    source = f"testsrc2=size={s.size}:rate={s.rate}"
    r = run(
        *("ffmpeg", "-hide_banner", "-nostats", "-y", "-threads", "1", "-f", "lavfi", "-i", source),
        *("-frames:v", str(s.frames), "-pix_fmt", s.pixels, "-c:v", s.encoder, *s.options),
        *("-bsf:v", "trace_headers", "-f", s.kind, str(path)),
    )
    return traced(r.stderr)


PRIMARIES = {
    1: "BT709", 2: "UNSPECIFIED", 4: "BT470M", 5: "BT470BG", 6: "SMPTE170M", 7: "SMPTE240M", 8: "FILM",
    9: "BT2020", 10: "SMPTE_ST428", 11: "SMPTE_RP431_2", 12: "SMPTE_EG432_1", 22: "EBU3213E",
}  # fmt: skip
TRANSFER = {
    1: "BT709", 2: "UNSPECIFIED", 4: "GAMMA22", 5: "GAMMA28", 6: "SMPTE170M", 7: "SMPTE240M", 8: "LINEAR",
    9: "LOG100", 10: "LOG_SQRT", 11: "IEC61966_2_4", 12: "BT1361E", 13: "IEC61966_2_1", 14: "BT2020_BITS10",
    15: "BT2020_BITS12", 16: "SMPTE_ST2084", 17: "SMPTE_ST428", 18: "ARIB_STD_B67",
}  # fmt: skip
MATRIX = {
    0: "IDENTITY", 1: "BT709", 2: "UNSPECIFIED", 4: "FCC_MC", 5: "BT470BG", 6: "SMPTE170M", 7: "SMPTE240M",
    8: "YCGCO", 9: "BT2020_NON_CONSTANT", 10: "BT2020_CONSTANT", 11: "SMPTE_ST2085",
    12: "CHROMA_DERIVED_NON_CONSTANT", 13: "CHROMA_DERIVED_CONSTANT", 14: "ICTCP",
    15: "IPT_C2", 16: "YCGCO_RE", 17: "YCGCO_RO",
}  # fmt: skip


def short(v: Any) -> str:
    """The name of a member of an enumeration, from its repr."""
    return repr(v).rpartition(".")[2]


def color_of(c: codec.ColorInfo | None) -> tuple[Any, ...] | None:
    return None if c is None else (short(c.primaries), short(c.transfer), short(c.matrix), c.full_range)


def expected_color(t: Traced, describes: bool) -> tuple[Any, ...] | None:
    if not describes:
        return None
    return (
        PRIMARIES.get(t.get("colour_primaries", 2), "RESERVED"),
        TRANSFER.get(t.get("transfer_characteristics", 2), "RESERVED"),
        MATRIX.get(t.get("matrix_coefficients", 2), "RESERVED"),
        bool(t.get("video_full_range_flag")),
    )


CHROMA = ("MONOCHROME", "YUV420", "YUV422", "YUV444")
UNIT = ((1, 1), (2, 2), (2, 1), (1, 1))  # SubWidthC, SubHeightC


def rational(r: codec.Rational | None) -> tuple[int, int] | None:
    return None if r is None else (r.num, r.den)


def describes(t: Traced) -> bool:
    names = (
        "aspect_ratio_info_present_flag",
        "video_signal_type_present_flag",
        "chroma_loc_info_present_flag",
    )
    return any(t.get(n) for n in names)


def check_h264_sps(s: codec.H264Sps, t: Traced) -> None:
    chroma = t.get("chroma_format_idc", 1)
    fields = 2 - t["frame_mbs_only_flag"]
    width = 16 * (t["pic_width_in_mbs_minus1"] + 1)
    height = 16 * fields * (t["pic_height_in_map_units_minus1"] + 1)
    x, y = UNIT[chroma][0], UNIT[chroma][1] * fields
    crop = [t.get(f"frame_crop_{e}_offset") for e in ("left", "right", "top", "bottom")]
    crop = [crop[0] * x, crop[1] * x, crop[2] * y, crop[3] * y]
    flags = sum(t.get(f"constraint_set{i}_flag") << (7 - i) for i in range(6))
    flags |= t.get("reserved_zero_2bits")
    ticks = t.get("num_units_in_tick")
    reorder = t.fields.get("max_num_reorder_frames")
    assert (s.profile_idc, s.level_idc, s.constraint_set_flags) == (t["profile_idc"], t["level_idc"], flags)
    assert s.seq_parameter_set_id == t["seq_parameter_set_id"]
    assert short(s.chroma_format) == CHROMA[chroma]
    assert s.bit_depth_luma == 8 + t.get("bit_depth_luma_minus8")
    assert s.bit_depth_chroma == 8 + t.get("bit_depth_chroma_minus8")
    assert s.log2_max_frame_num_minus4 == t["log2_max_frame_num_minus4"]
    assert s.frame_mbs_only == bool(t["frame_mbs_only_flag"])
    assert (s.coded_width(), s.coded_height()) == (width, height)
    assert [s.crop_left, s.crop_right, s.crop_top, s.crop_bottom] == crop
    assert (s.width, s.height) == (width - crop[0] - crop[1], height - crop[2] - crop[3])
    assert rational(s.frame_rate) == ((t["time_scale"], 2 * ticks) if ticks else None)
    assert s.fixed_frame_rate == bool(t.get("fixed_frame_rate_flag"))
    assert s.has_b_frames == (t["profile_idc"] != 66 if reorder is None else reorder > 0)
    assert color_of(s.color) == expected_color(t, describes(t))


def check_h264(units: list[Any], trace: list[Traced], p: dict[str, Any]) -> None:
    sets = codec.parse_h264_parameter_sets(units)
    wanted = {7: "Sequence Parameter Set", 8: "Picture Parameter Set", 1: "Slice Header", 5: "Slice Header"}
    pairs = paired(units, trace, wanted)
    for u, t in pairs:
        assert (u.nal_type, u.ref_idc) == (t["nal_unit_type"], t["nal_ref_idc"])
        if u.nal_type == 7:
            check_h264_sps(codec.parse_h264_sps(u.payload), t)
        elif u.nal_type == 8:
            pps = codec.parse_h264_pps(u.payload)
            assert pps.pic_parameter_set_id == t["pic_parameter_set_id"]
            assert pps.seq_parameter_set_id == t["seq_parameter_set_id"]
            assert pps.entropy_coding_mode == t["entropy_coding_mode_flag"]
        else:
            sps = sets.sps_by_id[sets.pps_by_id[t["pic_parameter_set_id"]].seq_parameter_set_id]
            sl = codec.parse_h264_slice_header_light(u.payload, sps, u.nal_type)
            got = (sl.first_in_pic, sl.slice_type, sl.pps_id, sl.frame_num, sl.idr)
            want = (
                t["first_mb_in_slice"] == 0,
                t["slice_type"] % 5,
                t["pic_parameter_set_id"],
                t["frame_num"],
            )
            assert got == (*want, t["nal_unit_type"] == 5)
    sps = next(iter(sets.sps_by_id.values()))
    probed(p, sps.width, sps.height, sps.level_idc, sps.color, sps.bit_depth_luma, sps.chroma_format)
    if any("max_num_reorder_frames" in t.fields for t in trace):
        assert sps.has_b_frames == (p["has_b_frames"] > 0)


def paired(units: list[Any], trace: list[Traced], wanted: dict[int, str]) -> list[tuple[Any, Traced]]:
    """Our units beside the traced ones, of the types wanted, in stream order."""
    ours = [u for u in units if u.nal_type in wanted]
    titles = set(wanted.values())
    theirs = [t for t in trace if t.title in titles]
    assert [wanted[u.nal_type] for u in ours] == [t.title for t in theirs]
    assert ours
    return list(zip(ours, theirs, strict=True))


_NAMES = {  # FFmpeg's names for the members they differ from
    "bt470m": "gamma22", "bt470bg": "gamma28", "iec61966-2-1": "iec61966_2_1", "smpte2084": "smpte_st2084",
    "arib-std-b67": "arib_std_b67", "log100": "log100", "smpte428": "smpte_st428",
    "bt2020-10": "bt2020_bits10",
}  # fmt: skip


def probed(
    p: dict[str, Any], width: int, height: int, level: int, color: Any, depth: int, chroma: codec.ChromaFormat
) -> None:
    """What the decoder shows, as far as FFmpeg's names go."""
    assert (p["width"], p["height"], p["level"]) == (width, height, level)
    assert p.get("color_range", "tv") == ("pc" if color and color.full_range else "tv")
    for name, value in (("color_primaries", "primaries"), ("color_transfer", "transfer")):
        theirs = p.get(name)
        ours = "UNSPECIFIED" if color is None else short(getattr(color, value))
        if theirs in ("bt709", "bt2020", "smpte170m", "smpte240m", "film", "linear"):
            assert ours == theirs.upper()
        elif name == "color_transfer" and theirs in _NAMES:
            assert ours == _NAMES[theirs].upper()
        elif theirs is None:
            assert ours in ("UNSPECIFIED", "RESERVED")
    pixels = p["pix_fmt"]
    assert depth == next((n for n in (10, 12) if f"p{n}" in pixels or f"gray{n}" in pixels), 8)
    layout = {"420": "YUV420", "422": "YUV422", "444": "YUV444", "gra": "MONOCHROME", "gbr": "YUV444"}
    shown = next(v for k, v in layout.items() if k in pixels)
    if short(chroma) == "MONOCHROME":
        assert shown in ("MONOCHROME", "YUV420")  # the H.264 decoder gives grey planes of chroma
    else:
        assert short(chroma) == shown


def ptl_of(o: Any) -> tuple[Any, ...]:
    return (
        o.general_tier_flag,
        o.general_profile_idc,
        o.general_profile_compatibility_flags,
        o.general_progressive_source_flag,
        o.general_interlaced_source_flag,
        o.general_non_packed_constraint_flag,
        o.general_frame_only_constraint_flag,
        o.general_level_idc,
    )


def expected_ptl(t: Traced) -> tuple[Any, ...]:
    return (
        bool(t["general_tier_flag"]),
        t["general_profile_idc"],
        sum(t[f"general_profile_compatibility_flag[{i}]"] << (31 - i) for i in range(32)),
        bool(t["general_progressive_source_flag"]),
        bool(t["general_interlaced_source_flag"]),
        bool(t["general_non_packed_constraint_flag"]),
        bool(t["general_frame_only_constraint_flag"]),
        t["general_level_idc"],
    )


def check_h265_sps(s: codec.H265Sps, t: Traced) -> None:
    chroma = t["chroma_format_idc"]
    width, height = t["pic_width_in_luma_samples"], t["pic_height_in_luma_samples"]
    x, y = UNIT[chroma]
    crop = [t.get(f"conf_win_{e}_offset") for e in ("left", "right", "top", "bottom")]
    crop = [crop[0] * x, crop[1] * x, crop[2] * y, crop[3] * y]
    ticks = t.get("vui_num_units_in_tick")
    assert s.sps_seq_parameter_set_id == t["sps_seq_parameter_set_id"]
    assert s.sps_video_parameter_set_id == t["sps_video_parameter_set_id"]
    assert s.max_sub_layers_minus1 == t["sps_max_sub_layers_minus1"]
    assert ptl_of(s) == ptl_of(s.profile_tier_level()) == expected_ptl(t)
    assert s.profile_tier_level().general_profile_space == t["general_profile_space"]
    assert short(s.chroma_format) == CHROMA[chroma]
    assert s.bit_depth_luma == 8 + t["bit_depth_luma_minus8"]
    assert s.bit_depth_chroma == 8 + t["bit_depth_chroma_minus8"]
    assert s.log2_max_pic_order_cnt_lsb_minus4 == t["log2_max_pic_order_cnt_lsb_minus4"]
    assert (s.coded_width(), s.coded_height()) == (width, height)
    assert [s.crop_left, s.crop_right, s.crop_top, s.crop_bottom] == crop
    assert (s.width, s.height) == (width - crop[0] - crop[1], height - crop[2] - crop[3])
    assert rational(s.frame_rate) == ((t["vui_time_scale"], ticks) if ticks else None)
    assert color_of(s.color) == expected_color(t, describes(t))


def check_h265(units: list[Any], trace: list[Traced], p: dict[str, Any]) -> None:
    sets = codec.parse_h265_parameter_sets(units)
    wanted = {32: "Video Parameter Set", 33: "Sequence Parameter Set", 34: "Picture Parameter Set"}
    wanted |= dict.fromkeys(range(22), "Slice Segment Header")
    for u, t in paired(units, trace, wanted):
        assert (u.nal_type, u.layer_id, u.temporal_id_plus1) == (
            t["nal_unit_type"],
            t["nuh_layer_id"],
            t["nuh_temporal_id_plus1"],
        )
        if u.nal_type == 32:
            v = codec.parse_h265_vps(u.payload)
            assert v.vps_video_parameter_set_id == t["vps_video_parameter_set_id"]
            assert v.max_layers_minus1 == t["vps_max_layers_minus1"]
            assert v.max_sub_layers_minus1 == t["vps_max_sub_layers_minus1"]
            assert v.temporal_id_nesting_flag == bool(t["vps_temporal_id_nesting_flag"])
            assert ptl_of(v) == ptl_of(v.profile_tier_level()) == expected_ptl(t)
        elif u.nal_type == 33:
            check_h265_sps(codec.parse_h265_sps(u.payload), t)
        elif u.nal_type == 34:
            pps = codec.parse_h265_pps(u.payload)
            assert pps.pps_pic_parameter_set_id == t["pps_pic_parameter_set_id"]
            assert pps.pps_seq_parameter_set_id == t["pps_seq_parameter_set_id"]
        else:
            sps = sets.sps_by_id[sets.pps_by_id[t["slice_pic_parameter_set_id"]].pps_seq_parameter_set_id]
            sl = codec.parse_h265_slice_header_light(u.payload, sps, u.nal_type)
            idr = u.nal_type in (19, 20)
            assert sl.first_in_pic == bool(t["first_slice_segment_in_pic_flag"])
            assert (sl.pps_id, sl.idr) == (t["slice_pic_parameter_set_id"], idr)
            assert sl.slice_type == t["slice_type"]
            assert sl.pic_order_cnt_lsb == (0 if idr else t["slice_pic_order_cnt_lsb"])
    sps = next(iter(sets.sps_by_id.values()))
    # A default display window is shown by some players; it is no cropping.
    probed(p, sps.width, sps.height, sps.general_level_idc, sps.color, sps.bit_depth_luma, sps.chroma_format)


def check_av1(raw: bytes, trace: list[Traced], p: dict[str, Any]) -> None:
    units, issues = codec.split_units(raw, VideoCodec.AV1, carriage=Av1CarriageMode.INTEROP_RAW_OBU)
    assert issues == []
    wanted = {1: "Sequence Header", 3: "Frame Header", 6: "Frame"}
    headers = [t for t in trace if "obu_type" in t.fields]
    assert [u.obu_type for u in units] == [t["obu_type"] for t in headers]
    ours = [u for u in units if u.obu_type in wanted]
    theirs = [t for t in trace if t.title in ("Sequence Header", "Frame Header")]
    assert len(ours) == len(theirs)
    seq = None
    for u, t in zip(ours, theirs, strict=True):
        if u.obu_type == 1:
            seq = codec.parse_av1_sequence_header(u.payload)
            check_av1_sequence(seq, t)
            continue
        assert seq is not None
        f = codec.parse_av1_frame_header_light(u.payload, seq)
        if t.get("show_existing_frame"):
            assert (f.show_existing_frame, f.show_frame) == (True, True)
        else:
            assert not f.show_existing_frame
            assert f.frame_type == t.get("frame_type", 0)
            assert f.show_frame == bool(t.get("show_frame", 1))
    assert seq is not None
    # ffprobe names no level that has no name; the others are (major - 2) * 4 + minor as well.
    depth, chroma = seq.bit_depth, seq.chroma_format
    probed(p, seq.max_frame_width, seq.max_frame_height, p["level"], seq.color_info, depth, chroma)
    assert p["profile"] in ("Main", "High", "Professional")[seq.profile]
    framed = b"".join(b"\0\0\1" + escape(obu) for obu in raw_obus(raw))
    again, issues = codec.split_units(framed, VideoCodec.AV1)
    assert [(u.obu_type, u.payload) for u in again] == [
        (u.obu_type, u.payload) for u in units
    ] and issues == []


def raw_obus(raw: bytes) -> list[bytes]:
    """OBUs with header and size, found anew."""
    out, at = [], 0
    while at < len(raw):
        start, head = at, raw[at]
        at += 2 if head & 4 else 1
        size = shift = 0
        while True:
            b = raw[at]
            at += 1
            size |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                break
        at += size
        out.append(raw[start:at])
    return out


def escape(data: bytes) -> bytes:
    out, zeros = bytearray(), 0
    for b in data:
        if zeros >= 2 and b <= 3:
            out.append(3)
            zeros = 0
        out.append(b)
        zeros = zeros + 1 if b == 0 else 0
    return bytes(out)


def check_av1_sequence(s: codec.Av1SequenceHeader, t: Traced) -> None:
    profile, mono = t["seq_profile"], t.get("mono_chrome")
    depth = (12 if t.get("twelve_bit") else 10) if t["high_bitdepth"] else 8
    codes = t.get("color_primaries", 2), t.get("transfer_characteristics", 2), t.get("matrix_coefficients", 2)
    rgb = codes == (1, 13, 0) and not mono
    full = rgb or bool(t["color_range"])
    if mono:
        chroma = "MONOCHROME"
    elif rgb or profile == 1:
        chroma = "YUV444"
    elif profile == 0:
        chroma = "YUV420"
    elif depth < 12:
        chroma = "YUV422"
    else:
        chroma = {(1, 1): "YUV420", (1, 0): "YUV422", (0, 0): "YUV444"}[
            t["subsampling_x"], t.get("subsampling_y")
        ]
    assert (s.profile, s.level, s.tier) == (profile, t["seq_level_idx[0]"], t.get("seq_tier[0]"))
    assert s.still_picture == bool(t["still_picture"])
    assert s.reduced_still_picture_header == bool(t["reduced_still_picture_header"])
    assert s.max_frame_width == t["max_frame_width_minus_1"] + 1
    assert s.max_frame_height == t["max_frame_height_minus_1"] + 1
    assert (s.bit_depth, s.monochrome, short(s.chroma_format)) == (depth, bool(mono), chroma)
    want = (PRIMARIES.get(codes[0]), TRANSFER.get(codes[1]), MATRIX.get(codes[2]), full)
    assert color_of(s.color_info) == want
    if t.get("equal_picture_interval"):
        assert s.frame_rate is not None
        ticks = t["num_units_in_display_tick"] * (t["num_ticks_per_picture_minus_1"] + 1)
        assert s.frame_rate.num * ticks == s.frame_rate.den * t["time_scale"]
    else:
        assert s.frame_rate is None


@pytest.mark.parametrize("s", VIDEO[::STEP], ids=str)
def test_video(s: Stream, tmp_path: Path) -> None:
    path = tmp_path / f"stream.{s.kind}"
    trace = make_video(s, path)
    raw = path.read_bytes()
    p = probe(path)["streams"][0]
    if s.kind == "obu":
        check_av1(raw, trace, p)
        return
    kind = VideoCodec.H264 if s.kind == "h264" else VideoCodec.H265
    units, issues = codec.split_units(raw, kind)
    assert issues == []
    (check_h264 if s.kind == "h264" else check_h265)(units, trace, p)


AAC_PROFILES = {"Main": "MAIN", "LC": "LC", "SSR": "SSR", "LTP": "LTP"}


@pytest.mark.parametrize("s", AUDIO[::STEP], ids=str)
def test_audio(s: Stream, tmp_path: Path) -> None:
    path = tmp_path / f"stream.{s.kind}"
    run(
        *("ffmpeg", "-hide_banner", "-nostats", "-y", "-f", "lavfi", "-i", "sine=frequency=700:duration=0.4"),
        *("-c:a", s.encoder, "-strict", "-2", *s.options, "-f", s.kind, str(path)),
    )
    frames = check_audio(path, AudioCodec.AAC if s.kind == "adts" else AudioCodec.MP2)
    assert all(f.has_crc == ("-error_protection" in s.options) for f in frames)
    first = frames[0]
    if s.kind == "adts":
        assert short(first.mpeg_version) == ("MPEG2" if "-write_mpeg2" in s.options else "MPEG4")
        return
    assert short(first.layer) == ("II" if s.kind == "mp2" else "III")
    if "-b:a" in s.options:
        want = s.options[s.options.index("-b:a") + 1].rstrip("k")
        assert all(f.bitrate_kbps == int(want) for f in frames)
    if s.encoder == "libtwolame" and "-mode" in s.options:
        assert short(first.channel_mode) == s.options[s.options.index("-mode") + 1].upper()


AAC_PROFILES = {"Main": "MAIN", "LC": "LC", "SSR": "SSR", "LTP": "LTP"}


def check_audio(path: Path, kind: AudioCodec) -> list[Any]:
    """The frames of a file that holds nothing else, beside the packets that ffprobe sees."""
    raw = path.read_bytes()
    got = probe(path, "-show_packets", "-select_streams", "a:0")
    p = got["streams"][0]
    frames = codec.parse_audio(raw, kind, strict=True)
    assert codec.parse_audio(b"\xff\x00" + raw, kind)[0].payload == frames[0].payload
    # A demuxer may spend the first frame on finding out what it reads.
    packets = {int(k["pos"]): k for k in got["packets"]}
    assert len(frames) - len(packets) in (0, 1)
    at = 0
    for f in frames:
        assert f.payload == raw[at : at + f.frame_length_bytes]
        k = packets.pop(at, None)
        at += f.frame_length_bytes
        if k is None:
            assert f is frames[0]
            continue
        assert f.frame_length_bytes == int(k["size"])
        assert f.sample_rate_hz == int(p["sample_rate"])
        assert abs(f.samples_per_frame - float(k["duration_time"]) * f.sample_rate_hz) < 1
    assert not packets
    first = frames[0]
    if kind is AudioCodec.AAC:
        assert AAC_PROFILES[p["profile"]] == short(first.profile)
        layout = first.channel_layout
        assert layout.is_pce_defined or layout.channels == p["channels"]
        return frames
    assert first.channels == p["channels"]
    assert short(first.layer) == {"mp1": "I", "mp2": "II", "mp3": "III"}[p["codec_name"]]
    rate = first.sample_rate_hz
    assert short(first.version) == ("MPEG1" if rate >= 32000 else "MPEG2" if rate >= 16000 else "MPEG2_5")
    return frames


SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "testdata"
DAMAGED = "tsduck-test-143.ts"  # it has packet losses; FFmpeg leaves out the pictures they hit
CAPTURES = [
    p for d in ("ts", "es") for p in sorted(SHARED.glob(f"{d}/*")) if p.suffix != ".ac3" and p.name != DAMAGED
]
CAPTURES.append(Path(__file__).resolve().parents[2] / "testdata" / "demo.ts")


@pytest.mark.parametrize("path", CAPTURES, ids=lambda p: p.name)
def test_captures(path: Path, tmp_path: Path) -> None:
    """The streams of real captures, copied out of them by FFmpeg."""
    args = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    found = subprocess.run(args, capture_output=True, text=True, timeout=120).stdout
    for i, p in enumerate(json.loads(found).get("streams", [])):
        name = p.get("codec_name")
        # Some captures hold tables alone, or scrambled streams, whose sizes FFmpeg does not know.
        if not p.get("width") and not int(p.get("channels", 0)):
            continue
        out = tmp_path / f"{i}"
        copy = ["ffmpeg", "-hide_banner", "-nostats", "-y", "-i", str(path), "-map", f"0:{i}", "-c", "copy"]
        if name in ("h264", "hevc"):
            log = run(*copy, "-bsf:v", "trace_headers", "-f", name, str(out)).stderr
            raw = out.read_bytes()
            if not raw:
                assert "Error applying bitstream filters" in log  # the filter gives up at some delimiters
                continue
            # What precedes the first packet is the trace of the headers that the demuxer set aside.
            trace = traced(log[log.index("Packet: ") :] if "Packet: " in log else log)
            kind = VideoCodec.H264 if name == "h264" else VideoCodec.H265
            units, _ = codec.split_units(raw, kind)
            (check_h264 if name == "h264" else check_h265)(units, trace, p)
        elif name == "aac" or name in ("mp2", "mp3"):
            more = (
                ["-f", "adts"] if name == "aac" else ["-write_xing", "0", "-id3v2_version", "0", "-f", name]
            )
            run(*copy, *more, str(out))
            kind_of_audio = AudioCodec.AAC if name == "aac" else AudioCodec.MP2
            if not out.read_bytes().startswith(b"\xff"):
                continue  # cut in the middle of a frame
            check_audio(out, kind_of_audio)


def test_there_are_enough_streams() -> None:
    assert len(VIDEO) + len(AUDIO) >= 200
