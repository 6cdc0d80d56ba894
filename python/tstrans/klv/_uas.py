"""The UAS Datalink Local Set record (MISB ST 0601.19)."""

from __future__ import annotations

from .._value import frozen_error
from . import _layout
from ._layout import NAMES, block_of, fields_of, fillers_get
from ._uas_fields import UasFields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._values import Attitude, Corners, FieldOfView, GeoPoint

    T = TypeVar("T")

__all__ = ["UasDatalinkLs"]

_put = object.__setattr__


class Field:
    # One field of the record class: what the class answers when asked for it, with its documentation (hence
    # none of its own). It has no setter, so the instance's dictionary comes first; it is asked only for a
    # record that was decoded and not read yet, and then reads all fields at once.
    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        from ._uas_docs import DOCS

        return DOCS.get(self.__name__) or _OWN_DOCS[self.__name__]

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        block = record._block
        fill = fillers_get(block[32 : 32 + block[4]])
        fields = fields_of(block) if fill is None else fill(block)
        _set_fields(record, fields)
        return fields[self.__name__]

    def __repr__(self) -> str:
        return f"<field {self.__name__!r} of 'UasDatalinkLs'>"


class _Description:
    """Makes ``__dataclass_fields__`` and ``__dataclass_params__`` when somebody looks."""

    __slots__ = ("_name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, record: object, owner: type) -> Any:
        import dataclasses
        import inspect

        parameters = inspect.signature(owner).parameters
        model = type(owner.__name__, (), {"__annotations__": {n: parameters[n].annotation for n in NAMES}})
        for n in NAMES:
            setattr(model, n, parameters[n].default)
        model = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=True)(model)
        made = getattr(model, self._name)
        if self._name == "__dataclass_params__":
            made.init = made.repr = made.eq = True
        setattr(owner, self._name, made)
        return made


if TYPE_CHECKING:
    _Base = UasFields
else:

    class _Base(UasFields):
        __slots__ = ("__dict__", "__weakref__", "_block")


