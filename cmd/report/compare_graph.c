/*
 * compare_graph.c - holders that are new, and what rows retain on either side.
 *
 * A holder is the same on both sides if it has the same name.  The names of roots lose the parts
 * that differ from run to run: offsets, addresses, thread ids.  Stacks and registers are left out,
 * because their references change all the time.
 *
 * Which group or root belongs to which holder is decided here; the store finds what is new.
 */
#include "report/compare_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/hash_table.h"
#include "base/search.h"
#include "base/seed.h"
#include "model/names.h"
#include "report/row_graph.h"
#include "report/sites.h"

enum { OLD, NEW, SIDES };

struct compare_graph {
	const struct dataset *dataset;
	bool sized[SIDES]; /* what rows retain is known */
	size_t shown_count;
	struct store_reach *reach[SIDES]; /* of the rows that are shown, by place */
	struct new_holder *holders;       /* by row */
	size_t count, room;
};

/* Who may hold rows: first the rows of the selection, by their numbers, then roots and types. */
struct finding {
	struct report *report;
	const struct compare_graph_request *request;
	struct compare_graph *out;
	struct graph graphs[SIDES];
	uint32_t *labels[SIDES]; /* see row_graph_view */
	struct store_node *nodes;
	size_t node_count, row_count;
	bool *present;           /* by row: it is the holder of a group */
	struct hash_table named; /* the nodes after the rows, by name and kind */
	struct store_member *members;
	size_t member_count;
	const char **roots; /* by row: the root of a path to it on the new side */
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

/* The row of a group's call stack, also where filters leave it out; SNAP_NONE: it has none. */
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

/* ---- holders --------------------------------------------------------------------------------- */

static bool is_named(const void *context, const void *wanted, uint32_t id)
{
	const struct finding *f = context;
	const struct store_node *node = wanted;

	return strcmp(f->nodes[id].key, node->key) == 0 &&
	       strcmp(f->nodes[id].kind, node->kind) == 0;
}

/* A root's or a type's node: those of one name and kind are one.  SNAP_NONE when memory is out. */
static uint32_t named_node(struct finding *f, const char *key, const char *kind)
{
	struct store_node node = {(uint32_t)f->node_count, *key ? key : "(unknown)", kind};
	uint64_t hash = hash_of_bytes_from(hash_seed(), node.key, strlen(node.key));
	uint32_t id = hash_table_find(&f->named, hash, is_named, f, &node);

	if (id != SNAP_NONE)
		return id;
	if (!hash_table_add(&f->named, hash, node.row))
		return SNAP_NONE;
	f->nodes[f->node_count++] = node;
	return node.row;
}

static bool add_member(struct finding *f, int side, uint32_t node, size_t id, bool is_root)
{
	if (node == SNAP_NONE)
		return false;
	if (node < f->row_count)
		f->present[node] = true;
	f->members[f->member_count++] =
		(struct store_member){node, (uint32_t)id, (uint32_t)side, is_root};
	return true;
}

static bool add_groups(struct finding *f, int side)
{
	const struct graph *graph = &f->graphs[side];

	for (uint32_t i = 0; i < graph->group_count; i++) {
		uint32_t node = holder_row(f, side, i);

		if (node == SNAP_NONE)
			node = named_node(f, graph->groups[i].row.label, "type");
		if (!add_member(f, side, node, i, false))
			return false;
	}
	return true;
}

static bool add_roots(struct finding *f, int side)
{
	const struct graph *graph = &f->graphs[side];

	for (size_t i = 0; i < graph->root_count; i++) {
		const struct store_root *root = &graph->roots[i];

		if (root_lasts(root) &&
		    !add_member(f, side,
				named_node(f, lasting_name(f->report, root), graph_root_kind(root)),
				i, true))
			return false;
	}
	return true;
}

static bool make_members(struct finding *f)
{
	size_t most = f->row_count + 1;

	for (int side = OLD; side < SIDES; side++)
		most += f->graphs[side].group_count + f->graphs[side].root_count;
	f->nodes = calloc(most, sizeof(*f->nodes));
	f->members = calloc(most, sizeof(*f->members));
	f->present = calloc(f->row_count + 1, sizeof(*f->present));
	f->node_count = f->row_count;
	return f->nodes && f->members && f->present && add_groups(f, OLD) && add_groups(f, NEW) &&
	       add_roots(f, OLD) && add_roots(f, NEW);
}

/* Rows that hold nothing are no nodes. */
static enum snap_status put_nodes(struct finding *f, struct snap_error *err)
{
	const struct selection *selection = f->request->selection;
	size_t count = 0;

