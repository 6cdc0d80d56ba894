"""``tstrans serve``: a file or a live stream behind rtsp://."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from time import monotonic

from . import COMMANDS
from ._common import size
from ._endpoints import SCHEMES, Source, open_source

__all__ = ["add_parser", "run"]

#: What goes out at a time, in bytes: whole packets.
_PACKET = 188


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of this subcommand."""
    p = commands.add_parser(
        "serve",
        help=COMMANDS["serve"],
        description="Serve a transport stream by RTSP. Files are played at their own pace, in a loop.",
        epilog=SCHEMES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("source", metavar="FROM", help="where the stream comes from")
    p.add_argument("--bind", default="0.0.0.0:8554", metavar="IP:PORT", help="where to listen (%(default)s)")
    p.add_argument("--path", default="/live", help="path of the stream (%(default)s)")
    p.add_argument("--user", metavar="NAME:PASSWORD", help="ask clients for these, by Digest")
    p.add_argument("--multicast", metavar="GROUP:PORT", help="send to a group instead of to each client")
    p.add_argument("--once", action="store_true", help="end with the file, do not begin anew")
    p.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    p.add_argument("-q", "--quiet", action="store_true", help="no statistics")


def run(args: argparse.Namespace) -> int:
    """Serve until the source ends, or Ctrl-C."""
    from ..mpegts import MuxerProgramConfigBuilder, VideoCodec
    from ..rtp import DigestAuth, RtspServer, RtspServerConfig

    auth = None
    if args.user:
        name, _, password = args.user.partition(":")
        auth = DigestAuth(name, password, realm="tstrans")
    # What is served is muxed already: the program stands for none of it.
    program = MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, VideoCodec.H264).build()
    recorded = "://" not in args.source and args.source != "-"
    source = open_source(args.source)  # one that is none fails before anything is served
    with source.held, RtspServer.start(RtspServerConfig(bind_addr=args.bind, auth=auth)) as server:
        if args.multicast:
            group, _, port = args.multicast.rpartition(":")
            mount = server.add_multicast_mount(
                args.path, group.strip("[]"), int(port), program_config=program
            )
        else:
            mount = server.add_unicast_mount(args.path, program)
        print(f"serving rtsp://{server.local_addr()}{args.path}", file=sys.stderr, flush=True)
        begun = shown = monotonic()
        total = 0
        try:
            while True:
                with source.held:
                    for data in _packets(source):
                        if recorded:
                            mount._mount.play_ts(data)
                        else:
                            mount._mount.send_ts(data)
                        total += len(data)
                        now = monotonic()
                        if not args.quiet and now - shown >= 1:
                            shown = now
                            note = f"{size(total)}, {mount.peer_count()} clients"
                            end = "\r" if sys.stderr.isatty() else "\n"
                            print(f"{note:<60}", end=end, file=sys.stderr, flush=True)
                        if args.duration is not None and now - begun >= args.duration:
                            return 0
                if args.once or not recorded or not total:
                    return 0
                source = open_source(args.source)
        except KeyboardInterrupt:
            return 0


def _packets(source: Source) -> Iterator[bytes]:
    """Whole packets, in pieces of at most a tenth of a second of most streams."""
    rest = b""
    while True:
        data, _ = source.read()
        if not data:
            return
        data = rest + data
        whole = len(data) // _PACKET * _PACKET
        for at in range(0, whole, 100 * _PACKET):
            yield data[at : min(at + 100 * _PACKET, whole)]
        rest = data[whole:]
