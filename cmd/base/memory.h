/*
 * base/memory.h - memory that building and rendering a report cannot do without.
 *
 * These have no way to fail half way: what they would print is no report.  The program says what
 * happens then; a library does not end it.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/** Ends the program. */
typedef void memory_failed_fn(const char *doing);

/** Say what is called when memory is out.  Until then the program aborts. */
void memory_on_failure(memory_failed_fn *fn);

/** `memory`, which is not NULL: else memory ran out while `doing`. */
void *memory_need(void *memory, const char *doing);

#endif
