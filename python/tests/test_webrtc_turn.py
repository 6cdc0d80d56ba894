"""Connections through a real TURN server, coturn: over UDP, TCP, TLS, and with wrong credentials none."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tstrans.webrtc as rtc
from test_webrtc_peer import connected, negotiate, run, until
from tstrans.webrtc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

SERVER = shutil.which("turnserver")
pytestmark = pytest.mark.skipif(SERVER is None, reason="coturn is not installed")


def free_port():
    """A port that neither UDP nor TCP uses."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def certificate(folder):
    """A certificate for 127.0.0.1 that nobody but its own signature vouches for, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def accepts(port):
    with socket.socket() as s:
        s.settimeout(0.2)
        return s.connect_ex(("127.0.0.1", port)) == 0


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
    port, tls = free_port(), free_port()
    cert, key = certificate(at)
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
            "--tls-listening-port",
            str(tls),
            "--cert",
            str(cert),
            "--pkey",
            str(key),
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
        while not (answers(port) and accepts(port) and accepts(tls)):
            assert process.poll() is None and time.monotonic() < end, "coturn does not answer"
            time.sleep(0.05)
        yield {"udp": port, "tcp": port, "tls": tls, "cert": cert}
    finally:
        process.kill()
        process.wait(10)


def configuration(server, password="secret", transport="udp"):
    scheme, over = ("turns", "tcp") if transport == "tls" else ("turn", transport)
    url = f"{scheme}:127.0.0.1:{server[transport]}?transport={over}"
    return RTCConfiguration(
        iceServers=[RTCIceServer(url, username="viewer", credential=password)],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY,
    )


def candidates(pc):
    return [line for line in pc.localDescription.sdp.splitlines() if line.startswith("a=candidate:")]


def relayed(server, transport):
    async def main():
        p = rtc.RTCPeerConnection(configuration(server, transport=transport))
        q = rtc.RTCPeerConnection(configuration(server, transport=transport))
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


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_relayed_alone(server, transport):
    relayed(server, transport)


def test_relayed_over_tls(server):
    """A process of its own: which certificates are trusted is read once."""
    env = {
        **os.environ,
        "SSL_CERT_FILE": str(server["cert"]),
        "SSL_CERT_DIR": str(Path(server["cert"]).parent),
    }
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    program = f"import test_webrtc_turn as t; t.relayed({{'tls': {server['tls']}}}, 'tls')"
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=80
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_certificate_that_nobody_vouches_for(server):
    async def main():
        p = rtc.RTCPeerConnection(configuration(server, transport="tls"))
        p.createDataChannel("never")
        await p.setLocalDescription(await p.createOffer())
        assert candidates(p) == []
        await p.close()

    run(main(), 40)


def test_one_side_relayed(server):
    """A relay reaches a side that has no server, through the address that side shows."""

    async def main():
        p = rtc.RTCPeerConnection(configuration(server))
        q = rtc.RTCPeerConnection(
            RTCConfiguration(iceServers=[RTCIceServer(f"stun:127.0.0.1:{server['udp']}")])
        )
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
