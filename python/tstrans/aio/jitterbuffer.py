"""Puts packets in order and joins them into frames."""

from __future__ import annotations

from .._native import rtpflow_lib as _lib
from .packet import RtpPacket

__all__ = ["MAX_MISORDER", "JitterBuffer", "JitterFrame"]

#: A sequence number that far behind begins a new stream.
MAX_MISORDER = 100


class JitterFrame:
    """The payloads of one timestamp, and how many packets are missing right before them."""

    def __init__(self, data: bytes, timestamp: int, lost: int = 0) -> None:
        self.data = data
        self.timestamp = timestamp
        self.lost = lost

    def __repr__(self) -> str:
        return f"JitterFrame({len(self.data)} bytes, timestamp={self.timestamp}, lost={self.lost})"


def _frame(f: tuple[bytes, int, int] | None) -> JitterFrame | None:
    return None if f is None else JitterFrame(*f)


class JitterBuffer:
    """A jitter buffer.

    :param capacity: in packets, a power of two up to 16,384.
    :param prefetch: complete frames that are held back.
    :param is_video: a frame ends at the marker bit rather than where the timestamp changes.
    :param skip_audio_gaps: go on over a gap as soon as a packet of a later frame is held.
    :param wait_for_lost: video only: keep a frame with a gap until :meth:`expire` gives it up, so that a
        retransmission can mend it. By default it is dropped when a newer frame begins.
    """

    def __init__(
        self,
        capacity: int,
        prefetch: int = 0,
        is_video: bool = False,
        skip_audio_gaps: bool = False,
        *,
        wait_for_lost: bool = False,
    ) -> None:
        assert capacity >= 0 and capacity & (capacity - 1) == 0, "capacity must be a power of 2"
        self._capacity = capacity
        self._native = _lib.Jitter(
            {
                "capacity": capacity or 1,
                "prefetch": prefetch,
                "video": int(is_video),
                "skip_gaps": int(skip_audio_gaps),
                "wait_lost": int(wait_for_lost),
            }
        )

    @property
    def capacity(self) -> int:
        """In packets."""
        return self._capacity

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet: whether a key frame is wanted, and the frame that can be delivered now."""
        pli, f = self._native.add(packet.sequence_number, packet.timestamp, packet.marker, packet.payload)
        return pli, None if f is None else JitterFrame(*f)

    def mark_non_media(self, sequence_number: int) -> JitterFrame | None:
        """Take the number of a packet that is no media: it is not missing, and ends the frame before it."""
        return _frame(self._native.other(sequence_number))

    def expire(self) -> tuple[bool, JitterFrame | None]:
        """Give up on what is missing at the front (`wait_for_lost`)."""
        pli, f = self._native.expire()
        return pli, _frame(f)

    def drain(self) -> JitterFrame | None:
        """The next frame that is held, whatever the prefetch; None once empty."""
        return _frame(self._native.drain())

    def remove(self, count: int) -> None:
        """Drop the first `count` sequence numbers."""
        assert count <= self._capacity, "no more than the capacity"
        self._native.remove(count, False)

    def smart_remove(self, count: int) -> bool:
        """Drop at least `count` numbers and go on to the end of that frame; True: nothing is left."""
        return self._native.remove(count, True)

    def reset(self) -> None:
        """Forget everything."""
        self._native.reset()
