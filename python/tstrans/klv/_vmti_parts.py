"""The sets and packs that are nested in a VMTI target, or stand beside targets (MISB ST 0903.6)."""

from __future__ import annotations

from .._value import Value
from ._values import KlvFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

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
    "VTracker",
]

_put = object.__setattr__


class VLocation(Value):
    """A position with its uncertainty: degrees, metres above the ellipsoid, standard deviations in metres."""

    __slots__ = (
        "lat_deg",
        "lon_deg",
        "hae_m",
        "sigma_east_m",
        "sigma_north_m",
        "sigma_up_m",
        "rho_east_north",
        "rho_east_up",
        "rho_north_up",
    )
    lat_deg: float | None
    lon_deg: float | None
    hae_m: float | None
    sigma_east_m: float | None
    sigma_north_m: float | None
    sigma_up_m: float | None
    rho_east_north: float | None
    rho_east_up: float | None
    rho_north_up: float | None

    def __init__(
        self,
        lat_deg: float | None,
        lon_deg: float | None,
        hae_m: float | None,
        sigma_east_m: float | None = None,
        sigma_north_m: float | None = None,
        sigma_up_m: float | None = None,
        rho_east_north: float | None = None,
        rho_east_up: float | None = None,
        rho_north_up: float | None = None,
    ) -> None:
        _put(self, "lat_deg", lat_deg)
        _put(self, "lon_deg", lon_deg)
        _put(self, "hae_m", hae_m)
        _put(self, "sigma_east_m", sigma_east_m)
        _put(self, "sigma_north_m", sigma_north_m)
        _put(self, "sigma_up_m", sigma_up_m)
        _put(self, "rho_east_north", rho_east_north)
        _put(self, "rho_east_up", rho_east_up)
        _put(self, "rho_north_up", rho_north_up)


class VMotion(Value):
    """A velocity in m/s or an acceleration in m/s², with its uncertainty."""

    __slots__ = (
        "east",
        "north",
        "up",
        "sigma_east",
        "sigma_north",
        "sigma_up",
        "rho_east_north",
        "rho_east_up",
        "rho_north_up",
    )
    east: float | None
    north: float | None
    up: float | None
    sigma_east: float | None
    sigma_north: float | None
    sigma_up: float | None
    rho_east_north: float | None
    rho_east_up: float | None
    rho_north_up: float | None

    def __init__(
        self,
        east: float | None,
        north: float | None,
        up: float | None,
        sigma_east: float | None = None,
        sigma_north: float | None = None,
        sigma_up: float | None = None,
        rho_east_north: float | None = None,
        rho_east_up: float | None = None,
        rho_north_up: float | None = None,
    ) -> None:
        _put(self, "east", east)
        _put(self, "north", north)
        _put(self, "up", up)
        _put(self, "sigma_east", sigma_east)
        _put(self, "sigma_north", sigma_north)
        _put(self, "sigma_up", sigma_up)
        _put(self, "rho_east_north", rho_east_north)
        _put(self, "rho_east_up", rho_east_up)
        _put(self, "rho_north_up", rho_north_up)


class VMaskRun(Value):
    """A run of pixels: the first one's number, and how many."""

    __slots__ = (
        "pixel",
        "length",
    )
    pixel: int
    length: int

    def __init__(
        self,
        pixel: int,
        length: int,
    ) -> None:
        _put(self, "pixel", pixel)
        _put(self, "length", length)


