"""Telephone events (RFC 4733)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._native import rtpflow_lib as _lib
from .packet import RtpPacket
from .sender import RtpSender

__all__ = ["DTMF_EVENTS", "EVENT_TO_DIGIT", "DtmfEvent", "DtmfReceiver", "DtmfSender"]

DTMF_EVENTS = {d: i for i, d in enumerate("0123456789*#ABCD")}
EVENT_TO_DIGIT = {i: d for d, i in DTMF_EVENTS.items()}


@dataclass
class DtmfEvent:
    """The payload of an event: `volume` in -dBm0, 0 to 63; `duration` in timestamp units.

    >>> DtmfEvent(event=1, end=True, volume=10, duration=1280).serialize().hex()
    '018a0500'
    """

    event: int
    end: bool
    volume: int
    duration: int

    def serialize(self) -> bytes:
        """The four bytes; struct.error where a field does not fit."""
        return _lib.dtmf_build(self.event, self.end, self.volume, self.duration)

    @classmethod
    def parse(cls, data: bytes) -> DtmfEvent:
        """Read a payload; ValueError under four bytes."""
        return cls(*_lib.dtmf_parse(data))

    @property
    def digit(self) -> str:
        """The key, "?" where the event has none."""
        return EVENT_TO_DIGIT.get(self.event, "?")


class DtmfReceiver:
    """Calls `on_dtmf(digit, duration)` once a press, at its first end packet; duration in timestamp units."""

    def __init__(self, on_dtmf: Callable[[str, int], None]) -> None:
        self._on_dtmf = on_dtmf
        self._native = _lib.PressReceiver()

    def handle_packet(self, packet: RtpPacket) -> None:
        """Take a packet of the events' payload type; ValueError where it is under four bytes."""
        if len(packet.payload) < 4:
            raise ValueError("DTMF event payload must be at least 4 bytes")
        press = self._native.add(packet.timestamp, packet.payload)
        if press is not None and self._on_dtmf is not None:
            self._on_dtmf(*press)


class DtmfSender:
    """Sends presses through an :class:`RtpSender`."""

    def __init__(self, sender: RtpSender, dtmf_payload_type: int = 101, clock_rate: int = 8000) -> None:
        self._sender = sender
        self._payload_type = dtmf_payload_type
        self._clock_rate = clock_rate

    def send_digit(
        self,
        digit: str,
        duration_ms: int = 160,
        volume: int = 10,
        timestamp: int = 0,
        addr: tuple[str, int] | None = None,
    ) -> None:
        """Send a press at once: its progress each 20 ms, then the end three times.

        ValueError for no digit, and for a duration that is negative or over 65,535 timestamp units.
        """
        marked = False
        for fields in _lib.dtmf_press(digit, duration_ms, volume, self._clock_rate):
            event = DtmfEvent(*fields)
            marker = 1 if event.end and not marked else 0
            marked = marked or event.end
            self._sender.send_raw(self._payload_type, event.serialize(), timestamp, marker=marker, addr=addr)
