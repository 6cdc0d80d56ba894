"""RTSP under two interpreters in turn: a server's CPU a client, or with --first a client's time to an event.

    python rtsp.py PYTHON_A PYTHON_B [--clients 1,10,50,200] [--transport tcp|udp] [--mbps 2] [--rounds 3]
    python rtsp.py PYTHON_A PYTHON_B --first SERVER_PYTHON [--transport auto|tcp|udp]

A server in a process of its own pushes pictures at 30 a second to one mount; this process plays it with
plain sockets, the same for both. Quoted is the CPU time of the server's process while all clients play, and
what the clients got of what was sent. With --first a client of A and one of B, each in a process of its own,
connect to a server of the third interpreter, which pushes 200 pictures a second, and take the first event.
A/B above 1: B needs less.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import time

RATE = 30  # pictures a second


def serve(mbps: float, seconds: float, rate: int) -> None:
    """The server's process: says its address, waits for a line, pushes, says what it took."""
    from tstrans.mpegts import MuxerProgramConfigBuilder, Pts90khz, VideoCodec
    from tstrans.rtp import RtspServer, RtspServerConfig

    size = int(mbps * 1e6 / 8 / rate)
    picture = b"\0\0\0\1\x67\x42\x00\x1e\x8d\x68\x50\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65" + b"\x88" * size
    config = MuxerProgramConfigBuilder(1, 0x100).add_video(0x101, VideoCodec.H264).build()
    with RtspServer.start(RtspServerConfig(bind_addr="127.0.0.1:0", max_sessions=1000)) as server:
        mount = server.add_unicast_mount("/live", config)
        mount.push_video(picture, pts=Pts90khz.from_ms(0), key_frame=True)  # what loads at the first push
        mount.reset_stats()
        print(server.local_addr(), flush=True)
        sys.stdin.readline()
        t0, c0 = time.monotonic(), time.process_time()
        u0 = resource.getrusage(resource.RUSAGE_SELF)
        n = int(rate * seconds)
        for i in range(n):
            late = t0 + i / rate - time.monotonic()
            if late > 0:
                time.sleep(late)
            mount.push_video(
                picture, pts=Pts90khz.from_ms(1000 * (i + 1) // rate), key_frame=i % rate == 0 or rate > RATE
            )
        time.sleep(0.3)
        cpu = time.process_time() - c0
        u1 = resource.getrusage(resource.RUSAGE_SELF)
        s = mount.stats()
        out = {
            "cpu": cpu,
            "user": u1.ru_utime - u0.ru_utime,
            "sys": u1.ru_stime - u0.ru_stime,
            "switches": u1.ru_nvcsw - u0.ru_nvcsw,
            "bytes": s.bytes_pushed,
            "peers": s.peer_count,
            "dropped": s.frames_dropped_total,
            "rss_mb": u1.ru_maxrss / 1024,
        }
        print(json.dumps(out), flush=True)
        sys.stdin.readline()
    os._exit(0)


def first(addr: str, transport: str) -> None:
    """The client's process: how long from connect() to the first event, again and again."""
    from tstrans import rtp

    pref = getattr(rtp.TransportPref, transport.upper())
    times, connects, event_at = [], [], 0.0
    for _ in range(12):
        t0 = time.perf_counter()
        config = rtp.RtspClientConfig(f"rtsp://{addr}/live", transport_pref=pref)
        with rtp.RtspClient.connect(config) as session:
            connects.append(time.perf_counter() - t0)
            receiver = session.into_demux_receiver()
            next(iter(receiver))
            times.append(time.perf_counter() - t0)
            event_at = event_at or time.time()
            receiver.close()
        time.sleep(random.random() / 10)  # the tables come ten times a second: connect at any moment between
    again, connect = statistics.mean(times[1:]), statistics.mean(connects[1:])
    print(json.dumps({"event_at": event_at, "first": times[0], "again": again, "connect": connect}))
    sys.stdout.flush()
    os._exit(0)


def compare_first(pythons: list[str], server: str, transport: str, rounds: int) -> None:
    me = os.path.abspath(__file__)
    child = subprocess.Popen(
        [server, me, "--serve", "--mbps", "2", "--seconds", "3600", "--pictures", "200"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(server, pythons[-1]),
    )
    assert child.stdin and child.stdout
    try:
        addr = child.stdout.readline().strip()
        child.stdin.write("go\n")
        child.stdin.flush()
        sides: tuple[list[dict[str, float]], ...] = ([], [])
        for _ in range(rounds):
            for side, python in zip(sides, pythons, strict=True):
                begun = time.time()
                run = [python, me, "--client", addr, "--transport", transport]
                out = subprocess.run(
                    run, check=True, capture_output=True, text=True, env=environment(python, pythons[-1])
                ).stdout
                side.append(json.loads(out))
                side[-1]["process"] = side[-1]["event_at"] - begun
        for what in ("process", "first", "again", "connect"):
            x, y = (statistics.mean(r[what] for r in side) for side in sides)
            pairs = [p[what] / q[what] for p, q in zip(*sides, strict=True)]
            print(
                f"{transport} {what:8} {x * 1e3:7.2f} ms {y * 1e3:7.2f} ms  A/B {x / y:.2f} "
                f"(pairs {min(pairs):.2f} to {max(pairs):.2f})",
                flush=True,
            )
    finally:
        child.kill()
        child.wait()


def request(s: socket.socket, method: str, url: str, seq: int, **headers: str) -> str:
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {seq}", *(f"{k}: {v}" for k, v in headers.items())]
    s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    got = b""
    while b"\r\n\r\n" not in got:
        b = s.recv(1)
        if not b:
            raise OSError("the server hung up")
        got += b
    head = got.decode()
    if " 200 " not in head.split("\r\n")[0]:
        raise OSError(head)
    for line in head.split("\r\n"):
        if line.lower().startswith("content-length:"):
            n = int(line.split(":")[1])
            while n:
                n -= len(s.recv(n))
        if line.lower().startswith("session:"):
            request.session = line.split(":")[1].strip().split(";")[0]  # type: ignore[attr-defined]
    return head


def play(addr: str, transport: str) -> tuple[socket.socket, socket.socket]:
    """A client that plays: its connection, and where its media comes."""
    host, port = addr.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), timeout=10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    url = f"rtsp://{addr}/live"
    request(s, "DESCRIBE", url, 1, Accept="application/sdp")
    media = s
    how = "RTP/AVP/TCP;unicast;interleaved=0-1"
    if transport == "udp":
        while True:
            media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            media.bind((host, 0))
            if media.getsockname()[1] % 2 == 0:
                break
        p = media.getsockname()[1]
        how = f"RTP/AVP;unicast;client_port={p}-{p + 1}"
    request(s, "SETUP", url + "/trackID=0", 2, Transport=how)
    request(s, "PLAY", url, 3, Session=request.session, Range="npt=0.000-")  # type: ignore[attr-defined]
    return s, media


def environment(python: str, ours: str) -> dict[str, str]:
    """What a child process gets: the path of this package is for our own interpreter alone."""
    drop = {"PYTHONDONTWRITEBYTECODE"} | ({"PYTHONPATH"} if python != ours else set())
    return {k: v for k, v in os.environ.items() if k not in drop}


def run(
    python: str, ours: str, clients: int, transport: str, mbps: float, seconds: float
) -> dict[str, float]:
    child = subprocess.Popen(
        [python, os.path.abspath(__file__), "--serve", "--mbps", str(mbps), "--seconds", str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(python, ours),
    )
    assert child.stdin and child.stdout
    try:
        addr = child.stdout.readline().strip()
        socks = [play(addr, transport) for _ in range(clients)]
        sel = selectors.EpollSelector()
        for _, media in socks:
            media.setblocking(False)
            sel.register(media, selectors.EVENT_READ)
        sel.register(child.stdout, selectors.EVENT_READ)
        time.sleep(0.3)
        child.stdin.write("go\n")
        child.stdin.flush()
        buf = bytearray(1 << 18)
        got = 0
        done = False
        while not done:
            for key, _ in sel.select(5):
                if key.fileobj is child.stdout:
                    done = True
                    continue
                try:
                    while True:
                        n = key.fileobj.recv_into(buf)  # type: ignore[union-attr]
                        got += n
                        if transport == "tcp":
                            break
                except BlockingIOError:
                    pass
        out: dict[str, float] = json.loads(child.stdout.readline())
        # What came, beside what went out: the frames' and packets' headers come on top of the media.
        out["got"] = got / max(1, out["bytes"] * clients)
        child.stdin.write("end\n")
        child.stdin.flush()
        child.wait(10)
        return out
    finally:
        child.kill()
        child.wait()


def compare_servers(pythons: list[str], clients: list[int], a: argparse.Namespace) -> None:
    for n in clients:
        sides: tuple[list[dict[str, float]], ...] = ([], [])
        for _ in range(a.rounds):
            for side, python in zip(sides, pythons, strict=False):
                side.append(run(python, pythons[-1], n, a.transport, a.mbps, a.seconds))
        cost = [statistics.median(r["cpu"] for r in side) for side in sides if side]
        for side, c in zip(sides, cost, strict=False):
            r = side[-1]
            print(
                f"{a.transport} {n:4} clients: {c / a.seconds / n * 1e3:7.3f} ms a second and client "
                f"(user {r['user']:.2f} s, system {r['sys']:.2f} s, {r['switches']:.0f} switches; "
                f"got {r['got']:.3f}, dropped {r['dropped']:.0f}, {r['rss_mb']:.0f} MB)"
            )
        if len(cost) == 2:
            pairs = [x["cpu"] / y["cpu"] for x, y in zip(*sides, strict=True)]
            print(f"  A/B {cost[0] / cost[1]:.2f} (pairs {min(pairs):.2f} to {max(pairs):.2f})", flush=True)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("python", nargs="*")
    ap.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    ap.add_argument("--pictures", type=int, default=RATE, help=argparse.SUPPRESS)
    ap.add_argument("--client", help=argparse.SUPPRESS)
    ap.add_argument("--first", metavar="SERVER_PYTHON")
    ap.add_argument("--clients", default="1,10,50,200")
    ap.add_argument("--transport", default="tcp", choices=["tcp", "udp", "auto"])
    ap.add_argument("--mbps", type=float, default=2)
    ap.add_argument("--seconds", type=float, default=6)
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    if a.serve:
        serve(a.mbps, a.seconds, a.pictures)
    elif a.client:
        first(a.client, a.transport)
    elif a.first:
        compare_first(a.python, a.first, a.transport, a.rounds)
    else:
        compare_servers(a.python, [int(n) for n in a.clients.split(",")], a)


if __name__ == "__main__":
    main()
