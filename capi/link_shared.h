/* The caller's side of links whose plain sends and waits do not enter Go (core/transport/shared.go). */
#ifndef TSTRANS_CAPI_LINK_SHARED_H
#define TSTRANS_CAPI_LINK_SHARED_H

#include "tstrans.h"

/* tsti_shared_add makes a link's memory known under its id. */
void tsti_shared_add(uint64_t id, void *memory);

/* tsti_shared_drain sends what a burst holds back, waiting at most ms for room. 0: some of it stays. */
int tsti_shared_drain(uint64_t id, int ms);

/* tsti_shared_remove lets no thread in any more, wakes those inside, waits until they have left, and sends
 * what a burst holds back. The memory may be freed then. Unknown ids are fine. */
void tsti_shared_remove(uint64_t id);

#endif
