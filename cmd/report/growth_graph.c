/*
 * growth_graph.c - apply the graph of holders to the rows of growth.
 *
 * One snapshot is enough to know that a block is unreachable, whatever the series says.
 */
#include "report/growth_graph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "dataset/graph.h"
#include "report/growth_keeper.h"
#include "report/growth_part.h"
#include "report/growth_rows.h"
#include "report/row_graph.h"

static uint32_t row_of(const struct growth_table *table, const struct graph_group *group)
{
	const struct row_graph_view view = {table->selection, table->joined};

	return row_graph_row(&view, group);
}

struct summing {
	struct growth_graph *graph;
	bool has_blocks;
};

static enum snap_status take_sum(void *user, uint32_t row, const struct store_lost *sum)
{
	struct summing *summing = user;

	if (row >= summing->graph->row_count)
		return SNAP_OK;
	summing->has_blocks = true;
	summing->graph->rows[row] = (struct growth_graph_row){
		.blocks = sum->live_blocks,
		.bytes = sum->live,
		.direct = sum->direct_blocks,
		.unreachable = sum->direct_blocks + sum->indirect_blocks,
		.unreachable_bytes = sum->direct + sum->indirect,
		.holder = SNAP_NONE,
	};
	return SNAP_OK;
}

/* Globals come first, then other lasting roots; stack frames and registers say least. */
static bool is_telling(const struct store_root *root)
{
	return root->kind == SNAP_ROOT_GLOBAL || root->kind == SNAP_ROOT_TLS ||
	       root->kind == SNAP_ROOT_MAPPING || root->kind == SNAP_ROOT_INTERPRETER ||
	       root->kind == SNAP_ROOT_KERNEL;
}

/* The last block of the way that is of another row than where it leads; SNAP_NONE: there is
 * none. */
static uint32_t last_of_other_row(const struct graph *graph, const struct growth_table *table,
				  const struct graph_path *path, uint32_t row)
{
	for (uint32_t i = path->row.step_count; i-- > 0;) {
		const struct snap_step *step = &graph->steps[path->first_step + i];
		uint32_t other = row_of(table, &graph->groups[step->group]);

		if (other != row)
			return other;
	}
	return SNAP_NONE;
}

/* At the exit, references from a stack are left over from earlier calls. */
bool growth_graph_is_mostly_lost(const struct growth_graph_row *row)
{
	return row->unreachable * 2 >= row->blocks;
}

static bool is_weak(const struct store_root *root)
{
	return root->kind == SNAP_ROOT_STACK || root->kind == SNAP_ROOT_REGISTERS;
}

/*
 * Stacks and registers are searched last: if the way begins there, nothing lasting holds the row.
 * Then the row that holds it says more than the stack frame, which may only have saved a register.
 */
static bool add_weak_roots(struct growth_graph *out, const struct graph *graph,
			   const struct growth_table *table)
{
	for (size_t i = 0; i < graph->path_count; i++) {
		const struct graph_path *path = &graph->paths[i];
		uint32_t row = row_of(table, &graph->groups[path->row.group]);

		if (row == SNAP_NONE || path->row.root == SNAP_NONE || out->rows[row].root ||
		    growth_graph_is_mostly_lost(&out->rows[row]) ||
		    !is_weak(&graph->roots[path->row.root]))
			continue;
		out->rows[row].root = strdup(graph->roots[path->row.root].name);
		out->rows[row].holder = last_of_other_row(graph, table, path, row);
		out->rows[row].is_weak = true;
		if (!out->rows[row].root)
			return false;
	}
	return true;
}

static bool add_roots(struct growth_graph *out, const struct graph *graph,
		      const struct growth_table *table)
{
	for (size_t i = 0; i < graph->path_count; i++) {
		const struct snap_path *path = &graph->paths[i].row;
		uint32_t row = row_of(table, &graph->groups[path->group]);

		if (row == SNAP_NONE || path->root == SNAP_NONE || out->rows[row].root ||
		    !is_telling(&graph->roots[path->root]))
			continue;
		out->rows[row].root = strdup(graph->roots[path->root].name);
		if (!out->rows[row].root)
			return false;
	}
	return true;
}

/* A way leads to one block of a row, maybe by a pointer that is left over.  If another row holds
 * most of the blocks, the way to that one counts. */
