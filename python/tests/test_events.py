"""DemuxEvent classes as a program builds them, and the numbers behind those that the library delivers."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from tstrans import mpegts
from tstrans._native import mpegts_abi as abi
from tstrans.mpegts import (
    AudioCodec,
    CellFragmentIndication,
    DemuxEvent,
    DiscontinuityKindTag,
    MetadataKindTag,
    MultiCellAuReason,
    NonConformantKind,
    Pts90khz,
    StreamId,
    StreamKindTag,
    SubtitleCodec,
    VideoCodec,
    _record,
)

SID = StreamId(0x101, StreamKindTag.VIDEO, VideoCodec.H264, 1)
P = Pts90khz(90000)
COMMON: dict[str, Any] = {"stream": SID, "pts": P, "dts": None, "raw": b"ab"}
VIDEO = COMMON | {"codec": VideoCodec.H264, "random_access_indicator": True}
AUDIO = COMMON | {"codec": AudioCodec.AAC}


def made() -> list[Any]:
    return [
        DemuxEvent.ProgramMap((mpegts.ProgramMap(1, 2, 3, (), ()),)),
        DemuxEvent.Video(**VIDEO),
        DemuxEvent.Audio(**AUDIO),
        DemuxEvent.Subtitle(SID, P, None, SubtitleCodec.WEBVTT_IN_TS, b"ab"),
        DemuxEvent.Klv(SID, P, MetadataKindTag.KLV_ASYNC, b"ab"),
        DemuxEvent.UnknownSample(SID, P, None, 6, b"ab"),
        DemuxEvent.Discontinuity(SID, DiscontinuityKindTag.CONTINUITY_JUMP),
        DemuxEvent.NonConformant(SID, "why", NonConformantKind.OTHER),
        DemuxEvent.ReconnectDiscontinuity(),
    ]


MATCH_ARGS = {
    "ProgramMap": "programs",
    "Video": "stream pts dts codec raw random_access_indicator av1_carriage",
    "Audio": "stream pts dts codec raw",
    "Subtitle": "stream pts dts codec payload",
    "Klv": "stream pts kind payload was_reassembled cell_count",
    "UnknownSample": "stream pts dts stream_type payload",
    "Discontinuity": "stream kind",
    "NonConformant": "stream issue kind multi_cell_au_reason observed_cfi treated_as",
    "ReconnectDiscontinuity": "",
}


@pytest.mark.parametrize("event", made(), ids=lambda e: type(e).__name__)
def test_value_semantics(event: Any) -> None:
    cls = type(event)
    short = cls.__name__.removeprefix("_").removesuffix("Event")
    assert getattr(DemuxEvent, short) is cls
    assert getattr(mpegts, cls.__name__) is cls
    assert issubclass(cls, DemuxEvent)
    assert cls.__module__ == "tstrans.mpegts"
    assert cls.__match_args__ == tuple(MATCH_ARGS[short].split())
    same = next(e for e in made() if type(e) is cls)
    assert same == event
    assert same is not event
    assert hash(same) == hash(event)
    assert event != object()
    for other in (pickle.loads(pickle.dumps(event)), copy.copy(event), copy.deepcopy(event)):
        assert other == event
        assert type(other) is cls
    for name in (*cls.__match_args__, "nothing"):
        with pytest.raises(AttributeError, match=f"cannot assign to field '{name}'"):
            setattr(event, name, 1)
        with pytest.raises(AttributeError, match=f"cannot delete field '{name}'"):
            delattr(event, name)


def test_base_can_be_made() -> None:
    assert DemuxEvent() == DemuxEvent()
    assert not isinstance(DemuxEvent(), DemuxEvent.Video)


def test_klv_has_two_names() -> None:
    assert DemuxEvent.Metadata is DemuxEvent.Klv
    assert mpegts._KlvEvent is mpegts._MetadataEvent  # type: ignore[attr-defined]
    assert DemuxEvent.Video.Klv is DemuxEvent.Klv


def test_which_are_dataclasses() -> None:
    for event in made():
        by_hand = isinstance(event, (DemuxEvent.Video, DemuxEvent.Audio))
        assert dataclasses.is_dataclass(event) is not by_hand
        if not by_hand:
            assert tuple(f.name for f in dataclasses.fields(event)) == type(event).__match_args__
            with pytest.raises(dataclasses.FrozenInstanceError):
                event.stream = SID
    changed = dataclasses.replace(made()[4], payload=b"zz")
    assert changed.payload == b"zz"


def test_reprs() -> None:
    by_name = {type(e).__name__: repr(e) for e in made()}
    s, p = repr(SID), "Pts90khz(raw=90000, ms=1000)"
    assert by_name["_VideoEvent"] == (
        f"DemuxEvent.Video(stream={s}, pts={p}, dts=None, codec=<VideoCodec.H264: 'h264'>, raw=b'ab', "
        "random_access_indicator=True, av1_carriage=None)"
    )
    assert by_name["_AudioEvent"] == (
        f"DemuxEvent.Audio(stream={s}, pts={p}, dts=None, codec=<AudioCodec.AAC: 'aac'>, raw=b'ab')"
    )
    assert by_name["_KlvEvent"] == (
        f"_KlvEvent(stream={s}, pts={p}, kind=<MetadataKindTag.KLV_ASYNC: 'klv_async'>, payload=b'ab', "
        "was_reassembled=False, cell_count=1)"
    )
    assert by_name["_ReconnectDiscontinuityEvent"] == "_ReconnectDiscontinuityEvent()"


def test_keyword_only() -> None:
    for cls, given in ((DemuxEvent.Video, VIDEO), (DemuxEvent.Audio, AUDIO)):
        make: Any = cls
        with pytest.raises(TypeError):
            make(*given.values())
        for missing in given:
            with pytest.raises(TypeError, match=missing):
                make(**{k: v for k, v in given.items() if k != missing})
        for wrong in (bytearray(b"ab"), "ab"):
            with pytest.raises(TypeError):
                make(**{**given, "raw": wrong})


def test_value_equality_covers_the_payload() -> None:
    make: Any = DemuxEvent.Video
    assert make(**VIDEO) == make(**{**VIDEO, "raw": bytes([97, 98])})
    assert make(**VIDEO) != make(**{**VIDEO, "raw": b"ac"})
    assert make(**VIDEO) != make(**{**VIDEO, "random_access_indicator": False})


def test_payload_and_byte_len_everywhere() -> None:
    for event in made():
        if hasattr(event, "payload"):
            assert (event.payload, event.byte_len) == (b"ab", 2)
    video = made()[1]
    assert video.payload is video.raw
    match video:
        case DemuxEvent.Video(pts=p, codec=c, payload=b):
            assert (p, c, b) == (P, VideoCodec.H264, b"ab")
        case _:
            pytest.fail("no match")
    match made()[4]:
        case DemuxEvent.Klv(stream, pts, kind, payload):
            assert (stream, pts, kind, payload) == (SID, P, MetadataKindTag.KLV_ASYNC, b"ab")
        case _:
            pytest.fail("no match")


def test_defaults() -> None:
    klv = made()[4]
    assert (klv.was_reassembled, klv.cell_count) == (False, 1)
    finding = made()[7]
    assert (finding.multi_cell_au_reason, finding.observed_cfi, finding.treated_as) == (None, None, None)


def test_a_wire_code_makes_a_finding_unhashable() -> None:
    finding = DemuxEvent.NonConformant(
        SID, "why", NonConformantKind.MULTI_CELL_AU, MultiCellAuReason.ORPHAN, CellFragmentIndication.LAST
    )
    with pytest.raises(TypeError):
        hash(finding)
    assert pickle.loads(pickle.dumps(finding)) == finding


# ---- the numbers of tstrans/mpegts.h ---------------------------------------


def numbers(prefix: str) -> dict[str, int]:
    return {n.removeprefix(prefix): v for n, v in vars(abi).items() if n.startswith(prefix)}


def test_event_types() -> None:
    for name, number in numbers("TST_EV_").items():
        short = "".join(part.capitalize() for part in name.split("_"))
        assert _record.CLASSES[number] is getattr(DemuxEvent, short), name
    assert len(_record.CLASSES) == 1 + len(numbers("TST_EV_"))


def test_stream_kinds() -> None:
    for name, number in numbers("TST_KIND_").items():
        assert _record._KINDS[number] is StreamKindTag[name]


def test_codecs() -> None:
    seen = set()
    for name, number in numbers("TST_CODEC_").items():
        codec = _record._CODECS[number]
        assert (codec.name if codec else "NONE") == name
        seen.add(number)
    assert all(c is None for i, c in enumerate(_record._CODECS) if i not in seen)


def test_details() -> None:
    for name, number in numbers("TST_METADATA_").items():
        assert _record._METADATA[number] is MetadataKindTag[name]
    for name, number in numbers("TST_DISC_").items():
        assert _record._DISCONTINUITIES[number] is DiscontinuityKindTag[name]
    for name, number in numbers("TST_NC_").items():
        assert _record._FINDINGS.get(number, NonConformantKind.OTHER) is NonConformantKind[name]
    assert len(_record._FINDINGS) == len(NonConformantKind) - 1
    for name, number in numbers("TST_REASON_").items():
        assert _record._REASONS[number] is getattr(MultiCellAuReason, name)
    for name, number in numbers("TST_CFI_").items():
        assert _record._CFIS[number] is getattr(CellFragmentIndication, name)
    for name, number in numbers("TST_LINK_").items():
        assert _record._LINKS[number] is mpegts.LinkSource[name]
    for name, number in numbers("TST_AV1_").items():
        carriage = _record._CARRIAGE.get(number)
        assert (carriage.name if carriage else "NONE") == name


def test_flags() -> None:
    assert _record._F_LAZY == abi.TST_F_LAZY
    assert _record._F_HAS_DTS == abi.TST_F_HAS_DTS
    assert _record._F_RANDOM_ACCESS == abi.TST_F_RANDOM_ACCESS
    assert _record._F_WAS_REASSEMBLED == abi.TST_F_WAS_REASSEMBLED


def test_places_in_a_record() -> None:
    at = {name: getattr(abi.tst_record, name).offset for name, *_ in abi.tst_record._fields_}
    wanted = {
        "pts_90k": 0,
        "dts_90k": 8,
        "payload": 16,
        "payload_len": 20,
        "pid": 24,
        "stream_kind": 28,
        "codec": 29,
        "stream": 30,
        "type": 32,
        "detail": 33,
        "flags": 34,
        "text": 36,
        "text_len": 40,
        "cell_count": 44,
        "position": 48,
        "stream_type": 56,
        "reason": 57,
        "observed_cfi": 58,
        "treated_as": 59,
    }
    assert {n: at[n] for n in wanted} == wanted
