"""The RTSP server on the wire."""

from __future__ import annotations

import base64
import re
import threading
import time

from tstrans import rtp
from tstrans.mpegts import DemuxEvent

from rtp_facts.common import program, said
from rtp_facts.speak import TCP, Raw, live, started


def rtsp70_options():
    with live() as s:
        r = Raw(s)
        status, h, _ = r.ask("OPTIONS", "/live")
        want = {"OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"}
        return [
            status,
            want <= {x.strip() for x in h["public"].split(",")},
            h["cseq"],
            r.ask("OPTIONS", "*")[0],
        ]


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
            out.append(
                [
                    status,
                    bool(
                        re.fullmatch(
                            r"[0-9a-f]{16};timeout=60", got.get("session", "").replace(" ", ""), re.I
                        )
                    ),
                ]
            )
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
    for auth in (
        rtp.BasicAuth("u", "p", realm="r"),
        rtp.DigestAuth("u", "p", rtp.DigestAlgorithm.SHA256, realm="r"),
    ):
        with live(auth=auth) as s:
            r = Raw(s)
            basic = "Basic " + base64.b64encode(b"u:p").decode()
            o = [
                r.ask("OPTIONS", "/live")[0],
                *(r.ask(m, "/live", Transport=TCP)[0] for m in ("DESCRIBE", "SETUP")),
            ]
            c = r.ask("DESCRIBE", "/live")[1]["www-authenticate"]
            c = re.sub(r'nonce="[0-9a-f]{32}"', 'nonce="N"', c)
            out.append(
                [
                    o,
                    sorted(
                        x.strip()
                        for x in c.replace("Digest ", "Digest,").replace("Basic ", "Basic,").split(",")
                    ),
                    r.ask("DESCRIBE", "/live", Authorization=basic)[0],
                ]
            )
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
        out = [
            said(s.add_publish_mount, "/in"),
            said(s.add_publish_mount, "/in"),
            said(s.remove_mount, "/none"),
        ]
        out += [
            said(s.next_publisher, timeout=0.01),
            said(s.next_publisher, timeout=-1),
            said(s.remove_mount, "/in"),
        ]
        s.stop(drain_ms=0)
        return [*out, said(s.next_publisher, timeout=1)]


def rtsp91_announce():
    sdp = "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:t\r\n"
    audio = sdp.replace("video 0 RTP/AVP 33", "audio 0 RTP/AVP 0")
    out = []

    def announce(r, path, body, kind="application/sdp"):
        r.n += 1
        head = f"ANNOUNCE {r.base}{path} RTSP/1.0\r\nCSeq: {r.n}\r\nContent-Type: {kind}\r\n"
        r.s.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return int(r.line().decode().split(" ")[1])

    with live() as s:
        s.add_publish_mount("/in")
        out.append(Raw(s).ask("RECORD", "/in")[0])
        for path, body, kind in (
            ("/in", sdp, "text/plain"),
            ("/in", audio, "application/sdp"),
            ("/none", sdp, "application/sdp"),
            ("/live", sdp, "application/sdp"),
        ):
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
        out = [
            m.mount_path(),
            m.peer_count(),
            m.generation(),
            m.publisher(),
            int(st.alignment),
            st.rtp_packets_received,
        ]
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
            with rtp.RtspClient.connect(
                rtp.RtspClientConfig(f"rtsp://{s.local_addr()}/live", transport_pref=pref)
            ) as c:
                rx = c.into_demux_receiver()
                n = 0
                for e in rx:
                    if isinstance(e, DemuxEvent.Video):
                        n += 1
                        if n == 3:
                            break
                out.append(n)
    return out
