"""Descriptions as objects: what a program reads in one, or changes before it is handed on.

Specifications: RFC 8866 (SDP), 8839 (ICE), 8122 and 8842 (fingerprints, setup), 5888 (groups), 5576
(sources), 8830 (msid), 8285 (header extensions), 4585 (feedback), 8841 (data channels), 6184 table 5
(profiles of H.264).

A connection reads its descriptions in the library, not here.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from .rtcicetransport import RTCIceCandidate, RTCIceParameters
from .rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from .rtcsctptransport import RTCSctpCapabilities

__all__ = [
    "DIRECTIONS",
    "DTLS_ROLE_SETUP",
    "DTLS_SETUP_ROLE",
    "FMTP_INT_PARAMETERS",
    "SSRC_INFO_ATTRS",
    "GroupDescription",
    "H264Level",
    "H264Profile",
    "MediaDescription",
    "SessionDescription",
    "SsrcDescription",
    "candidate_from_sdp",
    "candidate_to_sdp",
    "grouplines",
    "ipaddress_from_sdp",
    "ipaddress_to_sdp",
    "parse_group",
    "parse_h264_profile_level_id",
]

DIRECTIONS = ["inactive", "sendonly", "recvonly", "sendrecv"]
#: The DTLS role that a side offers, as descriptions have it (RFC 8842), and back.
DTLS_ROLE_SETUP = {"auto": "actpass", "client": "active", "server": "passive"}
DTLS_SETUP_ROLE = {setup: role for role, setup in DTLS_ROLE_SETUP.items()}
#: Parameters of codecs that are read as numbers.
FMTP_INT_PARAMETERS = [
    "apt",
    "max-fr",
    "max-fs",
    "maxplaybackrate",
    "minptime",
    "stereo",
    "useinbandfec",
]
#: What is kept of a source.
SSRC_INFO_ATTRS = ["cname", "msid", "mslabel", "label"]


class H264Profile(enum.Enum):
    """Profiles of H.264 that a profile-level-id tells apart."""

    PROFILE_CONSTRAINED_BASELINE = 0
    PROFILE_BASELINE = 1
    PROFILE_MAIN = 2
    PROFILE_CONSTRAINED_HIGH = 3
    PROFILE_HIGH = 4
    PROFILE_PREDICTIVE_HIGH_444 = 5


class H264Level(enum.IntEnum):
    """Levels of H.264: ten times their number, and 1b."""

    LEVEL1_B = -1
    LEVEL1 = 10
    LEVEL1_1 = 11
    LEVEL1_2 = 12
    LEVEL1_3 = 13
    LEVEL2 = 20
    LEVEL2_1 = 21
    LEVEL2_2 = 22
    LEVEL3 = 30
    LEVEL3_1 = 31
    LEVEL3_2 = 32
    LEVEL4 = 40
    LEVEL4_1 = 41
    LEVEL4_2 = 42
    LEVEL5 = 50
    LEVEL5_1 = 51
    LEVEL5_2 = 52


# RFC 6184 table 5: profile_idc, the bits of profile-iop that count, their values.
_PROFILES = (
    (0x42, 0x4F, 0x40, H264Profile.PROFILE_CONSTRAINED_BASELINE),
    (0x4D, 0x8F, 0x80, H264Profile.PROFILE_CONSTRAINED_BASELINE),
    (0x58, 0xCF, 0xC0, H264Profile.PROFILE_CONSTRAINED_BASELINE),
    (0x42, 0x4F, 0x00, H264Profile.PROFILE_BASELINE),
    (0x58, 0xCF, 0x80, H264Profile.PROFILE_BASELINE),
    (0x4D, 0xAF, 0x00, H264Profile.PROFILE_MAIN),
    (0x64, 0xFF, 0x00, H264Profile.PROFILE_HIGH),
    (0x64, 0xFF, 0x0C, H264Profile.PROFILE_CONSTRAINED_HIGH),
    (0xF4, 0xFF, 0x00, H264Profile.PROFILE_PREDICTIVE_HIGH_444),
)
_CONSTRAINT_SET3 = 0x10


def parse_h264_profile_level_id(profile_str: str) -> tuple[H264Profile, H264Level]:
    """Profile and level of a profile-level-id; ValueError for what is none.

    >>> parse_h264_profile_level_id("42e01f")[1].name
    'LEVEL3_1'
    """
    try:
        idc, iop, level_idc = bytes.fromhex(profile_str)
    except (TypeError, ValueError):
        raise ValueError("Expected a 6 character hexadecimal string") from None
    # In these three profiles 1b shares its number with 1.1 (ITU-T H.264 A.3.1).
    shared = idc in (0x42, 0x4D, 0x58) and level_idc == H264Level.LEVEL1_1 and iop & _CONSTRAINT_SET3
    level = H264Level.LEVEL1_B if shared else H264Level(level_idc)
    for profile_idc, mask, value, profile in _PROFILES:
        if idc == profile_idc and iop & mask == value:
            return profile, level
    raise ValueError(f"Unrecognized profile_iop = {iop}, profile_idc = {idc}")


def candidate_from_sdp(sdp: str) -> RTCIceCandidate:
    """Read the value of a candidate attribute; ValueError for what is none.

    >>> candidate_from_sdp("1 1 udp 2130706431 192.0.2.7 4000 typ host").ip
    '192.0.2.7'
    """
    words = sdp.split()
    if len(words) < 8:
        raise ValueError(f"no candidate: {sdp!r}")
    candidate = RTCIceCandidate(
        component=int(words[1]),
        foundation=words[0],
        ip=words[4],
        port=int(words[5]),
        priority=int(words[3]),
        protocol=words[2],
        type=words[7],
    )
    for key, value in zip(words[8::2], words[9::2], strict=False):
        if key == "raddr":
            candidate.relatedAddress = value
        elif key == "rport":
            candidate.relatedPort = int(value)
        elif key == "tcptype":
            candidate.tcpType = value
    return candidate


def candidate_to_sdp(candidate: RTCIceCandidate) -> str:
    """The value of the attribute."""
    c = candidate
    sdp = f"{c.foundation} {c.component} {c.protocol} {c.priority} {c.ip} {c.port} typ {c.type}"
    if c.relatedAddress is not None:
        sdp += f" raddr {c.relatedAddress}"
    if c.relatedPort is not None:
        sdp += f" rport {c.relatedPort}"
    if c.tcpType is not None:
        sdp += f" tcptype {c.tcpType}"
    return sdp


def ipaddress_from_sdp(sdp: str) -> str:
    """The address of "IN IP4 192.0.2.7"; ValueError for what is none."""
    words = sdp.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise ValueError(f"no address: {sdp!r}")
    return words[2]


def ipaddress_to_sdp(addr: str) -> str:
    """An address as descriptions have it; ValueError for what is none."""
    return f"IN IP{ipaddress.ip_address(addr).version} {addr}"


def grouplines(sdp: str) -> tuple[list[str], list[list[str]]]:
    """The lines of the session, and those of each media section."""
    session: list[str] = []
    media: list[list[str]] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            media.append([line])
        else:
            (media[-1] if media else session).append(line)
    return session, media


@dataclass
class GroupDescription:
    """A group, of sections or of sources: what it means and who is in it."""

    semantic: str
    items: list[int | str]

    def __str__(self) -> str:
        return f"{self.semantic} {' '.join(map(str, self.items))}"


def parse_group(dest: list[GroupDescription], value: str, type: Callable[[str], int | str] = str) -> None:
    """Add the group that an attribute's value names."""
    words = value.split()
    if words:
        dest.append(GroupDescription(semantic=words[0], items=[type(w) for w in words[1:]]))


