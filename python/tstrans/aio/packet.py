"""RTP and RTCP packets (RFC 3550, RFC 4585, RFC 8285)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Union

from .._native import rtpflow_lib as _lib

__all__ = [
    "DYNAMIC_PAYLOAD_TYPES",
    "FORBIDDEN_PAYLOAD_TYPES",
    "RTP_HISTORY_SIZE",
    "AnyRtcpPacket",
    "HeaderExtensions",
    "HeaderExtensionsMap",
    "RtcpByePacket",
    "RtcpPacket",
    "RtcpPsfbPacket",
    "RtcpReceiverInfo",
    "RtcpRrPacket",
    "RtcpRtpfbPacket",
    "RtcpSdesPacket",
    "RtcpSenderInfo",
    "RtcpSourceInfo",
    "RtcpSrPacket",
    "RtpPacket",
    "clamp_packets_lost",
    "is_rtcp",
    "pack_header_extensions",
    "pack_packets_lost",
    "pack_rtcp_packet",
    "padl",
    "unpack_header_extensions",
    "unpack_packets_lost",
]

RTP_HISTORY_SIZE = 128
FORBIDDEN_PAYLOAD_TYPES = range(72, 77)
DYNAMIC_PAYLOAD_TYPES = range(96, 128)

RTP_HEADER_LENGTH = 12
RTCP_HEADER_LENGTH = 4
PACKETS_LOST_MIN = -(1 << 23)
PACKETS_LOST_MAX = (1 << 23) - 1

RTCP_SR = 200
RTCP_RR = 201
RTCP_SDES = 202
RTCP_BYE = 203
RTCP_RTPFB = 205
RTCP_PSFB = 206

RTCP_RTPFB_NACK = 1

RTCP_PSFB_PLI = 1
RTCP_PSFB_SLI = 2
RTCP_PSFB_RPSI = 3
RTCP_PSFB_FIR = 4
RTCP_PSFB_APP = 15


def is_rtcp(msg: bytes) -> bool:
    """Whether a datagram is RTCP, told by its second byte.

    >>> is_rtcp(bytes.fromhex("80c80006"))
    True
    """
    return len(msg) >= 2 and 192 <= msg[1] <= 208


def clamp_packets_lost(count: int) -> int:
    """The count within 24 bits with sign."""
    return max(PACKETS_LOST_MIN, min(count, PACKETS_LOST_MAX))


def pack_packets_lost(count: int) -> bytes:
    """The three bytes of a count, of which the low 24 bits are taken."""
    return struct.pack("!l", count)[1:]


def unpack_packets_lost(d: bytes) -> int:
    """The count of three bytes."""
    high, low = struct.unpack("!bH", d)
    count: int = high << 16 | low
    return count


def padl(length: int) -> int:
    """Bytes up to the next multiple of four."""
    return -length % 4


def pack_header_extensions(extensions: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """(profile, value) of a header extension that holds (id, value) pairs; (0, b"") for none."""
    for i, value in extensions:
        assert 0 < i < 256, "identifiers are 1 to 255"
        assert len(value) < 256, "values are at most 255 bytes"
    return _lib.build_elements(extensions)


def unpack_header_extensions(extension_profile: int, extension_value: bytes) -> list[tuple[int, bytes]]:
    """The (id, value) pairs of a header extension; ValueError where it is cut short."""
    return [(i, v) for i, v, _ in _lib.elements(extension_profile, extension_value)]


def pack_rtcp_packet(packet_type: int, count: int, payload: bytes) -> bytes:
    """A whole RTCP packet around a payload of whole words."""
    assert len(payload) % 4 == 0, "the payload is a multiple of 4 bytes"
    return struct.pack("!BBH", (2 << 6) | count, packet_type, len(payload) // 4) + payload


@dataclass
class HeaderExtensions:
    """The values of the header extensions known here; None: absent."""

    abs_send_time: int | None = None
    audio_level: Any = None
    mid: Any = None
    repaired_rtp_stream_id: Any = None
    rtp_stream_id: Any = None
    transmission_offset: int | None = None
    transport_sequence_number: int | None = None


_TEXT, _ASCII, _NUMBER, _SIGNED, _LEVEL = range(5)

# What each extension's URI means: attribute, kind, length in bytes. They are written in this order.
_EXTENSIONS = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": ("mid", _TEXT, 0),
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": ("repaired_rtp_stream_id", _ASCII, 0),
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": ("rtp_stream_id", _ASCII, 0),
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": ("abs_send_time", _NUMBER, 3),
    "urn:ietf:params:rtp-hdrext:toffset": ("transmission_offset", _SIGNED, 3),
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": ("audio_level", _LEVEL, 1),
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": (
        "transport_sequence_number",
        _NUMBER,
        2,
    ),
}


class HeaderExtensionsMap:
    """Which identifier stands for which extension, as negotiated."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, int, int]] = {}
        self._ids: dict[str, int] = {}

    def configure(self, extensions: Iterable[tuple[int, str]]) -> None:
        """Add (id, URI) pairs; URIs that are not known are left out."""
        for i, uri in extensions:
            known = _EXTENSIONS.get(uri)
            if known is not None:
                self._known[i] = known
                self._ids[known[0]] = i

    def get(self, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
        """The values in a header extension; ValueError where one is malformed."""
        values = HeaderExtensions()
        for i, raw, number in _lib.elements(extension_profile, extension_value):
            known = self._known.get(i)
            if known is None:
                continue
            name, kind, size = known
            value: Any
            if size and len(raw) != size:
                raise ValueError(f"header extension {name} of {len(raw)} bytes rather than {size}")
            if kind in (_TEXT, _ASCII):
                value = raw.decode("utf8" if kind == _TEXT else "ascii")
            elif kind == _SIGNED:
                value = int.from_bytes(raw, "big", signed=True)
            elif kind == _LEVEL:
                # RFC 6464 §3: one bit for voice, seven for the level in -dBov.
                value = number >= 128, number % 128
            else:
                value = number
            setattr(values, name, value)
        return values

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        """(profile, value) of the header extension with values; struct.error where one does not fit."""
        pairs: list[tuple[int, bytes]] = []
        for name, kind, size in _EXTENSIONS.values():
            i, value = self._ids.get(name), getattr(values, name)
            if i is None or value is None:
                continue
            if kind in (_TEXT, _ASCII):
                raw = value.encode("utf8" if kind == _TEXT else "ascii")
            elif kind == _LEVEL:
                raw = bytes([(128 if value[0] else 0) + value[1] % 128])
            elif name == "abs_send_time":  # it wraps by its definition
                raw = (value % (1 << 24)).to_bytes(size, "big")
            else:
                try:
                    raw = value.to_bytes(size, "big", signed=kind == _SIGNED)
                except OverflowError:
                    raise struct.error(f"{name} does not fit {size} bytes: {value}") from None
            pairs.append((i, raw))
        return pack_header_extensions(pairs)


_NO_EXTENSIONS = HeaderExtensionsMap()


class RtpPacket:
    """An RTP packet.

    >>> p = RtpPacket(payload_type=0, sequence_number=1000, timestamp=8000, ssrc=7, payload=bytes(160))
    >>> RtpPacket.parse(p.serialize())
    RtpPacket(seq=1000, ts=8000, marker=0, payload=0, 160 bytes)
    """

    # With a __dict__, which costs nothing while it is empty: users hang things of their own on packets.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_extensions",
        "csrc",
        "marker",
        "padding_size",
        "payload",
        "payload_type",
        "sequence_number",
        "ssrc",
        "timestamp",
        "version",
    )

    def __init__(
        self,
        payload_type: int = 0,
        marker: int = 0,
        sequence_number: int = 0,
        timestamp: int = 0,
        ssrc: int = 0,
        payload: bytes = b"",
    ) -> None:
        self.version = 2
        self.marker = marker
        self.payload_type = payload_type
        self.sequence_number = sequence_number
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.csrc: list[int] = []
        self._extensions: HeaderExtensions | None = None
        self.payload = payload
        self.padding_size = 0

    @property
    def extensions(self) -> HeaderExtensions:
        """The values of its header extensions."""
        if self._extensions is None:
            self._extensions = HeaderExtensions()
        return self._extensions

    @extensions.setter
    def extensions(self, values: HeaderExtensions) -> None:
        self._extensions = values

    def __repr__(self) -> str:
        return (
            f"RtpPacket(seq={self.sequence_number}, ts={self.timestamp}, marker={self.marker}, "
            f"payload={self.payload_type}, {len(self.payload)} bytes)"
        )

    @classmethod
    def parse(cls, data: bytes, extensions_map: HeaderExtensionsMap = _NO_EXTENSIONS) -> RtpPacket:
        """Read a packet; ValueError where it is none."""
        if type(data) is not bytes:
            data = bytes(data)
        marker, pt, _, padding, seq, profile, ts, ssrc, at, n, xat, xn, has, csrc = _lib.rtp_parse(data)
        p = cls.__new__(cls)
        p.version = 2
        p.marker = marker
        p.payload_type = pt
        p.sequence_number = seq
        p.timestamp = ts
        p.ssrc = ssrc
        p.csrc = list(csrc)
        p._extensions = extensions_map.get(profile, data[xat : xat + xn]) if has else None
        p.payload = data[at : at + n]
        p.padding_size = padding
        return p

    def serialize(self, extensions_map: HeaderExtensionsMap = _NO_EXTENSIONS) -> bytes:
        """Write the packet; struct.error where a field does not fit, ValueError for too much padding."""
        if self.padding_size > 255:
            raise ValueError(f"padding of {self.padding_size} bytes: at most 255")
        second = self.marker << 7 | self.payload_type
        if not 0 <= second < 256:
            raise struct.error(f"marker {self.marker} and payload type {self.payload_type} do not fit a byte")
        profile, extension = 0, b""
        if self._extensions is not None and extensions_map._known:
            profile, extension = extensions_map.set(self._extensions)
        return _lib.rtp_build(
            second >> 7,
            second & 0x7F,
            self.padding_size,
            self.sequence_number,
            self.timestamp,
            self.ssrc,
            self.csrc,
            self.payload,
            profile,
            extension,
        )


