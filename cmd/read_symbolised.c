/*
 * read_symbolised.c - one snapshot with names, for commands that write it in another form.
 */
#include "read_symbolised.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/settings.h"
#include "base/terminal.h"
#include "base/fail.h"
#include "cli/cli.h"
#include "input/input.h"
#include "model/bounds.h"
#include "symbols/symbols.h"

static void show_progress(void *user, uint64_t done, uint64_t total)
{
	static struct progress symbolising = {.what = "symbolising"};

	(void)user;
	progress_show(&symbolising, done, total);
}

static enum snap_status symbolise(struct model *model, bool quiet, struct snap_error *err)
{
	struct symbols_options options = {
		.notice = quiet ? NULL : cli_print_warning,
		.ask_for_others = settings()->debuginfod,
		.progress = !quiet && terminal_takes_codes(STDERR_FILENO) ? show_progress : NULL,
	};
	struct symbols *symbols = symbols_new(&options);
	enum snap_status st;

	if (!symbols)
		return fail_memory(err, "symbolising");
	st = symbols_resolve(symbols, model, err);
	symbols_free(symbols);
	return st;
}

enum snap_status read_symbolised(struct model **model, const char *path, bool salvage, bool quiet,
				 struct snap_error *err)
{
	const struct input_options options = {.salvage = salvage};
	enum snap_status st = input_read(model, path, &options, err);

	if (st == SNAP_OK && !salvage)
		st = model_check_contents(*model, err);
	if (st == SNAP_OK)
		st = symbolise(*model, quiet, err);
	return st;
}

/* The file of a snapshot. */

struct sought {
	int64_t id;
	char *path;
};

static enum snap_status take_path(void *user, const struct store_snapshot *row)
{
	struct sought *sought = user;

	if (row->id != sought->id || sought->path)
		return SNAP_OK;
	sought->path = strdup(row->path);
	return sought->path ? SNAP_OK : SNAP_ENOMEM;
}

enum snap_status find_snapshot_file(char **path, size_t *damaged, const char *directory,
				    const struct snapshots_options *which, struct snap_error *err)
{
	struct snapshots_options options = *which;
	struct sought sought = {0};
	struct snapshots *snapshots = NULL;
	enum snap_status st;

	options.facts_only = true;
	st = snapshots_open(&snapshots, &options, err);
	if (st == SNAP_OK)
		st = snapshots_one(snapshots, directory, &sought.id, err);
	if (st == SNAP_OK)
		st = store_each_snapshot(snapshots_store(snapshots), take_path, &sought, err);
	if (st == SNAP_OK && !sought.path)
		st = fail_memory(err, "naming a snapshot");
	if (st == SNAP_OK && damaged)
		*damaged = snapshots_damaged(snapshots);
	snapshots_close(snapshots);
	*path = sought.path;
	return st;
}
