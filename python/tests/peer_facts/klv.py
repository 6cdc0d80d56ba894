"""Sets of MISB: every field written, every tag read, cut and broken records."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from .fields import FIELDS

_VALUES = [
    *(
        "None",
        "0",
        "1",
        "-1",
        "0.5",
        "-20",
        "45.5",
        "90",
        "-90.0",
        "180",
        "360",
        "361",
        "65535",
        "65536",
        "255",
    ),
    *(
        "256",
        "1e9",
        "float('nan')",
        "float('inf')",
        "''",
        "'a'",
        "'\\xe9' * 63",
        "'x' * 128",
        "b''",
        "b'abc'",
    ),
    *("2**32", "2**63", "np.float64(1.5)", "np.int32(3)", "np.uint8(7)", "object()", "(1, 2)", "True"),
]

_PATTERNS = [
    *(f"b'\\x{x}' * {n}" for n in (1, 2, 3, 4, 8) for x in ("00", "ff", "7f", "80", "31")),
    *("b''", "b'\\x80\\0'", "b'\\x80\\0\\0\\0'", "b'\\x80' + bytes(7)", "b'\\xc8\\0\\0'", "b'\\xe8\\0'"),
    *("b'a' * 128", "bytes(9)", "b'\\1' * 33", "b'\\xfe\\xff\\0A'", "b'\\xff\\xfeA\\0'", "b'\\xc3'"),
]

#: Expressions that encode a set with one field, and give its field back.
_ENCODERS = {
    "UasDatalinkLs": ("encode_uas_datalink(UasDatalinkLs({}))", "decode_uas_datalink(b)"),
    "SecurityLs": ("encode_security(SecurityLs({}))", "decode_security(b)"),
    "VmtiLs": ("encode_vmti(VmtiLs({}))", "decode_vmti(b)"),
    "VTargetPack": (
        "encode_vmti(VmtiLs(targets=(VTargetPack(target_id=1, {}),)))",
        "decode_vmti(b).targets[0]",
    ),
}

#: Expressions that decode a set with one item.
_DECODERS = {
    "item": (range(145), "dec(rec(tlv(2, bytes(8)), tlv({}, {})))"),
    "ST 0102 item": (range(27), "held(decode_security(tlv({}, {})))"),
    "ST 0903 item": ((*range(16), *range(100, 105)), "held(decode_vmti(tlv({}, {})))"),
    "target's item": (
        (*range(25), *range(100, 109)),
        "v = b'\\7' + tlv({}, {}); r = decode_vmti(tlv(101, ber(len(v)) + v)); ([held(x) for x in"
        " r.targets])",
    ),
}

_RECORD = (
    "rec(tlv(2, bytes(8)), tlv(3, b'MISSION'), tlv(5, b'\\x9a\\xa2'), tlv(13, b'\\x2a\\xca\\xdb\\x36'),"
    " tlv(65, b'\\x13'))"
)
_CUT = {
    "record": f"dec({_RECORD}[:{{}}])",
    "any set": f"type(parse_klv_universal({_RECORD}[:{{}}])).__name__",
    "pack": "decode_precision_timestamp((PT + b'\\x09\\x1f' + bytes(8))[:{}])",
    "ST 0102 set": "held(decode_security((tlv(1, b'\\1') + tlv(3, b'//US') + tlv(22, b'\\0\\x0c'))[:{}]))",
}

_WHOLE = "version_number=5 num_targets_reported=1 precision_time_stamp=5 horizontal_fov=1.0 vertical_fov=2.0"
_WHOLE += " miis_id=b'abc'"

_USES = {
    "an item twice, by the rules": "[(t, attempt(lambda: dec(rec(tlv(2, bytes(8)), tlv(t, b'\\1\\2'),"
    " tlv(t, b'\\1\\2'), tlv(65, b'\\x13')), compliance=True))) for t in (1, 2, 3, 5, 13, 48, 115, 200, 66)]",
    "an item twice": "dec(rec(tlv(2, bytes(8)), tlv(3, b'a'), tlv(3, b'b'), tlv(200, b'a'), tlv(200, b'b')))",
    "a checksum of three bytes": "b = UAS + b'\\5\\1\\3\\0\\0\\0'; dec(b)",
    "a payload of 59 bits": "decode_uas_datalink(rec(tlv(2, bytes(8)), tlv(96, b'\\xff' *"
    " 8))).imapb_specials",
    "a pack of another length": "[attempt(lambda: decode_precision_timestamp(PT + b)) for b in"
    " (b'\\5', b'\\5abcde', b'\\x0a' + bytes(10), b'\\x09', b'\\x80', b'\\0', b'\\x81\\x09' + bytes(9))]",
    "no set to encode": "[attempt(lambda: f(x)) for f in (encode_security, encode_security_strict_compliance,"
    " encode_vmti, encode_uas_datalink, encode_precision_timestamp) for x in (None, 1, [], b'')]",
    "edits that are none": f"[attempt(lambda: patch_uas_datalink({_RECORD}, x)) for x in (None, 1, 'a', [])]",
    "edits": f"dec(patch_uas_datalink({_RECORD}, UasDatalinkLs(mission_id='new', slant_range_m=5.0)))",
    "strict is no number": "type(attempt(lambda: decode_security(b'\\1\\1\\1', strict='x'))).__name__",
    "labels": "[[attempt(lambda: dec(rec(tlv(2, bytes(8)), ul=u), strict=s)) for s in (False, True)] for u in"
    " (UAS, VM, SEC, bytes(16), UAS[:13] + b'\\5\\6\\0', UAS[:15] + b'\\1')]",
    "family": "[is_st0601_family(u) for u in (UAS, VM, UAS[:13] + b'\\5\\6\\0', UAS[:15] + b'\\1',"
    " UAS[:15])]",
    "rules of a record": "[attempt(lambda: dec(rec(*i), compliance=True)) for i in"
    " ((tlv(65, b'\\1'), tlv(2, bytes(8))), (tlv(2, bytes(8)),), (), (tlv(2, bytes(8)), tlv(65, b'\\1')))]",
    "a wrong sum": f"b = {_RECORD}; dec(b[:-1] + bytes([b[-1] ^ 1]))",
    "unknown items": "encode_uas_datalink(UasDatalinkLs(unknown=((300, b'x'), (200, b'z'), (5, b'no'))))",
    "unknown items that are none": "[attempt(lambda: encode_uas_datalink(UasDatalinkLs(unknown=x)))"
    " for x in (((200, 'x'),), (5,), ((-1, b'x'),), [(200, b'x')])]",
    "goldens": "[encode_uas_datalink(UasDatalinkLs(**x)) for x in ({}, {'timestamp_us': 1},"
    " {'mission_id': '\\xe9'}, {'sensor_lat_deg': 10})]",
    "helpers": "u = UasDatalinkLs(platform_heading_deg=1.0, platform_pitch_deg=2.0, platform_roll_deg=3.0,"
    " sensor_lat_deg=4.0, sensor_lon_deg=5.0, sensor_alt_m=6.0, sensor_hfov_deg=7.0, sensor_vfov_deg=8.0,"
    " frame_center_lat_deg=9.0, frame_center_lon_deg=10.0, frame_center_elev_m=11.0);"
    " [getattr(x, n)() for x in (u, UasDatalinkLs()) for n in ('corners', 'frame_center',"
    " 'platform_attitude', 'sensor_attitude', 'sensor_fov', 'sensor_position')]",
    "corners": "n = [f'corner_{a}_{{}}p{i}_deg' for i in (1, 2, 3, 4) for a in ('lat', 'lon')];"
    " full = {k.format(''): float(i) for i, k in enumerate(n)};"
    " off = {k.format('offset_'): i / 200 for i, k in enumerate(n)};"
    " c = {'frame_center_lat_deg': 1.0, 'frame_center_lon_deg': 2.0};"
    " [UasDatalinkLs(**x).corners() for x in (full, off, {**off, **c}, {**full, **off, **c},"
    " {**full, 'corner_lat_p3_deg': None})]",
    "changes": "[attempt(lambda: held(UasDatalinkLs().with_(**x))) for x in"
    " ({}, {'timestamp_us': 5}, {'nonsense': 1}, {'universal_label': b'x'})]",
    "targets by the rules": "[attempt(lambda: encode_vmti_strict_compliance(VmtiLs(version_number=5,"
    " num_targets_reported=1, targets=t))) for t in ((VTargetPack(target_id=7),), (VTargetPack(target_id=1,"
    " priority=1),) * 2, (VTargetPack(target_id=9, unknown=((50, b'x'),)),))]",
    "offsets without a centre": "[attempt(lambda: type(encode_vmti_standalone_strict_compliance(VmtiLs("
    "version_number=5, num_targets_reported=1, precision_time_stamp=5, horizontal_fov=1.0, vertical_fov=2.0,"
    " miis_id=b'a', targets=(VTargetPack(target_id=1, **x),)))).__name__) for x in"
    " ({'centroid_lat_offset': 1.0}, {'centroid_hae': 1.0}, {'bbox_top_left_lat_offset': 0.5})]",
    "numbers of NumPy": "[encode_security(SecurityLs(version=np.int32(3),"
    " security_classification=np.int64(2))),"
    " encode_vmti(VmtiLs(precision_time_stamp=np.uint64(9), horizontal_fov=np.float32(1.5),"
    " frame_width=np.int16(4))), encode_vmti(VmtiLs(targets=(VTargetPack(target_id=np.int64(1),"
    " priority=np.uint8(3)),)))]",
}


def questions() -> Iterator[tuple[str, str]]:
    for cls, (encode, decode) in _ENCODERS.items():
        for field, v in itertools.product(FIELDS[cls], _VALUES):
            made = encode.format(f"{field}={v}")
            yield f"{cls} {field}={v}", f"b = {made}; (b, attempt(lambda: {decode}.{field}))"
    for name, (tags, decode) in _DECODERS.items():
        for tag, v in itertools.product(tags, _PATTERNS):
            yield f"{name} {tag} of {v}", decode.format(tag, v)
    for name, cut in _CUT.items():
        for n in range(60):
            yield f"{name} of {n} bytes", cut.format(n)
    fields = _WHOLE.split()
    for n in range(len(fields) + 1):
        for missing in itertools.combinations(fields, n):
            having = ", ".join(f for f in fields if f not in missing)
            without = ", ".join(f.partition("=")[0] for f in missing)
            for f in ("encode_vmti_strict_compliance", "encode_vmti_standalone_strict_compliance"):
                yield f"{f} without {without}", f"{f}(VmtiLs({having}))"
    for name, code in _USES.items():
        yield "!" + name, code
