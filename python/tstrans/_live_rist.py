"""RIST: objects whose link is replaced when it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._live import text
from ._live_managed import (
    ManagedBytesReceiver,
    ManagedBytesSender,
    ManagedEventsReceiver,
    ManagedUnitsSender,
)
from ._live_policy import policy_parameters
from ._native.rist_lib import MANAGED, managed_receiving, managed_sending
from .rist import CancelHandle

if TYPE_CHECKING:
    from ._live_policy import ReconnectPolicy
    from .mpegts import DemuxerConfig, MuxerProgramConfig

__all__ = ["ManagedDemuxReceiver", "ManagedMuxSender", "ManagedReceiver", "ManagedSender"]


def _values(url: str, policy: ReconnectPolicy | None) -> dict[str, Any]:
    return {"url": text(url), **policy_parameters(policy)}


class ManagedSender(ManagedBytesSender):
    """Sends a transport stream over a link that is replaced when librist takes no more."""

    __slots__ = ()
    _domain = MANAGED

    @staticmethod
    def from_url(url: str, *, policy: ReconnectPolicy | None = None) -> ManagedSender:
        """Make the link; the URL is that of a `Transport`."""
        self = object.__new__(ManagedSender)
        self._begin(managed_sending(_values(url, policy)))
        return self

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class ManagedReceiver(ManagedBytesReceiver):
    """Receives a transport stream packet by packet; it binds anew when nothing came for ``idle_timeout``."""

    __slots__ = ()
    _domain = MANAGED

    @staticmethod
    def from_url(url: str, *, policy: ReconnectPolicy | None = None) -> ManagedReceiver:
        """Bind; the URL is that of a `RecvTransport`, with ``idle_timeout`` in ms."""
        self = object.__new__(ManagedReceiver)
        self._begin(managed_receiving(_values(url, policy)))
        return self

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class ManagedMuxSender(ManagedUnitsSender):
    """Sends access units like `ManagedSender` sends a transport stream."""

    __slots__ = ()
    _domain = MANAGED

    @staticmethod
    def from_url(
        url: str, program_config: MuxerProgramConfig, *, policy: ReconnectPolicy | None = None
    ) -> ManagedMuxSender:
        """As `ManagedSender.from_url`, with the program to send."""
        self = object.__new__(ManagedMuxSender)
        self._open(program_config, lambda: managed_sending(_values(url, policy)))
        return self

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)


class ManagedDemuxReceiver(ManagedEventsReceiver):
    """Receives events; each new link begins with ``DemuxEvent.ReconnectDiscontinuity`` and a program map."""

    __slots__ = ()
    _domain = MANAGED

    @staticmethod
    def from_url(
        url: str, *, demux_config: DemuxerConfig | None = None, policy: ReconnectPolicy | None = None
    ) -> ManagedDemuxReceiver:
        """As `ManagedReceiver.from_url`."""
        self = object.__new__(ManagedDemuxReceiver)
        self._open(demux_config, lambda: managed_receiving(_values(url, policy)))
        return self

    def cancel_handle(self) -> CancelHandle:
        """A handle that ends this object's calls from another thread."""
        return CancelHandle._of(self._flag)
