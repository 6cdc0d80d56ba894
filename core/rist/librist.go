package rist

// This file speaks to librist itself; core otherwise leaves C to others. No Go
// binding of it exists. The library is opened at first use rather than linked:
// Debian has no static archive of it, so it travels beside the shared library of
// this module, and a program without RIST need not have it.

/*
#cgo LDFLAGS: -ldl -lpthread
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <librist/librist.h>

typedef struct { uint32_t off, len; } tr_span;
typedef struct { uint64_t ts; uintptr_t peer; uint32_t flow; uint16_t seq, start; } tr_arrival;

typedef struct {
	pthread_mutex_t lock;
	uint64_t sent, retransmitted, received, missing, recovered, lost, bandwidth, rtt_us;
	struct rist_ctx *ctx;
	struct rist_logging_settings *log;
	struct rist_data_block *held; // read, and longer than the room there was
	uint64_t overflows;
	int numbered;  // the simple profile: messages get their sequence numbers here
	uint16_t seq;
	int met;       // a receiver was met
	int fresh;     // the next message is the first that a receiver sees
	uint64_t copies;
	int64_t heard_us; // when a report last said that the receiver was heard, 0 never
} tr_link;

// A receiver of the simple profile in librist before 0.2.8 makes a place for the sender
// with the first RTP packet it sees and forgets that packet, and no receiver asks
// again for what came before the first. So a first message is sent more than once,
// with one sequence number: receivers drop what they have already.
enum { tr_first_copies = 3 };

static const uint64_t tr_ntp_epoch = 2208988800; // s, from 1900 to 1970: RFC 5905 figure 4

static struct {
	__typeof__(rist_sender_create) *sender_create;
	__typeof__(rist_receiver_create) *receiver_create;
	__typeof__(rist_peer_config_defaults_set) *defaults;
	__typeof__(rist_peer_create) *peer_create;
	__typeof__(rist_start) *start;
	__typeof__(rist_destroy) *destroy;
	__typeof__(rist_sender_data_write) *write;
	__typeof__(rist_receiver_data_read2) *read;
	__typeof__(rist_receiver_data_block_free2) *block_free;
	__typeof__(rist_receiver_set_output_fifo_size) *fifo;
	__typeof__(rist_stats_callback_set) *stats;
	__typeof__(rist_connection_status_callback_set) *status;
	__typeof__(rist_stats_free) *stats_free;
	__typeof__(rist_logging_set) *logging;
	__typeof__(rist_logging_settings_free2) *logging_free;
	__typeof__(librist_version) *version;
} tr;

static void *tr_find(void *lib, const char *name, int *missing) {
	void *p = dlsym(lib, name);
	if (p == NULL) *missing = 1;
	return p;
}

static int tr_exists_beside(char *out, size_t cap, const char *dir, const char *name) {
	size_t n = strlen(dir), m = strlen(name);
	if (n + m + 2 > cap) return 0;
	memcpy(out, dir, n);
	memcpy(out + n, name, m + 1);
	return 1;
}

// tr_load opens librist: the copy beside this library first, with what it needs,
// then the system's. It returns NULL, or why it failed.
static const char *tr_load(void) {
	static const char *const needs[] = { "libcjson.so.1", "libmbedcrypto.so.7" };
	Dl_info me;
	char dir[4096] = "", path[4200];
	void *lib = NULL;
	if (dladdr((void *)tr_load, &me) && me.dli_fname != NULL) {
		const char *slash = strrchr(me.dli_fname, '/');
		if (slash != NULL && (size_t)(slash - me.dli_fname) + 8 < sizeof dir) {
			memcpy(dir, me.dli_fname, slash - me.dli_fname + 1);
			strcpy(dir + (slash - me.dli_fname + 1), "_libs/");
		}
	}
	const char *also = getenv("TSTRANS_LIBS");
	for (int pass = 0; pass < 2 && lib == NULL; pass++) {
		char from[4200];
		if (pass == 1) {
			if (also == NULL || strlen(also) > 4000) break;
			strcpy(from, also);
			strcat(from, "/");
		} else {
			strcpy(from, dir);
		}
		if (from[0] == 0 || !tr_exists_beside(path, sizeof path, from, "librist.so.4")) continue;
		for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
			char dep[4200];
			if (tr_exists_beside(dep, sizeof dep, from, needs[i])) dlopen(dep, RTLD_NOW | RTLD_LOCAL);
		}
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	if (lib == NULL) lib = dlopen("librist.so.4", RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) return dlerror();
	int missing = 0;
	tr.sender_create = tr_find(lib, "rist_sender_create", &missing);
	tr.receiver_create = tr_find(lib, "rist_receiver_create", &missing);
	tr.defaults = tr_find(lib, "rist_peer_config_defaults_set", &missing);
	tr.peer_create = tr_find(lib, "rist_peer_create", &missing);
	tr.start = tr_find(lib, "rist_start", &missing);
	tr.destroy = tr_find(lib, "rist_destroy", &missing);
	tr.write = tr_find(lib, "rist_sender_data_write", &missing);
	tr.read = tr_find(lib, "rist_receiver_data_read2", &missing);
	tr.block_free = tr_find(lib, "rist_receiver_data_block_free2", &missing);
	tr.fifo = tr_find(lib, "rist_receiver_set_output_fifo_size", &missing);
	tr.stats = tr_find(lib, "rist_stats_callback_set", &missing);
	tr.status = tr_find(lib, "rist_connection_status_callback_set", &missing);
	tr.stats_free = tr_find(lib, "rist_stats_free", &missing);
	tr.logging = tr_find(lib, "rist_logging_set", &missing);
	tr.logging_free = tr_find(lib, "rist_logging_settings_free2", &missing);
	tr.version = tr_find(lib, "librist_version", &missing);
	return missing ? "librist is too old: a function is missing" : NULL;
}

static const char *tr_version(void) { return tr.version(); }

static int64_t tr_now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// tr_on_stats adds up: librist reports what happened since the last report.
static int tr_on_stats(void *arg, const struct rist_stats *s) {
	tr_link *l = arg;
	pthread_mutex_lock(&l->lock);
	if (s->stats_type == RIST_STATS_SENDER_PEER) {
		l->sent += s->stats.sender_peer.sent;
		l->retransmitted += s->stats.sender_peer.retransmitted;
		l->bandwidth = s->stats.sender_peer.bandwidth;
		l->rtt_us = (uint64_t)s->stats.sender_peer.rtt * 1000;
		if (s->stats.sender_peer.received > 0) l->heard_us = tr_now_us();
	} else {
		l->received += s->stats.receiver_flow.received;
		l->missing += s->stats.receiver_flow.missing;
		l->recovered += s->stats.receiver_flow.recovered;
		l->lost += s->stats.receiver_flow.lost;
		l->bandwidth = s->stats.receiver_flow.bandwidth;
		l->rtt_us = (uint64_t)s->stats.receiver_flow.rtt * 1000;
	}
	pthread_mutex_unlock(&l->lock);
	tr.stats_free(s);
	return 0;
}

// tr_on_status is told when a receiver is met, also one after another.
static void tr_on_status(void *arg, struct rist_peer *peer, enum rist_connection_status s) {
	(void)peer;
	tr_link *l = arg;
	if (s != RIST_CONNECTION_ESTABLISHED && s != RIST_CLIENT_CONNECTED) return;
	__atomic_store_n(&l->fresh, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&l->met, 1, __ATOMIC_RELEASE);
}

static void tr_close(tr_link *l) {
	if (l->held) tr.block_free(&l->held);
	if (l->ctx) tr.destroy(l->ctx);
	if (l->log) tr.logging_free(&l->log);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

// tr_open returns NULL and the step that failed: 1 context, 2 peer.
static tr_link *tr_open(int listen, int profile, const char *address, uint32_t buffer_ms, uint32_t bandwidth,
                        uint32_t reorder_ms, uint32_t rtt_min_ms, uint32_t rtt_max_ms, int key_size, const char *secret, const char *cname,
                        uint32_t session_ms, int compression, uint32_t fifo, uint32_t flow, uint16_t seq, int report_ms, int *step) {
	tr_link *l = calloc(1, sizeof *l);
	*step = 1;
	if (l == NULL) return NULL;
	pthread_mutex_init(&l->lock, NULL);
	if (tr.logging(&l->log, RIST_LOG_DISABLE,
			NULL, // callback
			NULL, // its argument
			NULL, // address
			NULL // file
			) != 0) l->log = NULL;
	int r = listen ? tr.receiver_create(&l->ctx, profile, l->log) : tr.sender_create(&l->ctx, profile, flow, l->log);
	if (r != 0) {
		l->ctx = NULL;
		tr_close(l);
		return NULL;
	}
	struct rist_peer_config c;
	memset(&c, 0, sizeof c);
	tr.defaults(&c);
	strncpy(c.address, address, sizeof c.address - 1);
	if (buffer_ms) c.recovery_length_min = c.recovery_length_max = buffer_ms;
	c.recovery_maxbitrate = bandwidth;
	c.recovery_reorder_buffer = reorder_ms;
	c.recovery_rtt_min = rtt_min_ms;
	if (rtt_max_ms) c.recovery_rtt_max = rtt_max_ms;
	c.key_size = key_size;
	strncpy(c.secret, secret, sizeof c.secret - 1);
	strncpy(c.cname, cname, sizeof c.cname - 1);
	if (session_ms) c.session_timeout = session_ms;
	c.compression = compression;
	// Measured at 5 % loss and a buffer of 120 ms, librist's congestion control costs
	// every stream a few messages: it asks for them too seldom.
	c.congestion_control_mode = RIST_CONGESTION_CONTROL_MODE_OFF;
	struct rist_peer *peer = NULL;
	*step = 2;
	if (tr.peer_create(l->ctx, &peer, &c) != 0) {
		tr_close(l);
		return NULL;
	}
	if (listen) tr.fifo(l->ctx, fifo);
	tr.stats(l->ctx, report_ms, tr_on_stats, l);
	if (!listen) {
		l->numbered = l->fresh = profile == RIST_PROFILE_SIMPLE;
		l->seq = seq;
		tr.status(l->ctx, tr_on_status, l);
	}
	return l;
}

static int tr_start(tr_link *l) { return tr.start(l->ctx); }

// tr_ntp is the time as librist itself gives it to messages: of the monotonic clock, in
// 2^-32 s, and from 1900 on as NTP counts. By any other epoch a receiver, which takes the
// first message's time for the measure of all, would hold the rest too long or not at all.
static uint64_t tr_ntp(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (((uint64_t)t.tv_sec + tr_ntp_epoch) << 32) | (((uint64_t)t.tv_nsec << 32) / 1000000000);
}

static int tr_write(tr_link *l, const void *p, size_t n) {
	struct rist_data_block b;
	memset(&b, 0, sizeof b);
	b.payload = p;
	b.payload_len = n;
	if (!l->numbered) return tr.write(l->ctx, &b);
	b.flags = RIST_DATA_FLAGS_USE_SEQ;
	b.seq = l->seq;
	if (__atomic_exchange_n(&l->fresh, 0, __ATOMIC_RELAXED)) {
		b.ts_ntp = tr_ntp(); // of another time it would be no copy
		for (int i = 1; i < tr_first_copies; i++) {
			if (tr.write(l->ctx, &b) < 0) return -1;
			__atomic_fetch_add(&l->copies, 1, __ATOMIC_RELAXED);
		}
	}
	int r = tr.write(l->ctx, &b);
	if (r >= 0) l->seq++;
	return r;
}

// tr_fetch takes the next message, one that was too long for an earlier read first; NULL
// for none. It returns less than 0 when librist reads no more.
static int tr_fetch(tr_link *l, struct rist_data_block **b) {
	int r = 0;
	pthread_mutex_lock(&l->lock);
	*b = l->held;
	l->held = NULL;
	if (*b == NULL) r = tr.read(l->ctx, b, 0);
	pthread_mutex_unlock(&l->lock);
	return r;
}

static void tr_hold(tr_link *l, struct rist_data_block *b) {
	pthread_mutex_lock(&l->lock);
	l->held = b;
	pthread_mutex_unlock(&l->lock);
}

// tr_put and tr_ready are what a caller's thread does without entering Go (transport.Shared).
static int tr_put(void *l, const void *data, uint32_t n) { return tr_write(l, data, n) >= 0; }

static int tr_ready(void *link) {
	tr_link *l = link;
	pthread_mutex_lock(&l->lock);
	int failed = l->held == NULL && tr.read(l->ctx, &l->held, 0) < 0;
	int ready = failed || l->held != NULL;
	pthread_mutex_unlock(&l->lock);
	return ready;
}

static uintptr_t tr_put_function(void) { return (uintptr_t)tr_put; }
static uintptr_t tr_ready_function(void) { return (uintptr_t)tr_ready; }

// tr_read takes what is there; when that is nothing it looks again every step_us
// until wait_us are over. librist's own wait cannot be ended from outside.
static int tr_read(tr_link *l, char *buf, size_t size, tr_span *spans, tr_arrival *arrivals, int max, int64_t wait_us,
                   int step_us, size_t *needed) {
	int n = 0;
	size_t used = 0;
	int64_t end = wait_us > 0 ? tr_now_us() + wait_us : 0;
	*needed = 0;
	while (n < max) {
		struct rist_data_block *b = NULL;
		if (tr_fetch(l, &b) < 0) return n > 0 ? n : -1;
		if (b == NULL) {
			if (n > 0 || end == 0) break;
			int64_t left = end - tr_now_us();
			if (left <= 0) break;
			struct timespec t = { 0, (left < step_us ? left : step_us) * 1000 };
			nanosleep(&t, NULL);
			continue;
		}
		if (b->payload_len > size - used || (n > 0 && (uintptr_t)b->peer != arrivals[n - 1].peer)) { // one sender's a reading
			tr_hold(l, b);
			if (n == 0) *needed = b->payload_len;
			break;
		}
		if (b->flags & RIST_DATA_FLAGS_OVERFLOW) l->overflows++;
		memcpy(buf + used, b->payload, b->payload_len);
		spans[n].off = used;
		spans[n].len = b->payload_len;
		arrivals[n].ts = b->ts_ntp;
		arrivals[n].peer = (uintptr_t)b->peer;
		arrivals[n].flow = b->flow_id;
		arrivals[n].seq = b->seq;
		arrivals[n].start = (b->flags & RIST_DATA_FLAGS_FLOW_BUFFER_START) != 0;
		used += b->payload_len;
		n++;
		tr.block_free(&b);
	}
	return n;
}

// tr_heard returns for how long the receiver has not been heard, less than 0 for never.
static int64_t tr_heard(tr_link *l, int64_t *rtt_us) {
	pthread_mutex_lock(&l->lock);
	int64_t heard = l->heard_us;
	*rtt_us = l->rtt_us;
	pthread_mutex_unlock(&l->lock);
	return heard == 0 ? -1 : tr_now_us() - heard;
}

static uint16_t tr_next(tr_link *l) { return l->seq; }

static int tr_met(tr_link *l) { return __atomic_load_n(&l->met, __ATOMIC_ACQUIRE); }

static void tr_stats(tr_link *l, tr_link *out) {
	pthread_mutex_lock(&l->lock);
	uint64_t copies = __atomic_load_n(&l->copies, __ATOMIC_RELAXED);
	out->sent = l->sent > copies ? l->sent - copies : 0;
	out->retransmitted = l->retransmitted;
	out->received = l->received;
	out->missing = l->missing;
	out->recovered = l->recovered;
	out->lost = l->lost;
	out->bandwidth = l->bandwidth;
	out->rtt_us = l->rtt_us;
	out->overflows = l->overflows;
	pthread_mutex_unlock(&l->lock);
}
*/
import "C"

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/tstrans/tstrans/core/internal/later"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// load opens librist, once.
var load = sync.OnceValue(func() error {
	if why := C.tr_load(); why != nil {
		return tsterr.New(tsterr.RISTFFI, "librist: %s", C.GoString(why))
	}
	return nil
})

