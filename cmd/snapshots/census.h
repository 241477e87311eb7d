/*
 * snapshots/census.h - the objects of snapshots that are in a database.
 */
#ifndef SNAPSHOTS_CENSUS_H
#define SNAPSHOTS_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct snapshots;

/** Replace allocations by objects: *id becomes that of the same snapshot in snapshots->objects.
 * SNAP_EUSAGE: it has no census. */
enum snap_status snapshots_census_of(struct snapshots *snapshots, int64_t *id,
				     struct snap_error *err);

#endif
