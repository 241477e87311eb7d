/*
 * directory.c - the snapshots of a directory, in order of capture.
 *
 * Only their meta is read.  Files being written (hidden, or named *.tmp) are left out.  A file that
 * is named like a snapshot and is none is damaged: it is always reported.
 */
#include "input/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "input/formats.h"
#include "base/fail.h"

struct entry {
	char *path;
	struct input_time time;
};

/* A file in no known format, and why. */
struct stranger {
	char *path, *why;
	bool empty;
};

struct listing {
	struct entry *entries;
	size_t count, room;
	struct stranger *strangers;
	size_t stranger_count, stranger_room;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int input_compare_times(const struct input_time *a, const struct input_time *b)
{
	int order = compare_numbers(a->start_time_ns, b->start_time_ns);

	if (!order)
		order = compare_numbers(a->pid, b->pid);
	if (!order)
		order = compare_numbers(a->seq, b->seq);
	if (!order)
		order = compare_numbers(a->time_ns, b->time_ns);
	return order;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = input_compare_times(&a->time, &b->time);

	return order ? order : strverscmp(a->path, b->path);
}

static void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->entries[i].path);
	free(listing->entries);
	for (size_t i = 0; i < listing->stranger_count; i++) {
		free(listing->strangers[i].path);
		free(listing->strangers[i].why);
	}
	free(listing->strangers);
}

static bool ends_in(const char *name, const char *end)
{
	size_t size = strlen(name), end_size = strlen(end);

	return size > end_size && strcmp(name + size - end_size, end) == 0;
}

static bool ends_in_snap(const char *name)
{
	return ends_in(name, ".snap") || ends_in(name, ".snap.gz") || ends_in(name, ".snap.zst");
}

static bool being_written(const char *name)
{
	size_t size = strlen(name);

	return name[0] == '.' || (size > 4 && strcmp(name + size - 4, ".tmp") == 0);
}

static void take_keys(struct input_time *time, const struct model *model)
{
	const char *trigger;

	time->start_time_ns = model_meta_u64(model, "start_time_ns", 0);
	time->pid = model_meta_u64(model, "pid", 0);
	time->ppid = model_meta_u64(model, "ppid", 0);
	time->seq = model_meta_u64(model, "seq", 0);
	time->time_ns = model_meta_u64(model, "time_ns", 0);
	time->live_bytes = model_meta_u64(model, "metrics.heap.live_bytes", 0);
	time->of_file = model_meta(model, "time_from") != NULL;
	trigger = model_meta(model, "trigger");
	time->at_exit = trigger && strcmp(trigger, "exit") == 0;
}

/** Read the keys that order snapshots.  A damaged file keeps its place by what could be read; it
 * has none if that is nothing. */
static enum snap_status read_keys(struct input_time *time, const struct format *format,
				  struct stream *stream, struct snap_error *err)
{
	struct model *model = model_new();
	enum snap_status st;

	if (model)
		model->source = strdup(stream->name);
	if (!model || !model->source) {
		model_free(model);
		return fail_memory(err, "listing a directory");
	}
	st = format->read_meta(model, stream, err);
	if (st == SNAP_OK && model->torn && !model->meta_count)
		st = fail(err, SNAP_ETRUNCATED, "%s", model->torn);
	if (st != SNAP_ENOMEM && model->meta_count)
		st = SNAP_OK;
	take_keys(time, model);
	model_free(model);
	return st;
}

static enum snap_status listing_add(struct listing *listing, const struct entry *entry,
				    struct snap_error *err)
{
	if (listing->count == listing->room) {
		size_t room = listing->room * 2 + 64;
		struct entry *moved = reallocarray(listing->entries, room, sizeof(*moved));

		if (!moved)
			return fail_memory(err, "listing a directory");
		listing->entries = moved;
		listing->room = room;
	}
	listing->entries[listing->count++] = *entry;
	return SNAP_OK;
}

