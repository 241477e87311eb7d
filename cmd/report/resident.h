/*
 * report/resident.h - resident memory of a process as a sum of measured parts.
 */
#ifndef REPORT_RESIDENT_H
#define REPORT_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/report.h"

enum resident_part {
	RESIDENT_LIVE,
	RESIDENT_ABSENT, /* of it, what is not in private memory: negative */
	RESIDENT_PYMALLOC_FREE,
	RESIDENT_MALLOC_FREE,
	RESIDENT_OVERHEAD,
	RESIDENT_FILES,
	RESIDENT_SHARED,
	RESIDENT_STACKS,
	RESIDENT_RECORDER,
	RESIDENT_UNEXPLAINED,
	RESIDENT_PARTS
};

/** Figures of the snapshot, as they arrive. */
struct resident {
	bool known[32];
	int64_t figures[32];
	bool is_sample;
	bool is_python;
};

/** A metric of the snapshot; others than those wanted are passed over. */
void resident_take(struct resident *resident, const char *name, int64_t value);

struct resident_sum {
	bool known[RESIDENT_PARTS]; /* false: not measured, and so part of what is unexplained */
	int64_t parts[RESIDENT_PARTS];
	int64_t total; /* the parts that are known give it exactly */
};

/** False: the snapshot does not know how much memory was resident. */
bool resident_add_up(const struct resident *resident, struct resident_sum *sum);

/** "malloc_free", "free in malloc". */
const char *resident_key(enum resident_part part);
const char *resident_words(enum resident_part part);

/** Sentences about the sum: parts that were not measured, and why some are negative. */
void resident_say(const struct resident *resident, const struct resident_sum *sum,
		  struct report *report);

#endif
