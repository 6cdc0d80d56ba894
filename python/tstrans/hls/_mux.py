"""A publisher of access units."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from .._native import hls_lib as lib
from .._native.hls_lib import DTS, KEY_FRAME, failure, pin
from .._native.transport_lib import unsigned
from ..exceptions import HlsError, HlsErrorKind
from ._publisher import (
    BytesLike,
    HlsPublisher,
    date_range_arguments,
    finished,
    port_of,
    publisher_stats,
)
from ._values import MuxPublisherStats, PublisherStats, Sealed, boolean

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ..mpegts import MuxerProgramConfig, Pts90khz

__all__ = ["MuxPublisher"]


class MuxPublisher(Sealed):
    """Muxes pictures, audio, KLV and subtitles of one program into segments. Any thread may use it.

    Every key frame after the first cuts a segment; its duration is that of the pictures. With
    ``HlsPublisherBuilder.cut_on_key_frames`` segments aim at the segment duration instead. A failed send
    of the muxer (``MuxError``) takes nothing; where the disk fails (``HlsError`` of kind ``IO``) what was
    sent is kept and written with the next call.
    """

    __slots__ = ("__weakref__", "_handle")
    _handle: lib.MuxHandle | None

    @staticmethod
    def with_config_hls(publisher: HlsPublisher, program_config: MuxerProgramConfig) -> MuxPublisher:
        """Put a muxer in front of a publisher, which is used up.

        Raises:
            HlsError: a program that cannot be muxed (``INVALID_CONFIG``), or the publisher has finished
                (``FINISHED``).
        """
        from ..mpegts import MuxerProgramConfig

        if not isinstance(publisher, HlsPublisher):
            raise TypeError(f"argument 'publisher': {type(publisher).__name__!r} object is no HlsPublisher")
        if not isinstance(program_config, MuxerProgramConfig):
            raise TypeError(
                f"argument 'program_config': {type(program_config).__name__!r} is no MuxerProgramConfig"
            )
        values = lib.mux_parameters_of(program_config)
        h, publisher._handle = publisher._handle, None
        if h is None:
            raise finished()
        self = object.__new__(MuxPublisher)
        self._handle = lib.open_mux(h, values)
        return self

    def _open(self) -> lib.MuxHandle:
        if self._handle is None:
            raise HlsError(kind=HlsErrorKind.CLOSED, message="MuxPublisher already finished")
        return self._handle

    def send_video(
        self, nal: BytesLike, *, pts: Pts90khz, key_frame: bool = False, dts: Pts90khz | None = None
    ) -> None:
        """Publish a picture: an Annex B access unit, or the OBUs of an AV1 temporal unit.

        Args:
            nal: the picture.
            pts: when it is shown.
            key_frame: whether decoding can start here.
            dts: when it is decoded, for streams with pictures out of order.

        Raises:
            MuxError: INVALID_NAL or INVALID_AV1_OBU for what is none, INVALID_USAGE without a video stream.
        """
        h = self._open()
        flags = KEY_FRAME if boolean("key_frame", key_frame) else 0
        decode = 0
        if dts is not None:
            flags |= DTS
            decode = dts.raw
        at, n, _kept = pin(nal)
        status = h._api.tst_hls_mux_send_video(h._id, at, n, pts.raw, decode, flags)
        if status:
            raise failure(status)

    def send_klv(self, klv: BytesLike, *, pts: Pts90khz, stream_index: SupportsIndex = 0) -> None:
        """Publish a KLV unit.

        With one KLV stream every index is taken; where that carries synchronous metadata it becomes the
        metadata_service_id of the unit's cell (ISO/IEC 13818-1 table 2-97). With several it picks one.
        """
        h = self._open()
        index = unsigned("stream_index", stream_index, 8)
        at, n, _kept = pin(klv)
        status = h._api.tst_hls_mux_send_klv(h._id, index, at, n, pts.raw)
        if status:
            raise failure(status)

    def send_audio(self, frames: BytesLike, *, pts: Pts90khz) -> None:
        """Publish whole audio frames with the time of the first."""
        h = self._open()
        at, n, _kept = pin(frames)
        status = h._api.tst_hls_mux_send_audio(h._id, at, n, pts.raw)
        if status:
            raise failure(status)

    def send_subtitle(self, payload: BytesLike, *, pts: Pts90khz) -> None:
        """Publish a subtitle unit."""
        h = self._open()
        at, n, _kept = pin(payload)
        status = h._api.tst_hls_mux_send_subtitle(h._id, at, n, pts.raw)
        if status:
            raise failure(status)

    def cut_segment(self) -> None:
        """End the open segment."""
        h = self._open()
        lib.check(h._api.tst_hls_mux_cut(h._id))

    def stats(self) -> MuxPublisherStats:
        """The counters of the muxer."""
        return MuxPublisherStats._of(*lib.mux_counters(self._open()))

    def publisher_stats(self) -> PublisherStats:
        """The counters of the publisher behind it."""
        h = self._open()
        return publisher_stats(lib.publisher_counters(h._api.tst_hls_mux_publisher_stats, h._id))

    def local_addr(self) -> str | None:
        """``ip:port`` of the server, None without one."""
        h = self._open()
        return lib.text_of(h._api.tst_hls_mux_addr, h._id) or None

    def local_port(self) -> int:
        """The port of the server, 0 without one."""
        return port_of(self.local_addr() or "")

    def render_playlist(self, is_event: bool = False) -> str:
        """The playlist now. See :meth:`HlsPublisher.render_playlist`."""
        h = self._open()
        return lib.text_of(h._api.tst_hls_mux_playlist, h._id, int(boolean("is_event", is_event)))

    def add_date_range(
        self,
        range_id: str,
        start: datetime,
        duration: timedelta | None = None,
        *,
        class_name: str = "",
        attributes: dict[str, str] | None = None,
    ) -> None:
        """List a marker. See :meth:`HlsPublisher.add_date_range`."""
        h = self._open()
        args = date_range_arguments(range_id, start, duration, class_name, attributes)
        lib.check(h._api.tst_hls_mux_add_date_range(h._id, *args))

    def finish_into_publisher(self) -> HlsPublisher:
        """Write what waits and give the publisher back.

        Raises:
            HlsError: it was given back before (``CLOSED``).
        """
        h = self._open()
        publisher, error = lib.release(h)
        if publisher is None:
            if error is not None:
                raise error
            raise finished()
        self._handle = None
        if error is not None:
            publisher.close()
            raise error
        return HlsPublisher._of(publisher)

    def __repr__(self) -> str:
        return f"MuxPublisher({'finished' if self._handle is None else 'open'})"
