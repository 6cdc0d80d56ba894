/* Plain sends and waits of links on the caller's own thread. Entering Go costs the caller of a single send several
 * times the system call it is for, and a thread parked inside a call from Go has the runtime wake others to take its
 * place. Here is no protocol: a datagram or a piece of a stream goes to send(2), behind an RTP header at most whose
 * fixed part core/rtp made. Whatever is not plain - an error, a full socket, a message that is too long - is left to
 * the functions of Go, which do it again and tell what is wrong. */
#define _GNU_SOURCE
#include "link_shared.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"

/* The kinds of core/transport/shared.go. */
enum { DATAGRAM = 1, RTP = 2, STREAM = 4, CALL = 8, POLL = 16, READY = 32 };

typedef int send_function(void *arg, const void *data, uint32_t n);
typedef int ready_function(void *arg);

typedef struct {
	_Atomic uint32_t open;
	_Atomic uint32_t send_lock;
	_Atomic uint32_t kind;
	int32_t fd;
	int32_t wake;
	uint32_t max;
	_Atomic uint32_t held;
	_Atomic uint32_t whole;
	_Atomic uint32_t error;
	_Atomic uint32_t fed;
	_Atomic uint64_t visit;
	_Atomic uint64_t messages_sent, bytes_sent, messages_received, bytes_received, send_calls, recv_calls;
	send_function *send;
	ready_function *ready;
	void *arg;
	uint32_t step_us;
	_Atomic uint32_t seq;
	uint32_t base;
	uint32_t rate;
	uint64_t epoch;
	_Atomic uint64_t octets;
	uint8_t head[12];
	uint32_t pad1;
	/* What follows is ours, guarded by send_lock but for what is atomic. */
	_Atomic uint64_t probed;
	_Atomic uint32_t probe;     /* sends since then */
	_Atomic uint32_t hot;       /* a burst is going on: the pusher looks after it */
	_Atomic uint32_t ticked;    /* sends since the pusher looked */
	_Atomic uint32_t used;      /* bytes held back */
	uint32_t segment, segments; /* their datagrams are of this size, but for the last */
	uint32_t single;            /* the system does not cut datagrams itself */
} shared;

_Static_assert(offsetof(shared, visit) == 40 && offsetof(shared, messages_sent) == 48 && offsetof(shared, send) == 96 &&
                   offsetof(shared, step_us) == 120 && offsetof(shared, epoch) == 136 && offsetof(shared, head) == 152 &&
                   offsetof(shared, probed) == 168 && sizeof(shared) <= 232,
               "the layout is pinned");

/* Above so many sends within the time a link is in a burst. It is over when the pusher saw none for a while. */
#define PROBE_SENDS (8)
#define PROBE_NS (200 * 1000)
#define TICK_NS (1000 * 1000)
#define QUIET_TICKS (8)
/* A burst of datagrams leaves at so many of them, one of pieces of a stream at so many bytes. */
#define BURST_SEGMENTS (32)
#define BURST_BYTES (60000)
#define BURST_PAGE (4096)
#define STREAM_SHORT (8 << 10) /* longer pieces fill segments by themselves */

#define SLOTS (1u << 16) /* links beyond enter Go for everything */

typedef struct {
	_Atomic uint64_t id;
	_Atomic(shared *) memory;
	_Atomic uint32_t users;
} place;

static place places[SLOTS];

static place *place_of(uint64_t id) {
	uint32_t slot = (uint32_t)id - 1;
	return slot < SLOTS ? &places[slot] : NULL;
}

/* enter gives a link's memory, which stays until leave. */
static shared *enter(place *p, uint64_t id) {
	if (p == NULL) return NULL;
	atomic_fetch_add(&p->users, 1);
	if (atomic_load(&p->id) == id) return atomic_load(&p->memory);
	atomic_fetch_sub(&p->users, 1);
	return NULL;
}

static void leave(place *p) { atomic_fetch_sub(&p->users, 1); }

static uint64_t now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rest_ns(long ns) {
	struct timespec t = { 0, ns };
	nanosleep(&t, NULL);
}

