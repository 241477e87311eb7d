/*
 * cmd_ls.c - `snapdiff ls`: which snapshots there are, in the order in which they were taken.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/missed.h"
#include "cli/cli.h"
#include "render/output.h"
#include "report/sites.h"
#include "snapshots/snapshots.h"

enum { MISSED_NOTES = 5 };

static const struct option *const ls_tables[] = {source_option_table, output_option_table,
						 cli_memory_table, cli_symbols_table, NULL};

enum {
	LS_ID,
	LS_SEQ,
	LS_TIME,
	LS_PID,
	LS_PROGRAM,
	LS_TRIGGER,
	LS_LABEL,
	LS_LIVE_BYTES,
	LS_LIVE_BLOCKS,
	LS_ALLOCATED_BYTES,
	LS_ALLOCATED_BLOCKS,
	LS_SITES,
	LS_SAMPLE_PERIOD,
	LS_COMMAND,
	LS_HOST,
	LS_LABELS,
	LS_PATH,
	LS_TITLE,
	LS_COLUMNS
};

static const struct column ls_columns[LS_COLUMNS] = {
	[LS_ID] = {"id", "id", COLUMN_TEXT, 0},
	[LS_SEQ] = {"seq", "seq", COLUMN_COUNT, COLUMN_SPARE(4)},
	[LS_TIME] = {"time", "time (UTC)", COLUMN_TIME, 0},
	[LS_PID] = {"pid", "pid", COLUMN_TEXT, COLUMN_SPARE(2)},
	[LS_PROGRAM] = {"program", "program", COLUMN_NAME, 0},
	[LS_TRIGGER] = {"trigger", "trigger", COLUMN_TEXT, COLUMN_SPARE(5)},
	[LS_LABEL] = {"label", "label", COLUMN_NAME, COLUMN_SPARE(1)},
	[LS_LIVE_BYTES] = {"live_bytes", "live", COLUMN_BYTES, 0},
	[LS_LIVE_BLOCKS] = {"live_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(3)},
	[LS_ALLOCATED_BYTES] = {"allocated_bytes", "allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	[LS_ALLOCATED_BLOCKS] = {"allocated_blocks", "allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	[LS_SITES] = {"sites", "call stacks", COLUMN_COUNT, COLUMN_HIDDEN},
	[LS_SAMPLE_PERIOD] = {"sample_period", "sample period", COLUMN_BYTES, COLUMN_HIDDEN},
	[LS_COMMAND] = {"command", "command", COLUMN_NAME, COLUMN_HIDDEN},
	[LS_HOST] = {"host", "host", COLUMN_NAME, COLUMN_HIDDEN},
	[LS_LABELS] = {"labels", "labels", COLUMN_TREE, COLUMN_DETAIL},
	[LS_PATH] = {"path", "path", COLUMN_NAME, 0},
	[LS_TITLE] = {"title", "title", COLUMN_NAME, COLUMN_SPARE(6)},
};

struct listing {
	bool has_ids; /* only those of a database can be used again */
	struct report *report;
	struct snapshots *snapshots;
	const int64_t *ids; /* in the order of capture, which is the order of the store's rows */
	size_t count, done;
	struct snap_error *err;
};

struct labels {
	struct report *report;
	struct value *object;
};

static enum snap_status add_label(void *user, const char *key, const char *value)
{
	struct labels *labels = user;

	value_field(labels->report, labels->object, report_text(labels->report, "%s", key),
		    value_text(labels->report, value));
	return SNAP_OK;
}

static struct value known_text(struct report *report, const char *text)
{
	return text && *text ? value_text(report, text) : value_null();
}

static struct value known_number(uint64_t number)
{
	return number ? value_u64(number) : value_null();
}

static enum snap_status list_snapshot(void *user, const struct store_snapshot *row)
{
	struct listing *listing = user;
	struct report *report = listing->report;
	struct value labels = value_object();
	struct labels collecting = {report, &labels};
	struct value *cells;

	if (listing->done == listing->count || listing->ids[listing->done] != row->id)
		return SNAP_OK;
	listing->done++;
	cells = report_row(report);
	cells[LS_ID] = listing->has_ids
			       ? value_text(report, report_text(report, "%" PRId64, row->id))
			       : value_null();
	cells[LS_SEQ] = known_number(row->seq);
	cells[LS_TIME] = known_text(report, row->time);
	cells[LS_PID] = known_number(row->pid);
	cells[LS_PROGRAM] = known_text(report, row->program);
	cells[LS_TITLE] = known_text(report, row->title);
	cells[LS_TRIGGER] = known_text(report, row->trigger);
	cells[LS_LABEL] = value_text(report, row->label);
	cells[LS_LIVE_BYTES] = value_u64(row->live_bytes);
	cells[LS_LIVE_BLOCKS] = value_u64(row->live_blocks);
	cells[LS_ALLOCATED_BYTES] = value_u64(row->allocated_bytes);
	cells[LS_ALLOCATED_BLOCKS] = value_u64(row->allocated_blocks);
	cells[LS_SITES] = value_u64(row->sites);
	cells[LS_SAMPLE_PERIOD] = value_u64(row->sample_period);
	cells[LS_COMMAND] = known_text(report, row->command);
	cells[LS_HOST] = known_text(report, row->host);
	cells[LS_PATH] = known_text(report, row->path);
	cells[LS_LABELS] = value_null();
	if (store_each_label(snapshots_store(listing->snapshots), row->id, add_label, &collecting,
			     listing->err) != SNAP_OK)
		return SNAP_ESYSTEM;
	cells[LS_LABELS] = labels;
	return SNAP_OK;
}