class VMask(Value):
    """The outline of a target as pixel numbers, or its pixels as runs."""

    __slots__ = (
        "pixel_contour",
        "bit_mask",
        "unknown",
        "field_errors",
    )
    pixel_contour: tuple[int, ...]
    bit_mask: tuple[VMaskRun, ...]
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        pixel_contour: tuple[int, ...] = (),
        bit_mask: tuple[VMaskRun, ...] = (),
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "pixel_contour", pixel_contour)
        _put(self, "bit_mask", bit_mask)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VFeature(Value):
    """A feature of a detected object; confidence in percent."""

    __slots__ = (
        "schema",
        "schema_feature",
        "ontology_id",
        "confidence",
        "unknown",
        "field_errors",
    )
    schema: str | None
    schema_feature: str | None
    ontology_id: int | None
    confidence: float | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        schema: str | None = None,
        schema_feature: str | None = None,
        ontology_id: int | None = None,
        confidence: float | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "schema", schema)
        _put(self, "schema_feature", schema_feature)
        _put(self, "ontology_id", ontology_id)
        _put(self, "confidence", confidence)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VObject(Value):
    """What a target is, by an entry of the ontology series; confidence in percent."""

    __slots__ = (
        "ontology",
        "ontology_class",
        "ontology_id",
        "confidence",
        "features",
        "unknown",
        "field_errors",
    )
    ontology: str | None
    ontology_class: str | None
    ontology_id: int | None
    confidence: float | None
    features: tuple[VFeature, ...]
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        ontology: str | None = None,
        ontology_class: str | None = None,
        ontology_id: int | None = None,
        confidence: float | None = None,
        features: tuple[VFeature, ...] = (),
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "ontology", ontology)
        _put(self, "ontology_class", ontology_class)
        _put(self, "ontology_id", ontology_id)
        _put(self, "confidence", confidence)
        _put(self, "features", features)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VTracker(Value):
    """The track of a target; times in microseconds of the MISP scale, confidence in percent."""

    __slots__ = (
        "track_id",
        "detection_status",
        "first_observation_us",
        "latest_observation_us",
        "boundary",
        "algorithm",
        "confidence_level",
        "num_track_points",
        "history",
        "velocity",
        "acceleration",
        "algorithm_id",
        "unknown",
        "field_errors",
    )
    track_id: bytes | None
    detection_status: int | None
    first_observation_us: int | None
    latest_observation_us: int | None
    boundary: tuple[VLocation, ...]
    algorithm: str | None
    confidence_level: int | None
    num_track_points: int | None
    history: tuple[VLocation, ...]
    velocity: VMotion | None
    acceleration: VMotion | None
    algorithm_id: int | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        track_id: bytes | None = None,
        detection_status: int | None = None,
        first_observation_us: int | None = None,
        latest_observation_us: int | None = None,
        boundary: tuple[VLocation, ...] = (),
        algorithm: str | None = None,
        confidence_level: int | None = None,
        num_track_points: int | None = None,
        history: tuple[VLocation, ...] = (),
        velocity: VMotion | None = None,
        acceleration: VMotion | None = None,
        algorithm_id: int | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "track_id", track_id)
        _put(self, "detection_status", detection_status)
        _put(self, "first_observation_us", first_observation_us)
        _put(self, "latest_observation_us", latest_observation_us)
        _put(self, "boundary", boundary)
        _put(self, "algorithm", algorithm)
        _put(self, "confidence_level", confidence_level)
        _put(self, "num_track_points", num_track_points)
        _put(self, "history", history)
        _put(self, "velocity", velocity)
        _put(self, "acceleration", acceleration)
        _put(self, "algorithm_id", algorithm_id)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VChip(Value):
    """A picture of a target, embedded or by its address."""

    __slots__ = (
        "image_type",
        "image_iri",
        "embedded_image",
        "unknown",
        "field_errors",
    )
    image_type: str | None
    image_iri: str | None
    embedded_image: bytes | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        image_type: str | None = None,
        image_iri: str | None = None,
        embedded_image: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "image_type", image_type)
        _put(self, "image_iri", image_iri)
        _put(self, "embedded_image", embedded_image)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VAlgorithm(Value):
    """An algorithm that made detections or tracks."""

    __slots__ = (
        "id",
        "name",
        "version",
        "algorithm_class",
        "num_frames",
        "unknown",
        "field_errors",
    )
    id: int | None
    name: str | None
    version: str | None
    algorithm_class: str | None
    num_frames: int | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        id: int | None = None,
        name: str | None = None,
        version: str | None = None,
        algorithm_class: str | None = None,
        num_frames: int | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "id", id)
        _put(self, "name", name)
        _put(self, "version", version)
        _put(self, "algorithm_class", algorithm_class)
        _put(self, "num_frames", num_frames)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VOntology(Value):
    """An entry of the ontology that objects refer to."""

    __slots__ = (
        "id",
        "parent_id",
        "ontology_iri",
        "entity_iri",
        "version_iri",
        "label",
        "unknown",
        "field_errors",
    )
    id: int | None
    parent_id: int | None
    ontology_iri: str | None
    entity_iri: str | None
    version_iri: str | None
    label: str | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        id: int | None = None,
        parent_id: int | None = None,
        ontology_iri: str | None = None,
        entity_iri: str | None = None,
        version_iri: str | None = None,
        label: str | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "id", id)
        _put(self, "parent_id", parent_id)
        _put(self, "ontology_iri", ontology_iri)
        _put(self, "entity_iri", entity_iri)
        _put(self, "version_iri", version_iri)
        _put(self, "label", label)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)
