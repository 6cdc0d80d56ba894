"""RTP over UDP: packets out, packets in."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from .._live import CancelHandle as _CancelHandle
from .._live import Closing, text
from .._native import rtp_lib as lib
from .._native.transport_lib import Messages, unsigned
from ..exceptions import RtpError, RtpErrorKind
from ._stats import SocketStats, StreamEndReason

if TYPE_CHECKING:
    from collections import deque

    from .._native.transport_lib import Link

__all__ = ["CancelHandle", "Ending", "Receiver", "Sender", "closed", "packet_size", "received"]


_MOST_MS = (1 << 32) - 1


class CancelHandle(_CancelHandle):
    """Ends the calls that another thread is parked in, and later ones; it frees nothing.

    All handles of one object share the flag, which closing the object sets too. Use it from any thread.
    """

    __slots__ = ()


def closed(what: str) -> RtpError:
    """The error of a call on a closed object."""
    return RtpError(kind=RtpErrorKind.TRANSPORT, message=f"{what} is closed")


def packet_size(n: SupportsIndex) -> int:
    """A packet size as the library takes it."""
    return min(unsigned("pkt_size", n, 64), 1 << 30)


def received(link: Link) -> SocketStats:
    """The counters of a receiving link."""
    s = lib.rtp_stats(link)
    return SocketStats._make(
        received=(s.bytes_received, s.packets_received),
        lost=s.packets_lost,
        dropped=s.messages_dropped + s.packets_late,
    )


class Sender(Closing):
    """Sends MPEG-TS in RTP packets of payload type 33 (RFC 2250).

    >>> rx = Receiver("rtp://127.0.0.1:0?recv_timeout=5000")
    >>> with Sender("rtp://" + rx.local_addr()) as tx:
    ...     tx.send(b"\\x47" + bytes(187))
    >>> len(rx.recv())
    188
    >>> rx.close()

    Args:
        url: ``rtp://ip:port?ssrc=&ttl=&iface=&pkt_size=&sndbuf=&rtcp=``. With ``rtcp=1`` sender reports go to
            the next port.
        pkt_size: the longest datagram in bytes, its RTP header of 12 bytes included: 1328 for seven packets.
        ssrc: identifies the source, before the URL's; without either it is random.

    Raises:
        RtpError: a URL that is not one, an address that is not an IP literal, or a fault of the system
            (``TRANSPORT``).
    """

    __slots__ = ()

    def __new__(cls, url: str, *, pkt_size: int = 1316, ssrc: int | None = None) -> Sender:
        values: dict[str, int | str] = {"url": text(url), "pkt_size": packet_size(pkt_size)}
        if ssrc is not None:
            values["ssrc"] = unsigned("ssrc", ssrc)
        self = object.__new__(cls)
        self._hold(lib.send(values))
        return self

    def __init__(self, url: str, *, pkt_size: int = 1316, ssrc: int | None = None) -> None:
        pass

    def send(self, ts_bytes: object) -> None:
        """Send one packet; its content is not looked at. In a burst it may leave up to a millisecond later.

        Raises:
            RtpError: longer than ``pkt_size`` less 12 (``MALFORMED_PACKET``, nothing is sent), cancelled
                (``CANCELLED``), closed, or a fault of the system (``TRANSPORT``).
        """
        try:
            self._link.send(ts_bytes)
        except Exception:
            if self._link.closed:
                raise closed("the sender") from None
            raise

    def stats(self) -> SocketStats:
        """The counters; waits for nothing."""
        if self._link.closed:
            raise closed("the sender")
        s = self._link.stats()
        return SocketStats._make(sent=(s.bytes_sent, s.messages_sent))

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class Ending(Closing):
    """An object over an RTP stream, which can end."""

    __slots__ = ("_end",)
    _end: tuple[StreamEndReason | None, str | None]

    def _reason(self) -> tuple[int, str | None]:
        return lib.rtp_stats(self._link).end_reason, lib.end_detail(self._link)

    def _look(self) -> tuple[StreamEndReason | None, str | None]:
        if not self._link.closed:
            number, detail = self._reason()
            self._end = (StreamEndReason(number), detail) if number else (None, None)
        if self._end[0] is None and self._flag.set:
            self._end = (StreamEndReason.CANCELLED, None)
        return self._end

    def end_reason(self) -> StreamEndReason | None:
        """Why the stream ended, None while it has not; readable after `close` too."""
        return self._look()[0]

    def end_detail(self) -> str | None:
        """What is known beyond the reason, of those that have more to say."""
        return self._look()[1]

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        if not self._link.closed:
            self._look()
        super().close()


class Receiver(Ending):
    """Receives the payloads of RTP packets of type 33.

    Args:
        url: ``rtp://ip:port?iface=&source=&rcvbuf=&recv_timeout=&reorder=&rtcp=``. Port 0 picks a free one, a
            multicast address is joined, ``reorder`` (ms) puts packets in order and drops repeats.
        pkt_size: without effect: packets of any size are received whole.

    Raises:
        RtpError: a URL that is not one, or an address that cannot be bound (``TRANSPORT``).
    """

    __slots__ = ("_messages", "_queue", "_recv_ms")
    _messages: Messages
    _queue: deque[bytes]
    _recv_ms: int | None

    def __new__(cls, url: str, *, pkt_size: int = 1316) -> Receiver:
        packet_size(pkt_size)
        self = object.__new__(cls)
        link = lib.receive({"url": text(url)})
        self._hold(link)
        self._end = (None, None)
        ms = lib.rtp_stats(link).recv_timeout_ms
        self._recv_ms = None if ms < 0 else ms
        self._messages = Messages(link)
        self._queue = self._messages.queue
        return self

    def __init__(self, url: str, *, pkt_size: int = 1316) -> None:
        pass

    def recv(self, timeout_ms: int | None = None) -> bytes:
        """The payload of the next packet.

        Args:
            timeout_ms: how long to wait; None for what the URL's ``recv_timeout`` says, or for ever.

        Raises:
            RtpError: nothing came in time (``BACKPRESSURE``), cancelled (``CANCELLED``), or closed.
        """
        queue = self._queue
        given = timeout_ms is None or (timeout_ms.__class__ is int and 0 <= timeout_ms <= _MOST_MS)
        if queue and given and not self._flag.set:  # which closing sets too
            try:
                return queue.popleft()
            except IndexError:  # another thread was faster
                pass
        ms = self._recv_ms if timeout_ms is None else unsigned("timeout_ms", timeout_ms)
        if self._link.closed:
            raise closed("the receiver")
        if self._flag.set:
            raise lib.RTP.closed("the receiver")
        return self._messages.get(ms)

    def stats(self) -> SocketStats:
        """The counters; waits for nothing. Losses are packets missing from the sequence numbers so far."""
        if self._link.closed:
            raise closed("the receiver")
        return received(self._link)

    def local_addr(self) -> str:
        """The bound "ip:port"."""
        if self._link.closed:
            raise closed("the receiver")
        return str(self._link.text(0))

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)
