"""Glue of tstrans/transport.h and its rooms: links, waits that Ctrl-C can end, errors of each domain."""

from __future__ import annotations

import ctypes
import operator
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from ctypes import byref, c_int32, c_size_t, c_uint64
from functools import lru_cache
from itertools import chain
from struct import Struct
from threading import Lock
from time import monotonic
from typing import Any, ClassVar, SupportsIndex

from ..exceptions import TstError
from . import base_abi as base
from . import transport_abi as abi
from ._lib import LONGEST, Config, PlainHandle, failure, forked, pin, room

__all__ = ["Domain", "Link", "Messages", "Parameters", "open_link", "opened", "unsigned"]

#: How long a call may wait before Python looks for signals, in ms.
SLICE_MS = 100

Parameters = Mapping[str, "int | bool | str | bytes | None"]

OK = base.TST_OK
TIMEOUT = base.TST_E_TIMEOUT
DISCONTINUITY = base.TST_E_DISCONTINUITY


def unsigned(name: str, value: SupportsIndex, bits: int = 32) -> int:
    """An integer argument: TypeError for what is none, OverflowError outside 0 to 2**bits - 1."""
    n = operator.index(value)
    if not 0 <= n < 1 << bits:
        raise OverflowError(f"{name}: {n} is outside 0 to {(1 << bits) - 1}")
    return n


class Domain:
    """How one module's errors look: its exception, and the kinds of outcomes that belong to no domain."""

    __slots__ = ("_kinds", "_make", "_swap")

    def __init__(
        self,
        make: Callable[..., TstError],
        *,
        closed: Any,
        timeout: Any,
        ended: Any = None,
        full: Any = None,
        swap: Mapping[Any, Any] | None = None,
    ) -> None:
        self._make = make
        self._kinds = {
            base.TST_E_CLOSED: (closed, "closed"),
            base.TST_E_CANCELLED: (closed, "cancelled"),
            base.TST_E_INVALID_HANDLE: (closed, "closed"),
            base.TST_E_TIMEOUT: (timeout, "nothing within the time given"),
            base.TST_E_EOS: (closed if ended is None else ended, "the stream has ended"),
        }
        if full is not None:
            self._kinds[base.TST_E_NO_MEMORY] = (full, "the gap buffer is full")
        self._swap = swap or {}

    def error(self, status: int, swap: Mapping[Any, Any] | None = None) -> BaseException:
        """The exception for a status of this thread's last call; `swap` exchanges kinds."""
        known = self._kinds.get(status)
        if known is not None:
            kind, text = known
            return self._make(kind=(swap or {}).get(kind, kind), message=text)
        e = failure(status)
        kind = getattr(e, "kind", None)
        for table in (swap, self._swap):
            if table and kind in table:
                return self._make(kind=table[kind], message=str(e))
        return e

    def closed(self, what: str) -> TstError:
        """The error of a call on a closed object."""
        return self._make(kind=self._kinds[base.TST_E_CLOSED][0], message=f"{what} is closed")


