/*
 * tracemalloc/source_lines.c - lines of source files below one directory, by the names that dumps
 * give them.
 */
#include "tracemalloc/source_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/regular.h"

enum { FILE_MAX = 64 << 20 }; /* a larger file is not taken for source code */

struct source {
	bool looked_for;
	char *text;
	size_t size;
	size_t *lines; /* where each begins; one more than there are, for the end */
	size_t line_count;
};

struct source_lines {
	int directory;
	struct source *files;
	size_t file_count;
	bool failed;
};

enum snap_status source_lines_open(struct source_lines **out, const char *directory,
				   size_t file_count, struct snap_error *err)
{
	struct source_lines *sources = calloc(1, sizeof(*sources));
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (!sources)
		return fail_memory(err, "looking for source lines");
	sources->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sources->file_count = file_count;
	sources->files = calloc(file_count + 1, sizeof(*sources->files));
	if (sources->directory < 0)
		st = fail(err, fail_status_of_file(errno), "%s: %s", directory, strerror(errno));
	else if (!sources->files)
		st = fail_memory(err, "looking for source lines");
	if (st == SNAP_OK)
		*out = sources;
	else
		source_lines_free(sources);
	return st;
}

void source_lines_free(struct source_lines *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; sources->files && i < sources->file_count; i++) {
		free(sources->files[i].text);
		free(sources->files[i].lines);
	}
	free(sources->files);
	if (sources->directory >= 0)
		close(sources->directory);
	free(sources);
}

/* ---- finding a file ---- */

static bool leads_up(const char *name)
{
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return true;
	}
	return false;
}

/* The longest end of `name` that is a file below the directory. */
static int find(int directory, const char *name, uint64_t *size)
{
	if (leads_up(name))
		return -1;
	for (const char *end = name; end; end = strchr(end, '/')) {
		int fd;

		end += strspn(end, "/");
		fd = regular_open(directory, end, FILE_MAX, size);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* ---- reading it ---- */

static bool read_text(struct source *source, int fd, size_t size)
{
	source->text = malloc(size + 1);
	while (source->text && source->size < size) {
		ssize_t got = read(fd, source->text + source->size, size - source->size);

		if (got <= 0)
			break;
		source->size += (size_t)got;
	}
	return source->text != NULL;
}

static bool index_lines(struct source *source)
{
	const char *end = source->text + source->size;
	size_t count = 1;

	for (const char *at = source->text; at < end && (at = memchr(at, '\n', (size_t)(end - at)));
	     at++)
		count++;
	source->lines = calloc(count + 1, sizeof(*source->lines));
	if (!source->lines)
		return false;
	for (const char *at = source->text; at < end && (at = memchr(at, '\n', (size_t)(end - at)));
	     at++)
		source->lines[++source->line_count] = (size_t)(at - source->text) + 1;
	source->lines[++source->line_count] = source->size;
	return true;
}

static void look_for(struct source_lines *sources, struct source *source, const char *name)
{
	uint64_t size = 0;
	int fd = find(sources->directory, name, &size);

	source->looked_for = true;
	if (fd < 0)
		return;
	if (!read_text(source, fd, size) || !index_lines(source))
		sources->failed = true;
	close(fd);
}

bool source_lines_failed(const struct source_lines *sources)
{
	return sources->failed;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

struct snap_text source_line_whole(struct source_lines *sources, size_t file, const char *name,
				   uint32_t line)
{
	struct source *source = &sources->files[file];
	const char *first, *end;

	if (!source->looked_for)
		look_for(sources, source, name);
	if (!source->lines || line == 0 || line > source->line_count)
		return (struct snap_text){"", 0};
	first = source->text + source->lines[line - 1];
	end = source->text + source->lines[line];
	while (first < end && is_space(end[-1]))
		end--;
	return (struct snap_text){first, (size_t)(end - first)};
}

struct snap_text source_line(struct source_lines *sources, size_t file, const char *name,
			     uint32_t line)
{
	struct snap_text text = source_line_whole(sources, file, name, line);

	while (text.size > 0 && is_space(*text.data)) {
		text.data++;
		text.size--;
	}
	return text;
}
