"""The RTSP client with a scripted server."""

from __future__ import annotations

import re
import socket
import threading
import time

from tstrans import rtp

from rtp_facts.common import said

# RTSP client


class Camera:
    """A scripted RTSP server: answers by method, and remembers what it was asked."""

    def __init__(self, sdp=None, answers=None, base=True, transport=None):
        self.asked = []
        self.answers = answers or {}
        self.sdp = (
            sdp
            if sdp is not None
            else "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n"
        )
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
    out = [
        c.url,
        int(c.transport_pref),
        c.rtcp,
        c.tls_root_certs_pem,
        c.keepalive,
        int(c.rtsp_version),
        c.auth.user,
    ]
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
    return [
        asked,
        connect(forced.url + "/x", transport_pref=rtp.TransportPref.UDP),
        t[0].replace(by_url.url, ""),
        t[1],
    ]


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

            def count(cam=cam):
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
        out = [
            said(s.pause),
            said(s.play),
            s.is_torn_down(),
            said(s.teardown),
            said(s.teardown),
            s.is_torn_down(),
        ]
        out.append(said(s.play))
    return [*out, [m for m, _, _ in cam.asked][4:]]


def rtsp17_goodbye():
    return played(Camera(), transport_pref=rtp.TransportPref.TCP)[-1][0]


def rtsp18_take():
    s = rtp.RtspClient.connect(
        rtp.RtspClientConfig(Camera().url + "/x", transport_pref=rtp.TransportPref.TCP)
    )
    out = [said(s.into_demux_receiver), said(s.into_demux_receiver), said(s.pause)]
    s.teardown()
    return out


def rtsp20_cancel():
    s = rtp.RtspClient.connect(
        rtp.RtspClientConfig(Camera().url + "/x", transport_pref=rtp.TransportPref.TCP)
    )
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
