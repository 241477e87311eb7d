/*
 * own_code.c - options and configuration files become the rules of own code.
 *
 * A configuration is lines of `own GLOB` and `library GLOB`; `#` begins a comment.
 */
#include "report/own_code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/fill.h"
#include "base/pattern.h"
#include "base/regular.h"
#include "model/own.h"

enum { MOST_BYTES = 64 * 1024, MOST_PATH = 4096 };

struct glob_list {
	const char **globs;
	size_t count, capacity;
};

/* Rules live until the process ends. */
static struct glob_list all_own, all_library;
static struct own_rules rules;

static bool add_glob(struct glob_list *list, const char *glob)
{
	if (!array_reserve(&list->globs, &list->capacity, list->count, sizeof(*list->globs)))
		return false;
	list->globs[list->count++] = glob;
	return true;
}

static enum snap_status add_list(struct glob_list *list, const struct text_list *from,
				 const char *option, struct snap_error *err)
{
	for (size_t i = 0; from && i < from->count; i++) {
		const char *problem = glob_problem(from->items[i]);

		if (problem)
			return fail(err, SNAP_EUSAGE, "--%s: '%s' is not a pattern: %s", option,
				    from->items[i], problem);
		if (!add_glob(list, from->items[i]))
			return fail_memory(err, "reading a configuration");
	}
	return SNAP_OK;
}

static enum snap_status read_line(char *line, const char *path, unsigned number,
				  struct snap_error *err)
{
	char *rest = NULL, *word, *glob;
	struct glob_list *list;
	char *copy;

	line[strcspn(line, "#\r")] = 0;
	word = strtok_r(line, " \t", &rest);
	if (!word)
		return SNAP_OK;
	glob = strtok_r(NULL, " \t", &rest);
	list = strcmp(word, "own") == 0       ? &all_own
	       : strcmp(word, "library") == 0 ? &all_library
					      : NULL;
	if (!list || !glob || strtok_r(NULL, " \t", &rest))
		return fail(err, SNAP_EUSAGE,
			    "%s:%u: a line is 'own GLOB' or 'library GLOB', not '%s'", path, number,
			    word);
	if (glob_problem(glob))
		return fail(err, SNAP_EUSAGE, "%s:%u: '%s' is not a pattern: %s", path, number,
			    glob, glob_problem(glob));
	copy = strdup(glob);
	if (copy && add_glob(list, copy))
		return SNAP_OK; /* NOLINT(clang-analyzer-unix.Malloc): the list keeps it */
	free(copy);
	return fail_memory(err, "reading a configuration");
}

static enum snap_status read_text(char *text, const char *path, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	char *next;

	for (unsigned number = 1; st == SNAP_OK && text; text = next, number++) {
		next = strchr(text, '\n');
		if (next)
			*next++ = 0;
		st = read_line(text, path, number, err);
	}
	return st;
}

/* Read a whole file of moderate size; SNAP_ENOTFOUND when there is none. */
static enum snap_status read_file(const char *path, char text[MOST_BYTES + 1],
				  struct snap_error *err)
{
	int fd = regular_open(AT_FDCWD, path, MOST_BYTES, NULL);
	ssize_t size;
	int error;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EISDIR))
		return SNAP_ENOTFOUND;
	if (fd < 0 && (errno == EINVAL || errno == EFBIG))
		return fail(err, SNAP_EUSAGE,
			    "%s: is not a configuration file, which has at most 64 KiB", path);
	if (fd < 0)
		return fail(err, SNAP_ESYSTEM, "%s: %s", path, strerror(errno));
	size = fill(fd, text, MOST_BYTES);
	error = errno;
	close(fd);
	if (size < 0)
		return fail(err, SNAP_ESYSTEM, "%s: %s", path, strerror(error));
	text[size] = 0;
	return SNAP_OK;
}

static enum snap_status read_configuration(const char *path, bool required, struct snap_error *err)
{
	char *text = malloc(MOST_BYTES + 1);
	enum snap_status st =
		text ? read_file(path, text, err) : fail_memory(err, "reading a configuration");

	if (st == SNAP_OK)
		st = read_text(text, path, err);
	else if (st == SNAP_ENOTFOUND)
		st = required ? fail(err, SNAP_EUSAGE, "%s: there is no such configuration", path)
			      : SNAP_OK;
	free(text);
	return st;
}

static enum snap_status read_configurations(struct snap_error *err)
{
	const char *named = getenv("SNAPDIFF_CONFIG"), *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char path[MOST_PATH];
	enum snap_status st;

	if (named)
		return *named ? read_configuration(named, true, err) : SNAP_OK;
	st = read_configuration(".snapdiff", false, err);
	if (base && *base)
		snprintf(path, sizeof(path), "%s/snapdiff/config", base);
	else
		snprintf(path, sizeof(path), "%s/.config/snapdiff/config", home ? home : "");
	return st == SNAP_OK ? read_configuration(path, false, err) : st;
}

enum snap_status own_code_apply(const struct text_list *own, const struct text_list *library,
				bool native, struct snap_error *err)
{
	enum snap_status st;

	all_own.count = all_library.count = 0;
	st = add_list(&all_own, own, "own", err);
	if (st == SNAP_OK)
		st = add_list(&all_library, library, "library", err);
	if (st == SNAP_OK)
		st = read_configurations(err);
	if (st != SNAP_OK)
		return st;
	rules = (struct own_rules){all_own.globs, all_own.count, all_library.globs,
				   all_library.count, native};
	own_set_rules(&rules);
	return SNAP_OK;
}
