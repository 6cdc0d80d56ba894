"""What every question may use."""

PRELUDE = r"""
import array, copy, dataclasses, enum, importlib, inspect, io, itertools, os, pathlib, pickle, threading
from datetime import timedelta
import numpy as np
import tstrans
from tstrans import codec as C, exceptions as X, io as I, klv as K, mpegts as M, pipeline as P
from tstrans.codec import *
from tstrans.exceptions import *
from tstrans.klv import *
from tstrans.mpegts import *
from tstrans.pipeline import *
PD = importlib.import_module("tstrans.pandas")

# ---- media
H264 = (b"\0\0\0\1\x09\xf0\0\0\0\1\x67\x42\0\x1e\x95\xa0\x50\x7c\x80\0\0\0\1\x68\xce\x38\x80"
        b"\0\0\0\1\x65\x88\x84\0abc")
H264P = b"\0\0\0\1\x41\x9a\x24def"
H265 = b"\0\0\0\1\x40\1\x0c\x01\0\0\0\1\x42\1\x01\0\0\0\1\x44\1\xc0\0\0\0\1\x26\1\xaf"
H266 = b"\0\0\0\1\0\x79abc\0\0\0\1\0\x39abc"
AV1 = bytes.fromhex("12000a03010203320409090909")
AAC = bytes.fromhex("fff15080021ffc") + b"123456789"
MP2 = bytes.fromhex("fffd8404") + bytes(380)
KLV = bytes.fromhex("060e2b34020b01010e01030101000000") + b"\4abcd"

# ---- streams
V = ("add_video", 0x101, VideoCodec.H264)
KS = ("add_klv", 0x102, KlvStreamType.SYNCHRONOUS_METADATA, {"carries_pts": True})
KA = ("add_klv", 0x103, KlvStreamType.PRIVATE_DATA, {"carries_pts": True})
A = ("add_audio", 0x104, AudioCodec.AAC)
S = ("add_subtitle", 0x105, DvbSubtitlingConfig(b"eng", 16, 1, 2))
D = ("add_data", 0x106, 0xF0, {"carries_pts": True})

def prog(number, pmt_pid, *streams):
    b = MuxerProgramConfigBuilder(number, pmt_pid)
    for name, *a in streams:
        named = a.pop() if isinstance(a[-1], dict) else {}
        b = getattr(b, name)(*a, **named)
    return b.build()

def config(*programs, **parameters):
    b = MuxerConfigBuilder()
    for p_ in programs:
        b = b.add_program(p_)
    for n, v in parameters.items():
        b = getattr(b, n)(v)
    return b.build()

def mux(*streams, **parameters):
    return Muxer(config(prog(1, 0x100, *streams), **parameters))

def pull(m):
    out, b = b"", bytearray(18800)
    while n := m.pull(b):
        out += b[:n]
    return out

def demux(data, size=0, config=None):
    d, events = Demuxer(config), []
    for i in range(0, len(data), size or len(data) or 1):
        d.feed(data[i : i + (size or len(data))])
        events += d
    d.flush()
    return [*events, *d]

p = Pts90khz

def full(subtitles=True):
    m = mux(V, KS, KA, A, D, *[S] * subtitles)
    for i in range(6):
        t = p(90000 + i * 3600)
        m.push_video(H264 if i % 3 == 0 else H264P, pts=t, key_frame=i % 3 == 0)
        for h, record in zip(m.klv_handles(), (KLV, KLV + KLV)):
            m.push_klv_to(h, record, pts=t)
        m.push_audio(AAC, pts=t)
        m.push_data(b"data%d" % i, pts=t)
        if subtitles:
            m.push_subtitle(b"subtitle", pts=t)
    return m

def ts(subtitles=True):
    return pull(full(subtitles))

def file(data, name="in.ts"):
    path = pathlib.Path(TMP) / name
    path.write_bytes(data)
    return path

# ---- KLV
UAS, VM, SEC, PT = (bytes.fromhex("060e2b34" + x) for x in (
    "020b01010e01030101000000", "020b01010e01030306000000",
    "020301010e01030302000000", "020501010e01010311000000"))

def ber(n):
    size = (n.bit_length() + 7) // 8
    return bytes([n]) if n < 128 else bytes([0x80 | size]) + n.to_bytes(size, "big")

def oid(n):
    out = [n & 127]
    while n := n >> 7:
        out.insert(0, 0x80 | n & 127)
    return bytes(out)

def tlv(tag, v):
    return oid(tag) + ber(len(v)) + v

def running_sum(b):
    return sum(x << (0 if i % 2 else 8) for i, x in enumerate(b)) & 0xFFFF

def rec(*items, ul=UAS):
    body = b"".join(items)
    r = ul + ber(len(body) + 4) + body + b"\1\2"
    return r + running_sum(r).to_bytes(2, "big")

def held(x):
    return [(f.name, v) for f in dataclasses.fields(x) if (v := getattr(x, f.name)) not in (None, ())
            and f.name not in ("universal_label", "declared_version", "imapb_specials")]

def dec(b, **how):
    return held(decode_uas_datalink(b, **how))
"""
