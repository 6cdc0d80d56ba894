"""Pairs of an even and the next port."""

from __future__ import annotations

import asyncio
import socket

__all__ = ["PortAllocator"]


class PortAllocator:
    """Gives even/odd pairs of a range, ascending; the even port is below the upper bound.

    A pair that is given, or that cannot be bound on the IPv4 any-address, is passed over.
    """

    def __init__(self, port_range: tuple[int, int] = (10000, 20000)) -> None:
        low, high = port_range
        self._min_port = low + low % 2
        self._max_port = high
        self._allocated: set[int] = set()

    async def allocate(self) -> tuple[int, int]:
        """(RTP port, RTCP port); RuntimeError where none is free."""
        # Nothing here waits, so that two callers cannot come between each other.
        for port in range(self._min_port, self._max_port, 2):
            if port not in self._allocated and _free(port) and _free(port + 1):
                self._allocated.add(port)
                return port, port + 1
        raise RuntimeError("No available port pair in range")

    async def release(self, rtp_port: int) -> None:
        """Give a pair back; a port that was not given is fine."""
        self._allocated.discard(rtp_port)
        await asyncio.sleep(0)


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