@dataclass
class SsrcDescription:
    """A source, and what is said of it."""

    ssrc: int
    cname: str | None = None
    msid: str | None = None
    mslabel: str | None = None
    label: str | None = None


def _parameters_from(text: str) -> dict[str, int | str | None]:
    parameters: dict[str, int | str | None] = {}
    for part in text.split(";"):
        name, found, value = part.strip().partition("=")
        if found:
            parameters[name] = int(value) if name in FMTP_INT_PARAMETERS else value
        elif name:
            parameters[name] = None
    return parameters


def _parameters_to(parameters: dict[str, int | str | None]) -> str:
    return ";".join(k if v is None else f"{k}={v}" for k, v in parameters.items())


def _attributes(lines: list[str]) -> list[tuple[str, str | None]]:
    """Name and value of the attributes among lines; the value is None for those without."""
    out: list[tuple[str, str | None]] = []
    for line in lines:
        if line.startswith("a="):
            name, found, value = line[2:].partition(":")
            out.append((name, value if found else None))
    return out


@dataclass
class _Shared:
    """What a session says for all of its sections."""

    fingerprints: list[RTCDtlsFingerprint] = field(default_factory=list)
    role: str | None = None
    ice: RTCIceParameters = field(default_factory=RTCIceParameters)
    options: str | None = None

    def take(self, name: str, value: str) -> bool:
        """Read an attribute that sessions and sections have alike; whether it was one."""
        if name == "fingerprint":
            algorithm, _, digest = value.partition(" ")
            if not digest:
                raise ValueError(f"no fingerprint: {value!r}")
            self.fingerprints.append(RTCDtlsFingerprint(algorithm=algorithm, value=digest))
        elif name == "setup":
            if value not in DTLS_SETUP_ROLE:
                raise ValueError(f"no setup: {value!r}")
            self.role = DTLS_SETUP_ROLE[value]
        elif name == "ice-ufrag":
            self.ice.usernameFragment = value
        elif name == "ice-pwd":
            self.ice.password = value
        elif name == "ice-options":
            self.options = value
        else:
            return False
        return True

    def copy(self) -> _Shared:
        i = self.ice
        return _Shared(
            list(self.fingerprints),
            self.role,
            RTCIceParameters(i.usernameFragment, i.password, i.iceLite),
            self.options,
        )


