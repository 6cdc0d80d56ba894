"""Seeded transport streams with everything in them that a demuxer has an opinion on, right and wrong."""

from __future__ import annotations

import random
import struct

PACKET = 188


def crc32(data: bytes) -> int:
    """The CRC of ISO/IEC 13818-1 Annex A."""
    c = 0xFFFFFFFF
    for x in data:
        c ^= x << 24
        for _ in range(8):
            c = ((c << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if c & 0x80000000 else (c << 1) & 0xFFFFFFFF
    return c


def section(table: int, extension: int, body: bytes, version: int = 0) -> bytes:
    n = 5 + len(body) + 4
    s = (
        bytes([table, 0xB0 | n >> 8, n & 255])
        + struct.pack(">H", extension)
        + bytes([0xC1 | version << 1, 0, 0])
        + body
    )
    return s + struct.pack(">I", crc32(s))


def pat(programs: list[tuple[int, int]]) -> bytes:
    return section(0, 1, b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programs))


def pmt(number: int, pcr: int, streams: list[tuple[int, int, bytes]], version: int) -> bytes:
    body = struct.pack(">HH", 0xE000 | pcr, 0xF000)
    for kind, pid, descriptors in streams:
        body += bytes([kind]) + struct.pack(">HH", 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    return section(2, number, body, version)


def packet(pid: int, payload: bytes, cc: int, start: bool, field: bytes | None = None) -> bytes:
    room = 184 - len(payload)
    adaptation = b""
    if room > 0:
        adaptation = bytes([room - 1])
        if room > 1:
            adaptation += (field or b"\0") + b"\xff" * (room - 1 - len(field or b"\0"))
    control = (2 if adaptation else 0) | (1 if payload else 0)
    return (
        bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 255, control << 4 | cc & 15])
        + adaptation
        + payload
    )


def psi(pid: int, data: bytes, cc: int) -> bytes:
    out, data, start = b"", b"\0" + data, True
    while data:
        piece, data = data[:184], data[184:]
        out += bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 255, 0x10 | cc & 15]) + piece.ljust(
            184, b"\xff"
        )
        start, cc = False, cc + 1
    return out


def stamp(prefix: int, v: int) -> bytes:
    head = prefix << 4 | (v >> 30 & 7) << 1 | 1
    return bytes([head, v >> 22 & 255, (v >> 15 & 127) << 1 | 1, v >> 7 & 255, (v & 127) << 1 | 1])


def clock(v: int, flags: int) -> bytes:
    base, extension = divmod(v, 300)
    return bytes([flags]) + struct.pack(">Q", base << 15 | 0x3F << 9 | extension)[2:]


def descriptors(*items: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([tag, len(data)]) + data for tag, data in items)


KINDS = [
    (0x1B, b""),
    (0x24, b""),
    (0x0F, b""),
    (0x03, b""),
    (0x11, b""),
    (0x81, b""),
    (0x15, descriptors((5, b"KLVA"))),
    (0x15, b""),
    (0x06, descriptors((5, b"KLVA"))),
    (0x06, descriptors((0x59, b"eng\x10\0\1\0\1"))),
    (0x06, descriptors((0x56, b"eng\x09\1"))),
    (0x06, descriptors((5, b"VTTC"))),
    (0x06, descriptors((5, b"GA94"))),
    (0x06, descriptors((5, b"AV01"))),
    (0x80, b""),
    (0x02, b""),
    (0x06, b""),
]
KLV_RECORDS, KLV_CELLS, SUBTITLES, AV1 = 8, (6, 7), 9, 13


def klv_record(r: random.Random) -> bytes:
    data = r.randbytes(r.choice([0, 5, 40, 200]))
    length = bytes([len(data)]) if len(data) < 128 else b"\x82" + struct.pack(">H", len(data))
    return b"\x06\x0e\x2b\x34" + r.randbytes(12) + length + data


def cell(r: random.Random, state: dict[str, int]) -> bytes:
    fragment = r.choice([3, 3, 3, 2, 0, 1, 0, 1])
    state["next"] = (state["next"] + 1) & 255 if r.random() < 0.9 else r.randrange(256)
    data = klv_record(r) if r.random() < 0.7 else r.randbytes(r.choice([0, 3, 17, 60]))
    if fragment != 3 and r.random() < 0.6:
        data = data[: r.randrange(len(data) + 1)]
    n = max(0, len(data) + r.choice([-1, 1, 5, 1000])) if r.random() < 0.05 else len(data)
    return bytes([r.randrange(3), state["next"], fragment << 6 | 0x1F, n >> 8, n & 255]) + data