class Link(PlainHandle):
    """A tst_link."""

    _room = "transport"
    _close_name = "tst_link_close"
    _plain: ClassVar[dict[str, str]] = {
        "_put": "tst_link_send",
        "_read": "tst_link_read",
        "_cut": "tst_link_write_ts",
    }
    __slots__ = ("_cut", "_put", "_read", "_spare", "domain")

    _put: Callable[..., int]
    _read: Callable[..., int]
    _cut: Callable[..., int]

    def __init__(self, handle: int, domain: Domain) -> None:
        self.domain = domain
        #: Counts with their references, for a call each.
        self._spare: list[tuple[c_size_t, Any]] = []
        self._own(room(self._room), handle)

    def error(self, status: int) -> BaseException:
        """The exception for a status of a function bound by `plain`."""
        if self._put is forked:
            forked()
        return self.domain.error(status)

    def wait(self, swap: Mapping[Any, Any] | None = None) -> None:
        """Wait until the link is up, open to Ctrl-C; what keeps it from coming up is raised and closes it."""
        try:
            while (status := self._api.tst_link_wait(self._id, SLICE_MS)) == TIMEOUT:
                pass
            if status:
                raise self.domain.error(status, swap)
        except BaseException:
            self.close()
            raise

    def repeat(self, call: Callable[[int], int], timeout_ms: int | None) -> int:
        """Make a call that takes a time, in slices, until it has an outcome; the status."""
        if timeout_ms is None:
            while (status := call(SLICE_MS)) == TIMEOUT:
                pass
            return status
        end = monotonic() + timeout_ms / 1000
        left = timeout_ms
        while True:
            status = call(min(left, SLICE_MS))
            if status != TIMEOUT:
                return status
            left = int((end - monotonic()) * 1000 + 0.999)
            if left <= 0:
                return status

    def send(self, data: object, timeout_ms: int | None = None) -> None:
        """Send one message."""
        if data.__class__ is bytes and len(data) <= LONGEST:
            status = self._put(self.key, data, len(data), SLICE_MS if timeout_ms is None else 0)
            if not status:
                return
            at, size, kept = pin(data)
        else:
            at, size, kept = pin(data)
            status = self._api.tst_link_send(self._id, at, size, SLICE_MS if timeout_ms is None else 0)
        if status:
            self._send_rest(status, at, size, timeout_ms)
        del kept

    def _send_rest(self, status: int, at: Any, size: int, timeout_ms: int | None) -> None:
        """Go on after a send that did not succeed at once."""
        if status == TIMEOUT:
            send = self._api.tst_link_send
            status = self.repeat(lambda ms: send(self._id, at, size, ms), timeout_ms)
        if status:
            raise self.domain.error(status)

    def send_ts(self, data: object, timeout_ms: int | None = None) -> None:
        """Take a piece of a transport stream over and send the messages it completes."""
        if data.__class__ is bytes and len(data) <= LONGEST:
            try:
                one = self._spare.pop()
            except IndexError:
                taken = c_size_t()
                one = taken, byref(taken)
            status = self._cut(one[1], self.key, data, len(data), SLICE_MS)
            if not status:
                self._spare.append(one)
                return
            taken = one[0]
            at, size, kept = pin(data)
        else:
            at, size, kept = pin(data)
            taken = c_size_t()
            status = self._api.tst_link_write_ts(byref(taken), self._id, at, size, SLICE_MS)
        if status:
            self.take_rest(self._api.tst_link_write_ts, status, at, size, taken, timeout_ms)
        del kept

    def take_rest(
        self, write: Any, status: int, at: Any, size: int, taken: c_size_t, timeout_ms: int | None
    ) -> None:
        """Go on with a function that takes pieces, after a first call that did not take all of one."""
        if status != TIMEOUT:
            raise self.error(status)
        if isinstance(at, bytes):  # the caller keeps them
            at = ctypes.cast(ctypes.c_char_p(at), ctypes.c_void_p).value
        done = taken.value

        def more(ms: int) -> int:
            nonlocal done
            got: int = write(byref(taken), self._id, at + done, size - done, ms)
            done += taken.value
            return got

        status = self.repeat(more, timeout_ms)
        if status:
            raise self.domain.error(status)

    def flush_ts(self, timeout_ms: int | None = None) -> None:
        """Send the whole packets that wait for more."""
        flush = self._api.tst_link_flush_ts
        status = self.repeat(lambda ms: flush(self._id, ms), timeout_ms)
        if status:
            raise self.domain.error(status)

    def accept(self, timeout_ms: int | None) -> int:
        """The handle of the next connection."""
        out = c_uint64()
        accept = self._api.tst_link_accept
        status = self.repeat(lambda ms: accept(byref(out), self._id, ms), timeout_ms)
        if status:
            raise self.domain.error(status)
        return out.value

    def text(self, what: int) -> str:
        """An address or the stream id, "" where there is none."""
        out = (ctypes.c_uint8 * 1024)()
        n = c_size_t()
        status = self._api.tst_link_text(out, 1024, byref(n), self._id, what)
        if status:
            raise self.domain.error(status)
        return bytes(out[: n.value]).decode("utf-8", "replace")

    def address(self, what: int) -> tuple[str, int]:
        """An address as (ip, port)."""
        host, _, port = self.text(what).rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def alive(self) -> bool:
        """Whether the link is open and was not seen lost."""
        return self._id != 0 and bool(self._api.tst_link_alive(self._id))

    def stats(self) -> abi.tst_link_stats:
        """The counters."""
        out = abi.tst_link_stats()
        out.struct_size = ctypes.sizeof(out)
        status = self._api.tst_link_get_stats(byref(out), self._id)
        if status:
            raise self.domain.error(status)
        return out

    def reconnect_stats(self) -> abi.tst_reconnect_stats:
        """The counters of a reconnecting link."""
        out = abi.tst_reconnect_stats()
        out.struct_size = ctypes.sizeof(out)
        status = self._api.tst_link_get_reconnect_stats(byref(out), self._id)
        if status:
            raise self.domain.error(status)
        return out

    def fileno(self) -> int:
        """A descriptor that is readable when something waits."""
        out = c_int32()
        status = self._api.tst_link_fd(byref(out), self._id)
        if status:
            raise self.domain.error(status)
        return out.value

    def cancel(self) -> None:
        """End parked and later calls."""
        if self._id:
            self._api.tst_link_cancel(self._id)


