"""One hub a loop: it wakes the loop once a batch and hands the records to their sessions."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Protocol

from .._native import aio_lib as _lib

__all__ = ["LoopHub", "hub_of"]


class _Receiver(Protocol):
    def _record(self, kind: int, flags: int, ts: int, a: int, b: int, data: bytes) -> None: ...


class LoopHub:
    """The sessions of one loop, by lane."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.native = _lib.Hub()
        self._loop = weakref.ref(loop)
        self._sessions: dict[tuple[int, int], _Receiver] = {}
        self._parts: dict[tuple[int, int], list[bytes]] = {}
        loop.add_reader(self.native.fileno(), self._readable)

    def add(self, lane: int, session: _Receiver) -> None:
        """Deliver the records of a lane to a session."""
        generation, slot = divmod(lane, 1 << 32)
        self._sessions[slot, generation] = session

    def remove(self, lane: int) -> None:
        """Deliver none any more; the last session takes the hub with it."""
        generation, slot = divmod(lane, 1 << 32)
        self._sessions.pop((slot, generation), None)
        self._parts.pop((slot, generation), None)
        if not self._sessions:
            self._end()

    def _end(self) -> None:
        loop = self._loop()
        if loop is not None:
            if _hubs.get(loop) is self:
                del _hubs[loop]
            if not loop.is_closed():
                loop.remove_reader(self.native.fileno())
        self.native.close()

    def _readable(self) -> None:
        sessions = self._sessions
        audio, more = _lib.AUDIO, _lib.MORE
        for records, arena in self.native.batches():
            for slot, kind, flags, ts, off, n, a, b, generation in records:
                session: Any = sessions.get((slot, generation))
                if session is None:
                    continue
                try:
                    if kind == audio and not flags:
                        callback = session.on_audio
                        if callback is not None:
                            callback(arena[off : off + n], ts)
                    elif flags & more:
                        self._parts.setdefault((slot, generation), []).append(arena[off : off + n])
                    else:
                        data = arena[off : off + n]
                        parts = self._parts.pop((slot, generation), None) if self._parts else None
                        if parts is not None:
                            data = b"".join([*parts, data])
                        session._record(kind, flags, ts, a, b, data)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as e:
                    self._failed(e)

    def _failed(self, e: BaseException) -> None:
        loop = self._loop()
        if loop is not None:
            loop.call_exception_handler(
                {"message": "Exception in a callback of an RTP session", "exception": e, "source": self}
            )


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopHub] = weakref.WeakKeyDictionary()


def hub_of(loop: asyncio.AbstractEventLoop) -> LoopHub:
    """The hub of a loop, made at its first session."""
    hub = _hubs.get(loop)
    if hub is None or hub.native.closed:
        hub = _hubs[loop] = LoopHub(loop)
    return hub