// LibraryVersion returns the version of librist.
func LibraryVersion() (string, error) {
	if err := load(); err != nil {
		return "", err
	}
	return C.GoString(C.tr_version()), nil
}

type (
	lib        = C.tr_link
	libArrival = C.tr_arrival
)

// openLibrary makes a link of librist, and copies the sockets of a sender that watches.
func openLibrary(c Config) (l *lib, sockets []int, err error) {
	if err = load(); err != nil {
		return nil, nil, err
	}
	if err = c.validate(); err != nil {
		return nil, nil, err
	}
	if c.Listen {
		if err = claimable(c); err != nil {
			return nil, nil, err
		}
	}
	buffer := c.Buffer
	if buffer == 0 {
		buffer = DefaultBuffer
	}
	// librist's reorder wait and least round trip suit its buffer of a second: with
	// shorter ones a lost packet would be asked for too late and too seldom.
	ms := buffer.Milliseconds()
	reorder := min(25, max(1, ms/20))
	rttMin := min(50, max(3, ms/30))
	// It asks again after a round trip and a tenth as it measures it, which is too long where a machine is busy. A
	// buffer of six true round trips is to hold five askings: at 5 % loss each way one message in a million is left.
	rttMax := int64(0)
	if c.Listen {
		rttMax = max(rttMin, ms/7)
	}
	bandwidth := c.Bandwidth
	if bandwidth == 0 {
		bandwidth = defaultBandwidth
	}
	address := C.CString(c.url())
	secret, cname := C.CString(c.Secret), C.CString(c.Cname)
	defer func() {
		C.free(unsafe.Pointer(address))
		C.free(unsafe.Pointer(secret))
		C.free(unsafe.Pointer(cname))
	}()
	flag := func(b bool) C.int {
		if b {
			return 1
		}
		return 0
	}
	report := statsReport
	if c.managed {
		report = heardReport
	}
	var before map[int]bool
	if c.managed && !c.Listen {
		opening.Lock()
		defer opening.Unlock()
		before = udpSockets()
	}
	var step C.int
	l = C.tr_open(flag(c.Listen), C.int(c.Profile), address, C.uint32_t(ms), C.uint32_t(bandwidth), C.uint32_t(reorder),
		C.uint32_t(rttMin), C.uint32_t(rttMax), C.int(c.KeySize), secret, cname, C.uint32_t(c.SessionTimeout.Milliseconds()),
		flag(c.Compression), fifoSize, C.uint32_t(flowID()), C.uint16_t(rand.N(1<<16)), C.int(report.Milliseconds()), &step) //nolint:gosec // RFC 3550 5.1: no secret
	if c.managed && !c.Listen {
		added := addedSockets(before)
		defer func() {
			if err != nil {
				closeAll(added)
			}
		}()
		sockets = added
	}
	if l == nil {
		if step == 1 {
			return nil, nil, tsterr.New(tsterr.RISTContextCreateFailed, "librist makes no context")
		}
		return nil, nil, tsterr.New(tsterr.RISTPeerCreateFailed, "librist makes no peer for %s", c.url())
	}
	if c.Listen && c.Profile != Simple {
		if err = filter(c); err != nil {
			closeLibrary(l)
			return nil, nil, err
		}
	}
	if C.tr_start(l) != 0 {
		closeLibrary(l)
		return nil, nil, tsterr.New(tsterr.RISTContextCreateFailed, "librist does not start")
	}
	return l, sockets, nil
}

