"""Run under an interpreter that has another `tstrans`: decode packets to JSON, and encode what was decoded.

usage: python worker_wheel.py IN OUT     IN: packets behind 4-byte lengths; OUT: re-encoded, the same way
"""

import dataclasses
import enum
import json
import pathlib
import struct
import sys

from tstrans import klv


def plain(v):
    if dataclasses.is_dataclass(v):
        return [plain(getattr(v, f.name)) for f in dataclasses.fields(v)]
    if isinstance(v, enum.Enum):
        return plain(v.value)
    if isinstance(v, bytes):
        return "hex:" + v.hex()
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    out = bytearray()
    at = 0
    while at < len(data):
        (n,) = struct.unpack_from(">I", data, at)
        packet = data[at + 4 : at + 4 + n]
        at += 4 + n
        try:
            r = klv.decode_uas_datalink(packet)
            again = klv.encode_uas_datalink(r)
        except Exception as e:
            print(json.dumps({"error": f"{type(e).__name__} {getattr(e, 'kind', '')} {e}"}))
            again = b""
        else:
            print(json.dumps({f.name: plain(getattr(r, f.name)) for f in dataclasses.fields(r)}))
        out.extend(struct.pack(">I", len(again)) + again)
    pathlib.Path(sys.argv[2]).write_bytes(out)


main()
