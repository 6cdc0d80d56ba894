"""``tstrans view``: a file or a live stream in the browser, with its markers and telemetry."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from time import monotonic

from ..exceptions import TstError
from . import COMMANDS
from ._common import positive, size
from ._endpoints import SCHEMES, open_source, waits
from .serve import _packets

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "view",
        help=COMMANDS["view"],
        description="Show a transport stream in the browser: player one can seek in, timeline with markers, "
        "telemetry and map from its KLV. A file is there as a whole, a live stream as far back as --window.",
        epilog=SCHEMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("source", metavar="FILE|URL", help="where the stream comes from")
    p.add_argument("--live", action="store_true", help="play a file as a live stream, at its own pace")
    p.add_argument(
        "--bind", default="127.0.0.1:8080", metavar="IP:PORT", help="where to listen (%(default)s)"
    )
    p.add_argument(
        "--window",
        type=positive,
        default=600,
        metavar="S",
        help="seconds of a live stream kept (%(default)g)",
    )
    p.add_argument(
        "--segment", type=positive, default=2, metavar="S", help="length of a segment (%(default)g)"
    )
    p.add_argument("--plain", action="store_true", help="a live stream without low latency")
    p.add_argument("--dir", metavar="FOLDER", help="keep segments there instead of in memory")
    p.add_argument(
        "--markers",
        metavar="DATABASE",
        help="a path, sqlite:// or postgres:// URL (a file in the user's state folder)",
    )
    p.add_argument(
        "--webrtc", action="store_true", help="at once, by WebRTC, without seeking (WHEP at /whep)"
    )
    p.add_argument("--ice", action="append", metavar="URL", help="a STUN or TURN server for --webrtc")
    p.add_argument("--browser", action="store_true", help="open the page in the browser")
    p.add_argument("--duration", type=positive, metavar="S", help="stop after so many seconds")
    p.add_argument("-q", "--quiet", action="store_true", help="no statistics")


def _state_file() -> str:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    folder = os.path.join(state, "tstrans")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, "markers.db")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    if args.webrtc:
        from . import view_webrtc

        return view_webrtc.run(args)
    from ..hls import HlsMode, HlsPublisher
    from ..hls.page import Site
    from ..timeline import TelemetryTrack, Timeline

    recorded = "://" not in args.source and args.source != "-"
    name = os.path.abspath(args.source) if recorded else args.source
    live = args.live or not recorded
    with ExitStack() as held:
        # One that is none fails before anything is served; with one that waits the page is there first.
        source = None if waits(args.source) else open_source(args.source)
        if source is not None:
            held.enter_context(source.held)
        builder = HlsPublisher.builder()
        try:
            builder = builder.bind(args.bind)
        except ValueError as e:
            raise TstError(f"--bind: {e}") from None
        builder = (
            builder.segment_duration_ms(int(args.segment * 1000))
            .max_segment_duration_ms(int(args.segment * 2000))
            .cut_on_key_frames()
            .byte_ranges()
            .gzip()
        )
        # Memory holds 2 GiB; a longer recording goes through a folder of its own.
        folder = args.dir
        if folder is None and not live and os.path.getsize(args.source) > 1 << 30:
            import tempfile

            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="tstrans-view-"))
        builder = builder.output_dir(folder) if folder else builder.memory()
        if not live:
            builder = builder.mode(HlsMode.EVENT)
        else:
            builder = builder.end_live().playlist_window(max(6, int(args.window / args.segment)))
            if not args.plain:
                builder = builder.low_latency(200)
        publisher = builder.build()
        held.callback(publisher.close)
        timeline = held.enter_context(
            Timeline(
                _state_file() if args.markers is None else args.markers,
                # A recording that is played keeps the markers of its times apart from these.
                stream=(name + "?live" if recorded and live else name)[-200:],
            )
        )
        if live:
            timeline.begin()  # its clock starts at 0 again
        track = held.enter_context(TelemetryTrack())
        site = held.enter_context(
            Site(
                title=os.path.basename(name) if recorded else _without_password(name),
                timeline=timeline,
                telemetry=track,
                low_latency=live and not args.plain,
            )
        )
        site.attach(publisher)
        url = f"http://{publisher.local_addr()}/".replace("//0.0.0.0:", "//127.0.0.1:")
        print(url, flush=True)
        if args.browser:
            import webbrowser

            webbrowser.open(url)
        begun = shown = monotonic()
        total = 0
        push = publisher.play_ts if recorded and live else publisher.push_ts
        try:
            if source is None:
                source = open_source(args.source)
                held.enter_context(source.held)
            for data in _packets(source):
                track.push_ts(data)  # first: what a player gets has its telemetry
                push(data)
                total += len(data)
                now = monotonic()
                if not args.quiet and now - shown >= 1:
                    shown = now
                    end = "\r" if sys.stderr.isatty() else "\n"
                    count = publisher.stats().segments_written
                    note = f"{size(total)}, {count} segments" if count else f"{size(total)}, no key frame yet"
                    print(f"{note:<60}", end=end, file=sys.stderr, flush=True)
                if args.duration is not None and now - begun >= args.duration:
                    return 0
            track.flush()
            if not publisher.stats().segments_written:
                raise TstError(_nothing(args.source, recorded, total))
            server = publisher.finish_serving()
            held.callback(server.close)
            if not args.quiet:
                print("the stream has ended; Ctrl-C stops the page", file=sys.stderr, flush=True)
            _wait(None if args.duration is None else args.duration - (monotonic() - begun))
        except KeyboardInterrupt:
            pass
    return 0


def _nothing(source: str, recorded: bool, total: int) -> str:
    """Why there is nothing to show."""
    if not total:
        return f"{source}: there was nothing to read"
    text = f"{source}: no picture and no sound to begin with in {size(total)}"
    if recorded:
        from ..webrtc.live_file import is_media_file

        if is_media_file(source):
            return f"{text}: no transport stream; `tstrans mux --video {source} -o out.ts` makes one"
    return f"{text}: `tstrans probe` tells what it holds"


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] else rest
    return f"{scheme}://{host.partition('?')[0]}"


def _wait(seconds: float | None) -> None:
    import threading

    threading.Event().wait(seconds)
