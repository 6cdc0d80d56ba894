"""Objects as values: text, equality, copies, fields, assignment."""

from __future__ import annotations

from collections.abc import Iterator

_STREAM = "StreamId(257, StreamKindTag.VIDEO, VideoCodec.H264, 1)"
_INFO = "StreamInfo(257, 27, StreamKindTag.VIDEO, VideoCodec.H264, 1)"
_SAMPLE = f"stream={_STREAM}, pts=Pts90khz(1), dts=None"

OBJECTS = {
    "Pts90khz": "Pts90khz(90000)",
    "StreamId": _STREAM,
    "RawDescriptor": "RawDescriptor(5, b'KLVA')",
    "StreamInfo": _INFO,
    "KlvLink": "KlvLink(258, 257, LinkSource.INFERRED)",
    "ProgramMap": f"ProgramMap(1, 257, 256, ({_INFO},), ())",
    "StreamSpec": "StreamSpec(1)",
    "VideoStreamSpec": "VideoStreamSpec(257, VideoCodec.AV1)",
    "KlvStreamSpec": "KlvStreamSpec(258, KlvStreamType.PRIVATE_DATA, False)",
    "AudioStreamSpec": "AudioStreamSpec(259, AudioCodec.AAC, b'eng')",
    "SubtitleStreamSpec": "SubtitleStreamSpec(260, SubtitleCodec.WEBVTT_IN_TS)",
    "DataStreamSpec": "DataStreamSpec(261, 240, True)",
    "DvbSubtitlingConfig": "DvbSubtitlingConfig(b'eng', 16, 1, 2)",
    "DvbTeletextConfig": "DvbTeletextConfig(b'eng', 2, 1, 0x99)",
    "Cea708StandaloneConfig": "Cea708StandaloneConfig()",
    "WebVttInTsConfig": "WebVttInTsConfig()",
    "VideoStreamCodecStats": "VideoStreamCodecStats(1, 2)",
    "Video": f"DemuxEvent.Video({_SAMPLE}, codec=VideoCodec.H264, raw=b'abc', random_access_indicator=True)",
    "Audio": f"DemuxEvent.Audio({_SAMPLE}, codec=AudioCodec.AAC, raw=b'abc')",
    "Subtitle": f"DemuxEvent.Subtitle({_SAMPLE}, codec=SubtitleCodec.DVB_SUBTITLING, payload=b'abc')",
    "Klv": f"DemuxEvent.Klv({_STREAM}, Pts90khz(1), MetadataKindTag.KLV_ASYNC, b'abc')",
    "UnknownSample": f"DemuxEvent.UnknownSample({_SAMPLE}, stream_type=240, payload=b'abc')",
    "Discontinuity": f"DemuxEvent.Discontinuity({_STREAM}, DiscontinuityKindTag.CONTINUITY_JUMP)",
    "NonConformant": f"DemuxEvent.NonConformant({_STREAM}, 'text', NonConformantKind.OTHER)",
    "ReconnectDiscontinuity": "DemuxEvent.ReconnectDiscontinuity()",
    "CellFragmentIndication": "CellFragmentIndication.FIRST",
    "MultiCellAuReason": "MultiCellAuReason.ORPHAN",
    "VideoStreamHandle": "VideoStreamHandle.from_raw(3)",
    "DataStreamHandle": "DataStreamHandle.from_raw(17)",
    "MuxerConfig": "config(prog(1, 0x100, V))",
    "MuxerStats": "mux(V).stats()",
    "Attitude": "Attitude(1.0, 2.0, 3.0)",
    "KlvFieldError": "KlvFieldError(3, KlvFieldErrorKind.OUT_OF_RANGE, 'm')",
    "TimeStatus": "TimeStatus(31)",
    "PrecisionTimeStampPack": "PrecisionTimeStampPack(time_status=TimeStatus(31), timestamp_us=1)",
    "SecurityLs": "SecurityLs(security_classification=SecurityClassification.SECRET)",
    "VmtiLs": "VmtiLs(version_number=6, targets=(VTargetPack(target_id=1),))",
    "VTargetPack": "VTargetPack(target_id=1, target_color=(1, 2, 3))",
    "NalUnit": "NalUnit.h264(5, 3, b'abc')",
    "Obu": "Obu(1, ObuExtension(1, 2), b'abc')",
    "Rational": "Rational(30000, 1001)",
    "AacProfile": "AacProfile.LC",
    "MuxError": "MuxError('m', kind=MuxErrorKind.BACKPRESSURE, pid=5)",
    "DemuxError": "DemuxError(kind=DemuxErrorKind.STRICT_REJECTION, message='m')",
    "KlvEncodeError": "KlvEncodeError('m', kind=KlvEncodeErrorKind.OUT_OF_RANGE, tag=3)",
    "CodecError": "CodecError(CodecErrorKind.TRUNCATED, 'aac', 'cut', needed=9, had=3)",
    "PairerConfig": "PairerConfig()",
    "Buffered": "PairerMode.Buffered(timedelta(seconds=1))",
    "KlvSample": f"KlvSample({_STREAM}, Pts90khz(1), MetadataKindTag.KLV_SYNC_AU_CELL, b'abc')",
    "Paired": "PairerOutput.Paired(1, 2)",
    "ProbeResult": "I.ProbeResult(1, (), (), (), (), (), False, 0)",
}

ABOUT = {
    "text": "[repr(x), str(x), f'{x!s:>5}']",
    "equality": "[x == mk(), x != mk(), x == x, x == None, x == 0, x != 'a']",
    "hash": "[hash(x) == hash(mk()), len({x, mk()})]",
    "order": "x < mk()",
    "bool": "bool(x)",
    "size": "len(x)",
    "iteration": "list(x)",
    "item": "x[0]",
    "in": "0 in x",
    "copies": "[y == x for y in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)))]",
    "replace": "dataclasses.replace(x) == x",
    "as a tuple": "dataclasses.astuple(x)",
    "fields": "[f.name for f in dataclasses.fields(x)]",
    "match": "[getattr(x, n) for n in type(x).__match_args__]",
    "int": "int(x)",
    "call": "x()",
    "missing": "x.nonsense",
    "assignment": "[isinstance(attempt(lambda: setattr(x, n, getattr(x, n))), AttributeError)"
    " for n in getattr(type(x), '__match_args__', ())]",
    "deletion": "[isinstance(attempt(lambda: delattr(x, n)), AttributeError)"
    " for n in getattr(type(x), '__match_args__', ())]",
    "sum": "x + x",
    "bytes": "bytes(x)",
    "names": "[type(x).__name__, type(x).__qualname__]",
    "module": "type(x).__module__",
}


def questions() -> Iterator[tuple[str, str]]:
    for name, made in OBJECTS.items():
        for about, how in ABOUT.items():
            yield f"{name}, {about}", f"mk = lambda: {made}\nx = mk()\n{how}"
    for kind in ("Mux", "Demux", "Klv", "KlvEncode", "Codec", "Rtsp", "Rtp", "Srt", "Udp", "Tcp", "Rist"):
        yield f"{kind}ErrorKind by number", f"[(k.name, k.value) for k in X.{kind}ErrorKind]"
