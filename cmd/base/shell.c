/*
 * shell.c - names in commands that people copy into a shell.
 */
#include "base/shell.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* A shell takes it as one word without quotes. */
static bool is_plain(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123"
					  "456789_./@%+=:,-")] == 0;
}

static bool has_controls(const char *text)
{
	bool obeyed = false;

	while (*text && !obeyed)
		text += utf8_step(text, &obeyed);
	return obeyed;
}

/* Write one byte inside '...', or inside $'...' if `dollar`.  `obeyed`: it belongs to a character
   that a terminal obeys. */
static void put(FILE *out, unsigned char byte, bool dollar, bool obeyed)
{
	if (obeyed)
		fprintf(out, "\\%03o", byte);
	else if (dollar && (byte == '\'' || byte == '\\'))
		fprintf(out, "\\%c", byte);
	else if (byte == '\'')
		fputs("'\\''", out);
	else
		fputc(byte, out);
}

char *shell_word(const char *text)
{
	bool dollar = has_controls(text);
	char *word = NULL;
	size_t size;
	FILE *out;

	if (is_plain(text))
		return strdup(text);
	out = open_memstream(&word, &size);
	if (!out)
		return NULL;
	fputs(dollar ? "$'" : "'", out);
	while (*text) {
		bool obeyed;
		size_t length = utf8_step(text, &obeyed);

		for (; length; length--)
			put(out, (unsigned char)*text++, dollar, obeyed);
	}
	fputc('\'', out);
	if (fclose(out) == 0)
		return word;
	free(word);
	return NULL;
}
