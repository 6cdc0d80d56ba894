package srt

// This file speaks to libsrt itself, which core otherwise leaves to srtgo,
// because srtgo has no batched receive and send (one call into C a message costs
// more than the message), waits in a poller of its own whose deadline and close
// handling panics, and has neither sockets of an accept that does not block, nor
// reject reasons, nor statistics that leave the interval counters alone.

/*
#cgo LDFLAGS: -lsrt -lcrypto -lstdc++ -lm -lpthread
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <srt/srt.h>

typedef struct { uint32_t off, len; } ts_span;

static int64_t ts_now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// ts_watch makes an epoll of libsrt for one socket. Others of its calls find the socket under a lock that is
// held while closed sockets are freed, for long where they are hundreds: who waits is not to wait for that.
static int ts_watch(SRTSOCKET s) {
	int eid = srt_epoll_create(), events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
	if (eid == SRT_ERROR) return -1;
	int now = 0, len = sizeof now;
	if (srt_epoll_add_usock(eid, s, &events) == SRT_ERROR || srt_getsockflag(s, SRTO_EVENT, &now, &len) == SRT_ERROR ||
		(now & SRT_EPOLL_ERR) != 0) { // of a link that is lost already no epoll is told
		srt_epoll_release(eid);
		return -1;
	}
	return eid;
}

// ts_event reports whether something waits, also when that is the end, and always without an
// epoll. It does not wait itself: libsrt would wake every waiter of the process at every event.
static int ts_event(int eid) {
	SRT_EPOLL_EVENT event;
	return srt_epoll_uwait(eid, &event, 1, 0) != 0;
}

// ts_recv takes what is ready; when that is nothing it looks again every step_us
// until wait_us are over. libsrt's own blocking receive is not used: it drops a
// message when the link ends while it waits.
static int ts_recv(SRTSOCKET s, int eid, char *buf, int size, ts_span *spans, int max, int least, int64_t wait_us, int step_us, int *err) {
	int n = 0, used = 0;
	int64_t end = wait_us > 0 ? ts_now_us() + wait_us : 0;
	*err = 0;
	while (n < max && size - used >= least) {
		int r = SRT_ERROR;
		if (n == 0 && !ts_event(eid)) {
			*err = SRT_EASYNCRCV;
		} else if ((r = srt_recvmsg2(s, buf + used, size - used, NULL)) <= 0) {
			*err = r == 0 ? SRT_ECONNLOST : srt_getlasterror(NULL);
		}
		if (r > 0) {
			spans[n].off = used;
			spans[n].len = r;
			used += r;
			n++;
			continue;
		}
		if (n > 0 || *err != SRT_EASYNCRCV || end == 0) break;
		int64_t left = end - ts_now_us();
		if (left <= 0) break;
		struct timespec t = { 0, (left < step_us ? left : step_us) * 1000 };
		nanosleep(&t, NULL);
	}
	return n;
}

static int ts_send(SRTSOCKET s, const char *data, const ts_span *spans, int n, int *err) {
	*err = 0;
	for (int i = 0; i < n; i++) {
		if (srt_sendmsg2(s, data + spans[i].off, spans[i].len, NULL) == SRT_ERROR) {
			*err = srt_getlasterror(NULL);
			return i;
		}
	}
	return n;
}

// ts_put and ts_ready are what a caller's thread does without entering Go (transport.Shared). The
// argument is a socket, with its epoll in the upper half.
static int ts_put(void *arg, const void *data, uint32_t n) {
	return srt_sendmsg2((SRTSOCKET)(intptr_t)arg, data, (int)n, NULL) != SRT_ERROR;
}

static int ts_ready(void *arg) { return ts_event((int)((intptr_t)arg >> 32)); }

static uintptr_t ts_put_function(void) { return (uintptr_t)ts_put; }
static uintptr_t ts_ready_function(void) { return (uintptr_t)ts_ready; }

static void ts_fill(struct sockaddr_storage *a, int *len, const uint8_t *ip, int iplen, uint16_t port, uint32_t scope) {
	memset(a, 0, sizeof *a);
	if (iplen == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)a;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, ip, 4);
		*len = sizeof *in;
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)a;
		in->sin6_family = AF_INET6;
		in->sin6_port = htons(port);
		in->sin6_scope_id = scope;
		memcpy(&in->sin6_addr, ip, 16);
		*len = sizeof *in;
	}
}

static int ts_bind(SRTSOCKET s, const uint8_t *ip, int iplen, uint16_t port, uint32_t scope) {
	struct sockaddr_storage a;
	int len;
	ts_fill(&a, &len, ip, iplen, port, scope);
	return srt_bind(s, (struct sockaddr *)&a, len) == SRT_ERROR ? srt_getlasterror(NULL) : 0;
}

static int ts_connect(SRTSOCKET s, const uint8_t *ip, int iplen, uint16_t port, uint32_t scope) {
	struct sockaddr_storage a;
	int len;
	ts_fill(&a, &len, ip, iplen, port, scope);
	return srt_connect(s, (struct sockaddr *)&a, len) == SRT_ERROR ? srt_getlasterror(NULL) : 0;
}

static int ts_listen(SRTSOCKET s, int backlog) {
	return srt_listen(s, backlog) == SRT_ERROR ? srt_getlasterror(NULL) : 0;
}

static SRTSOCKET ts_accept(SRTSOCKET s, int *err) {
	SRTSOCKET c = srt_accept(s, NULL, NULL);
	*err = c == SRT_INVALID_SOCK ? srt_getlasterror(NULL) : 0;
	return c;
}

static int ts_name(SRTSOCKET s, int peer, uint8_t *ip, int *iplen, uint16_t *port) {
	struct sockaddr_storage a;
	int len = sizeof a;
	memset(&a, 0, sizeof a);
	int r = peer ? srt_getpeername(s, (struct sockaddr *)&a, &len) : srt_getsockname(s, (struct sockaddr *)&a, &len);
	if (r == SRT_ERROR) return srt_getlasterror(NULL);
	if (a.ss_family == AF_INET) {
		memcpy(ip, &((struct sockaddr_in *)&a)->sin_addr, 4);
		*iplen = 4;
		*port = ntohs(((struct sockaddr_in *)&a)->sin_port);
	} else {
		memcpy(ip, &((struct sockaddr_in6 *)&a)->sin6_addr, 16);
		*iplen = 16;
		*port = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	}
	return 0;
}

static int ts_set(SRTSOCKET s, int opt, const void *v, int len) {
	return srt_setsockflag(s, (SRT_SOCKOPT)opt, v, len) == SRT_ERROR ? srt_getlasterror(NULL) : 0;
}

static int ts_set_int(SRTSOCKET s, int opt, int v) { return ts_set(s, opt, &v, sizeof v); }
static int ts_set_bool(SRTSOCKET s, int opt, int v) { _Bool b = v; return ts_set(s, opt, &b, sizeof b); }
static int ts_set_linger(SRTSOCKET s, int seconds) {
	struct linger l = { seconds > 0, seconds };
	return ts_set(s, SRTO_LINGER, &l, sizeof l);
}
static int ts_get(SRTSOCKET s, int opt, void *v, int *len) {
	return srt_getsockflag(s, (SRT_SOCKOPT)opt, v, len) == SRT_ERROR ? srt_getlasterror(NULL) : 0;
}
*/
import "C"

