"""Parameter sets written field by field after the syntax tables of the standards, with random values.

It knows nothing of the library: what the library reads back must be what was put in here. H.266 has no other
independent writer at hand; the others are held against FFmpeg as well.
"""

from __future__ import annotations

import random
from typing import Any

Fields = dict[str, Any]
CHROMA = ("MONOCHROME", "YUV420", "YUV422", "YUV444")
_UNIT = ((1, 1), (2, 2), (2, 1), (1, 1))


class Bits:
    """A bit string under construction."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def u(self, n: int, v: int) -> int:
        """An unsigned field of n bits; gives the value back."""
        self.bits += [v >> i & 1 for i in range(n - 1, -1, -1)]
        return v

    def ue(self, v: int) -> int:
        n = (v + 1).bit_length()
        self.u(2 * n - 1, v + 1)
        return v

    def se(self, v: int) -> int:
        self.ue(2 * v - 1 if v > 0 else -2 * v)
        return v

    def align(self) -> None:
        self.bits += [0] * (-len(self.bits) % 8)

    def raw(self) -> bytes:
        """With a trailing one bit, as whole bytes."""
        bits = [*self.bits, 1]
        bits += [0] * (-len(bits) % 8)
        return bytes(int("".join(map(str, bits[i : i + 8])), 2) for i in range(0, len(bits), 8))

    def rbsp(self) -> bytes:
        """The same with emulation prevention."""
        out, zeros = bytearray(), 0
        for b in self.raw():
            if zeros >= 2 and b <= 3:
                out.append(3)
                zeros = 0
            out.append(b)
            zeros = zeros + 1 if b == 0 else 0
        return bytes(out)


def _crop(w: Bits, r: random.Random, chroma: int, fields: int, want: Fields) -> None:
    """A cropping window of up to three units an edge."""
    x, y = _UNIT[chroma][0], _UNIT[chroma][1] * fields
    edges = [0, 0, 0, 0]
    if w.u(1, r.randint(0, 1)):
        edges = [w.ue(r.randint(0, 3)) * k for k in (x, x, y, y)]
    want.update(zip(("crop_left", "crop_right", "crop_top", "crop_bottom"), edges, strict=True))
    want["width"] = want["coded_width"] - edges[0] - edges[1]
    want["height"] = want["coded_height"] - edges[2] - edges[3]


def _vui_head(w: Bits, r: random.Random, want: Fields) -> None:
    """The fields that H.264 and H.265 share, up to the chroma locations."""
    described = False
    if w.u(1, r.randint(0, 1)):
        described = True
        if w.u(8, r.choice((1, 2, 16, 255))) == 255:
            w.u(16, 4)
            w.u(16, 3)
    if w.u(1, r.randint(0, 1)):  # overscan
        w.u(1, r.randint(0, 1))
    color = [2, 2, 2, 0]
    if w.u(1, r.randint(0, 1)):
        described = True
        w.u(3, r.randint(0, 5))
        color[3] = w.u(1, r.randint(0, 1))
        if w.u(1, r.randint(0, 1)):
            color[:3] = [w.u(8, r.choice((1, 5, 6, 9, 16, r.randint(0, 255)))) for _ in range(3)]
    if w.u(1, r.randint(0, 1)):
        described = True
        w.ue(r.randint(0, 5))
        w.ue(r.randint(0, 5))
    want["color"] = tuple(color) if described else None


def h264_sps(r: random.Random) -> tuple[bytes, Fields]:
    w, want = Bits(), Fields()
    profile = want["profile_idc"] = w.u(8, r.choice((66, 77, 88, 100, 110, 122, 244, 44, 83, 118, 128)))
    want["constraint_set_flags"] = w.u(8, r.randint(0, 255) & 0xBF)
    want["level_idc"] = w.u(8, r.randint(9, 62))
    want["seq_parameter_set_id"] = w.ue(r.choice((0, 1, 31)))
    chroma, want["bit_depth_luma"], want["bit_depth_chroma"] = 1, 8, 8
    if profile in (100, 110, 122, 244, 44, 83, 118, 128):
        chroma = w.ue(r.randint(0, 3))
        if chroma == 3:
            w.u(1, r.randint(0, 1))
        want["bit_depth_luma"] = 8 + w.ue(r.randint(0, 6))
        want["bit_depth_chroma"] = 8 + w.ue(r.randint(0, 6))
        w.u(1, r.randint(0, 1))
        if w.u(1, r.randint(0, 1)):
            for i in range(12 if chroma == 3 else 8):
                _scaling_list(w, r, 16 if i < 6 else 64)
    want["chroma_format"] = CHROMA[chroma]
    want["log2_max_frame_num_minus4"] = w.ue(r.randint(0, 12))
    kind = w.ue(r.randint(0, 2))
    if kind == 0:
        w.ue(r.randint(0, 12))
    elif kind == 1:
        w.u(1, r.randint(0, 1))
        w.se(r.randint(-9, 9))
        w.se(r.randint(-9, 9))
        for _ in range(w.ue(r.randint(0, 4))):
            w.se(r.randint(-99, 99))
    w.ue(r.randint(0, 16))
    w.u(1, r.randint(0, 1))
    width, height = w.ue(r.randint(1, 200)) + 1, w.ue(r.randint(1, 200)) + 1
    frames_only = w.u(1, r.randint(0, 1))
    fields = 2 - frames_only
    if not frames_only:
        w.u(1, r.randint(0, 1))
    w.u(1, 1)
    want["frame_mbs_only"] = bool(frames_only)
    want["coded_width"], want["coded_height"] = 16 * width, 16 * fields * height
    _crop(w, r, chroma, fields, want)
    want.update(color=None, frame_rate=None, fixed_frame_rate=False, has_b_frames=profile != 66)
    if profile == 100 and want["constraint_set_flags"] & 0x0C == 0x0C:
        want["has_b_frames"] = False  # Constrained High
    if w.u(1, r.randint(0, 1)):
        _h264_vui(w, r, want)
    return w.rbsp(), want


def _scaling_list(w: Bits, r: random.Random, size: int) -> None:
    if not w.u(1, r.randint(0, 1)):
        return
    last = scale = 8
    for _ in range(size):
        if scale:
            scale = (last + w.se(r.choice((-last, 0, 1, 2, -1)))) % 256
        last = scale or last


def _h264_vui(w: Bits, r: random.Random, want: Fields) -> None:
    _vui_head(w, r, want)
    if w.u(1, r.randint(0, 1)):
        ticks, scale = w.u(32, r.randint(1, 2000)), w.u(32, r.randint(1, 1 << 20))
        want["frame_rate"] = (scale, 2 * ticks)
        want["fixed_frame_rate"] = bool(w.u(1, r.randint(0, 1)))
    hrds = 0
    for _ in range(2):
        if w.u(1, r.randint(0, 1)):
            hrds += 1
            n = w.ue(r.randint(0, 3))
            w.u(8, r.randint(0, 255))
            for _ in range(n + 1):
                w.ue(r.randint(0, 9999))
                w.ue(r.randint(0, 9999))
                w.u(1, 0)
            w.u(20, r.randint(0, (1 << 20) - 1))
    if hrds:
        w.u(1, 0)
    w.u(1, r.randint(0, 1))
    if w.u(1, r.randint(0, 1)):
        w.u(1, 1)
        for _ in range(4):
            w.ue(r.randint(0, 16))
        want["has_b_frames"] = w.ue(r.randint(0, 4)) > 0
        w.ue(r.randint(4, 16))


def _h265_ptl(w: Bits, r: random.Random, sub_layers: int, want: Fields) -> None:
    want["space"] = w.u(2, r.randint(0, 3))
    want["general_tier_flag"] = bool(w.u(1, r.randint(0, 1)))
    want["general_profile_idc"] = w.u(5, r.randint(0, 31))
    want["general_profile_compatibility_flags"] = w.u(32, r.getrandbits(32))
    for name in ("progressive_source", "interlaced_source", "non_packed_constraint", "frame_only_constraint"):
        want[f"general_{name}_flag"] = bool(w.u(1, r.randint(0, 1)))
    w.u(44, r.getrandbits(44))
    want["general_level_idc"] = w.u(8, r.randint(0, 255))
    flags = [(w.u(1, r.randint(0, 1)), w.u(1, r.randint(0, 1))) for _ in range(sub_layers)]
    if sub_layers:
        w.u(2 * (8 - sub_layers), 0)
    for profile, level in flags:
        w.u(88 * profile, r.getrandbits(88) * profile)
        w.u(8 * level, r.getrandbits(8) * level)


def h265_vps(r: random.Random) -> tuple[bytes, Fields]:
    w, want = Bits(), Fields()
    want["vps_video_parameter_set_id"] = w.u(4, r.randint(0, 15))
    w.u(2, 3)
    want["max_layers_minus1"] = w.u(6, r.randint(0, 62))
    want["max_sub_layers_minus1"] = w.u(3, r.randint(0, 6))
    want["temporal_id_nesting_flag"] = bool(w.u(1, r.randint(0, 1)))
    w.u(16, 0xFFFF)
    _h265_ptl(w, r, want["max_sub_layers_minus1"], want)
    w.u(20, r.getrandbits(20))
    return w.rbsp(), want


def h265_sps(r: random.Random, predicted: bool = True) -> tuple[bytes, Fields]:
    """predicted: picture sets may be coded against the one before."""
    w, want = Bits(), Fields()
    want["sps_video_parameter_set_id"] = w.u(4, r.randint(0, 15))
    sub = want["max_sub_layers_minus1"] = w.u(3, r.randint(0, 6))
    w.u(1, r.randint(0, 1))
    _h265_ptl(w, r, sub, want)
    want["sps_seq_parameter_set_id"] = w.ue(r.randint(0, 15))
    chroma = w.ue(r.randint(0, 3))
    want["chroma_format"] = CHROMA[chroma]
    if chroma == 3:
        w.u(1, r.randint(0, 1))
    want["coded_width"], want["coded_height"] = w.ue(r.randint(16, 8192)), w.ue(r.randint(16, 8192))
    _crop(w, r, chroma, 1, want)
    want["bit_depth_luma"], want["bit_depth_chroma"] = 8 + w.ue(r.randint(0, 8)), 8 + w.ue(r.randint(0, 8))
    lsb = want["log2_max_pic_order_cnt_lsb_minus4"] = w.ue(r.randint(0, 12))
    for _ in range(sub + 1 if w.u(1, r.randint(0, 1)) else 1):
        for _ in range(3):
            w.ue(r.randint(0, 9))
    for _ in range(6):
        w.ue(r.randint(0, 3))
    if w.u(1, r.randint(0, 1)) and w.u(1, r.randint(0, 1)):
        for size in range(4):
            for _ in range(0, 6, 3 if size == 3 else 1):
                if not w.u(1, r.randint(0, 1)):
                    w.ue(r.randint(0, 5))
                    continue
                if size > 1:
                    w.se(r.randint(-7, 247))
                for _ in range(min(64, 16 << 2 * size)):
                    w.se(r.randint(-128, 127))
    w.u(2, r.randint(0, 3))
    if w.u(1, r.randint(0, 1)):
        w.u(8, r.randint(0, 255))
        w.ue(r.randint(0, 2))
        w.ue(r.randint(0, 2))
        w.u(1, 0)
    _picture_sets(w, r, predicted)
    if w.u(1, r.randint(0, 1)):
        for _ in range(w.ue(r.randint(0, 32))):
            w.u(lsb + 5, r.getrandbits(lsb + 5))
    w.u(2, r.randint(0, 3))
    want.update(color=None, frame_rate=None)
    if w.u(1, r.randint(0, 1)):
        _h265_vui(w, r, sub, want)
    w.u(1, 0)
    return w.rbsp(), want


def _picture_sets(w: Bits, r: random.Random, predicted: bool) -> None:
    """Short-term reference picture sets, some coded against the one before (H.265 7.3.7, 7.4.8)."""
    last: list[int] = []
    for i in range(w.ue(r.randint(0, 8))):
        if i and w.u(1, r.randint(0, int(predicted))):
            negative, distance = w.u(1, r.randint(0, 1)), w.ue(r.randint(0, 5)) + 1
            delta = -distance if negative else distance
            order = [*sorted((p for p in last if p < 0), reverse=True), *sorted(p for p in last if p > 0)]
            kept = []
            for p in [*order, 0]:
                keep = True
                if not w.u(1, r.randint(0, 1)):
                    keep = bool(w.u(1, r.randint(0, 1)))
                if keep and p + delta:
                    kept.append(p + delta)
            last = kept
            continue
        before, after = w.ue(r.randint(0, 4)), w.ue(r.randint(0, 4))
        last = []
        for n, sign in ((before, -1), (after, 1)):
            p = 0
            for _ in range(n):
                p += sign * (w.ue(r.randint(0, 5)) + 1)
                w.u(1, r.randint(0, 1))
                last.append(p)


def _h265_vui(w: Bits, r: random.Random, sub: int, want: Fields) -> None:
    _vui_head(w, r, want)
    w.u(3, r.randint(0, 7))
    if w.u(1, r.randint(0, 1)):
        for _ in range(4):
            w.ue(r.randint(0, 9))
    if w.u(1, r.randint(0, 1)):
        ticks, scale = w.u(32, r.randint(1, 2000)), w.u(32, r.randint(1, 1 << 20))
        want["frame_rate"] = (scale, ticks)
        if w.u(1, r.randint(0, 1)):
            w.ue(r.randint(0, 9))
        if w.u(1, r.randint(0, 1)):
            _h265_hrd(w, r, sub)
    if w.u(1, r.randint(0, 1)):
        w.u(3, 0)
        for v in (0, 2, 1, 15, 15):
            w.ue(v)


def _h265_hrd(w: Bits, r: random.Random, sub: int) -> None:
    hrds, fine = w.u(1, r.randint(0, 1)) + w.u(1, r.randint(0, 1)), 0
    if hrds:
        fine = w.u(1, r.randint(0, 1))
        w.u(19 * fine, 0)
        w.u(8, 0)
        w.u(4 * fine, 0)
        w.u(15, 0)
    for _ in range(sub + 1):
        fixed = w.u(1, r.randint(0, 1)) or w.u(1, r.randint(0, 1))
        low_delay = 0
        if fixed:
            w.ue(r.randint(0, 9))
        else:
            low_delay = w.u(1, r.randint(0, 1))
        count = 1 if low_delay else w.ue(r.randint(0, 3)) + 1
        for _ in range(hrds * count):
            for _ in range(4 if fine else 2):
                w.ue(r.randint(0, 999))
            w.u(1, 0)


def h266_sps(r: random.Random) -> tuple[bytes, Fields]:
    w, want = Bits(), Fields()
    want["sps_id"], want["vps_id"] = w.u(4, r.randint(0, 15)), w.u(4, r.choice((0, 0, 7)))
    sub = w.u(3, r.randint(0, 6))
    chroma = w.u(2, r.randint(0, 3))
    ctb = 32 << w.u(2, r.randint(0, 2))
    want["chroma_format"] = CHROMA[chroma]
    want.update(general_profile_idc=0, general_tier_flag=False, general_level_idc=0)
    ptl = w.u(1, r.choice((1, 1, 1, 0)))
    if ptl:
        _h266_ptl(w, r, sub, want)
    w.u(1, r.randint(0, 1))
    if w.u(1, r.randint(0, 1)):
        w.u(1, r.randint(0, 1))
    want["coded_width"], want["coded_height"] = w.ue(r.randint(16, 8192)), w.ue(r.randint(16, 8192))
    _crop(w, r, chroma, 1, want)
    w.u(1, 0)  # subpictures
    want["bit_depth_luma"] = want["bit_depth_chroma"] = 8 + w.ue(r.randint(0, 8))
    w.u(2, r.randint(0, 3))
    lsb = w.u(4, r.randint(0, 12))
    if w.u(1, r.randint(0, 1)):
        w.ue(r.randint(0, 9))
    for _ in range(2):
        w.u(8 * w.u(2, r.randint(0, 2)), 0)
    if ptl:
        several = sub and w.u(1, r.randint(0, 1))
        for _ in range(3 * (sub + 1 if several else 1)):
            w.ue(r.randint(0, 9))
    _h266_coding(w, r, chroma, ctb, lsb, want["vps_id"] > 0)
    want["frame_rate"] = None
    if ptl and w.u(1, r.randint(0, 1)):
        _h266_timing(w, r, sub, want)
    w.u(1, r.randint(0, 1))
    want["color"] = None
    if w.u(1, r.randint(0, 1)):
        _h266_vui(w, r, want)
    w.u(1, 0)
    return w.rbsp(), want


def _h266_ptl(w: Bits, r: random.Random, sub: int, want: Fields) -> None:
    want["general_profile_idc"] = w.u(7, r.randint(0, 127))
    want["general_tier_flag"] = bool(w.u(1, r.randint(0, 1)))
    want["general_level_idc"] = w.u(8, r.randint(0, 255))
    w.u(2, r.randint(0, 3))
    if w.u(1, r.randint(0, 1)):
        w.u(71, r.getrandbits(71))
        w.u(w.u(8, r.randint(0, 20)), 0)
    w.align()
    levels = sum(w.u(1, r.randint(0, 1)) for _ in range(sub))
    w.align()
    w.u(8 * levels, r.getrandbits(8 * levels) if levels else 0)
    for _ in range(w.u(8, r.randint(0, 3))):
        w.u(32, r.getrandbits(32))


def _tree(w: Bits, r: random.Random) -> None:
    w.ue(r.randint(0, 3))
    if w.ue(r.randint(0, 3)):
        w.ue(r.randint(0, 3))
        w.ue(r.randint(0, 3))


def _flags(w: Bits, r: random.Random, *followers: int) -> None:
    """Flags, each followed by so many bits when set."""
    for n in followers:
        if w.u(1, r.randint(0, 1)):
            w.u(n, 0)


def _h266_coding(w: Bits, r: random.Random, chroma: int, ctb: int, lsb: int, layers: bool) -> None:
    w.ue(r.randint(0, 2))
    w.u(1, r.randint(0, 1))
    _tree(w, r)
    if chroma and w.u(1, r.randint(0, 1)):
        _tree(w, r)
    _tree(w, r)
    large = ctb > 32 and w.u(1, r.randint(0, 1))
    skip = w.u(1, r.randint(0, 1))
    if skip:
        w.ue(r.randint(0, 3))
        w.u(1, r.randint(0, 1))
    _flags(w, r, 2)
    w.u(1, r.randint(0, 1))  # LFNST
    if chroma:
        tables = 2 + w.u(1, r.randint(0, 1))
        if w.u(1, r.randint(0, 1)):
            tables = 1
        for _ in range(tables):
            w.se(r.randint(-26, 36))
            for _ in range(w.ue(r.randint(0, 4)) + 1):
                w.ue(r.randint(0, 9))
                w.ue(r.randint(0, 9))
    w.u(1, r.randint(0, 1))
    if w.u(1, r.randint(0, 1)) and chroma:
        w.u(1, r.randint(0, 1))
    w.u(1, r.randint(0, 1))
    weighted = w.u(1, r.randint(0, 1)) | w.u(1, r.randint(0, 1))
    long_term = w.u(1, r.randint(0, 1))
    inter_layer = layers and w.u(1, r.randint(0, 1))
    w.u(1, r.randint(0, 1))
    for _ in range(1 if w.u(1, r.randint(0, 1)) else 2):
        for _ in range(w.ue(r.randint(0, 3))):
            entries = w.ue(r.randint(0, 4))
            in_header = long_term and entries and w.u(1, r.randint(0, 1))
            for i in range(entries):
                if inter_layer and w.u(1, r.randint(0, 1)):
                    w.ue(r.randint(0, 3))
                elif long_term and not w.u(1, r.randint(0, 1)):
                    if not in_header:
                        w.u(lsb + 4, 1)
                elif w.ue(r.randint(0, 4)) or not weighted or i == 0:
                    w.u(1, r.randint(0, 1))
    w.u(1, r.randint(0, 1))
    _flags(w, r, 1)
    amvr = w.u(1, r.randint(0, 1))
    _flags(w, r, 1, 0, 1, 1)
    merge = 6 - w.ue(r.randint(0, 5))
    w.u(1, r.randint(0, 1))
    if w.u(1, r.randint(0, 1)):
        w.ue(r.randint(0, 5))
        w.u(1 + amvr, 0)
        _flags(w, r, 1)
    w.u(2, r.randint(0, 3))
    if merge >= 2 and w.u(1, r.randint(0, 1)) and merge >= 3:
        w.ue(r.randint(0, 3))
    w.ue(r.randint(0, 5))
    w.u(3, r.randint(0, 7))
    if chroma:
        w.u(1, r.randint(0, 1))
    if chroma == 1:
        w.u(2, r.randint(0, 3))
    palette = w.u(1, r.randint(0, 1))
    if chroma == 3 and not large:
        w.u(1, r.randint(0, 1))
    if skip or palette:
        w.ue(r.randint(0, 8))
    if w.u(1, r.randint(0, 1)):
        w.ue(r.randint(0, 5))
    if w.u(1, r.randint(0, 1)):
        n = w.u(2, r.randint(0, 3)) + 1
        w.se(r.randint(-9, 9))
        for _ in range(n):
            w.se(r.randint(-9, 9))
            w.ue(r.randint(0, 99))
    w.u(1, 0)  # explicit scaling lists
    w.u(2, r.randint(0, 3))
    if w.u(1, r.randint(0, 1)) and w.u(1, r.randint(0, 1)):
        for _ in range(2):
            for _ in range(w.ue(r.randint(0, 3))):
                w.ue(r.randint(0, 99))


def _h266_timing(w: Bits, r: random.Random, sub: int, want: Fields) -> None:
    ticks, scale = w.u(32, r.randint(1, 2000)), w.u(32, r.randint(1, 1 << 20))
    want["frame_rate"] = (scale, ticks)
    hrds, units, count = w.u(1, r.randint(0, 1)) + w.u(1, r.randint(0, 1)), 0, 1
    if hrds:
        w.u(1, 0)
        units = w.u(1, r.randint(0, 1))
        w.u(8 * units, 0)
        w.u(8, 0)
        w.u(4 * units, 0)
        count = w.ue(r.randint(0, 3)) + 1
    several = sub and w.u(1, r.randint(0, 1))
    for _ in range(sub + 1 if several else 1):
        if w.u(1, r.randint(0, 1)) or w.u(1, r.randint(0, 1)):
            w.ue(r.randint(0, 9))
        elif hrds and count == 1:
            w.u(1, 0)
        for _ in range(hrds * count):
            for _ in range(4 if units else 2):
                w.ue(r.randint(0, 999))
            w.u(1, 0)


def _h266_vui(w: Bits, r: random.Random, want: Fields) -> None:
    v = Bits()
    progressive, interlaced = v.u(1, r.randint(0, 1)), v.u(1, r.randint(0, 1))
    v.u(2, 0)
    described = False
    if v.u(1, r.randint(0, 1)):
        described = True
        v.u(1, 0)
        if v.u(8, r.choice((1, 255))) == 255:
            v.u(32, 0x00040003)
    if v.u(1, r.randint(0, 1)):
        v.u(1, 0)
    color = [2, 2, 2, 0]
    if v.u(1, r.randint(0, 1)):
        described = True
        color = [
            *(v.u(8, r.choice((1, 9, 16, r.randint(0, 255)))) for _ in range(3)),
            v.u(1, r.randint(0, 1)),
        ]
    if v.u(1, r.randint(0, 1)):
        described = True
        for _ in range(1 if progressive and not interlaced else 2):
            v.ue(r.randint(0, 6))
    want["color"] = tuple(color) if described else None
    payload = v.raw()
    w.ue(len(payload) - 1)
    w.align()
    for b in payload:
        w.u(8, b)


def av1_sequence(r: random.Random) -> tuple[bytes, Fields]:
    w, want = Bits(), Fields()
    profile = want["profile"] = w.u(3, r.randint(0, 2))
    want["still_picture"] = bool(w.u(1, r.randint(0, 1)))
    reduced = w.u(1, int(r.randint(0, 4) == 0))
    want.update(reduced_still_picture_header=bool(reduced), tier=0, frame_rate=None)
    if reduced:
        want["level"] = w.u(5, r.randint(0, 31))
    else:
        _av1_operation(w, r, want)
    bits = w.u(4, r.randint(9, 15)) + 1, w.u(4, r.randint(9, 15)) + 1
    want["max_frame_width"] = w.u(bits[0], r.randint(0, 1023)) + 1
    want["max_frame_height"] = w.u(bits[1], r.randint(0, 1023)) + 1
    if not reduced and w.u(1, r.randint(0, 1)):
        w.u(7, 0)
    w.u(3, r.randint(0, 7))
    if not reduced:
        w.u(4, r.randint(0, 15))
        order = w.u(1, r.randint(0, 1))
        w.u(2 * order, 0)
        screen = 2 if w.u(1, r.randint(0, 1)) else w.u(1, r.randint(0, 1))
        if screen and not w.u(1, r.randint(0, 1)):
            w.u(1, 0)
        w.u(3 * order, 0)
    w.u(3, r.randint(0, 7))
    _av1_color(w, r, profile, want)
    w.u(1, r.randint(0, 1))
    return w.raw(), want


def _av1_operation(w: Bits, r: random.Random, want: Fields) -> None:
    model = 0
    if w.u(1, r.randint(0, 1)):
        ticks, scale = w.u(32, r.randint(1, 2000)), w.u(32, r.randint(1, 1 << 20))
        if w.u(1, r.randint(0, 1)):
            want["frame_rate"] = (scale, ticks * (w.ue(r.randint(0, 9)) + 1))
        if w.u(1, r.randint(0, 1)):
            model = w.u(5, r.randint(0, 31)) + 1
            w.u(42, 0)
    delay = w.u(1, r.randint(0, 1))
    for i in range(w.u(5, r.randint(0, 5)) + 1):
        w.u(12, r.getrandbits(12))
        level, tier = w.u(5, r.randint(0, 31)), 0
        if level > 7:
            tier = w.u(1, r.randint(0, 1))
        if i == 0:
            want.update(level=level, tier=tier)
        if model and w.u(1, r.randint(0, 1)):
            w.u(2 * model + 1, 0)
        if delay and w.u(1, r.randint(0, 1)):
            w.u(4, 9)


def _av1_color(w: Bits, r: random.Random, profile: int, want: Fields) -> None:
    depth = 8
    if w.u(1, r.randint(0, 1)):
        depth = 12 if profile == 2 and w.u(1, r.randint(0, 1)) else 10
    mono = 0 if profile == 1 else w.u(1, r.randint(0, 1))
    codes = [2, 2, 2]
    if w.u(1, r.randint(0, 1)):
        codes = [w.u(8, c) for c in r.choice(((1, 13, 0), (9, 16, 9), (1, 1, 1), (r.randint(0, 255), 13, 0)))]
    chroma = 0
    if mono:
        full = w.u(1, r.randint(0, 1))
    elif codes == [1, 13, 0]:
        full, chroma = 1, 3
        w.u(1, 0)
    else:
        full = w.u(1, r.randint(0, 1))
        chroma = (1, 3, 2)[profile]
        if profile == 2 and depth == 12:
            chroma = 3
            if w.u(1, r.randint(0, 1)):
                chroma = 1 if w.u(1, r.randint(0, 1)) else 2
        if chroma == 1:
            w.u(2, 0)
        w.u(1, 0)
    want.update(bit_depth=depth, monochrome=bool(mono), chroma_format=CHROMA[chroma], color=(*codes, full))
