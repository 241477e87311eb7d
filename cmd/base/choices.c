/*
 * choices.c - the names that options take.
 */
#include "base/choices.h"

#include <stddef.h>

const char *const snapshots_order_names[] = {"time", "name", "given", NULL};
const char *const snapshots_moment_names[] = {"auto", "peak", "exit", "newest", NULL};
const char *const group_key_names[] = {"line",  "function", "file", "module",
				       "stack", "domain",   "type", NULL};
const char *const figure_names[] = {"live", "blocks", "allocated", "allocations", NULL};
const char *const pair_level_names[] = {"exact", "line", "function", "fuzzy", NULL};
