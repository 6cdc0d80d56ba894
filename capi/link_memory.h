/* The memory of a link that C works on, as core/transport/shared.go has it, and how a thread gets at it. */
#ifndef TSTRANS_CAPI_LINK_MEMORY_H
#define TSTRANS_CAPI_LINK_MEMORY_H

#include "link_shared.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The kinds of core/transport/shared.go. */
enum { DATAGRAM = 1, RTP = 2, STREAM = 4, CALL = 8, POLL = 16, READY = 32, RECEIVE = 64, RECEIVE_RTP = 128 };

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

/* Where the bytes that a burst holds back are, and how many there may be. */
#define BURST_PAGE (4096)
#define BURST_BYTES (60000)

#define SLOTS (1u << 16) /* links beyond enter Go for everything */

typedef struct {
	_Atomic uint64_t id;
	_Atomic(shared *) memory;
	_Atomic uint32_t users;
} place;

/* places is where links are found by their handles. */
extern place tsti_places[SLOTS];

static inline place *place_of(uint64_t id) {
	uint32_t slot = (uint32_t)id - 1;
	return slot < SLOTS ? &tsti_places[slot] : NULL;
}

/* enter gives a link's memory, which stays until leave. */
static inline shared *enter(place *p, uint64_t id) {
	if (p == NULL) return NULL;
	atomic_fetch_add(&p->users, 1);
	if (atomic_load(&p->id) == id) return atomic_load(&p->memory);
	atomic_fetch_sub(&p->users, 1);
	return NULL;
}

static inline void leave(place *p) { atomic_fetch_sub(&p->users, 1); }

static inline uint64_t now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void rest_ns(long ns) {
	struct timespec t = { 0, ns };
	nanosleep(&t, NULL);
}

/* A call without a limit returns to its caller now and then, as one with a longer one may. */
#define SLICE_MS (100)

/* hold takes one of a link's locks. */
static inline int hold(shared *s, _Atomic uint32_t *lock, int ms) {
	uint32_t none = 0;
	uint64_t end = 0;
	for (int tries = 0; !atomic_compare_exchange_weak(lock, &none, 1); tries++) {
		none = 0;
		if (tries < 64) {
			sched_yield();
			continue;
		}
		uint64_t now = now_ns();
		if (end == 0) end = now + (uint64_t)(ms < 0 ? SLICE_MS : ms) * 1000000u;
		if (now >= end || atomic_load(&s->open) == 0) return 0;
		rest_ns(50 * 1000);
	}
	return 1;
}

static inline int lock(shared *s, int ms) { return hold(s, &s->send_lock, ms); }

static inline void unlock(shared *s) { atomic_store(&s->send_lock, 0); }

/* limit is how long a call may wait: ms from the first wait on. The clock is not asked before. */
typedef struct {
	int32_t ms;
	uint64_t end;
} limit;

static inline limit within(int32_t ms) { return (limit){ ms < 0 ? SLICE_MS : ms, 0 }; }

/* await waits for events on the link's descriptor; 0 when the time is over or the link was woken. */
static inline int await(shared *s, short events, limit *l) {
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

/* receive hands out datagrams to a read; *n of them. 1: done, 0: left to Go, with what is left of the time, -1: nothing
 * came within it. */
int tsti_receive(shared *s, uint64_t id, tst_span *spans, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap,
                 int32_t *ms);

/* left tells whether datagrams that were received wait for Go, or for a caller with more room. */
int tsti_inlet_left(shared *s);

/* drain sends what is held back; the lock is held. 0: there was no room within the limit. */
int tsti_burst_drain(shared *s, limit *l);

/* datagram and stream send a message, or add it to a burst; the lock is held. 1: done, 0: nothing was sent, -1: nor
 * is there room. A piece of a stream is taken whole or not at all. */
int tsti_burst_datagram(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l);
int tsti_burst_stream(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l);

/* some sends what it can of a piece within the limit; the lock is held. The bytes taken. */
size_t tsti_burst_some(shared *s, const uint8_t *data, size_t n, limit *l);

/* hand_over gives what a closed stream still holds back to a thread. */
void tsti_burst_hand_over(shared *s);

#endif
