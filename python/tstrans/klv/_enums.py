"""Enumerations of ST 0601 items. A number without a name stays an int."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "IcingDetected",
    "OperationalMode",
    "PayloadType",
    "PlatformStatus",
    "SensorControlMode",
    "SensorFovName",
]


class IcingDetected(Enum):
    """Item 34: state of the icing detector."""

    DETECTOR_OFF = 0
    NO_ICING_DETECTED = 1
    ICING_DETECTED = 2


class SensorFovName(Enum):
    """Item 63: named fields of view."""

    ULTRANARROW = 0
    NARROW = 1
    MEDIUM = 2
    WIDE = 3
    ULTRAWIDE = 4
    NARROW_MEDIUM = 5
    TWO_X_ULTRANARROW = 6
    FOUR_X_ULTRANARROW = 7
    CONTINUOUS_ZOOM = 8


class OperationalMode(Enum):
    """Item 77: why the platform flies."""

    OTHER_MODE = 0
    OPERATIONAL = 1
    TRAINING = 2
    EXERCISE = 3
    MAINTENANCE = 4
    TEST = 5


class PlatformStatus(Enum):
    """Item 125: phase of flight."""

    ACTIVE = 0
    PRE_FLIGHT = 1
    PRE_FLIGHT_TAXIING = 2
    RUN_UP = 3
    TAKE_OFF = 4
    INGRESS = 5
    MANUAL_OPERATION = 6
    AUTOMATED_ORBIT = 7
    TRANSITIONING = 8
    EGRESS = 9
    LANDING = 10
    LANDED_TAXIING = 11
    LANDED_PARKED = 12


class SensorControlMode(Enum):
    """Item 126: who steers the sensor."""

    OFF = 0
    HOME_POSITION = 1
    UNCONTROLLED = 2
    MANUAL_CONTROL = 3
    CALIBRATING = 4
    AUTO_HOLDING_POSITION = 5
    AUTO_TRACKING = 6


class PayloadType(Enum):
    """Kind of a payload in item 138."""

    ELECTRO_OPTICAL = 0
    LIDAR = 1
    RADAR = 2
    SIGINT = 3
    SAR = 4


for _e in (IcingDetected, SensorFovName, OperationalMode, PlatformStatus, SensorControlMode, PayloadType):
    _e.__module__ = "tstrans.klv"
del _e
