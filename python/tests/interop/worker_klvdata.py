"""Run under an interpreter that has klvdata: decode packets to a line of JSON each, tag to value.

usage: python worker_klvdata.py IN     IN: packets behind 4-byte lengths
"""

import json
import pathlib
import struct
import sys

import klvdata


def plain(v):
    if isinstance(v, (int, float, str)) or v is None:
        return v
    if isinstance(v, (bytes, bytearray)):
        return "hex:" + bytes(v).hex()
    if hasattr(v, "timestamp"):
        return v.timestamp()
    return str(v)


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    at = 0
    while at < len(data):
        (n,) = struct.unpack_from(">I", data, at)
        packet = data[at + 4 : at + 4 + n]
        at += 4 + n
        values = {}
        try:
            for record in klvdata.StreamParser(packet):
                for key, item in record.items.items():
                    inner = getattr(item, "value", None)
                    values[str(int.from_bytes(key, "big"))] = [
                        type(item).__name__,
                        plain(getattr(inner, "value", None)),
                    ]
        except Exception as e:
            values = {"error": f"{type(e).__name__} {e}"}
        print(json.dumps(values))


main()
