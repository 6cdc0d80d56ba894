"""Glue of tstrans/timeline.h and tstrans/page.h: markers, clocks, telemetry, the page and its server."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import byref, c_double, c_int64, c_size_t, c_uint32, c_uint64, sizeof
from time import monotonic
from typing import Any

from . import base_abi as base
from . import timeline_abi as abi
from ._lib import ClosedHandleError, Config, Detail, Handle, library, pin, room, status_name
from ._lib import failure as plain_failure

__all__ = ["Answer", "Clock", "Failure", "Handle", "Markers", "Records", "Server", "Web", "timeline_error"]

#: How long a call may wait before Python looks for signals, in ms.
SLICE_MS = 100

Parameters = Mapping[str, "int | float | bool | str | None"]
Row = tuple[int, int, float, str, "str | None", int]


class Failure(Exception):
    """What a failed call of this domain said; the public module makes its own error of it."""

    def __init__(self, kind: str, message: str, field: str) -> None:
        super().__init__(message)
        self.kind, self.field = kind, field


def check(status: int) -> None:
    """Raise for a status that is an error."""
    if status >= 0:
        return
    domain, _, kind = status_name(status).partition(".")
    if domain != "timeline":
        raise plain_failure(status)
    p = ctypes.cast(library().base.tst_last_error() or 0, ctypes.POINTER(base.tst_error))
    d = Detail(p.contents)
    raise Failure(kind.upper(), d.message, d.field)


def timeline_error(e: Exception) -> tuple[str, str, str] | None:
    """(kind, message, field) of an error that belongs to this domain."""
    if isinstance(e, Failure):
        return e.kind, str(e), e.field
    if isinstance(e, ClosedHandleError):
        return "CLOSED", str(e), ""
    if isinstance(e, TimeoutError):
        return "TIMEOUT", str(e), ""
    return None


class Markers(Handle):
    """A tst_timeline."""

    _room = "timeline"
    _close_name = "tst_timeline_close"
    __slots__ = ()

    def __init__(self, parameters: Parameters) -> None:
        out = c_uint64()
        api = room(self._room)
        with Config(dict(parameters)) as config:
            check(api.tst_timeline_open(byref(out), config))
        self._own(api, out.value)

    def begin(self) -> int:
        out = c_int64()
        check(self._api.tst_timeline_begin(byref(out), self._id))
        return out.value

    def add(self, time: float, text: str, data: str | None) -> tuple[int, int, int]:
        """(id, epoch, creation time) of the new marker."""
        out = abi.tst_marker()
        t, d = text.encode("utf-8", "surrogatepass"), (data or "").encode("utf-8", "surrogatepass")
        check(self._api.tst_timeline_add(byref(out), self._id, time, t, len(t), d, len(d)))
        return out.id, out.epoch, out.created_us

    def replace(self, rows: list[tuple[float, str]]) -> int:
        """A new epoch with these markers; its number."""
        recs = (abi.tst_marker * max(len(rows), 1))()
        arena = bytearray()
        for r, (time, text) in zip(recs, rows, strict=False):
            b = text.encode("utf-8", "surrogatepass")
            r.time_s, r.text, r.text_len = time, len(arena), len(b)
            arena += b
        out = c_int64()
        check(self._api.tst_timeline_replace(byref(out), self._id, recs, len(rows), bytes(arena), len(arena)))
        return out.value

    def query(self, parameters: Parameters) -> list[Row]:
        n, size = c_size_t(64), c_size_t(16 << 10)
        with Config(dict(parameters)) as config:
            while True:
                recs = (abi.tst_marker * max(n.value, 1))()
                arena = (ctypes.c_char * max(size.value, 1))()
                status = self._api.tst_timeline_query(
                    recs, n.value, byref(n), arena, size.value, byref(size), self._id, config
                )
                if status != base.TST_E_BUFFER_TOO_SMALL:
                    break
                # Others may add some meanwhile.
                n.value, size.value = n.value + 64, size.value + (16 << 10)
        check(status)
        raw = arena.raw
        return [
            (
                r.id,
                r.epoch,
                r.time_s,
                raw[r.text : r.text + r.text_len].decode("utf-8", "surrogatepass"),
                raw[r.data : r.data + r.data_len].decode() if r.data_len else None,
                r.created_us,
            )
            for r in recs[: n.value]
        ]

    def wait(self, epoch: int, last: int, timeout: float | None) -> tuple[int, int] | None:
        """The new (epoch, newest id), None when the time ran out."""
        e, i = c_int64(), c_int64()
        end = None if timeout is None else monotonic() + timeout
        while True:
            ms = SLICE_MS
            if end is not None:
                ms = max(0, min(SLICE_MS, int((end - monotonic()) * 1000 + 0.999)))
            status = self._api.tst_timeline_wait(byref(e), byref(i), self._id, epoch, last, ms)
            if status != base.TST_E_TIMEOUT:
                if status == base.TST_E_CLOSED:
                    status = base.TST_E_INVALID_HANDLE
                check(status)
                return e.value, i.value
            if end is not None and monotonic() >= end:
                return None

    def state(self) -> tuple[int, int]:
        """(epoch, newest id) as last seen."""
        e, i = c_int64(), c_int64()
        status = self._api.tst_timeline_wait(byref(e), byref(i), self._id, -1, -1, 0)
        check(0 if status == base.TST_E_TIMEOUT else status)
        return e.value, i.value


class Clock(Handle):
    """A tst_clock_map."""

    _room = "timeline"
    _close_name = "tst_clock_map_close"
    __slots__ = ()

    def __init__(self) -> None:
        out = c_uint64()
        api = room(self._room)
        check(api.tst_clock_map_new(byref(out)))
        self._own(api, out.value)

    def add(self, gen: float, hls: float) -> None:
        check(self._api.tst_clock_map_add(self._id, gen, hls))

    def _mapped(self, function: Any, value: float) -> float | None:
        out = c_double()
        status = function(byref(out), self._id, value)
        if status == base.TST_E_AGAIN:
            return None
        check(status)
        return out.value

    def hls(self, gen: float) -> float | None:
        return self._mapped(self._api.tst_clock_map_hls, gen)

    def gen(self, hls: float) -> float | None:
        return self._mapped(self._api.tst_clock_map_gen, hls)


class Records(Handle):
    """A tst_track."""

    _room = "timeline"
    _close_name = "tst_track_close"
    __slots__ = ()

    def __init__(self, parameters: Parameters) -> None:
        out = c_uint64()
        api = room(self._room)
        with Config(dict(parameters)) as config:
            check(api.tst_track_new(byref(out), config))
        self._own(api, out.value)

    def push_ts(self, data: object) -> None:
        at, n, _kept = pin(data)
        check(self._api.tst_track_push_ts(self._id, at, n))

    def flush(self) -> None:
        check(self._api.tst_track_flush(self._id))

    def range(self, pts: int, ticks: int, limit: int) -> list[tuple[int, bytes, bool]]:
        """(pts, record, without a time of its own) of each record."""
        n, size = c_size_t(), c_size_t(64 << 10)
        recs = (abi.tst_reading * max(limit, 1))()
        while True:
            arena = (ctypes.c_char * max(size.value, 1))()
            status = self._api.tst_track_range(
                recs, limit, byref(n), arena, size.value, byref(size), self._id, pts, ticks
            )
            if status != base.TST_E_BUFFER_TOO_SMALL:
                break
            size.value += 64 << 10
        check(status)
        raw = arena.raw
        return [
            (r.pts_90k, raw[r.data : r.data + r.data_len], bool(getattr(r, "async"))) for r in recs[: n.value]
        ]

    def stats(self) -> abi.tst_track_stats:
        out = abi.tst_track_stats(struct_size=sizeof(abi.tst_track_stats))
        check(self._api.tst_track_get_stats(byref(out), self._id))
        return out


class Server(Handle):
    """A tst_site_server."""

    _room = "page"
    _close_name = "tst_site_server_close"
    __slots__ = ()

    def __init__(self, handle: int) -> None:
        self._own(room(self._room), handle)

    def addr(self) -> str:
        out = (ctypes.c_uint8 * 128)()
        n = c_size_t()
        check(self._api.tst_site_server_addr(out, 128, byref(n), self._id))
        return bytes(out[: n.value]).decode()


Answer = tuple[int, list[tuple[str, str]], bytes]


class Web(Handle):
    """A tst_site."""

    _room = "page"
    _close_name = "tst_site_close"
    __slots__ = ()

    def __init__(self, markers: Markers | None, records: Records | None, parameters: Parameters) -> None:
        out = c_uint64()
        api = room(self._room)
        with Config(dict(parameters)) as config:
            check(
                api.tst_site_new(
                    byref(out), markers._id if markers else 0, records._id if records else 0, config
                )
            )
        self._own(api, out.value)

    def listen(self, addr: str) -> Server:
        out = c_uint64()
        a = addr.encode()
        check(self._api.tst_site_listen(byref(out), self._id, a, len(a)))
        return Server(out.value)

    def attach(self, publisher: int) -> None:
        check(self._api.tst_site_attach(self._id, publisher))

    def attach_mux(self, mux: int) -> None:
        check(self._api.tst_site_attach_mux(self._id, mux))

    def edge(self) -> float | None:
        out = c_double()
        status = self._api.tst_site_edge(byref(out), self._id)
        if status == base.TST_E_AGAIN:
            return None
        check(status)
        return out.value

    def request(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """(status, headers, body) of one request."""
        out, code, hn, bn = c_uint64(), c_uint32(), c_size_t(), c_size_t()
        m, t = method.encode("latin-1"), target.encode("latin-1")
        lines = "".join(f"{k}: {v}\n" for k, v in headers).encode("latin-1", "replace")
        check(
            self._api.tst_site_request(
                byref(out), byref(code), byref(hn), byref(bn), self._id,
                m, len(m), t, len(t), lines, len(lines), body, len(body),
            )
        )  # fmt: skip
        try:
            head, content = (ctypes.c_char * max(hn.value, 1))(), (ctypes.c_char * max(bn.value, 1))()
            check(self._api.tst_site_answer_read(head, hn.value, content, bn.value, out.value))
        finally:
            self._api.tst_site_answer_close(out.value)
        text = head.raw[: hn.value].decode("latin-1")
        pairs = [(k, v) for k, _, v in (line.partition(": ") for line in text.splitlines())]
        return code.value, pairs, content.raw[: bn.value]