static bool use_keepers(struct growth_graph *out, const uint32_t *keepers)
{
	for (size_t r = 0; r < out->row_count; r++) {
		struct growth_graph_row *row = &out->rows[r];
		const struct growth_graph_row *keeper = &out->rows[keepers[r]];
		char *root;

		if (keeper == row || !keeper->root || growth_graph_is_mostly_lost(row) ||
		    growth_graph_is_mostly_lost(keeper))
			continue;
		root = strdup(keeper->root);
		if (!root)
			return false;
		free(row->root);
		row->root = root;
		row->holder = keeper->is_weak ? keepers[r] : SNAP_NONE;
	}
	return true;
}

static enum snap_status find_keepers(struct growth_graph *out, const struct graph *graph,
				     const struct growth_table *table, struct snap_error *err)
{
	struct growth_keeper_rows rows = {
		.count = out->row_count,
		.blocks = array_unset(out->row_count + 1, sizeof(*rows.blocks)),
		.row_of_group = array_unset(graph->group_count + 1, sizeof(*rows.row_of_group)),
		.group_count = graph->group_count,
	};
	uint32_t *keepers = array_unset(out->row_count + 1, sizeof(*keepers));
	enum snap_status st = rows.blocks && rows.row_of_group && keepers
				      ? SNAP_OK
				      : fail_memory(err, "reading who holds what");

	for (size_t i = 0; st == SNAP_OK && i < out->row_count; i++)
		rows.blocks[i] = out->rows[i].blocks;
	for (size_t i = 0; st == SNAP_OK && i < graph->group_count; i++)
		rows.row_of_group[i] = row_of(table, &graph->groups[i]);
	if (st == SNAP_OK)
		st = growth_keepers_find(keepers, &rows, table->dataset->store, graph->snapshot_id,
					 err);
	if (st == SNAP_OK && !use_keepers(out, keepers))
		st = fail_memory(err, "reading who holds what");
	free(keepers);
	free(rows.row_of_group);
	free(rows.blocks);
	return st;
}

static enum snap_status find_roots(struct growth_graph *out, const struct growth_table *table,
				   int64_t id, struct snap_error *err)
{
	struct graph graph;
	enum snap_status st =
		graph_fetch(&graph, table->dataset->store, table->dataset, id, false, err);

	if (st == SNAP_OK &&
	    (!add_roots(out, &graph, table) || !add_weak_roots(out, &graph, table)))
		st = fail_memory(err, "reading who holds what");
	if (st == SNAP_OK)
		st = find_keepers(out, &graph, table, err);
	graph_release(&graph);
	return st;
}

/* *out stays NULL where no row has blocks. */
static enum snap_status take(struct growth_graph **out, struct growth_table *table, int64_t id,
			     struct snap_error *err)
{
	struct growth_graph *made =
		calloc(1, sizeof(*made) + (table->row_count + 1) * sizeof(*made->rows));
	struct summing summing = {.graph = made};
	uint32_t side;
	enum snap_status st = growth_table_graph_side(table, &side, err);

	if (!made)
		return fail_memory(err, "reading who holds what");
	made->row_count = table->row_count;
	for (size_t i = 0; i < made->row_count; i++)
		made->rows[i].holder = SNAP_NONE;
	if (st == SNAP_OK)
		st = store_each_credited_lost(table->dataset->store, id, side, take_sum, &summing,
					      err);
	if (st == SNAP_OK && summing.has_blocks)
		st = find_roots(made, table, id, err);
	if (st == SNAP_OK && summing.has_blocks)
		*out = made;
	else
		growth_graph_free(made);
	return st;
}

enum snap_status growth_graph_read(struct growth_graph **out, struct store *store,
				   const int64_t *ids, size_t count, struct growth_table *table,
				   struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	bool has, sized;

	*out = NULL;
	for (size_t i = count; st == SNAP_OK && !*out && i-- > 0;) {
		st = store_has_graph(store, ids[i], &has, &sized, err);
		if (st == SNAP_OK && has)
			st = take(out, table, ids[i], err);
	}
	return st;
}

void growth_graph_free(struct growth_graph *graph)
{
	if (!graph)
		return;
	for (size_t i = 0; i < graph->row_count; i++)
		free(graph->rows[i].root);
	free(graph);
}

