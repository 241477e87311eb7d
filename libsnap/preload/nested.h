/*
 * preload/nested.h - an allocator that itself calls malloc's family.
 */
#ifndef SNAP_PRELOAD_NESTED_H
#define SNAP_PRELOAD_NESTED_H

/** Once, before recording begins: calls that the host's allocator makes are not recorded. */
void snap__nested_guard(void);

/** Around one call that cannot throw; snap__nested_leave() gets what snap__nested_enter() gave. */
unsigned char snap__nested_enter(void);
void snap__nested_leave(unsigned char before);

#endif
