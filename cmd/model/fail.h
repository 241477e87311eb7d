/*
 * model/fail.h - say what went wrong, once, where the facts are known.
 */
#ifndef MODEL_FAIL_H
#define MODEL_FAIL_H

#include "snap/status.h"

/** Fill err->status and err->message (printf style, one line, cut if too long); err may be NULL.
 * Returns `status`. */
enum snap_status fail(struct snap_error *err, enum snap_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The same for "memory ran out while ...". */
enum snap_status fail_memory(struct snap_error *err, const char *doing);

#endif
