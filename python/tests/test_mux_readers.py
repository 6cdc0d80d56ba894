"""Every kind of stream and every pair of kinds, as others read them.

Each reader is asked for the type, descriptors and language of each stream, and for the times and the bytes of
each packet. What a reader does not carry is listed beside it, with the reason, and nothing else is left out.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import media
import mux_kinds
import pytest
from mux_kinds import CLOCK, FIRST, KINDS, Kind

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

#: What is compared: PID to (type, descriptors, language, [(pts, dts, bytes)]); a part is None where the
#: reader has no word for it.
Stream = tuple[Any, Any, Any, list[tuple[Any, Any, Any]]]

_RAW = "av1 raw"


def _files() -> list[tuple[Kind, ...]]:
    pairs = list(itertools.combinations_with_replacement(KINDS, 2))
    # One muxer has one way of carrying AV1.
    pairs = [p for p in pairs if {k.name for k in p} != {"av1", _RAW}]
    return [(k,) for k in KINDS] + pairs


@dataclass(frozen=True)
class Corpus:
    """The files, and the kinds in each."""

    files: dict[Path, tuple[Kind, ...]]

    def __iter__(self) -> Any:
        return iter(self.files)

    def sample(self) -> dict[Path, tuple[Kind, ...]]:
        """For readers that take a process a file: each kind alone, twice, and beside the next one.

        TSTRANS_SOAK gives all.
        """
        if os.environ.get("TSTRANS_SOAK"):
            return self.files
        at = KINDS.index
        return {p: k for p, k in self.files.items() if at(k[-1]) - at(k[0]) <= 1}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    media.need("ffmpeg", "ffprobe")
    d = tmp_path_factory.mktemp("pairs")
    files = {}
    for i, kinds in enumerate(_files()):
        path = d / f"{i:03d}.ts"
        mux_kinds.write(path, kinds)
        files[path] = kinds
    return Corpus(files)


def check(
    name: str, path: Path, kinds: tuple[Kind, ...], got: dict[int, Stream], want: dict[int, Stream]
) -> None:
    where = f"{name}, {' + '.join(k.name for k in kinds)}"
    assert got.keys() == want.keys(), where
    for pid, (stream_type, descriptors, language, samples) in want.items():
        assert got[pid][:3] == (stream_type, descriptors, language), f"{where}, PID {pid:#x}"
        assert len(got[pid][3]) == len(samples), f"{where}, PID {pid:#x}"
        for i, (a, b) in enumerate(zip(got[pid][3], samples, strict=True)):
            assert a == b, f"{where}, PID {pid:#x}, sample {i}"


def lines(*command: Any, env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    run = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env=env, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


# demuxers of this kind: ours and the peers'


def interpreter(name: str) -> str:
    if name == "ours":
        return sys.executable
    found = ROOT / "build" / "interop" / "env" / name / "bin" / "python"
    if not found.exists():
        pytest.skip(f"{name} is not installed: make peers")
    return str(found)


#: What demuxers of elementary streams give of a payload: DVB subtitles come without their frame, KLV without
#: its cell, AV1 as it is in the packet.
def _sample_bytes(k: Kind, i: int, data: bytes) -> bytes:
    if k.name in ("dvb subtitles", "klv sync"):
        return data
    return k.wire(i, data)


#: Events have times always: 0 where the packets have none.
@pytest.mark.parametrize("reader", ["ours", "wheel02", "wheel08"])
def test_event_demuxers(corpus: Corpus, reader: str) -> None:
    env = dict(os.environ)
    if reader != "ours":
        env.pop("PYTHONPATH", None)
    raw = [p for p, kinds in corpus.files.items() if any(k.name == _RAW for k in kinds)]
    plain = [p for p in corpus if p not in raw]
    worker = HERE / "interop" / "worker_events.py"
    for line in lines(interpreter(reader), worker, *plain, "--raw-av1", *raw, env=env):
        path = Path(line["file"])
        kinds = corpus.files[path]
        wanted = mux_kinds.streams(kinds)
        want, got = {}, {}
        for pid, k in wanted.items():
            samples = [
                (pts if k.has_pts else 0, dts, _sample_bytes(k, i, data).hex())
                for i, (pts, dts, _, data) in enumerate(k.units())
            ]
            language = k.language or None
            want[pid] = (k.stream_type, [[t, b.hex()] for t, b in k.descriptors], language, samples)
            s = line["streams"][str(pid)]
            named = next((b for t, b in s["descriptors"] if t in (0x0A, 0x56, 0x59)), "")
            got[pid] = (
                s["type"],
                s["descriptors"],
                bytes.fromhex(named[:6]).decode() or None,
                [tuple(x) for x in line["samples"].get(str(pid), [])],
            )
        check(reader, path, kinds, got, want)
        # Without exactly one video, nothing says which picture KLV describes.
        videos = sum(k.push == "video" for k in wanted.values())
        klvs = any(k.push == "klv" for k in wanted.values())
        allowed = {"_NonConformantEvent MISSING_METADATA_DESCRIPTOR"} if klvs and videos != 1 else set()
        assert set(line["remarks"]) <= allowed, (reader, [k.name for k in kinds])
        first = next((p for p, k in wanted.items() if k.push == "video"), None)
        first = first or next(p for p, k in wanted.items() if k.clocked)
        assert line["pcr_pid"] == first


# go-astits


def test_astits(corpus: Corpus, tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    program = tmp_path / "astitsdump"
    subprocess.run(
        ["go", "build", "-o", program, "./core/internal/astitsdump"], cwd=ROOT, timeout=300, check=True
    )
    for line in lines(program, *corpus):
        path = Path(line["file"])
        kinds = corpus.files[path]
        want, got = {}, {}
        for pid, k in mux_kinds.streams(kinds).items():
            samples = [
                (pts if k.has_pts else None, dts, k.wire(i, data).hex())
                for i, (pts, dts, _, data) in enumerate(k.units())
            ]
            # It names the language of audio alone.
            language = k.language if k.push == "audio" else ""
            want[pid] = (k.stream_type, [[t, len(b)] for t, b in k.descriptors], language, samples)
            s = line["streams"][str(pid)]
            times = [(x["pts"], x["dts"], x["data"]) for x in s["samples"]]
            got[pid] = (s["type"], s["descriptors"], s["language"], times)
        check("go-astits", path, kinds, got, want)


# GStreamer

#: Kinds that GStreamer's tsdemux has no pad for (as of 1.22); their PMT entries are compared all the same.
NO_PAD = {
    "h266": "stream_type 0x33 is unknown to it",
    "av1": "the registration AV01 is unknown to it",
    "av1 raw": "the registration AV01 is unknown to it",
    "klv sync": "stream_type 0x15 is unknown to it",
    "cea708": "the registration GA94 is unknown to it",
    "webvtt": "the registration VTTC is unknown to it",
    "data": "private stream types have no caps",
    "data untimed": "private data without a registration has no caps",
}
_SYSTEM_PYTHON = "/usr/bin/python3"


_GST_VERSION = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstMpegts", "1.0")
from gi.repository import Gst, GstMpegts
print(*Gst.version())
"""


