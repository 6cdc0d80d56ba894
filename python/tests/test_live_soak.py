"""Opening, closing and cancelling live transports over and over, and what that leaves behind.

A few cycles here; with TSTRANS_SOAK=1 the 500 cycles and 200 cancels a transport that are promised.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
from tstrans import udp

SOAK = bool(os.environ.get("TSTRANS_SOAK"))
CYCLES = 500 if SOAK else 25
CANCELS = 200 if SOAK else 15

#: In a process of its own: argv is the transport, cycles, cancels. Prints what it came to.
PROGRAM = r"""
import gc, json, os, socket, sys, threading, time
from tstrans import rist, srt, tcp, udp

case, cycles, cancels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def free_port():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port % 2 == 0 and port < 65000:
            return port


def pair():
    if case == "udp":
        rx = udp.RecvTransport.builder().bind_url("udp://127.0.0.1:0").build()
        return udp.Transport.builder().url(f"udp://127.0.0.1:{rx.local_addr_port()}").build(), rx
    if case == "tcp":
        with tcp.Listener.builder().bind("127.0.0.1:0").build() as li:
            url = f"tcp://127.0.0.1:{li.local_port()}"
            return tcp.Transport.builder().url(url).build(), li.accept_blocking()
    if case == "rist":
        port = free_port()
        rx = rist.RecvTransport.builder().bind_url(f"rist://@127.0.0.1:{port}").buffer_ms(50).build()
        return rist.Transport.builder().url(f"rist://127.0.0.1:{port}").buffer_ms(50).build(), rx
    with srt.Builder("srt://127.0.0.1:0?mode=listener&latency=20").listen() as li:
        tx = srt.Sender.from_url(f"srt://127.0.0.1:{li.local_addr()[1]}?latency=20&linger=0")
        return tx, li.accept(timeout_ms=10_000).into_receiver()


MESSAGE = (b"\x47\x01\x00\x10" + bytes(184)) * 7


def use(tx, rx):
    (tx.send_bytes if case == "srt" else tx.send)(MESSAGE)
    if case == "tcp":
        rx.recv(bytearray(2000))
    elif case == "udp":
        rx.recv(timeout_ms=5000)
    elif case == "srt":
        rx.recv_bytes()


def state():
    gc.collect()
    with open("/proc/self/status") as f:
        s = dict(line.split(":", 1) for line in f)
    return {
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": int(s["Threads"]),
        "rss_kb": int(s["VmRSS"].split()[0]),
    }


def settled(before, limit):
    end = time.monotonic() + limit
    while True:
        now = state()
        if time.monotonic() > end or (
            now["fds"] <= before["fds"]
            and now["threads"] <= before["threads"]
            and now["rss_kb"] <= before["rss_kb"]
        ):
            return now
        time.sleep(0.1)


for _ in range(20):  # the C library's arenas, one a thread of libsrt's, have come to what they stay at
    tx, rx = pair()
    use(tx, rx)
    tx.close()
    rx.close()
end = time.monotonic() + 8  # libsrt frees sockets and threads seconds after their close
while time.monotonic() < end and state()["threads"] > 9:
    time.sleep(0.2)
before = state()
slow = []
for _ in range(cycles):
    tx, rx = pair()
    use(tx, rx)
    for x in (tx, rx):
        t = time.monotonic()
        x.close()
        slow.append(time.monotonic() - t)
woken, asked = [], []
tx, rx = pair()
for _ in range(cancels):
    begun = threading.Event()

    def park(rx=rx):
        begun.set()
        try:
            while True:
                rx.recv_bytes() if case == "srt" else rx.recv(bytearray(9)) if case == "tcp" else rx.recv()
        except Exception:
            box.append(time.monotonic())

    box = []
    thread = threading.Thread(target=park)
    thread.start()
    begun.wait()
    time.sleep(0.003)
    t = time.monotonic()
    (rx.socket_stats if case == "srt" else rx.stats)()
    asked.append(time.monotonic() - t)
    t = time.monotonic()
    rx.cancel_handle().cancel()
    asked.append(time.monotonic() - t)
    thread.join(10)
    woken.append(box[0] - t if box else 99)
    tx.close()
    rx.close()
    tx, rx = pair()
tx.close()
rx.close()
after = settled(before, 16)  # libsrt frees late, and what it freed goes back to the system in rounds
slow.sort()
asked.sort()
woken.sort()
print(json.dumps({
    "before": before, "after": after,
    "close_median_ms": slow[len(slow) // 2] * 1e3, "close_worst_ms": slow[-1] * 1e3,
    "asked_median_ms": asked[len(asked) // 2] * 1e3, "asked_worst_ms": asked[-1] * 1e3,
    "woken_median_ms": woken[len(woken) // 2] * 1e3, "woken_worst_ms": woken[-1] * 1e3,
}))
"""


@pytest.mark.parametrize("case", ["udp", "tcp", "srt", "rist"])
def test_nothing_is_left(case: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, case, str(CYCLES), str(CANCELS)],
        capture_output=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    out = json.loads(run.stdout)
    print(out)
    before, after = out["before"], out["after"]
    assert after["fds"] <= before["fds"]
    # The runtime keeps a few idle threads of its own.
    assert after["threads"] <= before["threads"] + 6
    assert after["rss_kb"] <= before["rss_kb"] + 10 * 1024
    assert out["asked_median_ms"] < 50
    assert out["woken_median_ms"] < 100
    assert out["close_median_ms"] < 50 or case == "rist"


def test_a_port_is_free_again_after_close() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    for _ in range(20):
        udp.RecvTransport.builder().bind_url(f"udp://127.0.0.1:{port}").build().close()
