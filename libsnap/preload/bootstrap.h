/*
 * preload/bootstrap.h - memory for calls that come before the real malloc is known.
 *
 * A small static pool, then mappings; nothing is ever given back.  Its blocks are not recorded,
 * and may come back to any function of the family.
 */
#ifndef SNAP_PRELOAD_BOOTSTRAP_H
#define SNAP_PRELOAD_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"

extern SNAP__HIDDEN char snap__bootstrap_pool[];
#define SNAP__BOOTSTRAP_SIZE (64u * 1024)

/** Zeroed memory; NULL with errno ENOMEM. */
void *snap__bootstrap_alloc(size_t size, size_t alignment);

/** Is `ptr` a block of ours?  `*size` gets its size. */
bool snap__bootstrap_owns(const void *ptr, size_t *size);

#endif