@functools.lru_cache(maxsize=1)
def _gst_version() -> tuple[int, ...]:
    command = [_SYSTEM_PYTHON, "-c", _GST_VERSION]
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    except FileNotFoundError:
        return ()
    return tuple(map(int, out.split()))


def test_gstreamer(corpus: Corpus) -> None:
    if not _gst_version():
        pytest.skip("GStreamer's Python bindings are not installed")
    known = _gst_version() < (1, 23)
    for line in lines(_SYSTEM_PYTHON, HERE / "interop" / "worker_gst.py", *corpus):
        path = Path(line["file"])
        kinds = corpus.files[path]
        wanted = mux_kinds.streams(kinds)
        shown = {p for p, k in wanted.items() if k.name not in NO_PAD}
        if not any(wanted[p].clocked for p in shown):
            shown = set()  # private data beside a video that is unknown to it: it delivers nothing
        if known and shown:
            assert {int(p) for p in line["samples"]} == shown, [k.name for k in kinds]
            assert line["error"] is None, line["error"]
        # Its zero is the first clock reference, which is the time of what was pushed first; what comes before
        # it has no time. Decode times it moves to where its own clock stands: they are not compared.
        pushed = [(d or p, i, p) for i, k in enumerate(wanted.values()) for p, d, _, _ in k.units()]
        zero = min(pushed)[2]
        want, got = {}, {}
        for pid in shown:
            k = wanted[pid]
            samples = line["samples"][str(pid)]
            s = line["streams"][str(pid)]
            want[pid] = (
                k.stream_type,
                [[t, len(b)] for t, b in k.descriptors],
                None,
                [
                    (pts - zero if k.has_pts and pts >= zero else None, None, k.wire(i, data).hex())
                    for i, (pts, _, _, data) in enumerate(k.units())
                ],
            )
            got[pid] = (s["type"], s["descriptors"], None, [(pts, None, data) for pts, _, data in samples])
        check("tsdemux", path, kinds, got, want)
        for pid, k in wanted.items():
            if line["streams"]:
                s = line["streams"][str(pid)]
                assert (s["type"], s["descriptors"]) == (
                    k.stream_type,
                    [[t, len(b)] for t, b in k.descriptors],
                )


