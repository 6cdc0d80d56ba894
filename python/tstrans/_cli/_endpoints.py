"""Where a relay reads and writes: files, pipes and every transport, as sources and sinks of TS bytes."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..exceptions import TstError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMES", "Sink", "Source", "open_sink", "open_source", "waits"]

#: Bytes of a file read at a time.
_BLOCK = 256 << 10
_MESSAGE = 7 * 188

SCHEMES = """\
addresses: a file, - for standard input or output, udp://host:port (udp://@group:port to receive),
tcp://host:port to connect, tcp-listen://ip:port to accept one peer, srt://host:port?mode=caller|listener,
rist://ip:port to send, rist://@ip:port to receive, rtp://ip:port,
rtsp://host/path to play; options as in the modules of the same names"""


class Source:
    """Gives TS bytes until the end."""

    def __init__(self) -> None:
        self.held = ExitStack()
        #: Gives (bytes, whether they are the first of a new link); no bytes is the end.
        self.read: Callable[[], tuple[bytes, bool]] = lambda: (b"", False)
        #: Something to add to the statistics.
        self.note: Callable[[], str] = lambda: ""


class Sink:
    """Takes TS bytes."""

    def __init__(self) -> None:
        self.held = ExitStack()
        self.write: Callable[[bytes], None] = lambda data: None
        self.note: Callable[[], str] = lambda: ""


def _scheme(address: str) -> str:
    scheme, found, _ = address.partition("://")
    return scheme if found else ""


def _reconnects(link: Any) -> str:
    s = link.reconnect_stats()
    lost = s.gap_messages_dropped + s.link_messages_lost
    return f"{s.successes} reconnects" + (f", {lost} messages lost" if lost else "")


def open_source(address: str) -> Source:
    """A source; raises what opening it raises."""
    source = Source()
    scheme = _scheme(address)
    if scheme == "udp":
        from .. import udp

        rx = source.held.enter_context(udp.RecvTransport.builder().bind_url(address).rcvbuf(4 << 20).build())
        source.read = lambda: (_all(rx._messages), False)
        source.note = lambda: f"{rx.dropped()} datagrams dropped"
    elif scheme == "rist":
        from .. import rist

        transport = source.held.enter_context(rist.RecvTransport.builder().bind_url(address).build())
        source.read = lambda: (_all(transport._messages), False)
        source.note = lambda: f"{transport.stats().recovered_packets} packets recovered"
    elif scheme == "rtp":
        from .. import rtp

        receiver = source.held.enter_context(rtp.Receiver(address))
        source.read = lambda: (_all(receiver._messages), False)
        source.note = lambda: f"{receiver.stats().packets_lost_recv} packets lost"
    elif scheme in ("rtsp", "rtsps"):
        source.read = _rtsp_reader(source, address)
    elif scheme in ("tcp", "tcps", "tcp-listen"):
        source.read = _tcp_reader(source.held.enter_context(_tcp(address)))
    elif scheme == "srt":
        link = _srt(address, sends=False)
        source.held.callback(link.close)
        from .._native.link_ts_lib import Packets

        packets = Packets(link)
        source.read = lambda: packets.read(None)
        source.note = lambda: _reconnects(link)
    elif scheme:
        raise TstError(f"{scheme}:// is no address to read from\n{SCHEMES}")
    else:
        file = sys.stdin.buffer if address == "-" else source.held.enter_context(open(address, "rb"))  # noqa: SIM115
        source.read = lambda: (os.read(file.fileno(), _BLOCK), False)
    return source


