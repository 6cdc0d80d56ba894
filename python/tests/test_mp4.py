"""tstrans.mp4: names and numbers, the life of a file, and what other programs read in it."""

from __future__ import annotations

import gc
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import media
import pytest
from tstrans import mp4
from tstrans.mp4 import Codec, FlowResult, InvocationReason, Mp4Muxer

SHARED = Path(__file__).resolve().parents[3] / "shared"


def write(path: Path, codec: Any, units: Any, dts: bool = True, **kw: Any) -> None:
    m = Mp4Muxer(codec, str(path), **kw)
    for u in units:
        m.push(u.data, u.pts, u.dts if dts else None)
    m.finish()


def test_members() -> None:
    assert [int(c) for c in (Codec.H264, Codec.HEVC, Codec.JPEG, Codec.AV1, Codec.PNG)] == [0, 1, 2, 3, 4]
    assert Codec.H264 == 0
    assert Codec.H264 != Codec.HEVC
    assert FlowResult.CustomSuccess2 != Codec.H264
    assert repr(Codec.PNG) == "Codec.PNG"
    assert [c.name() for c in Codec] == ["h264", "hevc", "jpeg", "av1", "png"]
    assert Codec.Hevc is Codec.HEVC
    assert {Codec.H264: 1}[Codec.from_name("H264")] == 1
    assert Codec.from_name("h265") is Codec.from_name("HeVc") is Codec.HEVC
    assert pickle.loads(pickle.dumps(Codec.AV1)) is Codec.AV1
    for bad in ("vp9", ""):
        with pytest.raises(ValueError, match=r"Unknown codec.*h264, hevc, h265, jpeg, av1, png"):
            Codec.from_name(bad)
    with pytest.raises(TypeError):
        Codec()
    assert int(FlowResult.Ok) == 3
    assert int(FlowResult.CustomError2) == 12
    assert len(FlowResult) == 13
    assert [int(r) for r in InvocationReason] == [0, 1, 2, 3, 4]


def test_life(tmp_path: Path) -> None:
    units = media.encode("h264")
    path = tmp_path / "x.mp4"
    m = Mp4Muxer(Codec.H264, str(path))
    assert path.exists()
    assert m.is_finished is False
    m.push(data=units[0].data, pts_ns=0, dts_ns=0, duration_ns=40_000_000)
    m.finish()
    m.finish()
    assert m.is_finished is True
    with pytest.raises(RuntimeError, match="finished"):
        m.push(units[0].data, 0)
    with pytest.raises(AttributeError):
        m.is_finished = False  # type: ignore[misc]
    assert int(media.packets(path)[0]["duration"]) == 120
    with pytest.raises(RuntimeError):
        Mp4Muxer("h264", str(tmp_path / "none" / "x.mp4"))
    with pytest.raises(ValueError, match="Unknown codec"):
        Mp4Muxer("vp9", str(path))
    for bad in (7, None, object()):
        with pytest.raises(TypeError):
            Mp4Muxer(bad, str(path))  # type: ignore[arg-type]

    class Named:
        def name(self) -> str:
            return "JPEG"

    Mp4Muxer(Named(), str(path)).finish()  # type: ignore[arg-type]


