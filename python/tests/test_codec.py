"""tstrans.codec: golden vectors, errors with their attributes, the behaviour of values and lists."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest
from tstrans import codec
from tstrans.exceptions import CodecError, CodecErrorKind
from tstrans.mpegts import AudioCodec, Av1CarriageMode, VideoCodec

h = bytes.fromhex
SPS = h("64001facd9405005bb016a02020280000003008000001e478c18cb")
VPS265 = h("0c01ffff01600000030090000003000003005d959809")
SPS265 = h(
    "0501600000030090000003000003005dd00000030000030000030000030000030000030000b00280802d1a642b6715eabd5555555554bbe6"
    "d6b97b00600cffc0010000db848804db14c85800001f4800075303c000000300000300d0a149050a4828524142926850a4828524142920a1"
    "493428524142920a149050a491c20104"
)
SPS266 = h(
    "004d0253a000000300000300000300000300c0c0333300000a0200b46990a630057ab570fc3b6a59242c2c1fc2fc68889000000300100000"
    "03032d000005cc6486324319218c93319218c90c6486324cc6486324319218c931408ffc0010000f848804ea40"
)
AV1 = h("00000043fc1dfc10dcc1a008")
ADTS = h("fff15080015ffc010203")
MP2 = h("fffd8404") + bytes(380)


def test_h264_sps() -> None:
    s = codec.parse_h264_sps(SPS)
    assert (s.width, s.height, s.coded_width(), s.coded_height()) == (1280, 720, 1280, 720)
    assert (s.profile_idc, s.level_idc, s.constraint_set_flags, s.seq_parameter_set_id) == (100, 31, 0, 0)
    assert (s.bit_depth_luma, s.bit_depth_chroma, s.log2_max_frame_num_minus4) == (8, 8, 0)
    assert s.chroma_format is codec.ChromaFormat.YUV420
    assert s.frame_mbs_only and s.fixed_frame_rate and s.has_b_frames
    assert (s.crop_left, s.crop_right, s.crop_top, s.crop_bottom) == (0, 0, 0, 0)
    assert repr(s.frame_rate) == "Rational(num=60, den=2)" and s.frame_rate.as_float() == 30.0
    assert repr(s.color) == "ColorInfo(primaries=Bt709, transfer=Bt709, matrix=Bt709, full_range=false)"
    assert s.raw_rbsp is SPS
    assert repr(s) == "H264Sps(profile=100, level=31, 1280x720, sps_id=0)"


def test_h264_pps_and_slices() -> None:
    sps = codec.parse_h264_sps(SPS)
    p = codec.parse_h264_pps(h("68"))
    assert (p.pic_parameter_set_id, p.seq_parameter_set_id) == (2, 1)
    assert p.entropy_coding_mode == codec.EntropyCodingMode.CAVLC
    assert codec.parse_h264_pps(h("ebe3cb22c0")).entropy_coding_mode == codec.EntropyCodingMode.CABAC
    s = codec.parse_h264_slice_header_light(h("88840033ff"), sps, 5)
    assert (s.first_in_pic, s.pps_id, s.frame_num, s.idr) == (True, 0, 0, True)
    assert s.slice_type == codec.H264SliceType.I
    s = codec.parse_h264_slice_header_light(h("88840033ff"), None, 1)
    assert s.frame_num is None and not s.idr
    assert repr(s) == "H264SliceHeaderLight(first=true, slice_type=I, idr=false)"
    with pytest.raises(OverflowError):
        codec.parse_h264_slice_header_light(b"\x88\x84", sps, 256)
    with pytest.raises(TypeError):
        codec.parse_h264_slice_header_light(b"\x88\x84", 5, 1)  # type: ignore[arg-type]


def test_h265() -> None:
    v = codec.parse_h265_vps(VPS265)
    assert (v.vps_video_parameter_set_id, v.max_layers_minus1, v.max_sub_layers_minus1) == (0, 0, 0)
    assert (v.general_profile_idc, v.general_level_idc) == (1, 93)
    assert v.general_profile_compatibility_flags == 0x60000000
    assert v.general_progressive_source_flag and v.general_frame_only_constraint_flag
    s = codec.parse_h265_sps(SPS265)
    assert (s.width, s.height, s.coded_width(), s.coded_height()) == (1274, 713, 1280, 720)
    assert (s.bit_depth_luma, s.max_sub_layers_minus1, s.log2_max_pic_order_cnt_lsb_minus4) == (10, 2, 6)
    assert s.chroma_format == codec.ChromaFormat.YUV422
    assert repr(s.frame_rate) == "Rational(num=60000, den=1001)"
    assert s.color.transfer == codec.TransferCharacteristics.SMPTE_ST2084 and s.color.full_range
    assert s.profile_tier_level().general_profile_space == 0
    assert s.profile_tier_level().general_level_idc == s.general_level_idc == 93
    sl = codec.parse_h265_slice_header_light(h("af08"), s, 19)
    assert (sl.first_in_pic, sl.idr, sl.pic_order_cnt_lsb) == (True, True, 0)
    assert sl.slice_type == codec.H265SliceType.I
    assert codec.parse_h265_slice_header_light(h("d2d0"), None, 1).pic_order_cnt_lsb is None


def test_h266() -> None:
    s = codec.parse_h266_sps(SPS266)
    assert (s.width, s.height, s.bit_depth_luma, s.bit_depth_chroma) == (1274, 706, 10, 10)
    assert (s.general_profile_idc, s.general_level_idc, s.general_tier_flag) == (1, 83, False)
    assert repr(s.frame_rate) == "Rational(num=50, den=1)"
    assert s.color.primaries == codec.ColourPrimaries.BT2020
    sl = codec.parse_h266_slice_header_light(h("80000000"), s, 7)
    assert (sl.first_in_pic, sl.idr, sl.pps_id, sl.pic_order_cnt_lsb) == (True, True, 0, 0)
    assert sl.slice_type == codec.H266SliceType.I
    v = codec.parse_h266_vps(bytes(4))
    assert (v.vps_id, v.max_layers, v.max_sub_layers) == (0, 1, 1)
    p = codec.parse_h266_pps(b"\xff" * 4)
    assert (p.pps_id, p.sps_id) == (63, 15)
    with pytest.raises(CodecError) as e:
        codec.parse_h266_sps(h("000d02538000000a0200b458802bd5ab87e0e020f80020"))
    assert (e.value.kind, e.value.profile_idc) == (CodecErrorKind.UNSUPPORTED_PROFILE, 1)


def test_av1() -> None:
    s = codec.parse_av1_sequence_header(AV1)
    assert (s.max_frame_width, s.max_frame_height, s.profile, s.level, s.bit_depth) == (1920, 1080, 0, 8, 8)
    assert s.frame_rate is None and s.color_info.matrix == codec.MatrixCoefficients.UNSPECIFIED
    reduced = codec.parse_av1_sequence_header(h("18157ffc0008"))
    assert reduced.still_picture and reduced.reduced_still_picture_header and reduced.max_frame_width == 64
    for data, want in {
        "10": (0, True, False),
        "00": (0, False, False),
        "80": (0, True, True),
        "70": (3, True, False),
    }.items():
        f = codec.parse_av1_frame_header_light(h(data), s)
        assert (f.frame_type, f.show_frame, f.show_existing_frame, f.frame_size) == (*want, None)
    assert codec.parse_av1_frame_header_light(b"", reduced).frame_type == 0
    with pytest.raises(TypeError):
        codec.parse_av1_frame_header_light(b"\x10", None)  # type: ignore[arg-type]


def test_av1_obu_stream() -> None:
    obu = codec.Obu
    got = codec.parse_av1_obu_stream(
        [obu(3, None, b"\x10"), obu(1, None, AV1), obu(6, None, b"\x10"), obu(1, None, b"\xff")]
    )
    assert [s.max_frame_width for s in got.sequence_headers] == [1920]
    assert [f.frame_type for f in got.frame_headers] == [0]
    assert [t for t, _ in got.unparseable] == [3, 1]
    assert "frame header before sequence header" in got.unparseable[0][1]


@pytest.mark.parametrize(
    ("call", "data", "kind", "attrs"),
    [
        (codec.parse_h264_sps, b"", "TRUNCATED_RBSP", {"offset_bits": 0, "needed_bits": 8}),
        (codec.parse_h264_sps, SPS[:18], "TRUNCATED_RBSP", {"offset_bits": 144, "needed_bits": 1}),
        (codec.parse_h264_sps, bytes(20), "INVALID_GOLOMB", {"offset_bits": 24}),
        (codec.parse_h264_pps, b"\0", "TRUNCATED_RBSP", {"offset_bits": 8, "needed_bits": 1}),
        (codec.parse_h266_vps, b"", "TRUNCATED_RBSP", {"offset_bits": 0, "needed_bits": 1}),
        (codec.parse_h266_sps, bytes(30), "INVALID_GOLOMB", {"offset_bits": 18}),
        (codec.parse_av1_sequence_header, b"", "TRUNCATED_RBSP", {"offset_bits": 0, "needed_bits": 3}),
        (codec.parse_av1_sequence_header, b"\xff", "RESERVED_VALUE", {"field": "seq_profile", "value": 7}),
        (codec.parse_aac_frames, b"\xff", "TRUNCATED", {"needed": 7, "had": 1}),
        (codec.parse_aac_frames, ADTS[:9], "TRUNCATED", {"needed": 10, "had": 9}),
        (codec.parse_aac_frames, b"\0" * 9, "BAD_SYNC_WORD", {"expected": 4095, "found": 0}),
        (codec.parse_aac_frames, h("fff35080015ffc"), "FORBIDDEN", {"field": "adts_layer"}),
        (
            codec.parse_aac_frames,
            h("fff17480015ffc"),
            "RESERVED_VALUE",
            {"field": "sampling_frequency_index", "value": 13},
        ),
        (codec.parse_mpeg2_audio_frames, b"\0" * 9, "BAD_SYNC_WORD", {"expected": 2047, "found": 0}),
        (codec.parse_mpeg2_audio_frames, h("fffd0404"), "UNSUPPORTED_FREE_FORMAT", {"layer": 2}),
        (codec.parse_mpeg2_audio_frames, h("fffdf404"), "FORBIDDEN", {"field": "bitrate_index"}),
        (
            codec.parse_mpeg2_audio_frames,
            h("fffd8c04"),
            "RESERVED_VALUE",
            {"field": "sample_rate_index", "value": 3},
        ),
    ],
)
def test_errors(call: Any, data: bytes, kind: str, attrs: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        call(data)
    e = caught.value
    assert e.kind is CodecErrorKind[kind]
    names = "offset_bits needed_bits field value profile_idc expected found needed had layer".split()  # noqa: SIM905
    assert {n: getattr(e, n) for n in names if getattr(e, n) is not None} == attrs
    assert str(e) == f"{e.codec}: {e.message}"
    assert e.codec in ("h264", "h265", "h266", "av1", "aac", "mpeg2audio")


@pytest.mark.parametrize(
    ("call", "data", "tail"),
    [
        (codec.parse_h264_sps, SPS, 0),
        (codec.parse_h265_vps, VPS265, 3),
        (codec.parse_h265_sps, SPS265, 60),
        (codec.parse_h266_sps, SPS266, 1),
        (codec.parse_av1_sequence_header, AV1, 0),
    ],
)
def test_every_cut(call: Any, data: bytes, tail: int) -> None:
    """A parameter set cut anywhere is truncated; tail bytes at its end are not asked for."""
    for n in range(len(data) - tail - 1):
        with pytest.raises(CodecError) as caught:
            call(data[:n])
        e = caught.value
        assert e.kind is CodecErrorKind.TRUNCATED_RBSP
        if call is not codec.parse_av1_sequence_header:
            assert (e.offset_bits, e.needed_bits) == (8 * n, 1 if n else 8)
        else:
            assert e.offset_bits + e.needed_bits > 8 * n >= e.offset_bits


def test_enumerations() -> None:
    two = codec.Layer.II
    assert two == 1 and two == 1 and two != 2 and int(two) == 1 and two == two and two is codec.Layer.II
    assert two != codec.Version.MPEG2 and two != 1.0
    assert repr(two) == "Layer.II"
    with pytest.raises(TypeError):
        hash(two)
    with pytest.raises(TypeError):
        codec.Layer(1)  # type: ignore[call-arg]
    assert int(codec.TransferCharacteristics.ARIB_STD_B67) == 16
    assert int(codec.MatrixCoefficients.YCGCO_RO) == 16
    assert int(codec.ColourPrimaries.EBU3213E) == 11


def test_values() -> None:
    r = codec.Rational(1, 0)
    assert r.as_float() == float("inf") and r != codec.Rational(1, 0) and {r: 1}[r] == 1
    for bad in (-1, 1 << 32):
        with pytest.raises(OverflowError):
            codec.Rational(bad, 1)
    nal = codec.NalUnit.h264(99, 2, [1, 2])
    assert (nal.kind, nal.nal_type, nal.ref_idc, nal.layer_id, nal.temporal_id_plus1) == (
        "H264",
        99,
        2,
        None,
        None,
    )
    assert nal.payload == b"\1\2" and repr(nal) == "NalUnit(kind='H264', nal_type=99, payload_len=2)"
    nal = codec.NalUnit.h265(1, 2, 3, bytearray(b"x"))
    assert (nal.ref_idc, nal.layer_id, nal.temporal_id_plus1) == (None, 2, 3)
    assert nal != codec.NalUnit.h265(1, 2, 3, b"x")
    with pytest.raises(TypeError):
        pickle.dumps(nal)
    with pytest.raises(OverflowError):
        codec.Obu(300, None, b"")
    with pytest.raises(AttributeError):
        nal.nal_type = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        codec.H264Sps()


def test_misp_values() -> None:
    t = codec.MispTimestamp.micros(5, 31)
    assert t == codec.MispTimestamp(codec.MispTimeKind.MICRO, 31, 5) != codec.MispTimestamp.nanos(5, 31)
    assert repr(t) == "MispTimestamp(kind=MispTimeKind.MICRO, time_status=0x1F, value=5)"
    with pytest.raises(TypeError):
        hash(t)
    for value, status in ((-1, 0), (1 << 64, 0), (0, 256)):
        with pytest.raises(OverflowError):
            codec.MispTimestamp.micros(value, status)


MISP = h(
    "0000000109f0 00000106051c4d4953506d6963726f73656374696d651f0006ff0a24ff181eff400080 0000000165888400"
)


def test_misp_extract() -> None:
    assert codec.extract_misp_timestamp(MISP, VideoCodec.H264) == codec.MispTimestamp.micros(
        1700000000000000, 0x1F
    )
    assert codec.extract_misp_timestamp(bytearray(MISP), VideoCodec.H264) is not None
    assert codec.extract_misp_timestamp(MISP, VideoCodec.AV1) is None
    nano = h("0000014e01051ccf848278ee23306c9265e8fef22fb8b81f1797ff9cfeff362aff000080")
    assert codec.extract_misp_timestamp(nano, VideoCodec.H265) == codec.MispTimestamp.nanos(
        1700000000000000000, 0x1F
    )
    with pytest.raises(ValueError):
        codec.extract_misp_timestamp(MISP[:30], VideoCodec.H264)
    with pytest.raises(AttributeError):
        codec.extract_misp_timestamp(MISP, "h264")  # type: ignore[arg-type]


def test_split_h264() -> None:
    au = (
        h("0000000109f0")
        + b"\0\0\0\1\x67"
        + SPS
        + b"\0\0\1\x68"
        + h("ebe3cb22c0")
        + h("00000001e588840033ff")
    )
    units, issues = codec.split_units(au, VideoCodec.H264)
    assert [(u.nal_type, u.ref_idc) for u in units] == [(9, 0), (7, 3), (8, 3), (5, 3)]
    assert units[1].payload == SPS and units[3].payload == h("88840033ff")
    assert len(issues) == 1 and "forbidden" in issues[0]
    with pytest.raises(ValueError, match="forbidden"):
        codec.split_units(au, VideoCodec.H264, strict=True)
    sets = codec.parse_h264_parameter_sets(units)
    assert sets.sps_by_id[0].width == 1280 and sets.pps_by_id[0].seq_parameter_set_id == 0
    assert codec.split_units(b"", VideoCodec.H264) == ([], [])
    assert codec.split_units(memoryview(au), VideoCodec.H264)[0][0].nal_type == 9


def test_split_refuses() -> None:
    for bad in ("h264", None):
        with pytest.raises(AttributeError):
            codec.split_units(b"", bad)  # type: ignore[call-overload]
    with pytest.raises(ValueError):
        codec.split_units(b"", AudioCodec.AAC)  # type: ignore[call-overload]
    with pytest.raises(AttributeError):
        codec.split_units(b"", VideoCodec.AV1, carriage="raw")  # type: ignore[call-overload]


def test_split_h266_drops() -> None:
    units, issues = codec.split_units(h("0000014079aa 0000010078aa 0000013c79aa"), VideoCodec.H266)
    assert [u.nal_type for u in units] == [15]
    assert ["reserved" in issues[0], "temporal" in issues[1], "nuh_layer_id=60" in issues[2]] == [True] * 3


def test_split_av1() -> None:
    raw = h("12000a030102033202999836480177")
    units, issues = codec.split_units(raw, VideoCodec.AV1, carriage=Av1CarriageMode.INTEROP_RAW_OBU)
    assert [(u.obu_type, u.payload) for u in units] == [
        (2, b""),
        (1, b"\1\2\3"),
        (6, b"\x99\x98"),
        (6, b"\x77"),
    ]
    assert units[0].extension is None
    assert (units[3].extension.temporal_id, units[3].extension.spatial_id) == (2, 1)
    assert issues == []
    units, issues = codec.split_units(h("0000010a040000030105"), VideoCodec.AV1)
    assert [u.payload for u in units] == [h("00000105")] and issues == []
    units, issues = codec.split_units(raw, VideoCodec.AV1)
    assert len(units) == 4 and "start code" in issues[0]


def test_many_units() -> None:
    """More units than the first call has room for."""
    units, _ = codec.split_units(b"\0\0\1\x61\x88" * 1000, VideoCodec.H264)
    assert len(units) == 1000 and all(u.payload == b"\x88" for u in units)


def test_parameter_sets_of_lists() -> None:
    bad = codec.NalUnit.h264(7, 3, b"")
    good = codec.NalUnit.h264(7, 3, SPS)
    assert list(codec.parse_h264_parameter_sets([bad, good]).sps_by_id) == [0]
    assert codec.parse_h264_parameter_sets([]).sps_by_id == {}
    with pytest.raises(CodecError) as e:
        codec.parse_h264_parameter_sets([bad])
    assert (e.value.kind, e.value.codec) == (CodecErrorKind.ENGINE_ERROR, "h264")
    with pytest.raises(TypeError):
        codec.parse_h264_parameter_sets([5])  # type: ignore[list-item]
    h265 = codec.parse_h265_parameter_sets(
        [codec.NalUnit.h265(32, 0, 1, VPS265), codec.NalUnit.h265(33, 0, 1, SPS265)]
    )
    assert (list(h265.vps_by_id), list(h265.sps_by_id), h265.pps_by_id) == ([0], [0], {})
    h266 = codec.parse_h266_parameter_sets([codec.NalUnit.h266(15, 0, 1, SPS266)] * 2 + [good])
    assert (len(h266.vpses), len(h266.spses), h266.ppses) == (0, 2, [])
    assert repr(h266) == "H266ParameterSets(n_vps=0, n_sps=2, n_pps=0)"


def test_aac() -> None:
    f = codec.parse_aac_frames(ADTS)[0]
    assert (f.sample_rate_hz, f.channel_configuration, f.frame_length_bytes, f.samples_per_frame) == (
        44100,
        2,
        10,
        1024,
    )
    assert (f.num_raw_data_blocks, f.has_crc, f.raw_header, f.payload) == (1, False, ADTS[:7], ADTS)
    assert f.profile == codec.AacProfile.LC and f.mpeg_version == codec.MpegVersion.MPEG4
    assert (f.channel_layout.channels, f.channel_layout.is_pce_defined) == (2, False)
    assert repr(f) == "AdtsFrame(profile=Lc, sr=44100, ch=2, frame_len=10)"
    pce = codec.parse_aac_frames(h("fff15000015ffc010203"))[0]
    assert repr(pce.channel_layout) == "AacChannelLayout(pce_defined)" and pce.channel_layout.channels is None
    dirty = b"\xff\xf1" + ADTS + b"xx" + ADTS + ADTS[:8]
    assert len(codec.parse_aac_frames_with_resync(dirty)) == 2
    assert codec.parse_aac_frames(b"") == []
    it = codec.iter_aac_frames(ADTS * 2)
    assert iter(it) is it and [x.frame_length_bytes for x in it] == [10, 10]
    with pytest.raises(CodecError):
        codec.iter_aac_frames(dirty)
    assert len(list(codec.iter_aac_frames_with_resync(dirty))) == 2


@pytest.mark.parametrize(
    ("header", "layer", "version", "kbps", "rate", "mode", "length", "samples"),
    [
        ("fffd8404", 1, 0, 128, 48000, 0, 384, 1152),
        ("fffb9064", 2, 0, 128, 44100, 1, 417, 1152),
        ("fffb9264", 2, 0, 128, 44100, 1, 418, 1152),
        ("fff38464", 2, 1, 64, 24000, 1, 192, 576),
        ("ffe38464", 2, 2, 64, 12000, 1, 384, 576),
        ("ffff8404", 0, 0, 256, 48000, 0, 256, 384),
        ("fff58404", 1, 1, 64, 24000, 0, 384, 1152),
        ("fffd84c4", 1, 0, 128, 48000, 3, 384, 1152),
        ("fffde404", 1, 0, 384, 48000, 0, 1152, 1152),
    ],
)
def test_mpeg_audio(
    header: str, layer: int, version: int, kbps: int, rate: int, mode: int, length: int, samples: int
) -> None:
    f = codec.parse_mpeg2_audio_frames_with_resync(h(header) + bytes(2000))[0]
    assert (f.layer, f.version, f.channel_mode) == (layer, version, mode)
    assert (f.bitrate_kbps, f.sample_rate_hz, f.frame_length_bytes, f.samples_per_frame) == (
        kbps,
        rate,
        length,
        samples,
    )
    assert (f.channels, f.raw_header, len(f.payload)) == (1 if mode == 3 else 2, h(header), length)


def test_parse_audio() -> None:
    assert len(codec.parse_audio(ADTS * 3, AudioCodec.AAC)) == 3
    assert len(codec.parse_audio(MP2 + b"x", AudioCodec.MP2)) == 1
    with pytest.raises(CodecError):
        codec.parse_audio(MP2 + b"x", AudioCodec.MP2, strict=True)
    for other in (AudioCodec.AAC_LATM, AudioCodec.AC3, VideoCodec.H264):
        assert codec.parse_audio(ADTS, other, strict=True) == []  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        codec.parse_audio(ADTS, "aac")  # type: ignore[arg-type]


def test_long_lists_are_lists() -> None:
    """Long results are filled when looked at; nobody can tell."""
    plain = [f.payload for f in codec.parse_aac_frames(ADTS * 100)]
    assert plain == [ADTS] * 100

    def frames() -> list[Any]:
        return codec.parse_aac_frames(ADTS * 100)

    assert isinstance(frames(), list) and len(frames()) == 100 and bool(frames())
    assert len(list(frames())) == len(tuple(frames())) == len([*frames()]) == 100
    assert len([0] + frames()) == len(frames() + [0]) == 101  # noqa: RUF005
    assert frames()[-1].payload == frames()[3:5][0].payload == ADTS
    a = frames()
    assert a == a and a[0] in a and a.index(a[7]) == 7 and a != frames()
    a.append(None)
    assert len(a) == 101 and a.pop() is None and len(a) == 100
    b = [1]
    b.extend(frames())
    b += frames()
    b[1:2] = frames()
    assert len(b) == 300
    assert len(frames() * 2) == 200 and sum(1 for _ in reversed(frames())) == 100
    assert len(frames().copy()) == 100 and sorted(frames(), key=id)
    got: list[int] = []
    shared = frames()
    threads = [
        threading.Thread(target=lambda: got.append(sum(f.frame_length_bytes for f in shared)))
        for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got == [1000] * 4


def test_numpy_views() -> None:
    np = pytest.importorskip("numpy")
    for view, data in (
        (codec.parse_aac_frames(ADTS)[0].payload_np, ADTS),
        (codec.parse_h264_sps(SPS).raw_rbsp_np, SPS),
        (codec.parse_av1_sequence_header(AV1).raw_np, AV1),
        (codec.NalUnit.h264(1, 0, b"").payload_np, b""),
    ):
        assert view.dtype == np.uint8 and view.shape == (len(data),) and view.tobytes() == data
        assert not view.flags.writeable and not view.flags.owndata
        with pytest.raises(ValueError):
            view[...] = 0


def test_buffers_are_taken() -> None:
    assert codec.parse_h264_sps(bytearray(SPS)).raw_rbsp == SPS
    assert len(codec.parse_aac_frames(memoryview(ADTS * 2))) == 2
    for bad in ("text", None, 5):
        with pytest.raises(TypeError):
            codec.parse_h264_sps(bad)  # type: ignore[arg-type]


def test_known_sets_are_bounded() -> None:
    from tstrans.codec._sets import _KEPT_SETS, _known

    for i in range(3 * _KEPT_SETS):
        codec.parse_h264_pps(b"\xff" + i.to_bytes(2, "big"))
    assert all(len(sets) <= _KEPT_SETS for sets in _known.values())


def test_dataframes() -> None:
    pytest.importorskip("pandas")
    from tstrans._pandas_codec import audio_frames_to_dataframe, nals_to_dataframe, obus_to_dataframe

    nals = [codec.NalUnit.h264(5, 3, b"abc"), codec.NalUnit.h265(41, 1, 2, b"")]
    d = nals_to_dataframe(nals, 2.5)
    assert list(d.nal_type_name) == ["IDR_SLICE", "unknown_41"] and list(d.pts_ms) == [2.5, 2.5]
    assert list(d.payload_len) == [3, 0] and d.ref_idc[0] == 3
    assert list(nals_to_dataframe([]).columns)[-1] == "payload_len"
    assert nals_to_dataframe([], 1.0).pts_ms.dtype == float
    d = obus_to_dataframe([codec.Obu(6, codec.ObuExtension(1, 2), b"ab"), codec.Obu(9, None, b"")])
    assert list(d.obu_type_name) == ["FRAME", "unknown_9"] and d.spatial_id[0] == 2
    d = audio_frames_to_dataframe(codec.parse_aac_frames(ADTS * 9))
    assert (
        list(d.byte_offset) == list(range(0, 90, 10))
        and d.profile[0] == "LC"
        and d.mpeg_version[0] == "MPEG4"
    )
    assert d.channel_layout[0] == "AacChannelLayout(channels=2)"
    assert list(audio_frames_to_dataframe(codec.parse_mpeg2_audio_frames(MP2)).layer) == ["II"]
    assert len(audio_frames_to_dataframe([])) == 0
    with pytest.raises(TypeError, match="AdtsFrame, Mpeg2AudioFrame"):
        audio_frames_to_dataframe([*codec.parse_aac_frames(ADTS), *codec.parse_mpeg2_audio_frames(MP2)])
    with pytest.raises(TypeError):
        audio_frames_to_dataframe([5])


def test_c_functions_without_a_python_name() -> None:
    """What only users of the C ABI call: random access, framing of AAC, writing of MISP time."""
    import ctypes

    from tstrans._native import base_abi
    from tstrans._native import codec_abi as abi
    from tstrans._native import mpegts_abi as ts
    from tstrans._native._lib import room

    api = room("codec")
    idr, trail = h("0000016588"), h("000001419a")
    for c, data, want in (
        (ts.TST_CODEC_H264, idr, 1),
        (ts.TST_CODEC_H264, trail, 0),
        (ts.TST_CODEC_H265, h("0000012601af08"), 1),
        (ts.TST_CODEC_H266, h("000001003980"), 1),
        (ts.TST_CODEC_AV1, h("12000a0c") + AV1 + h("320110"), 1),
        (99, b"", base_abi.TST_E_INVALID_ARG),
    ):
        assert api.tst_codec_is_random_access(c, data, len(data)) == want
    for data, want in (
        (ADTS, abi.TST_AAC_ADTS),
        (h("56e003aabbcc56e0"), abi.TST_AAC_LOAS),
        (b"abc", abi.TST_AAC_UNKNOWN),
    ):
        assert api.tst_codec_aac_framing(data, len(data)) == want

    au = h("0000000109f0 0000000165888400")
    out, n = ctypes.create_string_buffer(len(au) + 64), ctypes.c_size_t()
    args = (ts.TST_CODEC_H264, 1700000000000000, abi.TST_MISP_MICRO, 0x1F, au, len(au))
    assert api.tst_codec_misp_insert(out, len(out), ctypes.byref(n), *args) == 0
    assert out.raw[: n.value] == MISP
    assert api.tst_codec_misp_insert(out, len(au), ctypes.byref(n), *args) == base_abi.TST_E_BUFFER_TOO_SMALL
    nano = (ts.TST_CODEC_H264, 1, abi.TST_MISP_NANO, 0, au, len(au))
    assert api.tst_codec_misp_insert(out, len(out), ctypes.byref(n), *nano) == base_abi.TST_E_MUX_MISP_TIME

    fields = (ctypes.c_int64 * 2)()
    for status in (
        api.tst_codec_parse(fields, 2, abi.TST_PS_H264_SPS, SPS, len(SPS)),
        api.tst_codec_parse_slice(fields, 2, abi.TST_PS_H264_SLICE, 5, None, 0, b"\x88", 1),
    ):
        assert status == base_abi.TST_E_BUFFER_TOO_SMALL
    assert api.tst_codec_parse(fields, 2, 99, SPS, len(SPS)) == base_abi.TST_E_INVALID_ARG
    assert api.tst_codec_parse(None, 2, abi.TST_PS_H264_PPS, SPS, len(SPS)) == base_abi.TST_E_INVALID_ARG
    assert api.tst_codec_parse(fields, 2, abi.TST_PS_H264_PPS, None, 5) == base_abi.TST_E_INVALID_ARG
