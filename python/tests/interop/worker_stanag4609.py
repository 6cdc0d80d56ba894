"""Run under an interpreter that has stanag4609: decode packets to a line of JSON each, and encode them again.

usage: python worker_stanag4609.py IN OUT     both: packets behind 4-byte lengths
"""

import dataclasses
import datetime
import enum
import json
import pathlib
import struct
import sys

import stanag4609 as s


def plain(v):
    if isinstance(v, enum.Enum):
        return plain(v.value)
    if isinstance(v, (bytes, bytearray, memoryview)):
        return "hex:" + bytes(v).hex()
    if isinstance(v, (bool, int, float, str)) or v is None:
        return v
    if isinstance(v, datetime.datetime):
        return (v - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(
            microseconds=1
        )
    if dataclasses.is_dataclass(v):
        return {f.name: plain(getattr(v, f.name)) for f in dataclasses.fields(v)}
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, frozenset, set)):
        return [plain(x) for x in v]
    return str(v)


def encode(values, sizes):
    """The record again; mapped items of free length need theirs named, and are tried one way after the
    other.
    """
    wrapped = dict(values)
    for _ in range(len(values) + 1):
        try:
            return bytes(s.encode_uas_local_set(wrapped))
        except TypeError as e:
            if "requires IMAPFieldValue" not in str(e):
                return b""
            tag = int(str(e).split("tag ")[1].split()[0])
            wrapped[tag] = s.IMAPFieldValue(values[tag], sizes[tag])
        except Exception:
            return b""
    return b""


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    out = bytearray()
    at = 0
    while at < len(data):
        (n,) = struct.unpack_from(">I", data, at)
        packet = data[at + 4 : at + 4 + n]
        at += 4 + n
        again = b""
        try:
            record = s.decode_uas_local_set(packet)
            values = {f.definition.tag: f.value for f in record.fields if f.definition.tag != 1}
            line = json.dumps(plain(values))
        except Exception as e:
            line = json.dumps({"error": f"{type(e).__name__} {e}"})
        else:
            sizes = {item.tag: len(item.value) for item in record.local_set.items}
            again = encode(values, sizes)
        print(line)
        out.extend(struct.pack(">I", len(again)) + again)
    pathlib.Path(sys.argv[2]).write_bytes(out)


main()
