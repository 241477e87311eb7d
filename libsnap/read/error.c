/*
 * error.c - sentences of the reader.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "read/error.h"

/* Longer names are cut, so that there is room for what went wrong. */
#define NAME_SHOWN 200

_Static_assert(NAME_SHOWN + 40 < sizeof(((struct snap_error *)0)->message), "room for a sentence");

/* Keep it one line: a newline in a file's name could forge a message. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r')
			*text = '?';
}

enum snap_status snap__fail(struct snap_error *err, enum snap_status st, const char *name,
			    const char *format, ...)
{
	va_list arguments;
	size_t used;

	if (!err)
		return st;
	err->status = st;
	used = (size_t)snprintf(err->message, sizeof(err->message), "%.*s: ", NAME_SHOWN, name);
	va_start(arguments, format);
	vsnprintf(err->message + used, sizeof(err->message) - used, format, arguments);
	va_end(arguments);
	make_one_line(err->message);
	return st;
}

enum snap_status snap__fail_at(struct snap_error *err, enum snap_status st, const char *name,
			       uint64_t offset, const char *format, ...)
{
	va_list arguments;
	size_t used;

	if (!err)
		return st;
	err->status = st;
	used = (size_t)snprintf(err->message, sizeof(err->message), "%.*s: byte %" PRIu64 ": ",
				NAME_SHOWN, name, offset);
	va_start(arguments, format);
	vsnprintf(err->message + used, sizeof(err->message) - used, format, arguments);
	va_end(arguments);
	make_one_line(err->message);
	return st;
}
