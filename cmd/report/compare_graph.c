/*
 * compare_graph.c - holders that are new, and what rows retain on either side.
 *
 * A holder is the same on both sides if it has the same name.  Roots lose what differs from run to
 * run: offsets, addresses, thread ids.  Stacks and registers are left out: what they refer to
 * changes from moment to moment.
 */
#include "report/compare_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/search.h"
#include "model/names.h"
#include "report/row_graph.h"
#include "report/sites.h"

enum { OLD, NEW, SIDES };

/* One edge between a holder and a row, on one side. */
struct tie {
	uint32_t row, holder_row; /* holder_row: SNAP_NONE for a root */
	const char *kind, *name;  /* NULL for a row */
	bool new;
	uint64_t blocks, bytes;
};

struct live {
	uint64_t blocks, bytes;
};

struct compare_graph {
	struct row_graph sums[SIDES];
	struct new_holder *holders; /* by row */
	size_t count;
};

struct finding {
	struct report *report;
	const struct compare_graph_request *request;
	struct graph graphs[SIDES];
	uint32_t *labels[SIDES]; /* see row_graph_view */
	struct tie *ties;
	size_t tie_count;
	struct live *live[SIDES]; /* by row */
	const char **roots;       /* by row: the root of a path to it on the new side */
};

/* ---- rows and names -------------------------------------------------------------------------- */

static bool label_sites(struct finding *f)
{
	const struct pairing *pairing = f->request->pairing;
	size_t count = f->request->dataset->site_count;

	for (int side = OLD; side < SIDES; side++) {
		f->labels[side] = calloc(count + 1, sizeof(*f->labels[side]));
		for (uint32_t i = 0; f->labels[side] && i < count; i++)
			f->labels[side][i] = i;
	}
	for (size_t i = 0; f->labels[OLD] && i < pairing->count; i++)
		if (pairing->pairs[i].old != SNAP_NONE)
			f->labels[OLD][pairing->pairs[i].old] =
				change_label_site(&pairing->pairs[i]);
	return f->labels[OLD] && f->labels[NEW];
}

static struct row_graph_view view_of(const struct finding *f, int side)
{
	return (struct row_graph_view){f->request->selection, f->labels[side], false};
}

/* The row of a group of blocks.  SNAP_NONE: filters leave it out, or it has no call stack. */
static uint32_t row_of(const struct finding *f, int side, uint32_t group)
{
	const struct row_graph_view view = view_of(f, side);
	const uint32_t *rows;

	return row_graph_rows(&view, &f->graphs[side].groups[group], &rows) ? rows[0] : SNAP_NONE;
}

/* The same for a holder, which filters do not concern. */
static uint32_t holder_row(const struct finding *f, int side, uint32_t group)
{
	const struct graph_group *holder = &f->graphs[side].groups[group];

	if (holder->row.kind != SNAP_GROUP_SITE || holder->site == SNAP_NONE)
		return SNAP_NONE;
	return selection_named_row(f->request->selection, f->labels[side][holder->site]);
}

static bool root_lasts(const struct store_root *root)
{
	return root->kind != SNAP_ROOT_STACK && root->kind != SNAP_ROOT_REGISTERS;
}

/* The name of a root without offset, address and thread. */
static const char *lasting_name(struct report *report, const struct store_root *root)
{
	const char *module = *root->module ? name_base(root->module) : "";
	const char *what = root->kind == SNAP_ROOT_TLS ? "thread-local " : "";

	switch (root->kind) {
	case SNAP_ROOT_GLOBAL:
	case SNAP_ROOT_TLS:
		if (*root->symbol && *module)
			return report_text(report, "%s%s (%s)", what, root->symbol, module);
		if (*root->symbol)
			return report_text(report, "%s%s", what, root->symbol);
		return report_text(report, "a %svariable of %s", what,
				   *module ? module : "no file");
	case SNAP_ROOT_MAPPING:
		return *root->label ? report_text(report, "mapping %s", root->label)
				    : "anonymous mapping";
	case SNAP_ROOT_THREAD:
		return "what libc keeps for a thread";
	default:
		return report_text(report, "%s", root->name);
	}
}

/* ---- ties ------------------------------------------------------------------------------------ */

