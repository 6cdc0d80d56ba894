"""DataFrames, and pairs of pictures and KLV."""

from __future__ import annotations

from collections.abc import Iterator

_STAMPED = "UasDatalinkLs(timestamp_us=5, platform_heading_deg=1.0, mission_id='m')"
_RECORDS = {
    "records": f"[{_STAMPED}, UasDatalinkLs(timestamp_us=9)]",
    "records without time": "[UasDatalinkLs(mission_id='a'), UasDatalinkLs()]",
    "records, some without time": f"[{_STAMPED}, UasDatalinkLs()]",
    "records with errors": "[UasDatalinkLs(timestamp_us=5, unknown=((200, b'x'),),"
    " field_errors=(KlvFieldError("
    "kind=KlvFieldErrorKind.OUT_OF_RANGE, tag=5, message='m'),) * 2)]",
    "VMTI": "[VmtiLs(precision_time_stamp=5, targets=(VTargetPack(target_id=1, priority=3),"
    " VTargetPack(target_id=2))), VmtiLs()]",
    "VMTI without targets": "[VmtiLs(), VmtiLs(version_number=1)]",
    "security": "[SecurityLs(security_classification=SecurityClassification.SECRET, version=12),"
    " SecurityLs(security_classification=77)]",
    "time stamps": "[PrecisionTimeStampPack(time_status=TimeStatus(31), timestamp_us=i) for i in (1, 2)]",
    "nothing": "[]",
    "a mixture": "[UasDatalinkLs(), VmtiLs()]",
    "numbers": "[1]",
    "None": "None",
}
_FEW = "d = d[[c for c in d.columns if c in ('universal_label', 'mission_id', 'timestamp_us', 'unknown',"
_FEW += " 'platform_heading_deg', 'field_errors')]] if len(d.columns) > 40 else d; d"

_EVENTS = {
    "all": "demux(ts())",
    "an iterator": "iter(demux(ts()))",
    "a file": "I.parse_file(file(ts()))",
    "none": "[]",
    "pictures": "[e for e in demux(ts()) if isinstance(e, DemuxEvent.Video)]",
    "KLV": "[e for e in demux(ts()) if isinstance(e, DemuxEvent.Klv)]",
    "sound": "[e for e in demux(ts()) if isinstance(e, DemuxEvent.Audio)]",
    "subtitles": "[e for e in demux(ts()) if isinstance(e, DemuxEvent.Subtitle)]",
    "unknown samples": "[e for e in demux(ts()) if isinstance(e, DemuxEvent.UnknownSample)]",
    "a map": "demux(ts())[:1]",
    "findings": "[DemuxEvent.NonConformant(StreamId(1, StreamKindTag.UNKNOWN, None, 0), 'text',"
    " NonConformantKind.PSI_SYNTAX)]",
    "other things": "[5, 'a', None, DemuxEvent.ReconnectDiscontinuity(), DemuxEvent()]",
    "what is no list": "5",
}

_UNITS = {
    "H264": "split_units(H264, VideoCodec.H264)[0]",
    "H265": "[NalUnit.h265(i, 0, 1, b'') for i in range(64)]",
    "H266": "[NalUnit.h266(i, 0, 1, b'') for i in range(32)]",
    "types of H264": "[NalUnit.h264(i, 0, b'') for i in range(32)]",
    "OBUs": "[Obu(i, None, b'x') for i in range(16)] + [Obu(6, ObuExtension(1, 2), b'x')]",
    "frames of AAC": "parse_aac_frames(AAC * 2)",
    "frames of MP2": "parse_mpeg2_audio_frames(MP2[:384])",
    "mixed frames": "parse_aac_frames(AAC) + parse_mpeg2_audio_frames(MP2[:384])",
    "nothing": "[]",
    "numbers": "[1, 2]",
}

_MODES = ["PairerMode.Realtime", "PairerMode.Buffered(timedelta(milliseconds=100))"]
_PAIRER = {
    "mode": ["None", "5", "PairerMode.Buffered", "'realtime'"],
    "tolerance": ["None", "5", "timedelta(-1)", "timedelta(0)", "timedelta.max"],
    "max_buffered_klv": ["0", "-1", "1", "True", "1.5", "None"],
    "max_buffered_video": ["0", "1", "True", "1.5", "None"],
}
_MADE = ["", "1", "1, 2, 3", "'a', 'b'", "1.5, 2", "None, None", "65536, 1", "-1, 1", "1, 2, None", "1, 1"]
_MADE += ["1, 2, 5", "video_pid=1, klv_pid=2", "np.int64(1), np.int64(2)", "1, 2, PairerConfig()"]


def questions() -> Iterator[tuple[str, str]]:
    for name, made in _RECORDS.items():
        for mode in ("", ", mode='targets'", ", mode='x'"):
            yield f"klv_to_dataframe of {name}{mode}", f"d = PD.klv_to_dataframe({made}{mode}); {_FEW}"
    for name, made in _EVENTS.items():
        yield f"events_to_dataframe of {name}", f"PD.events_to_dataframe({made})"
    for name, made in _UNITS.items():
        yield f"audio_frames_to_dataframe of {name}", f"PD.audio_frames_to_dataframe({made})"
        for f in ("nals_to_dataframe", "obus_to_dataframe"):
            for pts in ("", ", 5.0"):
                yield f"{f} of {name}{pts}", f"PD.{f}({made}{pts})"
    for mode in _MODES:
        for tolerance in (0, 40, 300):
            pairer = f"PairerConfig(mode={mode}, tolerance=timedelta(milliseconds={tolerance}))"
            yield (
                f"pairs by {mode} within {tolerance} ms",
                f"x = Pairer(0x101, 0x102, PairingDemuxerConfig({pairer}))\na = x.feed(ts()); b = x.flush()\n"
                "([(type(o).__name__, [getattr(getattr(o, n), 'pts', None) for n in type(o).__match_args__])"
                " for o in a + b], x.stats(), x.demuxer_stats())",
            )
    for parameter, values in _PAIRER.items():
        for v in values:
            made = f"PairerConfig({parameter}={v})"
            yield (
                f"{made}",
                f"x = {made}; (x.{parameter}, type(Pairer(1, 2, PairingDemuxerConfig(x))).__name__)",
            )
    for a in _MADE:
        yield f"Pairer({a})", f"Pairer({a}).stats()"
    for a in ("", "None", "5", "timedelta(-1)", "timedelta(0)", "max_lag=timedelta(1)"):
        yield f"Buffered({a})", f"PairerMode.Buffered({a})"
    for a in ("None", "5", "'a'", "b''", "bytearray(ts())", "[0x47]", "-1", "bytes(7000)"):
        yield f"feed of {a}", f"x = Pairer(0x101, 0x102); (len(x.feed({a})), x.stats())"
