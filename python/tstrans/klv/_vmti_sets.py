"""The VMTI local set and its targets (MISB ST 0903.6)."""

from __future__ import annotations

from .._value import Value
from ._values import KlvFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self

__all__ = ["VTargetPack", "VmtiLs"]

_put = object.__setattr__


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
