/*
 * message.c - print messages on standard error, with the command's name.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char *speaker;

void cli_speak_as(const char *command)
{
	speaker = command;
}

/*
 * In one write: another process may share the terminal.  A line that begins with text from a file
 * could be mistaken for our own, or be obeyed by a program that reads the log.  So only errors made
 * by fail() may have several lines.
 */
__attribute__((format(printf, 3, 0))) static void say(const char *kind, const char *kept,
						      const char *format, va_list args)
{
	char sentence[2048];

	vsnprintf(sentence, sizeof(sentence), format, args);
	utf8_make_printable(sentence, kept);
	fprintf(stderr, "snapdiff%s%s: %s%s\n", speaker ? " " : "", speaker ? speaker : "", kind,
		sentence);
}

void cli_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", "\n\t", format, args);
	va_end(args);
}

void cli_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", "\t", format, args);
	va_end(args);
}

void cli_print_warning(void *user, const struct notice *notice)
{
	char *text = notice_text(notice);

	(void)user;
	if (!notice_is_remark(notice))
		cli_warn("%s", text ? text : "out of memory for a warning");
	free(text);
}

const char *cli_version(void)
{
	return SNAPDIFF_VERSION;
}
