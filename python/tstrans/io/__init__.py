"""Whole files: events, a summary, the KLV in them, and rewriting one file into another."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._klv import extract_klv as extract_klv
    from ._klv import iter_uas_datalink as iter_uas_datalink
    from ._probe import ProbeResult as ProbeResult
    from ._probe import probe as probe
    from ._read import parse_file as parse_file
    from ._transmux import Transmuxer as Transmuxer
    from ._transmux import transmux as transmux

# Which module defines what.
_HOME_OF = {
    "ProbeResult": "._probe",
    "Transmuxer": "._transmux",
    "extract_klv": "._klv",
    "iter_uas_datalink": "._klv",
    "parse_file": "._read",
    "probe": "._probe",
    "transmux": "._transmux",
}

__all__ = [
    "ProbeResult",
    "Transmuxer",
    "extract_klv",
    "iter_uas_datalink",
    "parse_file",
    "probe",
    "transmux",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
