package srt

/*
#include <srt/srt.h>

static int ts_readable2(SRTSOCKET s) {
	int32_t ev = 0;
	int len = sizeof ev;
	if (srt_getsockflag(s, SRTO_EVENT, &ev, &len) == SRT_ERROR) return SRT_EPOLL_ERR;
	return ev;
}

// The statistics show an empty buffer while another thread holds the connection's lock.
static int64_t ts_sndbuf(SRTSOCKET s) {
	size_t blocks = 0, bytes = 0;
	return srt_getsndbuffer(s, &blocks, &bytes) == SRT_ERROR ? -1 : (int64_t)blocks;
}

static int ts_stats2(SRTSOCKET s, SRT_TRACEBSTATS *st) { return srt_bistats(s, st, 0, 1); }
*/
import "C"

import "github.com/tstrans/tstrans/core/tsterr"

// Options set here rather than from a URL.
const (
	optPeerIdle    = C.SRTO_PEERIDLETIMEO
	optConnTimeout = C.SRTO_CONNTIMEO
	optRendezvous  = C.SRTO_RENDEZVOUS
	optIPv6Only    = C.SRTO_IPV6ONLY
)

const (
	stateConnecting = C.SRTS_CONNECTING
	stateConnected  = C.SRTS_CONNECTED
)

func stateOf(s sock) C.SRT_SOCKSTATUS { return C.srt_getsockstate(s) }

// failed tells whether a connecting socket is at its end, which its state does not: between connecting and
// connected that is SRTS_BROKEN as well, for long where libsrt has no time.
func failed(s sock) bool { return readable(s)&eventErr != 0 }

// readable tells what the socket is ready for, without waiting.
func readable(s sock) int { return int(C.ts_readable2(s)) }

// statistics snapshots the counters and leaves the interval ones alone. It
// reports false once the link is gone.
func statistics(s sock) (Stats, bool) {
	var st C.SRT_TRACEBSTATS
	if C.ts_stats2(s, &st) != 0 {
		return Stats{}, false
	}
	return fromLib(&st), true
}

// rejected reports whether libsrt knows why a handshake failed.
func rejected(s sock) bool { return C.srt_getrejectreason(s) != C.SRT_REJ_UNKNOWN }

// sendBuffer counts the messages that wait for their acknowledgement. It reports false once the link is gone.
func sendBuffer(s sock) (uint64, bool) {
	n := C.ts_sndbuf(s)
	return uint64(max(0, n)), n >= 0
}

// attrReject names libsrt's number of a refusal among an error's attributes.
const (
	attrReject    = "reject_reason"
	unknownReason = int64(C.SRT_REJ_UNKNOWN)
)

// connectError tells why a handshake failed; attribute "reject_reason" is libsrt's number.
func connectError(no C.int, s sock) *tsterr.Error {
	reason := C.srt_getrejectreason(s)
	if no != 0 && no != C.SRT_ECONNREJ && no != C.SRT_ENOSERVER {
		return libError(no, tsterr.SRTConnectFailed, "connect")
	}
	k := tsterr.SRTConnectFailed
	if reason == C.SRT_REJ_TIMEOUT {
		k = tsterr.SRTTimeout
	}
	return tsterr.New(k, "the connection was refused: %s", C.GoString(C.srt_rejectreason_str(reason))).
		With(attrReject, int64(reason))
}
