/*
 * page_make.c - what a page or the terminal browser shows: of one snapshot, two, or a series.
 */
#include "page_make.h"

#include "compare_command.h"
#include "dataset/fetch.h"
#include "growth_command.h"
#include "report/top.h"
#include "snapshots/snapshots.h"

#define AT(member) offsetof(struct page_options, member)
const struct option page_option_table[] = {
	{"source", 0, OPTION_TEXT, AT(source), "DIR", "show source lines, from files below DIR",
	 NULL},
	{"group", 'g', OPTION_CHOICE, AT(shared.group), "KEY",
	 "rows by line (default), function, file, module or stack", group_key_names},
	{"own", 0, OPTION_LIST, AT(shared.own), "GLOB",
	 "functions, files and modules that match are the user's own code", NULL},
	{"library", 0, OPTION_LIST, AT(shared.library), "GLOB",
	 "those that match are a library's, which names no site", NULL},
	{"match", 0, OPTION_CHOICE, AT(shared.match), "LEVEL", REPORT_MATCH_HELP, pair_level_names},
	{"pid", 0, OPTION_COUNT, AT(shared.pid), "PID", "only snapshots of this process", NULL},
	{"program", 0, OPTION_TEXT, AT(shared.program), "NAME", "only snapshots of this program",
	 NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};

const struct page_options page_option_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

/* ---- which snapshots' stacks are drawn ---- */

static int64_t field_number(const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name);

	return value && value->kind == VALUE_INT ? value->integer : 0;
}

static const char *input_path(const struct report *report, int64_t index)
{
	const struct value *inputs = value_get(&report->head, "inputs"), *path;

	if (!inputs || inputs->kind != VALUE_LIST || index < 0 ||
	    (size_t)index >= inputs->list.count)
		return NULL;
	path = value_get(&inputs->list.items[index], "path");
	return path && path->kind == VALUE_TEXT ? path->text.data : NULL;
}

/* Of a series: the first and the last snapshot of the process that holds most at the end. */
static void choose_ends(const struct report *report, const char *ends[2])
{
	const struct value *processes = value_get(&report->head, "processes");
	int64_t most = -1, first = 0;

	ends[0] = ends[1] = NULL;
	for (size_t i = 0; processes && i < processes->list.count; i++) {
		const struct value *process = &processes->list.items[i];
		int64_t count = field_number(process, "snapshots");
		int64_t last = field_number(process, "last_bytes");

		if (last > most) {
			most = last;
			ends[0] = input_path(report, first);
			ends[1] = input_path(report, first + count - 1);
		}
		first += count;
	}
}

static enum snap_status fetch_stacks(struct page_made *making, const char *const *names,
				     size_t count, struct snap_error *err)
{
	enum snap_status st = subject_open(&making->subject, making->options, false, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		st = subject_add(&making->subject, names[i], err);
	if (st == SNAP_OK)
		st = fetch_dataset(&making->dataset, snapshots_store(making->subject.snapshots),
				   making->subject.ids, making->subject.count, err);
	if (st == SNAP_OK)
		st = page_stacks_make(&making->stacks, making->dataset, 0, count - 1, err);
	return st;
}

/* ---- the three kinds of pages ---- */

static enum snap_status make_top(struct page_made *making, struct snap_error *err)
{
	enum snap_status st = fetch_stacks(making, making->names, 1, err);

	making->mode = "top";
	if (st != SNAP_OK)
		return st;
	making->report = top_report_new(making->dataset->snapshots[0].sampled);
	st = subject_describe(&making->subject, making->report, err);
	return st == SNAP_OK ? top_fill(making->report, making->dataset, making->options, err) : st;
}

static enum snap_status make_compare(struct page_made *making, struct snap_error *err)
{
	struct compare_command command = {.shared = *making->options};
	enum snap_status st =
		compare_make(&making->report, &command, making->names, making->count, err);

	making->mode = "compare";
	return st == SNAP_OK ? fetch_stacks(making, making->names, 2, err) : st;
}

static enum snap_status make_growth(struct page_made *making, struct snap_error *err)
{
	struct growth_command command = {.shared = *making->options, .with_cohorts = true};
	const char *ends[2];
	enum snap_status st =
		growth_make(&making->report, &command, making->names, making->count, err);

	making->mode = "growth";
	if (st != SNAP_OK)
		return st;
	choose_ends(making->report, ends);
	if (!ends[0] || !ends[1])
		return fail(err, SNAP_EUNSUPPORTED, "the series does not say where its files are");
	return fetch_stacks(making, ends, 2, err);
}

enum snap_status page_make(struct page_made *making, const struct report_options *options,
			   const char *const *names, size_t count, struct snap_error *err)
{
	*making = (struct page_made){.options = options, .names = names, .count = count};
	if (count > 2 || (count == 1 && snapshots_is_directory(names[0])))
		return make_growth(making, err);
	return count == 2 ? make_compare(making, err) : make_top(making, err);
}

void page_made_release(struct page_made *making)
{
	page_stacks_release(&making->stacks);
	report_free(making->report);
	dataset_free(making->dataset);
	subject_close(&making->subject);
	*making = (struct page_made){0};
}
