"""What the methods say to arguments that are none, and after their object has ended."""

from __future__ import annotations

from tstrans import rtp
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

from rtp_facts.common import NAL, program, said, udp
from rtp_facts.speak import started

URL = "rtsp://127.0.0.1:1/x"


def classes():
    return (
        rtp.RtspClientConfig,
        rtp.BasicAuth,
        rtp.DigestAuth,
        rtp.RtspServerConfig,
        rtp.Sender,
        rtp.MountHandle,
    )


def rtp3_modules():
    return [c.__module__ for c in classes()]


def rtsp1_bad_config():
    c = rtp.RtspClientConfig
    calls = [
        lambda: c(),
        lambda: c(None),
        lambda: c(b"rtsp://x/"),
        lambda: c(""),
        lambda: c(URL, None),
        lambda: c(URL, transport_pref=1),
        lambda: c(URL, transport_pref="tcp"),
        lambda: c(URL, auth="user"),
        lambda: c(URL, auth=("user", "password")),
        lambda: c(URL, rtcp=None),
        lambda: c(URL, rtcp=1),
        lambda: c(URL, keepalive=30),
        lambda: c(URL, tls_root_certs_pem="text"),
        lambda: c(URL, rtsp_version=1),
        lambda: c(URL, timeout=1),
    ]
    return [said(f) for f in calls]


def rtsp3_bad_urls():
    urls = (
        "http://127.0.0.1:1/x",
        "junk",
        "rtsp://127.0.0.1:99999/x",
        URL + "?transport=sctp",
        URL + "?recv_timeout=0",
        URL + "?recv_timeout=x",
        URL + "#fragment",
        "rtsp://[::1]:1/x",
    )
    return [said(rtp.RtspClient.connect, rtp.RtspClientConfig(u)) for u in urls]


def rtsp5_no_config():
    return [said(rtp.RtspClient.connect, x) for x in (None, URL, 5)] + [said(rtp.RtspClient.connect)]


def rtsp22_no_certificate():
    c = rtp.RtspClientConfig("rtsps://127.0.0.1:1/x", tls_root_certs_pem=b"none")
    return said(rtp.RtspClient.connect, c)


def rtsp23_bad_auth():
    b, d = rtp.BasicAuth, rtp.DigestAuth
    calls = [
        lambda: b("u"),
        lambda: b(None, "p"),
        lambda: b(b"u", "p"),
        lambda: b("u", "p", "r", 1),
        lambda: d("u", "p", 1),
        lambda: d("u", "p", "realm"),
        lambda: b("u", "p") == b("u", "p"),
        lambda: setattr(b("u", "p"), "user", "x"),
        lambda: "p'" in repr(b("u", "p")) or "<redacted>" not in repr(b("u", "p")),
        lambda: "<redacted>" not in repr(d("u", "p")),
    ]
    return [said(f) for f in calls]


def rtsp41_bad_numbers():
    numbers = [
        {"max_sessions": 1.5},
        {"max_sessions": 1 << 70},
        {"max_sessions": "1"},
        {"session_timeout_secs": 0.5},
        {"fanout_capacity": 2.0},
        {"bind_addr": 5},
        {"tls_cert": "/none", "tls_key": "/none"},
    ]
    return [said(lambda k=k: started(**k)) for k in numbers]


def rtsp47_characters():
    """Which printable characters a path may have."""
    with started() as s:
        refused = [
            chr(n)
            for n in range(0x20, 0x7F)
            if said(s.add_unicast_mount, f"/a{chr(n)}b", program()) != "MountHandle"
        ]
        more = [
            said(s.add_unicast_mount, p, program())
            for p in ("/a\nb", "/a\x7fb", "/é", "/a%20b", "/x/trackID=0")
        ]
        kinds = [
            said(s.add_unicast_mount, 5, program()),
            said(s.add_unicast_mount, "/p", "x"),
            said(s.add_unicast_mount),
        ]
        s.stop(drain_ms=0)
    return ["".join(refused), more, kinds]


def rtsp49_after():
    s = started()
    h = s.cancel_handle()
    m = s.add_unicast_mount("/x", program())
    bad = [said(s.stop, 5), said(lambda: s.stop(drain_ms=-1)), said(lambda: s.stop(drain_ms="x"))]
    s.stop(drain_ms=0)
    after = [h.is_cancelled(), s.cancel_handle().is_cancelled(), type(s.stats()).__name__, s.stats().mounts]
    after += [m.mount_path(), m.mount_kind(), m.peer_count(), said(m.stats), said(s.stop)]
    h.cancel()
    return [bad, after, h.is_cancelled()]


