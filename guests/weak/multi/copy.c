// Copies between the kernel and the current process, page by page.

#include "lib.h"
#include "process.h"
#include "storage.h"
#include "table.h"

// Where the kernel finds what is at an address: most pages are in storage already.
static char *
find(uint32_t address, uint32_t needs)
{
  uint32_t *entry = table_entry(current->space.table, address, false);

  if (entry == 0 || (*entry & ENTRY_VALID) == 0 || (*entry & needs) == 0)
    return storage_find(address, needs);
  *entry |= ENTRY_ACCESSED | (needs == ENTRY_WRITE ? ENTRY_DIRTY : 0);
  return (char *)entry_frame(*entry) + address % PAGE;
}

static uint32_t
to_page_end(uint32_t address, uint32_t size)
{
  uint32_t rest = PAGE - address % PAGE;
  return rest < size ? rest : size;
}

bool
copy_in(void *to, uint32_t from, uint32_t size)
{
  for (uint32_t piece; size > 0; size -= piece, from += piece, to += piece) {
    const char *page = find(from, ENTRY_READ);
    if (page == 0)
      return false;
    memcpy(to, page, piece = to_page_end(from, size));
  }
  return true;
}

bool
copy_out(uint32_t to, const void *from, uint32_t size)
{
  for (uint32_t piece; size > 0; size -= piece, from += piece, to += piece) {
    char *page = find(to, ENTRY_WRITE);
    if (page == 0)
      return false;
    memcpy(page, from, piece = to_page_end(to, size));
  }
  return true;
}

bool
copy_text_in(char *to, uint32_t from, uint32_t size)
{
  for (; size > 0; size--, from++, to++) {
    const char *page = find(from, ENTRY_READ);
    if (page == 0)
      return false;
    if ((*to = *page) == 0)
      return true;
  }
  return false;
}
