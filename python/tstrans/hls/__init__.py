"""HTTP Live Streaming: segments, a playlist, and the server that gives them out.

>>> import tempfile, urllib.request
>>> folder = tempfile.mkdtemp()
>>> publisher = HlsPublisher.builder().bind("127.0.0.1:0").output_dir(folder).mode(HlsMode.EVENT).build()
>>> publisher.push_ts(b"\\x47\\x1f\\xff\\x10" + bytes(184))
>>> publisher.cut_segment_with_duration(4_000_000)
>>> with urllib.request.urlopen(f"http://{publisher.local_addr()}/playlist.m3u8") as answer:
...     print(answer.read().decode(), end="")
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#EXTINF:4.000,
segment_00000.ts
>>> publisher.finish()

:class:`HlsPublisher` takes transport packets, :class:`MuxPublisher` access units. Without further options a
publisher behaves as RFC 8216 wants it of a plain one; low latency, fragmented MP4, dates, markers, memory
instead of files, compression and CORS are options of :class:`HlsPublisherBuilder`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..exceptions import HlsError as HlsError
    from ..exceptions import HlsErrorKind as HlsErrorKind
    from . import api as api
    from . import input as input
    from . import page as page
    from . import stream as stream
    from . import sync as sync
    from ._builder import HlsPublisherBuilder as HlsPublisherBuilder
    from ._mux import MuxPublisher as MuxPublisher
    from ._publisher import HlsPublisher as HlsPublisher
    from ._publisher import HlsServerHandle as HlsServerHandle
    from ._publisher import Publisher as Publisher
    from ._values import HlsMode as HlsMode
    from ._values import HlsStats as HlsStats
    from ._values import MuxPublisherStats as MuxPublisherStats
    from ._values import PublisherStats as PublisherStats

# Which module defines what.
_HOMES = {
    "..exceptions": ("HlsError", "HlsErrorKind"),
    "._builder": ("HlsPublisherBuilder",),
    "._mux": ("MuxPublisher",),
    "._publisher": ("HlsPublisher", "HlsServerHandle", "Publisher"),
    "._values": ("HlsMode", "HlsStats", "MuxPublisherStats", "PublisherStats"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "HlsError",
    "HlsErrorKind",
    "HlsMode",
    "HlsPublisher",
    "HlsPublisherBuilder",
    "HlsServerHandle",
    "HlsStats",
    "MuxPublisher",
    "MuxPublisherStats",
    "Publisher",
    "PublisherStats",
]


# Modules of a stream of frames and of its page; they load when they are asked for.
_MODULES = ("api", "input", "page", "stream", "sync")


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *_MODULES})
