/*
 * base/fail.h - say what went wrong, once, where the facts are known.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <errno.h>

#include "snap/status.h"

/** The command line, or a name on it, is ambiguous or wrong.  Only the command uses this status,
 * because the library has no command line.  The library's numbers are much lower. */
#define SNAP_EUSAGE ((enum snap_status)64)

/** The named snapshots are no series.  This is also a wrong use, except for callers that can do
 * without a series. */
#define SNAP_ENOSERIES ((enum snap_status)65)

/** Fill err->status and err->message (printf style, one line, cut if too long); err may be NULL. */
void fail_say(struct snap_error *err, enum snap_status st, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline enum snap_status fail_status(enum snap_status st)
{
	return st;
}

/** fail_say() as an expression whose value is `st`.  It is a macro, so that compilers and
 * analyzers see that a failure is never SNAP_OK. */
#define fail(err, st, ...) (fail_say((err), (st), __VA_ARGS__), fail_status(st))

/** The status of a file that was not opened or read: what the process or the system lacks is no
 * fault of the file. */
static inline enum snap_status fail_status_of_file(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ? SNAP_ESYSTEM : SNAP_EIO;
}

/** The same for "memory ran out while ...". */
static inline enum snap_status fail_memory(struct snap_error *err, const char *doing)
{
	return fail(err, SNAP_ENOMEM, "out of memory while %s", doing);
}

#endif
