"""Every error this package raises on its own account.

:class:`TstError` is the root; below it stands one class a domain, each with a ``kind`` from the domain's
enumeration. Errors that a builtin already names (``FileNotFoundError``, ``ValueError``, ``OverflowError``,
``TypeError``) stay builtins.

Two vocabularies of kinds are in use. Where a later name means the same outcome as an earlier one, both are
the same member: ``DemuxErrorKind.UNRECOVERABLE is DemuxErrorKind.INTERNAL``. The earlier name is the
member's ``name`` and ``value``.
"""

from __future__ import annotations

import enum

__all__ = [
    "CodecError",
    "CodecErrorKind",
    "DemuxError",
    "DemuxErrorKind",
    "HlsError",
    "HlsErrorKind",
    "KlvEncodeError",
    "KlvEncodeErrorKind",
    "KlvError",
    "KlvErrorKind",
    "MuxError",
    "MuxErrorKind",
    "RistError",
    "RistErrorKind",
    "RtpError",
    "RtpErrorKind",
    "RtspError",
    "RtspErrorKind",
    "SrtError",
    "SrtErrorKind",
    "TcpError",
    "TcpErrorKind",
    "TstError",
    "UdpError",
    "UdpErrorKind",
]


class MuxErrorKind(enum.IntEnum):
    """Why the muxer refused a configuration or a push."""

    INPUT_MALFORMED = 0
    CONFIG_INVALID = 1
    INVALID_USAGE = 2
    BACKPRESSURE = 3
    INTERNAL = 4
    INVALID_NAL = 5
    KLV_TOO_LARGE = 6
    INVALID_AV1_OBU = 7
    MISP_TIME = 8


class DemuxErrorKind(enum.Enum):
    """Why the demuxer could not go on.

    The four later names are aliases; ``DemuxErrorKind("unrecoverable")`` finds its member too.
    """

    SYNC_LOSS = "sync_loss"
    BAD_PMT = "bad_pmt"
    BAD_PES = "bad_pes"
    UNEXPECTED_EOF = "unexpected_eof"
    STRICT_REJECTION = "strict_rejection"
    INTERNAL = "internal"

    UNRECOVERABLE = INTERNAL
    SYNC_BUF_EXHAUSTED = SYNC_LOSS
    MALFORMED_PES = BAD_PES
    MALFORMED_PSI = BAD_PMT

    @classmethod
    def _missing_(cls, value: object) -> DemuxErrorKind | None:
        return cls.__members__.get(value.upper()) if isinstance(value, str) and value.islower() else None


class KlvErrorKind(enum.Enum):
    """Why KLV bytes could not be decoded."""

    BAD_UNIVERSAL_LABEL = "bad_universal_label"
    TRUNCATED_SET = "truncated_set"
    UNKNOWN_SET = "unknown_set"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    DUPLICATE_TAG = "duplicate_tag"
    MISSING_REQUIRED_TAG = "missing_required_tag"
    MALFORMED_BYTES = "malformed_bytes"
    INTERNAL = "internal"


class KlvEncodeErrorKind(enum.IntEnum):
    """Why a record could not be encoded as KLV."""

    BUFFER_TOO_SMALL = 0
    RECORD_TOO_LARGE = 1
    OUT_OF_RANGE = 2
    STRING_TOO_LONG = 3
    UNSUPPORTED_IMAPB_LENGTH = 4
    INVALID_IMAPB_PARAMS = 5
    MISSING_MANDATORY_ITEM = 6
    RESERVED_TAG_IN_UNKNOWN = 7
    VTARGET_PACK_EMPTY = 8
    V_TARGET_PACK_EMPTY = VTARGET_PACK_EMPTY
    DUPLICATE_TARGET_ID = 9
    FORBIDDEN_STANDALONE_OFFSET = 10


class CodecErrorKind(enum.IntEnum):
    """Why an elementary-stream header could not be parsed."""

    TRUNCATED_RBSP = 1
    INVALID_GOLOMB = 2
    RESERVED_VALUE = 3
    UNSUPPORTED_PROFILE = 4
    DANGLING_SPS_REFERENCE = 5
    DANGLING_VPS_REFERENCE = 6
    ENGINE_ERROR = 7
    INVALID_LEB128 = 8
    BAD_SYNC_WORD = 9
    TRUNCATED = 10
    FORBIDDEN = 11
    UNSUPPORTED_FREE_FORMAT = 12
    INVALID_LENGTH_SIZE = 13
    NAL_LENGTH_OVERFLOW = 14
    BUFFER_TOO_SMALL = 15