static int lock(shared *s, int ms) {
	uint32_t none = 0;
	uint64_t end = 0;
	for (int tries = 0; !atomic_compare_exchange_weak(&s->send_lock, &none, 1); tries++) {
		none = 0;
		if (tries < 64) {
			sched_yield();
			continue;
		}
		uint64_t now = now_ns();
		if (end == 0) end = now + (uint64_t)(ms < 0 ? 100 : ms) * 1000000u;
		if (now >= end || atomic_load(&s->open) == 0) return 0;
		rest_ns(50 * 1000);
	}
	return 1;
}

static void unlock(shared *s) { atomic_store(&s->send_lock, 0); }

/* limit is how long a call may wait: ms from the first wait on. The clock is not asked before. */
typedef struct {
	int32_t ms;
	uint64_t end;
} limit;

/* A call without a limit returns to its caller now and then, as one with a longer one may. */
#define SLICE_MS (100)

static limit within(int32_t ms) { return (limit){ ms < 0 ? SLICE_MS : ms, 0 }; }

/* await waits for events on the link's descriptor; 0 when the time is over or the link was woken. */
static int await(shared *s, short events, limit *l) {
	for (;;) {
		int ms = 0;
		if (l->ms > 0) {
			uint64_t now = now_ns();
			if (l->end == 0) l->end = now + (uint64_t)l->ms * 1000000u;
			ms = now >= l->end ? 0 : (int)((l->end - now + 999999) / 1000000);
		}
		struct pollfd fds[2] = { { s->fd, events, 0 }, { s->wake, POLLIN, 0 } };
		int n = poll(fds, s->wake < 0 ? 1 : 2, ms);
		if (n < 0 && errno == EINTR) continue;
		return n > 0 && fds[1].revents == 0;
	}
}

/* cut sends what is held back as one datagram that the system cuts into those it was made of. */
static ssize_t cut(shared *s, const uint8_t *at, uint32_t n) {
	struct iovec v = { (void *)at, n };
	union {
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control;
	struct msghdr m;
	memset(&m, 0, sizeof m);
	memset(&control, 0, sizeof control);
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	m.msg_control = control.bytes;
	m.msg_controllen = sizeof control.bytes;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
	uint16_t size = (uint16_t)s->segment;
	memcpy(CMSG_DATA(c), &size, sizeof size);
	return sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* drain sends what is held back; the lock is held. 0: there was no room within the limit. */
static int drain(shared *s, limit *l) {
	uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed), done = 0;
	const uint8_t *bytes = (const uint8_t *)s + BURST_PAGE;
	int again = 0, stream = (atomic_load_explicit(&s->kind, memory_order_relaxed) & STREAM) != 0;
	while (done < used) {
		uint32_t left = used - done;
		int whole = !stream && !s->single && s->segments > 1 && done == 0;
		uint32_t n = whole || stream || left < s->segment ? left : s->segment;
		ssize_t k = whole ? cut(s, bytes, n) : send(s->fd, bytes + done, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k >= 0) {
			done += stream ? (uint32_t)k : n;
			again = 0;
			continue;
		}
		switch (errno) {
		case EINTR:
			continue;
		case EAGAIN:
			if (await(s, POLLOUT, l)) continue;
			if (done > 0) memmove((uint8_t *)s + BURST_PAGE, bytes + done, left);
			if (!stream) s->segments -= done / s->segment;
			atomic_store(&s->used, left);
			return 0;
		case ECONNREFUSED: /* of an earlier datagram, which found no listener */
			if (!again++) continue;
			done += n;
			continue;
		case EINVAL:
		case EIO:
		case EMSGSIZE:
			if (whole) { /* an interface that cannot: each by itself */
				s->single = 1;
				continue;
			}
		}
		atomic_store(&s->error, (uint32_t)errno);
		done += n; /* of a stream: all, as nothing follows a gap */
	}
	s->segments = 0;
	atomic_store(&s->used, 0);
	return 1;
}

static int detached(void *(*run)(void *), void *arg) {
	pthread_attr_t a;
	pthread_t t;
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&a, 64 << 10);
	int ok = pthread_create(&t, &a, run, arg) == 0;
	pthread_attr_destroy(&a);
	return ok;
}

