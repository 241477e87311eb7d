/*
 * suppression_file.c - files that the user names: text, and suppressions.
 */
#include "suppression_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_FILE_MAX = 1 << 20 };

enum snap_status text_file_read(const char *path, char **text, struct snap_error *err)
{
	FILE *in = fopen(path, "re");
	size_t size = 0;

	*text = NULL;
	if (!in)
		return fail(err, errno == ENOENT ? SNAP_ENOTFOUND : SNAP_EIO,
			    "%s: cannot be read: %s", path, strerror(errno));
	*text = malloc(TEXT_FILE_MAX + 1);
	if (*text)
		size = fread(*text, 1, TEXT_FILE_MAX + 1, in);
	fclose(in);
	if (!*text)
		return fail_memory(err, "reading a file");
	if (size <= TEXT_FILE_MAX && !memchr(*text, '\0', size)) {
		(*text)[size] = '\0';
		return SNAP_OK;
	}
	free(*text);
	*text = NULL;
	return fail(err, SNAP_EUSAGE, "%s: is no text file of at most 1 MiB", path);
}

enum snap_status suppression_files_read(struct suppressions *out, const char *const *paths,
					size_t count, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	char *text;

	*out = (struct suppressions){0};
	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		st = text_file_read(paths[i], &text, err);
		if (st == SNAP_OK)
			st = suppressions_parse(out, text, paths[i], err);
		free(text);
	}
	if (st != SNAP_OK)
		suppressions_release(out);
	return st;
}

int suppression_today(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return 0;
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}
