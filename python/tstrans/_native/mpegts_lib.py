"""Glue of tstrans/mpegts.h, reading half: batches of records in, chunks that payloads are gathered from."""

from __future__ import annotations

import ctypes
import os
from _thread import allocate_lock
from ctypes import addressof, byref, c_size_t, c_uint64
from struct import Struct

from ..mpegts._events import Batch, Streams
from . import _lib, base_abi
from . import mpegts_abi as abi
from ._lib import Config, ForkedHandleError, Handle, check, pin, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..mpegts import DemuxerConfig

__all__ = ["Chunk", "Feeder", "Reader", "demuxer_parameters"]

#: How long a call may wait before Python looks for signals, in ms.
_SLICE = 100

_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t)
_new_bytes.restype = ctypes.py_object

_STRICT = {"OFF": 0, "TIMING_ONLY": 1, "PSI_ONLY": 2, "FULL": 3}
_CARRIAGE = {
    "MPEG2_TS_BINDING": abi.TST_AV1_MPEG2_TS_BINDING,
    "INTEROP_RAW_OBU": abi.TST_AV1_INTEROP_RAW_OBU,
}
_MOST = 1 << 62
_EXPECTED = (base_abi.TST_E_AGAIN, base_abi.TST_E_EOS, base_abi.TST_E_TIMEOUT)


def _cap(name: str, value: int) -> int:
    if value >> 64:
        raise OverflowError(f"{name}: {value} does not fit 64 bits")
    return min(value, _MOST)


def demuxer_parameters(config: DemuxerConfig | None) -> dict[str, int]:
    """A configuration as the library takes it, without what is left at its default."""
    if config is None:
        return {}
    values: dict[str, int] = {
        "strict_mode": _STRICT[config.strict_mode.name],
        "pes_cap_per_pid": _cap("pes_cap_per_pid", config.pes_cap_per_pid),
        "pes_cap_total": _cap("pes_cap_total", config.pes_cap_total),
        "cfi_tolerance": int(config.cfi_tolerance),
        "lenient_psi_reassembly": int(config.lenient_psi_reassembly),
        "sync_buf_cap": _cap("sync_buf_cap", config.sync_buf_cap),
        "unwrap_timestamps": int(config.unwrap_timestamps),
    }
    if config.av1_carriage is not None:
        values["av1_carriage"] = _CARRIAGE[config.av1_carriage.name]
    if config.au_cell_cap_per_pid is not None:
        values["au_cell_cap_per_pid"] = _cap("au_cell_cap_per_pid", config.au_cell_cap_per_pid)
    if config.hold_before_pmt_bytes is not None:
        values["hold_before_pmt_bytes"] = _cap("hold_before_pmt_bytes", config.hold_before_pmt_bytes)
    return {k: v for k, v in values.items() if v != _DEFAULTS.get(k)}


_DEFAULTS = {
    "strict_mode": 0,
    "pes_cap_per_pid": 4 << 20,
    "pes_cap_total": 64 << 20,
    "cfi_tolerance": 1,
    "lenient_psi_reassembly": 0,
    "sync_buf_cap": 4 << 20,
    "unwrap_timestamps": 0,
}


class Chunk:
    """A chunk of input that the library keeps while large payloads of it may be asked for."""

    __slots__ = ("_api", "_close", "_epoch", "_id")

    def __init__(self, api: Any, handle: int) -> None:
        self._id = handle
        self._epoch = _lib._epoch
        self._api = api
        self._close = api.tst_chunk_close

    def gather(self, payload: int, size: int) -> bytes:
        """The payload of a lazy record, copied once, straight into a new bytes object."""
        if self._epoch != _lib._epoch:
            raise ForkedHandleError(
                "this payload stayed behind in the process that was forked: fetch it there"
            )
        out: bytes = _new_bytes(None, size)
        got = c_size_t()
        check(self._api.tst_chunk_gather(out, size, byref(got), self._id, payload))
        return out

    def __del__(self, _lib: Any = _lib) -> None:
        if self._epoch == _lib._epoch:
            self._close(self._id)


class _Buffers:
    """What one read at a time fills. The pages are touched only as far as a read fills them."""

    __slots__ = ("arena", "arena_cap", "arena_len", "chunk", "count", "out", "records", "records_cap")

    def __init__(self, records: int, arena: int) -> None:
        self.records_cap = records
        self.records = (ctypes.c_char * (records * 64))()
        self.count = c_size_t()
        self.arena_len = c_size_t()
        self.chunk = c_uint64()
        # Kept: making them anew would be a fifth of the cost of a small read.
        self.out = byref(self.count), byref(self.arena_len), byref(self.chunk)
        self.resize(arena)

    def resize(self, arena: int) -> None:
        self.arena_cap = arena
        self.arena = (ctypes.c_char * arena)()


class _Demuxer(Handle):
    _room = "mpegts"
    _close_name = "tst_demuxer_close"
    __slots__ = ("_buffers", "_filename", "_reading", "_streams")

    def _open(self, records: int, arena: int) -> None:
        self._buffers = _Buffers(records, arena)
        self._streams = Streams()
        self._reading = allocate_lock()
        self._filename: str | None = None

    def _read(self) -> Batch | int:
        """One read: a batch, or the status that says why there is none."""
        # The library refuses a second thread by itself, but the buffers are ours.
        if not self._reading.acquire(False):
            raise RuntimeError("Already borrowed")
        try:
            b = self._buffers
            api = self._api
            count, arena_len, chunk = b.out
            while True:
                status: int = api.tst_demuxer_read(
                    b.records,
                    b.records_cap,
                    count,
                    b.arena,
                    b.arena_cap,
                    arena_len,
                    chunk,
                    self._id,
                    _SLICE,
                )
                if status == 0:
                    owner = Chunk(api, b.chunk.value) if b.chunk.value else None
                    # A slice of a char array is bytes.
                    records: Any = b.records[: b.count.value * 64]
                    arena: Any = b.arena[: b.arena_len.value]
                    return Batch(records, arena, self._streams, owner)
                if status == base_abi.TST_E_BUFFER_TOO_SMALL:
                    b.resize(b.arena_len.value)
                elif status not in _EXPECTED:
                    check(status, self._filename)
                elif status != base_abi.TST_E_TIMEOUT:
                    return status
        finally:
            self._reading.release()

    def stats(self) -> abi.tst_demuxer_stats:
        """The counters."""
        out = abi.tst_demuxer_stats()
        out.struct_size = ctypes.sizeof(out)
        check(self._api.tst_demuxer_get_stats(byref(out), self._id))
        return out

    def reset_stats(self) -> None:
        """All counters but the number of programs go to zero."""
        check(self._api.tst_demuxer_reset_stats(self._id))


