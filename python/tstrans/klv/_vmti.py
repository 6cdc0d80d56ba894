"""Video moving target indicators (MISB ST 0903.6): reading and writing the set and those nested in it."""

from __future__ import annotations

from operator import index

from .._native import klv_lib as lib
from .._value import Value
from ._input import expect, octets
from ._layout import unknown_items
from ._packs import plain
from ._values import field_errors, made
from ._vmti_parts import (
    VAlgorithm,
    VChip,
    VFeature,
    VLocation,
    VMask,
    VMaskRun,
    VMotion,
    VObject,
    VOntology,
    VTracker,
)
from ._vmti_sets import VmtiLs, VTargetPack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

__all__ = [
    "VAlgorithm",
    "VChip",
    "VFeature",
    "VLocation",
    "VMask",
    "VMaskRun",
    "VMotion",
    "VObject",
    "VOntology",
    "VTargetPack",
    "VTracker",
    "VmtiLs",
    "decode_algorithm_series",
    "decode_ontology_series",
    "decode_vchip",
    "decode_vchip_series",
    "decode_vfeature",
    "decode_vlocation",
    "decode_vlocation_series",
    "decode_vmask",
    "decode_vmti",
    "decode_vobject",
    "decode_vobject_series",
    "decode_vtracker",
    "encode_algorithm_series",
    "encode_ontology_series",
    "encode_vchip",
    "encode_vchip_series",
    "encode_vfeature",
    "encode_vlocation",
    "encode_vlocation_series",
    "encode_vmask",
    "encode_vmti",
    "encode_vmti_standalone",
    "encode_vmti_standalone_strict_compliance",
    "encode_vmti_strict_compliance",
    "encode_vobject",
    "encode_vobject_series",
    "encode_vtracker",
]

_VMTI = 4
_COMPLIANCE, _STANDALONE = 1, 4


def _locations(v: Any) -> tuple[VLocation, ...]:
    return tuple([VLocation(*e) for e in v])


def _feature(v: Any) -> VFeature:
    return made(VFeature, *v[:-1], field_errors(v[-1]))


def _chip(v: Any) -> VChip:
    return made(VChip, *v[:-1], field_errors(v[-1]))


def _location(v: Any) -> VLocation:
    return VLocation(*v)


def _chips(v: Any) -> tuple[VChip, ...]:
    return tuple([_chip(e) for e in v])


def _objects(v: Any) -> tuple[VObject, ...]:
    return tuple([_object(e) for e in v])


def _algorithms(v: Any) -> tuple[VAlgorithm, ...]:
    return tuple([made(VAlgorithm, *e[:-1], field_errors(e[-1])) for e in v])


def _ontologies(v: Any) -> tuple[VOntology, ...]:
    return tuple([made(VOntology, *e[:-1], field_errors(e[-1])) for e in v])


def _motion(v: Any) -> VMotion | None:
    return None if v is None else VMotion(*v)


def _mask(v: Any) -> VMask:
    return VMask(v[0], tuple([VMaskRun(*e) for e in v[1]]), v[2], field_errors(v[3]))


def _object(v: Any) -> VObject:
    return made(VObject, *v[:4], tuple([_feature(e) for e in v[4]]), v[5], field_errors(v[6]))


def _tracker(v: Any) -> VTracker:
    return made(
        VTracker,
        *v[:4],
        _locations(v[4]),
        *v[5:8],
        _locations(v[8]),
        _motion(v[9]),
        _motion(v[10]),
        v[11],
        v[12],
        field_errors(v[13]),
    )


def _bare(v: Any) -> Any:
    """A record as the library takes it: unknown items checked, field errors left behind."""
    if isinstance(v, (VLocation, VMotion, VMaskRun)):
        return plain(v)
    if isinstance(v, Value):
        fields = [_bare(getattr(v, n)) for n in v.__match_args__[:-2]]
        return (*fields, unknown_items(getattr(v, "unknown", ())), ())
    if isinstance(v, (tuple, list)):
        return tuple([_bare(e) for e in v])
    return plain(v)


def _target(v: Any) -> VTargetPack:
    return made(VTargetPack, *v[:-1], field_errors(v[-1]))


_TARGETS = 12


def record(v: Any) -> VmtiLs:
    """The record of its tree form."""
    return made(
        VmtiLs,
        *v[:_TARGETS],
        tuple([_target(t) for t in v[_TARGETS]]),
        *v[_TARGETS + 1 : -1],
        field_errors(v[-1]),
    )


_WIDE = {
    "version_number": 16,
    "total_targets_in_frame": 32,
    "num_targets_reported": 32,
    "frame_width": 32,
    "frame_height": 32,
}


def _tree(r: VmtiLs) -> Any:
    for name, bits in _WIDE.items():
        n = getattr(r, name)
        if n is not None and not 0 <= index(n) < 1 << bits:
            raise OverflowError(f"{name}: {n} does not fit {bits} bits")
    for t in r.targets:
        expect(t, VTargetPack, "target_id")
    return _bare(r)


