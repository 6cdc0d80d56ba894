"""The KLV of a file, raw or decoded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal, overload

from ..exceptions import KlvError, KlvErrorKind
from ..mpegts._config import DemuxerConfig
from ..mpegts._events import Batch, DemuxEvent, _KlvEvent
from ..mpegts._values import Pts90khz
from ._read import batches

if TYPE_CHECKING:
    from ..klv import PrecisionTimeStampPack, SecurityLs, UasDatalinkLs, VmtiLs
    from ._read import Source

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

    index = 0
    for batch in batches(path, config):
        units = _units_of(batch)
        if units is not None:
            yield from _decoded(batch.arena, units, index, strict)
            index += len(units[0])
            continue
        for event in batch.events():
            if type(event) is not _KlvEvent:
                continue
            payload = event.payload
            if len(payload) < _LABEL_SIZE:
                raise KlvError(
                    kind=KlvErrorKind.BAD_UNIVERSAL_LABEL,
                    message=f"KLV unit {index} has {len(payload)} bytes, a universal label has 16",
                )
            if is_st0601_family(payload):
                yield event.pts, index, decode_uas_datalink(payload, strict=strict)
            index += 1


_LABEL_SIZE = 16
_F_LAZY = 1

_new = object.__new__
_set_raw = Pts90khz.__dict__["raw"].__set__


def _units_of(batch: Batch) -> tuple[list[int], list[int], list[int]] | None:
    """(times, places in the arena, lengths) of a batch's KLV units, if all are there and of ST 0601."""
    from ..klv import is_st0601_family

    chosen = [k == _KLV for k in batch.byte[32::64]]
    starts = list(compress(batch.word[4::16].tolist(), chosen))
    sizes = list(compress(batch.word[5::16].tolist(), chosen))
    if not starts:
        return [], [], []
    if batch.chunk is not None and any(f & _F_LAZY for f in compress(batch.half[17::32].tolist(), chosen)):
        return None
    arena = batch.arena
    labels = {arena[s : s + _LABEL_SIZE] for s in starts}
    if min(sizes) < _LABEL_SIZE or not all(map(is_st0601_family, labels)):
        return None
    return list(compress(batch.quad[0::8].tolist(), chosen)), starts, sizes


def _decoded(
    arena: bytes, units: tuple[list[int], list[int], list[int]], index: int, strict: bool
) -> Iterator[tuple[Pts90khz, int, UasDatalinkLs]]:
    """Records of units that lie in one piece of memory, decoded in one call."""
    from array import array

    from .._native.klv_lib import decode_many
    from ..klv import decode_uas_datalink
    from ..klv._uas import record_of

    times, starts, sizes = units
    if not starts:
        return
    out, places = decode_many(arena, array("Q", starts), array("Q", sizes), len(starts), int(strict))
    number = int.from_bytes
    for raw, start, size, at, status in zip(times, starts, sizes, places[0::2], places[1::2], strict=True):
        if status:
            decode_uas_datalink(arena[start : start + size], strict=strict)  # raises what is wrong with it
        pts = _new(Pts90khz)
        _set_raw(pts, raw)
        yield pts, index, record_of(out[at : at + number(out[at : at + 4], "little")])
        index += 1
