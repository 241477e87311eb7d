/*
 * analysis/growth/growth_ages.h - what the birth epochs of surviving blocks say about growth.
 * Private to analysis/growth*.c.
 *
 * Blocks in flight, in a pool, a buffer or an LRU die at some age; leaked ones do not.  So: find
 * the age beyond which blocks of this row no longer die, and look at how many blocks of each epoch
 * got that old.
 */
#ifndef ANALYSIS_GROWTH_AGES_H
#define ANALYSIS_GROWTH_AGES_H

#include "analysis/growth/growth_series.h"

enum growth_age_pattern {
	AGES_UNKNOWN,  /* no cohorts, or too few snapshots with them */
	AGES_LASTING,  /* every epoch leaves blocks that stay */
	AGES_SPARSE,   /* the same, but too few epochs to be sure that they continue */
	AGES_SLOWING,  /* later epochs leave far fewer blocks than earlier ones */
	AGES_ENDED,    /* middle epochs left blocks, the youngest ones certainly fewer */
	AGES_EARLY,    /* only early epochs left blocks */
	AGES_RECENT,   /* only young blocks live: all of the older ones are gone */
	AGES_DYING,    /* old blocks still go */
	AGES_REPLACED, /* new blocks stay, but as many old ones went */
};

struct growth_ages {
	enum growth_age_pattern pattern;
	size_t first;     /* epochs before the middle ones */
	size_t epochs;    /* middle epochs: after the warm-up, and old enough to be judged */
	size_t leaving;   /* how many of them left blocks that still live */
	size_t quiet;     /* epochs after the last of those, including the youngest ones if none of
	               * their blocks live */
	size_t age;       /* only blocks older than this age, in epochs, were counted */
	double older;     /* share of all live blocks that are older than an epoch */
	double before;    /* blocks born before the middle epochs that still live */
	double survivors; /* blocks of the middle epochs that still live */
	double grain; /* how many blocks one event leaves, at least: a key of a cache may have several,
	               * and a recorded block may stand for several */
	double gone;    /* how many were freed that were not born just before a snapshot */
	bool in_order;  /* the freed ones were the oldest: a queue, not a pool */
	double silence; /* how likely so many quiet epochs at the end are by chance */
	bool idle_end;  /* the quiet end is short, as when a program has done its work and exits */
	bool slower;    /* the later epochs left far fewer than the earlier ones, */
	bool by_chance; /* which may be chance */
	bool faded;     /* the youngest epochs have fewer blocks than predicted */
	double early, late;      /* the same in the first and second half of the middle epochs */
	double expected_late;    /* what the second half would have left at the pace of the first */
	double deaths, exposure; /* of blocks older than `age`: how many were freed; block epochs */
	double expected_loss; /* share of such blocks that would be freed within the length of the
	                       * series
	                       */
	size_t old_count; /* snapshots with the bytes of blocks born before the middle epochs: */
	double old_at[GROWTH_BIRTHS];    /* the times of these snapshots, in epochs */
	double old_bytes[GROWTH_BIRTHS]; /* only reallocation makes these rise */
};

/**
 * When `count` snapshots are judged, are the ages in the one at `place`, from 1, examined?  It does
 * not depend on what the caller has read: a series gets the same judgement when it is judged as the
 * beginning of a longer one.
 */
bool growth_ages_look_at(size_t place, size_t count);

/** Measure the run of `count` snapshots from `from`; the epochs before `tail` are set aside. */
void growth_ages_measure(struct growth_ages *ages, const struct growth_series *series, size_t from,
			 size_t count, size_t tail);

#endif
