"""Glue of tstrans/rtpflow.h: packets, RTCP, jitter buffer, playout, statistics, sender, events, video."""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref, c_int32, c_size_t, c_uint32, c_uint64

from . import base_abi
from . import rtpflow_abi as abi
from ._lib import Config, Handle, check, failure, pin, room
from .audio_lib import new_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOO_SMALL = base_abi.TST_E_BUFFER_TOO_SMALL

# tst_rtp_packet without its contributing sources: marker, type, sources, padding, number, profile, timestamp,
# SSRC, payload at and length, extension at and length, whether there is one.
_PACKET = struct.Struct("<BBBBHHIIIIIII60x")
_FIXED = struct.Struct("<BBBBHHII16xI60x")
_HEADER = struct.Struct("<BBBBHHII16xI")
_CSRC = struct.Struct("<36x15I")
#: tst_rtcp_entry: kind, type, format, fraction, ssrc, ntp, media, rtp, packets, octets, lost, highest,
#: jitter, lsr, dlsr, off, len.
ENTRY = struct.Struct("<BBBBIQIIIIiIIIIII4x")

PACKET = abi.TST_RTCP_PACKET
REPORT = abi.TST_RTCP_REPORT
CHUNK = abi.TST_RTCP_CHUNK
ITEM = abi.TST_RTCP_ITEM
SOURCE = abi.TST_RTCP_SOURCE
LOST = abi.TST_RTCP_LOST


def rtp_parse(data: bytes) -> tuple[Any, ...]:
    """The fields of a packet in the order of _PACKET, then the contributing sources."""
    out: bytes = new_bytes(None, 96)
    status = room("rtpflow").tst_rtp_parse(out, data, len(data))
    if status:
        raise failure(status)
    fields = _PACKET.unpack(out)
    return (*fields, _CSRC.unpack(out)[: fields[2]] if fields[2] else ())


def rtp_build(
    marker: int, payload_type: int, padding: int, sequence: int, timestamp: int, ssrc: int, csrc: Any,
    payload: Any, profile: int, extension: bytes,
) -> bytes:  # fmt: skip
    """The bytes of a packet; struct.error where a field does not fit."""
    if csrc or extension:
        head = _HEADER.pack(
            marker,
            payload_type,
            len(csrc),
            padding,
            sequence,
            profile,
            timestamp,
            ssrc,
            1 if extension else 0,
        ) + struct.pack("<15I", *csrc, *([0] * (15 - len(csrc))))
    else:
        head = _FIXED.pack(marker, payload_type, 0, padding, sequence, 0, timestamp, ssrc, 0)
    at, n, _kept = (payload, len(payload), None) if type(payload) is bytes else pin(payload)
    size = 12 + 4 * len(csrc) + n + padding + (4 + len(extension) if extension else 0)
    out: bytes = new_bytes(None, size)
    got = c_size_t()
    status = room("rtpflow").tst_rtp_build(out, size, byref(got), head, at, n, extension, len(extension))
    if status:
        raise failure(status)
    return out


def elements(profile: int, value: bytes) -> list[tuple[int, bytes, int]]:
    """(id, value, value as a number) of each element of a header extension."""
    out = (c_uint32 * 1024)()
    got = c_size_t()
    check(room("rtpflow").tst_rtp_elements(out, 256, byref(got), profile & 0xFFFF, value, len(value)))
    return [
        (out[4 * i], value[out[4 * i + 1] : out[4 * i + 1] + out[4 * i + 2]], out[4 * i + 3])
        for i in range(got.value)
    ]


