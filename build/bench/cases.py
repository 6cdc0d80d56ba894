"""The benchmark cases, run through whichever `tstrans` this interpreter imports.

python cases.py CASE INPUTDIR        prints one JSON line: seconds (best of the runs), cpu, peak RSS
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import struct
import sys
import time
from collections.abc import Callable

RUNS = 5


def case_import(_: str) -> int:
    import tstrans  # noqa: F401

    return 1


def events(path: str) -> int:
    from tstrans import io

    return sum(1 for _ in io.parse_file(path))


def payloads(path: str) -> int:
    from tstrans import io
    from tstrans.mpegts import DemuxEvent

    n = 0
    for ev in io.parse_file(path):
        if isinstance(ev, (DemuxEvent.Video, DemuxEvent.Audio)):
            len(ev.raw)
        elif isinstance(ev, DemuxEvent.Klv):
            len(ev.payload)
        n += 1
    return n


def feed(path: str) -> int:
    from tstrans.mpegts import Demuxer

    n, d = 0, Demuxer()
    with open(path, "rb") as f:
        while chunk := f.read(65536):
            d.feed(chunk)
            while d.next_event() is not None:
                n += 1
    d.flush()
    while d.next_event() is not None:
        n += 1
    return n


def probe(path: str) -> int:
    from tstrans import io

    io.probe(path)
    return 1


def units(path: str) -> int:
    from tstrans import io
    from tstrans.mpegts import DemuxEvent

    return sum(len(ev.parse()) for ev in io.parse_file(path) if isinstance(ev, DemuxEvent.Video))


def uas(path: str) -> int:
    from tstrans import io

    return sum(1 for _ in io.iter_uas_datalink(path))


def transmux(path: str) -> int:
    from tstrans import io

    out = path + ".out"
    n = 0
    with io.transmux(path, out) as tx:
        for ev in tx:
            tx.write(ev)
            n += 1
    os.unlink(out)
    return n


def events_frame(path: str) -> int:
    from tstrans import io
    from tstrans.pandas import events_to_dataframe

    return len(events_to_dataframe(io.parse_file(path)))


def klv_frame(path: str) -> int:
    from tstrans import io
    from tstrans.pandas import klv_to_dataframe

    return len(klv_to_dataframe([r for _, _, r in io.iter_uas_datalink(path)]))


def packets(path: str) -> list[bytes]:
    """The packets of a file that puts a 4-byte big-endian length before each."""
    with open(path, "rb") as f:
        data = f.read()
    out, i = [], 0
    while i < len(data):
        (n,) = struct.unpack_from(">I", data, i)
        out.append(data[i + 4 : i + 4 + n])
        i += 4 + n
    return out


def klv_decode(path: str) -> int:
    from tstrans import klv

    found = packets(path)
    for p in found:
        klv.decode_uas_datalink(p)
    return len(found)


def klv_five(path: str) -> int:
    from tstrans import klv

    found = packets(path)
    for p in found:
        r = klv.decode_uas_datalink(p)
        _ = r.timestamp_us, r.sensor_lat_deg, r.sensor_lon_deg, r.sensor_alt_m, r.platform_heading_deg
    return len(found)


def klv_all(path: str) -> int:
    from tstrans import klv

    found = packets(path)
    names = [f.name for f in dataclasses.fields(klv.UasDatalinkLs)]
    for p in found:
        r = klv.decode_uas_datalink(p)
        for n in names:
            getattr(r, n)
    return len(found)


def klv_encode(path: str) -> int:
    from tstrans import klv

    records = [klv.decode_uas_datalink(p) for p in packets(path)[:1000]]
    for _ in range(4):
        for r in records:
            klv.encode_uas_datalink(r)
    return 4 * len(records)


def klv_patch(path: str) -> int:
    from tstrans import klv

    found = packets(path)
    for p in found:
        klv.patch_uas_datalink(p, {"sensor_lat_deg": 1.5})
    return len(found)


def mux(path: str) -> int:
    from tstrans.mpegts import Muxer, MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

    nal = b"\x00\x00\x00\x01\x65" + bytes(range(1, 251)) * 332
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264).build()
    m = Muxer(MuxerConfig.builder().add_program(program).build())
    out = os.path.join(path, "mux.out")
    with m.write_file(out) as w:
        for i in range(1500):
            w.push_video(nal, pts=Pts90khz(90_000 + i * 3000), key_frame=i % 30 == 0)
    os.unlink(out)
    return 1500


def hls_publisher(path: str) -> object:
    from tstrans.hls import HlsPublisher

    b = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(os.path.join(path, "hls.out"))
    return b.segment_duration_ms(2000).playlist_window(3).build()


def hls_push(path: str, piece: int = 7 * 188, pieces: int = 32_000) -> int:
    """40 MB of packets in datagrams of seven, cut every 2 MB."""
    p = hls_publisher(path)
    data = (b"\x47\x1f\xff\x10" + bytes(184)) * (piece // 188)
    every = max(1, 2_000_000 // piece)
    for i in range(pieces):
        p.push_ts(data)
        if i % every == every - 1:
            p.cut_segment_with_duration(2_000_000)
    p.finish()
    return pieces


def hls_bulk(path: str) -> int:
    """200 MB of packets in pieces of 200 kB."""
    return hls_push(path, 188 * 1064, 1000)


def hls_mux(path: str) -> int:
    """1,500 pictures of 83 kB, a KLV unit with each."""
    from tstrans.hls import MuxPublisher
    from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

    nal = b"\x00\x00\x00\x01\x65" + bytes(range(1, 251)) * 332
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264)
    program = program.add_klv(0x102, KlvStreamType.PRIVATE_DATA, carries_pts=True)
    m = MuxPublisher.with_config_hls(hls_publisher(path), program.build())
    for i in range(1500):
        m.send_video(nal, pts=Pts90khz(90_000 + i * 3000), key_frame=i % 30 == 0)
        m.send_klv(bytes(200), pts=Pts90khz(90_000 + i * 3000))
    m.finish_into_publisher().finish()
    return 1500


def codec_sets(_: str) -> int:
    """The parameter sets of a live stream, which repeat: 20,000 in a row."""
    from tstrans import codec

    sps = bytes.fromhex("64001facd9405005bb016a02020280000003008000001e478c18cb")
    vps = bytes.fromhex("0c01ffff01600000030090000003000003005d959809")
    for _ in range(10_000):
        codec.parse_h264_sps(sps)
        codec.parse_h265_vps(vps)
    return 20_000


def codec_new_sets(_: str) -> int:
    """Parameter sets that were never seen before: 20,000 in a row."""
    from tstrans import codec

    sps = bytes.fromhex("64001facd9405005bb016a02020280000003008000001e478c18cb")
    vps = bytes.fromhex("0c01ffff01600000030090000003000003005d959809")
    for i in range(10_000):
        more = i.to_bytes(3, "big")
        codec.parse_h264_sps(sps + more)
        codec.parse_h265_vps(vps + more)
    return 20_000


def codec_audio(_: str) -> int:
    """A minute of ADTS frames in one buffer, 100 times over."""
    from tstrans import codec

    sound = (bytes.fromhex("fff1508001bffc") + bytes(6)) * 2800
    return sum(len(codec.parse_aac_frames(sound)) for _ in range(100))


def audio_frames(path: str) -> int:
    """The rate of every frame of sound, event by event."""
    from tstrans import io
    from tstrans.mpegts import DemuxEvent

    n = 0
    for ev in io.parse_file(path):
        if isinstance(ev, DemuxEvent.Audio):
            n += sum(f.sample_rate_hz > 0 for f in ev.parse())
    return n


CASES: dict[str, tuple[Callable[[str], int], str]] = {
    "import": (case_import, ""),
    "events": (events, "av.ts"),
    "payloads": (payloads, "av.ts"),
    "feed": (feed, "av.ts"),
    "probe": (probe, "av.ts"),
    "units": (units, "av.ts"),
    "audio_frames": (audio_frames, "av.ts"),
    "codec_sets": (codec_sets, "av.ts"),
    "codec_new_sets": (codec_new_sets, "av.ts"),
    "codec_audio": (codec_audio, "av.ts"),
    "transmux": (transmux, "av.ts"),
    "mux": (mux, ""),
    "hls push": (hls_push, ""),
    "hls bulk": (hls_bulk, ""),
    "hls mux": (hls_mux, ""),
    "klv-heavy events": (events, "klv_heavy.ts"),
    "klv-heavy payloads": (payloads, "klv_heavy.ts"),
    "klv-heavy feed": (feed, "klv_heavy.ts"),
    "klv-heavy records": (uas, "klv_heavy.ts"),
    "klv-heavy events frame": (events_frame, "klv_heavy.ts"),
    "klv-heavy records frame": (klv_frame, "klv_heavy.ts"),
    "klv decode": (klv_decode, "klv.bin"),
    "klv five fields": (klv_five, "klv.bin"),
    "klv all fields": (klv_all, "klv.bin"),
    "klv encode": (klv_encode, "klv.bin"),
    "klv patch": (klv_patch, "klv.bin"),
}


def main() -> None:
    work, name = CASES[sys.argv[1]]
    path = os.path.join(sys.argv[2], name)
    best, cpu, n = float("inf"), 0.0, 0
    for _ in range(1 if work is case_import else RUNS):
        c0, t0 = time.process_time(), time.perf_counter()
        n = work(path)
        t = time.perf_counter() - t0
        if t < best:
            best, cpu = t, time.process_time() - c0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": best, "cpu": cpu, "count": n, "rss_mb": round(rss, 1)}))


if __name__ == "__main__":
    main()
