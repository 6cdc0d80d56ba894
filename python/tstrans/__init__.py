"""MPEG transport streams, MISB KLV and live transports.

Submodules load on first use, so ``import tstrans`` alone costs next to nothing:

>>> import tstrans
>>> tstrans.mpegts.Pts90khz.from_ms(40).raw
3600
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio as aio
    from . import codec as codec
    from . import exceptions as exceptions
    from . import geo as geo
    from . import io as io
    from . import klv as klv
    from . import mp4 as mp4
    from . import mpegts as mpegts
    from . import pandas as pandas
    from . import pipeline as pipeline
    from . import rist as rist
    from . import rtp as rtp
    from . import srt as srt
    from . import tcp as tcp
    from . import telemetry as telemetry
    from . import timeline as timeline
    from . import udp as udp
    from . import webrtc as webrtc
    from .exceptions import TstError as TstError

__version__ = "0.2.0"

if "logging" in sys.modules:
    # Who logs gets the NullHandler here, others where something of ours logs: see _log.
    from . import _log as _log

#: Every submodule a user may reach as an attribute. Those whose file a build leaves out do not appear.
_SUBMODULES = (
    "aio",
    "codec",
    "exceptions",
    "geo",
    "io",
    "klv",
    "mp4",
    "mpegts",
    "pandas",
    "pipeline",
    "hls",
    "rist",
    "rtp",
    "srt",
    "tcp",
    "telemetry",
    "timeline",
    "udp",
    "webrtc",
)


def _present() -> list[str]:
    import os.path

    here = os.path.dirname(__file__)
    return [n for n in _SUBMODULES if os.path.exists(f"{here}/{n}.py") or os.path.isdir(f"{here}/{n}")]


def __getattr__(name: str) -> object:
    if name in _SUBMODULES:
        import importlib

        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as e:
            if e.name != f"{__name__}.{name}":
                raise
    elif name == "TstError":
        from .exceptions import TstError

        globals()[name] = TstError
        return TstError
    elif name == "__all__":
        # pandas stays out: `from tstrans import *` must not need an extra.
        return ["__version__", "TstError", *(n for n in _present() if n != "pandas")]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "TstError", "__all__", *_present()})
