/* Plain sends and waits of links on the caller's own thread. Entering Go costs the caller of a single send several
 * times the system call it is for, and a thread parked inside a call from Go has the runtime wake others to take its
 * place. Here is no protocol: a datagram or a piece of a stream goes to send(2), behind an RTP header at most whose
 * fixed part core/rtp made. Whatever is not plain - an error, a full socket, a message that is too long - is left to
 * the functions of Go, which do it again and tell what is wrong. */
#define _GNU_SOURCE
#include "link_memory.h"

#include <sys/socket.h>
#include <unistd.h>

#include "_cgo_export.h"

place tsti_places[SLOTS];

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
	    !(call && ms >= 0 && ms < CALL_MS) && (n > 0 || !(kind & (CALL | STREAM))) &&
	    (n <= BURST_BYTES || !(kind & STREAM)) && atomic_load(&s->error) == 0) {
		uint64_t visit = atomic_load(&s->visit);
		if ((visit == 0 || now_ns() < visit) && lock(s, ms)) {
			limit l = within(ms);
			done = call              ? s->send(s->arg, data, (uint32_t)n)
			       : kind & STREAM ? tsti_burst_stream(s, id, data, (uint32_t)n, &l)
			                       : tsti_burst_datagram(s, id, data, (uint32_t)n, &l);
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
			done = tsti_burst_some(s, data, n, &l);
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
	if (waits && !atomic_load(&s->held) && !atomic_load(&s->fed) && !((kind & RECEIVE) && tsti_inlet_left(s))) {
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
#define READ(id, ms, read)                              \
	do {                                                \
		uint64_t begun = ms > 0 ? now_ns() : 0;         \
		if (!rested(id, ms)) return read(ms);           \
		tst_status st = read(0);                        \
		if (st != TST_E_TIMEOUT) return st;             \
		if (ms < 0) return read(ms);                    \
		uint64_t spent = (now_ns() - begun) / 1000000u; \
		if (spent >= (uint64_t)ms) return st;           \
		return read((int32_t)((uint64_t)ms - spent));   \
	} while (0)

tst_status tst_link_read(tst_span *spans, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap, tst_link id, int32_t ms) {
	place *p = place_of(id);
	shared *s = n == NULL || spans == NULL || cap == 0 || arena == NULL ? NULL : enter(p, id);
	if (s != NULL) {
		int done = 0;
		if ((atomic_load(&s->kind) & RECEIVE) && atomic_load(&s->open) && !atomic_load(&s->held) && !atomic_load(&s->fed))
			done = tsti_receive(s, id, spans, cap, n, arena, arena_cap, &ms);
		leave(p);
		if (done > 0) return TST_OK;
		if (done < 0) return TST_E_TIMEOUT;
	}
#define READ_LINK(t) tsti_link_read(spans, cap, n, arena, arena_cap, id, t)
	READ(id, ms, READ_LINK);
}

tst_status tst_link_read_ts(size_t *n, uint8_t *arena, size_t arena_cap, tst_link id, int32_t ms) {
#define READ_TS(t) tsti_link_read_ts(n, arena, arena_cap, id, t)
	READ(id, ms, READ_TS);
}

tst_status tst_link_demux(uint64_t *pending, tst_link id, tst_demuxer demuxer, int32_t ms) {
#define READ_DEMUX(t) tsti_link_demux(pending, id, demuxer, t)
	READ(id, ms, READ_DEMUX);
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
	if (atomic_load(&s->used) > 0 && lock(s, ms)) {
		limit l = within(ms);
		tsti_burst_drain(s, &l);
		unlock(s);
	}
	int done = atomic_load(&s->used) == 0 || !atomic_load(&s->open);
	leave(p);
	return done;
}

/* How long a close waits for room for what a burst holds back, in ms: longer a close may not take. */
#define LAST_MS (20)

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
		if (!tsti_burst_drain(s, &l) && (atomic_load(&s->kind) & STREAM)) tsti_burst_hand_over(s);
	}
	atomic_store(&p->memory, NULL);
}
