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
        # By slot, with the generation: a slot is used again once its session is closed.
        self._sessions: dict[int, tuple[int, _Receiver]] = {}
        self._parts: dict[int, list[bytes]] = {}
        loop.add_reader(self.native.fileno(), self._readable)

    def add(self, lane: int, session: _Receiver) -> None:
        """Deliver the records of a lane to a session."""
        generation, slot = divmod(lane, 1 << 32)
        self._sessions[slot] = generation, session

    def remove(self, lane: int) -> None:
        """Deliver none any more; the last session takes the hub with it."""
        generation, slot = divmod(lane, 1 << 32)
        if slot in self._sessions and self._sessions[slot][0] == generation:
            del self._sessions[slot]
        self._parts.pop(slot, None)
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
        known: Any = self._sessions.get
        none = (0, None)
        audio = _lib.AUDIO
        for records, arena in self.native.batches():
            for slot, what, ts, off, n, a, b, generation in records:
                now, session = known(slot, none)
                if now != generation:
                    continue
                try:
                    if what == audio:
                        callback = session.on_audio
                        if callback is not None:
                            callback(arena[off : off + n], ts)
                    else:
                        self._other(slot, session, what, ts, a, b, arena[off : off + n])
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as e:
                    self._failed(e)

    def _other(self, slot: int, session: _Receiver, what: int, ts: int, a: int, b: int, data: bytes) -> None:
        flags, kind = divmod(what, _lib.FLAGS)
        if flags & _lib.MORE:
            self._parts.setdefault(slot, []).append(data)
            return
        parts = self._parts.pop(slot, None) if self._parts else None
        if parts is not None:
            data = b"".join([*parts, data])
        session._record(kind, flags, ts, a, b, data)

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
