/*
 * runtime/python/census.h - the objects of the interpreter by type, and by the line that made them.
 *
 * Runs in a frozen copy of the process, after the interpreter's objects were found (objects.h).
 * The result goes into the snapshot as groups of the holders graph (FORMAT.md).
 */
#ifndef SNAP_RUNTIME_PYTHON_CENSUS_H
#define SNAP_RUNTIME_PYTHON_CENSUS_H

#include <stdint.h>

#include "runtime/holders/copy.h"
#include "runtime/numbering.h"
#include "write/writer.h"

/** Find the objects and group them; call stacks are numbered as in the file. */
void snap__census_make(struct snap__copy *copy, const struct snap__numbering *numbering);

/** Texts that the rows refer to: the caller writes them as strings, one after the other. */
uint32_t snap__census_string_count(void);
const char *snap__census_string(uint32_t index);

/** What is in the file before the census: its first string; groups and roots of other graphs. */
struct snap__census_base {
	uint32_t string, group, root;
};
/** The rows of one section each, in this order. */
void snap__census_write_groups(struct snap__writer *w, const struct snap__census_base *base);
void snap__census_write_roots(struct snap__writer *w, const struct snap__census_base *base);
void snap__census_write_edges(struct snap__writer *w, const struct snap__census_base *base);
void snap__census_write_paths(struct snap__writer *w, const struct snap__census_base *base);

/** Facts for the snapshot's meta, without their prefix `census`. */
typedef void snap__census_fact_fn(void *user, const char *key, uint64_t value);
void snap__census_each_fact(snap__census_fact_fn *fn, void *user);

#endif
