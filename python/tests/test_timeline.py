"""Markers, clocks and telemetry from Python."""

from __future__ import annotations

import doctest
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import live_flight as flight
import pytest
import tstrans.timeline
from tstrans import klv
from tstrans.exceptions import TstError
from tstrans.hls import HlsPublisher, MuxPublisher
from tstrans.hls.page import Site
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec
from tstrans.timeline import (
    ClockMap,
    Marker,
    PlaylistOffset,
    TelemetryTrack,
    Timeline,
    TimelineError,
    TimelineErrorKind,
)


def test_docs() -> None:
    assert doctest.testmod(tstrans.timeline).failed == 0


def test_markers(tmp_path: pathlib.Path) -> None:
    with Timeline(tmp_path / "m.db") as t:
        a = t.add(2.5, "b", {"n": [1, None, "ü"]})
        b = t.add(1, "a")
        assert t.markers() == [b, a] and a.data == {"n": [1, None, "ü"]} and a.id < b.id
        assert t.markers(after=1) == [a] and t.markers(since=1, until=1) == [b]
        assert t.markers(after_id=a.id) == [b] and t.markers(limit=1) == [b]
        assert pickle.loads(pickle.dumps(a)) == a and isinstance(a, Marker)
        first = t.epoch
        assert t.begin() > first and t.markers() == [] and t.markers(epoch=first) == [b, a]
        assert t.markers(epoch=-1) == [b, a]
        second = t.replace([(5.0, "x"), (4.0, "y")])
        assert t.epoch == second and [m.text for m in t.markers()] == ["y", "x"]
    with Timeline(tmp_path / "m.db") as t:
        assert t.epoch == second and [m.text for m in t.markers()] == ["y", "x"]
        big = [t.add(i, "x" * 4096) for i in range(200)]
        assert len(t.markers()) == 202 and t.markers(after_id=big[-2].id) == [big[-1]]


def test_what_is_refused(tmp_path: pathlib.Path) -> None:
    with Timeline() as t:
        for args, kind, field in (
            ((float("nan"), "x"), TimelineErrorKind.INVALID, "time"),
            ((1, "x" * 5000), TimelineErrorKind.TOO_LARGE, "text"),
            ((1, "a\0b"), TimelineErrorKind.INVALID, "text"),
            ((1, "\udc80"), TimelineErrorKind.INVALID, "text"),
            ((1, "x", "y" * 20000), TimelineErrorKind.TOO_LARGE, "data"),
        ):
            with pytest.raises(TimelineError) as e:
                t.add(*args)
            assert (e.value.kind, e.value.field) == (kind, field) and isinstance(e.value, TstError)
            again = pickle.loads(pickle.dumps(e.value))
            assert (again.kind, str(again)) == (kind, str(e.value))
        with pytest.raises(TypeError):
            t.add(None, "x")
        assert t.markers() == []
    with pytest.raises(TimelineError) as e:
        t.add(1, "x")
    assert e.value.kind is TimelineErrorKind.CLOSED
    for url, kind in (
        ("mysql://x/y", TimelineErrorKind.URL),
        (tmp_path / "no" / "m.db", TimelineErrorKind.STORE),
    ):
        with pytest.raises(TimelineError) as e:
            Timeline(url)
        assert e.value.kind is kind


def test_follow_sees_markers_of_another_process(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.db"
    seen: list[str] = []
    with Timeline(path) as t:

        def follow() -> None:
            for m in t.follow(after_id=0, timeout=20):
                seen.append(m.text)
                if m.text == "last":
                    return

        thread = threading.Thread(target=follow)
        thread.start()
        code = f"import tstrans.timeline as t; x = t.Timeline({str(path)!r}); x.add(1, 'a'); x.add(2, 'last')"
        env = {**os.environ, "PYTHONPATH": str(pathlib.Path(tstrans.timeline.__file__).parents[1])}
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=env)
        thread.join(30)
        assert seen == ["a", "last"]
        assert list(t.follow(timeout=0.05)) == []


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.db"
    code = (
        f"import tstrans.timeline as t; x = t.Timeline({str(path)!r})\n"
        "n = 0\n"
        "while True:\n"
        "    x.add(n, str(n)); print(n, flush=True); n += 1\n"
    )
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(tstrans.timeline.__file__).parents[1])}
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    last = -1
    for line in child.stdout:
        last = int(line)
        if last == 40:
            child.send_signal(signal.SIGKILL)
            break
    for line in child.stdout:
        if line.endswith("\n"):
            last = int(line)
    child.wait(20)
    with Timeline(path) as t:
        kept = [int(m.text) for m in t.markers()]
    assert kept == list(range(len(kept))) and len(kept) >= last + 1


