"""Record blocks to fields and back, at C speed.

A block (include/tstrans/klv.h) begins with the list of its field indices. Records of one source have the same
list, packet after packet; so Python keeps, per list, one compiled `Struct` that reads all numbers at once and
a template of all the fields that are not there. A list that comes back often also gets a function written for
it: an assignment to a list of targets is the fastest way to fill a dictionary.
"""

from __future__ import annotations

import marshal
from struct import Struct
from struct import error as struct_error

from ._uas_fields import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["NAMES", "block_of", "fields_of", "fillers_get"]

#: Field names in the order of the record.
NAMES: tuple[str, ...] = (
    "universal_label",
    "declared_version",
    *(f[0] for f in FIELDS),
    "unknown",
    "field_errors",
    "sentinel_tags",
    "imapb_specials",
)

_CODES = "dQqQQQ"

#: Fields that hold whole numbers.
INTEGERS = frozenset(f[0] for f in FIELDS if f[2] in (1, 2))
_HEADER = 32
_SIZES = Struct("<I4xI").unpack_from
_EMPTY: dict[str, Any] = dict.fromkeys(NAMES)
_EMPTY.update(
    universal_label=bytes(16), declared_version=0, unknown=(), field_errors=(), sentinel_tags=(),
    imapb_specials=(),
    control_commands=(), sdcc_flps=(),
)  # fmt: skip

# How often a list of fields must come before a function is written for it, and how many lists are kept.
_WARM = 32
_MOST = 256


class Layout:
    """What is known about records with one list of fields."""

    __slots__ = ("data", "data_at", "enums", "names", "numbers", "state", "unpack", "uses")

    def __init__(self, signature: bytes) -> None:
        n = len(signature)
        rows = [FIELDS[i] for i in signature]
        numbers = [r for r in rows if r[2] < 3]
        self.numbers = [r[0] for r in numbers]
        self.names = [r[0] for r in rows]
        self.data = [(r[0], r[2]) for r in rows[len(numbers) :]]
        at = _HEADER + (n + 7) // 8 * 8
        self.data_at = at + 8 * len(numbers)
        codes = "".join(_CODES[r[2]] for r in numbers)
        self.unpack = Struct(f"<{at}x{codes}").unpack_from
        self.enums = [(r[0], _members(r[5])) for r in numbers if r[5]]
        self.uses = 0
        #: The header, all bytes that are not numbers, where those end, and the fields that both give.
        self.state: tuple[bytes, bytes, int, dict[str, Any]] = (b"", b"", 0, {})

    def template(self, block: bytes, end: int) -> dict[str, Any]:
        """The fields without the numbers. Text seldom changes, so the last ones are kept."""
        head = block[:_HEADER]
        region = block[self.data_at : end]
        known, kept, _, fields = self.state
        if region == kept and head == known:
            return fields
        fields = _EMPTY.copy()
        label = head[16:]
        fields["universal_label"] = label
        fields["declared_version"] = label[13]
        at = self.data_at
        for name, cls in self.data:
            o = int.from_bytes(block[at : at + 4], "little")
            v: Any = block[o : o + int.from_bytes(block[at + 4 : at + 8], "little")]
            at += 8
            if cls == 3:
                v = v.decode()
            elif cls == 5:
                v = _structured(name, marshal.loads(v))
            fields[name] = v
        self.state = (head, region, end, fields)
        return fields

    def fill(self, block: bytes) -> dict[str, Any]:
        """All fields of a block with this list."""
        size, extras = _SIZES(block)
        fields = self.template(block, extras or size).copy()
        fields.update(zip(self.numbers, self.unpack(block), strict=True))
        for name, members in self.enums:
            v = fields[name]
            fields[name] = members.get(v, v)
        if extras:
            _extras(fields, marshal.loads(block[extras:]))
        self.uses += 1
        if self.uses == _WARM:
            self.write()
        return fields

    def write(self) -> None:
        """Replace `fill` in the cache by a function written for this list."""
        targets = "".join(f"f[{n!r}], " for n in self.numbers)
        lines = [
            "def fill(b):",
            "    head, region, end, known = layout.state",
            # The header holds the size, where extras begin (0 for none) and the label.
            f"    if b[:{_HEADER}] != head or head[8:12] != none or b[{self.data_at}:end] != region:",
            "        return slow(b)",
            "    f = known.copy()",
            f"    ({targets}) = unpack(b)" if targets else "    pass",
            *(f"    f[{n!r}] = e{i}.get(f[{n!r}], f[{n!r}])" for i, (n, _) in enumerate(self.enums)),
            "    return f",
        ]
        space: dict[str, Any] = {"layout": self, "unpack": self.unpack, "slow": self.fill, "none": bytes(4)}
        space.update((f"e{i}", m) for i, (_, m) in enumerate(self.enums))
        exec("\n".join(lines), space)
        for signature, known in list(_fillers.items()):
            if getattr(known, "__self__", None) is self:
                _fillers[signature] = space["fill"]
                break


_fillers: dict[bytes, Callable[[bytes], dict[str, Any]]] = {}

#: The filler of a list of fields, None for one not met yet.
fillers_get = _fillers.get


