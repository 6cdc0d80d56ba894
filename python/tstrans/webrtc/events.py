"""The event emitter of tracks, connections and channels: listeners by event name, coroutines among them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from .mediastreams import MediaStreamTrack
    from .rtcrtpreceiver import RTCRtpReceiver
    from .rtcrtptransceiver import RTCRtpTransceiver

__all__ = ["AsyncIOEventEmitter", "EventEmitter", "RTCTrackEvent"]

Listener = TypeVar("Listener", bound=Callable[..., Any])


class EventError(Exception):
    """An "error" event that said nothing of the error, and that nobody listened to."""


class EventEmitter:
    """Calls the listeners of an event, in the order in which they were added.

    A listener that is a coroutine function becomes a task of the running loop. What a listener raises is
    emitted as "error"; where nobody listens to that it goes to whoever emitted or, from a task, to the loop.

    >>> e = EventEmitter()
    >>> @e.on("ping")
    ... def answer(n): print("pong", n)
    >>> e.emit("ping", 1)
    pong 1
    True
    """

    def __init__(self) -> None:
        self._events: dict[str, OrderedDict[Callable[..., Any], Callable[..., Any]]] = {}
        self._waiting: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @overload
    def on(self, event: str) -> Callable[[Listener], Listener]: ...
    @overload
    def on(self, event: str, f: Listener) -> Listener: ...
    def on(self, event: str, f: Any = None) -> Any:
        """Add a listener; without one this is a decorator."""
        if f is None:
            return self.listens_to(event)
        return self.add_listener(event, f)

    def listens_to(self, event: str) -> Callable[[Listener], Listener]:
        """A decorator that adds its function as a listener."""

        def add(f: Listener) -> Listener:
            return self.add_listener(event, f)

        return add

    def add_listener(self, event: str, f: Listener) -> Listener:
        """Add a listener and return it."""
        self._events.setdefault(event, OrderedDict())[f] = f
        return f

    def once(self, event: str, f: Any = None) -> Any:
        """Add a listener for the next such event alone; without one this is a decorator."""

        def add(g: Callable[..., Any]) -> Callable[..., Any]:
            def first(*args: Any, **kwargs: Any) -> Any:
                self.remove_listener(event, g)
                return g(*args, **kwargs)

            self._events.setdefault(event, OrderedDict())[g] = first
            return g

        return add if f is None else add(f)

    def emit(self, event: str, *args: Any, **kwargs: Any) -> bool:
        """Call the listeners; whether there were any. "error" without one raises its argument."""
        listeners = self._events.get(event)
        if not listeners:
            if event == "error":
                error = args[0] if args else None
                if isinstance(error, Exception):
                    raise error
                raise EventError(f"Uncaught, unspecified 'error' event: {error}")
            return False
        for f in list(listeners.values()):
            try:
                made = f(*args, **kwargs)
            except Exception as e:
                self.emit("error", e)
                continue
            if asyncio.iscoroutine(made):
                self._run(made)
        return True

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work, loop=self._loop)
        self._waiting.add(task)

        def done(t: asyncio.Future[Any]) -> None:
            self._waiting.discard(t)
            if t.cancelled():
                return
            error = t.exception()
            if error is None:
                return
            if self._events.get("error"):
                self.emit("error", error)
            else:
                t.get_loop().call_exception_handler(
                    {"message": "a listener failed", "exception": error, "future": t}
                )

        task.add_done_callback(done)

    def remove_listener(self, event: str, f: Callable[..., Any]) -> None:
        """Remove a listener; KeyError where the event has others but not this one."""
        listeners = self._events.get(event)
        if listeners is None:
            return
        listeners.pop(f)
        if not listeners:
            del self._events[event]

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Remove the listeners of one event, or of all."""
        if event is None:
            self._events = {}
        else:
            self._events[event] = OrderedDict()

    def listeners(self, event: str) -> list[Callable[..., Any]]:
        """The listeners of an event."""
        return list(self._events.get(event, ()))

    def event_names(self) -> set[str]:
        """The events that have listeners, or had and lost all of them at once."""
        return set(self._events)

    def cancel(self) -> None:
        """Cancel the tasks of coroutine listeners that still run."""
        for task in list(self._waiting):
            task.cancel()
        self._waiting.clear()

    @property
    def complete(self) -> bool:
        """Whether no coroutine listener still runs."""
        return not self._waiting

    async def wait_for_complete(self) -> None:
        """Wait until no coroutine listener runs any more."""
        if self._waiting:
            await asyncio.wait(list(self._waiting))


@dataclass
class RTCTrackEvent:
    """A track of the other side, with what receives it."""

    receiver: RTCRtpReceiver
    track: MediaStreamTrack
    transceiver: RTCRtpTransceiver


class AsyncIOEventEmitter(EventEmitter):
    """The emitter under the name that programs know.

    :param loop: where coroutine listeners run; by default the loop that runs when the event is emitted.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__()
        self._loop = loop
