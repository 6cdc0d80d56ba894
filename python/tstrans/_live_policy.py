"""How a lost link is replaced: `tstrans.srt` has the public names, the other transports share them."""

from __future__ import annotations

import enum
from typing import Any, ClassVar, NoReturn

from ._live import Choice, Frozen, Snapshot
from ._native.transport_lib import unsigned

__all__ = [
    "BackoffStrategy",
    "ManagedTransportStats",
    "OverflowPolicy",
    "ReconnectMode",
    "ReconnectPolicy",
    "RecvEndReason",
    "policy_parameters",
]


class BackoffStrategy(Frozen):
    """The wait before reconnect attempt n = 1, 2, …; it also comes before the first, and has no jitter.

    >>> BackoffStrategy.exponential(base_ms=100, max_ms=1000)
    BackoffStrategy.exponential(base_ms=100, max_ms=1000)
    """

    __slots__ = ("_base_ms", "_kind", "_max_ms")
    _kind: str
    _base_ms: int
    _max_ms: int

    @classmethod
    def _of(cls, kind: str, base_ms: int, max_ms: int) -> BackoffStrategy:
        self = object.__new__(cls)
        for name, value in (("_kind", kind), ("_base_ms", base_ms), ("_max_ms", max_ms)):
            object.__setattr__(self, name, value)
        return self

    @classmethod
    def constant(cls, ms: int) -> BackoffStrategy:
        """The same wait before every attempt, in ms; 0 is allowed."""
        ms = unsigned("ms", ms)
        return cls._of("constant", ms, ms)

    @classmethod
    def exponential(cls, *, base_ms: int, max_ms: int) -> BackoffStrategy:
        """A wait of ``base_ms`` that doubles up to ``max_ms``."""
        base_ms, max_ms = unsigned("base_ms", base_ms), unsigned("max_ms", max_ms)
        if max_ms < base_ms:
            raise ValueError(f"max_ms ({max_ms}) is below base_ms ({base_ms})")
        return cls._of("exponential", base_ms, max_ms)

    def __reduce__(self) -> tuple[Any, ...]:
        return BackoffStrategy._of, (self._kind, self._base_ms, self._max_ms)

    @property
    def kind(self) -> str:
        """``"constant"`` or ``"exponential"``."""
        return self._kind

    @property
    def base_ms(self) -> int:
        """The first wait in ms."""
        return self._base_ms

    @property
    def max_ms(self) -> int:
        """The longest wait in ms."""
        return self._max_ms

    def __repr__(self) -> str:
        if self._kind == "constant":
            return f"BackoffStrategy.constant(ms={self._base_ms})"
        return f"BackoffStrategy.exponential(base_ms={self._base_ms}, max_ms={self._max_ms})"


class OverflowPolicy(Choice):
    """What a full gap buffer does with one more message: drop its oldest, or refuse the new one."""

    __slots__ = ()
    DROP_OLDEST: ClassVar[OverflowPolicy]
    REJECT: ClassVar[OverflowPolicy]


OverflowPolicy.DROP_OLDEST = OverflowPolicy._of("DROP_OLDEST", 0)
OverflowPolicy.REJECT = OverflowPolicy._of("REJECT", 1)


class ReconnectMode(Choice):
    """Who waits for the new link: the send that met the dead one, or nobody (sends queue)."""

    __slots__ = ()
    BLOCKING: ClassVar[ReconnectMode]
    BACKGROUND: ClassVar[ReconnectMode]


ReconnectMode.BLOCKING = ReconnectMode._of("BLOCKING", 0)
ReconnectMode.BACKGROUND = ReconnectMode._of("BACKGROUND", 1)


class RecvEndReason(enum.IntEnum):
    """Why a reconnecting receiver ended."""

    END_OF_STREAM = 1
    RECONNECT_EXHAUSTED = 2
    CANCELLED = 3


