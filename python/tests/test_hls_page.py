"""The page in a real browser: Debian's Chromium, headless, on a live stream of this process."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import live_flight as flight
import pytest
from tstrans.hls import HlsPublisher, MuxPublisher
from tstrans.hls.page import Site
from tstrans.mpegts import KlvStreamType, MuxerProgramConfigBuilder, Pts90khz, VideoCodec
from tstrans.timeline import TelemetryTrack, Timeline

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

#: Seconds of stream that are there before the page opens.
BACKLOG = 70
#: A machine that does other things: nothing is said of how long something takes unless this is set.
EXACT = bool(os.environ.get("TSTRANS_SOAK"))
#: How far behind the edge is live, in seconds.
LIVE = 8 if EXACT else 20
#: How long to wait for what has to happen, in ms.
TIMEOUT = 10_000 if EXACT else 60_000

#: Waits for a picture of which the page was told and which could be drawn, and reads what it shows and what
#: the page says of it. A page knows of a picture when the browser announces it: one that was drawn before
#: is compared when its announcement comes.
READ = f"""() => new Promise((done, fail) => {{
  const video = document.getElementById('video');
  const draw = {flight.DRAW};
  const numbers = new Map();  // by media time
  const end = performance.now() + {2 * TIMEOUT};
  let why = 'no picture came';
  const look = (announced) => {{
    if (performance.now() > end) {{ fail(new Error(why)); return; }}
    const p = window.tstransPage.picture;
    if (announced !== undefined && Math.abs(p.media - announced) > 1e-3) {{
      fail(new Error(`the page is at ${{p.media}}, the browser announced ${{announced}}`));
      return;
    }}
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking) {{
      const {{ n, at }} = draw(video);
      numbers.set(Math.round(at * 1000), n);
      why = `drawn at ${{at}}, announced at ${{p.media}}`;
    }}
    const n = numbers.get(Math.round(p.media * 1000));
    // One that has been sought to may be shown a moment after the seek has ended.
    const there = !video.paused || Math.abs(p.media - video.currentTime) < 1.5 / {flight.FPS};
    if (n === undefined || video.seeking || !there) {{ again(); return; }}
    done({{ n, media: p.media, pts: p.pts, stream: p.stream, record: p.record, shown: p.shown,
           panel: document.querySelector('#main dd:nth-of-type(1)')?.textContent,
           current: video.currentTime, paused: video.paused }});
  }};
  const again = () => {{
    if (video.paused || video.seeking) setTimeout(look, 20);
    else video.requestVideoFrameCallback((_, frame) => look(frame.mediaTime));
  }};
  again();
  setTimeout(() => fail(new Error(why)), {2 * TIMEOUT + 2000});
}})"""


def await_js(page: Any, what: str) -> None:
    """Wait for an expression to be true: the page's own policy lets nothing poll inside of it."""
    end = time.monotonic() + 2 * TIMEOUT / 1000
    while not page.evaluate(f"Boolean({what})"):
        assert time.monotonic() < end, what
        time.sleep(0.02)


class Stage:
    """A live stream with its page, and a browser on it."""

    def __init__(self, page: Any, url: str, timeline: Timeline, source: flight.Flight, opened: float) -> None:
        self.page = page
        self.url = url
        self.timeline = timeline
        self.source = source
        self.opened = opened  # seconds until the first picture
        self.misplaced: set[float] = set()

    def read(self) -> dict[str, Any]:
        """A picture whose telemetry and stream time have come: until then the page shows none.

        On a starving machine hls.js loads segments whose parts it had; it then moves the first picture of
        one to where the next was to begin, until that one replaces it. A few such pictures are passed over.
        """
        end = time.monotonic() + 2 * TIMEOUT / 1000
        while True:
            got: dict[str, Any] = self.page.evaluate(READ)
            if (
                not EXACT
                and len(self.misplaced) < 3
                and (got["n"] + flight.GOP) / flight.FPS == got["stream"]
            ):
                self.misplaced.add(got["media"])
                continue
            if got["record"] is not None and got["stream"] is not None:
                return got
            assert got["record"] is not None or got["shown"] is None
            assert time.monotonic() < end, got

    def settled(self, near: float) -> dict[str, Any]:
        """The picture shown once the player is at a stream time."""
        end = time.monotonic() + 2 * TIMEOUT / 1000
        while True:
            got = self.read()
            if got["stream"] is not None and abs(got["stream"] - near) < 3:
                return got
            assert time.monotonic() < end, (near, got)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        b = p.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            args=[
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )  # fmt: skip
        try:
            yield b
        finally:
            b.close()