class RtspErrorKind(enum.IntEnum):
    """Why an RTSP request or session failed."""

    PROTOCOL = 1
    AUTH_FAILED = 2
    AUTH_REQUIRED = 3
    NOT_FOUND = 4
    UNSUPPORTED_TRANSPORT = 5
    TLS = 6
    IO = 7
    TIMEOUT = 8
    SERVER = 9
    MOUNT = 10
    CLOSED = 11


class RtpErrorKind(enum.IntEnum):
    """Why an RTP sender or receiver failed."""

    TRANSPORT = 1
    BROKEN = TRANSPORT
    MALFORMED_PACKET = 2
    TOO_LARGE = MALFORMED_PACKET
    CANCELLED = 3
    CLOSED = CANCELLED
    BACKPRESSURE = 4
    PAYLOAD_TYPE_PARAM = 5
    MISSING_PAYLOAD_TYPE_PARAM = 6
    URL = 7
    HOST_NOT_LITERAL = 8
    IO = 9
    IFACE_UNSUPPORTED = 10
    END_OF_STREAM = 11


class SrtErrorKind(enum.IntEnum):
    """Why an SRT socket failed."""

    CONNECT_FAILED = 0
    ACCEPT_FAILED = 1
    WOULD_BLOCK = 2
    BACKPRESSURE = WOULD_BLOCK
    TIMEOUT = 3
    CLOSED = 4
    BROKEN = 5
    CONFIG_INVALID = 6
    IO = 7
    TOO_LARGE = 8
    INPUT_MALFORMED = 9
    END_OF_STREAM = 10


class UdpErrorKind(enum.IntEnum):
    """Why a UDP sender or receiver failed."""

    URL = 0
    HOST_NOT_LITERAL = 1
    IO = 2
    IFACE_UNSUPPORTED = 3
    PAYLOAD_TOO_LARGE = 4
    TOO_LARGE = PAYLOAD_TOO_LARGE
    CLOSED = 5
    INVALID_CONFIG = 6
    BACKPRESSURE = 7
    BROKEN = 8


class TcpErrorKind(enum.IntEnum):
    """Why a TCP sender or receiver failed."""

    URL = 0
    IO = 1
    PAYLOAD_TOO_LARGE = 2
    TOO_LARGE = PAYLOAD_TOO_LARGE
    CLOSED = 3
    CONNECT_TIMEOUT = 4
    INVALID_CONFIG = 5
    TLS = 6
    TLS_DISABLED = 7
    BACKPRESSURE = 8
    BROKEN = 9


class HlsErrorKind(enum.IntEnum):
    """Why an HLS publisher or server failed."""

    URL = 0
    IO = 1
    BIND_FAILED = 2
    INVALID_CONFIG = 3
    UNALIGNED_PUSH_TS = 4
    FINISHED = 5
    TLS_DISABLED = 6
    TLS = 7
    INTERNAL = 8
    CLOSED = 9


class RistErrorKind(enum.IntEnum):
    """Why a RIST sender or receiver failed."""

    URL = 0
    FFI = 1
    PAYLOAD_TOO_LARGE = 2
    TOO_LARGE = PAYLOAD_TOO_LARGE
    CLOSED = 3
    INVALID_CONFIG = 4
    ENCRYPTION_DISABLED = 5
    CONTEXT_CREATE_FAILED = 6
    PEER_CREATE_FAILED = 7
    # The later name is the first one: programs that wait in a loop compare names across all transports.
    BACKPRESSURE = 8
    RECV_TIMEOUT = BACKPRESSURE
    IO = 9
    BROKEN = IO


def _restore(cls: type[TstError], args: tuple[object, ...], state: dict[str, object]) -> TstError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TstError(Exception):
    """Root of every error of this package. Pickles and copies whole, in all subclasses."""

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__.copy())


