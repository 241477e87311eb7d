/*
 * error.c - sentences of the reader.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "read/error.h"

/* Names longer than this are cut: what went wrong matters more. */
#define NAME_SHOWN 200

__attribute__((format(printf, 3, 0))) static void append(struct snap_error *err, int used,
							 const char *format, va_list arguments)
{
	if (used >= 0 && (size_t)used < sizeof(err->message))
		vsnprintf(err->message + used, sizeof(err->message) - (size_t)used, format,
			  arguments);
}

enum snap_status snap__fail(struct snap_error *err, enum snap_status status, const char *name,
			    const char *format, ...)
{
	va_list arguments;
	int used;

	if (!err)
		return status;
	err->status = status;
	used = snprintf(err->message, sizeof(err->message), "%.*s: ", NAME_SHOWN, name);
	va_start(arguments, format);
	append(err, used, format, arguments);
	va_end(arguments);
	return status;
}

enum snap_status snap__fail_at(struct snap_error *err, enum snap_status status, const char *name,
			       uint64_t offset, const char *format, ...)
{
	va_list arguments;
	int used;

	if (!err)
		return status;
	err->status = status;
	used = snprintf(err->message, sizeof(err->message), "%.*s: byte %" PRIu64 ": ", NAME_SHOWN,
			name, offset);
	va_start(arguments, format);
	append(err, used, format, arguments);
	va_end(arguments);
	return status;
}
