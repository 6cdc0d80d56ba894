"""Builder, socket and listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._live import text
from .._native import srt_lib as lib
from .._native.transport_abi import TST_LINK_LOCAL, TST_LINK_PEER, TST_LINK_STREAM_ID
from .._native.transport_lib import unsigned
from ..exceptions import SrtError, SrtErrorKind
from ._base import Cancelling, Live, limit

if TYPE_CHECKING:
    from ..mpegts import DemuxerConfig, MuxerProgramConfig
    from ._demux import DemuxReceiver
    from ._mux import MuxSender
    from ._plain import Receiver, Sender

__all__ = ["Builder", "Listener", "Socket"]

_MODES = ("caller", "listener", "rendezvous")


class Builder:
    """Collects the options of an SRT socket. A value in the URL wins; a builder may be used again.

    The URL is looked at by `connect` and `listen`; passphrase, congestion and stream id are checked at once.

    Args:
        url: ``srt://host:port?key=value…``, every libsrt option that makes sense there.
        latency_ms: receive delay of both sides, ms.
        passphrase: 10 to 79 printable ASCII characters.
        stream_id: at most 512 ASCII characters.
        congestion: ``"live"`` or ``"file"``.
        connect_timeout_ms: how long the handshake may take.
        recv_timeout_ms: after which a receive raises ``WOULD_BLOCK``; never unless set.
        send_timeout_ms: the same for sends.
    """

    __slots__ = ("_mode", "_options", "_url")

    def __init__(
        self,
        url: str,
        *,
        latency_ms: int | None = None,
        passphrase: str | None = None,
        stream_id: str | None = None,
        congestion: str | None = None,
        connect_timeout_ms: int | None = None,
        recv_timeout_ms: int | None = None,
        send_timeout_ms: int | None = None,
    ) -> None:
        self._url = text(url)
        self._mode: str | None = None
        self._options: dict[str, str] = {}
        given = {
            "latency_ms": latency_ms,
            "passphrase": passphrase,
            "stream_id": stream_id,
            "congestion": congestion,
            "connect_timeout_ms": connect_timeout_ms,
            "recv_timeout_ms": recv_timeout_ms,
            "send_timeout_ms": send_timeout_ms,
        }
        for name, value in given.items():
            if value is not None:
                getattr(self, name)(value)

    def _number(self, key: str, name: str, value: int, bits: int = 32) -> Builder:
        self._options[key] = str(unsigned(name, value, bits))
        return self

    def _checked(self, key: str, value: str) -> Builder:
        lib.check_option(key, text(value))
        self._options[key] = value
        return self

    def caller(self) -> Builder:
        """Make a caller, as the URL must say too."""
        self._mode = "caller"
        return self

    def listener(self) -> Builder:
        """Make a listener, as the URL must say too."""
        self._mode = "listener"
        return self

    def rendezvous(self) -> Builder:
        """Make a rendezvous, as the URL must say too (``mode=rendezvous&localport=…``)."""
        self._mode = "rendezvous"
        return self

    def latency_ms(self, ms: int) -> Builder:
        """The receive delay of both sides, ms."""
        return self._number("latency", "latency_ms", ms)

    def peer_latency_ms(self, ms: int) -> Builder:
        """The least receive delay of the other side, ms."""
        return self._number("peerlatency", "peer_latency_ms", ms)

    def recv_latency_ms(self, ms: int) -> Builder:
        """The receive delay of this side, ms."""
        return self._number("rcvlatency", "recv_latency_ms", ms)

    def passphrase(self, p: str) -> Builder:
        """Encrypt with this passphrase: 10 to 79 printable ASCII characters."""
        return self._checked("passphrase", p)

    def stream_id(self, s: str) -> Builder:
        """What the listener is told: at most 512 ASCII characters."""
        return self._checked("streamid", s)

    def congestion(self, name: str) -> Builder:
        """``"live"`` or ``"file"``; both sides need the same."""
        return self._checked("congestion", name)

    def connect_timeout_ms(self, ms: int) -> Builder:
        """How long the handshake may take, ms; 3000 unless set."""
        return self._number("conntimeo", "connect_timeout_ms", ms)

    def recv_timeout_ms(self, ms: int) -> Builder:
        """After which a receive raises ``WOULD_BLOCK``, ms."""
        return self._number("x-recvtimeout", "recv_timeout_ms", ms)

    def send_timeout_ms(self, ms: int) -> Builder:
        """After which a send raises ``WOULD_BLOCK``, ms."""
        return self._number("x-sendtimeout", "send_timeout_ms", ms)

    def max_bandwidth_bps(self, bps: int) -> Builder:
        """The most bandwidth, in bytes a second as libsrt counts it."""
        return self._number("maxbw", "max_bandwidth_bps", bps, 64)

    def mss(self, value: int) -> Builder:
        """The longest IP packet in bytes."""
        return self._number("mss", "mss", value, 16)

    def payload_size(self, value: int) -> Builder:
        """The longest message in bytes, at most 1456; 1316 unless set."""
        return self._number("payloadsize", "payload_size", value, 16)

    def _finish(self, wanted: tuple[str, ...]) -> tuple[dict[str, Any], Any]:
        values: dict[str, Any] = {"url": self._url}
        values.update({f"option.{k}": v for k, v in self._options.items()})
        config = lib.check_config(values)
        mode = _MODES[config.mode]
        if mode not in wanted or self._mode not in (None, mode):
            raise SrtError(
                kind=SrtErrorKind.CONFIG_INVALID,
                message=f"the URL says mode={mode}, the builder {self._mode or 'nothing'}: "
                f"this makes a {' or '.join(wanted)}",
            )
        return values, config

    def connect(self) -> Socket:
        """Connect.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the options, ``CONNECT_FAILED`` when nobody
                answers or the peer refuses.
        """
        values, config = self._finish(("caller", "rendezvous"))
        return Socket._of(lib.dial(values), limit(config.recv_ms), limit(config.send_ms))

    def listen(self) -> Listener:
        """Bind and listen.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the options, ``CONNECT_FAILED`` when the
                address cannot be bound.
        """
        values, config = self._finish(("listener",))
        return Listener._of(lib.listen(values), limit(config.recv_ms), limit(config.send_ms))

    def __repr__(self) -> str:
        secret = "<redacted>" if "passphrase" in self._options else "None"
        return f'Builder(url="{self._url}", mode={self._mode or "url"}, passphrase={secret})'


Builder.__module__ = "tstrans.srt"


class Socket(Live):
    """A connection that has not decided yet what it is used for. The ``into_`` methods consume it."""

    __slots__ = ()
    _domain = lib.DOMAIN

    @classmethod
    def _of(cls, link: Any, recv_ms: int | None, send_ms: int | None) -> Socket:
        self = object.__new__(cls)
        self._start(link, recv_ms, send_ms)
        return self

    def _give(self) -> Any:
        self._check_not_closed()
        link = self._link
        self._link = _GONE
        self._flag.link = _GONE
        self._flag.set = True
        return link

    def into_sender(self) -> Sender:
        """A sender of transport-stream bytes."""
        from ._plain import Sender

        return Sender._of(self._give(), self._recv_ms, self._send_ms)

    def into_receiver(self) -> Receiver:
        """A receiver of transport-stream packets."""
        from ._plain import Receiver

        return Receiver._of(self._give(), self._recv_ms, self._send_ms)

    def into_mux_sender(self, program_config: MuxerProgramConfig) -> MuxSender:
        """A sender of access units."""
        from .._live_push import muxer_of
        from ._mux import MuxSender

        self._check_not_closed()
        muxer = muxer_of(program_config)
        return MuxSender._of(self._give(), muxer, self._send_ms)

    def into_demux_receiver(self, *, demux_config: DemuxerConfig | None = None) -> DemuxReceiver:
        """A receiver of events."""
        from .._live_events import Events
        from ._demux import DemuxReceiver

        self._check_not_closed()
        events = Events(demux_config)
        return DemuxReceiver._of(self._give(), events, self._recv_ms)

    def local_addr(self) -> tuple[str, int]:
        """(ip, port) of this side."""
        self._check_not_closed()
        return self._link.address(TST_LINK_LOCAL)

    def peer_addr(self) -> tuple[str, int]:
        """(ip, port) of the other side."""
        self._check_not_closed()
        return self._link.address(TST_LINK_PEER)

    def stream_id(self) -> str | None:
        """What the caller sent as stream id, None for none."""
        return None if self._link.closed else self._link.text(TST_LINK_STREAM_ID) or None


class _Gone:
    """What a socket holds after it was consumed."""

    __slots__ = ()
    closed = True
    alive = False

    def close(self) -> None:
        """Nothing is left to close."""

    def cancel(self) -> None:
        """Nothing is left to cancel."""


_GONE: Any = _Gone()


class Listener(Cancelling):
    """Accepts callers; iterating it does so for ever. Callers with a wrong passphrase never show."""

    __slots__ = ()

    @classmethod
    def _of(cls, link: Any, recv_ms: int | None, send_ms: int | None) -> Listener:
        self = object.__new__(cls)
        self._start(link, recv_ms, send_ms)
        return self

    def accept(self, timeout_ms: int | None = None) -> Socket:
        """Wait for a caller; None waits for ever, 0 does not wait.

        Raises:
            SrtError: ``TIMEOUT``, after which the listener stays usable; ``CLOSED`` when another thread
                closes or cancels; ``ACCEPT_FAILED`` for a further call after a cancel.
        """
        self._check_not_closed()
        if self._flag.set:
            raise SrtError(kind=SrtErrorKind.ACCEPT_FAILED, message="the listener was cancelled")
        ms = None if timeout_ms is None else unsigned("timeout_ms", timeout_ms, 64)
        return Socket._of(lib.adopt(self._link.accept(ms)), self._recv_ms, self._send_ms)

    def __iter__(self) -> Listener:
        return self

    def __next__(self) -> Socket:
        if self._link.closed:
            raise StopIteration
        waiting = not self._flag.set
        try:
            return self.accept()
        except SrtError:
            if waiting and self._flag.set:  # another thread ended the wait
                raise StopIteration from None
            raise

    def local_addr(self) -> tuple[str, int]:
        """(ip, port) it is bound to."""
        self._check_not_closed()
        return self._link.address(TST_LINK_LOCAL)
