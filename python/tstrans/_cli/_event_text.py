"""One event as a row of a table and as a JSON object."""

from __future__ import annotations

from typing import Any

from ..mpegts._events import DemuxEvent
from ._common import seconds, size
from ._scan import set_name

__all__ = ["HEADER", "RIGHT", "event_json", "event_name", "event_row"]

_F_HAS_PTS = 2

HEADER = ("#", "event", "PID", "pts", "dts", "bytes", "")
RIGHT = ("#", "pts", "dts", "bytes")

_NAMES = {
    DemuxEvent.ProgramMap: "program_map",
    DemuxEvent.Video: "video",
    DemuxEvent.Audio: "audio",
    DemuxEvent.Subtitle: "subtitle",
    DemuxEvent.Klv: "klv",
    DemuxEvent.UnknownSample: "unknown_sample",
    DemuxEvent.Discontinuity: "discontinuity",
    DemuxEvent.NonConformant: "non_conformant",
    DemuxEvent.ReconnectDiscontinuity: "reconnect_discontinuity",
}


def event_name(event: DemuxEvent) -> str:
    """ "video", "klv" and so on."""
    return _NAMES[type(event)]


def event_row(number: int, event: DemuxEvent) -> tuple[str, ...]:
    """Cells under :data:`HEADER`."""
    e: Any = event
    stream = getattr(e, "stream", None)
    pts = _pts(e)
    dts = getattr(e, "dts", None)
    length = getattr(e, "byte_len", None)
    return (
        str(number),
        event_name(event),
        f"{stream.pid:#06x}" if stream else "",
        seconds(pts, False),
        seconds(dts.raw, False) if dts else "",
        size(length) if length is not None else "",
        _details(e),
    )


def _pts(e: Any) -> int | None:
    """The PTS in ticks; None where the PES carried none (the attribute says 0 then)."""
    at, batch, _ = e._state
    has = batch.half[4 * at + 17] & _F_HAS_PTS
    return e.pts.raw if has and hasattr(e, "pts") else None


def _details(e: Any) -> str:
    match e:
        case DemuxEvent.ProgramMap(programs=programs):
            return "; ".join(
                f"program {p.program_number}: "
                + ", ".join(s.codec.name if s.codec else s.kind.name for s in p.streams)
                for p in programs
            )
        case DemuxEvent.Video(codec=codec, random_access_indicator=key):
            return codec.name + (" random access" if key else "")
        case DemuxEvent.Audio(codec=codec) | DemuxEvent.Subtitle(codec=codec):
            return str(codec.name)
        case DemuxEvent.Klv(payload=payload, cell_count=cells):
            return set_name(payload[:16]) + (f" in {cells} cells" if cells > 1 else "")
        case DemuxEvent.UnknownSample(stream_type=stream_type):
            return f"stream type {stream_type:#04x}"
        case DemuxEvent.Discontinuity(kind=kind):
            return str(kind.value)
        case DemuxEvent.NonConformant(kind=kind, issue=issue):
            return f"{kind.value}: {issue}"
    return ""


def event_json(number: int, event: DemuxEvent, digest: bool = False) -> dict[str, Any]:
    """The object of schema tstrans.event/1, without the schema's name.

    Times are 90 kHz ticks; ``pts_90k`` is null where the PES carried none.
    """
    e: Any = event
    out: dict[str, Any] = {"index": number, "event": event_name(event)}
    stream = getattr(e, "stream", None)
    if stream is not None:
        out["pid"] = stream.pid
        out["program_number"] = stream.program_number
        out["stream_kind"] = stream.kind.value
    if hasattr(e, "pts"):
        out["pts_90k"] = _pts(e)
    if (dts := getattr(e, "dts", None)) is not None:
        out["dts_90k"] = dts.raw
    if (codec := getattr(e, "codec", None)) is not None:
        out["codec"] = codec.value
    match e:
        case DemuxEvent.ProgramMap(programs=programs):
            out["programs"] = [
                {
                    "program_number": p.program_number,
                    "pmt_pid": p.pmt_pid,
                    "pcr_pid": p.pcr_pid,
                    "streams": [
                        {
                            "pid": s.pid,
                            "stream_type": s.stream_type,
                            "kind": s.kind.value,
                            "codec": s.codec.value if s.codec else None,
                        }
                        for s in p.streams
                    ],
                }
                for p in programs
            ]
        case DemuxEvent.Video(random_access_indicator=key):
            out["random_access"] = key
        case DemuxEvent.Klv(kind=kind, payload=payload, was_reassembled=joined, cell_count=cells):
            out["carriage"] = kind.value
            out["label"] = payload[:16].hex()
            out["was_reassembled"] = joined
            out["cell_count"] = cells
        case DemuxEvent.UnknownSample(stream_type=stream_type):
            out["stream_type"] = stream_type
        case DemuxEvent.Discontinuity(kind=kind):
            out["kind"] = kind.value
        case DemuxEvent.NonConformant(kind=kind, issue=issue):
            out["kind"] = kind.value
            out["issue"] = issue
    if (length := getattr(e, "byte_len", None)) is not None:
        out["bytes"] = length
        if digest:
            from hashlib import sha256

            out["sha256"] = sha256(e.payload).hexdigest()
    return out
