/* Bursts: a send costs the system as much as the bytes of ten, so that messages that follow each other closely are
 * held back, for a millisecond at most, and leave together. */
#define _GNU_SOURCE
#include "link_memory.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Above so many sends within the time a link is in a burst. It is over when the pusher saw none for a while. */
#define PROBE_SENDS (8)
#define PROBE_NS (200 * 1000)
#define TICK_NS (1000 * 1000)
#define QUIET_TICKS (8)
/* A burst of datagrams leaves at so many of them, one of pieces of a stream at so many bytes. */
#define BURST_SEGMENTS (32)
#define STREAM_SHORT (8 << 10) /* longer pieces fill segments by themselves */

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
int tsti_burst_drain(shared *s, limit *l) {
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
			tsti_burst_drain(s, &at_once);
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

/* datagram sends one, or adds it to the burst; the lock is held. 1: done, 0: nothing was sent, -1: nor is
 * there room. */
int tsti_burst_datagram(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l) {
	uint32_t head = s->kind & RTP ? 12 : 0, size = head + n;
	uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed);
	int going = hot(s, id) && size > 0 && size <= BURST_BYTES;
	if (used > 0 && (!going || size > s->segment || used % s->segment != 0 || used + size > BURST_BYTES)) {
		if (!tsti_burst_drain(s, l)) return -1;
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
			tsti_burst_drain(s, &at_once);
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
int tsti_burst_stream(shared *s, uint64_t id, const uint8_t *data, uint32_t n, limit *l) {
	uint8_t *page = (uint8_t *)s + BURST_PAGE;
	uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed);
	int going = hot(s, id) && n < STREAM_SHORT;
	if (used > 0 && (!going || used + n > BURST_BYTES)) {
		if (!tsti_burst_drain(s, l)) return -1;
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
					done = tsti_burst_drain(s, &slice);
				}
			}
			return 1;
		}
		if (errno == EAGAIN && !await(s, POLLOUT, l)) return -1;
		if (errno != EAGAIN && errno != EINTR) return 0;
	}
}

/* some sends what it can of a piece within the limit; the lock is held. The bytes taken. */
size_t tsti_burst_some(shared *s, const uint8_t *data, size_t n, limit *l) {
	size_t done = 0;
	if (!tsti_burst_drain(s, l)) return 0;
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
void tsti_burst_hand_over(shared *s) {
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

/* How long the end of the process waits for room, in ms, for all links together. */
#define EXIT_MS (2000)

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
