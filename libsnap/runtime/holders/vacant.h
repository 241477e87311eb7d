/*
 * holders/vacant.h - parts of vast mappings that have no pages.
 *
 * A program may reserve terabytes and use little of them.  To ask which of the pages were touched
 * takes half a minute for 16 TiB.
 */
#ifndef SNAP_RUNTIME_HOLDERS_VACANT_H
#define SNAP_RUNTIME_HOLDERS_VACANT_H

#include "runtime/holders/ranges.h"
#include "runtime/holders/space.h"

/** In the copy: add parts of vast private mappings that have no page.  Others stay unknown. */
void snap__vacant_find(struct snap__space *space, struct snap__ranges *vacant);

#endif
