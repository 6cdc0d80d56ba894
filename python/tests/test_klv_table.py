"""Tables of KLV records: the same values as the records one by one, whatever they come from."""

from __future__ import annotations

import io as stdio
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tstrans import _klv_read, io, klv
from tstrans._klv_fields import describe, fields
from tstrans.exceptions import DemuxError, KlvError, KlvErrorKind
from tstrans.pandas import KlvTable, klv_to_dataframe, read_klv, read_klv_table

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "testdata" / "demo.ts"
GST = ROOT / "testdata" / "gst_klv.ts"
SHARED = ROOT / ".." / "shared" / "testdata" / "ts"
UAS = klv.UasDatalinkLs


def packets() -> list[bytes]:
    """Packets with everything a column can hold."""
    rng = random.Random(601)
    some = []
    for i in range(300):
        r: dict[str, Any] = {
            "timestamp_us": 1_700_000_000_000_000 + i,
            "sensor_lat_deg": rng.uniform(-90, 90),
        }
        if i % 3 == 0:
            r |= {
                "mission_id": f"M{i % 7}",
                "leap_seconds": -i,
                "platform_status": klv.PlatformStatus(i % 13),
            }
        if i % 5 == 0:
            r |= {"security_local_set": bytes([i % 251]), "country_codes": klv.CountryCodes(14, "USA")}
        if i % 4 == 0:
            r |= {"take_off_time_us": rng.getrandbits(64), "mi_storage_capacity_gb": i}
        if i % 11 == 0:
            r |= {"unknown": ((5000, b"x"),), "control_commands": (klv.ControlCommand(1, "go", i),)}
        some.append(klv.encode_uas_datalink(UAS(**r)))
    return some


def agree(table: KlvTable, records: list[klv.UasDatalinkLs]) -> None:
    """Every value of a table is that of the record."""
    assert table.rows == len(records)
    for info in fields().values():
        values = [getattr(r, info.name) for r in records]
        several = info.name in ("control_commands", "sdcc_flps")  # the empty tuple stands for none
        present = [v is not None and not (several and v == ()) for v in values]
        if info.name not in table:
            assert not any(present), info.name
            continue
        assert table.valid(info.name).tolist() == present, info.name
        got = [v if ok else None for v, ok in zip(table[info.name].tolist(), present, strict=True)]
        want = [getattr(v, "name", v) if ok else None for v, ok in zip(values, present, strict=True)]
        if info.enum:
            want = [None if v is None else str(v) for v in want]
        assert got == want, info.name


def files() -> list[Path]:
    return [DEMO, GST] + [
        p for n in ("kitware-h264_klv.ts", "kitware-mpeg2_klv.ts") if (p := SHARED / n).exists()
    ]


@pytest.mark.parametrize("path", files(), ids=lambda p: p.name)
def test_files(path: Path) -> None:
    units = list(io.iter_uas_datalink(path))
    table = read_klv_table(path)
    agree(table, [r for _, _, r in units])
    timed = table.valid("stream_pts_90k")
    pts = [p.raw for p, _, _ in units]
    assert np.where(timed, table["stream_pts_90k"], 0).tolist() == pts
    klv_events = [e for e in io.parse_file(path) if hasattr(e, "was_reassembled")]
    assert set(table["stream_pid"].tolist()) == {e.stream.pid for e in klv_events}
    assert set(table["stream_synchronous"].tolist()) == {
        e.kind.name == "KLV_SYNC_AU_CELL" for e in klv_events
    }


@pytest.mark.parametrize("form", ["packets", "bytes", "file", "path", "views"])
def test_bare_klv(form: str, tmp_path: Path) -> None:
    some = packets()
    whole = b"".join(some)
    (tmp_path / "x.klv").write_bytes(whole)
    source: Any = {
        "packets": some,
        "bytes": whole,
        "file": stdio.BytesIO(whole),
        "path": tmp_path / "x.klv",
        "views": (memoryview(p) for p in some),
    }[form]
    table = read_klv_table(source)
    agree(table, [klv.decode_uas_datalink(p) for p in some])
    assert "stream_pid" not in table


def test_pieces_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_klv_read, "_PIECE", 64)
    # More packets than are added at once, with fields that come and go between the pieces.
    some = [p for i in range(12) for p in packets()[i * 25 : (i + 1) * 25] * 10]
    table = read_klv_table(iter(some))
    agree(table, [klv.decode_uas_datalink(p) for p in some])
    again = pickle.loads(pickle.dumps(table))
    agree(again, [klv.decode_uas_datalink(p) for p in some])


def test_frames_agree_with_those_of_records() -> None:
    some = packets()
    frame = read_klv(some)
    want = klv_to_dataframe([klv.decode_uas_datalink(p) for p in some])
    for name in frame:
        if describe(str(name)).enum:  # type: ignore[union-attr]
            continue
        pd.testing.assert_series_equal(frame[name], want[name])
    missing = [c for c in want if c not in frame.columns]
    assert want[[c for c in missing if c in fields()]].map(lambda v: v is None or v == ()).all(axis=None)


def test_asynchronous_klv_has_no_pts() -> None:
    table = read_klv_table(GST)
    frame = read_klv(GST)
    for valid, pts in zip(table.valid("stream_pts_90k"), frame["stream_pts_90k"], strict=True):
        assert valid == (pts is not None and pts == pts)


