"""Video moving target indicators (MISB ST 0903.6): the set, its targets, and the sets nested in those."""

from __future__ import annotations

from .._native import klv_lib as lib
from .._value import Value
from ._input import octets
from ._layout import unknown_items
from ._packs import plain
from ._values import KlvFieldError, field_errors, made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer, Self

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

_put = object.__setattr__
_VMTI = 4
_COMPLIANCE, _STANDALONE = 1, 4


class VTargetPack(Value):
    """One target. Pixels count from 1, row by row; offsets are degrees from the ST 0601 frame centre;
    nested sets
    stay bytes here and have functions of their own (`decode_vmask` and so on).."""

    __slots__ = (
        "target_id",
        "centroid_pixel",
        "bbox_top_left_pixel",
        "bbox_bottom_right_pixel",
        "priority",
        "confidence_level",
        "history",
        "percentage_of_target_pixels",
        "target_color",
        "target_intensity",
        "centroid_lat_offset",
        "centroid_lon_offset",
        "centroid_hae",
        "bbox_top_left_lat_offset",
        "bbox_top_left_lon_offset",
        "bbox_bottom_right_lat_offset",
        "bbox_bottom_right_lon_offset",
        "target_location",
        "geospatial_contour_series",
        "centroid_pix_row",
        "centroid_pix_col",
        "algorithm_id",
        "detection_status",
        "vmask",
        "vtracker",
        "vchip",
        "vchip_series",
        "vobject_series",
        "unknown",
        "field_errors",
    )
    target_id: int
    centroid_pixel: int | None
    bbox_top_left_pixel: int | None
    bbox_bottom_right_pixel: int | None
    priority: int | None
    confidence_level: int | None
    history: int | None
    percentage_of_target_pixels: int | None
    target_color: tuple[int, int, int] | None
    target_intensity: int | None
    centroid_lat_offset: float | None
    centroid_lon_offset: float | None
    centroid_hae: float | None
    bbox_top_left_lat_offset: float | None
    bbox_top_left_lon_offset: float | None
    bbox_bottom_right_lat_offset: float | None
    bbox_bottom_right_lon_offset: float | None
    target_location: bytes | None
    geospatial_contour_series: bytes | None
    centroid_pix_row: int | None
    centroid_pix_col: int | None
    algorithm_id: int | None
    detection_status: int | None
    vmask: bytes | None
    vtracker: bytes | None
    vchip: bytes | None
    vchip_series: bytes | None
    vobject_series: bytes | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        target_id: int,
        centroid_pixel: int | None = None,
        bbox_top_left_pixel: int | None = None,
        bbox_bottom_right_pixel: int | None = None,
        priority: int | None = None,
        confidence_level: int | None = None,
        history: int | None = None,
        percentage_of_target_pixels: int | None = None,
        target_color: tuple[int, int, int] | None = None,
        target_intensity: int | None = None,
        centroid_lat_offset: float | None = None,
        centroid_lon_offset: float | None = None,
        centroid_hae: float | None = None,
        bbox_top_left_lat_offset: float | None = None,
        bbox_top_left_lon_offset: float | None = None,
        bbox_bottom_right_lat_offset: float | None = None,
        bbox_bottom_right_lon_offset: float | None = None,
        target_location: bytes | None = None,
        geospatial_contour_series: bytes | None = None,
        centroid_pix_row: int | None = None,
        centroid_pix_col: int | None = None,
        algorithm_id: int | None = None,
        detection_status: int | None = None,
        vmask: bytes | None = None,
        vtracker: bytes | None = None,
        vchip: bytes | None = None,
        vchip_series: bytes | None = None,
        vobject_series: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        if target_color is not None and not (
            len(target_color) == 3 and all(0 <= c <= 255 for c in target_color)
        ):
            raise ValueError(f"target_color must be three values of 0..255; got {target_color!r}")
        _put(self, "target_id", target_id)
        _put(self, "centroid_pixel", centroid_pixel)
        _put(self, "bbox_top_left_pixel", bbox_top_left_pixel)
        _put(self, "bbox_bottom_right_pixel", bbox_bottom_right_pixel)
        _put(self, "priority", priority)
        _put(self, "confidence_level", confidence_level)
        _put(self, "history", history)
        _put(self, "percentage_of_target_pixels", percentage_of_target_pixels)
        _put(self, "target_color", target_color)
        _put(self, "target_intensity", target_intensity)
        _put(self, "centroid_lat_offset", centroid_lat_offset)
        _put(self, "centroid_lon_offset", centroid_lon_offset)
        _put(self, "centroid_hae", centroid_hae)
        _put(self, "bbox_top_left_lat_offset", bbox_top_left_lat_offset)
        _put(self, "bbox_top_left_lon_offset", bbox_top_left_lon_offset)
        _put(self, "bbox_bottom_right_lat_offset", bbox_bottom_right_lat_offset)
        _put(self, "bbox_bottom_right_lon_offset", bbox_bottom_right_lon_offset)
        _put(self, "target_location", target_location)
        _put(self, "geospatial_contour_series", geospatial_contour_series)
        _put(self, "centroid_pix_row", centroid_pix_row)
        _put(self, "centroid_pix_col", centroid_pix_col)
        _put(self, "algorithm_id", algorithm_id)
        _put(self, "detection_status", detection_status)
        _put(self, "vmask", vmask)
        _put(self, "vtracker", vtracker)
        _put(self, "vchip", vchip)
        _put(self, "vchip_series", vchip_series)
        _put(self, "vobject_series", vobject_series)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)


