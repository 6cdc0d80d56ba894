"""Run under any interpreter that has a `tstrans`: what its demuxer makes of streams, a JSON line a file.

usage: python worker_events.py FILE... [--raw-av1 FILE...]
"""

import json
import sys

from tstrans import io
from tstrans.mpegts import Av1CarriageMode, DemuxerConfig, DemuxEvent

SAMPLES = (DemuxEvent.Video, DemuxEvent.Audio, DemuxEvent.Klv, DemuxEvent.Subtitle, DemuxEvent.UnknownSample)


def read(path, config):
    streams, samples, remarks, pcr = {}, {}, [], None
    for e in io.parse_file(path, config):
        if isinstance(e, DemuxEvent.ProgramMap):
            pcr = e.programs[0].pcr_pid
            for s in e.programs[0].streams:
                streams[s.pid] = {
                    "type": s.stream_type,
                    "kind": s.kind.name,
                    "codec": s.codec.name if s.codec else None,
                    "descriptors": [[d.tag, d.data.hex()] for d in s.raw_descriptors],
                }
        elif isinstance(e, SAMPLES):
            data = e.raw if hasattr(e, "raw") else e.payload
            dts = getattr(e, "dts", None)
            samples.setdefault(e.stream.pid, []).append([e.pts.raw, dts and dts.raw, data.hex()])
        else:
            remarks.append(f"{type(e).__name__} {e.kind.name}")
    return {"file": path, "pcr_pid": pcr, "streams": streams, "samples": samples, "remarks": remarks}


how = None
for name in sys.argv[1:]:
    if name == "--raw-av1":
        how = DemuxerConfig(av1_carriage=Av1CarriageMode.INTEROP_RAW_OBU)
    else:
        print(json.dumps(read(name, how)), flush=True)
