"""WHEP out and WHIP in: connections negotiated by one HTTP request.

Specifications: RFC 9725 (WHIP), draft-ietf-wish-whep.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from ..exceptions import TstError
from .exceptions import OperationError
from .live import LiveStream
from .mediastreams import MediaStreamTrack
from .rtcconfiguration import RTCConfiguration
from .rtcpeerconnection import RTCPeerConnection
from .rtcrtpsender import RTCRtpSender
from .rtcsessiondescription import RTCSessionDescription

__all__ = ["WebRTCServer"]

_MAX_HEAD = 16384
_MAX_BODY = 1 << 18
_TIMEOUT = 15.0

_PAGE = """<!doctype html><meta charset=utf-8><title>tstrans</title>
<style>body{margin:0;background:#111;color:#ccc;font:14px sans-serif}video{width:100%;max-height:85vh}
pre{padding:0 1em;white-space:pre-wrap;word-break:break-all}</style>
<video id=v autoplay muted playsinline controls></video><pre id=s>connecting</pre><script>
const say = t => document.getElementById('s').textContent = t;
(async () => {
  const pc = window.pc = new RTCPeerConnection();
  pc.addTransceiver('video', {direction: 'recvonly'});
  pc.addTransceiver('audio', {direction: 'recvonly'});
  v.srcObject = new MediaStream();
  const klv = pc.createDataChannel('klv');
  klv.binaryType = 'arraybuffer';
  window.units = 0;
  klv.onmessage = m => { units++; const d = new DataView(m.data);
    say('KLV ' + units + ' at ' + (Number(d.getBigUint64(0)) / 90000).toFixed(3) + ' s, ' +
      (m.data.byteLength - 8) + ' bytes'); };
  pc.ontrack = e => { v.srcObject.addTrack(e.track); };
  pc.onconnectionstatechange = () => say(pc.connectionState);
  await pc.setLocalDescription(await pc.createOffer());
  if (pc.iceGatheringState != 'complete') await new Promise(r => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState == 'complete' && r(); setTimeout(r, 2000); });
  const a = await fetch('whep', {method: 'POST', headers: {'Content-Type': 'application/sdp'},
    body: pc.localDescription.sdp});
  if (!a.ok) return say(await a.text());
  await pc.setRemoteDescription({type: 'answer', sdp: await a.text()});
})();
</script>"""

_CORS = (
    "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: POST, PATCH, DELETE, OPTIONS\r\n"
    "Access-Control-Allow-Headers: Content-Type, Authorization\r\nAccess-Control-Expose-Headers: Location\r\n"
)

_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large",
    503: "Service Unavailable",
}

Published = Callable[[RTCPeerConnection, MediaStreamTrack], Awaitable[None] | None]


class WebRTCServer:
    """Serves a stream to browsers at ``/whep``, its page at ``/``, and takes streams at ``/whip``.

    :param source: what viewers get; None leaves WHEP out.
    :param on_publish: called with the connection and each track of who publishes; the tracks give
        `EncodedPacket` objects. None leaves WHIP out.
    :param configuration: of the connections, with STUN and TURN servers.
    :param max_connections: more are refused.
    """

    def __init__(
        self,
        source: LiveStream | None = None,
        *,
        on_publish: Published | None = None,
        configuration: RTCConfiguration | None = None,
        max_connections: int = 256,
    ) -> None:
        self._source = source
        self._on_publish = on_publish
        self._configuration = configuration
        self._max = max_connections
        self._connections: dict[str, RTCPeerConnection] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; the address, whose port was chosen where 0 was asked for."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
        for pc in list(self._connections.values()):
            await pc.close()
        self._connections.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await asyncio.wait_for(self._request(reader), _TIMEOUT)
        except (
            asyncio.TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
        ):
            answer = None
        try:
            if answer is not None:
                status, kind, body, extra = answer
                data = body.encode()
                head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n"
                head += f"Content-Length: {len(data)}\r\n"
                writer.write((head + _CORS + extra + "Connection: close\r\n\r\n").encode() + data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> tuple[int, str, str, str]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        words = head[0].split(" ")
        if len(words) != 3:
            return 400, "text/plain", "no request", ""
        method, path = words[0], words[1].split("?")[0]
        length = 0
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value) if value.strip().isdigit() else _MAX_BODY + 1
        if length > _MAX_BODY:
            return 413, "text/plain", "too long", ""
        body = (await reader.readexactly(length)).decode("utf-8", "replace")
        return await self._answer(method, path, body)

    async def _answer(self, method: str, path: str, body: str) -> tuple[int, str, str, str]:
        room, _, name = path.lstrip("/").partition("/")
        if method == "OPTIONS":
            return 204, "text/plain", "", ""
        if method == "GET" and path == "/" and self._source is not None:
            return 200, "text/html; charset=utf-8", _PAGE, ""
        known = (room == "whep" and self._source is not None) or (
            room == "whip" and self._on_publish is not None
        )
        if not known:
            return 404, "text/plain", "nothing here", ""
        if name:
            pc = self._connections.get(name)
            if pc is None:
                return 404, "text/plain", "no such connection", ""
            if method == "DELETE":
                await pc.close()
                return 200, "text/plain", "", ""
            if method == "PATCH":
                return await self._trickle(pc, body)
            return 405, "text/plain", "DELETE or PATCH", ""
        if method != "POST":
            return 405, "text/plain", "POST an offer", ""
        if len(self._connections) >= self._max:
            return 503, "text/plain", "too many connections", "Retry-After: 10\r\n"
        return await self._offered(room, body)

    async def _trickle(self, pc: RTCPeerConnection, body: str) -> tuple[int, str, str, str]:
        from .sdp import candidate_from_sdp

        try:
            for line in body.splitlines():
                if line.startswith("a=candidate:"):
                    candidate = candidate_from_sdp(line[12:])
                    candidate.sdpMLineIndex = 0
                    await pc.addIceCandidate(candidate)
        except ValueError as e:
            return 400, "text/plain", str(e), ""
        return 204, "text/plain", "", ""

    async def _offered(self, room: str, body: str) -> tuple[int, str, str, str]:
        pc = RTCPeerConnection(self._configuration)
        name = uuid.uuid4().hex
        try:
            offer = RTCSessionDescription(body, "offer")
            if room == "whep":
                await self._view(pc, offer)
            else:
                await self._publish(pc, offer)
            await pc.setLocalDescription(await pc.createAnswer())
        except (ValueError, OperationError) as e:
            await pc.close()
            return 406 if isinstance(e, OperationError) else 400, "text/plain", str(e), ""
        except TstError as e:  # of the source
            await pc.close()
            return 503, "text/plain", str(e), ""
        except BaseException:
            await pc.close()
            raise
        self._connections[name] = pc

        def changed() -> None:
            if pc.connectionState in ("failed", "closed"):
                self._connections.pop(name, None)
                if pc.connectionState == "failed":
                    self._later(pc.close())

        pc.on("connectionstatechange", changed)
        assert pc.localDescription is not None
        return 201, "application/sdp", pc.localDescription.sdp, f"Location: /{room}/{name}\r\n"

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _view(self, pc: RTCPeerConnection, offer: RTCSessionDescription) -> None:
        source = self._source
        assert source is not None
        await source.ready()
        transceiver = pc.addTransceiver(source.subscribe(), direction="sendonly")
        transceiver.setCodecPreferences(source.preferences())
        audio = source.subscribe_audio()
        if audio is not None:
            heard = pc.addTransceiver(audio, direction="sendonly")
            heard.setCodecPreferences(
                [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.name == "opus"]
            )
        pc.on("datachannel", lambda channel: source.attach(channel) if channel.label == "klv" else None)
        try:
            await pc.setRemoteDescription(offer)
        except OperationError:
            raise OperationError(
                f"the stream is {source.codec.upper()}, which the offer does not take"
            ) from None

    async def _publish(self, pc: RTCPeerConnection, offer: RTCSessionDescription) -> None:
        def track(t: MediaStreamTrack) -> None:
            t.encoded = True  # type: ignore[attr-defined]
            assert self._on_publish is not None
            made = self._on_publish(pc, t)
            if made is not None:
                self._later(made)

        pc.on("track", track)
        await pc.setRemoteDescription(offer)
