"""The web server of a stream that an encoder writes into `video/`: page, segments, markers.

    python -m tstrans.hls.api

`app` is an ASGI application, for any server that takes one; :func:`main` needs none. Markers come from the
key/value server (:mod:`tstrans.hls.sync`) where one runs, and by HTTP; they are kept in the database that
the environment variable `TSTRANS_MARKERS` names, by default `markers.db` in the working folder ("" keeps them
in memory).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ..timeline import Timeline, TimelineError
from .page import Site, SiteServer

__all__ = ["app", "main", "serve"]

API_ADDR = "0.0.0.0"
API_PORT = 5000
VIDEO = "video"
PLAYLIST = "/video/chessboard.m3u8"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Bound of a request's body; markers take at most 64 KiB.
_MAX_BODY = 64 << 10


class _Mirror:
    """Keeps the database in step with the list under the key "markers" of the key/value server."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._known: list[tuple[float, str]] | None = None
        self._cache: Any = None
        self._version = 0
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self, listed: Any) -> None:
        """Bring the database to what was listed."""
        rows = [(float(m["time"]), str(m["text"])) for m in listed]
        with self._lock:
            if rows == self._known:
                return
            if self._known is None:
                self._known = self._resume(rows)
            if self._known is not None and rows[: len(self._known)] == self._known:
                for at, text in rows[len(self._known) :]:
                    self._timeline.add(at, text)
            else:
                self._timeline.replace(rows)  # the stream began anew
            self._known = rows

    def _resume(self, rows: list[tuple[float, str]]) -> list[tuple[float, str]] | None:
        """The part of the list that the database has from before this process, if it is the same stream."""
        kept = [(m.time, m.text) for m in self._timeline.markers()]
        if not kept:
            return []
        n = 0
        while n < len(rows) and rows[n] in kept:
            n += 1
        return rows[:n] if n else None

    def look(self) -> None:
        """Take what the server has now; nothing where none runs."""
        if time.monotonic() < self._next:
            return
        from multiprocessing import AuthenticationError

        from .sync import Cache

        try:
            if self._cache is None:
                self._cache = Cache()
            listed = self._cache.get("markers")
        except (OSError, EOFError, AuthenticationError):
            self._cache = None
            self._next = time.monotonic() + 0.25
            return
        if listed is not None:
            self.take(listed)

    def follow(self, stop: threading.Event) -> None:
        """Take every change as it comes, until told to stop; a server that is not there is waited for."""
        from multiprocessing import AuthenticationError

        from .sync import Cache

        cache: Cache | None = None
        version = 0
        while not stop.is_set():
            try:
                if cache is None:
                    cache, version = Cache(), 0
                got = cache.wait("markers", version, 1.0)
            except (OSError, EOFError, AuthenticationError):
                cache = None
                stop.wait(0.5)
                continue
            if got is not None and got[1] != version:
                version = got[1]
                with contextlib.suppress(TimelineError, KeyError, TypeError, ValueError):
                    self.take(got[0])


def _database() -> Timeline:
    return Timeline(os.environ.get("TSTRANS_MARKERS", "markers.db"), stream="hlsstream")


class _App:
    """The ASGI application. What it needs is opened at the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0

    def _open(self) -> None:
        with self._lock:
            if self._pid != os.getpid():  # a forked worker opens its own
                self.timeline = _database()
                self.mirror = _Mirror(self.timeline)
                self.site = Site(
                    title="HLS stream", playlist=PLAYLIST, timeline=self.timeline, video=VIDEO, cors=True
                )
                self._pid = os.getpid()

    def _answer(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        self._open()
        if target.startswith(("/markers", "/timeline")):
            self.mirror.look()
        return self.site.request(method, target, headers, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup":
                    await send({"type": "lifespan.startup.complete"})
                elif message["type"] == "lifespan.shutdown":
                    await send({"type": "lifespan.shutdown.complete"})
                    return
        if kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        if kind != "http":
            raise ValueError(f"ASGI scope {kind!r} is unknown")
        raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        target = raw.decode("latin-1").partition("?")[0]
        if scope.get("query_string"):
            target += "?" + scope["query_string"].decode("latin-1")
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        if target.partition("?")[0] == "/timeline/events" and scope["method"] == "GET":
            await self._events(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > _MAX_BODY or not message.get("more_body"):
                break
        status, head, content = await asyncio.to_thread(
            self._answer, scope["method"], target, headers, body[: _MAX_BODY + 1]
        )
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in head],
            }
        )
        await send({"type": "http.response.body", "body": content})

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Server-sent events: new markers, new epochs."""
        self._open()
        wanted = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        timeline = self.timeline
        epoch, last = await asyncio.to_thread(timeline._h.state)
        at = int(wanted) if wanted.isascii() and wanted.isdigit() else last
        told = 0
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        if origin := dict(scope["headers"]).get(b"origin"):
            head += [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
            head.append((b"vary", b"Origin"))
        await send({"type": "http.response.start", "status": 200, "headers": head})
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            while not gone.done():
                text = ""
                if epoch != told:
                    text += f'event: epoch\ndata: {{"epoch":{epoch}}}\n\n'
                    told = epoch
                if last > at:
                    for m in await asyncio.to_thread(timeline.markers, after_id=at, epoch=-1, limit=1000):
                        at = m.id
                        body = {"id": m.id, "epoch": m.epoch, "time": m.time, "text": m.text, "data": m.data}
                        text += f"event: marker\nid: {m.id}\ndata: {json.dumps(body)}\n\n"
                if text:
                    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
                self.mirror.look()
                news = await asyncio.to_thread(timeline._h.wait, epoch, last, 0.5)
                if news is not None:
                    epoch, last = news
        finally:
            gone.cancel()
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


app = _App()


class serve:
    """Serves in the background: `with serve("127.0.0.1:0") as server: print(server.url)`."""

    def __init__(self, address: str | None = None, *, video: str = VIDEO, playlist: str = PLAYLIST) -> None:
        self._address = address or f"{API_ADDR}:{API_PORT}"
        self._video, self._playlist = video, playlist
        self._stop = threading.Event()

    def __enter__(self) -> SiteServer:
        with contextlib.ExitStack() as held:
            timeline = held.enter_context(_database())
            site = held.enter_context(
                Site(
                    title="HLS stream",
                    playlist=self._playlist,
                    timeline=timeline,
                    video=self._video,
                    cors=True,
                )
            )
            server = held.enter_context(site.listen(self._address))
            follower = threading.Thread(target=_Mirror(timeline).follow, args=(self._stop,), daemon=True)
            follower.start()
            held.callback(follower.join, 5)
            held.callback(self._stop.set)
            self._held = held.pop_all()
        return server

    def __exit__(self, *_: object) -> None:
        self._held.close()


def main(address: str | None = None) -> None:
    """Serve until the process ends: at 0.0.0.0:5000 unless told otherwise."""
    with serve(address) as server:
        print(f"serving {server.url}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    # Under its public name, so that what a program set there holds.
    from tstrans.hls import api

    with contextlib.suppress(KeyboardInterrupt):
        api.main()
