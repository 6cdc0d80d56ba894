"""Glue of tstrans/mux.h: configurations as parameters, pushes, pulls and sinks."""

from __future__ import annotations

import ctypes
from array import array
from ctypes import addressof, byref, c_char, c_size_t, c_uint32, c_uint64, sizeof
from typing import TYPE_CHECKING, Any

from . import mux_abi as abi
from ._lib import Config, Handle, check, failure, pin, room

if TYPE_CHECKING:
    from ..mpegts._mux_config import MuxerConfig

__all__ = [
    "DTS",
    "KEY_FRAME",
    "MISP_MICRO",
    "MISP_NANO",
    "ONLY",
    "WIRE",
    "ArgumentError",
    "Pusher",
    "check_config",
    "codec_number",
    "counters",
    "failure",
    "finish_sink",
    "mux_parameters",
    "open_muxer",
    "open_sink",
    "pin",
    "pull_into",
    "push_klv_many",
    "stream_counters",
    "streams",
]

ONLY = abi.TST_MUX_ONLY
KEY_FRAME = abi.TST_PUSH_KEY_FRAME
DTS = abi.TST_PUSH_DTS
WIRE = abi.TST_PUSH_WIRE
MISP_MICRO = abi.TST_PUSH_MISP_MICRO
MISP_NANO = abi.TST_PUSH_MISP_NANO

_CODECS = {
    "h264": 1,
    "h265": 2,
    "h266": 3,
    "av1": 4,
    "mp2": 16,
    "aac": 17,
    "aac_latm": 18,
    "ac3": 19,
    "dvb_subtitling": 32,
    "dvb_teletext": 33,
    "cea708_standalone": 34,
    "webvtt_in_ts": 35,
}
_CARRIAGE = {"mpeg2_ts_binding": 0, "interop_raw_obu": 1}
_MOST_PACKETS = 1 << 48


def mux_parameters(config: MuxerConfig) -> dict[str, int | float | bool | str | bytes | None]:
    """A configuration as the library takes it: the keys that tstrans/mux.h lists."""
    out: dict[str, int | float | bool | str | bytes | None] = {
        "mux.pcr_interval_ms": config.pcr_interval_ms,
        "mux.psi_interval_ms": config.psi_interval_ms,
        "mux.buffer_packets": min(config.buffer_packets, _MOST_PACKETS),
        "mux.av1_carriage": _CARRIAGE[config.av1_carriage.value],
        "mux.programs": len(config.programs),
    }
    for i, p in enumerate(config.programs):
        at = f"mux.{i}."
        out[at + "number"] = p.program_number
        out[at + "pmt_pid"] = p.pmt_pid
        out[at + "pcr_pid"] = p.pcr_pid
        out[at + "descriptors"] = _packed(p.program_descriptors)
        out[at + "streams"] = len(p.streams)
        for k, (spec, descriptors, detail) in enumerate(
            zip(p.streams, p.stream_descriptors, p._details, strict=True)
        ):
            to = f"{at}{k}."
            out[to + "pid"] = spec.pid
            out[to + "descriptors"] = _packed(descriptors)
            for key, value in detail.items():
                out[to + key] = value
    return out


def codec_number(codec: Any) -> int:
    """The TST_CODEC_ number of a codec enumeration's member."""
    return _CODECS[codec.value]


def _packed(descriptors: tuple[bytes, ...]) -> bytes | None:
    return b"".join([len(d).to_bytes(2, "big") + d for d in descriptors]) or None


def check_config(config: MuxerConfig) -> None:
    """Raise MuxError(CONFIG_INVALID) for a configuration that breaks a rule."""
    with Config(mux_parameters(config)) as c:
        check(room("mux").tst_mux_config_check(c))


class Pusher(Handle):
    """A handle that takes pushes: a muxer, or a sink of one."""

    _room = "mux"
    _close_name = "tst_muxer_close"
    __slots__ = ()


def open_muxer(handle: Pusher, config: MuxerConfig) -> None:
    """Make `handle` own a new muxer."""
    api = room("mux")
    out = c_uint64()
    with Config(mux_parameters(config)) as c:
        check(api.tst_muxer_open(byref(out), c))
    handle._own(api, out.value)


def open_sink(sink: Pusher, muxer: Pusher, fd: int) -> None:
    """Make `sink` own a sink of a muxer over an open descriptor."""
    out = c_uint64()
    check(muxer._api.tst_muxer_sink_open(byref(out), muxer._id, fd))
    sink._own(muxer._api, out.value)


def finish_sink(sink: Pusher, filename: str | None = None) -> None:
    """Write everything and end the sink, also where writing fails."""
    if sink._id:
        status = sink._api.tst_muxer_sink_close(sink._id)
        error = failure(status, filename) if status else None
        sink.close()
        if error is not None:
            raise error


def push_klv_many(sink: Pusher, handle: int, records: list[bytes], times: array[int]) -> int:
    """Push records with their times on the only KLV stream; the status."""
    lens = array("I", map(len, records))
    data = b"".join(records)
    status: int = sink._api.tst_muxer_push_klv_many(
        byref(c_size_t()),
        handle,
        ONLY,
        data,
        len(data),
        lens.buffer_info()[0],
        times.buffer_info()[0],
        len(records),
        0,
    )
    return status


def pull_into(handle: Pusher, out: bytearray) -> int:
    """Move whole packets into `out`; the number of bytes."""
    if not out:
        return 0
    n = c_size_t()
    place = c_char.from_buffer(out)
    status = handle._api.tst_muxer_pull(byref(n), handle._id, addressof(place), len(out))
    if status:
        raise failure(status)
    return n.value


def counters(handle: Pusher) -> abi.tst_muxer_stats:
    """The counters of a muxer."""
    out = abi.tst_muxer_stats(struct_size=sizeof(abi.tst_muxer_stats))
    status = handle._api.tst_muxer_get_stats(byref(out), handle._id)
    if status:
        raise failure(status)
    return out


def stream_counters(handle: Pusher, pid: int) -> tuple[int, int, int] | None:
    """(class, units, random access) of a PID, or None."""
    out = abi.tst_mux_stream_stats(struct_size=sizeof(abi.tst_mux_stream_stats))
    status = handle._api.tst_muxer_stream_stats(byref(out), handle._id, pid)
    if status == -6:
        return None
    if status:
        raise failure(status)
    return out.stream_class, out.units_total, out.random_access_total


def streams(handle: Pusher, stream_class: int, program_number: int = 0) -> list[int]:
    """The stream numbers of a class."""
    n = c_size_t()
    out = (c_uint32 * 256)()
    status = handle._api.tst_muxer_streams(
        byref(out), 256, byref(n), handle._id, stream_class, program_number
    )
    if status:
        raise failure(status)
    return list(out[: n.value])


ArgumentError = ctypes.ArgumentError
