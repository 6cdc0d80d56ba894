"""The KLV of a file, raw or decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

from ..exceptions import KlvError, KlvErrorKind
from ..mpegts._config import DemuxerConfig
from ..mpegts._events import DemuxEvent, _KlvEvent
from ..mpegts._values import Pts90khz
from ._read import Source, batches

if TYPE_CHECKING:
    from ..klv import PrecisionTimeStampPack, SecurityLs, UasDatalinkLs, VmtiLs

    Record = UasDatalinkLs | SecurityLs | PrecisionTimeStampPack | VmtiLs

__all__ = ["extract_klv", "iter_uas_datalink"]

_KLV = 5


def _klv_events(path: Source, config: DemuxerConfig | None) -> Iterator[_KlvEvent]:
    klv = DemuxEvent.Klv
    for batch in batches(path, config):
        if _KLV in batch.byte[32::64]:
            for event in batch.events():
                if type(event) is klv:
                    yield event


@overload
def extract_klv(
    path: Source,
    *,
    with_pts: Literal[False] = ...,
    parsed: Literal[False] = ...,
    skip_unknown: bool = ...,
    skip_malformed: bool = ...,
    config: DemuxerConfig | None = ...,
) -> Iterator[bytes]: ...
@overload
def extract_klv(
    path: Source,
    *,
    with_pts: Literal[True],
    parsed: Literal[False] = ...,
    skip_unknown: bool = ...,
    skip_malformed: bool = ...,
    config: DemuxerConfig | None = ...,
) -> Iterator[tuple[Pts90khz, bytes]]: ...
@overload
def extract_klv(
    path: Source,
    *,
    with_pts: bool = ...,
    parsed: bool = ...,
    skip_unknown: bool = ...,
    skip_malformed: bool = ...,
    config: DemuxerConfig | None = ...,
) -> Iterator[Any]: ...
def extract_klv(
    path: Source,
    *,
    with_pts: bool = False,
    parsed: bool = False,
    skip_unknown: bool = True,
    skip_malformed: bool = False,
    config: DemuxerConfig | None = None,
) -> Iterator[Any]:
    """Every KLV unit of a transport stream, synchronous and asynchronous, in order.

    Args:
        path: a path, a binary file object, or the bytes themselves.
        with_pts: yield ``(Pts90khz, item)``; the time is 0 where the PES carried none.
        parsed: decode to typed records rather than yield bytes.
        skip_unknown: leave out units of an unknown universal label; else they appear as None.
        skip_malformed: leave out malformed units of a known set; else ``KlvError`` ends the loop.
        config: as for ``parse_file``.
    """
    if parsed:
        from ..klv import parse_klv_universal
    for event in _klv_events(path, config):
        item: Any = event.payload
        if parsed:
            try:
                item = parse_klv_universal(item)
            except KlvError:
                if skip_malformed:
                    continue
                raise
            if item is None and skip_unknown:
                continue
        yield (event.pts, item) if with_pts else item


def iter_uas_datalink(
    path: Source, *, strict: bool = False, config: DemuxerConfig | None = None
) -> Iterator[tuple[Pts90khz, int, UasDatalinkLs]]:
    """The UAS datalink records (MISB ST 0601) of a transport stream.

    Yields the time, the running number among all KLV units of the stream (other sets count too), and the
    record. Units of other sets are passed over.

    Args:
        path: a path, a binary file object, or the bytes themselves.
        strict: decode strictly.
        config: as for ``parse_file``.

    Raises:
        KlvError: a unit shorter than a universal label, or a malformed ST 0601 set.
    """
    from ..klv import decode_uas_datalink, is_st0601_family

    for index, event in enumerate(_klv_events(path, config)):
        payload = event.payload
        if len(payload) < 16:
            raise KlvError(
                kind=KlvErrorKind.BAD_UNIVERSAL_LABEL,
                message=f"KLV unit {index} has {len(payload)} bytes, a universal label has 16",
            )
        if is_st0601_family(payload):
            yield event.pts, index, decode_uas_datalink(payload, strict=strict)
