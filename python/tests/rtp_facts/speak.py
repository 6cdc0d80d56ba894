"""A client that says what it is told, and servers for it."""

from __future__ import annotations

import contextlib
import socket
import threading

from tstrans import rtp
from tstrans.mpegts import Pts90khz

from rtp_facts.common import NAL, WAIT, program


def started(**kw):
    kw.setdefault("bind_addr", "127.0.0.1:0")
    return rtp.RtspServer.start(rtp.RtspServerConfig(**kw))


class Raw:
    """A client that says what it is told."""

    def __init__(self, server):
        host, port = server.local_addr().rsplit(":", 1)
        self.base = f"rtsp://{server.local_addr()}"
        self.s = socket.create_connection((host, int(port)))
        self.s.settimeout(WAIT)
        self.buf = b""
        self.n = 0

    def line(self, sep=b"\r\n\r\n"):
        while True:
            while (
                self.buf[:1] == b"$"
                and len(self.buf) >= 4
                and len(self.buf) >= 4 + int.from_bytes(self.buf[2:4], "big")
            ):
                self.buf = self.buf[4 + int.from_bytes(self.buf[2:4], "big") :]
            if self.buf[:1] not in (b"$", b"") and sep in self.buf:
                head, self.buf = self.buf.split(sep, 1)
                return head
            d = self.s.recv(65536)
            if not d:
                raise EOFError
            self.buf += d

    def ask(self, method, path="", **h):
        self.n += 1
        uri = "*" if path == "*" else self.base + path
        lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {self.n}"] + [
            f"{k.replace('_', '-')}: {v}" for k, v in h.items()
        ]
        try:
            self.s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = self.line().decode().split("\r\n")
        except TimeoutError:
            return "silence", {}, ""
        except (OSError, EOFError):
            return "closed", {}, ""
        got = {k.strip().lower(): v.strip() for k, v in (x.split(":", 1) for x in head[1:])}
        n = int(got.get("content-length", 0))
        while len(self.buf) < n:
            self.buf += self.s.recv(65536)
        body, self.buf = self.buf[:n].decode(), self.buf[n:]
        return int(head[0].split(" ")[1]), got, body


@contextlib.contextmanager
def live(**kw):
    s = started(**kw)
    m = s.add_unicast_mount("/live", program())
    stop = threading.Event()

    def run():
        i = 0
        while not stop.wait(0.01):
            m.push_video(NAL, pts=Pts90khz.from_raw(900 * i), key_frame=True)
            i += 1

    t = threading.Thread(target=run, daemon=True)
    t.start()
    try:
        yield s
    finally:
        stop.set()
        t.join(5)
        s.stop(drain_ms=0)


TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"
