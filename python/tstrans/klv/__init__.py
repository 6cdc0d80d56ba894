"""MISB KLV: ST 0601 UAS Datalink, ST 0102 security, ST 0605 time, ST 0806 RVT, ST 0903 VMTI, and helpers.

Every set is a frozen record with a field an item; `decode_…` makes one of bytes, `encode_…` bytes of one.
Names load on first use, so importing this module costs next to nothing.

>>> from tstrans import klv
>>> record = klv.UasDatalinkLs(sensor_lat_deg=60.0, sensor_lon_deg=24.5, sensor_alt_m=900.0)
>>> data = klv.encode_uas_datalink(record)
>>> round(klv.decode_uas_datalink(data).sensor_lat_deg, 6)
60.0
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._codec import (
        OutOfRangePolicy as OutOfRangePolicy,
    )
    from ._codec import (
        decode_uas_datalink as decode_uas_datalink,
    )
    from ._codec import (
        decode_uas_datalink_batch as decode_uas_datalink_batch,
    )
    from ._codec import (
        encode_uas_datalink as encode_uas_datalink,
    )
    from ._codec import (
        encode_uas_datalink_strict_compliance as encode_uas_datalink_strict_compliance,
    )
    from ._codec import (
        parse_klv_universal as parse_klv_universal,
    )
    from ._codec import (
        patch_uas_datalink as patch_uas_datalink,
    )
    from ._codec import (
        st0601_sentinel_meaning as st0601_sentinel_meaning,
    )
    from ._const import (
        PRECISION_TIMESTAMP_PACK_UL as PRECISION_TIMESTAMP_PACK_UL,
    )
    from ._const import (
        SECURITY_LS_UL as SECURITY_LS_UL,
    )
    from ._const import (
        ST_0601_UL as ST_0601_UL,
    )
    from ._const import (
        VMTI_LS_UL as VMTI_LS_UL,
    )
    from ._const import (
        is_st0601_family as is_st0601_family,
    )
    from ._enums import (
        IcingDetected as IcingDetected,
    )
    from ._enums import (
        OperationalMode as OperationalMode,
    )
    from ._enums import (
        PayloadType as PayloadType,
    )
    from ._enums import (
        PlatformStatus as PlatformStatus,
    )
    from ._enums import (
        SensorControlMode as SensorControlMode,
    )
    from ._enums import (
        SensorFovName as SensorFovName,
    )
    from ._misc import (
        CoreId as CoreId,
    )
    from ._misc import (
        CotConfig as CotConfig,
    )
    from ._misc import (
        IdType as IdType,
    )
    from ._misc import (
        MismmsViolation as MismmsViolation,
    )
    from ._misc import (
        SdccFlp as SdccFlp,
    )
    from ._misc import (
        core_id_text as core_id_text,
    )
    from ._misc import (
        decode_core_id as decode_core_id,
    )
    from ._misc import (
        decode_sdcc_flp as decode_sdcc_flp,
    )
    from ._misc import (
        encode_core_id as encode_core_id,
    )
    from ._misc import (
        encode_sdcc_flp_mode2 as encode_sdcc_flp_mode2,
    )
    from ._misc import (
        platform_position_xml as platform_position_xml,
    )
    from ._misc import (
        platform_uid as platform_uid,
    )
    from ._misc import (
        sensor_point_of_interest_xml as sensor_point_of_interest_xml,
    )
    from ._misc import (
        spi_uid as spi_uid,
    )
    from ._misc import (
        validate_mismms as validate_mismms,
    )
    from ._packs import (
        AirbaseLocations as AirbaseLocations,
    )
    from ._packs import (
        ControlCommand as ControlCommand,
    )
    from ._packs import (
        CountryCodes as CountryCodes,
    )
    from ._packs import (
        ImageHorizonPixels as ImageHorizonPixels,
    )
    from ._packs import (
        Location as Location,
    )
    from ._packs import (
        MetadataSubstreamId as MetadataSubstreamId,
    )
    from ._packs import (
        PayloadList as PayloadList,
    )
    from ._packs import (
        PayloadRecord as PayloadRecord,
    )
    from ._packs import (
        SdccFlpField as SdccFlpField,
    )
    from ._packs import (
        SensorFrameRate as SensorFrameRate,
    )
    from ._packs import (
        ViewDomain as ViewDomain,
    )
    from ._packs import (
        ViewDomainPair as ViewDomainPair,
    )
    from ._packs import (
        WavelengthRecord as WavelengthRecord,
    )
    from ._packs import (
        Waypoint as Waypoint,
    )
    from ._packs import (
        WeaponsStore as WeaponsStore,
    )
    from ._rvt import (
        RvtAoi as RvtAoi,
    )
    from ._rvt import (
        RvtAoiType as RvtAoiType,
    )
    from ._rvt import (
        RvtLs as RvtLs,
    )
    from ._rvt import (
        RvtPoi as RvtPoi,
    )
    from ._rvt import (
        RvtPoiType as RvtPoiType,
    )
    from ._rvt import (
        RvtUserData as RvtUserData,
    )
    from ._rvt import (
        RvtUserDataType as RvtUserDataType,
    )
    from ._rvt import (
        decode_rvt as decode_rvt,
    )
    from ._rvt import (
        decode_rvt_standalone as decode_rvt_standalone,
    )
    from ._rvt import (
        encode_rvt as encode_rvt,
    )
    from ._rvt import (
        encode_rvt_standalone as encode_rvt_standalone,
    )
    from ._security import (
        ClassifyingCountryCodingMethod as ClassifyingCountryCodingMethod,
    )
    from ._security import (
        ObjectCountryCodingMethod as ObjectCountryCodingMethod,
    )
    from ._security import (
        SecurityClassification as SecurityClassification,
    )
    from ._security import (
        SecurityLs as SecurityLs,
    )
    from ._security import (
        decode_security as decode_security,
    )
    from ._security import (
        encode_security as encode_security,
    )
    from ._security import (
        encode_security_strict_compliance as encode_security_strict_compliance,
    )
    from ._time import (
        PrecisionTimeStampPack as PrecisionTimeStampPack,
    )
    from ._time import (
        TimeStatus as TimeStatus,
    )
    from ._time import (
        decode_precision_timestamp as decode_precision_timestamp,
    )
    from ._time import (
        encode_precision_timestamp as encode_precision_timestamp,
    )
    from ._uas import (
        UasDatalinkLs as UasDatalinkLs,
    )
    from ._values import (
        Attitude as Attitude,
    )
    from ._values import (
        Corners as Corners,
    )
    from ._values import (
        FieldOfView as FieldOfView,
    )
    from ._values import (
        GeoPoint as GeoPoint,
    )
    from ._values import (
        KlvFieldError as KlvFieldError,
    )
    from ._values import (
        KlvFieldErrorKind as KlvFieldErrorKind,
    )
    from ._vmti import (
        VAlgorithm as VAlgorithm,
    )
    from ._vmti import (
        VChip as VChip,
    )
    from ._vmti import (
        VFeature as VFeature,
    )
    from ._vmti import (
        VLocation as VLocation,
    )
    from ._vmti import (
        VMask as VMask,
    )
    from ._vmti import (
        VMaskRun as VMaskRun,
    )
    from ._vmti import (
        VMotion as VMotion,
    )
    from ._vmti import (
        VmtiLs as VmtiLs,
    )
    from ._vmti import (
        VObject as VObject,
    )
    from ._vmti import (
        VOntology as VOntology,
    )
    from ._vmti import (
        VTargetPack as VTargetPack,
    )
    from ._vmti import (
        VTracker as VTracker,
    )
    from ._vmti import (
        decode_algorithm_series as decode_algorithm_series,
    )
    from ._vmti import (
        decode_ontology_series as decode_ontology_series,
    )
    from ._vmti import (
        decode_vchip as decode_vchip,
    )
    from ._vmti import (
        decode_vchip_series as decode_vchip_series,
    )
    from ._vmti import (
        decode_vfeature as decode_vfeature,
    )
    from ._vmti import (
        decode_vlocation as decode_vlocation,
    )
    from ._vmti import (
        decode_vlocation_series as decode_vlocation_series,
    )
    from ._vmti import (
        decode_vmask as decode_vmask,
    )
    from ._vmti import (
        decode_vmti as decode_vmti,
    )
    from ._vmti import (
        decode_vobject as decode_vobject,
    )
    from ._vmti import (
        decode_vobject_series as decode_vobject_series,
    )
    from ._vmti import (
        decode_vtracker as decode_vtracker,
    )
    from ._vmti import (
        encode_algorithm_series as encode_algorithm_series,
    )
    from ._vmti import (
        encode_ontology_series as encode_ontology_series,
    )
    from ._vmti import (
        encode_vchip as encode_vchip,
    )
    from ._vmti import (
        encode_vchip_series as encode_vchip_series,
    )
    from ._vmti import (
        encode_vfeature as encode_vfeature,
    )
    from ._vmti import (
        encode_vlocation as encode_vlocation,
    )
    from ._vmti import (
        encode_vlocation_series as encode_vlocation_series,
    )
    from ._vmti import (
        encode_vmask as encode_vmask,
    )
    from ._vmti import (
        encode_vmti as encode_vmti,
    )
    from ._vmti import (
        encode_vmti_standalone as encode_vmti_standalone,
    )
    from ._vmti import (
        encode_vmti_standalone_strict_compliance as encode_vmti_standalone_strict_compliance,
    )
    from ._vmti import (
        encode_vmti_strict_compliance as encode_vmti_strict_compliance,
    )
    from ._vmti import (
        encode_vobject as encode_vobject,
    )
    from ._vmti import (
        encode_vobject_series as encode_vobject_series,
    )
    from ._vmti import (
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
    "_uas": ("UasDatalinkLs",),
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