_pack = _lib.ENTRY.pack


def _entry(
    kind: int, type_: int = 0, fmt: int = 0, ssrc: int = 0, media: int = 0, at: int = 0, n: int = 0
) -> bytes:
    return _pack(kind, type_, fmt, 0, ssrc, 0, media, 0, 0, 0, 0, 0, 0, 0, 0, at, n)


@dataclass
class RtcpSenderInfo:
    """What a sender report says of its sender: NTP and RTP time, packets and payload octets sent."""

    ntp_timestamp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int

    def __bytes__(self) -> bytes:
        return bytes(RtcpSrPacket(0, self))[8:]

    @classmethod
    def parse(cls, data: bytes) -> RtcpSenderInfo:
        """Read its 20 bytes."""
        (sr,) = RtcpPacket.parse(pack_rtcp_packet(RTCP_SR, 0, bytes(4) + bytes(data)))
        assert isinstance(sr, RtcpSrPacket)
        return sr.sender_info


@dataclass
class RtcpReceiverInfo:
    """A report block: loss since the last one of 256 and in total, extended highest sequence number, jitter
    in timestamp units, the middle of the last sender report's NTP time and the time since in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    lsr: int
    dlsr: int

    def __bytes__(self) -> bytes:
        return bytes(RtcpRrPacket(0, [self]))[8:]

    @classmethod
    def parse(cls, data: bytes) -> RtcpReceiverInfo:
        """Read its 24 bytes."""
        (rr,) = RtcpPacket.parse(pack_rtcp_packet(RTCP_RR, 1, bytes(4) + bytes(data)))
        assert isinstance(rr, RtcpRrPacket)
        return rr.reports[0]

    def _packed(self) -> bytes:
        return _pack(
            _lib.REPORT,
            0,
            0,
            self.fraction_lost,
            self.ssrc,
            0,
            0,
            0,
            0,
            0,
            self.packets_lost,
            self.highest_sequence,
            self.jitter,
            self.lsr,
            self.dlsr,
            0,
            0,
        )


@dataclass
class RtcpSourceInfo:
    """A source with its description items: (type, text) pairs."""

    ssrc: int
    items: list[tuple[Any, bytes]]


_NAMES = {
    RTCP_SR: "sender report",
    RTCP_RR: "receiver report",
    RTCP_SDES: "SDES",
    RTCP_BYE: "bye",
    RTCP_RTPFB: "RTP feedback",
    RTCP_PSFB: "payload-specific feedback",
}


def _one(data: bytes, kind: int, count: int) -> Any:
    if len(data) % 4:
        raise ValueError(f"RTCP {_NAMES[kind]} length is invalid")
    packets = RtcpPacket.parse(pack_rtcp_packet(kind, count, bytes(data)))
    return packets[0]


@dataclass
class RtcpSrPacket:
    """A sender report."""

    ssrc: int
    sender_info: RtcpSenderInfo
    reports: list[RtcpReceiverInfo] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        s = self.sender_info
        head = _pack(
            _lib.PACKET,
            RTCP_SR,
            0,
            0,
            self.ssrc,
            s.ntp_timestamp,
            0,
            s.rtp_timestamp,
            s.packet_count,
            s.octet_count,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        )
        return _lib.rtcp_build([head, *(r._packed() for r in self.reports)])

    @classmethod
    def parse(cls, data: bytes, count: int) -> RtcpSrPacket:
        """Read its body."""
        return _one(data, RTCP_SR, count)  # type: ignore[no-any-return]


@dataclass
class RtcpRrPacket:
    """A receiver report."""

    ssrc: int
    reports: list[RtcpReceiverInfo] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        return _lib.rtcp_build(
            [_entry(_lib.PACKET, RTCP_RR, ssrc=self.ssrc), *(r._packed() for r in self.reports)]
        )

    @classmethod
    def parse(cls, data: bytes, count: int) -> RtcpRrPacket:
        """Read its body."""
        return _one(data, RTCP_RR, count)  # type: ignore[no-any-return]


@dataclass
class RtcpSdesPacket:
    """A source description."""

    chunks: list[RtcpSourceInfo] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        entries, texts, at = [_entry(_lib.PACKET, RTCP_SDES)], [], 0
        for chunk in self.chunks:
            entries.append(_entry(_lib.CHUNK, ssrc=chunk.ssrc))
            for kind, text in chunk.items:
                entries.append(_entry(_lib.ITEM, kind, at=at, n=len(text)))
                texts.append(text)
                at += len(text)
        return _lib.rtcp_build(entries, b"".join(texts))

    @classmethod
    def parse(cls, data: bytes, count: int) -> RtcpSdesPacket:
        """Read its body."""
        return _one(data, RTCP_SDES, count)  # type: ignore[no-any-return]


@dataclass
class RtcpByePacket:
    """A goodbye."""

    sources: list[int]

    def __bytes__(self) -> bytes:
        return _lib.rtcp_build(
            [_entry(_lib.PACKET, RTCP_BYE), *(_entry(_lib.SOURCE, ssrc=s) for s in self.sources)]
        )

    @classmethod
    def parse(cls, data: bytes, count: int) -> RtcpByePacket:
        """Read its body."""
        return _one(data, RTCP_BYE, count)  # type: ignore[no-any-return]


@dataclass
class RtcpRtpfbPacket:
    """Transport feedback: a generic NACK (fmt 1) lists the lost sequence numbers."""

    fmt: int
    ssrc: int
    media_ssrc: int
    lost: list[int] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        entries = [_entry(_lib.PACKET, RTCP_RTPFB, self.fmt, self.ssrc, self.media_ssrc)]
        entries += [_pack(_lib.LOST, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n, 0, 0, 0, 0, 0) for n in self.lost]
        return _lib.rtcp_build(entries)

    @classmethod
    def parse(cls, data: bytes, fmt: int) -> RtcpRtpfbPacket:
        """Read its body."""
        return _one(data, RTCP_RTPFB, fmt)  # type: ignore[no-any-return]


@dataclass
class RtcpPsfbPacket:
    """Payload-specific feedback: PLI (fmt 1), FIR (4) ..."""

    fmt: int
    ssrc: int
    media_ssrc: int
    fci: bytes = b""

    def __bytes__(self) -> bytes:
        assert len(self.fci) % 4 == 0, "the FCI is a multiple of 4 bytes"
        head = _entry(_lib.PACKET, RTCP_PSFB, self.fmt, self.ssrc, self.media_ssrc, 0, len(self.fci))
        return _lib.rtcp_build([head], self.fci)

    @classmethod
    def parse(cls, data: bytes, fmt: int) -> RtcpPsfbPacket:
        """Read its body."""
        return _one(data, RTCP_PSFB, fmt)  # type: ignore[no-any-return]


AnyRtcpPacket = Union[  # noqa: UP007 - Python 3.10 evaluates it
    RtcpByePacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSdesPacket, RtcpSrPacket
]


class RtcpPacket:
    """Reads compound packets."""

    @classmethod
    def parse(cls, data: bytes) -> list[AnyRtcpPacket]:
        """The packets of a compound packet; types not known are left out. ValueError where it is none.

        >>> RtcpPacket.parse(bytes(RtcpByePacket(sources=[7])))
        [RtcpByePacket(sources=[7])]
        """
        if type(data) is not bytes:
            data = bytes(data)
        out: list[AnyRtcpPacket] = []
        last: Any = None
        for (
            kind,
            type_,
            fmt,
            fraction,
            ssrc,
            ntp,
            media,
            rtp,
            packets,
            octets,
            lost,
            highest,
            jitter,
            lsr,
            dlsr,
            at,
            n,
        ) in _lib.rtcp_parse(data):
            if kind == _lib.PACKET:
                if type_ == RTCP_SR:
                    last = RtcpSrPacket(ssrc, RtcpSenderInfo(ntp, rtp, packets, octets))
                elif type_ == RTCP_RR:
                    last = RtcpRrPacket(ssrc)
                elif type_ == RTCP_SDES:
                    last = RtcpSdesPacket()
                elif type_ == RTCP_BYE:
                    last = RtcpByePacket([])
                elif type_ == RTCP_RTPFB:
                    last = RtcpRtpfbPacket(fmt, ssrc, media)
                else:
                    last = RtcpPsfbPacket(fmt, ssrc, media, data[at : at + n])
                out.append(last)
            elif kind == _lib.REPORT:
                last.reports.append(RtcpReceiverInfo(ssrc, fraction, lost, highest, jitter, lsr, dlsr))
            elif kind == _lib.CHUNK:
                last.chunks.append(RtcpSourceInfo(ssrc, []))
            elif kind == _lib.ITEM:
                last.chunks[-1].items.append((type_, data[at : at + n]))
            elif kind == _lib.SOURCE:
                last.sources.append(ssrc)
            else:
                last.lost.append(highest)
        return out
