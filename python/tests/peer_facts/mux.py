"""Building and using muxers and demuxers with every kind of argument."""

from __future__ import annotations

from collections.abc import Iterator

#: Values for an argument, most of them wrong.
ARGUMENTS = [
    *("None", "0", "1", "-1", "255", "256", "65535", "1<<16", "1<<32", "1<<64", "-(1<<63)", "1.5", "True"),
    *("0x10", "0xf", "0x1ffe", "0x1fff", "'a'", "''", "b''", "b'a'", "b'eng'", "'eng'", "bytearray(b'a')"),
    *("memoryview(b'a')", "[]", "[1]", "(1,)", "[b'\\x05\\x04KLVA']", "[b'x']", "(b'\\x05\\0',)", "object()"),
    *("np.uint8(5)", "np.int64(5)", "np.float64(5.0)", "array.array('B', [1, 2])", "float('nan')"),
    *("VideoCodec.H264", "AudioCodec.AAC", "KlvStreamType.PRIVATE_DATA", "SubtitleCodec.DVB_SUBTITLING"),
    *("Pts90khz(0)", "pathlib.Path('x')", "StreamKindTag.SUBTITLE", "Cea708StandaloneConfig()"),
]

_BUILDER = {
    "add_video": (["0x101", "VideoCodec.H264"], ""),
    "add_audio": (["0x101", "AudioCodec.AAC"], ""),
    "add_audio_with_language": (["0x101", "AudioCodec.AAC"], "language=b'eng'"),
    "add_klv": (["0x101", "KlvStreamType.PRIVATE_DATA"], "carries_pts=True"),
    "add_subtitle": (["0x101", "Cea708StandaloneConfig()"], ""),
    "add_data": (["0x101", "0xf0"], "carries_pts=True"),
    "pcr_pid": (["0x101"], ""),
    "program_descriptors": (["[]"], ""),
    "stream_descriptors_for_video": (["0", "[]"], ""),
    "stream_descriptors_for_data": (["0", "[]"], ""),
    "stream_descriptors_for_stream": (["0", "[]"], ""),
}

#: One argument of a call, written as {}.
_ARGUMENTS_OF = {
    "Pts90khz": "x = Pts90khz({}); (x, x.raw)",
    "from_raw": "Pts90khz.from_raw({})",
    "from_ms": "Pts90khz.from_ms({})",
    "from_seconds": "Pts90khz.from_seconds({})",
    "carries_pts": "prog(1, 0x100, ('add_klv', 0x101, KlvStreamType.PRIVATE_DATA, {{'carries_pts':"
    " {}}})).streams",
    "language": "prog(1, 0x100, ('add_audio_with_language', 0x101, AudioCodec.AAC, {{'language':"
    " {}}})).streams",
    "pcr_interval_ms": "config(prog(1, 0x100, V), pcr_interval_ms={}).pcr_interval_ms",
    "psi_interval_ms": "config(prog(1, 0x100, V), psi_interval_ms={}).psi_interval_ms",
    "buffer_packets": "config(prog(1, 0x100, V), buffer_packets={}).buffer_packets",
    "av1_carriage": "config(prog(1, 0x100, V), av1_carriage={}).av1_carriage",
    "program_number": "prog({}, 0x100, V).program_number",
    "pmt_pid": "prog(1, {}, V).pmt_pid",
    "Muxer": "type(Muxer({})).__name__",
    "Demuxer": "type(Demuxer({})).__name__",
    "feed": "d = Demuxer(); r = d.feed({}); (r, d.stats())",
    "pull": "full().pull({})",
    "stream_codec_stats": "full().stream_codec_stats({})",
    "VideoStreamHandle": "x = VideoStreamHandle.from_raw({}); (x, x.unpack())",
    "KlvStreamHandle": "x = KlvStreamHandle.from_raw({}); (x, x.unpack())",
    "klv_stream_handle": "full().klv_stream_handle({})",
    "audio_handles_for_program": "full().audio_handles_for_program({})",
    "metadata_service_id": "m = mux(V, KS); m.push_klv(KLV, pts=p(0), metadata_service_id={}); pull(m)",
    "key_frame": "m = mux(V); m.push_video(H264, pts=p(0), key_frame={}); pull(m)",
    "dts": "m = mux(V); m.push_video_to_with_dts(m.video_handles()[0], H264, pts=p(0), dts={}); pull(m)",
    "wire": "m = mux(V); m.push_video_wire_to(m.video_handles()[0], {}, pts=p(0)); pull(m)",
    "write_file": "type(full().write_file({})).__name__",
    "from_program_map": "MuxerConfig.from_program_map({})",
    "drop": "MuxerConfig.from_program_map(demux(ts())[0].programs[0], drop={}).programs[0].streams",
    "drop of": "MuxerConfig.from_program_map(demux(ts())[0].programs[0],"
    " drop=[StreamKindTag.SUBTITLE, {}]).programs[0].streams",
    "raw of Video": "DemuxEvent.Video(stream=1, pts=2, dts=3, codec=4, raw={}, random_access_indicator=5)",
}

