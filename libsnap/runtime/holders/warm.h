/*
 * holders/warm.h - let the kernel look at the pages of the process before its threads stop.
 *
 * A fork goes through the kernel's data about each page, and most of its time is waiting for that data
 * to come from memory.  When they were read shortly before, they are in the processor's cache.  Reading
 * /proc/self/pagemap reads them, and keeps the program from mapping memory only for one page table at
 * a time (the fork does so for all of them).
 */
#ifndef SNAP_RUNTIME_HOLDERS_WARM_H
#define SNAP_RUNTIME_HOLDERS_WARM_H

#include "runtime/holders/space.h"

/** In the host: up to 256 MiB of private memory, in areas that fit whole.  What cannot be read is left. */
void snap__warm_pages(const struct snap__space *space);

#endif
