"""Damaged streams: no exception but TstError, and the same events however the bytes are cut."""

from __future__ import annotations

import functools
import os
import pathlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from tsbuild import small
from tstrans import TstError
from tstrans.mpegts import Demuxer, DemuxEvent

MEDIA = pathlib.Path(__file__).resolve().parents[2] / "testdata"
#: More with TSTRANS_SOAK.
SEEDS = range(400 if os.environ.get("TSTRANS_SOAK") else 25)


def flip(b: bytearray, pick: random.Random) -> None:
    for _ in range(pick.randrange(1, 60)):
        b[pick.randrange(len(b))] ^= 1 << pick.randrange(8)


def drop(b: bytearray, pick: random.Random) -> None:
    at = pick.randrange(len(b))
    del b[at : at + pick.randrange(1, 2000)]


def insert(b: bytearray, pick: random.Random) -> None:
    at = pick.randrange(len(b))
    b[at:at] = pick.randbytes(pick.randrange(1, 2000))


def lead(b: bytearray, pick: random.Random) -> None:
    b[:0] = pick.randbytes(pick.choice((1, 2, 100, 187, 188, 189, 1000, 6000)))


def headers(b: bytearray, pick: random.Random) -> None:
    """Random header bytes in random packets; the sync bytes stay."""
    for _ in range(pick.randrange(1, 40)):
        b[pick.randrange(len(b) // 188) * 188 + pick.randrange(1, 30)] = pick.randrange(256)


def shuffle(b: bytearray, pick: random.Random) -> None:
    packets = [bytes(b[i : i + 188]) for i in range(0, len(b), 188)]
    for _ in range(pick.randrange(1, 20)):
        i, j = pick.randrange(len(packets)), pick.randrange(len(packets))
        packets[i], packets[j] = packets[j], packets[i]
    b[:] = b"".join(packets)


def lengths(b: bytearray, pick: random.Random) -> None:
    """Section, PES, descriptor and cell lengths at their extremes, wherever they may be."""
    for _ in range(pick.randrange(1, 40)):
        at = pick.randrange(len(b) - 4)
        b[at : at + 2] = pick.choice((b"\xff\xff", b"\x00\x00", b"\xb0\xff", b"\x03\xfd", b"\x00\x01"))


DAMAGES: list[Callable[[bytearray, random.Random], None]] = [
    flip, drop, insert, lead, headers, shuffle, lengths,
]  # fmt: skip


def events(data: bytes, cuts: Callable[[], int]) -> tuple[list[Any], list[str]]:
    """Events by PID in order, and the kinds of errors."""
    d = Demuxer()
    got: list[DemuxEvent] = []
    errors = []
    at = 0
    while at < len(data):
        n = cuts()
        try:
            d.feed(data[at : at + n])
        except TstError as e:
            errors.append(str(getattr(e, "kind", e)))
        at += n
        got += d
    d.flush()
    return got + list(d), errors


def touch(event: Any) -> tuple[Any, ...]:
    """Every attribute of an event."""
    repr(event)
    return tuple(getattr(event, n) for n in type(event).__match_args__)


CAPTURES = [small(), *(p.read_bytes()[: 188 * 500] for p in sorted(MEDIA.glob("*.ts")))]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("capture", range(len(CAPTURES)))
def test_damaged(damage: Callable[[bytearray, random.Random], None], capture: int) -> None:
    for seed in SEEDS:
        pick = random.Random(f"{damage.__name__} {seed}")
        b = bytearray(CAPTURES[capture])
        for _ in range(pick.randrange(1, 4)):
            damage(b, pick)
        data = bytes(b)
        whole, errors = events(data, lambda: 1 << 22)
        pieces, _ = events(data, functools.partial(pick.randrange, 1, 3000))
        assert [touch(e) for e in whole] == [touch(e) for e in pieces], (seed, errors)