// flowID names a sender's stream. It must be even (VSF TR-06-1), and those that librist makes up itself
// are equal within a process.
func flowID() uint32 { return rand.Uint32()&^1 | 2 } //nolint:gosec // RFC 3550 5.1: no secret

const (
	defaultBandwidth = 1_000_000 // kbit/s
	fifoSize         = 4096      // messages, a power of two
	readBatch        = 256       // messages a call into the library

	statsReport = 250 * time.Millisecond // how often librist reports its counters
	heardReport = 50 * time.Millisecond  // the same, where they are to tell whether the receiver lives
)

// url is the address as librist reads it.
func (c Config) url() string {
	at := ""
	if c.Listen {
		at = "@"
	}
	host := c.Addr.Addr().String()
	if c.Addr.Addr().Is6() {
		host = "[" + netip.AddrPortFrom(c.Addr.Addr(), 0).Addr().String() + "]"
	}
	return "rist://" + at + host + ":" + strconv.Itoa(int(c.Addr.Port()))
}

// readSome reads messages in the order they were sent in, each once.
func readSome(l *lib, o *order, came []libArrival, arena []byte, spans []transport.Span, wait time.Duration) (n, needed int, ok bool) {
	var need C.size_t
	k := C.tr_read(l, (*C.char)(unsafe.Pointer(&arena[0])), C.size_t(len(arena)), (*C.tr_span)(unsafe.Pointer(&spans[0])),
		&came[0], C.int(min(len(spans), len(came))), C.int64_t(wait.Microseconds()), C.int(readStep.Microseconds()), &need)
	for i := range max(0, int(k)) {
		a := &came[i]
		if o.take(arrival{uint64(a.ts), uintptr(a.peer), uint32(a.flow), uint16(a.seq), a.start != 0}) {
			spans[n] = spans[i]
			n++
		}
	}
	return n, int(need), k >= 0
}