	for (uint32_t i = 0; i < f->node_count; i++) {
		if (i >= f->row_count)
			f->nodes[count++] = f->nodes[i];
		else if (f->present[i])
			f->nodes[count++] = (struct store_node){
				i, sites_words(f->report, selection_row(selection, i)), "site"};
	}
	f->node_count = count;
	return store_put_nodes(f->request->dataset->store, f->nodes, count, err);
}

static bool find_roots(struct finding *f)
{
	const struct graph *graph = &f->graphs[NEW];

	f->roots = calloc(f->row_count + 1, sizeof(*f->roots));
	for (size_t i = 0; f->roots && i < graph->path_count; i++) {
		const struct snap_path *path = &graph->paths[i].row;
		uint32_t row = holder_row(f, NEW, path->group);

		if (row != SNAP_NONE && path->root != SNAP_NONE && !f->roots[row] &&
		    root_lasts(&graph->roots[path->root]))
			f->roots[row] = lasting_name(f->report, &graph->roots[path->root]);
	}
	return f->roots != NULL;
}

/* ---- what is new ----------------------------------------------------------------------------- */

/* A row that refers to few of many blocks may do so by chance. */
static bool holds_enough(const struct finding *f, const struct store_new_holder *found)
{
	return found->holder >= f->row_count || found->blocks > found->new_blocks / 100;
}

static enum snap_status take_holder(void *user, const struct store_new_holder *found)
{
	struct finding *f = user;
	struct compare_graph *out = f->out;
	const struct store_node *node;
	size_t at;

	SEARCH(at, 0, f->node_count, f->nodes[at].row < found->holder);
	if (at == f->node_count || !holds_enough(f, found))
		return SNAP_OK;
	if (!array_reserve(&out->holders, &out->room, out->count, sizeof(*out->holders)))
		return SNAP_ENOMEM;
	node = &f->nodes[at];
	out->holders[out->count++] = (struct new_holder){
		.row = found->row,
		.kind = node->kind,
		/* Copy it: the name of a type belongs to the graph, which is released soon. */
		.name = report_text(f->report, "%s", node->key),
		.root = node->row < f->row_count ? f->roots[node->row] : NULL,
		.row_is_new = found->old_blocks == 0,
		.blocks = found->blocks,
		.bytes = found->bytes,
	};
	return SNAP_OK;
}

static enum snap_status find_new(struct finding *f, struct snap_error *err)
{
	const struct dataset *dataset = f->request->dataset;
	enum snap_status st;

