"""Connections."""

from __future__ import annotations

import asyncio
from typing import Any

from .._native import webrtc_abi as abi
from .._native.webrtc_lib import Hub, Peer
from . import sdp as _sdp
from ._capabilities import KINDS
from .events import AsyncIOEventEmitter
from .exceptions import InternalError, InvalidAccessError, InvalidStateError
from .mediastreams import MediaStreamTrack
from .rtcconfiguration import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy
from .rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from .rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsTransport
from .rtcicetransport import RTCIceCandidate, RTCIceParameters
from .rtcrtpreceiver import RTCRtpReceiver
from .rtcrtpsender import RTCRtpSender
from .rtcrtptransceiver import DIRECTIONS, RTCRtpTransceiver
from .rtcsctptransport import RTCSctpTransport
from .rtcsessiondescription import RTCSessionDescription
from .stats import RTCStatsReport

__all__ = ["RTCPeerConnection"]

_SIGNALING = ("stable", "have-local-offer", "have-remote-offer", "closed")
_GATHERING = ("new", "gathering", "complete")
_ICE = ("new", "checking", "completed", "failed", "closed")
_CONNECTION = ("new", "connecting", "connected", "failed", "closed")
_TYPES = ("offer", "answer", "pranswer", "rollback")
_MAX_LIMIT = 0xFFFFFFFF


def _servers(servers: list[RTCIceServer] | None) -> str:
    lines = []
    for server in servers or []:
        urls = [server.urls] if isinstance(server.urls, str) else server.urls
        lines += [f"{u}\t{server.username or ''}\t{server.credential or ''}" for u in urls]
    return "\n".join(lines)


