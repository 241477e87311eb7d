/*
 * page_holders.c - who holds the rows of a page, if its newest snapshot has holders.
 */
#include "page_holders.h"

#include <stdlib.h>

#include "base/fail.h"
#include "dataset/graph.h"
#include "report/holders.h"

enum { ROWS_MAX = 40 };

static enum snap_status add_row(struct page_holders *out, const struct page_made *made,
				const struct holding *holding, size_t row, struct snap_error *err)
{
	const struct value *key = report_cell(made->report, row, "key");
	struct snap_error ignored = {0};
	struct report *report;
	enum snap_status st;

	if (!key || key->kind != VALUE_TEXT)
		return SNAP_OK;
	report = holders_report_new();
	st = holders_fill_row(report, holding, key->text.data, &ignored);
	if (st == SNAP_OK) {
		out->reports[out->count] = report;
		out->items[out->count++] = (struct page_held){row, report};
		return SNAP_OK;
	}
	report_free(report);
	return st == SNAP_ENOTFOUND ? SNAP_OK : fail(err, st, "%s", ignored.message);
}

static enum snap_status add_rows(struct page_holders *out, const struct page_made *made,
				 const struct graph *graph, struct snap_error *err)
{
	struct holding *holding;
	enum snap_status st = holding_new(&holding, graph, made->options, err);

	for (size_t row = 0; st == SNAP_OK && row < made->report->row_count && row < ROWS_MAX;
	     row++)
		st = add_row(out, made, holding, row, err);
	holding_free(holding);
	return st;
}

enum snap_status page_holders_make(struct page_holders *out, const struct page_made *made,
				   struct snap_error *err)
{
	const struct subject *subject = &made->subject;
	struct graph graph = {0};
	enum snap_status st =
		graph_fetch(&graph, snapshots_store(subject->snapshots), made->dataset,
			    subject->ids[subject->count - 1], false, err);

	*out = (struct page_holders){0};
	out->items = calloc(ROWS_MAX, sizeof(*out->items));
	out->reports = calloc(ROWS_MAX, sizeof(struct report *));
	if (st == SNAP_OK && (!out->items || !out->reports))
		st = fail_memory(err, "finding holders");
	if (st == SNAP_OK && graph.group_count)
		st = add_rows(out, made, &graph, err);
	graph_release(&graph);
	return st;
}

void page_holders_release(struct page_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		report_free(holders->reports[i]);
	free(holders->items);
	free(holders->reports);
	*holders = (struct page_holders){0};
}
