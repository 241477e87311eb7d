/*
 * resolve.c - find the ids of the snapshots that the user named.
 */
#include "snapshots/snapshots.h"
#include "snapshots/census.h"
#include "snapshots/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "input/input.h"
#include "base/fail.h"

/* ---- the snapshots of the store ---- */

struct list_reading {
	struct snapshot_list *list;
	struct snapshots *snapshots;
};

static enum snap_status list_add(void *user, const struct store_snapshot *row)
{
	struct list_reading *reading = user;
	struct snapshot_list *list = reading->list;
	struct snapshot_entry *entry;

	if (!snapshots_wants(reading->snapshots, row->pid, row->program))
		return SNAP_OK;
	if (!array_reserve(&list->entries, &list->capacity, list->count, sizeof(*list->entries)))
		return SNAP_ENOMEM;
	entry = &list->entries[list->count];
	*entry = (struct snapshot_entry){.id = row->id,
					 .run_id = row->run_id,
					 .pid = row->pid,
					 .time_ns = row->time_ns,
					 .start_ns = row->start_ns};
	entry->program = strdup(row->program);
	entry->label = row->label ? strdup(row->label) : NULL;
	list->count++;
	return entry->program && (entry->label || !row->label) ? SNAP_OK : SNAP_ENOMEM;
}

enum snap_status snapshot_list_read(struct snapshots *snapshots, struct snapshot_list *list,
				    struct snap_error *err)
{
	struct list_reading reading = {list, snapshots};
	enum snap_status st = store_each_snapshot(snapshots->store, list_add, &reading, err);

	return st == SNAP_ENOMEM ? fail_memory(err, "listing snapshots") : st;
}

/* Keep the first `kept` entries. */
static void cut_list(struct snapshot_list *list, size_t kept)
{
	for (size_t i = kept; i < list->count; i++) {
		free(list->entries[i].program);
		free(list->entries[i].label);
	}
	list->count = kept;
}

void snapshot_list_free(struct snapshot_list *list)
{
	cut_list(list, 0);
	free(list->entries);
	*list = (struct snapshot_list){0};
}

/* ---- snapshots without a census ---- */

static enum snap_status count_without_census(const struct snapshots *snapshots,
					     const struct snapshot_list *all,
					     struct snapshots_without_census *counts,
					     struct snap_error *err)
{
	*counts = (struct snapshots_without_census){0};
	if (snapshots->without_census.count == 0 ||
	    without_census_count(&snapshots->without_census, all, counts))
		return SNAP_OK;
	return fail_memory(err, "listing snapshots");
}

enum snap_status snapshots_say_without_census(struct snapshots *snapshots, const char *dir,
					      struct snap_error *err)
{
	struct snapshots_without_census counts;
	struct snapshot_list all = {0};
	enum snap_status st = SNAP_OK;

	if (snapshots->without_census.count == 0)
		return SNAP_OK;
	if (snapshots->store)
		st = snapshot_list_read(snapshots, &all, err);
	if (st == SNAP_OK)
		st = count_without_census(snapshots, &all, &counts, err);
	if (st == SNAP_OK)
		without_census_tell(&counts, dir, snapshots->options.notice,
				    snapshots->options.user);
	snapshot_list_free(&all);
	return st;
}

/* ---- sets of ids ---- */

struct id_list {
	int64_t *ids;
	size_t count, capacity;
};

static enum snap_status id_list_add(struct id_list *list, int64_t id, struct snap_error *err)
{
	if (!array_reserve(&list->ids, &list->capacity, list->count, sizeof(*list->ids)))
		return fail_memory(err, "listing snapshots");
	list->ids[list->count++] = id;
	return SNAP_OK;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Put the ids in order of capture, each once. */
static enum snap_status id_list_order(struct id_list *list, const struct snapshot_list *order,
				      struct snap_error *err)
{
	size_t kept = 0;
	int64_t *ordered;

	if (list->count == 0)
		return SNAP_OK;
	qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
	ordered = calloc(list->count, sizeof(*ordered));
	if (!ordered)
		return fail_memory(err, "listing snapshots");
	for (size_t i = 0; i < order->count; i++)
		if (bsearch(&order->entries[i].id, list->ids, list->count, sizeof(*list->ids),
			    compare_ids))
			ordered[kept++] = order->entries[i].id;
	free(list->ids);
	list->ids = ordered;
	list->count = kept;
	return SNAP_OK;
}

/* ---- names in a database ---- */

static bool parse_number(const char *text, int64_t *value)
{
	char *end;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0;
}

/* "@1" is the first, "@-1" the last. */
static enum snap_status resolve_position(const struct snapshot_list *list, const char *name,
					 struct id_list *out, struct snap_error *err)
{
	int64_t position;
	bool from_end = name[1] == '-';

