/*
 * runtime/python/untold.h - references that an object does not report to the collector.
 *
 * Objects of extensions often have no tp_traverse, or one that leaves something out: the flags of a
 * decimal.Context, the memo of a pickle.Pickler.  What they refer to would look like objects that
 * nobody holds.  So their memory is searched for addresses of objects.
 */
#ifndef SNAP_RUNTIME_PYTHON_UNTOLD_H
#define SNAP_RUNTIME_PYTHON_UNTOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/holders/space.h"

/** In a frozen copy: call `fn` for each object that `object` seems to refer to, and that is not yet
 * in the table of objects. */
typedef void snap__untold_fn(uint32_t object, const char *target);
void snap__untold_each(struct snap__space *space, uint32_t object, snap__untold_fn *fn);

/** Does a recorded block with an object that is alive begin at `address`, or at the object's header? */
bool snap__untold_is_object(struct snap__space *space, uintptr_t address);

/** Objects whose memory was not searched, or in part, because there is too much of it in all. */
uint64_t snap__untold_unsearched(void);

#endif
