"""AV1: sequence headers, the head of frame headers, OBU lists."""

from __future__ import annotations

from typing import Any

from .._native import codec_abi as abi
from .._native import codec_lib as lib
from ..exceptions import CodecError
from ._enums import CHROMA, ChromaFormat
from ._sets import Header, flag_text, rate_at, remembered
from ._values import BytesLike, ColorInfo, NoConstructor, Obu, Rational, as_array, as_bytes, color_of

__all__ = [
    "Av1FrameHeaderLight",
    "Av1ObuStream",
    "Av1SequenceHeader",
    "parse_av1_frame_header_light",
    "parse_av1_obu_stream",
    "parse_av1_sequence_header",
]

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6


class _Raw(Header):
    __slots__ = ()

    @property
    def raw(self) -> bytes:
        """The bytes it was read from."""
        return self._raw

    @property
    def raw_np(self) -> Any:
        """`raw` as a read-only NumPy array."""
        return as_array(self._raw)


class Av1SequenceHeader(_Raw):
    """A sequence header."""

    __slots__ = ()

    @property
    def profile(self) -> int:
        """seq_profile, 0 to 2."""
        return self._f[abi.TST_AV1_SEQUENCE_PROFILE]

    @property
    def level(self) -> int:
        """seq_level_idx of the first operating point."""
        return self._f[abi.TST_AV1_SEQUENCE_LEVEL]

    @property
    def tier(self) -> int:
        """seq_tier of the first operating point."""
        return self._f[abi.TST_AV1_SEQUENCE_TIER]

    @property
    def still_picture(self) -> bool:
        """still_picture."""
        return self._f[abi.TST_AV1_SEQUENCE_STILL_PICTURE] != 0

    @property
    def reduced_still_picture_header(self) -> bool:
        """reduced_still_picture_header."""
        return self._f[abi.TST_AV1_SEQUENCE_REDUCED] != 0

    @property
    def max_frame_width(self) -> int:
        """Luma samples of a row of the largest frame."""
        return self._f[abi.TST_AV1_SEQUENCE_WIDTH]

    @property
    def max_frame_height(self) -> int:
        """Luma rows of the largest frame."""
        return self._f[abi.TST_AV1_SEQUENCE_HEIGHT]

    @property
    def bit_depth(self) -> int:
        """Bits of a sample."""
        return self._f[abi.TST_AV1_SEQUENCE_BIT_DEPTH]

    @property
    def chroma_format(self) -> ChromaFormat:
        """The chroma format."""
        return CHROMA[self._f[abi.TST_AV1_SEQUENCE_CHROMA]]

    @property
    def frame_rate(self) -> Rational | None:
        """Frames a second, where all intervals are equal; else None."""
        return rate_at(self._f, abi.TST_AV1_SEQUENCE_HAS_RATE)

    @property
    def monochrome(self) -> bool:
        """Whether there are luma samples only."""
        return self._f[abi.TST_AV1_SEQUENCE_CHROMA] == 0

    @property
    def color_info(self) -> ColorInfo | None:
        """How samples are to be shown; its parts are UNSPECIFIED where the stream does not tell."""
        at = abi.TST_AV1_SEQUENCE_PRIMARIES
        return color_of(*self._f[at : at + 4])

    def __repr__(self) -> str:
        return (
            f"Av1SequenceHeader(profile={self.profile}, {self.max_frame_width}x{self.max_frame_height}, "
            f"bit_depth={self.bit_depth})"
        )


class Av1FrameHeaderLight(_Raw):
    """The head of a frame header."""

    __slots__ = ()

    @property
    def show_existing_frame(self) -> bool:
        """Whether a frame decoded before is shown."""
        return self._f[abi.TST_AV1_FRAME_SHOW_EXISTING] != 0

    @property
    def frame_type(self) -> int:
        """0 key, 1 inter, 2 intra only, 3 switch; 0 for an existing frame."""
        return self._f[abi.TST_AV1_FRAME_TYPE]

    @property
    def show_frame(self) -> bool:
        """Whether the frame is shown at once."""
        return self._f[abi.TST_AV1_FRAME_SHOW] != 0

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """Always None: the size stands behind what is read here."""
        return None

    def __repr__(self) -> str:
        return (
            f"Av1FrameHeaderLight(type={self.frame_type}, show={flag_text(self.show_frame)}, "
            f"show_existing={flag_text(self.show_existing_frame)})"
        )


class Av1ObuStream(NoConstructor):
    """What a list of OBUs holds."""

    __slots__ = ("_frames", "_sequences", "_unparseable")
    _sequences: list[Av1SequenceHeader]
    _frames: list[Av1FrameHeaderLight]
    _unparseable: list[tuple[int, str]]

    @property
    def sequence_headers(self) -> list[Av1SequenceHeader]:
        """All sequence headers; a new list at each access."""
        return list(self._sequences)

    @property
    def frame_headers(self) -> list[Av1FrameHeaderLight]:
        """The headers of all frames; a new list at each access."""
        return list(self._frames)

    @property
    def unparseable(self) -> list[tuple[int, str]]:
        """(obu_type, reason) of what could not be read; a new list at each access."""
        return list(self._unparseable)


def parse_av1_sequence_header(payload: BytesLike) -> Av1SequenceHeader:
    """Read the payload of a sequence header OBU. CodecError when it is not one."""
    data = as_bytes(payload)
    out = object.__new__(Av1SequenceHeader)
    out._f, out._raw = remembered(abi.TST_PS_AV1_SEQUENCE, data), data
    return out


def parse_av1_frame_header_light(payload: BytesLike, seq: Av1SequenceHeader) -> Av1FrameHeaderLight:
    """Read the head of the payload of a frame or frame header OBU."""
    if not isinstance(seq, Av1SequenceHeader):
        raise TypeError(f"seq: an Av1SequenceHeader is wanted, not {type(seq).__name__}")
    data = as_bytes(payload)
    out = object.__new__(Av1FrameHeaderLight)
    out._f, out._raw = lib.parse_slice(abi.TST_PS_AV1_FRAME, 0, lib.pack(seq._f), len(seq._f), data), data
    return out


def parse_av1_obu_stream(obus: list[Obu]) -> Av1ObuStream:
    """Collect the sequence and frame headers of a list of OBUs; never raises CodecError."""
    out = object.__new__(Av1ObuStream)
    out._sequences, out._frames, out._unparseable = [], [], []
    seq: Av1SequenceHeader | None = None
    for obu in obus:
        if not isinstance(obu, Obu):
            raise TypeError(f"obus: an Obu is wanted, not {type(obu).__name__}")
        kind = obu.obu_type
        try:
            if kind == _SEQUENCE:
                seq = parse_av1_sequence_header(obu.payload)
                out._sequences.append(seq)
            elif kind in (_FRAME_HEADER, _FRAME):
                if seq is None:
                    out._unparseable.append((kind, "frame header before sequence header"))
                else:
                    out._frames.append(parse_av1_frame_header_light(obu.payload, seq))
        except CodecError as e:
            out._unparseable.append((kind, e.message))
    return out
