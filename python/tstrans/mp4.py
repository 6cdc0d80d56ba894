"""One video track into an MP4 file: H.264, HEVC, AV1, JPEG or PNG, a picture at a time.

The file is fragmented while it grows, so that a process that dies leaves a file that plays up to its last
second; `Mp4Muxer.finish` turns it into a plain fast-start file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ._native import mp4_lib as lib
from .exceptions import TstError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Codec", "FlowResult", "InvocationReason", "Mp4Error", "Mp4Muxer"]

BytesLike = bytes | bytearray | memoryview


class Mp4Error(TstError, RuntimeError):
    """The file cannot be written, or what was pushed is no video.

    `kind` is one of `io`, `finished`, `input_malformed`, `time_range`, `invalid_arg`; `errno` is that of the
    operating system, or None.
    """

    def __init__(self, message: str, kind: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.errno = errno

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.kind, self.errno)


class _Members(type):
    """Classes whose members can be listed, as those of an enumeration."""

    _members: list[Any]

    def __iter__(cls) -> Iterator[Any]:
        return iter(cls._members)

    def __len__(cls) -> int:
        return len(cls._members)


class _Numbered(metaclass=_Members):
    """A member of a numbered list: equal to its number, hashable, made only here."""

    __slots__ = ("_name", "_value")
    _name: str
    _value: int

    if not TYPE_CHECKING:

        def __new__(cls, *args: object, **kwargs: object) -> NoReturn:
            raise TypeError(f"No constructor defined for {cls.__name__}")

    def __int__(self) -> int:
        return self._value

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int) or type(other) is type(self):
            return self._value == int(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name}"

    def __reduce__(self) -> tuple[object, ...]:
        return getattr, (type(self), self._name)


def _fill(cls: type[Any], names: str) -> None:
    cls._members = []
    for value, name in enumerate(names.split()):
        member = object.__new__(cls)
        member._name, member._value = name, value
        setattr(cls, name, member)
        cls._members.append(member)


class Codec(_Numbered):
    """What an MP4 file of this module can hold.

    >>> Codec.from_name("H265")
    Codec.HEVC
    >>> Codec.HEVC.name()
    'hevc'
    """

    __slots__ = ()
    H264: ClassVar[Codec]
    HEVC: ClassVar[Codec]
    JPEG: ClassVar[Codec]
    AV1: ClassVar[Codec]
    PNG: ClassVar[Codec]
    # The same members under the names of a later release.
    Hevc: ClassVar[Codec]
    Jpeg: ClassVar[Codec]
    Av1: ClassVar[Codec]
    Png: ClassVar[Codec]

    @staticmethod
    def from_name(name: str) -> Codec:
        """The codec of a name in any case: h264, hevc, h265, jpeg, av1, png.

        Raises:
            ValueError: an unknown name.
        """
        if not isinstance(name, str):
            raise TypeError(f"name must be str; got {type(name).__name__}")
        wanted = "HEVC" if name.lower() == "h265" else name.upper()
        members: list[Codec] = Codec._members
        for codec in members:
            if codec._name == wanted:
                return codec
        raise ValueError(f"Unknown codec {name!r}: expected one of h264, hevc, h265, jpeg, av1, png")

    def name(self) -> str:
        """The canonical name, in lower case."""
        return self._name.lower()


_fill(Codec, "H264 HEVC JPEG AV1 PNG")
Codec.Hevc, Codec.Jpeg, Codec.Av1, Codec.Png = Codec.HEVC, Codec.JPEG, Codec.AV1, Codec.PNG


class FlowResult(_Numbered):
    """Results of a media pipeline's data flow, by position."""

    __slots__ = ()
    CustomSuccess2: ClassVar[FlowResult]
    CustomSuccess1: ClassVar[FlowResult]
    CustomSuccess: ClassVar[FlowResult]
    Ok: ClassVar[FlowResult]
    NotLinked: ClassVar[FlowResult]
    Flushing: ClassVar[FlowResult]
    Eos: ClassVar[FlowResult]
    NotNegotiated: ClassVar[FlowResult]
    Error: ClassVar[FlowResult]
    NotSupported: ClassVar[FlowResult]
    CustomError: ClassVar[FlowResult]
    CustomError1: ClassVar[FlowResult]
    CustomError2: ClassVar[FlowResult]


_fill(
    FlowResult,
    "CustomSuccess2 CustomSuccess1 CustomSuccess Ok NotLinked Flushing Eos NotNegotiated Error NotSupported "
    "CustomError CustomError1 CustomError2",
)