# FFmpeg

_CODECS = {
    "h264": "h264", "h265": "hevc", "h266": "unknown", "av1": "bin_data", "av1 raw": "bin_data",
    "mp2": "mp3", "aac": "aac", "aac deu": "aac", "latm": "aac_latm", "ac3": "ac3", "klv sync": "klv",
    "klv": "klv", "klv untimed": "klv", "dvb subtitles": "dvb_subtitle", "teletext": "dvb_teletext",
    "cea708": "bin_data", "webvtt": "bin_data", "data": "unknown", "data untimed": "bin_data",
}  # fmt: skip

#: Remarks of FFmpeg (as of 5.1) on kinds that it does not decode.
REMARKS = {
    "h266": r"probed stream|Could not find codec parameters|Consider increasing|Unsupported codec",
    "data": r"probed stream|Could not find codec parameters|Consider increasing|Unsupported codec",
    "klv untimed": r"start time for stream \d+ is not set",
    "data untimed": r"start time for stream \d+ is not set",
}


def probe(path: Path) -> dict[str, Any]:
    # Without its parsers, a packet of FFmpeg is the payload of a PES packet; it also moves the times of
    # subtitles to its own clock, unless told not to.
    command = "ffprobe -v error -fflags +noparse+nofillin -fix_teletext_pts 0 "
    command += "-show_streams -show_packets -show_data_hash md5 -of json"
    out = subprocess.run([*command.split(), str(path)], capture_output=True, timeout=60, check=True).stdout
    return json.loads(out)  # type: ignore[no-any-return]


def test_ffprobe(corpus: Corpus) -> None:
    files = corpus.sample()
    assert len(files) > 50
    with ThreadPoolExecutor(2) as pool:
        for path, line in zip(files, pool.map(probe, files), strict=True):
            kinds = files[path]
            index = {s["index"]: int(s["id"], 16) for s in line["streams"]}
            samples: dict[int, list[tuple[Any, Any, Any]]] = {pid: [] for pid in index.values()}
            for p in line["packets"]:
                digest = p["data_hash"].removeprefix("MD5:")
                samples[index[p["stream_index"]]].append((p.get("pts"), p.get("dts"), digest))
            want, got = {}, {}
            for pid, k in mux_kinds.streams(kinds).items():
                # It takes the cell off KLV, and says neither types nor descriptors: codecs and languages.
                expect = [
                    (
                        pts if k.has_pts else None,
                        (pts if dts is None else dts) if k.has_pts else None,
                        hashlib.md5(data if k.name == "klv sync" else k.wire(i, data)).hexdigest(),
                    )
                    for i, (pts, dts, _, data) in enumerate(k.units())
                ]
                want[pid] = (_CODECS[k.name], None, k.language or None, expect)
            for s in line["streams"]:
                pid = int(s["id"], 16)
                codec = s.get("codec_name", "unknown")
                got[pid] = (codec, None, s.get("tags", {}).get("language"), samples[pid])
            check("ffprobe", path, kinds, got, want)


#: What FFmpeg (as of 5.1) has no decoder for.
_NOT_DECODED = ("h266", "av1", "av1 raw")


def decode(path: Path) -> str:
    command = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-threads", "1", "-i", str(path)]
    command += ["-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return run.stderr if run.returncode == 0 else f"status {run.returncode}: {run.stderr}"


def test_ffmpeg_decodes_without_a_warning(corpus: Corpus) -> None:
    decoded = {
        path: kinds
        for path, kinds in corpus.sample().items()
        if any(k.clocked and k.name not in _NOT_DECODED for k in mux_kinds.streams(kinds).values())
    }
    assert len(decoded) > 40
    with ThreadPoolExecutor(2) as pool:
        for path, said in zip(decoded, pool.map(decode, decoded), strict=True):
            kinds = decoded[path]
            known = [REMARKS[k.name] for k in kinds if k.name in REMARKS]
            left = [t for t in said.splitlines() if not any(re.search(k, t) for k in known)]
            assert not left, ([k.name for k in kinds], left)


def test_all_kinds_are_there() -> None:
    """The table has each codec and carriage of the package, so that a new one cannot be forgotten."""
    from tstrans.mpegts import AudioCodec, KlvStreamType, SubtitleCodec, VideoCodec

    assert sum(k.push == "video" for k in KINDS) == len(VideoCodec) + 1
    assert sum(k.push == "audio" for k in KINDS) == len(AudioCodec) + 1
    assert sum(k.push == "subtitle" for k in KINDS) == len(SubtitleCodec)
    assert sum(k.push == "klv" for k in KINDS) == len(KlvStreamType) + 1
    assert FIRST < CLOCK
