/* The thread-local error detail. It sits in C because exported Go code runs on
 * the caller's OS thread, where C's thread-local storage is the caller's. */
#ifndef TSTRANS_CAPI_DETAIL_H
#define TSTRANS_CAPI_DETAIL_H

#include "tstrans.h"

void tsti_error_set(tst_status status, int64_t offset, tst_cchar *message, size_t message_len,
                    tst_cchar *field, size_t field_len);
/* tsti_keep copies a text for the life of the process, reachable for leak checkers. */
tst_cchar *tsti_keep(tst_cchar *text, size_t len);
/* tsti_trim gives back the code and constants that only the start of the library
 * needed. They lie in segments that nothing ever writes to (no text relocations
 * either), so that what is needed again comes back from the file as it was. */
void tsti_trim(void);
void tsti_error_attr(tst_cchar *name, size_t name_len, int64_t value);

#endif
