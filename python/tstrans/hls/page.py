"""The web page of a live stream, served by this process: player, markers, telemetry, map.

>>> import urllib.request
>>> with Site(title="Test") as site, site.listen("127.0.0.1:0") as server:
...     with urllib.request.urlopen(server.url) as answer:
...         answer.status
200
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._native import timeline_lib as lib

if TYPE_CHECKING:
    from types import TracebackType

    from ..timeline import TelemetryTrack, Timeline
    from ._mux import MuxPublisher
    from ._publisher import HlsPublisher

__all__ = ["Site", "SiteServer"]


class SiteServer:
    """An HTTP server of one :class:`Site`. Closing it, or the end of `with`, stops it."""

    __slots__ = ("_h",)

    def __init__(self, handle: lib.Server) -> None:
        self._h = handle

    @property
    def address(self) -> str:
        """The bound "ip:port"."""
        return self._h.addr()

    @property
    def url(self) -> str:
        """Where the page is."""
        host, _, port = self._h.addr().rpartition(":")
        if host in ("0.0.0.0", "[::]"):
            host = "127.0.0.1"
        return f"http://{host}:{port}/"

    def close(self) -> None:
        """Stop; repeating it does nothing."""
        self._h.close()

    def __enter__(self) -> SiteServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Site:
    """The page and its routes.

    `playlist` is the path of the playlist to play. `video` is a folder behind `/video/` where an encoder
    writes; it need not exist yet. `static` is a folder whose files take the place of the page's. `target` is
    the length of every segment in seconds, where no publisher says how the clocks lie. `cors` lets pages of
    any origin use every route; `read_only` takes no markers by HTTP.
    """

    __slots__ = ("_h",)

    def __init__(
        self,
        *,
        title: str = "Live",
        playlist: str = "/playlist.m3u8",
        timeline: Timeline | None = None,
        telemetry: TelemetryTrack | None = None,
        video: str | os.PathLike[str] | None = None,
        static: str | os.PathLike[str] | None = None,
        target: float = 2.0,
        low_latency: bool = False,
        cors: bool = False,
        read_only: bool = False,
    ) -> None:
        self._h = lib.Web(
            None if timeline is None else timeline._h,
            None if telemetry is None else telemetry._h,
            {
                "title": title,
                "playlist": playlist,
                "target_s": float(target),
                "low_latency": low_latency,
                "video_dir": None if video is None else os.fspath(video),
                "static_dir": None if static is None else os.fspath(static),
                "cors": cors,
                "read_only": read_only,
            },
        )

    def listen(self, address: str) -> SiteServer:
        """Serve at "ip:port", port 0 a free one. Raises :class:`~tstrans.hls.HlsError`: BIND_FAILED."""
        return SiteServer(self._h.listen(address))

    def attach(self, publisher: HlsPublisher | MuxPublisher) -> None:
        """Serve beside a publisher's presentation, on its server: "/" is the page, its clocks are the
        publisher's. The publisher keeps the site.

        Where segments have dates (``low_latency`` or ``program_date_time``), markers of the timeline's
        current epoch stand in the playlist as EXT-X-DATERANGE: ID ``marker-<id>``, a DURATION that the
        number ``duration`` of a marker's data gives in seconds, else 0, and the attributes X-TSTRANS-TIME,
        X-TSTRANS-TEXT (at most 512 bytes) and X-TSTRANS-DATA (JSON, at most 1024 bytes or left out), both
        escaped so that ``urllib.parse.unquote`` reads them. Records sent with ``MuxPublisher.send_klv``
        become telemetry; what is pushed as packets goes to ``TelemetryTrack.push_ts``, too.

        Raises :class:`~tstrans.hls.HlsError`: INVALID_CONFIG where the publisher has a page already.
        """
        from ._mux import MuxPublisher

        if isinstance(publisher, MuxPublisher):
            self._h.attach_mux(publisher._open()._id)
        else:
            self._h.attach(publisher._open()._id)

    @property
    def edge(self) -> float | None:
        """The newest stream time of an attached publisher, in seconds; None before its first segment."""
        return self._h.edge()

    def request(
        self, method: str, target: str, headers: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """(status, headers, body) of one request, for servers of other makes."""
        return self._h.request(method, target, headers or [], body)

    def close(self) -> None:
        """Give it back; servers go on. Repeating it does nothing."""
        self._h.close()

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
