"""Probes of tstrans.rtp: prints what each fact of the surface looks like on the interpreter that runs this.

Runs on any release of the package. Each probe is a function whose name begins with the number of its fact, and gives
something that JSON can say; an exception is given as its class and number.
"""

from __future__ import annotations

import base64
import contextlib
import inspect
import json
import re
import socket
import struct
import sys
import threading
import time

from tstrans import rtp
from tstrans.mpegts import DemuxEvent, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

TS = b"\x47\x01\x01\x10" + bytes(184)
NAL = bytes.fromhex("000000016742001e8d68500000000168ce38800000000165") + b"\x88" * 600
WAIT = 5.0


def said(call, *args, **kw):
    """What a call does: its result, or what it raises."""
    try:
        v = call(*args, **kw)
    except BaseException as e:  # a panic of another implementation is one too
        kind = getattr(e, "kind", None)
        return type(e).__name__ + ("" if kind is None else f"/{int(kind)}")
    return v if v is None or isinstance(v, (bool, int, str)) else type(v).__name__


def program():
    b = MuxerProgramConfigBuilder(1, 0x100)
    b.add_video(0x101, VideoCodec.H264)
    return b.build()


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(WAIT)
    return s


def free_port():
    with udp() as s:
        return s.getsockname()[1]


def in_time(call, end=None, seconds=WAIT):
    """What a call does in a thread of its own; "parked" when it does not return."""
    box = []
    t = threading.Thread(target=lambda: box.append(said(call)), daemon=True)
    t.start()
    if end is not None:
        t.join(0.2)
        box_end = said(end)
        if box_end is not None:
            return [box_end]
    t.join(seconds)
    return box[0] if box else "parked"


# rtp:// URLs


def rtp10_urls():
    p = free_port()
    return [
        said(rtp.Sender, u.format(p))
        for u in ("RTP://127.0.0.1:{}", "rtp://u:p@127.0.0.1:{}/path", "rtp://@127.0.0.1:{}", "rtp://[::1]:{}")
    ]


def rtp10_port_is_needed():
    return said(rtp.Sender, "rtp://127.0.0.1")


def rtp11_names():
    return [said(rtp.Sender, u) for u in ("rtp://localhost:5000", "rtp://example.com:5000", "rtp://:5000")]


def rtp12_keys():
    u = "rtp://127.0.0.1:5000?"
    good = ["ssrc=7", "ssrc=0xFF", "ttl=1", "ttl=255", "iface=127.0.0.1", "iface=what", "pkt_size=188"]
    bad = ["ssrc=x", "ssrc=4294967296", "ttl=0", "ttl=256", "pkt_size=100", "pkt_size=0", "pkt_size=70000", "what=1"]
    return [[said(rtp.Sender, u + k) for k in good], [said(rtp.Sender, u + k) for k in bad]]


def rtp13_receiver_keys():
    return [said(rtp.Receiver, "rtp://127.0.0.1:0?" + k) for k in ("recv_timeout=100", "rcvbuf=1M", "source=127.0.0.1")]


def rtp14_directions():
    s = [said(rtp.Sender, "rtp://127.0.0.1:5000?" + k) for k in ("rcvbuf=1M", "source=127.0.0.1", "pt=96")]
    r = [said(rtp.Receiver, "rtp://127.0.0.1:0?" + k) for k in ("sndbuf=1M", "pkt_size=188", "pt=96")]
    return [s, r]


def rtp15_faults():
    return [said(rtp.Sender, u) for u in ("udp://127.0.0.1:1", "", "rtp://127.0.0.1:99999", "rtp://[::1:5")]


def rtp16_interface():
    return [said(rtp.Receiver, f"rtp://{h}:0?iface={i}") for h, i in (("239.1.2.3", "lo"), ("127.0.0.1", "lo"))]


def rtp17_unbindable():
    return said(rtp.Receiver, "rtp://192.0.2.1:5000")


# Sender


def rtp25_default_size():
    with udp() as s:
        tx = rtp.Sender(f"rtp://127.0.0.1:{s.getsockname()[1]}")
        return [said(tx.send, bytes(1304)), said(tx.send, bytes(1305)), len(s.recv(2000)), said(tx.send, b"")]


def rtp26_size_of_the_url():
    with udp() as s:
        p = s.getsockname()[1]
        big = rtp.Sender(f"rtp://127.0.0.1:{p}?pkt_size=1504")
        small = rtp.Sender(f"rtp://127.0.0.1:{p}?pkt_size=376")
        return [said(big.send, bytes(1316)), said(small.send, bytes(376))]


def rtp27_size_of_the_keyword():
    tx = rtp.Sender(f"rtp://127.0.0.1:{free_port()}", pkt_size=0)
    return said(tx.send, b"")


