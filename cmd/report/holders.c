/*
 * holders.c - who keeps blocks alive, and whom these keep alive.
 *
 * Groups of blocks become nodes as --group says, types and roots each one of their own; edges
 * between the same nodes are added up.
 */
#include "report/holders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash_table.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/seed.h"
#include "model/names.h"
#include "report/row_graph.h"
#include "report/sites.h"

enum {
	KEY,
	OF,
	ROLE,
	KIND,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	BYTES,
	BLOCKS,
	REFS,
	RETAINED,
	LOST,
	SITE,
	PATH,
	STACK,
	COLUMNS,
};

static const struct column columns[COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[OF] = {"of", "of", COLUMN_NAME, COLUMN_HIDDEN},
	[ROLE] = {"role", "role", COLUMN_TEXT, 0},
	[KIND] = {"kind", "kind", COLUMN_TEXT, COLUMN_SPARE(5)},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[BYTES] = {"bytes", "bytes", COLUMN_BYTES, 0},
	[BLOCKS] = {"blocks", "blocks", COLUMN_COUNT, 0},
	[REFS] = {"references", "pointers", COLUMN_COUNT, COLUMN_SPARE(4)},
	[RETAINED] = {"retained_bytes", "retained", COLUMN_BYTES, 0},
	[LOST] = {"unreachable_blocks", "unreachable", COLUMN_COUNT, COLUMN_SPARE(3)},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[PATH] = {"path", "path", COLUMN_TREE, COLUMN_DETAIL},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
};

struct node {
	struct select_row words;
	const char *kind;
	bool is_root, present;
	uint64_t bytes, blocks, lost_blocks, retained;
	uint32_t heaviest; /* site, or SNAP_NONE */
	uint64_t weight;
};

/* All edges between two nodes. */
struct link {
	uint32_t from, to;
	uint64_t refs, blocks, bytes, dominated;
};

struct subject_row {
	uint32_t node;
	uint64_t order;
};

struct holding {
	struct report *report;
	const struct graph *graph;
	const struct report_options *options;
	struct selection *selection;
	struct node *nodes; /* rows of the selection, then types, then roots */
	size_t node_count;
	struct hash_table named;      /* types and roots: nodes by name and kind */
	uint32_t *of_group, *of_root; /* nodes; SNAP_NONE: left out by filters */
	struct link *links;           /* by from, to */
	size_t link_count;
	struct subject_row *subjects;
	size_t subject_count, shown_count;
	bool retained;                      /* sizes are known */
	uint64_t bytes, blocks;             /* of all groups */
	uint64_t shown_bytes, shown_blocks; /* of the subjects that are shown */
};

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool is_named(const void *context, const void *wanted, uint32_t id)
{
	const struct holding *h = context;
	const struct node *node = wanted;

	return strcmp(h->nodes[id].words.key, node->words.key) == 0 &&
	       strcmp(h->nodes[id].kind, node->kind) == 0;
}

/* A type's or a root's node: those of one name and kind are one. */
static uint32_t named_node(struct holding *h, const char *name, const char *kind)
{
	const struct node node = {.words.key = name, .kind = kind, .heaviest = SNAP_NONE};
	uint64_t hash = hash_of_bytes_from(hash_seed(), name, strlen(name));
	uint32_t id = hash_table_find(&h->named, hash, is_named, h, &node);

	if (id != SNAP_NONE)
		return id;
	id = (uint32_t)h->node_count++;
	h->nodes[id] = node;
	if (!hash_table_add(&h->named, hash, id))
		memory_need(NULL, "reading who holds what");
	return id;
}

static void add_figures(struct holding *h, struct node *node, const struct graph_group *group)
{
	node->present = true;
	node->bytes += group->row.bytes;
	node->blocks += group->row.blocks;
	node->lost_blocks += group->row.direct_blocks + group->row.indirect_blocks;
	if (group->row.retained_bytes != SNAP_UNKNOWN) {
		node->retained += group->row.retained_bytes;
		h->retained = true;
	}
	if (group->site != SNAP_NONE && node->weight <= group->row.bytes) {
		node->weight = group->row.bytes;
		node->heaviest = group->site;
	}
}