/* The pusher is a thread that exists while there are bursts. */
typedef struct {
	uint64_t id;
	int quiet;
} burst;

static struct {
	pthread_mutex_t lock;
	pid_t process; /* a forked copy has neither the thread nor what it was to send */
	int running;
	int n, room;
	burst *links;
} pusher = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* push sends what one link's burst holds back; 0 when the burst is over. */
static int push(uint64_t id, int *quiet) {
	place *p = place_of(id);
	shared *s = enter(p, id);
	if (s == NULL) return 0;
	*quiet = atomic_exchange(&s->ticked, 0) == 0 ? *quiet + 1 : 0;
	int over = *quiet >= QUIET_TICKS;
	uint32_t none = 0;
	if (over || atomic_load(&s->used) > 0) {
		if (!atomic_compare_exchange_strong(&s->send_lock, &none, 1)) {
			over = 0; /* somebody sends */
		} else {
			limit at_once = within(0);
			drain(s, &at_once);
			over = over && atomic_load(&s->used) == 0;
			if (over) atomic_store(&s->hot, 0);
			unlock(s);
		}
	}
	leave(p);
	return !over;
}

static void *pushing(void *arg) {
	(void)arg;
	for (;;) {
		rest_ns(TICK_NS);
		pthread_mutex_lock(&pusher.lock);
		for (int i = 0; i < pusher.n;) {
			if (push(pusher.links[i].id, &pusher.links[i].quiet)) {
				i++;
			} else {
				pusher.links[i] = pusher.links[--pusher.n];
			}
		}
		if (pusher.n == 0) {
			pusher.running = 0;
			pthread_mutex_unlock(&pusher.lock);
			return NULL;
		}
		pthread_mutex_unlock(&pusher.lock);
	}
}

/* begin has the pusher look after a burst. */
static int begin(uint64_t id) {
	int ok = 0;
	pthread_mutex_lock(&pusher.lock);
	if (pusher.n == pusher.room) {
		burst *more = realloc(pusher.links, (size_t)(pusher.room + 64) * sizeof *more);
		if (more != NULL) {
			pusher.links = more;
			pusher.room += 64;
		}
	}
	if (pusher.n < pusher.room) {
		if (!pusher.running) pusher.running = detached(pushing, NULL);
		if (pusher.running) {
			pusher.process = getpid();
			pusher.links[pusher.n].id = id;
			pusher.links[pusher.n++].quiet = 0;
			ok = 1;
		}
	}
	pthread_mutex_unlock(&pusher.lock);
	return ok;
}

/* hot tells whether a link is in a burst; the lock is held. */
static int hot(shared *s, uint64_t id) {
	if (atomic_load(&s->hot)) {
		atomic_store_explicit(&s->ticked, 1, memory_order_relaxed);
		return 1;
	}
	if (atomic_fetch_add_explicit(&s->probe, 1, memory_order_relaxed) + 1 < PROBE_SENDS) return 0;
	atomic_store_explicit(&s->probe, 0, memory_order_relaxed);
	uint64_t now = now_ns(), since = now - atomic_exchange_explicit(&s->probed, now, memory_order_relaxed);
	if (since > PROBE_NS) return 0;
	atomic_store(&s->ticked, 1);
	atomic_store(&s->hot, 1);
	if (begin(id)) return 1;
	atomic_store(&s->hot, 0);
	return 0;
}

static void be32(uint8_t *p, uint32_t v) {
	v = htonl(v);
	memcpy(p, &v, 4);
}

/* stamp writes the RTP header of the next packet. */
static void stamp(shared *s, uint8_t *h, uint32_t payload) {
	uint64_t ns = now_ns() - s->epoch;
	uint64_t ticks = ns / 1000000000u * s->rate + ns % 1000000000u * s->rate / 1000000000u;
	memcpy(h, s->head, 12);
	uint16_t seq = htons((uint16_t)atomic_fetch_add(&s->seq, 1));
	memcpy(h + 2, &seq, 2);
	be32(h + 4, s->base + (uint32_t)ticks);
	atomic_fetch_add_explicit(&s->octets, payload, memory_order_relaxed);
}

