/*
 * read_symbolised.c - one snapshot with names, for commands that write it in another form.
 */
#include "read_symbolised.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/settings.h"
#include "base/terminal.h"
#include "cli/cli.h"
#include "input/input.h"
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

static void warn_of_skipped(void *user, const char *path, const char *sentence)
{
	(void)user;
	(void)path;
	cli_warn("left out: %s", sentence);
}

/** Read one snapshot; of a directory, the newest. */
static enum snap_status read_named(struct model **model, const char *name, bool salvage,
				   struct snap_error *err)
{
	const struct input_options options = {.salvage = salvage};
	struct stat info;
	char **paths = NULL;
	size_t count = 0;
	enum snap_status st;

	if (stat(name, &info) != 0 || !S_ISDIR(info.st_mode))
		return input_read(model, name, &options, err);
	st = input_list_directory(name, warn_of_skipped, NULL, &paths, &count, err);
	if (st == SNAP_OK)
		st = input_read(model, paths[count - 1], &options, err);
	input_free_list(paths, count);
	return st;
}

enum snap_status read_symbolised(struct model **model, const char *name, bool salvage, bool quiet,
				 struct snap_error *err)
{
	enum snap_status st = read_named(model, name, salvage, err);

	if (st == SNAP_OK)
		st = symbolise(*model, quiet, err);
	return st;
}
