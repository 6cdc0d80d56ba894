"""Descriptions and candidates as JSON, and simple ways to carry them, for examples and tests."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import Any, TypeAlias

from ..rtcicetransport import RTCIceCandidate
from ..rtcsessiondescription import RTCSessionDescription
from ..sdp import candidate_from_sdp, candidate_to_sdp

__all__ = [
    "BYE",
    "BaseSignaling",
    "CopyAndPasteSignaling",
    "TcpSocketSignaling",
    "UnixSocketSignaling",
    "add_signaling_arguments",
    "create_signaling",
    "object_from_string",
    "object_to_string",
]


class SignalingBye:
    """The other side has left."""


BYE = SignalingBye()

Message: TypeAlias = "RTCSessionDescription | RTCIceCandidate | SignalingBye"


def object_from_string(message_str: str) -> Message | None:
    """What a message holds: a description, a candidate, BYE.

    >>> object_from_string('{"type": "bye"}') is BYE
    True
    """
    message = json.loads(message_str)
    if message["type"] in ("answer", "offer"):
        return RTCSessionDescription(**message)
    if message["type"] == "candidate" and message["candidate"]:
        candidate = candidate_from_sdp(message["candidate"].split(":", 1)[1])
        candidate.sdpMid = message["id"]
        candidate.sdpMLineIndex = message["label"]
        return candidate
    if message["type"] == "bye":
        return BYE
    return None


def object_to_string(obj: Message) -> str:
    """The message for a description, a candidate or BYE."""
    if isinstance(obj, RTCSessionDescription):
        message: dict[str, Any] = {"sdp": obj.sdp, "type": obj.type}
    elif isinstance(obj, RTCIceCandidate):
        message = {
            "candidate": "candidate:" + candidate_to_sdp(obj),
            "id": obj.sdpMid,
            "label": obj.sdpMLineIndex,
            "type": "candidate",
        }
    else:
        assert obj is BYE
        message = {"type": "bye"}
    return json.dumps(message, sort_keys=True)


class BaseSignaling:
    """Where messages come from and go to."""

    async def connect(self) -> None:
        """Open the way to the other side."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close it."""
        raise NotImplementedError

    async def receive(self) -> Message | None:
        """The next message; None or BYE at the end."""
        raise NotImplementedError

    async def send(self, descr: Message) -> None:
        """Send a message."""
        raise NotImplementedError


class CopyAndPasteSignaling(BaseSignaling):
    """Messages are lines of the terminal."""

    async def connect(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def receive(self) -> Message | None:
        """The next line that was pasted."""
        print("-- Please enter a message from remote party --")
        line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        return object_from_string(line) if line.strip() else BYE

    async def send(self, descr: Message) -> None:
        """Print the message."""
        print("-- Please send this message to the remote party --")
        print(object_to_string(descr))
        print()


class _StreamSignaling(BaseSignaling):
    def __init__(self) -> None:
        self._server: asyncio.AbstractServer | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._connected.set()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise NotImplementedError

    async def _listen(self) -> asyncio.AbstractServer:
        raise NotImplementedError

    async def connect(self) -> None:
        """Nothing yet: the first message opens the connection."""

    async def _ready(self, connect: bool) -> None:
        if self._writer is not None:
            return
        if connect:
            self._reader, self._writer = await self._open()
        else:
            self._server = await self._listen()
            await self._connected.wait()

    async def close(self) -> None:
        """Say goodbye and close."""
        if self._writer is not None:
            await self.send(BYE)
            self._writer.close()
            self._reader = self._writer = None
        if self._server is not None:
            self._server.close()
            self._server = None

    async def receive(self) -> Message | None:
        """The next message; None once the other side has closed."""
        await self._ready(connect=False)
        assert self._reader is not None
        try:
            data = await self._reader.readuntil()
        except asyncio.IncompleteReadError:
            return None
        return object_from_string(data.decode())

    async def send(self, descr: Message) -> None:
        """Send a message."""
        await self._ready(connect=True)
        assert self._writer is not None
        self._writer.write(object_to_string(descr).encode() + b"\n")


class TcpSocketSignaling(_StreamSignaling):
    """Messages are lines of a TCP connection: who receives first listens."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host = host
        self._port = port

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(host=self._host, port=self._port)

    async def _listen(self) -> asyncio.AbstractServer:
        return await asyncio.start_server(self._accepted, host=self._host, port=self._port)


class UnixSocketSignaling(_StreamSignaling):
    """Messages are lines of a Unix socket: who receives first listens."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self._path)

    async def _listen(self) -> asyncio.AbstractServer:
        return await asyncio.start_unix_server(self._accepted, path=self._path)

    async def close(self) -> None:
        """Say goodbye and close; the listener's file goes."""
        listened = self._server is not None
        await super().close()
        if listened and os.path.exists(self._path):
            os.unlink(self._path)


def add_signaling_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line's options for `create_signaling`."""
    parser.add_argument("--signaling", "-s", choices=["copy-and-paste", "tcp-socket", "unix-socket"])
    parser.add_argument("--signaling-host", default="127.0.0.1", help="host of tcp-socket")
    parser.add_argument("--signaling-port", default=1234, type=int, help="port of tcp-socket")
    parser.add_argument("--signaling-path", default="tstrans.socket", help="path of unix-socket")


def create_signaling(args: argparse.Namespace) -> BaseSignaling:
    """What the command line asked for."""
    if args.signaling == "tcp-socket":
        return TcpSocketSignaling(args.signaling_host, args.signaling_port)
    if args.signaling == "unix-socket":
        return UnixSocketSignaling(args.signaling_path)
    return CopyAndPasteSignaling()
