/*
 * holders/missing.h - memory of the host that a copy does not have: MADV_DONTFORK.
 */
#ifndef SNAP_RUNTIME_HOLDERS_MISSING_H
#define SNAP_RUNTIME_HOLDERS_MISSING_H

#include <stdint.h>

#include "runtime/holders/space.h"

/**
 * In the copy, before it maps anything: map the areas that are in `before`, the list of the host's
 * mappings, but not in `now`, and read their pages from the host, at most `most` bytes.  The host
 * runs meanwhile, so that they may be a little newer than the rest.  Returns the number of bytes
 * read; pages that were not read are added to `*unread`.
 */
uint64_t snap__missing_fetch(const struct snap__space *now, const struct snap__space *before,
			     int host, uint64_t most, uint64_t *unread);

#endif
