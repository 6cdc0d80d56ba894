"""A line between an RTSP client and a server on which datagrams are lost, repeated and overtaken."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator


class LossyLine:
    """Passes one session on and, at the client's end, has the server's address.

    The ports of SETUP are rewritten, so that media and reports go through sockets of the line. The first
    datagrams and those after `calm` was set are passed on untouched: a loss before all or after all else is
    nothing that a receiver could count.
    """

    def __init__(self, server: str, loss: float = 0, repeats: float = 0, reorder: float = 0) -> None:
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._random = random.Random(8)
        self._odds = (loss, repeats, reorder)
        self._kept: bytes | None = None
        self._to_client: dict[int, int] = {}
        self._to_server: dict[int, int] = {}
        self.calm = False
        self.seen = self.sent = self.lost = self.repeated = self.overtaken = 0  # datagrams of media
        self._open: list[socket.socket] = [self._listener]
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, call: Callable[..., None], *arguments: object) -> None:
        t = threading.Thread(target=call, args=arguments, daemon=True)
        self._threads.append(t)
        t.start()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        server = socket.create_connection(self._server)
        self._open += [client, server]
        # A pair of ports toward the client stands for the server's, one toward the server for the client's.
        self._fore, self._back = self._pair(), self._pair()
        self._start(self._requests, client, server)
        self._start(self._answers, server, client)
        for i in range(2):
            self._start(self._datagrams, i)
            self._start(self._reports, i)

    def _pair(self) -> list[socket.socket]:
        while True:
            pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            try:
                for n, s in enumerate(pair):
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                    s.settimeout(0.2)
                    s.bind(("127.0.0.1", pair[0].getsockname()[1] + 1 if n else 0))
                if pair[0].getsockname()[1] % 2 == 0:
                    self._open += pair
                    return pair
            except OSError:
                pass
            for s in pair:
                s.close()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        def rewritten(m: re.Match[bytes]) -> bytes:
            self._client_port = int(m[1])
            port = self._back[0].getsockname()[1]
            return b"client_port=%d-%d" % (port, port + 1)

        self._pump(client, server, rb"client_port=(\d+)-\d+", rewritten)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        def rewritten(m: re.Match[bytes]) -> bytes:
            self._server_port = int(m[2])
            port = self._fore[0].getsockname()[1]
            return b"client_port=%d-%d;server_port=%d-%d" % (
                self._client_port,
                self._client_port + 1,
                port,
                port + 1,
            )

        self._pump(server, client, rb"client_port=(\d+)-\d+;server_port=(\d+)-\d+", rewritten)

    def _pump(
        self,
        a: socket.socket,
        b: socket.socket,
        pattern: bytes,
        rewritten: Callable[[re.Match[bytes]], bytes],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := a.recv(1 << 16):  # one message each: none is sent before the last was answered
                b.sendall(re.sub(pattern, rewritten, data))
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def _received(self, s: socket.socket) -> Iterator[bytes]:
        while not self._over.is_set():
            try:
                yield s.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                return

    def _reports(self, i: int) -> None:
        """From the client to the server."""
        for data in self._received(self._fore[i]):
            self._back[i].sendto(data, ("127.0.0.1", self._server_port + i))

    def _datagrams(self, i: int) -> None:
        """From the server to the client: media as the odds have it, reports as they are."""
        for data in self._received(self._back[i]):
            for d in self._fate(data) if i == 0 else [data]:
                self._fore[i].sendto(d, ("127.0.0.1", self._client_port + i))
                self.sent += i == 0
            self.seen += i == 0

    def _fate(self, data: bytes) -> list[bytes]:
        """What is sent now, of this datagram and of one that it overtakes."""
        loss, repeats, reorder = self._odds
        out = []
        if self.calm or self.seen < 2 or (luck := self._random.random()) >= loss + repeats + reorder:
            out = [data]
        elif luck < loss:
            self.lost += 1
        elif luck < loss + repeats:
            self.repeated += 1
            out = [data, data]
        elif self._kept is None:
            self.overtaken += 1
            self._kept = data
            return []
        else:
            out = [data]
        if self._kept is not None and out:
            out.append(self._kept)
            self._kept = None
        return out

    def close(self) -> None:
        self._over.set()
        for s in self._open:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
        for t in self._threads:
            t.join(10)
        for s in self._open:
            s.close()

    def __enter__(self) -> LossyLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
