/*
 * base/choices.h - which snapshot is meant, and in which order several follow each other.
 *
 * Options take these by name (cli/), and snapshots/ does as they say; neither knows the other.
 */
#ifndef BASE_CHOICES_H
#define BASE_CHOICES_H

/** The order in which snapshots that do not say their place in a series follow each other; and the
 * names, as --order takes them. */
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

#endif
