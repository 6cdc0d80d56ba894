"""Frames in: an encoder process that makes a live HLS stream of NumPy pictures.

    with HLSEncoder("video/live.m3u8", shape=(180, 320), input_fps=30) as enc:
        for picture in pictures:
            enc(picture)

Needs the program `ffmpeg` on PATH, or PyAV (the package `av`), which is taken where there is no such program.
"""

from __future__ import annotations

import collections
import contextlib
import enum
import fcntl
import importlib.util
import json
import math
import os
import pathlib
import select
import shutil
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from ..exceptions import TstError

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EncoderError", "EncoderErrorKind", "EncoderNotFoundError", "HLSEncoder", "HLSPresets", "main"]


class HLSPresets(enum.Enum):
    """Settings of the video encoder, by what it runs on."""

    DEFAULT_CPU = {  # noqa: RUF012 # the values of an Enum are its members'
        "vcodec": "libx264",
        "preset": "veryfast",
        "video_bitrate": "6M",
        "maxrate": "6M",
        "bufsize": "6M",
    }
    DEFAULT_GPU = {  # noqa: RUF012
        "vcodec": "h264_nvenc",
        "preset": "p3",
        "tune": "ll",
        "video_bitrate": "6M",
        "maxrate": "6M",
        "bufsize": "6M",
    }


class EncoderErrorKind(enum.Enum):
    """Why an encoder failed."""

    NOT_FOUND = "not_found"  #: neither the program nor PyAV is there
    DIED = "died"  #: it ended while pictures came
    STALLED = "stalled"  #: it took nothing for longer than :attr:`HLSEncoder.stall_timeout`
    CLOSED = "closed"  #: a picture outside of `with`


class EncoderError(TstError, BrokenPipeError):
    """The encoder took no picture. `returncode` is its exit code, or None; `log` the end of what it said."""

    def __init__(
        self, kind: EncoderErrorKind, message: str, returncode: int | None = None, log: str = ""
    ) -> None:
        super().__init__(f"{message}\n{log}".rstrip())
        self.kind = kind
        self.message = message
        self.returncode = returncode
        self.log = log

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, self.message, self.returncode, self.log)


class EncoderNotFoundError(TstError, FileNotFoundError):
    """Neither the program `ffmpeg` is on PATH nor PyAV installed."""

    kind = EncoderErrorKind.NOT_FOUND


# Options that have another name on the command line.
_NAMES = {"format": "f", "video_bitrate": "b:v", "audio_bitrate": "b:a"}

_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
#: How much a pipe holds: several pictures of the demonstration, a sixth of one in full HD.
_PIPE_BYTES = 1 << 20


def _arguments(settings: dict[str, Any]) -> list[str]:
    out = []
    for key, value in settings.items():
        for v in value if isinstance(value, (list, tuple)) else (value,):
            out.append(f"-{_NAMES.get(key, key)}")
            if v is not None:
                out.append(str(v))
    return out


def _font() -> str | None:
    """The file of a font: Roboto where it is there, any other else."""
    found: list[str] = []
    for folder in _FONT_FOLDERS:
        for path in sorted(pathlib.Path(folder).expanduser().rglob("*.[to]tf")):
            if path.stem.lower().startswith("roboto-regular") or path.stem.lower() == "roboto":
                return str(path)
            found.append(str(path))
    plain = [p for p in found if os.path.basename(p) in ("DejaVuSans.ttf", "LiberationSans-Regular.ttf")]
    if plain or found:
        return (plain or found)[0]
    return None


def _escaped(text: str) -> str:
    """A value inside a filter's options inside a filter graph."""
    for c in "\\':":
        text = text.replace(c, "\\" + c)
    for c in "\\'[],;":
        text = text.replace(c, "\\" + c)
    return text


def _whole(fps: float) -> str:
    """A frame rate as a fraction."""
    for den in (1, 1001):
        num = fps * den
        if abs(num - round(num)) < 1e-3 * den / 1000:
            return f"{round(num)}/{den}" if den > 1 else str(round(num))
    return str(fps)


