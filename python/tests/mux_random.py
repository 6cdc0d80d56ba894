"""Seeded pushes of every kind on seeded configurations: run under any tstrans to compare what they make.

`python mux_random.py 0 200` prints one line a seed: what happened, and the digest of the packets.
"""

from __future__ import annotations

import hashlib
import random
import sys
from typing import Any

from tstrans.exceptions import MuxError
from tstrans.mpegts import (
    AudioCodec,
    Av1CarriageMode,
    Cea708StandaloneConfig,
    DvbSubtitlingConfig,
    DvbTeletextConfig,
    KlvStreamType,
    Muxer,
    MuxerConfigBuilder,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
    WebVttInTsConfig,
)

_SIZES = (
    0,
    1,
    20,
    150,
    168,
    169,
    170,
    171,
    183,
    184,
    185,
    500,
    3000,
    20000,
    65522,
    65523,
    65527,
    65528,
    65532,
)
_DESCRIPTORS = (
    b"\x05\x04KLVA",
    b"\x26\x00",
    b"\x0a\x04abc\x00",
    b"\x81\x00",
    b"\x59\x00",
    b"\x05\x04AV01",
    b"\x05\x04XXXX",
    b"\x05\x04AC-3",
    b"\x05",
)


def _subtitle(r: random.Random) -> Any:
    return r.choice(
        [
            DvbSubtitlingConfig(b"deu", r.randrange(256), r.randrange(65536), r.randrange(65536)),
            DvbTeletextConfig(b"fra", r.randrange(32), r.randrange(8), 0x12),
            Cea708StandaloneConfig(),
            WebVttInTsConfig(),
        ]
    )


def config(r: random.Random) -> Any:
    pids = iter(r.sample(range(0x20, 0x1FFF), 40))
    c = (
        MuxerConfigBuilder()
        .pcr_interval_ms(r.choice([1, 10, 40, 100]))
        .psi_interval_ms(r.choice([10, 100, 500]))
    )
    c.av1_carriage(r.choice(list(Av1CarriageMode)))
    for n in range(r.choice([1, 1, 1, 2, 3])):
        b = MuxerProgramConfigBuilder(n + 1 + r.randrange(3) * 100, next(pids))
        clocks = []
        for kind in [r.choice("vvaakksd") for _ in range(r.randrange(1, 6))]:
            pid = next(pids)
            if kind == "v":
                b.add_video(pid, r.choice(list(VideoCodec)))
                clocks.append(pid)
            elif kind == "a":
                codec = r.choice(list(AudioCodec))
                clocks.append(pid)
                if r.random() < 0.5:
                    b.add_audio(pid, codec)
                else:
                    b.add_audio_with_language(pid, codec, language=b"eng")
            elif kind == "k":
                b.add_klv(pid, r.choice(list(KlvStreamType)), carries_pts=r.random() < 0.7)
            elif kind == "s":
                b.add_subtitle(pid, _subtitle(r))
            else:
                types = [0, 1, 2, 6, 0x80, 0xF0, 0xFF, 0x1B, 0x15]
                b.add_data(pid, r.choice(types), carries_pts=r.random() < 0.7)
        if clocks and r.random() < 0.3:
            b.pcr_pid(r.choice(clocks))
        if r.random() < 0.3:
            b.program_descriptors([b"\x05\x04ABCD"])
        if r.random() < 0.4:
            b.stream_descriptors_for_stream(0, [r.choice(_DESCRIPTORS)])
        c.add_program(b.build())
    return c.build()


def _push(m: Any, r: random.Random, kind: str, handle: Any, ticks: int) -> int:
    pts, size, key = Pts90khz(ticks), r.choice(_SIZES), r.random() < 0.3
    body = bytes([r.randrange(1, 256)]) * size
    if kind == "a":
        m.push_audio_to(handle, body, pts=pts)
    elif kind == "k":
        m.push_klv_to(handle, body, pts=pts, metadata_service_id=r.randrange(256))
    elif kind == "s":
        m.push_subtitle_to(handle, body, pts=pts)
    elif kind == "d":
        m.push_data_to(handle, body, pts=pts)
    else:
        form = r.randrange(4)
        nal = b"\0\0\0\1\x65" + body + (b"\0\0\1\x41" + body if r.random() < 0.3 else b"")
        if form == 0:
            m.push_video_wire_to(handle, body, pts=pts, dts=pts if r.random() < 0.5 else None, key_frame=key)
        elif form == 1:
            m.push_video_to_with_dts(handle, nal, pts=pts, dts=Pts90khz(ticks - 3000), key_frame=key)
        elif form == 2:
            obus = bytes.fromhex("12000a030102033205") + b"\0\0\1\0\3"
            m.push_video_to(handle, obus, pts=pts, key_frame=key)
        else:
            m.push_video_to(handle, nal, pts=pts, key_frame=key)
    return size


def result(seed: int) -> str:
    """What happened to each push, and the digest of all packets."""
    r = random.Random(seed)
    try:
        m = Muxer(config(r))
    except MuxError as e:
        return f"config {e.kind.name}"
    streams = [("v", h) for h in m.video_handles()] + [("a", h) for h in m.audio_handles()]
    streams += [("k", h) for h in m.klv_handles()] + [("s", h) for h in m.subtitle_handles()]
    streams += [("d", h) for h in m.data_handles()]
    ticks = r.choice([0, 90000, (1 << 33) - 180000, -500])
    digest, log, buf = hashlib.md5(), hashlib.md5(), bytearray(188 * 20000)
    for _ in range(r.randrange(5, 60)):
        kind, handle = r.choice(streams)
        ticks += r.choice([0, 1, 900, 3000, 3600, 9000, 90000, -3000, -90000])
        try:
            log.update(b"%d" % _push(m, r, kind, handle, ticks))
        except MuxError as e:
            log.update(e.kind.name.encode())
        n = m.pull(buf)
        digest.update(buf[:n])
    return f"{log.hexdigest()[:8]} {digest.hexdigest()} {m.stats().ts_packets_emitted}"


if __name__ == "__main__":
    for s in range(int(sys.argv[1]), int(sys.argv[2])):
        print(s, result(s))
