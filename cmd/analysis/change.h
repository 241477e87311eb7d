/*
 * analysis/change.h - what changed between two snapshots: paired stacks, summed up in rows.
 *
 * Stacks are paired first; grouping follows, labelled by the new side.
 */
#ifndef ANALYSIS_CHANGE_H
#define ANALYSIS_CHANGE_H

#include "analysis/pairing/pair.h"
#include "analysis/select.h"

enum change_status {
	CHANGE_NEW,
	CHANGE_GONE,
	CHANGE_GREW,
	CHANGE_SHRANK,
	CHANGE_SAME,
	CHANGE_MOVED,
	CHANGE_UNKNOWN /* a side does not say how much it holds */
};

struct change_row {
	struct figures old, new;
	uint32_t old_only, new_only, paired; /* stacks */
	enum pair_level weakest;             /* of its pairs; PAIR_NONE when it has none */
	double similarity;                   /* least of its fuzzy pairs */
	uint32_t heaviest; /* the pair that holds most on either side: index into pairs */
	enum change_status status;
	int direction; /* 1 up, -1 down, 0 the same, whatever the status is */
};

struct changes {
	struct change_row *
		rows; /* one per row of the selection; those without stacks have paired = ... = 0 */
	size_t count;
};

/** How long the two runs were, in the caller's unit: seconds, requests.  Above 0. */
struct change_units {
	double old, new;
};

/** Which sites of a side (old or new) count towards which rows: a site counts where its pair is
 * credited.  False when memory is out. */
bool changes_credits(const struct selection *selection, const struct dataset *dataset,
		     const struct pairing *pairing, bool new, struct credits *credits);

/** What the rows of `selection` hold on each side.  NULL: add up the cells of the sides, which
 * are then medians that the store does not have. */
struct change_sums {
	const struct row_sum *old, *new;
};

/** Join `pairing` and `sums` in the rows of `selection` and judge each by `figure`; per unit, where
 * `units` is not NULL.  Release with changes_release(). */
enum snap_status changes_compute(struct changes *changes, const struct selection *selection,
				 const struct pairing *pairing, const struct pair_sides *sides,
				 const struct change_sums *sums, enum figure figure,
				 const struct change_units *units, struct snap_error *err);
void changes_release(struct changes *changes);

/** True for a row that any stack is credited to. */
bool change_has_stacks(const struct change_row *row);

/** New minus old, each divided by its side's units; 0 when either figure is unknown. */
double change_per_unit(const struct change_row *row, enum figure figure,
		       const struct change_units *units);

/** "new", "gone", "grew", "shrank", "same", "moved"; NULL for CHANGE_UNKNOWN. */
const char *change_status_name(enum change_status status);

/** The site whose rows a pair is credited to: the new one if it exists, else the one of its twin, else
 * the old one. */
uint32_t change_label_site(const struct pair *pair);

/**
 * What differs between the two stacks of a pair, in words: "line 40 -> 47", "renamed: a -> b",
 * "moved: x.c -> y.c", "inlined into parse".  `*words` is malloc'ed; NULL when nothing that a
 * person could see differs.  False when memory is out.
 */
bool change_text(const struct dataset *dataset, const struct pair *pair, char **words);

#endif
