"""A datagram protocol that tells RTP, RTCP and STUN apart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .._native import rtpflow_lib as _lib

__all__ = ["RtpTransport"]

logger = logging.getLogger(__name__)

Address = tuple[str, int]


class RtpTransport(asyncio.DatagramProtocol):
    """Hands media to `on_rtp(data, addr)`, control to `on_rtcp(data, addr)`; answers STUN binding requests.

    It is for use by hand, with `loop.create_datagram_endpoint`: sessions move their datagrams in the library.
    """

    def __init__(
        self, on_rtp: Callable[[bytes, Address], None], on_rtcp: Callable[[bytes, Address], None]
    ) -> None:
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        kind = _lib.datagram_kind(data)
        if kind == _lib.STUN_DATAGRAM:
            answer = _lib.stun_answer(bytes(data), addr[0], addr[1])
            if answer:
                self.send(answer, addr)
        elif kind == _lib.RTCP_DATAGRAM:
            self._on_rtcp(data, addr)
        else:
            self._on_rtp(data, addr)

    def error_received(self, exc: Exception) -> None:
        logger.debug("the socket reports: %s", exc)

    def send(self, data: bytes, addr: Address | None = None) -> None:
        """Send a datagram; nothing without an address, and where the transport is closed."""
        if self._transport is not None and addr is not None:
            self._transport.sendto(data, addr)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
