// Replacement: which page has to leave when another one comes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct resident;

bool choose_replacement(const char *name);      // false if there is no such policy

// Of the pages of one space, or if `table` is 0 of all; 0 if all must stay.
struct resident *replacement_victim(const uint32_t *table);

// Does the policy take pages away that were not used for a while? Is this one of them?
bool abandons_pages(void);
bool is_abandoned(const struct resident *r);

extern uint32_t window;         // of the working set: how often somebody looked