static const struct tie *make_tie(struct finding *f, int side, const struct snap_edge *edge)
{
	const struct graph *graph = &f->graphs[side];
	struct tie *tie = &f->ties[f->tie_count];

	*tie = (struct tie){.row = row_of(f, side, edge->to),
			    .holder_row = SNAP_NONE,
			    .new = side == NEW,
			    .blocks = edge->blocks,
			    .bytes = edge->bytes};
	if (tie->row == SNAP_NONE)
		return NULL;
	if (edge->from_root) {
		if (!root_lasts(&graph->roots[edge->from]))
			return NULL;
		tie->kind = graph_root_kind(&graph->roots[edge->from]);
		tie->name = lasting_name(f->report, &graph->roots[edge->from]);
		return tie;
	}
	tie->holder_row = holder_row(f, side, edge->from);
	if (tie->holder_row != SNAP_NONE)
		return tie->holder_row == tie->row ? NULL : tie;
	tie->kind = "type";
	tie->name = graph->groups[edge->from].row.label;
	return tie;
}

static bool make_ties(struct finding *f)
{
	f->ties =
		calloc(f->graphs[OLD].edge_count + f->graphs[NEW].edge_count + 1, sizeof(*f->ties));
	for (int side = OLD; f->ties && side < SIDES; side++)
		for (size_t i = 0; i < f->graphs[side].edge_count; i++)
			f->tie_count += make_tie(f, side, &f->graphs[side].edges[i]) != NULL;
	return f->ties != NULL;
}

static int compare_text(const char *a, const char *b)
{
	return !a || !b ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare_holder(const struct tie *a, const struct tie *b)
{
	int order;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if (a->holder_row != b->holder_row)
		return a->holder_row < b->holder_row ? -1 : 1;
	order = compare_text(a->kind, b->kind);
	return order ? order : compare_text(a->name, b->name);
}

/* Of one holder, those of the old side first. */
static int compare_ties(const void *left, const void *right)
{
	const struct tie *a = left, *b = right;
	int order = compare_holder(a, b);

	return order ? order : (a->new > b->new) - (a->new < b->new);
}

/* ---- what is new ----------------------------------------------------------------------------- */

/* A row that refers to few of many blocks may do so by chance. */
static bool holds_enough(const struct finding *f, const struct tie *tie)
{
	return tie->holder_row == SNAP_NONE || tie->blocks > f->live[NEW][tie->row].blocks / 100;
}

static uint64_t at_most(uint64_t figure, uint64_t limit)
{
	return figure < limit ? figure : limit;
}

static void add_holder(struct compare_graph *graph, const struct finding *f, const struct tie *tie)
{
	const struct selection *selection = f->request->selection;
	struct new_holder *holder = &graph->holders[graph->count];

	if (!holds_enough(f, tie))
		return;
	*holder = (struct new_holder){
		.row = tie->row,
		.kind = tie->kind,
		.name = tie->name,
		.row_is_new = f->live[OLD][tie->row].blocks == 0,
		.blocks = at_most(tie->blocks, f->live[NEW][tie->row].blocks),
		.bytes = at_most(tie->bytes, f->live[NEW][tie->row].bytes),
	};
	if (tie->holder_row != SNAP_NONE) {
		holder->kind = "site";
		holder->name = sites_words(f->report, selection_row(selection, tie->holder_row));
		holder->root = f->roots[tie->holder_row];
	} else {
		/* That of a type is the graph's, which does not last. */
		holder->name = *tie->name ? report_text(f->report, "%s", tie->name) : "(unknown)";
	}
	graph->count++;
}

static int compare_holders(const void *left, const void *right)
{
	const struct new_holder *a = left, *b = right;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->name, b->name);
}