def payload(r: random.Random, kind: int, state: dict[str, int]) -> bytes:
    """What a PES of the stream carries, mostly of the right shape."""
    if kind in KLV_CELLS or (kind == KLV_RECORDS and r.random() < 0.3):
        x = r.random()
        if x < 0.75:
            return b"".join(cell(r, state) for _ in range(r.choice([1, 1, 1, 2, 4])))
        return klv_record(r) if x < 0.9 else r.randbytes(r.randrange(30))
    if kind == KLV_RECORDS:
        return klv_record(r) if r.random() < 0.8 else r.randbytes(r.randrange(40))
    if KINDS[kind][0] == 0x11:
        data = r.randbytes(r.randrange(60))
        return bytes([0x56, 0xE0 | len(data) >> 8, len(data) & 255]) + data if r.random() < 0.8 else data
    if KINDS[kind][0] == 0x81:
        return (b"\x0b\x77" if r.random() < 0.7 else b"") + r.randbytes(40)
    if kind == SUBTITLES:
        head = bytes([0x20 if r.random() < 0.8 else 0x21, 0 if r.random() < 0.9 else 1])
        return head + r.randbytes(r.randrange(30)) + (b"\xff" if r.random() < 0.8 else b"")
    return r.randbytes(r.choice([0, 5, 100, 184, 500, 5000]))


def pes(r: random.Random, kind: int, state: dict[str, int], now: int) -> bytes:
    """A PES packet, now and then with a fault in its header."""
    data = payload(r, kind, state)
    flags = 0x80 | (4 if r.random() < 0.7 else 0) if r.random() >= 0.03 else r.randrange(256)
    stamps, which = b"", 0
    if r.random() < 0.93:
        both = r.random() < 0.2
        stamps, which = stamp(3 if both else 2, now), 0xC0 if both else 0x80
        if both:
            stamps += stamp(1, (now - 3000) % (1 << 33))
    stamps += b"\xff" * r.choice([0, 0, 0, 3])
    unbounded = KINDS[kind][0] in (0x1B, 0x24, 2) or kind == AV1
    length = 0 if (unbounded and r.random() < 0.7) or r.random() < 0.02 else 3 + len(stamps) + len(data)
    stream_id = 0xBD if r.random() < 0.6 else r.choice([0xE0, 0xC0, 0xFC, 0xBD, 0xBF, 0xBE])
    size = r.randrange(256) if r.random() < 0.02 else len(stamps)
    out = (
        bytes([0, 0, 1, stream_id]) + struct.pack(">H", length) + bytes([flags, which, size]) + stamps + data
    )
    if r.random() < 0.03:
        at = r.randrange(min(14, len(out)))
        out = out[:at] + bytes([out[at] ^ 1 << r.randrange(8)]) + out[at + 1 :]
    return out[: r.randrange(1, len(out) + 1)] if r.random() < 0.03 else out


def lossy(r: random.Random, p: bytes) -> bytes:
    """The packet, lost, doubled, tripled or damaged once in a while."""
    x = r.random()
    if x < 0.01:
        return b""
    if x < 0.025:
        return p * (2 if x < 0.02 else 3)
    if x < 0.03:
        at = r.randrange(1, PACKET)
        return p[:at] + bytes([p[at] ^ 1 << r.randrange(8)]) + p[at + 1 :]
    return p


def stream(seed: int) -> bytes:
    """The stream of a seed: the same bytes on every machine."""
    r = random.Random(seed)
    kinds = r.sample(range(len(KINDS)), r.randrange(2, 7))
    streams = [(KINDS[k][0], 0x101 + i, KINDS[k][1]) for i, k in enumerate(kinds)]
    counters = {0: 0, 0x100: 0, **{s[1]: r.randrange(16) for s in streams}}
    state = {s[1]: {"next": r.randrange(256)} for s in streams}
    out: list[bytes] = []
    version = 0

    def tables() -> None:
        out.append(psi(0, pat([(1, 0x100)]), counters[0]))
        out.append(psi(0x100, pmt(1, 0x101, streams, version), counters[0x100]))
        counters[0] += 1
        counters[0x100] += 1

    tables()
    now = r.randrange(1 << 33)
    for _ in range(r.randrange(20, 60)):
        if r.random() < 0.05:
            version = (version + r.randrange(2)) & 31
            tables()
        i = r.randrange(len(kinds))
        pid = streams[i][1]
        step = r.choice([0, 3000, 3600, -3000, 90000, -90001, -5]) if r.random() < 0.3 else 3000
        now = (now + step) % (1 << 33)
        data = pes(r, kinds[i], state[pid], now)
        field = b"\x40" if r.random() < 0.1 else None
        if r.random() < 0.1:
            field = clock(now * 300 % (300 << 33), 0x10 | r.choice([0, 0x40, 0x80]))
        start = True
        while data or start:
            room = 184 - (0 if field is None else 1 + len(field))
            out.append(lossy(r, packet(pid, data[:room], counters[pid], start, field)))
            data, field, start = data[room:], None, False
            counters[pid] += 1
    return b"".join(out)
