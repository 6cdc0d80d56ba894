"""Facts of SRT URLs and their options."""

from __future__ import annotations

import socket
from typing import Any

from tstrans import srt

from live_facts.common import fact, fresh_program, listener, outcome


def bound(url: str) -> str:
    return outcome(lambda: srt.Builder(url).listen())


ACCEPTED = [
    *("passphrase=0123456789", "passphrase=" + "x" * 79, "pbkeylen=16", "pbkeylen=24", "pbkeylen=32"),
    *("latency=0", "tsbpddelay=1", "latency=10000", "latency=2147483647", "rcvlatency=5", "peerlatency=0"),
    *("mss=1500", "payloadsize=0", "payloadsize=1456", "pkt_size=188", "payload_size=1316"),
    *("maxbw=0", "maxbw=1000000000", "inputbw=1000", "oheadbw=5", "oheadbw=100", "streamid=abc"),
    *("srt_streamid=x", "streamid=" + "s" * 512, "lossmaxttl=10", "tlpktdrop=0", "tlpktdrop=1"),
    *("fc=25600", "ffs=25600", "packetfilter=fec,cols:10,rows:5", "congestion=live", "smoother=file"),
    *("conntimeo=0", "connect_timeout=1000", "linger=0", "linger=5", "udprcvbuf=1000000"),
    *("recv_buffer_size=1000000", "udpsndbuf=1000000", "send_buffer_size=1000000"),
    *("x-recvtimeout=0", "x-sendtimeout=5", "latency=1&latency=2", "streamid=a%20b", "streamid=a+b"),
]
REFUSED = [
    *("passphrase=123456789", "passphrase=" + "x" * 80, "passphrase=caf%C3%A9-0123456", "pbkeylen=0"),
    *(
        "pbkeylen=17",
        "pbkeylen=",
        "latency=-1",
        "latency=2147483648",
        "latency=1ms",
        "latency=",
        "latency=%201",
    ),
    *("latency=+1", "mss=65536", "mss=10", "payloadsize=1457", "maxbw=-1", "oheadbw=4", "oheadbw=101"),
    *("streamid=" + "s" * 513, "streamid=caf%C3%A9", "lossmaxttl=-1", "tlpktdrop=2", "tlpktdrop=true"),
    *("fc=1", "fc=-1", "packetfilter=none-such", "congestion=LIVE", "congestion=x", "conntimeo=-1"),
    *("linger=-1", "x-recvtimeout=-1", "x-other=1", "rcvtimeo=5", "adapter=x", "port=1", "LATENCY=1"),
    *("Latency=1", "nonsense=1", "latency=xx&latency=100", "mode=Caller", "mode=rendezvous", "mode=x"),
    *("timeout=1000", "transtype=live", "messageapi=1", "groupconnect=1", "tsbpdmode=1"),
    *("cryptomode=1",),
]


def _option(query: str) -> None:
    @fact(f"SRT-21 ?{query if len(query) < 60 else query[:24] + f'... of {len(query)}'}")
    def _() -> str:
        return bound(f"srt://127.0.0.1:0?mode=listener&{query}")


for _q in (*ACCEPTED, *REFUSED):
    _option(_q)

for _name, _url in {
    "SRT-10 scheme in capitals": "SRT://127.0.0.1:0?mode=listener",
    "SRT-10 another scheme": "http://127.0.0.1:0?mode=listener",
    "SRT-10 no scheme": "127.0.0.1:0",
    "SRT-10 a path": "srt://127.0.0.1:0/some/path?mode=listener",
    "SRT-10 a fragment": "srt://127.0.0.1:0?mode=listener#x",
    "SRT-10 a fragment after the port": "srt://127.0.0.1:0#x",
    "SRT-11 no port": "srt://127.0.0.1?mode=listener",
    "SRT-11 empty port": "srt://127.0.0.1:?mode=listener",
    "SRT-11 port too large": "srt://127.0.0.1:65536?mode=listener",
    "SRT-11 negative port": "srt://127.0.0.1:-1?mode=listener",
    "SRT-12 empty host, listener": "srt://:0?mode=listener",
    "SRT-13 IPv6 loopback": "srt://[::1]:0?mode=listener",
    "SRT-14 a name": "srt://localhost:0?mode=listener",
    "SRT-14 no such name": "srt://no-such-host.invalid:0?mode=listener",
    "SRT-15 user": "srt://u:p@127.0.0.1:0?mode=listener",
    "SRT-15 user alone": "srt://u@127.0.0.1:0?mode=listener",
    "SRT-16 no mode": "srt://127.0.0.1:0",
    "SRT-16 mode=caller": "srt://127.0.0.1:0?mode=caller",
    "SRT-18 empty query": "srt://127.0.0.1:0?mode=listener&",
    "SRT-18 key without value": "srt://127.0.0.1:0?mode=listener&latency",
    "SRT-39 not a local address": "srt://192.0.2.1:9000?mode=listener",
}.items():

    def _bind(url: str = _url) -> str:
        return bound(url)

    fact(_name)(_bind)

for _name, _url in {
    "SRT-12 empty host, caller": "srt://:9000",
    "SRT-14 no such name, caller": "srt://no-such-host.invalid:9000",
    "SRT-16 rendezvous, caller": "srt://127.0.0.1:9?mode=rendezvous",
    "SRT-70 listener URL": "srt://127.0.0.1:9?mode=listener",
    "SRT-145 listener URL": "srt://127.0.0.1:9?mode=listener",
}.items():

    def _call(url: str = _url, managed: bool = "145" in _name) -> str:
        return outcome(lambda: (srt.ManagedSender if managed else srt.Sender).from_url(url))

    fact(_name)(_call)


@fact("SRT-90 caller URLs of receivers")
def _() -> list[str]:
    url = "srt://127.0.0.1:9"
    return [
        outcome(lambda c=c: c.from_url(url)) for c in (srt.Receiver, srt.DemuxReceiver, srt.ManagedReceiver)
    ]


@fact("SRT-70 listener URLs of mux senders")
def _() -> list[str]:
    url = "srt://127.0.0.1:9?mode=listener"
    return [
        outcome(lambda c=c: c.from_url(url, fresh_program())) for c in (srt.MuxSender, srt.ManagedMuxSender)
    ]


@fact("SRT-91 taken port")
def _() -> list[str]:
    with listener() as li:
        url = f"srt://127.0.0.1:{li.local_addr()[1]}?mode=listener"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            held = f"srt://127.0.0.1:{s.getsockname()[1]}?mode=listener"
            return [
                bound(held),
                outcome(lambda: srt.Receiver.from_url(held)),
                outcome(lambda: srt.DemuxReceiver.from_url(held)),
                outcome(lambda: srt.ManagedReceiver.from_url(held)),
                outcome(lambda: srt.ManagedDemuxReceiver.from_url(held)),
                bound(url),
            ]


@fact("SRT-13 IPv6 caller")
def _() -> list[Any]:
    with srt.Builder("srt://[::1]:0?mode=listener").listen() as li:
        host, port = li.local_addr()
        with srt.Builder(f"srt://[::1]:{port}").connect() as s:
            return [host, s.peer_addr()[0]]


@fact("SRT-14 caller by name")
def _() -> str:
    with listener() as li:
        return outcome(lambda: srt.Builder(f"srt://localhost:{li.local_addr()[1]}").connect())