def rtsp90_after_removal():
    if not hasattr(rtp, "PublishMount"):
        return None
    s = started()
    m = s.add_unicast_mount("/x", program())
    s.remove_mount("/x")
    out = [
        said(m.push_video, NAL, pts=Pts90khz.from_ms(1)),
        repr(m),
        said(s.remove_mount, "/x"),
        said(s.remove_mount, 5),
    ]
    p = s.add_publish_mount("/p")
    out += [repr(p), said(p.stats), p.stats().alignment.name, p.publisher(), said(s.next_publisher, "x")]
    s.stop(drain_ms=0)
    return [*out, said(s.remove_mount, "/p"), said(s.add_publish_mount, "/q")]


def rtsp55_bad_pushes():
    b = MuxerProgramConfigBuilder(1, 0x100)
    b.add_video(0x101, VideoCodec.H264)
    b.add_klv(0x102, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    pts = Pts90khz.from_ms(10)
    with started() as s:
        m = s.add_unicast_mount("/x", b.build())
        calls = [
            lambda: m.push_video(NAL, pts=900),
            lambda: m.push_video(NAL, pts),
            lambda: m.push_video(NAL),
            lambda: m.push_video(bytearray(NAL), pts=pts),
            lambda: m.push_video(memoryview(NAL), pts=pts),
            lambda: m.push_video("x", pts=pts),
            lambda: m.push_video(None, pts=pts),
            lambda: m.push_video([NAL], pts=pts),
            lambda: m.push_video(NAL, pts=-1),
            lambda: m.push_video(NAL, pts=1.5),
            lambda: m.push_video(NAL, pts=pts, key_frame=1),
            lambda: m.push_video(NAL, pts=pts, key_frame=None),
            lambda: m.push_video(nal=NAL, pts=pts),
            lambda: m.push_klv(b"", pts=pts),
            lambda: m.push_klv(b"x", pts=pts, metadata_service_id=300),
            lambda: m.push_klv(b"x", pts=pts, metadata_service_id=-1),
            lambda: m.push_klv("x", pts=pts),
            lambda: m.push_video_to(m.klv_handle(), NAL, pts=pts),
            lambda: m.push_video_to(0, NAL, pts=pts),
            lambda: m.push_video_to(handle=m.video_handle(), nal=NAL, pts=pts),
            lambda: repr(m),
        ]
        out = [said(f) for f in calls]
        s.stop(drain_ms=0)
    return out


def rtp61_finish():
    if not hasattr(rtp.MuxSender, "finish"):
        return None
    with udp() as s:
        tx = rtp.MuxSender(f"rtp://127.0.0.1:{s.getsockname()[1]}", program())
        push = tx.send_video
        out = [
            said(push, NAL, pts=Pts90khz.from_ms(1)),
            said(tx.finish),
            said(push, NAL, pts=Pts90khz.from_ms(2)),
        ]
        return [*out, said(tx.finish)]


def rtp65_before_anything():
    with udp() as s:
        port = s.getsockname()[1]
    rx = rtp.DemuxReceiver(f"rtp://127.0.0.1:{port}")
    return [str(rx.stats()[1]), repr(rx.stats()[0]), said(rx.add_byte_sink, None)]


def rtp65_last_seen():
    if not hasattr(rtp.DemuxReceiver, "last_seen_micros"):
        return None
    with udp() as s:
        port = s.getsockname()[1]
    rx = rtp.DemuxReceiver(f"rtp://127.0.0.1:{port}")
    return [said(rx.last_seen_micros, p) for p in (0x101, -1, 70000, "x")] + [said(rx.last_seen_micros)]


def rtp76_bad_config():
    if not hasattr(rtp, "H264DepayConfig"):
        return None
    c = rtp.H264DepayConfig
    calls = [
        lambda: c(96),
        lambda: c(max_au_bytes=-1),
        lambda: c(payload_type=300),
        lambda: c(payload_type=-1),
        lambda: c(parameter_set_injection=1),
        lambda: c(initial_parameter_sets=(b"ab",)),
        lambda: c(initial_parameter_sets=b"ab"),
        lambda: c(initial_parameter_sets=[1]),
        lambda: c(initial_parameter_sets=["ab"]),
        lambda: rtp.H264Receiver.listen("rtp://127.0.0.1:0?pt=96", "x"),
        lambda: rtp.H264Receiver.listen(None),
        lambda: rtp.H264Receiver(),
    ]
    return [said(f) for f in calls]