def test_times_that_do_not_fit(tmp_path: Path) -> None:
    m = Mp4Muxer("h264", str(tmp_path / "x.mp4"))
    for bad in (-1, 1 << 64):
        for name in ("pts_ns", "dts_ns", "duration_ns"):
            with pytest.raises(OverflowError):
                m.push(b"", **({"pts_ns": 0} | {name: bad}))
    with pytest.raises(TypeError):
        m.push(b"", 1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        m.push("text", 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", ["h264", "hevc", "jpeg", "av1", "png"])
def test_garbage_raises_and_leaves_nothing(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "x.mp4"
    m = Mp4Muxer(codec, str(path))
    for garbage in (b"\xff" * 64, b"never was video") + ((bytes(64),) if codec != "av1" else ()):
        with pytest.raises(RuntimeError, match="Push failed"):
            m.push(garbage, 0)
    m.finish()
    assert not path.exists()
    Mp4Muxer(codec, str(path)).finish()
    assert not path.exists()


@pytest.mark.parametrize(
    ("codec", "extra", "rate", "tag"),
    [
        ("h264", "-bf 2 -x264-params b-adapt=0", "30", "avc1"),
        ("h264", "-bf 0", "60000/1001", "avc1"),
        ("hevc", "-bf 3", "25", "hvc1"),
        ("av1", "", "30", "av01"),
        ("jpeg", "", "10", "jpeg"),
        ("png", "", "10", "png "),
    ],
)
@pytest.mark.parametrize("dts", [True, False])
def test_others_read_it(tmp_path: Path, codec: str, extra: str, rate: str, tag: str, dts: bool) -> None:
    units = media.encode(codec, 40, rate, extra=extra)
    path = tmp_path / "x.mp4"
    num, _, den = rate.partition("/")
    write(path, codec, units, dts, fps_num=int(num), fps_den=int(den or 1))
    (s,) = media.streams(path)
    assert (s["codec_tag_string"], s["nb_frames"], s["width"], s["height"]) == (tag, "40", 128, 96)
    assert s["avg_frame_rate"] == (rate if den else f"{rate}/1")
    scale = int(s["time_base"].partition("/")[2])
    start = min(u.pts for u in units)
    got = media.packets(path)
    assert [int(p["pts"]) for p in got] == [round((u.pts - start) * scale / 1e9) for u in units]
    assert [int(p["dts"]) for p in got] == [round((u.dts - start) * scale / 1e9) for u in units]
    assert len(media.decode(path)) == 40
    assert pyav(path) == [
        (round((u.pts - start) * scale / 1e9), round((u.dts - start) * scale / 1e9)) for u in units
    ]
    gst_frames(path, codec, units)


def pyav(path: Path) -> list[tuple[int | None, int | None]]:
    """The times of the packets that PyAV reads; it must decode as many pictures."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as c:
        times = [(p.pts, p.dts) for p in c.demux(video=0) if p.size]
    with av.open(str(path)) as c:
        assert len(list(c.decode(video=0))) == len(times)
    return times


def gst_frames(path: Path, codec: str, units: Any) -> None:
    """GStreamer's qtdemux delivers every frame, with its times."""
    media.need("gst-launch-1.0")
    args = ["gst-launch-1.0", "-v", "filesrc", f"location={path}", "!", "qtdemux", "!"]
    out = subprocess.run(
        [*args, "fakesink", "silent=false", "sync=false"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    # Its times count from the first decode time; that the first picture begins the segment is not printed.
    first = min(u.pts for u in units)
    got = [_ns(t) for t in re.findall(r"chain   .*?pts: (\S+?),", out)]
    assert len(got) == len(units), out[-500:]
    for at, u in zip((t - min(got) for t in got), units, strict=True):
        assert abs(at - (u.pts - first)) < 100_000, f"{at} for {u.pts - first} ns"


def _ns(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 3600 + int(minutes) * 60) * 10**9 + int(seconds.replace(".", ""))


def test_dropped_muxer_finishes(tmp_path: Path) -> None:
    units = media.encode("h264")
    m = Mp4Muxer("h264", str(tmp_path / "x.mp4"))
    for u in units:
        m.push(u.data, u.pts, u.dts)
    del m
    gc.collect()
    assert len(media.decode(tmp_path / "x.mp4")) == 30


def test_unfinished_at_exit(tmp_path: Path) -> None:
    data = tmp_path / "au"
    data.write_bytes(media.encode("h264")[0].data)
    code = f"from tstrans.mp4 import Mp4Muxer; m = Mp4Muxer('h264', {str(tmp_path / 'x.mp4')!r})\n"
    code += f"m.push(open({str(data)!r}, 'rb').read(), 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(media.decode(tmp_path / "x.mp4")) == 1


def test_two_threads(tmp_path: Path) -> None:
    units = media.encode("jpeg")
    m = Mp4Muxer("jpeg", str(tmp_path / "x.mp4"))
    lock, left = threading.Lock(), list(units)

    def work() -> None:
        while True:
            with lock:
                if not left:
                    return
                u = left.pop(0)
                m.push(u.data, u.pts)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    m.finish()
    assert len(media.decode(tmp_path / "x.mp4")) == len(units)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_disk() -> None:
    unit = media.encode("jpeg")[0]
    m = Mp4Muxer("jpeg", "/dev/full")
    with pytest.raises(RuntimeError, match=r"[Nn]o space left") as e:
        for i in range(3000):
            m.push(unit.data, i * 40_000_000)
    assert isinstance(e.value, mp4.Mp4Error)
    assert e.value.errno == 28
    with pytest.raises(RuntimeError):
        m.finish()


_WRITER = """
import sys
sys.path.insert(0, {tests!r})
import pickle
from tstrans.mp4 import Mp4Muxer
units = pickle.load(open({units!r}, "rb"))
m = Mp4Muxer("h264", {path!r})
print("go", flush=True)
n = 0
while True:
    for data, pts, dts in units:
        m.push(data, n * 10**9 + pts, n * 10**9 + dts)
    n += 1
    print(n, flush=True)
"""


def test_killed_at_random_points(tmp_path: Path) -> None:
    """Twenty writers die without a word; what is on disk plays, up to the last second before."""
    units = [(u.data, u.pts, u.dts) for u in media.encode("h264", 30, extra="-bf 2")]
    (tmp_path / "u").write_bytes(pickle.dumps(units))
    seed = random.Random(20)
    for i in range(20):
        path = tmp_path / f"{i}.mp4"
        code = _WRITER.format(tests=str(Path(__file__).parent), units=str(tmp_path / "u"), path=str(path))
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as p:
            assert p.stdout is not None
            assert p.stdout.readline() == "go\n"
            # Some die after so many seconds of video, some in the middle of a write.
            for _ in range(seed.randrange(2, 40)):
                last = int(p.stdout.readline())
            end = time.monotonic() + seed.random() * 0.01
            while time.monotonic() < end:
                pass
            p.send_signal(signal.SIGKILL)
            last = max([last, *map(int, p.stdout.read().split())])
        n = len(media.decode(path))
        assert n >= (last - 2) * 30, f"writer {i}: {n} frames play of {last} seconds"


def test_documented_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the module page, as its docstring reads once Python took the backslashes."""
    seed = SHARED / "seeds" / "savant_gstreamer.txt"
    if not seed.exists():
        pytest.skip("the page is not here")
    text = seed.read_text()
    start = text.index("from savant_rs.gstreamer import Mp4Muxer, Codec")
    code = text[start : text.index("muxer.finish()", start) + len("muxer.finish()")].replace("\\\\", "\\")
    package = type(sys)("savant_rs")
    monkeypatch.setitem(sys.modules, "savant_rs", package)
    monkeypatch.setitem(sys.modules, "savant_rs.gstreamer", mp4)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["muxer"].is_finished
    # And with a picture where the page has an ellipsis.
    unit = media.encode("hevc")[0]
    code = code.replace('b"\\x00\\x00\\x00\\x01..."', "unit").replace(
        "/tmp/out.mp4", str(tmp_path / "out.mp4")
    )
    exec(code, {"unit": unit.data})
    assert len(media.decode(tmp_path / "out.mp4")) == 1
    # Everything the page lists is there.
    for line in text.splitlines():
        cls, eq, value = line.partition(" = ")
        owner, _, member = value.partition(".")
        if eq and cls.isidentifier() and member.isidentifier():
            assert repr(getattr(getattr(mp4, owner), member)) == value
