"""A key/value server for the processes of a stream, and its client.

    python -m tstrans.hls.sync

The server listens on `SYNC_ADDR`:`SYNC_PORT` and takes clients that know `SYNC_PWD`. Values travel as
pickles: the key is what keeps strangers out, so that it belongs on one machine or a network of trust.
"""

from __future__ import annotations

import contextlib
import threading
import time
from multiprocessing.managers import BaseManager
from typing import Any

__all__ = ["SYNC_ADDR", "SYNC_PORT", "SYNC_PWD", "Cache", "main"]

SYNC_ADDR = "127.0.0.1"
SYNC_PORT = 5001
SYNC_PWD = b"password"


class _Values:
    """What the server keeps. Clients call these methods, each connection in a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._values: dict[Any, tuple[Any, int]] = {}
        self._version = 0

    def store(self, key: Any, value: Any) -> None:
        with self._changed:
            self._version += 1
            self._values[key] = value, self._version
            self._changed.notify_all()

    def fetch(self, key: Any) -> tuple[Any, int] | None:
        with self._changed:
            return self._values.get(key)

    def await_change(self, key: Any, version: int, timeout: float) -> tuple[Any, int] | None:
        with self._changed:

            def changed() -> bool:
                got = self._values.get(key)
                return got is not None and got[1] != version

            self._changed.wait_for(changed, min(timeout, 60.0))
            return self._values.get(key)


class _Manager(BaseManager):
    """Connects clients and server."""


_values: _Values | None = None


def _only() -> _Values:
    global _values
    if _values is None:
        _values = _Values()
    return _values


_Manager.register("values", _only, exposed=("store", "fetch", "await_change"))


class Cache:
    """Named values that the processes of a stream share.

    Raises ConnectionRefusedError where no server runs, :class:`multiprocessing.AuthenticationError` for a
    wrong key. A server that was started anew is found again at the next call.
    """

    def __init__(self) -> None:
        self._connect()

    def _connect(self) -> None:
        manager = _Manager((SYNC_ADDR, SYNC_PORT), authkey=SYNC_PWD)
        manager.connect()
        self._manager = manager
        self._values: Any = manager.values()  # type: ignore[attr-defined]

    def _call(self, name: str, *args: Any) -> Any:
        try:
            return getattr(self._values, name)(*args)
        except (EOFError, BrokenPipeError, ConnectionResetError, ConnectionRefusedError):
            self._connect()
            return getattr(self._values, name)(*args)
        except Exception as e:
            # A server that was started anew does not know the object of the one before.
            if type(e).__name__ != "RemoteError":
                raise
            self._connect()
            return getattr(self._values, name)(*args)

    def set(self, key: Any, value: Any) -> None:
        """Store a value; anything that can be pickled."""
        self._call("store", key, value)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        got = self._call("fetch", key)
        return default if got is None else got[0]

    def wait(self, key: Any, version: int = 0, timeout: float = 10.0) -> tuple[Any, int] | None:
        """Wait until the value of a key is another than that of `version`: (value, version), or None."""
        got: tuple[Any, int] | None = self._call("await_change", key, version, timeout)
        return got


def main() -> None:
    """Serve until the process ends."""
    manager = _Manager((SYNC_ADDR, SYNC_PORT), authkey=SYNC_PWD)
    end = time.monotonic() + 10
    while True:
        try:
            server = manager.get_server()
            break
        except OSError:
            # The port of a server that just ended may take a moment.
            if time.monotonic() >= end:
                raise
            time.sleep(0.1)
    server.serve_forever()


if __name__ == "__main__":
    # Under its public name: what is pickled must be found by clients.
    from tstrans.hls import sync

    with contextlib.suppress(KeyboardInterrupt):
        sync.main()