import (
	"bytes"
	"net/netip"
	"runtime/debug"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/internal/later"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

type (
	sock    = C.SRTSOCKET
	eventID = C.int
)

const (
	eventOut = C.SRT_EPOLL_OUT
	eventErr = C.SRT_EPOLL_ERR
)

// libError turns libsrt's error number into an error of kind k unless the number
// itself says more. Timeouts and would-block are tsterr.Timeout.
func libError(no C.int, k tsterr.Kind, what string) *tsterr.Error {
	switch no {
	case C.SRT_ETIMEOUT, C.SRT_EASYNCRCV, C.SRT_EASYNCSND:
		return transport.Timeout("SRT " + what)
	case C.SRT_ECONNLOST, C.SRT_ENOCONN, C.SRT_EINVSOCK, C.SRT_ESCLOSED, C.SRT_EPEERERR:
		if k == tsterr.SRTIO {
			k = tsterr.SRTBroken
		}
	case C.SRT_ELARGEMSG:
		k = tsterr.SRTTooLarge
	}
	return tsterr.New(k, "%s: %s", what, C.GoString(C.srt_strerror(no, 0))).With("srt_error", int64(no))
}

func addrArgs(a netip.AddrPort) (*C.uint8_t, C.int, C.uint16_t) {
	if a.Addr().Is4() {
		b := a.Addr().As4()
		return (*C.uint8_t)(&b[0]), 4, C.uint16_t(a.Port())
	}
	b := a.Addr().As16()
	return (*C.uint8_t)(&b[0]), 16, C.uint16_t(a.Port())
}

func bind(s sock, a netip.AddrPort) C.int {
	ip, n, port := addrArgs(a)
	return C.ts_bind(s, ip, n, port, 0)
}

func connect(s sock, a netip.AddrPort) C.int {
	ip, n, port := addrArgs(a)
	return C.ts_connect(s, ip, n, port, 0)
}

func accept(s sock) (sock, C.int) {
	var no C.int
	c := C.ts_accept(s, &no)
	return c, no
}

func listen(s sock) C.int { return C.ts_listen(s, backlog) }

func sockName(s sock, peer bool) (netip.AddrPort, C.int) {
	var ip [16]byte
	var n C.int
	var port C.uint16_t
	which := C.int(0)
	if peer {
		which = 1
	}
	if no := C.ts_name(s, which, (*C.uint8_t)(&ip[0]), &n, &port); no != 0 {
		return netip.AddrPort{}, no
	}
	a, _ := netip.AddrFromSlice(ip[:n])
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), 0
}

