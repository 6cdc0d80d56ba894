"""A webrtcbin of GStreamer as a peer, driven over stdin and stdout by JSON lines as webrtc_other.py is.

    /usr/bin/python3 webrtcbin_peer.py offer|answer vp8|h264 [SECONDS]

It sends a tone and a moving picture, echoes data messages and counts the sound and pictures it decodes; the
last line it prints is what it saw.
"""

import json
import re
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay name=vpay",
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! "
    "video/x-h264,profile=constrained-baseline ! rtph264pay name=vpay config-interval=-1 "
    "aggregate-mode=zero-latency",
}


class Peer:
    def __init__(self, role, codec, seconds):
        self.role, self.codec, self.seconds = role, codec, seconds
        self.seen = {"audio": 0, "video": 0, "messages": [], "states": [], "size": None}
        self.candidates = []
        self.said = False
        self.channels = []
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new(None)
        self.bin = Gst.ElementFactory.make("webrtcbin", "peer")
        self.bin.set_property("bundle-policy", "max-bundle")
        self.pipeline.add(self.bin)
        self.bin.connect("pad-added", self.pad_added)
        self.bin.connect("on-data-channel", lambda _, c: self.serve(c))
        self.bin.connect("on-ice-candidate", lambda _, line, c: self.candidates.append((line, c)))
        self.bin.connect("notify::ice-gathering-state", lambda *_: GLib.idle_add(self.gathered))
        self.bin.connect("notify::connection-state", lambda *_: GLib.idle_add(self.state))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, m: self.fail(str(m.parse_error())))

    def fail(self, text):
        print(json.dumps({"error": text}), flush=True)
        self.loop.quit()

    def send(self, pts):
        caps = "application/x-rtp,media={},clock-rate={},encoding-name={},payload={}"
        for description, name, media, encoding, rate in (
            (
                "audiotestsrc is-live=1 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay name=apay",
                "apay",
                "audio",
                "OPUS",
                48000,
            ),
            (
                "videotestsrc is-live=1 pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! "
                f"videoconvert ! queue ! {ENCODERS[self.codec]}",
                "vpay",
                "video",
                self.codec.upper(),
                90000,
            ),
        ):
            chain = Gst.parse_bin_from_description(
                f"{description} pt={pts[media]} ! {caps.format(media, rate, encoding, pts[media])} ! "
                f"queue name=last-{name}",
                False,
            )
            chain.add_pad(Gst.GhostPad.new("src", chain.get_by_name(f"last-{name}").get_static_pad("src")))
            self.pipeline.add(chain)
            chain.get_static_pad("src").link(self.bin.request_pad_simple("sink_%u"))
            chain.sync_state_with_parent()

    def pad_added(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        decoder = Gst.ElementFactory.make("decodebin", None)
        decoder.connect("pad-added", self.decoded)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def decoded(self, _, pad):
        s = pad.get_current_caps().get_structure(0)
        kind = "video" if s.get_name().startswith("video") else "audio"
        if kind == "video":
            self.seen["size"] = [s.get_int("width")[1], s.get_int("height")[1]]
        sink = Gst.ElementFactory.make("fakesink", None)
        sink.set_property("sync", False)
        sink.set_property("async", False)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

        def count(*_):
            self.seen[kind] += 1
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER, count)

    def serve(self, channel):
        self.channels.append(channel)

        def message(c, text):
            self.seen["messages"].append(text)
            if not text.startswith("echo "):
                c.emit("send-string", "echo " + text)

        channel.connect("on-message-string", message)

    def state(self):
        name = self.bin.get_property("connection-state").value_nick
        self.seen["states"].append(name)
        if name == "connected":
            self.latest = time.monotonic() + self.seconds + 25
            GLib.timeout_add(int(self.seconds * 1000), self.finish)

    def gathered(self):
        if self.bin.get_property("ice-gathering-state").value_nick != "complete" or self.said:
            return
        self.said = True
        text = self.bin.get_property("local-description").sdp.as_text()
        if "a=candidate:" not in text:
            head, *sections = re.split(r"(?m)^(?=m=)", text)
            lines = [[c for at, c in self.candidates if at in (i, 0)] for i in range(len(sections))]
            text = head + "".join(
                s + "".join(f"a={c}\r\n" for c in cs) for s, cs in zip(sections, lines, strict=True)
            )
        print(json.dumps({"sdp": text, "type": self.role}), flush=True)
        if self.role == "offer":
            threading.Thread(target=self.read_answer, daemon=True).start()

    def read_answer(self):
        GLib.idle_add(self.remote, json.loads(sys.stdin.readline()))

    def remote(self, d):
        _, message = GstSdp.SDPMessage.new_from_text(d["sdp"])
        kind = GstWebRTC.WebRTCSDPType.OFFER if d["type"] == "offer" else GstWebRTC.WebRTCSDPType.ANSWER
        done = Gst.Promise.new_with_change_func(self.remote_set, None, None)
        self.bin.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message), done)

    def remote_set(self, *_):
        if self.role == "answer":
            self.create("create-answer", "answer")

    def create(self, signal, field):
        def made(promise, *_):
            reply = promise.get_reply()  # it owns the description
            description = reply.get_value(field)
            self.bin.emit("set-local-description", description, Gst.Promise.new())

        self.bin.emit(signal, None, Gst.Promise.new_with_change_func(made, None, None))

    def run(self):
        self.pipeline.set_state(Gst.State.READY)
        if self.role == "offer":
            channel = self.bin.emit("create-data-channel", "chat", None)
            self.serve(channel)
            channel.connect("on-open", lambda c: c.emit("send-string", "hello from webrtcbin"))
            self.send({"audio": 96, "video": 97})
            self.pipeline.set_state(Gst.State.PLAYING)
            self.create("create-offer", "offer")
        else:
            d = json.loads(sys.stdin.readline())
            found = dict(reversed(re.findall(r"(?m)^a=rtpmap:(\d+) (\w+)/", d["sdp"])))
            by_name = {v.lower(): int(k) for k, v in found.items()}
            self.send({"audio": by_name["opus"], "video": by_name[self.codec]})
            self.pipeline.set_state(Gst.State.PLAYING)
            self.remote(d)
        GLib.timeout_add_seconds(40, self.fail, "no connection within 40 s")
        self.loop.run()

    def finish(self):
        """Say what was seen, once that is enough: a busy machine takes longer for it."""
        enough = self.seen["audio"] > 50 and self.seen["video"] > 25 and self.seen["messages"]
        if not enough and time.monotonic() < self.latest:
            GLib.timeout_add(50, self.finish)
            return
        print(json.dumps(self.seen), flush=True)

        def end():
            sys.stdin.readline()
            GLib.idle_add(self.loop.quit)

        threading.Thread(target=end, daemon=True).start()


Gst.init(None)
peer = Peer(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 2.0)
peer.run()
peer.pipeline.set_state(Gst.State.NULL)
