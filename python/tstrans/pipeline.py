"""Pairing KLV records with the pictures they describe.

>>> from datetime import timedelta
>>> config = PairingDemuxerConfig(PairerConfig(PairerMode.Buffered(timedelta(milliseconds=500))))
>>> pairer = Pairer(0x101, 0x102, config)
>>> pairer.feed(b"")
[]
"""

from __future__ import annotations

from datetime import timedelta
from operator import index

from ._value import Value, _Description
from .mpegts._config import DemuxerConfig
from .mpegts._events import DemuxEvent, _KlvFields, _VideoFields
from .mpegts._record import _Record, _set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import ClassVar, TypeAlias

    from ._native.mpegts_lib import Feeder
    from ._native.pipeline_lib import PairerHandle
    from .mpegts import MetadataKindTag, Pts90khz, StreamId

__all__ = [
    "KlvSample",
    "Pairer",
    "PairerConfig",
    "PairerMode",
    "PairerOutput",
    "PairingDemuxerConfig",
    "VideoSample",
]

_set = object.__setattr__


class PairerMode(Value):
    """When a picture without a record near enough is given up.

    ``PairerMode.Realtime`` decides each picture when it arrives. ``PairerMode.Buffered(max_lag)`` lets it
    wait until a record arrives whose time is more than ``max_lag`` ahead of the picture's.
    """

    __slots__ = ()

    Realtime: ClassVar[_RealtimeMode]
    if TYPE_CHECKING:
        Buffered: TypeAlias = "_BufferedMode"


class _RealtimeMode(PairerMode):
    __slots__ = ()


class _BufferedMode(PairerMode):
    __slots__ = ("max_lag",)
    max_lag: timedelta

    def __init__(self, max_lag: timedelta) -> None:
        if not isinstance(max_lag, timedelta):
            raise TypeError("PairerMode.Buffered.max_lag must be a datetime.timedelta")
        if max_lag < timedelta(0):
            raise ValueError("PairerMode.Buffered.max_lag must not be negative")
        _set(self, "max_lag", max_lag)


PairerMode.Realtime = _RealtimeMode()
if not TYPE_CHECKING:
    PairerMode.Buffered = _BufferedMode


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"PairerConfig.{name} must be an int")


class PairerConfig(Value):
    """How pairs are made.

    Args:
        mode: when a picture is given up.
        tolerance: largest distance between the times of a pair, inclusive.
        max_buffered_klv: records kept for pictures to come; the oldest leaves first.
        max_buffered_video: pictures that may wait (``Buffered`` only); the oldest is given up first.
        link_klv_to_video: kept for compatibility; it changes nothing.
    """

    __slots__ = ("mode", "tolerance", "max_buffered_klv", "max_buffered_video", "link_klv_to_video")
    mode: _RealtimeMode | _BufferedMode
    tolerance: timedelta
    max_buffered_klv: int
    max_buffered_video: int
    link_klv_to_video: bool

    def __init__(
        self,
        mode: _RealtimeMode | _BufferedMode = PairerMode.Realtime,
        tolerance: timedelta = timedelta(milliseconds=300),
        max_buffered_klv: int = 32,
        max_buffered_video: int = 32,
        link_klv_to_video: bool = True,
    ) -> None:
        if not isinstance(mode, (_RealtimeMode, _BufferedMode)):
            raise TypeError("PairerConfig.mode must be PairerMode.Realtime or PairerMode.Buffered(...)")
        if not isinstance(tolerance, timedelta):
            raise TypeError("PairerConfig.tolerance must be a datetime.timedelta")
        _check_count("max_buffered_klv", max_buffered_klv)
        _check_count("max_buffered_video", max_buffered_video)
        if max_buffered_klv <= 0:
            raise ValueError("PairerConfig.max_buffered_klv must be > 0")
        if max_buffered_video <= 0 and isinstance(mode, _BufferedMode):
            raise ValueError("PairerConfig.max_buffered_video must be > 0 in Buffered mode")
        _set(self, "mode", mode)
        _set(self, "tolerance", tolerance)
        _set(self, "max_buffered_klv", max_buffered_klv)
        _set(self, "max_buffered_video", max_buffered_video)
        _set(self, "link_klv_to_video", link_klv_to_video)


