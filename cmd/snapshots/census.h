/*
 * snapshots/census.h - the objects of snapshots that are in a database.
 */
#ifndef SNAPSHOTS_CENSUS_H
#define SNAPSHOTS_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct session;

/** Objects in the place of allocations: *id becomes that of the same snapshot in session->objects.
 *  SNAP_EUSAGE: it has no census. */
enum snap_status session_census_of(struct session *session, int64_t *id, struct snap_error *err);

/** The same for several. */
enum snap_status session_censuses_of(struct session *session, int64_t *ids, size_t count,
				     struct snap_error *err);

#endif
