"""tstrans.exceptions: hierarchy, construction, kinds of both vocabularies."""

from __future__ import annotations

import copy
import enum
import pickle

import pytest
import tstrans
from tstrans import exceptions as exc

KEYWORD_ONLY = ["Demux", "Klv", "Rtsp", "Rtp", "Srt", "Udp", "Tcp", "Hls", "Rist"]
DOMAINS = ["Mux", "KlvEncode", "Codec", *KEYWORD_ONLY]


def kinds(domain: str) -> type[enum.Enum]:
    found: type[enum.Enum] = getattr(exc, domain + "ErrorKind")
    return found


def test_root() -> None:
    assert tstrans.TstError is exc.TstError
    assert exc.TstError.__bases__ == (Exception,)
    assert exc.TstError("a", "b").args == ("a", "b")


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_domain_stands_alone(domain: str) -> None:
    cls = getattr(exc, domain + "Error")
    assert issubclass(cls, exc.TstError)
    assert not issubclass(cls, (ValueError, OSError))
    others = [getattr(exc, d + "Error") for d in DOMAINS if d != domain]
    assert not any(issubclass(cls, o) for o in others)


def test_all_names_every_class_and_kind() -> None:
    wanted = {"TstError"} | {d + s for d in DOMAINS for s in ("Error", "ErrorKind")}
    assert set(exc.__all__) == wanted


@pytest.mark.parametrize("domain", KEYWORD_ONLY)
def test_kind_and_message_by_keyword_only(domain: str) -> None:
    cls = getattr(exc, domain + "Error")
    kind = next(iter(kinds(domain)))
    e = cls(kind=kind, message="what")
    assert (e.args, e.kind, e.message, str(e)) == (("what",), kind, "what", "what")
    assert repr(e) == f"{domain}Error('what')"
    for wrong in (lambda: cls("what", kind=kind), lambda: cls(kind=kind), lambda: cls(message="what")):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize(("cls", "extra"), [(exc.MuxError, "pid"), (exc.KlvEncodeError, "tag")])
def test_message_by_position_or_keyword(cls: type, extra: str) -> None:
    for e in (cls("what", kind=1, **{extra: 7}), cls(message="what", kind=1, **{extra: 7})):
        assert (e.args, str(e), e.message, e.kind, getattr(e, extra)) == (("what",), "what", "what", 1, 7)
    assert getattr(cls("what", kind=1), extra) is None
    for wrong in (lambda: cls(kind=1), lambda: cls("what")):
        with pytest.raises(TypeError):
            wrong()


def test_codec_error() -> None:
    e = exc.CodecError(exc.CodecErrorKind.TRUNCATED, "aac", "cut", needed=9, had=3)
    assert (str(e), e.args, e.message, e.codec) == ("aac: cut", ("aac: cut",), "cut", "aac")
    assert (e.needed, e.had, e.offset_bits) == (9, 3, None)
    optional = [
        "offset_bits",
        "needed_bits",
        "field",
        "value",
        "profile_idc",
        "sps_id",
        "vps_id",
        "offset_bytes",
        "expected",
        "found",
        "needed",
        "had",
        "layer",
        "got",
        "nal_len",
        "length_size",
        "have",
    ]
    for name in optional:
        assert getattr(exc.CodecError(exc.CodecErrorKind.TRUNCATED, "aac", "cut", **{name: 5}), name) == 5
    with pytest.raises(TypeError):
        exc.CodecError(exc.CodecErrorKind.TRUNCATED, "aac", "cut", nonsense=1)  # type: ignore[call-arg]


def test_any_kind_is_stored() -> None:
    marker: exc.DemuxErrorKind = object()  # type: ignore[assignment]
    assert exc.DemuxError(kind=marker, message="x").kind is marker


