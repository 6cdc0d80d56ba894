/* Datagrams received on the caller's own thread (core/transport/inlet.go has the other side). Here is no protocol: a
 * datagram is handed out as it is, or without a plain RTP header, whose fields are noted for core/rtp to count. What
 * is not plain, and what finds no room with the caller, stays in its slot for Go. */
#define _GNU_SOURCE
#include "link_memory.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "_cgo_export.h"

#define IN_SLOTS (64)
#define IN_SLOT (2048)
#define IN_SPILL (1 << 16)
#define IN_LOG (2048)

typedef struct {
	uint64_t at;
	uint32_t timestamp, ssrc;
	uint16_t sequence, size;
	uint32_t pad;
} arrival;

struct inlet {
	_Atomic uint32_t lock;
	_Atomic uint32_t next, n;
	uint32_t payload;
	_Atomic uint32_t logged, digested;
	uint32_t near; /* so many bytes of a datagram are in its slot, the rest in its spill */
	uint32_t full; /* ours from here: the last call to the system filled all places */
	uint64_t at;   /* when it was */
	uint32_t stride, made;
	uint32_t sizes[IN_SLOTS];
	arrival log[IN_LOG];
	/* Datagrams are received into the caller's arena, at a distance of the size that they have lately. */
	uint8_t *arena;
	struct mmsghdr headers[IN_SLOTS];
	struct iovec parts[IN_SLOTS][3];
	uint8_t heads[IN_SLOTS][16];
};

#define IN_AT (BURST_PAGE + (64 << 10))
#define SLOTS_AT (IN_AT + (64 << 10))
#define SPILLS_AT (SLOTS_AT + IN_SLOTS * IN_SLOT)

_Static_assert(sizeof(arrival) == 24 && offsetof(struct inlet, near) == 24 && offsetof(struct inlet, sizes) == 48 && offsetof(struct inlet, log) == 304 &&
                   sizeof(struct inlet) <= (64 << 10),
               "the layout is pinned");

static inline struct inlet *inlet_of(shared *s) { return (struct inlet *)((uint8_t *)s + IN_AT); }

static inline uint8_t *slot(shared *s, uint32_t i) { return (uint8_t *)s + SLOTS_AT + i * IN_SLOT; }

static inline uint8_t *spill(shared *s, uint32_t i) { return (uint8_t *)s + SPILLS_AT + (size_t)i * IN_SPILL; }

#define RTP_HEAD (12)

static inline uint32_t big32(const uint8_t *b) {
	uint32_t v;
	memcpy(&v, b, sizeof v);
	return ntohl(v);
}

/* is_plain tells whether core/rtp need not look at a packet itself, as it must for padding, sources, extensions and
 * other versions or payload types (RFC 3550 5.1). */
static inline int is_plain(const struct inlet *in, const uint8_t *b, uint32_t size) {
	return size >= RTP_HEAD && b[0] == 0x80 && (b[1] & 0x7f) == in->payload;
}

/* note keeps what core/rtp counts of a packet; there is room. */
static void note(struct inlet *in, const uint8_t *b, uint32_t size) {
	uint32_t at = atomic_load_explicit(&in->logged, memory_order_relaxed);
	in->log[at % IN_LOG] = (arrival){ in->at, big32(b + 4), big32(b + 8), (uint16_t)(b[2] << 8 | b[3]), (uint16_t)size, 0 };
	atomic_store(&in->logged, at + 1);
}

typedef struct {
	tst_span *spans;
	size_t cap;
	uint8_t *arena;
	size_t arena_cap;
	uint32_t head; /* bytes before the payload */
} room;

/* aim has the system put a datagram's header aside, its payload into the arena, and what is longer into its spill. */
static void aim(shared *s, struct inlet *in, const room *to) {
	if (in->stride == 0) in->stride = IN_SLOT - 16;
	if (in->arena == to->arena && in->made == in->stride) return;
	in->arena = to->arena;
	in->made = in->stride;
	for (uint32_t i = 0; i < IN_SLOTS; i++) {
		struct iovec *v = in->parts[i];
		v[0] = (struct iovec){ in->heads[i], to->head };
		v[1] = (struct iovec){ to->arena + i * in->stride, in->stride };
		v[2] = (struct iovec){ spill(s, i), IN_SPILL };
		int none = to->head == 0;
		in->headers[i].msg_hdr = (struct msghdr){ .msg_iov = v + none, .msg_iovlen = (size_t)(3 - none) };
	}
}

/* suit has the next datagrams come at a distance of their size, so that they lie without gaps. */
static void suit(struct inlet *in, const room *to, uint32_t n) {
	uint32_t most = 0, least = UINT32_MAX;
	for (uint32_t i = 0; i < n; i++) {
		if (in->sizes[i] > most) most = in->sizes[i];
		if (in->sizes[i] < least) least = in->sizes[i];
	}
	if (most <= to->head || most > IN_SLOT - 16) return;
	if (most - to->head > in->stride || most == least) in->stride = most - to->head;
}

