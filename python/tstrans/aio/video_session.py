"""Sessions of video."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._native import aio_lib as _lib
from .._native import rtpflow_lib
from .base_session import BaseRTPSession
from .port_allocator import PortAllocator

__all__ = ["SUPPORTED_VIDEO_CODECS", "VideoRTPSession"]

Address = tuple[str, int]

_CODECS = {"h264": rtpflow_lib.H264, "vp8": rtpflow_lib.VP8, "vp9": rtpflow_lib.VP9}

SUPPORTED_VIDEO_CODECS = frozenset(_CODECS)


class VideoRTPSession(BaseRTPSession):
    """A session of video in both directions: make one with :meth:`create`.

    :param codec: "h264", "vp8" or "vp9".
    :param fps: frames a second, for automatic timestamps.
    :param as_reference: drop an incomplete frame as soon as a newer one begins, as aiortp does. By default it
        waits 100 ms for a retransmission, or until a key frame begins.

    Callbacks run on the loop the session was created on: `on_frame(data, timestamp, is_keyframe)` with a NAL
    unit (H.264) or a frame, `on_keyframe_needed()`, `on_receiver_report(info)`.
    """

    def __init__(
        self,
        payload_type: int = 96,
        ssrc: int | None = None,
        clock_rate: int = 90000,
        cname: str = "aiortp",
        rtcp_interval: float = 5.0,
        jitter_capacity: int = 128,
        codec: str = "h264",
        nack_retransmit: bool = True,
        symmetric_rtp: bool = False,
        port_allocator: PortAllocator | None = None,
        fps: int = 30,
        *,
        as_reference: bool = False,
    ) -> None:
        if codec not in _CODECS:
            raise ValueError(f"Unsupported video codec {codec!r}, must be one of {sorted(_CODECS)}")
        assert jitter_capacity & (jitter_capacity - 1) == 0, "capacity must be a power of 2"
        super().__init__(
            payload_type,
            ssrc,
            clock_rate,
            cname,
            rtcp_interval,
            nack_retransmit,
            False,
            symmetric_rtp,
            port_allocator,
        )
        self._parameters.update(
            video=1,
            video_codec=_CODECS[codec],
            capacity=jitter_capacity,
            frame_step=clock_rate // fps,
            as_reference=int(as_reference),
        )
        self._passthrough = False
        #: Called with each NAL unit or frame.
        self.on_frame: Callable[[bytes, int, bool], None] | None = None
        #: Called when the peer asks for a key frame.
        self.on_keyframe_needed: Callable[[], None] | None = None

    @classmethod
    async def create(
        cls,
        local_addr: Address,
        remote_addr: Address,
        payload_type: int = 96,
        ssrc: int | None = None,
        clock_rate: int = 90000,
        cname: str = "aiortp",
        rtcp_interval: float = 5.0,
        jitter_capacity: int = 128,
        codec: str = "h264",
        nack_retransmit: bool = True,
        symmetric_rtp: bool = False,
        port_allocator: PortAllocator | None = None,
        fps: int = 30,
        *,
        as_reference: bool = False,
    ) -> VideoRTPSession:
        """A session bound to `local_addr` (RTCP: the next port), sending to `remote_addr`.

        :raises ValueError: the codec is not known.
        :raises OSError: an address cannot be bound.
        """
        session = cls(
            payload_type,
            ssrc,
            clock_rate,
            cname,
            rtcp_interval,
            jitter_capacity,
            codec,
            nack_retransmit,
            symmetric_rtp,
            port_allocator,
            fps,
            as_reference=as_reference,
        )
        await session._bind(local_addr, remote_addr)
        if session._passthrough:
            session.set_passthrough(True)
        return session

    def send_frame(self, nal_units: list[bytes], timestamp: int, keyframe: bool = False) -> None:
        """Send one picture: NAL units without start codes, or one frame."""
        if self._native is not None and not self._closed:
            self._native.send_frame(nal_units, timestamp, keyframe)

    def send_frame_auto(self, nal_units: list[bytes], keyframe: bool = False) -> int:
        """Send one picture with the next timestamp, which is returned; 0 where nothing is sent."""
        if self._native is None or self._closed:
            return 0
        return self._native.send_frame(nal_units, None, keyframe)

    def request_keyframe(self) -> None:
        """Ask the peer for a key frame, once its source is known."""
        if self._native is not None and not self._closed:
            self._native.request_keyframe()

    def set_passthrough(self, enabled: bool = True) -> None:
        """Keep delivering after a loss, rather than from the next key frame on."""
        self._passthrough = enabled
        if self._native is not None and not self._closed:
            self._native.set_passthrough(enabled)

    @property
    def stats(self) -> dict[str, Any]:
        """Counters; which there are depends on what happened."""
        return super().stats

    def _record(self, kind: int, flags: int, ts: int, a: int, b: int, data: bytes) -> None:
        if kind == _lib.FRAME:
            if self.on_frame is not None:
                self.on_frame(data, ts, a != 0)
        elif kind == _lib.KEYFRAME:
            if self.on_keyframe_needed is not None:
                self.on_keyframe_needed()
        else:
            super()._record(kind, flags, ts, a, b, data)
