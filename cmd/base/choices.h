/*
 * base/choices.h - which snapshot is meant, and in which order several follow each other.
 *
 * Options take these by name (cli/), and snapshots/ does as they say; neither knows the other.
 */
#ifndef BASE_CHOICES_H
#define BASE_CHOICES_H

/** The order in which snapshots that do not say their place in a series follow each other; and the
 * names, as --order takes them. */
enum session_order { SESSION_BY_TIME, SESSION_BY_NAME, SESSION_AS_GIVEN };
extern const char *const session_order_names[];

/** Which snapshot of a directory is meant where one is wanted; and their names, as --at takes
 * them. */
enum session_moment {
	MOMENT_FULLEST_IF_ENDED, /* the newest; at a program's end, the fullest: see choose.c */
	MOMENT_PEAK,
	MOMENT_EXIT,
	MOMENT_NEWEST,
};
extern const char *const session_moment_names[];

#endif
