/*
 * base/progress.h - one line on the terminal that says how far long work is, and how long it will
 * take.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One kind of work; static or zeroed but for `what`. */
struct progress {
	const char *what; /* "loading snapshot" */
	uint64_t started_ns, shown_ns, done;
	bool visible;
};

/**
 * `done` of `total` pieces are done: print it on standard error, at most ten times a second, and
 * not in the first half second.  The work begins when `done` is not above what it was last; at
 * `total` the line is erased.  The caller has made sure that standard error is a terminal.
 */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/** "; about 2 min left": from the time that `done` of `total` pieces took.  "" before a guess is
 * worth it. */
void progress_left(char *out, size_t size, uint64_t elapsed_ns, uint64_t done, uint64_t total);

#endif
