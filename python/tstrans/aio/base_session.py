"""What sessions of voice and video share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from .._native import aio_lib as _lib
from .._native._lib import ClosedHandleError
from ._hub import LoopHub, hub_of
from .packet import RtcpReceiverInfo
from .port_allocator import PortAllocator
from .utils import random32

__all__ = ["BaseRTPSession"]

logger = logging.getLogger("tstrans.aio")

Address = tuple[str, int]
S = TypeVar("S", bound="BaseRTPSession")


def _is_ip(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


def _numeric(host: str) -> str:
    """An address with a zone, if it has one, as a number."""
    ip, percent, zone = host.partition("%")
    return f"{ip}%{socket.if_nametoindex(zone)}" if percent and not zone.isdigit() else host


async def _resolve(addr: Address, family: int = 0) -> tuple[str, int]:
    host, port = addr[0], addr[1]
    if host in ("", None):
        host = "0.0.0.0"
    if not _is_ip(host):
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_DGRAM
        )
        host = str(found[0][4][0])
    return _numeric(host), port


class BaseRTPSession:
    """A session: addresses, RTCP, statistics, life cycle."""

    def __init__(
        self,
        payload_type: int,
        ssrc: int | None = None,
        clock_rate: int = 8000,
        cname: str = "aiortp",
        rtcp_interval: float = 5.0,
        nack_retransmit: bool = False,
        duplicate_tx: bool = False,
        symmetric_rtp: bool = False,
        port_allocator: PortAllocator | None = None,
    ) -> None:
        self._payload_type = int(payload_type)
        self._ssrc = random32() if ssrc is None else ssrc
        self._clock_rate = clock_rate
        self._parameters: dict[str, Any] = {
            "payload_type": self._payload_type,
            "ssrc": self._ssrc,
            "clock_rate": clock_rate,
            "cname": cname,
            "rtcp_interval_ms": max(1, round(rtcp_interval * 1000)),
            "nack": int(nack_retransmit),
            "duplicate": int(duplicate_tx),
            "symmetric": int(symmetric_rtp),
        }
        self._port_allocator = port_allocator
        self._allocated: int | None = None
        self._native: _lib.Session | None = None
        self._hub: LoopHub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._last_stats: Any = None
        self._local: tuple[Address, Address] | None = None
        #: Called with each report block about this session.
        self.on_receiver_report: Callable[[RtcpReceiverInfo], None] | None = None

    async def _bind(self, local_addr: Address, remote_addr: Address) -> None:
        loop = asyncio.get_running_loop()
        ip, port = await _resolve(local_addr)
        remote_ip, remote_port = await _resolve(remote_addr)
        control: int | None = None
        if self._port_allocator is not None:
            port, control = await self._port_allocator.allocate()
            self._allocated = port
        try:
            hub = hub_of(loop)
            self._native = _lib.Session(
                {
                    **self._parameters,
                    "local_ip": ip,
                    "local_port": port,
                    "rtcp_port": control,
                    "remote_ip": remote_ip,
                    "remote_port": remote_port,
                },
                hub.native,
            )
        except BaseException:
            await self._give_back()
            raise
        self._local = self._native.local()
        self._hub = hub
        self._loop = loop
        hub.add(self._native.lane, self)

    async def _give_back(self) -> None:
        port, self._allocated = self._allocated, None
        if port is not None and self._port_allocator is not None:
            await self._port_allocator.release(port)

    @property
    def local_addr(self) -> Address | None:
        """The address RTP is bound to, None before."""
        return None if self._local is None else self._local[0]

    @property
    def local_rtcp_addr(self) -> Address | None:
        """The address RTCP is bound to, None before."""
        return None if self._local is None else self._local[1]

    def update_remote(self, addr: Address) -> None:
        """Send to another address from now on; RTCP goes to the next port."""
        if self._native is None or self._closed:
            return
        host, port = addr[0], addr[1]
        if not _is_ip(host):
            host = str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0])
        self._native.update_remote(_numeric(host), port)

    def _record(self, kind: int, flags: int, ts: int, a: int, b: int, data: bytes) -> None:
        if kind == _lib.REPORT and self.on_receiver_report is not None:
            self.on_receiver_report(RtcpReceiverInfo.parse(data))

    def _counters(self) -> Any:
        if self._native is None:
            return self._last_stats
        if not self._closed:
            self._last_stats = self._native.stats()
        return self._last_stats

    @property
    def stats(self) -> dict[str, Any]:
        """Counters; which there are depends on what happened and how the session was made."""
        s = self._counters()
        out: dict[str, Any] = {
            "ssrc": self._ssrc,
            "packets_sent": s.packets_sent if s else 0,
            "octets_sent": s.octets_sent if s else 0,
        }
        if s and s.heard:
            out["packets_received"] = s.packets_received
            out["packets_lost"] = s.packets_lost
            out["jitter"] = s.jitter
        if s and s.reported:
            out["remote_fraction_lost"] = s.remote_fraction_lost
            out["remote_packets_lost"] = s.remote_packets_lost
            out["remote_jitter"] = s.remote_jitter
        return out

    @property
    def faults(self) -> dict[str, int]:
        """What went wrong and was counted: see the documentation of `tst_aio_stats`."""
        s = self._counters()
        names = (
            "malformed",
            "oversize",
            "unsent",
            "records_dropped",
            "decode_errors",
            "queue_dropped",
            "source_changes",
        )
        return {n: int(getattr(s, n)) if s else 0 for n in names}

    async def close(self) -> None:
        """Say goodbye and free sockets and ports. A second call does nothing."""
        if self._closed:
            return
        with contextlib.suppress(ClosedHandleError):
            self._counters()
        self._closed = True
        native, hub = self._native, self._hub
        if native is not None:
            if hub is not None:
                hub.remove(native.lane)
            native.end()
            native.close()
        self._on_closed()
        await self._give_back()

    def _on_closed(self) -> None:
        pass

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