@contextlib.contextmanager
def live(
    low_latency: bool, tmp: pathlib.Path, title: str = "Test flight", container: str = "ts"
) -> Iterator[tuple[Any, ...]]:
    builder = (
        HlsPublisher.builder().bind("127.0.0.1:0").memory().segment_duration_ms(1000).playlist_window(90)
        .cut_on_key_frames().byte_ranges().gzip().container(container)
    )  # fmt: skip
    if low_latency:
        builder = builder.low_latency(200)
    publisher = builder.build()
    timeline = Timeline(tmp / "markers.db")
    timeline.begin()
    track = TelemetryTrack()

    def take(data: bytes) -> None:
        track.push_ts(data)  # first: what a player gets has its telemetry
        publisher.push_ts(data)

    site = Site(title=title, timeline=timeline, telemetry=track, low_latency=low_latency)
    site.attach(publisher)
    source = flight.Flight(take)
    source.push(BACKLOG * flight.FPS)
    source.start()
    try:
        yield f"http://{publisher.local_addr()}/", timeline, source, site, publisher
    finally:
        source.stop()
        publisher.close()
        site.close()
        timeline.close()


@contextlib.contextmanager
def staged(b: Any, tmp: pathlib.Path, container: str) -> Iterator[Stage]:
    with live(True, tmp, container=container) as (url, timeline, source, _, _):
        page = b.new_page(viewport={"width": 1280, "height": 800})
        asked: list[str] = []
        page.on("request", lambda r: asked.append(r.url))
        errors: list[str] = []
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        begun = time.monotonic()
        page.goto(url)
        await_js(page, "document.getElementById('video').currentTime > 0 && window.tstransPage?.picture.pts")
        opened = time.monotonic() - begun
        x = Stage(page, url, timeline, source, opened)
        yield x
        assert not errors
        assert all(u.startswith((url, "data:", "blob:")) for u in asked), asked
        page.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as b:
        yield b


