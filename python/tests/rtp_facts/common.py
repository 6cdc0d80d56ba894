"""What the probes are made with."""

from __future__ import annotations

import socket
import threading

from tstrans.mpegts import MuxerProgramConfigBuilder, VideoCodec

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