/* add counts what the one holder of a lock writes. */
static void add(_Atomic uint64_t *to, uint64_t n) {
	atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

/* count is called with the lock held. */
static void count(shared *s, uint64_t messages, uint64_t bytes) {
	add(&s->send_calls, 1);
	add(&s->messages_sent, messages);
	add(&s->bytes_sent, bytes);
}

/* datagram sends one, or adds it to the burst; the lock is held. 1: done, 0: nothing was sent, -1: nor is
 * there room. */
static int datagram(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l) {
	uint32_t head = s->kind & RTP ? 12 : 0, size = head + n;
	uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed);
	int going = hot(s, id) && size > 0 && size <= BURST_BYTES;
	if (used > 0 && (!going || size > s->segment || used % s->segment != 0 || used + size > BURST_BYTES)) {
		if (!drain(s, l)) return -1;
		used = 0;
	}
	if (going) {
		uint8_t *at = (uint8_t *)s + BURST_PAGE + used;
		if (used == 0) {
			s->segment = size;
			s->segments = 0;
		}
		if (head) stamp(s, at, n);
		memcpy(at + head, data, n);
		s->segments++;
		atomic_store(&s->used, used + size);
		if (s->segments >= BURST_SEGMENTS) {
			limit at_once = within(0);
			drain(s, &at_once);
		}
		return 1;
	}
	uint8_t h[12];
	struct iovec v[2] = { { h, head }, { (void *)data, n } };
	struct msghdr m;
	if (head) {
		stamp(s, h, n);
		memset(&m, 0, sizeof m);
		m.msg_iov = v;
		m.msg_iovlen = 2;
	}
	for (int again = 0;; again++) {
		ssize_t k = head ? sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) : send(s->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k >= 0) return 1;
		if (errno == EINTR) continue;
		if (errno == ECONNREFUSED && !again) continue; /* the report of an earlier datagram */
		if (head) { /* Go numbers it anew */
			atomic_fetch_sub(&s->seq, 1);
			atomic_fetch_sub(&s->octets, n);
		}
		return 0;
	}
}

/* stream takes a piece whole, or not at all; the lock is held. Results are those of datagram. */
static int stream(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l) {
	uint8_t *page = (uint8_t *)s + BURST_PAGE;
	uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed);
	int going = hot(s, id) && n < STREAM_SHORT;
	if (used > 0 && (!going || used + n > BURST_BYTES)) {
		if (!drain(s, l)) return -1;
		if (atomic_load(&s->error)) return 0;
		used = 0;
	}
	if (going) {
		memcpy(page + used, data, n);
		atomic_store(&s->used, used + n);
		return 1;
	}
	for (;;) {
		ssize_t k = send(s->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k == (ssize_t)n) return 1;
		if (k > 0) { /* the rest leaves when there is room */
			memcpy(page, data + k, n - (size_t)k);
			atomic_store(&s->used, n - (uint32_t)k);
			if (!atomic_exchange(&s->hot, 1) && !begin(id)) {
				atomic_store(&s->hot, 0);
				for (int done = 0; !done && atomic_load(&s->open);) { /* nobody else would send it */
					limit slice = within(SLICE_MS);
					done = drain(s, &slice);
				}
			}
			return 1;
		}
		if (errno == EAGAIN && !await(s, POLLOUT, l)) return -1;
		if (errno != EAGAIN && errno != EINTR) return 0;
	}
}

/* some sends what it can of a piece within the limit; the lock is held. The bytes taken. */
static size_t some(shared *s, const uint8_t *data, size_t n, limit *l) {
	size_t done = 0;
	if (!drain(s, l)) return 0;
	while (done < n) {
		ssize_t k = send(s->fd, data + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k >= 0) {
			done += (size_t)k;
		} else if (errno == EAGAIN) {
			if (!await(s, POLLOUT, l)) break;
		} else if (errno != EINTR) {
			break;
		}
	}
	return done;
}

