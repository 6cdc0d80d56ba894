/* Misuse of the base of the ABI gives a status, never a crash. */
#include <stdio.h>
#include <string.h>

#include "tstrans.h"

static int failures;

static void want(const char *what, long long got, long long expected) {
  if (got != expected) {
    fprintf(stderr, "%s: got %lld, want %lld\n", what, got, expected);
    failures++;
  }
}

int main(void) {
  want("abi version", (long long)tst_abi_version(), TST_ABI_VERSION);
  want("no error yet", tst_last_error() == NULL, 1);
  want("unknown status has no name", tst_status_name(12345) == NULL, 1);
  want("status name", strcmp(tst_status_name(TST_E_DEMUX_STRICT_REJECTION), "demux.strict_rejection"), 0);

  want("NULL out", tst_config_new(NULL), TST_E_INVALID_ARG);
  want("detail", tst_last_error()->status, TST_E_INVALID_ARG);
  want("detail field", strcmp(tst_last_error()->field, "out"), 0);

  tst_config config = 0;
  want("close 0", tst_config_close(0), TST_OK);
  want("set on 0", tst_config_set_int(0, "x", 1), TST_E_INVALID_HANDLE);
  want("new", tst_config_new(&config), TST_OK);
  want("one open", (long long)tst_handle_count(), 1);
  want("NULL key", tst_config_set_int(config, NULL, 1), TST_E_INVALID_ARG);
  char endless[4096];
  memset(endless, 'k', sizeof endless);
  want("unterminated key", tst_config_set_int(config, endless, 1), TST_E_INVALID_ARG);
  want("NULL text with a length", tst_config_set_text(config, "x", NULL, 5), TST_E_INVALID_ARG);
  want("impossible length", tst_config_set_bytes(config, "x", (const uint8_t *)"x", (size_t)-1), TST_E_INVALID_ARG);
  want("int", tst_config_set_int(config, "x", 1), TST_OK);
  want("success leaves the detail alone", tst_last_error()->status, TST_E_INVALID_ARG);
  want("close", tst_config_close(config), TST_OK);
  want("close again", tst_config_close(config), TST_OK);
  want("stale", tst_config_set_int(config, "x", 1), TST_E_INVALID_HANDLE);
  want("garbage handle", tst_config_set_int(0xdeadbeefcafef00dull, "x", 1), TST_E_INVALID_HANDLE);

  tst_config many[2000];
  for (int i = 0; i < 2000; i++) want("new", tst_config_new(&many[i]), TST_OK);
  for (int i = 0; i < 2000; i++) want("close", tst_config_close(many[i]), TST_OK);
  tst_config reused = 0;
  want("new", tst_config_new(&reused), TST_OK);
  for (int i = 0; i < 2000; i++) {
    if (many[i] == reused) {
      fprintf(stderr, "an id was given twice\n");
      failures++;
    }
  }
  tst_config_close(reused);
  want("none open", (long long)tst_handle_count(), 0);
  return failures ? 1 : 0;
}
