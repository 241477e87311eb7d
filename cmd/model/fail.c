/*
 * fail.c - say what went wrong, once, where the facts are known.
 */
#include "model/fail.h"

#include <stdarg.h>
#include <stdio.h>

enum snap_status fail(struct snap_error *err, enum snap_status status, const char *format, ...)
{
	va_list args;

	if (!err)
		return status;
	err->status = status;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	return status;
}

enum snap_status fail_memory(struct snap_error *err, const char *doing)
{
	return fail(err, SNAP_ENOMEM, "out of memory while %s", doing);
}
