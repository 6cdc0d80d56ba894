"""Audio frames: AAC in ADTS, MPEG audio of layers I to III."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import repeat
from struct import Struct
from typing import TYPE_CHECKING, Any, TypeVar

from .._native import codec_lib as lib
from ._enums import (
    AAC_PROFILE,
    CHANNEL_MODE,
    LAYER,
    MPEG_VERSION,
    VERSION,
    AacProfile,
    ChannelMode,
    Layer,
    MpegVersion,
    Version,
    variant_of,
)
from ._lazy import lazy_list
from ._values import BytesLike, NoConstructor, as_array, as_bytes

if TYPE_CHECKING:
    from ..mpegts import AudioCodec

__all__ = [
    "AacChannelLayout",
    "AdtsFrame",
    "AdtsFrameIter",
    "Mpeg2AudioFrame",
    "Mpeg2AudioFrameIter",
    "iter_aac_frames",
    "iter_aac_frames_with_resync",
    "iter_mpeg2_audio_frames",
    "iter_mpeg2_audio_frames_with_resync",
    "parse_aac_frames",
    "parse_aac_frames_with_resync",
    "parse_audio",
    "parse_mpeg2_audio_frames",
    "parse_mpeg2_audio_frames_with_resync",
]

_new = object.__new__
_ADTS = Struct("=QIHBBBBB5x")  # tst_adts_frame
_MPEG = Struct("=QIHHHBBBB2x")  # tst_mpeg_audio_frame
# From so many frames on, they are made when one of them is looked at.
_EAGER = 4


class AacChannelLayout(NoConstructor):
    """How many channels an ADTS frame has."""

    __slots__ = ("_config",)
    _config: int

    @property
    def channels(self) -> int | None:
        """The number of channels; None when a program config element tells."""
        return 8 if self._config == 7 else self._config or None

    @property
    def is_pce_defined(self) -> bool:
        """Whether a program config element inside the frame tells."""
        return self._config == 0

    def __repr__(self) -> str:
        inner = "pce_defined" if self._config == 0 else f"channels={self.channels}"
        return f"AacChannelLayout({inner})"


class _Frame(NoConstructor):
    __slots__ = ("_r", "_src")
    _r: tuple[int, ...]
    _src: bytes

    @property
    def frame_length_bytes(self) -> int:
        """Bytes of the frame, its header included."""
        return self._r[2]

    @property
    def sample_rate_hz(self) -> int:
        """Samples of each channel in a second."""
        return self._r[1]

    @property
    def payload(self) -> bytes:
        """The whole frame, its header included."""
        at = self._r[0]
        return self._src[at : at + self._r[2]]

    @property
    def payload_np(self) -> Any:
        """`payload` as a read-only NumPy array."""
        return as_array(self.payload)


class AdtsFrame(_Frame):
    """A frame of AAC behind an ADTS header."""

    __slots__ = ()

    @property
    def profile(self) -> AacProfile:
        """The profile."""
        return AAC_PROFILE[self._r[4]]

    @property
    def channel_configuration(self) -> int:
        """channel_configuration, 0 to 7."""
        return self._r[5]

    @property
    def channel_layout(self) -> AacChannelLayout:
        """What channel_configuration means."""
        out = _new(AacChannelLayout)
        out._config = self._r[5]
        return out

    @property
    def samples_per_frame(self) -> int:
        """Samples of each channel: 1,024 a raw data block."""
        return 1024 * self._r[6]

    @property
    def num_raw_data_blocks(self) -> int:
        """Raw data blocks, 1 to 4."""
        return self._r[6]

    @property
    def has_crc(self) -> bool:
        """Whether a CRC follows the header."""
        return self._r[3] == 9

    @property
    def mpeg_version(self) -> MpegVersion:
        """The standard that the header names."""
        return MPEG_VERSION[1 - self._r[7]]

    @property
    def raw_header(self) -> bytes:
        """The 7 bytes of the header, 9 with a CRC."""
        at = self._r[0]
        return self._src[at : at + self._r[3]]

    def __repr__(self) -> str:
        r = self._r
        return f"AdtsFrame(profile={variant_of(self.profile)}, sr={r[1]}, ch={r[5]}, frame_len={r[2]})"


class Mpeg2AudioFrame(_Frame):
    """A frame of MPEG-1, MPEG-2 or MPEG-2.5 audio."""

    __slots__ = ()

    @property
    def layer(self) -> Layer:
        """The layer."""
        return LAYER[self._r[6]]

    @property
    def version(self) -> Version:
        """The version."""
        return VERSION[self._r[5]]

    @property
    def bitrate_kbps(self) -> int:
        """Bit rate in kbit/s."""
        return self._r[3]

    @property
    def channel_mode(self) -> ChannelMode:
        """The channel mode."""
        return CHANNEL_MODE[self._r[7]]

    @property
    def channels(self) -> int:
        """The number of channels, 1 or 2."""
        return 1 if self._r[7] == 3 else 2

    @property
    def samples_per_frame(self) -> int:
        """Samples of each channel."""
        return self._r[4]

    @property
    def has_crc(self) -> bool:
        """Whether a CRC follows the header."""
        return self._r[8] != 0

    @property
    def raw_header(self) -> bytes:
        """The 4 bytes of the header."""
        at = self._r[0]
        return self._src[at : at + 4]

    def __repr__(self) -> str:
        r = self._r
        return (
            f"Mpeg2AudioFrame(layer={variant_of(self.layer)}, version={variant_of(self.version)}, "
            f"bitrate={r[3]}kbps, sr={r[1]}Hz, ch_mode={variant_of(self.channel_mode)}, frame_len={r[2]})"
        )


_F = TypeVar("_F", bound=_Frame)
_set_record = _Frame.__dict__["_r"].__set__
_set_source = _Frame.__dict__["_src"].__set__


def _make(cls: type[_F], record: Struct, records: bytes, n: int, src: bytes) -> list[_F]:
    """Frames from their records; the loops run inside the interpreter's own functions."""
    made = list(map(_new, repeat(cls, n)))
    deque(map(_set_record, made, record.iter_unpack(records)), 0)
    deque(map(_set_source, made, repeat(src)), 0)
    return made