_CONFIG = ["strict_mode", "pes_cap_per_pid", "pes_cap_total", "cfi_tolerance", "av1_carriage"]
_CONFIG += ["au_cell_cap_per_pid", "lenient_psi_reassembly"]

_PUSHES = {"push_video": "V", "push_audio": "V, A", "push_klv": "V, KA", "push_subtitle": "V, S"}
_PUSHES["push_data"] = "V, D"

_SUBTITLES = (
    ("DvbSubtitlingConfig", ["b'eng'", "16", "1", "2"]),
    ("DvbTeletextConfig", ["b'eng'", "2", "1", "0x42"]),
)

#: Each is kept.
USES = {
    "a descriptor that is a number": "MuxerProgramConfigBuilder(1, 0x100).program_descriptors([3])",
    "drop=0": "MuxerConfig.from_program_map(demux(ts(False))[0].programs[0], drop=0)",
    "stream_type beyond 64 bits": "MuxerProgramConfigBuilder(1, 0x100).add_data(1, 1 << 64,"
    " carries_pts=True)",
    "statistics": "m = full(); a = m.stats(); pull(m); (a, m.stats(),"
    " [m.stream_codec_stats(i) for i in (*range(0x100, 0x107), 0x999)])",
    "statistics set back": "m = full(); pull(m); m.reset_stats(); (m.stats(), m.stream_codec_stats(0x101))",
    "handles": "m = full(); [getattr(m, k + '_handles')() for k in ('video', 'audio', 'klv',"
    " 'subtitle', 'data')]",
    "handles of no program": "[attempt(lambda: getattr(full(), k + '_handles_for_program')(2))"
    " for k in ('video', 'audio', 'klv', 'subtitle', 'data')]",
    "pieces": "m = full(); [m.pull(bytearray(n)) for n in (0, 1, 187, 188, 189, 375, 376, 1316)]",
    "no stream of the kind": "m = mux(V); [attempt(lambda: getattr(m, f)(b'x', pts=p(0)))"
    " for f in ('push_audio', 'push_klv', 'push_subtitle', 'push_data')]",
    "two streams of the kind": "m = mux(V, ('add_video', 0x111, VideoCodec.H264));"
    " m.push_video(H264, pts=p(0))",
    "handle of another kind": "m = full(); m.push_video_to(m.klv_handles()[0], H264, pts=p(0))",
    "handle of no stream": "m = full(); m.push_video_to(VideoStreamHandle.from_raw(5), H264, pts=p(0))",
    "no pts": "mux(V).push_video(H264)",
    "a number for pts": "mux(V).push_video(H264, pts=0)",
    "pts of 33 bits": "m = mux(V); m.push_video(H264, pts=p(2**33 + 5)); demux(pull(m))[1].pts",
    "negative pts": "m = mux(V); m.push_video(H264, pts=p(-1)); demux(pull(m))[1].pts",
    "PIDs": "[type(attempt(lambda: config(prog(1, 0x100, ('add_video', x, VideoCodec.H264))))).__name__"
    " for x in (0, 1, 15, 16, 0x100, 0x1ffe, 0x1fff, 0x2000, 0xffff)]",
    "equal PIDs": "config(prog(1, 0x100, V, V))",
    "equal numbers": "config(prog(1, 0x100, V), prog(1, 0x200, ('add_video', 0x201, VideoCodec.H264)))",
    "no programs": "config()",
    "no streams": "config(prog(1, 0x100))",
    "KLV alone": "config(prog(1, 0x100, KA))",
    "builders": "b = MuxerConfigBuilder().add_program(prog(1, 0x100, V)); [b.build() is b.build(),"
    " MuxerConfig.builder() is MuxerConfig.builder()]",
    "no constructors": "[attempt(c) for c in (MuxerConfig, MuxerProgramConfig, MuxerStats)]",
    "descriptors": "[type(attempt(lambda: config(MuxerProgramConfigBuilder(1, 0x100)"
    ".add_video(0x101, VideoCodec.H264).stream_descriptors_for_video(0, [x]).build()))).__name__"
    " for x in (b'', b'\\5', b'\\5\\0', b'\\5\\1', b'\\5\\1ab')]",
    "events": "demux(ts())",
    "events of any pieces": "[demux(ts(), n) == demux(ts()) for n in (1, 7, 188, 1000)]",
    "demuxer's returns": "d = Demuxer(); (d.feed(b''), d.flush(), d.reset_stats(), d.next_event(),"
    " iter(d) is d)",
    "flush and on": "d = Demuxer(); d.feed(ts()); a = len(list(d)); d.flush(); b = len(list(d)); d.flush();"
    " c = len(list(d)); d.feed(ts()); (a, b, c, len(list(d)))",
    "bytes of any kind": "x = ts(); [len(demux(k(x))) for k in (bytes, bytearray, memoryview, list,"
    " lambda b: array.array('B', b), lambda b: np.frombuffer(b, np.uint8))]",
    "payloads once": "[e.raw is e.raw for e in demux(ts()) if hasattr(e, 'raw')]",
    "strict events": "x = ts(); x = x[:376] + b'\\x47\\x41\\x01\\x30\\x07\\x10\\x7f\\xff\\xff\\xff\\x80\\0'"
    " + bytes(176) + x[376:]; [(m.name, attempt(lambda: len(demux(x, config=DemuxerConfig(strict_mode=m)))))"
    " for m in StrictMode]",
    "pictures": "[(c.name, [e.raw == x for e in demux((lambda m: (m.push_video(x, pts=p(90000)), pull(m))[1])"
    "(mux(('add_video', 0x101, c)))) if isinstance(e, DemuxEvent.Video)])"
    " for c, x in ((VideoCodec.H264, H264), (VideoCodec.H265, H265), (VideoCodec.H266, H266))]",
    "AV1": "m = mux(('add_video', 0x101, VideoCodec.AV1)); m.push_video(AV1, pts=p(0)); e ="
    " demux(pull(m))[1];"
    " (e, e.parse(), e.parse(strict=True))",
    "AV1 raw": "m = mux(('add_video', 0x101, VideoCodec.AV1), av1_carriage=Av1CarriageMode.INTEROP_RAW_OBU);"
    " m.push_video(AV1, pts=p(0)); e = demux(pull(m))[-1]; (e, e.parse(), attempt(lambda:"
    " e.parse(strict=True)))",
    "sound": "[(c.name, [(e.raw == x, attempt(e.parse)) for e in demux((lambda m:"
    " (m.push_audio(x, pts=p(90000)), pull(m))[1])(mux(V, ('add_audio', 0x104, c))))[1:]])"
    " for c, x in ((AudioCodec.AAC, AAC * 2), (AudioCodec.MP2, MP2), (AudioCodec.AC3, b'\\x0b\\x77abc'),"
    " (AudioCodec.AAC_LATM, b'\\x56\\xe0\\x01abc'))]",
    "subtitles": "[demux((lambda m: (m.push_subtitle(b'payload', pts=p(90000)), pull(m))[1])"
    "(mux(V, ('add_subtitle', 0x105, c))))[1:] for c in (DvbSubtitlingConfig(b'eng', 16, 1, 2),"
    " DvbTeletextConfig(b'eng', 2, 1, 0x42), Cea708StandaloneConfig(), WebVttInTsConfig())]",
    "program map": "pm = demux(ts())[0].programs[0]; (pm, [s.raw_descriptors for s in pm.streams])",
    "from a program map": "c = MuxerConfig.from_program_map(demux(ts(False))[0].programs[0]).programs[0];"
    " (c.streams, c.stream_descriptors, c.pcr_pid, c.program_number, c.pmt_pid)",
    "threads": "x = ts(); out = {}\ndef run(i):\n    out[i] = len(demux(x * 20))\n"
    "t = [threading.Thread(target=run, args=(i,)) for i in range(4)]\n"
    "[a.start() for a in t]; [a.join() for a in t]; sorted(out.items())",
    "the page beyond two digits": "[attempt(lambda: DvbTeletextConfig(b'eng', 2, 1, n)) for n in"
    " (0x99, 0x9a, 0x1a, 256)]",
}


