"""Parsers of pictures and sound: cut input, wrong input, objects made by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_SPS = "64001facd9405005bb016a02020280000003008000001e478c18cb"
_SPS265 = "0101600000030090000003000003005da00280802d16595654a4932bc05a0808081000000300100000030190c8"
_SETS = {
    "parse_h264_sps": _SPS,
    "parse_h264_pps": "ebe3cb22c0",
    "parse_h265_sps": _SPS265[:80],
    "parse_h265_vps": "0c01ffff01600000030090000003000003005d959809",
    "parse_h265_pps": "ebe3cb22c0",
    "parse_h266_vps": "0c01ffff0160",
    "parse_h266_pps": "ebe3cb22c0",
    "parse_av1_sequence_header": "00000043fc1dfc10dcc1a008",
}
_ATTRIBUTES = "(r, [(n, v) for n in sorted(dir(r)) if n[0] != '_' and not n.startswith(('raw', 'payload_'))"
_ATTRIBUTES += " and not callable(v := getattr(r, n))])"
_WRONG = ["None", "5", "'a'", "bytes(4)", "b'\\xff' * 30", "bytes(30)", "[1]", "1.5"]

_FRAMES = [
    *("b''", "AAC", "AAC * 3", "b'junk' + AAC * 2", "AAC + b'junk'", "AAC[:10]", "AAC[:6]", "MP2", "MP2 * 2"),
    *("MP2 + b'x'", "MP2[:100]", "b'zz' + MP2", "b'\\xff' * 20", "None", "'a'", "5"),
    *("bytes.fromhex('fff15c80021ffc') + bytes(9)", "bytes.fromhex('fff75080021ffc') + bytes(9)"),
    *(f"bytes.fromhex('{h}')" for h in ("fffd0404", "fffdf404", "fffd8c04", "ffed8404", "fff98404")),
]
_AUDIO = [
    f"{p}_{k}_frames{r}"
    for p in ("parse", "iter")
    for k in ("aac", "mpeg2_audio")
    for r in ("", "_with_resync")
]
_FRAME = "[(x, x.payload, x.raw_header, [(n, getattr(x, n)) for n in sorted(dir(x)) if n[0] != '_'"
_FRAME += " and n not in ('payload', 'raw_header', 'payload_np')]) for x in r]"

_CODECS = [
    "VideoCodec.H264",
    "VideoCodec.H265",
    "VideoCodec.H266",
    "VideoCodec.AV1",
    "AudioCodec.AAC",
    "'h264'",
]
_UNITS = ["H264", "H265", "H266", "AV1", "b''", "b'\\0\\0\\1'", "b'\\0\\0\\1\\x65'", "b'abc'"]
_UNITS += ["b'\\0\\0\\1\\xe5ab\\0\\0\\1\\x40\\0'", "b'\\0\\0\\0\\0\\1\\x65\\0\\0\\0'", "'a'"]

_MADE = {
    "NalUnit.h264": [
        "1, 2, b'a'",
        "32, 0, b''",
        "0, 4, b''",
        "-1, 0, b''",
        "256, 0, b''",
        "1, 2, 'a'",
        "1.5, 0, b''",
    ],
    "NalUnit.h265": [
        "1, 2, 3, b'a'",
        "64, 64, 8, b''",
        "-1, 0, 0, b''",
        "256, 256, 256, b''",
        "1, 2, 3, 'a'",
    ],
    "NalUnit.h266": ["1, 2, 3, b'a'", "64, 64, 8, b''", "-1, 0, 0, b''", "63, 63, 7, b''"],
    "Obu": ["1, None, b'a'", "16, None, b''", "-1, None, b''", "1, ObuExtension(7, 3), b''", "1, 5, b''"],
    "ObuExtension": ["1, 2", "8, 4", "-1, 0", "256, 0", "1.5, 0"],
    "Rational": ["1, 2", "1, 0", "-1, 2", "2**32, 1", "1.5, 1", "60, 2"],
    "ColorInfo": [
        "ColourPrimaries.BT709, TransferCharacteristics.BT709, MatrixCoefficients.BT709, True",
        "1, 2, 3, 4",
    ],
}
_ENUMS = [
    "AacProfile",
    "ChannelMode",
    "ChromaFormat",
    "ColourPrimaries",
    "EntropyCodingMode",
    "H264SliceType",
]
_ENUMS += ["H265SliceType", "H266SliceType", "Layer", "MatrixCoefficients", "MpegVersion", "Version"]


def questions() -> Iterator[tuple[str, str]]:
    for f, given in _SETS.items():
        for n in range(len(given) // 2 + 1):
            yield f"{f} of {n} bytes", f"r = {f}(bytes.fromhex('{given[: 2 * n]}')); {_ATTRIBUTES}"
        for v in _WRONG:
            yield f"{f} of {v}", f"{f}({v})"
    sets = {"none": "None", "one": f"parse_h264_sps(bytes.fromhex('{_SPS}'))", "a number": "5"}
    for given, (name, s), n in itertools.product(
        ("88840033ff", "", "ff", "00", "9a24"), sets.items(), (1, 5, 20, -1, 300, "None")
    ):
        f = "parse_h264_slice_header_light"
        yield f"{f} {given} {name} {n}", f"r = {f}(bytes.fromhex('{given}'), {s}, {n}); {_ATTRIBUTES}"
    for given in ("10", "00", "80", "30", "50", "70", "", "ff"):
        header = f"parse_av1_sequence_header(bytes.fromhex('{_SETS['parse_av1_sequence_header']}'))"
        f = "parse_av1_frame_header_light"
        yield f"{f} {given}", f"r = {f}(bytes.fromhex('{given}'), {header}); {_ATTRIBUTES}"
    for f, v in itertools.product(_AUDIO, _FRAMES):
        yield f"{f} of {v}", f"r = {f}({v}); {_FRAME}"
    for codec, v, how in itertools.product(_CODECS, _UNITS, ("", ", strict=True")):
        yield f"split_units of {v}, {codec}{how}", f"split_units({v}, {codec}{how})"
    for codec, v, how in itertools.product(_CODECS, ("AAC * 2", "MP2", "b'x'", "b''"), ("", ", strict=True")):
        yield f"parse_audio of {v}, {codec}{how}", f"parse_audio({v}, {codec}{how})"
    for f, given in _MADE.items():
        for a in given:
            yield f"{f}({a})", f"r = {f}({a}); {_ATTRIBUTES}"
    for f in ("h264", "h265", "h266"):
        for v in ("[]", "None", "[5]", "(NalUnit.h264(7, 3, b''),)", "[NalUnit.h265(33, 0, 1, b'')]"):
            yield f"parse_{f}_parameter_sets of {v}", f"r = parse_{f}_parameter_sets({v}); {_ATTRIBUTES}"
    for e in _ENUMS:
        yield (
            f"members of {e}",
            f"[(n, repr(m), int(m), m == int(m)) for n in dir({e}) if isinstance(m := getattr({e}, n), {e})]",
        )
        yield f"{e}(0)", f"{e}(0)"
