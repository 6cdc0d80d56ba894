"""What calls on connections raise."""

from __future__ import annotations

from ..exceptions import TstError

__all__ = ["InternalError", "InvalidAccessError", "InvalidStateError", "MissingExtraError", "OperationError"]


class InternalError(Exception):
    """An argument has a value that no connection knows: a kind, a direction."""


class InvalidAccessError(Exception):
    """The object cannot be used this way, such as a track that has a sender already."""


class InvalidStateError(Exception):
    """The object is in a state in which the call makes no sense, such as closed."""


class OperationError(Exception):
    """The operation failed for a reason of its own, such as no codec that both sides know."""


class MissingExtraError(TstError, ImportError):
    """Raw frames need PyAV, which the extra ``webrtc`` installs; encoded packets need nothing."""
