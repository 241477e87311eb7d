/*
 * report/growth_pattern.h - what kind of leak it is, if the holders of the objects prove it.
 */
#ifndef REPORT_GROWTH_PATTERN_H
#define REPORT_GROWTH_PATTERN_H

#include "report/growth_rows.h"

struct growth_pattern {
	const char *name;  /* for programs, such as "lru-cache-on-method"; NULL: it is not known */
	const char *words; /* the kind, and what to look at: the report's */
};

/** Of a row that grows. */
struct growth_pattern growth_pattern_of(struct report *report, const struct growth_row *row);

/** Lines about memory that is no leak although there is much of it: full caches, containers that
 * grew, a load that was released. */
void growth_note_objects(struct report *report, const struct growth_part *parts, size_t count,
			 bool has_findings);

#endif