class MediaDescription:
    """A media section."""

    def __init__(self, kind: str, port: int, profile: str, fmt: list[Any]) -> None:
        self.kind = kind
        self.port = port
        self.host: str | None = None
        self.profile = profile
        self.direction: str | None = None
        self.msid: str | None = None
        #: Where RTCP goes, and whether it shares the port of the media.
        self.rtcp_port: int | None = None
        self.rtcp_host: str | None = None
        self.rtcp_mux = False
        self.ssrc: list[SsrcDescription] = []
        self.ssrc_group: list[GroupDescription] = []
        #: Payload types, or names where the section is not of RTP.
        self.fmt = fmt
        self.rtp = RTCRtpParameters()
        self.sctpCapabilities: RTCSctpCapabilities | None = None
        self.sctpmap: dict[int, str] = {}
        self.sctp_port: int | None = None
        self.dtls: RTCDtlsParameters | None = None
        self.ice = RTCIceParameters()
        self.ice_candidates: list[RTCIceCandidate] = []
        self.ice_candidates_complete = False
        self.ice_options: str | None = None

    def __str__(self) -> str:
        lines = [f"m={self.kind} {self.port} {self.profile} {' '.join(map(str, self.fmt))}"]
        if self.host is not None:
            lines.append(f"c={ipaddress_to_sdp(self.host)}")
        a = self._attribute_lines()
        return "\r\n".join(lines + [f"a={line}" for line in a]) + "\r\n"

    def _attribute_lines(self) -> list[str]:
        a: list[str] = []
        if self.direction is not None:
            a.append(self.direction)
        a += [f"extmap:{x.id} {x.uri}" for x in self.rtp.headerExtensions]
        if self.rtp.muxId:
            a.append(f"mid:{self.rtp.muxId}")
        if self.msid is not None:
            a.append(f"msid:{self.msid}")
        if self.rtcp_port is not None:
            host = "" if self.rtcp_host is None else " " + ipaddress_to_sdp(self.rtcp_host)
            a.append(f"rtcp:{self.rtcp_port}{host}")
        if self.rtcp_mux:
            a.append("rtcp-mux")
        a += [f"ssrc-group:{group}" for group in self.ssrc_group]
        for source in self.ssrc:
            for name in SSRC_INFO_ATTRS:
                value = getattr(source, name)
                if value is not None:
                    a.append(f"ssrc:{source.ssrc} {name}:{value}")
        for codec in self.rtp.codecs:
            a.append(f"rtpmap:{codec.payloadType} {codec}")
            for f in codec.rtcpFeedback:
                a.append(f"rtcp-fb:{codec.payloadType} {f.type}" + (f" {f.parameter}" if f.parameter else ""))
            if codec.parameters:
                a.append(f"fmtp:{codec.payloadType} {_parameters_to(codec.parameters)}")
        a += [f"sctpmap:{port} {value}" for port, value in self.sctpmap.items()]
        if self.sctp_port is not None:
            a.append(f"sctp-port:{self.sctp_port}")
        if self.sctpCapabilities is not None:
            a.append(f"max-message-size:{self.sctpCapabilities.maxMessageSize}")
        return a + self._transport_lines()

    def _transport_lines(self) -> list[str]:
        a = [f"candidate:{candidate_to_sdp(c)}" for c in self.ice_candidates]
        if self.ice_candidates_complete:
            a.append("end-of-candidates")
        if self.ice.usernameFragment is not None:
            a.append(f"ice-ufrag:{self.ice.usernameFragment}")
        if self.ice.password is not None:
            a.append(f"ice-pwd:{self.ice.password}")
        if self.ice_options is not None:
            a.append(f"ice-options:{self.ice_options}")
        if self.dtls is not None:
            a += [f"fingerprint:{f.algorithm} {f.value}" for f in self.dtls.fingerprints]
            a.append(f"setup:{DTLS_ROLE_SETUP[self.dtls.role]}")
        return a

    @classmethod
    def _parse(cls, lines: list[str], session: _Shared) -> MediaDescription:
        words = lines[0][2:].split()
        if len(words) < 4:
            raise ValueError(f"no media: {lines[0]!r}")
        kind, port, profile, *fmt = words
        media = cls(
            kind=kind,
            port=int(port),
            profile=profile,
            fmt=[int(f) for f in fmt] if kind in ("audio", "video") else list(fmt),
        )
        for line in lines[1:]:
            if line.startswith("c="):
                media.host = ipaddress_from_sdp(line[2:])
        shared = session.copy()
        attributes = _attributes(lines[1:])
        for name, value in attributes:
            if value is None:
                media._flag(name)
            elif not shared.take(name, value):
                media._attribute(name, value)
        # Feedback and parameters are of codecs, which may be named after them.
        for name, value in attributes:
            if value is not None and name in ("fmtp", "rtcp-fb"):
                media._of_codec(name, value)
        media.ice, media.ice_options = shared.ice, shared.options
        if shared.role is not None:
            media.dtls = RTCDtlsParameters(fingerprints=shared.fingerprints, role=shared.role)
        return media

    def _flag(self, name: str) -> None:
        if name in DIRECTIONS:
            self.direction = name
        elif name == "rtcp-mux":
            self.rtcp_mux = True
        elif name == "end-of-candidates":
            self.ice_candidates_complete = True

    def _attribute(self, name: str, value: str) -> None:
        if name == "candidate":
            self.ice_candidates.append(candidate_from_sdp(value))
        elif name == "extmap":
            number, _, uri = value.partition(" ")
            if not uri:
                raise ValueError(f"no header extension: {value!r}")
            self.rtp.headerExtensions.append(
                RTCRtpHeaderExtensionParameters(id=int(number.split("/")[0]), uri=uri)
            )
        elif name == "mid":
            self.rtp.muxId = value
        elif name == "msid":
            self.msid = value
        elif name == "rtcp":
            port, found, address = value.partition(" ")
            self.rtcp_port = int(port)
            if found:
                self.rtcp_host = ipaddress_from_sdp(address)
        elif name == "rtpmap":
            self._codec(value)
        elif name == "ssrc":
            self._source(value)
        elif name == "ssrc-group":
            parse_group(self.ssrc_group, value, type=int)
        elif name == "sctpmap":
            port, _, rest = value.partition(" ")
            self.sctpmap[int(port)] = rest
        elif name == "sctp-port":
            self.sctp_port = int(value)
        elif name == "max-message-size":
            self.sctpCapabilities = RTCSctpCapabilities(maxMessageSize=int(value))

    def _codec(self, value: str) -> None:
        number, _, rest = value.partition(" ")
        words = rest.split("/")
        if len(words) < 2:
            raise ValueError(f"no codec: {value!r}")
        channels = None
        if self.kind == "audio":
            channels = int(words[2]) if len(words) > 2 else 1
        self.rtp.codecs.append(
            RTCRtpCodecParameters(
                mimeType=f"{self.kind}/{words[0]}",
                clockRate=int(words[1]),
                channels=channels,
                payloadType=int(number),
            )
        )

    def _source(self, value: str) -> None:
        number, found, rest = value.partition(" ")
        if not found:
            raise ValueError(f"no source: {value!r}")
        ssrc = int(number)
        source = next((s for s in self.ssrc if s.ssrc == ssrc), None)
        if source is None:
            source = SsrcDescription(ssrc=ssrc)
            self.ssrc.append(source)
        name, _, what = rest.partition(":")
        if name in SSRC_INFO_ATTRS:
            setattr(source, name, what)

    def _of_codec(self, name: str, value: str) -> None:
        number, _, rest = value.partition(" ")
        for codec in self.rtp.codecs:
            if number not in ("*", str(codec.payloadType)):
                continue
            if name == "fmtp":
                codec.parameters = _parameters_from(rest)
            elif rest:
                kind, _, parameter = rest.partition(" ")
                codec.rtcpFeedback.append(RTCRtcpFeedback(type=kind, parameter=parameter or None))


