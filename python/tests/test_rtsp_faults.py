"""What an RTSP client and server do when the other end dies, hangs, stops reading or stops."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from lossy_line import LossyLine
from test_rtsp import await_, connect, picture, pictures, program, pumping, start
from tstrans.mpegts import DemuxEvent, Pts90khz
from tstrans.rtp import (
    DemuxReceiver,
    MountHandle,
    RtspClient,
    RtspClientConfig,
    RtspSession,
    StreamEndReason,
    TransportPref,
)

SERVER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from test_rtsp import program, pumping
from tstrans.rtp import RtspServer, RtspServerConfig
server = RtspServer.start(RtspServerConfig(bind_addr=sys.argv[1], session_timeout_secs=1))
with pumping(server.add_unicast_mount("/live", program())):
    print(server.local_addr(), flush=True)
    time.sleep(120)
"""


@contextmanager
def server_process(address: str = "127.0.0.1:0") -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", SERVER, address, __file__.rpartition("/")[0]]
    p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert p.stdout is not None
        yield p, p.stdout.readline().strip()
    finally:
        p.kill()
        p.wait()


def play(address: str, pref: TransportPref) -> tuple[RtspSession, DemuxReceiver]:
    session = RtspClient.connect(RtspClientConfig(f"rtsp://{address}/live", transport_pref=pref))
    events = session.into_demux_receiver()
    assert pictures(events, 2)
    return session, events


def end_of(events: DemuxReceiver, since: list[float], took: list[float]) -> threading.Thread:
    def run() -> None:
        for _ in events:
            pass
        took.append(time.monotonic() - since[0])

    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t


PREFS = [TransportPref.UDP, TransportPref.TCP]


def test_killed_and_restarted_server() -> None:
    """Clients hear of it within a second, by UDP too, and the next server serves them again."""
    address = "127.0.0.1:0"
    for _ in range(3):
        with server_process(address) as (p, address):
            clients = [play(address, pref) for pref in PREFS]
            since, took = [0.0], list[float]()
            ends = [end_of(events, since, took) for _, events in clients]
            since[0] = time.monotonic()
            p.kill()
            for t in ends:
                t.join(20)
            assert len(took) == 2
            assert max(took) < 1.0
            for session, events in clients:
                assert events.end_reason() is StreamEndReason.TRANSPORT_FAILED
                assert events.end_detail()
                session.close()


def test_server_that_hangs() -> None:
    """The keep-alive comes after half the session's second, and its answer is waited for at most 5 s."""
    with server_process() as (p, address):
        clients = [play(address, pref) for pref in PREFS]
        since, took = [time.monotonic()], list[float]()
        p.send_signal(signal.SIGSTOP)
        ends = [end_of(events, since, took) for _, events in clients]
        for t in ends:
            t.join(20)
        assert len(took) == 2
        assert max(took) < 0.5 + 5 + 1
        for session, events in clients:
            assert events.end_reason() is StreamEndReason.KEEPALIVE_FAILED
            assert events.end_detail()
            begun = time.monotonic()
            session.close()  # does not wait for the dead
            assert time.monotonic() - begun < 2


