"""Coded test streams made by ffmpeg, and what ffprobe and ffmpeg say of files."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest


@dataclass(frozen=True)
class Unit:
    """One access unit; times in ns."""

    data: bytes
    pts: int
    dts: int
    key: bool


def need(*programs: str) -> None:
    """Skip the test where a program is not installed."""
    for p in programs:
        if shutil.which(p) is None:
            pytest.skip(f"{p} is not installed")


def run(*args: str | Path) -> str:
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True).stdout


_ENCODERS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-g", "30"],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-g", "30", "-x265-params", "log-level=none"],
    "av1": ["-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "30"],
    "jpeg": ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
    "png": ["-c:v", "png", "-pix_fmt", "rgb24"],
}


@lru_cache(maxsize=32)
def encode(
    codec: str, frames: int = 30, rate: str = "30", size: str = "128x96", extra: str = ""
) -> tuple[Unit, ...]:
    """A test pattern, split into access units."""
    need("ffmpeg", "ffprobe")
    with TemporaryDirectory() as d:
        return _encode(Path(d), codec, frames, rate, size, extra)


def _encode(d: Path, codec: str, frames: int, rate: str, size: str, extra: str) -> tuple[Unit, ...]:
    source = [
        "-f",
        "lavfi",
        "-i",
        f"testsrc=size={size}:rate={rate}",
        "-frames:v",
        str(frames),
        "-pix_fmt",
        "yuv420p",
    ]
    base = ["ffmpeg", "-nostdin", "-v", "error", *source, *_ENCODERS[codec], *extra.split()]
    num, _, den = rate.partition("/")
    step = 1e9 * int(den or 1) / int(num)
    if codec in ("jpeg", "png"):
        run(*base, d / f"%06d.{codec}")
        return tuple(
            Unit(p.read_bytes(), round(i * step), round(i * step), True)
            for i, p in enumerate(sorted(d.iterdir()))
        )
    if codec == "av1":
        run(*base, d / "x.ivf")
        b = (d / "x.ivf").read_bytes()
        out, at = [], 32
        while at + 12 <= len(b):
            n, t = int.from_bytes(b[at : at + 4], "little"), int.from_bytes(b[at + 4 : at + 12], "little")
            out.append(Unit(b[at + 12 : at + 12 + n], round(t * step), round(t * step), not out))
            at += 12 + n
        return tuple(out)
    run(*base, "-video_track_timescale", "90000", d / "x.mp4")
    run("ffmpeg", "-nostdin", "-v", "error", "-i", d / "x.mp4", "-c", "copy", d / f"x.{codec}")
    raw = (d / f"x.{codec}").read_bytes()
    timed, cut = packets(d / "x.mp4"), packets(d / f"x.{codec}")
    assert len(timed) == len(cut)
    out, at = [], 0
    first = int(timed[0]["dts"])
    for t, c in zip(timed, cut, strict=True):
        n = int(c["size"])
        pts, dts = (round((int(t[k]) - first) * 1e5 / 9) for k in ("pts", "dts"))
        out.append(Unit(raw[at : at + n], pts, dts, t["flags"].startswith("K")))
        at += n
    assert at == len(raw)
    return tuple(out)


def packets(path: str | Path) -> list[dict[str, Any]]:
    """What ffprobe says of each packet."""
    return json.loads(run("ffprobe", "-v", "error", "-show_packets", "-of", "json", path))["packets"]


def streams(path: str | Path) -> list[dict[str, Any]]:
    """What ffprobe says of each stream."""
    return json.loads(run("ffprobe", "-v", "error", "-show_streams", "-of", "json", path))["streams"]


def decode(path: str | Path) -> list[str]:
    """The sum of every decoded picture; a warning is a failure."""
    r = subprocess.run(
        f"ffmpeg -nostdin -v warning -xerror -i {path} -map 0:v -fps_mode passthrough -f framemd5 -".split(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not r.stderr, r.stderr
    return [line.split(",")[-1].strip() for line in r.stdout.splitlines() if not line.startswith("#")]
