"""Write the KLV packets of a short made-up flight, one file a packet: OUTDIR/klv_0000.bin ...

The packets are packed here by hand after MISB ST 0601.19 and do not come from this project's encoder, so that
what the tests read was not written by what they test. Python's standard library only.
"""

import math
import pathlib
import struct
import sys

KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
START_US = 1_767_225_600_000_000  # 2026-01-01 00:00:00, MISP microseconds
RATE_HZ = 5
EARTH_M = 6_371_000.0


def signed(value: float, span: float, size: int) -> bytes:
    """A value of -span/2 .. span/2 on the symmetric integers of `size` bytes (ST 0601 linear map)."""
    top = (1 << (8 * size - 1)) - 1
    return round(value * 2 * top / span).to_bytes(size, "big", signed=True)


def unsigned(value: float, low: float, high: float, size: int) -> bytes:
    return round((value - low) * ((1 << (8 * size)) - 1) / (high - low)).to_bytes(size, "big")


def item(tag: int, value: bytes) -> bytes:
    assert tag < 128 and len(value) < 128
    return bytes((tag, len(value))) + value


def packet(i: int) -> bytes:
    t = i / RATE_HZ
    angle = 2 * math.pi * t / 60  # one orbit a minute
    lat0, lon0, radius = 47.3769, 8.5417, 1_500.0
    north, east = radius * math.cos(angle), radius * math.sin(angle)
    lat = lat0 + math.degrees(north / EARTH_M)
    lon = lon0 + math.degrees(east / EARTH_M / math.cos(math.radians(lat0)))
    heading = (math.degrees(angle) + 90) % 360
    slant = math.hypot(radius, 1_200.0)
    width = 2 * slant * math.tan(math.radians(6))
    body = item(2, struct.pack(">Q", START_US + i * 1_000_000 // RATE_HZ))
    body += item(3, b"DEMO-01")
    body += item(5, unsigned(heading, 0, 360, 2))
    body += item(6, signed(1.5 * math.sin(angle), 40, 2))
    body += item(7, signed(12.0, 100, 2))
    body += item(10, b"tstrans demo")
    body += item(11, b"EO Nose")
    body += item(12, b"Geodetic WGS84")
    body += item(13, signed(lat, 180, 4))
    body += item(14, signed(lon, 360, 4))
    body += item(15, unsigned(1_608.0, -900, 19_000, 2))
    body += item(16, unsigned(12.0, 0, 180, 2))
    body += item(17, unsigned(6.8, 0, 180, 2))
    body += item(18, unsigned(90.0, 0, 360, 4))
    body += item(19, signed(-38.66, 360, 4))
    body += item(20, unsigned(0.0, 0, 360, 4))
    body += item(21, unsigned(slant, 0, 5_000_000, 4))
    body += item(22, unsigned(width, 0, 10_000, 2))
    body += item(23, signed(lat0, 180, 4))
    body += item(24, signed(lon0, 360, 4))
    body += item(25, unsigned(408.0, -900, 19_000, 2))
    half = math.degrees(width / 2 / EARTH_M)
    for k, (dn, de) in enumerate(((1, -1), (1, 1), (-1, 1), (-1, -1))):
        body += item(26 + 2 * k, signed(dn * half, 0.15, 2))
        body += item(27 + 2 * k, signed(de * half, 0.15, 2))
    body += item(65, bytes((19,)))
    # The checksum covers everything up to and including its own tag and length (item 1).
    size = len(body) + 4
    head = KEY + (bytes((size,)) if size < 128 else bytes((0x81, size))) + body + bytes((1, 2))
    total = sum(b << (8 * ((n + 1) % 2)) for n, b in enumerate(head)) & 0xFFFF
    return head + struct.pack(">H", total)


def main() -> None:
    out, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for i in range(count):
        (out / f"klv_{i:04d}.bin").write_bytes(packet(i))


if __name__ == "__main__":
    main()