static bool find_new(struct compare_graph *graph, struct finding *f)
{
	size_t next;

	graph->holders = calloc(f->tie_count + 1, sizeof(*graph->holders));
	if (!graph->holders)
		return false;
	qsort(f->ties, f->tie_count, sizeof(*f->ties), compare_ties);
	for (size_t i = 0; i < f->tie_count; i = next) {
		struct tie sum = f->ties[i];

		for (next = i + 1;
		     next < f->tie_count && compare_holder(&f->ties[i], &f->ties[next]) == 0;
		     next++) {
			sum.blocks += f->ties[next].blocks;
			sum.bytes += f->ties[next].bytes;
		}
		if (f->ties[i].new)
			add_holder(graph, f, &sum);
	}
	qsort(graph->holders, graph->count, sizeof(*graph->holders), compare_holders);
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool count_live(struct finding *f)
{
	size_t rows = selection_row_count(f->request->selection);

	for (int side = OLD; side < SIDES; side++) {
		f->live[side] = calloc(rows + 1, sizeof(*f->live[side]));
		for (uint32_t i = 0; f->live[side] && i < f->graphs[side].group_count; i++) {
			const struct store_group *group = &f->graphs[side].groups[i].row;
			uint32_t row = row_of(f, side, i);

			if (row == SNAP_NONE)
				continue;
			f->live[side][row].blocks += group->blocks;
			f->live[side][row].bytes += group->bytes;
		}
	}
	return f->live[OLD] && f->live[NEW];
}

static bool find_roots(struct finding *f)
{
	const struct graph *graph = &f->graphs[NEW];

	f->roots = calloc(selection_row_count(f->request->selection) + 1, sizeof(*f->roots));
	for (size_t i = 0; f->roots && i < graph->path_count; i++) {
		const struct snap_path *path = &graph->paths[i].row;
		uint32_t row = holder_row(f, NEW, path->group);

		if (row != SNAP_NONE && path->root != SNAP_NONE && !f->roots[row] &&
		    root_lasts(&graph->roots[path->root]))
			f->roots[row] = lasting_name(f->report, &graph->roots[path->root]);
	}
	return f->roots != NULL;
}

static enum snap_status fetch(struct finding *f, struct snap_error *err)
{
	const struct dataset *dataset = f->request->dataset;
	enum snap_status st = SNAP_OK;

	for (int side = OLD; st == SNAP_OK && side < SIDES; side++)
		st = graph_fetch(&f->graphs[side], dataset->store, dataset,
				 dataset->snapshot_ids[side], false, err);
	return st;
}

static enum snap_status take(struct compare_graph *out, struct finding *f, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (!label_sites(f) || !count_live(f) || !find_roots(f) || !make_ties(f) ||
	    !find_new(out, f))
		return fail_memory(err, "comparing holders");
	for (int side = OLD; st == SNAP_OK && side < SIDES; side++) {
		const struct row_graph_view view = view_of(f, side);

		st = row_graph_sum(&out->sums[side], &f->graphs[side], &view, err);
	}
	return st;
}

static void finding_release(struct finding *f)
{
	for (int side = OLD; side < SIDES; side++) {
		graph_release(&f->graphs[side]);
		free(f->labels[side]);
		free(f->live[side]);
	}
	free(f->ties);
	free(f->roots);
}

/* If one side does not say who holds what, nothing on the other side is new. */
static void note_one_sided(const struct finding *f)
{
	bool new_says = f->graphs[NEW].group_count > 0;

	if (new_says != (f->graphs[OLD].group_count > 0))
		report_note(f->report,
			    "Only %s says who holds what, so holders are not compared; 'snapdiff "
			    "holders' shows those of one snapshot.",
			    new_says ? "NEW" : "OLD");
}

enum snap_status compare_graph_read(struct compare_graph **out, struct report *report,
				    const struct compare_graph_request *request,
				    struct snap_error *err)
{
	struct finding f = {.report = report, .request = request};
	enum snap_status st;

	*out = NULL;
	if (!request->dataset->store || request->cumulative)
		return SNAP_OK;
	st = fetch(&f, err);
	if (st == SNAP_OK)
		note_one_sided(&f);
	if (st == SNAP_OK && f.graphs[OLD].group_count && f.graphs[NEW].group_count) {
		*out = calloc(1, sizeof(**out));
		st = *out ? take(*out, &f, err) : fail_memory(err, "comparing holders");
	}
	finding_release(&f);
	return st;
}

void compare_graph_free(struct compare_graph *graph)
{
	if (!graph)
		return;
	for (int side = OLD; side < SIDES; side++)
		row_graph_release(&graph->sums[side]);
	free(graph->holders);
	free(graph);
}

/* ---- answers --------------------------------------------------------------------------------- */

uint64_t compare_graph_unreachable(const struct compare_graph *graph, bool new, uint32_t row)
{
	return graph->sums[new ? NEW : OLD].unreachable[row];
}

uint64_t compare_graph_retained(const struct compare_graph *graph, bool new, uint32_t row)
{
	const uint64_t *retained = graph->sums[new ? NEW : OLD].retained;

	return retained ? retained[row] : SNAP_UNKNOWN;
}

const struct new_holder *compare_graph_all(const struct compare_graph *graph, size_t *count)
{
	*count = graph->count;
	return graph->holders;
}

const struct new_holder *compare_graph_of(const struct compare_graph *graph, uint32_t row,
					  size_t *count)
{
	size_t first;

	SEARCH(first, 0, graph->count, graph->holders[first].row < row);
	for (*count = 0;
	     first + *count < graph->count && graph->holders[first + *count].row == row;)
		++*count;
	return graph->holders + first;
}

const char *compare_graph_words(struct report *report, const struct new_holder *holders,
				size_t count)
{
	const char *text;

	if (!count)
		return NULL;
	text = report_text(report, "%s %s", holders->row_is_new ? "held by" : "now also held by",
			   holders->name);
	if (holders->root)
		text = report_text(report, "%s, from %s", text, holders->root);
	if (count > 1)
		text = report_text(report, "%s and %zu more", text, count - 1);
	return text;
}