class PairingDemuxerConfig(Value):
    """The two halves of a :class:`Pairer`; ``demuxer`` None means the demuxer's defaults."""

    __slots__ = ("pairer", "demuxer")
    pairer: PairerConfig
    demuxer: DemuxerConfig | None

    def __init__(
        self,
        pairer: PairerConfig = PairerConfig(),  # noqa: B008 (immutable)
        demuxer: DemuxerConfig | None = None,
    ) -> None:
        _set(self, "pairer", pairer)
        _set(self, "demuxer", demuxer)


class VideoSample(_VideoFields):
    """A picture; the attributes are those of ``DemuxEvent.Video``."""

    __slots__ = ()


class KlvSample(_KlvFields):
    """A KLV record; the attributes are those of ``DemuxEvent.Klv``."""

    __slots__ = ()
    __match_args__ = ("stream", "pts", "kind", "payload")
    if not TYPE_CHECKING:
        __dataclass_fields__ = _Description()
        __dataclass_params__ = _Description()

    def __init__(self, stream: StreamId, pts: Pts90khz, kind: MetadataKindTag, payload: bytes) -> None:
        _set_state(self, (None, (stream, pts, kind, payload), None))


class PairerOutput(Value):
    """Base of what a pairer puts out; the kinds are its attributes."""

    __slots__ = ()

    if TYPE_CHECKING:
        Paired: TypeAlias = "_Paired"
        UnpairedVideo: TypeAlias = "_UnpairedVideo"
        UnpairedKlv: TypeAlias = "_UnpairedKlv"
        PassThrough: TypeAlias = "_PassThrough"


class _Paired(PairerOutput):
    """A picture and the record nearest in time. The record may appear again with the next picture."""

    __slots__ = ("video", "klv")
    video: VideoSample
    klv: KlvSample

    def __init__(self, video: VideoSample, klv: KlvSample) -> None:
        _set(self, "video", video)
        _set(self, "klv", klv)


class _UnpairedVideo(PairerOutput):
    """A picture that no record came near enough to."""

    __slots__ = ("video",)
    video: VideoSample

    def __init__(self, video: VideoSample) -> None:
        _set(self, "video", video)


class _UnpairedKlv(PairerOutput):
    """A record that left without ever having been paired."""

    __slots__ = ("klv",)
    klv: KlvSample

    def __init__(self, klv: KlvSample) -> None:
        _set(self, "klv", klv)


class _PassThrough(PairerOutput):
    """An event that is neither of the video PID nor of the KLV PID, as the demuxer gave it."""

    __slots__ = ("event",)
    event: DemuxEvent

    def __init__(self, event: DemuxEvent) -> None:
        _set(self, "event", event)


if not TYPE_CHECKING:
    PairerOutput.Paired = _Paired
    PairerOutput.UnpairedVideo = _UnpairedVideo
    PairerOutput.UnpairedKlv = _UnpairedKlv
    PairerOutput.PassThrough = _PassThrough

_MICROSECOND = timedelta(microseconds=1)
#: A span no two timestamps are apart.
_FOREVER = (1 << 63) - 1