// nonblocking lets connect and accept return at once.
func nonblocking(s sock) {
	C.ts_set_bool(s, C.SRTO_RCVSYN, 0)
}

// prepare makes writes wait inside libsrt, on the socket's own condition, in
// slices. Its epoll is not used: it wakes every waiter of the process at every event.
func prepare(s sock) C.int {
	for _, no := range []C.int{
		C.ts_set_bool(s, C.SRTO_RCVSYN, 0),
		C.ts_set_bool(s, C.SRTO_SNDSYN, 1),
		C.ts_set_int(s, C.SRTO_SNDTIMEO, C.int(waitSlice.Milliseconds())),
	} {
		if no != 0 {
			return no
		}
	}
	return 0
}

// share has C send and wait on a socket that was prepared. Messages without a limit of their
// own are left to Go.
func (c *Conn) share() error {
	kind := uint32(transport.SharedReady)
	if c.max > 0 {
		kind |= transport.SharedCall
	}
	s, err := transport.NewShared(c, kind, -1, nil, c.max)
	if err != nil {
		return err //nolint:wrapcheck // the caller adds what it was for
	}
	s.Send, s.Ready, s.Arg = uintptr(C.ts_put_function()), uintptr(C.ts_ready_function()), uintptr(c.id)|uintptr(c.eid)<<32
	s.Step = uint32(readStep.Microseconds()) //nolint:gosec // a constant
	s.VisitAfter(0)
	c.fast, c.track.shared = s, s
	c.count.Share(s)
	return nil
}

