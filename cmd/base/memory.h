/*
 * base/memory.h - what happens when memory is out, and how much of it we may take.
 *
 * Running out of memory is an error like others: a function returns SNAP_ENOMEM, with a sentence
 * (fail_memory()), and undoes what it has begun.  This holds wherever files are read, symbolised,
 * loaded into a database and summed.
 *
 * There is one exception, and one door for it: memory_need().  Reports are built of values, and
 * names are compared as values, by functions whose result is used within an expression:
 * value_text(), report_text(), name_bare(), stats_theil_sen().  Some hundred lines call each of
 * them.  An error path behind each line would be code that nobody reads and no test reaches; and a
 * report that lacks a part because one was forgotten would look like a report.  At that point
 * nothing is left that had to be undone: the databases are closed to writing, and what is printed
 * is thrown away.  So these functions do not return without memory.  They call the function that
 * main() has set.  It removes an incomplete output file, says that memory ran out, and ends the
 * program with the exit code for failures of the system.
 *
 * The child that reads modules (symbols/worker.h) sets a function of its own: the command loses the
 * names of one module, and says so.
 *
 * No library ends the program by itself.  A test allows the door in five rooms only: model/
 * (names), symbols/ (that child), analysis/ (numbers), report/ and render/; and exit() in none.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ends the program. */
typedef void memory_failed_fn(const char *doing);

/** Set the function that is called when memory is out.  Without one, the program aborts. */
void memory_on_failure(memory_failed_fn *fn);

/**
 * From now on, the process keeps freed memory and uses it again.  A report makes and frees arrays
 * of many megabytes one after the other; the kernel would clear each page anew.
 */
void memory_keep(void);

/** Returns `memory` if it is not NULL; otherwise memory ran out while `doing`. */
void *memory_need(void *memory, const char *doing);

/**
 * Nearly all of `block` is about to be written.  The kernel gives memory page by page when it is
 * touched, which takes longer than to fill it: for a large block, ask for large pages.
 */
void memory_will_be_filled(void *block, size_t size);

/**
 * Take at most `bytes` from now on (0: half of the machine's memory, or of the cgroup's).  Larger
 * requests fail, so that a small hostile file cannot take all memory of the machine.  Without
 * effect where a sanitizer needs the address space.
 */
void memory_limit(uint64_t bytes);

/** False where a sanitizer needs the address space. */
bool memory_can_be_limited(void);

/** The limit in bytes; 0 when there is none. */
uint64_t memory_limited_to(void);

/** In a child process that runs a command of the user's: the limit is ours, not its. */
void memory_lift_limit(void);

#endif