@lru_cache(maxsize=64)
def _pieces(size: int) -> Callable[[memoryview], Iterator[tuple[bytes]]]:
    """Cuts data into messages of one size: that of most streams, and a third of the cost of a slice each."""
    return Struct(f"{size}s").iter_unpack


class Messages:
    """Reads a link in batches and hands the messages out one at a time."""

    __slots__ = ("_arena", "_into", "_link", "_lock", "_n", "_spans", "_view", "queue")

    #: What was read and not handed out yet: a receive takes from it first, which saves a call a message.
    queue: deque[bytes]

    def __init__(self, link: Link, arena: int = 256 << 10, cap: int = 128) -> None:
        self._link = link
        self._arena = (ctypes.c_char * arena)()
        self._view = memoryview(self._arena).cast("B")
        self._spans = (ctypes.c_uint32 * (2 * cap))()
        self._n = c_size_t()
        self.queue = deque()
        self._lock = Lock()
        self._into = self._spans, cap, byref(self._n), self._arena, arena, link.key

    def get(self, timeout_ms: int | None) -> bytes:
        """The next message, at once when one is at hand."""
        try:
            return self.queue.popleft()
        except IndexError:
            with self._lock:
                return self._fill(timeout_ms)

    def _fill(self, timeout_ms: int | None) -> bytes:
        link = self._link
        read = link._read
        status = read(*self._into, SLICE_MS if timeout_ms is None or timeout_ms > SLICE_MS else timeout_ms)
        if status == TIMEOUT and (timeout_ms is None or timeout_ms > SLICE_MS):
            status = self._wait(None if timeout_ms is None else timeout_ms - SLICE_MS)
        if status not in (OK, DISCONTINUITY):
            raise link.domain.error(status)
        arena: Any = self._arena
        spans: Any = self._spans
        got, at, size = self._n.value, spans[0], spans[1]
        first: bytes = arena[at : at + size]
        if got > 1:
            sizes = spans[1 : 2 * got : 2]
            if size and sizes.count(size) == got and spans[2 * got - 2] == at + (got - 1) * size:
                self.queue.extend(chain.from_iterable(_pieces(size)(self._view[at + size : at + got * size])))
            else:
                self.queue.extend(
                    [arena[a : a + n] for a, n in zip(spans[2 : 2 * got : 2], sizes[1:], strict=True)]
                )
        return first

    def _wait(self, timeout_ms: int | None) -> int:
        read = self._link._read
        return self._link.repeat(lambda ms: read(*self._into, ms), timeout_ms)

    def waiting(self) -> tuple[int, int]:
        """(messages, bytes) taken from the link and not handed out yet."""
        held = list(self.queue)
        return len(held), sum(map(len, held))

    def drop(self) -> None:
        """Forget what waits."""
        self.queue.clear()


def open_link(
    domain: Domain,
    open_: Callable[[Any, int], int],
    parameters: Parameters,
    swap: Mapping[Any, Any] | None = None,
) -> Link:
    """Make a link with a constructor of the library: `open_(out, config)`."""
    return Link(opened(domain, open_, parameters, swap), domain)


def opened(
    domain: Domain,
    open_: Callable[[Any, int], int],
    parameters: Parameters,
    swap: Mapping[Any, Any] | None = None,
) -> int:
    """The handle that a constructor of the library gives."""
    out = c_uint64()
    with Config(dict(parameters)) as config:
        status = open_(byref(out), config)
        if status:
            raise domain.error(status, swap)
    return out.value