// shareSends has C send once Enable says so; shareWaits has it wait for messages.
func shareSends(s *transport.Shared, l *lib) {
	s.Send, s.Arg = uintptr(C.tr_put_function()), uintptr(unsafe.Pointer(l))
}

func shareWaits(s *transport.Shared, l *lib) {
	s.Ready, s.Arg = uintptr(C.tr_ready_function()), uintptr(unsafe.Pointer(l))
	s.Step = uint32(readStep.Microseconds()) //nolint:gosec // a constant
}

func writeOne(l *lib, m []byte) bool {
	return C.tr_write(l, unsafe.Pointer(&m[0]), C.size_t(len(m))) >= 0
}

// heard returns for how long a sender has not heard its receiver, Forever where it never
// has, and the round trip.
func heard(l *lib) (silence, rtt time.Duration) {
	var us C.int64_t
	silent := C.tr_heard(l, &us)
	rtt = time.Duration(us) * time.Microsecond
	if silent < 0 {
		return transport.Forever, rtt
	}
	return time.Duration(silent) * time.Microsecond, rtt
}

// nextNumber is the sequence number of the next message in the simple profile.
func nextNumber(l *lib) uint16 { return uint16(C.tr_next(l)) }

// met reports whether a sender has met a receiver.
func met(l *lib) bool { return C.tr_met(l) != 0 }

func statsOf(l *lib) (Stats, uint64) {
	var s C.tr_link
	C.tr_stats(l, &s) //nolint:gocritic // what it finds is the code that cgo makes of the line
	return Stats{
		Sent: uint64(s.sent), Retransmitted: uint64(s.retransmitted), Received: uint64(s.received),
		Missing: uint64(s.missing), Recovered: uint64(s.recovered), Lost: uint64(s.lost),
		BandwidthBps: uint64(s.bandwidth), RTTMicros: uint64(s.rtt_us),
	}, uint64(s.overflows)
}

func closeLibrary(l *lib) {
	C.tr_close(l)
	giveBack.Occasion()
}

// giveBack has the C library return what closed links used: it would keep it, spread over
// the arenas of librist's threads.
var giveBack = later.Later{Wait: 5 * time.Second, Until: 5 * time.Second, Do: func() { C.malloc_trim(0) }}
