"""The security metadata local set (MISB ST 0102)."""

from __future__ import annotations

import contextlib
from enum import Enum

from .._native import klv_lib as lib
from .._value import Value
from ._input import expect, octet, octets
from ._layout import unknown_items
from ._packs import plain
from ._values import KlvFieldError, field_errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer, Self

_put = object.__setattr__
_SET = 2

__all__ = [
    "ClassifyingCountryCodingMethod",
    "ObjectCountryCodingMethod",
    "SecurityClassification",
    "SecurityLs",
    "decode_security",
    "encode_security",
    "encode_security_strict_compliance",
]


class SecurityClassification(Enum):
    """ST 0102 item 1."""

    UNCLASSIFIED = 1
    RESTRICTED = 2
    CONFIDENTIAL = 3
    SECRET = 4
    TOP_SECRET = 5


class ClassifyingCountryCodingMethod(Enum):
    """ST 0102 item 2: how the classifying country is written."""

    ISO_3166_TWO_LETTER = 1
    ISO_3166_THREE_LETTER = 2
    FIPS_104_TWO_LETTER = 3
    FIPS_104_FOUR_LETTER = 4
    ISO_3166_NUMERIC = 5
    STANAG_1059_TWO_LETTER = 6
    STANAG_1059_THREE_LETTER = 7
    OMITTED_VALUE_08 = 8
    OMITTED_VALUE_09 = 9
    FIPS_104_MIXED = 10
    ISO_3166_MIXED = 11
    STANAG_1059_MIXED = 12
    GENC_TWO_LETTER = 13
    GENC_THREE_LETTER = 14
    GENC_NUMERIC = 15
    GENC_MIXED = 16


class ObjectCountryCodingMethod(Enum):
    """ST 0102 item 12: how the object countries are written."""

    ISO_3166_TWO_LETTER = 1
    ISO_3166_THREE_LETTER = 2
    ISO_3166_NUMERIC = 3
    FIPS_104_TWO_LETTER = 4
    FIPS_104_FOUR_LETTER = 5
    STANAG_1059_TWO_LETTER = 6
    STANAG_1059_THREE_LETTER = 7
    OMITTED_VALUE_08 = 8
    OMITTED_VALUE_09 = 9
    OMITTED_VALUE_0A = 10
    OMITTED_VALUE_0B = 11
    OMITTED_VALUE_0C = 12
    GENC_TWO_LETTER = 13
    GENC_THREE_LETTER = 14
    GENC_NUMERIC = 15
    GENC_ADMIN_SUB = 64


for _e in (SecurityClassification, ClassifyingCountryCodingMethod, ObjectCountryCodingMethod):
    _e.__module__ = "tstrans.klv"
del _e


class SecurityLs(Value):
    """The security marking of a stream. Codes without a name stay ints; unknown keeps other items.."""

    __slots__ = (
        "security_classification",
        "classifying_country_coding_method",
        "classifying_country",
        "object_country_coding_method",
        "object_country_codes",
        "version",
        "sci_shi_info",
        "caveats",
        "releasing_instructions",
        "classified_by",
        "derived_from",
        "classification_reason",
        "declassification_date",
        "classification_marking_system",
        "classification_comments",
        "classifying_country_coding_method_version_date",
        "object_country_coding_method_version_date",
        "unknown",
        "field_errors",
    )
    security_classification: SecurityClassification | int | None
    classifying_country_coding_method: ClassifyingCountryCodingMethod | int | None
    classifying_country: str | None
    object_country_coding_method: ObjectCountryCodingMethod | int | None
    object_country_codes: str | None
    version: int | None
    sci_shi_info: str | None
    caveats: str | None
    releasing_instructions: str | None
    classified_by: str | None
    derived_from: str | None
    classification_reason: str | None
    declassification_date: str | None
    classification_marking_system: str | None
    classification_comments: str | None
    classifying_country_coding_method_version_date: str | None
    object_country_coding_method_version_date: str | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        security_classification: SecurityClassification | int | None = None,
        classifying_country_coding_method: ClassifyingCountryCodingMethod | int | None = None,
        classifying_country: str | None = None,
        object_country_coding_method: ObjectCountryCodingMethod | int | None = None,
        object_country_codes: str | None = None,
        version: int | None = None,
        sci_shi_info: str | None = None,
        caveats: str | None = None,
        releasing_instructions: str | None = None,
        classified_by: str | None = None,
        derived_from: str | None = None,
        classification_reason: str | None = None,
        declassification_date: str | None = None,
        classification_marking_system: str | None = None,
        classification_comments: str | None = None,
        classifying_country_coding_method_version_date: str | None = None,
        object_country_coding_method_version_date: str | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "security_classification", security_classification)
        _put(self, "classifying_country_coding_method", classifying_country_coding_method)
        _put(self, "classifying_country", classifying_country)
        _put(self, "object_country_coding_method", object_country_coding_method)
        _put(self, "object_country_codes", object_country_codes)
        _put(self, "version", version)
        _put(self, "sci_shi_info", sci_shi_info)
        _put(self, "caveats", caveats)
        _put(self, "releasing_instructions", releasing_instructions)
        _put(self, "classified_by", classified_by)
        _put(self, "derived_from", derived_from)
        _put(self, "classification_reason", classification_reason)
        _put(self, "declassification_date", declassification_date)
        _put(self, "classification_marking_system", classification_marking_system)
        _put(self, "classification_comments", classification_comments)
        _put(
            self,
            "classifying_country_coding_method_version_date",
            classifying_country_coding_method_version_date,
        )
        _put(self, "object_country_coding_method_version_date", object_country_coding_method_version_date)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**dict(zip(self.__match_args__, self._values(), strict=True)), **changes})


#: The coded fields, by position.
_CODED = ((0, SecurityClassification), (1, ClassifyingCountryCodingMethod), (3, ObjectCountryCodingMethod))
_VERSION = 5


def record(v: Any) -> SecurityLs:
    """The record of its tree form."""
    fields = list(v)
    for i, kind in _CODED:
        if fields[i] is not None:
            with contextlib.suppress(ValueError):
                fields[i] = kind(fields[i])
    fields[-1] = field_errors(fields[-1])
    return SecurityLs(*fields)


def _tree(r: SecurityLs) -> tuple[Any, ...]:
    expect(r, SecurityLs, "security_classification")
    fields = list(plain(r))
    for i, _ in _CODED:
        if fields[i] is not None:
            fields[i] = octet(fields[i], r.__match_args__[i])
    fields[-2:] = unknown_items(fields[-2]), ()
    return tuple(fields)


def decode_security(buf: Buffer, *, strict: bool = False) -> SecurityLs:
    """A set's body, without label and length. Strict asks for the mandatory items and known codes."""
    return record(lib.decode_set(_SET, octets(buf), bool(strict)))


def encode_security(record: SecurityLs) -> bytes:
    """The body of a set."""
    return lib.encode_set(_SET, _tree(record))


def encode_security_strict_compliance(record: SecurityLs) -> bytes:
    """The body of a set that has the mandatory items 1, 2, 3, 12, 13 and 22."""
    return lib.encode_set(_SET, _tree(record), 1)
