/*
 * preload/loaded.h - which loaded object an address belongs to.
 */
#ifndef SNAP_PRELOAD_LOADED_H
#define SNAP_PRELOAD_LOADED_H

#include <stdbool.h>

struct snap__loaded {
	const void *base; /* tells objects apart */
	const char *path; /* as the loader has it: empty for the program itself, with glibc */
};

/** False if no object is there, or `address` is NULL.  Cheaper than dladdr(), which looks at every
 *  symbol of the object. */
bool snap__loaded_at(const void *address, struct snap__loaded *out);

/** Look-ups of ours may have failed: the next dlerror() of the host does not tell of them, and the block that
 * holds the message is free. */
void snap__loaded_forget_errors(void);

#endif
