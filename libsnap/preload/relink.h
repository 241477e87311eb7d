/*
 * preload/relink.h - redirect a module's calls of one function to another.
 *
 * A module calls functions of others through pointers that the loader fills in (its global offset
 * table).  Where such a pointer leads to a function that has a substitute, the substitute takes its
 * place.  Unlike a symbol of our own, this has no effect in a process without the function.
 */
#ifndef SNAP_PRELOAD_RELINK_H
#define SNAP_PRELOAD_RELINK_H

#include <stddef.h>
#include <stdint.h>

struct snap__substitute {
	const char *name; /* of the symbol */
	void *theirs;     /* what it leads to now; NULL: there is none */
	void *ours;
};

/** Go through all modules that are loaded, but for libsnap and those that define a `theirs`.  The
 *  array must stay: modules that are met later are treated the same. */
void snap__relink_all(const struct snap__substitute *substitutes, size_t count);

#endif
