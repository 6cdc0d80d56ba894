"""Glue of tstrans/udp.h."""

from __future__ import annotations

from ..exceptions import UdpError, UdpErrorKind
from ._lib import room
from .transport_lib import Domain, Link, Parameters, open_link

__all__ = ["DOMAIN", "MANAGED", "managed_receiving", "managed_sending", "receiving", "sending"]

DOMAIN = Domain(
    UdpError,
    closed=UdpErrorKind.CLOSED,
    timeout=UdpErrorKind.IO,
    swap={UdpErrorKind.BROKEN: UdpErrorKind.IO},
)


def sending(parameters: Parameters) -> Link:
    """A sending link."""
    return open_link(DOMAIN, room("udp").tst_udp_send, parameters)


def receiving(parameters: Parameters) -> Link:
    """A receiving link."""
    return open_link(DOMAIN, room("udp").tst_udp_receive, parameters)


MANAGED = Domain(
    UdpError,
    closed=UdpErrorKind.CLOSED,
    timeout=UdpErrorKind.BACKPRESSURE,
    full=UdpErrorKind.BACKPRESSURE,
    ended=UdpErrorKind.BROKEN,
)


def managed_sending(parameters: Parameters) -> Link:
    """A reconnecting sender with its first link."""
    link = open_link(MANAGED, room("udp").tst_udp_managed_send, parameters)
    link.wait()
    return link


def managed_receiving(parameters: Parameters) -> Link:
    """A reconnecting receiver with its first link."""
    link = open_link(MANAGED, room("udp").tst_udp_managed_receive, parameters)
    link.wait()
    return link