func readSome(s sock, eid eventID, arena []byte, spans []transport.Span, wait time.Duration) (int, C.int) {
	var no C.int
	size := min(len(arena), 1<<30)
	n := C.ts_recv(s, eid, (*C.char)(unsafe.Pointer(&arena[0])), C.int(size), (*C.ts_span)(unsafe.Pointer(&spans[0])),
		C.int(min(len(spans), transport.MaxBatch)), MaxPayload, C.int64_t(wait.Microseconds()),
		C.int(readStep.Microseconds()), &no)
	return int(n), no
}

func writeSome(s sock, data []byte, spans []transport.Span) (int, C.int) {
	var no C.int
	var p *C.char
	if len(data) > 0 {
		p = (*C.char)(unsafe.Pointer(&data[0]))
	}
	n := C.ts_send(s, p, (*C.ts_span)(unsafe.Pointer(&spans[0])), C.int(len(spans)), &no)
	return int(n), no
}

// watchSocket makes what tells that a message waits; unwatch frees it.
func watchSocket(s sock) eventID { return C.ts_watch(s) }

func unwatch(eid eventID) {
	if eid >= 0 {
		C.srt_epoll_release(eid)
	}
}

// waits reports whether something waits to be read, also when that is an end.
func waits(eid eventID) bool { return C.ts_event(eid) != 0 }

// streamID reads the stream id of a connected socket. libsrt pads short ones with zeros.
func streamID(s sock) string {
	var buf [513]byte
	n := C.int(len(buf))
	if C.ts_get(s, C.SRTO_STREAMID, unsafe.Pointer(&buf[0]), &n) != 0 { //nolint:gocritic // what it finds is the code that cgo makes of the line
		return ""
	}
	return string(bytes.TrimRight(buf[:n], "\x00"))
}

func intOption(s sock, opt C.int) int {
	var v C.int32_t
	n := C.int(unsafe.Sizeof(v))
	if C.ts_get(s, opt, unsafe.Pointer(&v), &n) != 0 { //nolint:gocritic // as above
		return 0
	}
	return int(v)
}

// latencyOf returns the agreed receive delay of the peer or of this side.
func latencyOf(s sock, peer bool) time.Duration {
	opt := C.int(C.SRTO_RCVLATENCY)
	if peer {
		opt = C.SRTO_PEERLATENCY
	}
	return time.Duration(intOption(s, opt)) * time.Millisecond
}

func payloadSize(s sock) int { return intOption(s, C.SRTO_PAYLOADSIZE) }

// waitingData tells how much is in the receive buffer, due or not.
func waitingData(s sock) int { return intOption(s, C.SRTO_RCVDATA) }

// closeSocket frees the socket. What was sent and not acknowledged yet still
// leaves within the linger time, in the background.
func closeSocket(s sock, linger int) {
	C.ts_set_bool(s, C.SRTO_SNDSYN, 0) // otherwise srt_close waits for it here
	C.ts_set_linger(s, C.int(linger))
	C.srt_close(s)
	giveBack.Occasion()
}

// soon does what closes a socket, with a bound: while libsrt frees many sockets closed before,
// for seconds where they are hundreds, it lets nobody close another one.
func soon(closeIt func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		closeIt()
	}()
	t := time.NewTimer(closeLimit)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// giveBack has the C library and Go return what closed sockets used, a few hundred KiB
// each: they would keep it, the one spread over the arenas of libsrt's threads, the other
// until its next collection. libsrt frees a socket a second or more after its close, and later
// where there are hundreds.
var giveBack = later.Later{Wait: 5 * time.Second, Until: 10 * time.Second, Do: func() {
	C.malloc_trim(0)
	debug.FreeOSMemory()
}}

// LibraryVersion returns the version of libsrt, such as "1.5.1".
func LibraryVersion() string {
	v := uint32(C.srt_getversion())
	return itoa(v>>16&0xff) + "." + itoa(v>>8&0xff) + "." + itoa(v&0xff)
}

func itoa(v uint32) string {
	if v >= 10 {
		return itoa(v/10) + string(rune('0'+v%10))
	}
	return string(rune('0' + v))
}
