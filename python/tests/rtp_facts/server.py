"""The RTSP server by its methods."""

from __future__ import annotations

from tstrans import rtp
from tstrans.mpegts import Pts90khz

from rtp_facts.common import NAL, program, said
from rtp_facts.speak import started

# RTSP server


def rtsp40_config():
    c = rtp.RtspServerConfig()
    names = [
        "bind_addr",
        "auth",
        "max_sessions",
        "session_timeout_secs",
        "fanout_capacity",
        "graceful_shutdown_drain_ms",
    ]
    return [getattr(c, n) for n in names]


def rtsp41_checks():
    c = rtp.RtspServerConfig
    bad = [
        {"max_sessions": 0},
        {"session_timeout_secs": 0},
        {"fanout_capacity": 0},
        {"graceful_shutdown_drain_ms": -1},
    ]
    return [said(lambda k=k: c(**k)) for k in bad] + [said(setattr, c(), "max_sessions", 1)]


def rtsp42_auth():
    return [
        said(lambda a=a: started(auth=a)) for a in ("x", rtp.BasicAuth("u", "p"), rtp.DigestAuth("u", "p"))
    ]


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
        out = [
            said(s.add_unicast_mount, p, program())
            for p in ("/", "/a/b", "/tr/", "//x", "x", "", "/x?y", "/a/b")
        ]
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
            out.append(said(s.add_multicast_mount, f"/{len(out)}", g, port, program_config=program(), **kw))
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
        out = [
            m.mount_path(),
            m.mount_kind(),
            m.peer_count(),
            said(m.video_handle),
            said(m.klv_handle),
            len(m.video_handles()),
        ]
        out += [said(m.push_video, NAL, pts=Pts90khz.from_raw(0), key_frame=True), said(m.flush)]
        st = m.stats()
        out += [st.bytes_pushed % 188, st.packets_pushed > 0, st.peer_count, st.frames_dropped_total]
        m.reset_stats()
        out += [m.stats().bytes_pushed, said(m.push_klv, b"\0" * 30, pts=Pts90khz.from_raw(0))]
        out += [hasattr(m, "close"), hasattr(m, "__enter__")]
        s.stop(drain_ms=0)
        return [*out, said(m.push_video, NAL, pts=Pts90khz.from_raw(9000), key_frame=True)]