def build_elements(items: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """(profile, value) of the extension that holds (id, value) pairs."""
    data = b"".join(v for _, v in items)
    records, at = [], 0
    for i, v in items:
        records.append(struct.pack("<4I", i, at, len(v), 0))
        at += len(v)
    cap = 2 * len(items) + len(data) + 4
    out: bytes = new_bytes(None, cap)
    got, profile = c_size_t(), c_uint32()
    check(
        room("rtpflow").tst_rtp_build_elements(
            out, cap, byref(got), byref(profile), b"".join(records), len(items), data, len(data)
        )
    )
    return profile.value, out[: got.value]


def rtcp_parse(data: bytes) -> list[tuple[Any, ...]]:
    """The entries of a compound packet, in the order of ENTRY."""
    cap = 32
    while True:
        out: bytes = new_bytes(None, 64 * cap)
        got = c_size_t()
        status = room("rtpflow").tst_rtcp_parse(out, cap, byref(got), data, len(data))
        if status != TOO_SMALL:
            break
        cap = got.value
    if status:
        raise failure(status)
    return list(ENTRY.iter_unpack(out[: 64 * got.value]))


def rtcp_build(entries: list[bytes], data: bytes = b"") -> bytes:
    """The packets of packed entries."""
    cap = 64 * len(entries) + 2 * len(data) + 64
    out: bytes = new_bytes(None, cap)
    got = c_size_t()
    check(
        room("rtpflow").tst_rtcp_build(out, cap, byref(got), b"".join(entries), len(entries), data, len(data))
    )
    return out[: got.value]


_FRAME = struct.Struct("<6I")


class Jitter(Handle):
    """A jitter buffer; a frame comes as (data, timestamp, lost)."""

    _room = "rtpflow"
    _close_name = "tst_jitter_close"
    __slots__ = ("_address", "_buf", "_cap", "_frame", "_room_frame")

    def __init__(self, parameters: dict[str, int]) -> None:
        api = room("rtpflow")
        out = c_uint64()
        with Config(dict(parameters)) as config:
            check(api.tst_jitter_open(byref(out), config))
        self._own(api, out.value)
        self._frame = ctypes.create_string_buffer(24)
        self._resize(4096)

    def _resize(self, n: int) -> None:
        self._cap = n
        self._buf = ctypes.create_string_buffer(n)
        self._address = ctypes.addressof(self._buf)

    def _result(self, status: int) -> tuple[bool, tuple[bytes, int, int] | None]:
        present, ts, lost, n, key, _ = _FRAME.unpack(self._frame)
        if status == TOO_SMALL:
            self._resize(2 * n)
            check(self._api.tst_jitter_again(self._frame, self._address, self._cap, self._id))
        elif status:
            raise failure(status)
        if not present:
            return key != 0, None
        return key != 0, (ctypes.string_at(self._address, n), ts, lost)

    def add(self, seq: int, ts: int, marker: int, payload: Any) -> tuple[bool, tuple[bytes, int, int] | None]:
        at, n, _kept = (payload, len(payload), None) if type(payload) is bytes else pin(payload)
        return self._result(
            self._api.tst_jitter_add(self._frame, self._address, self._cap, self._id, seq, ts, marker, at, n)
        )

    def other(self, seq: int) -> tuple[bytes, int, int] | None:
        return self._result(self._api.tst_jitter_other(self._frame, self._address, self._cap, self._id, seq))[
            1
        ]

    def expire(self) -> tuple[bool, tuple[bytes, int, int] | None]:
        return self._result(self._api.tst_jitter_expire(self._frame, self._address, self._cap, self._id))

    def drain(self) -> tuple[bytes, int, int] | None:
        return self._result(self._api.tst_jitter_drain(self._frame, self._address, self._cap, self._id))[1]

    def next(self) -> tuple[bytes, int, int] | None:
        return self._result(self._api.tst_jitter_next(self._frame, self._address, self._cap, self._id))[1]

    def remove(self, count: int, smart: bool) -> bool:
        out = c_uint32()
        check(self._api.tst_jitter_remove(byref(out), self._id, max(count, 0), smart))
        return out.value != 0

    def reset(self) -> None:
        check(self._api.tst_jitter_reset(self._id))


NONE = abi.TST_PLAYOUT_NONE
DECODE = abi.TST_PLAYOUT_DECODE
CONCEAL = abi.TST_PLAYOUT_CONCEAL
NOISE = abi.TST_PLAYOUT_NOISE


class Playout(Handle):
    """The clocked buffer; a tick comes as (action, timestamp, payload, level)."""

    _room = "rtpflow"
    _close_name = "tst_playout_close"
    __slots__ = ("_address", "_buf", "_tick")

    def __init__(self, parameters: dict[str, int | None], now: float) -> None:
        api = room("rtpflow")
        out = c_uint64()
        with Config({k: v for k, v in parameters.items() if v is not None}) as config:
            check(api.tst_playout_open(byref(out), config, now))
        self._own(api, out.value)
        self._buf = ctypes.create_string_buffer(1 << 16)
        self._address = ctypes.addressof(self._buf)
        self._tick = abi.tst_playout_tick()

    def put(self, now: float, ts: int, payload: Any) -> None:
        at, n, _kept = pin(payload)
        check(self._api.tst_playout_put(self._id, now, ts, at, n))

    def tick(self, now: float) -> tuple[int, int, bytes, int]:
        t = self._tick
        check(self._api.tst_playout_next(byref(t), self._address, 1 << 16, self._id, now))
        return t.action, t.timestamp, ctypes.string_at(self._address, t.len), t.level

    def reset(self) -> None:
        check(self._api.tst_playout_reset(self._id))

    def suppress(self) -> None:
        check(self._api.tst_playout_suppress(self._id))

    def noise(self, level: int, ts: int) -> None:
        check(self._api.tst_playout_noise(self._id, level, ts))

    def stats(self) -> abi.tst_playout_stats:
        out = abi.tst_playout_stats(struct_size=ctypes.sizeof(abi.tst_playout_stats))
        check(self._api.tst_playout_get_stats(byref(out), self._id))
        return out


class Reception(Handle):
    """Statistics of one source."""

    _room = "rtpflow"
    _close_name = "tst_reception_close"
    __slots__ = ("_out",)

    def __init__(self, clock_rate: int) -> None:
        api = room("rtpflow")
        out = c_uint64()
        check(api.tst_reception_open(byref(out), clock_rate))
        self._own(api, out.value)
        self._out = abi.tst_reception_stats(struct_size=ctypes.sizeof(abi.tst_reception_stats))

    def add(self, now: float, seq: int, ts: int) -> None:
        status = self._api.tst_reception_add(self._id, now, seq, ts)
        if status:
            raise failure(status)

    def get(self) -> abi.tst_reception_stats:
        check(self._api.tst_reception_get(byref(self._out), self._id))
        return self._out

    def set(self, base: int, newest: int, cycles: int, received: int) -> None:
        check(self._api.tst_reception_set(self._id, base & 0xFFFF, newest & 0xFFFF, cycles, received))

    def fraction(self) -> int:
        out = c_uint32()
        check(self._api.tst_reception_fraction(byref(out), self._id))
        return out.value


class Missing(Handle):
    """The numbers a receiver misses."""

    _room = "rtpflow"
    _close_name = "tst_missing_close"
    __slots__ = ()

    def __init__(self) -> None:
        api = room("rtpflow")
        out = c_uint64()
        check(api.tst_missing_open(byref(out)))
        self._own(api, out.value)

    def add(self, seq: int) -> bool:
        out = c_uint32()
        check(self._api.tst_missing_add(byref(out), self._id, seq))
        return out.value != 0

    def list(self) -> tuple[int | None, list[int]]:
        out = (ctypes.c_uint16 * 128)()
        n, newest = c_size_t(), c_int32()
        check(self._api.tst_missing_list(out, byref(n), byref(newest), self._id))
        return (newest.value if newest.value >= 0 else None), out[: n.value]

    def set(self, newest: int, numbers: Any) -> None:
        # Ascending as seen from the newest; the oldest of too many are dropped, as they would be by age.
        numbers = sorted((n & 0xFFFF for n in numbers), key=lambda n: (n - newest - 1) % (1 << 16))[-128:]
        data = struct.pack(f"<{len(numbers)}I", *numbers)
        check(self._api.tst_missing_set(self._id, newest & 0xFFFF, data, len(numbers)))


class PacketSender(Handle):
    """Numbers and stamps packets."""

    _room = "rtpflow"
    _close_name = "tst_rtp_sender_close"
    __slots__ = ()

    def __init__(self, ssrc: int, payload_type: int, increment: int, keep: bool) -> None:
        api = room("rtpflow")
        out = c_uint64()
        check(api.tst_rtp_sender_open(byref(out), ssrc, payload_type, increment, keep))
        self._own(api, out.value)

    def packet(self, payload_type: int, marker: int, ts: int, payload: Any, auto: bool = False) -> bytes:
        at, n, _kept = pin(payload)
        out: bytes = new_bytes(None, 12 + n)
        flags = (1 if marker else 0) + (2 if auto else 0)
        check(self._api.tst_rtp_sender_packet(out, 12 + n, self._id, payload_type, flags, ts, at, n))
        return out

    def sent(self, seq: int) -> bytes | None:
        out: bytes = new_bytes(None, 65536)
        n = c_size_t()
        check(self._api.tst_rtp_sender_sent(out, 65536, byref(n), self._id, seq))
        return out[: n.value] if n.value else None

    def step(self, frames: int = 1, increment: int = 0) -> None:
        check(self._api.tst_rtp_sender_step(self._id, frames, increment))

    def seek(self, sequence: int, ts: int) -> None:
        check(self._api.tst_rtp_sender_seek(self._id, sequence & 0xFFFF, ts & 0xFFFFFFFF))

    def state(self) -> abi.tst_sender_state:
        out = abi.tst_sender_state()
        check(self._api.tst_rtp_sender_state(byref(out), self._id))
        return out


_EVENT = struct.Struct("<BBBBI")


def dtmf_parse(data: Any) -> tuple[int, bool, int, int]:
    """(event, end, volume, duration)."""
    at, n, _kept = pin(data)
    out: bytes = new_bytes(None, 8)
    check(room("rtpflow").tst_dtmf_parse(out, at, n))
    code, end, volume, _, duration = _EVENT.unpack(out)
    return code, end != 0, volume, duration


def dtmf_build(event: int, end: bool, volume: int, duration: int) -> bytes:
    if not 0 <= duration <= 0xFFFF:
        raise struct.error(f"duration {duration} does not fit 16 bits")
    out: bytes = new_bytes(None, 4)
    check(room("rtpflow").tst_dtmf_build(out, 4, _EVENT.pack(event, bool(end), volume, 0, duration)))
    return out


def dtmf_press(
    digit: str, duration_ms: int, volume: int, clock_rate: int
) -> list[tuple[int, bool, int, int]]:
    """The events of one press."""
    text = digit.encode()
    out: bytes = new_bytes(None, 8 * 4096)
    n = c_size_t()
    check(
        room("rtpflow").tst_dtmf_press(
            out, 4096, byref(n), text, len(text), max(duration_ms, 0), max(volume, 0), clock_rate
        )
    )
    return [(c, e != 0, v, d) for c, e, v, _, d in _EVENT.iter_unpack(out[: 8 * n.value])]


class PressReceiver(Handle):
    """Tells each press once."""

    _room = "rtpflow"
    _close_name = "tst_dtmf_receiver_close"
    __slots__ = ()

    def __init__(self) -> None:
        api = room("rtpflow")
        out = c_uint64()
        check(api.tst_dtmf_receiver_open(byref(out)))
        self._own(api, out.value)

    def add(self, ts: int, payload: Any) -> tuple[str, int] | None:
        at, n, _kept = pin(payload)
        out: bytes = new_bytes(None, 8)
        ended = c_uint32()
        check(self._api.tst_dtmf_receiver_add(out, byref(ended), self._id, ts, at, n))
        if not ended.value:
            return None
        _, _, _, key, duration = _EVENT.unpack(out)
        return chr(key), duration


H264 = abi.TST_RTPVIDEO_H264
VP8 = abi.TST_RTPVIDEO_VP8
VP9 = abi.TST_RTPVIDEO_VP9
_PIECE = struct.Struct("<IIII")


def packetize(codec: int, unit: Any, mtu: int, key: bool) -> list[tuple[bytes, bool]]:
    """(payload, whether it is the last) of each packet."""
    at, n, _kept = pin(unit)
    per = max(mtu - 2, 1)
    most = n // per + 2
    cap = n + 2 * most
    out: bytes = new_bytes(None, cap)
    pieces: bytes = new_bytes(None, 16 * most)
    size, count = c_size_t(), c_size_t()
    check(
        room("rtpflow").tst_rtpvideo_packetize(
            out, cap, byref(size), pieces, most, byref(count), codec, at, n, max(mtu, 0), key
        )
    )
    last = count.value - 1
    found = _PIECE.iter_unpack(pieces[: 16 * count.value])
    return [(out[o : o + k], i == last) for i, (o, k, _, _) in enumerate(found)]


def is_key(codec: int, data: Any) -> bool:
    at, n, _kept = pin(data)
    return bool(room("rtpflow").tst_rtpvideo_is_key(codec, at, n))


class Depacketizer(Handle):
    """Puts NAL units or frames together."""

    _room = "rtpflow"
    _close_name = "tst_depacketizer_close"
    __slots__ = ("_buf", "_cap", "_count", "_pieces", "_refs", "_size")

    def __init__(self, codec: int) -> None:
        api = room("rtpflow")
        out = c_uint64()
        check(api.tst_depacketizer_open(byref(out), codec))
        self._own(api, out.value)
        self._size, self._count = c_size_t(), c_size_t()
        self._refs = byref(self._size), byref(self._count)
        self._resize(4096, 64)

    def _resize(self, size: int, count: int) -> None:
        self._buf = ctypes.create_string_buffer(size)
        self._pieces = ctypes.create_string_buffer(16 * count)
        self._cap = size, count

    def feed(self, payload: Any, marker: bool) -> list[tuple[bytes, bool]]:
        at, n, _kept = (payload, len(payload), None) if type(payload) is bytes else pin(payload)
        size, count = self._refs
        bcap, pcap = self._cap
        status = self._api.tst_depacketizer_feed(
            self._buf, bcap, size, self._pieces, pcap, count, self._id, at, n, 1 if marker else 0
        )
        if status:
            if status != TOO_SMALL:
                raise failure(status)
            self._resize(2 * self._size.value, 2 * max(self._count.value, 32))
            bcap, pcap = self._cap
            check(
                self._api.tst_depacketizer_again(self._buf, bcap, size, self._pieces, pcap, count, self._id)
            )
        if not self._count.value:
            return []
        data = ctypes.string_at(self._buf, self._size.value)
        found = _PIECE.iter_unpack(ctypes.string_at(self._pieces, 16 * self._count.value))
        return [(data[o : o + k], key != 0) for o, k, key, _ in found]

    def reset(self) -> None:
        check(self._api.tst_depacketizer_reset(self._id))


RTP_DATAGRAM = abi.TST_DATAGRAM_RTP
RTCP_DATAGRAM = abi.TST_DATAGRAM_RTCP
STUN_DATAGRAM = abi.TST_DATAGRAM_STUN


def datagram_kind(data: Any) -> int:
    at, n, _kept = pin(data)
    kind: int = room("rtpflow").tst_datagram_kind(at, n)
    return kind


def stun_answer(data: bytes, ip: str, port: int) -> bytes:
    text = ip.encode()
    out: bytes = new_bytes(None, 64)
    n = c_size_t()
    check(room("rtpflow").tst_stun_answer(out, 64, byref(n), data, len(data), text, len(text), port))
    return out[: n.value]