def fields_of(block: bytes) -> dict[str, Any]:
    """All fields of a block, by name, in the order of the record."""
    signature = block[_HEADER : _HEADER + block[4]]
    fill = _fillers.get(signature)
    if fill is None:
        if len(_fillers) >= _MOST:
            _fillers.clear()
        fill = _fillers[signature] = Layout(signature).fill
    return fill(block)


def _members(name: str) -> dict[int, Any]:
    from . import _enums

    return {m.value: m for m in getattr(_enums, name)}


def _structured(name: str, value: Any) -> Any:
    from . import _packs

    return _packs.READ[name](value)


def _extras(fields: dict[str, Any], extras: Any) -> None:
    from ._values import field_error

    unknown, errors, sentinels, specials = extras[:4]
    fields["unknown"] = unknown
    fields["field_errors"] = tuple([field_error(e) for e in errors])
    fields["sentinel_tags"] = sentinels
    fields["imapb_specials"] = specials


# ---- the other way: a block of fields
# ------------------------------------------------------------------------

_INDEX = {f[0]: (i, f[2], f[5]) for i, f in enumerate(FIELDS)}
_NONE = (None, (), b"")


def block_of(fields: dict[str, Any]) -> bytes:
    """A block of the fields that are there. None, and the default of the structured tuples, is absent."""
    numbers: list[tuple[int, str, Any]] = []
    data: list[tuple[int, bytes]] = []
    for name, v in fields.items():
        if v is None:
            continue
        where = _INDEX.get(name)
        if where is None:
            continue
        index, cls, enum = where
        if cls < 3:
            numbers.append((index, _CODES[cls], getattr(v, "value", v) if enum else v))
        elif cls == 3:
            if not isinstance(v, str):
                raise TypeError(f"{name} must be str, not {type(v).__name__}")
            data.append((index, v.encode()))
        elif cls == 4:
            if isinstance(v, str) or not isinstance(v, (bytes, bytearray, memoryview)):
                raise TypeError(f"{name} must be bytes, not {type(v).__name__}")
            data.append((index, bytes(v)))
        elif name not in ("control_commands", "sdcc_flps") or not isinstance(v, tuple) or v:
            data.append((index, _plain(v)))
    n = len(numbers) + len(data)
    at = _HEADER + (n + 7) // 8 * 8 + 8 * n
    slots: list[int] = []
    for _, b in data:
        slots += (at, len(b))
        at += len(b)
    extras = _extras_tree(fields)
    size = at + len(extras)
    ul = fields.get("universal_label")
    head = _HEAD.pack(size, n, len(data), at if extras else 0, 0, ul if type(ul) is bytes else b"")
    signature = bytes([i for i, _, _ in numbers] + [i for i, _ in data])
    try:
        body = _struct("<" + "".join([c for _, c, _ in numbers]) + f"{len(slots)}I").pack(
            *[v for _, _, v in numbers], *slots
        )
    except struct_error:
        raise _number_error(numbers) from None
    return b"".join((head, signature, bytes(-n % 8), body, *[b for _, b in data], extras))


_HEAD = Struct("<IHHII16s")
_structs: dict[str, Struct] = {}


def _struct(codes: str) -> Struct:
    s = _structs.get(codes)
    if s is None:
        if len(_structs) >= _MOST:
            _structs.clear()
        s = _structs[codes] = Struct(codes)
    return s


def _number_error(numbers: list[tuple[int, str, Any]]) -> Exception:
    """Why a number could not be packed: it has the wrong type, or does not fit 64 bits."""
    for index, code, v in numbers:
        name = FIELDS[index][0]
        try:
            Struct("<" + code).pack(v)
        except struct_error:
            if isinstance(v, int) or hasattr(v, "__index__"):
                return OverflowError(f"{name}: {v} does not fit")
            kind = "a real number" if code == "d" else "an integer"
            return TypeError(f"{name} must be {kind}, not {type(v).__name__}")
        except OverflowError as e:
            return e
    return TypeError("a number of a wrong type")


def _plain(value: Any) -> bytes:
    from .._native.klv_lib import tree
    from ._packs import plain

    return tree(plain(value))


def _extras_tree(fields: dict[str, Any]) -> bytes:
    unknown = fields.get("unknown")
    sentinels = fields.get("sentinel_tags")
    specials = fields.get("imapb_specials")
    if not (unknown or sentinels or specials):
        if unknown is None or unknown == () or isinstance(unknown, (list, tuple)):
            return b""
        raise TypeError(f"unknown must be a tuple, not {type(unknown).__name__}")
    from .._native.klv_lib import tree

    if specials:
        specials = tuple([(t, str(code), int(payload)) for t, code, payload in specials])
    return tree((unknown_items(unknown or ()), (), tuple(sentinels or ()), specials or ()))


def unknown_items(unknown: Any) -> tuple[tuple[int, bytes], ...]:
    """Unknown items as they are written, checked."""
    out = []
    for e in unknown:
        try:
            tag, v = e
            if isinstance(v, str):
                raise TypeError("bytes expected")
            tag = tag.__index__()
            if not 0 <= tag < 1 << 64:
                raise OverflowError("the tag does not fit")
            out.append((tag, bytes(v)))
        except (TypeError, ValueError, OverflowError, AttributeError) as x:
            raise ValueError(f"unknown items must be 2-tuples of (int, bytes): {x}") from None
    return tuple(out)
