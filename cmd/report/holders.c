/*
 * holders.c - who keeps blocks alive, and which blocks these keep alive.
 *
 * Groups of blocks become nodes as --group says, types and roots each one of their own; edges
 * between the same nodes are added up.
 */
#include "report/holders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
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
	struct store_size size;
	uint32_t heaviest; /* site, or SNAP_NONE */
	uint64_t weight;
};

struct subject_row {
	uint32_t node;
	uint64_t order;
	struct store_size size;
};

/* Those that hold the subjects, or that these hold: by place of the subject, the largest first. */
struct link_list {
	struct store_link *items;
	size_t count, room, next; /* next: the first that is not shown yet */
};

struct holding {
	const struct graph *graph;
	const struct report_options *options;
	struct selection *selection;
	struct node *nodes; /* rows of the selection, then types, then roots */
	size_t node_count;
	struct hash_table named;      /* types and roots: nodes by name and kind */
	uint32_t *of_group, *of_root; /* nodes; SNAP_NONE: left out by filters */
	bool retained;                /* sizes are known */
};

/* A report that is being made. */
struct telling {
	struct report *report;
	const struct holding *h;
	struct subject_row *subjects;
	size_t subject_count, shown_count;
	struct link_list holders, held;
	struct store_size all, shown; /* of all groups; of the subjects that are shown */
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

/* A row that has stacks is named by the heaviest. */
static void join_group(struct node *node, const struct graph_group *group)
{
	node->present = true;
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
	const struct row_graph_view view = {h->selection, NULL};

	if (group->site == SNAP_NONE)
		h->of_group[i] = named_node(h, *group->row.label ? group->row.label : "(unknown)",
					    group_kind(&group->row));
	else
		h->of_group[i] = row_graph_row(&view, group);
	if (h->of_group[i] != SNAP_NONE)
		join_group(&h->nodes[h->of_group[i]], group);
}

static void add_root(struct holding *h, size_t i)
{
	const struct store_root *root = &h->graph->roots[i];
	struct node *node;

	h->of_root[i] = named_node(h, root->name, graph_root_kind(root));
	node = &h->nodes[h->of_root[i]];
	node->is_root = node->present = true;
	node->words.module = *root->module ? name_base(root->module) : NULL;
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

/* ---- sums ------------------------------------------------------------------------------------ */

static void put_member(struct store_member *members, size_t *count, uint32_t row, size_t id,
		       bool is_root)
{
	if (row != SNAP_NONE)
		members[(*count)++] = (struct store_member){row, (uint32_t)id, 0, is_root};
}

static enum snap_status put_members(const struct holding *h, struct snap_error *err)
{
	const struct graph *graph = h->graph;
	struct store_member *members =
		calloc(graph->group_count + graph->root_count + 1, sizeof(*members));
	size_t count = 0;
	enum snap_status st;

	if (!members)
		return fail_memory(err, "finding holders");
	for (size_t i = 0; i < graph->group_count; i++)
		put_member(members, &count, h->of_group[i], i, false);
	for (size_t i = 0; i < graph->root_count; i++)
		put_member(members, &count, h->of_root[i], i, true);
	st = store_put_members(graph->dataset->store, members, count, err);
	free(members);
	return st;
}

static enum snap_status put_nodes(const struct holding *h, struct snap_error *err)
{
	struct store_node *nodes = calloc(h->node_count + 1, sizeof(*nodes));
	size_t count = 0;
	enum snap_status st;

	if (!nodes)
		return fail_memory(err, "finding holders");
	for (uint32_t i = 0; i < h->node_count; i++)
		if (h->nodes[i].present)
			nodes[count++] =
				(struct store_node){i, h->nodes[i].words.key, h->nodes[i].kind};
	st = store_put_nodes(h->graph->dataset->store, nodes, count, err);
	free(nodes);
	return st;
}

static enum snap_status take_size(void *user, uint32_t at, const struct store_size *size)
{
	struct holding *h = user;

	if (at < h->node_count)
		h->nodes[at].size = *size;
	h->retained |= size->sized;
	return SNAP_OK;
}

static enum snap_status sum_up(struct holding *h, struct snap_error *err)
{
	enum snap_status st = put_members(h, err);

	if (st == SNAP_OK)
		st = put_nodes(h, err);
	return st == SNAP_OK ? store_sum_graph(h->graph->dataset->store, h->graph->snapshot_id,
					       take_size, h, err)
			     : st;
}

enum snap_status holding_new(struct holding **out, const struct graph *graph,
			     const struct report_options *options, struct snap_error *err)
{
	const struct select_options select = sites_selection(options);
	struct holding *h = calloc(1, sizeof(*h));
	enum snap_status st;

	*out = NULL;
	if (!h)
		return fail_memory(err, "finding holders");
	h->graph = graph;
	h->options = options;
	st = selection_new(&h->selection, graph->dataset, &select, err);
	if (st == SNAP_OK && !make_nodes(h))
		st = fail_memory(err, "finding holders");
	if (st == SNAP_OK)
		st = sum_up(h, err);
	if (st == SNAP_OK)
		*out = h;
	else
		holding_free(h);
	return st;
}

void holding_free(struct holding *h)
{
	if (!h)
		return;
	free(h->nodes);
	hash_table_release(&h->named);
	free(h->of_group);
	free(h->of_root);
	selection_free(h->selection);
	free(h);
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
	const struct store_size *size = &node->size;

	return size->retained_bytes > size->bytes ? size->retained_bytes : size->bytes;
}

static void keep_subject(struct telling *t, uint32_t node)
{
	t->subjects[t->subject_count++] =
		(struct subject_row){.node = node, .order = size_of(&t->h->nodes[node])};
}

static enum snap_status find_matching(struct telling *t, const char *pattern,
				      struct snap_error *err)
{
	regex_t regex;
	char why[PATTERN_WHY];
	enum snap_status st = pattern_compile(&regex, pattern, why);

	if (st == SNAP_ENOMEM)
		return fail_memory(err, "finding holders");
	if (st != SNAP_OK)
		return fail(err, st, "'%s' is not a regular expression", pattern);
	for (uint32_t i = 0; i < t->h->node_count; i++) {
		const struct node *node = &t->h->nodes[i];
		const char *name = node->words.function ? node->words.function : node->words.key;

		if (node->present && size_of(node) >= t->h->options->min_bytes &&
		    pattern_matches(&regex, name))
			keep_subject(t, i);
	}
	regfree(&regex);
	if (!t->subject_count)
		return fail(err, SNAP_EUSAGE,
			    "no site, type or root matches '%s'; 'snapdiff top' lists the sites",
			    pattern);
	return SNAP_OK;
}

static enum snap_status find_key(struct telling *t, const char *key, struct snap_error *err)
{
	for (uint32_t i = 0; i < t->h->node_count; i++)
		if (t->h->nodes[i].present && strcmp(t->h->nodes[i].words.key, key) == 0) {
			keep_subject(t, i);
			return SNAP_OK;
		}
	return fail(err, SNAP_ENOTFOUND, "the snapshot does not say who holds %s", key);
}

/* ---- the figures of what is shown ------------------------------------------------------------ */

static enum snap_status take_link(void *user, const struct store_link *link)
{
	struct link_list *list = user;

	if (!array_reserve(&list->items, &list->room, list->count, sizeof(*link)))
		return SNAP_ENOMEM;
	list->items[list->count++] = *link;
	return SNAP_OK;
}

static enum snap_status take_shown(void *user, uint32_t at, const struct store_size *size)
{
	struct telling *t = user;

	if (at < t->shown_count)
		t->subjects[at].size = *size;
	return SNAP_OK;
}

static enum snap_status show_subjects(struct telling *t, struct snap_error *err)
{
	struct store_shown *shown = report_alloc(t->report, (t->shown_count + 1) * sizeof(*shown));

	for (size_t i = 0; i < t->shown_count; i++)
		shown[i] = (struct store_shown){t->subjects[i].node,
						t->h->nodes[t->subjects[i].node].words.key};
	return store_show_rows(t->h->graph->dataset->store, shown, t->shown_count, err);
}

static enum snap_status sum_shown(struct telling *t, struct snap_error *err)
{
	struct store *store = t->h->graph->dataset->store;
	size_t limit = sites_limit(t->h->options, SIZE_MAX);
	enum snap_status st = show_subjects(t, err);

	if (st == SNAP_OK)
		st = store_each_holder(store, limit, take_link, &t->holders, err);
	if (st == SNAP_OK)
		st = store_each_shown_size(store, take_shown, t, err);
	if (st == SNAP_OK)
		st = store_each_held(store, limit, take_link, &t->held, err);
	if (st == SNAP_OK)
		st = store_total_size(store, t->h->graph->snapshot_id, &t->all, &t->shown, err);
	return st == SNAP_ENOMEM ? fail_memory(err, "finding holders") : st;
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

static const char *name_of_group(const struct telling *t, uint32_t group)
{
	uint32_t node = t->h->of_group[group];

	if (node == SNAP_NONE)
		return "(filtered out)";
	return sites_words(t->report, &t->h->nodes[node].words);
}

static struct value path_value(const struct telling *t, const struct graph_path *path)
{
	struct report *report = t->report;
	const struct graph *graph = t->h->graph;
	struct value list = value_list(report, path->row.step_count + 1);
	struct value first = value_object();

	value_field(report, &first, "key",
		    path->row.root == SNAP_NONE
			    ? value_null()
			    : value_text(report, graph->roots[path->row.root].name));
	value_field(report, &first, "offset", value_u64(path->row.offset));
	value_field(report, &first, "skipped", value_u64(path->row.skipped));
	list.list.items[0] = first;
	for (uint32_t i = 0; i < path->row.step_count; i++) {
		const struct snap_step *step = &graph->steps[path->first_step + i];
		struct value object = value_object();
		char address[24];

		snprintf(address, sizeof(address), "0x%" PRIx64, step->address);
		value_field(report, &object, "key",
			    value_text(report, name_of_group(t, step->group)));
		value_field(report, &object, "address", value_text(report, address));
		value_field(report, &object, "size", value_u64(step->size));
		value_field(report, &object, "offset", value_u64(step->offset));
		list.list.items[i + 1] = object;
	}
	return list;
}

/* "g_registry (server) -> block of 8.0 MiB, rehash table.c:40 -> new_session server.c:88"; blocks
 * of one site that follow each other are one step. */
static void note_path(const struct telling *t, const struct graph_path *path)
{
	struct report *report = t->report;
	const struct graph *graph = t->h->graph;
	const char *text =
		path->row.root == SNAP_NONE ? "(nothing)" : graph->roots[path->row.root].name;
	uint32_t next;

	for (uint32_t i = 0; i < path->row.step_count; i = next) {
		const struct snap_step *step = &graph->steps[path->first_step + i];
		const char *name = name_of_group(t, step->group);
		char size[32];

		for (next = i + 1;
		     next < path->row.step_count &&
		     t->h->of_group[step[next - i].group] == t->h->of_group[step->group];)
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

static struct value *begin_row(const struct telling *t, const struct node *of, const char *role,
			       const struct node *node)
{
	struct report *report = t->report;
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
			sites_stack(report, t->h->graph->dataset, t->h->selection, node->heaviest);
	return values;
}

static void add_link(const struct telling *t, const struct node *of, const char *role,
		     const struct store_link *link)
{
	struct value *values = begin_row(t, of, role, &t->h->nodes[link->row]);

	values[BYTES] = value_u64(link->bytes);
	values[BLOCKS] = value_u64(link->blocks);
	values[REFS] = value_u64(link->references);
	if (t->h->retained)
		values[RETAINED] = value_u64(link->retained_bytes);
}

static void add_self(const struct telling *t, const struct subject_row *subject)
{
	const struct node *node = &t->h->nodes[subject->node];
	const struct graph_path *path = path_to(t->h, subject->node);
	struct value *values = begin_row(t, node, node->is_root ? "root" : "blocks", node);

	if (!node->is_root) {
		values[BYTES] = value_u64(subject->size.bytes);
		values[BLOCKS] = value_u64(subject->size.blocks);
		values[LOST] = value_u64(subject->size.lost_blocks);
	}
	if (t->h->retained)
		values[RETAINED] = value_u64(subject->size.retained_bytes);
	if (path)
		values[PATH] = path_value(t, path);
}

/* The links of the subject at `place`: the next ones of the list. */
static void add_links(const struct telling *t, size_t place, struct link_list *list, bool held)
{
	uint32_t id = t->subjects[place].node;
	const struct node *node = &t->h->nodes[id];
	uint64_t count = 0, shown = 0;

	for (; list->next < list->count && list->items[list->next].place == place; list->next++) {
		const struct store_link *link = &list->items[list->next];

		count = link->links;
		shown++;
		add_link(t, node,
			 held              ? "holds"
			 : link->row == id ? "held by itself"
					   : "held by",
			 link);
	}
	if (shown < count)
		report_note(t->report,
			    "%s: %" PRIu64 " of %" PRIu64 " that %s are shown; --all shows every "
			    "one.",
			    sites_words(t->report, &node->words), shown, count,
			    held ? "it holds" : "hold it");
}

static void add_subject(struct telling *t, size_t place)
{
	const struct graph_path *path = path_to(t->h, t->subjects[place].node);

	add_links(t, place, &t->holders, false);
	add_self(t, &t->subjects[place]);
	add_links(t, place, &t->held, true);
	if (path)
		note_path(t, path);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static struct value part(struct report *report, uint64_t bytes, uint64_t blocks)
{
	struct value object = value_object();

	value_field(report, &object, "bytes", value_u64(bytes));
	value_field(report, &object, "blocks", value_u64(blocks));
	return object;
}

static void add_title(const struct telling *t)
{
	const struct node *node = &t->h->nodes[t->subjects[0].node];
	const struct store_size *size = &node->size;
	char bytes[32], blocks[64], retained[32];
	struct report *report = t->report;
	const char *name = sites_words(report, &node->words);

	if (node->is_root)
		report->title = t->h->retained
					? report_text(report, "%s: retains %s", name,
						      sites_bytes(size->retained_bytes, retained))
					: report_text(report, "%s", name);
	else
		report->title = report_text(
			report, "%s: %s, %s%s%s", name, sites_blocks(size->blocks, blocks),
			sites_bytes(size->bytes, bytes), t->h->retained ? ", retained " : "",
			t->h->retained ? sites_bytes(size->retained_bytes, retained) : "");
	if (size->lost_blocks)
		report->title = report_text(report, "%s; %s unreachable", report->title,
					    sites_blocks(size->lost_blocks, blocks));
}

/* Never negative, whatever a database says. */
static uint64_t rest_of(uint64_t all, uint64_t shown)
{
	return all > shown ? all - shown : 0;
}

static void add_summary(const struct telling *t)
{
	struct report *report = t->report;
	const struct store_size *all = &t->all, *shown = &t->shown;
	struct value first = part(report, shown->bytes, shown->blocks);
	struct value rest = part(report, rest_of(all->bytes, shown->bytes),
				 rest_of(all->blocks, shown->blocks));

	value_field(report, &report->head, "group",
		    value_text(report, group_key_names[t->h->options->group]));
	value_field(report, &report->head, "totals", part(report, all->bytes, all->blocks));
	value_field(report, &first, "rows", value_u64(t->shown_count));
	value_field(report, &rest, "rows", value_u64(t->subject_count - t->shown_count));
	value_field(report, &report->tail, "shown", first);
	value_field(report, &report->tail, "hidden", rest);
}

static void tell(struct telling *t)
{
	struct report *report = t->report;

	for (size_t i = 0; i < t->shown_count; i++)
		add_subject(t, i);
	sites_hide_empty(report, RETAINED);
	add_summary(t);
	add_title(t);
	if (t->shown_count < t->subject_count)
		report_note(report, "%zu of %zu matches are shown; --all shows every one.",
			    t->shown_count, t->subject_count);
	if (!t->h->retained)
		report_note(report, "Retained sizes: take a snapshot with --holders=retained.");
}

struct report *holders_report_new(void)
{
	return report_new("snapdiff.holders/1", columns, COLUMNS);
}

typedef enum snap_status find_fn(struct telling *t, const char *words, struct snap_error *err);

static enum snap_status fill(struct report *report, const struct holding *h, find_fn *find,
			     const char *words, struct snap_error *err)
{
	struct telling t = {.report = report, .h = h};
	enum snap_status st;

	t.subjects = report_alloc(report, (h->node_count + 1) * sizeof(*t.subjects));
	st = find(&t, words, err);
	if (st == SNAP_OK) {
		qsort(t.subjects, t.subject_count, sizeof(*t.subjects), compare_subjects);
		t.shown_count = sites_limit(h->options, t.subject_count);
		st = sum_shown(&t, err);
	}
	if (st == SNAP_OK)
		tell(&t);
	free(t.holders.items);
	free(t.held.items);
	return st;
}

enum snap_status holders_fill(struct report *report, const struct holding *holding,
			      const char *pattern, struct snap_error *err)
{
	const struct report_options *options = holding->options;

	if (options->cumulative || options->sort)
		return fail(err, SNAP_EUSAGE,
			    "holders counts a call stack once, the largest first; leave %s out",
			    options->sort ? "--sort" : "--cumulative");
	return fill(report, holding, find_matching, pattern, err);
}

enum snap_status holders_fill_row(struct report *report, const struct holding *holding,
				  const char *key, struct snap_error *err)
{
	return fill(report, holding, find_key, key, err);
}
