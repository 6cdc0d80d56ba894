"""Connections through a real TURN server, coturn: relayed only, and with wrong credentials not at all."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time

import pytest
import tstrans.webrtc as rtc
from test_webrtc_peer import connected, negotiate, run, until
from tstrans.webrtc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

SERVER = shutil.which("turnserver")
pytestmark = pytest.mark.skipif(SERVER is None, reason="coturn is not installed")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    """Whether a STUN binding request is answered (RFC 8489)."""
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"0123456789ab"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect(("127.0.0.1", port))
        try:
            s.send(request)
            return s.recv(1500)[:2] == b"\x01\x01"
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    at = tmp_path_factory.mktemp("turn")
    port = free_port()
    process = subprocess.Popen(
        [
            SERVER,
            "-n",
            "-L",
            "127.0.0.1",
            "-E",
            "127.0.0.1",
            "-p",
            str(port),
            "--lt-cred-mech",
            "-u",
            "viewer:secret",
            "-r",
            "example.org",
            "--allow-loopback-peers",
            "--no-tls",
            "--no-dtls",
            "--no-cli",
            "--cli-password",
            "unused",
            "--log-file",
            str(at / "log"),
            "--simple-log",
            "--pidfile",
            str(at / "pid"),
            "--userdb",
            str(at / "users"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 20
        while not answers(port):
            assert process.poll() is None and time.monotonic() < end, "coturn does not answer"
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait(10)


def configuration(port, password="secret", transport="udp"):
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(
                f"turn:127.0.0.1:{port}?transport={transport}", username="viewer", credential=password
            )
        ],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY,
    )


def candidates(pc):
    return [line for line in pc.localDescription.sdp.splitlines() if line.startswith("a=candidate:")]


def test_relayed_alone(server):
    async def main():
        p = rtc.RTCPeerConnection(configuration(server))
        q = rtc.RTCPeerConnection(configuration(server))
        track = rtc.VideoStreamTrack()
        p.addTrack(track)
        channel = p.createDataChannel("through")
        got, tracks = [], []
        q.on("datachannel", lambda c: c.on("message", got.append))
        q.on("track", tracks.append)
        channel.on("open", lambda: channel.send(b"x" * 20000))
        await negotiate(p, q)
        for pc in (p, q):
            assert candidates(pc) and all(" typ relay" in c for c in candidates(pc)), candidates(pc)
        await connected(p, q)
        await until(lambda: got)
        assert got == [b"x" * 20000]
        frames = [await asyncio.wait_for(tracks[0].recv(), 10) for _ in range(10)]
        assert frames[-1].width == 640
        await p.close()
        await until(lambda: q.connectionState == "closed")
        await q.close()

    run(main(), 40)


def test_one_side_relayed(server):
    """A relay reaches a side that has no server, through the address that side shows."""

    async def main():
        p = rtc.RTCPeerConnection(configuration(server))
        q = rtc.RTCPeerConnection(RTCConfiguration(iceServers=[RTCIceServer(f"stun:127.0.0.1:{server}")]))
        channel = p.createDataChannel("through")
        got = []
        q.on("datachannel", lambda c: c.on("message", got.append))
        channel.on("open", lambda: channel.send("hello"))
        await negotiate(p, q)
        assert not any(" typ relay" in c for c in candidates(q))
        await until(lambda: got == ["hello"])
        await p.close()
        await q.close()

    run(main(), 40)


def test_wrong_credentials(server):
    async def main():
        p = rtc.RTCPeerConnection(configuration(server, password="wrong"))
        p.createDataChannel("never")
        begun = time.monotonic()
        await p.setLocalDescription(await p.createOffer())
        assert candidates(p) == [], "the server refused, and nothing else is used"
        assert time.monotonic() - begun < 20
        await p.close()

    run(main(), 40)
