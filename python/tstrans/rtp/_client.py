"""RTSP: playing streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .._live import CancelHandle, Closing, Final, text
from .._live_events import Events
from .._native import rtp_lib as lib
from .._value import public_module
from ..exceptions import RtspError, RtspErrorKind
from ._h264 import H264Receiver
from ._media import DemuxReceiver
from ._stats import ClockAlignment, DigestAlgorithm, RtspStats, RtspVersion, StreamEndReason, TransportPref

if TYPE_CHECKING:
    from types import TracebackType

    from .._native.rtp_lib import Session
    from ..mpegts import DemuxerConfig

__all__ = ["BasicAuth", "DigestAuth", "RtspCancelHandle", "RtspClient", "RtspClientConfig", "RtspSession"]


class BasicAuth:
    """A user's name and password.

    A client answers any scheme with them; a server asks for Basic authentication in the name of ``realm``.
    """

    __slots__ = ("_password", "_realm", "_user")

    def __init__(self, user: str, password: str, realm: str | None = None) -> None:
        self._user = text(user)
        self._password = text(password)
        self._realm = None if realm is None else text(realm)

    @property
    def user(self) -> str:
        """The user's name."""
        return self._user

    @property
    def realm(self) -> str | None:
        """What a server asks in the name of."""
        return self._realm

    @property
    def _scheme(self) -> int:
        return 1

    def __repr__(self) -> str:
        return f"BasicAuth(user={self._user!r}, password=<redacted>, realm={self._realm!r})"


class DigestAuth:
    """A user's name and password.

    A client answers any scheme with them; a server asks for Digest authentication in the name of ``realm``.
    """

    __slots__ = ("_algorithm", "_password", "_realm", "_user")

    def __init__(
        self,
        user: str,
        password: str,
        algorithm: DigestAlgorithm = DigestAlgorithm.MD5,
        realm: str | None = None,
    ) -> None:
        self._user = text(user)
        self._password = text(password)
        if not isinstance(algorithm, DigestAlgorithm):
            raise TypeError(f"algorithm must be a DigestAlgorithm, not {type(algorithm).__name__!r}")
        self._algorithm = algorithm
        self._realm = None if realm is None else text(realm)

    @property
    def user(self) -> str:
        """The user's name."""
        return self._user

    @property
    def algorithm(self) -> DigestAlgorithm:
        """The hash that a server asks for."""
        return self._algorithm

    @property
    def realm(self) -> str | None:
        """What a server asks in the name of."""
        return self._realm

    @property
    def _scheme(self) -> int:
        return 2 + int(self._algorithm)

    def __repr__(self) -> str:
        return (
            f"DigestAuth(user={self._user!r}, password=<redacted>, algorithm={self._algorithm!r}, "
            f"realm={self._realm!r})"
        )