/* A function that sends may wait for so long. */
#define CALL_MS (40)

/* put sends a message: 1 done, 0 left to Go, -1 no room within the time. */
static int put(uint64_t id, const uint8_t *data, size_t n, int32_t ms, uint32_t kinds) {
	place *p = place_of(id);
	shared *s = enter(p, id);
	if (s == NULL) return 0;
	int done = 0;
	uint32_t kind = atomic_load_explicit(&s->kind, memory_order_relaxed), call = kind & CALL;
	if ((kind & kinds) && atomic_load(&s->open) && n <= s->max && (data != NULL || n == 0) &&
	    !(call && ms >= 0 && ms < CALL_MS) && (n > 0 || !(kind & (CALL | STREAM))) && (n <= BURST_BYTES || !(kind & STREAM)) && atomic_load(&s->error) == 0) {
		uint64_t visit = atomic_load(&s->visit);
		if ((visit == 0 || now_ns() < visit) && lock(s, ms)) {
			limit l = within(ms);
			done = call              ? s->send(s->arg, data, (uint32_t)n)
			       : kind & STREAM ? stream(s, id, data, (uint32_t)n, &l)
			                       : datagram(s, id, data, (uint32_t)n, &l);
			if (done == 1) count(s, 1, n + (kind & RTP ? 12 : 0));
			unlock(s);
			if (done < 0 && atomic_load(&s->open) == 0) done = 0;
		}
	}
	leave(p);
	return done;
}

tst_status tst_link_send(tst_link id, tst_cu8 *data, size_t n, int32_t ms) {
	int done = put(id, data, n, ms, DATAGRAM | RTP | STREAM | CALL);
	if (done > 0) return TST_OK;
	if (done < 0 || !tsti_shared_drain(id, ms)) return TST_E_TIMEOUT;
	return tsti_link_send(id, data, n, ms);
}

#define PACKET (188)
#define BUNDLE (7 * PACKET)

/* bundles tells whether data are whole messages of packets. */
static int bundles(const uint8_t *data, size_t n) {
	if (data == NULL || n == 0 || n % BUNDLE != 0) return 0;
	for (size_t at = 0; at < n; at += PACKET)
		if (data[at] != 0x47) return 0;
	return 1;
}

/* whole tells whether a link has no message begun that data would have to complete. */
static int whole(uint64_t id) {
	place *p = place_of(id);
	shared *s = enter(p, id);
	if (s == NULL) return 0;
	int yes = atomic_load(&s->kind) & CALL && atomic_load(&s->whole);
	leave(p);
	return yes;
}

tst_status tst_link_write_ts(size_t *taken, tst_link id, tst_cu8 *data, size_t n, int32_t ms) {
	size_t done = 0;
	if (taken != NULL && whole(id) && bundles(data, n)) {
		while (done < n && put(id, data + done, BUNDLE, ms, CALL) > 0) done += BUNDLE;
		if ((*taken = done) == n) return TST_OK;
	}
	tst_status st = tsti_link_write_ts(taken, id, data == NULL ? NULL : data + done, n - done, ms);
	if (taken != NULL) *taken += done;
	return st;
}

tst_status tst_tcp_send(size_t *taken, tst_link id, tst_cu8 *data, size_t n, int32_t ms) {
	size_t done = 0;
	place *p = place_of(id);
	shared *s = taken == NULL || data == NULL || n == 0 ? NULL : enter(p, id);
	if (s != NULL) {
		if ((atomic_load(&s->kind) & STREAM) && atomic_load(&s->open) && n <= s->max && lock(s, ms)) {
			limit l = within(ms);
			done = some(s, data, n, &l);
			if (done > 0) count(s, done == n, done);
			unlock(s);
			if (l.end != 0) ms = 0; /* waited for already */
		}
		leave(p);
		if ((*taken = done) == n) return TST_OK;
		if (!tsti_shared_drain(id, 0)) return TST_E_TIMEOUT;
	}
	tst_status st = tsti_tcp_send(taken, id, data == NULL ? NULL : data + done, n - done, ms);
	if (taken != NULL) *taken += done;
	return st;
}

