/*
 * load.c - files and directories into a database that stays.
 */
#include "snapshots/state.h"

#include <stdlib.h>
#include <string.h>

#include "input/input.h"
#include "base/fail.h"
#include "base/lookup.h"

struct loading {
	struct session *session;
	const struct store_labels *labels;
	void (*refuse)(const char *sentence);
	struct session_loaded *done;
	int64_t *ids; /* of the files that could be read, as they came */
	size_t count, capacity;
};

static enum snap_status load_file(struct loading *loading, const char *path, struct snap_error *err)
{
	struct snap_error problem = {0};
	bool already;
	int64_t id;
	enum snap_status status =
		session_take_file(loading->session, path, loading->labels, &id, &already, &problem);

	if (status == SNAP_ESYSTEM || status == SNAP_ENOMEM)
		return fail(err, status, "%s", problem.message);
	if (status != SNAP_OK) {
		loading->done->refused++;
		loading->refuse(problem.message);
		return SNAP_OK;
	}
	loading->done->already += already;
	loading->done->loaded += !already;
	if (!array_reserve(&loading->ids, &loading->capacity, loading->count, sizeof(id)))
		return fail_memory(err, "loading snapshots");
	loading->ids[loading->count++] = id;
	return SNAP_OK;
}

/* ---- what leaves ---- */

struct leaving {
	const struct session_leaving *how;
	const struct loading *loading;
	struct old {
		int64_t id;
		uint64_t time_ns;
		char *path;
	} * all;
	size_t count, capacity;
};

static enum snap_status note_snapshot(void *user, const struct store_snapshot *row)
{
	struct leaving *leaving = user;
	char *path = strdup(row->path);

	if (!path || !array_reserve(&leaving->all, &leaving->capacity, leaving->count,
				    sizeof(*leaving->all))) {
		free(path);
		return SNAP_ENOMEM;
	}
	leaving->all[leaving->count++] = (struct old){row->id, row->time_ns, path};
	return SNAP_OK;
}

static bool was_loaded(const struct loading *loading, int64_t id)
{
	for (size_t i = 0; i < loading->count; i++)
		if (loading->ids[i] == id)
			return true;
	return false;
}

/* Is it of the same path as a snapshot that was loaded now? */
static bool is_replaced(const struct leaving *leaving, const struct old *old)
{
	if (!*old->path || was_loaded(leaving->loading, old->id))
		return false;
	for (size_t i = 0; i < leaving->count; i++)
		if (strcmp(leaving->all[i].path, old->path) == 0 &&
		    was_loaded(leaving->loading, leaving->all[i].id))
			return true;
	return false;
}

static bool leaves(const struct leaving *leaving, const struct old *old)
{
	if (old->time_ns != SNAP_UNKNOWN && old->time_ns < leaving->how->before_ns)
		return true;
	return leaving->how->replaced && is_replaced(leaving, old);
}

static enum snap_status drop(const struct loading *loading, const struct session_leaving *how,
			     struct snap_error *err)
{
	struct store *store = session_store(loading->session);
	struct leaving leaving = {.how = how, .loading = loading};
	enum snap_status status = store_each_snapshot(store, note_snapshot, &leaving, err);
	int64_t *ids = calloc(leaving.count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; ids && i < leaving.count; i++)
		if (leaves(&leaving, &leaving.all[i]))
			ids[count++] = leaving.all[i].id;
	if (status == SNAP_OK && !ids)
		status = fail_memory(err, "deleting snapshots");
	if (status == SNAP_OK && count)
		status = store_forget(store, ids, count, err);
	if (status == SNAP_OK)
		loading->done->dropped = count;
	for (size_t i = 0; i < leaving.count; i++)
		free(leaving.all[i].path);
	free(leaving.all);
	free(ids);
	return status;
}

enum snap_status session_load(struct session *session, const char *const *names, size_t name_count,
			      const struct store_labels *labels,
			      const struct session_leaving *leaving,
			      void (*refuse)(const char *sentence), struct session_loaded *done,
			      struct snap_error *err)
{
	struct loading loading = {
		.session = session, .labels = labels, .refuse = refuse, .done = done};
	struct session_files files;
	enum snap_status status = session_files_of(session, names, name_count, &files, err);

	*done = (struct session_loaded){.refused = session->damaged};
	session_expect_files(session, &files);
	for (size_t i = 0; status == SNAP_OK && i < files.count; i++) {
		session_progress(session, i, files.count);
		status = load_file(&loading, files.files[i].path, err);
	}
	session_progress(session, files.count, files.count);
	session_files_free(&files);
	if (status == SNAP_OK && leaving && (leaving->before_ns || leaving->replaced) &&
	    session_store(session))
		status = drop(&loading, leaving, err);
	free(loading.ids);
	return status;
}
