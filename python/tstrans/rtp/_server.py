"""RTSP: serving streams, and taking them from publishers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .._live import CancelHandle, Closing, Final, text
from .._live_events import Events
from .._live_push import Pushes
from .._native import rtp_lib as lib
from .._native.transport_lib import unsigned
from .._value import public_module
from ..exceptions import RtspError, RtspErrorKind
from ..mpegts import (
    AudioStreamHandle,
    DataStreamHandle,
    KlvStreamHandle,
    MuxerConfig,
    SubtitleStreamHandle,
    VideoStreamHandle,
)
from ._client import BasicAuth, DigestAuth
from ._media import DemuxReceiver
from ._stats import (
    ClockAlignment,
    MountStats,
    PublisherInfo,
    PublishMountStats,
    PublishShape,
    ServerStats,
)

if TYPE_CHECKING:
    from types import TracebackType

    from .._native.rtp_lib import Mount, Server
    from ..codec import MispTimestamp
    from ..mpegts import DemuxerConfig, MuxerProgramConfig, Pts90khz

__all__ = ["MountHandle", "PublishMount", "RtspServer", "RtspServerCancelHandle", "RtspServerConfig"]

_VIDEO, _AUDIO, _KLV, _SUBTITLE, _DATA = range(5)


@dataclass(frozen=True, match_args=False)
class RtspServerConfig:
    """Where a server listens and what it allows.

    Attributes:
        bind_addr: ``ip``, ``ip:port`` or ``[v6]:port``, also behind ``rtsp://`` or ``rtsps://``. Port 0 picks
            a free one.
        auth: credentials that clients must have, with a realm.
        max_sessions: connections at a time.
        session_timeout_secs: what clients are told; twice as long a silence ends a session.
        fanout_capacity: RTP packets that wait for a slow client before it loses the oldest.
        graceful_shutdown_drain_ms: how long leaving the server's ``with`` lets clients finish.
        tls_cert_pem, tls_key_pem: certificate and key in PEM, which turn TLS on.
        tls_cert, tls_key: the same in files.
        accept_unregistered_publishers: whether publishers may use paths that nobody added.
    """

    __match_args__ = (
        "bind_addr",
        "auth",
        "max_sessions",
        "session_timeout_secs",
        "fanout_capacity",
        "graceful_shutdown_drain_ms",
        "tls_cert_pem",
        "tls_key_pem",
    )

    bind_addr: str = "0.0.0.0:8554"
    auth: BasicAuth | DigestAuth | None = None
    max_sessions: int = 100
    session_timeout_secs: int = 60
    fanout_capacity: int = 256
    graceful_shutdown_drain_ms: int = 2000
    tls_cert_pem: bytes | None = None
    tls_key_pem: bytes | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    accept_unregistered_publishers: bool = False

    def __post_init__(self) -> None:
        for name in ("max_sessions", "session_timeout_secs", "fanout_capacity"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        if self.graceful_shutdown_drain_ms < 0:
            raise ValueError("graceful_shutdown_drain_ms must not be negative")
        if (self.tls_cert_pem is None) != (self.tls_key_pem is None):
            raise ValueError("tls_cert_pem and tls_key_pem go together")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        if type(self.accept_unregistered_publishers) is not bool:
            raise TypeError("accept_unregistered_publishers must be a bool")

    def _tls(self) -> tuple[bytes | None, bytes | None]:
        if self.tls_cert is None or self.tls_key is None:
            return self.tls_cert_pem, self.tls_key_pem
        try:
            with open(self.tls_cert, "rb") as cert, open(self.tls_key, "rb") as key:
                return cert.read(), key.read()
        except OSError as e:
            raise RtspError(kind=RtspErrorKind.TLS, message=str(e)) from e

    def _parameters(self) -> dict[str, int | bool | str | bytes | None]:
        auth = self.auth
        if auth is not None:
            if not isinstance(auth, (BasicAuth, DigestAuth)):
                raise TypeError(f"auth must be BasicAuth, DigestAuth or None, not {type(auth).__name__!r}")
            if auth.realm is None:
                raise ValueError("a server's credentials need a realm")
        cert, key = self._tls()
        return {
            "bind_addr": text(self.bind_addr),
            "auth": auth._scheme if auth else 0,
            "user": auth._user if auth else None,
            "password": auth._password if auth else None,
            "realm": auth.realm if auth else None,
            "max_sessions": min(unsigned("max_sessions", self.max_sessions, 64), 1 << 30),
            "session_timeout_ms": min(
                unsigned("session_timeout_secs", self.session_timeout_secs, 64) * 1000, (1 << 31) - 1
            ),
            "fanout_capacity": min(unsigned("fanout_capacity", self.fanout_capacity, 64), 1 << 20),
            "tls_cert": cert,
            "tls_key": key,
            "accept_unregistered": self.accept_unregistered_publishers,
        }


class RtspServerCancelHandle(CancelHandle):
    """Ends a server at once, without a word to its clients. A stop is no cancellation."""

    __slots__ = ()


class MountHandle(Pushes, Final):
    """A path of a server that is filled by pushes. Use it from any thread; pushes never wait for clients.

    Each push is muxed and sent at once to whoever plays the path; without anybody it succeeds too. What the
    muxer refuses raises ``RtspError`` of the kind MOUNT, which is a ``MuxError`` too, and then sends nothing.
    Every ``push_`` is there as ``send_``.
    """

    __slots__ = ("_mount", "_server")
    _mount: Mount
    _server: object

    @classmethod
    def _of(cls, mount: Mount, server: object) -> MountHandle:
        self = object.__new__(cls)
        self._mount = mount
        self._server = server
        return self

    def _push(self, call: str, *arguments: Any) -> None:
        getattr(self._mount, call)(*arguments)

    def _first(self, handles: str) -> Any:
        return next(iter(getattr(self, handles)()), None)

    def push_video_with_dts(
        self, nal: Any, *, pts: Pts90khz, dts: Pts90khz | None = None, key_frame: bool = False
    ) -> None:
        """Send a picture with its decode time on the only video stream."""
        self._mount.push_video_to_with_dts(self._only_video(), nal, pts, dts, key_frame)

    def push_video_to_with_dts(
        self,
        handle: VideoStreamHandle,
        nal: Any,
        *,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Send a picture with its decode time, which streams with B-frames need."""
        self._mount.push_video_to_with_dts(handle, nal, pts, dts, key_frame)

    def push_video_wire(
        self, wire: Any, *, pts: Pts90khz, dts: Pts90khz | None = None, key_frame: bool = False
    ) -> None:
        """Send the payload of a PES as it was on the wire, on the only video stream."""
        self._mount.push_video_wire_to(self._only_video(), wire, pts, dts, key_frame)

    def push_video_wire_to(
        self,
        handle: VideoStreamHandle,
        wire: Any,
        *,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Send the payload of a PES as it was on the wire; it is not looked at."""
        self._mount.push_video_wire_to(handle, wire, pts, dts, key_frame)

    def push_video_misp(
        self,
        nal: Any,
        *,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
        misp: MispTimestamp,
    ) -> None:
        """Send a picture with a MISP time stamp (MISB ST 0604) on the only video stream."""
        self._mount.push_video_misp_to(self._only_video(), nal, pts, dts, key_frame, misp=misp)

    def push_video_misp_to(
        self,
        handle: VideoStreamHandle,
        nal: Any,
        *,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
        misp: MispTimestamp,
    ) -> None:
        """Send a picture with a MISP time stamp (MISB ST 0604) before its first slice."""
        self._mount.push_video_misp_to(handle, nal, pts, dts, key_frame, misp=misp)

    def push_audio(self, frames: Any, *, pts: Pts90khz) -> None:
        """Send whole audio frames on the only audio stream."""
        self._mount.push_audio(frames, pts)

    def push_audio_to(self, handle: AudioStreamHandle, frames: Any, *, pts: Pts90khz) -> None:
        """Send whole audio frames on an audio stream."""
        self._mount.push_audio_to(handle, frames, pts)

    send_video_with_dts = push_video_with_dts
    send_video_to_with_dts = push_video_to_with_dts
    send_video_wire = push_video_wire
    send_video_wire_to = push_video_wire_to
    send_video_misp = push_video_misp
    send_video_misp_to = push_video_misp_to
    send_audio = push_audio
    send_audio_to = push_audio_to

    def _only_video(self) -> VideoStreamHandle:
        from ..exceptions import MountPushError

        handles = self.video_handles()
        if len(handles) != 1:
            raise MountPushError(f"{len(handles)} video streams: name one by its handle")
        return handles[0]

    def video_handles(self) -> list[VideoStreamHandle]:
        """All video streams, in the order they were added."""
        return [VideoStreamHandle._of(n) for n in self._mount.handles(_VIDEO)]

    def audio_handles(self) -> list[AudioStreamHandle]:
        """All audio streams, in the order they were added."""
        return [AudioStreamHandle._of(n) for n in self._mount.handles(_AUDIO)]

    def klv_handles(self) -> list[KlvStreamHandle]:
        """All KLV streams, in the order they were added."""
        return [KlvStreamHandle._of(n) for n in self._mount.handles(_KLV)]

    def subtitle_handles(self) -> list[SubtitleStreamHandle]:
        """All subtitle streams, in the order they were added."""
        return [SubtitleStreamHandle._of(n) for n in self._mount.handles(_SUBTITLE)]

    def data_handles(self) -> list[DataStreamHandle]:
        """All data streams, in the order they were added."""
        return [DataStreamHandle._of(n) for n in self._mount.handles(_DATA)]

    def flush(self) -> None:
        """Does nothing: each push is sent at once."""

    def stats(self) -> MountStats:
        """The counters; waits for nothing."""
        s = self._mount.stats()
        return MountStats._of((s.bytes_pushed, s.packets_pushed, s.peers, s.packets_dropped))

    def reset_stats(self) -> None:
        """Zero the counters."""
        self._mount.reset_stats()

    def mount_path(self) -> str:
        """The path."""
        return self._mount.path()

    def mount_kind(self) -> Literal["unicast", "multicast", "unknown"]:
        """How clients are reached."""
        kinds: tuple[Literal["unicast"], Literal["multicast"]] = ("unicast", "multicast")
        kind = self._mount.stats().kind
        return kinds[kind] if kind < 2 else "unknown"

    def peer_count(self) -> int:
        """How many clients play."""
        return int(self._mount.stats().peers)

    def __repr__(self) -> str:
        path, kind, peers = self.mount_path(), self.mount_kind(), self.peer_count()
        return f'MountHandle(path="{path}", kind="{kind}", peer_count={peers})'


class PublishMount(Final):
    """A path of a server that a client fills (ANNOUNCE, RECORD). Other clients can play it."""

    __slots__ = ("_mount", "_server")
    _mount: Mount
    _server: object

    @classmethod
    def _of(cls, mount: Mount, server: object) -> PublishMount:
        self = object.__new__(cls)
        self._mount = mount
        self._server = server
        return self

    def mount_path(self) -> str:
        """The path."""
        return self._mount.path()

    def peer_count(self) -> int:
        """How many clients play."""
        return int(self._mount.stats().peers)

    def generation(self) -> int:
        """How many publishers have left."""
        return int(self._mount.publish_stats().generation)

    def publisher(self) -> PublisherInfo | None:
        """Who publishes now; None while nobody does."""
        s = self._mount.publish_stats()
        peer = self._mount.publisher()
        if not s.active or not peer:
            return None
        return PublisherInfo._of(
            (peer, PublishShape(s.elementary), bool(s.klv), s.since_unix_ms, s.generation)
        )

    def stats(self) -> PublishMountStats:
        """The counters; waits for nothing."""
        s = self._mount.publish_stats()
        return PublishMountStats._of(
            (
                *(s.packets_received, s.bytes_received, s.packets_malformed, s.packets_rejected),
                *(s.frames_emitted, s.frames_dropped_app, s.frames_dropped_readers),
                *(s.aus_emitted, s.aus_dropped, s.packets_reordered),
                *(s.klv_units_emitted, s.klv_units_dropped, ClockAlignment(s.alignment)),
                *(s.alignment_steps, s.ssrc_changes, s.generation, s.peers),
            )
        )

    def into_demux_receiver(self, demux_config: DemuxerConfig | None = None) -> DemuxReceiver:
        """What publishers send, as events, once. It goes on when one publisher follows another.

        Raises:
            RtspError: it was taken before, or the mount was cancelled (``CLOSED``).
        """
        events = Events(demux_config)
        return DemuxReceiver._of(self._mount.take(), events, self._server)

    def cancel(self) -> None:
        """End the mount's stream and its publisher."""
        self._mount.cancel()

    def __repr__(self) -> str:
        path, generation, peers = self.mount_path(), self.generation(), self.peer_count()
        return f'PublishMount(path="{path}", generation={generation}, peer_count={peers})'


class RtspServer(Closing):
    """Serves paths to RTSP clients. Make it with ``RtspServer.start(config)``."""

    __slots__ = ("_addr", "_drain_ms")
    _addr: str
    _drain_ms: int
    _link: Server

    @staticmethod
    def start(config: RtspServerConfig) -> RtspServer:
        """Bind and serve.

        Raises:
            RtspError: an address that is not one (``PROTOCOL``) or cannot be bound (``IO``), a certificate or
                key that is not one, or none with ``rtsps://`` (``TLS``).
            ValueError: credentials without a realm.
        """
        if not isinstance(config, RtspServerConfig):
            raise TypeError(f"config must be an RtspServerConfig, not {type(config).__name__!r}")
        server = lib.Server(config._parameters())
        self = object.__new__(RtspServer)
        self._hold(server)
        self._addr = server.addr()
        self._drain_ms = config.graceful_shutdown_drain_ms
        return self

    def _check_open(self) -> None:
        if self._link.closed:
            raise RtspError(kind=RtspErrorKind.SERVER, message="the server has stopped")

    def add_unicast_mount(
        self, path: str, program_config: MuxerProgramConfig, *, elementary: bool = False
    ) -> MountHandle:
        """Add a path that each client is sent by itself.

        Args:
            path: begins with "/", without reserved characters.
            program_config: what is pushed.
            elementary: send each stream in its own RTP format (H.264, H.265, AAC, KLV), not MPEG-TS.

        Raises:
            RtspError: a path that is taken or not one (``MOUNT``), or a server that has stopped (``SERVER``).
            MuxError: a program that cannot be muxed.
        """
        self._check_open()
        config = MuxerConfig.builder().add_program(program_config).build()
        return MountHandle._of(self._link.add(text(path), config, {"elementary": elementary}), self._link)

    def add_multicast_mount(
        self,
        path: str,
        group: str,
        port: int,
        *,
        ttl: int = 1,
        iface: str | None = None,
        program_config: MuxerProgramConfig,
    ) -> MountHandle:
        """Add a path that is sent to a multicast group, whoever listens.

        Args:
            path: as for `add_unicast_mount`.
            group: the group's address.
            port: the group's port; reports go to the next.
            ttl: hops that packets may take, 1 to 255.
            iface: address of the interface to send from.
            program_config: what is pushed.

        Raises:
            RtspError: as for `add_unicast_mount`; also a group that is none, or ``ttl`` 0 (``MOUNT``).
        """
        self._check_open()
        config = MuxerConfig.builder().add_program(program_config).build()
        more: dict[str, int | bool | str | None] = {
            "group": group or "none",
            "port": unsigned("port", port, 16),
            "ttl": unsigned("ttl", ttl, 8),
            "iface": iface,
        }
        return MountHandle._of(self._link.add(text(path), config, more), self._link)

    def add_publish_mount(self, path: str) -> PublishMount:
        """Add a path that a client may fill. Raises as `add_unicast_mount`."""
        self._check_open()
        return PublishMount._of(self._link.add_publish(text(path)), self._link)

    def remove_mount(self, path: str) -> None:
        """Take a path away and end its clients.

        Raises:
            RtspError: no such path (``MOUNT``).
        """
        self._check_open()
        self._link.remove(text(path))

    def next_publisher(self, timeout: float | None = None) -> PublishMount | None:
        """The next mount that was made for a publisher on a path nobody added; None when none came in time.

        Args:
            timeout: seconds to wait, for ever unless given.

        Raises:
            RtspError: the server stopped, before or meanwhile (``SERVER``).
        """
        if timeout is not None and timeout < 0:
            raise ValueError("timeout must not be negative")
        self._check_open()
        mount = self._link.next_publisher(None if timeout is None else int(timeout * 1000))
        return None if mount is None else PublishMount._of(mount, self._link)

    def local_addr(self) -> str | None:
        """The bound "ip:port", also after `stop`."""
        return self._addr

    def stats(self) -> ServerStats:
        """The counters; waits for nothing."""
        self._check_open()
        s = self._link.stats()
        return ServerStats._of(
            (
                *(s.active_sessions, s.mounts, s.rtp_packets_sent, s.rtp_bytes_sent),
                *(s.active_publishers, s.rtp_packets_received, s.rtp_bytes_received),
            )
        )

    def stop(self, *, drain_ms: int = 1000) -> None:
        """Tell the clients, let what waits go out, and end everything; repeating it does nothing.

        Args:
            drain_ms: the most to wait for clients that do not leave by themselves.
        """
        drain = unsigned("drain_ms", drain_ms)
        if not self._link.closed:
            self._link.stop(drain)

    def cancel_handle(self) -> RtspServerCancelHandle:
        """A handle that ends the server at once from another thread."""
        return RtspServerCancelHandle._of(self._flag)

    def close(self) -> None:
        """Stop and free everything; repeating it does nothing."""
        if not self._link.closed:
            self.stop(drain_ms=self._drain_ms)
            self._link.close()

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> Literal[False]:
        self.stop(drain_ms=self._drain_ms)
        return False

    def __repr__(self) -> str:
        mounts = "" if self._link.closed else f", mounts={self._link.stats().mounts}"
        return f'RtspServer(local_addr="{self._addr}"{mounts})'


RtspServerConfig.__module__ = public_module(RtspServerConfig.__module__)
