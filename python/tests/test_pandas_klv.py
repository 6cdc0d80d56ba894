"""Frames of KLV records: the facts; records of the library and of a program come out alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tstrans import io, klv
from tstrans.pandas import klv_to_dataframe

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "testdata" / "demo.ts"
SHARED = ROOT / ".." / "shared" / "testdata" / "ts"

UAS = klv.UasDatalinkLs
ERROR = klv.KlvFieldError(klv.KlvFieldErrorKind.INVALID_LENGTH, 5, "3 bytes, wants 2")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_lazy() -> None:
    code = "import sys, tstrans.pandas; print(*(m for m in ('pandas', 'numpy') if m in sys.modules))"
    assert run(code).strip() == ""
    assert run("import sys, tstrans; print('tstrans.pandas' in sys.modules)").strip() == "False"


@pytest.mark.parametrize("missing", ["pandas", "numpy"])
def test_missing_extra_is_named(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
import tstrans.pandas as p
for call in (lambda: p.klv_to_dataframe(None), lambda: p.events_to_dataframe([]), lambda: p.read_klv(b"")):
    try:
        call()
    except ImportError as e:
        print("tstrans[pandas]" in str(e))
try:
    p.klv_to_dataframe([], mode="x")
except ValueError as e:
    print(e)
"""
    assert run(code).splitlines() == ["True"] * 3 + ["mode must be 'summary' or 'targets'; got 'x'"]


def test_mode_comes_first() -> None:
    with pytest.raises(ValueError, match="mode must be"):
        klv_to_dataframe(5, mode="rows")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        klv_to_dataframe([], "summary")  # type: ignore[misc]


def test_empty() -> None:
    got = klv_to_dataframe(iter(()))
    assert got.shape == (0, 0)
    assert isinstance(got.index, pd.RangeIndex)