class UasDatalinkLs(_Base):
    """One ST 0601 record: a frozen dataclass with a field an item; None where the record has no such item.

    `unknown` keeps items outside the table as (tag, bytes), `field_errors` tells which items could not be
    read,
    `sentinel_tags` which carry the reserved value of a signed item, `imapb_specials` which carry a special
    IMAPB
    value. Angles are in degrees, lengths in metres, speeds in m/s, times in microseconds of the MISP
    scale; the
    unit is part of the name, and `help(UasDatalinkLs.sensor_lat_deg)` gives range, resolution and citation.

    >>> from tstrans import klv
    >>> record = klv.UasDatalinkLs(timestamp_us=1_700_000_000_000_000, sensor_lat_deg=10.0)
    >>> klv.decode_uas_datalink(klv.encode_uas_datalink(record)).timestamp_us
    1700000000000000
    """

    if not TYPE_CHECKING:
        __module__ = "tstrans.klv"
        __match_args__ = NAMES
        __dataclass_fields__ = _Description()
        __dataclass_params__ = _Description()

        def _begin(self, values):
            label = values["universal_label"]
            if len(label) != 16:
                raise ValueError(f"UasDatalinkLs.universal_label must be exactly 16 bytes; got {len(label)}")
            _put(self, "__dict__", values)

        def __setattr__(self, name, value):
            raise frozen_error("assign to", name)

        def __delattr__(self, name):
            raise frozen_error("delete", name)

    def _fields(self) -> dict[str, Any]:
        fields = self.__dict__
        if not fields:
            fields = fields_of(self._block)  # type: ignore[attr-defined]
            _put(self, "__dict__", fields)
        return fields

    def _as_block(self) -> bytes:
        """The block of a record that came from the library, or one made of the fields."""
        try:
            return self._block  # type: ignore[attr-defined,no-any-return]
        except AttributeError:
            return block_of(self.__dict__)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**self._fields(), **changes})

    if not TYPE_CHECKING:

        def __eq__(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return self is other or self._fields() == other._fields()

        def __hash__(self):
            fields = self._fields()
            return hash(tuple([fields[n] for n in NAMES]))

        def __repr__(self):
            fields = self._fields()
            return "UasDatalinkLs(" + ", ".join([f"{n}={fields[n]!r}" for n in NAMES]) + ")"

        def __reduce__(self):
            try:
                return _restore, (self._block,)
            except AttributeError:
                fields = self.__dict__
                return type(self), tuple([fields[n] for n in NAMES])

        def __copy__(self):
            return self

        def __deepcopy__(self, memo):
            return self

    def sensor_position(self) -> GeoPoint | None:
        """Items 13, 14 and 15 together: degrees, metres above mean sea level. None when one is missing."""
        from ._values import GeoPoint

        return _whole(GeoPoint, self.sensor_lat_deg, self.sensor_lon_deg, self.sensor_alt_m)

    def frame_center(self) -> GeoPoint | None:
        """Items 23, 24 and 25 together: degrees, metres above mean sea level. None when one is missing."""
        from ._values import GeoPoint

        return _whole(
            GeoPoint, self.frame_center_lat_deg, self.frame_center_lon_deg, self.frame_center_elev_m
        )

    def platform_attitude(self) -> Attitude | None:
        """Items 5, 6 and 7 together, in degrees. None when one is missing."""
        from ._values import Attitude

        return _whole(Attitude, self.platform_heading_deg, self.platform_pitch_deg, self.platform_roll_deg)

    def sensor_attitude(self) -> Attitude | None:
        """Items 18, 19 and 20, relative to the platform, in degrees. None when one is missing."""
        from ._values import Attitude

        return _whole(Attitude, self.sensor_rel_az_deg, self.sensor_rel_el_deg, self.sensor_rel_roll_deg)

    def sensor_fov(self) -> FieldOfView | None:
        """Items 16 and 17 together, in degrees. None when one is missing."""
        from ._values import FieldOfView

        return _whole(FieldOfView, self.sensor_hfov_deg, self.sensor_vfov_deg)

    def corners(self) -> Corners | None:
        """The four corners as (latitude, longitude) in degrees, clockwise from the upper left.

        Items 82 to 89 when all are there, else the frame centre with the offsets of 26 to 33, else None.
        """
        from ._values import Corners

        fields = self._fields()
        points = [(fields[f"corner_lat_p{i}_deg"], fields[f"corner_lon_p{i}_deg"]) for i in _CORNERS]
        if any(None in p for p in points):
            lat, lon = fields["frame_center_lat_deg"], fields["frame_center_lon_deg"]
            offsets = [
                (fields[f"corner_lat_offset_p{i}_deg"], fields[f"corner_lon_offset_p{i}_deg"])
                for i in _CORNERS
            ]
            if lat is None or lon is None or any(None in o for o in offsets):
                return None
            points = [(lat + a, lon + b) for a, b in offsets]
        return Corners(*points)


_CORNERS = (1, 2, 3, 4)


def _whole(cls: Callable[..., T], *parts: float | None) -> T | None:
    return None if None in parts else cls(*parts)


_OWN_DOCS = {
    "universal_label": "the record's 16-byte key",
    "declared_version": "byte 13 of the universal label, a version in early editions",
    "unknown": "items outside the table, as (tag, bytes) in wire order",
    "field_errors": "items that could not be read",
    "sentinel_tags": "signed items that carry the reserved value",
    "imapb_specials": "IMAPB items that carry a special value, as (tag, name, payload)",
}
for _n in NAMES:
    setattr(UasDatalinkLs, _n, Field(_n))
del _n

new_record = object.__new__
_set_fields: Any = vars(_Base).get("__dict__").__set__  # type: ignore[union-attr]
set_block: Any = vars(_Base).get("_block").__set__  # type: ignore[union-attr]


def record_of(block: bytes) -> UasDatalinkLs:
    """The record of a block; its fields are read when the first of them is asked for."""
    record = new_record(UasDatalinkLs)
    set_block(record, block)
    return record


_restore = record_of
_ = _layout
