/*
 * suppression_file.c - files that the user names: text, and suppressions.
 */
#include "suppression_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fill.h"

enum { TEXT_FILE_MAX = 1 << 20 };

static enum snap_status cannot_read(const char *path, int error, struct snap_error *err)
{
	enum snap_status st = error == ENOENT ? SNAP_ENOTFOUND : fail_status_of_file(error);

	return fail(err, st, "%s: cannot be read: %s", path, strerror(error));
}

/* A part of a policy or of the suppressions must not judge: either the whole file is read, or it is
   an error. */
static enum snap_status read_whole(int fd, const char *path, char text[TEXT_FILE_MAX + 1],
				   struct snap_error *err)
{
	ssize_t size = fill(fd, text, TEXT_FILE_MAX + 1);

	if (size < 0)
		return cannot_read(path, errno, err);
	if (size > TEXT_FILE_MAX || memchr(text, '\0', (size_t)size))
		return fail(err, SNAP_EUSAGE, "%s: is no text file of at most 1 MiB", path);
	text[size] = '\0';
	return SNAP_OK;
}

enum snap_status text_file_read(const char *path, char **text, struct snap_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum snap_status st;

	*text = NULL;
	if (fd < 0)
		return cannot_read(path, errno, err);
	*text = malloc(TEXT_FILE_MAX + 1);
	st = *text ? read_whole(fd, path, *text, err) : fail_memory(err, "reading a file");
	close(fd);
	if (st != SNAP_OK) {
		free(*text);
		*text = NULL;
	}
	return st;
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
