"""Glue of tstrans/audio.h: codecs, concealment, comfort noise."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint64

from . import audio_abi as abi
from . import base_abi
from ._lib import Config, Handle, check, failure, pin, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ALAW",
    "ULAW",
    "AudioCodec",
    "Concealer",
    "Noise",
    "g711_decode",
    "g711_encode",
    "new_bytes",
    "noise_level",
]

ULAW = abi.TST_AUDIO_ULAW
ALAW = abi.TST_AUDIO_ALAW
L16 = abi.TST_AUDIO_L16
G722 = abi.TST_AUDIO_G722
OPUS = abi.TST_AUDIO_OPUS

new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
new_bytes.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t)
new_bytes.restype = ctypes.py_object


def _fresh(n: int) -> bytes:
    """A bytes object for the library to fill. Short ones may be shared, so they are made one longer."""
    out: bytes = new_bytes(None, n if n > 1 else 2)
    return out


def g711_encode(pcm: Any, law: int) -> bytes:
    """One byte a sample; a last odd byte is left out."""
    at, n, _kept = pin(pcm)
    size = n // 2
    out = _fresh(size)
    check(room("audio").tst_g711_encode(out, at, n, law))
    return out if size > 1 else out[:size]


def g711_decode(payload: Any, law: int) -> bytes:
    """Two bytes a byte."""
    at, n, _kept = pin(payload)
    out = _fresh(2 * n)
    check(room("audio").tst_g711_decode(out, at, n, law))
    return out if n else b""


def noise_level(pcm: Any) -> int:
    at, n, _kept = pin(pcm)
    level: int = room("audio").tst_noise_level(at, n)
    return level


class AudioCodec(Handle):
    """An encoder and a decoder."""

    _room = "audio"
    _close_name = "tst_audio_codec_close"
    __slots__ = ()

    def __init__(self, kind: int, parameters: dict[str, int] | None = None) -> None:
        api = room("audio")
        out = c_uint64()
        with Config(dict(parameters or {})) as config:
            status = api.tst_audio_codec_open(byref(out), kind, config if parameters else 0)
            if status:
                raise (
                    ImportError("libopus is not available")
                    if status == base_abi.TST_E_NOT_SUPPORTED
                    else failure(status)
                )
        self._own(api, out.value)

    def encode(self, pcm: Any, most: int) -> bytes:
        at, n, _kept = pin(pcm)
        return self._get(
            lambda out, cap, got: self._api.tst_audio_encode(out, cap, got, self._id, at, n), most
        )

    def decode(self, payload: Any, most: int) -> bytes:
        at, n, _kept = pin(payload)
        return self._get(
            lambda out, cap, got: self._api.tst_audio_decode(out, cap, got, self._id, at, n), most
        )

    def conceal(self, samples: int, most: int) -> bytes:
        return self._get(
            lambda out, cap, got: self._api.tst_audio_conceal(out, cap, got, self._id, max(samples, 0)), most
        )

    @staticmethod
    def _get(call: Any, most: int) -> bytes:
        cap = max(most, 16)
        out = _fresh(cap)
        got = c_size_t()
        check(call(out, cap, byref(got)))
        return out[: got.value]


class Concealer(Handle):
    """Repeats the last frame, fading."""

    _room = "audio"
    _close_name = "tst_concealer_close"
    __slots__ = ("frame_samples",)

    def __init__(self, sample_rate: int, fade_ms: int) -> None:
        api = room("audio")
        out = c_uint64()
        check(api.tst_concealer_open(byref(out), sample_rate, fade_ms))
        self._own(api, out.value)
        self.frame_samples = 0

    def update(self, pcm: Any) -> None:
        at, n, _kept = pin(pcm)
        got = c_size_t()
        check(self._api.tst_concealer_update(byref(got), self._id, at, n))
        self.frame_samples = got.value

    def conceal(self, samples: int) -> bytes:
        if samples < 0:
            raise ValueError(f"{samples} samples: not negative")
        out = _fresh(2 * samples)
        check(self._api.tst_concealer_conceal(out, self._id, samples))
        return out if samples else b""


class Noise(Handle):
    """Comfort noise of one level."""

    _room = "audio"
    _close_name = "tst_noise_close"
    __slots__ = ()

    def __init__(self, level: int, seed: int = 0) -> None:
        api = room("audio")
        out = c_uint64()
        check(api.tst_noise_open(byref(out), level, seed))
        self._own(api, out.value)

    def generate(self, samples: int) -> bytes:
        if samples < 0:
            raise ValueError(f"{samples} samples: not negative")
        out = _fresh(2 * samples)
        check(self._api.tst_noise_generate(out, self._id, samples))
        return out if samples else b""