_FILLED = Struct("=40xQQQQ").unpack  # what a call sets in tst_read_buffers


class Feeder(_Demuxer):
    """A demuxer that is fed."""

    __slots__ = ("_fed", "_fed_out", "_first", "_io", "_io_at", "pending")

    #: Events that wait in the library.
    pending: int

    def __init__(self, config: DemuxerConfig | None, *, hold: int = 0, unmapped: bool = False) -> None:
        parameters = demuxer_parameters(config)
        if hold:
            parameters.setdefault("hold_before_pmt_bytes", hold)
        if unmapped:
            parameters["deliver_unmapped"] = 1
        api = room(self._room)
        out = c_uint64()
        if parameters:
            with Config(dict(parameters)) as id:
                check(api.tst_demuxer_new(byref(out), id))
        else:
            check(api.tst_demuxer_new(byref(out), 0))
        self._open(256, 64 << 10)
        self._own(api, out.value)
        self.pending = 0
        self._fed = c_uint64()
        self._fed_out = byref(self._fed)
        b = self._buffers
        self._io = io = abi.tst_read_buffers()
        io.struct_size = ctypes.sizeof(io)
        io.recs, io.recs_cap = addressof(b.records), b.records_cap
        io.arena, io.arena_cap = addressof(b.arena), b.arena_cap
        self._io_at = addressof(io)
        self._first = b.records, b.arena  # these stay, also where a read needs a larger arena

    def feed_read(self, data: object) -> Batch | None:
        """Parse input and give the events there are, if none waited before."""
        if not self._reading.acquire(False):
            raise RuntimeError("Already borrowed")
        try:
            api = self._api
            if type(data) is bytes:
                status = api.tst_demuxer_feed_read(self._io_at, self._id, data, len(data))
            else:
                at, size, _kept = pin(data)
                status = api.tst_demuxer_feed_read(self._io_at, self._id, at, size)
            if status:
                try:
                    check(status)
                finally:
                    self.pending = self._io.pending
            count, arena_len, chunk, self.pending = _FILLED(self._io)
            if not count:
                return None
            owner = Chunk(api, chunk) if chunk else None
            io_records, io_arena = self._first
            records: Any = io_records[: count * 64]
            arena: Any = io_arena[:arena_len]
            return Batch(records, arena, self._streams, owner)
        finally:
            self._reading.release()

    def feed(self, data: object) -> None:
        """Parse input."""
        if type(data) is bytes:
            status = self._api.tst_demuxer_feed(self._fed_out, self._id, data, len(data))
        else:
            at, size, _kept = pin(data)
            status = self._api.tst_demuxer_feed(self._fed_out, self._id, at, size)
        if status:
            # Raise before anything else is called in this thread.
            try:
                check(status)
            finally:
                self.pending = self._fed.value
        self.pending = self._fed.value

    def flush(self) -> None:
        """Deliver what is still open."""
        check(self._api.tst_demuxer_flush(self._fed_out, self._id))
        self.pending = self._fed.value

    def read(self) -> Batch | None:
        """The events that wait, or as many of them as one read gives."""
        got = self._read()
        if isinstance(got, int):
            self.pending = 0
            return None
        self.pending -= min(self.pending, len(got.records) >> 6)
        return got


class Reader(_Demuxer):
    """A demuxer that reads a file, a FIFO or a descriptor by itself; iterate over its batches."""

    __slots__ = ()

    def __init__(
        self,
        source: str | bytes | os.PathLike[str] | int,
        config: DemuxerConfig | None,
        *,
        hold: int,
        limit: int = 0,
        unmapped: bool = False,
    ) -> None:
        parameters = demuxer_parameters(config)
        parameters.setdefault("hold_before_pmt_bytes", hold)
        if unmapped:
            parameters["deliver_unmapped"] = 1
        if limit:
            parameters["read_limit"] = limit
        api = room(self._room)
        out = c_uint64()
        filename = None if isinstance(source, int) else os.fspath(source)
        with Config(dict(parameters)) as id:
            if isinstance(source, int):
                check(api.tst_demuxer_open_fd(byref(out), source, id))
            else:
                path = os.fsencode(source)
                if b"\0" in path:
                    raise ValueError("embedded null byte")
                check(api.tst_demuxer_open_path(byref(out), path, len(path), id), filename)  # type: ignore[arg-type]
        self._open(256, 256 << 10)
        self._filename = filename  # type: ignore[assignment]
        self._own(api, out.value)

    def read(self) -> Batch | None:
        """The next batch; None at the end of the input. Waits as long as it takes, open to Ctrl-C."""
        got = self._read()
        return None if isinstance(got, int) else got

    def __iter__(self) -> Reader:
        return self

    def __next__(self) -> Batch:
        got = self._read()
        if isinstance(got, int):
            raise StopIteration
        return got
