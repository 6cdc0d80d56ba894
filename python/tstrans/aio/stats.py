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

    def _set(
        self,
        base: int | None = None,
        newest: int | None = None,
        cycles: int | None = None,
        received: int | None = None,
    ) -> None:
        s = self._native.get()
        self._native.set(
            s.base_sequence if base is None else base,
            s.max_sequence if newest is None else newest,
            s.cycles if cycles is None else cycles,
            s.packets_received if received is None else received,
        )

    @property
    def base_seq(self) -> int | None:
        """The first sequence number. It, and the next three, can be set: what follows goes on from there."""
        s = self._native.get()
        return s.base_sequence if s.begun else None

    @base_seq.setter
    def base_seq(self, value: int) -> None:
        self._set(base=value)

    @property
    def max_seq(self) -> int | None:
        """The newest sequence number."""
        s = self._native.get()
        return s.max_sequence if s.begun else None

    @max_seq.setter
    def max_seq(self, value: int) -> None:
        self._set(newest=value)

    @property
    def cycles(self) -> int:
        """Wraps of the sequence number, times 65,536."""
        cycles: int = self._native.get().cycles
        return cycles

    @cycles.setter
    def cycles(self, value: int) -> None:
        self._set(cycles=value)

    @property
    def packets_received(self) -> int:
        n: int = self._native.get().packets_received
        return n

    @packets_received.setter
    def packets_received(self, value: int) -> None:
        self._set(received=value)

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
    """Lists the sequence numbers that a receiver may still ask for; `max_seq`, `missing` may be changed."""

    def __init__(self) -> None:
        self._native = _lib.Missing()
        # The set that was handed out, and what the library knows of it: None, nothing yet.
        self._shown: set[int] | None = None
        self._known: set[int] | None = None

    def add(self, packet: RtpPacket) -> bool:
        """Take a packet; whether numbers before it are newly missing."""
        self._take()
        gap = self._native.add(packet.sequence_number)
        self._show()
        return gap

    def _take(self) -> None:
        """Tell the library what the user changed in the set."""
        newest = self.max_seq
        if newest is not None and self._shown != self._known and self._shown is not None:
            self._native.set(newest, self._shown)

    def _show(self) -> None:
        """Bring a set that was handed out up to date."""
        if self._shown is not None:
            self._known = set(self._native.list()[1])
            self._shown.clear()
            self._shown.update(self._known)

    @property
    def max_seq(self) -> int | None:
        """The newest sequence number."""
        return self._native.list()[0]

    @max_seq.setter
    def max_seq(self, value: int) -> None:
        self._native.set(value, self.missing)
        self._known = set(self.missing)

    @property
    def missing(self) -> set[int]:
        """The missing numbers, none older than 128 behind the newest."""
        if self._shown is None:
            self._shown = set()
            self._show()
        return self._shown

    @missing.setter
    def missing(self, value: set[int]) -> None:
        self._shown, self._known = value, None

    def truncate(self) -> None:
        """Forget numbers too old to be sent again."""
        self._take()
        if self.max_seq is not None:
            self._show()
