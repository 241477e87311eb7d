/*
 * cmd_schema.c - `snapdiff schema`: the documented views and their columns.
 */
#include <string.h>

#include "cli/cli.h"
#include "render/output.h"
#include "store/store.h"

static const struct option *const schema_tables[] = {output_option_table, NULL};

static const struct column schema_columns[] = {
	{"view", "view", COLUMN_TEXT, 0},
	{"column", "column", COLUMN_TEXT, 0},
	{"type", "type", COLUMN_TEXT, 0},
	{"description", "what it is", COLUMN_NAME, 0},
};

static void add_view(struct report *report, const struct store_view_doc *view)
{
	for (const struct store_column_doc *column = view->columns; column->name; column++) {
		struct value *row = report_row(report);

		row[0] = value_text(report, view->name);
		row[1] = value_text(report, column->name);
		row[2] = value_text(report, column->type);
		row[3] = value_text(report, column->description);
	}
}

static const struct store_view_doc *find_view(const char *name)
{
	for (const struct store_view_doc *view = store_views(); view->name; view++)
		if (strcmp(view->name, name) == 0)
			return view;
	return NULL;
}

static enum snap_status no_such_view(const char *name, struct snap_error *err)
{
	const char *names[32] = {NULL};
	const char *nearest;
	size_t count = 0;

	for (const struct store_view_doc *view = store_views(); view->name && count < 31; view++)
		names[count++] = view->name;
	nearest = cli_nearest(name, names);
	if (nearest)
		return fail(err, SNAP_EUSAGE, "there is no view '%s'; did you mean '%s'?", name,
			    nearest);
	return fail(err, SNAP_EUSAGE, "there is no view '%s'; snapdiff schema lists them", name);
}

/* All views: one row each would hide what scripts need most, so every column is there as well. */
static void add_all(struct report *report)
{
	size_t count = 0;

	for (const struct store_view_doc *view = store_views(); view->name; view++, count++)
		add_view(report, view);
	report->title = report_text(
		report, "%zu views; they stay as they are, columns are only added", count);
	report_note(report,
		    "SQL functions of snapdiff query: human(bytes), stack_text(site_id), "
		    "own_frame(site_id), theil_sen(x, y), mann_kendall(y), x REGEXP pattern");
	report_note(report, "Ask one: snapdiff query --db FILE 'SELECT * FROM top LIMIT 5'");
}

static enum snap_status schema_run(const struct invocation *call, int *exit_code,
				   struct snap_error *err)
{
	const struct store_view_doc *view = call->argc ? find_view(call->argv[0]) : NULL;
	struct report *report;
	enum snap_status st;

	(void)exit_code;
	if (call->argc && !view)
		return no_such_view(call->argv[0], err);
	report = report_new("snapdiff.schema/1", schema_columns, 4);
	if (view) {
		add_view(report, view);
		report->title = report_text(report, "%s: %s", view->name, view->description);
	} else {
		add_all(report);
	}
	st = output_report(report, call->options, err);
	report_free(report);
	return st;
}

const struct command cmd_schema = {
	.name = "schema",
	.summary = "Describe the views of a database and their columns",
	.usage = "[options] [VIEW]",
	.group = "reports",
	.details = "Views are the stable interface of a database; base tables may change between "
		   "versions.",
	.options = schema_tables,
	.options_size = sizeof(struct report_options),
	.defaults = &report_option_defaults,
	.operands_min = 0,
	.operands_max = 1,
	.run = schema_run,
};
