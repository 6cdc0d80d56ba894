"""Glue of tstrans/rist.h."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref

from ..exceptions import RistError, RistErrorKind
from . import rist_abi as abi
from ._lib import room
from .transport_lib import Domain, Link, Parameters, open_link

__all__ = ["DOMAIN", "MANAGED", "details", "managed_receiving", "managed_sending", "receiving", "sending"]

DOMAIN = Domain(RistError, closed=RistErrorKind.CLOSED, timeout=RistErrorKind.RECV_TIMEOUT)

# Where librist travels. A forked child's copy of the library cannot tell: it is not a file beside it.
os.environ.setdefault("TSTRANS_LIBS", os.path.join(os.path.dirname(os.path.dirname(__file__)), "_libs"))


def sending(parameters: Parameters) -> Link:
    """A sending link."""
    return open_link(DOMAIN, room("rist").tst_rist_send, parameters)


def receiving(parameters: Parameters) -> Link:
    """A receiving link."""
    return open_link(DOMAIN, room("rist").tst_rist_receive, parameters)


def details(link: Link) -> abi.tst_rist_stats:
    """librist's counters."""
    out = abi.tst_rist_stats(struct_size=ctypes.sizeof(abi.tst_rist_stats))
    status = room("rist").tst_rist_get_stats(byref(out), link._id)
    if status:
        raise DOMAIN.error(status)
    return out


MANAGED = Domain(
    RistError,
    closed=RistErrorKind.CLOSED,
    timeout=RistErrorKind.BACKPRESSURE,
    full=RistErrorKind.BACKPRESSURE,
    ended=RistErrorKind.BROKEN,
)


def managed_sending(parameters: Parameters) -> Link:
    """A reconnecting sender with its first link."""
    link = open_link(MANAGED, room("rist").tst_rist_managed_send, parameters)
    link.wait()
    return link


def managed_receiving(parameters: Parameters) -> Link:
    """A reconnecting receiver with its first link."""
    link = open_link(MANAGED, room("rist").tst_rist_managed_receive, parameters)
    link.wait()
    return link
