"""``tstrans klv``: its formats, its exit codes, and what it does to files that are there."""

from __future__ import annotations

import csv
import io as stdio
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tstrans import geo, io, klv
from tstrans._cli import main

ROOT = Path(__file__).resolve().parents[2]
DEMO = str(ROOT / "testdata" / "demo.ts")
GST = str(ROOT / "testdata" / "gst_klv.ts")


def records() -> list[klv.UasDatalinkLs]:
    return [r for _, _, r in io.iter_uas_datalink(DEMO)]


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["klv", *args])
    got = capsys.readouterr()
    return code, got.out, got.err


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, DEMO)
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 41)
    # This KLV runs beside the video without a PTS: there is no such column then.
    assert lines[0].split()[:3] == ["#", "timestamp_us", "platform_designation"]
    assert lines[1].split()[:4] == ["0", "1767225600000000", "tstrans", "demo"]
    assert f"{records()[0].sensor_lat_deg:.7f}" in lines[1]


def test_chosen_fields_and_limit(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, DEMO, "--fields", "sensor_lat_deg,wind_speed", "-n", "2")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["#", "pts", "sensor_lat_deg", "wind_speed"],
        *([str(i), f"{r.sensor_lat_deg:.7f}"] for i, r in enumerate(records()[:2])),
    ]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, DEMO, "--json")
    got = json.loads(out)
    assert code == 0
    assert (got["schema"], got["time_scale"]) == ("tstrans.klv_records/1", "MISP")
    want = [(None, i) for _, i, _ in io.iter_uas_datalink(DEMO)]
    assert [(r["pts_90k"], r["index"]) for r in got["records"]] == want
    first = got["records"][0]["fields"]
    assert first["sensor_lat_deg"] == pytest.approx(records()[0].sensor_lat_deg, abs=1e-9)
    assert first["universal_label"] == klv.ST_0601_UL.hex()
    assert "wind_speed" not in first


