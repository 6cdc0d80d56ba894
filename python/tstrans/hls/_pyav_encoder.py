"""The encoder process of :class:`tstrans.hls.stream.HLSEncoder` where PyAV does the work.

Pictures on standard input become segments, by the settings in the argument (JSON).
"""

from __future__ import annotations

import json
import math
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["main", "timecode"]

#: Options of the HLS muxer that do not begin with hls_.
_MUXER = {"start_number", "flags", "fflags", "master_pl_name", "strftime"}
#: Digits and colon, three by five squares, row by row.
_GLYPHS = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# ### ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# .#. .#. .#.",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ":": "... .#. ... .#. ...",
}


def timecode(picture: NDArray[np.uint8], n: int, fps: float) -> None:
    """Write HH:MM:SS:FF of picture n into it: white on black, a tenth of its height, centred, at 80 %."""
    import numpy as np

    rate = max(1, round(fps))
    seconds, frame = divmod(n, rate)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}"
    height, width = picture.shape[:2]
    scale = max(1, height // 10 // 7)  # five squares and a margin of one around them
    box = np.zeros((7, 4 * len(text) + 1), np.uint8)
    for i, c in enumerate(text):
        glyph = np.array([[x == "#" for x in row] for row in _GLYPHS[c].split()], np.uint8)
        box[1:6, 4 * i + 1 : 4 * i + 4] = glyph * 255
    box = np.kron(box, np.ones((scale, scale), np.uint8))
    top, left = int(height * 0.8), max(0, (width - box.shape[1]) // 2)
    place = picture[top : top + box.shape[0], left : left + box.shape[1]]
    place[:] = box[: place.shape[0], : place.shape[1], None]


def _bits(value: object) -> int:
    text = str(value)
    unit = {"k": 1000, "K": 1000, "M": 1_000_000}.get(text[-1:], 1)
    return int(float(text.rstrip("kKM")) * unit)


def main(settings: dict[str, Any]) -> None:
    """Encode until the input ends."""
    import av
    import numpy as np

    height, width = settings["shape"]
    fps, wall = settings["fps"], settings["wall"]
    enc = {k: str(v) for k, v in settings["enc"].items()}
    name, rate, pixels = enc.pop("vcodec"), enc.pop("video_bitrate", "6M"), enc.pop("pix_fmt")
    kind, group = enc.pop("format"), int(float(enc.pop("g")))
    muxer = {k: v for k, v in enc.items() if k.startswith("hls_") or k in _MUXER}
    codec = {k: v for k, v in enc.items() if k not in muxer}
    codec.setdefault("sc_threshold", "0")
    with av.open(settings["out"], "w", format=kind, options=muxer) as out:
        stream = out.add_stream(name, rate=Fraction(fps).limit_denominator(1001), options=codec)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.bit_rate = _bits(rate)
        stream.codec_context.gop_size = group
        base = Fraction(1, 90000) if wall else 1 / Fraction(fps).limit_denominator(1001)
        stream.codec_context.time_base = base
        begun, last, n = time.time(), -1, 0
        while data := sys.stdin.buffer.read(height * width * 3):
            if len(data) < height * width * 3:
                break  # its writer ended inside a picture
            picture = np.frombuffer(bytearray(data), np.uint8).reshape(height, width, 3)
            timecode(picture, n, fps)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            last = max(last + 1, math.floor((time.time() - begun) / base)) if wall else n
            frame.pts, frame.time_base = last, base
            out.mux(stream.encode(frame))
            n += 1
        out.mux(stream.encode(None))


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except Exception as e:
        sys.exit(f"{type(e).__name__}: {e}")
