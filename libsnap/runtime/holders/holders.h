/*
 * holders/holders.h - who holds what, in a copy of the process.
 *
 * The copy finds the roots (roots.h), marks what they reach (graph.h), groups it by site, with
 * retained sizes if wanted (groups.h), and writes rows of the snapshot (FORMAT.md, holders).
 */
#ifndef SNAP_RUNTIME_HOLDERS_HOLDERS_H
#define SNAP_RUNTIME_HOLDERS_HOLDERS_H

#include <stdint.h>

#include "runtime/holders/copy.h"
#include "runtime/holders/groups.h"

/** How much is wanted: one of the first three, and with it perhaps the last. */
enum snap__holders {
	SNAP__HOLDERS_NONE = 0,
	SNAP__HOLDERS_REACH = 1,    /* who refers to whom, and what nothing reaches */
	SNAP__HOLDERS_RETAINED = 2, /* and the retained size of each group */
	SNAP__CENSUS = 4,           /* the objects of an interpreter (python/census.h) */
};

/** Of the native heap. */
static inline enum snap__holders snap__holders_native(enum snap__holders wanted)
{
	return (enum snap__holders)((unsigned)wanted & 3u);
}

/** In the copy: do everything but write. */
void snap__holders_analyse(struct snap__copy *copy, enum snap__holders wanted);

/** Facts for the snapshot's meta, without their prefix `holders`. */
typedef void snap__holders_fact_fn(void *user, const char *key, uint64_t value);
void snap__holders_each_fact(const struct snap__copy *copy, snap__holders_fact_fn *fn, void *user);

#endif
