/*
 * read/error.h - a status and its sentence, written where the facts are known.
 */
#ifndef SNAP_READ_ERROR_H
#define SNAP_READ_ERROR_H

#include <stdint.h>

#include "snap/status.h"

/** Fill `err` (may be NULL) with "NAME: ..." and return `st`. */
enum snap_status snap__fail(struct snap_error *err, enum snap_status st, const char *name,
			    const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The same with "NAME: byte OFFSET: ...". */
enum snap_status snap__fail_at(struct snap_error *err, enum snap_status st, const char *name,
			       uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