@pytest.fixture(scope="module")
def stage(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(chromium, tmp_path_factory.mktemp("live"), "ts") as x:
        yield x


def near_the_edge(stage: Stage) -> None:
    assert stage.opened < 3 or not EXACT, stage.opened
    end = time.monotonic() + 2 * TIMEOUT / 1000
    while True:
        got = stage.read()
        behind = stage.source.next - got["n"]
        if behind <= (1.5 if EXACT else LIVE) * flight.FPS:
            break
        assert time.monotonic() < end, f"{behind / flight.FPS} s behind"
    print(f"first picture after {stage.opened:.2f} s, {behind / flight.FPS:.2f} s behind")


def test_plays_live_soon_and_near_the_edge(stage: Stage) -> None:
    near_the_edge(stage)


def test_fragmented_mp4_plays_as_well(chromium: Any, tmp_path: pathlib.Path) -> None:
    with staged(chromium, tmp_path, "fmp4") as stage:
        near_the_edge(stage)
        for _ in range(5):
            check(stage.read())


def test_a_marker_is_a_date_range_to_the_player(stage: Stage) -> None:
    marker = stage.timeline.add(stage.read()["n"] / flight.FPS - 10, 'a "quoted" 100 %')
    await_js(stage.page, f"tstransPage.dateRanges.some(r => r.id === 'marker-{marker.id}')")
    got = stage.page.evaluate(f"tstransPage.dateRanges.find(r => r.id === 'marker-{marker.id}')")
    assert urllib.parse.unquote(got["text"]) == marker.text
    # hls.js puts it at the same place of the player's clock as the page does.
    picture = stage.read()
    assert got["start"] - picture["media"] == pytest.approx(marker.time - picture["stream"], abs=0.05)


def check(got: dict[str, Any]) -> None:
    """What the page says of a picture is what the picture shows."""
    n = got["n"]
    assert abs(got["stream"] * flight.FPS - n) <= 0.5, got
    assert got["pts"] == pytest.approx(flight.FIRST_PTS + n * 90_000 / flight.FPS, abs=2), got
    lat, lon = flight.position(n)
    fields = got["record"]["fields"]
    assert fields["mission_id"] == f"MISSION {n}"
    assert fields["sensor_lat_deg"] == pytest.approx(lat, abs=1e-6)
    assert fields["sensor_lon_deg"] == pytest.approx(lon, abs=1e-6)
    assert got["shown"]["lat"] == fields["sensor_lat_deg"] and got["shown"]["lon"] == fields["sensor_lon_deg"]


def test_clocks_and_telemetry_are_those_of_the_picture(stage: Stage) -> None:
    seen = set()
    for _ in range(12):
        got = stage.read()
        check(got)
        seen.add(got["n"])
    assert len(seen) > 4


def test_a_marker_set_in_python_appears_and_leads_to_its_picture(stage: Stage) -> None:
    n = stage.read()["n"] - 20 * flight.FPS
    marker = stage.timeline.add(n / flight.FPS, "landing <b>now</b>")
    begun = time.monotonic()
    row = stage.page.wait_for_selector(f"tr[data-id='{marker.id}']", timeout=TIMEOUT)
    took = time.monotonic() - begun
    assert took < 1 or not EXACT, took
    assert row.inner_text().split("\t")[-1] == "landing <b>now</b>"
    row.click()
    stage.page.evaluate("document.getElementById('video').pause()")
    got = stage.settled(n / flight.FPS)
    stage.page.evaluate("tstransPage.seek(%r)" % (n / flight.FPS))
    got = stage.settled(n / flight.FPS)
    assert abs(got["n"] - n) <= 1, (n, got)
    check(got)
    # The same by the bar.
    stage.page.evaluate("tstransPage.goLive()")
    await_js(stage.page, f"tstransPage.behind < {LIVE}")
    stage.page.click(f"#ticks button[data-id='{marker.id}']")
    got = stage.settled(n / flight.FPS)
    assert got["n"] - n < 3 * flight.FPS
    check(got)


def test_seeks_back_a_minute_and_returns(stage: Stage) -> None:
    stage.page.evaluate("tstransPage.goLive()")
    await_js(stage.page, f"tstransPage.behind < {LIVE}")
    here = stage.read()
    stage.page.evaluate("tstransPage.seek(%r)" % (here["stream"] - 60))
    got = stage.settled(here["stream"] - 60)
    check(stage.read())
    await_js(stage.page, "!document.getElementById('live').classList.contains('on')")
    stage.page.click("#live")
    await_js(stage.page, f"tstransPage.behind < {LIVE}")
    check(stage.read())
    assert stage.read()["n"] > got["n"] + 30 * flight.FPS


def test_keys_and_markers_set_on_the_page(stage: Stage) -> None:
    page = stage.page
    page.keyboard.press("k")
    await_js(page, "document.getElementById('video').paused")
    before = page.evaluate("document.getElementById('video').currentTime")
    page.keyboard.press("ArrowLeft")
    await_js(page, f"Math.abs(document.getElementById('video').currentTime - {before - 5}) < 0.2")
    got = stage.settled(stage.read()["stream"])
    page.fill("#text", "by hand")
    page.click("#set button")
    page.wait_for_selector("tr >> text=by hand", timeout=TIMEOUT)
    marker = next(m for m in stage.timeline.markers() if m.text == "by hand")
    assert abs(marker.time * flight.FPS - got["n"]) <= 1
    page.evaluate("document.activeElement.blur()")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") != theme
    page.keyboard.press("l")
    await_js(page, f"tstransPage.behind < {LIVE} && !document.getElementById('video').paused")


def test_many_markers_five_rows_and_those_out_of_range_hidden(stage: Stage) -> None:
    page = stage.page
    now = stage.read()["stream"]
    for i in range(12):
        stage.timeline.add(now - 30 + i, f"many {i}")
    stage.timeline.add(now + 100, "not yet")
    page.wait_for_selector("tr >> text=not yet", timeout=TIMEOUT)
    await_js(page, "document.querySelectorAll('#rows tr').length === 5")
    first = page.query_selector("#rows tr").inner_text()
    assert first.split("\t")[0] == time.strftime("%H:%M:%S", time.gmtime(now + 100))
    page.click("#older")
    assert page.query_selector("#rows tr").inner_text() != first
    page.click("#newer")
    # Where each stands on the bar, once it was drawn: it is drawn ten times a second.
    by_id = {m.id: m.time for m in stage.timeline.markers()}
    end_of_wait = time.monotonic() + 2 * TIMEOUT / 1000
    while True:
        start, end, marks = page.evaluate(
            "[...tstransPage.range, [...document.querySelectorAll('#ticks button')]"
            ".map(b => [+b.dataset.id, parseFloat(b.style.left), b.title])]"
        )
        wrong = [
            m for m in marks if abs(m[1] - 100 * (by_id[m[0]] - start) / (end - start)) > 2.5
        ]  # fmt: skip
        if any("many" in m[2] for m in marks) and not wrong:
            break
        assert time.monotonic() < end_of_wait, (start, end, marks)
        time.sleep(0.02)
    assert not any("not yet" in m[2] for m in marks)


def test_markers_are_filtered_by_their_text(stage: Stage) -> None:
    page = stage.page
    now = stage.read()["stream"]
    for i, text in enumerate(("Needle one", "hay", "a NEEDLE")):
        stage.timeline.add(now - 20 + i, text)
    page.wait_for_selector("tr >> text=a NEEDLE", timeout=TIMEOUT)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    rows = "[...document.querySelectorAll('#rows tr')].map(r => r.lastChild.textContent)"
    await_js(page, f"JSON.stringify({rows}) === JSON.stringify(['a NEEDLE', 'Needle one'])")
    await_js(page, "[...document.querySelectorAll('#ticks button')].every(b => /needle/i.test(b.title))")
    page.keyboard.press("Escape")
    await_js(page, f"{rows}.length === 5 && document.activeElement === document.body")


def test_all_can_be_reached_by_key_and_has_a_name(stage: Stage) -> None:
    page = stage.page
    page.wait_for_selector("#rows tr button", timeout=TIMEOUT)
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, [role], canvas')].filter((e) => e.checkVisibility()
          && !(e.getAttribute('aria-label') || e.title || e.textContent.trim())).map((e) => e.outerHTML)"""
    )
    assert nameless == []
    reached = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        got = page.evaluate("document.activeElement.id || document.activeElement.parentElement.tagName")
        reached.add(got)
    assert {
        "theme",
        "bar",
        "play",
        "back",
        "live",
        "text",
        "mute",
        "full",
        "filter",
        "TD",
        "follow",
    } <= reached
    page.evaluate("document.activeElement.blur()")


def test_a_phone_on_its_side_and_a_low_window(stage: Stage) -> None:
    """The picture and all its buttons fit the window without scrolling."""
    page = stage.page
    try:
        for width, height in ((740, 360), (1280, 480), (640, 320)):
            page.set_viewport_size({"width": width, "height": height})
            await_js(page, f"innerWidth === {width} && innerHeight === {height}")
            got = page.evaluate(
                """(() => {
                  scrollTo(0, 0);
                  const box = (i) => document.getElementById(i).getBoundingClientRect();
                  return [document.documentElement.scrollWidth, box('player').bottom, box('screen').width,
                          box('player').width];
                })()"""
            )
            assert got[0] <= width and got[1] <= height and abs(got[2] - got[3]) <= 2, (width, height, got)
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_phone(stage: Stage) -> None:
    page = stage.page
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        boxes = page.evaluate(
            "['player', 'markers', 'map', 'telemetry']"
            ".map(i => document.getElementById(i).getBoundingClientRect().width)"
        )
        assert all(280 < w <= 390 for w in boxes)
        check(stage.read())
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_new_epoch_clears_what_was_known(stage: Stage) -> None:
    stage.timeline.begin()
    await_js(stage.page, "tstransPage.markers.length === 0")
    await_js(stage.page, "tstransPage.picture.stream > 0")
    check(stage.read())


@pytest.mark.skipif(not EXACT, reason="TSTRANS_SOAK is not set: it takes three minutes")
def test_half_an_hour_makes_nothing_grow(chromium: Any, tmp_path: pathlib.Path) -> None:
    """30 minutes of stream at twelve times its pace, while the page plays, seeks and gets markers."""
    speed, minutes = 12, 30
    publisher = (
        HlsPublisher.builder().bind("127.0.0.1:0").memory().segment_duration_ms(1000).playlist_window(60)
        .cut_on_key_frames().gzip().low_latency(200).build()
    )  # fmt: skip
    timeline, track = Timeline(tmp_path / "markers.db"), TelemetryTrack(max_bytes=1 << 20)
    timeline.begin()
    site = Site(timeline=timeline, telemetry=track, low_latency=True)
    site.attach(publisher)
    program = (
        MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264)
        .add_klv(0x101, KlvStreamType.SYNCHRONOUS_METADATA, carries_pts=True).build()
    )  # fmt: skip
    muxer = MuxPublisher.with_config_hls(publisher, program)
    units = flight.pictures()
    total = minutes * 60 * flight.FPS
    begun = time.monotonic()
    n = 0

    def push() -> None:
        """What is due by now."""
        nonlocal n
        due = min(total, int((time.monotonic() - begun) * speed * flight.FPS) + 5 * flight.FPS)
        while n < due:
            pts = Pts90khz((flight.FIRST_PTS + n * 90_000 // flight.FPS) % (1 << 33))
            muxer.send_klv(flight.record(n), pts=pts)
            muxer.send_video(units[n % (160 * flight.FPS)], pts=pts, key_frame=n % flight.GOP == 0)
            n += 1

    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    push()
    page.goto(f"http://{muxer.local_addr()}/")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def measure() -> dict[str, float]:
        tools.send("HeapProfiler.collectGarbage")
        got = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
        status = pathlib.Path("/proc/self/status").read_text()
        rss = int(next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1]) / 1024
        return {
            "heap": got["JSHeapUsedSize"] / 1e6, "nodes": got["Nodes"],
            "listeners": got["JSEventListeners"], "rss": rss,
        }  # fmt: skip

    samples: list[dict[str, float]] = []
    turn = shown = 0
    while n < total:
        push()
        turn += 1
        if turn % 20 == 0:
            timeline.add(n / flight.FPS - 1, f"marker {turn}")
        move = ("tstransPage.goLive()", "tstransPage.seek(tstransPage.range[1] - 30)", "0")[turn // 10 % 3]
        shown += page.evaluate(f"{move}, document.getElementById('video').readyState >= 2 ? 1 : 0")
        page.wait_for_timeout(100)
        if n * 10 // total > len(samples):
            samples.append(measure())
            print({k: round(v, 1) for k, v in samples[-1].items()}, flush=True)
    # A player that the window leaves behind has to come back: here it does so all the time.
    assert shown > turn // 4 and not errors, (shown, turn, errors)
    early, late = samples[2], samples[-1]
    assert late["heap"] < early["heap"] * 1.3 + 4, samples
    assert late["nodes"] < early["nodes"] + 300 and late["listeners"] < early["listeners"] + 50, samples
    assert late["rss"] < early["rss"] + 40, samples
    page.close()
    muxer.finish_into_publisher().close()
    site.close()
    track.close()
    timeline.close()