class MuxError(TstError):
    """The muxer refused a configuration or a push; nothing was queued.

    ``pid`` names the elementary stream where one is at fault.
    """

    kind: MuxErrorKind
    message: str
    pid: int | None

    def __init__(self, message: str | None = None, *, kind: MuxErrorKind, pid: int | None = None) -> None:
        if message is None:
            raise TypeError("MuxError needs a message, by position or as message=")
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.pid = pid


class KlvEncodeError(TstError):
    """A record could not be encoded; ``tag`` is the item (or target id) at fault."""

    kind: KlvEncodeErrorKind
    message: str
    tag: int | None

    def __init__(
        self, message: str | None = None, *, kind: KlvEncodeErrorKind, tag: int | None = None
    ) -> None:
        if message is None:
            raise TypeError("KlvEncodeError needs a message, by position or as message=")
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.tag = tag


class CodecError(TstError):
    """An elementary-stream header could not be parsed.

    Bit and byte offsets count from the start of the buffer that was passed in. Which of the attributes are
    set depends on ``kind``; the others are None.
    """

    kind: CodecErrorKind
    codec: str
    message: str

    def __init__(
        self,
        kind: CodecErrorKind,
        codec: str,
        message: str,
        *,
        offset_bits: int | None = None,
        needed_bits: int | None = None,
        field: str | None = None,
        value: int | None = None,
        profile_idc: int | None = None,
        sps_id: int | None = None,
        vps_id: int | None = None,
        offset_bytes: int | None = None,
        expected: int | None = None,
        found: int | None = None,
        needed: int | None = None,
        had: int | None = None,
        layer: int | None = None,
        got: int | None = None,
        nal_len: int | None = None,
        length_size: int | None = None,
        have: int | None = None,
    ) -> None:
        super().__init__(f"{codec}: {message}")
        self.kind = kind
        self.codec = codec
        self.message = message
        self.offset_bits = offset_bits
        self.needed_bits = needed_bits
        self.field = field
        self.value = value
        self.profile_idc = profile_idc
        self.sps_id = sps_id
        self.vps_id = vps_id
        self.offset_bytes = offset_bytes
        self.expected = expected
        self.found = found
        self.needed = needed
        self.had = had
        self.layer = layer
        self.got = got
        self.nal_len = nal_len
        self.length_size = length_size
        self.have = have


class _KindMessageError(TstError):
    """What the errors made of a kind and a message share."""

    kind: enum.Enum
    message: str

    def __init__(self, *, kind: enum.Enum, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class DemuxError(_KindMessageError):
    """The demuxer lost sync for good, was fed past its ceiling, or strict mode rejected a finding.

    The demuxer stays usable: the next ``feed`` goes on after the offending packet.
    """

    kind: DemuxErrorKind


class KlvError(_KindMessageError):
    """KLV bytes could not be decoded."""

    kind: KlvErrorKind


class RtspError(_KindMessageError):
    """An RTSP request or session failed."""

    kind: RtspErrorKind


class MountPushError(RtspError, MuxError):
    """What a mount refuses to send: an `RtspError` of the kind MOUNT, as published releases raise, and a
    `MuxError`, as every other muxer raises.
    """

    kind: RtspErrorKind  # type: ignore[assignment]
    message: str
    pid: int | None

    def __init__(
        self, message: str, *, kind: RtspErrorKind = RtspErrorKind.MOUNT, pid: int | None = None
    ) -> None:
        TstError.__init__(self, message)
        self.kind = kind
        self.message = message
        self.pid = pid


class RtpError(_KindMessageError):
    """An RTP sender or receiver failed."""

    kind: RtpErrorKind


class SrtError(_KindMessageError):
    """An SRT socket failed."""

    kind: SrtErrorKind


class UdpError(_KindMessageError):
    """A UDP sender or receiver failed."""

    kind: UdpErrorKind


class TcpError(_KindMessageError):
    """A TCP sender or receiver failed."""

    kind: TcpErrorKind


class HlsError(_KindMessageError):
    """An HLS publisher or server failed."""

    kind: HlsErrorKind


class RistError(_KindMessageError):
    """A RIST sender or receiver failed."""

    kind: RistErrorKind
