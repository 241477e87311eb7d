/*
 * load.c - files and directories into a database that stays.
 */
#include "snapshots/state.h"

#include "input/input.h"
#include "base/fail.h"

struct loading {
	struct session *session;
	const struct store_labels *labels;
	void (*refuse)(const char *sentence);
	struct session_loaded *done;
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
	return SNAP_OK;
}

enum snap_status session_load(struct session *session, const char *const *names, size_t name_count,
			      const struct store_labels *labels,
			      void (*refuse)(const char *sentence), struct session_loaded *done,
			      struct snap_error *err)
{
	struct loading loading = {session, labels, refuse, done};
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
	return status;
}