def rtp28_ssrc():
    with udp() as s:
        u = f"rtp://127.0.0.1:{s.getsockname()[1]}"
        out = []
        for url, kw in ((u + "?ssrc=0x11", {"ssrc": 5}), (u, {"ssrc": 5})):
            rtp.Sender(url, **kw).send(TS)
            out.append(struct.unpack(">I", s.recv(2000)[8:12])[0])
        return [*out, said(rtp.Sender, u, ssrc=1 << 32), said(rtp.Sender, u, ssrc=-1)]


def rtp31_header():
    with udp() as s:
        tx = rtp.Sender(f"rtp://127.0.0.1:{s.getsockname()[1]}")
        heads = []
        for i in range(3):
            if i == 2:
                time.sleep(0.05)
            tx.send(TS)
            heads.append(struct.unpack(">BBHII", s.recv(2000)[:12]))
        steps = [(b[2] - a[2]) & 0xFFFF for a, b in zip(heads, heads[1:])]
        ticks = (heads[2][3] - heads[1][3]) & 0xFFFFFFFF
        return [heads[0][:2], steps, 4000 < ticks < 90000, heads[0][4] == heads[2][4]]


def rtp32_stats():
    with udp() as s:
        tx = rtp.Sender(f"rtp://127.0.0.1:{s.getsockname()[1]}")
        tx.send(TS)
        st = tx.stats()
        return [st.bytes_sent, st.packets_sent, st.bytes_received, st.packets_lost_send, st.rtt_us]


def rtp33_closed():
    tx = rtp.Sender("rtp://127.0.0.1:5000")
    tx.close()
    tx.close()
    return [said(tx.send, TS), said(tx.stats), said(tx.cancel_handle)]


def rtp34_cancelled():
    tx = rtp.Sender("rtp://127.0.0.1:5000")
    tx.cancel_handle().cancel()
    return said(tx.send, TS)


# Receiver


@contextlib.contextmanager
def receiver(query=""):
    p = free_port()
    with rtp.Receiver(f"rtp://127.0.0.1:{p}{query}") as rx, udp() as s:
        s.connect(("127.0.0.1", p))
        yield rx, s


def packet(payload, seq=1, pt=33, first=0x80, extra=b""):
    return struct.pack(">BBHII", first, pt, seq, 0, 1) + extra + payload


def rtp40_keyword():
    return said(rtp.Receiver, "rtp://127.0.0.1:0", pkt_size=1316)


def rtp42_headers():
    with receiver() as (rx, s):
        s.send(packet(TS, first=0x82, extra=bytes(8)))
        s.send(packet(TS, first=0x90, extra=b"\0\0\0\1abcd"))
        s.send(packet(TS + b"\0\0\0\4", first=0xA0))
        return [in_time(lambda: rx.recv() == TS) for _ in range(3)]


def rtp43_skipped():
    with receiver() as (rx, s):
        for b in (b"", b"\x80", packet(TS, first=0x40), packet(TS, pt=96), packet(TS * 2)):
            s.send(b)
        return in_time(lambda: len(rx.recv()))


def rtp44_payloads():
    with receiver() as (rx, s):
        for b in (b"abc", bytes(188), TS + b"x", TS + bytes(188), TS * 3):
            s.send(packet(b))
        return [in_time(lambda: len(rx.recv())) for _ in range(2)]


def rtp45_large():
    with receiver() as (rx, s):
        s.send(packet(TS * 340))
        return in_time(lambda: len(rx.recv()))


