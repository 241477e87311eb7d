/*
 * base/choices.h - names that options take, and the values that other rooms get.
 *
 * The options are in cli/; snapshots/ and analysis/ use the values, and do not know cli/.
 */
#ifndef BASE_CHOICES_H
#define BASE_CHOICES_H

/** The order of snapshots that do not know their place in a series; and the names, as --order takes
 * them. */
enum snapshots_order { SNAPSHOTS_BY_TIME, SNAPSHOTS_BY_NAME, SNAPSHOTS_AS_GIVEN };
extern const char *const snapshots_order_names[];

/** Which snapshot of a directory is meant where one is wanted; and their names, as --at takes
 * them. */
enum snapshots_moment {
	MOMENT_FULLEST_IF_ENDED, /* the newest; at a program's end, the fullest: see choose.c */
	MOMENT_PEAK,
	MOMENT_EXIT,
	MOMENT_NEWEST,
};
extern const char *const snapshots_moment_names[];

/** What makes a row of a report; and the names, as --group takes them. */
enum group_key {
	GROUP_LINE,     /* function, file and line (and module, where the file is unknown) */
	GROUP_FUNCTION, /* function and module */
	GROUP_FILE,
	GROUP_MODULE,
	GROUP_STACK, /* this and the following: not by frame */
	GROUP_DOMAIN,
	GROUP_TYPE, /* of objects; their stacks are grouped by function */
};
extern const char *const group_key_names[];

/** What is counted of a call stack (figures.def); the names, as --metric takes them; and the names
 * of their columns. */
enum figure {
#define FIGURE(id, option, column) FIGURE_##id,
#include "base/figures.def"
#undef FIGURE
	FIGURES
};
extern const char *const figure_names[];
extern const char *const figure_column_names[FIGURES];

/** How much two call stacks must agree to count as the same one, from most to least; and the names,
 * as --match takes them. */
enum pair_level {
	PAIR_EXACT,    /* build-id and address of every location */
	PAIR_LINE,     /* function, file and line of every frame */
	PAIR_FUNCTION, /* function and module of every frame */
	PAIR_FUZZY,    /* alike: see pair_fuzzy.c */
	PAIR_NONE,     /* unpaired: its name is the NULL that ends the names */
};
extern const char *const pair_level_names[];

#endif
