"""Access units onto a live link: what every sender with a muxer is built on."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from ._live import Live
from ._native.link_ts_lib import mux
from .mpegts import (
    AudioStreamHandle,
    DataStreamHandle,
    KlvStreamHandle,
    Muxer,
    MuxerConfig,
    MuxerStats,
    SubtitleStreamHandle,
    VideoStreamHandle,
)

if TYPE_CHECKING:
    from ._native.transport_lib import Link
    from .mpegts import MuxerProgramConfig, Pts90khz

__all__ = ["Pushes", "Pushing", "muxer_of"]


def muxer_of(program_config: MuxerProgramConfig) -> Muxer:
    """A muxer of one program."""
    return Muxer(MuxerConfig.builder().add_program(program_config).build())


class Pushes:
    """The pushes of whatever takes access units, under both releases' names, but those of audio.

    How they go on is the class's own: ``_push`` gives a call's name and its arguments to what muxes.
    """

    __slots__ = ()

    def _push(self, call: str, *arguments: Any) -> None:
        raise NotImplementedError

    def _first(self, handles: str) -> Any:
        raise NotImplementedError

    def push_video(self, nal: Any, *, pts: Pts90khz, key_frame: bool = False) -> None:
        """Send a picture on the only video stream: an Annex B access unit or an AV1 temporal unit."""
        self._push("push_video", nal, pts, key_frame)

    def push_video_to(
        self, handle: VideoStreamHandle, nal: Any, *, pts: Pts90khz, key_frame: bool = False
    ) -> None:
        """Send a picture on a video stream."""
        self._push("push_video_to", handle, nal, pts, key_frame)

    def push_klv(self, klv: Any, *, pts: Pts90khz, metadata_service_id: int = 0) -> None:
        """Send one KLV packet on the only KLV stream."""
        self._push("push_klv", klv, pts, metadata_service_id)

    def push_klv_to(
        self, handle: KlvStreamHandle, klv: Any, *, pts: Pts90khz, metadata_service_id: int = 0
    ) -> None:
        """Send one KLV packet on a KLV stream."""
        self._push("push_klv_to", handle, klv, pts, metadata_service_id)

    def push_subtitle(self, payload: Any, *, pts: Pts90khz) -> None:
        """Send a subtitle on the only subtitle stream."""
        self._push("push_subtitle", payload, pts)

    def push_subtitle_to(self, handle: SubtitleStreamHandle, payload: Any, *, pts: Pts90khz) -> None:
        """Send a subtitle on a subtitle stream."""
        self._push("push_subtitle_to", handle, payload, pts)

    def push_data(self, data: Any, *, pts: Pts90khz) -> None:
        """Send private data on the only data stream."""
        self._push("push_data", data, pts)

    def push_data_to(self, handle: DataStreamHandle, data: Any, *, pts: Pts90khz) -> None:
        """Send private data on a data stream."""
        self._push("push_data_to", handle, data, pts)

    send_video = push_video
    send_video_to = push_video_to
    send_klv = push_klv
    send_klv_to = push_klv_to
    send_subtitle = push_subtitle
    send_subtitle_to = push_subtitle_to
    send_data = push_data
    send_data_to = push_data_to

    def video_handle(self) -> VideoStreamHandle | None:
        """The first video stream, None without one."""
        handle: VideoStreamHandle | None = self._first("video_handles")
        return handle

    def klv_handle(self) -> KlvStreamHandle | None:
        """The first KLV stream, None without one."""
        handle: KlvStreamHandle | None = self._first("klv_handles")
        return handle

    def audio_handle(self) -> AudioStreamHandle | None:
        """The first audio stream, None without one."""
        handle: AudioStreamHandle | None = self._first("audio_handles")
        return handle

    def subtitle_handle(self) -> SubtitleStreamHandle | None:
        """The first subtitle stream, None without one."""
        handle: SubtitleStreamHandle | None = self._first("subtitle_handles")
        return handle

    def data_handle(self) -> DataStreamHandle | None:
        """The first data stream, None without one."""
        handle: DataStreamHandle | None = self._first("data_handles")
        return handle


class Pushing(Pushes, Live):
    """Muxes what is pushed and sends the packets at once. Pushes of several threads take turns.

    A push that the muxer refuses raises ``MuxError`` and sends nothing; the sender stays usable.
    """

    __slots__ = ("_lock", "_muxer", "_summary")
    _muxer: Muxer
    _lock: Any
    _summary: tuple[Any, MuxerStats] | None

    def _begin(self, link: Link, muxer: Muxer, send_ms: int | None) -> None:
        self._start(link, None, send_ms)
        self._muxer = muxer
        self._lock = Lock()
        self._summary = None

    def _push(self, call: str, *arguments: Any) -> None:
        with self._lock:
            self._check_open()
            getattr(self._muxer, call)(*arguments)
            mux(self._link, self._muxer, self._send_ms)

    def push_audio(self, adts: Any, *, pts: Pts90khz) -> None:
        """Send whole audio frames on the only audio stream."""
        self._push("push_audio", adts, pts)

    def push_audio_to(self, handle: AudioStreamHandle, adts: Any, *, pts: Pts90khz) -> None:
        """Send whole audio frames on an audio stream."""
        self._push("push_audio_to", handle, adts, pts)

    send_audio = push_audio
    send_audio_to = push_audio_to

    def _first(self, handles: str) -> Any:
        if self._link.closed:
            return None
        return next(iter(getattr(self._muxer, handles)()), None)

    def _counters(self) -> Any:
        raise NotImplementedError

    def _both(self) -> Any:
        """The counters of the connection and of the muxer; waits for nothing."""
        if self._summary is not None:
            return self._summary
        self._check_not_closed()
        return self._counters(), self._muxer.stats()

    def finish(self) -> None:
        """Send what waits and close the connection; ``stats`` answers until `close`."""
        with self._lock:
            if self._link.closed:
                return
            mux(self._link, self._muxer, self._send_ms)
            summary = self._both()
        super().close()
        self._summary = summary

    def close(self) -> None:
        """End parked calls and free everything; repeating it does nothing."""
        super().close()
        self._summary = None
        if self._lock.acquire(timeout=1):
            try:
                self._muxer.close()
            finally:
                self._lock.release()