	if (!parse_number(name + 1 + from_end, &position) || position < 1)
		return fail(err, SNAP_EUSAGE, "%s: a position is @1 (first) ... @-1 (last)", name);
	if ((uint64_t)position > list->count)
		return fail(err, SNAP_ENOTFOUND, "%s: there are only %zu snapshots", name,
			    list->count);
	return id_list_add(
		out,
		list->entries[from_end ? list->count - (size_t)position : (size_t)position - 1].id,
		err);
}

/* All snapshots that `name` may mean: one by id or position, several by label. */
static enum snap_status resolve_in_database(struct snapshots *snapshots,
					    const struct snapshot_list *list, const char *name,
					    struct id_list *out, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	size_t before = out->count;
	int64_t id;

	if (name[0] == '@')
		return resolve_position(list, name, out, err);
	if (parse_number(name, &id))
		for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
			if (list->entries[i].id == id)
				return id_list_add(out, id, err);
	for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
		if (list->entries[i].label && strcmp(list->entries[i].label, name) == 0)
			st = id_list_add(out, list->entries[i].id, err);
	if (st == SNAP_OK && out->count == before)
		return fail(err, SNAP_ENOTFOUND,
			    "%s: %s has no snapshot with this id or label (`snapdiff ls --db %s` "
			    "lists them)",
			    name, snapshots->options.db, snapshots->options.db);
	return st;
}

static enum snap_status ambiguous_label(const char *name, const struct id_list *found,
					struct snap_error *err)
{
	char ids[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < found->count && used + 24 < sizeof(ids); i++)
		used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s%" PRId64,
					 i ? ", " : "", found->ids[i]);
	return fail(err, SNAP_EUSAGE, "%s: %zu snapshots have this label; name one by its id: %s",
		    name, found->count, ids);
}

/* Of objects, the newest that has a census; says how many newer ones have none. */
static enum snap_status newest_census(struct snapshots *snapshots, const struct snapshot_list *list,
				      int64_t *id, struct snap_error *err)
{
	struct snapshots_without_census newer = {0};
	enum snap_status st = SNAP_EUSAGE;

	for (size_t i = list->count; st == SNAP_EUSAGE && i-- > 0;) {
		*id = list->entries[i].id;
		st = snapshots_census_of(snapshots, id, err);
		newer.snapshots += st == SNAP_EUSAGE;
	}
	if (st == SNAP_OK)
		without_census_tell(&newer, NULL, snapshots->options.notice,
				    snapshots->options.user);
	return st;
}

static enum snap_status one_in_database(struct snapshots *snapshots, const char *name, int64_t *id,
					struct snap_error *err)
{
	struct snapshot_list list = {0};
	struct id_list found = {0};
	enum snap_status st = snapshot_list_read(snapshots, &list, err);

	if (st == SNAP_OK && list.count == 0)
		st = fail(err, SNAP_ENOTFOUND, "%s: holds no snapshot%s", snapshots->options.db,
			  snapshots->options.pid || snapshots->options.program ? " of this process"
									       : "");
	if (st == SNAP_OK && !name && snapshots->options.census) {
		st = newest_census(snapshots, &list, id, err);
		goto out;
	}
	if (st == SNAP_OK)
		st = resolve_in_database(snapshots, &list, name ? name : "@-1", &found, err);
	if (st == SNAP_OK && found.count > 1)
		st = ambiguous_label(name, &found, err);
	if (st == SNAP_OK)
		*id = found.ids[0];
	if (st == SNAP_OK && snapshots->options.census)
		st = snapshots_census_of(snapshots, id, err);
out:
	free(found.ids);
	snapshot_list_free(&list);
	return st;
}

static enum snap_status many_in_database(struct snapshots *snapshots, const char *const *names,
					 size_t name_count, struct id_list *out,
					 struct snap_error *err)
{
	struct snapshot_list list = {0};
	enum snap_status st = snapshot_list_read(snapshots, &list, err);

