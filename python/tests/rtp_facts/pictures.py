"""H.264 in RTP."""

from __future__ import annotations

import struct

from tstrans import rtp

from rtp_facts.common import said, udp

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
        s.send(
            struct.pack(">BBHII", 0x80, pt | (0x80 if marker else 0), seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc)
            + payload
        )

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
    return [
        rx.rtp_stats().malformed_packets,
        rx.rtp_stats().source_rejected,
        rx.socket_stats().packets_received > 0,
    ]
