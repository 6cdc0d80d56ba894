"""SRT: transport streams over a network that loses packets, encrypted where wanted.

>>> from tstrans.srt import Builder, Sender
>>> listener = Builder("srt://127.0.0.1:0?mode=listener&latency=20").listen()
>>> url = f"srt://127.0.0.1:{listener.local_addr()[1]}?mode=caller&latency=20"
>>> with Sender.from_url(url) as tx, listener.accept().into_receiver() as rx:
...     tx.send_bytes((b"\\x47" + bytes(187)) * 7)
...     len(rx.recv_bytes())
188
>>> listener.close()

Calls that wait end with ``SrtError`` of kind ``CLOSED`` when another thread closes or cancels the object, and
with ``KeyboardInterrupt`` within 100 ms of Ctrl-C.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._live_policy import BackoffStrategy as BackoffStrategy
    from .._live_policy import ManagedTransportStats as ManagedTransportStats
    from .._live_policy import OverflowPolicy as OverflowPolicy
    from .._live_policy import ReconnectMode as ReconnectMode
    from .._live_policy import ReconnectPolicy as ReconnectPolicy
    from .._live_policy import RecvEndReason as RecvEndReason
    from ._base import CancelHandle as CancelHandle
    from ._demux import DemuxReceiver as DemuxReceiver
    from ._demux import ManagedDemuxReceiver as ManagedDemuxReceiver
    from ._managed import ManagedReceiver as ManagedReceiver
    from ._managed import ManagedSender as ManagedSender
    from ._mux import ManagedMuxSender as ManagedMuxSender
    from ._mux import MuxSender as MuxSender
    from ._plain import Receiver as Receiver
    from ._plain import Sender as Sender
    from ._socket import Builder as Builder
    from ._socket import Listener as Listener
    from ._socket import Socket as Socket
    from ._stats import SocketStats as SocketStats
    from ._stats import SrtStats as SrtStats

_NAMES = {
    "._base": ("CancelHandle",),
    "._demux": ("DemuxReceiver", "ManagedDemuxReceiver"),
    "._managed": ("ManagedReceiver", "ManagedSender"),
    "._mux": ("ManagedMuxSender", "MuxSender"),
    "._plain": ("Receiver", "Sender"),
    ".._live_policy": (
        "BackoffStrategy",
        "ManagedTransportStats",
        "OverflowPolicy",
        "ReconnectMode",
        "ReconnectPolicy",
        "RecvEndReason",
    ),
    "._socket": ("Builder", "Listener", "Socket"),
    "._stats": ("SocketStats", "SrtStats"),
}
_HOME_OF = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "BackoffStrategy",
    "Builder",
    "CancelHandle",
    "DemuxReceiver",
    "Listener",
    "ManagedDemuxReceiver",
    "ManagedMuxSender",
    "ManagedReceiver",
    "ManagedSender",
    "ManagedTransportStats",
    "MuxSender",
    "OverflowPolicy",
    "Receiver",
    "ReconnectMode",
    "ReconnectPolicy",
    "RecvEndReason",
    "Sender",
    "Socket",
    "SocketStats",
    "SrtStats",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
