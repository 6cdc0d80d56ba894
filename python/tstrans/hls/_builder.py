"""The options of a publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._live import text
from .._native import hls_lib as lib
from .._native.hls_abi import TST_HLS_CLOCK_SENSOR, TST_HLS_CLOCK_WALL, TST_HLS_FMP4, TST_HLS_TS
from .._native.transport_lib import unsigned
from ._values import HlsMode, Sealed

if TYPE_CHECKING:
    from ._publisher import HlsPublisher

__all__ = ["HlsPublisherBuilder"]

_MOST_MS = 1 << 41
_MOST_SEGMENTS = 1 << 31
_CONTAINERS = {"ts": TST_HLS_TS, "fmp4": TST_HLS_FMP4}
_CLOCKS = {"wall": TST_HLS_CLOCK_WALL, "sensor": TST_HLS_CLOCK_SENSOR}


def _choice(name: str, value: object, known: dict[str, int]) -> int:
    try:
        return known[text(value)]
    except KeyError:
        raise ValueError(f"{name} {value!r} is none of {', '.join(known)}") from None


def _flag(value: object) -> int:
    if not isinstance(value, bool):
        raise TypeError(f"a bool is required, not {type(value).__name__!r}")
    return int(value)


def _socket_address(addr: str) -> str:
    import ipaddress

    host, colon, port = text(addr).rpartition(":")
    try:
        if host[:1] == "[" and host[-1:] == "]":
            ipaddress.IPv6Address(host[1:-1])
        else:
            ipaddress.IPv4Address(host)
        if not (colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
            raise ValueError
    except ValueError:
        raise ValueError(f"invalid bind address {addr!r}: it is not ip:port") from None
    return addr


class HlsPublisherBuilder(Sealed):
    """Collects the options of a publisher; every setter returns the builder. ``build()`` uses it up."""

    __slots__ = ("_used", "_values")
    _values: dict[str, int | float | bool | str | bytes | None]
    _used: bool

    def __init__(self) -> None:
        self._values = {}
        self._used = False

    def _set(self, key: str, value: int | str | None) -> HlsPublisherBuilder:
        if self._used:
            # A setter begins a new collection.
            self._values, self._used = {}, False
        self._values[key] = value
        return self

    def bind(self, addr: str) -> HlsPublisherBuilder:
        """``ip:port`` of the server, the ip a literal; port 0 picks a free one; 127.0.0.1:8080 unless set.

        Raises:
            ValueError: it is anything else.
        """
        return self._set("bind", _socket_address(addr))

    def output_dir(self, path: str) -> HlsPublisherBuilder:
        """The folder of segments and playlist, made where it is missing; ``tstrans-hls`` in the system's
        temporary folder unless set. Segments of an earlier run are removed. One publisher a folder."""
        return self._set("output_dir", text(path))

    def segment_duration_ms(self, ms: int) -> HlsPublisherBuilder:
        """What a segment aims at in ms; 4000 unless set."""
        return self._set("segment_duration_ms", min(unsigned("ms", ms, 64), _MOST_MS))

    def max_segment_duration_ms(self, ms: int) -> HlsPublisherBuilder:
        """The age in ms at which a segment is cut without a key frame; 0 or unset: twice the segment
        duration."""
        return self._set("max_segment_duration_ms", min(unsigned("ms", ms, 64), _MOST_MS))

    def playlist_window(self, n: int) -> HlsPublisherBuilder:
        """The fewest segments of a live playlist; 6 unless set."""
        return self._set("playlist_window", min(unsigned("n", n, 64), _MOST_SEGMENTS))

    def mode(self, mode: HlsMode) -> HlsPublisherBuilder:
        """How the playlist grows; ``HlsMode.LIVE`` unless set."""
        if not isinstance(mode, HlsMode):
            raise TypeError(f"argument 'mode': {type(mode).__name__!r} object is no HlsMode")
        return self._set("mode", int(mode))

    def basic_auth(self, user: str, password: str) -> HlsPublisherBuilder:
        """Ask for a name and a password (RFC 7617) for everything the server has."""
        self._set("auth_user", text(user))
        return self._set("auth_pass", text(password))

    def enable_tls(self, cert: str, key: str) -> HlsPublisherBuilder:
        """Serve HTTPS with the certificate chain and the key of two PEM files."""
        self._set("cert", text(cert))
        return self._set("key", text(key))

    def from_url(self, url: str) -> HlsPublisherBuilder:
        """Begin anew with ``hls://ip:port`` or ``hlss://ip:port`` (TLS) and the keys output_dir,
        segment_duration (whole seconds), playlist_window, mode (live, event, vod), auth_user, auth_pass,
        cert, key; other keys are ignored. Setters after it win.

        Raises:
            HlsError: it is no such URL (``URL``).
        """
        lib.check_url(text(url))
        self._values, self._used = {"url": url}, False
        return self

    # What follows goes beyond a plain publisher.

    def memory(self, on: bool = True) -> HlsPublisherBuilder:
        """Keep segments in memory, at most 2 GiB, and write no file."""
        return self._set("memory", _flag(on))

    def serve(self, on: bool = True) -> HlsPublisherBuilder:
        """Whether there is a server; without one only files are written."""
        return self._set("server", _flag(on))

    def container(self, name: str) -> HlsPublisherBuilder:
        """``"ts"`` or ``"fmp4"``: fragmented MP4 after CMAF, with KLV in event message boxes (MISB ST 1910).
        Transport packets that are pushed are taken apart then: H.264, HEVC, AV1, AAC and KLV."""
        return self._set("container", _choice("container", name, _CONTAINERS))

    def low_latency(self, part_duration_ms: int = 200) -> HlsPublisherBuilder:
        """Partial segments of at most so many ms (50 to the segment duration), blocking reload, preload
        hints and delta updates (RFC 8216bis); 0 turns it off."""
        return self._set(
            "part_duration_ms", min(unsigned("part_duration_ms", part_duration_ms, 64), _MOST_MS)
        )

    def cut_on_key_frames(self, on: bool = True) -> HlsPublisherBuilder:
        """Cut at key frames of the media so that every segment fits the target duration, also for
        transport packets pushed as they come, whose tables are then repeated at the head of each segment.
        ``low_latency`` and ``container("fmp4")`` imply it."""
        return self._set("key_frame_cuts", _flag(on))

    def program_date_time(self, source: str) -> HlsPublisherBuilder:
        """Date segments: ``"wall"`` by the system's clock, ``"sensor"`` by the time stamps in KLV (MISB
        ST 0601, ST 0605) and in the video (ST 0604)."""
        return self._set("clock", _choice("source", source, _CLOCKS))

    def end_live(self, on: bool = True) -> HlsPublisherBuilder:
        """End a live playlist with EXT-X-ENDLIST when it is finished."""
        return self._set("end_live", _flag(on))

    def flush_klv(self, on: bool = True) -> HlsPublisherBuilder:
        """End each segment with an empty KLV PES packet, without which hls.js holds back the last unit.
        ``low_latency`` implies it."""
        return self._set("flush_klv", _flag(on))

    def cors(self, origin: str = "*") -> HlsPublisherBuilder:
        """Let pages of this origin, ``"*"`` for any, read what is served."""
        return self._set("cors", text(origin))

    def gzip(self, on: bool = True) -> HlsPublisherBuilder:
        """Compress playlists for clients that take it."""
        return self._set("gzip", _flag(on))

    def byte_ranges(self, on: bool = True) -> HlsPublisherBuilder:
        """Answer HEAD and serve byte ranges (206)."""
        return self._set("ranges", _flag(on))

    def cache_control(self, on: bool = True) -> HlsPublisherBuilder:
        """Tell caches how long playlists and segments keep."""
        return self._set("cache_control", _flag(on))

    def max_clients(self, n: int) -> HlsPublisherBuilder:
        """The most open connections, 4096 unless set; further ones are closed and counted."""
        return self._set("max_clients", min(unsigned("n", n, 64), (1 << 31) - 1))

    def build(self) -> HlsPublisher:
        """Make the folder, bind the server and serve.

        Raises:
            HlsError: options that do not go together (``INVALID_CONFIG``), the address cannot be bound
                (``BIND_FAILED``), the folder or a TLS file cannot be used (``IO``, ``TLS``).
            RuntimeError: the builder was used up.
        """
        from ._publisher import HlsPublisher

        if self._used:
            raise RuntimeError("HlsPublisherBuilder already consumed")
        values: Any = self._values
        self._values, self._used = {}, True
        return HlsPublisher._of(lib.open_publisher(values))

    def __repr__(self) -> str:
        return "HlsPublisherBuilder(...)"
