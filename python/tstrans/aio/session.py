"""Sessions of voice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .._native import aio_lib as _lib
from .._native import audio_lib
from .base_session import BaseRTPSession, logger
from .cn import NoiseGenerator
from .codecs import Codec, G722Codec, L16Codec, OpusCodec, PcmaCodec, PcmuCodec, get_codec
from .plc import PcmConcealer
from .port_allocator import PortAllocator

__all__ = ["RTPSession"]

Address = tuple[str, int]

_NATIVE: dict[type[Codec], int] = {
    PcmuCodec: audio_lib.ULAW,
    PcmaCodec: audio_lib.ALAW,
    L16Codec: audio_lib.L16,
    G722Codec: audio_lib.G722,
    OpusCodec: audio_lib.OPUS,
}


class RTPSession(BaseRTPSession):
    """A session of voice in both directions: make one with :meth:`create`.

    :param payload_type: of the audio, 0 to 127.
    :param codec: by default the one registered for the payload type. Codecs of this package run in the
        library; any other object of :class:`Codec` is called on the loop.
    :param rtcp_interval: seconds between reports, on average.
    :param jitter_capacity: packets, a power of two.
    :param jitter_prefetch: frames held back.
    :param skip_audio_gaps: go on over lost packets as soon as a later frame is there.
    :param plc: conceal them (with `skip_audio_gaps`).
    :param playout: deliver on a clock from a buffer that follows the jitter.
    :param paced: send one frame a frame time from a queue.
    :param cn: send comfort noise in the pauses of a paced session.
    :param nack_retransmit: answer NACKs from the last 128 packets.
    :param duplicate_tx: send every packet a second time, behind the next one.
    :param symmetric_rtp: send to where media comes from (RFC 4961).
    :param as_reference: keep what aiortp does where it is a fault (see the package's documentation).

    Callbacks run on the loop the session was created on: `on_audio(pcm, timestamp)`,
    `on_dtmf(digit, duration)`, `on_cn(level)`, `on_receiver_report(info)`.
    """

    def __init__(
        self,
        payload_type: int,
        codec: Codec | None = None,
        ssrc: int | None = None,
        clock_rate: int = 8000,
        dtmf_payload_type: int = 101,
        cname: str = "aiortp",
        rtcp_interval: float = 5.0,
        jitter_capacity: int = 16,
        jitter_prefetch: int = 4,
        skip_audio_gaps: bool = False,
        plc: bool = True,
        playout: bool = False,
        playout_max_delay_ms: int = 200,
        paced: bool = False,
        cn: bool = False,
        cn_payload_type: int = 13,
        nack_retransmit: bool = False,
        duplicate_tx: bool = False,
        symmetric_rtp: bool = False,
        port_allocator: PortAllocator | None = None,
        *,
        as_reference: bool = False,
    ) -> None:
        if (playout or paced) and codec is None:
            raise RuntimeError("playout and paced modes require a codec")
        if cn and not paced:
            raise RuntimeError("comfort noise emission requires paced mode")
        assert jitter_capacity & (jitter_capacity - 1) == 0, "capacity must be a power of 2"
        super().__init__(
            payload_type,
            ssrc,
            clock_rate,
            cname,
            rtcp_interval,
            nack_retransmit,
            duplicate_tx,
            symmetric_rtp,
            port_allocator,
        )
        self._codec = codec
        self._playout = playout
        self._paced = paced
        self._whole_samples = isinstance(codec, L16Codec)
        native = None if codec is None else _NATIVE.get(type(codec))
        self._foreign = codec is not None and native is None
        # A frame of Opus takes a quarter of a millisecond to encode, which all other sessions would wait for:
        # it is done on the caller's thread. With comfort noise the library needs the PCM.
        self._encodes = self._foreign or (native == audio_lib.OPUS and not cn)
        self._parameters.update(
            dtmf_type=dtmf_payload_type,
            capacity=jitter_capacity,
            prefetch=jitter_prefetch,
            skip_gaps=int(skip_audio_gaps),
            conceal=int(plc),
            playout=int(playout),
            max_delay_ms=max(1, playout_max_delay_ms),
            paced=int(paced),
            noise=int(cn),
            noise_type=cn_payload_type,
            as_reference=int(as_reference),
            foreign=int(self._foreign),
            codec=native,
        )
        if codec is not None:
            self._parameters.update(rate=codec.sample_rate, frame_samples=codec.samples_per_frame)
        if isinstance(codec, OpusCodec) and native is not None:
            self._parameters.update(
                sample_rate=codec.sample_rate,
                channels=codec._channels,
                frame_ms=max(1, codec.samples_per_frame * 1000 // codec.sample_rate),
                dtx=int(codec.dtx),
            )
        # Posts PCM where that is all there is to do: bound, not paced, the codec is ours.
        self._post_pcm: Callable[[bytes, int], None] | None = None
        self._concealer: PcmConcealer | None = None
        self._decoded = 0
        self._undecoded = 0  # frames that a codec of the user's could not decode on the playout clock
        self._drains: list[asyncio.Future[None]] = []
        #: Called with decoded audio, or with payloads where there is no codec, and the RTP timestamp.
        self.on_audio: Callable[[bytes, int], None] | None = None
        #: Called once a digit, with its duration in timestamp units.
        self.on_dtmf: Callable[[str, int], None] | None = None
        #: Called with the level of comfort noise that came.
        self.on_cn: Callable[[int], None] | None = None

    @classmethod
    async def create(
        cls,
        local_addr: Address,
        remote_addr: Address,
        payload_type: int,
        codec: Codec | None = None,
        ssrc: int | None = None,
        clock_rate: int = 8000,
        dtmf_payload_type: int = 101,
        cname: str = "aiortp",
        rtcp_interval: float = 5.0,
        jitter_capacity: int = 16,
        jitter_prefetch: int = 4,
        skip_audio_gaps: bool = False,
        plc: bool = True,
        playout: bool = False,
        playout_max_delay_ms: int = 200,
        paced: bool = False,
        cn: bool = False,
        cn_payload_type: int = 13,
        nack_retransmit: bool = False,
        duplicate_tx: bool = False,
        symmetric_rtp: bool = False,
        port_allocator: PortAllocator | None = None,
        *,
        as_reference: bool = False,
    ) -> RTPSession:
        """A session bound to `local_addr` (RTCP: the next port), sending to `remote_addr`.

        :raises ValueError: no codec is registered for the payload type.
        :raises OSError: an address cannot be bound.
        :raises RuntimeError: the allocator has no ports left.
        """
        if codec is None:
            codec = get_codec(payload_type)
        session = cls(
            payload_type,
            codec,
            ssrc,
            clock_rate,
            dtmf_payload_type,
            cname,
            rtcp_interval,
            jitter_capacity,
            jitter_prefetch,
            skip_audio_gaps,
            plc,
            playout,
            playout_max_delay_ms,
            paced,
            cn,
            cn_payload_type,
            nack_retransmit,
            duplicate_tx,
            symmetric_rtp,
            port_allocator,
            as_reference=as_reference,
        )
        await session._bind(local_addr, remote_addr)
        if session._native is not None and not (paced or session._encodes or session._whole_samples):
            session._post_pcm = session._native.poster(_lib.PCM)
        return session

    @property
    def codec(self) -> Codec | None:
        """The codec, if there is one."""
        return self._codec

    # --- out

    def send_audio(self, payload: bytes, timestamp: int) -> None:
        """Send a payload with a timestamp; nothing before binding and after close."""
        if self._native is None:
            return
        if self._paced:
            raise RuntimeError("paced mode owns timestamps; use send_audio_auto")
        if not self._closed:
            self._native.post(_lib.PAYLOAD, payload, timestamp)

    def send_audio_auto(self, payload: bytes) -> int:
        """Send a payload with the next timestamp, which is returned; 0 where it is queued."""
        if self._native is None or self._closed:
            return 0
        if self._paced:
            self._native.post(_lib.PACED, payload, 0)
            return 0
        return self._native.post(_lib.AUTO + _lib.PAYLOAD, payload, 0)

    def send_audio_pcm(self, pcm: bytes, timestamp: int) -> None:
        """Encode and send PCM with a timestamp."""
        if self._post_pcm is not None:
            self._post_pcm(pcm, timestamp)
            return
        if self._codec is None:
            raise RuntimeError("No codec configured for PCM encoding")
        if self._native is None:
            return
        if self._paced:
            raise RuntimeError("paced mode owns timestamps; use send_audio_auto")
        if self._closed:
            return
        if self._encodes:
            self._native.post(_lib.PAYLOAD, self._codec.encode(pcm), timestamp)
            return
        if self._whole_samples:
            self._check(pcm)
        self._native.post(_lib.PCM, pcm, timestamp)

    def send_audio_pcm_auto(self, pcm: bytes) -> int:
        """Encode and send PCM with the next timestamp, which is returned; 0 where it is queued."""
        if self._codec is None:
            raise RuntimeError("No codec configured for PCM encoding")
        if self._native is None or self._closed:
            return 0
        if self._encodes:
            return self.send_audio_auto(self._codec.encode(pcm))
        if self._whole_samples:
            self._check(pcm)
        if self._paced:
            self._native.post(_lib.PACED_PCM, pcm, 0)
            return 0
        return self._native.post(_lib.AUTO + _lib.PCM, pcm, 0)

    @staticmethod
    def _check(pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ValueError(f"{len(pcm)} bytes are no whole number of 16-bit samples")

    def send_dtmf(self, digit: str, duration_ms: int = 160, timestamp: int = 0) -> None:
        """Send a digit (RFC 4733), all its packets at once. ValueError for no digit."""
        if self._native is not None and not self._closed:
            self._native.press(digit, duration_ms, timestamp)

    async def drain(self) -> None:
        """Wait until everything queued is on the wire; returns at once where nothing is paced."""
        while self._paced and self._native is not None and not self._closed:
            if not self._native.queued():
                return
            waiter = asyncio.get_running_loop().create_future()
            self._drains.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._drains:
                    self._drains.remove(waiter)

    def _on_closed(self) -> None:
        self._post_pcm = None
        self._release()

    def _release(self) -> None:
        waiters, self._drains = self._drains, []
        for w in waiters:
            if not w.done():
                w.get_loop().call_soon_threadsafe(_finish, w)

    # --- in

    def _record(self, kind: int, flags: int, ts: int, a: int, b: int, data: bytes) -> None:
        if kind == _lib.DTMF:
            if self.on_dtmf is not None:
                self.on_dtmf(chr(a), b)
        elif kind == _lib.DRAINED:
            self._release()
        elif kind == _lib.NOISE:
            if self.on_cn is not None:
                self.on_cn(a)
        elif kind in (_lib.AUDIO, _lib.RAW, _lib.CONCEAL, _lib.SILENCE):
            clocked = flags & _lib.CLOCK != 0
            try:
                self._deliver(kind, ts, a, data, clocked)
            except Exception:
                if not clocked:
                    raise
                logger.exception("on_audio failed on a tick of the playout clock")
        else:
            super()._record(kind, flags, ts, a, b, data)

    def _deliver(self, kind: int, ts: int, a: int, data: bytes, clocked: bool) -> None:
        pcm: bytes | None = data
        if kind != _lib.AUDIO:
            pcm = self._foreign_pcm(kind, a, data, clocked)
        if pcm is not None and self.on_audio is not None:
            self.on_audio(pcm, ts)

    def _foreign_pcm(self, kind: int, a: int, data: bytes, clocked: bool) -> bytes | None:
        """PCM by a codec that is not of this package."""
        codec = self._codec
        assert codec is not None
        if self._concealer is None:
            self._concealer = PcmConcealer(codec.sample_rate)
        if kind == _lib.RAW:
            try:
                pcm = codec.decode(data)
            except Exception:
                logger.warning("a frame cannot be decoded", exc_info=True)
                if not clocked:
                    return None
                self._undecoded += 1
                a = 1
            else:
                self._decoded = len(pcm) // 2
                self._concealer.update(pcm)
                return pcm
        if kind == _lib.SILENCE:
            return NoiseGenerator(a).generate(codec.samples_per_frame)
        n = a * (self._decoded or codec.samples_per_frame)
        own = codec.conceal(n)
        return self._concealer.conceal(n) if own is None else own

    @property
    def stats(self) -> dict[str, Any]:
        """Counters; which there are depends on what happened and how the session was made."""
        out = super().stats
        s = self._counters()
        out["concealed_frames"] = (s.concealed_frames if s else 0) + self._undecoded
        if self._playout:
            for name in (
                "late_dropped",
                "expansions",
                "accelerations",
                "underrun_suspensions",
                "cn_frames",
                "playout_delay_ms",
            ):
                out[name] = getattr(s, name) if s else 0
            out["playout_delay_ms"] = float(out["playout_delay_ms"])
            out["playout_target_ms"] = float(s.playout_target_ms) if s else self._ptime_ms()
        if self._paced and s:
            for name in ("queue_depth", "paced_sent", "empty_ticks", "cn_sent"):
                out[name] = getattr(s, name)
        return out

    def _ptime_ms(self) -> float:
        codec = self._codec
        return 0.0 if codec is None else 1000.0 * codec.samples_per_frame / codec.sample_rate


def _finish(w: asyncio.Future[None]) -> None:
    if not w.done():
        w.set_result(None)
