/*
 * analysis/select.h - which stacks a report is about, and what row each belongs to.
 *
 * The one implementation of the filters and groupings that all reports share.  It is C and not SQL
 * because compare pairs stacks *before* it groups them: a second implementation in SQL would always
 * have to agree with this one.  Expressions are matched once per distinct name, never per stack.
 */
#ifndef ANALYSIS_SELECT_H
#define ANALYSIS_SELECT_H

#include "base/choices.h"
#include "dataset/sums.h"
#include "snap/status.h"

struct select_options {
	enum group_key group; /* not GROUP_TYPE */
	bool cumulative;      /* a stack belongs to the rows of all its frames, once each */
	bool no_skip;         /* name a stack by its newest frame, whatever that is */
	const char *focus,
		*ignore; /* keep stacks with / without a frame whose function or file matches */
	const char *show,
		*hide;      /* keep / drop matching frames; a stack without any left is dropped */
	const char *domain; /* exact name */
	const char *module; /* glob on the module (path or base name) of the naming frame or of the
	                     * frame that asked for memory */
};

/** A row of a report before it has figures.  Texts are the dataset's; NULL where the grouping has
 * none or nothing is known. */
struct select_row {
	const char *key; /* unique among the rows */
	const char *function, *file, *module;
	uint32_t line; /* 0 none */
};

struct selection;

/**
 * Compile and evaluate `options` over all sites of `dataset`, which must outlive the selection and
 * not change. On success `*out` is yours: release it with selection_free().  SNAP_EUSAGE: an
 * expression does not compile.
 */
enum snap_status selection_new(struct selection **out, const struct dataset *dataset,
			       const struct select_options *options, struct snap_error *err);
void selection_free(struct selection *selection);

/** The rows that a site is credited to: one, several with `cumulative`, or 0 when filters leave it
 * out. */
size_t selection_rows_of(const struct selection *selection, uint32_t site, const uint32_t **rows);

/** All of it: which sites count towards which rows, as the store sums them.  False when memory is
 * out. */
bool selection_credits(const struct selection *selection, struct credits *credits);

/** True when the site is credited to any row whose entry in `marked` is set. */
bool selection_credits_any(const struct selection *selection, uint32_t site, const bool *marked);

/** The row that a site is named by, filtered out or not. */
uint32_t selection_named_row(const struct selection *selection, uint32_t site);

/** All rows, also those of which filters left out everything: nothing is credited to them. */
size_t selection_row_count(const struct selection *selection);
/** Its key is never NULL.  That of a stack is made when it is asked for: few are shown, and all would
 * take more memory than everything else. */
const struct select_row *selection_row(const struct selection *selection, uint32_t row);
/** The order of two rows by key, as strcmp(); equal keys by number. */
int selection_compare_keys(const struct selection *selection, uint32_t left, uint32_t right);

/** Visible frames of a site (after show and hide), newest first, as positions in its stack. Returns
 * how many; at most site depth are written to `positions`. */
size_t selection_visible(const struct selection *selection, uint32_t site, uint32_t *positions);

/** The row that a visible frame is by itself, where `cumulative` groups by frame; SNAP_NONE when
 * nothing is credited to it. */
uint32_t selection_row_at(const struct selection *selection, uint32_t site, uint32_t position);

/** "parse src/parse.c:40", "main (app)", "0x1234": a frame in words, into `buffer`; returns buffer.
 */
const char *select_frame_text(const struct dataset *dataset, const struct dataset_frame *frame,
			      char *buffer, size_t size);

#endif