def test_jsonl(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, GST, "--format", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {line["schema"] for line in lines} == {"tstrans.klv/1"}
    assert len(lines) == len(list(io.iter_uas_datalink(GST)))
    want = [p.raw for p, _, _ in io.iter_uas_datalink(GST)]
    assert [line["pts_90k"] or 0 for line in lines] == want
    # Only KLV that runs beside the video may be without a time of its own.
    assert not any(line["pts_90k"] is None and line["synchronous"] for line in lines)


@pytest.mark.parametrize("to_file", [False, True])
def test_csv(capsys: pytest.CaptureFixture[str], tmp_path: Path, to_file: bool) -> None:
    path = tmp_path / "x.csv"
    code, out, _ = run(capsys, DEMO, "--format", "csv", *(["-o", str(path)] if to_file else []))
    assert code == 0
    want = stdio.StringIO()
    geo.write_csv(DEMO, want)
    assert (path.read_text() if to_file else out) == want.getvalue()
    assert os.listdir(tmp_path) == (["x.csv"] if to_file else [])


def test_geojson(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, DEMO, "--format", "geojson", "--parts", "track,footprint", "--every", "10")
    assert code == 0
    assert json.loads(out) == geo.to_geojson(DEMO, parts=["track", "footprint"], every=10)
    code, out, _ = run(capsys, DEMO, "--format", "geojson", "--leap-seconds", "29", "--fields", "mission_id")
    got = json.loads(out)["features"][1]["properties"]
    assert got["time_utc"] == "2025-12-31T23:59:31.000000Z"
    assert got["mission_id"] == "DEMO-01"
    assert "platform_heading_deg" not in got


def test_parquet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    code, _, _ = run(capsys, DEMO, "--format", "parquet", "-o", str(path), "--geometry", "footprint")
    assert code == 0
    about = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert about["primary_column"] == "footprint"
    assert pq.read_metadata(path).num_rows == 40


def test_parquet_to_a_pipe(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    command = [sys.executable, "-m", "tstrans", "klv", DEMO, "--format", "parquet"]
    got = subprocess.run(command, capture_output=True, check=True).stdout
    (tmp_path / "x").write_bytes(got)
    assert pq.read_metadata(tmp_path / "x").num_rows == 40


def test_cot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    marks = {"mission_id": "M", "platform_designation": "P", "sensor_lat_deg": 1.0, "sensor_lon_deg": 2.0}
    packets = [
        klv.encode_uas_datalink(
            klv.UasDatalinkLs(timestamp_us=10**15 + i * 1_000_000, sensor_ellipsoid_height_m=9.0, **marks)
        )
        for i in range(11)
    ]
    (tmp_path / "x.klv").write_bytes(b"".join(packets))
    code, out, _ = run(capsys, str(tmp_path / "x.klv"), "--format", "cot")
    assert code == 0
    assert len([ET.fromstring(line) for line in out.splitlines()]) == 3
    code, out, _ = run(capsys, str(tmp_path / "x.klv"), "--format", "cot", "--interval", "0")
    assert len(out.splitlines()) == 11


def test_standard_input() -> None:
    with open(DEMO, "rb") as f:
        command = [sys.executable, "-m", "tstrans", "klv", "-", "--format", "jsonl"]
        got = subprocess.run(command, stdin=f, capture_output=True, check=True)
    assert len(got.stdout.splitlines()) == 40
    assert got.stderr == b""


def test_bare_klv(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x.klv"
    path.write_bytes(b"".join(klv.encode_uas_datalink(r) for r in records()))
    for form in ("jsonl", "csv"):
        code, out, _ = run(capsys, str(path), "--format", form)
        assert (code, len(out.splitlines())) == (0, 40 + (form == "csv"))
    assert "pid" not in json.loads(run(capsys, str(path), "--format", "jsonl")[1].splitlines()[0])


def test_pid(capsys: pytest.CaptureFixture[str]) -> None:
    (pid,) = {e.stream.pid for e in io.parse_file(DEMO) if hasattr(e, "was_reassembled")}
    for form in ("jsonl", "csv"):
        assert len(run(capsys, DEMO, "--pid", hex(pid), "--format", form)[1].splitlines()) >= 40
        assert len(run(capsys, DEMO, "--pid", str(pid + 1), "--format", form)[1].splitlines()) <= 1


# ---- files that are there, and what goes wrong ------------------------------------


def test_does_not_overwrite(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("precious")
    code, out, err = run(capsys, DEMO, "--json", "-o", str(path))
    assert (code, out, path.read_text()) == (1, "", "precious")
    assert "--force" in err
    code, out, _ = run(capsys, DEMO, "--json", "-o", str(path), "--force")
    assert (code, out) == (0, "")
    assert len(json.loads(path.read_text())["records"]) == 40
    assert os.listdir(tmp_path) == ["x.json"]


def test_a_failure_leaves_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, str(tmp_path / "none.ts"), "--format", "csv", "-o", str(tmp_path / "x.csv"))
    assert code == 1
    assert "none.ts" in err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("form", ["table", "jsonl", "csv", "geojson"])
def test_malformed_records_are_told_and_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    good = [klv.encode_uas_datalink(r) for r in records()[:9]]
    bad = [p[:-1] + bytes([p[-1] ^ 1]) for p in good[1:8]]
    path = tmp_path / "x.klv"
    path.write_bytes(b"".join([good[0], *bad, good[8]]))
    code, out, err = run(capsys, str(path), "--format", form)
    assert code == 1
    assert err.startswith("tstrans klv: ")
    if form == "jsonl":
        assert len(out.splitlines()) == 2
        assert "KLV unit 1: " in err
        assert err.splitlines()[-1] == "tstrans klv: and 2 more"
    code, again, err = run(capsys, str(path), "--format", form, "--quiet")
    assert (code, again, err) == (1, out, "")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--fields", "altitude"], "no field of ST 0601 has the name altitude"),
        (["--parts", "tracks", "--format", "geojson"], "--parts takes"),
        (["--every", "0", "--format", "geojson"], "--every"),
        (["--format", "shapefile"], "invalid choice"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], args: list[str], says: str) -> None:
    code, out, err = run(capsys, DEMO, *args)
    assert (code, out) == (2, "")
    assert says in err


def test_no_klv(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_bytes(b"")
    code, out, _ = run(capsys, str(tmp_path / "x.ts"), "--format", "geojson")
    assert (code, json.loads(out)["features"]) == (0, [])
    assert run(capsys, str(tmp_path / "x.ts"))[:2] == (0, "")


@pytest.mark.parametrize("form", ["table", "jsonl", "json"])
def test_text_needs_no_numpy(form: str) -> None:
    code = f"""
import sys
sys.modules["numpy"] = sys.modules["pandas"] = None
from tstrans._cli import main
sys.exit(main(["klv", {DEMO!r}, "--format", {form!r}]))
"""
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(got.stdout.splitlines()) >= 40


def test_maps_without_numpy_name_the_extra() -> None:
    code = f"""
import sys
sys.modules["numpy"] = None
from tstrans._cli import main
sys.exit(main(["klv", {DEMO!r}, "--format", "geojson"]))
"""
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert got.returncode == 1
    assert "tstrans[pandas]" in got.stderr
    assert "Traceback" not in got.stderr


def test_csv_is_csv(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(stdio.StringIO(run(capsys, DEMO, "--format", "csv")[1])))
    assert [float(r["sensor_lon_deg"]) for r in rows] == pytest.approx(
        [r.sensor_lon_deg for r in records()], abs=1e-9
    )
