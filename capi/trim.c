/* dl_iterate_phdr would find the same, but takes a lock of the loader, which a
 * fork in another thread may have left taken. */
#define _GNU_SOURCE
#include "detail.h"

#ifdef __linux__
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker puts it at the start of this library's image. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

void tsti_trim(void) {
  const char *base = (const char *)&__ehdr_start;
  const ElfW(Phdr) *part = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  unsigned i;
  for (i = 0; i < __ehdr_start.e_phnum; i++) {
    uintptr_t first, last;
    if (part[i].p_type != PT_LOAD || (part[i].p_flags & PF_W) != 0) continue;
    first = ((uintptr_t)base + part[i].p_vaddr + page - 1) & ~(page - 1);
    last = ((uintptr_t)base + part[i].p_vaddr + part[i].p_memsz) & ~(page - 1);
    if (first < last) (void)madvise((void *)first, last - first, MADV_DONTNEED); /* only a hint */
  }
}
#else
void tsti_trim(void) {}
#endif
