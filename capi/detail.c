#include "detail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_CAP 2048
#define NAME_CAP 64

struct detail {
  tst_error error;
  char message[MESSAGE_CAP];
  char field[NAME_CAP];
  char names[TST_ERROR_ATTRS][NAME_CAP];
};

/* Only a pointer is thread-local: a Go library's thread-local block is of the
 * static kind, of which a program that loads the library late has little. */
static _Thread_local struct detail *mine;

static pthread_key_t cleanup;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&cleanup, free); }

/* put copies a text, cut at a UTF-8 boundary where it does not fit. */
static void put(char *to, size_t cap, const char *from, size_t len) {
  if (len >= cap) {
    len = cap - 1;
    while (len > 0 && ((unsigned char)from[len] & 0xC0) == 0x80) len--;
  }
  if (len > 0) memcpy(to, from, len);
  to[len] = 0;
}

void tsti_error_set(tst_status status, int64_t offset, tst_cchar *message, size_t message_len,
                    tst_cchar *field, size_t field_len) {
  struct detail *d = mine;
  if (d == NULL) {
    pthread_once(&once, make_key);
    d = malloc(sizeof *d);
    if (d == NULL) return;
    pthread_setspecific(cleanup, d);
    mine = d;
  }
  put(d->message, MESSAGE_CAP, message, message_len);
  put(d->field, NAME_CAP, field, field_len);
  memset(&d->error, 0, sizeof d->error);
  d->error.struct_size = sizeof d->error;
  d->error.status = status;
  d->error.offset = offset;
  d->error.message = d->message;
  d->error.field = d->field;
}

void tsti_error_attr(tst_cchar *name, size_t name_len, int64_t value) {
  struct detail *d = mine;
  uint32_t i;
  if (d == NULL || d->error.attr_count >= TST_ERROR_ATTRS) return;
  i = d->error.attr_count++;
  put(d->names[i], NAME_CAP, name, name_len);
  d->error.attrs[i].name = d->names[i];
  d->error.attrs[i].value = value;
}

const tst_error *tst_last_error(void) { return mine == NULL ? NULL : &mine->error; }

uint32_t tst_abi_version(void) { return TST_ABI_VERSION; }

static struct kept {
  struct kept *next;
  char text[];
} *kept;

/* The one caller holds a lock. */
tst_cchar *tsti_keep(tst_cchar *text, size_t len) {
  struct kept *k = malloc(sizeof *k + len + 1);
  if (k == NULL) return "";
  put(k->text, len + 1, text, len);
  k->next = kept;
  kept = k;
  return k->text;
}
