"""Reception statistics, and the list of missing packets."""

from __future__ import annotations

import time

from .._native import rtpflow_lib as _lib
from .packet import RTP_HISTORY_SIZE, RtpPacket

__all__ = ["RTP_HISTORY_SIZE", "NackGenerator", "StreamStatistics"]


class StreamStatistics:
    """Follows one source (RFC 3550 appendix A.3 and A.8); `clockrate` in Hz."""

    def __init__(self, clockrate: int) -> None:
        self._native = _lib.Reception(clockrate)

    def add(self, packet: RtpPacket) -> None:
        """Take a packet that arrived now."""
        self._native.add(time.time(), packet.sequence_number, packet.timestamp)

    @property
    def base_seq(self) -> int | None:
        """The first sequence number."""
        s = self._native.get()
        return s.base_sequence if s.begun else None

    @property
    def max_seq(self) -> int | None:
        """The newest sequence number."""
        s = self._native.get()
        return s.max_sequence if s.begun else None

    @property
    def cycles(self) -> int:
        """Wraps of the sequence number, times 65,536."""
        cycles: int = self._native.get().cycles
        return cycles

    @property
    def packets_received(self) -> int:
        n: int = self._native.get().packets_received
        return n

    @property
    def packets_expected(self) -> int:
        n: int = self._native.get().packets_expected
        return n

    @property
    def packets_lost(self) -> int:
        """Within 24 bits with sign; duplicates count against it."""
        n: int = self._native.get().packets_lost
        return n

    @property
    def fraction_lost(self) -> int:
        """The loss since this was last read, of 256."""
        return self._native.fraction()

    @property
    def jitter(self) -> int:
        """In timestamp units."""
        n: int = self._native.get().jitter
        return n


class NackGenerator:
    """Lists the sequence numbers that a receiver may still ask for."""

    def __init__(self) -> None:
        self._native = _lib.Missing()

    def add(self, packet: RtpPacket) -> bool:
        """Take a packet; whether numbers before it are newly missing."""
        return self._native.add(packet.sequence_number)

    @property
    def max_seq(self) -> int | None:
        """The newest sequence number."""
        return self._native.list()[0]

    @property
    def missing(self) -> set[int]:
        """The missing numbers, none older than 128 behind the newest."""
        return set(self._native.list()[1])

    def truncate(self) -> None:
        """Forget numbers too old to be sent again."""
        self._native.list()