class Sub(UAS):
    pass


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([UAS(), klv.SecurityLs()], r"mixed \['SecurityLs', 'UasDatalinkLs'\]"),
        ([5], "unsupported KLV record type: int"),
        ([None], "unsupported KLV record type: NoneType"),
        ([Sub()], "unsupported KLV record type: Sub"),
        (5, "not iterable"),
    ],
)
def test_wrong_records(records: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        klv_to_dataframe(records)


def decoded(*records: klv.UasDatalinkLs) -> list[klv.UasDatalinkLs]:
    """Records as the library delivers them."""
    return [klv.decode_uas_datalink(klv.encode_uas_datalink(r)) for r in records]


VARIED = [
    UAS(timestamp_us=1_700_000_000_000_000, sensor_lat_deg=10.0, mission_id="A", leap_seconds=-3),
    UAS(timestamp_us=1_700_000_000_100_000, sensor_lat_deg=11.0, mission_id="A"),
    UAS(
        sensor_lon_deg=-20.0,
        mission_id="é",
        platform_status=klv.PlatformStatus.ACTIVE,
        security_local_set=b"\1\1\1",
    ),
    UAS(
        timestamp_us=5,
        mission_id="A",
        unknown=((5000, b"x"),),
        control_commands=(klv.ControlCommand(1, "go", 7),),
    ),
    UAS(timestamp_us=6, country_codes=klv.CountryCodes(14, "USA", None, "CAN")),
    UAS(),
]


def by_attributes(records: list[klv.UasDatalinkLs]) -> pd.DataFrame:
    """What the frame has to be: every field of every record, inferred by pandas."""
    table: dict[str, list[Any]] = {n: [getattr(r, n) for r in records] for n in UAS.__match_args__}
    table["field_errors"] = [
        " | ".join(f"tag{e.tag}:{e.kind.value}:{e.message}" for e in v) for v in table["field_errors"]
    ]
    times = pd.to_datetime(pd.array(table["timestamp_us"], dtype="Int64"), unit="us", utc=True).as_unit("us")
    index = None if times.isna().all() else pd.DatetimeIndex(times, name="pts")
    return pd.DataFrame(table, index=index)


@pytest.mark.parametrize("n", [1, 3, 200])
def test_records_of_the_library_and_of_a_program_agree(n: int) -> None:
    records = decoded(*(VARIED * n))
    again = [UAS(**{f: getattr(r, f) for f in UAS.__match_args__}) for r in records]
    want = by_attributes(again)
    pd.testing.assert_frame_equal(klv_to_dataframe(records), want)
    pd.testing.assert_frame_equal(klv_to_dataframe(again), want)
    pd.testing.assert_frame_equal(klv_to_dataframe(records[: n // 2 + 1] + again[n // 2 + 1 :]), want)


def test_field_errors_of_the_wire() -> None:
    # Items 5 and 6 with a wrong length each, behind a whole checksum.
    body = bytes.fromhex("05030001020601ff410113")
    head = klv.ST_0601_UL + bytes((len(body) + 4,)) + body + b"\1\2"
    packet = head + (sum(b << (8 * ((i + 1) % 2)) for i, b in enumerate(head)) & 0xFFFF).to_bytes(2, "big")
    record = klv.decode_uas_datalink(packet)
    (text,) = klv_to_dataframe([record])["field_errors"]
    first, second = text.split(" | ")
    assert first.startswith("tag5:invalid_length:")
    assert second.startswith("tag6:invalid_length:")


def test_columns_and_index() -> None:
    got = klv_to_dataframe(decoded(*VARIED))
    assert list(got.columns) == list(UAS.__match_args__)
    assert len(got.columns) == 147
    assert got.index.name == "pts"
    assert str(got.index.dtype) == "datetime64[us, UTC]"
    assert got.index.isna().tolist() == [False, False, True, False, False, True]
    assert isinstance(klv_to_dataframe([UAS()]).index, pd.RangeIndex)
    assert klv_to_dataframe([UAS()]).index.name is None


def test_times_beyond_what_a_timestamp_holds_are_nat() -> None:
    got = klv_to_dataframe(decoded(UAS(timestamp_us=(1 << 64) - 1), UAS(timestamp_us=9)))
    assert got.index.isna().tolist() == [True, False]
    assert got["timestamp_us"].tolist() == [(1 << 64) - 1, 9]


@pytest.mark.skipif(int(pd.__version__.split(".")[0]) < 3, reason="copies on writing came with pandas 3")
def test_empty_columns_of_large_frames_do_not_show_that_they_share() -> None:
    records = decoded(*VARIED[:2]) * 6000
    got = klv_to_dataframe(records)
    empty = [c for c in got if got[c].isna().all()]
    assert len(got) * len(empty) > 1 << 20
    got.iloc[3, got.columns.get_loc(empty[0])] = 7
    got[empty[1]] = 8
    assert got[empty[0]].iloc[3] == 7
    assert got[empty[0]].isna().sum() == len(got) - 1
    assert got[empty[2:]].isna().all(axis=None)
    pd.testing.assert_frame_equal(klv_to_dataframe(records).iloc[:2], by_attributes(decoded(*VARIED[:2])))


def test_security() -> None:
    marked = klv.SecurityLs(
        security_classification=klv.SecurityClassification.SECRET,
        classifying_country_coding_method=40,
        classifying_country="//US",
        field_errors=(ERROR, ERROR),
    )
    got = klv_to_dataframe([marked])
    assert list(got.columns) == list(klv.SecurityLs.__match_args__)
    assert len(got.columns) == 19
    assert isinstance(got.index, pd.RangeIndex)
    row = got.iloc[0]
    assert row["security_classification"] == "SECRET"
    assert row["classifying_country_coding_method"] == 40
    assert (
        row["field_errors"] == "tag5:invalid_length:3 bytes, wants 2 | tag5:invalid_length:3 bytes, wants 2"
    )


def test_precision_time() -> None:
    got = klv_to_dataframe([klv.PrecisionTimeStampPack(klv.TimeStatus(0xDF), 5)])
    assert got.dtypes.astype(str).to_dict() == {
        "timestamp_us": "int64",
        "is_locked": "bool",
        "has_discontinuity": "bool",
        "is_reverse_jump": "bool",
        "reserved_bits_valid": "bool",
        "time_status_raw": "int64",
    }
    assert got.iloc[0].tolist() == [5, False, True, False, True, 0xDF]
    assert got.index[0] == pd.Timestamp(5, unit="us", tz="UTC")


VMTI = [
    klv.VmtiLs(targets=(klv.VTargetPack(1),)),
    klv.VmtiLs(
        precision_time_stamp=7,
        targets=(klv.VTargetPack(2, target_color=(1, 2, 3)), klv.VTargetPack(1, priority=3)),
    ),
]


def test_vmti_summary() -> None:
    got = klv_to_dataframe(VMTI)
    names = [n if n != "targets" else "num_targets" for n in klv.VmtiLs.__match_args__]
    assert list(got.columns) == names
    assert len(names) == 17
    assert got["num_targets"].tolist() == [1, 2]
    assert got.index.isna().tolist() == [True, False]


def test_vmti_targets() -> None:
    got = klv_to_dataframe(VMTI, mode="targets")
    assert len(got.columns) == 29
    assert "target_id" not in got.columns
    assert got.index.names == ["pts", "target_id"]
    assert got.index.get_level_values("target_id").tolist() == [1, 2, 1]
    assert got.index.get_level_values("pts").isna().tolist() == [True, False, False]
    assert got["priority"].tolist()[2] == 3
    none = klv_to_dataframe([klv.VmtiLs()], mode="targets")
    assert none.shape == (0, 0)
    assert not isinstance(none.index, pd.MultiIndex)
    untimed = klv_to_dataframe(VMTI[:1], mode="targets")
    assert str(untimed.index.get_level_values("pts").dtype) == "datetime64[us, UTC]"


def test_mode_means_nothing_to_other_records() -> None:
    pd.testing.assert_frame_equal(klv_to_dataframe(VARIED), klv_to_dataframe(VARIED, mode="targets"))


def files() -> list[Path]:
    there = [DEMO, ROOT / "testdata" / "gst_klv.ts"]
    return there + [p for n in ("kitware-h264_klv.ts", "kitware-mpeg2_klv.ts") if (p := SHARED / n).exists()]


@pytest.mark.parametrize("path", files(), ids=lambda p: p.name)
def test_files(path: Path) -> None:
    records = [r for _, _, r in io.iter_uas_datalink(path)]
    assert records
    again = [UAS(**{f: getattr(r, f) for f in UAS.__match_args__}) for r in records]
    pd.testing.assert_frame_equal(klv_to_dataframe(records), by_attributes(again))


def test_numbers_are_those_of_the_flight() -> None:
    got = klv_to_dataframe([r for _, _, r in io.iter_uas_datalink(DEMO)])
    assert len(got) == 40
    assert got.index[0] == pd.Timestamp("2026-01-01", tz="UTC")
    assert np.allclose(np.diff(got["timestamp_us"]), 200_000)
    # One orbit of 1500 m around the frame's centre (testdata/make_flight.py).
    north = np.radians(got["sensor_lat_deg"] - 47.3769) * 6_371_000
    east = np.radians(got["sensor_lon_deg"] - 8.5417) * 6_371_000 * np.cos(np.radians(47.3769))
    assert np.allclose(np.hypot(north, east), 1500, atol=0.1)
