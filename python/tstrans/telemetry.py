"""Telemetry into video: tables of flight data become ST 0601 records, and records become a KLV stream.

`read_records` reads CSV, JSON and KLV files; column names of ArcGIS Full Motion Video, of DJI flight logs (as
AirData and the log converters export them) and of `UasDatalinkLs` itself are known. `add_klv` makes a file of
video and telemetry; `KlvInserter` does it live, fed by chunks of a stream and by records.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .exceptions import KlvEncodeError, KlvError
from .klv import UasDatalinkLs, decode_uas_datalink, encode_uas_datalink

if TYPE_CHECKING:
    from .mpegts import DemuxEvent, MuxerDrainProxy, MuxerProgramConfigBuilder, Pts90khz

__all__ = ["ColumnMap", "KlvInserter", "MuxReport", "Record", "add_klv", "fields_of_row", "read_records"]

#: Column name (see `_bare`) to field of `UasDatalinkLs`.
ColumnMap = Mapping[str, str]

_VERSION = 19


@dataclass(frozen=True, slots=True)
class Record:
    """One KLV packet and its time.

    Args:
        time_us: microseconds; since 1970 where `absolute`, else since the video began.
        data: the packet, key included.
        absolute: whether the time is a date.
        filming: whether the source says that the camera recorded; None where it says nothing.
    """

    time_us: int
    data: bytes
    absolute: bool = True
    filming: bool | None = None


def _bare(column: str) -> tuple[str, str]:
    """(name without spaces, signs and case; unit) of a column such as `OSD.height [ft]`."""
    name, unit = column.strip(), ""
    m = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", name)
    if m:
        name, unit = m.group(1), m.group(2).strip().lower()
    return re.sub(r"[^a-z0-9]", "", name.lower()), unit


# What ArcGIS and others call the items of ST 0601, beside the item's own name and the field's.
_ITEMS = {
    "precisiontimestamp": "timestamp_us",
    "unixtimestamp": "timestamp_us",
    "timestamp": "timestamp_us",
    "missionid": "mission_id",
    "platformtailnumber": "platform_tail_number",
    "platformheadingangle": "platform_heading_deg",
    "platformheading": "platform_heading_deg",
    "platformpitchangle": "platform_pitch_deg",
    "platformpitch": "platform_pitch_deg",
    "platformrollangle": "platform_roll_deg",
    "platformroll": "platform_roll_deg",
    "platformpitchanglefull": "platform_pitch_full_deg",
    "platformrollanglefull": "platform_roll_full_deg",
    "platformtrueairspeed": "platform_true_airspeed",
    "platformindicatedairspeed": "platform_indicated_airspeed",
    "platformgroundspeed": "platform_ground_speed",
    "platformdesignation": "platform_designation",
    "platformcallsign": "platform_call_sign",
    "imagesourcesensor": "image_source_sensor",
    "imagecoordinatesystem": "image_coordinate_system",
    "sensorlatitude": "sensor_lat_deg",
    "sensorlongitude": "sensor_lon_deg",
    "sensortruealtitude": "sensor_alt_m",
    "sensoraltitude": "sensor_alt_m",
    "sensorellipsoidheight": "sensor_ellipsoid_height_m",
    "sensorellipsoidheightextended": "sensor_ellipsoid_height_extended_m",
    "sensorhorizontalfieldofview": "sensor_hfov_deg",
    "horizontalfov": "sensor_hfov_deg",
    "sensorverticalfieldofview": "sensor_vfov_deg",
    "verticalfov": "sensor_vfov_deg",
    "sensorrelativeazimuthangle": "sensor_rel_az_deg",
    "sensorrelativeazimuth": "sensor_rel_az_deg",
    "sensorrelativeelevationangle": "sensor_rel_el_deg",
    "sensorrelativeelevation": "sensor_rel_el_deg",
    "sensorrelativerollangle": "sensor_rel_roll_deg",
    "sensorrelativeroll": "sensor_rel_roll_deg",
    "slantrange": "slant_range_m",
    "targetwidth": "target_width_m",
    "groundrange": "ground_range_m",
    "framecenterlatitude": "frame_center_lat_deg",
    "framecenterlongitude": "frame_center_lon_deg",
    "framecenterelevation": "frame_center_elev_m",
    "targetlocationlatitude": "target_location_lat_deg",
    "targetlocationlongitude": "target_location_lon_deg",
    "targetlocationelevation": "target_location_elev_m",
    **{
        name: field.format(p)
        for p in (1, 2, 3, 4)
        for name, field in (
            (f"cornerlatitudepoint{p}full", "corner_lat_p{}_deg"),
            (f"cornerlongitudepoint{p}full", "corner_lon_p{}_deg"),
            (f"cornerlatitudepoint{p}", "corner_lat_p{}_deg"),
            (f"cornerlongitudepoint{p}", "corner_lon_p{}_deg"),
            (f"offsetcornerlatitudepoint{p}", "corner_lat_offset_p{}_deg"),
            (f"offsetcornerlongitudepoint{p}", "corner_lon_offset_p{}_deg"),
        )
    },
}

# DJI flight logs: AirData's export, and that of the log converters. `_gimbal_` columns are angles to the
# horizon and to north; `_fields` makes them relative to the aircraft.
_DJI = {
    "latitude": "sensor_lat_deg",
    "longitude": "sensor_lon_deg",
    "altitudeabovesealevel": "sensor_alt_m",
    "altitude": "sensor_alt_m",
    "heightabovetakeoff": "altitude_agl_m",
    "heightabovegroundatdronelocation": "altitude_agl_m",
    "speed": "platform_ground_speed",
    "satellites": "navsats_in_view",
    "compassheading": "platform_heading_deg",
    "pitch": "platform_pitch_full_deg",
    "roll": "platform_roll_full_deg",
    "gimbalheading": "_gimbal_heading",
    "gimbalpitch": "_gimbal_pitch",
    "gimbalroll": "_gimbal_roll",
    "osdlatitude": "sensor_lat_deg",
    "osdlongitude": "sensor_lon_deg",
    "osdaltitude": "sensor_alt_m",
    "osdheight": "altitude_agl_m",
    "osdhspeed": "platform_ground_speed",
    "osdgpsnum": "navsats_in_view",
    "osdyaw": "platform_heading_deg",
    "osdpitch": "platform_pitch_full_deg",
    "osdroll": "platform_roll_full_deg",
    "gimbalyaw": "_gimbal_heading",
}

# Times: column, and how many microseconds one is where it is no date.
_ELAPSED = {"timemillisecond": 1000, "time": 0, "elapsedtime": 0, "osdflytime": 0, "offsettime": 0}
_DATES = ("datetimeutc", "datetime", "customupdatetime", "date", "utc", "gpstime")
_FILMING = ("isvideo", "customisvideo", "cameraisvideo")

_UNITS: dict[str, float] = {
    "ft": 0.3048,
    "feet": 0.3048,
    "mph": 0.44704,
    "km/h": 1 / 3.6,
    "kph": 1 / 3.6,
    "kn": 0.514444,
    "knots": 0.514444,
    "km": 1000.0,
    "rad": 57.29577951308232,
    "radians": 57.29577951308232,
}
_TEXT = {
    "mission_id",
    "platform_tail_number",
    "platform_designation",
    "platform_call_sign",
    "image_source_sensor",
    "image_coordinate_system",
}
_WHOLE = {"timestamp_us", "navsats_in_view", "uas_ls_version"}


def _known_fields() -> dict[str, str]:
    return {re.sub(r"[^a-z0-9]", "", n): n for n in UasDatalinkLs.__match_args__}


@dataclass(frozen=True, slots=True)
class _Column:
    field: str
    factor: float


class _Table:
    """What the columns of one table mean."""

    def __init__(self, columns: Iterable[str], given: ColumnMap | None) -> None:
        self.columns: dict[str, _Column] = {}
        self.date: str | None = None
        self.elapsed: tuple[str, float] | None = None
        self.filming: str | None = None
        fields = _known_fields()
        wanted = {_bare(k)[0]: v for k, v in (given or {}).items()}
        for v in wanted.values():
            if v not in UasDatalinkLs.__match_args__ and not v.startswith("_"):
                raise ValueError(f"column map: {v!r} is no field of UasDatalinkLs")
        taken = set()
        for column in columns:
            name, unit = _bare(column)
            joined = name + re.sub(r"[^a-z0-9]", "", unit)
            field = (
                wanted.get(name)
                or _ITEMS.get(name)
                or fields.get(name)
                or fields.get(joined)
                or _DJI.get(name)
            )
            if name in _FILMING:
                self.filming = column
            elif joined in _DATES or name in _DATES:
                self.date = self.date or column
            elif joined in _ELAPSED or (name in _ELAPSED and field is None):
                per = _ELAPSED.get(joined, 0) or (
                    1000 if unit in ("ms", "millisecond", "milliseconds") else 1_000_000
                )
                self.elapsed = self.elapsed or (column, per)
            elif field is not None and field not in taken:
                taken.add(field)
                self.columns[column] = _Column(field, _UNITS.get(unit, 1.0))
        if not self.columns:
            raise ValueError("no column of the table is known: name them with a column map")

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one row; empty cells and those that are no numbers are left out."""
        out: dict[str, Any] = {}
        for column, c in self.columns.items():
            raw = row.get(column)
            if raw is None or raw == "":
                continue
            if c.field in _TEXT:
                out[c.field] = str(raw)
                continue
            if not isinstance(raw, (int, float, str)):
                out[c.field] = raw
                continue
            try:
                number = float(raw)
                out[c.field] = (
                    int(raw) if c.field in _WHOLE and float(raw).is_integer() else number * c.factor
                )
            except ValueError:
                if c.field == "timestamp_us":
                    out[c.field] = _date_us(str(raw))
        return out


