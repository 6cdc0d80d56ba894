"""H.264 pictures out of RTP packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from .._live import Final, text
from .._native import rtp_lib as lib
from .._native.transport_lib import unsigned
from .._value import public_module
from ..exceptions import RtpError, RtpErrorKind
from ._plain import CancelHandle, Ending
from ._stats import H264DepayStats, ParameterSetInjection, RtpStats, SocketStats

if TYPE_CHECKING:
    from .._native.rtp_lib import Pictures

__all__ = ["H264AccessUnit", "H264DepayConfig", "H264Receiver"]

_MOST_AU = 8 << 20


def _parameter_set(b: object) -> bytes:
    if isinstance(b, (bytes, bytearray, memoryview)):
        return bytes(b)
    raise TypeError(f"initial_parameter_sets must hold bytes, not {type(b).__name__!r}")


class H264DepayConfig:
    """How pictures are put together.

    Args:
        payload_type: for reference; the URL's ``pt`` decides. 96 unless given.
        parameter_set_injection: where known SPS and PPS are put in; ``BEFORE_IDR`` unless given.
        initial_parameter_sets: NAL units that are known before the stream brings some.
        max_au_bytes: the most of one picture, in bytes; 8 MiB unless given.

    Raises:
        ValueError: ``max_au_bytes`` is 0.
    """

    __slots__ = ("_initial", "_injection", "_max", "_pt")

    def __init__(
        self,
        *,
        payload_type: int | None = None,
        parameter_set_injection: ParameterSetInjection | None = None,
        initial_parameter_sets: list[bytes] | None = None,
        max_au_bytes: int | None = None,
    ) -> None:
        self._pt = 96 if payload_type is None else unsigned("payload_type", payload_type, 8)
        if parameter_set_injection is None:
            parameter_set_injection = ParameterSetInjection.BEFORE_IDR
        elif not isinstance(parameter_set_injection, ParameterSetInjection):
            raise TypeError("parameter_set_injection must be a ParameterSetInjection")
        self._injection = parameter_set_injection
        self._initial = [_parameter_set(b) for b in initial_parameter_sets or ()]
        self._max = _MOST_AU if max_au_bytes is None else unsigned("max_au_bytes", max_au_bytes, 64)
        if self._max == 0:
            raise ValueError("max_au_bytes must be positive")

    @property
    def payload_type(self) -> int:
        """The payload type."""
        return self._pt

    @property
    def parameter_set_injection(self) -> ParameterSetInjection:
        """Where known parameter sets are put in."""
        return self._injection

    @property
    def initial_parameter_sets(self) -> list[bytes]:
        """Parameter sets known before the stream."""
        return list(self._initial)

    @property
    def max_au_bytes(self) -> int:
        """The most of one picture, in bytes."""
        return self._max

    def _parameters(self) -> dict[str, int | bytes]:
        return {
            "injection": int(self._injection),
            "max_au_bytes": min(self._max, (1 << 31) - 1),
            "parameter_sets": b"".join(len(b).to_bytes(2, "big") + b for b in self._initial),
        }

    def __repr__(self) -> str:
        return (
            f"H264DepayConfig(payload_type={self._pt}, parameter_set_injection={self._injection!r}, "
            f"initial_parameter_sets={len(self._initial)}, max_au_bytes={self._max})"
        )


class H264AccessUnit(Final):
    """One picture: an Annex B byte stream with four-byte start codes."""

    __slots__ = ("annexb", "key_frame", "pts", "rtp_timestamp")
    annexb: bytes  #: the byte stream
    pts: int  #: 1/90000 s from the first picture
    key_frame: bool  #: with an IDR slice
    rtp_timestamp: int  #: as it came

    @classmethod
    def _of(cls, annexb: bytes, pts: int, key_frame: bool, rtp_timestamp: int) -> H264AccessUnit:
        self = object.__new__(cls)
        self.annexb = annexb
        self.pts = pts
        self.key_frame = key_frame
        self.rtp_timestamp = rtp_timestamp
        return self

    def __repr__(self) -> str:
        return (
            f"H264AccessUnit({len(self.annexb)} bytes, pts={self.pts}, key_frame={self.key_frame}, "
            f"rtp_timestamp={self.rtp_timestamp})"
        )


class H264Receiver(Ending):
    """Receives H.264 pictures (RFC 6184), by RTP or out of an RTSP session; iterate over it."""

    __slots__ = ("_keep", "_recv_ms")
    _link: Pictures
    _keep: object
    _recv_ms: int | None

    @staticmethod
    def listen(url: str, config: H264DepayConfig | None = None) -> H264Receiver:
        """Bind a receiver.

        Args:
            url: as for `Receiver`, with ``pt=``, the payload type.
            config: how pictures are put together.

        Raises:
            RtpError: no ``pt`` (``MISSING_PAYLOAD_TYPE_PARAM``), a URL that is not one (``URL``), an address
                that is not an IP literal (``HOST_NOT_LITERAL``), one that cannot be bound (``IO``).
        """
        values: dict[str, int | str | bytes] = {"url": text(url)}
        if config is None:
            config = H264DepayConfig()
        elif not isinstance(config, H264DepayConfig):
            raise TypeError(f"config must be an H264DepayConfig, not {type(config).__name__!r}")
        values.update(config._parameters())
        return H264Receiver._of(lib.Pictures.listen(values), None)

    @classmethod
    def _of(cls, pictures: Pictures, keep: object) -> H264Receiver:
        self = object.__new__(cls)
        self._hold(pictures)
        self._keep = keep
        self._end = (None, None)
        ms = pictures.rtp_stats().recv_timeout_ms
        self._recv_ms = None if ms < 0 else ms
        return self

    def _check_open(self) -> None:
        if self._link.closed:
            raise RtpError(kind=RtpErrorKind.CLOSED, message="the receiver is closed")

    def recv_au(self, timeout_ms: int | None = None) -> H264AccessUnit | None:
        """The next picture; None once the stream has ended or was cancelled.

        Args:
            timeout_ms: how long to wait; None for what the URL's ``recv_timeout`` says, or for ever.

        Raises:
            RtpError: nothing came in time (``BACKPRESSURE``), or the receiver is closed (``CLOSED``).
        """
        ms = self._recv_ms if timeout_ms is None else unsigned("timeout_ms", timeout_ms)
        self._check_open()
        got = self._link.read(ms)
        return None if got is None else H264AccessUnit._of(*got)

    def __iter__(self) -> Iterator[H264AccessUnit]:
        return self

    def __next__(self) -> H264AccessUnit:
        got = self.recv_au()
        if got is None:
            raise StopIteration
        return got

    def depay_stats(self) -> H264DepayStats:
        """What became of packets and pictures."""
        self._check_open()
        s = self._link.stats()
        return H264DepayStats._of(getattr(s, name) for name in H264DepayStats.__slots__)

    def rtp_stats(self) -> RtpStats:
        """Datagrams that were not taken."""
        self._check_open()
        s = self._link.rtp_stats()
        return RtpStats._of((s.packets_malformed, s.packets_rejected))

    def socket_stats(self) -> SocketStats:
        """The counters of the packets."""
        self._check_open()
        s = self._link.rtp_stats()
        return SocketStats._make(
            received=(s.bytes_received, s.packets_received), lost=s.packets_lost, dropped=s.messages_dropped
        )

    def local_addr(self) -> str | None:
        """The bound "ip:port"; None for a stream inside an RTSP connection."""
        self._check_open()
        return self._link.local_addr()

    def _reason(self) -> tuple[int, str | None]:
        return self._link.rtp_stats().end_reason, self._link.end_detail()

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)

    def close(self) -> None:
        """End a parked call and free everything; repeating it does nothing."""
        if not self._link.closed:
            super().close()
            self._keep = None

    def __enter__(self) -> H264Receiver:
        return self

    def __exit__(self, _exc_type: object, _exc_value: object, _traceback: object) -> Literal[False]:
        self.close()
        return False


H264DepayConfig.__module__ = public_module(H264DepayConfig.__module__)