/* rested waits, outside Go, until a read has something to do or the time is over. 1: it waited, and a read need
 * not. */
static int rested(uint64_t id, int32_t ms) {
	place *p = place_of(id);
	shared *s = ms == 0 ? NULL : enter(p, id);
	if (s == NULL) return 0;
	uint32_t kind = atomic_load(&s->kind);
	int waits = (kind & (POLL | READY)) != 0 && atomic_load(&s->open);
	if (waits && !atomic_load(&s->held) && !atomic_load(&s->fed)) {
		limit l = within(ms);
		if (kind & POLL) {
			await(s, POLLIN, &l);
		} else {
			uint64_t end = now_ns() + (uint64_t)l.ms * 1000000u;
			while (!s->ready(s->arg) && atomic_load(&s->open)) {
				uint64_t now = now_ns();
				if (now >= end) break;
				uint64_t left = end - now, step = (uint64_t)s->step_us * 1000;
				rest_ns((long)(left < step ? left : step));
				if (atomic_load(&p->id) != id) break; /* it is being closed */
			}
		}
	}
	leave(p);
	return waits;
}

/* A read that waited outside Go looks once; where that finds nothing, a wait as long as the first is over. */
#define READ(id, ms, read, read_again)                          \
	do {                                                        \
		uint64_t begun = ms > 0 ? now_ns() : 0;                 \
		if (!rested(id, ms)) return read_again(ms);             \
		tst_status st = read(0);                                \
		if (st != TST_E_TIMEOUT) return st;                     \
		if (ms < 0) return read_again(ms);                      \
		uint64_t spent = (now_ns() - begun) / 1000000u;         \
		if (spent >= (uint64_t)ms) return st;                   \
		return read_again((int32_t)((uint64_t)ms - spent));     \
	} while (0)

tst_status tst_link_read(tst_span *spans, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap, tst_link id, int32_t ms) {
#define READ_LINK(t) tsti_link_read(spans, cap, n, arena, arena_cap, id, t)
	READ(id, ms, READ_LINK, READ_LINK);
}

tst_status tst_link_read_ts(size_t *n, uint8_t *arena, size_t arena_cap, tst_link id, int32_t ms) {
#define READ_TS(t) tsti_link_read_ts(n, arena, arena_cap, id, t)
	READ(id, ms, READ_TS, READ_TS);
}

tst_status tst_link_demux(uint64_t *pending, tst_link id, tst_demuxer demuxer, int32_t ms) {
#define READ_DEMUX(t) tsti_link_demux(pending, id, demuxer, t)
	READ(id, ms, READ_DEMUX, READ_DEMUX);
}

tst_status tst_tcp_receive(size_t *got, uint8_t *out, size_t cap, tst_link id, int32_t ms) {
	place *p = place_of(id);
	shared *s = got == NULL || out == NULL || cap == 0 ? NULL : enter(p, id);
	if (s != NULL) {
		ssize_t k = 0;
		if ((atomic_load(&s->kind) & (STREAM | POLL)) == (STREAM | POLL) && atomic_load(&s->open)) {
			limit l = within(ms);
			/* Questions and answers are no burst: what is waited for may answer what is held back. */
			atomic_store_explicit(&s->probe, 0, memory_order_relaxed);
			atomic_store_explicit(&s->probed, 0, memory_order_relaxed);
			if (atomic_load(&s->used) > 0) tsti_shared_drain(id, 0);
			k = recv(s->fd, out, cap, MSG_DONTWAIT);
			if (k < 0 && errno == EAGAIN && ms != 0 && await(s, POLLIN, &l) && atomic_load(&s->open))
				k = recv(s->fd, out, cap, MSG_DONTWAIT);
			if (k > 0) {
				atomic_fetch_add_explicit(&s->recv_calls, 1, memory_order_relaxed);
				atomic_fetch_add_explicit(&s->messages_received, 1, memory_order_relaxed);
				atomic_fetch_add_explicit(&s->bytes_received, (uint64_t)k, memory_order_relaxed);
			} else if (k < 0 && errno == EAGAIN) {
				ms = 0; /* waited for already */
			}
		}
		leave(p);
		if (k > 0) {
			*got = (size_t)k;
			return TST_OK;
		}
	}
	return tsti_tcp_receive(got, out, cap, id, ms);
}

