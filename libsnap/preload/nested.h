/*
 * preload/nested.h - an allocator that itself calls malloc's family.
 */
#ifndef SNAP_PRELOAD_NESTED_H
#define SNAP_PRELOAD_NESTED_H

#include <stdint.h>

/** Once, before recording begins: calls that the host's allocator makes are not recorded. */
void snap__nested_guard(void);

/** How the thread was before a nested call. */
struct snap__outside {
	unsigned char busy;
	uint64_t ahead; /* see sample.h */
};

/** Around one call that cannot throw; snap__nested_leave() gets what snap__nested_enter() gave. */
struct snap__outside snap__nested_enter(void);
void snap__nested_leave(struct snap__outside outside);

#endif