static const char *group_kind(const struct store_group *group)
{
	if (group->kind == SNAP_GROUP_TYPE)
		return "type";
	return group->kind == SNAP_GROUP_REUSE ? "kept for reuse" : "group";
}

static void add_group(struct holding *h, size_t i)
{
	const struct graph_group *group = &h->graph->groups[i];
	const struct row_graph_view view = {h->selection, NULL, false};

	h->bytes += group->row.bytes;
	h->blocks += group->row.blocks;
	if (group->site == SNAP_NONE)
		h->of_group[i] = named_node(h, *group->row.label ? group->row.label : "(unknown)",
					    group_kind(&group->row));
	else
		h->of_group[i] = row_graph_row(&view, group);
	if (h->of_group[i] != SNAP_NONE)
		add_figures(h, &h->nodes[h->of_group[i]], group);
}

static void add_root(struct holding *h, size_t i)
{
	const struct store_root *root = &h->graph->roots[i];
	struct node *node;

	h->of_root[i] = named_node(h, root->name, graph_root_kind(root));
	node = &h->nodes[h->of_root[i]];
	node->is_root = node->present = true;
	node->words.module = *root->module ? name_base(root->module) : NULL;
	if (root->retained_bytes != SNAP_UNKNOWN)
		node->retained += root->retained_bytes;
}

static bool make_nodes(struct holding *h)
{
	size_t rows = selection_row_count(h->selection);
	const struct graph *graph = h->graph;

	h->nodes = calloc(rows + graph->group_count + graph->root_count + 1, sizeof(*h->nodes));
	h->of_group = calloc(graph->group_count + 1, sizeof(*h->of_group));
	h->of_root = calloc(graph->root_count + 1, sizeof(*h->of_root));
	if (!h->nodes || !h->of_group || !h->of_root)
		return false;
	for (uint32_t i = 0; i < rows; i++)
		h->nodes[i] = (struct node){.words = *selection_row(h->selection, i),
					    .kind = "site",
					    .heaviest = SNAP_NONE};
	h->node_count = rows;
	for (size_t i = 0; i < graph->group_count; i++)
		add_group(h, i);
	for (size_t i = 0; i < graph->root_count; i++)
		add_root(h, i);
	return true;
}

/* ---- links ----------------------------------------------------------------------------------- */

