// The device tree: what the machine consists of, as the loader has found it.
// Devicetree Specification 0.4, chapter 5. Its numbers have the most significant byte first.

#include "lib.h"

enum { MAGIC = 0xd00dfeed, BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOTHING = 4 };

struct header {
  uint32_t magic, total_size, structure, strings;
};

static uint32_t
word(const void *at)
{
  const uint8_t *p = at;
  return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

// Is this the node? What follows the @ in its name is only its address.
static bool
is_called(const char *name, const char *wanted)
{
  size_t length = strlen(wanted);
  return strncmp(name, wanted, length) == 0 && (name[length] == 0 || name[length] == '@');
}

const void *
device_tree_property(uint32_t tree, const char *node, const char *name, uint32_t *size)
{
  const struct header *header = (const struct header *)tree;
  bool inside = false;

  if (tree == 0 || word(&header->magic) != MAGIC)
    return 0;
  const char *strings = (const char *)tree + word(&header->strings);
  const char *p = (const char *)tree + word(&header->structure);
  for (;;) {
    uint32_t token = word(p);
    p += 4;
    if (token == BEGIN_NODE) {
      inside = is_called(p, node);
      p += (strlen(p) + 4) & ~3;        // padded to words
    } else if (token == PROPERTY) {
      *size = word(p);
      if (inside && strcmp(strings + word(p + 4), name) == 0)
        return p + 8;
      p += 8 + ((*size + 3) & ~3);
    } else if (token == END_NODE)
      inside = false;                   // properties come before the nodes below
    else if (token != NOTHING)
      return 0;                         // the end
  }
}

// Addresses and sizes have 64 bits in the tree, and 32 that count in the machine.
bool
device_tree_region(uint32_t tree, const char *node, uint32_t *base, uint32_t *size)
{
  uint32_t length;
  const char *reg = device_tree_property(tree, node, "reg", &length);

  if (reg == 0 || length < 16)
    return false;
  *base = word(reg + 4);
  *size = word(reg + 12);
  return true;
}

const char *
boot_arguments(uint32_t tree)
{
  uint32_t length;
  const char *text = device_tree_property(tree, "chosen", "bootargs", &length);
  return text != 0 ? text : "";
}
