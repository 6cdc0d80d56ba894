"""Glue of tstrans/aio.h: hubs that bring records to a loop, sessions."""

from __future__ import annotations

import ctypes
import os
import struct
from ctypes import byref, c_int32, c_size_t, c_uint32, c_uint64

from . import aio_abi as abi
from . import base_abi
from ._lib import ClosedHandleError, Config, Handle, check, failure, pin, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

AUDIO = abi.TST_AIO_AUDIO
RAW = abi.TST_AIO_RAW
CONCEAL = abi.TST_AIO_CONCEAL
DTMF = abi.TST_AIO_DTMF
REPORT = abi.TST_AIO_REPORT
NOISE = abi.TST_AIO_NOISE
FRAME = abi.TST_AIO_FRAME
KEYFRAME = abi.TST_AIO_KEYFRAME
DRAINED = abi.TST_AIO_DRAINED
SILENCE = abi.TST_AIO_SILENCE
MORE = abi.TST_AIO_MORE
CLOCK = abi.TST_AIO_CLOCK

PAYLOAD = abi.TST_AIO_PAYLOAD
PCM = abi.TST_AIO_PCM
PACED = abi.TST_AIO_PACED
PACED_PCM = abi.TST_AIO_PACED_PCM
AUTO = abi.TST_AIO_AUTO

_AGAIN = base_abi.TST_E_AGAIN
_CLOSED = base_abi.TST_E_CLOSED

#: tst_aio_record: session, kind and flags in one, timestamp, off, len, a, b, generation.
_RECORD = struct.Struct("<8I")
#: What the flags are multiplied with in there.
FLAGS = 1 << 16
_BATCH = struct.Struct("<QQII")


class Hub(Handle):
    """Records on their way to one loop."""

    _room = "aio"
    _close_name = "tst_aio_hub_close"
    __slots__ = ("_batch", "_done", "_fd", "_memory", "_take")

    def __init__(self) -> None:
        api = room("aio")
        out, fd, memory = c_uint64(), c_int32(), c_uint64()
        check(api.tst_aio_hub_open(byref(out), byref(fd), byref(memory)))
        self._own(api, out.value)
        self._fd = fd.value
        self._memory = memory.value
        self._batch = ctypes.create_string_buffer(_BATCH.size)
        self._take, self._done = api.tst_aio_take, api.tst_aio_done

    def fileno(self) -> int:
        """Readable when there are records."""
        return self._fd

    def batches(self) -> Iterator[tuple[Iterator[tuple[Any, ...]], bytes]]:
        """(records, arena) of each batch that is there; copied, so that the library can go on."""
        if not self._id:  # closed, or forked: the descriptor is the parent's, too
            return
        try:  # noqa: SIM105 - a context manager costs more than everything else here
            os.read(self._fd, 8)
        except BlockingIOError:
            pass
        take, done, memory, batch = self._take, self._done, self._memory, self._batch
        at = ctypes.string_at
        while self._id:
            take(batch, memory)
            records, arena, count, size = _BATCH.unpack(batch)
            if not count:
                return
            found = _RECORD.iter_unpack(at(records, 32 * count))
            data = at(arena, size)
            last = done(memory)
            yield found, data
            if last:
                return


class Session(Handle):
    """A session; what is sent is posted, and goes out within a tick."""

    _room = "aio"
    _close_name = "tst_aio_close"
    __slots__ = ("_post", "_ts", "_ts_ref", "lane")

    def __init__(self, parameters: dict[str, Any], hub: Hub | None) -> None:
        api = room("aio")
        out, lane = c_uint64(), c_uint64()
        with Config(parameters) as config:
            status = api.tst_aio_open(byref(out), byref(lane), config, hub._id if hub is not None else 0)
            if status:
                raise failure(status)
        self._own(api, out.value)
        self.lane = lane.value
        self._post = api.tst_aio_post
        self._ts = c_uint32()
        self._ts_ref = byref(self._ts)

    def post(self, kind: int, data: Any, ts: int) -> int:
        """Post a payload or PCM; the timestamp it goes out with."""
        at, n, _kept = (data, len(data), None) if type(data) is bytes else pin(data)
        stamp = self._ts
        stamp.value = ts
        status = self._post(self._ts_ref, self.lane, kind, at, n)
        while status == _AGAIN:
            check(self._api.tst_aio_flush(self._id))
            stamp.value = ts
            status = self._post(self._ts_ref, self.lane, kind, at, n)
        if status:
            if status == _CLOSED:
                self._api.tst_aio_flush  # noqa: B018 - raises where the process was forked
                return 0
            raise ValueError(f"a payload of {n} bytes: at most 65000")
        return stamp.value

    def poster(self, kind: int) -> Callable[[Any, int], None]:
        """`post` of one kind, at the least cost: a service calls it thousands of times a second."""
        send, lane, post = self._api.tst_aio_send, self.lane, self.post

        def send_one(data: Any, ts: int) -> None:
            if type(data) is not bytes or send(lane, kind, ts, data, len(data)) < 0:
                post(kind, data, ts)

        return send_one

    def press(self, digit: str, duration_ms: int, ts: int) -> None:
        text = digit.encode()
        check(self._api.tst_aio_press(self._id, text, len(text), max(duration_ms, 0), ts))

    def queued(self) -> int:
        n = c_size_t()
        check(self._api.tst_aio_queued(byref(n), self._id))
        return n.value

    def send_frame(self, units: list[bytes], ts: int | None, key: bool) -> int:
        data = b"".join(units)
        sizes = (c_uint32 * len(units))(*map(len, units))
        stamp = c_uint32(ts or 0)
        check(
            self._api.tst_aio_send_frame(
                byref(stamp),
                self._id,
                data,
                len(data),
                sizes,
                len(units),
                1 if ts is None else 0,
                1 if key else 0,
            )
        )
        return stamp.value

    def request_keyframe(self) -> None:
        check(self._api.tst_aio_request_keyframe(self._id))

    def set_passthrough(self, on: bool) -> None:
        check(self._api.tst_aio_set_passthrough(self._id, 1 if on else 0))

    def update_remote(self, ip: str, port: int) -> None:
        text = ip.encode()
        check(self._api.tst_aio_update_remote(self._id, text, len(text), port))

    def local(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """The bound addresses of RTP and RTCP."""
        out = ctypes.create_string_buffer(256)
        n = c_size_t()
        check(self._api.tst_aio_local(out, 256, byref(n), self._id))
        a, p, b, q = out.raw[: n.value].decode().split()
        return (a, int(p)), (b, int(q))

    def stats(self) -> abi.tst_aio_stats:
        out = abi.tst_aio_stats(struct_size=ctypes.sizeof(abi.tst_aio_stats))
        if not self._id:
            self._api.tst_aio_get_stats  # noqa: B018 - raises where the process was forked
            raise ClosedHandleError("the session is closed")
        check(self._api.tst_aio_get_stats(byref(out), self._id))
        return out

    def end(self) -> None:
        """Say goodbye and close the sockets."""
        if self._id:
            check(self._api.tst_aio_end(self._id))