def _date_us(text: str) -> int:
    """A date as microseconds since 1970; UTC where it names no zone."""
    t = text.strip().replace("/", "-")
    try:
        d = datetime.fromisoformat(t.replace("Z", "+00:00"))
    except ValueError:
        for form in (
            "%Y-%m-%d %H:%M:%S.%f",
            "%m-%d-%Y %H:%M:%S",
            "%m-%d-%Y %I:%M:%S %p",
            "%d-%m-%Y %H:%M:%S",
        ):
            try:
                d = datetime.strptime(t, form)
                break
            except ValueError:
                continue
        else:
            raise ValueError(f"no date: {text!r}") from None
    if d.tzinfo is None:
        d = d.replace(tzinfo=timezone.utc)
    return round(d.timestamp() * 1_000_000)


def _scaled(stamp: float) -> int:
    """A Unix time in seconds, milliseconds, microseconds or nanoseconds as microseconds."""
    if stamp >= 1e17:
        return int(stamp) // 1000
    if stamp >= 1e14:
        return int(stamp)
    if stamp >= 1e11:
        return int(stamp * 1000)
    return int(stamp * 1_000_000)


def _turn(degrees: float) -> float:
    return degrees % 360.0


def fields_of_row(values: dict[str, Any]) -> dict[str, Any]:
    """Fields of `UasDatalinkLs` from those of a row: a gimbal's angles become relative to the aircraft.

    A gimbal reports its heading to north and its pitch and roll to the horizon; ST 0601 wants them relative to
    the platform. Heading is exact; pitch and roll are differences, exact for a level aircraft.
    """
    heading, pitch, roll = (values.pop(k, None) for k in ("_gimbal_heading", "_gimbal_pitch", "_gimbal_roll"))
    own = values.get("platform_heading_deg")
    if own is not None:
        values["platform_heading_deg"] = _turn(own)
    if heading is not None and own is not None:
        values["sensor_rel_az_deg"] = _turn(heading - own)
    if pitch is not None:
        values["sensor_rel_el_deg"] = pitch - values.get("platform_pitch_full_deg", 0.0)
    if roll is not None:
        values["sensor_rel_roll_deg"] = _turn(roll - values.get("platform_roll_full_deg", 0.0))
    agl = values.get("altitude_agl_m")
    if agl is not None and agl < -900:
        del values["altitude_agl_m"]
    return values


