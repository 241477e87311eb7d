/*
 * load_holders.c - who holds what: groups, roots, edges and example paths.
 *
 * A group of blocks of one call stack refers to the site of that stack: see holders_complete().
 */
#include "store/sqlite/loading.h"

#include <stdlib.h>
#include <string.h>

#include "model/bounds.h"
#include "model/holders.h"
#include "store/sqlite/bulk.h"

/* What binding rows needs. */
struct graph {
	const struct loading *load;
	int64_t *sites; /* row ids, by group; 0 none */
	char **names;   /* in words, by root */
};

/* ---- the sites of groups ---- */

struct place {
	uint32_t node, domain, site;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return (left->domain > right->domain) - (left->domain < right->domain);
}

/* Objects of one call stack are in one domain or another: the first will do. */
static const struct place *first_with(const struct place *places, uint32_t count, uint32_t node)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (places[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && places[low].node == node ? &places[low] : NULL;
}

static bool find_sites(const struct loading *load, int64_t *sites)
{
	const struct model *model = load->model;
	struct place *places = loading_array(model->site_count, sizeof(*places));

	if (!places)
		return false;
	for (uint32_t i = 0; i < model->site_count; i++)
		places[i] = (struct place){model->sites[i].row.node, model->sites[i].row.domain, i};
	qsort(places, model->site_count, sizeof(*places), compare_places);
	for (uint32_t i = 0; i < model->holders.group_count; i++) {
		const struct snap_group *group = &model->holders.groups[i];
		struct place wanted = {group->node, group->label, 0};
		const struct place *found = NULL;

		if (group->kind == SNAP_GROUP_SITE)
			found = bsearch(&wanted, places, model->site_count, sizeof(*places),
					compare_places);
		else if ((group->kind == SNAP_GROUP_TYPE || group->kind == SNAP_GROUP_REUSE) &&
			 group->node != SNAP_NONE)
			found = first_with(places, model->site_count, group->node);
		sites[i] = found ? load->site_ids[found->site] : 0;
	}
	free(places);
	return true;
}

/* ---- rows ---- */

/* The row's id is its place. */
static int64_t place_of(const void *row, const void *first, size_t size)
{
	return (int64_t)((size_t)((const char *)row - (const char *)first) / size);
}

static int bind_text_or_null(sqlite3_stmt *statement, int at, const struct model *model,
			     uint32_t string)
{
	struct snap_text text = model->strings[string];

	return text.size ? sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_STATIC,
					       SQLITE_UTF8)
			 : sqlite3_bind_null(statement, at);
}

static int bind_group(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct graph *graph = context;
	const struct model *model = graph->load->model;
	const struct snap_group *group = row;
	int64_t id = place_of(row, model->holders.groups, sizeof(*group));

	sqlite3_bind_int64(statement, at++, graph->load->snapshot_id);
	sqlite3_bind_int64(statement, at++, id);
	sqlite3_bind_int64(statement, at++, group->kind);
	bind_text_or_null(statement, at++, model, group->label);
	if (graph->sites[id])
		sqlite3_bind_int64(statement, at, graph->sites[id]);
	else
		sqlite3_bind_null(statement, at);
	at++;
	for (const uint64_t *figure = &group->blocks; figure <= &group->retained_bytes; figure++)
		database_bind_u64(statement, at++, *figure);
	return at;
}

static int bind_root(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct graph *graph = context;
	const struct model *model = graph->load->model;
	const struct snap_root *root = row;
	int64_t id = place_of(row, model->holders.roots, sizeof(*root));

	sqlite3_bind_int64(statement, at++, graph->load->snapshot_id);
	sqlite3_bind_int64(statement, at++, id);
	sqlite3_bind_int64(statement, at++, root->kind);
	sqlite3_bind_text(statement, at++, graph->names[id], -1, SQLITE_STATIC);
	bind_text_or_null(statement, at++, model, root->label);
	if (root->module == SNAP_NONE)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, graph->load->module_ids[root->module]);
	at++;
	if (root->thread)
		sqlite3_bind_int64(statement, at, root->thread);
	else
		sqlite3_bind_null(statement, at);
	at++;
	sqlite3_bind_int64(statement, at++, (int64_t)root->address);
	sqlite3_bind_int64(statement, at++, (int64_t)root->size);
	bind_text_or_null(statement, at++, model, root->symbol);
	sqlite3_bind_int64(statement, at++, (int64_t)root->offset);
	database_bind_u64(statement, at++, root->retained_bytes);
	return at;
}

static int bind_edge(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct graph *graph = context;
	const struct snap_edge *edge = row;

	sqlite3_bind_int64(statement, at++, graph->load->snapshot_id);
	sqlite3_bind_int64(statement, at++,
			   place_of(row, graph->load->model->holders.edges, sizeof(*edge)));
	sqlite3_bind_null(statement, at + (edge->from_root ? 1 : 0));
	sqlite3_bind_int64(statement, at + (edge->from_root ? 0 : 1), edge->from);
	at += 2;
	sqlite3_bind_int64(statement, at++, edge->to);
	for (const uint64_t *figure = &edge->references; figure <= &edge->dominated_bytes; figure++)
		database_bind_u64(statement, at++, *figure);
	return at;
}