class VmtiLs(Value):
    """One VMTI set (MISB ST 0903.6): fields of view in degrees, frame size in pixels.."""

    __slots__ = (
        "checksum",
        "precision_time_stamp",
        "vmti_system_name",
        "version_number",
        "total_targets_in_frame",
        "num_targets_reported",
        "frame_width",
        "frame_height",
        "source_sensor",
        "horizontal_fov",
        "vertical_fov",
        "miis_id",
        "targets",
        "algorithm_series",
        "ontology_series",
        "unknown",
        "field_errors",
    )
    checksum: int | None
    precision_time_stamp: int | None
    vmti_system_name: str | None
    version_number: int | None
    total_targets_in_frame: int | None
    num_targets_reported: int | None
    frame_width: int | None
    frame_height: int | None
    source_sensor: str | None
    horizontal_fov: float | None
    vertical_fov: float | None
    miis_id: bytes | None
    targets: tuple[VTargetPack, ...]
    algorithm_series: bytes | None
    ontology_series: bytes | None
    unknown: tuple[tuple[int, bytes], ...]
    field_errors: tuple[KlvFieldError, ...]

    def __init__(
        self,
        checksum: int | None = None,
        precision_time_stamp: int | None = None,
        vmti_system_name: str | None = None,
        version_number: int | None = None,
        total_targets_in_frame: int | None = None,
        num_targets_reported: int | None = None,
        frame_width: int | None = None,
        frame_height: int | None = None,
        source_sensor: str | None = None,
        horizontal_fov: float | None = None,
        vertical_fov: float | None = None,
        miis_id: bytes | None = None,
        targets: tuple[VTargetPack, ...] = (),
        algorithm_series: bytes | None = None,
        ontology_series: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
        field_errors: tuple[KlvFieldError, ...] = (),
    ) -> None:
        _put(self, "checksum", checksum)
        _put(self, "precision_time_stamp", precision_time_stamp)
        _put(self, "vmti_system_name", vmti_system_name)
        _put(self, "version_number", version_number)
        _put(self, "total_targets_in_frame", total_targets_in_frame)
        _put(self, "num_targets_reported", num_targets_reported)
        _put(self, "frame_width", frame_width)
        _put(self, "frame_height", frame_height)
        _put(self, "source_sensor", source_sensor)
        _put(self, "horizontal_fov", horizontal_fov)
        _put(self, "vertical_fov", vertical_fov)
        _put(self, "miis_id", miis_id)
        _put(self, "targets", targets)
        _put(self, "algorithm_series", algorithm_series)
        _put(self, "ontology_series", ontology_series)
        _put(self, "unknown", unknown)
        _put(self, "field_errors", field_errors)

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**dict(zip(self.__match_args__, self._values(), strict=True)), **changes})


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
        if n is not None and not 0 <= n < 1 << bits:
            raise OverflowError(f"{name}: {n} does not fit {bits} bits")
    return _bare(r)


def decode_vmti(buf: Buffer, *, strict: bool = False) -> VmtiLs:
    """A set's body as ST 0601 item 74 carries it. Strict refuses field errors and repeated items and asks
    for 4 and 6.
    """
    return record(lib.decode_set(_VMTI, octets(buf), int(strict)))


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