@contextmanager
def stalled_client(address: str) -> Iterator[None]:
    """Plays by TCP and never reads."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        s.connect((host, int(port)))
        for i, line in enumerate(("SETUP %s\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1", "PLAY %s")):
            first, _, more = line.partition("\r\n")
            head = f"{first} RTSP/1.0\r\nCSeq: {i}\r\n" % f"rtsp://{address}/live"
            s.sendall((head + (more + "\r\n" if more else "") + "\r\n").encode())
            s.recv(4096)
        yield


def test_stop_at_once() -> None:
    """Without a drain the server is gone in 0.3 s, whatever its clients do."""
    times = []
    for _ in range(3):
        server = start(fanout_capacity=64)
        mount = server.add_unicast_mount("/live", program())
        address = server.local_addr()
        assert address
        with contextlib.ExitStack() as stack:
            stack.enter_context(stalled_client(address))
            clients = [stack.enter_context(connect(server, transport_pref=pref)) for pref in PREFS]
            receivers = [c.into_demux_receiver() for c in clients]
            stack.enter_context(pumping(mount))
            for events in receivers:
                pictures(events, 2)
            big, n = picture(0, 100_000), 0
            while not mount.stats().frames_dropped_total:  # the stalled one is full
                mount.push_video(big, pts=Pts90khz.from_ms(10**6 + n), key_frame=True)
                n += 1
            begun = time.monotonic()
            server.stop(drain_ms=0)
            times.append(time.monotonic() - begun)
            assert mount.peer_count() == 0
            await_(lambda: all(e.end_reason() is not None for e in receivers), "the clients' end")  # noqa: B023
    assert min(times) <= 0.3, times
    assert max(times) <= 2, times


@pytest.mark.parametrize("pref", PREFS)
def test_stalled_client_slows_nobody(pref: TransportPref) -> None:
    """Beside one that reads nothing another gets every picture, and pushes stay short."""
    with start(fanout_capacity=32) as server:
        mount = server.add_unicast_mount("/live", program(False))
        address = server.local_addr()
        assert address
        with stalled_client(address), connect(server, transport_pref=pref) as session:
            events = session.into_demux_receiver()
            await_(lambda: mount.peer_count() == 2, "both players")
            seen, n, slowest = 0, 0, 0.0
            it = iter(events)
            while mount.stats().frames_dropped_total < 500:
                begun = time.monotonic()
                mount.push_video(picture(n, 20_000), pts=Pts90khz.from_ms(10 * n), key_frame=True)
                slowest = max(slowest, time.monotonic() - begun)
                n += 1
                while seen < n - 1:
                    got = pictures(it, 1)[0]
                    assert b"picture %d " % seen in got[:60]
                    seen += 1
            assert slowest < 1
            assert n < 2000


def push_through(line: LossyLine, mount: MountHandle, events: DemuxReceiver, total: int) -> None:
    """Pushes packets, each picture when the last is through: no buffer ever overflows."""

    def through() -> bool:
        return line.seen == mount.stats().packets_pushed and events.stats()[0].packets_received == line.sent

    i = 0
    while not line.calm:
        line.calm = mount.stats().packets_pushed >= total
        mount.push_video(picture(i, 12_000), pts=Pts90khz.from_ms(40 * i), key_frame=True)
        i += 1
        await_(through, "the line")


def test_losses_on_the_line() -> None:
    """What a line loses by UDP is reported to a packet, and what arrives is played."""
    with start(fanout_capacity=4096) as server:
        mount = server.add_unicast_mount("/live", program(False))
        address = server.local_addr()
        assert address
        with LossyLine(address, loss=0.05) as line:
            url = f"rtsp://{line.address}/live"
            with RtspClient.connect(RtspClientConfig(url, transport_pref=TransportPref.UDP)) as session:
                events = session.into_demux_receiver()
                push_through(line, mount, events, 3000)
                got = events.stats()[0]
                assert line.lost > 100
                assert got.packets_lost_recv == line.lost
                assert got.packets_received == mount.stats().packets_pushed - line.lost
                session.teardown()
                found = [type(e) for e in events]
                assert found.count(DemuxEvent.Video) > 100
                assert found.count(DemuxEvent.Discontinuity) > 50


@pytest.mark.parametrize("hold", [10_000, 0])
def test_order_on_the_line(hold: int) -> None:
    """With a reorder buffer nothing is out of order or comes twice; without it shows what the line did."""
    with start(fanout_capacity=4096) as server:
        mount = server.add_unicast_mount("/live", program(False))
        address = server.local_addr()
        assert address
        with LossyLine(address, repeats=0.01, reorder=0.02) as line:
            url = f"rtsp://{line.address}/live?reorder={hold}"
            with RtspClient.connect(RtspClientConfig(url, transport_pref=TransportPref.UDP)) as session:
                events = session.into_demux_receiver()
                counters: list[int] = []  # of the continuity of the picture's PID (ISO/IEC 13818-1 2.4.3.3)
                events.add_byte_sink(
                    lambda p: counters.append(p[3] & 15) if p[1:3][-1] == 1 and p[3] & 16 else None
                )
                push_through(line, mount, events, 3000)
                assert line.repeated > 10
                assert line.overtaken > 20
                assert events.stats()[0].packets_lost_recv == 0
                session.teardown()
                seen = [e.payload for e in events if isinstance(e, DemuxEvent.Video)]
        breaks = sum((b - a) % 16 != 1 for a, b in pairwise(counters))
        if hold:
            assert breaks == 0
            assert seen == [picture(i, 12_000) for i in range(len(seen))]
        else:
            assert breaks >= line.overtaken