class HLSEncoder:
    """Makes a live HLS stream of pictures: a playlist at `out_path`, segments beside it.

    `shape` is (height, width). Segments hold `hls_time` seconds and begin with a key frame; the playlist
    lists the newest `hls_list_size`. `hls_kwargs` overrides any of the encoder's settings, by FFmpeg's names.
    A time code is burnt in, counting pictures from 00:00:00:00 on.

    Pictures are equally spaced whatever the time between the calls; with `use_wallclock_pts` each is stamped
    with the time it came.

    Calling the encoder hands a picture over. It waits while the encoder is busy (there is no queue), at most
    `stall_timeout` seconds. Raises :class:`EncoderError`, which is a BrokenPipeError too, when the encoder
    ended, and :class:`EncoderNotFoundError` on entering where there is none.
    """

    #: How long one picture may wait for the encoder, in seconds.
    stall_timeout: float = 30.0
    #: What encodes, the first that is there: "ffmpeg", the program, or "pyav", the package, in a process of
    #: its own, too. PyAV's time code is in plain squares instead of a font.
    backends: tuple[str, ...] = ("ffmpeg", "pyav")

    def __init__(
        self,
        out_path: str | os.PathLike[str],
        shape: tuple[int, int] = (1080, 1920),
        input_fps: float = 30,
        use_wallclock_pts: bool = False,
        preset: HLSPresets = HLSPresets.DEFAULT_CPU,
        **hls_kwargs: Any,
    ) -> None:
        if not input_fps > 0 or math.isinf(input_fps):
            raise ValueError(f"input_fps must be above 0 and finite, not {input_fps}")
        height, width = (int(n) for n in shape)
        if height < 1 or width < 1:
            raise ValueError(f"shape must be (height, width), not {shape}")
        self.out_path = out_path
        self.shape = shape
        self.input_fps = input_fps
        self.use_wallclock_pts = use_wallclock_pts
        #: The stream's time behind the newest picture, in seconds (Unix time with `use_wallclock_pts`).
        self.time: float = 0.0
        #: The encoder's process, None before it was started.
        self.proc: subprocess.Popen[bytes] | None = None
        self.inp_settings: dict[str, Any] = {
            "format": "rawvideo",
            "pix_fmt": "rgb24",
            "s": f"{width}x{height}",
        }
        if use_wallclock_pts:
            self.inp_settings["use_wallclock_as_timestamps"] = 1
        else:
            self.inp_settings["r"] = input_fps
        self.enc_settings: dict[str, Any] = {
            "format": "hls",
            "pix_fmt": "yuv420p",
            "hls_time": 2,
            "hls_list_size": 60,
            "hls_flags": "delete_segments",
            "start_number": 0,
            **preset.value,
            **hls_kwargs,
        }
        gop = max(1, round(float(self.enc_settings["hls_time"]) * input_fps))
        self.enc_settings["g"] = gop
        self.enc_settings["keyint_min"] = gop
        self._frames = 0
        self._bytes = height * width * 3
        self._size = (height, width, 3)
        self._log: collections.deque[bytes] = collections.deque(maxlen=40)
        self._drained: threading.Thread | None = None

    def command(self) -> list[str]:
        """The command line of the encoder."""
        for name in self.backends:
            if name not in ("ffmpeg", "pyav"):
                raise ValueError(f"backends: {name!r} is neither ffmpeg nor pyav")
            if name == "ffmpeg" and (program := shutil.which("ffmpeg")) is not None:
                return self._ffmpeg(program)
            if name == "pyav" and importlib.util.find_spec("av") is not None and sys.executable:
                return self._pyav()
        raise EncoderNotFoundError(f"no encoder: tried {', '.join(self.backends)} (ffmpeg on PATH, PyAV)")

    def _pyav(self) -> list[str]:
        height, width, _ = self._size
        settings = {
            "out": os.fspath(self.out_path),
            "shape": [height, width],
            "fps": self.input_fps,
            "wall": self.use_wallclock_pts,
            "enc": self.enc_settings,
        }
        return [sys.executable, "-m", "tstrans.hls._pyav_encoder", json.dumps(settings)]

    def _ffmpeg(self, program: str) -> list[str]:
        filters = []
        if (font := _font()) is not None:
            filters.append(
                f"drawtext=fontfile={_escaped(font)}:timecode='00\\:00\\:00\\:00':rate={_whole(self.input_fps)}"
                ":fontcolor=white:fontsize=h/10:x=(w-text_w)/2:y=h*0.8:box=1:boxcolor=black:boxborderw=4"
            )
        return [
            program, "-hide_banner", "-loglevel", "warning", "-nostats",
            *_arguments(self.inp_settings), "-i", "pipe:0",
            *(["-vf", ",".join(filters)] if filters else []),
            "-sc_threshold", "0",
            *_arguments(self.enc_settings), "-y", os.fspath(self.out_path),
        ]  # fmt: skip

    def __enter__(self) -> HLSEncoder:
        if self.proc is not None and self.proc.poll() is None and self.proc.stdin:
            raise RuntimeError("the encoder runs already")
        command = self.command()
        os.makedirs(os.path.dirname(os.path.abspath(self.out_path)), exist_ok=True)
        self.time, self._frames = 0.0, 0
        self._log.clear()
        self.proc = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0
        )
        pipe, errors = self.proc.stdin, self.proc.stderr
        assert pipe is not None and errors is not None
        os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(OSError):  # the system's bound for users may be lower
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        # Reads what the encoder says, so that it never waits for us, and takes note of its end.
        self._drained = threading.Thread(target=self._drain, args=(self.proc, errors), daemon=True)
        self._drained.start()
        return self

    def _drain(self, proc: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        with errors:
            for line in errors:
                self._log.append(line)
        proc.wait()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.proc is not None and self.proc.stdin is not None:
            with contextlib.suppress(OSError):
                self.proc.stdin.close()

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the encoder has ended (leave the `with` first); its exit code.

        Raises :class:`subprocess.TimeoutExpired`.
        """
        if self.proc is None:
            raise EncoderError(EncoderErrorKind.CLOSED, "the encoder was not started")
        code = self.proc.wait(timeout)
        if self._drained is not None:
            self._drained.join(5)
        return code

    def _died(self) -> EncoderError:
        assert self.proc is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.proc.wait(5)
        if self._drained is not None:
            self._drained.join(5)
        log = b"".join(self._log).decode("utf-8", "replace")
        code = self.proc.returncode
        return EncoderError(EncoderErrorKind.DIED, f"the encoder ended with code {code}", code, log)

    def __call__(self, rgb24: NDArray[np.uint8]) -> float:
        """Hand a picture over; its stream time in seconds, 0.0 for the first.

        With `use_wallclock_pts` the time is Unix time. ValueError for another shape or type than
        height x width x 3 of uint8.
        """
        import numpy as np

        picture = np.asarray(rgb24)
        if picture.shape != self._size or picture.dtype != np.uint8:
            raise ValueError(
                f"a picture of {self._size} uint8 is wanted, not {picture.shape} {picture.dtype}"
            )
        if self.proc is None or self.proc.stdin is None or self.proc.stdin.closed:
            raise EncoderError(EncoderErrorKind.CLOSED, "the encoder is not running: use it in `with`")
        stamp = time.time() if self.use_wallclock_pts else self._frames / self.input_fps
        self._write(np.ascontiguousarray(picture).data.cast("B"))
        self._frames += 1
        self.time = time.time() if self.use_wallclock_pts else self._frames / self.input_fps
        return stamp

    def _write(self, data: memoryview) -> None:
        assert self.proc is not None and self.proc.stdin is not None
        fd = self.proc.stdin.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        end = time.monotonic() + self.stall_timeout
        while data:
            try:
                n = os.write(fd, data)
            except BlockingIOError:
                n = 0
            except BrokenPipeError:
                raise self._died() from None
            if n:
                data = data[n:]
                end = time.monotonic() + self.stall_timeout
                continue
            poll.poll(100)
            if time.monotonic() >= end:
                raise EncoderError(
                    EncoderErrorKind.STALLED, f"the encoder took nothing for {self.stall_timeout:g} s"
                )


class _Announcer:
    """Tells the other processes of markers; where no server runs, the next time."""

    def __init__(self) -> None:
        self.markers: list[dict[str, object]] = []
        self._cache: Any = None
        self._told = False
        self._next = 0.0

    def add(self, at: float) -> None:
        self.markers.append({"time": at, "text": f"Marker {len(self.markers) + 1}"})
        self._told = False
        self._next = 0.0

    def tell(self) -> None:
        if self._told or time.monotonic() < self._next:
            return
        from .sync import Cache

        try:
            if self._cache is None:
                self._cache = Cache()
            self._cache.set("markers", list(self.markers))
            self._told = True
        except (OSError, EOFError):
            self._cache = None
            self._next = time.monotonic() + 0.5


def main(out_path: str | os.PathLike[str] = "video/chessboard.m3u8", seconds: float | None = None) -> None:
    """Encode the chessboard into a folder, which need not exist, until interrupted or for some seconds."""
    from .input import chessboard_generator

    path = pathlib.Path(out_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in [path, *path.parent.glob(f"{path.stem}[0-9]*.ts")]:
        old.unlink(missing_ok=True)  # of an earlier run: its times mean nothing any more
    shape, fps = (180, 320), 30
    roll = math.ceil(shape[1] / (fps * 30))
    announcer = _Announcer()
    was = False
    with HLSEncoder(path, shape=shape, input_fps=fps) as encoder:
        for stamp, picture, active in chessboard_generator(shape, roll, block_size=20, fps=fps):
            encoder(picture)
            if active and not was:
                announcer.add(encoder.time)
            was = active
            announcer.tell()
            if seconds is not None and stamp >= seconds:
                break
    encoder.wait(30)


if __name__ == "__main__":
    # Under its public name, so that what a program set there holds.
    from tstrans.hls import stream

    with contextlib.suppress(KeyboardInterrupt):
        stream.main()
