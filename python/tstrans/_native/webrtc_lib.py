"""Glue of tstrans/webrtc.h: the hub that wakes an event loop, connections, errors."""

from __future__ import annotations

import asyncio
import ctypes
import struct
from collections.abc import Mapping
from ctypes import byref, c_int32, c_size_t, c_uint64, sizeof
from typing import Any, Protocol

from ..webrtc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from . import base_abi as base
from . import webrtc_abi as abi
from ._lib import Config, Handle, failure, pin, room

__all__ = ["Hub", "Peer", "Sink", "capabilities"]

_EVENT = struct.Struct("IIQQqIIII16x")
_BATCH = 256
_ARENA = 1 << 18

_KINDS: Mapping[int, type[Exception]] = {
    base.TST_E_WEBRTC_INTERNAL: InternalError,
    base.TST_E_WEBRTC_ACCESS: InvalidAccessError,
    base.TST_E_WEBRTC_STATE: InvalidStateError,
    base.TST_E_WEBRTC_OPERATION: OperationError,
    base.TST_E_WEBRTC_SDP: ValueError,
}


def _check(status: int) -> None:
    if status < 0:
        error = failure(status)
        kind = _KINDS.get(status)
        raise error if kind is None else kind(str(error))


def _text(call: Any, *args: Any) -> str:
    size = c_size_t()
    room_for = 8192
    while True:
        out = ctypes.create_string_buffer(room_for)
        _check(call(out, room_for, byref(size), *args))
        if size.value <= room_for:
            return out.raw[: size.value].decode("utf-8", "replace")
        room_for = size.value


def capabilities(kind: int) -> str:
    """Lines of mime type, clock rate, channels, parameters."""
    return _text(room("webrtc").tst_rtc_capabilities, kind)


class Sink(Protocol):
    """Who takes the events of one connection."""

    def _event(
        self, kind: int, code: int, obj: int, value: int, flags: int, clock: int, data: bytes
    ) -> None: ...


