"""Print the events of transport streams as JSON lines, through whichever `tstrans` this interpreter imports.

usage: python event_dump.py [--seed N] [--strict MODE] [--unwrap] FILE...

The same lines come from `go run ./core/internal/tsdump`. The differential test runs this script under another
interpreter that has the published wheel, as a black box, and compares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from typing import Any

from tstrans import mpegts
from tstrans.exceptions import DemuxError

SIZES = (1, 100, 187, 188, 189, 1316, 4000, 65536)
KLV = getattr(mpegts.DemuxEvent, "Metadata", None) or mpegts.DemuxEvent.Klv


def stream(event: Any) -> dict[str, Any]:
    s = event.stream
    return {
        "pid": s.pid,
        "kind": s.kind.value,
        "codec": s.codec.value if s.codec else "none",
        "prog": s.program_number,
    }


def payload(data: bytes) -> dict[str, Any]:
    return {"len": len(data), "sha": hashlib.sha1(data).hexdigest()[:8]}


def line(event: Any) -> dict[str, Any]:
    """One event as the flat dictionary that is compared."""
    e = mpegts.DemuxEvent
    if isinstance(event, e.ProgramMap):
        (p,) = event.programs
        out: list[Any] = [p.program_number, p.pcr_pid, p.pmt_pid]
        for s in p.streams:
            descriptors = [f"{d.tag}:{d.data.hex()}" for d in s.raw_descriptors]
            out.append(
                [s.pid, s.stream_type, s.kind.value, s.codec.value if s.codec else "none", descriptors]
            )
        out += [[k.klv_pid, k.video_pid, k.source.value] for k in p.klv_links]
        return {"t": "ProgramMap", "map": out}
    v = stream(event)
    if isinstance(event, e.Discontinuity):
        return {"t": "Discontinuity", "detail": event.kind.value, **v}
    if isinstance(event, e.NonConformant):
        v.update(t="NonConformant", detail=event.kind.value)
        if event.multi_cell_au_reason is not None:
            v["reason"] = int(event.multi_cell_au_reason)
        if event.observed_cfi is not None:
            v["cfi"] = int(event.observed_cfi)
        return v
    v["pts"] = event.pts.raw
    dts = getattr(event, "dts", None)
    if dts is not None:
        v["dts"] = dts.raw
    if isinstance(event, e.Video):
        v.update(t="Video", rai=event.random_access_indicator, **payload(event.raw))
    elif isinstance(event, e.Audio):
        v.update(t="Audio", **payload(event.raw))
    elif isinstance(event, e.Subtitle):
        v.update(t="Subtitle", **payload(event.payload))
    elif isinstance(event, KLV):
        v.update(
            t="Klv",
            detail=event.kind.value,
            re=event.was_reassembled,
            cells=event.cell_count,
            **payload(event.payload),
        )
    elif isinstance(event, e.UnknownSample):
        v.update(t="UnknownSample", st=event.stream_type, **payload(event.payload))
    else:
        raise TypeError(type(event).__name__)
    return v


def dump(data: bytes, config: Any, seed: int) -> list[dict[str, Any]]:
    """The events of one stream, fed in pieces of at most the ingress ceiling."""
    rnd = random.Random(seed)
    demuxer = mpegts.Demuxer(config)
    out: list[dict[str, Any]] = []
    at = 0
    while at < len(data):
        n = rnd.choice(SIZES) if seed else 1 << 20
        piece = data[at : at + n]
        while True:
            try:
                demuxer.feed(piece)
            except DemuxError as error:
                out.append({"t": "error", "kind": error.kind.name})
                if error.kind.name in ("STRICT_REJECTION", "MALFORMED_PES", "BAD_PES"):
                    piece = b""  # go on behind the packet
                    continue
            break
        at += n
        out += [line(event) for event in demuxer]
    demuxer.flush()
    out.append({"t": "flush"})
    out += [line(event) for event in demuxer]
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strict", default="OFF")
    parser.add_argument("--unwrap", action="store_true")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    options: dict[str, Any] = {"strict_mode": mpegts.StrictMode[args.strict]}
    if args.unwrap:
        options["unwrap_timestamps"] = True
    for path in args.files:
        with open(path, "rb") as file:
            data = file.read()
        print(json.dumps({"t": "file", "file": path}))
        for event in dump(data, mpegts.DemuxerConfig(**options), args.seed):
            print(json.dumps(event, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
