/*
 * snapshots/without_census.h - snapshots that are left out, since reports of objects are asked for
 * and they have no census.
 */
#ifndef SNAPSHOTS_WITHOUT_CENSUS_H
#define SNAPSHOTS_WITHOUT_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/notice.h"
#include "snapshots/series_list.h"
#include "snapshots/snapshot_list.h"

/** What the answer to one question leaves out; zeroed it is empty. */
struct without_census {
	struct census_less {
		char *program;
		uint64_t pid, start_ns;
	} * items;
	size_t count, capacity;
	char *why; /* why the first one has none */
};

/** Leave a snapshot out; `why` is a sentence.  False when memory is out. */
bool without_census_add(struct without_census *list, const char *program, uint64_t pid,
			uint64_t start_ns, const char *why);
void without_census_release(struct without_census *list);

/** Count what is left out.  `all` has every snapshot that is not.  False when memory is out. */
bool without_census_count(const struct without_census *list, const struct snapshot_list *all,
			  struct snapshots_without_census *counts);

/** A notice of each count that is not 0; `who` and `notice` may be NULL. */
void without_census_tell(const struct snapshots_without_census *counts, const char *who,
			 notice_fn *notice, void *user);

/** SNAP_EUSAGE: nothing is left, and why. */
enum snap_status without_census_refuse(const struct without_census *list, struct snap_error *err);

#endif
