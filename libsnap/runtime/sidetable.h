/*
 * runtime/sidetable.h - blocks that have no slot in the heap map.
 *
 * Keyed by (domain, address): blocks of snap_record_*(), whose addresses are whatever the
 * program says, and the few malloc blocks that the heap map cannot place.  64 shards with a lock
 * each; not for the common path.
 */
#ifndef SNAP_RUNTIME_SIDETABLE_H
#define SNAP_RUNTIME_SIDETABLE_H

#include "runtime/heapmap.h"

/** Domain 0 is the host's malloc; others are numbered by domains.h. */
#define SNAP__SIDE_MALLOC 0u

/** Like the functions of the heap map.  False from put: no memory, or a shard's lock is stuck. */
bool snap__side_put(uint32_t domain, uintptr_t address, const struct snap__block *block,
		    bool *stale);
bool snap__side_take(uint32_t domain, uintptr_t address, struct snap__block *out);
/** Blocks of every domain: their stacks say which (see domains.h). */
void snap__side_walk(snap__heapmap_at_fn *fn, void *user);
/** Blocks of malloc, with their addresses. */
void snap__side_walk_at(snap__heapmap_at_fn *fn, void *user);
void snap__side_merge_epochs(uint32_t oldest, uint32_t count);
void snap__side_clear(void);

/** Around fork: hold all shards, so that the child inherits none half-changed. */
void snap__side_before_fork(void);
void snap__side_after_fork(void);

#endif