def test_chosen_columns_and_pid() -> None:
    frame = read_klv(DEMO, columns=["sensor_lat_deg", "wind_speed", "stream_pid"])
    assert list(frame.columns) == ["sensor_lat_deg", "wind_speed", "stream_pid"]
    assert frame["wind_speed"].isna().all()
    pid = int(frame["stream_pid"].iloc[0])
    assert len(read_klv(DEMO, pid=pid)) == 40
    assert len(read_klv(DEMO, pid=pid + 1)) == 0
    with pytest.raises(KeyError, match="altitude"):
        read_klv(DEMO, columns=["altitude"])


def test_attrs_survive_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame = read_klv(DEMO)
    about = frame.attrs["tstrans"]
    assert about["time_scale"] == "MISP"
    assert about["columns"]["sensor_alt_m"] == {
        "item": "MISB ST 0601 item 15",
        "unit": "m",
        "datum": "mean sea level",
    }
    frame.to_parquet(tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet").attrs == frame.attrs


def test_arrow_capsule() -> None:
    pa = pytest.importorskip("pyarrow")
    some = packets()
    table = read_klv_table(some)
    got = pa.table(table)
    assert got.num_rows == 300
    assert got["take_off_time_us"].to_pylist() == [klv.decode_uas_datalink(p).take_off_time_us for p in some]
    assert got["mission_id"].to_pylist() == [klv.decode_uas_datalink(p).mission_id for p in some]
    assert got["platform_status"].to_pylist()[:4] == ["ACTIVE", None, None, "RUN_UP"]
    assert got["leap_seconds"].null_count == 200
    assert got.schema.field("sensor_lat_deg").metadata[b"unit"] == b"deg"


def test_mapping() -> None:
    table = read_klv_table(DEMO)
    assert isinstance(table, KlvTable)
    assert set(table) == set(table.keys())
    assert len(table) == len(list(table))
    assert "sensor_lat_deg" in table
    assert "wind_speed" not in table
    assert repr(table).startswith("<KlvTable of 40 records")
    with pytest.raises(KeyError):
        table["wind_speed"]


def broken(packet: bytes) -> bytes:
    return packet[:-1] + bytes([packet[-1] ^ 1])


def test_malformed_records() -> None:
    good = packets()[:3]
    bad = [good[0], broken(good[1]), good[2], b"\x06\x0e+4"]
    with pytest.raises(KlvError) as e:
        read_klv(bad)
    assert e.value.kind is KlvErrorKind.CHECKSUM_MISMATCH
    with pytest.raises(KlvError) as e:
        read_klv([good[0], b"short"])
    assert e.value.kind is KlvErrorKind.BAD_UNIVERSAL_LABEL
    table = read_klv_table(bad, skip_malformed=True)
    assert (table.rows, table.skipped) == (2, 2)
    agree(table, [klv.decode_uas_datalink(good[0]), klv.decode_uas_datalink(good[2])])
    assert read_klv(bad, skip_malformed=True).attrs["tstrans"]["skipped"] == 2


def test_other_sets_are_passed_over() -> None:
    other = klv.encode_precision_timestamp(klv.PrecisionTimeStampPack(klv.TimeStatus(0), 5))
    assert read_klv_table([other, packets()[0], bytes(40)]).rows == 1


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 17, 18, 30])
def test_truncated_bare_klv(cut: int) -> None:
    whole = packets()[0]
    data = whole + whole[:cut]
    if cut == 0:
        assert read_klv_table(data).rows == 1
        return
    with pytest.raises(KlvError):
        read_klv_table(data)
    assert read_klv_table(data, skip_malformed=True).rows == 1


@pytest.mark.parametrize("length", ["81", "84ffffffff", "88ffffffffffffffff", "ff", "80"])
def test_lying_lengths(length: str) -> None:
    data = klv.ST_0601_UL + bytes.fromhex(length) + bytes(20)
    with pytest.raises(KlvError):
        read_klv_table(data)
    assert read_klv_table(data, skip_malformed=True).rows == 0


def test_random_bytes_end_in_typed_errors() -> None:
    rng = random.Random(7)
    whole = bytearray(DEMO.read_bytes())
    for _ in range(30):
        data = bytearray(whole)
        for _ in range(200):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            table = read_klv_table(bytes(data), skip_malformed=True)
        except DemuxError:
            continue
        for name in table:
            assert len(table[name]) == table.rows


def test_a_missing_file() -> None:
    with pytest.raises(FileNotFoundError):
        read_klv("no such file")


def test_empty() -> None:
    assert read_klv([]).shape == (0, 0)
    assert read_klv_table(b"").rows == 0


def test_large_units_stay_behind_in_the_chunk(tmp_path: Path) -> None:
    # Beyond 4096 bytes a payload is not in the batch's arena.
    pytest.importorskip("tstrans.mpegts", reason="the muxer")
    from tstrans import mpegts

    if not hasattr(mpegts, "Muxer"):
        pytest.skip("this build has no muxer")
    records = [UAS(timestamp_us=i, vmti=bytes([i % 251]) * (6000 if i % 3 == 0 else 10)) for i in range(40)]
    program = (
        mpegts.MuxerProgramConfigBuilder(1, 0x100)
        .add_video(0x101, mpegts.VideoCodec.H264)
        .add_klv(0x102, mpegts.KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True)
        .build()
    )
    mux = mpegts.Muxer(mpegts.MuxerConfigBuilder().add_program(program).build())
    path = tmp_path / "large.ts"
    with mux.write_file(str(path)) as out:
        for i, r in enumerate(records):
            out.push_klv(klv.encode_uas_datalink(r), mpegts.Pts90khz(90_000 + 3000 * i))
    got = read_klv_table(path)
    agree(got, [r for _, _, r in io.iter_uas_datalink(path)])
    assert got["timestamp_us"].tolist() == list(range(40))