class RtspClientConfig:
    """What to play and how. The URL is checked when it is connected to.

    Args:
        url: ``rtsp://[user:password@]host[:554]/path?transport=udp|tcp&recv_timeout=&udp_timeout=&reorder=``,
            or ``rtsps://``. Other keys of the query are the server's. ``udp_timeout`` is how long ``AUTO``
            waits for a first packet by UDP before it tries TCP, in ms: 5000 unless given, 0 for ever.
        auth: credentials; those of the URL unless given.
        transport_pref: how the media comes.
        rtcp: whether receiver reports are sent.
        tls_root_certs_pem: trust anchors of ``rtsps``; the system's unless given.
        keepalive: whether the session is kept alive by requests.
        rtsp_version: the version asked for.

    Raises:
        ValueError: an empty URL, or credentials of another class.
    """

    __slots__ = ("_auth", "_keepalive", "_pref", "_roots", "_rtcp", "_url", "_version")

    def __init__(
        self,
        url: str,
        *,
        auth: BasicAuth | DigestAuth | None = None,
        transport_pref: TransportPref = TransportPref.AUTO,
        rtcp: bool = True,
        tls_root_certs_pem: bytes | None = None,
        keepalive: bool = True,
        rtsp_version: RtspVersion = RtspVersion.V1_0,
    ) -> None:
        self._url = text(url)
        if not url:
            raise ValueError("url is empty")
        if auth is not None and not isinstance(auth, (BasicAuth, DigestAuth)):
            raise ValueError(f"auth must be BasicAuth, DigestAuth or None, not {type(auth).__name__!r}")
        self._auth = auth
        if not isinstance(transport_pref, TransportPref):
            raise TypeError(f"transport_pref must be a TransportPref, not {type(transport_pref).__name__!r}")
        self._pref = transport_pref
        if type(rtcp) is not bool or type(keepalive) is not bool:
            raise TypeError("rtcp and keepalive must be bool")
        self._rtcp = rtcp
        self._keepalive = keepalive
        if hasattr(tls_root_certs_pem, "__index__"):
            raise TypeError("tls_root_certs_pem must be bytes, not a number of zeros")
        self._roots = None if tls_root_certs_pem is None else bytes(tls_root_certs_pem)
        if not isinstance(rtsp_version, RtspVersion):
            raise TypeError(f"rtsp_version must be an RtspVersion, not {type(rtsp_version).__name__!r}")
        self._version = rtsp_version

    @property
    def url(self) -> str:
        """The URL as it was given."""
        return self._url

    @property
    def auth(self) -> BasicAuth | DigestAuth | None:
        """The credentials."""
        return self._auth

    @property
    def transport_pref(self) -> TransportPref:
        """How the media comes."""
        return self._pref

    @property
    def rtcp(self) -> bool:
        """Whether receiver reports are sent."""
        return self._rtcp

    @property
    def tls_root_certs_pem(self) -> bytes | None:
        """The trust anchors of ``rtsps``."""
        return self._roots

    @property
    def keepalive(self) -> bool:
        """Whether the session is kept alive by requests."""
        return self._keepalive

    @property
    def rtsp_version(self) -> RtspVersion:
        """The version asked for."""
        return self._version

    def _parameters(self, mode: int) -> dict[str, int | bool | str | bytes | None]:
        auth = self._auth
        return {
            "url": self._url,
            "user": auth._user if auth else None,
            "password": auth._password if auth else None,
            "transport": int(self._pref),
            "mode": mode,
            "rtcp": self._rtcp,
            "keepalive": self._keepalive,
            "root_certs": self._roots,
        }

    def __repr__(self) -> str:
        scheme, sep, rest = self._url.partition("://")
        authority, slash, path = rest.partition("/")
        if "@" in authority:
            authority = "***@" + authority.rpartition("@")[2]
        return (
            f"RtspClientConfig(url={scheme + sep + authority + slash + path!r}, auth={self._auth!r}, "
            f"transport_pref={self._pref!r}, rtcp={self._rtcp}, keepalive={self._keepalive}, "
            f"rtsp_version={self._version!r})"
        )


class RtspCancelHandle(CancelHandle):
    """Ends control calls and the stream of a session; leaving its ``with`` still says goodbye."""

    __slots__ = ()

    def is_canceled(self) -> bool:
        """The same as `is_cancelled`, by its name in 0.2.0."""
        return self._flag.set


