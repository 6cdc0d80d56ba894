"""``python -m tstrans.hls``: key/value server, web server and chessboard stream, a process each."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time

__all__ = ["main"]

PARTS = ("sync", "api", "stream")


def main() -> int:
    """Run the three until Ctrl-C, or until one of them ends; the exit code."""
    children: dict[str, subprocess.Popen[bytes]] = {}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    code = 0
    try:
        for name in PARTS:
            # A group of its own: Ctrl-C reaches this process alone, which then ends them in order.
            children[name] = subprocess.Popen(
                [sys.executable, "-m", f"tstrans.hls.{name}"], start_new_session=True
            )
        while not code:
            time.sleep(0.2)
            for name, child in children.items():
                if child.poll() is not None:
                    print(
                        f"tstrans.hls: {name} ended with code {child.returncode}; stopping the others",
                        file=sys.stderr,
                    )
                    code = 1
    except KeyboardInterrupt:
        pass
    finally:
        for child in reversed(children.values()):
            child.send_signal(signal.SIGINT)
        for child in children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                child.wait()
    return code


if __name__ == "__main__":
    sys.exit(main())
