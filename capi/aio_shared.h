/* The caller's side of the memory that core/aio shares with the caller's thread. The layouts are those of
 * core/aio/shared.go. In C, because a caller that sends a packet each few milliseconds would pay several times the
 * packet's own cost for entering the Go runtime. */
#ifndef TSTRANS_CAPI_AIO_SHARED_H
#define TSTRANS_CAPI_AIO_SHARED_H

#include "tstrans.h"

/* tsti_aio_ring tells where the ring is, once. */
void tsti_aio_ring(void *memory);

#endif
