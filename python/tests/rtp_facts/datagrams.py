"""Senders and receivers of plain RTP."""

from __future__ import annotations

import contextlib
import itertools
import struct
import time

from tstrans import rtp
from tstrans.mpegts import Pts90khz

from rtp_facts.common import NAL, TS, free_port, in_time, program, said, udp

# rtp:// URLs


def rtp10_urls():
    p = free_port()
    return [
        said(rtp.Sender, u.format(p))
        for u in (
            "RTP://127.0.0.1:{}",
            "rtp://u:p@127.0.0.1:{}/path",
            "rtp://@127.0.0.1:{}",
            "rtp://[::1]:{}",
        )
    ]


def rtp10_port_is_needed():
    return said(rtp.Sender, "rtp://127.0.0.1")


def rtp11_names():
    return [said(rtp.Sender, u) for u in ("rtp://localhost:5000", "rtp://example.com:5000", "rtp://:5000")]


def rtp12_keys():
    u = "rtp://127.0.0.1:5000?"
    good = ["ssrc=7", "ssrc=0xFF", "ttl=1", "ttl=255", "iface=127.0.0.1", "iface=what", "pkt_size=188"]
    bad = [
        "ssrc=x",
        "ssrc=4294967296",
        "ttl=0",
        "ttl=256",
        "pkt_size=100",
        "pkt_size=0",
        "pkt_size=70000",
        "what=1",
    ]
    return [[said(rtp.Sender, u + k) for k in good], [said(rtp.Sender, u + k) for k in bad]]


def rtp13_receiver_keys():
    return [
        said(rtp.Receiver, "rtp://127.0.0.1:0?" + k)
        for k in ("recv_timeout=100", "rcvbuf=1M", "source=127.0.0.1")
    ]


def rtp14_directions():
    s = [said(rtp.Sender, "rtp://127.0.0.1:5000?" + k) for k in ("rcvbuf=1M", "source=127.0.0.1", "pt=96")]
    r = [said(rtp.Receiver, "rtp://127.0.0.1:0?" + k) for k in ("sndbuf=1M", "pkt_size=188", "pt=96")]
    return [s, r]


def rtp15_faults():
    return [said(rtp.Sender, u) for u in ("udp://127.0.0.1:1", "", "rtp://127.0.0.1:99999", "rtp://[::1:5")]


def rtp16_interface():
    return [
        said(rtp.Receiver, f"rtp://{h}:0?iface={i}") for h, i in (("239.1.2.3", "lo"), ("127.0.0.1", "lo"))
    ]


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
        steps = [(b[2] - a[2]) & 0xFFFF for a, b in itertools.pairwise(heads)]
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


def rtp3_constructors():
    return [
        said(c) for c in (rtp.RtspServer, rtp.RtspSession, rtp.SocketStats, rtp.ServerStats, rtp.RtspClient)
    ]
