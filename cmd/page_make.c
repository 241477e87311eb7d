/*
 * page_make.c - what a page or the terminal browser shows: of one snapshot, two, or a series.
 */
#include "page_make.h"

#include "compare_command.h"
#include "dataset/fetch.h"
#include "growth_command.h"
#include "report/top.h"
#include "snapshots/session.h"

/* ---- which snapshots' stacks are drawn ---- */

static const char *input_path(const struct report *report, size_t index, int64_t *pid)
{
	const struct value *inputs = value_get(&report->head, "inputs");
	const struct value *input = &inputs->list.items[index];
	const struct value *path = value_get(input, "path"), *number = value_get(input, "pid");

	*pid = number && number->kind == VALUE_INT ? number->integer : 0;
	return path && path->kind == VALUE_TEXT ? path->text.data : NULL;
}

/* Of a series: the first and the last snapshot of the process that has the last one. */
static void choose_ends(const struct report *report, const char *ends[2])
{
	const struct value *inputs = value_get(&report->head, "inputs");
	size_t count = inputs && inputs->kind == VALUE_LIST ? inputs->list.count : 0;
	int64_t last = 0, pid;

	ends[0] = ends[1] = NULL;
	if (count)
		ends[1] = input_path(report, count - 1, &last);
	for (size_t i = 0; i < count && !ends[0]; i++) {
		const char *path = input_path(report, i, &pid);

		if (pid == last)
			ends[0] = path;
	}
}

static enum snap_status fetch_stacks(struct page_made *making, const char *const *names,
				     size_t count, struct snap_error *err)
{
	enum snap_status st = subject_open(&making->subject, making->options, false, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		st = subject_add(&making->subject, names[i], err);
	if (st == SNAP_OK)
		st = fetch_dataset(&making->dataset, session_store(making->subject.session),
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
	struct growth_command command = {.shared = *making->options};
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
	if (count > 2 || (count == 1 && session_is_directory(names[0])))
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