class RTCPeerConnection(AsyncIOEventEmitter):
    """A connection to another side.

    Emits "track" (the remote track), "datachannel" (the channel) and, without arguments,
    "connectionstatechange", "iceconnectionstatechange", "icegatheringstatechange" and "signalingstatechange".
    Events come in the event loop in which the connection was made.
    """

    def __init__(self, configuration: RTCConfiguration | None = None) -> None:
        super().__init__()
        cfg = configuration or RTCConfiguration()
        self._hub = Hub.current()
        self._number = self._hub.add(self)
        try:
            self._peer = Peer(
                self._hub,
                self._number,
                {
                    "ice_servers": _servers(cfg.iceServers),
                    "relay_only": cfg.iceTransportPolicy is RTCIceTransportPolicy.RELAY,
                    "always_data": cfg.alwaysNegotiateDataChannels,
                },
            )
        except BaseException:
            self._hub.remove(self._number)
            raise
        self._signaling = "stable"
        self._gathering = "new"
        self._ice = "new"
        self._connection = "new"
        self._closed = False
        self._ended: asyncio.Future[None] | None = None
        self._transport = RTCDtlsTransport(self)
        self._transceivers: list[RTCRtpTransceiver] = []
        self._channels: dict[int, RTCDataChannel] = {}
        self._operations: dict[int, asyncio.Future[None]] = {}
        self._next_operation = 0
        self._sctp: RTCSctpTransport | None = None

    # States.
    @property
    def connectionState(self) -> str:
        """ "new", "connecting", "connected", "failed" or "closed"."""
        return self._connection

    @property
    def iceConnectionState(self) -> str:
        """ "new", "checking", "completed", "failed" or "closed"."""
        return self._ice

    @property
    def iceGatheringState(self) -> str:
        """ "new", "gathering" or "complete"."""
        return self._gathering

    @property
    def signalingState(self) -> str:
        """ "stable", "have-local-offer", "have-remote-offer" or "closed"."""
        return self._signaling

    @property
    def localDescription(self) -> RTCSessionDescription | None:
        """This side's description; None before there is one."""
        return self._description(self._peer.info().local_type, abi.TST_RTC_TEXT_LOCAL)

    @property
    def remoteDescription(self) -> RTCSessionDescription | None:
        """The other side's description; None before there is one."""
        return self._description(self._peer.info().remote_type, abi.TST_RTC_TEXT_REMOTE)

    def _description(self, kind: int, what: int) -> RTCSessionDescription | None:
        return (
            RTCSessionDescription(sdp=self._peer.text(what), type=_TYPES[kind])
            if kind < len(_TYPES)
            else None
        )

    @property
    def sctp(self) -> RTCSctpTransport | None:
        """What carries the data channels; None before there are any."""
        if self._sctp is None and self._peer.info().data:
            self._sctp = RTCSctpTransport(self)
        return self._sctp

    def _assert_open(self) -> None:
        if self._closed:
            raise InvalidStateError("RTCPeerConnection is closed")

    # Media.
    def addTrack(self, track: MediaStreamTrack) -> RTCRtpSender:
        """Send a track, on a transceiver of its kind that has none, else on a new one."""
        self._assert_open()
        if track.kind not in KINDS:
            raise InternalError(f'Invalid track kind "{track.kind}"')
        self._assert_no_sender(track)
        number = self._peer.add_track(KINDS[track.kind], track.id)
        if number < len(self._transceivers):
            sender = self._transceivers[number].sender
            sender._track = track
            sender._changed.set()
            sender._ensure()
            return sender
        return self._append(number, track.kind, track).sender

    def addTransceiver(
        self, trackOrKind: str | MediaStreamTrack, direction: str = "sendrecv"
    ) -> RTCRtpTransceiver:
        """Add a transceiver for a track, or for a kind."""
        self._assert_open()
        track = trackOrKind if isinstance(trackOrKind, MediaStreamTrack) else None
        kind = trackOrKind.kind if isinstance(trackOrKind, MediaStreamTrack) else trackOrKind
        if kind not in KINDS:
            raise InternalError(f'Invalid track kind "{kind}"')
        if direction not in DIRECTIONS:
            raise InternalError(f'Invalid direction "{direction}"')
        if track is not None:
            self._assert_no_sender(track)
        number = self._peer.add_transceiver(
            KINDS[kind], DIRECTIONS.index(direction), track.id if track else ""
        )
        return self._append(number, kind, track)

    def _assert_no_sender(self, track: MediaStreamTrack) -> None:
        if any(t.sender.track is track for t in self._transceivers):
            raise InvalidAccessError("Track already has a sender")

    def _append(self, number: int, kind: str, track: MediaStreamTrack | None) -> RTCRtpTransceiver:
        assert number == len(self._transceivers)
        t = RTCRtpTransceiver(
            self, number, RTCRtpSender(self, number, kind, track), RTCRtpReceiver(self, number, kind)
        )
        self._transceivers.append(t)
        return t

    def _adopt(self) -> None:
        """Make the objects of transceivers that a remote description brought."""
        for number in range(len(self._transceivers), self._peer.info().transceivers):
            self._append(number, "video" if self._peer.transceiver(number).kind else "audio", None)

    def _has_track(self, number: int, has: bool) -> None:
        if not self._closed:
            self._peer.set(number, abi.TST_RTC_SET_HAS_TRACK, int(has))

    def getReceivers(self) -> list[RTCRtpReceiver]:
        """The receivers of all transceivers."""
        return [t.receiver for t in self._transceivers]

    def getSenders(self) -> list[RTCRtpSender]:
        """The senders of all transceivers."""
        return [t.sender for t in self._transceivers]

    def getTransceivers(self) -> list[RTCRtpTransceiver]:
        """All transceivers."""
        return list(self._transceivers)

    async def getStats(self) -> RTCStatsReport:
        """Statistics of all streams and the transport."""
        merged = RTCStatsReport()
        for t in self._transceivers:
            merged.update(t.sender._get_stats())
            merged.update(t.receiver._get_stats())
        if not self._transceivers and self.sctp is not None:
            merged.update(self._transport._get_stats())
        return merged

    # Data.
    def createDataChannel(
        self,
        label: str,
        maxPacketLifeTime: int | None = None,
        maxRetransmits: int | None = None,
        ordered: bool = True,
        protocol: str = "",
        negotiated: bool = False,
        id: int | None = None,
    ) -> RTCDataChannel:
        """Add a data channel.

        :param maxPacketLifeTime: ms for which a message is sent again; or `maxRetransmits`, how often.
            Neither: until it arrives.
        :param ordered: deliver messages in the order in which they were sent.
        :param negotiated: the other side makes a channel of the same `id` (0 to 65534).
        """
        self._assert_open()
        if maxPacketLifeTime is not None and maxRetransmits is not None:
            raise ValueError("Cannot specify both maxPacketLifeTime and maxRetransmits")
        if negotiated and (id is None or id < 0 or id > 65534):
            raise ValueError("ID must be in range 0-65534 if data channel is negotiated out-of-band")
        for limit in (maxPacketLifeTime, maxRetransmits):
            if limit is not None and not 0 <= limit <= _MAX_LIMIT:
                raise ValueError(f"a limit of {limit} is outside 0 to {_MAX_LIMIT}")
        parameters = RTCDataChannelParameters(
            label=label,
            maxPacketLifeTime=maxPacketLifeTime,
            maxRetransmits=maxRetransmits,
            ordered=ordered,
            protocol=protocol,
            negotiated=negotiated,
            id=id,
        )
        number = self._peer.open_channel(
            {
                "label": label,
                "protocol": protocol,
                "ordered": ordered,
                "max_retransmits": maxRetransmits,
                "max_lifetime_ms": maxPacketLifeTime,
                "negotiated": negotiated,
                "id": id,
            }
        )
        channel = self._channels[number] = RTCDataChannel(self, number, parameters)
        return channel

    def _incoming(self, number: int) -> None:
        try:
            info = self._peer.channel(number)
            label = self._peer.channel_text(number, abi.TST_RTC_CHANNEL_LABEL)
            protocol = self._peer.channel_text(number, abi.TST_RTC_CHANNEL_PROTOCOL)
        except InvalidStateError:
            return  # closed before it was seen
        parameters = RTCDataChannelParameters(
            label=label,
            maxPacketLifeTime=info.max_lifetime_ms if info.max_lifetime_ms >= 0 else None,
            maxRetransmits=info.max_retransmits if info.max_retransmits >= 0 else None,
            ordered=bool(info.ordered),
            protocol=protocol,
            negotiated=bool(info.negotiated),
            id=info.id,
        )
        channel = self._channels[number] = RTCDataChannel(self, number, parameters)
        channel._state = "open"
        sctp = self.sctp
        if sctp is not None:
            sctp._up = True
        self.emit("datachannel", channel)

    def _data_mid(self) -> str | None:
        d = self.localDescription or self.remoteDescription
        if d is not None:
            _, found, section = d.sdp.partition("m=application")
            if found:
                for line in section.splitlines():
                    if line.startswith("a=mid:"):
                        return line[6:]
        return None

    # Negotiation.
    async def createOffer(self) -> RTCSessionDescription:
        """An offer of what was added."""
        self._assert_open()
        return RTCSessionDescription(sdp=self._peer.create(abi.TST_RTC_OFFER), type="offer")

    async def createAnswer(self) -> RTCSessionDescription:
        """An answer to the other side's offer; InvalidStateError without one."""
        self._assert_open()
        return RTCSessionDescription(sdp=self._peer.create(abi.TST_RTC_ANSWER), type="answer")

    def restartIce(self) -> None:
        """Let the next offer look for a new path between the two sides."""
        self._assert_open()
        self._peer.restart_ice()

    async def setLocalDescription(self, description: RTCSessionDescription | None = None) -> None:
        """Take this side's description, by default the one that is due, and gather candidates.

        Afterwards `localDescription` holds all candidates. InvalidStateError in the wrong state, ValueError
        for a description that does not hold together.
        """
        self._assert_open()
        self._hub.attach()
        if description is None:
            if self._signaling == "have-remote-offer":
                description = await self.createAnswer()
            else:
                description = await self.createOffer()
        operation, done = self._operation()
        try:
            self._peer.set_local(_TYPES.index(description.type), description.sdp, operation)
        except BaseException:
            self._operations.pop(operation, None)
            raise
        self._hub.drain()
        await done

    async def setRemoteDescription(self, sessionDescription: RTCSessionDescription) -> None:
        """Take the other side's description.

        InvalidStateError in the wrong state, ValueError for a description that is broken or unsafe,
        OperationError without a codec that both sides know.
        """
        self._hub.attach()
        d = sessionDescription
        operation, done = self._operation()
        try:
            self._peer.set_remote(_TYPES.index(d.type), d.sdp, operation)
        except BaseException:
            self._operations.pop(operation, None)
            raise
        self._adopt()
        self._hub.drain()
        await done

    async def addIceCandidate(self, candidate: RTCIceCandidate | None) -> None:
        """Take a candidate of the other side; None says that there are no more."""
        if candidate is None:
            return
        self._assert_open()
        if candidate.sdpMid is None and candidate.sdpMLineIndex is None:
            raise ValueError("Candidate must have either sdpMid or sdpMLineIndex")
        self._peer.add_candidate(_sdp.candidate_to_sdp(candidate))

    def _operation(self) -> tuple[int, asyncio.Future[None]]:
        self._next_operation += 1
        done = self._operations[self._next_operation] = asyncio.get_running_loop().create_future()
        return self._next_operation, done

    async def close(self) -> None:
        """End the connection; further calls do nothing."""
        if self._closed:
            if self._ended is not None:
                await self._ended
            return
        self._closed = True
        self._hub.attach()
        self._ended = asyncio.get_running_loop().create_future()
        self._peer.end(0)
        self._hub.drain()
        await asyncio.shield(self._ended)

    # Transport.
    def _candidates(self, local: bool) -> list[RTCIceCandidate]:
        if local:
            lines = self._peer.text(abi.TST_RTC_TEXT_CANDIDATES).splitlines()
        else:
            lines = []
            for line in self._peer.text(abi.TST_RTC_TEXT_REMOTE).splitlines():
                if line.startswith("a=candidate:") and line[12:] not in lines:
                    lines.append(line[12:])
        return [_sdp.candidate_from_sdp(line) for line in lines]

    def _ice_parameters(self) -> RTCIceParameters:
        return RTCIceParameters(
            usernameFragment=self._peer.text(abi.TST_RTC_TEXT_UFRAG),
            password=self._peer.text(abi.TST_RTC_TEXT_PASSWORD),
        )

    def _fingerprints(self) -> list[RTCDtlsFingerprint]:
        return [
            RTCDtlsFingerprint(*line.split(" ", 1))
            for line in self._peer.text(abi.TST_RTC_TEXT_FINGERPRINTS).splitlines()
        ]

    # Events.
    def _event(self, kind: int, code: int, obj: int, value: int, flags: int, clock: int, data: bytes) -> None:
        if kind == abi.TST_RTC_EVENT_FRAME:
            track = self._transceivers[obj].receiver._track
            if track is not None:
                track._push(code, value, clock, flags, data)
        elif kind == abi.TST_RTC_EVENT_KEY_FRAME:
            self._transceivers[obj].sender._key_frame()
        elif kind == abi.TST_RTC_EVENT_BITRATE:
            self._transceivers[obj].sender._take_bitrate(value)
        elif kind >= abi.TST_RTC_EVENT_CHANNEL:
            self._channel_event(kind, obj, value, data)
        else:
            _HANDLERS[kind](self, code, obj, data)

    def _channel_event(self, kind: int, number: int, value: int, data: bytes) -> None:
        if kind == abi.TST_RTC_EVENT_CHANNEL:
            self._incoming(number)
            return
        channel = self._channels.get(number)
        if channel is None:
            return
        if kind == abi.TST_RTC_EVENT_TEXT:
            channel.emit("message", data.decode("utf-8", "replace"))
        elif kind == abi.TST_RTC_EVENT_BINARY:
            channel.emit("message", data)
        elif kind == abi.TST_RTC_EVENT_CHANNEL_OPEN:
            sctp = self.sctp
            if sctp is not None:
                sctp._up = True
            channel._opened()
        elif kind == abi.TST_RTC_EVENT_CHANNEL_ID:
            channel._id = value
        elif kind == abi.TST_RTC_EVENT_LOW:
            channel.emit("bufferedamountlow")
        else:
            del self._channels[number]
            channel._closed()

    def _signaling_event(self, code: int, obj: int, data: bytes) -> None:
        self._signaling = _SIGNALING[code]
        if self._signaling == "closed":
            self._closed = True
        self.emit("signalingstatechange")

    def _gathering_event(self, code: int, obj: int, data: bytes) -> None:
        self._gathering = _GATHERING[code]
        self.emit("icegatheringstatechange")

    def _ice_event(self, code: int, obj: int, data: bytes) -> None:
        self._ice = _ICE[code]
        self._transport.transport.emit("statechange")
        self.emit("iceconnectionstatechange")

    def _connection_event(self, code: int, obj: int, data: bytes) -> None:
        self._connection = _CONNECTION[code]
        self._transport.emit("statechange")
        try:
            self.emit("connectionstatechange")
        finally:
            if self._connection == "closed":
                self._finish()

    def _finish(self) -> None:
        self.remove_all_listeners()
        for done in self._operations.values():
            if not done.done():
                done.set_exception(InvalidStateError("RTCPeerConnection is closed"))
        self._operations = {}
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._hub.remove(self._number)

    def _track_event(self, code: int, obj: int, data: bytes) -> None:
        receiver = self._transceivers[obj].receiver
        self.emit("track", receiver._make_track(data.decode("utf-8", "replace") or None))

    def _done_event(self, code: int, obj: int, data: bytes) -> None:
        done = self._operations.pop(obj, None)
        if done is not None and not done.done():
            done.set_result(None)

    def _send_event(self, code: int, obj: int, data: bytes) -> None:
        self._transceivers[obj].sender._negotiated(code)

    def _send_stop_event(self, code: int, obj: int, data: bytes) -> None:
        self._transceivers[obj].sender._halt(stop_track=True)

    def _receive_end_event(self, code: int, obj: int, data: bytes) -> None:
        self._transceivers[obj].receiver._finish()


_HANDLERS: dict[int, Any] = {
    abi.TST_RTC_EVENT_SIGNALING: RTCPeerConnection._signaling_event,
    abi.TST_RTC_EVENT_GATHERING: RTCPeerConnection._gathering_event,
    abi.TST_RTC_EVENT_ICE: RTCPeerConnection._ice_event,
    abi.TST_RTC_EVENT_CONNECTION: RTCPeerConnection._connection_event,
    abi.TST_RTC_EVENT_TRACK: RTCPeerConnection._track_event,
    abi.TST_RTC_EVENT_DONE: RTCPeerConnection._done_event,
    abi.TST_RTC_EVENT_SEND: RTCPeerConnection._send_event,
    abi.TST_RTC_EVENT_SEND_STOP: RTCPeerConnection._send_stop_event,
    abi.TST_RTC_EVENT_RECEIVE_END: RTCPeerConnection._receive_end_event,
}
