"""A transport-stream writer for tests, straight from ISO/IEC 13818-1, without the library's muxer."""

from __future__ import annotations

VIDEO, KLV, AUDIO = 0x101, 0x102, 0x103
PMT = 0x100

#: A KLV record: 16-byte universal label (MISB ST 0601), BER length, body.
UAS = bytes.fromhex("060e2b34020b01010e01030101000000")


def klv(body: bytes = b"\x01\x02\x03") -> bytes:
    assert len(body) < 128
    return UAS + bytes([len(body)]) + body


def crc32(data: bytes) -> int:
    """CRC-32 of PSI: polynomial 0x04C11DB7, not reflected (Annex A)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def section(table_id: int, extension: int, body: bytes, version: int = 0) -> bytes:
    length = len(body) + 9
    head = bytes([table_id, 0xB0 | length >> 8, length & 255, extension >> 8, extension & 255])
    s = head + bytes([0xC1 | version << 1, 0, 0]) + body
    return s + crc32(s).to_bytes(4, "big")


def pat(programs: dict[int, int] | None = None) -> bytes:
    body = b"".join(
        n.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for n, pid in (programs or {1: PMT}).items()
    )
    return section(0, 1, body)


def descriptor(tag: int, data: bytes) -> bytes:
    return bytes([tag, len(data)]) + data


KLVA = descriptor(5, b"KLVA")


def pmt(streams: list[tuple[int, int, bytes]], program: int = 1, pcr: int = VIDEO, version: int = 0) -> bytes:
    """streams: (pid, stream_type, descriptors)."""
    body = (0xE000 | pcr).to_bytes(2, "big") + b"\xf0\x00"
    for pid, stream_type, loop in streams:
        body += bytes([stream_type]) + (0xE000 | pid).to_bytes(2, "big")
        body += (0xF000 | len(loop)).to_bytes(2, "big") + loop
    return section(2, program, body, version)


def stamp(prefix: int, ticks: int) -> bytes:
    return bytes(
        [
            prefix << 4 | ticks >> 29 & 14 | 1,
            ticks >> 22 & 255,
            ticks >> 14 & 254 | 1,
            ticks >> 7 & 255,
            ticks << 1 & 254 | 1,
        ]
    )


def pes(
    stream_id: int, data: bytes, pts: int | None = None, dts: int | None = None, bounded: bool = True
) -> bytes:
    if pts is None:
        flags, stamps = 0, b""
    elif dts is None:
        flags, stamps = 0x80, stamp(2, pts)
    else:
        flags, stamps = 0xC0, stamp(3, pts) + stamp(1, dts)
    rest = bytes([0x84, flags, len(stamps)]) + stamps + data
    return b"\0\0\1" + bytes([stream_id]) + (len(rest) if bounded else 0).to_bytes(2, "big") + rest


class Writer:
    """Packets with continuity counters."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.counters: dict[int, int] = {}

    def packets(self, pid: int, data: bytes, random_access: bool = False) -> Writer:
        """A section or PES, from a packet of its own on."""
        start = True
        while data or start:
            flags = 0x40 if start and random_access else None
            space = 184 if flags is None else 182
            piece, data = data[:space], data[space:]
            adaptation = b"" if flags is None else bytes([1, flags])
            short = 184 - len(piece) - len(adaptation)
            if short:
                if not adaptation:
                    adaptation = b"\0" if short == 1 else bytes([short - 1, 0]) + b"\xff" * (short - 2)
                else:
                    adaptation = bytes([1 + short, flags or 0]) + b"\xff" * short
            cc = self.counters.get(pid, 0)
            self.counters[pid] = cc + 1 & 15
            self.out += bytes([0x47, start << 6 | pid >> 8, pid & 255, (0x30 if adaptation else 0x10) | cc])
            self.out += adaptation + piece
            start = False
        return self

    def psi(self, pid: int, s: bytes) -> Writer:
        s = b"\0" + s
        return self.packets(pid, s + b"\xff" * (-len(s) % 184))

    def tables(self, streams: list[tuple[int, int, bytes]] | None = None, version: int = 0) -> Writer:
        """PAT and PMT; by default H.264, asynchronous KLV and AAC."""
        if streams is None:
            streams = [(VIDEO, 0x1B, b""), (KLV, 0x06, KLVA), (AUDIO, 0x0F, b"")]
        return self.psi(0, pat()).psi(PMT, pmt(streams, version=version))

    def video(
        self, pts: int | None, data: bytes = b"\0\0\0\1\x65abc", dts: int | None = None, key: bool = False
    ) -> Writer:
        return self.packets(VIDEO, pes(0xE0, data, pts, dts, bounded=False), key)

    def klv(self, pts: int | None, data: bytes | None = None) -> Writer:
        return self.packets(KLV, pes(0xBD, klv() if data is None else data, pts))

    def audio(self, pts: int, data: bytes = b"\xff\xf1" + bytes(30)) -> Writer:
        return self.packets(AUDIO, pes(0xC0, data, pts))

    def bytes(self) -> bytes:
        return bytes(self.out)


def small() -> bytes:
    """Three pictures, three records, one audio PES."""
    w = Writer().tables()
    for i in range(3):
        w.video(90000 + 3000 * i, b"\0\0\0\1\x65" + bytes([i]) * 300, dts=90000 + 3000 * i - 10, key=i == 0)
        w.klv(90100 + 3000 * i)
    return w.audio(90000).bytes()


def cell(sequence: int, cfi: int, data: bytes) -> bytes:
    """A metadata AU cell (ITU-T H.222.0 §2.12.4)."""
    return bytes([0, sequence, cfi << 6 | 0x1F]) + len(data).to_bytes(2, "big") + data


def sync_klv(*cells: bytes) -> bytes:
    w = Writer().tables([(VIDEO, 0x1B, b""), (KLV, 0x15, KLVA)])
    for c in cells:
        w.klv(90000, c)
    return w.bytes()