def _adts(buf: BytesLike, resync: int) -> list[AdtsFrame]:
    src = buf if type(buf) is bytes else as_bytes(buf)
    n, records = lib.split_adts(src, resync)
    if n < _EAGER:
        return _make(AdtsFrame, _ADTS, records, n, src) if n else []
    return lazy_list(n, _make, AdtsFrame, _ADTS, records, n, src)


def _mpeg(buf: BytesLike, resync: int) -> list[Mpeg2AudioFrame]:
    src = buf if type(buf) is bytes else as_bytes(buf)
    n, records = lib.split_mpeg_audio(src, resync)
    if n < _EAGER:
        return _make(Mpeg2AudioFrame, _MPEG, records, n, src) if n else []
    return lazy_list(n, _make, Mpeg2AudioFrame, _MPEG, records, n, src)


def parse_aac_frames(bytes_buf: BytesLike) -> list[AdtsFrame]:
    """All ADTS frames of a buffer that holds nothing else. CodecError at the first other byte."""
    return _adts(bytes_buf, 0)


def parse_aac_frames_with_resync(bytes_buf: BytesLike) -> list[AdtsFrame]:
    """The ADTS frames of a buffer; other bytes, and a frame cut at the end, are passed over."""
    return _adts(bytes_buf, 1)


def parse_mpeg2_audio_frames(bytes_buf: BytesLike) -> list[Mpeg2AudioFrame]:
    """All MPEG audio frames of a buffer that holds nothing else. CodecError at the first other byte."""
    return _mpeg(bytes_buf, 0)


def parse_mpeg2_audio_frames_with_resync(bytes_buf: BytesLike) -> list[Mpeg2AudioFrame]:
    """The MPEG audio frames of a buffer; other bytes, and a frame cut at the end, are passed over."""
    return _mpeg(bytes_buf, 1)


class AdtsFrameIter(NoConstructor):
    """An iterator over ADTS frames."""

    __slots__ = ("_next",)
    _next: Callable[[], AdtsFrame]

    def __iter__(self) -> AdtsFrameIter:
        return self

    def __next__(self) -> AdtsFrame:
        return self._next()


class Mpeg2AudioFrameIter(NoConstructor):
    """An iterator over MPEG audio frames."""

    __slots__ = ("_next",)
    _next: Callable[[], Mpeg2AudioFrame]

    def __iter__(self) -> Mpeg2AudioFrameIter:
        return self

    def __next__(self) -> Mpeg2AudioFrame:
        return self._next()


def _adts_iter(frames: list[AdtsFrame]) -> AdtsFrameIter:
    out = _new(AdtsFrameIter)
    out._next = iter(frames).__next__
    return out


def _mpeg_iter(frames: list[Mpeg2AudioFrame]) -> Mpeg2AudioFrameIter:
    out = _new(Mpeg2AudioFrameIter)
    out._next = iter(frames).__next__
    return out


def iter_aac_frames(bytes_buf: BytesLike) -> AdtsFrameIter:
    """`parse_aac_frames` as an iterator; an error comes at the call."""
    return _adts_iter(parse_aac_frames(bytes_buf))


def iter_aac_frames_with_resync(bytes_buf: BytesLike) -> AdtsFrameIter:
    """`parse_aac_frames_with_resync` as an iterator."""
    return _adts_iter(parse_aac_frames_with_resync(bytes_buf))


def iter_mpeg2_audio_frames(bytes_buf: BytesLike) -> Mpeg2AudioFrameIter:
    """`parse_mpeg2_audio_frames` as an iterator; an error comes at the call."""
    return _mpeg_iter(parse_mpeg2_audio_frames(bytes_buf))


def iter_mpeg2_audio_frames_with_resync(bytes_buf: BytesLike) -> Mpeg2AudioFrameIter:
    """`parse_mpeg2_audio_frames_with_resync` as an iterator."""
    return _mpeg_iter(parse_mpeg2_audio_frames_with_resync(bytes_buf))


_PARSERS: dict[str, tuple[Callable[[Any], list[Any]], Callable[[Any], list[Any]]]] = {
    "AAC": (parse_aac_frames_with_resync, parse_aac_frames),
    "MP2": (parse_mpeg2_audio_frames_with_resync, parse_mpeg2_audio_frames),
}


def parse_audio(raw: BytesLike, codec: AudioCodec, *, strict: bool = False) -> list[Any]:
    """The audio frames of a payload, by its `AudioCodec`.

    AAC gives AdtsFrame, MP2 (all layers) Mpeg2AudioFrame, other codecs an empty list. With strict a problem
    raises CodecError; without it, bad data is passed over.
    """
    parsers = _PARSERS.get(codec.name)
    if parsers is None:
        return []
    return parsers[1](raw) if strict else parsers[0](raw)