/* keep moves datagrams that were received into the arena to their slots. */
static void keep(shared *s, struct inlet *in, const room *to, uint32_t n) {
	in->near = to->head + in->made;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = in->sizes[i] < in->near ? in->sizes[i] : in->near;
		memcpy(slot(s, i), in->heads[i], to->head);
		if (size > to->head) memcpy(slot(s, i) + to->head, to->arena + i * in->made, size - to->head);
	}
	atomic_store_explicit(&in->next, 0, memory_order_relaxed);
	atomic_store_explicit(&in->n, n, memory_order_relaxed);
}

static size_t count(shared *s, size_t n, size_t bytes) {
	atomic_fetch_add_explicit(&s->recv_calls, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->messages_received, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->bytes_received, bytes, memory_order_relaxed);
	return n;
}

/* take receives what is there and hands it out, unless something is not plain: then all of it goes to the slots.
 * *fine is 0 where it failed. */
static size_t take(shared *s, struct inlet *in, const room *to, int *fine) {
	aim(s, in, to);
	size_t most = to->arena_cap / in->stride;
	if (most > to->cap) most = to->cap;
	if (most > IN_SLOTS) most = IN_SLOTS;
	int n = most == 0 ? -1 : recvmmsg(s->fd, in->headers, (unsigned)most, MSG_DONTWAIT, NULL);
	in->full = n == (int)most;
	if (n <= 0) {
		*fine = most > 0 && n < 0 && (errno == EAGAIN || errno == EINTR);
		return 0;
	}
	in->at = now_ns();
	size_t bytes = 0;
	int plain = 1;
	for (int i = 0; i < n; i++) {
		uint32_t size = in->sizes[i] = in->headers[i].msg_len;
		plain &= size <= to->head + in->made && (to->head == 0 || is_plain(in, in->heads[i], size));
		to->spans[i] = (tst_span){ (uint32_t)i * in->made, size - to->head };
		bytes += size - to->head;
	}
	if (plain) {
		for (int i = 0; to->head && i < n; i++) note(in, in->heads[i], in->sizes[i]);
		suit(in, to, (uint32_t)n);
		return count(s, (size_t)n, bytes);
	}
	keep(s, in, to, (uint32_t)n);
	suit(in, to, (uint32_t)n);
	return 0;
}

/* give hands out what is in the slots, as far as it is plain and there is room. */
static size_t give(shared *s, struct inlet *in, const room *to) {
	size_t k = 0, used = 0;
	uint32_t next = atomic_load_explicit(&in->next, memory_order_relaxed), n = atomic_load_explicit(&in->n, memory_order_relaxed);
	for (; next < n && k < to->cap; next++, k++) {
		uint32_t size = in->sizes[next];
		if (size > to->arena_cap - used + to->head || (to->head && !is_plain(in, slot(s, next), size))) break;
		if (to->head) note(in, slot(s, next), size);
		uint32_t near = size < in->near ? size : in->near;
		memcpy(to->arena + used, slot(s, next) + to->head, near - to->head);
		if (size > near) memcpy(to->arena + used + near - to->head, spill(s, next), size - near);
		to->spans[k] = (tst_span){ (uint32_t)used, size - to->head };
		used += size - to->head;
	}
	atomic_store_explicit(&in->next, next, memory_order_relaxed);
	return k > 0 ? count(s, k, used) : 0;
}

int tsti_inlet_left(shared *s) {
	struct inlet *in = inlet_of(s);
	return atomic_load_explicit(&in->next, memory_order_relaxed) < atomic_load_explicit(&in->n, memory_order_relaxed);
}

int tsti_receive(shared *s, uint64_t id, tst_span *spans, size_t cap, size_t *n, uint8_t *arena, size_t arena_cap,
                 int32_t *ms) {
	struct inlet *in = inlet_of(s);
	int rtp = (atomic_load(&s->kind) & RECEIVE_RTP) != 0;
	room to = { spans, cap, arena, arena_cap < INT32_MAX ? arena_cap : INT32_MAX, rtp ? RTP_HEAD : 0 };
	limit l = within(*ms);
	for (int waited = 0;; waited = 1) {
		if (rtp && atomic_load(&in->logged) - atomic_load(&in->digested) > IN_LOG - IN_SLOTS) tsti_rtp_count(id);
		if (!hold(s, &in->lock, *ms)) return 0;
		int fine = !rtp || atomic_load(&in->logged) - atomic_load(&in->digested) <= IN_LOG - IN_SLOTS;
		*n = 0;
		if (fine && !tsti_inlet_left(s) && (waited || *ms == 0 || in->full)) *n = take(s, in, &to, &fine);
		if (fine && *n == 0) *n = give(s, in, &to);
		int left = tsti_inlet_left(s);
		atomic_store(&in->lock, 0);
		if (*n > 0) return 1;
		if (left || !fine) return 0;
		if (*ms == 0) return -1;
		if (!await(s, POLLIN, &l)) {
			if (atomic_load(&s->open) && now_ns() >= l.end) {
				if (*ms > 0) return -1;
				l = within(*ms);
				continue;
			}
			*ms = 0; /* it was woken: Go tells why */
			return 0;
		}
	}
}
