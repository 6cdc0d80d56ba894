#include "aio_shared.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MAX_SESSIONS (1u << 14)

typedef struct {
	_Atomic uint32_t gen;
	_Atomic uint32_t timestamp;
	uint32_t increment;
	uint32_t reserved[13];
} lane;

typedef struct {
	_Atomic uint32_t lock;
	_Atomic uint32_t asleep;
	int32_t wake;
	uint32_t size;
	uint8_t pad0[48];
	_Atomic uint64_t head;
	uint8_t pad1[56];
	_Atomic uint64_t tail;
	uint8_t pad2[56];
	lane lanes[MAX_SESSIONS];
} ring;

typedef struct {
	uint32_t size, slot, gen, stamp, n;
	uint16_t kind, stamped;
} post;

#define POST_FILL (0xFFFF)
#define MOST (65000)
#define RESTART (1u << 16)

_Static_assert(sizeof(lane) == 64, "the lane layout is pinned");
_Static_assert(offsetof(ring, lanes) == 192, "the ring layout is pinned");
_Static_assert(sizeof(post) == 24, "the post layout is pinned");
_Static_assert(sizeof(tst_aio_record) == 32, "the record layout is pinned");

static _Atomic(ring *) the_ring;

/* A forked child has the memory, but no owner that would take anything from it: its sessions are closed. */
static void forget(void) { atomic_store(&the_ring, NULL); }

void tsti_aio_ring(void *memory) {
	pthread_atfork(NULL, NULL, forget);
	atomic_store(&the_ring, (ring *)memory);
}

static void take_lock(ring *r) {
	uint32_t free_ = 0;
	while (!atomic_compare_exchange_weak_explicit(&r->lock, &free_, 1, memory_order_acquire, memory_order_relaxed)) {
		free_ = 0;
		sched_yield();
	}
}

tst_status tst_aio_post(uint32_t *timestamp, uint64_t lane_, uint32_t kind, tst_cu8 *data, size_t n) {
	ring *r = atomic_load_explicit(&the_ring, memory_order_acquire);
	uint32_t slot = (uint32_t)lane_, gen = (uint32_t)(lane_ >> 32);
	if (r == NULL || slot >= MAX_SESSIONS || (gen & 1) == 0) return TST_E_CLOSED;
	if (timestamp == NULL || n > MOST || (n > 0 && data == NULL) || kind > 5) return TST_E_INVALID_ARG;
	lane *l = &r->lanes[slot];
	if (atomic_load_explicit(&l->gen, memory_order_acquire) != gen) return TST_E_CLOSED;
	uint8_t *bytes = (uint8_t *)(r + 1);
	uint32_t need = (uint32_t)(sizeof(post) + ((n + 7) & ~(size_t)7));
	take_lock(r);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	uint32_t at = (uint32_t)(head & (r->size - 1)), end = r->size - at;
	if (head == tail && at >= RESTART) {
		/* Nothing is in it: it goes on at the start, so that only as much memory is touched as is ever in flight. The
		 * owner reads head before tail, and writes tail only where it took something, which it cannot do now. */
		head = tail = head + end;
		atomic_store_explicit(&r->tail, tail, memory_order_seq_cst);
		at = 0;
		end = r->size;
	}
	uint32_t whole = need <= end ? need : end + need; /* a record does not wrap: the end is filled */
	if (head - tail + whole > r->size) {
		atomic_store_explicit(&r->lock, 0, memory_order_release);
		return TST_E_AGAIN;
	}
	if (need > end) {
		if (end >= sizeof(post)) {
			post *f = (post *)(bytes + at);
			f->size = end;
			f->kind = POST_FILL;
			f->n = 0;
		} /* else: less than a header is left, which the owner passes over */
		head += end;
		at = 0;
	}
	uint32_t ts = *timestamp;
	if (kind >= TST_AIO_AUTO) {
		ts = atomic_fetch_add_explicit(&l->timestamp, l->increment, memory_order_relaxed);
		kind -= TST_AIO_AUTO;
		*timestamp = ts;
	}
	post *p = (post *)(bytes + at);
	p->size = need;
	p->slot = slot;
	p->gen = gen;
	p->stamp = ts;
	p->n = (uint32_t)n;
	p->kind = (uint16_t)kind;
	p->stamped = 1;
	if (n > 0) memcpy(p + 1, data, n);
	atomic_store_explicit(&r->head, head + need, memory_order_seq_cst);
	atomic_store_explicit(&r->lock, 0, memory_order_release);
	if (atomic_load_explicit(&r->asleep, memory_order_seq_cst) != 0 && atomic_exchange(&r->asleep, 0) != 0) {
		uint64_t one = 1;
		ssize_t k = write(r->wake, &one, sizeof one);
		(void)k; /* full: the owner is being woken already */
	}
	return TST_OK;
}

int64_t tst_aio_send(uint64_t lane_, uint32_t kind, uint32_t timestamp, tst_cu8 *data, size_t n) {
	tst_status st = tst_aio_post(&timestamp, lane_, kind, data, n);
	return st != TST_OK ? (int64_t)st : (int64_t)timestamp;
}

#define PAGES (16)
#define PAGE_RECORDS (2048)
#define PAGE_ARENA (1u << 20)
#define PAGE_SIZE (64 + PAGE_RECORDS * 32 + PAGE_ARENA)

enum { PAGE_FREE, PAGE_FULL, PAGE_TAKEN, PAGE_FILL };

typedef struct {
	_Atomic uint32_t signalled;
	uint32_t next;
	uint8_t pad[56];
} hub;

typedef struct {
	_Atomic uint32_t state;
	uint32_t n, arena;
	uint8_t pad[52];
} page;

static page *hub_page(hub *h) { return (page *)((uint8_t *)(h + 1) + (size_t)h->next * PAGE_SIZE); }

tst_status tst_aio_take(tst_aio_batch *batch, uint64_t memory) {
	hub *h = (hub *)(uintptr_t)memory;
	if (batch == NULL || h == NULL) return TST_E_INVALID_ARG;
	memset(batch, 0, sizeof *batch);
	/* From here on the owner signals anew: what it publishes later is not missed. */
	atomic_store_explicit(&h->signalled, 0, memory_order_seq_cst);
	page *p = hub_page(h);
	uint32_t full = PAGE_FULL;
	if (!atomic_compare_exchange_strong(&p->state, &full, PAGE_TAKEN)) return TST_OK;
	batch->records = (uint64_t)(uintptr_t)(p + 1);
	batch->count = p->n;
	batch->arena = batch->records + PAGE_RECORDS * 32;
	batch->arena_len = p->arena;
	return TST_OK;
}

tst_status tst_aio_done(uint64_t memory) {
	hub *h = (hub *)(uintptr_t)memory;
	if (h == NULL) return TST_E_INVALID_ARG;
	page *p = hub_page(h);
	if (atomic_load(&p->state) != PAGE_TAKEN) return TST_OK;
	p->n = 0;
	p->arena = 0;
	h->next = (h->next + 1) % PAGES;
	atomic_store_explicit(&p->state, PAGE_FREE, memory_order_release);
	/* What is published from tst_aio_take on is signalled; what was before lies in the next page. */
	return atomic_load(&hub_page(h)->state) == PAGE_FULL ? TST_OK : TST_E_AGAIN;
}