/** Read the keys of a regular file, if it is a snapshot. */
static enum snap_status read_file_keys(const char *path, struct input_time *time, bool *is_snapshot,
				       struct snap_error *err)
{
	const struct format *format = NULL;
	struct stream *stream = NULL;
	enum snap_status st = stream_open(&stream, path, err);

	if (st == SNAP_OK)
		st = stream_unwrap(&stream, err);
	if (st == SNAP_OK)
		st = format_recognise(&format, stream, err);
	if (st == SNAP_OK)
		st = read_keys(time, format, stream, err);
	stream_close(stream);
	*is_snapshot = format != NULL;
	return st;
}

enum snap_status input_read_time(const char *path, struct input_time *time, struct snap_error *err)
{
	bool is_snapshot;
	struct stat info;

	*time = (struct input_time){0};
	if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
		return SNAP_OK;
	if (read_file_keys(path, time, &is_snapshot, NULL) == SNAP_ENOMEM)
		return fail_memory(err, "ordering snapshots");
	return SNAP_OK;
}

static enum snap_status add_stranger(struct listing *listing, char *path, const char *why,
				     bool empty, struct snap_error *err)
{
	struct stranger *stranger;

	if (!array_reserve(&listing->strangers, &listing->stranger_room, listing->stranger_count,
			   sizeof(*listing->strangers)))
		return fail_memory(err, "listing a directory");
	stranger = &listing->strangers[listing->stranger_count];
	*stranger = (struct stranger){.path = path, .why = strdup(why), .empty = empty};
	if (!stranger->why)
		return fail_memory(err, "listing a directory");
	listing->stranger_count++;
	return SNAP_OK;
}

/** Add the file to the snapshots or to the files in no known format.  If it is added, entry->path
 * is taken over. */
static enum snap_status consider_file(struct listing *listing, struct entry *entry, bool empty,
				      bool *taken, struct snap_error *err)
{
	struct snap_error why = {0};
	bool is_snapshot;
	enum snap_status st = read_file_keys(entry->path, &entry->time, &is_snapshot, &why);

	if (st == SNAP_ENOMEM || st == SNAP_ESYSTEM)
		return fail(err, st, "%s", why.message);
	st = st == SNAP_OK && is_snapshot
		     ? listing_add(listing, entry, err)
		     : add_stranger(listing, entry->path, why.message, empty, err);
	*taken = st == SNAP_OK;
	return st;
}

/** Why something that has a snapshot's name is no snapshot; NULL if it is no longer there. */
static const char *why_no_file(const char *path)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return NULL;
	if (S_ISLNK(info.st_mode) && stat(path, &info) != 0)
		return "a symbolic link that leads to no file";
	return S_ISDIR(info.st_mode) ? "a directory" : "not a regular file";
}

/** A link to nothing, a pipe, a socket, a device, a directory: it may hide a snapshot. */
static enum snap_status consider_other(struct listing *listing, char *path, bool *taken,
				       struct snap_error *err)
{
	const char *why = ends_in_snap(path) ? why_no_file(path) : NULL;
	enum snap_status st = SNAP_OK;
	char *sentence = NULL;

	if (!why)
		return SNAP_OK;
	if (asprintf(&sentence, "%s: %s", path, why) < 0)
		return fail_memory(err, "listing a directory");
	st = add_stranger(listing, path, sentence, false, err);
	*taken = st == SNAP_OK;
	free(sentence);
	return st;
}

static enum snap_status consider(struct listing *listing, const char *dir, const char *name,
				 struct snap_error *err)
{
	size_t size = strlen(dir);
	const char *slash = size && dir[size - 1] == '/' ? "" : "/";
	struct entry entry = {0};
	enum snap_status st = SNAP_OK;
	bool taken = false;
	struct stat info;