class InvocationReason(_Numbered):
    """Why a handler of a media pipeline was called, by position."""

    __slots__ = ()
    Buffer: ClassVar[InvocationReason]
    SinkEvent: ClassVar[InvocationReason]
    SourceEvent: ClassVar[InvocationReason]
    StateChange: ClassVar[InvocationReason]
    IngressMessageTransformer: ClassVar[InvocationReason]


_fill(InvocationReason, "Buffer SinkEvent SourceEvent StateChange IngressMessageTransformer")


def _codec(codec: Any) -> Codec:
    if isinstance(codec, Codec):
        return codec
    if isinstance(codec, str):
        return Codec.from_name(codec)
    name = getattr(codec, "name", None)
    if callable(name):
        got = name()
        if isinstance(got, str):
            return Codec.from_name(got)
    raise TypeError(f"codec must be a Codec or the name of one; got {type(codec).__name__}")


def _unsigned(name: str, value: Any, bits: int) -> int:
    n = index(value)
    if not 0 <= n < 1 << bits:
        raise OverflowError(f"{name}: {n} does not fit {bits} bits without a sign")
    return n


def _time(name: str, value: Any) -> int:
    return lib.NO_TIME if value is None else _unsigned(name, value, 64)


class Mp4Muxer:
    """Writes coded pictures to an MP4 file.

    Args:
        codec: a `Codec`, a name of one, or any object whose `name()` gives one.
        output_path: the file; it is made or emptied at once.
        fps_num: numerator of the frame rate. It sets the time scale, and how long the last picture lasts.
        fps_den: denominator of the frame rate; 0/1 means unknown.

    Raises:
        ValueError: an unknown codec.
        RuntimeError: the file cannot be opened for writing.

    Threads may share one: calls wait for each other. Dropping one finishes it.
    """

    __slots__ = ("_finished", "_writer")

    def __init__(
        self, codec: Codec | str, output_path: str | os.PathLike[str], fps_num: int = 30, fps_den: int = 1
    ) -> None:
        self._finished = False
        kind, path = _codec(codec), os.fspath(output_path)
        if not isinstance(path, str):
            raise TypeError(f"output_path must be str; got {type(path).__name__}")
        num, den = _unsigned("fps_num", fps_num, 31), _unsigned("fps_den", fps_den, 31)
        if den == 0:
            raise ValueError("fps_den must not be 0")
        if "\0" in path:
            raise ValueError("output_path has a NUL character")
        self._writer = lib.Writer()
        failed = self._writer.open(path, int(kind), num, den)
        if failed is not None:
            raise Mp4Error(f"Cannot open {path!r} for writing: {failed.message}", failed.kind, failed.errno)

    def push(
        self, data: BytesLike, pts_ns: int, dts_ns: int | None = None, duration_ns: int | None = None
    ) -> None:
        """Add one picture.

        Args:
            data: an Annex B access unit (H.264, HEVC), a temporal unit with size fields (AV1), or an image
                file.
            pts_ns: when it is shown, in nanoseconds.
            dts_ns: when it is decoded; without it, times are made from the order of the pictures.
            duration_ns: how long it lasts, where it is the last one.

        Raises:
            RuntimeError: after `finish`; for what is not coded in this codec; for decode times that go back;
                where the file cannot be written.
            OverflowError: a time below 0 or beyond 64 bits.
        """
        failed = self._writer.push(
            data, _unsigned("pts_ns", pts_ns, 64), _time("dts_ns", dts_ns), _time("duration_ns", duration_ns)
        )
        if failed is not None:
            if failed.status == lib.FINISHED:
                raise Mp4Error("Muxer already finished", failed.kind)
            raise Mp4Error(f"Push failed: {failed.message}", failed.kind, failed.errno)

    def finish(self) -> None:
        """Write what is open and make the file a plain one; calling it again does nothing.

        Where nothing that can be played was pushed, no file is left, and the log says so.

        Raises:
            RuntimeError: the file cannot be written.
        """
        if self._finished:
            return
        self._finished = True
        failed = self._writer.finish()
        if failed is None:
            return
        if failed.status == lib.NOTHING_USABLE:
            logging.getLogger("tstrans").warning("no MP4 file was left: %s", failed.message)
            return
        raise Mp4Error(f"Finish failed: {failed.message}", failed.kind, failed.errno)

    @property
    def is_finished(self) -> bool:
        """Whether `finish` was called."""
        return self._finished

    def __enter__(self) -> Mp4Muxer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.finish()