@pytest.mark.parametrize(
    "error",
    [
        exc.TstError("a", "b"),
        exc.MuxError("m", kind=exc.MuxErrorKind.BACKPRESSURE, pid=5),
        exc.KlvEncodeError("m", kind=exc.KlvEncodeErrorKind.OUT_OF_RANGE, tag=13),
        exc.CodecError(exc.CodecErrorKind.TRUNCATED, "aac", "cut", needed=9),
        exc.DemuxError(kind=exc.DemuxErrorKind.SYNC_BUF_EXHAUSTED, message="m"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_pickle_and_copy(error: exc.TstError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (again.args, vars(again), str(again)) == (error.args, vars(error), str(error))


NUMBERS = {
    "Mux": "INPUT_MALFORMED 0 CONFIG_INVALID 1 INVALID_USAGE 2 BACKPRESSURE 3 INTERNAL 4 INVALID_NAL 5 "
    "KLV_TOO_LARGE 6 INVALID_AV1_OBU 7 MISP_TIME 8",
    "KlvEncode": "BUFFER_TOO_SMALL 0 RECORD_TOO_LARGE 1 OUT_OF_RANGE 2 STRING_TOO_LONG 3 "
    "UNSUPPORTED_IMAPB_LENGTH 4 INVALID_IMAPB_PARAMS 5 MISSING_MANDATORY_ITEM 6 RESERVED_TAG_IN_UNKNOWN 7 "
    "VTARGET_PACK_EMPTY 8 V_TARGET_PACK_EMPTY 8 DUPLICATE_TARGET_ID 9 FORBIDDEN_STANDALONE_OFFSET 10",
    "Codec": "TRUNCATED_RBSP 1 INVALID_GOLOMB 2 RESERVED_VALUE 3 UNSUPPORTED_PROFILE 4 "
    "DANGLING_SPS_REFERENCE 5 DANGLING_VPS_REFERENCE 6 ENGINE_ERROR 7 INVALID_LEB128 8 BAD_SYNC_WORD 9 "
    "TRUNCATED 10 FORBIDDEN 11 UNSUPPORTED_FREE_FORMAT 12 INVALID_LENGTH_SIZE 13 NAL_LENGTH_OVERFLOW 14 "
    "BUFFER_TOO_SMALL 15",
    "Rtsp": "PROTOCOL 1 AUTH_FAILED 2 AUTH_REQUIRED 3 NOT_FOUND 4 UNSUPPORTED_TRANSPORT 5 TLS 6 IO 7 "
    "TIMEOUT 8 SERVER 9 MOUNT 10 CLOSED 11",
    "Rtp": "TRANSPORT 1 BROKEN 1 MALFORMED_PACKET 2 TOO_LARGE 2 CANCELLED 3 CLOSED 3 BACKPRESSURE 4 "
    "PAYLOAD_TYPE_PARAM 5 MISSING_PAYLOAD_TYPE_PARAM 6 URL 7 HOST_NOT_LITERAL 8 IO 9 IFACE_UNSUPPORTED 10 "
    "END_OF_STREAM 11",
    "Srt": "CONNECT_FAILED 0 ACCEPT_FAILED 1 WOULD_BLOCK 2 BACKPRESSURE 2 TIMEOUT 3 CLOSED 4 BROKEN 5 "
    "CONFIG_INVALID 6 IO 7 TOO_LARGE 8 INPUT_MALFORMED 9 END_OF_STREAM 10",
    "Udp": "URL 0 HOST_NOT_LITERAL 1 IO 2 IFACE_UNSUPPORTED 3 PAYLOAD_TOO_LARGE 4 TOO_LARGE 4 CLOSED 5 "
    "INVALID_CONFIG 6 BACKPRESSURE 7 BROKEN 8",
    "Tcp": "URL 0 IO 1 PAYLOAD_TOO_LARGE 2 TOO_LARGE 2 CLOSED 3 CONNECT_TIMEOUT 4 INVALID_CONFIG 5 TLS 6 "
    "TLS_DISABLED 7 BACKPRESSURE 8 BROKEN 9",
    "Hls": "URL 0 IO 1 BIND_FAILED 2 INVALID_CONFIG 3 UNALIGNED_PUSH_TS 4 FINISHED 5 TLS_DISABLED 6 TLS 7 "
    "INTERNAL 8 CLOSED 9",
    "Rist": "URL 0 FFI 1 PAYLOAD_TOO_LARGE 2 TOO_LARGE 2 CLOSED 3 INVALID_CONFIG 4 ENCRYPTION_DISABLED 5 "
    "CONTEXT_CREATE_FAILED 6 PEER_CREATE_FAILED 7 RECV_TIMEOUT 8 BACKPRESSURE 8 IO 9 BROKEN 9",
}


@pytest.mark.parametrize("domain", NUMBERS)
def test_numbered_kinds(domain: str) -> None:
    words = NUMBERS[domain].split()
    wanted = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    cls = kinds(domain)
    assert issubclass(cls, enum.IntEnum)
    assert {n: int(m) for n, m in cls.__members__.items()} == wanted  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("Demux", "SYNC_LOSS BAD_PMT BAD_PES UNEXPECTED_EOF STRICT_REJECTION INTERNAL"),
        (
            "Klv",
            "BAD_UNIVERSAL_LABEL TRUNCATED_SET UNKNOWN_SET CHECKSUM_MISMATCH DUPLICATE_TAG "
            "MISSING_REQUIRED_TAG MALFORMED_BYTES INTERNAL",
        ),
    ],
)
def test_worded_kinds(domain: str, names: str) -> None:
    cls = kinds(domain)
    assert not issubclass(cls, int)
    assert [(m.name, m.value) for m in cls] == [(n, n.lower()) for n in names.split()]


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("UNRECOVERABLE", "INTERNAL"),
        ("SYNC_BUF_EXHAUSTED", "SYNC_LOSS"),
        ("MALFORMED_PES", "BAD_PES"),
        ("MALFORMED_PSI", "BAD_PMT"),
    ],
)
def test_demux_kinds_of_both_vocabularies(later: str, earlier: str) -> None:
    assert exc.DemuxErrorKind[later] is exc.DemuxErrorKind[earlier]
    assert exc.DemuxErrorKind(later.lower()) is exc.DemuxErrorKind[earlier]
    for wrong in (later, "no such kind", 3):
        with pytest.raises(ValueError):
            exc.DemuxErrorKind(wrong)
