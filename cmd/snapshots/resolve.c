/*
 * resolve.c - find the ids of the snapshots that the user named.
 */
#include "snapshots/session.h"
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
	struct session *session;
};

static enum snap_status list_add(void *user, const struct store_snapshot *row)
{
	struct list_reading *reading = user;
	struct snapshot_list *list = reading->list;
	struct snapshot_entry *entry;

	if (!session_wants(reading->session, row->pid, row->program))
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

static enum snap_status snapshot_list_read(struct session *session, struct snapshot_list *list,
					   struct snap_error *err)
{
	struct list_reading reading = {list, session};
	enum snap_status status = store_each_snapshot(session->store, list_add, &reading, err);

	return status == SNAP_ENOMEM ? fail_memory(err, "listing snapshots") : status;
}

static void snapshot_list_free(struct snapshot_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].program);
		free(list->entries[i].label);
	}
	free(list->entries);
	*list = (struct snapshot_list){0};
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
static enum snap_status id_list_order(struct id_list *list, const struct snapshot_list *snapshots,
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
	for (size_t i = 0; i < snapshots->count; i++)
		if (bsearch(&snapshots->entries[i].id, list->ids, list->count, sizeof(*list->ids),
			    compare_ids))
			ordered[kept++] = snapshots->entries[i].id;
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
static enum snap_status resolve_in_database(struct session *session,
					    const struct snapshot_list *list, const char *name,
					    struct id_list *out, struct snap_error *err)
{
	enum snap_status status = SNAP_OK;
	size_t before = out->count;
	int64_t id;

	if (name[0] == '@')
		return resolve_position(list, name, out, err);
	if (parse_number(name, &id))
		for (size_t i = 0; status == SNAP_OK && i < list->count; i++)
			if (list->entries[i].id == id)
				return id_list_add(out, id, err);
	for (size_t i = 0; status == SNAP_OK && i < list->count; i++)
		if (list->entries[i].label && strcmp(list->entries[i].label, name) == 0)
			status = id_list_add(out, list->entries[i].id, err);
	if (status == SNAP_OK && out->count == before)
		return fail(err, SNAP_ENOTFOUND,
			    "%s: %s has no snapshot with this id or label (`snapdiff ls --db %s` "
			    "lists them)",
			    name, session->options.db, session->options.db);
	return status;
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

static enum snap_status one_in_database(struct session *session, const char *name, int64_t *id,
					struct snap_error *err)
{
	struct snapshot_list list = {0};
	struct id_list found = {0};
	enum snap_status status = snapshot_list_read(session, &list, err);

	if (status == SNAP_OK && list.count == 0)
		status = fail(err, SNAP_ENOTFOUND, "%s: holds no snapshot%s", session->options.db,
			      session->options.pid || session->options.program ? " of this process"
									       : "");
	if (status == SNAP_OK)
		status = resolve_in_database(session, &list, name ? name : "@-1", &found, err);
	if (status == SNAP_OK && found.count > 1)
		status = ambiguous_label(name, &found, err);
	if (status == SNAP_OK)
		*id = found.ids[0];
	free(found.ids);
	snapshot_list_free(&list);
	return status;
}

static enum snap_status many_in_database(struct session *session, const char *const *names,
					 size_t name_count, struct id_list *out,
					 struct snap_error *err)
{
	struct snapshot_list list = {0};
	enum snap_status status = snapshot_list_read(session, &list, err);

	for (size_t i = 0; status == SNAP_OK && i < name_count; i++)
		status = resolve_in_database(session, &list, names[i], out, err);
	for (size_t i = 0; status == SNAP_OK && name_count == 0 && i < list.count; i++)
		status = id_list_add(out, list.entries[i].id, err);
	snapshot_list_free(&list);
	return status;
}

/* ---- names of files ---- */

bool session_is_directory(const char *name)
{
	struct stat info;

	return strcmp(name, "-") != 0 && stat(name, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum snap_status take_file(struct session *session, const char *path, int64_t *id,
				  struct snap_error *err)
{
	static const struct store_labels none;
	bool already;

	if (session_has_taken(session, path, id))
		return SNAP_OK;
	return session_take_file(session, path, &none, id, &already, err);
}

enum snap_status session_nothing_wanted(const struct session *session, const char *path,
					struct snap_error *err)
{
	const struct session_options *options = &session->options;

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

static enum snap_status add_file(struct session *session, const char *path, struct id_list *out,
				 struct snap_error *err)
{
	int64_t id;
	enum snap_status status = take_file(session, path, &id, err);

	return status == SNAP_OK && id ? id_list_add(out, id, err) : status;
}

/* One file of a directory.  One that cannot be read does not hide the others. */
static enum snap_status add_listed_file(struct session *session, const char *path,
					struct id_list *out, struct snap_error *err)
{
	struct snap_error problem = {0};
	enum snap_status status = add_file(session, path, out, &problem);

	return status == SNAP_OK ? SNAP_OK
				 : session_skip_damaged(session, path, status, &problem, err);
}

/*
 * The newest of a directory.  Its files come in order of process and seq, so that only the last
 * sound one of each process needs to be read.
 */
static enum snap_status newest_of_directory(struct session *session, const char *dir, int64_t *id,
					    struct snap_error *err)
{
	struct snapshot_list snapshots = {0};
	struct id_list candidates = {0};
	char **paths = NULL;
	size_t count = 0;
	enum snap_status status = session_list_directory(session, dir, &paths, &count, err);
	bool wanted = true;

	for (size_t i = count; status == SNAP_OK && i-- > 0;) {
		size_t damaged = session->damaged;

		wanted |= i + 1 == count || !same_process(paths[i], paths[i + 1]);
		if (wanted)
			status = add_listed_file(session, paths[i], &candidates, err);
		wanted = session->damaged > damaged; /* then the one before has to do */
	}
	if (status == SNAP_OK && candidates.count == 0)
		status = session_nothing_wanted(session, dir, err);
	if (status == SNAP_OK)
		status = snapshot_list_read(session, &snapshots, err);
	if (status == SNAP_OK)
		status = id_list_order(&candidates, &snapshots, err);
	if (status == SNAP_OK)
		*id = candidates.ids[candidates.count - 1];
	free(candidates.ids);
	snapshot_list_free(&snapshots);
	input_free_list(paths, count);
	return status;
}

/* Files that libsnap wrote tell their facts at once; of others only the newest is read. */
static bool all_are_ours(const char *dir)
{
	struct snap_error ignored = {0};
	char **paths = NULL;
	size_t count = 0, ours = 0;

	if (input_list_directory(dir, NULL, NULL, &paths, &count, &ignored) != SNAP_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(paths[i]);

		ours += size > 5 && strcmp(paths[i] + size - 5, ".snap") == 0;
	}
	input_free_list(paths, count);
	return ours == count && count > 1;
}

static enum snap_status one_of_directory(struct session *session, const char *dir, int64_t *id,
					 struct snap_error *err)
{
	char *path = NULL;
	enum snap_status status;

	if (!all_are_ours(dir) && !session->options.at)
		return newest_of_directory(session, dir, id, err);
	status = session_choose(session, dir, &path, err);
	if (status == SNAP_OK && !path)
		status = session_nothing_wanted(session, dir, err);
	if (status == SNAP_OK)
		status = take_file(session, path, id, err);
	free(path);
	return status;
}

static enum snap_status one_file(struct session *session, const char *path, int64_t *id,
				 struct snap_error *err)
{
	enum snap_status status;

	if (session_is_directory(path))
		return one_of_directory(session, path, id, err);
	if (session->options.at)
		return fail(err, SNAP_EUSAGE, "%s is one snapshot; --at chooses in a directory",
			    path);
	status = take_file(session, path, id, err);
	return status == SNAP_OK && !*id ? session_nothing_wanted(session, path, err) : status;
}

static enum snap_status many_files(struct session *session, const char *const *names,
				   size_t name_count, struct id_list *out, struct snap_error *err)
{
	struct session_files files;
	enum snap_status status = session_files_of(session, names, name_count, &files, err);

	session_expect_files(session, &files);
	for (size_t i = 0; status == SNAP_OK && i < files.count; i++) {
		session_progress(session, i, files.count);
		status = files.files[i].listed
				 ? add_listed_file(session, files.files[i].path, out, err)
				 : add_file(session, files.files[i].path, out, err);
	}
	session_progress(session, files.count, files.count);
	session_files_free(&files);
	if (status == SNAP_OK && out->count == 0)
		status = session_nothing_wanted(session, name_count == 1 ? names[0] : "these files",
						err);
	return status;
}

/* What is meant when nothing is named and there is no database; NULL with `err` set when there is
 * no such thing. */
static const char *default_name(struct snap_error *err)
{
	if (session_is_directory(SESSION_DEFAULT_DIRECTORY))
		return SESSION_DEFAULT_DIRECTORY;
	fail(err, SNAP_EUSAGE,
	     "name a snapshot, a directory of them or --db FILE (there is no directory "
	     "`" SESSION_DEFAULT_DIRECTORY "` here)");
	return NULL;
}

/* ---- the contract ---- */

enum snap_status session_one(struct session *session, const char *name, int64_t *id,
			     struct snap_error *err)
{
	if (session->options.db && session->options.at)
		return fail(err, SNAP_EUSAGE, "--at chooses in a directory, not with --db");
	if (session->options.db) {
		enum snap_status status = one_in_database(session, name, id, err);

		return status == SNAP_OK && session->options.census
			       ? session_census_of(session, id, err)
			       : status;
	}
	if (!name)
		name = default_name(err);
	return name ? one_file(session, name, id, err) : SNAP_EUSAGE;
}

static enum snap_status find_named(struct session *session, const char *const *names,
				   size_t name_count, struct id_list *out, struct snap_error *err)
{
	const char *name;

	if (session->options.db)
		return many_in_database(session, names, name_count, out, err);
	if (name_count)
		return many_files(session, names, name_count, out, err);
	name = default_name(err);
	return name ? many_files(session, &name, 1, out, err) : SNAP_EUSAGE;
}

enum snap_status session_list(struct session *session, const char *const *names, size_t name_count,
			      int64_t **ids, size_t *count, struct snap_error *err)
{
	struct snapshot_list snapshots = {0};
	struct id_list found = {0};
	enum snap_status status = find_named(session, names, name_count, &found, err);

	if (status == SNAP_OK)
		status = snapshot_list_read(session, &snapshots, err);
	if (status == SNAP_OK)
		status = id_list_order(&found, &snapshots, err);
	if (status != SNAP_OK) {
		free(found.ids);
		found = (struct id_list){0};
	}
	*ids = found.ids;
	*count = found.count;
	snapshot_list_free(&snapshots);
	return status;
}

/* Of files the objects are counted where they are read. */
static bool counts_objects(const struct session *session)
{
	return session->options.census && session->options.db;
}

enum snap_status session_series(struct session *session, const char *const *names,
				size_t name_count, struct session_series_list *list,
				struct snap_error *err)
{
	struct snapshot_list snapshots = {0};
	int64_t *ids = NULL;
	size_t count = 0;
	enum snap_status status = session_list(session, names, name_count, &ids, &count, err);

	*list = (struct session_series_list){0};
	if (status == SNAP_OK)
		status = snapshot_list_read(session, &snapshots, err);
	if (status == SNAP_OK)
		status = series_split(list, &snapshots, ids, count, err);
	for (size_t i = 0; status == SNAP_OK && counts_objects(session) && i < list->count; i++)
		status = session_censuses_of(session, list->series[i].ids, list->series[i].count,
					     err);
	snapshot_list_free(&snapshots);
	free(ids);
	return status;
}
