"""Writing for a long time takes no more memory than writing for a short one.

Each case runs in a process of its own and says how much larger it was at the end than half way.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

if not Path("/proc/self/statm").exists():
    pytest.skip("no /proc here", allow_module_level=True)

#: What a process may grow, in MiB. The runs write some hundred MiB.
ROOM = 3
#: TSTRANS_SOAK writes ten times as much.
ROUNDS = 2000 if os.environ.get("TSTRANS_SOAK") else 200

_COMMON = """
import os, sys
from tstrans.mpegts import *
NAL = b"\\0\\0\\0\\1\\x65" + bytes(range(1, 251)) * 80
ROUNDS = int(sys.argv[1])
OUT = sys.argv[2]

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

def muxer(**config):
    b = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264)
    b.add_audio(0x102, AudioCodec.AAC).add_klv(0x103, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
    return Muxer(MuxerConfig.builder().add_program(b.build()).build())

def second(m, n, before=lambda: None):
    # A second of stream, from shortly before the clock wraps.
    for i in range(30):
        at = Pts90khz((1 << 33) - 900_000 + 90_000 * n + 3000 * i)
        before()
        m.push_video(NAL, pts=at, key_frame=i == 0)
        m.push_audio(b"\\xff\\xf1" + bytes(300), pts=at)
        for k in range(4):
            m.push_klv(bytes(200 + k), pts=at)

def run(step, rounds=ROUNDS):
    for n in range(rounds):
        if n == rounds // 2:
            start = resident()
        step(n)
    print(resident() - start)
"""

CASES = {
    "to a file": """
with muxer().write_file("/dev/null") as proxy:
    run(lambda n: second(proxy, n))
""",
    "into a buffer": """
m, out = muxer(), bytearray(188 * 1000)
def drain():
    while m.pull(out):
        pass
run(lambda n: second(m, n, drain))
""",
    "to an object of Python": """
class Sink:
    def write(self, data):
        return len(data)
proxy = MuxerDrainProxy(muxer(), Sink())
run(lambda n: second(proxy, n))
""",
    "a muxer after the other": """
def one(n):
    with muxer().write_file(OUT) as proxy:
        for i in range(10):
            proxy.push_video(NAL, pts=Pts90khz(3000 * i))
            proxy.push_klv(b"klv", pts=Pts90khz(3000 * i))
run(one)
""",
    "refused pushes": """
m = muxer()
def one(n):
    for bad in (b"", bytes(1000), b"\\0\\0\\1"):
        for _ in range(20):
            try:
                m.push_video(bad, pts=Pts90khz(0))
            except MuxError:
                pass
from tstrans.exceptions import MuxError
run(one, 5 * ROUNDS)
""",
    "transmux": """
from tstrans.io import transmux
with muxer().write_file(OUT) as proxy:
    for n in range(5):
        second(proxy, n)
def one(n):
    with transmux(OUT, OUT + ".copy") as tx:
        for e in tx:
            tx.write(e)
run(one, ROUNDS // 4)
""",
    "telemetry live": """
from tstrans.telemetry import KlvInserter
m, inserter = muxer(), KlvInserter()
def one(n):
    second(m, n)
    out = bytearray(188 * m.pending_packets())
    m.pull(out)
    inserter.record({"timestamp_us": 1_700_000_000_000_000 + n})
    inserter.feed(out)
run(one)
""",
    # The table of samples grows with them: 12 bytes each, by doubling.
    "MP4": """
from tstrans.mp4 import Mp4Muxer
jpeg = bytes.fromhex("ffd8ffc00011080010001003011100021101031101ffd9") + bytes(1000)
m = Mp4Muxer("jpeg", OUT)
def one(n):
    for i in range(30):
        m.push(jpeg, (n * 30 + i) * 33_333_333)
run(one)
""",
}


@pytest.mark.parametrize("case", CASES)
def test_memory_is_flat(case: str, tmp_path: Path) -> None:
    code = _COMMON + CASES[case]
    run = subprocess.run(
        [sys.executable, "-c", code, str(ROUNDS), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert float(run.stdout) < ROOM, f"{case}: grew by {run.stdout} MiB"