	f->row_count = selection_row_count(f->request->selection);
	if (!label_sites(f) || !make_members(f) || !find_roots(f))
		return fail_memory(err, "comparing holders");
	st = store_put_members(dataset->store, f->members, f->member_count, err);
	if (st == SNAP_OK)
		st = put_nodes(f, err);
	if (st == SNAP_OK)
		st = store_each_new_holder(dataset->store, dataset->snapshot_ids[OLD],
					   dataset->snapshot_ids[NEW], take_holder, f, err);
	return st == SNAP_ENOMEM ? fail_memory(err, "comparing holders") : st;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum snap_status fetch(struct finding *f, struct snap_error *err)
{
	const struct dataset *dataset = f->request->dataset;
	enum snap_status st = SNAP_OK;

	for (int side = OLD; st == SNAP_OK && side < SIDES; side++)
		st = graph_fetch(&f->graphs[side], dataset->store, dataset,
				 dataset->snapshot_ids[side], false, err);
	return st;
}

static void finding_release(struct finding *f)
{
	for (int side = OLD; side < SIDES; side++) {
		graph_release(&f->graphs[side]);
		free(f->labels[side]);
	}
	free(f->nodes);
	free(f->members);
	free(f->present);
	free(f->roots);
	hash_table_release(&f->named);
}

/* If one side has no graph, no holder on the other side counts as new. */
static void note_one_sided(struct report *report, const bool has[SIDES])
{
	if (has[OLD] != has[NEW])
		report_note(report,
			    "Only %s says who holds what, so holders are not compared; 'snapdiff "
			    "holders' asks for those of one snapshot.",
			    has[NEW] ? "NEW" : "OLD");
}

static enum snap_status take(struct compare_graph **out, struct report *report,
			     const struct compare_graph_request *request, const bool sized[SIDES],
			     struct snap_error *err)
{
	struct finding f = {.report = report, .request = request};
	enum snap_status st;

	*out = f.out = calloc(1, sizeof(**out));
	if (!f.out)
		return fail_memory(err, "comparing holders");
	f.out->dataset = request->dataset;
	f.out->sized[OLD] = sized[OLD];
	f.out->sized[NEW] = sized[NEW];
	st = fetch(&f, err);
	if (st == SNAP_OK)
		st = find_new(&f, err);
	finding_release(&f);
	return st;
}

enum snap_status compare_graph_read(struct compare_graph **out, struct report *report,
				    const struct compare_graph_request *request,
				    struct snap_error *err)
{
	const struct dataset *dataset = request->dataset;
	bool has[SIDES], sized[SIDES];
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (!dataset->store || request->cumulative)
		return SNAP_OK;
	for (int side = OLD; st == SNAP_OK && side < SIDES; side++)
		st = store_has_graph(dataset->store, dataset->snapshot_ids[side], &has[side],
				     &sized[side], err);
	if (st != SNAP_OK)
		return st;
	note_one_sided(report, has);
	return has[OLD] && has[NEW] ? take(out, report, request, sized, err) : SNAP_OK;
}

void compare_graph_free(struct compare_graph *graph)
{
	if (!graph)
		return;
	for (int side = OLD; side < SIDES; side++)
		free(graph->reach[side]);
	free(graph->holders);
	free(graph);
}

/* ---- rows that are shown --------------------------------------------------------------------- */

struct showing {
	struct compare_graph *graph;
	int side;
};

static enum snap_status take_reach(void *user, uint32_t place, const struct store_reach *reach)
{
	const struct showing *showing = user;

	if (place < showing->graph->shown_count)
		showing->graph->reach[showing->side][place] = *reach;
	return SNAP_OK;
}

/* A row without blocks on a side has nothing there. */
enum snap_status compare_graph_show(struct compare_graph *graph, size_t count,
				    struct snap_error *err)
{
	const struct dataset *dataset = graph->dataset;
	enum snap_status st = SNAP_OK;

	graph->shown_count = count;
	for (int side = OLD; st == SNAP_OK && side < SIDES; side++) {
		struct showing showing = {graph, side};

		graph->reach[side] = calloc(count + 1, sizeof(*graph->reach[side]));
		if (!graph->reach[side])
			return fail_memory(err, "comparing holders");
		for (size_t i = 0; !graph->sized[side] && i < count; i++)
			graph->reach[side][i].retained = SNAP_UNKNOWN;
		st = store_each_shown_reach(dataset->store, dataset->snapshot_ids[side],
					    (uint32_t)side, false, take_reach, &showing, err);
	}
	return st;
}

/* ---- answers --------------------------------------------------------------------------------- */

const struct store_reach *compare_graph_reach(const struct compare_graph *graph, bool new,
					      size_t place)
{
	return &graph->reach[new ? NEW : OLD][place];
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
