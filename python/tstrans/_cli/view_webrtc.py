"""``tstrans view --webrtc``: a file or a live stream in the browser at once, without re-encoding."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack

from ._endpoints import open_source

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or for --duration."""
    from ..webrtc.live import LiveStream, TransportStream
    from ..webrtc.live_file import FileStream, is_media_file
    from ..webrtc.rtcconfiguration import RTCConfiguration, RTCIceServer
    from ..webrtc.whip import WebRTCServer

    recorded = "://" not in args.source and args.source != "-"
    host, _, port = args.bind.rpartition(":")
    servers = [RTCIceServer(u) for u in getattr(args, "ice", None) or []]
    with ExitStack() as held:

        def opened() -> Callable[[], bytes]:
            held.close()
            source = open_source(args.source)
            held.enter_context(source.held)
            return lambda: source.read()[0]

        stream: LiveStream
        if recorded and is_media_file(args.source):
            stream = FileStream(args.source, loop=True)
        else:
            stream = TransportStream(opened(), paced=recorded, again=opened if recorded else None)

        async def serve() -> None:
            await stream.ready()
            server = WebRTCServer(stream, configuration=RTCConfiguration(iceServers=servers))
            address, at = await server.start(host.strip("[]"), int(port))
            shown = f"[{address}]" if ":" in address else address
            sound = f" and {stream.audio_codec}" if stream.audio_codec else ""
            print(
                f"{stream.codec.upper()}{sound} by WebRTC at http://{shown}:{at}/ (WHEP: /whep)",
                file=sys.stderr,
                flush=True,
            )
            try:
                if args.duration is None:
                    await asyncio.Event().wait()
                await asyncio.sleep(args.duration)
            finally:
                await server.close()
                await stream.close()

        asyncio.run(serve())
    return 0