def _ticks(name: str, span: timedelta) -> int:
    """Whole ticks of 1/90000 s: distances are whole ticks, so what is cut off changes no comparison."""
    if span < timedelta(0):
        raise ValueError(f"{name} must not be negative")
    return min(span // _MICROSECOND * 9 // 100, _FOREVER)


def _pid(name: str, value: int) -> int:
    pid = index(value)
    if not 0 <= pid <= 0xFFFF:
        raise OverflowError(f"{name} {value} does not fit 16 bits")
    return pid


class Pairer:
    """A demuxer whose pictures and KLV records come out in pairs.

    A muxed picture without a length completes only when the next one begins, so its output appears one
    picture late, the last one at :meth:`flush`. For one thread at a time.

    Args:
        video_pid: PID of the pictures.
        klv_pid: PID of the KLV records.
        config: how to pair, and how to demux.
    """

    __slots__ = ("__weakref__", "_feeder", "_held", "_pairer")
    _feeder: Feeder
    _pairer: PairerHandle
    # What a number the native pairer holds stands for.
    _held: dict[int, _Record]

    def __init__(self, video_pid: int, klv_pid: int, config: PairingDemuxerConfig | None = None) -> None:
        if config is None:
            config = PairingDemuxerConfig()
        pairer, demuxer = config.pairer, config.demuxer
        mode = pairer.mode
        parameters = {
            "video_pid": _pid("video_pid", video_pid),
            "klv_pid": _pid("klv_pid", klv_pid),
            "tolerance_90k": _ticks("tolerance", pairer.tolerance),
            "max_buffered_klv": pairer.max_buffered_klv,
        }
        if isinstance(mode, _BufferedMode):
            parameters["mode"] = 1
            parameters["max_lag_90k"] = _ticks("max_lag", mode.max_lag)
            parameters["max_buffered_video"] = pairer.max_buffered_video

        from ._native.mpegts_lib import Feeder
        from ._native.pipeline_lib import PairerHandle

        self._feeder = Feeder(demuxer)
        self._pairer = PairerHandle(parameters)
        self._held = {}

    def feed(self, data: object) -> list[PairerOutput]:
        """Parse input, whatever ``bytes()`` accepts, and give what is decided by it, in order.

        Raises:
            DemuxError: as from ``Demuxer.feed``.
        """
        self._feeder.feed(data)
        return self._drain([])

    def flush(self) -> list[PairerOutput]:
        """End the input: what the demuxer still has, then waiting pictures, then records never paired."""
        self._feeder.flush()
        out = self._drain([])
        self._tell(out, self._pairer.flush(), 0, [])
        return out

    def _drain(self, out: list[PairerOutput]) -> list[PairerOutput]:
        while self._feeder.pending:
            batch = self._feeder.read()
            if batch is None:
                break
            first, verdicts = self._pairer.push(batch)
            self._tell(out, verdicts, first, batch.all())
        return out

    def _tell(
        self,
        out: list[PairerOutput],
        verdicts: Iterator[tuple[int, int, int, int]],
        first: int,
        events: list[DemuxEvent],
    ) -> None:
        held = self._held
        for i, event in enumerate(events):
            if type(event) is DemuxEvent.Video:
                sample: _Record = object.__new__(VideoSample)
            elif type(event) is DemuxEvent.Klv:
                sample = object.__new__(KlvSample)
            else:
                continue
            _set_state(sample, event._state)
            held[first + i] = sample
        for video, klv, verdict, _ in verdicts:
            if verdict == 1:
                out.append(_Paired(held.pop(video), held[klv]))  # type: ignore[arg-type]
            elif verdict == 2:
                out.append(_UnpairedVideo(held.pop(video)))  # type: ignore[arg-type]
            elif verdict == 3:
                out.append(_UnpairedKlv(held.pop(klv)))  # type: ignore[arg-type]
            elif verdict == 4:
                del held[klv]
            else:
                held.pop(video, None)
                out.append(_PassThrough(events[video - first]))

    def stats(self) -> dict[str, int]:
        """Outputs of each kind since the start or the last reset."""
        s = self._pairer.stats()
        return {
            "paired": s.paired,
            "unpaired_video": s.unpaired_video,
            "unpaired_klv": s.unpaired_klv,
            "pass_through": s.pass_through,
        }

    def reset_stats(self) -> None:
        """The counters of :meth:`stats` go to zero; those of the demuxer stay."""
        self._pairer.reset_stats()

    def demuxer_stats(self) -> dict[str, int]:
        """The counters of the demuxer inside, as ``Demuxer.stats`` gives them."""
        from .mpegts._demuxer import stats_dict

        return stats_dict(self._feeder)
