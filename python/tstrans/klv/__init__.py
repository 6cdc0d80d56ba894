"""MISB KLV: ST 0601 UAS Datalink, ST 0102 security, ST 0605 time, ST 0806 RVT, ST 0903 VMTI, and helpers.

Every set is a frozen record with a field an item; `decode_…` makes one of bytes, `encode_…` bytes of one.
Names load on first use, so importing this module costs next to nothing.

>>> from tstrans import klv
>>> data = klv.encode_uas_datalink(klv.UasDatalinkLs(sensor_lat_deg=60.0, sensor_lon_deg=24.5, sensor_alt_m=900.0))
>>> klv.decode_uas_datalink(data).sensor_position().lat_deg.__round__(6)
60.0
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._codec import (
        OutOfRangePolicy as OutOfRangePolicy,
        decode_uas_datalink as decode_uas_datalink,
        decode_uas_datalink_batch as decode_uas_datalink_batch,
        encode_uas_datalink as encode_uas_datalink,
        encode_uas_datalink_strict_compliance as encode_uas_datalink_strict_compliance,
        parse_klv_universal as parse_klv_universal,
        patch_uas_datalink as patch_uas_datalink,
        st0601_sentinel_meaning as st0601_sentinel_meaning,
    )
    from ._const import (
        PRECISION_TIMESTAMP_PACK_UL as PRECISION_TIMESTAMP_PACK_UL,
        SECURITY_LS_UL as SECURITY_LS_UL,
        ST_0601_UL as ST_0601_UL,
        VMTI_LS_UL as VMTI_LS_UL,
        is_st0601_family as is_st0601_family,
    )
    from ._enums import (
        IcingDetected as IcingDetected,
        OperationalMode as OperationalMode,
        PayloadType as PayloadType,
        PlatformStatus as PlatformStatus,
        SensorControlMode as SensorControlMode,
        SensorFovName as SensorFovName,
    )
    from ._misc import (
        CoreId as CoreId,
        CotConfig as CotConfig,
        IdType as IdType,
        MismmsViolation as MismmsViolation,
        SdccFlp as SdccFlp,
        core_id_text as core_id_text,
        decode_core_id as decode_core_id,
        decode_sdcc_flp as decode_sdcc_flp,
        encode_core_id as encode_core_id,
        encode_sdcc_flp_mode2 as encode_sdcc_flp_mode2,
        platform_position_xml as platform_position_xml,
        platform_uid as platform_uid,
        sensor_point_of_interest_xml as sensor_point_of_interest_xml,
        spi_uid as spi_uid,
        validate_mismms as validate_mismms,
    )
    from ._packs import (
        AirbaseLocations as AirbaseLocations,
        ControlCommand as ControlCommand,
        CountryCodes as CountryCodes,
        ImageHorizonPixels as ImageHorizonPixels,
        Location as Location,
        MetadataSubstreamId as MetadataSubstreamId,
        PayloadList as PayloadList,
        PayloadRecord as PayloadRecord,
        SdccFlpField as SdccFlpField,
        SensorFrameRate as SensorFrameRate,
        ViewDomain as ViewDomain,
        ViewDomainPair as ViewDomainPair,
        WavelengthRecord as WavelengthRecord,
        Waypoint as Waypoint,
        WeaponsStore as WeaponsStore,
    )
    from ._rvt import (
        RvtAoi as RvtAoi,
        RvtAoiType as RvtAoiType,
        RvtLs as RvtLs,
        RvtPoi as RvtPoi,
        RvtPoiType as RvtPoiType,
        RvtUserData as RvtUserData,
        RvtUserDataType as RvtUserDataType,
        decode_rvt as decode_rvt,
        decode_rvt_standalone as decode_rvt_standalone,
        encode_rvt as encode_rvt,
        encode_rvt_standalone as encode_rvt_standalone,
    )
    from ._security import (
        ClassifyingCountryCodingMethod as ClassifyingCountryCodingMethod,
        ObjectCountryCodingMethod as ObjectCountryCodingMethod,
        SecurityClassification as SecurityClassification,
        SecurityLs as SecurityLs,
        decode_security as decode_security,
        encode_security as encode_security,
        encode_security_strict_compliance as encode_security_strict_compliance,
    )
    from ._time import (
        PrecisionTimeStampPack as PrecisionTimeStampPack,
        TimeStatus as TimeStatus,
        decode_precision_timestamp as decode_precision_timestamp,
        encode_precision_timestamp as encode_precision_timestamp,
    )
    from ._uas import (
        UasDatalinkLs as UasDatalinkLs,
    )
    from ._values import (
        Attitude as Attitude,
        Corners as Corners,
        FieldOfView as FieldOfView,
        GeoPoint as GeoPoint,
        KlvFieldError as KlvFieldError,
        KlvFieldErrorKind as KlvFieldErrorKind,
    )
    from ._vmti import (
        VAlgorithm as VAlgorithm,
        VChip as VChip,
        VFeature as VFeature,
        VLocation as VLocation,
        VMask as VMask,
        VMaskRun as VMaskRun,
        VMotion as VMotion,
        VObject as VObject,
        VOntology as VOntology,
        VTargetPack as VTargetPack,
        VTracker as VTracker,
        VmtiLs as VmtiLs,
        decode_algorithm_series as decode_algorithm_series,
        decode_ontology_series as decode_ontology_series,
        decode_vchip as decode_vchip,
        decode_vchip_series as decode_vchip_series,
        decode_vfeature as decode_vfeature,
        decode_vlocation as decode_vlocation,
        decode_vlocation_series as decode_vlocation_series,
        decode_vmask as decode_vmask,
        decode_vmti as decode_vmti,
        decode_vobject as decode_vobject,
        decode_vobject_series as decode_vobject_series,
        decode_vtracker as decode_vtracker,
        encode_algorithm_series as encode_algorithm_series,
        encode_ontology_series as encode_ontology_series,
        encode_vchip as encode_vchip,
        encode_vchip_series as encode_vchip_series,
        encode_vfeature as encode_vfeature,
        encode_vlocation as encode_vlocation,
        encode_vlocation_series as encode_vlocation_series,
        encode_vmask as encode_vmask,
        encode_vmti as encode_vmti,
        encode_vmti_standalone as encode_vmti_standalone,
        encode_vmti_standalone_strict_compliance as encode_vmti_standalone_strict_compliance,
        encode_vmti_strict_compliance as encode_vmti_strict_compliance,
        encode_vobject as encode_vobject,
        encode_vobject_series as encode_vobject_series,
        encode_vtracker as encode_vtracker,
    )

    Klv0601 = UasDatalinkLs
    Klv0102 = SecurityLs
    Klv0605 = PrecisionTimeStampPack
    Klv0903 = VmtiLs

_HOMES = {
    "_const": (
        "ST_0601_UL",
        "SECURITY_LS_UL",
        "PRECISION_TIMESTAMP_PACK_UL",
        "VMTI_LS_UL",
        "is_st0601_family",
    ),
    "_values": (
        "KlvFieldErrorKind",
        "KlvFieldError",
        "GeoPoint",
        "Attitude",
        "FieldOfView",
        "Corners",
    ),
    "_enums": (
        "IcingDetected",
        "SensorFovName",
        "OperationalMode",
        "PlatformStatus",
        "SensorControlMode",
        "PayloadType",
    ),
    "_packs": (
        "ImageHorizonPixels",
        "ControlCommand",
        "SensorFrameRate",
        "MetadataSubstreamId",
        "CountryCodes",
        "WavelengthRecord",
        "Location",
        "AirbaseLocations",
        "PayloadRecord",
        "PayloadList",
        "WeaponsStore",
        "Waypoint",
        "ViewDomainPair",
        "ViewDomain",
        "SdccFlpField",
    ),
    "_time": (
        "TimeStatus",
        "PrecisionTimeStampPack",
        "decode_precision_timestamp",
        "encode_precision_timestamp",
    ),
    "_security": (
        "SecurityClassification",
        "ClassifyingCountryCodingMethod",
        "ObjectCountryCodingMethod",
        "SecurityLs",
        "decode_security",
        "encode_security",
        "encode_security_strict_compliance",
    ),
    "_vmti": (
        "VTargetPack",
        "VmtiLs",
        "decode_vmti",
        "encode_vmti",
        "encode_vmti_standalone",
        "encode_vmti_strict_compliance",
        "encode_vmti_standalone_strict_compliance",
        "VLocation",
        "VMotion",
        "VMaskRun",
        "VMask",
        "VFeature",
        "VObject",
        "VTracker",
        "VChip",
        "VAlgorithm",
        "VOntology",
        "decode_vmask",
        "encode_vmask",
        "decode_vobject",
        "encode_vobject",
        "decode_vfeature",
        "encode_vfeature",
        "decode_vtracker",
        "encode_vtracker",
        "decode_vchip",
        "encode_vchip",
        "decode_vlocation",
        "encode_vlocation",
        "decode_vchip_series",
        "encode_vchip_series",
        "decode_vobject_series",
        "encode_vobject_series",
        "decode_algorithm_series",
        "encode_algorithm_series",
        "decode_ontology_series",
        "encode_ontology_series",
        "decode_vlocation_series",
        "encode_vlocation_series",
    ),
    "_uas": (
        "UasDatalinkLs",
    ),
    "_codec": (
        "OutOfRangePolicy",
        "decode_uas_datalink",
        "decode_uas_datalink_batch",
        "encode_uas_datalink",
        "encode_uas_datalink_strict_compliance",
        "parse_klv_universal",
        "patch_uas_datalink",
        "st0601_sentinel_meaning",
    ),
    "_rvt": (
        "RvtPoiType",
        "RvtAoiType",
        "RvtUserDataType",
        "RvtUserData",
        "RvtPoi",
        "RvtAoi",
        "RvtLs",
        "decode_rvt",
        "decode_rvt_standalone",
        "encode_rvt",
        "encode_rvt_standalone",
    ),
    "_misc": (
        "IdType",
        "CoreId",
        "decode_core_id",
        "encode_core_id",
        "core_id_text",
        "SdccFlp",
        "decode_sdcc_flp",
        "encode_sdcc_flp_mode2",
        "MismmsViolation",
        "validate_mismms",
        "CotConfig",
        "platform_position_xml",
        "sensor_point_of_interest_xml",
        "platform_uid",
        "spi_uid",
    ),
}
_ALIASES = {
    "Klv0601": "UasDatalinkLs",
    "Klv0102": "SecurityLs",
    "Klv0605": "PrecisionTimeStampPack",
    "Klv0903": "VmtiLs",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME, *_ALIASES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    home = _HOME.get(_ALIASES.get(name, name))
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), _ALIASES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
