/*
 * snapshots/options.h - which snapshots are wanted, and which parts of them are read.
 */
#ifndef SNAPSHOTS_OPTIONS_H
#define SNAPSHOTS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/choices.h"
#include "base/notice.h"

/** Where `snapdiff run` writes unless told otherwise, and where commands look when nothing is
 * named. */
#define SNAPSHOTS_DEFAULT_DIRECTORY "snaps"

struct snapshots_options {
	const char *db;      /* NULL: private in-memory database */
	uint64_t pid;        /* 0 any: --pid */
	const char *program; /* NULL any: --program */
	bool quiet;          /* no progress, no warnings */
	bool no_progress;
	enum snapshots_order order;
	enum snapshots_moment at;
	bool write;         /* with db: made if it does not exist, and snapshots_load() fills it */
	bool modify;        /* with db: SQL may change it, nothing is loaded */
	bool without_ages;  /* without db: the ages of blocks are not asked for; faster */
	bool census;        /* what counts are the objects of the census */
	bool leave_out_own; /* of dumps: what tracemalloc itself allocated */
	bool facts_only;   /* totals, meta and modules, no call stacks; damaged files give what they
			    can */
	notice_fn *notice; /* takes warnings, and which choice was made; may be NULL */
	void *user;
};

#endif