class SessionDescription:
    """A whole description.

    >>> d = SessionDescription.parse(str(SessionDescription()))
    >>> d.version, d.time, d.media
    (0, '0 0', [])
    """

    def __init__(self) -> None:
        self.version = 0
        self.origin: str | None = None
        self.name = "-"
        self.time = "0 0"
        self.host: str | None = None
        self.group: list[GroupDescription] = []
        self.msid_semantic: list[GroupDescription] = []
        self.media: list[MediaDescription] = []
        #: offer, answer, …: whoever parsed it may say.
        self.type: str | None = None

    @classmethod
    def parse(cls, sdp: str) -> SessionDescription:
        """Read a description, with any ends of lines; ValueError for a line that does not hold together.

        Lines that say nothing known are passed over.
        """
        lines, sections = grouplines(sdp)
        session = cls()
        for line in lines:
            if line.startswith("v="):
                session.version = int(line[2:])
            elif line.startswith("o="):
                session.origin = line[2:]
            elif line.startswith("s="):
                session.name = line[2:]
            elif line.startswith("c="):
                session.host = ipaddress_from_sdp(line[2:])
            elif line.startswith("t="):
                session.time = line[2:]
        shared = _Shared()
        for name, value in _attributes(lines):
            if name == "ice-lite":
                shared.ice.iceLite = True
            elif value is not None and not shared.take(name, value):
                if name == "group":
                    parse_group(session.group, value)
                elif name == "msid-semantic":
                    parse_group(session.msid_semantic, value)
        session.media = [MediaDescription._parse(section, shared) for section in sections]
        return session

    def webrtc_track_id(self, media: MediaDescription) -> str | None:
        """The id of the track that a section sends, where the session says that msids name tracks."""
        if media not in self.media:
            raise ValueError("the section is none of this description")
        words = (media.msid or "").split()
        if len(words) < 2:
            return None
        for group in self.msid_semantic:
            if group.semantic == "WMS" and (words[0] in group.items or "*" in group.items):
                return words[1]
        return None

    def __str__(self) -> str:
        lines = [f"v={self.version}", f"o={self.origin}", f"s={self.name}"]
        if self.host is not None:
            lines.append(f"c={ipaddress_to_sdp(self.host)}")
        lines.append(f"t={self.time}")
        if any(m.ice.iceLite for m in self.media):
            lines.append("a=ice-lite")
        lines += [f"a=group:{group}" for group in self.group]
        lines += [f"a=msid-semantic:{group}" for group in self.msid_semantic]
        return "\r\n".join(lines) + "\r\n" + "".join(str(m) for m in self.media)
