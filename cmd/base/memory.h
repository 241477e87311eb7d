/*
 * base/memory.h - allocation that cannot fail, for building and rendering reports, and its limit.
 *
 * A report that lacks a part must not be printed.  So these functions do not return without memory:
 * they call a function of the program, which ends it.  A library does not end the program itself.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/** Ends the program. */
typedef void memory_failed_fn(const char *doing);

/** Set the function that is called when memory is out.  Without one, the program aborts. */
void memory_on_failure(memory_failed_fn *fn);

/** Returns `memory` if it is not NULL; otherwise memory ran out while `doing`. */
void *memory_need(void *memory, const char *doing);

/**
 * Take at most `bytes` from now on (0: half of the machine's memory, or of the cgroup's): what is
 * more fails, so that a small hostile file cannot take the machine.  Without effect where a
 * sanitizer needs the address space.
 */
void memory_limit(uint64_t bytes);

/** False where a sanitizer needs the address space. */
bool memory_can_be_limited(void);

/** The limit in bytes; 0 when there is none. */
uint64_t memory_limited_to(void);

/** In a child process that runs a command of the user's: the limit is ours, not its. */
void memory_lift_limit(void);

#endif
