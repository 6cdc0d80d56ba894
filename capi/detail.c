#include "detail.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_CAP 2048
#define NAME_CAP 64

static _Thread_local struct {
  int set;
  tst_error error;
  char message[MESSAGE_CAP];
  char field[NAME_CAP];
  char names[TST_ERROR_ATTRS][NAME_CAP];
} detail;

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
  put(detail.message, MESSAGE_CAP, message, message_len);
  put(detail.field, NAME_CAP, field, field_len);
  memset(&detail.error, 0, sizeof detail.error);
  detail.error.struct_size = sizeof detail.error;
  detail.error.status = status;
  detail.error.offset = offset;
  detail.error.message = detail.message;
  detail.error.field = detail.field;
  detail.set = 1;
}

void tsti_error_attr(tst_cchar *name, size_t name_len, int64_t value) {
  uint32_t i = detail.error.attr_count;
  if (i >= TST_ERROR_ATTRS) return;
  put(detail.names[i], NAME_CAP, name, name_len);
  detail.error.attrs[i].name = detail.names[i];
  detail.error.attrs[i].value = value;
  detail.error.attr_count = i + 1;
}

const tst_error *tst_last_error(void) { return detail.set ? &detail.error : NULL; }

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
