"""A made-up flight as a live stream: pictures hold their number in blocks, each has a record of its own."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from tstrans import klv
from tstrans.mpegts import (
    KlvStreamType,
    Muxer,
    MuxerConfigBuilder,
    MuxerProgramConfigBuilder,
    Pts90khz,
    VideoCodec,
)

HEIGHT, WIDTH, BLOCK = 180, 320, 20
BITS = WIDTH // BLOCK  # in one row of blocks at the top
FPS = 15
GOP = FPS
FIRST_PTS = 900_000  # of picture 0
START_US = 1_767_225_600_000_000

#: Draws the newest picture of a video element: its number and the media time of just that one, in seconds.
#: A canvas may be given a picture that the browser has not announced yet, so that nothing that was announced
#: before tells which one it is.
DRAW = f"""(video) => {{
  const picture = new VideoFrame(video);
  const at = picture.timestamp / 1e6;
  const canvas = new OffscreenCanvas({WIDTH}, {HEIGHT});
  const g = canvas.getContext('2d', {{ willReadFrequently: true }});
  g.drawImage(picture, 0, 0, {WIDTH}, {HEIGHT});
  picture.close();
  let n = 0;
  for (let i = 0; i < {BITS}; i++) {{
    n = n * 2 + (g.getImageData(i * {BLOCK} + {BLOCK // 2}, {BLOCK // 2}, 1, 1).data[1] > 128 ? 1 : 0);
  }}
  return {{ n, at }};
}}"""


def blocks(n: int) -> np.ndarray:
    """Picture n: its number in the first row, most significant bit on the left, and something that moves."""
    out = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    for i in range(BITS):
        bit = n >> (BITS - 1 - i) & 1
        out[:BLOCK, i * BLOCK : (i + 1) * BLOCK] = 235 if bit else 16
    at = n * 3 % (WIDTH - 60)
    out[70:130, at : at + 60] = (60, 140, 220)
    return out


def position(n: int) -> tuple[float, float]:
    """Where the platform is in picture n, in degrees: no two pictures have the same."""
    angle = 2 * np.pi * n / (60 * FPS)
    return 47.3769 + 0.0135 * float(np.cos(angle)), 8.5417 + 0.02 * float(np.sin(angle))


def record(n: int) -> bytes:
    """The ST 0601 record of picture n."""
    lat, lon = position(n)
    turn = 360 * n / (60 * FPS)
    center = (47.3769, 8.5417)
    corners = {}
    for i, (dy, dx) in enumerate(((0.002, -0.003), (0.002, 0.003), (-0.002, 0.003), (-0.002, -0.003)), 1):
        corners[f"corner_lat_p{i}_deg"] = center[0] + dy
        corners[f"corner_lon_p{i}_deg"] = center[1] + dx
    return klv.encode_uas_datalink(
        klv.UasDatalinkLs(
            timestamp_us=START_US + n * 1_000_000 // FPS,
            mission_id=f"MISSION {n}",
            platform_designation="test flight",
            platform_heading_deg=(turn + 90) % 360,
            sensor_lat_deg=lat,
            sensor_lon_deg=lon,
            sensor_alt_m=1608.0,
            sensor_hfov_deg=12.0,
            slant_range_m=1921.0,
            frame_center_lat_deg=center[0],
            frame_center_lon_deg=center[1],
            **corners,
        )
    )


class Pictures:
    """Access units (H.264, Annex B, no reordering) by number, made when one is first asked for."""

    def __init__(self) -> None:
        import av

        self._codec = codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        codec.framerate, codec.time_base = FPS, Fraction(1, FPS)
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "20",
            "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0",
        }
        self._new = av.VideoFrame.from_ndarray
        self._units: list[bytes] = []
        self._lock = threading.Lock()

    def __getitem__(self, n: int) -> bytes:
        with self._lock:
            while len(self._units) <= n:
                frame = self._new(blocks(len(self._units)), format="rgb24")
                frame.pts = len(self._units)
                (packet,) = self._codec.encode(frame)
                self._units.append(bytes(packet))
            return self._units[n]


@functools.lru_cache(maxsize=1)
def pictures() -> Pictures:
    """The pictures of the flight, the same for all."""
    return Pictures()


class Flight:
    """Muxes the flight and gives it away: a stretch at once, then at its own pace in a thread."""

    def __init__(self, take: Callable[[bytes], None], telemetry: bool = True) -> None:
        self.units = pictures()
        self.take = take
        program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264)
        if telemetry:
            program = program.add_klv(0x101, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
        self.telemetry = telemetry
        self.muxer = Muxer(MuxerConfigBuilder().add_program(program.build()).build())
        self.next = 0
        self._buffer = bytearray(188 * 4096)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def push(self, upto: int) -> None:
        """Give pictures away, up to a number, as fast as they are taken."""
        while self.next < upto:
            n = self.next
            pts = Pts90khz((FIRST_PTS + n * 90_000 // FPS) % (1 << 33))
            if self.telemetry:
                self.muxer.push_klv(record(n), pts=pts)
            self.muxer.push_video(self.units[n], pts=pts, key_frame=n % GOP == 0)
            while size := self.muxer.pull(self._buffer):
                self.take(bytes(self._buffer[:size]))
            self.next += 1

    def start(self) -> None:
        """Go on in real time."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        begun, first = time.monotonic(), self.next
        while not self._stop.is_set():
            self.push(first + int((time.monotonic() - begun) * FPS))
            self._stop.wait(1 / FPS / 2)

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(10)
