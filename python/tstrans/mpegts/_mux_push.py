"""The pushes: access units in. Each is one call of the library with a pointer to the caller's bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from .._native.mux_lib import (
    DTS,
    KEY_FRAME,
    MISP_MICRO,
    MISP_NANO,
    ONLY,
    WIRE,
    ArgumentError,
    Pusher,
    failure,
    pin,
)
from ._mux_config import width
from ._mux_stats import (
    AudioStreamHandle,
    DataStreamHandle,
    KlvStreamHandle,
    SubtitleStreamHandle,
    VideoStreamHandle,
)

if TYPE_CHECKING:
    from ..codec import MispTimestamp
    from ._values import Pts90khz

__all__ = ["BytesLike"]

#: Anything `bytes()` takes; what has the buffer protocol is read in place.
BytesLike = bytes | bytearray | memoryview

_FLAGS = {False: 0, True: KEY_FRAME}


def _wrong(name: str, wanted: type, got: object) -> TypeError:
    return TypeError(f"{name} must be {wanted.__name__}; got {type(got).__name__}")


class _Pushes(Pusher):
    """The pushes, of a muxer itself or through a sink of one.

    Every push takes its time by name or by position. `pts` and `dts` are `Pts90khz`, taken modulo 2^33. A
    push that raises changes nothing.
    """

    __slots__ = ()

    def _fail(self, status: int) -> NoReturn:
        raise failure(status)

    def push_video(self, nal: BytesLike, pts: Pts90khz, key_frame: bool = False) -> None:
        """Queue a picture on the only video stream.

        Args:
            nal: an Annex B access unit, or the OBUs of an AV1 temporal unit.
            pts: when it is shown.
            key_frame: whether decoding can start here.

        Raises:
            MuxError: INVALID_NAL or INVALID_AV1_OBU for what is none, BACKPRESSURE where the packets do not
                fit, INVALID_USAGE where there is not exactly one video stream.
        """
        if type(key_frame) is not bool:
            raise _wrong("key_frame", bool, key_frame)
        self._push(self._api.tst_muxer_push_video, ONLY, nal, pts.raw, 0, _FLAGS[key_frame])

    def push_video_to(
        self, handle: VideoStreamHandle, nal: BytesLike, pts: Pts90khz, key_frame: bool = False
    ) -> None:
        """Queue a picture on a video stream."""
        self._video_to(handle, nal, pts, None, key_frame, 0)

    def push_video_to_with_dts(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Queue a picture with its decode time, which streams with B-frames need."""
        self._video_to(handle, nal, pts, dts, key_frame, 0)

    def push_video_wire_to(
        self,
        handle: VideoStreamHandle,
        wire: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
    ) -> None:
        """Queue the payload of a PES as it was on the wire; it is not looked at."""
        self._video_to(handle, wire, pts, dts, key_frame, WIRE)

    def push_video_misp_to(
        self,
        handle: VideoStreamHandle,
        nal: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None = None,
        key_frame: bool = False,
        *,
        misp: MispTimestamp,
    ) -> None:
        """Queue a picture with a MISP time stamp (MISB ST 0604) before its first slice.

        Raises:
            MuxError: MISP_TIME where the codec has no place for it (nanoseconds in H.264, any in H.266).
        """
        from ..codec import MispTimeKind, MispTimestamp

        if not isinstance(misp, MispTimestamp):
            raise _wrong("misp", MispTimestamp, misp)
        unit = MISP_NANO if misp.kind == MispTimeKind.NANO else MISP_MICRO
        self._video_to(handle, nal, pts, dts, key_frame, unit, (misp.time_status, misp.value))

    def _video_to(
        self,
        handle: VideoStreamHandle,
        data: BytesLike,
        pts: Pts90khz,
        dts: Pts90khz | None,
        key_frame: bool,
        flags: int,
        misp: tuple[int, int] | None = None,
    ) -> None:
        if type(handle) is not VideoStreamHandle:
            raise _wrong("handle", VideoStreamHandle, handle)
        if type(key_frame) is not bool:
            raise _wrong("key_frame", bool, key_frame)
        stream = handle._raw
        flags |= _FLAGS[key_frame]
        ticks = 0
        if dts is not None:
            flags, ticks = flags | DTS, dts.raw
        if misp is None:
            self._push(self._api.tst_muxer_push_video, stream, data, pts.raw, ticks, flags)
        else:
            self._push(self._api.tst_muxer_push_video_misp, stream, data, pts.raw, ticks, flags, *misp)

    def push_audio(self, frames: BytesLike, pts: Pts90khz) -> None:
        """Queue whole audio frames on the only audio stream; `pts` is that of the first."""
        self._push(self._api.tst_muxer_push_audio, ONLY, frames, pts.raw)

    def push_audio_to(self, handle: AudioStreamHandle, frames: BytesLike, pts: Pts90khz) -> None:
        """Queue whole audio frames on an audio stream."""
        if type(handle) is not AudioStreamHandle:
            raise _wrong("handle", AudioStreamHandle, handle)
        self._push(self._api.tst_muxer_push_audio, handle._raw, frames, pts.raw)

    def push_klv(self, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0) -> None:
        """Queue one KLV packet on the only KLV stream.

        Args:
            klv: the packet, key included.
            pts: its time; it drives tables and clock also where the stream carries no PTS.
            metadata_service_id: of the metadata AU cell, 0 to 255; without effect on private KLV.

        Raises:
            MuxError: KLV_TOO_LARGE, BACKPRESSURE, INVALID_USAGE.
        """
        if metadata_service_id:
            metadata_service_id = width("metadata_service_id", metadata_service_id, 8)
        self._push(self._api.tst_muxer_push_klv, ONLY, klv, pts.raw, metadata_service_id)

    def push_klv_to(
        self, handle: KlvStreamHandle, klv: BytesLike, pts: Pts90khz, metadata_service_id: int = 0
    ) -> None:
        """Queue one KLV packet on a KLV stream."""
        if type(handle) is not KlvStreamHandle:
            raise _wrong("handle", KlvStreamHandle, handle)
        service = width("metadata_service_id", metadata_service_id, 8)
        self._push(self._api.tst_muxer_push_klv, handle._raw, klv, pts.raw, service)

    def push_subtitle(self, payload: BytesLike, pts: Pts90khz) -> None:
        """Queue a subtitle unit on the only subtitle stream."""
        self._push(self._api.tst_muxer_push_subtitle, ONLY, payload, pts.raw)

    def push_subtitle_to(self, handle: SubtitleStreamHandle, payload: BytesLike, pts: Pts90khz) -> None:
        """Queue a subtitle unit: segments of DVB subtitling, data units of teletext, or text as it is."""
        if type(handle) is not SubtitleStreamHandle:
            raise _wrong("handle", SubtitleStreamHandle, handle)
        self._push(self._api.tst_muxer_push_subtitle, handle._raw, payload, pts.raw)

    def push_data(self, data: BytesLike, pts: Pts90khz) -> None:
        """Queue private data on the only data stream."""
        self._push(self._api.tst_muxer_push_data, ONLY, data, pts.raw)

    def push_data_to(self, handle: DataStreamHandle, data: BytesLike, pts: Pts90khz) -> None:
        """Queue private data on a data stream."""
        if type(handle) is not DataStreamHandle:
            raise _wrong("handle", DataStreamHandle, handle)
        self._push(self._api.tst_muxer_push_data, handle._raw, data, pts.raw)

    def _data_with_dts(self, stream: int, data: BytesLike, pts: Pts90khz, dts: Pts90khz) -> None:
        self._push(self._api.tst_muxer_push_data_dts, stream, data, pts.raw, dts.raw)

    def _push(self, call: Any, stream: int, data: BytesLike, *rest: int) -> None:
        """One call of the library; `rest` is what it takes behind the bytes, the time first."""
        kept: object = data
        if type(data) is bytes:
            at: Any = data
            n = len(data)
        else:
            at, n, kept = pin(data)
        try:
            status = call(self._id, stream, at, n, *rest)
        except ArgumentError as e:
            raise TypeError(str(e)) from None
        del kept
        if status:
            self._fail(status)