class ReconnectPolicy:
    """How a lost link is replaced. Frozen; two of them are equal only when they are the same object.

    Args:
        max_attempts: attempts an outage has, None for no limit. A success resets the count.
        backoff: the wait before each attempt; None means exponential from 100 ms to 10 s.
        gap_buffer_capacity: messages kept for the new link, at least 1 (and at most 6 MiB of them).
        overflow_policy: what a full gap buffer does.
        mode: who waits for the new link. Receivers always wait.
    """

    __slots__ = ("_backoff", "_capacity", "_max_attempts", "_mode", "_overflow")
    _max_attempts: int | None
    _backoff: BackoffStrategy
    _capacity: int
    _overflow: OverflowPolicy
    _mode: ReconnectMode

    def __init__(
        self,
        *,
        max_attempts: int | None = 10,
        backoff: BackoffStrategy | None = None,
        gap_buffer_capacity: int = 256,
        overflow_policy: OverflowPolicy = OverflowPolicy.DROP_OLDEST,
        mode: ReconnectMode = ReconnectMode.BLOCKING,
    ) -> None:
        if max_attempts is not None:
            max_attempts = unsigned("max_attempts", max_attempts)
        if backoff is None:
            backoff = BackoffStrategy.exponential(base_ms=100, max_ms=10_000)
        elif not isinstance(backoff, BackoffStrategy):
            raise TypeError(f"backoff must be a BackoffStrategy, not {type(backoff).__name__!r}")
        capacity = unsigned("gap_buffer_capacity", gap_buffer_capacity, 64)
        if capacity == 0:
            raise ValueError("gap_buffer_capacity must be at least 1")
        for name, value, kind in (
            ("overflow_policy", overflow_policy, OverflowPolicy),
            ("mode", mode, ReconnectMode),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__!r}")
        put = object.__setattr__
        put(self, "_max_attempts", max_attempts)
        put(self, "_backoff", backoff)
        put(self, "_capacity", capacity)
        put(self, "_overflow", overflow_policy)
        put(self, "_mode", mode)

    def __reduce__(self) -> tuple[Any, ...]:
        return _policy, (self._max_attempts, self._backoff, self._capacity, self._overflow, self._mode)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"ReconnectPolicy is frozen: {name}")

    @property
    def max_attempts(self) -> int | None:
        """Attempts an outage has, None for no limit."""
        return self._max_attempts

    @property
    def backoff(self) -> BackoffStrategy:
        """The wait before each attempt."""
        return self._backoff

    @property
    def gap_buffer_capacity(self) -> int:
        """Messages kept for the new link."""
        return self._capacity

    @property
    def overflow_policy(self) -> OverflowPolicy:
        """What a full gap buffer does."""
        return self._overflow

    @property
    def mode(self) -> ReconnectMode:
        """Who waits for the new link."""
        return self._mode

    def _parameters(self) -> dict[str, int]:
        most = (1 << 31) - 1
        return {
            "policy.max_attempts": -1 if self._max_attempts is None else min(self._max_attempts, most),
            "policy.backoff": int(self._backoff.kind == "exponential"),
            "policy.backoff_ms": self._backoff.base_ms,
            "policy.backoff_max_ms": self._backoff.max_ms,
            "policy.gap_capacity": min(self._capacity, most),
            "policy.overflow": int(self._overflow),
            "policy.background": int(self._mode),
        }

    def __repr__(self) -> str:
        return (
            f"ReconnectPolicy(max_attempts={self._max_attempts}, backoff={self._backoff!r}, "
            f"gap_buffer_capacity={self._capacity}, overflow_policy={self._overflow!r}, mode={self._mode!r})"
        )


def _policy(
    max_attempts: int | None,
    backoff: BackoffStrategy,
    capacity: int,
    overflow: OverflowPolicy,
    mode: ReconnectMode,
) -> ReconnectPolicy:
    """What a copy of a policy is made with."""
    return ReconnectPolicy(
        max_attempts=max_attempts,
        backoff=backoff,
        gap_buffer_capacity=capacity,
        overflow_policy=overflow,
        mode=mode,
    )


class ManagedTransportStats(Snapshot):
    """Counters of the reconnecting itself; the first connection is not counted.

    ``gap_*`` are messages that a full gap buffer cost. ``link_*_lost`` are those that broken links had taken
    over, did not deliver, and the gap buffer no longer held. Over TCP the bytes are exact as far as the
    peer's system goes: what its user had not read yet, nobody can tell. Over SRT it is an estimate by the
    receive delay agreed and the last acknowledgement, good to about 5 ms of the stream a break. UDP and RIST
    tell a sender nothing: 0. ``messages_resent`` went out again on the new link because the old one never
    acknowledged them.
    """

    __slots__ = (
        "reconnect_attempts",
        "reconnect_successes",
        "gap_len",
        "gap_messages_dropped",
        "gap_bytes_dropped",
        "reconnecting",
        "link_messages_lost",
        "link_bytes_lost",
        "messages_resent",
    )
    reconnect_attempts: int
    reconnect_successes: int
    gap_len: int
    gap_messages_dropped: int
    gap_bytes_dropped: int
    reconnecting: bool
    link_messages_lost: int
    link_bytes_lost: int
    messages_resent: int


for _shown in (
    *(BackoffStrategy, OverflowPolicy, ReconnectMode, ReconnectPolicy, RecvEndReason),
    ManagedTransportStats,
):
    _shown.__module__ = "tstrans.srt"


def policy_parameters(policy: ReconnectPolicy | None) -> dict[str, int]:
    """A policy, or the usual one, as the library takes it."""
    if policy is None:
        policy = ReconnectPolicy()
    elif not isinstance(policy, ReconnectPolicy):
        raise TypeError(f"policy must be a ReconnectPolicy, not {type(policy).__name__!r}")
    return policy._parameters()