	for (size_t i = 0; st == SNAP_OK && i < name_count; i++)
		st = resolve_in_database(snapshots, &list, names[i], out, err);
	for (size_t i = 0; st == SNAP_OK && name_count == 0 && i < list.count; i++)
		st = id_list_add(out, list.entries[i].id, err);
	snapshot_list_free(&list);
	return st;
}

/* ---- names of files ---- */

bool snapshots_is_directory(const char *name)
{
	struct stat info;

	return strcmp(name, "-") != 0 && stat(name, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum snap_status take_file(struct snapshots *snapshots, const char *path, int64_t *id,
				  struct snap_error *err)
{
	static const struct store_labels none;
	bool already;

	if (snapshots_has_taken(snapshots, path, id))
		return SNAP_OK;
	return snapshots_take_file(snapshots, path, &none, id, &already, err);
}

enum snap_status snapshots_nothing_wanted(const struct snapshots *snapshots, const char *path,
					  struct snap_error *err)
{
	const struct snapshots_options *options = &snapshots->options;

	if (snapshots->without_census.count)
		return without_census_refuse(&snapshots->without_census, err);
	if (options->pid && options->program)
		return fail(err, SNAP_ENOTFOUND,
			    "%s: no snapshot of a program %s with pid %" PRIu64, path,
			    options->program, options->pid);
	if (options->pid)
		return fail(err, SNAP_ENOTFOUND, "%s: no snapshot of pid %" PRIu64, path,
			    options->pid);
	if (options->program)
		return fail(err, SNAP_ENOTFOUND, "%s: no snapshot of a program %s", path,
			    options->program);
	return fail(err, SNAP_ENOTFOUND, "%s: no snapshot that can be read", path);
}

/* How much of a path names its process: all before the last number in "<program>.<pid>.<seq>.snap"
 * and "<program>.<pid>.<seq>_<word>.snap". */
static size_t process_prefix(const char *path)
{
	const char *end = strrchr(path, '.');
	size_t size = end ? (size_t)(end - path) : strlen(path), from = size, digits;

	while (from > 0 && path[from - 1] != '.' && path[from - 1] != '/')
		from--;
	digits = strspn(path + from, "0123456789");
	if (digits && path[from + digits] == '_')
		return from;
	while (size > 0 && path[size - 1] >= '0' && path[size - 1] <= '9')
		size--;
	return size;
}

static bool same_process(const char *a, const char *b)
{
	size_t size = process_prefix(a);

	return size == process_prefix(b) && memcmp(a, b, size) == 0;
}

static enum snap_status add_file(struct snapshots *snapshots, const char *path, struct id_list *out,
				 struct snap_error *err)
{
	int64_t id;
	enum snap_status st = take_file(snapshots, path, &id, err);

	return st == SNAP_OK && id ? id_list_add(out, id, err) : st;
}

/* One file of a directory.  One that cannot be read does not hide the others. */
static enum snap_status add_listed_file(struct snapshots *snapshots, const char *path,
					struct id_list *out, struct snap_error *err)
{
	struct snap_error problem = {0};
	enum snap_status st = add_file(snapshots, path, out, &problem);

	return st == SNAP_OK ? SNAP_OK : snapshots_skip_damaged(snapshots, path, st, &problem, err);
}

static size_t count_unusable(const struct snapshots *snapshots)
{
	return snapshots->damaged + snapshots->without_census.count;
}

/*
 * The newest of a directory.  Its files come in order of process and seq, so that only the last
 * sound one of each process needs to be read.
 */
static enum snap_status newest_of_directory(struct snapshots *snapshots, const char *dir,
					    int64_t *id, struct snap_error *err)
{
	struct snapshot_list list = {0};
	struct id_list candidates = {0};
	char **paths = NULL;
	size_t count = 0;
	enum snap_status st = snapshots_list_directory(snapshots, dir, &paths, &count, err);
	bool wanted = true;

	for (size_t i = count; st == SNAP_OK && i-- > 0;) {
		size_t unusable = count_unusable(snapshots);

		wanted |= i + 1 == count || !same_process(paths[i], paths[i + 1]);
		if (wanted)
			st = add_listed_file(snapshots, paths[i], &candidates, err);
		wanted = count_unusable(snapshots) > unusable; /* then the one before has to do */
	}
	if (st == SNAP_OK && candidates.count == 0)
		st = snapshots_nothing_wanted(snapshots, dir, err);
	if (st == SNAP_OK)
		st = snapshot_list_read(snapshots, &list, err);
	if (st == SNAP_OK)
		st = id_list_order(&candidates, &list, err);
	if (st == SNAP_OK)
		*id = candidates.ids[candidates.count - 1];
	free(candidates.ids);
	snapshot_list_free(&list);
	input_free_list(paths, count);
	return st;
}

/* Files that libsnap wrote tell their facts at once; of others only the newest is read. */
static enum snap_status all_are_ours(const char *dir, bool *all, struct snap_error *err)
{
	char **paths = NULL;
	size_t count = 0, ours = 0;
	enum snap_status st = input_list_directory(dir, NULL, NULL, &paths, &count, err);

	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(paths[i]);

		ours += size > 5 && strcmp(paths[i] + size - 5, ".snap") == 0;
	}
	input_free_list(paths, count);
	*all = ours == count && count > 1;
	return SNAP_OK;
}

static enum snap_status one_of_directory(struct snapshots *snapshots, const char *dir, int64_t *id,
					 struct snap_error *err)
{
	char *path = NULL;
	bool ours = false;
	enum snap_status st = all_are_ours(dir, &ours, err);

	if (st != SNAP_OK)
		return st;
	if (!ours && !snapshots->options.at) {
		st = newest_of_directory(snapshots, dir, id, err);
		return st == SNAP_OK ? snapshots_say_without_census(snapshots, dir, err) : st;
	}
	st = snapshots_choose(snapshots, dir, &path, err);
	if (st == SNAP_OK && !path)
		st = snapshots_nothing_wanted(snapshots, dir, err);
	if (st == SNAP_OK)
		st = take_file(snapshots, path, id, err);
	free(path);
	return st;
}

static enum snap_status one_file(struct snapshots *snapshots, const char *path, int64_t *id,
				 struct snap_error *err)
{
	enum snap_status st;

	if (snapshots_is_directory(path))
		return one_of_directory(snapshots, path, id, err);
	if (snapshots->options.at)
		return fail(err, SNAP_EUSAGE, "%s is one snapshot; --at chooses in a directory",
			    path);
	st = take_file(snapshots, path, id, err);
	return st == SNAP_OK && !*id ? snapshots_nothing_wanted(snapshots, path, err) : st;
}

static enum snap_status many_files(struct snapshots *snapshots, const char *const *names,
				   size_t name_count, struct id_list *out, struct snap_error *err)
{
	struct snapshots_files files;
	enum snap_status st = snapshots_files_of(snapshots, names, name_count, &files, err);

	snapshots_expect_files(snapshots, &files);
	for (size_t i = 0; st == SNAP_OK && i < files.count; i++) {
		snapshots_progress(snapshots, i, files.count);
		st = files.files[i].listed
			     ? add_listed_file(snapshots, files.files[i].path, out, err)
			     : add_file(snapshots, files.files[i].path, out, err);
	}
	snapshots_progress(snapshots, files.count, files.count);
	snapshots_files_free(&files);
	if (st == SNAP_OK && out->count == 0)
		st = snapshots_nothing_wanted(snapshots, name_count == 1 ? names[0] : "these files",
					      err);
	return st;
}

/* The default name when nothing is named and there is no database; NULL with `err` set when there
   is none. */
static const char *default_name(struct snap_error *err)
{
	if (snapshots_is_directory(SNAPSHOTS_DEFAULT_DIRECTORY))
		return SNAPSHOTS_DEFAULT_DIRECTORY;
	fail(err, SNAP_EUSAGE,
	     "name a snapshot, a directory of them or --db FILE (there is no directory "
	     "`" SNAPSHOTS_DEFAULT_DIRECTORY "` here)");
	return NULL;
}

/* ---- the contract ---- */

enum snap_status snapshots_one(struct snapshots *snapshots, const char *name, int64_t *id,
			       struct snap_error *err)
{
	if (snapshots->options.db && snapshots->options.at)
		return fail(err, SNAP_EUSAGE, "--at chooses in a directory, not with --db");
	without_census_release(&snapshots->without_census);
	if (snapshots->options.db)
		return one_in_database(snapshots, name, id, err);
	if (!name)
		name = default_name(err);
	return name ? one_file(snapshots, name, id, err) : SNAP_EUSAGE;
}

static enum snap_status find_named(struct snapshots *snapshots, const char *const *names,
				   size_t name_count, struct id_list *out, struct snap_error *err)
{
	const char *name;

	if (snapshots->options.db)
		return many_in_database(snapshots, names, name_count, out, err);
	if (name_count)
		return many_files(snapshots, names, name_count, out, err);
	name = default_name(err);
	return name ? many_files(snapshots, &name, 1, out, err) : SNAP_EUSAGE;
}

enum snap_status snapshots_list(struct snapshots *snapshots, const char *const *names,
				size_t name_count, int64_t **ids, size_t *count,
				struct snap_error *err)
{
	struct snapshot_list all = {0};
	struct id_list found = {0};
	enum snap_status st;

	without_census_release(&snapshots->without_census);
	st = find_named(snapshots, names, name_count, &found, err);
	if (st == SNAP_OK)
		st = snapshot_list_read(snapshots, &all, err);
	if (st == SNAP_OK)
		st = id_list_order(&found, &all, err);
	if (st != SNAP_OK) {
		free(found.ids);
		found = (struct id_list){0};
	}
	*ids = found.ids;
	*count = found.count;
	snapshot_list_free(&all);
	return st;
}

/* Of files the objects are counted where they are read. */
static bool counts_objects(const struct snapshots *snapshots)
{
	return snapshots->options.census && snapshots->options.db;
}

static enum snap_status leave_out(struct snapshots *snapshots, const struct snapshot_entry *entry,
				  const char *why, struct snap_error *err)
{
	if (without_census_add(&snapshots->without_census, entry->program, entry->pid,
			       entry->start_ns, why))
		return SNAP_OK;
	return fail_memory(err, "listing snapshots");
}

/*
 * Keep those of the `*count` snapshots `ids` of a database that have a census: in `all`, which has no
 * others then, and in `ids`.  objects[i] gets the id of the objects of ids[i].
 */
static enum snap_status count_objects(struct snapshots *snapshots, struct snapshot_list *all,
				      int64_t *ids, int64_t *objects, size_t *count,
				      struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	size_t kept = 0, next = 0;

	for (size_t i = 0; st == SNAP_OK && i < all->count && next < *count; i++) {
		struct snapshot_entry entry = all->entries[i];
		struct snap_error why = {0};
		int64_t object = entry.id;

		if (entry.id != ids[next])
			continue;
		next++;
		st = snapshots_census_of(snapshots, &object, &why);
		if (st == SNAP_EUSAGE) {
			st = leave_out(snapshots, &entry, why.message, err);
		} else if (st != SNAP_OK) {
			fail(err, st, "%s", why.message);
		} else {
			ids[kept] = entry.id;
			objects[kept] = object;
			all->entries[i] = all->entries[kept];
			all->entries[kept++] = entry;
		}
	}
	cut_list(all, kept);
	*count = kept;
	return st == SNAP_OK && kept == 0 && next
		       ? without_census_refuse(&snapshots->without_census, err)
		       : st;
}

/* Each series has some of `ids`, in their order. */
static void name_objects(struct snapshots_series_list *list, const int64_t *ids,
			 const int64_t *objects)
{
	for (size_t i = 0; i < list->count; i++) {
		struct snapshots_series *series = &list->series[i];

		for (size_t k = 0, at = 0; k < series->count; k++) {
			while (ids[at] != series->ids[k])
				at++;
			series->ids[k] = objects[at];
		}
	}
}

enum snap_status snapshots_series(struct snapshots *snapshots, const char *const *names,
				  size_t name_count, struct snapshots_series_list *list,
				  struct snap_error *err)
{
	struct snapshots_without_census without = {0};
	struct snapshot_list all = {0};
	int64_t *ids = NULL, *objects = NULL;
	size_t count = 0;
	enum snap_status st = snapshots_list(snapshots, names, name_count, &ids, &count, err);

	*list = (struct snapshots_series_list){0};
	if (st == SNAP_OK)
		st = snapshot_list_read(snapshots, &all, err);
	if (st == SNAP_OK && counts_objects(snapshots)) {
		objects = calloc(count + 1, sizeof(*objects));
		st = objects ? count_objects(snapshots, &all, ids, objects, &count, err)
			     : fail_memory(err, "listing snapshots");
	}
	if (st == SNAP_OK)
		st = count_without_census(snapshots, &all, &without, err);
	if (st == SNAP_OK)
		st = series_split(list, &all, ids, count, err);
	if (st == SNAP_OK) {
		list->without_census = without;
		if (objects)
			name_objects(list, ids, objects);
	}
	snapshot_list_free(&all);
	free(objects);
	free(ids);
	return st;
}
