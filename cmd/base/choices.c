/*
 * choices.c - the names that options take.
 */
#include "base/choices.h"

#include <stddef.h>

const char *const snapshots_order_names[] = {"time", "name", "given", NULL};
const char *const snapshots_moment_names[] = {"auto", "peak", "exit", "newest", NULL};
const char *const group_key_names[] = {"line",  "function", "file", "module",
				       "stack", "domain",   "type", NULL};
const char *const figure_names[] = {
#define FIGURE(id, option, column) option,
#include "base/figures.def"
#undef FIGURE
	NULL};
const char *const figure_column_names[FIGURES] = {
#define FIGURE(id, option, column) column,
#include "base/figures.def"
#undef FIGURE
};
const char *const pair_level_names[] = {"exact", "line", "function", "fuzzy", NULL};
