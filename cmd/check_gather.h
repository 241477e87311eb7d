/*
 * check_gather.h - what a gate needs to know besides the rows of compare and growth: figures of the
 * processes as a whole.
 */
#ifndef CHECK_GATHER_H
#define CHECK_GATHER_H

#include "report/check.h"
#include "report/options.h"

struct check_gathered {
	struct check_facts facts;
	char **exits; /* paths of the snapshots that the new side wrote at its exits */
	size_t exit_count, exit_capacity;
	size_t snapshots; /* on the new side */
	/* The path of the snapshot of the new side in which most is unreachable, and how much;
	 * NULL: none says who holds what. */
	char *most_unreachable;
	double unreachable;
};

/**
 * Read the figures of the snapshots `baseline` (may be none) and `names`.  Release with
 * check_gathered_release(), also after a failure.
 */
enum snap_status check_gather(struct check_gathered *out, const struct report_options *options,
			      const struct text_list *baseline, const char *const *names,
			      size_t count, struct snap_error *err);
void check_gathered_release(struct check_gathered *gathered);

#endif