static int bind_path(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct graph *graph = context;
	const struct model_path *path = row;

	sqlite3_bind_int64(statement, at++, graph->load->snapshot_id);
	sqlite3_bind_int64(statement, at++,
			   place_of(row, graph->load->model->holders.paths, sizeof(*path)));
	sqlite3_bind_int64(statement, at++, path->row.group);
	if (path->row.root == SNAP_NONE)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, path->row.root);
	at++;
	sqlite3_bind_int64(statement, at++, (int64_t)path->row.offset);
	sqlite3_bind_int64(statement, at++, (int64_t)path->row.skipped);
	return at;
}

/* A step and whose it is. */
struct step_row {
	uint32_t path, position;
	const struct snap_step *step;
};

static int bind_step(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct graph *graph = context;
	const struct step_row *step = row;

	sqlite3_bind_int64(statement, at++, graph->load->snapshot_id);
	sqlite3_bind_int64(statement, at++, step->path);
	sqlite3_bind_int64(statement, at++, step->position);
	sqlite3_bind_int64(statement, at++, step->step->group);
	sqlite3_bind_int64(statement, at++, (int64_t)step->step->address);
	sqlite3_bind_int64(statement, at++, (int64_t)step->step->size);
	sqlite3_bind_int64(statement, at++, (int64_t)step->step->offset);
	return at;
}

static enum snap_status load_steps(const struct graph *graph, struct snap_error *err)
{
	static const struct bulk bulk = {STATEMENT_insert_step, bind_step, sizeof(struct step_row),
					 false};
	const struct model_holders *holders = &graph->load->model->holders;
	struct step_row *rows = loading_array(holders->step_count, sizeof(*rows));
	enum snap_status st;
	size_t count = 0;

	if (!rows)
		return fail_memory(err, "loading who holds what");
	for (uint32_t i = 0; i < holders->path_count; i++)
		for (uint32_t k = 0; k < holders->paths[i].row.step_count; k++)
			rows[count++] = (struct step_row){
				i, k, &holders->steps[holders->paths[i].first_step + k]};
	st = bulk_insert(graph->load->store, &bulk, rows, count, graph, err);
	free(rows);
	return st;
}

/* ---- the whole ---- */

static bool name_roots(struct graph *graph)
{
	const struct model *model = graph->load->model;

	graph->names = loading_array(model->holders.root_count, sizeof(*graph->names));
	for (uint32_t i = 0; graph->names && i < model->holders.root_count; i++) {
		graph->names[i] = holders_root_words(model, &model->holders.roots[i]);
		if (!graph->names[i])
			return false;
	}
	return graph->names != NULL;
}

static void graph_release(struct graph *graph)
{
	for (uint32_t i = 0; graph->names && i < graph->load->model->holders.root_count; i++)
		free(graph->names[i]);
	free(graph->names);
	free(graph->sites);
}

static enum snap_status insert_rows(const struct graph *graph, struct snap_error *err)
{
	static const struct bulk groups = {STATEMENT_insert_group, bind_group,
					   sizeof(struct snap_group), false};
	static const struct bulk roots = {STATEMENT_insert_root, bind_root,
					  sizeof(struct snap_root), false};
	static const struct bulk edges = {STATEMENT_insert_edge, bind_edge,
					  sizeof(struct snap_edge), false};
	static const struct bulk paths = {STATEMENT_insert_path, bind_path,
					  sizeof(struct model_path), false};
	const struct model_holders *h = &graph->load->model->holders;
	struct store *store = graph->load->store;
	enum snap_status st = bulk_insert(store, &groups, h->groups, h->group_count, graph, err);

	if (st == SNAP_OK)
		st = bulk_insert(store, &roots, h->roots, h->root_count, graph, err);
	if (st == SNAP_OK)
		st = bulk_insert(store, &edges, h->edges, h->edge_count, graph, err);
	if (st == SNAP_OK)
		st = bulk_insert(store, &paths, h->paths, h->path_count, graph, err);
	return st == SNAP_OK ? load_steps(graph, err) : st;
}

static enum snap_status sum_types(const struct loading *load, struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(load->store, STATEMENT_insert_objects, err);

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	return database_step(load->store, statement, "cannot be written", err);
}

enum snap_status load_holders(struct loading *load, struct snap_error *err)
{
	struct graph graph = {.load = load};
	enum snap_status st = model_check_holders(load->model, err);

	if (load->model->holders.group_count == 0 || st != SNAP_OK)
		return st;
	graph.sites = loading_array(load->model->holders.group_count, sizeof(*graph.sites));
	if (!graph.sites || !find_sites(load, graph.sites) || !name_roots(&graph))
		st = fail_memory(err, "loading who holds what");
	if (st == SNAP_OK)
		st = insert_rows(&graph, err);
	if (st == SNAP_OK)
		st = sum_types(load, err);
	graph_release(&graph);
	return st;
}
