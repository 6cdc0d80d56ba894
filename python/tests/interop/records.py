"""Records over all items of ST 0601, made from the library's own table with a seeded generator."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

from tstrans import klv
from tstrans._native.klv_lib import fields

TABLE = fields(1)
WORDS = ("", "A", "MISSION 7", "Käsivarsi", "東京", "x" * 32)


def text(rng: random.Random, most: int) -> str:
    word = rng.choice(WORDS[1:])
    while len(word.encode()) > (most or 127):
        word = word[:-1]
    return word


def location(rng: random.Random) -> klv.Location:
    return klv.Location(
        rng.uniform(-90, 90), rng.uniform(-180, 180), rng.choice([None, rng.uniform(-900, 9000)])
    )


def pair(rng: random.Random, low: float) -> klv.ViewDomainPair:
    return klv.ViewDomainPair(rng.uniform(low, low + 360), rng.uniform(0, 360))


def structured(name: str, rng: random.Random) -> object:
    n = rng.randint(1, 3)
    match name:
        case "image_horizon":
            ends = [
                rng.uniform(-80, 80),
                rng.uniform(-170, 170),
                rng.uniform(-80, 80),
                rng.uniform(-170, 170),
            ]
            return klv.ImageHorizonPixels(
                0, rng.randint(0, 100), 100, rng.randint(0, 100), *(ends if rng.random() < 0.7 else [])
            )
        case "control_commands":
            return tuple(
                klv.ControlCommand(
                    rng.randint(0, 300), text(rng, 100), rng.choice([None, instant(rng) | 1 << 40])
                )
                for _ in range(n)
            )
        case "control_command_verification" | "active_wavelengths":
            return tuple(rng.sample(range(1, 400), n))
        case "sensor_frame_rate":
            return klv.SensorFrameRate(rng.randint(1, 60000), rng.choice([1, 1001]))
        case "metadata_substream_id":
            return klv.MetadataSubstreamId(rng.randint(1, 200), rng.choice([None, rng.randbytes(16)]))
        case "country_codes":
            return klv.CountryCodes(
                rng.choice([1, 2, 13, 14]), "USA", rng.choice([None, "CAN"]), rng.choice([None, "GBR"])
            )
        case "wavelengths_list":
            return tuple(
                klv.WavelengthRecord(21 + i, rng.uniform(100, 5000), rng.uniform(5000, 1e6), f"W{i}")
                for i in range(n)
            )
        case "airbase_locations":
            return klv.AirbaseLocations(location(rng), location(rng))
        case "payload_list":
            return klv.PayloadList(
                n, tuple(klv.PayloadRecord(i, klv.PayloadType(rng.randint(0, 4)), f"P{i}") for i in range(n))
            )
        case "weapons_stores":
            return tuple(
                klv.WeaponsStore(i + 1, 2, 3, 4, rng.choice([0, 3, 0x103, 0xB05]), "AGM") for i in range(n)
            )
        case "waypoint_list":
            orders = rng.sample(range(-100, 100), n)
            return tuple(klv.Waypoint(i, orders[i], rng.randint(0, 3), location(rng)) for i in range(n))
        case "view_domain":
            return klv.ViewDomain(pair(rng, 0), pair(rng, -180), pair(rng, 0))
        case "sdcc_flps":
            return (klv.SdccFlpField((), klv.encode_sdcc_flp_mode2([1.0, 2.0], [0.25], 2)),)
    raise AssertionError(name)


def instant(rng: random.Random) -> int:
    """Microseconds up to the year 2500: other implementations turn them into dates."""
    return rng.randrange(1 << 53)


# Items whose number has an inner form that careful readers check.
SPECIAL: dict[str, Callable[[random.Random], object]] = {
    "timestamp_us": instant,
    "event_start_time_us": instant,
    "take_off_time_us": instant,
    "generic_flag_data": lambda rng: rng.randrange(64),
    "laser_prf_code": lambda rng: int("".join(rng.choices("12345678", k=rng.randint(3, 4)))),
    "positioning_method_source": lambda rng: rng.randint(1, 127),
    "weapon_load": lambda rng: rng.randrange(1 << 16),
    "uas_ls_version": lambda rng: 19,
}


def value(row: tuple, rng: random.Random) -> object:
    name, _tag, cls, kind, lo, hi, size, most, _unit, enum, _record, _cite, _step, _meaning = row
    if name in SPECIAL:
        return SPECIAL[name](rng)
    if kind in ("linear", "signed_linear", "imapb"):
        return rng.choice([lo, hi, rng.uniform(lo, hi), rng.uniform(lo, hi), rng.uniform(lo, hi)])
    if enum:
        return rng.choice(list(getattr(klv, enum)))
    if kind == "uint":
        return rng.choice([1, rng.randrange(1 << 8 * size), (1 << 8 * size) - 1])
    if kind == "var_uint":
        return rng.randrange(1 << rng.choice([7, 8, 15, 31, min(63, 8 * most - 1)]))
    if kind == "int":
        return rng.randint(-128, 127)
    if kind == "var_int":
        bits = rng.choice([7, 8, 15, 31])
        return rng.randint(-(1 << bits), (1 << bits) - 1)
    if cls == 3:
        return text(rng, most)
    if cls == 4:
        return rng.randbytes(rng.randint(1, 40))
    return structured(name, rng)


def generate(
    count: int, seed: int, share: float = 0.35, leave: frozenset[str] = frozenset()
) -> Iterator[klv.UasDatalinkLs]:
    """`count` records; each item is there with the probability `share`."""
    rng = random.Random(seed)
    for _ in range(count):
        values = {row[0]: value(row, rng) for row in TABLE if row[0] not in leave and rng.random() < share}
        values.setdefault("timestamp_us", instant(rng))
        yield klv.UasDatalinkLs(**values)  # type: ignore[arg-type]


def pack(packets: list[bytes]) -> bytes:
    """Packets behind 4-byte big-endian lengths: what the workers read."""
    return b"".join(struct.pack(">I", len(p)) + p for p in packets)


def unpack(data: bytes) -> list[bytes]:
    """The inverse of `pack`."""
    out, at = [], 0
    while at < len(data):
        (n,) = struct.unpack_from(">I", data, at)
        out.append(data[at + 4 : at + 4 + n])
        at += 4 + n
    return out


def security(rng: random.Random) -> klv.SecurityLs:
    """A security set with its mandatory items and some of the others."""

    def maybe(v: str) -> str | None:
        return v if rng.random() < 0.5 else None

    return klv.SecurityLs(
        rng.choice(list(klv.SecurityClassification)),
        rng.choice([m for m in klv.ClassifyingCountryCodingMethod if not m.name.startswith("OMITTED")]),
        rng.choice(["//USA", "//FIN"]),
        rng.choice([m for m in klv.ObjectCountryCodingMethod if not m.name.startswith("OMITTED")]),
        rng.choice(["USA", "USA;CAN", "FIN"]),
        12,
        maybe("SI//TK//"),
        maybe("FOUO"),
        maybe("USA GBR"),
        maybe("somebody"),
        maybe("something"),
        maybe("1.4(c)"),
        maybe("20301231"),
        maybe("1.0"),
        maybe("comment"),
        maybe("2021-05-06"),
        maybe("2022-01-02"),
    )


def place(rng: random.Random) -> klv.VLocation:
    sigma = [rng.uniform(0, 650) for _ in range(3)]
    rho = [rng.uniform(-1, 1) for _ in range(3)]
    more = rng.choice([[], sigma, sigma + rho])
    return klv.VLocation(rng.uniform(-90, 90), rng.uniform(-180, 180), rng.uniform(-900, 19000), *more)


def motion(rng: random.Random) -> klv.VMotion:
    return klv.VMotion(*[rng.uniform(-900, 900) for _ in range(3)])


def target(rng: random.Random, number: int) -> klv.VTargetPack:
    """A target with nested sets, without what another reader lacks or, as an embedded picture, codes anew."""

    def maybe(v: object) -> object:
        return v if rng.random() < 0.5 else None

    tracker = klv.VTracker(
        track_id=rng.randbytes(16),
        first_observation_us=instant(rng),
        latest_observation_us=instant(rng),
        boundary=(place(rng), place(rng)),
        confidence_level=rng.randint(0, 100),
        history=(place(rng),),
        velocity=motion(rng),
        acceleration=motion(rng),
        algorithm_id=rng.randint(1, 99),
    )
    mask = klv.VMask(
        tuple(rng.randint(1, 1 << 40) for _ in range(3)),
        (klv.VMaskRun(rng.randint(1, 99999), rng.randint(1, 127)),),
    )
    things = (klv.VObject(ontology_id=rng.randint(1, 300), confidence=rng.uniform(0, 100)),)
    return klv.VTargetPack(
        number,
        centroid_pixel=rng.randint(1, 1 << 40),
        priority=rng.randint(1, 255),
        confidence_level=rng.randint(0, 100),
        history=maybe(rng.randint(0, 65535)),
        percentage_of_target_pixels=maybe(rng.randint(1, 100)),
        target_color=maybe((1, 200, 255)),
        target_intensity=maybe(rng.randint(0, 65535)),
        centroid_lat_offset=maybe(rng.uniform(-19.2, 19.2)),
        centroid_lon_offset=maybe(rng.uniform(-19.2, 19.2)),
        centroid_hae=maybe(rng.uniform(-900, 19000)),
        target_location=klv.encode_vlocation(place(rng)),
        geospatial_contour_series=maybe(klv.encode_vlocation_series((place(rng), place(rng)))),
        centroid_pix_row=rng.randint(1, 1 << 20),
        centroid_pix_col=rng.randint(1, 1 << 20),
        algorithm_id=rng.randint(1, 99),
        vmask=maybe(klv.encode_vmask(mask)),
        vtracker=maybe(klv.encode_vtracker(tracker)),
        vchip=maybe(klv.encode_vchip(klv.VChip("png", "http://x/y.png"))),
        vobject_series=maybe(klv.encode_vobject_series(things)),
    )  # type: ignore[arg-type]


def vmti(rng: random.Random) -> klv.VmtiLs:
    """A VMTI set with targets."""
    n = rng.randint(1, 4)
    return klv.VmtiLs(
        precision_time_stamp=instant(rng),
        vmti_system_name="system",
        version_number=6,
        total_targets_in_frame=n,
        num_targets_reported=n,
        frame_width=rng.randint(1, 9000),
        frame_height=rng.randint(1, 9000),
        source_sensor="EO",
        horizontal_fov=rng.uniform(0, 180),
        vertical_fov=rng.uniform(0, 180),
        miis_id=klv.encode_core_id(klv.CoreId(1, minor=rng.randbytes(16))),
        targets=tuple(target(rng, i + 1) for i in range(n)),
        algorithm_series=klv.encode_algorithm_series((klv.VAlgorithm(7, "a", "1", "c", rng.randint(1, 99)),)),
        ontology_series=klv.encode_ontology_series((klv.VOntology(5, None, "http://o", "e"),)),
    )