def questions() -> Iterator[tuple[str, str]]:
    for name, (plain, named) in _BUILDER.items():
        for i in range(len(plain)):
            for v in ARGUMENTS:
                a = [*plain[:i], v, *plain[i + 1 :], *([named] if named else [])]
                yield (
                    f"{name} argument {i} {v}",
                    f"b = MuxerProgramConfigBuilder(1, 0x100); r = b.{name}({', '.join(a)}); c = b.build()\n"
                    "(r is b, c.streams, c.pcr_pid, c.program_descriptors, c.stream_descriptors)",
                )
    for v in ARGUMENTS:
        for name, call in _ARGUMENTS_OF.items():
            yield f"{name} {v}", call.format(v)
        for name in _CONFIG:
            yield f"{name}={v}", f"c = DemuxerConfig({name}={v}); (c.{name}, type(Demuxer(c)).__name__)"
        for i in range(4):
            for cls, a in _SUBTITLES:
                yield f"{cls} argument {i} {v}", f"{cls}({', '.join([*a[:i], v, *a[i + 1 :]])})"
        for name, streams in _PUSHES.items():
            said = "(r, m.pending_packets(), pull(m))"
            yield f"{name} of {v}", f"m = mux({streams}); r = m.{name}({v}, pts=p(0)); {said}"
            yield f"{name} at {v}", f"m = mux({streams}); r = m.{name}(H264, pts={v}); {said}"
            yield f"{name} to {v}", f"m = mux({streams}); r = m.{name}_to({v}, H264, pts=p(0)); {said}"
    for name, code in USES.items():
        yield "!" + name, code