class Hub(Handle):
    """Events of the connections of one event loop, which its descriptor wakes."""

    _room = "webrtc"
    _close_name = "tst_rtc_hub_close"
    __slots__ = ("_arena", "_draining", "_fd", "_loop", "_next", "_records", "_sinks")

    _hubs: dict[int, Hub] = {}  # noqa: RUF012 - of each loop, by its id

    def __init__(self) -> None:
        api = room(self._room)
        out = c_uint64()
        _check(api.tst_rtc_hub_open(byref(out)))
        self._own(api, out.value)
        fd = c_int32()
        _check(api.tst_rtc_hub_fd(byref(fd), self._id))
        self._fd = fd.value
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sinks: dict[int, Sink] = {}
        self._next = 0
        self._draining = False
        self._records = ctypes.create_string_buffer(_BATCH * _EVENT.size)
        self._arena = ctypes.create_string_buffer(_ARENA)

    @classmethod
    def current(cls) -> Hub:
        """The hub of the running loop; outside one a hub of its own, until `attach`."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return cls()
        hub = cls._hubs.get(id(loop))
        if hub is None or hub._loop is not loop or hub.closed:
            hub = cls()
            hub.attach()
        return hub

    def attach(self) -> None:
        """Let the running loop watch the descriptor."""
        loop = asyncio.get_running_loop()
        if self._loop is loop or self.closed:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError("the connection belongs to another event loop")
        self._loop = loop
        loop.add_reader(self._fd, self.drain)
        if id(loop) not in self._hubs or self._hubs[id(loop)]._loop is not loop:
            self._hubs[id(loop)] = self

    def add(self, sink: Sink) -> int:
        """A number for a connection; the hub lives as long as there are any."""
        self._next += 1
        self._sinks[self._next] = sink
        return self._next

    def remove(self, number: int) -> None:
        """The connection has ended."""
        self._sinks.pop(number, None)
        if not self._sinks and not self._draining:
            self._release()

    def _release(self) -> None:
        if self.closed:
            return
        loop = self._loop
        if loop is not None:
            if self._hubs.get(id(loop)) is self:
                del self._hubs[id(loop)]
            if not loop.is_closed():
                loop.remove_reader(self._fd)
        self.close()

    def drain(self) -> None:
        """Hand out the events that wait; called again from inside, it leaves that to the call that runs."""
        if self._draining or self.closed:
            return
        self._draining = True
        try:
            n = c_size_t()
            read, records = self._api.tst_rtc_hub_read, self._records
            while True:
                status = read(records, _BATCH, byref(n), self._arena, len(self._arena), self._id)
                if status == base.TST_E_BUFFER_TOO_SMALL:
                    needed = getattr(failure(status), "attrs", {}).get("needed", 0)
                    self._arena = ctypes.create_string_buffer(max(needed, 4 * len(self._arena)))
                    continue
                _check(status)
                count = n.value
                if count == 0:
                    break
                if self._hand_out(count) == abi.TST_RTC_EVENT_DONE:
                    break  # whoever waits for it runs first; the descriptor is still readable
                if len(self._arena) > _ARENA and count < _BATCH:
                    self._arena = ctypes.create_string_buffer(_ARENA)
        finally:
            self._draining = False
            if not self._sinks:
                self._release()

    def _hand_out(self, count: int) -> int:
        sinks = self._sinks
        size = _EVENT.size
        used = memoryview(self._records)[: count * size]
        last = _EVENT.unpack_from(used, (count - 1) * size)
        arena = ctypes.string_at(self._arena, last[7] + last[8])
        for kind, code, peer, obj, value, flags, clock, offset, length in _EVENT.iter_unpack(used):
            sink = sinks.get(peer)
            if sink is None:
                continue
            try:
                sink._event(
                    kind, code, obj, value, flags, clock, arena[offset : offset + length] if length else b""
                )
            except Exception as e:  # a listener's; the others still get their events
                if self._loop is None:
                    raise
                self._loop.call_exception_handler({"message": "an event's listener failed", "exception": e})
        return int(last[0])


class Peer(Handle):
    """A tst_rtc_peer."""

    _room = "webrtc"
    _close_name = "tst_rtc_peer_close"
    __slots__ = ()

    def __init__(
        self, hub: Hub, number: int, values: dict[str, int | float | bool | str | bytes | None]
    ) -> None:
        api = room(self._room)
        out = c_uint64()
        with Config(values) as config:
            _check(api.tst_rtc_peer_open(byref(out), hub._id, config, number))
        self._own(api, out.value)

    def end(self, operation: int) -> None:
        _check(self._api.tst_rtc_peer_end(self._id, operation))

    def add_track(self, kind: int, track: str) -> int:
        out = c_uint64()
        b = track.encode()
        _check(self._api.tst_rtc_add_track(byref(out), self._id, kind, b, len(b)))
        return out.value

    def add_transceiver(self, kind: int, direction: int, track: str) -> int:
        out = c_uint64()
        b = track.encode()
        _check(self._api.tst_rtc_add_transceiver(byref(out), self._id, kind, direction, b, len(b)))
        return out.value

    def set(self, transceiver: int, what: int, value: int = 0) -> None:
        _check(self._api.tst_rtc_transceiver_set(self._id, transceiver, what, value))

    def set_preferences(self, transceiver: int, lines: str) -> None:
        b = lines.encode()
        _check(self._api.tst_rtc_set_preferences(self._id, transceiver, b, len(b)))

    def create(self, kind: int) -> str:
        _check(self._api.tst_rtc_create(self._id, kind))
        return self.text(abi.TST_RTC_TEXT_CREATED)

    def set_local(self, kind: int, sdp: str, operation: int) -> None:
        b = sdp.encode()
        _check(self._api.tst_rtc_set_local(self._id, kind, b, len(b), operation))

    def set_remote(self, kind: int, sdp: str, operation: int) -> None:
        b = sdp.encode()
        _check(self._api.tst_rtc_set_remote(self._id, kind, b, len(b), operation))

    def add_candidate(self, text: str) -> None:
        b = text.encode()
        _check(self._api.tst_rtc_add_candidate(self._id, b, len(b)))

    def restart_ice(self) -> None:
        _check(self._api.tst_rtc_restart_ice(self._id))

    def text(self, what: int) -> str:
        return _text(self._api.tst_rtc_peer_text, self._id, what)

    def info(self) -> abi.tst_rtc_peer_info:
        out = abi.tst_rtc_peer_info(struct_size=sizeof(abi.tst_rtc_peer_info))
        _check(self._api.tst_rtc_peer_get_info(byref(out), self._id))
        return out

    def transceiver(self, number: int) -> abi.tst_rtc_transceiver_info:
        out = abi.tst_rtc_transceiver_info(struct_size=sizeof(abi.tst_rtc_transceiver_info))
        _check(self._api.tst_rtc_transceiver_get_info(byref(out), self._id, number))
        return out

    def mid(self, number: int) -> str:
        return _text(self._api.tst_rtc_transceiver_mid, self._id, number)

    def stream_stats(self, number: int, side: int) -> abi.tst_rtc_stream_stats:
        out = abi.tst_rtc_stream_stats(struct_size=sizeof(abi.tst_rtc_stream_stats))
        _check(self._api.tst_rtc_stream_get_stats(byref(out), self._id, number, side))
        return out

    def send(self, transceiver: int, codec: int, timestamp: int, data: object) -> None:
        at, size, _kept = pin(data)
        status = self._api.tst_rtc_send(self._id, transceiver, codec, timestamp, at, size)
        if status:
            _check(status)

    def audio_level(self, transceiver: int, pcm: object) -> None:
        at, size, _kept = pin(pcm)
        _check(self._api.tst_rtc_set_audio_level(self._id, transceiver, at, size))

    def open_channel(self, values: dict[str, int | float | bool | str | bytes | None]) -> int:
        out = c_uint64()
        with Config(values) as config:
            _check(self._api.tst_rtc_channel_open(byref(out), self._id, config))
        return out.value

    def channel(self, number: int) -> abi.tst_rtc_channel_info:
        out = abi.tst_rtc_channel_info(struct_size=sizeof(abi.tst_rtc_channel_info))
        _check(self._api.tst_rtc_channel_get_info(byref(out), self._id, number))
        return out

    def channel_text(self, number: int, what: int) -> str:
        return _text(self._api.tst_rtc_channel_text, self._id, number, what)

    def channel_send(self, number: int, data: bytes, is_text: bool) -> None:
        _check(self._api.tst_rtc_channel_send(self._id, number, data, len(data), int(is_text)))

    def channel_low(self, number: int, amount: int) -> None:
        _check(self._api.tst_rtc_channel_set_low(self._id, number, amount))

    def channel_close(self, number: int) -> None:
        _check(self._api.tst_rtc_channel_close(self._id, number))
