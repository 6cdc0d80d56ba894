"""The command line: tables, JSON schemas, exit codes, pipes."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

import pytest
from tsbuild import KLV, VIDEO, Writer, klv, small
from tstrans import __version__
from tstrans._cli import COMMANDS, main


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    p = tmp_path / "small.ts"
    p.write_bytes(small())
    return str(p)


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tstrans", *arguments], input=stdin, capture_output=True, timeout=60
    )


def test_probe_table(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", path]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "1 program" in out
    assert "Program 1 (PMT 0x0100, clock 0x0101)" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("  0x")}
    assert rows["0x0101"].split()[1:5] == ["0x1b", "video", "H264", "3"]
    assert "1 random access point" in rows["0x0101"]
    assert "3 x ST 0601 UAS datalink" in rows["0x0102"]
    assert "describes 0x0101 (inferred)" in rows["0x0102"]
    assert "Events: 8 (1 program_map, 3 video, 1 audio, 3 klv)" in out
    assert "First events" in out
    assert "\033" not in out


def test_probe_json(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--json", "--first-events", "2", path]) == 0
    doc = json.loads(capsys.readouterr().out)
    assert doc["schema"] == "tstrans.probe/1"
    assert doc["size_bytes"] == doc["bytes_read"] == doc["packets"] * 188
    (program,) = doc["programs"]
    assert (program["program_number"], program["pmt_pid"], program["pcr_pid"]) == (1, 0x100, 0x101)
    assert program["klv_links"] == [{"klv_pid": 258, "video_pid": 257, "source": "inferred"}]
    video, record, audio = program["streams"]
    assert (video["codec"], video["units"], video["bytes"]) == ("h264", 3, 915)
    assert (video["first_pts_90k"], video["last_pts_90k"], video["duration_s"]) == (90000, 96000, 0.066667)
    assert (video["random_access_points"], video["units_per_s"]) == (1, 30.0)
    assert record["klv_sets"] == {klv()[:16].hex(): 3}
    assert record["descriptors"] == [{"tag": 5, "data": b"KLVA".hex()}]
    assert audio["duration_s"] == 0
    assert [e["event"] for e in doc["first_events"]] == ["program_map", "klv"]
    assert doc["events"]["video"] == 3


def test_probe_jsonl_is_one_line(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--format", "jsonl", path]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert main(["probe", "--json", path]) == 0
    assert json.loads(line) == json.loads(capsys.readouterr().out)


def test_progress(path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar on a terminal only, gone when the work is done, and none without tqdm."""
    from tstrans._cli import _common

    monkeypatch.setattr(_common, "_PROGRESS_FROM", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["probe", path]) == 0
    with_bar = capsys.readouterr()
    assert "B/s" in with_bar.err
    assert main(["probe", "--quiet", path]) == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == (with_bar.out, "")
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(["probe", path]) == 0
    assert capsys.readouterr().err == ""


def test_events_formats(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", path]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["#", "event", "PID", "pts", "dts", "bytes"]
    assert len(table) == 9
    assert main(["events", "--format", "json", path]) == 0
    doc = json.loads(capsys.readouterr().out)
    assert doc["schema"] == "tstrans.events/1"
    assert main(["events", "--format", "jsonl", path]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {o.pop("schema") for o in lines} == {"tstrans.event/1"}
    assert lines == doc["events"]
    assert [o["index"] for o in lines] == list(range(8))


def test_events_choice(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    def chosen(*options: str) -> list[dict[str, Any]]:
        assert main(["events", "--format", "jsonl", *options, path]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [o["event"] for o in chosen("--pid", "0x103")] == ["audio"]
    assert {o["pid"] for o in chosen("--pid", "257", "--pid", "258")} == {VIDEO, KLV}
    assert len(chosen("--event", "klv", "-n", "2")) == 2
    assert chosen("-n", "0") == []
    (first, *_) = chosen("--event", "klv", "--digest")
    assert first["sha256"] == hashlib.sha256(klv()).hexdigest()
    assert first["pts_90k"] == 90100


def test_a_record_without_time(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    p = tmp_path / "untimed.ts"
    p.write_bytes(Writer().tables().klv(None).klv(0).bytes())
    assert main(["events", "--format", "jsonl", "--event", "klv", str(p)]) == 0
    times = [json.loads(line)["pts_90k"] for line in capsys.readouterr().out.splitlines()]
    assert times == [None, 0]


def test_standard_input(path: str) -> None:
    from_file = run("events", "--format", "jsonl", path)
    from_pipe = run("events", "--format", "jsonl", "-", stdin=pathlib.Path(path).read_bytes())
    assert from_file.returncode == from_pipe.returncode == 0
    assert from_file.stdout == from_pipe.stdout
    assert from_pipe.stderr == b""
    probed = run("probe", "--json", "-", stdin=pathlib.Path(path).read_bytes())
    assert json.loads(probed.stdout)["size_bytes"] == os.stat(path).st_size


@pytest.mark.parametrize("command", ["probe", "events", "klv", "watch"])  # those that take one FILE
def test_exit_codes(command: str, tmp_path: pathlib.Path) -> None:
    missing = run(command, str(tmp_path / "missing.ts"))
    assert missing.returncode == 1
    assert missing.stderr.startswith(b"tstrans: error: ")
    assert b"Traceback" not in missing.stderr
    assert run(command).returncode == 2
    assert run(command, "--no-such-option", "x").returncode == 2
    assert run(command, "--help").returncode == 0


def test_usage() -> None:
    assert run().returncode == 2
    assert run("no-such-command").returncode == 2
    overview = run("--help")
    assert overview.returncode == 0
    for name in COMMANDS:
        assert name.encode() in overview.stdout
    assert run("--version").stdout.decode().strip() == f"tstrans {__version__}"


def test_problem_with_the_input(tmp_path: pathlib.Path) -> None:
    p = tmp_path / "junk"
    p.write_bytes(bytes(10_000))
    got = run("probe", str(p))
    assert (got.returncode, got.stdout) == (1, b"")
    assert b"sync" in got.stderr
    p.write_bytes(b"")
    got = run("probe", str(p))
    assert got.returncode == 1
    assert b"no program map" in got.stderr
    assert run("probe", "--quiet", str(p)).stderr == b""


def test_the_reader_of_our_output_goes_away(tmp_path: pathlib.Path) -> None:
    p = tmp_path / "long.ts"
    w = Writer().tables()
    for i in range(20_000):
        w.klv(i)
    p.write_bytes(w.bytes())
    with subprocess.Popen(
        [sys.executable, "-m", "tstrans", "events", str(p)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ours:
        assert ours.stdout is not None
        assert ours.stderr is not None
        ours.stdout.readline()
        ours.stdout.close()
        assert ours.stderr.read() == b""
        assert ours.wait(60) == 141


def test_interrupt(tmp_path: pathlib.Path) -> None:
    p = tmp_path / "fifo"
    os.mkfifo(p)
    with subprocess.Popen(
        [sys.executable, "-m", "tstrans", "events", str(p)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ours:
        # Opening for writing waits for the reader: from here on it runs. It then waits for data.
        with p.open("wb", buffering=0) as f:
            f.write(small())
            ours.send_signal(signal.SIGINT)
            assert ours.wait(60) == 130
        assert ours.stderr is not None
        assert ours.stderr.read() == b""