void tsti_shared_add(uint64_t id, void *memory) {
	place *p = place_of(id);
	if (p == NULL) return;
	atomic_store(&p->memory, (shared *)memory);
	atomic_store(&p->id, id);
}

int tsti_shared_drain(uint64_t id, int ms) {
	place *p = place_of(id);
	shared *s = enter(p, id);
	if (s == NULL) return 1;
	int done = 1;
	if (atomic_load(&s->used) > 0 && lock(s, ms)) {
		limit l = within(ms);
		drain(s, &l);
		unlock(s);
	}
	done = atomic_load(&s->used) == 0 || !atomic_load(&s->open);
	leave(p);
	return done;
}

/* rest is the end of a stream that a peer has not taken yet when the link is closed. As the system does with what
 * it was given, a thread goes on sending it. */
typedef struct {
	int fd;
	uint32_t n;
	uint8_t bytes[];
} rest;

#define REST_MS (60 * 1000) /* without progress */

static void *send_rest(void *arg) {
	rest *r = arg;
	for (uint32_t done = 0; done < r->n;) {
		ssize_t k = send(r->fd, r->bytes + done, r->n - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k >= 0) {
			done += (uint32_t)k;
		} else if (errno == EAGAIN) {
			struct pollfd f = { r->fd, POLLOUT, 0 };
			if (poll(&f, 1, REST_MS) == 0) break;
		} else if (errno != EINTR) {
			break;
		}
	}
	close(r->fd);
	free(r);
	return NULL;
}

/* hand_over gives what a closed stream still holds back to a thread. */
static void hand_over(shared *s) {
	uint32_t n = atomic_load(&s->used);
	rest *r = malloc(sizeof *r + n);
	if (r == NULL) return;
	r->n = n;
	memcpy(r->bytes, (uint8_t *)s + BURST_PAGE, n);
	r->fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (r->fd < 0 || !detached(send_rest, r)) {
		if (r->fd >= 0) close(r->fd);
		free(r);
	}
}

/* How long a close waits for room for what a burst holds back, in ms: longer a close may not take. */
#define LAST_MS (20)
/* The same of the end of the process, for all links together. */
#define EXIT_MS (2000)

void tsti_shared_remove(uint64_t id) {
	place *p = place_of(id);
	if (p == NULL || atomic_load(&p->id) != id) return;
	shared *s = atomic_load(&p->memory);
	atomic_store(&p->id, 0);
	for (int tries = 0; atomic_load(&p->users) != 0; tries++) {
		uint64_t one = 1;
		if (tries == 0 && s->wake >= 0 && write(s->wake, &one, sizeof one) < 0) continue; /* full: awake */
		rest_ns(20 * 1000);
	}
	if (atomic_load(&s->used) > 0) {
		s->wake = -1;
		limit l = within(LAST_MS);
		if (!drain(s, &l) && (atomic_load(&s->kind) & STREAM)) hand_over(s);
	}
	atomic_store(&p->memory, NULL);
}

/* A process that ends without closing its links still sends what their bursts hold back. A forked copy does not:
 * its parent sends them. */
__attribute__((destructor)) static void last(void) {
	if (pusher.process != getpid() || pthread_mutex_lock(&pusher.lock) != 0) return;
	uint64_t end = now_ns() + (uint64_t)EXIT_MS * 1000000u;
	for (int i = 0; i < pusher.n; i++) {
		uint64_t now = now_ns();
		tsti_shared_drain(pusher.links[i].id, now < end ? (int)((end - now) / 1000000u) : 0);
	}
	pthread_mutex_unlock(&pusher.lock);
}
