"""ST 0601 records: decode, encode, edit in place; dispatch by universal label."""

from __future__ import annotations

from .._native.klv_lib import decode_block, decode_many, encode_block, patch_block
from ._const import PRECISION_TIMESTAMP_PACK_UL, SECURITY_LS_UL, VMTI_LS_UL, is_st0601_family
from ._input import expect, octets
from ._layout import NAMES, block_of
from ._uas import UasDatalinkLs, new_record, record_of, set_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar

    from typing_extensions import Buffer

    from ._security import SecurityLs
    from ._time import PrecisionTimeStampPack
    from ._vmti import VmtiLs

__all__ = [
    "OutOfRangePolicy",
    "decode_uas_datalink",
    "decode_uas_datalink_batch",
    "encode_uas_datalink",
    "encode_uas_datalink_strict_compliance",
    "parse_klv_universal",
    "patch_uas_datalink",
    "st0601_sentinel_meaning",
]

_COMPLIANCE, _MARK = 1, 2


class OutOfRangePolicy:
    """What an encoder does with a value out of range: ERROR, or INDICATOR to write the standard's mark for
    it.
    """

    __module__ = "tstrans.klv"
    __slots__ = ("_name",)
    ERROR: ClassVar[OutOfRangePolicy]
    INDICATOR: ClassVar[OutOfRangePolicy]
    _name: str

    def __repr__(self) -> str:
        return f"OutOfRangePolicy.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (OutOfRangePolicy, self._name)


def _policy(name: str) -> OutOfRangePolicy:
    p = OutOfRangePolicy()
    p._name = name
    return p


OutOfRangePolicy.ERROR = _policy("ERROR")
OutOfRangePolicy.INDICATOR = _policy("INDICATOR")


def decode_uas_datalink(buf: Buffer, *, strict: bool = False, compliance: bool = False) -> UasDatalinkLs:
    """Decode a whole ST 0601 record: label, length, items, checksum.

    `strict` asks for a label of the ST 0601 family; `compliance` asks besides for item 2 first, item 1
    last and
    item 65. What is wrong with single items is told in `field_errors`; a broken structure or checksum raises
    KlvError. Bytes behind the record are ignored.
    """
    if type(buf) is not bytes:
        buf = octets(buf)
    record = new_record(UasDatalinkLs)
    set_block(record, decode_block(buf, 2 if compliance else 1 if strict else 0))
    return record


def decode_uas_datalink_batch(
    data: Buffer,
    offsets: Sequence[int],
    lengths: Sequence[int],
    *,
    strict: bool = False,
    compliance: bool = False,
) -> list[UasDatalinkLs | None]:
    """Decode many records that lie in one buffer, in one call; None stands for one that cannot be decoded."""
    from array import array

    n = len(offsets)
    if n != len(lengths):
        raise ValueError("offsets and lengths differ in number")
    o, ln = array("Q", offsets), array("Q", lengths)
    out, index = decode_many(data, o, ln, n, 2 if compliance else 1 if strict else 0)
    records: list[UasDatalinkLs | None] = []
    for at, status in zip(index[0::2], index[1::2], strict=True):
        if status:
            records.append(None)
            continue
        size = int.from_bytes(out[at : at + 4], "little")
        records.append(record_of(out[at : at + size]))
    return records


def encode_uas_datalink(
    record: UasDatalinkLs, *, out_of_range_policy: OutOfRangePolicy | None = None
) -> bytes:
    """A whole record: items ascending by tag, then the unknown items, then the checksum.

    The label is always that of ST 0601; item 65 defaults to 19. With `OutOfRangePolicy.INDICATOR` items that
    have a mark for it get that instead of an error when a value is out of range.
    """
    if type(record) is not UasDatalinkLs and not isinstance(record, UasDatalinkLs):
        raise AttributeError(f"{type(record).__name__!r} object has no attribute 'universal_label'")
    return encode_block(record._as_block(), _MARK if out_of_range_policy is OutOfRangePolicy.INDICATOR else 0)


def encode_uas_fields(fields: dict[str, Any]) -> bytes:
    """`encode_uas_datalink` of the record that has these fields, without making one."""
    return encode_block(block_of(fields), 0)


def encode_uas_datalink_strict_compliance(record: UasDatalinkLs) -> bytes:
    """As `encode_uas_datalink`, and `timestamp_us` must be there."""
    if not isinstance(record, UasDatalinkLs):
        raise AttributeError(f"{type(record).__name__!r} object has no attribute 'universal_label'")
    return encode_block(record._as_block(), _COMPLIANCE)


_FIELDS = frozenset(NAMES)


def patch_uas_datalink(raw: Buffer, edits: UasDatalinkLs | dict[str, Any]) -> bytes:
    """A copy of a record with some items replaced or added; all other items keep their bytes.

    `edits` is a dict of field names, or a partial record; None leaves an item as it is. The checksum is
    computed
    anew where the record has one.
    """
    if isinstance(edits, UasDatalinkLs):
        block = edits._as_block()
    else:
        expect(edits, dict, "universal_label")
        if not _FIELDS.issuperset(edits):
            raise TypeError(f"unknown fields: {', '.join(sorted(map(repr, set(edits) - _FIELDS)))}")
        block = block_of(edits)
    return patch_block(raw if type(raw) is bytes else octets(raw), block, 0)


_MEANING = {
    **dict.fromkeys((6, 7, 50, 51, 52, 79, 80, 90, 91, 92, 93), "out_of_range"),
    **dict.fromkeys((13, 14, 19, 67, 68), "reserved"),
    **dict.fromkeys((23, 24, *range(26, 34), 40, 41, *range(82, 90)), "not_available"),
}


def st0601_sentinel_meaning(tag: int) -> str | None:
    """What the reserved value of a signed item means: "out_of_range", "reserved" or "not_available"."""
    return _MEANING.get(tag)


_STANDALONE_EXACT = 256 | 512


def _security(buf: bytes, strict: bool) -> SecurityLs:
    from .._native.klv_lib import decode_set
    from ._security import record

    return record(decode_set(2, buf, strict | _STANDALONE_EXACT))


def _vmti(buf: bytes, strict: bool) -> VmtiLs:
    from .._native.klv_lib import decode_set
    from ._vmti import record

    return record(decode_set(4, buf, strict | _STANDALONE_EXACT))


def _time(buf: bytes, strict: bool) -> PrecisionTimeStampPack:
    from ._time import decode_precision_timestamp

    return decode_precision_timestamp(buf)


_BY_LABEL: dict[bytes, Callable[[bytes, bool], Any]] = {
    SECURITY_LS_UL: _security,
    VMTI_LS_UL: _vmti,
    PRECISION_TIMESTAMP_PACK_UL: _time,
}


def parse_klv_universal(
    buf: Buffer, *, strict: bool = False
) -> UasDatalinkLs | SecurityLs | PrecisionTimeStampPack | VmtiLs | None:
    """Decode whatever set `buf` begins with: ST 0601, 0102, 0605 or 0903; None for another label."""
    b = buf if type(buf) is bytes else octets(buf)
    if len(b) < 16:
        from ..exceptions import KlvError, KlvErrorKind

        raise KlvError(
            kind=KlvErrorKind.BAD_UNIVERSAL_LABEL,
            message=f"{len(b)} bytes are shorter than a universal label",
        )
    other = _BY_LABEL.get(b[:16])
    if other is not None:
        return other(b, strict)  # type: ignore[no-any-return]
    if is_st0601_family(b):
        return record_of(decode_block(b, 1 if strict else 0))
    return None