void growth_add_reason(struct growth_judgement *judgement, const char *sentence)
{
	if (judgement->reason_count < GROWTH_REASONS)
		judgement->reason_count++;
	memmove(judgement->reasons[1], judgement->reasons[0],
		(GROWTH_REASONS - 1) * sizeof(judgement->reasons[0]));
	snprintf(judgement->reasons[0], GROWTH_REASON_SIZE, "%s", sentence);
}

/* Of a row that grows, whatever the series says, or that grows by the series: is enough lost? */
static bool is_losing(const struct growth_judgement *judgement,
		      const struct growth_graph_row *graph)
{
	return growth_graph_is_mostly_lost(graph) ||
	       (growth_is_growth(judgement) && graph->unreachable * 10 >= graph->blocks);
}

static void judge_row(struct growth_row *row, const struct growth_graph_row *graph)
{
	struct growth_judgement *judgement = &row->judgement;
	char sentence[GROWTH_REASON_SIZE];

	if (!graph->blocks || !graph->unreachable || row->last <= row->first ||
	    judgement->verdict == GROWTH_STABLE || !is_losing(judgement, graph))
		return;
	snprintf(sentence, sizeof(sentence),
		 "nothing reaches %" PRIu64 " of its %" PRIu64 " blocks any more",
		 graph->unreachable, graph->blocks);
	judgement->verdict = GROWTH_LEAK;
	judgement->confidence = GROWTH_HIGH;
	growth_add_reason(judgement, sentence);
}

/* ---- what runs of a repeated command leave at their exit ------------------------------------- */

/* If nearly everything is lost, the figures of the series are exact. */
static const double most_lost = 0.9;

static struct stats_slope slope_of(uint64_t each_run)
{
	return (struct stats_slope){(double)each_run, (double)each_run, (double)each_run};
}

/* Memory that a program still refers to at its end is kept on purpose; the system frees it. */
static void find_reachable(struct growth_judgement *judgement)
{
	judgement->verdict = GROWTH_STABLE;
	judgement->confidence = GROWTH_HIGH;
	judgement->exact = false;
	judgement->bytes_slope = judgement->blocks_slope = slope_of(0);
	judgement->reason_count = 0;
	growth_add_reason(
		judgement,
		"all its blocks were still reachable at the exit: kept, not lost, by each run");
}

static void find_lost(struct growth_judgement *judgement, const struct growth_graph_row *graph)
{
	char sentence[GROWTH_REASON_SIZE];

	/* One object with everything it holds may be kept on purpose until the end. */
	if (graph->direct < 2) {
		judgement->confidence = GROWTH_LOW;
		judgement->reason_count = 0;
		growth_add_reason(judgement,
				  "not sure: each run loses one object at most, which may be "
				  "kept on purpose until the end");
	}
	if ((double)graph->unreachable < most_lost * (double)graph->blocks) {
		judgement->exact = false;
		judgement->bytes_slope = slope_of(graph->unreachable_bytes);
		judgement->blocks_slope = slope_of(graph->unreachable);
	}
	snprintf(sentence, sizeof(sentence),
		 "nothing reached %" PRIu64 " of its %" PRIu64 " blocks at the exit",
		 graph->unreachable, graph->blocks);
	growth_add_reason(judgement, sentence);
}

static void judge_run_row(struct growth_list *list, struct growth_row *row,
			  const struct growth_graph_row *graph)
{
	if (!graph->blocks)
		return;
	list->reachable_blocks += graph->blocks - graph->unreachable;
	list->reachable_bytes += graph->bytes - graph->unreachable_bytes;
	if (!growth_is_growth(&row->judgement))
		return;
	if (graph->unreachable)
		find_lost(&row->judgement, graph);
	else
		find_reachable(&row->judgement);
}

void growth_graph_judge(struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct growth_row *row = &list->rows[i];
		const struct growth_graph *graph = row->part->graph;

		if (!graph)
			continue;
		if (!row->part->axis.repeated)
			judge_row(row, &graph->rows[row->row]);
		else if (row->part->table.skips_by_design)
			judge_run_row(list, row, &graph->rows[row->row]);
	}
}
