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

/** In the copy, once: what is vast and empty is known from now on. */
void snap__touched_begin(struct snap__space *space);

/** Is given a part of the range, of neighbouring pages.  False: it has seen enough. */
typedef bool snap__touched_fn(void *user, uintptr_t low, uintptr_t high);

/** In the copy: call `fn` for the touched parts of [low, high), which is in `area`, in order.  Where
 * the kernel does not say what was touched, for all that can be read.  False if `fn` said so. */
bool snap__touched_each(const struct snap__area *area, uintptr_t low, uintptr_t high,
			snap__touched_fn *fn, void *user);

#endif