static int compare_links(const void *left, const void *right)
{
	const struct link *a = left, *b = right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

/* If one group of a row retains another group of the same row, those bytes count once. */
static void count_once(struct holding *h)
{
	for (size_t i = 0; i < h->link_count; i++) {
		const struct link *link = &h->links[i];
		struct node *node = &h->nodes[link->to];

		if (link->from == link->to)
			node->retained -=
				link->dominated < node->retained ? link->dominated : node->retained;
	}
}

static bool make_links(struct holding *h)
{
	size_t kept = 0;

	h->links = calloc(h->graph->edge_count + 1, sizeof(*h->links));
	if (!h->links)
		return false;
	for (size_t i = 0; i < h->graph->edge_count; i++) {
		const struct snap_edge *e = &h->graph->edges[i];
		struct link link = {e->from_root ? h->of_root[e->from] : h->of_group[e->from],
				    h->of_group[e->to],
				    e->references,
				    e->blocks,
				    e->bytes,
				    e->dominated_bytes == SNAP_UNKNOWN ? 0 : e->dominated_bytes};

		if (link.from != SNAP_NONE && link.to != SNAP_NONE)
			h->links[h->link_count++] = link;
	}
	qsort(h->links, h->link_count, sizeof(*h->links), compare_links);
	count_once(h);
	for (size_t i = 0; i < h->link_count; i++) {
		struct link *last = kept ? &h->links[kept - 1] : NULL;

		if (!last || compare_links(last, &h->links[i]) != 0) {
			h->links[kept++] = h->links[i];
			continue;
		}
		last->refs += h->links[i].refs;
		last->blocks += h->links[i].blocks;
		last->bytes += h->links[i].bytes;
		last->dominated += h->links[i].dominated;
	}
	h->link_count = kept;
	/* Two holders of one row may refer to the same block. */
	for (size_t i = 0; i < kept; i++) {
		const struct node *to = &h->nodes[h->links[i].to];

		if (h->links[i].blocks > to->blocks)
			h->links[i].blocks = to->blocks;
		if (h->links[i].bytes > to->bytes)
			h->links[i].bytes = to->bytes;
	}
	return true;
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static int compare_subjects(const void *left, const void *right)
{
	const struct subject_row *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	return (a->node > b->node) - (a->node < b->node);
}

static uint64_t size_of(const struct node *node)
{
	return node->retained > node->bytes ? node->retained : node->bytes;
}

static bool keep_subject(struct holding *h, uint32_t node)
{
	if (!h->subjects)
		h->subjects = calloc(h->node_count + 1, sizeof(*h->subjects));
	if (h->subjects)
		h->subjects[h->subject_count++] =
			(struct subject_row){node, size_of(&h->nodes[node])};
	return h->subjects != NULL;
}

static enum snap_status find_matching(struct holding *h, const char *pattern,
				      struct snap_error *err)
{
	regex_t regex;
	char why[PATTERN_WHY];
	enum snap_status st = pattern_compile(&regex, pattern, why);
	bool fine = true;

	if (st == SNAP_ENOMEM)
		return fail_memory(err, "finding holders");
	if (st != SNAP_OK)
		return fail(err, st, "'%s' is not a regular expression", pattern);
	for (uint32_t i = 0; fine && i < h->node_count; i++) {
		const struct node *node = &h->nodes[i];
		const char *name = node->words.function ? node->words.function : node->words.key;

		if (node->present && size_of(node) >= h->options->min_bytes &&
		    pattern_matches(&regex, name))
			fine = keep_subject(h, i);
	}
	regfree(&regex);
	if (!fine)
		return fail_memory(err, "finding holders");
	if (!h->subject_count)
		return fail(err, SNAP_EUSAGE,
			    "no site, type or root matches '%s'; 'snapdiff top' lists the sites",
			    pattern);
	return SNAP_OK;
}

static enum snap_status find_key(struct holding *h, const char *key, struct snap_error *err)
{
	for (uint32_t i = 0; i < h->node_count; i++)
		if (h->nodes[i].present && strcmp(h->nodes[i].words.key, key) == 0)
			return keep_subject(h, i) ? SNAP_OK : fail_memory(err, "finding holders");
	return fail(err, SNAP_ENOTFOUND, "the snapshot does not say who holds %s", key);
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* The shortest path to the node, one from a root if there is any. */
static const struct graph_path *path_to(const struct holding *h, uint32_t node)
{
	const struct graph_path *best = NULL;

	for (size_t i = 0; i < h->graph->path_count; i++) {
		const struct graph_path *path = &h->graph->paths[i];

		if (h->of_group[path->row.group] != node || !path->row.step_count)
			continue;
		if (!best || (best->row.root == SNAP_NONE && path->row.root != SNAP_NONE) ||
		    ((best->row.root == SNAP_NONE) == (path->row.root == SNAP_NONE) &&
		     path->row.step_count + path->row.skipped <
			     best->row.step_count + best->row.skipped))
			best = path;
	}
	return best;
}

static const char *name_of_group(const struct holding *h, uint32_t group)
{
	uint32_t node = h->of_group[group];

	if (node == SNAP_NONE)
		return "(filtered out)";
	return sites_words(h->report, &h->nodes[node].words);
}

static struct value path_value(const struct holding *h, const struct graph_path *path)
{
	struct report *report = h->report;
	struct value list = value_list(report, path->row.step_count + 1);
	struct value first = value_object();

	value_field(report, &first, "key",
		    path->row.root == SNAP_NONE
			    ? value_null()
			    : value_text(report, h->graph->roots[path->row.root].name));
	value_field(report, &first, "offset", value_u64(path->row.offset));
	value_field(report, &first, "skipped", value_u64(path->row.skipped));
	list.list.items[0] = first;
	for (uint32_t i = 0; i < path->row.step_count; i++) {
		const struct snap_step *step = &h->graph->steps[path->first_step + i];
		struct value object = value_object();
		char address[24];

		snprintf(address, sizeof(address), "0x%" PRIx64, step->address);
		value_field(report, &object, "key",
			    value_text(report, name_of_group(h, step->group)));
		value_field(report, &object, "address", value_text(report, address));
		value_field(report, &object, "size", value_u64(step->size));
		value_field(report, &object, "offset", value_u64(step->offset));
		list.list.items[i + 1] = object;
	}
	return list;
}

/* "g_registry (server) -> block of 8.0 MiB, rehash table.c:40 -> new_session server.c:88"; blocks
 * of one site that follow each other are one step. */
static void note_path(const struct holding *h, const struct graph_path *path)
{
	struct report *report = h->report;
	const char *text =
		path->row.root == SNAP_NONE ? "(nothing)" : h->graph->roots[path->row.root].name;
	uint32_t next;

	for (uint32_t i = 0; i < path->row.step_count; i = next) {
		const struct snap_step *step = &h->graph->steps[path->first_step + i];
		const char *name = name_of_group(h, step->group);
		char size[32];

		for (next = i + 1; next < path->row.step_count &&
				   h->of_group[step[next - i].group] == h->of_group[step->group];)
			next++;
		if (next == path->row.step_count && path->row.skipped)
			text = report_text(report, "%s -> (%" PRIu64 " more)", text,
					   path->row.skipped);
		if (next - i > 1)
			text = report_text(report, "%s -> %u blocks of %s", text, next - i, name);
		else
			text = report_text(report, "%s -> block of %s, %s", text,
					   sites_bytes(step->size, size), name);
	}
	report_note(report, "Path: %s", text);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static struct value *begin_row(struct holding *h, const struct node *of, const char *role,
			       const struct node *node)
{
	struct report *report = h->report;
	struct value *values = report_row(report);

	values[KEY] = value_text(report, node->words.key);
	values[OF] = value_text(report, of->words.key);
	values[ROLE] = value_text(report, role);
	values[KIND] = value_text(report, node->kind);
	values[FUNCTION] = value_text(report, node->words.function);
	values[FILE_NAME] = value_text(report, node->words.file);
	values[LINE] = sites_line(node->words.line);
	values[MODULE] = value_text(report, node->words.module);
	values[SITE] = sites_name(report, &node->words);
	if (node->heaviest != SNAP_NONE)
		values[STACK] =
			sites_stack(report, h->graph->dataset, h->selection, node->heaviest);
	return values;
}

static void add_link(struct holding *h, const struct node *of, const char *role,
		     const struct link *link, const struct node *other)
{
	struct value *values = begin_row(h, of, role, other);

	values[BYTES] = value_u64(link->bytes);
	values[BLOCKS] = value_u64(link->blocks);
	values[REFS] = value_u64(link->refs);
	if (h->retained)
		values[RETAINED] = value_u64(link->dominated);
}

static void add_self(struct holding *h, const struct node *node, uint32_t id)
{
	const struct graph_path *path = path_to(h, id);
	struct value *values = begin_row(h, node, node->is_root ? "root" : "blocks", node);

	if (!node->is_root) {
		values[BYTES] = value_u64(node->bytes);
		values[BLOCKS] = value_u64(node->blocks);
		values[LOST] = value_u64(node->lost_blocks);
	}
	if (h->retained)
		values[RETAINED] = value_u64(node->retained);
	if (path)
		values[PATH] = path_value(h, path);
}

static int compare_size(const void *left, const void *right)
{
	const struct link *a = *(const struct link *const *)left,
			  *b = *(const struct link *const *)right;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return compare_links(a, b);
}

/* The links from or to a node, the largest first. */
static size_t links_of(const struct holding *h, uint32_t node, bool held, const struct link **links)
{
	size_t count = 0;

	for (size_t i = 0; i < h->link_count; i++) {
		const struct link *link = &h->links[i];

		if ((held ? link->from : link->to) == node && (!held || link->to != node))
			links[count++] = link;
	}
	qsort(links, count, sizeof(*links), compare_size);
	return count;
}

static void add_links(struct holding *h, uint32_t id, bool held)
{
	const struct link **links = report_alloc(h->report, (h->link_count + 1) * sizeof(*links));
	size_t count = links_of(h, id, held, links), shown = sites_limit(h->options, count);
	const struct node *node = &h->nodes[id];

	for (size_t i = 0; i < shown; i++) {
		const struct link *link = links[i];
		bool itself = link->from == id && link->to == id;

		add_link(h, node,
			 held     ? "holds"
			 : itself ? "held by itself"
				  : "held by",
			 link, &h->nodes[held ? link->to : link->from]);
	}
	if (shown < count)
		report_note(h->report, "%s: %zu of %zu that %s are shown; --all shows every one.",
			    sites_words(h->report, &node->words), shown, count,
			    held ? "it holds" : "hold it");
}

static void add_subject(struct holding *h, uint32_t id)
{
	const struct node *node = &h->nodes[id];

	add_links(h, id, false);
	add_self(h, node, id);
	add_links(h, id, true);
	if (path_to(h, id))
		note_path(h, path_to(h, id));
	h->shown_bytes += node->bytes;
	h->shown_blocks += node->blocks;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static struct value part(struct report *report, uint64_t bytes, uint64_t blocks)
{
	struct value object = value_object();

	value_field(report, &object, "bytes", value_u64(bytes));
	value_field(report, &object, "blocks", value_u64(blocks));
	return object;
}

static void add_title(struct holding *h)
{
	const struct node *node = &h->nodes[h->subjects[0].node];
	char bytes[32], blocks[64], retained[32];
	struct report *report = h->report;
	const char *name = sites_words(report, &node->words);

	if (node->is_root)
		report->title = h->retained ? report_text(report, "%s: retains %s", name,
							  sites_bytes(node->retained, retained))
					    : report_text(report, "%s", name);
	else
		report->title = report_text(
			report, "%s: %s, %s%s%s", name, sites_blocks(node->blocks, blocks),
			sites_bytes(node->bytes, bytes), h->retained ? ", retained " : "",
			h->retained ? sites_bytes(node->retained, retained) : "");
	if (node->lost_blocks)
		report->title = report_text(report, "%s; %s unreachable", report->title,
					    sites_blocks(node->lost_blocks, blocks));
}

static void tell(struct holding *h)
{
	struct report *report = h->report;
	struct value shown, hidden;

	for (size_t i = 0; i < h->shown_count; i++)
		add_subject(h, h->subjects[i].node);
	sites_hide_empty(report, RETAINED);
	value_field(report, &report->head, "group",
		    value_text(report, group_key_names[h->options->group]));
	value_field(report, &report->head, "totals", part(report, h->bytes, h->blocks));
	shown = part(report, h->shown_bytes, h->shown_blocks);
	hidden = part(report, h->bytes - h->shown_bytes, h->blocks - h->shown_blocks);
	value_field(report, &shown, "rows", value_u64(h->shown_count));
	value_field(report, &hidden, "rows", value_u64(h->subject_count - h->shown_count));
	value_field(report, &report->tail, "shown", shown);
	value_field(report, &report->tail, "hidden", hidden);
	add_title(h);
	if (h->shown_count < h->subject_count)
		report_note(report, "%zu of %zu matches are shown; --all shows every one.",
			    h->shown_count, h->subject_count);
	if (!h->retained)
		report_note(report, "Retained sizes: take a snapshot with --holders=retained.");
}

/* ---- in SQL ---------------------------------------------------------------------------------- */

static void put_member(struct store_member *members, size_t *count, uint32_t row, size_t id,
		       bool is_root)
{
	if (row != SNAP_NONE)
		members[(*count)++] = (struct store_member){row, (uint32_t)id, is_root};
}

static enum snap_status put_members(struct holding *h, struct snap_error *err)
{
	const struct graph *graph = h->graph;
	struct store_member *members = report_alloc(
		h->report, (graph->group_count + graph->root_count + 1) * sizeof(*members));
	size_t count = 0;

	for (size_t i = 0; i < graph->group_count; i++)
		put_member(members, &count, h->of_group[i], i, false);
	for (size_t i = 0; i < graph->root_count; i++)
		put_member(members, &count, h->of_root[i], i, true);
	return store_put_members(graph->dataset->store, members, count, err);
}

static enum snap_status put_nodes(struct holding *h, struct snap_error *err)
{
	struct store_node *nodes = report_alloc(h->report, (h->node_count + 1) * sizeof(*nodes));
	size_t count = 0;

	for (uint32_t i = 0; i < h->node_count; i++)
		if (h->nodes[i].present)
			nodes[count++] =
				(struct store_node){i, h->nodes[i].words.key, h->nodes[i].kind};
	return store_put_nodes(h->graph->dataset->store, nodes, count, err);
}

/* Have the store ask for the figures that are shown, in statements that --sql prints. */
static enum snap_status ask_in_sql(struct holding *h, struct snap_error *err)
{
	const struct dataset *dataset = h->graph->dataset;
	struct store_shown *shown = report_alloc(h->report, (h->shown_count + 1) * sizeof(*shown));
	enum snap_status st = put_members(h, err);

	for (size_t i = 0; i < h->shown_count; i++)
		shown[i] = (struct store_shown){h->subjects[i].node,
						h->nodes[h->subjects[i].node].words.key};
	if (st == SNAP_OK)
		st = put_nodes(h, err);
	if (st == SNAP_OK)
		st = store_show_rows(dataset->store, shown, h->shown_count, err);
	if (st == SNAP_OK)
		st = store_ask_holders(dataset->store, dataset->snapshot_ids[0],
				       sites_limit(h->options, SIZE_MAX), err);
	return st;
}

struct report *holders_report_new(void)
{
	return report_new("snapdiff.holders/1", columns, COLUMNS);
}

static enum snap_status fill(struct holding *h,
			     enum snap_status (*find)(struct holding *h, const char *words,
						      struct snap_error *err),
			     const char *words, struct snap_error *err)
{
	const struct select_options select = sites_selection(h->options);
	enum snap_status st = selection_new(&h->selection, h->graph->dataset, &select, err);

	if (st == SNAP_OK && (!make_nodes(h) || !make_links(h)))
		st = fail_memory(err, "finding holders");
	if (st == SNAP_OK)
		st = find(h, words, err);
	if (st == SNAP_OK) {
		qsort(h->subjects, h->subject_count, sizeof(*h->subjects), compare_subjects);
		h->shown_count = sites_limit(h->options, h->subject_count);
		tell(h);
		if (h->options->sql)
			st = ask_in_sql(h, err);
	}
	free(h->nodes);
	hash_table_release(&h->named);
	free(h->of_group);
	free(h->of_root);
	free(h->links);
	free(h->subjects);
	selection_free(h->selection);
	return st;
}

enum snap_status holders_fill(struct report *report, const struct graph *graph, const char *pattern,
			      const struct report_options *options, struct snap_error *err)
{
	struct holding h = {.report = report, .graph = graph, .options = options};

	if (options->cumulative || options->sort)
		return fail(err, SNAP_EUSAGE,
			    "holders counts a call stack once, the largest first; leave %s out",
			    options->sort ? "--sort" : "--cumulative");
	return fill(&h, find_matching, pattern, err);
}

enum snap_status holders_fill_row(struct report *report, const struct graph *graph, const char *key,
				  const struct report_options *options, struct snap_error *err)
{
	struct holding h = {.report = report, .graph = graph, .options = options};

	return fill(&h, find_key, key, err);
}
