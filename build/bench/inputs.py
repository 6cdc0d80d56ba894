"""Make the benchmark inputs: av.ts by FFmpeg, klv_heavy.ts and klv.bin by this package's own writer.

python inputs.py OUTDIR
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys

SECONDS = 70
KLV_PACKETS = 100_000


def av(path: str) -> None:
    """H.264 720p30 at a constant 20 Mb/s with AAC: about 180 MB."""
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y",
         "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t:all_seed=1",
         "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", str(SECONDS),
         "-map", "0:v", "-map", "1:a",
         "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-b:v", "20M", "-minrate", "20M",
         "-maxrate", "20M", "-bufsize", "20M", "-g", "30", "-bf", "0", "-x264-params", "nal-hrd=cbr",
         "-c:a", "aac", "-b:a", "128k", "-f", "mpegts", path],
        check=True,
    )  # fmt: skip


def record(i: int) -> bytes:
    from tstrans import klv

    return klv.encode_uas_datalink(
        klv.UasDatalinkLs(
            uas_ls_version=19,
            timestamp_us=1_767_225_600_000_000 + i * 33_333,
            mission_id="MISSION-42",
            platform_heading_deg=i % 360 + 0.25,
            platform_pitch_deg=1.5,
            platform_roll_deg=-2.5,
            platform_designation="bench platform",
            image_source_sensor="EO",
            image_coordinate_system="Geodetic WGS84",
            sensor_lat_deg=47.0 + i * 1e-6,
            sensor_lon_deg=8.0 + i * 1e-6,
            sensor_alt_m=1500.0,
            sensor_hfov_deg=12.0,
            sensor_vfov_deg=6.75,
            slant_range_m=2500.0,
            target_width_m=400.0,
            frame_center_lat_deg=47.01,
            frame_center_lon_deg=8.01,
            frame_center_elev_m=420.0,
        )
    )


def klv_bin(path: str) -> None:
    with open(path, "wb") as f:
        for i in range(4000):
            p = record(i)
            f.write(struct.pack(">I", len(p)) + p)


def klv_heavy(path: str) -> None:
    from tstrans.mpegts import (
        KlvStreamType,
        Muxer,
        MuxerConfig,
        MuxerProgramConfigBuilder,
        Pts90khz,
        VideoCodec,
    )

    program = (
        MuxerProgramConfigBuilder(1, 0x1000)
        .add_video(0x100, VideoCodec.H264)
        .add_klv(0x102, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
        .build()
    )
    picture = b"\x00\x00\x00\x01\x65" + bytes(range(1, 251)) * 2
    with Muxer(MuxerConfig.builder().add_program(program).build()).write_file(path) as m:
        for i in range(KLV_PACKETS):
            pts = Pts90khz(90_000 + i * 300)
            if i % 100 == 0:
                m.push_video(picture, pts=pts, key_frame=True)
            m.push_klv(record(i), pts=pts)


def main() -> None:
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    for name, make in (("av.ts", av), ("klv.bin", klv_bin), ("klv_heavy.ts", klv_heavy)):
        path = os.path.join(out, name)
        if not os.path.exists(path):
            make(path)
            print("made", name, os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