static void collect(void *user, const struct notice *notice)
{
	if (!notice_is_remark(notice))
		report_notice(user, notice);
}

/* Damaged snapshots: only their paths are known. */
static size_t list_damaged(struct report *report, const struct snapshots *snapshots)
{
	struct value skipped;
	size_t count = 0;

	for (; snapshots_skipped(snapshots, count); count++) {
		struct value *cells = report_row(report);

		cells[LS_TRIGGER] = value_text(report, "damaged");
		cells[LS_PATH] = value_text(report, snapshots_skipped(snapshots, count));
	}
	skipped = value_list(report, count);
	for (size_t i = 0; i < count; i++)
		skipped.list.items[i] = value_text(report, snapshots_skipped(snapshots, i));
	value_field(report, &report->head, "skipped", skipped);
	return count;
}

static enum snap_status fill(struct report *report, struct snapshots *snapshots,
			     const struct invocation *call, struct snap_error *err)
{
	const struct report_options *options = call->options;
	struct listing listing = {
		.has_ids = options->db != NULL,
		.report = report,
		.snapshots = snapshots,
		.err = err,
	};
	int64_t *ids = NULL;
	size_t damaged;
	enum snap_status st = snapshots_list(snapshots, (const char *const *)call->argv,
					     (size_t)call->argc, &ids, &listing.count, err);

	listing.ids = ids;
	if (st == SNAP_OK)
		st = store_each_snapshot(snapshots_store(snapshots), list_snapshot, &listing, err);
	damaged = list_damaged(report, snapshots);
	sites_hide_empty(report, LS_LABEL);
	sites_hide_empty(report, LS_TITLE);
	report->title = report_text(report, "%zu snapshot%s%s", listing.count,
				    listing.count == 1 ? "" : "s, oldest first",
				    damaged ? report_text(report, "; %zu damaged", damaged) : "");
	free(ids);
	return st;
}

static struct value missed_value(struct report *report, const struct hello_missed *missed)
{
	struct value object = value_object();

	value_field(report, &object, "program", value_text(report, missed->program));
	value_field(report, &object, "reason", value_text(report, missed->reason));
	value_field(report, &object, "count", value_u64(missed->count));
	return object;
}

/* What `run` could not record, of the directories that are named. */
static void list_missed(struct report *report, const struct invocation *call)
{
	const struct report_options *options = call->options;
	struct hello hello = {.path = ""};
	struct value list;

	for (int i = 0; i < call->argc; i++)
		missed_read(&hello, call->argv[i]);
	if (call->argc == 0 && !options->db)
		missed_read(&hello, "snaps");
	list = value_list(report, hello.missed_count);
	for (size_t i = 0; i < hello.missed_count; i++) {
		list.list.items[i] = missed_value(report, &hello.missed[i]);
		if (i < MISSED_NOTES)
			report_note(report, "Not recorded: %s, %zu time%s: %s",
				    hello.missed[i].program, hello.missed[i].count,
				    hello.missed[i].count == 1 ? "" : "s", hello.missed[i].reason);
	}
	if (hello.missed_count > MISSED_NOTES)
		report_note(report, "... and %zu more programs; --format json has all",
			    hello.missed_count - MISSED_NOTES);
	value_field(report, &report->tail, "not_recorded", list);
	hello_free(&hello);
}

static void hide_ids(struct report *report)
{
	struct column *columns = report_alloc(report, sizeof(ls_columns));

	memcpy(columns, ls_columns, sizeof(ls_columns));
	columns[LS_ID].flags |= COLUMN_HIDDEN;
	report->columns = columns;
}

static enum snap_status ls_run(const struct invocation *call, int *exit_code,
			       struct snap_error *err)
{
	const struct report_options *options = call->options;
	struct report *report = report_new("snapdiff.ls/1", ls_columns, LS_COLUMNS);
	const struct snapshots_options how = {
		.db = options->db,
		.pid = options->pid,
		.program = options->program,
		.quiet = options->quiet,
		.facts_only = true,
		.notice = collect,
		.user = report,
	};
	struct snapshots *snapshots = NULL;
	enum snap_status st = snapshots_open(&snapshots, &how, err);

	if (!options->db)
		hide_ids(report);
	if (st == SNAP_OK)
		st = fill(report, snapshots, call, err);
	list_missed(report, call);
	if (st == SNAP_OK)
		st = output_report(report, options, err);
	if (st == SNAP_OK && snapshots_damaged(snapshots))
		*exit_code = EXIT_INPUT;
	snapshots_close(snapshots);
	report_free(report);
	return st;
}

const struct command cmd_ls = {
	.name = "ls",
	.summary = "List snapshots in the order in which they were taken",
	.usage = "[options] [SNAP...]",
	.group = "store",
	.details =
		"SNAP is a file or a directory; with --db, an id, a label or @n.  With nothing "
		"named,\n"
		"all snapshots of the database, or of the directory 'snaps'.  Damaged files are\n"
		"listed with a warning as far as they can be read, and the exit code is then 3.\n"
		"Programs below 'snapdiff run' that were not recorded are named at the end.",
	.options = ls_tables,
	.options_size = sizeof(struct report_options),
	.defaults = &report_option_defaults,
	.operands_min = 0,
	.operands_max = -1,
	.run = ls_run,
};
