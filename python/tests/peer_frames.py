"""Run under an interpreter that has another `tstrans`: its frames of some files, as JSON.

usage: python peer_frames.py OUT FILE ...
"""

import json
import sys

from tstrans import io
from tstrans.pandas import events_to_dataframe, klv_to_dataframe


def shown(frame):
    out = {
        str(c): [str(frame[c].dtype), [None if v is None or v != v else repr(v) for v in frame[c].tolist()]]
        for c in frame
    }
    out["(index)"] = [f"{frame.index.dtype} {frame.index.name}", [str(v) for v in frame.index]]
    return out


def main():
    result = {}
    for path in sys.argv[2:]:
        records = [r for _, _, r in io.iter_uas_datalink(path)]
        result[path] = {
            "klv": shown(klv_to_dataframe(records)),
            "events": shown(events_to_dataframe(io.parse_file(path))),
        }
    with open(sys.argv[1], "w") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
