"""Sender and receiver of transport-stream bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._native import srt_lib as lib
from ..exceptions import TstError
from ._base import PacketByPacket, Plain, limit, parameters

if TYPE_CHECKING:
    from .._native.transport_lib import Link

__all__ = ["Receiver", "Sender"]


class Sender(Plain):
    """Sends a transport stream, given in pieces of any length, in messages of seven packets.

    What does not fill a message waits for more, for `flush`, or for `close`.
    """

    __slots__ = ()

    def __init__(self, url: str, *, pkt_size: int = 1316, ssrc: int | None = None) -> None:
        raise TypeError("Sender is made by Sender.from_url() or Socket.into_sender()")

    @classmethod
    def _of(cls, link: Link, recv_ms: int | None, send_ms: int | None) -> Sender:
        self = object.__new__(cls)
        self._start(link, recv_ms, send_ms)
        return self

    @staticmethod
    def from_url(url: str) -> Sender:
        """Connect as a caller.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the URL, ``CONNECT_FAILED`` when nobody
                answers or the peer refuses.
        """
        values = parameters(url)
        config = lib.check_config(values)
        return Sender._of(lib.dial(values), limit(config.recv_ms), limit(config.send_ms))

    def send_bytes(self, data: Any) -> None:
        """Take a piece of a transport stream over and send the messages it completes.

        Raises:
            SrtError: ``BROKEN`` once when the link is lost, then ``CLOSED``; ``WOULD_BLOCK`` after
                ``x-sendtimeout``; ``INPUT_MALFORMED`` after more than 18800 bytes without a packet.
        """
        self._link.send_ts(data, self._send_ms)

    def flush(self) -> None:
        """Send the whole packets that wait, as one shorter message."""
        self._link.flush_ts(self._send_ms)

    def close(self) -> None:
        """Flush as far as that goes at once, end parked calls, free everything; repeating it does nothing."""
        if not self._flag.set and not self._link.closed:
            with suppress(TstError):
                self._link.flush_ts(0)
        super().close()


class Receiver(PacketByPacket, Plain):
    """Receives a transport stream, packet by packet."""

    __slots__ = ()

    def __init__(self, url: str, *, pkt_size: int = 1316) -> None:
        raise TypeError("Receiver is made by Receiver.from_url() or Socket.into_receiver()")

    @classmethod
    def _of(cls, link: Link, recv_ms: int | None, send_ms: int | None) -> Receiver:
        self = object.__new__(cls)
        self._read_from(link, recv_ms, send_ms)
        return self

    @staticmethod
    def from_url(url: str) -> Receiver:
        """Bind, wait for one caller, and stop listening; the URL needs ``mode=listener``.

        Raises:
            SrtError: ``CONFIG_INVALID`` for what is wrong with the URL, ``CONNECT_FAILED`` when the address
                cannot be bound.
        """
        values = parameters(url)
        config = lib.check_config(values)
        return Receiver._of(lib.receive(values), limit(config.recv_ms), limit(config.send_ms))

    def recv_bytes(self, max_len: int = 1500) -> bytes:
        """The next packet: 188 bytes, whatever ``max_len`` is.

        Raises:
            SrtError: ``BROKEN`` once when the link is lost, after everything that had come, then ``CLOSED``;
                ``WOULD_BLOCK`` after ``x-recvtimeout``, and the object stays usable.
        """
        # As `_next`, for the common case: at some hundred thousand packets a second a further call would cost
        # more than everything else.
        if max_len.__class__ is int and max_len >= 0:
            for packet in self._rest:
                return packet
        return self._next(max_len)

    def recv_batch(self) -> bytes:
        """As many packets as are ready, at least one: a multiple of 188 bytes. Raises as `recv_bytes`."""
        if self._flag.set:
            raise lib.DOMAIN.closed("Receiver")
        return self._packets.read(self._recv_ms)[0]

    def fileno(self) -> int:
        """A descriptor that is readable when something waits."""
        return self._link.fileno()
