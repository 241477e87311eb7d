/*
 * fail.c - say what went wrong, once, where the facts are known.
 */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

void fail_say(struct snap_error *err, enum snap_status st, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	err->status = st;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	/* One line: with a newline in its name, a file would say something of its own. */
	for (char *c = err->message; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = '?';
}