def open_sink(address: str) -> Sink:
    """A sink; raises what opening it raises."""
    sink = Sink()
    scheme = _scheme(address)
    if scheme == "udp":
        from .. import udp

        sink.write = _in_pieces(sink.held.enter_context(udp.Transport.builder().url(address).build()).send)
    elif scheme == "rist":
        from .. import rist

        sink.write = _in_pieces(sink.held.enter_context(rist.Transport.builder().url(address).build()).send)
    elif scheme == "rtp":
        from .. import rtp

        sender = sink.held.enter_context(rtp.Sender(address, pkt_size=_MESSAGE + 12))
        sink.write = _in_pieces(sender.send)
    elif scheme in ("tcp", "tcps", "tcp-listen"):
        tcp = sink.held.enter_context(_tcp(address))
        sink.write = _in_pieces(tcp.send, 65536)
    elif scheme == "srt":
        link = _srt(address, sends=True)
        sink.held.callback(link.close)
        sink.held.callback(link.flush_ts, 0)
        sink.write = link.send_ts
        sink.note = lambda: _reconnects(link)
    elif scheme:
        raise TstError(f"{scheme}:// is no address to write to\n{SCHEMES}")
    else:
        if address == "-":
            file: Any = sys.stdout.buffer
            sink.held.callback(file.flush)
        else:
            file = sink.held.enter_context(open(address, "wb"))  # noqa: SIM115
        sink.write = file.write
    return sink


def _all(messages: Any) -> bytes:
    first: bytes = messages.get(None)
    queue = messages.queue
    return first + b"".join([queue.popleft() for _ in range(len(queue))]) if queue else first


def _in_pieces(send: Callable[[Any], None], size: int = _MESSAGE) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        view = memoryview(data)
        for at in range(0, len(view), size):
            send(bytes(view[at : at + size]))  # bytes are sent with the least work

    return write


def _tcp(address: str) -> Any:
    from .. import tcp

    scheme, _, rest = address.partition("://")
    if scheme != "tcp-listen":
        return tcp.Transport.builder().url(address).build()
    with tcp.Listener.builder().bind(rest).build() as listener:
        print(f"waiting on port {listener.local_port()}", file=sys.stderr)
        return listener.accept_blocking()


def _tcp_reader(transport: Any) -> Callable[[], tuple[bytes, bool]]:
    from ..exceptions import TcpError

    buffer = bytearray(_BLOCK)

    def read() -> tuple[bytes, bool]:
        try:
            n = transport.recv(buffer)
        except TcpError as e:
            if "closed the connection" in str(e):
                return b"", False
            raise
        return bytes(memoryview(buffer)[:n]), False

    return read


def _rtsp_reader(source: Source, address: str) -> Callable[[], tuple[bytes, bool]]:
    from .._native.link_ts_lib import Packets
    from .._native.rtp_lib import rtp_stats
    from ..exceptions import RtpError, RtpErrorKind
    from ..rtp import RtspClient, RtspClientConfig

    session = source.held.enter_context(RtspClient.connect(RtspClientConfig(address)))
    link = session._link.take()
    source.held.callback(link.close)
    packets = Packets(link)
    source.note = lambda: f"{rtp_stats(link).packets_lost} packets lost"

    def read() -> tuple[bytes, bool]:
        try:
            return packets.read(None)
        except RtpError as e:
            if e.kind is RtpErrorKind.END_OF_STREAM:
                return b"", False
            raise

    return read


def waits(address: str) -> bool:
    """Whether opening it takes until a peer comes."""
    scheme = _scheme(address)
    if scheme == "srt":
        from .._native import srt_lib

        return bool(srt_lib.check_config({"url": address}).mode == 1)
    return scheme == "tcp-listen"


def _srt(address: str, *, sends: bool) -> Any:
    from .._native import srt_lib
    from ..srt import Builder, ReconnectPolicy

    values: dict[str, Any] = {"url": address}
    listens = srt_lib.check_config(values).mode == 1
    if sends and listens:
        with Builder(address).listen() as listener:
            print(f"waiting on port {listener.local_addr()[1]}", file=sys.stderr)
            return listener.accept()._give()
    values.update(ReconnectPolicy(max_attempts=None, gap_buffer_capacity=4096)._parameters())
    return (srt_lib.managed_send if sends else srt_lib.managed_receive)(values)