	if (being_written(name))
		return SNAP_OK;
	if (asprintf(&entry.path, "%s%s%s", dir, slash, name) < 0)
		return fail_memory(err, "listing a directory");
	if (stat(entry.path, &info) == 0 && S_ISREG(info.st_mode))
		st = consider_file(listing, &entry, info.st_size == 0, &taken, err);
	else
		st = consider_other(listing, entry.path, &taken, err);
	if (!taken)
		free(entry.path);
	return st;
}

/* ---- which strangers were snapshots? --------------------------------------------------------- */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool input_same_but_numbers(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b)) {
			a += strspn(a, "0123456789");
			b += strspn(b, "0123456789");
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

/*
 * `run` names its files *.snap; users have patterns of their own.  For an empty file only the name
 * can tell.
 */
static bool was_snapshot(const struct listing *listing, const struct stranger *stranger)
{
	const char *name = name_of(stranger->path), *ending = strrchr(name, '.');

	if (ends_in_snap(name))
		return true;
	for (size_t i = 0; i < listing->count; i++) {
		const char *other = name_of(listing->entries[i].path);

		if (input_same_but_numbers(name, other) ||
		    (stranger->empty && ending && ends_in(other, ending)))
			return true;
	}
	return false;
}

/** Report the damaged files that were snapshots; returns how many. */
static size_t tell_of_damaged(const struct listing *listing, input_skip_fn *skip, void *user)
{
	size_t damaged = 0;

	for (size_t i = 0; i < listing->stranger_count; i++) {
		const struct stranger *stranger = &listing->strangers[i];
		struct stat info;

		if (!was_snapshot(listing, stranger) || lstat(stranger->path, &info) != 0)
			continue; /* it may have been removed meanwhile */
		damaged++;
		if (skip)
			skip(user, stranger->path, stranger->why);
	}
	return damaged;
}

static enum snap_status scan(struct listing *listing, const char *dir, struct snap_error *err)
{
	DIR *handle = opendir(dir);
	enum snap_status st = SNAP_OK;
	struct dirent *file;

	if (!handle)
		return fail(err, fail_status_of_file(errno), "%s: %s", dir, strerror(errno));
	errno = 0;
	while (st == SNAP_OK && (file = readdir(handle))) {
		st = consider(listing, dir, file->d_name, err);
		errno = 0;
	}
	if (st == SNAP_OK && errno)
		st = fail(err, fail_status_of_file(errno), "%s: %s", dir, strerror(errno));
	closedir(handle);
	return st;
}

static int compare_strangers(const void *left, const void *right)
{
	const struct stranger *a = left, *b = right;

	return strverscmp(a->path, b->path);
}

enum snap_status input_list_directory(const char *dir, input_skip_fn *skip, void *user,
				      char ***paths, size_t *count, struct snap_error *err)
{
	struct listing listing = {0};
	enum snap_status st = scan(&listing, dir, err);
	size_t damaged = 0;

	if (st == SNAP_OK && listing.stranger_count) {
		qsort(listing.strangers, listing.stranger_count, sizeof(*listing.strangers),
		      compare_strangers);
		damaged = tell_of_damaged(&listing, skip, user);
	}
	if (st == SNAP_OK && !listing.count)
		st = damaged ? fail(err, SNAP_ECORRUPT,
				    "%s: %zu damaged snapshot%s and no sound one", dir, damaged,
				    damaged == 1 ? "" : "s")
			     : fail(err, SNAP_ENOTFOUND, "%s: no snapshots in this directory", dir);
	*paths = NULL;
	*count = 0;
	if (st == SNAP_OK) {
		*paths = calloc(listing.count, sizeof(**paths));
		if (!*paths)
			st = fail_memory(err, "listing a directory");
	}
	if (st != SNAP_OK) {
		listing_free(&listing);
		return st;
	}
	qsort(listing.entries, listing.count, sizeof(*listing.entries), compare_entries);
	*count = listing.count;
	for (size_t i = 0; i < *count; i++)
		(*paths)[i] = listing.entries[i].path;
	listing.count = 0; /* their paths are the caller's now */
	listing_free(&listing);
	return SNAP_OK;
}

void input_free_list(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}
