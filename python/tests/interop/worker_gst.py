"""Run under a Python with GStreamer's bindings: what tsdemux makes of transport streams, a JSON line a file.

usage: python worker_gst.py FILE...
"""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstMpegts", "1.0")
from gi.repository import Gst, GstMpegts  # noqa: E402


def ticks(ns):
    return None if ns == Gst.CLOCK_TIME_NONE else round(ns * 9 / 100_000)


def read(path):
    pipeline = Gst.parse_launch("filesrc name=f ! tsdemux name=d")
    pipeline.get_by_name("f").set_property("location", path)
    streams, samples, caps = {}, {}, {}

    def added(_, pad):
        pid = int(pad.get_name().rsplit("_", 1)[1], 16)
        got = samples.setdefault(pid, [])
        caps[pid] = pad.get_current_caps().to_string()
        sink = Gst.ElementFactory.make("fakesink")
        for name, value in (("sync", False), ("async", False), ("signal-handoffs", True)):
            sink.set_property(name, value)

        def take(_, buffer, __):
            data = buffer.extract_dup(0, buffer.get_size())
            got.append([ticks(buffer.pts), ticks(buffer.dts), bytes(data).hex()])

        sink.connect("handoff", take)
        pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    pipeline.get_by_name("d").connect("pad-added", added)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    error = None
    while True:
        message = bus.timed_pop(20 * Gst.SECOND)
        if message is None or message.type == Gst.MessageType.EOS:
            error = None if message else "no end after 20 s"
            break
        if message.type == Gst.MessageType.ERROR:
            error = message.parse_error()[0].message
            break
        if message.type == Gst.MessageType.ELEMENT:
            section = GstMpegts.message_parse_mpegts_section(message)
            if section is not None and section.section_type == GstMpegts.SectionType.PMT:
                for s in section.get_pmt().streams:
                    tags = [[d.tag, d.length] for d in s.descriptors]
                    streams[s.pid] = {"type": s.stream_type, "descriptors": tags}
    pipeline.set_state(Gst.State.NULL)
    return {"file": path, "streams": streams, "samples": samples, "caps": caps, "error": error}


Gst.init(None)
GstMpegts.initialize()
for name in sys.argv[1:]:
    print(json.dumps(read(name)), flush=True)
