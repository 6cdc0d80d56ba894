"""Telemetry in: tables of several makes, every kind of video, files and live."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import media
import pytest
from tstrans import klv, mpegts
from tstrans.exceptions import KlvEncodeError
from tstrans.io import extract_klv, iter_uas_datalink, parse_file, probe
from tstrans.mpegts import DemuxEvent, Pts90khz
from tstrans.telemetry import KlvInserter, Record, add_klv, read_records

T0 = 1_700_000_000_000_000


def arcgis(path: Path, n: int = 20) -> Path:
    with path.open("w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["UNIX Time Stamp", "Platform Heading Angle", "Sensor Latitude", "SensorLongitude"])
        w.writerow([])
        for i in range(n):
            w.writerow([T0 + i * 100_000, 10 + i, 47.1 + i * 1e-4, 8.5])
    return path


def dji(path: Path) -> Path:
    header = ["time(millisecond)", "datetime(utc)", "latitude", "longitude", "altitude_above_seaLevel(feet)"]
    header += ["speed(mph)", " compass_heading(degrees)", " pitch(degrees)", " roll(degrees)", "isVideo"]
    header += ["gimbal_heading(degrees)", "gimbal_pitch(degrees)", "gimbal_roll(degrees)"]
    with path.open("w", newline="") as f:
        w = csv.writer(f)
        w.writerow(header)
        for i in range(20):
            date = f"2023-11-14 22:13:{20 + i // 10:02d}"
            w.writerow([5000 + i * 100, date, 47.1, 8.5, 1640.42, 10, -10, 2, 1, int(i >= 5), 20, -45, 1])
    return path


def typed(records: list[Record]) -> list[klv.UasDatalinkLs]:
    return [klv.decode_uas_datalink(r.data) for r in records]


def test_arcgis_table(tmp_path: Path) -> None:
    records = list(read_records(arcgis(tmp_path / "a.csv")))
    assert [r.time_us for r in records] == [T0 + i * 100_000 for i in range(20)]
    first = typed(records)[0]
    assert (first.timestamp_us, first.uas_ls_version) == (T0, 19)
    assert first.platform_heading_deg == pytest.approx(10, abs=0.01)
    assert (first.sensor_lat_deg, first.sensor_lon_deg) == (pytest.approx(47.1), pytest.approx(8.5))


def test_dji_log(tmp_path: Path) -> None:
    records = list(read_records(dji(tmp_path / "d.csv")))
    assert [r.time_us for r in records[:2]] == [T0, T0 + 100_000]
    assert [r.filming for r in records] == [False] * 5 + [True] * 15
    r = typed(records)[0]
    assert r.sensor_alt_m == pytest.approx(500, abs=0.2)
    assert r.platform_ground_speed == pytest.approx(4, abs=1)
    assert r.platform_heading_deg == pytest.approx(350, abs=0.01)
    assert r.sensor_rel_az_deg == pytest.approx(30, abs=0.01)
    assert r.sensor_rel_el_deg == pytest.approx(-47, abs=0.01)


#: Columns as the templates of ArcGIS FMV name them, the long way and the short, and a field each.
FMV = {
    "Precision Time Stamp": "timestamp_us",
    "Mission ID": "mission_id",
    "Platform Tail Number": "platform_tail_number",
    "Platform Heading Angle": "platform_heading_deg",
    "Platform Pitch Angle": "platform_pitch_deg",
    "Platform Roll Angle": "platform_roll_deg",
    "Platform True Airspeed": "platform_true_airspeed",
    "Platform Designation": "platform_designation",
    "Image Source Sensor": "image_source_sensor",
    "Image Coordinate System": "image_coordinate_system",
    "Sensor Latitude": "sensor_lat_deg",
    "Sensor Longitude": "sensor_lon_deg",
    "Sensor True Altitude": "sensor_alt_m",
    "Sensor Horizontal Field of View": "sensor_hfov_deg",
    "Sensor Vertical Field of View": "sensor_vfov_deg",
    "Sensor Relative Azimuth Angle": "sensor_rel_az_deg",
    "Sensor Relative Elevation Angle": "sensor_rel_el_deg",
    "Sensor Relative Roll Angle": "sensor_rel_roll_deg",
    "Slant Range": "slant_range_m",
    "Target Width": "target_width_m",
    "Frame Center Latitude": "frame_center_lat_deg",
    "Frame Center Longitude": "frame_center_lon_deg",
    "Frame Center Elevation": "frame_center_elev_m",
    "Offset Corner Latitude Point 1": "corner_lat_offset_p1_deg",
    "Offset Corner Longitude Point 4": "corner_lon_offset_p4_deg",
    "Corner Latitude Point 2 (Full)": "corner_lat_p2_deg",
    "Target Location Elevation": "target_location_elev_m",
    "Wind Direction": "wind_direction_deg",
    "Density Altitude": "density_altitude_m",
    "Outside Air Temperature": "outside_air_temp_c",
    "Platform Magnetic Heading": "platform_magnetic_heading_deg",
    "UAS LDS Version Number": "uas_ls_version",
    "TimeStamp": "timestamp_us",
    "PlatformHeading": "platform_heading_deg",
    "SensorAltitude": "sensor_alt_m",
    "HorizontalFOV": "sensor_hfov_deg",
    "VerticalFOV": "sensor_vfov_deg",
    "SensorRelativeAzimuth": "sensor_rel_az_deg",
    "LDSVer": "uas_ls_version",
}


@pytest.mark.parametrize("column", FMV)
def test_arcgis_columns(tmp_path: Path, column: str) -> None:
    path = tmp_path / "x.csv"
    time = "UNIX Time Stamp" if FMV[column] != "timestamp_us" else "Sensor Latitude"
    value = T0 if FMV[column] == "timestamp_us" else 0.05 if "Offset" in column else 3
    path.write_text(f"{time},{column}\n{T0 if time[0] == 'U' else 3},{value}\n")
    (r,) = typed(list(read_records(path)))
    got = getattr(r, FMV[column])
    assert got == (str(value) if isinstance(got, str) else pytest.approx(value, rel=0.2))


def test_dji_converted_log(tmp_path: Path) -> None:
    """The other export of DJI's logs: day and time of day apart, time of flight as text and as a number."""
    path = tmp_path / "d.csv"
    header = "CUSTOM.date [local],CUSTOM.updateTime [local],OSD.flyTime,OSD.flyTime [s],"
    header += "OSD.latitude,OSD.longitude,OSD.height [ft],OSD.altitude [ft],OSD.hSpeed [MPH],"
    header += "OSD.pitch,OSD.roll,OSD.yaw,OSD.gpsNum,"
    header += "GIMBAL.pitch,GIMBAL.roll,GIMBAL.yaw,CAMERA.isVideo"
    row = "11/14/2023,10:13:2{s}.5 PM,0m {t}s,{t},47.1,8.5,100,1640.42,10,2,1,-10,17,-45,1,20,{film}"
    rows = [row.format(s=i // 10, t=1 + i / 10, film=i >= 5) for i in range(20)]
    path.write_text("\n".join([header, *rows]) + "\n")
    records = list(read_records(path))
    assert [r.time_us for r in records] == [T0 + 500_000 + i * 100_000 for i in range(20)]
    assert [r.filming for r in records] == [False] * 5 + [True] * 15
    r = typed(records)[0]
    assert r.sensor_alt_m == pytest.approx(500, abs=0.2)
    assert r.altitude_agl_m == pytest.approx(30.48, abs=0.5)
    assert (r.navsats_in_view, r.platform_ground_speed) == (17, pytest.approx(4, abs=1))
    assert r.sensor_rel_az_deg == pytest.approx(30, abs=0.01)
    assert r.sensor_rel_el_deg == pytest.approx(-47, abs=0.01)


def test_json_and_klv(tmp_path: Path) -> None:
    rows = [{"timestamp_us": T0 + i, "sensor_lat_deg": 1.5, "Mission ID": "M"} for i in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    a, b = list(read_records(tmp_path / "a.json")), list(read_records(tmp_path / "b.jsonl"))
    assert a == b
    assert typed(a)[2].mission_id == "M"
    (tmp_path / "c.klv").write_bytes(b"".join(r.data for r in a))
    assert list(read_records(tmp_path / "c.klv")) == a
    (tmp_path / "c.klv").write_bytes(b"".join(r.data for r in a)[:-1])
    with pytest.raises(ValueError, match="runs past the end"):
        list(read_records(tmp_path / "c.klv"))


def test_given_columns_and_unknown_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("when;breite\n2023-11-14T22:13:20Z;47.5\n")
    with pytest.raises(ValueError, match="no column"):
        list(read_records(path))
    with pytest.raises(ValueError, match="no field"):
        list(read_records(path, {"breite": "nothing"}))
    (r,) = read_records(path, {"breite": "sensor_lat_deg", "when": "timestamp_us"})
    assert (r.time_us, typed([r])[0].sensor_lat_deg) == (T0, pytest.approx(47.5))


def test_cells_of_all_makes(tmp_path: Path) -> None:
    """Numbers as spreadsheets write them; what is no number is left out."""
    path = tmp_path / "x.csv"
    path.write_text(
        "UNIX Time Stamp,Sensor Latitude,Sensor Longitude,Mission ID,satellites\n"
        "1.7e15,47.5,nan,7,12.0\n 1700000000000001 ,,8.5,x y,n/a\n1700000000000002.0,-,8.5,,\n"
    )
    records = list(read_records(path))
    assert [r.time_us for r in records] == [T0, T0 + 1, T0 + 2]
    a, b, c = typed(records)
    assert (a.sensor_lat_deg, a.sensor_lon_deg, a.mission_id) == (pytest.approx(47.5), None, "7")
    assert (a.navsats_in_view, b.navsats_in_view) == (12, None)
    assert (b.sensor_lat_deg, b.sensor_lon_deg, b.mission_id) == (None, pytest.approx(8.5), "x y")
    assert (c.sensor_lat_deg, c.mission_id) == (None, None)
    path.write_text("UNIX Time Stamp,Sensor Latitude\n1700000000000000,91\n")
    with pytest.raises(KlvEncodeError, match="record at 1700000000000000 us"):
        list(read_records(path))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    media.need("ffmpeg", "ffprobe")
    d = tmp_path_factory.mktemp("videos")
    source = "-f lavfi -i testsrc=size=128x96:rate=30 -frames:v 60 -pix_fmt yuv420p -preset ultrafast -bf 2"
    media.run(*f"ffmpeg -nostdin -v error {source} -c:v libx264 {d}/v.mp4".split())
    copy = f"ffmpeg -nostdin -v error -i {d}/v.mp4 -c copy"
    for name in ("v.h264", "v.ts", "v.mov"):
        media.run(*f"{copy} {d}/{name}".split())
    media.run(*f"{copy} -movflags frag_keyframe+empty_moov {d}/frag.mp4".split())
    return {p.name: p for p in d.iterdir()}


@pytest.mark.parametrize("name", ["v.mp4", "frag.mp4", "v.mov", "v.h264", "v.ts"])
@pytest.mark.parametrize("synchronous", [True, False])
def test_video_and_table(videos: dict[str, Path], tmp_path: Path, name: str, synchronous: bool) -> None:
    out = tmp_path / "out.ts"
    records = list(read_records(arcgis(tmp_path / "a.csv", 30)))
    report = add_klv(videos[name], records, out, synchronous=synchronous)
    # Two seconds of pictures take 20 of the 30 records, ten a second.
    assert (report.pictures, report.records, report.records_outside) == (60, 20, 10)
    if synchronous:  # FFmpeg has a remark on every stream without time stamps
        assert media.decode(out) == media.decode(videos["v.mp4"])
    pictures = sorted(e.pts.raw for e in parse_file(out) if isinstance(e, DemuxEvent.Video))
    got = list(iter_uas_datalink(out))
    assert [r.timestamp_us for _, _, r in got] == [r.time_us for r in records[:20]]
    if synchronous:
        assert [p.raw for p, _, _ in got] == [pictures[0] + i * 9000 for i in range(20)]
    (program,) = probe(out).programs
    kind = mpegts.StreamKindTag.KLV_SYNC if synchronous else mpegts.StreamKindTag.KLV_ASYNC
    assert program.streams[-1].kind is kind


def test_alignment(videos: dict[str, Path], tmp_path: Path) -> None:
    records = list(read_records(dji(tmp_path / "d.csv")))
    out = tmp_path / "x.ts"
    report = add_klv(videos["v.mp4"], records, out)
    assert report.start_us == T0 + 500_000  # where the log says that the camera began
    assert report.records_outside == 5
    report = add_klv(videos["v.mp4"], records, out, start_us=T0, offset_us=-1_000_000)
    assert report.records_outside == 10
    with pytest.raises(ValueError, match="no telemetry"):
        add_klv(videos["v.mp4"], [], out)
    with pytest.raises(ValueError, match="input"):
        add_klv(videos["v.ts"], records, videos["v.ts"])


def test_live(videos: dict[str, Path]) -> None:
    inserter, out = KlvInserter(), b""
    data = videos["v.ts"].read_bytes()
    for i in range(0, len(data), 5000):
        out += inserter.feed(data[i : i + 5000])
        inserter.record({"timestamp_us": T0 + i})
    inserter.record(klv.UasDatalinkLs(timestamp_us=T0, uas_ls_version=19), Pts90khz(5))
    out += inserter.flush()
    path = videos["v.ts"].with_name("live.ts")
    path.write_bytes(out)
    got = list(extract_klv(path, with_pts=True))
    assert len(got) == inserter.records_inserted == len(range(0, len(data), 5000)) + 1
    assert got[-1][0] == Pts90khz(5)
    assert len([e for e in parse_file(path) if isinstance(e, DemuxEvent.Video)]) == 60


def command(*args: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tstrans", *map(str, args)], capture_output=True, text=True, check=False
    )


def test_command_line(videos: dict[str, Path], tmp_path: Path) -> None:
    table, out = arcgis(tmp_path / "a.csv"), tmp_path / "o.ts"
    args = ("mux", "--video", videos["v.mp4"], "--klv", table, "-o", out)
    r = command(*args)
    assert (r.returncode, r.stderr) == (0, "")
    assert "60 pictures, 20 records" in r.stdout
    assert command(*args).returncode == 2  # no --force
    r = command(*args, "--force", "--json", "--carriage", "async", "--start", "2023-11-14T22:13:20.5Z")
    assert json.loads(r.stdout)["records_outside"] == 5
    r = command("transmux", out, "-o", tmp_path / "p.ts", "--drop", "klv")
    assert r.returncode == 0, r.stderr
    assert not probe(tmp_path / "p.ts").has_klv
    assert command("mux", "--video", table, "--klv", table, "-o", out, "-f").returncode == 1
    assert command("transmux", out, "-o", out, "-f").returncode == 2
