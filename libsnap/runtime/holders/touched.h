/*
 * holders/touched.h - which pages of the copy the program has ever written to.
 *
 * Other pages hold nothing, and to read them would allocate them.
 */
#ifndef SNAP_RUNTIME_HOLDERS_TOUCHED_H
#define SNAP_RUNTIME_HOLDERS_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/holders/space.h"

/** In the copy, once: find vast empty memory (vacant.h), for later calls. */
void snap__touched_begin(struct snap__space *space);

/** Gets a part of the range: neighbouring pages.  False: it needs no more of them. */
typedef bool snap__touched_fn(void *user, uintptr_t low, uintptr_t high);

/** In the copy: call `fn` for the touched parts of [low, high), which is in `area`, in order.  If
 * the kernel does not say what was touched, call it for all that can be read.  False if `fn`
 * returned false. */
bool snap__touched_each(const struct snap__area *area, uintptr_t low, uintptr_t high,
			snap__touched_fn *fn, void *user);

/**
 * The same for a mapping that is too large to ask for each page: parts in which the program itself has
 * pages (Linux 6.7 and later).  Pages that only others have, or that were swapped out, are not among
 * them.  Returns the number of pages.
 */
uint64_t snap__touched_by_host(uintptr_t low, uintptr_t high, snap__touched_fn *fn, void *user);

#endif
