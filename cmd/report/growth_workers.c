/*
 * growth_workers.c - the workers of a pool: processes of one program that run side by side.
 *
 * A site that several have is one row, with the sum.
 */
#include "report/growth_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "base/fail.h"

size_t growth_row_snapshots(const struct growth_row *row)
{
	size_t most = 0;

	for (; row; row = row->next)
		most = row->part->axis.count > most ? row->part->axis.count : most;
	return most;
}

/* Sum the values of all workers, snapshot by snapshot, counted from the last one: workers take
 * snapshots at the same pace.  Before its first snapshot, a worker counts with its first value. */
static void sum_up(double *sums, size_t count, const double *values, size_t own)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += values[i + own < count ? 0 : i + own - count];
}

static void sum_workers(struct report *report, struct growth_row *row)
{
	size_t count = growth_row_snapshots(row);
	double *bytes = report_alloc(report, 2 * count * sizeof(*bytes)), *blocks = bytes + count;
	bool known = true;

	memset(bytes, 0, 2 * count * sizeof(*bytes));
	for (const struct growth_row *at = row; at; at = at->next) {
		sum_up(bytes, count, at->bytes, at->part->axis.count);
		if (at->blocks)
			sum_up(blocks, count, at->blocks, at->part->axis.count);
		known &= at->blocks != NULL;
	}
	row->bytes = bytes;
	row->blocks = known ? blocks : NULL;
	row->first = bytes[0];
	row->last = bytes[count - 1];
}

static void add_slope(struct stats_slope *sum, const struct stats_slope *slope)
{
	sum->value += slope->value;
	sum->low += slope->low;
	sum->high += slope->high;
}

/* A worker that does not grow says nothing about others that grew and were too short-lived to
   judge. */
static bool is_left_open(const struct growth_row *row)
{
	if (growth_is_growth(&row->judgement) || row->judgement.verdict == GROWTH_INCONCLUSIVE ||
	    row->judgement.verdict == GROWTH_TOO_FEW)
		return false;
	for (row = row->next; row; row = row->next)
		if (row->judgement.verdict == GROWTH_TOO_FEW && row->last > row->first)
			return true;
	return false;
}

/* The worker with the strongest verdict stands for all; growth is added up. */
static void join_judgements(struct growth_row *row)
{
	struct growth_judgement *out = &row->judgement;
	size_t agree = 1;

	if (is_left_open(row)) {
		agree = 0;
		out->verdict = GROWTH_TOO_FEW;
		out->confidence = GROWTH_LOW;
		out->reason_count = 0;
	}
	for (const struct growth_row *at = row->next; at; at = at->next) {
		agree += at->judgement.verdict == out->verdict;
		add_slope(&out->bytes_slope, &at->judgement.bytes_slope);
		add_slope(&out->blocks_slope, &at->judgement.blocks_slope);
		out->exact_blocks += at->judgement.exact_blocks;
		out->exact_bytes += at->judgement.exact_bytes;
		out->exact &= at->judgement.exact;
	}
	if (out->reason_count == GROWTH_REASONS)
		out->reason_count--;
	snprintf(out->reasons[out->reason_count++], GROWTH_REASON_SIZE,
		 "%s in %zu of %zu processes, which are added up",
		 growth_verdict_name(out->verdict), agree, row->workers);
}

static int by_row(const void *left, const void *right)
{
	const struct growth_row *const *a = left, *const *b = right;
	int order = ((*a)->part->pool > (*b)->part->pool) - ((*a)->part->pool < (*b)->part->pool);

	if (order == 0)
		order = strcmp((*a)->words->key, (*b)->words->key);
	/* Rows with equal names that are not the same have a row in each part. */
	if (order == 0)
		order = growth_row_compare(*a, *b, false);
	return order;
}

static bool is_same_row(const struct growth_row *a, const struct growth_row *b)
{
	return a->part != b->part && a->part->pool == b->part->pool &&
	       strcmp(a->words->key, b->words->key) == 0;
}

enum snap_status growth_list_join_workers(struct growth_list *list, struct report *report,
					  struct snap_error *err)
{
	struct growth_row **order = calloc(list->count + 1, sizeof(struct growth_row *));
	struct growth_row *joined = calloc(list->count + 1, sizeof(*joined));
	size_t kept = 0;

	if (!order || !joined) {
		free(order);
		free(joined);
		return fail_memory(err, "adding up processes");
	}
	for (size_t i = 0; i < list->count; i++)
		order[i] = &list->rows[i];
	qsort(order, list->count, sizeof(struct growth_row *), by_row);
	for (size_t i = 0, end; i < list->count; i = end) {
		struct growth_row *row = order[i], *last = row;

		for (end = i + 1; end < list->count && is_same_row(row, order[end]); end++) {
			last->next = order[end];
			last = order[end];
			row->workers++;
		}
		if (row->workers > 1) {
			sum_workers(report, row);
			join_judgements(row);
		}
		joined[kept++] = *row;
	}
	free(order);
	list->members = list->rows;
	list->rows = joined;
	list->count = kept;
	return SNAP_OK;
}