def _rows_of_csv(path: str) -> Iterator[dict[str, Any]]:
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as f:
        sample = f.read(1 << 16)
        f.seek(0)
        if sample.startswith("sep="):
            f.readline()
        counts = {d: sample.split("\n", 2)[-2 if sample.startswith("sep=") else 0].count(d) for d in ",;\t"}
        delimiter = max(counts, key=counts.__getitem__)
        yield from csv.DictReader(f, delimiter=delimiter)


def _rows_of_json(path: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8") as f:
        start = f.read(1)
        while start and start.isspace():
            start = f.read(1)
        f.seek(0)
        if start == "[":
            rows = json.load(f)
        else:
            rows = (json.loads(line) for line in f if line.strip())
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError("JSON telemetry is a list of objects, or one object a line")
            yield row


def _packets(data: bytes) -> Iterator[bytes]:
    """KLV packets that stand behind each other (SMPTE ST 336 §4.2: key, BER length, value)."""
    at = 0
    while at < len(data):
        if at + 17 > len(data):
            raise ValueError(f"KLV file: {len(data) - at} bytes at the end are no packet")
        n, value = data[at + 16], at + 17
        if n & 0x80:
            value += n & 0x7F
            n = int.from_bytes(data[at + 17 : value], "big")
        if value + n > len(data):
            raise ValueError(f"KLV file: the packet at byte {at} runs past the end")
        yield data[at : value + n]
        at = value + n


def _read_klv(path: str) -> Iterator[Record]:
    with open(path, "rb") as f:
        data = f.read()
    last = 0
    for packet in _packets(data):
        try:
            stamp = decode_uas_datalink(packet).timestamp_us
        except KlvError:
            stamp = None
        # Packets of other sets belong to the time of the one before.
        last = stamp or last
        yield Record(last, packet)


def read_records(path: str | os.PathLike[str], columns: ColumnMap | None = None) -> Iterator[Record]:
    """The telemetry of a file, as KLV packets with times.

    Args:
        path: `.csv` or `.tsv` with a header line, `.json` (a list of objects, or one a line), or `.klv`
            (packets behind each other, taken as they are).
        columns: names of columns and the field of `UasDatalinkLs` each goes to, beside those that are known.

    Raises:
        ValueError: nothing in the file is known, or it is cut off.
        KlvEncodeError: a value that its item cannot carry.
    """
    name = os.fspath(path)
    kind = os.path.splitext(name)[1].lower()
    if kind in (".klv", ".bin"):
        return _read_klv(name)
    rows = _rows_of_json(name) if kind in (".json", ".jsonl", ".ndjson") else _rows_of_csv(name)
    return _records_of_rows(rows, columns)


def _records_of_rows(rows: Iterator[dict[str, Any]], columns: ColumnMap | None) -> Iterator[Record]:
    table: _Table | None = None
    epoch: int | None = None
    elapsed_at_epoch = 0.0
    for row in rows:
        if table is None:
            table = _Table([c for c in row if c], columns)
        values = fields_of_row(table.values(row))
        stamp = values.get("timestamp_us")
        absolute = True
        if stamp is not None:
            stamp = _scaled(float(stamp)) if stamp < 1e14 or stamp >= 1e17 else int(stamp)
        else:
            passed = _number(row.get(table.elapsed[0])) if table.elapsed else None
            date = row.get(table.date) if table.date else None
            if passed is not None and table.elapsed is not None:
                passed *= table.elapsed[1]
                if epoch is None and date:
                    epoch, elapsed_at_epoch = _date_us(str(date)), passed
                stamp = int((epoch or 0) + passed - elapsed_at_epoch)
                absolute = epoch is not None
            elif date:
                stamp = _date_us(str(date))
            else:
                raise ValueError("a row without a time: the table has no column for it that is known")
        if len(values) == 0:
            continue
        values["timestamp_us"] = stamp
        values.setdefault("uas_ls_version", _VERSION)
        filming = None
        if table.filming is not None:
            filming = str(row.get(table.filming) or "").strip().lower() in ("1", "true", "yes", "recording")
        try:
            yield Record(stamp, encode_uas_datalink(UasDatalinkLs(**values)), absolute, filming)
        except KlvEncodeError as e:
            e.args = (f"record at {stamp} us: {e}",)
            raise


def _number(raw: Any) -> float | None:
    try:
        return float(raw)
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class MuxReport:
    """What `add_klv` did."""

    pictures: int
    records: int
    records_outside: int
    start_us: int
    bytes_written: int


def _first(records: list[Record], start_us: int | None) -> int:
    """The time of the first picture: given, where the camera began to record, or the first record's."""
    if start_us is not None:
        return start_us
    for r in records:
        if r.filming:
            return r.time_us
    return records[0].time_us


def add_klv(
    video: str | os.PathLike[str],
    records: Iterable[Record],
    out: str | os.PathLike[str],
    *,
    synchronous: bool = True,
    start_us: int | None = None,
    offset_us: int = 0,
    klv_pid: int | None = None,
    fps: tuple[int, int] | None = None,
    atomic: bool = True,
) -> MuxReport:
    """Make a transport stream of a video and its telemetry (STANAG 4609).

    Args:
        video: `.ts`, `.mp4`, `.mov`, or a raw H.264 or HEVC stream.
        records: what `read_records` gives, in the order of time.
        out: the file to write.
        synchronous: metadata AU cells with a PTS, else private data without.
        start_us: the time of the first picture, as the records count it. By default that of the first record
            during which the camera recorded, else of the first record.
        offset_us: added to the time of each record.
        klv_pid: PID of the KLV stream; by default the first that is free.
        fps: frame rate of a raw stream that does not tell it.
        atomic: write to a file beside `out` that takes its place when all is done.

    Records from before the first picture or after the last are left out and counted.
    """
    source = os.fspath(video)
    if os.path.realpath(source) == os.path.realpath(os.fspath(out)):
        raise ValueError("the output is the input")
    rows = sorted(records, key=lambda r: r.time_us)
    if not rows:
        raise ValueError("no telemetry records")
    start = _first(rows, start_us)
    timed = [(r.time_us + offset_us - start, r.data) for r in rows]
    with open(source, "rb") as f:
        head = f.read(189)
    if head[:1] == b"\x47" and (len(head) < 189 or head[188] == 0x47):
        pictures, pushed, size = _into_ts(source, timed, out, synchronous, klv_pid, atomic)
    else:
        pictures, pushed, size = _into_file(source, timed, out, synchronous, klv_pid, fps, atomic)
    return MuxReport(pictures, pushed, len(timed) - pushed, start, size)


def _ticks(us: int) -> int:
    return us * 9 // 100


class _Feeder:
    """Hands records to a push in step with the pictures."""

    def __init__(self, timed: list[tuple[int, bytes]], push: Callable[[bytes, int], None]) -> None:
        self._timed = timed
        self._push = push
        self._next = 0
        self.pushed = 0
        while self._next < len(timed) and timed[self._next][0] < 0:
            self._next += 1

    def up_to(self, ticks: int, base: int) -> None:
        """Push what belongs before `ticks`, where the first picture is at `base`."""
        timed, i = self._timed, self._next
        while i < len(timed):
            at = base + _ticks(timed[i][0])
            if at > ticks:
                break
            self._push(timed[i][1], at)
            self.pushed += 1
            i += 1
        self._next = i


#: Where a new stream begins, in ticks: room for decode times before the first picture.
_BASE = 90_000
_PIDS = (0x1000, 0x100, 0x101)


def _klv_stream(b: MuxerProgramConfigBuilder, pid: int, synchronous: bool) -> None:
    from .mpegts import KlvStreamType

    kind = KlvStreamType.SYNCHRONOUS_METADATA if synchronous else KlvStreamType.PRIVATE_DATA
    b.add_klv(pid, kind, carries_pts=synchronous)


def _into_file(
    source: str,
    timed: list[tuple[int, bytes]],
    out: str | os.PathLike[str],
    synchronous: bool,
    klv_pid: int | None,
    fps: tuple[int, int] | None,
    atomic: bool,
) -> tuple[int, int, int]:
    from ._native.mediafile_lib import MediaFile
    from .mpegts import Muxer, MuxerConfig, MuxerProgramConfigBuilder, Pts90khz, VideoCodec

    with _closing(MediaFile(source, fps)) as file:
        info = file.info()
        codec = VideoCodec.H264 if info.codec == 1 else VideoCodec.H265
        pmt, video, free = _PIDS
        b = MuxerProgramConfigBuilder(1, pmt).add_video(video, codec)
        _klv_stream(b, klv_pid or free, synchronous)
        muxer = Muxer(MuxerConfig.builder().buffer_packets(1 << 19).add_program(b.build()).build())
        first = file.peek()
        if first is None:
            raise ValueError(f"{source}: no pictures")
        # The presentation of the first picture in decoding order is the zero of the records.
        shift = _BASE - min(first[0], first[1])
        base = first[0] + shift
        pictures = 0
        last = base
        with muxer.write_file(os.fspath(out), atomic=atomic) as proxy:
            feed = _Feeder(timed, lambda data, at: proxy.push_klv(data, Pts90khz(at)))
            while (times := file.peek()) is not None:
                feed.up_to(times[1] + shift, base)
                file.push(proxy, 0, shift)
                last = max(last, times[0] + shift)
                pictures += 1
            feed.up_to(last, base)
        return pictures, feed.pushed, muxer.stats().ts_bytes_emitted


class _closing:
    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __enter__(self) -> Any:
        return self.thing

    def __exit__(self, *_: object) -> None:
        self.thing.close()


def _free_pid(taken: set[int], wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    pid = max((p for p in taken if p < 0x1F00), default=0x100) + 1
    while pid in taken:
        pid += 1
    return pid


def _into_ts(
    source: str,
    timed: list[tuple[int, bytes]],
    out: str | os.PathLike[str],
    synchronous: bool,
    klv_pid: int | None,
    atomic: bool,
) -> tuple[int, int, int]:
    from .io._transmux import Transmuxer
    from .mpegts import DemuxEvent, KlvStreamHandle, Pts90khz

    class Inserting(Transmuxer):
        handle: KlvStreamHandle

        def _extend(self, b: MuxerProgramConfigBuilder, taken: set[int]) -> None:
            _klv_stream(b, _free_pid(taken, klv_pid), synchronous)

        def _route(self, muxer: Any, config: Any) -> None:
            super()._route(muxer, config)
            self.handle = muxer.klv_handles()[-1]
            self.muxer = muxer

    feed: _Feeder | None = None
    base = last = 0
    pictures = 0
    tx = Inserting(source, os.fspath(out), atomic=atomic)

    def push(data: bytes, at: int) -> None:
        tx._proxy.push_klv_to(tx.handle, data, Pts90khz(at))

    with tx:
        for event in tx:
            if isinstance(event, DemuxEvent.Video):
                pts, dts = event.pts.raw, (event.dts or event.pts).raw
                if feed is None:
                    feed = _Feeder(timed, push)
                    base = last = pts
                # 33 bits wrap: follow the nearest way round.
                last += ((pts - last + (1 << 32)) & ((1 << 33) - 1)) - (1 << 32)
                feed.up_to(last - (pts - dts), base)
                pictures += 1
            tx.write(event)
        if feed is None:
            raise ValueError(f"{source}: no pictures")
        feed.up_to(last, base)
    return pictures, feed.pushed, tx.muxer.stats().ts_bytes_emitted


class KlvInserter:
    """Puts telemetry into a transport stream while both come in.

    Feed chunks of a stream without telemetry, give records as they happen, and send what `feed` returns. A
    record goes in with the time of the newest picture, or with a time of its own.

    Args:
        synchronous: metadata AU cells with a PTS, else private data without.
        klv_pid: PID of the KLV stream; by default the first that is free.

    >>> inserter = KlvInserter()
    >>> inserter.feed(b"")
    b''
    """

    def __init__(self, *, synchronous: bool = True, klv_pid: int | None = None) -> None:
        from .mpegts import Demuxer

        self._demuxer = Demuxer()
        self._synchronous = synchronous
        self._klv_pid = klv_pid
        self._muxer: Any = None
        self._tx: Any = None
        self._handle: Any = None
        self._now = 0
        self._waiting: list[tuple[bytes, int | None]] = []
        self.records_inserted = 0

    def record(self, record: bytes | UasDatalinkLs | Mapping[str, Any], pts: Pts90khz | None = None) -> None:
        """Take a record: a KLV packet, a typed record, or the fields of one.

        Args:
            record: what to insert.
            pts: its time in the stream; by default that of the newest picture when it goes in.
        """
        if isinstance(record, UasDatalinkLs):
            data = encode_uas_datalink(record)
        elif isinstance(record, Mapping):
            data = encode_uas_datalink(UasDatalinkLs(**({"uas_ls_version": _VERSION} | dict(record))))
        else:
            data = bytes(record)
        self._waiting.append((data, None if pts is None else pts.raw))

    def feed(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Take a chunk of the stream and give the packets that it and the waiting records make."""
        self._demuxer.feed(chunk)
        return self._drain()

    def flush(self) -> bytes:
        """Give what is left at the end of the stream."""
        self._demuxer.flush()
        out = self._drain()
        if self._tx is not None:
            self._insert()
            out += self._take()
        return out

    def _drain(self) -> bytes:
        out = bytearray()
        for event in self._demuxer:
            self._event(event)
            # A chunk may hold more than the queue of the muxer does.
            if self._muxer is not None and self._muxer.pending_packets() > _HIGH_WATER:
                out += self._take()
        if self._muxer is not None:
            out += self._take()
        return bytes(out)

    def _event(self, event: DemuxEvent) -> None:
        from .mpegts import DemuxEvent

        if isinstance(event, DemuxEvent.ProgramMap) and self._tx is None:
            self._start(event)
        if self._tx is None:
            return
        if isinstance(event, DemuxEvent.Video):
            self._now = event.pts.raw
            self._tx.write(event)
            self._insert()
            return
        try:
            self._tx.write(event)
        except RuntimeError:
            return  # another program's sample

    def _start(self, event: Any) -> None:
        from .io._transmux import Transmuxer
        from .mpegts import MuxerDrainProxy

        inserter = self

        class Live(Transmuxer):
            def _extend(self, b: MuxerProgramConfigBuilder, taken: set[int]) -> None:
                _klv_stream(b, _free_pid(taken, inserter._klv_pid), inserter._synchronous)

            def _open(self, muxer: Any) -> MuxerDrainProxy:
                inserter._muxer = muxer
                return muxer  # type: ignore[no-any-return]

        self._tx = Live("", "")
        self._tx._take_map(event.programs[0])
        self._handle = self._muxer.klv_handles()[-1]

    def _insert(self) -> None:
        from .mpegts import Pts90khz

        waiting, self._waiting = self._waiting, []
        for data, at in waiting:
            self._muxer.push_klv_to(self._handle, data, Pts90khz(self._now if at is None else at))
            self.records_inserted += 1

    def _take(self) -> bytes:
        out = bytearray(self._muxer.pending_packets() * 188)
        self._muxer.pull(out)
        return bytes(out)


_HIGH_WATER = 4096
