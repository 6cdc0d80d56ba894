"""Forks, processes, signals, threads: the library inside real programs."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable

import pytest
from tsbuild import Writer, small
from tstrans import TstError, io
from tstrans.mpegts import Demuxer, DemuxEvent
from tstrans.pipeline import Pairer


def in_child(work: Callable[[], None], limit: int = 30) -> None:
    """Run work in a forked child, which must end by itself, well, within ``limit`` seconds."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(limit)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    p = tmp_path / "small.ts"
    p.write_bytes(small())
    return p


def test_a_hundred_forks(path: pathlib.Path) -> None:
    wanted = len(list(io.parse_file(path)))

    def work() -> None:
        assert len(list(io.parse_file(path))) == wanted

    for _ in range(100):
        in_child(work)
        work()


def test_fork_while_another_thread_is_inside(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    seen = []
    parked = threading.Thread(target=lambda: seen.extend(io.parse_file(fifo)))
    parked.start()
    with fifo.open("wb", buffering=0) as f:
        f.write(small())

        def work() -> None:
            f.close()
            assert len(list(io.parse_file(path))) == 8

        for _ in range(10):
            in_child(work)
    parked.join()
    assert len(seen) == 8


def test_handles_of_the_parent_say_so_in_the_child() -> None:
    d = Demuxer()
    d.feed(Writer().tables().video(0, bytes(50_000)).video(1).bytes())
    pairer = Pairer(0x101, 0x102)
    big = next(e for e in d if isinstance(e, DemuxEvent.Video))

    def work() -> None:
        for use in (lambda: d.feed(b""), d.flush, d.stats, lambda: pairer.feed(b""), lambda: big.raw):
            with pytest.raises(TstError, match="fork"):
                use()
        # What was read before stays readable, and a fresh object works.
        assert big.byte_len == 50_000
        fresh = Demuxer()
        fresh.feed(small())
        assert isinstance(fresh.next_event(), DemuxEvent.ProgramMap)
        d.close()

    in_child(work)
    assert len(big.raw) == 50_000
    d.feed(b"")


def count_events(path: str) -> int:
    return sum(1 for _ in io.parse_file(path))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, path: pathlib.Path) -> None:
    assert count_events(str(path)) == 8
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(count_events, [str(path)] * 6) == [8] * 6


def test_events_cross_processes(path: pathlib.Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(list_events, (str(path),)) == list(io.parse_file(path))


def list_events(path: str) -> list[DemuxEvent]:
    return list(io.parse_file(path))


WAITING = """
import sys
from tstrans import io
try:
    for event in io.parse_file(sys.argv[1]):
        print(type(event).__name__, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_interrupt_of_a_blocking_read(tmp_path: pathlib.Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([sys.executable, "-c", WAITING, str(fifo)], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        with fifo.open("wb", buffering=0) as f:
            f.write(small())
            assert waiting.stdout.readline() == b"_ProgramMapEvent\n"
            waiting.send_signal(signal.SIGINT)
            # The writing end is still open: only the signal can end the wait.
            rest = waiting.stdout.read()
            assert rest.endswith(b"interrupted\n")
            assert waiting.wait(60) == 0


def test_other_threads_run_while_one_waits(tmp_path: pathlib.Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = threading.Event()
    seen: list[DemuxEvent] = []

    def read() -> None:
        seen.extend(io.parse_file(fifo))
        done.set()

    threading.Thread(target=read).start()
    with fifo.open("wb", buffering=0) as f:
        assert len(list(io.parse_file(small()))) == 8
        assert not done.is_set()
        f.write(small())
    assert done.wait(60)
    assert len(seen) == 8


def test_one_demuxer_in_many_threads() -> None:
    """Work or RuntimeError("Already borrowed"), never anything else, and no event twice or lost."""
    d = Demuxer()
    d.feed(Writer().tables().bytes())
    data = Writer()
    for i in range(200):
        data.klv(i)
    piece = data.bytes()
    counts = {"fed": 0, "borrowed": 0}
    seen: list[DemuxEvent] = []
    wrong: list[BaseException] = []
    start = threading.Barrier(4)

    def feed() -> None:
        start.wait()
        for _ in range(50):
            try:
                d.feed(piece)
                counts["fed"] += 1
            except RuntimeError as e:
                if str(e) != "Already borrowed":
                    wrong.append(e)
                counts["borrowed"] += 1
            except BaseException as e:
                wrong.append(e)

    def drain() -> None:
        start.wait()
        for _ in range(20_000):
            try:
                event = d.next_event()
            except RuntimeError as e:
                if str(e) != "Already borrowed":
                    wrong.append(e)
            except BaseException as e:
                wrong.append(e)
            else:
                if event is not None:
                    seen.append(event)

    feeder = threading.Thread(target=feed)
    threads = [feeder, *(threading.Thread(target=drain) for _ in range(3))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    seen.extend(d)
    records = [e for e in seen if isinstance(e, DemuxEvent.Klv)]
    assert len(records) == 200 * counts["fed"]


def test_demuxers_of_their_own_are_independent() -> None:
    results: list[int] = []

    def work() -> None:
        for _ in range(20):
            d = Demuxer()
            d.feed(small())
            d.flush()
            results.append(len(list(d)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [8] * 80


IMPORTS = """
import sys
before = set(sys.modules)
import tstrans
loaded = set(sys.modules) - before
heavy = {"ctypes", "dataclasses", "typing", "re", "enum", "inspect", "logging", "threading"} & loaded
assert not heavy, heavy
assert loaded <= {"tstrans", "__future__"}, loaded
assert tstrans.__version__ == "0.2.0"
tstrans.mpegts.Pts90khz
assert "ctypes" not in sys.modules or "ctypes" in before, "values need no library"
assert "tstrans.mpegts._mux" not in sys.modules, "reading does not pay for the muxer"
"""


def test_import_costs_nothing() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=60)


def test_logger() -> None:
    code = (
        "import logging, tstrans; "
        "assert [type(h) for h in logging.getLogger('tstrans').handlers] == [logging.NullHandler]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_star_import() -> None:
    code = "from tstrans import *; print(mpegts.Pts90khz(90).ms, io.probe, __version__, TstError)"
    got = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
    assert got.stdout.startswith(b"1 ")


def test_exit_with_everything_open(path: pathlib.Path) -> None:
    code = (
        "import sys; from tstrans import io; from tstrans.mpegts import Demuxer; d = Demuxer(); "
        "g = io.parse_file(sys.argv[1]); e = [next(g), next(g)]; d.feed(open(sys.argv[1], 'rb').read())"
    )
    got = subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, capture_output=True)
    assert (got.returncode, got.stderr) == (0, b"")


def test_a_forked_process_sends_nothing_of_its_parent() -> None:
    """What a burst of datagrams holds back leaves once, also where a forked child ends in order."""
    program = """
import os, socket, sys
from tstrans import udp
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    sink.bind(("127.0.0.1", 0))
    sender = udp.Transport.builder().url(f"udp://127.0.0.1:{sink.getsockname()[1]}").build()
    for n in range(5):
        for i in range(45):  # more than a burst, and not a whole number of them
            sender.send(b"%d %d" % (n, i))
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
    sender.close()
    sink.setblocking(False)
    got = []
    try:
        while True:
            got.append(sink.recv(100))
    except BlockingIOError:
        pass
    print(len(got), len(set(got)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["225", "225"]
