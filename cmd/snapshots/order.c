/*
 * order.c - list the files that the user named, in the order in which they are loaded.
 *
 * Snapshots that say their place in a series (seq) keep it, however they are loaded.  Others, such
 * as tracemalloc dumps, follow each other as they are loaded: by the times of their files, unless
 * their names are numbered and the times are equal or contradict the numbers, as after a copy.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <stdlib.h>
#include <string.h>

#include "input/input.h"
#include "base/fail.h"

static enum snap_status add_file(struct snapshots_files *files, const char *path, bool listed,
				 struct snap_error *err)
{
	struct snapshots_file *larger =
		reallocarray(files->files, files->count + 1, sizeof(*larger));

	if (!larger)
		return fail_memory(err, "listing snapshots");
	files->files = larger;
	larger[files->count] = (struct snapshots_file){
		.path = strdup(path), .listed = listed, .place = files->count};
	return larger[files->count++].path ? SNAP_OK : fail_memory(err, "listing snapshots");
}

static enum snap_status add_directory(struct snapshots *snapshots, struct snapshots_files *files,
				      const char *dir, struct snap_error *err)
{
	char **paths = NULL;
	size_t count = 0;
	enum snap_status st = snapshots_list_directory(snapshots, dir, &paths, &count, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		st = add_file(files, paths[i], true, err);
	input_free_list(paths, count);
	return st;
}

static int compare_places(const struct snapshots_file *a, const struct snapshots_file *b)
{
	return a->place < b->place ? -1 : a->place > b->place;
}

static int compare_names(const void *a, const void *b)
{
	const struct snapshots_file *x = a, *y = b;
	int order = strverscmp(x->path, y->path);

	return order ? order : compare_places(x, y);
}

static int compare_times(const void *a, const void *b)
{
	const struct snapshots_file *x = a, *y = b;
	int order = input_compare_times(&x->time, &y->time);

	return order ? order : compare_places(x, y);
}

/* Are the files ordered only by their times, and do their names differ only in numbers? */
static bool are_numbered(const struct snapshots_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (!files->files[i].time.of_file ||
		    !input_same_but_numbers(files->files[0].path, files->files[i].path))
			return false;
	return true;
}

static bool is_ordered(const struct snapshots_files *files,
		       int (*compare)(const void *a, const void *b))
{
	for (size_t i = 1; i < files->count; i++)
		if (compare(&files->files[i - 1], &files->files[i]) > 0)
			return false;
	return true;
}

static bool has_equal_times(const struct snapshots_files *files)
{
	for (size_t i = 1; i < files->count; i++)
		if (input_compare_times(&files->files[i - 1].time, &files->files[i].time) == 0)
			return true;
	return false;
}

static void warn(const struct snapshots *snapshots, enum notice_kind kind)
{
	snapshots_notice(snapshots, &(struct notice){.kind = kind});
}

/* Files named one by one, that only their own time orders, may be meant otherwise. */
static void warn_if_moved(const struct snapshots *snapshots, const struct snapshots_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct snapshots_file *file = &files->files[i];

		if (file->place == i || file->listed || !file->time.of_file)
			continue;
		warn(snapshots, NOTICE_ORDER_NOT_AS_NAMED);
		return;
	}
}

static bool all_of_file(const struct snapshots_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (!files->files[i].time.of_file)
			return false;
	return true;
}

/* The files are in the order of their times: is that plausible? */
static void check_times(const struct snapshots *snapshots, struct snapshots_files *files)
{
	bool equal = has_equal_times(files);

	if (are_numbered(files)) {
		if (!equal && is_ordered(files, compare_names))
			return;
		warn(snapshots, equal ? NOTICE_ORDER_BY_NUMBERS : NOTICE_ORDER_CONTRADICTS);
		qsort(files->files, files->count, sizeof(*files->files), compare_names);
		return;
	}
	if (equal && all_of_file(files))
		warn(snapshots, NOTICE_ORDER_UNKNOWN);
	else
		warn_if_moved(snapshots, files);
}

static enum snap_status put_in_order(struct snapshots *snapshots, struct snapshots_files *files,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (snapshots->options.order == SNAPSHOTS_AS_GIVEN || files->count < 2)
		return SNAP_OK;
	if (snapshots->options.order == SNAPSHOTS_BY_NAME) {
		qsort(files->files, files->count, sizeof(*files->files), compare_names);
		return SNAP_OK;
	}
	for (size_t i = 0; st == SNAP_OK && i < files->count; i++) {
		struct snapshots_file *file = &files->files[i];

		if (strcmp(file->path, "-") == 0)
			return SNAP_OK; /* nothing is known about the file yet */
		st = input_read_time(file->path, &file->time, err);
	}
	if (st != SNAP_OK)
		return st;
	qsort(files->files, files->count, sizeof(*files->files), compare_times);
	check_times(snapshots, files);
	return SNAP_OK;
}

enum snap_status snapshots_files_of(struct snapshots *snapshots, const char *const *names,
				    size_t name_count, struct snapshots_files *files,
				    struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*files = (struct snapshots_files){0};
	for (size_t i = 0; st == SNAP_OK && i < name_count; i++) {
		if (snapshots_is_directory(names[i]))
			st = add_directory(snapshots, files, names[i], err);
		else
			st = add_file(files, names[i], false, err);
	}
	if (st == SNAP_OK)
		st = put_in_order(snapshots, files, err);
	if (st != SNAP_OK)
		snapshots_files_free(files);
	return st;
}

void snapshots_files_free(struct snapshots_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->files[i].path);
	free(files->files);
	*files = (struct snapshots_files){0};
}