def rtp46_as_they_come():
    with receiver() as (rx, s):
        for n in (5, 3, 3, 9):
            s.send(packet(TS * (n % 4 + 1), n))
        return [in_time(lambda: len(rx.recv()) // 188) for _ in range(4)]


def rtp48_stats():
    with receiver() as (rx, s):
        s.send(packet(TS))
        rx.recv()
        st = rx.stats()
        return [st.bytes_received, st.packets_received, st.bytes_sent, st.packets_lost_recv]


def rtp49_cancel():
    rx = rtp.Receiver("rtp://127.0.0.1:0")
    h = rx.cancel_handle()
    return [in_time(rx.recv, h.cancel), in_time(rx.recv)]


def rtp50_close():
    rx = rtp.Receiver("rtp://127.0.0.1:0")
    first = in_time(rx.recv, rx.close, 1)
    rx.close() if first != ["RuntimeError"] else None
    return [first, said(rx.recv) if first != ["RuntimeError"] else None]


def rtp41_timeout():
    with receiver() as (rx, s):
        out = [said(rx.recv, timeout_ms=20), said(rx.recv, timeout_ms=0), said(rx.recv, timeout_ms=-1)]
        s.send(packet(TS))
        return [*out, said(lambda: len(rx.recv(timeout_ms=5000)))]


def rtp41_timeout_of_the_url():
    with receiver("?recv_timeout=20") as (rx, _):
        return in_time(rx.recv)


def rtp52_end():
    rx = rtp.Receiver("rtp://127.0.0.1:0")
    out = [said(rx.end_reason), said(rx.end_detail)]
    rx.close()
    return [*out, int(rx.end_reason()), rx.end_detail()]


# MuxSender, DemuxReceiver


def rtp61_names():
    has = [hasattr(rtp.MuxSender, n) for n in ("is_alive", "flush", "finish", "send_video", "push_video")]
    return [has, hasattr(rtp.DemuxReceiver, "cancel_handle")]


def rtp62_sizes():
    out = []
    for size in (1316, 1328, 400):
        with udp() as s:
            tx = rtp.MuxSender(f"rtp://127.0.0.1:{s.getsockname()[1]}", program(), pkt_size=size)
            push = getattr(tx, "push_video", None) or tx.send_video
            push(NAL + b"\x88" * 3000, pts=Pts90khz.from_raw(0), key_frame=True)
            b = s.recv(2000)
            out.append([len(b) - 12, b[1]])
    return out


def rtp64_closed():
    tx = rtp.MuxSender("rtp://127.0.0.1:5000", program())
    push = getattr(tx, "push_video", None) or tx.send_video
    out = [said(tx.video_handle), said(tx.klv_handle), [type(x).__name__ for x in tx.stats()]]
    tx.close()
    tx.close()
    return [*out, said(push, NAL, pts=Pts90khz.from_raw(0)), said(tx.stats), tx.video_handle()]


def rtp65_stats():
    rx = rtp.DemuxReceiver("rtp://127.0.0.1:0")
    out = [type(x).__name__ for x in rx.stats()]
    rx.close()
    return [*out, said(rx.stats), said(next, rx)]


def rtp66_close_elsewhere():
    rx = rtp.DemuxReceiver("rtp://127.0.0.1:0")
    return [in_time(lambda: next(rx), rx.close), in_time(lambda: next(rx))]


def rtp67_timeout():
    rx = rtp.DemuxReceiver("rtp://127.0.0.1:0?recv_timeout=20")
    return [in_time(lambda: next(rx)), in_time(lambda: next(rx))]


# H264Receiver


def rtp75_urls():
    listen = rtp.H264Receiver.listen
    return [said(listen, "rtp://127.0.0.1:0" + q) for q in ("?pt=96", "", "?pt=33", "?pt=0", "?pt=128")]


def rtp76_config():
    c = rtp.H264DepayConfig()
    out = [c.payload_type, int(c.parameter_set_injection == rtp.ParameterSetInjection.BEFORE_IDR)]
    out += [list(c.initial_parameter_sets), c.max_au_bytes, int(rtp.ParameterSetInjection.BEFORE_IDR)]
    out += [said(rtp.H264DepayConfig, max_au_bytes=0), said(rtp.H264DepayConfig, payload_type=200)]
    return [*out, said(rtp.H264DepayConfig, initial_parameter_sets=[b""])]


def h264(config=None):
    rx = rtp.H264Receiver.listen("rtp://127.0.0.1:0?pt=96", config)
    s = udp()
    host, port = rx.local_addr().rsplit(":", 1)
    s.connect((host, int(port)))

    def send(seq, ts, payload, marker=True, ssrc=1, pt=96):
        s.send(struct.pack(">BBHII", 0x80, pt | (0x80 if marker else 0), seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc) + payload)

    return rx, send


def unit(rx):
    u = rx.recv_au(timeout_ms=5000)
    return None if u is None else [u.annexb.hex(), u.pts, u.key_frame, u.rtp_timestamp]


def rtp77_timeout_and_cancel():
    rx, _ = h264()
    out = [said(rx.recv_au, timeout_ms=20)]
    rx.cancel_handle().cancel()
    out += [said(rx.recv_au, timeout_ms=20), [1 for _ in rx]]
    rx.close()
    return [*out, said(rx.recv_au), said(rx.local_addr), said(rx.depay_stats), said(rx.rtp_stats)]


def rtp78_packets():
    rx, send = h264()
    send(1, 1000, bytes.fromhex("65aabb"))
    send(2, 4000, bytes.fromhex("18 0003 67aabb 0002 68cc"), marker=False)
    send(3, 4000, bytes.fromhex("7c 85 0102"), marker=False)
    send(4, 4000, bytes.fromhex("7c 05 0304"), marker=False)
    send(5, 4000, bytes.fromhex("7c 45 0506"))
    send(6, 7000, bytes.fromhex("41dd"), marker=False)
    send(7, 10000, bytes.fromhex("41ee"))
    return [unit(rx) for _ in range(4)]


def rtp80_time():
    rx, send = h264()
    send(1, 0xFFFFF000, b"\x41\x01")
    send(2, 0x800, b"\x41\x02")
    send(3, 0x400, b"\x41\x03")
    send(9, 77, b"\x41\x04", ssrc=2)
    pts = [unit(rx)[1] for _ in range(4)]
    return [pts[:3], pts[3] - pts[2], rx.depay_stats().ssrc_changes]


def rtp82_sets():
    rx, send = h264(rtp.H264DepayConfig(initial_parameter_sets=[b"\x67\x01", b"\x68\x02"]))
    send(1, 0, b"\x65\x03")
    send(2, 3000, bytes.fromhex("18 0002 6709 0002 6808 0002 6505"))
    send(3, 6000, b"\x65\x06")
    out = [unit(rx)[0] for _ in range(3)]
    rx, send = h264(rtp.H264DepayConfig(parameter_set_injection=rtp.ParameterSetInjection.NONE))
    send(1, 0, bytes.fromhex("18 0002 6709 0002 6808"))
    send(2, 3000, b"\x65\x06")
    return [out, [unit(rx)[0] for _ in range(2)]]


def rtp83_gap():
    rx, send = h264()
    send(1, 0, b"\x65\x01")
    send(2, 3000, bytes.fromhex("7c 85 0102"), marker=False)
    send(4, 3000, bytes.fromhex("7c 45 0506"))
    send(5, 6000, b"\x41\x07")
    send(5, 6000, b"\x41\x07")
    send(6, 9000, b"\x41\x08")
    out = [unit(rx)[0] for _ in range(3)]
    d = rx.depay_stats()
    return [out, d.aus_emitted, d.aus_dropped, d.seq_gaps]


def rtp84_malformed():
    rx, send = h264()
    send(1, 0, b"\x65\x01", pt=97)
    send(1, 0, b"\x65\x01")
    unit(rx)
    return [rx.rtp_stats().malformed_packets, rx.rtp_stats().source_rejected, rx.socket_stats().packets_received > 0]


# RTSP client


class Camera:
    """A scripted RTSP server: answers by method, and remembers what it was asked."""

    def __init__(self, sdp=None, answers=None, base=True, transport=None):
        self.asked = []
        self.answers = answers or {}
        self.sdp = sdp if sdp is not None else "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n"
        self.base = base
        self.transport = transport
        self.s = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self.s.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        buf = b""
        counts = {}
        while True:
            while b"\r\n\r\n" not in buf:
                try:
                    d = c.recv(4096)
                except OSError:
                    return
                if not d:
                    return
                buf += d
            head, buf = buf.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            method, uri, _ = lines[0].split(" ")
            h = {k.strip().lower(): v.strip() for k, v in (x.split(":", 1) for x in lines[1:])}
            self.asked.append([method, uri, h])
            counts[method] = counts.get(method, 0) + 1
            status, extra, body = 200, "", ""
            if method == "DESCRIBE":
                body = self.sdp
                extra = "Content-Type: application/sdp\r\n"
            if method == "SETUP":
                t = h.get("transport", "")
                if "TCP" not in t:
                    t += ";server_port=6000-6001"
                extra = f"Session: 12345678;timeout=2\r\nTransport: {t}\r\n"
            a = self.answers.get(method)
            if callable(a):
                a = a(counts[method], h)
            if a == "silence":
                continue
            if a is not None:
                status, extra = a
                body = ""
            r = f"RTSP/1.0 {status} X\r\nCSeq: {h.get('cseq', '0')}\r\n{extra}"
            if body:
                r += f"Content-Length: {len(body)}\r\n"
            try:
                c.sendall((r + "\r\n" + body).encode())
            except OSError:
                return


def connect(url, call="connect", **kw):
    return said(getattr(rtp.RtspClient, call), rtp.RtspClientConfig(url, **kw))


def played(cam, path="/cam", **kw):
    with rtp.RtspClient.connect(rtp.RtspClientConfig(cam.url + path, **kw)):
        pass
    return [[m, u.replace(cam.url, "")] for m, u, _ in cam.asked]


def rtsp1_config():
    c = rtp.RtspClientConfig("nonsense", auth=rtp.BasicAuth("user", "sesame"))
    out = [c.url, int(c.transport_pref), c.rtcp, c.tls_root_certs_pem, c.keepalive, int(c.rtsp_version), c.auth.user]
    return [*out, "sesame" in repr(c), "sesame" in repr(c.auth), hasattr(c.auth, "password"), c.auth.realm]


def rtsp2_numbers():
    t, v, d = rtp.TransportPref, rtp.RtspVersion, rtp.DigestAlgorithm
    return [int(x) for x in (t.AUTO, t.UDP, t.TCP, v.V1_0, v.V2_0, d.MD5, d.SHA256)]


def rtsp3_urls():
    return [connect(u) for u in ("http://127.0.0.1/x", "rtsp://127.0.0.1:1/x?transport=what", "nonsense")]


def rtsp4_connect():
    return [connect("rtsp://127.0.0.1:1/x"), connect("rtsp://no.such.host.invalid/x")]


def rtsp5_order():
    cam = Camera()
    asked = played(cam, transport_pref=rtp.TransportPref.TCP)
    d = next(h for m, _, h in cam.asked if m == "DESCRIBE")
    p = next(h for m, _, h in cam.asked if m == "PLAY")
    return [asked, d.get("accept"), p.get("range"), p.get("session")]


def rtsp6_transport():
    cam = Camera()
    played(cam, transport_pref=rtp.TransportPref.UDP)
    t = next(h for m, _, h in cam.asked if m == "SETUP")["transport"]
    a, b = map(int, re.search(r"client_port=(\d+)-(\d+)", t).groups())
    cam = Camera()
    played(cam, transport_pref=rtp.TransportPref.TCP)
    u = next(h for m, _, h in cam.asked if m == "SETUP")["transport"]
    return [t.split(";")[:2], a % 2, b - a, u]


def rtsp7_fallback():
    cam = Camera(answers={"SETUP": lambda n, h: (461, "") if "TCP" not in h["transport"] else None})
    asked = [m for m, _ in played(cam)]
    forced = Camera(answers={"SETUP": (461, "")})
    by_url = Camera()
    played(by_url, "/cam?transport=tcp")
    t = next([u, h["transport"]] for m, u, h in by_url.asked if m == "SETUP")
    return [asked, connect(forced.url + "/x", transport_pref=rtp.TransportPref.UDP), t[0].replace(by_url.url, ""), t[1]]


def rtsp8_refused():
    out = []
    for sdp in ("v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n", "", "nonsense"):
        out.append(connect(Camera(sdp=sdp).url + "/x", transport_pref=rtp.TransportPref.TCP))
    for code in (404, 302, 500, 503):
        cam = Camera(answers={"DESCRIBE": (code, "Location: rtsp://127.0.0.1:1/\r\n")})
        out.append(connect(cam.url + "/x", transport_pref=rtp.TransportPref.TCP))
    return out


def rtsp13_keep_alive():
    out = []
    for alive in (True, False):
        cam = Camera()
        with rtp.RtspClient.connect(
            rtp.RtspClientConfig(cam.url + "/x", keepalive=alive, transport_pref=rtp.TransportPref.TCP)
        ):
            end = time.monotonic() + 2.6
            def count():
                return sum(m in ("OPTIONS", "GET_PARAMETER") for m, _, _ in list(cam.asked)) - 1
            while time.monotonic() < end and (not alive or count() < 2):
                time.sleep(0.02)
            out.append(min(count(), 2))
    return out


def rtsp16_states():
    cam = Camera()
    with rtp.RtspClient.connect(
        rtp.RtspClientConfig(cam.url + "/x", transport_pref=rtp.TransportPref.TCP)
    ) as s:
        out = [said(s.pause), said(s.play), s.is_torn_down(), said(s.teardown), said(s.teardown), s.is_torn_down()]
        out.append(said(s.play))
    return [*out, [m for m, _, _ in cam.asked][4:]]


def rtsp17_goodbye():
    return played(Camera(), transport_pref=rtp.TransportPref.TCP)[-1][0]


def rtsp18_take():
    s = rtp.RtspClient.connect(rtp.RtspClientConfig(Camera().url + "/x", transport_pref=rtp.TransportPref.TCP))
    out = [said(s.into_demux_receiver), said(s.into_demux_receiver), said(s.pause)]
    s.teardown()
    return out


def rtsp20_cancel():
    s = rtp.RtspClient.connect(rtp.RtspClientConfig(Camera().url + "/x", transport_pref=rtp.TransportPref.TCP))
    h = s.cancel_handle()
    was = getattr(h, "is_cancelled", None) or h.is_canceled
    before = was()
    h.cancel()
    return [before, was(), said(s.play)]


SDP_H264 = (
    "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAHo1oUA==,aM44gA==\r\na=control:track1\r\n"
)


def rtsp21_h264():
    tcp = rtp.TransportPref.TCP
    out = [connect(Camera(sdp=SDP_H264).url + "/x", "connect_h264", transport_pref=tcp)]
    out.append(connect(Camera().url + "/x", "connect_h264", transport_pref=tcp))
    s = rtp.RtspClient.connect_h264(rtp.RtspClientConfig(Camera(sdp=SDP_H264).url + "/x", transport_pref=tcp))
    out += [said(s.into_demux_receiver), said(s.into_h264_receiver), said(s.into_h264_receiver)]
    s.teardown()
    return out


def rtsp10_authentication():
    cam = Camera(answers={"DESCRIBE": (401, 'WWW-Authenticate: Basic realm="r"\r\n')})
    out = [connect(cam.url + "/x"), connect(cam.url + "/x", auth=rtp.BasicAuth("u", "p"))]
    out.append([h.get("authorization") for m, _, h in cam.asked if m == "DESCRIBE"])
    return out


def rtsp23_auth():
    b = rtp.BasicAuth("u", "p", realm="r")
    d = rtp.DigestAuth("u", "p")
    return [b.user, b.realm, d.user, int(d.algorithm), d.realm, said(lambda: b.password)]


# RTSP server


def rtsp40_config():
    c = rtp.RtspServerConfig()
    names = ["bind_addr", "auth", "max_sessions", "session_timeout_secs", "fanout_capacity", "graceful_shutdown_drain_ms"]
    return [getattr(c, n) for n in names]


def rtsp41_checks():
    c = rtp.RtspServerConfig
    bad = [{"max_sessions": 0}, {"session_timeout_secs": 0}, {"fanout_capacity": 0}, {"graceful_shutdown_drain_ms": -1}]
    return [said(lambda k=k: c(**k)) for k in bad] + [said(setattr, c(), "max_sessions", 1)]


def started(**kw):
    kw.setdefault("bind_addr", "127.0.0.1:0")
    return rtp.RtspServer.start(rtp.RtspServerConfig(**kw))


def rtsp42_auth():
    return [said(lambda a=a: started(auth=a)) for a in ("x", rtp.BasicAuth("u", "p"), rtp.DigestAuth("u", "p"))]


def rtsp43_bind():
    out = []
    for a in ("127.0.0.1:0", "rtsp://127.0.0.1:0", "[::1]:0", "localhost:0", "127.0.0.1:99999", ""):
        out.append(said(lambda a=a: started(bind_addr=a)))
    return out


def rtsp46_address():
    s = started()
    a = s.local_addr()
    s.stop(drain_ms=0)
    return [a.startswith("127.0.0.1:"), s.local_addr() == a, said(s.add_unicast_mount, "/x", program())]


def rtsp47_mounts():
    with started() as s:
        out = [said(s.add_unicast_mount, p, program()) for p in ("/", "/a/b", "/tr/", "//x", "x", "", "/x?y", "/a/b")]
        s.stop(drain_ms=0)
    return out


def rtsp48_multicast():
    with started() as s:
        out = []
        for g, port, kw in (
            ("239.3.2.1", 5001, {}),
            ("239.3.2.1", 5000, {"iface": "what"}),
            ("10.0.0.1", 5000, {}),
            ("x", 5000, {}),
            ("239.3.2.1", 5000, {"ttl": 0}),
            ("239.3.2.1", 5000, {"ttl": 300}),
        ):
            out.append(said(lambda g=g, port=port, kw=kw, n=len(out): s.add_multicast_mount(f"/{n}", g, port, program_config=program(), **kw)))
        s.stop(drain_ms=0)
    return out


def rtsp51_stats():
    with started() as s:
        s.add_unicast_mount("/x", program())
        st = s.stats()
        out = [st.active_sessions, st.mounts, st.total_rtp_bytes_sent, st.total_rtp_packets_sent]
        s.stop(drain_ms=0)
        return out


def rtsp55_mount():
    with started() as s:
        m = s.add_unicast_mount("/x", program())
        out = [m.mount_path(), m.mount_kind(), m.peer_count(), said(m.video_handle), said(m.klv_handle), len(m.video_handles())]
        out += [said(m.push_video, NAL, pts=Pts90khz.from_raw(0), key_frame=True), said(m.flush)]
        st = m.stats()
        out += [st.bytes_pushed % 188, st.packets_pushed > 0, st.peer_count, st.frames_dropped_total]
        m.reset_stats()
        out += [m.stats().bytes_pushed, said(m.push_klv, b"\0" * 30, pts=Pts90khz.from_raw(0))]
        out += [hasattr(m, "close"), hasattr(m, "__enter__")]
        s.stop(drain_ms=0)
        return [*out, said(m.push_video, NAL, pts=Pts90khz.from_raw(9000), key_frame=True)]


class Raw:
    """A client that says what it is told."""

    def __init__(self, server):
        host, port = server.local_addr().rsplit(":", 1)
        self.base = f"rtsp://{server.local_addr()}"
        self.s = socket.create_connection((host, int(port)))
        self.s.settimeout(WAIT)
        self.buf = b""
        self.n = 0

    def line(self, sep=b"\r\n\r\n"):
        while True:
            while self.buf[:1] == b"$" and len(self.buf) >= 4 and len(self.buf) >= 4 + int.from_bytes(self.buf[2:4], "big"):
                self.buf = self.buf[4 + int.from_bytes(self.buf[2:4], "big") :]
            if self.buf[:1] not in (b"$", b"") and sep in self.buf:
                head, self.buf = self.buf.split(sep, 1)
                return head
            d = self.s.recv(65536)
            if not d:
                raise EOFError
            self.buf += d

    def ask(self, method, path="", **h):
        self.n += 1
        uri = "*" if path == "*" else self.base + path
        lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {self.n}"] + [f"{k.replace('_', '-')}: {v}" for k, v in h.items()]
        try:
            self.s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = self.line().decode().split("\r\n")
        except TimeoutError:
            return "silence", {}, ""
        except (OSError, EOFError):
            return "closed", {}, ""
        got = {k.strip().lower(): v.strip() for k, v in (x.split(":", 1) for x in head[1:])}
        n = int(got.get("content-length", 0))
        while len(self.buf) < n:
            self.buf += self.s.recv(65536)
        body, self.buf = self.buf[:n].decode(), self.buf[n:]
        return int(head[0].split(" ")[1]), got, body


@contextlib.contextmanager
def live(**kw):
    s = started(**kw)
    m = s.add_unicast_mount("/live", program())
    stop = threading.Event()

    def run():
        i = 0
        while not stop.wait(0.01):
            m.push_video(NAL, pts=Pts90khz.from_raw(900 * i), key_frame=True)
            i += 1

    t = threading.Thread(target=run, daemon=True)
    t.start()
    try:
        yield s
    finally:
        stop.set()
        t.join(5)
        s.stop(drain_ms=0)


TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def rtsp70_options():
    with live() as s:
        r = Raw(s)
        status, h, _ = r.ask("OPTIONS", "/live")
        want = {"OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"}
        return [status, want <= {x.strip() for x in h["public"].split(",")}, h["cseq"], r.ask("OPTIONS", "*")[0]]


def rtsp71_unknown_method():
    with live() as s:
        r = Raw(s)
        r.s.settimeout(2)
        return [r.ask("WHAT", "/live")[0], r.ask("OPTIONS", "/live")[0]]


def rtsp71_without_session():
    with live() as s:
        r = Raw(s)
        return [r.ask("PLAY", "/live")[0], r.ask("TEARDOWN", "/live")[0]]


def rtsp72_describe():
    with live() as s:
        r = Raw(s)
        status, h, sdp = r.ask("DESCRIBE", "/live", Accept="application/x")
        lines = sdp.split("\r\n")
        out = [status, h.get("content-type"), "c=IN IP4 127.0.0.1" in lines, "a=control:trackID=0" in lines]
        out += [[x for x in lines if x.startswith("m=")], "content-base" in h, "a=control:*" in lines]
        return [*out, r.ask("DESCRIBE", "/none")[0], r.ask("DESCRIBE", "/live/")[0]]


def rtsp73_setup():
    with live() as s:
        out = []
        for path, h in (
            ("/live", {"Transport": TCP}),
            ("/live/trackID=0", {"Transport": TCP}),
            ("/live/trackID=7", {"Transport": TCP}),
            ("/live", {}),
            ("/live", {"Transport": "RAW/RAW/UDP;unicast"}),
            ("/none", {"Transport": TCP}),
        ):
            status, got, _ = Raw(s).ask("SETUP", path, **h)
            out.append([status, bool(re.fullmatch(r"[0-9a-f]{16};timeout=60", got.get("session", "").replace(" ", ""), re.I))])
        return out


def rtsp75_udp():
    with live() as s:
        r = Raw(s)
        t = r.ask("SETUP", "/live", Transport="RTP/AVP;unicast;client_port=40000-40001")[1]["transport"]
        a, b = map(int, re.search(r"server_port=(\d+)-(\d+)", t).groups())
        return ["client_port=40000-40001" in t, a % 2, b - a]


def rtsp77_play():
    with live() as s:
        r = Raw(s)
        r.ask("SETUP", "/live", Transport=TCP)
        first, h, _ = r.ask("PLAY", "/live", Session="0000000000000000")
        again = r.ask("PLAY", "/live", Session="0000000000000000")[0]
        return [first, "rtp-info" in h, again]


def rtsp59_packets():
    with live() as s:
        r = Raw(s)
        r.ask("SETUP", "/live", Transport=TCP)
        r.ask("PLAY", "/live")
        frames = []
        while len(frames) < 3:
            while len(r.buf) < 4 or len(r.buf) < 4 + int.from_bytes(r.buf[2:4], "big"):
                r.buf += r.s.recv(65536)
            n = int.from_bytes(r.buf[2:4], "big")
            if r.buf[1] % 2 == 0:
                frames.append(r.buf[4 : 4 + n])
            r.buf = r.buf[4 + n :]
        return [frames[0][0], frames[0][1] & 0x7F, (len(frames[0]) - 12) % 188, frames[0][12]]


def rtsp76_multicast():
    with live() as s:
        s.add_multicast_mount("/mc", "239.3.2.1", 5000, program_config=program())
        r = Raw(s)
        a = r.ask("SETUP", "/mc", Transport="RTP/AVP;unicast;client_port=40000-40001")
        b = Raw(s).ask("SETUP", "/mc", Transport=TCP)[0]
        t = a[1].get("transport", "").split(";")
        return [a[0], "multicast" in t, "destination=239.3.2.1" in t, "port=5000-5001" in t, "ttl=1" in t, b]


def rtsp78_teardown():
    with live() as s:
        r = Raw(s)
        r.ask("SETUP", "/live", Transport=TCP)
        return [r.ask("TEARDOWN", "/live")[0], r.ask("OPTIONS", "/live")[0]]


def rtsp79_max_sessions():
    with live(max_sessions=1) as s:
        r = Raw(s)
        return [r.ask("OPTIONS", "/live")[0], Raw(s).ask("OPTIONS", "/live")[0]]


def rtsp80_reaping():
    with live(session_timeout_secs=1) as s:
        r = Raw(s)
        r.ask("SETUP", "/live", Transport=TCP)
        begun = time.monotonic()
        r.s.settimeout(6)
        try:
            end = r.s.recv(100) == b""
        except OSError as e:
            end = not isinstance(e, TimeoutError)
        return [end, 1.5 < time.monotonic() - begun < 5]


def rtsp81_challenges():
    out = []
    for auth in (rtp.BasicAuth("u", "p", realm="r"), rtp.DigestAuth("u", "p", rtp.DigestAlgorithm.SHA256, realm="r")):
        with live(auth=auth) as s:
            r = Raw(s)
            basic = "Basic " + base64.b64encode(b"u:p").decode()
            o = [r.ask("OPTIONS", "/live")[0], *(r.ask(m, "/live", Transport=TCP)[0] for m in ("DESCRIBE", "SETUP", "PLAY"))]
            c = r.ask("DESCRIBE", "/live")[1]["www-authenticate"]
            c = re.sub(r'nonce="[0-9a-f]{32}"', 'nonce="N"', c)
            out.append([o, sorted(x.strip() for x in c.replace("Digest ", "Digest,").replace("Basic ", "Basic,").split(",")), r.ask("DESCRIBE", "/live", Authorization=basic)[0]])
    return out


def rtsp49_stop():
    with live() as s:
        r = Raw(s)
        r.ask("SETUP", "/live", Transport=TCP)
        box = []
        t = threading.Thread(target=lambda: box.append(said(lambda: s.stop(drain_ms=200))), daemon=True)
        t.start()
        head = r.line().decode()
        t.join(10)
        return [head.split(" ")[0], "Notice: 5402" in head, "session:" in head.lower(), box, said(s.stop)]


def rtsp50_cancel():
    s = started()
    h = s.cancel_handle()
    out = [h.is_cancelled()]
    h.cancel()
    return [*out, h.is_cancelled()]


def rtsp90_publish_mounts():
    with started() as s:
        out = [said(s.add_publish_mount, "/in"), said(s.add_publish_mount, "/in"), said(s.remove_mount, "/none")]
        out += [said(s.next_publisher, timeout=0.01), said(s.next_publisher, timeout=-1), said(s.remove_mount, "/in")]
        s.stop(drain_ms=0)
        return [*out, said(s.next_publisher, timeout=1)]


def rtsp91_announce():
    sdp = "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:t\r\n"
    audio = sdp.replace("video 0 RTP/AVP 33", "audio 0 RTP/AVP 0")
    out = []

    def announce(r, path, body, kind="application/sdp"):
        r.n += 1
        head = f"ANNOUNCE {r.base}{path} RTSP/1.0\r\nCSeq: {r.n}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        r.s.sendall((head + body).encode())
        return int(r.line().decode().split(" ")[1])

    with live() as s:
        s.add_publish_mount("/in")
        out.append(Raw(s).ask("RECORD", "/in")[0])
        for path, body, kind in (("/in", sdp, "text/plain"), ("/in", audio, "application/sdp"), ("/none", sdp, "application/sdp"), ("/live", sdp, "application/sdp")):
            out.append(announce(Raw(s), path, body, kind))
        r = Raw(s)
        out.append(announce(r, "/in", sdp))
        out.append(r.ask("SETUP", "/in/t", Transport=TCP + ";mode=record")[0])
        out.append(r.ask("RECORD", "/in")[0])
        out.append(announce(Raw(s), "/in", sdp))
    return out


def rtsp93_idle():
    with started() as s:
        m = s.add_publish_mount("/in")
        st = m.stats()
        out = [m.mount_path(), m.peer_count(), m.generation(), m.publisher(), int(st.alignment), st.rtp_packets_received]
        out += [said(m.into_demux_receiver), said(m.into_demux_receiver), said(m.cancel)]
        s.stop(drain_ms=0)
        return out


def rtsp97_numbers():
    a, p, e = rtp.ClockAlignment, rtp.PublishShape, rtp.StreamEndReason
    return [[int(x) for x in a], [int(x) for x in p], sorted(int(x) for x in e)]


def rtsp65_play():
    """A whole stream by both transports, with this release's own server."""
    out = []
    with live() as s:
        for pref in (rtp.TransportPref.UDP, rtp.TransportPref.TCP):
            with rtp.RtspClient.connect(rtp.RtspClientConfig(f"rtsp://{s.local_addr()}/live", transport_pref=pref)) as c:
                rx = c.into_demux_receiver()
                n = 0
                for e in rx:
                    if isinstance(e, DemuxEvent.Video):
                        n += 1
                        if n == 3:
                            break
                out.append(n)
    return out


def rtp3_constructors():
    return [said(c) for c in (rtp.RtspServer, rtp.RtspSession, rtp.SocketStats, rtp.ServerStats, rtp.RtspClient)]


def main():
    chosen = sys.argv[1:]
    for name, f in list(globals().items()):
        if re.match(r"rts?p\d", name) and inspect.isfunction(f) and (not chosen or name in chosen):
            v = in_time(lambda f=f, box=(box := []): box.append(f()), seconds=20)
            print(json.dumps([name, box[0] if box else v]), flush=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    import os

    os._exit(0)