class RtspSession(Closing):
    """A stream being played.

    Leaving its ``with``, or dropping it and what was made from it, ends the session.
    """

    __slots__ = ("_torn",)
    _link: Session
    _torn: bool

    @classmethod
    def _of(cls, session: Session) -> RtspSession:
        self = object.__new__(cls)
        self._hold(session)
        self._torn = False
        return self

    def _control(self, call: int) -> None:
        if self._torn or self._link.closed:
            raise RtspError(kind=RtspErrorKind.PROTOCOL, message="the session was torn down")
        self._link.control(call)

    def play(self) -> None:
        """Go on after a pause."""
        self._control(self._link.PLAY)

    def pause(self) -> None:
        """Stop the flow of packets and keep the session."""
        self._control(self._link.PAUSE)

    def teardown(self) -> None:
        """End the session, here and on the server; repeating it does nothing. The stream ends too."""
        if not self._torn and not self._link.closed:
            self._torn = True
            self._link.control(self._link.TEARDOWN)

    def is_torn_down(self) -> bool:
        """Whether the session was torn down."""
        return self._torn

    def into_demux_receiver(self, demux_config: DemuxerConfig | None = None) -> DemuxReceiver:
        """The stream as events, once. The session stays usable.

        Elementary media arrive as the same events: H.264 and H.265 as `DemuxEvent.Video`, AAC (with ADTS
        headers, or in LATM) and MPEG audio as `DemuxEvent.Audio`, KLV as `DemuxEvent.Klv`. Sound that MPEG-TS
        has no codec for comes as `DemuxEvent.UnknownSample`: Opus with stream_type 0x06 and the registration
        "Opus", each packet behind the control header of Opus in MPEG-TS (0x7FE0 and its length); G.711 with
        0x90 (A-law) or 0x91 (mu-law). Other media, and sound that the server refuses to set up, are left out;
        G.711 alone is no stream (``NOT_FOUND`` from `connect`).

        Raises:
            RtspError: the stream was taken before, or the session is one of `connect_h264` (``PROTOCOL``).
        """
        self._check_open()
        events = Events(demux_config)
        return DemuxReceiver._of(self._link.take(), events, self)

    def into_h264_receiver(self) -> H264Receiver:
        """The stream of a session opened by `connect_h264`, once.

        Raises:
            RtspError: the stream was taken before (``CLOSED``), or the session is one of `connect`
                (``PROTOCOL``).
        """
        self._check_open()
        return H264Receiver._of(self._link.take_pictures(), self)

    def _check_open(self) -> None:
        if self._link.closed:
            raise RtspError(kind=RtspErrorKind.CLOSED, message="the session is closed")

    def stats(self) -> RtspStats:
        """The RTCP figures."""
        self._check_open()
        s = self._link.stats()
        return RtspStats._of(
            (s.rr_received, s.sr_received, s.rr_sent, s.sr_sent, s.jitter_us, s.fraction_lost_q8)
        )

    def end_reason(self) -> StreamEndReason | None:
        """Why the stream ended, None while it has not."""
        self._check_open()
        number = self._link.stats().end_reason
        return StreamEndReason(number) if number else None

    def clock_alignment(self) -> ClockAlignment:
        """How the clocks of elementary media are related."""
        self._check_open()
        return ClockAlignment(self._link.stats().alignment)

    def sender_clock(self, media: int = 0) -> tuple[int, int, int] | None:
        """The server's mapping of RTP time to wall-clock time, of its last sender report.

        Returns:
            (64-bit NTP time, RTP time stamp of that instant, RTP ticks a second); None without a report.
        """
        self._check_open()
        ntp, ts, rate = self._link.clock(media)
        return (ntp, ts, rate) if rate else None

    def cancel_handle(self) -> RtspCancelHandle:
        """A handle that ends control calls and the stream from another thread."""
        return RtspCancelHandle._of(self._flag)

    def close(self) -> None:
        """Tear the session down and free it; repeating it does nothing."""
        if not self._link.closed:
            try:
                self.teardown()
            finally:
                super().close()

    def __enter__(self) -> RtspSession:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        self.close()
        return False

    def __repr__(self) -> str:
        return f"RtspSession(torn_down={self._torn})"


def _session(config: object, mode: int) -> RtspSession:
    if not isinstance(config, RtspClientConfig):
        raise TypeError(f"config must be an RtspClientConfig, not {type(config).__name__!r}")
    return RtspSession._of(lib.Session(config._parameters(mode)))


class RtspClient(Final):
    """Connects to RTSP servers."""

    __slots__ = ()

    @staticmethod
    def connect(config: RtspClientConfig) -> RtspSession:
        """Connect and play: the MPEG-TS of a stream or, where it has none, its elementary media.

        Raises:
            RtspError: the URL or an answer is not understood (``PROTOCOL``), nobody answers there (``IO``) or
                within 10 s (``TIMEOUT``), credentials that are wrong or missing (``AUTH_FAILED``), no such
                stream or none with media that is understood (``NOT_FOUND``), ``UNSUPPORTED_TRANSPORT``,
                ``TLS``.
        """
        return _session(config, 0)

    @staticmethod
    def connect_h264(config: RtspClientConfig) -> RtspSession:
        """Connect and play the first H.264 media of a stream as pictures. Raises as `connect`."""
        return _session(config, 1)


for _class in (BasicAuth, DigestAuth, RtspClientConfig):
    _class.__module__ = public_module(_class.__module__)