def test_clocks() -> None:
    with ClockMap() as m:
        assert m.hls(1) is None and m.gen(1) is None
        for n in range(100):
            m.add(1000 + n / 20 + (n > 50), n / 30)
        assert m.hls(1000 + 10 / 20) == pytest.approx(10 / 30)
        assert m.gen(60 / 30) == pytest.approx(1000 + 60 / 20 + 1)
        with pytest.raises(TimelineError):
            m.add(0, 100)
    offset = PlaylistOffset(40, 2.0)
    assert offset.seconds == 80 and offset.client(95.5) == 15.5 and offset.stream(15.5) == 95.5


def test_telemetry_of_each_picture() -> None:
    with TelemetryTrack() as track:
        source = flight.Flight(track.push_ts)
        source.push(30)
        track.flush()
        for n in range(30):
            (r,) = track.range(flight.FIRST_PTS + n * 6000, 1)
            assert not r.is_async and klv.decode_uas_datalink(r.data).mission_id == f"MISSION {n}"
        assert len(track.range(flight.FIRST_PTS, 90_000, limit=5)) == 5
        s = track.stats()
        assert (s.records, s.records_kept, s.faults) == (30, 30, 0)
        track.push_ts(b"\xff" * 5000)  # no stream: counted or skipped, never raised
    with pytest.raises(ValueError):
        TelemetryTrack(0)


def test_a_muxer_feeds_the_page(tmp_path: pathlib.Path) -> None:
    program = (
        MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264)
        .add_klv(0x101, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True).build()
    )  # fmt: skip
    publisher = (
        HlsPublisher.builder().bind("127.0.0.1:0").memory().segment_duration_ms(1000).playlist_window(5)
        .cut_on_key_frames().program_date_time("sensor").build()
    )  # fmt: skip
    with Timeline(tmp_path / "m.db") as timeline, TelemetryTrack() as track:
        timeline.begin()
        site = Site(timeline=timeline, telemetry=track)
        site.attach(publisher)
        muxer = MuxPublisher.with_config_hls(publisher, program)
        url = f"http://{muxer.local_addr()}/"
        marker = timeline.add(1.25, 'at "home"\n', {"duration": 2})
        for n, unit in enumerate(map(flight.pictures().__getitem__, range(60))):
            pts = Pts90khz(flight.FIRST_PTS + n * 6000)
            muxer.send_video(unit, pts=pts, key_frame=n % flight.GOP == 0)
            muxer.send_klv(flight.record(n), pts=pts)
        with urllib.request.urlopen(f"{url}telemetry?pts={flight.FIRST_PTS + 30 * 6000}&ticks=1") as answer:
            records = json.load(answer)["records"]
        assert [r["fields"]["mission_id"] for r in records] == ["MISSION 30"] and track.stats().records == 60
        end = time.monotonic() + 20
        while "EXT-X-DATERANGE" not in (text := muxer.render_playlist()):
            assert time.monotonic() < end, text
            time.sleep(0.01)
        line = next(x for x in text.splitlines() if x.startswith("#EXT-X-DATERANGE:"))
        # The sensor's clock begins at START_US with the first picture.
        assert line == (
            f'#EXT-X-DATERANGE:ID="marker-{marker.id}",CLASS="tstrans.marker",'
            'START-DATE="2026-01-01T00:00:01.250Z",DURATION=2,X-TSTRANS-DATA="{%22duration%22:2}",'
            'X-TSTRANS-TEXT="at %22home%22%0A",X-TSTRANS-TIME="1.25"'
        )
        muxer.finish_into_publisher().close()
        site.close()