def decode_vmti(buf: Buffer, *, strict: bool = False) -> VmtiLs:
    """A set's body as ST 0601 item 74 carries it. Strict refuses field errors and repeated items and asks
    for 4 and 6.
    """
    return record(lib.decode_set(_VMTI, octets(buf), bool(strict)))


def encode_vmti(record: VmtiLs) -> bytes:
    """The body of a set, without checksum."""
    return lib.encode_set(_VMTI, _tree(record))


def encode_vmti_standalone(record: VmtiLs) -> bytes:
    """A whole set with label, length and checksum."""
    return lib.encode_set(_VMTI, _tree(record), _STANDALONE)


def encode_vmti_strict_compliance(record: VmtiLs) -> bytes:
    """The body of a set that has items 4 and 6, unique target ids, and no empty target."""
    return lib.encode_set(_VMTI, _tree(record), _COMPLIANCE)


def encode_vmti_standalone_strict_compliance(record: VmtiLs) -> bytes:
    """A whole set that also has items 2, 11, 12 and 13, and no offsets from a frame centre it does not
    know.
    """
    return lib.encode_set(_VMTI, _tree(record), _COMPLIANCE | _STANDALONE)


def decode_vmask(buf: Buffer) -> VMask:
    """The bytes of item 101 of a target, typed."""
    return _mask(lib.decode_set(6, octets(buf)))


def encode_vmask(record: VMask) -> bytes:
    """The inverse of `decode_vmask`."""
    return lib.encode_set(6, _bare(record))


def decode_vobject(buf: Buffer) -> VObject:
    """The bytes of an object, typed."""
    return _object(lib.decode_set(7, octets(buf)))


def encode_vobject(record: VObject) -> bytes:
    """The inverse of `decode_vobject`."""
    return lib.encode_set(7, _bare(record))


def decode_vfeature(buf: Buffer) -> VFeature:
    """The bytes of a feature of an object, typed."""
    return _feature(lib.decode_set(8, octets(buf)))


def encode_vfeature(record: VFeature) -> bytes:
    """The inverse of `decode_vfeature`."""
    return lib.encode_set(8, _bare(record))


def decode_vtracker(buf: Buffer) -> VTracker:
    """The bytes of item 104 of a target, typed."""
    return _tracker(lib.decode_set(9, octets(buf)))


def encode_vtracker(record: VTracker) -> bytes:
    """The inverse of `decode_vtracker`."""
    return lib.encode_set(9, _bare(record))


def decode_vchip(buf: Buffer) -> VChip:
    """The bytes of item 105 of a target, typed."""
    return _chip(lib.decode_set(10, octets(buf)))


def encode_vchip(record: VChip) -> bytes:
    """The inverse of `decode_vchip`."""
    return lib.encode_set(10, _bare(record))


def decode_vlocation(buf: Buffer) -> VLocation:
    """The bytes of item 17 of a target, typed."""
    return _location(lib.decode_set(13, octets(buf)))


def encode_vlocation(record: VLocation) -> bytes:
    """The inverse of `decode_vlocation`."""
    return lib.encode_set(13, _bare(record))


def decode_vchip_series(buf: Buffer) -> tuple[VChip, ...]:
    """The bytes of item 106 of a target, typed."""
    return _chips(lib.decode_set(14, octets(buf)))


def encode_vchip_series(records: tuple[VChip, ...]) -> bytes:
    """The inverse of `decode_vchip_series`."""
    return lib.encode_set(14, _bare(records))


def decode_vobject_series(buf: Buffer) -> tuple[VObject, ...]:
    """The bytes of item 107 of a target, typed."""
    return _objects(lib.decode_set(15, octets(buf)))


def encode_vobject_series(records: tuple[VObject, ...]) -> bytes:
    """The inverse of `decode_vobject_series`."""
    return lib.encode_set(15, _bare(records))


def decode_algorithm_series(buf: Buffer) -> tuple[VAlgorithm, ...]:
    """The bytes of item 102 of the set, typed."""
    return _algorithms(lib.decode_set(16, octets(buf)))


def encode_algorithm_series(records: tuple[VAlgorithm, ...]) -> bytes:
    """The inverse of `decode_algorithm_series`."""
    return lib.encode_set(16, _bare(records))


def decode_ontology_series(buf: Buffer) -> tuple[VOntology, ...]:
    """The bytes of item 103 of the set, typed."""
    return _ontologies(lib.decode_set(17, octets(buf)))


def encode_ontology_series(records: tuple[VOntology, ...]) -> bytes:
    """The inverse of `decode_ontology_series`."""
    return lib.encode_set(17, _bare(records))


def decode_vlocation_series(buf: Buffer) -> tuple[VLocation, ...]:
    """The bytes of item 18 of a target, typed."""
    return _locations(lib.decode_set(18, octets(buf)))


def encode_vlocation_series(records: tuple[VLocation, ...]) -> bytes:
    """The inverse of `decode_vlocation_series`."""
    return lib.encode_set(18, _bare(records))
