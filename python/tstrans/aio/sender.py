"""Numbers and stamps packets and sends them through a transport."""

from __future__ import annotations

from typing import Protocol

from .._native import rtpflow_lib as _lib
from .packet import RTP_HISTORY_SIZE
from .utils import random16, random32

__all__ = ["RTP_HISTORY_SIZE", "RtpSender"]

Address = tuple[str, int]


class _Transport(Protocol):
    def send(self, data: bytes, addr: Address | None = None) -> None: ...


class RtpSender:
    """Sends the packets of one source.

    :param transport: anything with `send(data, addr)`.
    :param clock_rate: of the timestamps, in Hz. `timestamp_increment`, at first 0, is the length of a frame.
    :param enable_history: keep the last 128 packets for :meth:`retransmit`.
    :param duplicate_tx: send every packet a second time, behind the next one.
    """

    def __init__(
        self,
        transport: _Transport,
        payload_type: int,
        ssrc: int | None = None,
        clock_rate: int = 8000,
        enable_history: bool = True,
        duplicate_tx: bool = False,
    ) -> None:
        self._transport = transport
        self._payload_type = payload_type
        self._duplicate = duplicate_tx
        self._previous: bytes | None = None
        self._native = _lib.PacketSender(
            random32() if ssrc is None else ssrc, payload_type, 0, enable_history
        )
        self._native.seek(random16(), random32())

    def send_raw(
        self, payload_type: int, payload: bytes, timestamp: int, marker: int = 0, addr: Address | None = None
    ) -> None:
        """Send a payload of any type with a timestamp."""
        self._send(self._native.packet(payload_type, marker, timestamp, payload), addr)

    def send_frame(
        self, payload: bytes, timestamp: int, marker: int = 0, addr: Address | None = None
    ) -> None:
        """Send a payload with a timestamp."""
        self.send_raw(self._payload_type, payload, timestamp, marker, addr)

    def send_frame_auto(self, payload: bytes, marker: int = 0, addr: Address | None = None) -> int:
        """Send a payload with the next timestamp, which is returned."""
        ts = self.current_timestamp
        self._send(self._native.packet(self._payload_type, marker, ts, payload, auto=True), addr)
        return ts

    def _send(self, data: bytes, addr: Address | None) -> None:
        self._transport.send(data, addr)
        if self._duplicate:
            if self._previous is not None:
                self._transport.send(self._previous, addr)
            self._previous = data

    def retransmit(self, seq_numbers: list[int], addr: Address | None = None) -> int:
        """Send kept packets once more, unchanged; how many were still there."""
        found = [p for p in map(self._native.sent, seq_numbers) if p is not None]
        for p in found:
            self._transport.send(p, addr)
        return len(found)

    def advance_timestamp(self) -> None:
        """Let a frame pass without a packet."""
        self._native.step()

    @property
    def ssrc(self) -> int:
        n: int = self._native.state().ssrc
        return n

    @property
    def packets_sent(self) -> int:
        n: int = self._native.state().packets
        return n

    @property
    def octets_sent(self) -> int:
        """Octets of payload."""
        n: int = self._native.state().octets
        return n

    @property
    def sequence_number(self) -> int:
        """Of the next packet."""
        n: int = self._native.state().sequence
        return n

    @property
    def last_rtp_timestamp(self) -> int:
        """Of the last packet."""
        n: int = self._native.state().last_timestamp
        return n

    @property
    def current_timestamp(self) -> int:
        """Of the next automatic frame."""
        n: int = self._native.state().timestamp
        return n

    @property
    def timestamp_increment(self) -> int:
        """Of a frame, in timestamp units."""
        n: int = self._native.state().increment
        return n

    @timestamp_increment.setter
    def timestamp_increment(self, value: int) -> None:
        self._native.step(0, value)
